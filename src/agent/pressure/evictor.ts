/**
 * Keeps a node from running out: of memory, disk, processes; and pods within the disk that they may use.
 *
 *   every 10 s: gauge ▶ observe ▶ conditions on the node ─▶ images that nobody uses go ─▶ at most one pod goes, and is waited for
 *
 * All figures come from the gauge and from `measure`: tests make them up. Invariant: pods that the node needs are never evicted.
 */
import type { ObjectReference, Pod } from '../../api/index.ts';
import type { EventRecorder } from '../../client/index.ts';
import type { Clock, Log, Timer } from '../../lib/index.ts';
import type { NodeConfig, Threshold } from '../node/node-config.ts';
import type { NodePressure } from '../node/node-object.ts';
import type { Verdict } from '../pods/observed.ts';
import {
  calmState,
  isMet,
  type MachineReading,
  observe,
  type PressureCondition,
  type PressureState,
  scarceOf,
} from './thresholds.ts';
import {
  brokenLimit,
  type Candidate,
  evictionMessage,
  isCritical,
  limitsDisk,
  type PodUse,
  rank,
} from './victims.ts';

export interface EvictorOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly events: Pick<EventRecorder, 'record'>;
  readonly node: ObjectReference;
  readonly config: NodeConfig;
  readonly gauge: () => Promise<MachineReading>;
  /** Pods of which something runs. */
  readonly running: () => Iterable<Pod>;
  /** undefined: it is gone. Without `disk`, only memory and processes. */
  readonly measure: (pod: Pod, disk: boolean) => Promise<PodUse | undefined>;
  readonly evict: (pod: Pod, verdict: Verdict) => void;
  /** Nothing of it runs any more. */
  readonly isEnded: (podUid: string) => boolean;
  /** Deletes images that nobody uses. */
  readonly collectImages: () => Promise<void>;
  /** Others have to be told of the conditions. */
  readonly onConditions: () => void;
}

const intervalMs = 10_000;
/** How long a pod that was evicted is waited for before the next is looked at. */
const patienceMs = 30_000;
const lookAgainMs = 1000;
const hardGraceMs = 1000;

export class Evictor {
  readonly #options: EvictorOptions;
  #state: PressureState = calmState;
  #conditions: ReadonlySet<PressureCondition> = new Set();
  #timer: Timer | undefined;
  #stopped = false;
  #waiting: { readonly uids: readonly string[]; readonly untilMs: number } | undefined;

  constructor(options: EvictorOptions) {
    this.#options = options;
  }

  get pressure(): NodePressure {
    return {
      memory: this.#conditions.has('MemoryPressure'),
      disk: this.#conditions.has('DiskPressure'),
      pids: this.#conditions.has('PIDPressure'),
    };
  }

  get conditions(): ReadonlySet<PressureCondition> {
    return this.#conditions;
  }

  /** Resolves when the node's conditions are known. */
  async start(): Promise<void> {
    await this.#look();
    this.#schedule(intervalMs);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #schedule(delayMs: number): void {
    if (this.#stopped) return;
    this.#timer = this.#options.clock.after(delayMs, () => void this.#turn());
  }

  async #turn(): Promise<void> {
    if (this.#isWaiting()) return this.#schedule(lookAgainMs);
    await this.#look();
    this.#schedule(this.#waiting === undefined ? intervalMs : lookAgainMs);
  }

  #isWaiting(): boolean {
    if (this.#waiting === undefined) return false;
    const { uids, untilMs } = this.#waiting;
    const isOver = uids.every((uid) => this.#options.isEnded(uid));
    if (!isOver && this.#options.clock.monotonicMs() < untilMs) return true;
    this.#waiting = undefined;
    return false;
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    try {
      const reading = await this.#options.gauge();
      const { config, clock, onConditions } = this.#options;
      const { thresholds, pressureTransitionMs } = config;
      const seen = observe(this.#state, thresholds, reading, clock.monotonicMs(), pressureTransitionMs);
      this.#state = seen.state;
      const before = [...this.#conditions].sort().join();
      this.#conditions = seen.conditions;
      if ([...seen.conditions].sort().join() !== before) onConditions();
      const evicted = await this.#enforceLimits();
      if (evicted.length === 0 && seen.due !== undefined)
        evicted.push(...(await this.#makeRoom(seen.due, reading)));
      if (evicted.length > 0) this.#waiting = { uids: evicted, untilMs: clock.monotonicMs() + patienceMs };
    } catch (error) {
      this.#options.log.warn('cannot look after pressure', { error });
    }
  }

  /** Pods that use more disk than they themselves say. */
  async #enforceLimits(): Promise<string[]> {
    const evicted: string[] = [];
    for (const pod of this.#options.running()) {
      if (!limitsDisk(pod) || isCritical(pod)) continue;
      const use = await this.#options.measure(pod, true);
      const broken = use === undefined ? undefined : brokenLimit(pod, use);
      if (broken !== undefined) evicted.push(this.#evict(pod, broken, hardGraceMs, false));
    }
    return evicted;
  }

  async #makeRoom(threshold: Threshold, first: MachineReading): Promise<readonly string[]> {
    const { events, node, config, collectImages, gauge } = this.#options;
    const scarce = scarceOf(threshold.signal);
    const message = `Attempting to reclaim ${scarce}`;
    events.record({ about: node, type: 'Warning', reason: 'EvictionThresholdMet', message });
    let reading = first;
    const isDisk = scarce === 'ephemeral-storage' || scarce === 'inodes';
    if (isDisk) {
      await collectImages();
      reading = await gauge();
      if (!config.thresholds.some((one) => isMet(one, reading, true))) return [];
    }
    const candidates: Candidate[] = [];
    for (const pod of this.#options.running()) {
      if (isCritical(pod)) continue;
      const use = await this.#options.measure(pod, isDisk);
      if (use !== undefined) candidates.push({ pod, use });
    }
    const [victim] = rank(candidates, scarce);
    if (victim === undefined) {
      this.#options.log.warn('under pressure, and no pod that could be evicted', { scarce });
      return [];
    }
    const graceMs = threshold.isHard ? hardGraceMs : config.maxPodGraceMs;
    return [this.#evict(victim.pod, evictionMessage(victim, threshold, reading), graceMs, true)];
  }

  #evict(pod: Pod, message: string, graceMs: number, isDisruption: boolean): string {
    const own = (pod.spec?.terminationGracePeriodSeconds ?? 30) * 1000;
    this.#options.evict(pod, {
      kind: 'evicted',
      reason: 'Evicted',
      message,
      atMs: this.#options.clock.nowMs(),
      graceMs: Math.min(graceMs, own),
      isDisruption,
    });
    return pod.metadata.uid ?? '';
  }

  /** Why a pod that has just come is not begun now; undefined: it is. */
  rejection(
    pod: Pod,
    isBestEffort: boolean,
  ): { readonly reason: string; readonly message: string } | undefined {
    const conditions = [...this.#conditions].sort();
    if (conditions.length === 0 || isCritical(pod)) return undefined;
    if (conditions.length === 1 && conditions[0] === 'MemoryPressure') {
      const tolerates = pod.spec?.tolerations?.some(
        ({ key, operator, effect }) =>
          (key === 'node.kubernetes.io/memory-pressure' || (key === undefined && operator === 'Exists')) &&
          (effect === undefined || effect === 'NoSchedule'),
      );
      if (!isBestEffort || tolerates === true) return undefined;
    }
    return { reason: 'Evicted', message: `The node had condition: [${conditions.join(' ')}]. ` };
  }
}
