/**
 * Which flow schema a request belongs to, and which flow of it. Pure.
 * Source: Kubernetes' documentation of FlowSchema; k8s.io/apiserver/pkg/util/flowcontrol/rule.go, as behaviour.
 */
import type { FlowSchema } from '../../api/index.ts';
import type { Attributes } from '../access/rules.ts';
import type { Identity } from '../identity.ts';

type Spec = NonNullable<FlowSchema['spec']>;
type Rules = NonNullable<Spec['rules']>[number];
type Subject = Rules['subjects'][number];

/** The rules of a schema that concern somebody: what is left to ask of each of their requests. */
export function rulesFor(schema: FlowSchema, identity: Identity): readonly Rules[] {
  return (schema.spec?.rules ?? []).filter((rules) => rules.subjects.some((one) => names(one, identity)));
}

function names(subject: Subject, { user, groups }: Identity): boolean {
  switch (subject.kind) {
    case 'User':
      return subject.user?.name === '*' || subject.user?.name === user;
    case 'Group':
      return subject.group?.name === '*' || groups.includes(subject.group?.name ?? '');
    case 'ServiceAccount': {
      const { namespace = '', name = '' } = subject.serviceAccount ?? {};
      const prefix = `system:serviceaccount:${namespace}:`;
      return name === '*' ? user.startsWith(prefix) : user === prefix + name;
    }
    default:
      return false;
  }
}

export function covers(rules: Rules, asked: Attributes): boolean {
  if (asked.kind === 'path')
    return (rules.nonResourceRules ?? []).some(
      ({ verbs, nonResourceURLs }) =>
        has(verbs, asked.verb) && nonResourceURLs.some((url) => coversPath(url, asked.path)),
    );
  return (rules.resourceRules ?? []).some((rule) => {
    if (!has(rule.verbs, asked.verb) || !has(rule.apiGroups, asked.group)) return false;
    const whole = asked.subresource === '' ? asked.resource : `${asked.resource}/${asked.subresource}`;
    if (!rule.resources.includes('*') && !rule.resources.includes(whole)) return false;
    if (asked.namespace === '') return rule.clusterScope === true;
    return has(rule.namespaces ?? [], asked.namespace);
  });
}

const has = (list: readonly string[], one: string): boolean => list.includes(one) || list.includes('*');

/** `*`, `/healthz`, `/healthz/*` (all below, not itself). */
function coversPath(pattern: string, path: string): boolean {
  if (pattern === '*' || pattern === path) return true;
  return pattern.endsWith('/*') && path.startsWith(pattern.slice(0, -1));
}

/** By precedence, then by name: the first that matches counts. */
export function inOrder(schemas: Iterable<FlowSchema>): readonly FlowSchema[] {
  return [...schemas].sort(
    (a, b) =>
      (a.spec?.matchingPrecedence ?? 0) - (b.spec?.matchingPrecedence ?? 0) ||
      ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1),
  );
}

/** What tells two flows of a schema apart; '' where all are one. */
export function distinguisher(schema: FlowSchema, identity: Identity, asked: Attributes): string {
  switch (schema.spec?.distinguisherMethod?.type) {
    case 'ByUser':
      return identity.user;
    case 'ByNamespace':
      return asked.kind === 'resource' ? asked.namespace : '';
    default:
      return '';
  }
}
