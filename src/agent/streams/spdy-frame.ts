/**
 * SPDY/3.1 frames: bytes in, frames out, and back. Pure. Kubernetes' exec, attach and port-forward speak it (alone, or inside WebSocket messages).
 *
 * Header blocks stay compressed here: their compression has a state of its own (`io/spdy-headers.ts`).
 * Source: SPDY Protocol, Draft 3.1.
 */
import { CaelumError } from '../../lib/index.ts';

export type SpdyFrame =
  | { readonly kind: 'data'; readonly streamId: number; readonly fin: boolean; readonly bytes: Buffer }
  | {
      readonly kind: 'synStream';
      readonly streamId: number;
      readonly fin: boolean;
      readonly headerBlock: Buffer;
    }
  | {
      readonly kind: 'synReply';
      readonly streamId: number;
      readonly fin: boolean;
      readonly headerBlock: Buffer;
    }
  | { readonly kind: 'rstStream'; readonly streamId: number; readonly status: number }
  | { readonly kind: 'ping'; readonly id: number }
  | { readonly kind: 'goAway'; readonly lastStreamId: number; readonly status: number }
  | {
      readonly kind: 'headers';
      readonly streamId: number;
      readonly fin: boolean;
      readonly headerBlock: Buffer;
    }
  | { readonly kind: 'ignored'; readonly type: number };

const version = 3;
const type = {
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
} as const;
const finFlag = 0x01;
/** Nobody sends larger frames; a peer that announces one is broken. */
const frameLengthMax = 1 << 20;
const dataLengthMax = (1 << 16) - 1;

/** Cuts a stream of bytes into frames, however they arrive. Throws `badRequest` on what is no SPDY. */
export class SpdyDecoder {
  #pending: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): SpdyFrame[] {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const frames: SpdyFrame[] = [];
    for (;;) {
      const bytes = this.#pending;
      if (bytes.length < 8) return frames;
      const length = bytes.readUIntBE(5, 3);
      if (length > frameLengthMax)
        throw new CaelumError(
          'badRequest',
          `Cannot read SPDY frame: ${length} bytes announced, ${frameLengthMax} at most`,
        );
      if (bytes.length < 8 + length) return frames;
      frames.push(decode(bytes.subarray(0, 8), bytes.subarray(8, 8 + length)));
      this.#pending = bytes.subarray(8 + length);
    }
  }
}

function decode(head: Buffer, body: Buffer): SpdyFrame {
  const flags = head.readUInt8(4);
  const fin = (flags & finFlag) !== 0;
  const first = head.readUInt32BE(0);
  if (first < 0x80000000) return { kind: 'data', streamId: first, fin, bytes: body };
  const spoken = (first >>> 16) & 0x7fff;
  if (spoken !== version)
    throw new CaelumError('badRequest', `Cannot read SPDY frame: version ${spoken}, expected ${version}`);
  const frameType = first & 0xffff;
  const word = (at: number): number => {
    if (body.length < at + 4)
      throw new CaelumError('badRequest', `Cannot read SPDY frame: type ${frameType} is cut short`);
    return body.readUInt32BE(at);
  };
  const id = (): number => word(0) & 0x7fffffff;
  switch (frameType) {
    case type.synStream:
      word(6);
      return { kind: 'synStream', streamId: id(), fin, headerBlock: body.subarray(10) };
    case type.synReply:
      return { kind: 'synReply', streamId: id(), fin, headerBlock: body.subarray(4) };
    case type.headers:
      return { kind: 'headers', streamId: id(), fin, headerBlock: body.subarray(4) };
    case type.rstStream:
      return { kind: 'rstStream', streamId: id(), status: word(4) };
    case type.ping:
      return { kind: 'ping', id: word(0) };
    case type.goAway:
      return { kind: 'goAway', lastStreamId: id(), status: word(4) };
    default:
      // Settings and window updates: Kubernetes' clients keep no windows, TCP holds back for all of us.
      return { kind: 'ignored', type: frameType };
  }
}

function control(frameType: number, flags: number, body: readonly Buffer[]): Buffer {
  const length = body.reduce((sum, part) => sum + part.length, 0);
  const head = Buffer.alloc(8);
  head.writeUInt32BE((0x80000000 | (version << 16) | frameType) >>> 0, 0);
  head.writeUInt32BE(((flags << 24) | length) >>> 0, 4);
  return Buffer.concat([head, ...body]);
}

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value >>> 0, index * 4);
  return bytes;
}

/** Large data is cut into several frames; only the last carries `fin`. */
export function encodeData(streamId: number, bytes: Buffer, fin: boolean): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  do {
    const part = bytes.subarray(at, at + dataLengthMax);
    at += part.length;
    const last = at >= bytes.length;
    parts.push(words(streamId, (((last && fin ? finFlag : 0) << 24) | part.length) >>> 0), part);
  } while (at < bytes.length);
  return Buffer.concat(parts);
}

export const encodeSynStream = (streamId: number, headerBlock: Buffer, fin = false): Buffer =>
  control(type.synStream, fin ? finFlag : 0, [words(streamId, 0), Buffer.alloc(2), headerBlock]);
export const encodeSynReply = (streamId: number, headerBlock: Buffer): Buffer =>
  control(type.synReply, 0, [words(streamId), headerBlock]);
export const encodeRstStream = (streamId: number, status: number): Buffer =>
  control(type.rstStream, 0, [words(streamId, status)]);
export const encodePing = (id: number): Buffer => control(type.ping, 0, [words(id)]);
export const encodeGoAway = (lastStreamId: number): Buffer =>
  control(type.goAway, 0, [words(lastStreamId, 0)]);

/** Name/value pairs, uncompressed. Several values of one name are joined by NUL; here the first counts. */
export function decodeHeaders(block: Buffer): Readonly<Record<string, string>> {
  const headers: Record<string, string> = Object.create(null) as Record<string, string>;
  let at = 0;
  const word = (): number => {
    if (at + 4 > block.length) throw new CaelumError('badRequest', 'Cannot read SPDY headers: cut short');
    const value = block.readUInt32BE(at);
    at += 4;
    return value;
  };
  const text = (): string => {
    const length = word();
    if (at + length > block.length)
      throw new CaelumError('badRequest', 'Cannot read SPDY headers: cut short');
    const value = block.toString('latin1', at, at + length);
    at += length;
    return value;
  };
  const count = word();
  if (count > 256)
    throw new CaelumError('badRequest', `Cannot read SPDY headers: ${count} of them, 256 at most`);
  for (let pair = 0; pair < count; pair++) {
    const name = text();
    headers[name] = text().split('\0', 1)[0] ?? '';
  }
  return headers;
}

export function encodeHeaders(headers: Readonly<Record<string, string>>): Buffer {
  const pairs = Object.entries(headers);
  const parts: Buffer[] = [words(pairs.length)];
  for (const [name, value] of pairs)
    for (const text of [name, value]) parts.push(words(text.length), Buffer.from(text, 'latin1'));
  return Buffer.concat(parts);
}

/** What both ends' compressors start from: the words that headers are made of. Source: SPDY Draft 3.1, 2.6.10.1. */
export function spdyDictionary(): Buffer {
  const names =
    'options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow authorization cache-control connection ' +
    'content-base content-encoding content-language content-length content-location content-md5 content-range content-type date etag expect expires from host ' +
    'if-match if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma proxy-authenticate proxy-authorization range ' +
    'referer retry-after server te trailer transfer-encoding upgrade user-agent vary via warning www-authenticate method get status';
  const more = ['200 OK', 'version', 'HTTP/1.1', 'url', 'public', 'set-cookie', 'keep-alive', 'origin'];
  const tail =
    '100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative Information204 No Content' +
    '301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable' +
    'Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,' +
    'application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.';
  const parts = [...names.split(' '), ...more].flatMap((name) => [words(name.length), Buffer.from(name)]);
  return Buffer.concat([...parts, Buffer.from(tail)]);
}
