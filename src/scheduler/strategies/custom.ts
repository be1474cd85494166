/**
 * A score of one's own: an expression, or a function of the program that embeds the cloud. Pure.
 *
 * What goes wrong makes the score of that node 0, and is told; the pod is placed by the rest. Invariant: one question costs no more than its budget, whatever
 * the expression does; nodes that it did not get to have 0.
 */
import type {
  CustomScoring,
  FreeAmounts,
  Pod,
  ScoredNode,
  ScoredPod,
  ScoreQuestion,
} from '../../api/index.ts';
import type { Demand } from '../demand.ts';
import type { Snapshot } from '../snapshot.ts';
import type { OwnScore, Question } from './strategy.ts';

/** From 0 to 100. Must not look at anything else, and must end by itself: only expressions can be cut off in the middle. */
export type ScoreFunction = (question: ScoreQuestion) => number;

/** What all nodes of one question may cost together: in units of CEL, and of time for functions. */
const costMax = 5_000_000;
const spentMsMax = 100;

const none: Readonly<Record<string, number>> = {};

/** As much as a custom score looks at. */
export function questionOf(demand: Demand, snapshot: Snapshot, pod: Pod): (row: number) => ScoreQuestion {
  const asked: ScoredPod = {
    namespace: demand.namespace,
    labels: demand.labels,
    annotations: pod.metadata.annotations ?? {},
    cpu: demand.cpuMilli / 1000,
    memory: demand.memoryBytes,
    resources: demand.extended.size === 0 ? none : Object.fromEntries(demand.extended),
  };
  return (row) => ({ node: nodeOf(snapshot, row), pod: asked, free: freeOf(snapshot, row) });
}

function nodeOf(snapshot: Snapshot, row: number): ScoredNode {
  const facts = snapshot.facts(row);
  return {
    name: facts?.name ?? '',
    labels: facts?.labels ?? {},
    taints: (facts?.taints ?? []).map(({ key, effect, value = '' }) => ({ key, value, effect })),
    cpu: (snapshot.cpuWhole[row] ?? 0) / 1000,
    memory: snapshot.memoryWhole[row] ?? 0,
    resources: facts === undefined || facts.extended.size === 0 ? none : Object.fromEntries(facts.extended),
  };
}

function freeOf(snapshot: Snapshot, row: number): FreeAmounts {
  const resources: Record<string, number> = {};
  for (const name of snapshot.facts(row)?.extended.keys() ?? [])
    resources[name] = snapshot.extendedFree(row, name);
  return {
    cpu: (snapshot.cpuFree[row] ?? 0) / 1000,
    memory: snapshot.memoryFree[row] ?? 0,
    pods: snapshot.podsFree[row] ?? 0,
    resources,
  };
}

/** `tell` is called with what went wrong, for each node anew. */
export function byExpression(
  { demand, snapshot, pod }: Question,
  scoring: CustomScoring,
  tell: (problem: string) => void,
): OwnScore {
  const asked = questionOf(demand, snapshot, pod);
  let left = costMax;
  return {
    value: (row) => {
      if (left <= 0) {
        tell(`it was cut off: all nodes together may cost ${costMax}`);
        return 0;
      }
      const { value, error, cost } = scoring.score(asked(row));
      left -= cost + 1;
      if (error === undefined) return within(value);
      tell(`node "${snapshot.facts(row)?.name}": ${error}`);
      return 0;
    },
  };
}

export function byFunction(
  { demand, snapshot, pod }: Question,
  score: ScoreFunction,
  tell: (problem: string) => void,
  nowMs: () => number,
): OwnScore {
  const asked = questionOf(demand, snapshot, pod);
  let leftMs = spentMsMax;
  return {
    value: (row) => {
      if (leftMs <= 0) {
        tell(`it was cut off: all nodes together may take ${spentMsMax} ms`);
        return 0;
      }
      const startMs = nowMs();
      try {
        const value: unknown = score(asked(row));
        if (typeof value === 'number' && Number.isFinite(value)) return within(value);
        tell(`node "${snapshot.facts(row)?.name}": it gave ${String(value)}, which is no number`);
      } catch (error) {
        tell(
          `node "${snapshot.facts(row)?.name}": ${error instanceof Error ? error.message : String(error)}`,
        );
      } finally {
        leftMs -= nowMs() - startMs;
      }
      return 0;
    },
  };
}

const within = (value: number): number => Math.min(100, Math.max(0, value));
