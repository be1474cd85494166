import assert from 'node:assert/strict';
import { test } from 'node:test';
import { created, kindOf, refusals, row, type Tree, updateRefusals } from './test-submission.ts';

const group = 'scheduling.k8s.io';
const groups = kindOf('podgroups', group, 'v1alpha2');
const workloads = kindOf('workloads', group, 'v1alpha2');
const pods = kindOf('pods', '');
const gang = (minCount: unknown): Tree => ({ schedulingPolicy: { gang: { minCount } } });
const podGroup = (spec: Tree): Tree => ({ spec });
const workload = (...podGroupTemplates: Tree[]): Tree => ({ spec: { podGroupTemplates } });

test('a group is disrupted pod by pod, unless it says otherwise', () => {
  const made = created(groups, podGroup(gang(3)));
  assert.deepEqual(made['spec'], { ...gang(3), disruptionMode: 'Pod' });
  assert.deepEqual(made['status'], {});
});

const cases: readonly (readonly [string, Tree, readonly string[]])[] = [
  [
    'no policy',
    { schedulingPolicy: {} },
    ['spec.schedulingPolicy: Invalid value: "": must specify one of: `basic`, `gang`'],
  ],
  [
    'both policies',
    { schedulingPolicy: { basic: {}, gang: { minCount: 1 } } },
    ['spec.schedulingPolicy: Invalid value: "{basic, gang}": must specify exactly one of: `basic`, `gang`'],
  ],
  ['no number', gang(0), ['spec.schedulingPolicy.gang.minCount: Required value']],
  [
    'a number below one',
    gang(-1),
    ['spec.schedulingPolicy.gang.minCount: Invalid value: -1: must be greater than or equal to 1'],
  ],
  [
    'two topologies',
    { ...gang(1), schedulingConstraints: { topology: [{ key: 'a' }, { key: 'b' }] } },
    ['spec.schedulingConstraints.topology: Too many: 2: must have at most 1 items'],
  ],
  [
    'a topology without a key',
    { ...gang(1), schedulingConstraints: { topology: [{ key: '' }] } },
    ['spec.schedulingConstraints.topology[0].key: Required value'],
  ],
  [
    'an unknown way to be disrupted',
    { ...gang(1), disruptionMode: 'All' },
    ['spec.disruptionMode: Unsupported value: "All": supported values: "Pod", "PodGroup"'],
  ],
  [
    'more priority than users may have',
    { ...gang(1), priority: 1_000_000_001 },
    ['spec.priority: Invalid value: 1000000001: must be less than or equal to 1000000000'],
  ],
  [
    'a claim of nothing',
    { ...gang(1), resourceClaims: [{ name: 'a' }] },
    [
      'spec.resourceClaims[0]: Invalid value: "": must specify one of: `resourceClaimName`, `resourceClaimTemplateName`',
    ],
  ],
  [
    'no template',
    { ...gang(1), podGroupTemplateRef: {} },
    ['spec.podGroupTemplateRef: Invalid value: "": must specify one of: `workload`'],
  ],
  [
    'a template without names',
    { ...gang(1), podGroupTemplateRef: { workload: { workloadName: '', podGroupTemplateName: '' } } },
    [
      'spec.podGroupTemplateRef.workload.workloadName: Required value',
      'spec.podGroupTemplateRef.workload.podGroupTemplateName: Required value',
    ],
  ],
];
for (const [name, spec, expected] of cases)
  test(`a group is refused: ${name}`, () => {
    assert.deepEqual(refusals(groups, podGroup(spec)), expected);
  });

test('a group stays as it is', () => {
  assert.deepEqual(updateRefusals(groups, podGroup(gang(3)), podGroup(gang(4))), [
    'spec.schedulingPolicy: Invalid value: {"gang":{"minCount":4}}: field is immutable',
  ]);
});

test('a workload has one template to eight, each of its own name', () => {
  const one = (name: string): Tree => ({ name, ...gang(2) });
  assert.deepEqual(refusals(workloads, workload(one('a'), one('b'))), []);
  assert.deepEqual(refusals(workloads, workload()), ['spec.podGroupTemplates: Required value']);
  assert.deepEqual(refusals(workloads, workload(one('a'), one('a'))), [
    'spec.podGroupTemplates[1]: Duplicate value: "a"',
  ]);
  assert.deepEqual(refusals(workloads, workload(...'abcdefghi'.split('').map(one))), [
    'spec.podGroupTemplates: Too many: 9: must have at most 8 items',
  ]);
  assert.deepEqual(updateRefusals(workloads, workload(one('a')), workload(one('b'))).length, 1);
});

test('a pod names its group, for good', () => {
  const pod = (schedulingGroup: Tree): Tree => ({
    spec: { containers: [{ name: 'c', image: 'i' }], schedulingGroup },
  });
  assert.deepEqual(refusals(pods, pod({ podGroupName: 'a' })), []);
  assert.deepEqual(refusals(pods, pod({})), [
    'spec.schedulingGroup: Invalid value: "": must specify one of: `podGroupName`',
  ]);
  assert.equal(refusals(pods, pod({ podGroupName: 'A' })).length, 1);
  assert.equal(updateRefusals(pods, pod({ podGroupName: 'a' }), pod({ podGroupName: 'b' })).length, 1);
});

test('a group is listed with its policy and how it stands', () => {
  const listed = (status: Tree): string =>
    row(groups, { metadata: { name: 'g' }, ...podGroup(gang(2)), status });
  const condition = (is: string, reason: string): Tree => ({
    conditions: [{ type: 'PodGroupScheduled', status: is, reason }],
  });
  assert.equal(listed({}), 'g | Gang | <none> | Pending | <unknown>');
  assert.equal(listed(condition('True', 'Scheduled')), 'g | Gang | <none> | Scheduled | <unknown>');
  assert.equal(listed(condition('False', 'Unschedulable')), 'g | Gang | <none> | Unschedulable | <unknown>');
});
