import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../../api/index.ts';
import type { Step } from '../step.ts';
import { plan, quarantineMs } from './plan.ts';

const nowMs = Date.UTC(2026, 0, 1);

function aPod(name: string, phase: string, finalizers: readonly string[] = [], graceSeconds?: number): Pod {
  const deletion =
    graceSeconds === undefined
      ? {}
      : { deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: graceSeconds };
  return {
    metadata: { name, namespace: 'shop', uid: name, finalizers, ...deletion },
    status: { phase },
  };
}

/** `fail a: DisruptionTarget`, `delete a`. */
function decided(steps: readonly Step[]): readonly string[] {
  return steps.flatMap((step) => {
    const writes = step.kind === 'together' ? step.writes : [step];
    return writes.map((write) => {
      if (write.kind === 'delete') return `delete ${write.name}`;
      if (write.kind !== 'patch') return write.kind;
      const { status } = write.patch as { readonly status: Pod['status'] };
      const conditions = (status?.conditions ?? []).map(({ reason }) => reason).join();
      return `${status?.phase} ${write.name} ${conditions}`.trimEnd();
    });
  });
}

test('plan() ends pods of a node that is gone; they have failed before', () => {
  const pods = [aPod('a', 'Running'), aPod('held', 'Running', ['x']), aPod('done', 'Succeeded', ['x'])];
  const observed = { kind: 'node', pods, goneMs: quarantineMs } as const;
  assert.deepEqual(decided(plan(observed, { nowMs })), [
    'Failed a DeletionByPodGC',
    'Failed held DeletionByPodGC',
    'delete a',
    'delete held',
    'delete done',
  ]);
  assert.deepEqual(decided(plan({ ...observed, goneMs: 0 }, { nowMs })), ['again']);
});

for (const [what, pod, expected] of [
  ['goes', aPod('a', 'Pending', [], 30), ['Failed a', 'delete a']],
  ['that is held has failed, and goes', aPod('a', 'Pending', ['x'], 30), ['Failed a', 'delete a']],
  ['that is held and going has failed', aPod('a', 'Pending', ['x'], 0), ['Failed a']],
  ['that is held and has failed stays', aPod('a', 'Failed', ['x'], 0), []],
] as const)
  test(`plan(): a pod that never had a node and is being deleted ${what}`, () => {
    assert.deepEqual(decided(plan({ kind: 'unbound', pod }, { nowMs })), expected);
  });

test('plan() takes away the oldest of those that have ended; those that were evicted first', () => {
  const pods = ['a', 'b', 'c', 'd'].map((name, at): Pod => {
    const pod = aPod(name, at === 3 ? 'Failed' : 'Succeeded');
    return {
      metadata: { ...pod.metadata, creationTimestamp: `2026-01-0${at + 1}T00:00:00Z` },
      status: { ...pod.status, ...(at === 3 ? { reason: 'Evicted' } : {}) },
    };
  });
  assert.deepEqual(decided(plan({ kind: 'ended', pods, threshold: 2 }, { nowMs })), ['delete d', 'delete a']);
  assert.deepEqual(decided(plan({ kind: 'ended', pods, threshold: 4 }, { nowMs })), []);
});

test('plan() takes away those that end on a node that is out of service, held or not', () => {
  const pods = [aPod('a', 'Running', [], 30), aPod('held', 'Running', ['x'], 0)];
  assert.deepEqual(decided(plan({ kind: 'outOfService', pods }, { nowMs })), [
    'Failed a',
    'Failed held',
    'delete a',
  ]);
});
