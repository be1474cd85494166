/**
 * Which nodes a pod may go to by what it says of them: node affinity over labels and fields, tolerations over taints. Pure; the scheduler decides by
 * it, and so do controllers that want one pod on each node that fits.
 */
import { compileTerms, type LabelPredicate, type Labels } from './label-selector.ts';
import type { NodeSelector, NodeSelectorTerm, Taint, Toleration } from './types/core.v1.ts';

export function tolerates(tolerations: readonly Toleration[], taint: Taint): boolean {
  return tolerations.some((one) => {
    if (one.effect !== undefined && one.effect !== '' && one.effect !== taint.effect) return false;
    if (one.key !== undefined && one.key !== '' && one.key !== taint.key) return false;
    if (one.operator === 'Exists') return true;
    if (one.operator !== undefined && one.operator !== '' && one.operator !== 'Equal') return false;
    return one.key !== undefined && one.key !== '' && (one.value ?? '') === (taint.value ?? '');
  });
}

/** What node affinity looks at. `fields` are apart from labels: a label may be called `metadata.name` too. */
interface Selectable {
  readonly labels: Labels;
  readonly fields: Labels;
}

/** Terms are alternatives; within a term everything must hold. */
export function selectsNode(selector: NodeSelector, node: Selectable): boolean {
  return (selector.nodeSelectorTerms ?? []).some((term) => termHolds(term, node));
}

interface CompiledTerm {
  readonly ofLabels: LabelPredicate;
  readonly ofFields: LabelPredicate;
}

const compiled = new WeakMap<NodeSelectorTerm, CompiledTerm>();

export function termHolds(term: NodeSelectorTerm, { labels, fields }: Selectable): boolean {
  const { matchExpressions = [], matchFields = [] } = term;
  // An empty term selects nothing.
  if (matchExpressions.length + matchFields.length === 0) return false;
  let tests = compiled.get(term);
  if (tests === undefined) {
    tests = { ofLabels: compileTerms(matchExpressions), ofFields: compileTerms(matchFields) };
    compiled.set(term, tests);
  }
  return tests.ofLabels(labels) && tests.ofFields(fields);
}

const nodeName = 'metadata.name';

/** The names of the only nodes that a selector can select, where it names them, as it does for pods of DaemonSets. */
export function namedNodes({ nodeSelectorTerms = [] }: NodeSelector): readonly string[] | undefined {
  const names = new Set<string>();
  for (const { matchFields = [] } of nodeSelectorTerms) {
    const field = matchFields.find(({ key, operator }) => key === nodeName && operator === 'In');
    if (field === undefined) return undefined;
    for (const name of field.values ?? []) names.add(name);
  }
  return [...names];
}
