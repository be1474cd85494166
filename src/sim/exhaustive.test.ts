import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Pod } from '../api/index.ts';
import { SeededRandom } from '../lib/index.ts';
import { explore, readDeviations, writeDeviations } from './exhaustive.ts';
import { runSmall } from './exhaustive-run.ts';
import { type Scenario, scenarios } from './exhaustive-scenarios.ts';
import { guarded } from './io/environment.ts';
import { sourceOf } from './io/mutant-loader.ts';
import { explorationMutants } from './mutants/exploration.ts';
import { planted } from './mutants.ts';
import type { Property } from './property.ts';

const scenarioOf = (name: string): Scenario => scenarios.find((one) => one.name === name) as Scenario;
const replay = (scenario: Scenario, text: string) =>
  runSmall({ scenario, deviations: readDeviations(text) ?? [], environment: guarded, tells: true });

for (const scenario of scenarios)
  test(`runSmall() reaches every goal in the order of age: ${scenario.name}`, async () => {
    assert.deepEqual((await replay(scenario, '')).violation, undefined);
    const known = new Set(guarded.properties.map(({ name }) => name));
    assert.deepEqual(
      scenario.properties.filter((name) => !known.has(name)),
      [],
      'every property is known',
    );
  });

test('runSmall() tells the same story of the same deviations', async () => {
  const scenario = scenarioOf('garbage');
  const one = await replay(scenario, '4:delay,9:kill,12:restartApi');
  const other = await replay(scenario, '4:delay,9:kill,12:restartApi');
  assert.deepEqual(one, other);
  assert.notDeepEqual(one.story, (await replay(scenario, '4:delay')).story);
});

test('explore() runs every history of one deviation, and nothing breaks', async () => {
  const report = await explore({
    scenario: scenarioOf('adoption'),
    environment: guarded,
    ordersMax: 1,
    faultsMax: 0,
    twists: ['delay', 'afterUser'],
    random: new SeededRandom(1),
  });
  assert.deepEqual(report.findings, []);
  assert.equal(report.completeTo, 1);
  assert.ok(report.pruned > 0, 'histories that differ in nothing that matters meet');
  assert.ok(report.runs > 50);
});

test('explore() gives a history that is broken and replays', async () => {
  // Holds in the order of age, and not where the user is fast.
  const fragile: Property = {
    name: 'garbage/orphans-stay',
    source: 'this test',
    statement: 'What is deleted had two pods that ran.',
    check({ truth }, broken) {
      return {
        onEvent({ kind, resource, previous }) {
          if (kind === 'delete' && resource === 'replicasets.apps' && previous !== undefined)
            if ([...truth.objects<Pod>('pods').values()].some(({ status }) => status?.phase !== 'Running'))
              broken('one did not run yet');
        },
      };
    },
  };
  const scenario = { ...scenarioOf('garbage'), properties: [fragile.name] };
  const environment = { ...guarded, properties: [fragile] };
  const report = await explore({
    scenario,
    environment,
    ordersMax: 1,
    faultsMax: 0,
    twists: ['act'],
    random: new SeededRandom(1),
    runsMax: 100,
  });
  const [found] = report.findings;
  assert.equal(found?.property, fragile.name);
  const text = writeDeviations(found?.deviations ?? []);
  const { violation } = await runSmall({
    scenario,
    deviations: readDeviations(text) ?? [],
    environment,
  });
  assert.deepEqual(violation, { property: found?.property, message: found?.message });
});

test('readDeviations() refuses what is none', () => {
  assert.deepEqual(readDeviations('1:delay,2:kill'), [
    { at: 1, twist: 'delay' },
    { at: 2, twist: 'kill' },
  ]);
  for (const text of ['delay', '1:hurry', 'x:kill', '-1:kill']) assert.equal(readDeviations(text), undefined);
});

test('planted() finds the place of every fault that exploration has found', () => {
  for (const mutant of explorationMutants) planted(mutant, readFileSync(sourceOf(mutant), 'utf8'));
});
