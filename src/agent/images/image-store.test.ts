import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLog } from '../../lib/index.ts';
import { realClock } from '../../lib/io/real-clock.ts';
import { imageStoreContract } from './contract.ts';
import { type DiskImageStore, openImageStore } from './io/image-store.ts';

const isInstalled = (program: string): boolean =>
  ['/usr/sbin', '/usr/bin', '/sbin', '/bin'].some((folder) => existsSync(join(folder, program)));
const skip =
  process.getuid?.() !== 0 ? 'needs root' : isInstalled('busybox') ? (false as const) : 'needs busybox';

export async function withStore(
  body: (store: DiskImageStore, folder: string) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'caelum-images-'));
  const store = openImageStore({
    directory: join(folder, 'store'),
    clock: realClock,
    log: silentLog,
    retryDelayMs: 10,
  });
  try {
    await body(store, folder);
  } finally {
    await closeStore(store, folder);
  }
}

async function closeStore(store: DiskImageStore, folder: string): Promise<void> {
  for (const key of await store.listRoots()) await store.unmountRoot(key);
  await store.close();
  rmSync(folder, { recursive: true, force: true });
}

imageStoreContract(
  'disk',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'caelum-images-'));
    const store = openImageStore({ directory: join(folder, 'store'), clock: realClock, log: silentLog });
    return { store, close: () => closeStore(store, folder) };
  },
  skip,
);

test('pull() makes host.local/busybox, and its root runs', { skip }, () =>
  withStore(async (store) => {
    const image = await store.pull('host.local/busybox:v2');
    assert.deepEqual(image.config.command, ['sh']);
    const { rootPath } = await store.mountRoot(image, 'test/busybox/0');
    const said = execFileSync(
      'chroot',
      [rootPath, '/bin/sh', '-c', 'echo hi > /tmp/x; cat /tmp/x; id -un; ls / | tr "\\n" " "'],
      {
        encoding: 'utf8',
      },
    );
    assert.match(said, /^hi\nroot\n.*bin .*etc .*tmp /);
    assert.ok(!existsSync(join(image.layers[0] ?? '', 'tmp/x')), 'the layer itself stays as it was');
    assert.equal(statSync(join(rootPath, 'tmp')).mode & 0o7777, 0o1777);
  }),
);

test('pull() makes host.local/node from the running Node, with its libraries and a shell', { skip }, () =>
  withStore(async (store) => {
    const image = await store.pull('host.local/node');
    assert.deepEqual(image.config.entrypoint, ['/usr/local/bin/node']);
    const { rootPath } = await store.mountRoot(image, 'test/node/0');
    const said = execFileSync('chroot', [rootPath, ...image.config.entrypoint, '-p', 'process.version'], {
      encoding: 'utf8',
    });
    assert.equal(said.trim(), process.version);
    if (image.layers.length > 1) execFileSync('chroot', [rootPath, '/bin/sh', '-c', 'true']);
  }),
);

test('find() does not find a host image whose program has changed', { skip }, () =>
  withStore(async (store, folder) => {
    const program = join(folder, 'caelum-test-tool');
    execFileSync('cp', ['/bin/true', program]);
    const path = process.env['PATH'];
    process.env['PATH'] = `${folder}:${path}`;
    try {
      const first = await store.pull('host.local/caelum-test-tool');
      assert.equal((await store.find('host.local/caelum-test-tool'))?.id, first.id);
      execFileSync('cp', ['/bin/false', program]);
      assert.equal(await store.find('host.local/caelum-test-tool'), undefined);
      assert.notEqual((await store.pull('host.local/caelum-test-tool')).id, first.id);
    } finally {
      process.env['PATH'] = path;
    }
  }),
);

test('remove() keeps the layers of a mounted root, and deletes them later', { skip }, () =>
  withStore(async (store, folder) => {
    const image = await store.pull('host.local/busybox');
    const layer = image.layers[0] ?? '';
    await store.mountRoot(image, 'test/keep/0');
    await store.remove('host.local/busybox');
    assert.ok(existsSync(layer));
    await store.unmountRoot('test/keep/0');
    assert.equal(await store.collectGarbage(), true);
    assert.ok(!existsSync(layer));
    for (const part of ['blobs/sha256', 'layers', 'names', 'roots', 'ingest', 'locks'])
      assert.deepEqual(
        readdirSync(join(folder, 'store', part)).filter((one) => !one.endsWith('.boot')),
        [],
        part,
      );
  }),
);

test('mountRoot() mounts more layers than one page of options names', { skip }, () =>
  withStore(async (store, folder) => {
    const image = await store.pull('host.local/busybox');
    const layers = [...image.layers];
    for (let layer = 0; layer < 120; layer++) {
      const path = join(folder, 'store/layers', layer.toString(16).padStart(64, '0'));
      execFileSync('mkdir', [path]);
      writeFileSync(join(path, `file-${layer}`), String(layer));
      layers.push(path);
    }
    const { rootPath } = await store.mountRoot({ ...image, layers }, 'test/many/0');
    assert.equal(readFileSync(join(rootPath, 'file-119'), 'utf8'), '119');
    assert.equal(readFileSync(join(rootPath, 'file-0'), 'utf8'), '0');
    assert.ok(existsSync(join(rootPath, 'bin/busybox')));
  }),
);

for (const format of ['oci', 'docker'] as const)
  test(`exportArchive() and importArchive() bring an image over as ${format}`, { skip }, () =>
    withStore(async (store, folder) => {
      const file = join(folder, 'image.tar');
      await store.pull('host.local/busybox:v7');
      await store.tag('host.local/busybox:v7', 'example.com/team/shell:1.0');
      await store.exportArchive(['example.com/team/shell:1.0'], file, format);
      await withStore(async (other) => {
        const [image] = await other.importArchive(file);
        assert.deepEqual(image?.names, ['example.com/team/shell:1.0']);
        assert.deepEqual(image?.config.command, ['sh']);
        const { rootPath } = await other.mountRoot(image as NonNullable<typeof image>, 'test/imported/0');
        assert.equal(
          execFileSync('chroot', [rootPath, '/bin/sh', '-c', 'echo ok'], { encoding: 'utf8' }),
          'ok\n',
        );
        const again = join(folder, 'again.tar');
        await other.exportArchive(['example.com/team/shell:1.0'], again, format);
        await withStore(async (third) => {
          assert.equal((await third.importArchive(again, { name: 'x' }))[0]?.id, image?.id);
        });
      });
      if (!isInstalled('skopeo')) return;
      const archive = `${format}-archive`;
      execFileSync('skopeo', [
        '--insecure-policy',
        'copy',
        '-q',
        `${archive}:${file}`,
        `oci-archive:${folder}/s.tar:example.com/a/b:3`,
      ]);
      execFileSync('skopeo', [
        '--insecure-policy',
        'copy',
        '-q',
        `${archive}:${file}`,
        `docker-archive:${folder}/d.tar:example.com/a/c:4`,
      ]);
      await withStore(async (other) => {
        assert.deepEqual((await other.importArchive(`${folder}/s.tar`))[0]?.names, ['example.com/a/b:3']);
        assert.deepEqual(
          (await other.importArchive(`${folder}/d.tar`))[0]?.names.includes('example.com/a/c:4'),
          true,
        );
      });
    }),
  );
