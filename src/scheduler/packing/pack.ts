/**
 * Packs items of several dimensions into bins: as much as can be, into the cheapest bins. Pure, and the same every time.
 *
 *   items, largest first, each into the fullest bin that takes it ─▶ what is left over is pushed in, others pushed out ─▶ a bin is closed, its items pushed into
 *   the others ─▶ … until no bin can be closed, the bound is met, or the work is up
 *
 * Invariant: no bin holds more than it has free. It is never worse than largest first.
 * Source: Nagata and Bräysy, "A powerful route minimization heuristic for the vehicle routing problem with time windows" (guided ejection search), 2009.
 */
import { assert, type Random, SeededRandom } from '../../lib/index.ts';

export interface Bin {
  /** By dimension. */
  readonly free: readonly number[];
  /** Of using it at all; 0: it is in use anyway. */
  readonly cost: number;
}

export interface Item {
  readonly size: readonly number[];
  /** By bin. Undefined: all. */
  readonly allowed: Uint8Array | undefined;
}

/** By item: its bin, or -1. */
export type Packing = Int32Array;

/** In looks at a bin: in all, and for each item and bin. */
const workMax = 400_000;
const workEach = 5000;
const shuffles = 4;

export function pack(bins: readonly Bin[], items: readonly Item[]): Packing {
  const packer = new Packer(bins, items);
  packer.begin();
  packer.pushIn();
  packer.closeBins();
  return packer.best;
}

/** What the bins that are used cost. */
export function costOf(bins: readonly Bin[], packing: Packing): number {
  let cost = 0;
  for (const bin of new Set(packing)) cost += bins[bin]?.cost ?? 0;
  return cost;
}

class Packer {
  best: Packing = new Int32Array(0);
  readonly #bins: readonly Bin[];
  readonly #items: readonly Item[];
  readonly #dimensions: number;
  /** Of each item, of all that is free, added over dimensions. */
  readonly #weights: Float64Array;
  readonly #free: Float64Array;
  readonly #binOf: Packing;
  readonly #inBin: number[][];
  readonly #isOpen: Uint8Array;
  readonly #random: Random = new SeededRandom('packing');
  #work: number;

  constructor(bins: readonly Bin[], items: readonly Item[]) {
    this.#bins = bins;
    this.#items = items;
    this.#dimensions = bins[0]?.free.length ?? 0;
    this.#work = Math.min(workMax, workEach * bins.length * items.length);
    const totals = new Float64Array(this.#dimensions);
    for (const { free } of bins)
      for (let at = 0; at < totals.length; at++)
        totals[at] = (totals[at] as number) + Math.max(0, free[at] ?? 0);
    this.#weights = Float64Array.from(items, ({ size }) =>
      size.reduce((sum, one, at) => sum + one / Math.max(1, totals[at] as number), 0),
    );
    this.#free = new Float64Array(bins.length * this.#dimensions);
    this.#binOf = new Int32Array(items.length).fill(-1);
    this.#inBin = bins.map(() => []);
    this.#isOpen = new Uint8Array(bins.length).fill(1);
  }

  /** Largest first, by several ideas of what is large; the best of them stays. */
  begin(): void {
    const largest = (at: number): number =>
      Math.max(...(this.#items[at]?.size.map((one, d) => one / this.#mostFree(d)) ?? [0]));
    const ideas: ((at: number) => number)[] = [(at) => this.#weights[at] as number, largest];
    for (let d = 0; d < this.#dimensions; d++) ideas.push((at) => this.#items[at]?.size[d] ?? 0);
    let least = { left: Number.POSITIVE_INFINITY, cost: Number.POSITIVE_INFINITY };
    for (const idea of ideas) {
      this.#clear();
      const keys = Float64Array.from(this.#items, (_, at) => idea(at));
      const order = Array.from(this.#items.keys()).sort(
        (a, b) => (keys[b] as number) - (keys[a] as number) || a - b,
      );
      for (const item of order) {
        const bin = this.#fullestFor(item);
        if (bin >= 0) this.#put(item, bin);
      }
      const [left, cost] = [this.#left(), costOf(this.#bins, this.#binOf)];
      if (left > least.left + 1e-12 || (left > least.left - 1e-12 && cost >= least.cost)) continue;
      least = { left, cost };
      this.best = this.#binOf.slice();
    }
    this.#restore(this.best);
  }

  /** What has no bin is pushed into one; where not all can have one, as much as can be. */
  pushIn(): void {
    if (!this.best.includes(-1)) return;
    const first = this.best;
    this.#push(this.#work / 8);
    if (!this.best.includes(-1)) return;
    if (this.#leftOf(first) < this.#leftOf(this.best)) this.best = first;
    this.#restore(this.best);
    this.#exchange();
  }

  /** Simulated annealing: an item comes in, others have to leave and find another place or none. */
  #exchange(): void {
    const all = this.#weights.reduce((sum, one) => sum + one, 0);
    const hot = (0.8 * all) / Math.max(1, this.#items.length);
    const work = this.#work;
    let least = this.#left();
    let left = least;
    while (this.#work > 0 && least > 0) {
      this.#work--;
      const heat = hot * 0.1 ** (1 - this.#work / work);
      this.#shuffle();
      const item = this.#random.integer(this.#items.length);
      const bin = this.#random.integer(this.#bins.length);
      if ((this.#binOf[item] as number) >= 0 || !this.#may(item, bin)) continue;
      const gone = this.#makeRoom(item, bin);
      if (gone === undefined) continue;
      this.#put(item, bin);
      const back = gone.filter((one) => {
        const other = this.#fullestFor(one);
        if (other >= 0) this.#put(one, other);
        return other < 0;
      });
      const gain =
        (this.#weights[item] as number) - back.reduce((sum, one) => sum + (this.#weights[one] as number), 0);
      if (gain < 0 && this.#random.float() >= Math.exp(gain / heat)) {
        for (const one of gone) if ((this.#binOf[one] as number) >= 0) this.#take(one);
        this.#take(item);
        for (const one of gone) this.#put(one, bin);
        continue;
      }
      left -= gain;
      if (left < least - 1e-12) {
        least = left;
        this.best = this.#binOf.slice();
      }
    }
    this.#restore(this.best);
  }

  /** Takes out of the bin, by chance, what has to go so that the item fits. Undefined: it does not fit into an empty one. */
  #makeRoom(item: number, bin: number): readonly number[] | undefined {
    const gone: number[] = [];
    while (!this.#fits(item, bin)) {
      const inside = this.#inBin[bin] ?? [];
      if (inside.length === 0) {
        for (const one of gone) this.#put(one, bin);
        return undefined;
      }
      const one = inside[this.#random.integer(inside.length)] as number;
      this.#take(one);
      gone.push(one);
    }
    return gone;
  }

  /** As long as all items have bins without one of those that cost. */
  closeBins(): void {
    if (this.best.includes(-1)) return;
    const bound = this.#costBound();
    for (let isClosed = true; isClosed && this.#work > 0; ) {
      isClosed = false;
      const cost = costOf(this.#bins, this.best);
      if (cost <= bound + 1e-9) return;
      const used = this.#bins.flatMap(({ cost: one }, bin) =>
        one > 0 && (this.#inBin[bin]?.length ?? 0) > 0 ? [bin] : [],
      );
      used.sort((a, b) => this.#weightIn(a) - this.#weightIn(b) || a - b);
      for (const [at, closing] of used.entries()) {
        const kept = this.best;
        this.#restore(kept);
        // The others, and one that is not in use where it is cheaper.
        for (const [bin, { cost: one }] of this.#bins.entries())
          this.#isOpen[bin] = Number(one === 0 || used.includes(bin));
        this.#isOpen[closing] = 0;
        const cheaper = this.#cheaperThan(closing);
        if (cheaper >= 0) this.#isOpen[cheaper] = 1;
        for (const item of [...(this.#inBin[closing] ?? [])]) this.#take(item);
        this.#push(this.#work / (used.length - at));
        isClosed = !this.best.includes(-1) && costOf(this.#bins, this.best) < cost;
        if (isClosed) break;
        this.best = kept;
        if (this.#work <= 0) break;
      }
      this.#isOpen.fill(1);
      this.#restore(this.best);
    }
  }

  /** The cheapest of the cheaper ones that nobody uses; -1: none. */
  #cheaperThan(bin: number): number {
    const most = this.#bins[bin]?.cost ?? 0;
    let found = -1;
    for (const [other, { cost }] of this.#bins.entries())
      if (cost > 0 && cost < most && (this.#inBin[other]?.length ?? 0) === 0)
        if (found < 0 || cost > (this.#bins[found]?.cost ?? 0)) found = other;
    return found;
  }

  /** Guided ejection search from the packing at hand; `best` is the one with the least left over, at the end also that at hand. */
  #push(work: number): void {
    const until = this.#work - work;
    const waiting = [...this.#binOf.keys()].filter((item) => (this.#binOf[item] as number) < 0);
    waiting.sort((a, b) => (this.#weights[a] as number) - (this.#weights[b] as number));
    const refusals = new Float64Array(this.#items.length).fill(1);
    let least = this.#left();
    this.best = this.#binOf.slice();
    while (waiting.length > 0 && this.#work > until) {
      const item = waiting.pop() as number;
      const bin = this.#fullestFor(item);
      if (bin >= 0) this.#put(item, bin);
      else {
        refusals[item] = (refusals[item] as number) + 1;
        const ejection = this.#ejectionFor(item, refusals);
        if (ejection === undefined) {
          // It fits nowhere, whoever goes.
          if (waiting.length === 0) break;
          waiting.unshift(item);
          if (waiting.every((one) => (refusals[one] as number) > 50)) break;
          continue;
        }
        for (const one of ejection.items) {
          this.#take(one);
          waiting.push(one);
        }
        this.#put(item, ejection.bin);
        for (let at = 0; at < shuffles; at++) this.#shuffle();
      }
      const left = this.#left();
      if (left < least - 1e-12) {
        least = left;
        this.best = this.#binOf.slice();
      }
    }
  }

  /** One or two items that would make room for it: those that found a place most easily so far. */
  #ejectionFor(
    item: number,
    refusals: Float64Array,
  ): { readonly bin: number; readonly items: readonly number[] } | undefined {
    let best: { bin: number; items: readonly number[] } | undefined;
    let least = Number.POSITIVE_INFINITY;
    const consider = (bin: number, items: readonly number[], price: number): void => {
      if (price >= least || !this.#fitsWithout(item, bin, items)) return;
      least = price;
      best = { bin, items };
    };
    for (let bin = 0; bin < this.#bins.length; bin++) {
      if (!this.#may(item, bin)) continue;
      const inside = this.#inBin[bin] ?? [];
      for (let a = 0; a < inside.length; a++) {
        const one = inside[a] as number;
        const price = refusals[one] as number;
        consider(bin, [one], price + (this.#weights[one] as number));
        for (let b = a + 1; b < inside.length; b++) {
          const other = inside[b] as number;
          const both = (this.#weights[one] as number) + (this.#weights[other] as number);
          consider(bin, [one, other], price + (refusals[other] as number) + both);
        }
      }
    }
    return best;
  }

  #fitsWithout(item: number, bin: number, without: readonly number[]): boolean {
    this.#work--;
    const size = this.#items[item]?.size ?? [];
    for (let d = 0; d < this.#dimensions; d++) {
      let free = this.#free[bin * this.#dimensions + d] as number;
      for (const one of without) free += this.#items[one]?.size[d] ?? 0;
      if ((size[d] as number) > free) return false;
    }
    return true;
  }

  /** Some item goes elsewhere, or changes places with another: the same order of things would come again otherwise. */
  #shuffle(): void {
    const item = this.#random.integer(this.#items.length);
    const from = this.#binOf[item] as number;
    if (from < 0) return;
    const to = this.#random.integer(this.#bins.length);
    if (to === from || !this.#may(item, to)) return;
    const inside = this.#inBin[to] ?? [];
    if (inside.length === 0) return;
    if (this.#fits(item, to)) {
      this.#take(item);
      this.#put(item, to);
      return;
    }
    const other = inside[this.#random.integer(inside.length)] as number;
    if (!this.#may(other, from) || !this.#fitsWithout(item, to, [other])) return;
    if (!this.#fitsWithout(other, from, [item])) return;
    this.#take(item);
    this.#take(other);
    this.#put(item, to);
    this.#put(other, from);
  }

  #may(item: number, bin: number): boolean {
    const { allowed } = this.#items[item] as Item;
    return this.#isOpen[bin] === 1 && (allowed === undefined || allowed[bin] === 1);
  }

  #fits(item: number, bin: number): boolean {
    this.#work--;
    const { size } = this.#items[item] as Item;
    const offset = bin * this.#dimensions;
    for (let d = 0; d < this.#dimensions; d++)
      if ((size[d] as number) > (this.#free[offset + d] as number)) return false;
    return true;
  }

  /** Of the bins in use the fullest that takes it; else the cheapest that is not in use; -1: none. */
  #fullestFor(item: number): number {
    let best = -1;
    let isUsed = false;
    let least = Number.POSITIVE_INFINITY;
    for (let bin = 0; bin < this.#bins.length; bin++) {
      const { cost } = this.#bins[bin] as Bin;
      const used = cost === 0 || (this.#inBin[bin]?.length ?? 0) > 0;
      if ((isUsed && !used) || !this.#may(item, bin) || !this.#fits(item, bin)) continue;
      const rank = used ? this.#room(bin) : cost;
      if ((used && !isUsed) || rank < least) {
        least = rank;
        best = bin;
        isUsed = used;
      }
    }
    return best;
  }

  #room(bin: number): number {
    let room = 0;
    for (let d = 0; d < this.#dimensions; d++)
      room += (this.#free[bin * this.#dimensions + d] as number) / this.#mostFree(d);
    return room;
  }

  readonly #most = new Map<number, number>();

  #mostFree(dimension: number): number {
    let most = this.#most.get(dimension);
    if (most === undefined) {
      most = this.#bins.reduce((max, { free }) => Math.max(max, free[dimension] ?? 0), 1);
      this.#most.set(dimension, most);
    }
    return most;
  }

  #put(item: number, bin: number): void {
    const { size } = this.#items[item] as Item;
    for (let d = 0; d < this.#dimensions; d++) {
      const at = bin * this.#dimensions + d;
      this.#free[at] = (this.#free[at] as number) - (size[d] as number);
    }
    this.#binOf[item] = bin;
    this.#inBin[bin]?.push(item);
  }

  #take(item: number): void {
    const bin = this.#binOf[item] as number;
    assert(bin >= 0, 'an item is taken out of its bin');
    const { size } = this.#items[item] as Item;
    for (let d = 0; d < this.#dimensions; d++) {
      const at = bin * this.#dimensions + d;
      this.#free[at] = (this.#free[at] as number) + (size[d] as number);
    }
    this.#binOf[item] = -1;
    const inside = this.#inBin[bin] ?? [];
    inside.splice(inside.indexOf(item), 1);
  }

  #clear(): void {
    this.#binOf.fill(-1);
    for (const inside of this.#inBin) inside.length = 0;
    for (const [bin, { free }] of this.#bins.entries())
      for (let d = 0; d < this.#dimensions; d++) this.#free[bin * this.#dimensions + d] = free[d] as number;
  }

  #restore(packing: Packing): void {
    this.#clear();
    for (const [item, bin] of packing.entries()) if (bin >= 0) this.#put(item, bin);
  }

  #weightIn(bin: number): number {
    return (this.#inBin[bin] ?? []).reduce((sum, item) => sum + (this.#weights[item] as number), 0);
  }

  /** Weight of what has no bin. */
  #left(): number {
    return this.#leftOf(this.#binOf);
  }

  #leftOf(packing: Packing): number {
    let left = 0;
    for (let item = 0; item < packing.length; item++)
      if ((packing[item] as number) < 0) left += this.#weights[item] as number;
    return left;
  }

  /** No packing of all items costs less: in each dimension alone, could items be cut. */
  #costBound(): number {
    let most = 0;
    for (let d = 0; d < this.#dimensions; d++) {
      let asked = this.#items.reduce((sum, { size }) => sum + (size[d] as number), 0);
      const paid: Bin[] = [];
      for (const bin of this.#bins)
        if (bin.cost === 0) asked -= Math.max(0, bin.free[d] as number);
        else paid.push(bin);
      paid.sort((a, b) => (b.free[d] as number) / b.cost - (a.free[d] as number) / a.cost);
      let bound = 0;
      const isAlike = paid.every(({ cost }) => cost === paid[0]?.cost);
      if (isAlike) paid.sort((a, b) => (b.free[d] as number) - (a.free[d] as number));
      for (const { cost, free } of paid) {
        if (asked <= 0) break;
        const part = isAlike ? 1 : Math.min(1, asked / (free[d] as number));
        bound += cost * part;
        asked -= free[d] as number;
      }
      most = Math.max(most, bound);
    }
    return most;
  }
}
