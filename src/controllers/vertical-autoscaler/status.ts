/** The status of a vertical autoscaler: its recommendation and conditions, as Kubernetes' recommender has them. Pure. */
import type {
  VerticalPodAutoscaler,
  VerticalPodAutoscalerCondition,
  VerticalPodAutoscalerStatus,
  VerticalRecommendation,
} from '../../api/index.ts';
import { formatTime } from '../../lib/index.ts';
import type { ContainerUse } from './use.ts';

export interface Seen {
  readonly autoscaler: VerticalPodAutoscaler;
  readonly scope: object;
  readonly pods: readonly unknown[];
}

const sureDays = 1;

export function statusOf(
  { autoscaler, scope, pods }: Seen,
  recommendations: readonly VerticalRecommendation[],
  uses: ReadonlyMap<string, ContainerUse>,
  nowMs: number,
): VerticalPodAutoscalerStatus {
  const error = 'error' in scope ? String(scope.error) : undefined;
  const said: [type: string, status: 'True' | 'False', reason: string, message: string][] = [];
  const gone: string[] = [];
  if (error !== undefined)
    said.push(['ConfigUnsupported', 'True', '', `Cannot read targetRef. Reason: ${error}`]);
  else gone.push('ConfigUnsupported');
  if (autoscaler.spec.updatePolicy?.updateMode === 'Auto')
    said.push([
      'ConfigDeprecated',
      'True',
      '',
      'UpdateMode "Auto" is deprecated and will be removed in a future API version. Use explicit update modes like "Recreate", "Initial", or "InPlaceOrRecreate" instead.',
    ]);
  else gone.push('ConfigDeprecated');
  const isProvided = recommendations.length > 0;
  const hasPods = pods.length > 0;
  if (isProvided) {
    said.push(['RecommendationProvided', 'True', '', '']);
    gone.push('NoPodsMatched');
  } else if (error === undefined && !hasPods) {
    const message = 'No pods match this VPA object';
    said.push(['RecommendationProvided', 'False', 'NoPodsMatched', message]);
    said.push(['NoPodsMatched', 'True', 'NoPodsMatched', message]);
  } else {
    said.push(['RecommendationProvided', 'False', '', '']);
    gone.push('NoPodsMatched');
  }
  const unsure = recommendations
    .map(({ containerName = '' }) => containerName)
    .filter((name) => (uses.get(name)?.confidenceDays ?? 0) < sureDays);
  if (unsure.length > 0)
    said.push(['LowConfidence', 'True', '', `less than a day is known of: ${unsure.join(', ')}`]);
  else gone.push('LowConfidence');
  const kept = (autoscaler.status?.conditions ?? []).filter(({ type }) => !gone.includes(type));
  const conditions = said.reduce<readonly VerticalPodAutoscalerCondition[]>(
    (list, one) => withCondition(list, one, nowMs),
    kept,
  );
  const recommendation = isProvided
    ? { containerRecommendations: recommendations }
    : autoscaler.status?.recommendation;
  return { ...(recommendation === undefined ? {} : { recommendation }), conditions };
}

function withCondition(
  list: readonly VerticalPodAutoscalerCondition[],
  [type, status, reason, message]: readonly [string, 'True' | 'False', string, string],
  nowMs: number,
): readonly VerticalPodAutoscalerCondition[] {
  const present = list.find((one) => one.type === type);
  const next = {
    type,
    status,
    lastTransitionTime:
      present?.status === status ? (present.lastTransitionTime ?? formatTime(nowMs)) : formatTime(nowMs),
    ...(reason === '' ? {} : { reason }),
    ...(message === '' ? {} : { message }),
  };
  return present === undefined ? [...list, next] : list.map((one) => (one === present ? next : one));
}
