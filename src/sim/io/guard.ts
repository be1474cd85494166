/**
 * Keeps the real world out of a run: real time, timers, chance and the network throw while the guard is up, and are told as broken, also where the
 * error is caught. So is what would have ended the process: an error that nobody handles.
 *
 *   installGuard(broken) ─▶ run ─▶ release()
 *
 * What code has captured before (`const now = Date.now`) is not seen; the house test looks for that. One guard at a time in a thread.
 */
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers';
import timersPromises from 'node:timers/promises';
import { explainWithPlace } from '../place.ts';

/** A property that was broken outside of the checkers. */
export type OnBroken = (property: string, message: string) => void;

export const noRealityProperty = 'process/no-reality';
export const noCrashProperty = 'process/no-crash';

const RealDate = Date;
type AnyFunction = (...args: never[]) => unknown;

let isUp = false;

/** Answers how to take it down again. */
export function installGuard(broken: OnBroken): () => void {
  if (isUp) throw new Error('assertion failed: one guard at a time');
  isUp = true;
  const taken: (() => void)[] = [];
  const leak = (what: string): never => {
    const error = new Error(`${what} was used in a simulated run: take a Clock, a Random or a Client`);
    broken(noRealityProperty, explainWithPlace(error));
    throw error;
  };
  const replace = (target: object, name: string, what: string): void => {
    const before = Object.getOwnPropertyDescriptor(target, name);
    const banned: AnyFunction = () => leak(what);
    Object.defineProperty(target, name, {
      value: banned,
      configurable: true,
      writable: true,
      enumerable: before?.enumerable ?? false,
    });
    taken.push(() => {
      if (before === undefined) Reflect.deleteProperty(target, name);
      else Object.defineProperty(target, name, before);
    });
  };

  for (const name of ['setTimeout', 'setInterval', 'setImmediate', 'fetch'])
    replace(globalThis, name, `${name}()`);
  for (const name of ['setTimeout', 'setInterval', 'setImmediate']) {
    replace(timers, name, `${name}()`);
    replace(timersPromises, name, `${name}()`);
  }
  replace(RealDate, 'now', 'Date.now()');
  replace(Math, 'random', 'Math.random()');
  replace(performance, 'now', 'performance.now()');
  replace(process, 'hrtime', 'process.hrtime()');
  replace(process.hrtime, 'bigint', 'process.hrtime.bigint()');
  replace(process, 'uptime', 'process.uptime()');
  replace(AbortSignal, 'timeout', 'AbortSignal.timeout()');
  for (const name of ['randomUUID', 'getRandomValues']) replace(globalThis.crypto, name, `crypto.${name}()`);
  for (const name of ['randomUUID', 'randomBytes', 'randomInt', 'randomFillSync'])
    replace(crypto, name, `crypto.${name}()`);
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args: unknown[], newTarget) =>
      args.length === 0 ? leak('new Date()') : (Reflect.construct(target, args, newTarget) as object),
    apply: () => leak('Date()'),
  });
  taken.push(() => {
    globalThis.Date = RealDate;
  });
  syncBuiltinESMExports();

  const onCrash = (error: unknown): void =>
    broken(noCrashProperty, `nobody handled: ${explainWithPlace(error)}`);
  process.on('unhandledRejection', onCrash);
  process.on('uncaughtException', onCrash);
  return () => {
    if (!isUp) return;
    isUp = false;
    process.off('unhandledRejection', onCrash);
    process.off('uncaughtException', onCrash);
    for (const giveBack of taken.reverse()) giveBack();
    syncBuiltinESMExports();
  };
}
