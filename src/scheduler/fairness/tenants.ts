/**
 * Who has what, by queue: the tree, what each pod that has a place counts for, and what the cloud has. Pure.
 *
 *   queues ─▶ tree ─┐
 *   pods placed ────┼─▶ used, leaving ─▶ refusals (admission), shares (queue-node), victims (reclaim)
 *   nodes ──────────┘
 *
 * Invariant: what a queue has is what its pods ask for that are placed, or are to be: bound by us, or nominated for a node that others are leaving.
 */
import type { Pod, Queue } from '../../api/index.ts';
import { wholeMilli } from '../devices/gpu-ask.ts';
import { priorityOf } from '../preemption.ts';
import type { Snapshot } from '../snapshot.ts';
import { isWithinLimits, type Refusal, refusalOf } from './admission.ts';
import { type Ask, cpuAt, memoryAt, podsAt, Resources, storageAt, type Vector } from './amounts.ts';
import { DeviceShares, devicesName } from './device-shares.ts';
import type { QueueNode } from './queue-node.ts';
import { type QueueTree, treeOf } from './queue-tree.ts';

/** What a pod counts for. */
interface Count {
  leaf: QueueNode;
  ask: Ask;
  pod: Pod;
  isPlaced: boolean;
  isLeaving: boolean;
  /** It has its place when others of its queue have gone, which is at its limit. */
  isPromised: boolean;
}

/** Which queue a pod is in, by name; undefined: none. */
export type QueueOf = (pod: Pod) => string | undefined;

export class Tenants {
  readonly resources = new Resources();
  #tree: QueueTree = treeOf([], this.resources);
  #queueOf: QueueOf = () => undefined;
  readonly #counts = new Map<string, Count>();
  /** The same, by leaf, and how many there are of each priority. From the first time on that somebody asks, which a limit makes him do. */
  #lodgers: Map<QueueNode, Lodgers> | undefined;
  readonly #leaving = new Set<string>();
  /** Pods without a place, whoever's they are. */
  readonly #waiting = new Map<string, { leaf: QueueNode; ask: Ask; readonly pod: Pod }>();
  /** Devices that they claim. */
  readonly devices = new DeviceShares();
  #devicesByClass: ReadonlyMap<string, number> | undefined;
  #capacity: number[] = [];
  #capacityVersion = -1;
  /** Room has come about at this queue, and so at all below it. */
  onRoom: (at: QueueNode) => void = () => {};

  get tree(): QueueTree {
    return this.#tree;
  }

  get capacity(): Vector {
    return this.#capacity;
  }

  /** The queues as they are now; what pods count for is counted anew. */
  setQueues(queues: Iterable<Queue>, queueOf: QueueOf): void {
    this.#tree = treeOf(queues, this.resources);
    this.#queueOf = queueOf;
    this.#lodgers = undefined;
    for (const [key, count] of this.#counts) {
      count.leaf = this.leafOf(count.pod);
      this.#enter(key, count);
    }
    for (const one of this.#waiting.values()) {
      one.leaf = this.leafOf(one.pod);
      one.leaf.countWaiting(one.ask, 1);
    }
  }

  /** It has no place. For what is told of queues, not for the order. */
  wait(key: string, pod: Pod): void {
    const there = this.#waiting.get(key);
    if (there?.pod === pod) return;
    if (there !== undefined) this.unwait(key);
    const leaf = this.leafOf(pod);
    const ask = this.askOf(pod);
    leaf.countWaiting(ask, 1);
    this.#waiting.set(key, { leaf, ask, pod });
  }

  unwait(key: string): void {
    const there = this.#waiting.get(key);
    if (there === undefined) return;
    this.#waiting.delete(key);
    there.leaf.countWaiting(there.ask, -1);
  }

  clear(): void {
    this.#counts.clear();
    this.#leaving.clear();
    this.#waiting.clear();
    this.devices.clear();
    this.setQueues([], () => undefined);
  }

  leafOf(pod: Pod): QueueNode {
    const name = this.#queueOf(pod);
    const node = name === undefined ? undefined : this.#tree.byName.get(name);
    return (node ?? this.#tree.root).leaf;
  }

  askOf(pod: Pod): Ask {
    const ask = this.resources.askOf(pod);
    return pod.spec?.resourceClaims === undefined ? ask : this.resources.withMore(ask, this.devices.of(pod));
  }

  /** What all nodes have. Worked out when they have changed. */
  measure(snapshot: Snapshot): void {
    const devices = snapshot.deviceClaims.devicesByClass();
    if (snapshot.staticVersion === this.#capacityVersion && devices === this.#devicesByClass) return;
    this.#capacityVersion = snapshot.staticVersion;
    this.#devicesByClass = devices;
    const capacity: number[] = [];
    const add = (at: number, amount: number): void => {
      capacity[at] = (capacity[at] ?? 0) + amount;
    };
    for (let row = 0; row < snapshot.rows; row++) {
      const facts = snapshot.facts(row);
      if (facts === undefined) continue;
      add(cpuAt, snapshot.cpuWhole[row] ?? 0);
      add(memoryAt, snapshot.memoryWhole[row] ?? 0);
      add(storageAt, Number.isFinite(facts.storageBytes) ? facts.storageBytes : 0);
      for (const [name, amount] of facts.extended) add(this.resources.at(name), amount);
      const gpus = snapshot.gpus.pool(row)?.count ?? 0;
      if (gpus > 0) add(this.resources.gpusAt, gpus * wholeMilli);
    }
    for (const [name, count] of devices) add(this.resources.at(devicesName(name)), count);
    capacity[podsAt] = Number.POSITIVE_INFINITY;
    this.setCapacity(capacity);
  }

  setCapacity(capacity: number[]): void {
    this.#capacity = capacity;
    this.#tree.root.forgetStanding();
    this.onRoom(this.#tree.root);
  }

  refusal(leaf: QueueNode, ask: Ask): Refusal | undefined {
    return refusalOf(leaf, ask, this.#capacity, this.resources);
  }

  has(key: string): boolean {
    return this.#counts.has(key);
  }

  countOf(key: string): Readonly<Count> | undefined {
    return this.#counts.get(key);
  }

  get counts(): ReadonlyMap<string, Readonly<Count>> {
    return this.#counts;
  }

  /** It is to have a place, or has one. Idempotent. */
  count(key: string, pod: Pod, isPlaced: boolean, isPromised = false): void {
    const leaf = this.leafOf(pod);
    const ask = this.askOf(pod);
    const isLeaving = pod.metadata.deletionTimestamp !== undefined;
    const there = this.#counts.get(key);
    if (there === undefined) {
      const count: Count = { leaf, ask, pod, isPlaced, isLeaving, isPromised };
      this.#counts.set(key, count);
      this.#enter(key, count);
      if (this.devices.enter(pod)) this.#roomFrom(leaf);
      return;
    }
    if (this.devices.enter(pod)) this.#roomFrom(leaf);
    if (there.leaf !== leaf || there.ask !== ask || priorityOf(there.pod) !== priorityOf(pod)) {
      this.#leave(key, there);
      there.leaf = leaf;
      there.ask = ask;
      there.pod = pod;
      this.#enter(key, there);
    } else there.pod = pod;
    there.isPlaced ||= isPlaced;
    if (isPlaced) this.#fulfil(there);
    if (isLeaving) this.leave(key);
  }

  uncount(key: string): void {
    const there = this.#counts.get(key);
    if (there === undefined) return;
    this.#counts.delete(key);
    this.#leave(key, there);
    for (const heir of this.devices.leave(there.pod)) this.#recount(heir);
    this.#roomFrom(there.leaf);
  }

  #roomFrom(leaf: QueueNode): void {
    for (let node: QueueNode | undefined = leaf; node !== undefined; node = node.parent) this.onRoom(node);
  }

  /** It counts for something else now. */
  #recount(key: string): void {
    const there = this.#counts.get(key);
    if (there !== undefined) this.count(key, there.pod, there.isPlaced);
  }

  /** Claims may be known now that were not. */
  recountClaims(): void {
    for (const key of [...this.devices.unknown]) this.#recount(key);
  }

  #enter(key: string, { leaf, ask, pod, isLeaving, isPromised }: Count): void {
    leaf.count(ask, 1);
    if (isLeaving) leaf.countLeaving(ask, 1);
    if (isLeaving) this.#leaving.add(key);
    if (isPromised) leaf.countPromised(ask, 1);
    if (this.#lodgers !== undefined) lodge(this.#lodgers, leaf, key, pod);
  }

  #leave(key: string, { leaf, ask, pod, isLeaving, isPromised }: Count): void {
    leaf.count(ask, -1);
    if (isLeaving) leaf.countLeaving(ask, -1);
    if (isLeaving) this.#leaving.delete(key);
    if (isPromised) leaf.countPromised(ask, -1);
    const lodgers = this.#lodgers?.get(leaf);
    if (lodgers === undefined) return;
    lodgers.keys.delete(key);
    const priority = priorityOf(pod);
    const left = (lodgers.ranks.get(priority) ?? 0) - 1;
    if (left > 0) lodgers.ranks.set(priority, left);
    else lodgers.ranks.delete(priority);
  }

  /** It is going, or (`isLeaving` false) it is not, after all. */
  leave(key: string, isLeaving = true): void {
    const there = this.#counts.get(key);
    if (there === undefined || there.isLeaving === isLeaving) return;
    there.isLeaving = isLeaving;
    there.leaf.countLeaving(there.ask, isLeaving ? 1 : -1);
    if (isLeaving) this.#leaving.add(key);
    else this.#leaving.delete(key);
  }

  /** Those that are going, wherever they are. */
  get leaving(): ReadonlySet<string> {
    return this.#leaving;
  }

  /** Those that have a place in this leaf. */
  lodgersOf(leaf: QueueNode): ReadonlySet<string> {
    return this.#allLodgers().get(leaf)?.keys ?? nobody;
  }

  #allLodgers(): Map<QueueNode, Lodgers> {
    if (this.#lodgers === undefined) {
      this.#lodgers = new Map();
      for (const [key, { leaf, pod }] of this.#counts) lodge(this.#lodgers, leaf, key, pod);
    }
    return this.#lodgers;
  }

  /** Does anybody there have less priority? */
  hasBelow(leaf: QueueNode, priority: number): boolean {
    for (const rank of this.#allLodgers().get(leaf)?.ranks.keys() ?? []) if (rank < priority) return true;
    return false;
  }

  /** What it was promised it may have now. False: those that go for it are still there. */
  redeem(key: string): boolean {
    const there = this.#counts.get(key);
    if (there?.isPromised !== true) return true;
    if (!isWithinLimits(there.leaf, there.ask)) return false;
    this.#fulfil(there);
    return true;
  }

  /** It waits for the others of its gang, who cannot have theirs. */
  promiseAgain(key: string): void {
    const there = this.#counts.get(key);
    if (there === undefined || there.isPromised) return;
    there.isPromised = true;
    there.leaf.countPromised(there.ask, 1);
  }

  #fulfil(there: Count): void {
    if (!there.isPromised) return;
    there.isPromised = false;
    there.leaf.countPromised(there.ask, -1);
  }
}

/** Who has a place in a leaf. */
interface Lodgers {
  readonly keys: Set<string>;
  readonly ranks: Map<number, number>;
}

function lodge(all: Map<QueueNode, Lodgers>, leaf: QueueNode, key: string, pod: Pod): void {
  let lodgers = all.get(leaf);
  if (lodgers === undefined) {
    lodgers = { keys: new Set(), ranks: new Map() };
    all.set(leaf, lodgers);
  }
  lodgers.keys.add(key);
  const priority = priorityOf(pod);
  lodgers.ranks.set(priority, (lodgers.ranks.get(priority) ?? 0) + 1);
}

const nobody: ReadonlySet<string> = new Set();
