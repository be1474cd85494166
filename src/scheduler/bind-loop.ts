/**
 * The scheduler as a program: follows pods and nodes, plans what waits, has it bound, and tells why when nothing fits. A thin shell.
 *
 *   pods, nodes (informers) ─▶ snapshot ┐
 *   pods without a node ─▶ queue/ ──────┴─▶ plan ─▶ binder ─▶ assumed until the informer confirms
 *                             ▲               └─▶ wait: condition, event ─▶ set aside ─┐
 *                             └──────────── something changed, or time has passed ◀────┘
 *
 * Invariant: a pod is planned only when no binding of it is under way.
 */
import { type Pod, pods as podsRef } from '../api/index.ts';
import {
  type Change,
  type Client,
  createEventRecorder,
  type EventRecorder,
  type Informers,
} from '../client/index.ts';
import { type Clock, formatTime, type Log, NewestMap, type Random } from '../lib/index.ts';
import { Binder, type Office } from './binder.ts';
import { ClaimBinding } from './claims/claim-binding.ts';
import { claimRefusals } from './claims/claim-book.ts';
import { ClusterView, type Fate } from './cluster-view.ts';
import { demandOf } from './demand.ts';
import { about, type EvictionOptions, makeRoom } from './eviction.ts';
import { type Explanation, explanationOf } from './explanation.ts';
import { startFairness } from './fairness/fair-part.ts';
import { planRoom } from './fairness/plan-room.ts';
import { startGangs } from './gangs/gang-part.ts';
import { Together } from './gangs/together.ts';
import { alsoVictims } from './gangs/whole-victims.ts';
import { plan, type Step, waitMessage } from './plan.ts';
import type { Preemption } from './preemption.ts';
import type { Refusal } from './queue/aside-pods.ts';
import type { Hold, PartHost, RoomInQueue, SchedulerPart, StartPart } from './queue/part.ts';
import { PodQueue } from './queue/pod-queue.ts';
import { PriorityOrder } from './queue/priority-order.ts';
import { rankNodes } from './ranked-nodes.ts';
import { gangRemediesOf, remediesOf } from './remedies/index.ts';
import { startReservations } from './reservations/reservation-part.ts';
import { isPlace } from './reservations/reserved.ts';
import { defaultPolicy, type Policy } from './scores.ts';
import { Snapshot } from './snapshot.ts';
import { type ProfileSources, startProfiles } from './strategies/profile-part.ts';
import { ToldReasons } from './told-reasons.ts';
import { VolumeBinding } from './volume-binding.ts';

export interface SchedulerOptions {
  readonly client: Client;
  readonly informers: Informers;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly schedulerName?: string;
  readonly policy?: Policy;
  /** What the program gives to profiles: custom scores that are functions, usage of nodes. */
  readonly sources?: ProfileSources;
  /** Features that have a say in what is planned and when; default: all that there are. */
  readonly parts?: readonly StartPart[];
  /** Where several may schedule: the one that was elected acts, in the name of its term. Default: there is no other. */
  readonly office?: Office;
}

export interface Scheduler {
  stop(): void;
  /** The last decision about a pod (`namespace/name`), while it is remembered. */
  explain(podKey: string): Explanation | undefined;
}

const batchMax = 1000;
const rememberedMax = 10_000;
/** Even when nothing was seen to change, a pod that waits is tried again. */
const retryAllMs = 300_000;
/** How many bindings may be on their way to the API. */
const bindingsMax = 2000;
/** How long it may take, about, to plan and to ask for the bindings, before others have a turn. */
const turnMs = 40;
const batchMin = 16;
/** While so many pods are to be told why they wait, no more Events are made of it. */
const tellingMax = 2000;
/** A pod whose claims are not there or not bound is looked at once more after so long, before that is told: as a rule they are about to be. */
const claimsRestMs = 100;
/** One line for each feature: a gang waits for its members, tenants take turns. */
const allParts: readonly StartPart[] = [startGangs, startReservations, startFairness, startProfiles];

export function startScheduler(options: SchedulerOptions): Scheduler {
  const loop = new BindLoop(options);
  loop.start();
  return loop;
}

class BindLoop implements Scheduler {
  readonly #options: SchedulerOptions;
  readonly #snapshot = new Snapshot();
  readonly #events: EventRecorder;
  /** By the name of the scheduler in whose name something is told. */
  readonly #recorders = new Map<string, EventRecorder>();
  readonly #parts: readonly SchedulerPart[];
  readonly #policy: Policy;
  readonly #queue: PodQueue;
  readonly #binder: Binder;
  readonly #reasons: ToldReasons;
  readonly #decisions = new NewestMap<string, Explanation>(rememberedMax);
  readonly #volumes: VolumeBinding;
  readonly #claims: ClaimBinding;
  /** Whose claims were not ready, for the first time. */
  readonly #firstLooks = new Set<string>();
  readonly #view: ClusterView;
  #stopped = false;
  #sweep: { cancel(): void } | undefined;
  #batchSize = batchMax;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#events = this.#recorderOf(this.#name);
    const { clock, client, informers } = options;
    const snapshot = this.#snapshot;
    const events = (pod: Pod): EventRecorder => this.#recorderOf(pod.spec?.schedulerName ?? this.#name);
    this.#volumes = new VolumeBinding({
      clock,
      client,
      informers,
      snapshot,
      onChange: () => this.#queue.changed({ kind: 'volumes' }),
    });
    this.#claims = new ClaimBinding({
      ...options,
      snapshot,
      onChange: () => this.#queue.changed({ kind: 'devices' }),
    });
    this.#view = this.#viewOf(options);
    this.#binder = new Binder({
      ...options,
      snapshot,
      events,
      volumes: this.#volumes,
      deviceClaims: this.#claims,
      again: (podKey) => this.#again(podKey),
      onLess: () => this.#schedulePlan(),
      onLeft: (pod, row) => this.#queue.changed({ kind: 'left', row, pod }),
    });
    this.#reasons = new ToldReasons({ ...options, snapshot, why: (podKey) => this.#whyNot(podKey) });
    const host = this.#hostOf(options);
    this.#parts = (options.parts ?? allParts).map((start) => start(host));
    this.#policy =
      options.policy ?? this.#parts.find((part) => part.policy !== undefined)?.policy ?? defaultPolicy;
    const order = this.#parts.find((part) => part.order !== undefined)?.order ?? new PriorityOrder();
    const onReady = (): void => this.#schedulePlan();
    this.#queue = new PodQueue({ clock, snapshot, order, parts: this.#parts, onReady });
  }

  #hostOf({ client, informers, clock, random, log }: SchedulerOptions): PartHost {
    return {
      client,
      informers,
      clock,
      random,
      log,
      snapshot: this.#snapshot,
      events: this.#events,
      sources: this.#options.sources ?? {},
      reconsider: (keys) => {
        for (const { key, hold } of this.#queue.reconsider(keys)) this.#hold(key, hold);
        this.#schedulePlan();
      },
      tryAgain: (keys) => {
        if (keys === undefined) this.#queue.changed({ kind: 'anything' });
        else for (const key of keys) this.#again(key);
      },
      tell: (key, hold) => this.#hold(key, hold),
      offer: (key, pod) => {
        this.#queue.offer(key, pod);
        this.#schedulePlan();
      },
      withdraw: (key) => this.#queue.forget(key),
      isLeading: () => this.#options.office?.isHeld() !== false,
      hold: (until) => void this.#view.await(until),
    };
  }

  #recorderOf(name: string): EventRecorder {
    let recorder = this.#recorders.get(name);
    if (recorder === undefined) {
      recorder = createEventRecorder({ ...this.#options, component: name });
      this.#recorders.set(name, recorder);
    }
    return recorder;
  }

  get #name(): string {
    return this.#options.schedulerName ?? 'default-scheduler';
  }

  #viewOf({ informers }: SchedulerOptions): ClusterView {
    return new ClusterView({
      informers,
      snapshot: this.#snapshot,
      volumes: this.#volumes,
      deviceClaims: this.#claims,
      isHeard: () => this.#queue.asideSize > 0,
      changed: (change) => this.#queue.changed(change),
      before: (change) => {
        for (const part of this.#parts) part.onPod?.(change);
      },
      onPod: (change, fate) => this.#onPod(change, fate),
      onPlaceGone: (podKey) => this.#again(podKey),
      onKnown: () => this.#schedulePlan(),
    });
  }

  start(): void {
    this.#view.start();
    this.#sweepLater();
  }

  stop(): void {
    this.#stopped = true;
    this.#sweep?.cancel();
    this.#queue.stop();
    this.#volumes.stop();
    this.#claims.stop();
    this.#view.stop();
    for (const part of this.#parts) part.stop?.();
    this.#binder.stop();
    this.#reasons.stop();
    for (const one of this.#recorders.values()) one.stop();
  }

  explain(podKey: string): Explanation | undefined {
    const decided = this.#remembered(podKey);
    if (decided !== undefined && decided.decision !== 'waits') return decided;
    const pod = this.#options.informers.informer<Pod>(podsRef).get(podKey);
    if (pod === undefined || (pod.spec?.nodeName ?? '') !== '') return decided;
    const gates = pod.spec?.schedulingGates ?? [];
    const gang = this.#snapshot.gangs.gangOf(podKey);
    const held = gang === undefined ? undefined : this.#queue.held(podKey)?.hold.message;
    if (decided === undefined && gates.length === 0 && held === undefined) return undefined;
    const at = formatTime(this.#options.clock.nowMs());
    const { nodeCount: nodes } = this.#snapshot;
    const message = held ?? 'Scheduling is blocked due to non-empty scheduling gates';
    const waits = decided ?? { decision: 'waits', at, nodes, refused: {}, message };
    const ofGang = gang && gangRemediesOf(this.#snapshot, gang, this.#policy);
    return { ...waits, remedies: ofGang ?? remediesOf(this.#snapshot, pod) };
  }

  #remembered(podKey: string): Explanation | undefined {
    const known = this.#decisions.get(podKey);
    if (known !== undefined) return this.#withRanked(podKey, known);
    const refusal = this.#queue.refusalOf(podKey);
    return refusal && explanationOf(refusal, formatTime(this.#options.clock.nowMs()), undefined);
  }

  /** What it could have instead: worked out for who asks. */
  #withRanked(podKey: string, known: Explanation): Explanation {
    const pod = known.decision === 'bound' ? this.#snapshot.placed(podKey)?.pod : undefined;
    const ranked = pod && rankNodes(this.#snapshot, podKey, pod, this.#policy);
    return ranked === undefined || known.decision !== 'bound' ? known : { ...known, ranked };
  }

  #whyNot(podKey: string): (Hold & { readonly pod: Pod }) | undefined {
    const held = this.#queue.held(podKey);
    if (held !== undefined) return { ...held.hold, pod: held.pod };
    const pod = this.#queue.aside(podKey);
    const refusal = this.#queue.refusalOf(podKey);
    return pod && refusal && { reason: 'Unschedulable', message: messageOf(refusal), pod };
  }

  #onPod({ key, object }: Change<Pod>, fate: Fate): void {
    if (fate === 'over') {
      this.#volumes.cancel(key);
      this.#claims.cancel(key);
    }
    if (fate !== 'waiting' || !this.#isOurs(object)) {
      this.#forget(key);
      return;
    }
    if (this.#binder.isBinding(key)) return;
    // Made before this scheduler was started; its own are known.
    const { nominatedNodeName: nominated = '' } = object.status ?? {};
    if (nominated !== '' && !this.#snapshot.nominations.has(key))
      this.#snapshot.nominations.set(key, { pod: object, nodeName: nominated });
    const aside = this.#queue.aside(key);
    if (aside !== undefined && sameAsk(aside, object)) this.#queue.keepAside(key, object);
    else this.#offer(key, object);
  }

  #offer(key: string, pod: Pod): void {
    const hold = this.#queue.offer(key, pod);
    if (hold === undefined) this.#schedulePlan();
    else this.#hold(key, hold);
  }

  /** It is not planned until a part has it so. */
  #hold(key: string, hold: Hold): void {
    for (const part of this.#parts) part.told?.(key, hold);
    if (isPlace(key)) return;
    const { message } = hold;
    const at = formatTime(this.#options.clock.nowMs());
    const { nodeCount: nodes } = this.#snapshot;
    this.#decisions.set(key, { decision: 'waits', at, nodes, refused: {}, message });
    this.#reasons.tell(key);
  }

  #isOurs(pod: Pod): boolean {
    const name = pod.spec?.schedulerName ?? 'default-scheduler';
    return (
      (name === this.#name || this.#parts.some((part) => part.schedules?.(name) === true)) &&
      pod.metadata.deletionTimestamp === undefined &&
      (pod.spec?.schedulingGates?.length ?? 0) === 0
    );
  }

  #forget(key: string): void {
    this.#queue.forget(key);
    this.#firstLooks.delete(key);
    this.#snapshot.nominations.delete(key);
    this.#binder.forget(key);
  }

  #sweepLater(): void {
    this.#sweep = this.#options.clock.after(retryAllMs, () => {
      this.#queue.changed({ kind: 'anything' });
      this.#sweepLater();
    });
  }

  #timer = false;

  #schedulePlan(): void {
    if (!this.#view.isKnown || this.#stopped) return;
    if (this.#timer || this.#queue.size === 0) return;
    this.#timer = true;
    // After the events of this turn: a burst of pods is one plan.
    this.#options.clock.after(0, () => {
      this.#timer = false;
      if (!this.#stopped && this.#view.isKnown) this.#planBatch();
    });
  }

  #planBatch(): void {
    // The API is behind: the next binding that is answered lets it go on.
    if (this.#binder.asked >= bindingsMax) return;
    const { clock, office } = this.#options;
    if (office?.isHeld() === false) return;
    const beganMs = clock.monotonicMs();
    const { pods, refused } = this.#queue.take(this.#batchSize);
    for (const { pod, refusal } of refused) {
      this.#decided(refusal, pod);
      if (!isPlace(refusal.podKey)) this.#tellRefusal(refusal, pod);
    }
    const podOf = new Map(pods.map(({ key, pod }) => [key, pod]));
    const together = new Together(this.#snapshot);
    const steps = plan(this.#snapshot, pods, this.#policy);
    for (const step of steps) {
      const pod = podOf.get(step.podKey);
      if (pod === undefined) continue;
      this.#decided(step, pod);
      if (isPlace(step.podKey)) {
        if (step.kind === 'wait') this.#queue.setAside(step.podKey, pod, step);
      } else if (step.kind === 'bind') {
        this.#queue.placed(step.podKey);
        this.#tellTaken(step.nodeName, pod);
        if (!together.add(step, pod)) this.#binder.bind(step, pod);
      } else this.#setAside(step, pod);
    }
    for (const [bindings, least] of together.gangs()) this.#binder.bindTogether(bindings, least);
    for (const part of this.#parts) for (const room of part.limited?.() ?? []) this.#makeRoomInQueue(room);
    this.#pace(pods.length, clock.monotonicMs() - beganMs);
    this.#schedulePlan();
  }

  /** Among tenants nobody may have a place that is kept, however important he is: he is asked when it is taken. */
  #tellTaken(nodeName: string, { status }: Pod): void {
    if (this.#snapshot.tenants === undefined || (status?.nominatedNodeName ?? '') === '') return;
    const row = this.#snapshot.rowOf(nodeName);
    if (row !== undefined) this.#queue.changed({ kind: 'taken', row });
  }

  /** There may be room on nodes, but the queue is at its limit: others of it go, who are less important. */
  #makeRoomInQueue(room: RoomInQueue): void {
    const found = planRoom(this.#snapshot, room, this.#policy);
    if (found.steps === undefined) {
      room.denied(found.why);
      return;
    }
    room.granted(found.message);
    room.pods.forEach(({ key, pod }, index) => {
      const step = found.steps[index];
      if (step === undefined) return;
      this.#decided(step, pod);
      this.#queue.offer(key, pod);
      if (isPlace(key)) return;
      this.#tellRefusal(step, pod);
    });
    const [first] = room.pods;
    const chosen = found.steps[0]?.preemption;
    if (first === undefined || chosen?.kind !== 'chosen') return;
    void this.#makeRoom(first.pod, chosen, () => {
      // Somebody stays: it is found out anew who has to go.
      for (const { key } of room.pods) {
        this.#snapshot.nominations.delete(key);
        this.#binder.againLater(key);
      }
    });
  }

  /** So many at a time that it takes about as long as it may. */
  #pace(planned: number, tookMs: number): void {
    if (tookMs > turnMs) this.#batchSize = Math.max(batchMin, Math.floor((planned * turnMs) / tookMs));
    else if (planned >= this.#batchSize) this.#batchSize = Math.min(batchMax, 2 * this.#batchSize);
  }

  #decided(step: Step, pod: Pod): void {
    this.#remember(step);
    for (const part of this.#parts) part.decided?.(step, pod);
  }

  /** As the informer has it now: it may be bound or gone. */
  #again(podKey: string): void {
    const pod = this.#options.informers.informer<Pod>(podsRef).get(podKey);
    if (this.#stopped || pod === undefined || (pod.spec?.nodeName ?? '') !== '' || !this.#isOurs(pod)) return;
    if (!this.#binder.isBinding(podKey)) this.#offer(podKey, pod);
  }

  #setAside(step: Step & { kind: 'wait' }, pod: Pod): void {
    const { podKey } = step;
    if (step.unresolved !== undefined && !this.#firstLooks.has(podKey)) {
      this.#firstLooks.add(podKey);
      this.#options.clock.after(claimsRestMs, () => this.#again(podKey));
      return;
    }
    this.#queue.setAside(podKey, pod, step);
    if (step.refused.has(claimRefusals.elsewhere)) void this.#claims.freeIdle(pod);
    if (step.preemption?.kind === 'chosen')
      void this.#makeRoom(pod, step.preemption, () => this.#binder.againLater(podKey));
    this.#tellRefusal(step, pod);
  }

  #tellRefusal(refusal: Refusal, pod: Pod): void {
    if (this.#reasons.size < tellingMax)
      this.#recorderOf(pod.spec?.schedulerName ?? this.#name).record({
        about: about(pod),
        type: 'Warning',
        reason: 'FailedScheduling',
        message: messageOf(refusal),
      });
    this.#reasons.tell(refusal.podKey);
  }

  async #makeRoom(pod: Pod, preemption: Preemption & { kind: 'chosen' }, onStay: () => void): Promise<void> {
    const { client, clock, log } = this.#options;
    const options: EvictionOptions = {
      client,
      clock,
      log,
      snapshot: this.#snapshot,
      events: this.#events,
      schedulerName: this.#name,
    };
    const victims = [...preemption.victims, ...alsoVictims(this.#snapshot, preemption.victims)];
    if (!(await makeRoom(options, pod, { ...preemption, victims })) && !this.#stopped) onStay();
  }

  #remember(step: Step): void {
    const at = formatTime(this.#options.clock.nowMs());
    this.#decisions.set(step.podKey, explanationOf(step, at, this.#decisions.get(step.podKey)));
  }
}

const messageOf = ({ nodes, refused, unresolved, preemption, note }: Refusal): string =>
  waitMessage(nodes, refused, unresolved, preemption, note);

const isSame = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a) === JSON.stringify(b);

/** Does a change of the pod leave what it asks as it was (a condition, say)? */
function sameAsk(a: Pod, b: Pod): boolean {
  return (
    a.metadata.uid === b.metadata.uid &&
    a.metadata.generation === b.metadata.generation &&
    isSame(a.spec, b.spec) &&
    isSame(a.status?.resourceClaimStatuses, b.status?.resourceClaimStatuses) &&
    // Labels, and annotations as far as they ask for something.
    ((a.metadata.labels === b.metadata.labels && a.metadata.annotations === b.metadata.annotations) ||
      demandOf(a).key === demandOf(b).key)
  );
}
