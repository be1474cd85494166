import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Job, JobSpec, Pod, PodFailurePolicyRule, SuccessPolicyRule } from '../../api/index.ts';
import { type BackoffRecord, recordOf, remainingMs } from './backoff.ts';
import { readIndexes } from './indexes.ts';
import { endedMs } from './pods.ts';
import { successRuleMet, verdictOn } from './policies.ts';

const job = (spec: Partial<JobSpec>): Job => ({
  metadata: { name: 'sums', namespace: 'shop' },
  spec: { template: {}, completions: 10, ...spec },
});

/** A failed pod: exit codes by container, and conditions that are true. */
function failed(codes: Readonly<Record<string, number>>, conditions: readonly string[] = []): Pod {
  return {
    metadata: { name: 'p', namespace: 'shop' },
    status: {
      phase: 'Failed',
      containerStatuses: Object.entries(codes).map(([name, exitCode]) => ({
        name,
        image: '',
        imageID: '',
        ready: false,
        restartCount: 0,
        state: { terminated: { exitCode } },
      })),
      conditions: conditions.map((type) => ({ type, status: 'True' })),
    },
  };
}

const codes = (operator: string, values: readonly number[], containerName?: string) => ({
  onExitCodes: { operator, values, ...(containerName === undefined ? {} : { containerName }) },
});
const disrupted = { onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] };

for (const [what, pod, rules, action, message] of [
  ['no rule', failed({ a: 1 }), [], 'Count', undefined],
  [
    'a code that is meant',
    failed({ a: 3 }),
    [{ action: 'Ignore', ...codes('In', [2, 3]) }],
    'Ignore',
    undefined,
  ],
  ['another code', failed({ a: 4 }), [{ action: 'Ignore', ...codes('In', [2, 3]) }], 'Count', undefined],
  [
    'all but some codes',
    failed({ a: 4 }),
    [{ action: 'FailIndex', ...codes('NotIn', [2]) }],
    'FailIndex',
    undefined,
  ],
  [
    'code 0, which never is meant',
    failed({ a: 0 }),
    [{ action: 'Ignore', ...codes('NotIn', [2]) }],
    'Count',
    undefined,
  ],
  [
    'another container',
    failed({ a: 3 }),
    [{ action: 'Ignore', ...codes('In', [3], 'b') }],
    'Count',
    undefined,
  ],
  [
    'the first rule of two',
    failed({ a: 3 }, ['DisruptionTarget']),
    [
      { action: 'Ignore', ...disrupted },
      { action: 'FailJob', ...codes('In', [3]) },
    ],
    'Ignore',
    undefined,
  ],
  [
    'a code that ends the job',
    failed({ a: 0, b: 3 }),
    [
      { action: 'Ignore', ...disrupted },
      { action: 'FailJob', ...codes('In', [3]) },
    ],
    'FailJob',
    'Container b for pod shop/p failed with exit code 3 matching FailJob rule at index 1',
  ],
  [
    'a condition that ends the job',
    failed({}, ['DisruptionTarget']),
    [{ action: 'FailJob', ...disrupted }],
    'FailJob',
    'Pod shop/p has condition DisruptionTarget matching FailJob rule at index 0',
  ],
] as readonly (readonly [string, Pod, readonly PodFailurePolicyRule[], string, string | undefined])[])
  test(`verdictOn() a pod by ${what} is ${action}`, () => {
    const verdict = verdictOn(pod, job({ podFailurePolicy: { rules } }));
    assert.deepEqual([verdict.action, verdict.message], [action, message]);
  });

for (const [rules, succeeded, met] of [
  [[{ succeededCount: 2 }], '0', undefined],
  [[{ succeededCount: 2 }], '0,5', 0],
  [[{ succeededIndexes: '0-2' }], '0,1', undefined],
  [[{ succeededIndexes: '0-2' }], '0-3', 0],
  [[{ succeededIndexes: '0-4', succeededCount: 2 }], '3-9', 0],
  [[{ succeededIndexes: '0-4', succeededCount: 2 }], '4-9', undefined],
  [[{ succeededIndexes: '9' }, { succeededCount: 1 }], '0', 1],
  [[{ succeededCount: 0 }], '', undefined],
] as readonly (readonly [readonly SuccessPolicyRule[], string, number | undefined])[])
  test(`successRuleMet() of ${JSON.stringify(rules)} by ${succeeded} is ${met}`, () => {
    const message = successRuleMet(job({ successPolicy: { rules } }), readIndexes(succeeded, 10));
    assert.equal(message, met === undefined ? undefined : `Matched rules at index ${met}`);
  });

const at = (seconds: number): string => new Date(seconds * 1000).toISOString();

function ended(uid: string, phase: string, seconds: number): Pod {
  return {
    metadata: { name: uid, uid },
    status: { phase, conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: at(seconds) }] },
  };
}

const laterMs = 100_000;

test('recordOf() counts failures since the last success, and remembers pods that are gone', () => {
  const none = job({});
  const seen = (record: BackoffRecord | undefined) => [record?.failures, record?.lastFailureMs];
  assert.equal(recordOf(undefined, none, [ended('a', 'Succeeded', 5)], laterMs), undefined);
  const first = recordOf(undefined, none, [ended('a', 'Failed', 5), ended('b', 'Failed', 7)], laterMs);
  assert.deepEqual(seen(first), [2, 7000]);
  const second = recordOf(first, none, [ended('b', 'Failed', 7), ended('c', 'Failed', 30)], laterMs);
  assert.deepEqual(seen(second), [3, 30_000]);
  assert.deepEqual(seen(recordOf(second, none, [ended('c', 'Failed', 30)], laterMs)), [3, 30_000]);
  const third = recordOf(
    second,
    none,
    [ended('c', 'Failed', 30), ended('d', 'Succeeded', 40), ended('e', 'Failed', 41)],
    laterMs,
  );
  assert.deepEqual(seen(third), [1, 41_000]);
});

test('recordOf() takes nothing for a failure that was let go first, nor for later than now', () => {
  const going = (finalizers: readonly string[]): Pod => ({
    metadata: { name: 'a', uid: 'a', finalizers, deletionTimestamp: at(500), deletionGracePeriodSeconds: 0 },
    status: { phase: 'Pending' },
  });
  assert.equal(recordOf(undefined, job({}), [going([])], laterMs), undefined);
  const record = recordOf(undefined, job({}), [going(['batch.kubernetes.io/job-tracking'])], laterMs);
  assert.deepEqual([record?.failures, record?.lastFailureMs], [1, laterMs]);
});

for (const [failures, ageMs, leftMs] of [
  [0, 0, 0],
  [1, 0, 10_000],
  [1, 4000, 6000],
  [1, 10_000, 0],
  [3, 0, 40_000],
  [7, 0, 600_000],
  [100, 0, 600_000],
  // The clock was set back.
  [1, -3_600_000, 10_000],
] as const)
  test(`remainingMs() after ${failures} failures, the last ${ageMs} ms ago, is ${leftMs}`, () => {
    assert.equal(remainingMs(failures, 1_000_000_000, 1_000_000_000 + ageMs), leftMs);
  });

test('endedMs() asks the containers, then readiness, then the deletion, then the creation', () => {
  const metadata = { creationTimestamp: at(1), deletionTimestamp: at(60), deletionGracePeriodSeconds: 30 };
  const ready = [{ type: 'Ready', status: 'False', lastTransitionTime: at(20) }];
  const container = (finishedAt?: string) => ({
    name: 'c',
    image: '',
    imageID: '',
    ready: false,
    restartCount: 0,
    state: finishedAt === undefined ? { running: {} } : { terminated: { exitCode: 1, finishedAt } },
  });
  const both = [container(at(10)), container(at(12))];
  assert.equal(endedMs({ metadata, status: { conditions: ready, containerStatuses: both } }), 12_000);
  const one = [container(at(10)), container()];
  assert.equal(endedMs({ metadata, status: { conditions: ready, containerStatuses: one } }), 20_000);
  assert.equal(endedMs({ metadata, status: {} }), 30_000);
  assert.equal(endedMs({ metadata: { creationTimestamp: at(1) } }), 1000);
});
