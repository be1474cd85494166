/**
 * Events about pods and nodes: what `kubectl describe` shows. Best effort: an event that cannot be written is dropped.
 *
 *   record ──▶ same as before? raise its count : create it ──▶ lanes ──▶ API
 *
 * Repeated ones are counted, not doubled; an object that causes too many is cut short (25, then one every five minutes).
 */
import type { Event, ObjectReference } from '../../api/index.ts';
import type { Client } from '../../client/index.ts';
import { type Clock, formatTime, isError, type Log, type Random } from '../../lib/index.ts';
import { Lanes } from '../lanes.ts';
import { eventsRef } from '../objects.ts';

export interface EventRecorder {
  record(about: ObjectReference, type: 'Normal' | 'Warning', reason: string, message: string): void;
}

interface Known {
  readonly name: string;
  count: number;
  created: boolean;
}

interface Bucket {
  tokens: number;
  filledAtMs: number;
}

const burst = 25;
const refillMs = 300_000;
const knownMax = 2048;
const messageMax = 1024;

export class ApiEventRecorder implements EventRecorder {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #component: string;
  readonly #host: string;
  readonly #known = new Map<string, Known>();
  readonly #buckets = new Map<string, Bucket>();
  readonly #lanes: Lanes;

  constructor(options: {
    readonly client: Client;
    readonly clock: Clock;
    readonly random: Random;
    readonly log: Log;
    readonly component: string;
    readonly host: string;
  }) {
    this.#client = options.client;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#component = options.component;
    this.#host = options.host;
    this.#lanes = new Lanes(8, (key, error) => options.log.debug('cannot write event', { key, error }));
  }

  record(about: ObjectReference, type: 'Normal' | 'Warning', reason: string, message: string): void {
    const text = message.slice(0, messageMax);
    const key = [about.uid, about.fieldPath, type, reason, text].join('\u0000');
    if (!this.#admit(`${about.uid}`)) return;
    let known = this.#known.get(key);
    if (known === undefined) {
      const suffix = Buffer.from(this.#random.bytes(8)).toString('hex');
      known = { name: `${about.name}.${suffix}`, count: 0, created: false };
      this.#remember(key, known);
    }
    known.count++;
    const now = formatTime(this.#clock.nowMs());
    const entry = known;
    this.#lanes.add(entry.name, () => this.#write(entry, about, type, reason, text, now));
  }

  async #write(
    known: Known,
    about: ObjectReference,
    type: string,
    reason: string,
    message: string,
    now: string,
  ): Promise<void> {
    const namespace = about.namespace ?? 'default';
    if (known.created) {
      const patch = { count: known.count, lastTimestamp: now };
      try {
        await this.#client.patch(eventsRef, namespace, known.name, 'merge', patch);
        return;
      } catch (error) {
        if (!isError(error, 'notFound')) throw error;
        known.count = 1;
      }
    }
    const event: Event = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: known.name, namespace },
      involvedObject: about,
      type,
      reason,
      message,
      source: { component: this.#component, host: this.#host },
      reportingComponent: this.#component,
      reportingInstance: this.#host,
      firstTimestamp: now,
      lastTimestamp: now,
      count: known.count,
    };
    await this.#client.create(eventsRef, event);
    known.created = true;
  }

  #admit(uid: string): boolean {
    const nowMs = this.#clock.monotonicMs();
    const bucket = this.#buckets.get(uid) ?? { tokens: burst, filledAtMs: nowMs };
    bucket.tokens = Math.min(burst, bucket.tokens + (nowMs - bucket.filledAtMs) / refillMs);
    bucket.filledAtMs = nowMs;
    this.#buckets.delete(uid);
    this.#buckets.set(uid, bucket);
    if (this.#buckets.size > knownMax) this.#buckets.delete(this.#buckets.keys().next().value ?? '');
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }

  #remember(key: string, known: Known): void {
    this.#known.set(key, known);
    if (this.#known.size > knownMax) this.#known.delete(this.#known.keys().next().value ?? '');
  }
}
