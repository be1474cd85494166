/** The pods behind a Service: which count, at which ports, in which condition. Pure, except that `ServicePods` follows informers. */
import { hasLabels, type Pod, type Service, type ServicePort } from '../../api/index.ts';
import { type Change, type Informer, type Informers, keyOf } from '../../client/index.ts';
import { sameJson } from '../../lib/index.ts';
import { isFinished, isReady, isTerminating } from '../pod-state.ts';
import { podsRef, servicesRef } from '../resources.ts';

export interface ResolvedPort {
  readonly name: string;
  readonly port: number;
  readonly protocol: string;
  readonly appProtocol?: string;
}

export const serviceNameLabel = 'kubernetes.io/service-name';
export const headlessLabel = 'service.kubernetes.io/headless';

export const isHeadless = (service: Service): boolean => service.spec?.clusterIP === 'None';

/** Services whose endpoints are found by a selector; others get theirs from elsewhere. */
export function hasSelector(service: Service): boolean {
  return Object.keys(service.spec?.selector ?? {}).length > 0 && service.spec?.type !== 'ExternalName';
}

/** The Service's ports as this pod has them: a named target may be another number in each pod, or missing. */
export function portsOf(service: Service, pod: Pod): readonly ResolvedPort[] {
  const ports: ResolvedPort[] = [];
  for (const servicePort of service.spec?.ports ?? []) {
    const port = targetOf(servicePort, pod);
    if (port === undefined) continue;
    const { name = '', protocol = 'TCP', appProtocol } = servicePort;
    ports.push({ name, port, protocol, ...(appProtocol === undefined ? {} : { appProtocol }) });
  }
  return ports;
}

function targetOf({ port, targetPort, protocol = 'TCP' }: ServicePort, pod: Pod): number | undefined {
  if (typeof targetPort !== 'string') return targetPort === undefined || targetPort === 0 ? port : targetPort;
  if (/^\d+$/.test(targetPort)) return Number(targetPort);
  const sidecars = (pod.spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  for (const container of [...(pod.spec?.containers ?? []), ...sidecars])
    for (const candidate of container.ports ?? [])
      if (candidate.name === targetPort && (candidate.protocol ?? 'TCP') === protocol)
        return candidate.containerPort;
  return undefined;
}

export interface BackendState {
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
}

export function stateOf(service: Service, pod: Pod): BackendState {
  const serving = isReady(pod);
  const terminating = isTerminating(pod);
  const ready = service.spec?.publishNotReadyAddresses === true || (serving && !terminating);
  return { ready, serving, terminating };
}

/** It has an address and has not ended. */
export function canServe(pod: Pod): boolean {
  return !isFinished(pod) && Boolean(pod.status?.podIP);
}

/** The pod's DNS name under the Service, where it asks for one. */
export function hostnameOf(service: Service, pod: Pod): string | undefined {
  const { hostname, subdomain } = pod.spec ?? {};
  return hostname && subdomain === service.metadata.name ? hostname : undefined;
}

/** What of a pod its Services depend on. */
function gist(pod: Pod): unknown {
  const { phase, podIP, podIPs } = pod.status ?? {};
  return [isReady(pod), isTerminating(pod), phase, podIP, podIPs, pod.spec?.nodeName, pod.metadata.labels];
}

/** Services by their pods, and pods by their Services. */
export class ServicePods {
  readonly services: Informer<Service>;
  readonly #servicesIn: (namespace: string) => readonly Service[];
  readonly #podsIn: (namespace: string) => readonly Pod[];

  constructor(informers: Informers) {
    this.services = informers.informer<Service>(servicesRef);
    this.#servicesIn = this.services.index('namespace', (service) => [service.metadata.namespace ?? '']);
    const pods = informers.informer<Pod>(podsRef);
    this.#podsIn = pods.index('namespace', (pod) => [pod.metadata.namespace ?? '']);
  }

  podsOf(service: Service): readonly Pod[] {
    const selector = service.spec?.selector ?? {};
    return this.#podsIn(service.metadata.namespace ?? '').filter((pod) =>
      hasLabels(pod.metadata.labels, selector),
    );
  }

  /** Keys of the Services that a pod's change concerns. */
  servicesOf(change: Change<Pod>): Iterable<string> {
    const services = this.#servicesIn(change.object.metadata.namespace ?? '');
    if (services.length === 0) return [];
    if (change.kind === 'updated' && sameJson(gist(change.object), gist(change.previous))) return [];
    const keys: string[] = [];
    for (const service of services) {
      if (!hasSelector(service)) continue;
      const selector = service.spec?.selector ?? {};
      const before = change.kind === 'updated' ? change.previous : change.object;
      if (hasLabels(change.object.metadata.labels, selector) || hasLabels(before.metadata.labels, selector))
        keys.push(keyOf(service));
    }
    return keys;
  }
}
