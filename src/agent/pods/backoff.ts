/** Waiting longer after each failure: 10 s, doubling to 5 min, forgiven after 10 good minutes. Pure. As the kubelet does it. */

export interface Backoff {
  readonly delayMs: number;
  /** When the last counted start (or pull) was. */
  readonly atMs: number;
}

const firstDelayMs = 10_000;
const delayMsMax = 300_000;
const forgiveAfterMs = 2 * delayMsMax;

/** After one more try at `nowMs`. */
export function nextBackoff(before: Backoff | undefined, nowMs: number): Backoff {
  if (before === undefined || nowMs - before.atMs > forgiveAfterMs)
    return { delayMs: firstDelayMs, atMs: nowMs };
  return { delayMs: Math.min(delayMsMax, before.delayMs * 2), atMs: nowMs };
}

/** Until when a failure at `failedMs` has to wait; undefined: it need not. */
export function backoffUntil(before: Backoff | undefined, failedMs: number): number | undefined {
  if (before === undefined || failedMs - before.atMs > forgiveAfterMs) return undefined;
  return failedMs + before.delayMs;
}

/** As Go prints durations: `10s`, `1m20s`, `5m0s`. */
export function formatDuration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const rest = seconds % 60;
  if (hours > 0) return `${hours}h${minutes}m${rest}s`;
  return minutes > 0 ? `${minutes}m${rest}s` : `${rest}s`;
}
