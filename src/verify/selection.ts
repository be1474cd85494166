/** What selectors, node affinity and tolerations mean, said again apart from those who place by them. Pure. */
import type { LabelSelector, Node, NodeSelectorTerm, Pod, PodAffinityTerm, Taint } from '../api/index.ts';

export type Labels = Readonly<Record<string, string>>;

interface Requirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

const labelValue = (labels: Labels, key: string): string | undefined =>
  Object.hasOwn(labels, key) ? labels[key] : undefined;

const isWhole = (text: string | undefined): text is string => text !== undefined && /^[+-]?\d+$/.test(text);

function isMet({ key, operator, values = [] }: Requirement, labels: Labels): boolean {
  const value = labelValue(labels, key);
  const [bound] = values;
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return isWhole(value) && isWhole(bound) && BigInt(value) > BigInt(bound);
    case 'Lt':
      return isWhole(value) && isWhole(bound) && BigInt(value) < BigInt(bound);
    default:
      return false;
  }
}

/** None selects nothing, an empty one everything. */
export function selects(selector: LabelSelector | undefined, labels: Labels = {}): boolean {
  if (selector === undefined) return false;
  for (const [key, value] of Object.entries(selector.matchLabels ?? {}))
    if (labelValue(labels, key) !== value) return false;
  return (selector.matchExpressions ?? []).every((one) => isMet(one, labels));
}

export const labelsOf = (object: Node | Pod): Labels => object.metadata.labels ?? {};

export const domainOf = (node: Node | undefined, key: string): string | undefined =>
  node === undefined ? undefined : labelValue(labelsOf(node), key);

export function lackedLabels(node: Node, wanted: Labels | undefined): readonly string[] {
  return Object.entries(wanted ?? {})
    .filter(([key, value]) => labelValue(labelsOf(node), key) !== value)
    .map(([key, value]) => `${key}=${value}`);
}

function termTakes({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm, node: Node): boolean {
  if (matchExpressions.length + matchFields.length === 0) return false;
  const name = { 'metadata.name': node.metadata.name ?? '' };
  return (
    matchExpressions.every((one) => isMet(one, labelsOf(node))) &&
    matchFields.every((one) => isMet(one, name))
  );
}

export function meetsNodeAffinity({ spec }: Pod, node: Node): boolean {
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return required === undefined || required.nodeSelectorTerms.some((one) => termTakes(one, node));
}

export function toleration({ spec }: Pod, taint: Taint) {
  return (spec?.tolerations ?? []).find(({ key = '', operator = 'Equal', value = '', effect = '' }) => {
    if (effect !== '' && effect !== taint.effect) return false;
    if (key !== '' && key !== taint.key) return false;
    if (operator === 'Exists') return true;
    return key !== '' && value === (taint.value ?? '');
  });
}

/** Whether a term of `owner` means `other`. */
export function means(
  { namespaces = [], namespaceSelector, labelSelector }: PodAffinityTerm,
  owner: Pod,
  other: Pod,
  labelsOfNamespace: (name: string) => Labels,
): boolean {
  const { namespace = '' } = other.metadata;
  const isThere =
    namespaces.length === 0 && namespaceSelector === undefined
      ? namespace === owner.metadata.namespace
      : namespaces.includes(namespace) || selects(namespaceSelector, labelsOfNamespace(namespace));
  return isThere && selects(labelSelector, labelsOf(other));
}
