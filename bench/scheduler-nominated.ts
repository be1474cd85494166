/**
 * Pods with rules about other pods while some pods are nominated to nodes, in the placement engine alone: 5,000 nodes, fifty nominated pods of the same apps.
 * Peer in the same run: the same pods while nobody is nominated.
 */
import { type Benchmark, type Figure, rateFigure } from './benchmark.ts';
import { planAll, rate } from './scheduler/measure.ts';
import { cloud, loners, pods, type Workload } from './scheduler/workloads.ts';

const nodes = 5000;
const rounds = 3;

function placed(workload: Workload, count: number, nominated: number): number {
  const snapshot = cloud(nodes);
  planAll(snapshot, loners());
  const waiting = pods(workload, count);
  for (const [at, { key, pod }] of pods(workload, nominated).entries())
    snapshot.nominations.set(`${key}-nominated`, {
      pod: { ...pod, spec: { containers: [], ...pod.spec, priority: 10 } },
      nodeName: `n-${at * 51}`,
    });
  let bound = 0;
  const result = rate(count, () => {
    bound = planAll(snapshot, waiting);
  });
  if (bound !== count) throw new Error(`${workload}: only ${bound} of ${count} pods were placed`);
  return result;
}

const kinds: readonly { readonly workload: Workload; readonly name: string; readonly count: number }[] = [
  { workload: 'spread', name: 'with hard topology spread', count: 20_000 },
  { workload: 'apart', name: 'with required anti-affinity (host, zone)', count: 10_000 },
];

export const bench: Benchmark = {
  description: 'the placement engine alone: pods with rules about others while some are nominated',
  seconds: 20,
  async run(say) {
    const figures: Figure[] = [];
    for (const { workload, name, count } of kinds) {
      const repeated = (nominated: number): readonly number[] =>
        Array.from({ length: rounds + 1 }, () => placed(workload, count, nominated)).slice(1);
      const peer = { name: 'nobody nominated', runs: repeated(0) };
      const figure = rateFigure(`pods ${name}, fifty others nominated`, '1/s', repeated(50), peer);
      figures.push({ ...figure, goal: 'ratio ≥ 0.5' });
      say(`${figure.name}: ${Math.round(figure.value)}/s`);
    }
    return figures;
  },
};
