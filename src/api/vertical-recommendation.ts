/**
 * What a vertical recommendation means for a pod: new requests, and limits in proportion. Pure. For pods that are made (admission) and pods that run alike.
 * Source: vertical-pod-autoscaler of kubernetes/autoscaler, as behaviour.
 */
import type {
  VerticalContainerPolicy,
  VerticalPodAutoscaler,
} from './kinds/vertical-autoscaler-spec/types.ts';
import { nanoText, quantityMilli } from './quantity.ts';
import type { Container, PodSpec, ResourceRequirements } from './types/core.v1.ts';

/** One container that would have other resources. */
export interface ContainerChange {
  readonly index: number;
  readonly name: string;
  readonly resources: ResourceRequirements;
  /** `cpu request`, `memory limit`. */
  readonly what: readonly string[];
}

/** `Auto` is an older name of `Recreate`, which is also what is done where nothing is said. */
export function verticalModeOf({ spec }: VerticalPodAutoscaler): string {
  const mode = spec.updatePolicy?.updateMode ?? 'Recreate';
  return mode === 'Auto' ? 'Recreate' : mode;
}

/** Its own policy, or that of all others (`*`). */
export function containerPolicyOf(
  { spec }: VerticalPodAutoscaler,
  container: string,
): VerticalContainerPolicy | undefined {
  const policies = spec.resourcePolicy?.containerPolicies ?? [];
  return (
    policies.find(({ containerName }) => containerName === container) ??
    policies.find(({ containerName }) => containerName === '*')
  );
}

/** What the recommendation changes of a pod. Empty: nothing, or there is none. */
export function verticalChanges(
  autoscaler: VerticalPodAutoscaler,
  spec: PodSpec,
): readonly ContainerChange[] {
  const recommendations = autoscaler.status?.recommendation?.containerRecommendations ?? [];
  if (recommendations.length === 0) return [];
  const changes: ContainerChange[] = [];
  spec.containers.forEach((container, index) => {
    const { name } = container;
    const found = recommendations.find(({ containerName }) => containerName === name);
    const policy = containerPolicyOf(autoscaler, name);
    if (found === undefined || policy?.mode === 'Off') return;
    const change = changeOf(container, found.target, policy);
    if (change.what.length > 0) changes.push({ index, name, ...change });
  });
  return changes;
}

function changeOf(
  { resources = {} }: Container,
  target: Readonly<Record<string, string>>,
  policy: VerticalContainerPolicy | undefined,
): Pick<ContainerChange, 'resources' | 'what'> {
  const { requests: asked = {}, limits = {} } = resources;
  const [requests, newLimits] = [{ ...asked }, { ...limits }];
  const what: string[] = [];
  const controlled = policy?.controlledResources ?? ['cpu', 'memory'];
  for (const resource of ['cpu', 'memory']) {
    const wanted = capped(resource, target[resource], policy);
    if (wanted === undefined || !controlled.includes(resource)) continue;
    const limit = quantityMilli(limits[resource]);
    // Without a request the limit is the request.
    const before = quantityMilli(asked[resource]) ?? limit;
    const isRequestOnly = policy?.controlledValues === 'RequestsOnly';
    const request = isRequestOnly && limit !== undefined ? Math.min(wanted, limit) : wanted;
    if (request !== quantityMilli(asked[resource])) {
      requests[resource] = milliText(request);
      what.push(`${resource} request`);
    }
    if (isRequestOnly || limit === undefined || before === undefined || before === 0) continue;
    const nextLimit = whole(resource, (limit * request) / before);
    if (nextLimit !== limit) {
      newLimits[resource] = milliText(nextLimit);
      what.push(`${resource} limit`);
    }
  }
  return {
    resources: {
      ...resources,
      ...(Object.keys(requests).length === 0 ? {} : { requests }),
      ...(Object.keys(newLimits).length === 0 ? {} : { limits: newLimits }),
    },
    what,
  };
}

/** In thousandths, within what the policy allows now, whatever it did when it was recommended. */
function capped(
  resource: string,
  amount: string | undefined,
  policy: VerticalContainerPolicy | undefined,
): number | undefined {
  const milli = quantityMilli(amount);
  if (milli === undefined) return undefined;
  const least = quantityMilli(policy?.minAllowed?.[resource]) ?? 0;
  const most = quantityMilli(policy?.maxAllowed?.[resource]) ?? Number.POSITIVE_INFINITY;
  return whole(resource, Math.min(Math.max(milli, least), most));
}

/** CPU in thousandths, memory in bytes: no finer. */
const whole = (resource: string, milli: number): number =>
  resource === 'memory' ? Math.round(milli / 1000) * 1000 : Math.round(milli);

/** Thousandths as a quantity. */
export const milliText = (milli: number): string => nanoText(BigInt(milli) * 1_000_000n);
