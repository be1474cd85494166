/**
 * Custom scores: an expression that gives a number from 0 to 100 for a node.
 *
 *   100.0 * free.cpu / node.cpu
 *   node.labels[?"disk"].orValue("") == "ssd" ? 100.0 : 0.0
 *
 * All amounts are doubles: processors in cores, memory and storage in bytes.
 */
import * as cel from '../../cel/index.ts';

/** What one evaluation may cost. */
export const customCostMax = 10_000;
export const expressionMax = 4096;

const amounts = cel.mapOf(cel.string, cel.double);
const texts = cel.mapOf(cel.string, cel.string);
const variables = {
  node: cel.objectOf('Node', {
    name: { kind: 'string', maxSize: 253 },
    labels: texts,
    taints: cel.listOf(texts),
    cpu: cel.double,
    memory: cel.double,
    resources: amounts,
  }),
  pod: cel.objectOf('Pod', {
    namespace: { kind: 'string', maxSize: 63 },
    labels: texts,
    annotations: texts,
    cpu: cel.double,
    memory: cel.double,
    resources: amounts,
  }),
  free: cel.objectOf('Free', { cpu: cel.double, memory: cel.double, pods: cel.double, resources: amounts }),
};

export interface ScoredNode {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Readonly<Record<string, string>>[];
  readonly cpu: number;
  readonly memory: number;
  readonly resources: Readonly<Record<string, number>>;
}

export interface ScoredPod {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly cpu: number;
  readonly memory: number;
  readonly resources: Readonly<Record<string, number>>;
}

export interface FreeAmounts {
  readonly cpu: number;
  readonly memory: number;
  readonly pods: number;
  readonly resources: Readonly<Record<string, number>>;
}

/** What a custom score looks at: the same for expressions and for functions. */
export interface ScoreQuestion {
  readonly node: ScoredNode;
  readonly pod: ScoredPod;
  /** Before the pod is there. */
  readonly free: FreeAmounts;
}

export interface CustomScoring {
  /** Whether pods that differ only in their annotations may be scored differently. */
  readonly usesAnnotations: boolean;
  /** `error`: why there is no score. `cost` in units of CEL. */
  score(question: ScoreQuestion): { readonly value: number; readonly error?: string; readonly cost: number };
}

/** What is wrong with it is in `text`. */
export function compileCustomScore(
  expression: string,
):
  | { readonly scoring: CustomScoring; readonly text?: never }
  | { readonly text: string; readonly scoring?: never } {
  const { program, text } = cel.compile(expression, { variables });
  if (program === undefined) return { text };
  const { kind } = program.type;
  if (kind !== 'double' && kind !== 'int' && kind !== 'dyn')
    return { text: `must evaluate to a number, not ${cel.typeText(program.type)}` };
  return {
    scoring: {
      usesAnnotations: expression.includes('annotations'),
      score(question) {
        const { value, error, cost, isOverLimit } = program.evaluate(
          { ...question },
          { costLimit: customCostMax },
        );
        if (isOverLimit === true)
          return { value: 0, cost, error: `it was cut off: one score may cost ${customCostMax}` };
        if (error !== undefined) return { value: 0, cost, error };
        const number = Number(cel.toJson(value));
        return Number.isFinite(number)
          ? { value: number, cost }
          : { value: 0, cost, error: `it gave ${String(cel.toJson(value))}, which is no number` };
      },
    },
  };
}
