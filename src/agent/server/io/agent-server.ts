/**
 * The agent's HTTPS server: the kubelet's paths, for the API server only.
 *
 *   GET  /healthz /pods /stats/summary /metrics[/resource|cadvisor|probes] /containerLogs/NAMESPACE/POD/CONTAINER
 *   UPG  /exec/… /attach/… /portForward/…  ──▶ StreamHandler
 *
 * Invariant: a caller without the API server's own client certificate (signed by the cloud's CA, CN caelum-apiserver) gets nothing, but for figures, pods and
 * health where another certificate, or a token, and roles allow it (`caller-access.ts`).
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { UserInfo } from '../../../api/index.ts';
import { CaelumError, explainError, isError, type Log } from '../../../lib/index.ts';
import type { CallerAccess } from '../caller-access.ts';
import type { AgentEndpoint, LogOptions, StreamHandler } from '../endpoint.ts';
import { agentMetricsOf, resourceMetricsOf, summaryOf } from '../statistics.ts';

export interface AgentServerSettings {
  /** PEM. `ca` signs the callers' certificates. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

export interface AgentServer {
  readonly port: number;
  close(): Promise<void>;
}

const callerName = 'caelum-apiserver';

export interface ServeOptions extends AgentServerSettings {
  readonly log: Log;
  /** Requests wait for it: the port may have to be known before there is an endpoint. */
  readonly endpoint: AgentEndpoint | Promise<AgentEndpoint>;
  /** Carries exec, attach and port-forward; the agent's own by default. */
  readonly streams?: StreamHandler | undefined;
  /** Whether others than the API server may see figures; by default nobody may. */
  readonly access?: CallerAccess;
}

export async function serveAgent(options: ServeOptions): Promise<AgentServer> {
  const { ca, cert, key, log } = options;
  const streams = options.streams ?? lazyStreams(log);
  const server = createServer({
    ca,
    cert,
    key,
    requestCert: true,
    // One without the right certificate may have a token of the cloud, for figures.
    rejectUnauthorized: options.access === undefined,
    minVersion: 'TLSv1.3',
  });
  server.on('request', (request, response) => {
    answer(options, request, response).catch((error: unknown) => fail(response, error, log));
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (!isAllowed(request)) {
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      return;
    }
    Promise.resolve(options.endpoint).then(
      (endpoint) => streams(request, socket, head, endpoint),
      () => socket.destroy(),
    );
  });
  server.on('tlsClientError', (error) => log.debug('a caller was refused', { error }));
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Loaded when first needed: most agents never serve a stream. */
function lazyStreams(log: Log): StreamHandler {
  let handler: Promise<StreamHandler> | undefined;
  return (request, socket, head, targets) => {
    handler ??= import('../../streams/io/stream-handler.ts').then((module) =>
      module.createStreamHandler(log),
    );
    handler.then(
      (streams) => streams(request, socket, head, targets),
      (error: unknown) => {
        log.error('cannot load the stream protocols', { error });
        socket.destroy();
      },
    );
  };
}

function listen(server: Server, settings: AgentServerSettings): Promise<void> {
  const { host, port } = settings;
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'EADDRINUSE' ? 'the port is taken' : cause.message;
      reject(new CaelumError('unavailable', `Cannot listen on "${host}:${port}": ${why}`, { cause }));
    });
    server.listen(port, host, () => {
      server.removeAllListeners('error');
      server.on('error', () => {});
      resolve();
    });
  });
}

function isAllowed(request: IncomingMessage): boolean {
  const socket = request.socket as TLSSocket;
  if (!socket.authorized) return false;
  return socket.getPeerCertificate()?.subject?.CN === callerName;
}

/** Whom a certificate that the cloud's authority signed names. */
function certifiedUser(request: IncomingMessage): UserInfo | undefined {
  const socket = request.socket as TLSSocket;
  const { CN, O } = (socket.authorized ? socket.getPeerCertificate()?.subject : undefined) ?? {};
  if (typeof CN !== 'string' || CN === '') return undefined;
  return { username: CN, groups: [...(O === undefined ? [] : [O].flat()), 'system:authenticated'] };
}

async function answer(
  { endpoint: opening, access }: ServeOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'https://agent');
  const [, first = '', ...rest] = url.pathname.split('/').map(decodeURIComponent);
  if (!isAllowed(request)) {
    if (access === undefined) throw new CaelumError('forbidden', 'Forbidden: only the API server may ask');
    await access.check(certifiedUser(request), request.headers.authorization, first);
  }
  const endpoint = await opening;
  if (['exec', 'attach', 'portForward'].includes(first))
    throw new CaelumError('badRequest', 'you must upgrade the connection: websocket or SPDY/3.1');
  if (request.method !== 'GET') throw new CaelumError('methodNotAllowed', 'Method Not Allowed');
  switch (first) {
    case 'healthz':
      response.setHeader('content-type', 'text/plain; charset=utf-8');
      response.end('ok');
      return;
    case 'pods':
      sendJson(response, { kind: 'PodList', apiVersion: 'v1', metadata: {}, items: [...endpoint.pods()] });
      return;
    case 'stats':
      sendJson(response, summaryOf(await endpoint.usage(url.searchParams.get('node') ?? undefined)));
      return;
    case 'metrics':
      return sendMetrics(endpoint, rest[0] ?? '', url.searchParams.get('node') ?? undefined, response);
    case 'containerLogs':
      return sendLogs(endpoint, rest, url.searchParams, request, response);
  }
  throw new CaelumError('notFound', `Cannot find "${url.pathname}"`);
}

/** As the kubelet parts them: its own, the containers', those of all that autoscaling needs, and its probes'. */
async function sendMetrics(
  endpoint: AgentEndpoint,
  which: string,
  nodeName: string | undefined,
  response: ServerResponse,
): Promise<void> {
  if (!['', 'resource', 'cadvisor', 'probes'].includes(which))
    throw new CaelumError('notFound', `Cannot find "/metrics/${which}"`);
  const usage = which === 'probes' ? undefined : await endpoint.usage(nodeName);
  response.setHeader('content-type', 'text/plain; version=0.0.4; charset=utf-8');
  response.end(usage === undefined ? '' : which === '' ? agentMetricsOf(usage) : resourceMetricsOf(usage));
}

function sendJson(response: ServerResponse, value: unknown): void {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(value));
}

async function sendLogs(
  endpoint: AgentEndpoint,
  place: readonly string[],
  query: URLSearchParams,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [namespace = '', pod = '', container = ''] = place;
  const closed = new AbortController();
  response.on('close', () => closed.abort());
  const options = logOptionsOf(query, Date.now());
  const chunks = await endpoint.logs(namespace, pod, container, options, closed.signal);
  response.setHeader('content-type', 'text/plain; charset=utf-8');
  // A follower sees at once that it is connected.
  if (options.follow) response.flushHeaders();
  request.socket.setNoDelay(true);
  for await (const chunk of chunks) {
    if (closed.signal.aborted) return;
    if (!response.write(chunk)) await drained(response, closed.signal);
  }
  response.end();
}

function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    response.once('drain', resolve);
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Throws `badRequest` for numbers and times that are none. */
export function logOptionsOf(query: URLSearchParams, nowMs: number): LogOptions {
  const is = (name: string): boolean => ['1', 'true'].includes(query.get(name) ?? '');
  const number = (name: string): number | undefined => {
    const text = query.get(name);
    if (text === null || text === '') return undefined;
    const value = Number(text);
    if (!Number.isInteger(value) || value < 0)
      throw new CaelumError('badRequest', `Cannot read logs: "${name}" is no whole number`);
    return value;
  };
  const sinceSeconds = number('sinceSeconds');
  const sinceTime = query.get('sinceTime');
  const parsed = sinceTime === null || sinceTime === '' ? undefined : Date.parse(sinceTime);
  if (parsed !== undefined && Number.isNaN(parsed))
    throw new CaelumError('badRequest', 'Cannot read logs: "sinceTime" is no RFC 3339 time');
  const stream = query.get('stream');
  return {
    follow: is('follow'),
    previous: is('previous'),
    timestamps: is('timestamps'),
    tailLines: number('tailLines'),
    sinceMs: sinceSeconds === undefined ? parsed : nowMs - sinceSeconds * 1000,
    limitBytes: number('limitBytes'),
    stream: stream === 'Stdout' || stream === 'Stderr' ? stream : undefined,
  };
}

function fail(response: ServerResponse, error: unknown, log: Log): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const status = isError(error, 'notFound')
    ? 404
    : isError(error, 'unauthorized')
      ? 401
      : isError(error, 'badRequest', 'invalid')
        ? 400
        : isError(error, 'forbidden')
          ? 403
          : isError(error, 'methodNotAllowed')
            ? 405
            : 500;
  if (status === 500) log.error('a request failed', { error });
  response.statusCode = status;
  response.setHeader('content-type', 'text/plain; charset=utf-8');
  response.end(error instanceof CaelumError ? error.message : explainError(error));
}
