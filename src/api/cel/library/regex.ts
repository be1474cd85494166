/** Kubernetes' regular expressions: find, findAll. */
import type { Definition } from '../function.ts';
import { compileRegex } from '../regex.ts';
import { matchCost } from './standard.ts';

const costs = { cost: matchCost, size: (a: number) => a };

function findAll(text: string, pattern: string, limit = -1): string[] {
  const found: string[] = [];
  if (limit === 0) return found;
  const { source, flags } = compileRegex(pattern);
  for (const [match] of text.matchAll(new RegExp(source, `${flags}g`))) {
    found.push(match);
    if (found.length === limit) break;
  }
  return found;
}

export const regexFunctions: readonly Definition[] = [
  [
    'string . find(string): string',
    (text: string, pattern: string) => compileRegex(pattern).exec(text)?.[0] ?? '',
    costs,
  ],
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
