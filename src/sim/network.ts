/**
 * The network between the processes of a world, as TCP shows it to them: what is sent arrives late, or not at all and the connection breaks;
 * a stream keeps its order; requests overtake each other; one direction may be cut without the other.
 *
 *   caller ──request──▶ (delay, cut, break) ──▶ served by whatever life the callee has then ──response──▶ (delay, cut, break) ──▶ caller
 *
 * A caller that has waited `timeoutMs` gives up; what it asked may be carried out all the same, even later. Owns no objects.
 * Invariant: a dead life hears nothing and sends nothing.
 */
import type { KubeObject } from '../api/index.ts';
import type { ResourceRef, WatchEvent } from '../client/index.ts';
import { CaelumError, type Random, type SimulatedClock } from '../lib/index.ts';
import type { Life } from './life.ts';

export interface Weather {
  /** Each message takes between these, milliseconds. */
  delayMs: readonly [number, number];
  /** Chance that a message takes up to `slowMs` instead. */
  slow: number;
  slowMs: number;
  /** Chance that the connection breaks under a message, request or response. */
  loss: number;
  /** Chance that a request arrives twice: sent again below us by a library or a proxy. */
  repeat: number;
}

export const fairWeather: Weather = { delayMs: [0.2, 2], slow: 0, slowMs: 0, loss: 0, repeat: 0 };

/** Whoever is at the other end: there is at most one life of it at a time. */
export interface Callee {
  readonly name: string;
  /** undefined while it does not run. */
  life(): Life | undefined;
}

/** What carries requests and streams: by chance and time (`SimNetwork`), or in every order (`exhaustive-network.ts`). */
export interface Network {
  /** `serve` is called when the request arrives, in the callee's life of that moment. */
  call<T>(
    caller: Life,
    callee: Callee,
    serve: () => Promise<T>,
    isRepeatable: boolean,
    about: About,
  ): Promise<T>;
  /** Opens a stream: `serve` is called when the request arrives and gets a sink whose calls reach the caller late and in order. */
  stream(
    caller: Life,
    callee: Callee,
    onEnd: (error: Error | undefined) => void,
    serve: (sink: StreamSink) => () => void,
    about: About,
  ): { cancel(): void };
}

/** What a request is about, for those who tell or choose. */
export interface About {
  /** `create`, `list`, `watch` …, or a subresource. */
  readonly verb: string;
  readonly ref: ResourceRef;
  /** `namespace/name`, `name`, or nothing. */
  readonly name: string;
}

export interface NetworkCounts {
  messages: number;
  lost: number;
  repeated: number;
  timedOut: number;
}

const timeoutMs = 30_000;
/** A stream on which nothing has come for so long is given up. */
const silenceMs = 150_000;
/** How long streams are left open by the server. */
const streamMs: readonly [number, number] = [300_000, 450_000];

type Held = () => void;

export class SimNetwork implements Network {
  readonly #clock: SimulatedClock;
  readonly #random: Random;
  weather: Weather = { ...fairWeather };
  readonly counts: NetworkCounts = { messages: 0, lost: 0, repeated: 0, timedOut: 0 };
  /** `from>to`, with what waits for the way to open. */
  readonly #cuts = new Map<string, { depth: number; held: Held[] }>();
  readonly #streams = new Set<SimStream>();

  constructor(clock: SimulatedClock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Cuts one direction. Cuts add up: each needs its own `mend`. */
  cut(from: string, to: string): void {
    const id = `${from}>${to}`;
    const cut = this.#cuts.get(id);
    if (cut === undefined) this.#cuts.set(id, { depth: 1, held: [] });
    else cut.depth++;
  }

  mend(from: string, to: string): void {
    const id = `${from}>${to}`;
    const cut = this.#cuts.get(id);
    if (cut === undefined || --cut.depth > 0) return;
    this.#cuts.delete(id);
    for (const go of cut.held) this.#clock.after(this.#delay(), go);
  }

  isCut(from: string, to: string): boolean {
    return this.#cuts.has(`${from}>${to}`);
  }

  /** Breaks the open streams of a process. */
  breakStreams(of: string): void {
    for (const stream of [...this.#streams]) if (stream.caller.name === of) stream.fail();
  }

  #delay(): number {
    const { delayMs, slow, slowMs } = this.weather;
    const [least, most] = delayMs;
    if (slow > 0 && this.#random.float() < slow) return this.#random.float() * slowMs;
    return least + this.#random.float() * (most - least);
  }

  /** Calls `arrive` when a message from one to the other is there; where the way is cut, when it is open again. */
  #carry(from: string, to: string, arrive: () => void): void {
    this.counts.messages++;
    const go = (): void => {
      const cut = this.#cuts.get(`${from}>${to}`);
      if (cut === undefined) arrive();
      else cut.held.push(go);
    };
    this.#clock.after(this.#delay(), go);
  }

  call<T>(caller: Life, callee: Callee, serve: () => Promise<T>, isRepeatable: boolean): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (!caller.maySend()) return;
      let isOpen = true;
      const settle = (action: () => void): void => {
        if (!isOpen) return;
        isOpen = false;
        deadline.cancel();
        if (caller.isAlive) action();
      };
      const broken = (): void => {
        this.counts.lost++;
        settle(() => reject(new CaelumError('unavailable', `${callee.name}: the connection broke`)));
      };
      const deadline = this.#clock.after(timeoutMs, () => {
        this.counts.timedOut++;
        settle(() =>
          reject(new CaelumError('timeout', `${callee.name} did not answer within ${timeoutMs} ms`)),
        );
      });
      const answer = (action: () => void): void => {
        if (this.#breaks()) this.#clock.after(this.#delay(), broken);
        else this.#carry(callee.name, caller.name, () => settle(action));
      };
      const arrive = (): void => {
        const life = callee.life();
        // The socket is closed with the caller; what had arrived by then has been served.
        if (!caller.isAlive) return;
        if (life === undefined) {
          const refused = new CaelumError('unavailable', `${callee.name}: connection refused`);
          answer(() => reject(refused));
          return;
        }
        const forget = life.onEnd(() => this.#clock.after(this.#delay(), broken));
        serve().then(
          (value) => {
            forget();
            if (life.isAlive) answer(() => resolve(value));
          },
          (error: unknown) => {
            forget();
            if (life.isAlive) answer(() => reject(error as Error));
          },
        );
      };
      if (this.#breaks()) this.#clock.after(this.#delay(), broken);
      else this.#carry(caller.name, callee.name, arrive);
      if (isRepeatable && this.weather.repeat > 0 && this.#random.float() < this.weather.repeat) {
        this.counts.repeated++;
        this.#carry(caller.name, callee.name, () => {
          if (callee.life() !== undefined) void serve().catch(() => {});
        });
      }
    });
  }

  #breaks(): boolean {
    return this.weather.loss > 0 && this.#random.float() < this.weather.loss;
  }

  stream(
    caller: Life,
    callee: Callee,
    onEnd: (error: Error | undefined) => void,
    serve: (sink: StreamSink) => () => void,
  ): { cancel(): void } {
    const stream = new SimStream(caller, onEnd, () => this.#streams.delete(stream));
    if (!caller.maySend()) return { cancel: () => {} };
    this.#streams.add(stream);
    const open = (): void => {
      if (!stream.isOpen || !caller.isAlive) return;
      const life = callee.life();
      if (life === undefined) {
        stream.fail();
        return;
      }
      this.#serve(stream, life, callee.name, serve);
    };
    if (this.#breaks()) this.#clock.after(this.#delay(), () => stream.fail());
    else this.#carry(caller.name, callee.name, open);
    return { cancel: () => stream.close() };
  }

  #serve(stream: SimStream, life: Life, callee: string, serve: (sink: StreamSink) => () => void): void {
    const { caller } = stream;
    let lastMs = this.#clock.monotonicMs();
    let heardMs = lastMs;
    let waiting: (() => void)[] = [];
    const flush = (): void => {
      if (!stream.isOpen) return;
      if (this.#cuts.has(`${callee}>${caller.name}`)) {
        this.#cuts.get(`${callee}>${caller.name}`)?.held.push(flush);
        return;
      }
      heardMs = this.#clock.monotonicMs();
      const now = waiting;
      waiting = [];
      for (const give of now) if (stream.isOpen && caller.isAlive) give();
    };
    const send = (give: () => void): void => {
      if (!stream.isOpen || !life.isAlive) return;
      this.counts.messages++;
      waiting.push(give);
      if (waiting.length > 1) return;
      // What is sent while a message is on its way arrives with it or after it, never before.
      const dueMs = Math.max(lastMs, this.#clock.monotonicMs() + this.#delay());
      lastMs = dueMs;
      this.#clock.after(dueMs - this.#clock.monotonicMs(), flush);
      if (this.#breaks()) this.#clock.after(this.#delay(), () => stream.fail());
    };
    const stop = serve({ send, end: (error) => send(() => stream.close(error, true)) });
    const forget = life.onEnd(() => this.#clock.after(this.#delay(), () => stream.fail()));
    const [least, most] = streamMs;
    const age = this.#clock.after(least + this.#random.float() * (most - least), () =>
      send(() => stream.close(undefined, true)),
    );
    const listen = (): void => {
      if (!stream.isOpen) return;
      const silent = this.#clock.monotonicMs() - heardMs;
      if (silent >= silenceMs) stream.fail();
      else this.#clock.after(silenceMs - silent, listen);
    };
    this.#clock.after(silenceMs, listen);
    stream.onClosed(() => {
      forget();
      age.cancel();
      if (life.isAlive) stop();
    });
  }
}

export interface StreamSink {
  /** `event`: what is given, for those who tell. */
  send(give: () => void, event?: WatchEvent<KubeObject>): void;
  end(error: Error | undefined): void;
}

class SimStream {
  readonly caller: Life;
  readonly #onEnd: (error: Error | undefined) => void;
  readonly #forget: () => void;
  #closers: (() => void)[] = [];
  isOpen = true;

  constructor(caller: Life, onEnd: (error: Error | undefined) => void, forget: () => void) {
    this.caller = caller;
    this.#onEnd = onEnd;
    this.#forget = forget;
    caller.onEnd(() => this.close());
  }

  onClosed(closer: () => void): void {
    if (this.isOpen) this.#closers.push(closer);
    else closer();
  }

  fail(): void {
    this.close(new CaelumError('unavailable', 'the stream broke'), true);
  }

  close(error?: Error, tell = false): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.#forget();
    for (const closer of this.#closers.splice(0)) closer();
    if (tell && this.caller.isAlive) this.#onEnd(error);
  }
}
