/**
 * What the EndpointSlices of a Service say together, as a plain table: one line for each pod, family and port. Pure; slices, their sizes and who is in
 * which are left out, since only the sum is promised.
 *
 * Source: Kubernetes: Services, EndpointSlices (conditions), the fields' documentation.
 */
import type { EndpointSlice, Pod, Service } from '../../api/index.ts';

/** `IPv4 10.0.0.1 web TCP 8080 ready serving`, … One for an endpoint without ports, too. */
export type Line = string;

const words = (...of: readonly (string | number | false | undefined)[]): Line =>
  of.filter((one) => one !== undefined && one !== false && one !== '').join(' ');

export function linesWanted(service: Service, pods: readonly Pod[]): readonly Line[] {
  const lines: Line[] = [];
  for (const family of service.spec?.ipFamilies ?? ['IPv4'])
    for (const pod of pods) {
      const { phase, podIP, podIPs, conditions } = pod.status ?? {};
      if (phase === 'Succeeded' || phase === 'Failed') continue;
      const all = podIPs?.map(({ ip }) => ip) ?? (podIP === undefined ? [] : [podIP]);
      const address = all.filter((ip) => (family === 'IPv6') === ip.includes(':'))[0];
      if (address === undefined || !podIP) continue;
      const serving = conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
      const terminating = pod.metadata.deletionTimestamp !== undefined;
      const ready = service.spec?.publishNotReadyAddresses === true || (serving && !terminating);
      const named = pod.spec?.subdomain === service.metadata.name ? pod.spec?.hostname : undefined;
      const state = words(
        ready && 'ready',
        serving && 'serving',
        terminating && 'terminating',
        pod.spec?.nodeName && `on ${pod.spec.nodeName}`,
        named && `as ${named}`,
        `of ${pod.metadata.uid}`,
      );
      const ports = (service.spec?.ports ?? []).flatMap((one) => {
        const number = numberOf(one.targetPort ?? one.port, one.protocol ?? 'TCP', pod);
        return number === undefined ? [] : [words(one.name, one.protocol ?? 'TCP', number, one.appProtocol)];
      });
      for (const port of ports.length === 0 ? ['without ports'] : ports)
        lines.push(words(family, address, port, state));
    }
  return lines.sort();
}

/** A name is a port of the pod's first container that has it, sidecars last. */
function numberOf(target: number | string, protocol: string, pod: Pod): number | undefined {
  if (typeof target === 'number') return target;
  const sidecars = (pod.spec?.initContainers ?? []).filter((one) => one.restartPolicy === 'Always');
  return [...(pod.spec?.containers ?? []), ...sidecars]
    .flatMap((container) => container.ports ?? [])
    .find((port) => port.name === target && (port.protocol ?? 'TCP') === protocol)?.containerPort;
}

export function linesOf(slices: readonly EndpointSlice[]): readonly Line[] {
  const lines: Line[] = [];
  for (const { addressType, endpoints, ports } of slices)
    for (const { addresses, conditions, nodeName, hostname, targetRef } of endpoints ?? []) {
      const state = words(
        conditions?.ready === true && 'ready',
        conditions?.serving === true && 'serving',
        conditions?.terminating === true && 'terminating',
        nodeName && `on ${nodeName}`,
        hostname && `as ${hostname}`,
        `of ${targetRef?.uid}`,
      );
      const texts = (ports ?? []).map((one) =>
        words(one.name, one.protocol ?? 'TCP', one.port, one.appProtocol),
      );
      for (const port of texts.length === 0 ? ['without ports'] : texts)
        lines.push(words(addressType, addresses[0], port, state));
    }
  return lines.sort();
}
