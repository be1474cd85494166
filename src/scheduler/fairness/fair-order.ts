/**
 * Pods that wait, in the order in which tenants take turns: progressive filling, level by level. Pure.
 *
 *   add ─▶ promised (those that go for it are still there) ─▶ front (nominated: their victims are going already)
 *       ─▶ urgent (of the system itself)                                                                        ─▶ take
 *       ─▶ leaf ─▶ units: those that ask the same, or a gang (gang-turn.ts) ────────────────────────────────────┘
 *                      └─ refused by a queue ─▶ blocked, and told so ─▶ room there ─▶ tried again
 *                           └─ there are less important pods in it ─▶ limited (own-victims.ts)
 *
 * What was taken counts as placed until it is settled. When it then finds no place, those that were refused on its account are tried again.
 * A gang is taken as a whole, from all queues in which its members are.
 *
 * Invariants: whoever is blocked is told why, and is tried again when there is room at the queue that refused, not before. What is taken, together with what is
 * placed, is above no limit.
 */
import { type Gang, GangBook } from '../gangs/gang-book.ts';
import { missingNote, nominatedNote } from '../gangs/notes.ts';
import type { WaitingPod } from '../plan.ts';
import { priorityOf } from '../preemption.ts';
import type { PodOrder } from '../queue/part.ts';
import type { Refusal } from './admission.ts';
import type { Ask } from './amounts.ts';
import { Front, type Refused } from './front.ts';
import { countTogether, type GangNeed, stillRefuses } from './gang-turn.ts';
import { LimitedUnits } from './limited-units.ts';
import {
  type Entry,
  entriesOf,
  firstOf,
  type Group,
  type Line,
  newGroup,
  newLine,
  type Unit,
} from './lines.ts';
import type { QueueNode } from './queue-node.ts';
import type { Tenants } from './tenants.ts';

/** From here on up priorities are the system's own. */
export const systemPriorityMin = 2_000_000_000;

export class FairOrder implements PodOrder {
  readonly #tenants: Tenants;
  readonly #isNominated: (key: string) => boolean;
  readonly #gangs: GangBook;
  readonly #front: Front;
  readonly #urgent = new Map<string, WaitingPod>();
  /** Those that name a queue in which they may not be. */
  readonly #strays = new Map<string, Refused>();
  readonly #entries = new Map<string, Entry>();
  #lines = new Map<QueueNode, Line>();
  /** By the key of the gang. */
  readonly #units = new Map<string, Unit>();
  readonly #blocked = new Map<QueueNode, Set<Unit>>();
  /** Blocked by a limit: less important pods of their queues may have to go for them. */
  readonly #limited: LimitedUnits;
  /** Taken, and not settled: it counts, unless that was suspended. */
  readonly #taken = new Map<string, Asking>();
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

  constructor(tenants: Tenants, isNominated: (key: string) => boolean, gangs = new GangBook()) {
    this.#tenants = tenants;
    this.#isNominated = isNominated;
    this.#gangs = gangs;
    this.#front = new Front(tenants, gangs);
    this.#limited = new LimitedUnits(tenants);
    tenants.onRoom = (node) => this.#wake(node);
  }

  /** Those that can be planned, and units of which it has to be found out whether others can go for them. */
  get size(): number {
    return this.#ready + this.#front.size + this.#urgent.size + this.#limited.size;
  }

  /** With those that queues refuse. */
  get all(): number {
    return this.#entries.size + this.#front.all + this.#urgent.size + this.#strays.size;
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

  /** Of several that go together; undefined: it goes by itself. */
  #gangOf(key: string): Gang | undefined {
    const gang = this.#gangs.isEmpty ? undefined : this.#gangs.gangOf(key);
    return (gang?.rule?.minCount ?? 1) > 1 ? gang : undefined;
  }

  add(waiting: WaitingPod): void {
    const { key, pod } = waiting;
    const there = this.#entries.get(key);
    const leaf = this.#tenants.leafOf(pod);
    const ask = this.#tenants.askOf(pod);
    const priority = priorityOf(pod);
    const gang = this.#gangOf(key);
    const of = gang?.key ?? ask;
    if (
      there !== undefined &&
      there.leaf === leaf &&
      there.ask === ask &&
      there.priority === priority &&
      there.group.unit.of === of
    ) {
      there.waiting = waiting;
      this.#lookAgain(there.group.unit, gang);
      return;
    }
    const stray = this.#strays.get(key);
    if (stray !== undefined && stray.message === this.misnamed(pod)) {
      this.#strays.set(key, { waiting, message: stray.message });
      return;
    }
    const promise = this.#front.all === 0 ? undefined : this.#front.promiseOf(key);
    this.delete(key);
    if (this.#tenants.has(key)) {
      // What it is to have is still kept for it; else it has lost its place and begins again.
      if (this.#isNominated(key)) {
        this.#front.add(waiting, promise ?? '');
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
    this.#enter(waiting, { leaf, ask, priority, gang });
  }

  #enter(
    waiting: WaitingPod,
    asks: Asking & { readonly priority: number; readonly gang: Gang | undefined },
  ): void {
    const { leaf, ask, priority, gang } = asks;
    const group = this.#groupOf(leaf, gang?.key ?? ask);
    const createdMs = Date.parse(waiting.pod.metadata.creationTimestamp ?? '') || 0;
    const entry: Entry = { waiting, priority, createdMs, leaf, ask, group, isGone: false, told: '' };
    this.#entries.set(waiting.key, entry);
    const before = firstOf(group);
    group.entries.push(entry);
    group.size++;
    const { unit } = group;
    if (unit.refusal === undefined) {
      this.#ready++;
      if (group.size === 1) leaf.countCandidates(1);
      if (firstOf(group) !== before) group.line.heads.push(entry);
    } else if (gang !== undefined) this.#unblock(unit);
    else if (firstOf(group) !== entry || !this.#limited.add(unit)) {
      this.#tell(entry);
      this.onRefused();
    }
  }

  delete(key: string): WaitingPod | undefined {
    this.settle(key);
    const stray = this.#strays.get(key);
    if (this.#strays.delete(key)) return stray?.waiting;
    const nominated = this.#front.all === 0 ? undefined : this.#front.delete(key);
    if (nominated !== undefined) {
      const unit = this.#units.get(this.#gangOf(key)?.key ?? '');
      if (unit !== undefined) this.#unblock(unit);
      return nominated;
    }
    const waiting = this.#urgent.get(key);
    if (this.#urgent.delete(key)) return waiting;
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#drop(entry);
    const { unit } = entry.group;
    if (typeof unit.of === 'string' && unit.groups.size > 0) this.#unblock(unit);
    return entry.waiting;
  }

  #drop(entry: Entry): void {
    const { group } = entry;
    const { leaf, line, unit } = group;
    const wasFirst = firstOf(group) === entry;
    this.#entries.delete(entry.waiting.key);
    entry.isGone = true;
    group.size--;
    if (unit.refusal === undefined) {
      this.#ready--;
      const first = wasFirst ? firstOf(group) : undefined;
      if (first !== undefined) line.heads.push(first);
    }
    if (group.size > 0) return;
    if (unit.refusal === undefined) leaf.countCandidates(-1);
    unit.groups.delete(group);
    line.groups.delete(unit.of);
    if (line.groups.size === 0) this.#lines.delete(leaf);
    if (unit.groups.size > 0) return;
    this.#forgetBlock(unit);
    if (typeof unit.of === 'string') this.#units.delete(unit.of);
  }

  take(most: number): readonly WaitingPod[] {
    this.beforeTake();
    this.#resume();
    const taken: WaitingPod[] = this.#front.take(most);
    // Others of their gangs are planned with them, as far as they may be.
    for (const gang of new Set(taken.map(({ key }) => this.#gangOf(key)))) {
      const unit = gang && this.#units.get(gang.key);
      if (unit === undefined) continue;
      this.#unblock(unit);
      this.#takeGang(unit, taken);
    }
    for (const [key, waiting] of this.#urgent) {
      if (taken.length >= most) break;
      this.#urgent.delete(key);
      taken.push(waiting);
    }
    while (taken.length < most) {
      const entry = this.#next();
      if (entry === undefined) break;
      const { leaf, ask, group, waiting } = entry;
      if (this.#asksOtherwise(entry)) {
        this.add(waiting);
        continue;
      }
      if (typeof group.unit.of === 'string') {
        this.#takeGang(group.unit, taken);
        continue;
      }
      const refusal = this.#tenants.refusal(leaf, ask);
      if (refusal !== undefined) {
        this.#block(group.unit, refusal);
        continue;
      }
      leaf.count(ask, 1);
      this.#give(entry, taken);
    }
    if (this.#untold.length > 0) this.onRefused();
    return taken;
  }

  /** Others have meanwhile what it shares with them, or have it no more; or its claims are known now. */
  #asksOtherwise({ waiting, ask }: Entry): boolean {
    return waiting.pod.spec?.resourceClaims !== undefined && this.#tenants.askOf(waiting.pod) !== ask;
  }

  /** It is counted already. */
  #give(entry: Entry, taken: WaitingPod[]): void {
    this.#drop(entry);
    this.#taken.set(entry.waiting.key, entry);
    taken.push(entry.waiting);
  }

  /** All that it needs at once, or none. */
  #takeGang(unit: Unit, taken: WaitingPod[]): void {
    const gang = this.#gangs.gang(unit.of as string);
    const entries = entriesOf(unit);
    if ((gang?.rule?.minCount ?? 1) <= 1 || gang === undefined) {
      // It is a gang no more.
      for (const { waiting } of entries) this.add(waiting);
      return;
    }
    const changed = entries.filter((entry) => this.#asksOtherwise(entry));
    for (const { waiting } of changed) this.add(waiting);
    const now = this.#units.get(gang.key);
    if (changed.length > 0) {
      if (now !== undefined) this.#takeGang(now, taken);
      return;
    }
    const turn = this.#turnOf(gang, entries);
    const found = 'refusal' in turn ? turn : countTogether(turn, this.#tenants);
    if ('refusal' in found) {
      unit.stand = standOf(gang, entries.length);
      this.#block(unit, found.refusal);
    } else for (const entry of found.chosen) this.#give(entry, taken);
  }

  #turnOf(gang: Gang, waiting: readonly Entry[]): GangNeed<Entry> | { readonly refusal: Refusal } {
    const { minCount = 1, wasScheduled = false } = gang.rule ?? {};
    let already = 0;
    for (const [key, { status }] of gang.members)
      if (this.#tenants.has(key) || this.#taken.has(key) || status?.phase === 'Succeeded') already++;
    // What comes to one that is at work comes by itself.
    const need = wasScheduled && already > 0 ? 0 : Math.max(0, minCount - already);
    const incomplete = (message: string): { readonly refusal: Refusal } => ({
      refusal: { by: undefined, at: 0, sort: 'incomplete', cause: 'incomplete', message },
    });
    if (this.#front.hasAnyOf(gang)) return incomplete(nominatedNote(gang));
    if (waiting.length < need) return incomplete(missingNote(gang, need - waiting.length));
    return { gang, waiting, need };
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
    const asking = this.#taken.get(key);
    if (asking === undefined) return;
    this.#taken.delete(key);
    if (!this.#isSuspended) asking.leaf.count(asking.ask, -1);
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
    const all = [...this.#urgent.values()];
    for (const some of [this.#strays, this.#entries])
      for (const { waiting } of some.values()) all.push(waiting);
    for (const some of [this.#urgent, this.#strays, this.#entries, this.#units]) some.clear();
    this.#blocked.clear();
    this.#limited.clear();
    this.#lines = new Map();
    this.#ready = 0;
    for (const waiting of all) this.add(waiting);
    for (const key of [...this.#front.keys()]) {
      const promise = this.#front.promiseOf(key);
      const waiting = this.#front.delete(key);
      if (waiting !== undefined) this.#front.add(waiting, promise ?? '');
    }
  }

  /** Why a pod that is here is not planned. */
  refused(key: string): { readonly pod: WaitingPod['pod']; readonly message: string } | undefined {
    const stray = this.#strays.get(key) ?? this.#front.promised(key);
    if (stray !== undefined) return { pod: stray.waiting.pod, message: stray.message };
    const entry = this.#entries.get(key);
    if (entry?.group.unit.refusal === undefined) return undefined;
    const { refusal, why } = entry.group.unit;
    return { pod: entry.waiting.pod, message: messageOf(refusal, why) };
  }

  #groupOf(leaf: QueueNode, of: Ask | string): Group {
    let line = this.#lines.get(leaf);
    if (line === undefined) {
      line = newLine();
      this.#lines.set(leaf, line);
    }
    const group = line.groups.get(of);
    if (group !== undefined) return group;
    let unit = typeof of === 'string' ? this.#units.get(of) : undefined;
    if (unit === undefined) {
      unit = { of, groups: new Set(), refusal: undefined, why: '', stand: '' };
      if (typeof of === 'string') this.#units.set(of, unit);
    }
    return newGroup(leaf, line, unit);
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
        entry.group.unit.refusal === undefined &&
        firstOf(entry.group) === entry
      )
        return entry;
      line.heads.pop();
    }
    return undefined;
  }

  #block(unit: Unit, refusal: Refusal): void {
    unit.refusal = refusal;
    for (const { leaf, size } of unit.groups) {
      this.#ready -= size;
      leaf.countCandidates(-1);
    }
    if (refusal.by !== undefined) {
      const there = this.#blocked.get(refusal.by);
      if (there === undefined) this.#blocked.set(refusal.by, new Set([unit]));
      else there.add(unit);
    }
    if (!this.#limited.add(unit)) this.#tellAll(unit);
  }

  #forgetBlock(unit: Unit): void {
    if (unit.refusal?.by !== undefined) this.#blocked.get(unit.refusal.by)?.delete(unit);
    this.#limited.delete(unit);
  }

  #unblock(unit: Unit): void {
    if (unit.refusal === undefined) return;
    this.#forgetBlock(unit);
    unit.refusal = undefined;
    unit.why = '';
    for (const group of unit.groups) {
      this.#ready += group.size;
      group.leaf.countCandidates(1);
      const first = firstOf(group);
      if (first !== undefined) group.line.heads.push(first);
    }
  }

  /** A member says something new: does the gang stand otherwise than when it was refused? */
  #lookAgain(unit: Unit, gang: Gang | undefined): void {
    if (gang === undefined || unit.refusal === undefined) return;
    if (unit.stand !== standOf(gang, sizeOf(unit))) this.#unblock(unit);
  }

  #tell(entry: Entry): void {
    const { refusal, why } = entry.group.unit;
    if (entry.isGone || refusal === undefined) return;
    const cause = `${refusal.cause} ${why}`;
    if (entry.told === cause || (refusal.sort === 'incomplete' && entry.told !== '')) return;
    entry.told = cause;
    this.#untold.push({ waiting: entry.waiting, message: messageOf(refusal, why) });
  }

  #wake(node: QueueNode): void {
    let woken = this.#front.redeem();
    for (const unit of this.#blocked.get(node) ?? []) {
      if (this.#isStillRefused(unit, node)) continue;
      this.#unblock(unit);
      woken = true;
    }
    if (woken) this.onReady();
  }

  #isStillRefused(unit: Unit, node: QueueNode): boolean {
    const { of, groups, refusal } = unit;
    if (typeof of !== 'string') {
      const [group] = groups;
      const first = group && firstOf(group);
      // What it asks now is found out when it has its turn.
      if (first !== undefined && this.#asksOtherwise(first)) return false;
      return group !== undefined && this.#tenants.refusal(group.leaf, of)?.by === node;
    }
    const gang = this.#gangs.gang(of);
    if (gang === undefined || refusal === undefined || unit.stand !== standOf(gang, sizeOf(unit)))
      return false;
    return !entriesOf(unit).some((one) => this.#asksOtherwise(one)) && stillRefuses(refusal);
  }

  /** Units for which less important pods of their queues may have to go, each once. */
  takeLimited(most: number): readonly LimitedUnit[] {
    const units: LimitedUnit[] = [];
    for (const unit of this.#limited.take(most)) {
      const found = this.#limitedUnit(unit);
      if (found !== undefined) units.push(found);
    }
    return units;
  }

  #limitedUnit(unit: Unit): LimitedUnit | undefined {
    const { refusal } = unit;
    const [group] = unit.groups;
    const first = group && firstOf(group);
    if (refusal === undefined || first === undefined) return undefined;
    const gang = typeof unit.of === 'string' ? this.#gangs.gang(unit.of) : undefined;
    if (gang === undefined) return { unit, refusal, pods: [first], priority: first.priority };
    const entries = entriesOf(unit);
    const turn = this.#turnOf(gang, entries);
    const count = 'need' in turn ? Math.max(1, turn.need) : 1;
    const pods = entries.slice(0, count);
    const least = Math.min(...pods.map((one) => one.priority));
    return { unit, refusal, pods, priority: gang.rule?.priority ?? least };
  }

  /** Others go for them: they have their places as soon as that is done. */
  promise({ unit, pods }: LimitedUnit, message: string): void {
    for (const entry of pods) {
      const { waiting } = entry;
      this.#drop(entry);
      this.#tenants.count(waiting.key, waiting.pod, false, true);
      this.#front.add(waiting, message);
    }
    // There may be more.
    if (unit.refusal !== undefined && unit.groups.size > 0 && !this.#limited.add(unit))
      this.#tellAll(unit, true);
  }

  /** That others of its queue go would not help, or is not needed: it waits. */
  unhelped({ unit }: LimitedUnit, why = ''): void {
    const { refusal } = unit;
    if (refusal === undefined || unit.groups.size === 0) return;
    this.#limited.deny(unit);
    unit.why = why;
    this.#tellAll(unit, true);
  }

  #tellAll({ groups }: Unit, atOnce = false): void {
    for (const { entries } of groups) for (const entry of entries.all) this.#tell(entry);
    if (atOnce && this.#untold.length > 0) this.onRefused();
  }

  /** Is there anybody for whom others might go if something were otherwise? */
  get mayLookForRoom(): boolean {
    return this.#limited.mayChange;
  }

  /** Something is otherwise: what would not have helped may do so now. */
  lookForRoom(most: number): void {
    this.#limited.lookAgain(most);
    if (this.#limited.size > 0) this.onReady();
  }
}

/** What is refused by a limit of the unit's own queue or one above, and may be had when others go. */
export interface LimitedUnit {
  readonly unit: Unit;
  readonly refusal: Refusal;
  /** All of them, or none. */
  readonly pods: readonly Entry[];
  readonly priority: number;
}

interface Asking {
  readonly leaf: QueueNode;
  readonly ask: Ask;
}

const messageOf = ({ message }: Refusal, why: string): string =>
  why === '' ? message : `${message}; ${why}`;

const standOf = ({ rule, members }: Gang, waiting: number): string =>
  `${rule?.minCount} ${rule?.wasScheduled} ${members.size} ${waiting}`;

function sizeOf({ groups }: Unit): number {
  let size = 0;
  for (const group of groups) size += group.size;
  return size;
}
