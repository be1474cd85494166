/**
 * What a worker knows of its pod, kept between plans. What the runtime, network, roots and disk said at the start of the agent, and
 * what operations and exits have changed since; so a plan needs no questions. Everything here can be asked again after a crash.
 */

import type { Pod } from '../../api/index.ts';
import type { ReadyClaims } from '../devices/pod-claims.ts';
import type { FoundAttachment, PodAttachment } from '../network/index.ts';
import type { Limits } from '../runtime/index.ts';
import { type Allocation, withAllocation } from './allocation.ts';
import type { ContainerMemory, Fault, Observed, RuntimeStatus, Verdict, WaitingRefusal } from './observed.ts';

/** What is left of a pod on the machine, as found at the start of the agent. */
export interface Leftovers {
  readonly containers: readonly RuntimeStatus[];
  readonly attachment: FoundAttachment | undefined;
  readonly sandbox: boolean;
  /** Of the whole pod, as last set. */
  readonly sandboxLimits?: Limits | undefined;
  readonly allocation?: Allocation | undefined;
  readonly onDisk: boolean;
  /** `container/attempt` */
  readonly roots: readonly string[];
  /** Of its containers, the highest attempt that has left a log. */
  readonly attempts: ReadonlyMap<string, number>;
}

export const noLeftovers: Leftovers = {
  containers: [],
  attachment: undefined,
  sandbox: false,
  onDisk: false,
  roots: [],
  attempts: new Map(),
};

export interface Running {
  count: number;
  deadlineMs: number | undefined;
  abort: AbortController;
}

/** Roots that show the files of an image as a volume; no container can be called so. */
export const volumeRootPrefix = 'volume~';

export class PodState {
  readonly uid: string;
  readonly seenAtMs: number;
  pod: Pod | undefined;
  /** The last known object: names and specifications are needed also after it is gone. */
  lastPod: Pod | undefined;
  goneAtMs: number | undefined;
  deleted = false;
  allocation: Allocation | undefined;
  resizeRefusal: WaitingRefusal | undefined;
  verdict: Verdict | undefined;
  /** Whole. */
  attachment: PodAttachment | undefined;
  networkPresent: boolean;
  sandbox: boolean;
  sandboxPresent: boolean;
  sandboxLimits: Limits | undefined;
  volumesReady = false;
  volumesPresent: boolean;
  /** By `name/attempt`: also starts that failed, with an empty id. */
  readonly containers = new Map<string, RuntimeStatus>();
  /** Ids of containers that the runtime was told to forget. */
  readonly removed = new Set<string>();
  readonly roots: Set<string>;
  readonly memory = new Map<string, ContainerMemory>();
  readonly faults = new Map<string, Fault>();
  readonly terminationMessages = new Map<string, string>();
  /** Where the images are mounted that volumes show, by volume. */
  readonly imageVolumes = new Map<string, string>();
  readonly busy = new Map<string, Running>();
  /** What its claims of devices have brought, once that is known. */
  deviceClaims: ReadyClaims = new Map();
  #granted: { readonly pod: Pod; readonly allocation: Allocation; readonly result: Pod } | undefined;

  constructor(uid: string, leftovers: Leftovers, nowMs: number) {
    this.uid = uid;
    this.seenAtMs = nowMs;
    this.attachment = leftovers.attachment?.isWhole === true ? leftovers.attachment : undefined;
    this.networkPresent = leftovers.attachment !== undefined;
    this.sandbox = leftovers.sandbox;
    this.sandboxPresent = leftovers.sandbox;
    this.sandboxLimits = leftovers.sandboxLimits;
    this.allocation = leftovers.allocation;
    this.volumesPresent = leftovers.onDisk;
    this.roots = new Set(leftovers.roots);
    for (const status of leftovers.containers) this.setContainer(status);
    for (const [container, lastLogged] of leftovers.attempts) this.remember(container, { lastLogged });
  }

  /** The API object with what the pod was granted. */
  get granted(): Pod | undefined {
    const { pod, allocation } = this;
    if (pod === undefined || allocation === undefined) return pod;
    if (this.#granted?.pod !== pod || this.#granted.allocation !== allocation)
      this.#granted = { pod, allocation, result: withAllocation(pod, allocation) };
    return this.#granted.result;
  }

  /** Nothing of it will run here any more. */
  get isOver(): boolean {
    const phase = this.pod?.status?.phase;
    return this.verdict !== undefined || phase === 'Succeeded' || phase === 'Failed';
  }

  setContainer(status: RuntimeStatus): void {
    this.containers.set(`${status.name}/${status.attempt}`, status);
  }

  latest(name: string): RuntimeStatus | undefined {
    let latest: RuntimeStatus | undefined;
    for (const status of this.containers.values())
      if (status.name === name && (latest === undefined || status.attempt > latest.attempt)) latest = status;
    return latest;
  }

  remember(name: string, change: Partial<ContainerMemory>): void {
    this.memory.set(name, { ...this.memory.get(name), ...change });
  }

  /** One more failure of something of the whole pod: tried again after 1, 2, 4 … 60 s. */
  fail(key: string, message: string, nowMs: number, reason?: string): void {
    const failures = (this.faults.get(key)?.failures ?? 0) + 1;
    const delayMs = Math.min(60_000, 1000 * 2 ** (failures - 1));
    const fault = { message, atMs: nowMs, failures, retryAtMs: nowMs + delayMs };
    this.faults.set(key, reason === undefined ? fault : { ...fault, reason });
  }

  observe(nowMs: number, around: Pick<Observed, 'nodeAddress' | 'runtimeName' | 'probes'>): Observed {
    const busy = new Map<string, { readonly deadlineMs?: number }>();
    for (const [key, { deadlineMs }] of this.busy)
      busy.set(key, deadlineMs === undefined ? {} : { deadlineMs });
    const pod = this.granted;
    return {
      nowMs,
      uid: this.uid,
      pod,
      desired: pod === this.pod ? undefined : this.pod,
      allocation: this.allocation,
      resizeRefusal: this.resizeRefusal,
      verdict: this.verdict,
      seenAtMs: this.seenAtMs,
      goneAtMs: this.goneAtMs,
      ...around,
      containers: [...this.containers.values()],
      attached: this.attachment !== undefined,
      networkPresent: this.networkPresent,
      addresses: this.attachment?.addresses ?? [],
      sandbox: this.sandbox,
      sandboxPresent: this.sandboxPresent,
      sandboxLimits: this.sandboxLimits,
      volumesReady: this.volumesReady,
      volumesPresent: this.volumesPresent,
      roots: this.roots,
      memory: this.memory,
      faults: this.faults,
      terminationMessages: this.terminationMessages,
      busy,
      deleted: this.deleted,
    };
  }
}
