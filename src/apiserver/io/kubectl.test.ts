/** Real clients against the server: the newest kubectl, an old one where there is one, and the JavaScript client. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AppsV1Api, CoreV1Api, KubeConfig, Watch } from '@kubernetes/client-node';
import { clientBinary, installedKubectls } from '../../../tools/kubectl.ts';
import { kubeconfigText } from '../../main/kubeconfig.ts';
import { startTestServer, type TestServer } from './test-server.ts';

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Kubectl {
  readonly server: TestServer;
  readonly folder: string;
  run(...words: string[]): Promise<Outcome>;
  /** Runs, must succeed, answers what it printed. */
  ok(...words: string[]): Promise<string>;
}

async function startKubectl(t: TestContext, binary: string): Promise<Kubectl> {
  const server = await startTestServer(t);
  const folder = mkdtempSync(join(tmpdir(), 'caelum-kubectl-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, kubeconfigText(server.server.url, server.pki));
  const env = { ...process.env, KUBECONFIG: kubeconfig, HOME: folder };
  const run = (...words: string[]): Promise<Outcome> =>
    new Promise((resolve) => {
      execFile(binary, words, { env, timeout: 120_000, encoding: 'utf8' }, (error, stdout, stderr) => {
        resolve({
          code: error === null ? 0 : typeof error.code === 'number' ? error.code : 1,
          stdout,
          stderr,
        });
      });
    });
  const ok = async (...words: string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(...words);
    assert.equal(code, 0, `kubectl ${words.join(' ')}\n${stdout}${stderr}`);
    return stdout;
  };
  return { server, folder, run, ok };
}

const manifest = `apiVersion: apps/v1
kind: Deployment
metadata: { name: web, labels: { app: web } }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      containers:
      - { name: c, image: "host.local/busybox", command: [sleep, "1000"] }
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ port: 80 }] }
`;

/** What a controller would do: the rollout is complete. */
async function completeRollout({ api }: TestServer, name: string): Promise<void> {
  const ref = { group: 'apps', version: 'v1', resource: 'deployments', namespaced: true };
  const client = api.client();
  const found = await client.get<{ metadata: { generation?: number }; spec?: { replicas?: number } }>(
    ref,
    'default',
    name,
  );
  const count = found.spec?.replicas ?? 0;
  const status = {
    observedGeneration: found.metadata.generation,
    replicas: count,
    updatedReplicas: count,
    readyReplicas: count,
    availableReplicas: count,
    conditions: [{ type: 'Available', status: 'True', reason: 'x', message: '' }],
  };
  await client.patch(ref, 'default', name, 'merge', { status }, { subresource: 'status' });
}

async function conversation(t: TestContext, binary: string): Promise<void> {
  const kubectl = await startKubectl(t, binary);
  const { ok, run, folder, server } = kubectl;
  const file = join(folder, 'web.yaml');
  writeFileSync(file, manifest);
  assert.match(await ok('api-resources'), /^deployments\s+deploy\s+apps\/v1\s+true\s+Deployment/m);
  assert.match(await ok('get', 'namespaces'), /^kube-system\s+Active/m);
  assert.match(
    await ok('create', 'configmap', 'settings', '--from-literal=a=1'),
    /configmap\/settings created/,
  );
  assert.match(await ok('create', 'deployment', 'made', '--image=i'), /deployment\.apps\/made created/);
  assert.match(await ok('apply', '-f', file), /deployment\.apps\/web created\nservice\/web created/);
  assert.match(await ok('apply', '-f', file), /deployment\.apps\/web unchanged/);
  assert.match(await ok('get', 'deployments', '-o', 'wide'), /^web\s+0\/2/m);
  assert.match(await ok('get', 'all'), /service\/web/);
  writeFileSync(file, manifest.replace('replicas: 2', 'replicas: 3'));
  const diff = await run('diff', '-f', file);
  assert.equal(diff.code, 1, diff.stderr);
  assert.match(diff.stdout, /^\+ {2}replicas: 3$/m);
  assert.match(await ok('apply', '-f', file), /deployment\.apps\/web configured/);
  assert.match(await ok('scale', 'deployment/web', '--replicas=4'), /scaled/);
  assert.match(await ok('set', 'image', 'deployment/web', 'c=other'), /image updated/);
  assert.match(await ok('label', 'deployment/web', 'tier=front'), /labeled/);
  assert.match(await ok('annotate', 'deployment/web', 'note=x'), /annotated?/);
  assert.match(
    await ok(
      'patch',
      'service',
      'web',
      '--type=json',
      '-p',
      '[{"op":"add","path":"/metadata/labels","value":{"a":"b"}}]',
    ),
    /patched/,
  );
  assert.equal(
    await ok('get', 'deployment', 'web', '-o', 'jsonpath={.spec.replicas} {.metadata.labels.tier}'),
    '4 front',
  );
  const waiting = run('rollout', 'status', 'deployment/web', '--timeout=60s');
  await completeRollout(server, 'web');
  const rolled = await waiting;
  assert.equal(rolled.code, 0, rolled.stderr);
  assert.match(rolled.stdout, /successfully rolled out/);
  assert.match(
    await ok('wait', 'deployment/web', '--for=condition=Available', '--timeout=60s'),
    /condition met/,
  );
  assert.match(await ok('explain', 'deployment.spec.replicas'), /replicas/);
  assert.match(await ok('describe', 'deployment', 'web'), /Replicas:\s+4 desired/);
  assert.match(await ok('auth', 'can-i', 'create', 'pods'), /yes/);
  assert.match(await ok('get', '--raw', '/version'), /gitVersion/);
  assert.match(
    (await run('get', 'pods', 'none')).stderr,
    /Error from server \(NotFound\): pods "none" not found/,
  );
  assert.match((await run('create', 'configmap', 'settings')).stderr, /configmaps "settings" already exists/);
  const unknown = join(folder, 'unknown.yaml');
  writeFileSync(unknown, 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: u }\ncolour: red\n');
  assert.match((await run('apply', '-f', unknown)).stderr, /unknown field "colour"|ValidationError/);
  assert.match(await ok('delete', '-f', file), /deployment\.apps "web" deleted/);
  assert.match(await ok('delete', 'configmap', 'settings', '--wait'), /deleted/);
  assert.match((await run('get', 'deployment', 'web')).stderr, /not found/);
}

const binaries = [
  { version: '1.36', path: clientBinary('kubectl') },
  ...installedKubectls().filter(({ version }) => version === '1.27'),
];

for (const { version, path } of binaries) {
  test(
    `kubectl ${version} works as with any cluster`,
    { skip: path === undefined ? 'kubectl is not here' : false },
    (t) => conversation(t, path ?? ''),
  );
}

test('the JavaScript client reads, writes and watches', async (t) => {
  const server = await startTestServer(t);
  const config = new KubeConfig();
  config.loadFromString(kubeconfigText(server.server.url, server.pki));
  const core = config.makeApiClient(CoreV1Api);
  const apps = config.makeApiClient(AppsV1Api);
  const seen: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const watching = await new Watch(config).watch(
    '/api/v1/namespaces/default/configmaps',
    {},
    (type, object: { metadata: { name: string } }) => {
      seen.push(`${type} ${object.metadata.name}`);
      if (type === 'DELETED') resolve();
    },
    () => {},
  );
  t.after(() => watching.abort());
  await core.createNamespacedConfigMap({
    namespace: 'default',
    body: { metadata: { name: 'a' }, data: { k: 'v' } },
  });
  const list = await core.listNamespacedConfigMap({ namespace: 'default' });
  assert.deepEqual(
    list.items.map((item) => item.metadata?.name),
    ['a'],
  );
  await core.deleteNamespacedConfigMap({ namespace: 'default', name: 'a' });
  await promise;
  assert.deepEqual(seen, ['ADDED a', 'DELETED a']);
  const selector = { matchLabels: { app: 'x' } };
  const template = { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
  const made = await apps.createNamespacedDeployment({
    namespace: 'default',
    body: { metadata: { name: 'x' }, spec: { selector, template } },
  });
  assert.equal(made.spec?.replicas, 1);
  await assert.rejects(core.readNamespacedPod({ namespace: 'default', name: 'none' }), /404|not found/);
});
