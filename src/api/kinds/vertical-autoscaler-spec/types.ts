/** The types of autoscaling.k8s.io/v1, as the Kubernetes autoscaler project has them. Their table is in `tables/own-tables.ts`. */
import type { CrossVersionObjectReference } from '../../types/autoscaling.v2.ts';
import type { ObjectMeta } from '../../types/meta.v1.ts';

export type ResourceAmounts = Readonly<Record<string, string>>;

export interface VerticalStartupBoost {
  readonly cpu?: {
    /** `Factor` or `Quantity`. */
    readonly type: string;
    readonly factor?: number;
    readonly quantity?: string;
    /** Kept for so long after the pod is Ready. */
    readonly durationSeconds?: number;
  };
}

export interface VerticalEvictionRequirement {
  readonly resources: readonly string[];
  /** `TargetHigherThanRequests` or `TargetLowerThanRequests`. */
  readonly changeRequirement: string;
}

export interface VerticalUpdatePolicy {
  /** `Off`, `Initial`, `Recreate`, `InPlaceOrRecreate`, `InPlace`, `Auto` (an older name of `Recreate`). */
  readonly updateMode?: string;
  readonly minReplicas?: number;
  readonly evictionRequirements?: readonly VerticalEvictionRequirement[];
}

export interface VerticalContainerPolicy {
  /** `*`: all that have no policy of their own. */
  readonly containerName?: string;
  readonly mode?: string;
  readonly minAllowed?: ResourceAmounts;
  readonly maxAllowed?: ResourceAmounts;
  readonly controlledResources?: readonly string[];
  readonly controlledValues?: string;
  readonly oomBumpUpRatio?: string;
  readonly oomMinBumpUp?: string;
  readonly startupBoost?: VerticalStartupBoost;
}

export interface VerticalPodAutoscalerSpec {
  readonly targetRef: CrossVersionObjectReference;
  readonly updatePolicy?: VerticalUpdatePolicy;
  readonly resourcePolicy?: { readonly containerPolicies?: readonly VerticalContainerPolicy[] };
  readonly recommenders?: readonly { readonly name: string }[];
  readonly startupBoost?: VerticalStartupBoost;
}

export interface VerticalRecommendation {
  readonly containerName?: string;
  readonly target: ResourceAmounts;
  readonly lowerBound?: ResourceAmounts;
  readonly upperBound?: ResourceAmounts;
  readonly uncappedTarget?: ResourceAmounts;
}

export interface VerticalPodAutoscalerCondition {
  readonly type: string;
  readonly status: string;
  readonly lastTransitionTime?: string;
  readonly reason?: string;
  readonly message?: string;
}

export interface VerticalPodAutoscalerStatus {
  readonly recommendation?: { readonly containerRecommendations?: readonly VerticalRecommendation[] };
  readonly conditions?: readonly VerticalPodAutoscalerCondition[];
}

export interface VerticalPodAutoscaler {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
  readonly spec: VerticalPodAutoscalerSpec;
  readonly status?: VerticalPodAutoscalerStatus;
}

export interface HistogramCheckpoint {
  readonly referenceTimestamp?: string;
  readonly bucketWeights?: Readonly<Record<string, number>>;
  readonly totalWeight?: number;
}

export interface VerticalPodAutoscalerCheckpointStatus {
  readonly lastUpdateTime?: string;
  readonly version?: string;
  readonly cpuHistogram?: HistogramCheckpoint;
  readonly memoryHistogram?: HistogramCheckpoint;
  readonly firstSampleStart?: string;
  readonly lastSampleStart?: string;
  readonly totalSamplesCount?: number;
}

export interface VerticalPodAutoscalerCheckpoint {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
  readonly spec?: { readonly vpaObjectName?: string; readonly containerName?: string };
  readonly status?: VerticalPodAutoscalerCheckpointStatus;
}
