/**
 * What a pod asks for as a whole, and what it may use at most: its containers together, what starts before them where that is more, its overhead. Pure.
 * Source: Kubernetes 1.36, k8s.io/component-helpers/resource, as behaviour.
 */
import { addQuantities, compareQuantities } from './quantity.ts';
import type { Container, ContainerStatus, Pod, PodSpec, ResourceRequirements } from './types/core.v1.ts';

export type Amounts = Readonly<Record<string, string>>;
type Sums = Record<string, string>;
type Part = 'requests' | 'limits';

/** Of a pod as it was written: what is being resized is not looked at. */
export function podRequests(spec: PodSpec): Amounts {
  return podAmounts(spec, 'requests');
}

/** The overhead counts where there is a limit. */
export function podLimits(spec: PodSpec): Amounts {
  return podAmounts(spec, 'limits');
}

/**
 * The spec with what the pod takes while it is resized: what it asks for or what it still has, whichever is more; only what it has, where its node can never
 * give it what it asks for. The spec itself where that is the same.
 */
export function specInUse({ spec, status }: Pod): PodSpec | undefined {
  if (spec === undefined || status?.containerStatuses === undefined) return spec;
  const taken = (container: Container, statuses: readonly ContainerStatus[] | undefined): boolean =>
    has(container.resources, statusOf(container, statuses));
  const { containers, initContainers = [] } = spec;
  const differs =
    containers.some((one) => taken(one, status.containerStatuses)) ||
    initContainers.some((one) => isSidecar(one) && taken(one, status.initContainerStatuses)) ||
    (spec.resources !== undefined && has(spec.resources, status));
  if (!differs) return spec;
  const isHopeless =
    status.conditions?.some(({ type, reason }) => type === 'PodResizePending' && reason === 'Infeasible') ===
    true;
  const inUse = (container: Container, statuses: readonly ContainerStatus[] | undefined): Container => ({
    ...container,
    resources: resourcesInUse(container.resources, statusOf(container, statuses), isHopeless),
  });
  return {
    ...spec,
    containers: containers.map((one) => inUse(one, status.containerStatuses)),
    ...(spec.initContainers === undefined
      ? {}
      : {
          initContainers: initContainers.map((one) =>
            isSidecar(one) ? inUse(one, status.initContainerStatuses) : one,
          ),
        }),
    ...(spec.resources === undefined
      ? {}
      : { resources: resourcesInUse(spec.resources, status, isHopeless) }),
  };
}

const isSidecar = ({ restartPolicy }: Container): boolean => restartPolicy === 'Always';

/** What a status says of amounts: a container's, or the pod's. */
type Granted = Pick<ContainerStatus, 'allocatedResources' | 'resources'>;

const statusOf = (
  { name }: Container,
  statuses: readonly ContainerStatus[] | undefined,
): Granted | undefined => statuses?.find((one) => one.name === name);

const resizable = ['cpu', 'memory'] as const;

/** Does it have other amounts than it asks for? By text: what is only written otherwise costs a comparison, no more. */
function has(asked: ResourceRequirements | undefined, granted: Granted | undefined): boolean {
  const actual = granted?.resources;
  if (actual === undefined) return false;
  for (const name of resizable) {
    const request = asked?.requests?.[name];
    if (actual.requests?.[name] !== request) return true;
    const allocated = granted?.allocatedResources;
    if (allocated !== undefined && allocated[name] !== request) return true;
    if (actual.limits?.[name] !== asked?.limits?.[name]) return true;
  }
  return false;
}

function resourcesInUse(
  asked: ResourceRequirements | undefined,
  granted: Granted | undefined,
  isHopeless: boolean,
): ResourceRequirements {
  if (granted?.resources === undefined) return asked ?? {};
  const [requests, limits]: [Sums, Sums] = [{ ...asked?.requests }, { ...asked?.limits }];
  if (isHopeless)
    for (const name of resizable) {
      delete requests[name];
      delete limits[name];
    }
  raise(requests, granted.resources.requests ?? {});
  raise(requests, granted.allocatedResources ?? {});
  raise(limits, granted.resources.limits ?? {});
  return { ...asked, requests, limits };
}

function podAmounts(spec: PodSpec, part: Part): Amounts {
  const sums = containersAmounts(spec, part);
  // What the pod says of itself stands for its containers.
  for (const [name, amount] of Object.entries(spec.resources?.[part] ?? {})) sums[name] = amount;
  for (const [name, amount] of Object.entries(spec.overhead ?? {}))
    if (part === 'requests' || (sums[name] !== undefined && sums[name] !== '0')) add(sums, name, amount);
  return sums;
}

function containersAmounts(spec: PodSpec, part: Part): Sums {
  const sums: Sums = {};
  for (const container of spec.containers ?? []) addAll(sums, container, part);
  const sidecars: Sums = {};
  const before: Sums = {};
  for (const container of spec.initContainers ?? []) {
    const mine: Sums = {};
    addAll(mine, container, part);
    if (container.restartPolicy === 'Always') {
      addAll(sums, container, part);
      addAll(sidecars, container, part);
      raise(before, sidecars);
    } else {
      for (const [name, amount] of Object.entries(sidecars)) add(mine, name, amount);
      raise(before, mine);
    }
  }
  raise(sums, before);
  return sums;
}

function addAll(sums: Sums, { resources }: Container, part: Part): void {
  for (const [name, amount] of Object.entries(resources?.[part] ?? {})) add(sums, name, amount);
}

function add(sums: Sums, name: string, amount: string): void {
  const before = sums[name];
  sums[name] = before === undefined ? amount : addQuantities(before, amount);
}

/** To the larger of both. */
function raise(sums: Sums, others: Sums): void {
  for (const [name, amount] of Object.entries(others)) {
    const before = sums[name];
    if (before === undefined || compareQuantities(before, amount) < 0) sums[name] = amount;
  }
}
