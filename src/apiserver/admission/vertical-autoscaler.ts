/**
 * VerticalPodAutoscaler: a pod that is made for a workload with a vertical autoscaler gets what that recommends, in every mode but Off, and what it boosts a
 * start with, in every mode. Not where its kinds are another project's: that one brings a webhook of its own. Pure.
 * Source: vertical-pod-autoscaler/pkg/admission-controller, as behaviour.
 */
import {
  type ContainerChange,
  type Draft,
  draftOf,
  hasStartupBoost,
  type KubeObject,
  type OwnerReference,
  type Pod,
  type PodSpec,
  startupBoostAnnotation,
  startupBoosts,
  type VerticalPodAutoscaler,
  verticalChanges,
  verticalModeOf,
} from '../../api/index.ts';
import type { AdmissionContext, AdmissionStep } from './chain.ts';
import { Following } from './following.ts';

const group = 'autoscaling.k8s.io';
/** Owners of owners: pod, Job, CronJob, and whatever made that. */
const depthMax = 5;

export function verticalAutoscaler(context: AdmissionContext): AdmissionStep {
  const resource = context.resources.find(group, 'v1', 'verticalpodautoscalers');
  const autoscalers = new Following<VerticalPodAutoscaler>(context, resource);
  const isOurs = (): boolean =>
    context.registry.byKind(group, 'v1', 'VerticalPodAutoscaler')?.givesWay === true;
  return {
    name: 'VerticalPodAutoscaler',
    concerns: ({ groupResource }, subresource, operation) =>
      groupResource === 'pods' && subresource === '' && operation === 'CREATE',
    handles: ({ namespace }) => !autoscalers.isEmpty && autoscalers.in(namespace).size > 0 && isOurs(),
    mutate({ object, namespace }) {
      const pod = object as unknown as Draft<Pod>;
      if (pod.spec === undefined) return;
      const found = mastersOf(context, namespace, pod.metadata.ownerReferences ?? [])
        .map((master) => oldestOf(autoscalers.in(namespace).values(), master))
        .find((one) => one !== undefined);
      if (found === undefined) return;
      const asked = pod.spec as PodSpec;
      const names = asked.containers.map(({ name }) => name);
      const notes: Record<string, string> = { vpaObservedContainers: names.join(', ') };
      const changes = verticalModeOf(found) === 'Off' ? [] : verticalChanges(found, asked);
      const spec = withChanges(asked, changes);
      const boost = startupBoosts(found, spec, asked);
      if (boost !== undefined) notes[startupBoostAnnotation] = JSON.stringify(boost.boosts);
      pod.spec = draftOf(withChanges(spec, boost?.changes ?? []));
      const texts = [...changes, ...(boost?.changes ?? [])].map(changeText);
      if (texts.length > 0)
        notes['vpaUpdates'] = `Pod resources updated by ${found.metadata.name}: ${texts.join('; ')}`;
      pod.metadata.annotations = { ...pod.metadata.annotations, ...notes };
    },
  };
}

function withChanges(spec: PodSpec, changes: readonly ContainerChange[]): PodSpec {
  if (changes.length === 0) return spec;
  const containers = [...spec.containers];
  for (const { index, resources } of changes) {
    const container = containers[index];
    if (container !== undefined) containers[index] = { ...container, resources };
  }
  return { ...spec, containers };
}

const changeText = ({ index, what }: ContainerChange): string => `container ${index}: ${what.join(', ')}`;

interface Master {
  readonly kind: string;
  readonly name: string;
}

/** Who made the pod, and who made that one. */
function mastersOf(
  { registry, resources, store }: AdmissionContext,
  namespace: string,
  owners: readonly OwnerReference[],
): readonly Master[] {
  const masters: Master[] = [];
  let owner = owners.find(({ controller }) => controller === true);
  while (owner !== undefined && masters.length < depthMax) {
    const { apiVersion, kind: kindName, name, uid } = owner;
    masters.push({ kind: kindName, name });
    const [version = '', ownGroup = ''] = apiVersion.split('/').reverse();
    const kind = registry.byKind(ownGroup, version, kindName);
    const resource = kind === undefined ? undefined : resources.find(kind.group, kind.version, kind.resource);
    const there = resource === undefined ? undefined : store.latest(resource.key(namespace, name));
    const object = there?.object() as KubeObject | undefined;
    if (object === undefined || object.metadata.uid !== uid) break;
    owner = object.metadata.ownerReferences?.find(({ controller }) => controller === true);
  }
  return masters;
}

function oldestOf(
  autoscalers: Iterable<VerticalPodAutoscaler>,
  { kind, name }: Master,
): VerticalPodAutoscaler | undefined {
  const ageOf = ({ metadata }: VerticalPodAutoscaler): string =>
    `${metadata.creationTimestamp ?? ''} ${metadata.name ?? ''}`;
  let found: VerticalPodAutoscaler | undefined;
  for (const one of autoscalers) {
    const { targetRef } = one.spec;
    if (targetRef.kind !== kind || targetRef.name !== name) continue;
    if (verticalModeOf(one) === 'Off' && !hasStartupBoost(one)) continue;
    if (found === undefined || ageOf(one) < ageOf(found)) found = one;
  }
  return found;
}
