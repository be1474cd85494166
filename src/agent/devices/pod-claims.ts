/**
 * What a pod's claims of devices give its containers, once they are allocated and the pod holds them. Pure.
 * Source: the kubelet's manager of dynamic resources, as behaviour and words.
 */
import type { Container, DynamicResourceClaim, Pod } from '../../api/index.ts';
import { CaelumError } from '../../lib/index.ts';
import { type DeviceEdits, type DeviceFile, editsOf } from './cdi.ts';

/** Of one claim of a pod: what each request has brought, with its alternative where it has one. */
export interface ReadyClaim {
  readonly requests: readonly { readonly request: string; readonly edits: DeviceEdits }[];
}

/** By the names that the pod has for its claims. */
export type ReadyClaims = ReadonlyMap<string, ReadyClaim>;

export interface ClaimReference {
  readonly kind: 'deviceClaim';
  readonly name: string;
}

export const hasDeviceClaims = ({ spec }: Pod): boolean => (spec?.resourceClaims?.length ?? 0) > 0;

/** The claims that are to be read; those that are still to be made have no name. */
export function deviceClaimReferences(pod: Pod): readonly ClaimReference[] {
  return (pod.spec?.resourceClaims ?? []).flatMap((entry): ClaimReference[] => {
    const name = claimNameOf(pod, entry);
    return typeof name === 'string' ? [{ kind: 'deviceClaim', name }] : [];
  });
}

/** null: none is needed; undefined: it is still to be made. */
function claimNameOf(
  { status }: Pod,
  { name, resourceClaimName }: NonNullable<NonNullable<Pod['spec']>['resourceClaims']>[number],
): string | null | undefined {
  if (resourceClaimName !== undefined) return resourceClaimName;
  const told = status?.resourceClaimStatuses?.find((one) => one.name === name);
  return told === undefined ? undefined : (told.resourceClaimName ?? null);
}

/** Throws `invalid` in the words in which it is told. */
export function readyClaims(
  pod: Pod,
  claimOf: (name: string) => DynamicResourceClaim | undefined,
  files: readonly DeviceFile[],
): ReadyClaims {
  const { namespace = '', name: podName = '', uid = '' } = pod.metadata;
  const fail = (why: string): CaelumError =>
    new CaelumError('invalid', `Failed to prepare dynamic resources: ${why}`);
  const ready = new Map<string, ReadyClaim>();
  for (const entry of pod.spec?.resourceClaims ?? []) {
    const name = claimNameOf(pod, entry);
    if (name === null) continue;
    if (name === undefined) throw fail(`pod "${namespace}/${podName}": ResourceClaim not created yet`);
    const claim = claimOf(name);
    if (claim === undefined)
      throw fail(
        `failed to fetch ResourceClaim ${name} referenced by pod ${podName}: resourceclaims.resource.k8s.io "${name}" not found`,
      );
    const { allocation, reservedFor = [] } = claim.status ?? {};
    if (allocation === undefined) throw fail(`claim ${namespace}/${name} is not allocated`);
    if (!reservedFor.some((one) => one.uid === uid))
      throw fail(
        `pod ${podName} (${uid}) is not allowed to use ResourceClaim ${name} (${claim.metadata.uid})`,
      );
    const requests = (allocation.devices?.results ?? []).map(({ request, driver, device }) => {
      const edits = editsOf(driver, device, files);
      if (typeof edits === 'string') throw fail(`claim ${namespace}/${name}: ${edits}`);
      return { request, edits };
    });
    ready.set(entry.name, { requests });
  }
  return ready;
}

/** All that a container has of the pod's claims. */
export function editsFor({ resources }: Container, claims: ReadyClaims): readonly DeviceEdits[] {
  return (resources?.claims ?? []).flatMap(({ name, request: wanted = '' }) =>
    (claims.get(name)?.requests ?? [])
      .filter(({ request }) => wanted === '' || request === wanted || request.startsWith(`${wanted}/`))
      .map(({ edits }) => edits),
  );
}
