/**
 * Asks other DNS servers what the cluster does not know.
 *
 *   query ──▶ cache ──▶ the same question already under way? ──▶ upstreams in turn, each once ──▶ reply
 *
 * Each question over UDP has its own socket (a port nobody can guess) and a random id. Invariants: never more than `askingMax`
 * questions under way nor `waitingMax` askers waiting; a reply is kept no longer than its TTLs say, and made out as old as it is.
 */
import { randomInt } from 'node:crypto';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { type Clock, explainError, type Log } from '../../lib/index.ts';
import { codes, type Query, readQuery, writeForwarded, writeQuery } from '../dns-message.ts';
import { aged, type Reply, readReply } from '../dns-reply.ts';

const askingMax = 1000;
const waitingMax = 4000;
const cachedMax = 5000;
const cachedBytesMax = 4096;
const cacheSecondsMax = 300;

export interface ForwarderOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** `1.2.3.4` or `1.2.3.4:5353`. Default: those of /etc/resolv.conf. */
  readonly upstreams?: readonly string[];
  /** For each upstream. Default 2000. */
  readonly timeoutMs?: number;
  /** True for an address under which the asker itself is reached: never asked. Looked up each time, as addresses come and go. */
  isOwn(host: string, port: number): boolean;
}

interface Asked {
  readonly bytes: Buffer;
  readonly reply: Reply;
}

interface Cached extends Asked {
  readonly sinceMs: number;
  readonly untilMs: number;
}

interface Upstream {
  readonly host: string;
  readonly port: number;
}

export class Forwarder {
  readonly #options: ForwarderOptions;
  readonly #upstreams: readonly Upstream[];
  readonly #cache = new Map<string, Cached>();
  readonly #asking = new Map<string, Promise<Asked | undefined>>();
  #waiting = 0;
  /** The upstream that answered last goes first: a dead one costs its timeout once. */
  #first = 0;

  constructor(options: ForwarderOptions) {
    this.#options = options;
    this.#upstreams = (options.upstreams ?? systemUpstreams()).map(splitHost);
  }

  /** The reply, made out to this asker; undefined when nobody answers or too many wait. */
  async ask(query: Query, isTcp: boolean): Promise<Buffer | undefined> {
    const { question } = query;
    if (question === undefined) return undefined;
    const key = `${question.name} ${question.type} ${question.class} ${query.askedFlags} ${isTcp} ${query.ednsBytes !== undefined} ${query.wantsSignatures}`;
    const nowMs = this.#options.clock.monotonicMs();
    const cached = this.#cache.get(key);
    if (cached !== undefined && cached.untilMs > nowMs) {
      const ageSeconds = Math.floor((nowMs - cached.sinceMs) / 1000);
      return addressed(aged(cached.bytes, cached.reply.ttlOffsets, ageSeconds), query);
    }
    let asking = this.#asking.get(key);
    if (this.#waiting >= waitingMax || (asking === undefined && this.#asking.size >= askingMax))
      return undefined;
    if (asking === undefined) {
      asking = this.#askAndKeep(key, query, isTcp).finally(() => this.#asking.delete(key));
      this.#asking.set(key, asking);
    }
    this.#waiting++;
    try {
      const asked = await asking;
      return asked === undefined ? undefined : addressed(asked.bytes, query);
    } finally {
      this.#waiting--;
    }
  }

  /** What an alias leads to. Asks again over TCP where one packet does not hold it. */
  async resolve(name: string, type: number): Promise<Reply | undefined> {
    const query = readQuery(writeQuery(0, { name, type, class: 1 }, 512));
    if (query === undefined) return undefined;
    for (const isTcp of [false, true]) {
      const bytes = await this.ask(query, isTcp);
      const reply = bytes === undefined ? undefined : readReply(bytes);
      if (reply === undefined || !reply.isTruncated) return reply;
    }
    return undefined;
  }

  async #askAndKeep(key: string, query: Query, isTcp: boolean): Promise<Asked | undefined> {
    const asked = await this.#askInTurn(query, isTcp);
    this.#cache.delete(key);
    const seconds = asked?.reply.cacheSeconds ?? 0;
    if (asked === undefined || seconds <= 0 || asked.bytes.length > cachedBytesMax) return asked;
    for (const oldest of this.#cache.keys()) {
      if (this.#cache.size < cachedMax) break;
      this.#cache.delete(oldest);
    }
    const sinceMs = this.#options.clock.monotonicMs();
    const untilMs = sinceMs + Math.min(cacheSecondsMax, seconds) * 1000;
    // A copy: what arrived may be a slice of something larger.
    this.#cache.set(key, { ...asked, bytes: Buffer.from(asked.bytes), sinceMs, untilMs });
    return asked;
  }

  async #askInTurn(query: Query, isTcp: boolean): Promise<Asked | undefined> {
    const { isOwn, log, timeoutMs = 2000 } = this.#options;
    let failure: Asked | undefined;
    const first = this.#first;
    for (let turn = 0; turn < this.#upstreams.length; turn++) {
      const at = (first + turn) % this.#upstreams.length;
      const upstream = this.#upstreams[at];
      if (upstream === undefined || isOwn(upstream.host, upstream.port)) continue;
      try {
        const question = writeForwarded(query, randomInt(65_536));
        const ask = isTcp ? askOverTcp : askOverUdp;
        const bytes = await ask(question, query.questionBytes, upstream, timeoutMs);
        const reply = readReply(bytes);
        if (reply === undefined) throw new Error('its answer is damaged');
        if (reply.code === codes.noError || reply.code === codes.nameError) {
          this.#first = at;
          return { bytes, reply };
        }
        // Another may know better; if none does, this is what there is to say.
        failure ??= { bytes, reply };
      } catch (error) {
        log.debug('an upstream did not answer', { ...upstream, why: explainError(error) });
      }
    }
    return failure;
  }
}

/** An answer to somebody's same question, made out to this asker, in this asker's spelling. */
function addressed(reply: Buffer, query: Query): Buffer {
  const copy = Buffer.from(reply);
  copy.writeUInt16BE(query.id, 0);
  query.questionBytes.copy(copy, 12);
  return copy;
}

/** A reply counts only with our own random id and to our question. Throws when the server says that it could not read it. */
function isReplyTo(asked: Buffer, questionBytes: Buffer, reply: Buffer): boolean {
  if (reply.length < 12 || reply.readUInt16BE(0) !== asked.readUInt16BE(0)) return false;
  if ((reply.readUInt16BE(2) & 0x8000) === 0) return false;
  if (reply.readUInt16BE(4) === 0) throw new Error('it refused the question');
  const echoed = reply.subarray(12, 12 + questionBytes.length);
  return echoed.toString('latin1').toLowerCase() === questionBytes.toString('latin1').toLowerCase();
}

function askOverUdp(asked: Buffer, question: Buffer, to: Upstream, timeoutMs: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(to.host.includes(':') ? 'udp6' : 'udp4');
    const finish = (action: () => void): void => {
      clearTimeout(timer);
      closeQuietly(socket, () => undefined);
      action();
    };
    const timer = setTimeout(() => finish(() => reject(new Error('no answer in time'))), timeoutMs);
    socket.on('error', (error) => finish(() => reject(error)));
    socket.on('message', (reply) => {
      try {
        if (isReplyTo(asked, question, reply)) finish(() => resolve(reply));
      } catch (error) {
        finish(() => reject(error));
      }
    });
    // Connected: the kernel drops what others send, and tells when nobody listens there.
    socket.connect(to.port, to.host, () => socket.send(asked));
  });
}

function askOverTcp(asked: Buffer, question: Buffer, to: Upstream, timeoutMs: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: to.host, port: to.port }, () => socket.write(framed(asked)));
    // Of the whole, not of each silence: a byte a second must not hold us.
    const timer = setTimeout(() => socket.destroy(new Error('no answer in time')), timeoutMs);
    let held: Buffer = Buffer.alloc(0);
    socket.on('error', reject);
    socket.on('close', () => {
      clearTimeout(timer);
      reject(new Error('the connection was closed'));
    });
    socket.on('data', (chunk: Buffer) => {
      held = Buffer.concat([held, chunk]);
      if (held.length < 2 || held.length < 2 + held.readUInt16BE(0)) return;
      const reply = held.subarray(2, 2 + held.readUInt16BE(0));
      try {
        if (isReplyTo(asked, question, reply)) resolve(reply);
        socket.destroy();
      } catch (error) {
        socket.destroy(error as Error);
      }
    });
  });
}

export function closeQuietly(socket: UdpSocket, done: () => void): void {
  try {
    socket.close(done);
  } catch {
    done();
  }
}

/** As TCP carries it: its length before it. */
export function framed(message: Buffer): Buffer {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(message.length);
  return Buffer.concat([head, message]);
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

function splitHost(text: string): Upstream {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text);
  return match === null
    ? { host: text, port: 53 }
    : { host: match[1] ?? match[2] ?? '', port: Number(match[3]) };
}
