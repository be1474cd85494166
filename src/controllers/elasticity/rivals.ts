/** Who else scales a policy's target. Pure. Of two masters one acts: an autoscaler before a policy, the older policy before the younger. */
import type {
  CrossVersionObjectReference,
  ElasticityPolicy,
  HorizontalPodAutoscaler,
} from '../../api/index.ts';

const groupOf = (apiVersion = ''): string =>
  apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';

/** The version does not matter: it is one object. */
export const sameTarget = (a: CrossVersionObjectReference, b: CrossVersionObjectReference): boolean =>
  a.kind === b.kind && a.name === b.name && groupOf(a.apiVersion) === groupOf(b.apiVersion);

/** Undefined: nobody, or nobody who goes first. */
export function rivalOf(
  policy: ElasticityPolicy,
  policies: readonly ElasticityPolicy[],
  autoscalers: readonly HorizontalPodAutoscaler[],
): string | undefined {
  const { scaleTargetRef } = policy.spec;
  const autoscaler = autoscalers.find(({ spec }) => sameTarget(spec.scaleTargetRef, scaleTargetRef));
  if (autoscaler !== undefined) return `HorizontalPodAutoscaler "${autoscaler.metadata.name}"`;
  const older = policies.find(
    (one) =>
      one.metadata.uid !== policy.metadata.uid &&
      one.metadata.deletionTimestamp === undefined &&
      sameTarget(one.spec.scaleTargetRef, scaleTargetRef) &&
      ageOf(one) < ageOf(policy),
  );
  return older === undefined ? undefined : `ElasticityPolicy "${older.metadata.name}"`;
}

/** Whoever comes first in this order is the older: of one second the name decides. */
const ageOf = ({ metadata }: ElasticityPolicy): string =>
  `${metadata.creationTimestamp ?? ''} ${metadata.name ?? ''}`;
