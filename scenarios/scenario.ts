/**
 * Scenarios: conversations with a cloud as a person has them, as text. Pure: reads and compares; `run.test.ts` carries out.
 *
 *   # a comment
 *   cloud: hollow 3            what to start: `hollow N`, `real` (needs root), or `none`
 *   kubectl: 1.36              whose words are checked; others found on the machine run it too where `any`
 *
 *   $ kubectl get nodes        a command; it must exit 0
 *   NAME  STATUS  …            and print these lines: runs of spaces are equal, `…` is any text in a line, a line `...` is any lines
 *   ! kubectl get pod none     must fail
 *   ~30 kubectl get pods       tried again until it prints this, for 30 seconds at most
 *
 * Lines are compared trimmed at the end. `CAELUM_REWRITE=1` writes what was printed into the file, to be reviewed as a diff.
 */

export interface Step {
  readonly command: string;
  readonly expect: readonly string[];
  readonly mustFail: boolean;
  /** Tried again for this long; 0: once. */
  readonly patienceMs: number;
  /** Line number of the command, from 1. */
  readonly line: number;
}

export interface Scenario {
  readonly settings: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}

const commandPattern = /^(?:(\$|!)|~(\d+)) (.*)$/;

export function parseScenario(text: string): Scenario {
  const settings: Record<string, string> = {};
  const steps: Step[] = [];
  let expect: string[] = [];
  const lines = text.split('\n');
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] as string;
    const command = commandPattern.exec(line);
    const setting = steps.length === 0 ? /^([a-z]+): (.*)$/.exec(line) : null;
    if (command !== null) {
      expect = [];
      const start = at + 1;
      let words = command[3] as string;
      while (words.endsWith('\\') && at + 1 < lines.length)
        words = `${words.slice(0, -1)}${(lines[++at] as string).trim()}`;
      // A here-document goes on to its end word.
      const here = /<<'?(\w+)'?$/.exec(words)?.[1];
      if (here !== undefined) {
        while (at + 1 < lines.length) {
          const next = lines[++at] as string;
          words += `\n${next}`;
          if (next === here) break;
        }
      }
      steps.push({
        command: words,
        expect,
        mustFail: command[1] === '!',
        patienceMs: Number(command[2] ?? 0) * 1000,
        line: start,
      });
    } else if (setting !== null) settings[setting[1] as string] = (setting[2] as string).trim();
    else if (!line.startsWith('#') && line.trim() !== '') expect.push(line.trimEnd());
  }
  return { settings, steps };
}

/** undefined when what was printed is as expected; otherwise what is not. */
export function mismatch(expect: readonly string[], printed: string): string | undefined {
  if (expect.length === 0) return undefined;
  const lines = printed
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '');
  let at = 0;
  for (let wanted = 0; wanted < expect.length; wanted++) {
    const pattern = expect[wanted] as string;
    if (pattern.trim() === '...') {
      const next = expect[wanted + 1];
      if (next === undefined) return undefined;
      const found = lines.findIndex((line, index) => index >= at && matches(next, line));
      if (found < 0) return `no line like: ${next}`;
      at = found;
      continue;
    }
    const line = lines[at];
    if (line === undefined) return `missing: ${pattern}`;
    if (!matches(pattern, line)) return `expected: ${pattern}\n printed: ${line}`;
    at++;
  }
  return at < lines.length ? `unexpected: ${lines[at]}` : undefined;
}

function matches(pattern: string, line: string): boolean {
  const source = pattern
    .trim()
    .split('…')
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/\s+/g, '\\s+'))
    .join('.*?');
  return new RegExp(`^${source}$`).test(line.trim());
}
