/**
 * Objects of one kin (the versions of one object; the pods of one set) say mostly the same. Their decoded forms share what is equal: a tenth of the memory,
 * and a tenth of what the garbage collector has to look at.
 *
 * Kin is whose keys are the same up to the last dash, which is how names are made. Wrong guesses cost a comparison and share nothing.
 * Invariant: sharing changes no meaning; decoded forms are read only. Bounded: as many trees as `kinMax`, none of large objects.
 */

const kinMax = 4096;
/** Of text: what is larger is rarely one of many. */
export const kinBytesMax = 64 * 1024;

export class Kin {
  /** The newest of each kin. Least recently written first. */
  readonly #newest = new Map<string, object>();

  /** A decoded form that is likely to be much like that of `key`. */
  of(key: string): object | undefined {
    return this.#newest.get(nameOf(key));
  }

  /** The newest decoded form of the kin of `key`. */
  note(key: string, object: unknown, size: number): void {
    const name = nameOf(key);
    if (name === '' || size > kinBytesMax || typeof object !== 'object' || object === null) return;
    // To the end of the line, once it is long enough for that to matter.
    if (this.#newest.size > kinMax / 2) this.#newest.delete(name);
    this.#newest.set(name, object);
    if (this.#newest.size > kinMax)
      for (const [oldest] of this.#newest) {
        this.#newest.delete(oldest);
        break;
      }
  }

  /** `object`, which is given away: the same, with the parts that kin has as well. */
  like(key: string, object: unknown, size: number): unknown {
    if (size > kinBytesMax) return object;
    const like = shared(object, this.of(key));
    this.note(key, like, size);
    return like;
  }
}

const nameOf = (key: string): string => key.slice(0, key.lastIndexOf('-') + 1);

/** `known` where both say the same; otherwise `value`, whose parts that `known` has as well are replaced by those. */
export function shared(value: unknown, known: unknown): unknown {
  if (value === known) return known;
  if (typeof value !== 'object' || value === null || typeof known !== 'object' || known === null)
    return value;
  if (Array.isArray(value)) return Array.isArray(known) ? sharedList(value, known) : value;
  if (Array.isArray(known)) return value;
  return sharedObject(value as Record<string, unknown>, known as Readonly<Record<string, unknown>>);
}

function sharedList(value: unknown[], known: readonly unknown[]): unknown {
  let isSame = value.length === known.length;
  const length = Math.min(value.length, known.length);
  for (let at = 0; at < length; at++) {
    const item = value[at];
    const part = shared(item, known[at]);
    if (part !== known[at]) isSame = false;
    if (part !== item) value[at] = part;
  }
  return isSame ? known : value;
}

function sharedObject(value: Record<string, unknown>, known: Readonly<Record<string, unknown>>): unknown {
  let isSame = true;
  let count = 0;
  for (const key in value) {
    count++;
    if (key === '__proto__') {
      isSame = false;
      continue;
    }
    const item = value[key];
    const other = known[key];
    const part = shared(item, other);
    if (part !== other) isSame = false;
    else if (part !== item) value[key] = part;
  }
  if (!isSame) return value;
  for (const _ in known) count--;
  return count === 0 ? known : value;
}
