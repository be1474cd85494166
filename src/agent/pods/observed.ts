/**
 * What is known of one pod at one instant, and what may be done about it. Plain values: the input and output of `planPod`.
 *
 * What the runtime, the network, the roots and the API object say survives the agent; `memory` does not, and nothing that must
 * survive is kept only there.
 */
import type { Pod, PodStatus } from '../../api/index.ts';
import type { Image } from '../images/index.ts';
import type { ContainerLimits, Limits, ContainerStatus as RuntimeStatus } from '../runtime/index.ts';
import type { Allocation, ResizeRefusal } from './allocation.ts';
import type { Backoff } from './backoff.ts';

export type { RuntimeStatus };

export type ProbeResult = 'unknown' | 'success' | 'failure';

export interface ProbeView {
  readonly startup: ProbeResult;
  readonly readiness: ProbeResult;
  readonly liveness: ProbeResult;
}

export interface ImageFailure {
  /** `ErrImagePull`, `ErrImageNeverPull`, `InvalidImageName`. */
  readonly reason: string;
  readonly message: string;
  readonly atMs: number;
  readonly backoff: Backoff;
  /** What was looked for. */
  readonly name?: string;
}

/** Why a container could not be made before the runtime was asked: `CreateContainerConfigError`, … */
export interface StartFailure {
  readonly attempt: number;
  readonly reason: string;
  readonly message: string;
  readonly atMs: number;
  readonly retryAtMs: number;
}

export interface ContainerMemory {
  /** The highest attempt of which there was a log when the agent began. */
  readonly lastLogged?: number | undefined;
  readonly backoff?: Backoff | undefined;
  /** The image found for this attempt, and by what name. */
  readonly image?: { readonly attempt: number; readonly image: Image; readonly name?: string } | undefined;
  readonly imageFailure?: ImageFailure | undefined;
  readonly root?: { readonly attempt: number; readonly rootPath: string; readonly name?: string } | undefined;
  /** Which image a container was started from. */
  readonly started?: { readonly id: string; readonly image: string } | undefined;
  /** When its image was last changed. */
  readonly changedAtMs?: number | undefined;
  readonly startFailure?: StartFailure | undefined;
  /** How the postStart hook of a container ended. */
  readonly hook?:
    | { readonly id: string; readonly outcome: 'done' | 'failed'; readonly message: string }
    | undefined;
}

/** Something of the whole pod that failed: its network, sandbox or volumes. */
export interface Fault {
  readonly message: string;
  /** What containers wait for, where it has a name of its own: `ErrImagePull`. */
  readonly reason?: string;
  readonly atMs: number;
  readonly failures: number;
  readonly retryAtMs: number;
}

/** The agent's own decision that a pod is over. */
export interface Verdict {
  /** rejected: it never begins. ended: the node goes down. */
  readonly kind: 'rejected' | 'evicted' | 'ended';
  readonly reason: string;
  readonly message: string;
  readonly atMs: number;
  readonly graceMs: number;
  /** The node made it go, not the pod itself: those who count disruptions have to know. */
  readonly isDisruption?: boolean;
}

/** A resize that could not be granted. */
export interface WaitingRefusal extends ResizeRefusal {
  readonly generation: number | undefined;
  readonly sinceMs: number;
  readonly retryAtMs: number;
}

export interface Operation {
  /** For a stop: by when it will have killed. */
  readonly deadlineMs?: number;
}

export interface Observed {
  readonly nowMs: number;
  readonly uid: string;
  /** With what it was granted. undefined: the API object is gone. */
  readonly pod: Pod | undefined;
  /** As the API object has it, where it asks for other amounts than were granted. */
  readonly desired?: Pod | undefined;
  readonly allocation?: Allocation | undefined;
  readonly resizeRefusal?: WaitingRefusal | undefined;
  readonly verdict?: Verdict | undefined;
  /** When the agent first saw the pod; and when it first saw it gone. */
  readonly seenAtMs: number;
  readonly goneAtMs: number | undefined;
  readonly nodeAddress: string;
  /** `crun`: the scheme of container IDs. */
  readonly runtimeName: string;
  /** Of this pod only; also starts that failed, which the runtime does not list. */
  readonly containers: readonly RuntimeStatus[];
  /** Is the pod attached to the network? Always false with the host's network. */
  readonly attached: boolean;
  /** Something of an attachment is there, whole or not. */
  readonly networkPresent: boolean;
  readonly addresses: readonly string[];
  readonly sandbox: boolean;
  /** Of the whole pod, as last set; undefined: nobody knows. */
  readonly sandboxLimits?: Limits | undefined;
  /** Something of a sandbox may be there: its making may have failed half-way. */
  readonly sandboxPresent: boolean;
  readonly volumesReady: boolean;
  /** Something of it is on disk or mounted. */
  readonly volumesPresent: boolean;
  /** Mounted roots, as `container/attempt`. */
  readonly roots: ReadonlySet<string>;
  readonly memory: ReadonlyMap<string, ContainerMemory>;
  readonly faults: ReadonlyMap<string, Fault>;
  /** By container id. */
  readonly probes: ReadonlyMap<string, ProbeView>;
  /** By container id. */
  readonly terminationMessages: ReadonlyMap<string, string>;
  /** Operations under way, by key (`keyOfStep`). */
  readonly busy: ReadonlyMap<string, Operation>;
  /** The API server has been asked to delete the object, and agreed. */
  readonly deleted: boolean;
}

export type Step =
  | { readonly kind: 'attachNetwork' }
  | { readonly kind: 'createSandbox' }
  | { readonly kind: 'setUpVolumes' }
  | { readonly kind: 'ensureImage'; readonly container: string; readonly attempt: number }
  | { readonly kind: 'abortPull'; readonly container: string }
  | { readonly kind: 'mountRoot'; readonly container: string; readonly attempt: number }
  | { readonly kind: 'startContainer'; readonly container: string; readonly attempt: number }
  | { readonly kind: 'runPostStart'; readonly container: string; readonly id: string }
  | {
      readonly kind: 'stopContainer';
      readonly container: string;
      readonly id: string;
      /** Killed at the latest then. */
      readonly deadlineMs: number;
      /** Run its preStop hook first. */
      readonly preStop: boolean;
      /** For the Killing event. */
      readonly because: string;
      /** It starts again at once, with what it was granted since. */
      readonly restarts?: boolean;
    }
  /** Decides on what the pod asks for instead of what it was granted. */
  | { readonly kind: 'allocate' }
  | { readonly kind: 'resize'; readonly pod: Limits | undefined; readonly containers: readonly Resizing[] }
  | { readonly kind: 'concludeResize' }
  /** Begins the pod anew, in place. By container: the last attempt of the life that ends. */
  | { readonly kind: 'restartAll'; readonly attempts: Readonly<Record<string, number>> }
  | {
      readonly kind: 'removeContainer';
      readonly container: string;
      readonly id: string;
      readonly attempt: number;
    }
  | { readonly kind: 'unmountRoot'; readonly root: string }
  | { readonly kind: 'removeSandbox' }
  | { readonly kind: 'detachNetwork' }
  | { readonly kind: 'tearDownVolumes' }
  | { readonly kind: 'deletePod' }
  | { readonly kind: 'forget' };

export interface Resizing {
  readonly name: string;
  readonly id: string;
  readonly from: ContainerLimits;
  readonly to: ContainerLimits;
}

/** Two steps of one key never run at once. */
export function keyOfStep(step: Step): string {
  switch (step.kind) {
    case 'attachNetwork':
    case 'detachNetwork':
      return 'network';
    case 'createSandbox':
    case 'removeSandbox':
      return 'sandbox';
    case 'setUpVolumes':
    case 'tearDownVolumes':
      return 'volumes';
    case 'ensureImage':
      return `image/${step.container}`;
    case 'abortPull':
      return `abort/${step.container}`;
    case 'mountRoot':
    case 'startContainer':
    case 'runPostStart':
      return `container/${step.container}`;
    case 'stopContainer':
      return `stop/${step.container}`;
    case 'allocate':
    case 'concludeResize':
    case 'restartAll':
      return 'allocation';
    case 'resize':
      return 'resize';
    case 'removeContainer':
      return `remove/${step.id}`;
    case 'unmountRoot':
      return `root/${step.root}`;
    case 'deletePod':
      return 'delete';
    case 'forget':
      return 'forget';
  }
}

export interface Plan {
  readonly steps: readonly Step[];
  /** What the API object's status should say; undefined: leave it. */
  readonly status: PodStatus | undefined;
  /** Look again then, even if nothing happens. */
  readonly wakeAtMs: number | undefined;
}
