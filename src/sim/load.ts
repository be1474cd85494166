/**
 * The load that Deployments `scaled-0` … are under, and what their pods use because of it: CPU in proportion to their share of it, shared evenly by those that are
 * really ready. Pure, by world time; what was so of late is kept for those who check what is told of it.
 */
import type { KubeObject, Pod } from '../api/index.ts';
import type { TruthEvent } from './truth.ts';

export const scaledLabel = 'scaled';

/** What one pod can use at most: a greater load is too much for it. */
export const useMilliMax = 1000;
/** One that takes no load. */
export const idleMilli = 1;
export const useMiB = 12;
export const requestMiB = 16;
const historyMs = 400_000;

/** Of each pod that takes load, from then on. */
export interface Use {
  readonly atMs: number;
  readonly cpuMilli: number;
}

export const useMilli = (loadMilli: number, pods: number): number =>
  pods === 0 ? idleMilli : Math.max(idleMilli, Math.min(useMilliMax, Math.floor(loadMilli / pods)));

export class Loads {
  readonly #nowMs: () => number;
  readonly #milli = new Map<string, number>();
  /** By workload: uids. */
  readonly #ready = new Map<string, Set<string>>();
  readonly #workloads = new Map<string, string>();
  readonly #history = new Map<string, Use[]>();
  /** When one of them was changed last. */
  changedMs = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  of(workload: string): number {
    return this.#milli.get(workload) ?? 0;
  }

  set(workload: string, milli: number): void {
    if (this.of(workload) !== milli) this.changedMs = this.#nowMs();
    this.#milli.set(workload, milli);
    this.#note(workload);
  }

  onEvent({ kind, resource, object }: TruthEvent): void {
    if (resource !== 'pods') return;
    const workload = object.metadata.labels?.[scaledLabel];
    const { uid = '' } = object.metadata;
    if (workload === undefined) return;
    let ready = this.#ready.get(workload);
    if (ready === undefined) {
      ready = new Set();
      this.#ready.set(workload, ready);
    }
    const count = ready.size;
    if (kind === 'delete') this.#workloads.delete(uid);
    else this.#workloads.set(uid, workload);
    if (kind !== 'delete' && takesLoad(object)) ready.add(uid);
    else ready.delete(uid);
    if (ready.size !== count) this.#note(workload);
  }

  /** The workload of a pod; undefined: it is under no load, and nothing is told of it. */
  workloadOf(uid: string): string | undefined {
    return this.#workloads.get(uid);
  }

  now(uid: string): { readonly cpuMilli: number; readonly memoryBytes: number } | undefined {
    const workload = this.#workloads.get(uid);
    if (workload === undefined) return undefined;
    const ready = this.#ready.get(workload);
    const cpuMilli = ready?.has(uid) === true ? useMilli(this.of(workload), ready.size) : idleMilli;
    return { cpuMilli, memoryBytes: useMiB * 2 ** 20 };
  }

  /** What a pod that takes load used at some time since then, the least and the most. */
  range(workload: string, sinceMs: number): readonly [least: number, most: number] {
    let [least, most] = [Number.POSITIVE_INFINITY, 0];
    const uses = this.#history.get(workload) ?? [];
    for (let at = uses.length - 1; at >= 0; at--) {
      const { atMs, cpuMilli } = uses[at] as Use;
      least = Math.min(least, cpuMilli);
      most = Math.max(most, cpuMilli);
      if (atMs <= sinceMs) return [least, most];
    }
    return [0, most];
  }

  #note(workload: string): void {
    const cpuMilli = useMilli(this.of(workload), this.#ready.get(workload)?.size ?? 0);
    const uses = this.#history.get(workload);
    const atMs = this.#nowMs();
    if (uses === undefined) this.#history.set(workload, [{ atMs, cpuMilli }]);
    else {
      uses.push({ atMs, cpuMilli });
      while (uses.length > 2 && (uses[1] as Use).atMs < atMs - historyMs) uses.shift();
    }
  }
}

export function takesLoad(object: KubeObject): boolean {
  const { metadata, status } = object as Pod;
  return (
    metadata.deletionTimestamp === undefined &&
    status?.phase === 'Running' &&
    status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true
  );
}
