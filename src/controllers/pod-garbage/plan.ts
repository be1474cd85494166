/**
 * Pods that nobody else will ever remove. Pure.
 *
 * - on a node that is gone: nobody is left to end them;
 * - being deleted on a node that is lost and that somebody has called out of service: nobody will end them;
 * - being deleted before they had a node: nobody is there to end them;
 * - ended, and more than the threshold: those that were evicted go first, then the oldest.
 *
 * Invariant: nobody is taken away who has not ended: they have failed before.
 */
import type { Pod, PodCondition } from '../../api/index.ts';
import { formatTime } from '../../lib/index.ts';
import { isFinished } from '../pod-state.ts';
import { podsRef } from '../resources.ts';
import { deletion, type PlanContext, type Step, type Write } from '../step.ts';

export type Observed =
  | { readonly kind: 'node'; readonly pods: readonly Pod[]; readonly goneMs: number }
  | { readonly kind: 'outOfService'; readonly pods: readonly Pod[] }
  | { readonly kind: 'unbound'; readonly pod: Pod }
  | { readonly kind: 'ended'; readonly pods: readonly Pod[]; readonly threshold: number };

/** A node that registers anew within this time finds its pods again. */
export const quarantineMs = 40_000;
const burstMax = 500;

export function plan(observed: Observed, { nowMs }: PlanContext): readonly Step[] {
  switch (observed.kind) {
    case 'unbound':
      return removal([observed.pod]);
    case 'outOfService':
      return removal([...observed.pods].sort(byWorth));
    case 'node':
      return observed.goneMs < quarantineMs
        ? [{ kind: 'again', afterMs: quarantineMs - observed.goneMs }]
        : removal(observed.pods, nowMs);
    case 'ended': {
      const surplus = observed.pods.length - observed.threshold;
      if (surplus <= 0) return [];
      return removal([...observed.pods].sort(byWorth).slice(0, Math.min(surplus, burstMax)));
    }
  }
}

/** `lostMs`: since their node is gone. */
function removal(pods: readonly Pod[], lostMs?: number): readonly Step[] {
  // Deleted at once already: what holds them waits to be told how they ended.
  const left = pods.filter(({ metadata }) => metadata.deletionGracePeriodSeconds !== 0);
  return [...together(failures(pods, lostMs)), ...together(left.map(force))];
}

/** Those that have not ended have failed, so that who waits for their end learns of it. */
function failures(pods: readonly Pod[], lostMs: number | undefined): readonly Write[] {
  return pods
    .filter((pod) => !isFinished(pod))
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

/** What is least worth keeping first. */
function byWorth(a: Pod, b: Pod): number {
  const rankOf = ({ status, metadata }: Pod): string =>
    `${status?.phase === 'Failed' && status.reason === 'Evicted' ? 0 : 1} ${metadata.creationTimestamp} ${metadata.name}`;
  return rankOf(a) < rankOf(b) ? -1 : 1;
}

const together = (writes: readonly Write[]): readonly Step[] =>
  writes.length === 0 ? [] : [{ kind: 'together', writes }];

function force(pod: Pod): Write {
  return deletion(podsRef, pod, { options: { gracePeriodSeconds: 0 }, accept: ['notFound', 'conflict'] });
}
