/**
 * Which room is held for whom: places of reservations, as pods that are not there. Pure; empty while nothing is reserved.
 *
 *   place held ─▶ stands in the snapshot as a pod of the highest priority ─ taken by a pod ─▶ the pod stands there, and what it leaves of the place ─ the pod
 *                                                                                                                          leaves ─▶ held again
 *
 * Invariant: a place is either in the snapshot or has a user who is (or is about to be): held room is never free for others.
 */
import type { Pod, Reservation } from '../../api/index.ts';
import { type LabelPredicate, labelPredicate } from '../../api/index.ts';
import { amountsOf } from '../demand.ts';
import type { Snapshot } from '../snapshot.ts';
import { placePrefix, reservationAnnotation } from './reserved.ts';

export interface Place {
  readonly key: string;
  readonly nodeName: string;
  /** The pod that has it. */
  user: string | undefined;
}

export interface Held {
  /** `namespace/name`. */
  readonly key: string;
  readonly uid: string;
  readonly name: string;
  readonly places: ReadonlyMap<string, Place>;
}

interface Entry extends Held {
  readonly namespace: string;
  /** What stands for a place that is held: nobody preempts it. */
  readonly pod: Pod;
  readonly selects: LabelPredicate | undefined;
  readonly since: string;
  readonly places: Map<string, Place>;
}

/** Above all that users and the system have. */
const priorityMax = 2 ** 31 - 1;

/** A place as a pod: `isHeld`, and nobody takes it away; else one that waits to be placed, and puts nobody out. */
export function placePod({ metadata, spec }: Reservation, isHeld: boolean): Pod {
  const { namespace, name, uid, creationTimestamp } = metadata;
  const { requests, labels, nodeSelector, affinity, tolerations, topologySpreadConstraints } = spec.template;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `${placePrefix}${name}`,
      namespace,
      uid,
      creationTimestamp,
      ...(labels === undefined ? {} : { labels }),
    },
    spec: {
      containers: [{ name: 'held', image: 'held', resources: { requests } }],
      ...(isHeld ? { priority: priorityMax } : { preemptionPolicy: 'Never' }),
      ...(nodeSelector === undefined ? {} : { nodeSelector }),
      ...(affinity === undefined ? {} : { affinity }),
      ...(tolerations === undefined ? {} : { tolerations }),
      ...(topologySpreadConstraints === undefined ? {} : { topologySpreadConstraints }),
    },
  } as Pod;
}

/** What a pod leaves of its place; undefined: nothing. */
function restOf(place: Pod, pod: Pod): Pod | undefined {
  const [whole, taken] = [amountsOf(place), amountsOf(pod)];
  const requests: Record<string, string> = {};
  const rest = (name: string, amount: number, unit = ''): void => {
    if (amount > 0) requests[name] = `${amount}${unit}`;
  };
  rest('cpu', whole.cpuMilli - taken.cpuMilli, 'm');
  rest('memory', whole.memoryBytes - taken.memoryBytes);
  rest('ephemeral-storage', whole.ephemeralBytes - taken.ephemeralBytes);
  for (const [name, amount] of whole.extended) rest(name, amount - (taken.extended.get(name) ?? 0));
  if (Object.keys(requests).length === 0) return undefined;
  const { spec } = place;
  const containers = [{ name: 'held', image: 'held', resources: { requests } }];
  // Nobody looks at it: it is there for what it takes.
  const { namespace, name, uid } = place.metadata;
  return { metadata: { namespace, name, uid }, spec: { priority: spec?.priority, containers } } as Pod;
}

export class HoldBook {
  readonly #held = new Map<string, Entry>();
  readonly #byNamespace = new Map<string, Entry[]>();
  readonly #placeOf = new Map<string, { readonly entry: Entry; readonly place: Place }>();

  get isEmpty(): boolean {
    return this.#held.size === 0;
  }

  get(key: string): Held | undefined {
    return this.#held.get(key);
  }

  /** From now on pods may use it. What it holds already stays. */
  open(reservation: Reservation): void {
    const { namespace = '', name = '', uid = '', creationTimestamp = '' } = reservation.metadata;
    const key = `${namespace}/${name}`;
    const before = this.#held.get(key);
    const { selector } = reservation.spec;
    const entry: Entry = {
      key,
      uid,
      name,
      namespace,
      pod: before?.pod ?? placePod(reservation, true),
      selects: selector === undefined ? undefined : labelPredicate(selector),
      since: creationTimestamp,
      places: before?.places ?? new Map(),
    };
    this.#held.set(key, entry);
    for (const place of entry.places.values())
      if (place.user !== undefined) this.#placeOf.set(place.user, { entry, place });
    const others = (this.#byNamespace.get(namespace) ?? []).filter((one) => one.key !== key);
    // Of several whose selector takes a pod the oldest is meant.
    others.push(entry);
    others.sort((a, b) => (a.since < b.since ? -1 : a.since > b.since ? 1 : a.key < b.key ? -1 : 1));
    this.#byNamespace.set(namespace, others);
  }

  /** All that nobody uses is free; who uses a place stays. */
  close(key: string, snapshot: Snapshot): void {
    const entry = this.#held.get(key);
    if (entry === undefined) return;
    for (const place of [...entry.places.values()]) this.dropPlace(key, place.key, snapshot);
    this.#held.delete(key);
    const others = (this.#byNamespace.get(entry.namespace) ?? []).filter((one) => one !== entry);
    if (others.length === 0) this.#byNamespace.delete(entry.namespace);
    else this.#byNamespace.set(entry.namespace, others);
  }

  addPlace(key: string, placeKey: string, nodeName: string, snapshot: Snapshot): void {
    const entry = this.#held.get(key);
    if (entry === undefined) return;
    entry.places.set(placeKey, { key: placeKey, nodeName, user: undefined });
    snapshot.addPod(placeKey, entry.pod, nodeName);
  }

  dropPlace(key: string, placeKey: string, snapshot: Snapshot): void {
    const entry = this.#held.get(key);
    const place = entry?.places.get(placeKey);
    if (entry === undefined || place === undefined) return;
    entry.places.delete(placeKey);
    snapshot.removePod(placeKey);
    if (place.user !== undefined) this.#placeOf.delete(place.user);
  }

  /** The reservation that a pod may use; `isOnly`: it wants no other room. Undefined: it may use none. */
  of({ metadata }: Pod): { readonly held: Held; readonly isOnly: boolean } | undefined {
    const { namespace, labels, annotations } = metadata;
    const named = annotations?.[reservationAnnotation];
    if (named !== undefined) {
      const held = this.#held.get(`${namespace}/${named}`);
      return held === undefined ? undefined : { held, isOnly: true };
    }
    const held = this.#byNamespace.get(namespace ?? '')?.find(({ selects }) => selects?.(labels) === true);
    return held === undefined ? undefined : { held, isOnly: false };
  }

  /** The pod stands where the place stood, or is about to; of the place only what it does not need. */
  take(key: string, placeKey: string, podKey: string, pod: Pod, snapshot: Snapshot): void {
    const entry = this.#held.get(key);
    const place = entry?.places.get(placeKey);
    if (entry === undefined || place === undefined || place.user !== undefined) return;
    snapshot.removePod(placeKey);
    place.user = podKey;
    this.#placeOf.set(podKey, { entry, place });
    const rest = restOf(entry.pod, pod);
    if (rest !== undefined) snapshot.addPod(placeKey, rest, place.nodeName);
  }

  /** The key of the reservation whose place a pod has. */
  usedBy(podKey: string): string | undefined {
    return this.#placeOf.get(podKey)?.entry.key;
  }

  /** It has a place: its room is nobody else's, whoever is more important. */
  hasPlace(podKey: string): boolean {
    return this.#placeOf.size > 0 && this.#placeOf.has(podKey);
  }

  /** A pod is placed no more: what it had is held again, at once. Called by the snapshot. */
  left(podKey: string, snapshot: Snapshot): void {
    const found = this.#placeOf.get(podKey);
    if (found === undefined) return;
    this.#placeOf.delete(podKey);
    const { entry, place } = found;
    place.user = undefined;
    snapshot.addPod(place.key, entry.pod, place.nodeName);
  }

  /** A pod stands elsewhere now than where its place is: somebody else has bound it. */
  moved(podKey: string, nodeName: string, snapshot: Snapshot): void {
    if ((this.#placeOf.get(podKey)?.place.nodeName ?? nodeName) !== nodeName) this.left(podKey, snapshot);
  }

  /** One free place of each node, by node. */
  free(key: string): ReadonlyMap<string, string> {
    const found = new Map<string, string>();
    for (const { key: placeKey, nodeName, user } of this.#held.get(key)?.places.values() ?? [])
      if (user === undefined && !found.has(nodeName)) found.set(nodeName, placeKey);
    return found;
  }
}
