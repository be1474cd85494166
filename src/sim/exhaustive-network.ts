/**
 * A network without time: all that is under way lies in a pool, and somebody chooses what arrives next.
 *
 *   call, stream ──▶ pool of messages ──chosen──▶ arrives ──▶ what the receiver sends lies in the pool in its turn
 *
 * Requests overtake each other; the messages of one stream keep their order. Each process and the API server have a trail: a hash of all that
 * has arrived there, in order. A process is a function of its trail, so two histories with the same trails, the same pool and the same time are
 * in the same state, in whatever order things that do not concern each other arrived (Mazurkiewicz traces). What is oldest is told by Lamport's
 * clocks, which are the same in all such histories.
 *
 * Invariant: names and keys of messages depend on trails alone, never on the order of what is independent.
 */
import { CaelumError, isError } from '../lib/index.ts';
import { Trail } from './exhaustive-trail.ts';
import type { Life } from './life.ts';
import type { About, Callee, Network, StreamSink } from './network.ts';

/** What arrives after what, whatever its age. */
export const hold = { none: 0, untilRest: 1, user: 2, afterUser: 3, untilLater: 4 } as const;
export type Hold = (typeof hold)[keyof typeof hold];

export interface Message {
  readonly kind: 'request' | 'answer' | 'event' | 'start' | 'act';
  /** The process at the other end than the API server; `api` only where it is to start. */
  readonly process: string;
  readonly life: Life | undefined;
  /** Of a request or its answer: it changes something. */
  readonly isWrite: boolean;
  /** The call or stream that it belongs to. */
  readonly exchange: Exchange | undefined;
  readonly id: number;
  /** What the API server knew when it sent this. */
  readonly content: number;
  /** Lamport's clock of its sender. */
  readonly age: number;
  /** What is told of it. */
  readonly tell: () => string;
  readonly arrive: () => void;
  /** Its place among those of the same hold. */
  key: number;
  hold: Hold;
  /** Nobody waits for its answer any more. */
  isLate: boolean;
}

export interface Exchange {
  readonly process: string;
  readonly life: Life;
  readonly about: About;
  readonly number: number;
  readonly isStream: boolean;
  isOpen: boolean;
  /** Of a stream: its events, in order. */
  readonly queue: Message[];
  /** The connection breaks. */
  fail(error: Error): void;
}

const reads = new Set(['get', 'list', 'watch']);

export class ChosenNetwork implements Network {
  /** Those that can arrive now: of a stream only the oldest. */
  readonly pool = new Set<Message>();
  readonly exchanges = new Set<Exchange>();
  readonly #trails = new Map<string, Trail>();
  readonly #clocks = new Map<string, number>();
  readonly #counts = new Map<string, number>();
  readonly #callee: string;
  /** Lamport's clock of what the API server sends now. */
  #servingAge = 0;
  arrived = 0;

  constructor(callee: string, processes: readonly string[]) {
    this.#callee = callee;
    for (const name of [callee, ...processes]) {
      this.#trails.set(name, new Trail(this.#trails.size + 1));
      this.#clocks.set(name, 0);
      this.#counts.set(name, 0);
    }
  }

  /** The message that arrives where nobody interferes. */
  first(): Message | undefined {
    let first: Message | undefined;
    for (const message of this.pool) if (first === undefined || isBefore(message, first)) first = message;
    return first;
  }

  /** It arrives. What it brings about is in the pool after a turn. */
  deliver(message: Message): void {
    this.#remove(message);
    this.arrived++;
    if (message.kind === 'request') {
      const api = this.#clock(this.#callee);
      this.#servingAge = Math.max(api, message.age) + 1;
      if (message.isWrite) {
        this.#clocks.set(this.#callee, this.#servingAge);
        this.trail(this.#callee).mix(message.id);
      }
    } else {
      this.#clocks.set(message.process, Math.max(this.#clock(message.process), message.age) + 1);
      this.trail(message.process).mix(message.id, message.content);
      this.#servingAge = this.#clock(this.#callee);
    }
    message.arrive();
  }

  /** A timer fires: everybody notices. */
  pass(timeMs: number): void {
    const newest = Math.max(...this.#clocks.values());
    for (const [name, trail] of this.#trails) {
      trail.mix(1, timeMs);
      this.#clocks.set(name, newest);
    }
    this.#servingAge = newest;
  }

  /** Behind all that lies in the pool now. */
  delay(message: Message): void {
    message.key = Math.max(...[...this.pool].map(({ key }) => key)) + 1;
  }

  /** Neither request nor answer arrive; the caller is told that the connection broke. */
  lose(message: Message): void {
    const { exchange, process } = message;
    this.#remove(message);
    this.trail(process).mix(2, message.id);
    exchange?.fail(new CaelumError('unavailable', `${this.#callee}: the connection broke`));
  }

  /** The caller gives up waiting; the request arrives all the same, later. */
  tire(message: Message): void {
    const { exchange, process } = message;
    this.trail(process).mix(3, message.id);
    message.hold = hold.afterUser;
    message.isLate = true;
    exchange?.fail(new CaelumError('timeout', `${this.#callee} did not answer`));
  }

  /** All streams of a process break. */
  breakStreams(process: string): void {
    this.trail(process).mix(4);
    for (const one of [...this.exchanges])
      if (one.process === process && one.isStream)
        one.fail(new CaelumError('unavailable', 'the stream broke'));
  }

  /** The life has ended: what it sent and has not arrived never will. */
  bury(process: string, life: Life): void {
    this.trail(process).mix(5);
    for (const one of [...this.exchanges]) if (one.life === life) this.#close(one);
    for (const message of [...this.pool]) if (message.life === life) this.pool.delete(message);
  }

  /** The API server has ended: every connection breaks. */
  breakAll(): void {
    for (const trail of this.#trails.values()) trail.mix(6);
    for (const one of [...this.exchanges])
      one.fail(new CaelumError('unavailable', `${this.#callee}: the connection broke`));
  }

  /** Something that a process is to do, unless it is told to wait. */
  post(kind: 'start' | 'act', process: string, held: Hold, tell: () => string, arrive: () => void): void {
    const id = this.#name(process, this.#count(process));
    const age = this.#clock(process);
    this.pool.add({
      kind,
      process,
      life: undefined,
      isWrite: false,
      exchange: undefined,
      id,
      content: 0,
      age,
      tell,
      arrive,
      key: age,
      hold: held,
      isLate: false,
    });
  }

  /** Equal in equal states. */
  state(timeMs: number): number {
    const state = new Trail(0);
    state.mix(timeMs);
    for (const trail of this.#trails.values()) state.mix(trail.value());
    let sum = 0;
    const add = (message: Message, place: number): void => {
      const one = new Trail(message.id);
      one.mix(message.content, message.hold, message.key, place);
      sum = (sum + one.value()) % Number.MAX_SAFE_INTEGER;
    };
    for (const message of this.pool) {
      add(message, 0);
      const queue = message.kind === 'event' ? (message.exchange?.queue ?? []) : [];
      for (let place = 1; place < queue.length; place++) add(queue[place] as Message, place);
    }
    state.mix(sum);
    return state.value();
  }

  trail(process: string): Trail {
    return this.#trails.get(process) as Trail;
  }

  #clock(process: string): number {
    return this.#clocks.get(process) ?? 0;
  }

  #count(process: string): number {
    const count = (this.#counts.get(process) ?? 0) + 1;
    this.#counts.set(process, count);
    return count;
  }

  #name(process: string, ...numbers: readonly number[]): number {
    const name = new Trail(this.trail(process).seed);
    name.mix(...numbers);
    return name.value();
  }

  call<T>(
    caller: Life,
    callee: Callee,
    serve: () => Promise<T>,
    _isRepeatable: boolean,
    about: About,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (!caller.maySend()) return;
      const call = this.#open(caller, about, false, (error) => reject(error));
      const answer = (how: string, settle: () => void): void => {
        if (!call.isOpen) return;
        const arrive = (): void => {
          this.#close(call);
          if (caller.isAlive) settle();
        };
        this.#send(call, 'answer', 1, () => `api → ${caller.name}: ${how} to ${title(about)}`, arrive);
      };
      const refuse = (error: unknown): void =>
        answer(isError(error) ? error.code : 'an error', () => reject(error as Error));
      const arrive = (): void => {
        const life = callee.life();
        if (life === undefined) {
          refuse(new CaelumError('unavailable', `${callee.name}: connection refused`));
          return;
        }
        serve().then(
          (value) => {
            if (life.isAlive) answer('yes', () => resolve(value));
          },
          (error: unknown) => {
            if (life.isAlive) refuse(error);
          },
        );
      };
      this.#send(call, 'request', 0, () => `${caller.name} → api: ${title(about)}`, arrive);
    });
  }

  stream(
    caller: Life,
    callee: Callee,
    onEnd: (error: Error | undefined) => void,
    serve: (sink: StreamSink) => () => void,
    about: About,
  ): { cancel(): void } {
    if (!caller.maySend()) return { cancel: () => {} };
    const stream = this.#open(caller, about, true, onEnd);
    let stop = (): void => {};
    let place = 0;
    const send = (what: string, arrive: () => void): void => {
      if (!stream.isOpen) return;
      const tell = (): string => `api → ${caller.name}: watch of ${about.ref.resource}: ${what}`;
      this.#send(stream, 'event', ++place, tell, arrive);
    };
    const open = (): void => {
      const life = callee.life();
      if (life === undefined) {
        stream.fail(new CaelumError('unavailable', `${callee.name}: connection refused`));
        return;
      }
      stop = serve({
        send: (give, event) => {
          if (!life.isAlive) return;
          const what =
            event === undefined || event.type === 'BOOKMARK'
              ? 'BOOKMARK'
              : `${event.type} ${event.object.metadata.name} (${event.object.metadata.resourceVersion})`;
          send(what, give);
        },
        end: (error) => {
          if (life.isAlive)
            send('its end', () => {
              this.#close(stream);
              onEnd(error);
            });
        },
      });
      if (stream.isOpen) stops.set(stream, () => life.isAlive && stop());
      else if (life.isAlive) stop();
    };
    const stops = this.#stops;
    this.#send(stream, 'request', 0, () => `${caller.name} → api: ${title(about)}`, open);
    return { cancel: () => this.#close(stream) };
  }

  readonly #stops = new Map<Exchange, () => void>();

  #open(life: Life, about: About, isStream: boolean, onFail: (error: Error) => void): Exchange {
    const exchange: Exchange = {
      process: life.name,
      life,
      about,
      number: this.#count(life.name),
      isStream,
      isOpen: true,
      queue: [],
      fail: (error) => {
        if (!exchange.isOpen) return;
        this.#close(exchange);
        if (life.isAlive) onFail(error);
      },
    };
    this.exchanges.add(exchange);
    return exchange;
  }

  /** A request whose caller has tired of waiting stays under way. */
  #close(exchange: Exchange): void {
    if (!exchange.isOpen) return;
    exchange.isOpen = false;
    this.exchanges.delete(exchange);
    this.#stops.get(exchange)?.();
    this.#stops.delete(exchange);
    exchange.queue.length = 0;
    for (const message of this.pool)
      if (message.exchange === exchange && !message.isLate) this.pool.delete(message);
  }

  #send(
    exchange: Exchange,
    kind: 'request' | 'answer' | 'event',
    place: number,
    tell: () => string,
    arrive: () => void,
  ): void {
    const { process, life, about, number } = exchange;
    const fromApi = kind !== 'request';
    const age = fromApi ? this.#servingAge : this.#clock(process);
    const message: Message = {
      kind,
      process,
      life,
      isWrite: !reads.has(about.verb),
      exchange,
      id: this.#name(process, number, place),
      content: fromApi ? this.trail(this.#callee).value() : 0,
      age,
      tell,
      arrive,
      key: age,
      hold: hold.none,
      isLate: false,
    };
    if (kind === 'event') {
      exchange.queue.push(message);
      if (exchange.queue.length > 1) return;
    }
    this.pool.add(message);
  }

  #remove(message: Message): void {
    this.pool.delete(message);
    const { exchange } = message;
    if (message.kind !== 'event' || exchange === undefined) return;
    exchange.queue.shift();
    const next = exchange.queue[0];
    if (next === undefined) return;
    // What comes behind a message that was kept back is not kept back with it, but is no earlier either.
    next.key = Math.max(next.key, message.key);
    this.pool.add(next);
  }
}

function isBefore(a: Message, b: Message): boolean {
  if (a.hold !== b.hold) return a.hold < b.hold;
  if (a.key !== b.key) return a.key < b.key;
  return a.id < b.id;
}

const title = ({ verb, ref, name }: About): string =>
  `${verb} ${ref.resource}${name === '' ? '' : ` ${name}`}`;
