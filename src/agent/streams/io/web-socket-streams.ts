/**
 * Remote commands and forwarded ports over WebSocket: `v5.channel.k8s.io` and its elders, each message led by its channel's number;
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

interface Dialect {
  /** Messages are text: the channel's digit, then base64. For clients that have no bytes. */
  readonly isText: boolean;
  /** Before version 4 the error channel carries words, and nothing when all went well. */
  readonly saysStatus: boolean;
  /** An empty message tells that the way is open. */
  readonly greets: boolean;
}

/** In the order of preference. */
const dialects: Readonly<Record<string, Dialect>> = {
  'v5.channel.k8s.io': { isText: false, saysStatus: true, greets: false },
  'v4.channel.k8s.io': { isText: false, saysStatus: true, greets: true },
  'v4.base64.channel.k8s.io': { isText: true, saysStatus: true, greets: true },
  'channel.k8s.io': { isText: false, saysStatus: false, greets: true },
  'base64.channel.k8s.io': { isText: true, saysStatus: false, greets: true },
};
const eldest: Dialect = { isText: false, saysStatus: false, greets: true };
const commandProtocols = Object.keys(dialects);
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
    const isUnknown = client.protocol === '' && http.headers['sec-websocket-protocol'] !== undefined;
    if (isUnknown) {
      client.close(1002, `this server speaks ${spoken.slice(0, 3).join(', ')}`);
      return;
    }
    const channels = new Channels(client, dialects[client.protocol] ?? eldest);
    if (request.kind !== 'portForward') {
      void runCommand(request, targets, commandChannels(channels, request));
    } else if (client.protocol === tunnelProtocol) {
      void tunnel(client, request, targets);
    } else forwardPorts(channels, request, targets);
  });
}

/** Messages of one connection, each of one channel, in the words of its dialect. */
class Channels {
  readonly client: WebSocket;
  readonly dialect: Dialect;

  constructor(client: WebSocket, dialect: Dialect) {
    this.client = client;
    this.dialect = dialect;
  }

  send(number: number, bytes: Buffer, done?: () => void): void {
    const { client, dialect } = this;
    if (client.readyState !== client.OPEN) {
      done?.();
      return;
    }
    const wait = client.bufferedAmount > bufferedBytesMax;
    const sent = (): void => {
      if (wait) done?.();
    };
    if (dialect.isText) client.send(`${number}${bytes.toString('base64')}`, sent);
    else {
      const message = Buffer.allocUnsafe(bytes.length + 1);
      message[0] = number;
      bytes.copy(message, 1);
      client.send(message, sent);
    }
    if (!wait) done?.();
  }

  sink(number: number): Writable {
    const sink = new Writable({ write: (chunk: Buffer, _encoding, done) => this.send(number, chunk, done) });
    this.client.once('close', () => sink.destroy());
    return sink;
  }

  onMessage(handler: (number: number, body: Buffer) => void): void {
    this.client.on('message', (data: Buffer) => {
      if (data.length === 0) return;
      if (this.dialect.isText)
        handler((data[0] ?? 0) - 0x30, Buffer.from(data.subarray(1).toString('latin1'), 'base64'));
      else handler(data[0] ?? 0, data.subarray(1));
    });
  }
}

function commandChannels(
  channels: Channels,
  request: StreamRequest & { kind: 'exec' | 'attach' },
): CommandChannels {
  const { client, dialect } = channels;
  const stdin = request.stdin ? new PassThrough() : undefined;
  let resize: (columns: number, rows: number) => void = () => {};
  const { stdout, stderr, error } = channel;
  if (dialect.greets)
    channels.send(request.stdout ? stdout : request.stderr ? stderr : error, Buffer.alloc(0));
  channels.onMessage((number, body) => {
    switch (number) {
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
    stdout: request.stdout ? channels.sink(stdout) : undefined,
    stderr: request.stderr ? channels.sink(stderr) : undefined,
    onResize: (handler) => {
      resize = handler;
    },
    onGone: (handler) => void client.once('close', handler),
    finish: (status) => {
      const text = dialect.saysStatus ? status : wordsOf(status);
      if (text !== '') channels.send(error, Buffer.from(text));
      client.close(1000);
    },
  };
}

/** What went wrong; '': nothing. */
function wordsOf(status: string): string {
  const { status: outcome, message = '' } = JSON.parse(status) as { status?: string; message?: string };
  return outcome === 'Success' ? '' : message;
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
  channels: Channels,
  request: StreamRequest & { kind: 'portForward' },
  targets: StreamTargets,
): void {
  const { client } = channels;
  const inputs = request.ports.map((port, index) => {
    const number = Buffer.alloc(2);
    number.writeUInt16LE(port);
    channels.send(2 * index, number);
    channels.send(2 * index + 1, number);
    const input = new PassThrough();
    void targets.openPort(request.namespace, request.pod, port).then(
      (connection) => {
        connection.on('error', (error) => channels.send(2 * index + 1, Buffer.from(error.message)));
        input.pipe(connection).pipe(channels.sink(2 * index));
        connection.once('close', () => client.close(1000));
        client.once('close', () => connection.destroy());
      },
      (error: unknown) => {
        channels.send(2 * index + 1, Buffer.from(explainError(error)));
        client.close(1000);
      },
    );
    return input;
  });
  channels.onMessage((number, body) => {
    if (number % 2 === 0) inputs[number / 2]?.write(body);
  });
}
