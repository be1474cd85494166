import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placementLines } from './explain-placement.ts';

test('placementLines() tells where a pod is and whom that cost', () => {
  assert.deepEqual(placementLines(null), []);
  assert.deepEqual(
    placementLines({
      decision: 'bound',
      at: '2026-01-01T00:00:00Z',
      node: 'a',
      score: 350,
      possibleNodes: 2,
      refused: { 'Insufficient cpu': 3 },
      preempted: { node: 'a', victims: ['shop/x'], budgetViolations: 1, candidates: 2 },
      ranked: {
        strategy: 'default',
        possibleNodes: 2,
        nodes: [{ node: 'a', score: 350, aspects: { fit: 50.26 } }],
      },
    }),
    [
      '',
      'Placement:',
      '  On node a, the best of 2 with a score of 350.',
      '  3 refused: Insufficient cpu',
      '  For it shop/x had to leave node a, 1 of them against their budgets; 2 nodes came into question.',
      '',
      'Now the best nodes for it (default):',
      '  a: 350 (fit 50.3)',
    ],
  );
});

test('placementLines() tells what would make a pod fit', () => {
  assert.deepEqual(
    placementLines({
      decision: 'waits',
      at: '2026-01-01T00:00:00Z',
      nodes: 2,
      refused: { 'Insufficient cpu': 2 },
      message: '0/2 nodes are available: 2 Insufficient cpu.',
      remedies: {
        ways: [
          {
            kind: 'room',
            text: 'needs 300m cpu more on any node of zone b (nearest: b1)',
            nodes: ['b1'],
            lacks: { cpu: 300 },
            zone: 'b',
          },
        ],
        nearest: [{ node: 'b1', obstacles: ['300m cpu too little'] }],
      },
    }),
    [
      '',
      'Placement:',
      '  0/2 nodes are available: 2 Insufficient cpu.',
      '  2 refused: Insufficient cpu',
      '',
      'What would make it fit (any of these):',
      '  needs 300m cpu more on any node of zone b (nearest: b1)',
      '',
      'The nearest nodes:',
      '  b1: 300m cpu too little',
    ],
  );
});
