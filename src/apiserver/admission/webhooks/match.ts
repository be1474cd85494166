/**
 * Whether a request is a webhook's business: operations and resources by rule, namespaces and objects by label. Pure.
 * Source: Kubernetes 1.36, k8s.io/apiserver/pkg/admission/plugin/webhook, as behaviour.
 */
import {
  type KubeObject,
  type LabelSelector,
  labelPredicate,
  type Namespace,
  type RuleWithOperations,
} from '../../../api/index.ts';
import { CaelumError } from '../../../lib/index.ts';
import type { Resource } from '../../resource.ts';
import type { Admission, AdmissionContext, Operation } from '../chain.ts';

export interface Hook {
  readonly rules?: readonly RuleWithOperations[];
  readonly matchPolicy?: string;
  readonly namespaceSelector?: LabelSelector;
  readonly objectSelector?: LabelSelector;
}

const own = 'admissionregistration.k8s.io';
const configurations = new Set([
  'mutatingwebhookconfigurations',
  'validatingwebhookconfigurations',
  'mutatingadmissionpolicies',
  'mutatingadmissionpolicybindings',
  'validatingadmissionpolicies',
  'validatingadmissionpolicybindings',
]);

/** What decides who is asked is nobody's to refuse: a wrong webhook could never be taken away again. */
export const isExempt = ({ kind }: Resource): boolean =>
  kind.group === own && configurations.has(kind.resource);

const lists = (list: readonly string[] | undefined, one: string): boolean =>
  list?.some((item) => item === '*' || item === one) ?? false;

export function ruleMatches(
  rule: RuleWithOperations,
  { kind }: Resource,
  subresource: string,
  operation: Operation,
): boolean {
  return (
    lists(rule.operations, operation) &&
    lists(rule.apiGroups, kind.group) &&
    lists(rule.apiVersions, kind.version) &&
    scopeMatches(rule.scope, kind) &&
    (rule.resources ?? []).some((text) => {
      const [resource = '', part = ''] = text.split('/', 2);
      return (resource === '*' || resource === kind.resource) && (part === '*' || part === subresource);
    })
  );
}

function scopeMatches(scope: string | undefined, kind: Resource['kind']): boolean {
  if (scope === 'Namespaced') return kind.namespaced;
  if (scope === 'Cluster') return !kind.namespaced;
  return true;
}

/** The resource as the hook wants to see it: itself, or another version of it that a rule names; undefined: none of its business. */
export function resourceFor(
  context: AdmissionContext,
  hook: Hook,
  { resource, subresource, operation }: Pick<Admission, 'resource' | 'subresource' | 'operation'>,
): Resource | undefined {
  const { rules = [] } = hook;
  if (rules.some((rule) => ruleMatches(rule, resource, subresource, operation))) return resource;
  if (hook.matchPolicy === 'Exact') return undefined;
  for (const other of equivalents(context, resource))
    if (rules.some((rule) => ruleMatches(rule, other, subresource, operation))) return other;
  return undefined;
}

/** Others in which the same stored objects are shown. */
function* equivalents({ resources }: AdmissionContext, resource: Resource): Iterable<Resource> {
  if (resource.kind.storedAs === undefined && resource.kind.custom === undefined && !isShown(resource))
    return;
  for (const other of resources.all())
    if (other !== resource && other.prefix === resource.prefix) yield other;
}

/** Built-in kinds that have other faces. */
const isShown = ({ prefix }: Resource): boolean =>
  prefix === 'horizontalpodautoscalers.autoscaling/' || prefix === 'events/';

/** By the labels of the namespace and of the object, as it was or as it shall be. */
export function selectorsMatch(context: AdmissionContext, hook: Hook, admission: Admission): boolean {
  return (
    objectMatches(hook.objectSelector, admission) &&
    namespaceMatches(context, hook.namespaceSelector, admission)
  );
}

const isEmpty = (selector: LabelSelector | undefined): boolean =>
  selector === undefined ||
  (Object.keys(selector.matchLabels ?? {}).length === 0 && (selector.matchExpressions?.length ?? 0) === 0);

function objectMatches(selector: LabelSelector | undefined, { object, oldObject }: Admission): boolean {
  if (isEmpty(selector)) return true;
  const matches = labelPredicate(selector);
  // What has no metadata (options) has no labels to be chosen by.
  const holds = (one: { readonly metadata?: KubeObject['metadata'] } | undefined): boolean =>
    one?.metadata !== undefined && matches(one.metadata.labels);
  return holds(object as KubeObject | undefined) || holds(oldObject);
}

function namespaceMatches(
  context: AdmissionContext,
  selector: LabelSelector | undefined,
  { resource, namespace, name, object, oldObject }: Admission,
): boolean {
  if (isEmpty(selector)) return true;
  const matches = labelPredicate(selector);
  if (resource.groupResource === 'namespaces')
    return matches((object?.metadata ?? oldObject?.metadata)?.labels);
  if (namespace === '') return true;
  const stored = context.store.latest(context.resources.core('namespaces').key('', namespace));
  if (stored === undefined)
    throw new CaelumError('notFound', `namespaces ${JSON.stringify(namespace)} not found`, {
      details: { kind: 'namespaces', name },
    });
  return matches((stored.object() as Namespace).metadata.labels);
}
