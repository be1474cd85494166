/**
 * Devices as their drivers tell of them: slices together make pools, and of each pool a node reaches some devices. Pure; kept current by single changes.
 *
 *   slices of one driver and pool ──▶ those of the newest generation ──▶ complete? valid? ──▶ for a node: the devices that it reaches, in one order always
 *
 * Source: Kubernetes 1.36, k8s.io/dynamic-resource-allocation/structured, as behaviour.
 */
import {
  type Device,
  type DeviceTaintRule,
  quantityNano,
  type ResourceSlice,
  selectsNode,
} from '../../api/index.ts';

export type NodeSelector = NonNullable<ResourceSlice['spec']['nodeSelector']>;

/** From where a device is reached. */
export type Reach =
  | { readonly kind: 'node'; readonly name: string }
  | { readonly kind: 'nodes'; readonly selector: NodeSelector }
  | { readonly kind: 'all' };

export interface PoolDevice {
  /** `driver/pool/name`. */
  readonly id: string;
  readonly driver: string;
  readonly pool: string;
  readonly poolId: string;
  readonly device: Device;
  readonly reach: Reach;
}

export interface Pool {
  readonly id: string;
  /** Some of its slices are missing: its driver is about to tell of them. */
  readonly isIncomplete: boolean;
  readonly isInvalid: boolean;
  /** All of them, whoever reaches them. */
  readonly devices: readonly PoolDevice[];
  /** By `set/counter`: what its devices share, in 10^-9. */
  readonly counters: ReadonlyMap<string, bigint>;
}

/** A pool as a node sees it. */
export interface PoolView {
  readonly pool: Pool;
  readonly devices: readonly PoolDevice[];
}

/** A node as far as devices go. */
export interface ClaimNode {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, string>>;
  /** Resources that it has itself. */
  readonly extended?: ReadonlyMap<string, number>;
}

interface View {
  readonly labels: ClaimNode['labels'];
  readonly pools: readonly PoolView[];
}

const poolIdOf = ({ spec }: ResourceSlice): string => `${spec.driver}/${spec.pool.name}`;

export class DevicePools {
  /** Told of a pool that is another now: which nodes saw or see devices of it; undefined: any may. */
  readonly #onChange: (poolId: string, nodes: readonly string[] | undefined) => void;
  readonly #slices = new Map<string, ResourceSlice>();
  readonly #slicesOf = new Map<string, Map<string, ResourceSlice>>();
  readonly #pools = new Map<string, Pool>();
  /** Pools with devices that only one node reaches, by that node. */
  readonly #local = new Map<string, Set<string>>();
  /** Pools with other devices. */
  readonly #wide = new Set<string>();
  readonly #views = new Map<string, View>();
  /** What taints devices beside their drivers. */
  readonly #rules = new Map<string, DeviceTaintRule>();

  constructor(onChange: (poolId: string, nodes: readonly string[] | undefined) => void = () => {}) {
    this.#onChange = onChange;
  }

  get isEmpty(): boolean {
    return this.#slices.size === 0;
  }

  setSlice(slice: ResourceSlice): void {
    const { name = '' } = slice.metadata;
    const before = this.#slices.get(name);
    if (before !== undefined) this.#take(before);
    this.#slices.set(name, slice);
    const id = poolIdOf(slice);
    let slices = this.#slicesOf.get(id);
    if (slices === undefined) {
      slices = new Map();
      this.#slicesOf.set(id, slices);
    }
    slices.set(name, slice);
    this.#changed(id);
  }

  removeSlice(name: string): void {
    const slice = this.#slices.get(name);
    if (slice === undefined) return;
    this.#slices.delete(name);
    this.#take(slice);
    this.#changed(poolIdOf(slice));
  }

  setRule(rule: DeviceTaintRule): void {
    const { name = '' } = rule.metadata;
    const before = this.#rules.get(name);
    this.#rules.set(name, rule);
    // Its status is no reason to look at devices anew.
    if (JSON.stringify(before?.spec) !== JSON.stringify(rule.spec)) this.#tainted(before, rule);
  }

  removeRule(name: string): void {
    const before = this.#rules.get(name);
    this.#rules.delete(name);
    this.#tainted(before);
  }

  #tainted(...rules: readonly (DeviceTaintRule | undefined)[]): void {
    for (const [id, slices] of this.#slicesOf) {
      const [first] = [...slices.values()];
      const isMeant = rules.some((rule) => rule !== undefined && first && mayTaint(rule, first.spec));
      if (isMeant) this.#changed(id);
    }
  }

  pool(id: string): Pool | undefined {
    return this.#pools.get(id);
  }

  /** The same object as long as nothing has changed for the node. By driver and pool; pools with devices that have to be bound first come last. */
  of(node: ClaimNode): readonly PoolView[] {
    const known = this.#views.get(node.name);
    if (known !== undefined && known.labels === node.labels) return known.pools;
    const pools = this.#look(node);
    this.#views.set(node.name, { labels: node.labels, pools });
    return pools;
  }

  #look(node: ClaimNode): readonly PoolView[] {
    const views: PoolView[] = [];
    for (const id of new Set([...(this.#local.get(node.name) ?? []), ...this.#wide])) {
      const pool = this.#pools.get(id);
      const devices = pool?.devices.filter(({ reach }) => reaches(reach, node)) ?? [];
      if (pool !== undefined && devices.length > 0) views.push({ pool, devices });
    }
    return views.sort((a, b) => isLast(a) - isLast(b) || (a.pool.id < b.pool.id ? -1 : 1));
  }

  #take(slice: ResourceSlice): void {
    const id = poolIdOf(slice);
    const slices = this.#slicesOf.get(id);
    slices?.delete(slice.metadata.name ?? '');
    if (slices?.size === 0) this.#slicesOf.delete(id);
  }

  #changed(id: string): void {
    const reaches = (this.#pools.get(id)?.devices ?? []).map(({ reach }) => reach);
    for (const reach of reaches) this.#forgetViews(reach, id);
    this.#wide.delete(id);
    const slices = [...(this.#slicesOf.get(id)?.values() ?? [])];
    const pool = slices.length === 0 ? undefined : poolOf(id, slices, this.#rules);
    if (pool === undefined) this.#pools.delete(id);
    else this.#pools.set(id, pool);
    for (const { reach } of pool?.devices ?? []) {
      reaches.push(reach);
      this.#forgetViews(reach, id);
      if (reach.kind !== 'node') this.#wide.add(id);
      else {
        const local = this.#local.get(reach.name);
        if (local === undefined) this.#local.set(reach.name, new Set([id]));
        else local.add(id);
      }
    }
    const names = new Set(reaches.flatMap((reach) => (reach.kind === 'node' ? [reach.name] : [])));
    const isWide = reaches.some(({ kind }) => kind !== 'node');
    this.#onChange(id, isWide ? undefined : [...names]);
  }

  #forgetViews(reach: Reach, id: string): void {
    if (reach.kind !== 'node') this.#views.clear();
    else {
      this.#views.delete(reach.name);
      const local = this.#local.get(reach.name);
      if (local?.delete(id) === true && local.size === 0) this.#local.delete(reach.name);
    }
  }
}

const isLast = ({ devices }: PoolView): number =>
  devices.some(({ device }) => (device.bindingConditions?.length ?? 0) > 0) ? 1 : 0;

export function reaches(reach: Reach, node: ClaimNode): boolean {
  if (reach.kind === 'all') return true;
  return reach.kind === 'node' ? reach.name === node.name : selectsNode(reach.selector, node);
}

/** Devices of that pool. */
function mayTaint(
  { spec: { deviceSelector } }: DeviceTaintRule,
  { driver, pool }: ResourceSlice['spec'],
): boolean {
  if (deviceSelector === undefined) return false;
  return (deviceSelector.driver ?? driver) === driver && (deviceSelector.pool ?? pool.name) === pool.name;
}

function poolOf(
  id: string,
  slices: readonly ResourceSlice[],
  allRules: ReadonlyMap<string, DeviceTaintRule>,
): Pool {
  const generation = Math.max(...slices.map(({ spec }) => spec.pool.generation ?? 0));
  const current = slices
    .filter(({ spec }) => (spec.pool.generation ?? 0) === generation)
    .sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
  const devices: PoolDevice[] = [];
  const counters = new Map<string, bigint>();
  const names = new Set<string>();
  let isInvalid = false;
  const first = current[0]?.spec;
  const rules = first === undefined ? [] : [...allRules.values()].filter((rule) => mayTaint(rule, first));
  for (const { spec } of current) {
    for (const device of spec.devices ?? []) {
      isInvalid ||= names.has(device.name);
      names.add(device.name);
      const reach = spec.perDeviceNodeSelection === true ? reachOf(device) : reachOf(spec);
      // Some later kind of reach, which nobody here understands.
      if (reach === undefined) continue;
      const { driver } = spec;
      const pool = spec.pool.name;
      const tainted = rules.length === 0 ? device : withTaints(device, rules);
      devices.push({ id: `${id}/${device.name}`, driver, pool, poolId: id, device: tainted, reach });
    }
    for (const set of spec.sharedCounters ?? [])
      for (const [name, { value }] of Object.entries(set.counters ?? {}))
        counters.set(`${set.name}/${name}`, quantityNano(value) ?? 0n);
  }
  const wanted = current[0]?.spec.pool.resourceSliceCount ?? 0;
  return { id, isIncomplete: current.length !== wanted, isInvalid, devices, counters };
}

function withTaints(device: Device, rules: readonly DeviceTaintRule[]): Device {
  const more = rules.filter(
    ({ spec: { deviceSelector } }) => (deviceSelector?.device ?? device.name) === device.name,
  );
  if (more.length === 0) return device;
  return { ...device, taints: [...(device.taints ?? []), ...more.map(({ spec }) => spec.taint)] };
}

function reachOf(of: {
  readonly nodeName?: string;
  readonly nodeSelector?: NodeSelector;
  readonly allNodes?: boolean;
}): Reach | undefined {
  if (of.nodeName !== undefined && of.nodeName !== '') return { kind: 'node', name: of.nodeName };
  if (of.allNodes === true) return { kind: 'all' };
  return of.nodeSelector === undefined ? undefined : { kind: 'nodes', selector: of.nodeSelector };
}
