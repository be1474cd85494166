/**
 * What an ELF program needs to run: its loader and its libraries, and where the loader looks for them. Pure: reads bytes, runs nothing.
 * Source: System V gABI, "Program Loading and Dynamic Linking"; ld.so(8); glibc's cache format as in sysdeps/generic/dl-cache.h.
 */
import { CaelumError } from '../../lib/index.ts';

export interface ElfFacts {
  /** Path of the loader; undefined for a static program and for a library. */
  readonly interpreter: string | undefined;
  /** Names of libraries: `libc.so.6`. */
  readonly needed: readonly string[];
  readonly rpath: readonly string[];
  readonly runpath: readonly string[];
  /** 64 or 32. */
  readonly bits: number;
  /** The number of the machine: 62 is x86-64, 183 is AArch64. */
  readonly machine: number;
}

/** Reads `length` bytes at `offset`, fewer at the end of the file. */
export type ReadAt = (offset: number, length: number) => Buffer;

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly fileBytes: number;
}

function refuse(why: string): CaelumError {
  return new CaelumError('badRequest', `Cannot read program: ${why}`);
}

/** Throws `badRequest` when it is no ELF file. */
export function readElf(readAt: ReadAt): ElfFacts {
  const head = readAt(0, 64);
  if (head.length < 52 || head.readUInt32BE(0) !== 0x7f454c46) throw refuse('it is not an ELF file');
  const is64 = head[4] === 2;
  const isLittle = head[5] === 1;
  const word = (bytes: Buffer, at: number, size: 2 | 4 | 8): number => {
    if (at + size > bytes.length) throw refuse('it is cut off');
    if (size === 2) return isLittle ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at);
    if (size === 4) return isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
    const value = Number(isLittle ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at));
    return value;
  };
  const address = (bytes: Buffer, at: number): number => word(bytes, at, is64 ? 8 : 4);
  const headersAt = address(head, is64 ? 32 : 28);
  const headerBytes = word(head, is64 ? 54 : 42, 2);
  const headerCount = word(head, is64 ? 56 : 44, 2);
  const table = readAt(headersAt, headerBytes * headerCount);
  const segments: Segment[] = [];
  for (let at = 0; at + headerBytes <= table.length; at += headerBytes)
    segments.push({
      type: word(table, at, 4),
      offset: address(table, at + (is64 ? 8 : 4)),
      address: address(table, at + (is64 ? 16 : 8)),
      fileBytes: address(table, at + (is64 ? 32 : 16)),
    });
  const read = (offset: number, length: number): Buffer => {
    if (length > 1 << 24) throw refuse('a table in it is larger than 16 MiB');
    return readAt(offset, length);
  };
  const interpreterSegment = segments.find(({ type }) => type === 3);
  const interpreter =
    interpreterSegment === undefined
      ? undefined
      : read(interpreterSegment.offset, interpreterSegment.fileBytes).toString('utf8').replace(/\0.*$/s, '');
  return {
    interpreter,
    ...dynamicFacts(segments, read, address, is64 ? 8 : 4),
    bits: is64 ? 64 : 32,
    machine: word(head, 18, 2),
  };
}

function dynamicFacts(
  segments: readonly Segment[],
  read: ReadAt,
  address: (bytes: Buffer, at: number) => number,
  size: number,
): Pick<ElfFacts, 'needed' | 'rpath' | 'runpath'> {
  const dynamic = segments.find(({ type }) => type === 2);
  if (dynamic === undefined) return { needed: [], rpath: [], runpath: [] };
  const table = read(dynamic.offset, dynamic.fileBytes);
  const values = new Map<number, number[]>();
  for (let at = 0; at + 2 * size <= table.length; at += 2 * size) {
    const tag = address(table, at);
    if (tag === 0) break;
    values.set(tag, [...(values.get(tag) ?? []), address(table, at + size)]);
  }
  const stringsAddress = values.get(5)?.[0];
  const stringsBytes = values.get(10)?.[0];
  if (stringsAddress === undefined || stringsBytes === undefined)
    return { needed: [], rpath: [], runpath: [] };
  const load = segments.find(
    (one) => one.type === 1 && stringsAddress >= one.address && stringsAddress < one.address + one.fileBytes,
  );
  if (load === undefined) throw refuse('its string table is nowhere in it');
  const strings = read(load.offset + (stringsAddress - load.address), stringsBytes);
  const textAt = (at: number): string => {
    const end = strings.indexOf(0, at);
    return at >= strings.length ? '' : strings.toString('utf8', at, end < 0 ? strings.length : end);
  };
  const all = (tag: number): string[] => (values.get(tag) ?? []).map(textAt).filter((text) => text !== '');
  const paths = (tag: number): string[] => all(tag).flatMap((text) => text.split(':').filter(Boolean));
  return { needed: all(1), rpath: paths(15), runpath: paths(29) };
}

/** Where ld.so's cache says that a library is: name → paths, best first. An unknown format gives an empty map. */
export function readLoaderCache(bytes: Buffer): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  const magic = 'glibc-ld.so.cache1.1';
  const base = bytes.indexOf(magic, 0, 'latin1');
  if (base < 0 || base + 48 > bytes.length) return found;
  const count = bytes.readUInt32LE(base + magic.length);
  const text = (offset: number): string => {
    const at = base + offset;
    const end = bytes.indexOf(0, at);
    return at >= bytes.length || end < 0 ? '' : bytes.toString('utf8', at, end);
  };
  for (let entry = 0; entry < count; entry++) {
    const at = base + 48 + entry * 24;
    if (at + 24 > bytes.length) break;
    const name = text(bytes.readUInt32LE(at + 4));
    const path = text(bytes.readUInt32LE(at + 8));
    if (name !== '' && path !== '') found.set(name, [...(found.get(name) ?? []), path]);
  }
  return found;
}

/** Folders in which a library that `owner` needs is looked for, in ld.so's order, before and after the cache. */
export function searchFolders(
  facts: ElfFacts,
  ownerFolder: string,
): { readonly before: readonly string[]; readonly after: readonly string[] } {
  const lib = facts.bits === 64 ? 'lib64' : 'lib32';
  const multiarch: Readonly<Record<number, string>> = {
    62: 'x86_64-linux-gnu',
    183: 'aarch64-linux-gnu',
    3: 'i386-linux-gnu',
    40: 'arm-linux-gnueabihf',
    243: 'riscv64-linux-gnu',
    21: 'powerpc64le-linux-gnu',
    22: 's390x-linux-gnu',
  };
  const expand = (path: string): string =>
    path.replace(/\$(ORIGIN|\{ORIGIN\})/g, ownerFolder).replace(/\$(LIB|\{LIB\})/g, lib);
  const triple = multiarch[facts.machine];
  return {
    before: (facts.runpath.length > 0 ? facts.runpath : facts.rpath).map(expand),
    after: [
      ...(triple === undefined ? [] : [`/lib/${triple}`, `/usr/lib/${triple}`]),
      ...(facts.bits === 64 ? ['/lib64', '/usr/lib64'] : []),
      '/lib',
      '/usr/lib',
    ],
  };
}
