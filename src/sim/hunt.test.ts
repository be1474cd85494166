import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { generatePlan } from './generate.ts';
import { type Outcome, Tally } from './hunt.ts';
import { runSeeds } from './io/crew.ts';
import type { SimPlan } from './plan.ts';
import { properties } from './properties/index.ts';

const outcome = (seed: number, more: Partial<Outcome> = {}): Outcome => ({
  seed,
  hash: `${seed}`,
  violation: undefined,
  simulatedMs: 100_000,
  cpuMs: 100,
  changes: 50,
  recoveredMs: 1000 * seed,
  facts: { 'fault: kill': 2, 'user: notFound': 1, messages: 10 },
  states: [`state ${seed % 4}`],
  ...more,
});

const broken = (property: string) => ({ property, message: `${property} broke`, atMs: 1, revision: 2 });

test('Tally.report() adds up seeds, speed, faults, coverage and the slowest recovery', () => {
  const tally = new Tally();
  for (let seed = 1; seed <= 20; seed++) tally.add(outcome(seed));
  const report = tally.report({ properties, tookMs: 1000, workers: 2, words: ['--calm'] });
  assert.match(report, /seeds +20, 0 failed/);
  assert.match(report, /simulated +33 min, 1 000 s a second of CPU/);
  assert.match(report, /changes +1 000, 500 a second of CPU/);
  assert.match(report, /coverage +4 states, 0 of them new in the last 2 seeds/);
  assert.match(report, /slowest recovery +20 s \(seed 20\)/);
  assert.match(report, /faults: kill 40/);
  assert.match(report, /errors that users got: notFound 20/);
  assert.match(report, /Every property held/);
});

test('Tally.report() groups what is broken by property, most first, with seeds and the way to replay', () => {
  const tally = new Tally();
  const [rare, often] = [properties[0]?.name ?? '', properties[1]?.name ?? ''];
  for (const seed of [9, 3, 5]) tally.add(outcome(seed, { violation: broken(often) }));
  tally.add(outcome(4, { violation: broken(rare) }));
  const report = tally.report({ properties, tookMs: 1000, workers: 2, words: ['--calm'] });
  assert.ok(report.indexOf(`BROKEN ${often}: 3 seeds: 3, 5, 9`) < report.indexOf(`BROKEN ${rare}: 1 seed`));
  assert.ok(report.includes(properties[1]?.statement ?? '?'));
  assert.ok(report.includes('npm run sim -- 3 --calm'));
  assert.equal(tally.failures, 4);
});

test('runSeeds() runs each seed once, on several threads, and stops when it is told to', async () => {
  const seen: number[] = [];
  await runSeeds({
    seeds: [8, 5, 4, 10],
    workers: 2,
    generate: { activeMs: 3000, calm: true },
    onOutcome: ({ seed }) => void seen.push(seed),
    isOver: () => seen.length >= 3,
  });
  assert.equal(new Set(seen).size, seen.length);
  assert.ok(seen.length === 3 || seen.length === 4);
});

const home = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'caelum-sim-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const caelum = (...words: readonly string[]) =>
  spawnSync(process.execPath, [join(home, 'src/main/caelum.ts'), 'sim', ...words], {
    cwd: folder,
    encoding: 'utf8',
  });

test('caelum sim SEED replays a history, writes a page, and exits with 0', () => {
  const { status, stdout } = caelum('8', '--seconds', '10', '--calm', '--html', 'history.html');
  assert.equal(status, 0, stdout);
  assert.match(stdout, /seed 8: .*\n +phases +active/);
  assert.match(stdout, /All \d+ properties held/);
  assert.match(readFileSync(join(folder, 'history.html'), 'utf8'), /<h1>Caelum simulator: seed 8/);
});

test('caelum sim --plan exits with 1 when a property is broken, and leaves a smaller plan that breaks it too', () => {
  const plan = generatePlan(8, { activeMs: 10_000, calm: true });
  const deploy = plan.actions.find(({ kind }) => kind === 'deploy');
  assert.ok(deploy?.kind === 'deploy');
  const late = { ...deploy, app: 9, atMs: 9990, workload: { ...deploy.workload, replicas: 3 } };
  // Nobody can do it in no time.
  writeFileSync(
    join(folder, 'plan.json'),
    JSON.stringify({ ...plan, actions: [...plan.actions, late], startDelayMs: 3000, recoverMs: 0 }),
  );
  const { status, stdout } = caelum('--plan', 'plan.json');
  assert.equal(status, 1, stdout);
  assert.match(stdout, /BROKEN /);
  assert.match(stdout, /npm run sim -- --plan sim-failure-8\.json/);
  const small = JSON.parse(readFileSync(join(folder, 'sim-failure-8.json'), 'utf8')) as SimPlan;
  assert.ok(small.actions.length < plan.actions.length);
  assert.equal(caelum('--plan', 'sim-failure-8.json', '--no-shrink').status, 1);
});

test('caelum sim exits with 2 and says what is wrong with the command line', () => {
  for (const [words, said] of [
    [['x'], /SEED is a whole number/],
    [['1', '--seeds', '3'], /one of them/],
    [['--seeds', 'many'], /whole number/],
    [['--plan', 'none.json'], /Cannot read plan "none.json"/],
    [['--nodes'], /wants a value/],
  ] as const) {
    const { status, stderr } = caelum(...words);
    assert.equal(status, 2, stderr);
    assert.match(stderr, said);
  }
});
