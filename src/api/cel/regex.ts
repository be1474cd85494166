/**
 * Regular expressions of RE2, in time that grows with the text and never runs away: all ways to match are followed at once.
 *
 *   pattern ─▶ program (`regex-program.ts`) ─▶ for each character the list of places in the program, the preferred one first ─▶ leftmost match
 *
 * The platform's own engine tries one way after the other, and `^(a+)+$` stops a whole server for minutes. Compiled once each.
 */
import { isWord } from './regex-charset.ts';
import { type Assertion, type Instruction, programOf } from './regex-program.ts';
import { Fault } from './value.ts';

export interface Regex {
  /** Of its program: what one character can cost. */
  readonly size: number;
  test(text: string): boolean;
  /** The leftmost match, of those the preferred one; from an offset on. */
  find(text: string, from?: number): { readonly start: number; readonly end: number } | undefined;
}

const known = new Map<string, Regex | string>();
const knownMax = 2000;
/** Patterns may come out of what users write: of large programs fewer are kept. */
const knownInstructionsMax = 200_000;
let knownInstructions = 0;

/** Throws a fault for what is no regular expression. */
export function compileRegex(pattern: string): Regex {
  const compiled = knownRegex(pattern);
  if (typeof compiled === 'string') throw new Fault(compiled);
  return compiled;
}

/** What is wrong with it; undefined: nothing. */
export function regexProblem(pattern: string): string | undefined {
  const compiled = knownRegex(pattern);
  return typeof compiled === 'string' ? compiled : undefined;
}

function knownRegex(pattern: string): Regex | string {
  let compiled = known.get(pattern);
  if (compiled === undefined) {
    try {
      compiled = new Machine(programOf(pattern));
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      compiled = error.message;
    }
    const size = typeof compiled === 'string' ? 1 : compiled.size;
    if (known.size >= knownMax || knownInstructions + size > knownInstructionsMax) {
      known.clear();
      knownInstructions = 0;
    }
    known.set(pattern, compiled);
    knownInstructions += size;
  }
  return compiled;
}

/** As many as fit into what was seen. */
const roundsMax = 2 ** 31 - 1;

/** Places in the program, each once, in order of preference, with where their match began. */
class Places {
  readonly at: Int32Array;
  readonly starts: Int32Array;
  count = 0;
  readonly #seen: Int32Array;
  #round = 0;

  constructor(size: number) {
    this.at = new Int32Array(size);
    this.starts = new Int32Array(size);
    this.#seen = new Int32Array(size);
  }

  clear(): void {
    this.count = 0;
    if (++this.#round < roundsMax) return;
    this.#seen.fill(0);
    this.#round = 1;
  }

  /** False: it was there. */
  visit(place: number): boolean {
    if (this.#seen[place] === this.#round) return false;
    this.#seen[place] = this.#round;
    return true;
  }
}

class Machine implements Regex {
  readonly #program: readonly Instruction[];
  readonly #stack: number[] = [];
  #now: Places;
  #next: Places;

  constructor(program: readonly Instruction[]) {
    this.#program = program;
    this.#now = new Places(program.length);
    this.#next = new Places(program.length);
  }

  get size(): number {
    return this.#program.length;
  }

  test(text: string): boolean {
    return this.#run(text, 0, true) !== undefined;
  }

  find(text: string, from = 0): { readonly start: number; readonly end: number } | undefined {
    return this.#run(text, from, false);
  }

  #run(text: string, from: number, isAnyEnough: boolean): { start: number; end: number } | undefined {
    const program = this.#program;
    const entry = program.length - 1;
    let found: { start: number; end: number } | undefined;
    let before = from > 0 ? text.charCodeAt(from - 1) : -1;
    this.#now.clear();
    for (let at = from; ; ) {
      const code = at < text.length ? (text.codePointAt(at) as number) : -1;
      if (found === undefined) this.#add(this.#now, entry, at, before, code);
      if (this.#now.count === 0 && found !== undefined) return found;
      const end = at + (code > 0xffff ? 2 : 1);
      const after = end < text.length ? (text.codePointAt(end) as number) : -1;
      this.#next.clear();
      for (let index = 0; index < this.#now.count; index++) {
        const start = this.#now.starts[index] as number;
        const instruction = program[this.#now.at[index] as number] as Instruction;
        if (instruction.op === 'match') {
          found = { start, end: at };
          if (isAnyEnough) return found;
          break;
        }
        if (instruction.op === 'set' && code >= 0 && instruction.set.has(code))
          this.#add(this.#next, instruction.next, start, code, after);
      }
      if (code < 0) return found;
      [this.#now, this.#next] = [this.#next, this.#now];
      before = code;
      at = end;
    }
  }

  /** With all that is reached from there without a character, what is preferred first. */
  #add(places: Places, place: number, start: number, before: number, after: number): void {
    const stack = this.#stack;
    stack.push(place);
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      if (!places.visit(at)) continue;
      const instruction = this.#program[at] as Instruction;
      if (instruction.op === 'fork') stack.push(instruction.second, instruction.first);
      else if (instruction.op === 'assert') {
        if (holds(instruction.what, before, after)) stack.push(instruction.next);
      } else {
        places.at[places.count] = at;
        places.starts[places.count++] = start;
      }
    }
  }
}

/** Between two characters; -1 is the edge of the text. */
function holds(what: Assertion, before: number, after: number): boolean {
  switch (what) {
    case 'begin':
      return before < 0;
    case 'end':
      return after < 0;
    case 'lineBegin':
      return before < 0 || before === 10;
    case 'lineEnd':
      return after < 0 || after === 10;
    case 'word':
      return isWord(before) !== isWord(after);
    case 'noWord':
      return isWord(before) === isWord(after);
  }
}
