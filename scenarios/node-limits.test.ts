/** A node that holds its pods to what they may use, on real containers: disk, logs, number; set by a KubeletConfiguration. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { KubeObject, Node, Pod } from '../src/api/index.ts';
import { eventually, whyNotReal } from './cloud-under-test.ts';
import { core, forever, patienceMs, pods, RealCloud, shellPod } from './real-cloud.ts';

const skip = whyNotReal() ?? false;
const folder = mkdtempSync(join(tmpdir(), 'caelum-limits-'));
const manifests = join(folder, 'manifests');
let cloud: RealCloud;
let namespace: string;

before(async () => {
  if (skip) return;
  const file = join(folder, 'node.yaml');
  mkdirSync(manifests);
  writeFileSync(join(manifests, 'own.yaml'), JSON.stringify(shellPod('own', `echo static; ${forever}`)));
  writeFileSync(join(manifests, 'damaged.yaml'), 'kind: [');
  writeFileSync(
    file,
    `apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\ncontainerLogMaxSize: 64Ki\ncontainerLogMaxFiles: 3\nmaxPods: 20\npodPidsLimit: 50\nstaticPodPath: ${manifests}\n`,
  );
  cloud = await RealCloud.start('--node-config', file);
  namespace = await cloud.namespace();
});
after(async () => {
  await cloud?.remove();
  rmSync(folder, { recursive: true, force: true });
});

const eventsOf = async (name: string): Promise<readonly string[]> => {
  const { items } = await cloud.client.list<KubeObject>(core('events'), { namespace });
  return items.flatMap((event) => {
    const { involvedObject, reason, message } = event as unknown as Record<string, unknown>;
    return (involvedObject as { name?: string } | undefined)?.name === name ? [`${reason}: ${message}`] : [];
  });
};

describe('what a node holds its pods to', { skip, concurrency: true }, () => {
  test('a volume that is filled beyond its limit costs the pod its place', async () => {
    const pod = shellPod('filler', `dd if=/dev/zero of=/fill/x bs=1k count=3000; ${forever}`, {
      spec: { volumes: [{ name: 'v', emptyDir: { sizeLimit: '1Mi' } }] },
      container: { volumeMounts: [{ name: 'v', mountPath: '/fill' }] },
    });
    await cloud.create(pods, namespace, pod);
    const { status } = await cloud.ended(namespace, 'filler');
    assert.deepEqual([status?.phase, status?.reason], ['Failed', 'Evicted']);
    assert.equal(status?.message, 'Usage of EmptyDir volume "v" exceeds the limit "1Mi". ');
    assert.ok(status?.containerStatuses?.[0]?.state?.terminated !== undefined);
    await eventually('it is told', patienceMs, async () =>
      (await eventsOf('filler')).find((line) => line.startsWith('Evicted: Usage of EmptyDir')),
    );
  });

  test('so does what is written into the root beyond the limit of the container', async () => {
    const pod = shellPod('writer', `dd if=/dev/zero of=/x bs=1k count=3000; ${forever}`, {
      container: { resources: { limits: { 'ephemeral-storage': '1Mi' } } },
    });
    await cloud.create(pods, namespace, pod);
    const { status } = await cloud.ended(namespace, 'writer');
    assert.equal(status?.reason, 'Evicted');
    assert.match(
      status?.message ?? '',
      /exceeds the total limit of containers 1Mi|exceeded its local ephemeral/,
    );
  });

  test('logs are set aside when they have grown, and few are kept', async () => {
    // 100 lines of a kilobyte each make more than one file.
    const line = `i=0; while [ $i -lt 400 ]; do printf '%01000d\\n' $i; i=$((i+1)); [ $((i%100)) = 0 ] && sleep 11; done; ${forever}`;
    await cloud.create(pods, namespace, shellPod('talker', line));
    const { metadata } = await cloud.ready(namespace, 'talker');
    const logs = join(cloud.cloud.data, 'node/logs', `${namespace}_talker_${metadata.uid}`, 'main');
    const files = await eventually('rotated twice', patienceMs, async () => {
      const found = readdirSync(logs);
      return found.length >= 3 ? found : undefined;
    });
    assert.ok(files.length <= 3, files.join(' '));
    assert.ok(statSync(join(logs, '0.log')).size < 300_000);
    await cloud.logUntil(namespace, 'talker', 'main', /^0*\d+\n$/, '&tailLines=1');
  });

  test('a pod has no more processes than it may', async () => {
    const line =
      'sh -c "i=0; while [ \\$i -lt 80 ]; do sleep 100 & i=\\$((i+1)); done; echo all"; kill -9 -1; exit 0';
    await cloud.create(pods, namespace, shellPod('forker', line));
    await cloud.ended(namespace, 'forker');
    assert.match(await cloud.log(namespace, 'forker', 'main'), /fork|Resource temporarily unavailable/);
  });

  test('a node has no more pods than it says', async () => {
    const node = await cloud.client.get<Node>(core('nodes', false), undefined, await cloud.nodeName());
    assert.equal(node.status?.capacity?.['pods'], '20');
    const pressed = node.status?.conditions?.filter(({ type }) => /Pressure$/.test(type)) ?? [];
    assert.equal(pressed.length, 3);
  });

  test('a pod that was sent here past the scheduler and does not fit is rejected', async () => {
    const nodeName = await cloud.nodeName();
    const pod = shellPod('huge', forever, {
      spec: { nodeName },
      container: { resources: { requests: { cpu: '500' } } },
    });
    await cloud.create(pods, namespace, pod);
    const { status } = await cloud.ended(namespace, 'huge');
    assert.deepEqual([status?.phase, status?.reason], ['Failed', 'OutOfcpu']);
    assert.match(
      status?.message ?? '',
      /^Pod was rejected: Node didn't have enough resource: cpu, requested: 500000, used: \d+, capacity: \d+$/,
    );
  });

  test('a pod of a file on the node runs whatever the API is told, and goes with its file', async () => {
    const name = `own-${await cloud.nodeName()}`;
    const shown = await cloud.ready('default', name);
    const [before] = shown.status?.containerStatuses ?? [];
    assert.equal(shown.metadata.annotations?.['kubernetes.io/config.source'], 'file');
    await cloud.logUntil('default', name, 'main', /static/);
    assert.equal((await cloud.exec('default', name, 'hostname')).stdout.trim(), name);
    await cloud.client.delete(pods, 'default', name);
    await eventually('another mirror', patienceMs, async () => {
      const found = await cloud.find<Pod>(pods, 'default', name);
      const isAnother = found !== undefined && found.metadata.uid !== shown.metadata.uid;
      const [main] = found?.status?.containerStatuses ?? [];
      return isAnother && main?.containerID === before?.containerID ? true : undefined;
    });
    rmSync(join(manifests, 'own.yaml'));
    await cloud.gone(pods, 'default', name);
  });
});
