/**
 * ConfigMaps, Secrets, claims and volumes that pods use: read once, then watched, each for as long as some pod uses it.
 *
 * Invariant: an object that no pod uses is neither watched nor kept.
 */
import type {
  ConfigMap,
  DynamicResourceClaim,
  KubeObject,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  Secret,
} from '../../api/index.ts';
import type { Client, ResourceRef } from '../../client/index.ts';
import { Backoff, type Clock, type Log, type Random } from '../../lib/index.ts';
import { deviceClaimReferences } from '../devices/pod-claims.ts';
import {
  configMapsRef,
  persistentVolumeClaimsRef,
  persistentVolumesRef,
  resourceClaimsRef,
  secretsRef,
} from '../objects.ts';
import { claimReferencesOf } from './claim-content.ts';
import { referencesOf } from './volume-content.ts';

export type WatchedKind = 'configMap' | 'secret' | 'claim' | 'persistentVolume' | 'deviceClaim';

const refs: Readonly<Record<WatchedKind, ResourceRef>> = {
  configMap: configMapsRef,
  secret: secretsRef,
  claim: persistentVolumeClaimsRef,
  persistentVolume: persistentVolumesRef,
  deviceClaim: resourceClaimsRef,
};

interface Entry {
  readonly ref: ResourceRef;
  readonly namespace: string;
  readonly name: string;
  readonly users: Set<string>;
  readonly loaded: PromiseWithResolvers<void>;
  readonly backoff: Backoff;
  object: KubeObject | undefined;
  isLoaded: boolean;
  watch: { cancel(): void } | undefined;
  closed: boolean;
}

export interface WatchedObjectsOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** An object that these pods (by uid) use has changed, appeared or gone. */
  readonly onChange: (podUids: ReadonlySet<string>) => void;
}

export class WatchedObjects {
  readonly #options: WatchedObjectsOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: WatchedObjectsOptions) {
    this.#options = options;
  }

  /** From now on `podUid` uses exactly these. Resolves when all have been read once. */
  async use(
    podUid: string,
    namespace: string,
    references: readonly { readonly kind: WatchedKind; readonly name: string }[],
  ): Promise<void> {
    const keys = new Set(references.map(({ kind, name }) => `${kind}/${namespace}/${name}`));
    for (const [key, entry] of this.#entries)
      if (entry.users.has(podUid) && !keys.has(key)) this.#leave(key, entry, podUid);
    const waits: Promise<void>[] = [];
    for (const { kind, name } of references) {
      const key = `${kind}/${namespace}/${name}`;
      let entry = this.#entries.get(key);
      if (entry === undefined) {
        entry = this.#open(kind, namespace, name);
        this.#entries.set(key, entry);
      }
      entry.users.add(podUid);
      if (!entry.isLoaded) waits.push(entry.loaded.promise);
    }
    await Promise.all(waits);
  }

  /** All that a pod names, and the volumes that its claims are bound to. */
  async useAllOf(podUid: string, pod: Pod): Promise<void> {
    const { namespace = '' } = pod.metadata;
    const devices = deviceClaimReferences(pod);
    const named = devices.length === 0 ? referencesOf(pod) : [...referencesOf(pod), ...devices];
    const claims = () => claimReferencesOf(pod, (name) => this.claim(namespace, name));
    const before = claims();
    await this.use(podUid, namespace, before.length === 0 ? named : [...named, ...before]);
    if (before.length === 0) return;
    const after = claims();
    if (after.length > before.length) await this.use(podUid, namespace, [...named, ...after]);
  }

  release(podUid: string): void {
    for (const [key, entry] of this.#entries) if (entry.users.has(podUid)) this.#leave(key, entry, podUid);
  }

  configMap(namespace: string, name: string): ConfigMap | undefined {
    return this.#entries.get(`configMap/${namespace}/${name}`)?.object as ConfigMap | undefined;
  }

  secret(namespace: string, name: string): Secret | undefined {
    return this.#entries.get(`secret/${namespace}/${name}`)?.object as Secret | undefined;
  }

  claim(namespace: string, name: string): PersistentVolumeClaim | undefined {
    return this.#entries.get(`claim/${namespace}/${name}`)?.object as PersistentVolumeClaim | undefined;
  }

  /** Of no namespace; it is kept for each namespace that has a claim bound to it, which is one. */
  persistentVolume(namespace: string, name: string): PersistentVolume | undefined {
    return this.#entries.get(`persistentVolume/${namespace}/${name}`)?.object as PersistentVolume | undefined;
  }

  deviceClaim(namespace: string, name: string): DynamicResourceClaim | undefined {
    return this.#entries.get(`deviceClaim/${namespace}/${name}`)?.object as DynamicResourceClaim | undefined;
  }

  stop(): void {
    for (const entry of this.#entries.values()) this.#close(entry);
    this.#entries.clear();
  }

  #leave(key: string, entry: Entry, podUid: string): void {
    entry.users.delete(podUid);
    if (entry.users.size > 0) return;
    this.#entries.delete(key);
    this.#close(entry);
  }

  #close(entry: Entry): void {
    entry.closed = true;
    entry.watch?.cancel();
  }

  #open(kind: WatchedKind, namespace: string, name: string): Entry {
    const entry: Entry = {
      ref: refs[kind],
      namespace,
      name,
      users: new Set(),
      loaded: Promise.withResolvers(),
      backoff: new Backoff({ firstMs: 200, maxMs: 10_000, jitter: 0.3, random: this.#options.random }),
      object: undefined,
      isLoaded: false,
      watch: undefined,
      closed: false,
    };
    void this.#load(entry);
    return entry;
  }

  /** Lists (for a revision to watch from, whether it is there or not), then watches. Never rejects. */
  async #load(entry: Entry): Promise<void> {
    const { client, clock, log } = this.#options;
    const fieldSelector = `metadata.name=${entry.name}`;
    try {
      const place = entry.ref.namespaced ? { namespace: entry.namespace } : {};
      const list = await client.list(entry.ref, { ...place, fieldSelector });
      if (entry.closed) return;
      this.#set(entry, list.items[0]);
      entry.backoff.reset();
      const options = { ...place, fieldSelector, resourceVersion: list.resourceVersion };
      entry.watch = client.watch(entry.ref, options, {
        onEvent: (event) => {
          if (entry.closed || event.type === 'BOOKMARK') return;
          this.#set(entry, event.type === 'DELETED' ? undefined : event.object);
        },
        onEnd: () => {
          if (!entry.closed) clock.after(entry.backoff.next(), () => void this.#load(entry));
        },
      });
    } catch (error) {
      if (entry.closed) return;
      log.debug('cannot read an object that a pod uses', { name: entry.name, error });
      clock.after(entry.backoff.next(), () => {
        if (!entry.closed) void this.#load(entry);
      });
    }
  }

  #set(entry: Entry, object: KubeObject | undefined): void {
    const changed = entry.object?.metadata.resourceVersion !== object?.metadata.resourceVersion;
    entry.object = object;
    if (!entry.isLoaded) {
      entry.isLoaded = true;
      entry.loaded.resolve();
      return;
    }
    if (changed) this.#options.onChange(entry.users);
  }
}
