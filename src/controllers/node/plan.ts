/**
 * A node's life: is it heard of, what that means for new pods (taints), and for those on it (not ready, then evicted). Pure.
 *
 *   lease renewed ──▶ conditions as the agent wrote them        silent for 40 s ──▶ conditions Unknown
 *   conditions ──▶ taints ──▶ pods that do not tolerate them, or no longer, are deleted
 *
 * Invariant: while no node at all is ready, nobody is evicted: then it is more likely that we are cut off than that all died.
 */
import type { Node, NodeCondition, Pod, Taint, Toleration } from '../../api/index.ts';
import { formatTime, sameJson } from '../../lib/index.ts';
import { isActive, isReady } from '../pod-state.ts';
import { nodesRef, podsRef, referenceTo } from '../resources.ts';
import { deletion, type PlanContext, type Step, type Write } from '../step.ts';

export interface Observed {
  readonly node: Node;
  readonly pods: readonly Pod[];
  /** How long it has not been heard of, by our own clock. */
  readonly silentMs: number;
  readonly isAnyReady: boolean;
}

export const graceMs = 40_000;

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
  const { node, pods, silentMs, isAnyReady } = observed;
  if (node.metadata.deletionTimestamp !== undefined) return [];
  const conditions = conditionsOf(node, silentMs, nowMs);
  const writes: Write[] = [];
  const about = { ...referenceTo(nodesRef, node), uid: node.metadata.name ?? '' };
  const { name = '', uid } = node.metadata;
  if (!sameJson(conditions, node.status?.conditions ?? [])) {
    const patch = { metadata: { uid }, status: { conditions } };
    const target = { ref: nodesRef, namespace: undefined, name };
    const wasReady = readyStatus(node.status?.conditions ?? []) === 'True';
    const message = `Node ${name} status is now: NodeNotReady`;
    const done = { about, type: 'Normal', reason: 'NodeNotReady', message } as const;
    writes.push({
      kind: 'patch',
      ...target,
      type: 'merge',
      patch,
      subresource: 'status',
      ...(wasReady ? { done } : {}),
    });
  }
  const taints = taintsOf(node, conditions, isAnyReady, nowMs);
  if (!sameJson(taints, node.spec?.taints ?? [])) writes.push(taintsPatch(node, taints));
  const isNodeReady = readyStatus(conditions) === 'True';
  if (!isNodeReady) writes.push(...pods.filter((pod) => isReady(pod)).map((pod) => notReady(pod, nowMs)));
  const steps: Step[] = writes.length === 0 ? [] : [{ kind: 'together', writes }];
  steps.push(...evictions(pods, taints, nowMs));
  if (silentMs < graceMs) steps.push({ kind: 'again', afterMs: graceMs - silentMs + 1 });
  return steps;
}

export const readyStatus = (conditions: readonly NodeCondition[]): string =>
  conditions.find(({ type }) => type === 'Ready')?.status ?? 'Unknown';

/** As they are, or all Unknown when the node has been silent for too long. */
function conditionsOf(node: Node, silentMs: number, nowMs: number): readonly NodeCondition[] {
  const present = node.status?.conditions ?? [];
  if (silentMs < graceMs) return present;
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
  node: Node,
  conditions: readonly NodeCondition[],
  isAnyReady: boolean,
  nowMs: number,
): readonly Taint[] {
  const present = node.spec?.taints ?? [];
  const taints: Taint[] = present.filter(({ key }) => !ourKeys.has(key));
  const add = (key: string, effect: string): void => {
    const before = present.find((taint) => taint.key === key && taint.effect === effect);
    taints.push(before ?? { key, effect, ...(effect === 'NoExecute' && { timeAdded: formatTime(nowMs) }) });
  };
  for (const [type, status, key] of conditionTaints) {
    const condition = conditions.find((one) => one.type === type);
    // A node of which nothing is known yet is not one that was lost.
    if (condition?.status !== status) continue;
    add(key, 'NoSchedule');
    if (evictingKeys.has(key) && isAnyReady) add(key, 'NoExecute');
  }
  if (node.spec?.unschedulable === true) add(unschedulableKey, 'NoSchedule');
  // The order in which they are is kept, so that nothing is written when nothing changes.
  const idOf = ({ key, effect }: Taint): string => `${key}:${effect}`;
  const order = new Map(present.map((taint, index) => [idOf(taint), index]));
  const rank = (taint: Taint): number => order.get(idOf(taint)) ?? present.length;
  return taints.sort((a, b) => rank(a) - rank(b));
}

/** Based on the version that was seen, since others may taint too. */
function taintsPatch(node: Node, taints: readonly Taint[]): Write {
  const { name = '', uid, resourceVersion } = node.metadata;
  const patch = { metadata: { uid, resourceVersion }, spec: { taints: taints.length === 0 ? null : taints } };
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

/** Pods that do not tolerate the node's NoExecute taints go: at once, or when the toleration ends. */
function evictions(pods: readonly Pod[], taints: readonly Taint[], nowMs: number): readonly Step[] {
  const executing = taints.filter(({ effect }) => effect === 'NoExecute');
  if (executing.length === 0) return [];
  const steps: Step[] = [];
  const writes: Write[] = [];
  let againMs = Number.POSITIVE_INFINITY;
  for (const pod of pods) {
    if (!isActive(pod)) continue;
    const leaveMs = Math.min(...executing.map((taint) => toleratedUntilMs(pod, taint)));
    if (leaveMs > nowMs) {
      againMs = Math.min(againMs, leaveMs - nowMs);
      continue;
    }
    const message = `Marking for deletion Pod ${pod.metadata.namespace}/${pod.metadata.name}`;
    const about = referenceTo(podsRef, pod);
    writes.push(
      deletion(podsRef, pod, {
        done: { about, type: 'Normal', reason: 'TaintManagerEviction', message },
        accept: ['notFound', 'conflict'],
      }),
    );
  }
  if (writes.length > 0) steps.push({ kind: 'together', writes });
  if (Number.isFinite(againMs)) steps.push({ kind: 'again', afterMs: againMs });
  return steps;
}

function toleratedUntilMs(pod: Pod, taint: Taint): number {
  const tolerating = (pod.spec?.tolerations ?? []).filter((toleration) => tolerates(toleration, taint));
  if (tolerating.length === 0) return Number.NEGATIVE_INFINITY;
  const sinceMs = Date.parse(taint.timeAdded ?? '') || 0;
  // The shortest counts; one without an end counts only when it stands alone. As Kubernetes has it.
  const seconds = tolerating.flatMap(({ tolerationSeconds }) =>
    tolerationSeconds === undefined ? [] : [Math.max(0, tolerationSeconds)],
  );
  return seconds.length === 0 ? Number.POSITIVE_INFINITY : sinceMs + Math.min(...seconds) * 1000;
}

export function tolerates({ key, operator, value, effect }: Toleration, taint: Taint): boolean {
  if (effect && effect !== taint.effect) return false;
  if (key && key !== taint.key) return false;
  return operator === 'Exists' || (Boolean(key) && (value ?? '') === (taint.value ?? ''));
}
