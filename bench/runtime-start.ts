/**
 * Containers alone, without API and images: start, exec, remove. Peers in the same run and in turns: the OCI runtime called directly on the
 * same bundle (the floor: no monitor, no log), and `podman run` where it is installed.
 */
import { spawn } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { acts, containerSpec, sandboxSpec } from '../src/agent/runtime/contract.ts';
import { createRuntime, type Runtime } from '../src/agent/runtime/index.ts';
import { detectHost, findProgram } from '../src/agent/runtime/io/host.ts';
import { runtimeOptions } from '../src/agent/runtime/io/monitor.ts';
import { silentLog } from '../src/lib/index.ts';
import { realClock } from '../src/lib/io/real-clock.ts';
import { type Benchmark, costFigure, type Figure, rateFigure } from './benchmark.ts';

const rounds = 20;
const crowd = 20;

export const bench: Benchmark = {
  description: 'milliseconds to start a container and to exec in one, beside the bare OCI runtime',
  seconds: 12,
  unavailable() {
    if (process.getuid?.() !== 0) return 'needs root';
    const missing = ['conmon', 'busybox'].filter((name) => findProgram(name) === undefined);
    if (findProgram('crun') === undefined && findProgram('runc') === undefined) missing.push('crun or runc');
    return missing.length === 0 ? undefined : `needs ${missing.join(', ')}`;
  },
  async run(say) {
    const folder = mkdtempSync(join(tmpdir(), 'caelum-bench-runtime-'));
    const cloud = `bench-${process.pid}`;
    const root = join(folder, 'runtime');
    const runtime = await createRuntime({ root, cloud, clock: realClock, log: silentLog });
    try {
      say(runtime.describe().version);
      return await measure(runtime, folder, cloud, say);
    } finally {
      await runtime.destroy();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

async function measure(
  runtime: Runtime,
  folder: string,
  cloud: string,
  say: (line: string) => void,
): Promise<readonly Figure[]> {
  const rootFolder = makeRoot(join(folder, 'rootfs'));
  const places = { rootPath: () => rootFolder, logPath: (name: string) => join(folder, `${name}.log`) };
  const bare = await bareRuntime(folder, cloud);
  const podman = await podmanPeer(rootFolder, say);
  await runtime.createSandbox(sandboxSpec('bench'));
  const times = { start: [], bareStart: [], exec: [], bareExec: [], podman: [] } satisfies Record<
    string,
    number[]
  >;
  const started: { readonly id: string; readonly name: string }[] = [];
  for (let round = -1; round < rounds; round++) {
    // The first round compiles the seccomp profile and warms the code.
    const into = (list: number[]): number[] => (round < 0 ? [] : list);
    const spec = containerSpec(places, 'bench', acts.forever, { name: `c${round + 1}` });
    const { id } = await timed(into(times.start), () => runtime.startContainer(spec));
    const config = readFileSync(join(folder, 'runtime', 'containers', id, 'config.json'), 'utf8');
    const name = await timed(into(times.bareStart), () => bare.start(config, round + 1));
    await timed(into(times.exec), () => runtime.execSync(id, ['/bin/true'], 10_000));
    await timed(into(times.bareExec), () => bare.exec(name, ['/bin/true']));
    // Removed at the end: the kernel's work after a removal would be charged to the next start.
    started.push({ id, name });
  }
  for (const { id, name } of started) {
    await runtime.removeContainer(id);
    await bare.remove(name);
  }
  for (let round = 0; podman !== undefined && round < rounds / 2; round++) await timed(times.podman, podman);
  say('starting many at once');
  const startedMs = performance.now();
  const names = Array.from({ length: crowd }, (_, index) => `crowd${index}`);
  await Promise.all(
    names.map((name) => runtime.startContainer(containerSpec(places, 'bench', acts.forever, { name }))),
  );
  const perSecond = crowd / ((performance.now() - startedMs) / 1000);
  const peer = (name: string, runs: readonly number[]): { name: string; runs: readonly number[] } => ({
    name,
    runs,
  });
  const figures = [
    costFigure(
      'container start',
      'ms',
      times.start,
      peer(`${bare.name} run --detach, same bundle`, times.bareStart),
    ),
    costFigure('exec to the end', 'ms', times.exec, peer(`${bare.name} exec`, times.bareExec)),
    rateFigure(`${crowd} containers at once`, '1/s', [perSecond]),
  ];
  if (podman !== undefined)
    figures.push(costFigure('container start', 'ms', times.start, peer('podman run', times.podman)));
  return figures;
}

interface BareRuntime {
  readonly name: string;
  start(config: string, round: number): Promise<string>;
  exec(name: string, args: readonly string[]): Promise<void>;
  remove(name: string): Promise<void>;
}

async function bareRuntime(folder: string, cloud: string): Promise<BareRuntime> {
  const host = await detectHost();
  const [program = '', ...before] = host.command;
  const options = [...before, ...runtimeOptions(join(folder, 'bare'), host.runtimeName)];
  return {
    name: host.runtimeName,
    async start(config, round) {
      const name = `bare${round}`;
      const bundle = join(folder, name);
      mkdirSync(bundle);
      const spec = JSON.parse(config) as { linux: { cgroupsPath: string } };
      spec.linux.cgroupsPath = `/caelum-${cloud}/podbench/${name}`;
      writeFileSync(join(bundle, 'config.json'), JSON.stringify(spec));
      await call(program, [...options, 'run', '--detach', '--bundle', bundle, name]);
      return name;
    },
    exec: (name, args) => call(program, [...options, 'exec', name, ...args]),
    remove: (name) => call(program, [...options, 'delete', '--force', name]),
  };
}

/** A whole `podman run`; undefined when it is not installed or does not work here. */
async function podmanPeer(
  rootFolder: string,
  say: (line: string) => void,
): Promise<(() => Promise<void>) | undefined> {
  const podman = findProgram('podman');
  if (podman === undefined) return undefined;
  // Its own default of open files is above what some machines allow; crun refuses some cgroup layouts that runc takes.
  const common = [
    'run',
    '--rm',
    '--ulimit=nofile=1024:1024',
    '--ulimit=nproc=4096:4096',
    '--network=none',
    '--rootfs',
    rootFolder,
    '/bin/true',
  ];
  for (const args of [common, ['--runtime=runc', ...common]]) {
    const attempt = (): Promise<void> => call(podman, args);
    const works = await attempt().then(
      () => true,
      () => false,
    );
    if (works) return attempt;
  }
  say('podman is installed, but cannot run a container here');
  return undefined;
}

function call(program: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'ignore' });
    child.once('error', reject);
    child.once('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`${program} ${args.join(' ')}: exit code ${code}`)),
    );
  });
}

async function timed<Value>(into: number[], action: () => Promise<Value>): Promise<Value> {
  const startedMs = performance.now();
  const value = await action();
  into.push(performance.now() - startedMs);
  return value;
}

function makeRoot(folder: string): string {
  mkdirSync(join(folder, 'bin'), { recursive: true });
  copyFileSync(findProgram('busybox') ?? '', join(folder, 'bin', 'busybox'));
  for (const applet of ['sh', 'sleep', 'true']) symlinkSync('busybox', join(folder, 'bin', applet));
  return folder;
}
