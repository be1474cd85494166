/**
 * The node life cycle controller. Decisions are in `plan.ts`.
 *
 * Leases are renewed often and mean nothing but "still here": a renewal only notes the time by our own clock, so that neither clock
 * differences between machines nor a pause of ourselves count as silence of a node.
 */
import type { Lease, Node, Pod } from '../../api/index.ts';
import type { Change, Informers } from '../../client/index.ts';
import type { Clock } from '../../lib/index.ts';
import { isActive } from '../pod-state.ts';
import { leasesRef, nodesRef, podsRef } from '../resources.ts';
import { type Controller, watch } from '../shell.ts';
import { idOf, noExecute, waitingPods } from './evictions.ts';
import { type Observed, patienceWith, plan, readyStatus } from './plan.ts';
import { ZoneBook, zoneOf } from './zones.ts';

const leaseNamespace = 'kube-node-lease';
/** A node that was made this long ago is not told of as new: it is we who are. */
const newMs = 30_000;
/** A watch of leases that is younger than this may not have brought yet what was missed. */
const watchYoungMs = 2_000;

export function nodeController(informers: Informers, clock: Clock): Controller<Observed> {
  const nodes = informers.informer<Node>(nodesRef);
  const leases = informers.informer<Lease>(leasesRef);
  const pods = informers.informer<Pod>(podsRef);
  const podsOn = pods.index('node', (pod) => (pod.spec?.nodeName ? [pod.spec.nodeName] : []));
  /** When (monotonic) each node was last heard of. */
  const heardMs = new Map<string, number>();
  const zones = new ZoneBook();
  const fresh = new Set<string>();
  const gone = new Map<string, Node>();
  /** By node: pods that were to be evicted later when it was last looked at. */
  const waiting = new Map<string, ReadonlySet<string>>();
  /** By node: when its taints were first seen; users write them without a time. */
  const seen = new Map<string, ReadonlyMap<string, number>>();
  const seenOn = (node: Node, name: string): ReadonlyMap<string, number> => {
    const before = seen.get(name);
    const after = new Map<string, number>();
    for (const taint of noExecute(node.spec?.taints))
      if (taint.timeAdded === undefined) after.set(idOf(taint), before?.get(idOf(taint)) ?? clock.nowMs());
    if (after.size === 0) seen.delete(name);
    else seen.set(name, after);
    return after;
  };

  /** While it is we who cannot hear, nobody's silence grows to be too long (found by simulation: a node whose lease we missed was called lost, and wrote against it). */
  const silenceOf = (node: Node, name: string): number => {
    const nowMs = clock.monotonicMs();
    const silentMs = nowMs - (heardMs.get(name) ?? nowMs);
    const { followingSinceMs = nowMs } = leases;
    return nowMs - followingSinceMs >= watchYoungMs
      ? silentMs
      : Math.min(silentMs, patienceWith(node) - watchYoungMs);
  };

  const isReady = (node: Node): boolean => readyStatus(node.status?.conditions ?? []) === 'True';
  const onNode = (change: Change<Node>): Iterable<string> => {
    const { key, kind, object } = change;
    const nowMs = clock.monotonicMs();
    const wasAnyReady = zones.isAnyReady;
    const again = zones.note(key, zoneOf(object), kind === 'deleted' ? undefined : isReady(object));
    if (kind === 'deleted') {
      heardMs.delete(key);
      waiting.delete(key);
      seen.delete(key);
      gone.set(key, object);
    } else if (kind === 'added') {
      heardMs.set(key, nowMs);
      if (clock.nowMs() - Date.parse(object.metadata.creationTimestamp ?? '') < newMs) fresh.add(key);
    }
    // Only a node itself says that it is ready: it has been heard of, even where its lease has not come through. Otherwise both would write against each
    // other as fast as they can (found by simulation).
    else if (isHeartbeat(object, change.previous)) heardMs.set(key, nowMs);
    if (wasAnyReady === zones.isAnyReady) return [key, ...again];
    // The first ready one, or the last one lost: what is evicted changes everywhere. When we hear again, everybody has the whole grace to be heard.
    if (zones.isAnyReady) for (const name of zones.names()) heardMs.set(name, nowMs);
    return [...zones.names(), key];
  };
  const isHeartbeat = (node: Node, previous: Node): boolean => {
    if (isReady(node) && !isReady(previous)) return true;
    const beatOf = ({ status }: Node): string | undefined =>
      status?.conditions?.find(({ type }) => type === 'Ready')?.lastHeartbeatTime;
    const beat = beatOf(node);
    return beat !== undefined && beat !== beatOf(previous) && beatOf(previous) !== undefined;
  };
  const onLease = ({ kind, object }: Change<Lease>): readonly string[] => {
    const { name = '' } = object.metadata;
    if (kind === 'deleted' || object.metadata.namespace !== leaseNamespace) return [];
    const node = nodes.get(name);
    if (node === undefined) return [];
    const silentMs = clock.monotonicMs() - (heardMs.get(name) ?? 0);
    heardMs.set(name, clock.monotonicMs());
    return silentMs < patienceWith(node) ? [] : [name];
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
        return node !== undefined && (isTainted || !isReady(node)) ? [nodeName] : [];
      }),
    ],
    observe(name) {
      const node = nodes.get(name);
      const removed = gone.get(name);
      gone.delete(name);
      if (node === undefined) return removed === undefined ? undefined : { kind: 'gone', node: removed };
      const nowMs = clock.monotonicMs();
      const all = podsOn(name);
      const before = waiting.get(name);
      const taintsSeen = seenOn(node, name);
      const later = waitingPods(all, node.spec?.taints ?? [], clock.nowMs(), taintsSeen);
      if (later.size === 0) waiting.delete(name);
      else waiting.set(name, later);
      const isNoTaint = !node.spec?.taints?.some(({ effect }) => effect === 'NoExecute');
      return {
        kind: 'present',
        node,
        isNew: fresh.delete(name),
        pods: all,
        spared:
          before === undefined || !isNoTaint
            ? []
            : all.filter((pod) => before.has(pod.metadata.uid ?? '') && isActive(pod)),
        seen: taintsSeen,
        silentMs: silenceOf(node, name),
        isAnyReady: zones.isAnyReady,
        turn: () => zones.turn(name, nowMs),
      };
    },
    plan,
  };
}
