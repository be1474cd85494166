/**
 * The strategy `fragmentation-aware`: GPUs are placed so that what stays free is of use to those that come. Pure.
 *
 *   pods that have GPUs (ledger) ─▶ NodeWorth, renewed when half of them are others ─▶ of each node: what it loses by the pod ─▶ the least loss
 *
 * Losses are compared in steps, and of nodes that lose as much the first is taken: so nodes are filled one after the other, and some stay whole.
 * Pods that ask for no GPUs go where they strand none; of equals to the fullest node.
 * Invariant: a score depends on the node alone, as long as the key (`steadyKey`) is the same.
 */
import type { Pod } from '../../api/index.ts';
import type { Demand } from '../demand.ts';
import type { Aspect, Relative, Scorer, Scoring } from '../scorer.ts';
import { leastAllocated, relativeParts, type Weights } from '../scores.ts';
import type { Snapshot } from '../snapshot.ts';
import type { GpuAsk } from './gpu-ask.ts';
import { type GpuLedger, type Pool, tightest } from './gpu-ledger.ts';
import { NodeWorth } from './node-worth.ts';

/** Losses that differ by less thousandths of a GPU are the same. */
const step = 20;
/** Worths are renewed when so large a part of the pods are others, and at least so many. */
const renewedPart = 0.5;
const renewedLeast = 4;

interface Learnt {
  readonly worth: NodeWorth;
  /** Other worths have another. */
  readonly key: string;
  readonly untilChanges: number;
}

const learnt = new WeakMap<GpuLedger, Learnt>();

function learn(gpus: GpuLedger): Learnt {
  const known = learnt.get(gpus);
  if (known !== undefined && gpus.changes < known.untilChanges) return known;
  const now: Learnt = {
    worth: new NodeWorth([...gpus.kinds]),
    key: `fragmentation ${gpus.changes}`,
    untilChanges: gpus.changes + Math.max(renewedLeast, Math.ceil(renewedPart * gpus.podCount)),
  };
  learnt.set(gpus, now);
  return now;
}

export class FragmentationScorer implements Scorer {
  readonly name: string;
  readonly #weights: Weights;

  /** `weights`: of what counts beside it: taints and preferred affinity. */
  constructor(name: string, weights: Weights) {
    this.name = name;
    this.#weights = weights;
  }

  begin(demand: Demand, snapshot: Snapshot, _pod: Pod): Scoring {
    return new FragmentationScoring(demand, snapshot, this.#weights);
  }
}

class FragmentationScoring implements Scoring {
  readonly zones = undefined;
  readonly around: Scoring['around'];
  readonly steadyKey: string;
  readonly #demand: Demand;
  readonly #snapshot: Snapshot;
  readonly #weights: Weights;
  readonly #worth: NodeWorth;

  constructor(demand: Demand, snapshot: Snapshot, weights: Weights) {
    this.#demand = demand;
    this.#snapshot = snapshot;
    this.#weights = weights;
    this.around = { spread: weights.PodTopologySpread, pods: weights.InterPodAffinity };
    const { worth, key } = learn(snapshot.gpus);
    this.#worth = worth;
    this.steadyKey = key;
  }

  get relative(): readonly Relative[] {
    return relativeParts(this.#demand, this.#snapshot, this.#weights);
  }

  fixed(): number {
    return 0;
  }

  score(row: number, fixed: number): number {
    const demand = this.#demand;
    const loss = Math.round(this.#lossOn(row) / step);
    if (demand.gpus !== undefined) return fixed - loss;
    // Less than a step.
    return fixed - loss + (100 - leastAllocated(demand, this.#snapshot, row)) / 128;
  }

  /** Which GPUs of the node the pod should have. Undefined: it asks for none, or all are as good. */
  gpusOf(row: number): readonly number[] | undefined {
    const { gpus } = this.#demand;
    if (gpus?.count !== 1) return undefined;
    this.#lossOn(row);
    return this.#worth.chosen < 0 ? undefined : [this.#worth.chosen];
  }

  aspects(row: number): readonly Aspect[] {
    return [{ name: 'Fragmentation', weight: 1, value: -Math.round(this.#lossOn(row) / step) }];
  }

  /** In thousandths of a GPU. */
  #lossOn(row: number): number {
    const { cpuMilli, memoryBytes, gpus } = this.#demand;
    const pool = this.#snapshot.gpus.pool(row);
    if (pool === undefined || pool.largest === 0) return 0;
    const cpu = this.#snapshot.cpuFree[row] as number;
    const memory = this.#snapshot.memoryFree[row] as number;
    const before = this.#worth.of(cpu, memory, pool.free, pool.model);
    const after = this.#worthWith(cpu - cpuMilli, memory - memoryBytes, pool, gpus);
    // Before anything is known: who needs no GPU goes where there is none.
    return before - after + (gpus === undefined ? step : 0);
  }

  #worthWith(cpuMilli: number, memoryBytes: number, { free, model }: Pool, ask: GpuAsk | undefined): number {
    if (ask === undefined) return this.#worth.of(cpuMilli, memoryBytes, free, model);
    if (ask.count === 1) return this.#worth.bestOf(cpuMilli, memoryBytes, free, model, ask.milli);
    const left = free.slice();
    for (const at of tightest(free, ask)) left[at] = (left[at] as number) - ask.milli;
    return this.#worth.of(cpuMilli, memoryBytes, left, model);
  }
}
