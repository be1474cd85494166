/**
 * Runs a plan to its end, or to the first property that is broken.
 *
 *   active (users act, faults come and go) ─▶ recover (every goal reached within the promised time) ─▶ rest (nothing is written) ─▶ result
 *
 * Pure apart from `turn`, which lets all promises that are ready run on, and `digest`, which hashes the history.
 */
import { explainError } from '../lib/index.ts';
import { breakIt } from './breakage.ts';
import { Coverage } from './coverage.ts';
import { explainWithPlace } from './place.ts';
import type { SimPlan } from './plan.ts';
import type { Checked, Checker, Property } from './property.ts';
import type { TruthEvent } from './truth.ts';
import { act } from './user.ts';
import { type LogLine, World } from './world.ts';

export interface Digest {
  add(text: string, bytes: Uint8Array): void;
  /** Hexadecimal. */
  value(): string;
}

export interface Environment {
  /** Resolves when every promise that was ready has run, and those that became ready by that. */
  readonly turn: () => Promise<void>;
  readonly digest: () => Digest;
  readonly properties: readonly Property[];
  /** Told each change and each fault, for a picture of the history. */
  readonly onMoment?: (moment: Moment) => void;
  /** Watches the process while it runs: told of what would have ended it, and of what reached for the real world. Answers how to stop that. */
  readonly guard?: (broken: (property: string, message: string) => void) => () => void;
}

/** Something for the time line of a history. */
export type Moment =
  | { readonly kind: 'change'; readonly event: TruthEvent }
  | { readonly kind: 'fault' | 'mended' | 'action'; readonly atMs: number; readonly what: string }
  | { readonly kind: 'up' | 'down'; readonly atMs: number; readonly what: string }
  | { readonly kind: 'phase'; readonly atMs: number; readonly what: string };

export interface Violation {
  readonly property: string;
  readonly message: string;
  readonly atMs: number;
  readonly revision: number;
}

export interface Result {
  readonly plan: SimPlan;
  readonly violation: Violation | undefined;
  /** Of the whole history. */
  readonly hash: string;
  readonly simulatedMs: number;
  readonly changes: number;
  readonly steps: number;
  /** From the end of the faults to the last goal. undefined: not reached. */
  readonly recoveredMs: number | undefined;
  readonly facts: Readonly<Record<string, number>>;
  readonly coverage: ReadonlySet<string>;
  readonly logs: readonly LogLine[];
}

/** How late, in an undisturbed world, the last part may hear of a change. */
const hearMs = 5000;
/** How long after the last trouble that is so: messages may be under way for 40 s, and informers rest up to 30 s between tries. */
const settleMs = 45_000;
/** When, in a world in which nothing breaks, everybody has found everybody else. */
const beginMs = 10_000;

export async function run(plan: SimPlan, environment: Environment): Promise<Result> {
  const one = new Run(plan, environment);
  return one.run();
}

class Run {
  readonly #plan: SimPlan;
  readonly #environment: Environment;
  readonly #world: World;
  readonly #digest: Digest;
  readonly #checkers: { readonly property: Property; readonly checker: Checker }[] = [];
  readonly #coverage = new Coverage();
  readonly #isUntroubled: boolean;
  #violation: Violation | undefined;
  #isAtRest = false;
  #steps = 0;
  #recoveredMs: number | undefined;

  constructor(plan: SimPlan, environment: Environment) {
    this.#plan = plan;
    this.#environment = environment;
    this.#digest = environment.digest();
    this.#isUntroubled = plan.faults.every(({ kind }) => kind === 'metrics');
    this.#world = new World({
      plan,
      onEvent: (event, bytes) => this.#onEvent(event, bytes),
      onWrite: (write) => {
        for (const { checker } of this.#checkers)
          if (write.state === 'done') checker.onWrite?.(write);
          else checker.onAsked?.(write);
      },
      onWitness: (seen) => {
        for (const { checker } of this.#checkers) checker.onWitness?.(seen);
      },
      onTold: (told) => {
        for (const { checker } of this.#checkers) checker.onTold?.(told);
      },
      onProcess: (what, isUp) =>
        environment.onMoment?.({
          kind: isUp ? 'up' : 'down',
          atMs: this.#world.clock.monotonicMs(),
          what,
        }),
      onBroken: (property, message) => this.#broken(property, message),
    });
    const checked = this.#checked();
    for (const property of environment.properties)
      this.#checkers.push({
        property,
        checker: property.check(checked, (message) => this.#broken(property.name, message)),
      });
  }

  #checked(): Checked {
    const world = this.#world;
    return {
      truth: world.truth,
      plan: this.#plan,
      nowMs: () => world.clock.monotonicMs(),
      calmSinceMs: () => world.calmSinceMs(),
      knownToAllMs: () => {
        const calm = world.calmSinceMs();
        if (calm === undefined) return 0;
        const nowMs = world.clock.monotonicMs();
        // Where nothing breaks at all nobody has to recover from anything but the beginning.
        if (this.#isUntroubled) return nowMs > beginMs ? nowMs - hearMs : 0;
        return nowMs - calm > settleMs ? nowMs - hearMs : 0;
      },
      isAtRest: () => this.#isAtRest,
      copies: () => world.copies,
      loads: () => world.loads,
      looks: (workload) => world.metering?.looks(workload) ?? [],
      machines: () => world.machines.values(),
      isUp: (process) => world.process(process)?.isUp === true,
      facts: world.facts,
    };
  }

  #broken(property: string, message: string): void {
    const { clock, truth } = this.#world;
    this.#violation ??= { property, message, atMs: clock.monotonicMs(), revision: truth.revision };
  }

  #onEvent(event: TruthEvent, bytes: Uint8Array): void {
    this.#digest.add(`${event.revision} ${event.kind} ${event.resource}/${event.name} ${event.atMs}`, bytes);
    this.#coverage.onEvent(event, this.#world);
    for (const { checker } of this.#checkers) checker.onEvent?.(event);
    this.#environment.onMoment?.({ kind: 'change', event });
  }

  async run(): Promise<Result> {
    const release = this.#environment.guard?.((property, message) => this.#broken(property, message));
    try {
      await this.#phases();
    } finally {
      release?.();
    }
    return this.#result();
  }

  async #phases(): Promise<void> {
    const { activeMs, recoverMs, restMs } = this.#plan;
    this.#schedule();
    this.#world.start();
    this.#everySecond();
    await this.#until(() => false, activeMs);
    if (this.#violation !== undefined) return;
    this.#say('phase', 'recover');
    const isReached = (): boolean => {
      if (this.#goals() !== undefined) this.#recoveredMs = undefined;
      else this.#recoveredMs ??= this.#world.clock.monotonicMs() - activeMs;
      // What is as wanted may still not be known to all.
      return this.#recoveredMs !== undefined && this.#world.clock.monotonicMs() >= activeMs + settleMs;
    };
    const reached = await this.#until(isReached, activeMs + recoverMs);
    if (this.#violation !== undefined) return;
    const missing = reached ? undefined : this.#goals();
    if (missing !== undefined) {
      const [property, why] = missing;
      this.#broken(property, `not reached ${recoverMs / 1000} s after the last fault: ${why}`);
      return;
    }
    this.#say('phase', 'rest');
    this.#isAtRest = true;
    for (const { checker } of this.#checkers) checker.onRest?.();
    await this.#until(() => false, this.#world.clock.monotonicMs() + restMs);
  }

  #result(): Result {
    const { clock, truth, facts, logs } = this.#world;
    return {
      plan: this.#plan,
      violation: this.#violation,
      hash: this.#digest.value(),
      simulatedMs: clock.monotonicMs(),
      changes: truth.changes,
      steps: this.#steps,
      recoveredMs: this.#recoveredMs,
      facts: { ...facts, ...this.#world.network.counts, commits: this.#world.disk.commits },
      coverage: this.#coverage.states,
      logs,
    };
  }

  /** Lets time pass until `done` holds, or `untilMs`, or something is broken. Looks at `done` once a simulated second. */
  async #until(done: () => boolean, untilMs: number): Promise<boolean> {
    const { clock } = this.#world;
    let lookMs = clock.monotonicMs();
    while (this.#violation === undefined) {
      if (clock.monotonicMs() >= lookMs) {
        if (done()) return true;
        lookMs = clock.monotonicMs() + 1000;
      }
      if (!this.#step(untilMs)) return false;
      this.#steps++;
      await this.#environment.turn();
    }
    return false;
  }

  /** An error that a timer throws ends the process in life. */
  #step(untilMs: number): boolean {
    try {
      return this.#world.clock.step(untilMs);
    } catch (error) {
      this.#broken('process/no-crash', `a timer threw: ${explainWithPlace(error)}`);
      return true;
    }
  }

  /** The first goal that is not reached. */
  #goals(): readonly [string, string] | undefined {
    for (const { property, checker } of this.#checkers) {
      const why = checker.goal?.();
      if (why !== undefined) return [property.name, why];
    }
    return undefined;
  }

  #schedule(): void {
    const world = this.#world;
    const { actions, faults, activeMs } = this.#plan;
    for (const action of actions)
      world.clock.after(action.atMs, () => {
        this.#say('action', JSON.stringify(action));
        act(world, action).catch((error: unknown) =>
          this.#broken('api/no-internal-error', explainError(error)),
        );
      });
    for (const fault of faults)
      world.clock.after(fault.atMs, () => {
        this.#say('fault', JSON.stringify(fault));
        // What is told of use disturbs nobody who does not ask for it.
        const trouble = fault.kind === 'metrics' ? 0 : 1;
        world.trouble(trouble);
        const mend = breakIt(world, fault);
        world.clock.after(Math.min(fault.forMs, activeMs - fault.atMs), () => {
          this.#say('mended', JSON.stringify(fault));
          mend();
          world.trouble(trouble === 0 ? 0 : -1);
        });
      });
  }

  #everySecond(): void {
    this.#world.clock.after(1000, () => {
      for (const { checker } of this.#checkers) checker.onSecond?.();
      this.#everySecond();
    });
  }

  #say(kind: 'fault' | 'mended' | 'action' | 'phase', what: string): void {
    this.#environment.onMoment?.({ kind, atMs: this.#world.clock.monotonicMs(), what });
  }
}
