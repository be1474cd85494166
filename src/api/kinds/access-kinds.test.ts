import assert from 'node:assert/strict';
import { test } from 'node:test';
import { created, kindOf, refusals, row, type Tree, updateRefusals } from './test-submission.ts';

const group = 'rbac.authorization.k8s.io';
const roles = kindOf('roles', group);
const clusterRoles = kindOf('clusterroles', group);
const bindings = kindOf('rolebindings', group);
const clusterBindings = kindOf('clusterrolebindings', group);

const reading = { verbs: ['get'], apiGroups: [''], resources: ['pods'] };
const viewer = { kind: 'ClusterRole', name: 'view' };

test('what a binding refers to is of the group of roles, unless it says otherwise', () => {
  const binding = created(bindings, {
    roleRef: viewer,
    subjects: [
      { kind: 'User', name: 'ann' },
      { kind: 'Group', name: 'ops' },
      { kind: 'ServiceAccount', name: 'robot' },
    ],
  });
  assert.deepEqual(binding['roleRef'], { ...viewer, apiGroup: group });
  assert.deepEqual(binding['subjects'], [
    { kind: 'User', name: 'ann', apiGroup: group },
    { kind: 'Group', name: 'ops', apiGroup: group },
    { kind: 'ServiceAccount', name: 'robot' },
  ]);
});

const cases: readonly (readonly [string, typeof roles, Tree, readonly string[]])[] = [
  ['nothing', roles, {}, []],
  ['a rule', roles, { rules: [reading] }, []],
  ['a name that only a URL limits', roles, { metadata: { name: 'system:A role.' } }, []],
  [
    'names that are no part of a path',
    roles,
    { metadata: { name: 'a/b%' } },
    [
      `metadata.name: Invalid value: "a/b%": may not contain '/'`,
      `metadata.name: Invalid value: "a/b%": may not contain '%'`,
    ],
  ],
  [
    'two dots',
    clusterRoles,
    { metadata: { name: '..' } },
    [`metadata.name: Invalid value: "..": may not be '..'`],
  ],
  [
    'an empty rule',
    clusterRoles,
    { rules: [{ verbs: [] }] },
    [
      'rules[0].verbs: Required value: verbs must contain at least one value',
      'rules[0].apiGroups: Required value: resource rules must supply at least one api group',
      'rules[0].resources: Required value: resource rules must supply at least one resource',
    ],
  ],
  ['paths', clusterRoles, { rules: [{ verbs: ['get'], nonResourceURLs: ['/healthz'] }] }, []],
  [
    'paths in a namespace, with resources',
    roles,
    { rules: [{ ...reading, nonResourceURLs: ['/healthz'] }] },
    [
      'rules[0].nonResourceURLs: Invalid value: ["/healthz"]: namespaced rules cannot apply to non-resource URLs',
      'rules[0].nonResourceURLs: Invalid value: ["/healthz"]: rules cannot apply to both regular resources and non-resource URLs',
    ],
  ],
  [
    'a sum of nothing',
    clusterRoles,
    { aggregationRule: {} },
    [
      'aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if aggregationRule is non-nil',
    ],
  ],
  [
    'a bad selector',
    clusterRoles,
    { aggregationRule: { clusterRoleSelectors: [{ matchExpressions: [{ key: 'a', operator: 'In' }] }] } },
    [
      "aggregationRule.clusterRoleSelectors[0].matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
    ],
  ],
  ['subjects', bindings, { roleRef: viewer, subjects: [{ kind: 'User', name: 'ann' }] }, []],
  [
    'no role',
    bindings,
    {},
    [
      'roleRef.kind: Unsupported value: "": supported values: "Role", "ClusterRole"',
      'roleRef.name: Required value',
    ],
  ],
  [
    'a role of a namespace',
    clusterBindings,
    { roleRef: { kind: 'Role', name: 'a/b', apiGroup: 'apps' } },
    [
      `roleRef.apiGroup: Unsupported value: "apps": supported values: "${group}"`,
      'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"',
      `roleRef.name: Invalid value: "a/b": may not contain '/'`,
    ],
  ],
  [
    'bad subjects',
    clusterBindings,
    {
      roleRef: viewer,
      subjects: [
        { kind: 'ServiceAccount', name: 'robot', apiGroup: 'x' },
        { kind: 'User', name: '' },
        { kind: 'Group', name: 'g', apiGroup: 'x' },
        { kind: 'Pod', name: 'p' },
      ],
    },
    [
      'subjects[0].apiGroup: Unsupported value: "x": supported values: ""',
      'subjects[0].namespace: Required value',
      'subjects[1].name: Required value',
      'subjects[1].name: Invalid value: "": user name cannot be empty',
      `subjects[2].apiGroup: Unsupported value: "x": supported values: "${group}"`,
      'subjects[3].kind: Unsupported value: "Pod": supported values: "ServiceAccount", "User", "Group"',
    ],
  ],
];

for (const [name, kind, object, expected] of cases)
  test(`a ${kind.kind} with ${name}`, () => assert.deepEqual(refusals(kind, object), expected));

test('a binding never comes to give another role', () => {
  assert.deepEqual(updateRefusals(bindings, { roleRef: viewer }, { roleRef: { ...viewer, name: 'edit' } }), [
    `roleRef: Invalid value: {"kind":"ClusterRole","name":"edit","apiGroup":"${group}"}: cannot change roleRef`,
  ]);
  const more = { roleRef: viewer, subjects: [{ kind: 'User', name: 'ann' }] };
  assert.deepEqual(updateRefusals(clusterBindings, { roleRef: viewer }, more), []);
});

test('the rows of roles and bindings', () => {
  const metadata = { name: 'a', creationTimestamp: '2026-01-01T03:04:05Z' };
  assert.equal(row(roles, { metadata }), 'a | 2026-01-01T03:04:05Z');
  const subjects = [
    { kind: 'User', name: 'ann' },
    { kind: 'ServiceAccount', name: 'robot', namespace: 'x' },
    { kind: 'User', name: 'bob' },
  ];
  assert.equal(row(bindings, { metadata, roleRef: viewer, subjects }), 'a | ClusterRole/view | 24h');
  assert.equal(
    row(clusterBindings, { metadata, roleRef: viewer, subjects }, 1),
    'a | ClusterRole/view | 24h | ann, bob |  | x/robot',
  );
});
