import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../../api/index.ts';
import { deletionCostAnnotation, podsToDelete } from './ranking.ts';

const nowMs = Date.UTC(2026, 0, 2);
const ago = (seconds: number): string => new Date(nowMs - seconds * 1000).toISOString();

interface Shape {
  readonly node?: string;
  readonly phase?: string;
  readonly readyFor?: number | undefined;
  readonly cost?: string;
  readonly restarts?: number;
  readonly age?: number;
}

function pod(name: string, shape: Shape = {}): Pod {
  const { node = 'n', phase = 'Running', cost, restarts = 0, age = 1000 } = shape;
  const readyFor = 'readyFor' in shape ? shape.readyFor : 900;
  return {
    metadata: {
      name,
      uid: name,
      creationTimestamp: ago(age),
      ...(cost === undefined ? {} : { annotations: { [deletionCostAnnotation]: cost } }),
    },
    spec: { ...(node === '' ? {} : { nodeName: node }), containers: [] },
    status: {
      phase,
      conditions:
        readyFor === undefined ? [] : [{ type: 'Ready', status: 'True', lastTransitionTime: ago(readyFor) }],
      containerStatuses: [{ name: 'c', image: '', imageID: '', ready: true, restartCount: restarts }],
    },
  };
}

const good = pod('a-good');
for (const [what, worse] of [
  ['has no node', pod('z', { node: '' })],
  ['is Pending', pod('z', { phase: 'Pending' })],
  ['is not ready', pod('z', { readyFor: undefined })],
  ['costs less to delete', pod('z', { cost: '-5' })],
  ['is ready for a much shorter time', pod('z', { readyFor: 10 })],
  ['has restarted more', pod('z', { restarts: 3 })],
  ['is much younger', pod('z', { age: 901 - 899 })],
] as const) {
  test(`podsToDelete() takes first the one that ${what}`, () => {
    const pods = [good, worse];
    assert.deepEqual(podsToDelete(pods, pods, 1, nowMs), [worse]);
  });
}

test('podsToDelete() takes first from nodes that hold more of the same owner', () => {
  const [one, two] = [pod('a', { node: 'lonely' }), pod('z', { node: 'full' })];
  const relatives = [one, two, pod('sibling', { node: 'full' })];
  assert.deepEqual(podsToDelete([one, two], relatives, 1, nowMs), [two]);
});

// Found by comparison with src/sim/reference/replicaset.ts, seed 1/9 of its test.
for (const cost of ['1e3', '0x10', '+7', '007', ' 4', '3.5', '99999999999', 'Infinity'])
  test(`podsToDelete() takes a deletion cost of "${cost}" for none`, () => {
    const [costly, cheap] = [pod('a', { cost }), pod('z', { cost: '1' })];
    assert.deepEqual(podsToDelete([cheap, costly], [], 1, nowMs), [costly]);
  });
