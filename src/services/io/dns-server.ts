/**
 * The DNS server of the pods: UDP and TCP on the bridge's address; the cluster's names from the informers' copies, the rest from upstream.
 *
 *   packet ──▶ readQuery ──▶ answer(zone) ──▶ packet
 *                    └ not ours ──▶ forwarder ──▶ packet | SERVFAIL
 *
 * Until the informers have their first copies the cluster's names are answered with SERVFAIL ("ask again"), never with "no such
 * name". Never asks itself. Invariant: no client makes it hold more than a bounded number of answers and questions.
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';
import type { EndpointSlice, KubeObject, Service } from '../../api/index.ts';
import { type Informers, keyOf, type ResourceRef } from '../../client/index.ts';
import { CaelumError, type Clock, type Log } from '../../lib/index.ts';
import {
  codes,
  type DnsRecord,
  type Query,
  type Response,
  readQuery,
  udpBytesMax,
  writeResponse,
} from '../dns-message.ts';
import { answerFollowing, isOwnName, type Zone } from '../dns-zone.ts';
import { endpointSliceRef, serviceRef } from '../rule-keeper.ts';
import { serviceKeyOf } from '../virtual-ips.ts';
import { closeQuietly, Forwarder, framed } from './dns-forwarder.ts';

export const namespaceRef: ResourceRef = {
  group: '',
  version: 'v1',
  resource: 'namespaces',
  namespaced: false,
};
const tcpIdleMs = 10_000;
const tcpConnectionsMax = 256;
/** Of one connection: answers not yet taken, questions not yet answered. More are not read before these are gone. */
const tcpUnsentBytesMax = 65_536;
const tcpPendingMax = 32;

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
  readonly #zone: SyncedZone;
  readonly #forwarder: Forwarder;
  readonly #udp: UdpSocket[] = [];
  readonly #tcp: Server[] = [];
  readonly #connections = new Set<Socket>();
  port = 0;
  #isClosed = false;

  constructor(options: DnsOptions) {
    this.#options = options;
    this.#zone = zoneOf(options);
    const { clock, log, upstreams, upstreamTimeoutMs, addresses } = options;
    this.#forwarder = new Forwarder({
      clock,
      log,
      ...(upstreams === undefined ? {} : { upstreams }),
      ...(upstreamTimeoutMs === undefined ? {} : { timeoutMs: upstreamTimeoutMs }),
      // A virtual IP leads to the cluster again, the DNS service's own to us.
      isOwn: (host, port) =>
        (port === this.port && addresses.includes(host)) || this.#zone.serviceAt(host) !== undefined,
    });
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
    const bytesMax = Math.min(udpBytesMax, query.ednsBytes ?? 512);
    const send = (reply: Buffer): void => {
      // A client that is gone is no concern of ours.
      if (!this.#isClosed) udp.send(reply, port, address, () => undefined);
    };
    const reply = this.#reply(query, bytesMax, false);
    if (Buffer.isBuffer(reply)) send(reply);
    else void reply.then(send, () => undefined);
  }

  #onConnection(socket: Socket): void {
    this.#connections.add(socket);
    socket.setTimeout(tcpIdleMs, () => socket.destroy());
    socket.on('close', () => this.#connections.delete(socket));
    socket.on('error', () => socket.destroy());
    let held: Buffer = Buffer.alloc(0);
    let pending = 0;
    const send = (reply: Buffer): void => {
      if (socket.writable) socket.write(framed(reply));
    };
    const settle = (): void => {
      pending--;
      read();
    };
    const read = (): void => {
      while (!socket.destroyed && held.length >= 2 && held.length >= 2 + held.readUInt16BE(0)) {
        if (socket.writableLength > tcpUnsentBytesMax || pending >= tcpPendingMax) {
          socket.pause();
          return;
        }
        const bytes = held.subarray(2, 2 + held.readUInt16BE(0));
        held = held.subarray(2 + bytes.length);
        const query = readQuery(bytes);
        if (query === undefined) {
          socket.destroy();
          return;
        }
        const reply = this.#reply(query, 65_535, true);
        if (Buffer.isBuffer(reply)) send(reply);
        else {
          pending++;
          void reply.then(send, () => undefined).then(settle);
        }
      }
      socket.resume();
    };
    socket.on('drain', read);
    socket.on('data', (chunk: Buffer) => {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      read();
    });
  }

  /** At once what we know ourselves, later what others have to say. */
  #reply(query: Query, bytesMax: number, isTcp: boolean): Buffer | Promise<Buffer> {
    const { question } = query;
    if (query.opcode !== 0) return writeResponse(query, refusal(codes.notImplemented), bytesMax);
    if (question === undefined) return writeResponse(query, refusal(codes.formatError), bytesMax);
    if (!this.#zone.isSynced() && isOwnName(question.name, this.#zone.domain))
      return writeResponse(query, refusal(codes.serverFailure), bytesMax);
    const own = answerFollowing(question, this.#zone);
    if (own === undefined) return this.#forward(query, bytesMax, isTcp);
    if (own.outside === undefined) return writeResponse(query, own.response, bytesMax);
    return this.#followOutside(query, own.response, own.outside, bytesMax);
  }

  async #forward(query: Query, bytesMax: number, isTcp: boolean): Promise<Buffer> {
    const reply = await this.#forwarder.ask(query, isTcp);
    if (reply === undefined) return writeResponse(query, refusal(codes.serverFailure), bytesMax);
    return reply.length <= bytesMax ? reply : cutShort(reply, query);
  }

  /** `response` ends with an alias for `outside`. */
  async #followOutside(query: Query, response: Response, outside: string, bytesMax: number): Promise<Buffer> {
    const reply = await this.#forwarder.resolve(outside, query.question?.type ?? 0);
    if (reply === undefined) return writeResponse(query, refusal(codes.serverFailure), bytesMax);
    // An alias is ours and short-lived; what it leads to lives no longer in anyone's memory than that.
    const further = reply.answers.map(
      (one): DnsRecord => ({ ...one, ttlSeconds: Math.min(one.ttlSeconds, this.#zone.ttlSeconds) }),
    );
    const whole = { ...response, code: reply.code, answers: [...response.answers, ...further] };
    return writeResponse(query, whole, bytesMax);
  }
}

/** Too much for the asker's packet: nothing but the advice to ask again over TCP. */
function cutShort(reply: Buffer, query: Query): Buffer {
  const bytes = writeResponse(query, refusal(codes.noError), 65_535);
  bytes.writeUInt16BE(bytes.readUInt16BE(2) | 0x0200 | (reply.readUInt16BE(2) & 15), 2);
  return bytes;
}

const refusal = (code: number): Response => ({
  code,
  authoritative: false,
  answers: [],
  authority: [],
  additional: [],
});

interface SyncedZone extends Zone {
  /** False until every informer has had its first copy. */
  isSynced(): boolean;
}

function zoneOf(options: DnsOptions): SyncedZone {
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
    isSynced: () => services.synced && slices.synced && namespaces.synced,
  };
}
