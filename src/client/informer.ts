/**
 * Local copies of selections of objects, kept current: one list, then one watch that goes on where the list ended.
 *
 *   list (in pages) ──▶ differences ──▶ watch ──event──▶ copy, indices, handlers
 *        ▲                               │ ended, lost: watch again from the last revision seen
 *        └────────── expired ────────────┘ after errors: jittered exponential back-off
 *
 * Pure apart from the client. Invariant: handlers are told exactly the changes of the copy, in order, each after the copy has it;
 * so who adds up `added` and `deleted` has the copy, whatever was lost or repeated on the way.
 */
import type { KubeObject } from '../api/index.ts';
import { type Clock, explainError, isError, type Log, type Random } from '../lib/index.ts';
import {
  type Client,
  type Informer,
  type Informers,
  keyOf,
  type ListOptions,
  type ResourceRef,
  type WatchEvent,
} from './client.ts';
import { ObjectCopy } from './object-copy.ts';

type Selection = Pick<ListOptions, 'namespace' | 'labelSelector' | 'fieldSelector'>;

export interface InformersOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: Random;
  /** Objects a page of the initial list. */
  readonly pageSize?: number;
}

const firstDelayMs = 100;
const longestDelayMs = 10_000;
/** A watch that lasted this long was a good one. */
const goodWatchMs = 5_000;

/** Informers shared by all who ask for the same selection. They start at once and run until `stop`. */
export function createInformers(options: InformersOptions): Informers {
  const running = new Map<string, Follower<KubeObject>>();
  let stopped = false;
  return {
    informer<T extends KubeObject>(ref: ResourceRef, selection: Selection = {}): Informer<T> {
      const { namespace, labelSelector, fieldSelector } = selection;
      const id = JSON.stringify([
        ref.group,
        ref.version,
        ref.resource,
        namespace,
        labelSelector,
        fieldSelector,
      ]);
      let follower = running.get(id);
      if (follower === undefined) {
        follower = new Follower(options, ref, selection);
        running.set(id, follower);
        if (!stopped) void follower.run();
      }
      return follower.copy as unknown as Informer<T>;
    },
    forget({ group, version, resource }) {
      const prefix = JSON.stringify([group, version, resource]).slice(0, -1);
      for (const [id, follower] of running) {
        if (!id.startsWith(`${prefix},`)) continue;
        running.delete(id);
        follower.stop();
      }
    },
    stop() {
      stopped = true;
      for (const follower of running.values()) follower.stop();
    },
  };
}

class Follower<T extends KubeObject> {
  readonly copy = new ObjectCopy<T>();
  readonly #options: InformersOptions;
  readonly #ref: ResourceRef;
  readonly #selection: Selection;
  readonly #log: Log;
  readonly #stopping = new AbortController();
  #revision = '';
  #failures = 0;

  constructor(options: InformersOptions, ref: ResourceRef, selection: Selection) {
    this.#options = options;
    this.#ref = ref;
    this.#selection = selection;
    this.#log = options.log.with({ resource: ref.resource, ...selection });
  }

  stop(): void {
    this.#stopping.abort(new Error('the informers were stopped'));
  }

  /** Never rejects. */
  async run(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#stopping;
    let mustList = true;
    while (!signal.aborted) {
      let watchingSinceMs = Number.POSITIVE_INFINITY;
      let error: unknown;
      try {
        if (mustList) {
          this.copy.replace(await this.#list());
          mustList = false;
          this.#failures = 0;
        }
        watchingSinceMs = clock.monotonicMs();
        this.copy.followingSinceMs = watchingSinceMs;
        error = await this.#watch();
      } catch (thrown) {
        error = thrown;
      }
      this.copy.followingSinceMs = undefined;
      if (signal.aborted) return;
      if (isError(error, 'expired')) {
        // Whoever says so can be reached: listing need not wait for as long as the failures before it asked for.
        if (!mustList) this.#failures = 0;
        mustList = true;
      }
      const wasGood = clock.monotonicMs() - watchingSinceMs >= goodWatchMs;
      if (wasGood) this.#failures = 0;
      if (wasGood && error === undefined) continue;
      await this.#backOff(error);
    }
  }

  /** Waits 100 ms, 200 ms, … 10 s, each between half and the whole, so that a thousand informers do not return together. */
  async #backOff(error: unknown): Promise<void> {
    const { clock, random } = this.#options;
    const wholeMs = Math.min(longestDelayMs, firstDelayMs * 2 ** this.#failures);
    const delayMs = wholeMs * (0.5 + random.float() / 2);
    if (error !== undefined) {
      const fields = { error: explainError(error), retryMs: Math.round(delayMs) };
      if (this.#failures < 3) this.#log.debug('informer lost its source', fields);
      else this.#log.warn('informer cannot reach its source', fields);
    }
    this.#failures = Math.min(this.#failures + 1, 20);
    await clock.sleep(delayMs, this.#stopping.signal).catch(() => {});
  }

  /** The whole selection at one revision. */
  async #list(): Promise<readonly T[]> {
    const { client, pageSize = 2000 } = this.#options;
    const { signal } = this.#stopping;
    const options = { ...this.#selection, signal };
    const first = await client.list<T>(this.#ref, { ...options, limit: pageSize });
    const items = [...first.items];
    try {
      for (let next = first.continue; next !== undefined && next !== ''; ) {
        const page = await client.list<T>(this.#ref, { ...options, limit: pageSize, continue: next });
        for (const item of page.items) items.push(item);
        next = page.continue;
      }
    } catch (error) {
      if (!isError(error, 'expired')) throw error;
      // So many changes that the pages' revision is gone: all at once.
      const whole = await client.list<T>(this.#ref, options);
      this.#revision = whole.resourceVersion;
      return whole.items;
    }
    this.#revision = first.resourceVersion;
    return items;
  }

  /** Resolves when the watch has ended, with its error. */
  #watch(): Promise<Error | undefined> {
    const { signal } = this.#stopping;
    return new Promise((resolve) => {
      const options = { ...this.#selection, resourceVersion: this.#revision, signal };
      const watch = this.#options.client.watch<T>(this.#ref, options, {
        onEvent: (event) => {
          if (!signal.aborted) this.#onEvent(event);
        },
        onEnd: (error) => {
          signal.removeEventListener('abort', onAbort);
          resolve(error);
        },
      });
      const onAbort = (): void => {
        watch.cancel();
        resolve(undefined);
      };
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  #onEvent(event: WatchEvent<T>): void {
    this.#failures = 0;
    if (event.type === 'BOOKMARK') {
      this.#revision = event.resourceVersion;
      return;
    }
    const { resourceVersion } = event.object.metadata;
    if (resourceVersion !== undefined && !isOlder(resourceVersion, this.#revision))
      this.#revision = resourceVersion;
    const known = this.copy.get(keyOf(event.object));
    if (known !== undefined && isOlder(resourceVersion, known.metadata.resourceVersion)) return;
    if (event.type === 'DELETED') this.copy.delete(event.object);
    else this.copy.set(event.object);
  }
}

/** Whether revision `a` is before `b`, where both are numbers, as ours and (since 1.35) Kubernetes' are. */
function isOlder(a: string | undefined, b: string | undefined): boolean {
  return Number(a) < Number(b);
}
