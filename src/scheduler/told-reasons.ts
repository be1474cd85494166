/**
 * Tells why pods wait, in their condition `PodScheduled`, until it is there: a pod that waits is looked at again only when something changes.
 *
 *   tell ─▶ line (keys only) ─▶ a bounded number at a time: why does it wait now? ─▶ patch of the status ─ failed ─▶ again, while it waits
 *
 * Invariant: what is told already is not told again. A million pods that wait are told one after the other, and nobody waits for that.
 */
import { type Pod, pods as podsRef } from '../api/index.ts';
import type { Client } from '../client/index.ts';
import { type Clock, formatTime, isError, type Log, type Random, WorkQueue } from '../lib/index.ts';
import type { Hold } from './queue/part.ts';
import type { Snapshot } from './snapshot.ts';

export interface ToldReasonsOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly snapshot: Snapshot;
  /** The pod as it waits now, and why; undefined: it does so no more. */
  why(podKey: string): (Hold & { readonly pod: Pod }) | undefined;
}

/** Until a reason that could not be written is written again. */
const toldAgainMs = 5000;
const writersMax = 32;

export class ToldReasons {
  readonly #options: ToldReasonsOptions;
  readonly #queue: WorkQueue<string>;

  constructor(options: ToldReasonsOptions) {
    this.#options = options;
    const { clock, random, log } = options;
    this.#queue = new WorkQueue({
      clock,
      random,
      workers: writersMax,
      firstRetryMs: toldAgainMs,
      work: (podKey) => this.#write(podKey),
      onError: (podKey, error) => log.warn('cannot tell why a pod waits', { pod: podKey, error }),
    });
  }

  /** How many have to be told yet. */
  get size(): number {
    return this.#queue.size;
  }

  stop(): void {
    this.#queue.stop();
  }

  tell(podKey: string): void {
    this.#queue.add(podKey);
  }

  async #write(podKey: string): Promise<void> {
    const { clock, client, snapshot, why } = this.#options;
    const told = why(podKey);
    if (told === undefined) return this.#queue.forget(podKey);
    const { pod, reason, message } = told;
    const known = pod.status?.conditions?.find((one) => one.type === 'PodScheduled');
    const nominated = snapshot.nominations.get(podKey)?.nodeName ?? '';
    const isNominated = nominated === (pod.status?.nominatedNodeName ?? '');
    const isKnown = known?.status === 'False' && known.message === message && known.reason === reason;
    if (isNominated && isKnown) return this.#queue.forget(podKey);
    const condition = {
      type: 'PodScheduled',
      status: 'False',
      reason,
      message,
      // One that was made with gates has a condition without a time.
      lastTransitionTime:
        (known?.status === 'False' ? known.lastTransitionTime : undefined) ?? formatTime(clock.nowMs()),
    };
    const { namespace, name = '', uid } = pod.metadata;
    const status = {
      conditions: [condition],
      ...(isNominated ? {} : { nominatedNodeName: nominated === '' ? null : nominated }),
    };
    try {
      await client.patch(
        podsRef,
        namespace,
        name,
        'strategic',
        { metadata: { uid }, status },
        { subresource: 'status' },
      );
    } catch (error) {
      if (!isError(error, 'notFound', 'conflict')) throw error;
    }
    this.#queue.forget(podKey);
  }
}
