/**
 * The API over HTTPS: TLS 1.3, client certificates and bearer tokens.
 *
 *   request ─▶ who (certificate, token) ─▶ desk (audit, seats, time) ─▶ document │ resource │ log │ paths of others ─▶ answer, or a Status
 *   upgrade ─▶ who ─▶ exec, attach, portforward ─▶ the pod's node
 *
 * Owns sockets and their limits. The quickest path, GET of one object by a certificate, touches no promise.
 */

import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { explainError, isError } from '../../lib/index.ts';
import type { Attributes } from '../access/rules.ts';
import type { Api } from '../api.ts';
import { withoutToken } from '../authentication.ts';
import type { ApiContext } from '../context.ts';
import type { Ticket } from '../flow/flow-control.ts';
import { type Identity, isMaster } from '../identity.ts';
import { impersonated } from '../impersonation.ts';
import { connectProxy, connectTo } from '../operations/connect.ts';
import { parseRoute, Query, type ResourceRoute } from '../router.ts';
import { httpStatusOf } from '../status.ts';
import { type AgentConnection, AgentProxy, streamed } from './agent-proxy.ts';
import { Aggregator } from './aggregator.ts';
import { sendBytes, sendError } from './answers.ts';
import { ApiResponse } from './api-response.ts';
import { auditOf } from './audited.ts';
import { type AnonymousAccess, Authenticator, type FrontProxy, type TokenJudge } from './authenticator.ts';
import { type AuditOptions, Desk, timeLimitOf } from './desk.ts';
import { Documents } from './documents.ts';
import { noSuchPath, notAllowed } from './exchange.ts';
import { isForPeople } from './for-people.ts';
import { Health, type HealthCheck, ping, storeCheck } from './health.ts';
import { ObjectProxy } from './object-proxy.ts';
import { refuse } from './pass-through.ts';
import { checkAccess, serveResource, verbOf } from './resource-requests.ts';
import { exportServer } from './server-metrics.ts';
import { serveKeys } from './service-account-keys.ts';
import { refusalOfUnread } from './unread.ts';
import { versionOf } from './version.ts';

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
  /** With whose certificate servers that extend the API are called; without it nobody extends it. */
  readonly proxyClient?: { readonly cert: string; readonly key: string };
  /** Until such a server begins to answer. */
  readonly extensionAnswerMsMax?: number;
  readonly agentConnection?: AgentConnection;
  readonly extra?: ExtraPaths;
  readonly audit?: AuditOptions;
  /** How many requests (of one seat) are served at once. */
  readonly seats?: number;
  /** What else has to be well, for /livez and /readyz. */
  readonly checks?: readonly HealthCheck[];
}

export interface ApiServer {
  readonly port: number;
  readonly url: string;
  /** Whether another server serves a group and version. */
  isExtended(group: string, version: string): boolean;
  /** Asks that server, in the name of one of our parts. Rejects with what it says. */
  askExtension(group: string, version: string, path: string, as: Identity): Promise<unknown>;
  /** Ends all connections. */
  close(): Promise<void>;
}

const headerBytesMax = 64 * 1024;

/** Resolves when it listens. Rejects with the system's error (EADDRINUSE, EACCES) when it cannot. */
export async function serveApi(options: ServeOptions): Promise<ApiServer> {
  const front = new Front(options);
  const server = createServer(
    {
      ServerResponse: ApiResponse as never,
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
    (request, response) => front.handle(request, response as ApiResponse),
  );
  // Watches and logs last; only the reading of a request is bounded in time.
  server.timeout = 0;
  // Their bytes are bounded; by default Node drops those after the two-thousandth, and one of them may matter.
  server.maxHeadersCount = 0;
  server.on('upgrade', (request, socket, head) => front.upgrade(request, socket, head));
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (socket.writable) socket.end(refusalOfUnread(error.code));
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
  front.start();
  return {
    port,
    url: `https://127.0.0.1:${port}`,
    isExtended: (group, version) => front.others?.serves(group, version) === true,
    askExtension: async (group, version, path, as) => front.others?.ask(group, version, path, as),
    close: () =>
      new Promise((resolve) => {
        server.close(() => void front.settled().then(resolve));
        server.closeAllConnections();
        front.close();
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
  readonly #objects: ObjectProxy;
  readonly #authenticator: Authenticator;
  readonly #streams = new Set<Duplex>();
  readonly others: Aggregator | undefined;
  readonly #desk: Desk;
  readonly #health: Health;

  constructor(options: ServeOptions) {
    const { context } = options.api;
    this.#context = context;
    this.#options = options;
    const { proxyClient, extensionAnswerMsMax } = options;
    this.others =
      proxyClient === undefined
        ? undefined
        : new Aggregator({
            context,
            client: options.api.client(),
            proxyClient,
            ...(extensionAnswerMsMax === undefined ? {} : { answerMsMax: extensionAnswerMsMax }),
          });
    this.#documents = new Documents(context.registry, context.computed, {
      version: versionOf(gitVersion),
      address: () => this.address,
      metrics: () => context.metrics.text(),
      ...(this.others === undefined ? {} : { others: this.others }),
    });
    this.#desk = new Desk({
      context,
      metrics: context.metrics,
      ...(options.audit === undefined ? {} : { audit: options.audit }),
      ...(options.seats === undefined ? {} : { seats: options.seats }),
    });
    exportServer(context, versionOf(gitVersion));
    this.#health = new Health(
      [ping, storeCheck(context.store, context.clock), ...(options.checks ?? [])],
      context.log,
    );
    this.#proxy = new AgentProxy(context, options.agentConnection);
    this.#objects = new ObjectProxy(context, options.agentConnection);
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

  start(): void {
    this.others?.start();
  }

  /** Nothing is written any more. */
  async settled(): Promise<void> {
    await this.others?.close();
  }

  handle(request: IncomingMessage, response: ApiResponse): void {
    response.meter = this.#desk.counts.unknown;
    try {
      const identity = this.#speaker(request, response);
      if (identity instanceof Promise)
        identity.then(
          (known) => this.#serve(known, request, response),
          (error: unknown) => this.#refuse(request, response, error),
        );
      else this.#serve(identity, request, response);
    } catch (error) {
      this.#refuse(request, response, error);
    }
  }

  /** Nobody we know, or not for whom they say. */
  #refuse(request: IncomingMessage, response: ApiResponse, error: unknown): void {
    if (this.#desk.isAuditing)
      try {
        this.#desk.open(response, undefined, attributesOf(request), undefined, false);
      } catch {
        // What it asks for cannot be read either: the answer to that is the refusal.
      }
    this.#fail(request, response, error);
  }

  /** Never throws. */
  #serve(identity: Identity, request: IncomingMessage, response: ApiResponse): void {
    const url = request.url ?? '/';
    const mark = url.indexOf('?');
    const path = mark < 0 ? url : url.slice(0, mark);
    try {
      let route = parseRoute(path);
      if (route.kind === 'path') route = this.others?.routeOf(path) ?? route;
      if (route.kind === 'resource') {
        if (mark < 0 && request.method === 'GET' && this.#quickGet(route, identity, request, response))
          return;
        this.#resource(route, new Query(mark < 0 ? '' : url.slice(mark + 1)), identity, request, response);
      } else this.#path(path, new Query(mark < 0 ? '' : url.slice(mark + 1)), identity, request, response);
    } catch (error) {
      this.#fail(request, response, error);
    }
  }

  /** One object, as JSON, for an administrator: the bytes are there, nothing has to wait. */
  #quickGet(
    route: ResourceRoute,
    identity: Identity,
    request: IncomingMessage,
    response: ApiResponse,
  ): boolean {
    if (route.name === '' || route.subresource !== '' || !isMaster(identity) || this.#desk.isAuditing)
      return false;
    const { accept } = request.headers;
    if (accept !== undefined && accept !== '*/*' && accept !== 'application/json') return false;
    if (isForPeople(request)) return false;
    const resource = this.#context.resources.find(route.group, route.version, route.resource);
    if (resource === undefined || resource.kind.namespaced !== (route.namespace !== '')) return false;
    if (this.others?.serves(route.group, route.version) === true) return false;
    if (resource.prepare !== undefined || resource.kind.deprecation !== undefined) return false;
    const stored = this.#context.store.get(resource.key(route.namespace, route.name));
    if (stored === undefined) return false;
    const flow = this.#desk.pass(response, identity, asked('get', route), resource);
    if (flow === undefined) return false;
    response.sendPlain(resource.bytesOf(stored), flow.headers);
    return true;
  }

  #resource(
    route: ResourceRoute,
    query: Query,
    identity: Identity,
    http: IncomingMessage,
    response: ApiResponse,
  ): void {
    const verb = verbOf(http.method ?? '', route, query);
    const what = asked(verb, route);
    const resource = this.#context.resources.find(route.group, route.version, route.resource);
    const isLog = route.subresource === 'log' || route.subresource === 'proxy';
    // What lasts is counted, but neither bounded in time nor, once it has begun, given a seat.
    const isLong = isLog || verb === 'watch';
    this.#desk.open(response, identity, what, resource, isLong, query.all('dryRun').length > 0);
    const limitMs = timeLimitOf(query);
    const work = (ticket: Ticket | undefined): void => {
      const isOver = isLong
        ? undefined
        : this.#desk.serve(response, verb, limitMs, (error) => this.#fail(http, response, error));
      const served = isLog
        ? route.subresource === 'log'
          ? this.#log(route, query, identity, http, response)
          : this.#toObject(what, route, identity, http, response)
        : serveResource({
            context: this.#context,
            route,
            query,
            identity,
            http,
            response,
            identifyToken: this.#authenticator.identifyToken,
            others: this.others,
          });
      served
        .catch((error: unknown) => this.#fail(http, response, error))
        .finally(() => {
          isOver?.();
          ticket?.release();
        });
    };
    const seat = isLog ? undefined : this.#desk.seat(response, identity, what, resource, query);
    if (seat instanceof Promise) seat.then(work, (error: unknown) => this.#fail(http, response, error));
    else work(seat);
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

  async #toObject(
    what: Attributes,
    route: ResourceRoute,
    identity: Identity,
    http: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    await checkAccess(this.#context, identity, what, auditOf(http));
    if (route.group !== '' || this.#context.resources.find('', route.version, route.resource) === undefined)
      throw noSuchPath();
    await connectProxy(this.#context, route, identity, () => this.#objects.serve(route, http, response));
  }

  #path(
    path: string,
    query: Query,
    identity: Identity,
    request: IncomingMessage,
    response: ApiResponse,
  ): void {
    const what = { kind: 'path', verb: (request.method ?? 'get').toLowerCase(), path } as const;
    this.#desk.open(response, identity, what, undefined, false);
    const work = async (ticket: Ticket): Promise<void> => {
      try {
        const pending = checkAccess(this.#context, identity, what, response.audit);
        if (pending !== undefined) await pending;
        await this.#document(path, query, identity, request, response);
      } catch (error) {
        this.#fail(request, response, error);
      } finally {
        ticket.release();
      }
    };
    const seat = this.#desk.seat(response, identity, what, undefined, undefined);
    if (seat instanceof Promise)
      void seat.then(work, (error: unknown) => this.#fail(request, response, error));
    else void work(seat);
  }

  async #document(
    path: string,
    query: Query,
    identity: Identity,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { extra } = this.#options;
    if (isMaster(identity) && extra?.({ path, method: request.method ?? '', identity, response }) === true)
      return;
    if (this.others !== undefined && (await this.others.serveDocument(path, identity, request, response)))
      return;
    if (request.method !== 'GET' && request.method !== 'HEAD')
      throw path.startsWith('/api') ? notAllowed() : noSuchPath();
    const [, top = '', name = '', more] = path.split('/');
    if (healthPaths.has(top) && more === undefined && (await this.#health.serve(top, name, query, response)))
      return;
    if (
      !serveKeys(this.#options.serviceAccountPublicKey, path, response) &&
      !this.#documents.serve(path, request, response)
    )
      sendBytes(response, 404, JSON.stringify(notFoundStatus));
  }

  /** Whom a request speaks for. A promise only where somebody else has to be asked. */
  #speaker(request: IncomingMessage, response?: ApiResponse): Identity | Promise<Identity> {
    const caller = this.#authenticator.identify(request);
    return caller instanceof Promise
      ? caller.then((known) => this.#spokenFor(known, request, response))
      : this.#spokenFor(caller, request, response);
  }

  #spokenFor(
    caller: Identity,
    request: IncomingMessage,
    response: ApiResponse | undefined,
  ): Identity | Promise<Identity> {
    if (!isImpersonating(request.headers)) return caller;
    const { access } = this.#context;
    if (response !== undefined) response.caller = caller;
    return impersonated(caller, request.headersDistinct, (asked) => access.ask(caller, asked));
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
    const path = mark < 0 ? url : url.slice(0, mark);
    const own = parseRoute(path);
    const route = own.kind === 'path' ? (this.others?.routeOf(path) ?? own) : own;
    const search = mark < 0 ? '' : url.slice(mark);
    const query = new Query(search.slice(1));
    if (route.kind === 'resource' && this.others?.serves(route.group, route.version) === true)
      return this.#upgradeElsewhere(this.others, route, query, request, socket, head);
    const isLog = route.kind === 'resource' && route.resource === 'pods' && route.subresource === 'log';
    const isStreamed =
      route.kind === 'resource' &&
      route.group === '' &&
      (isLog ||
        (route.resource === 'pods' && streamed.includes(route.subresource)) ||
        route.subresource === 'proxy');
    if (!isStreamed) throw noSuchPath();
    const isProxy = route.subresource === 'proxy';
    const identity = await this.#speaker(request);
    // The token is nobody else's business.
    if (protocols !== undefined) request.headers['sec-websocket-protocol'] = withoutToken(protocols);
    // Kubernetes asks for "create" whatever the method: to exec is to do something.
    const verb = verbOf(request.method ?? '', route, query);
    const what = asked(verb, route);
    const resource = this.#context.resources.find(route.group, route.version, route.resource);
    const tell = this.#desk.openStream(request, socket, identity, what, resource);
    try {
      await checkAccess(
        this.#context,
        identity,
        isProxy || isLog ? what : { ...what, verb: 'create' },
        auditOf(request),
      );
      if (isLog) {
        tell(101);
        return await this.#proxy.serveLogSocket(route, query, request, socket, head);
      }
      if (isProxy)
        return await connectProxy(this.#context, route, identity, () => {
          tell(101);
          this.#objects.upgrade(route, request, socket, head);
        });
      await connectTo(this.#context, route, identity, search, (admitted, admittedSearch) => {
        tell(101);
        this.#proxy.serveStream(route, admitted, admittedSearch, request, socket, head);
      });
    } catch (error) {
      tell(httpStatusOf(error));
      throw error;
    }
  }

  async #upgradeElsewhere(
    others: Aggregator,
    route: ResourceRoute,
    query: Query,
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
  ): Promise<void> {
    const identity = await this.#speaker(request);
    const protocols = request.headers['sec-websocket-protocol'];
    if (protocols !== undefined) request.headers['sec-websocket-protocol'] = withoutToken(protocols);
    const what = asked(verbOf(request.method ?? '', route, query), route);
    const tell = this.#desk.openStream(request, socket, identity, what, undefined);
    try {
      await checkAccess(this.#context, identity, what, auditOf(request));
      tell(101);
      others.upgrade(route.group, route.version, identity, request, socket, head);
    } catch (error) {
      tell(httpStatusOf(error));
      throw error;
    }
  }

  close(): void {
    this.#desk.stop();
    for (const socket of this.#streams) socket.destroy();
  }

  #fail(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    if (!isError(error) || error.code === 'internal' || error.code === 'corrupt')
      this.#context.log.error('a request failed', {
        method: request.method,
        url: request.url,
        error,
        stack: error instanceof Error ? error.stack : explainError(error),
      });
    if (response instanceof ApiResponse && response.isGivenUp) return;
    sendError(response, error);
  }
}

/** Nearly nobody does. */
function isImpersonating(headers: IncomingHttpHeaders): boolean {
  for (const name in headers) if (name.startsWith('impersonate-')) return true;
  return false;
}

const healthPaths: ReadonlySet<string> = new Set(['livez', 'readyz', 'healthz']);

const asked = (verb: string, route: ResourceRoute) => ({
  kind: 'resource' as const,
  verb,
  group: route.group,
  version: route.version,
  resource: route.resource,
  subresource: route.subresource,
  namespace: route.namespace,
  name: route.name,
});

/** Of a request that was not let in. Throws `badRequest`, `methodNotAllowed`. */
function attributesOf({ url = '/', method = '' }: IncomingMessage): Attributes {
  const [path = '', query = ''] = url.split('?', 2);
  const route = parseRoute(path);
  return route.kind === 'resource'
    ? asked(verbOf(method, route, new Query(query)), route)
    : { kind: 'path', verb: method.toLowerCase(), path };
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
