/**
 * Chance, passed in. The real one is cryptographic (`io/real-random.ts`); this one is seeded and replays.
 *
 * `stream(name)` gives an independent source: one per kind of thing, so that a change in one place does not reshuffle the rest.
 */

export interface Random {
  /** In [0, 1). */
  float(): number;
  /** In [0, below); `below` is a positive integer. */
  integer(below: number): number;
  bytes(count: number): Uint8Array;
  /** A version 4 UUID. */
  uuid(): string;
  stream(name: string): Random;
}

/** Kubernetes' alphabet for generated names: no vowels, no look-alikes. */
const nameAlphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** A suffix such as `x7k2p`, as generateName appends. */
export function nameSuffix(random: Random, length = 5): string {
  let text = '';
  for (let i = 0; i < length; i++) text += nameAlphabet[random.integer(nameAlphabet.length)];
  return text;
}

/** Formats 16 random bytes as a version 4 UUID (RFC 9562). */
export function formatUuid(bytes: Uint8Array): string {
  const hex: string[] = [];
  bytes.forEach((byte, index) => {
    const value = index === 6 ? (byte & 0x0f) | 0x40 : index === 8 ? (byte & 0x3f) | 0x80 : byte;
    hex.push(value.toString(16).padStart(2, '0'));
  });
  const text = hex.join('');
  return `${text.slice(0, 8)}-${text.slice(8, 12)}-${text.slice(12, 16)}-${text.slice(16, 20)}-${text.slice(20)}`;
}

/** sfc32: small, fast, passes PractRand. Not for secrets. Source: Chris Doty-Humphrey, PractRand. */
export class SeededRandom implements Random {
  readonly #seed: string;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number | string) {
    this.#seed = String(seed);
    [this.#a, this.#b, this.#c] = hashSeed(this.#seed);
    for (let i = 0; i < 12; i++) this.#next();
  }

  #next(): number {
    const t = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (this.#c << 21) | (this.#c >>> 11);
    this.#c = (this.#c + t) | 0;
    return t >>> 0;
  }

  float(): number {
    return this.#next() / 2 ** 32;
  }

  integer(below: number): number {
    return Math.floor(this.float() * below);
  }

  bytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    for (let i = 0; i < count; i++) bytes[i] = this.#next() & 0xff;
    return bytes;
  }

  uuid(): string {
    return formatUuid(this.bytes(16));
  }

  stream(name: string): Random {
    return new SeededRandom(`${this.#seed}/${name}`);
  }
}

/** Three 32-bit words from text (FNV-1a, three offsets). */
function hashSeed(text: string): [number, number, number] {
  const words: [number, number, number] = [0x811c9dc5, 0x9e3779b9, 0x85ebca6b];
  for (let word = 0; word < 3; word++) {
    let hash = words[word] as number;
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    words[word] = hash | 0;
  }
  return words;
}
