/**
 * Talks to OCI registries: manifests and blobs, in and out.
 *
 *   endpoint (mirrors first) ──▶ request ──401──▶ token or basic ──▶ request ──3xx──▶ elsewhere, without our credentials
 *                                        ──5xx, 429, cut off──▶ again, after a while
 *
 * Owns: authentication, redirects, retries. Does not own: what is kept.
 */
import { readFileSync } from 'node:fs';
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Readable } from 'node:stream';
import { rootCertificates } from 'node:tls';
import { CaelumError, type Clock, isError } from '../../../lib/index.ts';
import { formatName, type ImageName } from '../image-name.ts';
import type { RegistryCredential } from '../images.ts';
import { manifestTypes } from '../manifest.ts';
import { credentialsFor } from '../registry-credentials.ts';
import {
  type Endpoint,
  endpointsOf,
  parseChallenge,
  type RegistrySettings,
  rangeStart,
  refusalOf,
  sameOrigin,
} from '../registry-protocol.ts';

const attemptsMax = 5;
const idleMsMax = 60_000;
const redirectsMax = 8;
const documentBytesMax = 8 << 20;

interface Call {
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | (() => NodeJS.ReadableStream);
  readonly what: string;
}

export interface RegistrySession {
  manifest(
    reference: string,
  ): Promise<{ readonly bytes: Buffer; readonly mediaType: string; readonly digest: string | undefined }>;
  blob(
    digest: string,
    offset: number,
  ): Promise<{ readonly offset: number; readonly body: AsyncIterable<Buffer> }>;
  hasBlob(digest: string): Promise<boolean>;
  putBlob(digest: string, sizeBytes: number, open: () => NodeJS.ReadableStream): Promise<void>;
  putManifest(reference: string, mediaType: string, bytes: Buffer): Promise<void>;
}

export class RegistryClient {
  readonly #clock: Clock;
  readonly #settings: () => RegistrySettings;
  readonly #agents = new Map<string, HttpAgent>();
  readonly #firstDelayMs: number;

  constructor(options: {
    readonly clock: Clock;
    readonly settings: () => RegistrySettings;
    readonly firstDelayMs?: number;
  }) {
    this.#clock = options.clock;
    this.#settings = options.settings;
    this.#firstDelayMs = options.firstDelayMs ?? 500;
  }

  /** Runs `action` with each endpoint of the image's registry until one can serve it. */
  async session<T>(
    name: ImageName,
    credentials: readonly RegistryCredential[],
    signal: AbortSignal | undefined,
    actions: 'pull' | 'pull,push',
    action: (session: RegistrySession) => Promise<T>,
  ): Promise<T> {
    const endpoints = endpointsOf(name.registry, this.#settings(), (path) => readFileSync(path, 'utf8'));
    let first: unknown;
    for (const endpoint of endpoints) {
      // A mirror is another server: it is told only its own credentials.
      const server = endpoint.isMirror ? new URL(endpoint.url).host : name.registry;
      const own = credentialsFor(server, name.repository, credentials);
      // With no credentials at all last: a wrong secret must not hide a public image.
      for (const credential of [...own, undefined]) {
        try {
          return await action(new Session(this, name, endpoint, credential, actions, signal));
        } catch (error) {
          if (signal?.aborted) throw error;
          first ??= error;
          if (isError(error, 'unauthorized')) continue;
          if (!isError(error, 'unavailable', 'notFound', 'tooManyRequests')) throw error;
          // An answer outranks the silence of an endpoint before it.
          if (isError(first, 'unavailable') && !isError(error, 'unavailable')) first = error;
          break;
        }
      }
    }
    throw first;
  }

  /** One request, sent again while the other side is unwell. */
  async send(
    call: Call,
    endpoint: Endpoint,
    signal: AbortSignal | undefined,
    authorization?: string,
  ): Promise<IncomingMessage> {
    for (let attempt = 1; ; attempt++) {
      let retryAfterMs: number | undefined;
      try {
        const response = await this.#follow(call, endpoint, signal, authorization);
        const status = response.statusCode ?? 0;
        if ((status < 500 && status !== 429) || attempt >= attemptsMax) return response;
        const seconds = Number(response.headers['retry-after']);
        if (Number.isFinite(seconds)) retryAfterMs = Math.min(30, seconds) * 1000;
        response.resume();
      } catch (cause) {
        signal?.throwIfAborted();
        const code = (cause as NodeJS.ErrnoException).code ?? '';
        // Nobody there, or the wrong protocol: the next endpoint may know better, and soon.
        const isHopeless =
          ['ECONNREFUSED', 'ENOTFOUND', 'EPROTO'].includes(code) || /CERT|SSL|TLS/.test(code);
        if (isHopeless || attempt >= attemptsMax)
          throw new CaelumError('unavailable', `Cannot ${call.what}: ${(cause as Error).message || code}`, {
            cause,
          });
      }
      await this.#clock.sleep(retryAfterMs ?? this.#firstDelayMs * 2 ** (attempt - 1), signal);
    }
  }

  async #follow(
    call: Call,
    endpoint: Endpoint,
    signal: AbortSignal | undefined,
    authorization?: string,
  ): Promise<IncomingMessage> {
    let url = call.url;
    for (let hops = 0; ; hops++) {
      const isOurs = sameOrigin(url, call.url);
      const response = await this.#request(
        {
          ...call,
          url,
          headers: { ...call.headers, ...(isOurs && authorization !== undefined ? { authorization } : {}) },
        },
        endpoint,
        signal,
      );
      const status = response.statusCode ?? 0;
      const location = response.headers.location;
      if (
        ![301, 302, 303, 307, 308].includes(status) ||
        location === undefined ||
        !['GET', 'HEAD'].includes(call.method)
      )
        return response;
      response.resume();
      if (hops >= redirectsMax) throw new Error('too many redirects');
      const next = new URL(location, url);
      if (new URL(url).protocol === 'https:' && next.protocol === 'http:')
        throw new Error('redirected from HTTPS to plain HTTP');
      url = next.href;
    }
  }

  #request(call: Call, endpoint: Endpoint, signal: AbortSignal | undefined): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const isTls = call.url.startsWith('https:');
      const outgoing = (isTls ? httpsRequest : httpRequest)(call.url, {
        method: call.method,
        headers: { 'user-agent': 'caelum', ...call.headers },
        agent: this.#agent(isTls, endpoint),
        ...(signal === undefined ? {} : { signal }),
      });
      outgoing.setTimeout(idleMsMax, () => outgoing.destroy(new Error('no answer for 60 s')));
      outgoing.on('error', reject);
      outgoing.on('response', resolve);
      if (typeof call.body === 'function') {
        const source = call.body();
        source.on('error', (error: Error) => outgoing.destroy(error));
        outgoing.on('close', () => (source as Partial<Readable>).destroy?.());
        source.pipe(outgoing);
      } else outgoing.end(call.body);
    });
  }

  #agent(isTls: boolean, endpoint: Endpoint): HttpAgent {
    const key = `${isTls} ${endpoint.url} ${endpoint.ca ?? ''}`;
    let agent = this.#agents.get(key);
    if (agent === undefined) {
      const options = { keepAlive: true, maxSockets: 8, timeout: idleMsMax };
      agent = isTls
        ? new HttpsAgent({
            ...options,
            rejectUnauthorized: !endpoint.insecure,
            ...(endpoint.ca === undefined ? {} : { ca: [...rootCertificates, endpoint.ca] }),
          })
        : new HttpAgent(options);
      this.#agents.set(key, agent);
    }
    return agent;
  }

  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }
}

class Session implements RegistrySession {
  readonly #client: RegistryClient;
  readonly #name: ImageName;
  readonly #endpoint: Endpoint;
  readonly #credential: RegistryCredential | undefined;
  readonly #actions: string;
  readonly #signal: AbortSignal | undefined;
  #authorization: string | undefined;
  #asking: Promise<string | undefined> | undefined;

  constructor(
    client: RegistryClient,
    name: ImageName,
    endpoint: Endpoint,
    credential: RegistryCredential | undefined,
    actions: string,
    signal: AbortSignal | undefined,
  ) {
    this.#client = client;
    this.#name = name;
    this.#endpoint = endpoint;
    this.#credential = credential;
    this.#actions = actions;
    this.#signal = signal;
  }

  async manifest(reference: string): ReturnType<RegistrySession['manifest']> {
    const response = await this.#call({
      method: 'GET',
      url: this.#url(`manifests/${reference}`),
      headers: { accept: manifestTypes.join(', ') },
      what: this.#what('pull'),
    });
    const bytes = await readAll(response);
    const digest = response.headers['docker-content-digest'];
    return {
      bytes,
      mediaType: response.headers['content-type'] ?? '',
      digest: typeof digest === 'string' ? digest : undefined,
    };
  }

  async blob(digest: string, offset: number): ReturnType<RegistrySession['blob']> {
    const response = await this.#call({
      method: 'GET',
      url: this.#url(`blobs/${digest}`),
      headers: offset > 0 ? { range: `bytes=${offset}-` } : {},
      what: this.#what('pull'),
    });
    if (response.statusCode === 206 && rangeStart(response.headers['content-range']) === offset)
      return { offset, body: bodyOf(response, this.#what('pull')) };
    if (response.statusCode === 206) {
      response.destroy();
      return this.blob(digest, 0);
    }
    return { offset: 0, body: bodyOf(response, this.#what('pull')) };
  }

  async hasBlob(digest: string): Promise<boolean> {
    try {
      (
        await this.#call({ method: 'HEAD', url: this.#url(`blobs/${digest}`), what: this.#what('push') })
      ).resume();
      return true;
    } catch (error) {
      if (isError(error, 'notFound')) return false;
      throw error;
    }
  }

  async putBlob(digest: string, sizeBytes: number, open: () => NodeJS.ReadableStream): Promise<void> {
    const what = this.#what('push');
    const started = await this.#call({
      method: 'POST',
      url: this.#url('blobs/uploads/'),
      headers: { 'content-length': '0' },
      what,
    });
    started.resume();
    const location = started.headers.location;
    if (location === undefined)
      throw new CaelumError('unavailable', `Cannot ${what}: no place for the upload was given`);
    const url = new URL(location, this.#endpoint.url);
    url.searchParams.set('digest', digest);
    const done = await this.#call({
      method: 'PUT',
      url: url.href,
      headers: { 'content-type': 'application/octet-stream', 'content-length': String(sizeBytes) },
      body: open,
      what,
    });
    done.resume();
  }

  async putManifest(reference: string, mediaType: string, bytes: Buffer): Promise<void> {
    const done = await this.#call({
      method: 'PUT',
      url: this.#url(`manifests/${reference}`),
      headers: { 'content-type': mediaType, 'content-length': String(bytes.length) },
      body: bytes,
      what: this.#what('push'),
    });
    done.resume();
  }

  #what(verb: string): string {
    return `${verb} image "${formatName(this.#name)}"`;
  }

  #url(rest: string): string {
    return `${this.#endpoint.url}/v2/${this.#name.repository}/${rest}`;
  }

  async #call(call: Call): Promise<IncomingMessage> {
    let response = await this.#client.send(call, this.#endpoint, this.#signal, this.#trusted(call.url));
    if (response.statusCode === 401) {
      const header = response.headers['www-authenticate'] ?? '';
      response.resume();
      // Several blobs at once find out together that a token is needed: one asks for all.
      this.#asking ??= this.#ask(header, call.what).finally(() => {
        this.#asking = undefined;
      });
      this.#authorization = await this.#asking;
      response = await this.#client.send(call, this.#endpoint, this.#signal, this.#trusted(call.url));
    }
    const status = response.statusCode ?? 0;
    if (status < 300) return response;
    throw refusalOf(call.what, status, (await readAll(response)).toString('utf8'));
  }

  #trusted(url: string): string | undefined {
    return sameOrigin(url, this.#endpoint.url) ? this.#authorization : undefined;
  }

  async #ask(header: string, what: string): Promise<string | undefined> {
    const challenge = parseChallenge(header);
    const credential = this.#credential;
    const basic =
      credential === undefined
        ? undefined
        : `Basic ${Buffer.from(`${credential.username}:${credential.password}`).toString('base64')}`;
    if (challenge === undefined || challenge.kind === 'basic') return basic;
    const url = new URL(challenge.realm);
    if (challenge.service !== undefined) url.searchParams.set('service', challenge.service);
    url.searchParams.set('scope', challenge.scope ?? `repository:${this.#name.repository}:${this.#actions}`);
    const response = await this.#client.send(
      { method: 'GET', url: url.href, what },
      this.#endpoint,
      this.#signal,
      basic,
    );
    const text = (await readAll(response)).toString('utf8');
    const status = response.statusCode ?? 0;
    if (status >= 300) throw refusalOf(what, status === 400 ? 401 : status, text);
    try {
      const answer = JSON.parse(text) as { token?: string; access_token?: string };
      const token = answer.token ?? answer.access_token;
      if (token !== undefined && token !== '') return `Bearer ${token}`;
    } catch {
      // Said below.
    }
    throw new CaelumError('unauthorized', `Cannot ${what}: the registry's token service gave no token`);
  }
}

async function readAll(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response) {
    length += (chunk as Buffer).length;
    if (length > documentBytesMax) {
      response.destroy();
      throw new CaelumError('tooLarge', 'Cannot read the registry’s answer: more than 8 MiB');
    }
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

async function* bodyOf(response: IncomingMessage, what: string): AsyncIterable<Buffer> {
  try {
    for await (const chunk of response) yield chunk as Buffer;
  } catch (cause) {
    throw new CaelumError('unavailable', `Cannot ${what}: the connection broke`, { cause });
  }
}
