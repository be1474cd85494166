/**
 * Pods that were marked as about to be disrupted and were not: after a while the mark is taken back. Decisions and shell in one, they are short.
 *
 * A node's own mark stays: its pods may take any time to end. So does that of a pod that has ended.
 */
import type { Pod } from '../../api/index.ts';
import { type Informers, keyOf } from '../../client/index.ts';
import { formatTime } from '../../lib/index.ts';
import { isFinished, isTerminating, podCondition } from '../pod-state.ts';
import { podsRef } from '../resources.ts';
import { type Controller, watch } from '../shell.ts';
import type { PlanContext, Step } from '../step.ts';

const conditionType = 'DisruptionTarget';
const staleAfterMs = 120_000;

export function staleTargetController(informers: Informers): Controller<Pod> {
  const pods = informers.informer<Pod>(podsRef);
  return {
    name: 'stale-disruption-target-controller',
    workers: 1,
    watches: [
      watch<Pod>(informers, podsRef, ({ kind, object }) =>
        kind !== 'deleted' && podCondition(object, conditionType) !== undefined ? [keyOf(object)] : [],
      ),
    ],
    observe: (key) => pods.get(key),
    plan: planTarget,
  };
}

export function planTarget(pod: Pod, { nowMs }: PlanContext): readonly Step[] {
  const condition = podCondition(pod, conditionType);
  if (condition?.status !== 'True' || condition.reason === 'TerminationByKubelet') return [];
  if (isTerminating(pod) || isFinished(pod)) return [];
  const leftMs = (Date.parse(condition.lastTransitionTime ?? '') || 0) + staleAfterMs - nowMs;
  if (leftMs > 0) return [{ kind: 'again', afterMs: leftMs }];
  const { namespace, name = '', uid } = pod.metadata;
  const taken = {
    type: conditionType,
    status: 'False',
    lastTransitionTime: formatTime(nowMs),
    reason: null,
    message: null,
  };
  return [
    {
      kind: 'patch',
      ref: podsRef,
      namespace,
      name,
      type: 'strategic',
      patch: { metadata: { uid }, status: { conditions: [taken] } },
      subresource: 'status',
      accept: ['notFound'],
    },
  ];
}
