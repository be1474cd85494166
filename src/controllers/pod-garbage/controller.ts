/** The pod garbage collector. Decisions are in `plan.ts`. Keys: `node/NAME`, `out/NODE`, `pod/NAMESPACE/NAME`, `ended`. */
import type { Node, Pod } from '../../api/index.ts';
import type { Client, Informers } from '../../client/index.ts';
import { type Clock, isError } from '../../lib/index.ts';
import { isOutOfService } from '../node-state.ts';
import { isFinished, isTerminating } from '../pod-state.ts';
import { nodesRef, podsRef } from '../resources.ts';
import { type Controller, watch } from '../shell.ts';
import { type Observed, plan, quarantineMs } from './plan.ts';

export interface PodGarbageOptions {
  readonly informers: Informers;
  readonly client: Client;
  readonly clock: Clock;
  /** So many pods that have ended are kept. */
  readonly threshold?: number;
}

export function podGarbageController(options: PodGarbageOptions): Controller<Observed> {
  const { informers, client, clock, threshold = 12_500 } = options;
  const nodes = informers.informer<Node>(nodesRef);
  const pods = informers.informer<Pod>(podsRef);
  const podsOn = pods.index('node', (pod) => (pod.spec?.nodeName ? [pod.spec.nodeName] : []));
  const endedPods = pods.index('ended', (pod) => (isFinished(pod) ? ['ended'] : []));
  /** Since when (monotonic) a node that pods name is missing. */
  const missingMs = new Map<string, number>();
  const isUnbound = (pod: Pod): boolean => !pod.spec?.nodeName && isTerminating(pod);

  const ofMissing = async (name: string): Promise<Observed | undefined> => {
    const stranded = podsOn(name);
    if (nodes.get(name) !== undefined || stranded.length === 0) {
      missingMs.delete(name);
      return undefined;
    }
    const nowMs = clock.monotonicMs();
    const sinceMs = missingMs.get(name) ?? nowMs;
    missingMs.set(name, sinceMs);
    const goneMs = nowMs - sinceMs;
    // The copy may be late: before anybody is taken away the API itself is asked.
    if (goneMs >= quarantineMs && (await isThere(name))) return undefined;
    return { kind: 'node', pods: podsOn(name), goneMs };
  };
  const isThere = async (name: string): Promise<boolean> => {
    try {
      await client.get<Node>(nodesRef, undefined, name);
      return true;
    } catch (error) {
      if (isError(error, 'notFound')) return false;
      throw error;
    }
  };
  return {
    name: 'pod-garbage-collector',
    watches: [
      watch<Node>(informers, nodesRef, ({ kind, key, object }) => {
        if (kind === 'deleted') return [`node/${key}`];
        missingMs.delete(key);
        return isOutOfService(object) ? [`out/${key}`] : [];
      }),
      watch<Pod>(informers, podsRef, ({ kind, key, object }) => {
        if (kind === 'deleted') return [];
        const { nodeName } = object.spec ?? {};
        if (isUnbound(object)) return [`pod/${key}`];
        const node = nodeName ? nodes.get(nodeName) : undefined;
        if (nodeName && node === undefined) return [`node/${nodeName}`];
        if (node !== undefined && isTerminating(object) && isOutOfService(node)) return [`out/${nodeName}`];
        return isFinished(object) && endedPods('ended').length > threshold ? ['ended'] : [];
      }),
    ],
    observe(key) {
      if (key === 'ended') return { kind: 'ended', pods: endedPods('ended'), threshold };
      const name = key.slice(key.indexOf('/') + 1);
      if (key.startsWith('pod/')) {
        const pod = pods.get(name);
        return pod !== undefined && isUnbound(pod) ? { kind: 'unbound', pod } : undefined;
      }
      if (key.startsWith('node/')) return ofMissing(name);
      const node = nodes.get(name);
      return node !== undefined && isOutOfService(node)
        ? { kind: 'outOfService', pods: podsOn(name).filter(isTerminating) }
        : undefined;
    },
    plan,
  };
}
