/**
 * From what containers use to what they should request: percentiles with a margin, bounds that are the wider the less is known, within what the policy
 * allows. Pure. Source: vertical-pod-autoscaler/pkg/recommender/logic, as behaviour.
 */
import {
  containerPolicyOf,
  nanoText,
  quantityMilli,
  type VerticalPodAutoscaler,
  type VerticalRecommendation,
} from '../../api/index.ts';
import type { ContainerUse } from './use.ts';

const margin = 1.15;
const shares = { target: 0.9, lowerBound: 0.5, upperBound: 0.95 } as const;
/** The least of a pod, shared by its containers. */
const leastCores = 0.025;
const leastBytes = 250 * 1024 * 1024;

interface Amount {
  readonly cores: number;
  readonly bytes: number;
}

const minuteDays = 1 / (24 * 60);

/** With the confidence that there is: a day of samples is 1. */
const widened: Readonly<Record<keyof typeof shares, (days: number) => number>> = {
  target: () => 1,
  lowerBound: (days) => (1 + 0.001 / Math.max(days, minuteDays)) ** -2,
  upperBound: (days) => 1 + 1 / Math.max(days, minuteDays),
};

/** Most that is told of: a thousand cores, a hundred terabytes. */
const [coresMax, bytesMax] = [1000, 1e14];

export function recommend(
  autoscaler: VerticalPodAutoscaler,
  uses: ReadonlyMap<string, ContainerUse>,
): readonly VerticalRecommendation[] {
  const known = [...uses].filter(([, use]) => use.samples > 0).sort(([a], [b]) => (a < b ? -1 : 1));
  const share = 1 / Math.max(1, known.length);
  return known.flatMap(([name, use]) => {
    const policy = containerPolicyOf(autoscaler, name);
    if (policy?.mode === 'Off') return [];
    const controlled = policy?.controlledResources ?? ['cpu', 'memory'];
    const texts = (amount: Amount, isCapped: boolean): Record<string, string> => {
      const found: Record<string, string> = {};
      for (const resource of ['cpu', 'memory']) {
        if (!controlled.includes(resource)) continue;
        const milli = resource === 'cpu' ? Math.round(amount.cores * 1000) : Math.round(amount.bytes) * 1000;
        const least = quantityMilli(policy?.minAllowed?.[resource]) ?? 0;
        const most = quantityMilli(policy?.maxAllowed?.[resource]) ?? Number.POSITIVE_INFINITY;
        // What caps it is told as it was written.
        const cap = !isCapped
          ? undefined
          : milli < least
            ? policy?.minAllowed?.[resource]
            : milli > most
              ? policy?.maxAllowed?.[resource]
              : undefined;
        found[resource] = cap ?? nanoText(BigInt(milli) * 1_000_000n);
      }
      return found;
    };
    const of = (kind: keyof typeof shares): Amount => {
      const times = widened[kind](use.confidenceDays);
      return {
        cores: Math.min(
          coresMax,
          Math.max(use.cpu.percentile(shares[kind]) * margin * times, leastCores * share),
        ),
        bytes: Math.min(
          bytesMax,
          Math.max(use.memory.percentile(shares[kind]) * margin * times, leastBytes * share),
        ),
      };
    };
    const target = of('target');
    return [
      {
        containerName: name,
        target: texts(target, true),
        lowerBound: texts(of('lowerBound'), true),
        upperBound: texts(of('upperBound'), true),
        uncappedTarget: texts(target, false),
      },
    ];
  });
}
