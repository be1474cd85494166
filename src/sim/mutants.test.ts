import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { sourceOf } from './io/mutant-loader.ts';
import { runMutants } from './io/mutant-run.ts';
import { mutants, planted } from './mutants.ts';

test('planted() finds the place of every mutant exactly once', () => {
  const wrong: string[] = [];
  for (const mutant of mutants) {
    try {
      planted(mutant, readFileSync(sourceOf(mutant), 'utf8'));
    } catch (error) {
      wrong.push((error as Error).message);
    }
  }
  assert.deepEqual(wrong, []);
});

test('mutants have names of their own, and there are at least 36', () => {
  assert.equal(new Set(mutants.map(({ name }) => name)).size, mutants.length);
  assert.ok(mutants.filter(({ harmless }) => harmless === undefined).length >= 36);
});

test('runMutants() finds two planted faults, and none where nothing is planted', async () => {
  const chosen = mutants.filter(
    ({ name }) => name === 'store/unsynced-acknowledged' || name === 'queue/failure-not-retried',
  );
  const results = await runMutants({ mutants: chosen, workers: 1, seedsMax: 60 });
  assert.deepEqual(
    results.map(({ mutant, found }) => [mutant.name, found !== undefined]),
    chosen.map(({ name }) => [name, true]),
  );
});
