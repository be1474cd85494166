/** The pod garbage collector. Decisions are in `plan.ts`. Keys: `node/NAME`, `pod/NAMESPACE/NAME`, `ended`. */
import type { Node, Pod } from '../../api/index.ts';
import type { Informers } from '../../client/index.ts';
import type { Clock } from '../../lib/index.ts';
import { isFinished, isTerminating } from '../pod-state.ts';
import { nodesRef, podsRef } from '../resources.ts';
import { type Controller, watch } from '../shell.ts';
import { type Observed, plan } from './plan.ts';

export function podGarbageController(
  informers: Informers,
  clock: Clock,
  threshold = 12_500,
): Controller<Observed> {
  const nodes = informers.informer<Node>(nodesRef);
  const pods = informers.informer<Pod>(podsRef);
  const podsOn = pods.index('node', (pod) => (pod.spec?.nodeName ? [pod.spec.nodeName] : []));
  const endedPods = pods.index('ended', (pod) => (isFinished(pod) ? ['ended'] : []));
  /** Since when (monotonic) a node that pods name is missing. */
  const missingMs = new Map<string, number>();
  const isUnbound = (pod: Pod): boolean => !pod.spec?.nodeName && isTerminating(pod);
  return {
    name: 'pod-garbage-collector',
    watches: [
      watch<Node>(informers, nodesRef, ({ kind, key }) => {
        if (kind !== 'deleted') missingMs.delete(key);
        return kind === 'deleted' ? [`node/${key}`] : [];
      }),
      watch<Pod>(informers, podsRef, ({ kind, key, object }) => {
        if (kind === 'deleted') return [];
        const { nodeName } = object.spec ?? {};
        if (isUnbound(object)) return [`pod/${key}`];
        if (nodeName && nodes.get(nodeName) === undefined) return [`node/${nodeName}`];
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
      const stranded = podsOn(name);
      if (nodes.get(name) !== undefined || stranded.length === 0) {
        missingMs.delete(name);
        return undefined;
      }
      const nowMs = clock.monotonicMs();
      const sinceMs = missingMs.get(name) ?? nowMs;
      missingMs.set(name, sinceMs);
      return { kind: 'node', pods: stranded, goneMs: nowMs - sinceMs };
    },
    plan,
  };
}
