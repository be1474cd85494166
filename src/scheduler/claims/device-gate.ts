/**
 * Which nodes have the devices that certain claims ask for, kept current by single changes; shared by all pods that ask alike. Pure.
 *
 *   row ─▶ view: the pools that it sees, those aside of which no device is asked for ─▶ one answer for all rows of a view
 *   pool: somebody got or gave back a device ─▶ the views with it are asked again ─▶ answer turned ─▶ its rows are told of, for boards to move
 *
 * So a placement asks one node again, and rows without such devices are one view that is asked once.
 * Invariant: after `catchUp` each row's answer is what `allocate` says of it now, unless `isUnclear`.
 */
import { type Gate, newGateId } from '../engine/gate.ts';
import { type Answer, allocate, stepsMax } from './allocator.ts';
import { type ClaimForm, isAskedFor, type Selections } from './claim-form.ts';
import { DeviceLedger } from './device-ledger.ts';
import type { ClaimNode, DevicePools, Pool, PoolView } from './device-pools.ts';
import type { PoolChanges } from './pool-changes.ts';

/** The nodes, as the snapshot has them. */
export interface Ground {
  readonly rows: number;
  readonly staticVersion: number;
  facts(row: number): ClaimNode | undefined;
  rowOf(name: string): number | undefined;
}

/** What is known of devices. */
export interface DeviceSources {
  readonly pools: DevicePools;
  readonly ledger: DeviceLedger;
  readonly selections: Selections;
  readonly changes: PoolChanges;
}

export interface GateQuestion {
  /** All that may be asked of a node. */
  readonly forms: readonly ClaimForm[];
  /** What is asked of this one; the same for nodes of one mask. */
  formsOn(node: ClaimNode): readonly ClaimForm[];
  maskOf(node: ClaimNode): string;
  /** Why a node is refused for where devices are that its claims have already; undefined: it is not. */
  elsewhere(node: ClaimNode): string | undefined;
  /** Of an answer: the text that refuses a node. */
  wordOf(answer: Answer): string | undefined;
}

interface View {
  readonly key: string;
  readonly forms: readonly ClaimForm[];
  readonly pools: readonly PoolView[];
  readonly rows: Set<number>;
  /** Undefined: not asked yet. */
  answer: Answer | undefined;
  refusal: string | undefined;
  /** It says nothing about other pods that ask alike. */
  isUnclear: boolean;
  /** Whether it would do if nobody had any of its devices; undefined: not asked yet. */
  isEnough: boolean | undefined;
}

/** So many searches that were cut short are enough to know that this is no way. */
const cutShortMax = 8;
const turnedMax = 1 << 16;

export class DeviceGate implements Gate {
  readonly #question: GateQuestion;
  readonly #sources: DeviceSources;
  #views = new Map<string, View>();
  #viewOf: (View | undefined)[] = [];
  readonly #byPool = new Map<string, Set<View>>();
  /** Refused for where devices are, by the text. */
  readonly #away = new Map<string, View>();
  readonly #wanted = new WeakMap<Pool, boolean>();
  readonly #poolNumbers = new WeakMap<Pool, number>();
  #pools = 0;
  #seen = 0;
  #staticVersion = -1;
  #wideVersion = -1;
  #unclear = 0;
  #cutShort = 0;
  /** Another one after everything was looked at anew. */
  id = 0;
  /** Rows whose answer has turned, in the order in which it did. */
  turned: number[] = [];

  constructor(question: GateQuestion, sources: DeviceSources) {
    this.#question = question;
    this.#sources = sources;
  }

  /** A question was left open for some node: whoever asks has to ask for himself. */
  get isUnclear(): boolean {
    return this.#unclear > 0;
  }

  /** Why the row is refused; undefined: it has the devices. */
  refusal(row: number): string | undefined {
    return this.#viewOf[row]?.refusal;
  }

  lacks(row: number): readonly string[] | undefined {
    const why = this.#viewOf[row]?.refusal;
    return why === undefined ? undefined : [why];
  }

  answer(row: number): Answer | undefined {
    return this.#viewOf[row]?.answer;
  }

  /** Whether the row would do if nobody had any of its devices. */
  mayEver(row: number): boolean {
    const view = this.#viewOf[row];
    if (view === undefined || view.refusal === undefined) return view !== undefined;
    if (view.answer === undefined) return false;
    view.isEnough ??= isEnough(view.forms, view.pools, this.#sources.selections);
    return view.isEnough;
  }

  catchUp(ground: Ground): void {
    const { changes } = this.#sources;
    const isOther =
      this.#staticVersion !== ground.staticVersion ||
      this.#wideVersion !== changes.wideVersion ||
      this.turned.length > turnedMax;
    if (isOther || !changes.reaches(this.#seen)) {
      this.#lookAnew(ground, !changes.reaches(this.#seen));
      return;
    }
    if (this.#seen === changes.end) return;
    const stale = new Set<View>();
    for (; this.#seen < changes.end; this.#seen++) {
      const { poolId, nodes } = changes.at(this.#seen);
      for (const name of nodes ?? []) {
        const row = ground.rowOf(name);
        const node = row === undefined ? undefined : ground.facts(row);
        if (row !== undefined && node !== undefined) this.#place(row, node);
      }
      for (const view of this.#byPool.get(poolId) ?? []) stale.add(view);
    }
    for (const view of stale) if (view.rows.size > 0) this.#askAgain(view);
  }

  #lookAnew(ground: Ground, isBehind: boolean): void {
    const { changes } = this.#sources;
    const stale = new Set<View>();
    if (isBehind) for (const view of this.#views.values()) stale.add(view);
    else
      for (; this.#seen < changes.end; this.#seen++)
        for (const view of this.#byPool.get(changes.at(this.#seen).poolId) ?? []) stale.add(view);
    this.#seen = changes.end;
    this.#staticVersion = ground.staticVersion;
    this.#wideVersion = changes.wideVersion;
    this.#viewOf = [];
    this.#away.clear();
    for (const view of this.#views.values()) view.rows.clear();
    for (let row = 0; row < ground.rows; row++) {
      const node = ground.facts(row);
      if (node !== undefined) this.#place(row, node);
    }
    for (const view of this.#views.values()) if (view.rows.size === 0) this.#drop(view);
    for (const view of stale) if (view.rows.size > 0) this.#askAgain(view);
    this.turned = [];
    this.id = newGateId();
  }

  /** Puts a row where it belongs now. */
  #place(row: number, node: ClaimNode): void {
    const before = this.#viewOf[row];
    const view = this.#viewFor(node);
    if (view === before) return;
    view.rows.add(row);
    this.#viewOf[row] = view;
    if (before?.rows.delete(row) === true && before.rows.size === 0) this.#drop(before);
    if (before !== undefined && before.refusal !== view.refusal) this.turned.push(row);
  }

  #viewFor(node: ClaimNode): View {
    const away = this.#question.elsewhere(node);
    if (away !== undefined) {
      let view = this.#away.get(away);
      if (view === undefined) {
        view = { ...emptyView('', []), refusal: away };
        this.#away.set(away, view);
      }
      return view;
    }
    const pools = this.#sources.pools.of(node).filter(({ pool }) => this.#isWanted(pool));
    const mask = this.#question.maskOf(node);
    const key = `${mask} ${pools.map((one) => this.#keyOf(one)).join(' ')}`;
    let view = this.#views.get(key);
    if (view === undefined) {
      view = { ...emptyView(key, this.#question.formsOn(node)), pools };
      this.#views.set(key, view);
      for (const { pool } of pools) {
        const views = this.#byPool.get(pool.id);
        if (views === undefined) this.#byPool.set(pool.id, new Set([view]));
        else views.add(view);
      }
      this.#ask(view);
    }
    return view;
  }

  #drop(view: View): void {
    if (this.#views.get(view.key) !== view) return;
    this.#views.delete(view.key);
    if (view.isUnclear) this.#unclear--;
    for (const { pool } of view.pools) {
      const views = this.#byPool.get(pool.id);
      if (views?.delete(view) === true && views.size === 0) this.#byPool.delete(pool.id);
    }
  }

  /** The same devices of the same pool, as they are now. */
  #keyOf({ pool, devices }: PoolView): string {
    let number = this.#poolNumbers.get(pool);
    if (number === undefined) {
      number = ++this.#pools;
      this.#poolNumbers.set(pool, number);
    }
    return devices.length === pool.devices.length
      ? String(number)
      : `${number}:${devices.map(({ device }) => device.name).join(',')}`;
  }

  #isWanted(pool: Pool): boolean {
    let isWanted = this.#wanted.get(pool);
    if (isWanted === undefined) {
      const { selections } = this.#sources;
      isWanted =
        pool.isIncomplete ||
        pool.isInvalid ||
        pool.devices.some((one) => isAskedFor(this.#question.forms, one, selections));
      this.#wanted.set(pool, isWanted);
    }
    return isWanted;
  }

  #askAgain(view: View): void {
    const before = view.refusal;
    this.#ask(view);
    if (view.refusal !== before) for (const row of view.rows) this.turned.push(row);
  }

  #ask(view: View): void {
    const { ledger, selections } = this.#sources;
    if (view.isUnclear) this.#unclear--;
    const isHopeless = this.#cutShort >= cutShortMax;
    const answer: Answer = isHopeless
      ? { kind: 'tooLong' }
      : allocate(view.forms, view.pools, ledger, selections, { steps: stepsMax });
    if (answer.kind === 'tooLong') this.#cutShort++;
    view.answer = answer;
    view.refusal = this.#question.wordOf(answer);
    view.isUnclear =
      answer.kind === 'tooLong' || (answer.kind === 'fault' && answer.message.startsWith('claim '));
    if (view.isUnclear) this.#unclear++;
  }
}

const emptyView = (key: string, forms: readonly ClaimForm[]): View => ({
  key,
  forms,
  pools: [],
  rows: new Set(),
  answer: undefined,
  refusal: undefined,
  isUnclear: false,
  isEnough: undefined,
});

const nobody = new DeviceLedger();

/** Whether they would do if nobody had any of them. */
export function isEnough(
  forms: readonly ClaimForm[],
  pools: readonly PoolView[],
  selections: Selections,
): boolean {
  return (
    pools.length > 0 && allocate(forms, pools, nobody, selections, { steps: stepsMax }).kind === 'picked'
  );
}
