/**
 * What the free GPUs of a node are worth, for what is asked here as a rule. Pure: the loss of worth is what a placement costs.
 *
 *   kinds of pods and how many there are ─▶ NodeWorth
 *   of a node: processors, memory, free parts of GPUs ─▶ worth = shares + balance + next
 *
 * - shares: what each free part is worth, by what fits into it together (share-values.ts);
 * - balance: how much of that can still be used until processors or memory run out, were the node filled with one kind of pod only; for each kind;
 * - next: how many thousandths some next pod could use: the negative of the expected fragmentation of the paper.
 *
 * Invariant: a placement on a node where it wastes nothing costs what the pod takes, wherever that is; all else costs more.
 * Source of `next`: Weng and others, "Beware of Fragmentation: Scheduling GPU-Sharing Workloads with Fragmentation Gradient Descent" (USENIX ATC 2023).
 */
import { wholeMilli } from './gpu-ask.ts';
import { shareValues } from './share-values.ts';

/** Pods that ask for GPUs and are alike. */
export interface PodKind {
  readonly cpuMilli: number;
  readonly memoryBytes: number;
  /** So many GPUs, so many thousandths of each. */
  readonly count: number;
  readonly milli: number;
  /** Any of these; empty: any at all. */
  readonly models: readonly string[];
  /** How many there are. */
  readonly weight: number;
}

/** In thousandths of a GPU. Found on recorded arrivals and held against others; results change little within a factor of two. */
const weightOfShares = 2;
const weightOfBalance = 0.3;
const weightOfNext = 0.2;
/** The most frequent kinds stand for all. */
const typicalPart = 0.95;
const typicalMax = 64;
const ratiosMax = 48;

interface Typical {
  readonly cpuMilli: number;
  readonly count: number;
  readonly milli: number;
  readonly models: readonly string[];
  readonly share: number;
}

/** What the typical kinds that may have a model say of free parts. */
interface Outlook {
  /** Processors that kinds of one GPU ask, ascending: with so many free, this many levels of them are possible. */
  readonly levels: Float64Array;
  /** By level and by `#sizeOf` of a part: of all kinds, those that are possible and ask for more than the part. */
  readonly tooLarge: Float64Array;
  /** By level: of all kinds of one GPU, those that are not possible. */
  readonly impossible: Float64Array;
  /** Kinds of several GPUs. */
  readonly several: readonly Typical[];
  /** Kinds that may not have the model. */
  readonly barred: number;
}

export class NodeWorth {
  readonly #values: Float64Array;
  readonly #typical: readonly Typical[];
  /** The shares that typical kinds ask for, ascending; and how many of them are no larger than a part. */
  readonly #sizes: readonly number[];
  readonly #sizeOf = new Uint8Array(wholeMilli + 1);
  /** Of kinds of pods: processors and memory to a GPU, and their part of all GPUs asked. */
  readonly #cpuRatios: Float64Array;
  readonly #memoryRatios: Float64Array;
  readonly #ratioShares: Float64Array;
  readonly #outlooks = new Map<string, Outlook>();
  #chosen = -1;

  constructor(kinds: readonly PodKind[]) {
    const sizes = new Map<number, number>();
    for (const { milli, count, weight } of kinds) sizes.set(milli, (sizes.get(milli) ?? 0) + count * weight);
    this.#values = shareValues(Array.from(sizes, ([milli, weight]) => ({ milli, weight })));
    this.#typical = typicalOf(kinds);
    this.#sizes = [...new Set(this.#typical.map(({ milli }) => milli))].sort((a, b) => a - b);
    for (let part = 0; part <= wholeMilli; part++)
      this.#sizeOf[part] = this.#sizes.filter((one) => one <= part).length;
    const ratios = ratiosOf(kinds);
    this.#cpuRatios = Float64Array.from(ratios, ({ cpu }) => cpu);
    this.#memoryRatios = Float64Array.from(ratios, ({ memory }) => memory);
    this.#ratioShares = Float64Array.from(ratios, ({ share }) => share);
  }

  /** Which GPU `bestOf` has found. */
  get chosen(): number {
    return this.#chosen;
  }

  /** In thousandths of a GPU. `free`: thousandths by GPU. */
  of(cpuMilli: number, memoryBytes: number, free: Int32Array, model: string): number {
    return this.#weigh(cpuMilli, memoryBytes, free, model, 0);
  }

  /** What the node is worth when one of its GPUs has given so much, the best of them: `chosen`. At least one has as much to give. */
  bestOf(cpuMilli: number, memoryBytes: number, free: Int32Array, model: string, milli: number): number {
    return this.#weigh(cpuMilli, memoryBytes, free, model, milli);
  }

  /** `milli`: of one of the GPUs; 0: it stays as it is. */
  #weigh(cpuMilli: number, memoryBytes: number, free: Int32Array, model: string, milli: number): number {
    const outlook = this.#outlookOf(model);
    const { tooLarge, impossible, barred, several, levels } = outlook;
    let level = 0;
    while (level < levels.length && (levels[level] as number) <= cpuMilli) level++;
    const line = level * (this.#sizes.length + 1);
    let shares = 0;
    let total = 0;
    let lost = 0;
    let whole = 0;
    for (const part of free) {
      if (part <= 0) continue;
      shares += this.#values[part] as number;
      total += part;
      lost += part * (tooLarge[line + (this.#sizeOf[part] as number)] as number);
      if (part === wholeMilli) whole++;
    }
    const blocked = barred + (impossible[level] as number);
    this.#chosen = -1;
    let most = Number.NEGATIVE_INFINITY;
    for (let at = 0; at < free.length; at++) {
      let [sharesNow, lostNow, wholeNow] = [shares, lost, whole];
      if (milli > 0) {
        const part = free[at] as number;
        if (part < milli || isSeen(free, at)) continue;
        const rest = part - milli;
        sharesNow += (this.#values[rest] as number) - (this.#values[part] as number);
        lostNow +=
          rest * (tooLarge[line + (this.#sizeOf[rest] as number)] as number) -
          part * (tooLarge[line + (this.#sizeOf[part] as number)] as number);
        if (part === wholeMilli) wholeNow--;
      }
      const left = total - milli;
      let fragments = lostNow + blocked * left;
      for (const kind of several)
        fragments += kind.share * lostOf(kind, cpuMilli, free, left, wholeNow, milli > 0 ? at : -1, milli);
      const worth =
        wholeMilli *
          (weightOfShares * sharesNow +
            (sharesNow > 0 ? weightOfBalance * this.#usable(sharesNow, cpuMilli, memoryBytes) : 0)) -
        weightOfNext * fragments;
      if (worth > most) {
        most = worth;
        this.#chosen = at;
      }
      if (milli === 0) break;
    }
    return free.length === 0 ? 0 : most;
  }

  #usable(shares: number, cpuMilli: number, memoryBytes: number): number {
    let usable = 0;
    for (let at = 0; at < this.#ratioShares.length; at++) {
      const cpu = this.#cpuRatios[at] as number;
      const memory = this.#memoryRatios[at] as number;
      let most = shares;
      if (cpuMilli < most * cpu) most = cpuMilli / cpu;
      if (memoryBytes < most * memory) most = memoryBytes / memory;
      usable += (this.#ratioShares[at] as number) * most;
    }
    return usable;
  }

  #outlookOf(model: string): Outlook {
    let outlook = this.#outlooks.get(model);
    if (outlook === undefined) {
      outlook = this.#lookOut(model);
      this.#outlooks.set(model, outlook);
    }
    return outlook;
  }

  #lookOut(model: string): Outlook {
    const may = this.#typical.filter(({ models }) => models.length === 0 || models.includes(model));
    const single = may.filter(({ count }) => count === 1);
    const levels = [...new Set(single.map(({ cpuMilli }) => cpuMilli))].sort((a, b) => a - b);
    const width = this.#sizes.length + 1;
    const tooLarge = new Float64Array((levels.length + 1) * width);
    const impossible = new Float64Array(levels.length + 1);
    for (let level = 0; level <= levels.length; level++)
      for (const { cpuMilli, milli, share } of single)
        if (level === 0 || cpuMilli > (levels[level - 1] as number))
          impossible[level] = (impossible[level] as number) + share;
        else
          for (let at = 0; at < width - 1; at++) {
            const cell = level * width + at;
            if (milli >= (this.#sizes[at] as number)) tooLarge[cell] = (tooLarge[cell] as number) + share;
          }
    return {
      levels: Float64Array.from(levels),
      tooLarge,
      impossible,
      several: may.filter(({ count }) => count > 1),
      barred: this.#typical.reduce((sum, one) => (may.includes(one) ? sum : sum + one.share), 0),
    };
  }
}

/** A GPU before it has as much to give. */
function isSeen(free: Int32Array, at: number): boolean {
  for (let before = 0; before < at; before++) if (free[before] === free[at]) return true;
  return false;
}

/** Of `total` thousandths, those that a pod of several GPUs could not use. One GPU (`changed`) has given `milli` already. */
function lostOf(
  kind: Typical,
  cpuMilli: number,
  free: Int32Array,
  total: number,
  whole: number,
  changed: number,
  milli: number,
): number {
  if (kind.cpuMilli > cpuMilli) return total;
  if (kind.milli === wholeMilli) return whole >= kind.count ? total - wholeMilli * whole : total;
  let enough = 0;
  let lost = 0;
  for (let at = 0; at < free.length; at++) {
    const part = (free[at] as number) - (at === changed ? milli : 0);
    if (part >= kind.milli) enough++;
    else if (part > 0) lost += part;
  }
  return enough >= kind.count ? lost : total;
}

function typicalOf(kinds: readonly PodKind[]): readonly Typical[] {
  const merged = new Map<string, { kind: PodKind; weight: number }>();
  let all = 0;
  for (const kind of kinds) {
    const key = `${kind.cpuMilli} ${kind.count} ${kind.milli} ${kind.models.join('|')}`;
    const there = merged.get(key);
    if (there === undefined) merged.set(key, { kind, weight: kind.weight });
    else there.weight += kind.weight;
    all += kind.weight;
  }
  const chosen: { kind: PodKind; weight: number }[] = [];
  let sum = 0;
  for (const one of [...merged.values()].sort((a, b) => b.weight - a.weight)) {
    if (sum >= typicalPart * all || chosen.length >= typicalMax) break;
    chosen.push(one);
    sum += one.weight;
  }
  return chosen.map(({ kind, weight }) => ({ ...kind, share: weight / sum }));
}

interface Ratio {
  cpu: number;
  memory: number;
  share: number;
}

/** Kinds that ask about as much to a GPU are one: a step is a factor of the square root of two. */
function ratiosOf(kinds: readonly PodKind[]): readonly Ratio[] {
  const step = (value: number): number => (value <= 0 ? -99 : Math.round(2 * Math.log2(value)));
  const merged = new Map<string, Ratio>();
  for (const { cpuMilli, memoryBytes, count, milli, weight } of kinds) {
    const gpus = (count * milli) / wholeMilli;
    const [cpu, memory] = [cpuMilli / gpus, memoryBytes / gpus];
    const key = `${step(cpu)} ${step(memory)}`;
    const there = merged.get(key);
    const share = gpus * weight;
    if (there === undefined) merged.set(key, { cpu: cpu * share, memory: memory * share, share });
    else {
      there.cpu += cpu * share;
      there.memory += memory * share;
      there.share += share;
    }
  }
  const ratios = [...merged.values()].sort((a, b) => b.share - a.share).slice(0, ratiosMax);
  const all = ratios.reduce((sum, { share }) => sum + share, 0);
  return ratios.map(({ cpu, memory, share }) => ({
    cpu: cpu / share,
    memory: memory / share,
    share: share / all,
  }));
}
