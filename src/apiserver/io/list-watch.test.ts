import assert from 'node:assert/strict';
import { request as httpsRequest } from 'node:https';
import { type TestContext, test } from 'node:test';
import { connect } from 'node:tls';
import { gunzipSync } from 'node:zlib';
import { decodeProtobuf, type KubeObject, protobufMediaType } from '../../api/index.ts';
import { SeededRandom } from '../../lib/index.ts';
import { configMap, here, pod } from './test-objects.ts';
import { openLines, startTestServer, type TestServer } from './test-server.ts';

type Event = {
  readonly type: string;
  readonly object: KubeObject & {
    readonly code?: number;
    readonly reason?: string;
    readonly message?: string;
  };
};

test('lists and watches refuse options that do not go together, in the words of Kubernetes', async (t) => {
  const { call } = await startTestServer(t);
  const first = await call('POST', `${here}/configmaps`, { body: configMap('a') });
  await call('POST', `${here}/configmaps`, { body: configMap('b') });
  const page = await call('GET', `${here}/configmaps?limit=1`);
  const token = encodeURIComponent(page.body.metadata.continue);
  const match =
    'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch';
  const cases: readonly (readonly [string, number, string])[] = [
    ['resourceVersionMatch=Exact', 422, `${match} is forbidden unless resourceVersion is provided`],
    [
      'resourceVersionMatch=Exact&resourceVersion=0',
      422,
      `${match} "exact" is forbidden for resourceVersion "0"`,
    ],
    [
      `resourceVersionMatch=NotOlderThan&resourceVersion=1&continue=${token}`,
      422,
      `${match} is forbidden when continue is provided`,
    ],
    [
      'resourceVersionMatch=Newer&resourceVersion=1',
      422,
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Unsupported value: "Newer": supported values: "Exact", "NotOlderThan", ""',
    ],
    [
      'sendInitialEvents=true',
      422,
      'ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list',
    ],
    [
      'watch=1&sendInitialEvents=true',
      422,
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
    ],
    [
      'watch=1&resourceVersionMatch=NotOlderThan&resourceVersion=1',
      422,
      `${match} is forbidden for watch unless sendInitialEvents is provided`,
    ],
    [
      `limit=1&resourceVersion=${first.body.metadata.resourceVersion}&continue=${token}`,
      400,
      'specifying resource version is not allowed when using continue',
    ],
  ];
  for (const [query, status, message] of cases) {
    const answer = await call('GET', `${here}/configmaps?${query}`);
    assert.equal(answer.status, status, query);
    assert.equal(answer.body.message, message, query);
  }
  const yaml = await call('GET', `${here}/configmaps?watch=1`, { headers: { accept: 'application/yaml' } });
  assert.equal(yaml.status, 406);
});

test('the old paths of watches are served', async (t) => {
  const server = await startTestServer(t);
  const { body } = await server.call('POST', `${here}/configmaps`, { body: configMap('a') });
  const from = Number(body.metadata.resourceVersion) - 1;
  await server.call('POST', `${here}/configmaps`, { body: configMap('b') });
  for (const [path, name] of [
    ['/api/v1/watch/configmaps', 'a'],
    ['/api/v1/watch/namespaces/default/configmaps', 'a'],
    ['/api/v1/watch/namespaces/default/configmaps/b', 'b'],
  ] as const) {
    const lines = await openLines({ ...server.connection(), path: `${path}?resourceVersion=${from}` });
    t.after(() => lines.close());
    const { type, object } = (await lines.next()) as Event;
    assert.deepEqual([type, object.metadata.name], ['ADDED', name]);
  }
  const wrong = await server.call('DELETE', '/api/v1/watch/namespaces/default/configmaps/b');
  assert.equal(wrong.status, 405);
});

test('what is too old says how to go on, what is too new how long to wait', async (t) => {
  const { call, store, connection } = await startTestServer(t);
  for (const name of ['a', 'b', 'c', 'd'])
    await call('POST', `${here}/configmaps`, { body: configMap(name) });
  const from = store.revision();
  const page = await call('GET', `${here}/configmaps?limit=2`);
  await call('DELETE', `${here}/configmaps/c`);
  await call('POST', `${here}/configmaps`, { body: configMap('e') });
  store.compact(store.revision());
  const old = await call(
    'GET',
    `${here}/configmaps?limit=2&continue=${encodeURIComponent(page.body.metadata.continue)}`,
  );
  assert.equal(old.status, 410);
  assert.equal(old.body.reason, 'Expired');
  assert.match(
    old.body.message,
    /^The provided continue parameter is too old .* or use the continue token in this response/,
  );
  const rest = await call(
    'GET',
    `${here}/configmaps?limit=5&continue=${encodeURIComponent(old.body.metadata.continue)}`,
  );
  assert.equal(rest.status, 200);
  assert.deepEqual(
    rest.body.items.map((one: KubeObject) => one.metadata.name),
    ['d', 'e'],
    'inconsistent, from where it stopped',
  );
  const exact = await call('GET', `${here}/configmaps?resourceVersion=${from}&resourceVersionMatch=Exact`);
  assert.deepEqual(
    [exact.status, exact.body.reason, exact.body.message],
    [410, 'Expired', 'The resourceVersion for the provided list is too old.'],
  );
  const lines = await openLines({
    ...connection(),
    path: `${here}/configmaps?watch=1&resourceVersion=${from}`,
  });
  const { type, object } = (await lines.next()) as Event;
  assert.deepEqual([type, object.code, object.reason], ['ERROR', 410, 'Expired']);
  assert.equal(object.message, `too old resource version: ${from} (${store.stats().compactedRevision})`);
  const future = await call('GET', `${here}/configmaps?resourceVersion=99999`);
  assert.equal(future.status, 504);
  assert.equal(future.headers['retry-after'], '1');
  assert.match(future.body.message, /^Timeout: Too large resource version: 99999, current: \d+$/);
  assert.deepEqual(future.body.details, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });
});

const bound = (name: string, node: string) => pod(name, { nodeName: node });

test('pods of a node: from the index as from a look at all, through changes (seeded)', async (t) => {
  const { api, store } = await startTestServer(t);
  const client = api.client();
  const random = new SeededRandom(3);
  const nodes = ['', 'n1', 'n2', 'n3'];
  const pods = { group: '', version: 'v1', resource: 'pods', namespaced: true };
  const seen = new Map<string, string>();
  const start = await client.list(pods, { fieldSelector: 'spec.nodeName=n2' });
  const watch = client.watch(
    pods,
    { fieldSelector: 'spec.nodeName=n2', resourceVersion: start.resourceVersion },
    {
      onEvent: (event) => {
        if (event.type === 'BOOKMARK') return;
        const { namespace, name } = event.object.metadata;
        const key = `${namespace}/${name}`;
        assert.equal(seen.has(key), event.type !== 'ADDED', `${event.type} ${key}`);
        if (event.type === 'DELETED') seen.delete(key);
        else seen.set(key, event.object.metadata.resourceVersion ?? '');
      },
      onEnd: () => {},
    },
  );
  t.after(() => watch.cancel());
  const names = Array.from({ length: 12 }, (_, index) => `p${index}`);
  for (let i = 0; i < 300; i++) {
    const key = `pods/default/${names[random.integer(names.length)]}`;
    const [, , name] = key.split('/');
    const node = nodes[random.integer(nodes.length)];
    const encode = (revision: number): Buffer =>
      Buffer.from(
        JSON.stringify({
          ...bound(name ?? '', node ?? ''),
          metadata: { name, namespace: 'default', resourceVersion: String(revision) },
        }),
      );
    await store.transact([random.integer(4) === 0 ? { kind: 'delete', key } : { kind: 'put', key, encode }]);
    if (i % 20 !== 0) continue;
    for (const selector of ['spec.nodeName=n2', 'spec.nodeName=n2,metadata.name!=p3', 'spec.nodeName=']) {
      const all = await client.list<KubeObject & { spec: { nodeName?: string } }>(pods);
      const wanted = all.items.filter(
        ({ metadata, spec }) =>
          (spec.nodeName ?? '') === (selector.endsWith('=') ? '' : 'n2') &&
          !(selector.includes('!=') && metadata.name === 'p3'),
      );
      const found = await client.list(pods, { fieldSelector: selector });
      assert.deepEqual(found.items, wanted, selector);
      assert.equal(found.resourceVersion, all.resourceVersion);
    }
    const here = await client.list(pods, { fieldSelector: 'spec.nodeName=n2' });
    assert.deepEqual(
      [...seen].sort(),
      here.items
        .map(({ metadata }) => [`${metadata.namespace}/${metadata.name}`, metadata.resourceVersion])
        .sort(),
    );
  }
  const page = await client.list(pods, { fieldSelector: 'spec.nodeName=n1', limit: 1 });
  assert.equal(page.items.length, 1);
  if (page.continue !== undefined) {
    const next = await client.list(pods, {
      fieldSelector: 'spec.nodeName=n1',
      continue: page.continue,
      limit: 50,
    });
    const all = await client.list(pods, { fieldSelector: 'spec.nodeName=n1' });
    assert.deepEqual([...page.items, ...next.items], all.items);
  }
});

test('a watch of a node begins in the past where it is asked to', async (t) => {
  const server = await startTestServer(t);
  const from = server.store.revision();
  const at = (name: string, node: string) =>
    server.store.transact([
      {
        kind: 'put',
        key: `pods/default/${name}`,
        encode: (revision) =>
          Buffer.from(
            JSON.stringify({
              ...bound(name, node),
              metadata: { name, namespace: 'default', resourceVersion: String(revision) },
            }),
          ),
      },
    ]);
  await at('a', 'n1');
  await at('b', 'n2');
  await at('a', 'n2');
  const lines = await openLines({
    ...server.connection(),
    path: `/api/v1/pods?watch=1&resourceVersion=${from}&fieldSelector=spec.nodeName%3Dn1`,
  });
  t.after(() => lines.close());
  await at('c', 'n2');
  await at('d', 'n1');
  const told: string[] = [];
  for (let i = 0; i < 3; i++) {
    const { type, object } = (await lines.next()) as Event;
    told.push(`${type} ${object.metadata.name}`);
  }
  assert.deepEqual(told, ['ADDED a', 'DELETED a', 'ADDED d']);
});

/** Frames of a protobuf watch. */
function openFrames(server: TestServer, path: string, t: TestContext): Promise<() => Promise<Event>> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest(
      { ...server.connection(), path, headers: { accept: protobufMediaType } },
      (response) => {
        assert.equal(response.headers['content-type'], `${protobufMediaType};stream=watch`);
        let rest = Buffer.alloc(0);
        const events: Event[] = [];
        const waiting: ((event: Event) => void)[] = [];
        response.on('data', (chunk: Buffer) => {
          rest = Buffer.concat([rest, chunk]);
          while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE()) {
            const frame = rest.subarray(4, 4 + rest.readUInt32BE());
            rest = rest.subarray(4 + frame.length);
            const event = readFrame(frame);
            const next = waiting.shift();
            if (next === undefined) events.push(event);
            else next(event);
          }
        });
        resolve(() => {
          const first = events.shift();
          return first === undefined ? new Promise((done) => waiting.push(done)) : Promise.resolve(first);
        });
      },
    );
    request.on('error', (error) => reject(error));
    request.end();
    t.after(() => request.destroy());
  });
}

/** WatchEvent { 1: type, 2: RawExtension { 1: raw } } */
function readFrame(frame: Buffer): Event {
  const fields = (bytes: Buffer): Map<number, Buffer> => {
    const found = new Map<number, Buffer>();
    for (let at = 0; at < bytes.length; ) {
      const number = (bytes[at++] as number) >> 3;
      let length = 0;
      for (let shift = 0; ; shift += 7) {
        const byte = bytes[at++] as number;
        length += (byte & 127) * 2 ** shift;
        if (byte < 128) break;
      }
      found.set(number, bytes.subarray(at, at + length));
      at += length;
    }
    return found;
  };
  const event = fields(frame);
  const raw = fields(event.get(2) as Buffer).get(1) as Buffer;
  return { type: event.get(1)?.toString() ?? '', object: decodeProtobuf(raw) as unknown as Event['object'] };
}

test('watches speak protobuf', async (t) => {
  const server = await startTestServer(t);
  await server.call('POST', `${here}/configmaps`, { body: configMap('a', { text: 'ä'.repeat(300) }) });
  const next = await openFrames(
    server,
    `${here}/configmaps?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
    t,
  );
  const { body } = await server.call('GET', `${here}/configmaps/a`);
  assert.deepEqual(await next(), { type: 'ADDED', object: body });
  const bookmark = await next();
  assert.equal(bookmark.type, 'BOOKMARK');
  assert.equal(bookmark.object.kind, 'ConfigMap');
  assert.equal(bookmark.object.metadata.annotations?.['k8s.io/initial-events-end'], 'true');
  await server.call('DELETE', `${here}/configmaps/a`);
  const gone = await next();
  assert.equal(gone.type, 'DELETED');
  assert.equal(gone.object.metadata.name, 'a');
  const from = body.metadata.resourceVersion as string;
  server.store.compact(server.store.revision());
  const old = await openFrames(server, `${here}/configmaps?watch=1&resourceVersion=${from}`, t);
  const error = await old();
  assert.deepEqual([error.type, error.object.kind, error.object.code], ['ERROR', 'Status', 410]);
});

test('big answers are compressed for who accepts that, small ones for nobody', async (t) => {
  const { call, connection } = await startTestServer(t);
  for (let i = 0; i < 3; i++)
    await call('POST', `${here}/configmaps`, { body: configMap(`c${i}`, { text: 'x'.repeat(60_000) }) });
  const ask = (path: string, encoding: string): Promise<{ encoding: string | undefined; bytes: Buffer }> =>
    new Promise((resolve, reject) => {
      const headers = { 'accept-encoding': encoding };
      const request = httpsRequest({ ...connection(), path, headers, agent: false }, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () =>
          resolve({ encoding: response.headers['content-encoding'], bytes: Buffer.concat(parts) }),
        );
      });
      request.on('error', reject);
      request.end();
    });
  const packed = await ask(`${here}/configmaps`, 'deflate, gzip;q=0.8');
  assert.equal(packed.encoding, 'gzip');
  assert.ok(packed.bytes.length < 10_000);
  assert.equal(JSON.parse(gunzipSync(packed.bytes).toString()).items.length, 3);
  for (const header of ['gzip;q=0', 'br', 'xgzip'])
    assert.equal((await ask(`${here}/configmaps`, header)).encoding, undefined, header);
  assert.equal((await ask(`${here}/configmaps/c1`, 'gzip')).encoding, undefined, 'small');
});

test('what is there at the start is not made faster than the client reads', async (t) => {
  const server = await startTestServer(t);
  const text = 'x'.repeat(20_000);
  for (let i = 0; i < 2000; i++) {
    const key = `configmaps/default/c${i}`;
    await server.store.transact([
      {
        kind: 'put',
        key,
        encode: (revision) =>
          Buffer.from(
            JSON.stringify({
              kind: 'ConfigMap',
              apiVersion: 'v1',
              metadata: { name: `c${i}`, namespace: 'default', resourceVersion: String(revision) },
              data: { text },
            }),
          ),
      },
    ]);
  }
  const { ca, cert, key } = server.connection();
  const slow = connect({ ca, cert, key, host: '127.0.0.1', port: server.server.port });
  t.after(() => slow.destroy());
  await new Promise<void>((resolve) => slow.once('secureConnect', () => resolve()));
  slow.pause();
  slow.write(`GET ${here}/configmaps?watch=1 HTTP/1.1\r\nHost: x\r\n\r\n`);
  // Forty megabytes are there; those that wait for this client are counted by what has been sent.
  const sent = async (): Promise<number> => {
    const { text: metrics } = await server.call('GET', '/metrics');
    return Number(/^apiserver_watch_events_total{.*resource="configmaps"} (\d+)$/m.exec(metrics)?.[1] ?? 0);
  };
  let before = -1;
  for (let i = 0; i < 500; i++) {
    const now = await sent();
    if (now > 0 && now === before) break;
    before = now;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.ok(before > 0 && before < 2000, `${before} of 2000`);
  let read = 0;
  await new Promise<void>((resolve) => {
    slow.on('data', (part: Buffer) => {
      read += part.length;
      if (read > 2000 * 20_000) resolve();
    });
    slow.resume();
  });
  assert.equal(await sent(), 2000);
});
