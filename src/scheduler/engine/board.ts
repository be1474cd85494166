/**
 * All nodes that could take pods that ask the same, sorted so that the best is found without looking at the others. Pure. Kept from plan to plan: what has
 * happened meanwhile is read from the snapshot's log.
 *
 *   suitable row ─▶ has room? ─no─▶ counted by what lacks
 *                     └─yes─▶ bucket: rows that no rule tells apart (same zone, same counts on the node itself, same worth of labels), best score on top
 *   pick: each bucket is judged once ─▶ the best top of those that are not refused
 *
 * Rules about other pods speak of topology values. A value of many nodes (a zone) is the same for all rows of a bucket; of one that a single node has (a host
 * name) the count is part of what makes the bucket. So a placement moves one row, and judging costs as much as there are buckets, however many nodes.
 *
 * Invariant: after `sync` each suitable row is in its bucket or counted as lacking, and scores are those of the snapshot.
 */
import type { Demand } from '../demand.ts';
import { hasRoom, isLargeEnough, portsRefusal, refusals, roomRefusals } from '../filters.ts';
import { unresolvable } from '../fit.ts';
import type { Scoring } from '../scorer.ts';
import type { Snapshot } from '../snapshot.ts';
import type { Suitable } from '../suitable.ts';
import { type Cell, type CellMap, cellsOf } from './cells.ts';
import { type Contender, Contest, missing, type Pick } from './contest.ts';
import type { Few, Gate } from './gate.ts';
import { Lacks } from './lacks.ts';
import { RowHeap } from './row-heap.ts';
import { Rules } from './rules.ts';
import type { Stance } from './stances.ts';
import type { Tally } from './tally.ts';
import type { ValueColumn } from './value-column.ts';
import { VictimBook } from './victim-book.ts';

interface Bucket extends Contender {
  readonly heap: RowHeap;
  reason: string | undefined;
}

/** Of a pod that comes into question for a few rows only. */
export interface FewPick {
  readonly pick: Pick;
  readonly refused: ReadonlyMap<string, number>;
}

/** What rules about other pods say. */
const ruleReasons: readonly string[] = [
  refusals.spreadLabel,
  refusals.spread,
  refusals.podAffinity,
  refusals.podAntiAffinity,
  refusals.existingAntiAffinity,
];
const unsuitable = -2;
const lacking = -1;
/** From so many on it is built anew when most of them are empty. */
const bucketsMax = 256;
/** For so many priorities. */
const victimBooksMax = 4;
const noFine: readonly number[] = [];
const noJudgement = { reason: undefined, spread: 0, attraction: 0 };

export class Board {
  readonly rules: Rules;
  readonly #snapshot: Snapshot;
  readonly #suitable: Suitable;
  /** Of pods with claims: which rows have what they ask for. */
  readonly #gates: readonly Gate[];
  /** By gate: how far its turns were read, and of which look. */
  readonly #gatesSeen: number[];
  readonly #gateIds: number[];
  readonly #contest: Contest;
  readonly #version: number;
  readonly #spaces: number;
  #demand: Demand;
  #scoring: Scoring;
  #seen: number;
  /** By row. */
  readonly #bucketOf: Int32Array;
  readonly #scores: Float64Array;
  readonly #fixed: Float64Array;
  readonly #cellOf: Int32Array;
  readonly #at: Int32Array;
  readonly #cells: readonly Cell[];
  readonly #buckets: Bucket[] = [];
  /** Without fine tallies: by cell; else by cell and counts. */
  readonly #plainBuckets: number[] = [];
  readonly #fineBuckets = new Map<number | string, number>();
  readonly #coarse = new Map<Tally, number>();
  readonly #fine: Tally[] = [];
  readonly #fineAt = new Map<Tally, number>();
  readonly #lacks: Lacks;
  #refused: ReadonlyMap<string, number> | undefined;
  #refusedVersion = 0;
  readonly #reasonCounts = new Int32Array(ruleReasons.length);
  readonly #reasonsBefore = new Int32Array(ruleReasons.length);
  readonly #open: Bucket[] = [];
  /** By priority. */
  readonly #victims = new Map<number, VictimBook>();
  readonly #hasRules: boolean;
  readonly #isPlain: boolean;
  #isBuilding = true;

  constructor(
    snapshot: Snapshot,
    demand: Demand,
    scoring: Scoring,
    suitable: Suitable,
    stances: readonly Stance[],
    like: Board | undefined,
    gates: readonly Gate[] = [],
    isCareful = false,
  ) {
    this.#snapshot = snapshot;
    this.#gates = gates;
    this.#gatesSeen = gates.map(({ turned }) => turned.length);
    this.#gateIds = gates.map(({ id }) => id);
    this.#demand = demand;
    this.#scoring = scoring;
    this.#suitable = suitable;
    this.#version = snapshot.staticVersion;
    this.#spaces = snapshot.spacesVersion;
    this.#seen = snapshot.log.end;
    const { rows } = snapshot;
    this.#bucketOf = new Int32Array(rows).fill(unsuitable);
    this.#scores = new Float64Array(rows);
    this.#fixed = new Float64Array(rows);
    this.#lacks = new Lacks(rows);
    this.#at = new Int32Array(rows);
    this.rules = new Rules(snapshot, demand, stances, isCareful);
    this.#hasRules = this.rules.tallies.length > 0;
    this.#isPlain = !this.#hasRules && this.rules.isIndifferent && suitable.relative.length === 0;
    const { cellOf, cells } = this.#makeCells();
    this.#contest = new Contest({
      rules: this.rules,
      suitable,
      scores: this.#scores,
      coarse: this.#coarse,
      fineAt: this.#fineAt,
    });
    this.#cellOf = cellOf;
    this.#cells = cells;
    const lender = like?.canLend(suitable, demand) === true ? like : undefined;
    if (lender !== undefined && lender.#cellOf === cellOf && lender.#fine.length === this.#fine.length)
      this.#copy(lender);
    else {
      if (lender !== undefined) this.#borrow(lender);
      else this.#sort();
      this.#isBuilding = false;
      for (const { heap } of this.#buckets) heap.order();
    }
    if (like !== undefined) this.#rescoreOwned(like.#demand.owner, demand.owner);
  }

  /** Whether what it knows of room and scores holds for another board of the same amounts. */
  canLend(suitable: Suitable, { owner }: Demand): boolean {
    return this.#suitable === suitable && this.isCurrent && (this.#demand.owner === '') === (owner === '');
  }

  #sort(): void {
    const { rows, fixed } = this.#suitable;
    for (let at = 0; at < rows.length; at++) {
      const row = rows[at] as number;
      this.#fixed[row] = fixed[at] as number;
      this.#bucketOf[row] = lacking;
      this.#refresh(row);
    }
  }

  /** Scores and what lacks, of a board that asks for the same room; only the owner may be another. */
  #borrowRoom(like: Board): void {
    like.sync();
    this.#scores.set(like.#scores);
    this.#fixed.set(like.#fixed);
    this.#lacks.copy(like.#lacks);
  }

  /** Its buckets too, which are made of the same cells: only rows whose own counts differ go into others. */
  #copy(like: Board): void {
    this.#borrowRoom(like);
    this.#bucketOf.set(like.#bucketOf);
    this.#at.set(like.#at);
    for (const { cell, fine, heap } of like.#buckets)
      this.#buckets.push({ ...noJudgement, cell, fine, heap: heap.copied(this.#scores, this.#at) });
    for (const number of like.#plainBuckets) this.#plainBuckets.push(number);
    for (const [key, number] of like.#fineBuckets) this.#fineBuckets.set(key, number);
    this.#isBuilding = false;
    if (this.#fine.length > 0)
      for (const row of this.#suitable.rows) if (!this.#isInPlace(row)) this.#refresh(row);
  }

  #isInPlace(row: number): boolean {
    const number = this.#bucketOf[row] as number;
    if (number < 0) return true;
    const { fine } = this.#buckets[number] as Bucket;
    for (let at = 0; at < fine.length; at++)
      if (fine[at] !== this.#fineCount(this.#fine[at] as Tally, row)) return false;
    return true;
  }

  #borrow(like: Board): void {
    this.#borrowRoom(like);
    for (const row of this.#suitable.rows) {
      if (like.#bucketOf[row] === lacking) {
        this.#bucketOf[row] = lacking;
        continue;
      }
      const number = this.#bucketFor(row);
      this.#bucketOf[row] = number;
      (this.#buckets[number] as Bucket).heap.append(row);
    }
  }

  /** Whether reading on is enough. */
  get isCurrent(): boolean {
    const { staticVersion, spacesVersion, log } = this.#snapshot;
    if (this.#version !== staticVersion || !log.reaches(this.#seen)) return false;
    if (log.end - this.#seen > 2 * this.#bucketOf.length + 1000) return false;
    if (this.#buckets.length > bucketsMax && this.#buckets.length > 4 * this.#usedBuckets()) return false;
    return this.#spaces === spacesVersion || !this.hasRules;
  }

  /** Whether other pods matter. */
  get hasRules(): boolean {
    return this.#hasRules;
  }

  /** From now on it is asked for these pods: rows that hold pods of the one or the other owner are worth something else. */
  serve(demand: Demand, scoring: Scoring): void {
    const before = this.#demand;
    this.#demand = demand;
    this.#scoring = scoring;
    this.sync();
    this.#rescoreOwned(before.owner, demand.owner);
  }

  #rescoreOwned(before: string, now: string): void {
    if (before === now) return;
    const { table } = this.#snapshot;
    for (const owner of [before, now])
      for (const kin of owner === '' ? [] : table.kinsOf(owner))
        for (let slot = kin.first; slot >= 0; slot = table.nextOfKin(slot)) this.#rescore(table.row(slot));
  }

  /** Nothing came to it or has left it, but it is worth something else. */
  #rescore(row: number): void {
    const number = this.#bucketOf[row] as number;
    if (number < 0) return;
    this.#scores[row] = this.#scoring.score(row, this.#fixed[row] as number);
    (this.#buckets[number] as Bucket).heap.rescored(row);
  }

  /** Reads on in the log. */
  sync(): void {
    const { log } = this.#snapshot;
    const counts = this.#hasRules;
    for (let at = this.#seen; at < log.end; at++) {
      const row = log.row(at);
      const kin = counts ? log.kin(at) : undefined;
      if (kin !== undefined) this.rules.count(kin, row, log.sign(at));
      this.#refresh(row);
    }
    this.#seen = log.end;
    for (let at = 0; at < this.#gates.length; at++) this.#heed(this.#gates[at] as Gate, at);
  }

  #heed(gate: Gate, at: number): void {
    gate.catchUp(this.#snapshot);
    if (gate.id !== this.#gateIds[at]) {
      this.#gateIds[at] = gate.id;
      this.#gatesSeen[at] = gate.turned.length;
      for (const row of this.#suitable.rows) this.#refresh(row);
      return;
    }
    let seen = this.#gatesSeen[at] as number;
    for (; seen < gate.turned.length; seen++) this.#refresh(gate.turned[seen] as number);
    this.#gatesSeen[at] = seen;
  }

  /** The best node; undefined: none is possible. */
  pick(): Pick | undefined {
    if (this.#isPlain) return this.#bestTop();
    const open = this.#open;
    open.length = 0;
    let possible = 0;
    for (let at = 0; at < this.#buckets.length; at++) {
      const bucket = this.#buckets[at] as Bucket;
      const size = bucket.heap.rows.length;
      if (size === 0) continue;
      const reason = this.hasRules ? this.#reasonOf(bucket) : undefined;
      bucket.reason = reason;
      if (reason !== undefined) continue;
      possible += size;
      open.push(bucket);
    }
    return this.#contest.bestOf(open, possible, undefined, this.#scoring);
  }

  /** Where buckets differ by nothing but their zone: `Contest.bestOf` of all. */
  #bestTop(): Pick | undefined {
    const { zones } = this.#scoring;
    const scores = this.#scores;
    let possible = 0;
    let best = -1;
    let most = Number.NEGATIVE_INFINITY;
    for (let at = 0; at < this.#buckets.length; at++) {
      const { cell, heap } = this.#buckets[at] as Bucket;
      const size = heap.rows.length;
      if (size === 0) continue;
      possible += size;
      const row = heap.top;
      let score = scores[row] as number;
      if (zones !== undefined) score += zones.score(cell.zone);
      if (score > most || (score === most && row < best)) {
        most = score;
        best = row;
      }
    }
    return best < 0 ? undefined : { row: best, score: most, possible };
  }

  /** That row alone; undefined: it is not possible. */
  pickOnly(row: number): Pick | undefined {
    const bucket = this.#buckets[this.#bucketOf[row] ?? unsuitable];
    if (bucket === undefined || this.#reasonOf(bucket) !== undefined) return undefined;
    return this.#contest.bestOf([bucket], 1, row, this.#scoring);
  }

  /** The best of a few rows; undefined: none of them is possible. Others than these are refused by what they say. */
  pickAmong({ rows, lacks, others }: Few): FewPick | undefined {
    const open: Contender[] = [];
    const refused = new Map(this.#suitable.refused);
    const count = (reason: string, number: number): void => {
      if (number > 0) refused.set(reason, (refused.get(reason) ?? 0) + number);
    };
    let outside = 0;
    for (const { heap } of this.#buckets) outside += heap.rows.length;
    for (const row of rows) {
      const bucket = this.#buckets[this.#bucketOf[row] ?? unsuitable];
      if (bucket === undefined) continue;
      outside--;
      const own = lacks(row);
      const reason = own === undefined ? this.#reasonOf(bucket) : undefined;
      for (const one of own ?? []) count(one, 1);
      if (reason !== undefined) count(reason, 1);
      const { cell, fine } = bucket;
      if (own === undefined && reason === undefined)
        open.push({ cell, fine, heap: { rows: [row], top: row }, spread: 0, attraction: 0 });
    }
    const pick = this.#contest.bestOf(open, open.length, undefined, this.#scoring);
    if (pick === undefined) return undefined;
    for (const one of others) count(one, outside);
    this.#lacks.each(count);
    return { pick, refused };
  }

  /** How many nodes are refused, by reason, as `pick` has found it. The same object while it says the same. */
  refusals(): ReadonlyMap<string, number> {
    const isSame = !this.#hasRules || this.#countReasons();
    if (this.#refused !== undefined && isSame && this.#refusedVersion === this.#lacks.version)
      return this.#refused;
    const counts = this.#reasonCounts;
    const refused = new Map(this.#suitable.refused);
    const count = (reason: string, rows: number): void => {
      if (rows > 0) refused.set(reason, (refused.get(reason) ?? 0) + rows);
    };
    this.#lacks.each(count);
    for (let at = 0; at < ruleReasons.length; at++) count(ruleReasons[at] as string, counts[at] as number);
    this.#refused = refused;
    this.#refusedVersion = this.#lacks.version;
    return refused;
  }

  /** By what the rules say. Answers whether it is as before. */
  #countReasons(): boolean {
    const counts = this.#reasonCounts;
    const before = this.#reasonsBefore;
    before.set(counts);
    counts.fill(0);
    for (let at = 0; at < this.#buckets.length; at++) {
      const { reason, heap } = this.#buckets[at] as Bucket;
      if (reason === undefined || heap.rows.length === 0) continue;
      const number = ruleReasons.indexOf(reason);
      counts[number] = (counts[number] as number) + heap.rows.length;
    }
    return counts.every((count, at) => count === before[at]);
  }

  /** Of what only its static side refuses: for a plan that looks at one row. */
  get unsuitable(): ReadonlyMap<string, number> {
    return this.#suitable.refused;
  }

  /** Rows that would do if certain pods were not there, as `pick` has found it. */
  potential(): readonly number[] {
    const rows: number[] = [];
    for (const row of this.#suitable.rows) {
      const number = this.#bucketOf[row] as number;
      const reason = number >= 0 ? this.#buckets[number]?.reason : this.#lacks.on(row)?.[0];
      if (reason === undefined || unresolvable.has(reason)) continue;
      if (this.#gates.some((gate) => !gate.mayEver(row))) continue;
      if (isLargeEnough(this.#demand, this.#snapshot, row)) rows.push(row);
    }
    return rows;
  }

  /** Whether what lacks on a row is room, of which others have some. */
  readonly isPotential = (row: number): boolean =>
    this.#bucketOf[row] === lacking && isLargeEnough(this.#demand, this.#snapshot, row);

  /** Whom pods of this priority may put out; undefined: not for such pods. */
  victims(priority: number): VictimBook | undefined {
    if (this.#hasRules || this.#demand.hostPorts.length > 0 || this.#demand.gpus !== undefined)
      return undefined;
    // Who goes gives devices back, too, and leaves room among volumes.
    if (this.#gates.length > 0) return undefined;
    let book = this.#victims.get(priority);
    if (book === undefined) {
      if (this.#victims.size >= victimBooksMax) this.#victims.clear();
      const ground = { rows: this.#suitable.rows, isPotential: this.isPotential };
      book = new VictimBook(this.#snapshot, this.#demand, ground, priority);
      this.#victims.set(priority, book);
    }
    return book;
  }

  #reasonOf(bucket: Bucket): string | undefined {
    if (!this.#hasRules) return undefined;
    return this.rules.refusal((tally) => this.#contest.countAt(bucket, tally));
  }

  #usedBuckets(): number {
    return this.#buckets.filter(({ heap }) => heap.rows.length > 0).length;
  }

  // ── rows ──

  #refresh(row: number): void {
    const before = this.#bucketOf[row] ?? unsuitable;
    if (before === unsuitable) return;
    if (this.#victims.size > 0) for (const book of this.#victims.values()) book.changed(row);
    const lacks = this.#lackingOn(row);
    const number = lacks === undefined ? this.#bucketFor(row) : lacking;
    if (before >= 0 && before !== number) (this.#buckets[before] as Bucket).heap.remove(row);
    this.#bucketOf[row] = number;
    this.#lacks.set(row, lacks);
    if (number < 0) return;
    const { heap } = this.#buckets[number] as Bucket;
    this.#scores[row] = this.#scoring.score(row, this.#fixed[row] as number);
    if (this.#isBuilding) heap.append(row);
    else if (before === number) heap.rescored(row);
    else heap.push(row);
  }

  #lackingOn(row: number): readonly string[] | undefined {
    if (this.#demand.hostPorts.length > 0) {
      const ports = portsRefusal(this.#demand, this.#snapshot, row);
      if (ports !== undefined) return [ports];
    }
    if (hasRoom(this.#demand, this.#snapshot, row)) {
      for (let at = 0; at < this.#gates.length; at++) {
        const why = (this.#gates[at] as Gate).lacks(row);
        if (why !== undefined) return why;
      }
      return undefined;
    }
    return roomRefusals(this.#demand, this.#snapshot, row);
  }

  #bucketFor(row: number): number {
    const cell = this.#cellOf[row] as number;
    const fine = this.#fine;
    if (fine.length === 0) {
      const known = this.#plainBuckets[cell];
      if (known !== undefined) return known;
      const number = this.#newBucket(cell, noFine);
      this.#plainBuckets[cell] = number;
      return number;
    }
    const counts: number[] = [];
    for (const tally of fine) counts.push(this.#fineCount(tally, row));
    const key = fine.length === 1 ? cell * 2 ** 32 + (counts[0] as number) : `${cell} ${counts.join(' ')}`;
    let number = this.#fineBuckets.get(key);
    if (number === undefined) {
      number = this.#newBucket(cell, counts);
      this.#fineBuckets.set(key, number);
    }
    return number;
  }

  #fineCount(tally: Tally, row: number): number {
    const id = tally.column.ids[row] as number;
    if (id >= 0) return tally.counts[id] as number;
    return this.rules.isWeight(tally) ? 0 : missing;
  }

  #newBucket(cell: number, fine: readonly number[]): number {
    const heap = new RowHeap(this.#scores, this.#at);
    return this.#buckets.push({ ...noJudgement, cell: this.#cells[cell] as Cell, fine, heap }) - 1;
  }

  #makeCells(): CellMap {
    const columns: ValueColumn[] = [];
    for (const tally of this.rules.tallies)
      if (tally.column.isFine) {
        this.#fineAt.set(tally, this.#fine.length);
        this.#fine.push(tally);
      } else {
        let at = columns.indexOf(tally.column);
        if (at < 0) at = columns.push(tally.column) - 1;
        this.#coarse.set(tally, at);
      }
    return cellsOf(this.#snapshot, this.#suitable, columns, this.#scoring.zones);
  }
}
