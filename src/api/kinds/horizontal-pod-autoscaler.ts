/** Autoscalers: how many replicas a workload has, by what is measured. Stored in this form; autoscaling/v1 is another face of it. */
import type { HorizontalPodAutoscaler, HorizontalPodAutoscalerSpec } from '../types/autoscaling.v2.ts';
import { notNegative, type Problems } from '../validation/problems.ts';
import { autoscalerColumns } from './autoscaler-spec/columns.ts';
import { applyAutoscalerDefaults } from './autoscaler-spec/defaults.ts';
import { validateAutoscalerSpec } from './autoscaler-spec/validate.ts';
import { defineKind, statusSubresource } from './define.ts';

export const horizontalPodAutoscaler = defineKind<HorizontalPodAutoscaler>({
  group: 'autoscaling',
  version: 'v2',
  kind: 'HorizontalPodAutoscaler',
  resource: 'horizontalpodautoscalers',
  message: 'autoscaling.v2.HorizontalPodAutoscaler',
  description: 'HorizontalPodAutoscaler sets how many replicas a workload has, by what is measured.',
  shortNames: ['hpa'],
  categories: ['all'],
  subresources: [statusSubresource],
  hasStatus: true,
  columns: autoscalerColumns,
  applyDefaults({ spec }) {
    if (spec !== undefined) applyAutoscalerDefaults(spec);
  },
  prepareCreate(object) {
    object.status = { currentReplicas: 0, desiredReplicas: 0 };
  },
  validate({ spec }) {
    const problems: Problems = [];
    validateAutoscalerSpec(problems, spec ?? ({} as HorizontalPodAutoscalerSpec));
    return problems;
  },
  validateStatusUpdate({ status }) {
    const problems: Problems = [];
    notNegative(problems, 'status.currentReplicas', status?.currentReplicas);
    notNegative(problems, 'status.desiredReplicas', status?.desiredReplicas);
    return problems;
  },
});
