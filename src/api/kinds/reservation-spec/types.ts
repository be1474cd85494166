/** The types of scheduling.caelum.dev/v1 Reservation. Their table is in `tables/own-tables.ts`. */
import type { Affinity, Toleration, TopologySpreadConstraint } from '../../types/core.v1.ts';
import type { Condition, LabelSelector, ObjectMeta } from '../../types/meta.v1.ts';

/** What one place is. */
export interface ReservationTemplate {
  /** What a place holds of its node. */
  readonly requests: { readonly [resource: string]: string };
  /** As pods that would count as: for affinity and spreading, of its own places and of others. */
  readonly labels?: { readonly [key: string]: string };
  readonly nodeSelector?: { readonly [key: string]: string };
  readonly affinity?: Affinity;
  readonly tolerations?: readonly Toleration[];
  readonly topologySpreadConstraints?: readonly TopologySpreadConstraint[];
}

export interface ReservationSpec {
  readonly count: number;
  readonly template: ReservationTemplate;
  /** `AllOrNone` or `Partial`. */
  readonly mode?: string;
  /** When there is no room: `Wait` for it, or `Fail` for good. */
  readonly whenRefused?: string;
  /** Pods of the namespace that may use it, besides those that name it. */
  readonly selector?: LabelSelector;
  /** How long it holds, from when it was made. */
  readonly ttl?: string;
  readonly expireTime?: string;
}

export interface ReservationPlace {
  readonly node: string;
  /** How many places are held there, used ones among them. */
  readonly count: number;
  /** Names of the pods that use them. */
  readonly pods?: readonly string[];
}

export interface ReservationStatus {
  readonly observedGeneration?: number;
  /** `Pending`, `Held`, `Partial`, `Refused`, `Expired`. */
  readonly phase?: string;
  readonly allocated?: number;
  readonly used?: number;
  readonly expireTime?: string;
  readonly places?: readonly ReservationPlace[];
  readonly conditions?: readonly Condition[];
}

export interface Reservation {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
  readonly spec: ReservationSpec;
  readonly status?: ReservationStatus;
}
