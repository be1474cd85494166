/**
 * Storage with real containers: data that outlives pods, sets, agents and control planes; retention, growth, erasing; what cannot be mounted and why.
 * One cloud for all checks; each has its own namespace but the example.
 */
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { whyNoLoops } from '../src/agent/volumes/io/test-loops.ts';
import type {
  Event,
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeSpec,
  Pod,
  StatefulSet,
  StorageClass,
} from '../src/api/index.ts';
import { layoutOf } from '../src/main/layout.ts';
import { signalProcess, waitForExit } from '../src/main/process-identity.ts';
import { readState } from '../src/main/state.ts';
import { eventually, startPrepared, whyNoKubectl, whyNotReal } from './cloud-under-test.ts';
import { core, forever, patienceMs, pods, RealCloud, ref, shellPod } from './real-cloud.ts';

const claims = core('persistentvolumeclaims');
const volumes = core('persistentvolumes', false);
const sets = ref('apps', 'v1', 'statefulsets');
const events = core('events');

const claim = (name: string, spec: object = {}): PersistentVolumeClaim => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '16Mi' } }, ...spec },
});

/** A pod of one container with the claim at /data. */
const withClaim = (
  name: string,
  claimName: string,
  line: string,
  spec: object = {},
  mount: object = {},
): Pod =>
  shellPod(name, line, {
    container: { volumeMounts: [{ name: 'data', mountPath: '/data', ...mount }] },
    spec: { volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }], ...spec },
  });

describe('storage', { skip: whyNotReal() ?? whyNoKubectl() ?? false }, () => {
  let real: RealCloud;
  before(async () => {
    real = await RealCloud.start();
  });
  after(() => real?.remove());

  const foldersOf = (): readonly string[] => {
    const folder = join(layoutOf(real.cloud.data).node, 'volumes');
    return existsSync(folder) ? readdirSync(folder).filter((name) => name !== '.erased') : [];
  };
  const claimOf = (namespace: string, name: string) =>
    real.client.get<PersistentVolumeClaim>(claims, namespace, name);
  const volumeOf = async (namespace: string, name: string): Promise<PersistentVolume> =>
    real.client.get<PersistentVolume>(
      volumes,
      undefined,
      (await claimOf(namespace, name)).spec?.volumeName ?? '',
    );
  const eventsOf = async (namespace: string, name: string): Promise<readonly string[]> =>
    (
      await real.client.list<Event>(events, { namespace, fieldSelector: `involvedObject.name=${name}` })
    ).items.map(({ reason, message }) => `${reason}: ${message}`);
  const told = (namespace: string, name: string, pattern: RegExp) =>
    eventually(`${name} is told ${pattern}`, patienceMs, async () =>
      (await eventsOf(namespace, name)).find((text) => pattern.test(text)),
    );
  async function kill(name: 'node-agent' | 'control-plane' | 'supervisor'): Promise<void> {
    const victim = readState(layoutOf(real.cloud.data))?.processes.find((one) => one.name === name);
    assert.ok(victim !== undefined);
    signalProcess(victim, 'SIGKILL');
    await waitForExit(victim, 5000);
  }

  test('the example: a set has its data again, whatever died in between', { timeout: 540_000 }, async () => {
    const shell = async (line: string): Promise<string> => {
      const { code, stdout, stderr } = await real.cloud.shell(line);
      assert.equal(code, 0, `${line}\n${stdout}${stderr}`);
      return stdout;
    };
    const pages = async (at: number): Promise<number> =>
      (await shell(`kubectl exec diary-${at} -- cat /data/diary`)).trim().split('\n').length;
    /** Who is ready has not written yet; what a set tells of itself is of a moment ago. */
    const written = (at: number, count: number) =>
      eventually(`page ${count} of ${at}`, patienceMs, async () =>
        (await pages(at).catch(() => 0)) === count ? true : undefined,
      );
    await shell('kubectl apply -f "$EXAMPLES/storage.yaml"');
    await shell('kubectl rollout status statefulset/diary --timeout=90s');
    const before = await Promise.all([0, 1].map((at) => claimOf('default', `page-diary-${at}`)));
    await written(0, 1);
    // A pod that goes comes back to its page.
    await shell('kubectl delete pod diary-0');
    await written(0, 2);
    // The whole cloud goes down and comes up.
    assert.equal((await real.cloud.caelum('down')).code, 0);
    await startPrepared(real.cloud);
    await written(0, 3);
    // The agent dies while a pod goes; the control plane dies while the set comes back.
    await shell('kubectl delete pod diary-1 --wait=false');
    await kill('node-agent');
    await written(1, 3);
    await shell('kubectl delete statefulset diary --wait=true');
    await real.gone(pods, 'default', 'diary-0');
    await real.gone(pods, 'default', 'diary-1');
    await shell('kubectl apply -f "$EXAMPLES/storage.yaml"');
    await kill('control-plane');
    await kill('node-agent');
    await eventually('the set is there', patienceMs, async () => {
      const set = await real.client.get<StatefulSet>(sets, 'default', 'diary');
      return set.status?.readyReplicas === 2 ? true : undefined;
    });
    await Promise.all([written(0, 4), written(1, 4)]);
    const now = await Promise.all([0, 1].map((at) => claimOf('default', `page-diary-${at}`)));
    assert.deepEqual(
      now.map(({ metadata, spec }) => [metadata.uid, spec?.volumeName]),
      before.map(({ metadata, spec }) => [metadata.uid, spec?.volumeName]),
    );
    // It grows while it is used.
    const asks = '{"spec":{"resources":{"requests":{"storage":"64Mi"}}}}';
    await shell(`kubectl patch pvc page-diary-0 -p '${asks}'`);
    await shell(
      `kubectl wait pvc/page-diary-0 --for=jsonpath='{.status.capacity.storage}'=64Mi --timeout=90s`,
    );
    assert.match(await shell('kubectl get pv'), /64Mi +RWO +Delete +Bound +default\/page-diary-0 +local/);
    // Scaled away: its claim, its volume and its folder go.
    const [first = '', second = ''] = now.map(({ spec }) => spec?.volumeName ?? '');
    assert.deepEqual([...foldersOf()].sort(), [first, second].sort());
    await shell('kubectl scale statefulset diary --replicas=1');
    await real.gone(claims, 'default', 'page-diary-1');
    await real.gone(volumes, undefined, second);
    assert.deepEqual(foldersOf(), [first]);
    const described = await shell(
      'kubectl describe pvc page-diary-0; kubectl describe pv; kubectl describe sc',
    );
    for (const pattern of [
      /Used By: +diary-0/,
      /VolumeResizeSuccessful .*Resize volume succeeded/,
      /Driver: +local\.caelum\.dev/,
      /Term 0: +kubernetes\.io\/hostname in/,
      /IsDefaultClass: +Yes/,
    ])
      assert.match(described, pattern);
    await shell('kubectl delete -f "$EXAMPLES/storage.yaml" && kubectl delete pvc -l app=diary');
    await real.gone(volumes, undefined, first);
    assert.deepEqual(foldersOf(), []);
  });

  test('a volume that is to be retained stays when its claim goes, and can be taken again', async () => {
    const here = await real.namespace();
    await real.create(claims, here, claim('kept'));
    await real.outputOf(here, withClaim('writes', 'kept', 'echo precious > /data/file'));
    const volume = await volumeOf(here, 'kept');
    const { name = '' } = volume.metadata;
    await real.client.patch(volumes, undefined, name, 'merge', {
      spec: { persistentVolumeReclaimPolicy: 'Retain' },
    });
    await real.client.delete(claims, here, 'kept');
    await new Promise((done) => setTimeout(done, 500));
    assert.equal((await claimOf(here, 'kept')).metadata.name, 'kept', 'a pod that has ended names it still');
    await real.client.delete(pods, here, 'writes');
    await real.gone(claims, here, 'kept');
    await eventually('released', patienceMs, async () =>
      (await real.client.get<PersistentVolume>(volumes, undefined, name)).status?.phase === 'Released'
        ? true
        : undefined,
    );
    assert.deepEqual(foldersOf(), [name]);
    // Also when the volume's object goes the folder stays; a volume that names it has it again.
    await real.client.delete(volumes, undefined, name);
    await real.gone(volumes, undefined, name);
    assert.deepEqual(foldersOf(), [name]);
    const { accessModes, capacity, csi, nodeAffinity, storageClassName } = volume.spec ?? {};
    const again = {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'again', labels: volume.metadata.labels },
      spec: { accessModes, capacity, csi, nodeAffinity, storageClassName },
    } as PersistentVolume;
    await real.client.create(volumes, again);
    await real.create(claims, here, claim('again', { volumeName: 'again' }));
    assert.equal(await real.outputOf(here, withClaim('reads', 'again', 'cat /data/file')), 'precious\n');
    await real.client.delete(pods, here, 'reads');
    await real.client.delete(claims, here, 'again');
    await real.gone(claims, here, 'again');
    await real.client.delete(volumes, undefined, 'again');
    await real.gone(volumes, undefined, 'again');
    assert.deepEqual(foldersOf(), [name], 'what is retained is retained');
    rmSync(join(layoutOf(real.cloud.data).node, 'volumes', name), { recursive: true });
  });

  test('pods share a claim: one writes, one may only read; parts of it; the group owns it', async () => {
    const here = await real.namespace();
    await real.create(claims, here, claim('shared', { accessModes: ['ReadWriteMany'] }));
    const group = { securityContext: { runAsUser: 1234, fsGroup: 4321 } };
    await real.create(pods, here, withClaim('writer', 'shared', `echo one > /data/a; ${forever}`, group));
    await real.ready(here, 'writer');
    const { stdout } = await real.execUntil(here, 'writer', 'ls -lan /data; id -G', (output) =>
      / a\n/.test(output.stdout),
    );
    assert.match(stdout, /drwxrws[^\n]* 0 +4321 [^\n]*\.\n/);
    assert.match(stdout, /1234 +4321 [^\n]* a\n/);
    const readOnly = {
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'shared', readOnly: true } }],
    };
    const refused = 'cat /data/a; echo two > /data/b || true';
    const read = await real.outputOf(here, withClaim('reader', 'shared', refused, readOnly));
    assert.match(read, /^one\n/);
    assert.match(read, /Read-only file system/);
    assert.equal((await real.exec(here, 'writer', 'ls /data')).stdout, 'a\n');
    const part = withClaim('part', 'shared', 'echo three > /data/c', {}, { subPath: 'deep/er' });
    await real.outputOf(here, part);
    await real.execUntil(here, 'writer', 'cat /data/deep/er/c', ({ stdout: text }) => text === 'three\n');
    // A link out of the volume leads nowhere.
    await real.exec(here, 'writer', 'ln -s /etc /data/away');
    await real.create(pods, here, withClaim('escapes', 'shared', 'ls /data', {}, { subPath: 'away' }));
    await told(here, 'escapes', /Failed: Error: failed to prepare subPath for volumeMount "data"/);
  });

  test('a claim is not erased under a pod that still runs, whatever is killed', async () => {
    const here = await real.namespace();
    await real.create(claims, here, claim('data'));
    // It does not end when it is told to.
    const stubborn = withClaim(
      'stubborn',
      'data',
      'trap "" TERM; echo x > /data/x; while :; do date > /data/now; sleep 0.2; done',
    );
    await real.create(pods, here, {
      ...stubborn,
      spec: { ...stubborn.spec, terminationGracePeriodSeconds: 4 },
    } as Pod);
    await real.ready(here, 'stubborn');
    const { name = '' } = (await volumeOf(here, 'data')).metadata;
    await real.client.delete(claims, here, 'data');
    // By force: the object goes at once, its container a while later.
    await real.client.delete(pods, here, 'stubborn', { gracePeriodSeconds: 0 });
    await kill('node-agent');
    await real.gone(claims, here, 'data');
    await real.gone(volumes, undefined, name);
    assert.ok(!foldersOf().includes(name));
  });

  test('what cannot be mounted is told, and mounted when it can be', async () => {
    const here = await real.namespace();
    const outside = mkdtempSync(join(tmpdir(), 'caelum-static-'));
    try {
      const path = join(outside, 'disk');
      const node = await real.nodeName();
      const made = async (name: string, spec: PersistentVolumeSpec): Promise<void> => {
        await real.client.create<PersistentVolume>(volumes, {
          apiVersion: 'v1',
          kind: 'PersistentVolume',
          metadata: { name: `${here}-${name}` },
          spec: {
            accessModes: ['ReadWriteOnce'],
            capacity: { storage: '1Gi' },
            claimRef: { namespace: here, name },
            nodeAffinity: {
              required: {
                nodeSelectorTerms: [
                  { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }] },
                ],
              },
            },
            ...spec,
          },
        });
        await real.create(
          claims,
          here,
          claim(name, { storageClassName: '', volumeMode: spec.volumeMode ?? 'Filesystem' }),
        );
      };
      await made('local', { local: { path } });
      await made('host', { hostPath: { path: join(outside, 'host'), type: 'DirectoryOrCreate' } });
      await made('foreign', { csi: { driver: 'disk.example.com', volumeHandle: 'h' } });
      await made('nfs', { nfs: { server: '192.0.2.1', path: '/' } });
      await made('lost', {
        csi: {
          driver: 'local.caelum.dev',
          volumeHandle: `pvc-${'0'.repeat(8)}-0000-4000-8000-${'0'.repeat(12)}`,
        },
      });
      await real.client.patch(volumes, undefined, `${here}-lost`, 'merge', {
        metadata: { annotations: { 'local.caelum.dev/made': 'true' } },
      });
      await made('evil', { csi: { driver: 'local.caelum.dev', volumeHandle: '../../..' } });
      for (const name of ['local', 'host', 'foreign', 'nfs', 'lost', 'evil'])
        await real.create(pods, here, withClaim(name, name, 'echo there > /data/file'));
      await real.ended(here, 'host');
      assert.equal(readFileSync(join(outside, 'host/file'), 'utf8'), 'there\n');
      const setUp = (name: string): string =>
        `FailedMount: MountVolume.SetUp failed for volume "${here}-${name}" : `;
      const texts: Readonly<Record<string, string>> = {
        local: `${setUp('local')}path "${path}" does not exist`,
        foreign: `${setUp('foreign')}kubernetes.io/csi: mounter.SetUpAt failed to get CSI client: driver name disk.example.com not found in the list of registered CSI drivers`,
        nfs: `${setUp('nfs')}volumes of type nfs are not supported by this node`,
        lost: `is not there any more: what was on it is lost`,
        evil: `"../../.." is no volume of this node: it would be called pvc-<uid>`,
      };
      for (const [name, text] of Object.entries(texts))
        await told(here, name, new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')));
      mkdirSync(path);
      await real.ended(here, 'local');
      assert.equal(readFileSync(join(path, 'file'), 'utf8'), 'there\n');
      assert.ok(statSync(path).isDirectory());
      // A block volume is bound, and not mounted here.
      writeFileSync(join(outside, 'image'), '');
      await made('block', { local: { path: join(outside, 'image') }, volumeMode: 'Block' });
      const device = shellPod('block', 'true', {
        container: { volumeDevices: [{ name: 'data', devicePath: '/dev/disk' }] },
        spec: { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'block' } }] },
      });
      await real.create(pods, here, device);
      await told(here, 'block', /FailedMount: .*block volumes are not supported by this node/);
      for (const name of ['local', 'host', 'foreign', 'nfs', 'lost', 'evil', 'block']) {
        await real.client.delete(pods, here, name, { gracePeriodSeconds: 0 });
        await real.client.delete(claims, here, name);
        await real.client.delete(volumes, undefined, `${here}-${name}`);
        await real.gone(volumes, undefined, `${here}-${name}`);
      }
      assert.ok(existsSync(join(path, 'file')), 'what is not ours is not erased');
    } finally {
      rmSync(outside, { recursive: true, force: true });
    }
  });

  test('a volume that is held to its size takes no more, grows, and goes', {
    skip: whyNoLoops() ?? false,
  }, async () => {
    const here = await real.namespace();
    await real.client.create<StorageClass>(ref('storage.k8s.io', 'v1', 'storageclasses', false), {
      metadata: { name: 'bounded' },
      provisioner: 'caelum.dev/local',
      allowVolumeExpansion: true,
      parameters: { enforce: 'true' },
    });
    await real.create(claims, here, claim('data', { storageClassName: 'bounded' }));
    const fill = (mebibytes: number): string =>
      `ls -A /data; dd if=/dev/zero of=/data/big bs=1M count=${mebibytes} 2>&1 && echo fits; echo kept > /data/kept || true`;
    const full = await real.outputOf(
      here,
      withClaim('full', 'data', `${fill(24)}; rm /data/big; echo kept > /data/kept`),
    );
    assert.match(full, /^dd: [^\n]*No space left on device\n/, 'it is empty at first, and full in the end');
    await real.client.delete(pods, here, 'full');
    await real.gone(pods, here, 'full');
    await real.client.patch(claims, here, 'data', 'merge', {
      spec: { resources: { requests: { storage: '64Mi' } } },
    });
    await eventually('it waits for a pod', patienceMs, async () =>
      (await claimOf(here, 'data')).status?.conditions?.find(
        ({ type }) => type === 'FileSystemResizePending',
      ),
    );
    assert.match(await real.outputOf(here, withClaim('more', 'data', fill(24))), /^kept\n(.|\n)*fits\n$/);
    await eventually('the claim says so', patienceMs, async () => {
      const { capacity, conditions } = (await claimOf(here, 'data')).status ?? {};
      return capacity?.['storage'] === '64Mi' && conditions === undefined ? true : undefined;
    });
    await told(
      here,
      'more',
      /^FileSystemResizeSuccessful: MountVolume.NodeExpandVolume succeeded for volume "pvc-/,
    );
    const { name = '' } = (await volumeOf(here, 'data')).metadata;
    await real.client.delete(pods, here, 'more');
    await real.client.delete(claims, here, 'data');
    await real.gone(volumes, undefined, name);
    assert.ok(!foldersOf().includes(name));
  });

  test('a namespace goes with its claims, and these with their folders', async () => {
    const here = await real.namespace();
    await real.create(claims, here, claim('data'));
    await real.create(pods, here, withClaim('user', 'data', forever));
    await real.ready(here, 'user');
    const { name = '' } = (await volumeOf(here, 'data')).metadata;
    assert.ok(foldersOf().includes(name));
    await real.client.delete(core('namespaces', false), undefined, here);
    await real.gone(core('namespaces', false), undefined, here);
    await real.gone(volumes, undefined, name);
    assert.ok(!foldersOf().includes(name));
  });
});
