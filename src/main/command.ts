/** What a command of `caelum` is: how it is called (`cli`), and what it does. */
import type { Arguments, Command, Option } from '../cli/index.ts';

export interface RunnableCommand extends Command {
  /** Resolves with the exit code. Errors are shown by the caller. */
  run(given: Arguments): Promise<number>;
}

export const dataOption: Option = {
  name: 'data',
  value: 'DIR',
  help: 'the cloud to speak of (default /var/lib/caelum, or CAELUM_DATA)',
};
export const outputOption: Option = {
  name: 'output',
  short: 'o',
  value: 'FORMAT',
  help: '`json` for programs',
};

export const print = (text: string): void => {
  process.stdout.write(text);
};

export const printJson = (value: unknown): void => print(`${JSON.stringify(value, undefined, 2)}\n`);

/** A line of progress, beside what the command prints. */
export const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};
