/** Which pods leave a tainted node, and when. As Kubernetes' taint eviction controller. Pure. */
import type { Pod, Taint, Toleration } from '../../api/index.ts';
import { disruptionTarget } from '../disruption-target.ts';
import { isActive, podCondition } from '../pod-state.ts';
import { podsRef, referenceTo } from '../resources.ts';
import { deletion, type Step, type Write } from '../step.ts';

export const noExecute = (taints: readonly Taint[] | undefined): readonly Taint[] =>
  (taints ?? []).filter(({ effect }) => effect === 'NoExecute');

/** When taints that do not say it themselves were first seen. */
export type Seen = ReadonlyMap<string, number>;

export const idOf = ({ key, value = '', effect }: Taint): string => `${key}=${value}:${effect}`;

/** Pods that go later, by uid. */
export function waitingPods(
  pods: readonly Pod[],
  taints: readonly Taint[],
  nowMs: number,
  seen: Seen = new Map(),
): ReadonlySet<string> {
  const executing = noExecute(taints);
  const waiting = new Set<string>();
  if (executing.length === 0) return waiting;
  for (const pod of pods) {
    const leaveMs = leavesAtMs(pod, executing, seen);
    if (isActive(pod) && leaveMs > nowMs && Number.isFinite(leaveMs)) waiting.add(pod.metadata.uid ?? '');
  }
  return waiting;
}

/** Those that do not tolerate a taint go: at once, or when the toleration ends. `spared`: they would have gone, and need not any more. */
export function evictions(
  pods: readonly Pod[],
  spared: readonly Pod[],
  taints: readonly Taint[],
  nowMs: number,
  seen: Seen = new Map(),
): readonly Step[] {
  const steps: Step[] = spared.map((pod) => ({ kind: 'event', event: told(pod, 'Cancelling deletion of') }));
  const executing = noExecute(taints);
  if (executing.length === 0) return steps;
  const marks: Write[] = [];
  const deletions: Write[] = [];
  let againMs = Number.POSITIVE_INFINITY;
  for (const pod of pods) {
    if (!isActive(pod)) continue;
    const leaveMs = leavesAtMs(pod, executing, seen);
    if (leaveMs > nowMs) {
      againMs = Math.min(againMs, leaveMs - nowMs);
      continue;
    }
    marks.push(
      ...disruptionTarget(
        pod,
        'DeletionByTaintManager',
        'Taint manager: deleting due to NoExecute taint',
        nowMs,
      ),
    );
    const done = told(pod, 'Marking for deletion');
    deletions.push(deletion(podsRef, pod, { done, accept: ['notFound', 'conflict'] }));
  }
  if (marks.length > 0) steps.push({ kind: 'together', writes: marks });
  if (deletions.length > 0) steps.push({ kind: 'together', writes: deletions });
  if (Number.isFinite(againMs)) steps.push({ kind: 'again', afterMs: againMs });
  return steps;
}

const told = (pod: Pod, what: string) => ({
  about: referenceTo(podsRef, pod),
  type: 'Normal' as const,
  reason: 'TaintManagerEviction',
  message: `${what} Pod ${pod.metadata.namespace}/${pod.metadata.name}`,
});

/** -∞: at once; ∞: never. */
function leavesAtMs(pod: Pod, taints: readonly Taint[], seen: Seen): number {
  const tolerations = pod.spec?.tolerations ?? [];
  // Who came when the taint was there already has all its time before it.
  const boundAt = podCondition(pod, 'PodScheduled')?.lastTransitionTime ?? pod.metadata.creationTimestamp;
  const boundMs = Date.parse(boundAt ?? '') || 0;
  let leavesMs = Number.POSITIVE_INFINITY;
  for (const taint of taints) {
    // The first that fits counts, whatever others say.
    const toleration = tolerations.find((one) => tolerates(one, taint));
    if (toleration === undefined) return Number.NEGATIVE_INFINITY;
    const { tolerationSeconds } = toleration;
    if (tolerationSeconds === undefined) continue;
    if (tolerationSeconds <= 0) return Number.NEGATIVE_INFINITY;
    const addedMs = Date.parse(taint.timeAdded ?? '') || (seen.get(idOf(taint)) ?? 0);
    const sinceMs = Math.max(addedMs, boundMs);
    leavesMs = Math.min(leavesMs, sinceMs + tolerationSeconds * 1000);
  }
  return leavesMs;
}

export function tolerates({ key, operator, value, effect }: Toleration, taint: Taint): boolean {
  if (effect && effect !== taint.effect) return false;
  if (key && key !== taint.key) return false;
  return operator === 'Exists' || (Boolean(key) && (value ?? '') === (taint.value ?? ''));
}
