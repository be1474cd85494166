/**
 * How a remote command ended, as the error channel of `v4.channel.k8s.io` and later carries it: a Status. Pure.
 * Source: k8s.io/apimachinery/pkg/util/remotecommand, kubectl's decoding of `NonZeroExitCode`.
 */
import { type CaelumError, explainError, isError } from '../../lib/index.ts';

export function exitStatus(exitCode: number): string {
  if (exitCode === 0) return JSON.stringify({ metadata: {}, status: 'Success' });
  return JSON.stringify({
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: error executing command, exit code ${exitCode}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
  });
}

export function failureStatus(error: unknown): string {
  const known: CaelumError | undefined = isError(error) ? error : undefined;
  const [reason, code] =
    known === undefined
      ? ['InternalError', 500]
      : known.code === 'notFound'
        ? ['NotFound', 404]
        : ['InternalError', 500];
  return JSON.stringify({ metadata: {}, status: 'Failure', message: explainError(error), reason, code });
}
