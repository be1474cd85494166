/** Autoscalers that know nothing: no metrics are served in these worlds. */
import type { Deployment, HorizontalPodAutoscaler } from '../../../api/index.ts';
import type { Property } from '../../property.ts';
import { isGoing, valuesSince, wanted } from '../facts.ts';

const resource = 'horizontalpodautoscalers.autoscaling';

/** From the moment in which a request comes until its change is on the disk. */
const longestWriteMs = 60_000;

const boundsOf = ({ spec }: HorizontalPodAutoscaler): readonly [number, number] => [
  spec?.minReplicas ?? 1,
  spec?.maxReplicas ?? 1,
];

export const autoscalersCareful: Property = {
  name: 'workload/autoscalers-careful',
  source: 'Kubernetes: HorizontalPodAutoscaler; mission A1',
  statement:
    'An autoscaler changes a number only to bring it within its bounds while metrics are missing; in the end the number is within them, or none.',
  check(world, broken) {
    const { truth } = world;
    /** When users last asked for something of a Deployment: their numbers are their own affair. */
    const byUser = new Map<string, number>();
    return {
      onAsked({ by, resource: of, name }) {
        if (by === 'user' && of === 'deployments.apps') byUser.set(name, world.nowMs());
      },
      onEvent({ kind, resource: of, object, previous, name }) {
        if (kind === 'delete' || of !== 'deployments.apps' || previous === undefined) return;
        const [was, is] = [wanted(previous as Deployment), wanted(object as Deployment)];
        const askedMs = byUser.get(name) ?? Number.NEGATIVE_INFINITY;
        if (was === is || world.nowMs() - askedMs < longestWriteMs) return;
        const autoscaler = truth.objects<HorizontalPodAutoscaler>(resource).get(name);
        if (autoscaler === undefined || truth.versions(resource, name).length > 20) return;
        const bounds = valuesSince<HorizontalPodAutoscaler, readonly [number, number]>(
          world,
          resource,
          name,
          boundsOf,
        );
        const numbers = valuesSince<Deployment, number>(world, 'deployments.apps', name, wanted);
        const isCalledFor = bounds.some(
          ([min, max]) =>
            (is === min && numbers.some((one) => one < min)) ||
            (is === max && numbers.some((one) => one > max)),
        );
        if (!isCalledFor) broken(`${name} went from ${was} to ${is}, bounds are ${JSON.stringify(bounds)}`);
      },
      goal() {
        for (const [name, autoscaler] of truth.objects<HorizontalPodAutoscaler>(resource)) {
          const deployment = truth.objects<Deployment>('deployments.apps').get(name);
          if (deployment === undefined || isGoing(deployment)) continue;
          const [min, max] = boundsOf(autoscaler);
          const number = wanted(deployment);
          if (number !== 0 && (number < min || number > max))
            return `${name} wants ${number} pods, its autoscaler ${min} to ${max}`;
        }
        return undefined;
      },
    };
  },
};
