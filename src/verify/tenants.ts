/**
 * Who the tenants are, what each has and what each waits for. Pure.
 *
 * A tenant is a queue where there are queues (a tree: what a queue's children have is its own too), else what the label `caelum.dev/tenant` of a namespace says, else
 * the namespace. Namespaces of the system are nobody's.
 */
import type { Pod, Queue } from '../api/index.ts';
import { addTo, amountsIn } from './amounts.ts';
import { devicesInUse } from './device-shares.ts';
import { gpuMilliOf, sharesResource } from './gpus.ts';
import { lackedLabels, meetsNodeAffinity, selects, toleration } from './selection.ts';
import { isPlaced, type View } from './view.ts';

export const tenantLabel = 'caelum.dev/tenant';
const queueLabel = 'scheduling.caelum.dev/queue';
const notTenants = new Set(['kube-system', 'kube-public', 'kube-node-lease']);

export interface Holding {
  readonly used: Map<string, bigint>;
  /** What its pods ask for that found no room, though there are nodes for them. */
  readonly unmet: Map<string, bigint>;
  pods: number;
  waiting: number;
  waitsSinceMs: number;
}

export interface Tenant extends Holding {
  readonly name: string;
  /** Its part of the cloud, where it is by weights: 1 is the mean of all. */
  readonly weight: number;
}

export interface QueueHolding extends Holding {
  readonly queue: Queue;
  readonly name: string;
  /** Itself and all above and below: what these have is not borrowed from it. */
  readonly kin: ReadonlySet<string>;
}

const emptyHolding = (): Holding => ({
  used: new Map(),
  unmet: new Map(),
  pods: 0,
  waiting: 0,
  waitsSinceMs: Number.POSITIVE_INFINITY,
});

export function tenantsOf(view: View): readonly Tenant[] {
  const tree = new QueueTree(view);
  const tenants = new Map<string, Tenant>();
  for (const pod of view.living) {
    const { namespace = '' } = pod.metadata;
    const queue = tree.queueOf(pod);
    if (queue === undefined && notTenants.has(namespace)) continue;
    const name = queue ?? view.namespace(namespace)?.metadata.labels?.[tenantLabel] ?? namespace;
    let tenant = tenants.get(name);
    if (tenant === undefined) {
      tenant = { name, weight: queue === undefined ? 1 : tree.weightOf(queue), ...emptyHolding() };
      tenants.set(name, tenant);
    }
    count(view, tenant, pod);
  }
  return [...tenants.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Of every queue, with what those below it have. */
export function queueHoldings(view: View): readonly QueueHolding[] {
  const tree = new QueueTree(view);
  const holdings = new Map<string, QueueHolding>();
  for (const queue of view.allocation.queues ?? []) {
    const name = queue.metadata.name ?? '';
    holdings.set(name, { queue, name, kin: tree.kinOf(name), ...emptyHolding() });
  }
  for (const pod of view.living) {
    const own = tree.queueOf(pod);
    if (own === undefined) continue;
    for (const name of tree.pathOf(own)) {
      const holding = holdings.get(name);
      if (holding === undefined) continue;
      count(view, holding, pod);
      if (!isPlaced(pod)) continue;
      const gpus = gpuMilliOf(pod, view) - (view.taken(pod).get(sharesResource) ?? 0n);
      if (gpus > 0n) addTo(holding.used, new Map([[sharesResource, gpus]]));
    }
  }
  for (const { users, amounts } of devicesInUse(view)) {
    const paths = users.map((pod) => tree.pathOf(tree.queueOf(pod) ?? ''));
    for (const [name, holding] of holdings)
      if (paths.every((path) => path.includes(name))) addTo(holding.used, amounts);
  }
  return [...holdings.values()];
}

function count(view: View, holding: Holding, pod: Pod): void {
  if (isPlaced(pod)) {
    holding.pods++;
    addTo(holding.used, view.taken(pod));
  } else if (foundNoRoom(view, pod)) {
    holding.waiting++;
    addTo(holding.unmet, view.taken(pod));
    holding.waitsSinceMs = Math.min(holding.waitsSinceMs, waitsSince(pod));
  }
}

/** Its gates are open, somebody has looked, and there is a node on which it could be if that were empty: it is room that lacks. */
function foundNoRoom(view: View, pod: Pod): boolean {
  const { spec, status, metadata } = pod;
  if (metadata.deletionTimestamp !== undefined || (spec?.schedulingGates ?? []).length > 0) return false;
  const isTold = status?.conditions?.some(
    (one) => one.type === 'PodScheduled' && one.status === 'False' && one.reason === 'Unschedulable',
  );
  if (isTold !== true) return false;
  const asks = view.taken(pod);
  for (const node of view.nodes.values()) {
    const has = amountsIn(node.status?.allocatable);
    if (
      node.spec?.unschedulable !== true &&
      lackedLabels(node, spec?.nodeSelector).length === 0 &&
      meetsNodeAffinity(pod, node) &&
      (node.spec?.taints ?? []).every(
        (taint) => taint.effect === 'PreferNoSchedule' || toleration(pod, taint) !== undefined,
      ) &&
      [...asks].every(([resource, amount]) => amount <= (has.get(resource) ?? 0n))
    )
      return true;
  }
  return false;
}

function waitsSince({ status, metadata }: Pod): number {
  const told = status?.conditions?.find((one) => one.type === 'PodScheduled')?.lastTransitionTime;
  return Date.parse(told ?? metadata.creationTimestamp ?? '') || 0;
}

class QueueTree {
  readonly #queues = new Map<string, Queue>();
  readonly #ofNamespace = new Map<string, string | undefined>();
  readonly #view: View;

  constructor(view: View) {
    this.#view = view;
    for (const one of view.allocation.queues ?? []) this.#queues.set(one.metadata.name ?? '', one);
  }

  queueOf({ metadata }: Pod): string | undefined {
    if (this.#queues.size === 0) return undefined;
    const named = metadata.labels?.[queueLabel];
    const { namespace = '' } = metadata;
    const takes = ([, { spec }]: [string, Queue]): boolean =>
      spec?.namespaces?.includes(namespace) === true ||
      selects(spec?.namespaceSelector, this.#view.labelsOfNamespace(namespace));
    if (named !== undefined) {
      const chosen = this.#queues.get(named);
      if (chosen !== undefined && takes([named, chosen])) return named;
    }
    if (!this.#ofNamespace.has(namespace)) {
      const open = [...this.#queues].filter(([, { spec }]) => spec?.podSelection !== 'ByLabel');
      const rank = ([name, { spec }]: [string, Queue]): string => {
        const { matchLabels = {}, matchExpressions = [] } = spec?.namespaceSelector ?? {};
        const isForAll = Object.keys(matchLabels).length + matchExpressions.length === 0;
        return `${spec?.namespaces?.includes(namespace) === true ? 0 : isForAll ? 2 : 1} ${name}`;
      };
      const [first] = open.filter(takes).sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
      this.#ofNamespace.set(namespace, first?.[0]);
    }
    return this.#ofNamespace.get(namespace);
  }

  /** From itself up. */
  pathOf(name: string): readonly string[] {
    const path: string[] = [];
    for (let at: string | undefined = name; at !== undefined && at !== '' && !path.includes(at); ) {
      path.push(at);
      at = this.#queues.get(at)?.spec?.parent;
    }
    return path;
  }

  kinOf(name: string): ReadonlySet<string> {
    const below = [...this.#queues.keys()].filter((one) => this.pathOf(one).includes(name));
    return new Set([...this.pathOf(name), ...below]);
  }

  /** Its part of its parent's part and so on, times the number of all that have no children. */
  weightOf(name: string): number {
    const parents = new Set([...this.#queues.values()].map(({ spec }) => spec?.parent ?? ''));
    let weight = [...this.#queues.keys()].filter((one) => !parents.has(one)).length;
    for (const one of this.pathOf(name)) {
      const parent = this.#queues.get(one)?.spec?.parent ?? '';
      let siblings = 0;
      for (const { spec } of this.#queues.values())
        if ((spec?.parent ?? '') === parent) siblings += spec?.weight ?? 1;
      weight *= (this.#queues.get(one)?.spec?.weight ?? 1) / Math.max(1, siblings);
    }
    return weight;
  }
}
