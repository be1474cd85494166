/**
 * What a ReplicaSet does about its pods: how many it makes, and whom it gives up. Pure; Kubernetes' rules one by one, as a comparison of two pods.
 *
 * Source: "How ReplicaSets scale down" and the fields' documentation. Times count by their magnitude (an integer logarithm, whose unit is free), so of two
 * pods of about the same age either may go; that one is twice as old is always seen.
 */
import type { Pod } from '../../api/index.ts';

/** A negative number: `a` goes before `b`. 0: neither has to. */
type Rule = (a: Pod, b: Pod, around: Around) => number;

export interface Around {
  readonly nowMs: number;
  /** Active pods of the same owner on a node. */
  readonly relativesOn: (nodeName: string) => number;
}

const ready = ({ status }: Pod) =>
  status?.conditions?.find(({ type, status: is }) => type === 'Ready' && is === 'True');
const bool = (value: unknown): number => (value ? 1 : 0);
const phases = ['Pending', 'Unknown', 'Running'];

/** Whole numbers of 32 bits, without a plus or zeros in front; anything else says nothing. */
export function deletionCostOf({ metadata }: Pod): number {
  const text = metadata.annotations?.['controller.kubernetes.io/pod-deletion-cost'] ?? '';
  const cost = /^(0|-[0-9]+|[1-9][0-9]*)$/.test(text) ? Number(text) : 0;
  return cost >= -(2 ** 31) && cost < 2 ** 31 ? cost : 0;
}

const restartsOf = ({ status }: Pod): number =>
  Math.max(0, ...(status?.containerStatuses ?? []).map(({ restartCount }) => restartCount));

/** The younger first, where the other is more than twice as old; a second or less is no age. */
function younger(aMs: number, bMs: number, nowMs: number): number {
  const [a, b] = [Math.max(1000, nowMs - aMs), Math.max(1000, nowMs - bMs)];
  return b > 2 * a ? -1 : a > 2 * b ? 1 : 0;
}

const isAboutSame = (aMs: number, bMs: number): boolean => aMs === bMs;

export const rules: readonly Rule[] = [
  (a, b) => bool(a.spec?.nodeName) - bool(b.spec?.nodeName),
  (a, b) => phases.indexOf(a.status?.phase ?? '') - phases.indexOf(b.status?.phase ?? ''),
  (a, b) => bool(ready(a)) - bool(ready(b)),
  (a, b) => deletionCostOf(a) - deletionCostOf(b),
  (a, b, { relativesOn }) => relativesOn(b.spec?.nodeName ?? '') - relativesOn(a.spec?.nodeName ?? ''),
];

const readyMs = (pod: Pod): number => Date.parse(ready(pod)?.lastTransitionTime ?? '');
const createdMs = (pod: Pod): number => Date.parse(pod.metadata.creationTimestamp ?? '');

/** Must `a` go before `b`? */
export function goesFirst(a: Pod, b: Pod, around: Around): boolean {
  for (const rule of rules) {
    const order = rule(a, b, around);
    if (order !== 0) return order < 0;
  }
  if (ready(a) !== undefined) {
    const order = younger(readyMs(a), readyMs(b), around.nowMs);
    if (order !== 0) return order < 0;
    // Of about the same age, and not of the same: whatever follows may decide, or chance.
    if (!isAboutSame(readyMs(a), readyMs(b))) return false;
  }
  const restarts = restartsOf(b) - restartsOf(a);
  if (restarts !== 0) return restarts < 0;
  return younger(createdMs(a), createdMs(b), around.nowMs) < 0;
}

export interface Change {
  readonly create: number;
  readonly delete: number;
}

/** Pods that have ended or are ending do not count. */
export function changeOf(replicas: number, active: number): Change {
  return { create: Math.max(0, replicas - active), delete: Math.max(0, active - replicas) };
}
