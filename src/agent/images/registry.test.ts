import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { isError, silentLog } from '../../lib/index.ts';
import { realClock } from '../../lib/io/real-clock.ts';
import { type DiskImageStore, openImageStore } from './io/image-store.ts';
import { parseDockerConfig } from './registry-credentials.ts';
import { parseChallenge } from './registry-protocol.ts';
import { encodeHeader, endOfArchive, paddingOf, plainHeader } from './tar-header.ts';
import { startTestRegistry, type TestRegistry } from './test-registry.ts';

const skip = process.getuid?.() === 0 ? (false as const) : 'needs root';

function tarOf(files: Readonly<Record<string, Buffer | string>>): Buffer {
  const parts = Object.entries(files).flatMap(([path, content]) => {
    const bytes = Buffer.from(content as string);
    return [
      encodeHeader(plainHeader({ path, size: bytes.length })),
      bytes,
      Buffer.alloc(paddingOf(bytes.length)),
    ];
  });
  return Buffer.concat([...parts, endOfArchive]);
}

const layer = (files: Readonly<Record<string, Buffer | string>>, pack: 'gzip' | 'zstd' | 'none' = 'gzip') => {
  const tar = tarOf(files);
  return { tar, blob: pack === 'gzip' ? gzipSync(tar) : pack === 'zstd' ? zstdCompressSync(tar) : tar };
};

async function withRegistry(
  body: (store: DiskImageStore, registry: TestRegistry, folder: string) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'caelum-registry-'));
  const registry = await startTestRegistry();
  const store = openImageStore({
    directory: join(folder, 'store'),
    clock: realClock,
    log: silentLog,
    registriesFile: join(folder, 'registries.json'),
    retryDelayMs: 5,
  });
  try {
    await body(store, registry, folder);
  } finally {
    for (const key of await store.listRoots()) await store.unmountRoot(key);
    await store.close();
    await registry.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

test('pull() brings layers of every packing, with whiteouts', { skip }, () =>
  withRegistry(async (store, registry) => {
    const digest = registry.put('team/app', '1', [
      layer({ 'a/keep': 'k', 'a/gone': 'g', 'b/old': 'o' }),
      layer({ 'a/.wh.gone': '', 'b/.wh..wh..opq': '', 'b/new': 'n' }, 'zstd'),
      layer({ plain: 'p' }, 'none'),
    ]);
    const heard: number[] = [];
    const image = await store.pull(`${registry.host}/team/app:1`, {
      onProgress: ({ doneBytes }) => heard.push(doneBytes),
    });
    assert.deepEqual(image.digests, [`${registry.host}/team/app@${digest}`]);
    assert.ok(heard.length >= 4);
    const { rootPath } = await store.mountRoot(image, 'p/c/0');
    assert.deepEqual(readdirSync(join(rootPath, 'a')), ['keep']);
    assert.deepEqual(readdirSync(join(rootPath, 'b')), ['new']);
    assert.equal(readFileSync(join(rootPath, 'plain'), 'utf8'), 'p');
    assert.equal((await store.find(`${registry.host}/team/app@${digest}`))?.id, image.id);
    assert.equal((await store.pull(`${registry.host}/team/app@${digest}`)).id, image.id);
    await assert.rejects(store.pull(`${registry.host}/team/app:2`), (error) => isError(error, 'notFound'));
  }),
);

test('pull() resumes what was cut off, and waits out a registry that is unwell', { skip }, () =>
  withRegistry(async (store, registry) => {
    registry.put('big', 'latest', [layer({ noise: randomBytes(6_000_000) })]);
    registry.cutAfterBytes = 5_000_000;
    let refusals = 2;
    registry.intercept = (_request, response) => {
      if (refusals-- <= 0) return false;
      response.writeHead(refusals > 0 ? 503 : 429, { 'retry-after': '0' }).end();
      return true;
    };
    await store.pull(`${registry.host}/big`);
    assert.ok(
      registry.requests.some(({ range }) => Number(range?.match(/bytes=(\d+)-/)?.[1]) > 0),
      'a range was asked for',
    );
  }),
);

test('pull() refuses content that is not what its digest says', { skip }, () =>
  withRegistry(async (store, registry, folder) => {
    registry.put('evil', 'latest', [layer({ x: 'y' })]);
    const [digest, bytes] = [...registry.blobs].at(-1) as [string, Buffer];
    registry.blobs.set(digest, Buffer.alloc(bytes.length, 1));
    await assert.rejects(store.pull(`${registry.host}/evil`), (error) => isError(error, 'corrupt'));
    assert.equal(await store.find(`${registry.host}/evil`), undefined);
    assert.equal(readdirSync(join(folder, 'store/ingest')).length, 0);
    const other = layer({ x: 'z' });
    registry.put('lying', 'latest', [{ tar: tarOf({ x: 'other' }), blob: other.blob }]);
    await assert.rejects(store.pull(`${registry.host}/lying`), (error) => isError(error, 'corrupt'));
    const escaping = tarOf({ '../../escaped': 'x' });
    registry.put('escaping', 'latest', [{ tar: escaping, blob: gzipSync(escaping) }]);
    await assert.rejects(store.pull(`${registry.host}/escaping`), (error) => isError(error, 'corrupt'));
    assert.ok(!existsSync(join(folder, 'escaped')));
  }),
);

for (const kind of ['bearer', 'basic'] as const)
  test(`pull() and push() authenticate with ${kind} credentials`, { skip }, () =>
    withRegistry(async (store, registry) => {
      registry.put('secret/app', '1', [layer({ x: 'y' })]);
      registry.auth = { kind, username: 'ann', password: 'pass:word' };
      const name = `${registry.host}/secret/app:1`;
      await assert.rejects(store.pull(name), (error) => isError(error, 'unauthorized'));
      const secret = JSON.stringify({
        auths: {
          [`https://${registry.host}/v2/`]: { auth: Buffer.from('ann:pass:word').toString('base64') },
        },
      });
      const credentials = parseDockerConfig(secret);
      const wrong = { server: registry.host, username: 'ann', password: 'wrong' };
      const image = await store.pull(name, { credentials: [wrong, ...credentials] });
      await store.tag(name, `${registry.host}/secret/copy:2`);
      const { digest } = await store.push(`${registry.host}/secret/copy:2`, { credentials });
      assert.ok(registry.manifests.has(`secret/copy:${digest}`));
      await store.remove(image.id);
      assert.equal((await store.pull(`${registry.host}/secret/copy:2`, { credentials })).id, image.id);
    }),
  );

test(
  'push() sends a host image that another store can pull',
  { skip: skip || (existsSync('/bin/busybox') ? false : 'needs busybox') },
  () =>
    withRegistry(async (store, registry, folder) => {
      await store.pull('host.local/busybox');
      await store.tag('host.local/busybox', `${registry.host}/tools/shell:1`);
      await store.push(`${registry.host}/tools/shell:1`);
      const other = openImageStore({ directory: join(folder, 'other'), clock: realClock, log: silentLog });
      const image = await other.pull(`${registry.host}/tools/shell:1`);
      assert.ok(existsSync(join(image.layers[0] ?? '', 'bin/busybox')));
      await other.close();
    }),
);

test('pull() follows a redirect of a blob without its credentials', { skip }, async () => {
  const seen: (string | undefined)[] = [];
  const storage = createServer((request, response) => {
    seen.push(request.headers.authorization);
    response.end(registryBlobs?.get((request.url ?? '').slice(1)));
  });
  let registryBlobs: Map<string, Buffer> | undefined;
  await new Promise<void>((resolve) => storage.listen(0, '127.0.0.1', resolve));
  try {
    await withRegistry(async (store, registry) => {
      registryBlobs = registry.blobs;
      registry.put('app', '1', [layer({ x: 'y' })]);
      registry.auth = { kind: 'bearer', username: 'ann', password: 'p' };
      registry.redirectBlobsTo = `http://127.0.0.1:${(storage.address() as AddressInfo).port}`;
      await store.pull(`${registry.host}/app:1`, {
        credentials: [{ server: registry.host, username: 'ann', password: 'p' }],
      });
      assert.deepEqual(seen, [undefined, undefined]);
    });
  } finally {
    storage.closeAllConnections();
    storage.close();
  }
});

test(
  'pull() chooses the manifest for this machine, asks mirrors first, and shares what two ask for at once',
  { skip },
  () =>
    withRegistry(async (store, registry, folder) => {
      const mine = registry.put('library/app', 'mine', [layer({ x: 'y' })]);
      const list = (digest: string, architecture: string) => ({
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        digest,
        size: 1,
        platform: { os: 'linux', architecture },
      });
      const here = process.arch === 'x64' ? 'amd64' : process.arch;
      registry.manifests.set('library/app:1', {
        type: 'application/vnd.docker.distribution.manifest.list.v2+json',
        bytes: Buffer.from(
          JSON.stringify({
            schemaVersion: 2,
            manifests: [list(`sha256:${'0'.repeat(64)}`, 's390x'), list(mine, here)],
          }),
        ),
      });
      registry.manifests.set('library/app:2', {
        type: 'application/vnd.oci.image.index.v1+json',
        bytes: Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [list(mine, 's390x')] })),
      });
      writeFileSync(
        join(folder, 'registries.json'),
        JSON.stringify({ 'docker.io': { endpoints: [`http://${registry.host}`] } }),
      );
      const [one, two] = await Promise.all([store.pull('app:1'), store.pull('docker.io/app:1')]);
      assert.equal(one.id, two.id);
      const blobs = registry.requests.filter(({ line }) => line.includes('/blobs/')).map(({ line }) => line);
      assert.equal(new Set(blobs).size, blobs.length, 'no blob is fetched twice');
      await assert.rejects(store.pull(`${registry.host}/library/app:2`), (error) =>
        isError(error, 'notFound'),
      );
    }),
);

test('pull() stops when it is told to', { skip }, () =>
  withRegistry(async (store, registry) => {
    registry.put('slow', 'latest', [layer({ x: 'y' })]);
    const abort = new AbortController();
    registry.intercept = (request) => {
      if (!request.url?.includes('/blobs/')) return false;
      abort.abort();
      return true;
    };
    await assert.rejects(store.pull(`${registry.host}/slow`, { signal: abort.signal }));
  }),
);

test('parseChallenge() reads what registries ask', () => {
  assert.deepEqual(
    parseChallenge('Bearer realm="https://a/token",service="r",scope="repository:x:pull,push"'),
    {
      kind: 'bearer',
      realm: 'https://a/token',
      service: 'r',
      scope: 'repository:x:pull,push',
    },
  );
  assert.deepEqual(parseChallenge('basic realm="x"'), { kind: 'basic' });
  assert.equal(parseChallenge('Bearer realm="file:///etc/passwd"'), undefined);
  assert.equal(parseChallenge('Negotiate'), undefined);
});
