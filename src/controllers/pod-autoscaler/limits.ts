/**
 * What of a wish is granted now: recommendations of late are kept in mind, and no more is changed in a period than the policies allow. Pure.
 *
 * Source: k8s.io/kubernetes/pkg/controller/podautoscaler/horizontal.go.
 */
import type { HorizontalPodAutoscalerSpec, HPAScalingPolicy, HPAScalingRules } from '../../api/index.ts';

export interface Recommendation {
  readonly atMs: number;
  readonly replicas: number;
}

/** A change that was made: positive when it went up. */
export interface ScaleChange {
  readonly atMs: number;
  readonly change: number;
}

/** What is remembered of an autoscaler. Nothing of it is stored: after a restart it begins with the number that is there. */
export interface History {
  readonly recommendations: readonly Recommendation[];
  readonly changes: readonly ScaleChange[];
}

export interface Wish {
  readonly current: number;
  readonly desired: number;
  readonly minReplicas: number;
  readonly nowMs: number;
}

export interface Told {
  readonly reason: string;
  readonly message: string;
}

export interface Granted {
  readonly replicas: number;
  /** For the conditions AbleToScale and ScalingLimited. */
  readonly able: Told;
  readonly limit: Told;
  readonly isLimited: boolean;
}

/** Without rules a smaller number is only taken when nothing else was wanted for so long. */
const downWindowSeconds = 300;

const fits: Told = {
  reason: 'ReadyForNewScale',
  message: 'recommended size matches current size',
};
const upStabilized: Told = {
  reason: 'ScaleUpStabilized',
  message: 'recent recommendations were lower than current one, applying the lowest recent recommendation',
};
const downStabilized: Told = {
  reason: 'ScaleDownStabilized',
  message: 'recent recommendations were higher than current one, applying the highest recent recommendation',
};
const withinRange: Told = {
  reason: 'DesiredWithinRange',
  message: 'the desired count is within the acceptable range',
};
const tooMany: Told = {
  reason: 'TooManyReplicas',
  message: 'the desired replica count is more than the maximum replica count',
};
const tooFew: Told = {
  reason: 'TooFewReplicas',
  message: 'the desired replica count is less than the minimum replica count',
};
const upLimit: Told = {
  reason: 'ScaleUpLimit',
  message: 'the desired replica count is increasing faster than the maximum scale rate',
};
const downLimit: Told = {
  reason: 'ScaleDownLimit',
  message: 'the desired replica count is decreasing faster than the maximum scale rate',
};

export function grant(spec: HorizontalPodAutoscalerSpec, history: History, wish: Wish): Granted {
  return spec.behavior === undefined ? grantPlainly(spec, history, wish) : grantByRules(spec, history, wish);
}

/** Without rules: up to the double, or to four, at a time. */
function grantPlainly(spec: HorizontalPodAutoscalerSpec, history: History, wish: Wish): Granted {
  const { current, desired, minReplicas, nowMs } = wish;
  const stabilized = Math.max(
    desired,
    ...since(history.recommendations, nowMs, downWindowSeconds).map(({ replicas }) => replicas),
  );
  const rate = Math.max(2 * current, 4);
  const [most, why] = spec.maxReplicas > rate ? [rate, upLimit] : [spec.maxReplicas, tooMany];
  const [replicas, limit] =
    stabilized < minReplicas
      ? [minReplicas, tooFew]
      : stabilized > most
        ? [most, why]
        : [stabilized, withinRange];
  const able = stabilized === desired ? fits : downStabilized;
  return { replicas, able, limit, isLimited: replicas !== stabilized };
}

function grantByRules(spec: HorizontalPodAutoscalerSpec, history: History, wish: Wish): Granted {
  const { current, desired, minReplicas, nowMs } = wish;
  const { scaleUp = {}, scaleDown = {} } = spec.behavior ?? {};
  const recent = (seconds: number): number[] =>
    since(history.recommendations, nowMs, seconds).map(({ replicas }) => replicas);
  const up = Math.min(desired, ...recent(scaleUp.stabilizationWindowSeconds ?? 0));
  const down = Math.max(desired, ...recent(scaleDown.stabilizationWindowSeconds ?? downWindowSeconds));
  const stabilized = Math.min(Math.max(current, up), down);
  const able = stabilized === desired ? fits : desired >= current ? upStabilized : downStabilized;
  const [replicas, limit] = rated(spec, history, { ...wish, desired: stabilized, minReplicas });
  return { replicas, able, limit, isLimited: replicas !== stabilized };
}

function rated(
  spec: HorizontalPodAutoscalerSpec,
  { changes }: History,
  { current, desired, minReplicas, nowMs }: Wish,
): readonly [replicas: number, Told] {
  const { scaleUp = {}, scaleDown = {} } = spec.behavior ?? {};
  if (desired > current) {
    const rate = Math.max(current, limitOf('up', scaleUp, changes, current, nowMs));
    const [most, why] = spec.maxReplicas > rate ? [rate, upLimit] : [spec.maxReplicas, tooMany];
    if (desired > most) return [most, why];
  } else if (desired < current) {
    const rate = Math.min(current, limitOf('down', scaleDown, changes, current, nowMs));
    const [least, why] = minReplicas < rate ? [rate, downLimit] : [minReplicas, tooFew];
    if (desired < least) return [least, why];
  }
  return [desired, withinRange];
}

/** How far the policies let it go. */
function limitOf(
  direction: 'up' | 'down',
  { selectPolicy = 'Max', policies = [] }: HPAScalingRules,
  changes: readonly ScaleChange[],
  current: number,
  nowMs: number,
): number {
  if (selectPolicy === 'Disabled' || policies.length === 0) return current;
  const sign = direction === 'up' ? 1 : -1;
  const limits = policies.map((policy) => sign * proposed(policy, sign, changes, current, nowMs));
  // `Max` is the most change, whichever way.
  return sign * (selectPolicy === 'Min' ? Math.min(...limits) : Math.max(...limits));
}

function proposed(
  { type, value, periodSeconds }: HPAScalingPolicy,
  sign: number,
  changes: readonly ScaleChange[],
  current: number,
  nowMs: number,
): number {
  const recent = since(changes, nowMs, periodSeconds).reduce((sum, { change }) => sum + change, 0);
  const before = current - recent;
  if (type === 'Pods') return before + sign * value;
  // Rounded so that something may change, however few there are; reckoned as Kubernetes does, to the last bit.
  const share = before * (1 + (sign * value) / 100);
  return sign > 0 ? Math.ceil(share) : Math.trunc(share);
}

function since<T extends { readonly atMs: number }>(
  items: readonly T[],
  nowMs: number,
  seconds: number,
): T[] {
  return items.filter(({ atMs }) => atMs > nowMs - seconds * 1000);
}

/** What no rule can ask for any more is forgotten. */
export function forgotten(history: History, spec: HorizontalPodAutoscalerSpec, nowMs: number): History {
  const { scaleUp = {}, scaleDown = {} } = spec.behavior ?? {};
  const window = Math.max(
    scaleUp.stabilizationWindowSeconds ?? 0,
    scaleDown.stabilizationWindowSeconds ?? downWindowSeconds,
  );
  const periods = [...(scaleUp.policies ?? []), ...(scaleDown.policies ?? [])].map(
    (one) => one.periodSeconds,
  );
  return {
    recommendations: since(history.recommendations, nowMs, window),
    changes: since(history.changes, nowMs, Math.max(0, ...periods)),
  };
}
