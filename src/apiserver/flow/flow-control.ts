/**
 * Priority and fairness: a request passes, waits for its turn, or is refused.
 *
 *   who, what ─▶ schema (the first that matches) ─▶ its priority level ─▶ seats free? ─ yes ─▶ Ticket
 *                                                                        └ no ─▶ queue of its flow ─▶ Waiting ─▶ Ticket │ 429
 *
 * While seats are free nothing is allocated but the ticket, and nothing waits. Time is passed in. Owns no requests: whoever has a ticket gives it back.
 * Invariant: who waits is served as soon as there are seats for the one whose turn it is; levels of lower use come first.
 * Source: Kubernetes, "API priority and fairness". Different here: seats are lent and come back at once, not every ten seconds.
 */
import type { FlowSchema, PriorityLevelConfiguration } from '../../api/index.ts';
import { CaelumError, type Clock, type Timer } from '../../lib/index.ts';
import type { Attributes } from '../access/rules.ts';
import type { Identity } from '../identity.ts';
import {
  mandatoryLevels,
  mandatorySchemas,
  suggestedLevels,
  suggestedSchemas,
} from './default-configuration.ts';
import { FairQueues, type Queue } from './fair-queues.ts';
import { covers, distinguisher, inOrder, rulesFor } from './flow-rules.ts';
import { SeatAccount, type SeatLimits, SeatTotal } from './seats.ts';

/** As kube-apiserver's two limits together. */
export const defaultSeats = 600;
/** A quarter of what a request may take. */
const waitMsMax = 15_000;
export const seatsPerRequestMax = 10;
/** Of a level's nominal seats, for one request. */
const widestPart = 0.15;

export type Refusal = 'queue-full' | 'concurrency-limit' | 'time-out' | 'cancelled';

/** Requests of one schema. */
export interface Flow {
  readonly schema: FlowSchema;
  readonly level: Level;
  /** As headers of every answer: names and values in turns. */
  readonly headers: readonly string[];
  readonly counts: { dispatched: number; executing: number; seats: number; inQueue: number };
  readonly refused: Record<Refusal, number>;
  /** Milliseconds: of those that waited. */
  readonly waits: { count: number; ms: number };
}

export interface Ticket {
  readonly kind: 'ticket';
  /** Once. */
  release(): void;
}

export interface Waiting {
  readonly kind: 'waiting';
  /** Rejects with `tooManyRequests`. */
  readonly ticket: Promise<Ticket>;
  /** Whoever asked has gone. */
  cancel(): void;
}

interface Waiter {
  readonly flow: Flow;
  readonly seats: number;
  readonly sinceMs: number;
  readonly resolve: (ticket: Ticket) => void;
  readonly reject: (error: CaelumError) => void;
  queue: Queue<Waiter> | undefined;
  timer: Timer | undefined;
}

/** A priority level as it works. */
export class Level {
  readonly name: string;
  readonly account: SeatAccount;
  readonly queues: FairQueues<Waiter>;
  exempt = false;
  rejects = true;
  uid = '';
  limits: SeatLimits = { shares: 0, lendablePercent: 0, borrowingLimitPercent: undefined };

  constructor(name: string, total: SeatTotal) {
    this.name = name;
    this.account = new SeatAccount(total);
    this.queues = new FairQueues({ queues: 1, handSize: 1, queueLengthLimit: 0 });
  }

  configure({ metadata, spec }: PriorityLevelConfiguration): void {
    this.uid = metadata.uid ?? '';
    this.exempt = spec?.type === 'Exempt';
    const limited = spec?.limited;
    this.limits = {
      shares: (this.exempt ? spec?.exempt?.nominalConcurrencyShares : limited?.nominalConcurrencyShares) ?? 0,
      lendablePercent: (this.exempt ? spec?.exempt?.lendablePercent : limited?.lendablePercent) ?? 0,
      borrowingLimitPercent: limited?.borrowingLimitPercent,
    };
    const queuing = limited?.limitResponse?.queuing;
    this.rejects = limited?.limitResponse?.type !== 'Queue' || queuing === undefined;
    if (queuing !== undefined)
      this.queues.limit({
        queues: queuing.queues ?? 64,
        handSize: queuing.handSize ?? 8,
        queueLengthLimit: queuing.queueLengthLimit ?? 50,
      });
  }
}

export interface FlowControlOptions {
  readonly clock: Clock;
  /** How many requests of one seat are served at once. */
  readonly seats?: number;
}

type Rules = ReturnType<typeof rulesFor>;

export class FlowControl {
  readonly #clock: Clock;
  readonly #total: SeatTotal;
  readonly #levels = new Map<string, Level>();
  #flows: readonly Flow[] = [];
  /** In all levels. */
  #waiting = 0;
  readonly #lastUids = new Map<string, Flow>();
  /** What is asked of somebody's requests, schema by schema: the same identity comes again and again. */
  #rulesOf = new WeakMap<Identity, readonly { readonly flow: Flow; readonly rules: Rules }[]>();

  constructor({ clock, seats = defaultSeats }: FlowControlOptions) {
    this.#clock = clock;
    this.#total = new SeatTotal(seats);
    this.configure([], []);
  }

  /** Everything that is stored. Our own defaults count where they are not: they are about to be. */
  configure(schemas: readonly FlowSchema[], levels: readonly PriorityLevelConfiguration[]): void {
    const all = byName([...suggestedLevels, ...mandatoryLevels, ...levels]);
    for (const [name, configuration] of all) {
      let level = this.#levels.get(name);
      if (level === undefined) {
        level = new Level(name, this.#total);
        this.#levels.set(name, level);
      }
      level.configure(configuration);
    }
    for (const [name, level] of this.#levels) {
      if (all.has(name)) continue;
      // Who is in it is served to the end.
      if (level.account.free && level.queues.size === 0) this.#levels.delete(name);
      else level.limits = { shares: 0, lendablePercent: 0, borrowingLimitPercent: undefined };
    }
    this.#total.divide([...this.#levels.values()].map((level) => [level.account, level.limits]));
    const flows = inOrder(byName([...suggestedSchemas, ...mandatorySchemas, ...schemas]).values());
    // A schema whose level is missing matches nobody.
    this.#flows = flows.flatMap((schema) => {
      const level = all.has(levelOf(schema)) ? this.#levels.get(levelOf(schema)) : undefined;
      return level === undefined ? [] : [this.#flowOf(schema, level)];
    });
    const kept = new Set(this.#flows.map(({ schema }) => schema.metadata.name ?? ''));
    for (const name of this.#lastUids.keys()) if (!kept.has(name)) this.#lastUids.delete(name);
    this.#rulesOf = new WeakMap();
    this.#serveWaiting();
  }

  #flowOf(schema: FlowSchema, level: Level): Flow {
    const name = schema.metadata.name ?? '';
    const old = this.#lastUids.get(name);
    const flow: Flow = {
      schema,
      level,
      headers: [
        'X-Kubernetes-PF-FlowSchema-UID',
        schema.metadata.uid ?? '',
        'X-Kubernetes-PF-PriorityLevel-UID',
        level.uid,
      ],
      counts: old?.counts ?? { dispatched: 0, executing: 0, seats: 0, inQueue: 0 },
      refused: old?.refused ?? { 'queue-full': 0, 'concurrency-limit': 0, 'time-out': 0, cancelled: 0 },
      waits: old?.waits ?? { count: 0, ms: 0 },
    };
    this.#lastUids.set(name, flow);
    return flow;
  }

  levels(): Iterable<Level> {
    return this.#levels.values();
  }

  flows(): readonly Flow[] {
    return this.#flows;
  }

  /** The schema that a request belongs to. */
  flowOf(identity: Identity, asked: Attributes): Flow {
    let concerned = this.#rulesOf.get(identity);
    if (concerned === undefined) {
      concerned = this.#flows
        .map((flow) => ({ flow, rules: rulesFor(flow.schema, identity) }))
        .filter(({ rules }) => rules.length > 0);
      this.#rulesOf.set(identity, concerned);
    }
    for (const { flow, rules } of concerned) if (rules.some((one) => covers(one, asked))) return flow;
    // Whoever is nobody's: the last takes all.
    return this.#flows.at(-1) as Flow;
  }

  /** The most that one request may take. */
  widest({ level }: Flow): number {
    return Math.max(1, Math.min(seatsPerRequestMax, Math.ceil(level.account.nominal * widestPart)));
  }

  /** Throws `tooManyRequests`. */
  enter(flow: Flow, identity: Identity, asked: Attributes, seats = 1): Ticket | Waiting {
    const { level } = flow;
    if (level.exempt || (level.queues.size === 0 && level.account.take(seats)))
      return this.#ticket(flow, seats, undefined);
    if (level.rejects) throw refuse(flow, 'concurrency-limit');
    return this.#wait(
      flow,
      `${flow.schema.metadata.name}\0${distinguisher(flow.schema, identity, asked)}`,
      seats,
    );
  }

  #wait(flow: Flow, key: string, seats: number): Waiting {
    const { promise, resolve, reject } = Promise.withResolvers<Ticket>();
    // Whoever cancels does not look at it.
    promise.catch(() => {});
    const waiter: Waiter = {
      flow,
      seats,
      sinceMs: this.#clock.monotonicMs(),
      resolve,
      reject,
      queue: undefined,
      timer: undefined,
    };
    waiter.queue = flow.level.queues.add(key, waiter);
    if (waiter.queue === undefined) throw refuse(flow, 'queue-full');
    flow.counts.inQueue++;
    this.#waiting++;
    const give = (why: Refusal): void => {
      const { queue } = waiter;
      if (queue === undefined) return;
      flow.level.queues.remove(queue, waiter);
      this.#leave(waiter);
      reject(refuse(flow, why));
      this.#serveWaiting();
    };
    waiter.timer = this.#clock.after(waitMsMax, () => give('time-out'));
    this.#serveWaiting();
    return { kind: 'waiting', ticket: promise, cancel: () => give('cancelled') };
  }

  #leave(waiter: Waiter): void {
    waiter.queue = undefined;
    waiter.timer?.cancel();
    waiter.flow.counts.inQueue--;
    this.#waiting--;
    waiter.flow.waits.count++;
    waiter.flow.waits.ms += this.#clock.monotonicMs() - waiter.sinceMs;
  }

  #ticket(flow: Flow, seats: number, queue: Queue<Waiter> | undefined): Ticket {
    const { counts, level } = flow;
    counts.dispatched++;
    counts.executing++;
    counts.seats += seats;
    const isExempt = level.exempt;
    const startMs = queue === undefined ? 0 : this.#clock.monotonicMs();
    let given = false;
    return {
      kind: 'ticket',
      release: () => {
        if (given) return;
        given = true;
        counts.executing--;
        counts.seats -= seats;
        if (isExempt) return;
        if (queue !== undefined) level.queues.done(queue, seats, this.#clock.monotonicMs() - startMs);
        level.account.give(seats);
        if (this.#waiting > 0) this.#serveWaiting();
      },
    };
  }

  /** Of the levels in which somebody waits, that which uses least of what it is due comes first. */
  #serveWaiting(): void {
    for (;;) {
      let best: Level | undefined;
      for (const level of this.#levels.values()) {
        if (level.queues.size === 0) continue;
        const next = level.queues.next();
        if (next === undefined || (best !== undefined && load(best) <= load(level))) continue;
        if (!fits(level.account, next.waiter.seats)) continue;
        best = level;
      }
      const next = best?.queues.next();
      if (best === undefined || next === undefined || !best.account.take(next.waiter.seats)) return;
      best.queues.take(next.queue);
      this.#leave(next.waiter);
      next.waiter.resolve(this.#ticket(next.waiter.flow, next.waiter.seats, next.queue));
    }
  }
}

const load = ({ account }: Level): number => account.inUse / Math.max(1, account.nominal);

function fits(account: SeatAccount, seats: number): boolean {
  if (!account.take(seats)) return false;
  account.give(seats);
  return true;
}

function refuse(flow: Flow, why: Refusal): CaelumError {
  flow.refused[why]++;
  return new CaelumError('tooManyRequests', 'Too many requests, please try again later.', {
    details: { retryAfterSeconds: 1 },
  });
}

const levelOf = (schema: FlowSchema): string => schema.spec?.priorityLevelConfiguration.name ?? '';

/** Of several with the same name the last. */
function byName<T extends { readonly metadata: { readonly name?: string } }>(
  all: readonly T[],
): Map<string, T> {
  return new Map(all.map((one) => [one.metadata.name ?? '', one]));
}
