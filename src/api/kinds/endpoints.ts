/** Endpoints: the addresses behind a Service in the old form, superseded by EndpointSlice. */
import type { EndpointAddress, EndpointPort, EndpointSubset, Endpoints } from '../types/core.v1.ts';
import { validateAddress, validateNonSpecialAddress, validatePort } from '../validation/addresses.ts';
import { labelName, subdomainName } from '../validation/names.ts';
import { notSupported, type Problems, required, wrong } from '../validation/problems.ts';
import { ageColumn, column, nameColumn, none } from './cells.ts';
import { defineKind } from './define.ts';
import { protocols } from './pod-spec/containers.ts';

const shownMax = 3;

function endpointsCell({ subsets = [] }: Endpoints): string {
  const all = subsets.flatMap(({ addresses = [], ports = [] }) =>
    ports.length === 0
      ? addresses.map(({ ip }) => ip)
      : ports.flatMap(({ port }) =>
          addresses.map(({ ip }) => (ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`)),
        ),
  );
  if (subsets.length === 0) return none;
  const text = all.slice(0, shownMax).join(',');
  return all.length > shownMax ? `${text} + ${all.length - shownMax} more...` : text;
}

export const endpointsKind = defineKind<Endpoints>({
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  resource: 'endpoints',
  message: 'core.v1.Endpoints',
  description: 'Endpoints lists the addresses that implement a service. EndpointSlice supersedes it.',
  shortNames: ['ep'],
  deprecation: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
  columns: [
    nameColumn,
    column<Endpoints>('Endpoints', 'The addresses that are ready.', endpointsCell),
    ageColumn,
  ],
  applyDefaults({ subsets }) {
    for (const { ports } of subsets ?? []) for (const port of ports ?? []) port.protocol ||= 'TCP';
  },
  validate({ subsets = [] }) {
    const problems: Problems = [];
    subsets.forEach((subset, index) => {
      validateSubset(problems, `subsets[${index}]`, subset);
    });
    return problems;
  },
});

function validateSubset(problems: Problems, field: string, subset: EndpointSubset): void {
  const { addresses = [], notReadyAddresses = [], ports = [] } = subset;
  if (addresses.length === 0 && notReadyAddresses.length === 0)
    problems.push(required(field, 'must specify `addresses` or `notReadyAddresses`'));
  addresses.forEach((address, index) => {
    validateEndpoint(problems, `${field}.addresses[${index}]`, address);
  });
  notReadyAddresses.forEach((address, index) => {
    validateEndpoint(problems, `${field}.notReadyAddresses[${index}]`, address);
  });
  ports.forEach((port, index) => {
    validateEndpointPort(problems, `${field}.ports[${index}]`, port, ports.length > 1);
  });
}

function validateEndpoint(
  problems: Problems,
  field: string,
  { ip, hostname = '', nodeName = '' }: EndpointAddress,
): void {
  validateAddress(problems, `${field}.ip`, ip);
  if (hostname !== '')
    for (const why of labelName(hostname)) problems.push(wrong(`${field}.hostname`, hostname, why));
  if (nodeName !== '')
    for (const why of subdomainName(nodeName)) problems.push(wrong(`${field}.nodeName`, nodeName, why));
  validateNonSpecialAddress(problems, `${field}.ip`, ip);
}

function validateEndpointPort(
  problems: Problems,
  field: string,
  { name = '', port, protocol = '' }: EndpointPort,
  needsName: boolean,
): void {
  if (name === '') {
    if (needsName) problems.push(required(`${field}.name`));
  } else for (const why of labelName(name)) problems.push(wrong(`${field}.name`, name, why));
  validatePort(problems, `${field}.port`, port);
  if (protocol === '') problems.push(required(`${field}.protocol`));
  else if (!protocols.includes(protocol))
    problems.push(notSupported(`${field}.protocol`, protocol, protocols));
}
