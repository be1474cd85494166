/**
 * The scores of the scheduler that tries every node: as kube-scheduler's plugins give them, but without cutting them down to whole numbers; and our own
 * spreading of an owner's pods over hosts and zones. Pure, slow, everything counted anew.
 */
import type { Node, Pod } from '../../api/index.ts';
import {
  type Cluster,
  capacityOf,
  concerned,
  concerns,
  domainsOf,
  freeOf,
  isHard,
  podsOn,
  requestOf,
  sum,
  valueAt,
} from './scheduler.ts';
import { termSelectsNode, tolerated } from './selectors.ts';

const weights = { fit: 1, balanced: 1, taints: 3, affinity: 2, spread: 2, pods: 2, images: 1 };
const unasked = { cpu: '100m', memory: '200Mi' } as const;

/** A pod whose containers that say nothing ask for something. */
function asCounted(resource: 'cpu' | 'memory', pod: Pod): number {
  const filled = <T extends NonNullable<Pod['spec']>['containers']>(containers: T) =>
    containers.map((one) => ({
      ...one,
      resources: { requests: { [resource]: unasked[resource], ...one.resources?.requests } },
    }));
  const { spec } = pod;
  if (spec === undefined) return 0;
  const { containers, initContainers = [] } = spec;
  return requestOf(resource, {
    ...pod,
    spec: { ...spec, containers: filled(containers), initContainers: filled(initContainers) },
  });
}

function leastAllocated(cluster: Cluster, pod: Pod, node: Node): number {
  const scores: number[] = [];
  for (const resource of ['cpu', 'memory'] as const) {
    const whole = capacityOf(resource, node);
    const taken = sum([...podsOn(cluster, node), pod].map((one) => asCounted(resource, one)));
    if (whole > 0) scores.push(taken > whole ? 0 : (100 * (whole - taken)) / whole);
  }
  return scores.length === 0 ? 0 : sum(scores) / scores.length;
}

/** Half of what is left of the difference between with and without the pod, above the middle. */
function balanced(cluster: Cluster, pod: Pod, node: Node): number {
  const balance = (extra: number): number => {
    const shares = ['cpu', 'memory']
      .filter((resource) => capacityOf(resource, node) > 0)
      .map((resource) => {
        const whole = capacityOf(resource, node);
        const taken = whole - freeOf(resource, cluster, node) + extra * requestOf(resource, pod);
        return Math.min(1, taken / whole);
      });
    const mean = sum(shares) / shares.length;
    const variance = sum(shares.map((one) => (one - mean) ** 2)) / shares.length;
    return 100 * (1 - (shares.length < 2 ? 0 : Math.sqrt(variance)));
  };
  return 50 + (50 + balance(1) - balance(0)) / 2;
}

const ownerOf = (one: Pod): string | undefined =>
  one.metadata.ownerReferences?.find(({ controller }) => controller === true)?.uid;

/** Ours: each more counts by the logarithm of how many there are; where the pod does not say itself how it is spread over them. */
function ownSpread(cluster: Cluster, pod: Pod, node: Node): number {
  const owner = ownerOf(pod);
  if (owner === undefined) return 0;
  const siblings = (nodes: readonly Node[]): number =>
    nodes.flatMap((one) => podsOn(cluster, one)).filter((one) => ownerOf(one) === owner).length;
  const names = (key: string): boolean =>
    (pod.spec?.topologySpreadConstraints ?? []).some(({ topologyKey }) => topologyKey === key);
  const zone = (one: Node): string => valueAt(one, 'topology.kubernetes.io/zone') ?? '';
  let score = 0;
  if (!names('kubernetes.io/hostname')) score += 100 - 100 * Math.log(1 + siblings([node]));
  // Where no node was ever in a zone there is nothing to spread over.
  if (!names('topology.kubernetes.io/zone') && cluster.knowsZones === true)
    score += 100 - 100 * Math.log(1 + siblings(cluster.nodes.filter((one) => zone(one) === zone(node))));
  return score;
}

const megabyte = 1024 * 1024;

function imageLocality(cluster: Cluster, pod: Pod, node: Node): number {
  const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  const has = (one: Node, name: string): number | undefined =>
    one.status?.images?.find(({ names = [] }) => names.includes(name))?.sizeBytes;
  const sizes = containers.map(({ image = '' }) => {
    const name = /:[^/]*$/.test(image) ? image : `${image}:latest`;
    const size = has(node, name);
    const spread = cluster.nodes.filter((one) => has(one, name) !== undefined).length / cluster.nodes.length;
    return size === undefined ? 0 : Math.trunc(size * spread);
  });
  const [least, most] = [23 * megabyte, 1000 * megabyte * containers.length];
  return (100 * (Math.min(most, Math.max(least, sum(sizes))) - least)) / (most - least);
}

/** Each value as a share of the largest, or what is missing to that. */
function shares(values: readonly number[], isReversed: boolean): readonly number[] {
  const most = Math.max(...values);
  const scaled = values.map((one) => (most === 0 ? 0 : (100 * one) / most));
  return isReversed ? scaled.map((one) => 100 - one) : scaled;
}

function softSpread(cluster: Cluster, pod: Pod, nodes: readonly Node[]): readonly number[] {
  const soft = (pod.spec?.topologySpreadConstraints ?? []).filter((one) => !isHard(one));
  if (soft.length === 0) return nodes.map(() => 0);
  const hasKeys = (node: Node): boolean =>
    soft.every(({ topologyKey }) => valueAt(node, topologyKey) !== undefined);
  const counted = nodes.filter(hasKeys);
  const raw = counted.map((node) =>
    sum(
      soft.map((constraint) => {
        const key = constraint.topologyKey;
        const domains = new Set(counted.map((one) => valueAt(one, key)));
        const count = domainsOf(cluster, pod, constraint).get(valueAt(node, key) ?? '') ?? 0;
        return count * Math.log(domains.size + 2) + (constraint.maxSkew - 1);
      }),
    ),
  );
  const [low, high] = [Math.min(...raw), Math.max(...raw)];
  return nodes.map((node) => {
    const at = counted.indexOf(node);
    if (at < 0) return 0;
    return high === 0 ? 100 : (100 * (high + low - (raw[at] ?? 0))) / high;
  });
}

type Term = Parameters<typeof concerned>[1];

/** What a pod prefers, with its weight: less than nothing for what it shuns. */
function preferences({ spec }: Pod): readonly (readonly [Term, number])[] {
  const { podAffinity, podAntiAffinity } = spec?.affinity ?? {};
  return [
    ...(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(
      (one) => [one.podAffinityTerm, one.weight] as const,
    ),
    ...(podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(
      (one) => [one.podAffinityTerm, -one.weight] as const,
    ),
  ];
}

function podAffinity(cluster: Cluster, pod: Pod, nodes: readonly Node[]): readonly number[] {
  const raw = nodes.map((node) => {
    let score = 0;
    for (const [term, weight] of preferences(pod))
      score += weight * concerned(cluster, term, pod, node).length;
    for (const other of cluster.nodes)
      for (const there of podsOn(cluster, other)) {
        const required =
          there.spec?.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
        for (const [term, weight] of [...preferences(there), ...required.map((one) => [one, 1] as const)]) {
          const domain = valueAt(node, term.topologyKey);
          if (
            domain !== undefined &&
            domain === valueAt(other, term.topologyKey) &&
            concerns(cluster, term, there, pod)
          )
            score += weight;
        }
      }
    return score;
  });
  const [low, high] = [Math.min(...raw), Math.max(...raw)];
  return raw.map((one) => (high === low ? 0 : (100 * (one - low)) / (high - low)));
}

/** Of all nodes that are possible, in their order. */
export function scoresOf(cluster: Cluster, pod: Pod, nodes: readonly Node[]): readonly number[] {
  const preferred = pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  const liked = nodes.map((node) =>
    sum(preferred.filter(({ preference }) => termSelectsNode(preference, node)).map(({ weight }) => weight)),
  );
  const tainted = nodes.map(
    (node) =>
      (node.spec?.taints ?? []).filter(
        (taint) => taint.effect === 'PreferNoSchedule' && !tolerated(taint, pod.spec?.tolerations ?? []),
      ).length,
  );
  const [affinity, taints] = [shares(liked, false), shares(tainted, true)];
  const [spread, pods] = [softSpread(cluster, pod, nodes), podAffinity(cluster, pod, nodes)];
  return nodes.map(
    (node, at) =>
      weights.fit * leastAllocated(cluster, pod, node) +
      weights.balanced * balanced(cluster, pod, node) +
      weights.taints * (taints[at] ?? 0) +
      weights.affinity * (affinity[at] ?? 0) +
      weights.spread * (ownSpread(cluster, pod, node) + (spread[at] ?? 0)) +
      weights.pods * (pods[at] ?? 0) +
      weights.images * imageLocality(cluster, pod, node),
  );
}
