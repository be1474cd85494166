/**
 * The node life cycle controller. Decisions are in `plan.ts`.
 *
 * Leases are renewed often and mean nothing but "still here": a renewal only notes the time by our own clock, so that neither clock
 * differences between machines nor a pause of ourselves count as silence of a node.
 */
import type { Lease, Node, Pod } from '../../api/index.ts';
import type { Change, Informers } from '../../client/index.ts';
import type { Clock } from '../../lib/index.ts';
import { leasesRef, nodesRef, podsRef } from '../resources.ts';
import { type Controller, watch } from '../shell.ts';
import { graceMs, type Observed, plan, readyStatus } from './plan.ts';

const leaseNamespace = 'kube-node-lease';

export function nodeController(informers: Informers, clock: Clock): Controller<Observed> {
  const nodes = informers.informer<Node>(nodesRef);
  const pods = informers.informer<Pod>(podsRef);
  const podsOn = pods.index('node', (pod) => (pod.spec?.nodeName ? [pod.spec.nodeName] : []));
  /** When (monotonic) each node was last heard of. */
  const heardMs = new Map<string, number>();
  const ready = new Set<string>();

  const onNode = (change: Change<Node>): readonly string[] => {
    const { key, object } = change;
    const hadReady = ready.size > 0;
    const wasReady = ready.has(key);
    if (change.kind === 'deleted') {
      ready.delete(key);
      heardMs.delete(key);
    } else if (readyStatus(object.status?.conditions ?? []) === 'True') ready.add(key);
    else ready.delete(key);
    // Only a node itself says that it is ready: it has been heard of, even where its lease has not come through. Otherwise both would write against each
    // other as fast as they can (found by simulation).
    const saysReady = change.kind === 'updated' && ready.has(key) && !wasReady;
    if (change.kind === 'added' || saysReady) heardMs.set(key, clock.monotonicMs());
    // The first ready one, or the last one lost: what is evicted changes everywhere.
    if (hadReady !== ready.size > 0) return [...nodes.list()].map(({ metadata }) => metadata.name ?? '');
    return [key];
  };
  const onLease = ({ kind, object }: Change<Lease>): readonly string[] => {
    const { name = '' } = object.metadata;
    if (kind === 'deleted' || object.metadata.namespace !== leaseNamespace || !nodes.get(name)) return [];
    const silentMs = clock.monotonicMs() - (heardMs.get(name) ?? 0);
    heardMs.set(name, clock.monotonicMs());
    return silentMs < graceMs ? [] : [name];
  };
  return {
    name: 'node-controller',
    workers: 8,
    watches: [
      watch<Node>(informers, nodesRef, onNode),
      watch<Lease>(informers, leasesRef, onLease),
      watch<Pod>(informers, podsRef, ({ kind, object }) => {
        const { nodeName } = object.spec ?? {};
        if (kind === 'deleted' || !nodeName) return [];
        // Pods of a healthy node are none of our business.
        const node = nodes.get(nodeName);
        const isTainted = node?.spec?.taints?.some(({ effect }) => effect === 'NoExecute') === true;
        return node !== undefined && (isTainted || !ready.has(nodeName)) ? [nodeName] : [];
      }),
    ],
    observe(name) {
      const node = nodes.get(name);
      if (node === undefined) return undefined;
      return {
        node,
        pods: podsOn(name),
        silentMs: clock.monotonicMs() - (heardMs.get(name) ?? clock.monotonicMs()),
        isAnyReady: ready.size > 0,
      };
    },
    plan,
  };
}
