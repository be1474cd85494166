/**
 * Virtual IPs and node ports of Services: handed out one by one, each to one Service. Pure but for the chance passed in.
 *
 *   store ─(at start)─▶ taken ─ reserve (synchronous: two creates can never get the same) ─▶ kept once stored, released when the write fails
 *
 * Worded as Kubernetes words it, for clients match on it.
 */
import type { Draft, FieldProblem, Service } from '../api/index.ts';
import type { Random } from '../lib/index.ts';

export interface ServiceRanges {
  /** `10.131.0.0/16`. */
  readonly serviceCidr: string;
  readonly nodePorts: { readonly first: number; readonly last: number };
}

export class ServiceAllocator {
  readonly #first: number;
  readonly #size: number;
  readonly #ranges: ServiceRanges;
  readonly #random: Random;
  /** Address or port → key of the Service that has it. */
  readonly #addresses = new Map<string, string>();
  readonly #ports = new Map<string, string>();

  constructor(ranges: ServiceRanges, random: Random) {
    const [base = '', bits = ''] = ranges.serviceCidr.split('/');
    this.#first = numberOf(base);
    this.#size = 2 ** (32 - Number(bits));
    this.#ranges = ranges;
    this.#random = random;
  }

  /** The first address: the API server's own. */
  get apiAddress(): string {
    return addressOf(this.#first + 1);
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
    if (spec !== undefined) {
      this.#reserveAddress(key, spec, old, problems, undo);
      this.#reservePorts(key, spec, old, problems, undo);
    }
    const release = (): void => {
      for (const step of undo) step();
    };
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
        problems.push({
          reason: 'InternalError',
          field: 'spec.clusterIPs',
          message: 'Internal error: failed to allocate IP: range is full',
        });
        return;
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
    const holder = this.#addresses.get(address);
    if (holder === key) return undefined;
    const offset = numberOf(address) - this.#first;
    if (!(offset > 0 && offset < this.#size - 1))
      return problem(
        `failed to allocate IP ${address}: the provided IP (${address}) is not in the valid range. The range of valid IPs is ${this.#ranges.serviceCidr}`,
      );
    return holder === undefined
      ? undefined
      : problem(`failed to allocate IP ${address}: provided IP is already allocated`);
  }

  #freeAddress(): string | undefined {
    // As Kubernetes does: the low part of the range is left to those who choose themselves.
    const low = Math.min(Math.max(16, Math.floor(this.#size / 16)), 256, this.#size - 2);
    for (const [from, to] of [
      [low, this.#size - 1],
      [2, low],
    ] as const) {
      const count = to - from;
      if (count <= 0) continue;
      const start = this.#random.integer(count);
      for (let step = 0; step < count; step++) {
        const address = addressOf(this.#first + from + ((start + step) % count));
        if (!this.#addresses.has(address)) return address;
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
        if (free === undefined) problem('failed to allocate a nodePort: range is full');
        else {
          port.nodePort = free;
          this.#take(this.#ports, `${protocol}/${free}`, key, undo);
        }
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

function addressesOf(service: Service | undefined): readonly string[] {
  return (service?.spec?.clusterIPs ?? [service?.spec?.clusterIP ?? '']).filter(
    (address) => address !== '' && address !== 'None',
  );
}

function portsOf(service: Service | undefined): readonly string[] {
  return (service?.spec?.ports ?? []).flatMap((port) =>
    port.nodePort === undefined || port.nodePort === 0 ? [] : [`${port.protocol ?? 'TCP'}/${port.nodePort}`],
  );
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
