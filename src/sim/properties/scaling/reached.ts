/** In the end there are as many as the load asks for: what the simplest autoscaler would reckon. */
import type { Deployment, HorizontalPodAutoscaler, VerticalPodAutoscaler } from '../../../api/index.ts';
import { requestMiB, takesLoad, useMiB, useMilli } from '../../load.ts';
import type { Checked, Property } from '../../property.ts';
import { busyPercent, idlePercent } from '../../user-scaling.ts';
import { isGoing, milli, wanted } from '../facts.ts';
import {
  boundsOf,
  podsOf,
  requestMilliOf,
  type Scaler,
  scalerNow,
  verticalsOf,
  workloadOf,
} from './scalers.ts';

/** A clock so wrong makes a policy take figures for old ones; a vertical autoscaler is more patient. */
const trustMs = 200_000;

export const loadMet: Property = {
  name: 'scaling/load-met',
  source: 'Kubernetes: HorizontalPodAutoscaler, algorithm details; issue 5: capacity = demand + buffer',
  statement:
    'When faults and users have stopped and the load stays what it is, every number is within its bounds, and is what a simple reckoning of the load asks for.',
  check(world) {
    return {
      goal() {
        for (const [name, deployment] of world.truth.objects<Deployment>('deployments.apps')) {
          const workload = workloadOf(name);
          if (workload === undefined || isGoing(deployment)) continue;
          const scaler = scalerNow(world, workload);
          if (scaler === undefined) continue;
          const number = wanted(deployment);
          const [min, max] = boundsOf(scaler);
          if (number < min || number > max)
            return `${workload} has ${number} pods, and shall have ${min} to ${max}`;
          const pods = podsOf(world, workload).filter((pod) => !isGoing(pod));
          // Where there is no room for all of them, there is no number.
          if (pods.length !== number || !pods.every(takesLoad)) continue;
          if (scaler.by === 'policy' && isMistrusted(world)) continue;
          const asked = Math.min(max, Math.max(min, askedOf(world, scaler, workload, number)));
          if (asked !== number) return `${workload} has ${number} pods, its load asks for ${asked}`;
        }
        return undefined;
      },
    };
  },
};

/** Of machines whose agents tell when their figures are from. */
const isMistrusted = ({ plan }: Checked): boolean =>
  plan.faults.some((one) => one.kind === 'clockJump' && Math.abs(one.byMs) > trustMs) ||
  plan.faults.filter(({ kind }) => kind === 'clockJump').length > 1;

function askedOf(world: Checked, scaler: Scaler, workload: string, number: number): number {
  const use = useMilli(world.loads()?.of(workload) ?? 0, number);
  const asks = podsOf(world, workload).map(requestMilliOf)[0] ?? 0;
  if (scaler.by === 'policy') return byPolicy(scaler, use * number, asks, number);
  const ratios = (scaler.object.spec.metrics ?? []).map((metric) => ratioOf(metric, use, asks));
  const wishes = ratios.map((ratio) =>
    Math.abs(ratio - 1) <= 0.1 + 1e-9 ? number : Math.ceil(ratio * number),
  );
  return Math.max(...wishes);
}

function ratioOf(
  { resource, containerResource }: NonNullable<HorizontalPodAutoscaler['spec']['metrics']>[number],
  use: number,
  asks: number,
): number {
  const { averageUtilization = 1, averageValue } = resource?.target ?? containerResource?.target ?? {};
  if (resource?.name === 'memory') return Math.trunc((useMiB * 100) / requestMiB) / averageUtilization;
  return averageValue === undefined
    ? Math.trunc((use * 100) / asks) / averageUtilization
    : use / milli(averageValue);
}

function byPolicy(
  { object }: Scaler & { by: 'policy' },
  demand: number,
  asks: number,
  number: number,
): number {
  const { capacity } = object.spec;
  if (capacity === undefined) {
    const percent = (demand * 100) / (asks * number);
    return percent > busyPercent ? number + 1 : percent < idlePercent ? number - 1 : number;
  }
  const share = (of: number | string | undefined): number => 1 + Number.parseInt(String(of ?? 0), 10) / 100;
  const perReplica = milli(capacity.perReplica);
  const least = Math.ceil((demand * share(capacity.buffer)) / perReplica - 1e-6);
  const most = Math.ceil((demand * share(capacity.tolerance) * share(capacity.buffer)) / perReplica - 1e-6);
  return Math.min(Math.max(number, least), Math.max(least, most));
}

export const useRecommended: Property = {
  name: 'scaling/use-recommended',
  source: 'issue 5: VerticalPodAutoscaler-like recommendations',
  statement:
    'When faults and users have stopped, a vertical autoscaler whose target has pods that run soon has a recommendation, within what its policy allows.',
  check(world) {
    return {
      goal() {
        if (world.plan.faults.some(({ kind }) => kind === 'clockJump')) return undefined;
        for (const [name, { spec, status }] of world.truth.objects<VerticalPodAutoscaler>(verticalsOf)) {
          const workload = spec.targetRef.name;
          if (!podsOf(world, workload).some(takesLoad)) continue;
          const [found] = status?.recommendation?.containerRecommendations ?? [];
          if (found === undefined) return `${name} recommends nothing`;
          const most = milli(spec.resourcePolicy?.containerPolicies?.[0]?.maxAllowed?.['cpu']);
          const least = milli(spec.resourcePolicy?.containerPolicies?.[0]?.minAllowed?.['cpu']);
          const target = milli(found.target['cpu']);
          // What was allowed may have been changed a moment ago, and is looked at once a minute.
          if (target < least || target > most)
            return `${name} recommends ${target}m, ${least}m to ${most}m are allowed`;
        }
        return undefined;
      },
    };
  },
};
