/**
 * The placement engine alone: pods placed a second on 5,000 and 50,000 nodes, by what they ask; how that grows with nodes and with pods that are there
 * already; and what a snapshot of 50,000 nodes takes. Peer in the same run: each pod against each node by the same rules.
 *
 * `CAELUM_BENCH_ONLY=plain,preemption,memory,growth` measures some of it. `CAELUM_BENCH_PODS=10000000` makes the snapshot as large as it is meant to be at most,
 * which takes a minute and 4 GiB.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Benchmark, costFigure, type Figure, median, type Progress, rateFigure } from './benchmark.ts';
import type { Line, Plot, Reference } from './plot.ts';
import { Course, FullCourse } from './scheduler/measure.ts';
import type { Workload } from './scheduler/workloads.ts';

const rounds = 3;
/** After that each is measured once. */
const patienceMs = 60_000;
const peerName = 'each pod against each node';
const largePods = 10_000_000;
const only = process.env['CAELUM_BENCH_ONLY']?.split(',');
const isAsked = (part: string): boolean => only === undefined || only.includes(part);

interface Kind {
  readonly workload: Workload | 'preemption';
  readonly name: string;
  /** In a run. */
  readonly count: number;
  /** Pods a second at 5,000 nodes; half of it at 50,000. */
  readonly goal: number;
}

const kinds: readonly Kind[] = [
  { workload: 'plain', name: 'plain', count: 25_000, goal: 200_000 },
  { workload: 'jobs', name: 'of an owner each', count: 10_000, goal: 0 },
  { workload: 'spread', name: 'with hard topology spread', count: 15_000, goal: 50_000 },
  { workload: 'soft', name: 'with soft topology spread', count: 10_000, goal: 50_000 },
  { workload: 'apart', name: 'with required anti-affinity (host, zone)', count: 10_000, goal: 20_000 },
  { workload: 'shunned', name: 'that others keep away', count: 10_000, goal: 20_000 },
  { workload: 'preemption', name: 'that preempt', count: 2000, goal: 5000 },
];

/** In the plots. */
const shown: readonly { readonly workload: Kind['workload']; readonly name: string }[] = [
  { workload: 'plain', name: 'plain' },
  { workload: 'spread', name: 'hard spread' },
  { workload: 'soft', name: 'soft spread' },
  { workload: 'apart', name: 'anti-affinity' },
  { workload: 'preemption', name: 'preemption' },
];

const references: readonly Reference[] = [
  { name: 'kube-scheduler, its floor at 5,000 nodes', y: 680 },
  { name: 'Nomad, 5,000 hosts', y: 3750 },
];

const goalAt = (goal: number, nodes: number): number => (nodes > 5000 ? goal / 2 : goal);

type Run = (count: number) => number;

/** `copies`: so many clouds at once. */
function courseOf(
  workload: Kind['workload'],
  nodes: number,
  copies = 1,
): { readonly run: Run; readonly scan?: Run } {
  if (workload === 'preemption') {
    const full = new FullCourse(nodes, copies);
    return { run: (count) => full.preempted(count) };
  }
  const course = new Course(workload, nodes, copies);
  return { run: (count) => course.placed(count), scan: (count) => course.scanned(count) };
}

const scansAt = (nodes: number): number => Math.max(5, Math.floor(200_000 / nodes));

/** The first run is for the compiler. Where the machine is slow, or busy with something else, one more has to do. */
function runsOf(run: Run, count: number, { isLate }: Measured): readonly number[] {
  run(Math.ceil(count / 3));
  return Array.from({ length: isLate() ? 1 : rounds }, () => run(count));
}

interface Measured {
  readonly figures: Figure[];
  /** By workload: what it was at so many nodes. */
  readonly at: Map<string, (readonly [nodes: number, rate: number])[]>;
  isLate(this: void): boolean;
}

function remember({ at }: Measured, name: string, nodes: number, value: number): void {
  const points = at.get(name) ?? [];
  at.set(name, points);
  points.push([nodes, value]);
}

function rates(measured: Measured, nodes: number, progress: Progress): void {
  for (const { workload, name, count, goal } of kinds) {
    if (!isAsked(workload)) continue;
    progress.step(`pods ${name}, ${nodes.toLocaleString('en')} nodes`);
    const { run, scan } = courseOf(workload, nodes);
    const runs = runsOf(run, count, measured);
    const peer = scan === undefined ? undefined : { name: peerName, runs: [scan(scansAt(nodes))] };
    const figure = rateFigure(`pods ${name}, ${nodes} nodes`, '1/s', runs, peer);
    remember(measured, workload, nodes, figure.value);
    if (workload === 'plain' && peer !== undefined) remember(measured, peerName, nodes, median(peer.runs));
    const told = goal === 0 ? {} : { goal: `≥ ${goalAt(goal, nodes).toLocaleString('en')}/s` };
    measured.figures.push({ ...figure, ...told });
    progress.say(`${figure.name}: ${Math.round(figure.value).toLocaleString('en')}/s`);
  }
}

/** Between the sizes of which there are figures. */
const otherSizes = [100, 1000, 20_000];

function overNodes(measured: Measured, progress: Progress): Plot {
  for (const nodes of otherSizes) {
    progress.step(`growth, ${nodes.toLocaleString('en')} nodes`);
    for (const { workload } of shown) {
      const isSlow = workload === 'preemption';
      const all = isSlow ? 2000 : 10_000;
      const count = Math.min(all, isSlow ? nodes / 2 : nodes * 10);
      const { run, scan } = courseOf(workload, nodes, Math.ceil(all / count));
      remember(measured, workload, nodes, median(runsOf(run, count, measured)));
      if (workload === 'plain' && scan !== undefined)
        remember(measured, peerName, nodes, scan(scansAt(nodes)));
    }
  }
  const pointsOf = (name: string): Line['points'] =>
    (measured.at.get(name) ?? []).toSorted(([a], [b]) => a - b);
  const lines = shown.map(({ workload, name }): Line => {
    const { goal } = kinds.find((kind) => kind.workload === workload) ?? { goal: 0 };
    return {
      name,
      points: pointsOf(workload),
      goals: [5000, 50_000].map((nodes) => [nodes, goalAt(goal, nodes)]),
    };
  });
  return {
    name: 'scheduler-nodes',
    title: 'Placements a second by size of the cloud',
    note: 'One thread, by its processor time.',
    x: 'nodes',
    y: 'pods placed a second',
    lines: [...lines, { name: 'full scan', points: pointsOf(peerName), isPeer: true }],
    references,
  };
}

function overPods(measured: Measured, progress: Progress): Plot {
  const lines = shown.flatMap(({ workload, name }): Line[] => {
    if (workload === 'preemption') return [];
    progress.step(`growth with pods, ${name}`);
    const course = new Course(workload, 5000);
    course.placed(2000);
    const points = [2000, 30_000, 100_000, 500_000].map((before): readonly [number, number] => {
      course.fill(before);
      const runs = Array.from({ length: measured.isLate() ? 1 : 2 }, () => course.placed(10_000));
      return [before, median(runs)];
    });
    return [{ name, points }];
  });
  return {
    name: 'scheduler-pods',
    title: 'Placements a second by pods that are there (5,000 nodes)',
    note: 'One thread, by its processor time.',
    x: 'pods placed already',
    y: 'pods placed a second',
    lines,
  };
}

function memory(progress: Progress): readonly Figure[] {
  const pods = Number(process.env['CAELUM_BENCH_PODS'] ?? 1_000_000);
  progress.step(`memory of 50,000 nodes and ${pods.toLocaleString('en')} pods`);
  const program = fileURLToPath(new URL('scheduler/memory.ts', import.meta.url));
  const flags = ['--disable-warning=ExperimentalWarning', '--expose-gc', '--max-old-space-size=6144'];
  const text = execFileSync(process.execPath, [...flags, program, '50000', String(pods)], {
    encoding: 'utf8',
  });
  const { nodeBytes, podBytes, rss } = JSON.parse(text) as Record<'nodeBytes' | 'podBytes' | 'rss', number>;
  const whole = `process with 50,000 nodes and ${pods.toLocaleString('en')} pods, resident`;
  const limit = { name: '4 GiB', runs: [4 * 2 ** 30] };
  return [
    costFigure('snapshot, a node', 'B', [nodeBytes]),
    costFigure('snapshot, a placed pod (its object is the informer’s)', 'B', [podBytes]),
    pods < largePods
      ? costFigure(whole, 'B', [rss])
      : { ...costFigure(whole, 'B', [rss], limit), goal: '≤ 4 GiB' },
  ];
}

const plots: Plot[] = [];

export const bench: Benchmark = {
  description: 'the placement engine alone: placements a second, their growth, memory',
  seconds: 90,
  async run(_say, progress) {
    const begun = performance.now();
    const measured: Measured = {
      figures: [],
      at: new Map(),
      isLate: () => performance.now() - begun > patienceMs,
    };
    const growth = only === undefined || only.includes('growth');
    const ratesOf = kinds.filter(({ workload }) => isAsked(workload)).length;
    progress.begin(
      2 * ratesOf + (isAsked('memory') ? 1 : 0) + (growth ? otherSizes.length + shown.length - 1 : 0),
    );
    for (const nodes of [5000, 50_000]) rates(measured, nodes, progress);
    plots.length = 0;
    if (growth) plots.push(overNodes(measured, progress), overPods(measured, progress));
    if (isAsked('memory')) measured.figures.push(...memory(progress));
    return measured.figures;
  },
  plots: () => plots,
};
