/**
 * Virtual IPs and node ports of Services: handed out one by one, each to one Service. Pure but for the chance passed in.
 *
 *   store ─(at start)─▶ taken ─ reserve (synchronous: two creates can never get the same) ─▶ kept once stored, released when the write fails
 *   ServiceCIDRs ─▶ ranges: the configured one, and those that are ready beside it
 *   IPAddresses ─▶ taken too, by whoever made them
 *
 * Worded as Kubernetes words it, for clients match on it.
 */
import type { Draft, FieldProblem, IPAddress, Service, ServiceCIDR } from '../api/index.ts';
import { CaelumError, type Random } from '../lib/index.ts';

export interface ServiceRanges {
  /** `10.131.0.0/16`. */
  readonly serviceCidr: string;
  readonly nodePorts: { readonly first: number; readonly last: number };
}

interface Range {
  readonly first: number;
  readonly size: number;
}

export class ServiceAllocator {
  readonly #configured: Range;
  readonly #ranges: ServiceRanges;
  readonly #random: Random;
  /** Address or port → key of the Service that has it. */
  readonly #addresses = new Map<string, string>();
  readonly #ports = new Map<string, string>();
  /** Addresses with an IPAddress, and whose that is. */
  readonly #claims = new Map<string, string>();
  readonly #cidrs = new Map<string, ServiceCIDR>();
  /** From which addresses are given now. */
  #open: readonly Range[];

  constructor(ranges: ServiceRanges, random: Random) {
    const configured = rangeOf(ranges.serviceCidr);
    this.#configured = configured ?? { first: 0, size: 0 };
    this.#open = [this.#configured];
    this.#ranges = ranges;
    this.#random = random;
  }

  /** The first address: the API server's own. */
  get apiAddress(): string {
    return addressOf(this.#configured.first + 1);
  }

  /** Takes note of a range that is stored, or is no more. */
  observeRange(name: string, cidr: ServiceCIDR | undefined): void {
    if (cidr === undefined) this.#cidrs.delete(name);
    else this.#cidrs.set(name, cidr);
    const isOpen = new Map<string, boolean>();
    for (const { metadata, spec, status } of this.#cidrs.values()) {
      const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status ?? 'True';
      const isReady = ready === 'True' && metadata.deletionTimestamp === undefined;
      for (const range of spec?.cidrs ?? []) isOpen.set(range, isReady || isOpen.get(range) === true);
    }
    // Nobody speaks of it: it is there all the same.
    if (!isOpen.has(this.#ranges.serviceCidr)) isOpen.set(this.#ranges.serviceCidr, true);
    const others = [...isOpen].filter(([range, open]) => open && range !== this.#ranges.serviceCidr);
    this.#open = [
      ...(isOpen.get(this.#ranges.serviceCidr) === true ? [this.#configured] : []),
      ...others.flatMap(([range]) => rangeOf(range) ?? []),
    ];
  }

  /** Takes note of an address that is claimed, or no longer. */
  observeClaim(address: string, claim: IPAddress | undefined): void {
    const parent = claim?.spec?.parentRef;
    if (parent === undefined) this.#claims.delete(address);
    else
      this.#claims.set(
        address,
        `${parent.group ?? ''}/${parent.resource}/${parent.namespace ?? ''}/${parent.name}`,
      );
  }

  /** Takes note of a Service that is stored, or forgets what it no longer has. */
  observe(key: string, service: Service | undefined, previous: Service | undefined): void {
    for (const address of addressesOf(previous))
      if (this.#addresses.get(address) === key) this.#addresses.delete(address);
    for (const port of portsOf(previous)) if (this.#ports.get(port) === key) this.#ports.delete(port);
    for (const address of addressesOf(service)) this.#addresses.set(address, key);
    for (const port of portsOf(service)) this.#ports.set(port, key);
  }

  /**
   * Fills in what a Service needs: a virtual IP, node ports. What it names itself must be free.
   * Answers problems, or undefined and `release`, to be called when the write does not happen.
   */
  reserve(
    key: string,
    draft: Draft<Service>,
    old: Service | undefined,
  ): { readonly problems: readonly FieldProblem[]; readonly release: () => void } {
    const undo: (() => void)[] = [];
    const problems: FieldProblem[] = [];
    const spec = draft.spec;
    const release = (): void => {
      for (const step of undo) step();
    };
    try {
      if (spec !== undefined) {
        this.#reserveAddress(key, spec, old, problems, undo);
        this.#reservePorts(key, spec, old, problems, undo);
      }
    } catch (error) {
      release();
      throw error;
    }
    if (problems.length > 0) release();
    return { problems, release };
  }

  #reserveAddress(
    key: string,
    spec: Draft<NonNullable<Service['spec']>>,
    old: Service | undefined,
    problems: FieldProblem[],
    undo: (() => void)[],
  ): void {
    if (spec.type === 'ExternalName') {
      delete spec.clusterIP;
      delete spec.clusterIPs;
      return;
    }
    problems.push(...familyProblems(spec));
    if (problems.length > 0) return;
    const kept = old?.spec?.type === 'ExternalName' ? undefined : old?.spec?.clusterIP;
    let address =
      spec.clusterIP === undefined || spec.clusterIP === '' ? (spec.clusterIPs?.[0] ?? kept) : spec.clusterIP;
    if (address !== 'None') {
      if (address === undefined || address === '') address = this.#freeAddress();
      else {
        const wrong = this.#wrongAddress(key, address);
        if (wrong !== undefined) {
          problems.push(wrong);
          return;
        }
      }
      if (address === undefined) {
        throw exhausted('serviceIP');
      }
      this.#take(this.#addresses, address, key, undo);
    }
    spec.clusterIP = address;
    spec.clusterIPs = [address];
  }

  #wrongAddress(key: string, address: string): FieldProblem | undefined {
    const problem = (why: string): FieldProblem => ({
      reason: 'FieldValueInvalid',
      field: 'spec.clusterIPs',
      message: `Invalid value: ["${address}"]: ${why}`,
    });
    if (this.#addresses.get(address) === key) return undefined;
    const number = numberOf(address);
    const isWithin = this.#open.some(({ first, size }) => number > first && number < first + size - 1);
    if (!isWithin)
      return problem(
        `failed to allocate IP ${address}: the provided network does not match the current range`,
      );
    return this.#isFree(address)
      ? undefined
      : problem(`failed to allocate IP ${address}: provided IP is already allocated`);
  }

  #isFree(address: string): boolean {
    return !this.#addresses.has(address) && !this.#claims.has(address);
  }

  #freeAddress(): string | undefined {
    for (const range of this.#open) {
      const address = this.#freeIn(range);
      if (address !== undefined) return address;
    }
    return undefined;
  }

  #freeIn({ first, size }: Range): string | undefined {
    // As Kubernetes does: the low part of the range is left to those who choose themselves.
    const low = Math.min(Math.max(16, Math.floor(size / 16)), 256, size - 2);
    for (const [from, to] of [
      [low, size - 1],
      [first === this.#configured.first ? 2 : 1, low],
    ] as const) {
      const count = to - from;
      if (count <= 0) continue;
      const start = this.#random.integer(count);
      for (let step = 0; step < count; step++) {
        const address = addressOf(first + from + ((start + step) % count));
        if (this.#isFree(address)) return address;
      }
    }
    return undefined;
  }

  #reservePorts(
    key: string,
    spec: Draft<NonNullable<Service['spec']>>,
    old: Service | undefined,
    problems: FieldProblem[],
    undo: (() => void)[],
  ): void {
    // A node port that such a Service names all the same is refused by its validation.
    if (spec.type !== 'NodePort' && spec.type !== 'LoadBalancer') return;
    if (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts === false) return;
    const { first, last } = this.#ranges.nodePorts;
    for (const [index, port] of (spec.ports ?? []).entries()) {
      const protocol = port.protocol ?? 'TCP';
      const kept = old?.spec?.ports?.find(
        (one) => one.port === port.port && (one.protocol ?? 'TCP') === protocol,
      )?.nodePort;
      const wanted = port.nodePort === undefined || port.nodePort === 0 ? kept : port.nodePort;
      const problem = (why: string): void =>
        void problems.push({
          reason: 'FieldValueInvalid',
          field: `spec.ports[${index}].nodePort`,
          message: `Invalid value: ${wanted ?? 0}: ${why}`,
        });
      if (wanted === undefined || wanted === 0) {
        const free = this.#freePort(protocol);
        if (free === undefined) throw exhausted('nodePort');
        port.nodePort = free;
        this.#take(this.#ports, `${protocol}/${free}`, key, undo);
        continue;
      }
      port.nodePort = wanted;
      const holder = this.#ports.get(`${protocol}/${wanted}`);
      if (wanted < first || wanted > last)
        problem(`provided port is not in the valid range. The range of valid ports is ${first}-${last}`);
      else if (holder !== undefined && holder !== key) problem('provided port is already allocated');
      else this.#take(this.#ports, `${protocol}/${wanted}`, key, undo);
    }
  }

  #freePort(protocol: string): number | undefined {
    const { first, last } = this.#ranges.nodePorts;
    const count = last - first + 1;
    const start = this.#random.integer(count);
    for (let step = 0; step < count; step++) {
      const port = first + ((start + step) % count);
      if (!this.#ports.has(`${protocol}/${port}`)) return port;
    }
    return undefined;
  }

  #take(taken: Map<string, string>, what: string, key: string, undo: (() => void)[]): void {
    if (taken.get(what) === key) return;
    taken.set(what, key);
    undo.push(() => {
      if (taken.get(what) === key) taken.delete(what);
    });
  }
}

export function addressesOf(service: Service | undefined): readonly string[] {
  return (service?.spec?.clusterIPs ?? [service?.spec?.clusterIP ?? '']).filter(
    (address) => address !== '' && address !== 'None',
  );
}

function portsOf(service: Service | undefined): readonly string[] {
  return (service?.spec?.ports ?? []).flatMap((port) =>
    port.nodePort === undefined || port.nodePort === 0 ? [] : [`${port.protocol ?? 'TCP'}/${port.nodePort}`],
  );
}

/** There are addresses of IPv4 alone. Whoever writes the endpoints of a headless Service by hand may choose families. */
function familyProblems(spec: Draft<NonNullable<Service['spec']>>): readonly FieldProblem[] {
  const isHeadless = (spec.clusterIPs?.[0] ?? spec.clusterIP) === 'None';
  if (isHeadless && Object.keys(spec.selector ?? {}).length === 0) return [];
  const wrong = (field: string, value: string, why: string): FieldProblem => ({
    reason: 'FieldValueInvalid',
    field,
    message: `Invalid value: "${value}": ${why}`,
  });
  const families = (spec.ipFamilies ?? []).flatMap((family, index) =>
    family === 'IPv4' ? [] : [wrong(`spec.ipFamilies[${index}]`, family, 'not configured on this cluster')],
  );
  if (families.length > 0 || spec.ipFamilyPolicy !== 'RequireDualStack') return families;
  const why = 'this cluster is not configured for dual-stack services';
  return [wrong('spec.ipFamilyPolicy', spec.ipFamilyPolicy, why)];
}

const exhausted = (what: string): CaelumError =>
  new CaelumError('internal', `Internal error occurred: failed to allocate a ${what}: range is full`);

/** undefined: it is none of IPv4. */
function rangeOf(cidr: string): Range | undefined {
  const [base = '', bits = ''] = cidr.split('/');
  const number = numberOf(base);
  const size = 2 ** (32 - Number(bits));
  return Number.isNaN(number) || Number.isNaN(size) ? undefined : { first: number - (number % size), size };
}

function numberOf(address: string): number {
  const parts = address.split('.').map(Number);
  return parts.length === 4 && parts.every((part) => part >= 0 && part <= 255)
    ? parts.reduce((sum, part) => sum * 256 + part, 0)
    : Number.NaN;
}

function addressOf(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}
