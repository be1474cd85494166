/**
 * What a name means, and what it says of a pod, an object, a namespace: the rules by which series become metrics for autoscalers. Pure.
 *
 *   name ─▶ the series of that name, as they are; or `X` and `X_per_second` ─▶ how fast the counter `X_total` (or `X`) grows
 *
 *   external metric        every series of the name
 *   of a pod               those with the label pod=NAME, added up
 *   of another object      those with a label of the object's kind (service=NAME, ingress=NAME), added up; else those without one, of the pods that it selects
 *   of the namespace       all, added up
 */
import type { LabelPredicate } from '../api/index.ts';
import type { Series } from './exposition.ts';

/** One series' figure. */
export interface Figure {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** By the wall's clock. */
  readonly atMs: number;
  /** Over which time it is an average; undefined: it is of a moment. */
  readonly windowMs: number | undefined;
}

/** What was read of one program at one time. */
export interface Scrape {
  readonly monotonicMs: number;
  readonly atMs: number;
  readonly series: ReadonlyMap<string, Series>;
}

const rateSuffix = '_per_second';
const counterSuffix = '_total';
/** What a program itself calls older than this is no figure of today. */
const ownAgeMsMax = 120_000;
/** Between two readings, that a rate is one. */
const windowMsMin = 500;

/** Under which names a metric is found: as it is, and as counters whose rate it is. */
export function sourcesOf(metric: string): { readonly plain: string; readonly counters: readonly string[] } {
  const base = metric.endsWith(rateSuffix) ? metric.slice(0, -rateSuffix.length) : undefined;
  const counters = base === undefined ? [metric] : [base];
  return {
    plain: metric,
    counters: [...(base === undefined ? [] : [base]), ...counters.map((name) => name + counterSuffix)],
  };
}

/** Of one program, by its last two readings. */
export function figuresOf(metric: string, last: Scrape, before: Scrape | undefined): readonly Figure[] {
  const { plain, counters } = sourcesOf(metric);
  const found: Figure[] = [];
  for (const { name, labels, value, atMs } of last.series.values())
    if (name === plain) {
      if (atMs === undefined || last.atMs - atMs <= ownAgeMsMax)
        found.push({ labels, value, atMs: atMs ?? last.atMs, windowMs: undefined });
    }
  if (found.length > 0 || before === undefined) return found;
  const windowMs = last.monotonicMs - before.monotonicMs;
  if (windowMs < windowMsMin) return [];
  for (const [key, { name, labels, value, isCounter }] of last.series) {
    if (!isCounter || !counters.includes(name)) continue;
    const earlier = before.series.get(key)?.value;
    if (earlier === undefined) continue;
    // One that went back began anew.
    const growth = value < earlier ? value : value - earlier;
    found.push({ labels, value: (growth * 1000) / windowMs, atMs: last.atMs, windowMs });
  }
  return found;
}

/** undefined: there is nothing to add up. */
export function sumOf(figures: readonly Figure[]): Omit<Figure, 'labels'> | undefined {
  const [first] = figures;
  if (first === undefined) return undefined;
  let { atMs } = first;
  let value = 0;
  for (const one of figures) {
    value += one.value;
    atMs = Math.min(atMs, one.atMs);
  }
  return { value, atMs, windowMs: first.windowMs };
}

export const selectFigures = (
  figures: readonly Figure[],
  matches: LabelPredicate | undefined,
): readonly Figure[] => (matches === undefined ? figures : figures.filter(({ labels }) => matches(labels)));
