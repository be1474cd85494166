/**
 * The placement engine alone: pods planned a second, for thousands of identical replicas, on 1,000 and on 5,000 nodes.
 * Peer in the same run: a full scan of the same filters and scores over all nodes for every pod.
 */
import type { Node, Pod } from '../src/api/index.ts';
import { demandOf } from '../src/scheduler/demand.ts';
import { hasRoom, staticRefusal } from '../src/scheduler/filters.ts';
import { plan, type WaitingPod } from '../src/scheduler/plan.ts';
import { defaultPolicy } from '../src/scheduler/scores.ts';
import { Snapshot } from '../src/scheduler/snapshot.ts';
import { type Benchmark, type Figure, rateFigure } from './benchmark.ts';

const rounds = 5;
const batchSize = 1000;

function node(index: number): Node {
  return {
    metadata: {
      name: `n-${index}`,
      labels: { zone: `z-${index % 3}`, 'kubernetes.io/hostname': `n-${index}` },
    },
    status: {
      allocatable: { cpu: String(8 + (index % 5) * 8), memory: `${32 + (index % 7) * 16}Gi`, pods: '110' },
    },
  };
}

function pods(count: number, round: number, kind: 'plain' | 'spread'): readonly WaitingPod[] {
  return Array.from({ length: count }, (_, index) => {
    const name = `web-${round}-${index}`;
    const pod: Pod = {
      metadata: {
        name,
        namespace: 'default',
        labels: { app: 'web' },
        creationTimestamp: '2026-01-01T00:00:00Z',
        ownerReferences: [
          { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'web', controller: true },
        ],
      },
      spec: {
        containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '100m', memory: '128Mi' } } }],
        ...(kind === 'plain'
          ? {}
          : {
              topologySpreadConstraints: [
                {
                  maxSkew: 1,
                  topologyKey: 'zone',
                  whenUnsatisfiable: 'DoNotSchedule',
                  labelSelector: { matchLabels: { app: 'web' } },
                },
              ],
            }),
      },
    };
    return { key: `default/${name}`, pod };
  });
}

function cloud(nodes: number): Snapshot {
  const snapshot = new Snapshot();
  for (let index = 0; index < nodes; index++) snapshot.setNode(node(index));
  return snapshot;
}

/** The same rules, each pod against each node. */
function scan(snapshot: Snapshot, waiting: readonly WaitingPod[]): void {
  for (const { key, pod } of waiting) {
    const demand = demandOf(pod);
    const scoring = defaultPolicy.scorerOf(pod).begin(demand, snapshot, pod);
    let best = -1;
    let most = Number.NEGATIVE_INFINITY;
    for (let row = 0; row < snapshot.rows; row++) {
      if (staticRefusal(demand, snapshot, row) !== undefined || !hasRoom(demand, snapshot, row)) continue;
      const score = scoring.score(row, scoring.fixed(row));
      if (score > most) {
        most = score;
        best = row;
      }
    }
    if (best >= 0) snapshot.addPod(key, pod, snapshot.facts(best)?.name ?? '');
  }
}

function rate(count: number, work: () => void): number {
  const startMs = performance.now();
  work();
  return (count * 1000) / (performance.now() - startMs);
}

export const bench: Benchmark = {
  description: 'pods planned a second by the placement engine alone',
  seconds: 15,
  async run(say) {
    const figures: Figure[] = [];
    for (const nodes of [1000, 5000]) {
      const count = nodes * 10;
      const ours: number[] = [];
      const scanned: number[] = [];
      const spread: number[] = [];
      for (let round = -1; round < rounds; round++) {
        const snapshot = cloud(nodes);
        const waiting = pods(count, round, 'plain');
        const planned = rate(count, () => {
          for (let at = 0; at < count; at += batchSize) plan(snapshot, waiting.slice(at, at + batchSize));
        });
        const few = pods(300, round, 'plain');
        const byScan = rate(few.length, () => scan(cloud(nodes), few));
        const spreading = pods(300, round, 'spread');
        const bySpread = rate(spreading.length, () => void plan(cloud(nodes), spreading));
        if (round < 0) continue;
        ours.push(planned);
        scanned.push(byScan);
        spread.push(bySpread);
      }
      const peer = { name: 'full scan of the same rules', runs: scanned };
      figures.push(
        { ...rateFigure(`pods planned, ${nodes} nodes`, '1/s', ours, peer), goal: '≥ 50,000/s' },
        rateFigure(`pods planned with a spread constraint, ${nodes} nodes`, '1/s', spread, peer),
      );
      say(
        `${nodes} nodes: ${figures
          .slice(-2)
          .map(({ value }) => Math.round(value))
          .join(' and ')} pods/s`,
      );
    }
    return figures;
  },
};
