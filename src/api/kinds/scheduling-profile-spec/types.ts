/** Scheduling profiles: how pods of a scheduler's name are placed. */
import type { Condition, ObjectMeta } from '../../types/meta.v1.ts';

/** How good a node is by what is free on it; as NodeResourcesFit's arguments in a KubeSchedulerConfiguration. */
export interface ScoringStrategy {
  /** `LeastAllocated`, `MostAllocated`, `RequestedToCapacityRatio`. */
  readonly type?: string;
  readonly resources?: readonly ScoredResource[];
  readonly requestedToCapacityRatio?: { readonly shape?: readonly ShapePoint[] };
}

export interface ScoredResource {
  readonly name: string;
  readonly weight?: number;
}

/** Utilization in percent, 0 to 100; score 0 to 10. */
export interface ShapePoint {
  readonly utilization: number;
  readonly score: number;
}

/** Another strategy for pods of a type. */
export interface WorkloadStrategy {
  /** `CPUIntensive`, `MemoryIntensive`, `LatencySensitive`. */
  readonly type: string;
  readonly strategy: string;
}

export interface CustomScore {
  /** CEL over `node`, `pod` and `free`, a number from 0 to 100. */
  readonly expression?: string;
  /** In place of an expression: a function that who embeds the cloud has given, by its name. */
  readonly function?: string;
}

/** What nodes cost; of several that fit a node the first counts. */
export interface NodePrice {
  /** `OnDemand`, `Reserved`, `Spot`; without it any. */
  readonly capacityType?: string;
  readonly instanceType?: string;
  readonly zone?: string;
  readonly nodeLabels?: Readonly<Record<string, string>>;
  /** An hour of such a node. */
  readonly hourly: string;
}

/** A place that is preferred; what it does not name does not matter. */
export interface PreferredLocation {
  readonly region?: string;
  readonly zone?: string;
  readonly datacenter?: string;
  readonly rack?: string;
  readonly weight?: number;
}

/** Labels of nodes that say where these are. */
export interface LocationLabels {
  readonly region?: string;
  readonly zone?: string;
  readonly datacenter?: string;
  readonly rack?: string;
}

export interface ProfileLocations {
  readonly preferred?: readonly PreferredLocation[];
  readonly labels?: LocationLabels;
}

export interface SchedulingProfileSpec {
  /** Whose pods it is for; without one those that name no scheduler. */
  readonly schedulerName?: string;
  readonly strategy?: string;
  readonly workloads?: readonly WorkloadStrategy[];
  /** Whether pods may choose by the annotation `scheduling.caelum.dev/strategy`. */
  readonly allowPodStrategy?: boolean;
  /** How much the strategy counts beside the other aspects. */
  readonly strategyWeight?: number;
  /** Of kube-scheduler's aspects, by its plugins' names. */
  readonly weights?: Readonly<Record<string, number>>;
  readonly scoringStrategy?: ScoringStrategy;
  readonly custom?: CustomScore;
  readonly prices?: readonly NodePrice[];
  readonly locations?: ProfileLocations;
}

export interface SchedulingProfileStatus {
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
}

export interface SchedulingProfile {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
  readonly spec?: SchedulingProfileSpec;
  readonly status?: SchedulingProfileStatus;
}
