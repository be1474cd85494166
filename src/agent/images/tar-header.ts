/**
 * One header block of a tar archive, read and written. Pure.
 *
 * Reads v7, ustar, GNU and pax (whose records override the block); writes GNU headers, because GNU's long-name records carry raw bytes
 * whatever the locale of the reader is. Text is `latin1` throughout: every byte of a name survives.
 * Source: POSIX.1-2017 pax, "ustar interchange format"; GNU tar manual, "Basic Tar Format".
 */
import { CaelumError } from '../../lib/index.ts';

export const blockBytes = 512;

export interface TarHeader {
  readonly path: string;
  /** The type flag: '0' file, '1' hard link, '2' symbolic link, '3' character, '4' block, '5' directory, '6' fifo, … */
  readonly type: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Whole seconds since the epoch. */
  readonly mtime: number;
  readonly linkPath: string;
  readonly major: number;
  readonly minor: number;
}

export function damaged(why: string): CaelumError {
  return new CaelumError('corrupt', `Cannot read tar archive: ${why}`);
}

export const paddingOf = (size: number): number => (blockBytes - (size % blockBytes)) % blockBytes;

/** The header in `block` (512 bytes); undefined for a block of zeros. Throws `corrupt`. */
export function decodeHeader(block: Buffer): TarHeader | undefined {
  let sum = 256;
  let signedSum = 256;
  for (let at = 0; at < blockBytes; at++) {
    if (at >= 148 && at < 156) continue;
    const byte = block[at] as number;
    sum += byte;
    signedSum += byte > 127 ? byte - 256 : byte;
  }
  if (sum === 256 && block[148] === 0) return undefined;
  const stored = numberAt(block, 148, 8);
  if (stored !== sum && stored !== signedSum) throw damaged('the checksum of a header does not match');
  const magic = block.toString('latin1', 257, 263);
  const prefix = magic === 'ustar\0' ? textAt(block, 345, 155) : '';
  const name = textAt(block, 0, 100);
  const flag = block.toString('latin1', 156, 157);
  return {
    path: prefix === '' ? name : `${prefix}/${name}`,
    type: flag === '\0' || flag === '7' ? '0' : flag,
    mode: numberAt(block, 100, 8) & 0o7777,
    uid: numberAt(block, 108, 8),
    gid: numberAt(block, 116, 8),
    size: numberAt(block, 124, 12),
    mtime: numberAt(block, 136, 12),
    linkPath: textAt(block, 157, 100),
    major: magic.startsWith('ustar') ? numberAt(block, 329, 8) : 0,
    minor: magic.startsWith('ustar') ? numberAt(block, 337, 8) : 0,
  };
}

/** The blocks that stand for `header`: one, after long-name records and a pax record block where they are needed. */
export function encodeHeader(header: TarHeader, pax: ReadonlyMap<string, string> = new Map()): Buffer {
  const parts: Buffer[] = [];
  if (pax.size > 0) {
    const records = encodePax(pax);
    parts.push(plainBlock({ ...bare, path: 'pax', type: 'x', size: records.length }), padded(records));
  }
  for (const [type, text] of [
    ['K', header.linkPath],
    ['L', header.path],
  ] as const)
    if (text.length > 100) {
      const bytes = Buffer.from(`${text}\0`, 'latin1');
      parts.push(plainBlock({ ...bare, path: '././@LongLink', type, size: bytes.length }), padded(bytes));
    }
  // GNU tar reads pax's sparse files only from what calls itself POSIX.
  parts.push(plainBlock(header, pax.size > 0 ? 'ustar\x0000' : 'ustar  \0'));
  return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
}

/** What ends an archive. */
export const endOfArchive = Buffer.alloc(2 * blockBytes);

const bare: TarHeader = {
  path: '',
  type: '0',
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: 0,
  mtime: 0,
  linkPath: '',
  major: 0,
  minor: 0,
};

/** A header for a plain file or directory of root's. */
export function plainHeader(fields: Partial<TarHeader> & { readonly path: string }): TarHeader {
  return { ...bare, ...fields };
}

function plainBlock(header: TarHeader, magic = 'ustar  \0'): Buffer {
  const block = Buffer.alloc(blockBytes);
  block.write(header.path.slice(0, 100), 0, 'latin1');
  putNumber(block, 100, 8, header.mode);
  putNumber(block, 108, 8, header.uid);
  putNumber(block, 116, 8, header.gid);
  putNumber(block, 124, 12, header.size);
  putNumber(block, 136, 12, header.mtime);
  block.write(header.type, 156, 'latin1');
  block.write(header.linkPath.slice(0, 100), 157, 'latin1');
  block.write(magic, 257, 'latin1');
  putNumber(block, 329, 8, header.major);
  putNumber(block, 337, 8, header.minor);
  return sealed(block);
}

/** Fills in the checksum of a header block that was changed. */
export function sealed(block: Buffer): Buffer {
  block.fill(0x20, 148, 156);
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(paddingOf(bytes.length))]);
}

function textAt(block: Buffer, at: number, length: number): string {
  const text = block.toString('latin1', at, at + length);
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}

/** Octal text, or GNU's base 256 when the top bit is set. */
function numberAt(block: Buffer, at: number, length: number): number {
  const first = block[at] as number;
  if ((first & 0x80) !== 0) {
    const isNegative = (first & 0x40) !== 0;
    let value = isNegative ? (first & 0x7f) - 0x80 : first & 0x7f;
    for (let i = 1; i < length; i++) value = value * 256 + (block[at + i] as number);
    if (!Number.isSafeInteger(value)) throw damaged('a number in a header is too large');
    return value;
  }
  const text = textAt(block, at, length).trim();
  if (text === '') return 0;
  if (!/^[0-7]+$/.test(text)) throw damaged(`"${text}" in a header is not an octal number`);
  return Number.parseInt(text, 8);
}

function putNumber(block: Buffer, at: number, length: number, value: number): void {
  if (value >= 0 && value < 8 ** (length - 1)) {
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
    return;
  }
  let rest = value;
  for (let i = length - 1; i >= 0; i--) {
    block[at + i] = rest & 0xff;
    rest = Math.floor(rest / 256);
  }
  block[at] = (block[at] as number) | 0x80;
}

/** pax records: `LENGTH KEY=VALUE\n`, where LENGTH counts itself. Throws `corrupt`. */
export function decodePax(bytes: Buffer): Map<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const digits = space < 0 ? '' : bytes.toString('latin1', at, space);
    const length = /^[0-9]{1,9}$/.test(digits) ? Number(digits) : 0;
    if (length <= digits.length + 1 || at + length > bytes.length)
      throw damaged('a pax record has a wrong length');
    const record = bytes.toString('latin1', space + 1, at + length);
    const equals = record.indexOf('=');
    if (equals <= 0 || !record.endsWith('\n')) throw damaged('a pax record is not KEY=VALUE');
    records.set(record.slice(0, equals), record.slice(equals + 1, -1));
    at += length;
  }
  return records;
}

export function encodePax(records: ReadonlyMap<string, string>): Buffer {
  let text = '';
  for (const [key, value] of records) {
    const body = ` ${key}=${value}\n`;
    let length = body.length + 1;
    while (String(length).length + body.length > length) length++;
    text += `${length}${body}`;
  }
  return Buffer.from(text, 'latin1');
}
