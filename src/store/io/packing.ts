/**
 * Rows on their way between the threads: one buffer for many rows, handed over without a copy.
 *
 *   row = sum u32 · key length u32 · value length u32 · id f64 · revision f64 · key (UTF-8) · value
 *
 * A row whose value is empty is a deletion (an object's JSON never is). `sum` covers everything else, so that damage on disk shows.
 */
import { crc32 } from 'node:zlib';

export interface PackedRow {
  readonly id: number;
  readonly revision: number;
  readonly sum: number;
  readonly key: string;
  /** Part of the packed buffer. */
  readonly value: Buffer;
}

const headBytes = 28;

export function checksumOf(id: number, revision: number, key: string, value: Uint8Array): number {
  return crc32(value, crc32(`${id} ${revision} ${key}\n`));
}

/** Room for rows, filled one after the other. */
export class Packer {
  readonly #buffer: Buffer<ArrayBuffer>;
  #at = 0;

  constructor(bytes: number) {
    this.#buffer = Buffer.from(new ArrayBuffer(bytes));
  }

  static rowBytes(key: string, valueBytes: number): number {
    return headBytes + Buffer.byteLength(key) + valueBytes;
  }

  get isEmpty(): boolean {
    return this.#at === 0;
  }

  fits(bytes: number): boolean {
    return this.#at + bytes <= this.#buffer.length;
  }

  add(row: { id: number; revision: number; sum: number; key: string; value: Uint8Array }): void {
    const buffer = this.#buffer;
    const start = this.#at;
    const keyBytes = buffer.write(row.key, start + headBytes);
    buffer.writeUInt32LE(row.sum, start);
    buffer.writeUInt32LE(keyBytes, start + 4);
    buffer.writeUInt32LE(row.value.length, start + 8);
    buffer.writeDoubleLE(row.id, start + 12);
    buffer.writeDoubleLE(row.revision, start + 20);
    buffer.set(row.value, start + headBytes + keyBytes);
    this.#at = start + headBytes + keyBytes + row.value.length;
  }

  /** The rows so far. `bytes` says how much of the array buffer they take. */
  take(): { readonly rows: ArrayBuffer; readonly bytes: number } {
    return { rows: this.#buffer.buffer, bytes: this.#at };
  }
}

/** Calls `each` for every row, in order. */
export function unpack(rows: ArrayBuffer, bytes: number, each: (row: PackedRow) => void): void {
  const buffer = Buffer.from(rows, 0, bytes);
  for (let at = 0; at < bytes; ) {
    const sum = buffer.readUInt32LE(at);
    const keyBytes = buffer.readUInt32LE(at + 4);
    const valueBytes = buffer.readUInt32LE(at + 8);
    const id = buffer.readDoubleLE(at + 12);
    const revision = buffer.readDoubleLE(at + 20);
    const keyAt = at + headBytes;
    const valueAt = keyAt + keyBytes;
    at = valueAt + valueBytes;
    const key = buffer.toString('utf8', keyAt, valueAt);
    each({ id, revision, sum, key, value: buffer.subarray(valueAt, at) });
  }
}
