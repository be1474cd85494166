/** What is told of an autoscaler's decisions. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DecisionRecord } from '../../controllers/index.ts';
import { autoscalerLines } from './explain-autoscaler.ts';

const first: DecisionRecord = {
  at: '2026-06-01T12:00:00Z',
  until: '2026-06-01T12:00:45Z',
  current: 2,
  recommended: 2,
  desired: 2,
  because: '',
  bounds: { min: 1, max: 10 },
  pods: 2,
  metrics: ['cpu of pods: 51% (510m), wanted 50%'],
  readings: [{ pods: { a: 500, b: 520 } }],
  recent: [2],
};

test('autoscalerLines() tells what was decided on which figures', () => {
  const second: DecisionRecord = {
    ...first,
    at: '2026-06-01T12:01:00Z',
    until: '2026-06-01T12:01:00Z',
    recommended: 3,
    desired: 4,
    because: 'cpu resource above target',
    metrics: ['cpu of pods: unknown, wanted 50%', 'depth: 15 each, wanted 10 each'],
    readings: [{ failed: 'no metrics returned' }, { value: 30_000 }],
    recent: [2, 4],
  };
  assert.deepEqual(autoscalerLines([]), []);
  assert.deepEqual(autoscalerLines([first, second]), [
    '',
    'Decisions (the newest last):',
    '  12:00:00 to 12:00:45  stays at 2',
    '    2 pods, between 1 and 10; the metrics ask for 2',
    '    cpu of pods: 51% (510m), wanted 50%',
    '      a 0.5, b 0.52',
    '  12:01:00  2 → 4: cpu resource above target',
    '    2 pods, between 1 and 10; the metrics ask for 3',
    '    cpu of pods: unknown, wanted 50%',
    '      no metrics returned',
    '    depth: 15 each, wanted 10 each',
    '      30',
    '    recommended before: 2, 4',
  ]);
});
