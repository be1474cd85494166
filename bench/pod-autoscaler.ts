/**
 * Deciding about 1,000 autoscalers, each of a Deployment with 10 pods, all in one namespace: read the target, its pods and what they use, decide, and say what
 * has to be written. At rest (nothing changes), and where every one scales. The peer decides the same, but finds pods and figures as a controller does that
 * goes through lists: it is measured on a part of them.
 */
import type { Deployment, HorizontalPodAutoscaler, KubeObject, Pod } from '../src/api/index.ts';
import {
  builtinKinds,
  deployments,
  horizontalPodAutoscalers,
  labelPredicate,
  parseLabelSelector,
  pods as podsRef,
} from '../src/api/index.ts';
import { createFakeClient, createInformers } from '../src/client/index.ts';
import { podAutoscalerController } from '../src/controllers/pod-autoscaler/controller.ts';
import { createMetricsSource, type PodUse } from '../src/controllers/pod-autoscaler/metrics-source.ts';
import { concludeWith, decide, stepsOf } from '../src/controllers/pod-autoscaler/plan.ts';
import { readAll } from '../src/controllers/pod-autoscaler/readings.ts';
import { findTarget } from '../src/controllers/pod-autoscaler/targets.ts';
import { formatTime, SeededRandom, SimulatedClock, silentLog } from '../src/lib/index.ts';
import { type Benchmark, costFigure } from './benchmark.ts';

const targets = 1_000;
const podsEach = 10;
/** Of which the peer decides. */
const part = 50;
const rounds = 5;
const namespace = 'shop';

function objectsOf(
  index: number,
  nowMs: number,
): readonly [Deployment, HorizontalPodAutoscaler, readonly Pod[]] {
  const labels = { app: `app-${index}`, tier: 'front' };
  const resources = { requests: { cpu: '100m', memory: '64Mi' } };
  const template = {
    metadata: { labels },
    spec: { containers: ['web', 'log'].map((name) => ({ name, image: 'x', resources })) },
  };
  const long = formatTime(nowMs - 3_600_000);
  const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: long }];
  const name = `app-${index}`;
  const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name };
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace },
      spec: { replicas: podsEach, selector: { matchLabels: labels }, template },
      status: { replicas: podsEach },
    },
    {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name, namespace, generation: 1 },
      spec: {
        scaleTargetRef,
        minReplicas: 1,
        maxReplicas: 100,
        metrics: [
          {
            type: 'Resource',
            resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } },
          },
        ],
      },
    },
    Array.from({ length: podsEach }, (_, at) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `${name}-${at}`, namespace, labels },
      spec: template.spec,
      status: { phase: 'Running', startTime: long, conditions },
    })),
  ];
}

export const bench: Benchmark = {
  description: '1,000 autoscalers of 10 pods each, looked at once: CPU time of all decisions',
  seconds: 20,
  async run(say) {
    const clock = new SimulatedClock();
    const random = new SeededRandom(1);
    const client = createFakeClient({ clock, random });
    for (let index = 0; index < targets; index++) {
      const [deployment, autoscaler, pods] = objectsOf(index, clock.nowMs());
      for (const [ref, object] of [
        [deployments, deployment],
        [horizontalPodAutoscalers, autoscaler],
        ...pods.map((pod) => [podsRef, pod] as const),
      ] as const)
        client.seed(ref, object as KubeObject);
    }
    const informers = createInformers({ client, clock, random, log: silentLog });
    /** Thousandths of a core that each container uses. */
    let milli = 50;
    const useOf = (): PodUse => {
      const one = { cpuNanocores: milli * 1_000_000, memoryBytes: 2 ** 25 };
      return {
        atMs: clock.nowMs(),
        windowMs: 15_000,
        containers: new Map([
          ['web', one],
          ['log', one],
        ]),
      };
    };
    const use = { prepare: () => undefined, of: useOf };
    const pods = informers.informer<Pod>(podsRef);
    const autoscalers = informers.informer<HorizontalPodAutoscaler>(horizontalPodAutoscalers);
    await clock.advance(10);
    const metrics = createMetricsSource({
      registry: builtinKinds,
      apis: { ask: async () => undefined, ownUse: () => use },
      podsOf: () => [],
    });
    const controller = podAutoscalerController({ client, informers, registry: builtinKinds, clock, metrics });
    const keys = Array.from({ length: targets }, (_, index) => `${namespace}/app-${index}`);
    let steps = 0;
    const ours = async (): Promise<void> => {
      for (const key of keys) {
        const observed = await controller.observe(key);
        if (observed === undefined) throw new Error(`${key} is there`);
        const context = { nowMs: clock.nowMs() };
        steps += controller.plan(observed, context).length;
        steps += controller.conclude?.(observed, context, undefined).length ?? 0;
      }
    };
    const naive = async (): Promise<void> => {
      const slow = createMetricsSource({
        registry: builtinKinds,
        apis: {
          ask: async (_group, _versions, { parameters }) => {
            const matches = parseLabelSelector(parameters['labelSelector']);
            return listed(
              [...pods.list()].filter(({ metadata }) => matches?.(metadata.labels)),
              useOf(),
            );
          },
          ownUse: () => undefined,
        },
        podsOf: () => [],
      });
      for (const key of keys.slice(0, part)) {
        const autoscaler = autoscalers.get(key);
        if (autoscaler === undefined) throw new Error(`${key} is there`);
        const { target, selection } = await findTarget(
          client,
          builtinKinds,
          namespace,
          autoscaler.spec.scaleTargetRef,
        );
        if ('error' in target || 'error' in selection) throw new Error(`the target of ${key} is there`);
        const matches = labelPredicate({
          matchLabels: { app: key.slice(namespace.length + 1), tier: 'front' },
        });
        const selected = [...pods.list()].filter(({ metadata }) => matches(metadata.labels));
        const readings = await readAll(slow, autoscaler, selection.text, selected);
        const observed = {
          autoscaler,
          target,
          selection: { pods: selected },
          readings,
          history: { recommendations: [], changes: [] },
        };
        const decision = decide(observed, clock.nowMs());
        steps +=
          stepsOf(observed, decision).length +
          concludeWith(observed, decision, clock.nowMs(), undefined).length;
      }
    };
    const [rest, busy, lists]: [number[], number[], number[]] = [[], [], []];
    for (let round = -1; round < rounds; round++) {
      // Nobody is looked at twice within a period.
      await clock.advance(15_000);
      milli = 50;
      const atRest = await cpuMs(ours);
      await clock.advance(15_000);
      milli = 90;
      const scaling = await cpuMs(ours);
      const peer = ((await cpuMs(naive)) * targets) / part;
      say(
        `at rest ${atRest.toFixed(1)} ms, all scaling ${scaling.toFixed(1)} ms; by lists ${peer.toFixed(0)} ms (of ${part}, times ${targets / part})`,
      );
      if (round < 0) continue;
      rest.push(atRest);
      busy.push(scaling);
      lists.push(peer);
    }
    informers.stop();
    if (steps === 0) throw new Error('something is decided');
    const peer = { name: 'going through lists', runs: lists };
    return [
      { ...costFigure('HPA decisions, 1,000 at rest', 'ms', rest, peer), goal: '≤ 100 ms' },
      { ...costFigure('HPA decisions, 1,000 that scale', 'ms', busy, peer), goal: '≤ 100 ms' },
    ];
  },
};

/** As another server would tell it. */
const listed = (pods: Iterable<Pod>, { containers }: PodUse): object => ({
  items: [...pods].map(({ metadata }) => ({
    metadata,
    timestamp: '2026-01-01T00:00:00Z',
    window: '15s',
    containers: [...containers].map(([name, { cpuNanocores }]) => ({
      name,
      usage: { cpu: `${cpuNanocores}n`, memory: '32Mi' },
    })),
  })),
});

async function cpuMs(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
