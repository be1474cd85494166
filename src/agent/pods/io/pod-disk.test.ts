import assert from 'node:assert/strict';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { ConfigMap, Container, Pod, Secret } from '../../../api/index.ts';
import {
  type ContentSources,
  contentOf,
  referencesOf,
  type VolumeContent,
} from '../../volumes/volume-content.ts';
import type { PodDisk } from '../disk.ts';
import { createPodDisk } from './pod-disk.ts';

let root: string;
let disk: PodDisk;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'caelum-disk-'));
  disk = createPodDisk({ dataDirectory: root, mountMemory: false });
  await disk.prepare();
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

let data: Record<string, string> = { a: '1', b: '2' };
const sources: ContentSources = {
  configMap: (name) => (name === 'm' ? ({ metadata: {}, data } as ConfigMap) : undefined),
  secret: (name) => (name === 's' ? ({ metadata: {}, data: { pw: 'aHVzaA==' } } as Secret) : undefined),
  claim: () => undefined,
  persistentVolume: () => undefined,
  token: () => 'token',
  nodeName: 'n',
  nodeAddress: '192.0.2.1',
  podAddresses: [],
  allocatable: { cpuMilli: 1000, memoryBytes: 1000 },
};
const container: Container = { name: 'c' };

function podWith(volumes: NonNullable<NonNullable<Pod['spec']>['volumes']>): Pod {
  return { metadata: { name: 'p', namespace: 'ns', uid: 'u-1' }, spec: { containers: [container], volumes } };
}

async function setUp(pod: Pod): Promise<void> {
  const contents = new Map<string, VolumeContent>();
  for (const volume of pod.spec?.volumes ?? []) contents.set(volume.name, contentOf(pod, volume, sources));
  await disk.setUpVolumes(pod, contents);
}

const mount = async (pod: Pod, name: string, more: object = {}) =>
  (
    await disk.mountsOf(
      pod,
      { ...container, volumeMounts: [{ name, mountPath: '/v', ...more }] },
      0,
      new Map(),
    )
  )[0];

test('the disk swaps a ConfigMap volume as a whole', async () => {
  data = { a: '1', b: '2' };
  const pod = podWith([{ name: 'v', configMap: { name: 'm', defaultMode: 0o640 } }]);
  await setUp(pod);
  const path = (await mount(pod, 'v'))?.hostPath ?? '';
  assert.equal(readFileSync(join(path, 'a'), 'utf8'), '1');
  assert.equal(statSync(join(path, 'a')).mode & 0o777, 0o640);
  assert.equal(readlinkSync(join(path, 'a')), '..data/a');
  const before = readlinkSync(join(path, '..data'));
  await setUp(pod);
  assert.equal(readlinkSync(join(path, '..data')), before, 'nothing changed, nothing written');
  data = { a: 'new', c: '3' };
  await setUp(pod);
  assert.equal(readFileSync(join(path, 'a'), 'utf8'), 'new');
  assert.deepEqual(
    readdirSync(path)
      .filter((name) => !name.startsWith('..'))
      .sort(),
    ['a', 'c'],
  );
  assert.equal(readdirSync(path).filter((name) => name.startsWith('..2')).length, 1, 'the old set is gone');
});

test('secrets and projected volumes stay out of the pod folder on disk', async () => {
  const pod = podWith([
    { name: 's', secret: { secretName: 's', items: [{ key: 'pw', path: 'deep/pass', mode: 0o400 }] } },
    {
      name: 'p',
      projected: { sources: [{ serviceAccountToken: { path: 'token' } }, { configMap: { name: 'm' } }] },
    },
  ]);
  await setUp(pod);
  const secret = await mount(pod, 's', { readOnly: true });
  assert.ok(secret?.hostPath.startsWith(join(root, 'memory')));
  assert.equal(secret?.readOnly, true);
  assert.equal(readFileSync(join(secret?.hostPath ?? '', 'deep/pass'), 'utf8'), 'hush');
  assert.equal(readFileSync(join((await mount(pod, 'p'))?.hostPath ?? '', 'token'), 'utf8'), 'token');
});

test('mountsOf() makes sub-paths and refuses those that leave the volume', async () => {
  const pod = podWith([{ name: 'v', emptyDir: {} }]);
  await setUp(pod);
  const base = (await mount(pod, 'v'))?.hostPath ?? '';
  assert.equal((await mount(pod, 'v', { subPath: 'a/b' }))?.hostPath, join(base, 'a/b'));
  symlinkSync('/etc', join(base, 'out'));
  for (const subPath of ['../x', 'out', 'out/new', '/etc'])
    await assert.rejects(
      mount(pod, 'v', { subPath }),
      /failed to prepare subPath|SubPath `.*must not/,
      subPath,
    );
});

test('contentOf() says what is missing or unsupported', () => {
  const of = (volume: object) => () => contentOf(podWith([]), { name: 'v', ...volume }, sources);
  assert.throws(of({ configMap: { name: 'no' } }), { message: 'configmap "no" not found' });
  assert.throws(
    of({ secret: { secretName: 's', items: [{ key: 'x', path: 'x' }] } }),
    /references non-existent key: x/,
  );
  assert.throws(of({ nfs: { server: 's', path: '/' } }), /volumes of type nfs are not supported/);
  assert.deepEqual(of({ configMap: { name: 'no', optional: true } })(), {
    kind: 'files',
    files: [],
    inMemory: false,
  });
});

test('hostPath volumes are checked by type', async () => {
  writeFileSync(join(root, 'file'), '');
  await setUp(
    podWith([{ name: 'h', hostPath: { path: join(root, 'made/dir'), type: 'DirectoryOrCreate' } }]),
  );
  assert.ok(statSync(join(root, 'made/dir')).isDirectory());
  await assert.rejects(
    setUp(podWith([{ name: 'h', hostPath: { path: join(root, 'file'), type: 'Directory' } }])),
    /MountVolume.SetUp failed for volume "h" : hostPath type check failed: .* is not a directory/,
  );
});

test('terminationMessage() reads the file, or the end of the log on request', async () => {
  const pod = podWith([]);
  const mounts = await disk.mountsOf(pod, container, 0, new Map());
  const file = mounts.find((item) => item.containerPath === '/dev/termination-log')?.hostPath ?? '';
  const stamp = '2026-01-02T03:04:05.1Z stdout';
  writeFileSync(disk.logPath(pod, 'c', 0), `${stamp} F one\n${stamp} P t\n${stamp} F wo\n`);
  assert.equal(await disk.terminationMessage(pod, container, 0, false), '');
  assert.equal(await disk.terminationMessage(pod, container, 0, true), 'one\ntwo\n');
  writeFileSync(file, 'bye');
  assert.equal(await disk.terminationMessage(pod, container, 0, true), 'bye');
  await disk.tearDown('u-1');
  assert.deepEqual(await disk.list(), []);
});

test('attempts() finds the last log of each container', async () => {
  const pod = podWith([]);
  assert.equal((await disk.attempts()).size, 0);
  for (const attempt of [0, 9, 10]) writeFileSync(disk.logPath(pod, 'c', attempt), '');
  writeFileSync(`${disk.logPath(pod, 'c', 10)}.20260101`, '');
  writeFileSync(disk.logPath(pod, 'd', 0), '');
  disk.logPath(pod, 'never-begun', 0);
  const attempts = await disk.attempts();
  assert.deepEqual([...(attempts.get('u-1') ?? [])].sort(), [
    ['c', 10],
    ['d', 0],
  ]);
  await disk.removeLogs('u-1');
  assert.equal((await disk.attempts()).size, 0);
});

test('referencesOf() names each object that a pod reads once', () => {
  const env = [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }];
  const pod: Pod = {
    metadata: {},
    spec: {
      containers: [{ name: 'c', env, envFrom: [{ configMapRef: { name: 'm' } }] }],
      volumes: [{ name: 'v', secret: { secretName: 's' } }],
      imagePullSecrets: [{ name: 'pull' }],
    },
  };
  assert.deepEqual(
    referencesOf(pod)
      .map(({ kind, name }) => `${kind}/${name}`)
      .sort(),
    ['configMap/m', 'secret/pull', 'secret/s'],
  );
});
