/** Vertical autoscalers on the real API, in memory, with figures that the test sets: status, checkpoints, pods that are made and pods that run. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type {
  Deployment,
  Event,
  KubeObject,
  Pod,
  VerticalPodAutoscaler,
  VerticalPodAutoscalerCheckpoint,
} from '../../api/index.ts';
import { customResourceDefinitions } from '../../api/index.ts';
import { createApi, createFirstObjects } from '../../apiserver/index.ts';
import { createInformers, type ResourceRef } from '../../client/index.ts';
import { formatTime, SeededRandom, SimulatedClock, silentLog } from '../../lib/index.ts';
import { createMemoryStore } from '../../store/index.ts';
import { deploymentController } from '../deployment/controller.ts';
import type { PodUse } from '../pod-autoscaler/metrics-source.ts';
import { replicaSetController } from '../replicaset/controller.ts';
import { deploymentsRef, podDisruptionBudgetsRef, podsRef } from '../resources.ts';
import { type RunningController, startController } from '../shell.ts';
import { checkpointsRef, verticalAutoscalerController, verticalPodAutoscalersRef } from './controller.ts';

const eventsRef: ResourceRef = { group: '', version: 'v1', resource: 'events', namespaced: true };

async function cloud(t: TestContext) {
  const clock = new SimulatedClock();
  const random = new SeededRandom(1);
  const store = createMemoryStore({ clock });
  const api = createApi({ store, clock, random, log: silentLog, serviceCidr: '10.131.0.0/16' });
  const client = api.client();
  await createFirstObjects(client, undefined);
  const informers = createInformers({ client, clock, random, log: silentLog });
  const figures = { cores: 0.5, bytes: 5e8, isThere: true };
  const useOf = (): PodUse => ({
    atMs: clock.nowMs(),
    windowMs: 15_000,
    containers: new Map([['c', { cpuNanocores: figures.cores * 1e9, memoryBytes: figures.bytes }]]),
  });
  const apis = {
    ask: async () => undefined,
    ownUse: () => ({ prepare: () => undefined, of: () => (figures.isThere ? useOf() : undefined) }),
  };
  const options = { client, informers, clock, random, log: silentLog };
  const start = (): RunningController =>
    startController(
      verticalAutoscalerController({
        client,
        informers,
        registry: api.context.registry,
        clock,
        apis,
      }),
      options,
    );
  let controller = start();
  const others = [
    startController(deploymentController(informers), options),
    startController(replicaSetController(informers), options),
  ];
  t.after(() => {
    for (const one of [controller, ...others]) one.stop();
    informers.stop();
    return store.close();
  });
  const pods = async (): Promise<readonly Pod[]> =>
    (await client.list<Pod>(podsRef, { namespace: 'default' })).items;
  /** An agent that starts everything, ends everything, and resizes at once. */
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 6; i++) {
      for (const { metadata, spec, status } of await pods()) {
        const { name = '' } = metadata;
        if (metadata.deletionTimestamp !== undefined)
          await client.delete(podsRef, 'default', name, { gracePeriodSeconds: 0 }).catch(() => {});
        else if (status?.phase !== 'Running') {
          const now = formatTime(clock.nowMs());
          const running = {
            phase: 'Running',
            startTime: now,
            conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: now }],
            containerStatuses: [
              {
                name: 'c',
                image: 'x:1',
                imageID: '',
                ready: true,
                restartCount: 0,
                resources: spec?.containers[0]?.resources ?? {},
                state: { running: { startedAt: now } },
              },
            ],
          };
          await client.patch(podsRef, 'default', name, 'merge', { spec: { nodeName: 'n' } }).catch(() => {});
          await client.patch(
            podsRef,
            'default',
            name,
            'merge',
            { status: running },
            { subresource: 'status' },
          );
        }
      }
      await clock.advance(100);
    }
  };
  return {
    client,
    clock,
    figures,
    pods,
    settle,
    restart() {
      controller.stop();
      controller = start();
    },
    async minutes(count: number) {
      for (let i = 0; i < count; i++) {
        await clock.advance(60_000);
        await settle();
      }
    },
    async deploy(replicas: number, requests: object = { cpu: '100m', memory: '100Mi' }, limits: object = {}) {
      await client.create<Deployment>(deploymentsRef, {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'web', namespace: 'default' },
        spec: {
          replicas,
          selector: { matchLabels: { app: 'web' } },
          template: {
            metadata: { labels: { app: 'web' } },
            spec: { containers: [{ name: 'c', image: 'x:1', resources: { requests, limits } }] },
          },
        },
      } as Deployment);
      await settle();
    },
    create: (updateMode: string, more: object = {}) =>
      client.create<VerticalPodAutoscaler>(verticalPodAutoscalersRef, {
        apiVersion: 'autoscaling.k8s.io/v1',
        kind: 'VerticalPodAutoscaler',
        metadata: { name: 'web', namespace: 'default' },
        spec: {
          targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
          updatePolicy: { updateMode },
          ...more,
        },
      } as VerticalPodAutoscaler),
    read: () => client.get<VerticalPodAutoscaler>(verticalPodAutoscalersRef, 'default', 'web'),
    async conditions() {
      const { status } = await client.get<VerticalPodAutoscaler>(verticalPodAutoscalersRef, 'default', 'web');
      return (status?.conditions ?? []).map(({ type, status: is }) => `${type}=${is}`);
    },
    cpus: async () => (await pods()).map(({ spec }) => spec?.containers[0]?.resources?.requests?.['cpu']),
    async events() {
      const { items } = await client.list<Event>(eventsRef, { namespace: 'default' });
      return items.map(({ reason, message }) => `${reason}: ${message}`);
    },
  };
}

test('a recommendation is told, with its conditions, and kept over a restart', async (t) => {
  const { deploy, create, minutes, read, conditions, client, restart, figures, cpus } = await cloud(t);
  await create('Off');
  await minutes(1);
  assert.deepEqual(await conditions(), ['ConfigUnsupported=True', 'RecommendationProvided=False']);
  await deploy(2);
  await minutes(30);
  assert.deepEqual(await conditions(), ['RecommendationProvided=True', 'LowConfidence=True']);
  const target = (await read()).status?.recommendation?.containerRecommendations?.[0]?.target;
  const milli = Number.parseInt(target?.['cpu'] ?? '', 10);
  assert.ok(milli > 570 && milli < 615, target?.['cpu'] ?? 'none');
  assert.deepEqual(await cpus(), ['100m', '100m'], 'Off');
  const checkpoint = await client.get<VerticalPodAutoscalerCheckpoint>(checkpointsRef, 'default', 'web-c');
  assert.ok((checkpoint.status?.totalSamplesCount ?? 0) > 40);
  figures.isThere = false;
  restart();
  await minutes(5);
  const again = (await read()).status?.recommendation?.containerRecommendations?.[0]?.target;
  assert.deepEqual(again, target);
});

test('Initial: pods that are made get it, limits in proportion; pods that run are let be', async (t) => {
  const { deploy, create, minutes, settle, pods, client, cpus } = await cloud(t);
  await deploy(2, { cpu: '100m', memory: '100Mi' }, { cpu: '200m' });
  await create('Initial');
  await minutes(20);
  assert.deepEqual(await cpus(), ['100m', '100m']);
  const [first] = await pods();
  await client.delete(podsRef, 'default', first?.metadata.name ?? '', { gracePeriodSeconds: 0 });
  await settle();
  const made = (await pods()).find(({ metadata }) => metadata.annotations?.['vpaUpdates'] !== undefined);
  assert.equal(
    made?.metadata.annotations?.['vpaUpdates'],
    'Pod resources updated by web: container 0: cpu request, cpu limit, memory request',
  );
  assert.equal(made?.metadata.annotations?.['vpaObservedContainers'], 'c');
  const { requests, limits } = made?.spec?.containers[0]?.resources ?? {};
  const cpu = Number.parseInt(requests?.['cpu'] ?? '', 10);
  assert.ok(cpu > 570, requests?.['cpu'] ?? 'none');
  assert.equal(
    limits?.['cpu'],
    cpu * 2 >= 1000 && (cpu * 2) % 1000 === 0 ? String((cpu * 2) / 1000) : `${cpu * 2}m`,
  );
  assert.equal(limits?.['memory'], undefined);
});

test('Recreate: one after the other, and not against a budget', async (t) => {
  const { deploy, create, minutes, cpus, client, events } = await cloud(t);
  await deploy(4);
  const budget = {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'all', namespace: 'default' },
    spec: { minAvailable: 4, selector: { matchLabels: { app: 'web' } } },
  };
  await client.create(podDisruptionBudgetsRef, budget as KubeObject);
  await create('Recreate');
  await minutes(10);
  assert.deepEqual(await cpus(), ['100m', '100m', '100m', '100m'], 'the budget');
  await client.delete(podDisruptionBudgetsRef, 'default', 'all');
  await minutes(1);
  assert.equal((await cpus()).filter((cpu) => cpu === '100m').length, 3, 'one at a look');
  await minutes(6);
  assert.equal((await cpus()).filter((cpu) => cpu === '100m').length, 0);
  assert.ok(
    (await events()).includes(
      'EvictedByVPA: Pod was evicted by VPA Updater to apply resource recommendation.',
    ),
  );
});

test('InPlaceOrRecreate: in place, and no pod goes', async (t) => {
  const { deploy, create, minutes, cpus, pods, events } = await cloud(t);
  await deploy(3);
  const before = (await pods()).map(({ metadata }) => metadata.uid).sort();
  await create('InPlaceOrRecreate');
  await minutes(6);
  assert.equal((await cpus()).filter((cpu) => cpu === '100m').length, 0);
  assert.deepEqual((await pods()).map(({ metadata }) => metadata.uid).sort(), before);
  assert.ok((await events()).includes('InPlaceResizedByVPA: Pod was resized in place by VPA Updater.'));
});

test('what cannot be resized in place is evicted by InPlaceOrRecreate, and let be by InPlace', async (t) => {
  // Of a pod without requests the class would change, which no resize may do.
  for (const [mode, changed] of [
    ['InPlace', 0],
    ['InPlaceOrRecreate', 2],
  ] as const) {
    const { deploy, create, minutes, cpus } = await cloud(t);
    await deploy(2, {});
    await create(mode);
    await minutes(12);
    assert.equal((await cpus()).filter((cpu) => cpu !== undefined).length, changed, mode);
  }
});

test('a container that runs out of memory is recommended more', async (t) => {
  const { deploy, create, minutes, read, pods, client, clock } = await cloud(t);
  await deploy(1, { cpu: '100m', memory: '100Mi' }, { memory: '1Gi' });
  await create('Off');
  await minutes(20);
  const memory = async () =>
    Number.parseInt(
      (await read()).status?.recommendation?.containerRecommendations?.[0]?.target?.['memory'] ?? '',
      10,
    );
  const before = await memory();
  const name = (await pods())[0]?.metadata.name ?? '';
  const now = formatTime(clock.nowMs());
  const status = {
    containerStatuses: [
      {
        name: 'c',
        image: 'x:1',
        imageID: '',
        ready: true,
        restartCount: 1,
        state: { running: { startedAt: now } },
        lastState: {
          terminated: { exitCode: 137, reason: 'OOMKilled', startedAt: now, finishedAt: now },
        },
      },
    ],
  };
  await client.patch(podsRef, 'default', name, 'strategic', { status }, { subresource: 'status' });
  await minutes(2);
  const after = await memory();
  assert.ok(after > before && after > 1.2 * 2 ** 30, `${before} ${after}`);
  await minutes(5);
  assert.equal(await memory(), after, 'once');
});

const boost = (more: object = {}) => ({ startupBoost: { cpu: { type: 'Factor', factor: 3, ...more } } });

test('a start gets more CPU, in every mode, until the pod is Ready, and no pod goes for it', async (t) => {
  for (const mode of ['Off', 'InPlaceOrRecreate', 'Recreate']) {
    const { deploy, create, minutes, settle, pods, cpus, events, figures } = await cloud(t);
    figures.isThere = false;
    await create(mode, boost());
    await deploy(2, { cpu: '100m', memory: '100Mi' }, { cpu: '1' });
    const [pod] = await pods();
    assert.match(pod?.metadata.annotations?.['startup-cpu-boost'] ?? '', /"boosted":"300m"/);
    await settle();
    assert.deepEqual(await cpus(), ['100m', '100m'], `${mode}: at once, not at the next look`);
    assert.deepEqual((await pods())[0]?.spec?.containers[0]?.resources?.limits, { cpu: '1' });
    const before = (await pods()).map(({ metadata }) => `${metadata.uid} ${metadata.resourceVersion}`);
    await minutes(5);
    const after = (await pods()).map(({ metadata }) => `${metadata.uid} ${metadata.resourceVersion}`);
    assert.deepEqual(after, before, `${mode}: nothing more is done`);
    const told = (await events()).filter((text) => text.startsWith('InPlaceResizedByVPA'));
    assert.equal(told.length > 0, true);
  }
});

test('a boost lasts for as long as it says after the pod is Ready, and ends with what is recommended then', async (t) => {
  const { deploy, create, minutes, settle, clock, pods, cpus } = await cloud(t);
  await create('InPlaceOrRecreate', boost({ durationSeconds: 240 }));
  await deploy(1, { cpu: '400m', memory: '100Mi' });
  assert.deepEqual(await cpus(), ['1200m']);
  const [before] = await pods();
  await minutes(3);
  assert.deepEqual(await cpus(), ['1200m'], 'not before');
  await clock.advance(65_000);
  await settle();
  const [cpu = ''] = await cpus();
  assert.ok(Number.parseInt(cpu, 10) > 570 && Number.parseInt(cpu, 10) < 615, cpu);
  assert.equal((await pods())[0]?.metadata.uid, before?.metadata.uid);
});

test('who brings the definitions of the other project has nothing done by this one', async (t) => {
  const { deploy, create, minutes, cpus, client, read } = await cloud(t);
  await deploy(2);
  await create('InPlaceOrRecreate');
  await client.create(customResourceDefinitions, {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: 'verticalpodautoscalers.autoscaling.k8s.io',
      annotations: { 'api-approved.kubernetes.io': 'https://github.com/kubernetes/kubernetes/pull/63797' },
    },
    spec: {
      group: 'autoscaling.k8s.io',
      scope: 'Namespaced',
      names: { kind: 'VerticalPodAutoscaler', plural: 'verticalpodautoscalers' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        },
      ],
    },
  } as KubeObject);
  await minutes(10);
  assert.deepEqual(await cpus(), ['100m', '100m']);
  assert.equal((await read()).spec.targetRef.name, 'web', 'the object stays');
});
