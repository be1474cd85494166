/** Who a pod of a StatefulSet is: its name, its labels, its claims, and who owns those. Pure. */
import type {
  LabelSelector,
  OwnerReference,
  PersistentVolumeClaim,
  Pod,
  PodTemplateSpec,
  StatefulSet,
  Volume,
} from '../../api/index.ts';
import { sameJson } from '../../lib/index.ts';
import { controllerOf, controllerReference, ownersPatch } from '../ownership.ts';
import { podOf } from '../pod-template.ts';
import { persistentVolumeClaimsRef, podsRef, statefulSetsRef } from '../resources.ts';
import type { Write } from '../step.ts';

export const podNameLabel = 'statefulset.kubernetes.io/pod-name';
export const podIndexLabel = 'apps.kubernetes.io/pod-index';
export const revisionLabel = 'controller-revision-hash';

export const podNameOf = (set: StatefulSet, ordinal: number): string => `${set.metadata.name}-${ordinal}`;
export const revisionNameOf = (pod: Pod): string => pod.metadata.labels?.[revisionLabel] ?? '';
export const startOf = (set: StatefulSet): number => set.spec?.ordinals?.start ?? 0;
export const replicasOf = (set: StatefulSet): number => set.spec?.replicas ?? 1;

/** Of the pod of that name; undefined: no pod of the set is called so. */
export function ordinalOf(set: StatefulSet, name = ''): number | undefined {
  const prefix = `${set.metadata.name}-`;
  if (!name.startsWith(prefix)) return undefined;
  const digits = name.slice(prefix.length);
  return /^(0|[1-9]\d{0,9})$/.test(digits) ? Number(digits) : undefined;
}

/** Of the set whose pod bears such a name, if it is one. */
export function setNameOf(podName = ''): string | undefined {
  return /^(.+)-\d+$/.exec(podName)?.[1];
}

export function isInRange(set: StatefulSet, ordinal: number): boolean {
  return ordinal >= startOf(set) && ordinal < startOf(set) + replicasOf(set);
}

/** The pod of an ordinal, made of a revision's template. */
export function statefulPod(
  set: StatefulSet,
  ordinal: number,
  template: PodTemplateSpec,
  revisionName: string,
): Pod {
  const pod = podOf(template, set, statefulSetsRef);
  const name = podNameOf(set, ordinal);
  const labels = { ...pod.metadata.labels, ...identityLabels(set, ordinal), [revisionLabel]: revisionName };
  const { serviceName } = set.spec ?? {};
  return {
    ...pod,
    metadata: { ...pod.metadata, name, labels },
    spec: {
      ...pod.spec,
      containers: pod.spec?.containers ?? [],
      hostname: name,
      ...(serviceName ? { subdomain: serviceName } : {}),
      ...volumesOf(set, ordinal, pod.spec?.volumes),
    },
  };
}

function volumesOf(
  set: StatefulSet,
  ordinal: number,
  own: readonly Volume[] = [],
): { readonly volumes?: readonly Volume[] } {
  const templates = set.spec?.volumeClaimTemplates ?? [];
  if (templates.length === 0 && own.length === 0) return {};
  const claimed = templates.map(({ metadata }) => ({
    name: metadata?.name ?? '',
    persistentVolumeClaim: { claimName: claimNameOf(set, metadata?.name ?? '', ordinal) },
  }));
  const names = new Set(claimed.map(({ name }) => name));
  return { volumes: [...claimed, ...own.filter(({ name }) => !names.has(name))] };
}

function identityLabels(set: StatefulSet, ordinal: number): Readonly<Record<string, string>> {
  return { [podNameLabel]: podNameOf(set, ordinal), [podIndexLabel]: String(ordinal) };
}

/** What a pod lacks to be known by its name: somebody took the label, or it was adopted. */
export function identityWrites(set: StatefulSet, pod: Pod, ordinal: number): readonly Write[] {
  if (pod.metadata.labels?.[podNameLabel] === pod.metadata.name) return [];
  const { namespace, name = '', uid } = pod.metadata;
  const patch = { metadata: { uid, labels: identityLabels(set, ordinal) } };
  return [{ kind: 'patch', ref: podsRef, namespace, name, type: 'merge', patch, accept: ['notFound'] }];
}

// ── claims ──

export const claimNameOf = (set: StatefulSet, template: string, ordinal: number): string =>
  `${template}-${set.metadata.name}-${ordinal}`;

export function claimNamesOf(set: StatefulSet, ordinal: number): readonly string[] {
  return (set.spec?.volumeClaimTemplates ?? []).map(({ metadata }) =>
    claimNameOf(set, metadata?.name ?? '', ordinal),
  );
}

/** The claim of a template, owned from the beginning as the set's policy says. */
export function claimOf(
  set: StatefulSet,
  template: PersistentVolumeClaim,
  ordinal: number,
): PersistentVolumeClaim {
  const { name = '', labels, annotations, finalizers } = template.metadata ?? {};
  const { matchLabels } = (set.spec?.selector ?? {}) as LabelSelector;
  const { namespace } = set.metadata;
  const owners = isDeletedWith(set) ? [controllerReference(statefulSetsRef, set)] : [];
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name: claimNameOf(set, name, ordinal),
      ...(namespace === undefined ? {} : { namespace }),
      labels: { ...labels, ...matchLabels },
      ...(annotations === undefined ? {} : { annotations }),
      ...(finalizers === undefined ? {} : { finalizers }),
      ...(owners.length === 0 ? {} : { ownerReferences: owners }),
    },
    ...(template.spec === undefined ? {} : { spec: template.spec }),
  };
}

const isDeletedWith = ({ spec }: StatefulSet): boolean =>
  spec?.persistentVolumeClaimRetentionPolicy?.whenDeleted === 'Delete';
const isScaledAway = ({ spec }: StatefulSet): boolean =>
  spec?.persistentVolumeClaimRetentionPolicy?.whenScaled === 'Delete';

const isOf = (reference: OwnerReference, kind: string, name: string | undefined): boolean =>
  reference.kind === kind && reference.name === name;

/**
 * Who shall own a pod's claim, beside those who have nothing to do with the set: the set, where it is to go with it; the pod, where that is
 * scaled away and it is to go then; else nobody. A claim that somebody else controls stays his.
 */
function ownersOf(set: StatefulSet, claim: PersistentVolumeClaim, pod: Pod): readonly OwnerReference[] {
  const present = claim.metadata.ownerReferences ?? [];
  const { name } = pod.metadata;
  const others = present.filter(
    (one) =>
      !(isOf(one, 'StatefulSet', set.metadata.name) && one.apiVersion.startsWith('apps/')) &&
      !(isOf(one, 'Pod', name) && one.apiVersion === 'v1'),
  );
  if (others.some(({ controller }) => controller === true)) return others;
  const isCondemned = !isInRange(set, ordinalOf(set, name) ?? -1);
  if (isCondemned && isScaledAway(set)) return [...others, controllerReference(podsRef, pod)];
  if (isDeletedWith(set)) return [...others, controllerReference(statefulSetsRef, set)];
  return others;
}

/** Changes of who owns the pod's claims. */
export function retentionWrites(
  set: StatefulSet,
  pod: Pod,
  findClaim: (name: string) => PersistentVolumeClaim | undefined,
): readonly Write[] {
  const ordinal = ordinalOf(set, pod.metadata.name);
  if (ordinal === undefined) return [];
  return claimNamesOf(set, ordinal).flatMap((name) => {
    const claim = findClaim(name);
    if (claim === undefined || claim.metadata.deletionTimestamp !== undefined) return [];
    const owners = ownersOf(set, claim, pod);
    if (sameJson(owners, claim.metadata.ownerReferences ?? [])) return [];
    return [ownersPatch(persistentVolumeClaimsRef, claim, () => owners)];
  });
}

/** It goes with a pod of the same name that was before: the next pod has to wait for a claim of its own. */
export function isStale(set: StatefulSet, claim: PersistentVolumeClaim, podName: string): boolean {
  if (!isScaledAway(set)) return false;
  const controller = controllerOf(claim);
  return controller?.kind === 'Pod' && controller.name === podName;
}
