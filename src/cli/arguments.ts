/**
 * The grammar of the command line: a command says its words and options as data; parsing, help and errors follow from that.
 *
 * Pure. Wrong usage is a CaelumError with code `usage` (exit code 2) that says what would be right.
 */
import { CaelumError } from '../lib/index.ts';

export interface Option {
  readonly name: string;
  readonly short?: string;
  /** What the value is called in help, e.g. `DIR`; undefined: a flag that takes none. */
  readonly value?: string;
  readonly help: string;
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  /** The words after the name, as shown in help: `KIND NAME`. */
  readonly words?: string;
  /** How many words it takes. */
  readonly wordCount?: { readonly min: number; readonly max: number };
  readonly options: readonly Option[];
  /** More for `--help`. */
  readonly notes?: string;
}

export interface Arguments {
  readonly words: readonly string[];
  flag(name: string): boolean;
  value(name: string): string | undefined;
  /** Of an option that may be given several times: all of them. */
  values(name: string): readonly string[];
  /** A whole number in [min, max]; throws `usage` when it is none. */
  integer(name: string, min: number, max: number): number | undefined;
  /** Was it written by the user? */
  has(name: string): boolean;
}

const helpOption: Option = { name: 'help', short: 'h', help: 'show this help' };

/** Every option of a command, with those that all commands have. */
export function optionsOf(command: Command): readonly Option[] {
  return [...command.options, helpOption];
}

export function parseArguments(command: Command, argv: readonly string[]): Arguments {
  const options = optionsOf(command);
  const given = new Map<string, string>();
  const all = new Map<string, readonly string[]>();
  const words: string[] = [];
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] as string;
    if (word === '--') {
      words.push(...argv.slice(at + 1));
      break;
    }
    if (!word.startsWith('-') || word === '-') {
      words.push(word);
      continue;
    }
    const equals = word.indexOf('=');
    const name = equals < 0 ? word : word.slice(0, equals);
    const option = options.find(
      (one) => name === `--${one.name}` || (one.short !== undefined && name === `-${one.short}`),
    );
    if (option === undefined)
      throw usage(
        command,
        `unknown option "${name}"${suggestion(
          name.replace(/^-+/, ''),
          options.map((one) => one.name),
          '--',
        )}`,
      );
    if (option.value === undefined) {
      if (equals >= 0) throw usage(command, `option "--${option.name}" takes no value`);
      given.set(option.name, '');
    } else {
      const value = equals >= 0 ? word.slice(equals + 1) : argv[++at];
      if (value === undefined || value === '')
        throw usage(command, `option "--${option.name}" wants a value: --${option.name} ${option.value}`);
      given.set(option.name, value);
      all.set(option.name, [...(all.get(option.name) ?? []), value]);
    }
  }
  const { min, max } = command.wordCount ?? { min: 0, max: 0 };
  if (!given.has('help') && (words.length < min || words.length > max)) {
    const wanted = command.words === undefined ? 'it takes no words' : `it wants ${command.words}`;
    throw usage(command, words.length < min ? wanted : `unexpected "${words[max] ?? ''}"; ${wanted}`);
  }
  return {
    words,
    flag: (name) => given.has(name),
    has: (name) => given.has(name),
    value: (name) => given.get(name),
    values: (name) => all.get(name) ?? [],
    integer: (name, least, most) => {
      const text = given.get(name);
      if (text === undefined) return undefined;
      const number = Number(text);
      if (!/^\d+$/.test(text) || number < least || number > most)
        throw usage(
          command,
          `option "--${name}" wants a whole number from ${least} to ${most}, not "${text}"`,
        );
      return number;
    },
  };
}

export function usage(command: Command | undefined, reason: string): CaelumError {
  const name = command === undefined ? 'caelum' : `caelum ${command.name}`;
  return new CaelumError('usage', `Cannot run "${name}": ${reason}. See "${name} --help".`);
}

/** ` (did you mean "--data"?)`, or ''. */
export function suggestion(word: string, known: readonly string[], prefix = ''): string {
  const near = known
    .map((name) => ({ name, distance: editDistance(word, name) }))
    .sort((a, b) => a.distance - b.distance)[0];
  return near !== undefined && near.distance <= Math.max(1, Math.floor(word.length / 3))
    ? ` (did you mean "${prefix}${near.name}"?)`
    : '';
}

export function helpFor(command: Command): string {
  const lines = [
    `caelum ${command.name}${command.words === undefined ? '' : ` ${command.words}`} [options]`,
    '',
    `  ${command.summary}`,
    '',
    'Options:',
  ];
  const left = (option: Option): string =>
    `  ${option.short === undefined ? '    ' : `-${option.short}, `}--${option.name}${option.value === undefined ? '' : ` ${option.value}`}`;
  const width = Math.max(...optionsOf(command).map((option) => left(option).length)) + 2;
  for (const option of optionsOf(command)) lines.push(`${left(option).padEnd(width)}${option.help}`);
  if (command.notes !== undefined) lines.push('', command.notes);
  return `${lines.join('\n')}\n`;
}

/** Levenshtein's. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min((previous[j] as number) + 1, (current[j - 1] as number) + 1, substitution));
    }
    previous = current;
  }
  return previous[b.length] as number;
}
