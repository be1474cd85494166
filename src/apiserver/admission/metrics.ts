/** Counts of what webhooks of admission say, under Kubernetes' names. Pure: durations are given. */
import type { Metrics } from '../../lib/index.ts';

export type HookKind = 'mutating' | 'validating';

export interface WebhookRecorder {
  /** An answer, or the lack of one. */
  called(name: string, kind: HookKind, operation: string, rejected: boolean, seconds: number): void;
  /** The request was refused: by the webhook, or because it could not be asked. */
  rejected(
    name: string,
    kind: HookKind,
    operation: string,
    why: 'no_error' | 'calling_webhook_error',
    code: number,
  ): void;
  /** It could not be asked, and that was let pass. */
  failedOpen(name: string, kind: HookKind): void;
}

const bounds = [0.005, 0.025, 0.1, 0.5, 1, 2.5, 10, 25];
/** As Kubernetes calls them. */
const typeOf = (kind: HookKind): string => (kind === 'mutating' ? 'admit' : 'validating');

export function recordWebhooks(metrics: Metrics): WebhookRecorder {
  const prefix = 'apiserver_admission_webhook';
  const durations = metrics.histogram({
    name: `${prefix}_admission_duration_seconds`,
    help: 'Seconds that a webhook took to answer.',
    labels: ['name', 'type', 'operation', 'rejected'],
    bounds,
    seriesMax: 1000,
  });
  const rejections = metrics.counter({
    name: `${prefix}_rejection_count`,
    help: 'Requests refused by a webhook, or for want of its answer.',
    labels: ['name', 'type', 'operation', 'error_type', 'rejection_code'],
    seriesMax: 1000,
  });
  const passes = metrics.counter({
    name: `${prefix}_fail_open_count`,
    help: 'Failures of webhooks that were let pass.',
    labels: ['name', 'type'],
    seriesMax: 1000,
  });
  return {
    called: (name, kind, operation, rejected, seconds) =>
      durations.with(name, typeOf(kind), operation, String(rejected)).observe(seconds),
    rejected: (name, kind, operation, why, code) => {
      rejections.with(name, typeOf(kind), operation, why, String(code)).value++;
    },
    failedOpen: (name, kind) => {
      passes.with(name, typeOf(kind)).value++;
    },
  };
}
