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

test('placementLines() tells what would make a gang fit', () => {
  const way = { kind: 'node', text: 'one more node with 1 cpu to give', nodes: [] } as const;
  const all = {
    kind: 'node',
    text: '3 more nodes with 1 cpu to give, or one with 3 cpu to give',
    nodes: [],
  } as const;
  assert.deepEqual(
    placementLines({
      decision: 'waits',
      at: '2026-01-01T00:00:00Z',
      nodes: 2,
      refused: {},
      message: 'only 5 of 8 pods of PodGroup "g" fit.',
      remedies: {
        ways: [way],
        nearest: [],
        gang: { label: 'PodGroup "g"', needs: 8, fit: 5, next: 'n/x-5', whole: [all] },
      },
    }).slice(3),
    [
      '',
      '5 of 8 pods of PodGroup "g" fit. What would make the next one fit, n/x-5 (any of these):',
      '  one more node with 1 cpu to give',
      '',
      'What would make all of them fit:',
      '  3 more nodes with 1 cpu to give, or one with 3 cpu to give',
    ],
  );
});
