/**
 * How other features have a say in what is planned and when: a part of the scheduler (fair shares, gangs). Whoever concerns no part pays one check for each.
 *
 *   pod comes ─▶ part.admits ─ undefined ─▶ waits in the part's order, else in that of priority ─▶ batch, with its companions ─▶ plan ─▶ part.decided
 *                      └─ a hold ─▶ held, and told so, until `reconsider`
 */
import type { Pod } from '../../api/index.ts';
import type { Change, Client, EventRecorder, Informers } from '../../client/index.ts';
import type { Clock, Log, Random } from '../../lib/index.ts';
import type { Step, WaitingPod } from '../plan.ts';
import type { Victim } from '../preemption.ts';
import type { Policy } from '../scorer.ts';
import type { Snapshot } from '../snapshot.ts';
import type { ProfileSources } from '../strategies/profile-part.ts';

/** Why a pod is not planned at all. */
export interface Hold {
  /** Of the pod's condition `PodScheduled`: one word, as `Unschedulable`. */
  readonly reason: string;
  readonly message: string;
}

/** Pods that are to be planned, and which are first. */
export interface PodOrder {
  readonly size: number;
  /** It takes out those that have to be planned together, as far as they may be. Whoever of them comes has to be here. */
  readonly takesTogether?: boolean;
  has(key: string): boolean;
  /** A pod that is there already is replaced and keeps its place, unless what its place depends on has changed. */
  add(waiting: WaitingPod): void;
  delete(key: string): WaitingPod | undefined;
  /** The first ones, taken out. */
  take(most: number): readonly WaitingPod[];
  /** In any order. */
  keys(): Iterable<string>;
  /** Why a pod that is here is not taken, however long it waits; who knows that tells it, too (`PartHost.tell`). */
  refused?(key: string): { readonly pod: Pod; readonly message: string } | undefined;
}

/** Pods whose queue is at its limit, and in which there are less important ones. */
export interface RoomInQueue {
  /** All of them are to have a place, or none. */
  readonly pods: readonly WaitingPod[];
  /** What the queue says. */
  readonly message: string;
  /** Said to those that go. */
  readonly because: string;
  /** Who of the queue has to go that are not going, beside these; undefined: whoever goes, it would not be enough. */
  victims(gone: readonly Victim[]): readonly Victim[] | undefined;
  /** Do budgets let all of them go? */
  mayGo(victims: readonly Victim[]): boolean;
  /** It is done: they have their places as soon as the queue is within its limits with them. */
  granted(message: string): void;
  /** They wait. Why nobody goes for them, where that is worth telling. */
  denied(why?: string): void;
}

export interface SchedulerPart {
  readonly name: string;
  /** In place of the order by priority and age. Of several parts, the first that has one gives it. */
  readonly order?: PodOrder;
  /** By what pods are placed. Of several parts, the first that has one gives it. */
  readonly policy?: Policy;
  /** Whether pods of that scheduler's name are ours, beside those of our own. */
  schedules?(schedulerName: string): boolean;
  /** Whether a pod may be planned: asked when it comes or changes, and again after `reconsider`. Cheap. */
  admits?(waiting: WaitingPod): Hold | undefined;
  /** Who has to be planned in the same batch as this one, by key; those that wait are taken with it. */
  companions?(waiting: WaitingPod): Iterable<string>;
  /** Every change of a pod, ours or not, before the queue hears of it. */
  onPod?(change: Change<Pod>): void;
  /** What was decided, before it is carried out. */
  decided?(step: Step, pod: Pod): void;
  /** Why a pod is not planned, as another part has told it. */
  told?(key: string, hold: Hold): void;
  /** For whom less important pods may have to go, though there may be room on nodes. Each is given once, and answered. */
  limited?(): Iterable<RoomInQueue>;
  stop?(): void;
}

/** What a part has to work with. */
export interface PartHost {
  readonly client: Client;
  readonly informers: Informers;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly snapshot: Snapshot;
  readonly events: EventRecorder;
  /** What the program gives to profiles. */
  readonly sources: ProfileSources;
  /** `admits` may answer otherwise now: of these, or of all that are held. */
  reconsider(keys?: Iterable<string>): void;
  /** Something has changed that may help what was planned and found no place: of these, or of all. */
  tryAgain(keys?: Iterable<string>): void;
  /** Why a pod waits that the part's own order does not give out. */
  tell(key: string, hold: Hold): void;
  /** A place that is no pod's (of a reservation) is to be planned like a pod; what is decided is for the part alone. */
  offer(key: string, pod: Pod): void;
  /** It is not to be planned any more. */
  withdraw(key: string): void;
  /** Of several schedulers one decides and writes. */
  isLeading(): boolean;
  /** Nothing is planned until it is resolved: what is followed for the first time has to be known. */
  hold(until: Promise<unknown>): void;
}

/** Called once, when the scheduler starts. */
export type StartPart = (host: PartHost) => SchedulerPart;
