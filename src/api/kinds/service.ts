/**
 * Services: one name and one address in front of many pods. Addresses and node ports are assigned by the API server.
 * What a Service may say is in `service-spec/`.
 */
import type { Column } from '../kind.ts';
import type { Draft } from '../object.ts';
import type { Service, ServiceSpec } from '../types/core.v1.ts';
import { dns1035Name } from '../validation/names.ts';
import type { Problems } from '../validation/problems.ts';
import { ageColumn, column, labelsCell, nameColumn, none, unknown, wideColumn } from './cells.ts';
import { defineKind, proxySubresource, statusSubresource } from './define.ts';
import { isReachableFromOutside, settleFamilies, settleTypeChange } from './service-spec/prepare.ts';
import { validateService, validateServiceUpdate } from './service-spec/validate.ts';

const affinitySeconds = 10_800;

/** Where it is reached from outside: addresses of its own, of its load balancer, or another name. */
function externalCell({ spec, status }: Service): string {
  const own = spec?.externalIPs ?? [];
  switch (spec?.type) {
    case 'ClusterIP':
    case 'NodePort':
      return own.length > 0 ? own.join(',') : none;
    case 'LoadBalancer': {
      const ingress = status?.loadBalancer?.ingress?.map(({ ip, hostname }) => ip || hostname || '') ?? [];
      const all = [...new Set(ingress.filter((text) => text !== ''))].sort().concat(own);
      return all.length > 0 ? all.join(',') : '<pending>';
    }
    case 'ExternalName':
      return spec.externalName ?? '';
    default:
      return unknown;
  }
}

function portsCell({ spec }: Service): string {
  const ports = spec?.ports?.map(({ port, nodePort = 0, protocol = 'TCP' }) =>
    nodePort > 0 ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`,
  );
  return ports?.join(',') || none;
}

const columns: readonly Column[] = [
  nameColumn,
  column<Service>('Type', 'How it is reached.', ({ spec }) => spec?.type ?? ''),
  column<Service>(
    'Cluster-IP',
    'Its address inside the cluster.',
    ({ spec }) => spec?.clusterIPs?.[0] || spec?.clusterIP || none,
  ),
  column<Service>('External-IP', 'Where it is reached from outside.', externalCell),
  column<Service>('Port(s)', 'Its ports, with node ports.', portsCell),
  ageColumn,
  wideColumn<Service>('Selector', 'Which pods are behind it.', ({ spec }) => labelsCell(spec?.selector)),
];

export const service = defineKind<Service>({
  group: '',
  version: 'v1',
  kind: 'Service',
  resource: 'services',
  message: 'core.v1.Service',
  description: 'Service is a lasting name and address for a changing set of pods.',
  returnsDeleted: true,
  shortNames: ['svc'],
  categories: ['all'],
  subresources: [proxySubresource('ServiceProxyOptions'), statusSubresource],
  hasStatus: true,
  columns,
  selectableFields: {
    'spec.clusterIP': ({ spec }) => spec?.clusterIP ?? '',
    'spec.type': ({ spec }) => spec?.type ?? '',
  },
  validateName: dns1035Name,
  applyDefaults({ spec }) {
    if (spec !== undefined) applySpecDefaults(spec);
  },
  prepareCreate(object) {
    object.status = { loadBalancer: {} };
    if (object.spec !== undefined) settleFamilies(object.spec);
  },
  prepareUpdate(object, old) {
    if (object.spec === undefined) return;
    if (old.spec !== undefined) settleTypeChange(object.spec, old.spec);
    settleFamilies(object.spec);
  },
  validate(object) {
    const problems: Problems = [];
    validateService(problems, object.spec ?? {});
    return problems;
  },
  validateUpdate(object, old) {
    const problems: Problems = [];
    validateServiceUpdate(problems, object.spec ?? {}, old.spec ?? {});
    return problems;
  },
});

function applySpecDefaults(spec: Draft<ServiceSpec>): void {
  spec.type ||= 'ClusterIP';
  spec.sessionAffinity ||= 'None';
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig;
  if (spec.sessionAffinity === 'ClientIP') {
    spec.sessionAffinityConfig ??= {};
    spec.sessionAffinityConfig.clientIP ??= {};
    spec.sessionAffinityConfig.clientIP.timeoutSeconds ??= affinitySeconds;
  }
  for (const port of spec.ports ?? []) {
    port.protocol ||= 'TCP';
    port.targetPort ||= port.port;
  }
  if (isReachableFromOutside(spec)) spec.externalTrafficPolicy ||= 'Cluster';
  if (spec.type !== 'ExternalName') spec.internalTrafficPolicy ??= 'Cluster';
  if (spec.type === 'LoadBalancer') spec.allocateLoadBalancerNodePorts ??= true;
}
