/** What is said to make a pending pod fit, done on random clusters: then it fits, and with less it does not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Namespace, Node, Pod } from '../../api/index.ts';
import { plan, remediesOf, Snapshot, type Way } from '../../scheduler/index.ts';
import { type Choices, forEachCase } from './test-cases.ts';
import { habitsOf, nodeOf, podOf, podShape, spaces } from './test-clusters.ts';

interface Cluster {
  readonly nodes: readonly Node[];
  readonly pods: readonly Pod[];
  readonly namespaces: readonly Namespace[];
}

const keyOf = ({ metadata }: Pod): string => `${metadata.namespace}/${metadata.name}`;

function snapshotOf({ nodes, pods, namespaces }: Cluster): Snapshot {
  const snapshot = new Snapshot();
  for (const one of namespaces) snapshot.setNamespace(one);
  for (const one of nodes) snapshot.setNode(one);
  for (const pod of pods) snapshot.addPod(keyOf(pod), pod, pod.spec?.nodeName ?? '');
  return snapshot;
}

const outcome = (cluster: Cluster, pod: Pod) => plan(snapshotOf(cluster), [{ key: keyOf(pod), pod }])[0];

function clusterOf(choices: Choices): { readonly cluster: Cluster; readonly left: readonly Pod[] } {
  const habits = habitsOf(choices);
  const namespaces = spaces.map((name) => ({
    metadata: { name, labels: { 'kubernetes.io/metadata.name': name } },
  }));
  const nodes = choices.list(1, 5, (at) => nodeOf(choices, `n${at}`, habits));
  const shapes = choices.list(1, 4, () => podShape(choices, habits));
  const waiting = choices
    .list(3, 30, (at) => {
      const pod = podOf(choices, choices.one(shapes), `p${at}`);
      return { ...pod, spec: { ...pod.spec, preemptionPolicy: 'Never' } } as Pod;
    })
    .map((pod) => ({ key: keyOf(pod), pod }));
  const empty = { nodes, pods: [], namespaces };
  const pods: Pod[] = [];
  const left: Pod[] = [];
  for (const step of plan(snapshotOf(empty), waiting)) {
    const pod = waiting.find(({ key }) => key === step.podKey)?.pod as Pod;
    if (step.kind === 'bind') pods.push({ ...pod, spec: { ...pod.spec, nodeName: step.nodeName } } as Pod);
    else left.push(pod);
  }
  return { cluster: { ...empty, pods }, left };
}

const changed = (cluster: Cluster, name: string | undefined, change: (node: Node) => Node): Cluster => ({
  ...cluster,
  nodes: cluster.nodes.map((node) => (node.metadata.name === name ? change(node) : node)),
});

const withMore =
  (more: Readonly<Record<string, number>>) =>
  (node: Node): Node => {
    const allocatable: Record<string, string> = { ...node.status?.allocatable };
    for (const [resource, amount] of Object.entries(more)) {
      const before = snapshotOf({ nodes: [node], pods: [], namespaces: [] });
      const whole =
        resource === 'cpu'
          ? (before.cpuWhole[0] ?? 0)
          : resource === 'memory'
            ? (before.memoryWhole[0] ?? 0)
            : resource === 'ephemeral-storage'
              ? (before.facts(0)?.storageBytes ?? 0)
              : (before.facts(0)?.extended.get(resource) ?? 0);
      allocatable[resource] = resource === 'cpu' ? `${whole + amount}m` : String(whole + amount);
    }
    return { ...node, status: { ...node.status, allocatable } } as Node;
  };

const withSpec = (pod: Pod, more: object): Pod => ({ ...pod, spec: { ...pod.spec, ...more } }) as Pod;

/** The cloud and the pod with what the way says; undefined: it cannot be done by a program. */
function done(
  cluster: Cluster,
  pod: Pod,
  way: Way,
): { readonly cluster: Cluster; readonly pod: Pod } | undefined {
  const [node] = way.nodes;
  switch (way.kind) {
    case 'room':
      return { cluster: changed(cluster, node, withMore(way.lacks)), pod };
    case 'toleration': {
      const tolerations = way.taints.map((text) => {
        const [, key = '', , value, effect = ''] = /^([^=:]+)(=([^:]*))?:(.*)$/.exec(text) ?? [];
        return value === undefined
          ? { key, operator: 'Exists', effect }
          : { key, operator: 'Equal', value: value ?? '', effect };
      });
      const fixed = tolerations.map((one) => ({ key: one.key, operator: 'Exists', effect: one.effect }));
      return { cluster, pod: withSpec(pod, { tolerations: [...(pod.spec?.tolerations ?? []), ...fixed] }) };
    }
    case 'uncordon':
      return {
        cluster: changed(cluster, node, (one) => ({
          ...one,
          spec: {
            taints: (one.spec?.taints ?? []).filter(({ key }) => key !== 'node.kubernetes.io/unschedulable'),
          },
        })),
        pod,
      };
    case 'port':
      return {
        cluster: { ...cluster, pods: cluster.pods.filter(({ spec }) => spec?.nodeName !== node) },
        pod,
      };
    case 'pods':
      return {
        cluster: changed(cluster, node, (one) => ({
          ...one,
          status: { ...one.status, allocatable: { ...one.status?.allocatable, pods: '1000' } },
        })),
        pod,
      };
    case 'skew': {
      const topologySpreadConstraints = pod.spec?.topologySpreadConstraints?.map((one) =>
        one.topologyKey === way.topologyKey && one.whenUnsatisfiable !== 'ScheduleAnyway'
          ? { ...one, maxSkew: Math.max(one.maxSkew, way.maxSkew) }
          : one,
      );
      return { cluster, pod: withSpec(pod, { topologySpreadConstraints }) };
    }
    case 'priority':
      return {
        cluster,
        pod: withSpec(pod, { priority: way.above + 1, preemptionPolicy: 'PreemptLowerPriority' }),
      };
    case 'node': {
      if (pod.spec?.affinity?.nodeAffinity !== undefined || pod.spec?.nodeSelector?.['zone'] === '')
        return undefined;
      const labels = { ...pod.spec?.nodeSelector };
      const allocatable = {
        cpu: '100',
        memory: '100Gi',
        pods: '10',
        'ephemeral-storage': '100Gi',
        'example.com/gpu': '8',
      };
      const fresh = { metadata: { name: 'fresh', labels }, spec: {}, status: { allocatable } } as Node;
      return { cluster: { ...cluster, nodes: [...cluster.nodes, fresh] }, pod };
    }
    default:
      return undefined;
  }
}

test('remediesOf() names changes with which the pod fits, and no larger ones than that takes', (t) => {
  const seen = new Map<string, number>();
  forEachCase(t, 60, (choices) => {
    const { cluster, left } = clusterOf(choices);
    for (const pod of left.slice(0, 6)) {
      // Another that came later may have made it possible.
      if (outcome(cluster, pod)?.kind === 'bind') continue;
      const snapshot = snapshotOf(cluster);
      const { ways, nearest } = remediesOf(snapshot, pod);
      assert.deepEqual(remediesOf(snapshot, pod).ways, ways, 'asking changes nothing');
      assert.ok(nearest.every(({ obstacles }) => obstacles.length > 0));
      for (const way of ways) {
        seen.set(way.kind, (seen.get(way.kind) ?? 0) + 1);
        const after = done(cluster, pod, way);
        if (after === undefined) continue;
        const step = outcome(after.cluster, after.pod);
        const said = JSON.stringify(
          { way, step: step && { ...step, refused: [...step.refused] }, pod, nodes: cluster.nodes },
          undefined,
          1,
        );
        if (way.kind === 'priority')
          assert.ok(step?.kind === 'bind' || step?.preemption?.kind === 'chosen', said);
        else assert.equal(step?.kind, 'bind', said);
        if (way.kind === 'room')
          for (const [resource, amount] of Object.entries(way.lacks)) {
            const less: Record<string, number> = { ...way.lacks, [resource]: amount - 1 };
            assert.equal(
              outcome(changed(cluster, way.nodes[0], withMore(less)), pod)?.kind,
              'wait',
              `less would do: ${said}`,
            );
          }
        if (way.kind === 'skew' && way.maxSkew > 2) {
          const smaller: Way = { ...way, maxSkew: way.maxSkew - 1 };
          const before: ReturnType<typeof done> = done(cluster, pod, smaller);
          if (before !== undefined) assert.equal(outcome(before.cluster, before.pod)?.kind, 'wait', said);
        }
      }
    }
  });
  t.diagnostic(JSON.stringify([...seen]));
  if (process.env['CAELUM_SEED'] !== undefined) return;
  for (const kind of [
    'room',
    'toleration',
    'label',
    'uncordon',
    'port',
    'pods',
    'priority',
    'node',
    'neighbours',
  ])
    assert.ok((seen.get(kind) ?? 0) > 0, `${kind} was not tried`);
});
