import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../api/index.ts';
import { isError } from '../lib/index.ts';
import type { ResourceRef, WatchEvent } from './client.ts';
import { createFakeClient } from './fake-client.ts';
import { jsonPatch, mergePatch, strategicPatch } from './fake-patch.ts';
import { fieldMatcher, labelMatcher } from './selector.ts';

const pods: ResourceRef = { group: '', version: 'v1', resource: 'pods', namespaced: true };

interface Thing extends KubeObject {
  readonly spec?: { readonly nodeName?: string; readonly size?: number };
  readonly status?: { readonly phase?: string };
}

const pod = (name: string, rest: Partial<Thing> = {}): Thing => ({
  kind: 'Pod',
  spec: { size: 1 },
  ...rest,
  metadata: { name, namespace: 'a', labels: { app: name }, ...rest.metadata },
});

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
};

test('create(), update(), patch() keep versions, generation and status apart', async () => {
  const client = createFakeClient();
  const made = await client.create(pods, pod('x', { status: { phase: 'Running' } }));
  assert.equal(made.status, undefined);
  assert.equal(made.metadata.generation, 1);
  assert.ok(made.metadata.uid);
  await assert.rejects(client.create(pods, pod('x')), (error) => isError(error, 'alreadyExists'));
  const bigger = await client.update(pods, { ...made, spec: { size: 2 }, status: { phase: 'no' } });
  assert.equal(bigger.metadata.generation, 2);
  assert.equal(bigger.status, undefined);
  await assert.rejects(client.update(pods, made), (error) => isError(error, 'conflict'));
  const subresource = 'status';
  const shown = await client.patch<Thing>(
    pods,
    'a',
    'x',
    'merge',
    { spec: { size: 9 }, status: { phase: 'Up' } },
    { subresource },
  );
  assert.deepEqual([shown.spec?.size, shown.status?.phase, shown.metadata.generation], [2, 'Up', 2]);
  const same = await client.patch<Thing>(pods, 'a', 'x', 'merge', { spec: { size: 2 } });
  assert.equal(same.metadata.resourceVersion, shown.metadata.resourceVersion);
  assert.throws(() => {
    (same.metadata as { name: string }).name = 'y';
  }, TypeError);
});

test('delete() honours grace, finalizers and preconditions', async () => {
  const client = createFakeClient();
  client.seed(pods, pod('bound', { spec: { nodeName: 'n' } }), pod('free'));
  client.seed(pods, pod('held', { metadata: { name: 'held', finalizers: ['x/y'] } }));
  await client.delete(pods, 'a', 'bound');
  assert.ok(client.peek(pods, 'a/bound')?.metadata.deletionTimestamp);
  await client.delete(pods, 'a', 'bound', { gracePeriodSeconds: 0 });
  assert.equal(client.peek(pods, 'a/bound'), undefined);
  await assert.rejects(client.delete(pods, 'a', 'free', { preconditions: { uid: 'other' } }));
  await client.delete(pods, 'a', 'free');
  assert.equal(client.peek(pods, 'a/free'), undefined);
  await client.delete(pods, 'a', 'held');
  assert.ok(client.peek(pods, 'a/held')?.metadata.deletionTimestamp);
  await client.patch(pods, 'a', 'held', 'merge', { metadata: { finalizers: null } });
  assert.equal(client.peek(pods, 'a/held'), undefined);
});

test('list() pages consistently; watch() replays, filters and expires', async () => {
  const client = createFakeClient();
  client.seed(pods, pod('a'), pod('b'), pod('c'));
  const first = await client.list<Thing>(pods, { limit: 2 });
  client.seed(pods, pod('bb'));
  client.remove(pods, 'a/c');
  const second = await client.list<Thing>(pods, { limit: 2, continue: first.continue ?? '' });
  assert.deepEqual(
    second.items.map((item) => item.metadata.name),
    ['c'],
  );
  const seen: string[] = [];
  const describe = (event: WatchEvent<KubeObject>): string =>
    event.type === 'BOOKMARK' ? event.type : `${event.type} ${event.object.metadata.name}`;
  const ends: (Error | undefined)[] = [];
  const handler = {
    onEvent: (event: WatchEvent<KubeObject>) => void seen.push(describe(event)),
    onEnd: (error: Error | undefined) => void ends.push(error),
  };
  const { resourceVersion } = first;
  client.watch(pods, { resourceVersion, labelSelector: 'app in (bb, b)' }, handler);
  await settled();
  await client.patch(pods, 'a', 'b', 'merge', { metadata: { labels: { app: 'z' } } });
  assert.deepEqual(seen, ['ADDED bb', 'DELETED b']);
  client.compact();
  client.watch(pods, { resourceVersion }, handler);
  await settled();
  assert.ok(isError(ends[0], 'expired'));
  client.dropWatches();
  assert.deepEqual([ends.length, ends[1]], [2, undefined]);
});

test('createSubresource() binds once; intercept makes errors', async () => {
  const client = createFakeClient();
  client.seed(pods, pod('x'));
  const binding = { metadata: { name: 'x' }, target: { name: 'node-1' } } as KubeObject;
  await client.createSubresource(pods, 'a', 'x', 'binding', binding);
  assert.equal(client.peek<Thing>(pods, 'a/x')?.spec?.nodeName, 'node-1');
  await assert.rejects(client.createSubresource(pods, 'a', 'x', 'binding', binding), (error) =>
    isError(error, 'conflict'),
  );
  client.intercept = (request) => (request.verb === 'get' ? new Error('lost') : undefined);
  await assert.rejects(client.get(pods, 'a', 'x'), /lost/);
});

test('patches change trees as their RFCs and strategic merge say', () => {
  assert.deepEqual(mergePatch({ a: 1, b: { c: 2 }, d: [1] }, { a: null, b: { e: 3 }, d: [2] }), {
    b: { c: 2, e: 3 },
    d: [2],
  });
  const conditions = [
    { type: 'Ready', status: 'True' },
    { type: 'Old', status: 'True' },
  ];
  assert.deepEqual(
    strategicPatch(
      { conditions },
      {
        conditions: [{ type: 'Ready', status: 'False' }, { type: 'Old', $patch: 'delete' }, { type: 'New' }],
      },
    ),
    { conditions: [{ type: 'Ready', status: 'False' }, { type: 'New' }] },
  );
  assert.deepEqual(
    jsonPatch({ a: [1, 2], b: { 'x/y': 1 } }, [
      { op: 'add', path: '/a/-', value: 3 },
      { op: 'remove', path: '/a/0' },
      { op: 'replace', path: '/b/x~1y', value: 2 },
      { op: 'move', from: '/a', path: '/c' },
      { op: 'test', path: '/c/0', value: 2 },
    ]),
    { b: { 'x/y': 2 }, c: [2, 3] },
  );
  assert.throws(() => jsonPatch({}, [{ op: 'remove', path: '/nope' }]), /remove "\/nope" failed/);
});

test('labelMatcher() and fieldMatcher() read selectors', () => {
  const labels = { app: 'web', tier: 'front' };
  const table: [string, boolean][] = [
    ['app=web', true],
    ['app==web,tier!=back', true],
    ['app in (api, web),!gone', true],
    ['app notin (web)', false],
    ['gone notin (web)', true],
    ['gone', false],
    ['tier', true],
  ];
  for (const [selector, expected] of table) assert.equal(labelMatcher(selector)(labels), expected, selector);
  assert.throws(() => labelMatcher('a b')(labels), /unable to parse requirement/);
  const object = pod('x', { spec: { nodeName: 'n' } });
  assert.equal(fieldMatcher('spec.nodeName=n,metadata.name!=y')(object), true);
  assert.equal(fieldMatcher('status.phase=Running')(object), false);
  assert.equal(fieldMatcher('status.phase=')(object), true);
});
