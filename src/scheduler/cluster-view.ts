/**
 * Keeps the snapshot current, and tells what of each change may help pods that wait.
 *
 *   nodes, pods ─▶ snapshot ─▶ changed: what may help whom        namespaces, budgets, volumes, claims of devices: from the first pod on that needs them
 *                     └─▶ onPod: over, placed or waiting
 *
 * Invariant: `isKnown` only while everything that matters has been read once: planning on half of it would overcommit nodes.
 */
import {
  podDisruptionBudgets as budgetsRef,
  claimsOf,
  type Namespace,
  type Node,
  namespaces as namespacesRef,
  nodes as nodesRef,
  type Pod,
  type PodDisruptionBudget,
  pods as podsRef,
} from '../api/index.ts';
import type { Change, Informers, ResourceRef } from '../client/index.ts';
import type { ClaimBinding } from './claims/claim-binding.ts';
import { choosesNamespaces } from './demand.ts';
import { gpuMilliKey } from './devices/gpu-ask.ts';
import { priorityOf } from './preemption.ts';
import type { QueueChange } from './queue/ask.ts';
import type { Snapshot } from './snapshot.ts';
import type { VolumeBinding } from './volume-binding.ts';

/** What a pod is to the scheduler: it takes no room any more, it has a node, or neither. */
export type Fate = 'over' | 'placed' | 'waiting';

export interface ClusterViewOptions {
  readonly informers: Informers;
  readonly snapshot: Snapshot;
  readonly volumes: VolumeBinding;
  readonly deviceClaims: ClaimBinding;
  /** Whether anybody waits who would hear of it. */
  isHeard(): boolean;
  changed(change: QueueChange): void;
  /** Before the snapshot has it. */
  before(change: Change<Pod>): void;
  /** After. */
  onPod(change: Change<Pod>, fate: Fate): void;
  /** A pod was to have room on a node that has gone. */
  onPlaceGone(podKey: string): void;
  onKnown(): void;
}

export class ClusterView {
  readonly #options: ClusterViewOptions;
  readonly #subscriptions: { cancel(): void }[] = [];
  #followsNamespaces = false;
  #followsBudgets = false;
  /** How many sorts of objects are being read for the first time. */
  #awaited = 0;

  constructor(options: ClusterViewOptions) {
    this.#options = options;
  }

  get isKnown(): boolean {
    return this.#awaited === 0;
  }

  start(): void {
    const { informers } = this.#options;
    const nodes = informers.informer<Node>(nodesRef);
    const pods = informers.informer<Pod>(podsRef);
    this.#subscriptions.push(
      nodes.onChange((change) => this.#onNode(change)),
      pods.onChange((change) => this.#onPod(change)),
    );
    void this.await(Promise.all([nodes.whenSynced(), pods.whenSynced()]));
  }

  /** Not everything is known until then. */
  async await(known: Promise<unknown>): Promise<void> {
    this.#awaited++;
    await known;
    this.#awaited--;
    if (this.#awaited === 0) this.#options.onKnown();
  }

  stop(): void {
    for (const one of this.#subscriptions) one.cancel();
  }

  #onNode(change: Change<Node>): void {
    const { snapshot, changed, onPlaceGone } = this.#options;
    const name = change.object.metadata.name ?? '';
    if (change.kind === 'deleted') {
      snapshot.removeNode(name);
      changed({ kind: 'nodeGone' });
      for (const [key, { nodeName }] of snapshot.nominations) if (nodeName === name) onPlaceGone(key);
      return;
    }
    const { staticVersion } = snapshot;
    const free = freeOn(snapshot, snapshot.rowOf(name));
    snapshot.setNode(change.object);
    const row = snapshot.rowOf(name);
    // A node's heartbeat is no reason to try again.
    const isOther = snapshot.staticVersion !== staticVersion || hasMore(freeOn(snapshot, row), free);
    if (row !== undefined && isOther) changed({ kind: 'node', row });
  }

  #onPod(change: Change<Pod>): void {
    const { snapshot, changed, before, onPod } = this.#options;
    const { kind, key, object } = change;
    const { nodeName = '' } = object.spec ?? {};
    before(change);
    this.#followFor(object);
    const phase = object.status?.phase;
    if (kind === 'deleted' || phase === 'Succeeded' || phase === 'Failed') {
      const held = snapshot.placed(key);
      snapshot.removePod(key);
      snapshot.going.delete(key);
      const wasNominated = snapshot.nominations.has(key);
      onPod(change, 'over');
      if (held !== undefined) changed({ kind: 'left', row: held.row, pod: held.pod });
      // The room that was kept for it is for all.
      if (wasNominated) changed({ kind: 'anything' });
    } else if (nodeName !== '') {
      this.#place(change, nodeName);
      onPod(change, 'placed');
    } else onPod(change, 'waiting');
  }

  #place(change: Change<Pod>, nodeName: string): void {
    const { snapshot, changed, isHeard } = this.#options;
    const { key, object } = change;
    if (!isHeard()) {
      snapshot.addPod(key, object, nodeName);
      return;
    }
    const former = snapshot.placed(key);
    const free = freeOn(snapshot, former?.row);
    snapshot.addPod(key, object, nodeName);
    // In place it may become smaller.
    if (former !== undefined && hasMore(freeOn(snapshot, former.row), free))
      changed({ kind: 'left', row: former.row, pod: former.pod });
    const previous = change.kind === 'updated' ? change.previous : undefined;
    const isKnown = previous?.spec?.nodeName === nodeName;
    if (isKnown && isSame(previous?.metadata.labels, object.metadata.labels)) return;
    changed({ kind: 'came', pod: object });
    if (isKnown && previous !== undefined) changed({ kind: 'came', pod: previous });
  }

  #followFor(pod: Pod): void {
    const { volumes, deviceClaims } = this.#options;
    const { affinity, resourceClaims } = pod.spec ?? {};
    if (affinity !== undefined && !this.#followsNamespaces && choosesNamespaces(affinity))
      this.#followNamespaces();
    if (!this.#followsBudgets && priorityOf(pod) !== 0) this.#followBudgets();
    if (!volumes.isFollowing && claimsOf(pod).length > 0) void this.await(volumes.follow());
    if (!deviceClaims.isFollowing && (resourceClaims !== undefined || asksForDevices(pod)))
      void this.await(deviceClaims.follow());
  }

  /** For pods that choose others by the labels of their namespaces. */
  #followNamespaces(): void {
    const { snapshot, changed } = this.#options;
    this.#followsNamespaces = true;
    this.#follow<Namespace>(namespacesRef, ({ kind, key, object }) => {
      if (kind === 'deleted') snapshot.removeNamespace(key);
      else snapshot.setNamespace(object);
      changed({ kind: 'namespaces' });
    });
  }

  /** For pods that may preempt others or be preempted. */
  #followBudgets(): void {
    const { budgets } = this.#options.snapshot;
    this.#followsBudgets = true;
    this.#follow<PodDisruptionBudget>(budgetsRef, ({ kind, key, object }) => {
      if (kind === 'deleted') budgets.delete(key);
      else budgets.set(key, object);
    });
  }

  #follow<T extends Namespace | PodDisruptionBudget>(
    ref: ResourceRef,
    changed: (change: Change<T>) => void,
  ): void {
    const informer = this.#options.informers.informer<T>(ref);
    this.#subscriptions.push(informer.onChange(changed));
    void this.await(informer.whenSynced());
  }
}

/** Of resources that classes of devices may stand for. */
function asksForDevices({ spec, status }: Pod): boolean {
  if (status?.extendedResourceClaimStatus !== undefined) return true;
  // Those of a pod that is bound are the node's own.
  if ((spec?.nodeName ?? '') !== '') return false;
  return (
    spec?.containers.some(asksForExtended) === true || spec?.initContainers?.some(asksForExtended) === true
  );
}

function asksForExtended({ resources }: NonNullable<Pod['spec']>['containers'][number]): boolean {
  for (const name in resources?.requests) if (name.includes('/') && name !== gpuMilliKey) return true;
  return false;
}

type Free = readonly [cpu: number, memory: number, storage: number, pods: number];

/** The moment's; nothing where there is no such node. */
function freeOn(snapshot: Snapshot, row: number | undefined): Free {
  if (row === undefined) return [0, 0, 0, 0];
  const { cpuFree, memoryFree, ephemeralFree, podsFree } = snapshot;
  return [cpuFree[row] ?? 0, memoryFree[row] ?? 0, ephemeralFree[row] ?? 0, podsFree[row] ?? 0];
}

const hasMore = (now: Free, before: Free): boolean => now.some((amount, at) => amount > (before[at] ?? 0));

const isSame = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a) === JSON.stringify(b);
