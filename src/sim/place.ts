/** Where an error was made, for people: the first place of ours in its stack. Pure. */
import { explainError } from '../lib/index.ts';

/** `message (at src/store/log-store.ts:12)`. */
export const explainWithPlace = (error: unknown): string => `${explainError(error)}${placeOf(error)}`;

const ownFiles = /^src\/sim\/(?:place|io\/guard)\.ts/;

function placeOf(error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  for (const line of stack.split('\n')) {
    const place = /\/((?:src|bench|tools)\/[^\s()]+?:\d+):\d+/.exec(line)?.[1];
    if (place !== undefined && !ownFiles.test(place)) return ` (at ${place})`;
  }
  return '';
}
