/**
 * How large a cloud one process carries under simulated time, and how fast: nodes registered, a million pods (or as many as asked) rolled out, some
 * updated, and what a minute at rest costs; then a day of a small cloud. `CAELUM_BENCH_SCALE=50000x1000000` sets nodes and pods.
 */
import { setImmediate as settle } from 'node:timers/promises';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { SeededRandom, SimulatedClock } from '../src/lib/index.ts';
import { type ScaleCloud, startScaleCloud } from '../src/sim/scale.ts';
import { liveDay } from '../src/sim/scale-day.ts';
import type { Benchmark, Figure } from './benchmark.ts';

const [nodes = 1000, pods = 20_000] = (process.env['CAELUM_BENCH_SCALE'] ?? '1000x20000')
  .split('x')
  .map(Number);
const replicas = Math.min(1000, Math.max(1, Math.ceil(pods / 20)));
const deployments = Math.ceil(pods / replicas);
const workload = { deployments, replicas, namespaces: Math.min(50, Math.ceil(deployments / 4)) };
const daySeconds = Number(process.env['CAELUM_BENCH_DAY_S'] ?? 3600);
const leaseIntervalMs = Number(process.env['CAELUM_BENCH_LEASE_MS'] ?? 10_000);

/** Nearly all that is made is of no use a moment later: with a large nursery the collector has a tenth of the work. */
const resourceLimits = { maxYoungGenerationSizeMb: 384, maxOldGenerationSizeMb: 20_000 };
const threadName = 'sim-scale';

type Say = (line: string) => void;
type Message =
  | { readonly kind: 'line'; readonly line: string }
  | { readonly kind: 'figures'; readonly figures: readonly Figure[] };

const megabytes = (bytes: number): number => Math.round(bytes / 2 ** 20);

/** Everything that is ready runs to its end: microtasks are drained before the next turn of the event loop. */
const settled = async (): Promise<void> => void (await settle());

async function phase(say: Say, cloud: ScaleCloud, what: string, act: () => Promise<void>): Promise<number> {
  const before = { changes: cloud.changes, simulatedMs: cloud.simulatedMs, ms: performance.now() };
  const cpu = process.threadCpuUsage();
  await act();
  const seconds = (performance.now() - before.ms) / 1000;
  const { user, system } = process.threadCpuUsage(cpu);
  const cpuS = (user + system) / 1e6;
  const changes = cloud.changes - before.changes;
  const simulatedS = (cloud.simulatedMs - before.simulatedMs) / 1000;
  const { gc } = globalThis as { gc?: () => void };
  gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  say(
    `${what}: ${changes} changes in ${seconds.toFixed(1)} s (${simulatedS.toFixed(1)} s simulated): ${Math.round(changes / seconds)}/s, ` +
      `${Math.round(changes / cpuS)} a CPU second; ` +
      `heap ${megabytes(heapUsed)} MB, external ${megabytes(external)} MB, RSS ${megabytes(rss)} MB`,
  );
  return changes / cpuS;
}

async function large(say: Say): Promise<readonly Figure[]> {
  const startMs = performance.now();
  let saidMs = startMs;
  const onProgress = (now: ScaleCloud): void => {
    if (performance.now() - saidMs < 10_000) return;
    saidMs = performance.now();
    say(
      `  ${((saidMs - startMs) / 1000).toFixed(0)} s: ${now.pods} pods, ${now.available} available, ${now.changes} changes, ` +
        `${(now.simulatedMs / 1000).toFixed(1)} s simulated, RSS ${megabytes(process.memoryUsage.rss())} MB`,
    );
  };
  const clock = new SimulatedClock();
  const random = new SeededRandom(1);
  const cloud = await startScaleCloud({ clock, random, settle: settled, nodes, leaseIntervalMs, onProgress });
  try {
    const seconds = (performance.now() - startMs) / 1000;
    say(
      `${nodes} nodes: ${cloud.changes} changes in ${seconds.toFixed(1)} s: ${Math.round(cloud.changes / seconds)}/s`,
    );
    const rate = await phase(say, cloud, `${pods} pods rolled out`, () => cloud.rollOut(workload));
    await phase(say, cloud, 'at rest', () => cloud.pass(60_000));
    await phase(say, cloud, 'a tenth updated', () => cloud.update(workload, Math.ceil(deployments / 10)));
    const wholeS = (performance.now() - startMs) / 1000;
    const wholeRate = cloud.changes / wholeS;
    const peakBytes = process.resourceUsage().maxRSS * 1024;
    say(
      `in all: ${cloud.changes} changes in ${wholeS.toFixed(1)} s, ${Math.round(wholeRate)}/s; at most ${megabytes(peakBytes)} MB`,
    );
    say(`store: ${Math.round(cloud.storedBytes / pods)} bytes of objects a pod`);
    const size = `${nodes} nodes, ${pods} pods`;
    return [
      figure(`object changes, ${size}`, rate, 'changes/s', '≥ 20000/s'),
      figure(`whole run, ${size}`, wholeS, 's', '≤ 600 s'),
      figure(`memory at most, ${size}`, megabytes(peakBytes), 'MB'),
    ];
  } finally {
    await cloud.stop();
  }
}

/** A day of a cloud of 100 nodes (`CAELUM_BENCH_DAY_S` simulated seconds; default an hour). */
async function day(say: Say): Promise<readonly Figure[]> {
  const clock = new SimulatedClock();
  const random = new SeededRandom(2);
  const cloud = await startScaleCloud({ clock, random, settle: settled, nodes: 100 });
  try {
    const startMs = performance.now();
    const cpu = process.threadCpuUsage();
    let what = '';
    await phase(say, cloud, `${daySeconds} s of 100 nodes`, async () => {
      const { created, scaled, updated, removed } = await liveDay(
        cloud,
        random.stream('users'),
        daySeconds * 1000,
      );
      what = `${created} Deployments created, ${scaled} scaled, ${updated} updated, ${removed} removed; ${cloud.pods} pods in the end`;
    });
    say(what);
    const { user, system } = process.threadCpuUsage(cpu);
    const cpuS = (user + system) / 1e6;
    const seconds = (performance.now() - startMs) / 1000;
    return [
      figure('a day of 100 nodes, of wall time', (seconds * 86_400) / daySeconds, 's', '≤ 60 s'),
      figure('a day of 100 nodes, of CPU time', (cpuS * 86_400) / daySeconds, 's', '≤ 60 s'),
    ];
  } finally {
    await cloud.stop();
  }
}

function figure(name: string, value: number, unit: string, goal?: string): Figure {
  const whole = { name, value, unit, peer: undefined, ratio: undefined, runs: [value] };
  return goal === undefined ? whole : { ...whole, goal };
}

/** In a thread of its own, whose heap is as large as it has to be. */
function inThread(say: Say): Promise<readonly Figure[]> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(new URL(import.meta.url), { resourceLimits, workerData: threadName });
    thread.on('message', (message: Message) => {
      if (message.kind === 'line') say(message.line);
      else resolve(message.figures);
    });
    thread.on('error', reject);
    thread.on('exit', (code) => reject(new Error(`the thread ended with code ${code}`)));
  });
}

export const bench: Benchmark = {
  description: `${nodes} nodes and ${pods} pods under simulated time in one process`,
  seconds: 30,
  run: inThread,
};

if (workerData === threadName && !isMainThread) {
  const send = (message: Message): void => parentPort?.postMessage(message);
  const say = (line: string): void => send({ kind: 'line', line });
  send({ kind: 'figures', figures: [...(await large(say)), ...(await day(say))] });
} else if (import.meta.main) {
  for (const { name, value, unit } of await inThread((line) => process.stdout.write(`${line}\n`)))
    process.stdout.write(`${name}: ${value.toFixed(1)} ${unit}\n`);
}
