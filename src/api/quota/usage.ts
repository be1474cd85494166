/**
 * What an object uses of a quota: how many of its kind, and for pods, claims and services what they ask for. Pure.
 * Source: Kubernetes 1.36, pkg/quota/v1/evaluator, as behaviour.
 */
import { annotatedGpuMilli, gpuMilliKey } from '../gpu-share.ts';
import { reservationAnnotation } from '../kinds/reservation-spec/names.ts';
import type { Reservation } from '../kinds/reservation-spec/types.ts';
import type { KubeObject } from '../object.ts';
import { type Amounts, podLimits, podRequests, specInUse } from '../pod-amounts.ts';
import { addQuantities, compareQuantities, nanoText, quantityNano, quantityValue } from '../quantity.ts';
import type {
  Container,
  PersistentVolumeClaim,
  Pod,
  ResourceRequirements,
  Service,
} from '../types/core.v1.ts';
import type { DeviceRequest, ResourceClaim } from '../types/resource.v1.ts';

/** Names that have no `count/` in front, for they are older. */
const plainCounts: readonly string[] = [
  'configmaps',
  'persistentvolumeclaims',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'services',
];
const computed = ['cpu', 'memory', 'ephemeral-storage'];
const byStorageClass = '.storageclass.storage.k8s.io/';
const byDeviceClass = '.deviceclass.resource.k8s.io/devices';
const claims = 'resourceclaims.resource.k8s.io';
const reservations = 'reservations.scheduling.caelum.dev';
/** Devices that a request for all of them counts as. */
const allDevices = 32;

/** `pods`, `deployments.apps`: of which objects a name of a quota speaks. */
export function countedBy(name: string): string {
  if (name.startsWith('count/')) return name.slice('count/'.length);
  if (plainCounts.includes(name)) return name;
  if (name === 'services.nodeports' || name === 'services.loadbalancers') return 'services';
  if (name === 'requests.storage' || name.includes(byStorageClass)) return 'persistentvolumeclaims';
  return name.endsWith(byDeviceClass) ? claims : 'pods';
}

/** What pods ask for is held by reservations, too. */
const isHeld = (name: string): boolean =>
  countedBy(name) === 'pods' && name !== 'pods' && !name.startsWith('count/') && !name.startsWith('limits.');

/** Does a name of a quota speak of such objects? */
export const isAbout = (name: string, groupResource: string): boolean =>
  countedBy(name) === groupResource || (groupResource === reservations && isHeld(name));

/** Of which objects names of a quota speak. */
export function countedKinds(names: Iterable<string>): ReadonlySet<string> {
  const kinds = new Set<string>();
  for (const name of names) {
    kinds.add(countedBy(name));
    if (isHeld(name)) kinds.add(reservations);
  }
  return kinds;
}

/** Whether a change of such an object can use more; of others only their making counts. */
export const canGrow = (groupResource: string): boolean =>
  ['pods', 'services', 'persistentvolumeclaims', claims, reservations].includes(groupResource);

export function usageOf(groupResource: string, object: KubeObject): Amounts {
  const count = { [`count/${groupResource}`]: '1' };
  switch (groupResource) {
    case 'pods':
      return { ...count, ...podUsage(object as Pod) };
    case 'services':
      return { ...count, ...serviceUsage(object as Service) };
    case 'persistentvolumeclaims':
      return { ...count, ...claimUsage(object as PersistentVolumeClaim) };
    case claims:
      return { ...count, ...deviceUsage(object as ResourceClaim) };
    case reservations:
      return { ...count, ...reservationUsage(object as unknown as Reservation) };
    default:
      return plainCounts.includes(groupResource) ? { ...count, [groupResource]: '1' } : count;
  }
}

/** What has come to its end uses nothing more but its place. */
function podUsage(pod: Pod): Amounts {
  const spec = specInUse(pod);
  const { status } = pod;
  if (spec === undefined || status?.phase === 'Succeeded' || status?.phase === 'Failed') return {};
  return { pods: '1', ...computeUsage(withGpuShare(podRequests(spec), pod), podLimits(spec)) };
}

/** A share of a GPU that is asked for by annotation counts as if by the resource. */
function withGpuShare(requests: Amounts, pod: Pod): Amounts {
  const milli = annotatedGpuMilli(pod);
  return milli === 0 || requests[gpuMilliKey] !== undefined
    ? requests
    : { ...requests, [gpuMilliKey]: String(milli) };
}

/** Places that pods have are theirs to pay; what holds nothing any more costs nothing. */
function reservationUsage({ spec, status }: Reservation): Amounts {
  if (status?.phase === 'Expired' || status?.phase === 'Refused') return {};
  const left = Math.max(0, (spec?.count ?? 0) - (status?.used ?? 0));
  const requests: Record<string, string> = {};
  for (const [name, amount] of Object.entries(spec?.template?.requests ?? {}))
    requests[name] = times(amount, left);
  return computeUsage(requests, {});
}

function times(amount: string, count: number): string {
  const nano = quantityNano(amount) ?? 0n;
  return nanoText(nano * BigInt(count), /[A-Z]i$/.test(amount) ? 'binary' : 'decimal');
}

/**
 * What of the use of a new pod, and of pods that wait for their nodes, a reservation that they name pays for already: until they have its places, both are counted.
 * `waiting`: those of the reservation's namespace that have no node.
 */
export function placeCredit(reservation: Reservation, pod: Pod, waiting: readonly Pod[]): Amounts {
  const { metadata, spec, status } = reservation;
  let left = (status?.allocated ?? 0) - (status?.used ?? 0);
  const place = computeUsage(spec.template.requests, {});
  const credit: Record<string, string> = {};
  for (const one of [...waiting, pod]) {
    if (one.metadata.annotations?.[reservationAnnotation] !== metadata.name || left-- <= 0) continue;
    for (const [name, amount] of Object.entries(podUsage(one))) {
      const paid = place[name];
      if (paid === undefined) continue;
      const least = compareQuantities(amount, paid) < 0 ? amount : paid;
      credit[name] = addQuantities(credit[name] ?? '0', least);
    }
  }
  return credit;
}

/** Marked for deletion, and its time is over: it is as good as gone, whoever should have stopped it. */
export function isOverdue({ metadata }: Pod, nowMs: number): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = metadata;
  return (
    deletionTimestamp !== undefined &&
    nowMs > Date.parse(deletionTimestamp) + deletionGracePeriodSeconds * 1000
  );
}

function computeUsage(requests: Amounts, limits: Amounts): Amounts {
  const usage: Record<string, string> = {};
  for (const name of computed) {
    const request = requests[name];
    const limit = limits[name];
    if (request !== undefined) usage[name] = usage[`requests.${name}`] = request;
    if (limit !== undefined) usage[`limits.${name}`] = limit;
  }
  for (const [name, request] of Object.entries(requests)) {
    if (name.startsWith('hugepages-')) usage[name] = usage[`requests.${name}`] = request;
    else if (!computed.includes(name) && name.includes('/')) usage[`requests.${name}`] = request;
  }
  return usage;
}

const coupled = ['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory'];

/** Where a quota counts cpu or memory, each container must say how much: `limits.cpu for: a,b; …`. undefined: all do. */
export function unsaid({ spec }: Pod, hard: readonly string[]): string | undefined {
  const wanted = hard.filter((name) => coupled.includes(name));
  if (wanted.length === 0 || spec === undefined || saysAsAWhole(spec.resources)) return undefined;
  const containers: readonly Container[] = [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
  const missing = new Map<string, string[]>();
  for (const { name, resources } of containers) {
    const said = computeUsage(resources?.requests ?? {}, resources?.limits ?? {});
    for (const one of wanted)
      if (said[one] === undefined) missing.set(one, [...(missing.get(one) ?? []), name]);
  }
  if (missing.size === 0) return undefined;
  return [...missing]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([one, names]) => `${one} for: ${[...new Set(names)].sort().join(',')}`)
    .join('; ');
}

const saysAsAWhole = (resources: ResourceRequirements | undefined): boolean =>
  Object.keys(resources?.requests ?? {}).length > 0 || Object.keys(resources?.limits ?? {}).length > 0;

function serviceUsage({ spec }: Service): Amounts {
  const ports = spec?.ports?.length ?? 0;
  const isBalanced = spec?.type === 'LoadBalancer';
  const hasNodePorts =
    spec?.type === 'NodePort' || (isBalanced && spec?.allocateLoadBalancerNodePorts !== false);
  return {
    services: '1',
    'services.nodeports': hasNodePorts ? String(ports) : '0',
    'services.loadbalancers': isBalanced ? '1' : '0',
  };
}

function claimUsage({ metadata, spec, status }: PersistentVolumeClaim): Amounts {
  const usage: Record<string, string> = { persistentvolumeclaims: '1' };
  const storageClass =
    metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? spec?.storageClassName ?? '';
  const asked = spec?.resources?.requests?.['storage'];
  const allocated = status?.allocatedResources?.['storage'];
  const storage =
    asked !== undefined && allocated !== undefined && compareQuantities(allocated, asked) > 0
      ? allocated
      : asked;
  if (storage !== undefined) usage['requests.storage'] = wholeBytes(storage);
  if (storageClass !== '')
    for (const [name, amount] of Object.entries({ ...usage }))
      usage[`${storageClass}${byStorageClass}${name}`] = amount;
  return usage;
}

function wholeBytes(text: string): string {
  const value = quantityValue(text) ?? 0;
  return Number.isInteger(value) ? text : String(Math.ceil(value));
}

/** Devices by class that a claim asks for. */
export function deviceUsage({ spec }: Pick<ResourceClaim, 'spec'>): Amounts {
  const usage: Record<string, string> = {};
  const use = (name: string, count: number): void => {
    const before = usage[name];
    usage[name] = before === undefined ? String(count) : addQuantities(before, String(count));
  };
  for (const { exactly, firstAvailable = [] } of (spec?.devices?.requests ??
    []) as readonly DeviceRequest[]) {
    if (exactly !== undefined) use(`${exactly.deviceClassName}${byDeviceClass}`, devicesOf(exactly));
    // Any of them may be the one: of each class as many as the largest asks for.
    const most = new Map<string, number>();
    for (const one of firstAvailable)
      most.set(one.deviceClassName, Math.max(most.get(one.deviceClassName) ?? 0, devicesOf(one)));
    for (const [name, count] of most) use(`${name}${byDeviceClass}`, count);
  }
  return usage;
}

const devicesOf = ({ allocationMode, count }: { allocationMode?: string; count?: number }): number =>
  allocationMode === 'All' ? allDevices : (count ?? 1);
