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
import type { Snapshot } from '../snapshot.ts';
import { type Refusal, refusalOf } from './admission.ts';
import { type Ask, cpuAt, memoryAt, podsAt, Resources, storageAt, type Vector } from './amounts.ts';
import type { QueueNode } from './queue-node.ts';
import { type QueueTree, treeOf } from './queue-tree.ts';

/** What a pod counts for. */
interface Count {
  leaf: QueueNode;
  ask: Ask;
  pod: Pod;
  isPlaced: boolean;
  isLeaving: boolean;
}

/** Which queue a pod is in, by name; undefined: none. */
export type QueueOf = (pod: Pod) => string | undefined;

export class Tenants {
  readonly resources = new Resources();
  #tree: QueueTree = treeOf([], this.resources);
  #queueOf: QueueOf = () => undefined;
  readonly #counts = new Map<string, Count>();
  /** Pods without a place, whoever's they are. */
  readonly #waiting = new Map<string, { leaf: QueueNode; readonly pod: Pod }>();
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
    for (const count of this.#counts.values()) {
      count.leaf = this.leafOf(count.pod);
      count.leaf.count(count.ask, 1);
      if (count.isLeaving) count.leaf.countLeaving(count.ask, 1);
    }
    for (const one of this.#waiting.values()) {
      one.leaf = this.leafOf(one.pod);
      one.leaf.countWaiting(this.askOf(one.pod), 1);
    }
  }

  /** It has no place. For what is told of queues, not for the order. */
  wait(key: string, pod: Pod): void {
    const there = this.#waiting.get(key);
    if (there?.pod === pod) return;
    if (there !== undefined) this.unwait(key);
    const leaf = this.leafOf(pod);
    leaf.countWaiting(this.askOf(pod), 1);
    this.#waiting.set(key, { leaf, pod });
  }

  unwait(key: string): void {
    const there = this.#waiting.get(key);
    if (there === undefined) return;
    this.#waiting.delete(key);
    there.leaf.countWaiting(this.askOf(there.pod), -1);
  }

  clear(): void {
    this.#counts.clear();
    this.#waiting.clear();
    this.setQueues([], () => undefined);
  }

  leafOf(pod: Pod): QueueNode {
    const name = this.#queueOf(pod);
    const node = name === undefined ? undefined : this.#tree.byName.get(name);
    return (node ?? this.#tree.root).leaf;
  }

  askOf(pod: Pod): Ask {
    return this.resources.askOf(pod);
  }

  /** What all nodes have. Worked out when they have changed. */
  measure(snapshot: Snapshot): void {
    if (snapshot.staticVersion === this.#capacityVersion) return;
    this.#capacityVersion = snapshot.staticVersion;
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
  count(key: string, pod: Pod, isPlaced: boolean): void {
    const leaf = this.leafOf(pod);
    const ask = this.askOf(pod);
    const isLeaving = pod.metadata.deletionTimestamp !== undefined;
    const there = this.#counts.get(key);
    if (there === undefined) {
      leaf.count(ask, 1);
      if (isLeaving) leaf.countLeaving(ask, 1);
      this.#counts.set(key, { leaf, ask, pod, isPlaced, isLeaving });
      return;
    }
    there.pod = pod;
    there.isPlaced ||= isPlaced;
    if (there.leaf !== leaf || there.ask !== ask) {
      this.#uncount(there);
      leaf.count(ask, 1);
      if (there.isLeaving) leaf.countLeaving(ask, 1);
      there.leaf = leaf;
      there.ask = ask;
    }
    if (isLeaving) this.leave(key);
  }

  uncount(key: string): void {
    const there = this.#counts.get(key);
    if (there === undefined) return;
    this.#counts.delete(key);
    this.#uncount(there);
  }

  #uncount({ leaf, ask, isLeaving }: Count): void {
    leaf.count(ask, -1);
    if (isLeaving) leaf.countLeaving(ask, -1);
    for (let node: QueueNode | undefined = leaf; node !== undefined; node = node.parent) this.onRoom(node);
  }

  /** It is going, or (`isLeaving` false) it is not, after all. */
  leave(key: string, isLeaving = true): void {
    const there = this.#counts.get(key);
    if (there === undefined || there.isLeaving === isLeaving) return;
    there.isLeaving = isLeaving;
    there.leaf.countLeaving(there.ask, isLeaving ? 1 : -1);
  }
}
