/**
 * Role bindings: to whom a role is given. What a binding refers to never changes, so that whoever may edit its subjects cannot raise what they get.
 * Source: Kubernetes 1.36, pkg/apis/rbac, as behaviour.
 */
import { sameJson } from '../../lib/index.ts';
import type { FieldProblem } from '../kind.ts';
import type { Draft } from '../object.ts';
import type { ClusterRoleBinding, RoleBinding, Subject } from '../types/rbac.v1.ts';
import { pathSegmentName, subdomainName } from '../validation/names.ts';
import { notSupported, type Problems, required, wrong } from '../validation/problems.ts';
import { ageColumn, column, nameColumn, wideColumn } from './cells.ts';
import { defineKind } from './define.ts';

type Binding = RoleBinding | ClusterRoleBinding;

const group = 'rbac.authorization.k8s.io';

const namesCell =
  (kind: string) =>
  ({ subjects = [] }: Binding): string =>
    subjects
      .filter((subject) => subject.kind === kind)
      .map(({ name, namespace = '' }) => (kind === 'ServiceAccount' ? `${namespace}/${name}` : name))
      .join(', ');

const of = {
  group,
  version: 'v1',
  columns: [
    nameColumn,
    column<Binding>('Role', 'The role that it gives.', ({ roleRef }) => `${roleRef.kind}/${roleRef.name}`),
    ageColumn,
    wideColumn<Binding>('Users', 'Users who get it.', namesCell('User')),
    wideColumn<Binding>('Groups', 'Groups who get it.', namesCell('Group')),
    wideColumn<Binding>('ServiceAccounts', 'Service accounts that get it.', namesCell('ServiceAccount')),
  ],
  validateName: pathSegmentName,
  applyDefaults({ roleRef, subjects }: Draft<Binding>): void {
    if (roleRef !== undefined) roleRef.apiGroup ||= group;
    for (const subject of subjects ?? [])
      if (subject.kind === 'User' || subject.kind === 'Group') subject.apiGroup ||= group;
  },
  validateUpdate(object: Binding, old: Binding): readonly FieldProblem[] {
    return sameJson(object.roleRef, old.roleRef)
      ? []
      : [wrong('roleRef', object.roleRef, 'cannot change roleRef')];
  },
} as const;

export const roleBinding = defineKind<RoleBinding>({
  ...of,
  kind: 'RoleBinding',
  resource: 'rolebindings',
  message: 'rbac.v1.RoleBinding',
  description: 'RoleBinding gives a role to users, groups and service accounts, within its namespace.',
  validate: (object) => validateBinding(object, ['Role', 'ClusterRole'], true),
});

export const clusterRoleBinding = defineKind<ClusterRoleBinding>({
  ...of,
  kind: 'ClusterRoleBinding',
  resource: 'clusterrolebindings',
  message: 'rbac.v1.ClusterRoleBinding',
  description: 'ClusterRoleBinding gives a cluster role to users, groups and service accounts, everywhere.',
  namespaced: false,
  validate: (object) => validateBinding(object, ['ClusterRole'], false),
});

function validateBinding(
  { roleRef, subjects = [] }: Binding,
  kinds: readonly string[],
  isNamespaced: boolean,
): Problems {
  const problems: Problems = [];
  const { apiGroup = '', kind = '', name = '' } = roleRef ?? {};
  if (apiGroup !== group) problems.push(notSupported('roleRef.apiGroup', apiGroup, [group]));
  if (!kinds.includes(kind)) problems.push(notSupported('roleRef.kind', kind, kinds));
  if (name === '') problems.push(required('roleRef.name'));
  else for (const why of pathSegmentName(name)) problems.push(wrong('roleRef.name', name, why));
  subjects.forEach((subject, index) => {
    validateSubject(problems, `subjects[${index}]`, subject, isNamespaced);
  });
  return problems;
}

function validateSubject(
  problems: Problems,
  field: string,
  { kind = '', name = '', apiGroup = '', namespace = '' }: Subject,
  isNamespaced: boolean,
): void {
  if (name === '') problems.push(required(`${field}.name`));
  switch (kind) {
    case 'ServiceAccount':
      if (name !== '')
        for (const why of subdomainName(name)) problems.push(wrong(`${field}.name`, name, why));
      if (apiGroup !== '') problems.push(notSupported(`${field}.apiGroup`, apiGroup, ['']));
      if (!isNamespaced && namespace === '') problems.push(required(`${field}.namespace`));
      break;
    case 'User':
    case 'Group':
      if (name === '')
        problems.push(wrong(`${field}.name`, name, `${kind.toLowerCase()} name cannot be empty`));
      if (apiGroup !== group) problems.push(notSupported(`${field}.apiGroup`, apiGroup, [group]));
      break;
    default:
      problems.push(notSupported(`${field}.kind`, kind, ['ServiceAccount', 'User', 'Group']));
  }
}
