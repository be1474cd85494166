/**
 * Carries out what was decided about volumes, before a pod is bound: reserves volumes, gives claims their node, waits until all are bound.
 *
 *   decision ──▶ volume.claimRef, claim's selected-node ──▶ (binder, provisioner) ──▶ claims bound ──▶ the pod may be
 *
 * Follows claims, volumes and classes from the first pod on that has claims. Invariant: what is decided is assumed in the book until it shows or has
 * failed, whatever happens on the way. A scheduler that is killed in between finds what it wrote, and decides the same again.
 */
import {
  boundByController,
  type CSINode,
  persistentVolumeClaims as claimsRef,
  storageClasses as classesRef,
  isFullyBound,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type StorageClass,
  selectedNode,
  type VolumeAttachment,
  persistentVolumes as volumesRef,
} from '../api/index.ts';
import type { Client, Informers, ResourceRef } from '../client/index.ts';
import { CaelumError, type Clock, isError } from '../lib/index.ts';
import type { Snapshot } from './snapshot.ts';
import type { VolumeDecision } from './volume-book.ts';

export interface VolumeBindingOptions {
  readonly client: Client;
  readonly informers: Informers;
  readonly clock: Clock;
  readonly snapshot: Snapshot;
  /** Something has changed that pods with claims may wait for. */
  onChange(): void;
}

interface Wait {
  readonly decision: VolumeDecision;
  readonly done: PromiseWithResolvers<void>;
}

const storageRef = (resource: string): ResourceRef => ({
  group: 'storage.k8s.io',
  version: 'v1',
  resource,
  namespaced: false,
});

/** As kube-scheduler's `bindTimeoutSeconds`. */
const bindTimeoutMs = 600_000;

export class VolumeBinding {
  readonly #options: VolumeBindingOptions;
  readonly #waits = new Map<string, Wait>();
  /** Pods that wait for a claim, by the claim. */
  readonly #waitsFor = new Map<string, Set<string>>();
  /** Pods that went while something was written for them. */
  readonly #writing = new Map<string, { isCancelled: boolean }>();
  readonly #subscriptions: { cancel(): void }[] = [];
  #isFollowing = false;

  constructor(options: VolumeBindingOptions) {
    this.#options = options;
  }

  get isFollowing(): boolean {
    return this.#isFollowing;
  }

  /** Resolves when all claims, volumes and classes are known. */
  async follow(): Promise<void> {
    if (this.#isFollowing) return;
    this.#isFollowing = true;
    const { informers, snapshot, onChange } = this.#options;
    const book = snapshot.volumes;
    const claims = informers.informer<PersistentVolumeClaim>(claimsRef);
    const volumes = informers.informer<PersistentVolume>(volumesRef);
    const classes = informers.informer<StorageClass>(classesRef);
    this.#subscriptions.push(
      claims.onChange(({ kind, key, object }) => {
        if (kind === 'deleted') book.removeClaim(key);
        else book.setClaim(object);
        for (const podKey of [...(this.#waitsFor.get(key) ?? [])]) this.#look(podKey);
        onChange();
      }),
      volumes.onChange(({ kind, key, object }) => {
        if (kind === 'deleted') book.removeVolume(key);
        else book.setVolume(object);
        const { claimRef } = object.spec ?? {};
        const claimKey = `${claimRef?.namespace}/${claimRef?.name}`;
        for (const podKey of [...(this.#waitsFor.get(claimKey) ?? [])]) this.#look(podKey);
        onChange();
      }),
      classes.onChange(({ kind, key, object }) => {
        if (kind === 'deleted') book.removeClass(key);
        else book.setClass(object);
        onChange();
      }),
    );
    await Promise.all([
      claims.whenSynced(),
      volumes.whenSynced(),
      classes.whenSynced(),
      ...this.#followLimits(),
    ]);
  }

  /** How many volumes nodes can have, and which are attached whoever asked for them. */
  #followLimits(): readonly Promise<void>[] {
    const { informers, snapshot, onChange } = this.#options;
    const { limits } = snapshot.volumes;
    const nodes = informers.informer<CSINode>(storageRef('csinodes'));
    const attachments = informers.informer<VolumeAttachment>(storageRef('volumeattachments'));
    this.#subscriptions.push(
      nodes.onChange(({ kind, key, object }) => {
        if (kind === 'deleted') limits.removeNode(key);
        else limits.setNode(object);
        onChange();
      }),
      attachments.onChange(({ kind, key, object }) => {
        if (kind === 'deleted') limits.removeAttachment(key);
        else limits.setAttachment(object);
        if (kind === 'deleted') onChange();
      }),
    );
    return [nodes.whenSynced(), attachments.whenSynced()];
  }

  /** Resolves when everything is bound. Throws why it will not be; nothing is assumed of it any more then. */
  async carryOut(podKey: string, decision: VolumeDecision): Promise<void> {
    const writing = { isCancelled: false };
    this.#writing.set(podKey, writing);
    try {
      await Promise.all([
        ...decision.reserve.map(({ claim, volume }) => this.#reserve(claim, volume)),
        ...decision.provision.map((claim) => this.#select(claim, decision.nodeName)),
      ]);
      if (writing.isCancelled) throw gone();
      await this.#whenBound(podKey, decision);
    } finally {
      if (this.#writing.get(podKey) === writing) this.#writing.delete(podKey);
      this.#options.snapshot.volumes.release(podKey);
    }
  }

  /** The pod has gone. What was written stays: the claim may have another pod. */
  cancel(podKey: string): void {
    const writing = this.#writing.get(podKey);
    if (writing !== undefined) writing.isCancelled = true;
    if (this.#waits.has(podKey)) this.#end(podKey, gone());
  }

  stop(): void {
    for (const one of this.#subscriptions) one.cancel();
    for (const podKey of [...this.#waits.keys()]) this.cancel(podKey);
  }

  async #reserve(claim: PersistentVolumeClaim, volume: PersistentVolume): Promise<void> {
    const { claimRef } = volume.spec ?? {};
    if (claimRef !== undefined && claimRef.uid === claim.metadata.uid) return;
    const { name = '', uid, resourceVersion } = volume.metadata;
    const { namespace, name: claimName, uid: claimUid } = claim.metadata;
    const annotations = claimRef === undefined ? { annotations: { [boundByController]: 'yes' } } : {};
    const patch = {
      metadata: { uid, resourceVersion, ...annotations },
      spec: {
        claimRef: {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          namespace,
          name: claimName,
          uid: claimUid,
          resourceVersion: claim.metadata.resourceVersion,
        },
      },
    };
    const { client } = this.#options;
    try {
      await client.patch(volumesRef, undefined, name, 'merge', patch);
    } catch (error) {
      if (!isError(error, 'conflict', 'timeout', 'unavailable')) throw error;
      // Carried out all the same, or somebody else wanted the same.
      const found = await client.get<PersistentVolume>(volumesRef, undefined, name);
      if (found.spec?.claimRef?.uid !== claimUid) throw error;
    }
  }

  async #select(claim: PersistentVolumeClaim, nodeName: string): Promise<void> {
    if (claim.metadata.annotations?.[selectedNode] === nodeName) return;
    const { namespace, name = '', uid, resourceVersion } = claim.metadata;
    const patch = { metadata: { uid, resourceVersion, annotations: { [selectedNode]: nodeName } } };
    const { client } = this.#options;
    try {
      await client.patch(claimsRef, namespace, name, 'merge', patch);
    } catch (error) {
      if (!isError(error, 'conflict', 'timeout', 'unavailable')) throw error;
      const found = await client.get<PersistentVolumeClaim>(claimsRef, namespace, name);
      const isSame = found.metadata.uid === uid;
      if (!isSame || (found.metadata.annotations?.[selectedNode] !== nodeName && !isFullyBound(found)))
        throw error;
    }
  }

  #whenBound(podKey: string, decision: VolumeDecision): Promise<void> {
    const wait = { decision, done: Promise.withResolvers<void>() };
    this.#waits.set(podKey, wait);
    for (const key of claimKeys(decision)) {
      const pods = this.#waitsFor.get(key);
      if (pods === undefined) this.#waitsFor.set(key, new Set([podKey]));
      else pods.add(podKey);
    }
    const timer = this.#options.clock.after(bindTimeoutMs, () =>
      this.#end(podKey, new CaelumError('timeout', 'context deadline exceeded')),
    );
    this.#look(podKey);
    return wait.done.promise.finally(() => timer.cancel());
  }

  #look(podKey: string): void {
    const wait = this.#waits.get(podKey);
    if (wait === undefined) return;
    const { snapshot } = this.#options;
    const row = snapshot.rowOf(wait.decision.nodeName);
    const node = row === undefined ? undefined : snapshot.facts(row);
    const outcome =
      node === undefined
        ? { failed: `node "${wait.decision.nodeName}" not found` }
        : snapshot.volumes.outcome(wait.decision, node);
    if (outcome === undefined) return;
    this.#end(podKey, outcome === 'bound' ? undefined : new CaelumError('invalid', outcome.failed));
  }

  #end(podKey: string, error: CaelumError | undefined): void {
    const wait = this.#waits.get(podKey);
    if (wait === undefined) return;
    this.#waits.delete(podKey);
    for (const key of claimKeys(wait.decision)) {
      const pods = this.#waitsFor.get(key);
      pods?.delete(podKey);
      if (pods?.size === 0) this.#waitsFor.delete(key);
    }
    if (error === undefined) wait.done.resolve();
    else wait.done.reject(error);
  }
}

const gone = (): CaelumError => new CaelumError('notFound', 'the pod is gone');

const claimKeys = ({ reserve, provision }: VolumeDecision): readonly string[] =>
  [...reserve.map(({ claim }) => claim), ...provision].map(
    ({ metadata }) => `${metadata.namespace}/${metadata.name}`,
  );
