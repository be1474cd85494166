/**
 * Which term of office a binding is of: an annotation of the Binding, not of the pod. A scheduler that has been deposed may still have bindings under way; with
 * this the API server can tell them from those of its successor, who cannot know of them, and refuses them.
 */
import type { KubeObject } from '../object.ts';

/** `<namespace>/<name of the lease>/<its uid>/<its transitions>`. */
export const schedulingTermKey = 'scheduling.caelum.dev/term';

export interface SchedulingTerm {
  readonly namespace: string;
  readonly lease: string;
  readonly uid: string;
  readonly transitions: number;
}

export function readSchedulingTerm(text: string): SchedulingTerm | undefined {
  const [namespace = '', lease = '', uid = '', number = '', ...more] = text.split('/');
  if (namespace === '' || lease === '' || more.length > 0 || !/^[0-9]{1,15}$/.test(number)) return undefined;
  return { namespace, lease, uid, transitions: Number(number) };
}

/** Whether the lease is still of that term. */
export function isTermOf(lease: KubeObject | undefined, { uid, transitions }: SchedulingTerm): boolean {
  const { leaseTransitions = 0 } =
    (lease as { spec?: { leaseTransitions?: number } } | undefined)?.spec ?? {};
  return lease !== undefined && lease.metadata.uid === uid && leaseTransitions === transitions;
}
