/** Single decisions of `plan()`, on pictures that are seldom seen. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Job, JobSpec, JobStatus, Pod } from '../../api/index.ts';
import { controllerReference } from '../ownership.ts';
import { jobsRef } from '../resources.ts';
import type { Step } from '../step.ts';
import { plan } from './plan.ts';
import { indexAnnotation, trackingFinalizer } from './pods.ts';

const nowMs = Date.UTC(2026, 0, 1, 1);
const labels = { job: 'sums' };

function aJob(spec: Partial<JobSpec>, status: JobStatus = {}): Job {
  return {
    metadata: { name: 'sums', namespace: 'shop', uid: 'sums-uid', resourceVersion: '7' },
    spec: { backoffLimit: 6, selector: { matchLabels: labels }, template: { metadata: { labels } }, ...spec },
    status: {
      startTime: '2026-01-01T00:00:00Z',
      uncountedTerminatedPods: {},
      ready: 0,
      terminating: 0,
      ...status,
    },
  };
}

interface Shape {
  readonly phase?: string;
  readonly index?: string;
  readonly restarts?: number;
  readonly isTracked?: boolean;
  readonly isEnding?: boolean;
  readonly age?: number;
}

function aPod(name: string, shape: Shape = {}): Pod {
  const { phase = 'Running', index, restarts = 0, isTracked = true, isEnding = false, age = 60 } = shape;
  return {
    metadata: {
      name,
      namespace: 'shop',
      uid: name,
      labels,
      creationTimestamp: new Date(nowMs - age * 1000).toISOString(),
      ...(index === undefined ? {} : { annotations: { [indexAnnotation]: index } }),
      ...(isTracked ? { finalizers: [trackingFinalizer] } : {}),
      ...(isEnding ? { deletionTimestamp: new Date(nowMs).toISOString() } : {}),
      ownerReferences: [controllerReference(jobsRef, aJob({}))],
    },
    status: {
      phase,
      containerStatuses: [{ name: 'c', image: '', imageID: '', ready: false, restartCount: restarts }],
    },
  };
}

/** `let go: a`, `delete: a b`, `create: 2`; the status, where it is written. */
function decided(steps: readonly Step[]): {
  readonly told: readonly string[];
  readonly status: JobStatus | undefined;
} {
  const told: string[] = [];
  let status: JobStatus | undefined;
  for (const step of steps) {
    if (step.kind === 'again') told.push(`again in ${step.afterMs}`);
    else if (step.kind === 'event') told.push(step.event.reason);
    else if (step.kind === 'patch') status = (step.patch as { status: JobStatus }).status;
    else if (step.kind === 'together') {
      const [first] = step.writes;
      const names = step.writes.map((write) => ('name' in write ? write.name : '')).sort();
      if (first?.kind === 'create') told.push(`create: ${step.writes.length}`);
      else told.push(`${first?.kind === 'delete' ? 'delete' : 'let go'}: ${names.join(' ')}`);
    }
  }
  return { told, status };
}

const decide = (job: Job, ...pods: readonly Pod[]) =>
  decided(plan({ job, pods, backoff: undefined }, { nowMs }));

test('plan() keeps one pod of an index, the one that has come furthest, and none without an index', () => {
  const job = aJob({ completions: 2, parallelism: 3, completionMode: 'Indexed' }, { active: 4 });
  const { told } = decide(
    job,
    aPod('a', { index: '0', phase: 'Pending' }),
    aPod('b', { index: '0' }),
    aPod('none'),
    aPod('beyond', { index: '2' }),
  );
  assert.deepEqual(told, ['let go: a beyond none', 'delete: a beyond none']);
});

for (const [restartPolicy, backoffLimit, restarts, fails] of [
  ['OnFailure', 3, 2, false],
  ['OnFailure', 3, 3, true],
  ['OnFailure', 0, 1, true],
  ['OnFailure', 0, 0, false],
  ['Never', 3, 9, false],
] as const)
  test(`plan() of a job with ${restartPolicy} and at most ${backoffLimit} failures ${fails ? 'fails' : 'goes on'} after ${restarts} restarts`, () => {
    const spec = { restartPolicy, containers: [] };
    const template = { metadata: { labels }, spec };
    const job = aJob({ completions: 1, parallelism: 1, backoffLimit, template }, { active: 1 });
    const { told, status } = decide(job, aPod('a', { restarts }));
    assert.equal(status?.conditions?.[0]?.reason, fails ? 'BackoffLimitExceeded' : undefined);
    assert.deepEqual(told, fails ? ['delete: a'] : []);
  });

test('plan() removes what is too many, as little done as can be', () => {
  const job = aJob({ completions: 5, parallelism: 1 }, { active: 3 });
  const { told, status } = decide(job, aPod('a'), aPod('b', { phase: 'Pending' }), aPod('c', { age: 1 }));
  assert.deepEqual(told, ['let go: b c', 'delete: b c']);
  assert.equal(status, undefined);
});

test('plan() counts an ended pod first, then lets it go; what nobody tracks is not counted', () => {
  const job = aJob({ completions: 2, parallelism: 1 }, { active: 1 });
  const done = aPod('done', { phase: 'Succeeded' });
  const { told, status } = decide(
    job,
    done,
    aPod('old', { phase: 'Succeeded', isTracked: false }),
    aPod('a'),
  );
  assert.deepEqual(told, ['let go: done']);
  assert.deepEqual(status?.uncountedTerminatedPods, { succeeded: ['done'], failed: null });
  const stored = aJob(
    { completions: 2, parallelism: 1 },
    { active: 1, uncountedTerminatedPods: { succeeded: ['done'] } },
  );
  const gone = decide(stored, { ...done, metadata: { ...done.metadata, finalizers: [] } }, aPod('a'));
  assert.deepEqual(gone.told, []);
  assert.equal(gone.status?.succeeded, 1);
});

test('plan() takes 500 ended pods into the status at a time', () => {
  const job = aJob({ completions: 900, parallelism: 900 });
  const pods = Array.from({ length: 600 }, (_, at) => aPod(`p${at}`, { phase: 'Succeeded' }));
  const { told, status } = decide(job, ...pods);
  assert.equal(status?.uncountedTerminatedPods?.succeeded?.length, 500);
  assert.equal(told[0]?.split(' ').length, 502);
  // And no more are made than are needed after all of them.
  assert.equal(told[1], 'create: 300');
});

test('plan() does not end a job while one of its pods is ending or held', () => {
  const met = { type: 'SuccessCriteriaMet', status: 'True', reason: 'SuccessPolicy', message: 'm' };
  const spec = { completions: 2, parallelism: 2, completionMode: 'Indexed' };
  const job = aJob(spec, { conditions: [met], succeeded: 1, completedIndexes: '0', terminating: 1 });
  const held = decide(job, aPod('a', { index: '1', isEnding: true }));
  assert.deepEqual([held.told, held.status], [['let go: a'], undefined]);
  const ending = decide(job, aPod('a', { index: '1', isEnding: true, isTracked: false }));
  assert.deepEqual([ending.told, ending.status], [[], undefined]);
  const over = decide(job);
  assert.deepEqual(over.told, ['Completed']);
  assert.deepEqual(over.status?.conditions?.[1]?.reason, 'SuccessPolicy');
});

test('plan() ends no job before it began, whatever the clock says', () => {
  const met = { type: 'SuccessCriteriaMet', status: 'True', reason: 'CompletionsReached', message: 'm' };
  const startTime = new Date(nowMs + 3_600_000).toISOString();
  const over = decide(
    aJob({ completions: 1, parallelism: 1 }, { startTime, conditions: [met], succeeded: 1 }),
  );
  assert.equal(Date.parse(over.status?.completionTime ?? ''), Date.parse(startTime));
});

test('plan() of a job that is being deleted makes nothing, and lets all go', () => {
  const job = aJob({ completions: 3, parallelism: 3 }, { active: 1 });
  const going = { ...job, metadata: { ...job.metadata, deletionTimestamp: '2026-01-01T00:30:00Z' } };
  assert.deepEqual(decide(going, aPod('a')).told, ['let go: a']);
});
