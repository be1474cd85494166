/**
 * Writes one pod's status: at once, one patch at a time, only what changed; what changes meanwhile is written next.
 *
 * Invariant: the last wanted status is the one that is written in the end, however often the API server is away.
 */
import type { Pod, PodStatus } from '../../api/index.ts';
import type { Client } from '../../client/index.ts';
import { Backoff, type Clock, isError, type Log, type Random, type Timer } from '../../lib/index.ts';
import { podsRef } from '../objects.ts';

export interface StatusWriterOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** The object as the API server answered. */
  readonly onWritten: (pod: Pod) => void;
}

export class StatusWriter {
  readonly #options: StatusWriterOptions;
  readonly #backoff: Backoff;
  #pod: Pod | undefined;
  #wanted: PodStatus | undefined;
  #wantedText = '';
  #writtenText = '';
  #writing = false;
  #stopped = false;
  #retry: Timer | undefined;
  #waiters: (() => void)[] = [];

  constructor(options: StatusWriterOptions) {
    this.#options = options;
    this.#backoff = new Backoff({ firstMs: 200, maxMs: 10_000, jitter: 0.3, random: options.random });
  }

  write(pod: Pod, status: PodStatus): void {
    this.#pod = pod;
    this.#wanted = status;
    this.#wantedText = JSON.stringify(status);
    if (!this.#writing && this.#retry === undefined) void this.#run();
  }

  /** Resolves when what is wanted has been written, or can never be (the object is gone). */
  flushed(): Promise<void> {
    if (this.#wantedText === this.#writtenText || this.#stopped) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  stop(): void {
    this.#stopped = true;
    this.#retry?.cancel();
    this.#release();
  }

  #release(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter();
  }

  async #run(): Promise<void> {
    this.#writing = true;
    // Several changes within one turn become one patch.
    await Promise.resolve();
    while (!this.#stopped && this.#wanted !== undefined && this.#wantedText !== this.#writtenText) {
      const text = this.#wantedText;
      const pod = this.#pod as Pod;
      const { namespace, name = '', uid } = pod.metadata;
      try {
        const patch = { metadata: { uid }, status: this.#wanted };
        const options = { subresource: 'status' };
        const answer = await this.#options.client.patch<Pod>(
          podsRef,
          namespace,
          name,
          'strategic',
          patch,
          options,
        );
        this.#writtenText = text;
        this.#backoff.reset();
        this.#options.onWritten(answer);
      } catch (error) {
        if (isError(error, 'notFound', 'conflict')) {
          // Gone, or another pod of that name: nobody wants this status.
          this.#writtenText = text;
          continue;
        }
        this.#options.log.debug('cannot write pod status', { pod: `${namespace}/${name}`, error });
        this.#writing = false;
        this.#retry = this.#options.clock.after(this.#backoff.next(), () => {
          this.#retry = undefined;
          if (!this.#writing && !this.#stopped) void this.#run();
        });
        return;
      }
    }
    this.#writing = false;
    this.#release();
  }
}
