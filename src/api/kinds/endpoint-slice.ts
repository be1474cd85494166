/** Endpoint slices: a part of the addresses behind a Service. */
import { sameJson } from '../../lib/index.ts';
import type { Endpoint, EndpointPort, EndpointSlice } from '../types/discovery.v1.ts';
import { addressFamily, validateNonSpecialAddress, validatePort } from '../validation/addresses.ts';
import { labelName, qualifiedName, subdomainName } from '../validation/names.ts';
import {
  duplicate,
  immutableWhy,
  notSupported,
  oneOf,
  type Problems,
  required,
  tooMany,
  wrong,
} from '../validation/problems.ts';
import { ageColumn, column, nameColumn } from './cells.ts';
import { defineKind } from './define.ts';
import { protocols } from './pod-spec/containers.ts';

const addressTypes = ['FQDN', 'IPv4', 'IPv6'];
const endpointsMax = 1000;
const portsMax = 20_000;
const addressesMax = 100;
const hintsMax = 8;
const shownMax = 3;

function listCell(texts: readonly string[]): string {
  if (texts.length === 0) return '<unset>';
  const text = texts.slice(0, shownMax).join(',');
  return texts.length > shownMax ? `${text} + ${texts.length - shownMax} more...` : text;
}

export const endpointSlice = defineKind<EndpointSlice>({
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  resource: 'endpointslices',
  message: 'discovery.v1.EndpointSlice',
  description: 'EndpointSlice holds some of the endpoints behind a service.',
  hasGeneration: true,
  columns: [
    nameColumn,
    column<EndpointSlice>(
      'AddressType',
      'What kind of addresses it holds.',
      ({ addressType }) => addressType,
    ),
    column<EndpointSlice>('Ports', 'The ports of each endpoint.', ({ ports }) =>
      listCell((ports ?? []).map(({ port, name }) => (port === undefined ? name || '*' : `${port}`))),
    ),
    column<EndpointSlice>('Endpoints', 'The addresses.', ({ endpoints }) =>
      listCell((endpoints ?? []).flatMap(({ addresses }) => addresses ?? [])),
    ),
    ageColumn,
  ],
  applyDefaults({ ports }) {
    for (const port of ports ?? []) {
      port.name ??= '';
      port.protocol ??= 'TCP';
    }
  },
  prepareUpdate(object, old) {
    // It has no spec: its content is what counts.
    const isSame =
      sameJson(object.endpoints ?? [], old.endpoints ?? []) &&
      sameJson(object.ports ?? [], old.ports ?? []) &&
      sameJson(object.metadata.labels ?? {}, old.metadata.labels ?? {});
    object.metadata.generation = (old.metadata.generation ?? 0) + (isSame ? 0 : 1);
  },
  validate({ addressType, endpoints = [], ports = [] }) {
    const problems: Problems = [];
    oneOf(problems, 'addressType', addressType, addressTypes, true);
    if (endpoints.length > endpointsMax) problems.push(tooMany('endpoints', endpoints.length, endpointsMax));
    else
      endpoints.forEach((endpoint, index) => {
        validateEndpoint(problems, `endpoints[${index}]`, endpoint, addressType);
      });
    validatePorts(problems, 'ports', ports);
    return problems;
  },
  validateUpdate({ addressType }, old) {
    return addressType === old.addressType ? [] : [wrong('addressType', addressType, immutableWhy)];
  },
});

function validateEndpoint(problems: Problems, field: string, endpoint: Endpoint, type: string): void {
  const { addresses = [], hostname, nodeName } = endpoint;
  if (addresses.length === 0)
    problems.push(required(`${field}.addresses`, 'must contain at least 1 address'));
  else if (addresses.length > addressesMax)
    problems.push(tooMany(`${field}.addresses`, addresses.length, addressesMax));
  addresses.forEach((address, index) => {
    validateAddressOf(problems, `${field}.addresses[${index}]`, address, type);
  });
  if (hostname !== undefined)
    for (const why of labelName(hostname)) problems.push(wrong(`${field}.hostname`, hostname, why));
  if (nodeName !== undefined)
    for (const why of subdomainName(nodeName)) problems.push(wrong(`${field}.nodeName`, nodeName, why));
  validateHints(problems, `${field}.hints.forZones`, endpoint.hints?.forZones, qualifiedName);
  validateHints(problems, `${field}.hints.forNodes`, endpoint.hints?.forNodes, subdomainName);
}

function validateHints(
  problems: Problems,
  field: string,
  hints: readonly { readonly name: string }[] | undefined,
  rule: (name: string) => readonly string[],
): void {
  if (hints === undefined) return;
  if (hints.length > hintsMax) {
    problems.push(tooMany(field, hints.length, hintsMax));
    return;
  }
  const names = new Set<string>();
  hints.forEach(({ name }, index) => {
    const at = `${field}[${index}].name`;
    if (names.has(name)) problems.push(duplicate(at, name));
    names.add(name);
    for (const why of rule(name)) problems.push(wrong(at, name, why));
  });
}

function validateAddressOf(problems: Problems, field: string, address: string, type: string): void {
  if (type === 'FQDN') {
    for (const why of subdomainName(address)) problems.push(wrong(field, address, why));
    return;
  }
  const family = addressFamily(address);
  if (type === 'IPv4' && family !== 4) problems.push(wrong(field, address, 'must be a valid IPv4 address'));
  if (type === 'IPv6' && family !== 6) problems.push(wrong(field, address, 'must be a valid IPv6 address'));
  if (family !== 0) validateNonSpecialAddress(problems, field, address);
}

function validatePorts(problems: Problems, field: string, ports: readonly EndpointPort[]): void {
  if (ports.length > portsMax) {
    problems.push(tooMany(field, ports.length, portsMax));
    return;
  }
  const names = new Set<string>();
  ports.forEach(({ name = '', protocol = '', port, appProtocol }, index) => {
    const at = `${field}[${index}]`;
    if (name !== '') for (const why of labelName(name)) problems.push(wrong(`${at}.name`, name, why));
    if (names.has(name)) problems.push(duplicate(`${at}.name`, name));
    names.add(name);
    if (port !== undefined) validatePort(problems, `${at}.port`, port);
    if (protocol === '') problems.push(required(`${at}.protocol`));
    else if (!protocols.includes(protocol))
      problems.push(notSupported(`${at}.protocol`, protocol, protocols));
    if (appProtocol !== undefined)
      for (const why of qualifiedName(appProtocol))
        problems.push(wrong(`${at}.appProtocol`, appProtocol, why));
  });
}
