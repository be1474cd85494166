/**
 * Claims of devices that are made for pods, and who holds a claim. Pure.
 *
 *   pod with a template ──▶ claim, owned by the pod ──▶ named in the pod's status ──▶ (a scheduler allocates it)
 *   pod that is over ──▶ holds the claim no longer ──▶ nobody does: given back ──▶ made for that pod: deleted
 *
 * Invariant: one claim for each entry of a pod; a claim is never taken from a pod that may still run.
 */
import type { DynamicResourceClaim, Pod, PodResourceClaim, ResourceClaimTemplate } from '../../api/index.ts';
import type { EventDraft } from '../../client/index.ts';
import { sameJson } from '../../lib/index.ts';
import { adopterOf, controllerOf, controllerReference } from '../ownership.ts';
import { isFinished, isTerminating } from '../pod-state.ts';
import { podsRef, referenceTo, resourceClaimsRef } from '../resources.ts';
import { deletion, type Step, statusSteps, type Write } from '../step.ts';

export type Observed = OfPod | OfClaim;

export interface OfPod {
  readonly kind: 'pod';
  readonly pod: Pod;
  /** Those that the pod owns, and those that it names. */
  readonly claims: readonly DynamicResourceClaim[];
  template(name: string): ResourceClaimTemplate | undefined;
}

export interface OfClaim {
  readonly kind: 'claim';
  readonly claim: DynamicResourceClaim;
  /** Of its namespace; undefined: not known, and not necessarily gone. */
  pod(name: string): Pod | undefined;
  /** Of those that hold it: which are gone for certain, by uid. */
  readonly gone: ReadonlySet<string>;
}

export const entryAnnotation = 'resource.kubernetes.io/pod-claim-name';
const finalizer = 'resource.kubernetes.io/delete-protection';
const prefixMax = 57;

/** It runs no more and never will. */
export const isOver = (pod: Pod): boolean => isFinished(pod) || (isTerminating(pod) && !pod.spec?.nodeName);

export function plan(observed: Observed): readonly Step[] {
  return observed.kind === 'pod' ? podSteps(observed) : claimSteps(observed);
}

function podSteps({ pod, claims, template }: OfPod): readonly Step[] {
  if (isOver(pod) || isTerminating(pod)) return [];
  const steps: Step[] = [];
  const told: { readonly name: string; readonly resourceClaimName?: string }[] = [];
  const before = pod.status?.resourceClaimStatuses ?? [];
  for (const entry of pod.spec?.resourceClaims ?? []) {
    if (entry.resourceClaimTemplateName === undefined) continue;
    const own = ownClaim(pod, entry.name, claims);
    if (own !== undefined) {
      told.push({ name: entry.name, resourceClaimName: own.metadata.name ?? '' });
      continue;
    }
    const known = before.find(({ name }) => name === entry.name);
    if (known !== undefined) told.push(known);
    const made = known === undefined ? creation(pod, entry, template) : undefined;
    if (made !== undefined) steps.push(made);
  }
  // What has just been made is told of when it is seen.
  if (!sameJson(told, before))
    steps.push(...statusSteps(podsRef, pod, { ...pod.status, resourceClaimStatuses: told }));
  return [...steps, ...reservations(pod, claims, told)];
}

const ownClaim = (
  pod: Pod,
  entry: string,
  claims: readonly DynamicResourceClaim[],
): DynamicResourceClaim | undefined =>
  claims.find(
    (claim) =>
      controllerOf(claim)?.uid === pod.metadata.uid &&
      claim.metadata.annotations?.[entryAnnotation] === entry &&
      claim.metadata.deletionTimestamp === undefined,
  );

function creation(pod: Pod, entry: PodResourceClaim, template: OfPod['template']): Step {
  const name = entry.resourceClaimTemplateName ?? '';
  const found = template(name);
  const warn = (why: string): EventDraft => ({
    about: referenceTo(podsRef, pod),
    type: 'Warning',
    reason: 'FailedResourceClaimCreation',
    message: `PodResourceClaim ${entry.name}: ${why}`,
  });
  if (found === undefined) {
    const why = `resource claim template "${name}": resourceclaimtemplate.resource.k8s.io "${name}" not found`;
    return { kind: 'event', event: warn(why) };
  }
  const { labels, annotations } = found.spec.metadata ?? {};
  const object: DynamicResourceClaim = {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceClaim',
    metadata: {
      generateName: prefixOf(pod.metadata.name ?? '', entry.name),
      ...(pod.metadata.namespace === undefined ? {} : { namespace: pod.metadata.namespace }),
      ...(labels === undefined ? {} : { labels }),
      annotations: { ...annotations, [entryAnnotation]: entry.name },
      ownerReferences: [controllerReference(podsRef, pod)],
    },
    spec: found.spec.spec,
  };
  return {
    kind: 'create',
    ref: resourceClaimsRef,
    object,
    adopter: adopterOf(podsRef, pod),
    failed: warn('{error}'),
  };
}

/** `POD-ENTRY-`, both cut alike where it would be too long. */
function prefixOf(pod: string, entry: string): string {
  if (pod.length + 1 + entry.length <= prefixMax) return `${pod}-${entry}-`;
  const half = Math.floor(prefixMax / 2);
  const podPart = pod.slice(0, Math.max(half, prefixMax - 1 - entry.length));
  return `${podPart}-${entry.slice(0, prefixMax - 1 - podPart.length)}-`;
}

/** A pod that was given its node by somebody who did not think of its claims holds those that are allocated and free. */
function reservations(
  pod: Pod,
  claims: readonly DynamicResourceClaim[],
  told: readonly { readonly name: string; readonly resourceClaimName?: string }[],
): readonly Write[] {
  if (!pod.spec?.nodeName) return [];
  const { name = '', uid = '' } = pod.metadata;
  return (pod.spec.resourceClaims ?? []).flatMap((entry) => {
    const claimName =
      entry.resourceClaimName ?? told.find((one) => one.name === entry.name)?.resourceClaimName ?? '';
    const claim = claims.find(({ metadata }) => metadata.name === claimName);
    const holders = claim?.status?.reservedFor ?? [];
    if (claim?.status?.allocation === undefined || holders.some((one) => one.uid === uid)) return [];
    if (claim.metadata.deletionTimestamp !== undefined || holders.length >= 256) return [];
    const status = { ...claim.status, reservedFor: [...holders, { resource: 'pods', name, uid }] };
    const object: DynamicResourceClaim = { ...claim, status };
    return [{ kind: 'update', ref: resourceClaimsRef, object, subresource: 'status', accept: ['notFound'] }];
  });
}

function claimSteps({ claim, pod, gone }: OfClaim): readonly Step[] {
  const holders = claim.status?.reservedFor ?? [];
  const left = holders.filter(({ apiGroup = '', resource, name, uid }) => {
    if (apiGroup !== '' || resource !== 'pods') return true;
    if (gone.has(uid)) return false;
    const found = pod(name);
    return found === undefined || (found.metadata.uid === uid && !isOver(found));
  });
  const { deletionTimestamp, finalizers = [] } = claim.metadata;
  const isProtected = finalizers.includes(finalizer);
  const isFreed = left.length === 0 && isProtected;
  const isEnding = deletionTimestamp !== undefined;
  const steps: Step[] = [];
  if (left.length < holders.length || (isFreed && isEnding && claim.status?.allocation !== undefined)) {
    const { allocation, reservedFor: _, ...status } = claim.status ?? {};
    const object: DynamicResourceClaim = {
      ...claim,
      status: {
        ...status,
        ...(left.length === 0 ? {} : { reservedFor: left }),
        ...(allocation === undefined || isFreed ? {} : { allocation }),
      },
    };
    steps.push({
      kind: 'update',
      ref: resourceClaimsRef,
      object,
      subresource: 'status',
      accept: ['notFound'],
    });
  }
  // Without anything to give back it may be about to be allocated: whoever does that puts the finalizer on first.
  if (isFreed && (steps.length > 0 || isEnding)) steps.push(withoutFinalizer(claim));
  if (steps.length > 0) return steps;
  if (left.length > 0 || deletionTimestamp !== undefined) return [];
  const owner = controllerOf(claim);
  if (owner?.kind !== 'Pod') return [];
  // Where the pod is not known the collector of garbage decides.
  const found = pod(owner.name);
  const isUseless = found !== undefined && (found.metadata.uid !== owner.uid || isOver(found));
  return isUseless ? [deletion(resourceClaimsRef, claim)] : [];
}

function withoutFinalizer({ metadata }: DynamicResourceClaim): Write {
  const { namespace, name = '', uid, finalizers = [] } = metadata;
  const left = finalizers.filter((one) => one !== finalizer);
  const patch = { metadata: { uid, finalizers: left.length === 0 ? null : left } };
  return {
    kind: 'patch',
    ref: resourceClaimsRef,
    namespace,
    name,
    type: 'merge',
    patch,
    accept: ['notFound', 'conflict'],
  };
}
