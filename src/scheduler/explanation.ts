/** What is remembered of decisions, for those who ask why a pod is where it is. Pure. */
import { type Refusals, type Step, waitMessage } from './plan.ts';
import type { Ranked } from './ranked-nodes.ts';
import type { Remedies } from './remedies/index.ts';

/** Who had to go so that a pod has a place. */
export interface PreemptionRecord {
  readonly node: string;
  readonly victims: readonly string[];
  /** How many of them a disruption budget would rather have kept. */
  readonly budgetViolations: number;
  /** How many nodes could have been chosen. */
  readonly candidates: number;
}

/** Why a pod is where it is, or nowhere. */
export type Explanation =
  | {
      readonly decision: 'bound';
      readonly at: string;
      readonly node: string;
      readonly score: number;
      readonly possibleNodes: number;
      /** What the best nodes are worth to it now, by aspect. */
      readonly ranked?: Ranked;
      readonly refused: Readonly<Record<string, number>>;
      readonly preempted?: PreemptionRecord;
    }
  | {
      readonly decision: 'waits';
      readonly at: string;
      readonly nodes: number;
      readonly refused: Readonly<Record<string, number>>;
      readonly message: string;
      readonly preempted?: PreemptionRecord;
      /** What would make it fit, worked out when it was asked for. */
      readonly remedies?: Remedies;
    };

export function explanationOf(step: Step, at: string, former: Explanation | undefined): Explanation {
  const refused = asRecord(step.refused);
  if (step.kind === 'bind') {
    const { nodeName: node, score, possible } = step;
    const preempted = former?.preempted?.node === node ? former.preempted : undefined;
    return {
      decision: 'bound',
      at,
      node,
      score: Math.round(score),
      possibleNodes: possible,
      refused,
      ...(preempted === undefined ? {} : { preempted }),
    };
  }
  const { preemption } = step;
  const preempted =
    preemption?.kind === 'chosen'
      ? {
          node: preemption.nodeName,
          victims: preemption.victims.map(({ key }) => key),
          budgetViolations: preemption.violations,
          candidates: preemption.candidates,
        }
      : preemption?.isWaiting === true
        ? former?.preempted
        : undefined;
  return {
    decision: 'waits',
    at,
    nodes: step.nodes,
    refused,
    message: waitMessage(step.nodes, step.refused, step.unresolved, preemption, step.note),
    ...(preempted === undefined ? {} : { preempted }),
  };
}

const records = new WeakMap<Refusals, Readonly<Record<string, number>>>();

/** One record for each map of reasons: a thousand pods of a batch share theirs. */
function asRecord(refused: Refusals): Readonly<Record<string, number>> {
  let record = records.get(refused);
  if (record === undefined) {
    record = Object.fromEntries(refused);
    records.set(refused, record);
  }
  return record;
}
