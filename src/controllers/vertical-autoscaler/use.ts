/**
 * What is known of the use of one container of a workload: CPU by its samples, memory by the peaks of each pod's day. Pure; bounded: two histograms, and one
 * peak for each pod there is.
 *
 * A container that ran out of memory would have used more: its peak counts as more than it had.
 */
import type { VerticalPodAutoscalerCheckpointStatus } from '../../api/index.ts';
import { formatTime } from '../../lib/index.ts';
import { DecayingHistogram } from './histogram.ts';

const dayMs = 86_400_000;
const leastWeight = 0.1;
const version = 'v3';

interface Peak {
  bytes: number;
  atMs: number;
  endsMs: number;
}

export interface BumpUp {
  readonly ratio: number;
  readonly leastBytes: number;
}

export class ContainerUse {
  /** Cores. */
  readonly cpu = new DecayingHistogram({ first: 0.01, most: 1000 }, dayMs);
  /** Bytes. */
  readonly memory = new DecayingHistogram({ first: 1e7, most: 1e12 }, dayMs);
  readonly #peaks = new Map<string, Peak>();
  /** Of each pod: what was taken in last. */
  readonly #seenMs = new Map<string, number>();
  #firstMs: number | undefined;
  #lastMs = 0;
  #count = 0;

  get lastMs(): number {
    return this.#lastMs;
  }

  get samples(): number {
    return this.#count;
  }

  /** How much is known, in days: no more than has passed, no more than one sample a minute makes. */
  get confidenceDays(): number {
    if (this.#firstMs === undefined) return 0;
    return Math.min((this.#lastMs - this.#firstMs) / dayMs, this.#count / (24 * 60));
  }

  /** True when it was new. */
  add(pod: string, sample: { atMs: number; cores: number; bytes: number; requestedCores: number }): boolean {
    const { atMs, cores, bytes, requestedCores } = sample;
    if (!(cores >= 0) || !(bytes >= 0) || !Number.isFinite(cores + bytes)) return false;
    if (atMs <= (this.#seenMs.get(pod) ?? Number.NEGATIVE_INFINITY)) return false;
    this.#seenMs.set(pod, atMs);
    this.cpu.add(cores, Math.max(requestedCores, leastWeight), atMs);
    this.#peak(pod, bytes, atMs);
    this.#firstMs = Math.min(this.#firstMs ?? atMs, atMs);
    this.#lastMs = Math.max(this.#lastMs, atMs);
    this.#count++;
    return true;
  }

  /** It ran out of memory with so much. */
  outOfMemory(pod: string, atMs: number, hadBytes: number, { ratio, leastBytes }: BumpUp): void {
    const used = Math.max(hadBytes, this.#peaks.get(pod)?.bytes ?? 0);
    if (used <= 0) return;
    this.#peak(pod, Math.max(used + leastBytes, used * ratio), atMs);
    this.#firstMs ??= atMs;
    this.#lastMs = Math.max(this.#lastMs, atMs);
    this.#count++;
  }

  /** Of pods that are gone nothing more comes. */
  keepOnly(pods: ReadonlySet<string>): void {
    for (const pod of this.#seenMs.keys()) if (!pods.has(pod)) this.#seenMs.delete(pod);
    for (const pod of this.#peaks.keys()) if (!pods.has(pod)) this.#peaks.delete(pod);
  }

  checkpoint(nowMs: number): VerticalPodAutoscalerCheckpointStatus {
    return {
      lastUpdateTime: formatTime(nowMs),
      version,
      cpuHistogram: this.cpu.checkpoint(),
      memoryHistogram: this.memory.checkpoint(),
      firstSampleStart: formatTime(this.#firstMs ?? nowMs),
      lastSampleStart: formatTime(this.#lastMs),
      totalSamplesCount: this.#count,
    };
  }

  load(status: VerticalPodAutoscalerCheckpointStatus): void {
    if (status.version !== version) return;
    this.cpu.load(status.cpuHistogram ?? {});
    this.memory.load(status.memoryHistogram ?? {});
    const [firstMs, lastMs] = [
      Date.parse(status.firstSampleStart ?? ''),
      Date.parse(status.lastSampleStart ?? ''),
    ];
    this.#firstMs = Number.isNaN(firstMs) ? undefined : firstMs;
    this.#lastMs = Number.isNaN(lastMs) ? 0 : lastMs;
    this.#count = Math.max(0, status.totalSamplesCount ?? 0);
  }

  #peak(pod: string, bytes: number, atMs: number): void {
    const peak = this.#peaks.get(pod);
    if (peak === undefined || atMs >= peak.endsMs) {
      if (bytes > 0) this.memory.add(bytes, 1, atMs);
      this.#peaks.set(pod, { bytes, atMs, endsMs: atMs + dayMs });
      return;
    }
    if (bytes <= peak.bytes) return;
    if (peak.bytes > 0) this.memory.remove(peak.bytes, 1, peak.atMs);
    this.memory.add(bytes, 1, atMs);
    peak.bytes = bytes;
    peak.atMs = atMs;
  }
}
