/**
 * One history of a small world, told by its deviations: at each choice the message that is first arrives, unless the deviation of that choice says
 * otherwise. The same scenario and deviations give the same history.
 *
 *   setup, in the order of age ─▶ choice 0, 1, 2 … (the script, explored) ─▶ every goal reached ─▶ rest: nothing is written ─▶ outcome
 */
import { explainError } from '../lib/index.ts';
import { hold, type Message } from './exhaustive-network.ts';
import type { Scenario } from './exhaustive-scenarios.ts';
import { resourceName, SmallWorld } from './exhaustive-world.ts';
import type { SimPlan } from './plan.ts';
import type { Checked, Checker, Property } from './property.ts';

/** In another order than that of age. */
export const orders = ['delay', 'untilRest', 'afterUser', 'untilLater', 'act', 'tick'] as const;
export const faults = ['kill', 'restartApi', 'loseRequest', 'loseAnswer', 'tire', 'breakStreams'] as const;
export type Twist = (typeof orders)[number] | (typeof faults)[number];

export interface Deviation {
  /** The number of the choice. */
  readonly at: number;
  readonly twist: Twist;
}

export interface Choice {
  readonly at: number;
  /** Equal in equal states. */
  readonly state: number;
  readonly twists: readonly Twist[];
}

export interface Outcome {
  readonly violation: { readonly property: string; readonly message: string } | undefined;
  /** Choices made. */
  readonly choices: number;
  /** undefined unless asked for. */
  readonly story: readonly string[];
  /** True: given up because its state had been seen. */
  readonly isPruned: boolean;
}

export interface SmallEnvironment {
  readonly turn: () => Promise<void>;
  readonly properties: readonly Property[];
  /** Told of errors that nobody handles, until the function that it answers with is called. */
  readonly guard?: ((broken: (property: string, message: string) => void) => () => void) | undefined;
}

export interface RunOptions {
  readonly scenario: Scenario;
  readonly deviations: readonly Deviation[];
  readonly environment: SmallEnvironment;
  /** Asked at each choice behind the last deviation. False: the run need not go on. */
  readonly onChoice?: (choice: Choice) => boolean;
  readonly tells?: boolean;
}

/** All goals must be reached within this time after the last message of the script has come. */
const recoverMs = 120_000;
/** And then nothing is written for so long. */
const restMs = 20_000;
/** After a fault, informers may rest for as long between two tries: only then is everything known to all. */
const calmMs = 25_000;
/** How much later `untilLater` is. */
const laterMs = 10_000;
/** The next timer may be chosen early when it is due within this time. */
const tickMs = 2000;
const messagesMax = 3000;
/** When so many messages have come without a timer between them, time passes all the same: who works without end must not stop it. */
const streakMax = 300;
const streakNextMax = 30;

export function runSmall(options: RunOptions): Promise<Outcome> {
  return new SmallRun(options).run();
}

class SmallRun {
  readonly #options: RunOptions;
  readonly #world: SmallWorld;
  readonly #checkers: { readonly property: Property; readonly checker: Checker }[] = [];
  readonly #twists = new Map<number, Twist>();
  readonly #lastAt: number;
  readonly #story: string[] = [];
  #violation: Outcome['violation'];
  #isAtRest = false;
  #knownMs = 0;
  #hadFault = false;
  #choices = 0;
  #isExploring = false;
  #isPruned = false;
  /** Something was made twice under one name, by one decision: see `#noteRemade`. */
  #isRemade = false;
  #streak = 0;
  #delivered = 0;

  constructor(options: RunOptions) {
    this.#options = options;
    const { scenario, environment, deviations } = options;
    for (const { at, twist } of deviations) this.#twists.set(at, twist);
    this.#lastAt = Math.max(-1, ...this.#twists.keys());
    this.#world = new SmallWorld({
      scenario,
      onEvent: (event) => {
        for (const { checker } of this.#checkers) checker.onEvent?.(event);
      },
      onWrite: (write) => {
        for (const { checker } of this.#checkers)
          if (write.state === 'done') checker.onWrite?.(write);
          else checker.onAsked?.(write);
      },
      onBroken: (property, message) => this.#broken(property, message),
    });
    const checked = this.#checked();
    for (const property of environment.properties)
      if (scenario.properties.includes(property.name))
        this.#checkers.push({
          property,
          checker: property.check(checked, (message) => this.#broken(property.name, message)),
        });
  }

  #checked(): Checked {
    const world = this.#world;
    const plan: SimPlan = {
      seed: 0,
      nodes: Array.from({ length: this.#options.scenario.nodes }, () => ({
        cpuCount: 4,
        memoryGiB: 1,
        zone: 'zone-0',
      })),
      historyEvents: 10_000,
      startDelayMs: 0,
      stopDelayMs: 0,
      actions: [],
      faults: [],
      activeMs: 0,
      recoverMs,
      restMs,
    };
    return {
      truth: world.truth,
      plan,
      nowMs: () => world.nowMs(),
      calmSinceMs: () => (this.#hadFault ? undefined : 0),
      knownToAllMs: () => this.#knownMs,
      isAtRest: () => this.#isAtRest,
      copies: () => [],
      loads: () => undefined,
      looks: () => [],
      machines: () => [],
      isUp: () => true,
      facts: {},
    };
  }

  #broken(property: string, message: string): void {
    if (this.#isRemade && property === 'workload/no-overshoot') return;
    this.#violation ??= { property, message };
    this.#tell(`!! ${property}: ${message}`);
  }

  #tell(line: string): void {
    if (this.#options.tells === true) this.#story.push(line);
  }

  async run(): Promise<Outcome> {
    const { environment, scenario } = this.#options;
    const release = environment.guard?.((property, message) => this.#broken(property, message));
    try {
      this.#world.start();
      await environment.turn();
      await this.#untilReached();
      for (const action of scenario.setup) {
        this.#world.script([action]);
        await this.#untilReached();
      }
      this.#isExploring = true;
      this.#tell('— from here on every order is tried —');
      this.#world.script(scenario.script);
      await this.#untilReached();
      if (this.#hadFault) await this.#settle();
      if (!this.#isOver()) await this.#rest();
    } finally {
      release?.();
    }
    return {
      violation: this.#violation,
      choices: this.#choices,
      story: this.#story,
      isPruned: this.#isPruned,
    };
  }

  #isOver(): boolean {
    return this.#violation !== undefined || this.#isPruned;
  }

  /** Until nothing is under way and every goal is reached; timers fire where they must. */
  async #untilReached(): Promise<void> {
    let endMs: number | undefined;
    while (!this.#isOver()) {
      if (this.#streak >= streakMax) await this.#passOnce();
      const next = this.#world.network.first();
      if (next !== undefined && next.hold !== hold.untilLater) {
        endMs = undefined;
        await this.#choose(next);
        continue;
      }
      const { clock } = this.#world;
      if (next !== undefined) {
        await this.#later(next);
        continue;
      }
      const why = this.#unreached();
      if (why === undefined) return;
      endMs ??= clock.monotonicMs() + recoverMs;
      if (!(await this.#pass(endMs)))
        this.#broken(why[0], `not reached ${recoverMs / 1000} s after the last message: ${why[1]}`);
    }
  }

  /** Messages that were to come much later do so when time has passed. */
  async #later(next: Message): Promise<void> {
    const { clock, network } = this.#world;
    const untilMs = clock.monotonicMs() + laterMs;
    this.#tell(`   (waiting: ${next.tell()})`);
    while (!this.#isOver() && network.first()?.hold === hold.untilLater && (await this.#pass(untilMs)));
    for (const message of network.pool) if (message.hold === hold.untilLater) message.hold = hold.none;
  }

  /** In the order of age, with all timers that come. */
  async #for(ms: number): Promise<void> {
    const { clock, network } = this.#world;
    const untilMs = clock.monotonicMs() + ms;
    while (!this.#isOver()) {
      if (this.#streak >= streakMax) await this.#passOnce();
      const next = network.first();
      if (next !== undefined) await this.#deliver(next);
      else if (!(await this.#pass(untilMs))) break;
    }
  }

  /** Goals may be reached before all watches are whole again, and what these tell may change things once more. */
  async #settle(): Promise<void> {
    this.#isExploring = false;
    await this.#for(calmMs);
    await this.#untilReached();
  }

  async #rest(): Promise<void> {
    this.#isAtRest = true;
    this.#isExploring = false;
    this.#tell('— at rest —');
    for (const { checker } of this.#checkers) checker.onRest?.();
    await this.#for(restMs);
    const why = this.#unreached();
    if (why !== undefined) this.#broken(why[0], `lost again at rest: ${why[1]}`);
  }

  /** The first goal that is not reached. */
  #unreached(): readonly [string, string] | undefined {
    if (this.#world.actionsLeft > 0) return ['run/comes-to-an-end', 'the user waits for ever'];
    for (const { property, checker } of this.#checkers) {
      const why = checker.goal?.();
      if (why !== undefined) return [property.name, why];
    }
    // What each part has been told is all that there is.
    if (!this.#hadFault) this.#knownMs = this.#world.nowMs();
    return undefined;
  }

  async #choose(next: Message): Promise<void> {
    if (!this.#isExploring) return this.#deliver(next);
    const at = this.#choices++;
    // Only the user is left to act: everybody else knows everything.
    if (next.kind === 'act' && this.#world.network.pool.size === 1 && !this.#hadFault) this.#noteKnown();
    const twist = this.#twists.get(at);
    if (twist !== undefined) return this.#twist(at, next, twist);
    const { onChoice } = this.#options;
    if (onChoice !== undefined && at > this.#lastAt) {
      const state = this.#world.network.state(this.#world.clock.monotonicMs());
      if (!onChoice({ at, state, twists: this.#twistsAt(next) })) {
        this.#isPruned = true;
        return;
      }
    }
    await this.#deliver(next, at);
  }

  /** Nothing but the user's next action is left: where all is as wanted, everybody knows all. */
  #noteKnown(): void {
    for (const { checker } of this.#checkers) if (checker.goal?.() !== undefined) return;
    this.#knownMs = this.#world.nowMs();
  }

  /** What might happen instead. */
  #twistsAt(next: Message): Twist[] {
    const { network, actionsLeft } = this.#world;
    const twists: Twist[] = [];
    const others = network.pool.size - 1;
    if (next.kind !== 'act' && next.kind !== 'start') {
      const isFirm = next.hold === hold.none;
      const rivals = [...network.pool].filter((one) => one !== next && one.hold === hold.none).length;
      if (isFirm && rivals > 0) twists.push('delay', 'untilRest');
      if (next.process !== 'user' && actionsLeft > 0 && others > 0 && next.hold < hold.afterUser)
        twists.push('afterUser');
      if (next.process !== 'user' && next.hold < hold.untilLater) twists.push('untilLater');
      if (next.hold < hold.user && [...network.pool].some(({ kind }) => kind === 'act')) twists.push('act');
    }
    twists.push('tick');
    if (next.process === 'user' || next.process === 'api' || next.isLate || next.exchange === undefined)
      return twists;
    if (next.kind === 'request' && next.isWrite) twists.push('kill', 'loseRequest', 'tire', 'restartApi');
    if (next.kind === 'answer' && next.isWrite) twists.push('loseAnswer', 'restartApi');
    if (next.kind === 'event') twists.push('breakStreams');
    return twists;
  }

  async #twist(at: number, next: Message, twist: Twist): Promise<void> {
    const world = this.#world;
    const { network } = world;
    if ((faults as readonly Twist[]).includes(twist)) this.#hadFault = true;
    this.#tell(`${at} ** ${twist}: ${next.tell()}`);
    switch (twist) {
      case 'delay':
        network.delay(next);
        return;
      case 'untilRest':
        next.hold = hold.untilRest;
        return;
      case 'afterUser':
        next.hold = hold.afterUser;
        return;
      case 'untilLater':
        next.hold = hold.untilLater;
        return;
      case 'act': {
        const action = [...network.pool].find(({ kind }) => kind === 'act');
        if (action !== undefined) await this.#deliver(action, at);
        return;
      }
      case 'tick':
        await this.#pass(world.clock.monotonicMs() + tickMs);
        return;
      case 'kill':
        world.kill(next.process);
        break;
      case 'restartApi':
        world.restartApi();
        break;
      case 'loseRequest':
      case 'loseAnswer':
        network.lose(next);
        break;
      case 'tire':
        network.tire(next);
        break;
      case 'breakStreams':
        network.breakStreams(next.process);
        break;
    }
    await this.#options.environment.turn();
  }

  /** Whoever works without end: the next timer comes in between, and what was to come at rest comes without it. */
  async #passOnce(): Promise<void> {
    for (const message of this.#world.network.pool) if (message.kind !== 'act') message.hold = hold.none;
    await this.#pass(this.#world.clock.monotonicMs() + laterMs);
    this.#streak = streakMax - streakNextMax;
  }

  /**
   * A creation that comes after its repetition was carried out, and the object was deleted, makes it once more. Nobody can tell it from one that is
   * wanted; it is put right when it is seen.
   */
  #noteRemade({ exchange }: Message): void {
    const { truth } = this.#world;
    if (exchange?.about.verb !== 'create') return;
    const resource = resourceName(exchange.about.ref);
    const { name } = exchange.about;
    if (truth.versions(resource, name).length > 0 && !truth.objects(resource).has(name))
      this.#isRemade = true;
  }

  async #deliver(message: Message, at?: number): Promise<void> {
    if (message.isLate) this.#noteRemade(message);
    this.#streak++;
    if (++this.#delivered > messagesMax)
      this.#broken('run/comes-to-an-end', `${messagesMax} messages, and no rest`);
    if (this.#options.tells === true)
      this.#story.push(`${at === undefined ? '  ' : String(at)} ${message.tell()}`);
    try {
      this.#world.deliver(message);
    } catch (error) {
      this.#broken('process/no-crash', `${message.process}: ${explainError(error)}`);
    }
    await this.#options.environment.turn();
  }

  /** The next timer that is due until then. */
  async #pass(untilMs: number): Promise<boolean> {
    const { clock } = this.#world;
    const beforeMs = clock.monotonicMs();
    this.#streak = 0;
    try {
      if (!this.#world.pass(untilMs)) return false;
    } catch (error) {
      this.#broken('process/no-crash', `a timer threw: ${explainError(error)}`);
    }
    if (this.#options.tells === true)
      this.#story.push(`   time: +${Math.round(clock.monotonicMs() - beforeMs)} ms`);
    if (Math.floor(beforeMs / 1000) !== Math.floor(clock.monotonicMs() / 1000))
      for (const { checker } of this.#checkers) checker.onSecond?.();
    await this.#options.environment.turn();
    return true;
  }
}
