/**
 * On which nodes a DaemonSet's pod shall run, and may go on running. Pure; remembered by template and node, which are replaced when they change.
 *
 * The scheduler binds the pods: each asks for its one node by an affinity for the node's name.
 */
import {
  type Affinity,
  type Node,
  type Pod,
  type PodSpec,
  type PodTemplateSpec,
  selectsNode,
  type Toleration,
  tolerates,
} from '../../api/index.ts';
import { sameJson } from '../../lib/index.ts';

export interface Verdict {
  readonly shouldRun: boolean;
  readonly mayGoOn: boolean;
}

const never: Verdict = { shouldRun: false, mayGoOn: false };

const automatic: readonly (readonly [key: string, effect: string])[] = [
  ['node.kubernetes.io/not-ready', 'NoExecute'],
  ['node.kubernetes.io/unreachable', 'NoExecute'],
  ['node.kubernetes.io/disk-pressure', 'NoSchedule'],
  ['node.kubernetes.io/memory-pressure', 'NoSchedule'],
  ['node.kubernetes.io/pid-pressure', 'NoSchedule'],
  ['node.kubernetes.io/unschedulable', 'NoSchedule'],
];

/** The pod's own, and those of what does not keep a daemon from its node. */
export function tolerationsOf({ tolerations = [], hostNetwork }: PodSpec): readonly Toleration[] {
  const added = automatic.map(([key, effect]): Toleration => ({ key, operator: 'Exists', effect }));
  if (hostNetwork === true)
    added.push({ key: 'node.kubernetes.io/network-unavailable', operator: 'Exists', effect: 'NoSchedule' });
  const isAdded = ({ key, operator, effect, value }: Toleration): boolean =>
    added.some((one) => sameJson(one, { key, operator, effect, ...(value ? { value } : {}) }));
  return [...tolerations.filter((one) => !isAdded(one)), ...added];
}

/** The affinity, with the node in place of all that it required of nodes: those have been looked at by then. */
export function affinityTo(nodeName: string, affinity: Affinity = {}): Affinity {
  const matchFields = [{ key: 'metadata.name', operator: 'In', values: [nodeName] }];
  return {
    ...affinity,
    nodeAffinity: {
      ...affinity.nodeAffinity,
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields }] },
    },
  };
}

/** The node that a pod is on, or will be. */
export function targetOf({ spec }: Pod): string | undefined {
  if (spec?.nodeName) return spec.nodeName;
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  for (const { matchFields = [] } of required?.nodeSelectorTerms ?? [])
    for (const { key, operator, values = [] } of matchFields)
      if (key === 'metadata.name' && operator === 'In' && values.length === 1) return values[0];
  return undefined;
}

const known = new WeakMap<PodTemplateSpec, WeakMap<Node, Verdict>>();

export function verdictOf(template: PodTemplateSpec, node: Node): Verdict {
  let verdicts = known.get(template);
  if (verdicts === undefined) {
    verdicts = new WeakMap();
    known.set(template, verdicts);
  }
  let verdict = verdicts.get(node);
  if (verdict === undefined) {
    verdict = judge(template, node);
    verdicts.set(node, verdict);
  }
  return verdict;
}

function judge({ spec }: PodTemplateSpec, { metadata, spec: nodeSpec }: Node): Verdict {
  if (spec === undefined) return never;
  const { name = '', labels = {} } = metadata;
  if (spec.nodeName && spec.nodeName !== name) return never;
  for (const [key, value] of Object.entries(spec.nodeSelector ?? {})) if (labels[key] !== value) return never;
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (required !== undefined && !selectsNode(required, { labels, fields: { 'metadata.name': name } }))
    return never;
  const tolerations = tolerationsOf(spec);
  const repelling = (nodeSpec?.taints ?? []).filter(
    (taint) => taint.effect !== 'PreferNoSchedule' && !tolerates(tolerations, taint),
  );
  return {
    shouldRun: repelling.length === 0,
    mayGoOn: repelling.every(({ effect }) => effect !== 'NoExecute'),
  };
}
