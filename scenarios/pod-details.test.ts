/** What manifests say of a pod beside its containers, on real containers: who it runs as, how it ends, what it is called, what it has as a whole. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { KubeObject, Pod } from '../src/api/index.ts';
import { eventually, whyNotReal } from './cloud-under-test.ts';
import { busybox, core, forever, patienceMs, pods, RealCloud, shellPod } from './real-cloud.ts';

const skip = whyNotReal() ?? false;
let cloud: RealCloud;
let namespace: string;

before(async () => {
  if (skip) return;
  cloud = await RealCloud.start();
  namespace = await cloud.namespace();
});
after(async () => {
  await cloud?.remove();
});

/** Both layouts of cgroups. */
const memoryLimit = 'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null';

describe('who it runs as', { skip, concurrency: true }, () => {
  test('groups of the image, or only those that were named; the status tells', async () => {
    for (const [policy, groups] of [
      ['Merge', [0, 3000, 4000]],
      ['Strict', [0, 3000, 4000]],
    ] as const) {
      const name = `groups-${policy.toLowerCase()}`;
      const pod = shellPod(name, forever, {
        spec: {
          securityContext: {
            runAsUser: 1000,
            runAsGroup: 0,
            supplementalGroups: [3000, 4000],
            supplementalGroupsPolicy: policy,
          },
        },
      });
      await cloud.create(pods, namespace, pod);
      const ready = await cloud.ready(namespace, name);
      const { linux } = ready.status?.containerStatuses?.[0]?.user ?? {};
      assert.deepEqual([linux?.uid, linux?.gid, linux?.supplementalGroups], [1000, 0, [...groups]]);
      assert.match((await cloud.exec(namespace, name, 'id')).stdout, /uid=1000 gid=0.*groups=.*3000,4000/);
    }
  });

  test('the status tells where volumes are, and what is read-only all the way down', async () => {
    const pod = shellPod('mounts', 'mount | grep " /deep\\| /plain"; touch /deep/x 2>&1; true', {
      spec: { volumes: [{ name: 'v', emptyDir: {} }] },
      container: {
        volumeMounts: [
          { name: 'v', mountPath: '/deep', readOnly: true, recursiveReadOnly: 'Enabled' },
          { name: 'v', mountPath: '/plain' },
        ],
      },
    });
    assert.match(await cloud.outputOf(namespace, pod), /Read-only file system/);
    const { status } = await cloud.pod(namespace, 'mounts');
    const mounts = status?.containerStatuses?.[0]?.volumeMounts?.filter(({ name }) => name === 'v');
    assert.deepEqual(mounts, [
      { name: 'v', mountPath: '/deep', readOnly: true, recursiveReadOnly: 'Enabled' },
      { name: 'v', mountPath: '/plain' },
    ]);
  });
});

describe('how it ends', { skip, concurrency: true }, () => {
  const events = async (name: string): Promise<string> => {
    const { items } = await cloud.client.list<KubeObject>(core('events'), { namespace });
    return JSON.stringify(
      items.filter(
        (one) => (one as unknown as { involvedObject?: { name?: string } }).involvedObject?.name === name,
      ),
    );
  };

  test('by the signal that it names, after its preStop sleep', async () => {
    const line =
      'trap "echo usr1 > /v/how; exit 0" USR1; trap "echo term > /v/how; exit 0" TERM; while :; do sleep 1 & wait; done';
    const volumes = [{ name: 'v', hostPath: { path: `${cloud.cloud.data}/how`, type: 'DirectoryOrCreate' } }];
    const pod = shellPod('signalled', line, {
      spec: { volumes, terminationGracePeriodSeconds: 20, os: { name: 'linux' } },
      container: {
        volumeMounts: [{ name: 'v', mountPath: '/v' }],
        lifecycle: { stopSignal: 'SIGUSR1', preStop: { sleep: { seconds: 2 } } },
      },
    });
    await cloud.create(pods, namespace, pod);
    const ready = await cloud.ready(namespace, 'signalled');
    assert.equal(ready.status?.containerStatuses?.[0]?.stopSignal, 'SIGUSR1');
    const startedMs = performance.now();
    await cloud.client.delete(pods, namespace, 'signalled');
    await cloud.gone(pods, namespace, 'signalled');
    assert.ok(performance.now() - startedMs >= 2000);
    const reader = shellPod('reader', 'cat /v/how', {
      spec: { volumes },
      container: { volumeMounts: [{ name: 'v', mountPath: '/v' }] },
    });
    assert.equal(await cloud.outputOf(namespace, reader), 'usr1\n');
  });

  test('a probe that fails gives it as long as the probe says', async () => {
    const pod = shellPod('probed', 'trap "" TERM; while :; do sleep 1; done', {
      spec: { restartPolicy: 'Always', terminationGracePeriodSeconds: 300 },
      container: {
        livenessProbe: {
          exec: { command: ['false'] },
          periodSeconds: 1,
          failureThreshold: 1,
          terminationGracePeriodSeconds: 1,
        },
      },
    });
    await cloud.create(pods, namespace, pod);
    await cloud.until(
      namespace,
      'probed',
      'is restarted',
      ({ status }) => (status?.containerStatuses?.[0]?.restartCount ?? 0) > 0,
    );
    await eventually('it is told why', patienceMs, async () =>
      /Container main failed liveness probe, will be restarted/.test(await events('probed'))
        ? true
        : undefined,
    );
    await cloud.client.delete(pods, namespace, 'probed', { gracePeriodSeconds: 0 });
  });

  test('helpers end after those whom they help, the last first', async () => {
    const say = (name: string) =>
      `trap "sleep 0.2; echo ${name} >> /v/order; exit 0" TERM; touch /tmp/up; while :; do sleep 1 & wait; done`;
    // Who has not come to its trap yet does not hear that it is to end.
    const isUp = { exec: { command: ['test', '-f', '/tmp/up'] }, periodSeconds: 1, failureThreshold: 60 };
    const volumes = [
      { name: 'v', hostPath: { path: `${cloud.cloud.data}/order`, type: 'DirectoryOrCreate' } },
    ];
    const volumeMounts = [{ name: 'v', mountPath: '/v' }];
    const helper = (name: string) => ({
      name,
      image: busybox,
      command: ['sh', '-c', say(name)],
      restartPolicy: 'Always',
      startupProbe: isUp,
      volumeMounts,
    });
    const pod = shellPod('helped', say('main'), {
      spec: {
        volumes,
        terminationGracePeriodSeconds: 20,
        initContainers: [helper('first'), helper('second')],
      },
      container: { volumeMounts, readinessProbe: isUp },
    });
    await cloud.create(pods, namespace, pod);
    await cloud.ready(namespace, 'helped');
    await cloud.client.delete(pods, namespace, 'helped');
    await cloud.gone(pods, namespace, 'helped');
    const reader = shellPod('order', 'cat /v/order', { spec: { volumes }, container: { volumeMounts } });
    assert.equal(await cloud.outputOf(namespace, reader), 'main\nsecond\nfirst\n');
  });
});

describe('what it is called', { skip, concurrency: true }, () => {
  test('the whole name as host name, aliases, and a resolver of its own', async () => {
    const pod = shellPod('named', 'hostname; cat /etc/hosts /etc/resolv.conf', {
      spec: {
        hostname: 'web',
        subdomain: 'sub',
        setHostnameAsFQDN: true,
        hostAliases: [{ ip: '192.0.2.7', hostnames: ['seven', 'sieben'] }],
        dnsPolicy: 'None',
        dnsConfig: {
          nameservers: ['192.0.2.53'],
          searches: ['example.test'],
          options: [{ name: 'ndots', value: '3' }],
        },
      },
    });
    const text = await cloud.outputOf(namespace, pod);
    const full = `web.sub.${namespace}.svc.cluster.local`;
    assert.ok(text.startsWith(`${full}\n`), text);
    assert.match(text, /192\.0\.2\.7\tseven\tsieben/);
    assert.match(text, /search example\.test\nnameserver 192\.0\.2\.53\noptions ndots:3\n/);
    const { status } = await cloud.pod(namespace, 'named');
    assert.equal(status?.hostIPs?.[0]?.ip, status?.hostIP);
    assert.equal(status?.podIPs?.[0]?.ip, status?.podIP);
  });

  test('a name that is too long for the kernel is told', async () => {
    const pod = shellPod('long', forever, {
      spec: { hostname: 'a'.repeat(60), subdomain: 'sub', setHostnameAsFQDN: true },
    });
    await cloud.create(pods, namespace, pod);
    await cloud.until(namespace, 'long', 'says so', ({ status }) =>
      /FQDN a{60}\.sub\..* is too long \(64 characters is the max, \d+ characters requested\)/.test(
        status?.containerStatuses?.[0]?.state?.waiting?.message ?? '',
      ),
    );
    await cloud.client.delete(pods, namespace, 'long');
  });
});

describe('what it has as a whole', { skip, concurrency: true }, () => {
  test('limits of the pod hold containers that have none, and can be changed while it runs', async () => {
    const container = (name: string) => ({ name, image: busybox, command: ['sh', '-c', forever] });
    const pod: Pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'whole' },
      spec: {
        terminationGracePeriodSeconds: 1,
        resources: { requests: { cpu: '50m', memory: '32Mi' }, limits: { cpu: '100m', memory: '64Mi' } },
        containers: [
          {
            ...container('a'),
            env: [{ name: 'LIMIT', valueFrom: { resourceFieldRef: { resource: 'limits.memory' } } }],
          },
          container('b'),
        ],
      },
    };
    await cloud.create(pods, namespace, pod);
    const { status } = await cloud.ready(namespace, 'whole');
    assert.deepEqual(status?.resources, pod.spec?.resources);
    assert.deepEqual(status?.allocatedResources, pod.spec?.resources?.requests);
    assert.equal(
      (await cloud.exec(namespace, 'whole', 'echo $LIMIT', 'a')).stdout.trim(),
      String(64 * 2 ** 20),
    );
    assert.equal(
      (await cloud.exec(namespace, 'whole', memoryLimit, 'b')).stdout.trim(),
      String(64 * 2 ** 20),
    );
    const resources = { requests: { cpu: '60m', memory: '40Mi' }, limits: { cpu: '120m', memory: '80Mi' } };
    await cloud.client.patch(
      pods,
      namespace,
      'whole',
      'strategic',
      { spec: { resources } },
      { subresource: 'resize' },
    );
    await cloud.until(
      namespace,
      'whole',
      'is resized',
      (found) => found.status?.resources?.limits?.['memory'] === '80Mi',
    );
    await cloud.execUntil(
      namespace,
      'whole',
      memoryLimit,
      ({ stdout }) => stdout.trim() === String(80 * 2 ** 20),
      'b',
    );
  });
});
