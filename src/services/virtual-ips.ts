/**
 * What the kernel has to know so that Services work: from Services and EndpointSlices to rules. Pure: same objects, same rules.
 *
 *   Service, its EndpointSlices ──▶ ServiceRules (one a service, remembered) ──▶ RuleSet ──▶ rule-plan.ts ──▶ nft
 *
 *   virtual, nodePorts      address and port ──▶ the chain of a service port
 *   s-NS/NAME/PROTO-PORT    traffic from inside: one endpoint by chance, or the client's last one (session affinity)
 *   x-…                     traffic from outside: masqueraded, or to endpoints of this node only (externalTrafficPolicy: Local)
 *   refused…                service ports without endpoints: refused, not left to time out
 *
 * Source: kubernetes.io/docs/reference/networking/virtual-ips; KEP-1669 (terminating endpoints), KEP-2086 (internal traffic policy), KEP-3015 (hints).
 * Invariant: an address and port belongs to one service: the first by name, whatever others claim.
 */
import type { EndpointConditions, EndpointHints, EndpointSlice, Service, ServicePort } from '../api/index.ts';
import { keyOf } from '../client/index.ts';

export interface NodeFacts {
  readonly nodeName: string;
  /** Addresses of pods, of all nodes; traffic to virtual addresses from elsewhere is masqueraded. Undefined: never. */
  readonly podCidr: string | undefined;
  /** Undefined: not known; hints for zones mean nothing then. */
  readonly zone?: string | undefined;
}

export interface RuleSet {
  /** Chain → its rules. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** Set of clients that belong to one endpoint → its timeout in seconds. */
  readonly affinities: ReadonlyMap<string, number>;
  /** `10.96.0.1 . tcp . 80` → chain. */
  readonly virtual: ReadonlyMap<string, string>;
  /** `tcp . 30080` → chain. */
  readonly nodePorts: ReadonlyMap<string, string>;
  readonly refusedVirtual: ReadonlySet<string>;
  readonly refusedNodePorts: ReadonlySet<string>;
  /** Addresses of endpoints: one that reaches itself by way of a service is masqueraded. */
  readonly hairpin: ReadonlySet<string>;
  /** UDP: `10.96.0.10 53` → its endpoints `10.1.0.2 53`. Flows to an endpoint that is gone have to be forgotten. */
  readonly udp: ReadonlyMap<string, readonly string[]>;
}

export const emptyRules: RuleSet = {
  chains: new Map(),
  affinities: new Map(),
  virtual: new Map(),
  nodePorts: new Map(),
  refusedVirtual: new Set(),
  refusedNodePorts: new Set(),
  hairpin: new Set(),
  udp: new Map(),
};

/** What was made of a service, kept as long as its objects are the same ones. */
export type RuleMemory = Map<
  string,
  { readonly service: Service; readonly slices: readonly EndpointSlice[]; readonly rules: RuleSet }
>;

/** The label that ties a slice to its service. */
export const serviceNameLabel = 'kubernetes.io/service-name';

/** `namespace/name` of the service that a slice belongs to; undefined for one that belongs to none. */
export function serviceKeyOf(slice: EndpointSlice): string | undefined {
  const name = slice.metadata.labels?.[serviceNameLabel];
  return name === undefined ? undefined : `${slice.metadata.namespace ?? ''}/${name}`;
}

export function rulesFor(
  services: Iterable<Service>,
  endpointSlices: Iterable<EndpointSlice>,
  node: NodeFacts,
  memory: RuleMemory = new Map(),
): RuleSet {
  const slicesOf = new Map<string, EndpointSlice[]>();
  for (const slice of endpointSlices) {
    const key = serviceKeyOf(slice);
    if (key === undefined || slice.addressType !== 'IPv4') continue;
    const slices = slicesOf.get(key);
    if (slices === undefined) slicesOf.set(key, [slice]);
    else slices.push(slice);
  }
  const all = new Building();
  const present = new Set<string>();
  const ordered = [...services].map((service) => ({ key: keyOf(service), service }));
  ordered.sort((a, b) => (a.key < b.key ? -1 : 1));
  for (const { key, service } of ordered) {
    const slices = slicesOf.get(key) ?? [];
    present.add(key);
    let known = memory.get(key);
    if (known === undefined || known.service !== service || !sameItems(known.slices, slices)) {
      known = { service, slices, rules: serviceRules(service, slices, node) };
      memory.set(key, known);
    }
    all.add(known.rules);
  }
  for (const key of memory.keys()) if (!present.has(key)) memory.delete(key);
  return all;
}

function sameItems<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((item, at) => item === b[at]);
}

class Building implements RuleSet {
  readonly chains = new Map<string, readonly string[]>();
  readonly affinities = new Map<string, number>();
  readonly virtual = new Map<string, string>();
  readonly nodePorts = new Map<string, string>();
  readonly refusedVirtual = new Set<string>();
  readonly refusedNodePorts = new Set<string>();
  readonly hairpin = new Set<string>();
  readonly udp = new Map<string, readonly string[]>();

  add(rules: RuleSet): void {
    for (const [chain, lines] of rules.chains) this.chains.set(chain, lines);
    for (const [name, seconds] of rules.affinities) this.affinities.set(name, seconds);
    for (const address of rules.hairpin) this.hairpin.add(address);
    for (const [key, chain] of rules.virtual) this.claimVirtual(key, chain);
    for (const [key, chain] of rules.nodePorts) this.claimNodePort(key, chain);
    for (const key of rules.refusedVirtual) this.claimVirtual(key, undefined);
    for (const key of rules.refusedNodePorts) this.claimNodePort(key, undefined);
    for (const [key, endpoints] of rules.udp) if (!this.udp.has(key)) this.udp.set(key, endpoints);
  }

  /** `chain` undefined: refuse. The first claim stands. */
  claimVirtual(key: string, chain: string | undefined): void {
    if (this.virtual.has(key) || this.refusedVirtual.has(key)) return;
    if (chain === undefined) this.refusedVirtual.add(key);
    else this.virtual.set(key, chain);
  }

  claimNodePort(key: string, chain: string | undefined): void {
    if (this.nodePorts.has(key) || this.refusedNodePorts.has(key)) return;
    if (chain === undefined) this.refusedNodePorts.add(key);
    else this.nodePorts.set(key, chain);
  }
}

interface Target {
  readonly address: string;
  readonly port: number;
  readonly isLocal: boolean;
}

const ipv4 = /^(\d{1,3}\.){3}\d{1,3}$/;
/** From the packet's mark: masquerade this flow. The bit that Kubernetes uses too: both mean the same by it. */
export const masqueradeMark = '0x4000';
const markForMasquerade = `meta mark set meta mark | ${masqueradeMark}`;

/** The rules of one service. */
export function serviceRules(service: Service, slices: readonly EndpointSlice[], node: NodeFacts): RuleSet {
  const rules = new Building();
  const spec = service.spec ?? {};
  const clusterIps = (spec.clusterIPs ?? [spec.clusterIP ?? '']).filter((ip) => ipv4.test(ip));
  if (spec.type === 'ExternalName' || clusterIps.length === 0) return rules;
  for (const port of spec.ports ?? []) addPort(rules, service, port, clusterIps, slices, node);
  return rules;
}

function addPort(
  rules: Building,
  service: Service,
  port: ServicePort,
  clusterIps: readonly string[],
  slices: readonly EndpointSlice[],
  node: NodeFacts,
): void {
  const spec = service.spec ?? {};
  const protocol = (port.protocol ?? 'TCP').toLowerCase();
  if (!['tcp', 'udp', 'sctp'].includes(protocol)) return;
  const loadBalancerIps = (service.status?.loadBalancer?.ingress ?? [])
    .filter((ingress) => ingress.ipMode !== 'Proxy')
    .map((ingress) => ingress.ip ?? '')
    .filter((ip) => ipv4.test(ip));
  const externalIps = (spec.externalIPs ?? []).filter((ip) => ipv4.test(ip));
  const hasNodePort = ['NodePort', 'LoadBalancer'].includes(spec.type ?? '') && (port.nodePort ?? 0) > 0;
  const key = (ip: string): string => `${ip} . ${protocol} . ${port.port}`;
  const all = targetsOf(slices, port, protocol, node, false);
  if (all.length === 0) {
    for (const ip of [...clusterIps, ...externalIps, ...loadBalancerIps]) rules.refusedVirtual.add(key(ip));
    if (hasNodePort) rules.refusedNodePorts.add(`${protocol} . ${port.nodePort}`);
    for (const ip of protocol === 'udp' ? clusterIps : []) rules.udp.set(`${ip} ${port.port}`, []);
    return;
  }
  const local = targetsOf(slices, port, protocol, node, true);
  const affinitySeconds =
    spec.sessionAffinity === 'ClientIP'
      ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800)
      : 0;
  const label = chainLabel(keyOf(service), protocol, port.port);
  const inside = `s-${label}`;
  const internal = spec.internalTrafficPolicy === 'Local' ? local : all;
  const guard = node.podCidr === undefined ? [] : [`ip saddr != ${node.podCidr} ${markForMasquerade}`];
  addBalancer(rules, inside, internal, protocol, affinitySeconds, guard);
  for (const ip of clusterIps) rules.virtual.set(key(ip), inside);
  if (protocol === 'udp')
    for (const ip of clusterIps)
      rules.udp.set(
        `${ip} ${port.port}`,
        internal.map((target) => `${target.address} ${target.port}`),
      );
  for (const target of [...all, ...local]) rules.hairpin.add(target.address);
  if (!hasNodePort && externalIps.length === 0 && loadBalancerIps.length === 0) return;

  const outside = `x-${label}`;
  addExternal(rules, outside, { inside, label, all, local, internal, protocol, affinitySeconds, spec, node });
  for (const ip of externalIps) rules.virtual.set(key(ip), outside);
  if (hasNodePort) rules.nodePorts.set(`${protocol} . ${port.nodePort}`, outside);
  const ranges = (spec.loadBalancerSourceRanges ?? []).filter((range) =>
    ipv4.test(range.split('/')[0] ?? ''),
  );
  if (loadBalancerIps.length > 0 && ranges.length > 0) {
    const gate = `l-${label}`;
    rules.chains.set(gate, [`ip saddr != { ${ranges.join(', ')} } drop`, `goto ${outside}`]);
    for (const ip of loadBalancerIps) rules.virtual.set(key(ip), gate);
  } else for (const ip of loadBalancerIps) rules.virtual.set(key(ip), outside);
}

interface External {
  readonly inside: string;
  readonly label: string;
  readonly all: readonly Target[];
  readonly local: readonly Target[];
  readonly internal: readonly Target[];
  readonly protocol: string;
  readonly affinitySeconds: number;
  readonly spec: NonNullable<Service['spec']>;
  readonly node: NodeFacts;
}

function addExternal(rules: Building, chain: string, of: External): void {
  // What internalTrafficPolicy narrows for the inside must not narrow the outside.
  let cluster = of.inside;
  if (of.internal !== of.all) {
    cluster = `c-${of.label}`;
    addBalancer(rules, cluster, of.all, of.protocol, of.affinitySeconds, []);
  }
  if (of.spec.externalTrafficPolicy !== 'Local') {
    rules.chains.set(chain, [markForMasquerade, `goto ${cluster}`]);
    return;
  }
  // Who is inside reaches every endpoint by the outer address too; only strangers depend on this node's own.
  const near = `n-${of.label}`;
  const lines = [`fib saddr type local ${markForMasquerade} goto ${cluster}`];
  if (of.node.podCidr !== undefined) lines.unshift(`ip saddr ${of.node.podCidr} goto ${cluster}`);
  if (of.local.length === 0) lines.push('drop');
  else {
    addBalancer(rules, near, of.local, of.protocol, of.affinitySeconds, []);
    lines.push(`goto ${near}`);
  }
  rules.chains.set(chain, lines);
}

/** A chain that sends to one of `targets`. */
function addBalancer(
  rules: Building,
  chain: string,
  targets: readonly Target[],
  protocol: string,
  affinitySeconds: number,
  first: readonly string[],
): void {
  if (targets.length === 0) {
    rules.chains.set(chain, ['drop']);
    return;
  }
  const to = (target: Target): string => `${target.address} . ${target.port}`;
  if (affinitySeconds <= 0) {
    const only = targets[0] as Target;
    const choice =
      targets.length === 1
        ? `dnat to ${only.address}:${only.port}`
        : `dnat ip to numgen random mod ${targets.length} map { ${targets.map((one, at) => `${at} : ${to(one)}`).join(', ')} }`;
    rules.chains.set(chain, [...first, `meta l4proto ${protocol} ${choice}`]);
    return;
  }
  const lines = [...first];
  const goals: string[] = [];
  for (const target of targets) {
    const own = `${chain}/${target.address}-${target.port}`;
    const clients = `a-${own}`;
    rules.affinities.set(clients, affinitySeconds);
    rules.chains.set(own, [
      `update @${clients} { ip saddr }`,
      `meta l4proto ${protocol} dnat to ${target.address}:${target.port}`,
    ]);
    lines.push(`ip saddr @${clients} goto ${own}`);
    goals.push(own);
  }
  lines.push(
    goals.length === 1
      ? `goto ${goals[0]}`
      : `numgen random mod ${goals.length} vmap { ${goals.map((goal, at) => `${at} : goto ${goal}`).join(', ')} }`,
  );
  rules.chains.set(chain, lines);
}

/**
 * Ready endpoints; where there are none, those that still serve while they terminate. Sorted, each once. `onlyLocal`: those of this node, else those that
 * hints say are for it.
 */
function targetsOf(
  slices: readonly EndpointSlice[],
  port: ServicePort,
  protocol: string,
  { nodeName, zone }: NodeFacts,
  onlyLocal: boolean,
): readonly Target[] {
  const ready = new Map<string, Target & { readonly hints: EndpointHints | undefined }>();
  const terminating = new Map<string, Target>();
  for (const slice of slices) {
    const number = slice.ports?.find(
      (one) => (one.name ?? '') === (port.name ?? '') && (one.protocol ?? 'TCP').toLowerCase() === protocol,
    )?.port;
    if (number === undefined) continue;
    for (const { addresses, nodeName: at, conditions, hints } of slice.endpoints ?? []) {
      const address = addresses[0] ?? '';
      const target = { address, port: number, isLocal: at === nodeName };
      if (!ipv4.test(address) || (onlyLocal && !target.isLocal)) continue;
      if (isReady(conditions)) ready.set(`${address}:${number}`, { ...target, hints });
      else if (isServingToTheEnd(conditions)) terminating.set(`${address}:${number}`, target);
    }
  }
  const sorted = <T>(targets: Iterable<readonly [string, T]>): readonly T[] =>
    [...targets].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, target]) => target);
  if (ready.size === 0) return sorted(terminating);
  const targets = sorted(ready);
  return onlyLocal
    ? targets
    : (hinted(targets, ({ forNodes }) => forNodes, nodeName) ??
        hinted(targets, ({ forZones }) => forZones, zone) ??
        targets);
}

/** Those that are for `name`, where all say for whom they are, and some for it. */
function hinted<T extends { readonly hints: EndpointHints | undefined }>(
  targets: readonly T[],
  namesOf: (hints: EndpointHints) => readonly { readonly name: string }[] | undefined,
  name: string | undefined,
): readonly T[] | undefined {
  if (name === undefined) return undefined;
  const near: T[] = [];
  for (const target of targets) {
    const names = target.hints === undefined ? [] : (namesOf(target.hints) ?? []);
    if (names.length === 0) return undefined;
    if (names.some((one) => one.name === name)) near.push(target);
  }
  return near.length === 0 ? undefined : near;
}

const isReady = (conditions: EndpointConditions | undefined): boolean => conditions?.ready ?? true;
const isServingToTheEnd = (conditions: EndpointConditions | undefined): boolean =>
  (conditions?.serving ?? false) && (conditions?.terminating ?? false);

/** nft takes names of fewer than 128 characters: a long one is cut, and told apart by a hash. */
function chainLabel(serviceKey: string, protocol: string, port: number): string {
  const label = `${serviceKey}/${protocol}-${port}`;
  if (label.length <= 80) return label;
  let hash = 0x811c9dc5n;
  for (const letter of label)
    hash = ((hash ^ BigInt(letter.charCodeAt(0))) * 0x100000001b3n) & 0xffffffffffffffffn;
  return `${label.slice(0, 60)}-${hash.toString(16)}`;
}
