/**
 * The placed pods, in columns: where each is, and what it is to others. Pure.
 *
 *   pod ─▶ shape: what it takes ─▶ kin: what rules about neighbours see of it (namespace, labels, owner, whether it ends, what it says about others)
 *   slot (a row of the table) ─▶ lists by node and by kin, linked through the columns
 *
 * Pods of one shape share all but their slot. So selectors are asked of kins, of which there are few, and never of pods.
 * Invariant: each slot in use is in the list of its node and in that of its kin; `count` of a kin is the length of its list.
 */
import type { Affinity, Pod } from '../../api/index.ts';
import { sameJson } from '../../lib/index.ts';
import { type Amounts, amountsOf, type HostPortDemand, hostPortsOf } from '../demand.ts';
import { isSettled, ownerOf, sameContainers } from './likeness.ts';
import { RowCounts } from './row-counts.ts';
import { type Stance, Stances } from './stances.ts';

/** Pods that no other pod's rules can tell apart. */
export interface Kin {
  readonly id: number;
  readonly key: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly isEnding: boolean;
  /** They only are to come: others may not count on it. */
  readonly isNominated: boolean;
  /** Of the controller that made them; empty: none. */
  readonly owner: string;
  /** What they say about others; undefined: nothing. */
  readonly stance: Stance | undefined;
  /** How many are placed, and the first of their list. */
  count: number;
  first: number;
  readonly shapes: Map<string, Shape>;
  /** Seen last: the next is like it, as a rule. */
  last: Shape | undefined;
  /** By row, while somebody asks how many of the owner are there. */
  owned: RowCounts | undefined;
}

/** Of a kin, pods that take the same. */
export interface Shape {
  readonly kin: Kin;
  /** Equal for pods that take the same. */
  readonly key: string;
  readonly amounts: Amounts;
  readonly ports: readonly HostPortDemand[];
  readonly priority: number;
  /** Of one of them, to compare others with. */
  readonly spec: Pod['spec'];
}

const none = -1;
const noLabels: Readonly<Record<string, string>> = {};
/** So many owners are counted by row at once. */
const ownedMax = 256;

/** Undefined: it looks at no other pods, and says nothing about them. */
const stanceOf = ({ spec }: Pod): Affinity | undefined => {
  const affinity = spec?.affinity;
  return affinity?.podAffinity === undefined && affinity?.podAntiAffinity === undefined
    ? undefined
    : affinity;
};

export class PodTable {
  readonly stances = new Stances();
  readonly #slots = new Map<string, number>();
  readonly #keys: string[] = [];
  readonly #pods: (Pod | undefined)[] = [];
  readonly #shapes: (Shape | undefined)[] = [];
  #row = new Int32Array(64);
  #nextOnRow = new Int32Array(64);
  #beforeOnRow = new Int32Array(64);
  #nextOfKin = new Int32Array(64);
  #beforeOfKin = new Int32Array(64);
  /** By row. */
  #firstOnRow = new Int32Array(16).fill(none);
  #countOnRow = new Int32Array(16);
  #free = none;
  #used = 0;
  readonly #kins = new Map<string, Kin>();
  readonly #recent = new Map<string, Kin>();
  readonly #byNamespace = new Map<string, Set<Kin>>();
  readonly #byOwner = new Map<string, Set<Kin>>();
  readonly #owned = new Map<string, RowCounts>();
  #askedOwner = '';
  #askedOwned: RowCounts | undefined;
  #kinCount = 0;
  #emptyKins = 0;

  /** How many of them keep certain others away. */
  guardCount = 0;

  get size(): number {
    return this.#slots.size;
  }

  // ── pods ──

  slotOf(key: string): number | undefined {
    return this.#slots.get(key);
  }

  pod(slot: number): Pod {
    return this.#pods[slot] as Pod;
  }

  key(slot: number): string {
    return this.#keys[slot] as string;
  }

  row(slot: number): number {
    return this.#row[slot] as number;
  }

  shape(slot: number): Shape {
    return this.#shapes[slot] as Shape;
  }

  add(key: string, pod: Pod, row: number, shape: Shape): void {
    let slot = this.#free;
    if (slot === none) {
      slot = this.#used++;
      if (slot >= this.#row.length) this.#grow();
    } else this.#free = this.#nextOnRow[slot] as number;
    this.#slots.set(key, slot);
    this.#keys[slot] = key;
    this.#pods[slot] = pod;
    this.#shapes[slot] = shape;
    this.#row[slot] = row;
    const { kin } = shape;
    if (row >= this.#firstOnRow.length) this.#growRows(row);
    const next = this.#firstOnRow[row] as number;
    this.#nextOnRow[slot] = next;
    this.#beforeOnRow[slot] = none;
    if (next !== none) this.#beforeOnRow[next] = slot;
    this.#firstOnRow[row] = slot;
    this.#countOnRow[row] = (this.#countOnRow[row] as number) + 1;
    this.#nextOfKin[slot] = kin.first;
    this.#beforeOfKin[slot] = none;
    if (kin.first !== none) this.#beforeOfKin[kin.first] = slot;
    kin.first = slot;
    if (kin.count++ === 0) this.#emptyKins--;
    if (kin.stance !== undefined && kin.stance.guards.length > 0) this.guardCount++;
    kin.owned?.add(row, 1);
  }

  /** It is still there and takes the same. */
  replace(slot: number, pod: Pod): void {
    this.#pods[slot] = pod;
  }

  remove(slot: number): void {
    const { kin } = this.#shapes[slot] as Shape;
    const row = this.#row[slot] as number;
    this.#slots.delete(this.#keys[slot] as string);
    const [next, before] = [this.#nextOnRow[slot] as number, this.#beforeOnRow[slot] as number];
    if (before === none) this.#firstOnRow[row] = next;
    else this.#nextOnRow[before] = next;
    if (next !== none) this.#beforeOnRow[next] = before;
    this.#countOnRow[row] = (this.#countOnRow[row] as number) - 1;
    const [younger, older] = [this.#nextOfKin[slot] as number, this.#beforeOfKin[slot] as number];
    if (older === none) kin.first = younger;
    else this.#nextOfKin[older] = younger;
    if (younger !== none) this.#beforeOfKin[younger] = older;
    if (--kin.count === 0) this.#emptyKins++;
    if (kin.stance !== undefined && kin.stance.guards.length > 0) this.guardCount--;
    kin.owned?.add(row, -1);
    this.#keys[slot] = '';
    this.#pods[slot] = undefined;
    this.#shapes[slot] = undefined;
    this.#nextOnRow[slot] = this.#free;
    this.#free = slot;
  }

  countOnRow(row: number): number {
    return row < this.#countOnRow.length ? (this.#countOnRow[row] as number) : 0;
  }

  /** -1: there is none. */
  firstOnRow(row: number): number {
    return row < this.#firstOnRow.length ? (this.#firstOnRow[row] as number) : none;
  }

  nextOnRow(slot: number): number {
    return this.#nextOnRow[slot] as number;
  }

  nextOfKin(slot: number): number {
    return this.#nextOfKin[slot] as number;
  }

  /** The youngest first. Taking the one at hand away while going through them is allowed. */
  *slotsOnRow(row: number): Generator<number> {
    for (let slot = this.firstOnRow(row); slot !== none; ) {
      const next = this.#nextOnRow[slot] as number;
      yield slot;
      slot = next;
    }
  }

  // ── kins ──

  /** Empty ones among them. */
  kins(): Iterable<Kin> {
    return this.#kins.values();
  }

  kinsIn(namespace: string): Iterable<Kin> {
    return this.#byNamespace.get(namespace) ?? [];
  }

  kinsOf(owner: string): Iterable<Kin> {
    return this.#byOwner.get(owner) ?? [];
  }

  /** How many pods of an owner a row holds. Kept current for owners that were asked about lately. */
  ownedOn(row: number, owner: string): number {
    if (this.#askedOwned === undefined || owner !== this.#askedOwner) {
      this.#askedOwned = this.#countedBy(owner);
      this.#askedOwner = owner;
    }
    return this.#askedOwned.at(row);
  }

  #countedBy(owner: string): RowCounts {
    let owned = this.#owned.get(owner);
    if (owned !== undefined) return owned;
    if (this.#owned.size >= ownedMax) this.#forgetOwned();
    owned = new RowCounts(this.#firstOnRow.length);
    for (const kin of this.#byOwner.get(owner) ?? []) {
      kin.owned = owned;
      for (let slot = kin.first; slot !== none; slot = this.#nextOfKin[slot] as number)
        owned.add(this.#row[slot] as number, 1);
    }
    this.#owned.set(owner, owned);
    return owned;
  }

  /** What a pod is here. The same object for pods that are alike. */
  shapeOf(pod: Pod, isNominated = false): Shape {
    const kin = this.#kinOf(pod, isNominated);
    const { spec } = pod;
    const { last } = kin;
    if (last !== undefined && isSettled(pod) && takesAlike(spec, last.spec)) return last;
    const amounts = amountsOf(pod);
    const { claims: _, ...taken } = amounts;
    const ports = hostPortsOf(pod);
    const priority = spec?.priority ?? 0;
    const key = JSON.stringify([{ ...taken, extended: [...taken.extended] }, ports, priority]);
    let shape = kin.shapes.get(key);
    if (shape === undefined) {
      shape = { kin, key, amounts: taken, ports, priority, spec };
      kin.shapes.set(key, shape);
    }
    // One that is being resized takes more than its spec says.
    if (isSettled(pod)) kin.last = shape.spec === spec ? shape : { ...shape, spec };
    return shape;
  }

  /** Forgets kins that nobody is of any more. Between plans only: these hold on to them. */
  sweep(): void {
    if (this.#emptyKins <= 1000 + this.#kins.size / 2) return;
    for (const kin of this.#kins.values()) {
      if (kin.count > 0) continue;
      this.#kins.delete(kin.key);
      if (this.#recent.get(kin.owner) === kin) this.#recent.delete(kin.owner);
      kin.stance?.kins.delete(kin);
      dropFrom(this.#byNamespace, kin.namespace, kin);
      dropFrom(this.#byOwner, kin.owner, kin);
    }
    this.#emptyKins = 0;
    for (const owner of this.#owned.keys()) if (!this.#byOwner.has(owner)) this.#forgetOwned();
    this.stances.sweep();
  }

  #kinOf(pod: Pod, isNominated: boolean): Kin {
    const { namespace = '', labels = noLabels, deletionTimestamp } = pod.metadata;
    const owner = ownerOf(pod);
    const isEnding = deletionTimestamp !== undefined;
    const affinity = stanceOf(pod);
    const recent = this.#recent.get(owner);
    if (
      recent !== undefined &&
      !isNominated &&
      recent.isEnding === isEnding &&
      recent.namespace === namespace &&
      sameStance(recent.stance?.affinity, affinity) &&
      sameJson(recent.labels, labels)
    )
      return recent;
    const { podAffinity, podAntiAffinity } = affinity ?? {};
    const text = JSON.stringify([namespace, owner, isEnding, labels, podAffinity, podAntiAffinity]);
    const key = isNominated ? `nominated ${text}` : text;
    let kin = this.#kins.get(key);
    if (kin === undefined) {
      const stance = affinity === undefined ? undefined : this.stances.intern(namespace, affinity);
      kin = {
        id: ++this.#kinCount,
        key,
        namespace,
        labels,
        isEnding,
        isNominated,
        owner,
        stance,
        count: 0,
        first: none,
        shapes: new Map(),
        last: undefined,
        owned: this.#owned.get(owner),
      };
      this.#emptyKins++;
      this.#kins.set(key, kin);
      stance?.kins.add(kin);
      addTo(this.#byNamespace, namespace, kin);
      if (owner !== '') addTo(this.#byOwner, owner, kin);
    }
    if (!isNominated) this.#recent.set(owner, kin);
    return kin;
  }

  #forgetOwned(): void {
    for (const owner of this.#owned.keys())
      for (const kin of this.#byOwner.get(owner) ?? []) kin.owned = undefined;
    this.#owned.clear();
    this.#askedOwned = undefined;
  }

  #grow(): void {
    const larger = (old: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> => {
      const grown = new Int32Array(Math.ceil(old.length * 1.5));
      grown.set(old);
      return grown;
    };
    this.#row = larger(this.#row);
    this.#nextOnRow = larger(this.#nextOnRow);
    this.#beforeOnRow = larger(this.#beforeOnRow);
    this.#nextOfKin = larger(this.#nextOfKin);
    this.#beforeOfKin = larger(this.#beforeOfKin);
  }

  #growRows(row: number): void {
    const length = Math.max(2 * this.#firstOnRow.length, row + 1);
    const first = new Int32Array(length).fill(none);
    first.set(this.#firstOnRow);
    const count = new Int32Array(length);
    count.set(this.#countOnRow);
    this.#firstOnRow = first;
    this.#countOnRow = count;
    this.#forgetOwned();
  }
}

function takesAlike(a: Pod['spec'], b: Pod['spec']): boolean {
  if (a === b) return true;
  return (
    a?.priority === b?.priority &&
    a?.hostNetwork === b?.hostNetwork &&
    sameContainers(a?.containers, b?.containers) &&
    sameContainers(a?.initContainers, b?.initContainers) &&
    sameJson(a?.overhead, b?.overhead) &&
    sameJson(a?.resources, b?.resources)
  );
}

function sameStance(a: Affinity | undefined, b: Affinity | undefined): boolean {
  return (
    a === b || (sameJson(a?.podAffinity, b?.podAffinity) && sameJson(a?.podAntiAffinity, b?.podAntiAffinity))
  );
}

function addTo(lists: Map<string, Set<Kin>>, key: string, kin: Kin): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, new Set([kin]));
  else list.add(kin);
}

function dropFrom(lists: Map<string, Set<Kin>>, key: string, kin: Kin): void {
  const list = lists.get(key);
  if (list?.delete(kin) === true && list.size === 0) lists.delete(key);
}
