/**
 * What waits for a node: to be planned (in order), set aside because it did not fit, or held by a part. Pure.
 *
 *   offer ─▶ held ◀─▶ active ─take─▶ out (planned, bound) ─▶ forget
 *                       ▲  │           └─ setAside ─▶ aside ─┐
 *                       │  └─ join (its like was just refused) ──┤
 *                       └────────── changed, after back-off ◀────┘
 *
 * Invariant: a pod is in one of these at most.
 */
import type { Pod } from '../../api/index.ts';
import type { Clock } from '../../lib/index.ts';
import type { WaitingPod } from '../plan.ts';
import type { Snapshot } from '../snapshot.ts';
import { AsidePods, type Refusal } from './aside-pods.ts';
import type { QueueChange } from './ask.ts';
import type { Hold, PodOrder, SchedulerPart } from './part.ts';

export interface PodQueueOptions {
  readonly clock: Clock;
  readonly snapshot: Snapshot;
  readonly order: PodOrder;
  readonly parts: readonly SchedulerPart[];
  /** There is something to be planned that was aside. */
  onReady(): void;
}

/** The next to be planned, and those of whom it is known without that. */
export interface Batch {
  readonly pods: readonly WaitingPod[];
  readonly refused: readonly (WaitingPod & { readonly refusal: Refusal })[];
}

/** Those that are refused without being planned, for each that is planned. */
const joinsFactor = 2;

export class PodQueue {
  readonly #parts: readonly SchedulerPart[];
  readonly #order: PodOrder;
  readonly #aside: AsidePods;
  readonly #held = new Map<string, { readonly pod: Pod; readonly hold: Hold }>();
  readonly #hasCompanions: boolean;

  constructor({ clock, snapshot, order, parts, onReady }: PodQueueOptions) {
    this.#order = order;
    this.#parts = parts;
    this.#hasCompanions = parts.some(({ companions }) => companions !== undefined);
    const release = (waiting: WaitingPod): void => {
      const { key, pod } = waiting;
      this.#order.add({ key, pod });
      this.#bringCompanions({ key, pod });
      onReady();
    };
    this.#aside = new AsidePods({ clock, snapshot, release });
  }

  /** How many are to be planned. */
  get size(): number {
    return this.#order.size;
  }

  get asideSize(): number {
    return this.#aside.size;
  }

  get heldSize(): number {
    return this.#held.size;
  }

  /** The pod as it was set aside. */
  aside(key: string): Pod | undefined {
    return this.#aside.get(key);
  }

  /** Why a pod that was set aside waits. */
  refusalOf(key: string): Refusal | undefined {
    return this.#aside.refusalOf(key);
  }

  /** A pod set aside has changed in nothing that it asks. */
  keepAside(key: string, pod: Pod): void {
    this.#aside.keep(key, pod);
  }

  /** A pod that is new or asks for something new. Answers why it is held, if it is. */
  offer(key: string, pod: Pod): Hold | undefined {
    this.#aside.take(key);
    const waiting = { key, pod };
    const hold = this.#holdOf(waiting);
    if (hold === undefined) {
      this.#held.delete(key);
      const isNew = !this.#order.has(key);
      this.#order.add(waiting);
      if (isNew) this.#bringCompanions(waiting);
    } else {
      this.#order.delete(key);
      this.#held.set(key, { pod, hold });
    }
    return hold;
  }

  #holdOf(waiting: WaitingPod): Hold | undefined {
    for (const part of this.#parts) {
      const hold = part.admits?.(waiting);
      if (hold !== undefined) return hold;
    }
    return undefined;
  }

  /** Taken out. With each those that have to be planned with it. */
  take(most: number): Batch {
    const pods: WaitingPod[] = [];
    const refused: (WaitingPod & { readonly refusal: Refusal })[] = [];
    while (pods.length < most && refused.length < most * joinsFactor) {
      const next = this.#order.take(most - pods.length);
      if (next.length === 0) break;
      for (const waiting of next) {
        const refusal = this.#aside.join(waiting);
        if (refusal === undefined) pods.push(waiting);
        else refused.push({ ...waiting, refusal });
      }
    }
    if (this.#hasCompanions && this.#order.takesTogether !== true) this.#takeCompanions(pods);
    return { pods, refused };
  }

  #takeCompanions(pods: WaitingPod[]): void {
    for (const waiting of [...pods])
      for (const part of this.#parts)
        for (const key of part.companions?.(waiting) ?? []) {
          const companion = this.#order.delete(key) ?? this.#takeAside(key);
          if (companion !== undefined) pods.push(companion);
        }
  }

  /** Where the order takes them together, those that are aside come with the first one. */
  #bringCompanions(waiting: WaitingPod): void {
    if (!this.#hasCompanions || this.#order.takesTogether !== true) return;
    for (const part of this.#parts)
      for (const key of part.companions?.(waiting) ?? []) {
        const companion = this.#takeAside(key);
        if (companion !== undefined) this.#order.add(companion);
      }
  }

  #takeAside(key: string): WaitingPod | undefined {
    const pod = this.#aside.get(key);
    if (pod === undefined) return undefined;
    this.#aside.take(key);
    return { key, pod };
  }

  setAside(key: string, pod: Pod, refusal: Refusal): void {
    this.#aside.setAside(key, pod, refusal);
  }

  /** It was planned, and a node was found. */
  placed(key: string): void {
    this.#aside.placed(key);
  }

  /** Something has changed that may help those set aside. */
  changed(change: QueueChange): void {
    this.#aside.changed(change);
  }

  /** Those held, or some of them, are asked again; answers who is held still, and why. */
  reconsider(keys: Iterable<string> = [...this.#held.keys()]): readonly (WaitingPod & { hold: Hold })[] {
    const still: (WaitingPod & { hold: Hold })[] = [];
    for (const key of keys) {
      const pod = this.#held.get(key)?.pod;
      const hold = pod === undefined ? undefined : this.offer(key, pod);
      if (pod !== undefined && hold !== undefined) still.push({ key, pod, hold });
    }
    return still;
  }

  held(key: string): { readonly pod: Pod; readonly hold: Hold } | undefined {
    const held = this.#held.get(key);
    if (held !== undefined || this.#order.refused === undefined) return held;
    const refused = this.#order.refused(key);
    return refused && { pod: refused.pod, hold: { reason: 'WaitsInQueue', message: refused.message } };
  }

  forget(key: string): void {
    this.#order.delete(key);
    this.#aside.forget(key);
    this.#held.delete(key);
  }

  stop(): void {
    this.#aside.stop();
  }
}
