/**
 * What a pod asks of a node, worked out once for all pods that ask the same. Pure.
 *
 * `Demand.key` is equal exactly for pods that no rule tells apart, but for which claims of volumes they have, so that thousands of replicas are planned as one question asked often.
 */
import {
  type Affinity,
  claimsOf,
  type LabelSelector,
  labelPredicate,
  type Pod,
  type PodAffinityTerm,
  quantityMilli,
  quantityValue,
  specInUse,
  type Toleration,
  type TopologySpreadConstraint,
} from '../api/index.ts';
import { type GpuAsk, gpuAskOf, withoutShares } from './devices/gpu-ask.ts';
import { asksAlike, ownerOf } from './engine/likeness.ts';
import { reservationAnnotation } from './reservations/reserved.ts';

export interface HostPortDemand {
  readonly protocol: string;
  readonly port: number;
  readonly address: string;
}

export interface Demand {
  readonly key: string;
  /** Equal for pods that ask the same of a node's own facts: its name, labels and taints. */
  readonly nodesKey: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly cpuMilli: number;
  readonly memoryBytes: number;
  readonly ephemeralBytes: number;
  /** What its containers that ask for none are counted with in scores, beyond what is asked. */
  readonly cpuUnaskedMilli: number;
  readonly memoryUnaskedBytes: number;
  /** Extended resources: devices. */
  readonly extended: ReadonlyMap<string, number>;
  readonly nodeName: string;
  readonly nodeSelector: Readonly<Record<string, string>> | undefined;
  readonly affinity: Affinity | undefined;
  readonly tolerations: readonly Toleration[];
  readonly hostPorts: readonly HostPortDemand[];
  readonly spread: readonly TopologySpreadConstraint[];
  /** It has claims: where it can go depends on their volumes too. */
  readonly hasClaims: boolean;
  /** It has claims of devices: where it can go depends on these too. */
  readonly hasDeviceClaims: boolean;
  /** Of the extended resources those that devices may stand in for, where a node has none of its own; undefined: none. */
  readonly backed?: ReadonlySet<string>;
  /** Whole GPUs or a share of one. */
  readonly gpus: GpuAsk | undefined;
  /** Why it can go nowhere, whatever is free: what it asks makes no sense. */
  readonly impossible: string | undefined;
  /** Who made it: replicas of one owner are spread. */
  readonly owner: string;
  /** True when a node's feasibility and score depend on that node alone. */
  readonly isPlain: boolean;
}

type Container = NonNullable<NonNullable<Pod['spec']>['containers']>[number];

export interface Amounts {
  readonly cpuMilli: number;
  readonly memoryBytes: number;
  readonly ephemeralBytes: number;
  /** As in `Demand`. */
  readonly cpuUnaskedMilli: number;
  readonly memoryUnaskedBytes: number;
  readonly extended: ReadonlyMap<string, number>;
  /** Names of the claims that it uses and others could use too; undefined: none. */
  readonly claims?: readonly string[];
}

/** For scores only, as Kubernetes: a container that asks for nothing still costs something. */
export const unaskedCpuMilli = 100;
export const unaskedMemoryBytes = 200 * 2 ** 20;

/**
 * What a pod takes of its node: what it asks for as a whole, else its containers together or its largest init container; and the overhead.
 * Source: Kubernetes, "resource sharing within containers" and "pod-level resource specification".
 */
export function amountsOf(pod: Pod): Amounts {
  const { spec } = pod;
  if (spec === undefined) return addUp(pod);
  const inUse = specInUse(pod);
  // While it is resized, it takes what it has or what it gets, whichever is more.
  if (inUse !== undefined && inUse !== spec) return addUp({ ...pod, spec: inUse });
  let amounts = knownAmounts.get(spec);
  if (amounts === undefined) {
    amounts = addUp(pod);
    knownAmounts.set(spec, amounts);
  }
  return amounts;
}

/** By the spec, which the versions of a pod share. */
const knownAmounts = new WeakMap<NonNullable<Pod['spec']>, Amounts>();
const nothingExtended: ReadonlyMap<string, number> = new Map();

function addUp(pod: Pod): Amounts {
  const { containers = [], initContainers = [], overhead = {}, resources } = pod.spec ?? {};
  const names = new Set<string>();
  for (const one of [...containers, ...initContainers])
    for (const name of Object.keys(one.resources?.requests ?? {})) names.add(name);
  for (const name of [...Object.keys(overhead), ...Object.keys(resources?.requests ?? {})]) names.add(name);
  const extended = new Map<string, number>();
  const total = { cpuMilli: 0, memoryBytes: 0, ephemeralBytes: 0 };
  for (const name of names) {
    const read = name === 'cpu' ? quantityMilli : quantityValue;
    const whole = read(resources?.requests?.[name]) ?? ofContainers(containers, initContainers, name, 0);
    const amount = whole + (read(overhead[name]) ?? 0);
    if (name === 'cpu') total.cpuMilli = amount;
    else if (name === 'memory') total.memoryBytes = amount;
    else if (name === 'ephemeral-storage') total.ephemeralBytes = amount;
    else if (amount > 0) extended.set(name, amount);
  }
  const claims = (pod.spec?.volumes ?? []).flatMap((one) => one.persistentVolumeClaim?.claimName ?? []);
  return {
    ...total,
    cpuUnaskedMilli: unaskedOf(pod, 'cpu', unaskedCpuMilli),
    memoryUnaskedBytes: unaskedOf(pod, 'memory', unaskedMemoryBytes),
    extended: extended.size === 0 ? nothingExtended : extended,
    ...(claims.length === 0 ? {} : { claims }),
  };
}

/** All that run together, or the largest that starts, with the sidecars before it. `missing`: of those that ask for none. */
function ofContainers(
  containers: readonly Container[],
  initContainers: readonly Container[],
  name: string,
  missing: number,
): number {
  const read = name === 'cpu' ? quantityMilli : quantityValue;
  const asked = (one: Container): number => read(one.resources?.requests?.[name]) ?? missing;
  const running = containers.reduce((sum, one) => sum + asked(one), 0);
  let sidecars = 0;
  let starting = 0;
  for (const one of initContainers) {
    if (one.restartPolicy === 'Always') {
      sidecars += asked(one);
      starting = Math.max(starting, sidecars);
    } else starting = Math.max(starting, sidecars + asked(one));
  }
  return Math.max(running + sidecars, starting);
}

function unaskedOf({ spec }: Pod, name: 'cpu' | 'memory', missing: number): number {
  const { containers = [], initContainers = [], resources } = spec ?? {};
  if (resources?.requests?.[name] !== undefined) return 0;
  const lacks = (one: Container): boolean => one.resources?.requests?.[name] === undefined;
  if (!containers.some(lacks) && !initContainers.some(lacks)) return 0;
  return (
    ofContainers(containers, initContainers, name, missing) -
    ofContainers(containers, initContainers, name, 0)
  );
}

/** Of all containers that stay: sidecars too. */
export function hostPortsOf(pod: Pod): readonly HostPortDemand[] {
  const ports: HostPortDemand[] = [];
  const { containers = [], initContainers = [] } = pod.spec ?? {};
  const sidecars = initContainers.filter(({ restartPolicy }) => restartPolicy === 'Always');
  for (const container of [...containers, ...sidecars])
    for (const one of container.ports ?? []) {
      const port = one.hostPort ?? (pod.spec?.hostNetwork === true ? one.containerPort : 0);
      if (port > 0)
        ports.push({
          protocol: one.protocol ?? 'TCP',
          port,
          address: one.hostIP === undefined || one.hostIP === '' ? '0.0.0.0' : one.hostIP,
        });
    }
  return ports;
}

export function portsClash(a: HostPortDemand, b: HostPortDemand): boolean {
  return (
    a.port === b.port &&
    a.protocol === b.protocol &&
    (a.address === b.address || a.address === '0.0.0.0' || b.address === '0.0.0.0')
  );
}

interface Sibling {
  readonly pod: Pod;
  readonly demand: Demand;
}

/** Found last: the next has the same owner, as a rule. */
let sibling: Sibling | undefined;
/** By the pod: asked several times in a plan. */
const ofPods = new Map<Pod, Demand>();
/** By the owner: what the pod that was asked about last demands, and that pod. */
const ofOwners = new Map<string, Sibling>();
const ofKeys = new Map<string, Demand>();
/** Beyond it a memory starts afresh. */
const rememberedMax = 4096;

/**
 * The demand of a pod: the same object for pods that ask the same, as long as it is remembered. A replica is compared with the one before it, which costs a
 * fraction of working it out.
 */
export function demandOf(pod: Pod): Demand {
  const known = ofPods.get(pod);
  if (known !== undefined) return known;
  const demand = freshDemandOf(pod);
  remember(ofPods, pod, demand);
  return demand;
}

/** The same, but not remembered for the pod: of those who are looked at once. */
export function freshDemandOf(pod: Pod): Demand {
  const owner = ownerOf(pod);
  let like = sibling?.demand.owner === owner ? sibling : ofOwners.get(owner);
  if (like === undefined || !asksAlike(like.pod, pod)) {
    const own = workOut(pod);
    const demand = ofKeys.get(own.key) ?? own;
    remember(ofKeys, demand.key, demand);
    like = { pod, demand };
    remember(ofOwners, owner, like);
  }
  sibling = like;
  return like.demand;
}

function remember<K, V>(memory: Map<K, V>, key: K, value: V): void {
  if (memory.size >= rememberedMax) memory.clear();
  memory.set(key, value);
}

function workOut(pod: Pod): Demand {
  const { spec, metadata } = pod;
  const amounts = amountsOf(pod);
  const asked = gpuAskOf(pod, amounts.extended);
  const gpus = asked !== undefined && 'wrong' in asked ? undefined : asked;
  const impossible = asked !== undefined && 'wrong' in asked ? asked.wrong : undefined;
  const hostPorts = hostPortsOf(pod);
  const owner = ownerOf(pod);
  const affinity = spec?.affinity;
  const spread = (spec?.topologySpreadConstraints ?? []).map((one) => withRevision(one, pod));
  const looksAtPods =
    spread.length > 0 || affinity?.podAffinity !== undefined || affinity?.podAntiAffinity !== undefined;
  const hasClaims = claimsOf(pod).length > 0;
  const devices = spec?.resourceClaims ?? [];
  const hasDeviceClaims = devices.length > 0;
  const key = JSON.stringify([
    metadata.namespace,
    owner === '' ? metadata.labels : owner,
    metadata.labels,
    imagesText(pod),
    amounts.cpuMilli,
    amounts.cpuUnaskedMilli,
    amounts.memoryUnaskedBytes,
    amounts.memoryBytes,
    amounts.ephemeralBytes,
    [...amounts.extended],
    spec?.nodeName,
    spec?.nodeSelector,
    affinity,
    spec?.tolerations,
    hostPorts,
    spread,
    gpus ?? impossible,
    metadata.annotations?.[reservationAnnotation],
    hasClaims,
    ...devices,
  ]);
  return {
    key,
    nodesKey: JSON.stringify([spec?.nodeName, spec?.nodeSelector, affinity?.nodeAffinity, spec?.tolerations]),
    namespace: metadata.namespace ?? '',
    labels: metadata.labels ?? {},
    ...amounts,
    extended: withoutShares(amounts.extended),
    nodeName: spec?.nodeName ?? '',
    nodeSelector: spec?.nodeSelector,
    affinity,
    tolerations: spec?.tolerations ?? [],
    hostPorts,
    spread,
    hasClaims,
    hasDeviceClaims,
    gpus,
    impossible,
    owner,
    isPlain: !looksAtPods && hostPorts.length === 0 && !hasClaims && !hasDeviceClaims,
  };
}

/** Nodes that have the images already are better. */
function imagesText({ spec }: Pod): string {
  let text = '';
  for (const { image } of spec?.initContainers ?? []) text += `${image} `;
  for (const { image } of spec?.containers ?? []) text += `${image} `;
  return text;
}

/** `matchLabelKeys` narrow a selector to pods that have the same values. */
function withRevision(constraint: TopologySpreadConstraint, pod: Pod): TopologySpreadConstraint {
  const keys = constraint.matchLabelKeys ?? [];
  if (keys.length === 0) return constraint;
  const matchLabels = { ...constraint.labelSelector?.matchLabels };
  for (const key of keys) {
    const value = pod.metadata.labels?.[key];
    if (value !== undefined) matchLabels[key] = value;
  }
  return { ...constraint, labelSelector: { ...constraint.labelSelector, matchLabels } };
}

/** Labels of a namespace; undefined while it is not known. */
export type NamespaceLabels = (name: string) => Readonly<Record<string, string>> | undefined;

/**
 * Does a term of pod (anti-)affinity speak of this pod? `own` is the namespace of the pod that has the term: it is meant where the term names none, neither
 * by a list nor by labels.
 */
export function termSelects(
  term: PodAffinityTerm,
  own: string,
  namespace: string,
  labels: Readonly<Record<string, string>>,
  namespaceLabels: NamespaceLabels,
): boolean {
  const { namespaces = [], namespaceSelector } = term;
  const there =
    namespaceSelector === undefined && namespaces.length === 0
      ? namespace === own
      : namespaces.includes(namespace) || labelPredicate(namespaceSelector)(namespaceLabels(namespace));
  return there && labelPredicate(term.labelSelector as LabelSelector | undefined)(labels);
}

/** Whether a term chooses namespaces by their labels, so that these have to be known. */
export function choosesNamespaces({ podAffinity, podAntiAffinity }: Affinity): boolean {
  return [podAffinity, podAntiAffinity].some((terms) => {
    const required = terms?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
    const preferred = terms?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    return [...required, ...preferred.map(({ podAffinityTerm }) => podAffinityTerm)].some(
      ({ namespaceSelector = {} }) => Object.keys(namespaceSelector).length > 0,
    );
  });
}
