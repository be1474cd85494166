/**
 * Remote commands and forwarded ports over SPDY/3.1: what kubectl up to 1.29 (exec) and 1.30 (port-forward) speaks.
 * The client opens a stream for each of error, stdin, stdout, stderr, resize and names it in the header `streamtype`.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { StreamTargets } from '../../server/endpoint.ts';
import type { StreamRequest } from '../stream-request.ts';
import { type CommandChannels, runCommand } from './command-session.ts';
import { servePortStreams } from './port-streams.ts';
import { SpdyConnection, type SpdyStream } from './spdy-connection.ts';
import { resizeTo } from './web-socket-streams.ts';

const commandProtocols = ['v4.channel.k8s.io'];
const portProtocols = ['portforward.k8s.io'];
const openTimeoutMs = 30_000;

export function serveSpdy(
  http: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  request: StreamRequest,
  targets: StreamTargets,
): void {
  const offered = [http.headers['x-stream-protocol-version'] ?? []]
    .flat()
    .flatMap((text) => text.split(',').map((one) => one.trim()));
  const spoken = request.kind === 'portForward' ? portProtocols : commandProtocols;
  const protocol =
    offered.length === 0 && request.kind === 'portForward'
      ? portProtocols[0]
      : spoken.find((one) => offered.includes(one));
  if (protocol === undefined) {
    const body = `this server speaks ${spoken.join(', ')}`;
    socket.end(
      `HTTP/1.1 403 Forbidden\r\nX-Accepted-Stream-Protocol-Versions: ${spoken.join(', ')}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
    );
    return;
  }
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${protocol}\r\n\r\n`,
  );
  if (request.kind === 'portForward')
    servePortStreams(request, targets, (onStream) => new SpdyConnection(socket, head, onStream));
  else serveCommand(socket, head, request, targets);
}

function serveCommand(
  socket: Duplex,
  head: Buffer,
  request: StreamRequest & { kind: 'exec' | 'attach' },
  targets: StreamTargets,
): void {
  const wanted = [
    'error',
    ...(request.stdin ? ['stdin'] : []),
    ...(request.stdout ? ['stdout'] : []),
    ...(request.stderr ? ['stderr'] : []),
    ...(request.terminal ? ['resize'] : []),
  ];
  const streams = new Map<string, SpdyStream>();
  const connection = new SpdyConnection(socket, head, (stream) => {
    streams.set(stream.headers['streamtype'] ?? '', stream);
    // Output streams are never read from, yet their end must be seen.
    if (['error', 'stdout', 'stderr'].includes(stream.headers['streamtype'] ?? '')) stream.resume();
    if (!wanted.every((name) => streams.has(name))) return;
    clearTimeout(timer);
    void runCommand(request, targets, channelsOf(connection, streams));
  });
  const timer = setTimeout(() => connection.close(), openTimeoutMs);
  void connection.closed.then(() => clearTimeout(timer));
}

function channelsOf(connection: SpdyConnection, streams: ReadonlyMap<string, SpdyStream>): CommandChannels {
  return {
    stdin: streams.get('stdin'),
    stdout: streams.get('stdout'),
    stderr: streams.get('stderr'),
    onResize: (handler) => {
      streams.get('resize')?.on('data', (chunk: Buffer) => {
        for (const line of chunk.toString().split('\n'))
          if (line.trim() !== '') resizeTo(Buffer.from(line), handler);
      });
    },
    onGone: (handler) => void connection.closed.then(handler),
    finish: (status) => {
      const open = [...streams.values()];
      streams.get('error')?.write(status);
      // Once every stream has said its FIN, nothing more will come: the client closes, or we do.
      let left = open.length;
      for (const stream of open) stream.end(() => --left === 0 && connection.close());
    },
  };
}
