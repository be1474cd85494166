/**
 * Pods that wait, in the order in which tenants take turns: progressive filling, level by level. Pure.
 *
 *   add ─▶ front (nominated: their victims are going already)
 *       ─▶ urgent (of the system itself)                            ─▶ take
 *       ─▶ leaf ─▶ groups that ask the same, each by priority and age ─┘
 *                      └─ refused by a queue ─▶ blocked, and told so ─▶ room there ─▶ tried again
 *
 * What was taken counts as placed until it is settled. When it then finds no place, those that were refused on its account are tried again.
 *
 * Invariant: whoever is blocked is told why, and is tried again when there is room at the queue that refused.
 */
import type { WaitingPod } from '../plan.ts';
import { priorityOf } from '../preemption.ts';
import type { PodOrder } from '../queue/part.ts';
import type { Refusal } from './admission.ts';
import type { Ask } from './amounts.ts';
import { Heap } from './heap.ts';
import type { QueueNode } from './queue-node.ts';
import type { Tenants } from './tenants.ts';

/** From here on up priorities are the system's own. */
export const systemPriorityMin = 2_000_000_000;

interface Entry {
  waiting: WaitingPod;
  readonly priority: number;
  readonly createdMs: number;
  readonly group: Group;
  isGone: boolean;
  /** The cause of the refusal that it was told last. */
  told: string;
}

/** Pods of one queue that ask the same. */
interface Group {
  readonly leaf: QueueNode;
  readonly line: Line;
  readonly ask: Ask;
  readonly entries: Heap<Entry>;
  size: number;
  /** Why none of them can be planned now. */
  refusal: Refusal | undefined;
}

/** What waits in one leaf. */
interface Line {
  readonly groups: Map<Ask, Group>;
  /** The first of each group that is not blocked; those that are not first any more are passed over. */
  readonly heads: Heap<Entry>;
}

export interface Refused {
  readonly waiting: WaitingPod;
  readonly message: string;
}

export class FairOrder implements PodOrder {
  readonly #tenants: Tenants;
  readonly #isNominated: (key: string) => boolean;
  readonly #front = new Map<string, WaitingPod>();
  readonly #urgent = new Map<string, WaitingPod>();
  /** Those that name a queue in which they may not be. */
  readonly #strays = new Map<string, Refused>();
  readonly #entries = new Map<string, Entry>();
  #lines = new Map<QueueNode, Line>();
  readonly #blocked = new Map<QueueNode, Set<Group>>();
  /** Taken, and not settled: it counts, unless that was suspended. */
  readonly #taken = new Map<string, Group>();
  #isSuspended = false;
  #ready = 0;
  /** Whom nobody has told yet why they are not planned. */
  #untold: Refused[] = [];
  /** Some are refused who have not been told. */
  onRefused: () => void = () => {};
  /** Why it cannot be in the queue that it names. */
  misnamed: (pod: WaitingPod['pod']) => string | undefined = () => undefined;
  /** Before turns are taken: what the cloud has may have changed. */
  beforeTake: () => void = () => {};
  /** Pods that were blocked can be tried again. */
  onReady: () => void = () => {};

  constructor(tenants: Tenants, isNominated: (key: string) => boolean) {
    this.#tenants = tenants;
    this.#isNominated = isNominated;
    tenants.onRoom = (node) => this.#wake(node);
  }

  /** Those that can be planned. */
  get size(): number {
    return this.#ready + this.#front.size + this.#urgent.size;
  }

  /** With those that queues refuse. */
  get all(): number {
    return this.#entries.size + this.#front.size + this.#urgent.size + this.#strays.size;
  }

  has(key: string): boolean {
    return [this.#entries, this.#front, this.#urgent, this.#strays].some((some) => some.has(key));
  }

  *keys(): Iterable<string> {
    yield* this.#front.keys();
    yield* this.#urgent.keys();
    yield* this.#strays.keys();
    yield* this.#entries.keys();
  }

  add(waiting: WaitingPod): void {
    const { key, pod } = waiting;
    const there = this.#entries.get(key);
    const leaf = this.#tenants.leafOf(pod);
    const ask = this.#tenants.askOf(pod);
    const priority = priorityOf(pod);
    if (
      there !== undefined &&
      there.group.leaf === leaf &&
      there.group.ask === ask &&
      there.priority === priority
    ) {
      there.waiting = waiting;
      return;
    }
    const stray = this.#strays.get(key);
    if (stray !== undefined && stray.message === this.misnamed(pod)) {
      this.#strays.set(key, { waiting, message: stray.message });
      return;
    }
    this.delete(key);
    if (this.#tenants.has(key)) {
      // What it is to have is still kept for it; else it has lost its place and begins again.
      if (this.#isNominated(key)) {
        this.#front.set(key, waiting);
        return;
      }
      this.#tenants.uncount(key);
    }
    const message = this.misnamed(pod);
    if (message !== undefined) {
      this.#strays.set(key, { waiting, message });
      this.#untold.push({ waiting, message });
      this.onRefused();
      return;
    }
    if (leaf.queue.parent === undefined && priority >= systemPriorityMin) {
      this.#urgent.set(key, waiting);
      return;
    }
    const group = this.#groupOf(leaf, ask);
    const createdMs = Date.parse(pod.metadata.creationTimestamp ?? '') || 0;
    const entry: Entry = { waiting, priority, createdMs, group, isGone: false, told: '' };
    this.#entries.set(key, entry);
    const before = firstOf(group);
    group.entries.push(entry);
    group.size++;
    if (group.refusal !== undefined) {
      this.#tell(entry, group.refusal);
      this.onRefused();
    } else {
      this.#ready++;
      if (group.size === 1) leaf.countCandidates(1);
      if (firstOf(group) !== before) group.line.heads.push(entry);
    }
  }

  delete(key: string): WaitingPod | undefined {
    this.settle(key);
    const stray = this.#strays.get(key);
    if (this.#strays.delete(key)) return stray?.waiting;
    for (const some of [this.#front, this.#urgent]) {
      const waiting = some.get(key);
      if (waiting === undefined) continue;
      some.delete(key);
      return waiting;
    }
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#drop(entry);
    return entry.waiting;
  }

  #drop(entry: Entry): void {
    const { group } = entry;
    const wasFirst = firstOf(group) === entry;
    this.#entries.delete(entry.waiting.key);
    entry.isGone = true;
    group.size--;
    if (group.refusal === undefined) {
      this.#ready--;
      const first = wasFirst ? firstOf(group) : undefined;
      if (first !== undefined) group.line.heads.push(first);
    }
    if (group.size > 0) return;
    if (group.refusal === undefined) group.leaf.countCandidates(-1);
    else this.#blocked.get(group.refusal.by)?.delete(group);
    group.line.groups.delete(group.ask);
    if (group.line.groups.size === 0) this.#lines.delete(group.leaf);
  }

  take(most: number): readonly WaitingPod[] {
    this.beforeTake();
    const taken: WaitingPod[] = [];
    for (const some of [this.#front, this.#urgent])
      for (const [key, waiting] of some) {
        if (taken.length >= most) break;
        some.delete(key);
        taken.push(waiting);
      }
    this.#resume();
    while (taken.length < most) {
      const entry = this.#next();
      if (entry === undefined) break;
      const { leaf, ask } = entry.group;
      const refusal = this.#tenants.refusal(leaf, ask);
      if (refusal !== undefined) {
        this.#block(entry.group, refusal);
        continue;
      }
      this.#drop(entry);
      leaf.count(ask, 1);
      this.#taken.set(entry.waiting.key, entry.group);
      taken.push(entry.waiting);
    }
    if (this.#untold.length > 0) this.onRefused();
    return taken;
  }

  /** Until the next `take`, what was taken counts for nothing: for who asks in the order in which it is planned. */
  suspend(): void {
    if (this.#isSuspended) return;
    this.#isSuspended = true;
    for (const { leaf, ask } of this.#taken.values()) leaf.count(ask, -1);
  }

  #resume(): void {
    if (!this.#isSuspended) return;
    this.#isSuspended = false;
    for (const { leaf, ask } of this.#taken.values()) leaf.count(ask, 1);
  }

  /** It is known what became of it. From now on it counts for what `Tenants` says. */
  settle(key: string): void {
    const group = this.#taken.get(key);
    if (group === undefined) return;
    this.#taken.delete(key);
    if (!this.#isSuspended) group.leaf.count(group.ask, -1);
  }

  /** Who is to be told why they are not planned, since this was asked last. */
  takeUntold(): readonly Refused[] {
    const untold = this.#untold;
    this.#untold = [];
    return untold;
  }

  /** One of this leaf found no place: what was counted for it is free for those after it. */
  returned(leaf: QueueNode): void {
    for (let node: QueueNode | undefined = leaf; node !== undefined; node = node.parent) this.#wake(node);
  }

  /** The tree is another one: everybody finds their place anew. */
  rebuild(): void {
    this.#taken.clear();
    const all = [...this.#front.values(), ...this.#urgent.values()];
    for (const some of [this.#strays, this.#entries])
      for (const { waiting } of some.values()) all.push(waiting);
    for (const some of [this.#front, this.#urgent, this.#strays, this.#entries, this.#blocked]) some.clear();
    this.#lines = new Map();
    this.#ready = 0;
    for (const waiting of all) this.add(waiting);
  }

  /** Why a pod that is here is not planned. */
  refused(key: string): { readonly pod: WaitingPod['pod']; readonly message: string } | undefined {
    const stray = this.#strays.get(key);
    if (stray !== undefined) return { pod: stray.waiting.pod, message: stray.message };
    const entry = this.#entries.get(key);
    const refusal = entry?.group.refusal;
    return entry && refusal && { pod: entry.waiting.pod, message: refusal.message };
  }

  #groupOf(leaf: QueueNode, ask: Ask): Group {
    let line = this.#lines.get(leaf);
    if (line === undefined) {
      line = { groups: new Map(), heads: new Heap(isBefore) };
      this.#lines.set(leaf, line);
    }
    let group = line.groups.get(ask);
    if (group === undefined) {
      group = { leaf, line, ask, entries: new Heap(isBefore), size: 0, refusal: undefined };
      line.groups.set(ask, group);
    }
    return group;
  }

  #next(): Entry | undefined {
    let node: QueueNode | undefined = this.#tenants.tree.root;
    while (node !== undefined && !node.isLeaf) node = node.next(this.#tenants.capacity);
    const line = node === undefined ? undefined : this.#lines.get(node);
    while (line !== undefined && line.heads.size > 0) {
      const entry = line.heads.first;
      if (
        entry !== undefined &&
        !entry.isGone &&
        entry.group.refusal === undefined &&
        firstOf(entry.group) === entry
      )
        return entry;
      line.heads.pop();
    }
    return undefined;
  }

  #block(group: Group, refusal: Refusal): void {
    group.refusal = refusal;
    this.#ready -= group.size;
    group.leaf.countCandidates(-1);
    let there = this.#blocked.get(refusal.by);
    if (there === undefined) {
      there = new Set();
      this.#blocked.set(refusal.by, there);
    }
    there.add(group);
    for (const entry of group.entries.all) this.#tell(entry, refusal);
  }

  #tell(entry: Entry, { cause, message }: Refusal): void {
    if (entry.isGone || entry.told === cause) return;
    entry.told = cause;
    this.#untold.push({ waiting: entry.waiting, message });
  }

  #wake(node: QueueNode): void {
    const groups = this.#blocked.get(node);
    if (groups === undefined || groups.size === 0) return;
    let woken = false;
    for (const group of groups) {
      if (this.#tenants.refusal(group.leaf, group.ask)?.by === node) continue;
      groups.delete(group);
      group.refusal = undefined;
      this.#ready += group.size;
      group.leaf.countCandidates(1);
      const first = firstOf(group);
      if (first !== undefined) group.line.heads.push(first);
      woken = true;
    }
    if (woken) this.onReady();
  }
}

function firstOf({ entries }: Group): Entry | undefined {
  while (entries.first?.isGone === true) entries.pop();
  return entries.first;
}

/** Higher priority first, then older, then by name. */
function isBefore(a: Entry, b: Entry): boolean {
  if (a.priority !== b.priority) return a.priority > b.priority;
  if (a.createdMs !== b.createdMs) return a.createdMs < b.createdMs;
  return a.waiting.key < b.waiting.key;
}
