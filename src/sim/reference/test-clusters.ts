/** Random nodes and pods for the scheduler: small worlds with few names, so that rules meet often. */
import type {
  LabelSelector,
  Node,
  NodeSelectorTerm,
  Pod,
  PodAffinityTerm,
  Taint,
  Toleration,
  TopologySpreadConstraint,
} from '../../api/index.ts';
import type { Choices } from './test-cases.ts';

/** Which kinds of rules a case has: each alone and all together are tried. */
export interface Habits {
  readonly affinity: number;
  readonly taints: number;
  readonly ports: number;
  readonly spread: number;
  readonly neighbours: number;
  readonly odd: number;
  readonly zones: number;
  readonly images: number;
}

export function habitsOf(choices: Choices): Habits {
  const share = (): number => choices.one([0, 0, 0.3, 0.8]);
  return {
    affinity: share(),
    taints: share(),
    ports: share(),
    spread: share(),
    neighbours: share(),
    odd: share(),
    zones: share(),
    images: share(),
  };
}

export const resources = ['cpu', 'memory', 'ephemeral-storage', 'example.com/gpu'];
export const spaces = ['shop', 'bank'];
const zones = ['z1', 'z2', 'z3', ''];
const effects = ['NoSchedule', 'NoExecute', 'PreferNoSchedule'];
const zoneKey = 'topology.kubernetes.io/zone';
const topologyKeys = ['zone', 'kubernetes.io/hostname', 'rack', zoneKey];
const imageNames = ['web', 'web:1', 'registry.example.com:5000/db', 'registry.example.com:5000/db:2'];

const taint = (choices: Choices): Taint => ({
  key: choices.one(['dedicated', 'broken']),
  effect: choices.one(effects),
  ...choices.maybe(0.5, 'value', () => choices.one(['x', 'y'])),
});

/** As a node reports them: each by its digest and by its tags. */
const imagesOf = (choices: Choices) =>
  choices.some(imageNames).map((name) => ({
    names: [`${name}@sha256:1`, /:[^/]*$/.test(name) ? name : `${name}:latest`],
    sizeBytes: choices.one([5_000_000, 80_000_000, 400_000_000, 3_000_000_000]),
  }));

export function nodeOf(choices: Choices, name: string, habits: Habits): Node {
  const labels = {
    ...choices.maybe(0.9, 'kubernetes.io/hostname', () => name),
    ...choices.maybe(0.8, 'zone', () => choices.one(zones)),
    ...choices.maybe(0.5, 'rack', () => choices.one(['r1', 'r2'])),
    ...choices.maybe(habits.zones, zoneKey, () => choices.one(['a', 'b', 'c'])),
    ...choices.maybe(0.3, 'size', () => choices.one(['4', '16', '', '1.5'])),
  };
  const unschedulable = choices.chance(habits.taints * 0.3);
  const cordon: Taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };
  const taints = [
    ...choices.list(0, habits.taints > 0 ? 2 : 0, () => taint(choices)),
    ...(unschedulable && choices.chance(0.5) ? [cordon] : []),
  ];
  return {
    metadata: { name, labels },
    spec: { ...(taints.length > 0 ? { taints } : {}), ...(unschedulable ? { unschedulable } : {}) },
    status: {
      allocatable: {
        cpu: choices.one(['1', '2', '4', '1500m']),
        memory: choices.one(['1Gi', '2Gi', '4G']),
        pods: String(choices.one([2, 5, 110])),
        'ephemeral-storage': choices.one(['1Gi', '10Gi']),
        ...choices.maybe(0.3, 'example.com/gpu', () => choices.one(['1', '4'])),
      },
      ...choices.maybe(habits.images, 'images', () => imagesOf(choices)),
    },
  };
}

const requests = (choices: Choices): Record<string, string> => ({
  ...choices.maybe(0.7, 'cpu', () => choices.one(['100m', '0.25', '1', '0'])),
  ...choices.maybe(0.6, 'memory', () => choices.one(['64Mi', '256M', '1Gi'])),
  ...choices.maybe(0.1, 'ephemeral-storage', () => choices.one(['100Mi', '2Gi'])),
  ...choices.maybe(0.1, 'example.com/gpu', () => choices.one(['1', '2'])),
});

function container(choices: Choices, name: string, habits: Habits) {
  const ports = () =>
    choices.list(1, 2, () => ({
      containerPort: 80,
      hostPort: choices.one([0, 8080, 8081]),
      ...choices.maybe(0.5, 'protocol', () => choices.one(['TCP', 'UDP'])),
      ...choices.maybe(0.4, 'hostIP', () => choices.one(['10.0.0.1', '10.0.0.2', '0.0.0.0', ''])),
    }));
  return {
    name,
    image: choices.chance(habits.images) ? choices.one(imageNames) : 'i',
    ...choices.maybe(0.8, 'resources', () => ({ requests: requests(choices) })),
    ...choices.maybe(habits.ports * 0.6, 'ports', ports),
  };
}

const selector = (choices: Choices): LabelSelector => ({
  ...choices.maybe(0.7, 'matchLabels', () => ({ app: choices.one(['web', 'db']) })),
  ...choices.maybe(0.3, 'matchExpressions', () => [
    choices.one([
      { key: 'tier', operator: 'Exists' },
      { key: 'app', operator: 'NotIn', values: ['db'] },
    ]),
  ]),
});

const podTerm = (choices: Choices): PodAffinityTerm => ({
  topologyKey: choices.one(topologyKeys),
  ...choices.maybe(0.95, 'labelSelector', () => selector(choices)),
  ...choices.maybe(0.2, 'namespaces', () => choices.some(spaces)),
  ...choices.maybe(0.2, 'namespaceSelector', () =>
    choices.one([
      {},
      { matchLabels: { team: 'a' } },
      { matchLabels: { 'kubernetes.io/metadata.name': 'bank' } },
    ]),
  ),
});

function podTerms(choices: Choices): object {
  return {
    ...choices.maybe(0.6, 'requiredDuringSchedulingIgnoredDuringExecution', () =>
      choices.list(1, 2, () => podTerm(choices)),
    ),
    ...choices.maybe(0.3, 'preferredDuringSchedulingIgnoredDuringExecution', () =>
      choices.list(1, 2, () => ({ weight: choices.between(1, 100), podAffinityTerm: podTerm(choices) })),
    ),
  };
}

const nodeTerm = (choices: Choices): NodeSelectorTerm => ({
  ...choices.maybe(0.8, 'matchExpressions', () =>
    choices.list(1, 2, () =>
      choices.one([
        { key: 'zone', operator: 'In', values: ['z1', 'z2'] },
        { key: 'zone', operator: 'NotIn', values: ['z1'] },
        { key: 'rack', operator: 'Exists' },
        { key: 'rack', operator: 'DoesNotExist' },
        { key: 'size', operator: 'Gt', values: ['4'] },
        { key: 'size', operator: 'Lt', values: ['16'] },
      ]),
    ),
  ),
  ...choices.maybe(0.2, 'matchFields', () => [
    { key: 'metadata.name', operator: choices.one(['In', 'NotIn']), values: [`n${choices.between(0, 3)}`] },
  ]),
});

function nodeAffinity(choices: Choices): object {
  return {
    ...choices.maybe(0.5, 'requiredDuringSchedulingIgnoredDuringExecution', () => ({
      nodeSelectorTerms: choices.list(1, 2, () => nodeTerm(choices)),
    })),
    ...choices.maybe(0.4, 'preferredDuringSchedulingIgnoredDuringExecution', () =>
      choices.list(1, 2, () => ({ weight: choices.between(1, 100), preference: nodeTerm(choices) })),
    ),
  };
}

function toleration(choices: Choices): Toleration {
  const operator = choices.one(['Exists', 'Equal']);
  return {
    operator,
    ...(operator === 'Exists' && choices.chance(0.3)
      ? {}
      : { key: choices.one(['dedicated', 'broken', 'node.kubernetes.io/unschedulable']) }),
    ...(operator === 'Equal' ? choices.maybe(0.7, 'value', () => choices.one(['x', 'y'])) : {}),
    ...choices.maybe(0.4, 'effect', () => choices.one(effects)),
  };
}

const constraint = (choices: Choices): TopologySpreadConstraint => ({
  maxSkew: choices.between(1, 2),
  topologyKey: choices.one(topologyKeys),
  whenUnsatisfiable: choices.one(['DoNotSchedule', 'DoNotSchedule', 'ScheduleAnyway']),
  labelSelector: selector(choices),
  ...choices.maybe(0.2, 'minDomains', () => choices.between(1, 4)),
  ...choices.maybe(0.3, 'nodeAffinityPolicy', () => choices.one(['Honor', 'Ignore'])),
  ...choices.maybe(0.3, 'nodeTaintsPolicy', () => choices.one(['Honor', 'Ignore'])),
  ...choices.maybe(0.2, 'matchLabelKeys', () => choices.one([['revision'], ['revision', 'absent']])),
});

/** A shape that several pods share, as replicas do. */
export function podShape(choices: Choices, habits: Habits): Pod {
  const { affinity, neighbours, odd, spread, taints } = habits;
  const namespace = choices.chance(0.7) ? 'shop' : 'bank';
  const labels = {
    app: choices.one(['web', 'db']),
    ...choices.maybe(0.5, 'tier', () => 'front'),
    ...choices.maybe(0.5, 'revision', () => choices.one(['1', '2'])),
  };
  const owner = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    name: 'r',
    uid: choices.one(['r1', 'r2']),
    controller: choices.chance(0.9),
  };
  const around = {
    ...choices.maybe(affinity * 0.6, 'nodeAffinity', () => nodeAffinity(choices)),
    ...choices.maybe(neighbours * 0.4, 'podAffinity', () => podTerms(choices)),
    ...choices.maybe(neighbours * 0.4, 'podAntiAffinity', () => podTerms(choices)),
  };
  const sidecar = choices.maybe(0.5, 'restartPolicy', () => 'Always');
  return {
    metadata: {
      namespace,
      labels,
      creationTimestamp: `2026-01-01T00:00:0${choices.between(0, 3)}Z`,
      ...choices.maybe(0.6, 'ownerReferences', () => [owner]),
    },
    spec: {
      containers: choices.list(1, 2, (at) => container(choices, `c${at}`, habits)),
      ...choices.maybe(odd * 0.5, 'initContainers', () =>
        choices.list(1, 3, (at) => ({
          ...container(choices, `i${at}`, habits),
          ...(choices.chance(0.5) ? sidecar : {}),
        })),
      ),
      ...choices.maybe(odd * 0.3, 'overhead', () => ({ cpu: '50m', memory: '10Mi' })),
      ...choices.maybe(odd * 0.2, 'resources', () => ({
        requests: { cpu: '600m', ...choices.maybe(0.5, 'memory', () => '300Mi') },
      })),
      ...choices.maybe(odd * 0.2, 'nodeName', () => `n${choices.between(0, 3)}`),
      ...choices.maybe(0.3, 'priority', () => choices.between(-1, 2)),
      ...choices.maybe(affinity * 0.4, 'nodeSelector', () => ({ zone: choices.one(zones) })),
      ...choices.maybe(taints, 'tolerations', () => choices.list(0, 2, () => toleration(choices))),
      ...choices.maybe(spread * 0.6, 'topologySpreadConstraints', () =>
        choices.list(1, 2, () => constraint(choices)),
      ),
      ...(Object.keys(around).length > 0 ? { affinity: around } : {}),
    },
  };
}

/** Another pod of the shape. */
export function podOf(choices: Choices, shape: Pod, name: string): Pod {
  return {
    ...shape,
    metadata: {
      ...shape.metadata,
      name,
      uid: name,
      ...choices.maybe(0.1, 'creationTimestamp', () => `2026-01-01T00:00:0${choices.between(0, 3)}Z`),
    },
  };
}
