/** What is told of a policy's decisions. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ElasticityDecision } from '../../controllers/index.ts';
import { elasticityLines } from './explain-elasticity.ts';

const first: ElasticityDecision = {
  at: '2026-06-01T12:00:00Z',
  until: '2026-06-01T12:00:45Z',
  current: 2,
  wished: 2,
  desired: 2,
  because: '',
  heldBack: null,
  bounds: { min: 1, max: 10 },
  pods: 2,
  demand: 800,
  perReplica: 500,
  forecast: null,
  triggers: [],
};

test('elasticityLines() tells what was decided on which figures', () => {
  const second: ElasticityDecision = {
    ...first,
    at: '2026-06-01T12:01:00Z',
    until: '2026-06-01T12:01:00Z',
    wished: 6,
    desired: 4,
    because: 'forecast demand',
    heldBack: 'one change is at most 2',
    forecast: { demand: 2600, method: 'scaled', horizonSeconds: 90 },
    triggers: [
      { name: 'busy', value: 81_000, holds: true, heldSeconds: 30 },
      { name: 'queue', value: null, holds: false, heldSeconds: 0, missing: 'no such metric' },
    ],
  };
  assert.deepEqual(elasticityLines([]), []);
  assert.deepEqual(elasticityLines([first, second]), [
    '',
    'Decisions (the newest last):',
    '  12:00:00 to 12:00:45  stays at 2',
    '    2 pods, between 1 and 10',
    '    demand 0.8, of which a replica carries 0.5',
    '  12:01:00  2 → 4: forecast demand',
    '    2 pods, between 1 and 10; 6 were wanted; one change is at most 2',
    '    demand 0.8, of which a replica carries 0.5',
    '    forecast for the next 90 s: at most 2.6 (scaled)',
    '    trigger busy: 81, holds for 30 s',
    '    trigger queue: unknown, no such metric',
  ]);
});
