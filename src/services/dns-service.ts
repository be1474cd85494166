/**
 * The Service under which pods know the DNS server: `kube-system/kube-dns`, without a selector, and a slice that leads to us.
 *
 * Idempotent: makes what is missing, mends what is wrong. A Service with a selector is somebody's own DNS: left as it is. Another
 * virtual IP cannot be changed in place: such a Service of ours is made anew, as the pods' resolv.conf names the wanted one.
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
  await ensureService(client, service);
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

async function ensureService(client: Client, wanted: Service): Promise<void> {
  try {
    await client.create(serviceRef, wanted);
    return;
  } catch (error) {
    ignoreExisting(error);
  }
  const there = await client.get<Service>(serviceRef, namespace, name);
  if (Object.keys(there.spec?.selector ?? {}).length > 0) return;
  const { uid, labels } = there.metadata;
  if (there.spec?.clusterIP !== wanted.spec?.clusterIP) {
    await client.delete(serviceRef, namespace, name, uid === undefined ? {} : { preconditions: { uid } });
    await client.create(serviceRef, wanted);
    return;
  }
  const isLabelled = Object.entries(wanted.metadata.labels ?? {}).every(([key, of]) => labels?.[key] === of);
  if (isLabelled && portsText(there) === portsText(wanted)) return;
  const mended = draftOf(there);
  mended.metadata.labels = { ...labels, ...wanted.metadata.labels };
  mended.spec = { ...mended.spec, ports: draftOf(wanted.spec?.ports ?? []) };
  await client.update(serviceRef, mended as Service);
}

/** The server adds defaults of its own: compared is what we say. */
const portsText = ({ spec }: Service): string =>
  JSON.stringify(spec?.ports?.map((one) => [one.name, one.port, one.protocol, one.targetPort]));

function ignoreExisting(error: unknown): void {
  if (!isError(error, 'alreadyExists')) throw error;
}
