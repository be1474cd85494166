/** Pod Security: every check at every version, in Kubernetes' words; what is refused, warned of, noted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type KubeObject, namespaces, type Pod, type PodSpec, pods } from '../../../api/index.ts';
import { messageOf, objectOf, podOf, refTo, saidOf, startApi } from '../test-admission.ts';
import { subjectOf, violationsOf } from './checks.ts';
import { type Level, policyOf, policyText } from './policy.ts';

const latest = Number.POSITIVE_INFINITY;

function violations(
  level: Level,
  minor: number,
  spec: object,
  annotations: Record<string, string> = {},
): string {
  const subject = subjectOf({ annotations }, spec as PodSpec);
  return violationsOf(subject, { level, minor })
    .map(({ reason, detail }) => `${reason} (${detail})`)
    .join(', ');
}

const safe = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' },
};
const one = (securityContext: object = {}, more: object = {}) => ({
  containers: [{ name: 'a', image: 'x', securityContext, ...more }],
});
const two = (securityContext: object) => ({
  containers: [{ name: 'a', image: 'x', securityContext }],
  initContainers: [{ name: 'b', image: 'x', securityContext }],
});
const inPod = (securityContext: object) => ({ ...one(), securityContext });
const volumes = (...list: readonly object[]) => ({ ...one(), volumes: list });

test('each check of the baseline says what is wrong', () => {
  const table: readonly (readonly [spec: object, words: string, annotations?: Record<string, string>])[] = [
    [one(), ''],
    [
      one({ appArmorProfile: { type: 'Unconfined' } }),
      'forbidden AppArmor profile (container "a" must not set AppArmor profile type to "Unconfined")',
    ],
    [
      inPod({ appArmorProfile: { type: 'Unconfined' } }),
      'forbidden AppArmor profiles (pod and annotation must not set AppArmor profile type to "Unconfined", "container.apparmor.security.beta.kubernetes.io/a="unconfined"")',
      { 'container.apparmor.security.beta.kubernetes.io/a': 'unconfined' },
    ],
    [
      two({ capabilities: { add: ['NET_RAW', 'CHOWN', 'BPF'] } }),
      'non-default capabilities (containers "b", "a" must not include "BPF", "NET_RAW" in securityContext.capabilities.add)',
    ],
    [
      { ...one(), hostPID: true, hostNetwork: true, hostIPC: true },
      'host namespaces (hostIPC, hostNetwork, hostPID)',
    ],
    [volumes({ name: 'v', hostPath: { path: '/' } }), 'hostPath volumes (volume "v")'],
    [
      one(
        {},
        {
          ports: [
            { containerPort: 1, hostPort: 90 },
            { containerPort: 2, hostPort: 80 },
          ],
        },
      ),
      'hostPort (container "a" uses hostPorts 80, 90)',
    ],
    [
      one(
        {},
        {
          livenessProbe: { httpGet: { host: 'h', port: 1 } },
          lifecycle: { preStop: { httpGet: { host: 'g', port: 1 } } },
        },
      ),
      'probe or lifecycle host (container "a" uses probe or lifecycle hosts "g", "h")',
    ],
    [
      two({ privileged: true }),
      'privileged (containers "b", "a" must not set securityContext.privileged=true)',
    ],
    [
      one({ procMount: 'Unmasked' }),
      'procMount (container "a" must not set securityContext.procMount to "Unmasked")',
    ],
    [{ ...one({ procMount: 'Unmasked' }), hostUsers: false }, ''],
    [
      inPod({ seLinuxOptions: { type: 'x_t', user: 'u', role: 'r' } }),
      'seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "x_t"; user may not be set; role may not be set)',
    ],
    [
      one({ seccompProfile: { type: 'Unconfined' } }),
      'seccompProfile (container "a" must not set securityContext.seccompProfile.type to "Unconfined")',
    ],
    [
      inPod({
        sysctls: [
          { name: 'kernel.msgmax', value: '1' },
          { name: 'net.ipv4.tcp_wmem', value: '1' },
        ],
      }),
      'forbidden sysctls (kernel.msgmax)',
    ],
    [
      inPod({ windowsOptions: { hostProcess: true } }),
      'hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)',
    ],
  ];
  for (const [spec, words, annotations] of table) {
    assert.equal(violations('baseline', latest, spec, annotations), words);
    assert.equal(violations('privileged', latest, spec, annotations), '');
  }
});

test('each check of the restricted level says what is wrong', () => {
  const table: readonly (readonly [spec: object, words: string])[] = [
    [one(safe), ''],
    [
      one({ ...safe, allowPrivilegeEscalation: true }),
      'allowPrivilegeEscalation != false (container "a" must set securityContext.allowPrivilegeEscalation=false)',
    ],
    [
      one({ ...safe, capabilities: { add: ['CHOWN', 'NET_BIND_SERVICE'] } }),
      'unrestricted capabilities (container "a" must set securityContext.capabilities.drop=["ALL"]; container "a" must not include "CHOWN" in securityContext.capabilities.add)',
    ],
    [
      {
        ...one(safe),
        volumes: [
          { name: 'v', hostPath: { path: '/' } },
          { name: 'w', nfs: {} },
          { name: 'x', emptyDir: {} },
        ],
      },
      'restricted volume types (volumes "v", "w" use restricted volume types "hostPath", "nfs")',
    ],
    [
      one({ ...safe, runAsNonRoot: false }),
      'runAsNonRoot != true (container "a" must not set securityContext.runAsNonRoot=false)',
    ],
    [one({ ...safe, runAsUser: 0 }), 'runAsUser=0 (container "a" must not set runAsUser=0)'],
    [
      one({ ...safe, seccompProfile: { type: 'Unconfined' } }),
      'seccompProfile (container "a" must not set securityContext.seccompProfile.type to "Unconfined")',
    ],
    [
      { containers: [{ name: 'c', image: 'x' }] },
      'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    ],
    [{ ...one({ runAsNonRoot: true }), os: { name: 'windows' } }, ''],
    [{ ...one({ ...safe, runAsNonRoot: undefined, runAsUser: 0 }), hostUsers: false }, ''],
  ];
  for (const [spec, words] of table) assert.equal(violations('restricted', latest, spec), words);
});

test('older versions forbid what was forbidden then', () => {
  const reasons = (level: Level, minor: number, spec: object, annotations?: Record<string, string>): string =>
    violationsOf(subjectOf({ annotations: annotations ?? {} }, spec as PodSpec), { level, minor })
      .map(({ reason }) => reason)
      .join(', ');
  const bare = { containers: [{ name: 'c', image: 'x' }] };
  assert.equal(reasons('restricted', 0, bare), 'runAsNonRoot != true');
  assert.equal(reasons('restricted', 8, bare), 'allowPrivilegeEscalation != false, runAsNonRoot != true');
  assert.equal(
    reasons('restricted', 19, bare),
    'allowPrivilegeEscalation != false, runAsNonRoot != true, seccompProfile',
  );
  assert.equal(
    reasons('restricted', 22, bare),
    'allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot != true, seccompProfile',
  );
  const windows = { ...one({ runAsNonRoot: true }), os: { name: 'windows' } };
  assert.equal(
    reasons('restricted', 24, windows),
    'allowPrivilegeEscalation != false, unrestricted capabilities, seccompProfile',
  );
  assert.equal(reasons('restricted', 25, windows), '');
  const user = one({ ...safe, runAsUser: 0 });
  assert.deepEqual([reasons('restricted', 22, user), reasons('restricted', 23, user)], ['', 'runAsUser=0']);
  const sysctl = (name: string) => inPod({ sysctls: [{ name, value: '1' }] });
  for (const [name, since] of [
    ['net.ipv4.ip_local_reserved_ports', 27],
    ['net.ipv4.tcp_keepalive_time', 29],
    ['net.ipv4.tcp_rmem', 32],
  ] as const)
    assert.deepEqual(
      [reasons('baseline', since - 1, sysctl(name)), reasons('baseline', since, sysctl(name))],
      ['forbidden sysctls', ''],
    );
  const engine = inPod({ seLinuxOptions: { type: 'container_engine_t' } });
  assert.deepEqual(
    [reasons('baseline', 30, engine), reasons('baseline', 31, engine)],
    ['seLinuxOptions', ''],
  );
  const probe = one({}, { livenessProbe: { tcpSocket: { host: 'h', port: 1 } } });
  assert.deepEqual(
    [reasons('baseline', 33, probe), reasons('baseline', 34, probe)],
    ['', 'probe or lifecycle host'],
  );
  const annotated = { 'seccomp.security.alpha.kubernetes.io/pod': 'unconfined' };
  assert.equal(
    violations('baseline', 18, one(), annotated),
    'seccompProfile (forbidden annotation seccomp.security.alpha.kubernetes.io/pod="unconfined")',
  );
  assert.equal(violations('baseline', 19, one(), annotated), '');
});

test('policyOf() reads labels, and takes what means nothing for the strictest', () => {
  const read = (labels: Record<string, string>) => {
    const { policy, problems } = policyOf(
      Object.fromEntries(
        Object.entries(labels).map(([key, value]) => [`pod-security.kubernetes.io/${key}`, value]),
      ),
    );
    const { enforce, audit, warn } = policy;
    return [policyText(enforce), policyText(audit), policyText(warn), problems.length];
  };
  assert.deepEqual(read({}), ['privileged:latest', 'privileged:latest', 'privileged:latest', 0]);
  assert.deepEqual(read({ enforce: 'baseline', 'enforce-version': 'v1.30', warn: 'restricted' }), [
    'baseline:v1.30',
    'privileged:latest',
    'restricted:latest',
    0,
  ]);
  assert.deepEqual(read({ enforce: 'x', audit: 'y', 'warn-version': 'v1' }), [
    'restricted:latest',
    'privileged:latest',
    'privileged:latest',
    3,
  ]);
});

test('namespaces enforce, warn, and say which of their pods would be refused', async (t) => {
  const cloud = await startApi(t);
  const { client, api } = cloud;
  const label = (labels: Record<string, string>) =>
    client.patch(namespaces, undefined, 'default', 'merge', {
      metadata: {
        labels: Object.fromEntries(
          Object.entries(labels).map(([key, value]) => [`pod-security.kubernetes.io/${key}`, value]),
        ),
      },
    });
  await client.create(pods, podOf('old', { securityContext: { privileged: true } }));
  await client.create(pods, podOf('older', { securityContext: { privileged: true } }));
  await label({ enforce: 'baseline', warn: 'restricted' });
  assert.equal(
    await saidOf(cloud, pods, podOf('p', { securityContext: { privileged: true } })),
    'pods "p" is forbidden: violates PodSecurity "baseline:latest": privileged (container "c" must not set securityContext.privileged=true)',
  );
  const would =
    'would violate PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")';
  assert.equal(await saidOf(cloud, pods, podOf('p')), would);
  const template = { metadata: { labels: { a: 'b' } }, spec: podOf('x').spec };
  const deployment = objectOf('apps/v1', 'Deployment', 'd', {
    spec: { selector: { matchLabels: { a: 'b' } }, template },
  });
  assert.equal(await saidOf(cloud, refTo('apps', 'deployments'), deployment), would);
  // What was there stays as it is, and may be labelled; its images are held against the policy.
  await client.patch(pods, 'default', 'old', 'merge', { metadata: { labels: { a: 'b' } } });
  assert.match(
    await messageOf(
      client.patch<Pod>(pods, 'default', 'old', 'strategic', {
        spec: { containers: [{ name: 'c', image: 'y' }] },
      }),
    ),
    /violates PodSecurity "baseline:latest": privileged/,
  );
  await client.patch(
    pods,
    'default',
    'old',
    'merge',
    { status: { phase: 'Running' } },
    { subresource: 'status' },
  );
  // A namespace's labels must mean something; where it grows stricter it says who is concerned.
  assert.equal(
    await messageOf(label({ enforce: 'strict' })),
    'Namespace "default" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "strict": must be one of privileged, baseline, restricted',
  );
  const warnings: string[] = [];
  const resource = api.context.resources.core('namespaces');
  const { changeObject } = await import('../../operations/update.ts');
  await changeObject(
    api.context,
    resource,
    {
      identity: { user: 'u', groups: ['system:masters'] },
      namespace: '',
      dryRun: true,
      fieldValidation: 'Strict',
      warn: (text) => warnings.push(text),
    },
    {
      name: 'default',
      part: 'main',
      make: (_old, draft) => {
        const wanted = draft();
        wanted.metadata.labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
        return wanted;
      },
    },
  );
  assert.deepEqual(warnings, [
    'existing pods in namespace "default" violate the new PodSecurity enforce level "restricted:latest"',
    'old (and 1 other pod): privileged, allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot != true, seccompProfile',
  ]);
  const created = (labels: Record<string, string>): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'n', labels },
  });
  assert.match(
    await messageOf(client.create(namespaces, created({ 'pod-security.kubernetes.io/warn-version': '1.2' }))),
    /metadata\.labels\[pod-security\.kubernetes\.io\/warn-version\]: Invalid value: "1\.2": must be "latest" or "v1\.x"$/,
  );
});
