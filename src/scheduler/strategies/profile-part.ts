/**
 * Profiles, as a part of the scheduler: follows them, tells which is heeded and what went wrong with a custom score, and measures nodes for the strategies that
 * go by it.
 *
 *   profiles (informer) ─▶ Profiles ─▶ plan ─┐
 *   usage, annotations of nodes ─▶ figures ──┘─ a custom score failed ─▶ condition, Event
 *
 * Without a profile it only looks out for the first one. Invariant: a change is heeded from the next plan on, and what waits is tried again by it.
 */
import {
  type Node,
  nodes as nodesRef,
  type Pod,
  pods as podsRef,
  schedulingProfiles as profilesRef,
  type SchedulingProfile,
} from '../../api/index.ts';
import type { Change } from '../../client/index.ts';
import { formatTime, isError, sameJson } from '../../lib/index.ts';
import type { Step } from '../plan.ts';
import type { PartHost, SchedulerPart } from '../queue/part.ts';
import type { Scorer } from '../scorer.ts';
import type { ScoreFunction } from './custom.ts';
import { figuresOf, type NodeUsage } from './figures.ts';
import { Profiles, strategyAnnotation } from './profiles.ts';

/** How often nodes are measured while a strategy goes by it. */
const measureMs = 15_000;
const tellRestMs = 1000;
/** The same complaint is told again after so long. */
const toldAgainMs = 60_000;
/** When a custom score has not failed for so long, it is held to work. */
const recoveredMs = 120_000;
const messageMax = 1024;

/** What the program that runs the scheduler gives its profiles. */
export interface ProfileSources {
  /** Custom scores that are functions, by the names that profiles call them. */
  readonly scores?: Readonly<Record<string, ScoreFunction>>;
  /** What nodes use, where that is measured. */
  readonly nodeUsage?: () => Promise<NodeUsage | undefined>;
}

interface Failure {
  readonly message: string;
  readonly atMs: number;
}

export const startProfiles = (host: PartHost): SchedulerPart => new ProfilePart(host);

class ProfilePart implements SchedulerPart {
  readonly name = 'profiles';
  readonly #host: PartHost;
  readonly #profiles: Profiles;
  readonly #known = new Map<string, SchedulingProfile>();
  /** The last of each, by the profile's name. */
  readonly #failures = new Map<string, Failure>();
  readonly #toldMs = new Map<string, number>();
  readonly #subscription: { cancel(): void };
  #shadowed: ReadonlyMap<string, string> = new Map();
  #changeTimer: { cancel(): void } | undefined;
  #tellTimer: { cancel(): void } | undefined;
  #tellDueMs = 0;
  #measureTimer: { cancel(): void } | undefined;
  #stopped = false;

  constructor(host: PartHost) {
    this.#host = host;
    const { informers, clock, sources } = host;
    this.#profiles = new Profiles({
      ...(sources.scores === undefined ? {} : { functions: sources.scores }),
      nowMs: () => clock.monotonicMs(),
      tell: (profile, problem, pod) => this.#onFailure(profile, problem, pod),
      measure: () => this.#measureSoon(),
    });
    const profiles = informers.informer<SchedulingProfile>(profilesRef);
    this.#subscription = profiles.onChange((change) => this.#onProfile(change));
    host.hold(profiles.whenSynced().then(() => this.#heed()));
  }

  get policy(): { scorerOf(pod: Pod): Scorer } {
    return this.#profiles;
  }

  schedules(schedulerName: string): boolean {
    return this.#profiles.has(schedulerName);
  }

  /** It is placed all the same, by what else is said. */
  decided(step: Step, pod: Pod): void {
    if (step.kind !== 'bind' || pod.metadata.annotations?.[strategyAnnotation] === undefined) return;
    const message = this.#profiles.refusedStrategy(pod);
    if (message === undefined) return;
    const { namespace, name, uid } = pod.metadata;
    const about = { apiVersion: 'v1', kind: 'Pod', namespace, name, uid };
    const { events } = this.#host;
    events.record({ about, type: 'Warning', reason: 'StrategyNotHeeded', message } as never);
  }

  stop(): void {
    this.#stopped = true;
    this.#subscription.cancel();
    this.#changeTimer?.cancel();
    this.#tellTimer?.cancel();
    this.#measureTimer?.cancel();
  }

  #onProfile({ kind, key, object }: Change<SchedulingProfile>): void {
    const before = this.#known.get(key);
    if (kind === 'deleted') {
      this.#known.delete(key);
      this.#failures.delete(key);
    } else this.#known.set(key, object);
    // Its status is our own word.
    if (kind !== 'deleted' && before !== undefined && sameJson(before.spec, object.spec)) return;
    this.#failures.delete(key);
    this.#toldMs.delete(key);
    // After the events of this turn.
    this.#changeTimer ??= this.#host.clock.after(0, () => {
      this.#changeTimer = undefined;
      if (!this.#stopped) this.#heed();
    });
  }

  #heed(): void {
    const names = new Set([...this.#known.values()].map(({ spec }) => spec?.schedulerName ?? ''));
    const newNames = new Set([...names].filter((name) => !this.#profiles.has(name)));
    this.#shadowed = this.#profiles.set([...this.#known.values()]);
    if (this.#known.size > 0 || newNames.size > 0) this.#offerWaiting(newNames);
    this.#tellSoon();
    if (this.#profiles.isMeasured) this.#measureSoon();
  }

  /** In the middle of a plan, it may be: this one goes by what is known. */
  #measureSoon(): void {
    this.#measureTimer ??= this.#host.clock.after(0, () => void this.#measure());
  }

  /** Pods of a scheduler's name that nobody answered to until now; and those that found no place by what was said before. */
  #offerWaiting(names: ReadonlySet<string>): void {
    const keys: string[] = [];
    for (const pod of this.#host.informers.informer<Pod>(podsRef).list()) {
      const { nodeName = '', schedulerName = '' } = pod.spec ?? {};
      if (nodeName === '' && names.has(schedulerName))
        keys.push(`${pod.metadata.namespace}/${pod.metadata.name}`);
    }
    if (keys.length > 0) this.#host.tryAgain(keys);
    this.#host.tryAgain();
  }

  /** In the middle of a plan: it is noted, and told later. */
  #onFailure(profile: string, problem: string, pod: Pod): void {
    const { clock, events } = this.#host;
    const atMs = clock.monotonicMs();
    const message = `custom score: ${problem}`.slice(0, messageMax);
    // The first complaint stands, though each node has one of its own.
    const said = this.#failures.get(profile)?.message;
    this.#failures.set(profile, { message: said ?? message, atMs });
    if (said === undefined) this.#tellSoon();
    const told = this.#toldMs.get(profile);
    if (told !== undefined && atMs - told < toldAgainMs) return;
    this.#toldMs.set(profile, atMs);
    const object = this.#known.get(profile);
    const { namespace, name, uid } = pod.metadata;
    const about = { apiVersion: 'v1', kind: 'Pod', namespace, name, uid };
    const text = `SchedulingProfile "${profile}": ${message}; it is placed by the rest`;
    events.record({ about, type: 'Warning', reason: 'CustomScoreFailed', message: text } as never);
    if (object !== undefined)
      events.record({
        about: {
          apiVersion: 'scheduling.caelum.dev/v1',
          kind: 'SchedulingProfile',
          name: profile,
          uid: object.metadata.uid,
        },
        type: 'Warning',
        reason: 'CustomScoreFailed',
        message,
      } as never);
  }

  #tellSoon(restMs = tellRestMs): void {
    if (this.#stopped || this.#known.size === 0) return;
    const { clock } = this.#host;
    const dueMs = clock.monotonicMs() + restMs;
    if (this.#tellTimer !== undefined && this.#tellDueMs <= dueMs) return;
    this.#tellTimer?.cancel();
    this.#tellDueMs = dueMs;
    this.#tellTimer = clock.after(restMs, () => {
      this.#tellTimer = undefined;
      void this.#tell();
    });
  }

  async #tell(): Promise<void> {
    const { client, clock, log } = this.#host;
    if (!this.#host.isLeading()) return;
    let isFailing = false;
    for (const [name, profile] of this.#known) {
      const failure = this.#failures.get(name);
      if (failure !== undefined && clock.monotonicMs() - failure.atMs > recoveredMs)
        this.#failures.delete(name);
      else isFailing ||= failure !== undefined;
      const status = this.#statusOf(profile);
      if (this.#stopped || sameJson(profile.status, status)) continue;
      try {
        await client.update(profilesRef, { ...profile, status }, { subresource: 'status' });
      } catch (error) {
        if (isError(error, 'notFound')) continue;
        if (!isError(error, 'conflict'))
          log.warn('cannot tell of a scheduling profile', { profile: name, error });
        isFailing = true;
      }
    }
    // Until it works again, or what could not be written is.
    if (isFailing) this.#tellSoon(recoveredMs / 4);
  }

  #statusOf({ metadata, spec, status }: SchedulingProfile): NonNullable<SchedulingProfile['status']> {
    const name = metadata.name ?? '';
    const other = this.#shadowed.get(name);
    const failure = this.#failures.get(name);
    const isReady = other === undefined;
    const conditions = [
      {
        type: 'Ready',
        status: isReady ? 'True' : 'False',
        reason: isReady ? 'Heeded' : 'Shadowed',
        message: isReady
          ? 'pods are placed by it'
          : `SchedulingProfile "${other}" is older and is for the same schedulerName`,
      },
      ...(spec?.custom === undefined
        ? []
        : [
            {
              type: 'CustomScoreWorking',
              status: failure === undefined ? 'True' : 'False',
              reason: failure === undefined ? 'NoFailure' : 'Failed',
              message: failure?.message ?? 'no score has failed of late',
            },
          ]),
    ].map((one) => {
      const before = status?.conditions?.find(({ type }) => type === one.type);
      const lastTransitionTime =
        before?.status === one.status ? before.lastTransitionTime : formatTime(this.#host.clock.nowMs());
      return { ...one, observedGeneration: metadata.generation ?? 0, lastTransitionTime };
    });
    return { observedGeneration: metadata.generation ?? 0, conditions };
  }

  /** What nodes use, and what their annotations tell; for as long as a strategy goes by it. */
  async #measure(): Promise<void> {
    const { clock, informers, snapshot, sources, log } = this.#host;
    this.#measureTimer = clock.after(measureMs, () => {
      this.#measureTimer = undefined;
      if (!this.#stopped && this.#profiles.isMeasured) void this.#measure();
    });
    let usage: NodeUsage | undefined;
    try {
      usage = await sources.nodeUsage?.();
    } catch (error) {
      log.debug('cannot measure nodes', { error });
    }
    if (this.#stopped) return;
    this.#profiles.setFigures(figuresOf(snapshot, usage, informers.informer<Node>(nodesRef).list()));
  }
}
