/**
 * Random cases for comparing our cores with their reference versions, replayable one by one.
 *
 *   CAELUM_SEED=7 node --test src/sim/reference/scheduler.test.ts        other cases
 *   CAELUM_SEED=7/123 node --test src/sim/reference/scheduler.test.ts    that one case, as a failure names it
 */
import type { TestContext } from 'node:test';
import { SeededRandom } from '../../lib/index.ts';

/** Draws of a case. */
export class Choices {
  readonly random: SeededRandom;

  constructor(seed: string) {
    this.random = new SeededRandom(seed);
  }

  /** From `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.random.integer(high - low + 1);
  }

  /** True so often. */
  chance(share: number): boolean {
    return this.random.float() < share;
  }

  one<T>(of: readonly T[]): T {
    return of[this.random.integer(of.length)] as T;
  }

  /** Up to `most` of them, each at most once, in any order. */
  some<T>(of: readonly T[], most = of.length): T[] {
    const left = [...of];
    const taken: T[] = [];
    for (let count = this.between(0, Math.min(most, of.length)); count > 0; count--)
      taken.push(...left.splice(this.random.integer(left.length), 1));
    return taken;
  }

  list<T>(low: number, high: number, make: (index: number) => T): T[] {
    return Array.from({ length: this.between(low, high) }, (_, index) => make(index));
  }

  /** `{ [name]: value }` so often, else nothing: a field that may be missing. */
  maybe<K extends string, V>(share: number, name: K, make: () => V): { readonly [name in K]?: V } {
    return this.chance(share) ? ({ [name]: make() } as { readonly [name in K]?: V }) : {};
  }
}

/** Runs `count` cases; a failure says how to replay it. */
export function forEachCase(t: TestContext, count: number, run: (choices: Choices) => void): void {
  const [seed = '1', only] = (process.env['CAELUM_SEED'] ?? '1').split('/');
  const startMs = performance.now();
  for (let at = only === undefined ? 0 : Number(only); at < count || only !== undefined; at++) {
    try {
      run(new Choices(`${seed}/${at}`));
    } catch (error) {
      t.diagnostic(`CAELUM_SEED=${seed}/${at} replays it`);
      throw error;
    }
    if (only !== undefined) return;
  }
  const perSecond = Math.round((1000 * count) / (performance.now() - startMs));
  t.diagnostic(`CAELUM_SEED=${seed}, ${count} cases, ${perSecond} a second`);
}
