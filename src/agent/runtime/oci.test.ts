/** Tables: what a specification becomes in the bundle, in cgroup files, in seccomp rules. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cpuWeight, limitWritesV1, limitWritesV2, parseKeyed, usageV1, usageV2 } from './cgroup-values.ts';
import { containerSpec, sandboxSpec } from './contract.ts';
import { capabilitiesOf, type HostFacts, type OciConfig, ociConfig, ociProcess } from './oci.ts';
import type { ContainerSpec, SandboxSpec, SecuritySpec } from './runtime.ts';
import { runtimeDefaultProfile } from './seccomp.ts';

const host: HostFacts = {
  cgroupLayout: 'v2',
  architecture: 'x64',
  capabilities: 2n ** 41n - 1n,
  openFilesMax: 20_000,
  oomScoreLeast: -1000,
  swapAccounting: false,
  devices: [{ path: '/dev/sda', type: 'b', major: 8, minor: 0, fileMode: 0o660 }],
};
const places = { rootPath: () => '/roots/a', logPath: (name: string) => `/logs/${name}` };
const paths = { utsNamespace: '/s/uts', ipcNamespace: '/s/ipc', sharedMemory: '/s/shm' };

function spec(changes: Partial<ContainerSpec> = {}, security: Partial<SecuritySpec> = {}): ContainerSpec {
  const base = containerSpec(places, 'uid', ['/bin/app'], changes);
  return { ...base, security: { ...base.security, ...security } };
}

function config(
  container: ContainerSpec,
  sandbox: Partial<SandboxSpec> = {},
  facts: Partial<HostFacts> = {},
): OciConfig {
  const pod = sandboxSpec('uid', { networkNamespace: '/run/netns/x', ...sandbox });
  return ociConfig(container, pod, paths, { ...host, ...facts }, '/caelum-a/poduid/id');
}

test('capabilitiesOf() adds, drops and understands ALL', () => {
  const cases: readonly [Partial<SecuritySpec>, readonly string[], number][] = [
    [{}, ['CAP_CHOWN', 'CAP_NET_RAW'], 14],
    [{ addCapabilities: ['NET_ADMIN'] }, ['CAP_NET_ADMIN'], 15],
    [{ addCapabilities: ['cap_net_admin'], dropCapabilities: ['chown'] }, ['CAP_NET_ADMIN'], 14],
    [{ dropCapabilities: ['ALL'] }, [], 0],
    [{ dropCapabilities: ['ALL'], addCapabilities: ['NET_BIND_SERVICE'] }, ['CAP_NET_BIND_SERVICE'], 1],
    [{ addCapabilities: ['ALL'] }, ['CAP_SYS_ADMIN'], 41],
    [{ addCapabilities: ['ALL'], dropCapabilities: ['SYS_ADMIN'] }, ['CAP_CHOWN'], 40],
    [{ addCapabilities: ['NO_SUCH'] }, [], 14],
    [{ privileged: true, dropCapabilities: ['ALL'] }, ['CAP_SYS_ADMIN'], 41],
  ];
  for (const [security, some, count] of cases) {
    const held = capabilitiesOf(spec({}, security), host.capabilities);
    assert.equal(held.length, count, JSON.stringify(security));
    for (const name of some) assert.ok(held.includes(name), `${name} in ${JSON.stringify(security)}`);
  }
  assert.equal(capabilitiesOf(spec({}, { privileged: true }), 2n ** 38n - 1n).length, 38, 'an old kernel');
  const without = host.capabilities - 2n ** 24n;
  assert.equal(capabilitiesOf(spec({}, { addCapabilities: ['ALL'] }), without).length, 40);
  assert.equal(capabilitiesOf(spec({}, { addCapabilities: ['SYS_RESOURCE'] }), without).length, 15);
});

test('ociProcess() fills in what the environment lacks', () => {
  const pod = sandboxSpec('uid', { hostname: 'web' });
  const run = (changes: Partial<ContainerSpec>, terminal: boolean, security: Partial<SecuritySpec> = {}) =>
    ociProcess(spec(changes, security), pod, host, { args: ['a'], terminal });
  assert.deepEqual(run({ env: [['A', 'b=c']] }, true).env, [
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'A=b=c',
    'HOSTNAME=web',
    'TERM=xterm',
  ]);
  const own: ContainerSpec['env'] = [
    ['PATH', '/x'],
    ['HOSTNAME', 'own'],
    ['TERM', 'dumb'],
  ];
  assert.deepEqual(run({ env: own }, true).env, ['PATH=/x', 'HOSTNAME=own', 'TERM=dumb']);
  assert.equal(run({ workingDirectory: '' }, false).cwd, '/');
  const user = run({}, false, { userId: 1000, groupId: 5, supplementalGroups: [6] });
  assert.deepEqual(user.user, { uid: 1000, gid: 5, additionalGids: [6] });
  assert.deepEqual(user.capabilities.effective, []);
  assert.equal(user.capabilities.bounding.length, 14);
  assert.deepEqual(run({}, false).rlimits, [{ type: 'RLIMIT_NOFILE', hard: 20_000, soft: 20_000 }]);
});

test('ociConfig() joins the namespaces of the pod, and the host only where asked', () => {
  const kinds = (sandbox: Partial<SandboxSpec>, facts: Partial<HostFacts> = {}): Record<string, string> =>
    Object.fromEntries(
      config(spec(), sandbox, facts).linux.namespaces.map(({ type, path }) => [type, path ?? 'new']),
    );
  const usual = { mount: 'new', pid: 'new', network: '/run/netns/x', uts: '/s/uts', ipc: '/s/ipc' };
  assert.deepEqual(kinds({}), { ...usual, cgroup: 'new' });
  assert.deepEqual(kinds({}, { cgroupLayout: 'hybrid' }), usual);
  assert.equal(kinds({ hostPid: true })['pid'], undefined);
  assert.equal(kinds({ networkNamespace: undefined })['network'], undefined);
});

test('ociConfig() closes what must be closed, unless the container is privileged', () => {
  const usual = config(spec());
  assert.ok(usual.linux.maskedPaths.includes('/proc/kcore'));
  assert.ok(usual.linux.readonlyPaths.includes('/proc/sys'));
  assert.equal(usual.linux.seccomp?.defaultAction, 'SCMP_ACT_ERRNO');
  assert.deepEqual(usual.linux.devices, []);
  assert.ok(usual.mounts.find(({ destination }) => destination === '/sys')?.options.includes('ro'));
  const open = config(spec({}, { privileged: true }));
  assert.deepEqual([open.linux.maskedPaths, open.linux.readonlyPaths], [[], []]);
  assert.equal(open.linux.seccomp, undefined);
  assert.equal(open.linux.devices.length, 1);
  assert.ok(open.mounts.find(({ destination }) => destination === '/sys')?.options.includes('rw'));
  assert.equal(config(spec({}, { seccomp: 'Unconfined' })).linux.seccomp, undefined);
  assert.equal(config(spec(), {}, { architecture: 'riscv64' }).linux.seccomp, undefined);
  assert.equal(config(spec({}, { readOnlyRootFilesystem: true })).root.readonly, true);
});

test('ociConfig() mounts parents first, after its own', () => {
  const mount = (containerPath: string, changes: object = {}) => ({
    containerPath,
    hostPath: `/from${containerPath}`,
    readOnly: false,
    ...changes,
  });
  const made = config(
    spec({
      mounts: [
        mount('/a/b/c'),
        mount('/dev/shm'),
        mount('/a', { readOnly: true }),
        mount('/a/b/', { propagation: 'rslave' }),
      ],
    }),
  );
  const own = made.mounts.filter(({ source }) => source.startsWith('/from'));
  assert.deepEqual(
    own.map(({ destination }) => destination),
    ['/a', '/dev/shm', '/a/b/', '/a/b/c'],
  );
  assert.deepEqual(own[0]?.options, ['rbind', 'rprivate', 'ro']);
  assert.deepEqual(own[2]?.options, ['rbind', 'rslave', 'rw']);
  assert.equal(made.linux.rootfsPropagation, 'rslave');
  const order = made.mounts.map(({ source }) => source);
  assert.ok(order.indexOf('/s/shm') < order.indexOf('/from/dev/shm'), 'a volume on /dev/shm wins');
});

test('ociConfig() carries limits', () => {
  const limits = { cpuShares: 0, cpuQuotaMicros: 10, memoryLimitBytes: 1000, pidsLimit: 7 };
  const common = { cpu: { shares: 2, quota: 1000, period: 100_000 }, pids: { limit: 7 } };
  const devices = [{ allow: false, access: 'rwm' }];
  assert.deepEqual(config(spec(limits)).linux.resources, { devices, ...common, memory: { limit: 1000 } });
  assert.deepEqual(config(spec(limits), {}, { swapAccounting: true }).linux.resources, {
    devices,
    ...common,
    memory: { limit: 1000, swap: 1000 },
  });
  assert.deepEqual(config(spec()).linux.resources, { devices, cpu: { shares: 100 } });
});

test('ociConfig() lets a container have the devices that it claimed, and no others', () => {
  const claimed = [{ path: '/dev/acc0', type: 'c', major: 240, minor: 3, fileMode: 0o660 }] as const;
  const devices = [
    { path: '/dev/accelerator', hostPath: '/dev/acc0', permissions: 'rw' },
    { path: '/dev/gone', hostPath: '/dev/gone', permissions: 'rwm' },
  ];
  const { linux } = config(spec({ devices }), {}, { claimed });
  assert.deepEqual(linux.devices, [
    { path: '/dev/accelerator', type: 'c', major: 240, minor: 3, fileMode: 0o660, uid: 0, gid: 0 },
  ]);
  assert.deepEqual((linux.resources as { devices: unknown }).devices, [
    { allow: false, access: 'rwm' },
    { allow: true, type: 'c', major: 240, minor: 3, access: 'rw' },
  ]);
});

test('runtimeDefaultProfile() opens with capabilities and stays shut without', () => {
  const allows = (capabilities: string[], call: string): boolean =>
    runtimeDefaultProfile(new Set(capabilities), 'x64')?.syscalls.some(
      ({ names, action, args }) => action === 'SCMP_ACT_ALLOW' && args === undefined && names.includes(call),
    ) === true;
  for (const call of [
    'mount',
    'unshare',
    'bpf',
    'keyctl',
    'kexec_load',
    'init_module',
    'io_uring_setup',
    'clone',
    'clone3',
    'userfaultfd',
    'process_vm_writev',
    'chroot',
  ])
    assert.equal(allows([], call), false, call);
  for (const call of ['read', 'execve', 'openat', 'futex', 'epoll_wait', 'rseq', 'getrandom', 'statx'])
    assert.equal(allows([], call), true, call);
  assert.ok(allows(['CAP_SYS_ADMIN'], 'mount') && allows(['CAP_SYS_ADMIN'], 'clone3'));
  assert.ok(allows(['CAP_SYS_CHROOT'], 'chroot'));
  assert.equal(runtimeDefaultProfile(new Set(), 'mips'), undefined);
});

test('limits become writes in both versions', () => {
  for (const [shares, weight] of [
    [2, 1],
    [0, 1],
    [1024, 39],
    [262_144, 10_000],
    [9_999_999, 10_000],
  ] as const)
    assert.equal(cpuWeight(shares), weight, String(shares));
  const limits = { cpuShares: 1024, cpuQuotaMicros: 50_000, memoryLimitBytes: 4096 };
  const none = { cpuShares: 2, cpuQuotaMicros: undefined, memoryLimitBytes: undefined };
  const text = (writes: readonly { file: string; value: string }[]): string[] =>
    writes.map(({ file, value }) => `${file}=${value}`);
  assert.deepEqual(text(limitWritesV2(limits)), ['cpu.weight=39', 'cpu.max=50000 100000', 'memory.max=4096']);
  assert.deepEqual(text(limitWritesV2(none)), ['cpu.weight=1', 'cpu.max=max 100000', 'memory.max=max']);
  assert.ok(text(limitWritesV1(limits)).includes('memory.limit_in_bytes=4096'));
  assert.ok(text(limitWritesV1(none)).includes('cpu.cfs_quota_us=-1'));
  assert.ok(text(limitWritesV1(none)).includes('memory.limit_in_bytes=-1'));
});

test('usage is read from both versions', () => {
  const v1 = usageV1({
    cpuacctUsage: '123456\n',
    memoryUsage: '5000\n',
    memoryStat: 'total_rss 300\ntotal_inactive_file 1000\n',
    pidsCurrent: '4\n',
  });
  assert.deepEqual(v1, {
    cpuNanoseconds: 123_456,
    memoryWorkingSetBytes: 4000,
    memoryRssBytes: 300,
    pids: 4,
  });
  const v2 = usageV2({
    cpuStat: 'usage_usec 7\nuser_usec 5\n',
    memoryCurrent: '900\n',
    memoryStat: 'anon 20\ninactive_file 1000\n',
    pidsCurrent: '1\n',
  });
  assert.deepEqual(v2, { cpuNanoseconds: 7000, memoryWorkingSetBytes: 0, memoryRssBytes: 20, pids: 1 });
  assert.equal(parseKeyed('a 1\nb\n').size, 1);
});
