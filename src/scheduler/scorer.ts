/**
 * What says how good a node is for a pod: the seam between the engine (plan.ts), which looks for the best node, and profiles and strategies, which say what
 * is good. Types only.
 *
 *   pod ─▶ Policy.scorerOf ─▶ Scorer ─▶ begin (one question: pods that ask the same) ─▶ Scoring ─▶ fixed, relative, score ─▶ the best possible node
 *
 * Invariant: a score depends on one node and what is on it, so that a placement changes the score of that node, and of its zone (`zones`), alone. What depends
 * on the other possible nodes too is said by `relative`.
 */
import type { Pod } from '../api/index.ts';
import type { Demand } from './demand.ts';
import type { Snapshot } from './snapshot.ts';
import type { AroundWeights } from './welcome.ts';

/** Which scorer a pod is placed by. Asked for every pod: a lookup, no work. */
export interface Policy {
  scorerOf(pod: Pod): Scorer;
}

/** One profile with one strategy. The same object as long as it says the same: what is worked out with it is remembered by it. */
export interface Scorer {
  /** For people. */
  readonly name: string;
  /** Pods that ask the same but differ in this are planned apart (the key of a hash). Absent: none are. */
  readonly keyOf?: (pod: Pod) => string;
  /** Pods of a plan that ask different amounts are looked at together, so that they need few nodes (packing/). */
  readonly packs?: boolean;
  /** Of pods that ask the same; `pod` is the first of them. */
  begin(demand: Demand, snapshot: Snapshot, pod: Pod): Scoring;
}

export interface Scoring {
  /** What only the node's own facts decide (labels, taints, prices). Remembered for all pods of the same `nodesKey` until a node changes: looks at nothing else. */
  fixed(row: number): number;
  /** Remembered as `fixed` is. */
  readonly relative: readonly Relative[];
  /** Everything together. `fixed`: what `fixed` gave, and the relative parts among the nodes that are possible now. Higher is better, any scale. */
  score(row: number, fixed: number): number;
  /** Part of the score that all nodes of a zone share, and that a placement changes for all of them. Undefined: nothing is. */
  readonly zones: ZoneSpread | undefined;
  /** What spreading that is only wished for, and preferred affinity between pods, count. */
  readonly around: AroundWeights;
  /**
   * That scores stay right from plan to plan, as long as nothing comes to a node or leaves it: what they depend on beside that, the amounts asked, `nodesKey`
   * and the pods of the same owner. Equal where it is the same. Undefined: each question is looked at anew, at the cost of looking at every node.
   */
  readonly steadyKey?: string | undefined;
  /** Which GPUs of the node the pod should have, before it is placed there. Absent, or undefined: those with the least to give beyond it. */
  gpusOf?(row: number): readonly number[] | undefined;
  /** A pod of the question was placed there: called before the node is scored again. */
  readonly placed?: (row: number) => void;
  /** What the score is made of, for those who ask why. */
  aspects(row: number): readonly Aspect[];
}

export interface ZoneSpread {
  /** Zones are numbered below it. */
  readonly count: number;
  of(row: number): number;
  score(zone: number): number;
  placed(row: number): void;
}

/** A value of a node that counts in relation to those of the other possible nodes: 100 times the weight at most, as kube-scheduler normalises. */
export interface Relative {
  readonly name: string;
  readonly weight: number;
  /** `share`: of the largest. `shareReversed`: the larger, the worse. `range`: between the smallest, 0, and the largest, 100. */
  readonly how: 'range' | 'share' | 'shareReversed';
  /** Undefined: 0 for each row, as it is as a rule: nothing is to be compared. */
  readonly raw: ((row: number) => number) | undefined;
}

/** 0 to 100 as a rule, before its weight. */
export interface Aspect {
  readonly name: string;
  readonly weight: number;
  readonly value: number;
}
