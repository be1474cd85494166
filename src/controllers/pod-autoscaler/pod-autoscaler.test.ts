/** Autoscalers on the real API, in memory, with figures that the test sets: what they write, say and remember. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Deployment, Event, HorizontalPodAutoscaler, KubeObject, Pod } from '../../api/index.ts';
import { createApi, createFirstObjects } from '../../apiserver/index.ts';
import { createInformers, type ResourceRef } from '../../client/index.ts';
import { formatTime, SeededRandom, SimulatedClock, silentLog } from '../../lib/index.ts';
import { createMemoryStore } from '../../store/index.ts';
import { horizontalPodAutoscalersRef as autoscalersRef, deploymentsRef, podsRef } from '../resources.ts';
import { startController } from '../shell.ts';
import { podAutoscalerController } from './controller.ts';
import { DecisionLog } from './decisions.ts';
import { createMetricsSource } from './metrics-source.ts';
import type { Decision } from './plan.ts';
import type { MetricsSource } from './readings.ts';

const eventsRef: ResourceRef = { group: '', version: 'v1', resource: 'events', namespaced: true };
const cpu = {
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } },
};
const queue = {
  type: 'External',
  external: { metric: { name: 'queue' }, target: { type: 'AverageValue', averageValue: '10' } },
};

async function cloud(t: TestContext, useOwnMetrics = false) {
  const clock = new SimulatedClock();
  const random = new SeededRandom(1);
  const store = createMemoryStore({ clock });
  const api = createApi({ store, clock, random, log: silentLog, serviceCidr: '10.131.0.0/16' });
  const client = api.client();
  await createFirstObjects(client, undefined);
  const informers = createInformers({ client, clock, random, log: silentLog });
  /** Thousandths a pod; undefined: no figures. */
  const figures: { cpu: number | undefined; queue: number | undefined } = { cpu: 500, queue: undefined };
  const metrics: MetricsSource = {
    async resource() {
      const { cpu: milli } = figures;
      if (milli === undefined) throw new Error('no metrics returned from resource metrics API');
      const pods = await client.list<Pod>(podsRef, { namespace: 'default' });
      return new Map(
        pods.items.map(({ metadata }) => [
          metadata.name ?? '',
          { milli, atMs: clock.nowMs(), windowMs: 15_000 },
        ]),
      );
    },
    pods: async () => new Map(),
    object: async () => Number.NaN,
    external: async () => (figures.queue === undefined ? [] : [figures.queue]),
  };
  const decisions: Decision[] = [];
  const log = new DecisionLog();
  const controller = startController(
    podAutoscalerController({
      client,
      informers,
      registry: api.context.registry,
      clock,
      metrics: useOwnMetrics
        ? createMetricsSource({ registry: api.context.registry, apis: undefined, podsOf: () => [] })
        : metrics,
      onDecision(key, decision, observed) {
        decisions.push(decision);
        log.note(key, decision, observed);
      },
    }),
    { client, informers, clock, random, log: silentLog },
  );
  t.after(async () => {
    controller.stop();
    informers.stop();
    await store.close();
  });
  const template = {
    metadata: { labels: { app: 'web' } },
    spec: { containers: [{ name: 'c', image: 'x', resources: { requests: { cpu: '1' } } }] },
  };
  const addPods = async (names: readonly string[]): Promise<void> => {
    const long = formatTime(clock.nowMs() - 3_600_000);
    for (const name of names) {
      const pod = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace: 'default', ...template.metadata },
        spec: template.spec,
      };
      await client.create(podsRef, pod as Pod);
      const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: long }];
      const status = { phase: 'Running', startTime: long, conditions };
      await client.patch(podsRef, 'default', name, 'merge', { status }, { subresource: 'status' });
    }
  };
  const pass = async (seconds: number): Promise<void> => {
    for (let passed = 0; passed < seconds * 4; passed++) await clock.advance(250);
  };
  const get = () => client.get<HorizontalPodAutoscaler>(autoscalersRef, 'default', 'web');
  return {
    clock,
    client,
    figures,
    decisions,
    log,
    addPods,
    pass,
    get,
    store,
    async make(spec: Partial<HorizontalPodAutoscaler['spec']>, replicas = 2) {
      await client.create(deploymentsRef, {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'web', namespace: 'default' },
        spec: { replicas, selector: { matchLabels: { app: 'web' } }, template },
      } as Deployment);
      await client.create(autoscalersRef, {
        apiVersion: 'autoscaling/v2',
        kind: 'HorizontalPodAutoscaler',
        metadata: { name: 'web', namespace: 'default' },
        spec: {
          scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
          maxReplicas: 10,
          metrics: [cpu],
          ...spec,
        },
      } as KubeObject);
    },
    replicas: async () => (await client.get<Deployment>(deploymentsRef, 'default', 'web')).spec?.replicas,
    conditions: async () =>
      ((await get()).status?.conditions ?? []).map(({ type, status, reason, message }) => [
        type,
        status,
        reason,
        message,
      ]),
    events: async () =>
      (await client.list<Event>(eventsRef, { namespace: 'default' })).items.map(
        ({ type, reason, message }) => `${type} ${reason} ${message}`,
      ),
  };
}

test('it goes up at once and down after five minutes', async (t) => {
  const { make, addPods, pass, get, figures, replicas, conditions, events, decisions, log } = await cloud(t);
  figures.cpu = 1000;
  await addPods(['a', 'b']);
  await make({});
  await pass(2);
  assert.equal(await replicas(), 4);
  const { status } = await get();
  assert.deepEqual([status?.currentReplicas, status?.desiredReplicas], [2, 4]);
  assert.ok(status?.lastScaleTime);
  assert.deepEqual(status?.currentMetrics, [
    { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 100, averageValue: '1' } } },
  ]);
  assert.deepEqual(await conditions(), [
    [
      'AbleToScale',
      'True',
      'SucceededRescale',
      'the HPA controller was able to update the target scale to 4',
    ],
    [
      'ScalingActive',
      'True',
      'ValidMetricFound',
      'the HPA was able to successfully calculate a replica count from cpu resource utilization (percentage of request)',
    ],
    ['ScalingLimited', 'False', 'DesiredWithinRange', 'the desired count is within the acceptable range'],
  ]);
  assert.deepEqual(await events(), [
    'Normal SuccessfulRescale New size: 4; reason: cpu resource utilization (percentage of request) above target',
  ]);
  const [first] = decisions;
  assert.deepEqual([first?.current, first?.recommended, first?.desired, first?.isRescale], [2, 4, 4, true]);
  const { at, until, ...record } = log.of('default/web')?.[0] ?? {};
  assert.equal(at, until);
  assert.deepEqual(record, {
    current: 2,
    recommended: 4,
    desired: 4,
    because: 'cpu resource utilization (percentage of request) above target',
    bounds: { min: 1, max: 10 },
    pods: 2,
    metrics: ['cpu of pods: 100% (1), wanted 50%'],
    readings: [{ pods: { a: 1000, b: 1000 } }],
    recent: [],
  });
  await addPods(['c', 'd']);
  figures.cpu = 100;
  await pass(200);
  assert.equal(await replicas(), 4);
  assert.equal((await conditions())[0]?.[2], 'ScaleDownStabilized');
  await pass(150);
  assert.equal(await replicas(), 1);
  // What is decided again on the same grounds is told once.
  assert.ok((log.of('default/web')?.length ?? 99) < 8);
  assert.ok(
    (await events()).includes('Normal SuccessfulRescale New size: 1; reason: All metrics below target'),
  );
});

test('without figures nothing goes down, and it says why', async (t) => {
  const { make, addPods, pass, figures, replicas, conditions, events, get } = await cloud(t);
  figures.cpu = undefined;
  figures.queue = 1000;
  await addPods(['a', 'b']);
  await make({ metrics: [cpu, queue] as never });
  await pass(320);
  // One metric wants fewer, the other cannot be read.
  assert.equal(await replicas(), 2);
  const why =
    'failed to get cpu utilization: unable to get metrics for resource cpu: no metrics returned from resource metrics API';
  assert.deepEqual((await conditions())[1], [
    'ScalingActive',
    'False',
    'FailedGetResourceMetric',
    `the HPA was unable to compute the replica count: ${why}`,
  ]);
  const said = await events();
  assert.ok(said.includes(`Warning FailedGetResourceMetric ${why}`), said.join('\n'));
  assert.ok(
    said.includes(
      `Warning FailedComputeMetricsReplicas invalid metrics (1 invalid out of 2), first error is: failed to get cpu resource metric value: ${why}`,
    ),
    said.join('\n'),
  );
  assert.equal((await get()).status?.desiredReplicas, 0);
  // What is known is enough to go up.
  figures.queue = 50_000;
  await pass(14);
  assert.equal(await replicas(), 4);
  await pass(16);
  assert.equal(await replicas(), 5);
  assert.equal((await conditions())[1]?.[2], 'ValidMetricFound');
});

test('bounds, a target of zero, and one that is not there', async (t) => {
  const { make, addPods, pass, replicas, conditions, events, client } = await cloud(t);
  await addPods(['a', 'b']);
  await make({ minReplicas: 3 });
  await pass(2);
  assert.equal(await replicas(), 3);
  assert.ok(
    (await events()).includes(
      'Normal SuccessfulRescale New size: 3; reason: Current number of replicas below Spec.MinReplicas',
    ),
  );
  await client.patch(deploymentsRef, 'default', 'web', 'merge', { spec: { replicas: 20 } });
  await pass(20);
  assert.equal(await replicas(), 10);
  await client.patch(deploymentsRef, 'default', 'web', 'merge', { spec: { replicas: 0 } });
  await pass(20);
  assert.equal(await replicas(), 0);
  assert.deepEqual((await conditions())[1], [
    'ScalingActive',
    'False',
    'ScalingDisabled',
    'scaling is disabled since the replica count of the target is zero',
  ]);
  await client.delete(deploymentsRef, 'default', 'web');
  await pass(20);
  assert.deepEqual((await conditions())[0], [
    'AbleToScale',
    'False',
    'FailedGetScale',
    'the HPA controller was unable to get the target\'s current scale: deployments.apps "web" not found',
  ]);
});

test('two autoscalers of the same pods: neither does anything', async (t) => {
  const { make, addPods, pass, replicas, conditions, figures, client, get } = await cloud(t);
  await addPods(['a', 'b']);
  await make({});
  const { spec } = await get();
  await client.create(autoscalersRef, {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'other', namespace: 'default' },
    spec,
  } as KubeObject);
  await pass(16);
  figures.cpu = 1000;
  await pass(30);
  assert.equal(await replicas(), 2);
  assert.deepEqual((await conditions())[1], [
    'ScalingActive',
    'False',
    'AmbiguousSelector',
    'pods by selector app=web are controlled by multiple HPAs: [{other default} {web default}]',
  ]);
  await client.delete(autoscalersRef, 'default', 'other');
  await pass(16);
  assert.equal(await replicas(), 4);
});

test('an external metric scales to zero and back', async (t) => {
  const { make, pass, figures, replicas } = await cloud(t);
  figures.queue = 0;
  await make({
    minReplicas: 0,
    metrics: [queue] as never,
    behavior: { scaleDown: { stabilizationWindowSeconds: 0 } },
  });
  await pass(20);
  assert.equal(await replicas(), 0);
  figures.queue = 25_000;
  await pass(20);
  assert.equal(await replicas(), 3);
});

test('where no metrics are served nothing changes; at rest nothing is written', async (t) => {
  const { make, addPods, pass, replicas, conditions, figures, store } = await cloud(t, true);
  await addPods(['a', 'b']);
  await make({});
  await pass(20);
  assert.equal(await replicas(), 2);
  assert.match(String((await conditions())[1]?.[3]), /unable to fetch metrics from resource metrics API/);
  assert.equal(figures.cpu, 500);
  const quiet = await cloud(t);
  await quiet.addPods(['a', 'b']);
  await quiet.make({});
  await quiet.pass(5);
  const before = quiet.store.stats().revision;
  await quiet.pass(120);
  assert.equal(quiet.store.stats().revision, before);
  assert.ok(store.stats().revision > 0);
});

test('figures that are no numbers, and a clock on the wall that jumps, take nothing away', async (t) => {
  const { make, pass, figures, replicas, conditions, clock } = await cloud(t);
  figures.queue = 50_000;
  await make({ metrics: [queue] as never }, 5);
  await pass(20);
  assert.equal(await replicas(), 5);
  figures.queue = Number.NaN;
  await pass(400);
  assert.equal(await replicas(), 5);
  assert.match(
    String((await conditions())[1]?.[3]),
    /unable to get external metric default\/queue\/nil: the metric has no value$/,
  );
  // It is wanted again for a while; then, by the clock on the wall, an hour passes at once.
  figures.queue = 50_000;
  await pass(30);
  clock.jump(3_600_000);
  figures.queue = 10_000;
  await pass(250);
  assert.equal(await replicas(), 5);
  clock.jump(-7_200_000);
  await pass(100);
  assert.equal(await replicas(), 1);
});

test('the same figures are not decided on twice, though pods have gone meanwhile', async (t) => {
  const { make, addPods, pass, figures, replicas, decisions, client, clock, get } = await cloud(t);
  figures.cpu = 200;
  await addPods(['a', 'b', 'c', 'd', 'e', 'f']);
  const policies = [{ type: 'Pods', value: 10, periodSeconds: 15 }];
  await make({ behavior: { scaleDown: { stabilizationWindowSeconds: 0, policies } } }, 6);
  // Before the status is written and seen: who is left has the figures of a sixth of the load still.
  while ((await replicas()) === 6) await clock.advance(5);
  for (const name of ['d', 'e', 'f'])
    await client.delete(podsRef, 'default', name, { gracePeriodSeconds: 0 });
  await pass(10);
  assert.equal(await replicas(), 3);
  const looks = () => decisions.filter(({ recommended }) => recommended !== undefined).length;
  assert.equal(looks(), 1);
  figures.cpu = 400;
  await pass(25);
  assert.deepEqual([await replicas(), looks()], [3, 3]);
  // Who says something else is heard at once.
  const { spec } = await get();
  await client.patch(autoscalersRef, 'default', 'web', 'merge', { spec: { ...spec, minReplicas: 4 } });
  await pass(1);
  assert.equal(await replicas(), 4);
});
