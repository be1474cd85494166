/**
 * What programs tell of themselves, of the namespaces and under the names that somebody has asked for of late; and what others have told us.
 *
 *   somebody asks for a name ─▶ never read, or long ago: every program of the namespace now, and again a second later where a rate is wanted
 *                            └▶ known: at once ┄ every 15 s while somebody asks
 *   push ─▶ kept for five minutes
 *
 * Programs are pods with the annotation `prometheus.io/scrape: "true"`; `prometheus.io/port`, `path` and `scheme` say where.
 * Bounded: pods of a namespace, series of a pod, names and pushed series of a namespace, namespaces. What was read longer ago than 40 s is not told.
 */
import type { Pod } from '../api/index.ts';
import type { Informer } from '../client/index.ts';
import { CaelumError, type Clock, type Log, type Random, type Timer } from '../lib/index.ts';
import { keyOf, parseExposition } from './exposition.ts';
import { type Figure, figuresOf, type Scrape, sourcesOf } from './figures.ts';

/** Gives the text of a pod's metrics. Rejects where it cannot be had. */
export type ReadPod = (pod: Pod, signal: AbortSignal) => Promise<string>;

export interface SeriesBoardOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly pods: Informer<Pod>;
  readonly read: ReadPod;
}

/** One series that somebody tells. */
export interface Pushed {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const scrapeAnnotation = 'prometheus.io/scrape';
const periodMs = 15_000;
const firstWindowMs = 1_000;
const interestMs = 120_000;
const staleMs = 40_000;
const pushedMs = 300_000;
const readMsMax = 3_000;
const readsMax = 16;
const patienceMs = 4_000;
const namespacesMax = 500;
const podsMax = 2_000;
const wantedMax = 200;
const pushedNamesMax = 200;
const pushedSeriesMax = 1_000;
const namesMax = 500;
/** Of all programs together, so that memory has a bound whatever they tell. */
const seriesMax = 200_000;

interface Read {
  before: Scrape | undefined;
  last: Scrape | undefined;
  /** Why the last reading came to nothing. */
  failure: string | undefined;
}

interface Told extends Pushed {
  readonly atMs: number;
  readonly monotonicMs: number;
}

class Space {
  /** Names that were asked for, and when last. */
  readonly wanted = new Map<string, number>();
  /** By pod's uid. */
  readonly reads = new Map<string, Read>();
  /** By name, then by labels. */
  readonly pushed = new Map<string, Map<string, Told>>();
  names: readonly string[] = [];
  roundAtMs = Number.NEGATIVE_INFINITY;
  timer: Timer | undefined;
  running: Promise<void> | undefined;
}

export class SeriesBoard {
  readonly #options: SeriesBoardOptions;
  readonly #spaces = new Map<string, Space>();
  readonly #followers = new Set<() => void>();
  #seriesCount = 0;
  #programs: ((namespace: string) => readonly Pod[]) | undefined;
  #stopped = false;

  constructor(options: SeriesBoardOptions) {
    this.#options = options;
  }

  /** Resolves when the name has been looked for. A promise only where that takes time. Never rejects. */
  prepare(namespace: string, metric: string): Promise<void> | undefined {
    if (this.#stopped || this.#programsOf(namespace).length === 0) return undefined;
    const space = this.#space(namespace);
    if (space === undefined) return undefined;
    const nowMs = this.#options.clock.monotonicMs();
    const isKnown = space.wanted.has(metric);
    if (!isKnown && space.wanted.size >= wantedMax) this.#forgetWanted(space);
    if (isKnown || space.wanted.size < wantedMax) space.wanted.set(metric, nowMs);
    const isCurrent = isKnown && nowMs - space.roundAtMs < periodMs * 2;
    if (isCurrent) return undefined;
    return this.#bounded(this.#look(namespace, space, metric));
  }

  /** Of all programs, and what was pushed. Without their pod's name where they say one themselves. */
  figures(namespace: string, metric: string): readonly Figure[] {
    const space = this.#spaces.get(namespace);
    if (space === undefined) return [];
    const nowMs = this.#options.clock.monotonicMs();
    const found: Figure[] = [];
    for (const pod of this.#programsOf(namespace)) {
      const { last, before } = space.reads.get(pod.metadata.uid ?? '') ?? {};
      if (last === undefined || nowMs - last.monotonicMs > staleMs) continue;
      const name = pod.metadata.name ?? '';
      for (const figure of figuresOf(metric, last, before))
        found.push('pod' in figure.labels ? figure : { ...figure, labels: withPod(figure.labels, name) });
    }
    for (const { labels, value, atMs, monotonicMs } of space.pushed.get(metric)?.values() ?? [])
      if (nowMs - monotonicMs <= pushedMs) found.push({ labels, value, atMs, windowMs: undefined });
    return found;
  }

  /** Why programs could not be read, by their names; a few of them. */
  failures(namespace: string): readonly string[] {
    const space = this.#spaces.get(namespace);
    const found: string[] = [];
    for (const { metadata } of this.#programsOf(namespace)) {
      const failure = space?.reads.get(metadata.uid ?? '')?.failure;
      if (failure !== undefined) found.push(`pod ${metadata.name}: ${failure}`);
      if (found.length === 3) break;
    }
    return found;
  }

  /** Whether there is any program that could tell something. */
  hasPrograms(namespace: string): boolean {
    return this.#programsOf(namespace).length > 0;
  }

  /** Takes the place of what was pushed under the same name with the same labels. Throws `forbidden` where there are too many. */
  push(namespace: string, metric: string, series: readonly Pushed[]): void {
    const space = this.#space(namespace);
    const { clock } = this.#options;
    const known = space?.pushed.get(metric) ?? new Map<string, Told>();
    if (space !== undefined) this.#forgetPushed(space);
    if (space === undefined || (!space.pushed.has(metric) && space.pushed.size >= pushedNamesMax))
      throw new CaelumError('forbidden', `no more than ${pushedNamesMax} metrics of a namespace are kept`);
    const next = new Map(known);
    for (const { labels, value } of series)
      next.set(keyOf('', labels), { labels, value, atMs: clock.nowMs(), monotonicMs: clock.monotonicMs() });
    let count = next.size;
    for (const [name, told] of space.pushed) if (name !== metric) count += told.size;
    if (count > pushedSeriesMax)
      throw new CaelumError('forbidden', `no more than ${pushedSeriesMax} series of a namespace are kept`);
    const isNew = !space.pushed.has(metric);
    space.pushed.set(metric, next);
    if (isNew) this.#tell();
  }

  /** All that are known anywhere. */
  names(): ReadonlySet<string> {
    const names = new Set<string>();
    for (const { names: told, pushed } of this.#spaces.values())
      for (const name of [...told, ...pushed.keys()]) if (names.size < namesMax) names.add(name);
    return names;
  }

  onChange(follower: () => void): void {
    this.#followers.add(follower);
  }

  stop(): void {
    this.#stopped = true;
    for (const { timer } of this.#spaces.values()) timer?.cancel();
    this.#spaces.clear();
  }

  #tell(): void {
    for (const follower of this.#followers) follower();
  }

  /** undefined: there are too many. */
  #space(namespace: string): Space | undefined {
    let space = this.#spaces.get(namespace);
    if (space === undefined) {
      if (this.#spaces.size >= namespacesMax) this.#forgetSpaces();
      if (this.#spaces.size >= namespacesMax) return undefined;
      space = new Space();
      this.#spaces.set(namespace, space);
    }
    return space;
  }

  #forgetSpaces(): void {
    for (const [namespace, space] of this.#spaces) {
      this.#forgetPushed(space);
      if (space.timer === undefined && space.running === undefined && space.pushed.size === 0)
        this.#spaces.delete(namespace);
    }
  }

  #forgetWanted({ wanted }: Space): void {
    const sinceMs = this.#options.clock.monotonicMs() - interestMs;
    for (const [name, askedMs] of wanted) if (askedMs < sinceMs) wanted.delete(name);
  }

  #forgetPushed({ pushed }: Space): void {
    const sinceMs = this.#options.clock.monotonicMs() - pushedMs;
    for (const [name, told] of pushed) {
      for (const [key, { monotonicMs }] of told) if (monotonicMs < sinceMs) told.delete(key);
      if (told.size === 0) pushed.delete(name);
    }
  }

  #programsOf(namespace: string): readonly Pod[] {
    this.#programs ??= this.#options.pods.index('programs', ({ metadata }) =>
      metadata.annotations?.[scrapeAnnotation] === 'true' ? [metadata.namespace ?? ''] : [],
    );
    const found = this.#programs(namespace);
    const running = found.filter(
      ({ metadata, status }) =>
        status?.phase === 'Running' && metadata.deletionTimestamp === undefined && status.podIP,
    );
    return running.length > podsMax ? running.slice(0, podsMax) : running;
  }

  /** Never rejects; whoever waits does so for a bounded time. */
  #bounded(work: Promise<void>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const limit = this.#options.clock.after(patienceMs, resolve);
    void work.finally(() => {
      limit.cancel();
      resolve();
    });
    return promise;
  }

  async #look(namespace: string, space: Space, metric: string): Promise<void> {
    // One that is under way may have begun before this name was wanted.
    if (space.running !== undefined) await space.running;
    await this.#round(namespace, space);
    if (this.#stopped || this.figures(namespace, metric).length > 0 || !hasCounter(space, metric)) return;
    await this.#options.clock.sleep(firstWindowMs);
    await this.#round(namespace, space);
  }

  /** Every program of the namespace, a few at a time. Never rejects. */
  #round(namespace: string, space: Space): Promise<void> {
    if (space.running !== undefined || this.#stopped) return space.running ?? Promise.resolve();
    space.running = this.#readAll(namespace, space).finally(() => {
      space.running = undefined;
      this.#schedule(namespace, space);
    });
    return space.running;
  }

  #schedule(namespace: string, space: Space): void {
    if (this.#stopped || space.timer !== undefined) return;
    const { clock, random } = this.#options;
    const dueMs = space.roundAtMs + periodMs * (0.95 + random.float() / 10);
    space.timer = clock.after(Math.max(0, dueMs - clock.monotonicMs()), () => {
      space.timer = undefined;
      this.#forgetWanted(space);
      if (space.wanted.size > 0) void this.#round(namespace, space);
      else for (const uid of space.reads.keys()) this.#forget(space, uid);
    });
  }

  async #readAll(namespace: string, space: Space): Promise<void> {
    space.roundAtMs = this.#options.clock.monotonicMs();
    const waiting = [...this.#programsOf(namespace)];
    const uids = new Set(waiting.map(({ metadata }) => metadata.uid));
    for (const uid of space.reads.keys()) if (!uids.has(uid)) this.#forget(space, uid);
    const names = new Set<string>();
    const wanted = new Set([...space.wanted.keys()].flatMap((name) => namesOf(name)));
    const work = async (): Promise<void> => {
      for (let pod = waiting.pop(); pod !== undefined && !this.#stopped; pod = waiting.pop())
        await this.#read(space, pod, wanted, names);
    };
    await Promise.all(Array.from({ length: Math.min(readsMax, waiting.length) }, work));
    const sorted = [...names].sort().slice(0, namesMax);
    const isSame =
      sorted.length === space.names.length && sorted.every((name, at) => name === space.names[at]);
    space.names = sorted;
    if (!isSame) this.#tell();
  }

  /** Throws where there are too many. */
  #account(more: number): void {
    if (more > 0 && this.#seriesCount + more > seriesMax)
      throw new CaelumError('forbidden', `more than ${seriesMax} series are asked for in all`);
    this.#seriesCount += more;
  }

  #forget({ reads }: Space, uid: string): void {
    const { before, last } = reads.get(uid) ?? {};
    this.#seriesCount -= (before?.series.size ?? 0) + (last?.series.size ?? 0);
    reads.delete(uid);
  }

  async #read(space: Space, pod: Pod, wanted: ReadonlySet<string>, names: Set<string>): Promise<void> {
    const { clock, read, log } = this.#options;
    const { uid = '', name, namespace } = pod.metadata;
    const abort = new AbortController();
    const deadline = clock.after(readMsMax, () => abort.abort(new Error(`no answer within ${readMsMax} ms`)));
    const known: Read = space.reads.get(uid) ?? { before: undefined, last: undefined, failure: undefined };
    space.reads.set(uid, known);
    try {
      const text = await read(pod, abort.signal);
      const exposition = parseExposition(text, (one) => wanted.has(one));
      for (const one of exposition.names) if (names.size < namesMax) names.add(one);
      this.#account(exposition.series.size - (known.before?.series.size ?? 0));
      known.before = known.last;
      known.last = { monotonicMs: clock.monotonicMs(), atMs: clock.nowMs(), series: exposition.series };
      known.failure = undefined;
    } catch (error) {
      known.failure = error instanceof Error ? error.message : String(error);
      log.debug('cannot read the metrics of a pod', { pod: `${namespace}/${name}`, error });
    } finally {
      deadline.cancel();
    }
  }
}

function namesOf(metric: string): readonly string[] {
  const { plain, counters } = sourcesOf(metric);
  return [plain, ...counters];
}

/** Only a second reading tells how fast it grows. */
function hasCounter({ reads }: Space, metric: string): boolean {
  const { counters } = sourcesOf(metric);
  for (const { last } of reads.values())
    for (const { name, isCounter } of last?.series.values() ?? [])
      if (isCounter && counters.includes(name)) return true;
  return false;
}

function withPod(labels: Readonly<Record<string, string>>, pod: string): Readonly<Record<string, string>> {
  const next: Record<string, string> = Object.create(null);
  return Object.assign(next, labels, { pod });
}
