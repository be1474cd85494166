/** The contract on real containers, and what only those can show. Needs root, crun or runc, conmon and busybox. */
import assert from 'node:assert/strict';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { silentLog } from '../../../lib/index.ts';
import { realClock } from '../../../lib/io/real-clock.ts';
import {
  acts,
  type ContractHarness,
  containerSpec,
  readText,
  runtimeContract,
  sandboxSpec,
} from '../contract.ts';
import type { ContainerSpec, ContainerStatus, Runtime } from '../runtime.ts';
import { createRuntime } from './conmon-runtime.ts';
import { exists, findProgram, readCgroupLayout } from './host.ts';
import { run } from './spawned.ts';

const missing = ['conmon', 'busybox', 'unshare', 'script'].filter((name) => findProgram(name) === undefined);
if (findProgram('crun') === undefined && findProgram('runc') === undefined) missing.push('crun or runc');
const skip =
  process.getuid?.() !== 0 ? 'not root' : missing.length > 0 ? `not installed: ${missing.join(', ')}` : false;

const folder = mkdtempSync(join(tmpdir(), 'caelum-runtime-test-'));
const cloud = `test-${process.pid}`;
const rootFolder = join(folder, 'rootfs');
let pods = 0;

const common = { clock: realClock, log: silentLog };

const harness: ContractHarness = {
  open: () => createRuntime({ ...common, root: join(folder, 'runtime'), cloud }),
  rootPath: () => rootFolder,
  logPath: (name) => join(folder, 'logs', `${name}.log`),
  podUid: () => `pod-${process.pid}-${pods++}`,
  until: async (what, done) => {
    const deadlineMs = performance.now() + 60_000;
    while (!(await done())) {
      if (performance.now() > deadlineMs) assert.fail(`never: ${what}`);
      await realClock.sleep(5);
    }
  },
};

before(async () => {
  if (skip !== false) return;
  const bin = join(rootFolder, 'bin');
  mkdirSync(bin, { recursive: true });
  copyFileSync(findProgram('busybox') ?? '', join(bin, 'busybox'));
  const { stdout } = await run(join(bin, 'busybox'), ['--list']);
  for (const applet of stdout.trim().split('\n'))
    if (applet !== 'busybox') symlinkSync('busybox', join(bin, applet));
});

after(async () => {
  if (skip === false) {
    for (const one of skipOther === false ? [harness, other] : [harness]) await (await one.open()).destroy();
    for (const root of readCgroupLayout().roots)
      for (const name of [cloud, `${cloud}-runc`]) assert.ok(!exists(join(root, `caelum-${name}`)), root);
  }
  rmSync(folder, { recursive: true, force: true });
});

for (const { name, run: runCase } of runtimeContract)
  test(`conmon runtime: ${name}`, { skip, timeout: 180_000 }, () => runCase(harness));

/** The other OCI runtime, where both are installed. */
const other: ContractHarness = {
  ...harness,
  open: () =>
    createRuntime({ ...common, root: join(folder, 'runc'), cloud: `${cloud}-runc`, prefer: ['runc'] }),
};
const skipOther = skip === false && findProgram('runc') === undefined ? 'not installed: runc' : skip;
for (const { name, run: runCase } of runtimeContract)
  test(`conmon runtime with runc: ${name}`, { skip: skipOther, timeout: 180_000 }, () => runCase(other));

/** A pod with one container, removed whatever happens. */
async function withContainer(
  args: readonly string[],
  changes: Partial<ContainerSpec>,
  act: (runtime: Runtime, started: ContainerStatus, spec: ContainerSpec) => Promise<void>,
): Promise<void> {
  const runtime = await harness.open();
  const podUid = harness.podUid();
  try {
    await runtime.createSandbox(sandboxSpec(podUid));
    const spec = containerSpec(harness, podUid, args, changes);
    await act(runtime, await runtime.startContainer(spec), spec);
  } finally {
    await runtime.removeSandbox(podUid);
    await runtime.close();
  }
}

function real(name: string, body: () => Promise<void>): void {
  test(`conmon runtime: ${name}`, { skip, timeout: 180_000 }, body);
}

real('a container sees only its own, as its user, in its place', () =>
  withContainer(
    acts.forever,
    {
      env: [
        ['PATH', '/bin'],
        ['GREETING', 'a b'],
      ],
      workingDirectory: '/tmp',
      security: {
        privileged: false,
        userId: 1000,
        groupId: 1001,
        supplementalGroups: [5, 1002],
        addCapabilities: [],
        dropCapabilities: ['ALL'],
        noNewPrivileges: true,
        readOnlyRootFilesystem: true,
        seccomp: 'RuntimeDefault',
      },
    },
    async (runtime, { id }) => {
      const say = async (script: string): Promise<string> =>
        (await runtime.execSync(id, ['/bin/sh', '-c', script], 30_000)).output.trim();
      assert.match(await say('id'), /uid=1000 gid=1001 groups=(1001,)?5,1002/);
      assert.equal(await say('pwd; echo "$GREETING"'), '/tmp\na b');
      assert.match(await say('touch /x 2>&1'), /Read-only file system/);
      assert.match(await say('grep NoNewPrivs /proc/self/status'), /1$/);
      assert.match(await say('grep CapBnd /proc/self/status'), /0000000000000000$/);
      assert.match(await say('grep Seccomp: /proc/self/status'), /2$/);
      assert.match(await say('ps | wc -l'), /^[345]$/);
      assert.match(await say('cat /proc/kcore 2>&1; unshare -m true 2>&1'), /not permitted/);
      assert.match(await say('df /dev/shm | tail -1; echo 1 > /proc/sys/kernel/printk'), /denied|Read-only/);
      assert.equal(await say('echo to-stdout > /dev/stdout'), 'to-stdout');
    },
  ),
);

real('containers of a pod share hostname and shared memory', async () => {
  const runtime = await harness.open();
  const podUid = harness.podUid();
  const netns = `caelum-test-${process.pid}`;
  try {
    await run('ip', ['netns', 'add', netns]);
    const sysctls = { 'net.ipv4.ip_unprivileged_port_start': '80', 'kernel.shm_rmid_forced': '1' };
    await runtime.createSandbox(
      sandboxSpec(podUid, { networkNamespace: `/run/netns/${netns}`, sysctls, hostname: 'host-of-pod' }),
    );
    const a = await runtime.startContainer(containerSpec(harness, podUid, acts.forever, { name: 'a' }));
    const b = await runtime.startContainer(containerSpec(harness, podUid, acts.forever, { name: 'b' }));
    const say = async (id: string, script: string): Promise<string> =>
      (await runtime.execSync(id, ['/bin/sh', '-c', script], 30_000)).output.trim();
    assert.equal(await say(a.id, 'hostname; echo $HOSTNAME'), 'host-of-pod\nhost-of-pod');
    await say(a.id, 'echo shared > /dev/shm/file');
    assert.equal(await say(b.id, 'cat /dev/shm/file'), 'shared');
    assert.equal(await say(b.id, 'cat /proc/sys/net/ipv4/ip_unprivileged_port_start'), '80');
    assert.equal(await say(b.id, 'cat /proc/sys/kernel/shm_rmid_forced'), '1');
    assert.equal(await say(b.id, 'ls /sys/class/net'), 'lo');
    for (const kind of ['net', 'uts', 'ipc'])
      assert.equal(
        await say(a.id, `readlink /proc/self/ns/${kind}`),
        await say(b.id, `readlink /proc/self/ns/${kind}`),
      );
    assert.notEqual(
      await say(a.id, 'readlink /proc/self/ns/pid'),
      await say(b.id, 'readlink /proc/self/ns/pid'),
    );
  } finally {
    await runtime.removeSandbox(podUid);
    await runtime.close();
    await run('ip', ['netns', 'del', netns]);
  }
});

real('a container over its memory limit is OOMKilled with 137', () =>
  withContainer(
    ['/bin/sh', '-c', 'x=a; while :; do x=$x$x; done'],
    { memoryLimitBytes: 16 * 2 ** 20, pidsLimit: 50 },
    async (runtime, { id }) => {
      await harness.until('exited', async () => (await runtime.status(id))?.state === 'exited');
      const status = await runtime.status(id);
      assert.equal(status?.exitCode, 137);
      assert.equal(status?.reason, 'OOMKilled');
    },
  ),
);

real('updateResources() moves limits up and down', () =>
  withContainer(acts.forever, { memoryLimitBytes: 32 * 2 ** 20 }, async (runtime, { id }) => {
    const file = readCgroupLayout().kind === 'v2' ? 'memory.max' : 'memory/memory.limit_in_bytes';
    const read = async (): Promise<string> =>
      (await runtime.execSync(id, ['/bin/cat', `/sys/fs/cgroup/${file}`], 30_000)).output.trim();
    for (const megabytes of [64, 24]) {
      const memoryLimitBytes = megabytes * 2 ** 20;
      await runtime.updateResources(id, { cpuShares: 512, cpuQuotaMicros: 20_000, memoryLimitBytes });
      assert.equal(await read(), String(memoryLimitBytes));
    }
  }),
);

real('logs are in CRI format, and go on in a new file after reopenLog()', () =>
  withContainer(
    ['/bin/sh', '-c', 'echo one; echo two >&2; while :; do echo tick; sleep 0.02; done'],
    {},
    async (runtime, { id }, spec) => {
      const text = (): string => (exists(spec.logPath) ? readFileSync(spec.logPath, 'utf8') : '');
      // What is said on either way goes its own: nothing says which comes first.
      await harness.until('a tick and an error', () =>
        ['tick', ' stderr F two\n'].every((part) => text().includes(part)),
      );
      assert.match(text(), /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d) stdout F one$/m);
      assert.match(text(), / stderr F two$/m);
      renameSync(spec.logPath, `${spec.logPath}.1`);
      await runtime.reopenLog(id);
      await harness.until('ticks in the new file', () => text().includes('tick'));
      assert.doesNotMatch(text(), /one/);
    },
  ),
);

real('exec() with a terminal: size, typing, exit code', () =>
  withContainer(acts.forever, {}, async (runtime, { id }) => {
    const session = await runtime.exec({ containerId: id, args: ['/bin/sh'], terminal: true, stdin: true });
    session.resize(132, 43);
    let seen = '';
    session.stdout.on('data', (part: Buffer) => {
      seen += part.toString();
    });
    session.stdin?.write('tty; while [ "$(stty size)" != "43 132" ]; do sleep 0.02; done; stty size\n');
    await harness.until('the size', () => /\n43 132\r/.test(seen));
    assert.match(seen, /\/dev\/pts\/0/);
    session.resize(100, 20);
    session.stdin?.write('while [ "$(stty size)" != "20 100" ]; do sleep 0.02; done; echo re"sized"\n');
    await harness.until('the new size', () => seen.includes('resized'));
    session.stdin?.write('\u0003');
    session.stdin?.write('exit 9\n');
    assert.equal(await session.exited, 9);
    assert.equal(session.stderr, undefined);
  }),
);

real('exec() with a terminal of a known size has it without being told again', () =>
  withContainer(acts.forever, {}, async (runtime, { id }) => {
    for (let time = 0; time < 5; time++) {
      const session = await runtime.exec({
        containerId: id,
        // It comes a moment after the process has begun.
        args: ['/bin/sh', '-c', 'until [ "$(stty size 2>&1)" = "33 77" ]; do sleep 0.02; done; stty size'],
        terminal: true,
        stdin: true,
        size: { columns: 77, rows: 33 },
      });
      let seen = '';
      session.stdout.on('data', (part: Buffer) => {
        seen += part.toString();
      });
      const ended = new Promise((resolve) => session.stdout.once('end', resolve));
      assert.equal(await session.exited, 0);
      await ended;
      assert.equal(seen.trim(), '33 77');
    }
  }),
);

real('exec() with a terminal gives a short command output and nothing of the runtime', () =>
  withContainer(acts.forever, {}, async (runtime, { id }) => {
    const one = async (): Promise<void> => {
      const args = ['/bin/echo', 'short'];
      const session = await runtime.exec({ containerId: id, args, terminal: true, stdin: true });
      let seen = '';
      session.stdout.on('data', (part: Buffer) => {
        seen += part.toString();
      });
      const ended = new Promise((resolve) => session.stdout.once('end', resolve));
      assert.equal(await session.exited, 0);
      await ended;
      assert.equal(seen, 'short\r\n');
    };
    for (let round = 0; round < 5; round++) await Promise.all([one(), one(), one(), one()]);
  }),
);

real('exec() of a missing program is rejected with its name, with and without a terminal', () =>
  withContainer(acts.forever, {}, async (runtime, { id }) => {
    for (const terminal of [false, true]) {
      const session = await runtime.exec({ containerId: id, args: ['/bin/nothing'], terminal, stdin: true });
      const outputs = Promise.all([readText(session.stdout), readText(session.stderr)]);
      await assert.rejects(session.exited, /Cannot exec "\/bin\/nothing".*nothing/);
      assert.deepEqual(await outputs, ['', '']);
    }
    await assert.rejects(runtime.execSync(id, ['/bin/nothing'], 30_000), /nothing/);
  }),
);

real('exec() carries megabytes, many at once, and kill() ends one', () =>
  withContainer(acts.forever, {}, async (runtime, { id }) => {
    const size = 3_000_000;
    const one = async (index: number): Promise<void> => {
      const session = await runtime.exec({
        containerId: id,
        args: ['/bin/cat'],
        terminal: false,
        stdin: true,
      });
      session.stdin?.end(Buffer.alloc(size, 97 + index));
      const text = await readText(session.stdout);
      assert.equal(text.length, size);
      assert.equal(text.at(-1), String.fromCharCode(97 + index));
      assert.equal(await session.exited, 0);
    };
    await Promise.all([0, 1, 2, 3].map(one));
    const session = await runtime.exec({
      containerId: id,
      args: ['/bin/sleep', '100'],
      terminal: false,
      stdin: false,
    });
    await harness.until(
      'sleep runs',
      async () =>
        (await runtime.execSync(id, ['/bin/sh', '-c', 'ps | grep -q "[s]leep 100$"'], 30_000)).exitCode === 0,
    );
    session.kill();
    assert.equal(await session.exited, 137);
    const lingering = await runtime.exec({
      containerId: id,
      args: ['/bin/sh', '-c', 'echo done; sleep 5 &'],
      terminal: false,
      stdin: false,
    });
    assert.equal(await readText(lingering.stdout), 'done\n');
    assert.equal(await lingering.exited, 0);
  }),
);

real('attach() carries stdin and output, also after a restart', () =>
  withContainer(['/bin/cat'], { stdin: true, stdinOnce: true }, async (runtime, { id }) => {
    await runtime.close();
    const restarted = await harness.open();
    try {
      const session = await restarted.attach(id);
      let seen = '';
      session.stdout.on('data', (part: Buffer) => {
        seen += part.toString();
      });
      const big = 'x'.repeat(200_000);
      session.stdin?.write('hello\n');
      await harness.until('the echo', () => seen.includes('hello\n'));
      session.stdin?.end(big);
      assert.equal(await session.exited, 0);
      await harness.until('all', () => seen.length === 6 + big.length);
      await harness.until('exited', async () => (await restarted.status(id))?.state === 'exited');
    } finally {
      await restarted.close();
    }
  }),
);

real('attach() to a terminal can resize it', () =>
  withContainer(['/bin/sh'], { stdin: true, terminal: true }, async (runtime, { id }) => {
    const session = await runtime.attach(id);
    let seen = '';
    session.stdout.on('data', (part: Buffer) => {
      seen += part.toString();
    });
    session.resize(111, 22);
    session.stdin?.write('while [ "$(stty size)" != "22 111" ]; do sleep 0.02; done; echo re"sized"\n');
    await harness.until('the size', () => seen.includes('resized'));
    session.stdin?.write('exit 6\n');
    assert.equal(await session.exited, 6);
  }),
);

real('a container whose monitor was killed is found to have ended', () =>
  withContainer(acts.forever, {}, async (runtime, { id, pid }) => {
    const monitor = Number(readFileSync(join(folder, 'runtime', 'containers', id, 'conmon.pid'), 'utf8'));
    const seen: ContainerStatus[] = [];
    runtime.onExit((status) => seen.push(status));
    process.kill(monitor, 'SIGKILL');
    assert.equal((await runtime.status(id))?.state, 'running');
    assert.ok(pid);
    process.kill(pid, 'SIGKILL');
    await harness.until('noticed', async () => (await runtime.status(id))?.state === 'exited');
    await harness.until('told', () => seen.length > 0);
    assert.equal(seen[0]?.exitCode, 255);
  }),
);

real('mounts are bound, read-only where asked, parents first', async () => {
  const outer = join(folder, 'outer');
  const inner = join(folder, 'inner');
  mkdirSync(outer);
  mkdirSync(inner);
  writeFileSync(join(outer, 'a'), 'outer');
  writeFileSync(join(inner, 'a'), 'inner');
  const mounts = [
    { containerPath: '/data/below', hostPath: inner, readOnly: true },
    { containerPath: '/data', hostPath: outer, readOnly: false },
    { containerPath: '/etc/one-file', hostPath: join(inner, 'a'), readOnly: true },
  ];
  await withContainer(acts.forever, { mounts }, async (runtime, { id }) => {
    const script = 'cat /data/a /data/below/a /etc/one-file; echo w > /data/new; echo w > /data/below/new';
    const { output } = await runtime.execSync(id, ['/bin/sh', '-c', script], 30_000);
    assert.match(output, /outerinnerinner/);
    assert.match(output, /below\/new: Read-only file system/);
    assert.equal(readFileSync(join(outer, 'new'), 'utf8'), 'w\n');
  });
});

real('a compiled seccomp filter filters as its profile does', async () => {
  const runtime = await harness.open();
  const podUid = harness.podUid();
  try {
    await runtime.createSandbox(sandboxSpec(podUid));
    const tries = 'grep Seccomp: /proc/self/status; unshare -m true; ls / > /dev/null && echo fine';
    for (const name of ['first', 'second', 'third']) {
      const { id } = await runtime.startContainer(containerSpec(harness, podUid, acts.forever, { name }));
      const config = readFileSync(join(folder, 'runtime', 'containers', id, 'config.json'), 'utf8');
      if (runtime.describe().name === 'crun' && name === 'third') assert.match(config, /seccomp_bpf_data/);
      const { output } = await runtime.execSync(id, ['/bin/sh', '-c', tries], 30_000);
      assert.match(output, /Seccomp:\s+2/);
      assert.match(output, /not permitted/);
      assert.match(output, /fine/);
    }
  } finally {
    await runtime.removeSandbox(podUid);
    await runtime.close();
  }
});

real('nothing is left of a removed sandbox', async () => {
  const runtime = await harness.open();
  const podUid = harness.podUid();
  try {
    await runtime.createSandbox(sandboxSpec(podUid, { memoryLimitBytes: 2 ** 28, cpuQuotaMicros: 50_000 }));
    await runtime.startContainer(containerSpec(harness, podUid, acts.forever));
    await runtime.removeSandbox(podUid);
    assert.doesNotMatch(readFileSync('/proc/self/mountinfo', 'utf8'), new RegExp(podUid));
    const { roots } = readCgroupLayout();
    for (const root of roots) assert.ok(!exists(join(root, `caelum-${cloud}`, `pod${podUid}`)), root);
  } finally {
    await runtime.close();
  }
});

real('containers that share processes see each other, and nothing of the host', async () => {
  const runtime = await harness.open();
  const podUid = harness.podUid();
  try {
    await runtime.createSandbox(sandboxSpec(podUid, { sharePid: true }));
    const start = (name: string, changes: Partial<ContainerSpec> = {}) =>
      runtime.startContainer(containerSpec(harness, podUid, acts.forever, { name, ...changes }));
    const security = { ...containerSpec(harness, podUid, []).security, addCapabilities: ['SYS_PTRACE'] };
    const [a, b] = [await start('a'), await start('b', { security })];
    const say = async (id: string, script: string): Promise<string> =>
      (await runtime.execSync(id, ['/bin/sh', '-c', script], 30_000)).output.trim();
    assert.equal(
      await say(a.id, 'readlink /proc/self/ns/pid'),
      await say(b.id, 'readlink /proc/self/ns/pid'),
    );
    assert.equal(await say(b.id, 'ps | grep -c "[s]leep 1000"'), '2');
    // The first of them is not the host's: neither its files nor a way up from there.
    assert.doesNotMatch(await say(b.id, 'ls /proc/1/root/ /proc/1/root/../..'), /etc|home|usr/);
    assert.match(
      await say(b.id, 'grep CapBnd /proc/1/status; grep Uid /proc/1/status'),
      /0{16}\s+Uid:\s+65535/,
    );
    // Orphans are taken in, and leave nothing behind.
    await say(a.id, '(sleep 0.05 &) ; true');
    const dead = 'sleep 0.1; cat /proc/[0-9]*/status | grep -c "^State:.Z"; ps | grep -c "[s]leep 0.05"';
    await harness.until('reaped', async () => (await say(a.id, dead)) === '0\n0');
    await runtime.stopContainer(a.id, 0);
    assert.equal(await say(b.id, 'ps | grep -c "[s]leep 1000"'), '1');
    await runtime.stopContainer(b.id, 0);
    const c = await start('c');
    assert.equal(await say(c.id, 'ps | grep -c "[s]leep 1000"'), '1', 'also after all had ended');
  } finally {
    await runtime.removeSandbox(podUid);
    await runtime.close();
  }
});

real('a container can be put among the processes of another', () =>
  withContainer(['/bin/sleep', '12345'], {}, async (runtime, { id }, spec) => {
    const security = { ...spec.security, addCapabilities: ['SYS_PTRACE'] };
    const guest = await runtime.startContainer({
      ...spec,
      name: 'guest',
      args: acts.forever,
      targetId: id,
      security,
    });
    const { output } = await runtime.execSync(guest.id, ['/bin/sh', '-c', 'ps; ls /proc/1/root/bin'], 30_000);
    assert.match(output, /1 (root|0) .*sleep 12345/);
    assert.match(output, /busybox/);
  }),
);

const skipDevices = skip === false && !exists('/dev/fuse') ? 'no /dev/fuse' : skip;
test('conmon runtime: a container has the devices of the machine that it claimed, under its own name for them, and no others', {
  skip: skipDevices,
  timeout: 180_000,
}, async () => {
  // Nothing that a container has by itself.
  const device = { path: '/dev/claimed', hostPath: '/dev/fuse', permissions: 'r' };
  await withContainer(acts.forever, { devices: [device] }, async (runtime, { id }) => {
    const script = 'test -c /dev/claimed && : < /dev/claimed && echo has; test -e /dev/fuse || echo no other';
    const { output } = await runtime.execSync(id, ['/bin/sh', '-c', script], 30_000);
    assert.equal(output, 'has\nno other\n');
  });
});
