/**
 * Virtual IPs and the IPAddress objects that stand for them: mended where somebody has broken the tie. Pure.
 *
 * The API server writes both in one transaction; what is left are IPAddresses that were deleted, changed or made by hand, and clouds from before there were any.
 * Invariant: what is mended was wrong at the API itself, not only in a copy.
 */
import type { IPAddress, Service, ServiceCIDR } from '../../api/index.ts';
import type { EventDraft } from '../../client/index.ts';
import { ipAddressesRef, referenceTo, servicesRef } from '../resources.ts';
import { holds, rangeOfAddress } from '../service-cidr/ranges.ts';
import { deletion, type PlanContext, type Step } from '../step.ts';

export type Observed =
  | {
      readonly kind: 'service';
      readonly service: Service;
      /** By address: what there is for those of the Service. */
      readonly claims: ReadonlyMap<string, IPAddress>;
      /** By key: Services that claims name. */
      readonly parents: ReadonlyMap<string, Service>;
      readonly cidrs: readonly ServiceCIDR[];
    }
  | {
      readonly kind: 'address';
      readonly claim: IPAddress;
      /** Whom it names. */
      readonly service: Service | undefined;
    };

const manager = 'ipallocator.k8s.io';
const managedByLabel = 'ipaddress.kubernetes.io/managed-by';
const familyLabel = 'ipaddress.kubernetes.io/ip-family';
/** One whose Service is only being made. */
const graceMs = 60_000;

export function virtualIpsOf(service: Service): readonly string[] {
  if (service.spec?.type === 'ExternalName') return [];
  return (service.spec?.clusterIPs ?? []).filter((address) => address !== '' && address !== 'None');
}

export const isManaged = ({ metadata }: IPAddress): boolean => metadata.labels?.[managedByLabel] === manager;

/** Key of the Service that it names; undefined: it names something else. */
export function parentOf({ spec }: IPAddress): string | undefined {
  const { group = '', resource, namespace, name } = spec?.parentRef ?? {};
  return group === '' && resource === 'services' ? `${namespace ?? ''}/${name ?? ''}` : undefined;
}

/** Without any range nothing is said of ranges: a cloud that has none configured. */
export function isInRange(address: string, cidrs: readonly ServiceCIDR[]): boolean {
  const range = rangeOfAddress(address);
  return range !== undefined && (cidrs.length === 0 || cidrs.some((cidr) => holds(cidr, range)));
}

const familyOf = (address: string): 'IPv4' | 'IPv6' => (address.includes(':') ? 'IPv6' : 'IPv4');

export function plan(observed: Observed, context: PlanContext): readonly Step[] {
  return observed.kind === 'address' ? claimSteps(observed, context) : serviceSteps(observed);
}

function serviceSteps({
  service,
  claims,
  parents,
  cidrs,
}: Extract<Observed, { kind: 'service' }>): readonly Step[] {
  const { namespace, name } = service.metadata;
  const key = `${namespace}/${name}`;
  const steps: Step[] = [];
  const warn = (reason: string, message: string): void =>
    void steps.push({
      kind: 'event',
      event: { about: referenceTo(servicesRef, service), type: 'Warning', reason, message },
    });
  for (const address of virtualIpsOf(service)) {
    const family = familyOf(address);
    if (!isInRange(address, cidrs)) {
      const where = 'is not within any configured Service CIDR; please recreate service';
      warn('ClusterIPOutOfRange', `Cluster IP [${family}]: ${address} ${where}`);
      continue;
    }
    const claim = claims.get(address);
    if (claim === undefined) {
      warn('ClusterIPNotAllocated', `Cluster IP [${family}]: ${address} is not allocated; repairing`);
      steps.push(creation(address, service));
      continue;
    }
    const parent = parentOf(claim);
    const other = parent === undefined ? undefined : parents.get(parent);
    const isWrong = parent !== key && (other === undefined || !virtualIpsOf(other).includes(address));
    if (isWrong) {
      const where = `for Service ${key} has a wrong reference; repairing`;
      warn('ClusterIPNotAllocated', `the ClusterIP [${family}]: ${address} ${where}`);
    } else if (parent !== key) {
      const what = 'was assigned to multiple services; please recreate service';
      warn('ClusterIPAlreadyAllocated', `Cluster IP [${family}]:${address} ${what}`);
      continue;
    }
    if (isWrong || !isManaged(claim) || claim.metadata.labels?.[familyLabel] !== family)
      steps.push(deletion(ipAddressesRef, claim), creation(address, service));
  }
  return steps;
}

function creation(address: string, { metadata }: Service): Step {
  const { namespace, name = '' } = metadata;
  const object: IPAddress = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IPAddress',
    metadata: { name: address, labels: { [familyLabel]: familyOf(address), [managedByLabel]: manager } },
    spec: { parentRef: { resource: 'services', ...(namespace === undefined ? {} : { namespace }), name } },
  };
  return { kind: 'create', ref: ipAddressesRef, object };
}

/** Of what this controller or the API server made: one that somebody else made is theirs. */
function claimSteps(
  { claim, service }: Extract<Observed, { kind: 'address' }>,
  { nowMs }: PlanContext,
): readonly Step[] {
  if (!isManaged(claim) || claim.metadata.deletionTimestamp !== undefined) return [];
  const { name = '', creationTimestamp = '' } = claim.metadata;
  const remove = (reason: string, message: string): readonly Step[] => {
    const event: EventDraft = {
      about: referenceTo(ipAddressesRef, claim),
      type: 'Warning',
      reason,
      message,
    };
    return [{ kind: 'event', event }, deletion(ipAddressesRef, claim)];
  };
  const parent = parentOf(claim);
  if (parent === undefined)
    return remove(
      'IPAddressNotAllocated',
      `IPAddress ${name} appears to have been modified, not referencing a Service: cleaning up`,
    );
  if (service === undefined) {
    const leftMs = (Date.parse(creationTimestamp) || 0) + graceMs - nowMs;
    if (leftMs > 0) return [{ kind: 'again', afterMs: leftMs }];
    const what = 'appears to have leaked: cleaning up';
    return remove('IPAddressNotAllocated', `IPAddress: ${name} for Service ${parent} ${what}`);
  }
  if (virtualIpsOf(service).includes(name)) return [];
  const what = 'has a wrong reference; cleaning up';
  return remove('IPAddressWrongReference', `IPAddress: ${name} for Service ${parent} ${what}`);
}
