/**
 * Patterns in the syntax of RE2, as schemas have them, as patterns of this language: what is spelt differently is translated.
 */
import { CaelumError } from '../../lib/index.ts';

const classes: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7F',
  blank: '\\t ',
  cntrl: '\\x00-\\x1F\\x7F',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`{-~',
  space: '\\t\\n\\v\\f\\r ',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
};

const known = new Map<string, RegExp>();
const knownMax = 2000;

/** Throws `usage` for what is no pattern. */
export function patternOf(text: string): RegExp {
  let pattern = known.get(text);
  if (pattern === undefined) {
    pattern = compile(text);
    if (known.size < knownMax) known.set(text, pattern);
  }
  return pattern;
}

function compile(text: string): RegExp {
  let flags = '';
  const head = /^\(\?([ims]+)\)/.exec(text);
  if (head !== null) for (const flag of head[1] ?? '') if (!flags.includes(flag)) flags += flag;
  const body = text
    .slice(head?.[0].length ?? 0)
    .replaceAll(/\\[Az]|\(\?P<|\[:(\w+):\]/g, (found, name: string | undefined) => {
      if (found === '\\A') return '^';
      if (found === '\\z') return '$';
      if (found === '(?P<') return '(?<';
      return classes[name ?? ''] ?? found;
    });
  for (const how of [`u${flags}`, flags]) {
    try {
      return new RegExp(body, how);
    } catch {
      // Without `u` more is allowed: needless escapes, as people write them.
    }
  }
  throw new CaelumError('usage', `Cannot read pattern ${JSON.stringify(text)}`);
}
