/** Clouds and pods for measuring the placement engine: what is asked of it, made beforehand. */
import type { Node, Pod } from '../../src/api/index.ts';
import type { WaitingPod } from '../../src/scheduler/plan.ts';
import { Snapshot } from '../../src/scheduler/snapshot.ts';

export type Workload = 'plain' | 'jobs' | 'spread' | 'soft' | 'apart' | 'shunned';

/** How many pods have one owner, at most; `jobs`: one each. */
const replicasMax = 500;

export function node(index: number): Node {
  return {
    metadata: {
      name: `n-${index}`,
      labels: {
        'topology.kubernetes.io/zone': `z-${index % 10}`,
        'kubernetes.io/hostname': `n-${index}`,
        'kubernetes.io/os': 'linux',
      },
    },
    status: {
      allocatable: { cpu: String(8 + (index % 5) * 8), memory: `${32 + (index % 7) * 16}Gi`, pods: '250' },
    },
  };
}

export function cloud(nodes: number): Snapshot {
  const snapshot = new Snapshot();
  for (let index = 0; index < nodes; index++) snapshot.setNode(node(index));
  return snapshot;
}

const zone = 'topology.kubernetes.io/zone';
const hostname = 'kubernetes.io/hostname';

const constraint = (topologyKey: string, app: string, whenUnsatisfiable: string): object => ({
  maxSkew: 1,
  topologyKey,
  whenUnsatisfiable,
  labelSelector: { matchLabels: { app } },
});

const away = (...terms: readonly (readonly [string, string])[]): object => ({
  podAntiAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: terms.map(([topologyKey, app]) => ({
      topologyKey,
      labelSelector: { matchLabels: { app } },
    })),
  },
});

/** What pods of this kind ask beside room. */
function rules(workload: Workload, app: string, owner: number): object {
  if (workload === 'spread') return { topologySpreadConstraints: [constraint(zone, app, 'DoNotSchedule')] };
  if (workload === 'soft')
    return {
      topologySpreadConstraints: [
        constraint(zone, app, 'ScheduleAnyway'),
        constraint(hostname, app, 'ScheduleAnyway'),
      ],
    };
  // Never two of an owner on a node, and none in the zone of what another owner has.
  if (workload === 'apart') return { affinity: away([hostname, app], [zone, `loner-${owner % 3}`]) };
  return {};
}

export function pods(
  workload: Workload,
  count: number,
  from = 0,
  replicas = replicasMax,
): readonly WaitingPod[] {
  return Array.from({ length: count }, (_, at) => {
    const index = from + at;
    const owner = workload === 'jobs' ? index : Math.floor(index / replicas);
    const app = `${workload}-${owner}`;
    const name = `${app}-${index}`;
    const pod = {
      metadata: {
        name,
        namespace: 'default',
        uid: name,
        labels: { app, 'pod-template-hash': `h${owner}` },
        creationTimestamp: '2026-01-01T00:00:00Z',
        ownerReferences: [
          { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: app, uid: app, controller: true },
        ],
      },
      spec: {
        containers: [
          {
            name: 'c',
            image: 'i',
            ports: [{ containerPort: 80, protocol: 'TCP' }],
            resources: { requests: { cpu: '50m', memory: '64Mi' }, limits: { memory: '64Mi' } },
          },
        ],
        tolerations: [
          {
            key: 'node.kubernetes.io/not-ready',
            operator: 'Exists',
            effect: 'NoExecute',
            tolerationSeconds: 300,
          },
          {
            key: 'node.kubernetes.io/unreachable',
            operator: 'Exists',
            effect: 'NoExecute',
            tolerationSeconds: 300,
          },
        ],
        ...rules(workload, app, owner),
      },
    };
    return { key: `default/${name}`, pod: pod as unknown as Pod };
  });
}

/** Small pods of other owners, a thousand each, evenly over the nodes, until there are so many. Replicas share an object. */
export function crowd(snapshot: Snapshot, nodes: number, count: number): void {
  const each = 1000;
  for (let at = snapshot.table.size; at < count; at++) {
    const owner = Math.floor(at / each);
    const one = crowds.get(owner) ?? small(`crowd-${owner}`, 0, '5m');
    crowds.set(owner, one);
    snapshot.addPod(`default/crowd-${owner}-${at}`, one, `n-${(at * 7919) % nodes}`);
  }
}

const crowds = new Map<number, Pod>();

/** A few pods that others want to keep out of their zone, or that keep others out of theirs. */
export function loners(): readonly WaitingPod[] {
  return [0, 1, 2].map((at) => {
    const name = `loner-${at}`;
    return {
      key: `default/${name}`,
      pod: {
        metadata: { name, namespace: 'default', uid: name, labels: { app: name } },
        spec: {
          containers: [{ name: 'c', image: 'i' }],
          affinity: away([hostname, `shunned-${at}`]),
          nodeSelector: { [zone]: `z-${at}` },
        },
      } as unknown as Pod,
    };
  });
}

const small = (name: string, priority: number, cpu: string): Pod =>
  ({
    metadata: { name, namespace: 'default', uid: name, labels: { app: `p${priority}` } },
    spec: {
      priority,
      containers: [{ name: 'c', image: 'i', resources: { requests: { cpu, memory: '16Mi' } } }],
    },
    status: { startTime: '2026-01-01T00:00:00Z' },
  }) as unknown as Pod;

/** Every node full of pods of three low priorities, ten on each. */
export function fullCloud(nodes: number): Snapshot {
  const snapshot = new Snapshot();
  for (let index = 0; index < nodes; index++) {
    const name = `n-${index}`;
    snapshot.setNode({
      metadata: { name, labels: { [hostname]: name, [zone]: `z-${index % 10}` } },
      status: { allocatable: { cpu: '10', memory: '64Gi', pods: '110' } },
    } as Node);
    for (let at = 0; at < 10; at++) {
      const pod = small(`old-${index}-${at}`, (index + at) % 3, '1');
      snapshot.addPod(`default/${pod.metadata.name}`, pod, name);
    }
  }
  return snapshot;
}

export function important(count: number, from = 0): readonly WaitingPod[] {
  return Array.from({ length: count }, (_, at) => {
    const pod = small(`vip-${from + at}`, 1000, '2');
    return { key: `default/${pod.metadata.name}`, pod };
  });
}
