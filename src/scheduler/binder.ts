/**
 * Carries a placement out: its volumes and devices first, then the binding; after a failure it finds out what has become of the pod.
 *
 *   step ─▶ (volumes) ─▶ Binding ─ carried out ─▶ assumed until the informer confirms
 *                          └─ failed, or its answer lost ─▶ where is it really? ─▶ there | given back, tried again after a rest
 *
 * Invariant: the place of a pod is kept until it is known whether it has it. The API's binding is the referee: nobody is bound twice, whoever else binds.
 */
import { type Pod, pods as podsRef, schedulingTermKey } from '../api/index.ts';
import type { Client, EventRecorder } from '../client/index.ts';
import { type Clock, explainError, isError, KeyedBackoff, type Log, type Random } from '../lib/index.ts';
import type { ClaimBinding } from './claims/claim-binding.ts';
import { gpuDevicesKey } from './devices/gpu-ask.ts';
import { about } from './eviction.ts';
import type { Binding } from './gangs/together.ts';
import type { Step } from './plan.ts';
import { heldByAnnotation } from './reservations/reserved.ts';
import type { Snapshot } from './snapshot.ts';
import type { VolumeBinding } from './volume-binding.ts';

/** Of who was elected among several schedulers. */
export interface Office {
  /** What bindings are marked with: the API server refuses those of who was deposed. */
  readonly term: string;
  /** Asked before each deed. */
  isHeld(): boolean;
}

export interface BinderOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly snapshot: Snapshot;
  readonly volumes: VolumeBinding;
  readonly deviceClaims: ClaimBinding;
  /** In whose name it is told of a pod. */
  events(pod: Pod): EventRecorder;
  readonly office?: Office;
  /** It is not bound, and is to be planned again as it is then. */
  again(podKey: string): void;
  /** One binding less is under way. */
  onLess(): void;
  /** A pod did not get the place that was kept for it. */
  onLeft(pod: Pod, row: number): void;
}

type Bind = Step & { readonly kind: 'bind' };

/** So long members of a gang wait for each other's volumes. */
const patienceMs = 300_000;

const isReady = ({ volumes, deviceClaims }: Bind): boolean =>
  volumes === undefined && deviceClaims === undefined;

const nothingGiven = {};

export class Binder {
  readonly #options: BinderOptions;
  /** A binding is under way. */
  readonly #binding = new Set<string>();
  readonly #backoff: KeyedBackoff<string>;
  /** Bindings that the API has not answered yet. */
  #asked = 0;
  #isStopped = false;

  constructor(options: BinderOptions) {
    this.#options = options;
    this.#backoff = new KeyedBackoff({ firstMs: 1000, maxMs: 10_000, jitter: 0.25, random: options.random });
  }

  /** How many bindings the API has to answer yet; those that wait for volumes are not counted. */
  get asked(): number {
    return this.#asked;
  }

  isBinding(podKey: string): boolean {
    return this.#binding.has(podKey);
  }

  bind(step: Bind, pod: Pod): void {
    void (isReady(step) ? this.#bind(step, pod) : this.#prepareAndBind(step, pod));
  }

  /** All at the same moment, or none: so many of them at least have to have their volumes and devices, before their patience is at an end. */
  bindTogether(bindings: readonly Binding[], least: number): void {
    if (bindings.every(({ step }) => isReady(step)))
      for (const { step, pod } of bindings) void this.#bind(step, pod);
    else void this.#bindWhenReady(bindings, least);
  }

  async #bindWhenReady(bindings: readonly Binding[], least: number): Promise<void> {
    const ready: Binding[] = [];
    let isOver = false;
    const preparing = bindings.map(async (one) => {
      const { step, pod } = one;
      this.#binding.add(step.podKey);
      if (!isReady(step) && !(await this.#prepare(step, pod))) return;
      if (isOver) await this.#withdraw(step, pod);
      else ready.push(one);
    });
    const patience = new AbortController();
    const { clock } = this.#options;
    await Promise.race([
      Promise.all(preparing),
      clock.sleep(patienceMs, patience.signal).catch(() => undefined),
    ]);
    patience.abort();
    isOver = true;
    const isEnough = ready.length >= least;
    await Promise.all(
      ready.map(({ step, pod }) => (isEnough ? this.#bind(step, pod) : this.#withdraw(step, pod))),
    );
  }

  /** It could be bound, and is not. */
  async #withdraw({ podKey, deviceClaims }: Bind, pod: Pod): Promise<void> {
    if (this.#isStopped) return;
    if (deviceClaims !== undefined) await this.#options.deviceClaims.giveBack(deviceClaims);
    this.#binding.delete(podKey);
    this.#giveBack(podKey, pod);
    this.againLater(podKey);
  }

  /** It has a node, or is no more. */
  forget(podKey: string): void {
    this.#backoff.reset(podKey);
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** After a rest that grows with each failure. */
  againLater(podKey: string): void {
    this.#againAfter(this.#backoff.next(podKey), podKey);
  }

  #againAfter(restMs: number, podKey: string): void {
    const { clock, again } = this.#options;
    clock.after(restMs, () => {
      if (!this.#isStopped) again(podKey);
    });
  }

  #giveBack(podKey: string, pod: Pod): void {
    const { snapshot, onLeft } = this.#options;
    const placed = snapshot.placed(podKey);
    if (placed !== undefined && placed.pod !== pod) return;
    snapshot.removePod(podKey);
    if (placed !== undefined) onLeft(pod, placed.row);
  }

  /** Never rejects. */
  async #prepareAndBind(step: Bind, pod: Pod): Promise<void> {
    if (await this.#prepare(step, pod)) await this.#bind(step, pod);
  }

  /** Its volumes and devices on the node. Answers whether it can be bound now. Never rejects. */
  async #prepare(step: Bind, pod: Pod): Promise<boolean> {
    const { events, snapshot } = this.#options;
    const { podKey, volumes, deviceClaims } = step;
    let what = 'plugin "VolumeBinding": binding volumes';
    this.#binding.add(podKey);
    try {
      if (volumes !== undefined) await this.#options.volumes.carryOut(podKey, volumes);
      what = 'plugin "DynamicResources"';
      if (deviceClaims !== undefined) await this.#options.deviceClaims.carryOut(podKey, deviceClaims);
    } catch (error) {
      if (this.#isStopped) return false;
      this.#binding.delete(podKey);
      // Where its turn had not come.
      if (deviceClaims !== undefined) snapshot.deviceClaims.release(podKey);
      const placed = snapshot.placed(podKey);
      const isStill = placed === undefined || placed.pod === pod;
      this.#giveBack(podKey, pod);
      const message = `running PreBind ${what}: ${explainError(error)}`;
      if (!isError(error, 'conflict', 'notFound'))
        events(pod).record({ about: about(pod), type: 'Warning', reason: 'FailedScheduling', message });
      if (isStill) this.againLater(podKey);
      else this.#againAfter(0, podKey);
      return false;
    }
    // That took its time.
    if (snapshot.rowOf(step.nodeName) !== undefined) return true;
    if (deviceClaims !== undefined) await this.#options.deviceClaims.giveBack(deviceClaims);
    this.#binding.delete(podKey);
    this.#giveBack(podKey, pod);
    this.#againAfter(0, podKey);
    return false;
  }

  async #bind(step: Bind, pod: Pod): Promise<void> {
    const { client, events, log } = this.#options;
    const { podKey, nodeName } = step;
    const { namespace = '', name = '', uid } = pod.metadata;
    this.#binding.add(podKey);
    this.#asked++;
    try {
      await client.createSubresource(podsRef, namespace, name, 'binding', {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name, namespace, ...(uid === undefined ? {} : { uid }), ...this.#given(step) },
        target: { apiVersion: 'v1', kind: 'Node', name: nodeName },
      } as never);
      this.#answered();
      events(pod).record({
        about: about(pod),
        type: 'Normal',
        reason: 'Scheduled',
        message: `Successfully assigned ${podKey} to ${nodeName}`,
      });
    } catch (error) {
      this.#answered();
      if (!isError(error, 'notFound', 'conflict'))
        log.warn('cannot bind pod', { pod: podKey, node: nodeName, error });
      await this.#settle(step, pod, isError(error, 'notFound', 'conflict'));
    } finally {
      this.#binding.delete(podKey);
    }
  }

  /** What the API server writes into the pod with its node: which GPUs it has there; and what it looks at. */
  #given({ gpus, heldBy }: Bind): { readonly annotations?: Readonly<Record<string, string>> } {
    const { office } = this.#options;
    if (gpus === undefined && heldBy === undefined && office === undefined) return nothingGiven;
    return {
      annotations: {
        ...(gpus === undefined ? {} : { [gpuDevicesKey]: gpus.join(',') }),
        ...(heldBy === undefined ? {} : { [heldByAnnotation]: heldBy }),
        ...(office === undefined ? {} : { [schedulingTermKey]: office.term }),
      },
    };
  }

  #answered(): void {
    this.#asked--;
    this.#options.onLess();
  }

  /**
   * Where the pod really is, after a binding that failed or whose answer was lost: it may have been carried out all the same. Until that is known its place is
   * kept. Found by simulation: a request that was carried out twice answered with a conflict, and a pod that may not be beside the first was put there.
   */
  async #settle({ podKey, deviceClaims }: Bind, pod: Pod, isAnswered: boolean): Promise<void> {
    const { client, clock, snapshot } = this.#options;
    const { namespace, name = '', uid } = pod.metadata;
    for (let isFirst = isAnswered; !this.#isStopped; isFirst = false) {
      if (!isFirst) await clock.sleep(this.#backoff.next(podKey));
      try {
        const found = await client.get<Pod>(podsRef, namespace, name);
        const { nodeName = '' } = found.spec ?? {};
        if (found.metadata.uid === uid && nodeName !== '') {
          // The informer may have told already.
          if (snapshot.placed(podKey)?.pod === pod) snapshot.addPod(podKey, found, nodeName);
          return;
        }
      } catch (error) {
        if (!isError(error, 'notFound')) continue;
      }
      if (deviceClaims !== undefined) await this.#options.deviceClaims.giveBack(deviceClaims);
      this.#giveBack(podKey, pod);
      // Also when it was refused: changes of the pod were passed over meanwhile, another of its name may be there.
      this.againLater(podKey);
      return;
    }
  }
}
