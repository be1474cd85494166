/**
 * The Service under which pods know the DNS server: `kube-system/kube-dns`, without a selector, and a slice that leads to us.
 *
 * Idempotent: makes what is missing, mends the slice when the server's address is another.
 */
import { draftOf, type EndpointSlice, type Service } from '../api/index.ts';
import type { Client, ResourceRef } from '../client/index.ts';
import { isError } from '../lib/index.ts';

const serviceRef: ResourceRef = { group: '', version: 'v1', resource: 'services', namespaced: true };
const sliceRef: ResourceRef = {
  group: 'discovery.k8s.io',
  version: 'v1',
  resource: 'endpointslices',
  namespaced: true,
};
const namespace = 'kube-system';
const name = 'kube-dns';

export async function ensureDnsService(options: {
  readonly client: Client;
  readonly clusterIp: string;
  /** Where the server listens: the bridge's addresses, one a node. */
  readonly addresses: readonly string[];
  readonly port?: number;
  /** Sets several nodes' slices apart. */
  readonly nodeName: string;
}): Promise<void> {
  const { client, clusterIp, addresses, nodeName, port = 53 } = options;
  const labels = {
    'k8s-app': 'kube-dns',
    'kubernetes.io/cluster-service': 'true',
    'kubernetes.io/name': 'CoreDNS',
  };
  const service: Service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace, labels },
    spec: {
      type: 'ClusterIP',
      clusterIP: clusterIp,
      ports: [
        { name: 'dns', port: 53, protocol: 'UDP', targetPort: port },
        { name: 'dns-tcp', port: 53, protocol: 'TCP', targetPort: port },
      ],
    },
  };
  await client.create(serviceRef, service).catch(ignoreExisting);
  const slice: EndpointSlice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: `${name}-${nodeName}`,
      namespace,
      labels: {
        'kubernetes.io/service-name': name,
        'endpointslice.kubernetes.io/managed-by': 'dns.caelum.dev',
      },
    },
    addressType: 'IPv4',
    ports: [
      { name: 'dns', port, protocol: 'UDP' },
      { name: 'dns-tcp', port, protocol: 'TCP' },
    ],
    endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true }, nodeName })),
  };
  try {
    await client.create(sliceRef, slice);
  } catch (error) {
    ignoreExisting(error);
    const there = await client.get<EndpointSlice>(sliceRef, namespace, slice.metadata.name ?? '');
    const isRight =
      JSON.stringify(there.endpoints?.map((one) => one.addresses)) ===
        JSON.stringify(addresses.map((one) => [one])) && there.ports?.every((one) => one.port === port);
    if (isRight) return;
    const mended = draftOf(there);
    mended.endpoints = draftOf(slice.endpoints ?? []);
    mended.ports = draftOf(slice.ports ?? []);
    await client.update(sliceRef, mended as EndpointSlice);
  }
}

function ignoreExisting(error: unknown): void {
  if (!isError(error, 'alreadyExists')) throw error;
}
