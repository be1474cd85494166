/**
 * Which objects a quota is about: those of the kinds that its limits name, and of these, those in its scopes. Pure.
 * Source: Kubernetes 1.36, pkg/quota/v1, as behaviour.
 */
import { qualityOfService } from '../kinds/pod-spec/quality-of-service.ts';
import { compileTerms } from '../label-selector.ts';
import type { KubeObject } from '../object.ts';
import type { Amounts } from '../pod-amounts.ts';
import { addQuantities, subtractQuantities } from '../quantity.ts';
import type {
  PersistentVolumeClaim,
  Pod,
  PodAffinityTerm,
  ResourceQuota,
  ScopedResourceSelectorRequirement,
} from '../types/core.v1.ts';
import { isAbout, usageOf } from './usage.ts';

/** What the object uses of what the quota limits; undefined: the quota is not about it. */
export function contribution(
  quota: ResourceQuota,
  groupResource: string,
  object: KubeObject,
): Amounts | undefined {
  const hard = Object.keys(quota.spec?.hard ?? {});
  if (!hard.some((name) => isAbout(name, groupResource)) || !isInScope(quota, groupResource, object))
    return undefined;
  const usage = usageOf(groupResource, object);
  const counted: Record<string, string> = {};
  for (const name of hard) {
    const amount = usage[name];
    if (amount !== undefined) counted[name] = amount;
  }
  return counted;
}

/** Where nothing is used yet. */
export function nothingUsed(quota: ResourceQuota): Record<string, string> {
  return Object.fromEntries(Object.keys(quota.spec?.hard ?? {}).map((name) => [name, '0']));
}

export function addUsage(used: Record<string, string>, more: Amounts): void {
  for (const [name, amount] of Object.entries(more)) used[name] = addQuantities(used[name] ?? '0', amount);
}

export function takeUsage(used: Record<string, string>, less: Amounts): void {
  for (const [name, amount] of Object.entries(less))
    used[name] = subtractQuantities(used[name] ?? '0', amount);
}

export function isInScope({ spec }: ResourceQuota, groupResource: string, object: KubeObject): boolean {
  const selectors: readonly ScopedResourceSelectorRequirement[] = [
    ...(spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists' })),
    ...(spec?.scopeSelector?.matchExpressions ?? []),
  ];
  return selectors.every((selector) => {
    if (groupResource === 'pods') return podIsIn(selector, object as Pod);
    return groupResource === 'persistentvolumeclaims' && claimIsIn(selector, object as PersistentVolumeClaim);
  });
}

function podIsIn(selector: ScopedResourceSelectorRequirement, { spec }: Pod): boolean {
  const isTerminating = spec?.activeDeadlineSeconds !== undefined;
  switch (selector.scopeName) {
    case 'Terminating':
      return isTerminating;
    case 'NotTerminating':
      return !isTerminating;
    case 'BestEffort':
      return spec !== undefined && qualityOfService(spec) === 'BestEffort';
    case 'NotBestEffort':
      return spec !== undefined && qualityOfService(spec) !== 'BestEffort';
    case 'PriorityClass':
      return isChosen(selector, [spec?.priorityClassName]);
    case 'CrossNamespacePodAffinity':
      return affinityTerms(spec?.affinity).some(
        ({ namespaces, namespaceSelector }) =>
          (namespaces?.length ?? 0) > 0 || namespaceSelector !== undefined,
      );
    default:
      return false;
  }
}

function claimIsIn(
  selector: ScopedResourceSelectorRequirement,
  { spec, status }: PersistentVolumeClaim,
): boolean {
  if (selector.scopeName !== 'VolumeAttributesClass') return false;
  return isChosen(selector, [
    spec?.volumeAttributesClassName,
    status?.currentVolumeAttributesClassName,
    status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
  ]);
}

/** By the name of a class; of several, any. */
function isChosen(
  { scopeName, operator, values }: ScopedResourceSelectorRequirement,
  names: readonly (string | undefined)[],
): boolean {
  const matches = compileTerms([{ key: scopeName, operator, ...(values === undefined ? {} : { values }) }]);
  const said = names.filter((name) => name !== undefined && name !== '');
  return said.length === 0
    ? matches(undefined)
    : said.some((name) => matches({ [scopeName]: name as string }));
}

interface Terms {
  readonly requiredDuringSchedulingIgnoredDuringExecution?: readonly PodAffinityTerm[];
  readonly preferredDuringSchedulingIgnoredDuringExecution?: readonly {
    readonly podAffinityTerm: PodAffinityTerm;
  }[];
}

function affinityTerms(
  affinity: { readonly podAffinity?: Terms; readonly podAntiAffinity?: Terms } | undefined,
): readonly PodAffinityTerm[] {
  return [affinity?.podAffinity, affinity?.podAntiAffinity].flatMap((terms) => [
    ...(terms?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(terms?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((one) => one.podAffinityTerm),
  ]);
}
