/**
 * Which pods of a DaemonSet are made and ended now. Pure.
 *
 *   each node: too few, too many, ended, misplaced ──▶ presence;  presence as it should be ──▶ update: old pods away first (maxUnavailable),
 *   or new ones beside them first (maxSurge)
 *
 * Invariants: with no surge never two running pods on a node; an update makes no more nodes unavailable than it may, those counted that are so
 * anyway.
 */
import type { DaemonSet, Node, Pod } from '../../api/index.ts';
import { scaledValue } from '../deployment/facts.ts';
import { availableInMs, isFinished, isReady, isTerminating } from '../pod-state.ts';
import { targetOf, type Verdict, verdictOf } from './placement.ts';

export interface Picture {
  readonly daemonSet: DaemonSet;
  readonly nodes: readonly Node[];
  /** That it controls. */
  readonly pods: readonly Pod[];
  /** Of the present template. */
  readonly hash: string;
  readonly nowMs: number;
  /** How long a node's failed pod has to wait for its successor still, in ms. */
  readonly holdBackMs: (nodeName: string) => number;
}

export interface Ended {
  readonly pod: Pod;
  readonly nodeName: string;
}

export interface Changes {
  /** Names of nodes. */
  readonly creations: readonly string[];
  readonly deletions: readonly Pod[];
  /** Of those deleted: which had failed, and which had succeeded. */
  readonly failed: readonly Ended[];
  readonly succeeded: readonly Ended[];
  /** When failed pods may be deleted that have to wait. */
  readonly againMs: number | undefined;
}

const hashLabel = 'controller-revision-hash';
const generationLabel = 'pod-template-generation';
export const generationAnnotation = 'deprecated.daemonset.template.generation';

export function generationOf({ metadata }: DaemonSet): string | undefined {
  return metadata.annotations?.[generationAnnotation];
}

export function labelsOf(daemonSet: DaemonSet, hash: string): Readonly<Record<string, string>> {
  const generation = generationOf(daemonSet);
  const labels = daemonSet.spec?.template?.metadata?.labels;
  return {
    ...labels,
    [hashLabel]: hash,
    ...(generation === undefined ? {} : { [generationLabel]: generation }),
  };
}

export function isUpdated(daemonSet: DaemonSet, { metadata }: Pod, hash: string): boolean {
  if (metadata.labels?.[hashLabel] === hash) return true;
  const generation = generationOf(daemonSet);
  return generation !== undefined && metadata.labels?.[generationLabel] === generation;
}

export function isAvailable({ spec }: DaemonSet, pod: Pod, nowMs: number): boolean {
  return availableInMs(pod, spec?.minReadySeconds ?? 0, nowMs) === 0;
}

/** Scheduled before not, older before younger. */
export function byAge(a: Pod, b: Pod): number {
  const scheduled = (pod: Pod): number => (pod.spec?.nodeName ? 0 : 1);
  if (scheduled(a) !== scheduled(b)) return scheduled(a) - scheduled(b);
  const [left, right] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''];
  if (left !== right) return left < right ? -1 : 1;
  return (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1;
}

export function podsByNode(pods: readonly Pod[]): ReadonlyMap<string, readonly Pod[]> {
  const byNode = new Map<string, Pod[]>();
  for (const pod of pods) {
    // What has ended and is going does not hold its node.
    if (isFinished(pod) && isTerminating(pod)) continue;
    const nodeName = targetOf(pod);
    if (nodeName === undefined) continue;
    const others = byNode.get(nodeName);
    if (others === undefined) byNode.set(nodeName, [pod]);
    else others.push(pod);
  }
  return byNode;
}

const shares = ({ spec }: DaemonSet) => spec?.updateStrategy?.rollingUpdate ?? {};

export function allowsSurge(daemonSet: DaemonSet): boolean {
  if (daemonSet.spec?.updateStrategy?.type === 'OnDelete') return false;
  return scaledValue(shares(daemonSet).maxSurge, 100, 'up') > 0;
}

/** One pod on each node that shall have one, none on others. */
export function presenceChanges(picture: Picture): Changes {
  const { daemonSet, nodes, pods } = picture;
  const template = daemonSet.spec?.template ?? {};
  const byNode = podsByNode(pods);
  const found: Found = { creations: [], deletions: [], failed: [], succeeded: [], againMs: undefined };
  const names = new Set<string>();
  for (const node of nodes) {
    const { name = '' } = node.metadata;
    names.add(name);
    const there = byNode.get(name) ?? [];
    const verdict = verdictOf(template, node);
    if (verdict.shouldRun && there.length === 0) found.creations.push(name);
    else if (verdict.mayGoOn) tend(picture, name, there, found);
    else found.deletions.push(...there.filter((pod) => !isTerminating(pod)));
  }
  // Those that wait for a node that is gone would wait for ever.
  for (const [name, there] of byNode)
    if (!names.has(name))
      found.deletions.push(...there.filter((pod) => !pod.spec?.nodeName && !isTerminating(pod)));
  return found;
}

interface Found {
  readonly creations: string[];
  readonly deletions: Pod[];
  readonly failed: Ended[];
  readonly succeeded: Ended[];
  againMs: number | undefined;
}

function tend(picture: Picture, nodeName: string, there: readonly Pod[], found: Found): void {
  const running: Pod[] = [];
  for (const pod of there) {
    if (isTerminating(pod)) continue;
    if (!isFinished(pod)) running.push(pod);
    else if (pod.status?.phase === 'Succeeded') {
      found.succeeded.push({ pod, nodeName });
      found.deletions.push(pod);
    } else {
      const waitMs = picture.holdBackMs(nodeName);
      if (waitMs > 0) found.againMs = Math.min(found.againMs ?? waitMs, waitMs);
      else {
        found.failed.push({ pod, nodeName });
        found.deletions.push(pod);
      }
    }
  }
  if (running.length > 1) found.deletions.push(...surplusOf(picture, running.sort(byAge)));
}

/** Of several running pods of one node. With surge an old one and a new one may stand side by side, until the new one is available. */
function surplusOf({ daemonSet, hash, nowMs }: Picture, running: readonly Pod[]): readonly Pod[] {
  if (!allowsSurge(daemonSet)) return running.slice(1);
  const isNew = ({ metadata }: Pod): boolean => metadata.labels?.[hashLabel] === hash;
  const oldestNew = running.find(isNew);
  const oldestOld = running.find((pod) => !isNew(pod));
  const surplus = running.filter((pod) => pod !== oldestNew && pod !== oldestOld);
  if (oldestNew !== undefined && oldestOld !== undefined)
    if (!isReady(oldestOld) || isAvailable(daemonSet, oldestNew, nowMs)) surplus.push(oldestOld);
  return surplus;
}

interface NodePods {
  readonly nodeName: string;
  readonly fresh: Pod | undefined;
  readonly old: Pod | undefined;
}

export interface Update {
  readonly creations: readonly string[];
  readonly deletions: readonly Pod[];
}

/** The next step from an old template to the present one. */
export function updateChanges(picture: Picture): Update {
  const { daemonSet, nodes, pods } = picture;
  const template = daemonSet.spec?.template ?? {};
  const verdicts = new Map<string, Verdict>();
  let desired = 0;
  const byNode = new Map(podsByNode(pods));
  for (const node of nodes) {
    const { name = '' } = node.metadata;
    const verdict = verdictOf(template, node);
    verdicts.set(name, verdict);
    if (!verdict.shouldRun) continue;
    desired++;
    if (!byNode.has(name)) byNode.set(name, []);
  }
  const { maxSurge, maxUnavailable } = shares(daemonSet);
  const surge = scaledValue(maxSurge, desired, 'up');
  let unavailable = scaledValue(maxUnavailable ?? 1, desired, 'up');
  if (desired > 0 && surge === 0 && unavailable === 0) unavailable = 1;
  return surge > 0
    ? surgeChanges(picture, byNode, surge, verdicts)
    : replaceChanges(picture, byNode, unavailable);
}

/** Undefined: more than one of a kind, which has to be put right first. */
function nodePods(
  { daemonSet, hash }: Picture,
  nodeName: string,
  there: readonly Pod[],
): NodePods | undefined {
  const living = there.filter((pod) => !isTerminating(pod));
  const fresh = living.filter((pod) => isUpdated(daemonSet, pod, hash));
  const old = living.filter((pod) => !isUpdated(daemonSet, pod, hash));
  if (fresh.length > 1 || old.length > 1) return undefined;
  return { nodeName, fresh: fresh[0], old: old[0] };
}

function replaceChanges(
  picture: Picture,
  byNode: ReadonlyMap<string, readonly Pod[]>,
  maxUnavailable: number,
): Update {
  const { daemonSet, nowMs } = picture;
  let down = 0;
  // Old pods that are not available cost nothing.
  const free: Pod[] = [];
  const candidates: Pod[] = [];
  for (const [nodeName, there] of byNode) {
    const found = nodePods(picture, nodeName, there);
    const one = found?.fresh ?? found?.old;
    if (found === undefined || one === undefined || (found.fresh !== undefined && found.old !== undefined))
      down++;
    else if (found.fresh !== undefined) down += isAvailable(daemonSet, one, nowMs) ? 0 : 1;
    else if (isAvailable(daemonSet, one, nowMs)) candidates.push(one);
    else {
      free.push(one);
      down++;
    }
  }
  const spare = Math.max(0, maxUnavailable - down);
  return { creations: [], deletions: [...free, ...candidates.slice(0, spare)] };
}

function surgeChanges(
  picture: Picture,
  byNode: ReadonlyMap<string, readonly Pod[]>,
  maxSurge: number,
  verdicts: ReadonlyMap<string, Verdict>,
): Update {
  const { daemonSet, nowMs } = picture;
  let surging = 0;
  // Beside an old pod that is not available a new one costs nothing.
  const free: string[] = [];
  const candidates: string[] = [];
  const deletions: Pod[] = [];
  for (const [nodeName, there] of byNode) {
    const found = nodePods(picture, nodeName, there);
    if (found === undefined) surging++;
    else if (found.old === undefined) continue;
    else if (found.fresh === undefined) {
      if (verdicts.get(nodeName)?.shouldRun !== true) continue;
      (isAvailable(daemonSet, found.old, nowMs) ? candidates : free).push(nodeName);
    } else if (isAvailable(daemonSet, found.fresh, nowMs)) deletions.push(found.old);
    else surging++;
  }
  const spare = Math.max(0, maxSurge - surging);
  return { creations: [...free, ...candidates.slice(0, spare)], deletions };
}
