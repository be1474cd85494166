/**
 * The placement engine alone: pods placed a second on 5,000 and 50,000 nodes, by what they ask; how that grows with nodes and with pods that are there
 * already; and what a snapshot of 50,000 nodes and 10,000,000 pods takes. Peer in the same run: each pod against each node by the same rules.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Benchmark, costFigure, type Figure, median, rateFigure } from './benchmark.ts';
import type { Line, Plot } from './plot.ts';
import { placed, preempted, scanned } from './scheduler/measure.ts';
import type { Workload } from './scheduler/workloads.ts';

const rounds = 3;
const peerName = 'each pod against each node';
const memoryPeerBytes = 4 * 2 ** 30;

interface Kind {
  readonly workload: Workload;
  readonly name: string;
  readonly count: number;
  /** Pods a second at 5,000 nodes; half of it at 50,000. */
  readonly goal: number;
}

const kinds: readonly Kind[] = [
  { workload: 'plain', name: 'plain', count: 50_000, goal: 200_000 },
  { workload: 'jobs', name: 'of 20,000 owners', count: 20_000, goal: 0 },
  { workload: 'spread', name: 'with hard topology spread', count: 30_000, goal: 50_000 },
  { workload: 'soft', name: 'with soft topology spread', count: 20_000, goal: 50_000 },
  { workload: 'apart', name: 'with required anti-affinity (host, zone)', count: 20_000, goal: 20_000 },
  { workload: 'shunned', name: 'that others keep away', count: 20_000, goal: 20_000 },
];

const plots: Plot[] = [];

function goalText(goal: number, nodes: number): { goal?: string } {
  if (goal === 0) return {};
  return { goal: `≥ ${(nodes > 5000 ? goal / 2 : goal).toLocaleString('en')}/s` };
}

function repeated(work: () => number): readonly number[] {
  // The first is for the compiler.
  return Array.from({ length: rounds + 1 }, work).slice(1);
}

function rates(nodes: number, say: (line: string) => void): readonly Figure[] {
  const figures: Figure[] = [];
  const few = Math.max(3, Math.floor(250_000 / nodes));
  for (const { workload, name, count, goal } of kinds) {
    const runs = repeated(() => placed(workload, nodes, count));
    const peer = { name: peerName, runs: [scanned(workload, nodes, few)] };
    const figure = rateFigure(`pods ${name}, ${nodes} nodes`, '1/s', runs, peer);
    figures.push({ ...figure, ...goalText(goal, nodes) });
    say(`${figure.name}: ${Math.round(figure.value)}/s`);
  }
  const runs = repeated(() => preempted(nodes, 3000));
  const figure = rateFigure(`pods that preempt, ${nodes} nodes`, '1/s', runs);
  say(`${figure.name}: ${Math.round(figure.value)}/s`);
  return [...figures, { ...figure, ...goalText(5000, nodes) }];
}

function growth(say: (line: string) => void): readonly Plot[] {
  say('growth with nodes and with pods');
  const sizes = [100, 300, 1000, 3000, 10_000, 50_000];
  const line = (name: string, xs: readonly number[], at: (x: number) => number): Line => ({
    name,
    // Large clouds take long to make, and vary little.
    points: xs.map((x) => [x, x > 5000 ? at(x) : median([at(x), at(x), at(x)])]),
  });
  const shown: readonly Workload[] = ['plain', 'spread', 'soft', 'apart'];
  const overNodes = [
    ...shown.map((workload) =>
      line(workload, sizes, (nodes) => placed(workload, nodes, Math.min(20_000, nodes * 20))),
    ),
    line('preemption', sizes, (nodes) => preempted(nodes, Math.min(1000, nodes * 2))),
    {
      ...line(peerName, sizes.slice(0, 5), (nodes) => scanned('plain', nodes, 10)),
      isPeer: true,
    },
  ];
  const overPods = shown.map((workload) =>
    line(workload, [1, 1000, 10_000, 100_000], (before) => placed(workload, 5000, 5000, before)),
  );
  const y = 'pods placed a second';
  return [
    { name: 'scheduler-nodes', title: 'Placements a second by nodes', x: 'nodes', y, lines: overNodes },
    {
      name: 'scheduler-pods',
      title: 'Placements a second by pods that are there (5,000 nodes)',
      x: 'pods placed already',
      y,
      lines: overPods,
    },
  ];
}

function memory(say: (line: string) => void): readonly Figure[] {
  const pods = Number(process.env['CAELUM_BENCH_PODS'] ?? 10_000_000);
  say(`memory of 50,000 nodes and ${pods.toLocaleString('en')} pods`);
  const program = fileURLToPath(new URL('scheduler/memory.ts', import.meta.url));
  const flags = ['--disable-warning=ExperimentalWarning', '--expose-gc', '--max-old-space-size=6144'];
  const text = execFileSync(process.execPath, [...flags, program, '50000', String(pods)], {
    encoding: 'utf8',
  });
  const { nodeBytes, podBytes, rss } = JSON.parse(text) as Record<'nodeBytes' | 'podBytes' | 'rss', number>;
  const peer = { name: '4 GiB', runs: [memoryPeerBytes] };
  return [
    costFigure('snapshot, a node', 'B', [nodeBytes]),
    costFigure('snapshot, a placed pod (its object is the informer’s)', 'B', [podBytes]),
    {
      ...costFigure(
        `process with 50,000 nodes and ${pods.toLocaleString('en')} pods, resident`,
        'B',
        [rss],
        peer,
      ),
      goal: '≤ 4 GiB',
    },
  ];
}

export const bench: Benchmark = {
  description: 'the placement engine alone: placements a second, their growth, memory',
  seconds: 400,
  async run(say) {
    const figures = [...rates(5000, say), ...rates(50_000, say), ...memory(say)];
    plots.splice(0, plots.length, ...growth(say));
    return figures;
  },
  plots: () => plots,
};
