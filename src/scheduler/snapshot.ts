/**
 * The cloud as the scheduler sees it: a column for each property of nodes, kept current by single changes. Pure.
 *
 * Invariants: what is taken of a node is the sum over the pods that it holds, bound or assumed. A node's row keeps its index until it is removed;
 * rows of removed nodes are used again.
 */
import type { Namespace, Node, Pod, PodDisruptionBudget, Taint } from '../api/index.ts';
import { quantityMilli, quantityValue, specInUse } from '../api/index.ts';
import { DeviceClaimBook } from './claims/claim-book.ts';
import { amountsOf, type HostPortDemand, hostPortsOf, type NamespaceLabels } from './demand.ts';
import { gpuAskOf } from './devices/gpu-ask.ts';
import { GpuLedger } from './devices/gpu-ledger.ts';
import { GangBook } from './gangs/gang-book.ts';
import type { VictimRule } from './preemption.ts';
import { ImageBook } from './image-book.ts';
import { Seekers } from './seekers.ts';
import { HoldBook } from './reservations/hold-book.ts';
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
  readonly #extendedTaken: Map<string, number>[] = [];
  readonly #podsOn: Map<string, Pod>[] = [];
  readonly #ports: HostPortDemand[][] = [];
  /** How many pods of an owner each row holds. */
  readonly #owners = new Map<string, Map<number, number>>();
  readonly #rowOf = new Map<string, number>();
  readonly #placed = new Map<string, PlacedPod>();
  /** Placed pods that want certain others kept away from them. */
  readonly #guarding = new Set<PlacedPod>();
  /** Pods placed on nodes that are not known (yet). */
  readonly #waiting = new Map<string, Map<string, Pod>>();
  readonly #waitingFor = new Map<string, string>();
  /** Labels by name, for terms that choose namespaces by them. */
  readonly #namespaces = new Map<string, Readonly<Record<string, string>>>();
  /** How many placed pods use a claim. */
  readonly #claimUsers = new Map<string, number>();
  /** Claims and volumes; empty until the first pod that has claims. */
  readonly volumes = new VolumeBook();
  /** Claims of devices, and devices; empty until the first pod that claims some. */
  readonly deviceClaims = new DeviceClaimBook();
  /** GPUs and who has which; empty while no node has any. */
  readonly gpus = new GpuLedger();
  /** Who is in which group; empty while no pod is in one. */
  readonly gangs = new GangBook();
  /** Which images the nodes have. */
  readonly images = new ImageBook();
  /** Placed pods that would rather have others beside them or away. */
  readonly seekers = new Seekers();
  /** Which room is reserved; empty while none is. */
  readonly holds = new HoldBook();
  /** Pods that preempted others and wait for their room, by key. */
  readonly nominations = new Map<string, Nomination>();
  /** Uids of the pods that are being deleted to make room, by key, until they have gone. */
  readonly going = new Map<string, string | undefined>();
  readonly budgets = new Map<string, PodDisruptionBudget>();
  /** Where tenants share the cloud: the order in which pods are given is that in which they are planned, and who may be put out is for this to say. */
  tenants: VictimRule | undefined;
  /** How many placed pods have a priority. */
  readonly #priorities = new Map<number, number>();
  readonly #freeRows: number[] = [];
  #staticVersion = 0;

  /** Changes whenever labels, taints, capacity or the set of nodes do: what was worked out of those is void then. */
  get staticVersion(): number {
    return this.#staticVersion;
  }

  /** Zones are numbered below it. */
  get zoneCount(): number {
    return this.#zoneNumbers.size;
  }

  /** How many pods of an owner each row holds, where it holds some. */
  ownedBy(owner: string): ReadonlyMap<number, number> | undefined {
    return this.#owners.get(owner);
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

  rowOf(name: string): number | undefined {
    return this.#rowOf.get(name);
  }

  podsOn(row: number): Iterable<Pod> {
    return this.#podsOn[row]?.values() ?? [];
  }

  portsOn(row: number): readonly HostPortDemand[] {
    return this.#ports[row] ?? [];
  }

  ownedOn(row: number, owner: string): number {
    return this.#owners.get(owner)?.get(row) ?? 0;
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
  placedOn(row: number): Iterable<[string, Pod]> {
    return this.#podsOn[row]?.entries() ?? [];
  }

  get guarding(): ReadonlySet<PlacedPod> {
    return this.#guarding;
  }

  placed(key: string): PlacedPod | undefined {
    return this.#placed.get(key);
  }

  readonly claimUsers = (claimKey: string): number => this.#claimUsers.get(claimKey) ?? 0;

  readonly namespaceLabels: NamespaceLabels = (name) => this.#namespaces.get(name);

  setNamespace({ metadata }: Namespace): void {
    this.#namespaces.set(metadata.name ?? '', metadata.labels ?? {});
  }

  removeNamespace(name: string): void {
    this.#namespaces.delete(name);
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
    this.podsFree[row] = whole.pods - (this.#podsOn[row]?.size ?? 0);
    this.zoneOf[row] = this.#zoneNumber(facts.labels['topology.kubernetes.io/zone'] ?? '');
    this.gpus.setNode(row, facts.labels, allocatable);
    this.images.setNode(row, node.status?.images);
    if (changed) this.#staticVersion++;
    if (before === undefined) this.#takeWaiting(name);
  }

  removeNode(name: string): void {
    const row = this.#rowOf.get(name);
    if (row === undefined) return;
    const pods = this.#podsOn[row] ?? new Map<string, Pod>();
    // Its pods are still there until somebody deletes them; the node may come back.
    for (const [key, pod] of pods) {
      this.#unplace(key);
      this.#wait(name, key, pod);
      this.#countOwned(row, pod, -1);
      const { claims } = amountsOf(pod);
      if (claims !== undefined) this.#countClaims(pod, claims, -1);
      if (pod.spec?.affinity !== undefined) this.seekers.count(pod, row, -1);
    }
    this.#rowOf.delete(name);
    this.#facts[row] = undefined;
    this.#podsOn[row] = new Map();
    this.#ports[row] = [];
    this.#extendedTaken[row] = new Map();
    this.gpus.removeNode(row);
    this.images.removeNode(row);
    this.#freeRows.push(row);
    this.#staticVersion++;
  }

  /** Idempotent; a pod that is there already is replaced. */
  addPod(key: string, pod: Pod, nodeName: string): void {
    const row = this.#rowOf.get(nodeName);
    const there = this.#placed.get(key);
    if (there !== undefined) {
      if (there.row === row && there.pod === pod) return;
      // Most changes are of its status.
      if (there.row === row && takesTheSame(there.pod, pod)) {
        this.#replacePod(key, pod, there);
        return;
      }
      this.#remove(key);
    } else this.#forgetWaiting(key);
    if (!this.holds.isEmpty) this.holds.moved(key, nodeName, this);
    if (row === undefined) {
      this.#wait(nodeName, key, pod);
      return;
    }
    const placed = { key, pod, row };
    this.#placed.set(key, placed);
    this.#countPriority(pod, 1);
    if (pod.spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution !== undefined)
      this.#guarding.add(placed);
    this.#podsOn[row]?.set(key, pod);
    this.#count(row, pod, 1);
    this.#placeGpus(row, key, pod, nodeName);
  }

  #replacePod(key: string, pod: Pod, there: PlacedPod): void {
    const placed = { key, pod, row: there.row };
    if (pod.metadata.annotations !== there.pod.metadata.annotations) {
      this.gpus.remove(there.row, key);
      this.#placeGpus(there.row, key, pod, this.#facts[there.row]?.name ?? '');
    }
    this.#placed.set(key, placed);
    if (this.#guarding.delete(there)) this.#guarding.add(placed);
    this.#podsOn[there.row]?.set(key, pod);
  }

  #placeGpus(row: number, key: string, pod: Pod, nodeName: string): void {
    const { extended } = amountsOf(pod);
    if (pod.metadata.annotations === undefined && extended.size === 0) return;
    const ask = gpuAskOf(pod, extended);
    if (ask !== undefined && !('wrong' in ask)) this.gpus.place(row, key, pod, nodeName, ask);
  }

  removePod(key: string): void {
    this.#remove(key);
    if (!this.holds.isEmpty) this.holds.left(key, this);
  }

  #remove(key: string): void {
    const placed = this.#placed.get(key);
    if (placed === undefined) {
      this.#forgetWaiting(key);
      return;
    }
    this.#unplace(key);
    this.#podsOn[placed.row]?.delete(key);
    this.#count(placed.row, placed.pod, -1);
    this.gpus.remove(placed.row, key);
  }

  #unplace(key: string): void {
    const placed = this.#placed.get(key);
    if (placed !== undefined) {
      this.#guarding.delete(placed);
      this.#countPriority(placed.pod, -1);
    }
    this.#placed.delete(key);
  }

  #countPriority({ spec }: Pod, sign: 1 | -1): void {
    const priority = spec?.priority ?? 0;
    const count = (this.#priorities.get(priority) ?? 0) + sign;
    if (count > 0) this.#priorities.set(priority, count);
    else this.#priorities.delete(priority);
  }

  #count(row: number, pod: Pod, sign: 1 | -1): void {
    const amounts = amountsOf(pod);
    this.cpuFree[row] = (this.cpuFree[row] ?? 0) - sign * amounts.cpuMilli;
    this.memoryFree[row] = (this.memoryFree[row] ?? 0) - sign * amounts.memoryBytes;
    this.ephemeralFree[row] = (this.ephemeralFree[row] ?? 0) - sign * amounts.ephemeralBytes;
    this.podsFree[row] = (this.podsFree[row] ?? 0) - sign;
    if (amounts.cpuUnaskedMilli > 0)
      this.cpuUnasked[row] = (this.cpuUnasked[row] ?? 0) + sign * amounts.cpuUnaskedMilli;
    if (amounts.memoryUnaskedBytes > 0)
      this.memoryUnasked[row] = (this.memoryUnasked[row] ?? 0) + sign * amounts.memoryUnaskedBytes;
    const taken = this.#extendedTaken[row];
    for (const [resource, amount] of amounts.extended)
      taken?.set(resource, (taken.get(resource) ?? 0) + sign * amount);
    this.#countOwned(row, pod, sign);
    if (amounts.claims !== undefined) this.#countClaims(pod, amounts.claims, sign);
    const ports = hostPortsOf(pod);
    if (pod.spec?.affinity !== undefined) this.seekers.count(pod, row, sign);
    if (ports.length > 0) this.#ports[row] = [...(this.#podsOn[row]?.values() ?? [])].flatMap(hostPortsOf);
  }

  #countClaims({ metadata }: Pod, claims: readonly string[], sign: 1 | -1): void {
    for (const name of claims) {
      const key = `${metadata.namespace}/${name}`;
      const count = (this.#claimUsers.get(key) ?? 0) + sign;
      if (count > 0) this.#claimUsers.set(key, count);
      else this.#claimUsers.delete(key);
    }
  }

  #countOwned(row: number, pod: Pod, sign: 1 | -1): void {
    const owner = pod.metadata.ownerReferences?.find((one) => one.controller === true)?.uid;
    if (owner === undefined) return;
    let rows = this.#owners.get(owner);
    if (rows === undefined) {
      rows = new Map();
      this.#owners.set(owner, rows);
    }
    const count = (rows.get(row) ?? 0) + sign;
    if (count > 0) rows.set(row, count);
    else if (rows.delete(row) && rows.size === 0) this.#owners.delete(owner);
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
    for (const pod of this.#podsOn[row]?.values() ?? []) {
      const amounts = amountsOf(pod);
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
    this.cpuUnasked[row] = 0;
    this.memoryUnasked[row] = 0;
    this.#podsOn[row] = new Map();
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

/** By identity: versions share what a write left as it was. */
function takesTheSame(a: Pod, b: Pod): boolean {
  if (a.spec !== b.spec || a.metadata.ownerReferences !== b.metadata.ownerReferences) return false;
  // Seldom other than the spec itself: when one of them is being resized.
  return specInUse(a) === a.spec && specInUse(b) === b.spec;
}
