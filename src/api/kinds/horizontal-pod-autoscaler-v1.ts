/** Autoscalers as autoscaling/v1 writes them. Stored in the form of v2: both are views of one object. */
import type { Draft, KubeObject } from '../object.ts';
import type { HorizontalPodAutoscaler } from '../types/autoscaling.v1.ts';
import type { HorizontalPodAutoscaler as StoredAutoscaler } from '../types/autoscaling.v2.ts';
import { autoscalerColumns } from './autoscaler-spec/columns.ts';
import { cpuPercent } from './autoscaler-spec/defaults.ts';
import { annotations, fromFirstForm, toFirstForm } from './autoscaler-spec/first-form.ts';
import { defineKind, statusSubresource } from './define.ts';
import { horizontalPodAutoscaler } from './horizontal-pod-autoscaler.ts';

/** They belong to the status, though they stand in the metadata. */
const ofStatus = [annotations.currentMetrics, annotations.conditions] as const;

export const horizontalPodAutoscalerV1 = defineKind<HorizontalPodAutoscaler>({
  group: 'autoscaling',
  version: 'v1',
  kind: 'HorizontalPodAutoscaler',
  resource: 'horizontalpodautoscalers',
  message: 'autoscaling.v1.HorizontalPodAutoscaler',
  description: 'HorizontalPodAutoscaler sets how many replicas a workload has, by the CPU that they use.',
  shortNames: ['hpa'],
  categories: ['all'],
  subresources: [statusSubresource],
  hasStatus: true,
  columns: autoscalerColumns.map((column) => ({
    ...column,
    cell: (object: HorizontalPodAutoscaler, nowMs: number) =>
      column.cell(fromFirstForm(object) as never, nowMs),
  })),
  applyDefaults({ metadata, spec }) {
    if (spec === undefined) return;
    spec.minReplicas ??= 1;
    if (metadata.annotations?.[annotations.metrics] === undefined)
      spec.targetCPUUtilizationPercentage ??= cpuPercent;
  },
  prepareCreate(object) {
    object.status = { currentReplicas: 0, desiredReplicas: 0 };
    for (const name of ofStatus) delete object.metadata.annotations?.[name];
  },
  prepareUpdate({ metadata }, old) {
    for (const name of ofStatus) {
      const before = old.metadata.annotations?.[name];
      if (before === undefined) delete metadata.annotations?.[name];
      else metadata.annotations = { ...metadata.annotations, [name]: before };
    }
  },
  validate: (object) => horizontalPodAutoscaler.validate(fromFirstForm(object)),
  validateStatusUpdate: (object, old) =>
    horizontalPodAutoscaler.validateStatusUpdate(fromFirstForm(object), fromFirstForm(old)),
  storedAs: {
    group: 'autoscaling',
    version: 'v2',
    kind: 'HorizontalPodAutoscaler',
    toStored: (object) => {
      const stored = fromFirstForm(object as HorizontalPodAutoscaler);
      horizontalPodAutoscaler.applyDefaults(stored as Draft<KubeObject>);
      return stored as Draft<KubeObject>;
    },
    fromStored: (object) => toFirstForm(object as StoredAutoscaler),
  },
});
