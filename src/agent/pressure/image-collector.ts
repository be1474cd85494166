/**
 * Deletes images that no pod uses when the disk is too full: those first that were used least recently, until it is full enough no more.
 *
 *   every 5 min: disk fuller than the high mark ─▶ delete down to the low mark        pressure ─▶ delete all that nobody uses
 *
 * Source: Kubernetes, "Garbage collection of containers and images", as behaviour.
 */
import type { ObjectReference } from '../../api/index.ts';
import type { EventRecorder } from '../../client/index.ts';
import { type Clock, isError, type Log, type Timer } from '../../lib/index.ts';
import type { Image, ImageStore } from '../images/index.ts';
import type { NodeConfig } from '../node/node-config.ts';
import type { Amount } from './thresholds.ts';

export interface ImageCollectorOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly events: Pick<EventRecorder, 'record'>;
  readonly node: ObjectReference;
  readonly config: Pick<NodeConfig, 'imageHighPercent' | 'imageLowPercent' | 'imageMinimumAgeMs'>;
  readonly images: Pick<ImageStore, 'list' | 'remove'>;
  /** Of the file system where images are. */
  readonly disk: () => Promise<Amount>;
  /** Whole names and ids of the images that pods of this node use. */
  readonly used: () => ReadonlySet<string>;
}

const periodMs = 5 * 60_000;
/** Who lists images does so often; to know when one was used last, this is often enough. */
const noteMs = 60_000;

interface Seen {
  readonly firstMs: number;
  usedMs: number;
}

/** The bytes that have to be freed; 0: enough is free. */
export function surplusOf({ available, capacity }: Amount, highPercent: number, lowPercent: number): number {
  if (capacity === 0) return 0;
  const usedPercent = 100 - Math.floor((available * 100) / capacity);
  if (highPercent >= 100 || usedPercent < highPercent) return 0;
  return Math.max(0, Math.floor((capacity * (100 - lowPercent)) / 100) - available);
}

const never = Number.NEGATIVE_INFINITY;

const isNamedIn = (used: ReadonlySet<string>, { id, names, digests }: Image): boolean =>
  used.has(id) || names.some((name) => used.has(name)) || digests.some((name) => used.has(name));

export class ImageCollector {
  readonly #options: ImageCollectorOptions;
  readonly #seen = new Map<string, Seen>();
  #notedMs = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: ImageCollectorOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#stopped) return;
    this.#timer = this.#options.clock.after(periodMs, () => void this.#turn());
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** Somebody has listed them anyway. */
  note(images: readonly Image[]): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#notedMs < noteMs) return;
    this.#notedMs = nowMs;
    const used = this.#options.used();
    const present = new Set<string>();
    for (const image of images) {
      present.add(image.id);
      const known = this.#seen.get(image.id);
      const isUsed = isNamedIn(used, image);
      if (known === undefined) this.#seen.set(image.id, { firstMs: nowMs, usedMs: isUsed ? nowMs : never });
      else if (isUsed) known.usedMs = nowMs;
    }
    for (const id of this.#seen.keys()) if (!present.has(id)) this.#seen.delete(id);
  }

  async #turn(): Promise<void> {
    const { config, disk, events, node, log } = this.#options;
    try {
      const amount = await disk();
      const wanted = surplusOf(amount, config.imageHighPercent, config.imageLowPercent);
      if (wanted > 0) {
        const freed = await this.#free(wanted);
        if (freed < wanted) {
          const message = `Failed to garbage collect required amount of images. Attempted to free ${wanted} bytes, but only found ${freed} bytes eligible to free.`;
          events.record({ about: node, type: 'Warning', reason: 'FreeDiskSpaceFailed', message });
        }
      }
    } catch (error) {
      log.warn('cannot collect images', { error });
    }
    this.start();
  }

  #lastUsed({ id }: Image): number {
    return this.#seen.get(id)?.usedMs ?? never;
  }

  /** All that nobody uses. */
  async collectAll(): Promise<void> {
    await this.#free(Number.POSITIVE_INFINITY);
  }

  /** Answers how many bytes went. */
  async #free(wantedBytes: number): Promise<number> {
    const { images, clock, config, log } = this.#options;
    const all = await images.list();
    this.note(all);
    const used = this.#options.used();
    const nowMs = clock.monotonicMs();
    const idle = all
      .filter((image) => !isNamedIn(used, image))
      .filter(({ id }) => nowMs - (this.#seen.get(id)?.firstMs ?? nowMs) >= config.imageMinimumAgeMs)
      .toSorted((a, b) => this.#lastUsed(a) - this.#lastUsed(b) || 0);
    let freed = 0;
    for (const image of idle) {
      if (freed >= wantedBytes) break;
      try {
        await images.remove(image.id);
        freed += image.sizeBytes;
        this.#seen.delete(image.id);
        log.info('removed an image that nobody used', { image: image.names[0] ?? image.id });
      } catch (error) {
        if (!isError(error, 'notFound')) log.warn('cannot remove an image', { image: image.id, error });
      }
    }
    return freed;
  }
}
