/** The machine's own cryptographic chance. */
import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { flat } from '../flat-text.ts';
import type { Random } from '../random.ts';

export const realRandom: Random = {
  float: () => randomInt(2 ** 32) / 2 ** 32,
  integer: (below) => randomInt(below),
  bytes: (count) => randomBytes(count),
  uuid: () => flat(randomUUID()),
  stream: () => realRandom,
};
