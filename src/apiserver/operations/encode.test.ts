import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../lib/index.ts';
import type { DraftObject } from '../resource.ts';
import { encodingOf } from './encode.ts';

const seed = 7;

/** Some JSON, with undefined in it as drafts have it. */
function someValue(random: SeededRandom, depth: number): unknown {
  const pick = random.integer(depth > 3 ? 5 : 8);
  switch (pick) {
    case 0:
      return random.integer(3);
    case 1:
      return ['a', 'b', 'constructor'][random.integer(3)];
    case 2:
      return random.integer(2) === 0;
    case 3:
      return null;
    case 4:
      return [];
    case 5:
      return Array.from({ length: random.integer(3) }, () => someValue(random, depth + 1));
    default:
      return Object.fromEntries(
        ['x', 'y', 'toString']
          .filter(() => random.integer(2) === 0)
          .map((key) => [key, random.integer(6) === 0 ? undefined : someValue(random, depth + 1)]),
      );
  }
}

const draftOf = (random: SeededRandom): DraftObject =>
  ({
    apiVersion: 'v1',
    kind: 'Any',
    metadata: { name: 'a' },
    spec: someValue(random, 0),
    status: someValue(random, 0),
  }) as unknown as DraftObject;

const parsed = (bytes: Buffer): unknown => JSON.parse(bytes.toString());

test(`what an encoding says is decoded is what its bytes say, whatever it is compared with (seed ${seed})`, () => {
  const random = new SeededRandom(seed);
  let kin: unknown;
  let shared = 0;
  for (let round = 0; round < 3000; round++) {
    const before = JSON.stringify(kin);
    const encoding = encodingOf(draftOf(random));
    const bytes = encoding.encode(round);
    const decoded = encoding.decoded(round, kin);
    assert.deepEqual(decoded, parsed(bytes), `round ${round}`);
    assert.equal(JSON.stringify(kin), before, 'what lends parts stays as it is');
    if ((decoded as { spec: unknown }).spec === (kin as { spec?: unknown } | undefined)?.spec) shared++;
    kin = decoded;
  }
  assert.ok(shared > 100, `${shared} shared`);
});

test('what is no plain JSON is parsed from its bytes', () => {
  const odd = (spec: unknown): DraftObject =>
    ({ apiVersion: 'v1', kind: 'Any', metadata: { name: 'a' }, spec }) as unknown as DraftObject;
  for (const spec of [
    { at: new Date(0) },
    { half: Number.NaN },
    JSON.parse('{"__proto__":{"a":1}}'),
    [undefined],
  ])
    assert.equal(encodingOf(odd(spec)).decoded(1, odd({})), undefined);
});
