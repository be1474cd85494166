/**
 * What a cloud costs that does nothing: CPU and memory of all our processes with five pods running.
 * Ten minutes when CAELUM_BENCH_IDLE_SECONDS says so (600); one minute by default. Floor: Node processes with nothing to do.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { eventually, startCloud, whyNotReal } from '../scenarios/cloud-under-test.ts';
import { identify, useOf } from '../src/main/process-identity.ts';
import { type Benchmark, costFigure } from './benchmark.ts';

const seconds = Number(process.env['CAELUM_BENCH_IDLE_SECONDS'] ?? 60);

/** Pages that several processes share (the Node program itself) count once in all. Source: proc_pid_smaps(5), Pss. */
function proportionalBytes(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) * 1024;
}

interface Status {
  readonly processes: readonly {
    readonly name: string;
    readonly pid: number;
    readonly cpuSeconds: number;
    readonly residentBytes: number;
  }[];
}

export const bench: Benchmark = {
  description: 'CPU and memory of all our processes, idle, five pods running',
  seconds: seconds + 30,
  unavailable: whyNotReal,
  async run(say) {
    const cloud = await startCloud();
    const idlers = [0, 1, 2].map(() =>
      spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' }),
    );
    try {
      const made = await cloud.shell(
        `kubectl apply -f "$EXAMPLES/hello.yaml" && kubectl scale deployment hello --replicas=5`,
      );
      if (made.code !== 0) throw new Error(made.stderr);
      await eventually('five pods', 60_000, async () =>
        (await cloud.shell('kubectl rollout status deployment/hello --timeout=60s')).code === 0
          ? true
          : undefined,
      );
      const look = async (): Promise<Status> =>
        JSON.parse((await cloud.caelum('status', '-o', 'json')).stdout) as Status;
      const sum = (status: Status, key: 'cpuSeconds' | 'residentBytes'): number =>
        status.processes.reduce((total, one) => total + one[key], 0);
      await new Promise((done) => setTimeout(done, 5000));
      const before = await look();
      const startedMs = performance.now();
      await new Promise((done) => setTimeout(done, seconds * 1000));
      const after = await look();
      const percent =
        ((sum(after, 'cpuSeconds') - sum(before, 'cpuSeconds')) / ((performance.now() - startedMs) / 1000)) *
        100;
      const floor = idlers
        .map((one) => (one.pid === undefined ? undefined : identify(one.pid)))
        .map((one) => (one === undefined ? 0 : (useOf(one)?.residentBytes ?? 0)));
      for (const one of after.processes) {
        const earlier = before.processes.find((other) => other.name === one.name);
        say(
          `${one.name}: ${(one.residentBytes / 2 ** 20).toFixed(0)} MiB, ${(((one.cpuSeconds - (earlier?.cpuSeconds ?? 0)) / seconds) * 100).toFixed(2)} % of a core`,
        );
      }
      const megabytes = sum(after, 'residentBytes') / 2 ** 20;
      const together =
        after.processes.reduce((total, one) => total + proportionalBytes(one.pid), 0) / 2 ** 20;
      return [
        { ...costFigure('idle CPU, all our processes', '% of a core', [percent]), goal: '≤ 1' },
        {
          ...costFigure('idle memory resident, all our processes together', 'MiB', [together], {
            name: 'three idle Node processes',
            runs: [idlers.reduce((total, one) => total + proportionalBytes(one.pid ?? 0), 0) / 2 ** 20],
          }),
          goal: '≤ 250',
        },
        costFigure('the same, pages that they share counted in each', 'MiB', [megabytes], {
          name: 'three idle Node processes',
          runs: [floor.reduce((total, one) => total + one, 0) / 2 ** 20],
        }),
      ];
    } finally {
      for (const one of idlers) one.kill('SIGKILL');
      await cloud.remove();
    }
  },
};
