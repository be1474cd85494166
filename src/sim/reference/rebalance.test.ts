/**
 * Plans of moves on random clusters: what they promise is so when they are carried out, they break nothing, and they come to an end.
 *
 *   cluster, some of it against its rules ─▶ plan ─▶ carried out (one after the other, or all of a phase at once) ─▶ plan again ─▶ … ─▶ nothing more to do
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Namespace, Node, Pod, PodDisruptionBudget, RebalancePolicySpec } from '../../api/index.ts';
import {
  holdTaint,
  type MovePlan,
  measures,
  movesOf,
  type Phase,
  plan,
  planMoves,
  Snapshot,
} from '../../scheduler/index.ts';
import { verifyResourceAllocation } from '../../verify/index.ts';
import { type Choices, forEachCase } from './test-cases.ts';
import { habitsOf, nodeOf, podOf, podShape, spaces } from './test-clusters.ts';

interface Cluster {
  nodes: readonly Node[];
  pods: readonly Pod[];
  readonly namespaces: readonly Namespace[];
  readonly budgets: readonly PodDisruptionBudget[];
  readonly nowMs: number;
}

const nowMs = Date.parse('2026-01-02T00:00:00Z');

const types = [
  'Drain',
  'NodeTaints',
  'NodeAffinity',
  'AntiAffinity',
  'SpreadRepair',
  'Duplicates',
  'Defragment',
  'LowUtilization',
  'Restarts',
  'Lifetime',
] as const;

function specOf(choices: Choices): RebalancePolicySpec {
  const chosen = choices
    .some(types, 4)
    .filter((type, _, all) => type !== 'LowUtilization' || !all.includes('Defragment'));
  return {
    strategies: (chosen.length === 0 ? (['Duplicates'] as const) : chosen).map((type) => ({
      type,
      ...(type === 'Drain' ? { nodeNames: choices.some(['n0', 'n1'], 1) } : {}),
      ...(type === 'LowUtilization' ? { targetThresholds: { cpu: choices.one([30, 50]), memory: 60 } } : {}),
      ...(type === 'Restarts' ? { maxRestarts: 3 } : {}),
      ...(type === 'Lifetime' ? { maxLifetime: '12h0m0s' } : {}),
      ...(type === 'SpreadRepair' ? { includeSoft: choices.chance(0.5) } : {}),
    })),
    limits: { moves: choices.one([1, 5, 50]), ...choices.maybe(0.3, 'movesPerNode', () => 2) },
    allow: choices.some(['BarePods', 'LocalStorage']),
  };
}

/** Replicas that want to be apart, and ask for little else. */
function replicaShape(choices: Choices): Pod {
  const labels = { app: choices.one(['web', 'db']) };
  const topologyKey = choices.one(['zone', 'kubernetes.io/hostname']);
  const rule = choices.chance(0.5)
    ? {
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey,
            whenUnsatisfiable: 'DoNotSchedule',
            labelSelector: { matchLabels: labels },
          },
        ],
      }
    : {
        affinity: {
          podAntiAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              { topologyKey, labelSelector: { matchLabels: labels } },
            ],
          },
        },
      };
  const owner = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    name: 'r',
    uid: `r-${labels.app}`,
    controller: true,
  };
  return {
    metadata: { namespace: 'shop', labels, ownerReferences: [owner] },
    spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '50m' } } }], ...rule },
  } as Pod;
}

/** Pods anywhere where there is room: by the rules or not, as nodes and labels were once otherwise. */
function clusterOf(choices: Choices): Cluster {
  // Those that look at others are the intricate ones.
  const habits = { ...habitsOf(choices), spread: choices.one([0, 0.8]), neighbours: choices.one([0, 0.8]) };
  const namespaces = spaces.map((name) => ({
    metadata: { name, labels: { 'kubernetes.io/metadata.name': name } },
  }));
  const nodes = choices.list(2, 6, (at) => nodeOf(choices, `n${at}`, habits));
  const shapes = choices.list(1, 4, () =>
    choices.chance(0.4) ? replicaShape(choices) : podShape(choices, habits),
  );
  const pods: Pod[] = [];
  for (let at = choices.between(0, 30); at > 0; at--) {
    const shape = podOf(choices, choices.one(shapes), `p${at}`);
    const nodeName = choices.one(nodes).metadata.name ?? '';
    const pod = {
      ...shape,
      metadata: {
        ...shape.metadata,
        ...choices.maybe(0.3, 'creationTimestamp', () => '2026-01-01T23:00:00Z'),
      },
      spec: { ...shape.spec, nodeName },
      status: {
        phase: 'Running',
        conditions: [{ type: 'Ready', status: choices.chance(0.8) ? 'True' : 'False' }],
        containerStatuses: [{ name: 'c', restartCount: choices.one([0, 0, 0, 5]) }],
      },
    } as unknown as Pod;
    const all = [...pods, pod];
    if (
      verifyResourceAllocation({ nodes, pods: all }).findings.every((one) => !one.rule.startsWith('capacity'))
    )
      pods.push(pod);
  }
  const budgets = choices.list(0, 2, (at) => ({
    metadata: { name: `b${at}`, namespace: choices.one(spaces) },
    spec: { selector: { matchLabels: { app: choices.one(['web', 'db']) } } },
    status: { disruptionsAllowed: choices.between(0, 3) },
  })) as unknown as PodDisruptionBudget[];
  return { nodes, pods, namespaces, budgets, nowMs };
}

const keyOf = ({ metadata }: Pod): string => `${metadata.namespace}/${metadata.name}`;
const isMadeAgain = ({ metadata }: Pod): boolean =>
  metadata.ownerReferences?.some((one) => one.controller) === true;
let made = 0;

/** Some of the pods go, and those that owners make in their place are placed by the scheduler. */
function carryOut(cluster: Cluster, phase: Phase, keys: ReadonlySet<string>): Map<string, string> {
  cluster.nodes = cluster.nodes.map((node) =>
    phase.cordon.includes(node.metadata.name ?? '')
      ? { ...node, spec: { ...node.spec, unschedulable: true } }
      : node,
  );
  const snapshot = new Snapshot();
  for (const one of cluster.namespaces) snapshot.setNamespace(one);
  for (const node of cluster.nodes) {
    const isHeld = phase.hold.includes(node.metadata.name ?? '');
    const taints = [...(node.spec?.taints ?? []), ...(isHeld ? [holdTaint] : [])];
    snapshot.setNode({ ...node, spec: { ...node.spec, taints } });
  }
  const staying = cluster.pods.filter((pod) => !keys.has(keyOf(pod)));
  for (const pod of staying) snapshot.addPod(keyOf(pod), pod, pod.spec?.nodeName ?? '');
  const going = cluster.pods.filter((pod) => keys.has(keyOf(pod)));
  const fresh = going.filter(isMadeAgain).map((pod) => {
    const { nodeName: _, ...spec } = pod.spec ?? { containers: [] };
    const { creationTimestamp: _born, ...metadata } = pod.metadata;
    made++;
    const again = { metadata: { ...metadata, name: `m${made}`, uid: `m${made}` }, spec } as Pod;
    return { key: keyOf(again), pod: again, was: keyOf(pod) };
  });
  const places = new Map<string, string>();
  const placed: Pod[] = [];
  for (const step of plan(snapshot, fresh)) {
    const one = fresh.find(({ key }) => key === step.podKey);
    if (one === undefined) continue;
    const nodeName = step.kind === 'bind' ? step.nodeName : '';
    places.set(one.was, nodeName);
    const status = { phase: nodeName === '' ? 'Pending' : 'Running' };
    placed.push({ ...one.pod, spec: { ...one.pod.spec, nodeName }, status } as unknown as Pod);
  }
  cluster.pods = [...staying, ...placed];
  return places;
}

const less = (a: readonly number[], b: readonly number[]): boolean => {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at >= 0 && (a[at] ?? 0) < (b[at] ?? 0);
};

/** What every plan promises, whatever becomes of it. */
function assertLawful(cluster: Cluster, spec: RebalancePolicySpec, moves: ReturnType<typeof movesOf>): void {
  const { moves: most = 20, movesPerNode = most } = spec.limits ?? {};
  assert.ok(moves.length <= most, 'no more moves than one plan may have');
  const perNode = new Map<string, number>();
  const perBudget = new Map<PodDisruptionBudget, number>();
  for (const move of moves) {
    const pod = cluster.pods.find((one) => keyOf(one) === move.pod);
    assert.ok(pod !== undefined && pod.spec?.nodeName === move.from, `${move.pod} is where it is moved from`);
    perNode.set(move.from, (perNode.get(move.from) ?? 0) + 1);
    for (const budget of cluster.budgets)
      if (
        budget.metadata.namespace === pod.metadata.namespace &&
        budget.spec?.selector?.matchLabels?.['app'] === pod.metadata.labels?.['app']
      )
        perBudget.set(budget, (perBudget.get(budget) ?? 0) + 1);
    if (!isMadeAgain(pod)) assert.ok(spec.allow?.includes('BarePods'), `${move.pod} would never come back`);
  }
  for (const count of perNode.values()) assert.ok(count <= movesPerNode, 'no more from a node than may');
  for (const [budget, count] of perBudget) assert.ok(count <= (budget.status?.disruptionsAllowed ?? 0));
}

test('planMoves() tells where pods go, makes less wrong with every run, and comes to an end', (t) => {
  const seen = { runs: 0, moves: 0, byType: new Map<string, number>() };
  forEachCase(t, 180, (choices) => {
    const cluster = clusterOf(choices);
    const spec = specOf(choices);
    for (let run = 0; ; run++) {
      assert.ok(run < 60, 'it does not end');
      const found: MovePlan = planMoves(cluster, spec);
      const moves = movesOf(found);
      assert.deepEqual(planMoves(cluster, spec), found, 'the same world gives the same plan');
      assertLawful(cluster, spec, moves);
      if (found.phases.length === 0) break;
      const before = measures(cluster, spec);
      const faults = verifyResourceAllocation(cluster).counts.violations;
      for (const phase of found.phases) {
        carryOut(cluster, phase, new Set());
        for (const move of phase.moves) {
          const places = carryOut(cluster, phase, new Set([move.pod]));
          assert.equal(
            places.get(move.pod) ?? '',
            move.to,
            `${move.strategy}: ${move.pod} goes where it was said`,
          );
        }
      }
      const after = measures(cluster, spec);
      const said = JSON.stringify({ before, after, spec, found }, undefined, 1);
      assert.ok(moves.length === 0 || less(after, before), said);
      assert.ok(verifyResourceAllocation(cluster).counts.violations <= faults, 'nothing is broken by it');
      seen.runs++;
      seen.moves += moves.length;
      for (const { strategy } of moves) seen.byType.set(strategy, (seen.byType.get(strategy) ?? 0) + 1);
    }
  });
  t.diagnostic(JSON.stringify([seen.runs, seen.moves, ...seen.byType]));
  // Other seeds may have few of one.
  if (process.env['CAELUM_SEED'] !== undefined) return;
  for (const type of types) assert.ok((seen.byType.get(type) ?? 0) > 0, `${type} was not tried`);
});

test('planMoves() comes to an end also where all of a phase are evicted at once', (t) => {
  let most = 0;
  forEachCase(t, 120, (choices) => {
    const cluster = clusterOf(choices);
    const spec = specOf(choices);
    for (let run = 0; ; run++) {
      assert.ok(run < 60, `it does not end: ${JSON.stringify(spec)}`);
      most = Math.max(most, run);
      const { phases } = planMoves(cluster, spec);
      if (phases.length === 0) break;
      for (const phase of phases) carryOut(cluster, phase, new Set(phase.moves.map(({ pod }) => pod)));
      const { findings } = verifyResourceAllocation(cluster);
      assert.ok(!findings.some((one) => one.rule.startsWith('capacity')));
    }
  });
  t.diagnostic(`at most ${most} runs`);
});
