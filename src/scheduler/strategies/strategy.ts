/**
 * A strategy: what it adds to the aspects that every pod is placed by, and which of these it leaves out. Pure.
 *
 *   Strategy + weights ─▶ StrategyScorer ─▶ begin ─▶ fit, balance, owners, images (as far as they count) + what the strategy says of a node
 *
 * Taints, preferred affinity and wished spreading count with every strategy, so that it does not undo what pods and nodes say themselves.
 */
import type { Pod } from '../../api/index.ts';
import type { Demand } from '../demand.ts';
import type { Aspect, Relative, Scorer, Scoring, ZoneSpread } from '../scorer.ts';
import { balanced, isHostSpread, ownerZones, relativeParts, spreadWorth, type Weights } from '../scores.ts';
import type { Snapshot } from '../snapshot.ts';
import type { FitScore } from './fit-score.ts';

export interface Question {
  readonly demand: Demand;
  readonly snapshot: Snapshot;
  /** The first of those that ask the same. */
  readonly pod: Pod;
}

/** What a strategy says of nodes, 0 to 100 as a rule. */
export interface OwnScore {
  readonly value?: (row: number) => number;
  /** As `Scoring.fixed`: nothing but the node's own facts. */
  readonly fixed?: (row: number) => number;
  readonly relative?: readonly Relative[];
  readonly placed?: (row: number) => void;
  /** As `Scoring.steadyKey`. */
  readonly steadyKey?: string;
}

export interface Strategy {
  readonly name: string;
  /** What the others count; `owners`: spreading of an owner's pods over hosts and zones. */
  readonly base: { readonly fit: number; readonly balanced: number; readonly owners: number };
  readonly fit: FitScore;
  readonly start?: (question: Question) => OwnScore;
  readonly keyOf?: (pod: Pod) => string;
  /** As `Scorer.packs`. */
  readonly packs?: boolean;
}

const nothing: OwnScore = {};

export class StrategyScorer implements Scorer {
  readonly name: string;
  readonly keyOf?: (pod: Pod) => string;
  readonly packs?: boolean;
  readonly #strategy: Strategy;
  readonly #weights: Weights;
  readonly #weight: number;

  /** `weight`: of what the strategy itself says. */
  constructor(name: string, strategy: Strategy, weights: Weights, weight: number) {
    this.name = name;
    this.#strategy = strategy;
    this.#weights = weights;
    this.#weight = weight;
    if (strategy.keyOf !== undefined) this.keyOf = strategy.keyOf;
    if (strategy.packs === true) this.packs = true;
  }

  begin(demand: Demand, snapshot: Snapshot, pod: Pod): Scoring {
    const question = { demand, snapshot, pod };
    return new StrategyScoring(question, this.#strategy, this.#weights, this.#weight);
  }
}

class StrategyScoring implements Scoring {
  readonly zones: ZoneSpread | undefined;
  readonly around: Scoring['around'];
  readonly #question: Question;
  readonly #strategy: Strategy;
  readonly #weights: Weights;
  readonly #weight: number;
  readonly #own: OwnScore;
  readonly #isSpread: boolean;
  readonly #images: ReadonlyMap<number, number> | undefined;

  constructor(question: Question, strategy: Strategy, weights: Weights, weight: number) {
    const { demand, snapshot, pod } = question;
    this.#question = question;
    this.#strategy = strategy;
    this.#weights = weights;
    this.#weight = weight;
    this.#own = strategy.start?.(question) ?? nothing;
    this.#isSpread = strategy.base.owners > 0 && isHostSpread(demand);
    this.#images = weights.ImageLocality === 0 ? undefined : snapshot.images.scores(pod, snapshot.nodeCount);
    this.around = { spread: weights.PodTopologySpread, pods: weights.InterPodAffinity };
    this.zones = ownerZones(demand, snapshot, strategy.base.owners);
  }

  get steadyKey(): string | undefined {
    const own = this.#strategy.start === undefined ? '' : this.#own.steadyKey;
    return own === undefined ? undefined : `${own} ${this.#question.snapshot.images.keyOf(this.#images)}`;
  }

  get relative(): readonly Relative[] {
    const { demand, snapshot } = this.#question;
    const own = (this.#own.relative ?? []).map((one) => ({ ...one, weight: one.weight * this.#weight }));
    return [...relativeParts(demand, snapshot, this.#weights), ...own];
  }

  fixed(row: number): number {
    return this.#weight * (this.#own.fixed?.(row) ?? 0);
  }

  score(row: number, fixed: number): number {
    let score = fixed;
    for (const { weight, value } of this.#parts(row)) score += weight * value;
    return score;
  }

  placed(row: number): void {
    this.#own.placed?.(row);
  }

  aspects(row: number): readonly Aspect[] {
    const { fixed } = this.#own;
    const own =
      fixed === undefined ? [] : [{ name: this.#strategy.name, weight: this.#weight, value: fixed(row) }];
    return [...this.#parts(row), ...own];
  }

  #parts(row: number): readonly Aspect[] {
    const { demand, snapshot } = this.#question;
    const { base, fit, name } = this.#strategy;
    const { ImageLocality } = this.#weights;
    const parts: Aspect[] = [];
    if (base.fit > 0)
      parts.push({ name: 'NodeResourcesFit', weight: base.fit, value: fit(demand, snapshot, row) });
    if (base.balanced > 0) {
      const value = balanced(demand, snapshot, row);
      parts.push({ name: 'NodeResourcesBalancedAllocation', weight: base.balanced, value });
    }
    if (this.#isSpread) {
      const value = spreadWorth(snapshot.ownedOn(row, demand.owner));
      parts.push({ name: 'OwnerSpread (host)', weight: base.owners, value });
    }
    const image = this.#images?.get(row) ?? 0;
    if (image > 0) parts.push({ name: 'ImageLocality', weight: ImageLocality, value: image });
    const { value } = this.#own;
    if (value !== undefined) parts.push({ name, weight: this.#weight, value: value(row) });
    return parts;
  }
}
