/**
 * What Kubernetes' conformance suite asks of the volumes that hold configuration, with real containers: what is in the files, whose
 * they are, what mode they have, and that they follow their objects.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { ConfigMap, KeyToPath, Pod, PodSpec, Secret, Volume } from '../src/api/index.ts';
import { eventually, whyNotReal } from './cloud-under-test.ts';
import { core, forever, patienceMs, pods, RealCloud, ref, shellPod } from './real-cloud.ts';

const skip = whyNotReal() ?? false;
const atOnce = { skip, concurrency: 6 };
const configMaps = core('configmaps');
const secrets = core('secrets');

let cloud: RealCloud;
before(async () => {
  if (skip === false) cloud = await RealCloud.start();
});
after(() => cloud?.remove());

const data = { 'data-1': 'value-1', 'data-2': 'value-2', 'data-3': 'value-3' };
const encode = (text: string): string => Buffer.from(text).toString('base64');
const configMap = (name: string, of: Readonly<Record<string, string>> = data): ConfigMap => ({
  metadata: { name },
  data: of,
});
const secret = (name: string, of: Readonly<Record<string, string>> = data): Secret => ({
  metadata: { name },
  data: Object.fromEntries(Object.entries(of).map(([key, text]) => [key, encode(text)])),
});
/** Prints mode, user and group of a file that may be a link, and what it holds. */
const show = (path: string): string => `stat -L -c '%A %u %g' ${path}; cat ${path}`;

type Source = 'configMap' | 'secret' | 'projected configMap' | 'projected secret';

interface How {
  readonly items?: readonly KeyToPath[];
  readonly mode?: number;
  readonly optional?: boolean;
}

function volumeOf(volume: string, source: Source, name: string, how: How = {}): Volume {
  const { items, mode, optional } = how;
  const rest = { ...(items && { items }), ...(optional && { optional }) };
  const defaultMode = mode === undefined ? {} : { defaultMode: mode };
  switch (source) {
    case 'configMap':
      return { name: volume, configMap: { name, ...rest, ...defaultMode } };
    case 'secret':
      return { name: volume, secret: { secretName: name, ...rest, ...defaultMode } };
    case 'projected configMap':
      return { name: volume, projected: { sources: [{ configMap: { name, ...rest } }], ...defaultMode } };
    case 'projected secret':
      return { name: volume, projected: { sources: [{ secret: { name, ...rest } }], ...defaultMode } };
  }
}

async function makeSource(namespace: string, source: Source, name: string): Promise<void> {
  if (source.endsWith('secret')) await cloud.create(secrets, namespace, secret(name));
  else await cloud.create(configMaps, namespace, configMap(name));
}

interface FileCase extends How {
  readonly what: string;
  readonly of: readonly Source[];
  readonly user?: PodSpec['securityContext'];
  readonly path?: string;
  readonly prints: string;
}

const nobody = { runAsUser: 1000 };
const mapped: readonly KeyToPath[] = [{ key: 'data-2', path: 'path/to/data-2' }];
const any: readonly Source[] = ['configMap', 'secret', 'projected configMap', 'projected secret'];
const maps: readonly Source[] = ['configMap', 'projected configMap'];
const hidden: readonly Source[] = ['secret', 'projected secret'];

const fileCases: readonly FileCase[] = [
  // conformance: [sig-storage] ConfigMap should be consumable from pods in volume [NodeConformance]
  // conformance: [sig-storage] Projected configMap should be consumable from pods in volume [NodeConformance]
  // conformance: [sig-storage] Secrets should be consumable from pods in volume [NodeConformance]
  // conformance: [sig-storage] Projected secret should be consumable from pods in volume [NodeConformance]
  { what: 'as it is', of: any, prints: '-rw-r--r-- 0 0\nvalue-1' },
  // conformance: [sig-storage] ConfigMap should be consumable from pods in volume with defaultMode set [LinuxOnly] [NodeConformance]
  // conformance: [sig-storage] Projected configMap should be consumable from pods in volume with defaultMode set [LinuxOnly] [NodeConformance]
  // conformance: [sig-storage] Secrets should be consumable from pods in volume with defaultMode set [LinuxOnly] [NodeConformance]
  // conformance: [sig-storage] Projected secret should be consumable from pods in volume with defaultMode set [LinuxOnly] [NodeConformance]
  { what: 'with a mode', of: any, mode: 0o400, prints: '-r-------- 0 0\nvalue-1' },
  // conformance: [sig-storage] ConfigMap should be consumable from pods in volume as non-root [NodeConformance]
  // conformance: [sig-storage] Projected configMap should be consumable from pods in volume as non-root [NodeConformance]
  { what: 'for somebody', of: maps, user: nobody, prints: '-rw-r--r-- 0 0\nvalue-1' },
  // conformance: [sig-storage] ConfigMap should be consumable from pods in volume with mappings [NodeConformance]
  // conformance: [sig-storage] Projected configMap should be consumable from pods in volume with mappings [NodeConformance]
  // conformance: [sig-storage] Secrets should be consumable from pods in volume with mappings [NodeConformance]
  // conformance: [sig-storage] Projected secret should be consumable from pods in volume with mappings [NodeConformance]
  { what: 'elsewhere', of: any, items: mapped, path: 'path/to/data-2', prints: '-rw-r--r-- 0 0\nvalue-2' },
  // conformance: [sig-storage] ConfigMap should be consumable from pods in volume with mappings and Item mode set [LinuxOnly] [NodeConformance]
  // conformance: [sig-storage] Projected configMap should be consumable from pods in volume with mappings and Item mode set [LinuxOnly] [NodeConformance]
  // conformance: [sig-storage] Secrets should be consumable from pods in volume with mappings and Item Mode set [LinuxOnly] [NodeConformance]
  // conformance: [sig-storage] Projected secret should be consumable from pods in volume with mappings and Item Mode set [LinuxOnly] [NodeConformance]
  {
    what: 'elsewhere, with a mode of its own',
    of: any,
    items: [{ key: 'data-2', path: 'path/to/data-2', mode: 0o400 }],
    path: 'path/to/data-2',
    prints: '-r-------- 0 0\nvalue-2',
  },
  // conformance: [sig-storage] ConfigMap should be consumable from pods in volume with mappings as non-root [NodeConformance]
  // conformance: [sig-storage] Projected configMap should be consumable from pods in volume with mappings as non-root [NodeConformance]
  {
    what: 'elsewhere, for somebody',
    of: maps,
    items: mapped,
    user: nobody,
    path: 'path/to/data-2',
    prints: '-rw-r--r-- 0 0\nvalue-2',
  },
  // conformance: [sig-storage] Secrets should be consumable from pods in volume as non-root with defaultMode and fsGroup set [LinuxOnly] [NodeConformance]
  // conformance: [sig-storage] Projected secret should be consumable from pods in volume as non-root with defaultMode and fsGroup set [LinuxOnly] [NodeConformance]
  {
    what: 'for a group',
    of: hidden,
    mode: 0o440,
    user: { runAsUser: 1000, fsGroup: 1001 },
    prints: '-r--r----- 0 1001\nvalue-1',
  },
];

describe('files of ConfigMaps and Secrets', atOnce, () => {
  for (const { what, of, user, path = 'data-1', prints, ...how } of fileCases)
    for (const source of of)
      test(`${source}: ${what}`, async () => {
        const namespace = await cloud.namespace();
        await makeSource(namespace, source, 'source');
        const container = { volumeMounts: [{ name: 'v', mountPath: '/etc/volume', readOnly: true }] };
        const volumes = [volumeOf('v', source, 'source', how)];
        const spec = { volumes, ...(user && { securityContext: user }) };
        const pod = shellPod('reads', show(`/etc/volume/${path}`), { container, spec });
        assert.equal(await cloud.outputOf(namespace, pod), prints);
      });

  // conformance: [sig-storage] ConfigMap should be consumable in multiple volumes in the same pod [NodeConformance]
  // conformance: [sig-storage] Projected configMap should be consumable in multiple volumes in the same pod [NodeConformance]
  // conformance: [sig-storage] Secrets should be consumable in multiple volumes in a pod [NodeConformance]
  // conformance: [sig-storage] Projected secret should be consumable in multiple volumes in a pod [NodeConformance]
  for (const source of any)
    test(`${source}: in two volumes of a pod`, async () => {
      const namespace = await cloud.namespace();
      await makeSource(namespace, source, 'source');
      const pod = shellPod('reads', `${show('/etc/one/data-1')}; echo; ${show('/etc/two/data-1')}`, {
        container: {
          volumeMounts: [
            { name: 'one', mountPath: '/etc/one', readOnly: true },
            { name: 'two', mountPath: '/etc/two', readOnly: true },
          ],
        },
        spec: { volumes: [volumeOf('one', source, 'source'), volumeOf('two', source, 'source')] },
      });
      const one = '-rw-r--r-- 0 0\nvalue-1';
      assert.equal(await cloud.outputOf(namespace, pod), `${one}\n${one}`);
    });

  // conformance: [sig-storage] Secrets should be able to mount in a volume regardless of a different secret existing with same name in different namespace [NodeConformance]
  test('a Secret is the one of the namespace', async () => {
    const [namespace, other] = [await cloud.namespace(), await cloud.namespace()];
    await cloud.create(
      secrets,
      other,
      secret('source', { this_should_not_match_content_of_other_secret: 'x' }),
    );
    await makeSource(namespace, 'secret', 'source');
    const pod = shellPod('reads', `ls /etc/volume; ${show('/etc/volume/data-1')}`, {
      container: { volumeMounts: [{ name: 'v', mountPath: '/etc/volume', readOnly: true }] },
      spec: { volumes: [volumeOf('v', 'secret', 'source')] },
    });
    assert.equal(await cloud.outputOf(namespace, pod), 'data-1\ndata-2\ndata-3\n-rw-r--r-- 0 0\nvalue-1');
  });

  // conformance: [sig-storage] ConfigMap binary data should be reflected in volume [NodeConformance]
  test('bytes come as they are, beside text', async () => {
    const namespace = await cloud.namespace();
    const binaryData = { 'dump.bin': Buffer.from('decafebad0feff', 'hex').toString('base64') };
    await cloud.create(configMaps, namespace, { ...configMap('source'), binaryData });
    const pod = shellPod('reads', 'cat /etc/volume/data-1; echo; hexdump -C /etc/volume/dump.bin', {
      container: { volumeMounts: [{ name: 'v', mountPath: '/etc/volume', readOnly: true }] },
      spec: { volumes: [volumeOf('v', 'configMap', 'source')] },
    });
    assert.match(await cloud.outputOf(namespace, pod), /^value-1\n00000000 {2}de ca fe ba d0 fe ff /);
  });

  // conformance: [sig-storage] EmptyDir wrapper volumes should not conflict
  test('a Secret and a ConfigMap side by side', async () => {
    const namespace = await cloud.namespace();
    await makeSource(namespace, 'secret', 'same');
    await makeSource(namespace, 'configMap', 'same');
    const pod = shellPod('reads', 'cat /etc/secret-volume/data-1 /etc/configmap-volume/data-1', {
      container: {
        volumeMounts: [
          { name: 'secret-volume', mountPath: '/etc/secret-volume', readOnly: true },
          { name: 'configmap-volume', mountPath: '/etc/configmap-volume' },
        ],
      },
      spec: {
        volumes: [
          volumeOf('secret-volume', 'secret', 'same'),
          volumeOf('configmap-volume', 'configMap', 'same'),
        ],
      },
    });
    assert.equal(await cloud.outputOf(namespace, pod), 'value-1value-1');
  });
});

describe('volumes follow their objects', atOnce, () => {
  // conformance: [sig-storage] ConfigMap updates should be reflected in volume [NodeConformance]
  // conformance: [sig-storage] Projected configMap updates should be reflected in volume [NodeConformance]
  // conformance: [sig-storage] ConfigMap optional updates should be reflected in volume [NodeConformance]
  // conformance: [sig-storage] Projected configMap optional updates should be reflected in volume [NodeConformance]
  // conformance: [sig-storage] Secrets optional updates should be reflected in volume [NodeConformance]
  // conformance: [sig-storage] Projected secret optional updates should be reflected in volume [NodeConformance]
  for (const source of any)
    test(`${source}: one is made, one changes, one goes`, async () => {
      const namespace = await cloud.namespace();
      const isSecret = source.endsWith('secret');
      const of = isSecret ? secrets : configMaps;
      const make = (name: string, what: Readonly<Record<string, string>>) =>
        cloud.create(of, namespace, isSecret ? secret(name, what) : configMap(name, what));
      await make('deleted', { 'data-1': 'value-1' });
      await make('updated', { 'data-1': 'value-1', 'data-2': 'value-2' });
      const names = ['created', 'updated', 'deleted'];
      const container = (name: string) => ({
        name,
        image: 'host.local/busybox',
        command: ['sh', '-c', forever],
        volumeMounts: [{ name, mountPath: `/etc/volumes/${name}`, readOnly: true }],
      });
      const spec = {
        containers: names.map(container),
        volumes: names.map((name) => volumeOf(name, source, name, { optional: true })),
      };
      await cloud.create(pods, namespace, shellPod('follows', '', { spec }));
      await cloud.ready(namespace, 'follows');
      const read = (name: string, key: string) =>
        cloud.exec(namespace, 'follows', `cat /etc/volumes/${name}/${key}`, name);
      assert.equal((await read('deleted', 'data-1')).stdout, 'value-1');
      assert.match((await read('updated', 'data-3')).stderr, /No such file/);
      assert.match((await read('created', 'data-1')).stderr, /No such file/);
      await cloud.client.delete(of, namespace, 'deleted');
      const text = (value: string): string => (isSecret ? encode(value) : value);
      await cloud.client.patch(of, namespace, 'updated', 'merge', {
        data: { 'data-1': null, 'data-2': text('value-2b'), 'data-3': text('value-3') },
      });
      await make('created', { 'data-1': 'value-1' });
      const shows = (name: string, key: string, is: (stdout: string, code: number) => boolean) =>
        cloud.execUntil(
          namespace,
          'follows',
          `cat /etc/volumes/${name}/${key}`,
          ({ stdout, code }) => is(stdout, code),
          name,
        );
      await shows('created', 'data-1', (stdout) => stdout === 'value-1');
      await shows('updated', 'data-3', (stdout) => stdout === 'value-3');
      await shows('updated', 'data-2', (stdout) => stdout === 'value-2b');
      await shows('updated', 'data-1', (_, code) => code !== 0);
      await shows('deleted', 'data-1', (_, code) => code !== 0);
      const { status } = await cloud.pod(namespace, 'follows');
      assert.deepEqual(
        status?.containerStatuses?.map(({ restartCount }) => restartCount),
        [0, 0, 0],
      );
    });

  // conformance: [sig-storage] Downward API volume should update labels on modification [NodeConformance]
  // conformance: [sig-storage] Downward API volume should update annotations on modification [NodeConformance]
  // conformance: [sig-storage] Projected downwardAPI should update labels on modification [NodeConformance]
  // conformance: [sig-storage] Projected downwardAPI should update annotations on modification [NodeConformance]
  for (const kind of ['downward API', 'projected'])
    test(`${kind}: labels and annotations of the pod`, async () => {
      const namespace = await cloud.namespace();
      const items = ['labels', 'annotations'].map((path) => ({
        path,
        fieldRef: { fieldPath: `metadata.${path}` },
      }));
      const volume: Volume =
        kind === 'projected'
          ? { name: 'info', projected: { sources: [{ downwardAPI: { items } }] } }
          : { name: 'info', downwardAPI: { items } };
      const both = { key1: 'value1', key2: 'with "quotes"\nand lines' };
      await cloud.create(
        pods,
        namespace,
        shellPod('follows', forever, {
          labels: { key1: 'value1', key2: 'value2' },
          annotations: both,
          container: { volumeMounts: [{ name: 'info', mountPath: '/etc/podinfo' }] },
          spec: { volumes: [volume] },
        }),
      );
      await cloud.ready(namespace, 'follows');
      const { stdout: labels } = await cloud.exec(namespace, 'follows', 'cat /etc/podinfo/labels');
      assert.equal(labels, 'key1="value1"\nkey2="value2"');
      const { stdout: annotations } = await cloud.exec(namespace, 'follows', 'cat /etc/podinfo/annotations');
      assert.ok(annotations.startsWith('key1="value1"\nkey2="with \\"quotes\\"\\nand lines"'), annotations);
      await cloud.client.patch(pods, namespace, 'follows', 'merge', {
        metadata: { labels: { key3: 'value3' }, annotations: { builder: 'foo' } },
      });
      await cloud.execUntil(namespace, 'follows', 'cat /etc/podinfo/labels', ({ stdout }) =>
        stdout.includes('key3="value3"'),
      );
      await cloud.execUntil(namespace, 'follows', 'cat /etc/podinfo/annotations', ({ stdout }) =>
        stdout.includes('builder="foo"'),
      );
    });
});

interface InfoCase {
  readonly what: string;
  readonly item: NonNullable<NonNullable<Volume['downwardAPI']>['items']>[number];
  readonly mode?: number;
  readonly limited?: boolean;
  readonly prints: string | RegExp;
}

const resource = (name: string) => ({
  path: 'file',
  resourceFieldRef: { containerName: 'main', resource: name },
});
const podName = { path: 'file', fieldRef: { fieldPath: 'metadata.name' } };

const infoCases: readonly InfoCase[] = [
  // conformance: [sig-storage] Downward API volume should provide podname only [NodeConformance]
  // conformance: [sig-storage] Projected downwardAPI should provide podname only [NodeConformance]
  { what: 'the name', item: podName, prints: '-rw-r--r-- 0 0\ninformed' },
  // conformance: [sig-storage] Downward API volume should set DefaultMode on files [LinuxOnly] [NodeConformance]
  // conformance: [sig-storage] Projected downwardAPI should set DefaultMode on files [LinuxOnly] [NodeConformance]
  { what: 'a mode for all files', item: podName, mode: 0o400, prints: '-r-------- 0 0\ninformed' },
  // conformance: [sig-storage] Downward API volume should set mode on item file [LinuxOnly] [NodeConformance]
  // conformance: [sig-storage] Projected downwardAPI should set mode on item file [LinuxOnly] [NodeConformance]
  { what: 'a mode of one file', item: { ...podName, mode: 0o400 }, prints: '-r-------- 0 0\ninformed' },
  // conformance: [sig-storage] Downward API volume should provide container's cpu limit [NodeConformance]
  // conformance: [sig-storage] Projected downwardAPI should provide container's cpu limit [NodeConformance]
  { what: 'cpu limit', item: resource('limits.cpu'), limited: true, prints: '-rw-r--r-- 0 0\n2' },
  // conformance: [sig-storage] Downward API volume should provide container's memory limit [NodeConformance]
  // conformance: [sig-storage] Projected downwardAPI should provide container's memory limit [NodeConformance]
  {
    what: 'memory limit',
    item: resource('limits.memory'),
    limited: true,
    prints: '-rw-r--r-- 0 0\n67108864',
  },
  // conformance: [sig-storage] Downward API volume should provide container's cpu request [NodeConformance]
  // conformance: [sig-storage] Projected downwardAPI should provide container's cpu request [NodeConformance]
  { what: 'cpu request', item: resource('requests.cpu'), limited: true, prints: '-rw-r--r-- 0 0\n1' },
  // conformance: [sig-storage] Downward API volume should provide container's memory request [NodeConformance]
  // conformance: [sig-storage] Projected downwardAPI should provide container's memory request [NodeConformance]
  {
    what: 'memory request',
    item: resource('requests.memory'),
    limited: true,
    prints: '-rw-r--r-- 0 0\n33554432',
  },
  // conformance: [sig-storage] Downward API volume should provide node allocatable (cpu) as default cpu limit if the limit is not set [NodeConformance]
  // conformance: [sig-storage] Projected downwardAPI should provide node allocatable (cpu) as default cpu limit if the limit is not set [NodeConformance]
  { what: 'cpu of the node', item: resource('limits.cpu'), prints: /^-rw-r--r-- 0 0\n[1-9]\d*$/ },
  // conformance: [sig-storage] Downward API volume should provide node allocatable (memory) as default memory limit if the limit is not set [NodeConformance]
  // conformance: [sig-storage] Projected downwardAPI should provide node allocatable (memory) as default memory limit if the limit is not set [NodeConformance]
  { what: 'memory of the node', item: resource('limits.memory'), prints: /^-rw-r--r-- 0 0\n[1-9]\d{7,}$/ },
];

describe('downward API volumes', atOnce, () => {
  for (const { what, item, mode, limited, prints } of infoCases)
    for (const kind of ['downward API', 'projected'])
      test(`${kind}: ${what}`, async () => {
        const namespace = await cloud.namespace();
        const defaultMode = mode === undefined ? {} : { defaultMode: mode };
        const volume: Volume =
          kind === 'projected'
            ? { name: 'info', projected: { sources: [{ downwardAPI: { items: [item] } }], ...defaultMode } }
            : { name: 'info', downwardAPI: { items: [item], ...defaultMode } };
        const resources = {
          requests: { cpu: '250m', memory: '32Mi' },
          limits: { cpu: '1250m', memory: '64Mi' },
        };
        const container = {
          volumeMounts: [{ name: 'info', mountPath: '/etc/podinfo' }],
          ...(limited === true && { resources }),
        };
        const pod = shellPod('informed', show('/etc/podinfo/file'), {
          container,
          spec: { volumes: [volume] },
        });
        const printed = await cloud.outputOf(namespace, pod);
        if (typeof prints === 'string') assert.equal(printed, prints);
        else assert.match(printed, prints);
      });

  // conformance: [sig-storage] Projected combined should project all components that make up the projection API [Projection] [NodeConformance]
  test('all kinds of sources in one volume', async () => {
    const namespace = await cloud.namespace();
    await makeSource(namespace, 'configMap', 'map');
    await makeSource(namespace, 'secret', 'hidden');
    const sources = [
      { secret: { name: 'hidden', items: [{ key: 'data-1', path: 'secret-data' }] } },
      { configMap: { name: 'map', items: [{ key: 'data-2', path: 'configmap-data' }] } },
      { downwardAPI: { items: [{ path: 'podname', fieldRef: { fieldPath: 'metadata.name' } }] } },
      { serviceAccountToken: { path: 'token', expirationSeconds: 600 } },
    ];
    const pod = shellPod(
      'informed',
      'cd /all; for f in podname secret-data configmap-data; do cat $f; echo; done; cut -c1-3 token',
      {
        container: { volumeMounts: [{ name: 'all', mountPath: '/all', readOnly: true }] },
        spec: { volumes: [{ name: 'all', projected: { sources } }] },
      },
    );
    assert.equal(await cloud.outputOf(namespace, pod), 'informed\nvalue-1\nvalue-2\neyJ\n');
  });
});

describe('tokens', atOnce, () => {
  const cases: readonly (readonly [string, PodSpec['securityContext'] | undefined, string])[] = [
    ['nobody in particular', undefined, '-rw-r--r-- 0 0'],
    ['a user', { runAsUser: 1000 }, '-rw------- 1000 0'],
    ['a user of a group', { runAsUser: 1000, fsGroup: 10_000 }, '-rw-r----- 1000 10000'],
    ['a group', { fsGroup: 10_000 }, '-rw-r----- 0 10000'],
  ];
  // conformance: [sig-auth] ServiceAccounts should mount projected service account token
  for (const [who, securityContext, attributes] of cases)
    test(`a token for ${who}`, async () => {
      const namespace = await cloud.namespace();
      const sources = [
        {
          serviceAccountToken: {
            path: 'oidc-token',
            expirationSeconds: 7200,
            audience: 'oidc-discovery-test',
          },
        },
      ];
      const path = '/var/run/secrets/tokens/oidc-token';
      const pod = shellPod('reads', show(path), {
        container: { volumeMounts: [{ name: 'oidc-token', mountPath: '/var/run/secrets/tokens' }] },
        spec: {
          volumes: [{ name: 'oidc-token', projected: { sources } }],
          ...(securityContext && { securityContext }),
        },
      });
      const [found, token = ''] = (await cloud.outputOf(namespace, pod)).split('\n');
      assert.equal(found, attributes);
      const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
        aud: readonly string[];
        sub: string;
      };
      assert.deepEqual(claims.aud, ['oidc-discovery-test']);
      assert.equal(claims.sub, `system:serviceaccount:${namespace}:default`);
    });
});

// conformance: [sig-storage] EmptyDir volumes should support (root,0644,tmpfs) [LinuxOnly] [NodeConformance]
// conformance: [sig-storage] EmptyDir volumes should support (root,0666,tmpfs) [LinuxOnly] [NodeConformance]
// conformance: [sig-storage] EmptyDir volumes should support (root,0777,tmpfs) [LinuxOnly] [NodeConformance]
// conformance: [sig-storage] EmptyDir volumes should support (non-root,0644,tmpfs) [LinuxOnly] [NodeConformance]
// conformance: [sig-storage] EmptyDir volumes should support (non-root,0666,tmpfs) [LinuxOnly] [NodeConformance]
// conformance: [sig-storage] EmptyDir volumes should support (non-root,0777,tmpfs) [LinuxOnly] [NodeConformance]
// conformance: [sig-storage] EmptyDir volumes should support (root,0644,default) [LinuxOnly] [NodeConformance]
// conformance: [sig-storage] EmptyDir volumes should support (root,0666,default) [LinuxOnly] [NodeConformance]
// conformance: [sig-storage] EmptyDir volumes should support (root,0777,default) [LinuxOnly] [NodeConformance]
// conformance: [sig-storage] EmptyDir volumes should support (non-root,0644,default) [LinuxOnly] [NodeConformance]
// conformance: [sig-storage] EmptyDir volumes should support (non-root,0666,default) [LinuxOnly] [NodeConformance]
// conformance: [sig-storage] EmptyDir volumes should support (non-root,0777,default) [LinuxOnly] [NodeConformance]
describe('empty folders', atOnce, () => {
  const modes = { '644': '-rw-r--r--', '666': '-rw-rw-rw-', '777': '-rwxrwxrwx' };
  const kinds = ['', 'Memory'].flatMap((medium) => [0, 1001].map((user) => ({ medium, user })));
  for (const { medium, user } of kinds)
    for (const [mode, letters] of Object.entries(modes))
      test(`files of mode ${mode} for user ${user} in ${medium || 'the default medium'}`, async () => {
        const namespace = await cloud.namespace();
        const line = `stat -f -c %T /test-volume; cd /test-volume; echo new > file; chmod ${mode} file; ${show('file')}`;
        const pod = shellPod('writes', line, {
          container: { volumeMounts: [{ name: 'v', mountPath: '/test-volume' }] },
          spec: { volumes: [{ name: 'v', emptyDir: { medium } }], securityContext: { runAsUser: user } },
        });
        const [type, ...rest] = (await cloud.outputOf(namespace, pod)).trim().split('\n');
        if (medium === 'Memory') assert.equal(type, 'tmpfs');
        assert.deepEqual(rest, [`${letters} ${user} 0`, 'new']);
      });

  // conformance: [sig-storage] EmptyDir volumes volume on tmpfs should have the correct mode [LinuxOnly] [NodeConformance]
  // conformance: [sig-storage] EmptyDir volumes volume on default medium should have the correct mode [LinuxOnly] [NodeConformance]
  for (const medium of ['', 'Memory'])
    test(`the folder itself in ${medium || 'the default medium'}`, async () => {
      const namespace = await cloud.namespace();
      const pod = shellPod(
        'looks',
        'stat -c %A /test-volume; stat -f -c %T /test-volume; ls -A /test-volume',
        {
          container: { volumeMounts: [{ name: 'v', mountPath: '/test-volume' }] },
          spec: { volumes: [{ name: 'v', emptyDir: { medium } }] },
        },
      );
      const printed = await cloud.outputOf(namespace, pod);
      assert.match(printed, medium === 'Memory' ? /^drwxrwxrwx\ntmpfs\n$/ : /^drwxrwxrwx\n.+\n$/);
    });

  // conformance: [sig-storage] EmptyDir volumes pod should support shared volumes between containers
  test('what one container writes the other reads', async () => {
    const namespace = await cloud.namespace();
    const container = (name: string, line: string, mountPath: string) => ({
      name,
      image: 'host.local/busybox',
      command: ['/bin/sh'],
      args: ['-c', line],
      volumeMounts: [{ name: 'shared-data', mountPath }],
    });
    const pod = shellPod('shares', '', {
      spec: {
        terminationGracePeriodSeconds: 0,
        volumes: [{ name: 'shared-data', emptyDir: {} }],
        containers: [
          container('main', forever, '/usr/share/volumeshare'),
          container('sub', 'echo hello from the sub-container > /pod-data/shareddata.txt', '/pod-data'),
        ],
      },
    });
    await cloud.create(pods, namespace, pod);
    await cloud.until(namespace, 'shares', 'runs', ({ status }) => status?.phase === 'Running');
    const { stdout } = await cloud.execUntil(
      namespace,
      'shares',
      'cat /usr/share/volumeshare/shareddata.txt',
      ({ code }) => code === 0,
    );
    assert.equal(stdout, 'hello from the sub-container\n');
  });

  test('memory has the size that is asked for', async () => {
    const namespace = await cloud.namespace();
    const pod = shellPod('looks', 'df -k /test-volume | tail -1', {
      container: { volumeMounts: [{ name: 'v', mountPath: '/test-volume' }] },
      spec: { volumes: [{ name: 'v', emptyDir: { medium: 'Memory', sizeLimit: '10Mi' } }] },
    });
    assert.match(await cloud.outputOf(namespace, pod), / 10240 /);
  });
});

describe('parts of volumes', atOnce, () => {
  interface PartCase {
    readonly volume: Volume;
    readonly subPath: string;
    readonly mountPath?: string;
    readonly prints: string;
  }
  const items = [{ path: 'downward/podname', fieldRef: { fieldPath: 'metadata.name' } }];
  const cases: Readonly<Record<string, PartCase>> = {
    // conformance: [sig-storage] Subpath Atomic writer volumes should support subpaths with secret pod
    'a Secret': { volume: volumeOf('v', 'secret', 'source'), subPath: 'data-1', prints: 'value-1' },
    // conformance: [sig-storage] Subpath Atomic writer volumes should support subpaths with configmap pod
    'a ConfigMap': { volume: volumeOf('v', 'configMap', 'source'), subPath: 'data-1', prints: 'value-1' },
    // conformance: [sig-storage] Subpath Atomic writer volumes should support subpaths with configmap pod with mountPath of existing file
    'a ConfigMap over a file': {
      volume: volumeOf('v', 'configMap', 'source'),
      subPath: 'data-1',
      mountPath: '/etc/resolv.conf',
      prints: 'value-1',
    },
    // conformance: [sig-storage] Subpath Atomic writer volumes should support subpaths with downward pod
    'the downward API': {
      volume: { name: 'v', downwardAPI: { items } },
      subPath: 'downward/podname',
      prints: 'reads',
    },
    // conformance: [sig-storage] Subpath Atomic writer volumes should support subpaths with projected pod
    'projected sources': {
      volume: volumeOf('v', 'projected configMap', 'source', { items: mapped }),
      subPath: 'path/to/data-2',
      prints: 'value-2',
    },
  };
  for (const [what, { volume, subPath, mountPath = '/probe/file', prints }] of Object.entries(cases))
    test(`one file of ${what}, however the volume changes`, async () => {
      const namespace = await cloud.namespace();
      await makeSource(namespace, 'configMap', 'source');
      await makeSource(namespace, 'secret', 'source');
      const whole = { name: 'v', mountPath: '/whole' };
      const pod = shellPod('reads', `cat ${mountPath} && ${forever}`, {
        labels: { app: 'reads' },
        container: { volumeMounts: [{ name: 'v', mountPath, subPath }, whole] },
        spec: { volumes: [volume] },
      });
      await cloud.create(pods, namespace, pod);
      await cloud.ready(namespace, 'reads');
      await cloud.client.patch(configMaps, namespace, 'source', 'merge', { data: { 'data-9': 'new' } });
      await cloud.client.patch(secrets, namespace, 'source', 'merge', { data: { 'data-9': encode('new') } });
      // A file that is mounted by itself stays what it was; it never goes.
      for (let n = 0; n < 5; n++)
        assert.equal((await cloud.exec(namespace, 'reads', `cat ${mountPath}`)).stdout, prints);
      assert.equal((await cloud.exec(namespace, 'reads', `cat /whole/${subPath}`)).stdout, prints);
    });
});

describe('many volumes', { skip }, () => {
  // conformance: [sig-storage] EmptyDir wrapper volumes should not cause race condition when used for configmaps [Serial]
  test('fifty ConfigMaps in each of five pods', async () => {
    const namespace = await cloud.namespace();
    const names = Array.from({ length: 50 }, (_, n) => `racey-configmap-${n}`);
    await Promise.all(names.map((name) => cloud.create(configMaps, namespace, configMap(name))));
    const volumes = names.map((name, n) => volumeOf(`v-${n}`, 'configMap', name, { items: mapped }));
    const volumeMounts = names.map((_, n) => ({ name: `v-${n}`, mountPath: `/etc/config-${n}` }));
    const template = shellPod('', `cat /etc/config-*/path/to/data-2 | wc -c; ${forever}`, {
      container: { volumeMounts },
      spec: { volumes, restartPolicy: 'Always' },
    });
    const labels = { app: 'racey' };
    const controllers = core('replicationcontrollers');
    await cloud.create(controllers, namespace, {
      metadata: { name: 'racey' },
      spec: { replicas: 5, selector: labels, template: { metadata: { labels }, spec: template.spec } },
    } as never);
    const running = await eventually('five pods run', patienceMs, async () => {
      const { items } = await cloud.client.list<Pod>(pods, { namespace });
      const up = items.filter(({ status }) => status?.phase === 'Running');
      return up.length === 5 ? up : undefined;
    });
    for (const { metadata, status } of running) {
      assert.equal(status?.containerStatuses?.[0]?.restartCount, 0);
      await cloud.logUntil(namespace, metadata.name ?? '', 'main', /^350\n$/);
    }
    await cloud.client.delete(controllers, namespace, 'racey', { propagationPolicy: 'Foreground' });
    await cloud.gone(controllers, namespace, 'racey');
  });

  // conformance: [sig-storage] CSIInlineVolumes should support CSIVolumeSource in Pod API
  test('volumes of CSI drivers are part of a pod', async () => {
    const namespace = await cloud.namespace();
    const drivers = ref('storage.k8s.io', 'v1', 'csidrivers', false);
    await cloud.client.create(drivers, {
      metadata: { name: 'inline-driver.example.com' },
      spec: { volumeLifecycleModes: ['Ephemeral'] },
    } as never);
    const csi = { driver: 'inline-driver.example.com', readOnly: true };
    const pod = shellPod('inline', forever, {
      labels: { app: 'inline' },
      container: { volumeMounts: [{ name: 'v', mountPath: '/v' }] },
      spec: { volumes: [{ name: 'v', csi }] },
    });
    await cloud.create(pods, namespace, pod);
    const made = await cloud.pod(namespace, 'inline');
    assert.deepEqual(made.spec?.volumes?.find(({ name }) => name === 'v')?.csi, csi);
    const { items } = await cloud.client.list<Pod>(pods, { labelSelector: 'app=inline' });
    assert.equal(items.length, 1);
    const patched = await cloud.client.patch<Pod>(pods, namespace, 'inline', 'strategic', {
      metadata: { labels: { patched: 'true' } },
    });
    assert.equal(patched.metadata.labels?.['patched'], 'true');
    await cloud.client.delete(pods, namespace, 'inline', { gracePeriodSeconds: 0 });
    await cloud.gone(pods, namespace, 'inline');
    await cloud.client.delete(drivers, undefined, 'inline-driver.example.com');
  });
});
