/**
 * What every image store keeps to: run on the fake one and on the one on disk.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isError } from '../../lib/index.ts';
import type { ImageStore } from './images.ts';

/** `open` gives an empty store; `skip` says why it cannot run here. */
export function imageStoreContract(
  title: string,
  open: () => Promise<{ readonly store: ImageStore; readonly close: () => Promise<void> }>,
  skip: string | false = false,
): void {
  const check = (name: string, body: (store: ImageStore) => Promise<void>): void => {
    test(`${title}: ${name}`, { skip }, async () => {
      const { store, close } = await open();
      try {
        await body(store);
      } finally {
        await close();
      }
    });
  };

  check('find() does not find what was not pulled', async (store) => {
    assert.equal(await store.find('host.local/busybox'), undefined);
    assert.equal(await store.find('nginx'), undefined);
    assert.equal(await store.find(`sha256:${'0'.repeat(64)}`), undefined);
    assert.deepEqual(await store.list(), []);
  });

  check('find() finds a pulled image by every spelling', async (store) => {
    const image = await store.pull('host.local/busybox');
    assert.deepEqual(image.names, ['host.local/busybox:latest']);
    assert.match(image.id, /^sha256:[0-9a-f]{64}$/);
    assert.ok(image.layers.length > 0);
    for (const spelling of ['host.local/busybox', 'host.local/busybox:latest', image.id, image.id.slice(7)])
      assert.equal((await store.find(spelling))?.id, image.id, spelling);
    assert.equal((await store.pull('host.local/busybox:latest')).id, image.id);
    assert.equal((await store.list()).length, 1);
  });

  check('pull() refuses what is no name, and what names nothing', async (store) => {
    for (const bad of ['', 'lower/CASE', 'a b', 'x@sha256:12', 'nginx:'])
      await assert.rejects(store.pull(bad), (error) => isError(error, 'badRequest'), bad);
    await assert.rejects(store.find('UPPER'), (error) => isError(error, 'badRequest'));
  });

  check('tag() gives one more name, remove() takes names away', async (store) => {
    const image = await store.pull('host.local/busybox:v1');
    await store.tag('host.local/busybox:v1', 'example.com/shell:2');
    assert.equal((await store.find('example.com/shell:2'))?.config.command[0], image.config.command[0]);
    await store.remove('example.com/shell:2');
    assert.equal(await store.find('example.com/shell:2'), undefined);
    await assert.rejects(store.remove('example.com/shell:2'), (error) => isError(error, 'notFound'));
    await assert.rejects(store.tag('example.com/none', 'example.com/other'), (error) =>
      isError(error, 'notFound'),
    );
  });

  check('mountRoot() and unmountRoot() are idempotent', async (store) => {
    const image = await store.pull('host.local/busybox');
    const first = await store.mountRoot(image, 'uid-1/web/0');
    assert.deepEqual(await store.mountRoot(image, 'uid-1/web/0'), first);
    const second = await store.mountRoot(image, 'uid-1/web/1');
    assert.notEqual(second.rootPath, first.rootPath);
    assert.deepEqual([...(await store.listRoots())].sort(), ['uid-1/web/0', 'uid-1/web/1']);
    await store.unmountRoot('uid-1/web/0');
    await store.unmountRoot('uid-1/web/0');
    await store.unmountRoot('uid-1/web/1');
    assert.deepEqual(await store.listRoots(), []);
  });

  check('importArchive() and exportArchive() say what is missing', async (store) => {
    await assert.rejects(store.importArchive('/nonexistent/image.tar'), (error) =>
      isError(error, 'notFound'),
    );
    await assert.rejects(store.exportArchive(['example.com/none'], '/nonexistent/x.tar'), (error) =>
      isError(error, 'notFound'),
    );
  });
}
