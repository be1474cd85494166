/** Elasticity policies on the real API, in memory, with figures that the test sets: what they write, say and remember. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type {
  Deployment,
  ElasticityHistory,
  ElasticityPolicy,
  ElasticityPolicySpec,
  Event,
  HorizontalPodAutoscaler,
  KubeObject,
  Pod,
} from '../../api/index.ts';
import { createApi, createFirstObjects } from '../../apiserver/index.ts';
import { createInformers, type ResourceRef } from '../../client/index.ts';
import { formatTime, SeededRandom, SimulatedClock, silentLog } from '../../lib/index.ts';
import { createMemoryStore } from '../../store/index.ts';
import type { MetricsSource } from '../pod-autoscaler/readings.ts';
import { deploymentsRef, horizontalPodAutoscalersRef, podsRef } from '../resources.ts';
import { type RunningController, startController } from '../shell.ts';
import { elasticityController, elasticityHistoriesRef } from './controller.ts';
import { ElasticityLog } from './decisions.ts';
import { elasticityPoliciesRef } from './plan.ts';

const eventsRef: ResourceRef = { group: '', version: 'v1', resource: 'events', namespaced: true };
const cpu = { type: 'Resource', resource: { name: 'cpu' } };
const queue = { type: 'External', external: { metric: { name: 'queue' } } };

async function cloud(t: TestContext) {
  const clock = new SimulatedClock();
  const random = new SeededRandom(1);
  const store = createMemoryStore({ clock });
  const api = createApi({ store, clock, random, log: silentLog, serviceCidr: '10.131.0.0/16' });
  const client = api.client();
  await createFirstObjects(client, undefined);
  const informers = createInformers({ client, clock, random, log: silentLog });
  /** Thousandths: the CPU of each pod; the queue. undefined: no figures. */
  const figures: { cpu: number | undefined; queue: number | undefined; silent: number; lateMs: number } = {
    cpu: 500,
    queue: undefined,
    silent: 0,
    lateMs: 0,
  };
  const asked = { count: 0 };
  const metrics: MetricsSource = {
    async resource() {
      asked.count++;
      const { cpu: milli, silent, lateMs } = figures;
      if (milli === undefined) throw new Error('no metrics returned from resource metrics API');
      const pods = await client.list<Pod>(podsRef, { namespace: 'default' });
      const told = pods.items.slice(silent);
      return new Map(
        told.map(({ metadata }) => [
          metadata.name ?? '',
          { milli, atMs: clock.nowMs() - lateMs, windowMs: 15_000 },
        ]),
      );
    },
    pods: async () => new Map(),
    object: async () => Number.NaN,
    external: async () => (figures.queue === undefined ? [] : [figures.queue]),
  };
  const log = new ElasticityLog();
  const options = { client, informers, clock, random, log: silentLog };
  const start = (): RunningController =>
    startController(
      elasticityController({
        client,
        informers,
        registry: api.context.registry,
        clock,
        metrics,
        onDecision: (key, decision, observed) => log.note(key, decision, observed),
      }),
      options,
    );
  let controller = start();
  t.after(() => {
    controller.stop();
    informers.stop();
    return store.close();
  });
  /** As many ready pods as there shall be. */
  const settle = async (): Promise<void> => {
    const { spec } = await client.get<Deployment>(deploymentsRef, 'default', 'web');
    const { items } = await client.list<Pod>(podsRef, { namespace: 'default' });
    const wanted = spec?.replicas ?? 1;
    const readyAt = formatTime(clock.nowMs() - 600_000);
    for (let i = items.length; i < wanted; i++) {
      const pod = await client.create<Pod>(podsRef, {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { generateName: 'web-', namespace: 'default', labels: { app: 'web' } },
        spec: { containers: [{ name: 'c', image: 'x:1', resources: { requests: { cpu: '1' } } }] },
      });
      const status = {
        phase: 'Running',
        conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: readyAt }],
      };
      const { name = '' } = pod.metadata;
      await client.patch(podsRef, 'default', name, 'merge', { status }, { subresource: 'status' });
    }
    for (const { metadata } of items.slice(wanted))
      await client.delete(podsRef, 'default', metadata.name ?? '', { gracePeriodSeconds: 0 });
    await clock.advance(50);
  };
  return {
    client,
    clock,
    figures,
    asked,
    log,
    settle,
    restart() {
      controller.stop();
      controller = start();
    },
    replicas: async () => (await client.get<Deployment>(deploymentsRef, 'default', 'web')).spec?.replicas,
    policy: (name = 'web') => client.get<ElasticityPolicy>(elasticityPoliciesRef, 'default', name),
    async condition(type: string, name = 'web') {
      const { status } = await client.get<ElasticityPolicy>(elasticityPoliciesRef, 'default', name);
      const found = status?.conditions?.find((one) => one.type === type);
      return found === undefined ? undefined : `${found.status} ${found.reason}: ${found.message}`;
    },
    async deploy(replicas: number) {
      await client.create(deploymentsRef, {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'web', namespace: 'default' },
        spec: {
          replicas,
          selector: { matchLabels: { app: 'web' } },
          template: {
            metadata: { labels: { app: 'web' } },
            spec: { containers: [{ name: 'c', image: 'x:1' }] },
          },
        },
      } as KubeObject);
      await settle();
    },
    create: (spec: Partial<ElasticityPolicySpec>, name = 'web') =>
      client.create<ElasticityPolicy>(elasticityPoliciesRef, {
        apiVersion: 'autoscale.caelum.dev/v1',
        kind: 'ElasticityPolicy',
        metadata: { name, namespace: 'default' },
        spec: {
          scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
          constraints: { maxReplicas: 10, stabilization: '0s' },
          cooldown: '1m',
          ...spec,
        },
      }),
    /** So many looks: one each 15 s. */
    async looks(count: number) {
      for (let i = 0; i < count; i++) {
        await clock.advance(15_000);
        await settle();
      }
    },
    async events() {
      const { items } = await client.list<Event>(eventsRef, { namespace: 'default' });
      return items.map(({ reason, message }) => `${reason}: ${message}`);
    },
  };
}

const busy = { name: 'busy', metric: cpu, operator: '>', threshold: '80', duration: '30s' };
const quiet = { name: 'quiet', metric: cpu, operator: '<', threshold: '20', duration: '1m' };
const byTriggers: Partial<ElasticityPolicySpec> = {
  triggers: [busy, quiet],
  actions: [
    { type: 'ScaleOut', amount: 2, when: ['busy'] },
    { type: 'ScaleIn', amount: '50%', when: ['quiet'] },
  ],
};
const byQueue: Partial<ElasticityPolicySpec> = {
  capacity: { metric: queue, perReplica: '10', buffer: 1, tolerance: '10%' },
};

test('a trigger acts when it has held for its duration, and not again before the cooldown is over', async (t) => {
  const { deploy, create, looks, replicas, figures, events, log, policy } = await cloud(t);
  await deploy(2);
  await create(byTriggers);
  await looks(2);
  assert.equal(await replicas(), 2);
  figures.cpu = 900;
  await looks(2);
  assert.equal(await replicas(), 2, 'held for 15 s only');
  await looks(2);
  assert.equal(await replicas(), 4);
  await looks(2);
  assert.equal(await replicas(), 4, 'the cooldown');
  await looks(3);
  assert.equal(await replicas(), 6);
  assert.ok((await events()).includes('SuccessfulRescale: New size: 4; reason: trigger busy'));
  const { status } = await policy();
  assert.equal(status?.observedGeneration, 1);
  assert.equal(status?.triggers?.[0]?.value, '90');
  assert.equal(status?.triggers?.[0]?.holds, true);
  figures.cpu = 100;
  await looks(12);
  assert.ok(((await replicas()) ?? 9) <= 2, `${await replicas()}`);
  const told = log.of('default/web') ?? [];
  const change = told.find(({ desired, current }) => desired > current);
  assert.equal(change?.because, 'trigger busy');
  assert.equal(change?.triggers[0]?.value, 90_000);
});

test('figures that are missing, late, no number or of a part of the pods never take anything away', async (t) => {
  const { deploy, create, looks, replicas, figures, condition, events, settle } = await cloud(t);
  await deploy(4);
  await create(byTriggers);
  figures.cpu = undefined;
  await looks(8);
  assert.equal(await replicas(), 4);
  assert.match(
    (await condition('ScalingActive')) ?? '',
    /^False FailedGetMetric: trigger busy: no metrics returned from resource metrics API; .*nothing is taken away meanwhile$/,
  );
  assert.equal((await events()).filter((text) => text.startsWith('FailedGetMetric')).length, 1);
  figures.cpu = Number.NaN;
  await looks(8);
  assert.equal(await replicas(), 4);
  figures.cpu = 100;
  figures.lateMs = 600_000;
  await looks(8);
  assert.equal(await replicas(), 4);
  figures.lateMs = 0;
  figures.silent = 1;
  await looks(8);
  assert.equal(await replicas(), 4);
  // Those that are heard of are enough to know that more are needed.
  figures.cpu = 1200;
  await looks(4);
  assert.equal(await replicas(), 6);
  figures.silent = 0;
  figures.cpu = 100;
  await settle();
  await looks(10);
  assert.ok(((await replicas()) ?? 9) < 6);
});

test('capacity is demand and buffer; what is not known takes nothing away', async (t) => {
  const { deploy, create, looks, replicas, figures, condition, policy } = await cloud(t);
  await deploy(3);
  figures.queue = 45_000;
  await create(byQueue);
  await looks(2);
  assert.equal(await replicas(), 6, 'five for 45, and one in reserve');
  assert.equal((await policy()).status?.demand, '45');
  figures.queue = 44_000;
  await looks(8);
  assert.equal(await replicas(), 6);
  figures.queue = undefined;
  await looks(8);
  assert.equal(await replicas(), 6);
  assert.match(
    (await condition('ScalingActive')) ?? '',
    /^False FailedGetMetric: demand: no metrics returned/,
  );
  figures.queue = 4_000;
  await looks(6);
  assert.equal(await replicas(), 2);
  assert.equal(await condition('ScalingActive'), 'True ValidMetricFound: every metric was read');
});

test('constraints: bounds, steps and rates', async (t) => {
  const { deploy, create, looks, replicas, figures, client, condition, settle } = await cloud(t);
  await deploy(2);
  figures.queue = 1_000_000;
  await create({
    ...byQueue,
    cooldown: '0s',
    constraints: {
      minReplicas: 1,
      maxReplicas: 12,
      maxStep: 3,
      maxRate: { replicas: 5, period: '10m' },
      stabilization: '0s',
    },
  });
  await settle();
  assert.equal(await replicas(), 5);
  await settle();
  await looks(1);
  assert.equal(await replicas(), 7, 'two are left of five');
  await looks(4);
  assert.equal(await replicas(), 7);
  assert.equal(
    await condition('ScalingLimited'),
    'True RateLimit: changes are at most 5 replicas within 10m',
  );
  await looks(42);
  assert.equal(await replicas(), 12);
  // Out of the bounds it comes back at once.
  await client.patch(deploymentsRef, 'default', 'web', 'merge', { spec: { replicas: 20 } });
  await looks(2);
  assert.equal(await replicas(), 12);
});

test('an autoscaler goes before a policy, and an older policy before a younger', async (t) => {
  const { deploy, create, looks, replicas, figures, condition, client, events } = await cloud(t);
  await deploy(2);
  figures.queue = 100_000;
  await client.create<HorizontalPodAutoscaler>(horizontalPodAutoscalersRef, {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'old', namespace: 'default' },
    spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, maxReplicas: 5 },
  });
  await create(byQueue);
  await looks(2);
  assert.equal(await replicas(), 2);
  assert.equal(
    await condition('ScalingActive'),
    'False AmbiguousTarget: Deployment "web" is scaled by HorizontalPodAutoscaler "old": this policy leaves it alone',
  );
  assert.equal((await events()).filter((text) => text.startsWith('AmbiguousTarget')).length, 1);
  await client.delete(horizontalPodAutoscalersRef, 'default', 'old');
  await looks(2);
  assert.equal(await replicas(), 10);
  await create({ ...byQueue, constraints: { maxReplicas: 3 } }, 'younger');
  await looks(3);
  assert.equal(await replicas(), 10);
  assert.match((await condition('ScalingActive', 'younger')) ?? '', /is scaled by ElasticityPolicy "web"/);
});

test('a restart forgets neither the cooldown nor what was wished for; a clock that is set changes nothing', async (t) => {
  const { deploy, create, looks, replicas, figures, restart, clock } = await cloud(t);
  await deploy(2);
  figures.queue = 80_000;
  await create({ ...byQueue, cooldown: '10m', constraints: { maxReplicas: 10, stabilization: '5m' } });
  await looks(2);
  assert.equal(await replicas(), 9);
  figures.queue = 1000;
  restart();
  await looks(30);
  assert.equal(await replicas(), 9, 'the cooldown of before the restart');
  clock.jump(86_400_000);
  await looks(4);
  assert.equal(await replicas(), 9, 'a jump is no time that passed');
  await looks(12);
  assert.equal(await replicas(), 2);
});

test('a settled policy writes nothing', async (t) => {
  const { deploy, create, looks, figures, policy } = await cloud(t);
  await deploy(2);
  figures.queue = 10_000;
  await create(byQueue);
  await looks(6);
  const before = (await policy()).metadata.resourceVersion;
  await looks(40);
  assert.equal((await policy()).metadata.resourceVersion, before);
});

test('a predictive policy says why it does not predict, and keeps what it learns', async (t) => {
  const { deploy, create, looks, figures, client, condition, restart, policy } = await cloud(t);
  await deploy(2);
  figures.queue = 20_000;
  await create({ ...byQueue, mode: 'Predictive', prediction: { season: '1h', horizon: '1m' } });
  await looks(4);
  assert.equal(
    await condition('Predicting'),
    'False HistoryTooShort: less than 1h has been seen: the policy goes by what is',
  );
  await looks(60);
  const history = await client.get<ElasticityHistory>(elasticityHistoriesRef, 'default', 'web');
  assert.equal(history.metadata.ownerReferences?.[0]?.uid, (await policy()).metadata.uid);
  const { steps = 0, profile = [] } = history.status ?? {};
  assert.ok(steps > 5 && steps < 20, `${steps} steps`);
  assert.equal(profile.length, 48);
  restart();
  await looks(190);
  assert.match((await condition('Predicting')) ?? '', /^False ForecastNoBetter/);
  const later = await client.get<ElasticityHistory>(elasticityHistoriesRef, 'default', 'web');
  assert.ok((later.status?.steps ?? 0) > 40, `${later.status?.steps} steps`);
});

test('a predictive policy has the replicas before the demand comes', async (t) => {
  const { deploy, create, looks, replicas, figures, condition, clock, settle, policy } = await cloud(t);
  await deploy(2);
  const hourMs = 3_600_000;
  const waveAt = (ms: number): number => 40_000 + 30_000 * Math.sin((2 * Math.PI * ms) / hourMs);
  await create({
    ...byQueue,
    cooldown: '15s',
    mode: 'Predictive',
    prediction: { season: '1h', horizon: '3m', percentile: 99 },
    constraints: { maxReplicas: 20, stabilization: '5m' },
    capacity: { metric: queue, perReplica: '10', buffer: 0 },
  });
  const run = async (count: number, each?: () => Promise<void>): Promise<void> => {
    for (let i = 0; i < count; i++) {
      figures.queue = waveAt(clock.nowMs());
      await looks(1);
      await each?.();
    }
  };
  await run(3 * 240);
  assert.equal(
    await condition('Predicting'),
    'True ForecastUsed: capacity follows the demand that is forecast',
  );
  let late = 0;
  await run(240, async () => {
    const needed = Math.ceil(waveAt(clock.nowMs() + 150_000) / 10_000);
    if (((await replicas()) ?? 0) < needed) late++;
  });
  // One that goes by what is would be late by three minutes all through the rise: some hundred looks.
  assert.ok(late <= 20, `late in ${late} of 240 looks`);
  const { forecast } = (await policy()).status ?? {};
  assert.ok((forecast?.errorPercent ?? 100) < (forecast?.steadyErrorPercent ?? 0), JSON.stringify(forecast));
  // Figures that are missing: what is there stays.
  const before = await replicas();
  figures.queue = undefined;
  await looks(20);
  await settle();
  assert.ok(((await replicas()) ?? 0) >= (before ?? 0));
});

test('the same figures are not decided on twice, though pods have gone meanwhile', async (t) => {
  const { deploy, create, figures, asked, clock, settle, replicas, policy } = await cloud(t);
  figures.cpu = 200;
  await deploy(6);
  await create({ capacity: { metric: cpu, perReplica: '400m', buffer: 0, tolerance: '0%' }, cooldown: '0s' });
  while ((await replicas()) === 6) await clock.advance(5);
  // Before the status is seen: who is left has the figures of a sixth of the load still.
  await settle();
  await clock.advance(10_000);
  assert.deepEqual([await replicas(), asked.count], [3, 1]);
  assert.equal((await policy()).status?.desiredReplicas, 3);
  figures.cpu = 400;
  await clock.advance(6000);
  await settle();
  assert.deepEqual([await replicas(), asked.count], [3, 2]);
});
