import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { configMap, here } from './test-objects.ts';
import { openLines, startTestServer, type TestServer } from './test-server.ts';

interface Event {
  readonly type: string;
  readonly object: {
    readonly kind: string;
    readonly code?: number;
    readonly metadata: {
      readonly name?: string;
      readonly resourceVersion: string;
      readonly annotations?: Record<string, string>;
    };
    readonly rows?: readonly { readonly cells: readonly unknown[] }[];
    readonly columnDefinitions?: unknown;
  };
}

const watch = async (server: TestServer, path: string, headers: Record<string, string> = {}) => {
  const lines = await openLines({ ...server.connection(), method: 'GET', path, headers });
  const next = async (): Promise<Event> => (await lines.next()) as Event;
  return { ...lines, next };
};

const nameOf = ({ type, object }: Event): string => `${type} ${object.metadata.name}`;

test('watches deliver changes from a revision, in order, as selected', async (t) => {
  const server = await startTestServer(t);
  const { call, store } = server;
  const from = store.revision();
  const all = await watch(server, `${here}/configmaps?watch=true&resourceVersion=${from}`);
  const red = await watch(
    server,
    `${here}/configmaps?watch=1&resourceVersion=${from}&labelSelector=colour%3Dred`,
  );
  const one = await watch(
    server,
    `${here}/configmaps?watch=1&resourceVersion=${from}&fieldSelector=metadata.name%3Db`,
  );
  t.after(() => {
    for (const each of [all, red, one]) each.close();
  });
  await call('POST', `${here}/configmaps`, { body: configMap('a', {}, { labels: { colour: 'red' } }) });
  await call('POST', `${here}/configmaps`, { body: configMap('b') });
  const label = (name: string, colour: string) =>
    call('PATCH', `${here}/configmaps/${name}`, {
      body: { metadata: { labels: { colour } } },
      headers: { 'content-type': 'application/merge-patch+json' },
    });
  await label('a', 'blue');
  await label('b', 'red');
  await call('DELETE', `${here}/configmaps/b`);
  const take = async (from: { next(): Promise<Event> }, count: number): Promise<string[]> => {
    const taken: string[] = [];
    for (let i = 0; i < count; i++) taken.push(nameOf(await from.next()));
    return taken;
  };
  assert.deepEqual(await take(all, 5), ['ADDED a', 'ADDED b', 'MODIFIED a', 'MODIFIED b', 'DELETED b']);
  assert.deepEqual(await take(red, 4), ['ADDED a', 'DELETED a', 'ADDED b', 'DELETED b']);
  assert.deepEqual(await take(one, 3), ['ADDED b', 'MODIFIED b', 'DELETED b']);
});

test('watches begin with what is there when asked without a revision, and end in time', async (t) => {
  const server = await startTestServer(t);
  await server.call('POST', `${here}/configmaps`, { body: configMap('a') });
  const lines = await watch(server, `${here}/configmaps?watch=1&timeoutSeconds=1`);
  assert.equal(nameOf(await lines.next()), 'ADDED a');
  assert.equal(await lines.next(), undefined, 'ends after its time');
  const zero = await watch(server, `${here}/configmaps?watch=1&resourceVersion=0&timeoutSeconds=1`);
  assert.equal(nameOf(await zero.next()), 'ADDED a');
  zero.close();
});

test('streaming lists end their first part with an annotated bookmark', async (t) => {
  const server = await startTestServer(t);
  await server.call('POST', `${here}/configmaps`, { body: configMap('a') });
  const lines = await watch(
    server,
    `${here}/configmaps?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
  );
  t.after(() => lines.close());
  assert.equal(nameOf(await lines.next()), 'ADDED a');
  const bookmark = await lines.next();
  assert.equal(bookmark.type, 'BOOKMARK');
  assert.equal(bookmark.object.metadata.annotations?.['k8s.io/initial-events-end'], 'true');
  assert.equal(bookmark.object.metadata.resourceVersion, String(server.store.revision()));
  await server.call('POST', `${here}/configmaps`, { body: configMap('b') });
  assert.equal(nameOf(await lines.next()), 'ADDED b');
  const wrong = await server.call('GET', `${here}/configmaps?watch=1&sendInitialEvents=true`);
  assert.ok(wrong.status === 400 || wrong.status === 422, wrong.text);
});

test('watches from a forgotten revision are told so in the stream', async (t) => {
  const server = await startTestServer(t);
  const from = server.store.revision();
  await server.call('POST', `${here}/configmaps`, { body: configMap('a') });
  await server.call('POST', `${here}/configmaps`, { body: configMap('b') });
  server.store.compact(server.store.revision());
  const lines = await watch(server, `${here}/configmaps?watch=1&resourceVersion=${from}`);
  const event = await lines.next();
  assert.equal(event.type, 'ERROR');
  assert.equal(event.object.code, 410);
  assert.equal(await lines.next(), undefined);
});

test('watches show Tables, naming their columns once', async (t) => {
  const server = await startTestServer(t);
  const lines = await watch(server, `${here}/configmaps?watch=1&resourceVersion=${server.store.revision()}`, {
    accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
  });
  t.after(() => lines.close());
  await server.call('POST', `${here}/configmaps`, { body: configMap('a') });
  await server.call('POST', `${here}/configmaps`, { body: configMap('b') });
  const [first, second] = [await lines.next(), await lines.next()];
  assert.equal(first.object.kind, 'Table');
  assert.equal(first.object.rows?.[0]?.cells[0], 'a');
  assert.ok(Array.isArray(first.object.columnDefinitions));
  assert.equal(second.object.columnDefinitions, null);
});

test('a watcher that does not read is let go, and harms nobody', { timeout: 120_000 }, async (t) => {
  const server = await startTestServer(t);
  const { ca, cert, key } = server.connection();
  const slow = connect({ ca, cert, key, host: '127.0.0.1', port: server.server.port });
  t.after(() => slow.destroy());
  slow.on('error', () => {});
  await new Promise<void>((resolve) => slow.once('secureConnect', () => resolve()));
  slow.pause();
  slow.write(`GET ${here}/configmaps?watch=1&resourceVersion=1 HTTP/1.1\r\nHost: x\r\n\r\n`);
  const quick = await watch(server, `${here}/configmaps?watch=1&resourceVersion=1`);
  t.after(() => quick.close());
  const text = 'x'.repeat(900_000);
  for (let i = 0; i < 40; i++) {
    const made = await server.call('POST', `${here}/configmaps`, { body: configMap(`big-${i}`, { text }) });
    assert.equal(made.status, 201);
    assert.equal(nameOf(await quick.next()), `ADDED big-${i}`);
  }
  const read = await new Promise<number>((resolve) => {
    let bytes = 0;
    slow.on('data', (part: Buffer) => {
      bytes += part.length;
    });
    slow.on('close', () => resolve(bytes));
    slow.resume();
  });
  assert.ok(read < 40 * 900_000, `${read} bytes were kept for it`);
});
