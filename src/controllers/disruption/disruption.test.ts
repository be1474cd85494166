/** Budgets and evictions together, on the real API, in memory: what is allowed, what is refused and how, and that two at once never pass one allowance. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { KubeObject, Pod, PodDisruptionBudget, PodDisruptionBudgetSpec } from '../../api/index.ts';
import { createApi, createFirstObjects } from '../../apiserver/index.ts';
import { createInformers } from '../../client/index.ts';
import { type CaelumError, isError, SeededRandom, SimulatedClock, silentLog } from '../../lib/index.ts';
import { createMemoryStore } from '../../store/index.ts';
import {
  podDisruptionBudgetsRef as budgetsRef,
  deploymentsRef,
  podsRef,
  type Resource,
  replicaSetsRef,
  replicationControllersRef,
  statefulSetsRef,
} from '../resources.ts';
import { startController } from '../shell.ts';
import { disruptionController } from './controller.ts';
import { staleTargetController } from './stale-targets.ts';

const selector = { matchLabels: { app: 'web' } };
const template = {
  metadata: { labels: { app: 'web' } },
  spec: { containers: [{ name: 'c', image: 'x' }] },
};
const isReadyNow = { type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' };
const running = { phase: 'Running', conditions: [isReadyNow] };

async function cloud(t: TestContext) {
  const clock = new SimulatedClock();
  const random = new SeededRandom(1);
  const store = createMemoryStore({ clock });
  const api = createApi({ store, clock, random, log: silentLog, serviceCidr: '10.131.0.0/16' });
  const client = api.client();
  await createFirstObjects(client, undefined);
  const informers = createInformers({ client, clock, random, log: silentLog });
  const options = { client, informers, clock, random, log: silentLog };
  const controllers = [
    startController(disruptionController(informers, client, api.context.registry), options),
    startController(staleTargetController(informers), options),
  ];
  const halt = (): void => {
    for (const one of controllers) one.stop();
  };
  t.after(async () => {
    halt();
    informers.stop();
    await store.close();
  });
  const rest = async (): Promise<void> => {
    for (let turns = 0; turns < 100; turns++) {
      await clock.advance(20);
      if (turns > 5 && controllers.every(({ busy }) => busy === 0)) return;
    }
    throw new Error('the controllers found no rest');
  };
  const evict = (name: string, more: object = {}): Promise<unknown> =>
    client.createSubresource(podsRef, 'default', name, 'eviction', {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name, namespace: 'default' },
      ...more,
    } as KubeObject);
  return {
    api,
    client,
    clock,
    rest,
    evict,
    halt,
    store,
    budget: (name = 'web') => client.get<PodDisruptionBudget>(budgetsRef, 'default', name),
    pod: (name: string) => client.get<Pod>(podsRef, 'default', name),
    makeBudget: (spec: PodDisruptionBudgetSpec, name = 'web') =>
      client.create(budgetsRef, {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: { name, namespace: 'default' },
        spec: { selector, ...spec },
      } as PodDisruptionBudget),
    async makePods(
      names: readonly string[],
      owner?: KubeObject & { kind?: string },
      status: object = running,
    ) {
      for (const name of names) {
        const { apiVersion = '', kind = '' } = owner ?? {};
        const ownerReferences =
          owner === undefined
            ? undefined
            : [{ apiVersion, kind, name: owner.metadata.name, uid: owner.metadata.uid, controller: true }];
        await client.create(podsRef, {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: {
            name,
            namespace: 'default',
            labels: { app: 'web' },
            ...(ownerReferences === undefined ? {} : { ownerReferences }),
          },
          spec: { ...template.spec, nodeName: 'n' },
        } as Pod);
        await client.patch(podsRef, 'default', name, 'merge', { status }, { subresource: 'status' });
      }
    },
    make: (ref: Resource, apiVersion: string, spec: object, owner?: KubeObject) =>
      client.create(ref, {
        apiVersion,
        kind: ref.kind,
        metadata: {
          name: 'web',
          namespace: 'default',
          ...(owner === undefined
            ? {}
            : {
                ownerReferences: [
                  {
                    apiVersion,
                    kind: 'Deployment',
                    name: 'web',
                    uid: owner.metadata.uid ?? '',
                    controller: true,
                  },
                ],
              }),
        },
        spec,
      } as KubeObject),
  };
}

const causeOf = (error: unknown): string | undefined => (error as CaelumError).details.causes?.[0]?.message;

// conformance: [sig-apps] DisruptionController should create a PodDisruptionBudget
// conformance: [sig-apps] DisruptionController should observe PodDisruptionBudget status updated
test('a budget is counted: what is expected, healthy, desired and allowed', async (t) => {
  const { makeBudget, makePods, budget, rest, client } = await cloud(t);
  await makeBudget({ minAvailable: 2 });
  await rest();
  const empty = (await budget()).status;
  assert.equal(empty?.observedGeneration, 1);
  assert.deepEqual(
    empty?.conditions?.map(({ type, status, reason, message }) => [type, status, reason, message]),
    [['DisruptionAllowed', 'False', 'InsufficientPods', '']],
  );
  await makePods(['a', 'b', 'c']);
  await rest();
  const { conditions, ...counted } = (await budget()).status ?? {};
  assert.deepEqual(counted, {
    observedGeneration: 1,
    expectedPods: 3,
    currentHealthy: 3,
    desiredHealthy: 2,
    disruptionsAllowed: 1,
  });
  assert.deepEqual(
    conditions?.map(({ type, status, reason }) => [type, status, reason]),
    [['DisruptionAllowed', 'True', 'SufficientPods']],
  );
  const said = await client.list(
    { group: '', version: 'v1', resource: 'events', namespaced: true },
    { namespace: 'default' },
  );
  const [event] = said.items as unknown as { reason: string; message: string }[];
  assert.deepEqual([event?.reason, event?.message], ['NoPods', 'No matching pods found']);
});

test('shares are of what the owners want: a Deployment through its ReplicaSets, and whoever has a scale', async (t) => {
  const { make, makePods, makeBudget, budget, rest, client } = await cloud(t);
  const deployment = await make(deploymentsRef, 'apps/v1', { replicas: 10, selector, template });
  const replicaSet = await make(replicaSetsRef, 'apps/v1', { replicas: 4, selector, template }, deployment);
  await makePods(['a', 'b'], replicaSet);
  await makeBudget({ minAvailable: '25%' });
  await makeBudget({ maxUnavailable: '25%' }, 'other');
  await rest();
  const of = async (name: string) => {
    const { expectedPods, desiredHealthy, disruptionsAllowed } = (await budget(name)).status ?? {};
    return [expectedPods, desiredHealthy, disruptionsAllowed];
  };
  // Both are rounded up.
  assert.deepEqual(await of('web'), [10, 3, 0]);
  assert.deepEqual(await of('other'), [10, 7, 0]);
  await client.patch(deploymentsRef, 'default', 'web', 'merge', { spec: { replicas: 2 } });
  await rest();
  assert.deepEqual(await of('web'), [2, 1, 1]);
  assert.deepEqual(await of('other'), [2, 1, 1]);
  const set = await make(statefulSetsRef, 'apps/v1', { replicas: 3, selector, template, serviceName: 's' });
  const old = await make(replicationControllersRef, 'v1', {
    replicas: 5,
    selector: { app: 'web' },
    template,
  });
  await makePods(['s-0'], set);
  await makePods(['r-0'], old);
  await rest();
  assert.deepEqual((await of('web'))[0], 10);
});

test('custom resources with a scale count as what they say', async (t) => {
  const { client, makePods, makeBudget, budget, rest } = await cloud(t);
  const replicas = { type: 'integer' };
  const schema = {
    openAPIV3Schema: {
      type: 'object',
      properties: {
        spec: { type: 'object', properties: { size: replicas } },
        status: { type: 'object', properties: { size: replicas } },
      },
    },
  };
  const scale = { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size' };
  await client.create(
    {
      group: 'apiextensions.k8s.io',
      version: 'v1',
      resource: 'customresourcedefinitions',
      namespaced: false,
    },
    {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'fleets.example.com' },
      spec: {
        group: 'example.com',
        scope: 'Namespaced',
        names: { plural: 'fleets', kind: 'Fleet' },
        versions: [{ name: 'v1', served: true, storage: true, schema, subresources: { scale, status: {} } }],
      },
    } as KubeObject,
  );
  await rest();
  const fleet = await client.create(
    { group: 'example.com', version: 'v1', resource: 'fleets', namespaced: true },
    {
      apiVersion: 'example.com/v1',
      kind: 'Fleet',
      metadata: { name: 'f', namespace: 'default' },
      spec: { size: 8 },
    } as KubeObject,
  );
  await makePods(['a', 'b'], fleet);
  await makeBudget({ minAvailable: '50%' });
  await rest();
  const { status } = await budget();
  assert.deepEqual([status?.expectedPods, status?.desiredHealthy, status?.currentHealthy], [8, 4, 2]);
});

test('what cannot be told lets no pod go, and says why', async (t) => {
  const { makePods, makeBudget, budget, rest, evict } = await cloud(t);
  const owner = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'j', uid: 'u' } };
  await makePods(['a', 'b'], owner);
  await makeBudget({ maxUnavailable: 1 });
  await rest();
  const { status } = await budget();
  const [condition] = status?.conditions ?? [];
  const why = 'jobs.batch does not implement the scale subresource';
  assert.deepEqual(
    [status?.disruptionsAllowed, condition?.status, condition?.reason, condition?.message],
    [0, 'False', 'SyncFailed', why],
  );
  // Not even looked at in this generation: Kubernetes leaves the generation as it was.
  await assert.rejects(evict('a'), (error) => {
    assert.equal(causeOf(error), 'The disruption budget web is still being processed by the server.');
    return isError(error, 'tooManyRequests');
  });
});

// conformance: [sig-apps] DisruptionController should block an eviction until the PDB is updated to allow it
test('an eviction waits until its budget allows it', async (t) => {
  const { makePods, makeBudget, budget, rest, evict, pod, client } = await cloud(t);
  await makePods(['a', 'b']);
  await makeBudget({ minAvailable: 2 });
  await rest();
  await assert.rejects(evict('a'), (error) => {
    assert.ok(isError(error, 'tooManyRequests'));
    assert.equal(error.message, "Cannot evict pod as it would violate the pod's disruption budget.");
    assert.deepEqual(error.details.causes, [
      {
        reason: 'DisruptionBudget',
        message: 'The disruption budget web needs 2 healthy pods and has 2 currently',
        field: '',
      },
    ]);
    return true;
  });
  await client.patch(budgetsRef, 'default', 'web', 'merge', { spec: { minAvailable: 1 } });
  await rest();
  await evict('a');
  const gone = await pod('a');
  assert.ok(gone.metadata.deletionTimestamp);
  const target = gone.status?.conditions?.find(({ type }) => type === 'DisruptionTarget');
  assert.deepEqual(
    [target?.status, target?.reason, target?.message],
    ['True', 'EvictionByEvictionAPI', 'Eviction API: evicting'],
  );
  await rest();
  const { status } = await budget();
  assert.deepEqual([status?.disruptionsAllowed, status?.currentHealthy], [0, 1]);
  // It goes already: asking again costs nothing.
  await evict('a');
});

for (const [isCounted, when] of [
  [false, 'while nobody counts'],
  [true, 'while the budget is counted anew'],
] as const)
  test(`evictions at once never pass the allowances, ${when}`, async (t) => {
    const { makePods, makeBudget, budget, rest, evict, pod, halt } = await cloud(t);
    const names = ['a', 'b', 'c', 'd', 'e'];
    await makePods(names);
    await makeBudget({ minAvailable: 3 });
    await rest();
    if (!isCounted) halt();
    const outcomes = await Promise.allSettled(names.map((name) => evict(name)));
    const failed = outcomes.filter((one) => one.status === 'rejected');
    assert.equal(failed.length, 3);
    for (const one of failed) assert.ok(isError(one.reason, 'tooManyRequests'));
    if (isCounted) await rest();
    const left = await Promise.all(names.map((name) => pod(name)));
    assert.equal(left.filter(({ metadata }) => metadata.deletionTimestamp === undefined).length, 3);
    const { status } = await budget();
    assert.equal(status?.disruptionsAllowed, 0);
    assert.equal(status?.conditions?.[0]?.reason, 'InsufficientPods');
    // Those that are seen to go need no note any more.
    assert.deepEqual(
      [status?.currentHealthy, Object.keys(status?.disruptedPods ?? {}).length],
      isCounted ? [3, 0] : [5, 2],
    );
  });

test('an eviction that comes to nothing is forgotten after two minutes', async (t) => {
  const { makePods, makeBudget, budget, rest, client, clock, pod } = await cloud(t);
  await makePods(['a', 'b']);
  await makeBudget({ minAvailable: 1 });
  await rest();
  const now = new Date(clock.nowMs()).toISOString();
  const seen = await budget();
  // As an API server leaves it that ends between its two writes.
  await client.update(
    budgetsRef,
    { ...seen, status: { ...seen.status, disruptionsAllowed: 0, disruptedPods: { a: now } } } as typeof seen,
    { subresource: 'status' },
  );
  await rest();
  assert.deepEqual(Object.keys((await budget()).status?.disruptedPods ?? {}), ['a']);
  assert.equal((await budget()).status?.disruptionsAllowed, 0);
  await client.patch(
    podsRef,
    'default',
    'b',
    'strategic',
    {
      status: {
        conditions: [
          { type: 'DisruptionTarget', status: 'True', reason: 'Any', message: 'm', lastTransitionTime: now },
        ],
      },
    },
    { subresource: 'status' },
  );
  for (let passed = 0; passed < 125; passed++) await clock.advance(1000);
  await rest();
  const { status } = await budget();
  assert.deepEqual([status?.disruptedPods, status?.disruptionsAllowed], [undefined, 1]);
  const mark = (await pod('b')).status?.conditions?.find(({ type }) => type === 'DisruptionTarget');
  assert.deepEqual([mark?.status, mark?.reason], ['False', undefined]);
});

test('pods that are pending, finished or covered by none go freely; more than one budget is an error', async (t) => {
  const { makePods, makeBudget, rest, evict, pod } = await cloud(t);
  await makePods(['pending'], undefined, { phase: 'Pending' });
  await makePods(['done'], undefined, { phase: 'Succeeded' });
  await makePods(['a', 'b']);
  await makeBudget({ minAvailable: 4 });
  await rest();
  await evict('pending');
  assert.ok((await pod('pending')).metadata.deletionTimestamp);
  await evict('done');
  await assert.rejects(pod('done'), (error) => isError(error, 'notFound'));
  await makeBudget({ minAvailable: 1, selector: {} }, 'second');
  await rest();
  await assert.rejects(evict('a'), {
    message:
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    details: { said: { code: 500 } },
  });
  await assert.rejects(evict('none'), (error) => isError(error, 'notFound'));
});

test('unhealthy pods go as the policy says', async (t) => {
  const { makePods, makeBudget, rest, evict, pod, client, budget } = await cloud(t);
  const sick = { phase: 'Running', conditions: [{ ...isReadyNow, status: 'False' }] };
  await makePods(['sick', 'sicker'], undefined, sick);
  await makePods(['a'], undefined);
  await makeBudget({ minAvailable: 2 });
  await rest();
  // Fewer are healthy than must be: none goes.
  await assert.rejects(evict('sick'), (error) => isError(error, 'tooManyRequests'));
  await client.patch(budgetsRef, 'default', 'web', 'merge', { spec: { minAvailable: 1 } });
  await rest();
  // As many as must be are healthy: the others may go, and cost nothing.
  await evict('sick');
  assert.ok((await pod('sick')).metadata.deletionTimestamp);
  await assert.rejects(evict('a'), (error) => isError(error, 'tooManyRequests'));
  await client.patch(budgetsRef, 'default', 'web', 'merge', {
    spec: { minAvailable: 3, unhealthyPodEvictionPolicy: 'AlwaysAllow' },
  });
  await rest();
  await evict('sicker');
  assert.equal((await budget()).status?.disruptedPods, undefined);
});

test('a dry run asks and changes nothing; preconditions are kept', async (t) => {
  const { makePods, makeBudget, rest, evict, pod, budget, store } = await cloud(t);
  await makePods(['a', 'b']);
  await makeBudget({ minAvailable: 1 });
  await rest();
  const before = store.stats().revision;
  await evict('a', { deleteOptions: { dryRun: ['All'] } });
  assert.equal(store.stats().revision, before);
  for (const preconditions of [{ uid: 'other' }, { resourceVersion: '1' }])
    await assert.rejects(evict('a', { deleteOptions: { preconditions } }), (error) => {
      assert.match((error as Error).message, /Precondition failed: (UID|ResourceVersion) in precondition/);
      return isError(error, 'conflict');
    });
  assert.equal((await budget()).status?.disruptionsAllowed, 1);
  const { uid = '', resourceVersion = '' } = (await pod('a')).metadata;
  await evict('a', { deleteOptions: { gracePeriodSeconds: 7, preconditions: { uid, resourceVersion } } });
  assert.equal((await pod('a')).metadata.deletionGracePeriodSeconds, 7);
  await assert.rejects(evict('b', { metadata: { name: 'x', namespace: 'default' } }), {
    message: 'name in URL does not match name in Eviction object',
  });
});

test('at rest nothing is written', async (t) => {
  const { makePods, makeBudget, rest, clock, store } = await cloud(t);
  await makePods(['a', 'b']);
  await makeBudget({ maxUnavailable: 1 });
  await makeBudget({ minAvailable: 1, selector: { matchLabels: { app: 'other' } } }, 'none');
  await rest();
  await clock.advance(10_000);
  const before = store.stats().revision;
  for (let minutes = 0; minutes < 10; minutes++) await clock.advance(60_000);
  assert.equal(store.stats().revision, before);
});
