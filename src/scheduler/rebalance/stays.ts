/**
 * Which pods stay where they are, whatever a strategy would have, and why. Pure.
 *
 * Invariant: what is allowed together keeps every budget and every limit: `take` counts each move before the next is asked about.
 */
import {
  type LabelSelector,
  labelPredicate,
  type Pod,
  type PodDisruptionBudget,
  type RebalancePolicySpec,
} from '../../api/index.ts';
import { groupKeyOf } from '../gangs/gang-book.ts';
import { isBoundToNode, ownerOf, type Placed, type Trial } from './trial.ts';

/** With this annotation a pod stays. */
export const keepAnnotation = 'scheduling.caelum.dev/keep';
const safeToEvict = 'cluster-autoscaler.kubernetes.io/safe-to-evict';
const systemPriority = 2_000_000_000;

interface Budget {
  readonly name: string;
  readonly namespace: string;
  readonly selects: (labels: Readonly<Record<string, string>> | undefined) => boolean;
  readonly freesUnready: boolean;
  left: number;
}

export interface Limits {
  readonly moves: number;
  readonly movesPerNode: number;
  readonly movesPerNamespace: number;
}

export class Stays {
  readonly #trial: Trial;
  readonly #spec: RebalancePolicySpec;
  readonly #limits: Limits;
  readonly #budgets: readonly Budget[];
  readonly #isPodMeant: (pod: Pod) => string | undefined;
  readonly #isNodeMeant: (name: string) => boolean;
  readonly #perNode = new Map<string, number>();
  readonly #perNamespace = new Map<string, number>();
  #moves = 0;

  constructor(
    trial: Trial,
    spec: RebalancePolicySpec,
    budgets: readonly PodDisruptionBudget[],
    minPodAgeMs: number,
  ) {
    this.#trial = trial;
    this.#spec = spec;
    const { moves = 20, movesPerNode = Number.POSITIVE_INFINITY } = spec.limits ?? {};
    this.#limits = {
      moves,
      movesPerNode,
      movesPerNamespace: spec.limits?.movesPerNamespace ?? Number.POSITIVE_INFINITY,
    };
    this.#budgets = budgets.map(budgetOf);
    this.#isPodMeant = meantPods(spec, trial.nowMs, minPodAgeMs);
    const { nodeSelector } = spec;
    const nodeLabels = labelPredicate(nodeSelector as LabelSelector | undefined);
    this.#isNodeMeant = (name) =>
      nodeSelector === undefined || nodeLabels(trial.nodes.get(name)?.metadata.labels);
  }

  get isFull(): boolean {
    return this.#moves >= this.#limits.moves;
  }

  get left(): number {
    return this.#limits.moves - this.#moves;
  }

  /** Whether anything but limits and budgets keeps it. */
  isKept(one: Placed): string | undefined {
    return (
      this.#isPodMeant(one.pod) ??
      (this.#isNodeMeant(one.node) ? undefined : 'its node gives nothing away') ??
      keptByNature(one.pod, this.#spec.allow ?? [])
    );
  }

  /** Why these, which go together, stay; undefined: they may go. */
  of(group: readonly Placed[]): string | undefined {
    for (const one of group) {
      const kept = this.isKept(one);
      if (kept !== undefined) return kept;
    }
    const { moves, movesPerNode, movesPerNamespace } = this.#limits;
    if (this.#moves + group.length > moves) return 'as many are moved as one plan may';
    const nodes = new Map<string, number>();
    const namespaces = new Map<string, number>();
    const spent = new Map<Budget, number>();
    for (const { pod, node } of group) {
      const { namespace = '' } = pod.metadata;
      if (add(nodes, node) + (this.#perNode.get(node) ?? 0) > movesPerNode)
        return 'as many leave its node as may';
      if (add(namespaces, namespace) + (this.#perNamespace.get(namespace) ?? 0) > movesPerNamespace)
        return 'as many of its namespace are moved as may';
      const budgets = this.#budgetsOf(pod);
      if (budgets.length > 1) return 'it has more than one disruption budget';
      for (const budget of budgets)
        if (add(spent, budget) > budget.left) return `its disruption budget ${budget.name} allows no more`;
    }
    return undefined;
  }

  take(group: readonly Placed[]): void {
    for (const { pod, node } of group) {
      this.#moves++;
      add(this.#perNode, node);
      add(this.#perNamespace, pod.metadata.namespace ?? '');
      for (const budget of this.#budgetsOf(pod)) budget.left--;
    }
  }

  #budgetsOf(pod: Pod): readonly Budget[] {
    if (this.#budgets.length === 0) return this.#budgets;
    const isReady =
      pod.status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') === true;
    return this.#budgets.filter(
      (one) =>
        one.namespace === pod.metadata.namespace &&
        one.selects(pod.metadata.labels) &&
        (isReady || !one.freesUnready),
    );
  }

  get trial(): Trial {
    return this.#trial;
  }
}

function add<K>(counts: Map<K, number>, key: K): number {
  const count = (counts.get(key) ?? 0) + 1;
  counts.set(key, count);
  return count;
}

function budgetOf({ metadata, spec, status }: PodDisruptionBudget): Budget {
  return {
    name: metadata.name ?? '',
    namespace: metadata.namespace ?? '',
    selects: labelPredicate(spec?.selector as LabelSelector | undefined),
    freesUnready: spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow',
    left: status?.disruptionsAllowed ?? 0,
  };
}

function meantPods(
  { namespaces, excludedNamespaces = [], podSelector, limits = {} }: RebalancePolicySpec,
  nowMs: number,
  minPodAgeMs: number,
): (pod: Pod) => string | undefined {
  const only = namespaces === undefined || namespaces.length === 0 ? undefined : new Set(namespaces);
  const not = new Set(excludedNamespaces);
  const selects = labelPredicate(podSelector as LabelSelector | undefined);
  const { maxPriority = Number.POSITIVE_INFINITY } = limits;
  return ({ metadata, spec }) => {
    const { namespace = '' } = metadata;
    if (not.has(namespace) || only?.has(namespace) === false) return 'its namespace is left out';
    if (podSelector !== undefined && !selects(metadata.labels)) return 'its labels are not chosen';
    if ((spec?.priority ?? 0) > maxPriority) return `its priority is above ${maxPriority}`;
    if (minPodAgeMs > 0 && nowMs - (Date.parse(metadata.creationTimestamp ?? '') || 0) < minPodAgeMs)
      return 'it is too young';
    return undefined;
  };
}

function keptByNature(pod: Pod, allow: readonly string[]): string | undefined {
  const { metadata, spec, status } = pod;
  const owner = ownerOf(pod);
  if (metadata.deletionTimestamp !== undefined) return 'it goes already';
  if (isBoundToNode(pod)) return 'it belongs to its node';
  if (status?.phase !== 'Running' && status?.phase !== 'Pending') return 'it does not run';
  const { [keepAnnotation]: keep, [safeToEvict]: safe } = metadata.annotations ?? {};
  if (keep === 'true' || safe === 'false') return 'it asks to be kept';
  if (owner === undefined && !allow.includes('BarePods')) return 'nobody would make it again';
  if (owner?.kind === 'Job' && !allow.includes('JobPods')) return 'it is of a Job';
  if ((spec?.priority ?? 0) >= systemPriority && !allow.includes('SystemCritical'))
    return 'it is critical for the system';
  const isLocal = (spec?.volumes ?? []).some(
    (one) => one.emptyDir !== undefined || one.hostPath !== undefined,
  );
  if (isLocal && !allow.includes('LocalStorage')) return 'it has storage of its node';
  if ((spec?.resourceClaims ?? []).length > 0) return 'it has claimed devices';
  if (groupKeyOf(pod) !== undefined) return 'it is of a gang';
  return undefined;
}
