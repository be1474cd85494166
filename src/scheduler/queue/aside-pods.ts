/**
 * Pods that fit nowhere, by what they ask; those of one ask are refused and helped together. Pure, but for the clock that it is given.
 *
 *   setAside ─▶ members of an ask (first come, first tried) ◀─ join: its ask was refused a moment ago and nothing has changed for it
 *   changed ─▶ soon, in slices: which asks may it help? ─▶ the first members are released ─ bound ─▶ twice as many … ─ refused ─▶ no more
 *                                                            └─ each after its back-off: 1 s, doubling to 10 s since it was tried; the more surely it fits, the less
 *
 * So room for one pod costs a few plans, however many wait for it, and each is told why it waits without being planned.
 * Invariant: whoever is aside is in the members of one ask. An ask for which something may have changed is not stalled.
 */
import type { Pod } from '../../api/index.ts';
import type { Clock, Timer } from '../../lib/index.ts';
import { type Demand, demandOf } from '../demand.ts';
import { groupKeyOf } from '../gangs/gang-book.ts';
import type { Step, WaitingPod } from '../plan.ts';
import type { Snapshot } from '../snapshot.ts';
import { askKeyOf, type Causes, Changes, causesOf, type Hope, hopeOf, type QueueChange } from './ask.ts';

export type Refusal = Step & { readonly kind: 'wait' };

interface Ask {
  readonly key: string;
  /** Later ones have higher numbers. */
  readonly number: number;
  readonly demand: Demand;
  /** One of them. */
  readonly pod: Pod;
  readonly members: Map<string, AsidePod>;
  refusal: Refusal;
  causes: Causes;
  /** Nobody else of the same ask need be planned: the answer would be the same. */
  isStalled: boolean;
}

interface AsidePod {
  readonly key: string;
  pod: Pod;
  ask: Ask;
  attempts: number;
  triedMs: number;
  /** `aside`: a member of its ask. `resting`: that, and released when its back-off has passed. `released`: to be planned. */
  state: 'aside' | 'resting' | 'released';
  rest: Timer | undefined;
  restUntilMs: number;
}

export interface AsideOptions {
  readonly clock: Clock;
  readonly snapshot: Snapshot;
  /** It is to be planned again. */
  release(waiting: WaitingPod): void;
}

const firstRestMs = 1000;
/** Where it is as good as sure that it fits now. */
const firstSureRestMs = 100;
const restMsMax = 10_000;
/** How many of an ask are tried first. */
const probesMax = 16;
/** Nodes looked at in one go, before others have a turn. */
const sliceMax = 20_000;

export class AsidePods {
  readonly #options: AsideOptions;
  readonly #pods = new Map<string, AsidePod>();
  readonly #asks = new Map<string, Ask>();
  #aside = 0;
  #stalled = 0;
  #numbers = 0;
  /** Asks of pods that look at other pods. */
  #lookers = 0;
  #changes = new Changes();
  #pass: Iterator<void> | undefined;
  #timer: Timer | undefined;

  constructor(options: AsideOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#aside;
  }

  /** How many different things they ask. */
  get asks(): number {
    return this.#asks.size;
  }

  /** The pod as it is aside. */
  get(key: string): Pod | undefined {
    const one = this.#pods.get(key);
    return one === undefined || one.state === 'released' ? undefined : one.pod;
  }

  /** It has changed in nothing that it asks. */
  keep(key: string, pod: Pod): void {
    const one = this.#pods.get(key);
    if (one !== undefined) one.pod = pod;
  }

  /** Why it waits, as of the last one of its ask that was planned. */
  refusalOf(key: string): Refusal | undefined {
    const one = this.#pods.get(key);
    return one === undefined ? undefined : { ...one.ask.refusal, podKey: key };
  }

  /** What would be answered if it were planned, where that is known. It is aside then. */
  join({ key, pod }: WaitingPod): Refusal | undefined {
    if (this.#stalled === 0) return undefined;
    const demand = demandOf(pod);
    const { guarding, nominations } = this.#options.snapshot;
    let ask = this.#asks.get(askKeyOf(pod, demand, !demand.isPlain));
    if (ask?.isStalled !== true && demand.isPlain && guarding.size > 0)
      ask = this.#asks.get(askKeyOf(pod, demand, true));
    if (ask?.isStalled !== true || !this.#isAlike(pod) || nominations.has(key)) return undefined;
    this.#put(key, pod, ask);
    return { ...ask.refusal, podKey: key };
  }

  /** It was planned, and refused. */
  setAside(key: string, pod: Pod, refusal: Refusal): void {
    const demand = demandOf(pod);
    const isSingle = this.#options.snapshot.nominations.has(key) || !this.#isAlike(pod);
    const causes = causesOf(refusal.refused.keys());
    // Others may keep a plain pod away for its labels.
    const byAll = causes.pods || !demand.isPlain;
    const ask = this.#askOf(
      isSingle ? `${key}|${pod.metadata.uid}` : askKeyOf(pod, demand, byAll),
      pod,
      refusal,
    );
    this.#lookers += Number(causes.pods) - Number(ask.causes.pods);
    ask.refusal = refusal;
    ask.causes = causes;
    // Whether others would have to go for it was looked into, and would not help: so it is for the next.
    if (!isSingle && refusal.preemption?.kind === 'none' && !refusal.preemption.isWaiting)
      this.#stall(ask, true);
    const one = this.#put(key, pod, ask);
    one.attempts++;
    one.triedMs = this.#options.clock.monotonicMs();
  }

  #askOf(key: string, pod: Pod, refusal: Refusal): Ask {
    let ask = this.#asks.get(key);
    if (ask === undefined) {
      const causes = { pods: false, ports: false };
      const number = this.#numbers++;
      ask = {
        key,
        number,
        demand: demandOf(pod),
        pod,
        members: new Map(),
        refusal,
        causes,
        isStalled: false,
      };
      this.#asks.set(key, ask);
    }
    return ask;
  }

  #put(key: string, pod: Pod, ask: Ask): AsidePod {
    let one = this.#pods.get(key);
    if (one === undefined) {
      one = { key, pod, ask, attempts: 0, triedMs: 0, state: 'released', rest: undefined, restUntilMs: 0 };
      this.#pods.set(key, one);
    } else if (one.state !== 'released') this.#leave(one);
    one.pod = pod;
    one.ask = ask;
    one.state = 'aside';
    ask.members.set(key, one);
    this.#aside++;
    return one;
  }

  /** It is aside no more; how often it was tried is remembered. */
  take(key: string): void {
    const one = this.#pods.get(key);
    if (one !== undefined && one.state !== 'released') this.#leave(one);
  }

  /** It has a node, or is no more. */
  forget(key: string): void {
    const one = this.#pods.get(key);
    if (one === undefined) return;
    if (one.state !== 'released') this.#leave(one);
    this.#pods.delete(key);
  }

  /** One that was aside is being bound: where there was room for it, there may be for others that ask the same. */
  placed(key: string): void {
    const ask = this.#pods.get(key)?.ask;
    if (ask === undefined || this.#asks.get(ask.key) !== ask) return;
    this.#stall(ask, false);
    this.#release(ask, 2, 'surely');
  }

  #leave(one: AsidePod): void {
    const { ask } = one;
    one.rest?.cancel();
    one.rest = undefined;
    one.state = 'released';
    ask.members.delete(one.key);
    this.#aside--;
    if (ask.members.size > 0) return;
    this.#stall(ask, false);
    if (this.#asks.get(ask.key) !== ask) return;
    this.#asks.delete(ask.key);
    this.#lookers -= Number(ask.causes.pods);
  }

  #stall(ask: Ask, isStalled: boolean): void {
    if (ask.isStalled === isStalled) return;
    ask.isStalled = isStalled;
    this.#stalled += isStalled ? 1 : -1;
  }

  stop(): void {
    this.#timer?.cancel();
    this.#pass = undefined;
    for (const one of this.#pods.values()) one.rest?.cancel();
  }

  /** Something has changed. Cheap, and cheaper still when nobody waits. */
  changed(change: QueueChange): void {
    if (this.#aside === 0) return;
    this.#changes.add(change, this.#lookers > 0);
    if (!this.#changes.isEmpty) this.#lookSoon(0);
  }

  #lookSoon(restMs: number): void {
    this.#timer ??= this.#options.clock.after(restMs, () => {
      this.#timer = undefined;
      this.#look();
    });
  }

  /** A slice of the pass that is under way, or the first one of the next. */
  #look(): void {
    const { clock } = this.#options;
    const beganMs = clock.monotonicMs();
    if (this.#pass === undefined) {
      this.#pass = this.#passOver(this.#changes);
      this.#changes = new Changes();
    }
    const { done } = this.#pass.next();
    if (done === true) this.#pass = undefined;
    // Those who plan have a turn in between.
    if (done !== true || !this.#changes.isEmpty) this.#lookSoon(2 * (clock.monotonicMs() - beganMs));
  }

  *#passOver(changes: Changes): Generator<void, void> {
    const end = this.#numbers;
    let asked = 0;
    for (const ask of this.#asks.values()) {
      // Refused since then: it knew of the changes.
      if (ask.number >= end) return;
      const hope = hopeOf(ask.demand, ask.pod, ask.causes, changes, this.#options.snapshot);
      asked += 1 + changes.rows.size;
      if (hope !== 'none') {
        this.#stall(ask, false);
        this.#release(ask, probesMax, hope);
      }
      if (asked < sliceMax) continue;
      asked = 0;
      yield;
    }
  }

  /** The first members, each after its back-off. */
  #release(ask: Ask, most: number, hope: Hope): void {
    const nowMs = this.#options.clock.monotonicMs();
    let left = most;
    for (const one of ask.members.values()) {
      if (left-- <= 0) break;
      const firstMs = hope === 'surely' ? firstSureRestMs : firstRestMs;
      const restMs =
        one.attempts === 0 ? 0 : Math.min(restMsMax, firstMs * 2 ** Math.min(one.attempts - 1, 16));
      const untilMs = one.triedMs + restMs;
      if (untilMs <= nowMs) this.#go(one);
      else if (one.state !== 'resting' || untilMs < one.restUntilMs) this.#rest(one, untilMs, nowMs);
    }
  }

  #rest(one: AsidePod, untilMs: number, nowMs: number): void {
    one.rest?.cancel();
    one.state = 'resting';
    one.restUntilMs = untilMs;
    one.rest = this.#options.clock.after(untilMs - nowMs, () => {
      one.rest = undefined;
      if (one.state === 'resting') this.#go(one);
    });
  }

  /** Whether others that ask the same fare the same: members of a group are placed together or not at all, and claims may be allocated already or not be there. */
  #isAlike(pod: Pod): boolean {
    const { resourceClaims } = pod.spec ?? {};
    if (groupKeyOf(pod) !== undefined) return false;
    // Who may use a reservation finds room where others of the same ask do not.
    const { holds } = this.#options.snapshot;
    if (!holds.isEmpty && holds.of(pod) !== undefined) return false;
    return resourceClaims === undefined || this.#options.snapshot.deviceClaims.isFresh(pod);
  }

  #go(one: AsidePod): void {
    this.#leave(one);
    this.#options.release(one);
  }
}
