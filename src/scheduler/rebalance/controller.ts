/**
 * Rebalance policies as a program: plans when a policy's time has come, says what it found in its status, and moves pods where it may.
 *
 *   policies (informer) ─▶ due? ─▶ world of this moment ─▶ plan, bit by bit ─▶ status ─┬─▶ Propose: that was all
 *                                                                               └─▶ Apply: evictions ─▶ status
 *
 * One plan at a time, of all policies. Costs nothing but a watch where there are none.
 */
import {
  type Node,
  nodes as nodesRef,
  type Pod,
  pods as podsRef,
  type RebalancePolicy,
  rebalancePolicies,
} from '../../api/index.ts';
import { type Client, createEventRecorder, type EventRecorder, type Informers } from '../../client/index.ts';
import {
  type Clock,
  type Log,
  nextTimeMs,
  parseCronSchedule,
  type Random,
  sameJson,
} from '../../lib/index.ts';
import { type Applied, type ApplyOptions, applyMoves, holdLastsMs, sweepHolds } from './apply.ts';
import { isLess, type Move, type MovePlan, measures, milliseconds, planningOf } from './plan-moves.ts';
import { lastingPart, statusOf, tellStatus } from './policy-status.ts';
import { readWorld } from './world.ts';

export interface RebalancerOptions {
  readonly client: Client;
  readonly informers: Informers;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Whether it is this program that plans, where there are several; default: it is. */
  readonly isLeader?: () => boolean;
}

/** A plan that finds what the last one found is told again after so long. */
const toldAgainMs = 300_000;
/** Others are served in between. */
const sliceMs = 10;
const againMs = 10_000;
const stalledMaxMs = 3_600_000;

interface Kept {
  /** How much was wrong before the last moves; undefined: none were made. */
  wrong: readonly number[] | undefined;
  /** How often in a row moves have made nothing better: somebody puts pods back. */
  stalls: number;
  generation: number;
  lastPlanMs: number;
  toldMs: number;
}

export function startRebalancer(options: RebalancerOptions): { stop(): void } {
  const rebalancer = new Rebalancer(options);
  rebalancer.start();
  return rebalancer;
}

class Rebalancer {
  readonly #options: RebalancerOptions;
  readonly #events: EventRecorder;
  readonly #kept = new Map<string, Kept>();
  #timer: { cancel(): void } | undefined;
  #sweep: { cancel(): void } | undefined;
  #subscription: { cancel(): void } | undefined;
  #isBusy = false;
  #isStopped = false;

  constructor(options: RebalancerOptions) {
    this.#options = options;
    this.#events = createEventRecorder({ ...options, component: 'rebalancer' });
  }

  start(): void {
    const { informers } = this.#options;
    this.#subscription = informers.informer<RebalancePolicy>(rebalancePolicies).onChange((change) => {
      if (change.kind === 'deleted') this.#kept.delete(change.object.metadata.uid ?? '');
      if (change.kind !== 'updated' || !sameJson(change.previous.spec, change.object.spec)) this.#look();
    });
    this.#sweepLater();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#sweep?.cancel();
    this.#subscription?.cancel();
    this.#events.stop();
  }

  #sweepLater(): void {
    const { clock, informers } = this.#options;
    this.#sweep = clock.after(holdLastsMs, () => {
      void sweepHolds(this.#options, informers.informer<Node>(nodesRef).list());
      this.#sweepLater();
    });
  }

  /** The policy whose time has come first: now, or when it has. */
  #look(): void {
    if (this.#isBusy || this.#isStopped) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    const { clock, informers } = this.#options;
    let next: { readonly atMs: number; readonly policy: RebalancePolicy } | undefined;
    for (const policy of informers.informer<RebalancePolicy>(rebalancePolicies).list()) {
      const atMs = this.#dueMs(policy);
      if (atMs !== undefined && (next === undefined || atMs < next.atMs)) next = { atMs, policy };
    }
    if (next === undefined) return;
    const { atMs, policy } = next;
    // Not longer than an hour: clocks may be set.
    const restMs = Math.min(3_600_000, Math.max(0, atMs - clock.nowMs()));
    this.#timer = clock.after(restMs, () => {
      this.#timer = undefined;
      if (this.#options.isLeader?.() === false) this.#timer = clock.after(againMs, () => this.#look());
      else if (atMs > clock.nowMs()) this.#look();
      else void this.#run(policy.metadata.name ?? '');
    });
  }

  #dueMs({ metadata, spec, status }: RebalancePolicy): number | undefined {
    if (spec.suspend === true || metadata.deletionTimestamp !== undefined) return undefined;
    const kept = this.#kept.get(metadata.uid ?? '');
    const lastMs = kept?.lastPlanMs ?? (Date.parse(status?.lastPlanTime ?? '') || undefined);
    if (spec.schedule !== undefined) {
      const parsed = parseCronSchedule(spec.schedule);
      const bornMs = Date.parse(metadata.creationTimestamp ?? '') || 0;
      return parsed.kind === 'error' ? undefined : nextTimeMs(parsed.schedule, lastMs ?? bornMs);
    }
    if (spec.interval === undefined) return undefined;
    // What it says is new: its plan is too.
    const isNew = (kept?.generation ?? status?.observedGeneration) !== metadata.generation;
    if (lastMs === undefined || isNew) return 0;
    const restMs = Math.max(1000, milliseconds(spec.interval));
    // Ever more rarely while it does not help.
    return lastMs + Math.max(restMs, Math.min(stalledMaxMs, restMs * 2 ** Math.min(20, kept?.stalls ?? 0)));
  }

  async #run(name: string): Promise<void> {
    this.#isBusy = true;
    const { clock, informers, log } = this.#options;
    try {
      const policy = informers.informer<RebalancePolicy>(rebalancePolicies).get(name);
      if (policy !== undefined) await this.#rebalance(policy);
    } catch (error) {
      if (!this.#isStopped) log.warn('cannot rebalance', { policy: name, error });
      await clock.sleep(againMs);
    } finally {
      this.#isBusy = false;
      this.#look();
    }
  }

  async #rebalance(policy: RebalancePolicy): Promise<void> {
    const { client, clock, informers } = this.#options;
    const { uid = '', generation = 0 } = policy.metadata;
    const nodes = informers.informer<Node>(nodesRef);
    const pods = informers.informer<Pod>(podsRef);
    await Promise.all([nodes.whenSynced(), pods.whenSynced()]);
    const plannedMs = clock.nowMs();
    const kept = this.#kept.get(uid);
    const isNew = kept?.generation !== generation;
    const mine: Kept = {
      generation,
      lastPlanMs: plannedMs,
      toldMs: kept?.toldMs ?? 0,
      wrong: isNew ? undefined : kept.wrong,
      stalls: isNew ? 0 : kept.stalls,
    };
    this.#kept.set(uid, mine);
    const world = await readWorld(client, [...nodes.list()], [...pods.list()], plannedMs);
    const plan = await this.#planned(planningOf(world, policy.spec));
    if (this.#isStopped) return;
    const mayApply = policy.spec.mode === 'Apply' && plan.phases.length > 0;
    if (mayApply) {
      const wrong = measures(world, policy.spec);
      mine.stalls = mine.wrong === undefined || isLess(wrong, mine.wrong) ? 0 : mine.stalls + 1;
      mine.wrong = wrong;
    }
    const applied = mayApply ? await this.#apply(policy, plan) : undefined;
    const next = statusOf(policy, plan, plannedMs, applied, clock.nowMs());
    const isSame = sameJson(lastingPart(next), lastingPart(policy.status ?? {}));
    if (isSame && plannedMs - mine.toldMs < toldAgainMs) return;
    mine.toldMs = plannedMs;
    await tellStatus(client, policy, next);
  }

  async #planned(planning: Generator<undefined, MovePlan>): Promise<MovePlan> {
    const { clock } = this.#options;
    for (;;) {
      const startMs = clock.monotonicMs();
      do {
        const step = planning.next();
        if (step.done === true) return step.value;
      } while (clock.monotonicMs() - startMs < sliceMs);
      await clock.sleep(0);
    }
  }

  async #apply({ metadata }: RebalancePolicy, plan: MovePlan): Promise<Applied> {
    const options: ApplyOptions = {
      ...this.#options,
      onMove: (move) => {
        recordMove(this.#events, move, `policy ${metadata.name}`);
      },
    };
    return await applyMoves(options, plan);
  }
}

export function recordMove(events: EventRecorder, { pod, uid, from, reason }: Move, by: string): void {
  const [namespace = '', name = ''] = pod.split('/');
  events.record({
    about: { apiVersion: 'v1', kind: 'Pod', namespace, name, uid },
    type: 'Normal',
    reason: 'Rebalanced',
    message: `Evicted from node ${from} by ${by}: ${reason}`,
  });
}
