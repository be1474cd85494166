/**
 * Which GPUs of which nodes are given to whom, in thousandths. Pure; kept current by single changes beside the snapshot.
 *
 *   node: number, model ─▶ a row's GPUs ◀─ pod placed there: the GPUs that its annotation names, or that the plan chose, or that nobody has named
 *   ask ─▶ fits(row) ─▶ choose(row): which GPUs ─▶ granted(pod) ─▶ the shell writes it with the binding
 *
 * Pods of which nobody has said which GPUs they have (bound by others) are reckoned on the emptiest ones.
 * Invariant: of each GPU `free` is 1000 less what its pods have. It may be less than 0 only where others than this ledger gave it away.
 */
import type { Pod } from '../../api/index.ts';
import { amountsOf } from '../demand.ts';
import { type GpuAsk, givenGpus, gpusOf, type NodeGpus, wholeMilli } from './gpu-ask.ts';
import type { PodKind } from './node-worth.ts';

interface Held {
  readonly ask: GpuAsk;
  /** As its annotation or the plan says; undefined: nobody does. */
  readonly named: readonly number[] | undefined;
  devices: readonly number[];
  readonly kind: Mutable<PodKind>;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** The GPUs of a node. */
export interface Pool extends NodeGpus {
  /** Thousandths, by GPU. */
  readonly free: Int32Array;
  /** Of `free`: the largest, and how many are whole. */
  largest: number;
  whole: number;
  /** Changes with `free`. */
  version: number;
}

interface OwnPool extends Pool {
  readonly held: Map<string, Held>;
  unnamed: number;
}

interface Grant {
  readonly nodeName: string;
  readonly devices: readonly number[];
}

export const gpuRefusals = {
  none: 'node(s) had no GPUs',
  model: (models: readonly string[]): string => `node(s) had no GPUs of model ${models.join('|')}`,
  share: (milli: number): string => `node(s) had no GPU with ${milli} thousandths free`,
  several: ({ count, milli }: GpuAsk): string =>
    milli === wholeMilli
      ? `node(s) had fewer than ${count} whole GPU(s) free`
      : `node(s) had fewer than ${count} GPUs with ${milli} thousandths free`,
} as const;

export class GpuLedger {
  readonly #pools: (OwnPool | undefined)[] = [];
  /** What plans chose and annotations do not say yet; by the pod, so that it ends with it. */
  readonly #granted = new WeakMap<Pod, Grant>();
  #poolCount = 0;
  /** The pods that have GPUs, by what they ask. */
  readonly #kinds = new Map<string, Mutable<PodKind>>();
  #podCount = 0;
  #changes = 0;

  /** Whether no node has GPUs. */
  get isEmpty(): boolean {
    return this.#poolCount === 0;
  }

  get podCount(): number {
    return this.#podCount;
  }

  /** How many pods have come and gone so far. */
  get changes(): number {
    return this.#changes;
  }

  /** What is asked here as a rule: what those ask that have GPUs. */
  get kinds(): Iterable<PodKind> {
    return this.#kinds.values();
  }

  pool(row: number): Pool | undefined {
    return this.#pools[row];
  }

  setNode(
    row: number,
    labels: Readonly<Record<string, string>>,
    allocatable: Readonly<Record<string, string>>,
  ): void {
    const has = gpusOf(labels, allocatable);
    const before = this.#pools[row];
    if (has === undefined) {
      if (before !== undefined && before.held.size === 0) this.removeNode(row);
      else if (before !== undefined) this.#replace(row, { ...noGpus, model: before.model }, before);
      return;
    }
    if (before?.count === has.count && before.model === has.model && before.resource === has.resource) return;
    this.#replace(row, has, before);
  }

  #replace(row: number, has: NodeGpus, before: OwnPool | undefined): void {
    if (before === undefined) this.#poolCount++;
    const pool: OwnPool = {
      ...has,
      free: new Int32Array(has.count),
      largest: 0,
      whole: 0,
      version: (before?.version ?? 0) + 1,
      held: before?.held ?? new Map(),
      unnamed: before?.unnamed ?? 0,
    };
    this.#pools[row] = pool;
    recount(pool);
  }

  removeNode(row: number): void {
    const pool = this.#pools[row];
    if (pool === undefined) return;
    for (const { kind } of pool.held.values()) this.#forget(kind);
    this.#pools[row] = undefined;
    this.#poolCount--;
  }

  /** The pod is on the row now. */
  place(row: number, key: string, pod: Pod, nodeName: string, ask: GpuAsk): void {
    let pool = this.#pools[row];
    if (pool === undefined) {
      // Its node may say later what it has.
      this.#replace(row, noGpus, undefined);
      pool = this.#pools[row] as OwnPool;
    }
    this.remove(row, key);
    const granted = this.#granted.get(pod);
    // A plan goes before the annotation: the pod may be moved. On a pod that is not bound there it says nothing, whoever has copied it.
    const told = pod.spec?.nodeName === nodeName ? givenGpus(pod, ask.count) : undefined;
    const named = granted?.nodeName === nodeName ? granted.devices : told;
    const held: Held = { ask, named, devices: named ?? [], kind: this.#kindOf(pod, ask) };
    pool.held.set(key, held);
    if (named === undefined) pool.unnamed++;
    if (pool.unnamed > 0) recount(pool);
    else {
      take(pool, held, 1);
      summarise(pool);
    }
  }

  remove(row: number, key: string): void {
    const pool = this.#pools[row];
    const held = pool?.held.get(key);
    if (pool === undefined || held === undefined) return;
    pool.held.delete(key);
    this.#forget(held.kind);
    if (held.named === undefined) pool.unnamed--;
    if (pool.unnamed > 0) recount(pool);
    else {
      take(pool, held, -1);
      summarise(pool);
    }
  }

  #kindOf(pod: Pod, { count, milli, models }: GpuAsk): Mutable<PodKind> {
    const { cpuMilli, memoryBytes } = amountsOf(pod);
    const key = keyOf(cpuMilli, memoryBytes, count, milli, models);
    let kind = this.#kinds.get(key);
    if (kind === undefined) {
      kind = { cpuMilli, memoryBytes, count, milli, models, weight: 0 };
      this.#kinds.set(key, kind);
    }
    kind.weight++;
    this.#podCount++;
    this.#changes++;
    return kind;
  }

  #forget(kind: Mutable<PodKind>): void {
    kind.weight--;
    this.#podCount--;
    this.#changes++;
    if (kind.weight > 0) return;
    const { cpuMilli, memoryBytes, count, milli, models } = kind;
    this.#kinds.delete(keyOf(cpuMilli, memoryBytes, count, milli, models));
  }

  fits(row: number, ask: GpuAsk): boolean {
    const pool = this.#pools[row];
    return pool !== undefined && isOfModel(pool, ask) && hasFree(pool, ask);
  }

  /** Why not. undefined: it fits. */
  refusal(row: number, ask: GpuAsk): string | undefined {
    const pool = this.#pools[row];
    if (pool === undefined || pool.count === 0)
      return ask.resource === '' ? gpuRefusals.none : `Insufficient ${ask.resource}`;
    if (!isOfModel(pool, ask))
      return isOfResource(pool, ask) ? gpuRefusals.model(ask.models) : `Insufficient ${ask.resource}`;
    if (hasFree(pool, ask)) return undefined;
    if (ask.resource !== '') return `Insufficient ${ask.resource}`;
    return ask.count === 1 && ask.milli < wholeMilli
      ? gpuRefusals.share(ask.milli)
      : gpuRefusals.several(ask);
  }

  /** Whether it would fit if nobody else were there. */
  isLargeEnough(row: number, ask: GpuAsk): boolean {
    const pool = this.#pools[row];
    return pool !== undefined && isOfModel(pool, ask) && pool.count >= ask.count;
  }

  /** Which GPUs of the row, which it fits on: those that have least to give beyond it, the first of equals. */
  choose(row: number, ask: GpuAsk): readonly number[] {
    const pool = this.#pools[row];
    return pool === undefined ? [] : tightest(pool.free, ask);
  }

  /** Which GPUs the pod has from now on, when it is placed on that node. */
  give(row: number, ask: GpuAsk, pod: Pod, nodeName: string, wanted?: readonly number[]): readonly number[] {
    const devices = wanted ?? this.choose(row, ask);
    this.#granted.set(pod, { nodeName, devices });
    return devices;
  }

  /** What there is for a pod that waits. undefined: no GPU that it could have any of. */
  note(ask: GpuAsk, nameOf: (row: number) => string): string | undefined {
    const best = this.#largestShare(ask);
    if (best === undefined) return undefined;
    const of = ask.models.length === 0 ? 'a GPU' : `a GPU of model ${ask.models.join('|')}`;
    if (ask.count > 1)
      return `At most ${best.count} of the ${ask.count} GPUs are free on one node, ${nameOf(best.row)}.`;
    return `The largest free share of ${of} is ${best.milli} thousandths, on node ${nameOf(best.row)}.`;
  }

  #largestShare(
    ask: GpuAsk,
  ): { readonly row: number; readonly milli: number; readonly count: number } | undefined {
    let best: { row: number; milli: number; count: number } | undefined;
    for (let row = 0; row < this.#pools.length; row++) {
      const pool = this.#pools[row];
      if (pool === undefined || pool.count === 0 || !isOfModel(pool, ask)) continue;
      const count = ask.count === 1 ? 1 : enoughOn(pool, ask.milli);
      if (best === undefined || count > best.count || (count === best.count && pool.largest > best.milli))
        best = { row, milli: pool.largest, count };
    }
    return best;
  }
}

const keyOf = (
  cpuMilli: number,
  memoryBytes: number,
  count: number,
  milli: number,
  models: readonly string[],
): string => `${cpuMilli} ${memoryBytes} ${count} ${milli} ${models.join('|')}`;

const noGpus: NodeGpus = { count: 0, model: '', resource: '' };

const isOfResource = (pool: Pool, { resource }: GpuAsk): boolean =>
  resource === '' || resource === pool.resource;

function isOfModel(pool: Pool, ask: GpuAsk): boolean {
  return isOfResource(pool, ask) && (ask.models.length === 0 || ask.models.includes(pool.model));
}

function hasFree(pool: Pool, { count, milli }: GpuAsk): boolean {
  if (milli === wholeMilli) return pool.whole >= count;
  if (pool.largest < milli) return false;
  return count === 1 || enoughOn(pool, milli) >= count;
}

function enoughOn({ free }: Pool, milli: number): number {
  let enough = 0;
  for (const one of free) if (one >= milli) enough++;
  return enough;
}

/** Those with the least to give beyond what is asked, the first of equals. */
export function tightest(free: Int32Array, { count, milli }: GpuAsk): readonly number[] {
  const chosen: number[] = [];
  while (chosen.length < count) {
    let best = -1;
    for (let at = 0; at < free.length; at++) {
      const left = free[at] ?? 0;
      if (left < milli || chosen.includes(at)) continue;
      if (best < 0 || left < (free[best] ?? 0)) best = at;
    }
    if (best < 0) break;
    chosen.push(best);
  }
  return chosen;
}

function take(pool: OwnPool, { devices, ask }: Held, sign: 1 | -1): void {
  for (const at of devices)
    if (at < pool.free.length) pool.free[at] = (pool.free[at] ?? 0) - sign * ask.milli;
}

/** Those first of which it is known which they have; the others, by name, on the emptiest. */
function recount(pool: OwnPool): void {
  pool.free.fill(wholeMilli);
  const unnamed: [string, Held][] = [];
  for (const [key, held] of pool.held)
    if (held.named === undefined) unnamed.push([key, held]);
    else take(pool, held, 1);
  unnamed.sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [, held] of unnamed) {
    const order = Array.from(pool.free.keys()).sort((a, b) => (pool.free[b] ?? 0) - (pool.free[a] ?? 0));
    held.devices = order.slice(0, held.ask.count);
    take(pool, held, 1);
  }
  summarise(pool);
}

function summarise(pool: OwnPool): void {
  let largest = 0;
  let whole = 0;
  for (const free of pool.free) {
    if (free > largest) largest = free;
    if (free >= wholeMilli) whole++;
  }
  pool.largest = largest;
  pool.whole = whole;
  pool.version++;
}
