/**
 * Carries out plans: watches pods and nodes, plans what waits, binds, and tells why when nothing fits.
 *
 *   pods, nodes (informers) ─▶ snapshot ┐
 *   pods without a node ─▶ waiting ─────┴─▶ plan ─▶ (volumes) ─▶ bind (all at once) ─▶ assumed until the informer confirms
 *                             ▲               └─▶ wait: condition, event ─▶ set aside ─┐
 *                             └──────────── something changed, or time has passed ◀────┘
 *
 * Owns retries and back-off. Invariant: a pod is planned only when no binding of it is under way.
 */
import {
  claimsOf,
  type Namespace,
  type Node,
  namespaces as namespacesRef,
  nodes as nodesRef,
  type Pod,
  type PodDisruptionBudget,
  pods as podsRef,
} from '../api/index.ts';
import {
  type Change,
  type Client,
  createEventRecorder,
  type EventRecorder,
  type Informers,
  type ResourceRef,
} from '../client/index.ts';
import {
  type Clock,
  explainError,
  formatTime,
  isError,
  KeyedBackoff,
  type Log,
  NewestMap,
  type Random,
} from '../lib/index.ts';
import { choosesNamespaces, demandOf } from './demand.ts';
import { about, type EvictionOptions, makeRoom } from './eviction.ts';
import { type Explanation, explanationOf } from './explanation.ts';
import { plan, type Step, type WaitingPod, waitMessage } from './plan.ts';
import { type Preemption, priorityOf } from './preemption.ts';
import { defaultPolicy, type Policy } from './scores.ts';
import { Snapshot } from './snapshot.ts';
import { VolumeBinding } from './volume-binding.ts';

export interface SchedulerOptions {
  readonly client: Client;
  readonly informers: Informers;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly schedulerName?: string;
  readonly policy?: Policy;
}

export interface Scheduler {
  stop(): void;
  /** The last decision about a pod (`namespace/name`), while it is remembered. */
  explain(podKey: string): Explanation | undefined;
}

const budgetsRef: ResourceRef = {
  group: 'policy',
  version: 'v1',
  resource: 'poddisruptionbudgets',
  namespaced: true,
};
const batchMax = 1000;
const rememberedMax = 10_000;
/** Even when nothing was seen to change, a pod that waits is tried again. */
const retryAllMs = 300_000;
/** However much changes, pods that did not fit are tried again at most this often. */
const asideRestMs = 1000;
/** Until a reason that could not be written is written again. */
const toldAgainMs = 5000;
/** A pod whose claims are not there or not bound is looked at once more after so long, before that is told: as a rule they are about to be. */
const claimsRestMs = 100;

export function startScheduler(options: SchedulerOptions): Scheduler {
  const loop = new BindLoop(options);
  loop.start();
  return loop;
}

class BindLoop implements Scheduler {
  readonly #options: SchedulerOptions;
  readonly #snapshot = new Snapshot();
  readonly #events: EventRecorder;
  /** To be planned. */
  readonly #waiting = new Map<string, Pod>();
  /** Did not fit; tried again when something changes. */
  readonly #aside = new Map<string, Pod>();
  /** A binding is under way. */
  readonly #binding = new Set<string>();
  readonly #decisions = new NewestMap<string, Explanation>(rememberedMax);
  readonly #backoff: KeyedBackoff<string>;
  readonly #volumes: VolumeBinding;
  /** Whose claims were not ready, for the first time. */
  readonly #firstLooks = new Set<string>();
  #planned = false;
  #followsNamespaces = false;
  #followsBudgets = false;
  /** How many sorts of objects are being read for the first time. */
  #awaited = 0;
  #stopped = false;
  #sweep: { cancel(): void } | undefined;
  #asideTimer: { cancel(): void } | undefined;
  #asideTriedMs = Number.NEGATIVE_INFINITY;
  #asideWhom: 'all' | 'claims' = 'claims';
  readonly #subscriptions: { cancel(): void }[] = [];

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#events = createEventRecorder({ ...options, component: this.#name });
    this.#backoff = new KeyedBackoff({ firstMs: 1000, maxMs: 10_000, jitter: 0.25, random: options.random });
    const { clock, client, informers } = options;
    this.#volumes = new VolumeBinding({
      clock,
      client,
      informers,
      snapshot: this.#snapshot,
      onChange: () => this.#tryAside('claims'),
    });
  }

  get #name(): string {
    return this.#options.schedulerName ?? 'default-scheduler';
  }

  start(): void {
    const { informers } = this.#options;
    const nodes = informers.informer<Node>(nodesRef);
    const pods = informers.informer<Pod>(podsRef);
    this.#subscriptions.push(
      nodes.onChange((change) => this.#onNode(change)),
      pods.onChange((change) => this.#onPod(change)),
    );
    // Planning on half of the pods would overcommit nodes: all of both first.
    void Promise.all([nodes.whenSynced(), pods.whenSynced()]).then(() => {
      this.#planned = true;
      this.#schedulePlan();
    });
    this.#sweepLater();
  }

  /** Labels of namespaces matter to few clouds, so they are followed from the first pod on that chooses pods by them. */
  #followNamespaces(): void {
    this.#followsNamespaces = true;
    this.#follow<Namespace>(namespacesRef, ({ kind, key, object }) => {
      if (kind === 'deleted') this.#snapshot.removeNamespace(key);
      else this.#snapshot.setNamespace(object);
      this.#tryAside();
    });
  }

  /** Budgets matter from the first pod on that may preempt others or be preempted. */
  #followBudgets(): void {
    this.#followsBudgets = true;
    this.#follow<PodDisruptionBudget>(budgetsRef, ({ kind, key, object }) => {
      if (kind === 'deleted') this.#snapshot.budgets.delete(key);
      else this.#snapshot.budgets.set(key, object);
    });
  }

  #follow<T extends Namespace | PodDisruptionBudget>(
    ref: ResourceRef,
    changed: (change: Change<T>) => void,
  ): void {
    this.#awaited++;
    const informer = this.#options.informers.informer<T>(ref);
    this.#subscriptions.push(informer.onChange(changed));
    void informer.whenSynced().then(() => {
      this.#awaited--;
      this.#schedulePlan();
    });
  }

  /** So do claims. */
  #followVolumes(): void {
    this.#awaited++;
    void this.#volumes.follow().then(() => {
      this.#awaited--;
      this.#schedulePlan();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#sweep?.cancel();
    this.#asideTimer?.cancel();
    this.#volumes.stop();
    for (const one of this.#subscriptions) one.cancel();
    this.#events.stop();
  }

  explain(podKey: string): Explanation | undefined {
    return this.#decisions.get(podKey);
  }

  #onNode(change: Change<Node>): void {
    const before = this.#snapshot.staticVersion;
    if (change.kind === 'deleted') this.#snapshot.removeNode(change.object.metadata.name ?? '');
    else this.#snapshot.setNode(change.object);
    // A node's heartbeat is no reason to try again.
    if (this.#snapshot.staticVersion !== before) this.#tryAside();
  }

  #onPod({ kind, key, object }: Change<Pod>): void {
    const { nodeName, affinity } = object.spec ?? {};
    if (affinity !== undefined && !this.#followsNamespaces && choosesNamespaces(affinity))
      this.#followNamespaces();
    if (!this.#followsBudgets && priorityOf(object) !== 0) this.#followBudgets();
    if (!this.#volumes.isFollowing && claimsOf(object).length > 0) this.#followVolumes();
    const over =
      kind === 'deleted' || object.status?.phase === 'Succeeded' || object.status?.phase === 'Failed';
    if (over) {
      const held = this.#snapshot.placed(key) !== undefined;
      this.#snapshot.removePod(key);
      this.#snapshot.going.delete(key);
      const wasNominated = this.#snapshot.nominations.has(key);
      this.#forget(key);
      this.#volumes.cancel(key);
      if (held) this.#tryAside();
      else if (wasNominated) this.#tryAside();
      return;
    }
    if (nodeName !== undefined && nodeName !== '') {
      this.#snapshot.addPod(key, object, nodeName);
      this.#forget(key);
      return;
    }
    if (!this.#isOurs(object)) {
      this.#forget(key);
      return;
    }
    if (this.#binding.has(key)) return;
    // Made before this scheduler was started; its own are known.
    const { nominatedNodeName: nominated = '' } = object.status ?? {};
    if (nominated !== '' && !this.#snapshot.nominations.has(key))
      this.#snapshot.nominations.set(key, { pod: object, nodeName: nominated });
    const aside = this.#aside.get(key);
    if (aside !== undefined && sameAsk(aside, object)) {
      this.#aside.set(key, object);
      return;
    }
    this.#aside.delete(key);
    this.#waiting.set(key, object);
    this.#schedulePlan();
  }

  #isOurs(pod: Pod): boolean {
    return (
      (pod.spec?.schedulerName ?? 'default-scheduler') === this.#name &&
      pod.metadata.deletionTimestamp === undefined &&
      (pod.spec?.schedulingGates?.length ?? 0) === 0
    );
  }

  #forget(key: string): void {
    this.#waiting.delete(key);
    this.#aside.delete(key);
    this.#firstLooks.delete(key);
    this.#snapshot.nominations.delete(key);
    this.#backoff.reset(key);
  }

  /** Something has changed that may make room, for all or for those with claims: what was set aside is tried again, at once or after a rest. */
  #tryAside(whom: 'all' | 'claims' = 'all'): void {
    if (this.#aside.size === 0 || this.#stopped) return;
    if (whom === 'all') this.#asideWhom = 'all';
    if (this.#asideTimer !== undefined) return;
    const { clock } = this.#options;
    const restMs = Math.max(0, this.#asideTriedMs + asideRestMs - clock.monotonicMs());
    this.#asideTimer = clock.after(restMs, () => {
      this.#asideTimer = undefined;
      this.#asideTriedMs = clock.monotonicMs();
      this.#takeAside();
    });
  }

  #takeAside(): void {
    const isForAll = this.#asideWhom === 'all';
    this.#asideWhom = 'claims';
    for (const [key, pod] of this.#aside) {
      if (!isForAll && !demandOf(pod).hasClaims) continue;
      this.#waiting.set(key, pod);
      this.#aside.delete(key);
    }
    this.#schedulePlan();
  }

  #sweepLater(): void {
    this.#sweep = this.#options.clock.after(retryAllMs, () => {
      this.#tryAside();
      this.#sweepLater();
    });
  }

  #timer = false;

  #schedulePlan(): void {
    if (!this.#planned || this.#awaited > 0 || this.#stopped) return;
    if (this.#timer || this.#waiting.size === 0) return;
    this.#timer = true;
    // After the events of this turn: a burst of pods is one plan.
    this.#options.clock.after(0, () => {
      this.#timer = false;
      if (!this.#stopped && this.#awaited === 0) this.#planBatch();
    });
  }

  /** The most important first; of the same priority those that have waited longest. */
  #nextBatch(): readonly WaitingPod[] {
    const batch: WaitingPod[] = [];
    let isMixed = false;
    let first: number | undefined;
    for (const [key, pod] of this.#waiting) {
      first ??= priorityOf(pod);
      isMixed ||= priorityOf(pod) !== first;
      if (batch.length < batchMax) batch.push({ key, pod });
    }
    if (!isMixed || this.#waiting.size <= batchMax) return batch;
    return Array.from(this.#waiting, ([key, pod]) => ({ key, pod }))
      .sort((a, b) => priorityOf(b.pod) - priorityOf(a.pod))
      .slice(0, batchMax);
  }

  #planBatch(): void {
    const batch = this.#nextBatch();
    for (const { key } of batch) this.#waiting.delete(key);
    const podOf = new Map(batch.map(({ key, pod }) => [key, pod]));
    for (const step of plan(this.#snapshot, batch, this.#options.policy ?? defaultPolicy)) {
      const pod = podOf.get(step.podKey);
      if (pod === undefined) continue;
      this.#remember(step);
      if (step.kind === 'bind')
        void (step.volumes === undefined ? this.#bind(step, pod) : this.#bindVolumes(step, pod));
      else this.#setAside(step, pod);
    }
    this.#schedulePlan();
  }

  /** Its volumes on the node first; then the pod. Never rejects. */
  async #bindVolumes(step: Step & { kind: 'bind' }, pod: Pod): Promise<void> {
    const { podKey, volumes } = step;
    this.#binding.add(podKey);
    try {
      if (volumes !== undefined) await this.#volumes.carryOut(podKey, volumes);
    } catch (error) {
      if (this.#stopped) return;
      this.#binding.delete(podKey);
      const placed = this.#snapshot.placed(podKey);
      const isStill = placed === undefined || placed.pod === pod;
      if (isStill) this.#snapshot.removePod(podKey);
      const message = `running PreBind plugin "VolumeBinding": binding volumes: ${explainError(error)}`;
      if (!isError(error, 'conflict', 'notFound'))
        this.#events.record({ about: about(pod), type: 'Warning', reason: 'FailedScheduling', message });
      this.#options.clock.after(isStill ? this.#backoff.next(podKey) : 0, () => this.#again(podKey));
      return;
    }
    await this.#bind(step, pod);
  }

  async #bind(step: Step & { kind: 'bind' }, pod: Pod): Promise<void> {
    const { client, log } = this.#options;
    const { podKey, nodeName } = step;
    const { namespace = '', name = '', uid } = pod.metadata;
    this.#binding.add(podKey);
    try {
      await client.createSubresource(podsRef, namespace, name, 'binding', {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name, namespace, ...(uid === undefined ? {} : { uid }) },
        target: { apiVersion: 'v1', kind: 'Node', name: nodeName },
      } as never);
      this.#events.record({
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
    const { client, clock } = this.#options;
    const { namespace, name = '', uid } = pod.metadata;
    for (let isFirst = isAnswered; !this.#stopped; isFirst = false) {
      if (!isFirst) await clock.sleep(this.#backoff.next(podKey));
      try {
        const found = await client.get<Pod>(podsRef, namespace, name);
        const { nodeName = '' } = found.spec ?? {};
        if (found.metadata.uid === uid && nodeName !== '') {
          // The informer may have told already.
          if (this.#snapshot.placed(podKey)?.pod === pod) this.#snapshot.addPod(podKey, found, nodeName);
          return;
        }
      } catch (error) {
        if (!isError(error, 'notFound')) continue;
      }
      if (this.#snapshot.placed(podKey)?.pod === pod) this.#snapshot.removePod(podKey);
      // Also when it was refused: changes of the pod were passed over meanwhile, another of its name may be there.
      clock.after(this.#backoff.next(podKey), () => this.#again(podKey));
      return;
    }
  }

  /** As the informer has it now: it may be bound or gone. */
  #again(podKey: string): void {
    const pod = this.#options.informers.informer<Pod>(podsRef).get(podKey);
    if (this.#stopped || pod === undefined || (pod.spec?.nodeName ?? '') !== '' || !this.#isOurs(pod)) return;
    this.#aside.delete(podKey);
    this.#waiting.set(podKey, pod);
    this.#schedulePlan();
  }

  #setAside(step: Step & { kind: 'wait' }, pod: Pod): void {
    const { podKey } = step;
    if (step.unresolved !== undefined && !this.#firstLooks.has(podKey)) {
      this.#firstLooks.add(podKey);
      this.#options.clock.after(claimsRestMs, () => this.#again(podKey));
      return;
    }
    this.#aside.set(podKey, pod);
    const message = waitMessage(step.nodes, step.refused, step.unresolved, step.preemption);
    if (step.preemption?.kind === 'chosen') void this.#makeRoom(podKey, pod, step.preemption);
    this.#events.record({ about: about(pod), type: 'Warning', reason: 'FailedScheduling', message });
    this.#tellWhy(podKey, pod, message);
  }

  async #makeRoom(podKey: string, pod: Pod, preemption: Preemption & { kind: 'chosen' }): Promise<void> {
    const { client, clock, log } = this.#options;
    const options: EvictionOptions = {
      client,
      clock,
      log,
      snapshot: this.#snapshot,
      events: this.#events,
      schedulerName: this.#name,
    };
    if ((await makeRoom(options, pod, preemption)) || this.#stopped) return;
    const restMs = this.#backoff.next(podKey);
    clock.after(restMs, () => this.#again(podKey));
  }

  /** The pod's condition. Told until it is there, while the pod waits: it is looked at again only when something changes. */
  #tellWhy(podKey: string, pod: Pod, message: string): void {
    const known = pod.status?.conditions?.find((one) => one.type === 'PodScheduled');
    const nominated = this.#snapshot.nominations.get(podKey)?.nodeName ?? '';
    const isNominated = nominated === (pod.status?.nominatedNodeName ?? '');
    if (isNominated && known?.status === 'False' && known.message === message) return;
    const { clock, client, log } = this.#options;
    const condition = {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message,
      lastTransitionTime: known?.status === 'False' ? known.lastTransitionTime : formatTime(clock.nowMs()),
    };
    client
      .patch(
        podsRef,
        pod.metadata.namespace,
        pod.metadata.name ?? '',
        'strategic',
        {
          metadata: { uid: pod.metadata.uid },
          status: {
            conditions: [condition],
            ...(isNominated ? {} : { nominatedNodeName: nominated === '' ? null : nominated }),
          },
        },
        { subresource: 'status' },
      )
      .catch((error: unknown) => {
        if (isError(error, 'notFound', 'conflict')) return;
        log.warn('cannot tell why a pod waits', { pod: podKey, error });
        clock.after(toldAgainMs, () => {
          const now = this.#aside.get(podKey);
          if (this.#stopped || now === undefined || now.metadata.uid !== pod.metadata.uid) return;
          this.#tellWhy(podKey, now, message);
        });
      });
  }

  #remember(step: Step): void {
    const at = formatTime(this.#options.clock.nowMs());
    this.#decisions.set(step.podKey, explanationOf(step, at, this.#decisions.get(step.podKey)));
  }
}

/** Does a change of the pod leave what it asks as it was (a condition, say)? */
function sameAsk(a: Pod, b: Pod): boolean {
  return (
    a.metadata.uid === b.metadata.uid &&
    a.metadata.generation === b.metadata.generation &&
    JSON.stringify(a.spec) === JSON.stringify(b.spec) &&
    JSON.stringify(a.metadata.labels) === JSON.stringify(b.metadata.labels)
  );
}
