/** An autoscaler in one line: `cpu: 10%/50%, 12/100 (avg) + 1 more...`. Source: the behaviour of Kubernetes 1.36, pkg/printers. */
import type { Column } from '../../kind.ts';
import type {
  HorizontalPodAutoscaler,
  MetricSpec,
  MetricStatus,
  MetricValueStatus,
} from '../../types/autoscaling.v2.ts';
import { ageColumn, column, nameColumn, none, unknown } from '../cells.ts';

const shownMax = 2;

function metricText(spec: MetricSpec, status: MetricStatus | undefined): string {
  switch (spec.type) {
    case 'External':
      return amountText(spec.external?.target, status?.external?.current);
    case 'Object':
      return amountText(spec.object?.target, status?.object?.current);
    case 'Pods':
      return `${status?.pods?.current.averageValue ?? unknown}/${spec.pods?.target.averageValue ?? '0'}`;
    case 'Resource':
      return resourceText(spec.resource, status?.resource?.current);
    case 'ContainerResource':
      return resourceText(spec.containerResource, status?.containerResource?.current);
    default:
      return '<unknown type>';
  }
}

type Target = NonNullable<MetricSpec['external']>['target'];

/** Of the whole, or of each pod on average. */
function amountText(target: Target | undefined, current: MetricValueStatus | undefined): string {
  return target?.averageValue === undefined
    ? `${current?.value ?? unknown}/${target?.value ?? '0'}`
    : `${current?.averageValue ?? unknown}/${target.averageValue} (avg)`;
}

function resourceText(
  source: { readonly name: string; readonly target: Target } | undefined,
  current: MetricValueStatus | undefined,
): string {
  const { name = '', target } = source ?? {};
  if (target?.averageValue !== undefined)
    return `${name}: ${current?.averageValue ?? unknown}/${target.averageValue}`;
  const percent = (value: number | undefined, otherwise: string): string =>
    value === undefined ? otherwise : `${value}%`;
  return `${name}: ${percent(current?.averageUtilization, unknown)}/${percent(target?.averageUtilization, '<auto>')}`;
}

function targetsCell({ spec, status }: HorizontalPodAutoscaler): string {
  const metrics = spec?.metrics ?? [];
  if (metrics.length === 0) return none;
  const texts = metrics.map((metric, index) => metricText(metric, status?.currentMetrics?.[index]));
  const shown = texts.slice(0, shownMax).join(', ');
  return texts.length > shownMax ? `${shown} + ${texts.length - shownMax} more...` : shown;
}

export const autoscalerColumns: readonly Column[] = [
  nameColumn,
  column<HorizontalPodAutoscaler>(
    'Reference',
    'What it scales.',
    ({ spec }) => `${spec?.scaleTargetRef?.kind ?? ''}/${spec?.scaleTargetRef?.name ?? ''}`,
  ),
  column<HorizontalPodAutoscaler>('Targets', 'What is measured, of what it shall be.', targetsCell),
  column<HorizontalPodAutoscaler>('MinPods', 'How many pods there are at least.', ({ spec }) =>
    String(spec?.minReplicas ?? '<unset>'),
  ),
  column<HorizontalPodAutoscaler>(
    'MaxPods',
    'How many pods there are at most.',
    ({ spec }) => spec?.maxReplicas ?? 0,
    'integer',
  ),
  column<HorizontalPodAutoscaler>(
    'Replicas',
    'How many pods there are.',
    ({ status }) => status?.currentReplicas ?? 0,
    'integer',
  ),
  ageColumn,
];
