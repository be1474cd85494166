import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ago, created, kindOf, refusals, row, type Tree, updateRefusals } from './test-submission.ts';

const cronJobs = kindOf('cronjobs', 'batch');
const cronJob = (spec: Tree = {}, job: Tree = {}): Tree => ({
  metadata: { name: 'nightly' },
  spec: {
    schedule: '0 3 * * *',
    jobTemplate: {
      spec: {
        template: { spec: { containers: [{ name: 'c', image: 'x:1' }], restartPolicy: 'Never' } },
        ...job,
      },
    },
    ...spec,
  },
});

test('a minimal CronJob has the defaults of Kubernetes, and its jobs have none', () => {
  const { spec, status } = created(cronJobs, cronJob());
  const { jobTemplate, ...rest } = spec as { jobTemplate: { spec: Tree } };
  assert.deepEqual(rest, {
    schedule: '0 3 * * *',
    concurrencyPolicy: 'Allow',
    suspend: false,
    successfulJobsHistoryLimit: 3,
    failedJobsHistoryLimit: 1,
  });
  assert.deepEqual(Object.keys(jobTemplate.spec), ['template']);
  assert.deepEqual(status, {});
});

const schedule = (text: string, why: string) => [
  `spec.schedule: Invalid value: ${JSON.stringify(text)}: ${why}`,
];
const zoneInSchedule = 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead';
const cases: readonly (readonly [string, Tree, readonly string[]])[] = [
  ['nothing more', cronJob(), []],
  ['a word for a schedule', cronJob({ schedule: '@hourly' }), []],
  ['an interval', cronJob({ schedule: '@every 90m' }), []],
  ['a zone', cronJob({ timeZone: 'America/New_York' }), []],
  ['no schedule', cronJob({ schedule: '' }), ['spec.schedule: Required value']],
  [
    'four fields',
    cronJob({ schedule: '* * * *' }),
    schedule('* * * *', 'expected exactly 5 fields, found 4: [* * * *]'),
  ],
  [
    'minute 60',
    cronJob({ schedule: '60 * * * *' }),
    schedule('60 * * * *', 'end of range (60) above maximum (59): 60'),
  ],
  [
    'a zone in the schedule',
    cronJob({ schedule: 'TZ=UTC 0 * * * *' }),
    schedule('TZ=UTC 0 * * * *', zoneInSchedule),
  ],
  [
    'an empty zone',
    cronJob({ timeZone: '' }),
    ['spec.timeZone: Invalid value: "": timeZone must be nil or non-empty string'],
  ],
  [
    'the zone of the machine',
    cronJob({ timeZone: 'Local' }),
    [
      'spec.timeZone: Invalid value: "Local": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones',
    ],
  ],
  [
    'an unknown zone',
    cronJob({ timeZone: 'Mars/Olympus' }),
    ['spec.timeZone: Invalid value: "Mars/Olympus": unknown time zone Mars/Olympus'],
  ],
  [
    'an unknown policy',
    cronJob({ concurrencyPolicy: 'Wait' }),
    ['spec.concurrencyPolicy: Unsupported value: "Wait": supported values: "Allow", "Forbid", "Replace"'],
  ],
  [
    'negative numbers',
    cronJob({ startingDeadlineSeconds: -1, successfulJobsHistoryLimit: -1, failedJobsHistoryLimit: -1 }),
    [
      'spec.startingDeadlineSeconds: Invalid value: -1: must be greater than or equal to 0',
      'spec.successfulJobsHistoryLimit: Invalid value: -1: must be greater than or equal to 0',
      'spec.failedJobsHistoryLimit: Invalid value: -1: must be greater than or equal to 0',
    ],
  ],
  [
    'a name that leaves no room',
    { ...cronJob(), metadata: { name: 'x'.repeat(53) } },
    [`metadata.name: Invalid value: "${'x'.repeat(53)}": must be no more than 52 characters`],
  ],
  [
    'a selector for its jobs',
    cronJob({}, { selector: { matchLabels: { a: 'b' } }, manualSelector: true }),
    [
      'spec.jobTemplate.spec.selector: Invalid value: {"matchLabels":{"a":"b"}}: `selector` will be auto-generated',
      'spec.jobTemplate.spec.manualSelector: Unsupported value: true: supported values: "nil", "false"',
    ],
  ],
  [
    'jobs that never end',
    cronJob({}, { template: { spec: { containers: [{ name: 'c', image: 'x' }] } }, backoffLimit: -1 }),
    [
      'spec.jobTemplate.spec.backoffLimit: Invalid value: -1: must be greater than or equal to 0',
      'spec.jobTemplate.spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
    ],
  ],
];

for (const [name, object, expected] of cases)
  test(`a CronJob with ${name}`, () => assert.deepEqual(refusals(cronJobs, object), expected));

test('a schedule that has long named a zone may go on, but not with another beside it', () => {
  const old = cronJob({ schedule: 'TZ=UTC 0 * * * *' });
  assert.deepEqual(updateRefusals(cronJobs, old, cronJob({ schedule: 'TZ=UTC 5 * * * *' })), []);
  assert.deepEqual(
    updateRefusals(cronJobs, old, cronJob({ schedule: 'TZ=UTC 5 * * * *', timeZone: 'UTC' })),
    schedule('TZ=UTC 5 * * * *', 'cannot use both timeZone field and TZ or CRON_TZ in schedule'),
  );
  assert.deepEqual(
    updateRefusals(cronJobs, cronJob(), cronJob({ schedule: 'TZ=UTC 5 * * * *' })),
    schedule('TZ=UTC 5 * * * *', zoneInSchedule),
  );
});

test('all of a CronJob may change, also when its zone is no longer known', () => {
  const old = cronJob({ timeZone: 'Gone/Zone' });
  assert.deepEqual(updateRefusals(cronJobs, old, cronJob({ timeZone: 'Gone/Zone', schedule: '@daily' })), []);
});

test('a CronJob in one line', () => {
  const metadata = { name: 'nightly', creationTimestamp: ago(3600) };
  const status = { active: [{}, {}], lastScheduleTime: ago(65) };
  assert.equal(
    row(cronJobs, { ...cronJob({ suspend: true, timeZone: 'UTC' }), metadata, status }, 1),
    'nightly | 0 3 * * * | UTC | True | 2 | 65s | 60m | c | x:1 | <none>',
  );
  assert.equal(
    row(cronJobs, { ...cronJob({ suspend: false }), metadata }),
    'nightly | 0 3 * * * | <none> | False | 0 | <none> | 60m',
  );
});
