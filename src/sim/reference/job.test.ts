import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Job, Pod } from '../../api/index.ts';
import { plan } from '../../controllers/job/plan.ts';
import type { Write } from '../../controllers/step.ts';
import { deedOf, type JobPod, type Past, type Wish } from './job.ts';
import { type Choices, forEachCase } from './test-cases.ts';

const nowMs = Date.UTC(2026, 0, 2);
const labels = { job: 'sums' };
const controller = {
  apiVersion: 'batch/v1',
  kind: 'Job',
  name: 'sums',
  uid: 'job',
  controller: true,
  blockOwnerDeletion: true,
};
const indexAnnotation = 'batch.kubernetes.io/job-completion-index';

function podOf({ name, state, index }: JobPod): Pod {
  const phases = { active: 'Running', going: 'Running', succeeded: 'Succeeded', failed: 'Failed' };
  return {
    metadata: {
      name,
      namespace: 'shop',
      uid: name,
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels,
      ownerReferences: [controller],
      finalizers: ['batch.kubernetes.io/job-tracking'],
      ...(index === undefined ? {} : { annotations: { [indexAnnotation]: String(index) } }),
      ...(state === 'going' ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
    },
    spec: { containers: [], nodeName: 'a' },
    status: { phase: phases[state] },
  };
}

/** `0,1,4`. */
const textOf = (indexes: readonly number[]): string => [...new Set(indexes)].sort((a, b) => a - b).join(',');

function aPod(choices: Choices, at: number, isIndexed: boolean): JobPod {
  return {
    name: `p${at}`,
    state: choices.one(['active', 'active', 'active', 'going', 'succeeded', 'failed']),
    index: isIndexed && choices.chance(0.95) ? choices.between(0, 9) : undefined,
  };
}

test('Job plan() makes, gives up and ends as the reference', (t) => {
  forEachCase(t, 3000, (choices) => {
    const isIndexed = choices.chance(0.5);
    const completions = isIndexed || choices.chance(0.7) ? choices.between(0, 8) : undefined;
    const wish: Wish = {
      completions,
      parallelism: choices.between(0, 6),
      isIndexed,
      isSuspended: choices.chance(0.1),
      backoffLimit: choices.one([0, 1, 6, 99, 99]),
      waitsForEnd: choices.chance(0.4),
      successCount: isIndexed && choices.chance(0.2) ? choices.between(1, 5) : undefined,
    };
    const indexes = isIndexed ? choices.some([0, 1, 2, 3, 4, 5, 6, 7], 4) : [];
    const past: Past = {
      succeeded: isIndexed ? indexes.length : choices.one([0, 0, 1, 3]),
      failed: choices.one([0, 0, 0, 1, 2]),
      indexes,
    };
    const pods = choices.list(0, 10, (at) => aPod(choices, at, isIndexed));
    const job: Job = {
      metadata: { name: 'sums', namespace: 'shop', uid: 'job', resourceVersion: '1' },
      spec: {
        ...(completions === undefined ? {} : { completions }),
        parallelism: wish.parallelism,
        completionMode: isIndexed ? 'Indexed' : 'NonIndexed',
        suspend: wish.isSuspended,
        backoffLimit: wish.backoffLimit,
        podReplacementPolicy: wish.waitsForEnd ? 'Failed' : 'TerminatingOrFailed',
        ...(wish.successCount === undefined
          ? {}
          : { successPolicy: { rules: [{ succeededCount: wish.successCount }] } }),
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { restartPolicy: 'Never', containers: [] } },
      },
      status: {
        startTime: '2026-01-01T00:00:00Z',
        succeeded: past.succeeded,
        failed: past.failed,
        ...(isIndexed ? { completedIndexes: textOf(indexes) } : {}),
      },
    };
    const steps = plan({ job, pods: pods.map(podOf), backoff: undefined }, { nowMs });
    const writes = steps.flatMap((step): readonly Write[] =>
      step.kind === 'together' ? step.writes : step.kind === 'event' || step.kind === 'again' ? [] : [step],
    );
    const told = JSON.stringify([wish, past, pods]);
    const expected = deedOf(wish, past, pods);
    const made = writes.flatMap((write) => (write.kind === 'create' ? [write.object as Pod] : []));
    const deleted = writes.flatMap((write) => (write.kind === 'delete' ? [write.name] : []));
    const status = writes.find((write) => write.kind === 'patch' && write.subresource === 'status');
    const patch = (status?.kind === 'patch' ? status.patch : {}) as { readonly status?: Job['status'] };
    const end = (patch.status?.conditions ?? []).find(({ type }) =>
      ['SuccessCriteriaMet', 'FailureTarget'].includes(type),
    )?.reason;
    assert.deepEqual(
      {
        end,
        create: made.length,
        indexes: isIndexed
          ? made.map(({ metadata }) => Number(metadata.annotations?.[indexAnnotation])).sort((a, b) => a - b)
          : [],
        deletes: deleted.length,
      },
      { end: expected.end, create: expected.create, indexes: expected.indexes, deletes: expected.deletes },
      told,
    );
    assert.ok(
      deleted.every((name) => pods.find((pod) => pod.name === name)?.state === 'active'),
      told,
    );
    // Of each index one stays, whichever; the others go.
    const left = pods.filter(({ name, state }) => state === 'active' && !deleted.includes(name));
    if (isIndexed)
      assert.equal(new Set(left.map(({ index }) => index)).size, left.length, `one of each index: ${told}`);
  });
});
