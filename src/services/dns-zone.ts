/**
 * The cluster's names: what a question is answered with, given the Services and endpoints that there are. Pure.
 *
 *   dns-version.DOMAIN                    TXT: of the specification that this follows
 *   NAME.NS.svc.DOMAIN                    A: the virtual IP; headless: the addresses of ready endpoints; ExternalName: CNAME
 *   HOST.NAME.NS.svc.DOMAIN               A: one endpoint of a headless service, by hostname
 *   _PORT._PROTO.NAME.NS.svc.DOMAIN       SRV
 *   10-1-2-3.NS.pod.DOMAIN                A: what the name says
 *   D.C.B.A.in-addr.arpa                  PTR: of a virtual IP, or of an endpoint with a hostname
 *
 * Source: github.com/kubernetes/dns, docs/specification.md. A name that exists without such records is NODATA, not NXDOMAIN: a
 * resolver that asks for AAAA first must not conclude that the name is wrong.
 */
import type { Endpoint, EndpointSlice, Service } from '../api/index.ts';
import { codes, type DnsRecord, type Question, type Response, types } from './dns-message.ts';

export interface Zone {
  /** `cluster.local`. */
  readonly domain: string;
  readonly ttlSeconds: number;
  /** By `namespace/name`. */
  service(key: string): Service | undefined;
  hasNamespace(name: string): boolean;
  /** Slices of the service `namespace/name`. */
  slices(key: string): readonly EndpointSlice[];
  /** The service with this virtual IP. */
  serviceAt(address: string): Service | undefined;
  /** Slices with this endpoint. */
  slicesAt(address: string): readonly EndpointSlice[];
}

type Found =
  | {
      readonly kind: 'records';
      readonly records: readonly DnsRecord[];
      readonly additional?: readonly DnsRecord[];
    }
  | { readonly kind: 'noName' };

const schemaVersion = '1.1.0';
/** Aliases that lead to aliases: so far and no further. */
const aliasesMax = 8;

const noName: Found = { kind: 'noName' };
const nothing: Found = { kind: 'records', records: [] };

/** undefined: not ours to answer; ask others. */
export function answer(question: Question, zone: Zone): Response | undefined {
  if (question.class !== 1 && question.class !== 255) return undefined;
  const suffix = `.${zone.domain}`;
  let found: Found | undefined;
  let apex = zone.domain;
  if (question.name === zone.domain)
    found = asks(question, types.SOA) ? { kind: 'records', records: [startOf(apex, zone)] } : nothing;
  else if (question.name.endsWith(suffix))
    found = lookUp(question.name.slice(0, -suffix.length).split('.'), question, zone);
  else {
    found = reverse(question, zone);
    apex = 'in-addr.arpa';
  }
  if (found === undefined) return undefined;
  const isEmpty = found.kind === 'noName' || found.records.length === 0;
  return {
    code: found.kind === 'noName' ? codes.nameError : codes.noError,
    authoritative: true,
    answers: found.kind === 'noName' ? [] : found.records,
    authority: isEmpty ? [startOf(apex, zone)] : [],
    additional: found.kind === 'noName' ? [] : (found.additional ?? []),
  };
}

/**
 * As `answer`, with the aliases (ExternalName services) followed as far as they stay in the cluster. A stub resolver expects the
 * addresses in the same answer. `outside`: where they leave it; whoever has other servers to ask adds what those say.
 */
export function answerFollowing(
  question: Question,
  zone: Zone,
): { readonly response: Response; readonly outside: string | undefined } | undefined {
  const first = answer(question, zone);
  if (first === undefined) return undefined;
  if (asks(question, types.CNAME)) return { response: first, outside: undefined };
  let response = first;
  for (let hop = 0; hop < aliasesMax; hop++) {
    const alias = response.answers.at(-1);
    if (alias?.kind !== 'CNAME') break;
    const further = answer({ ...question, name: alias.target }, zone);
    if (further === undefined) return { response, outside: alias.target };
    response = { ...further, answers: [...response.answers, ...further.answers] };
  }
  return { response, outside: undefined };
}

/** True when the cluster alone can say: before its objects are known, such a question must not be answered by a guess. */
export function isOwnName(name: string, domain: string): boolean {
  return name === domain || name.endsWith(`.${domain}`) || name.endsWith('.in-addr.arpa');
}

function startOf(name: string, zone: Zone): DnsRecord {
  return {
    kind: 'SOA',
    name,
    ttlSeconds: zone.ttlSeconds,
    primary: `ns.dns.${zone.domain}`,
    mailbox: `hostmaster.${zone.domain}`,
    serial: 1,
    minimumSeconds: zone.ttlSeconds,
  };
}

function lookUp(labels: readonly string[], question: Question, zone: Zone): Found {
  const kind = labels.at(-1);
  const namespace = labels.at(-2);
  if (labels.length === 1) {
    if (kind === 'dns-version') return schema(question, zone);
    return kind === 'svc' || kind === 'pod' ? nothing : noName;
  }
  if (namespace === undefined || !zone.hasNamespace(namespace)) return noName;
  if (labels.length === 2) return kind === 'svc' || kind === 'pod' ? nothing : noName;
  if (kind === 'pod') return labels.length === 3 ? podName(labels[0] ?? '', question, zone) : noName;
  if (kind !== 'svc') return noName;
  const service = zone.service(`${namespace}/${labels.at(-3)}`);
  if (service === undefined) return noName;
  return serviceName(service, labels.slice(0, -3), question, zone);
}

function schema(question: Question, { ttlSeconds }: Zone): Found {
  if (!asks(question, types.TXT)) return nothing;
  return {
    kind: 'records',
    records: [{ kind: 'TXT', name: question.name, ttlSeconds, text: schemaVersion }],
  };
}

function podName(label: string, question: Question, zone: Zone): Found {
  const address = label.replaceAll('-', '.');
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(address) || address.split('.').some((part) => Number(part) > 255))
    return noName;
  return {
    kind: 'records',
    records: asks(question, types.A)
      ? [{ kind: 'A', name: question.name, ttlSeconds: zone.ttlSeconds, address }]
      : [],
  };
}

/** `rest`: the labels before the service's name. */
function serviceName(service: Service, rest: readonly string[], question: Question, zone: Zone): Found {
  const key = `${service.metadata.namespace}/${service.metadata.name}`;
  const { ttlSeconds } = zone;
  const spec = service.spec ?? {};
  if (spec.type === 'ExternalName') {
    const target = (spec.externalName ?? '').toLowerCase().replace(/\.$/, '');
    return rest.length > 0 || target === ''
      ? noName
      : { kind: 'records', records: [{ kind: 'CNAME', name: question.name, ttlSeconds, target }] };
  }
  const isHeadless = spec.clusterIP === 'None';
  const [first = '', second = ''] = rest;
  if (rest.length === 2 && first.startsWith('_') && second.startsWith('_'))
    return ports(service, key, first.slice(1), second.slice(1), question, zone);
  if (rest.length > 1) return noName;
  if (!isHeadless) {
    if (rest.length > 0) return noName;
    const addresses = spec.clusterIPs ?? (spec.clusterIP ? [spec.clusterIP] : []);
    return { kind: 'records', records: addressRecords(addresses, question.name, question, ttlSeconds) };
  }
  const addresses: string[] = [];
  // Without one ready endpoint there is no such name (§2.4.1); with some of another family there are no such records.
  let isKnown = false;
  for (const slice of zone.slices(key))
    for (const endpoint of slice.endpoints ?? []) {
      if (!isPublished(endpoint, service) || (rest.length > 0 && hostOf(endpoint) !== first)) continue;
      isKnown = true;
      addresses.push(...endpoint.addresses.slice(0, 1));
    }
  return isKnown
    ? {
        kind: 'records',
        records: addressRecords([...new Set(addresses)], question.name, question, ttlSeconds),
      }
    : noName;
}

function ports(
  service: Service,
  key: string,
  portName: string,
  protocol: string,
  question: Question,
  zone: Zone,
): Found {
  const { ttlSeconds } = zone;
  const base = `${service.metadata.name}.${service.metadata.namespace}.svc.${zone.domain}`;
  const matches = (name: string | undefined, of: string | undefined): boolean =>
    name === portName && portName !== '' && (of ?? 'TCP').toLowerCase() === protocol;
  const records: DnsRecord[] = [];
  const additional: DnsRecord[] = [];
  const add = (port: number, target: string, address: string | undefined): void => {
    records.push({ kind: 'SRV', name: question.name, ttlSeconds, priority: 0, weight: 100, port, target });
    if (address !== undefined) additional.push(addressRecord(address, target, ttlSeconds));
  };
  let isKnown = false;
  if (service.spec?.clusterIP !== 'None') {
    for (const port of service.spec?.ports ?? [])
      if (matches(port.name, port.protocol)) {
        isKnown = true;
        add(port.port, base, service.spec?.clusterIP);
      }
  } else
    for (const slice of zone.slices(key)) {
      const port = slice.ports?.find((one) => matches(one.name, one.protocol))?.port;
      if (port === undefined) continue;
      for (const endpoint of slice.endpoints ?? []) {
        const address = endpoint.addresses[0];
        if (!isPublished(endpoint, service) || address === undefined) continue;
        isKnown = true;
        add(port, `${hostOf(endpoint)}.${base}`, address);
      }
    }
  if (!isKnown) return noName;
  return asks(question, types.SRV) ? { kind: 'records', records, additional } : nothing;
}

/** `4.3.2.1.in-addr.arpa`; undefined when the address is none of ours. */
function reverse(question: Question, zone: Zone): Found | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa$/.exec(question.name);
  if (match === null) return undefined;
  const address = match.slice(1).reverse().join('.');
  const targets: string[] = [];
  const service = zone.serviceAt(address);
  if (service !== undefined)
    targets.push(`${service.metadata.name}.${service.metadata.namespace}.svc.${zone.domain}`);
  else
    for (const slice of zone.slicesAt(address)) {
      const name = slice.metadata.labels?.['kubernetes.io/service-name'];
      const namespace = slice.metadata.namespace ?? '';
      const headless = zone.service(`${namespace}/${name}`);
      if (headless?.spec?.clusterIP !== 'None') continue;
      for (const endpoint of slice.endpoints ?? [])
        if (isPublished(endpoint, headless) && endpoint.addresses.includes(address))
          targets.push(`${hostOf(endpoint)}.${name}.${namespace}.svc.${zone.domain}`);
    }
  if (targets.length === 0) return undefined;
  if (!asks(question, types.PTR)) return nothing;
  return {
    kind: 'records',
    records: targets.map((target) => ({
      kind: 'PTR',
      name: question.name,
      ttlSeconds: zone.ttlSeconds,
      target,
    })),
  };
}

const asks = (question: Question, type: number): boolean =>
  question.type === type || question.type === types.ANY;
const isPublished = ({ conditions }: Endpoint, { spec }: Service): boolean =>
  spec?.publishNotReadyAddresses === true || (conditions?.ready ?? true);
/** A pod's hostname, or a name made of its address. */
const hostOf = (endpoint: Endpoint): string =>
  endpoint.hostname?.toLowerCase() ?? (endpoint.addresses[0] ?? '').replace(/[.:]/g, '-');

function addressRecord(address: string, name: string, ttlSeconds: number): DnsRecord {
  return { kind: address.includes(':') ? 'AAAA' : 'A', name, ttlSeconds, address };
}

function addressRecords(
  addresses: readonly string[],
  name: string,
  question: Question,
  ttlSeconds: number,
): DnsRecord[] {
  return addresses
    .map((address) => addressRecord(address, name, ttlSeconds))
    .filter((record) => asks(question, types[record.kind]));
}
