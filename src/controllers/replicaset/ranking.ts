/**
 * Which pods go first when there are too many. Pure; Kubernetes' order:
 * not assigned before assigned, Pending before Unknown before Running, not ready before ready, lower deletion cost, on a node with
 * more pods of the same owner, ready for a shorter time, more restarts, created later.
 *
 * Times are compared by their order of magnitude, so that among pods of about the same age the victims are spread by uid rather
 * than all of one rollout.
 */
import type { Pod } from '../../api/index.ts';
import { isReady, readySinceMs, restartsOf, timeOf } from '../pod-state.ts';

export const deletionCostAnnotation = 'controller.kubernetes.io/pod-deletion-cost';

/** Of pods on a node and of restarts: more make no difference. */
const countMax = 2 ** 20 - 1;

const phaseRank: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

/** What says more comes first: smaller goes earlier. Numbers of many digits, so that thousands of pods are compared at little cost. */
interface Ranked {
  readonly pod: Pod;
  /** Assigned, phase, ready; then what its deletion costs. */
  readonly use: number;
  /** How many on its node, ready since, restarts, created. */
  readonly worth: number;
}

/** `count` of `pods`, those that shall go first in front. `relatives` are all active pods whose spreading counts. */
export function podsToDelete(
  pods: readonly Pod[],
  relatives: readonly Pod[],
  count: number,
  nowMs: number,
): readonly Pod[] {
  if (count >= pods.length) return pods;
  const onNode = new Map<string, number>();
  for (const { spec } of relatives)
    if (spec?.nodeName) onNode.set(spec.nodeName, (onNode.get(spec.nodeName) ?? 0) + 1);
  const ranked = pods.map((pod): Ranked => {
    const { nodeName = '' } = pod.spec ?? {};
    const ready = isReady(pod) ? 1 : 0;
    const standing = (nodeName === '' ? 0 : 8) + 2 * (phaseRank[pod.status?.phase ?? 'Pending'] ?? 0) + ready;
    const crowd = countMax - Math.min(countMax, onNode.get(nodeName) ?? 0);
    const sinceMs = readySinceMs(pod);
    const steadiness = sinceMs === undefined ? 0 : magnitude(nowMs - sinceMs);
    const calm = countMax - Math.min(countMax, restartsOf(pod));
    const age = magnitude(nowMs - (timeOf(pod.metadata.creationTimestamp) || nowMs));
    return {
      pod,
      use: standing * 2 ** 32 + deletionCostOf(pod) + 2 ** 31,
      worth: ((crowd * 64 + steadiness) * (countMax + 1) + calm) * 64 + age,
    };
  });
  ranked.sort(compare);
  return ranked.slice(0, count).map(({ pod }) => pod);
}

/** A whole number of 32 bits, as Kubernetes reads it; other texts cost nothing. */
function deletionCostOf({ metadata }: Pod): number {
  const text = metadata.annotations?.[deletionCostAnnotation] ?? '0';
  const cost = /^(0|-\d+|[1-9]\d*)$/.test(text) ? Number(text) : 0;
  return cost === (cost | 0) ? cost : 0;
}

function magnitude(ageMs: number): number {
  return ageMs < 1000 ? 0 : Math.min(63, Math.floor(Math.log2(ageMs / 1000)) + 1);
}

function compare(a: Ranked, b: Ranked): number {
  const difference = a.use === b.use ? a.worth - b.worth : a.use - b.use;
  if (difference !== 0) return difference;
  return (a.pod.metadata.uid ?? '') < (b.pod.metadata.uid ?? '') ? -1 : 1;
}
