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
  /** Of the claim for extended resources: which container has which requests. */
  readonly mappings?: ExtendedStatus['requestMappings'];
}

type ExtendedStatus = NonNullable<NonNullable<Pod['status']>['extendedResourceClaimStatus']>;

/** No name that a pod could have for a claim: what its containers ask of extended resources, by a claim that the scheduler made. */
const extendedName = '<extended-resources>';

/** By the names that the pod has for its claims. */
export type ReadyClaims = ReadonlyMap<string, ReadyClaim>;

export interface ClaimReference {
  readonly kind: 'deviceClaim';
  readonly name: string;
}

export const hasDeviceClaims = ({ spec, status }: Pod): boolean =>
  (spec?.resourceClaims?.length ?? 0) > 0 || status?.extendedResourceClaimStatus !== undefined;

interface Needed {
  readonly name: string;
  /** null: none is needed; undefined: it is still to be made. */
  readonly claim: string | null | undefined;
  readonly mappings?: ExtendedStatus['requestMappings'];
}

function neededBy(pod: Pod): readonly Needed[] {
  const named = (pod.spec?.resourceClaims ?? []).map((entry) => ({
    name: entry.name,
    claim: claimNameOf(pod, entry),
  }));
  const { extendedResourceClaimStatus: extended } = pod.status ?? {};
  if (extended === undefined) return named;
  const { resourceClaimName: claim, requestMappings: mappings } = extended;
  return [...named, { name: extendedName, claim, mappings }];
}

/** The claims that are to be read; those that are still to be made have no name. */
export function deviceClaimReferences(pod: Pod): readonly ClaimReference[] {
  return neededBy(pod).flatMap(({ claim }): ClaimReference[] =>
    typeof claim === 'string' ? [{ kind: 'deviceClaim', name: claim }] : [],
  );
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
  for (const { name: entry, claim: name, mappings } of neededBy(pod)) {
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
    ready.set(entry, { requests, ...(mappings && { mappings }) });
  }
  return ready;
}

/** All that a container has of the pod's claims. */
export function editsFor(
  { name: container, resources }: Container,
  claims: ReadyClaims,
): readonly DeviceEdits[] {
  const own = (resources?.claims ?? []).flatMap(({ name, request: wanted = '' }) =>
    (claims.get(name)?.requests ?? [])
      .filter(({ request }) => wanted === '' || request === wanted || request.startsWith(`${wanted}/`))
      .map(({ edits }) => edits),
  );
  const { requests, mappings = [] } = claims.get(extendedName) ?? { requests: [] };
  if (mappings.length === 0) return own;
  const mapped = mappings.filter((one) => one.containerName === container);
  const isIts = (request: string): boolean => mapped.some(({ requestName }) => requestName === request);
  return [...own, ...requests.filter(({ request }) => isIts(request)).map(({ edits }) => edits)];
}
