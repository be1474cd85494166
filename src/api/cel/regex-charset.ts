/** Sets of characters in regular expressions. ASCII is answered from a table, all else by ranges and properties. */

export interface CharsetParts {
  readonly ranges: readonly (readonly [low: number, high: number])[];
  readonly tests: readonly ((code: number) => boolean)[];
  readonly isNegated: boolean;
}

const asciiEnd = 128;

export class Charset {
  readonly #parts: CharsetParts;
  readonly #ignoresCase: boolean;
  readonly #ascii = new Uint8Array(asciiEnd);

  constructor(parts: CharsetParts, ignoresCase: boolean) {
    this.#parts = parts;
    this.#ignoresCase = ignoresCase;
    for (let code = 0; code < asciiEnd; code++) this.#ascii[code] = this.#look(code) ? 1 : 0;
  }

  has(code: number): boolean {
    return code < asciiEnd ? this.#ascii[code] === 1 : this.#look(code);
  }

  #look(code: number): boolean {
    const found =
      this.#within(code) || (this.#ignoresCase && otherCases(code).some((other) => this.#within(other)));
    return found !== this.#parts.isNegated;
  }

  #within(code: number): boolean {
    const { ranges, tests } = this.#parts;
    return (
      ranges.some(([low, high]) => code >= low && code <= high) || tests.some((includes) => includes(code))
    );
  }
}

/** The same letter in other cases; the Kelvin sign and the long s stand for k and s. */
function otherCases(code: number): readonly number[] {
  const letter = String.fromCodePoint(code);
  const [lower, upper] = [letter.toLowerCase(), letter.toUpperCase()];
  const cases = new Set([lower, upper, lower.toUpperCase(), upper.toLowerCase()]);
  cases.delete(letter);
  const codes = [...cases]
    .filter((one) => Array.from(one).length === 1)
    .map((one) => one.codePointAt(0) ?? 0);
  if (code === 0x6b || code === 0x4b) codes.push(0x212a);
  if (code === 0x73 || code === 0x53) codes.push(0x17f);
  return codes;
}

type Ranges = readonly (readonly [number, number])[];

const digits: Ranges = [[48, 57]];
const upper: Ranges = [[65, 90]];
const lower: Ranges = [[97, 122]];
const alpha: Ranges = [...upper, ...lower];
const word: Ranges = [...digits, ...alpha, [95, 95]];
const space: Ranges = [
  [9, 10],
  [12, 13],
  [32, 32],
];
const set = (ranges: Ranges, isNegated = false): CharsetParts => ({ ranges, tests: [], isNegated });

export const perlClasses: Readonly<Record<string, CharsetParts>> = {
  d: set(digits),
  D: set(digits, true),
  w: set(word),
  W: set(word, true),
  s: set(space),
  S: set(space, true),
};

export const posixClasses: Readonly<Record<string, Ranges>> = {
  alnum: [...digits, ...alpha],
  alpha,
  ascii: [[0, 127]],
  blank: [
    [9, 9],
    [32, 32],
  ],
  cntrl: [
    [0, 31],
    [127, 127],
  ],
  digit: digits,
  graph: [[33, 126]],
  lower,
  print: [[32, 126]],
  punct: [
    [33, 47],
    [58, 64],
    [91, 96],
    [123, 126],
  ],
  space: [
    [9, 13],
    [32, 32],
  ],
  upper,
  word,
  xdigit: [...digits, [65, 70], [97, 102]],
};

const properties = new Map<string, ((code: number) => boolean) | undefined>();

/** `L`, `Lu`, `Greek`. undefined: there is no such property. */
export function propertyTest(name: string): ((code: number) => boolean) | undefined {
  if (properties.has(name)) return properties.get(name);
  let test: ((code: number) => boolean) | undefined;
  try {
    const pattern = new RegExp(`^\\p{${name.length <= 2 ? name : `Script=${name}`}}$`, 'u');
    test = (code) => pattern.test(String.fromCodePoint(code));
  } catch {
    test = name === 'Any' ? () => true : undefined;
  }
  if (properties.size < 1000) properties.set(name, test);
  return test;
}

export const isWord = (code: number): boolean =>
  (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 95;
