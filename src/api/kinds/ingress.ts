/**
 * Ingresses: which service answers for a host and a path, from outside.
 * Source: Kubernetes 1.36, pkg/apis/networking, as behaviour.
 */
import type { Column, FieldProblem } from '../kind.ts';
import type {
  HTTPIngressPath,
  Ingress,
  IngressBackend,
  IngressRule,
  IngressTLS,
} from '../types/networking.v1.ts';
import { addressFamily, validateAddress, validatePort } from '../validation/addresses.ts';
import { labelName, portName, subdomainName, wildcardSubdomainName } from '../validation/names.ts';
import { notSupported, type Problems, required, wrong } from '../validation/problems.ts';
import { validateTypedReference } from '../validation/references.ts';
import { ageColumn, column, nameColumn, orNone } from './cells.ts';
import { defineKind, statusSubresource } from './define.ts';

const classAnnotation = 'kubernetes.io/ingress.class';
const pathTypes = ['Exact', 'ImplementationSpecific', 'Prefix'];
const badSequences = ['//', '/./', '/../', '%2f', '%2F'];
const badEnds = ['/..', '/.'];
const noAddressWhy = 'must be a DNS name, not an IP address';
const hostsShownMax = 3;

function hostsCell({ spec }: Ingress): string {
  const rules = spec?.rules ?? [];
  const hosts: string[] = [];
  for (const { host = '' } of rules) {
    if (hosts.length === hostsShownMax) return `${hosts.join(',')} + ${rules.length - hostsShownMax} more...`;
    if (host !== '') hosts.push(host);
  }
  return hosts.length === 0 ? '*' : hosts.join(',');
}

function addressesCell({ status }: Ingress): string {
  const points = status?.loadBalancer?.ingress?.map(({ ip, hostname }) => ip || hostname || '') ?? [];
  return [...new Set(points.filter((point) => point !== ''))].sort().join(',');
}

const columns: readonly Column[] = [
  nameColumn,
  column<Ingress>('Class', 'Who serves it.', ({ spec }) => orNone(spec?.ingressClassName)),
  column<Ingress>('Hosts', 'The hosts that it answers for.', hostsCell),
  column<Ingress>('Address', 'Where it is reached.', addressesCell),
  column<Ingress>('Ports', 'The ports that it listens on.', ({ spec }) =>
    (spec?.tls?.length ?? 0) > 0 ? '80, 443' : '80',
  ),
  ageColumn,
];

export const ingress = defineKind<Ingress>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'Ingress',
  resource: 'ingresses',
  message: 'networking.v1.Ingress',
  description: 'Ingress leads requests from outside to services, by host and path.',
  shortNames: ['ing'],
  subresources: [statusSubresource],
  hasStatus: true,
  hasGeneration: true,
  columns,
  prepareCreate(object) {
    object.status = { loadBalancer: {} };
  },
  validate({ spec = {} }) {
    const problems: Problems = [];
    const { rules = [], defaultBackend, tls = [], ingressClassName } = spec;
    if (rules.length === 0 && defaultBackend === undefined)
      problems.push(wrong('spec', spec.rules, 'either `defaultBackend` or `rules` must be specified'));
    if (defaultBackend !== undefined) validateBackend(problems, 'spec.defaultBackend', defaultBackend);
    rules.forEach((rule, index) => {
      validateRule(problems, `spec.rules[${index}]`, rule);
    });
    tls.forEach((one, index) => {
      validateTls(problems, `spec.tls[${index}]`, one);
    });
    if (ingressClassName !== undefined)
      for (const why of subdomainName(ingressClassName))
        problems.push(wrong('spec.ingressClassName', ingressClassName, why));
    return problems;
  },
  validateCreate({ metadata, spec }) {
    const annotated = metadata.annotations?.[classAnnotation];
    const named = spec?.ingressClassName;
    if (annotated === undefined || named === undefined || annotated === named) return [];
    const why = 'must match `ingressClassName` when both are specified';
    return [wrong(`annotations.${classAnnotation}`, annotated, why)];
  },
  validateStatusUpdate: ({ status }) => validateStatus(status),
});

function validateRule(problems: Problems, field: string, { host = '', http }: IngressRule): void {
  if (host !== '') {
    if (addressFamily(host) !== 0) problems.push(wrong(`${field}.host`, host, noAddressWhy));
    validateHost(problems, `${field}.host`, host);
  }
  if (http === undefined) return;
  const { paths = [] } = http;
  if (paths.length === 0) problems.push(required(`${field}.http.paths`));
  paths.forEach((path, index) => {
    validatePath(problems, `${field}.http.paths[${index}]`, path);
  });
}

function validateHost(problems: Problems, field: string, host: string): void {
  const rule = host.includes('*') ? wildcardSubdomainName : subdomainName;
  for (const why of rule(host)) problems.push(wrong(field, host, why));
}

function validatePath(
  problems: Problems,
  field: string,
  { path = '', pathType, backend }: HTTPIngressPath,
): void {
  if (pathType === undefined) {
    problems.push(required(`${field}.pathType`, 'pathType must be specified'));
    return;
  }
  const at = `${field}.path`;
  if (pathType === 'Exact' || pathType === 'Prefix') {
    if (!path.startsWith('/')) problems.push(wrong(at, path, 'must be an absolute path'));
    for (const bad of badSequences)
      if (path.includes(bad)) problems.push(wrong(at, path, `must not contain '${bad}'`));
    for (const bad of badEnds)
      if (path.endsWith(bad)) problems.push(wrong(at, path, `cannot end with '${bad}'`));
  } else if (pathType !== 'ImplementationSpecific')
    problems.push(notSupported(`${field}.pathType`, pathType, pathTypes));
  else if (path !== '' && !path.startsWith('/')) problems.push(wrong(at, path, 'must be an absolute path'));
  validateBackend(problems, `${field}.backend`, backend ?? {});
}

function validateBackend(problems: Problems, field: string, { resource, service }: IngressBackend): void {
  if (resource !== undefined && service !== undefined) {
    problems.push(wrong(field, '', 'cannot set both resource and service backends'));
    return;
  }
  if (resource !== undefined) {
    validateTypedReference(problems, `${field}.resource`, resource);
    return;
  }
  if (service === undefined) {
    problems.push(wrong(field, '', 'resource or service backend is required'));
    return;
  }
  const { name = '', port = {} } = service;
  if (name === '') problems.push(required(`${field}.service.name`));
  else for (const why of labelName(name)) problems.push(wrong(`${field}.service.name`, name, why));
  const { name: portText = '', number = 0 } = port;
  const at = `${field}.service.port`;
  if (portText !== '' && number !== 0)
    problems.push(wrong(field, '', 'cannot set both port name & port number'));
  else if (portText !== '')
    for (const why of portName(portText)) problems.push(wrong(`${at}.name`, portText, why));
  else if (number !== 0) validatePort(problems, `${at}.number`, number);
  else problems.push(required(field, 'port name or number is required'));
}

function validateTls(problems: Problems, field: string, { hosts = [], secretName = '' }: IngressTLS): void {
  hosts.forEach((host, index) => {
    validateHost(problems, `${field}.hosts[${index}]`, host);
  });
  if (secretName !== '')
    for (const why of subdomainName(secretName)) problems.push(wrong(`${field}.secretName`, secretName, why));
}

function validateStatus(status: Ingress['status']): readonly FieldProblem[] {
  const problems: Problems = [];
  status?.loadBalancer?.ingress?.forEach(({ ip = '', hostname = '' }, index) => {
    const at = `status.loadBalancer.ingress[${index}]`;
    if (ip !== '') validateAddress(problems, `${at}.ip`, ip);
    if (hostname === '') return;
    for (const why of subdomainName(hostname)) problems.push(wrong(`${at}.hostname`, hostname, why));
    if (addressFamily(hostname) !== 0) problems.push(wrong(`${at}.hostname`, hostname, noAddressWhy));
  });
  return problems;
}
