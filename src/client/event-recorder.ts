/**
 * Records why things happened, as Event objects. Best effort: nothing ever waits for an event, and a flood of them is cut.
 *
 *   record ──▶ correlate ──▶ queue (one entry an event, its count grows while it waits) ──▶ create, or patch of the count
 *
 * Correlation as Kubernetes has it (client-go's EventCorrelator): the same event again raises its count; the eleventh with the same
 * reason but another message within ten minutes becomes one "(combined from similar events)"; an object may have 25 events from one
 * component, and one more every five minutes.
 */
import type { Event, ObjectReference } from '../api/index.ts';
import {
  type Clock,
  flat,
  formatTime,
  isError,
  type Log,
  NewestMap,
  type Random,
  WorkQueue,
} from '../lib/index.ts';
import type { Client, ResourceRef } from './client.ts';

export interface EventDraft {
  /** What it is about: apiVersion, kind, name, uid; a namespace where it has one. */
  readonly about: ObjectReference;
  readonly type: 'Normal' | 'Warning';
  /** One word, as `SuccessfulCreate`. */
  readonly reason: string;
  readonly message: string;
}

export interface EventRecorder {
  record(event: EventDraft): void;
  /** Resolves when all that was recorded is written, or given up. */
  whenIdle(): Promise<void>;
  stop(): void;
}

export interface EventRecorderOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Who says so: `deployment-controller`. */
  readonly component: string;
  readonly host?: string;
}

export const eventsRef: ResourceRef = { group: '', version: 'v1', resource: 'events', namespaced: true };

const entriesMax = 4096;
const similarMax = 10;
const similarWindowMs = 600_000;
const burstMax = 25;
const refillMs = 300_000;
const triesMax = 3;

/** One Event object, written or to be written. */
interface Entry {
  readonly draft: EventDraft;
  message: string;
  readonly firstMs: number;
  lastMs: number;
  count: number;
  /** The name of its object, once that is written. */
  name: string | undefined;
}

export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  return new Recorder(options);
}

class Recorder implements EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #queue: WorkQueue<string>;
  /** Last used, last forgotten. */
  readonly #entries = new NewestMap<string, Entry>(entriesMax);
  /** Different messages of late, by what they are about and why. */
  readonly #similar = new NewestMap<string, { readonly messages: Set<string>; sinceMs: number }>(entriesMax);
  readonly #budgets = new NewestMap<string, { tokens: number; atMs: number }>(entriesMax);
  #number = 0;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#queue = new WorkQueue({
      clock: options.clock,
      random: options.random,
      workers: 16,
      firstRetryMs: 200,
      work: (key) => this.#write(key),
      onError: (key, error, failures) => {
        if (failures < triesMax) return;
        this.#entries.delete(key);
        this.#queue.forget(key);
        options.log.debug('cannot record an event', { component: options.component, error });
      },
    });
  }

  record(draft: EventDraft): void {
    const nowMs = this.#options.clock.nowMs();
    const { about, type, reason } = draft;
    const object = `${about.kind}/${about.namespace ?? ''}/${about.name}/${about.uid ?? ''}`;
    if (!this.#spend(object, nowMs)) return;
    const group = `${object}/${type}/${reason}`;
    const combined = this.#isFlood(group, draft.message, nowMs);
    const message = combined ? `(combined from similar events): ${draft.message}` : draft.message;
    const key = combined ? group : `${group}/${about.fieldPath ?? ''}/${draft.message}`;
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = { draft, message, firstMs: nowMs, lastMs: nowMs, count: 0, name: undefined };
    }
    this.#entries.set(key, entry);
    entry.count++;
    entry.lastMs = nowMs;
    entry.message = message;
    this.#queue.add(key);
  }

  whenIdle(): Promise<void> {
    return this.#queue.whenIdle();
  }

  stop(): void {
    this.#queue.stop();
  }

  #spend(object: string, nowMs: number): boolean {
    let budget = this.#budgets.get(object);
    if (budget === undefined) {
      budget = { tokens: burstMax, atMs: nowMs };
      this.#budgets.set(object, budget);
    }
    budget.tokens = Math.min(burstMax, budget.tokens + Math.max(0, nowMs - budget.atMs) / refillMs);
    budget.atMs = nowMs;
    if (budget.tokens < 1) return false;
    budget.tokens -= 1;
    return true;
  }

  #isFlood(group: string, message: string, nowMs: number): boolean {
    let similar = this.#similar.get(group);
    if (similar === undefined || nowMs - similar.sinceMs > similarWindowMs) {
      similar = { messages: new Set(), sinceMs: nowMs };
      this.#similar.set(group, similar);
    }
    similar.sinceMs = nowMs;
    if (similar.messages.size < similarMax) similar.messages.add(message);
    return !similar.messages.has(message);
  }

  async #write(key: string): Promise<void> {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    const { client } = this.#options;
    const namespace = namespaceOf(entry.draft);
    const { count, lastMs, message } = entry;
    try {
      if (entry.name !== undefined) {
        const patch = { count, lastTimestamp: formatTime(lastMs), message };
        try {
          await client.patch(eventsRef, namespace, entry.name, 'merge', patch);
          this.#queue.forget(key);
          return;
        } catch (error) {
          // Its time was up: events are kept for an hour.
          if (!isError(error, 'notFound')) throw error;
        }
      }
      const event = this.#eventOf(entry);
      await client.create(eventsRef, event);
      entry.name = event.metadata.name;
      this.#queue.forget(key);
    } catch (error) {
      // The namespace is going or gone, or the event is not to our liking: trying again would not help.
      if (!isError(error, 'notFound', 'forbidden', 'invalid', 'badRequest', 'alreadyExists')) throw error;
      this.#entries.delete(key);
    }
  }

  #eventOf(entry: Entry): Event {
    const { component, host } = this.#options;
    const { about, type, reason } = entry.draft;
    // As client-go names them: the object's name and the time, here made unique by a counter in place of nanoseconds.
    const stamp = (BigInt(entry.lastMs) * 1_000_000n + BigInt(this.#number++ % 1_000_000)).toString(16);
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: {
        name: flat(`${(about.name ?? '').slice(0, 230)}.${stamp}`),
        namespace: namespaceOf(entry.draft),
      },
      involvedObject: about,
      reason,
      message: flat(entry.message.slice(0, 1024)),
      source: host === undefined ? { component } : { component, host },
      firstTimestamp: formatTime(entry.firstMs),
      lastTimestamp: formatTime(entry.lastMs),
      count: entry.count,
      type,
      reportingComponent: component,
      reportingInstance: host ?? '',
    };
  }
}

const namespaceOf = (draft: EventDraft): string => draft.about.namespace || 'default';
