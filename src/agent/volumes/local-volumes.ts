/**
 * Erases the built-in provisioner's volumes of this node (or of hollow ones) when they are released and are not to be kept.
 *
 *   volumes with our label (informer) ──released, to be deleted──▶ asked anew ──▶ erase ──▶ finalizer off, object deleted
 *
 * Each step may be done twice and none before the one it rests on, so that it may be killed anywhere. Invariant: nothing is erased of which the API does
 * not say at that moment that it is released.
 */
import {
  localHandle,
  localNodeLabel,
  localProvisioner,
  type PersistentVolume,
  provisionedBy,
  storageFinalizer,
} from '../../api/index.ts';
import type { Client, EventRecorder, Informers } from '../../client/index.ts';
import { type Clock, explainError, isError, type Log, type Random, WorkQueue } from '../../lib/index.ts';
import { persistentVolumesRef } from '../objects.ts';

export interface LocalVolumesOptions {
  readonly client: Client;
  readonly informers: Informers;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly events?: Pick<EventRecorder, 'record'>;
  /** The only node that it looks after; undefined: several, which `isOurs` tells. */
  readonly nodeName?: string;
  isOurs(nodeName: string): boolean;
  /** What is on the disk goes. Throws while it is in use. */
  erase(handle: string): Promise<void>;
}

export class LocalVolumes {
  readonly #options: LocalVolumesOptions;
  readonly #queue: WorkQueue<string>;
  readonly #subscription: { cancel(): void };

  constructor(options: LocalVolumesOptions) {
    this.#options = options;
    const { clock, random, log, nodeName, informers } = options;
    this.#queue = new WorkQueue({
      clock,
      random: random.stream('local volumes'),
      workers: 4,
      firstRetryMs: 200,
      work: (name) => this.#work(name),
      onError: (name, error, failures) =>
        log.warn('cannot erase a volume', { volume: name, failures, error }),
    });
    const labelSelector = nodeName === undefined ? localNodeLabel : `${localNodeLabel}=${nodeName}`;
    this.#subscription = informers
      .informer<PersistentVolume>(persistentVolumesRef, { labelSelector })
      .onChange(({ kind, key, object }) => {
        if (kind !== 'deleted' && this.#isDue(object)) this.#queue.add(key);
      });
  }

  stop(): void {
    this.#subscription.cancel();
    this.#queue.stop();
  }

  #isDue(volume: PersistentVolume): boolean {
    const { metadata, spec, status } = volume;
    if (localHandle(volume) === undefined || metadata.annotations?.[provisionedBy] !== localProvisioner)
      return false;
    if (!this.#options.isOurs(metadata.labels?.[localNodeLabel] ?? '')) return false;
    return status?.phase === 'Released' && spec?.persistentVolumeReclaimPolicy === 'Delete';
  }

  async #work(name: string): Promise<void> {
    const { client, erase } = this.#options;
    try {
      const volume = await client.get<PersistentVolume>(persistentVolumesRef, undefined, name);
      const handle = localHandle(volume);
      if (handle === undefined || !this.#isDue(volume)) return;
      await erase(handle).catch((error: unknown) => {
        this.#tell(volume, explainError(error));
        throw error;
      });
      await this.#remove(volume);
    } catch (error) {
      if (isError(error, 'notFound')) return;
      throw error;
    }
  }

  async #remove({ metadata }: PersistentVolume): Promise<void> {
    const { client } = this.#options;
    const { name = '', uid = '', resourceVersion, finalizers = [] } = metadata;
    if (finalizers.includes(storageFinalizer)) {
      const rest = finalizers.filter((one) => one !== storageFinalizer);
      const patch = { metadata: { uid, resourceVersion, finalizers: rest.length === 0 ? null : rest } };
      await client.patch(persistentVolumesRef, undefined, name, 'merge', patch);
    }
    if (metadata.deletionTimestamp === undefined)
      await client.delete(persistentVolumesRef, undefined, name, { preconditions: { uid } });
  }

  #tell({ metadata }: PersistentVolume, message: string): void {
    const { name = '', uid = '' } = metadata;
    this.#options.events?.record({
      about: { apiVersion: 'v1', kind: 'PersistentVolume', name, uid },
      type: 'Warning',
      reason: 'VolumeFailedDelete',
      message,
    });
  }
}
