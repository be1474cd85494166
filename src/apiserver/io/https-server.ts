/**
 * The API over HTTPS: TLS 1.3, client certificates and bearer tokens.
 *
 *   request ─▶ who (certificate, token) ─▶ document │ resource │ log │ paths of others ─▶ answer, or a Status
 *   upgrade ─▶ who ─▶ exec, attach, portforward ─▶ the pod's node
 *
 * Owns sockets and their limits. The quickest path, GET of one object by a certificate, touches no promise.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { CaelumError, explainError, isError } from '../../lib/index.ts';
import type { Api } from '../api.ts';
import { withoutToken } from '../authentication.ts';
import type { ApiContext } from '../context.ts';
import { type Identity, isMaster } from '../identity.ts';
import { impersonated } from '../impersonation.ts';
import { connectTo } from '../operations/connect.ts';
import { parseRoute, Query, type ResourceRoute } from '../router.ts';
import { type AgentConnection, AgentProxy, refuse, streamed } from './agent-proxy.ts';
import { sendBytes, sendError } from './answers.ts';
import { type AnonymousAccess, Authenticator, type FrontProxy, type TokenJudge } from './authenticator.ts';
import { Documents } from './documents.ts';
import { checkAccess, noSuchPath, notAllowed, serveResource, verbOf } from './resource-requests.ts';
import { jsonWebKeys, openIdConfiguration } from './service-account-tokens.ts';

export const gitVersion = 'v1.36.0+caelum';

/** A path that is no resource, asked for by an administrator. */
export interface ExtraRequest {
  readonly path: string;
  readonly method: string;
  readonly identity: Identity;
  readonly response: ServerResponse;
}

/** True: it answers. */
export type ExtraPaths = (request: ExtraRequest) => boolean;

export interface ServeOptions {
  readonly api: Api;
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string };
  /** PEM, one or several. Without it service accounts' tokens are not known. */
  readonly serviceAccountPublicKey?: string | readonly string[];
  readonly staticTokens?: readonly { readonly token: string; readonly identity: Identity }[];
  /** Whose headers are believed. */
  readonly frontProxy?: FrontProxy;
  /** Who knows other tokens than ours. */
  readonly tokenJudges?: readonly TokenJudge[];
  readonly anonymous?: AnonymousAccess;
  readonly agentConnection?: AgentConnection;
  readonly extra?: ExtraPaths;
}

export interface ApiServer {
  readonly port: number;
  readonly url: string;
  /** Ends all connections. */
  close(): Promise<void>;
}

const requestsInFlightMax = 3000;
const headerBytesMax = 64 * 1024;

/** Resolves when it listens. Rejects with the system's error (EADDRINUSE, EACCES) when it cannot. */
export async function serveApi(options: ServeOptions): Promise<ApiServer> {
  const front = new Front(options);
  const server = createServer(
    {
      ca: options.frontProxy === undefined ? options.tls.ca : [options.tls.ca, options.frontProxy.ca],
      cert: options.tls.cert,
      key: options.tls.key,
      minVersion: 'TLSv1.3',
      requestCert: true,
      // A client without a certificate may have a token; one with a wrong certificate is nobody.
      rejectUnauthorized: false,
      maxHeaderSize: headerBytesMax,
      keepAliveTimeout: 120_000,
      requestTimeout: 60_000,
      noDelay: true,
    },
    (request, response) => front.handle(request, response),
  );
  // Watches and logs last; only the reading of a request is bounded in time.
  server.timeout = 0;
  server.on('upgrade', (request, socket, head) => front.upgrade(request, socket, head));
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const line =
      error.code === 'HPE_HEADER_OVERFLOW'
        ? '431 Request Header Fields Too Large'
        : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
          ? '408 Request Timeout'
          : '400 Bad Request';
    if (socket.writable) socket.end(`HTTP/1.1 ${line}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    else socket.destroy();
  });
  // Also those over which nothing has been asked yet: `closeAllConnections` does not know them.
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await listen(server, options.port, options.host);
  const { port } = server.address() as AddressInfo;
  front.address = `${options.host}:${port}`;
  return {
    port,
    url: `https://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        front.closeStreams();
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host, backlog: 1024 }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

class Front {
  address = '';
  readonly #context: ApiContext;
  readonly #options: ServeOptions;
  readonly #documents: Documents;
  readonly #proxy: AgentProxy;
  readonly #authenticator: Authenticator;
  readonly #streams = new Set<Duplex>();
  readonly #counts = { requests: 0, errors: 0, watches: 0 };
  #inFlight = 0;

  constructor(options: ServeOptions) {
    const { context } = options.api;
    this.#context = context;
    this.#options = options;
    this.#documents = new Documents(context.registry, {
      gitVersion,
      address: () => this.address,
      metrics: () => this.#metrics(),
    });
    this.#proxy = new AgentProxy(context, options.agentConnection);
    const { serviceAccountPublicKey, staticTokens, frontProxy, tokenJudges, anonymous } = options;
    this.#authenticator = new Authenticator({
      context,
      clientCa: options.tls.ca,
      ...(serviceAccountPublicKey === undefined ? {} : { serviceAccountPublicKey }),
      ...(staticTokens === undefined ? {} : { staticTokens }),
      ...(frontProxy === undefined ? {} : { frontProxy }),
      ...(tokenJudges === undefined ? {} : { judges: tokenJudges }),
      ...(anonymous === undefined ? {} : { anonymous }),
    });
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    this.#counts.requests++;
    try {
      const identity = this.#speaker(request);
      if (identity instanceof Promise)
        identity.then(
          (known) => this.#serve(known, request, response),
          (error: unknown) => this.#fail(request, response, error),
        );
      else this.#serve(identity, request, response);
    } catch (error) {
      this.#fail(request, response, error);
    }
  }

  /** Never throws. */
  #serve(identity: Identity, request: IncomingMessage, response: ServerResponse): void {
    const url = request.url ?? '/';
    const mark = url.indexOf('?');
    const path = mark < 0 ? url : url.slice(0, mark);
    try {
      const route = parseRoute(path);
      if (route.kind === 'resource') {
        if (mark < 0 && request.method === 'GET' && this.#quickGet(route, identity, request, response))
          return;
        this.#resource(route, new Query(mark < 0 ? '' : url.slice(mark + 1)), identity, request, response);
      } else this.#path(path, identity, request, response);
    } catch (error) {
      this.#fail(request, response, error);
    }
  }

  /** One object, as JSON, for an administrator: the bytes are there, nothing has to wait. */
  #quickGet(
    route: ResourceRoute,
    identity: Identity,
    request: IncomingMessage,
    response: ServerResponse,
  ): boolean {
    if (route.name === '' || route.subresource !== '' || !isMaster(identity)) return false;
    const { accept } = request.headers;
    if (accept !== undefined && accept !== '*/*' && accept !== 'application/json') return false;
    const resource = this.#context.resources.find(route.group, route.version, route.resource);
    if (resource === undefined || resource.kind.namespaced !== (route.namespace !== '')) return false;
    if (resource.prepare !== undefined || resource.kind.deprecation !== undefined) return false;
    const stored = this.#context.store.get(resource.key(route.namespace, route.name));
    if (stored === undefined) return false;
    const bytes = resource.bytesOf(stored);
    response.writeHead(200, [
      'Content-Type',
      'application/json',
      'Content-Length',
      String(bytes.length),
      'Cache-Control',
      'no-cache, private',
    ]);
    response.end(bytes);
    return true;
  }

  #resource(
    route: ResourceRoute,
    query: Query,
    identity: Identity,
    http: IncomingMessage,
    response: ServerResponse,
  ): void {
    if (this.#inFlight >= requestsInFlightMax)
      throw new CaelumError('tooManyRequests', 'Too many requests, please try again later.', {
        details: { retryAfterSeconds: 1 },
      });
    const watching = query.flag('watch') === true;
    const isLog = route.subresource === 'log';
    // What lasts is not counted against what is over in a moment.
    const counted = !watching && !isLog;
    if (watching) this.#counts.watches++;
    if (counted) this.#inFlight++;
    const work = isLog
      ? this.#log(route, query, identity, http, response)
      : serveResource({
          context: this.#context,
          route,
          query,
          identity,
          http,
          response,
          identifyToken: this.#authenticator.identifyToken,
        });
    work
      .catch((error: unknown) => this.#fail(http, response, error))
      .finally(() => {
        if (counted) this.#inFlight--;
      });
  }

  async #log(
    route: ResourceRoute,
    query: Query,
    identity: Identity,
    http: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    if (http.method !== 'GET') throw notAllowed();
    if (route.group !== '' || route.resource !== 'pods') throw noSuchPath();
    await checkAccess(this.#context, identity, {
      kind: 'resource',
      verb: 'get',
      group: '',
      resource: 'pods',
      subresource: 'log',
      namespace: route.namespace,
      name: route.name,
    });
    await this.#proxy.serveLog(route, query, response);
  }

  #path(path: string, identity: Identity, request: IncomingMessage, response: ServerResponse): void {
    const asked = { kind: 'path', verb: (request.method ?? 'get').toLowerCase(), path } as const;
    const pending = checkAccess(this.#context, identity, asked);
    if (pending === undefined) this.#document(path, identity, request, response);
    else
      pending
        .then(() => this.#document(path, identity, request, response))
        .catch((error: unknown) => this.#fail(request, response, error));
  }

  #document(path: string, identity: Identity, request: IncomingMessage, response: ServerResponse): void {
    const { extra } = this.#options;
    if (isMaster(identity) && extra?.({ path, method: request.method ?? '', identity, response }) === true)
      return;
    if (request.method !== 'GET' && request.method !== 'HEAD')
      throw path.startsWith('/api') ? notAllowed() : noSuchPath();
    if (!this.#keys(path, response) && !this.#documents.serve(path, request, response))
      sendBytes(response, 404, JSON.stringify(notFoundStatus));
  }

  /** By which keys others may check service accounts' tokens. */
  #keys(path: string, response: ServerResponse): boolean {
    const { serviceAccountPublicKey: keys } = this.#options;
    if (keys === undefined || (!path.startsWith('/openid/') && !path.startsWith('/.well-known/')))
      return false;
    const [name, type, make] =
      path.replace(/\/$/, '') === '/openid/v1/jwks'
        ? (['/openid/v1/jwks', 'application/jwk-set+json', jsonWebKeys] as const)
        : (['/.well-known/openid-configuration', 'application/json', openIdConfiguration] as const);
    if (path !== name && path !== `${name}/`) return false;
    response.setHeader('Cache-Control', 'public, max-age=3600');
    response.writeHead(200, { 'Content-Type': type });
    response.end(JSON.stringify(make(keys)));
    return true;
  }

  /** Whom a request speaks for. A promise only where somebody else has to be asked. */
  #speaker(request: IncomingMessage): Identity | Promise<Identity> {
    const caller = this.#authenticator.identify(request);
    return caller instanceof Promise
      ? caller.then((known) => this.#spokenFor(known, request))
      : this.#spokenFor(caller, request);
  }

  #spokenFor(caller: Identity, { headers }: IncomingMessage): Identity | Promise<Identity> {
    const { access } = this.#context;
    return impersonated(caller, headers, (asked) => access.ask(caller, asked));
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    this.#streams.add(socket);
    socket.once('close', () => this.#streams.delete(socket));
    this.#upgrade(request, socket, head).catch((error: unknown) => refuse(socket, error));
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const protocols = request.headers['sec-websocket-protocol'];
    const url = request.url ?? '/';
    const mark = url.indexOf('?');
    const route = parseRoute(mark < 0 ? url : url.slice(0, mark));
    const search = mark < 0 ? '' : url.slice(mark);
    const query = new Query(search.slice(1));
    if (
      route.kind !== 'resource' ||
      route.group !== '' ||
      route.resource !== 'pods' ||
      !streamed.includes(route.subresource)
    )
      throw noSuchPath();
    const identity = await this.#speaker(request);
    // The token is nobody else's business.
    if (protocols !== undefined) request.headers['sec-websocket-protocol'] = withoutToken(protocols);
    // Kubernetes asks for "create" whatever the method: to exec is to do something.
    verbOf(request.method ?? '', route, query);
    await checkAccess(this.#context, identity, {
      kind: 'resource',
      verb: 'create',
      group: '',
      resource: 'pods',
      subresource: route.subresource,
      namespace: route.namespace,
      name: route.name,
    });
    await connectTo(this.#context, route, identity, search, (admitted, admittedSearch) =>
      this.#proxy.serveStream(route, admitted, admittedSearch, request, socket, head),
    );
  }

  closeStreams(): void {
    for (const socket of this.#streams) socket.destroy();
  }

  #fail(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    this.#counts.errors++;
    if (!isError(error) || error.code === 'internal' || error.code === 'corrupt')
      this.#context.log.error('a request failed', {
        method: request.method,
        url: request.url,
        error,
        stack: error instanceof Error ? error.stack : explainError(error),
      });
    sendError(response, error);
  }

  #metrics(): string {
    const { revision, keys } = this.#context.store.stats();
    const lines: readonly (readonly [name: string, type: string, help: string, value: number])[] = [
      ['caelum_apiserver_requests_total', 'counter', 'Requests taken.', this.#counts.requests],
      [
        'caelum_apiserver_request_errors_total',
        'counter',
        'Requests answered with an error.',
        this.#counts.errors,
      ],
      ['caelum_apiserver_watches_total', 'counter', 'Watches begun.', this.#counts.watches],
      ['caelum_apiserver_requests_in_flight', 'gauge', 'Requests being served.', this.#inFlight],
      ['caelum_store_revision', 'gauge', 'Revision of the newest durable state.', revision],
      ['caelum_store_objects', 'gauge', 'Objects stored.', keys],
    ];
    return lines
      .map(
        ([name, type, help, value]) => `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name} ${value}\n`,
      )
      .join('');
  }
}

const notFoundStatus = {
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  message: 'the server could not find the requested resource',
  reason: 'NotFound',
  details: {},
  code: 404,
};

/** In a time that does not tell where they differ. */
