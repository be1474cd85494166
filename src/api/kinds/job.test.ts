import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ago, created, kindOf, lines, refusals, row, type Tree, updateRefusals } from './test-submission.ts';

const jobs = kindOf('jobs', 'batch');
const uid = 'f1d2d2f9';
const job = (spec: Tree = {}, pod: Tree = {}, labels?: Tree): Tree => ({
  metadata: { name: 'work' },
  spec: {
    template: {
      ...(labels === undefined ? {} : { metadata: { labels } }),
      spec: { containers: [{ name: 'c', image: 'x:1' }], restartPolicy: 'Never', ...pod },
    },
    ...spec,
  },
});
const indexed = (spec: Tree = {}): Tree => job({ completionMode: 'Indexed', completions: 3, ...spec });

test('a minimal Job has the defaults of Kubernetes, and its pods bear its uid', () => {
  const { spec, status } = created(jobs, job());
  const { template, ...rest } = spec as { template: Tree };
  assert.deepEqual(rest, {
    completions: 1,
    parallelism: 1,
    backoffLimit: 6,
    completionMode: 'NonIndexed',
    suspend: false,
    manualSelector: false,
    podReplacementPolicy: 'TerminatingOrFailed',
    selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } },
  });
  assert.deepEqual((template['metadata'] as Tree)['labels'], {
    'controller-uid': uid,
    'job-name': 'work',
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': 'work',
  });
  assert.deepEqual(status, {});
});

for (const [name, spec, expected] of [
  ['parallelism alone', { parallelism: 3 }, { completions: undefined, parallelism: 3, backoffLimit: 6 }],
  [
    'a limit for each index',
    { completionMode: 'Indexed', completions: 2, backoffLimitPerIndex: 1 },
    { completions: 2, parallelism: 1, backoffLimit: 2147483647 },
  ],
] as const)
  test(`the defaults of a Job with ${name}`, () => {
    const { completions, parallelism, backoffLimit } = created(jobs, job(spec))['spec'] as Tree;
    assert.deepEqual({ completions, parallelism, backoffLimit }, expected);
  });

test('a Job has the labels of its pods, and a policy for failures replaces only what has failed', () => {
  const rules = [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget' }] }];
  const { metadata, spec } = created(jobs, job({ podFailurePolicy: { rules } }, {}, { a: 'b' }));
  assert.deepEqual(metadata.labels, { a: 'b' });
  assert.equal((spec as Tree)['podReplacementPolicy'], 'Failed');
  assert.deepEqual((spec as { podFailurePolicy: Tree }).podFailurePolicy['rules'], [
    { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
  ]);
});

const notNegative = 'must be greater than or equal to 0';
const rule = (...rules: Tree[]) => job({ podFailurePolicy: { rules } });
const success = (...rules: Tree[]) => indexed({ successPolicy: { rules } });
const failureRule = 'spec.podFailurePolicy.rules[0]';
const successRule = 'spec.successPolicy.rules[0]';

const cases: readonly (readonly [string, Tree, readonly string[]])[] = [
  ['nothing more', job(), []],
  ['restarts on failure', job({}, { restartPolicy: 'OnFailure' }), []],
  ['indexes', indexed(), []],
  ['another manager', job({ managedBy: 'example.com/queue' }), []],
  [
    'pods that run for ever',
    job({}, { restartPolicy: 'Always' }),
    ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'],
  ],
  [
    'negative numbers',
    job({
      parallelism: -1,
      completions: -1,
      activeDeadlineSeconds: -1,
      backoffLimit: -1,
      ttlSecondsAfterFinished: -1,
    }),
    ['parallelism', 'completions', 'activeDeadlineSeconds', 'backoffLimit', 'ttlSecondsAfterFinished'].map(
      (name) => `spec.${name}: Invalid value: -1: ${notNegative}`,
    ),
  ],
  [
    'limits for indexes that it has not',
    job({ backoffLimitPerIndex: 1, maxFailedIndexes: 1 }),
    [
      'spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode',
      'spec.maxFailedIndexes: Invalid value: 1: requires indexed completion mode',
    ],
  ],
  [
    'failed indexes without a limit for each',
    indexed({ maxFailedIndexes: 4 }),
    [
      'spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified',
      'spec.maxFailedIndexes: Invalid value: 4: must be less than or equal to completions',
    ],
  ],
  [
    'an unknown mode',
    job({ completionMode: 'Some' }),
    ['spec.completionMode: Unsupported value: "Some": supported values: "NonIndexed", "Indexed"'],
  ],
  [
    'indexes and no end',
    job({ completionMode: 'Indexed', parallelism: 100001 }),
    [
      'spec.completions: Required value: when completion mode is Indexed',
      'spec.parallelism: Invalid value: 100001: must be less than or equal to 100000 when completion mode is Indexed',
    ],
  ],
  [
    'very many indexes',
    indexed({ completions: 100001, parallelism: 10001, backoffLimitPerIndex: 1 }),
    [
      'spec.maxFailedIndexes: Required value: must be specified when completions is above 100000',
      'spec.parallelism: Invalid value: 10001: must be less than or equal to 10000 when completions are above 100000 and used with backoff limit per index',
    ],
  ],
  [
    'a name too long for its indexes',
    { ...indexed({ completions: 1001 }), metadata: { name: 'x'.repeat(60) } },
    [
      `metadata.name: Invalid value: "${'x'.repeat(60)}": will not able to create pod with invalid DNS label: ${'x'.repeat(60)}-1000`,
    ],
  ],
  [
    'a manager of no domain',
    job({ managedBy: 'queue' }),
    ['spec.managedBy: Invalid value: "queue": must be a domain-prefixed path (such as "acme.io/foo")'],
  ],
  [
    'a selector of its own',
    job({ selector: { matchLabels: { a: 'b' } } }, {}, { a: 'b' }),
    [
      'spec.selector: Invalid value: {"matchLabels":{"batch.kubernetes.io/controller-uid":"f1d2d2f9","a":"b"}}: `selector` not auto-generated',
    ],
  ],
  [
    'a manual selector',
    job({ manualSelector: true, selector: { matchLabels: { a: 'b' } } }, {}, { a: 'b' }),
    [],
  ],
  [
    'a manual selector for others',
    job({ manualSelector: true, selector: { matchLabels: { a: 'b' } } }, {}, { a: 'c' }),
    ['spec.template.metadata.labels: Invalid value: {"a":"c"}: `selector` does not match template `labels`'],
  ],
  [
    'no manual selector at all',
    job({ manualSelector: true }, {}, { a: 'c' }),
    [
      'spec.selector: Required value',
      'spec.template.metadata.labels: Invalid value: {"a":"c"}: `selector` does not match template `labels`',
    ],
  ],
  [
    'an unknown replacement',
    job({ podReplacementPolicy: 'Soon' }),
    [
      'spec.podReplacementPolicy: Unsupported value: "Soon": supported values: "Failed", "TerminatingOrFailed"',
    ],
  ],
  [
    'a rule without a reason',
    rule({ action: 'Ignore' }),
    [`${failureRule}: Invalid value: specifying one of OnExitCodes and OnPodConditions is required`],
  ],
  [
    'a rule with bad codes',
    rule({ action: '', onExitCodes: { operator: 'In', containerName: 'd', values: [2, 0, 0] } }),
    [
      `${failureRule}.action: Required value: valid values: ["Count" "FailIndex" "FailJob" "Ignore"]`,
      `${failureRule}.onExitCodes.containerName: Invalid value: "d": must be one of the container or initContainer names in the pod template`,
      `${failureRule}.onExitCodes.values[1]: Invalid value: 0: must not be 0 for the In operator`,
      `${failureRule}.onExitCodes.values[2]: Invalid value: 0: must not be 0 for the In operator`,
      `${failureRule}.onExitCodes.values[2]: Duplicate value: 0`,
      `${failureRule}.onExitCodes.values: Invalid value: [2,0,0]: must be ordered`,
    ],
  ],
  [
    'a rule for one index',
    rule({
      action: 'FailIndex',
      onExitCodes: { operator: 'Is', values: [] },
      onPodConditions: [{ type: 'A', status: 'No' }],
    }),
    [
      `${failureRule}.action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set`,
      `${failureRule}.onExitCodes.operator: Unsupported value: "Is": supported values: "In", "NotIn"`,
      `${failureRule}.onExitCodes.values: Invalid value: []: at least one value is required`,
      `${failureRule}.onPodConditions[0].status: Unsupported value: "No": supported values: "False", "True", "Unknown"`,
      `${failureRule}: Invalid value: specifying both OnExitCodes and OnPodConditions is not supported`,
    ],
  ],
  [
    'rules, and restarts',
    job({ podFailurePolicy: { rules: [] } }, { restartPolicy: 'OnFailure' }),
    [
      'spec.template.spec.restartPolicy: Invalid value: "OnFailure": only "Never" is supported when podFailurePolicy is specified',
    ],
  ],
  [
    'success that is not indexed',
    job({ successPolicy: { rules: [{ succeededCount: 1 }] } }),
    ['spec.successPolicy: Invalid value: {"rules":[{"succeededCount":1}]}: requires indexed completion mode'],
  ],
  ['success', success({ succeededIndexes: '0,1-2', succeededCount: 3 }), []],
  [
    'no way to succeed',
    success(),
    [
      'spec.successPolicy.rules: Required value: at least one rules must be specified when the successPolicy is specified',
    ],
  ],
  [
    'a rule that says nothing',
    success({}),
    [`${successRule}: Required value: at least one of succeededCount or succeededIndexes must be specified`],
  ],
  [
    'more successes than there are',
    success({ succeededIndexes: '0', succeededCount: 4 }),
    [
      `${successRule}.succeededCount: Invalid value: 4: must be less than or equal to 3 (the number of specified completions)`,
      `${successRule}.succeededCount: Invalid value: 4: must be less than or equal to 1 (the number of indexes in the specified succeededIndexes field)`,
    ],
  ],
  ...(
    [
      [
        '1-2-3',
        `the fragment "1-2-3" violates the requirement that an index interval can have at most two parts separated by '-'`,
      ],
      ['a', 'cannot convert string to integer for index: "a"'],
      ['3', 'too large index: "3"'],
      ['1,0', 'non-increasing order, previous: 1, current: 0'],
      ['2-1', 'non-increasing order, previous: 2, current: 1'],
    ] as const
  ).map(
    ([text, why]) =>
      [
        `the indexes ${text}`,
        success({ succeededIndexes: text }),
        [`${successRule}.succeededIndexes: Invalid value: "${text}": error parsing succeededIndexes: ${why}`],
      ] as const,
  ),
];

for (const [name, object, expected] of cases)
  test(`a Job with ${name}`, () => assert.deepEqual(refusals(jobs, object), expected));

/** As a client would send it back: with what was generated. */
const again = (spec: Tree, pod: Tree = {}, labels: Tree = {}): Tree => {
  const { spec: generated } = created(jobs, job()) as unknown as {
    spec: { selector: Tree; template: { metadata: { labels: Tree } } };
  };
  return job({ selector: generated.selector, ...spec }, pod, {
    ...generated.template.metadata.labels,
    ...labels,
  });
};

for (const [name, old, object, expected] of [
  ['nothing', job(), again({}), []],
  ['parallelism', job(), again({ parallelism: 5, completions: 1 }), []],
  [
    'completions',
    job(),
    again({ completions: 2 }),
    ['spec.completions: Invalid value: 2: field is immutable'],
  ],
  ['the limit', job(), again({ backoffLimit: 1 }), []],
  [
    'the manager',
    job(),
    again({ managedBy: 'a.b/c' }),
    ['spec.managedBy: Invalid value: "a.b/c": field is immutable'],
  ],
  [
    'both numbers of an indexed job',
    indexed({ parallelism: 3 }),
    again({ completionMode: 'Indexed', completions: 5, parallelism: 5 }),
    [],
  ],
  [
    'one number of an indexed job',
    indexed({ parallelism: 3 }),
    again({ completionMode: 'Indexed', completions: 5, parallelism: 3 }),
    ['spec.completions: Invalid value: 5: can only be modified in tandem with spec.parallelism'],
  ],
  [
    'where the pods of a waiting job may run',
    job({ suspend: true }),
    again({ suspend: true }, { nodeSelector: { a: 'b' } }, { c: 'd' }),
    [],
  ],
  [
    'what the pods of a waiting job ask for',
    job({ suspend: true }),
    again(
      { suspend: true },
      { containers: [{ name: 'c', image: 'x:1', resources: { requests: { cpu: '1' } } }] },
    ),
    [],
  ],
] as const)
  test(`updating a Job: ${name}`, () => assert.deepEqual(updateRefusals(jobs, old, object), expected));

test('the template of a Job stays', () => {
  const [line = ''] = updateRefusals(jobs, job(), again({}, { nodeSelector: { a: 'b' } }));
  assert.match(line, /^spec\.template: Invalid value: \{.*\}: field is immutable$/);
  const waiting = job({ suspend: true });
  const image = { containers: [{ name: 'c', image: 'x:2' }] };
  assert.match(
    updateRefusals(jobs, waiting, again({ suspend: true }, image))[0] ?? '',
    /field is immutable$/,
  );
});

const is = (...types: string[]) => types.map((type) => ({ type, status: 'True' }));
const started = { startTime: ago(60) };
const complete = { ...started, completionTime: ago(1), conditions: is('SuccessCriteriaMet', 'Complete') };
const failed = { ...started, conditions: is('FailureTarget', 'Failed') };
const asWhole = (why: string) => `status.conditions: Invalid value: ${why}`;

for (const [name, before, status, expected, spec] of [
  ['it begins', {}, { ...started, active: 1, ready: 0 }, []],
  ['it ends well', { ...started, active: 1 }, complete, []],
  ['it ends badly', { ...started, active: 1 }, failed, []],
  [
    'negative numbers',
    {},
    { active: -1, ready: -1 },
    [`status.active: Invalid value: -1: ${notNegative}`, `status.ready: Invalid value: -1: ${notNegative}`],
  ],
  [
    'more are ready than are there',
    {},
    { active: 1, ready: 2 },
    ['status.ready: Invalid value: 2: cannot set more ready pods than active'],
  ],
  [
    'an end without reasons',
    started,
    { ...started, conditions: is('Complete') },
    [
      asWhole('cannot set Complete=True condition without the SuccessCriteriaMet=true condition'),
      'status.completionTime: Required value: completionTime is required for Complete jobs',
    ],
  ],
  [
    'a failure without reasons',
    {},
    { conditions: is('Failed') },
    [
      asWhole('cannot set Failed=True condition without the FailureTarget=true condition'),
      'status.startTime: Required value: startTime is required for finished job',
    ],
  ],
  [
    'both ends',
    started,
    { ...complete, conditions: is('Complete', 'Failed', 'FailureTarget', 'SuccessCriteriaMet') },
    [
      asWhole('cannot set Complete=True and Failed=true conditions'),
      asWhole('cannot set Complete=True and FailureTarget=true conditions'),
      asWhole('cannot set SuccessCriteriaMet=True and Failed=true conditions'),
      asWhole('cannot set SuccessCriteriaMet=True and FailureTarget=true conditions'),
    ],
  ],
  [
    'an end with pods left',
    started,
    { ...complete, active: 1, terminating: 1, uncountedTerminatedPods: { failed: ['a'] } },
    [
      'status.active: Invalid value: 1: active>0 is invalid for finished job',
      'status.uncountedTerminatedPods: Invalid value: {"failed":["a"]}: uncountedTerminatedPods needs to be empty for finished job',
      'status.terminating: Invalid value: 1: terminating>0 is invalid for finished job',
    ],
  ],
  [
    'a pod that is counted twice',
    {},
    { uncountedTerminatedPods: { succeeded: ['a', ''], failed: ['a'] } },
    [
      'status.uncountedTerminatedPods.succeeded[1]: Invalid value: "": must not be empty',
      'status.uncountedTerminatedPods.failed[0]: Duplicate value: "a"',
    ],
  ],
  [
    'it begins again',
    complete,
    { ...started, active: 1 },
    [
      asWhole('cannot disable the terminal Complete=True condition'),
      asWhole('cannot disable the SuccessCriteriaMet=True condition'),
    ],
  ],
  [
    'its counts fall',
    { ...started, failed: 2, succeeded: 2 },
    { ...started, failed: 1, succeeded: 1 },
    [
      'status.failed: Invalid value: 1: cannot decrease the failed counter',
      'status.succeeded: Invalid value: 1: cannot decrease the succeeded counter',
    ],
  ],
  [
    'its beginning is another',
    started,
    { startTime: ago(50) },
    ['status.startTime: Required value: startTime cannot be removed for unsuspended job'],
  ],
  [
    'it begins anew when it is resumed',
    {
      ...started,
      conditions: [
        { type: 'Suspended', status: 'True', lastProbeTime: ago(90), lastTransitionTime: ago(90) },
      ],
    },
    { ...started, startTime: ago(50) },
    [],
  ],
  [
    'indexes of a job without',
    {},
    { completedIndexes: '0', failedIndexes: '1' },
    [
      'status.completedIndexes: Invalid value: "0": cannot set non-empty completedIndexes when non-indexed completion mode',
      'status.failedIndexes: Invalid value: "1": cannot set non-null failedIndexes when backoffLimitPerIndex is null',
    ],
  ],
  [
    'indexes of both kinds',
    {},
    { completedIndexes: '0-1', failedIndexes: '1,2' },
    ['status.failedIndexes: Invalid value: "1,2": failedIndexes and completedIndexes overlap at index: 1'],
    { completionMode: 'Indexed', completions: 3, backoffLimitPerIndex: 1 },
  ],
  [
    'an index beyond',
    {},
    { completedIndexes: '5' },
    ['status.completedIndexes: Invalid value: "5": error parsing completedIndexes: too large index: "5"'],
    { completionMode: 'Indexed', completions: 3 },
  ],
] as readonly (readonly [string, Tree, Tree, readonly string[], Tree?])[])
  test(`the status of a Job: ${name}`, () => {
    const object = created(jobs, job(spec ?? {}));
    const [now, old] = [
      { ...object, status },
      { ...object, status: before },
    ];
    assert.deepEqual(lines(jobs.validateStatusUpdate(now as never, old as never)), expected);
  });

for (const [name, spec, status, expected] of [
  ['new', { completions: 1 }, {}, 'Running | 0/1 | '],
  ['running', { completions: 3 }, { startTime: ago(65), succeeded: 1 }, 'Running | 1/3 | 65s'],
  ['done', { completions: 1 }, { ...complete, succeeded: 1 }, 'Complete | 1/1 | 59s'],
  ['failed', { completions: 1 }, failed, 'Failed | 0/1 | 60s'],
  ['waiting', { completions: 1 }, { conditions: is('Suspended') }, 'Suspended | 0/1 | '],
  ['a queue of work', { parallelism: 3 }, { startTime: ago(1), succeeded: 2 }, 'Running | 2/1 of 3 | 1s'],
] as const)
  test(`a Job in one line: ${name}`, () => {
    const metadata = { name: 'work', creationTimestamp: ago(90) };
    assert.equal(row(jobs, { metadata, spec, status }), `work | ${expected} | 90s`);
  });

test('whether the pods of a Job are a gang is said once, by a word that is known', () => {
  const gang = (value?: string, topology?: string): Tree => {
    const { metadata, ...rest } = job();
    const annotations = {
      ...(value === undefined ? {} : { 'scheduling.caelum.dev/gang': value }),
      ...(topology === undefined ? {} : { 'scheduling.caelum.dev/pod-group-topology': topology }),
    };
    return { ...rest, metadata: { ...(metadata as Tree), annotations } };
  };
  assert.deepEqual(refusals(jobs, gang('true', 'rack')), []);
  assert.deepEqual(refusals(jobs, gang('yes')), [
    'metadata.annotations[scheduling.caelum.dev/gang]: Unsupported value: "yes": supported values: "true", "false"',
  ]);
  assert.equal(refusals(jobs, gang('true', 'a b')).length, 1);
  const changed = (before: Tree, after: Tree): readonly string[] =>
    updateRefusals(jobs, before, after).filter((one) => one.startsWith('metadata.annotations'));
  assert.deepEqual(changed(gang(), gang('true')), [
    'metadata.annotations[scheduling.caelum.dev/gang]: Invalid value: "true": field is immutable',
  ]);
  assert.equal(changed(gang('true'), gang()).length, 1);
  assert.deepEqual(changed(gang(), gang('false')), []);
});
