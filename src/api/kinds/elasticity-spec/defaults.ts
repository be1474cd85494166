/** What an elasticity policy does that says nothing: reactive, one replica at least, a minute between changes, a tenth in reserve. */
import type { Draft } from '../../object.ts';
import type { ElasticityPolicySpec } from './types.ts';

export const defaultCooldown = '1m0s';
export const defaultStabilization = '5m0s';

/** How a trigger's metric is measured where it does not say. */
export function measureOf(type: string): string {
  if (type === 'Resource' || type === 'ContainerResource') return 'Utilization';
  return type === 'Pods' ? 'AverageValue' : 'Value';
}

export function applyPolicyDefaults(spec: Draft<ElasticityPolicySpec>): void {
  spec.mode ??= 'Reactive';
  spec.cooldown ??= defaultCooldown;
  if (spec.constraints !== undefined) {
    spec.constraints.minReplicas ??= 1;
    spec.constraints.stabilization ??= defaultStabilization;
  }
  for (const trigger of spec.triggers ?? []) {
    if (trigger.metric !== undefined) trigger.measure ??= measureOf(trigger.metric.type);
    trigger.duration ??= '0s';
  }
  if (spec.capacity !== undefined) {
    spec.capacity.buffer ??= '10%';
    spec.capacity.tolerance ??= '10%';
  }
  if (spec.mode === 'Predictive') {
    spec.prediction ??= {};
    spec.prediction.percentile ??= 85;
    spec.prediction.season ??= '24h0m0s';
  }
}
