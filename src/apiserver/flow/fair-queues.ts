/**
 * The queues of one priority level: who waits, and who is next. Start-time fair queuing by seats × time.
 *
 *   add ─▶ the emptiest queue of the flow's hand ─▶ next(): the queue whose first has the earliest virtual start ─▶ done(): charged what it really took
 *
 * Pure; owns no seats and no clocks. Invariant: between any two queues that have waited throughout, the service given differs by no more than one request's work of each
 * (as far as that was foreseen).
 */
import { handOf } from './shuffle-shard.ts';

/** What a seat is expected to be held for; corrected when it is known. */
const expectedMs = 3;

export interface Waiter {
  readonly seats: number;
}

export interface Queue<W extends Waiter> {
  readonly waiting: W[];
  /** Of those that wait and those that are served. */
  seats: number;
  /** Virtual time at which its next may start. */
  nextStart: number;
}

export interface QueueLimits {
  readonly queues: number;
  readonly handSize: number;
  readonly queueLengthLimit: number;
}

export class FairQueues<W extends Waiter> {
  #limits: QueueLimits;
  #queues: Queue<W>[] = [];
  /** Queues in which somebody waits. */
  readonly #active = new Set<Queue<W>>();
  #virtual = 0;
  #waiting = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
    this.limit(limits);
  }

  get size(): number {
    return this.#waiting;
  }

  /** Who waits keeps the queue that it has. */
  limit(limits: QueueLimits): void {
    this.#limits = limits;
    const count = Math.max(1, limits.queues);
    this.#queues.length = Math.min(this.#queues.length, count);
    while (this.#queues.length < count)
      this.#queues.push({ waiting: [], seats: 0, nextStart: this.#virtual });
  }

  /** undefined: the queue is full. */
  add(flow: string, waiter: W): Queue<W> | undefined {
    let best: Queue<W> | undefined;
    for (const card of handOf(flow, this.#queues.length, this.#limits.handSize)) {
      const queue = this.#queues[card] as Queue<W>;
      if (best === undefined || queue.seats < best.seats) best = queue;
    }
    if (best === undefined || best.waiting.length >= this.#limits.queueLengthLimit) return undefined;
    if (best.waiting.length === 0) best.nextStart = Math.max(best.nextStart, this.#virtual);
    best.waiting.push(waiter);
    best.seats += waiter.seats;
    this.#active.add(best);
    this.#waiting++;
    return best;
  }

  /** Who is to be served next; stays where it is until `take`. */
  next(): { readonly queue: Queue<W>; readonly waiter: W } | undefined {
    let best: Queue<W> | undefined;
    for (const queue of this.#active)
      if (best === undefined || queue.nextStart < best.nextStart) best = queue;
    const waiter = best?.waiting[0];
    return best === undefined || waiter === undefined ? undefined : { queue: best, waiter };
  }

  /** The first of a queue is being served. */
  take(queue: Queue<W>): void {
    const waiter = queue.waiting.shift();
    if (waiter === undefined) return;
    this.#virtual = Math.max(this.#virtual, queue.nextStart);
    queue.nextStart += waiter.seats * expectedMs;
    this.#left(queue);
  }

  /** Waits no more, and was not served. */
  remove(queue: Queue<W>, waiter: W): void {
    const at = queue.waiting.indexOf(waiter);
    if (at < 0) return;
    queue.waiting.splice(at, 1);
    queue.seats -= waiter.seats;
    this.#left(queue);
  }

  /** Has been served. */
  done(queue: Queue<W>, seats: number, tookMs: number): void {
    queue.seats -= seats;
    queue.nextStart += seats * (tookMs - expectedMs);
  }

  #left(queue: Queue<W>): void {
    this.#waiting--;
    if (queue.waiting.length === 0) this.#active.delete(queue);
  }
}
