/**
 * How long a node's failed daemon pod waits for its successor: not at all the first time, then ever longer, so that a pod that a node refuses is
 * not made as fast as it fails. Pure: time is told.
 */
const firstMs = 1000;
const maxMs = 15 * 60_000;

interface Failures {
  readonly delayMs: number;
  readonly sinceMs: number;
}

export class HoldBack {
  readonly #failures = new Map<string, Failures>();

  /** A failed pod of that DaemonSet and node has been taken away. */
  failed(daemonSetUid: string, nodeName: string, nowMs: number): void {
    const key = `${daemonSetUid}/${nodeName}`;
    const before = this.#failures.get(key);
    const isRecent = before !== undefined && nowMs - before.sinceMs <= 2 * maxMs;
    const delayMs = isRecent ? Math.min(maxMs, before.delayMs * 2) : firstMs;
    // Told again, it stands last: in front are those that are forgotten first.
    this.#failures.delete(key);
    this.#failures.set(key, { delayMs, sinceMs: nowMs });
    for (const [other, { sinceMs }] of this.#failures) {
      if (nowMs - sinceMs <= 2 * maxMs) break;
      this.#failures.delete(other);
    }
  }

  waitMs(daemonSetUid: string, nodeName: string, nowMs: number): number {
    const failures = this.#failures.get(`${daemonSetUid}/${nodeName}`);
    return failures === undefined ? 0 : Math.max(0, failures.sinceMs + failures.delayMs - nowMs);
  }
}
