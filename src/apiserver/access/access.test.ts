import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClusterRole, ClusterRoleBinding, Pod, PolicyRule, Role, RoleBinding } from '../../api/index.ts';
import type { Identity } from '../identity.ts';
import { defaultClusterRoleBindings, defaultClusterRoles } from './default-roles.ts';
import { explainAccess } from './explanation.ts';
import { nodeAccess } from './node-access.ts';
import { grantText, RoleBook } from './role-book.ts';
import { type Attributes, allows, ruleText, uncovered } from './rules.ts';

const rule = (groups: string, resources: string, verbs: string, names?: string): PolicyRule => ({
  verbs: verbs.split(' '),
  apiGroups: groups.split(' ').map((group) => (group === 'core' ? '' : group)),
  resources: resources.split(' '),
  ...(names === undefined ? {} : { resourceNames: names.split(' ') }),
});
const asked = (
  verb: string,
  what: string,
  more: Partial<Extract<Attributes, { kind: 'resource' }>> = {},
): Attributes => {
  const [resource = '', subresource = ''] = what.split('/');
  return { kind: 'resource', verb, group: '', resource, subresource, namespace: 'shop', name: '', ...more };
};
const path = (verb: string, url: string): Attributes => ({ kind: 'path', verb, path: url });
const identity = (user: string, ...groups: string[]): Identity => ({ user, groups });

test('allows() matches verbs, groups, resources, subresources, names and paths as Kubernetes does', () => {
  const cases: readonly (readonly [PolicyRule, Attributes, boolean])[] = [
    [rule('core', 'pods', 'get'), asked('get', 'pods'), true],
    [rule('core', 'pods', 'get'), asked('list', 'pods'), false],
    [rule('core', 'pods', 'get'), asked('get', 'pods/log'), false],
    [rule('core', 'pods/log', 'get'), asked('get', 'pods/log'), true],
    [rule('core', '*/log', 'get'), asked('get', 'pods/log'), true],
    [rule('core', '*/log', 'get'), asked('get', 'pods'), false],
    [rule('core', '*', 'get'), asked('get', 'pods/log'), true],
    [rule('apps', 'pods', 'get'), asked('get', 'pods'), false],
    [rule('*', 'pods', '*'), asked('delete', 'pods', { group: 'x' }), true],
    [rule('core', 'pods', 'get', 'a b'), asked('get', 'pods', { name: 'b' }), true],
    [rule('core', 'pods', 'get', 'a b'), asked('get', 'pods', { name: 'c' }), false],
    [rule('core', 'pods', 'list', 'a'), asked('list', 'pods'), false],
    [{ verbs: ['get'], nonResourceURLs: ['/healthz'] }, path('get', '/healthz'), true],
    [{ verbs: ['get'], nonResourceURLs: ['/healthz/*'] }, path('get', '/healthz/ping'), true],
    [{ verbs: ['get'], nonResourceURLs: ['/healthz'] }, path('get', '/healthz/ping'), false],
    [rule('*', '*', '*'), path('get', '/healthz'), false],
    [{ verbs: ['*'], nonResourceURLs: ['*'] }, asked('get', 'pods'), false],
  ];
  for (const [one, what, expected] of cases)
    assert.equal(allows(one, what), expected, `${ruleText(one)} ${JSON.stringify(what)}`);
});

test('uncovered() finds what a role would give beyond what its writer has', () => {
  const own = [
    rule('core', 'pods pods/log', 'get list'),
    rule('apps', '*', '*'),
    rule('core', 'secrets', 'get', 'mine'),
  ];
  assert.deepEqual(uncovered(own, [rule('core', 'pods', 'get'), rule('apps', 'deployments', 'delete')]), []);
  assert.deepEqual(uncovered(own, [rule('core', 'secrets', 'get', 'mine')]), []);
  const more = uncovered(own, [rule('core', 'pods secrets', 'get delete')]);
  assert.deepEqual(more.map(ruleText), [
    '{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}',
    '{APIGroups:[""], Resources:["pods"], Verbs:["delete"]}',
    '{APIGroups:[""], Resources:["secrets"], Verbs:["delete"]}',
  ]);
  assert.equal(uncovered(own, [rule('*', '*', '*')]).length, 1);
  assert.equal(uncovered(own, [{ verbs: ['get'], nonResourceURLs: ['/metrics'] }]).length, 1);
});

const role = (name: string, ...rules: PolicyRule[]): ClusterRole => ({ metadata: { name }, rules });
const bind = (
  name: string,
  to: string,
  ...subjects: NonNullable<RoleBinding['subjects']>
): ClusterRoleBinding => ({
  metadata: { name },
  subjects,
  roleRef: { kind: 'ClusterRole', name: to },
});

test('RoleBook finds grants by user, group and service account, cluster-wide and in a namespace', () => {
  const book = new RoleBook();
  book.setClusterRole('reader', role('reader', rule('core', 'pods', 'get')));
  const local: Role = {
    metadata: { name: 'writer', namespace: 'shop' },
    rules: [rule('core', 'pods', 'delete')],
  };
  book.setRole('shop/writer', local);
  book.setBinding(
    'all',
    bind('all', 'reader', { kind: 'Group', name: 'readers' }, { kind: 'User', name: 'ann' }),
  );
  const inShop: RoleBinding = {
    metadata: { name: 'w', namespace: 'shop' },
    subjects: [{ kind: 'ServiceAccount', name: 'robot' }],
    roleRef: { kind: 'Role', name: 'writer' },
  };
  book.setBinding('shop/w', inShop);
  const robot = identity('system:serviceaccount:shop:robot');
  assert.ok(book.find(identity('ann'), asked('get', 'pods')));
  assert.ok(book.find(identity('ben', 'readers'), asked('get', 'pods')));
  assert.equal(book.find(identity('ben'), asked('get', 'pods')), undefined);
  const grant = book.find(robot, asked('delete', 'pods'));
  assert.equal(
    grant && grantText(grant),
    'RBAC: allowed by RoleBinding "w/shop" of Role "writer" to ServiceAccount "robot/shop"',
  );
  assert.equal(book.find(robot, asked('delete', 'pods', { namespace: 'other' })), undefined);
  book.setBinding('shop/w', undefined);
  assert.equal(book.find(robot, asked('delete', 'pods')), undefined);
  book.setClusterRole('reader', undefined);
  assert.equal(book.find(identity('ann'), asked('get', 'pods')), undefined);
});

test('the default roles let everybody known look at discovery and himself, and strangers only at health', () => {
  const book = new RoleBook();
  for (const one of defaultClusterRoles) book.setClusterRole(one.metadata.name ?? '', one);
  for (const one of defaultClusterRoleBindings) book.setBinding(one.metadata.name ?? '', one);
  const known = identity('ann', 'system:authenticated');
  const stranger = identity('system:anonymous', 'system:unauthenticated');
  const may = (who: Identity, what: Attributes): boolean => book.find(who, what) !== undefined;
  assert.ok(may(known, path('get', '/apis/apps/v1')) && may(known, path('get', '/openapi/v3')));
  assert.ok(may(known, asked('create', 'selfsubjectaccessreviews', { group: 'authorization.k8s.io' })));
  assert.ok(!may(known, asked('get', 'pods')) && !may(known, path('get', '/metrics')));
  assert.ok(may(stranger, path('get', '/version')) && !may(stranger, path('get', '/apis')));
});

test('nodeAccess() gives an agent what its own pods name, and no more', () => {
  const pod = {
    metadata: { name: 'web', namespace: 'shop' },
    spec: {
      serviceAccountName: 'robot',
      containers: [{ name: 'c', envFrom: [{ secretRef: { name: 'env' } }] }],
      volumes: [
        { name: 'v', configMap: { name: 'settings' } },
        { name: 's', secret: { secretName: 'key' } },
      ],
    },
  } as Pod;
  const may = (what: Attributes): boolean =>
    nodeAccess('n1', what as Attributes & { kind: 'resource' }, {
      podsOf: (node) => (node === 'n1' ? [pod] : []),
      object: () => undefined,
    }).allowed;
  for (const [kind, name] of [
    ['secrets', 'env'],
    ['secrets', 'key'],
    ['configmaps', 'settings'],
    ['serviceaccounts', 'robot'],
  ] as const)
    assert.ok(may(asked('get', kind, { name })), `${kind} ${name}`);
  assert.ok(!may(asked('get', 'secrets', { name: 'other' })));
  assert.ok(!may(asked('get', 'secrets', { name: 'key', namespace: 'else' })));
  assert.ok(!may(asked('list', 'secrets')));
  assert.ok(may(asked('create', 'serviceaccounts/token', { name: 'robot' })));
  assert.ok(!may(asked('create', 'serviceaccounts/token', { name: 'default' })));
  assert.ok(
    may(asked('patch', 'nodes/status', { name: 'n1', namespace: '' })) &&
      !may(asked('patch', 'nodes/status', { name: 'n2', namespace: '' })),
  );
  assert.ok(!may(asked('create', 'clusterroles', { group: 'rbac.authorization.k8s.io' })));
});

test('explainAccess() names all that allow, or what is near and the least that would allow it', () => {
  const book = new RoleBook();
  book.setClusterRole('reader', role('reader', rule('core', 'pods', 'get')));
  book.setBinding('all', bind('all', 'reader', { kind: 'User', name: 'ann' }));
  const there: RoleBinding = {
    metadata: { name: 'w', namespace: 'else' },
    subjects: [{ kind: 'User', name: 'ann' }],
    roleRef: { kind: 'ClusterRole', name: 'editor' },
  };
  book.setClusterRole('editor', role('editor', rule('core', 'pods', 'delete get')));
  book.setBinding('else/w', there);
  const yes = explainAccess(book, identity('ann'), asked('get', 'pods'), undefined);
  assert.ok(yes.allowed);
  assert.deepEqual(
    yes.because.map(({ role: of, binding, rule: by }) => [of?.name, binding?.name, by && ruleText(by)]),
    [['reader', 'all', '{APIGroups:[""], Resources:["pods"], Verbs:["get"]}']],
  );
  const no = explainAccess(book, identity('ann'), asked('delete', 'pods', { name: 'web' }), undefined);
  assert.ok(!no.allowed);
  assert.deepEqual(no.missing, [
    'ClusterRole "reader" is bound, but allows only {APIGroups:[""], Resources:["pods"], Verbs:["get"]}',
    'RoleBinding "w" allows it in namespace "else" only',
  ]);
  // What it proposes does allow it, and nothing more.
  const [proposed, binding] = no.remedy as [Role, RoleBinding];
  assert.deepEqual(proposed.rules, [
    { verbs: ['delete'], apiGroups: [''], resources: ['pods'], resourceNames: ['web'] },
  ]);
  book.setRole(`shop/${proposed.metadata.name}`, proposed);
  book.setBinding(`shop/${binding.metadata.name}`, binding);
  assert.ok(
    explainAccess(book, identity('ann'), asked('delete', 'pods', { name: 'web' }), undefined).allowed,
  );
  assert.ok(
    !explainAccess(book, identity('ann'), asked('delete', 'pods', { name: 'db' }), undefined).allowed,
  );
  // A role that is there already, and is no larger, is bound rather than made again.
  const again = explainAccess(book, identity('ben'), asked('delete', 'pods', { name: 'web' }), undefined);
  assert.equal(again.remedy.length, 1);
  const robot = explainAccess(
    book,
    identity('system:serviceaccount:shop:robot'),
    path('get', '/metrics'),
    undefined,
  );
  assert.deepEqual((robot.remedy[1] as ClusterRoleBinding).subjects, [
    { kind: 'ServiceAccount', name: 'robot', namespace: 'shop' },
  ]);
});
