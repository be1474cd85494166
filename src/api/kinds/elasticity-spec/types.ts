/** The types of autoscale.caelum.dev/v1. Their table is in `tables/own-tables.ts`. */
import type { CrossVersionObjectReference, MetricIdentifier } from '../../types/autoscaling.v2.ts';
import type { Condition, ObjectMeta } from '../../types/meta.v1.ts';

export interface ElasticityMetric {
  /** `Resource`, `ContainerResource`, `Pods`, `Object`, `External`. */
  readonly type: string;
  readonly resource?: { readonly name: string };
  readonly containerResource?: { readonly name: string; readonly container: string };
  readonly pods?: { readonly metric: MetricIdentifier };
  readonly object?: {
    readonly describedObject: CrossVersionObjectReference;
    readonly metric: MetricIdentifier;
  };
  readonly external?: { readonly metric: MetricIdentifier };
}

export interface ElasticityTrigger {
  readonly name: string;
  readonly metric: ElasticityMetric;
  /** `Utilization` (percent of the request), `AverageValue` (of a pod), `Value` (of all). */
  readonly measure?: string;
  /** `>`, `>=`, `<`, `<=`, `==`, `!=`. */
  readonly operator: string;
  readonly threshold: string;
  /** How long it has to hold without a break. */
  readonly duration?: string;
}

export interface ElasticityAction {
  /** `ScaleOut` (`ScaleUp`), `ScaleIn` (`ScaleDown`), `SetTo`. */
  readonly type: string;
  /** Replicas, or percent of those that there are. */
  readonly amount: number | string;
  /** Triggers that must all hold. */
  readonly when: readonly string[];
}

export interface ElasticityCapacity {
  /** What is demanded of all replicas together. */
  readonly metric: ElasticityMetric;
  /** What one replica carries. */
  readonly perReplica?: string;
  /** What one replica carries, as percent of its request. */
  readonly utilization?: number;
  /** Beyond the demand: replicas, or percent of it. */
  readonly buffer?: number | string;
  /** Percent that the demand may grow without its number being too small again: no fewer replicas before that. */
  readonly tolerance?: number | string;
}

export interface ElasticityPrediction {
  /** How far ahead: as long as a pod takes to be ready. Without it: as long as they took of late. */
  readonly horizon?: string;
  readonly percentile?: number;
  readonly season?: string;
  readonly minHistory?: string;
}

export interface ElasticityConstraints {
  readonly minReplicas?: number;
  readonly maxReplicas: number;
  /** The most of one change: replicas, or percent of those that there are. */
  readonly maxStep?: number | string;
  /** The most of all changes within a period. */
  readonly maxRate?: { readonly replicas: number; readonly period: string };
  /** Fewer replicas only when no more were wanted for so long. */
  readonly stabilization?: string;
}

export interface ElasticityPolicySpec {
  readonly scaleTargetRef: CrossVersionObjectReference;
  /** `Reactive` or `Predictive`. */
  readonly mode?: string;
  readonly triggers?: readonly ElasticityTrigger[];
  readonly actions?: readonly ElasticityAction[];
  readonly capacity?: ElasticityCapacity;
  readonly prediction?: ElasticityPrediction;
  readonly constraints: ElasticityConstraints;
  /** After a change nothing changes for so long. */
  readonly cooldown?: string;
  /** The same for more replicas; without it `cooldown`. */
  readonly scaleOutCooldown?: string;
}

export interface ElasticityTriggerStatus {
  readonly name: string;
  readonly value?: string;
  readonly holds?: boolean;
  readonly since?: string;
}

export interface ElasticityForecast {
  readonly time?: string;
  readonly horizon?: string;
  readonly demand?: string;
  /** Mean error of late, in percent of the demand: of the forecast, and of saying that nothing changes. */
  readonly errorPercent?: number;
  readonly steadyErrorPercent?: number;
  /** How much has been seen. */
  readonly history?: string;
}

export interface ElasticityPolicyStatus {
  readonly observedGeneration?: number;
  readonly lastScaleTime?: string;
  readonly currentReplicas?: number;
  readonly desiredReplicas?: number;
  readonly demand?: string;
  readonly triggers?: readonly ElasticityTriggerStatus[];
  readonly forecast?: ElasticityForecast;
  readonly conditions?: readonly Condition[];
}

export interface ElasticityPolicy {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
  readonly spec: ElasticityPolicySpec;
  readonly status?: ElasticityPolicyStatus;
}

/** One way to forecast: its error of late and of the last hour, and how often the truth lay how many times the latter above what it said. */
export interface ElasticityMethod {
  readonly name: string;
  readonly error?: number;
  readonly weight?: number;
  readonly recent?: number;
  readonly ratios?: Readonly<Record<string, number>>;
}

export interface ElasticityHistoryStatus {
  readonly version?: string;
  readonly lastUpdateTime?: string;
  readonly seasonSeconds?: number;
  readonly firstStep?: number;
  readonly lastStep?: number;
  readonly steps?: number;
  readonly level?: number;
  readonly spread?: number;
  readonly profile?: readonly number[];
  readonly seen?: readonly number[];
  readonly methods?: readonly ElasticityMethod[];
  readonly regression?: {
    readonly weights?: readonly number[];
    readonly spread?: readonly number[];
    readonly usual?: number;
  };
}

/** What a predictive policy has learnt, so that a restart forgets nothing. Written by the controller. */
export interface ElasticityHistory {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
  readonly spec?: { readonly policyName: string; readonly demand?: string };
  readonly status?: ElasticityHistoryStatus;
}
