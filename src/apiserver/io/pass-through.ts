/**
 * What is passed on as it comes: another server's answer, and connections that become something else. For agents, for what runs in the cluster, and for
 * servers that extend the API.
 */
import type {
  ClientRequest,
  IncomingHttpHeaders,
  IncomingMessage,
  OutgoingHttpHeaders,
  ServerResponse,
} from 'node:http';
import type { Duplex, Readable, Transform } from 'node:stream';
import { httpStatusOf, statusOf } from '../status.ts';

/** Resolves when the answer is sent, or its reader has gone. `through`: what is done to its body, one after the other. */
export function passAnswer(
  answer: IncomingMessage,
  headers: string[],
  response: ServerResponse,
  through: readonly Transform[] = [],
): Promise<void> {
  return new Promise((resolve) => {
    response.writeHead(answer.statusCode ?? 502, headers);
    // A watch begins before anything has happened.
    response.flushHeaders();
    answer.once('error', () => response.destroy());
    answer.once('aborted', () => response.destroy());
    answer.once('close', resolve);
    response.once('close', () => {
      answer.destroy();
      resolve();
    });
    let body: Readable = answer;
    for (const step of through) {
      step.once('error', () => response.destroy());
      body = body.pipe(step);
    }
    // The reader waits for what the last step still holds.
    if (through.length > 0) {
      answer.off('close', resolve);
      response.once('finish', resolve);
    }
    body.pipe(response);
  });
}

export interface UpgradeTerms {
  readonly answerMsMax: number;
  /** Why nobody answered, as the client is told. */
  readonly unreachable: (cause: unknown) => unknown;
  /** The other side does not upgrade; default: its answer is passed on. */
  readonly onRefused?: (answer: IncomingMessage) => void;
}

/** Sends `asked`; once it is upgraded, bytes go both ways until one side closes. */
export function passUpgrade(asked: ClientRequest, socket: Duplex, head: Buffer, terms: UpgradeTerms): void {
  const { answerMsMax, unreachable, onRefused } = terms;
  asked.setTimeout(answerMsMax, () => asked.destroy(new Error(`no answer within ${answerMsMax} ms`)));
  asked.once('error', (cause) => refuse(socket, unreachable(cause)));
  asked.once('upgrade', (answer, other, otherHead) => {
    asked.setTimeout(0);
    socket.write(headOf(answer));
    if (otherHead.length > 0) socket.write(otherHead);
    if (head.length > 0) other.write(head);
    join(socket, other);
  });
  asked.once('response', (answer) => {
    if (onRefused !== undefined) return onRefused(answer);
    asked.setTimeout(0);
    socket.write(headOf(answer));
    answer.pipe(socket);
  });
  socket.once('close', () => asked.destroy());
  asked.end();
}

/** Bytes both ways. */
function join(a: Duplex, b: Duplex): void {
  const tie = (from: Duplex, to: Duplex): void => {
    from.on('error', () => {
      from.destroy();
      to.destroy();
    });
    // What is on its way still arrives: the last frame of an exec holds its exit code.
    from.on('close', () => to.end());
    from.pipe(to);
  };
  tie(a, b);
  tie(b, a);
}

function headOf(answer: IncomingMessage): string {
  const lines = [`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}`];
  for (let at = 0; at + 1 < answer.rawHeaders.length; at += 2)
    lines.push(`${answer.rawHeaders[at]}: ${answer.rawHeaders[at + 1]}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** An upgrade that is refused is answered as any request is, on the bare socket. */
export function refuse(socket: Duplex, error: unknown): void {
  if (socket.destroyed) return;
  const body = JSON.stringify(statusOf(error));
  socket.end(
    `HTTP/1.1 ${httpStatusOf(error)} Refused\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

/** Of one connection only (RFC 9110, 7.6.1). */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** What a client says of itself is told anew. */
export function forwarded(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const kept: OutgoingHttpHeaders = {};
  for (const [name, value] of Object.entries(headers)) {
    if (hopByHop.has(name) || name === 'host' || name === 'authorization' || name === 'expect') continue;
    if (name.startsWith('x-remote-') || name.startsWith('impersonate-') || name.startsWith('x-forwarded-'))
      continue;
    kept[name] = value;
  }
  return kept;
}

/** Raw headers without those of the connection. */
export function endToEnd(raw: readonly string[]): string[] {
  const kept: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] ?? '';
    const lower = name.toLowerCase();
    // Ours are told by ourselves.
    if (!hopByHop.has(lower) && lower !== 'audit-id' && lower !== 'date') kept.push(name, raw[at + 1] ?? '');
  }
  return kept;
}
