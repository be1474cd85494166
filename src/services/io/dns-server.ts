/**
 * The DNS server of the pods: UDP and TCP on the bridge's address; the cluster's names from the informers' copies, the rest from upstream.
 *
 *   packet ──▶ readQuery ──▶ answer(zone) ──▶ packet
 *                    └ not ours ──▶ cache ──▶ upstreams in turn ──▶ packet | SERVFAIL
 *
 * Never asks itself: an upstream that is one of its own addresses is left out.
 */
import { randomInt } from 'node:crypto';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { EndpointSlice, KubeObject, Service } from '../../api/index.ts';
import { type Informers, keyOf, type ResourceRef } from '../../client/index.ts';
import { CaelumError, type Clock, explainError, type Log } from '../../lib/index.ts';
import { cacheSeconds, codes, type Query, type Response, readQuery, writeResponse } from '../dns-message.ts';
import { answer, type Zone } from '../dns-zone.ts';
import { serviceKeyOf } from '../virtual-ips.ts';
import { endpointSliceRef, serviceRef } from './service-rules.ts';

const namespaceRef: ResourceRef = { group: '', version: 'v1', resource: 'namespaces', namespaced: false };
const udpAnswerBytesMax = 1232;
const tcpIdleMs = 10_000;
const tcpConnectionsMax = 256;
const waitingMax = 1000;
const cachedMax = 5000;

export interface DnsOptions {
  readonly informers: Informers;
  readonly clock: Clock;
  readonly log: Log;
  /** Where to listen. */
  readonly addresses: readonly string[];
  /** Default 53; 0: any, for tests. */
  readonly port?: number;
  /** Default `cluster.local`. */
  readonly clusterDomain?: string;
  /** `1.2.3.4` or `1.2.3.4:5353`. Default: those of /etc/resolv.conf. */
  readonly upstreams?: readonly string[];
  readonly ttlSeconds?: number;
  /** Default 2000. */
  readonly upstreamTimeoutMs?: number;
}

export interface DnsServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Listens when it resolves. Throws `unavailable` when an address cannot be bound. */
export async function startDns(options: DnsOptions): Promise<DnsServer> {
  const server = new Dns(options);
  await server.listen();
  return server;
}

class Dns implements DnsServer {
  readonly #options: DnsOptions;
  readonly #zone: Zone;
  readonly #udp: UdpSocket[] = [];
  readonly #tcp: Server[] = [];
  readonly #connections = new Set<Socket>();
  readonly #cache = new Map<
    string,
    { readonly bytes: Buffer; readonly untilMs: number; readonly sinceMs: number }
  >();
  readonly #asking = new Map<string, Promise<Buffer | undefined>>();
  #upstreams: readonly { host: string; port: number }[] = [];
  port = 0;
  #isClosed = false;

  constructor(options: DnsOptions) {
    this.#options = options;
    this.#zone = zoneOf(options);
  }

  async listen(): Promise<void> {
    this.port = this.#options.port ?? 53;
    try {
      for (const address of this.#options.addresses) await this.#listenOn(address);
    } catch (cause) {
      await this.close();
      throw new CaelumError(
        'unavailable',
        `Cannot serve DNS on "${this.#options.addresses.join(', ')}" port ${this.port}`,
        { cause },
      );
    }
    const own = new Set(this.#options.addresses);
    this.#upstreams = (this.#options.upstreams ?? systemUpstreams())
      .map(splitHost)
      .filter(({ host, port }) => !(own.has(host) && port === this.port));
  }

  async #listenOn(address: string): Promise<void> {
    const udp = createSocket({ type: address.includes(':') ? 'udp6' : 'udp4', recvBufferSize: 1 << 20 });
    this.#udp.push(udp);
    udp.on('message', (bytes, from) => this.#onPacket(udp, bytes, from.address, from.port));
    await new Promise<void>((resolve, reject) => {
      udp.once('error', reject);
      udp.bind(this.port, address, () => {
        udp.off('error', reject);
        udp.on('error', (error) => this.#options.log.warn('a DNS socket failed', { error }));
        resolve();
      });
    });
    this.port = udp.address().port;
    const tcp = createServer((socket) => this.#onConnection(socket));
    tcp.maxConnections = tcpConnectionsMax;
    this.#tcp.push(tcp);
    await new Promise<void>((resolve, reject) => {
      tcp.once('error', reject);
      tcp.listen(this.port, address, () => {
        tcp.off('error', reject);
        tcp.on('error', (error) => this.#options.log.warn('a DNS socket failed', { error }));
        resolve();
      });
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const socket of this.#connections) socket.destroy();
    await Promise.all([
      ...this.#udp.map((socket) => new Promise<void>((resolve) => closeQuietly(socket, resolve))),
      ...this.#tcp.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))),
    ]);
    this.#udp.length = 0;
    this.#tcp.length = 0;
  }

  #onPacket(udp: UdpSocket, bytes: Buffer, address: string, port: number): void {
    // Source port 0 (anyone can forge it) cannot be answered: sending there throws.
    if (port === 0) return;
    const query = readQuery(bytes);
    if (query === undefined) return;
    const bytesMax = Math.min(udpAnswerBytesMax, query.ednsBytes ?? 512);
    const send = (reply: Buffer): void => {
      // A client that is gone is no concern of ours.
      if (!this.#isClosed) udp.send(reply, port, address, () => undefined);
    };
    const own = this.#own(query);
    if (own !== undefined) send(writeResponse(query, own, bytesMax));
    else void this.#forward(bytes, query, bytesMax).then(send, () => undefined);
  }

  #onConnection(socket: Socket): void {
    this.#connections.add(socket);
    socket.setTimeout(tcpIdleMs, () => socket.destroy());
    socket.on('close', () => this.#connections.delete(socket));
    socket.on('error', () => socket.destroy());
    let held: Buffer = Buffer.alloc(0);
    const send = (reply: Buffer): void => {
      if (socket.writable) socket.write(framed(reply));
    };
    socket.on('data', (chunk: Buffer) => {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      while (held.length >= 2 && held.length >= 2 + held.readUInt16BE(0)) {
        const bytes = held.subarray(2, 2 + held.readUInt16BE(0));
        held = held.subarray(2 + bytes.length);
        const query = readQuery(bytes);
        if (query === undefined) {
          socket.destroy();
          return;
        }
        const own = this.#own(query);
        if (own !== undefined) send(writeResponse(query, own, 65_535));
        else void this.#forward(Buffer.from(bytes), query, 65_535).then(send, () => undefined);
      }
    });
  }

  /** What we answer ourselves; undefined: for others to say. */
  #own(query: Query): Response | undefined {
    if (query.opcode !== 0) return refusal(codes.notImplemented);
    if (query.question === undefined) return refusal(codes.formatError);
    const own = answer(query.question, this.#zone);
    if (own === undefined) return undefined;
    const cname = own.answers[0];
    // The alias of an ExternalName service may lead to a name of ours.
    if (own.answers.length === 1 && cname?.kind === 'CNAME' && query.question.type !== 5) {
      const further = answer({ ...query.question, name: cname.target }, this.#zone);
      if (further !== undefined) return { ...own, answers: [...own.answers, ...further.answers] };
    }
    return own;
  }

  async #forward(bytes: Buffer, query: Query, bytesMax: number): Promise<Buffer> {
    const { question } = query;
    const key = `${question?.name} ${question?.type} ${question?.class} ${bytesMax > udpAnswerBytesMax} ${query.ednsBytes !== undefined}`;
    const nowMs = this.#options.clock.monotonicMs();
    const cached = this.#cache.get(key);
    if (cached !== undefined && cached.untilMs > nowMs) return addressed(cached.bytes, query);
    if (cached !== undefined) this.#cache.delete(key);
    let asking = this.#asking.get(key);
    if (asking === undefined && this.#asking.size < waitingMax) {
      asking = this.#ask(bytes, bytesMax > udpAnswerBytesMax).finally(() => this.#asking.delete(key));
      this.#asking.set(key, asking);
    }
    const reply = await asking;
    if (reply === undefined) return writeResponse(query, refusal(codes.serverFailure), bytesMax);
    const seconds = cacheSeconds(reply);
    if (seconds !== undefined && seconds > 0) {
      // Short, so that TTLs need not be counted down: nobody is told anything more than 30 s old.
      if (this.#cache.size >= cachedMax) this.#cache.clear();
      this.#cache.set(key, { bytes: reply, sinceMs: nowMs, untilMs: nowMs + Math.min(30, seconds) * 1000 });
    }
    return addressed(reply, query);
  }

  async #ask(bytes: Buffer, isTcp: boolean): Promise<Buffer | undefined> {
    const timeoutMs = this.#options.upstreamTimeoutMs ?? 2000;
    for (const upstream of this.#upstreams) {
      try {
        return isTcp
          ? await askOverTcp(bytes, upstream.host, upstream.port, timeoutMs)
          : await askOverUdp(bytes, upstream.host, upstream.port, timeoutMs);
      } catch (error) {
        this.#options.log.debug('an upstream did not answer', { ...upstream, why: explainError(error) });
      }
    }
    return undefined;
  }
}

const refusal = (code: number): Response => ({
  code,
  authoritative: false,
  answers: [],
  authority: [],
  additional: [],
});

function closeQuietly(socket: UdpSocket, done: () => void): void {
  try {
    socket.close(done);
  } catch {
    done();
  }
}

const framed = (message: Buffer): Buffer => {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(message.length);
  return Buffer.concat([head, message]);
};

/** An answer to somebody else's same question, made out to this asker. */
function addressed(reply: Buffer, query: Query): Buffer {
  const copy = Buffer.from(reply);
  copy.writeUInt16BE(query.id, 0);
  if (copy.length >= 12 + query.questionBytes.length) query.questionBytes.copy(copy, 12);
  return copy;
}

/** A reply counts only from the server that was asked, with our own random id, to our question. */
function isReplyTo(asked: Buffer, reply: Buffer): boolean {
  if (reply.length < 12 || reply.readUInt16BE(0) !== asked.readUInt16BE(0) || (reply[2] as number) < 0x80)
    return false;
  if (reply.readUInt16BE(4) === 0) return true;
  const question = readQuery(asked)?.questionBytes ?? Buffer.alloc(0);
  const echoed = reply.subarray(12, 12 + question.length);
  return echoed.toString('latin1').toLowerCase() === question.toString('latin1').toLowerCase();
}

function renumbered(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt16BE(randomInt(65_536), 0);
  return copy;
}

function askOverUdp(bytes: Buffer, host: string, port: number, timeoutMs: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const asked = renumbered(bytes);
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    const finish = (action: () => void): void => {
      clearTimeout(timer);
      closeQuietly(socket, () => undefined);
      action();
    };
    const timer = setTimeout(() => finish(() => reject(new Error('no answer in time'))), timeoutMs);
    socket.on('error', (error) => finish(() => reject(error)));
    socket.on('message', (reply) => {
      if (isReplyTo(asked, reply)) finish(() => resolve(reply));
    });
    // Connected: the kernel drops what others send, and tells when nobody listens there.
    socket.connect(port, host, () => socket.send(asked));
  });
}

function askOverTcp(bytes: Buffer, host: string, port: number, timeoutMs: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const asked = renumbered(bytes);
    let held: Buffer = Buffer.alloc(0);
    const socket = connect({ host, port }, () => socket.write(framed(asked)));
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error('no answer in time')));
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the connection was closed')));
    socket.on('data', (chunk: Buffer) => {
      held = Buffer.concat([held, chunk]);
      if (held.length < 2 || held.length < 2 + held.readUInt16BE(0)) return;
      const reply = held.subarray(2, 2 + held.readUInt16BE(0));
      if (isReplyTo(asked, reply)) resolve(reply);
      socket.destroy();
    });
  });
}

function systemUpstreams(): string[] {
  try {
    return [...readFileSync('/etc/resolv.conf', 'utf8').matchAll(/^\s*nameserver\s+(\S+)/gm)].map(
      (match) => match[1] as string,
    );
  } catch {
    return [];
  }
}

function splitHost(text: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text);
  return match === null
    ? { host: text, port: 53 }
    : { host: match[1] ?? match[2] ?? '', port: Number(match[3]) };
}

function zoneOf(options: DnsOptions): Zone {
  const services = options.informers.informer<Service>(serviceRef);
  const slices = options.informers.informer<EndpointSlice>(endpointSliceRef);
  const namespaces = options.informers.informer<KubeObject>(namespaceRef);
  const byAddress = services.index('clusterIp', ({ spec }) =>
    (spec?.clusterIPs ?? [spec?.clusterIP ?? '']).filter((ip) => ip !== '' && ip !== 'None'),
  );
  const slicesByService = slices.index('service', (slice) => {
    const key = serviceKeyOf(slice);
    return key === undefined ? [] : [key];
  });
  const slicesByAddress = slices.index('address', (slice) =>
    (slice.endpoints ?? []).flatMap((one) => one.addresses),
  );
  const servicesByNamespace = services.index('namespace', (service) => [keyOf(service).split('/')[0] ?? '']);
  return {
    domain: (options.clusterDomain ?? 'cluster.local').toLowerCase(),
    ttlSeconds: options.ttlSeconds ?? 5,
    service: (key) => services.get(key),
    hasNamespace: (name) => namespaces.get(name) !== undefined || servicesByNamespace(name).length > 0,
    slices: slicesByService,
    serviceAt: (address) => byAddress(address)[0],
    slicesAt: slicesByAddress,
  };
}
