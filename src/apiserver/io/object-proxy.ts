/**
 * HTTP to what runs in the cluster: `proxy` of nodes, pods and services. Requests go on as they are, but for who asks; answers come back as they are made,
 * with places on the same server told as places behind the proxy, in headers and in HTML. Upgrades become connections.
 *
 *   /api/v1/namespaces/NS/services/https:web:443/proxy/PATH ─▶ proxyTarget ─▶ address ─▶ answer
 *
 * Invariants: no credential of the client reaches what runs in the cluster; nothing that runs there may speak for our own origin (CORS);
 * who has gone is not worked for.
 */
import {
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
  type ServerResponse,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import { CaelumError } from '../../lib/index.ts';
import type { ApiContext } from '../context.ts';
import { type ProxyTarget, proxyTarget } from '../proxy-target.ts';
import type { ResourceRoute } from '../router.ts';
import type { Address } from '../webhook.ts';
import { type AgentConnection, agentOptions } from './agent-proxy.ts';
import { endToEnd, forwarded, passAnswer, passUpgrade } from './pass-through.ts';
import { rewritingOf } from './rewriting.ts';

const connectMsMax = 10_000;

export class ObjectProxy {
  readonly #context: ApiContext;
  readonly #connection: AgentConnection | undefined;

  constructor(context: ApiContext, connection: AgentConnection | undefined) {
    this.#context = context;
    this.#connection = connection;
  }

  /** Resolves when the answer is sent. Throws `unavailable` while nothing has been answered. */
  async serve(route: ResourceRoute, http: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path, search] = pathsOf(http.url ?? '/');
    const rest = route.path ?? '';
    if (rest === '' && (http.method === 'GET' || http.method === 'HEAD')) {
      response.writeHead(301, { Location: `${path}/${search}` }).end();
      return;
    }
    const target = proxyTarget(this.#context, route);
    const answer = await this.#asked(target, rest + search, http, response);
    const base = path.slice(0, path.length - rest.length);
    const headers = withoutCors(endToEnd(answer.rawHeaders));
    for (let at = 0; at + 1 < headers.length; at += 2)
      if (headers[at]?.toLowerCase() === 'location')
        headers[at + 1] = behindProxy(headers[at + 1] ?? '', base, target);
    const hosts = target.addresses.map(({ host, port }) => `${host}:${port}`);
    const links = { prefix: base.replace(/\/$/, ''), hosts: [...hosts, http.headers.host ?? ''] };
    const rewriting = http.method === 'HEAD' ? undefined : rewritingOf(answer, links);
    if (rewriting === undefined) return passAnswer(answer, headers, response);
    await passAnswer(answer, withoutLength(headers), response, rewriting);
  }

  /** Bytes both ways until one side closes. */
  upgrade(route: ResourceRoute, http: IncomingMessage, socket: Duplex, head: Buffer): void {
    const [, search] = pathsOf(http.url ?? '/');
    const target = proxyTarget(this.#context, route);
    const { connection, upgrade } = http.headers;
    const options = this.#options(target, target.addresses[0], route.path + search, http);
    const headers = { ...options.headers, Connection: connection ?? 'Upgrade', Upgrade: upgrade ?? '' };
    const asked = requestBy(target)({ ...options, headers });
    passUpgrade(asked, socket, head, { answerMsMax: connectMsMax, unreachable });
  }

  #options(
    target: ProxyTarget,
    address: Address | undefined,
    path: string,
    http: IncomingMessage,
  ): RequestOptions {
    if (address === undefined) throw new CaelumError('unavailable', 'no endpoints available');
    const tls = target.isAgent
      ? agentOptions(this.#connection)
      : target.scheme === 'https'
        ? { rejectUnauthorized: false }
        : {};
    return {
      ...tls,
      ...address,
      agent: false,
      method: http.method ?? 'GET',
      path: path.startsWith('/') ? path : `/${path}`,
      headers: {
        ...forwarded(http.headers),
        Host: `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`,
        'X-Forwarded-For': http.socket.remoteAddress ?? '',
        'X-Forwarded-Host': http.headers.host ?? '',
        'X-Forwarded-Proto': 'https',
        'X-Forwarded-Uri': http.url ?? '/',
      },
    };
  }

  /** One address after the other while nobody listens; the body is read once somebody does. */
  async #asked(
    target: ProxyTarget,
    path: string,
    http: IncomingMessage,
    response: ServerResponse,
  ): Promise<IncomingMessage> {
    let failure: unknown;
    for (const address of target.addresses) {
      try {
        return await askedAt(target, this.#options(target, address, path, http), http, response);
      } catch (error) {
        failure = error;
        if ((error as NodeJS.ErrnoException).code !== 'ECONNREFUSED') break;
      }
    }
    throw unreachable(failure);
  }
}

const requestBy = ({ scheme }: ProxyTarget): typeof httpRequest =>
  scheme === 'https' ? httpsRequest : httpRequest;

function askedAt(
  target: ProxyTarget,
  options: RequestOptions,
  body: IncomingMessage,
  client: ServerResponse,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = requestBy(target)(options);
    const isGone = (): void => void request.destroy(new Error('the client has gone'));
    client.once('close', isGone);
    const timer = setTimeout(() => request.destroy(new Error('no connection in time')), connectMsMax);
    const done = (): void => {
      clearTimeout(timer);
      client.off('close', isGone);
    };
    request.once('socket', (socket) => {
      socket.once(target.scheme === 'https' ? 'secureConnect' : 'connect', () => {
        clearTimeout(timer);
        body.pipe(request);
      });
    });
    request.once('response', (answer) => {
      done();
      resolve(answer);
    });
    request.once('error', (error) => {
      done();
      reject(error);
    });
  });
}

/** What runs in the cluster does not say who may read what comes from here. */
function withoutCors(raw: string[]): string[] {
  return raw.filter((_, at) => !/^access-control-allow-/i.test(raw[at - (at % 2)] ?? ''));
}

const withoutLength = (raw: string[]): string[] =>
  raw.filter((_, at) => raw[at - (at % 2)]?.toLowerCase() !== 'content-length');

function pathsOf(url: string): readonly [path: string, search: string] {
  const mark = url.indexOf('?');
  return mark < 0 ? [url, ''] : [url.slice(0, mark), url.slice(mark)];
}

/** A place on the server, as the client reaches it. Others' places stay. */
function behindProxy(location: string, base: string, { addresses }: ProxyTarget): string {
  const url = URL.parse(location, 'http://same.invalid');
  if (url === null) return location;
  const isSame =
    url.host === 'same.invalid' ? location.startsWith('/') : addresses.some((one) => isAt(url, one));
  return isSame ? `${base}${url.pathname}${url.search}${url.hash}` : location;
}

const isAt = (url: URL, { host, port }: Address): boolean =>
  url.hostname.replace(/^\[|\]$/g, '') === host &&
  (url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port)) === port;

function unreachable(cause: unknown): CaelumError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new CaelumError('unavailable', `error trying to reach service: ${why}`, { cause });
}
