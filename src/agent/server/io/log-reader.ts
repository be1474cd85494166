/**
 * Reads a container's log files: all of it or its end, and then what is added, across rotations.
 *
 *   N.log.20260102-030405 … (older, oldest first) ▶ N.log ▶ (follow: fs.watch, until the container has ended)
 *
 * Memory is bounded by one block and one line. The tail is found from the end, block by block. Without `follow` it is a picture of
 * one moment: what is written while it is read does not belong to it, else `--tail=1` gives two lines and a fast writer never ends.
 * The current file is held from the beginning: when it is set aside meanwhile, it is still the one that offsets speak of.
 */
import { watch } from 'node:fs';
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CriLines } from '../cri-log.ts';
import type { LogOptions } from '../endpoint.ts';

const blockBytes = 64 * 1024;
const newlineByte = 0x0a;

export interface LogSource {
  /** The current file. */
  readonly path: string;
  /** Resolves when the container has ended: then a follower stops at the end of the file. */
  readonly ended: Promise<void>;
}

export async function* readLog(
  source: LogSource,
  options: LogOptions,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const lines = new CriLines(options);
  let left = options.limitBytes ?? Number.POSITIVE_INFINITY;
  const cut = (chunk: Buffer): Buffer => {
    const kept = chunk.length > left ? chunk.subarray(0, left) : chunk;
    left -= kept.length;
    return kept;
  };
  const current = await open(source.path).catch(() => undefined);
  try {
    const older = await olderThan(current, source.path);
    const start = await findStart(older, current, options.tailLines);
    for (let index = start.file; index <= older.length && left > 0; index++) {
      const from = index === start.file ? start.offset : 0;
      const path = older[index];
      const chunks =
        path !== undefined
          ? readFile(path, from)
          : options.follow
            ? followFile(source, current, from, signal)
            : readHeld(current, from, start.end);
      for await (const chunk of convert(chunks, lines)) {
        if (signal.aborted) return;
        yield cut(chunk);
        if (left <= 0) return;
      }
    }
  } finally {
    await current?.close();
  }
}

/** Raw blocks → converted text, one chunk a block. An unfinished last line is left out. */
async function* convert(blocks: AsyncIterable<Buffer>, lines: CriLines): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const block of blocks) {
    const data = rest.length === 0 ? block : Buffer.concat([rest, block]);
    const pieces: Buffer[] = [];
    let at = 0;
    for (let end = data.indexOf(newlineByte); end >= 0; end = data.indexOf(newlineByte, at)) {
      pieces.push(...lines.convert(data.subarray(at, end)));
      at = end + 1;
    }
    rest = Buffer.from(data.subarray(at));
    if (pieces.length > 0) yield Buffer.concat(pieces);
  }
}

async function* readFile(path: string, from: number): AsyncGenerator<Buffer> {
  const file = await open(path).catch(() => undefined);
  try {
    yield* readHeld(file, from);
  } finally {
    await file?.close();
  }
}

async function* readHeld(file: FileHandle | undefined, from: number, until?: number): AsyncGenerator<Buffer> {
  if (file !== undefined) yield* readOn(file, { offset: from }, until);
}

/** From the offset to the present end, or to `until`; moves the offset. */
async function* readOn(
  file: FileHandle,
  position: { offset: number },
  until = Number.POSITIVE_INFINITY,
): AsyncGenerator<Buffer> {
  while (position.offset < until) {
    const { bytesRead, buffer } = await file.read(
      Buffer.allocUnsafe(blockBytes),
      0,
      Math.min(blockBytes, until - position.offset),
      position.offset,
    );
    if (bytesRead === 0) return;
    position.offset += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** Goes on from the held file to whatever has its name when it has been set aside. */
async function* followFile(
  source: LogSource,
  held: FileHandle | undefined,
  from: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const { path } = source;
  let ended = false;
  let changed = Promise.withResolvers<void>();
  const wake = (): void => changed.resolve();
  const watcher = watch(dirname(path), wake);
  watcher.on('error', wake);
  signal.addEventListener('abort', wake, { once: true });
  void source.ended.then(() => {
    ended = true;
    wake();
  });
  let file = held;
  const position = { offset: from };
  try {
    while (!signal.aborted) {
      // What was known before reading: an end or a rotation that happens meanwhile is seen in the next round.
      const last = ended;
      changed = Promise.withResolvers<void>();
      file ??= await open(path).catch(() => undefined);
      if (file !== undefined) {
        yield* readOn(file, position);
        if (await wasRotated(file, path)) {
          yield* readOn(file, position);
          await file.close();
          file = undefined;
          position.offset = 0;
          continue;
        }
      }
      if (last) return;
      if (!ended && !signal.aborted) await changed.promise;
    }
  } finally {
    watcher.close();
    await file?.close();
  }
}

async function wasRotated(file: FileHandle, path: string): Promise<boolean> {
  const [held, named] = await Promise.all([file.stat(), stat(path).catch(() => undefined)]);
  return named !== undefined && named.ino !== held.ino;
}

/** Older files of the same attempt, oldest first. */
export async function rotatedFiles(path: string): Promise<string[]> {
  const folder = dirname(path);
  const prefix = `${basename(path)}.`;
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => name.startsWith(prefix))
    .sort()
    .map((name) => join(folder, name));
}

/** Those that were set aside before the current one: it may be among them by now, and others after it. */
async function olderThan(current: FileHandle | undefined, path: string): Promise<readonly string[]> {
  const rotated = await rotatedFiles(path);
  if (current === undefined) return rotated;
  const { ino } = await current.stat();
  const inodes = await Promise.all(rotated.map((one) => stat(one).catch(() => undefined)));
  const itself = inodes.findIndex((one) => one?.ino === ino);
  return itself < 0 ? rotated : rotated.slice(0, itself);
}

/** Where the last `count` lines begin, `older.length` standing for the current file; and where that ended when it was looked for. */
async function findStart(
  older: readonly string[],
  current: FileHandle | undefined,
  count: number | undefined,
): Promise<{ readonly file: number; readonly offset: number; readonly end: number }> {
  const end = (await current?.stat())?.size ?? 0;
  let wanted = count === undefined || count < 0 ? Number.POSITIVE_INFINITY : count;
  for (let index = older.length; index >= 0 && wanted !== Number.POSITIVE_INFINITY; index--) {
    const path = older[index];
    const file = path === undefined ? current : await open(path).catch(() => undefined);
    if (file === undefined) continue;
    try {
      const size = path === undefined ? end : (await file.stat()).size;
      if (wanted === 0) return { file: index, offset: size, end };
      const found = await findInFile(file, size, wanted);
      if (found.offset !== undefined) return { file: index, offset: found.offset, end };
      wanted -= found.lines;
    } finally {
      if (file !== current) await file.close();
    }
  }
  return { file: 0, offset: 0, end };
}

/**
 * The offset after the newline that comes before the last `wanted` lines; or how many lines there are, when there are no more.
 * What stands after the last newline is a line that is still being written, and counts as none.
 */
async function findInFile(
  file: FileHandle,
  size: number,
  wanted: number,
): Promise<{ readonly offset?: number; readonly lines: number }> {
  const buffer = Buffer.allocUnsafe(blockBytes);
  // The newline that closes the last line comes before none.
  let newlines = -1;
  for (let end = size; end > 0; ) {
    const begin = Math.max(0, end - blockBytes);
    const { bytesRead } = await file.read(buffer, 0, end - begin, begin);
    for (let at = bytesRead - 1; at >= 0; at--) {
      if (buffer[at] !== newlineByte) continue;
      newlines++;
      if (newlines === wanted) return { offset: begin + at + 1, lines: newlines };
    }
    end = begin;
  }
  const lines = newlines + 1;
  return lines === wanted ? { offset: 0, lines } : { lines };
}
