/**
 * DNS messages, read and written. Pure; made for hostile bytes: every offset is checked, every pointer must lead backwards.
 * Source: RFC 1035 (messages, compression), RFC 2782 (SRV), RFC 3596 (AAAA), RFC 6891 (EDNS0).
 *
 * Names are lower case ASCII without the final dot (`a.b`); the root is ''. Bytes that are not printable make a name invalid.
 */
export const types = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  ANY: 255,
} as const;
export const codes = {
  noError: 0,
  formatError: 1,
  serverFailure: 2,
  nameError: 3,
  notImplemented: 4,
  refused: 5,
} as const;

/** What passes every path without being cut into fragments (DNS flag day 2020). */
export const udpBytesMax = 1232;

export interface Question {
  readonly name: string;
  readonly type: number;
  /** 1: the Internet. */
  readonly class: number;
}

export type DnsRecord = { readonly name: string; readonly ttlSeconds: number } & (
  | { readonly kind: 'A'; readonly address: string }
  | { readonly kind: 'AAAA'; readonly address: string }
  | { readonly kind: 'CNAME' | 'PTR' | 'NS'; readonly target: string }
  | { readonly kind: 'TXT'; readonly text: string }
  | {
      readonly kind: 'SRV';
      readonly priority: number;
      readonly weight: number;
      readonly port: number;
      readonly target: string;
    }
  | {
      readonly kind: 'SOA';
      readonly primary: string;
      readonly mailbox: string;
      readonly serial: number;
      readonly minimumSeconds: number;
    }
);

export interface Query {
  readonly id: number;
  readonly opcode: number;
  readonly recursionDesired: boolean;
  /** The first and only question; undefined when there is none that can be read. */
  readonly question: Question | undefined;
  /** The question's bytes as they were asked, to be answered so (0x20 case games). */
  readonly questionBytes: Buffer;
  /** What the asker can take over UDP; undefined: no EDNS, 512. */
  readonly ednsBytes: number | undefined;
  /** Of the header's flags, those that shape an answer: recursion desired, authentic data, checking disabled. */
  readonly askedFlags: number;
  /** EDNS' DO: the asker wants signatures. */
  readonly wantsSignatures: boolean;
}

export interface Response {
  readonly code: number;
  readonly authoritative: boolean;
  readonly answers: readonly DnsRecord[];
  readonly authority: readonly DnsRecord[];
  readonly additional: readonly DnsRecord[];
}

/** Thrown by readName; never leaves the codec. */
export class Unreadable extends Error {}

function need(condition: boolean): void {
  if (!condition) throw new Unreadable('message is damaged');
}

/** undefined: not a query at all (too short, or an answer): say nothing. */
export function readQuery(bytes: Buffer): Query | undefined {
  if (bytes.length < 12) return undefined;
  const flags = bytes.readUInt16BE(2);
  if ((flags & 0x8000) !== 0) return undefined;
  const base = {
    id: bytes.readUInt16BE(0),
    opcode: (flags >> 11) & 15,
    recursionDesired: (flags & 0x100) !== 0,
    askedFlags: flags & 0x0130,
  };
  const empty = {
    ...base,
    question: undefined,
    questionBytes: Buffer.alloc(0),
    ednsBytes: undefined,
    wantsSignatures: false,
  };
  if (bytes.readUInt16BE(4) !== 1) return empty;
  try {
    const { name, next } = readName(bytes, 12);
    need(next + 4 <= bytes.length);
    const question = { name, type: bytes.readUInt16BE(next), class: bytes.readUInt16BE(next + 2) };
    const questionBytes = bytes.subarray(12, next + 4);
    let at = next + 4;
    let ednsBytes: number | undefined;
    let wantsSignatures = false;
    const records = bytes.readUInt16BE(6) + bytes.readUInt16BE(8) + bytes.readUInt16BE(10);
    for (let record = 0; record < records && record < 16; record++) {
      const owner = readName(bytes, at);
      need(owner.next + 10 <= bytes.length);
      if (bytes.readUInt16BE(owner.next) === types.OPT) {
        ednsBytes = Math.max(512, bytes.readUInt16BE(owner.next + 2));
        wantsSignatures = (bytes.readUInt16BE(owner.next + 6) & 0x8000) !== 0;
      }
      at = owner.next + 10 + bytes.readUInt16BE(owner.next + 8);
      need(at <= bytes.length);
    }
    return { ...base, question, questionBytes, ednsBytes, wantsSignatures };
  } catch (error) {
    if (error instanceof Unreadable) return empty;
    throw error;
  }
}

/** A name from any message; `next` is where what follows it stands. Throws Unreadable. */
export function readName(bytes: Buffer, start: number): { name: string; next: number } {
  const labels: string[] = [];
  let at = start;
  let next: number | undefined;
  let lowest = start;
  let total = 0;
  for (;;) {
    need(at < bytes.length);
    const length = bytes[at] as number;
    if (length === 0) return { name: labels.join('.').toLowerCase(), next: next ?? at + 1 };
    if ((length & 0xc0) === 0xc0) {
      need(at + 1 < bytes.length);
      const target = ((length & 0x3f) << 8) | (bytes[at + 1] as number);
      next ??= at + 2;
      // Backwards only: so it ends.
      need(target < lowest && target >= 12);
      lowest = target;
      at = target;
      continue;
    }
    need((length & 0xc0) === 0 && at + 1 + length <= bytes.length);
    total += length + 1;
    need(total <= 254);
    const label = bytes.toString('latin1', at + 1, at + 1 + length);
    need(/^[\x21-\x2d\x2f-\x7e]+$/.test(label));
    labels.push(label);
    at += 1 + length;
  }
}

/** The answer to `query`, at most `bytesMax` long: what does not fit is left out and marked as truncated. */
export function writeResponse(query: Query, response: Response, bytesMax: number): Buffer {
  const writer = new Writer(query.questionBytes);
  const opt = query.ednsBytes === undefined ? 0 : 11;
  let isCut = false;
  const counts = [0, 0, 0];
  for (const [section, records] of [response.answers, response.authority, response.additional].entries())
    for (const record of records) {
      if (isCut) break;
      const before = writer.length;
      writer.record(record);
      if (writer.length + opt > bytesMax) {
        writer.length = before;
        // A missing extra is no loss worth another question.
        isCut = section < 2;
        if (section === 2) break;
      } else counts[section] = (counts[section] ?? 0) + 1;
    }
  if (query.ednsBytes !== undefined) writer.edns();
  const flags =
    0x8000 |
    (query.opcode << 11) |
    (response.authoritative ? 0x0400 : 0) |
    (isCut ? 0x0200 : 0) |
    (query.recursionDesired ? 0x0100 : 0) |
    0x0080 |
    response.code;
  const questions = query.questionBytes.length > 0 ? 1 : 0;
  return writer.finish(query.id, flags, [
    questions,
    counts[0] ?? 0,
    counts[1] ?? 0,
    (counts[2] ?? 0) + (opt > 0 ? 1 : 0),
  ]);
}

class Writer {
  #bytes = Buffer.alloc(1024);
  length = 12;
  readonly #names = new Map<string, number>();

  constructor(question: Buffer) {
    this.#room(question.length);
    question.copy(this.#bytes, 12);
    this.length = 12 + question.length;
    if (question.length > 4) this.#remember(readName(this.#bytes, 12).name, 12);
  }

  record(record: DnsRecord): void {
    this.#name(record.name);
    this.#u16(types[record.kind]);
    this.#u16(1);
    this.#u16(record.ttlSeconds >>> 16);
    this.#u16(record.ttlSeconds & 0xffff);
    const lengthAt = this.length;
    this.#u16(0);
    switch (record.kind) {
      case 'A':
        for (const part of record.address.split('.')) this.#u8(Number(part));
        break;
      case 'AAAA':
        for (const group of expandIpv6(record.address)) this.#u16(group);
        break;
      case 'CNAME':
      case 'PTR':
      case 'NS':
        this.#name(record.target);
        break;
      case 'TXT':
        // One string of at most 255 bytes.
        this.#u8(Math.min(255, record.text.length));
        for (const byte of Buffer.from(record.text.slice(0, 255), 'latin1')) this.#u8(byte);
        break;
      case 'SRV':
        this.#u16(record.priority);
        this.#u16(record.weight);
        this.#u16(record.port);
        this.#name(record.target, false);
        break;
      case 'SOA':
        this.#name(record.primary);
        this.#name(record.mailbox);
        for (const value of [record.serial, 7200, 1800, 86_400, record.minimumSeconds]) {
          this.#u16(value >>> 16);
          this.#u16(value & 0xffff);
        }
        break;
    }
    this.#bytes.writeUInt16BE(this.length - lengthAt - 2, lengthAt);
  }

  edns(): void {
    this.#u8(0);
    this.#u16(types.OPT);
    this.#u16(udpBytesMax);
    for (let word = 0; word < 3; word++) this.#u16(0);
  }

  finish(id: number, flags: number, counts: readonly number[]): Buffer {
    for (const [at, value] of [id, flags, ...counts].entries()) this.#bytes.writeUInt16BE(value, at * 2);
    return this.#bytes.subarray(0, this.length);
  }

  #name(name: string, compress = true): void {
    for (let rest = name; rest !== ''; ) {
      const known = compress ? this.#names.get(rest) : undefined;
      // What was cut off again may still be remembered: only what lies before counts.
      if (known !== undefined && known < this.length) {
        this.#u16(0xc000 | known);
        return;
      }
      if (this.length < 0x4000) this.#names.set(rest, this.length);
      const dot = rest.indexOf('.');
      const label = dot < 0 ? rest : rest.slice(0, dot);
      this.#u8(Math.min(63, label.length));
      this.#room(64);
      this.length += this.#bytes.write(label.slice(0, 63), this.length, 'latin1');
      rest = dot < 0 ? '' : rest.slice(dot + 1);
    }
    this.#u8(0);
  }

  #remember(name: string, at: number): void {
    for (let rest = name, offset = at; rest !== ''; ) {
      this.#names.set(rest, offset);
      const dot = rest.indexOf('.');
      if (dot < 0) return;
      offset += dot + 1;
      rest = rest.slice(dot + 1);
    }
  }

  #u8(value: number): void {
    this.#room(1);
    this.#bytes[this.length++] = value;
  }

  #u16(value: number): void {
    this.#room(2);
    this.length = this.#bytes.writeUInt16BE(value & 0xffff, this.length);
  }

  #room(bytes: number): void {
    if (this.length + bytes <= this.#bytes.length) return;
    const larger = Buffer.alloc(Math.max(this.#bytes.length * 2, this.length + bytes));
    this.#bytes.copy(larger);
    this.#bytes = larger;
  }
}

function expandIpv6(address: string): number[] {
  const [head = '', tail] = address.split('::');
  const groups = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16) & 0xffff);
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  return [...before, ...Array<number>(zeros).fill(0), ...after].slice(0, 8);
}

/** A question on the wire, for asking others and for tests. */
export function writeQuery(id: number, question: Question, ednsBytes?: number): Buffer {
  const labels = question.name === '' ? [] : question.name.split('.');
  const parts = [Buffer.alloc(12)];
  for (const label of labels) parts.push(Buffer.from([label.length]), Buffer.from(label, 'latin1'));
  const tail = Buffer.from([0, question.type >> 8, question.type & 255, 0, question.class]);
  parts.push(tail);
  if (ednsBytes !== undefined)
    parts.push(Buffer.from([0, 0, types.OPT, ednsBytes >> 8, ednsBytes & 255, 0, 0, 0, 0, 0, 0]));
  const bytes = Buffer.concat(parts);
  bytes.writeUInt16BE(id, 0);
  bytes.writeUInt16BE(0x0100, 2);
  bytes.writeUInt16BE(1, 4);
  bytes.writeUInt16BE(ednsBytes === undefined ? 0 : 1, 10);
  return bytes;
}

/**
 * The question of `query` for another server: its own words, bits and spelling, none of its options (a cookie is between two
 * parties), and never more over UDP than fits one packet.
 */
export function writeForwarded(query: Query, id: number): Buffer {
  const isEdns = query.ednsBytes !== undefined;
  const bytes = Buffer.alloc(12 + query.questionBytes.length + (isEdns ? 11 : 0));
  bytes.writeUInt16BE(id, 0);
  bytes.writeUInt16BE(query.askedFlags, 2);
  bytes.writeUInt16BE(1, 4);
  bytes.writeUInt16BE(isEdns ? 1 : 0, 10);
  query.questionBytes.copy(bytes, 12);
  if (isEdns) {
    const at = 12 + query.questionBytes.length;
    bytes.writeUInt16BE(types.OPT, at + 1);
    bytes.writeUInt16BE(udpBytesMax, at + 3);
    bytes.writeUInt16BE(query.wantsSignatures ? 0x8000 : 0, at + 7);
  }
  return bytes;
}
