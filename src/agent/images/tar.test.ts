import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isError, SeededRandom } from '../../lib/index.ts';
import { LayerFilter } from './layer-filter.ts';
import {
  decodeHeader,
  decodePax,
  encodeHeader,
  encodePax,
  endOfArchive,
  paddingOf,
  plainHeader,
  type TarHeader,
} from './tar-header.ts';
import { type TarEntry, TarReader } from './tar-reader.ts';

type Piece = Partial<TarHeader> & {
  readonly path: string;
  readonly data?: string;
  readonly pax?: Record<string, string>;
};

function archive(...pieces: readonly Piece[]): Buffer {
  const parts = pieces.flatMap(({ data = '', pax = {}, ...fields }) => [
    encodeHeader(plainHeader({ ...fields, size: data.length }), new Map(Object.entries(pax))),
    Buffer.from(data, 'latin1'),
    Buffer.alloc(paddingOf(data.length)),
  ]);
  return Buffer.concat([...parts, endOfArchive]);
}

function read(bytes: Buffer, chunkBytes = bytes.length): { entry: TarEntry; data: string }[] {
  const reader = new TarReader();
  const found: { entry: TarEntry; data: string }[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes)
    for (const event of reader.push(bytes.subarray(at, at + chunkBytes)))
      if (event.kind === 'entry') found.push({ entry: event.entry, data: '' });
      else if (event.kind === 'data')
        (found.at(-1) as { data: string }).data += event.bytes.toString('latin1');
  reader.finish();
  return found;
}

function filtered(bytes: Buffer): { entry: TarEntry; data: string }[] {
  const filter = new LayerFilter();
  return read(Buffer.concat([...filter.push(bytes), ...filter.finish()]));
}

/** `type path → link`, one a line. */
function outline(bytes: Buffer): string[] {
  return filtered(bytes).map(({ entry }) => {
    const isOpaque = entry.pax.get('SCHILY.xattr.trusted.overlay.opaque') === 'y';
    return `${entry.type} ${entry.path}${entry.linkPath === '' ? '' : ` → ${entry.linkPath}`}${isOpaque ? ' opaque' : ''}`;
  });
}

test('decodeHeader() reads what encodeHeader() wrote', () => {
  const cases: Partial<TarHeader>[] = [
    {},
    { mode: 0o4755, uid: 1000, gid: 2 ** 21, mtime: 1_700_000_000 },
    { size: 9 * 2 ** 30 },
    { mtime: -5, uid: 4_000_000_000 },
    { type: '3', major: 8, minor: 300 },
    { type: '2', linkPath: '../x' },
  ];
  for (const fields of cases) {
    const header = plainHeader({ path: 'a/b', ...fields });
    assert.deepEqual(decodeHeader(encodeHeader(header)), header);
  }
  assert.equal(decodeHeader(Buffer.alloc(512)), undefined);
  const broken = encodeHeader(plainHeader({ path: 'x' }));
  broken[0] = 0x79;
  assert.throws(
    () => decodeHeader(broken),
    (error) => isError(error, 'corrupt'),
  );
});

test('decodePax() reads what encodePax() wrote, and refuses nonsense', () => {
  for (const length of [1, 80, 88, 89, 90, 91, 92, 93, 94, 95, 96, 97, 98, 985, 986, 987, 988, 989]) {
    const records = new Map([
      ['path', 'x'.repeat(length)],
      ['k', 'a=b\n'],
    ]);
    assert.deepEqual(decodePax(encodePax(records)), records);
  }
  for (const bad of ['5 a=b', '0 a=b\n', '99 a=b\n', 'x a=b\n', '7 abc\n\n', '-1 a=b\n'])
    assert.throws(
      () => decodePax(Buffer.from(bad)),
      (error) => isError(error, 'corrupt'),
      bad,
    );
});

test('TarReader reads names of every kind, in chunks of every size', () => {
  const long = `${'d/'.repeat(120)}${'\xff\xc3'}end`;
  const bytes = archive(
    { path: 'short', data: 'hello' },
    { path: long, data: 'x'.repeat(1025), mode: 0o600 },
    { path: 'ignored', pax: { path: 'from-pax', mtime: '12.5', 'SCHILY.xattr.user.a': 'v\0w' } },
    { path: 'link', type: '2', linkPath: 'y'.repeat(200) },
  );
  for (const chunkBytes of [1, 7, 511, 512, 513, 4096]) {
    const [first, second, third, fourth] = read(bytes, chunkBytes);
    assert.equal(first?.data, 'hello');
    assert.equal(second?.entry.path, long);
    assert.equal(second?.data.length, 1025);
    assert.equal(third?.entry.path, 'from-pax');
    assert.equal(third?.entry.mtime, 12);
    assert.equal(third?.entry.pax.get('SCHILY.xattr.user.a'), 'v\0w');
    assert.equal(fourth?.entry.linkPath, 'y'.repeat(200));
  }
});

test('TarReader reads what GNU tar writes in each of its formats', () => {
  const folder = mkdtempSync(join(tmpdir(), 'caelum-tar-'));
  try {
    const name = 'n'.repeat(90);
    execFileSync(
      'sh',
      [
        '-c',
        `mkdir -p ${name}/${name} && echo data > ${name}/${name}/file && ln -s file ${name}/link && truncate -s 1M hole && echo x >> hole`,
      ],
      { cwd: folder },
    );
    for (const format of ['gnu', 'pax', 'oldgnu']) {
      const bytes = execFileSync('tar', ['-c', '-S', `--format=${format}`, '.'], {
        cwd: folder,
        maxBuffer: 1 << 24,
      });
      const found = read(bytes, 1000);
      assert.equal(found.find(({ entry }) => entry.path.endsWith('/file'))?.data, 'data\n', format);
      const out = mkdtempSync(join(tmpdir(), 'caelum-tar-out-'));
      try {
        const filter = new LayerFilter();
        execFileSync('tar', ['-x', '-C', out], {
          input: Buffer.concat([...filter.push(bytes), ...filter.finish()]),
        });
        assert.equal(statSync(join(out, 'hole')).size, 2 ** 20 + 2, format);
        assert.equal(readFileSync(join(out, name, name, 'file'), 'utf8'), 'data\n', format);
      } finally {
        rmSync(out, { recursive: true, force: true });
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('TarReader neither hangs nor crashes on damaged archives', () => {
  const seed = 7;
  const random = new SeededRandom(seed);
  const good = archive(
    { path: 'a', data: 'x'.repeat(600) },
    { path: `l/${'y'.repeat(150)}`, type: '2', linkPath: 'a' },
    { path: 'p', pax: { path: 'q' } },
  );
  for (let run = 0; run < 2000; run++) {
    const bytes = Buffer.from(good);
    for (let change = random.integer(4); change >= 0; change--)
      bytes[random.integer(bytes.length)] = random.integer(256);
    const cut = random.integer(3) === 0 ? random.integer(bytes.length) : bytes.length;
    try {
      filtered(bytes.subarray(0, cut));
    } catch (error) {
      assert.ok(isError(error, 'corrupt'), `seed ${seed}, run ${run}: ${String(error)}`);
    }
  }
});

test('LayerFilter makes folders that are taken for granted, and drops what leads out', () => {
  assert.deepEqual(outline(archive({ path: './usr/bin/tool', data: 'x' }, { path: '/etc/', type: '5' })), [
    '5 usr/',
    '5 usr/bin/',
    '0 usr/bin/tool',
    '5 etc/',
  ]);
  for (const path of ['../x', 'a/../../x', '/../x', '..'])
    assert.throws(
      () => outline(archive({ path })),
      (error) => isError(error, 'corrupt'),
      path,
    );
});

test('LayerFilter follows symbolic links inside the layer, so that the extractor never does', () => {
  assert.deepEqual(
    outline(
      archive(
        { path: 'etc', type: '2', linkPath: '/host/../../elsewhere' },
        { path: 'etc/passwd', data: 'x' },
        { path: 'up', type: '2', linkPath: '../../..' },
        { path: 'up/file', data: 'y' },
        { path: 'copy', type: '1', linkPath: 'etc/passwd' },
      ),
    ),
    [
      '2 etc → /host/../../elsewhere',
      '5 elsewhere/',
      '0 elsewhere/passwd',
      '2 up → ../../..',
      '0 file',
      '1 copy → elsewhere/passwd',
    ],
  );
  assert.deepEqual(
    outline(archive({ path: 'sub/abs', type: '2', linkPath: '/etc' }, { path: 'sub/abs/x', data: 'x' })),
    ['5 sub/', '2 sub/abs → /etc', '5 etc/', '0 etc/x'],
  );
  const bad: Piece[][] = [
    [{ path: 'a', type: '2', linkPath: 'b' }, { path: 'b', type: '2', linkPath: 'a' }, { path: 'a/x' }],
    [{ path: 'x', type: '1', linkPath: '../../etc/shadow' }],
    [{ path: 'x', type: '1', linkPath: '/etc/shadow' }],
    [{ path: 'file' }, { path: 'file/inside' }],
    [
      { path: 'dir', type: '5' },
      { path: 'dir', type: '2', linkPath: '/etc' },
    ],
  ];
  for (const pieces of bad)
    assert.throws(
      () => outline(archive(...pieces)),
      (error) => isError(error, 'corrupt'),
      JSON.stringify(pieces),
    );
});

test('LayerFilter says whiteouts as overlayfs does', () => {
  assert.deepEqual(
    outline(
      archive(
        { path: 'dir/', type: '5', mode: 0o700 },
        { path: 'dir/.wh..wh..opq' },
        { path: 'gone/.wh.file' },
        { path: '.wh.again' },
        { path: 'again/new' },
        { path: 'kept/x' },
        { path: '.wh.kept' },
        { path: '.wh..wh.plnk/1.2' },
      ),
    ),
    [
      '5 dir/',
      '5 dir/ opaque',
      '5 gone/',
      '3 gone/file',
      '3 again',
      '5 again/ opaque',
      '0 again/new',
      '5 kept/',
      '0 kept/x',
      '5 kept/ opaque',
    ],
  );
  for (const path of ['.wh.', '.wh..', '.wh...'])
    assert.throws(
      () => outline(archive({ path })),
      (error) => isError(error, 'corrupt'),
      path,
    );
});

test('LayerFilter passes on no attribute that would steer overlayfs', () => {
  const [only] = filtered(
    archive({
      path: 'd',
      type: '5',
      pax: {
        'SCHILY.xattr.trusted.overlay.redirect': '/x',
        'SCHILY.xattr.user.overlay.opaque': 'y',
        'SCHILY.xattr.user.mine': '1',
        'SCHILY.xattr.security.capability': 'c',
      },
    }),
  );
  assert.deepEqual([...(only?.entry.pax.keys() ?? [])].sort(), [
    'SCHILY.xattr.security.capability',
    'SCHILY.xattr.user.mine',
  ]);
});

test('the system tar extracts a filtered layer with owners, modes and whiteouts', {
  skip: process.getuid?.() === 0 ? false : 'needs root',
}, () => {
  const out = mkdtempSync(join(tmpdir(), 'caelum-tar-out-'));
  try {
    const filter = new LayerFilter();
    const bytes = archive(
      { path: 'bin/su', data: 'x', mode: 0o4755, uid: 12, gid: 34 },
      { path: 'opaque/.wh..wh..opq' },
      { path: 'opaque/.wh.gone' },
      { path: 'escape', type: '2', linkPath: '/tmp' },
      { path: 'escape/caelum-escaped', data: 'x' },
    );
    execFileSync('tar', ['-x', '--numeric-owner', '-p', '-P', '--xattrs', '--xattrs-include=*', '-C', out], {
      input: Buffer.concat([...filter.push(bytes), ...filter.finish()]),
    });
    const su = statSync(join(out, 'bin/su'));
    assert.deepEqual([su.mode & 0o7777, su.uid, su.gid], [0o4755, 12, 34]);
    const gone = statSync(join(out, 'opaque/gone'));
    assert.ok(gone.isCharacterDevice() && gone.rdev === 0);
    assert.deepEqual(readdirSync(join(out, 'tmp')), ['caelum-escaped']);
    assert.ok(!existsSync('/tmp/caelum-escaped'));
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
});
