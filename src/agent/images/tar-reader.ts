/**
 * Reads a tar archive as it streams by: bytes in, entries and their data out. Pure; memory is bounded whatever the archive says.
 *
 *   push(chunk) ──▶ entry, data…, end, entry, data…, end, …        finish() when no more bytes come
 *
 * pax records, GNU long names and old GNU sparse extensions belong to the entry that they describe.
 */
import { blockBytes, damaged, decodeHeader, decodePax, paddingOf, type TarHeader } from './tar-header.ts';

export interface TarEntry extends TarHeader {
  /** pax records that apply, path and size already taken from them. */
  readonly pax: ReadonlyMap<string, string>;
  /** The header block as it was, with its extension blocks: old GNU sparse files are passed on so. */
  readonly raw: Buffer;
}

export type TarEvent =
  | { readonly kind: 'entry'; readonly entry: TarEntry }
  | { readonly kind: 'data'; readonly bytes: Buffer }
  | { readonly kind: 'end' };

/** Longest name or set of pax records that is believed. */
const metadataBytesMax = 1 << 20;

type State =
  | { readonly kind: 'header' }
  | { readonly kind: 'metadata'; readonly type: string; readonly size: number }
  | { readonly kind: 'sparse'; readonly header: TarHeader; readonly blocks: Buffer[] }
  | { readonly kind: 'data' }
  | { readonly kind: 'padding' }
  | { readonly kind: 'done' };

export class TarReader {
  #held: Buffer = Buffer.alloc(0);
  #state: State = { kind: 'header' };
  #leftBytes = 0;
  #paddingBytes = 0;
  #sawZeros = false;
  #longPath: string | undefined;
  #longLink: string | undefined;
  #pax = new Map<string, string>();
  #globalPax = new Map<string, string>();

  /** Throws `corrupt`. */
  push(chunk: Buffer): TarEvent[] {
    const events: TarEvent[] = [];
    let bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    for (;;) {
      const rest = this.#step(bytes, events);
      if (rest === undefined) break;
      bytes = rest;
    }
    // What is held is less than a block, or a piece of metadata of bounded size.
    this.#held = this.#state.kind === 'done' ? Buffer.alloc(0) : Buffer.from(bytes);
    return events;
  }

  /** Throws `corrupt` when the archive ended in the middle of an entry. */
  finish(): void {
    const isWhole =
      this.#state.kind === 'done' ||
      (this.#state.kind === 'header' && this.#held.length === 0 && this.#longPath === undefined);
    if (!isWhole) throw damaged('it ends in the middle of an entry');
  }

  /** Takes one thing from `bytes`; undefined when more are needed. */
  #step(bytes: Buffer, events: TarEvent[]): Buffer | undefined {
    const state = this.#state;
    switch (state.kind) {
      case 'done':
        return undefined;
      case 'header':
        if (bytes.length < blockBytes) return undefined;
        this.#header(bytes.subarray(0, blockBytes), events);
        return bytes.subarray(blockBytes);
      case 'metadata': {
        const length = state.size + paddingOf(state.size);
        if (bytes.length < length) return undefined;
        this.#metadata(state.type, bytes.subarray(0, state.size));
        this.#state = { kind: 'header' };
        return bytes.subarray(length);
      }
      case 'sparse': {
        if (bytes.length < blockBytes) return undefined;
        const block = Buffer.from(bytes.subarray(0, blockBytes));
        state.blocks.push(block);
        if (state.blocks.length > 4096) throw damaged('a sparse file has too many pieces');
        if (block[504] === 0) this.#begin(state.header, Buffer.concat(state.blocks), events);
        return bytes.subarray(blockBytes);
      }
      case 'data': {
        if (bytes.length === 0) return undefined;
        const taken = bytes.subarray(0, Math.min(bytes.length, this.#leftBytes));
        events.push({ kind: 'data', bytes: taken });
        this.#leftBytes -= taken.length;
        if (this.#leftBytes === 0) this.#end(events);
        return bytes.subarray(taken.length);
      }
      case 'padding': {
        if (bytes.length < this.#paddingBytes) return undefined;
        this.#state = { kind: 'header' };
        return bytes.subarray(this.#paddingBytes);
      }
    }
  }

  #header(block: Buffer, events: TarEvent[]): void {
    const header = decodeHeader(block);
    if (header === undefined) {
      if (this.#sawZeros) this.#state = { kind: 'done' };
      this.#sawZeros = true;
      return;
    }
    this.#sawZeros = false;
    if (header.size < 0) throw damaged('an entry has a negative size');
    if ('xgXLK'.includes(header.type)) {
      if (header.size > metadataBytesMax) throw damaged('a name or its records are larger than 1 MiB');
      this.#state = { kind: 'metadata', type: header.type, size: header.size };
      return;
    }
    const raw = Buffer.from(block);
    if (header.type === 'S' && block[482] !== 0) this.#state = { kind: 'sparse', header, blocks: [raw] };
    else this.#begin(header, raw, events);
  }

  #metadata(type: string, bytes: Buffer): void {
    if (type === 'L') this.#longPath = untilNul(bytes);
    else if (type === 'K') this.#longLink = untilNul(bytes);
    else if (type === 'g')
      for (const [key, value] of decodePax(bytes))
        value === '' ? this.#globalPax.delete(key) : this.#globalPax.set(key, value);
    else for (const [key, value] of decodePax(bytes)) this.#pax.set(key, value);
  }

  #begin(header: TarHeader, raw: Buffer, events: TarEvent[]): void {
    const pax = new Map([...this.#globalPax, ...this.#pax]);
    const number = (key: string, otherwise: number): number => {
      const text = pax.get(key);
      if (text === undefined || text === '') return otherwise;
      const value = Math.floor(Number(text));
      if (!Number.isSafeInteger(value)) throw damaged(`pax ${key} "${text}" is not a number`);
      return value;
    };
    const size = number('size', header.size);
    if (size < 0) throw damaged('an entry has a negative size');
    // Only files carry data; links and directories of some writers state a size without having any.
    const dataBytes = '123456'.includes(header.type) ? 0 : size;
    const entry: TarEntry = {
      ...header,
      path: pax.get('GNU.sparse.name') ?? pax.get('path') ?? this.#longPath ?? header.path,
      linkPath: pax.get('linkpath') ?? this.#longLink ?? header.linkPath,
      uid: number('uid', header.uid),
      gid: number('gid', header.gid),
      mtime: number('mtime', header.mtime),
      size: dataBytes,
      pax,
      raw,
    };
    this.#longPath = undefined;
    this.#longLink = undefined;
    this.#pax = new Map();
    events.push({ kind: 'entry', entry });
    this.#leftBytes = dataBytes;
    this.#paddingBytes = paddingOf(dataBytes);
    if (dataBytes === 0) this.#end(events);
    else this.#state = { kind: 'data' };
  }

  #end(events: TarEvent[]): void {
    events.push({ kind: 'end' });
    this.#state = this.#paddingBytes > 0 ? { kind: 'padding' } : { kind: 'header' };
  }
}

function untilNul(bytes: Buffer): string {
  const text = bytes.toString('latin1');
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}
