/**
 * A node's life: is it heard of, what that means for new pods (taints), and for those on it (not ready, then evicted). Pure.
 *
 *   lease renewed ──▶ conditions as the agent wrote them        silent for 50 s ──▶ conditions Unknown
 *   conditions ──▶ taints ──▶ pods that do not tolerate them, or no longer, are deleted (evictions.ts), at the pace of the zone (zones.ts)
 *
 * Invariant: while no node at all is ready, nobody is evicted: then it is more likely that we are cut off than that all died.
 */
import type { Node, NodeCondition, Pod, Taint } from '../../api/index.ts';
import type { EventDraft } from '../../client/index.ts';
import { formatTime, sameJson } from '../../lib/index.ts';
import { isReady } from '../pod-state.ts';
import { nodesRef, podsRef, referenceTo } from '../resources.ts';
import type { PlanContext, Step, Write } from '../step.ts';
import { evictions, type Seen } from './evictions.ts';
import type { Turn } from './zones.ts';

export type Observed = { readonly kind: 'gone'; readonly node: Node } | Present;

interface Present {
  readonly kind: 'present';
  readonly node: Node;
  /** It has come just now. */
  readonly isNew: boolean;
  readonly pods: readonly Pod[];
  /** Those that were to be evicted after a time, and are not any more. */
  readonly spared: readonly Pod[];
  /** When its taints were first seen, where they do not say it. */
  readonly seen: Seen;
  /** How long it has not been heard of, by our own clock. */
  readonly silentMs: number;
  readonly isAnyReady: boolean;
  /** When those on it may be evicted, should it be lost. */
  turn(): Turn;
}

export const graceMs = 50_000;
/** Of a node that has never said how it is. */
export const startGraceMs = 60_000;

const conditionTypes = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];

/** Taints that follow from conditions: type, status, key. */
const conditionTaints: readonly (readonly [string, string, string])[] = [
  ['Ready', 'False', 'node.kubernetes.io/not-ready'],
  ['Ready', 'Unknown', 'node.kubernetes.io/unreachable'],
  ['MemoryPressure', 'True', 'node.kubernetes.io/memory-pressure'],
  ['DiskPressure', 'True', 'node.kubernetes.io/disk-pressure'],
  ['PIDPressure', 'True', 'node.kubernetes.io/pid-pressure'],
  ['NetworkUnavailable', 'True', 'node.kubernetes.io/network-unavailable'],
];
const unschedulableKey = 'node.kubernetes.io/unschedulable';
const ourKeys = new Set([...conditionTaints.map(([, , key]) => key), unschedulableKey]);
const evictingKeys = new Set(['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']);

export function plan(observed: Observed, { nowMs }: PlanContext): readonly Step[] {
  const { node } = observed;
  const { name = '', uid } = node.metadata;
  const say = (reason: string, message: string): EventDraft => ({
    about: { ...referenceTo(nodesRef, node), uid: name },
    type: 'Normal',
    reason,
    message,
  });
  if (observed.kind === 'gone') {
    const message = `Node ${name} event: Removing Node ${name} from Controller`;
    return [{ kind: 'event', event: say('RemovingNode', message) }];
  }
  const { isNew, pods, spared, seen, silentMs } = observed;
  const steps: Step[] = [];
  if (isNew) {
    const message = `Node ${name} event: Registered Node ${name} in Controller`;
    steps.push({ kind: 'event', event: say('RegisteredNode', message) });
  }
  if (node.metadata.deletionTimestamp !== undefined) return steps;
  const patienceMs = patienceWith(node);
  const conditions = conditionsOf(node, silentMs, patienceMs, nowMs);
  const writes: Write[] = [];
  if (!sameJson(conditions, node.status?.conditions ?? [])) {
    const patch = { metadata: { uid }, status: { conditions } };
    const target = { ref: nodesRef, namespace: undefined, name };
    const wasReady = readyStatus(node.status?.conditions ?? []) === 'True';
    const done = say('NodeNotReady', `Node ${name} status is now: NodeNotReady`);
    writes.push({
      kind: 'patch',
      ...target,
      type: 'merge',
      patch,
      subresource: 'status',
      ...(wasReady ? { done } : {}),
    });
  }
  const { taints, againMs } = taintsOf(observed, conditions, nowMs);
  const labels = secondaryLabels(node);
  if (!sameJson(taints, node.spec?.taints ?? []) || labels !== undefined)
    writes.push(nodePatch(node, taints, labels));
  const isNodeReady = readyStatus(conditions) === 'True';
  if (!isNodeReady) writes.push(...pods.filter((pod) => isReady(pod)).map((pod) => notReady(pod, nowMs)));
  if (writes.length > 0) steps.push({ kind: 'together', writes });
  steps.push(...evictions(pods, spared, taints, nowMs, seen));
  if (silentMs < patienceMs) steps.push({ kind: 'again', afterMs: patienceMs - silentMs + 1 });
  if (againMs !== undefined) steps.push({ kind: 'again', afterMs: againMs });
  return steps;
}

export const patienceWith = ({ status }: Node): number =>
  status?.conditions?.some(({ type }) => type === 'Ready') === true ? graceMs : startGraceMs;

/** The former names of these labels follow them, for whoever still selects by those. */
const formerLabels = [
  ['kubernetes.io/os', 'beta.kubernetes.io/os'],
  ['kubernetes.io/arch', 'beta.kubernetes.io/arch'],
] as const;

/** undefined: they are right. */
function secondaryLabels({ metadata: { labels = {} } }: Node): Readonly<Record<string, string>> | undefined {
  const wanted: Record<string, string> = {};
  for (const [name, former] of formerLabels) {
    const value = labels[name];
    if (value !== undefined && labels[former] !== value) wanted[former] = value;
  }
  return Object.keys(wanted).length === 0 ? undefined : wanted;
}

export const readyStatus = (conditions: readonly NodeCondition[]): string =>
  conditions.find(({ type }) => type === 'Ready')?.status ?? 'Unknown';

/** As they are, or all Unknown when the node has been silent for too long. */
function conditionsOf(
  node: Node,
  silentMs: number,
  patienceMs: number,
  nowMs: number,
): readonly NodeCondition[] {
  const present = node.status?.conditions ?? [];
  if (silentMs < patienceMs) return present;
  const lastTransitionTime = formatTime(nowMs);
  const missing = conditionTypes.filter((type) => !present.some((condition) => condition.type === type));
  const known = present.map((condition): NodeCondition => {
    if (!conditionTypes.includes(condition.type) || condition.status === 'Unknown') return condition;
    return {
      ...condition,
      status: 'Unknown',
      reason: 'NodeStatusUnknown',
      message: 'Kubelet stopped posting node status.',
      lastTransitionTime,
    };
  });
  const never = missing.map((type) => ({
    type,
    status: 'Unknown',
    reason: 'NodeStatusNeverUpdated',
    message: 'Kubelet never posted node status.',
    lastHeartbeatTime: node.metadata.creationTimestamp ?? lastTransitionTime,
    lastTransitionTime,
  }));
  return [...known, ...never];
}

function taintsOf(
  { node, isAnyReady, turn }: Present,
  conditions: readonly NodeCondition[],
  nowMs: number,
): { readonly taints: readonly Taint[]; readonly againMs: number | undefined } {
  const present = node.spec?.taints ?? [];
  const taints: Taint[] = present.filter(({ key }) => !ourKeys.has(key));
  let againMs: number | undefined;
  const add = (key: string, effect: string, timeAdded = formatTime(nowMs)): void => {
    const before = present.find((taint) => taint.key === key && taint.effect === effect);
    taints.push(before ?? { key, effect, ...(effect === 'NoExecute' && { timeAdded }) });
  };
  for (const [type, status, key] of conditionTaints) {
    const condition = conditions.find((one) => one.type === type);
    // A node of which nothing is known yet is not one that was lost.
    if (condition?.status !== status) continue;
    add(key, 'NoSchedule');
    if (!evictingKeys.has(key) || !isAnyReady) continue;
    // Lost one way or the other: who has waited goes on waiting.
    const before = present.find((taint) => evictingKeys.has(taint.key) && taint.effect === 'NoExecute');
    const at = before === undefined ? turn() : 'now';
    if (at === 'now') add(key, 'NoExecute', before?.timeAdded);
    else if (at !== 'later') againMs = at;
  }
  if (node.spec?.unschedulable === true) add(unschedulableKey, 'NoSchedule');
  // The order in which they are is kept, so that nothing is written when nothing changes.
  const idOf = ({ key, effect }: Taint): string => `${key}:${effect}`;
  const order = new Map(present.map((taint, index) => [idOf(taint), index]));
  const rank = (taint: Taint): number => order.get(idOf(taint)) ?? present.length;
  return { taints: taints.sort((a, b) => rank(a) - rank(b)), againMs };
}

/** Based on the version that was seen, since others may taint too. */
function nodePatch(
  node: Node,
  taints: readonly Taint[],
  labels: Readonly<Record<string, string>> | undefined,
): Write {
  const { name = '', uid, resourceVersion } = node.metadata;
  const metadata = { uid, resourceVersion, ...(labels === undefined ? {} : { labels }) };
  const patch = { metadata, spec: { taints: taints.length === 0 ? null : taints } };
  return { kind: 'patch', ref: nodesRef, namespace: undefined, name, type: 'merge', patch };
}

/** Nobody can say that the pod still serves. */
function notReady(pod: Pod, nowMs: number): Write {
  const { namespace, name = '', uid } = pod.metadata;
  const conditions = (pod.status?.conditions ?? []).map((condition) =>
    condition.type === 'Ready'
      ? { ...condition, status: 'False', lastTransitionTime: formatTime(nowMs) }
      : condition,
  );
  return {
    kind: 'patch',
    ref: podsRef,
    namespace,
    name,
    type: 'merge',
    patch: { metadata: { uid }, status: { conditions } },
    subresource: 'status',
    done: {
      about: referenceTo(podsRef, pod),
      type: 'Warning',
      reason: 'NodeNotReady',
      message: 'Node is not ready',
    },
    accept: ['notFound', 'conflict'],
  };
}
