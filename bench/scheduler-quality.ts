/**
 * How well GPUs are placed, in the manner of the study of the recorded trace: arrivals in random order until 130 % of the cluster's GPUs are asked; the part of
 * them that is given away at the end. Means over ten seeds, a third of them for traces that are drawn; on the recorded list, on lists of the study that lie beside it, and on traces drawn from it that ask
 * for other things. Peers in the same run: random, best fit and fragmentation gradient descent.
 * And how far bin-pack is from the optimum on small random instances, which a solver finds.
 *
 * `CAELUM_BENCH_ONLY=default,gpushare` runs the traces whose names begin so; `CAELUM_BENCH_SEEDS=3` fewer seeds, `CAELUM_BENCH_FROM=100` others.
 */
import { type Random, SeededRandom } from '../src/lib/index.ts';
import { FragmentationScorer } from '../src/scheduler/devices/fragmentation.ts';
import { defaultWeights } from '../src/scheduler/scores.ts';
import { Profiles, strategyAnnotation } from '../src/scheduler/strategies/profiles.ts';
import type { Benchmark, Figure } from './benchmark.ts';
import {
  byEngine,
  fewestNodes,
  fewNodes,
  type Instance,
  mostAllocated,
  tooFewNodes,
} from './quality/optimum.ts';
import { allocateByPeer, anyNode, bestFit, gradientDescent } from './quality/peers.ts';
import { allocateByEngine } from './quality/through-engine.ts';
import {
  arrivals,
  capacityMilli,
  isRecorded,
  recordedLists,
  recordedNodes,
  recordedPods,
  type TraceNode,
  type TracePod,
} from './quality/trace.ts';
import { severalGpus, sharesGpu, withModels, withPart } from './quality/variants.ts';

const only = process.env['CAELUM_BENCH_ONLY']?.split(',');
const seeds = Number(process.env['CAELUM_BENCH_SEEDS'] ?? 10);
const from = Number(process.env['CAELUM_BENCH_FROM'] ?? 1);
const asked = 1.3;

/** How the pods of a trace are drawn, and with how many seeds. */
interface Trace {
  readonly draw: (random: Random) => readonly TracePod[];
  readonly seeds: number;
}

function traces(nodes: readonly TraceNode[]): ReadonlyMap<string, Trace> {
  const all = new Map<string, Trace>();
  for (const list of recordedLists()) {
    const pods = recordedPods(list);
    all.set(list, { draw: () => pods, seeds });
  }
  const pods = recordedPods('default');
  const few = Math.ceil(seeds / 3);
  const add = (name: string, draw: Trace['draw']): void => void all.set(name, { draw, seeds: few });
  for (const part of [20, 50])
    add(`several GPUs ${part} %`, (random) => withPart(pods, severalGpus, part / 100, random));
  for (const part of [40, 60, 80, 100])
    add(`shares ${part} %`, (random) => withPart(pods, sharesGpu, part / 100, random));
  for (const part of [10, 33])
    add(`models ${part} %`, (random) => withModels(pods, nodes, part / 100, random));
  return all;
}

const mean = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0) / values.length;
const percent = (value: number): string => `${(100 * value).toFixed(2)} %`;

const peers = [
  { name: 'random', peer: anyNode },
  { name: 'best fit', peer: bestFit },
  { name: 'FGD', peer: gradientDescent },
] as const;

function measure(
  name: string,
  { draw, seeds: count }: Trace,
  nodes: readonly TraceNode[],
  say: (line: string) => void,
): readonly Figure[] {
  const capacity = capacityMilli(nodes);
  const ours: number[] = [];
  const rates: number[] = [];
  const theirs = peers.map((): number[] => []);
  for (let seed = from; seed < from + count; seed++) {
    const random = new SeededRandom(seed);
    const pods = arrivals(draw(random.stream('trace')), capacity, asked, random.stream('arrivals'));
    for (const [at, { peer }] of peers.entries())
      theirs[at]?.push(allocateByPeer(nodes, pods, peer, random.stream('choice')) / capacity);
    const scorer = new FragmentationScorer('fragmentation-aware', defaultWeights);
    const found = allocateByEngine(nodes, pods, { scorerOf: () => scorer });
    ours.push(found.allocatedMilli / capacity);
    rates.push(pods.length / found.seconds);
  }
  const means = theirs.map(mean);
  say(
    `${name}: fragmentation-aware ${percent(mean(ours))}; ${peers.map((one, at) => `${one.name} ${percent(means[at] ?? 0)}`).join(', ')}`,
  );
  return [
    ...peers.map(
      (one, at): Figure => ({
        name: `GPU allocation, ${name}`,
        value: mean(ours),
        unit: 'of the GPUs',
        peer: { name: one.name, value: means[at] ?? 0 },
        ratio: mean(ours) / (means[at] ?? 1),
        runs: ours,
        ...(name === 'default' ? { goal: '> 0.954' } : {}),
      }),
    ),
    {
      name: `arrivals decided, one plan each, ${nodes.length} nodes, ${name}`,
      value: mean(rates),
      unit: '1/s',
      peer: undefined,
      ratio: undefined,
      runs: rates,
    },
  ];
}

const packing = { [strategyAnnotation]: 'BinPack' };
const instances = 20;

/** Gaps to the optimum, of instances for which the solver has proven it. */
async function gaps(
  name: string,
  make: (random: Random) => Instance,
  gapOf: (instance: Instance, policy: Profiles) => Promise<number | undefined>,
  say: (line: string) => void,
): Promise<Figure> {
  const policy = new Profiles({ nowMs: () => 0, tell: () => {} });
  const found: number[] = [];
  for (let seed = from; seed < from + instances; seed++) {
    const gap = await gapOf(make(new SeededRandom(`${name} ${seed}`)), policy);
    if (gap !== undefined) found.push(gap);
  }
  say(
    `${name}: ${percent(mean(found))} from the optimum, mean of ${found.length} instances; at most ${percent(Math.max(...found))}`,
  );
  return {
    name,
    value: mean(found),
    unit: 'of the optimum',
    peer: { name: 'HiGHS', value: 0 },
    ratio: undefined,
    runs: found,
    goal: '≤ 0.01',
  };
}

async function packingGaps(say: (line: string) => void): Promise<readonly Figure[]> {
  return [
    await gaps(
      'bin-pack, more nodes than needed',
      fewNodes,
      async (instance, policy) => {
        const { value, isProven } = await fewestNodes(instance);
        const ours = byEngine(instance, policy, packing);
        if (!isProven) return undefined;
        return ours.placed < instance.pods.length ? 1 : ours.usedNodes / Math.round(value) - 1;
      },
      say,
    ),
    await gaps(
      'bin-pack, less allocated',
      tooFewNodes,
      async (instance, policy) => {
        const { value, isProven } = await mostAllocated(instance);
        return isProven ? 1 - byEngine(instance, policy, packing).allocated / value : undefined;
      },
      say,
    ),
  ];
}

export const bench: Benchmark = {
  description: 'how much of the GPUs is given away at the end, and how far bin-pack is from the optimum',
  seconds: 300,
  async run(say) {
    const figures: Figure[] = [];
    if (isRecorded()) {
      const nodes = recordedNodes();
      for (const [name, trace] of traces(nodes)) {
        if (only?.some((one) => name.startsWith(one)) === false) continue;
        figures.push(...measure(name, trace, nodes, say));
      }
    } else say('the recorded trace is not here: skipped');
    if (only === undefined || only.includes('bin-pack')) figures.push(...(await packingGaps(say)));
    return figures;
  },
};
