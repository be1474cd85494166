/**
 * Carries a placement out: its volumes first, then the binding; after a failure it finds out what has become of the pod.
 *
 *   step ─▶ (volumes) ─▶ Binding ─ carried out ─▶ assumed until the informer confirms
 *                          └─ failed, or its answer lost ─▶ where is it really? ─▶ there | given back, tried again after a rest
 *
 * Invariant: the place of a pod is kept until it is known whether it has it. The API's binding is the referee: nobody is bound twice, whoever else binds.
 */
import { type Pod, pods as podsRef } from '../api/index.ts';
import type { Client, EventRecorder } from '../client/index.ts';
import { type Clock, explainError, isError, KeyedBackoff, type Log, type Random } from '../lib/index.ts';
import { gpuDevicesKey } from './devices/gpu-ask.ts';
import { about } from './eviction.ts';
import type { Step } from './plan.ts';
import type { Snapshot } from './snapshot.ts';
import type { VolumeBinding } from './volume-binding.ts';

export interface BinderOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly snapshot: Snapshot;
  readonly volumes: VolumeBinding;
  readonly events: EventRecorder;
  /** It is not bound, and is to be planned again as it is then. */
  again(podKey: string): void;
}

type Bind = Step & { readonly kind: 'bind' };

export class Binder {
  readonly #options: BinderOptions;
  /** A binding is under way. */
  readonly #binding = new Set<string>();
  readonly #backoff: KeyedBackoff<string>;
  #isStopped = false;

  constructor(options: BinderOptions) {
    this.#options = options;
    this.#backoff = new KeyedBackoff({ firstMs: 1000, maxMs: 10_000, jitter: 0.25, random: options.random });
  }

  /** How many bindings are under way. */
  get size(): number {
    return this.#binding.size;
  }

  isBinding(podKey: string): boolean {
    return this.#binding.has(podKey);
  }

  bind(step: Bind, pod: Pod): void {
    void (step.volumes === undefined ? this.#bind(step, pod) : this.#bindVolumes(step, pod));
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

  /** Its volumes on the node first; then the pod. Never rejects. */
  async #bindVolumes(step: Bind, pod: Pod): Promise<void> {
    const { events, snapshot, volumes: carrier } = this.#options;
    const { podKey, volumes } = step;
    this.#binding.add(podKey);
    try {
      if (volumes !== undefined) await carrier.carryOut(podKey, volumes);
    } catch (error) {
      if (this.#isStopped) return;
      this.#binding.delete(podKey);
      const placed = snapshot.placed(podKey);
      const isStill = placed === undefined || placed.pod === pod;
      if (isStill) snapshot.removePod(podKey);
      const message = `running PreBind plugin "VolumeBinding": binding volumes: ${explainError(error)}`;
      if (!isError(error, 'conflict', 'notFound'))
        events.record({ about: about(pod), type: 'Warning', reason: 'FailedScheduling', message });
      if (isStill) this.againLater(podKey);
      else this.#againAfter(0, podKey);
      return;
    }
    await this.#bind(step, pod);
  }

  async #bind(step: Bind, pod: Pod): Promise<void> {
    const { client, events, log } = this.#options;
    const { podKey, nodeName } = step;
    const { namespace = '', name = '', uid } = pod.metadata;
    this.#binding.add(podKey);
    try {
      await client.createSubresource(podsRef, namespace, name, 'binding', {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name, namespace, ...(uid === undefined ? {} : { uid }), ...given(step) },
        target: { apiVersion: 'v1', kind: 'Node', name: nodeName },
      } as never);
      events.record({
        about: about(pod),
        type: 'Normal',
        reason: 'Scheduled',
        message: `Successfully assigned ${podKey} to ${nodeName}`,
      });
    } catch (error) {
      if (!isError(error, 'notFound', 'conflict'))
        log.warn('cannot bind pod', { pod: podKey, node: nodeName, error });
      await this.#settle(podKey, pod, isError(error, 'notFound', 'conflict'));
    } finally {
      this.#binding.delete(podKey);
    }
  }

  /**
   * Where the pod really is, after a binding that failed or whose answer was lost: it may have been carried out all the same. Until that is known its place is
   * kept. Found by simulation: a request that was carried out twice answered with a conflict, and a pod that may not be beside the first was put there.
   */
  async #settle(podKey: string, pod: Pod, isAnswered: boolean): Promise<void> {
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
      if (snapshot.placed(podKey)?.pod === pod) snapshot.removePod(podKey);
      // Also when it was refused: changes of the pod were passed over meanwhile, another of its name may be there.
      this.againLater(podKey);
      return;
    }
  }
}

const nothingGiven = {};

/** What the API server writes into the pod with its node: which GPUs it has there. */
const given = ({ gpus }: Bind): { readonly annotations?: Readonly<Record<string, string>> } =>
  gpus === undefined ? nothingGiven : { annotations: { [gpuDevicesKey]: gpus.join(',') } };
