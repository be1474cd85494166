/**
 * Asks running containers how they are, each probe on its own beat. Time and the asking itself are passed in.
 *
 *   sync(pod, running containers) ──▶ one beat per probe ──▶ ProbeRunner ──▶ thresholds ──▶ onChange(pod uid)
 *
 * Invariant: a probe never overlaps itself; liveness and readiness wait for the startup probe; a container whose liveness or
 * startup has failed is not asked again (it is about to be restarted).
 */
import type { Container, HTTPGetAction, Pod, Probe } from '../../api/index.ts';
import type { Clock, Timer } from '../../lib/index.ts';
import type { ProbeResult, ProbeView } from '../pods/observed.ts';
import { countProbe, freshCount, type ProbeCount } from './probe-state.ts';

export interface ProbeTarget {
  readonly podUid: string;
  readonly containerId: string;
  /** Where HTTP, TCP and gRPC go unless the probe names a host. */
  readonly address: string;
  readonly container: Container;
}

export interface ProbeOutcome {
  readonly ok: boolean;
  /** Worded as the kubelet does: `HTTP probe failed with statuscode: 500`. */
  readonly output: string;
  /** It is well, but somebody should know: `Probe terminated redirects, …`. */
  readonly warning?: string;
}

/** One question. Never rejects. Also runs the HTTP and TCP hooks of a container's life cycle. */
export interface ProbeRunner {
  run(action: ProbeAction, target: ProbeTarget, timeoutMs: number): Promise<ProbeOutcome>;
}

export type ProbeAction = Pick<Probe, 'exec' | 'httpGet' | 'tcpSocket' | 'grpc'>;
export type { HTTPGetAction };

export type ProbeKind = 'startup' | 'readiness' | 'liveness';

export interface ProbedContainer {
  readonly container: Container;
  readonly id: string;
  readonly startedAtMs: number;
  /** After a restart of the agent: what the API object says. */
  readonly wasReady: boolean;
  readonly wasStarted: boolean;
}

interface Beat {
  readonly podUid: string;
  readonly kind: ProbeKind;
  readonly probe: Probe;
  target: ProbeTarget;
  count: ProbeCount;
  /** Of good answers over the network: a mean in which the last counts a quarter. */
  responseMs: number | undefined;
  timer: Timer | undefined;
  stopped: boolean;
}

const kinds: readonly ProbeKind[] = ['startup', 'readiness', 'liveness'];
const probeOf = (container: Container, kind: ProbeKind): Probe | undefined =>
  kind === 'startup'
    ? container.startupProbe
    : kind === 'readiness'
      ? container.readinessProbe
      : container.livenessProbe;

export interface ProberOptions {
  readonly clock: Clock;
  readonly runner: ProbeRunner;
  readonly onChange: (podUid: string) => void;
  readonly onFailure: (podUid: string, container: Container, kind: ProbeKind, output: string) => void;
  readonly onWarning: (podUid: string, container: Container, kind: ProbeKind, warning: string) => void;
}

export class Prober {
  readonly #options: ProberOptions;
  /** pod uid → `id/kind` → beat */
  readonly #beats = new Map<string, Map<string, Beat>>();

  constructor(options: ProberOptions) {
    this.#options = options;
  }

  /** From now on exactly these containers of the pod are probed. */
  sync(pod: Pod, address: string, containers: readonly ProbedContainer[], terminating: boolean): void {
    const podUid = pod.metadata.uid ?? '';
    const beats = this.#beats.get(podUid);
    const wanted = new Set<string>();
    for (const item of containers) {
      for (const kind of kinds) {
        const probe = probeOf(item.container, kind);
        if (probe === undefined || (terminating && kind !== 'readiness')) continue;
        wanted.add(`${item.id}/${kind}`);
        const beat = beats?.get(`${item.id}/${kind}`);
        if (beat === undefined) this.#begin(podUid, address, item, kind, probe);
        else if (beat.target.address !== address) beat.target = { ...beat.target, address };
      }
    }
    for (const [key, beat] of beats ?? []) {
      if (wanted.has(key)) continue;
      this.#end(beat);
      beats?.delete(key);
    }
    if (beats?.size === 0) this.#beats.delete(podUid);
  }

  view(podUid: string, containerId: string): ProbeView {
    const beats = this.#beats.get(podUid);
    const result = (kind: ProbeKind): ProbeResult =>
      beats?.get(`${containerId}/${kind}`)?.count.result ?? 'unknown';
    return { startup: result('startup'), readiness: result('readiness'), liveness: result('liveness') };
  }

  /** Of all its probes over the network, on average; startup probes do not count. */
  responseMs(podUid: string): number | undefined {
    let [sum, count] = [0, 0];
    for (const { kind, responseMs } of this.#beats.get(podUid)?.values() ?? []) {
      if (responseMs === undefined || kind === 'startup') continue;
      sum += responseMs;
      count++;
    }
    return count === 0 ? undefined : sum / count;
  }

  forget(podUid: string): void {
    for (const beat of this.#beats.get(podUid)?.values() ?? []) this.#end(beat);
    this.#beats.delete(podUid);
  }

  stop(): void {
    for (const podUid of [...this.#beats.keys()]) this.forget(podUid);
  }

  #end(beat: Beat): void {
    beat.stopped = true;
    beat.timer?.cancel();
  }

  #begin(podUid: string, address: string, item: ProbedContainer, kind: ProbeKind, probe: Probe): void {
    const known = kind === 'readiness' ? item.wasReady : kind === 'startup' ? item.wasStarted : false;
    const beat: Beat = {
      podUid,
      kind,
      probe,
      target: { podUid, containerId: item.id, address, container: item.container },
      count: known ? { result: 'success', inRow: 1, last: 'success' } : freshCount,
      responseMs: undefined,
      timer: undefined,
      stopped: false,
    };
    const beats = this.#beats.get(podUid) ?? new Map<string, Beat>();
    this.#beats.set(podUid, beats);
    beats.set(`${item.id}/${kind}`, beat);
    const dueMs = item.startedAtMs + (probe.initialDelaySeconds ?? 0) * 1000;
    this.#schedule(beat, Math.max(0, dueMs - this.#options.clock.nowMs()));
  }

  #schedule(beat: Beat, delayMs: number): void {
    beat.timer = this.#options.clock.after(delayMs, () => void this.#ask(beat));
  }

  async #ask(beat: Beat): Promise<void> {
    const { clock, runner, onChange, onFailure, onWarning } = this.#options;
    const { probe, kind, podUid, target } = beat;
    const periodMs = (probe.periodSeconds ?? 10) * 1000;
    if (beat.stopped) return;
    const startup = this.#beats.get(podUid)?.get(`${target.containerId}/startup`);
    if (kind !== 'startup' && startup !== undefined && startup.count.result !== 'success') {
      // Looks again soon after the container has started, not a whole period later.
      this.#schedule(beat, Math.min(periodMs, 1000));
      return;
    }
    if (kind === 'startup' && beat.count.result === 'success') return;
    const askedAtMs = clock.monotonicMs();
    const outcome = await runner.run(probe, target, (probe.timeoutSeconds ?? 1) * 1000);
    if (beat.stopped) return;
    if (outcome.ok && probe.exec === undefined) {
      const tookMs = clock.monotonicMs() - askedAtMs;
      beat.responseMs = beat.responseMs === undefined ? tookMs : beat.responseMs * 0.75 + tookMs * 0.25;
    }
    if (!outcome.ok) onFailure(podUid, target.container, kind, outcome.output);
    else if (outcome.warning !== undefined) onWarning(podUid, target.container, kind, outcome.warning);
    const before = beat.count.result;
    beat.count = countProbe(beat.count, outcome.ok ? 'success' : 'failure', {
      success: probe.successThreshold ?? 1,
      failure: probe.failureThreshold ?? 3,
    });
    if (beat.count.result !== before) onChange(podUid);
    const { result } = beat.count;
    if (result === 'failure' && kind !== 'readiness') return;
    if (result === 'success' && kind === 'startup') return;
    this.#schedule(beat, Math.max(0, periodMs - (clock.monotonicMs() - askedAtMs)));
  }
}
