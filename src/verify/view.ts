/** The objects that an allocation is made of, as the rules look at them: by name, by node, by namespace. Pure. */
import type {
  DynamicResourceClaim,
  Namespace,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  Queue,
  ResourceQuota,
  ResourceSlice,
} from '../api/index.ts';
import { type Amounts, takenBy } from './amounts.ts';
import type { Labels } from './selection.ts';

/** All of a moment. What is left out is not looked at. */
export interface Allocation {
  readonly nodes: readonly Node[];
  readonly pods: readonly Pod[];
  readonly namespaces?: readonly Namespace[];
  readonly quotas?: readonly ResourceQuota[];
  readonly budgets?: readonly PodDisruptionBudget[];
  readonly claims?: readonly PersistentVolumeClaim[];
  readonly volumes?: readonly PersistentVolume[];
  readonly deviceClaims?: readonly DynamicResourceClaim[];
  readonly deviceSlices?: readonly ResourceSlice[];
  readonly queues?: readonly Queue[];
  /** For taints that pods bear for a while only; without it these are not looked at. */
  readonly nowMs?: number;
}

/**
 * `violation`: never may it be so. `drift`: it was right when it was placed, as far as can be told, and objects have changed since; Kubernetes lets it run on.
 * `note`: worth knowing, against no rule.
 */
export type Severity = 'violation' | 'drift' | 'note';

export interface Finding {
  readonly rule: string;
  readonly severity: Severity;
  /** `node/n1`, `pod/shop/web-1`, `resourcequota/shop/q`. */
  readonly objects: readonly string[];
  /** What was compared. */
  readonly numbers: Readonly<Record<string, string | number>>;
  readonly message: string;
}

export class View {
  readonly allocation: Allocation;
  readonly nodes = new Map<string, Node>();
  /** Pods that hold room, by node; also of nodes that are not there. */
  readonly podsOn = new Map<string, Pod[]>();
  /** All that have not ended. */
  readonly living: Pod[] = [];
  readonly byNamespace = new Map<string, Pod[]>();
  readonly #namespaces = new Map<string, Namespace>();
  readonly #taken = new Map<Pod, Amounts>();

  constructor(allocation: Allocation) {
    this.allocation = allocation;
    for (const one of allocation.nodes) this.nodes.set(one.metadata.name ?? '', one);
    for (const one of allocation.namespaces ?? []) this.#namespaces.set(one.metadata.name ?? '', one);
    for (const pod of allocation.pods) {
      if (hasEnded(pod)) continue;
      this.living.push(pod);
      listOf(this.byNamespace, pod.metadata.namespace ?? '').push(pod);
      const { nodeName = '' } = pod.spec ?? {};
      if (nodeName !== '') listOf(this.podsOn, nodeName).push(pod);
    }
  }

  nodeOf({ spec }: Pod): Node | undefined {
    return this.nodes.get(spec?.nodeName ?? '');
  }

  taken(pod: Pod): Amounts {
    let amounts = this.#taken.get(pod);
    if (amounts === undefined) {
      amounts = takenBy(pod);
      this.#taken.set(pod, amounts);
    }
    return amounts;
  }

  namespace(name: string): Namespace | undefined {
    return this.#namespaces.get(name);
  }

  /** Every namespace has its name as a label, also where it was not given. */
  readonly labelsOfNamespace = (name: string): Labels => ({
    'kubernetes.io/metadata.name': name,
    ...this.#namespaces.get(name)?.metadata.labels,
  });
}

export const hasEnded = ({ status }: Pod): boolean =>
  status?.phase === 'Succeeded' || status?.phase === 'Failed';

export const isPlaced = ({ spec }: Pod): boolean => (spec?.nodeName ?? '') !== '';

export const podName = ({ metadata }: Pod): string =>
  `pod/${metadata.namespace ?? ''}/${metadata.name ?? ''}`;

export const nodeName = (name: string): string => `node/${name}`;

export function listOf<K, V>(map: Map<K, V[]>, key: K): V[] {
  let list = map.get(key);
  if (list === undefined) {
    list = [];
    map.set(key, list);
  }
  return list;
}
