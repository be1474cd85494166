/**
 * For tests: controllers on an API in memory, under simulated time, with nodes that are only imagined.
 * The imagined agent starts every pod after `startMs` and ends terminating ones after `stopMs`.
 */
import type { Deployment, KubeObject, Pod, ReplicaSet } from '../api/index.ts';
import {
  type Client,
  createFakeClient,
  createInformers,
  type FakeClient,
  type Informers,
  type ResourceRef,
  type WatchHandler,
  type WatchOptions,
} from '../client/index.ts';
import { formatTime, type Log, SeededRandom, SimulatedClock, silentLog } from '../lib/index.ts';
import { isFinished } from './pod-state.ts';
import { deploymentsRef, podsRef, replicaSetsRef } from './resources.ts';
import { type Controller, type RunningController, type ShellOptions, startController } from './shell.ts';

export interface TestCluster {
  readonly clock: SimulatedClock;
  readonly client: FakeClient;
  readonly informers: Informers;
  readonly options: ShellOptions;
  /** How pods fare; may be changed at any time. `undefined` start: never ready. */
  readonly agent: {
    startMs: (pod: Pod) => number | undefined;
    stopMs: number;
    /** How long its containers run, and with which code they exit; undefined: for ever. */
    ends?: (pod: Pod) => { readonly afterMs: number; readonly exitCode: number } | undefined;
  };
  start<Observed>(make: (informers: Informers) => Controller<Observed>): RunningController;
  pods(): readonly Pod[];
  replicaSets(): readonly ReplicaSet[];
  deployment(): Deployment;
  /** Requests that change something, since the last call. */
  writes(): number;
  /** Lets time pass in small steps, since the clock gives promises a bounded number of turns between two timers. */
  run(ms: number): Promise<void>;
  /** Advances until `check` holds; fails after `withinMs`. */
  until(what: string, check: () => boolean, withinMs?: number): Promise<void>;
  stop(): void;
}

/** `lagMs`: how late each event of the controllers' watches comes; in order all the same. */
export function createTestCluster(
  seed: number | string = 1,
  lagMs: () => number = () => 0,
  log: Log = silentLog,
): TestCluster {
  const clock = new SimulatedClock();
  const random = new SeededRandom(seed);
  const client = createFakeClient({ clock, random: random.stream('api') });
  const seen = late(client, clock, lagMs);
  const informers = createInformers({ client: seen, clock, random: random.stream('informers'), log });
  const options = { client, informers, clock, random, log };
  const running: RunningController[] = [];
  const agent: TestCluster['agent'] = { startMs: () => 100, stopMs: 100 };
  let counted = 0;
  imagineAgent(client, clock, agent);
  return {
    clock,
    client,
    informers,
    options,
    agent,
    start(make) {
      const controller = startController(make(informers), options);
      running.push(controller);
      return controller;
    },
    pods: () => client.objects<Pod>(podsRef),
    replicaSets: () => client.objects<ReplicaSet>(replicaSetsRef),
    deployment: () => client.objects<Deployment>(deploymentsRef)[0] as Deployment,
    writes() {
      const recent = client.requests.slice(counted);
      counted = client.requests.length;
      return recent.filter(({ verb }) => !['get', 'list', 'watch'].includes(verb)).length;
    },
    async run(ms) {
      const stepMs = Math.max(50, ms / 100);
      for (let passed = 0; passed < ms; passed += stepMs) await clock.advance(Math.min(stepMs, ms - passed));
    },
    async until(what, check, withinMs = 120_000) {
      for (let waited = 0; !check(); waited += 50) {
        if (waited >= withinMs) throw new Error(`seed ${seed}: not within ${withinMs} ms: ${what}`);
        await clock.advance(50);
      }
    },
    stop() {
      for (const controller of running) controller.stop();
      informers.stop();
    },
  };
}

function late(client: FakeClient, clock: SimulatedClock, lagMs: () => number): Client {
  return {
    get: (...call) => client.get(...call),
    list: (...call) => client.list(...call),
    create: (...call) => client.create(...call),
    createSubresource: (...call) => client.createSubresource(...call),
    update: (...call) => client.update(...call),
    patch: (...call) => client.patch(...call),
    delete: (...call) => client.delete(...call),
    watch<T extends KubeObject>(ref: ResourceRef, options: WatchOptions, handler: WatchHandler<T>) {
      let dueMs = 0;
      return client.watch<T>(ref, options, {
        onEnd: (error) => handler.onEnd(error),
        onEvent(event) {
          const lag = lagMs();
          dueMs = Math.max(dueMs, clock.monotonicMs() + lag);
          if (dueMs <= clock.monotonicMs()) handler.onEvent(event);
          else clock.after(dueMs - clock.monotonicMs(), () => handler.onEvent(event));
        },
      });
    },
  };
}

function imagineAgent(client: FakeClient, clock: SimulatedClock, agent: TestCluster['agent']): void {
  const known = new Set<string>();
  const patch = (pod: Pod, status: object): void => {
    if (
      client.peek(podsRef, `${pod.metadata.namespace}/${pod.metadata.name}`)?.metadata.uid !==
      pod.metadata.uid
    )
      return;
    client.seed(podsRef, {
      ...(client.peek<Pod>(podsRef, `${pod.metadata.namespace}/${pod.metadata.name}`) as Pod),
      status,
    } as KubeObject);
  };
  const endPod = (pod: Pod, exitCode: number): void => {
    const present = client.peek<Pod>(podsRef, `${pod.metadata.namespace}/${pod.metadata.name}`);
    if (present === undefined || isFinished(present)) return;
    const finishedAt = formatTime(clock.nowMs());
    patch(pod, {
      phase: exitCode === 0 ? 'Succeeded' : 'Failed',
      conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: finishedAt }],
      containerStatuses: (pod.spec?.containers ?? []).map(({ name, image = '' }) => ({
        name,
        image,
        imageID: '',
        ready: false,
        restartCount: 0,
        state: { terminated: { exitCode, finishedAt } },
      })),
    });
  };
  const follow = (resourceVersion: string): unknown =>
    client.watch<Pod>(
      podsRef,
      { resourceVersion },
      {
        onEnd: () => void follow('0'),
        onEvent(event) {
          if (event.type === 'BOOKMARK') return;
          const pod = event.object;
          const uid = pod.metadata.uid ?? '';
          if (event.type === 'DELETED') return;
          if (pod.metadata.deletionTimestamp !== undefined) {
            if (known.has(`end ${uid}`)) return;
            known.add(`end ${uid}`);
            clock.after(agent.stopMs, () => {
              const key = `${pod.metadata.namespace}/${pod.metadata.name}`;
              const present = client.peek<Pod>(podsRef, key);
              if (present?.metadata.uid !== uid) return;
              if ((present.metadata.finalizers ?? []).length === 0) client.remove(podsRef, key);
              else {
                if (!isFinished(present)) patch(present, { ...present.status, phase: 'Failed' });
                const options = { gracePeriodSeconds: 0, preconditions: { uid } };
                client
                  .delete(podsRef, pod.metadata.namespace, pod.metadata.name ?? '', options)
                  .catch(() => {});
              }
            });
            return;
          }
          if (known.has(uid)) return;
          known.add(uid);
          const startMs = agent.startMs(pod);
          if (startMs === undefined) return;
          clock.after(startMs, () => {
            const now = formatTime(clock.nowMs());
            patch(pod, {
              phase: 'Running',
              conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: now }],
            });
            const end = agent.ends?.(pod);
            if (end !== undefined) clock.after(end.afterMs, () => endPod(pod, end.exitCode));
          });
        },
      },
    );
  follow('0');
}

export function aDeployment(spec: Partial<Deployment['spec']> & { image?: string } = {}): Deployment {
  const { image = 'one', ...rest } = spec;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop' },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'c', image }] },
      },
      progressDeadlineSeconds: 600,
      revisionHistoryLimit: 10,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
      ...rest,
    },
  };
}
