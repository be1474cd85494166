/**
 * Fairness between tenants, as a part of the scheduler: follows queues and who is where, and tells what became of them.
 *
 *   queues (informer) ─▶ tree, membership ─┐
 *   pods ─▶ who has what, who waits ───────┼─▶ order (fair-order), victims (reclaim) ─▶ plan ─▶ decided ─▶ who has what
 *                                          └─▶ status of the queues, once in a while
 *
 * Without a queue it only looks out for the first one. Invariant: pods are counted from the moment on in which it is decided that they have a place.
 */
import {
  podDisruptionBudgets as budgetsRef,
  type Namespace,
  type Node,
  namespaces as namespacesRef,
  nodes as nodesRef,
  type Pod,
  type PodDisruptionBudget,
  pods as podsRef,
  type Queue,
  queues as queuesRef,
} from '../../api/index.ts';
import type { Change } from '../../client/index.ts';
import { formatTime, isError, sameJson } from '../../lib/index.ts';
import { about } from '../eviction.ts';
import type { Step } from '../plan.ts';
import { guardedByBudgets } from '../preemption.ts';
import type { PartHost, RoomInQueue, SchedulerPart } from '../queue/part.ts';
import { isPlace } from '../reservations/reserved.ts';
import { FairOrder, type LimitedUnit } from './fair-order.ts';
import { Membership } from './membership.ts';
import { ownVictims } from './own-victims.ts';
import { statusesOf } from './queue-status.ts';
import { TenantRule } from './reclaim.ts';
import { TenantOrder } from './tenant-order.ts';
import { Tenants } from './tenants.ts';

/** Statuses follow what happens by so long; and by so much longer for each that was written. */
const statusRestMs = 1000;
const statusCostMs = 20;
/** Of pods that are refused at the same time, so many get an Event. All get a condition. */
const eventsMax = 100;
/** For so many at a time it is found out whether less important pods of their queue can go; again after so long, when something has changed. */
const limitedMax = 16;
const roomRestMs = 1000;
/** As the reason of a pod's condition. */
const waitReason = 'WaitsInQueue';

export const startFairness = (host: PartHost): SchedulerPart => new FairPart(host);

class FairPart implements SchedulerPart {
  readonly name = 'fairness';
  readonly order: TenantOrder;
  readonly #host: PartHost;
  readonly #tenants = new Tenants();
  readonly #fair: FairOrder;
  readonly #rule: TenantRule;
  readonly #queues = new Map<string, Queue>();
  readonly #labels = new Map<string, Readonly<Record<string, string>>>();
  readonly #subscriptions: { cancel(): void }[] = [];
  #membership = new Membership([], () => undefined);
  #isChanged = false;
  #followsNamespaces = false;
  #followsOthers = false;
  #statusTimer: { cancel(): void } | undefined;
  #roomTimer: { cancel(): void } | undefined;
  #isTelling = false;
  #isMeasured = false;
  #stopped = false;

  constructor(host: PartHost) {
    this.#host = host;
    const { snapshot, informers } = host;
    this.#fair = new FairOrder(this.#tenants, (key) => snapshot.nominations.has(key), snapshot.gangs);
    this.#rule = new TenantRule(this.#tenants, this.#fair, snapshot);
    this.order = new TenantOrder(this.#fair);
    this.#fair.onReady = () => this.#host.reconsider([]);
    this.#fair.misnamed = (pod) => this.#membership.misnamed(pod);
    this.#fair.onRefused = () => this.#tellRefused();
    this.#tenants.devices.claimOf = (claimKey) => snapshot.deviceClaims.claim(claimKey);
    this.#fair.beforeTake = () => this.#measure();
    snapshot.deviceClaims.onDevices = () => this.#onNode();
    const queues = informers.informer<Queue>(queuesRef);
    this.#subscriptions.push(queues.onChange((change) => this.#onQueue(change)));
    host.hold(queues.whenSynced().then(() => this.#change()));
  }

  /** What the cloud has, and what pods count for whose claims were not known. */
  #measure(): void {
    this.#tenants.measure(this.#host.snapshot);
    this.#tenants.recountClaims();
  }

  stop(): void {
    this.#stopped = true;
    this.#statusTimer?.cancel();
    this.#roomTimer?.cancel();
    for (const one of this.#subscriptions) one.cancel();
  }

  #onQueue({ kind, key, object }: Change<Queue>): void {
    const before = this.#queues.get(key);
    if (kind === 'deleted') this.#queues.delete(key);
    else this.#queues.set(key, object);
    // What is written of it is no change of it.
    if (kind !== 'deleted' && before !== undefined && sameJson(before.spec, object.spec)) return;
    this.#changeSoon();
  }

  /** After the events of this turn: a tree is made of all of them. */
  #changeSoon(): void {
    if (this.#isChanged) return;
    this.#isChanged = true;
    this.#host.clock.after(0, () => {
      if (this.#isChanged && !this.#stopped) this.#change();
    });
  }

  #change(): void {
    this.#isChanged = false;
    const { snapshot } = this.#host;
    const isActive = this.#queues.size > 0;
    if (!isActive && !this.order.isFair) return;
    this.#membership = new Membership(this.#queues.values(), (namespace) => this.#labels.get(namespace));
    if (!isActive) {
      this.order.useFair(false);
      this.#tenants.clear();
      snapshot.tenants = undefined;
    } else {
      this.#follow();
      const membership = this.#membership;
      this.#tenants.setQueues(this.#queues.values(), (pod) => membership.queueOf(pod));
      if (!this.order.isFair) this.#begin();
      else this.#fair.rebuild();
      this.#measure();
    }
    // Whoever waits may go on now, for whatever reason.
    this.#host.tryAgain();
    this.#host.reconsider([]);
    this.#tellSoon();
  }

  #begin(): void {
    const { informers, snapshot } = this.#host;
    for (const pod of informers.informer<Pod>(podsRef).list()) this.#see(keyOf(pod), pod);
    // Bound by us, and not heard of yet.
    for (let row = 0; row < snapshot.rows; row++)
      for (const [key, pod] of snapshot.placedOn(row)) this.#tenants.count(key, pod, false);
    snapshot.tenants = this.#rule;
    this.order.useFair(true);
  }

  #follow(): void {
    const { informers, snapshot } = this.#host;
    if (!this.#followsOthers) {
      this.#followsOthers = true;
      // Who was refused for what the cloud does not have may go on when it has more.
      const nodes = informers.informer<Node>(nodesRef);
      this.#subscriptions.push(nodes.onChange(() => this.#onNode()));
      const budgets = informers.informer<PodDisruptionBudget>(budgetsRef);
      this.#subscriptions.push(
        budgets.onChange(({ kind, key, object }) => {
          if (kind === 'deleted') snapshot.budgets.delete(key);
          else snapshot.budgets.set(key, object);
          this.#lookForRoomSoon();
        }),
      );
      this.#host.hold(budgets.whenSynced());
    }
    if (this.#followsNamespaces || !this.#membership.selects) return;
    this.#followsNamespaces = true;
    const namespaces = informers.informer<Namespace>(namespacesRef);
    this.#subscriptions.push(namespaces.onChange((change) => this.#onNamespace(change)));
    this.#host.hold(namespaces.whenSynced());
  }

  /** The scheduler itself hears of it at the same time, before or after. */
  #onNode(): void {
    if (!this.order.isFair || this.#isMeasured) return;
    this.#isMeasured = true;
    this.#host.clock.after(0, () => {
      this.#isMeasured = false;
      if (!this.order.isFair || this.#stopped) return;
      this.#measure();
      this.#lookForRoomSoon();
    });
  }

  #onNamespace({ kind, key, object }: Change<Namespace>): void {
    const { labels = {} } = object.metadata;
    const before = this.#labels.get(key);
    if (kind === 'deleted') this.#labels.delete(key);
    else this.#labels.set(key, labels);
    if (kind === 'deleted' || !sameJson(before, labels)) this.#changeSoon();
  }

  onPod({ kind, key, object }: Change<Pod>): void {
    if (!this.order.isFair) return;
    if (kind === 'deleted') this.#gone(key);
    else this.#see(key, object);
    this.#tellSoon();
    this.#lookForRoomSoon();
  }

  #see(key: string, pod: Pod): void {
    const { phase } = pod.status ?? {};
    if (phase === 'Succeeded' || phase === 'Failed') this.#gone(key);
    else if ((pod.spec?.nodeName ?? '') !== '') {
      this.#tenants.unwait(key);
      this.#tenants.count(key, pod, true);
    } else this.#tenants.wait(key, pod);
  }

  #gone(key: string): void {
    this.#tenants.unwait(key);
    this.#tenants.uncount(key);
  }

  decided(step: Step, pod: Pod): void {
    if (!this.order.isFair) return;
    const { podKey } = step;
    this.#fair.settle(podKey);
    this.#rule.note(step);
    if (step.kind === 'bind' || this.#host.snapshot.nominations.has(podKey)) {
      this.#tenants.count(podKey, pod, false);
      return;
    }
    this.#tenants.uncount(podKey);
    this.#fair.returned(this.#tenants.leafOf(pod));
  }

  /** It is held: what was kept for it is given up. */
  told(key: string): void {
    const { snapshot } = this.#host;
    const count = this.order.isFair ? this.#tenants.countOf(key) : undefined;
    if (count === undefined || count.isPlaced || snapshot.nominations.has(key)) return;
    if (snapshot.placed(key) === undefined) this.#tenants.uncount(key);
  }

  *limited(): Iterable<RoomInQueue> {
    if (!this.order.isFair) return;
    const { snapshot } = this.#host;
    for (const unit of this.#fair.takeLimited(limitedMax)) {
      const going = this.#rule.stillGoing();
      const budgets = [...snapshot.budgets.values()];
      const isKept = (key: string): boolean =>
        snapshot.placed(key) === undefined || snapshot.nominations.has(key) || snapshot.holds.hasPlace(key);
      const limited = { asks: unit.pods, priority: unit.priority, budgets, going, isKept };
      yield {
        pods: unit.pods.map(({ waiting }) => waiting),
        message: unit.refusal.message,
        because: `making room in ${queueName(unit)}, which is at its limit, for a pod of higher priority`,
        victims: (gone) => ownVictims(this.#tenants, limited, gone),
        mayGo: (victims) => guardedByBudgets([...going, ...victims], budgets).size === 0,
        granted: (message) => this.#fair.promise(unit, message),
        denied: (why) => this.#fair.unhelped(unit, why),
      };
    }
  }

  /** Pods, nodes or budgets are otherwise: some who were refused by a limit may have others go for them now. At rest nothing is looked at. */
  #lookForRoomSoon(): void {
    if (!this.#fair.mayLookForRoom || this.#roomTimer !== undefined || this.#stopped) return;
    this.#roomTimer = this.#host.clock.after(roomRestMs, () => {
      this.#roomTimer = undefined;
      if (this.order.isFair && !this.#stopped) this.#fair.lookForRoom(limitedMax);
    });
  }

  #tellRefused(): void {
    let told = 0;
    for (const { waiting, message } of this.#fair.takeUntold()) {
      const { key, pod } = waiting;
      this.#host.tell(key, { reason: waitReason, message });
      // A place of a reservation: who it is for tells it.
      if (isPlace(key)) continue;
      if (told++ < eventsMax)
        this.#host.events.record({ about: about(pod), type: 'Warning', reason: 'FailedScheduling', message });
    }
  }

  #tellSoon(restMs = statusRestMs): void {
    if (this.#stopped || this.#isTelling || this.#statusTimer !== undefined) return;
    this.#statusTimer = this.#host.clock.after(restMs, () => {
      this.#statusTimer = undefined;
      void this.#tellStatuses();
    });
  }

  /** One after the other, those that have changed. What could not be written is written the next time. */
  async #tellStatuses(): Promise<void> {
    if (!this.order.isFair) return;
    const { client, clock, log } = this.#host;
    this.#isTelling = true;
    this.#measure();
    let written = 0;
    for (const [name, status] of statusesOf(this.#tenants, this.#queues, formatTime(clock.nowMs()))) {
      const queue = this.#queues.get(name);
      if (this.#stopped || queue === undefined || sameJson(queue.status, status)) continue;
      written++;
      try {
        await client.update(queuesRef, { ...queue, status }, { subresource: 'status' });
      } catch (error) {
        if (!isError(error, 'notFound', 'conflict'))
          log.warn('cannot tell of a queue', { queue: name, error });
      }
    }
    this.#isTelling = false;
    if (written > 0) this.#tellSoon(statusRestMs + written * statusCostMs);
  }
}

const queueName = ({ refusal, pods }: LimitedUnit): string =>
  `queue ${refusal.by?.name || pods[0]?.leaf.name || ''}`;

const keyOf = ({ metadata }: Pod): string => `${metadata.namespace}/${metadata.name}`;
