/** What moves pods that are placed already, and within which limits. The table is in `tables/own-tables.ts`. */
import type { Condition, LabelSelector, ObjectMeta } from '../../types/meta.v1.ts';

export interface RebalanceStrategy {
  /**
   * `Drain`, `NodeTaints`, `NodeAffinity`, `AntiAffinity`, `SpreadRepair`, `Duplicates`, `Defragment`, `LowUtilization`, `Restarts`, `Lifetime`.
   * Those that stand earlier are never undone for those that stand later.
   */
  readonly type: string;
  /** Of Drain: which nodes shall go; without it those that are cordoned. */
  readonly nodeNames?: readonly string[];
  /** Of Defragment: the resource of which nodes shall be free, or all that pods take; of LowUtilization: those that are looked at. */
  readonly resources?: readonly string[];
  /** Of Defragment: nodes that are used to at most so much of their resources, in percent, are emptied. Of LowUtilization: nodes that have room. */
  readonly thresholds?: Readonly<Record<string, number>>;
  /** Of LowUtilization: nodes beyond so much, in percent, give pods away. */
  readonly targetThresholds?: Readonly<Record<string, number>>;
  /** Of SpreadRepair: constraints with ScheduleAnyway too. */
  readonly includeSoft?: boolean;
  /** Of Restarts: pods whose containers have been restarted so often. */
  readonly maxRestarts?: number;
  /** Of Lifetime: pods that are so old. */
  readonly maxLifetime?: string;
}

export interface RebalanceLimits {
  readonly moves?: number;
  readonly movesPerNode?: number;
  readonly movesPerNamespace?: number;
  /** Pods of higher priority stay. */
  readonly maxPriority?: number;
  /** Pods that are younger stay. */
  readonly minPodAge?: string;
}

export interface RebalancePolicySpec {
  /** `Propose`: say what would be done; `Apply`: do it. */
  readonly mode?: string;
  /** When, as in a CronJob. Neither this nor an interval: when it is asked for. */
  readonly schedule?: string;
  readonly interval?: string;
  readonly suspend?: boolean;
  readonly strategies: readonly RebalanceStrategy[];
  readonly limits?: RebalanceLimits;
  /** Which stay unless they are named: `BarePods`, `JobPods`, `LocalStorage`, `SystemCritical`. */
  readonly allow?: readonly string[];
  /** Only pods of these namespaces; without them of all. */
  readonly namespaces?: readonly string[];
  readonly excludedNamespaces?: readonly string[];
  /** Only pods with these labels. */
  readonly podSelector?: LabelSelector;
  /** Only nodes with these labels give pods away. */
  readonly nodeSelector?: LabelSelector;
}

export interface RebalanceMove {
  readonly pod: string;
  readonly from: string;
  /** Where it would go now; empty where it is not made again. */
  readonly to?: string;
  readonly strategy: string;
  readonly reason?: string;
}

export interface RebalanceStay {
  readonly reason: string;
  readonly count: number;
}

export interface RebalancePolicyStatus {
  readonly observedGeneration?: number;
  readonly lastPlanTime?: string;
  readonly lastMoveTime?: string;
  readonly nextPlanTime?: string;
  /** How many moves the last plan has. */
  readonly planned?: number;
  /** The first of them. */
  readonly moves?: readonly RebalanceMove[];
  /** Why pods that a strategy would move stay. */
  readonly stays?: readonly RebalanceStay[];
  /** Of all plans together. */
  readonly done?: number;
  readonly failed?: number;
  readonly conditions?: readonly Condition[];
}

export interface RebalancePolicy {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
  readonly spec: RebalancePolicySpec;
  readonly status?: RebalancePolicyStatus;
}
