/** The account of quotas against a plain count, under random writes at the same time: it is exact, and no limit is ever exceeded. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  addUsage,
  compareQuantities,
  contribution,
  countedKinds,
  type KubeObject,
  nothingUsed,
  type Pod,
  pods,
  type ResourceQuota,
  resourceQuotas,
  services,
} from '../../../api/index.ts';
import type { Client, ResourceRef } from '../../../client/index.ts';
import { SeededRandom } from '../../../lib/index.ts';
import type { Store } from '../../../store/index.ts';
import { objectOf, podOf, refTo, startApi } from '../test-admission.ts';
import { QuotaBook } from './account.ts';

const configMaps = refTo('', 'configmaps');
const claims = refTo('', 'persistentvolumeclaims');

function counted(store: Store, quota: ResourceQuota): Record<string, string> {
  const used = nothingUsed(quota);
  for (const groupResource of countedKinds(Object.keys(quota.spec?.hard ?? {})))
    for (const stored of store.list(`${groupResource}/default/`).items)
      addUsage(used, contribution(quota, groupResource, stored.object() as KubeObject) ?? {});
  return used;
}

const hards: readonly Readonly<Record<string, string>>[] = [
  { pods: '5', 'requests.cpu': '2', 'limits.memory': '1Gi' },
  { 'count/pods': '8', 'count/configmaps': '4', services: '3', 'services.nodeports': '2' },
  { 'requests.storage': '5Gi', 'gold.storageclass.storage.k8s.io/requests.storage': '3Gi' },
];

/** One random write. */
function act(client: Client, random: SeededRandom): Promise<unknown> {
  const name = `x${random.integer(12)}`;
  const dryRun = random.integer(10) === 0;
  const pick = <T>(list: readonly T[]): T => list[random.integer(list.length)] as T;
  const patch = (ref: ResourceRef, body: object, subresource?: string) =>
    client.patch(
      ref,
      'default',
      name,
      'merge',
      body,
      subresource === undefined ? { dryRun } : { subresource },
    );
  const claim = (size: string) => ({
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: size } } },
  });
  switch (random.integer(10)) {
    case 0:
    case 1:
    case 2: {
      const limits = { cpu: pick(['300m', '1']), memory: pick(['100Mi', '700Mi']) };
      const pod: Pod = podOf(name, { resources: { requests: limits, limits } });
      return client.create(pods, pod, { dryRun });
    }
    case 3:
      return client.delete(pods, 'default', name, { dryRun });
    case 4:
      // None comes back from its end.
      return patch(pods, { status: { phase: pick(['Succeeded', 'Failed']) } }, 'status');
    case 5:
      return client.create(configMaps, objectOf('v1', 'ConfigMap', name), { dryRun });
    case 6:
      return client.delete(pick([configMaps, services, claims]), 'default', name);
    case 7:
      return client.create(services, objectOf('v1', 'Service', name, { spec: { ports: [{ port: 80 }] } }), {
        dryRun,
      });
    case 8:
      return patch(services, { spec: { type: pick(['NodePort', 'ClusterIP']) } });
    default: {
      const more = claim(pick(['1Gi', '2Gi']));
      const storageClassName = pick(['gold', 'iron']);
      return client.create(
        claims,
        objectOf('v1', 'PersistentVolumeClaim', name, { spec: { ...more.spec, storageClassName } }),
      );
    }
  }
}

async function play(t: TestContext, seed: number): Promise<void> {
  const { api, client } = await startApi(t);
  const { store } = api.context;
  const random = new SeededRandom(seed);
  const book = new QuotaBook(api.context);
  for (const [index, hard] of hards.entries())
    await client.create(resourceQuotas, objectOf('v1', 'ResourceQuota', `q${index}`, { spec: { hard } }));
  for (let round = 0; round < 60; round++) {
    await Promise.allSettled(Array.from({ length: 1 + random.integer(8) }, () => act(client, random)));
    if (random.integer(12) === 0)
      await client.patch(resourceQuotas, 'default', 'q0', 'merge', {
        spec: { hard: { pods: String(5 + random.integer(3)) } },
      });
    for (const { quota, used, promised } of book.accounts('default')) {
      const what = `seed ${seed}, round ${round}, quota ${quota.metadata.name}`;
      assert.deepEqual(used, counted(store, quota), `${what}: the account is not what is there`);
      assert.equal(promised.size, 0, what);
      const lowered = quota.metadata.name === 'q0' ? '7' : undefined;
      for (const [name, hard] of Object.entries(quota.spec?.hard ?? {}))
        assert.ok(
          compareQuantities(used[name] ?? '0', name === 'pods' ? (lowered ?? hard) : hard) <= 0,
          `${what}: ${name} ${used[name]} of ${hard}`,
        );
    }
  }
  // Something has been let in and something refused, or nothing was tested.
  assert.ok(store.list('pods/default/').items.length > 0, `seed ${seed}`);
}

for (const seed of [1, 2, 3, 4, 5, 6])
  test(`quotas are kept exactly under random writes (seed ${seed})`, (t) => play(t, seed));

const podQuota = (name: string, hard: string) =>
  objectOf('v1', 'ResourceQuota', name, { spec: { hard: { pods: hard } } });

/** Creates pods the moment in which the store tells of pod "a". */
function createAmidEvents(store: Store, client: Client, names: readonly string[]): Promise<unknown>[] {
  const results: Promise<unknown>[] = [];
  store.watch('pods/', store.revision(), {
    onEvents: (events) => {
      if (events.some(({ key }) => key === 'pods/default/a'))
        results.push(...names.map((name) => client.create(pods, podOf(name))));
    },
    onEnd: () => {},
  });
  return results;
}

const outcomesOf = async (results: readonly Promise<unknown>[]): Promise<string> =>
  (await Promise.allSettled(results)).map(({ status }) => status).join();

test('what is stored counts once, also in the moment in which it is told', async (t) => {
  const { api, client } = await startApi(t);
  await client.create(resourceQuotas, podQuota('q', '3'));
  // The account is made when it is first asked for, and follows pods from then on: before the one below.
  await client.create(pods, podOf('first'), { dryRun: true });
  const results = createAmidEvents(api.context.store, client, ['b', 'c']);
  await client.create(pods, podOf('a'));
  assert.equal(await outcomesOf(results), 'fulfilled,fulfilled');
});

test('what is counted amid the telling is not counted again', async (t) => {
  const { api, client } = await startApi(t);
  const results = createAmidEvents(api.context.store, client, ['b']);
  await client.create(resourceQuotas, podQuota('large', '9'));
  await client.create(pods, podOf('first'), { dryRun: true });
  // Stored at once: the other quota is counted for the first time when "b" comes, and "a" is told to the account after that.
  await Promise.all([client.create(resourceQuotas, podQuota('other', '3')), client.create(pods, podOf('a'))]);
  assert.equal(await outcomesOf(results), 'fulfilled');
  assert.equal(
    await outcomesOf([client.create(pods, podOf('c')), client.create(pods, podOf('d'))]),
    'fulfilled,rejected',
  );
});
