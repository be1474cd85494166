/** Queues: what tenants share, and what each is guaranteed of it. */
import type { Condition, LabelSelector, ObjectMeta } from '../../types/meta.v1.ts';

/** Amounts by resource: `cpu`, `memory`, `ephemeral-storage`, `pods`, extended resources. */
export type QueueAmounts = Readonly<Record<string, string>>;

export interface QueueSpec {
  /** The queue that it is a part of; without one it is a part of the cloud. */
  readonly parent?: string;
  /** How much of what its parent has is its fair share, beside its siblings'. */
  readonly weight?: number;
  /** What it is guaranteed. It speaks only of the resources that it names. */
  readonly min?: QueueAmounts;
  /** What it may never have more of. */
  readonly max?: QueueAmounts;
  /** Whether it may have more than it is guaranteed. */
  readonly mayBorrow?: boolean;
  /** Whether others may use what it is guaranteed and does not use. */
  readonly mayLend?: boolean;
  /** Who may be put out of their places when it needs what it is guaranteed: `Any`, `LowerPriority`, `Never`. */
  readonly reclaimPolicy?: string;
  /** Which of the pods of its namespaces are in it: `All`, or `ByLabel`: those that name it. */
  readonly podSelection?: string;
  readonly namespaces?: readonly string[];
  readonly namespaceSelector?: LabelSelector;
}

export interface QueueStatus {
  readonly observedGeneration?: number;
  readonly used?: QueueAmounts;
  readonly pending?: QueueAmounts;
  /** Used beyond what it is guaranteed. */
  readonly borrowed?: QueueAmounts;
  readonly pods?: number;
  readonly pendingPods?: number;
  /** The resource of which it has the largest part. */
  readonly dominantResource?: string;
  /** That part: `250m` is a quarter of the cloud. */
  readonly dominantShare?: string;
  /** What that part would be if all that is asked for were shared fairly. */
  readonly fairShare?: string;
  readonly conditions?: readonly Condition[];
}

export interface Queue {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
  readonly spec?: QueueSpec;
  readonly status?: QueueStatus;
}
