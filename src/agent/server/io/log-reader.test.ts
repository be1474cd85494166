import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { SimulatedClock, silentLog } from '../../../lib/index.ts';
import type { Runtime } from '../../runtime/index.ts';
import type { LogOptions } from '../endpoint.ts';
import { type LogSource, readLog } from './log-reader.ts';
import { LogRotation } from './log-rotation.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caelum-log-'));
  path = join(folder, '0.log');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const everything: LogOptions = {
  follow: false,
  previous: false,
  timestamps: false,
  tailLines: undefined,
  sinceMs: undefined,
  limitBytes: undefined,
  stream: undefined,
};
const line = (text: string, second = 0, tag = 'F', stream = 'stdout'): string =>
  `2026-01-02T03:04:${String(second).padStart(2, '0')}.123456789+00:00 ${stream} ${tag} ${text}\n`;

async function read(
  options: Partial<LogOptions> = {},
  ended: LogSource['ended'] = Promise.resolve(),
): Promise<string> {
  let text = '';
  const signal = new AbortController().signal;
  for await (const chunk of readLog({ path, ended }, { ...everything, ...options }, signal))
    text += Buffer.from(chunk).toString();
  return text;
}

test('readLog() joins partial lines and filters by stream, time and size', async () => {
  writeFileSync(
    path,
    line('par', 1, 'P') + line('tial', 2) + line('bad', 3, 'F', 'stderr') + line('', 4) + line('last', 5),
  );
  assert.equal(await read(), 'partial\nbad\n\nlast\n');
  assert.equal(await read({ stream: 'Stderr' }), 'bad\n');
  assert.equal(await read({ sinceMs: Date.UTC(2026, 0, 2, 3, 4, 4) }), '\nlast\n');
  assert.equal(await read({ limitBytes: 5 }), 'parti');
  assert.equal(await read({ timestamps: true, tailLines: 1 }), '2026-01-02T03:04:05.123456789Z last\n');
});

test('readLog() finds the tail from the end, across blocks and rotated files', async () => {
  const lines = Array.from({ length: 5000 }, (_, i) => line(`number ${i} ${'x'.repeat(i % 50)}`));
  writeFileSync(`${path}.20260101-000000`, lines.slice(0, 2000).join(''));
  writeFileSync(path, lines.slice(2000).join(''));
  for (const tail of [0, 1, 7, 2999, 3000, 3001, 4999, 5000, 9000]) {
    const got = (await read({ tailLines: tail })).split('\n').filter((text) => text !== '');
    assert.equal(got.length, Math.min(tail, 5000), `tail ${tail}`);
    if (tail > 0) assert.match(got[0] ?? '', new RegExp(`^number ${5000 - Math.min(tail, 5000)} `));
  }
});

test('readLog() without follow is a picture of one moment: what is written meanwhile is not in it', async () => {
  const lines = Array.from({ length: 9000 }, (_, i) => line(`number ${i}`));
  writeFileSync(path, lines.join(''));
  for (const [tailLines, count] of [
    [undefined, 9000],
    [5000, 5000],
  ] as const) {
    let text = '';
    const reading = readLog(
      { path, ended: Promise.resolve() },
      { ...everything, tailLines },
      new AbortController().signal,
    );
    for await (const chunk of reading) {
      text += Buffer.from(chunk).toString();
      appendFileSync(path, line('meanwhile'));
    }
    assert.equal(text.split('\n').length - 1, count);
    assert.match(text, /number 8999\n$/);
    writeFileSync(path, lines.join(''));
  }
  appendFileSync(path, line('half a line').slice(0, -3));
  assert.equal(await read({ tailLines: 1 }), 'number 8999\n', 'a line that is being written is no line yet');
});

test('readLog() loses nothing and tells nothing twice when the file is set aside while it is read', async () => {
  for (const [options, expected] of [
    [{}, 'one\ntwo\nthree\n'],
    [{ tailLines: 3 }, 'one\ntwo\nthree\n'],
    [{ follow: true }, 'one\ntwo\nthree\nfour\n'],
  ] as const) {
    writeFileSync(`${path}.20260101-000000`, line('one'));
    writeFileSync(path, line('two') + line('three'));
    let text = '';
    const source = { path, ended: Promise.resolve() };
    for await (const chunk of readLog(source, { ...everything, ...options }, new AbortController().signal)) {
      if (text === '') {
        renameSync(path, `${path}.20260102-000000`);
        writeFileSync(path, line('four'));
      }
      text += Buffer.from(chunk).toString();
    }
    assert.equal(text, expected, JSON.stringify(options));
    rmSync(`${path}.20260102-000000`);
  }
});

test('readLog() follows what is written, over a rotation, until the container has ended', async () => {
  writeFileSync(path, line('one'));
  const ended = Promise.withResolvers<void>();
  const seen: string[] = [];
  const waiting = new Map<string, () => void>();
  const sees = (text: string): Promise<void> =>
    new Promise((resolve) => {
      if (seen.join('').includes(text)) resolve();
      else waiting.set(text, resolve);
    });
  const reading = (async () => {
    const options = { ...everything, follow: true };
    for await (const chunk of readLog(
      { path, ended: ended.promise },
      options,
      new AbortController().signal,
    )) {
      seen.push(Buffer.from(chunk).toString());
      for (const [text, resolve] of waiting) if (seen.join('').includes(text)) resolve();
    }
  })();
  await sees('one');
  appendFileSync(path, line('two'));
  await sees('two');
  renameSync(path, `${path}.20260102-000000`);
  writeFileSync(path, line('three'));
  await sees('three');
  appendFileSync(path, line('four'));
  ended.resolve();
  await reading;
  assert.equal(seen.join(''), 'one\ntwo\nthree\nfour\n');
});

test('LogRotation sets big files aside, keeps few, and tells the monitor', async () => {
  const clock = new SimulatedClock();
  const reopened: string[] = [];
  const runtime = { reopenLog: async (id: string) => void reopened.push(id) } as unknown as Runtime;
  const rotation = new LogRotation({
    clock,
    log: silentLog,
    runtime,
    files: () => [{ containerId: 'id', path }],
    bytesMax: 100,
    filesMax: 3,
  });
  for (let round = 0; round < 6; round++) {
    writeFileSync(path, 'x'.repeat(round === 5 ? 50 : 200));
    await rotation.rotate();
    await clock.advance(1000);
  }
  assert.equal(reopened.length, 5);
  assert.equal(readdirSync(folder).filter((name) => name.startsWith('0.log.')).length, 2);
});
