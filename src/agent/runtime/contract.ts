/**
 * What every runtime must do. One table of cases; `runtime.test.ts` runs it on the fake, `io/conmon-runtime.test.ts` on real containers.
 *
 * The commands are few, so that a fake can act them: see `acts`.
 */
import assert from 'node:assert/strict';
import type {
  ContainerLimits,
  ContainerSpec,
  ContainerStatus,
  ExecSession,
  Runtime,
  SandboxSpec,
} from './runtime.ts';

export interface ContractHarness {
  /** A runtime on the same host state as the last one of this harness: a restarted agent. */
  open(): Promise<Runtime>;
  /** Root file system for one container. */
  rootPath(): string;
  logPath(name: string): string;
  /** Unique in this harness. */
  podUid(): string;
  /** Lets time pass until `done`, or fails after a bound. */
  until(what: string, done: () => boolean | Promise<boolean>): Promise<void>;
}

export interface ContractCase {
  readonly name: string;
  run(harness: ContractHarness): Promise<void>;
}

/** The commands that the cases use. */
export const acts = {
  forever: ['/bin/sleep', '1000'],
  exits: (code: number): string[] => ['/bin/sh', '-c', `exit ${code}`],
  /** Exits 7 on SIGTERM. */
  polite: ['/bin/sh', '-c', 'trap "exit 7" TERM; while :; do sleep 0.02; done'],
  /** Ignores SIGTERM. */
  stubborn: ['/bin/sh', '-c', 'trap "" TERM; while :; do sleep 0.02; done'],
  missing: ['/bin/no-such-program'],
  /** For exec: writes out, writes to stderr, exits 3. */
  speaks: ['/bin/sh', '-c', 'echo out; echo err >&2; exit 3'],
  /** For exec: copies stdin to stdout. */
  copies: ['/bin/cat'],
  /** For execSync: takes long. */
  slow: ['/bin/sleep', '100'],
} as const;

export function sandboxSpec(podUid: string, changes: Partial<SandboxSpec> = {}): SandboxSpec {
  return {
    podUid,
    podName: `pod-${podUid}`,
    podNamespace: 'default',
    hostname: 'web-1',
    networkNamespace: undefined,
    hostPid: false,
    hostIpc: false,
    sysctls: {},
    cpuShares: 100,
    cpuQuotaMicros: undefined,
    memoryLimitBytes: undefined,
    ...changes,
  };
}

export function containerSpec(
  harness: Pick<ContractHarness, 'rootPath' | 'logPath'>,
  podUid: string,
  args: readonly string[],
  changes: Partial<ContainerSpec> = {},
): ContainerSpec {
  const name = changes.name ?? 'main';
  return {
    podUid,
    name,
    attempt: 0,
    rootPath: harness.rootPath(),
    args,
    env: [['PATH', '/bin']],
    workingDirectory: '/',
    mounts: [],
    security: {
      privileged: false,
      userId: 0,
      groupId: 0,
      supplementalGroups: [],
      addCapabilities: [],
      dropCapabilities: [],
      noNewPrivileges: false,
      readOnlyRootFilesystem: false,
      seccomp: 'RuntimeDefault',
    },
    cpuShares: 100,
    cpuQuotaMicros: undefined,
    memoryLimitBytes: undefined,
    pidsLimit: undefined,
    oomScoreAdjust: 0,
    terminal: false,
    stdin: false,
    stdinOnce: false,
    logPath: harness.logPath(`${podUid}-${name}`),
    ...changes,
  };
}

const pickLimits = (limits: ContainerLimits | undefined) => ({
  cpuShares: limits?.cpuShares,
  cpuQuotaMicros: limits?.cpuQuotaMicros,
  memoryLimitBytes: limits?.memoryLimitBytes,
  resources: limits?.resources,
});

export async function readText(stream: NodeJS.ReadableStream | undefined): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of stream ?? []) parts.push(Buffer.from(part as Uint8Array));
  return Buffer.concat(parts).toString();
}

interface Scene {
  readonly harness: ContractHarness;
  readonly runtime: Runtime;
  readonly podUid: string;
  start(args: readonly string[], changes?: Partial<ContainerSpec>): Promise<ContainerStatus>;
  untilExited(runtime: Runtime, id: string): Promise<ContainerStatus>;
}

/** A sandbox for the case, removed whatever happens. */
async function inPod(harness: ContractHarness, act: (scene: Scene) => Promise<void>): Promise<void> {
  const runtime = await harness.open();
  const podUid = harness.podUid();
  try {
    await runtime.createSandbox(sandboxSpec(podUid));
    await act({
      harness,
      runtime,
      podUid,
      start: (args, changes) => runtime.startContainer(containerSpec(harness, podUid, args, changes)),
      untilExited: async (on, id) => {
        await harness.until('container exited', async () => (await on.status(id))?.state === 'exited');
        const status = await on.status(id);
        assert.ok(status);
        return status;
      },
    });
  } finally {
    await runtime.removeSandbox(podUid);
    await runtime.close();
  }
}

async function finished(session: ExecSession): Promise<{ out: string; err: string; code: number }> {
  const [out, err, code] = await Promise.all([
    readText(session.stdout),
    readText(session.stderr),
    session.exited,
  ]);
  return { out, err, code };
}

const lifeCases: readonly ContractCase[] = [
  {
    name: 'startContainer() runs a container and answers its status',
    run: (harness) =>
      inPod(harness, async ({ runtime, podUid, start }) => {
        const status = await start(acts.forever);
        assert.match(status.id, /^[0-9a-f]{64}$/);
        assert.equal(status.state, 'running');
        assert.equal(status.podUid, podUid);
        assert.equal(status.name, 'main');
        assert.ok((status.pid ?? 0) > 0);
        assert.ok((status.startedAtMs ?? 0) > 0);
        assert.deepEqual(
          (await runtime.listContainers()).map(({ id, state }) => ({ id, state })),
          [{ id: status.id, state: 'running' }],
        );
      }),
  },
  {
    name: 'startContainer() twice answers the same container',
    run: (harness) =>
      inPod(harness, async ({ runtime, start }) => {
        const [one, two] = await Promise.all([start(acts.forever), start(acts.forever)]);
        const three = await start(acts.forever);
        assert.equal(one.id, two.id);
        assert.equal(one.id, three.id);
        assert.equal(three.pid, one.pid);
        assert.equal((await runtime.listContainers()).length, 1);
        const next = await start(acts.forever, { attempt: 1 });
        assert.notEqual(next.id, one.id);
      }),
  },
  {
    name: 'startContainer() without a sandbox is notFound, and a missing program fails with its name',
    run: (harness) =>
      inPod(harness, async ({ runtime, harness: h, start }) => {
        await assert.rejects(runtime.startContainer(containerSpec(h, 'nobody', acts.forever)), {
          code: 'notFound',
        });
        await assert.rejects(start(acts.missing), /no-such-program/);
        assert.deepEqual(await runtime.listContainers(), []);
        assert.equal((await start(acts.forever)).state, 'running');
      }),
  },
  {
    name: 'an exit is reported with code, reason and times',
    run: (harness) =>
      inPod(harness, async ({ runtime, start, harness: h }) => {
        const seen: ContainerStatus[] = [];
        runtime.onExit((status) => seen.push(status));
        const bad = await start(acts.exits(3), { name: 'bad' });
        const good = await start(acts.exits(0), { name: 'good' });
        await h.until('two exits', () => seen.length >= 2);
        const byId = new Map(seen.map((status) => [status.id, status]));
        assert.equal(byId.get(bad.id)?.exitCode, 3);
        assert.equal(byId.get(bad.id)?.reason, 'Error');
        assert.equal(byId.get(good.id)?.exitCode, 0);
        assert.equal(byId.get(good.id)?.reason, 'Completed');
        assert.ok((byId.get(good.id)?.finishedAtMs ?? 0) > 0);
        assert.equal(byId.get(good.id)?.pid, undefined);
        assert.equal(seen.length, 2);
      }),
  },
  {
    name: 'onExit() reports what ended before it was called, unless cancelled',
    run: (harness) =>
      inPod(harness, async ({ runtime, start, untilExited, harness: h }) => {
        const { id } = await start(acts.exits(4));
        await untilExited(runtime, id);
        const seen: (number | undefined)[] = [];
        runtime.onExit(() => seen.push(-1)).cancel();
        runtime.onExit((status) => seen.push(status.exitCode));
        await h.until('the past exit', () => seen.length > 0);
        assert.deepEqual(seen, [4]);
      }),
  },
];

const endCases: readonly ContractCase[] = [
  {
    name: 'stopContainer() lets a polite program end by itself',
    run: (harness) =>
      inPod(harness, async ({ runtime, start, harness: h }) => {
        const { id } = await start(acts.polite);
        // It has to have set its trap.
        await h.until(
          'a trap',
          async () => (await runtime.execSync(id, acts.exits(0), 30_000)).exitCode === 0,
        );
        await runtime.stopContainer(id, 20_000);
        const status = await runtime.status(id);
        assert.equal(status?.state, 'exited');
        assert.equal(status?.exitCode, 7);
        await runtime.stopContainer(id, 20_000);
      }),
  },
  {
    name: 'stopContainer() kills a stubborn one after the grace period',
    run: (harness) =>
      inPod(harness, async ({ runtime, start }) => {
        const { id } = await start(acts.stubborn);
        await runtime.stopContainer(id, 50);
        assert.equal((await runtime.status(id))?.exitCode, 137);
        await runtime.stopContainer('0'.repeat(64), 10);
      }),
  },
  {
    name: 'removeContainer() kills and forgets; removeSandbox() takes all with it',
    run: (harness) =>
      inPod(harness, async ({ runtime, podUid, start }) => {
        const { id } = await start(acts.forever);
        await start(acts.forever, { name: 'other' });
        await runtime.removeContainer(id);
        await runtime.removeContainer(id);
        assert.equal(await runtime.status(id), undefined);
        assert.equal((await runtime.listContainers()).length, 1);
        assert.deepEqual(
          (await runtime.listSandboxes()).map((sandbox) => sandbox.podUid),
          [podUid],
        );
        await runtime.removeSandbox(podUid);
        await runtime.removeSandbox(podUid);
        assert.deepEqual(await runtime.listContainers(), []);
        assert.deepEqual(await runtime.listSandboxes(), []);
      }),
  },
  {
    name: 'containers outlive the runtime, and ends that nobody saw are reported',
    run: (harness) =>
      inPod(harness, async ({ runtime, start, podUid, untilExited, harness: h }) => {
        const before = await start(acts.forever);
        const polite = await start(acts.polite, { name: 'polite' });
        const done = await start(acts.exits(5), { name: 'done' });
        await untilExited(runtime, done.id);
        await runtime.close();
        const restarted = await h.open();
        try {
          assert.deepEqual(
            (await restarted.listSandboxes()).map((sandbox) => sandbox.podUid),
            [podUid],
          );
          const after = await restarted.status(before.id);
          assert.equal(after?.state, 'running');
          assert.equal(after?.pid, before.pid);
          assert.equal((await restarted.status(done.id))?.exitCode, 5);
          const seen: ContainerStatus[] = [];
          restarted.onExit((status) => seen.push(status));
          await h.until('the old exit', () => seen.some((status) => status.id === done.id));
          assert.equal((await restarted.execSync(before.id, acts.exits(9), 30_000)).exitCode, 9);
          await restarted.stopContainer(polite.id, 10_000);
          assert.equal((await restarted.status(polite.id))?.exitCode, 7);
          await restarted.removeSandbox(podUid);
        } finally {
          await restarted.removeSandbox(podUid);
          await restarted.close();
        }
      }),
  },
];

const execCases: readonly ContractCase[] = [
  {
    name: 'exec() gives output, errors and the exit code apart',
    run: (harness) =>
      inPod(harness, async ({ runtime, start }) => {
        const { id } = await start(acts.forever);
        const request = { containerId: id, args: acts.speaks, terminal: false, stdin: false };
        const session = await runtime.exec(request);
        assert.deepEqual(await finished(session), { out: 'out\n', err: 'err\n', code: 3 });
        assert.equal(session.stdin, undefined);
      }),
  },
  {
    name: 'exec() carries stdin to its end',
    run: (harness) =>
      inPod(harness, async ({ runtime, start }) => {
        const { id } = await start(acts.forever);
        const request = { containerId: id, args: acts.copies, terminal: false, stdin: true };
        const session = await runtime.exec(request);
        session.stdin?.write('one ');
        session.stdin?.end('two');
        assert.deepEqual(await finished(session), { out: 'one two', err: '', code: 0 });
      }),
  },
  {
    name: 'execSync() answers code and output, and ends what takes too long',
    run: (harness) =>
      inPod(harness, async ({ runtime, start }) => {
        const { id } = await start(acts.forever);
        const result = await runtime.execSync(id, acts.speaks, 30_000);
        assert.equal(result.exitCode, 3);
        assert.match(result.output, /out\n/);
        assert.match(result.output, /err\n/);
        assert.equal(result.timedOut, false);
        const slow = await runtime.execSync(id, acts.slow, 150);
        assert.equal(slow.timedOut, true);
        await assert.rejects(runtime.execSync('0'.repeat(64), acts.slow, 100), { code: 'notFound' });
      }),
  },
  {
    name: 'a container that joins the processes of another wants it to run',
    run: (harness) =>
      inPod(harness, async ({ runtime, start, untilExited }) => {
        const { id } = await start(acts.forever);
        const guest = await start(acts.forever, { name: 'guest', targetId: id });
        assert.equal(guest.state, 'running');
        const ended = await start(acts.exits(0), { name: 'ended' });
        await untilExited(runtime, ended.id);
        await assert.rejects(start(acts.forever, { name: 'late', targetId: ended.id }), { code: 'conflict' });
        await assert.rejects(start(acts.forever, { name: 'lost', targetId: '0'.repeat(64) }), {
          code: 'notFound',
        });
        // It outlives its guest.
        await runtime.stopContainer(guest.id, 0);
        assert.equal((await runtime.status(id))?.state, 'running');
      }),
  },
  {
    name: 'containers of a pod that shares its processes are the only ones told of',
    run: async (harness) => {
      const runtime = await harness.open();
      const podUid = harness.podUid();
      await runtime.createSandbox(sandboxSpec(podUid, { sharePid: true }));
      const told: string[] = [];
      runtime.onExit(({ name, podUid: of }) => void (of === podUid && told.push(name)));
      const one = await runtime.startContainer(containerSpec(harness, podUid, acts.forever, { name: 'one' }));
      await runtime.startContainer(containerSpec(harness, podUid, acts.forever, { name: 'two' }));
      const names = (await runtime.listContainers()).filter((item) => item.podUid === podUid);
      assert.deepEqual(names.map(({ name }) => name).sort(), ['one', 'two']);
      await runtime.stopContainer(one.id, 0);
      await harness.until('told', () => told.length > 0);
      await runtime.close();
      const again = await harness.open();
      const third = await again.startContainer(
        containerSpec(harness, podUid, acts.forever, { name: 'three' }),
      );
      assert.equal(third.state, 'running');
      await again.removeSandbox(podUid);
      assert.equal((await again.listContainers()).filter((item) => item.podUid === podUid).length, 0);
      assert.deepEqual(told, ['one']);
      await again.close();
    },
  },
  {
    name: 'updateResources() and updateSandbox() are remembered by the next runtime',
    run: async (harness) => {
      const runtime = await harness.open();
      const podUid = harness.podUid();
      await runtime.createSandbox(sandboxSpec(podUid));
      const resources = { requests: { cpu: '100m' }, limits: { memory: '64Mi' } };
      const first = { cpuShares: 102, cpuQuotaMicros: undefined, memoryLimitBytes: 64 * 2 ** 20, resources };
      const { id, limits } = await runtime.startContainer({
        ...containerSpec(harness, podUid, acts.forever),
        ...first,
      });
      assert.deepEqual(pickLimits(limits), first);
      const grown = { cpuShares: 204, cpuQuotaMicros: 20_000, memoryLimitBytes: 96 * 2 ** 20 };
      const asked = { requests: { cpu: '200m' }, limits: { cpu: '200m', memory: '96Mi' } };
      await runtime.updateSandbox(podUid, grown);
      await runtime.updateResources(id, { ...grown, resources: asked });
      assert.ok((await runtime.podUsage(podUid)) !== undefined);
      await runtime.close();
      const again = await harness.open();
      assert.deepEqual(pickLimits((await again.status(id))?.limits), { ...grown, resources: asked });
      const [sandbox] = (await again.listSandboxes()).filter((one) => one.podUid === podUid);
      assert.deepEqual(
        [sandbox?.cpuShares, sandbox?.cpuQuotaMicros, sandbox?.memoryLimitBytes],
        Object.values(grown),
      );
      await assert.rejects(again.updateSandbox('nobody', grown), { code: 'notFound' });
      assert.equal(await again.podUsage('nobody'), undefined);
      await again.removeSandbox(podUid);
      await again.close();
    },
  },
  {
    name: 'usage() and updateResources() work on a running container only',
    run: (harness) =>
      inPod(harness, async ({ runtime, start, untilExited }) => {
        const { id } = await start(acts.forever);
        const usage = await runtime.usage(id);
        assert.ok(usage !== undefined && usage.pids >= 1 && usage.memoryWorkingSetBytes > 0);
        await runtime.updateResources(id, {
          cpuShares: 200,
          cpuQuotaMicros: 50_000,
          memoryLimitBytes: 64 * 2 ** 20,
        });
        const ended = await start(acts.exits(0), { name: 'ended' });
        await untilExited(runtime, ended.id);
        assert.equal(await runtime.usage(ended.id), undefined);
        await assert.rejects(runtime.attach(ended.id), { code: 'conflict' });
        assert.equal(await runtime.usage('0'.repeat(64)), undefined);
      }),
  },
];

const destroyCase: ContractCase = {
  name: 'destroy() leaves no container and no sandbox',
  run: async (harness) => {
    const runtime = await harness.open();
    const podUid = harness.podUid();
    await runtime.createSandbox(sandboxSpec(podUid));
    await runtime.startContainer(containerSpec(harness, podUid, acts.forever));
    await runtime.destroy();
    const again = await harness.open();
    try {
      assert.deepEqual(await again.listContainers(), []);
      assert.deepEqual(await again.listSandboxes(), []);
    } finally {
      await again.close();
    }
  },
};

export const runtimeContract: readonly ContractCase[] = [
  destroyCase,
  ...lifeCases,
  ...endCases,
  ...execCases,
];
