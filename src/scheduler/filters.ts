/**
 * Which nodes a pod can go to. Pure. Each filter answers the reason for which a node is refused, worded as kube-scheduler words it.
 *
 * `staticRefusal` depends on the node's own facts, `roomRefusal` on what is free on it, `podsRefusal` on the pods around.
 */
import { selectsNode, type Taint, type TopologySpreadConstraint, tolerates } from '../api/index.ts';
import { type Demand, portsClash } from './demand.ts';
import type { Snapshot } from './snapshot.ts';

export { selectsNode, tolerates };

export const refusals = {
  unschedulable: 'node(s) were unschedulable',
  name: "node(s) didn't match the requested node name",
  taint: 'node(s) had untolerated taint(s)',
  affinity: "node(s) didn't match Pod's node affinity/selector",
  /** Of all nodes but those that the pod names: no rule was asked of them. */
  named: "node(s) didn't satisfy plugin(s) [NodeAffinity]",
  ports: "node(s) didn't have free ports for the requested pod ports",
  tooManyPods: 'Too many pods',
  spread: "node(s) didn't match pod topology spread constraints",
  spreadLabel: "node(s) didn't match pod topology spread constraints (missing required label)",
  podAffinity: "node(s) didn't match pod affinity rules",
  podAntiAffinity: "node(s) didn't match pod anti-affinity rules",
  existingAntiAffinity: "node(s) didn't satisfy existing pods anti-affinity rules",
} as const;

const cordoned: Taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };

export function staticRefusal(demand: Demand, snapshot: Snapshot, row: number): string | undefined {
  const facts = snapshot.facts(row);
  if (facts === undefined) return refusals.name;
  if (demand.nodeName !== '' && demand.nodeName !== facts.name) return refusals.name;
  if (facts.unschedulable && !tolerates(demand.tolerations, cordoned)) return refusals.unschedulable;
  for (const taint of facts.taints)
    if (taint.effect !== 'PreferNoSchedule' && !tolerates(demand.tolerations, taint)) return refusals.taint;
  return matchesAffinity(demand, facts) ? undefined : refusals.affinity;
}

type NodeFacts = NonNullable<ReturnType<Snapshot['facts']>>;

export function matchesAffinity(demand: Demand, facts: NodeFacts): boolean {
  if (demand.nodeSelector !== undefined)
    for (const key in demand.nodeSelector) if (facts.labels[key] !== demand.nodeSelector[key]) return false;
  const required = demand.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return required === undefined || selectsNode(required, facts);
}

/** Spreading counts the nodes that the pod could be spread over, as far as the constraint's policies look at affinity and taints. */
export function isSpreadOver(
  { nodeAffinityPolicy, nodeTaintsPolicy }: TopologySpreadConstraint,
  demand: Demand,
  facts: NodeFacts,
): boolean {
  if (nodeAffinityPolicy !== 'Ignore' && !matchesAffinity(demand, facts)) return false;
  if (nodeTaintsPolicy !== 'Honor') return true;
  return facts.taints.every(
    (taint) => taint.effect === 'PreferNoSchedule' || tolerates(demand.tolerations, taint),
  );
}

/** Every resource that lacks, for a node may lack several. Empty: there is room. */
export function roomRefusals(demand: Demand, snapshot: Snapshot, row: number): readonly string[] {
  if (hasRoom(demand, snapshot, row)) return [];
  const lacking: string[] = [];
  if ((snapshot.podsFree[row] ?? 0) < 1) lacking.push(refusals.tooManyPods);
  if (demand.cpuMilli > 0 && demand.cpuMilli > (snapshot.cpuFree[row] ?? 0)) lacking.push('Insufficient cpu');
  if (demand.memoryBytes > 0 && demand.memoryBytes > (snapshot.memoryFree[row] ?? 0))
    lacking.push('Insufficient memory');
  if (demand.ephemeralBytes > 0 && demand.ephemeralBytes > (snapshot.ephemeralFree[row] ?? 0))
    lacking.push('Insufficient ephemeral-storage');
  for (const [resource, amount] of demand.extended)
    if (amount > snapshot.extendedFree(row, resource) && !isByClaim(demand, snapshot, row, resource))
      lacking.push(`Insufficient ${resource}`);
  const { gpus } = demand;
  const ofGpus =
    gpus === undefined || isByClaim(demand, snapshot, row, gpus.resource)
      ? undefined
      : snapshot.gpus.refusal(row, gpus);
  if (ofGpus !== undefined && !lacking.includes(ofGpus)) lacking.push(ofGpus);
  return lacking;
}

export function hasRoom(demand: Demand, snapshot: Snapshot, row: number): boolean {
  if ((snapshot.podsFree[row] ?? 0) < 1) return false;
  if (demand.cpuMilli > 0 && demand.cpuMilli > (snapshot.cpuFree[row] ?? 0)) return false;
  if (demand.memoryBytes > 0 && demand.memoryBytes > (snapshot.memoryFree[row] ?? 0)) return false;
  if (demand.ephemeralBytes > 0 && demand.ephemeralBytes > (snapshot.ephemeralFree[row] ?? 0)) return false;
  if (demand.extended.size > 0)
    for (const [resource, amount] of demand.extended)
      if (amount > snapshot.extendedFree(row, resource) && !isByClaim(demand, snapshot, row, resource))
        return false;
  const { gpus } = demand;
  return (
    gpus === undefined || snapshot.gpus.fits(row, gpus) || isByClaim(demand, snapshot, row, gpus.resource)
  );
}

/** The node has no such resource of its own: a claim of devices sees to it. */
export function isByClaim({ backed }: Demand, snapshot: Snapshot, row: number, resource: string): boolean {
  return backed?.has(resource) === true && !((snapshot.facts(row)?.extended.get(resource) ?? 0) > 0);
}

/** Whether the node would do if it were empty, as far as resources go. */
export function isLargeEnough(demand: Demand, snapshot: Snapshot, row: number): boolean {
  if (demand.cpuMilli > 0 && demand.cpuMilli > (snapshot.cpuWhole[row] ?? 0)) return false;
  if (demand.memoryBytes > 0 && demand.memoryBytes > (snapshot.memoryWhole[row] ?? 0)) return false;
  const facts = snapshot.facts(row);
  if (demand.ephemeralBytes > 0 && demand.ephemeralBytes > (facts?.storageBytes ?? 0)) return false;
  for (const [resource, amount] of demand.extended)
    if (amount > (facts?.extended.get(resource) ?? 0) && !isByClaim(demand, snapshot, row, resource))
      return false;
  const { gpus } = demand;
  if (gpus === undefined || isByClaim(demand, snapshot, row, gpus.resource)) return true;
  return snapshot.gpus.isLargeEnough(row, gpus);
}

export function portsRefusal(demand: Demand, snapshot: Snapshot, row: number): string | undefined {
  if (demand.hostPorts.length === 0) return undefined;
  const taken = snapshot.portsOn(row);
  return demand.hostPorts.some((wanted) => taken.some((one) => portsClash(wanted, one)))
    ? refusals.ports
    : undefined;
}
