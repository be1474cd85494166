/**
 * The cloud as the scheduler sees it: a column for each property of nodes, kept current by single changes. Pure.
 *
 * Invariants: what is taken of a node is the sum over the pods that it holds, bound or assumed. A node's row keeps its index until it is removed;
 * rows of removed nodes are used again.
 */
import type { Namespace, Node, Pod, PodDisruptionBudget, Taint } from '../api/index.ts';
import { claimsOf, quantityMilli, quantityValue } from '../api/index.ts';
import { DeviceClaimBook } from './claims/claim-book.ts';
import { type Amounts, amountsOf, type HostPortDemand, type NamespaceLabels } from './demand.ts';
import { gpuAskOf } from './devices/gpu-ask.ts';
import { GpuLedger } from './devices/gpu-ledger.ts';
import { ChangeLog } from './engine/change-log.ts';
import { PodTable, type Shape } from './engine/pod-table.ts';
import { VersionedMap } from './engine/versioned-map.ts';
import { GangBook } from './gangs/gang-book.ts';
import { ImageBook } from './image-book.ts';
import { Nominations } from './nominations.ts';
import type { VictimRule } from './preemption.ts';
import { HoldBook } from './reservations/hold-book.ts';
import { Seekers } from './seekers.ts';
import { VolumeBook } from './volume-book.ts';

export interface PlacedPod {
  readonly key: string;
  readonly pod: Pod;
  readonly row: number;
}

/** A pod that is to have a node as soon as those that it preempted have gone. */
export interface Nomination {
  readonly pod: Pod;
  readonly nodeName: string;
}

interface NodeFacts {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** What `matchFields` may ask for. */
  readonly fields: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  readonly unschedulable: boolean;
  readonly extended: ReadonlyMap<string, number>;
  /** Of its disk, as a whole. */
  readonly storageBytes: number;
}

const growth = 2;

interface PriorityCount {
  readonly priority: number;
  count: number;
}

const noPriority: PriorityCount = { priority: Number.NaN, count: 0 };

export class Snapshot {
  /** Free and whole amounts by row. */
  cpuFree = new Float64Array(16);
  cpuWhole = new Float64Array(16);
  memoryFree = new Float64Array(16);
  memoryWhole = new Float64Array(16);
  ephemeralFree = new Float64Array(16);
  podsFree = new Float64Array(16);
  /** What pods that ask for nothing are counted with in scores, beyond what is taken. */
  cpuUnasked = new Float64Array(16);
  memoryUnasked = new Float64Array(16);
  /** Of the zone of each row, in `zoneCount`; 0: it has none. */
  zoneOf = new Float64Array(16);
  readonly #zoneNumbers = new Map<string, number>([['', 0]]);
  readonly #facts: (NodeFacts | undefined)[] = [];
  /** As `facts` has them: of every placement, and facts are many. */
  readonly #names: string[] = [];
  readonly #extendedTaken: Map<string, number>[] = [];
  readonly #ports: HostPortDemand[][] = [];
  /** The placed pods. */
  readonly table = new PodTable();
  /** What came to nodes and left them lately. */
  readonly log = new ChangeLog();
  readonly #rowOf = new Map<string, number>();
  /** Pods placed on nodes that are not known (yet). */
  readonly #waiting = new Map<string, Map<string, Pod>>();
  readonly #waitingFor = new Map<string, string>();
  /** Labels by name, for terms that choose namespaces by them. */
  readonly #namespaces = new Map<string, Readonly<Record<string, string>>>();
  /** The rows of placed pods that use a claim, one for each. */
  readonly #claimRows = new Map<string, number[]>();
  /** Claims and volumes; empty until the first pod that has claims. */
  readonly volumes = new VolumeBook();
  /** Claims of devices, and devices; empty until the first pod that claims some. */
  readonly deviceClaims = new DeviceClaimBook();
  /** GPUs and who has which; empty while no node has any. */
  readonly gpus = new GpuLedger();
  /** Which images the nodes have. */
  readonly images = new ImageBook();
  /** Placed pods that would rather have others beside them or away. */
  readonly seekers = new Seekers();
  /** Who is in which group; empty while no pod is in one. */
  readonly gangs = new GangBook();
  /** Which room is reserved; empty while none is. */
  readonly holds = new HoldBook();
  /** Pods that preempted others and wait for their room, by key. */
  readonly nominations = new Nominations();
  /** Uids of the pods that are being deleted to make room, by key, until they have gone. */
  readonly going = new Map<string, string | undefined>();
  readonly budgets = new VersionedMap<string, PodDisruptionBudget>();
  /** Where tenants share the cloud: the order in which pods are given is that in which they are planned, and who may be put out is for this to say. */
  tenants: VictimRule | undefined;
  /** How many placed pods have a priority. */
  readonly #priorities = new Map<number, PriorityCount>();
  /** Counted last. */
  #priority: PriorityCount = noPriority;
  readonly #freeRows: number[] = [];
  #staticVersion = 0;
  #spacesVersion = 0;

  /** Changes whenever labels, taints, capacity or the set of nodes do: what was worked out of those is void then. */
  get staticVersion(): number {
    return this.#staticVersion;
  }

  /** Zones are numbered below it. */
  get zoneCount(): number {
    return this.#zoneNumbers.size;
  }

  /** Where the pods of an owner are: a row comes as often as it holds one. */
  eachOwnedBy(owner: string, tell: (row: number) => void): void {
    const { table } = this;
    for (const kin of table.kinsOf(owner))
      for (let slot = kin.first; slot >= 0; slot = table.nextOfKin(slot)) tell(table.row(slot));
  }

  /** Changes whenever labels of namespaces do. */
  get spacesVersion(): number {
    return this.#spacesVersion;
  }

  /** Rows may be empty: see `facts`. */
  get rows(): number {
    return this.#facts.length;
  }

  get nodeCount(): number {
    return this.#rowOf.size;
  }

  facts(row: number): NodeFacts | undefined {
    return this.#facts[row];
  }

  /** Empty: there is none. */
  nameOf(row: number): string {
    return this.#names[row] ?? '';
  }

  rowOf(name: string): number | undefined {
    return this.#rowOf.get(name);
  }

  *podsOn(row: number): Generator<Pod> {
    for (const slot of this.table.slotsOnRow(row)) yield this.table.pod(slot);
  }

  portsOn(row: number): readonly HostPortDemand[] {
    return this.#ports[row] ?? [];
  }

  ownedOn(row: number, owner: string): number {
    return this.table.ownedOn(row, owner);
  }

  extendedFree(row: number, resource: string): number {
    return (this.#facts[row]?.extended.get(resource) ?? 0) - (this.#extendedTaken[row]?.get(resource) ?? 0);
  }

  /** Whether there is any placed pod of less priority: cheap, however many there are. */
  hasBelow(priority: number): boolean {
    for (const one of this.#priorities.keys()) if (one < priority) return true;
    return false;
  }

  /** By key, as `podsOn`. */
  *placedOn(row: number): Generator<readonly [string, Pod]> {
    for (const slot of this.table.slotsOnRow(row)) yield [this.table.key(slot), this.table.pod(slot)];
  }

  /** Placed pods that keep certain others away. */
  get guarding(): { readonly size: number; [Symbol.iterator](): Iterator<PlacedPod> } {
    const { table } = this;
    return { size: table.guardCount, [Symbol.iterator]: () => guardingPods(table) };
  }

  placed(key: string): PlacedPod | undefined {
    const slot = this.table.slotOf(key);
    if (slot === undefined) return undefined;
    return { key, pod: this.table.pod(slot), row: this.table.row(slot) };
  }

  /** How many placed pods use it. */
  readonly claimUsers = (claimKey: string): number => this.#claimRows.get(claimKey)?.length ?? 0;

  /** Where those are: a row comes as often as it has one. */
  claimRows(claimKey: string): readonly number[] {
    return this.#claimRows.get(claimKey) ?? [];
  }

  readonly namespaceLabels: NamespaceLabels = (name) => this.#namespaces.get(name);

  setNamespace({ metadata }: Namespace): void {
    this.#namespaces.set(metadata.name ?? '', metadata.labels ?? {});
    this.#spacesVersion++;
  }

  removeNamespace(name: string): void {
    if (this.#namespaces.delete(name)) this.#spacesVersion++;
  }

  setNode(node: Node): void {
    const name = node.metadata.name ?? '';
    const { allocatable = node.status?.capacity ?? {} } = node.status ?? {};
    let row = this.#rowOf.get(name);
    if (row === undefined) row = this.#newRow(name);
    const before = this.#facts[row];
    const cpu = quantityMilli(allocatable['cpu']) ?? 0;
    const memory = quantityValue(allocatable['memory']) ?? 0;
    const extended = new Map<string, number>();
    for (const [resource, amount] of Object.entries(allocatable))
      if (!['cpu', 'memory', 'pods', 'ephemeral-storage'].includes(resource))
        extended.set(resource, quantityValue(amount) ?? 0);
    const taken = this.#takenOn(row);
    const whole = {
      cpu,
      memory,
      ephemeral: quantityValue(allocatable['ephemeral-storage']) ?? Number.POSITIVE_INFINITY,
      pods: quantityValue(allocatable['pods']) ?? 110,
    };
    const facts: NodeFacts = {
      name,
      labels: node.metadata.labels ?? {},
      fields: { 'metadata.name': name },
      taints: node.spec?.taints ?? [],
      unschedulable: node.spec?.unschedulable === true,
      extended,
      storageBytes: whole.ephemeral,
    };
    const changed =
      before === undefined ||
      this.cpuWhole[row] !== cpu ||
      this.memoryWhole[row] !== memory ||
      JSON.stringify([before.labels, before.taints, before.unschedulable, [...before.extended]]) !==
        JSON.stringify([facts.labels, facts.taints, facts.unschedulable, [...extended]]);
    this.#facts[row] = facts;
    this.cpuWhole[row] = cpu;
    this.memoryWhole[row] = memory;
    this.cpuFree[row] = cpu - taken.cpu;
    this.memoryFree[row] = memory - taken.memory;
    this.ephemeralFree[row] = whole.ephemeral - taken.ephemeral;
    this.podsFree[row] = whole.pods - this.table.countOnRow(row);
    this.zoneOf[row] = this.#zoneNumber(facts.labels['topology.kubernetes.io/zone'] ?? '');
    this.gpus.setNode(row, facts.labels, allocatable);
    this.images.setNode(row, node.status?.images);
    this.log.add(row, undefined, 0);
    if (changed) this.#staticVersion++;
    if (before === undefined) this.#takeWaiting(name);
  }

  removeNode(name: string): void {
    const row = this.#rowOf.get(name);
    if (row === undefined) return;
    // Its pods are still there until somebody deletes them; the node may come back.
    for (const slot of this.table.slotsOnRow(row)) {
      const [key, pod] = [this.table.key(slot), this.table.pod(slot)];
      this.#take(slot);
      this.#wait(name, key, pod);
    }
    this.#rowOf.delete(name);
    this.#facts[row] = undefined;
    this.#names[row] = '';
    this.#ports[row] = [];
    this.#extendedTaken[row] = new Map();
    this.gpus.removeNode(row);
    this.images.removeNode(row);
    this.#freeRows.push(row);
    this.#staticVersion++;
  }

  /** Idempotent; a pod that is there already is replaced. `shape`: of the pod, `row`: of the node, where they are known. */
  addPod(
    key: string,
    pod: Pod,
    nodeName: string,
    shape = this.table.shapeOf(pod),
    row = this.#rowOf.get(nodeName),
  ): void {
    const slot = this.table.slotOf(key);
    if (slot !== undefined) {
      if (this.table.row(slot) === row && this.#isAlike(slot, pod, shape)) {
        this.#replacePod(slot, pod);
        return;
      }
      this.#remove(key);
    } else if (this.#waitingFor.size > 0) this.#forgetWaiting(key);
    if (!this.holds.isEmpty) this.holds.moved(key, nodeName, this);
    if (row === undefined) {
      this.#wait(nodeName, key, pod);
      return;
    }
    this.table.add(key, pod, row, shape);
    this.#count(row, pod, shape, 1);
    this.#placeGpus(row, key, pod, nodeName, shape.amounts.extended);
  }

  /** Most changes are of its status. */
  #isAlike(slot: number, pod: Pod, shape: Shape): boolean {
    const before = this.table.pod(slot);
    if (before === pod) return true;
    const there = this.table.shape(slot);
    if (there !== shape && (there.kin !== shape.kin || there.key !== shape.key)) return false;
    return before.spec === pod.spec || (claimsOf(before).length === 0 && claimsOf(pod).length === 0);
  }

  #replacePod(slot: number, pod: Pod): void {
    const before = this.table.pod(slot);
    if (before === pod) return;
    this.table.replace(slot, pod);
    if (pod.status?.startTime !== before.status?.startTime) this.log.add(this.table.row(slot), undefined, 0);
    if (pod.metadata.annotations === before.metadata.annotations) return;
    const [row, key] = [this.table.row(slot), this.table.key(slot)];
    this.gpus.remove(row, key);
    this.#placeGpus(row, key, pod, this.#facts[row]?.name ?? '', amountsOf(pod).extended);
    this.log.add(row, undefined, 0);
  }

  #placeGpus(row: number, key: string, pod: Pod, nodeName: string, extended: Amounts['extended']): void {
    if (pod.metadata.annotations === undefined && extended.size === 0) return;
    const ask = gpuAskOf(pod, extended);
    if (ask !== undefined && !('wrong' in ask)) this.gpus.place(row, key, pod, nodeName, ask);
  }

  removePod(key: string): void {
    this.#remove(key);
    if (!this.holds.isEmpty) this.holds.left(key, this);
  }

  #remove(key: string): void {
    const slot = this.table.slotOf(key);
    if (slot === undefined) {
      this.#forgetWaiting(key);
      return;
    }
    this.#take(slot);
  }

  #take(slot: number): void {
    const { table } = this;
    const [key, pod, row, shape] = [table.key(slot), table.pod(slot), table.row(slot), table.shape(slot)];
    table.remove(slot);
    this.#count(row, pod, shape, -1);
    this.gpus.remove(row, key);
  }

  #countPriority(priority: number, sign: 1 | -1): void {
    let of = this.#priority;
    if (of.priority !== priority) {
      of = this.#priorities.get(priority) ?? { priority, count: 0 };
      this.#priorities.set(priority, of);
      this.#priority = of;
    }
    of.count += sign;
    if (of.count > 0) return;
    this.#priorities.delete(priority);
    this.#priority = noPriority;
  }

  #count(row: number, pod: Pod, { kin, amounts, ports, priority }: Shape, sign: 1 | -1): void {
    this.log.add(row, kin, sign);
    this.#countPriority(priority, sign);
    this.cpuFree[row] = (this.cpuFree[row] as number) - sign * amounts.cpuMilli;
    this.memoryFree[row] = (this.memoryFree[row] as number) - sign * amounts.memoryBytes;
    this.ephemeralFree[row] = (this.ephemeralFree[row] as number) - sign * amounts.ephemeralBytes;
    this.podsFree[row] = (this.podsFree[row] as number) - sign;
    if (amounts.cpuUnaskedMilli > 0)
      this.cpuUnasked[row] = (this.cpuUnasked[row] ?? 0) + sign * amounts.cpuUnaskedMilli;
    if (amounts.memoryUnaskedBytes > 0)
      this.memoryUnasked[row] = (this.memoryUnasked[row] ?? 0) + sign * amounts.memoryUnaskedBytes;
    if (amounts.extended.size > 0) {
      const taken = this.#extendedTaken[row];
      for (const [resource, amount] of amounts.extended)
        taken?.set(resource, (taken.get(resource) ?? 0) + sign * amount);
    }
    if (pod.spec?.volumes !== undefined) this.#countClaims(row, pod, sign);
    if (kin.stance !== undefined) this.seekers.count(pod, row, sign);
    if (ports.length > 0) this.#ports[row] = this.#portsTaken(row);
  }

  #portsTaken(row: number): HostPortDemand[] {
    return Array.from(this.table.slotsOnRow(row), (slot) => this.table.shape(slot).ports).flat();
  }

  #countClaims(row: number, { metadata, spec }: Pod, sign: 1 | -1): void {
    for (const { persistentVolumeClaim: claim } of spec?.volumes ?? []) {
      if (claim === undefined) continue;
      const key = `${metadata.namespace}/${claim.claimName}`;
      const rows = this.#claimRows.get(key);
      if (sign > 0) {
        if (rows === undefined) this.#claimRows.set(key, [row]);
        else rows.push(row);
        continue;
      }
      const at = rows?.lastIndexOf(row) ?? -1;
      if (at >= 0) rows?.splice(at, 1);
      if (rows?.length === 0) this.#claimRows.delete(key);
    }
  }

  #zoneNumber(zone: string): number {
    let number = this.#zoneNumbers.get(zone);
    if (number === undefined) {
      number = this.#zoneNumbers.size;
      this.#zoneNumbers.set(zone, number);
    }
    return number;
  }

  #takenOn(row: number): { cpu: number; memory: number; ephemeral: number } {
    const taken = { cpu: 0, memory: 0, ephemeral: 0 };
    for (const slot of this.table.slotsOnRow(row)) {
      const { amounts } = this.table.shape(slot);
      taken.cpu += amounts.cpuMilli;
      taken.memory += amounts.memoryBytes;
      taken.ephemeral += amounts.ephemeralBytes;
    }
    return taken;
  }

  #newRow(name: string): number {
    const row = this.#freeRows.pop() ?? this.#facts.length;
    if (row >= this.cpuFree.length) this.#grow();
    this.#rowOf.set(name, row);
    this.#facts[row] = undefined;
    this.#names[row] = name;
    this.cpuUnasked[row] = 0;
    this.memoryUnasked[row] = 0;
    this.#ports[row] = [];
    this.#extendedTaken[row] = new Map();
    return row;
  }

  #grow(): void {
    const larger = (old: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> => {
      const grown = new Float64Array(old.length * growth);
      grown.set(old);
      return grown;
    };
    this.cpuFree = larger(this.cpuFree);
    this.cpuWhole = larger(this.cpuWhole);
    this.memoryFree = larger(this.memoryFree);
    this.memoryWhole = larger(this.memoryWhole);
    this.ephemeralFree = larger(this.ephemeralFree);
    this.podsFree = larger(this.podsFree);
    this.cpuUnasked = larger(this.cpuUnasked);
    this.memoryUnasked = larger(this.memoryUnasked);
    this.zoneOf = larger(this.zoneOf);
  }

  #wait(name: string, key: string, pod: Pod): void {
    const waiting = this.#waiting.get(name) ?? new Map<string, Pod>();
    waiting.set(key, pod);
    this.#waiting.set(name, waiting);
    this.#waitingFor.set(key, name);
  }

  #forgetWaiting(key: string): void {
    const name = this.#waitingFor.get(key);
    if (name === undefined) return;
    const pods = this.#waiting.get(name);
    pods?.delete(key);
    if (pods?.size === 0) this.#waiting.delete(name);
    this.#waitingFor.delete(key);
  }

  #takeWaiting(name: string): void {
    const waiting = this.#waiting.get(name);
    this.#waiting.delete(name);
    for (const [key, pod] of waiting ?? []) this.addPod(key, pod, name);
  }
}

function* guardingPods(table: PodTable): Generator<PlacedPod> {
  for (const { guards, kins } of table.stances.all()) {
    if (guards.length === 0) continue;
    for (const kin of kins)
      for (let slot = kin.first; slot >= 0; slot = table.nextOfKin(slot))
        yield { key: table.key(slot), pod: table.pod(slot), row: table.row(slot) };
  }
}
