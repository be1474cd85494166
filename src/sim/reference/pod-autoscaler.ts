/**
 * How many pods an autoscaler asks for, as Kubernetes' controller thinks of it: step by step, with lists of what was recommended and changed that are never
 * pruned. Pure and slow; what `controllers/pod-autoscaler` decides is compared with it.
 */
import type { HorizontalPodAutoscalerSpec, MetricSpec, MetricTarget, Pod } from '../../api/index.ts';

/** One pod's figure in thousandths, when it was taken and over how long. */
export interface Figure {
  readonly milli: number;
  readonly atMs: number;
  readonly windowMs: number;
}

export type Told =
  | { readonly pods: ReadonlyMap<string, Figure> }
  | { readonly value: number }
  | { readonly error: string };

export interface Moment {
  readonly nowMs: number;
  readonly pods: readonly Pod[];
  readonly specReplicas: number;
  readonly statusReplicas: number;
  /** One for each metric. */
  readonly told: readonly Told[];
}

export interface Verdict {
  readonly replicas: number;
  /** undefined: the metrics could not tell, or were not asked. */
  readonly asked: number | undefined;
  readonly able: string;
  readonly limited: string;
}

/** `250m` and `3` in thousandths: what the cases use. */
const milliOf = (text: string | undefined): number =>
  text === undefined ? Number.NaN : text.endsWith('m') ? Number(text.slice(0, -1)) : Number(text) * 1000;

export class ReferenceAutoscaler {
  readonly #recommended: { readonly atMs: number; readonly replicas: number }[] = [];
  readonly #ups: { readonly atMs: number; readonly by: number }[] = [];
  readonly #downs: { readonly atMs: number; readonly by: number }[] = [];

  look(spec: HorizontalPodAutoscalerSpec, moment: Moment): Verdict {
    const { nowMs, specReplicas } = moment;
    if (this.#recommended.length === 0) this.#recommended.push({ atMs: nowMs, replicas: specReplicas });
    const min = spec.minReplicas ?? 1;
    const stay = { replicas: specReplicas, asked: undefined, able: '', limited: '' };
    if (specReplicas === 0 && min !== 0) return stay;
    if (specReplicas > spec.maxReplicas)
      return this.#scale(spec, moment, { ...stay, replicas: spec.maxReplicas });
    if (specReplicas < min) return this.#scale(spec, moment, { ...stay, replicas: min });
    const asked = askedByAll(spec, moment);
    if (asked === undefined) return stay;
    const verdict =
      spec.behavior === undefined
        ? this.#plainly(spec, min, moment, asked)
        : this.#byRules(spec, min, moment, asked);
    this.#recommended.push({ atMs: nowMs, replicas: asked });
    return this.#scale(spec, moment, { ...verdict, asked });
  }

  #scale(
    { behavior }: HorizontalPodAutoscalerSpec,
    { nowMs, specReplicas }: Moment,
    verdict: Verdict,
  ): Verdict {
    const by = verdict.replicas - specReplicas;
    if (behavior !== undefined && by > 0) this.#ups.push({ atMs: nowMs, by });
    if (behavior !== undefined && by < 0) this.#downs.push({ atMs: nowMs, by: -by });
    return verdict;
  }

  #plainly(
    { maxReplicas }: HorizontalPodAutoscalerSpec,
    min: number,
    { nowMs, specReplicas }: Moment,
    asked: number,
  ): Omit<Verdict, 'asked'> {
    let stable = asked;
    for (const { atMs, replicas } of this.#recommended)
      if (atMs > nowMs - 300_000) stable = Math.max(stable, replicas);
    const able = stable === asked ? 'ReadyForNewScale' : 'ScaleDownStabilized';
    const fast = Math.max(2 * specReplicas, 4);
    const most = Math.min(maxReplicas, fast);
    if (stable < min) return { replicas: min, able, limited: 'True TooFewReplicas' };
    if (stable > most)
      return {
        replicas: most,
        able,
        limited: maxReplicas > fast ? 'True ScaleUpLimit' : 'True TooManyReplicas',
      };
    return { replicas: stable, able, limited: 'False DesiredWithinRange' };
  }

  #byRules(
    { maxReplicas, behavior }: HorizontalPodAutoscalerSpec,
    min: number,
    { nowMs, specReplicas }: Moment,
    asked: number,
  ): Omit<Verdict, 'asked'> {
    const upWindow = behavior?.scaleUp?.stabilizationWindowSeconds ?? 0;
    const downWindow = behavior?.scaleDown?.stabilizationWindowSeconds ?? 300;
    let [low, high] = [asked, asked];
    for (const { atMs, replicas } of this.#recommended) {
      if (atMs > nowMs - upWindow * 1000) low = Math.min(low, replicas);
      if (atMs > nowMs - downWindow * 1000) high = Math.max(high, replicas);
    }
    let stable = specReplicas;
    if (stable < low) stable = low;
    if (stable > high) stable = high;
    const able =
      stable === asked
        ? 'ReadyForNewScale'
        : asked >= specReplicas
          ? 'ScaleUpStabilized'
          : 'ScaleDownStabilized';
    if (stable > specReplicas) {
      const rate = Math.max(specReplicas, this.#furthest(behavior?.scaleUp, specReplicas, nowMs, 1));
      const most = Math.min(maxReplicas, rate);
      if (stable > most)
        return {
          replicas: most,
          able,
          limited: maxReplicas > rate ? 'True ScaleUpLimit' : 'True TooManyReplicas',
        };
    }
    if (stable < specReplicas) {
      const rate = Math.min(specReplicas, this.#furthest(behavior?.scaleDown, specReplicas, nowMs, -1));
      const least = Math.max(min, rate);
      if (stable < least)
        return { replicas: least, able, limited: min < rate ? 'True ScaleDownLimit' : 'True TooFewReplicas' };
    }
    return { replicas: stable, able, limited: 'False DesiredWithinRange' };
  }

  #furthest(
    rules: NonNullable<HorizontalPodAutoscalerSpec['behavior']>['scaleUp'],
    current: number,
    nowMs: number,
    sign: 1 | -1,
  ): number {
    const { selectPolicy = 'Max', policies = [] } = rules ?? {};
    if (selectPolicy === 'Disabled' || policies.length === 0) return current;
    const ends = policies.map(({ type, value, periodSeconds }) => {
      const within = (list: readonly { readonly atMs: number; readonly by: number }[]): number =>
        list.filter(({ atMs }) => atMs > nowMs - periodSeconds * 1000).reduce((sum, { by }) => sum + by, 0);
      const start = current - within(this.#ups) + within(this.#downs);
      if (type === 'Pods') return start + sign * value;
      return sign > 0 ? Math.ceil(start * (1 + value / 100)) : Math.trunc(start * (1 - value / 100));
    });
    const isFar = selectPolicy === 'Max';
    return isFar === sign > 0 ? Math.max(...ends) : Math.min(...ends);
  }
}

function askedByAll(spec: HorizontalPodAutoscalerSpec, moment: Moment): number | undefined {
  let replicas = 0;
  let wrong = 0;
  const metrics = spec.metrics ?? [];
  metrics.forEach((metric, at) => {
    const one = askedByOne(spec, metric, moment.told[at], moment);
    if (one === undefined) wrong++;
    else if (replicas === 0 || one > replicas) replicas = one;
  });
  if (wrong >= metrics.length || (wrong > 0 && replicas < moment.specReplicas)) return undefined;
  return replicas;
}

/** undefined: there is an error. */
function askedByOne(
  spec: HorizontalPodAutoscalerSpec,
  metric: MetricSpec,
  told: Told | undefined,
  moment: Moment,
): number | undefined {
  if (told === undefined || 'error' in told) return undefined;
  const down = spec.behavior?.scaleDown?.tolerance;
  const up = spec.behavior?.scaleUp?.tolerance;
  const fits = (ratio: number): boolean =>
    ratio >= 1 - (down === undefined ? 0.1 : milliOf(down) / 1000) &&
    ratio <= 1 + (up === undefined ? 0.1 : milliOf(up) / 1000);
  if ('pods' in told) {
    const source = metric.resource ?? metric.containerResource;
    const target = source?.target ?? metric.pods?.target;
    if (target === undefined) return undefined;
    return byPods(told.pods, source?.name ?? '', metric.containerResource?.container, target, moment, fits);
  }
  const target = metric.object?.target ?? metric.external?.target;
  if (target === undefined) return undefined;
  const average = milliOf(target.averageValue);
  const isAverage = metric.external !== undefined ? !Number.isNaN(average) : target.type === 'AverageValue';
  if (isAverage) {
    const { statusReplicas } = moment;
    return fits(told.value / (average * statusReplicas)) ? statusReplicas : Math.ceil(told.value / average);
  }
  const ratio = told.value / milliOf(target.value);
  if (moment.specReplicas === 0) return Math.ceil(ratio);
  if (fits(ratio)) return moment.specReplicas;
  if (moment.pods.length === 0) return undefined;
  const ready = moment.pods.filter(
    ({ status }) =>
      status?.phase === 'Running' &&
      status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true,
  );
  return Math.ceil(ratio * ready.length);
}

function byPods(
  figures: ReadonlyMap<string, Figure>,
  resource: string,
  container: string | undefined,
  target: MetricTarget,
  { pods, nowMs, specReplicas }: Moment,
  fits: (ratio: number) => boolean,
): number | undefined {
  if (pods.length === 0) return undefined;
  const use = new Map<string, number>();
  const missing: string[] = [];
  const unready: string[] = [];
  for (const pod of pods) {
    const name = pod.metadata.name ?? '';
    const figure = figures.get(name);
    if (pod.metadata.deletionTimestamp !== undefined || pod.status?.phase === 'Failed') continue;
    if (pod.status?.phase === 'Pending') unready.push(name);
    else if (figure === undefined) missing.push(name);
    else if (resource === 'cpu' && isYoung(pod, figure, nowMs)) unready.push(name);
    else use.set(name, figure.milli);
  }
  if (use.size === 0) return undefined;
  const requests = new Map<string, number>();
  const isShare = target.averageValue === undefined;
  if (isShare)
    for (const pod of pods) {
      const request = requestOf(pod, resource, container);
      if (request === undefined) return undefined;
      requests.set(pod.metadata.name ?? '', request);
    }
  const percent = target.averageUtilization ?? 0;
  const goal = milliOf(target.averageValue);
  const ratioOf = (of: ReadonlyMap<string, number>): number => {
    let [sum, whole] = [0, 0];
    for (const [name, milli] of of) {
      sum += milli;
      whole += requests.get(name) ?? 0;
    }
    return isShare ? Math.trunc((sum * 100) / whole) / percent : Math.trunc(sum / of.size) / goal;
  };
  const counted = use.size;
  const first = ratioOf(use);
  const isUp = unready.length > 0 && first > 1;
  if (!isUp && missing.length === 0) return fits(first) ? specReplicas : Math.ceil(first * counted);
  for (const name of missing) {
    const all = isShare ? Math.trunc(((requests.get(name) ?? 0) * Math.max(100, percent)) / 100) : goal;
    if (first < 1) use.set(name, all);
    if (first > 1) use.set(name, 0);
  }
  if (isUp) for (const name of unready) use.set(name, 0);
  const second = ratioOf(use);
  if (fits(second) || (first < 1 && second > 1) || (first > 1 && second < 1)) return specReplicas;
  const replicas = Math.ceil(second * use.size);
  if ((second < 1 && replicas > specReplicas) || (second > 1 && replicas < specReplicas)) return specReplicas;
  return replicas;
}

function isYoung({ status }: Pod, { atMs, windowMs }: Figure, nowMs: number): boolean {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  if (ready === undefined || status?.startTime === undefined) return true;
  const startMs = Date.parse(status.startTime);
  const changedMs = Date.parse(ready.lastTransitionTime ?? '');
  if (nowMs < startMs + 300_000) return ready.status === 'False' || atMs < changedMs + windowMs;
  return ready.status === 'False' && changedMs < startMs + 30_000;
}

function requestOf({ spec }: Pod, resource: string, container: string | undefined): number | undefined {
  let sum = 0;
  let isFound = false;
  for (const { name, resources } of spec?.containers ?? []) {
    if (container !== undefined && name !== container) continue;
    const text = resources?.requests?.[resource];
    if (text === undefined) return undefined;
    isFound = true;
    sum += milliOf(text);
  }
  return isFound ? sum : undefined;
}
