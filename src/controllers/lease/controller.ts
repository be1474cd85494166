/**
 * Leases that nobody renews any more are cleared away: of nodes that are gone, and of API servers that are gone (as Kubernetes' lease collector).
 * All others are somebody's lock, and stay.
 */
import type { Lease, Node } from '../../api/index.ts';
import type { Client, Informers } from '../../client/index.ts';
import { isError } from '../../lib/index.ts';
import { leasesRef, nodesRef } from '../resources.ts';
import { type Controller, watch } from '../shell.ts';
import { deletion, type PlanContext, type Step } from '../step.ts';

const nodeNamespace = 'kube-node-lease';
const identityLabel = 'apiserver.kubernetes.io/identity';

/** One that nobody may still want. Pure. */
export function plan(lease: Lease, { nowMs }: PlanContext): readonly Step[] {
  if (lease.metadata.deletionTimestamp !== undefined) return [];
  const { renewTime, leaseDurationSeconds } = lease.spec ?? {};
  const renewedMs = Date.parse(renewTime ?? lease.metadata.creationTimestamp ?? '') || 0;
  const leftMs = renewedMs + (leaseDurationSeconds ?? 0) * 1000 - nowMs;
  if (leftMs > 0) return [{ kind: 'again', afterMs: leftMs }];
  const { resourceVersion } = lease.metadata;
  // Renewed just now: it is not what was seen.
  const write = deletion(leasesRef, lease, { accept: ['notFound', 'conflict'] });
  return [{ ...write, ...(resourceVersion === undefined ? {} : { resourceVersion }) } as Step];
}

export function leaseController(informers: Informers, client: Client): Controller<Lease> {
  const nodes = informers.informer<Node>(nodesRef);
  const leases = informers.informer<Lease>(leasesRef);
  const isOfApi = ({ metadata }: Lease): boolean =>
    metadata.namespace === 'kube-system' && metadata.labels?.[identityLabel] !== undefined;
  const isOfNobody = ({ metadata }: Lease): boolean =>
    metadata.namespace === nodeNamespace && nodes.get(metadata.name ?? '') === undefined;
  const isThere = async (node: string): Promise<boolean> => {
    try {
      await client.get(nodesRef, undefined, node);
      return true;
    } catch (error) {
      if (isError(error, 'notFound')) return false;
      throw error;
    }
  };
  return {
    name: 'lease-garbage-collector',
    workers: 1,
    watches: [
      watch<Node>(informers, nodesRef, ({ kind, key }) =>
        kind === 'deleted' ? [`${nodeNamespace}/${key}`] : [],
      ),
      watch<Lease>(informers, leasesRef, ({ kind, key, object }) =>
        kind !== 'deleted' && (isOfApi(object) || isOfNobody(object)) ? [key] : [],
      ),
    ],
    async observe(key) {
      const lease = leases.get(key);
      if (lease === undefined || isOfApi(lease)) return lease;
      if (!isOfNobody(lease)) return undefined;
      return (await isThere(lease.metadata.name ?? '')) ? undefined : lease;
    },
    plan,
  };
}
