/**
 * Which nodes reach the volumes that certain claims ask for, kept current by single changes; shared by all pods whose claims ask alike. Pure.
 *
 *   row ─▶ what its labels, its disk and the volumes that are free there say: asked once, and again when one of those changes
 *       └▶ how many volumes it may have: counted when it is asked, where a driver allows only so many
 *
 * Invariant: after `catchUp` each row's answer is what the book says of it now (volume-book.ts).
 */
import type { Pod } from '../../api/index.ts';
import { type Gate, newGateId } from '../engine/gate.ts';
import type { Attachable } from '../volume-limits.ts';
import type { Nodes, ReachedRows } from './reached-rows.ts';
import type { StorageChanges } from './storage-changes.ts';
import { type StorageNode, volumeRefusals } from './storage-node.ts';

/** The nodes, and who is on them. */
export interface StorageGround extends Nodes {
  podsOn(row: number): Iterable<Pod>;
  /** Where the pods are that use a claim. */
  claimRows(claimKey: string): readonly number[];
}

export interface VolumeQuestion {
  /** Only one pod may use a claim of theirs, and one does. */
  readonly isTaken: boolean;
  /** Of claims that may take a volume that is free. */
  readonly classes: ReadonlySet<string>;
  /** To be attached, by drivers that allow only so many. */
  readonly wanted: readonly Attachable[];
  /** What a node says, limits aside. */
  refusals(node: StorageNode): readonly string[];
  isExceeded(node: StorageNode, wanted: readonly Attachable[], pods: Iterable<Pod>): boolean;
}

const turnedMax = 1 << 16;
const taken: readonly string[] = [volumeRefusals.exclusive];
const exceeded: readonly string[] = [volumeRefusals.limit];

export class VolumeGate implements Gate {
  readonly #question: VolumeQuestion;
  readonly #changes: StorageChanges;
  readonly #reached: ReachedRows;
  #ground: StorageGround | undefined;
  /** By row: what was said, and of what facts. */
  #lacks: (readonly string[] | undefined)[] = [];
  #facts: (StorageNode | undefined)[] = [];
  readonly #known = new Map<string, readonly string[]>();
  #seen = 0;
  #staticVersion = -1;
  #wideVersion = -1;
  id = 0;
  turned: number[] = [];

  constructor(question: VolumeQuestion, changes: StorageChanges, reached: ReachedRows) {
    this.#question = question;
    this.#changes = changes;
    this.#reached = reached;
  }

  lacks(row: number): readonly string[] | undefined {
    const { isTaken, wanted, isExceeded } = this.#question;
    if (isTaken) return taken;
    const node = this.#ground?.facts(row);
    if (node === undefined) return undefined;
    if (wanted.length > 0 && isExceeded(node, wanted, this.#ground?.podsOn(row) ?? [])) return exceeded;
    // Its disk is of another size, say.
    if (node !== this.#facts[row]) this.#ask(row, node);
    return this.#lacks[row];
  }

  /** Who goes leaves room among volumes, too. */
  mayEver(): boolean {
    return true;
  }

  catchUp(ground: StorageGround): void {
    const changes = this.#changes;
    this.#ground = ground;
    const isOther =
      this.#staticVersion !== ground.staticVersion ||
      this.#wideVersion !== changes.wideVersion ||
      this.turned.length > turnedMax;
    if (isOther || !changes.reaches(this.#seen)) {
      this.#lookAnew(ground);
      return;
    }
    const { classes, wanted } = this.#question;
    for (; this.#seen < changes.end; this.#seen++) {
      const change = changes.at(this.#seen);
      if (change.kind === 'volume') {
        if (!classes.has(change.className)) continue;
        const rows = this.#reached.of(change.volume, ground);
        for (const row of rows ?? everyRow(ground)) this.#askAgain(row, ground);
      } else if (wanted.length === 0) continue;
      else if (change.kind === 'claim') this.turned.push(...ground.claimRows(change.key));
      else {
        const row = ground.rowOf(change.name);
        if (row !== undefined) this.turned.push(row);
      }
    }
  }

  #lookAnew(ground: StorageGround): void {
    this.#seen = this.#changes.end;
    this.#staticVersion = ground.staticVersion;
    this.#wideVersion = this.#changes.wideVersion;
    this.#lacks = [];
    this.#facts = [];
    this.turned = [];
    this.id = newGateId();
  }

  #askAgain(row: number, ground: StorageGround): void {
    const node = ground.facts(row);
    if (node === undefined || this.#facts[row] === undefined) return;
    const before = this.#lacks[row];
    this.#ask(row, node);
    if (this.#lacks[row] !== before) this.turned.push(row);
  }

  #ask(row: number, node: StorageNode): void {
    const reasons = this.#question.refusals(node);
    this.#facts[row] = node;
    this.#lacks[row] = reasons.length === 0 ? undefined : this.#same(reasons);
  }

  /** The same object for the same reasons. */
  #same(reasons: readonly string[]): readonly string[] {
    const key = reasons.join('\n');
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    this.#known.set(key, reasons);
    return reasons;
  }
}

function* everyRow({ rows }: Nodes): Iterable<number> {
  for (let row = 0; row < rows; row++) yield row;
}
