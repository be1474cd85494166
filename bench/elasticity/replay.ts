/**
 * A workload under a load, scaled by one of three: an elasticity policy that looks ahead, one that does not, and a horizontal autoscaler. Each decides with
 * its controller's own core, every 15 s, on figures half a minute old; a new pod carries load after `startMs`.
 */
import type { ElasticityPolicy, HorizontalPodAutoscaler } from '../../src/api/index.ts';
import { Forecaster } from '../../src/controllers/elasticity/forecast.ts';
import { decide as decidePolicy, type Memory } from '../../src/controllers/elasticity/plan.ts';
import { AutoscalerMemory } from '../../src/controllers/pod-autoscaler/memory.ts';
import { decide as decideAutoscaler, type Target } from '../../src/controllers/pod-autoscaler/plan.ts';
import type { Load } from './loads.ts';

export type Scaler = 'predictive' | 'reactive' | 'autoscaler';

export interface Outcome {
  /** Share of the time in which the load was more than the ready pods carry. */
  readonly violations: number;
  /** Share of the load that was beyond them. */
  readonly unserved: number;
  /** Pods paid for beyond those that the load needs, as a share of them. */
  readonly surplus: number;
  readonly changes: number;
  /** Share of the time in which the forecast was used. */
  readonly predicting: number;
}

const tickMs = 15_000;
const staleMs = 30_000;
const dayMs = 86_400_000;
/** Learnt from and not counted, for all alike. */
const warmUpMs = 3 * dayMs;
/** Pods at the mean load. */
const meanPods = 20;
const startOfTime = Date.UTC(2026, 0, 5);

const ref = { group: 'apps', version: 'v1', resource: 'deployments', namespaced: true, kind: 'Deployment' };
const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };
const metric = { name: 'load' };
const targetOf = (replicas: number): Target => ({
  ref,
  object: { metadata: { name: 'web' } },
  specReplicas: replicas,
  statusReplicas: replicas,
});
/** As policies have it that say nothing. */
const percentile = 85;
const noPods = { pods: [] };

export interface Setting {
  readonly startMs: number;
  readonly bufferPercent: number;
}

export function replay(load: Load, scaler: Scaler, { startMs, bufferPercent }: Setting): Outcome {
  const values = load.perMinute;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  /** Thousandths that one pod carries; the mean is `meanPods` of them. */
  const perReplica = 1_000_000;
  const loadAt = (ms: number): number => {
    const place = Math.max(0, ms) / 60_000;
    const left = Math.min(values.length - 1, Math.floor(place));
    const right = Math.min(values.length - 1, left + 1);
    const value = (values[left] ?? 0) + ((values[right] ?? 0) - (values[left] ?? 0)) * (place - left);
    return (value / mean) * meanPods * perReplica;
  };
  const step =
    scaler === 'autoscaler'
      ? autoscaler(perReplica, bufferPercent)
      : policy(scaler, perReplica, bufferPercent, startMs);
  let ready = meanPods;
  let starting: { readonly atMs: number; readonly count: number }[] = [];
  const sums = {
    ticks: 0,
    violations: 0,
    load: 0,
    unserved: 0,
    needed: 0,
    surplus: 0,
    changes: 0,
    predicting: 0,
  };
  for (let ms = 0; ms < values.length * 60_000; ms += tickMs) {
    while (starting[0] !== undefined && starting[0].atMs <= ms) ready += starting.shift()?.count ?? 0;
    const present = loadAt(ms);
    const pods = ready + starting.reduce((sum, { count }) => sum + count, 0);
    const { replicas, isPredicting } = step(ms, loadAt(ms - staleMs), pods);
    if (replicas > pods) starting.push({ atMs: ms + startMs, count: replicas - pods });
    else if (replicas < pods) [ready, starting] = shrunk(ready, starting, pods - replicas);
    if (ms < warmUpMs) continue;
    const needed = Math.max(1, Math.ceil(present / perReplica));
    sums.ticks++;
    sums.load += present;
    sums.needed += needed;
    sums.surplus += Math.max(0, pods - needed);
    if (present > ready * perReplica) {
      sums.violations++;
      sums.unserved += present - ready * perReplica;
    }
    if (replicas !== pods) sums.changes++;
    if (isPredicting) sums.predicting++;
  }
  return {
    violations: sums.violations / sums.ticks,
    unserved: sums.unserved / sums.load,
    surplus: sums.surplus / sums.needed,
    changes: sums.changes,
    predicting: sums.predicting / sums.ticks,
  };
}

/** Those that are not ready go first, as a ReplicaSet has it. */
function shrunk(
  ready: number,
  starting: readonly { readonly atMs: number; readonly count: number }[],
  by: number,
): [number, { readonly atMs: number; readonly count: number }[]] {
  const left = [...starting];
  let more = by;
  while (more > 0 && left.length > 0) {
    const last = left.pop();
    if (last === undefined) break;
    if (last.count > more) left.push({ ...last, count: last.count - more });
    more -= Math.min(more, last.count);
  }
  return [ready - more, left];
}

type Step = (
  ms: number,
  seen: number,
  pods: number,
) => { readonly replicas: number; readonly isPredicting: boolean };

function policy(
  scaler: 'predictive' | 'reactive',
  perReplica: number,
  bufferPercent: number,
  startMs: number,
): Step {
  const isPredictive = scaler === 'predictive';
  const horizonMs = startMs + 45_000;
  const spec: ElasticityPolicy['spec'] = {
    scaleTargetRef,
    mode: isPredictive ? 'Predictive' : 'Reactive',
    capacity: {
      metric: { type: 'External', external: { metric } },
      perReplica: String(perReplica / 1000),
      buffer: `${bufferPercent}%`,
      tolerance: '10%',
    },
    ...(isPredictive ? { prediction: { season: '24h', percentile } } : {}),
    constraints: { minReplicas: 1, maxReplicas: 1000, stabilization: '5m' },
    cooldown: '1m',
    scaleOutCooldown: '15s',
  };
  const object: ElasticityPolicy = { metadata: { name: 'web', namespace: 'default' }, spec };
  const forecaster = new Forecaster(dayMs);
  let memory: Memory = { held: new Map(), past: { wishes: [], changes: [], lastChangeMs: undefined } };
  return (ms, seen, pods) => {
    const nowMs = startOfTime + ms;
    if (isPredictive) forecaster.add(nowMs, seen, horizonMs);
    const decision = decidePolicy(
      {
        policy: object,
        target: targetOf(pods),
        selection: noPods,
        rival: undefined,
        readings: [],
        demand: { kind: 'value', milli: seen },
        forecast: isPredictive ? forecaster.forecast(horizonMs, percentile, 300_000) : undefined,
        horizonMs,
        nowMs,
        monotonicMs: ms,
      },
      memory,
    );
    memory = decision.memory;
    const by = decision.desired - decision.current;
    if (by !== 0)
      memory = {
        ...memory,
        past: { ...memory.past, changes: [...memory.past.changes, { atMs: ms, by }], lastChangeMs: ms },
      };
    const isPredicting = decision.conditions.some(
      ({ type, status }) => type === 'Predicting' && status === 'True',
    );
    return { replicas: decision.desired, isPredicting };
  };
}

function autoscaler(perReplica: number, bufferPercent: number): Step {
  const averageValue = String(Math.round(perReplica / 1000 / (1 + bufferPercent / 100)));
  const object: HorizontalPodAutoscaler = {
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      scaleTargetRef,
      minReplicas: 1,
      maxReplicas: 1000,
      metrics: [{ type: 'External', external: { metric, target: { type: 'AverageValue', averageValue } } }],
    },
  };
  const memory = new AutoscalerMemory();
  return (ms, seen, pods) => {
    memory.begin(pods, ms);
    const decision = decideAutoscaler(
      {
        autoscaler: object,
        target: targetOf(pods),
        selection: noPods,
        readings: [{ kind: 'value', milli: seen }],
        history: memory.history,
      },
      startOfTime + ms,
      ms,
    );
    memory.recommended(object.spec, decision.recommended, ms);
    return { replicas: decision.desired, isPredicting: false };
  };
}
