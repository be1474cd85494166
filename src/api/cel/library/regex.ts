/** Kubernetes' regular expressions: find, findAll. */
import type { Definition } from '../function.ts';
import { compileRegex } from '../regex.ts';
import { work } from '../work.ts';
import { matchCost } from './standard.ts';

const costs = { cost: matchCost, size: (a: number) => a };

function find(text: string, pattern: string): string {
  const regex = compileRegex(pattern);
  work((text.length * regex.size) / 64);
  const match = regex.find(text);
  return match === undefined ? '' : text.slice(match.start, match.end);
}

function findAll(text: string, pattern: string, limit = Number.POSITIVE_INFINITY): string[] {
  const regex = compileRegex(pattern);
  work((text.length * regex.size) / 64);
  const most = limit < 0 ? Number.POSITIVE_INFINITY : limit;
  const found: string[] = [];
  let emptyAt = -1;
  for (let from = 0; from <= text.length && found.length < most; ) {
    const match = regex.find(text, from);
    if (match === undefined) break;
    const { start, end } = match;
    // Nothing is found right behind a match.
    if (end > start || start !== emptyAt) found.push(text.slice(start, end));
    emptyAt = end;
    from = end > start ? end : end + ((text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1);
  }
  return found;
}

export const regexFunctions: readonly Definition[] = [
  ['string . find(string): string', find, costs],
  [
    'string . findAll(string): list(string)',
    (text: string, pattern: string) => findAll(text, pattern),
    costs,
  ],
  [
    'string . findAll(string, int): list(string)',
    (text: string, pattern: string, limit: number | bigint) => findAll(text, pattern, Number(limit)),
    costs,
  ],
];
