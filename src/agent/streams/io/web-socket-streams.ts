/**
 * Remote commands and forwarded ports over WebSocket: `v5.channel.k8s.io` (and v4), each message led by its channel's number;
 * and `SPDY/3.1+portforward.k8s.io`, SPDY's bytes inside messages.
 *
 * Channels of a command: 0 stdin, 1 stdout, 2 stderr, 3 error (Status), 4 resize, 255 (v5) closes the channel that it names.
 * Channels of forwarded ports: 2i data and 2i+1 error of the i-th port; each is opened with the port's number, little-endian.
 * Source: k8s.io/apimachinery/pkg/util/httpstream/wsstream, remotecommand; KEP-4006.
 */
import type { IncomingMessage } from 'node:http';
import { type Duplex, PassThrough, Writable } from 'node:stream';
import type { WebSocket } from 'ws';
import { explainError } from '../../../lib/index.ts';
import type { StreamTargets } from '../../server/endpoint.ts';
import type { StreamRequest } from '../stream-request.ts';
import { type CommandChannels, runCommand } from './command-session.ts';
import { servePortStreams } from './port-streams.ts';
import { SpdyConnection } from './spdy-connection.ts';

const commandProtocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];
const tunnelProtocol = 'SPDY/3.1+portforward.k8s.io';
const portProtocols = [tunnelProtocol, ...commandProtocols];
const channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;
/** Above this many bytes on their way to the client, its container's output waits. */
const bufferedBytesMax = 1 << 20;

export async function serveWebSocket(
  http: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  request: StreamRequest,
  targets: StreamTargets,
): Promise<void> {
  const { WebSocketServer } = await import('ws');
  const spoken = request.kind === 'portForward' ? portProtocols : commandProtocols;
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: 1 << 20,
    handleProtocols: (offered) => spoken.find((one) => offered.has(one)) ?? false,
  });
  server.handleUpgrade(http, socket, head, (client) => {
    client.on('error', () => client.terminate());
    if (client.protocol === '') {
      client.close(1002, `this server speaks ${spoken.join(', ')}`);
    } else if (request.kind !== 'portForward') {
      void runCommand(request, targets, commandChannels(client, request));
    } else if (client.protocol === tunnelProtocol) {
      void tunnel(client, request, targets);
    } else forwardPorts(client, request, targets);
  });
}

function send(client: WebSocket, number: number, bytes: Buffer, done?: () => void): void {
  if (client.readyState !== client.OPEN) {
    done?.();
    return;
  }
  const message = Buffer.allocUnsafe(bytes.length + 1);
  message[0] = number;
  bytes.copy(message, 1);
  const wait = client.bufferedAmount > bufferedBytesMax;
  client.send(message, () => {
    if (wait) done?.();
  });
  if (!wait) done?.();
}

function sinkOf(client: WebSocket, number: number): Writable {
  const sink = new Writable({ write: (chunk: Buffer, _encoding, done) => send(client, number, chunk, done) });
  client.once('close', () => sink.destroy());
  return sink;
}

function commandChannels(
  client: WebSocket,
  request: StreamRequest & { kind: 'exec' | 'attach' },
): CommandChannels {
  const stdin = request.stdin ? new PassThrough() : undefined;
  let resize: (columns: number, rows: number) => void = () => {};
  client.on('message', (data: Buffer) => {
    const body = data.subarray(1);
    switch (data[0]) {
      case channel.stdin:
        if (body.length > 0 && stdin?.writableEnded === false && !stdin.write(body)) {
          client.pause();
          stdin.once('drain', () => client.resume());
        }
        break;
      case channel.resize:
        resizeTo(body, resize);
        break;
      case channel.close:
        if (body[0] === channel.stdin) stdin?.end();
        break;
      default:
        break;
    }
  });
  client.once('close', () => stdin?.end());
  return {
    stdin,
    stdout: request.stdout ? sinkOf(client, channel.stdout) : undefined,
    stderr: request.stderr ? sinkOf(client, channel.stderr) : undefined,
    onResize: (handler) => {
      resize = handler;
    },
    onGone: (handler) => void client.once('close', handler),
    finish: (status) => {
      send(client, channel.error, Buffer.from(status));
      client.close(1000);
    },
  };
}

/** `{"Width": 80, "Height": 24}`; anything else is ignored. */
export function resizeTo(body: Buffer, resize: (columns: number, rows: number) => void): void {
  try {
    const { Width, Height } = JSON.parse(body.toString()) as { Width?: unknown; Height?: unknown };
    if (Number.isInteger(Width) && Number.isInteger(Height)) resize(Width as number, Height as number);
  } catch {
    // A client's slip is not worth the session.
  }
}

async function tunnel(
  client: WebSocket,
  request: StreamRequest & { kind: 'portForward' },
  targets: StreamTargets,
): Promise<void> {
  const { createWebSocketStream } = await import('ws');
  const transport = createWebSocketStream(client, { readableObjectMode: false });
  servePortStreams(request, targets, (onStream) => new SpdyConnection(transport, Buffer.alloc(0), onStream));
}

function forwardPorts(
  client: WebSocket,
  request: StreamRequest & { kind: 'portForward' },
  targets: StreamTargets,
): void {
  const inputs = request.ports.map((port, index) => {
    const number = Buffer.alloc(2);
    number.writeUInt16LE(port);
    send(client, 2 * index, number);
    send(client, 2 * index + 1, number);
    const input = new PassThrough();
    void targets.openPort(request.namespace, request.pod, port).then(
      (connection) => {
        connection.on('error', (error) => send(client, 2 * index + 1, Buffer.from(error.message)));
        input.pipe(connection).pipe(sinkOf(client, 2 * index));
        connection.once('close', () => client.close(1000));
        client.once('close', () => connection.destroy());
      },
      (error: unknown) => {
        send(client, 2 * index + 1, Buffer.from(explainError(error)));
        client.close(1000);
      },
    );
    return input;
  });
  client.on('message', (data: Buffer) => {
    const number = data[0] ?? 0;
    if (number % 2 === 0) inputs[number / 2]?.write(data.subarray(1));
  });
}
