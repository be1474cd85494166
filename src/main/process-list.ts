/**
 * The processes of a cloud as the kernel lists them: also those that no state file knows, because their parent was killed in the moment
 * in which it had started them.
 */
import { readdirSync, readFileSync } from 'node:fs';
import type { Layout } from './layout.ts';
import { identify, isAlive, type ProcessIdentity } from './process-identity.ts';
import { type ProcessName, processNames, readState } from './state.ts';

export interface NamedProcess extends ProcessIdentity {
  readonly name: ProcessName;
}

/** How a process of a cloud is shown by ps, and known here. */
export function processTitle(name: ProcessName, layout: Layout): string {
  return `caelum ${name} ${layout.data}`;
}

/** All that run now, except the one that asks. A supervisor in somebody's terminal has no title of ours: it is known by the state file. */
export function processesOf(layout: Layout): readonly NamedProcess[] {
  const written = (readState(layout)?.processes ?? []).filter(isAlive);
  const listed = readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && !written.some((one) => one.pid === pid))
    .flatMap((pid) => {
      const name = nameOf(pid, layout);
      const identity = name === undefined ? undefined : identify(pid);
      return name === undefined || identity === undefined ? [] : [{ name, ...identity }];
    });
  return [...written, ...listed].filter(({ pid }) => pid !== process.pid);
}

function nameOf(pid: number, layout: Layout): ProcessName | undefined {
  let words: readonly string[];
  try {
    words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return undefined;
  }
  const titled = processNames.find((name) => words[0] === processTitle(name, layout));
  if (titled !== undefined) return titled;
  // Before it has set its title it is known by its arguments: … process.ts NAME DATA.
  const at = words.findIndex((word) => word.endsWith('/main/process.ts'));
  return at >= 0 && words[at + 2] === layout.data
    ? processNames.find((name) => name === words[at + 1])
    : undefined;
}
