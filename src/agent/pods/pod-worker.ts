/**
 * Looks after one pod: keeps what is known of it, plans, starts what the plan asks for, writes its status.
 *
 *   API object, exits, probes, timers, ended operations ──wake──▶ sync: observe ▶ planPod ▶ operations (one a key) + status
 *                                                                   ▲                          │
 *                                                                   └──────── ended ───────────┘
 *
 * Serial by itself (a sync never waits), parallel to other workers. Invariant: of one key at most one operation runs (a stop may be
 * joined by a faster one).
 */
import type { Pod } from '../../api/index.ts';
import { type Clock, explainError, type Log, type Timer } from '../../lib/index.ts';
import type { ProbedContainer } from '../probes/prober.ts';
import { allocationOf, allocationOfStatus, type NodeRoom, roomOf } from './allocation.ts';
import { findContainer } from './containers.ts';
import { keyOfStep, type RuntimeStatus, type Step, type Verdict } from './observed.ts';
import { carryOut } from './operations.ts';
import { type PodParts, referenceTo } from './parts.ts';
import { planPod } from './plan.ts';
import { type Leftovers, PodState } from './pod-state.ts';
import { stateEvents } from './state-events.ts';
import { isNewer, StatusWriter } from './status-writer.ts';

export class PodWorker {
  readonly state: PodState;
  readonly parts: PodParts;
  readonly status: StatusWriter;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #runtimeName: string;
  /** Exits whose last words are being read. */
  readonly #exits = new Map<string, Promise<void>>();
  readonly #operations = new Set<Promise<void>>();
  /** The sources of volumes have changed while these were made. */
  #isStale = false;
  #scheduled = false;
  #stopped = false;
  #room: NodeRoom | undefined;
  #wakeTimer: Timer | undefined;
  #refreshTimer: Timer | undefined;

  constructor(uid: string, leftovers: Leftovers, parts: PodParts) {
    this.parts = parts;
    this.#clock = parts.clock;
    this.#log = parts.log.with({ podUid: uid });
    this.#runtimeName = parts.runtime.describe().name;
    this.state = new PodState(uid, leftovers, parts.clock.nowMs());
    this.status = new StatusWriter({
      client: parts.client,
      clock: parts.clock,
      random: parts.random,
      log: this.#log,
      onWritten: (pod) => this.#onWritten(pod),
      onConflict: (pod) => {
        this.#onWritten(pod);
        this.wake();
      },
    });
    for (const status of this.state.containers.values())
      if (status.state === 'exited') void this.#readLastWords(status);
  }

  /** The API object as the informer has it now; undefined: it is gone. */
  setPod(pod: Pod | undefined): void {
    const { state } = this;
    if (pod === undefined) {
      state.pod = undefined;
      state.goneAtMs ??= this.#clock.nowMs();
      this.status.stop();
    } else if (isNewer(pod, state.pod)) {
      const before = state.pod;
      state.pod = pod;
      state.lastPod = pod;
      state.allocation ??= allocationOfStatus(pod) ?? allocationOf(pod);
      if (before === undefined) this.#admit(pod);
      if (before !== undefined) this.#noteImages(before, pod);
      if (before !== undefined && labelsChanged(before, pod)) {
        this.#tryStartsAgain();
        this.refreshVolumes();
      }
    }
    this.wake();
  }

  /** A pod of which no agent has said anything yet is let in, or not. */
  #admit(pod: Pod): void {
    const { state, parts } = this;
    if (pod.status?.startTime !== undefined || state.containers.size > 0 || state.sandboxPresent) return;
    if (state.isOver || pod.metadata.deletionTimestamp !== undefined) return;
    const rejection = parts.rejection(pod);
    if (rejection === undefined) return;
    state.verdict = { kind: 'rejected', ...rejection, atMs: this.#clock.nowMs(), graceMs: 0 };
    parts.events.record({ about: referenceTo(pod), type: 'Warning', ...rejection });
  }

  /** With another image a container begins anew: what its old one did is forgotten. */
  #noteImages(before: Pod, pod: Pod): void {
    const containersOf = ({ spec }: Pod) => [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
    for (const { name, image } of containersOf(pod)) {
      const old = containersOf(before).find((one) => one.name === name);
      if (old !== undefined && old.image !== image)
        this.state.remember(name, {
          changedAtMs: this.#clock.nowMs(),
          backoff: undefined,
          startFailure: undefined,
        });
    }
  }

  /** The node needs what it takes, or goes down. */
  evict(verdict: Verdict): void {
    const { state } = this;
    if (state.pod === undefined || state.isOver) return;
    state.verdict = verdict;
    const { kind, reason, message } = verdict;
    if (kind !== 'ended')
      this.parts.events.record({ about: referenceTo(state.pod), type: 'Warning', reason, message });
    this.wake();
  }

  /** Resolves when the exit counts. Told several times of one exit, it counts once. */
  onExit(status: RuntimeStatus): Promise<void> {
    const known = this.state.containers.get(`${status.name}/${status.attempt}`);
    if (known?.state === 'exited' && known.id === status.id) return Promise.resolve();
    let counting = this.#exits.get(status.id);
    if (counting === undefined) {
      counting = this.#readLastWords(status).finally(() => this.#exits.delete(status.id));
      this.#exits.set(status.id, counting);
    }
    return counting;
  }

  /** A ConfigMap or Secret that the pod uses has changed. */
  onSourcesChanged(): void {
    this.#tryStartsAgain();
    const fault = this.state.faults.get('volumes');
    if (fault !== undefined) this.state.faults.set('volumes', { ...fault, retryAtMs: 0 });
    this.refreshVolumes();
    this.wake();
  }

  /** What could not be started may be started now: something that it depends on has changed. */
  #tryStartsAgain(): void {
    for (const [name, memory] of this.state.memory)
      if (memory.startFailure !== undefined) this.state.remember(name, { startFailure: undefined });
  }

  /** Brings the contents of volumes up to date, where they have been made. */
  refreshVolumes(): void {
    const { state } = this;
    // What is under way may have read its sources before they changed.
    if (state.busy.has('volumes')) this.#isStale = true;
    else if (state.volumesReady && state.pod !== undefined) this.#start({ kind: 'setUpVolumes' });
  }

  refreshVolumesAt(atMs: number): void {
    this.#refreshTimer?.cancel();
    const delayMs = Math.max(1000, atMs - this.#clock.nowMs());
    this.#refreshTimer = this.#clock.after(delayMs, () => this.refreshVolumes());
  }

  /** Looks again, soon; many calls become one. */
  wake(): void {
    if (this.#scheduled || this.#stopped) return;
    this.#scheduled = true;
    void Promise.resolve().then(() => {
      this.#scheduled = false;
      if (!this.#stopped) this.#sync();
    });
  }

  /** Stops acting. Containers go on. */
  stop(): void {
    this.#stopped = true;
    this.#wakeTimer?.cancel();
    this.#refreshTimer?.cancel();
    this.status.stop();
    this.parts.prober.forget(this.state.uid);
    for (const running of this.state.busy.values()) running.abort.abort();
  }

  /** Resolves when nothing that was begun is under way any more. */
  async settled(): Promise<void> {
    while (this.#operations.size > 0) await Promise.allSettled(this.#operations);
  }

  /** The address under which the pod is reached from this node. */
  get address(): string {
    const hostNetwork = this.state.lastPod?.spec?.hostNetwork === true;
    return hostNetwork ? this.parts.nodeAddress : (this.state.attachment?.addresses[0] ?? '');
  }

  #sync(): void {
    const { state, parts } = this;
    const nowMs = this.#clock.nowMs();
    const probes = new Map<string, ReturnType<typeof parts.prober.view>>();
    this.#syncProbes();
    for (const { id } of state.containers.values()) probes.set(id, parts.prober.view(state.uid, id));
    const around = { nodeAddress: parts.nodeAddress, runtimeName: this.#runtimeName, probes };
    const plan = planPod(state.observe(nowMs, around));
    if (plan.status !== undefined && state.pod !== undefined && !state.deleted) {
      for (const event of stateEvents(state.pod, plan.status)) parts.events.record(event);
      this.status.write(state.pod, plan.status);
    }
    for (const step of plan.steps) {
      if (step.kind === 'forget') {
        this.stop();
        parts.onForgotten(state.uid);
        return;
      }
      this.#start(step);
    }
    this.#noteRoom();
    this.#wakeTimer?.cancel();
    this.#wakeTimer = undefined;
    if (plan.wakeAtMs !== undefined)
      this.#wakeTimer = this.#clock.after(Math.max(1, plan.wakeAtMs - nowMs), () => this.wake());
  }

  /** Others may be waiting for what this one leaves. */
  #noteRoom(): void {
    const { granted, isOver } = this.state;
    const room = granted === undefined || isOver ? undefined : roomOf(granted);
    const before = this.#room;
    this.#room = room;
    if (before === undefined || room === before) return;
    if (room === undefined || room.cpuMilli < before.cpuMilli || room.memoryBytes < before.memoryBytes)
      this.parts.onRoom();
  }

  #start(step: Step): void {
    const key = keyOfStep(step);
    const busy = this.state.busy;
    if (step.kind === 'abortPull') {
      busy.get(`image/${step.container}`)?.abort.abort();
      return;
    }
    const joined = busy.get(key);
    if (joined !== undefined && step.kind !== 'stopContainer') return;
    // A faster stop cuts the hook of the slower one short.
    joined?.abort.abort();
    const running = joined ?? { count: 0, deadlineMs: undefined, abort: new AbortController() };
    running.count++;
    running.abort = new AbortController();
    if (step.kind === 'stopContainer') running.deadlineMs = step.deadlineMs;
    busy.set(key, running);
    const operation = this.#run(step, key, running.abort.signal);
    this.#operations.add(operation);
    void operation.finally(() => this.#operations.delete(operation));
  }

  async #run(step: Step, key: string, signal: AbortSignal): Promise<void> {
    try {
      await carryOut(this, step, signal);
      // Those of the whole pod keep their own account.
      if (key.includes('/')) this.state.faults.delete(key);
    } catch (error) {
      this.state.fail(key, explainError(error), this.#clock.nowMs());
      if (!this.#stopped) this.#log.warn('a step failed', { step: step.kind, error });
    }
    const running = this.state.busy.get(key);
    if (running !== undefined && --running.count === 0) this.state.busy.delete(key);
    if (key === 'volumes' && this.#isStale && !this.#stopped) {
      this.#isStale = false;
      this.refreshVolumes();
    }
    this.wake();
  }

  /** What an exited container left for its termination message; then the exit counts. */
  async #readLastWords(status: RuntimeStatus): Promise<void> {
    const { state, parts } = this;
    const pod = state.lastPod;
    const container = findContainer(pod, status.name)?.container;
    if (pod !== undefined && container !== undefined) {
      const fromLog = container.terminationMessagePolicy === 'FallbackToLogsOnError' && status.exitCode !== 0;
      try {
        const text = await parts.disk.terminationMessage(pod, container, status.attempt, fromLog);
        if (text !== '') state.terminationMessages.set(status.id, text);
      } catch (error) {
        this.#log.debug('cannot read termination message', { container: status.name, error });
      }
    }
    if (!state.removed.has(status.id)) state.setContainer(status);
    this.wake();
  }

  #onWritten(pod: Pod): void {
    if (pod.metadata.uid !== this.state.uid || this.state.pod === undefined) return;
    if (!isNewer(pod, this.state.pod)) return;
    this.state.pod = pod;
    this.state.lastPod = pod;
  }

  #syncProbes(): void {
    const { pod } = this.state;
    if (pod === undefined) {
      this.parts.prober.forget(this.state.uid);
      return;
    }
    const running: ProbedContainer[] = [];
    const reported = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
    for (const container of [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])]) {
      if (!container.readinessProbe && !container.livenessProbe && !container.startupProbe) continue;
      const current = this.state.latest(container.name);
      if (current?.state !== 'running') continue;
      const said = reported.find((item) => item.containerID?.endsWith(current.id) === true);
      running.push({
        container,
        id: current.id,
        startedAtMs: current.startedAtMs ?? this.#clock.nowMs(),
        wasReady: said?.ready === true,
        wasStarted: said?.started === true,
      });
    }
    this.parts.prober.sync(pod, this.address, running, pod.metadata.deletionTimestamp !== undefined);
  }
}

function labelsChanged(before: Pod, after: Pod): boolean {
  const text = (pod: Pod): string => JSON.stringify([pod.metadata.labels, pod.metadata.annotations]);
  return text(before) !== text(after);
}
