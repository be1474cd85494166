/** The simulator itself: the same seed is the same history, and no seed breaks a property. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { directed } from './directed.ts';
import { type FoundBug, found } from './found.ts';
import { type GenerateOptions, generatePlan } from './generate.ts';
import type { Outcome } from './hunt.ts';
import { runSeeds } from './io/crew.ts';
import { guarded } from './io/environment.ts';
import { run } from './run.ts';

const seedCount = 200;
const workers = 2;
/** Of the tests that take minutes of CPU: others may have most of the machine. */
const timeout = 3_600_000;

async function outcomes(
  seeds: Iterable<number>,
  generate: GenerateOptions = {},
): Promise<readonly Outcome[]> {
  const all: Outcome[] = [];
  await runSeeds({ seeds, workers, generate, onOutcome: (outcome) => void all.push(outcome) });
  return all.sort((a, b) => a.seed - b.seed);
}

const seedsFrom = (first: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => first + index);

/** With the command that replays it. */
const broken = (all: readonly Outcome[], words = ''): readonly string[] =>
  all.flatMap(({ seed, violation }) =>
    violation === undefined
      ? []
      : [`${violation.property}: ${violation.message}; replay: npm run sim -- ${seed}${words}`],
  );

test('run() gives the same history for the same seed, in this thread, in others and in another process', async () => {
  const seconds = 30;
  const seeds = seedsFrom(1, 12);
  const first = await outcomes(seeds, { activeMs: seconds * 1000 });
  // The other way round, so that what ran before in a thread is not the same.
  const second = await outcomes([...seeds].reverse(), { activeMs: seconds * 1000 });
  const hashes = (all: readonly Outcome[]) => all.map(({ seed, hash }) => `${seed} ${hash}`);
  assert.deepEqual(hashes(second), hashes(first));
  assert.equal(new Set(first.map(({ hash }) => hash)).size, seeds.length);

  const here = await run(generatePlan(2, { activeMs: seconds * 1000 }), guarded);
  assert.equal(here.hash, first[1]?.hash);
  const program = fileURLToPath(new URL('../main/caelum.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [program, 'sim', '2', '--seconds', '30'], {
    env: { ...process.env, TZ: 'Asia/Kathmandu', LANG: 'tr_TR.UTF-8' },
  });
  assert.ok(stdout.includes(here.hash), `another process has the history ${here.hash}:\n${stdout}`);
});

test('run() gives another history when one message is carried otherwise', async () => {
  const plan = generatePlan(2, { activeMs: 20_000 });
  const [one, other] = [
    await run(plan, guarded),
    await run({ ...plan, startDelayMs: plan.startDelayMs + 1 }, guarded),
  ];
  assert.notEqual(one.hash, other.hash);
});

test('every property holds in the seeds that have found bugs', { timeout }, async () => {
  const failures: string[] = [];
  const wayOf = ({ seconds, everyKind }: FoundBug): string =>
    [
      ...(seconds === undefined ? [] : [`--seconds ${seconds}`]),
      everyKind ? '--without-claims' : '--only-deployments',
    ].join(' ');
  for (const [way, bugs] of Map.groupBy(found, wayOf)) {
    const seeds = bugs.flatMap((bug) => bug.seeds);
    const seconds = bugs[0]?.seconds;
    const all = await outcomes(seeds, {
      ...(seconds === undefined ? {} : { activeMs: seconds * 1000 }),
      ...(bugs[0]?.everyKind ? { withoutClaims: true } : { onlyDeployments: true }),
    });
    failures.push(...broken(all, ` ${way}`));
  }
  assert.deepEqual(failures, []);
});

test(`every property holds in seeds 1 to ${seedCount}, at full length, and in plans made by hand`, {
  timeout,
}, async () => {
  const seeds = [...directed.map(({ plan }) => plan.seed), ...seedsFrom(1, seedCount)];
  const all = await outcomes(seeds);
  assert.equal(all.length, seeds.length);
  assert.deepEqual(broken(all), []);
});
