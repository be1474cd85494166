/** An API server for tests: on the memory store, with certificates of its own, on a free port, taken away afterwards. */
import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { Agent, request as httpsRequest, type RequestOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Clock, type Log, silentLog } from '../../lib/index.ts';
import { realClock } from '../../lib/io/real-clock.ts';
import { realRandom } from '../../lib/io/real-random.ts';
import { ensurePki, type Pki } from '../../security/index.ts';
import { createMemoryStore, type Store } from '../../store/index.ts';
import {
  type Api,
  type ApiServer,
  createApi,
  createFirstObjects,
  type ServeOptions,
  serveApi,
} from '../index.ts';
import { createTokenIssuer } from './service-account-tokens.ts';
import { createWebhookClient } from './webhook-client.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly bytes: Buffer;
  /** Parsed when it is JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers freely
  readonly body: any;
}

export interface Call {
  readonly headers?: Readonly<Record<string, string | string[]>>;
  /** Text and bytes are sent as they are, anything else as JSON. */
  readonly body?: unknown;
  /** Who calls; default: the administrator. */
  readonly as?: 'admin' | 'node' | 'nobody';
}

export interface TestServer {
  readonly api: Api;
  readonly store: Store;
  readonly pki: Pki;
  readonly server: ApiServer;
  call(method: string, path: string, call?: Call): Promise<Answer>;
  /** Connection settings of a caller, for requests of other shapes. */
  connection(as?: Call['as']): RequestOptions;
}

/** Certificates are made once for all tests of a file: keys take time. */
let shared: Promise<{ readonly pki: Pki; readonly directory: string }> | undefined;

async function sharedPki(): Promise<Pki> {
  shared ??= (async () => {
    const directory = mkdtempSync(join(tmpdir(), 'caelum-api-test-'));
    process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
    const names = ['127.0.0.1', 'localhost'];
    return {
      directory,
      pki: await ensurePki({ directory, nodeName: 'node-1', names, agentNames: names, nowMs: Date.now() }),
    };
  })();
  return (await shared).pki;
}

export async function startTestServer(
  t: TestContext,
  options: Partial<ServeOptions> & {
    readonly log?: Log;
    readonly clock?: Clock;
    /** Puts something between the API and its store. */
    readonly wrapStore?: (store: Store) => Store;
  } = {},
): Promise<TestServer> {
  const pki = await sharedPki();
  const clock = options.clock ?? realClock;
  const memory = createMemoryStore({ clock });
  const store = options.wrapStore?.(memory) ?? memory;
  const webhooks = createWebhookClient();
  const api = createApi({
    store,
    clock,
    random: realRandom,
    log: options.log ?? silentLog,
    serviceCidr: '10.131.0.0/24',
    issueToken: createTokenIssuer(pki.serviceAccountKey, () => Date.now()),
    post: webhooks.post,
  });
  const server = await serveApi({
    api,
    host: '127.0.0.1',
    port: 0,
    tls: { ca: pki.ca.cert, cert: pki.apiserver.cert, key: pki.apiserver.key },
    serviceAccountPublicKey: pki.serviceAccountPublicKey,
    agentConnection: { ca: pki.ca.cert, ...pki.apiserverAgentClient },
    ...options,
  });
  const connection = (as: Call['as'] = 'admin'): RequestOptions => ({
    host: '127.0.0.1',
    port: server.port,
    ca: pki.ca.cert,
    ...(as === 'nobody' ? {} : pki[as]),
  });
  const agents = new Map<string, Agent>();
  t.after(async () => {
    for (const agent of agents.values()) agent.destroy();
    await server.close();
    webhooks.close();
    await store.close();
  });
  await createFirstObjects(api.client(), {
    address: '127.0.0.1',
    port: server.port,
    clusterIp: api.apiAddress,
  });
  const call = (method: string, path: string, { headers = {}, body, as = 'admin' }: Call = {}) => {
    let agent = agents.get(as);
    if (agent === undefined) {
      agent = new Agent({ keepAlive: true });
      agents.set(as, agent);
    }
    return exchange({ ...connection(as), agent, method, path, headers }, body);
  };
  return { api, store, pki, server, call, connection };
}

export function exchange(options: RequestOptions, body: unknown): Promise<Answer> {
  const sent =
    body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  const headers: Record<string, string | string[]> = {
    ...(sent === undefined ? {} : { 'content-type': 'application/json' }),
    ...(options.headers as Record<string, string | string[]>),
  };
  if (sent !== undefined && headers['transfer-encoding'] === undefined)
    headers['content-length'] = String(Buffer.byteLength(sent));
  return new Promise((resolve, reject) => {
    const request = httpsRequest({ ...options, headers }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        const bytes = Buffer.concat(parts);
        const text = bytes.toString();
        const isJson = (response.headers['content-type'] ?? '').startsWith('application/json');
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          bytes,
          body: isJson && text !== '' && !text.includes('}\n{') ? JSON.parse(text) : undefined,
        });
      });
    });
    request.on('error', reject);
    request.end(sent);
  });
}

/** Lines of a watch (or any stream), one by one. */
export async function openLines(options: RequestOptions): Promise<{
  readonly status: number;
  next(): Promise<unknown>;
  close(): void;
}> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest({ ...options, agent: false }, (response) => {
      const waiting: ((line: unknown) => void)[] = [];
      const lines: unknown[] = [];
      let rest = '';
      const take = (line: unknown): void => {
        const next = waiting.shift();
        if (next === undefined) lines.push(line);
        else next(line);
      };
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        const parts = (rest + text).split('\n');
        rest = parts.pop() ?? '';
        for (const part of parts) take(JSON.parse(part));
      });
      response.on('close', () => take(undefined));
      resolve({
        status: response.statusCode ?? 0,
        next: () =>
          lines.length > 0 ? Promise.resolve(lines.shift()) : new Promise((done) => waiting.push(done)),
        close: () => request.destroy(),
      });
      response.on('error', () => {});
    });
    request.on('error', reject);
    request.end();
  });
}
