/**
 * Carries out what was decided about claims of devices, before a pod is bound: writes which devices each claim has got, and that the pod holds it.
 *
 *   decision ──▶ finalizer ──▶ status: allocation, reservedFor ──▶ (devices that say when they are ready) ──▶ the pod may be bound
 *                  └─ lost or refused: read again, until it is known how it stands ─ in vain ──▶ given back: reservation, then allocation
 *
 * Follows claims, slices, classes and rules of taints from the first pod on that claims devices. Invariant: what is decided is assumed in the book until it shows or is known
 * to have failed. A scheduler that is killed in between finds what it wrote: the pod holds its claims, and goes to their node; where it cannot, claims that
 * nobody else holds are given back. The controller of claims gives back what a pod holds that has ended.
 */

import type { DeviceClass, DeviceTaintRule, DynamicResourceClaim, ResourceSlice } from '../../api/index.ts';
import { type Pod, pods as podsRef } from '../../api/index.ts';
import type { Change, Client, Informers, ResourceRef } from '../../client/index.ts';
import { CaelumError, type Clock, formatTime, isError, type Log, sameJson } from '../../lib/index.ts';
import type { Snapshot } from '../snapshot.ts';
import { type ClaimDecision, type ClaimPart, claimKeyOf, isHeldBy } from './claim-book.ts';
import type { Allocation } from './device-ledger.ts';

export interface ClaimBindingOptions {
  readonly client: Client;
  readonly informers: Informers;
  readonly clock: Clock;
  readonly log: Log;
  readonly snapshot: Snapshot;
  /** Something has changed that pods with claims may wait for. */
  onChange(): void;
}

const kinds = (resource: string, namespaced: boolean): ResourceRef => ({
  group: 'resource.k8s.io',
  version: 'v1',
  resource,
  namespaced,
});
export const claimsRef = kinds('resourceclaims', true);
const slicesRef = kinds('resourceslices', false);
const classesRef = kinds('deviceclasses', false);
const taintRulesRef = { ...kinds('devicetaintrules', false), version: 'v1beta2' };

const finalizer = 'resource.kubernetes.io/delete-protection';
/** As kube-scheduler's `bindingTimeout`. */
const readyTimeoutMs = 600_000;
const conflictsMax = 5;
const firstRestMs = 200;
const restMsMax = 10_000;

type Claim = DynamicResourceClaim;

interface Wait {
  readonly decision: ClaimDecision;
  readonly done: PromiseWithResolvers<void>;
}

export class ClaimBinding {
  readonly #options: ClaimBindingOptions;
  readonly #subscriptions: { cancel(): void }[] = [];
  /** Until devices are ready, by pod. */
  readonly #waits = new Map<string, Wait>();
  /** Pods that went while something was written for them. */
  readonly #writing = new Map<string, { isCancelled: boolean }>();
  /** Claims that are being given back to make a pod fit. */
  readonly #freeing = new Set<string>();
  #isFollowing = false;
  #isStopped = false;

  constructor(options: ClaimBindingOptions) {
    this.#options = options;
  }

  get isFollowing(): boolean {
    return this.#isFollowing;
  }

  /** Resolves when all claims, slices and classes are known. */
  async follow(): Promise<void> {
    if (this.#isFollowing) return;
    this.#isFollowing = true;
    const { informers, snapshot, onChange } = this.#options;
    const book = snapshot.deviceClaims;
    const claims = informers.informer<Claim>(claimsRef);
    const slices = informers.informer<ResourceSlice>(slicesRef);
    const classes = informers.informer<DeviceClass>(classesRef);
    const rules = informers.informer<DeviceTaintRule>(taintRulesRef);
    this.#subscriptions.push(
      claims.onChange((change) => {
        const { kind, key, object } = change;
        if (kind === 'deleted') book.removeClaim(key);
        else book.setClaim(object);
        for (const podKey of [...this.#waits.keys()]) this.#look(podKey);
        if (mayHelp(change)) onChange();
      }),
      slices.onChange(({ kind, key, object }) => {
        if (kind === 'deleted') book.removeSlice(key);
        else book.setSlice(object);
        onChange();
      }),
      classes.onChange(({ kind, key, object }) => {
        if (kind === 'deleted') book.removeClass(key);
        else book.setClass(object);
        onChange();
      }),
      rules.onChange((change) => {
        const { kind, key, object } = change;
        if (kind === 'deleted') book.removeTaintRule(key);
        else book.setTaintRule(object);
        // Nor is its status a reason to try again.
        const isOther =
          change.kind !== 'updated' || change.previous.metadata.generation !== object.metadata.generation;
        if (isOther) onChange();
      }),
    );
    await Promise.all([claims, slices, classes, rules].map((one) => one.whenSynced()));
  }

  /** Resolves when the pod holds its claims and their devices are ready. Throws why it will not; nothing is assumed of it any more then, and all is given back. */
  async carryOut(podKey: string, decision: ClaimDecision): Promise<void> {
    const { snapshot } = this.#options;
    const writing = { isCancelled: false };
    this.#writing.set(podKey, writing);
    try {
      for (const part of decision.claims) {
        if (part.isNew === true) await this.#make(part.claim);
        await this.#write(part, decision.pod);
      }
      await this.#tell(decision);
      if (writing.isCancelled) throw gone();
      for (const { claim } of decision.claims) {
        const now = snapshot.deviceClaims.claim(claimKeyOf(claim));
        if (now !== undefined && snapshot.deviceClaims.isContested(now))
          throw new CaelumError(
            'conflict',
            `a device of claim ${claimKeyOf(claim)} got allocated elsewhere in the meantime`,
          );
      }
      await this.#whenReady(podKey, decision);
    } catch (error) {
      await this.giveBack(decision);
      throw error;
    } finally {
      if (this.#writing.get(podKey) === writing) this.#writing.delete(podKey);
      snapshot.deviceClaims.release(podKey);
    }
  }

  /** The pod has gone. */
  cancel(podKey: string): void {
    const writing = this.#writing.get(podKey);
    if (writing !== undefined) writing.isCancelled = true;
    if (this.#waits.has(podKey)) this.#end(podKey, gone());
  }

  stop(): void {
    this.#isStopped = true;
    for (const one of this.#subscriptions) one.cancel();
    for (const podKey of [...this.#waits.keys()]) this.cancel(podKey);
  }

  /** The pod could not be bound: it holds its claims no longer, and those that were allocated for it are free. Never rejects. */
  async giveBack({ claims, pod }: ClaimDecision): Promise<void> {
    for (const { claim, allocation, isNew } of claims) {
      const made = isNew === true ? this.#options.snapshot.deviceClaims.claim(claimKeyOf(claim)) : claim;
      // It was never made.
      if (made?.metadata.uid === undefined) continue;
      await this.#free(made, pod, allocation !== undefined);
      if (isNew === true) await this.#unmake(made, pod);
    }
  }

  /** The pod fits nowhere while its claims have the devices that they have: one that nobody else holds gets others. Never rejects. */
  async freeIdle(pod: Pod): Promise<void> {
    const { snapshot } = this.#options;
    const claim = snapshot.deviceClaims.idleOf(pod)[0];
    if (claim === undefined || this.#freeing.has(claimKeyOf(claim))) return;
    this.#freeing.add(claimKeyOf(claim));
    await this.#free(claim, pod, true);
    this.#freeing.delete(claimKeyOf(claim));
  }

  /** The claim for extended resources: its name is always the same, so that a lost answer makes no second one. */
  async #make(claim: Claim): Promise<void> {
    const { client, snapshot } = this.#options;
    const { namespace, name = '', ownerReferences = [] } = claim.metadata;
    const draft = { ...claim, metadata: { ...claim.metadata, finalizers: [finalizer] } };
    await this.#untilAnswered(async () => {
      try {
        snapshot.deviceClaims.setClaim(await client.create<Claim>(claimsRef, draft));
      } catch (error) {
        if (!isError(error, 'alreadyExists')) throw error;
        const there = await client.get<Claim>(claimsRef, namespace, name);
        if (there.metadata.ownerReferences?.[0]?.uid !== ownerReferences[0]?.uid) throw error;
        snapshot.deviceClaims.setClaim(there);
      }
    });
  }

  /** Does it again where nobody knows whether it was done. */
  async #untilAnswered(act: () => Promise<void>): Promise<void> {
    for (let restMs = firstRestMs; !this.#isStopped; restMs = Math.min(restMsMax, 2 * restMs)) {
      try {
        await act();
        return;
      } catch (error) {
        const isUnknown = isError(error, 'timeout', 'unavailable', 'internal', 'tooManyRequests');
        if (!isUnknown) throw error;
      }
      await this.#options.clock.sleep(restMs);
    }
    throw gone();
  }

  /** Nobody needs it any more: another node may have the resources itself. */
  async #unmake({ metadata }: Claim, pod: Pod): Promise<void> {
    const { client, log } = this.#options;
    const { namespace, name = '', uid = '' } = metadata;
    try {
      await client.delete(claimsRef, namespace, name, { preconditions: { uid } });
      await this.#patchPod(pod, null);
    } catch (error) {
      if (!isError(error, 'notFound', 'conflict'))
        log.warn('cannot delete a claim for extended resources', { claim: `${namespace}/${name}`, error });
    }
  }

  /** Which of its containers has what of the claim for its extended resources: the node reads it there. */
  async #tell({ pod, extended }: ClaimDecision): Promise<void> {
    if (extended === undefined || sameJson(pod.status?.extendedResourceClaimStatus, extended)) return;
    await this.#untilAnswered(() => this.#patchPod(pod, extended));
  }

  async #patchPod({ metadata }: Pod, extended: ClaimDecision['extended'] | null): Promise<void> {
    const { namespace, name = '', uid } = metadata;
    const body = { metadata: { uid }, status: { extendedResourceClaimStatus: extended } };
    const options = { subresource: 'status' };
    await this.#options.client.patch<Pod>(podsRef, namespace, name, 'merge', body as never, options);
  }

  async #write({ claim: decided, allocation, isNew }: ClaimPart, pod: Pod): Promise<void> {
    const { clock, snapshot } = this.#options;
    const made = isNew === true ? snapshot.deviceClaims.claim(claimKeyOf(decided)) : undefined;
    await this.#untilKnown(made ?? decided, async (claim) => {
      const key = claimKeyOf(claim);
      const there = claim.status?.allocation;
      if (claim.metadata.deletionTimestamp !== undefined) return `claim ${key} got deleted in the meantime`;
      if (there === undefined && allocation === undefined)
        return `claim ${key} got deallocated in the meantime`;
      if (there !== undefined && allocation !== undefined && !isSame(there, allocation))
        return `claim ${key} got allocated elsewhere in the meantime`;
      if (there !== undefined && isHeldBy(claim, pod)) return undefined;
      const { name = '', uid = '' } = pod.metadata;
      const reservedFor = [...(claim.status?.reservedFor ?? []), { resource: 'pods', name, uid }];
      if (there !== undefined) {
        await this.#patch(claim, { status: { reservedFor } }, 'status');
        return undefined;
      }
      const finalizers = claim.metadata.finalizers ?? [];
      const kept = finalizers.includes(finalizer)
        ? claim
        : await this.#patch(claim, { metadata: { finalizers: [...finalizers, finalizer] } });
      const stamped = { ...allocation, allocationTimestamp: formatTime(clock.nowMs()) };
      await this.#patch(kept, { status: { allocation: stamped, reservedFor } }, 'status');
      return undefined;
    });
  }

  async #free(decided: Claim, pod: Pod, isAllocatedForIt: boolean): Promise<void> {
    const { log } = this.#options;
    try {
      await this.#untilKnown(decided, async (claim) => {
        const { reservedFor = [], allocation } = claim.status ?? {};
        const others = reservedFor.filter(({ uid }) => uid !== pod.metadata.uid);
        const isIdle = isAllocatedForIt && others.length === 0 && allocation !== undefined;
        if (others.length === reservedFor.length && !isIdle) return undefined;
        const status = isIdle
          ? { allocation: null, reservedFor: null, devices: null }
          : { reservedFor: others };
        const freed = await this.#patch(claim, { status }, 'status');
        const finalizers = (freed.metadata.finalizers ?? []).filter((one) => one !== finalizer);
        if (isIdle) await this.#patch(freed, { metadata: { finalizers } });
        return undefined;
      });
    } catch (error) {
      if (!isError(error, 'notFound', 'conflict'))
        log.warn('cannot give a claim back', { claim: claimKeyOf(decided), error });
    }
  }

  /**
   * Does it with the claim as it is known, and again with the claim as it is read after an answer that was lost or a conflict. What is known of the claim
   * afterwards is in the book. `act` answers why it cannot be done, however often.
   */
  async #untilKnown(decided: Claim, act: (claim: Claim) => Promise<string | undefined>): Promise<void> {
    const { client, clock, snapshot } = this.#options;
    const { namespace, name = '', uid } = decided.metadata;
    let claim: Claim | undefined = snapshot.deviceClaims.claim(claimKeyOf(decided)) ?? decided;
    let conflicts = 0;
    let refused: CaelumError | undefined;
    let restMs = firstRestMs;
    while (!this.#isStopped) {
      try {
        claim ??= await client.get<Claim>(claimsRef, namespace, name);
        if (claim.metadata.uid !== uid)
          throw new CaelumError('notFound', `resourceclaim "${name}" not found`);
        snapshot.deviceClaims.setClaim(claim);
        const why = await act(claim);
        if (why === undefined) return;
        refused = new CaelumError('conflict', why);
        break;
      } catch (error) {
        claim = undefined;
        if (isError(error, 'conflict') && ++conflicts < conflictsMax) continue;
        // It may have been carried out all the same.
        if (!isError(error, 'timeout', 'unavailable', 'internal', 'tooManyRequests')) throw error;
      }
      await clock.sleep(restMs);
      restMs = Math.min(restMsMax, 2 * restMs);
    }
    throw refused ?? gone();
  }

  async #patch({ metadata }: Claim, change: object, subresource?: 'status'): Promise<Claim> {
    const { client, snapshot } = this.#options;
    const { namespace, name = '', uid, resourceVersion } = metadata;
    const own = 'metadata' in change ? (change.metadata as object) : {};
    const body = { ...change, metadata: { uid, resourceVersion, ...own } };
    const options = subresource === undefined ? {} : { subresource };
    const claim = await client.patch<Claim>(claimsRef, namespace, name, 'merge', body as never, options);
    snapshot.deviceClaims.setClaim(claim);
    return claim;
  }

  #whenReady(podKey: string, decision: ClaimDecision): Promise<void> {
    if (this.#outcome(decision) === 'ready') return Promise.resolve();
    const wait = { decision, done: Promise.withResolvers<void>() };
    this.#waits.set(podKey, wait);
    const timer = this.#options.clock.after(readyTimeoutMs, () =>
      this.#end(
        podKey,
        new CaelumError('timeout', `claim ${claimKeyOf(decision.claims[0]?.claim as Claim)} binding timeout`),
      ),
    );
    this.#look(podKey);
    return wait.done.promise.finally(() => timer.cancel());
  }

  #look(podKey: string): void {
    const wait = this.#waits.get(podKey);
    const outcome = wait && this.#outcome(wait.decision);
    if (outcome !== undefined) this.#end(podKey, outcome === 'ready' ? undefined : outcome);
  }

  #end(podKey: string, error: CaelumError | undefined): void {
    const wait = this.#waits.get(podKey);
    if (wait === undefined) return;
    this.#waits.delete(podKey);
    if (error === undefined) wait.done.resolve();
    else wait.done.reject(error);
  }

  /** Whether all devices say of themselves what they have to say before a pod is bound; undefined: not yet. */
  #outcome({ claims }: ClaimDecision): 'ready' | CaelumError | undefined {
    let isPending = false;
    for (const { claim: decided, isNew = false } of claims) {
      const key = claimKeyOf(decided);
      const claim = this.#options.snapshot.deviceClaims.claim(key);
      if (claim === undefined || (!isNew && claim.metadata.uid !== decided.metadata.uid))
        return new CaelumError('notFound', `resourceclaim "${key}" not found`);
      const { allocation, devices = [] } = claim?.status ?? {};
      for (const { driver, pool, device, bindingConditions = [], bindingFailureConditions = [] } of allocation
        ?.devices?.results ?? []) {
        const status = devices.find(
          (one) => one.driver === driver && one.pool === pool && one.device === device,
        );
        const isTrue = (type: string): boolean =>
          status?.conditions?.some((one) => one.type === type && one.status === 'True') === true;
        const failed = bindingFailureConditions.find(isTrue);
        if (failed !== undefined)
          return new CaelumError(
            'invalid',
            `claim ${key} binding failed: device ${driver}/${pool}/${device}: ${failed}`,
          );
        isPending ||= !bindingConditions.every(isTrue);
      }
    }
    return isPending ? undefined : 'ready';
  }
}

const gone = (): CaelumError => new CaelumError('notFound', 'the pod is gone');

/** The same devices; ids of shares are made anew with each attempt. */
function isSame(a: Allocation, b: Allocation): boolean {
  const devicesOf = ({ devices }: Allocation): string =>
    JSON.stringify(
      (devices?.results ?? []).map(({ request, driver, pool, device }) => [request, driver, pool, device]),
    );
  return devicesOf(a) === devicesOf(b);
}

/** A claim that is there now, has been given back, has one holder less, or that several pods share. */
function mayHelp(change: Change<Claim>): boolean {
  if (change.kind !== 'updated') return true;
  const { status: now, metadata } = change.object;
  const { status: before } = change.previous;
  if (before?.allocation !== undefined && now?.allocation === undefined) return true;
  if ((now?.reservedFor?.length ?? 0) < (before?.reservedFor?.length ?? 0)) return true;
  const isShared = metadata.ownerReferences?.some(({ controller }) => controller === true) !== true;
  return isShared && before?.allocation === undefined && now?.allocation !== undefined;
}
