import assert from 'node:assert/strict';
import { test } from 'node:test';
import { created, kindOf, refusals, type Tree } from './test-submission.ts';

const pods = kindOf('pods');
const container = (more: Tree = {}): Tree => ({ name: 'c', image: 'nginx:1', ...more });
const pod = (spec: Tree = {}): Tree => ({
  metadata: { name: 'web' },
  spec: { containers: [container()], ...spec },
});
const withContainer = (more: Tree): Tree => pod({ containers: [container(more)] });

const labelTail =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const subdomainTail =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

test('a minimal pod has the defaults of Kubernetes', () => {
  const { spec, status } = created(pods, {
    metadata: { name: 'web' },
    spec: {
      containers: [
        {
          name: 'c',
          image: 'nginx',
          ports: [{ containerPort: 80 }],
          readinessProbe: { httpGet: { port: 80 } },
          livenessProbe: { grpc: { port: 80 } },
          resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { memory: '512Mi' } },
          env: [{ name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } }],
          lifecycle: { preStop: { httpGet: { port: 80, path: '/bye' } } },
        },
      ],
      volumes: [
        { name: 'scratch' },
        { name: 'host', hostPath: { path: '/x' } },
        { name: 'conf', configMap: { name: 'x' } },
        { name: 'keys', secret: { secretName: 'x' } },
        {
          name: 'all',
          projected: { sources: [{ serviceAccountToken: { path: 't' } }] },
        },
        {
          name: 'down',
          downwardAPI: { items: [{ path: 'n', fieldRef: { fieldPath: 'metadata.name' } }] },
        },
      ],
      serviceAccountName: 'robot',
    },
  });
  const probe = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 };
  assert.deepEqual(spec, {
    containers: [
      {
        name: 'c',
        image: 'nginx',
        ports: [{ containerPort: 80, protocol: 'TCP' }],
        readinessProbe: { httpGet: { port: 80, path: '/', scheme: 'HTTP' }, ...probe },
        livenessProbe: { grpc: { port: 80, service: '' }, ...probe },
        resources: {
          limits: { cpu: '1', memory: '1Gi' },
          requests: { cpu: '1', memory: '512Mi' },
        },
        env: [{ name: 'NODE', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'spec.nodeName' } } }],
        lifecycle: { preStop: { httpGet: { port: 80, path: '/bye', scheme: 'HTTP' } } },
        terminationMessagePath: '/dev/termination-log',
        terminationMessagePolicy: 'File',
        imagePullPolicy: 'Always',
      },
    ],
    volumes: [
      { name: 'scratch', emptyDir: {} },
      { name: 'host', hostPath: { path: '/x', type: '' } },
      { name: 'conf', configMap: { name: 'x', defaultMode: 420 } },
      { name: 'keys', secret: { secretName: 'x', defaultMode: 420 } },
      {
        name: 'all',
        projected: {
          sources: [{ serviceAccountToken: { path: 't', expirationSeconds: 3600 } }],
          defaultMode: 420,
        },
      },
      {
        name: 'down',
        downwardAPI: {
          items: [{ path: 'n', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } }],
          defaultMode: 420,
        },
      },
    ],
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    serviceAccountName: 'robot',
    serviceAccount: 'robot',
    securityContext: {},
    schedulerName: 'default-scheduler',
    enableServiceLinks: true,
  });
  assert.deepEqual(status, { phase: 'Pending', qosClass: 'Burstable' });
});

for (const [image, policy] of [
  ['nginx', 'Always'],
  ['nginx:latest', 'Always'],
  ['registry:5000/nginx', 'Always'],
  ['registry:5000/nginx:1.27', 'IfNotPresent'],
  ['nginx@sha256:00', 'IfNotPresent'],
  ['nginx:latest@sha256:00', 'Always'],
  ['host.local/shop', 'IfNotPresent'],
  ['host.local/shop:latest', 'IfNotPresent'],
  ['host.localhost/shop', 'Always'],
] as const) {
  test(`the pull policy of ${image} is ${policy}`, () => {
    const { spec } = created(pods, withContainer({ image }));
    assert.equal(
      (spec as { containers: { imagePullPolicy: string }[] }).containers[0]?.imagePullPolicy,
      policy,
    );
  });
}

const amounts = (cpu: string, memory: string): Tree => ({ cpu, memory });
for (const [name, resources, quality] of [
  ['nothing asked', {}, 'BestEffort'],
  ['limits for both', { limits: amounts('1', '1Gi') }, 'Guaranteed'],
  [
    'the same in other words',
    { limits: amounts('1', '1Gi'), requests: amounts('1000m', '1024Mi') },
    'Guaranteed',
  ],
  ['less asked than allowed', { limits: amounts('1', '1Gi'), requests: amounts('1', '1Mi') }, 'Burstable'],
  ['one limit only', { limits: { cpu: '1' } }, 'Burstable'],
  ['only a device', { limits: { 'example.com/gpu': '1' } }, 'BestEffort'],
] as const) {
  test(`quality of service: ${name}: ${quality}`, () => {
    assert.deepEqual(created(pods, withContainer({ resources }))['status'], {
      phase: 'Pending',
      qosClass: quality,
    });
  });
}

test('gates are told of at once', () => {
  const { status } = created(pods, pod({ schedulingGates: [{ name: 'example.com/wait' }] })) as unknown as {
    status: { conditions: { reason: string }[] };
  };
  assert.equal(status.conditions[0]?.reason, 'SchedulingGated');
});

test('host ports follow container ports on the host network', () => {
  const { spec } = created(
    pods,
    pod({ hostNetwork: true, containers: [container({ ports: [{ containerPort: 80 }] })] }),
  ) as unknown as { spec: { containers: { ports: unknown[] }[] } };
  assert.deepEqual(spec.containers[0]?.ports, [{ containerPort: 80, hostPort: 80, protocol: 'TCP' }]);
});

test('a good pod with much in it is not refused', () => {
  assert.deepEqual(
    refusals(pods, {
      metadata: { name: 'web.1', labels: { 'example.com/a': 'B_c.d' }, annotations: { 'a/B': 'x' } },
      spec: {
        initContainers: [
          container({ name: 'i' }),
          container({ name: 's', restartPolicy: 'Always', startupProbe: { tcpSocket: { port: 'x' } } }),
        ],
        containers: [
          container({
            ports: [
              { containerPort: 80, name: 'http', hostPort: 80 },
              { containerPort: 80, protocol: 'UDP' },
            ],
            env: [
              { name: 'A b', value: '' },
              { name: 'X', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
            ],
            envFrom: [{ configMapRef: { name: 'x' } }],
            volumeMounts: [{ name: 'v', mountPath: '/v', subPath: 'a/b' }],
            resources: { limits: { cpu: '1', 'example.com/gpu': '2' } },
            livenessProbe: { exec: { command: ['true'] } },
            securityContext: { runAsUser: 0, capabilities: { add: ['NET_ADMIN'] } },
          }),
        ],
        volumes: [{ name: 'v' }],
        nodeSelector: { disk: 'ssd' },
        tolerations: [
          { operator: 'Exists' },
          { key: 'a', value: 'b', effect: 'NoExecute', tolerationSeconds: 3 },
        ],
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [{ matchExpressions: [{ key: 'n', operator: 'Gt', values: ['3'] }] }],
            },
          },
          podAntiAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              { weight: 1, podAffinityTerm: { topologyKey: 'kubernetes.io/hostname', labelSelector: {} } },
            ],
          },
        },
        topologySpreadConstraints: [
          { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: {} },
        ],
        hostAliases: [{ ip: '10.0.0.1', hostnames: ['a.b'] }],
        dnsPolicy: 'None',
        dnsConfig: { nameservers: ['1.1.1.1'], searches: ['a.b.', '.'] },
      },
    }),
    [],
  );
});

const cases: readonly (readonly [string, Tree, readonly string[]])[] = [
  ['no spec', { spec: {} }, ['spec.containers: Required value']],
  [
    'a bad name',
    { metadata: { name: 'Web' }, spec: { containers: [container()] } },
    [`metadata.name: Invalid value: "Web": ${subdomainTail}`],
  ],
  [
    'no name of a container',
    pod({ containers: [{ image: 'x' }] }),
    ['spec.containers[0].name: Required value'],
  ],
  [
    'a bad name of a container',
    pod({ containers: [{ name: 'A_b', image: 'x' }] }),
    [`spec.containers[0].name: Invalid value: "A_b": ${labelTail}`],
  ],
  ['no image', pod({ containers: [{ name: 'a' }] }), ['spec.containers[0].image: Required value']],
  [
    'a blank in an image',
    withContainer({ image: ' nginx' }),
    ['spec.containers[0].image: Invalid value: " nginx": must not have leading or trailing whitespace'],
  ],
  [
    'the same name twice',
    pod({ containers: [container(), container()] }),
    ['spec.containers[1].name: Duplicate value: "c"'],
  ],
  [
    'an init container of the same name',
    pod({ initContainers: [container()] }),
    ['spec.initContainers[0].name: Duplicate value: "c"'],
  ],
  [
    'a probe of an init container',
    pod({ initContainers: [container({ name: 'i', livenessProbe: { exec: { command: ['a'] } } })] }),
    [
      'spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
    ],
  ],
  [
    'policies that are not there',
    pod({ restartPolicy: 'Sometimes', dnsPolicy: 'x' }),
    [
      'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
      'spec.dnsPolicy: Unsupported value: "x": supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"',
    ],
  ],
  [
    'a pull policy that is not there',
    withContainer({ imagePullPolicy: 'always' }),
    [
      'spec.containers[0].imagePullPolicy: Unsupported value: "always": supported values: "Always", "IfNotPresent", "Never"',
    ],
  ],
  [
    'bad ports',
    withContainer({
      ports: [
        { containerPort: 70_000 },
        { name: 'a_b', containerPort: 0, protocol: 'tcp' },
        { name: 'x', containerPort: 1, hostPort: 5 },
        { name: 'x', containerPort: 2, hostPort: 5 },
      ],
    }),
    [
      'spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive',
      'spec.containers[0].ports[1].name: Invalid value: "a_b": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
      'spec.containers[0].ports[1].containerPort: Required value',
      'spec.containers[0].ports[1].protocol: Unsupported value: "tcp": supported values: "SCTP", "TCP", "UDP"',
      'spec.containers[0].ports[3].name: Duplicate value: "x"',
      'spec.containers[0].ports[3].hostPort: Duplicate value: "TCP//5"',
    ],
  ],
  [
    'bad environment',
    withContainer({
      env: [
        {},
        { name: 'a=b' },
        { name: 'A', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        { name: 'B', valueFrom: {} },
        { name: 'C', valueFrom: { fieldRef: { fieldPath: 'spec.foo' } } },
        { name: 'D', valueFrom: { fieldRef: { fieldPath: 'status.phase' } } },
        { name: 'E', valueFrom: { resourceFieldRef: { resource: 'limits.gpu' } } },
        { name: 'F', valueFrom: { configMapKeyRef: { name: 'x', key: 'a b' } } },
      ],
    }),
    [
      'spec.containers[0].env[0].name: Required value',
      `spec.containers[0].env[1].name: Invalid value: "a=b": a valid environment variable name must consist only of printable ASCII characters other than '='`,
      'spec.containers[0].env[2].valueFrom: Invalid value: "": may not be specified when `value` is not empty',
      'spec.containers[0].env[3].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`',
      'spec.containers[0].env[4].valueFrom.fieldRef.fieldPath: Invalid value: "spec.foo": error converting fieldPath: field label not supported: spec.foo',
      'spec.containers[0].env[5].valueFrom.fieldRef.fieldPath: Unsupported value: "status.phase": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"',
      'spec.containers[0].env[6].valueFrom.resourceFieldRef.resource: Unsupported value: "limits.gpu": supported values: "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory"',
      `spec.containers[0].env[7].valueFrom.configMapKeyRef.key: Invalid value: "a b": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')`,
    ],
  ],
  [
    'bad mounts',
    pod({
      containers: [
        container({
          volumeMounts: [
            { name: 'x', mountPath: '/a' },
            { name: 'v', mountPath: '/a' },
            { name: 'v', mountPath: '', subPath: '../x' },
          ],
        }),
      ],
      volumes: [{ name: 'v' }],
    }),
    [
      'spec.containers[0].volumeMounts[0].name: Not found: "x"',
      'spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/a": must be unique',
      'spec.containers[0].volumeMounts[2].mountPath: Required value',
      `spec.containers[0].volumeMounts.subPath: Invalid value: "../x": must not contain '..'`,
    ],
  ],
  [
    'bad volumes',
    pod({
      volumes: [
        { name: 'v', emptyDir: {}, hostPath: { path: '/x' } },
        { name: 'v', hostPath: { path: '/a/../b', type: 'Dir' } },
        { name: 's', secret: {} },
        { name: 'c', configMap: { name: 'x', defaultMode: 0o1000, items: [{ key: 'k', path: '/p' }] } },
        { name: 'p', projected: { sources: [{ serviceAccountToken: { path: 't', expirationSeconds: 5 } }] } },
        { emptyDir: {} },
      ],
    }),
    [
      'spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type',
      `spec.volumes[1].hostPath.path: Invalid value: "/a/../b": must not contain '..'`,
      'spec.volumes[1].hostPath.type: Unsupported value: "Dir": supported values: "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"',
      'spec.volumes[1].name: Duplicate value: "v"',
      'spec.volumes[2].secret.secretName: Required value',
      'spec.volumes[3].configMap.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive',
      'spec.volumes[3].configMap.items[0].path: Invalid value: "/p": must be a relative path',
      'spec.volumes[4].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 5: may not specify a duration less than 10 minutes',
      'spec.volumes[5].name: Required value',
    ],
  ],
  [
    'bad resources',
    withContainer({
      resources: {
        limits: { cpu: '1', memory: '-1', 'example.com/gpu': '500m', foo: '1' },
        requests: { cpu: '2', 'example.com/fpga': '1' },
      },
    }),
    [
      'spec.containers[0].resources.limits[memory]: Invalid value: "-1": must be greater than or equal to 0',
      'spec.containers[0].resources.limits[example.com/gpu]: Invalid value: "500m": must be an integer',
      'spec.containers[0].resources.limits[foo]: Invalid value: "foo": must be a standard resource type or fully qualified',
      'spec.containers[0].resources.limits[foo]: Invalid value: "foo": must be a standard resource for containers',
      'spec.containers[0].resources.requests[memory]: Invalid value: "-1": must be greater than or equal to 0',
      'spec.containers[0].resources.requests[example.com/gpu]: Invalid value: "500m": must be an integer',
      'spec.containers[0].resources.requests[foo]: Invalid value: "foo": must be a standard resource type or fully qualified',
      'spec.containers[0].resources.requests[foo]: Invalid value: "foo": must be a standard resource for containers',
      'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
      'spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources',
    ],
  ],
  [
    'bad probes',
    withContainer({
      livenessProbe: { successThreshold: 2, exec: { command: ['x'] } },
      readinessProbe: { httpGet: { port: 0, scheme: 'FTP' }, tcpSocket: { port: 1 }, periodSeconds: -1 },
      startupProbe: { exec: {} },
      lifecycle: { preStop: {} },
    }),
    [
      'spec.containers[0].lifecycle.preStop: Required value: must specify a handler type',
      'spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1',
      'spec.containers[0].readinessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive',
      'spec.containers[0].readinessProbe.httpGet.scheme: Unsupported value: "FTP": supported values: "HTTP", "HTTPS"',
      'spec.containers[0].readinessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type',
      'spec.containers[0].readinessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0',
      'spec.containers[0].startupProbe.exec.command: Required value',
    ],
  ],
  [
    'bad tolerations',
    pod({
      tolerations: [
        { operator: 'Equal' },
        { key: 'a', operator: 'Exists', value: 'b' },
        { key: 'a', effect: 'Never', operator: 'Maybe' },
        { key: 'a', effect: 'NoSchedule', tolerationSeconds: 1 },
      ],
    }),
    [
      'spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"',
      `spec.tolerations[1].operator: Invalid value: {"key":"a","operator":"Exists","value":"b"}: value must be empty when \`operator\` is 'Exists'`,
      'spec.tolerations[2].operator: Unsupported value: "Maybe": supported values: "Equal", "Exists"',
      'spec.tolerations[2].effect: Unsupported value: "Never": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
      `spec.tolerations[3].effect: Invalid value: "NoSchedule": effect must be 'NoExecute' when \`tolerationSeconds\` is set`,
    ],
  ],
  [
    'bad placement',
    pod({
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] },
          preferredDuringSchedulingIgnoredDuringExecution: [
            { weight: 101, preference: { matchExpressions: [{ key: 'a', operator: 'In' }] } },
          ],
        },
        podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector: {} }] },
      },
      topologySpreadConstraints: [{ whenUnsatisfiable: 'x', topologyKey: 'zone' }],
    }),
    [
      'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: must have at least one node selector term',
      'spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 101: must be in the range 1-100',
      `spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[0].values: Required value: must be specified when \`operator\` is 'In' or 'NotIn'`,
      'spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Required value: can not be empty',
      'spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Invalid value: "": name part must be non-empty',
      `spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Invalid value: "": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
      'spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero',
      'spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: "x": supported values: "DoNotSchedule", "ScheduleAnyway"',
    ],
  ],
  [
    'users of its own beside what is the host’s',
    pod({
      hostUsers: false,
      hostNetwork: true,
      hostPID: true,
      hostIPC: true,
      containers: [container({ volumeDevices: [{ name: 'v', devicePath: '/dev/x' }] })],
      volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }],
    }),
    [
      'spec.hostNetwork: Forbidden: when `hostUsers` is false',
      'spec.HostPID: Forbidden: when `hostUsers` is false',
      'spec.HostIPC: Forbidden: when `hostUsers` is false',
      'spec.containers[0].volumeDevices: Forbidden: when `hostUsers` is false',
    ],
  ],
  [
    'bad security',
    pod({
      hostPID: true,
      shareProcessNamespace: true,
      securityContext: {
        runAsUser: -1,
        sysctls: [{ name: 'A', value: '1' }],
        seccompProfile: { type: 'Localhost' },
      },
      containers: [container({ securityContext: { privileged: true, allowPrivilegeEscalation: false } })],
    }),
    [
      'spec.containers[0].securityContext: Invalid value: {"privileged":true,"allowPrivilegeEscalation":false}: cannot set `allowPrivilegeEscalation` to false and `privileged` to true',
      'spec.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled',
      'spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive',
      'spec.securityContext.sysctls[0].name: Invalid value: "A": must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$',
      'spec.securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost',
    ],
  ],
  [
    'other bad fields',
    pod({
      activeDeadlineSeconds: 0,
      hostname: 'a.b',
      hostAliases: [{ ip: '300.0.0.1', hostnames: ['a_b'] }],
      dnsPolicy: 'None',
      imagePullSecrets: [{}],
      nodeName: 'n',
      schedulingGates: [{ name: 'g' }],
      ephemeralContainers: [container({ name: 'e' })],
    }),
    [
      'spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None',
      `spec.hostname: Invalid value: "a.b": ${labelTail}`,
      'spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive',
      'spec.hostAliases[0].ip: Invalid value: "300.0.0.1": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      `spec.hostAliases[0].hostnames: Invalid value: "a_b": ${subdomainTail}`,
      'spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared',
      'spec.ephemeralContainers: Forbidden: cannot be set on create',
    ],
  ],
];

for (const [name, object, expected] of cases) {
  test(`a pod is refused: ${name}`, () => {
    const pod = { ...object, metadata: object['metadata'] ?? { name: 'web' } };
    assert.deepEqual(refusals(pods, pod), expected);
  });
}

test('problems carry the causes that clients read', () => {
  const problems = pods.validate(created(pods, pod({ restartPolicy: 'x', containers: [{ name: 'A' }] })));
  assert.deepEqual(
    problems.map(({ reason, field }) => `${reason} ${field}`),
    [
      'FieldValueInvalid spec.containers[0].name',
      'FieldValueRequired spec.containers[0].image',
      'FieldValueNotSupported spec.restartPolicy',
    ],
  );
});
