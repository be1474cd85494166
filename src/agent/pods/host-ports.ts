/** Ports of the node that pods take. Pure. */
import type { Pod } from '../../api/index.ts';
import type { HostPort } from '../network/index.ts';

export function hostPortsOf(pod: Pod): HostPort[] {
  const result: HostPort[] = [];
  for (const container of [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])])
    for (const port of container.ports ?? [])
      if (port.hostPort !== undefined && port.hostPort !== 0)
        result.push({
          hostIp: port.hostIP ?? '',
          hostPort: port.hostPort,
          containerPort: port.containerPort,
          protocol: (port.protocol ?? 'TCP') as HostPort['protocol'],
        });
  return result;
}

/** Why a pod cannot be beside the others: a port that one of them has. Worded as the kubelet words it. */
export function portRejection(
  pod: Pod,
  others: Iterable<Pod>,
): { readonly reason: string; readonly message: string } | undefined {
  const wanted = hostPortsOf(pod);
  if (wanted.length === 0) return undefined;
  for (const other of others)
    for (const taken of hostPortsOf(other))
      if (wanted.some((one) => clash(one, taken)))
        return { reason: 'NodePorts', message: 'Predicate NodePorts failed' };
  return undefined;
}

const isAny = (ip: string): boolean => ip === '' || ip === '0.0.0.0' || ip === '::';

function clash(a: HostPort, b: HostPort): boolean {
  const isSamePort = a.hostPort === b.hostPort && a.protocol === b.protocol;
  return isSamePort && (isAny(a.hostIp) || isAny(b.hostIp) || a.hostIp === b.hostIp);
}
