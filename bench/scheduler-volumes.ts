/**
 * Pods with claims of volumes, in the placement engine alone: 5,000 nodes, each pod with a claim of its own. By processor time of the thread. Peer in the same
 * run: each pod against each node by the same rules.
 */
import { type Benchmark, type Figure, rateFigure } from './benchmark.ts';
import { scan } from './scheduler/full-scan.ts';
import { planAll, rate } from './scheduler/measure.ts';
import { storageCloud, type VolumeClaimants } from './scheduler/volume-claimants.ts';

const nodes = 5000;
const rounds = 3;
const scans = 20;

function placed(kind: VolumeClaimants, count: number): number {
  const { snapshot, waiting } = storageCloud(kind, nodes, count);
  let bound = 0;
  const result = rate(count, () => {
    bound = planAll(snapshot, waiting);
  });
  if (bound !== count) throw new Error(`${kind}: only ${bound} of ${count} pods were placed`);
  return result;
}

function scanned(kind: VolumeClaimants): number {
  const { snapshot, waiting } = storageCloud(kind, nodes, scans);
  return rate(scans, () => {
    scan(snapshot, waiting);
  });
}

const kinds: readonly (readonly [kind: VolumeClaimants, name: string])[] = [
  ['made', 'made where they go'],
  ['limited', 'made where they go, so many on a node'],
  ['zonal', 'bound, each of a zone'],
  ['local', 'bound, each on a node'],
  ['standing', 'that stand ready on nodes'],
];

export const bench: Benchmark = {
  description: 'the placement engine alone: pods with claims of volumes',
  seconds: 30,
  async run(say) {
    const figures: Figure[] = [];
    const count = Number(process.env['CAELUM_BENCH_PODS'] ?? 5000);
    for (const [kind, name] of kinds) {
      const runs = Array.from({ length: rounds + 1 }, () => placed(kind, count)).slice(1);
      const peer = { name: 'each pod against each node', runs: [scanned(kind)] };
      const figure = rateFigure(`pods with volumes ${name}, ${nodes} nodes`, '1/s', runs, peer);
      figures.push(figure);
      say(`${figure.name}: ${Math.round(figure.value)}/s`);
    }
    return figures;
  },
};
