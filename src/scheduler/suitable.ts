/**
 * Which nodes come into question for a pod by their labels and taints alone, and what these are worth. Pure. Remembered for all pods that ask the same of
 * nodes, whoever made them, until a node changes.
 */
import { namedNodes } from '../api/index.ts';
import type { Demand } from './demand.ts';
import { refusals, staticRefusal } from './filters.ts';
import { fixedScore, type Policy } from './scores.ts';
import type { Snapshot } from './snapshot.ts';

export interface Suitable {
  readonly rows: Int32Array;
  /** The part of the score that labels and taints decide, beside `rows`. */
  readonly fixed: Float64Array;
  /** How many nodes are not suitable, by reason. */
  readonly refused: ReadonlyMap<string, number>;
}

interface Known {
  readonly version: number;
  readonly policy: Policy;
  readonly answers: Map<string, Suitable>;
}

const known = new WeakMap<Snapshot, Known>();
const answersMax = 64;

export function suitableNodes(demand: Demand, snapshot: Snapshot, policy: Policy): Suitable {
  const required = demand.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const names = required === undefined ? undefined : namedNodes(required);
  // A pod of a DaemonSet: all its siblings ask for other nodes, so that remembering the answer would cost more than it is worth.
  if (names !== undefined) return workOut(demand, snapshot, policy, rowsOf(names, snapshot));
  let there = known.get(snapshot);
  if (there === undefined || there.version !== snapshot.staticVersion || there.policy !== policy) {
    there = { version: snapshot.staticVersion, policy, answers: new Map() };
    known.set(snapshot, there);
  }
  let suitable = there.answers.get(demand.nodesKey);
  if (suitable === undefined) {
    suitable = workOut(demand, snapshot, policy, undefined);
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
  policy: Policy,
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
      fixed[count++] = fixedScore(demand, snapshot, row, policy);
    }
  }
  return { rows: rows.subarray(0, count), fixed: fixed.subarray(0, count), refused };
}
