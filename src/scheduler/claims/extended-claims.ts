/**
 * Extended resources that classes of devices stand for: a pod asks for `example.com/gpu: 2` as ever, and on a node that has no such resource of its own two
 * devices of the class will do, by a claim that is made for it. Pure.
 *
 *   class ─▶ its `extendedResourceName`, and `deviceclass.resource.kubernetes.io/NAME` ─▶ requests of the pod's containers ─▶ the claim, and who gets what of it
 *
 * Source: Kubernetes 1.36 (KEP-5004), as behaviour.
 */
import type { DeviceClass, DynamicResourceClaim, Pod } from '../../api/index.ts';
import { quantityValue } from '../../api/index.ts';
import { type Demand, demandOf } from '../demand.ts';

export const extendedAnnotation = 'resource.kubernetes.io/extended-resource-claim';
const implicitPrefix = 'deviceclass.resource.kubernetes.io/';
const nameMax = 253;

type Container = NonNullable<Pod['spec']>['containers'][number];
export type ExtendedStatus = NonNullable<NonNullable<Pod['status']>['extendedResourceClaimStatus']>;

/** What one container asks of one resource. */
export interface ExtendedRequest {
  readonly container: string;
  readonly resource: string;
  readonly request: string;
  readonly count: number;
  readonly deviceClassName: string;
  /** It has the devices of another one's request, which it is done with before that one starts. */
  readonly isReused: boolean;
}

/** Which class a resource stands for: of several the one that was made last, then by name. */
export class ExtendedClasses {
  readonly #classes = new Map<string, DeviceClass>();
  #byResource: ReadonlyMap<string, string> | undefined;

  set(deviceClass: DeviceClass): void {
    this.#classes.set(deviceClass.metadata.name ?? '', deviceClass);
    this.#byResource = undefined;
  }

  delete(name: string): void {
    this.#classes.delete(name);
    this.#byResource = undefined;
  }

  classOf(resource: string): string | undefined {
    if (this.#classes.size === 0) return undefined;
    if (resource.startsWith(implicitPrefix)) {
      const name = resource.slice(implicitPrefix.length);
      return this.#classes.has(name) ? name : undefined;
    }
    this.#byResource ??= this.#sort();
    return this.#byResource.get(resource);
  }

  #sort(): ReadonlyMap<string, string> {
    const chosen = new Map<string, DeviceClass>();
    for (const one of this.#classes.values()) {
      const resource = one.spec?.extendedResourceName;
      if (resource === undefined || resource === '') continue;
      const other = chosen.get(resource);
      if (other === undefined || goesBefore(one, other)) chosen.set(resource, one);
    }
    return new Map(Array.from(chosen, ([resource, { metadata }]) => [resource, metadata.name ?? '']));
  }
}

function goesBefore(a: DeviceClass, b: DeviceClass): boolean {
  const [x = '', y = ''] = [a.metadata.creationTimestamp, b.metadata.creationTimestamp];
  return x === y ? (a.metadata.name ?? '') < (b.metadata.name ?? '') : x > y;
}

export type ClassOfResource = (resource: string) => string | undefined;

const derived = new WeakMap<Demand, { readonly key: string; readonly demand: Demand }>();

/** What is asked, where devices may stand in for some resources; the same object while the same do. */
export function backedDemand(demand: Demand, classOf: ClassOfResource): Demand {
  const backed = [...demand.extended.keys()].filter((resource) => classOf(resource) !== undefined);
  if (backed.length === 0) return demand;
  const key = backed.map((resource) => `${resource}=${classOf(resource)}`).join();
  let known = derived.get(demand);
  if (known?.key !== key) {
    const more = { backed: new Set(backed), hasDeviceClaims: true, isPlain: false };
    known = { key, demand: { ...demand, ...more, key: `${demand.key} ${key}` } };
    derived.set(demand, known);
  }
  return known.demand;
}

/** What a pod asks, as classes are now. */
export function demandIn(
  { deviceClaims }: { readonly deviceClaims: { readonly classOf: ClassOfResource } },
  pod: Pod,
): Demand {
  const demand = demandOf(pod);
  return demand.extended.size === 0 ? demand : backedDemand(demand, deviceClaims.classOf);
}

/** By container: initial ones first, since requests are numbered so. */
export function extendedRequests({ spec }: Pod, classOf: ClassOfResource): readonly ExtendedRequest[] {
  const { containers = [], initContainers = [] } = spec ?? {};
  const asked: ExtendedRequest[] = [];
  const all = [...initContainers, ...containers];
  const read = ({ name, resources }: Container, index: number): void => {
    const requests = Object.entries(resources?.requests ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [at, [resource, amount]] of requests.entries()) {
      const deviceClassName = resource.includes('/') ? classOf(resource) : undefined;
      const count = quantityValue(amount) ?? 0;
      if (deviceClassName === undefined || count <= 0) continue;
      const isInitial = index < initContainers.length && initContainers[index]?.restartPolicy !== 'Always';
      const reused = isInitial
        ? asked.find((one) => one.resource === resource && one.count === count)
        : undefined;
      const request = reused?.request ?? `container-${index}-request-${at}`;
      asked.push({
        container: name,
        resource,
        request,
        count,
        deviceClassName,
        isReused: reused !== undefined,
      });
    }
  };
  // Those that stay first: what is theirs serves the others before.
  const isInitial = (index: number): boolean =>
    index < initContainers.length && initContainers[index]?.restartPolicy !== 'Always';
  for (const [index, one] of all.entries()) if (!isInitial(index)) read(one, index);
  for (const [index, one] of all.entries()) if (isInitial(index)) read(one, index);
  return asked;
}

/** Always the same for a pod, so that nobody makes two. */
export function extendedClaimName({ metadata }: Pod): string {
  const suffix = `-extended-resources-${(metadata.uid ?? '').replaceAll(/[^a-z0-9]/g, '').slice(-8)}`;
  return `${(metadata.name ?? '').slice(0, nameMax - suffix.length)}${suffix}`;
}

/** As it is made when the pod's node is known; it has no uid before. */
export function extendedClaim(pod: Pod, requests: readonly ExtendedRequest[]): DynamicResourceClaim {
  const { name = '', namespace = '', uid = '' } = pod.metadata;
  return {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceClaim',
    metadata: {
      name: extendedClaimName(pod),
      namespace,
      annotations: { [extendedAnnotation]: 'true' },
      ownerReferences: [
        { apiVersion: 'v1', kind: 'Pod', name, uid, controller: true, blockOwnerDeletion: true },
      ],
    },
    spec: {
      devices: {
        requests: requests
          .filter(({ isReused }) => !isReused)
          .map(({ request, deviceClassName, count }) => ({
            name: request,
            exactly: { deviceClassName, allocationMode: 'ExactCount', count },
          })),
      },
    },
  };
}

export function extendedStatus(claimName: string, requests: readonly ExtendedRequest[]): ExtendedStatus {
  return {
    resourceClaimName: claimName,
    requestMappings: requests.map(({ container, resource, request }) => ({
      containerName: container,
      resourceName: resource,
      requestName: request,
    })),
  };
}
