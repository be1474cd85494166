import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { Event, Job, JobSpec, Pod } from '../../api/index.ts';
import { eventsRef } from '../../client/event-recorder.ts';
import { jobsRef, podsRef } from '../resources.ts';
import { createTestCluster, type TestCluster } from '../test-cluster.ts';
import { ttlAfterFinishedController } from '../ttl-after-finished/controller.ts';
import { jobController } from './controller.ts';
import { indexAnnotation, indexOf, trackingFinalizer } from './pods.ts';
import { strayPodController } from './stray-pods.ts';

let cluster: TestCluster | undefined;
afterEach(() => cluster?.stop());

interface Setup {
  readonly spec?: Partial<JobSpec>;
  readonly ends?: TestCluster['agent']['ends'];
  readonly lagMs?: () => number;
}

const succeeds = () => ({ afterMs: 200, exitCode: 0 });
const fails = () => ({ afterMs: 200, exitCode: 1 });

/** The API's defaults, which the API in memory does not apply. */
function aJob(spec: Partial<JobSpec> = {}, name = 'sums'): Job {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace: 'shop' },
    spec: {
      parallelism: 1,
      ...(spec.parallelism === undefined ? { completions: 1 } : {}),
      backoffLimit: spec.backoffLimitPerIndex === undefined ? 6 : 2 ** 31 - 1,
      completionMode: 'NonIndexed',
      podReplacementPolicy: spec.podFailurePolicy === undefined ? 'TerminatingOrFailed' : 'Failed',
      selector: { matchLabels: { job: name } },
      template: {
        metadata: { labels: { job: name } },
        spec: { restartPolicy: 'Never', nodeName: 'n1', containers: [{ name: 'c', image: 'one' }] },
      },
      ...spec,
    },
  };
}

function setUp({ spec = {}, ends = succeeds, lagMs }: Setup = {}): TestCluster {
  cluster = createTestCluster(1, lagMs);
  cluster.agent.ends = ends;
  const { clock, client } = cluster;
  cluster.start((informers) => jobController(informers, clock));
  cluster.start((informers) => strayPodController(informers, client));
  cluster.start((informers) => ttlAfterFinishedController(informers, clock));
  client.seed(jobsRef, aJob(spec));
  return cluster;
}

const job = (): Job => cluster?.client.peek<Job>(jobsRef, 'shop/sums') as Job;
const pods = (): readonly Pod[] => cluster?.pods() ?? [];
const has = (type: string): boolean =>
  job()?.status?.conditions?.some((one) => one.type === type && one.status === 'True') === true;
const condition = (type: string) => {
  const found = job().status?.conditions?.find((one) => one.type === type);
  return [found?.status, found?.reason, found?.message];
};
const reasons = (): readonly string[] =>
  (cluster?.client.objects<Event>(eventsRef) ?? []).map((event) => event.reason ?? '').sort();
const tracked = (): number =>
  pods().filter(({ metadata }) => metadata.finalizers?.includes(trackingFinalizer)).length;

test('a job runs its pods to completion, counts them and then is silent', async () => {
  const { until, run, writes } = setUp({ spec: { completions: 5, parallelism: 2 } });
  await until('it is complete', () => has('Complete'));
  const { status } = job();
  assert.deepEqual(
    { ...status, conditions: [], startTime: '', completionTime: '' },
    {
      conditions: [],
      startTime: '',
      completionTime: '',
      succeeded: 5,
      uncountedTerminatedPods: {},
      ready: 0,
      terminating: 0,
    },
  );
  assert.deepEqual(condition('SuccessCriteriaMet'), [
    'True',
    'CompletionsReached',
    'Reached expected number of succeeded pods',
  ]);
  assert.deepEqual(condition('Complete'), condition('SuccessCriteriaMet'));
  assert.equal(pods().length, 5);
  assert.equal(tracked(), 0);
  await run(5000);
  assert.deepEqual(reasons(), ['Completed', ...Array(5).fill('SuccessfulCreate')]);
  writes();
  await run(600_000);
  assert.equal(writes(), 0);
});

// conformance: [sig-apps] Job should create pods for an Indexed job with completion indexes and specified hostname
test('an indexed job gives each pod its index: name, hostname, label, annotation, variable', async () => {
  const { until } = setUp({ spec: { completions: 4, parallelism: 2, completionMode: 'Indexed' } });
  await until('it is complete', () => has('Complete'));
  assert.equal(job().status?.completedIndexes, '0-3');
  assert.equal(job().status?.succeeded, 4);
  assert.deepEqual(pods().map(indexOf), [0, 1, 2, 3]);
  for (const [index, { metadata, spec }] of pods().entries()) {
    assert.match(metadata.name ?? '', new RegExp(`^sums-${index}-[a-z0-9]{5}$`));
    assert.equal(spec?.hostname, `sums-${index}`);
    assert.equal(metadata.labels?.[indexAnnotation], String(index));
    assert.deepEqual(spec?.containers[0]?.env, [
      {
        name: 'JOB_COMPLETION_INDEX',
        valueFrom: { fieldRef: { fieldPath: `metadata.labels['${indexAnnotation}']` } },
      },
    ]);
  }
});

test('failed pods are replaced after 10 s, 20 s, 40 s, until the limit', async () => {
  const { until, clock, run } = setUp({ spec: { backoffLimit: 3 }, ends: fails });
  const made: number[] = [];
  await until('it has failed', () => {
    if (pods().length > made.length) made.push(clock.monotonicMs());
    return has('Failed');
  });
  const waits = made.slice(1).map((ms, at) => Math.round((ms - (made[at] as number)) / 1000));
  assert.deepEqual(waits, [10, 20, 40]);
  assert.equal(job().status?.failed, 4);
  assert.deepEqual(condition('Failed'), [
    'True',
    'BackoffLimitExceeded',
    'Job has reached the specified backoff limit',
  ]);
  assert.deepEqual(condition('FailureTarget'), condition('Failed'));
  assert.equal(job().status?.completionTime, undefined);
  await run(1000);
  assert.ok(reasons().includes('BackoffLimitExceeded'));
});

// conformance: [sig-apps] Job should allow to use the pod failure policy on exit code to fail the job early
test('podFailurePolicy: FailJob by exit code ends the job and removes what runs', async () => {
  const { until } = setUp({
    spec: {
      completions: 4,
      parallelism: 4,
      completionMode: 'Indexed',
      podFailurePolicy: { rules: [{ action: 'FailJob', onExitCodes: { operator: 'In', values: [42] } }] },
    },
    ends: (pod) => (indexOf(pod) === 2 ? { afterMs: 500, exitCode: 42 } : undefined),
  });
  await until('it has failed', () => has('Failed'));
  const [failed] = pods().filter((pod) => indexOf(pod) === 2);
  assert.deepEqual(condition('Failed'), [
    'True',
    'PodFailurePolicy',
    `Container c for pod shop/${failed?.metadata.name} failed with exit code 42 matching FailJob rule at index 0`,
  ]);
  assert.equal(job().status?.failed, 4);
  assert.equal(job().status?.active, undefined);
  assert.equal(pods().length, 1);
});

// conformance: [sig-apps] Job should allow to use a pod failure policy to ignore failure matching on DisruptionTarget condition
test('podFailurePolicy: Ignore does not count a disruption', async () => {
  const { until, client } = setUp({
    spec: {
      backoffLimit: 0,
      podFailurePolicy: {
        rules: [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }],
      },
    },
    ends: () => (pods().length > 1 ? succeeds() : undefined),
  });
  await until('it runs', () => pods()[0]?.status?.phase === 'Running');
  const [pod] = pods() as [Pod];
  client.seed<Pod>(podsRef, {
    ...pod,
    status: { phase: 'Failed', conditions: [{ type: 'DisruptionTarget', status: 'True' }] },
  });
  await until('it is complete', () => has('Complete'));
  assert.equal(job().status?.failed, undefined);
});

// conformance: [sig-apps] Job should execute all indexes despite some failing when using backoffLimitPerIndex
test('backoffLimitPerIndex: every index has its own limit', async () => {
  const { until } = setUp({
    spec: { completions: 4, parallelism: 2, completionMode: 'Indexed', backoffLimitPerIndex: 1 },
    ends: (pod) => ({ afterMs: 200, exitCode: (indexOf(pod) ?? 0) % 2 }),
  });
  await until('it has failed', () => has('Failed'));
  const { failedIndexes, completedIndexes, failed, succeeded } = job().status ?? {};
  assert.deepEqual([failedIndexes, completedIndexes, failed, succeeded], ['1,3', '0,2', 4, 2]);
  assert.deepEqual(condition('Failed'), ['True', 'FailedIndexes', 'Job has failed indexes']);
  const counts = pods().map(
    (pod) => pod.metadata.annotations?.['batch.kubernetes.io/job-index-failure-count'],
  );
  assert.deepEqual(counts.sort(), ['0', '0', '0', '0', '1', '1']);
  assert.equal(tracked(), 0);
});

// conformance: [sig-apps] Job should mark indexes as failed when the FailIndex action is matched in podFailurePolicy
test('podFailurePolicy: FailIndex gives an index up at once', async () => {
  const { until } = setUp({
    spec: {
      completions: 2,
      parallelism: 2,
      completionMode: 'Indexed',
      backoffLimitPerIndex: 5,
      podFailurePolicy: { rules: [{ action: 'FailIndex', onExitCodes: { operator: 'NotIn', values: [7] } }] },
    },
    ends: (pod) => ({ afterMs: 200, exitCode: indexOf(pod) ?? 0 }),
  });
  await until('it has failed', () => has('Failed'));
  assert.equal(job().status?.failedIndexes, '1');
  assert.equal(job().status?.failed, 1);
  assert.equal(pods().length, 2);
});

// conformance: [sig-apps] Job should terminate job execution when the number of failed indexes exceeds maxFailedIndexes
test('maxFailedIndexes: more of them end the job', async () => {
  const { until } = setUp({
    spec: {
      completions: 6,
      parallelism: 6,
      completionMode: 'Indexed',
      backoffLimitPerIndex: 0,
      maxFailedIndexes: 1,
    },
    ends: (pod) => ((indexOf(pod) ?? 0) % 2 === 1 ? fails() : undefined),
  });
  await until('it has failed', () => has('Failed'));
  assert.deepEqual(condition('Failed'), [
    'True',
    'MaxFailedIndexesExceeded',
    'Job has exceeded the specified maximal number of failed indexes',
  ]);
  assert.equal(job().status?.active, undefined);
});

for (const [what, rule] of [
  // conformance: [sig-apps] Job with successPolicy succeededIndexes rule should succeeded even when some indexes remain pending
  ['succeededIndexes', { succeededIndexes: '0' }],
  // conformance: [sig-apps] Job with successPolicy succeededCount rule should succeeded even when some indexes remain pending
  ['succeededCount', { succeededCount: 1 }],
] as const)
  test(`successPolicy: ${what} ends the job, and what still runs has not failed`, async () => {
    const { until } = setUp({
      spec: { completions: 3, parallelism: 3, completionMode: 'Indexed', successPolicy: { rules: [rule] } },
      ends: (pod) => (indexOf(pod) === 0 ? succeeds() : undefined),
    });
    await until('it is complete', () => has('Complete'));
    assert.deepEqual(condition('SuccessCriteriaMet'), ['True', 'SuccessPolicy', 'Matched rules at index 0']);
    assert.deepEqual(condition('Complete'), condition('SuccessCriteriaMet'));
    const { failed, succeeded, active, terminating } = job().status ?? {};
    assert.deepEqual([failed, succeeded, active, terminating], [undefined, 1, undefined, 0]);
  });

// conformance: [sig-apps] Job with successPolicy should succeeded when all indexes succeeded
test('successPolicy: all indexes are enough', async () => {
  const { until } = setUp({
    spec: {
      completions: 2,
      parallelism: 2,
      completionMode: 'Indexed',
      successPolicy: { rules: [{ succeededCount: 2 }] },
    },
  });
  await until('it is complete', () => has('Complete'));
  assert.deepEqual(condition('SuccessCriteriaMet'), ['True', 'SuccessPolicy', 'Matched rules at index 0']);
});

test('activeDeadlineSeconds: the job fails when its time is up, also when the clock is set', async () => {
  const first = setUp({ spec: { activeDeadlineSeconds: 30 }, ends: () => undefined });
  await first.until('it has failed', () => has('Failed'));
  assert.ok(first.clock.monotonicMs() < 32_000);
  assert.deepEqual(condition('Failed'), [
    'True',
    'DeadlineExceeded',
    'Job was active longer than specified deadline',
  ]);
  assert.equal(pods().length, 0);
  assert.equal(job().status?.failed, 1);
  first.stop();
  const second = setUp({ spec: { activeDeadlineSeconds: 3600 }, ends: () => undefined });
  await second.until('it runs', () => job().status?.ready === 1);
  second.clock.jump(3_600_000);
  await second.until('it has failed', () => has('Failed'), 15_000);
});

test('suspend removes pods without counting them; resuming begins anew', async () => {
  const { until, client, run } = setUp({
    spec: { completions: 2, parallelism: 2, activeDeadlineSeconds: 100 },
    ends: () => undefined,
  });
  await until('both run', () => job().status?.ready === 2);
  const { startTime } = job().status ?? {};
  await run(60_000);
  const set = (suspend: boolean): void =>
    client.seed<Job>(jobsRef, { ...job(), spec: { ...(job().spec as JobSpec), suspend } });
  set(true);
  await until('no pod is left', () => pods().length === 0 && has('Suspended'));
  assert.deepEqual(condition('Suspended'), ['True', 'JobSuspended', 'Job suspended']);
  assert.equal(job().status?.failed, undefined);
  await run(200_000);
  set(false);
  await until('both run again', () => job().status?.ready === 2, 5000);
  assert.deepEqual(condition('Suspended'), ['False', 'JobResumed', 'Job resumed']);
  assert.notEqual(job().status?.startTime, startTime);
  await run(1000);
  assert.ok(reasons().includes('Suspended') && reasons().includes('Resumed'));
});

test('podReplacementPolicy says whether a terminating pod is replaced', async () => {
  for (const [policy, during] of [
    ['TerminatingOrFailed', 2],
    ['Failed', 1],
  ] as const) {
    const { until, client, agent, run, stop } = setUp({
      spec: { podReplacementPolicy: policy, backoffLimit: 6 },
      ends: () => undefined,
    });
    agent.stopMs = 30_000;
    await until('it runs', () => job().status?.ready === 1);
    await client.delete(podsRef, 'shop', pods()[0]?.metadata.name ?? '', {});
    await run(20_000);
    assert.equal(pods().length, during, policy);
    assert.equal(job().status?.terminating, 1);
    await until('it is replaced', () => pods().length === 1 && job().status?.ready === 1, 60_000);
    assert.equal(job().status?.failed, 1, policy);
    stop();
  }
});

test('an elastic indexed job shrinks and grows', async () => {
  const { until, client } = setUp({
    spec: { completions: 4, parallelism: 4, completionMode: 'Indexed' },
    ends: (pod) => (indexOf(pod) === 0 ? succeeds() : undefined),
  });
  const scale = (to: number): void =>
    client.seed<Job>(jobsRef, {
      ...job(),
      spec: { ...(job().spec as JobSpec), completions: to, parallelism: to },
    });
  await until('one has succeeded', () => job().status?.completedIndexes === '0' && job().status?.ready === 3);
  scale(2);
  await until('one runs', () => job().status?.active === 1 && job().status?.terminating === 0);
  assert.deepEqual(
    pods()
      .filter(({ status }) => status?.phase === 'Running')
      .map(indexOf),
    [1],
  );
  scale(3);
  await until('two run', () => job().status?.ready === 2);
  assert.equal(job().status?.failed, undefined);
  scale(1);
  await until('it is complete', () => has('Complete'));
  assert.equal(job().status?.succeeded, 1);
});

// conformance: [sig-apps] Job should adopt matching orphans and release non-matching pods
test('a job adopts orphans, with a finalizer, and releases what no longer matches', async () => {
  const { until, client } = setUp({ spec: { parallelism: 2 }, ends: () => undefined });
  await until('both run', () => job().status?.ready === 2);
  const [first, second] = pods() as [Pod, Pod];
  const { ownerReferences: _, finalizers: __, ...bare } = first.metadata;
  client.seed<Pod>(podsRef, { ...first, metadata: bare });
  await until('it is adopted', () => {
    const { metadata } = client.peek<Pod>(podsRef, `shop/${first.metadata.name}`) as Pod;
    return metadata.ownerReferences?.[0]?.uid === job().metadata.uid && tracked() === 2;
  });
  client.seed<Pod>(podsRef, { ...second, metadata: { ...second.metadata, labels: { job: 'none' } } });
  await until('it is released and replaced', () => pods().length === 3 && job().status?.ready === 2);
  const { metadata } = client.peek<Pod>(podsRef, `shop/${second.metadata.name}`) as Pod;
  assert.equal(metadata.ownerReferences, undefined);
  assert.deepEqual(metadata.finalizers ?? [], []);
});

test('pods of a job that is gone, or going, are let go', async () => {
  const { until, client, run } = setUp({ spec: { parallelism: 2 }, ends: () => undefined });
  await until('both run', () => job().status?.ready === 2);
  client.remove(jobsRef, 'shop/sums');
  await until('their finalizers are gone', () => tracked() === 0);
  assert.equal(pods().length, 2);
  client.seed(jobsRef, aJob({ parallelism: 1 }, 'others'));
  await until('three pods', () => pods().length === 3);
  await client.delete(jobsRef, 'shop', 'others', { propagationPolicy: 'Foreground' });
  await until('its finalizers are gone', () => tracked() === 0);
  await run(5000);
  assert.equal(pods().length, 3);
});

test('a pod that nobody controls keeps its finalizer as long as a job may adopt it', async () => {
  const { until, client, run } = setUp({ spec: { suspend: true }, ends: () => undefined });
  await until('it is suspended', () => has('Suspended'));
  const orphan = (name: string, labels: Record<string, string>): Pod => ({
    metadata: { name, namespace: 'shop', labels, finalizers: [trackingFinalizer] },
    spec: { nodeName: 'n1', containers: [] },
  });
  client.seed<Pod>(podsRef, orphan('stray', { job: 'none' }));
  await until('the stray is let go', () => tracked() === 0);
  client.intercept = ({ verb, resource }) =>
    verb === 'patch' && resource === 'pods' ? new Error('not now') : undefined;
  client.seed<Pod>(podsRef, orphan('mine', { job: 'sums' }));
  await run(1000);
  const patches = client.requests.filter(({ verb, name }) => verb === 'patch' && name === 'mine');
  assert.ok(patches.length > 0);
  for (const { body } of patches)
    assert.ok('ownerReferences' in (body as { metadata: object }).metadata, JSON.stringify(body));
});

test('a job that another controller keeps is left alone', async () => {
  const { run, writes } = setUp({ spec: { managedBy: 'example.com/queue' } });
  await run(10_000);
  assert.equal(writes(), 0);
});

test('ttlSecondsAfterFinished: a job that is over goes when its time has come', async () => {
  const { until, client, run } = setUp({ spec: { ttlSecondsAfterFinished: 60 } });
  await until('it is complete', () => has('Complete'));
  await run(55_000);
  assert.equal(job().metadata.deletionTimestamp, undefined);
  await until('it is being deleted', () => job().metadata.deletionTimestamp !== undefined, 10_000);
  assert.deepEqual(job().metadata.finalizers, ['foregroundDeletion']);
  assert.equal(client.objects(jobsRef).length, 1);
});

test('without completions, the first success ends it when all have ended', async () => {
  const { until } = setUp({
    spec: { parallelism: 3 },
    ends: (pod) => ({ afterMs: 1000 + 1000 * pods().indexOf(pod), exitCode: 0 }),
  });
  await until('it is complete', () => has('Complete'));
  assert.equal(job().status?.succeeded, 3);
  assert.equal(pods().length, 3);
});
