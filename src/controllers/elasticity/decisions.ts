/** The last decisions of each policy with what they rested on, as data, for whoever asks why (`caelum explain elasticity NAME`). In memory only. */
import { formatTime, NewestMap, sameJson } from '../../lib/index.ts';
import type { Decision, Observed } from './plan.ts';

export interface ElasticityDecision {
  /** When it was first decided so, and when last: what is decided again on like grounds is one. */
  readonly at: string;
  readonly until: string;
  readonly current: number;
  /** null: nothing could be wished for. */
  readonly wished: number | null;
  readonly desired: number;
  readonly because: string;
  readonly heldBack: string | null;
  readonly bounds: { readonly min: number; readonly max: number };
  readonly pods: number;
  /** Amounts in thousandths. */
  readonly demand: number | null;
  readonly perReplica: number | null;
  readonly forecast: {
    readonly demand: number;
    readonly method: string;
    readonly horizonSeconds: number;
  } | null;
  readonly triggers: readonly {
    readonly name: string;
    readonly value: number | null;
    readonly holds: boolean;
    readonly heldSeconds: number;
    readonly missing?: string;
  }[];
}

const policiesMax = 2048;
const decisionsMax = 20;

export class ElasticityLog {
  readonly #records = new NewestMap<string, ElasticityDecision[]>(policiesMax);

  note(key: string, decision: Decision, observed: Observed): void {
    const record = recordOf(decision, observed);
    const records = this.#records.get(key) ?? [];
    const last = records.at(-1);
    if (last !== undefined && sameJson(groundsOf(last), groundsOf(record)))
      records[records.length - 1] = { ...record, at: last.at };
    else records.push(record);
    if (records.length > decisionsMax) records.shift();
    this.#records.set(key, records);
  }

  /** The oldest first; undefined: nothing was decided about it. */
  of(key: string): readonly ElasticityDecision[] | undefined {
    return this.#records.get(key);
  }
}

/** What makes two decisions different: not that a figure moved a little. */
const groundsOf = ({
  current,
  wished,
  desired,
  because,
  heldBack,
  bounds,
  triggers,
}: ElasticityDecision) => ({
  current,
  wished,
  desired,
  because,
  heldBack,
  bounds,
  triggers: triggers.map(({ name, holds, missing }) => [name, holds, missing ?? '']),
});

function recordOf(decision: Decision, { policy, selection, nowMs, horizonMs }: Observed): ElasticityDecision {
  const { minReplicas = 1, maxReplicas } = policy.spec.constraints;
  const at = formatTime(nowMs);
  const { forecast } = decision;
  const failed = decision.conditions.find(
    ({ type, status }) => status === 'False' && (type === 'AbleToScale' || type === 'ScalingActive'),
  );
  return {
    at,
    until: at,
    current: decision.current,
    wished: decision.wished ?? null,
    desired: decision.desired,
    because: decision.because === '' ? (failed?.message ?? '') : decision.because,
    heldBack: decision.limited ?? null,
    bounds: { min: minReplicas, max: maxReplicas },
    pods: 'error' in selection ? 0 : selection.pods.length,
    demand: decision.demandMilli ?? null,
    perReplica: decision.perReplicaMilli ?? null,
    forecast:
      forecast === undefined
        ? null
        : {
            demand: Math.round(forecast.demand),
            method: forecast.method,
            horizonSeconds: Math.round(horizonMs / 1000),
          },
    triggers: decision.triggers.map(({ name, milli, isMet, heldMs, missing }) => ({
      name,
      value: milli ?? null,
      holds: isMet,
      heldSeconds: Math.round(heldMs / 1000),
      ...(missing === undefined ? {} : { missing }),
    })),
  };
}
