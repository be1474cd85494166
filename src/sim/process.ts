/**
 * A program on a machine of the world: started, killed, started again by its supervisor. Its machine's clock outlives it.
 */
import { isError, type SimulatedClock } from '../lib/index.ts';
import { Life, LifeClock, type Skew } from './life.ts';

/** What a program gets from its machine. */
export interface Machine {
  readonly name: string;
  readonly life: Life;
  readonly clock: LifeClock;
}

/** Starts the program. A rejection is a failed start: it is tried again. */
export type Program = (machine: Machine) => Promise<void>;

const restartMs = 1000;

export class SimProcess {
  readonly name: string;
  readonly skew: Skew = { offsetMs: 0, drift: 0 };
  readonly #world: SimulatedClock;
  readonly #program: Program;
  readonly #onChange: () => void;
  readonly #onCrash: (error: unknown) => void;
  #life: Life | undefined;
  #isReady = false;
  /** Faults that keep it down. */
  #held = 0;
  starts = 0;

  constructor(
    world: SimulatedClock,
    name: string,
    program: Program,
    onChange: () => void,
    onCrash: (error: unknown) => void,
  ) {
    this.#world = world;
    this.name = name;
    this.#program = program;
    this.#onChange = onChange;
    this.#onCrash = onCrash;
  }

  /** The life that serves: started, and not ended since. */
  life(): Life | undefined {
    return this.#isReady ? this.#life : undefined;
  }

  get current(): Life | undefined {
    return this.#life;
  }

  get isUp(): boolean {
    return this.#isReady && this.#life?.isAlive === true;
  }

  start(): void {
    if (this.#held > 0 || this.#life?.isAlive === true) return;
    const life = new Life(this.name);
    this.#life = life;
    this.#isReady = false;
    this.starts++;
    life.onEnd(() => {
      this.#isReady = false;
      this.#onChange();
      this.#world.after(restartMs, () => this.start());
    });
    const clock = new LifeClock(this.#world, life, this.skew);
    this.#program({ name: this.name, life, clock }).then(
      () => {
        if (!life.isAlive) return;
        this.#isReady = true;
        this.#onChange();
      },
      (error: unknown) => {
        // What a machine does to a program that starts has a code; anything else is the program's own fault, and would be so for ever.
        if (life.isAlive && !isError(error)) this.#onCrash(error);
        life.end();
      },
    );
  }

  /** Ends the life there is, and lets no other begin until `release`. */
  hold(afterSends: number): void {
    this.#held++;
    if (afterSends > 0) this.#life?.endAfterSends(afterSends);
    else this.#life?.end();
  }

  release(): void {
    this.#held--;
    // One that was to end after some messages and has not sent them.
    this.#life?.endAfterSends(Number.POSITIVE_INFINITY);
    this.start();
  }
}
