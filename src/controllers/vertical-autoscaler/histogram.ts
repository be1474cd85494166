/**
 * A histogram whose older samples weigh less: half as much each half-life. Buckets grow by a twentieth, so that a percentile is right within that. Pure;
 * bounded by the count of its buckets. Kept as Kubernetes' checkpoints keep it.
 * Source: vertical-pod-autoscaler/pkg/recommender/util/decaying_histogram.go, as behaviour.
 */
import type { HistogramCheckpoint } from '../../api/index.ts';
import { formatTime } from '../../lib/index.ts';

export interface Buckets {
  readonly first: number;
  readonly most: number;
}

const growth = 1.05;
/** Beyond so many half-lives from the reference numbers would grow too large: the reference moves. */
const referenceMax = 100;
/** A weight that is as good as none. */
const nothing = 0.0001;
const keptMax = 10_000;

export class DecayingHistogram {
  readonly #first: number;
  readonly #weights: Float64Array;
  readonly #halfLifeMs: number;
  #referenceMs = 0;
  #total = 0;

  constructor({ first, most }: Buckets, halfLifeMs: number) {
    this.#first = first;
    this.#halfLifeMs = halfLifeMs;
    const count = Math.ceil(Math.log((most * (growth - 1)) / first + 1) / Math.log(growth)) + 1;
    this.#weights = new Float64Array(count);
  }

  get isEmpty(): boolean {
    return this.#total < nothing;
  }

  add(value: number, weight: number, atMs: number): void {
    this.#change(value, weight * this.#factor(atMs));
  }

  /** Takes a sample away that was added with this time. */
  remove(value: number, weight: number, atMs: number): void {
    this.#change(value, -weight * this.#factor(atMs));
  }

  /** The end of the bucket up to which so large a share lies. 0 of nothing. */
  percentile(share: number): number {
    if (this.isEmpty) return 0;
    const wanted = share * this.#total;
    let sum = 0;
    let last = 0;
    for (let bucket = 0; bucket < this.#weights.length; bucket++) {
      const weight = this.#weights[bucket] ?? 0;
      if (weight >= nothing) last = bucket;
      sum += weight;
      if (sum >= wanted - nothing) return this.#startOf(bucket + 1);
    }
    return this.#startOf(last + 1);
  }

  checkpoint(): HistogramCheckpoint {
    const most = Math.max(...this.#weights);
    const bucketWeights: Record<string, number> = {};
    if (most > 0)
      this.#weights.forEach((weight, bucket) => {
        const kept = Math.round((weight * keptMax) / most);
        if (kept > 0) bucketWeights[bucket] = kept;
      });
    return {
      referenceTimestamp: formatTime(this.#referenceMs),
      bucketWeights,
      totalWeight: Number(this.#total.toPrecision(8)),
    };
  }

  /** What makes no sense is nothing. */
  load({ referenceTimestamp = '', bucketWeights = {}, totalWeight = 0 }: HistogramCheckpoint): void {
    const referenceMs = Date.parse(referenceTimestamp);
    const kept = Object.entries(bucketWeights).filter(
      ([bucket, weight]) => Number(bucket) >= 0 && Number(bucket) < this.#weights.length && weight > 0,
    );
    const sum = kept.reduce((total, [, weight]) => total + weight, 0);
    if (Number.isNaN(referenceMs) || !(totalWeight > 0) || !Number.isFinite(totalWeight) || sum === 0) return;
    this.#referenceMs = referenceMs;
    this.#total = totalWeight;
    for (const [bucket, weight] of kept) this.#weights[Number(bucket)] = (weight * totalWeight) / sum;
  }

  #change(value: number, weight: number): void {
    const bucket = this.#bucketOf(value);
    const before = this.#weights[bucket] ?? 0;
    const after = Math.max(0, before + weight);
    this.#weights[bucket] = after < nothing * 1e-6 ? 0 : after;
    this.#total = Math.max(0, this.#total + after - before);
  }

  #factor(atMs: number): number {
    if (this.#total === 0) this.#referenceMs = atMs;
    const halfLives = (atMs - this.#referenceMs) / this.#halfLifeMs;
    if (halfLives <= referenceMax) return 2 ** Math.max(-referenceMax, halfLives);
    const shrunk = 2 ** -Math.min(1000, halfLives);
    for (let bucket = 0; bucket < this.#weights.length; bucket++)
      this.#weights[bucket] = (this.#weights[bucket] ?? 0) * shrunk;
    this.#total *= shrunk;
    this.#referenceMs = atMs;
    return 1;
  }

  #bucketOf(value: number): number {
    if (!(value > this.#first)) return 0;
    const bucket = Math.floor(Math.log((value * (growth - 1)) / this.#first + 1) / Math.log(growth));
    return Math.min(bucket, this.#weights.length - 1);
  }

  #startOf(bucket: number): number {
    return (this.#first * (growth ** Math.min(bucket, this.#weights.length - 1) - 1)) / (growth - 1);
  }
}
