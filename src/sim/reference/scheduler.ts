/**
 * A scheduler that tries every node for every pod and counts everything anew. Pure, slow, and as plain as Kubernetes' documentation; what
 * `scheduler/plan.ts` decides is compared with it.
 *
 *   cluster, pod ──▶ judge ──▶ for each node: possible, with its score, or refused, with the reasons that kube-scheduler gives
 */
import {
  type LabelSelector,
  type Namespace,
  type Node,
  type Pod,
  type PodAffinityTerm,
  quantityMilli,
  quantityValue,
  type TopologySpreadConstraint,
} from '../../api/index.ts';
import { scoresOf } from './scheduler-scores.ts';
import { type Labels, selects, selectsNode, tolerated } from './selectors.ts';

export interface PlacedPod {
  readonly key: string;
  readonly pod: Pod;
  readonly nodeName: string;
}

export interface Cluster {
  readonly nodes: readonly Node[];
  readonly pods: readonly PlacedPod[];
  readonly namespaces: readonly Namespace[];
  /** Whether any node was ever in a zone. */
  readonly knowsZones?: boolean;
}

export type Verdict =
  | { readonly kind: 'possible'; readonly node: string; readonly score: number }
  | { readonly kind: 'refused'; readonly node: string; readonly reasons: readonly string[] };

export const labelsOf = ({ metadata }: Node | Pod | Namespace): Labels => metadata.labels ?? {};
export const nameOf = ({ metadata }: Node | Namespace): string => metadata.name ?? '';
export const valueAt = (node: Node, key: string): string | undefined =>
  Object.hasOwn(labelsOf(node), key) ? labelsOf(node)[key] : undefined;
export const podsOn = (cluster: Cluster, node: Node): readonly Pod[] =>
  cluster.pods.filter(({ nodeName }) => nodeName === nameOf(node)).map(({ pod }) => pod);
export const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

// ── resources ──

type Container = NonNullable<Pod['spec']>['containers'][number];

export const amount = (resource: string, text: string | undefined): number =>
  (resource === 'cpu' ? quantityMilli(text) : quantityValue(text)) ?? 0;
const asked = (resource: string, container: Container): number =>
  amount(resource, container.resources?.requests?.[resource]);

/** What a pod needs at its worst moment: each init container with the sidecars started before it, then all that stay. The pod's own word goes first. */
export function requestOf(resource: string, { spec }: Pod): number {
  const { containers = [], initContainers = [], resources, overhead } = spec ?? {};
  const isSidecar = ({ restartPolicy }: Container): boolean => restartPolicy === 'Always';
  const moments = initContainers.map((container, at) =>
    sum([...initContainers.slice(0, at).filter(isSidecar), container].map((one) => asked(resource, one))),
  );
  const lasting = sum(
    [...initContainers.filter(isSidecar), ...containers].map((one) => asked(resource, one)),
  );
  const own = resources?.requests?.[resource];
  const request = own === undefined ? Math.max(lasting, ...moments) : amount(resource, own);
  return request + amount(resource, overhead?.[resource]);
}

export const capacityOf = (resource: string, node: Node): number =>
  amount(resource, node.status?.allocatable?.[resource]);

/** May be negative: others than the scheduler bind pods too. */
export const freeOf = (resource: string, cluster: Cluster, node: Node): number =>
  capacityOf(resource, node) - sum(podsOn(cluster, node).map((pod) => requestOf(resource, pod)));

function lackingOf(cluster: Cluster, pod: Pod, node: Node, resources: readonly string[]): readonly string[] {
  const tooMany = podsOn(cluster, node).length + 1 > capacityOf('pods', node) ? ['Too many pods'] : [];
  const lacking = resources.filter((resource) => {
    const request = requestOf(resource, pod);
    return request > 0 && request > freeOf(resource, cluster, node);
  });
  return [...tooMany, ...lacking.map((resource) => `Insufficient ${resource}`)];
}

// ── ports ──

interface HostPort {
  readonly port: number;
  readonly protocol: string;
  readonly address: string;
}

/** Of all containers that stay, sidecars too. */
function hostPortsOf({ spec }: Pod): readonly HostPort[] {
  const sidecars = (spec?.initContainers ?? []).filter((one) => one.restartPolicy === 'Always');
  return [...(spec?.containers ?? []), ...sidecars]
    .flatMap(({ ports = [] }) => ports)
    .map(({ hostPort = 0, protocol = 'TCP', hostIP = '' }) => ({
      port: hostPort,
      protocol,
      address: hostIP || '0.0.0.0',
    }))
    .filter(({ port }) => port > 0);
}

const clash = (a: HostPort, b: HostPort): boolean =>
  a.port === b.port &&
  a.protocol === b.protocol &&
  (a.address === b.address || a.address === '0.0.0.0' || b.address === '0.0.0.0');

// ── what the node itself says ──

function matchesAffinity(pod: Pod, node: Node): boolean {
  const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return (
    selects({ matchLabels: pod.spec?.nodeSelector ?? {} }, labelsOf(node)) &&
    (required === undefined || selectsNode(required, node))
  );
}

export function hasUntolerated(pod: Pod, node: Node, effects: readonly string[]): boolean {
  const tolerations = pod.spec?.tolerations ?? [];
  return (node.spec?.taints ?? []).some(
    (taint) => effects.includes(taint.effect) && !tolerated(taint, tolerations),
  );
}

/** The only nodes that come into question, where the pod names them in every term; of others nothing is asked. */
function isUnnamed(pod: Pod, node: Node): boolean {
  const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const terms = required?.nodeSelectorTerms ?? [];
  const naming = terms.map(({ matchFields = [] }) =>
    matchFields.find(({ key, operator }) => key === 'metadata.name' && operator === 'In'),
  );
  if (required === undefined || naming.some((one) => one === undefined)) return false;
  return !naming.some((one) => one?.values?.includes(nameOf(node)) === true);
}

function ownRefusal(pod: Pod, node: Node): string | undefined {
  if (isUnnamed(pod, node)) return "node(s) didn't satisfy plugin(s) [NodeAffinity]";
  const cordoned = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };
  const { nodeName = '', tolerations = [] } = pod.spec ?? {};
  if (nodeName !== '' && nodeName !== nameOf(node)) return "node(s) didn't match the requested node name";
  if (node.spec?.unschedulable === true && !tolerated(cordoned, tolerations))
    return 'node(s) were unschedulable';
  if (hasUntolerated(pod, node, ['NoSchedule', 'NoExecute'])) return 'node(s) had untolerated taint(s)';
  if (!matchesAffinity(pod, node)) return "node(s) didn't match Pod's node affinity/selector";
  return undefined;
}

// ── spreading ──

function spreadSelector(
  { labelSelector, matchLabelKeys = [] }: TopologySpreadConstraint,
  pod: Pod,
): LabelSelector | undefined {
  if (labelSelector === undefined) return undefined;
  const pairs = matchLabelKeys.flatMap((key) => {
    const value = labelsOf(pod)[key];
    return value === undefined ? [] : [{ key, operator: 'In', values: [value] }];
  });
  return { ...labelSelector, matchExpressions: [...(labelSelector.matchExpressions ?? []), ...pairs] };
}

export const isHard = (one: TopologySpreadConstraint): boolean => one.whenUnsatisfiable === 'DoNotSchedule';

/** Nodes that count: they have the keys of all constraints of this hardness, and the pod may go there as far as the policies honour that. */
function countedNodes(cluster: Cluster, pod: Pod, constraint: TopologySpreadConstraint): readonly Node[] {
  const alike = (pod.spec?.topologySpreadConstraints ?? []).filter(
    (one) => isHard(one) === isHard(constraint),
  );
  return cluster.nodes.filter(
    (node) =>
      alike.every(({ topologyKey }) => valueAt(node, topologyKey) !== undefined) &&
      (constraint.nodeAffinityPolicy === 'Ignore' || matchesAffinity(pod, node)) &&
      (constraint.nodeTaintsPolicy !== 'Honor' || !hasUntolerated(pod, node, ['NoSchedule', 'NoExecute'])),
  );
}

/** How many pods of the constraint's kind each domain holds. */
export function domainsOf(
  cluster: Cluster,
  pod: Pod,
  constraint: TopologySpreadConstraint,
): ReadonlyMap<string, number> {
  const selector = spreadSelector(constraint, pod);
  const counts = new Map<string, number>();
  for (const node of countedNodes(cluster, pod, constraint)) {
    const value = valueAt(node, constraint.topologyKey) ?? '';
    const matching = podsOn(cluster, node).filter(
      (one) =>
        one.metadata.namespace === pod.metadata.namespace &&
        one.metadata.deletionTimestamp === undefined &&
        selects(selector, labelsOf(one)),
    );
    counts.set(value, (counts.get(value) ?? 0) + matching.length);
  }
  return counts;
}

function spreadRefusal(cluster: Cluster, pod: Pod, node: Node): string | undefined {
  for (const constraint of (pod.spec?.topologySpreadConstraints ?? []).filter(isHard)) {
    const value = valueAt(node, constraint.topologyKey);
    if (value === undefined)
      return "node(s) didn't match pod topology spread constraints (missing required label)";
    const counts = domainsOf(cluster, pod, constraint);
    const least = counts.size < (constraint.minDomains ?? 1) ? 0 : Math.min(...counts.values());
    const own = selects(spreadSelector(constraint, pod), labelsOf(pod)) ? 1 : 0;
    if ((counts.get(value) ?? 0) + own - least > constraint.maxSkew)
      return "node(s) didn't match pod topology spread constraints";
  }
  return undefined;
}

// ── pods that seek or shun each other ──

/** Does a term of `owner` speak of `other`? In the listed namespaces, or those with the labels; without either in its own. */
export function concerns(cluster: Cluster, term: PodAffinityTerm, owner: Pod, other: Pod): boolean {
  const { namespaces = [], namespaceSelector, labelSelector } = term;
  const { namespace = '' } = other.metadata;
  const space = cluster.namespaces.find((one) => nameOf(one) === namespace);
  const isThere =
    namespaces.includes(namespace) ||
    selects(namespaceSelector, space === undefined ? {} : labelsOf(space)) ||
    (namespaces.length === 0 && namespaceSelector === undefined && namespace === owner.metadata.namespace);
  return isThere && selects(labelSelector, labelsOf(other));
}

/** Pods that a term of `owner` speaks of, in the domain of `node`, or in any domain. */
export function concerned(cluster: Cluster, term: PodAffinityTerm, owner: Pod, node?: Node): readonly Pod[] {
  const domain = node === undefined ? undefined : valueAt(node, term.topologyKey);
  if (node !== undefined && domain === undefined) return [];
  return cluster.nodes
    .filter((one) => valueAt(one, term.topologyKey) !== undefined)
    .filter((one) => domain === undefined || valueAt(one, term.topologyKey) === domain)
    .flatMap((one) => podsOn(cluster, one))
    .filter((one) => concerns(cluster, term, owner, one));
}

function neighbourRefusal(cluster: Cluster, pod: Pod, node: Node): string | undefined {
  const { podAffinity, podAntiAffinity } = pod.spec?.affinity ?? {};
  for (const term of podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []) {
    const isFirst = concerned(cluster, term, pod).length === 0 && concerns(cluster, term, pod, pod);
    const hasDomain = valueAt(node, term.topologyKey) !== undefined;
    if (!hasDomain || (!isFirst && concerned(cluster, term, pod, node).length === 0))
      return "node(s) didn't match pod affinity rules";
  }
  for (const term of podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [])
    if (concerned(cluster, term, pod, node).length > 0) return "node(s) didn't match pod anti-affinity rules";
  for (const other of cluster.nodes)
    for (const owner of podsOn(cluster, other))
      for (const term of owner.spec?.affinity?.podAntiAffinity
        ?.requiredDuringSchedulingIgnoredDuringExecution ?? []) {
        const domain = valueAt(node, term.topologyKey);
        if (
          domain !== undefined &&
          domain === valueAt(other, term.topologyKey) &&
          concerns(cluster, term, owner, pod)
        )
          return "node(s) didn't satisfy existing pods anti-affinity rules";
      }
  return undefined;
}

/** Of every node: can the pod go there, and how good would it be? `more`: what else refuses a node that has room. */
export function judge(
  cluster: Cluster,
  pod: Pod,
  resources: readonly string[],
  more: (node: Node) => readonly string[] = () => [],
): readonly Verdict[] {
  const refused: Verdict[] = [];
  const possible: Node[] = [];
  for (const node of cluster.nodes) {
    const own = ownRefusal(pod, node);
    const ports = podsOn(cluster, node).flatMap(hostPortsOf);
    const isTaken = hostPortsOf(pod).some((wanted) => ports.some((one) => clash(wanted, one)));
    const room = lackingOf(cluster, pod, node, resources);
    const lacking = room.length > 0 ? room : more(node);
    const others = spreadRefusal(cluster, pod, node) ?? neighbourRefusal(cluster, pod, node);
    const reasons =
      own !== undefined
        ? [own]
        : isTaken
          ? ["node(s) didn't have free ports for the requested pod ports"]
          : lacking.length > 0
            ? lacking
            : others !== undefined
              ? [others]
              : [];
    if (reasons.length > 0) refused.push({ kind: 'refused', node: nameOf(node), reasons });
    else possible.push(node);
  }
  const scores = scoresOf(cluster, pod, possible);
  return [
    ...refused,
    ...possible.map(
      (node, at): Verdict => ({
        kind: 'possible',
        node: nameOf(node),
        score: scores[at] ?? 0,
      }),
    ),
  ];
}
