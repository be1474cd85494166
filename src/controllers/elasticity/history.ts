/** What a forecaster has learnt, as an object, and back. Pure. Of another metric or season nothing is taken over. */
import type { ElasticityHistory, ElasticityPolicy } from '../../api/index.ts';
import { apiVersionOf } from '../../api/index.ts';
import type { MetricName } from '../pod-autoscaler/readings.ts';
import type { Forecaster, ForecastState } from './forecast.ts';
import { elasticityPoliciesRef } from './plan.ts';

const version = 'v1';

/** What the figures are of. */
const nameOf = (metric: MetricName): string => JSON.stringify(metric);

export const isForecasterOf = (forecaster: Forecaster, seasonMs: number): boolean =>
  forecaster.seasonMs === seasonMs;

export function historyOf(policy: ElasticityPolicy, state: ForecastState, now: string): ElasticityHistory {
  const { name = '', namespace = '', uid = '' } = policy.metadata;
  const { group, version: apiVersion, kind } = elasticityPoliciesRef;
  const { seasonMs, ...rest } = state;
  return {
    apiVersion: apiVersionOf(group, apiVersion),
    kind: 'ElasticityHistory',
    metadata: {
      name,
      namespace,
      ownerReferences: [{ apiVersion: apiVersionOf(group, apiVersion), kind, name, uid, controller: true }],
    },
    spec: { policyName: name, demand: nameOf(policy.spec.capacity?.metric ?? { type: '' }) },
    status: {
      version,
      lastUpdateTime: now,
      seasonSeconds: seasonMs / 1000,
      ...rest,
    },
  };
}

export function stateOf(
  history: ElasticityHistory | undefined,
  metric: MetricName,
): ForecastState | undefined {
  const { spec, status } = history ?? {};
  if (status?.version !== version || spec?.demand !== nameOf(metric)) return undefined;
  return {
    seasonMs: (status.seasonSeconds ?? 0) * 1000,
    firstStep: status.firstStep ?? -1,
    lastStep: status.lastStep ?? -1,
    steps: status.steps ?? 0,
    level: status.level ?? 1,
    spread: status.spread ?? 0,
    profile: status.profile ?? [],
    seen: status.seen ?? [],
    methods: (status.methods ?? []).map(({ name, error = 0, weight = 0, recent = 0, ratios = {} }) => ({
      name,
      error,
      weight,
      recent,
      ratios,
    })),
    regression: {
      weights: status.regression?.weights ?? [],
      spread: status.regression?.spread ?? [],
      usual: status.regression?.usual ?? 0,
    },
  };
}
