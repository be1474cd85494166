/**
 * One server, spoken to over a few kept-alive sockets: requests with a deadline, and streams of lines.
 *
 * Owns sockets, deadlines and the retry of a read that hit a socket which the server was just closing. Does not know resources.
 * Every failure is a CaelumError: `unavailable` when the server cannot be reached, `timeout` when it does not answer.
 */
import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import https from 'node:https';
import { CaelumError } from '../../lib/index.ts';
import { LineSplitter } from '../line-splitter.ts';
import { errorOfStatus } from '../status.ts';

export interface ConnectionOptions {
  /** `https://127.0.0.1:6443`. */
  readonly server: string;
  /** PEM. Default: the system's authorities. */
  readonly ca?: string | Buffer;
  /** PEM. A client certificate and its key. */
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  /** A bearer token, or where to get it anew for each request. */
  readonly token?: string | (() => string);
  /** The name to expect in the server's certificate. */
  readonly serverName?: string;
  /** Trusts any server. Only because kubeconfig files can ask for it. */
  readonly insecure?: boolean;
  readonly userAgent?: string;
  /** For ordinary requests. Default 30 s. */
  readonly timeoutMs?: number;
  /** Sockets for ordinary requests. Default 8. Each watch has one more. */
  readonly sockets?: number;
}

export interface RequestOptions {
  readonly body?: unknown;
  readonly contentType?: string;
  readonly signal?: AbortSignal | undefined;
}

export interface Lines {
  onLine(line: string): void;
  /** Once; not after `cancel`. */
  onEnd(error: CaelumError | undefined): void;
}

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #timeoutMs: number;
  readonly #request: typeof https.request;
  readonly #agent: http.Agent;
  readonly #streams: http.Agent;
  readonly #target: http.RequestOptions;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(options: ConnectionOptions) {
    const { server, ca, cert, key, serverName, insecure, userAgent, sockets = 8 } = options;
    const url = new URL(server);
    const isSecure = url.protocol === 'https:';
    this.#options = options;
    this.#timeoutMs = options.timeoutMs ?? 30_000;
    this.#request = isSecure ? https.request : (http.request as typeof https.request);
    const tls = {
      minVersion: 'TLSv1.3' as const,
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(serverName === undefined ? {} : { servername: serverName }),
      ...(insecure ? { rejectUnauthorized: false } : {}),
    };
    const AgentClass = isSecure ? https.Agent : http.Agent;
    this.#agent = new AgentClass({ keepAlive: true, maxSockets: sockets, ...tls });
    this.#streams = new AgentClass({ keepAlive: false, ...tls });
    const path = url.pathname.replace(/\/$/, '');
    this.#target = { host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port, path };
    this.#headers = { accept: 'application/json', 'user-agent': userAgent ?? 'caelum' };
  }

  /** The parsed answer. */
  async request(method: string, path: string, options: RequestOptions = {}): Promise<unknown> {
    try {
      return await this.#once(method, path, options);
    } catch (error) {
      if (method !== 'GET' || !(error instanceof StaleSocket)) throw unavailable(this.#options.server, error);
    }
    try {
      return await this.#once(method, path, options);
    } catch (error) {
      throw unavailable(this.#options.server, error);
    }
  }

  #once(method: string, path: string, { body, contentType, signal }: RequestOptions): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const request = this.#open(method, path, this.#agent, body, contentType);
      const settle = (action: () => void): void => {
        clearTimeout(deadline);
        signal?.removeEventListener('abort', onAbort);
        action();
      };
      const deadline = setTimeout(() => {
        const what = `the server did not answer ${method} ${path} within ${this.#timeoutMs} ms`;
        settle(() => reject(new CaelumError('timeout', what)));
        request.destroy();
      }, this.#timeoutMs);
      const onAbort = (): void => {
        settle(() => reject(signal?.reason as Error));
        request.destroy();
      };
      request.on('error', (error: NodeJS.ErrnoException) => {
        const stale = request.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
        settle(() => reject(stale ? new StaleSocket(error.message, { cause: error }) : error));
      });
      request.on('response', (response) => {
        readBody(response, (error, text) => {
          settle(() => {
            if (error !== undefined) reject(error);
            else resolveAnswer(response.statusCode ?? 0, text, resolve, reject);
          });
        });
      });
      if (signal?.aborted) onAbort();
      else signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** A stream of lines, read as fast as it comes. Ends with `unavailable` when nothing at all was heard for `silenceMs`. */
  stream(path: string, silenceMs: number, lines: Lines): { cancel(): void } {
    let isOpen = true;
    const end = (error: unknown): void => {
      if (!isOpen) return;
      isOpen = false;
      lines.onEnd(error === undefined ? undefined : unavailable(this.#options.server, error));
    };
    const request = this.#open('GET', path, this.#streams, undefined, undefined);
    request.setTimeout(silenceMs, () => {
      request.destroy(new Error(`nothing was heard for ${Math.round(silenceMs / 1000)} s`));
    });
    request.on('error', end);
    request.on('response', (response) => {
      const status = response.statusCode ?? 0;
      if (status !== 200) {
        readBody(response, (error, text) => end(error ?? errorOfStatus(parseOr(text), status)));
        return;
      }
      const splitter = new LineSplitter((line) => {
        if (isOpen) lines.onLine(line);
      });
      response.on('data', (chunk: Buffer) => splitter.add(chunk));
      response.on('error', end);
      response.on('end', () => {
        splitter.end();
        end(undefined);
      });
    });
    return {
      cancel: () => {
        isOpen = false;
        request.destroy();
      },
    };
  }

  close(): void {
    this.#agent.destroy();
    this.#streams.destroy();
  }

  #open(
    method: string,
    path: string,
    agent: http.Agent,
    body: unknown,
    contentType: string | undefined,
  ): ClientRequest {
    const { token } = this.#options;
    const headers: Record<string, string | number> = { ...this.#headers };
    if (token !== undefined)
      headers['authorization'] = `Bearer ${typeof token === 'string' ? token : token()}`;
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    if (bytes !== undefined) {
      headers['content-type'] = contentType ?? 'application/json';
      headers['content-length'] = bytes.length;
    }
    const target = { ...this.#target, path: `${this.#target.path ?? ''}${path}` };
    const request = this.#request({ ...target, method, agent, headers });
    request.setNoDelay(true);
    request.setSocketKeepAlive(true, 30_000);
    request.end(bytes);
    return request;
  }
}

/** A kept-alive socket turned out to be closed: the request was not answered, and a read may be sent again. */
class StaleSocket extends Error {}

function readBody(response: IncomingMessage, done: (error: Error | undefined, text: string) => void): void {
  const chunks: Buffer[] = [];
  response.on('data', (chunk: Buffer) => chunks.push(chunk));
  response.on('error', (error) => done(error, ''));
  response.on('end', () => {
    const [only, ...more] = chunks;
    done(undefined, (more.length === 0 ? only : Buffer.concat(chunks))?.toString('utf8') ?? '');
  });
}

function resolveAnswer(
  status: number,
  text: string,
  resolve: (answer: unknown) => void,
  reject: (error: Error) => void,
): void {
  const body = parseOr(text);
  if (status >= 200 && status < 300) resolve(body);
  else reject(errorOfStatus(body, status));
}

/** JSON where it is, the text itself where it is not. */
function parseOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function unavailable(server: string, error: unknown): CaelumError {
  if (error instanceof CaelumError) return error;
  const isAbort = error instanceof Error && error.name === 'AbortError';
  const message =
    error instanceof Error ? error.message || (error as NodeJS.ErrnoException).code : String(error);
  const what = isAbort ? 'the request was given up' : message;
  return new CaelumError('unavailable', `Cannot reach "${server}": ${what}`, { cause: error });
}
