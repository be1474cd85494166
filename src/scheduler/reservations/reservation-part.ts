/**
 * Reservations in the running scheduler: has their places planned like pods, holds what was found, moves what is held on nodes that are no good any more, and
 * lets go when one is deleted or its time is over.
 *
 *   Reservation ─▶ places wanted ─▶ queue ─▶ plan ─ found ─▶ HoldBook ─▶ status
 *                       ▲                     └─ refused ─▶ status, with the reason; tried again as pods are, or not
 *                       └─ node gone or unsuitable, count changed
 *   pods with places (annotation held-by) ─▶ HoldBook: used
 *
 * Nothing is planned before reservations are known: what they hold is not free. After a restart what is held is as the status and the pods say.
 * Invariant: what is in the status was held before it was written there.
 */
import {
  durationNanoseconds,
  type Node,
  nodes as nodesRef,
  type Pod,
  pods as podsRef,
  type Reservation,
  reservations as reservationsRef,
} from '../../api/index.ts';
import type { Change } from '../../client/index.ts';
import { isError, sameJson, type Timer } from '../../lib/index.ts';
import { demandOf } from '../demand.ts';
import { staticRefusal } from '../filters.ts';
import { type Step, type WaitingPod, waitMessage } from '../plan.ts';
import type { Hold, PartHost, SchedulerPart } from '../queue/part.ts';
import type { Snapshot } from '../snapshot.ts';
import { type HoldBook, placePod } from './hold-book.ts';
import { heldByAnnotation, isPlace, placePrefix, reservationAnnotation } from './reserved.ts';
import { endMsOf, heldType, type Outcome, type Refusal, refusalOf, statusOf } from './standing.ts';

const toldAgainMs = 5000;
/** How often a scheduler that another one leads looks whether it has come to lead. */
const standbyMs = 1000;
/** Timers that are longer are set again. */
const timerMsMax = 2 ** 31 - 1;

/** What is known of a reservation beside what it holds. */
interface Course {
  reservation: Reservation;
  outcome: Outcome;
  refusal: Refusal | undefined;
  /** It once held all that it wants: what it loses is found again one by one. */
  wasWhole: boolean;
  /** Places that are to be planned, by key. */
  readonly wanted: Map<string, Pod>;
  nextPlace: number;
  /** Pods that may use it and found no place. */
  readonly hopefuls: Set<string>;
  end: Timer | undefined;
  isDirty: boolean;
  isTelling: boolean;
}

export class ReservationPart implements SchedulerPart {
  readonly name = 'reservations';
  readonly #host: PartHost;
  readonly #book: HoldBook;
  readonly #courses = new Map<string, Course>();
  readonly #courseOfPlace = new Map<string, Course>();
  /** Pods with places, by the reservation's uid. */
  readonly #users = new Map<string, Map<string, Pod>>();
  readonly #subscriptions: { cancel(): void }[] = [];
  #looking: Timer | undefined;
  #staticVersion = -1;
  /** Reservations, nodes and pods are all there: what is not there is gone. */
  #isKnown = false;
  #isStopped = false;

  constructor(host: PartHost) {
    this.#host = host;
    this.#book = host.snapshot.holds;
    host.hold(Promise.resolve().then(() => this.#follow()));
  }

  #follow(): Promise<unknown> {
    const { informers } = this.#host;
    const informer = informers.informer<Reservation>(reservationsRef);
    this.#subscriptions.push(
      informer.onChange((change) => this.#onReservation(change)),
      informers.informer<Node>(nodesRef).onChange(() => this.#onNode()),
    );
    const known = [informers.informer<Node>(nodesRef), informers.informer<Pod>(podsRef), informer];
    return Promise.all(known.map((one) => one.whenSynced())).then(() => {
      this.#isKnown = true;
      this.#lookLater();
    });
  }

  stop(): void {
    this.#isStopped = true;
    for (const one of this.#subscriptions) one.cancel();
    this.#looking?.cancel();
    for (const { end } of this.#courses.values()) end?.cancel();
  }

  #onReservation({ kind, key, object }: Change<Reservation>): void {
    const before = this.#courses.get(key);
    const isOther = before !== undefined && before.reservation.metadata.uid !== object.metadata.uid;
    if (before !== undefined && (kind === 'deleted' || isOther)) {
      this.#letGo(before);
      this.#courses.delete(key);
      this.#host.reconsider();
    }
    if (kind === 'deleted') return;
    const known = isOther ? undefined : before;
    if (known === undefined) this.#begin(key, object);
    else {
      // Another scheduler decides: what it says is so.
      if (!this.#host.isLeading()) {
        this.#letGo(known);
        this.#courses.delete(key);
        this.#begin(key, object);
        return;
      }
      const isChanged = !sameJson(known.reservation.spec, object.spec);
      known.reservation = object;
      if (!isChanged) return;
      if (known.outcome === 'refused') known.outcome = 'live';
      known.refusal = undefined;
      if (known.outcome === 'live') this.#book.open(object);
      this.#dirty(known);
    }
  }

  #begin(key: string, reservation: Reservation): void {
    const { phase, conditions = [], places = [] } = reservation.status ?? {};
    const course: Course = {
      reservation,
      outcome: phase === 'Expired' ? 'expired' : phase === 'Refused' ? 'refused' : 'live',
      refusal: undefined,
      wasWhole: conditions.some(({ type, status }) => type === heldType && status === 'True'),
      wanted: new Map(),
      nextPlace: 0,
      hopefuls: new Set(),
      end: undefined,
      isDirty: false,
      isTelling: false,
    };
    this.#courses.set(key, course);
    if (course.outcome === 'live') {
      this.#book.open(reservation);
      for (const { node, count } of places)
        for (let at = 0; at < count; at++)
          this.#book.addPlace(key, this.#placeKey(course), node, this.#host.snapshot);
      for (const [podKey, pod] of this.#users.get(reservation.metadata.uid ?? '') ?? [])
        this.#use(course, podKey, pod);
    }
    this.#dirty(course);
    this.#host.reconsider();
  }

  #placeKey(course: Course): string {
    const key = `${placePrefix}${keyOf(course)}/${course.nextPlace++}`;
    this.#courseOfPlace.set(key, course);
    return key;
  }

  /** The pod has a place there, as it says. */
  #use(course: Course, podKey: string, pod: Pod): void {
    const key = keyOf(course);
    if (this.#book.usedBy(podKey) !== undefined) return;
    const { nodeName = '' } = pod.spec ?? {};
    const { snapshot } = this.#host;
    let placeKey = this.#book.free(key).get(nodeName);
    if (placeKey === undefined) {
      // It was given before that was written: the pod knows better.
      placeKey = this.#placeKey(course);
      this.#book.addPlace(key, placeKey, nodeName, snapshot);
    }
    this.#book.take(key, placeKey, podKey, pod, snapshot);
  }

  onPod({ kind, key, object }: Change<Pod>): void {
    const uid = object.metadata.annotations?.[heldByAnnotation];
    if (uid === undefined) return;
    const { nodeName = '' } = object.spec ?? {};
    const { phase } = object.status ?? {};
    const users = this.#users.get(uid) ?? new Map<string, Pod>();
    const isThere = kind !== 'deleted' && nodeName !== '' && phase !== 'Succeeded' && phase !== 'Failed';
    if (isThere) users.set(key, object);
    else users.delete(key);
    if (users.size === 0) this.#users.delete(uid);
    else this.#users.set(uid, users);
    const course = this.#courseOf(object);
    if (course?.reservation.metadata.uid !== uid) return;
    if (isThere) this.#use(course, key, object);
    this.#dirty(course);
  }

  #courseOf(pod: Pod): Course | undefined {
    const may = this.#book.of(pod);
    return may === undefined ? undefined : this.#courses.get(may.held.key);
  }

  admits({ pod }: WaitingPod): Hold | undefined {
    const name = pod.metadata.annotations?.[reservationAnnotation];
    if (name === undefined) return undefined;
    const course = this.#courses.get(`${pod.metadata.namespace}/${name}`);
    const label = `Reservation ${JSON.stringify(name)}`;
    const reason = 'WaitingForReservation';
    if (course === undefined) return { reason, message: `waiting for ${label} to be created` };
    if (course.outcome === 'live') return undefined;
    return { reason, message: `${label} ${course.outcome === 'expired' ? 'has expired' : 'was refused'}` };
  }

  decided(step: Step, pod: Pod): void {
    if (this.#book.isEmpty) return;
    if (!isPlace(step.podKey)) {
      const course = this.#courseOf(pod);
      if (course === undefined) return;
      if (step.kind === 'wait') course.hopefuls.add(step.podKey);
      else if (step.heldBy !== undefined) this.#dirty(course);
      return;
    }
    const course = this.#courseOfPlace.get(step.podKey);
    const { snapshot } = this.#host;
    if (course === undefined) {
      snapshot.removePod(step.podKey);
      return;
    }
    if (step.kind === 'bind') {
      course.wanted.delete(step.podKey);
      this.#host.withdraw(step.podKey);
      this.#book.addPlace(keyOf(course), step.podKey, step.nodeName, snapshot);
    } else {
      const { nodes, refused, unresolved, note } = step;
      course.refusal = refusalOf(refused.keys(), waitMessage(nodes, refused, unresolved, undefined, note));
    }
    this.#dirty(course);
  }

  /** A queue refuses it. */
  told(key: string, { message }: Hold): void {
    const course = this.#courseOfPlace.get(key);
    if (course === undefined || course.refusal?.message === message) return;
    course.refusal = { reason: 'InsufficientCapacity', message };
    this.#dirty(course);
  }

  /** Labels and taints, or the set of nodes: places may be no good any more. */
  #onNode(): void {
    if (this.#courses.size === 0) return;
    this.#lookLater();
  }

  #dirty(course: Course): void {
    course.isDirty = true;
    this.#lookLater();
  }

  /** After the events of this moment. */
  #lookLater(restMs = 50): void {
    if (this.#isStopped) return;
    this.#looking ??= this.#host.clock.after(restMs, () => {
      this.#looking = undefined;
      if (!this.#isKnown) return;
      if (!this.#host.isLeading()) {
        this.#lookLater(standbyMs);
        return;
      }
      const { staticVersion } = this.#host.snapshot;
      const isMoved = staticVersion !== this.#staticVersion;
      this.#staticVersion = staticVersion;
      for (const course of [...this.#courses.values()])
        if (!this.#isStopped && (course.isDirty || isMoved)) this.#look(course);
    });
  }

  #look(course: Course): void {
    course.isDirty = false;
    const { clock } = this.#host;
    const endMs = this.#endMs(course);
    if (course.outcome !== 'expired' && endMs !== undefined && endMs <= clock.nowMs()) {
      this.#letGo(course);
      course.outcome = 'expired';
      this.#host.reconsider();
      this.#host.tryAgain();
    } else if (course.outcome === 'live') {
      this.#endLater(course, endMs);
      this.#mend(course);
    }
    this.#wakeHopefuls(course);
    // What becomes of a new one is about to be known.
    const isNew = course.reservation.status?.phase === undefined && course.refusal === undefined;
    if (!isNew || course.wanted.size === 0) void this.#tell(course);
  }

  #endMs({ reservation }: Course): number | undefined {
    return endMsOf(reservation, (text) => Number((durationNanoseconds(text) ?? 0n) / 1_000_000n));
  }

  #endLater(course: Course, endMs: number | undefined): void {
    const { clock } = this.#host;
    course.end?.cancel();
    course.end =
      endMs === undefined
        ? undefined
        : clock.after(Math.min(timerMsMax, endMs - clock.nowMs()), () => this.#dirty(course));
  }

  /** As many places as are wanted, on nodes that will do. */
  #mend(course: Course): void {
    const { snapshot } = this.#host;
    const key = keyOf(course);
    const { count, mode, whenRefused } = course.reservation.spec;
    const places = this.#book.get(key)?.places;
    if (places === undefined) return;
    const demand = demandOf(placePod(course.reservation, true));
    for (const { key: placeKey, nodeName, user } of [...places.values()]) {
      const row = snapshot.rowOf(nodeName);
      const isGood =
        row !== undefined && staticRefusal(demand, snapshot, row) === undefined && !isOverfull(snapshot, row);
      const isTooMany = places.size > count;
      if (user === undefined && (!isGood || isTooMany)) this.#drop(course, placeKey);
    }
    if (places.size >= count) {
      course.refusal = undefined;
      course.wasWhole = true;
    }
    if (
      whenRefused === 'Fail' &&
      course.refusal !== undefined &&
      course.wanted.size > 0 &&
      !course.wasWhole
    ) {
      this.#withdraw(course, course.wanted.size);
      if (places.size === 0) this.#letGo(course);
      course.outcome = 'refused';
      this.#host.reconsider();
      return;
    }
    const lack = count - places.size - course.wanted.size;
    if (lack < 0) this.#withdraw(course, -lack);
    else if (lack > 0) this.#want(course, lack);
    if (mode === 'Partial' || course.wasWhole) snapshot.gangs.removeRule(gangKey(course));
  }

  #drop(course: Course, placeKey: string): void {
    this.#book.dropPlace(keyOf(course), placeKey, this.#host.snapshot);
    this.#courseOfPlace.delete(placeKey);
    // Its room is for others now.
    this.#host.tryAgain();
  }

  #want(course: Course, lack: number): void {
    const { snapshot } = this.#host;
    const { reservation, wanted } = course;
    const pod = placePod(reservation, false);
    for (let at = 0; at < lack; at++) wanted.set(this.#placeKey(course), pod);
    if (reservation.spec.mode !== 'Partial' && !course.wasWhole) {
      const { name = '', creationTimestamp = '' } = reservation.metadata;
      snapshot.gangs.setRule(gangKey(course), `Reservation ${JSON.stringify(name)}`, 'places', {
        minCount: wanted.size,
        since: creationTimestamp,
        goesTogether: false,
        wasScheduled: false,
      });
      for (const [placeKey, one] of wanted) snapshot.gangs.join(gangKey(course), placeKey, one);
    }
    for (const [placeKey, one] of wanted) this.#host.offer(placeKey, one);
  }

  #withdraw(course: Course, count: number): void {
    for (const placeKey of [...course.wanted.keys()].slice(-count)) {
      course.wanted.delete(placeKey);
      this.#courseOfPlace.delete(placeKey);
      this.#host.snapshot.gangs.removePod(placeKey);
      this.#host.withdraw(placeKey);
    }
  }

  /** Nothing is held for it any more. Pods that have places keep them. */
  #letGo(course: Course): void {
    const { snapshot } = this.#host;
    const key = keyOf(course);
    this.#withdraw(course, course.wanted.size);
    for (const placeKey of this.#book.get(key)?.places.keys() ?? []) this.#courseOfPlace.delete(placeKey);
    this.#book.close(key, snapshot);
    snapshot.gangs.removeRule(gangKey(course));
    course.end?.cancel();
    this.#host.tryAgain();
  }

  #wakeHopefuls(course: Course): void {
    if (course.hopefuls.size === 0 || this.#book.free(keyOf(course)).size === 0) return;
    const keys = [...course.hopefuls];
    course.hopefuls.clear();
    this.#host.tryAgain(keys);
  }

  /** One write at a time, until what is there is what is so. */
  async #tell(course: Course): Promise<void> {
    if (course.isTelling) return;
    course.isTelling = true;
    const { client, clock, events, log } = this.#host;
    try {
      while (!this.#isStopped && this.#courses.get(keyOf(course)) === course) {
        const { reservation, outcome, refusal } = course;
        const held = this.#book.get(keyOf(course));
        const facts = { held, outcome, refusal, endMs: this.#endMs(course), nowMs: clock.nowMs() };
        const status = statusOf(reservation, facts);
        if (sameJson(reservation.status ?? {}, status)) return;
        const { namespace, name = '', uid, resourceVersion } = reservation.metadata;
        try {
          // Whole: what is not said any more goes.
          const patch = { metadata: { uid }, status: { expireTime: null, ...status } };
          const written = await client.patch<Reservation>(reservationsRef, namespace, name, 'merge', patch, {
            subresource: 'status',
          });
          // The informer may have told of a later one.
          if (course.reservation === reservation) course.reservation = written;
          const [before] = reservation.status?.conditions ?? [];
          const [now] = status.conditions ?? [];
          const isSaid = before?.reason === now?.reason && before?.message === now?.message;
          if (now !== undefined && !isSaid && (refusal !== undefined || status.phase !== 'Pending'))
            events.record({
              about: {
                apiVersion: 'scheduling.caelum.dev/v1',
                kind: 'Reservation',
                namespace,
                name,
                uid,
                resourceVersion,
              } as Parameters<typeof events.record>[0]['about'],
              type: status.phase === 'Pending' || status.phase === 'Refused' ? 'Warning' : 'Normal',
              reason: `Reservation${status.phase}`,
              message: now.message,
            });
        } catch (error) {
          if (isError(error, 'notFound')) return;
          log.warn('cannot tell how a reservation stands', { reservation: keyOf(course), error });
          await clock.sleep(toldAgainMs);
        }
      }
    } finally {
      course.isTelling = false;
    }
  }
}

export const startReservations = (host: PartHost): SchedulerPart => new ReservationPart(host);

/** Somebody has taken what was held: others than the scheduler bind pods, too, and nodes shrink. */
const isOverfull = ({ cpuFree, memoryFree, podsFree }: Snapshot, row: number): boolean =>
  [cpuFree, memoryFree, podsFree].some((free) => (free[row] ?? 0) < 0);

const keyOf = ({ reservation: { metadata } }: Course): string => `${metadata.namespace}/${metadata.name}`;
const gangKey = (course: Course): string => `${placePrefix}${keyOf(course)}`;
