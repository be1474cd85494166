/**
 * All pods of this node: one worker each, woken by what concerns it.
 *
 *   pod informer (spec.nodeName=…) ┐
 *   runtime exits                  ├──▶ worker of that pod
 *   probes, watched objects        ┘
 *
 * Crash-only: at the start, what the runtime, the network, the roots and the disk hold is handed to a worker for each pod found there;
 * those whose object is gone stop it and clean up. Invariant: nothing of a pod is touched before the informer has synced.
 */
import type { Container, Pod, Service } from '../../api/index.ts';
import type { Client, EventRecorder, Informer, Informers } from '../../client/index.ts';
import type { Clock, Log, Random } from '../../lib/index.ts';
import type { ImageStore } from '../images/index.ts';
import type { PodNetwork } from '../network/index.ts';
import { podsRef, servicesRef } from '../objects.ts';
import { type ProbeKind, type ProbeRunner, Prober } from '../probes/prober.ts';
import type { Runtime } from '../runtime/index.ts';
import { PodTokens } from '../volumes/pod-tokens.ts';
import { WatchedObjects } from '../volumes/watched-objects.ts';
import { compareWaiting, parseAllocation, shortageOf, type WaitingResize } from './allocation.ts';
import type { PodDisk } from './disk.ts';
import { portRejection } from './host-ports.ts';
import type { DnsSettings } from './network-files.ts';
import type { RuntimeStatus, Verdict } from './observed.ts';
import { type PodParts, referenceTo } from './parts.ts';
import { type Leftovers, noLeftovers, type PodState } from './pod-state.ts';
import { PodWorker } from './pod-worker.ts';
import { qosClassOf } from './qos.ts';
import { isMirror, StaticPods, type StaticSource } from './static-pods.ts';
import { isFinal } from './status.ts';

export interface PodShellOptions {
  readonly client: Client;
  readonly informers: Informers;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly runtime: Runtime;
  readonly network: PodNetwork;
  readonly images: ImageStore;
  readonly disk: PodDisk;
  readonly events: Pick<EventRecorder, 'record'>;
  readonly probeRunner: ProbeRunner;
  readonly nodeName: string;
  readonly nodeAddress: string;
  readonly dns: DnsSettings;
  readonly allocatable: {
    readonly cpuMilli: number;
    readonly memoryBytes: number;
    readonly ephemeralBytes?: number;
  };
  /** Why a pod that has just come is not begun, beside want of room; undefined: it is. */
  readonly admission?:
    | ((pod: Pod) => { readonly reason: string; readonly message: string } | undefined)
    | undefined;
  /** Pods of files on this machine. */
  readonly staticPods?: StaticSource | undefined;
  /** Default: as many as there is room for. */
  readonly podsMax?: number | undefined;
  readonly podPidsLimit?: number | undefined;
  readonly seccompDefault?: boolean | undefined;
}

const isAlive = ({ containers }: PodState): boolean =>
  [...containers.values()].some(({ state }) => state !== 'exited');

export class PodShell {
  readonly #options: PodShellOptions;
  readonly #workers = new Map<string, PodWorker>();
  readonly #leaving: PodWorker[] = [];
  /** By uid: of pods that were here before the agent began. */
  #attempts: ReadonlyMap<string, ReadonlyMap<string, number>> = new Map();
  readonly #informer: Informer<Pod>;
  readonly #serviceInformer: Informer<Service>;
  readonly #servicesIn: (namespace: string) => readonly Service[];
  readonly #objects: WatchedObjects;
  readonly #prober: Prober;
  readonly #subscriptions: { cancel(): void }[] = [];
  #parts: PodParts | undefined;
  #static: StaticPods | undefined;

  constructor(options: PodShellOptions) {
    this.#options = options;
    const { client, clock, random, log, nodeName } = options;
    const selection = { fieldSelector: `spec.nodeName=${nodeName}` };
    this.#informer = options.informers.informer<Pod>(podsRef, selection);
    this.#serviceInformer = options.informers.informer<Service>(servicesRef);
    this.#servicesIn = this.#serviceInformer.index('agent-namespace', (service) => [
      service.metadata.namespace ?? '',
    ]);
    this.#objects = new WatchedObjects({
      client,
      clock,
      random,
      log,
      onChange: (uids) => {
        for (const uid of uids) this.#workers.get(uid)?.onSourcesChanged();
      },
    });
    const tell = (uid: string, container: Container, reason: string, message: string): void => {
      const pod = this.#workers.get(uid)?.state.lastPod;
      if (pod === undefined) return;
      options.events.record({ about: referenceTo(pod, container.name), type: 'Warning', reason, message });
    };
    const probeName = (kind: ProbeKind): string => `${kind[0]?.toUpperCase()}${kind.slice(1)} probe`;
    this.#prober = new Prober({
      clock,
      runner: options.probeRunner,
      onChange: (uid) => this.#workers.get(uid)?.wake(),
      onFailure: (uid, container, kind, output) =>
        tell(uid, container, 'Unhealthy', `${probeName(kind)} failed: ${output}`),
      onWarning: (uid, container, kind, warning) =>
        tell(uid, container, 'ProbeWarning', `${probeName(kind)} warning: ${warning}`),
    });
  }

  async start(): Promise<void> {
    const options = this.#options;
    await options.disk.prepare();
    const nodeFiles = await options.disk.nodeFiles();
    const parts: PodParts = {
      ...options,
      podPidsLimit: options.podPidsLimit,
      objects: this.#objects,
      tokens: new PodTokens(options.client, options.clock),
      prober: this.#prober,
      nodeFiles,
      services: async (namespace) => {
        if (!this.#serviceInformer.synced) await this.#serviceInformer.whenSynced();
        const own = this.#servicesIn(namespace);
        const master = this.#serviceInformer.get('default/kubernetes');
        return master === undefined || namespace === 'default' ? own : [...own, master];
      },
      onForgotten: (uid) => this.#forget(uid),
      capacity: {
        ...options.allocatable,
        ephemeralBytes: options.allocatable.ephemeralBytes ?? Number.POSITIVE_INFINITY,
        pods: options.podsMax ?? Number.POSITIVE_INFINITY,
      },
      others: (uid) => this.#others(uid),
      rejection: (pod) => this.#rejection(pod),
      onRoom: () => this.#retryResizes(),
    };
    this.#parts = parts;
    const own = this.#openStatic();
    const staticUids = (await own?.load()) ?? new Set<string>();
    const [leftovers] = await Promise.all([this.#findLeftovers(), this.#informer.whenSynced()]);
    const present = new Set([...this.#informer.list()].map((pod) => pod.metadata.uid ?? ''));
    for (const uid of staticUids) present.add(uid);
    for (const [uid, left] of leftovers) {
      const worker = new PodWorker(uid, left, staticUids.has(uid) ? this.#staticParts(parts) : parts);
      this.#workers.set(uid, worker);
      if (!present.has(uid)) worker.setPod(undefined);
    }
    this.#subscriptions.push(
      this.#informer.onChange((change) => {
        const uid = change.object.metadata.uid ?? '';
        if (isMirror(change.object)) own?.onMirror();
        else if (change.kind === 'deleted') this.#workers.get(uid)?.setPod(undefined);
        else {
          // A name that was deleted and made anew in one step is another pod.
          if (change.kind === 'updated' && change.previous.metadata.uid !== uid)
            this.#workers.get(change.previous.metadata.uid ?? '')?.setPod(undefined);
          this.#workerOf(uid).setPod(change.object);
        }
      }),
      options.runtime.onExit((status) => this.#onExit(status)),
    );
    if (own !== undefined) {
      own.begin();
      await own.sweep([...this.#informer.list()]).catch((error: unknown) => {
        options.log.warn('cannot delete mirror pods without a file', { error });
      });
    }
    await options.disk.removeLogsExcept(new Set([...present, ...leftovers.keys()]));
  }

  pods(): Iterable<Pod> {
    return this.#informer.list();
  }

  findPod(namespace: string, name: string): Pod | undefined {
    const found = this.#informer.get(`${namespace}/${name}`);
    if (found === undefined || this.#static === undefined || !isMirror(found)) return found;
    return this.#static.seen(this.#static.podUidOf(found.metadata.uid ?? '') ?? '') ?? found;
  }

  worker(uid: string): PodWorker | undefined {
    return this.#workers.get(uid) ?? this.#workers.get(this.#static?.podUidOf(uid) ?? '');
  }

  #openStatic(): StaticPods | undefined {
    const { staticPods: source } = this.#options;
    if (source === undefined) return undefined;
    this.#static = new StaticPods({
      ...this.#options,
      source,
      mirror: (key) => {
        const found = this.#informer.get(key);
        return found !== undefined && isMirror(found) ? found : undefined;
      },
      onPod: (pod) => {
        const uid = pod.metadata.uid ?? '';
        let worker = this.#workers.get(uid);
        if (worker === undefined) {
          worker = new PodWorker(uid, noLeftovers, this.#staticParts(this.#parts as PodParts));
          this.#workers.set(uid, worker);
        }
        worker.setPod(pod);
      },
    });
    return this.#static;
  }

  #staticParts(parts: PodParts): PodParts {
    return this.#static === undefined ? parts : { ...parts, client: this.#static.mirrored(parts.client) };
  }

  workers(): Iterable<PodWorker> {
    return this.#workers.values();
  }

  /** Pods of which something runs. */
  *running(): Iterable<Pod> {
    for (const { state } of this.#workers.values())
      if (state.granted !== undefined && !state.isOver && isAlive(state)) yield state.granted;
  }

  /** Pods that are not over, whether anything of them runs or not. */
  *unfinished(): Iterable<Pod> {
    for (const { state } of this.#workers.values())
      if (state.pod !== undefined && !isFinal(state.pod.status?.phase)) yield state.pod;
  }

  /** Nothing of it runs or is mounted any more, and the API knows how it ended. */
  isLaidDown(uid: string): boolean {
    const state = this.#workers.get(uid)?.state;
    if (state === undefined) return true;
    const isTold = state.pod === undefined || isFinal(state.pod.status?.phase);
    return isTold && !isAlive(state) && state.busy.size === 0 && !state.volumesPresent;
  }

  isEnded(uid: string): boolean {
    const state = this.#workers.get(uid)?.state;
    return state === undefined || !isAlive(state);
  }

  evict(uid: string, verdict: Verdict): void {
    this.#workers.get(uid)?.evict(verdict);
  }

  /** Stops acting. Containers go on. */
  stop(): void {
    this.#static?.stop();
    for (const subscription of this.#subscriptions) subscription.cancel();
    for (const worker of this.#workers.values()) {
      worker.stop();
      this.#leaving.push(worker);
    }
    this.#workers.clear();
    this.#objects.stop();
    this.#prober.stop();
  }

  /** How long a pod takes to answer probes over the network, lately; undefined: it has none. */
  responseMs(uid: string): number | undefined {
    return this.#prober.responseMs(uid);
  }

  /** After `stop`: resolves when what was begun before has come to its end. Until then containers may still appear. */
  async settled(): Promise<void> {
    await Promise.all(this.#leaving.map((worker) => worker.settled()));
  }

  #workerOf(uid: string): PodWorker {
    let worker = this.#workers.get(uid);
    if (worker === undefined) {
      const attempts = this.#attempts.get(uid);
      const leftovers = attempts === undefined ? noLeftovers : { ...noLeftovers, attempts };
      worker = new PodWorker(uid, leftovers, this.#parts as PodParts);
      this.#workers.set(uid, worker);
    }
    return worker;
  }

  *#others(uid: string): Iterable<Pod> {
    for (const { state } of this.#workers.values())
      if (state.uid !== uid && state.granted !== undefined && !state.isOver) yield state.granted;
  }

  #rejection(pod: Pod): { readonly reason: string; readonly message: string } | undefined {
    const { capacity } = this.#parts as PodParts;
    const refused = this.#options.admission?.(pod);
    if (refused !== undefined) return refused;
    const uid = pod.metadata.uid ?? '';
    const taken = portRejection(pod, this.#others(uid));
    if (taken !== undefined) return taken;
    const shortage = shortageOf(capacity, this.#others(uid), pod);
    if (shortage === undefined) return undefined;
    return { reason: `OutOf${shortage.resource}`, message: shortage.message };
  }

  /** Resizes that wait for room are looked at again, those first that come first. */
  #retryResizes(): void {
    const waiting: (WaitingResize & { readonly worker: PodWorker })[] = [];
    for (const worker of this.#workers.values()) {
      const { pod: desired, granted, resizeRefusal: refusal } = worker.state;
      if (refusal?.reason !== 'Deferred' || desired === undefined || granted === undefined) continue;
      const isGuaranteed = qosClassOf(desired.spec) === 'Guaranteed';
      waiting.push({ worker, desired, granted, isGuaranteed, sinceMs: refusal.sinceMs });
    }
    for (const { worker } of waiting.sort(compareWaiting)) {
      const { state } = worker;
      if (state.resizeRefusal !== undefined) state.resizeRefusal = { ...state.resizeRefusal, retryAtMs: 0 };
      worker.wake();
    }
  }

  #onExit(status: RuntimeStatus): void {
    void this.#workers.get(status.podUid)?.onExit(status);
  }

  #forget(uid: string): void {
    this.#workers.delete(uid);
    this.#static?.onForgotten(uid);
    this.#retryResizes();
    this.#objects.release(uid);
    this.#options.disk.removeLogs(uid).catch((error: unknown) => {
      this.#options.log.warn('cannot remove logs', { podUid: uid, error });
    });
  }

  async #findLeftovers(): Promise<Map<string, Leftovers>> {
    const { runtime, network, images, disk } = this.#options;
    const [containers, sandboxes, attachments, roots, onDisk, attempts, allocations] = await Promise.all([
      runtime.listContainers(),
      runtime.listSandboxes(),
      network.list(),
      images.listRoots(),
      disk.list(),
      disk.attempts(),
      disk.allocations(),
    ]);
    this.#attempts = attempts;
    const found = new Map<string, Leftovers>();
    const add = (uid: string, change: (left: Leftovers) => Leftovers): void => {
      const first = {
        ...noLeftovers,
        attempts: attempts.get(uid) ?? noLeftovers.attempts,
        allocation: parseAllocation(allocations.get(uid)),
      };
      found.set(uid, change(found.get(uid) ?? first));
    };
    for (const status of containers)
      add(status.podUid, (left) => ({ ...left, containers: [...left.containers, status] }));
    for (const { podUid, cpuShares, cpuQuotaMicros, memoryLimitBytes } of sandboxes) {
      const sandboxLimits = { cpuShares, cpuQuotaMicros, memoryLimitBytes };
      add(podUid, (left) => ({ ...left, sandbox: true, sandboxLimits }));
    }
    for (const attachment of attachments) add(attachment.podUid, (left) => ({ ...left, attachment }));
    for (const key of roots) {
      const slash = key.indexOf('/');
      // Roots of others (image builds) are not ours.
      if (slash < 0 || key.split('/').length !== 3) continue;
      add(key.slice(0, slash), (left) => ({ ...left, roots: [...left.roots, key.slice(slash + 1)] }));
    }
    for (const uid of onDisk) add(uid, (left) => ({ ...left, onDisk: true }));
    return found;
  }
}
