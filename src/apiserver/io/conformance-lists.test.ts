/** Kubernetes' conformance tests of lists in pages, watches, and the objects of flow control, against the server itself. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../../api/index.ts';
import { configMap, here } from './test-objects.ts';
import { openLines, startTestServer, type TestServer } from './test-server.ts';

type Event = { readonly type: string; readonly object: KubeObject };
const flows = '/apis/flowcontrol.apiserver.k8s.io/v1';

const podTemplate = (name: string): object => ({
  metadata: { name },
  template: {
    metadata: { labels: { app: 'x' } },
    spec: { containers: [{ name: 'c', image: 'i' }] },
  },
});

interface Page {
  readonly names: readonly string[];
  readonly remaining: number | undefined;
  readonly revision: string;
  readonly token: string | undefined;
}

async function pageOf({ call }: TestServer, token?: string, limit = 17): Promise<Page> {
  const next = token === undefined ? '' : `&continue=${encodeURIComponent(token)}`;
  const { status, body, text } = await call('GET', `${here}/podtemplates?limit=${limit}${next}`);
  assert.equal(status, 200, text);
  return {
    names: body.items.map(({ metadata }: KubeObject) => metadata.name),
    remaining: body.metadata.remainingItemCount,
    revision: body.metadata.resourceVersion,
    token: body.metadata.continue,
  };
}

const templates = Array.from({ length: 60 }, (_, index) => `template-${String(index).padStart(4, '0')}`);

async function withTemplates(server: TestServer): Promise<void> {
  await Promise.all(
    templates.map((name) => server.call('POST', `${here}/podtemplates`, { body: podTemplate(name) })),
  );
}

// conformance: [sig-api-machinery] Servers with support for API chunking should return chunks of results for list calls
test('lists come in pages of one revision', async (t) => {
  const server = await startTestServer(t);
  await withTemplates(server);
  const names: string[] = [];
  const first = await pageOf(server);
  for (let page: Page | undefined = first; page !== undefined; ) {
    assert.ok(page.names.length <= 17);
    names.push(...page.names);
    assert.equal(page.revision, first.revision);
    const left = templates.length - names.length;
    assert.equal(page.remaining, left === 0 ? undefined : left);
    assert.equal(page.token === undefined, left === 0);
    page = page.token === undefined ? undefined : await pageOf(server, page.token);
  }
  assert.deepEqual(names, templates);
  const all = await server.call('GET', `${here}/podtemplates`);
  assert.deepEqual(
    all.body.items.map(({ metadata }: KubeObject) => metadata.name),
    templates,
  );
});

// conformance: [sig-api-machinery] Servers with support for API chunking should support continue listing from the last key if the original version has been compacted away, though the list is inconsistent [Slow]
test('a list whose revision is forgotten can be gone on with', async (t) => {
  const server = await startTestServer(t);
  await withTemplates(server);
  const first = await pageOf(server);
  await server.call('DELETE', `${here}/podtemplates/${templates[30]}`);
  server.store.compact(server.store.revision());
  const refused = await server.call(
    'GET',
    `${here}/podtemplates?limit=17&continue=${encodeURIComponent(first.token ?? '')}`,
  );
  assert.equal(refused.status, 410);
  const token = refused.body.metadata.continue as string;
  assert.notEqual(token, first.token);
  const second = await pageOf(server, token);
  assert.equal(second.names.length, 17);
  assert.notEqual(second.revision, first.revision);
  const names = [...first.names, ...second.names];
  for (let page = second; page.token !== undefined; ) {
    assert.equal(page.remaining, templates.length - 1 - names.length);
    page = await pageOf(server, page.token);
    assert.equal(page.revision, second.revision);
    names.push(...page.names);
  }
  assert.deepEqual(
    names,
    templates.filter((_, index) => index !== 30),
  );
});

async function watching(server: TestServer, query: string) {
  const lines = await openLines({ ...server.connection(), path: `${here}/configmaps?watch=1&${query}` });
  const next = async (): Promise<Event> => (await lines.next()) as Event;
  return { next, close: lines.close, told: async () => textOf(await next()) };
}

const textOf = ({ type, object }: Event): string =>
  `${type} ${object.metadata.name} ${(object as { data?: { mutation?: string } }).data?.mutation ?? '-'}`;
const labelled = (name: string, label: string, mutation = '0'): object =>
  configMap(name, { mutation }, { labels: { watch: label } });

// conformance: [sig-api-machinery] Watchers should observe add, update, and delete watch notifications on configmaps
test('watchers by label are told of what is theirs', async (t) => {
  const server = await startTestServer(t);
  const { call, store } = server;
  const from = `resourceVersion=${store.revision()}`;
  const [a, b, both] = await Promise.all([
    watching(server, `${from}&labelSelector=watch%3Da`),
    watching(server, `${from}&labelSelector=watch%3Db`),
    watching(server, `${from}&labelSelector=${encodeURIComponent('watch in (a,b)')}`),
  ]);
  t.after(() => [a, b, both].map((one) => one.close()));
  const put = (name: string, label: string, mutation: string) =>
    call('PUT', `${here}/configmaps/${name}`, { body: labelled(name, label, mutation) });
  await call('POST', `${here}/configmaps`, { body: labelled('of-a', 'a') });
  await put('of-a', 'a', '1');
  await put('of-a', 'a', '2');
  await call('DELETE', `${here}/configmaps/of-a`);
  await call('POST', `${here}/configmaps`, { body: labelled('of-b', 'b') });
  await call('DELETE', `${here}/configmaps/of-b`);
  const ofA = ['ADDED of-a 0', 'MODIFIED of-a 1', 'MODIFIED of-a 2', 'DELETED of-a 2'];
  const ofB = ['ADDED of-b 0', 'DELETED of-b 0'];
  for (const text of ofA) assert.equal(await a.told(), text);
  for (const text of ofB) assert.equal(await b.told(), text);
  for (const text of [...ofA, ...ofB]) assert.equal(await both.told(), text);
});

// conformance: [sig-api-machinery] Watchers should be able to start watching from a specific resource version
// conformance: [sig-api-machinery] Watchers should be able to restart watching from the last resource version observed by the previous watch
test('a watch begins after the revision that it names, and goes on where another ended', async (t) => {
  const server = await startTestServer(t);
  const { call } = server;
  await call('POST', `${here}/configmaps`, { body: labelled('m', 'x') });
  const put = (mutation: string) =>
    call('PUT', `${here}/configmaps/m`, { body: labelled('m', 'x', mutation) });
  const first = await put('1');
  await put('2');
  await call('DELETE', `${here}/configmaps/m`);
  const watch = await watching(server, `resourceVersion=${first.body.metadata.resourceVersion}`);
  const second = await watch.next();
  assert.equal(textOf(second), 'MODIFIED m 2');
  watch.close();
  const again = await watching(server, `resourceVersion=${second.object.metadata.resourceVersion}`);
  t.after(() => again.close());
  assert.equal(await again.told(), 'DELETED m 2');
});

// conformance: [sig-api-machinery] Watchers should observe an object deletion if it stops meeting the requirements of the selector
test('what leaves a selection is deleted for who watches it', async (t) => {
  const server = await startTestServer(t);
  const { call, store } = server;
  const watch = await watching(server, `resourceVersion=${store.revision()}&labelSelector=watch%3Dmine`);
  t.after(() => watch.close());
  const put = (label: string, mutation: string) =>
    call('PUT', `${here}/configmaps/m`, { body: labelled('m', label, mutation) });
  await call('POST', `${here}/configmaps`, { body: labelled('m', 'mine') });
  await put('mine', '1');
  await put('theirs', '1');
  await put('theirs', '2');
  await put('mine', '2');
  await put('mine', '3');
  await call('DELETE', `${here}/configmaps/m`);
  // Of what left, the state in which it was last seen, or in which it left: clients look at neither.
  const told: string[] = [];
  for (let i = 0; i < 6; i++) told.push((await watch.told()).split(' ')[0] ?? '');
  assert.deepEqual(told, ['ADDED', 'MODIFIED', 'DELETED', 'ADDED', 'MODIFIED', 'DELETED']);
});

// conformance: [sig-api-machinery] Watchers should receive events on concurrent watches in same order
test('watches that begin at different revisions tell the same from there on', async (t) => {
  const server = await startTestServer(t);
  const { call, store } = server;
  const first = await watching(server, `resourceVersion=${store.revision()}`);
  const others: Awaited<ReturnType<typeof watching>>[] = [];
  t.after(() => [first, ...others].map((one) => one.close()));
  const count = 40;
  const writing = (async () => {
    for (let i = 0; i < count; i++) {
      const name = `m${i % 7}`;
      const found = await call('GET', `${here}/configmaps/${name}`);
      if (found.status === 404)
        await call('POST', `${here}/configmaps`, { body: labelled(name, 'x', `${i}`) });
      else if (i % 3 === 0) await call('DELETE', `${here}/configmaps/${name}`);
      else await call('PUT', `${here}/configmaps/${name}`, { body: labelled(name, 'x', `${i}`) });
    }
  })();
  const revisions: (string | undefined)[] = [];
  for (let i = 0; i < count; i++) {
    const { object } = await first.next();
    revisions.push(object.metadata.resourceVersion);
    others.push(await watching(server, `resourceVersion=${object.metadata.resourceVersion}`));
  }
  await writing;
  for (const [index, other] of others.entries())
    for (const revision of revisions.slice(index + 1))
      assert.equal((await other.next()).object.metadata.resourceVersion, revision);
});

const rules = [
  {
    subjects: [{ kind: 'User', user: { name: 'eve' } }],
    nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
  },
];
const schema = (name: string): object => ({
  metadata: { name, labels: { special: 'yes' } },
  spec: { matchingPrecedence: 10_000, priorityLevelConfiguration: { name: 'global-default' }, rules },
});
const level = (name: string): object => ({
  metadata: { name, labels: { special: 'yes' } },
  spec: { type: 'Limited', limited: { nominalConcurrencyShares: 2, limitResponse: { type: 'Reject' } } },
});

// conformance: [sig-api-machinery] API priority and fairness should support FlowSchema API operations
// conformance: [sig-api-machinery] API priority and fairness should support PriorityLevelConfiguration API operations
test('the objects of flow control are in discovery and take every verb', async (t) => {
  const server = await startTestServer(t);
  const { call } = server;
  const groups = (await call('GET', '/apis')).body.groups as {
    name: string;
    versions: { version: string }[];
  }[];
  const group = groups.find(({ name }) => name === 'flowcontrol.apiserver.k8s.io');
  assert.ok(group?.versions.some(({ version }) => version === 'v1'));
  const resources = (await call('GET', flows)).body.resources.map(
    ({ name }: { name: string }) => name,
  ) as string[];
  for (const [plural, make, change] of [
    ['flowschemas', schema, { matchingPrecedence: 9000 }],
    ['prioritylevelconfigurations', level, { limited: { nominalConcurrencyShares: 4 } }],
  ] as const) {
    const at = `${flows}/${plural}`;
    assert.ok(resources.includes(plural) && resources.includes(`${plural}/status`));
    const made = await call('POST', at, { body: make('one') });
    assert.equal(made.status, 201, made.text);
    for (const name of ['two', 'three']) await call('POST', at, { body: make(name) });
    assert.equal((await call('GET', `${at}/one`)).body.metadata.uid, made.body.metadata.uid);
    const lines = await openLines({
      ...server.connection(),
      path: `${at}?watch=1&labelSelector=special%3Dyes&resourceVersion=${server.store.revision()}`,
    });
    t.after(() => lines.close());
    const merge = { 'content-type': 'application/merge-patch+json' };
    const patched = await call('PATCH', `${at}/one`, { body: { spec: change }, headers: merge });
    assert.equal(patched.status, 200, patched.text);
    const body = { ...patched.body, metadata: { ...patched.body.metadata, annotations: { updated: 'yes' } } };
    assert.equal((await call('PUT', `${at}/one`, { body })).body.metadata.annotations.updated, 'yes');
    for (const expected of ['MODIFIED', 'MODIFIED'])
      assert.equal(((await lines.next()) as Event).type, expected);
    const condition = {
      type: plural === 'flowschemas' ? 'Dangling' : 'Concerning',
      status: 'False',
      reason: 'Test',
      message: 'by a test',
    };
    const status = await call('PATCH', `${at}/one/status`, {
      body: { status: { conditions: [condition] } },
      headers: merge,
    });
    assert.equal(status.status, 200, status.text);
    assert.equal(status.body.status.conditions[0].reason, 'Test');
    assert.equal((await call('GET', `${at}/one/status`)).status, 200);
    assert.equal((await call('DELETE', `${at}/one`)).status, 200);
    assert.equal((await call('GET', `${at}/one`)).status, 404);
    assert.equal((await call('DELETE', `${at}?labelSelector=special%3Dyes`)).status, 200);
    assert.equal((await call('GET', `${at}?labelSelector=special%3Dyes`)).body.items.length, 0);
  }
});
