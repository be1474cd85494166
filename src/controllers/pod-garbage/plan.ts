/**
 * Pods that nobody else will ever remove. Pure.
 *
 * - on a node that is gone: nobody is left to end them;
 * - being deleted before they had a node: nobody is there to end them;
 * - ended, and more than the threshold: the oldest go.
 */
import type { Pod, PodCondition } from '../../api/index.ts';
import { formatTime } from '../../lib/index.ts';
import { isFinished } from '../pod-state.ts';
import { podsRef } from '../resources.ts';
import { deletion, type PlanContext, type Step, type Write } from '../step.ts';

export type Observed =
  | { readonly kind: 'node'; readonly pods: readonly Pod[]; readonly goneMs: number }
  | { readonly kind: 'unbound'; readonly pod: Pod }
  | { readonly kind: 'ended'; readonly pods: readonly Pod[]; readonly threshold: number };

/** A node that registers anew within this time finds its pods again. */
export const quarantineMs = 40_000;
const burstMax = 500;

export function plan(observed: Observed, { nowMs }: PlanContext): readonly Step[] {
  if (observed.kind === 'unbound') {
    const { pod } = observed;
    // Deleted at once already; what holds it waits to be told how it ended.
    const isHeld = isKept(pod) && pod.metadata.deletionGracePeriodSeconds === 0;
    return [...together(failures([pod])), ...(isHeld ? [] : [force(pod)])];
  }
  if (observed.kind === 'node') {
    if (observed.goneMs < quarantineMs) return [{ kind: 'again', afterMs: quarantineMs - observed.goneMs }];
    return [...together(failures(observed.pods, nowMs)), ...together(observed.pods.map(force))];
  }
  const surplus = observed.pods.length - observed.threshold;
  if (surplus <= 0) return [];
  const oldest = [...observed.pods].sort((a, b) => (createdOf(a) < createdOf(b) ? -1 : 1));
  return together(oldest.slice(0, Math.min(surplus, burstMax)).map(force));
}

const isKept = ({ metadata }: Pod): boolean => (metadata.finalizers ?? []).length > 0;

/** Those that somebody keeps after their end, to learn how they ended, have failed. `lostMs`: since their node is gone. */
function failures(pods: readonly Pod[], lostMs?: number): readonly Write[] {
  return pods
    .filter((pod) => isKept(pod) && !isFinished(pod))
    .map(({ metadata: { namespace, name = '', uid } }) => ({
      kind: 'patch',
      ref: podsRef,
      namespace,
      name,
      type: 'strategic',
      patch: {
        metadata: { uid },
        status: {
          phase: 'Failed',
          ...(lostMs === undefined ? {} : { conditions: [nodeIsGone(lostMs)] }),
        },
      },
      subresource: 'status',
      accept: ['notFound', 'conflict'],
    }));
}

function nodeIsGone(nowMs: number): PodCondition {
  return {
    type: 'DisruptionTarget',
    status: 'True',
    lastTransitionTime: formatTime(nowMs),
    reason: 'DeletionByPodGC',
    message: 'PodGC: node no longer exists',
  };
}

const createdOf = ({ metadata }: Pod): string => `${metadata.creationTimestamp} ${metadata.name}`;

const together = (writes: readonly Write[]): readonly Step[] =>
  writes.length === 0 ? [] : [{ kind: 'together', writes }];

function force(pod: Pod): Write {
  return deletion(podsRef, pod, { options: { gracePeriodSeconds: 0 }, accept: ['notFound', 'conflict'] });
}
