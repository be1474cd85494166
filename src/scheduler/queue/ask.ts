/**
 * Which changes may help a pod that fits nowhere, judged once for all pods that the filters cannot tell apart. Pure.
 *
 * A plain pod depends on single nodes alone, so a changed node is simply looked at: it fits there now, or it does not. Of the others, what refused them says which
 * changes count, as kube-scheduler's queueing hints do. Invariant: whatever could bring a node for the pod is `maybe` at least; more costs a plan in vain, less
 * would leave it waiting.
 */
import { claimsOf, type LabelSelector, labelPredicate, type Pod } from '../../api/index.ts';
import { backedDemand } from '../claims/extended-claims.ts';
import { type Demand, hostPortsOf, type NamespaceLabels, termSelects } from '../demand.ts';
import { hasRoom, isLargeEnough, refusals, staticRefusal } from '../filters.ts';
import { priorityOf } from '../preemption.ts';
import type { Snapshot } from '../snapshot.ts';

/** Something that may have brought a node for those that wait. */
export type QueueChange =
  /** A node came, or its labels, taints or size are others now. */
  | { readonly kind: 'node'; readonly row: number }
  | { readonly kind: 'nodeGone' }
  /** A pod has left a node, or takes less of it. */
  | { readonly kind: 'left'; readonly row: number | undefined; readonly pod: Pod }
  /** A pod has taken the place that was kept for it: from now on it can be put out by who is more important. */
  | { readonly kind: 'taken'; readonly row: number }
  /** A pod that others may look at came to a node, or has other labels. */
  | { readonly kind: 'came'; readonly pod: Pod }
  | { readonly kind: Sort };

type Sort = 'volumes' | 'devices' | 'namespaces' | 'anything';

/** Changes since they were looked at last: bounded, however many there are. */
export class Changes {
  /** Of nodes on which something is otherwise. */
  readonly rows = new Set<number>();
  /** That came or left. */
  readonly pods = new Set<Pod>();
  readonly sorts = new Set<Sort | 'topology' | 'ports' | 'pods'>();

  get isEmpty(): boolean {
    return this.rows.size + this.pods.size + this.sorts.size === 0;
  }

  add(change: QueueChange, isLookedAt: boolean): void {
    switch (change.kind) {
      case 'node':
        this.rows.add(change.row);
        this.sorts.add('topology');
        return;
      case 'taken':
        this.rows.add(change.row);
        return;
      case 'nodeGone':
        this.sorts.add('topology');
        return;
      case 'came':
        if (isLookedAt) this.#addPod(change.pod);
        return;
      case 'left': {
        const { row, pod } = change;
        if (row !== undefined) this.rows.add(row);
        if (hostPortsOf(pod).length > 0) this.sorts.add('ports');
        if (claimsOf(pod).length > 0) this.sorts.add('volumes');
        if (pod.spec?.resourceClaims !== undefined) this.sorts.add('devices');
        if (pod.spec?.affinity?.podAntiAffinity !== undefined) this.sorts.add('pods');
        if (isLookedAt) this.#addPod(pod);
        return;
      }
      default:
        this.sorts.add(change.kind);
    }
  }

  #addPod(pod: Pod): void {
    if (this.pods.size < podsMax) this.pods.add(pod);
    else this.sorts.add('pods');
  }
}

const podsMax = 64;
/** More nodes than that are not looked at one by one for each of many asks. */
const rowsMax = 512;

/** `surely`: it fits somewhere now. */
export type Hope = 'none' | 'maybe' | 'surely';

/** What refused it, as far as it matters for who helps. */
export interface Causes {
  /** Of other pods: affinity, spreading. */
  readonly pods: boolean;
  readonly ports: boolean;
}

const byPods: ReadonlySet<string> = new Set([
  refusals.spread,
  refusals.spreadLabel,
  refusals.podAffinity,
  refusals.podAntiAffinity,
  refusals.existingAntiAffinity,
]);

export function causesOf(refused: Iterable<string>): Causes {
  let pods = false;
  let ports = false;
  for (const reason of refused) {
    pods ||= byPods.has(reason);
    ports ||= reason === refusals.ports;
  }
  return { pods, ports };
}

/** Equal for pods that are refused alike and helped alike. `byAll`: labels make a difference, too. */
export function askKeyOf(pod: Pod, demand: Demand, byAll: boolean): string {
  const { metadata, spec } = pod;
  const who = `${metadata.namespace}|${spec?.schedulerName ?? ''}|${spec?.priority ?? 0}|${spec?.preemptionPolicy ?? ''}`;
  if (byAll || demand.gpus !== undefined || demand.impossible !== undefined)
    return `${who}|${demand.key}${claimsText(pod, demand)}`;
  const { cpuMilli, memoryBytes, ephemeralBytes, extended, nodesKey } = demand;
  const devices = extended.size === 0 ? '' : JSON.stringify([...extended]);
  return `${who}|${cpuMilli}|${memoryBytes}|${ephemeralBytes}|${devices}|${nodesKey}`;
}

/** Which volumes they are makes a difference, too. */
const claimsText = (pod: Pod, { hasClaims }: Demand): string =>
  hasClaims ? `|${claimsOf(pod).map(({ name }) => name)}` : '';

export function hopeOf(
  asked: Demand,
  pod: Pod,
  causes: Causes,
  { rows, pods, sorts }: Changes,
  snapshot: Snapshot,
): Hope {
  const demand = asked.extended.size === 0 ? asked : backedDemand(asked, snapshot.deviceClaims.classOf);
  let best: Hope = sorts.has('anything') || rows.size > rowsMax ? 'maybe' : 'none';
  if (sorts.has('volumes') && demand.hasClaims) best = 'maybe';
  if (sorts.has('devices') && (demand.hasDeviceClaims || demand.extended.size > 0)) best = 'maybe';
  if (sorts.has('ports') && causes.ports) best = 'maybe';
  if (causes.pods) {
    if (sorts.has('topology') || sorts.has('pods') || sorts.has('namespaces')) best = 'maybe';
    for (const one of pods) {
      if (best !== 'none') break;
      if (looksAt(demand, one, snapshot.namespaceLabels)) best = 'maybe';
    }
  }
  if (best === 'none' || demand.isPlain)
    for (const row of rows.size > rowsMax ? [] : rows) {
      const hope = hopeAt(demand, pod, row, snapshot);
      if (hope === 'surely') return hope;
      if (hope === 'maybe') best = hope;
    }
  return best;
}

/** Of a node as it is now. */
function hopeAt(demand: Demand, pod: Pod, row: number, snapshot: Snapshot): Hope {
  if (snapshot.facts(row) === undefined || demand.impossible !== undefined) return 'none';
  if (staticRefusal(demand, snapshot, row) !== undefined) return 'none';
  if (hasRoom(demand, snapshot, row))
    return demand.isPlain && snapshot.guarding.size === 0 ? 'surely' : 'maybe';
  // Others might be put out of their place there.
  return pod.spec?.preemptionPolicy !== 'Never' &&
    snapshot.hasBelow(priorityOf(pod)) &&
    isLargeEnough(demand, snapshot, row)
    ? 'maybe'
    : 'none';
}

/** Does a pod's affinity or spreading count this one? */
function looksAt(demand: Demand, { metadata }: Pod, namespaceLabels: NamespaceLabels): boolean {
  const { namespace = '', labels = {} } = metadata;
  if (
    namespace === demand.namespace &&
    demand.spread.some(({ labelSelector }) =>
      labelPredicate(labelSelector as LabelSelector | undefined)(labels),
    )
  )
    return true;
  const { podAffinity, podAntiAffinity } = demand.affinity ?? {};
  return [podAffinity, podAntiAffinity].some((terms) =>
    (terms?.requiredDuringSchedulingIgnoredDuringExecution ?? []).some((term) =>
      termSelects(term, demand.namespace, namespace, labels, namespaceLabels),
    ),
  );
}
