/** What tells slices of one Service apart: their family and ports; and who keeps them. Pure. */
import type { DiscoveryEndpointPort } from '../../api/index.ts';

export const managedByLabel = 'endpointslice.kubernetes.io/managed-by';

/** Endpoints with the same one share a slice. */
export function idOf(addressType: string, ports: readonly DiscoveryEndpointPort[] = []): string {
  const texts = ports.map(
    ({ name = '', port, protocol = 'TCP', appProtocol = '' }) => `${name}/${port}/${protocol}/${appProtocol}`,
  );
  return `${addressType} ${texts.sort().join(' ')}`;
}
