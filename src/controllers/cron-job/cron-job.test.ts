import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { CronJob, CronJobSpec, Event, Job } from '../../api/index.ts';
import { eventsRef } from '../../client/event-recorder.ts';
import { formatTime, parseCronSchedule } from '../../lib/index.ts';
import { jobController } from '../job/controller.ts';
import { cronJobsRef, jobsRef } from '../resources.ts';
import { createTestCluster, type TestCluster } from '../test-cluster.ts';
import { cronJobController } from './controller.ts';
import { dueTime, nextDueMs } from './due.ts';

let cluster: TestCluster | undefined;
afterEach(() => cluster?.stop());

const minuteMs = 60_000;
const startMs = Date.UTC(2026, 0, 1);

/** The clock starts at midnight of 1 January 2026, UTC. */
function setUp(
  spec: Partial<CronJobSpec> = {},
  ends: TestCluster['agent']['ends'] = () => ({ afterMs: 5000, exitCode: 0 }),
): TestCluster {
  cluster = createTestCluster();
  cluster.agent.ends = ends;
  const { clock, client } = cluster;
  cluster.start((informers) => cronJobController(informers, client, clock));
  cluster.start((informers) => jobController(informers, clock));
  const template = {
    metadata: { labels: { job: 'report' } },
    spec: { restartPolicy: 'Never', nodeName: 'n1', containers: [{ name: 'c', image: 'one' }] },
  };
  const job = { completions: 1, parallelism: 1, backoffLimit: 0, completionMode: 'NonIndexed', template };
  client.seed<CronJob>(cronJobsRef, {
    metadata: { name: 'report', namespace: 'shop' },
    spec: {
      schedule: '* * * * *',
      concurrencyPolicy: 'Allow',
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
      jobTemplate: {
        metadata: { labels: { kind: 'report' } },
        spec: { ...job, selector: { matchLabels: { job: 'report' } } },
      },
      ...spec,
    },
  });
  return cluster;
}

const cronJob = (): CronJob => cluster?.client.peek<CronJob>(cronJobsRef, 'shop/report') as CronJob;
const jobs = (): readonly Job[] => cluster?.client.objects<Job>(jobsRef) ?? [];
const names = (): readonly string[] => jobs().map(({ metadata }) => metadata.name ?? '');
const nameAt = (ms: number): string => `report-${ms / minuteMs}`;
const reasons = (): ReadonlySet<string> =>
  new Set((cluster?.client.objects<Event>(eventsRef) ?? []).map(({ reason }) => reason ?? ''));
const change = (spec: Partial<CronJobSpec>): void =>
  cluster?.client.seed<CronJob>(cronJobsRef, { ...cronJob(), spec: { ...cronJob().spec, ...spec } });

test('a cron job makes a job a minute, named by it, and keeps the last ones', async () => {
  const { run } = setUp();
  await run(61_000);
  assert.deepEqual(names(), [nameAt(startMs + minuteMs)]);
  const [job] = jobs();
  assert.deepEqual(job?.metadata.annotations, {
    'batch.kubernetes.io/cronjob-scheduled-timestamp': '2026-01-01T00:01:00Z',
  });
  assert.deepEqual(job?.metadata.labels, { kind: 'report' });
  assert.equal(job?.metadata.ownerReferences?.[0]?.kind, 'CronJob');
  assert.equal(cronJob().status?.lastScheduleTime, '2026-01-01T00:01:00Z');
  assert.deepEqual(
    cronJob().status?.active?.map(({ kind, name }) => `${kind} ${name}`),
    [`Job ${nameAt(startMs + minuteMs)}`],
  );
  await run(10_000);
  assert.equal(cronJob().status?.active, undefined);
  assert.equal(cronJob().status?.lastSuccessfulTime, job && jobs()[0]?.status?.completionTime);
  await run(9 * minuteMs);
  assert.equal(jobs().length, 3);
  assert.deepEqual(names().at(-1), nameAt(startMs + 10 * minuteMs));
  assert.deepEqual([...reasons()].filter((reason) => !reason.includes('Pod')).sort(), [
    'Completed',
    'SawCompletedJob',
    'SuccessfulCreate',
    'SuccessfulDelete',
  ]);
});

test('between two times nothing is written', async () => {
  const { run, writes } = setUp({ schedule: '0 * * * *' });
  await run(61 * minuteMs);
  writes();
  await run(58 * minuteMs);
  assert.equal(writes(), 0);
  assert.equal(jobs().length, 1);
});

// conformance: [sig-apps] CronJob should schedule multiple jobs concurrently
test('concurrencyPolicy Allow lets jobs run beside each other', async () => {
  const { run } = setUp({}, () => undefined);
  await run(3 * minuteMs + 1000);
  assert.equal(cronJob().status?.active?.length, 3);
});

// conformance: [sig-apps] CronJob should not schedule new jobs when ForbidConcurrent [Slow]
test('concurrencyPolicy Forbid waits for the one that runs, then makes up for it', async () => {
  const { run } = setUp({ concurrencyPolicy: 'Forbid' }, () => ({ afterMs: 150_000, exitCode: 0 }));
  await run(3 * minuteMs + 1000);
  assert.deepEqual(names(), [nameAt(startMs + minuteMs)]);
  assert.ok(reasons().has('JobAlreadyActive'));
  await run(minuteMs);
  assert.deepEqual(names(), [nameAt(startMs + minuteMs), nameAt(startMs + 3 * minuteMs)]);
});

// conformance: [sig-apps] CronJob should replace jobs when ReplaceConcurrent
test('concurrencyPolicy Replace ends the one that runs', async () => {
  const { run } = setUp({ concurrencyPolicy: 'Replace' }, () => undefined);
  await run(3 * minuteMs + 1000);
  assert.deepEqual(names(), [nameAt(startMs + 3 * minuteMs)]);
  assert.equal(cronJob().status?.active?.length, 1);
  assert.ok(!reasons().has('MissingJob'));
});

// conformance: [sig-apps] CronJob should not schedule jobs when suspended [Slow]
test('a suspended cron job makes none; afterwards the last missed one is made', async () => {
  const { run } = setUp({ suspend: true });
  await run(10 * minuteMs + 30_000);
  assert.equal(jobs().length, 0);
  change({ suspend: false });
  await run(1000);
  assert.deepEqual(names(), [nameAt(startMs + 10 * minuteMs)]);
});

test('startingDeadlineSeconds: what is later than that is not made up for', async () => {
  const { run } = setUp({ suspend: true, schedule: '*/10 * * * *', startingDeadlineSeconds: 60 });
  await run(15 * minuteMs);
  change({ suspend: false });
  await run(1000);
  assert.equal(jobs().length, 0);
  await run(5 * minuteMs);
  assert.deepEqual(names(), [nameAt(startMs + 20 * minuteMs)]);
});

test('another schedule holds from then on: what it would have had before is not made up for', async () => {
  const { run } = setUp({ schedule: '0 12 * * *' });
  await run(11 * 60 * minuteMs);
  change({ schedule: '30 10 * * *' });
  await run(1000);
  assert.equal(jobs().length, 0);
  change({ schedule: '5 11 * * *' });
  await run(5 * minuteMs + 1000);
  assert.deepEqual(names(), [nameAt(startMs + (11 * 60 + 5) * minuteMs)]);
});

test('failed jobs have a limit of their own', async () => {
  const { run } = setUp({ failedJobsHistoryLimit: 2 }, () => ({ afterMs: 1000, exitCode: 1 }));
  await run(5 * minuteMs + 30_000);
  assert.equal(jobs().length, 2);
  assert.equal(cronJob().status?.lastSuccessfulTime, undefined);
});

test('a clock that is set: forward starts the last one missed, backward waits', async () => {
  const { run, clock } = setUp({ schedule: '0 * * * *' });
  const hourMs = 60 * minuteMs;
  await run(1000);
  clock.jump(3.5 * hourMs);
  await run(15_000);
  assert.deepEqual(names(), [nameAt(startMs + 3 * hourMs)]);
  clock.jump(-2 * hourMs);
  await run(2 * hourMs);
  assert.equal(jobs().length, 1);
  await run(hourMs);
  assert.deepEqual(names().at(-1), nameAt(startMs + 4 * hourMs));
});

test('more than a hundred missed times are told, and the last one is made', async () => {
  const { run, clock } = setUp({ schedule: '*/5 * * * *' });
  await run(1000);
  clock.jump(24 * 3_600_000);
  await run(15_000);
  assert.deepEqual(names(), [nameAt(Date.UTC(2026, 0, 2))]);
  assert.ok(reasons().has('TooManyMissedTimes'));
});

test('timeZone: the schedule follows its clocks, the annotation tells its time', async () => {
  const { run } = setUp({ schedule: '30 4 * * *', timeZone: 'Asia/Kolkata' });
  await run(23 * 3_600_000 + minuteMs);
  assert.deepEqual(names(), [nameAt(Date.UTC(2026, 0, 1, 23))]);
  const { annotations } = jobs()[0]?.metadata ?? {};
  assert.equal(annotations?.['batch.kubernetes.io/cronjob-scheduled-timestamp'], '2026-01-02T04:30:00+05:30');
});

test('a start that stopped half-way is taken up: the job is there, the status does not say so', async () => {
  const { run, client } = setUp({ schedule: '0 1 * * *' }, () => undefined);
  let fails = 0;
  client.intercept = (request) =>
    request.subresource === 'status' && request.resource === 'cronjobs.batch' && fails++ < 5
      ? new Error('broken')
      : undefined;
  await run(61 * minuteMs);
  assert.ok(fails >= 5);
  assert.equal(jobs().length, 1);
  assert.equal(cronJob().status?.active?.length, 1);
  assert.equal(cronJob().status?.lastScheduleTime, '2026-01-01T01:00:00Z');
  client.remove(jobsRef, `shop/${names()[0]}`);
  await run(10_000);
  assert.equal(cronJob().status?.active, undefined);
  assert.ok(reasons().has('MissingJob'));
});

function due(text: string, since: string, now: string, timeZone = 'UTC') {
  const parsed = parseCronSchedule(text);
  assert.ok(parsed.kind === 'schedule');
  const [sinceMs, nowMs] = [Date.parse(since), Date.parse(now)];
  const found = dueTime(parsed.schedule, timeZone, sinceMs, nowMs);
  const nextMs = nextDueMs(parsed.schedule, timeZone, sinceMs, nowMs);
  const next = nextMs === undefined ? undefined : formatTime(nextMs);
  if (found.kind === 'error') return [found.why, next];
  return [found.atMs === undefined ? undefined : formatTime(found.atMs), next];
}

for (const [text, since, now, expected, zone] of [
  ['*/5 * * * *', '2026-01-01T00:01:00Z', '2026-01-01T00:03:00Z', [undefined, '2026-01-01T00:05:00Z']],
  [
    '*/5 * * * *',
    '2026-01-01T00:01:00Z',
    '2026-01-01T00:05:00Z',
    ['2026-01-01T00:05:00Z', '2026-01-01T00:10:00Z'],
  ],
  [
    '*/5 * * * *',
    '2026-01-01T00:01:00Z',
    '2026-01-09T00:06:00Z',
    ['2026-01-09T00:05:00Z', '2026-01-09T00:10:00Z'],
  ],
  // Distances that are not all the same.
  [
    '30 6-16/4 * * 1-5',
    '2026-01-05T05:00:00Z',
    '2026-01-12T08:00:00Z',
    ['2026-01-12T06:30:00Z', '2026-01-12T10:30:00Z'],
  ],
  [
    '@every 90m',
    '2026-01-01T00:10:00Z',
    '2026-01-01T05:00:00Z',
    ['2026-01-01T04:40:00Z', '2026-01-01T06:10:00Z'],
  ],
  [
    '0 0 31 2 *',
    '2026-01-01T00:00:00Z',
    '2026-03-01T00:00:00Z',
    ['time difference between two schedules is less than 1 second', undefined],
  ],
  // Clocks go forward on 29 March at 1:00 UTC: there is no half past two.
  [
    '30 2 * * *',
    '2026-03-28T12:00:00Z',
    '2026-03-29T12:00:00Z',
    [undefined, '2026-03-30T00:30:00Z'],
    'Europe/Paris',
  ],
  // And back on 25 October at 1:00 UTC: half past two comes twice.
  [
    '30 2 * * *',
    '2026-10-24T12:00:00Z',
    '2026-10-25T00:45:00Z',
    ['2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z'],
    'Europe/Paris',
  ],
] as const)
  test(`dueTime() of "${text}" after ${since} at ${now} is ${expected[0]}`, () => {
    assert.deepEqual(due(text, since, now, zone), expected);
  });
