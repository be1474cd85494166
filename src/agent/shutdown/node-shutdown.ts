/**
 * Ends the pods of a node that is about to go down: the less important first, each group within its time. As the kubelet does it, and worded so.
 *
 *   begin ▶ NotReady "node is shutting down", nothing new is let in ─▶ group after group: told to end, waited for ─▶ resolves
 *
 * Invariant: however pods behave, it takes no longer than the groups have together.
 */
import type { ObjectReference, Pod } from '../../api/index.ts';
import type { EventRecorder } from '../../client/index.ts';
import type { Clock, Log } from '../../lib/index.ts';
import type { Verdict } from '../pods/observed.ts';

/** Pods of at least this priority (and below that of the next group) have so long to end. */
export interface ShutdownGroup {
  readonly priority: number;
  readonly graceMs: number;
}

export interface NodeShutdownOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly events: Pick<EventRecorder, 'record'>;
  readonly node: ObjectReference;
  /** None: pods are left alone. */
  readonly groups: readonly ShutdownGroup[];
  /** Pods that are not over. */
  readonly pods: () => Iterable<Pod>;
  readonly end: (pod: Pod, verdict: Verdict) => void;
  /** Nothing of it runs or is mounted any more, and the API knows. */
  readonly isDone: (podUid: string) => boolean;
  /** Others have to be told of the node's condition. Resolves when they have been. */
  readonly onCondition: () => Promise<void>;
}

const lookAgainMs = 100;
/** How long is waited for an API server that does not answer. */
const toldWithinMs = 2000;
const message = 'Pod was terminated in response to imminent node shutdown.';

/** Lowest priority first; each pod with the highest group that it reaches, those below all with the first. */
export function groupPods(
  groups: readonly ShutdownGroup[],
  pods: Iterable<Pod>,
): readonly { readonly graceMs: number; readonly pods: readonly Pod[] }[] {
  const sorted = groups.toSorted((a, b) => a.priority - b.priority);
  const result = sorted.map(({ graceMs }) => ({ graceMs, pods: [] as Pod[] }));
  for (const pod of pods) {
    const reached = sorted.findLastIndex(({ priority }) => priority <= (pod.spec?.priority ?? 0));
    result[Math.max(0, reached)]?.pods.push(pod);
  }
  return result;
}

export class NodeShutdown {
  readonly #options: NodeShutdownOptions;
  #running: Promise<void> | undefined;
  #isUnderway = false;

  constructor(options: NodeShutdownOptions) {
    this.#options = options;
  }

  /** What the node says of itself; undefined: nothing. */
  get notReady(): string | undefined {
    return this.#isUnderway ? 'node is shutting down' : undefined;
  }

  /** Why a pod that has just come is not begun. */
  get rejection(): { readonly reason: string; readonly message: string } | undefined {
    if (!this.#isUnderway) return undefined;
    return { reason: 'NodeShutdown', message: 'Pod was rejected as the node is shutting down.' };
  }

  /** Resolves when all pods have ended, or their time is over. Asked again meanwhile it is the same. Never rejects. */
  begin(): Promise<void> {
    if (this.#options.groups.length === 0) return Promise.resolve();
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** The machine stays up after all. Pods that were ended stay so; what is under way goes on to its end. */
  cancel(): void {
    if (!this.#isUnderway) return;
    this.#isUnderway = false;
    this.#tell('Shutdown manager detected shutdown cancellation');
    void this.#options.onCondition();
  }

  async #run(): Promise<void> {
    const { clock, log, groups, pods, onCondition } = this.#options;
    if (!this.#isUnderway) this.#tell('Shutdown manager detected shutdown event');
    this.#isUnderway = true;
    const enough = new AbortController();
    const told = Promise.race([onCondition(), clock.sleep(toldWithinMs, enough.signal)]);
    for (const group of groupPods(groups, pods())) {
      const left = await this.#endGroup(group.graceMs, group.pods);
      if (left.length > 0)
        log.warn('pods did not end in time', { pods: left.map(({ metadata }) => metadata.name) });
    }
    await told;
    enough.abort();
  }

  /** Answers who has not ended. */
  async #endGroup(graceMs: number, pods: readonly Pod[]): Promise<readonly Pod[]> {
    const { clock, end, isDone } = this.#options;
    const deadlineMs = clock.monotonicMs() + graceMs;
    for (const pod of pods) {
      const own = (pod.spec?.terminationGracePeriodSeconds ?? 30) * 1000;
      const reason = 'Terminated';
      const verdict = { kind: 'ended', reason, message, atMs: clock.nowMs(), isDisruption: true } as const;
      end(pod, { ...verdict, graceMs: Math.min(graceMs, own) });
    }
    let left = pods;
    for (;;) {
      left = left.filter(({ metadata }) => !isDone(metadata.uid ?? ''));
      if (left.length === 0 || clock.monotonicMs() >= deadlineMs) return left;
      await clock.sleep(Math.min(lookAgainMs, deadlineMs - clock.monotonicMs()));
    }
  }

  #tell(what: string): void {
    const { events, node } = this.#options;
    events.record({ about: node, type: 'Normal', reason: 'Shutdown', message: what });
  }
}
