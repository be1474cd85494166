/**
 * The server's end of a SPDY connection: streams that the client opens, as Node duplexes.
 *
 *   bytes ─▶ frames ─▶ SYN_STREAM: headers decompressed in order ─▶ `onStream` ─▶ SYN_REPLY ─▶ data both ways ─▶ FIN each way
 *
 * Invariant: frames of one stream are handled in order, also those that came while its headers were being decompressed.
 * Flow control is TCP's: a stream nobody reads holds back the whole connection, as with Kubernetes' own clients.
 */
import { Duplex } from 'node:stream';
import {
  decodeHeaders,
  encodeData,
  encodeGoAway,
  encodeHeaders,
  encodePing,
  encodeRstStream,
  encodeSynReply,
  SpdyDecoder,
  type SpdyFrame,
} from '../spdy-frame.ts';
import { HeaderCodec } from './spdy-headers.ts';

export interface SpdyStream extends Duplex {
  readonly headers: Readonly<Record<string, string>>;
}

const streamsMax = 1024;
const cancelStatus = 5;

export class SpdyConnection {
  readonly #transport: Duplex;
  readonly #onStream: (stream: SpdyStream) => void;
  readonly #decoder = new SpdyDecoder();
  readonly #codec = new HeaderCodec();
  readonly #streams = new Map<number, Stream>();
  #lastStreamId = 0;
  #closed = false;
  #work: Promise<void> = Promise.resolve();
  readonly closed: Promise<void>;

  /** `transport` carries SPDY's bytes: an upgraded socket, or a WebSocket as a stream. */
  constructor(transport: Duplex, head: Buffer, onStream: (stream: SpdyStream) => void) {
    this.#transport = transport;
    this.#onStream = onStream;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    const end = (): void => {
      this.#end();
      resolve();
    };
    transport.on('close', end);
    transport.on('error', end);
    transport.on('end', end);
    transport.on('data', (chunk: Buffer) => this.#take(chunk));
    if (head.length > 0) this.#take(head);
  }

  /** Says goodbye, flushes, closes. */
  close(): void {
    if (this.#closed) return;
    this.#transport.end(encodeGoAway(this.#lastStreamId));
  }

  send(bytes: Buffer, done?: (error?: Error | null) => void): void {
    if (this.#closed) done?.(new Error('connection closed'));
    else this.#transport.write(bytes, done);
  }

  pause(): void {
    this.#transport.pause();
  }

  resume(): void {
    this.#transport.resume();
  }

  #take(chunk: Buffer): void {
    let frames: SpdyFrame[];
    try {
      frames = this.#decoder.push(chunk);
    } catch {
      this.#transport.destroy();
      return;
    }
    for (const frame of frames) {
      this.#work = this.#work
        .then(() => this.#handle(frame))
        .catch(() => {
          this.#transport.destroy();
        });
    }
  }

  async #handle(frame: SpdyFrame): Promise<void> {
    if (this.#closed) return;
    switch (frame.kind) {
      case 'synStream':
        return this.#open(frame);
      case 'synReply':
      case 'headers':
        // Not used between Kubernetes' peers, but the compression's state must move on.
        await this.#codec.decompress(frame.headerBlock);
        return;
      case 'data': {
        const stream = this.#streams.get(frame.streamId);
        if (stream === undefined) this.send(encodeRstStream(frame.streamId, cancelStatus));
        else stream.receive(frame.bytes, frame.fin);
        return;
      }
      case 'rstStream':
        this.#streams.get(frame.streamId)?.destroy();
        return;
      case 'ping':
        this.send(encodePing(frame.id));
        return;
      default:
        return;
    }
  }

  async #open(frame: SpdyFrame & { kind: 'synStream' }): Promise<void> {
    const headers = decodeHeaders(await this.#codec.decompress(frame.headerBlock));
    if (this.#streams.size >= streamsMax || frame.streamId <= this.#lastStreamId) {
      this.send(encodeRstStream(frame.streamId, cancelStatus));
      return;
    }
    this.#lastStreamId = frame.streamId;
    const stream = new Stream(this, frame.streamId, headers);
    this.#streams.set(frame.streamId, stream);
    stream.once('close', () => this.#streams.delete(frame.streamId));
    this.send(encodeSynReply(frame.streamId, await this.#codec.compress(encodeHeaders({}))));
    this.#onStream(stream);
    if (frame.fin) stream.receive(Buffer.alloc(0), true);
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const stream of this.#streams.values()) stream.destroy();
    this.#codec.close();
    this.#transport.destroy();
  }
}

class Stream extends Duplex implements SpdyStream {
  readonly headers: Readonly<Record<string, string>>;
  readonly #connection: SpdyConnection;
  readonly #id: number;

  constructor(connection: SpdyConnection, id: number, headers: Readonly<Record<string, string>>) {
    super({ allowHalfOpen: true });
    this.headers = headers;
    this.#connection = connection;
    this.#id = id;
    // A peer that goes away is not an error of ours; whoever uses the stream sees it close.
    this.on('error', () => {});
  }

  receive(bytes: Buffer, fin: boolean): void {
    if (bytes.length > 0 && !this.push(bytes)) this.#connection.pause();
    if (fin) this.push(null);
  }

  override _read(): void {
    this.#connection.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#connection.send(encodeData(this.#id, chunk, false), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#connection.send(encodeData(this.#id, Buffer.alloc(0), true), () => done());
  }
}
