/**
 * Forwarded ports over SPDY: for each connection the client opens an error stream and a data stream with the same `requestid`.
 * Source: k8s.io/kubernetes/pkg/kubelet/portforward (protocol `portforward.k8s.io`).
 */
import { explainError } from '../../../lib/index.ts';
import type { StreamTargets } from '../../server/endpoint.ts';
import type { StreamRequest } from '../stream-request.ts';
import type { SpdyConnection, SpdyStream } from './spdy-connection.ts';

export function servePortStreams(
  request: StreamRequest & { kind: 'portForward' },
  targets: StreamTargets,
  connect: (onStream: (stream: SpdyStream) => void) => SpdyConnection,
): void {
  const waiting = new Map<string, { error?: SpdyStream; data?: SpdyStream }>();
  connect((stream) => {
    const id = stream.headers['requestid'] ?? stream.headers['port'] ?? '';
    const pair = waiting.get(id) ?? {};
    waiting.set(id, pair);
    if (stream.headers['streamtype'] === 'error') pair.error = stream;
    else pair.data = stream;
    const { error, data } = pair;
    if (error === undefined || data === undefined) return;
    waiting.delete(id);
    // The client never writes to the error stream, but closes its end.
    error.resume();
    void forward(request, targets, Number(data.headers['port']), error, data);
  });
}

async function forward(
  request: StreamRequest & { kind: 'portForward' },
  targets: StreamTargets,
  port: number,
  error: SpdyStream,
  data: SpdyStream,
): Promise<void> {
  const { namespace, pod } = request;
  try {
    const connection = await targets.openPort(namespace, pod, port);
    connection.on('error', (cause) => {
      if (!error.writableEnded)
        error.end(`an error occurred forwarding ${port} to pod ${namespace}/${pod}: ${cause.message}`);
    });
    data.once('close', () => connection.destroy());
    connection.once('close', () => {
      if (!error.writableEnded) error.end();
      if (!data.writableEnded) data.end();
    });
    data.pipe(connection).pipe(data);
  } catch (cause) {
    error.end(`an error occurred forwarding ${port} to pod ${namespace}/${pod}: ${explainError(cause)}`);
    data.end();
    data.resume();
  }
}
