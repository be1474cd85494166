/** Traffic is sent to those who can take it, and to all of them. */
import type { EndpointSlice, Endpoints, Pod, Service } from '../../../api/index.ts';
import type { Property } from '../../property.ts';
import { isGoing, isReady, isTerminal, sinceMs } from '../facts.ts';

const serviceName = (slice: EndpointSlice): string =>
  `${slice.metadata.namespace}/${slice.metadata.labels?.['kubernetes.io/service-name']}`;

const selected = (service: Service, pods: ReadonlyMap<string, Pod>): Pod[] =>
  [...pods.values()].filter(
    (pod) =>
      pod.metadata.namespace === service.metadata.namespace &&
      Object.entries(service.spec?.selector ?? {}).every(
        ([key, value]) => pod.metadata.labels?.[key] === value,
      ),
  );

const sorted = (values: Iterable<string>): string => [...new Set(values)].sort().join(' ');

export const onlyReadyEndpoints: Property = {
  name: 'endpoints/only-ready',
  source: 'Kubernetes: EndpointSlice conditions; mission T3 (service availability)',
  statement:
    'An endpoint is called ready only when its pod was Ready at a moment of which the controller may still be thinking; in the end exactly the ready pods are endpoints.',
  check(world, broken) {
    const { truth } = world;
    return {
      onEvent({ kind, resource, object, previous, name }) {
        if (kind === 'delete' || resource !== 'endpointslices.discovery.k8s.io') return;
        const before = JSON.stringify((previous as EndpointSlice | undefined)?.endpoints ?? []);
        for (const endpoint of (object as EndpointSlice).endpoints ?? []) {
          if (endpoint.conditions?.ready !== true || endpoint.targetRef?.kind !== 'Pod') continue;
          if (before.includes(JSON.stringify(endpoint))) continue;
          const podName = `${endpoint.targetRef.namespace}/${endpoint.targetRef.name}`;
          const wasReady = truth.heldSince(
            'pods',
            podName,
            sinceMs(world),
            (pod) => pod !== undefined && isReady(pod as Pod) && !isGoing(pod),
          );
          if (!wasReady) broken(`${name} calls ${podName} ready, which it was not`);
        }
      },
      goal() {
        for (const [name, service] of truth.objects<Service>('services')) {
          if (service.spec?.selector === undefined || isGoing(service)) continue;
          const pods = selected(service, truth.objects<Pod>('pods'));
          const ready = sorted(
            pods
              .filter((pod) => isReady(pod) && !isGoing(pod) && !isTerminal(pod))
              .map((pod) => pod.status?.podIP ?? ''),
          );
          const slices = [...truth.objects<EndpointSlice>('endpointslices.discovery.k8s.io').values()].filter(
            (slice) => serviceName(slice) === name,
          );
          const told = sorted(
            slices.flatMap((slice) =>
              (slice.endpoints ?? [])
                .filter(({ conditions }) => conditions?.ready === true)
                .flatMap(({ addresses }) => addresses),
            ),
          );
          if (ready !== told) return `${name} has the ready pods [${ready}], its slices say [${told}]`;
          const old = truth.objects<Endpoints>('endpoints').get(name);
          const oldTold = sorted(
            (old?.subsets ?? []).flatMap(({ addresses = [] }) => addresses.map(({ ip }) => ip)),
          );
          if (ready !== oldTold)
            return `${name} has the ready pods [${ready}], its Endpoints say [${oldTold}]`;
        }
        return undefined;
      },
    };
  },
};

export const uniqueAddresses: Property = {
  name: 'endpoints/unique-addresses',
  source: 'Kubernetes: Service clusterIP; pod network model',
  statement: 'No two Services have the same virtual address, and no two living pods the same address.',
  check({ truth }, broken) {
    return {
      onEvent({ kind, resource, object, previous, name }) {
        if (kind === 'delete') return;
        if (resource === 'services') {
          const address = (object as Service).spec?.clusterIP;
          if (previous !== undefined || address === undefined || address === 'None') return;
          for (const [other, service] of truth.objects<Service>('services'))
            if (other !== name && service.spec?.clusterIP === address)
              broken(`${name} has the address ${address} of ${other}`);
        } else if (resource === 'pods') {
          const address = (object as Pod).status?.podIP;
          if (address === undefined || (previous as Pod | undefined)?.status?.podIP === address) return;
          for (const [other, pod] of truth.objects<Pod>('pods'))
            if (other !== name && !isTerminal(pod) && pod.status?.podIP === address)
              broken(`${name} has the address ${address} of ${other}`);
        }
      },
    };
  },
};
