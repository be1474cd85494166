import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type ConfigMap, configMaps, type Node, nodes } from '../api/index.ts';
import { createHttpClient, readKubeconfig } from '../client/index.ts';
import { Cloud } from './index.ts';

const home = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

test('Cloud.start() gives a cloud with ready nodes to any client; two live side by side; stop() ends it', async (t) => {
  const [first, second] = await Promise.all([Cloud.start({ hollow: 3 }), Cloud.start({ hollow: 1 })]);
  t.after(() => Promise.all([first.stop(), second.stop()]));
  const client = createHttpClient(readKubeconfig(first.kubeconfig()));
  t.after(() => client.close());
  const list = await client.list<Node>(nodes);
  assert.deepEqual(
    list.items.map((node) => [
      node.metadata.name,
      node.status?.conditions?.find((one) => one.type === 'Ready')?.status,
    ]),
    [
      ['hollow-0', 'True'],
      ['hollow-1', 'True'],
      ['hollow-2', 'True'],
    ],
  );
  assert.equal((await second.client.list(nodes)).items.length, 1);
  await first.stop();
  await assert.rejects(client.list(nodes));
});

test('Cloud.start() on a file finds again what was acknowledged', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'caelum-cloud-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const store = { file: join(folder, 'store.db') };
  const first = await Cloud.start({ store, hollow: 0 });
  await first.client.create<ConfigMap>(configMaps, {
    metadata: { name: 'kept', namespace: 'default' },
    data: { a: 'b' },
  });
  await first.stop();
  const second = await Cloud.start({ store, hollow: 0 });
  t.after(() => second.stop());
  assert.equal((await second.client.get<ConfigMap>(configMaps, 'default', 'kept')).data?.['a'], 'b');
});

test('the example of the README runs', { timeout: 240_000 }, async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', join(home, 'examples/controller-test.ts')],
    { cwd: home },
  );
  assert.match(stdout, /3 of 3 pods are ready/);
});
