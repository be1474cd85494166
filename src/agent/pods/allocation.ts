/**
 * What of the node a pod has been granted: the amounts of its spec when it came, and of each resize that was let in since. Pure.
 *
 *   spec (desired) ──fits──▶ Allocation (granted, on disk) ──▶ cgroups (actual)
 *
 * Everything of a pod is made from what it was granted (`withAllocation`), never from what it would like. Invariant: an allocation is
 * on disk before anything is made from it.
 */
import {
  type Container,
  compareQuantities,
  type Pod,
  podRequests,
  quantityMilli,
  quantityValue,
  type ResourceRequirements,
} from '../../api/index.ts';
import { containersOf, isSidecar, statusesOf } from './containers.ts';

export interface Allocation {
  /** By name: of main containers, of those that run beside them, and of init containers. */
  readonly containers: Readonly<Record<string, ResourceRequirements>>;
  /** Of the pod as a whole, where it says so. */
  readonly pod?: ResourceRequirements | undefined;
  /** The generation of the pod whose resize is being carried out. */
  readonly resizing?: number | undefined;
  /** Containers that were stopped to be resized, and the id that they had: they start again whatever their policy is. */
  readonly restarts?: Readonly<Record<string, string>> | undefined;
  /** The pod was begun anew: attempts up to these are of its life before. */
  readonly restartAll?: Readonly<Record<string, number>> | undefined;
}

export function allocationOf(pod: Pod): Allocation {
  const entries = containersOf(pod).map(({ name, resources = {} }) => [name, resources] as const);
  const whole = pod.spec?.resources;
  return { containers: Object.fromEntries(entries), ...(whole === undefined ? {} : { pod: whole }) };
}

/** The pod with what it was granted instead of what it asks for; the pod itself where that is the same. */
export function withAllocation(pod: Pod, allocation: Allocation): Pod {
  const { spec } = pod;
  if (spec === undefined) return pod;
  const differs = (container: Container): boolean => {
    const granted = allocation.containers[container.name];
    return granted !== undefined && !sameResources(granted, container.resources);
  };
  const wholeDiffers = !sameResources(allocation.pod, spec.resources);
  if (!wholeDiffers && !containersOf(pod).some(differs)) return pod;
  const grant = (container: Container): Container => {
    const granted = allocation.containers[container.name];
    return granted === undefined ? container : { ...container, resources: granted };
  };
  const { resources: _, ...rest } = spec;
  return {
    ...pod,
    spec: {
      ...rest,
      ...(allocation.pod === undefined ? {} : { resources: allocation.pod }),
      containers: spec.containers.map(grant),
      ...(spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(grant) }),
    },
  };
}

/** What the API object says was granted: for a pod of which the disk says nothing. */
export function allocationOfStatus(pod: Pod): Allocation | undefined {
  const statuses = statusesOf(pod);
  const known = new Map(statuses.map((status) => [status.name, status]));
  if (!statuses.some(({ resources }) => resources !== undefined)) return undefined;
  const own = allocationOf(pod);
  const containers = Object.entries(own.containers).map(([name, resources]) => {
    const status = known.get(name);
    if (status?.resources === undefined) return [name, resources] as const;
    const requests = status.allocatedResources ?? status.resources.requests;
    return [name, { ...resources, ...withRequests(status.resources, requests) }] as const;
  });
  return { ...own, containers: Object.fromEntries(containers) };
}

const withRequests = (
  { limits }: ResourceRequirements,
  requests: ResourceRequirements['requests'],
): ResourceRequirements => ({
  ...(limits === undefined ? {} : { limits }),
  ...(requests === undefined ? {} : { requests }),
});

export function parseAllocation(text: string | undefined): Allocation | undefined {
  if (text === undefined) return undefined;
  try {
    const value = JSON.parse(text) as Partial<Allocation>;
    return typeof value.containers === 'object' ? (value as Allocation) : undefined;
  } catch {
    return undefined; // Cut off by a crash.
  }
}

type Amounts = Readonly<Record<string, string>>;

function sameAmounts(a: Amounts = {}, b: Amounts = {}): boolean {
  if (a === b) return true;
  for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const [one, other] = [a[name], b[name]];
    if (one === undefined || other === undefined) return false;
    if (one !== other && compareQuantities(one, other) !== 0) return false;
  }
  return true;
}

/** `500m` and `0.5` are the same. */
export function sameResources(
  a: ResourceRequirements | undefined,
  b: ResourceRequirements | undefined,
): boolean {
  return a === b || (sameAmounts(a?.requests, b?.requests) && sameAmounts(a?.limits, b?.limits));
}

// ── what fits ──

export interface NodeRoom {
  readonly cpuMilli: number;
  readonly memoryBytes: number;
  readonly ephemeralBytes: number;
  readonly pods: number;
}

const known = new WeakMap<NonNullable<Pod['spec']>, NodeRoom>();

/** What a pod takes of its node. */
export function roomOf(pod: Pod): NodeRoom {
  const { spec } = pod;
  if (spec === undefined) return { cpuMilli: 0, memoryBytes: 0, ephemeralBytes: 0, pods: 1 };
  let room = known.get(spec);
  if (room === undefined) {
    const requests = podRequests(spec);
    room = {
      cpuMilli: quantityMilli(requests['cpu']) ?? 0,
      memoryBytes: quantityValue(requests['memory']) ?? 0,
      ephemeralBytes: quantityValue(requests['ephemeral-storage']) ?? 0,
      pods: 1,
    };
    known.set(spec, room);
  }
  return room;
}

const names: Readonly<Record<keyof NodeRoom, string>> = {
  pods: 'pods',
  cpuMilli: 'cpu',
  memoryBytes: 'memory',
  ephemeralBytes: 'ephemeral-storage',
};

export interface Shortage {
  /** As Kubernetes calls the resource. */
  readonly resource: string;
  readonly message: string;
}

/** The first amount of which there is too little for `pod` beside `others`. */
export function shortageOf(capacity: NodeRoom, others: Iterable<Pod>, pod: Pod): Shortage | undefined {
  const asked = roomOf(pod);
  const used = { cpuMilli: 0, memoryBytes: 0, ephemeralBytes: 0, pods: 0 };
  for (const other of others) {
    const room = roomOf(other);
    for (const key of keys) used[key] += room[key];
  }
  for (const key of keys) {
    if (asked[key] === 0 || asked[key] + used[key] <= capacity[key]) continue;
    const resource = names[key];
    return {
      resource,
      message: `Node didn't have enough resource: ${resource}, requested: ${asked[key]}, used: ${used[key]}, capacity: ${capacity[key]}`,
    };
  }
  return undefined;
}

const keys: readonly (keyof NodeRoom)[] = ['pods', 'cpuMilli', 'memoryBytes', 'ephemeralBytes'];

export interface ResizeRefusal {
  /** Infeasible: never on this node. Deferred: when others leave room. */
  readonly reason: 'Infeasible' | 'Deferred';
  readonly message: string;
}

/** Why `desired` cannot be granted now; undefined: it can. */
export function resizeRefusal(
  capacity: NodeRoom,
  others: Iterable<Pod>,
  desired: Pod,
): ResizeRefusal | undefined {
  if (desired.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined)
    return { reason: 'Infeasible', message: 'In-place resize of static-pods is not supported' };
  const asked = roomOf(desired);
  for (const key of ['memoryBytes', 'cpuMilli'] as const)
    if (asked[key] > capacity[key])
      return {
        reason: 'Infeasible',
        message: `Node didn't have enough capacity: ${names[key]}, requested: ${asked[key]}, capacity: ${capacity[key]}`,
      };
  const shortage = shortageOf(capacity, others, desired);
  return shortage === undefined ? undefined : { reason: 'Deferred', message: shortage.message };
}

/** Does the resize ask for more than was granted? What does not is let in at once. */
export function asksMore(granted: Pod, desired: Pod): boolean {
  const [before, after] = [roomOf(granted), roomOf(desired)];
  return after.cpuMilli > before.cpuMilli || after.memoryBytes > before.memoryBytes;
}

// ── what is said ──

interface NamedResources {
  readonly name: string;
  readonly resources: ResourceRequirements;
}

/** The part of an Event that tells the amounts: as compact as Kubernetes writes it. */
export function resizeSummary(pod: Pod, generation: number | undefined, error?: string): string {
  const list = (containers: readonly Container[] | undefined): NamedResources[] =>
    (containers ?? []).flatMap(({ name, resources }) =>
      resources === undefined || Object.keys(resources).length === 0
        ? []
        : [{ name, resources: sorted(resources) }],
    );
  const inits = list(pod.spec?.initContainers?.filter(isSidecar));
  const mains = list(pod.spec?.containers);
  return JSON.stringify({
    ...(inits.length === 0 ? {} : { initContainers: inits }),
    ...(mains.length === 0 ? {} : { containers: mains }),
    generation: generation ?? 0,
    ...(error === undefined ? {} : { error }),
  });
}

function sorted({ limits, requests }: ResourceRequirements): ResourceRequirements {
  const inOrder = (amounts: Amounts): Amounts =>
    Object.fromEntries(Object.entries(amounts).sort(([a], [b]) => (a < b ? -1 : 1)));
  return {
    ...(limits === undefined ? {} : { limits: inOrder(limits) }),
    ...(requests === undefined ? {} : { requests: inOrder(requests) }),
  };
}

/** Of two waiting resizes, which is looked at first: what asks for no more, then by priority, class and age. Source: KEP-1287. */
export interface WaitingResize {
  readonly granted: Pod;
  readonly desired: Pod;
  readonly isGuaranteed: boolean;
  readonly sinceMs: number;
}

export function compareWaiting(a: WaitingResize, b: WaitingResize): number {
  const rank = (one: WaitingResize): readonly number[] => [
    asksMore(one.granted, one.desired) ? 1 : 0,
    -(one.desired.spec?.priority ?? 0),
    one.isGuaranteed ? 0 : 1,
    one.sinceMs,
  ];
  const [first, second] = [rank(a), rank(b)];
  for (let index = 0; index < first.length; index++) {
    const difference = (first[index] ?? 0) - (second[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
