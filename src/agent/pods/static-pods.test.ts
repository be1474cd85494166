/** Pods of files: they run whatever becomes of their mirrors, and go with their files. A real one: `scenarios/static-pods.test.ts`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node, Pod } from '../../api/index.ts';
import { nodesRef, podsRef } from '../objects.ts';
import { type StaticManifest, staticPodOf } from './static-pods.ts';
import { createWorld } from './test-world.ts';

type World = Awaited<ReturnType<typeof createWorld>>;

const manifest = (hash: string, change: Partial<NonNullable<Pod['spec']>> = {}): StaticManifest => ({
  file: '/etc/pods/web.yaml',
  hash: hash.repeat(64),
  object: {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', labels: { app: 'web' } },
    spec: { containers: [{ name: 'c', image: 'host.local/busybox' }], ...change },
  },
});

async function begin(...manifests: StaticManifest[]): Promise<World> {
  const world = await createWorld();
  const node: Node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } };
  await world.client.create(nodesRef, node);
  world.manifests = manifests;
  await world.restart();
  return world;
}

const mirror = (world: World): Pod | undefined => world.pod('web-n1');
const running = (world: World) =>
  [...world.host.containers.values()].filter(({ state }) => state === 'running');
const isShown = (world: World) => (): boolean =>
  mirror(world)?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ===
  true;

test('a pod of a file runs, and is shown', async () => {
  const world = await begin(manifest('a'));
  await world.until('shown', isShown(world));
  const { metadata, spec, status } = mirror(world) ?? {};
  assert.equal(metadata?.annotations?.['kubernetes.io/config.mirror'], 'a'.repeat(32));
  assert.equal(metadata?.annotations?.['kubernetes.io/config.source'], 'file');
  assert.deepEqual([metadata?.ownerReferences?.[0]?.kind, metadata?.namespace], ['Node', 'default']);
  assert.equal(spec?.nodeName, 'n1');
  assert.match(status?.podIP ?? '', /^10\.44\.0\./);
  assert.equal(running(world)[0]?.spec.podUid, 'a'.repeat(32));
  // Who asks by the mirror is answered for the pod.
  assert.equal(world.shell.findPod('default', 'web-n1')?.metadata.uid, 'a'.repeat(32));
  assert.ok(world.shell.worker(metadata?.uid ?? '') !== undefined);
});

test('its mirror is made anew when somebody deletes it; nothing else happens', async () => {
  const world = await begin(manifest('a'));
  await world.until('shown', isShown(world));
  const [before, uid] = [running(world)[0]?.id, mirror(world)?.metadata.uid];
  for (const gracePeriodSeconds of [0, 30]) {
    await world.client.delete(podsRef, 'default', 'web-n1', { gracePeriodSeconds });
    await world.until('another', () => mirror(world)?.metadata.uid !== uid && isShown(world)());
    assert.equal(running(world)[0]?.id, before);
  }
  assert.equal(mirror(world)?.status?.containerStatuses?.[0]?.restartCount, 0);
});

test('it is found again by the next agent, and its restarts are counted on', async () => {
  const world = await begin(manifest('a'));
  await world.until('shown', isShown(world));
  world.host.exit(running(world)[0]?.id ?? '', 1, world.clock.nowMs());
  await world.until('restarted', () => mirror(world)?.status?.containerStatuses?.[0]?.restartCount === 1);
  const before = running(world)[0]?.id;
  await world.restart();
  await world.clock.advance(1000);
  assert.equal(running(world)[0]?.id, before);
  assert.equal(mirror(world)?.status?.containerStatuses?.[0]?.restartCount, 1);
});

test('another text is another pod: the first ends, then the second begins', async () => {
  const world = await begin(manifest('a'));
  await world.until('shown', isShown(world));
  world.manifests = [manifest('b', { terminationGracePeriodSeconds: 1 })];
  await world.until('another', () => running(world)[0]?.spec.podUid === 'b'.repeat(32) && isShown(world)());
  assert.equal(running(world).length, 1);
  assert.equal(mirror(world)?.metadata.annotations?.['kubernetes.io/config.mirror'], 'b'.repeat(32));
  world.manifests = [];
  await world.until('gone', () => running(world).length === 0 && mirror(world) === undefined);
  await world.until('forgotten', () => [...world.shell.workers()].length === 0);
});

test('a file that went while no agent looked takes its pod and mirror along', async () => {
  const world = await begin(manifest('a'));
  await world.until('shown', isShown(world));
  world.kill();
  world.manifests = [];
  await world.restart();
  await world.until('gone', () => running(world).length === 0 && mirror(world) === undefined);
});

for (const [object, words] of [
  [undefined, /it holds no object/],
  [{ apiVersion: 'apps/v1', kind: 'Deployment' }, /is a apps\/v1 Deployment/],
  [{ apiVersion: 'v1', kind: 'Pod' }, /no valid name/],
  [{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'A_b' } }, /no valid name/],
  [{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' }, spec: {} }, /no containers/],
] as const)
  test(`staticPodOf() refuses ${JSON.stringify(object)}`, () => {
    assert.throws(() => staticPodOf({ file: '/f', hash: 'h', object }, 'n', 0), {
      code: 'invalid',
      message: words,
    });
  });
