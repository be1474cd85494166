import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CustomResourceDefinition, CustomResourceDefinitionNames } from '../../api/index.ts';
import { conditionOf, statusOf, withConditions } from './conditions.ts';

const names: CustomResourceDefinitionNames = {
  plural: 'widgets',
  singular: 'widget',
  kind: 'Widget',
  listKind: 'WidgetList',
  shortNames: ['wd'],
};
const nobody = { resources: new Set<string>(), kinds: new Set<string>() };
const nowMs = Date.parse('2026-01-02T03:04:05Z');

function definition(
  more: {
    group?: string;
    names?: object;
    annotations?: Record<string, string>;
    status?: object;
    spec?: object;
  } = {},
) {
  const { group = 'example.com', annotations } = more;
  return {
    metadata: { name: `widgets.${group}`, ...(annotations === undefined ? {} : { annotations }) },
    spec: { group, scope: 'Namespaced', names: { ...names, ...more.names }, versions: [], ...more.spec },
    ...(more.status === undefined ? {} : { status: more.status }),
  } as CustomResourceDefinition;
}

const told = (of: CustomResourceDefinition, type: string): string => {
  const { status, reason, message } = conditionOf(of, type) ?? {};
  return `${status} ${reason}: ${message}`;
};

const clashes: readonly (readonly [
  what: string,
  resources: readonly string[],
  kinds: readonly string[],
  expected: string,
])[] = [
  ['nothing', [], [], 'True NoConflicts: no conflicts found'],
  ['plural', ['widgets'], [], 'False PluralConflict: "widgets" is already in use'],
  ['singular', ['widget'], [], 'False SingularConflict: "widget" is already in use'],
  ['short name', ['wd'], [], 'False ShortNamesConflict: "wd" is already in use'],
  ['kind', [], ['Widget'], 'False KindConflict: "Widget" is already in use'],
  ['kind of lists', [], ['WidgetList'], 'False ListKindConflict: "WidgetList" is already in use'],
];

for (const [what, resources, kinds, expected] of clashes)
  test(`statusOf() tells which name is taken: ${what}`, () => {
    const one = definition();
    const status = statusOf(one, { resources: new Set(resources), kinds: new Set(kinds) }, nowMs);
    const after = { ...one, status };
    assert.equal(told(after, 'NamesAccepted'), expected);
    const isGood = what === 'nothing';
    const established = isGood
      ? 'True InitialNamesAccepted: the initial names have been accepted'
      : 'False NotAccepted: not all names are accepted';
    assert.equal(told(after, 'Established'), established);
    if (isGood) assert.deepEqual(status.acceptedNames, names);
    assert.deepEqual(
      statusOf(after, { resources: new Set(resources), kinds: new Set(kinds) }, nowMs + 5000),
      status,
      'at rest',
    );
  });

test('statusOf() keeps what was accepted when a later name is taken', () => {
  const first = definition();
  const settled = { ...first, status: statusOf(first, nobody, nowMs) };
  const renamed = {
    ...settled,
    spec: { ...settled.spec, names: { ...names, singular: 'other', shortNames: ['wd', 'x'] } },
  };
  const status = statusOf(renamed, { resources: new Set(['other']), kinds: new Set() }, nowMs);
  assert.equal(
    told({ ...renamed, status }, 'NamesAccepted'),
    'False SingularConflict: "other" is already in use',
  );
  assert.equal(told({ ...renamed, status }, 'Established').startsWith('True'), true);
  assert.deepEqual(
    [status.acceptedNames?.singular, status.acceptedNames?.shortNames],
    ['widget', ['wd', 'x']],
  );
});

const approval = 'api-approved.kubernetes.io';
const approvals: readonly (readonly [what: string, annotations: Record<string, string>, expected: string])[] =
  [
    [
      'nothing',
      {},
      `False MissingAnnotation: protected groups must have approval annotation "${approval}", see https://github.com/kubernetes/enhancements/pull/1111`,
    ],
    [
      'a page',
      { [approval]: 'https://example.com/1' },
      'True ApprovedAnnotation: approved in https://example.com/1',
    ],
    [
      'no',
      { [approval]: 'unapproved, test' },
      'False UnapprovedAnnotation: not approved: "unapproved, test"',
    ],
  ];

for (const [what, annotations, expected] of approvals)
  test(`statusOf() tells of groups of Kubernetes: ${what}`, () => {
    const one = definition({ group: 'odd.k8s.io', annotations });
    const status = statusOf(one, nobody, nowMs);
    assert.equal(told({ ...one, status }, 'KubernetesAPIApprovalPolicyConformant'), expected);
    const plain = definition();
    assert.equal(
      conditionOf(
        { ...plain, status: statusOf(plain, nobody, nowMs) },
        'KubernetesAPIApprovalPolicyConformant',
      ),
      undefined,
    );
  });

test('statusOf() tells of schemas that are not structural, and what others say stays', () => {
  const extra = { type: 'Extra', status: 'True' };
  const one = definition({ spec: { preserveUnknownFields: true }, status: { conditions: [extra] } });
  const status = statusOf(one, nobody, nowMs);
  assert.equal(told({ ...one, status }, 'NonStructuralSchema').startsWith('True Violations'), true);
  assert.deepEqual(status.conditions?.[0], extra);
});

test('withConditions() changes times only with the status', () => {
  const before = [{ type: 'A', status: 'True', lastTransitionTime: 't', reason: 'r', message: 'm' }];
  const [same] = withConditions(
    before,
    [{ type: 'A', status: 'True', reason: 'other', message: 'm' }],
    [],
    nowMs,
  );
  assert.deepEqual([same?.lastTransitionTime, same?.reason], ['t', 'other']);
  const [changed] = withConditions(
    before,
    [{ type: 'A', status: 'False', reason: 'r', message: 'm' }],
    [],
    nowMs,
  );
  assert.equal(changed?.lastTransitionTime, '2026-01-02T03:04:05Z');
});
