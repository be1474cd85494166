/** Owners and what they own, as Kubernetes' own tests of its collector have it; on the real API, in memory. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClusterRole, ConfigMap, Event, KubeObject, OwnerReference } from '../../api/index.ts';
import type { DeleteOptions } from '../../client/index.ts';
import { SeededRandom } from '../../lib/index.ts';
import { clusterRolesRef, configMapsRef, eventsRef, namespacesRef } from '../resources.ts';
import { type Cloud, cloud } from '../test-cloud.ts';

const owner = ({ apiVersion = '', kind = '', metadata }: KubeObject, more: object = {}): OwnerReference => ({
  apiVersion,
  kind,
  name: metadata.name ?? '',
  uid: metadata.uid ?? '',
  ...more,
});
const make = (
  one: Cloud,
  name: string,
  ownerReferences: readonly OwnerReference[] = [],
  metadata: object = {},
): Promise<ConfigMap> =>
  one.client.create<ConfigMap>(configMapsRef, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'default', ownerReferences, ...metadata },
  });
const remove = (one: Cloud, name: string, propagationPolicy?: DeleteOptions['propagationPolicy']) =>
  one.client.delete(
    configMapsRef,
    'default',
    name,
    propagationPolicy === undefined ? {} : { propagationPolicy },
  );
const isGone = (one: Cloud, name: string): Promise<boolean> => one.isGone(configMapsRef, 'default', name);
const find = (one: Cloud, name: string): Promise<ConfigMap> =>
  one.client.get<ConfigMap>(configMapsRef, 'default', name);
const blocking = { blockOwnerDeletion: true };

test('an owner that is deleted in the foreground waits for those that block, and for no others', async (t) => {
  const one = await cloud(t, 1);
  const first = await make(one, 'first');
  await make(one, 'blocks', [owner(first, blocking)], { finalizers: ['example.com/hold'] });
  await make(one, 'does-not', [owner(first)], { finalizers: ['example.com/hold'] });
  await one.run(500);
  await remove(one, 'first', 'Foreground');
  await one.run(5000);
  const { metadata } = await find(one, 'first');
  assert.deepEqual(metadata.finalizers, ['foregroundDeletion']);
  assert.ok(metadata.deletionTimestamp !== undefined);
  await one.client.patch(configMapsRef, 'default', 'blocks', 'merge', { metadata: { finalizers: null } });
  await one.until('gone', () => isGone(one, 'first'));
  assert.equal(await isGone(one, 'does-not'), false);
  await one.client.patch(configMapsRef, 'default', 'does-not', 'merge', { metadata: { finalizers: null } });
  await one.until('gone too', () => isGone(one, 'does-not'));
});

test('one that has another owner beside the one that waits stays, and holds nobody back', async (t) => {
  const one = await cloud(t, 2);
  const [going, staying] = [await make(one, 'going'), await make(one, 'staying')];
  await make(one, 'both', [owner(going, blocking), owner(staying, blocking)]);
  await one.run(500);
  await remove(one, 'going', 'Foreground');
  await one.until('gone', () => isGone(one, 'going'));
  await one.run(5000);
  const { metadata } = await find(one, 'both');
  assert.deepEqual(
    metadata.ownerReferences?.map(({ name }) => name),
    ['staying'],
  );
});

test('deleted twice, first in the foreground and then as an orphan: the last word counts', async (t) => {
  const one = await cloud(t, 3);
  const first = await make(one, 'first', [], { finalizers: ['example.com/hold'] });
  await make(one, 'child', [owner(first)]);
  await one.run(500);
  await remove(one, 'first');
  await remove(one, 'first');
  assert.deepEqual((await find(one, 'first')).metadata.finalizers, ['example.com/hold']);
  await one.client.patch(configMapsRef, 'default', 'first', 'merge', { metadata: { finalizers: null } });
  await one.until('gone', () => isGone(one, 'first'));
  await one.until('its child too', () => isGone(one, 'child'));
});

test('a chain goes as a whole, from whichever end it is deleted, in the background and in the foreground', async (t) => {
  const one = await cloud(t, 4);
  for (const policy of ['Background', 'Foreground'] as const) {
    let last = await make(one, 'c0');
    for (let at = 1; at < 20; at++) last = await make(one, `c${at}`, [owner(last, blocking)]);
    await one.run(500);
    await remove(one, 'c0', policy);
    await one.until('all', async () => (await isGone(one, 'c19')) && isGone(one, 'c0'));
    for (let at = 0; at < 20; at++) assert.ok(await isGone(one, `c${at}`), `c${at}`);
  }
});

test('those of an orphaning owner stay without it, however many they are', async (t) => {
  const one = await cloud(t, 5);
  const first = await make(one, 'first');
  for (let at = 0; at < 100; at++) await make(one, `c${at}`, [owner(first)]);
  await one.run(500);
  await remove(one, 'first', 'Orphan');
  await one.until('gone', () => isGone(one, 'first'));
  await one.run(5000);
  for (let at = 0; at < 100; at++)
    assert.deepEqual((await find(one, `c${at}`)).metadata.ownerReferences ?? [], []);
});

test('owners of one object in a circle go together', async (t) => {
  const one = await cloud(t, 6);
  const a = await make(one, 'a');
  const b = await make(one, 'b', [owner(a, blocking)]);
  await one.client.patch(configMapsRef, 'default', 'a', 'merge', {
    metadata: { ownerReferences: [owner(b, blocking)] },
  });
  await one.run(500);
  await remove(one, 'a', 'Foreground');
  await one.until('both', async () => (await isGone(one, 'a')) && isGone(one, 'b'));
});

test('an owner in another namespace is none, and that is told', async (t) => {
  const one = await cloud(t, 7);
  await one.client.create(namespacesRef, { metadata: { name: 'other' } });
  const foreign = await one.client.create<ConfigMap>(configMapsRef, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'foreign', namespace: 'other' },
  });
  await one.run(500);
  const child = await make(one, 'child', [owner(foreign)]);
  await one.until('gone', () => isGone(one, 'child'));
  await one.run(2000);
  const [event] = (await one.list<Event>(eventsRef)).filter(
    ({ reason }) => reason === 'OwnerRefInvalidNamespace',
  );
  assert.equal(
    event?.message,
    `ownerRef [v1/ConfigMap, namespace: default, name: foreign, uid: ${foreign.metadata.uid}] does not exist in namespace "default"`,
  );
  assert.equal(event.involvedObject.uid, child.metadata.uid);
});

test('what is in no namespace is left alone by owners that are in one', async (t) => {
  const one = await cloud(t, 8);
  const first = await make(one, 'first');
  await one.run(500);
  const role: ClusterRole = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'role', ownerReferences: [owner(first)] },
    rules: [],
  };
  await one.client.create(clusterRolesRef, role);
  await one.run(5000);
  assert.equal(await one.isGone(clusterRolesRef, undefined, 'role'), false);
  await remove(one, 'first');
  await one.run(5000);
  assert.equal(await one.isGone(clusterRolesRef, undefined, 'role'), false);
});

test('an owner that was made anew under the same name is another', async (t) => {
  const one = await cloud(t, 9);
  const first = await make(one, 'first');
  await make(one, 'child', [owner(first)]);
  await one.run(500);
  await remove(one, 'first');
  await make(one, 'first');
  await one.until('the child of the old one', () => isGone(one, 'child'));
  assert.equal(await isGone(one, 'first'), false);
});

test('any family tree comes to rest: nothing is left whose owners are all gone, all else stays (property)', async (t) => {
  for (const seed of [11, 12]) {
    const one = await cloud(t, seed);
    const random = new SeededRandom(seed);
    const made: ConfigMap[] = [];
    for (let at = 0; at < 60; at++) {
      const owners = new Set<ConfigMap>();
      for (let more = random.integer(3); more > 0 && made.length > 0; more--)
        owners.add(made[random.integer(made.length)] as ConfigMap);
      made.push(
        await make(
          one,
          `o${at}`,
          [...owners].map((of) => owner(of, random.integer(2) === 0 ? blocking : {})),
        ),
      );
    }
    await one.run(500);
    const policies = ['Background', 'Foreground', 'Orphan'] as const;
    for (let at = 0; at < 15; at++) {
      const { metadata } = made[random.integer(made.length)] as ConfigMap;
      if (await isGone(one, metadata.name ?? '')) continue;
      await remove(one, metadata.name ?? '', policies[random.integer(policies.length)]);
      if (random.integer(2) === 0) await one.run(random.integer(300));
    }
    await one.run(20_000);
    const left = (await one.list<ConfigMap>(configMapsRef, 'default')).filter(({ metadata }) =>
      metadata.name?.startsWith('o'),
    );
    const uids = new Set(left.map(({ metadata }) => metadata.uid));
    for (const { metadata } of left) {
      assert.equal(metadata.deletionTimestamp, undefined, `seed ${seed}: ${metadata.name} is going`);
      const owners = metadata.ownerReferences ?? [];
      assert.ok(
        owners.every(({ uid }) => uids.has(uid)),
        `seed ${seed}: ${metadata.name} names one that is gone`,
      );
    }
    const before = one.revision();
    await one.run(60_000);
    assert.equal(one.revision(), before, `seed ${seed}: at rest`);
  }
});
