/**
 * More CPU for containers while they start (`startupBoost` of vertical autoscalers). Pure. For pods that are made (admission) and pods that have started.
 *
 *   made: request × factor, or + quantity; limit in proportion ─▶ Ready for `durationSeconds` ─▶ resized in place to what they have without
 *
 * Invariant: what a container has without the boost stands in the pod's annotation, with the boosted request. It counts as boosted for as long as it requests
 * just that: no second write ends it.
 * Source: kubernetes/autoscaler, AEP-7862, as behaviour.
 */
import type { VerticalPodAutoscaler, VerticalStartupBoost } from './kinds/vertical-autoscaler-spec/types.ts';
import type { KubeObject } from './object.ts';
import { quantityMilli } from './quantity.ts';
import type { Container, Pod, PodSpec, ResourceRequirements } from './types/core.v1.ts';
import {
  type ContainerChange,
  containerPolicyOf,
  milliText,
  verticalChanges,
  verticalModeOf,
} from './vertical-recommendation.ts';

export const startupBoostAnnotation = 'startup-cpu-boost';

/** One container that starts with more than it keeps: amounts of CPU. */
interface Boost {
  readonly request: string;
  readonly limit?: string;
  readonly boosted: string;
}

export interface StartupBoosts {
  /** The autoscaler's name. */
  readonly by: string;
  readonly containers: Readonly<Record<string, Boost>>;
}

const boostOf = (autoscaler: VerticalPodAutoscaler, container: string): VerticalStartupBoost['cpu'] =>
  (containerPolicyOf(autoscaler, container)?.startupBoost ?? autoscaler.spec.startupBoost)?.cpu;

export function hasStartupBoost({ spec }: VerticalPodAutoscaler): boolean {
  return (
    spec.startupBoost?.cpu !== undefined ||
    (spec.resourcePolicy?.containerPolicies ?? []).some((policy) => policy.startupBoost?.cpu !== undefined)
  );
}

/**
 * What the containers of a pod that is being made start with, and what is to be noted of it.
 * `spec`: with what is recommended; `asked`: as it came.
 */
export function startupBoosts(
  autoscaler: VerticalPodAutoscaler,
  spec: PodSpec,
  asked: PodSpec,
): { readonly changes: readonly ContainerChange[]; readonly boosts: StartupBoosts } | undefined {
  const changes: ContainerChange[] = [];
  const containers: Record<string, Boost> = {};
  spec.containers.forEach((container, index) => {
    const { name } = container;
    const change = boostedChange(autoscaler, container);
    if (change === undefined) return;
    const before = asked.containers[index]?.resources;
    const limit = before?.limits?.['cpu'] ?? container.resources?.limits?.['cpu'];
    changes.push({ index, name, ...change });
    containers[name] = {
      request: before?.requests?.['cpu'] ?? container.resources?.requests?.['cpu'] ?? '',
      ...(limit === undefined ? {} : { limit }),
      boosted: change.resources.requests?.['cpu'] ?? '',
    };
  });
  return changes.length === 0
    ? undefined
    : { changes, boosts: { by: autoscaler.metadata.name ?? '', containers } };
}

function boostedChange(
  autoscaler: VerticalPodAutoscaler,
  { name, resources = {} }: Container,
): Pick<ContainerChange, 'resources' | 'what'> | undefined {
  const boost = boostOf(autoscaler, name);
  const base = quantityMilli(resources.requests?.['cpu']);
  if (boost === undefined || base === undefined || base === 0) return undefined;
  const limit = quantityMilli(resources.limits?.['cpu']);
  const isRequestOnly = containerPolicyOf(autoscaler, name)?.controlledValues === 'RequestsOnly';
  const wished =
    boost.type === 'Factor' ? base * (boost.factor ?? 1) : base + (quantityMilli(boost.quantity) ?? 0);
  // Just below the limit: at the limit the pod would be of another class.
  const boosted = Math.round(isRequestOnly && limit !== undefined ? Math.min(wished, limit - 1) : wished);
  if (boosted <= base) return undefined;
  const isLimitBoosted = limit !== undefined && !isRequestOnly;
  return {
    resources: {
      ...resources,
      requests: { ...resources.requests, cpu: milliText(boosted) },
      ...(isLimitBoosted
        ? { limits: { ...resources.limits, cpu: milliText(Math.round((limit * boosted) / base)) } }
        : {}),
    },
    what: isLimitBoosted ? ['cpu request', 'cpu limit'] : ['cpu request'],
  };
}

/** What is noted of a pod; undefined: nothing, or nothing that can be read. */
export function startupBoostsOf({ metadata }: KubeObject): StartupBoosts | undefined {
  const text = metadata.annotations?.[startupBoostAnnotation];
  if (text === undefined) return undefined;
  try {
    const { by, containers } = JSON.parse(text) as Partial<StartupBoosts>;
    return typeof by === 'string' && typeof containers === 'object' && containers !== null
      ? { by, containers }
      : undefined;
  } catch {
    return undefined;
  }
}

/** The pod as it would be without its boosts; undefined: none of its containers is boosted (any more). */
export function withoutBoosts(pod: Pod): Pod | undefined {
  const boosts = startupBoostsOf(pod);
  if (boosts === undefined || pod.spec === undefined) return undefined;
  let isBoosted = false;
  const containers = pod.spec.containers.map((container) => {
    const boost = Object.hasOwn(boosts.containers, container.name)
      ? boosts.containers[container.name]
      : undefined;
    const now = quantityMilli(container.resources?.requests?.['cpu']);
    if (boost === undefined || now === undefined || now !== quantityMilli(boost.boosted)) return container;
    if (quantityMilli(boost.request) === undefined) return container;
    isBoosted = true;
    return { ...container, resources: unboosted(container.resources ?? {}, boost) };
  });
  return isBoosted ? { ...pod, spec: { ...pod.spec, containers } } : undefined;
}

function unboosted(resources: ResourceRequirements, { request, limit }: Boost): ResourceRequirements {
  return {
    ...resources,
    requests: { ...resources.requests, cpu: request },
    ...(limit !== undefined && resources.limits?.['cpu'] !== undefined
      ? { limits: { ...resources.limits, cpu: limit } }
      : {}),
  };
}

/** What ends the boosts of a pod: what is recommended now, where the mode has it, else what the pod came with. */
export function boostEnd(autoscaler: VerticalPodAutoscaler, pod: Pod): readonly ContainerChange[] {
  const without = withoutBoosts(pod);
  if (without?.spec === undefined || pod.spec === undefined) return [];
  const recommended = verticalModeOf(autoscaler) === 'Off' ? [] : verticalChanges(autoscaler, without.spec);
  const changes: ContainerChange[] = [];
  without.spec.containers.forEach((container, index) => {
    if (container === pod.spec?.containers[index]) return;
    const change = recommended.find((one) => one.index === index);
    const { name, resources = {} } = container;
    changes.push({
      index,
      name,
      resources: change?.resources ?? resources,
      what: [...new Set(['cpu request', ...(change?.what ?? [])])],
    });
  });
  return changes;
}

/** For how long the pod stays boosted once it is Ready: as long as the longest of its containers. In ms. */
export function boostDurationMs(autoscaler: VerticalPodAutoscaler, { spec }: Pod): number {
  return Math.max(
    0,
    ...(spec?.containers ?? []).map(({ name }) => (boostOf(autoscaler, name)?.durationSeconds ?? 0) * 1000),
  );
}
