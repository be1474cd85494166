/**
 * Ties what a life uses of its machine to that life: calls take a while, may fail, and once the life has ended none goes out or comes back.
 * So an agent may be killed between what it did and its knowing of it.
 */
import { CaelumError, type Random } from '../lib/index.ts';
import type { Machine } from './process.ts';

export interface TetherOptions {
  readonly machine: Machine;
  readonly random: Random;
  /** Chance that a call fails, now. */
  readonly errors: () => number;
  /** Methods that answer at once, without a promise. */
  readonly instant: readonly string[];
}

const longestMs = 3;

export function tether<T extends object>(target: T, options: TetherOptions): T {
  const instant = new Set<string | symbol>(options.instant);
  return new Proxy(target, {
    get(_, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      const call = (...args: unknown[]): unknown => Reflect.apply(member, target, args);
      if (instant.has(name)) return call;
      if (name === 'onExit') return (handler: Handler) => followed(target, handler, options);
      return (...args: unknown[]) => carried(String(name), () => call(...args) as Promise<unknown>, options);
    },
  });
}

type Handler = (status: unknown) => void;

/** Of what it is told of its own accord nothing is lost while it lives. */
function followed(target: object, handler: Handler, { machine, random }: TetherOptions): { cancel(): void } {
  const { life, clock } = machine;
  const late = (status: unknown): void => void clock.after(random.float() * longestMs, () => handler(status));
  const subscription = (target as { onExit(handler: Handler): { cancel(): void } }).onExit(late);
  life.onEnd(() => subscription.cancel());
  return subscription;
}

function carried(what: string, call: () => Promise<unknown>, options: TetherOptions): Promise<unknown> {
  const { life, clock } = options.machine;
  const { random } = options;
  return new Promise((resolve, reject) => {
    if (!life.isAlive) return;
    const answer = (settle: () => void): void => void clock.after(random.float() * longestMs, settle);
    const chance = options.errors();
    const fails = chance > 0 && random.float() < chance;
    const fail = (): void => reject(new CaelumError('internal', `Cannot ${what}: input/output error`));
    if (fails && random.integer(2) === 0) {
      answer(fail);
      return;
    }
    call().then(
      (value) => answer(() => (fails ? fail() : resolve(value))),
      (error: unknown) => answer(() => reject(error as Error)),
    );
  });
}
