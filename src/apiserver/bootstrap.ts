/**
 * What every cloud has from its first moment: the four namespaces, the default roles, the system's priority classes, a default class of
 * storage, and the API server's own Service with its endpoint.
 * Idempotent: also mends what an administrator has broken, and tells the new port after a restart with another.
 * What a cloud cannot be without is kept: deleted, it is there again seconds later (`kubectl delete service --all`).
 */
import type {
  ClusterRole,
  ClusterRoleBinding,
  ConfigMap,
  Draft,
  EndpointSlice,
  Endpoints,
  KubeObject,
  Namespace,
  PolicyRule,
  Service,
  ServiceCIDR,
  StorageClass,
} from '../api/index.ts';
import {
  endpointSlices,
  endpoints,
  localProvisioner,
  namespaces,
  priorityClasses,
  services,
  storageClasses,
  systemPriorityClasses,
} from '../api/index.ts';
import { type Client, keyOf, type ResourceRef } from '../client/index.ts';
import { type Clock, isError, type Log, sameJson, type Timer } from '../lib/index.ts';
import { autoUpdate, defaultClusterRoleBindings, defaultClusterRoles } from './access/default-roles.ts';
import { uncovered } from './access/rules.ts';
import { localRoles } from './access/system-roles.ts';

export interface ApiAddress {
  /** Where the API server is reached from pods. */
  readonly address: string;
  readonly port: number;
  /** Its virtual IP. */
  readonly clusterIp: string;
}

const rbac = (resource: string, namespaced = false): ResourceRef => ({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  resource,
  namespaced,
});
const clusterRoles = rbac('clusterroles');
const clusterRoleBindings = rbac('clusterrolebindings');
const roles = rbac('roles', true);
const roleBindings = rbac('rolebindings', true);
const serviceCidrs: ResourceRef = {
  group: 'networking.k8s.io',
  version: 'v1',
  resource: 'servicecidrs',
  namespaced: false,
};
const configMaps: ResourceRef = { group: '', version: 'v1', resource: 'configmaps', namespaced: true };

/** How servers that extend the API know whom this one speaks for. */
export interface Trust {
  /** PEM: who signs clients' certificates. */
  readonly clientCa: string;
  /** PEM: who signs the certificate with which this server calls them. */
  readonly frontProxyCa: string;
  readonly allowedNames: readonly string[];
}

/** Folders on nodes. An administrator may have another default class, or none: what is there is left as it is. */
const localClass: StorageClass = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name: 'local', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
  provisioner: localProvisioner,
  reclaimPolicy: 'Delete',
  volumeBindingMode: 'WaitForFirstConsumer',
  allowVolumeExpansion: true,
};

const firstNamespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

export async function createFirstObjects(
  client: Client,
  api: ApiAddress | undefined,
  trust?: Trust,
  /** Of virtual IPs. */
  serviceCidr?: string,
): Promise<void> {
  await ensureNamespaces(client);
  await Promise.all([
    ...defaultClusterRoles.map((role) => ensureRole(client, role)),
    ...defaultClusterRoleBindings.map((binding) => ensureBinding(client, binding)),
    ...localRoles.flatMap(({ role, binding }) => [
      ensureRole(client, role, roles),
      ...(binding === undefined ? [] : [ensureBinding(client, binding, roleBindings)]),
    ]),
    ...(trust === undefined ? [] : [ensureTrust(client, trust)]),
  ]);
  await Promise.all([
    ...systemPriorityClasses.map((one) => ensure(client, priorityClasses, one, () => true)),
    ensure(client, storageClasses, localClass, () => true),
  ]);
  if (serviceCidr !== undefined) await ensureServiceCidr(client, serviceCidr);
  if (api !== undefined) await ensureApiService(client, api);
}

const keepIntervalMs = 10_000;

/** Looks every ten seconds whether what is always there still is. At rest it only reads. */
export function keepFirstObjects(
  client: Client,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  api: ApiAddress | undefined,
  trust?: Trust,
  serviceCidr?: string,
): { stop(): void } {
  let timer: Timer | undefined;
  let isStopped = false;
  const look = async (): Promise<void> => {
    try {
      await ensureNamespaces(client);
      if (trust !== undefined) await ensureTrust(client, trust);
      if (serviceCidr !== undefined) await ensureServiceCidr(client, serviceCidr);
      if (api !== undefined) await ensureApiService(client, api);
    } catch (error) {
      if (!isStopped) log.warn('cannot restore what every cloud has', { error });
    }
    if (!isStopped) timer = clock.after(keepIntervalMs, () => void look());
  };
  timer = clock.after(keepIntervalMs, () => void look());
  return {
    stop: () => {
      isStopped = true;
      timer?.cancel();
    },
  };
}

async function ensureNamespaces(client: Client): Promise<void> {
  await Promise.all(
    firstNamespaces.map((name) =>
      ensure<Namespace>(
        client,
        namespaces,
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
        () => true,
      ),
    ),
  );
}

/** One of other ranges stays: who made it knows why. */
function ensureServiceCidr(client: Client, range: string): Promise<void> {
  const cidr: ServiceCIDR = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'ServiceCIDR',
    metadata: { name: 'kubernetes' },
    spec: { cidrs: [range] },
  };
  return ensure(client, serviceCidrs, cidr, () => true);
}

async function ensureApiService(client: Client, api: ApiAddress): Promise<void> {
  const labels = { component: 'apiserver', provider: 'kubernetes' };
  const ports = [{ name: 'https', port: api.port, protocol: 'TCP' }];
  await ensure<Service>(
    client,
    services,
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'kubernetes', namespace: 'default', labels },
      spec: {
        type: 'ClusterIP',
        clusterIP: api.clusterIp,
        ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: api.port }],
      },
    },
    (found) => found.spec?.ports?.[0]?.targetPort === api.port,
    (draft) => {
      if (draft.spec !== undefined)
        draft.spec.ports = [{ name: 'https', port: 443, protocol: 'TCP', targetPort: api.port }];
    },
  );
  // Loopback leads nowhere from a pod, and no endpoint may have it.
  if (api.address.startsWith('127.')) return;
  const subsets = [{ addresses: [{ ip: api.address }], ports }];
  await ensure<Endpoints>(
    client,
    endpoints,
    {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: {
        name: 'kubernetes',
        namespace: 'default',
        labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' },
      },
      subsets,
    } as Endpoints,
    (found) => sameJson(found.subsets, subsets),
    (draft) => {
      draft.subsets = structuredClone(subsets);
    },
  );
  const slice = [{ addresses: [api.address], conditions: { ready: true } }];
  await ensure<EndpointSlice>(
    client,
    endpointSlices,
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        name: 'kubernetes',
        namespace: 'default',
        labels: { 'kubernetes.io/service-name': 'kubernetes' },
      },
      addressType: 'IPv4',
      endpoints: slice,
      ports,
    },
    (found) => sameJson(found.endpoints, slice) && found.ports?.[0]?.port === api.port,
    (draft) => {
      draft.endpoints = structuredClone(slice);
      draft.ports = structuredClone(ports);
    },
  );
}

const isKept = (object: KubeObject): boolean => object.metadata.annotations?.[autoUpdate] === 'false';

function ensureTrust(client: Client, trust: Trust): Promise<void> {
  const data = {
    'client-ca-file': trust.clientCa,
    'requestheader-client-ca-file': trust.frontProxyCa,
    'requestheader-allowed-names': JSON.stringify(trust.allowedNames),
    'requestheader-username-headers': '["X-Remote-User"]',
    'requestheader-uid-headers': '["X-Remote-Uid"]',
    'requestheader-group-headers': '["X-Remote-Group"]',
    'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
  };
  return ensure<ConfigMap>(
    client,
    configMaps,
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'extension-apiserver-authentication', namespace: 'kube-system' },
      data,
    },
    (found) => sameJson(found.data, data),
    (draft) => {
      draft.data = data;
    },
  );
}

/** What it lacks of the default is added; what an administrator has added stays. */
function ensureRole(client: Client, wanted: ClusterRole, ref: ResourceRef = clusterRoles): Promise<void> {
  const lacking = (found: ClusterRole): readonly PolicyRule[] =>
    wanted.aggregationRule === undefined ? uncovered(found.rules ?? [], wanted.rules ?? []) : [];
  return ensure<ClusterRole>(
    client,
    ref,
    wanted,
    (found) => isKept(found) || lacking(found).length === 0,
    (draft) => {
      draft.rules = structuredClone([...(draft.rules ?? []), ...lacking(draft as ClusterRole)]) as never;
    },
  );
}

function ensureBinding(
  client: Client,
  wanted: ClusterRoleBinding,
  ref: ResourceRef = clusterRoleBindings,
): Promise<void> {
  const lacking = (found: ClusterRoleBinding) =>
    (wanted.subjects ?? []).filter(
      ({ kind, name }) => !found.subjects?.some((one) => one.kind === kind && one.name === name),
    );
  return ensure<ClusterRoleBinding>(
    client,
    ref,
    wanted,
    (found) => isKept(found) || lacking(found).length === 0,
    (draft) => {
      draft.subjects = structuredClone([
        ...(draft.subjects ?? []),
        ...lacking(draft as ClusterRoleBinding),
      ]) as never;
    },
  );
}

async function ensure<T extends KubeObject>(
  client: Client,
  ref: ResourceRef,
  wanted: T,
  isRight: (found: T) => boolean,
  mend?: (draft: Draft<T>) => void,
): Promise<void> {
  const { namespace, name = '' } = wanted.metadata;
  try {
    const found = await client.get<T>(ref, namespace, name);
    if (isRight(found) || mend === undefined) return;
    const draft = structuredClone(found) as Draft<T>;
    mend(draft);
    await client.update<T>(ref, draft as T);
  } catch (error) {
    if (!isError(error, 'notFound')) throw error;
    await client.create<T>(ref, wanted).catch((other: unknown) => {
      if (!isError(other, 'alreadyExists'))
        throw new Error(`Cannot create "${keyOf(wanted)}"`, { cause: other });
    });
  }
}
