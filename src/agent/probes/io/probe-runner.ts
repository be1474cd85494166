/**
 * Asks one question of a container: exec through the runtime; HTTP and TCP on plain sockets; gRPC health over HTTP/2.
 * A probe costs one connection and no agent; bodies are not read beyond the status line and a little for the message.
 */
import { connect as connectHttp2, constants } from 'node:http2';
import { connect as connectTcp, isIPv6, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Container, HTTPGetAction } from '../../../api/index.ts';
import { explainError } from '../../../lib/index.ts';
import type { Runtime } from '../../runtime/index.ts';
import type { ProbeAction, ProbeOutcome, ProbeRunner, ProbeTarget } from '../prober.ts';

const bodyMax = 10 * 1024;

export function createProbeRunner(runtime: Runtime): ProbeRunner {
  return {
    async run(action, target, timeoutMs) {
      try {
        return await ask(runtime, action, target, timeoutMs);
      } catch (error) {
        return { ok: false, output: explainError(error) };
      }
    },
  };
}

async function ask(
  runtime: Runtime,
  action: ProbeAction,
  target: ProbeTarget,
  timeoutMs: number,
): Promise<ProbeOutcome> {
  if (action.exec !== undefined) {
    const result = await runtime.execSync(target.containerId, action.exec.command ?? [], timeoutMs);
    if (result.timedOut)
      return {
        ok: false,
        output: `command timed out: "${(action.exec.command ?? []).join(' ')}" timed out after ${timeoutMs / 1000}s`,
      };
    return { ok: result.exitCode === 0, output: result.output };
  }
  if (action.httpGet !== undefined) return askHttp(action.httpGet, target, timeoutMs);
  if (action.tcpSocket !== undefined) {
    const { host, port } = action.tcpSocket;
    const socket = await dial(host || target.address, portOf(port, target.container), timeoutMs);
    socket.destroy();
    return { ok: true, output: '' };
  }
  if (action.grpc !== undefined) return askGrpc(action.grpc, target, timeoutMs);
  return { ok: true, output: '' };
}

function portOf(port: number | string, container: Container): number {
  if (typeof port === 'number') return port;
  if (/^\d+$/.test(port)) return Number(port);
  const named = container.ports?.find((item) => item.name === port);
  if (named === undefined) throw new Error(`couldn't find port: ${JSON.stringify(port)}`);
  return named.containerPort;
}

function dial(host: string, port: number, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp({ host, port, noDelay: true });
    const timer = setTimeout(
      () => socket.destroy(new Error(`dial tcp ${host}:${port}: i/o timeout`)),
      timeoutMs,
    );
    socket.once('connect', () => {
      clearTimeout(timer);
      resolve(socket);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      const refused = error.code === 'ECONNREFUSED';
      reject(refused ? new Error(`dial tcp ${host}:${port}: connect: connection refused`) : error);
    });
  });
}

interface Place {
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
  /** With its query; begins with a slash. */
  readonly path: string;
}

interface HttpAnswer {
  readonly code: number;
  readonly location: string | undefined;
  readonly body: string;
}

const redirectsMax = 10;
const isRedirect = (code: number): boolean => [301, 302, 303, 307, 308].includes(code);

/** On the same host redirects are followed; one that leads elsewhere is as good as an answer, but worth a warning. */
async function askHttp(action: HTTPGetAction, target: ProbeTarget, timeoutMs: number): Promise<ProbeOutcome> {
  const path = action.path || '/';
  const first: Place = {
    secure: action.scheme?.toUpperCase() === 'HTTPS',
    host: action.host || target.address,
    port: portOf(action.port, target.container),
    path: path.startsWith('/') ? path : `/${path}`,
  };
  const endMs = performance.now() + timeoutMs;
  let place = first;
  for (let hop = 0; ; hop++) {
    const leftMs = Math.max(1, endMs - performance.now());
    const answer = await fetchOnce(place, action.httpHeaders ?? [], leftMs).catch((error: unknown) =>
      explainError(error),
    );
    if (typeof answer === 'string') return { ok: false, output: `Get "${urlOf(place)}": ${answer}` };
    const { code, location, body } = answer;
    const next = isRedirect(code) && location !== undefined ? placeOf(location, place) : undefined;
    if (next !== undefined && next.host === first.host) {
      if (hop >= redirectsMax - 1)
        return { ok: false, output: `Get "${location}": stopped after ${redirectsMax} redirects` };
      place = next;
      continue;
    }
    if (code >= 200 && code < 300) return { ok: true, output: '' };
    if (code >= 300 && code < 400)
      return { ok: true, output: '', warning: `Probe terminated redirects, Response body: ${body}` };
    return { ok: false, output: `HTTP probe failed with statuscode: ${code}` };
  }
}

const inUrl = (host: string): string => (isIPv6(host) ? `[${host}]` : host);
const urlOf = ({ secure, host, port, path }: Place): string =>
  `${secure ? 'https' : 'http'}://${inUrl(host)}:${port}${path}`;

function placeOf(location: string, from: Place): Place | undefined {
  const url = URL.parse(location, urlOf(from));
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return undefined;
  const secure = url.protocol === 'https:';
  return {
    secure,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
    path: `${url.pathname}${url.search}`,
  };
}

/** Resolves with the head of the answer; where that is a redirect, with its body too, as far as it comes. */
async function fetchOnce(
  { secure, host, port, path }: Place,
  own: NonNullable<HTTPGetAction['httpHeaders']>,
  timeoutMs: number,
): Promise<HttpAnswer> {
  const startedMs = performance.now();
  const socket = await dial(host, port, timeoutMs);
  const leftMs = Math.max(1, timeoutMs - (performance.now() - startedMs));
  const stream = secure ? connectTls({ socket, rejectUnauthorized: false, servername: '' }) : socket;
  const headers = new Map<string, string>([
    ['host', `${inUrl(host)}:${port}`],
    ['user-agent', 'kube-probe/1.36'],
    ['accept', '*/*'],
    ['connection', 'close'],
  ]);
  for (const { name, value } of own) headers.set(name.toLowerCase(), value);
  const lines = [...headers].map(([name, value]) => `${name}: ${value}`.replace(/[\r\n]/g, ''));
  stream.write(`GET ${path.replace(/[\r\n ]/g, '')} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
  return new Promise((resolve, reject) => {
    let text = '';
    const finish = (isLast: boolean): boolean => {
      const answer = readAnswer(text, isLast || text.length >= bodyMax);
      if (answer === undefined) return false;
      done();
      resolve(answer);
      return true;
    };
    const fail = (error: Error): void => {
      done();
      reject(error);
    };
    const done = (): void => {
      clearTimeout(timer);
      stream.destroy();
    };
    const timer = setTimeout(
      () => fail(new Error('context deadline exceeded (Client.Timeout exceeded while awaiting headers)')),
      leftMs,
    );
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1').slice(0, bodyMax - text.length);
      finish(false);
    });
    stream.on('error', fail);
    stream.on('close', () => {
      if (!finish(true)) fail(new Error('EOF'));
    });
  });
}

/** undefined: more has to come. */
function readAnswer(text: string, isLast: boolean): HttpAnswer | undefined {
  const code = Number(/^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1] ?? 0);
  const headEnd = text.indexOf('\r\n\r\n');
  if (code === 0 || headEnd < 0) return undefined;
  const head = text.slice(0, headEnd);
  const header = (name: string): string | undefined =>
    new RegExp(`\\r\\n${name}:[ \\t]*([^\\r\\n]*)`, 'i').exec(head)?.[1]?.trim();
  const rest = text.slice(headEnd + 4);
  const length = header('content-length');
  const isWhole = isLast || (length !== undefined && rest.length >= Number(length));
  if (code >= 300 && code < 400 && !isWhole) return undefined;
  return {
    code,
    location: header('location'),
    body: length === undefined ? rest : rest.slice(0, Number(length)),
  };
}

/** grpc.health.v1.Health/Check: one unary call, its message two fields at most. */
function askGrpc(
  action: NonNullable<ProbeAction['grpc']>,
  target: ProbeTarget,
  timeoutMs: number,
): Promise<ProbeOutcome> {
  const host = isIPv6(target.address) ? `[${target.address}]` : target.address;
  const session = connectHttp2(`http://${host}:${action.port}`);
  return new Promise((resolve) => {
    const finish = (ok: boolean, output: string): void => {
      clearTimeout(timer);
      session.destroy();
      resolve({ ok, output });
    };
    const timer = setTimeout(
      () =>
        finish(
          false,
          `timeout: failed to connect service "${host}:${action.port}" within ${timeoutMs / 1000}s`,
        ),
      timeoutMs,
    );
    session.on('error', (error) => finish(false, error.message));
    const call = session.request({
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const service = Buffer.from(action.service ?? '');
    const message =
      service.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, service.length]), service]);
    const frame = Buffer.alloc(5);
    frame.writeUInt32BE(message.length, 1);
    call.end(Buffer.concat([frame, message]));
    const chunks: Buffer[] = [];
    let grpcStatus: string | undefined;
    call.on('response', (headers) => {
      if (headers['grpc-status'] !== undefined) grpcStatus = String(headers['grpc-status']);
    });
    call.on('trailers', (headers) => {
      grpcStatus = String(headers['grpc-status']);
    });
    call.on('data', (chunk: Buffer) => chunks.push(chunk));
    call.on('error', (error) => finish(false, error.message));
    call.on('end', () => {
      const body = Buffer.concat(chunks);
      // Field 1, a varint: SERVING is 1.
      if (grpcStatus === '0' && body[5] === 0x08 && body[6] === 1) finish(true, '');
      else
        finish(
          false,
          `service unhealthy (responded with ${grpcStatus === '0' ? `status ${body[6] ?? 0}` : `code ${grpcStatus}`})`,
        );
    });
  });
}
