/**
 * Tells when the wall clock was set, so that what waits for a time of day waits for the right one: timers run on the monotonic clock.
 * Looks only while there is anything that may wait.
 */
import type { KubeObject } from '../api/index.ts';
import type { Informer } from '../client/index.ts';
import type { Clock, Timer } from '../lib/index.ts';

const lookMs = 10_000;
/** What clocks drift, or are slewed, in `lookMs` is no jump. */
const jumpMs = 500;

export function onClockJump<T extends KubeObject>(
  clock: Clock,
  concerned: Informer<T>,
  told: () => void,
): { cancel(): void } {
  const offset = (): number => clock.nowMs() - clock.monotonicMs();
  let before = offset();
  let timer: Timer | undefined;
  const look = (): void => {
    const now = offset();
    if (Math.abs(now - before) > jumpMs) told();
    before = now;
    timer = concerned.size === 0 ? undefined : clock.after(lookMs, look);
  };
  const subscription = concerned.onChange(() => {
    if (timer === undefined) look();
  });
  return {
    cancel() {
      subscription.cancel();
      timer?.cancel();
    },
  };
}
