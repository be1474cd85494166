/**
 * What an autoscaler does that says nothing: one pod at least, four fifths of the CPU; up at once, by four pods or to the double each 15 s; down as far as needed.
 * Source: Kubernetes 1.36, pkg/apis/autoscaling/v2/defaults.go, as behaviour.
 */
import type { Draft } from '../../object.ts';
import type {
  HorizontalPodAutoscalerSpec,
  HPAScalingPolicy,
  HPAScalingRules,
} from '../../types/autoscaling.v2.ts';

export const cpuPercent = 80;

const periodSeconds = 15;
const policy = (type: string, value: number): Draft<HPAScalingPolicy> => ({ type, value, periodSeconds });

export function applyAutoscalerDefaults(spec: Draft<HorizontalPodAutoscalerSpec>): void {
  spec.minReplicas ??= 1;
  if ((spec.metrics?.length ?? 0) === 0) {
    const target = { type: 'Utilization', averageUtilization: cpuPercent };
    spec.metrics = [{ type: 'Resource', resource: { name: 'cpu', target } }];
  }
  if (spec.behavior === undefined) return;
  const up = rulesWith(spec.behavior.scaleUp, [policy('Pods', 4), policy('Percent', 100)]);
  up.stabilizationWindowSeconds ??= 0;
  spec.behavior.scaleUp = up;
  // How long to wait before going down is the controller's own default.
  spec.behavior.scaleDown = rulesWith(spec.behavior.scaleDown, [policy('Percent', 100)]);
}

function rulesWith(
  rules: Draft<HPAScalingRules> | undefined,
  policies: Draft<HPAScalingPolicy>[],
): Draft<HPAScalingRules> {
  return { ...rules, selectPolicy: rules?.selectPolicy ?? 'Max', policies: rules?.policies ?? policies };
}
