/**
 * Many nodes without machines: for trying, for tests, for scale. No root, no io.
 *
 *   one pod informer ──▶ hollowStep ──▶ (start delay) ──▶ lanes ──▶ one status patch a pod
 *   one timer        ──▶ a few leases a tick, so that all are renewed in each interval
 *
 * Owns the Node objects `namePrefix-0 …`, their leases, the status of the pods bound to them, and the end of their volumes, of which there are the names only.
 * Crash-only: everything is derived from the objects; a restarted process goes on where they stand.
 */
import type { Lease, Node, Pod } from '../../api/index.ts';
import type { Change, Client, Informers } from '../../client/index.ts';
import {
  type Clock,
  formatMicroTime,
  formatTime,
  isError,
  type Log,
  type Random,
  silentLog,
  type Timer,
} from '../../lib/index.ts';
import { Lanes } from '../lanes.ts';
import { type MachineFacts, nodeConditions, nodeObject, nodeStatus } from '../node/node-object.ts';
import { kubeletVersion, leasesRef, nodeLeaseNamespace, nodesRef, podsRef } from '../objects.ts';
import { type NodeRoom, resizeRefusal, roomOf } from '../pods/allocation.ts';
import type { NodeUsageNow } from '../server/statistics.ts';
import { LocalVolumes } from '../volumes/local-volumes.ts';
import {
  finishedStatus,
  grantedOf,
  guestsStatus,
  type HollowStep,
  hollowStep,
  isDeferred,
  isHeld,
  readyStatus,
  resizedStatus,
  runningStatus,
} from './hollow-pod.ts';
import { HollowMeter, type PodAmounts } from './hollow-use.ts';
import { PodAddresses } from './pod-addresses.ts';

export interface HollowOptions {
  readonly client: Client;
  readonly informers: Informers;
  readonly clock: Clock;
  readonly random: Random;
  readonly log?: Log;
  readonly count: number;
  /** Nodes are called `PREFIX-0`, `PREFIX-1`, …; default `hollow`. */
  readonly namePrefix?: string;
  /** The number of the first; default 0. Several sets with numbers of their own share one range of pod addresses. */
  readonly firstIndex?: number;
  /** How long a pod takes from bound to Running; default 0. */
  readonly startDelayMs?: number;
  /** How long a terminating pod takes to stop; default 0. */
  readonly stopDelayMs?: number;
  /** Default: 32 cpu, 256 GiB, 110 pods. */
  readonly cpuCount?: number;
  readonly memoryBytes?: number;
  readonly podsMax?: number;
  readonly labels?: Readonly<Record<string, string>>;
  /** Labels that differ by node: topology zones, for instance. */
  readonly labelsOf?: (index: number) => Readonly<Record<string, string>>;
  /** Where a server answers for all of them; default 127.0.0.1, port 10250. */
  readonly nodeAddress?: string;
  readonly serverPort?: number;
  /** First address is inside 10.64.0.0/10. */
  readonly leaseIntervalMs?: number;
  /** What a whole pod seems to use now, where its annotations shall not say it. */
  readonly use?: (pod: Pod) => PodAmounts | undefined;
  readonly concurrency?: number;
}

export interface HollowNodes {
  readonly names: readonly string[];
  /** Pods of these nodes. */
  pods(): Iterable<Pod>;
  /** The pod, when it is bound to one of these nodes. */
  findPod(namespace: string, name: string): Pod | undefined;
  /** What a node and its pods seem to use. undefined: it is none of these. */
  usage(nodeName: string): NodeUsageNow | undefined;
  /** Stops acting. The objects stay. */
  stop(): Promise<void>;
}

/** Registers the nodes, then looks after their pods. Resolves when all nodes are registered and Ready. */
export async function startHollowNodes(options: HollowOptions): Promise<HollowNodes> {
  const nodes = new Hollow(options);
  await nodes.start();
  return nodes;
}

/** By SIGTERM. */
const terminatedExitCode = 143;
const retryDelayMs = 1000;
const registerAgainMs = 10_000;
/** How long what somebody else has written over a status is left: two that do not agree shall not write as fast as they can. */
const overwrittenDelayMs = 1000;
const statusRefreshMs = 300_000;

function delayOf(step: HollowStep, startMs: number, stopMs: number): number {
  switch (step.kind) {
    case 'start':
      return startMs;
    case 'delete':
      return stopMs;
    case 'ready':
      return overwrittenDelayMs;
    default:
      return 0;
  }
}

const podsMaxDefault = 110;

/** Does it take less of its node than before? */
function leavesRoom(before: Pod, pod: Pod): boolean {
  const isOver = ({ status }: Pod): boolean => status?.phase === 'Succeeded' || status?.phase === 'Failed';
  if (isOver(pod)) return !isOver(before);
  const [old, now] = [roomOf(grantedOf(before)), roomOf(grantedOf(pod))];
  return now.cpuMilli < old.cpuMilli || now.memoryBytes < old.memoryBytes;
}

class Hollow implements HollowNodes {
  readonly names: readonly string[];
  readonly #options: HollowOptions;
  readonly #log: Log;
  readonly #indexes: Map<string, number>;
  readonly #addresses: PodAddresses;
  readonly #lanes: Lanes;
  /** By pod uid: the timer of the next step. */
  readonly #timers = new Map<string, Timer>();
  /** By pod uid: when a running pod finishes, on the clock that does not jump. Only pods that shall finish by themselves. */
  readonly #ends = new Map<string, number>();
  readonly #podsOn: (nodeName: string) => readonly Pod[];
  readonly #podInformer;
  readonly #leaseLanes: Lanes;
  readonly #meter: HollowMeter;
  /** By uid: pods whose resize waits for room. */
  readonly #deferred = new Set<string>();
  readonly #subscriptions: { cancel(): void }[] = [];
  readonly #nodeInformer;
  #leaseTimer: Timer | undefined;
  #leaseAt = 0;
  #statusRefreshedMs: number;
  #stopped = false;

  constructor(options: HollowOptions) {
    this.#options = options;
    this.#log = options.log ?? silentLog;
    this.#meter = new HollowMeter(options.use);
    const prefix = options.namePrefix ?? 'hollow';
    const { count, firstIndex = 0 } = options;
    this.names = Array.from({ length: count }, (_, index) => `${prefix}-${firstIndex + index}`);
    this.#addresses = new PodAddresses(firstIndex * 1024);
    this.#indexes = new Map(this.names.map((name, index) => [name, index]));
    const failed = (key: string, error: unknown): void => this.#failed(key, error);
    this.#lanes = new Lanes(options.concurrency ?? 64, failed);
    this.#leaseLanes = new Lanes(16, failed);
    // One alone watches what is its own, as an agent does.
    const own = count === 1 ? { fieldSelector: `spec.nodeName=${this.names[0]}` } : {};
    this.#podInformer = options.informers.informer<Pod>(podsRef, own);
    const ownNode = count === 1 ? { fieldSelector: `metadata.name=${this.names[0]}` } : {};
    this.#nodeInformer = options.informers.informer<Node>(nodesRef, ownNode);
    this.#podsOn = this.#podInformer.index('hollow-node', (pod) =>
      pod.spec?.nodeName !== undefined && this.#indexes.has(pod.spec.nodeName) ? [pod.spec.nodeName] : [],
    );
    this.#statusRefreshedMs = options.clock.monotonicMs();
  }

  async start(): Promise<void> {
    await this.#registerAll();
    await this.#podInformer.whenSynced();
    // Addresses in use are known before the first is handed out.
    for (const pod of this.pods()) if (pod.status?.podIP) this.#addresses.take(pod.status.podIP);
    this.#subscriptions.push(
      this.#podInformer.onChange((change) => this.#onPod(change)),
      this.#nodeInformer.onChange((change) => this.#onNode(change)),
    );
    const { count, log = silentLog } = this.#options;
    const volumes = new LocalVolumes({
      ...this.#options,
      log,
      ...(count === 1 ? { nodeName: this.names[0] as string } : {}),
      isOurs: (name) => this.#indexes.has(name),
      erase: async () => {},
    });
    this.#subscriptions.push({ cancel: () => volumes.stop() });
    this.#scheduleLeases();
  }

  *pods(): Iterable<Pod> {
    for (const name of this.names) yield* this.#podsOn(name);
  }

  findPod(namespace: string, name: string): Pod | undefined {
    const pod = this.#podInformer.get(`${namespace}/${name}`);
    return pod?.spec?.nodeName !== undefined && this.#indexes.has(pod.spec.nodeName) ? pod : undefined;
  }

  usage(nodeName: string): NodeUsageNow | undefined {
    if (!this.#indexes.has(nodeName)) return undefined;
    return this.#meter.read(nodeName, this.#podsOn(nodeName), this.#options.clock.nowMs());
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const subscription of this.#subscriptions) subscription.cancel();
    this.#leaseTimer?.cancel();
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
    this.#lanes.clear();
    this.#leaseLanes.clear();
  }

  // ── pods ──

  #onPod(change: Change<Pod>): void {
    const pod = change.object;
    const { nodeName } = pod.spec ?? {};
    if (nodeName === undefined || !this.#indexes.has(nodeName)) return;
    const uid = pod.metadata.uid ?? change.key;
    if (change.kind === 'deleted') {
      this.#timers.get(uid)?.cancel();
      this.#timers.delete(uid);
      this.#ends.delete(uid);
      this.#deferred.delete(uid);
      if (pod.status?.podIP) this.#addresses.release(pod.status.podIP);
      this.#retryResizes(nodeName);
      return;
    }
    if (isDeferred(pod)) {
      this.#deferred.add(uid);
      // There may have been room while nobody looked.
      if (change.kind === 'added') this.#retryResize(uid, pod);
    } else if (this.#deferred.size > 0) this.#deferred.delete(uid);
    if (this.#deferred.size > 0 && change.kind === 'updated' && leavesRoom(change.previous, pod))
      this.#retryResizes(nodeName);
    this.#consider(change.key, pod);
  }

  #consider(key: string, pod: Pod): void {
    if (this.#stopped) return;
    const uid = pod.metadata.uid ?? key;
    const { clock, startDelayMs = 0, stopDelayMs = 0 } = this.#options;
    const step = hollowStep(pod, clock.nowMs());
    this.#timers.get(uid)?.cancel();
    this.#timers.delete(uid);
    if (step.kind === 'nothing') return;
    // While the node itself is thought lost, its pods are too, whatever is written.
    if (step.kind === 'ready' && !this.#isKnownReady(pod.spec?.nodeName ?? '')) return;
    const delayMs =
      step.kind === 'finish' ? this.#endsInMs(uid, step.afterMs) : delayOf(step, startDelayMs, stopDelayMs);
    if (delayMs === 0) {
      this.#lanes.add(uid, () => this.#carryOut(key, uid, step));
      return;
    }
    const timer = clock.after(delayMs, () => {
      this.#timers.delete(uid);
      this.#lanes.add(uid, () => this.#carryOut(key, uid, step));
    });
    this.#timers.set(uid, timer);
  }

  /** What waits for room on a node is looked at again. */
  #retryResizes(nodeName: string): void {
    if (this.#deferred.size === 0) return;
    for (const pod of this.#podsOn(nodeName)) {
      const uid = pod.metadata.uid ?? '';
      if (this.#deferred.has(uid)) this.#retryResize(uid, pod);
    }
  }

  #retryResize(uid: string, pod: Pod): void {
    this.#lanes.add(uid, async () => {
      try {
        await this.#resizePod(pod);
      } catch (error) {
        if (isError(error, 'notFound') || this.#stopped) return;
        this.#options.clock.after(retryDelayMs, () => this.#retryResize(uid, pod));
      }
    });
  }

  async #resizePod(pod: Pod): Promise<void> {
    const now = this.#podInformer.get(`${pod.metadata.namespace}/${pod.metadata.name}`);
    if (now === undefined || now.metadata.uid !== pod.metadata.uid || this.#stopped) return;
    const others = [...this.#podsOn(now.spec?.nodeName ?? '')].filter(
      ({ metadata, status }) =>
        metadata.uid !== now.metadata.uid && status?.phase !== 'Succeeded' && status?.phase !== 'Failed',
    );
    const refusal = resizeRefusal(this.#capacity, others.map(grantedOf), now);
    const before = now.status?.conditions?.find(({ type }) => type === 'PodResizePending');
    const isSaid =
      refusal !== undefined &&
      before?.observedGeneration === now.metadata.generation &&
      before?.message === refusal.message;
    if (!isSaid) await this.#writeStatus(now, resizedStatus(now, refusal, this.#options.clock.nowMs()));
  }

  get #capacity(): NodeRoom {
    const { cpuCount, memoryBytes, ephemeralStorageBytes } = this.#factsOf(0);
    const pods = this.#options.podsMax ?? podsMaxDefault;
    return { cpuMilli: cpuCount * 1000, memoryBytes, ephemeralBytes: ephemeralStorageBytes, pods };
  }

  /** Found by simulation: by the clock on the wall, which had been wrong by a day, a pod ran for a day too long. */
  #endsInMs(uid: string, afterMs: number): number {
    const nowMs = this.#options.clock.monotonicMs();
    const known = this.#ends.get(uid);
    if (known === undefined) this.#ends.set(uid, nowMs + afterMs);
    return known === undefined ? afterMs : Math.max(0, known - nowMs);
  }

  /** Looks again, since the pod may have changed while the step waited. */
  async #carryOut(key: string, uid: string, planned: HollowStep): Promise<void> {
    const pod = this.#podInformer.get(key);
    if (this.#stopped || pod === undefined || pod.metadata.uid !== uid) return;
    const step = hollowStep(pod, this.#options.clock.nowMs());
    if (step.kind !== planned.kind) return this.#consider(key, pod);
    try {
      if (step.kind === 'start') await this.#startPod(pod);
      else if (step.kind === 'delete') await this.#deletePod(pod);
      else if (step.kind === 'resize') await this.#resizePod(pod);
      else if (step.kind === 'guests')
        await this.#writeStatus(pod, guestsStatus(pod, this.#options.clock.nowMs()));
      else if (step.kind === 'ready') await this.#writeStatus(pod, readyStatus(this.#options.clock.nowMs()));
      else if (step.kind === 'finish')
        await this.#writeStatus(pod, finishedStatus(pod, step.exitCode, this.#options.clock.nowMs()));
    } catch (error) {
      if (isError(error, 'notFound', 'conflict')) return;
      this.#log.warn('cannot act on hollow pod', { pod: key, step: step.kind, error });
      this.#options.clock.after(retryDelayMs, () => {
        const now = this.#podInformer.get(key);
        if (now !== undefined) this.#consider(key, now);
      });
    }
  }

  async #startPod(pod: Pod): Promise<void> {
    const nodeAddress = this.#options.nodeAddress ?? '127.0.0.1';
    const podAddress = pod.spec?.hostNetwork
      ? nodeAddress
      : (pod.status?.podIP ?? this.#addresses.allocate());
    try {
      const place = { nodeAddress, podAddress };
      await this.#writeStatus(pod, runningStatus(pod, place, this.#options.clock.nowMs()));
    } catch (error) {
      if (pod.status?.podIP === undefined && isError(error, 'notFound', 'conflict'))
        this.#addresses.release(podAddress);
      throw error;
    }
  }

  async #writeStatus(pod: Pod, status: Pod['status']): Promise<void> {
    const { namespace, name = '', uid, resourceVersion } = pod.metadata;
    // A request that was held up on its way must not undo what was written since: a conflict, and the newer pod is considered.
    const patch = { metadata: { uid, resourceVersion }, status };
    await this.#options.client.patch(podsRef, namespace, name, 'strategic', patch, { subresource: 'status' });
  }

  async #deletePod(pod: Pod): Promise<void> {
    const { namespace, name = '', uid } = pod.metadata;
    const { phase } = pod.status ?? {};
    if (isHeld(pod) && phase !== 'Succeeded' && phase !== 'Failed')
      await this.#writeStatus(pod, finishedStatus(pod, terminatedExitCode, this.#options.clock.nowMs()));
    await this.#options.client.delete(podsRef, namespace, name, {
      gracePeriodSeconds: 0,
      preconditions: uid === undefined ? {} : { uid },
    });
  }

  // ── nodes ──

  #isKnownReady(name: string): boolean {
    const node = this.#nodeInformer.get(name);
    return (
      node?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true
    );
  }

  /** A node that was thought lost says that it is there; then its pods do. */
  #onNode({ kind, key }: Change<Node>): void {
    const index = this.#indexes.get(key);
    if (index === undefined || this.#stopped) return;
    // As the agent of a real node does, it registers again with its next beat.
    if (kind === 'deleted') {
      this.#recoverLater(index, registerAgainMs);
      return;
    }
    if (this.#isKnownReady(key)) {
      for (const pod of this.#podsOn(key)) {
        const isReady = hollowStep(pod, this.#options.clock.nowMs()).kind !== 'ready';
        if (!isReady) this.#consider(`${pod.metadata.namespace}/${pod.metadata.name}`, pod);
      }
    } else this.#recoverLater(index, overwrittenDelayMs);
  }

  async #recover(index: number): Promise<void> {
    if (this.#stopped || this.#isKnownReady(this.names[index] as string)) return;
    try {
      await this.#refreshNode(index);
    } catch (error) {
      this.#failed(`status/${index}`, error);
      this.#recoverLater(index, retryDelayMs);
    }
  }

  #recoverLater(index: number, delayMs: number): void {
    this.#options.clock.after(delayMs, () => {
      this.#leaseLanes.add(`status/${index}`, () => this.#recover(index));
    });
  }

  async #registerAll(): Promise<void> {
    let next = 0;
    const register = async (): Promise<void> => {
      while (next < this.names.length && !this.#stopped) {
        const index = next++;
        await this.#register(index);
        await this.#renew(index);
      }
    };
    await Promise.all(Array.from({ length: Math.min(32, this.names.length) }, register));
  }

  async #register(index: number): Promise<void> {
    const { client } = this.#options;
    const settings = this.#settingsOf(index);
    const facts = this.#factsOf(index);
    let node: Node;
    try {
      node = await client.create<Node>(nodesRef, nodeObject(settings, facts));
    } catch (error) {
      if (!isError(error, 'alreadyExists')) throw error;
      node = await client.get<Node>(nodesRef, undefined, settings.name);
    }
    await this.#writeNodeStatus(index, node);
  }

  async #writeNodeStatus(index: number, node: Node | undefined): Promise<void> {
    const settings = this.#settingsOf(index);
    const nowMs = this.#options.clock.nowMs();
    const fine = { memory: false, disk: false, pids: false };
    const conditions = nodeConditions(node?.status?.conditions ?? [], fine, undefined, nowMs);
    const status = nodeStatus(settings, this.#factsOf(index), conditions, []);
    await this.#options.client.patch(
      nodesRef,
      undefined,
      settings.name,
      'strategic',
      { status },
      { subresource: 'status' },
    );
  }

  #settingsOf(index: number) {
    const options = this.#options;
    return {
      name: this.names[index] as string,
      address: options.nodeAddress ?? '127.0.0.1',
      serverPort: options.serverPort ?? 10250,
      podsMax: options.podsMax ?? podsMaxDefault,
      labels: { 'caelum.dev/hollow': 'true', ...options.labels, ...options.labelsOf?.(index) },
      runtimeVersion: 'hollow://1.0.0',
    };
  }

  #factsOf(index: number): MachineFacts {
    const options = this.#options;
    const identity = `hollow-${this.names[index]}`;
    return {
      machineId: identity,
      systemUuid: identity,
      bootId: identity,
      kernelVersion: kubeletVersion,
      osImage: 'Hollow',
      architecture: 'amd64',
      cpuCount: options.cpuCount ?? 32,
      memoryBytes: options.memoryBytes ?? 256 * 2 ** 30,
      ephemeralStorageBytes: 1024 * 2 ** 30,
    };
  }

  // ── leases ──

  /** A few nodes a tick, so that each is renewed once an interval and the load is even. */
  #scheduleLeases(): void {
    if (this.#stopped || this.names.length === 0) return;
    const { clock, leaseIntervalMs = 10_000 } = this.#options;
    const tickMs = Math.max(100, leaseIntervalMs / this.names.length);
    const batch = Math.ceil((this.names.length * tickMs) / leaseIntervalMs);
    this.#leaseTimer = clock.after(tickMs, () => {
      const refresh = clock.monotonicMs() - this.#statusRefreshedMs >= statusRefreshMs;
      if (refresh) this.#statusRefreshedMs = clock.monotonicMs();
      for (let i = 0; i < batch; i++) {
        const index = this.#leaseAt++ % this.names.length;
        this.#leaseLanes.add(`lease/${index}`, () => this.#renew(index));
      }
      if (refresh)
        this.names.forEach((_, index) => {
          this.#leaseLanes.add(`status/${index}`, () => this.#refreshNode(index));
        });
      this.#scheduleLeases();
    });
  }

  async #refreshNode(index: number): Promise<void> {
    try {
      const node = await this.#options.client.get<Node>(nodesRef, undefined, this.names[index] as string);
      await this.#writeNodeStatus(index, node);
    } catch (error) {
      if (!isError(error, 'notFound')) throw error;
      await this.#register(index);
    }
  }

  async #renew(index: number): Promise<void> {
    const { client, clock } = this.#options;
    const name = this.names[index] as string;
    const renewTime = formatMicroTime(clock.nowMs());
    try {
      await client.patch(leasesRef, nodeLeaseNamespace, name, 'merge', { spec: { renewTime } });
    } catch (error) {
      if (!isError(error, 'notFound')) throw error;
      const lease: Lease = {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name, namespace: nodeLeaseNamespace },
        spec: { holderIdentity: name, leaseDurationSeconds: 40, renewTime },
      };
      await client.create(leasesRef, lease);
    }
  }

  #failed(key: string, error: unknown): void {
    if (this.#stopped) return;
    this.#log.warn('cannot write for hollow node', {
      what: key,
      at: formatTime(this.#options.clock.nowMs()),
      error,
    });
  }
}
