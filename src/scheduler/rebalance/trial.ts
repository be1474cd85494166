/**
 * The cloud as moves are tried on it: a copy of what is placed where, and the engine that says where a pod would go if it were made again. Pure.
 *
 * A move is: the pod goes, another like it comes and is placed as the scheduler places it, its old node among the others. Nobody is preempted for it.
 * Invariant: after `undo` everything is as it was before the moves that it undoes.
 */
import type {
  Namespace,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  SchedulingProfile,
  StorageClass,
  Taint,
} from '../../api/index.ts';
import { amountsOf } from '../demand.ts';
import { gpuDevicesKey } from '../devices/gpu-ask.ts';
import { plan } from '../plan.ts';
import { defaultPolicy, type Policy } from '../scores.ts';
import { Snapshot } from '../snapshot.ts';

/** All that is looked at. */
export interface World {
  readonly nodes: readonly Node[];
  readonly pods: readonly Pod[];
  readonly namespaces?: readonly Namespace[];
  readonly budgets?: readonly PodDisruptionBudget[];
  readonly claims?: readonly PersistentVolumeClaim[];
  readonly volumes?: readonly PersistentVolume[];
  readonly classes?: readonly StorageClass[];
  readonly profiles?: readonly SchedulingProfile[];
  readonly nowMs: number;
}

export interface Placed {
  readonly key: string;
  readonly pod: Pod;
  readonly node: string;
}

/** Keeps new pods off nodes while others are moved; taken away afterwards. */
export const holdTaint: Taint = { key: 'scheduling.caelum.dev/rebalancing', effect: 'NoSchedule' };

export const keyOfPod = ({ metadata }: Pod): string => `${metadata.namespace ?? ''}/${metadata.name ?? ''}`;

export const ownerOf = ({ metadata }: Pod) =>
  metadata.ownerReferences?.find((one) => one.controller === true);

/** Its place is the node itself: it does not go elsewhere, and a node that has none but these is empty. */
export const isBoundToNode = (pod: Pod): boolean =>
  ownerOf(pod)?.kind === 'DaemonSet' ||
  ownerOf(pod)?.kind === 'Node' ||
  pod.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined;

export class Trial {
  readonly snapshot = new Snapshot();
  readonly nodes = new Map<string, Node>();
  readonly nowMs: number;
  /** Pods that wait for room. */
  readonly waiting: readonly Pod[];
  readonly #policy: Policy;
  readonly #placed = new Map<string, Placed>();
  readonly #on = new Map<string, Map<string, Placed>>();
  readonly #used = new Map<string, Map<string, number>>();
  readonly #held = new Set<string>();
  readonly #byOwner = new Map<string, Map<string, Placed>>();
  readonly #byNamespace = new Map<string, Map<string, Placed>>();

  constructor(world: World, policy: Policy = defaultPolicy) {
    this.#policy = policy;
    this.nowMs = world.nowMs;
    const { snapshot } = this;
    for (const one of world.namespaces ?? []) snapshot.setNamespace(one);
    for (const one of world.classes ?? []) snapshot.volumes.setClass(one);
    for (const one of world.volumes ?? []) snapshot.volumes.setVolume(one);
    for (const one of world.claims ?? []) snapshot.volumes.setClaim(one);
    for (const node of world.nodes) {
      const name = node.metadata.name ?? '';
      this.nodes.set(name, node);
      this.#on.set(name, new Map());
      snapshot.setNode(node);
    }
    const waiting: Pod[] = [];
    for (const pod of world.pods) {
      if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') continue;
      const { nodeName = '' } = pod.spec ?? {};
      if (nodeName !== '') this.#put({ key: keyOfPod(pod), pod, node: nodeName });
      else if ((pod.spec?.schedulingGates ?? []).length === 0 && pod.metadata.deletionTimestamp === undefined)
        waiting.push(pod);
    }
    this.waiting = waiting;
  }

  placed(key: string): Placed | undefined {
    return this.#placed.get(key);
  }

  all(): Iterable<Placed> {
    return this.#placed.values();
  }

  on(node: string): Iterable<Placed> {
    return this.#on.get(node)?.values() ?? [];
  }

  ownedBy(uid: string): Iterable<Placed> {
    return this.#byOwner.get(uid)?.values() ?? [];
  }

  owners(): Iterable<string> {
    return this.#byOwner.keys();
  }

  inNamespace(name: string): Iterable<Placed> {
    return this.#byNamespace.get(name)?.values() ?? [];
  }

  /** Thousandths of cpu, whole ones of all else. */
  used(node: string, resource: string): number {
    return this.#used.get(node)?.get(resource) ?? 0;
  }

  isHeld(node: string): boolean {
    return this.#held.has(node);
  }

  /** New pods stay away from it until it is released. */
  hold(name: string): void {
    const node = this.nodes.get(name);
    if (node === undefined || this.#held.has(name)) return;
    this.#held.add(name);
    const taints = [...(node.spec?.taints ?? []), holdTaint];
    this.snapshot.setNode({ ...node, spec: { ...node.spec, taints } });
  }

  /** For good. */
  cordon(name: string): void {
    const node = this.nodes.get(name);
    if (node === undefined) return;
    const next = { ...node, spec: { ...node.spec, unschedulable: true } };
    this.nodes.set(name, next);
    this.snapshot.setNode(next);
  }

  release(name: string): void {
    const node = this.nodes.get(name);
    if (node !== undefined && this.#held.delete(name)) this.snapshot.setNode(node);
  }

  /** Where it would go now; undefined: nowhere else, and nothing has changed. */
  move(key: string): Placed | undefined {
    const before = this.#placed.get(key);
    if (before === undefined) return undefined;
    this.#take(before);
    return this.#place(before, (node) => node !== before.node && !this.#held.has(node));
  }

  /** Made anew wherever there is room, also where it was. */
  renew(key: string): Placed | undefined {
    const before = this.#placed.get(key);
    if (before === undefined) return undefined;
    this.#take(before);
    return this.#place(before, () => true);
  }

  /** Of one that was taken: where the engine wants it now, if that will do; else it is put back, and nothing is answered. */
  #place(before: Placed, willDo: (nodeName: string) => boolean): Placed | undefined {
    const { key } = before;
    const pod = likeNew(before.pod);
    const [step] = plan(this.snapshot, [{ key, pod }], this.#policy);
    if (step?.kind !== 'bind' || step.volumes !== undefined || !willDo(step.nodeName)) {
      if (step?.kind === 'bind') {
        this.snapshot.removePod(key);
        if (step.volumes !== undefined) this.snapshot.volumes.release(key);
      }
      this.#put(before);
      return undefined;
    }
    const { nodeName } = step;
    this.#put({ key, pod: { ...pod, spec: { ...pod.spec, nodeName } } as Pod, node: nodeName });
    return before;
  }

  /** It goes and nobody makes it again. */
  drop(key: string): Placed | undefined {
    const before = this.#placed.get(key);
    if (before !== undefined) this.#take(before);
    return before;
  }

  undo(before: Placed): void {
    const now = this.#placed.get(before.key);
    if (now !== undefined) this.#take(now);
    this.#put(before);
  }

  #put(one: Placed): void {
    const { key, pod, node } = one;
    this.#placed.set(key, one);
    this.#index(one, true);
    this.snapshot.addPod(key, pod, node);
    this.#count(node, pod, 1);
  }

  #take(one: Placed): void {
    this.#placed.delete(one.key);
    this.#index(one, false);
    this.snapshot.removePod(one.key);
    this.#count(one.node, one.pod, -1);
  }

  #index(one: Placed, isThere: boolean): void {
    const { namespace = '' } = one.pod.metadata;
    for (const [index, at] of [
      [this.#on, one.node],
      [this.#byOwner, ownerOf(one.pod)?.uid],
      [this.#byNamespace, namespace],
    ] as const) {
      if (at === undefined) continue;
      let list = index.get(at);
      if (list === undefined) {
        list = new Map();
        index.set(at, list);
      }
      if (isThere) list.set(one.key, one);
      else list.delete(one.key);
    }
  }

  #count(node: string, pod: Pod, sign: 1 | -1): void {
    let used = this.#used.get(node);
    if (used === undefined) {
      used = new Map();
      this.#used.set(node, used);
    }
    const { cpuMilli, memoryBytes, ephemeralBytes, extended } = amountsOf(pod);
    for (const [resource, amount] of [
      ['cpu', cpuMilli],
      ['memory', memoryBytes],
      ['ephemeral-storage', ephemeralBytes],
      ['pods', 1],
      ...extended,
    ] as const)
      used.set(resource, (used.get(resource) ?? 0) + sign * amount);
  }
}

/** As whoever made it makes it again. It puts nobody out of its place. */
function likeNew({ metadata, spec }: Pod): Pod {
  const { nodeName: _node, ...asked } = spec ?? { containers: [] };
  const { [gpuDevicesKey]: _given, ...annotations } = metadata.annotations ?? {};
  const { deletionTimestamp: _deletion, creationTimestamp: _creation, ...kept } = metadata;
  return {
    metadata: { ...kept, uid: `${metadata.uid ?? ''}+`, annotations },
    spec: { ...asked, preemptionPolicy: 'Never' },
    status: { phase: 'Pending' },
  } as Pod;
}
