/**
 * Which nodes come into question for a pod by their labels and taints alone, and what these are worth. Pure. Remembered for all pods that ask the same of
 * nodes, whoever made them, until a node changes.
 */
import { namedNodes } from '../api/index.ts';
import type { Demand } from './demand.ts';
import { refusals, staticRefusal } from './filters.ts';
import type { Scorer, Scoring } from './scorer.ts';
import type { Snapshot } from './snapshot.ts';
import type { RelativeColumn } from './standing.ts';

export interface Suitable {
  readonly rows: Int32Array;
  /** The part of the score that labels and taints decide, beside `rows`. */
  readonly fixed: Float64Array;
  /** Parts of the score that depend on which nodes are possible, beside `rows`; none as a rule. */
  readonly relative: readonly RelativeColumn[];
  /** How many nodes are not suitable, by reason. */
  readonly refused: ReadonlyMap<string, number>;
}

interface Known {
  readonly version: number;
  readonly answers: Map<string, Suitable>;
}

/** By the scorer, which goes when its profile does. */
const known = new WeakMap<Snapshot, WeakMap<Scorer, Known>>();
const answersMax = 64;

export function suitableNodes(
  demand: Demand,
  snapshot: Snapshot,
  scorer: Scorer,
  scoring: Scoring,
): Suitable {
  const required = demand.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const names = required === undefined ? undefined : namedNodes(required);
  // A pod of a DaemonSet: all its siblings ask for other nodes, so that remembering the answer would cost more than it is worth.
  if (names !== undefined) return workOut(demand, snapshot, scoring, rowsOf(names, snapshot));
  let scorers = known.get(snapshot);
  if (scorers === undefined) {
    scorers = new WeakMap();
    known.set(snapshot, scorers);
  }
  let there = scorers.get(scorer);
  if (there === undefined || there.version !== snapshot.staticVersion) {
    there = { version: snapshot.staticVersion, answers: new Map() };
    scorers.set(scorer, there);
  }
  let suitable = there.answers.get(demand.nodesKey);
  if (suitable === undefined) {
    suitable = workOut(demand, snapshot, scoring, undefined);
    if (there.answers.size >= answersMax) there.answers.clear();
    there.answers.set(demand.nodesKey, suitable);
  }
  return suitable;
}

function rowsOf(names: readonly string[], snapshot: Snapshot): readonly number[] {
  return names.flatMap((name) => snapshot.rowOf(name) ?? []).sort((a, b) => a - b);
}

/** `only`: the rows that can be suitable at all, where it is known without looking; undefined: any. */
function workOut(
  demand: Demand,
  snapshot: Snapshot,
  scoring: Scoring,
  only: readonly number[] | undefined,
): Suitable {
  const considered = only?.length ?? snapshot.rows;
  const rows = new Int32Array(only?.length ?? snapshot.nodeCount);
  const fixed = new Float64Array(rows.length);
  const refused = new Map<string, number>();
  if (only !== undefined && only.length < snapshot.nodeCount)
    refused.set(refusals.named, snapshot.nodeCount - only.length);
  let count = 0;
  for (let at = 0; at < considered; at++) {
    const row = only === undefined ? at : (only[at] ?? 0);
    if (snapshot.facts(row) === undefined) continue;
    const reason = staticRefusal(demand, snapshot, row);
    if (reason !== undefined) refused.set(reason, (refused.get(reason) ?? 0) + 1);
    else {
      rows[count] = row;
      fixed[count++] = scoring.fixed(row);
    }
  }
  const suitable = rows.subarray(0, count);
  const own = fixed.subarray(0, count);
  return { rows: suitable, fixed: own, relative: relativeOf(scoring, suitable, own), refused };
}

/** Where all nodes are alike there is nothing to compare: what each of them has is added to `fixed`. */
function relativeOf(scoring: Scoring, rows: Int32Array, fixed: Float64Array): readonly RelativeColumn[] {
  const columns: RelativeColumn[] = [];
  for (const { name, weight, how, raw } of scoring.relative) {
    const values = raw === undefined ? undefined : valuesOf(rows, raw);
    if (values?.some((one) => one !== 0) === true) columns.push({ name, weight, how, raw: values });
    else if (how === 'shareReversed')
      for (let index = 0; index < fixed.length; index++) fixed[index] = (fixed[index] ?? 0) + 100 * weight;
  }
  return columns;
}

function valuesOf(rows: Int32Array, raw: (row: number) => number): Float64Array {
  const values = new Float64Array(rows.length);
  for (let at = 0; at < rows.length; at++) values[at] = raw(rows[at] as number);
  return values;
}
