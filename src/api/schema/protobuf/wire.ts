/**
 * The protobuf wire format: reading forwards, writing backwards (a length is known once its content is written, so no
 * message is measured beforehand). Source: protobuf.dev/programming-guides/encoding.
 *
 * Invariant: a reader never leaves its range; malformed input is refused as `badRequest`.
 */
import { CaelumError } from '../../../lib/index.ts';

export type WireType = 0 | 1 | 2 | 5;

export class WireReader {
  readonly #bytes: Buffer;
  #at: number;
  readonly #end: number;

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get done(): boolean {
    return this.#at >= this.#end;
  }

  get length(): number {
    return this.#end - this.#at;
  }

  /** Field number × 8 + wire type. */
  tag(): number {
    const tag = this.varint();
    if (tag < 8 || tag > 0xffffffff) throw malformed('illegal tag');
    return tag;
  }

  /** As a JavaScript number; beyond 2^53 precision is lost, as it is in JSON. Negative values take ten bytes. */
  varint(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    let value = first & 0x7f;
    let scale = 128;
    for (let i = 1; i < 10; i++) {
      const byte = this.#byte();
      if (i === 7) return this.#longVarint(value, byte);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    throw malformed('integer overflow');
  }

  /** The rest of a varint of eight to ten bytes, whose first seven gave `low` (49 bits). */
  #longVarint(low: number, byte: number): number {
    let value = BigInt(low) | (BigInt(byte & 0x7f) << 49n);
    for (let shift = 56n; byte >= 0x80; shift += 7n) {
      if (shift > 63n) throw malformed('integer overflow');
      byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
    }
    return Number(BigInt.asIntN(64, value));
  }

  double(): number {
    this.#need(8);
    const value = this.#bytes.readDoubleLE(this.#at);
    this.#at += 8;
    return value;
  }

  /** A reader over the bytes of a length-delimited field. */
  message(): WireReader {
    const length = this.varint();
    this.#need(length);
    const start = this.#at;
    this.#at += length;
    return new WireReader(this.#bytes, start, start + length);
  }

  text(): string {
    const length = this.varint();
    this.#need(length);
    const start = this.#at;
    this.#at += length;
    return this.#bytes.toString('utf8', start, start + length);
  }

  /** A view, not a copy. */
  bytes(): Buffer {
    const length = this.varint();
    this.#need(length);
    const start = this.#at;
    this.#at += length;
    return this.#bytes.subarray(start, start + length);
  }

  skip(wireType: number): void {
    if (wireType === 0) this.varint();
    else if (wireType === 1) this.#skipBytes(8);
    else if (wireType === 2) this.#skipBytes(this.varint());
    else if (wireType === 5) this.#skipBytes(4);
    else throw malformed(`illegal wire type ${wireType}`);
  }

  #skipBytes(count: number): void {
    this.#need(count);
    this.#at += count;
  }

  #need(count: number): void {
    if (!(count >= 0) || this.#at + count > this.#end) throw malformed('unexpected EOF');
  }

  #byte(): number {
    if (this.#at >= this.#end) throw malformed('unexpected EOF');
    return this.#bytes[this.#at++] as number;
  }
}

export function malformed(why: string): CaelumError {
  return new CaelumError('badRequest', `proto: ${why}`);
}

/** Writes from the end of a growing buffer towards its start. Write the last field first. */
export class WireWriter {
  #bytes = Buffer.allocUnsafe(1024);
  #at = 1024;

  /** How many bytes are written: take it before and after a message to know its length. */
  get size(): number {
    return this.#bytes.length - this.#at;
  }

  finish(): Buffer {
    return this.#bytes.subarray(this.#at);
  }

  tag(number: number, wireType: WireType): void {
    this.varint(number * 8 + wireType);
  }

  varint(value: number): void {
    if (value >= 0 && value < 128) {
      this.#room(1);
      this.#bytes[--this.#at] = value;
      return;
    }
    const reversed: number[] = [];
    if (value >= 0 && value <= Number.MAX_SAFE_INTEGER) {
      for (let rest = value; ; rest = Math.floor(rest / 128)) {
        if (rest < 128) {
          reversed.push(rest);
          break;
        }
        reversed.push((rest % 128) | 0x80);
      }
    } else {
      let rest = BigInt.asUintN(64, BigInt(value));
      for (; rest >= 128n; rest >>= 7n) reversed.push(Number(rest & 127n) | 0x80);
      reversed.push(Number(rest));
    }
    this.#room(reversed.length);
    this.#at -= reversed.length;
    for (let i = 0; i < reversed.length; i++) this.#bytes[this.#at + i] = reversed[i] as number;
  }

  double(value: number): void {
    this.#room(8);
    this.#at -= 8;
    this.#bytes.writeDoubleLE(value, this.#at);
  }

  text(value: string): void {
    const length = Buffer.byteLength(value);
    this.#room(length);
    this.#at -= length;
    this.#bytes.write(value, this.#at, length, 'utf8');
    this.varint(length);
  }

  bytes(value: Buffer): void {
    this.#room(value.length);
    this.#at -= value.length;
    value.copy(this.#bytes, this.#at);
    this.varint(value.length);
  }

  #room(count: number): void {
    if (this.#at >= count) return;
    const used = this.size;
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, used + count));
    this.#bytes.copy(grown, grown.length - used, this.#at);
    this.#at = grown.length - used;
    this.#bytes = grown;
  }
}
