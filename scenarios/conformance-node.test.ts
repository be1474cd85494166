/**
 * What Kubernetes' conformance suite asks of containers, with real ones: what they are started with, who they are, what is said of them
 * when they end.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { ConfigMap, Container, Pod, PodSpec, Secret, Service, Volume } from '../src/api/index.ts';
import { isError } from '../src/lib/index.ts';
import { whyNotReal } from './cloud-under-test.ts';
import { busybox, core, forever, pods, RealCloud, shellPod } from './real-cloud.ts';

const skip = whyNotReal() ?? false;
const atOnce = { skip, concurrency: 6 };
const configMaps = core('configmaps');
const secrets = core('secrets');

let cloud: RealCloud;
before(async () => {
  if (skip === false) cloud = await RealCloud.start();
});
after(() => cloud?.remove());

const linesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '');

/** Runs a pod that prints its environment, and answers it. */
async function environmentOf(namespace: string, pod: Pod): Promise<Map<string, string>> {
  const text = await cloud.outputOf(namespace, pod);
  return new Map(linesOf(text).map((line) => line.split(/=(.*)/s, 2) as [string, string]));
}

function assertHas(environment: ReadonlyMap<string, string>, wanted: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(wanted)) assert.equal(environment.get(name), value, name);
}

describe('environment', atOnce, () => {
  const data = { data_1: 'value-1', data_2: 'value-2', data_3: 'value-3' };
  const map: ConfigMap = { metadata: { name: 'source' }, data };
  const secret: Secret = { metadata: { name: 'source' }, stringData: data };
  const kinds = ['configMap', 'secret'] as const;
  const make = (namespace: string, kind: (typeof kinds)[number]) =>
    kind === 'secret' ? cloud.create(secrets, namespace, secret) : cloud.create(configMaps, namespace, map);

  // conformance: [sig-node] ConfigMap should be consumable via the environment [NodeConformance]
  // conformance: [sig-node] Secrets should be consumable via the environment [NodeConformance]
  for (const kind of kinds)
    test(`${kind}: all of it, and one key of it`, async () => {
      const namespace = await cloud.namespace();
      await make(namespace, kind);
      const env = [{ name: 'ONE', valueFrom: { [`${kind}KeyRef`]: { name: 'source', key: 'data_2' } } }];
      const envFrom = [{ [`${kind}Ref`]: { name: 'source' } }];
      const pod = shellPod('prints', 'env', { container: { env, envFrom } });
      assertHas(await environmentOf(namespace, pod), { ...data, ONE: 'value-2' });
    });

  // conformance: [sig-node] ConfigMap should be consumable as environment variable names with various prefixes
  // conformance: [sig-node] Secrets should be consumable as environment variable names variable names with various prefixes
  for (const kind of kinds)
    test(`${kind}: with any prefix that can be printed`, async () => {
      const namespace = await cloud.namespace();
      await make(namespace, kind);
      const prefixes = ['p_', 'p-', '1', '-a.', '$_-.', 'a b', '#?!@%^&*()[]{}:;"\'<>,/\\|~`+'];
      const envFrom = prefixes.map((prefix) => ({ prefix, [`${kind}Ref`]: { name: 'source' } }));
      const pod = shellPod('prints', 'tr "\\0" "\\n" < /proc/self/environ', { container: { envFrom } });
      const wanted = prefixes.flatMap((prefix) =>
        Object.entries(data).map(([name, value]) => [`${prefix}${name}`, value]),
      );
      // A shell drops names that it cannot use: the program itself has to look.
      const direct = { ...pod, spec: { ...pod.spec, containers: [readsEnvironment(envFrom)] } as PodSpec };
      assertHas(await environmentOf(namespace, direct), Object.fromEntries(wanted));
    });

  const readsEnvironment = (envFrom: NonNullable<Container['envFrom']>): Container => ({
    name: 'main',
    image: busybox,
    command: ['busybox', 'env'],
    envFrom,
  });

  // conformance: [sig-node] Downward API should provide pod name, namespace and IP address as env vars [NodeConformance]
  // conformance: [sig-node] Downward API should provide pod UID as env vars [NodeConformance]
  // conformance: [sig-node] Downward API should provide host IP as an env var [NodeConformance]
  // conformance: [sig-node] Downward API should provide hostIPs as an env var [NodeConformance]
  test('what the pod is and where it is', async () => {
    const namespace = await cloud.namespace();
    const paths = {
      NAME: 'metadata.name',
      NAMESPACE: 'metadata.namespace',
      UID: 'metadata.uid',
      POD_IP: 'status.podIP',
      POD_IPS: 'status.podIPs',
      HOST_IP: 'status.hostIP',
      HOST_IPS: 'status.hostIPs',
      NODE: 'spec.nodeName',
      ACCOUNT: 'spec.serviceAccountName',
      LABEL: "metadata.labels['app']",
    };
    const env = Object.entries(paths).map(([name, fieldPath]) => ({
      name,
      valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath } },
    }));
    const pod = shellPod('prints', 'env', { container: { env }, labels: { app: 'informed' } });
    const environment = await environmentOf(namespace, pod);
    const { metadata, status, spec } = await cloud.pod(namespace, 'prints');
    assertHas(environment, {
      NAME: 'prints',
      NAMESPACE: namespace,
      UID: metadata.uid ?? '',
      POD_IP: status?.podIP ?? '',
      POD_IPS: status?.podIPs?.map(({ ip }) => ip).join(',') ?? '',
      HOST_IP: await cloud.nodeAddress(),
      HOST_IPS: status?.hostIPs?.map(({ ip }) => ip).join(',') ?? '',
      NODE: spec?.nodeName ?? '',
      ACCOUNT: 'default',
      LABEL: 'informed',
    });
    assert.match(status?.podIP ?? '', /^\d+(\.\d+){3}$/);
  });

  // conformance: [sig-node] Downward API should provide container's limits.cpu/memory and requests.cpu/memory as env vars [NodeConformance]
  // conformance: [sig-node] Downward API should provide default limits.cpu/memory from node allocatable [NodeConformance]
  for (const isLimited of [true, false])
    test(`what the container may use, ${isLimited ? 'as it says' : 'as the node has it'}`, async () => {
      const namespace = await cloud.namespace();
      const names = ['limits.cpu', 'limits.memory', 'requests.cpu', 'requests.memory'];
      const env = names.map((resource) => ({
        name: resource.toUpperCase().replace('.', '_'),
        valueFrom: { resourceFieldRef: { resource } },
      }));
      const resources = {
        requests: { cpu: '250m', memory: '32Mi' },
        limits: { cpu: '1250m', memory: '64Mi' },
      };
      const pod = shellPod('prints', 'env', { container: { env, ...(isLimited && { resources }) } });
      const environment = await environmentOf(namespace, pod);
      if (isLimited)
        assertHas(environment, {
          LIMITS_CPU: '2',
          LIMITS_MEMORY: '67108864',
          REQUESTS_CPU: '1',
          REQUESTS_MEMORY: '33554432',
        });
      else {
        assert.match(environment.get('LIMITS_CPU') ?? '', /^[1-9]\d*$/);
        assert.match(environment.get('LIMITS_MEMORY') ?? '', /^[1-9]\d{7,}$/);
      }
    });

  // conformance: [sig-node] Pods should contain environment variables for services [NodeConformance]
  test('the services that there are', async () => {
    const namespace = await cloud.namespace();
    const service: Service = {
      metadata: { name: 'fooservice' },
      spec: { ports: [{ port: 8765, targetPort: 8080 }], selector: { name: 'server' } },
    };
    const { spec } = await cloud.create(core('services'), namespace, service);
    const address = spec?.clusterIP ?? '';
    assertHas(await environmentOf(namespace, shellPod('prints', 'env')), {
      FOOSERVICE_SERVICE_HOST: address,
      FOOSERVICE_SERVICE_PORT: '8765',
      FOOSERVICE_PORT: `tcp://${address}:8765`,
      FOOSERVICE_PORT_8765_TCP: `tcp://${address}:8765`,
      FOOSERVICE_PORT_8765_TCP_PORT: '8765',
      FOOSERVICE_PORT_8765_TCP_PROTO: 'tcp',
      FOOSERVICE_PORT_8765_TCP_ADDR: address,
      KUBERNETES_SERVICE_PORT: '443',
    });
  });

  // conformance: [sig-node] Secrets should fail to create secret due to empty secret key
  test('a Secret has no empty key', async () => {
    const namespace = await cloud.namespace();
    const bad: Secret = { metadata: { name: 'bad' }, data: { '': 'dmFsdWUtMQo=' } };
    await assert.rejects(cloud.create(secrets, namespace, bad), (error) => isError(error, 'invalid'));
  });

  // conformance: [sig-node] ConfigMap should update ConfigMap successfully [NodeConformance]
  test('a ConfigMap is replaced', async () => {
    const namespace = await cloud.namespace();
    const made = await cloud.create(configMaps, namespace, map);
    await cloud.client.update<ConfigMap>(configMaps, { ...made, data: { data: 'value' } });
    const found = await cloud.client.get<ConfigMap>(configMaps, namespace, 'source');
    assert.deepEqual(found.data, { data: 'value' });
  });
});

describe('names in commands and paths', atOnce, () => {
  const env = [{ name: 'TEST_VAR', value: 'test-value' }];
  const line = 'TEST_VAR=wrong echo "$(TEST_VAR)"';

  // conformance: [sig-node] Variable Expansion should allow substituting values in a container's command [NodeConformance]
  test('of the command', async () => {
    const pod = shellPod('expands', line, { container: { env } });
    assert.equal(await cloud.outputOf(await cloud.namespace(), pod), 'test-value\n');
  });

  // conformance: [sig-node] Variable Expansion should allow substituting values in a container's args [NodeConformance]
  test('of the arguments', async () => {
    const container = { env, command: ['sh', '-c'], args: [line] };
    assert.equal(
      await cloud.outputOf(await cloud.namespace(), shellPod('expands', '', { container })),
      'test-value\n',
    );
  });

  const volumes: readonly Volume[] = [{ name: 'workdir1', emptyDir: {} }];
  const part = (subPathExpr: string, mountPath: string) => ({ name: 'workdir1', mountPath, subPathExpr });
  const whole = (mountPath: string) => ({ name: 'workdir1', mountPath });
  const podName = (value: string) => [{ name: 'POD_NAME', value }];
  const annotation = [
    ...podName('foo'),
    {
      name: 'ANNOTATION',
      valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: "metadata.annotations['mysubpath']" } },
    },
  ];

  // conformance: [sig-node] Variable Expansion should allow substituting values in a volume subpath
  test('of a path in a volume', async () => {
    const volumeMounts = [part('$(POD_NAME)', '/logscontainer'), whole('/testcontainer')];
    const pod = shellPod('expands', 'test -d /testcontainer/expands; echo $?', {
      container: { env: podName('expands'), volumeMounts },
      spec: { volumes },
    });
    assert.equal(await cloud.outputOf(await cloud.namespace(), pod), '0\n');
  });

  // conformance: [sig-node] Variable Expansion should fail substituting values in a volume subpath with backticks
  // conformance: [sig-node] Variable Expansion should fail substituting values in a volume subpath with absolute path
  const refused = {
    '..': "unable to provision SubPath `..`: must not contain '..'",
    '/tmp': 'error SubPath `/tmp` must not be an absolute path',
  };
  for (const [value, message] of Object.entries(refused))
    test(`that lead to ${value} are refused`, async () => {
      const namespace = await cloud.namespace();
      const pod = shellPod('fails', 'true', {
        container: { env: podName(value), volumeMounts: [part('$(POD_NAME)', '/logscontainer')] },
        spec: { volumes },
      });
      await cloud.create(pods, namespace, pod);
      const { status } = await cloud.until(namespace, 'fails', 'cannot be made', (found) =>
        isWaiting(found, 'CreateContainerConfigError'),
      );
      assert.equal(status?.containerStatuses?.[0]?.state?.waiting?.message, message);
      await cloud.client.delete(pods, namespace, 'fails');
      await cloud.gone(pods, namespace, 'fails');
    });

  const isWaiting = ({ status }: Pod, reason: string): boolean =>
    status?.containerStatuses?.[0]?.state?.waiting?.reason === reason;

  // conformance: [sig-node] Variable Expansion should verify that a failing subpath expansion can be modified during the lifecycle of a container [Slow]
  // conformance: [sig-node] Variable Expansion should succeed in writing subpaths in container
  test('that are missing are waited for; a container keeps the path that it began with', async () => {
    const namespace = await cloud.namespace();
    const pod = shellPod('waits', 'tail -f /dev/null', {
      annotations: { notmysubpath: 'mypath' },
      container: {
        env: annotation,
        volumeMounts: [part('$(ANNOTATION)/$(POD_NAME)', '/subpath_mount'), whole('/volume_mount')],
      },
      spec: { volumes },
    });
    await cloud.create(pods, namespace, pod);
    const { status } = await cloud.until(namespace, 'waits', 'waits', (found) =>
      isWaiting(found, 'CreateContainerConfigError'),
    );
    const words = status?.containerStatuses?.[0]?.state?.waiting?.message;
    assert.equal(words, 'missing value for ANNOTATION');
    const annotate = (mysubpath: string) =>
      cloud.client.patch(pods, namespace, 'waits', 'merge', { metadata: { annotations: { mysubpath } } });
    await annotate('mypath');
    await cloud.ready(namespace, 'waits');
    await cloud.exec(namespace, 'waits', 'touch /volume_mount/mypath/foo/test.log');
    assert.equal((await cloud.exec(namespace, 'waits', 'test -f /subpath_mount/test.log')).code, 0);
    await annotate('mynewpath');
    assert.equal((await cloud.exec(namespace, 'waits', 'test -f /subpath_mount/test.log')).code, 0);
    await cloud.client.delete(pods, namespace, 'waits');
    await cloud.gone(pods, namespace, 'waits');
  });
});

describe('programs and who runs them', atOnce, () => {
  const image = 'example.com/entry:v1';
  let folder: string;
  before(async () => {
    if (skip !== false) return;
    folder = mkdtempSync(join(tmpdir(), 'caelum-image-'));
    makeArchive(folder);
    const { code, stderr } = await cloud.cloud.caelum('image', 'import', join(folder, 'image.tar'));
    assert.equal(code, 0, stderr);
  });
  after(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  /** An image that says what it was started with, unless it is told otherwise. */
  function makeArchive(at: string): void {
    const path = execFileSync('sh', ['-c', 'command -v busybox'], { encoding: 'utf8' }).trim();
    mkdirSync(join(at, 'root/bin'), { recursive: true });
    copyFileSync(path, join(at, 'root/bin/busybox'));
    const config = {
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      config: { Entrypoint: ['/bin/busybox', 'echo', 'entry'], Cmd: ['default', 'arguments'] },
      rootfs: { type: 'layers', diff_ids: [] as string[] },
    };
    const tar = (...words: string[]): string => execFileSync('tar', words, { cwd: at, encoding: 'utf8' });
    tar('-C', 'root', '-cf', 'layer.tar', '.');
    const digest =
      execFileSync('sha256sum', [join(at, 'layer.tar')], { encoding: 'utf8' }).split(' ')[0] ?? '';
    config.rootfs.diff_ids.push(`sha256:${digest}`);
    writeFileSync(join(at, 'config.json'), JSON.stringify(config));
    const manifest = [{ Config: 'config.json', RepoTags: [image], Layers: ['layer.tar'] }];
    writeFileSync(join(at, 'manifest.json'), JSON.stringify(manifest));
    tar('-cf', 'image.tar', 'manifest.json', 'config.json', 'layer.tar');
  }

  const commands: Readonly<Record<string, { container: Partial<Container>; prints: string }>> = {
    // conformance: [sig-node] Containers should use the image defaults if command and args are blank [NodeConformance]
    "the image's": { container: {}, prints: 'entry default arguments\n' },
    // conformance: [sig-node] Containers should be able to override the image's default arguments (container cmd) [NodeConformance]
    'other arguments': { container: { args: ['override', 'them'] }, prints: 'entry override them\n' },
    // conformance: [sig-node] Containers should be able to override the image's default command (container entrypoint) [NodeConformance]
    'another command': { container: { command: ['/bin/busybox', 'echo', 'own'] }, prints: 'own\n' },
    // conformance: [sig-node] Containers should be able to override the image's default command and arguments [NodeConformance]
    'another command and its arguments': {
      container: { command: ['/bin/busybox', 'echo'], args: ['own', 'words'] },
      prints: 'own words\n',
    },
  };
  for (const [what, { container, prints }] of Object.entries(commands))
    test(`a container runs ${what}`, async () => {
      const spec = { containers: [{ name: 'main', image, ...container }] };
      assert.equal(await cloud.outputOf(await cloud.namespace(), shellPod('runs', '', { spec })), prints);
    });

  type Context = NonNullable<Container['securityContext']>;
  const contexts: Readonly<
    Record<string, { own?: Context; pod?: PodSpec['securityContext']; line: string; prints: string | RegExp }>
  > = {
    // conformance: [sig-node] Security Context When creating a container with runAsUser should run the container with uid 65534 [LinuxOnly] [NodeConformance]
    'a user': { own: { runAsUser: 65_534 }, line: 'id -u', prints: '65534\n' },
    // conformance: [sig-node] Security Context should support container.SecurityContext.RunAsUser And container.SecurityContext.RunAsGroup [LinuxOnly]
    'a user and a group': {
      own: { runAsUser: 1001, runAsGroup: 2002 },
      line: 'id',
      prints: 'uid=1001 gid=2002 groups=2002\n',
    },
    // conformance: [sig-node] Security Context should support pod.Spec.SecurityContext.RunAsUser And pod.Spec.SecurityContext.RunAsGroup [LinuxOnly]
    'a user and a group of the pod': {
      pod: { runAsUser: 1001, runAsGroup: 2002 },
      line: 'id',
      prints: 'uid=1001 gid=2002 groups=2002\n',
    },
    // conformance: [sig-node] Security Context When creating a pod with privileged should run the container as unprivileged when false [LinuxOnly] [NodeConformance]
    'no privilege': {
      own: { privileged: false },
      line: 'ip link add dummy0 type dummy 2>&1 || true',
      prints: /Operation not permitted/,
    },
    // conformance: [sig-node] Security Context When creating a pod with readOnlyRootFilesystem should run the container with writable rootfs when readOnlyRootFilesystem=false [NodeConformance]
    'a root to write to': {
      own: { readOnlyRootFilesystem: false },
      line: 'touch checkfile && ls checkfile',
      prints: 'checkfile\n',
    },
    // conformance: [sig-node] Kubelet when scheduling a read only busybox container should not write to root filesystem [LinuxOnly] [NodeConformance]
    'a root only to read': {
      own: { readOnlyRootFilesystem: true },
      line: 'echo test > /file; cat /file; true 2>&1',
      prints: /Read-only file system/,
    },
  };
  for (const [what, { own, pod, line, prints }] of Object.entries(contexts))
    test(`a container with ${what}`, async () => {
      const found = await cloud.outputOf(
        await cloud.namespace(),
        shellPod('runs', line, {
          container: { ...(own && { securityContext: own }) },
          spec: { ...(pod && { securityContext: pod }) },
        }),
      );
      if (typeof prints === 'string') assert.equal(found, prints);
      else assert.match(found, prints);
    });

  // conformance: [sig-node] Security Context when creating containers with AllowPrivilegeEscalation should not allow privilege escalation when false [LinuxOnly] [NodeConformance]
  for (const allowPrivilegeEscalation of [false, true])
    test(`a set-user-id program where escalation is ${allowPrivilegeEscalation ? '' : 'not '}allowed`, async () => {
      const volumeMounts = [{ name: 'shared', mountPath: '/shared' }];
      const container = { image: 'host.local/id', volumeMounts };
      const line = 'cp /usr/bin/id /shared/id && chmod 4755 /shared/id';
      const spec: PodSpec = {
        restartPolicy: 'Never',
        volumes: [{ name: 'shared', emptyDir: {} }],
        initContainers: [{ ...container, name: 'prepares', command: ['sh', '-c', line] }],
        containers: [
          {
            ...container,
            name: 'main',
            command: ['/shared/id', '-u'],
            securityContext: { runAsUser: 1000, allowPrivilegeEscalation },
          },
        ],
      };
      const printed = await cloud.outputOf(await cloud.namespace(), shellPod('runs', '', { spec }));
      assert.equal(printed, allowPrivilegeEscalation ? '0\n' : '1000\n');
    });

  // conformance: [sig-node] Kubelet when scheduling an agnhost Pod with hostAliases should write entries to /etc/hosts [NodeConformance]
  test('a container knows the names that it is given', async () => {
    const hostAliases = [{ ip: '123.45.67.89', hostnames: ['foo', 'bar'] }];
    const pod = shellPod('knows', 'cat /etc/hosts', { spec: { hostAliases } });
    const printed = await cloud.outputOf(await cloud.namespace(), pod);
    assert.match(printed, /^# Kubernetes-managed hosts file\.$/m);
    assert.match(printed, /^# Entries added by HostAliases\.$/m);
    assert.match(printed, /^123\.45\.67\.89\tfoo\tbar$/m);
  });

  // conformance: [sig-node] KubeletManagedEtcHosts should test kubelet managed /etc/hosts file [NodeConformance]
  test('hosts are ours, unless the pod brings them or has the network of the node', async () => {
    const namespace = await cloud.namespace();
    const volumes = [{ name: 'host-etc-hosts', hostPath: { path: '/etc/hosts', type: 'FileOrCreate' } }];
    const original = { name: 'host-etc-hosts', mountPath: '/etc/hosts-original' };
    const container = (name: string, isOwn: boolean): Container => ({
      name,
      image: busybox,
      command: ['sh', '-c', forever],
      volumeMounts: [original, ...(isOwn ? [{ name: 'host-etc-hosts', mountPath: '/etc/hosts' }] : [])],
    });
    const containers = [container('one', false), container('two', false)];
    const own = { volumes, containers: [...containers, container('three', true)] };
    await cloud.create(pods, namespace, shellPod('own', '', { spec: own }));
    await cloud.create(
      pods,
      namespace,
      shellPod('host', '', { spec: { volumes, containers, hostNetwork: true } }),
    );
    const isManaged = async (pod: string, name: string): Promise<boolean> => {
      await cloud.ready(namespace, pod);
      const [hosts, hostsOfNode] = await Promise.all(
        ['/etc/hosts', '/etc/hosts-original'].map(
          async (path) => (await cloud.exec(namespace, pod, `cat ${path}`, name)).stdout,
        ),
      );
      assert.equal(hostsOfNode, readFileSync('/etc/hosts', 'utf8'));
      return hosts?.startsWith('# Kubernetes-managed hosts file.\n') === true && hosts !== hostsOfNode;
    };
    assert.equal(await isManaged('own', 'one'), true);
    assert.equal(await isManaged('own', 'two'), true);
    assert.equal(await isManaged('own', 'three'), false);
    assert.equal(await isManaged('host', 'one'), false);
    assert.equal(await isManaged('host', 'two'), false);
  });
});

describe('ends', atOnce, () => {
  const script = `
f=/restart-count/restartCount
count=$(echo 'hello' >> $f ; wc -l $f | awk {'print $1'})
if [ $count -eq 1 ]; then
  exit 1
fi
if [ $count -eq 2 ]; then
  exit 0
fi
while true; do sleep 1; done
`;
  const policies = [
    { restartPolicy: 'Always', phase: 'Running', state: 'running', restarts: 2, ready: true },
    { restartPolicy: 'OnFailure', phase: 'Succeeded', state: 'terminated', restarts: 1, ready: false },
    { restartPolicy: 'Never', phase: 'Failed', state: 'terminated', restarts: 0, ready: false },
  ];
  // conformance: [sig-node] Container Runtime blackbox test when starting a container that exits should run with the expected status [NodeConformance]
  for (const { restartPolicy, phase, state, restarts, ready } of policies)
    test(`a container that fails, then succeeds, then runs, with restart policy ${restartPolicy}`, async () => {
      const namespace = await cloud.namespace();
      const pod = shellPod('terminates', script, {
        spec: { restartPolicy, volumes: [{ name: 'restart-count', emptyDir: { medium: 'Memory' } }] },
        container: { volumeMounts: [{ name: 'restart-count', mountPath: '/restart-count' }] },
      });
      await cloud.create(pods, namespace, pod);
      const { status } = await cloud.until(
        namespace,
        'terminates',
        `is ${phase}`,
        (found) =>
          found.status?.phase === phase && found.status.containerStatuses?.[0]?.restartCount === restarts,
      );
      const of = status?.containerStatuses?.[0];
      assert.deepEqual(Object.keys(of?.state ?? {}), [state]);
      assert.equal(of?.ready, ready);
      await cloud.client.delete(pods, namespace, 'terminates');
      await cloud.gone(pods, namespace, 'terminates');
    });

  const logs = 'FallbackToLogsOnError';
  const messages: Readonly<Record<string, { line: string; container: Partial<Container>; says: string }>> = {
    // conformance: [sig-node] Container Runtime blackbox test on terminated container should report termination message if TerminationMessagePath is set as non-root user and at a non-default path [NodeConformance]
    'written by somebody to a path of their own': {
      line: '/bin/echo -n DONE > /dev/termination-custom-log',
      container: {
        terminationMessagePath: '/dev/termination-custom-log',
        securityContext: { runAsUser: 10_000 },
      },
      says: 'DONE',
    },
    // conformance: [sig-node] Container Runtime blackbox test on terminated container should report termination message from log output if TerminationMessagePolicy FallbackToLogsOnError is set [NodeConformance]
    'taken from the log of a failure': {
      line: '/bin/echo -n DONE; /bin/false',
      container: { terminationMessagePolicy: logs },
      says: 'DONE',
    },
    // conformance: [sig-node] Container Runtime blackbox test on terminated container should report termination message as empty when pod succeeds and TerminationMessagePolicy FallbackToLogsOnError is set [NodeConformance]
    'not taken from the log of a success': {
      line: '/bin/echo -n DONE; /bin/true',
      container: { terminationMessagePolicy: logs },
      says: '',
    },
    // conformance: [sig-node] Container Runtime blackbox test on terminated container should report termination message from file when pod succeeds and TerminationMessagePolicy FallbackToLogsOnError is set [NodeConformance]
    'written by a success': {
      line: '/bin/echo -n OK > /dev/termination-log; /bin/echo DONE; /bin/true',
      container: { terminationMessagePolicy: logs },
      says: 'OK',
    },
  };
  for (const [what, { line, container, says }] of Object.entries(messages))
    test(`last words, ${what}`, async () => {
      const namespace = await cloud.namespace();
      await cloud.create(pods, namespace, shellPod('ends', line, { container }));
      const { status } = await cloud.ended(namespace, 'ends');
      assert.equal(status?.phase, line.includes('/bin/false') ? 'Failed' : 'Succeeded');
      assert.equal(status?.containerStatuses?.[0]?.state?.terminated?.message ?? '', says);
    });
});
