/** Which share of the cluster's CPU is in which zone. Pure. As Kubernetes' topology cache. */
import { type Node, quantityMilli } from '../../api/index.ts';

export const zoneLabel = 'topology.kubernetes.io/zone';

/** By zone, together 1; undefined: not enough is known of the nodes, or all are in one zone. */
export type ZoneShares = ReadonlyMap<string, number> | undefined;

const excludedLabels = ['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master'];

export function zoneShares(nodes: Iterable<Node>): ZoneShares {
  const cpuByZone = new Map<string, number>();
  let total = 0;
  for (const node of nodes) {
    const { labels = {} } = node.metadata;
    if (excludedLabels.some((label) => label in labels)) continue;
    if (node.status?.conditions?.find(({ type }) => type === 'Ready')?.status !== 'True') continue;
    const cpu = quantityMilli(node.status?.allocatable?.['cpu']) ?? 0;
    const zone = labels[zoneLabel] ?? '';
    if (zone === '' || cpu === 0) return undefined;
    total += cpu;
    cpuByZone.set(zone, (cpuByZone.get(zone) ?? 0) + cpu);
  }
  if (cpuByZone.size < 2) return undefined;
  return new Map(
    [...cpuByZone].sort(([a], [b]) => (a < b ? -1 : 1)).map(([zone, cpu]) => [zone, cpu / total]),
  );
}
