/**
 * What will happen in a world: its size, what users do, what breaks. Made from a seed, kept as JSON, run by `world.ts`.
 * A plan with parts left out is a plan: that is how a failing one is made small.
 */

export interface SimPlan {
  readonly seed: number;
  readonly nodes: readonly NodePlan[];
  /** Changes that the store remembers; fewer means more "410 Gone". */
  readonly historyEvents: number;
  /** How long pods take to start and to stop, milliseconds. */
  readonly startDelayMs: number;
  readonly stopDelayMs: number;
  readonly actions: readonly Action[];
  readonly faults: readonly Fault[];
  /** How many schedulers there are: of two, one is elected. Default 1, which is not. */
  readonly schedulers?: 1 | 2;
  /** Who hears what agents tell of use: the controllers themselves, or the API server, which serves it. Default: nobody. */
  readonly metrics?: 'near' | 'served';
  /** Users act and faults happen until then; all faults have ended by then. */
  readonly activeMs: number;
  /** Within this time after that, everything must be as wanted. */
  readonly recoverMs: number;
  /** And then nothing may be written for so long. */
  readonly restMs: number;
}

export interface NodePlan {
  readonly cpuCount: number;
  readonly memoryGiB: number;
  readonly zone: string;
  /** The code of its agent; default hollow. */
  readonly agent?: 'hollow' | 'real';
}

export interface WorkloadPlan {
  readonly replicas: number;
  readonly cpuMilli: number;
  readonly memoryMiB: number;
  readonly maxSurge: number | string;
  readonly maxUnavailable: number | string;
  readonly strategy: 'RollingUpdate' | 'Recreate';
  readonly placement: 'anywhere' | 'spread' | 'apart' | 'zone';
}

/** What a user does. Names are small numbers: `app-3`. What is not there is answered with 404, and that is fine. */
export type Action = { readonly atMs: number } & (
  | { readonly kind: 'deploy'; readonly app: number; readonly workload: WorkloadPlan }
  | { readonly kind: 'scale'; readonly app: number; readonly replicas: number }
  | { readonly kind: 'roll'; readonly app: number; readonly image: number }
  | { readonly kind: 'pause'; readonly app: number; readonly paused: boolean }
  | {
      readonly kind: 'undeploy';
      readonly app: number;
      readonly propagation: 'Background' | 'Foreground' | 'Orphan';
    }
  | { readonly kind: 'serve'; readonly app: number }
  | { readonly kind: 'unserve'; readonly app: number }
  | { readonly kind: 'job'; readonly number: number; readonly exitAfterMs: number; readonly exitCode: number }
  /** With "force": at once, whether it has ended or not. */
  | { readonly kind: 'deletePod'; readonly pick: number; readonly force?: boolean }
  | { readonly kind: 'relabelPod'; readonly pick: number }
  | { readonly kind: 'cordon'; readonly node: number; readonly on: boolean }
  | {
      readonly kind: 'taint';
      readonly node: number;
      readonly on: boolean;
      readonly effect: 'NoSchedule' | 'NoExecute';
    }
  | { readonly kind: 'namespace'; readonly number: number; readonly apps: number }
  | { readonly kind: 'dropNamespace'; readonly number: number }
  | { readonly kind: 'nonsense'; readonly pick: number }
  | OtherAction
  | PlacementAction
  | TenantAction
  | GroupAction
  | WishAction
  | ScalingAction
);

/** Pods `fill-0-3` that may be put out of their place or may not be placed yet, and nodes that vanish. */
export type PlacementAction =
  | {
      readonly kind: 'fill';
      readonly number: number;
      readonly pods: number;
      readonly cpuMilli: number;
      readonly memoryMiB: number;
      readonly level: 'low' | 'lower';
      readonly mayPreempt: boolean;
      readonly isGated: boolean;
    }
  | { readonly kind: 'unfill'; readonly number: number }
  | { readonly kind: 'openGates'; readonly number: number }
  | { readonly kind: 'dropNode'; readonly node: number };

/** Tenants `tenant-0` that share a node by queues, and their pods `batch-0-3`. */
export type TenantAction =
  | { readonly kind: 'tenants'; readonly node: number; readonly guaranteedMilli: readonly number[] }
  | {
      readonly kind: 'tenantPods';
      readonly tenant: number;
      readonly number: number;
      readonly pods: number;
      readonly cpuMilli: number;
      /** So many of them are of use together. */
      readonly gang?: number;
    }
  | { readonly kind: 'dropTenantPods'; readonly number: number }
  /** What a queue may have at most, and whether it may have more than it is guaranteed. 0: as it likes. */
  | {
      readonly kind: 'limitTenant';
      readonly tenant: number;
      readonly maxMilli: number;
      readonly mayBorrow: boolean;
    };

/** Gangs `gang-0`, whose pods are of use only together, and reservations `held-0` with the pods `guest-0-3` that use them. */
export type GroupAction =
  /** Or more of it, or what was deleted of it anew. */
  | {
      readonly kind: 'gang';
      readonly number: number;
      readonly minCount: number;
      readonly pods: number;
      readonly cpuMilli: number;
      /** Who says how many are needed. */
      readonly by: 'group' | 'annotations';
      /** All in one zone. */
      readonly isTogether: boolean;
      readonly goesTogether: boolean;
      /** Its pods are of a ReplicaSet. */
      readonly isOwned: boolean;
      readonly isLow: boolean;
    }
  | { readonly kind: 'dropGang'; readonly number: number; readonly what: 'all' | 'some' | 'group' }
  | {
      readonly kind: 'reserve';
      readonly number: number;
      readonly count: number;
      readonly cpuMilli: number;
      readonly isPartial: boolean;
      readonly mayFail: boolean;
      /** Without end: 0. */
      readonly ttlMs: number;
    }
  | { readonly kind: 'unreserve'; readonly number: number }
  | {
      readonly kind: 'guests';
      readonly number: number;
      readonly reservation: number;
      readonly pods: number;
      readonly cpuMilli: number;
      /** They name it, and want no other room. */
      readonly isNamed: boolean;
    }
  | { readonly kind: 'dropGuests'; readonly number: number };

/** What else users wish of placement: GPUs of nodes and pods `gpu-0-3` that ask for some, profiles `profile-0` and their pods `wish-0-3`, and that pods be moved. */
export type WishAction =
  | { readonly kind: 'gpus'; readonly node: number; readonly count: number; readonly model: string }
  | {
      readonly kind: 'gpuPods';
      readonly number: number;
      readonly pods: number;
      readonly count: number;
      readonly milli: number;
      readonly models: readonly string[];
    }
  | { readonly kind: 'dropGpuPods'; readonly number: number }
  /** For the name `wishes-N`, made or changed. The score is highest on that node. */
  | {
      readonly kind: 'profile';
      readonly number: number;
      readonly strategy: string;
      readonly node: number;
    }
  | { readonly kind: 'dropProfile'; readonly number: number }
  | {
      readonly kind: 'wishes';
      readonly number: number;
      readonly profile: number;
      readonly pods: number;
      readonly cpuMilli: number;
    }
  | { readonly kind: 'dropWishes'; readonly number: number }
  | {
      readonly kind: 'rebalance';
      readonly mode: 'Apply' | 'Propose';
      readonly strategies: readonly string[];
      readonly intervalMs: number;
      readonly moves: number;
      readonly movesPerNode: number;
    };

/** Deployments `scaled-0` under a load, and who scales them: `scaler-0`. */
export type ScalingAction =
  | {
      readonly kind: 'burden';
      readonly number: number;
      readonly replicas: number;
      readonly cpuMilli: number;
    }
  /** Made or changed. */
  | { readonly kind: 'scaler'; readonly number: number; readonly scaler: ScalerPlan }
  | { readonly kind: 'dropScaler'; readonly number: number; readonly by: ScalerPlan['by'] }
  /** Thousandths of a core, for all of its pods together. */
  | { readonly kind: 'load'; readonly number: number; readonly milli: number };

export interface RulesPlan {
  readonly windowSeconds: number;
  readonly select: 'Max' | 'Min';
  readonly policies: readonly {
    readonly type: 'Pods' | 'Percent';
    readonly value: number;
    readonly periodSeconds: number;
  }[];
}

export type ScalerPlan =
  | {
      readonly by: 'autoscaler';
      readonly min: number;
      readonly max: number;
      readonly percent: number;
      /** What its pods ask for. */
      readonly requestMilli: number;
      /** Of the pod, of its container, or as an amount that comes to the same. */
      readonly of: 'pod' | 'container' | 'amount';
      /** And by memory, of which every pod uses the same. */
      readonly memoryPercent?: number;
      /** Without: as Kubernetes does where nothing is said. */
      readonly up?: RulesPlan;
      readonly down?: RulesPlan;
    }
  | {
      readonly by: 'policy';
      readonly min: number;
      readonly max: number;
      /** What one replica carries; without it triggers add and take one. */
      readonly perReplicaMilli?: number;
      readonly bufferPercent: number;
      readonly tolerancePercent: number;
      readonly stabilizationSeconds: number;
      readonly cooldownSeconds: number;
      readonly maxStep?: number;
    }
  | { readonly by: 'vertical'; readonly mode: string; readonly maxMilli: number };

/** StatefulSets, DaemonSets, Jobs, CronJobs, budgets and autoscalers: `set-0`, `daemon-0`, `batch-0`, `cron-0`; the others are called like their app. */
export type OtherAction =
  | { readonly kind: 'deploySet'; readonly number: number; readonly set: SetPlan }
  | { readonly kind: 'scaleSet'; readonly number: number; readonly replicas: number }
  | { readonly kind: 'rollSet'; readonly number: number; readonly image: number; readonly partition: number }
  | { readonly kind: 'dropSet'; readonly number: number; readonly propagation: Propagation }
  /** The claim of the set's first pod asks for more. */
  | { readonly kind: 'growClaim'; readonly number: number; readonly gibibytes: number }
  | { readonly kind: 'daemon'; readonly number: number; readonly daemon: DaemonPlan }
  | { readonly kind: 'rollDaemon'; readonly number: number; readonly image: number }
  | { readonly kind: 'dropDaemon'; readonly number: number; readonly propagation: Propagation }
  | { readonly kind: 'batch'; readonly number: number; readonly batch: BatchPlan }
  | { readonly kind: 'suspendBatch'; readonly number: number; readonly on: boolean }
  | { readonly kind: 'dropBatch'; readonly number: number; readonly propagation: Propagation }
  | { readonly kind: 'cron'; readonly number: number; readonly cron: CronPlan }
  | { readonly kind: 'dropCron'; readonly number: number }
  | { readonly kind: 'budget'; readonly app: number; readonly minAvailable: number | string }
  | { readonly kind: 'dropBudget'; readonly app: number }
  | { readonly kind: 'evict'; readonly pick: number }
  | { readonly kind: 'autoscale'; readonly app: number; readonly min: number; readonly max: number }
  | { readonly kind: 'dropAutoscale'; readonly app: number }
  | DeviceAction;

/** Devices of nodes, and Deployments whose pods claim some: `claimer-0`. */
export type DeviceAction =
  | { readonly kind: 'devices'; readonly node: number; readonly count: number }
  | {
      readonly kind: 'claimers';
      readonly number: number;
      readonly replicas: number;
      /** How many each claim is for. */
      readonly devices: number;
      /** One claim for all of them. */
      readonly isShared: boolean;
    }
  | { readonly kind: 'scaleClaimers'; readonly number: number; readonly replicas: number }
  | { readonly kind: 'dropClaimers'; readonly number: number };

type Propagation = 'Background' | 'Foreground' | 'Orphan';

export interface SetPlan {
  readonly replicas: number;
  readonly isParallel: boolean;
  readonly start: number;
  /** Each pod has a claim; what becomes of it when it is scaled away, and when the set goes. Default: none has. */
  readonly claims?: { readonly whenScaled: 'Retain' | 'Delete'; readonly whenDeleted: 'Retain' | 'Delete' };
}

export interface DaemonPlan {
  readonly maxSurge: number;
  readonly maxUnavailable: number;
}

export interface BatchPlan {
  readonly completions: number;
  readonly parallelism: number;
  readonly isIndexed: boolean;
  readonly backoffLimit: number;
  readonly exitAfterMs: number;
  readonly exitCode: number;
}

export interface CronPlan {
  readonly concurrency: 'Allow' | 'Forbid' | 'Replace';
  readonly exitAfterMs: number;
}

/** What breaks, from `atMs` for `forMs`. */
export type Fault = { readonly atMs: number; readonly forMs: number } & (
  | { readonly kind: 'kill'; readonly process: string; readonly afterSends: number }
  | { readonly kind: 'cut'; readonly process: string; readonly way: 'in' | 'out' | 'both' }
  | { readonly kind: 'slow'; readonly chance: number; readonly slowMs: number }
  | { readonly kind: 'loss'; readonly chance: number }
  | { readonly kind: 'repeat'; readonly chance: number }
  | { readonly kind: 'breakStreams'; readonly process: string }
  | { readonly kind: 'compact' }
  | { readonly kind: 'diskFull' }
  | { readonly kind: 'diskStall' }
  | { readonly kind: 'diskRefuse' }
  | { readonly kind: 'syncFails' }
  | { readonly kind: 'bitFlip' }
  | { readonly kind: 'clockJump'; readonly process: string; readonly byMs: number }
  | { readonly kind: 'clockDrift'; readonly process: string; readonly drift: number }
  /** The machine is without power: its processes, its containers and its kernel's rules are gone. */
  | { readonly kind: 'crashNode'; readonly process: string }
  | {
      readonly kind: 'containerExits';
      readonly process: string;
      readonly pick: number;
      readonly exitCode: number;
    }
  | { readonly kind: 'slowPull'; readonly process: string; readonly pullMs: number }
  /** Runtime, network, images, disk and rules of a machine fail now and then. */
  | { readonly kind: 'machineErrors'; readonly process: string; readonly chance: number }
  /** What an agent tells of the use of its pods. */
  | { readonly kind: 'metrics'; readonly process: string; readonly tells: Tells }
);

export const tellings = ['silent', 'late', 'frozen', 'none', 'some', 'nonsense'] as const;
/** Nothing at all, too late, always the same, of no pod, of some, of some what is no number. */
export type Tells = (typeof tellings)[number];

export const faultKinds = [
  'kill',
  'cut',
  'slow',
  'loss',
  'repeat',
  'breakStreams',
  'compact',
  'diskFull',
  'diskStall',
  'diskRefuse',
  'syncFails',
  'bitFlip',
  'clockJump',
  'clockDrift',
  'crashNode',
  'containerExits',
  'slowPull',
  'machineErrors',
] as const satisfies readonly Fault['kind'][];

/** What moves pods runs where somebody wants it. */
export const rebalancerName = 'rebalancer';
export const nodeName = (index: number): string => `node-${index}`;
/** The process on a node's machine that keeps the rules for services. */
export const proxyName = (index: number): string => `proxy-${index}`;
