/**
 * What selectors, node affinity and tolerations mean, said as plainly as Kubernetes' documentation says it. Pure; the reference that the fast versions in
 * `api`, `client` and `scheduler` are compared with.
 */
import type {
  LabelSelector,
  Node,
  NodeSelector,
  NodeSelectorTerm,
  Taint,
  Toleration,
} from '../../api/index.ts';

export type Labels = Readonly<Record<string, string>>;

export interface Requirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

const labelOf = (labels: Labels, key: string): string | undefined =>
  Object.hasOwn(labels, key) ? labels[key] : undefined;

/** A 64-bit integer in decimal, else undefined: neither `1.5` nor the empty text is one. */
function integerOf(text: string | undefined): bigint | undefined {
  if (text === undefined || !/^[+-]?[0-9]+$/.test(text)) return undefined;
  const value = BigInt(text.replace('+', ''));
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

export function holds({ key, operator, values = [] }: Requirement, labels: Labels): boolean {
  const value = labelOf(labels, key);
  const [mine, theirs] = [integerOf(value), integerOf(values[0])];
  if (operator === 'In') return value !== undefined && values.includes(value);
  if (operator === 'NotIn') return value === undefined || !values.includes(value);
  if (operator === 'Exists') return value !== undefined;
  if (operator === 'DoesNotExist') return value === undefined;
  if (operator === 'Gt') return mine !== undefined && theirs !== undefined && mine > theirs;
  if (operator === 'Lt') return mine !== undefined && theirs !== undefined && mine < theirs;
  return false;
}

/** No selector: nothing. An empty one: everything. */
export function selects(selector: LabelSelector | undefined, labels: Labels): boolean {
  if (selector === undefined) return false;
  const pairs = Object.entries(selector.matchLabels ?? {});
  return (
    pairs.every(([key, value]) => labelOf(labels, key) === value) &&
    (selector.matchExpressions ?? []).every((requirement) => holds(requirement, labels))
  );
}

/** Expressions speak of labels, fields of the node's name, which is no label. An empty term: nothing. */
export function termSelectsNode(term: NodeSelectorTerm, node: Node): boolean {
  const { matchExpressions = [], matchFields = [] } = term;
  if (matchExpressions.length === 0 && matchFields.length === 0) return false;
  const fields = { 'metadata.name': node.metadata.name ?? '' };
  return (
    matchExpressions.every((requirement) => holds(requirement, node.metadata.labels ?? {})) &&
    matchFields.every((requirement) => holds(requirement, fields))
  );
}

/** Any of the terms. */
export function selectsNode(selector: NodeSelector, node: Node): boolean {
  return selector.nodeSelectorTerms.some((term) => termSelectsNode(term, node));
}

export function tolerated(taint: Taint, tolerations: readonly Toleration[]): boolean {
  return tolerations.some(({ key = '', operator = '', value = '', effect = '' }) => {
    if (effect !== '' && effect !== taint.effect) return false;
    if (operator === 'Exists') return key === '' || key === taint.key;
    if (operator !== 'Equal' && operator !== '') return false;
    return key === taint.key && value === (taint.value ?? '');
  });
}
