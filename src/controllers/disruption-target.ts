/** Marks a pod before it is put out, so that whoever owns it knows that it did not fail by itself. Pure. */
import type { Pod, PodCondition } from '../api/index.ts';
import { formatTime } from '../lib/index.ts';
import { podCondition } from './pod-state.ts';
import { podsRef } from './resources.ts';
import type { Write } from './step.ts';

/** Empty: it is marked so already. */
export function disruptionTarget(pod: Pod, reason: string, message: string, nowMs: number): readonly Write[] {
  const present = podCondition(pod, 'DisruptionTarget');
  if (present?.status === 'True' && present.reason === reason) return [];
  const { namespace, name = '', uid } = pod.metadata;
  const lastTransitionTime = formatTime(nowMs);
  const condition: PodCondition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason,
    message,
    lastTransitionTime,
  };
  const patch = { metadata: { uid }, status: { conditions: [condition] } };
  const accept = ['notFound', 'conflict'] as const;
  return [
    { kind: 'patch', ref: podsRef, namespace, name, type: 'strategic', patch, subresource: 'status', accept },
  ];
}
