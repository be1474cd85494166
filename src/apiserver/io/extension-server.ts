/**
 * One server that extends the API, over HTTPS: requests go through with the front proxy's certificate and with who asks in headers, answers come back as they are made.
 *
 * Invariants: nothing that a client wrote about who it is reaches the other server, but for what we found out; its slowness is bounded until it begins to answer;
 * a client that has gone is not worked for.
 */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { CaelumError } from '../../lib/index.ts';
import type { Identity } from '../identity.ts';
import type { Address } from '../webhook.ts';
import { asApiResponse } from './api-response.ts';
import { endToEnd, forwarded, passAnswer, passUpgrade, refuse } from './pass-through.ts';

export interface ExtensionTerms {
  /** On the certificate: `name.namespace.svc`. */
  readonly serverName: string;
  readonly port: number;
  /** PEM; undefined: the system's authorities. */
  readonly ca: string | undefined;
  /** Any certificate will do. */
  readonly isUnverified: boolean;
  /** The front proxy's, PEM. */
  readonly client: { readonly cert: string; readonly key: string };
  /** Until it begins to answer. */
  readonly answerMsMax: number;
}

const documentBytesMax = 16 * 1024 * 1024;

export class ExtensionServer {
  readonly #terms: ExtensionTerms;
  readonly #agent: Agent;

  constructor(terms: ExtensionTerms) {
    this.#terms = terms;
    this.#agent = new Agent({
      keepAlive: true,
      timeout: 90_000,
      maxFreeSockets: 16,
      servername: isIP(terms.serverName) === 0 ? terms.serverName : '',
      rejectUnauthorized: !terms.isUnverified,
      ...(terms.ca === undefined ? {} : { ca: terms.ca }),
      ...terms.client,
    });
  }

  close(): void {
    this.#agent.destroy();
  }

  /** The request goes on, and the answer comes back. Resolves when all is sent. Throws `unavailable`, `timeout` while nothing has been answered. */
  async serve(
    addresses: readonly Address[],
    identity: Identity,
    http: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const headers = this.#headers(http, identity);
    // One request, one id, in both audit logs.
    const auditId = asApiResponse(response)?.auditId;
    if (auditId !== undefined) headers['Audit-ID'] = auditId;
    const answer = await this.#asked(
      addresses,
      http.method ?? 'GET',
      http.url ?? '/',
      headers,
      http,
      response,
    );
    await passAnswer(answer, endToEnd(answer.rawHeaders), response);
  }

  /** A connection that becomes another: bytes both ways until one side closes. */
  upgrade(
    addresses: readonly Address[],
    identity: Identity,
    http: IncomingMessage,
    socket: Duplex,
    head: Buffer,
  ): void {
    const [address] = addresses;
    if (address === undefined) {
      refuse(socket, unavailable());
      return;
    }
    const { connection, upgrade } = http.headers;
    const asked = httpsRequest({
      host: address.host,
      port: address.port,
      agent: false,
      servername: this.#terms.serverName,
      rejectUnauthorized: !this.#terms.isUnverified,
      ...(this.#terms.ca === undefined ? {} : { ca: this.#terms.ca }),
      ...this.#terms.client,
      method: http.method ?? 'GET',
      path: http.url ?? '/',
      headers: {
        ...this.#headers(http, identity),
        Connection: connection ?? 'Upgrade',
        Upgrade: upgrade ?? '',
      },
    });
    passUpgrade(asked, socket, head, { answerMsMax: this.#terms.answerMsMax, unreachable });
  }

  /** A document for ourselves. Throws what is told in conditions. */
  async document(addresses: readonly Address[], path: string, timeoutMs: number): Promise<unknown> {
    const { statusCode, text } = await this.#whole(addresses, path, ourselves, timeoutMs);
    if (statusCode < 200 || statusCode > 299) throw new Error(`bad status from ${path}: ${statusCode}`);
    return JSON.parse(text) as unknown;
  }

  /** A document for one of our parts, asked in its name. What is not answered as wished throws what the Status says. */
  async ask(addresses: readonly Address[], path: string, as: Identity, timeoutMs: number): Promise<unknown> {
    const { statusCode, text } = await this.#whole(addresses, path, as, timeoutMs);
    if (statusCode >= 200 && statusCode <= 299) return JSON.parse(text) as unknown;
    throw new CaelumError(statusCode === 404 ? 'notFound' : 'unavailable', messageOf(text, statusCode));
  }

  async #whole(
    addresses: readonly Address[],
    path: string,
    as: Identity,
    timeoutMs: number,
  ): Promise<{ readonly statusCode: number; readonly text: string }> {
    const headers = { Accept: 'application/json', ...identityHeaders(as), Host: this.#host };
    const answer = await this.#asked(addresses, 'GET', path, headers, undefined, undefined, timeoutMs);
    const parts: Buffer[] = [];
    let length = 0;
    const timer = setTimeout(() => answer.destroy(new Error('no answer in time')), timeoutMs);
    try {
      for await (const part of answer as AsyncIterable<Buffer>) {
        length += part.length;
        if (length > documentBytesMax) throw new Error('the answer is too long');
        parts.push(part);
      }
    } finally {
      clearTimeout(timer);
    }
    return { statusCode: answer.statusCode ?? 0, text: Buffer.concat(parts, length).toString('utf8') };
  }

  get #host(): string {
    return `${this.#terms.serverName}:${this.#terms.port}`;
  }

  #headers(http: IncomingMessage, identity: Identity): OutgoingHttpHeaders {
    return {
      ...forwarded(http.headers),
      ...identityHeaders(identity),
      Host: this.#host,
      'X-Forwarded-For': http.socket.remoteAddress ?? '',
      'X-Forwarded-Host': http.headers.host ?? '',
      'X-Forwarded-Proto': 'https',
      'X-Forwarded-Uri': asLatin1(http.url ?? '/'),
    };
  }

  /** Tries one address after the other while nobody listens; `body` is read once somebody does. */
  async #asked(
    addresses: readonly Address[],
    method: string,
    path: string,
    headers: OutgoingHttpHeaders,
    body: IncomingMessage | undefined,
    client: ServerResponse | undefined,
    timeoutMs = this.#terms.answerMsMax,
  ): Promise<IncomingMessage> {
    let failure: unknown;
    for (const address of addresses) {
      try {
        return await this.#askedAt(address, { method, path, headers }, body, client, timeoutMs);
      } catch (error) {
        failure = error;
        if ((error as NodeJS.ErrnoException).code !== 'ECONNREFUSED') break;
      }
    }
    throw failure === undefined ? unavailable() : unreachable(failure);
  }

  #askedAt(
    { host, port }: Address,
    what: { readonly method: string; readonly path: string; readonly headers: OutgoingHttpHeaders },
    body: IncomingMessage | undefined,
    client: ServerResponse | undefined,
    timeoutMs: number,
  ): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const request = httpsRequest({ ...what, host, port, agent: this.#agent });
      const timer = setTimeout(() => request.destroy(new Error('no answer in time')), timeoutMs);
      const isGone = (): void => {
        request.destroy(new Error('the client has gone'));
      };
      client?.once('close', isGone);
      const done = (): void => {
        clearTimeout(timer);
        client?.off('close', isGone);
      };
      request.once('response', (answer) => {
        done();
        resolve(answer);
      });
      request.once('error', (error) => {
        done();
        reject(error);
      });
      if (body === undefined) request.end();
      else
        request.once('socket', (socket) => {
          const send = (): void => void body.pipe(request);
          if (socket.connecting) socket.once('secureConnect', send);
          else send();
        });
    });
  }
}

/** As client libraries tell what a server said. */
function messageOf(text: string, statusCode: number): string {
  try {
    const { message } = JSON.parse(text) as { readonly message?: unknown };
    if (typeof message === 'string' && message !== '') return message;
  } catch {
    // No Status: what it said is told as it is.
  }
  const said = text.trim().slice(0, 256);
  return said === ''
    ? `the server answered ${statusCode}`
    : `an error on the server (${JSON.stringify(said)}) has prevented the request from succeeding`;
}

const ourselves: Identity = { user: 'system:kube-aggregator', groups: ['system:masters'] };

const unavailable = (): CaelumError => new CaelumError('unavailable', 'service unavailable');

function unreachable(cause: unknown): CaelumError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new CaelumError('unavailable', `error trying to reach service: ${why}`, { cause });
}

/** Header values are bytes; as text they are UTF-8. */
const asLatin1 = (text: string): string => {
  const bytes = Buffer.from(text).toString('latin1');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what must not get through
  if (/[\x00-\x08\x0a-\x1f\x7f]/.test(bytes))
    throw new CaelumError('badRequest', 'a name holds characters that no header can carry');
  return bytes;
};

function identityHeaders({ user, uid, groups, extra = {} }: Identity): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { 'X-Remote-User': asLatin1(user) };
  if (uid !== undefined && uid !== '') headers['X-Remote-Uid'] = asLatin1(uid);
  if (groups.length > 0) headers['X-Remote-Group'] = groups.map(asLatin1);
  for (const [key, values] of Object.entries(extra))
    headers[`X-Remote-Extra-${headerKey(key)}`] = values.map(asLatin1);
  return headers;
}

/** What no header's name may hold is percent-encoded, and `%` itself. */
const headerKey = (key: string): string =>
  [...Buffer.from(key)]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return /[A-Za-z0-9!#$&'*+.^_`|~-]/.test(character)
        ? character
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
