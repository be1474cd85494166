/** What our autoscaler decides over many looks, beside the reference: any metrics, behaviour, pods in all states, figures that are missing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerSpec,
  MetricSpec,
  Pod,
} from '../../api/index.ts';
import { AutoscalerMemory } from '../../controllers/pod-autoscaler/memory.ts';
import { type Decision, decide } from '../../controllers/pod-autoscaler/plan.ts';
import type { Reading } from '../../controllers/pod-autoscaler/readings.ts';
import { deploymentsRef } from '../../controllers/resources.ts';
import { type Figure, ReferenceAutoscaler, type Told } from './pod-autoscaler.ts';
import { type Choices, forEachCase } from './test-cases.ts';

const startMs = Date.parse('2026-06-01T00:00:00Z');
const time = (ms: number): string => new Date(ms).toISOString();

function behaviorOf(choices: Choices): HorizontalPodAutoscalerSpec['behavior'] {
  const rules = (windows: readonly number[]) => ({
    stabilizationWindowSeconds: choices.one(windows),
    selectPolicy: choices.one(['Max', 'Max', 'Min', 'Disabled']),
    policies: choices.list(1, 3, () => ({
      type: choices.one(['Pods', 'Percent']),
      value: choices.one([1, 2, 3, 10, 25, 50, 100, 150]),
      periodSeconds: choices.one([15, 60, 300, 1800]),
    })),
    ...choices.maybe(0.3, 'tolerance', () => choices.one(['0', '10m', '50m', '300m'])),
  });
  return { scaleUp: rules([0, 0, 30, 120]), scaleDown: rules([0, 60, 300]) };
}

function metricOf(choices: Choices): MetricSpec {
  const average = { type: 'AverageValue', averageValue: choices.one(['50m', '500m', '1', '3']) };
  const utilization = { type: 'Utilization', averageUtilization: choices.one([10, 50, 75, 100, 130]) };
  const value = { type: 'Value', value: choices.one(['500m', '2', '10']) };
  const metric = { name: 'm' };
  switch (choices.between(0, 6)) {
    case 0:
      return { type: 'Resource', resource: { name: 'cpu', target: choices.one([average, utilization]) } };
    case 1:
      return { type: 'Resource', resource: { name: 'memory', target: choices.one([average, utilization]) } };
    case 2: {
      const container = choices.one(['a', 'b', 'none']);
      return {
        type: 'ContainerResource',
        containerResource: { name: 'cpu', container, target: choices.one([average, utilization]) },
      };
    }
    case 3:
      return { type: 'Pods', pods: { metric, target: average } };
    case 4: {
      const describedObject = { kind: 'Service', name: 's' };
      return { type: 'Object', object: { metric, describedObject, target: choices.one([average, value]) } };
    }
    default:
      return { type: 'External', external: { metric, target: choices.one([average, value]) } };
  }
}

function podOf(choices: Choices, name: string, nowMs: number): Pod {
  const startedMs = nowMs - choices.one([5, 20, 60, 200, 400, 4000]) * 1000;
  const isReady = choices.chance(0.85);
  const changedMs = startedMs + choices.one([1, 10, 29, 30, 31, 100]) * 1000;
  const request = () => ({
    requests: {
      ...choices.maybe(0.99, 'cpu', () => choices.one(['100m', '250m', '1'])),
      ...choices.maybe(0.99, 'memory', () => choices.one(['500m', '1', '2'])),
    },
  });
  return {
    metadata: { name, ...choices.maybe(0.05, 'deletionTimestamp', () => time(nowMs)) },
    spec: {
      containers: ['a', 'b']
        .slice(0, choices.between(1, 2))
        .map((container) => ({ name: container, resources: request() })),
    },
    status: {
      phase: choices.one([
        'Running',
        'Running',
        'Running',
        'Running',
        'Running',
        'Pending',
        'Failed',
        'Succeeded',
      ]),
      ...choices.maybe(0.97, 'startTime', () => time(startedMs)),
      conditions: choices.chance(0.97)
        ? [{ type: 'Ready', status: isReady ? 'True' : 'False', lastTransitionTime: time(changedMs) }]
        : [],
    },
  };
}

function toldOf(
  choices: Choices,
  metric: MetricSpec,
  pods: readonly Pod[],
  level: number,
  nowMs: number,
): Told {
  if (choices.chance(0.08)) return { error: 'it is not there' };
  if (metric.object !== undefined || metric.external !== undefined)
    return { value: choices.chance(0.1) ? 0 : Math.round(level * choices.between(0, 30_000)) };
  const figures = new Map<string, Figure>();
  const share = choices.one([1, 1, 0.8, 0.3]);
  for (const { metadata, status } of pods)
    if (status?.phase === 'Running' && choices.chance(share))
      figures.set(metadata.name ?? '', {
        milli: Math.round(level * choices.between(0, 1200)),
        atMs: nowMs - choices.one([0, 5, 14]) * 1000,
        windowMs: choices.one([1, 15, 30]) * 1000,
      });
  return { pods: figures };
}

const readingOf = (told: Told): Reading =>
  'error' in told
    ? { kind: 'failed', message: told.error }
    : 'value' in told
      ? { kind: 'value', milli: told.value }
      : { kind: 'pods', samples: told.pods };

const verdictOf = ({ desired, recommended, conditions, reason }: Decision) => {
  const of = (type: string) => conditions.find((one) => one.type === type);
  const isDecided = recommended !== undefined;
  const limited = of('ScalingLimited');
  return {
    replicas: desired,
    asked: recommended,
    able: isDecided ? (of('AbleToScale')?.reason ?? '') : '',
    limited: isDecided ? `${limited?.status} ${limited?.reason}` : '',
    reason,
  };
};

test('decide() scales as the reference does, look after look', (t) => {
  let [ups, downs, blind, limited] = [0, 0, 0, 0];
  forEachCase(t, 1500, (choices) => {
    const minReplicas = choices.one([1, 1, 2, 0]);
    const spec: HorizontalPodAutoscalerSpec = {
      scaleTargetRef: { kind: 'Deployment', name: 'web' },
      minReplicas,
      maxReplicas: choices.one([3, 10, 50]),
      metrics: choices.list(1, 3, () => metricOf(choices)),
      ...choices.maybe(0.6, 'behavior', () => behaviorOf(choices) ?? {}),
    };
    const reference = new ReferenceAutoscaler();
    const memory = new AutoscalerMemory();
    let specReplicas = choices.one([0, 1, 2, 5, 10, 12]);
    let nowMs = startMs;
    for (let look = 0; look < 6; look++) {
      nowMs += choices.one([0, 1, 15, 15, 15, 60, 290, 400]) * 1000;
      if (choices.chance(0.1)) specReplicas = choices.between(0, 12);
      const pods = Array.from(
        { length: choices.chance(0.9) ? specReplicas : choices.between(0, 4) },
        (_, at) => podOf(choices, `p${at}`, nowMs),
      );
      const statusReplicas = choices.chance(0.8) ? specReplicas : choices.between(0, 12);
      const level = choices.one([0, 0.2, 0.9, 1, 1.1, 3]);
      const told = (spec.metrics ?? []).map((metric) => toldOf(choices, metric, pods, level, nowMs));
      const expected = reference.look(spec, { nowMs, pods, specReplicas, statusReplicas, told });
      const autoscaler: HorizontalPodAutoscaler = { metadata: { name: 'web', namespace: 'shop' }, spec };
      const object = { metadata: { name: 'web', namespace: 'shop' } };
      const target = { ref: deploymentsRef, object, specReplicas, statusReplicas };
      memory.begin(specReplicas, nowMs);
      const observed = {
        autoscaler,
        target,
        selection: { pods },
        readings: told.map(readingOf),
        history: memory.history,
      };
      const decision = decide(observed, nowMs, nowMs);
      memory.recommended(spec, decision.recommended, nowMs);
      if (decision.isRescale) memory.changed(spec, decision.desired - decision.current, nowMs);
      const { reason, ...verdict } = verdictOf(decision);
      assert.deepEqual(
        verdict,
        expected,
        `look ${look}: ${JSON.stringify({ spec, specReplicas, statusReplicas, told, reason })}`,
      );
      if (expected.replicas > specReplicas) ups++;
      if (expected.replicas < specReplicas) downs++;
      if (expected.asked === undefined) blind++;
      if (expected.limited.startsWith('True')) limited++;
      // Nothing goes down while a metric cannot be read.
      if (expected.asked !== undefined && told.some((one) => 'error' in one))
        assert.ok(expected.asked >= specReplicas);
      specReplicas = expected.replicas;
    }
  });
  if (process.env['CAELUM_SEED'] === undefined)
    assert.ok(Math.min(ups, downs, blind, limited) > 300, JSON.stringify({ ups, downs, blind, limited }));
});
