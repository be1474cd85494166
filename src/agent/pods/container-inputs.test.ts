import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConfigMap, Container, Pod, Secret, Service } from '../../api/index.ts';
import { emptyConfig, type Image } from '../images/index.ts';
import { containerSpecOf } from './container-spec.ts';
import { type EnvironmentSources, environmentOf } from './environment.ts';
import { expand, expandAll } from './expansion.ts';
import { hostNameOf, hostsFile, resolvFile } from './network-files.ts';
import { qosClassOf } from './qos.ts';
import { containerLimits, oomScoreAdjust, podLimits } from './resources.ts';
import { accountOf } from './security.ts';

const pod: Pod = {
  metadata: { name: 'p', namespace: 'ns', uid: 'u', labels: { app: 'web' } },
  spec: { containers: [] },
};
const service: Service = {
  metadata: { name: 'my-db', namespace: 'ns' },
  spec: {
    clusterIP: '10.0.0.5',
    ports: [
      { name: 'sql', port: 5432 },
      { port: 9, protocol: 'UDP' },
    ],
  },
};
const sources: EnvironmentSources = {
  configMap: (name) => (name === 'm' ? ({ metadata: {}, data: { a: '1', b: '2' } } as ConfigMap) : undefined),
  secret: (name) => (name === 's' ? ({ metadata: {}, data: { pw: 'aHVzaA==' } } as Secret) : undefined),
  services: [service],
  nodeName: 'n',
  nodeAddress: '192.0.2.1',
  podAddresses: ['10.1.0.2'],
  allocatable: { cpuMilli: 2000, memoryBytes: 2 ** 30 },
};

test('expandAll() wants every name to have a value', () => {
  const values = new Map([
    ['A', 'one'],
    ['EMPTY', ''],
  ]);
  assert.equal(expandAll('$(A)/x/$$(B)', values), 'one/x/$(B)');
  assert.throws(() => expandAll('$(Z)/$(A)/$(EMPTY)', values), {
    code: 'invalid',
    message: 'missing value for EMPTY, Z',
  });
});

test('expand() follows the documented rules', () => {
  const lookup = (name: string): string | undefined => (name === 'A' ? 'x' : undefined);
  for (const [text, wanted] of [
    ['$(A)', 'x'],
    ['$$(A)', '$(A)'],
    ['$(B)', '$(B)'],
    ['a$(A)b$(A)', 'axbx'],
    ['$A', '$A'],
    ['$(A', '$(A'],
    ['100$', '100$'],
  ] as const)
    assert.equal(expand(text, lookup), wanted, text);
});

test('environmentOf() merges services, envFrom and env, later ones winning', () => {
  const container: Container = {
    name: 'c',
    envFrom: [
      { prefix: 'X_', configMapRef: { name: 'm' } },
      { secretRef: { name: 's' } },
      { configMapRef: { name: 'no', optional: true } },
    ],
    env: [
      { name: 'X_a', value: 'own' },
      { name: 'REF', value: '$(X_a)-$(MY_DB_SERVICE_HOST)-$(NOPE)' },
      { name: 'PW', valueFrom: { secretKeyRef: { name: 's', key: 'pw' } } },
      { name: 'OPT', valueFrom: { configMapKeyRef: { name: 'no', key: 'k', optional: true } } },
      { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      { name: 'LABEL', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
      { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } } },
      { name: 'MEM', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } } },
    ],
  };
  const env = environmentOf({ ...pod, spec: { containers: [container] } }, container, sources);
  const wanted = {
    X_a: 'own',
    X_b: '2',
    pw: 'hush',
    REF: 'own-10.0.0.5-$(NOPE)',
    PW: 'hush',
    OPT: undefined,
    IP: '10.1.0.2',
    LABEL: 'web',
    CPU: '2000',
    MEM: '1024',
    MY_DB_SERVICE_PORT: '5432',
    MY_DB_SERVICE_PORT_SQL: '5432',
    MY_DB_PORT: 'tcp://10.0.0.5:5432',
    MY_DB_PORT_9_UDP: 'udp://10.0.0.5:9',
    MY_DB_PORT_5432_TCP_ADDR: '10.0.0.5',
  };
  for (const [name, value] of Object.entries(wanted)) assert.equal(env.get(name), value, name);
});

test('environmentOf() says what is missing as Kubernetes says it', () => {
  const from = (valueFrom: NonNullable<NonNullable<Container['env']>[number]['valueFrom']>) => () =>
    environmentOf(pod, { name: 'c', env: [{ name: 'A', valueFrom }] }, sources);
  assert.throws(from({ configMapKeyRef: { name: 'no', key: 'k' } }), { message: 'configmap "no" not found' });
  assert.throws(from({ configMapKeyRef: { name: 'm', key: 'k' } }), {
    message: "couldn't find key k in ConfigMap ns/m",
  });
  assert.throws(from({ secretKeyRef: { name: 's', key: 'k' } }), {
    message: "couldn't find key k in Secret ns/s",
  });
});

test('qosClassOf() classifies', () => {
  const of = (...resources: Container['resources'][]) =>
    qosClassOf({
      containers: resources.map((item, i) => ({ name: `${i}`, ...(item ? { resources: item } : {}) })),
    });
  assert.equal(of(undefined), 'BestEffort');
  assert.equal(of({ limits: { cpu: '1', memory: '1Gi' } }), 'Guaranteed');
  assert.equal(
    of({ limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m', memory: '1Gi' } }),
    'Burstable',
  );
  assert.equal(of({ limits: { cpu: '1', memory: '1Gi' } }, undefined), 'Burstable');
  assert.equal(of({ requests: { cpu: '0' } }), 'BestEffort');
});

test('limits become cgroup values', () => {
  const container: Container = {
    name: 'c',
    resources: { requests: { cpu: '250m', memory: '64Mi' }, limits: { cpu: '500m', memory: '128Mi' } },
  };
  assert.deepEqual(containerLimits(container), {
    cpuShares: 256,
    cpuQuotaMicros: 50_000,
    memoryLimitBytes: 128 * 2 ** 20,
  });
  assert.deepEqual(containerLimits({ name: 'c' }), {
    cpuShares: 2,
    cpuQuotaMicros: undefined,
    memoryLimitBytes: undefined,
  });
  const two = { ...pod, spec: { containers: [container, container] } };
  assert.deepEqual(podLimits(two), {
    cpuShares: 512,
    cpuQuotaMicros: 100_000,
    memoryLimitBytes: 256 * 2 ** 20,
  });
  assert.equal(
    podLimits({ ...pod, spec: { containers: [container, { name: 'd' }] } }).memoryLimitBytes,
    undefined,
  );
  assert.equal(oomScoreAdjust({ ...pod, spec: { containers: [container] } }, container, 2 ** 30), 1000 - 62);
  assert.equal(oomScoreAdjust(pod, { name: 'c' }, 2 ** 30), 1000);
});

test('network files follow host name, aliases and DNS policy', () => {
  const named: Pod = {
    ...pod,
    spec: {
      containers: [],
      hostname: 'h',
      subdomain: 'sub',
      hostAliases: [{ ip: '1.2.3.4', hostnames: ['x', 'y'] }],
    },
  };
  assert.equal(hostNameOf(named, 'node'), 'h');
  assert.equal(hostNameOf({ ...pod, spec: { containers: [], hostNetwork: true } }, 'node'), 'node');
  const hosts = hostsFile(named, 'h', ['10.1.0.2'], 'cluster.local', '');
  assert.ok(hosts.includes('10.1.0.2\th.sub.ns.svc.cluster.local\th\n'));
  assert.ok(hosts.includes('1.2.3.4\tx\ty\n'));
  const dns = { servers: ['10.96.0.10'], domain: 'cluster.local' };
  const node = 'nameserver 9.9.9.9\nsearch lan\n';
  assert.equal(
    resolvFile(pod, dns, node),
    'search ns.svc.cluster.local svc.cluster.local cluster.local lan\nnameserver 10.96.0.10\noptions ndots:5\n',
  );
  assert.equal(
    resolvFile({ ...pod, spec: { containers: [], dnsPolicy: 'Default' } }, dns, node),
    'search lan\nnameserver 9.9.9.9\n',
  );
  const own = { nameservers: ['1.1.1.1'], searches: ['a.b'], options: [{ name: 'ndots', value: '2' }] };
  assert.equal(
    resolvFile({ ...pod, spec: { containers: [], dnsPolicy: 'None', dnsConfig: own } }, dns, node),
    'search a.b\nnameserver 1.1.1.1\noptions ndots:2\n',
  );
});

test('accountOf() finds users and groups in the image', () => {
  const files = {
    passwd: 'root:x:0:0::/:\nweb:x:33:34::/:\n',
    group: 'root:x:0:\nwww:x:34:\nlog:x:4:web,root\n',
  };
  assert.deepEqual(accountOf('', files), { userId: 0, groupId: 0, groups: [4], named: false });
  assert.deepEqual(accountOf('web', files), { userId: 33, groupId: 34, groups: [4], named: true });
  assert.deepEqual(accountOf('33:log', files), { userId: 33, groupId: 4, groups: [], named: false });
  assert.deepEqual(accountOf('1000', files), { userId: 1000, groupId: 0, groups: [], named: false });
  assert.throws(() => accountOf('nobody', files), /unable to find user nobody/);
});

test('containerSpecOf() merges image and container', () => {
  const image = {
    config: {
      ...emptyConfig,
      entrypoint: ['/run'],
      command: ['--default'],
      env: ['A=image', 'B=image'],
      workingDirectory: '/w',
    },
  } as unknown as Image;
  const spec = (container: Partial<Container>, shared?: NonNullable<Pod['spec']>['securityContext']) =>
    containerSpecOf({
      pod: { ...pod, spec: { containers: [], ...(shared ? { securityContext: shared } : {}) } },
      container: { name: 'c', ...container },
      attempt: 0,
      image,
      rootPath: '/r',
      accounts: { passwd: '', group: '' },
      environment: new Map([['A', 'own']]),
      mounts: [],
      hostName: 'h',
      logPath: '/l',
      nodeMemoryBytes: 2 ** 30,
      podPidsLimit: undefined,
    });
  assert.deepEqual(spec({}).args, ['/run', '--default']);
  assert.deepEqual(spec({ args: ['$(A)'] }).args, ['/run', 'own']);
  assert.deepEqual(spec({ command: ['/other'] }).args, ['/other']);
  const env = new Map(spec({}).env);
  assert.deepEqual([env.get('A'), env.get('B'), env.get('HOSTNAME')], ['own', 'image', 'h']);
  assert.deepEqual(
    spec({}, { runAsUser: 7, fsGroup: 9, supplementalGroups: [3] }).security.supplementalGroups,
    [0, 3, 9],
  );
  assert.throws(
    () => spec({ securityContext: { runAsNonRoot: true } }),
    /container has runAsNonRoot and image will run as root/,
  );
});
