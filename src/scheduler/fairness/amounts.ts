/**
 * Amounts of many resources, by small numbers instead of names: cpu in thousandths, all else in units. Pure.
 *
 * GPUs that the ledger gives are one resource, in thousandths, however they are asked for: by annotation, as a resource, or whole ones of a device plugin.
 *
 * Two pods that ask the same have the same `Ask`, one object: what was found out about one holds for the other.
 */
import { type Pod, quantityMilli, quantityValue } from '../../api/index.ts';
import { type Amounts, amountsOf } from '../demand.ts';
import { gpuAskOf, gpuMilliKey } from '../devices/gpu-ask.ts';

export interface Amount {
  /** Number of the resource. */
  readonly at: number;
  readonly amount: number;
}

/** What is asked for, without zeros, by number of the resource. */
export type Ask = readonly Amount[];

/** By number of the resource; what is not there is nothing, or not spoken of. */
export type Vector = readonly (number | undefined)[];

export const cpuAt = 0;
export const memoryAt = 1;
export const storageAt = 2;
/** Pods are counted too, but how many there are says nothing of what they take: no share is measured by them. */
export const podsAt = 3;

export class Resources {
  readonly names: string[] = ['cpu', 'memory', 'ephemeral-storage', 'pods'];
  readonly #at = new Map(this.names.map((name, at) => [name, at]));
  readonly #asks = new Map<string, Ask>();
  readonly #askOf = new WeakMap<Amounts, Ask>();
  /** GPUs in thousandths. */
  readonly gpusAt = this.at(gpuMilliKey);

  at(name: string): number {
    let at = this.#at.get(name);
    if (at === undefined) {
      at = this.names.push(name) - 1;
      this.#at.set(name, at);
    }
    return at;
  }

  /** What a pod takes, and that it is one. */
  askOf(pod: Pod): Ask {
    const amounts = amountsOf(pod);
    const gpus = gpuAskOf(pod, amounts.extended);
    // Annotations are no part of what is remembered of amounts.
    if (gpus !== undefined) return this.#same(amounts, 'wrong' in gpus ? 0 : gpus.count * gpus.milli);
    let ask = this.#askOf.get(amounts);
    if (ask === undefined) {
      ask = this.#same(amounts, 0);
      this.#askOf.set(amounts, ask);
    }
    return ask;
  }

  /** With amounts of other resources, by name. */
  withMore(ask: Ask, more: ReadonlyMap<string, number>): Ask {
    if (more.size === 0) return ask;
    const all = [...ask];
    for (const [name, amount] of more) all.push({ at: this.at(name), amount });
    return this.#interned(all);
  }

  #same({ cpuMilli, memoryBytes, ephemeralBytes, extended }: Amounts, gpuMilli: number): Ask {
    const all: Amount[] = [
      { at: cpuAt, amount: cpuMilli },
      { at: memoryAt, amount: memoryBytes },
      { at: storageAt, amount: ephemeralBytes },
      { at: podsAt, amount: 1 },
      { at: this.gpusAt, amount: gpuMilli },
    ];
    for (const [name, amount] of extended) if (name !== gpuMilliKey) all.push({ at: this.at(name), amount });
    return this.#interned(all);
  }

  /** The same object for the same amounts. */
  #interned(all: readonly Amount[]): Ask {
    const ask = all.filter(({ amount }) => amount > 0).sort((a, b) => a.at - b.at);
    const key = ask.map(({ at, amount }) => `${at}:${amount}`).join();
    const known = this.#asks.get(key);
    if (known !== undefined) return known;
    this.#asks.set(key, ask);
    return ask;
  }

  /** Of texts by name, as objects have them. */
  vector(amounts: Readonly<Record<string, string>> | undefined): Vector {
    const vector: (number | undefined)[] = [];
    for (const [name, text] of Object.entries(amounts ?? {}))
      vector[this.at(name)] = (name === 'cpu' ? quantityMilli(text) : quantityValue(text)) ?? 0;
    return vector;
  }

  /** As objects have it. What is nothing is left out, unless it is among `named`. */
  texts(vector: Vector, named: Vector = []): Record<string, string> {
    const texts: Record<string, string> = {};
    this.names.forEach((name, at) => {
      const amount = vector[at] ?? 0;
      if (amount !== 0 || named[at] !== undefined) texts[name] = amountText(name, amount);
    });
    return texts;
  }

  /** For people: `12 cpu`, `1536Mi memory`. */
  told(at: number, amount: number): string {
    const name = this.names[at] ?? '';
    return `${amountText(name, amount)} ${name}`;
  }

  text(at: number, amount: number): string {
    return amountText(this.names[at] ?? '', amount);
  }
}

const binary = ['Ki', 'Mi', 'Gi', 'Ti'];

function amountText(name: string, amount: number): string {
  const whole = Math.round(amount);
  if (name === 'cpu') return whole % 1000 === 0 ? String(whole / 1000) : `${whole}m`;
  if (name !== 'memory' && name !== 'ephemeral-storage') return String(whole);
  let [power, shown] = [0, whole];
  while (power < binary.length && shown !== 0 && shown % 1024 === 0) {
    shown /= 1024;
    power++;
  }
  return `${shown}${binary[power - 1] ?? ''}`;
}

/** `into` and what is asked, `sign` times. */
export function addTo(into: number[], ask: Ask, sign: 1 | -1): void {
  for (const { at, amount } of ask) into[at] = (into[at] ?? 0) + sign * amount;
}
