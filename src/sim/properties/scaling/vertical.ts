/** Pods are brought up to date without a storm. */
import type { Deployment, VerticalPodAutoscaler } from '../../../api/index.ts';
import { sameJson } from '../../../lib/index.ts';
import { scaledLabel, takesLoad } from '../../load.ts';
import type { Property } from '../../property.ts';
import { isReady, isTerminal, wanted } from '../facts.ts';
import { podsOf, verticalsOf } from './scalers.ts';

const minuteMs = 60_000;
/** One look comes a little sooner than the next minute. */
const slackMs = 6000;

export const noEvictionStorms: Property = {
  name: 'scaling/no-eviction-storms',
  source: 'issue 5: in-place resize and no eviction storms',
  statement:
    'Where nothing is wrong, a vertical autoscaler evicts no more than a quarter of the pods of its target (at least one) within a minute, and none while half of them are away; where it may only resize in place, it evicts none.',
  check(world, broken) {
    const evictions = new Map<string, number[]>();
    return {
      onAsked({ by, verb, resource, name }) {
        if (by !== 'controllers' || verb !== 'eviction' || resource !== 'pods') return;
        const workload = world.truth.objects(resource).get(name)?.metadata.labels?.[scaledLabel];
        if (workload === undefined) return;
        const autoscaler = world.truth
          .objects<VerticalPodAutoscaler>(verticalsOf)
          .get(`default/${workload.replace('scaled', 'scaler')}`);
        if (autoscaler === undefined || world.knownToAllMs() === 0) return;
        const nowMs = world.nowMs();
        const calmMs = world.calmSinceMs() ?? nowMs;
        const mode = autoscaler.spec.updatePolicy?.updateMode;
        if ((mode === 'InPlace' || mode === 'Off') && isOld(autoscaler))
          broken(`${name} is evicted, and its vertical autoscaler has the mode ${mode}`);
        const deployment = world.truth.objects<Deployment>('deployments.apps').get(`default/${workload}`);
        const all = Math.max(
          deployment === undefined ? 0 : wanted(deployment),
          podsOf(world, workload).filter((pod) => !isTerminal(pod)).length,
        );
        const up = podsOf(world, workload).filter((pod) => takesLoad(pod) && isReady(pod)).length;
        // The one that is asked for is still there.
        const away = all - up + 1;
        if (away > Math.max(1, Math.floor(all / 2)))
          broken(`${name} is evicted, and with it ${away} of ${all} pods of ${workload} are away`);
        const sinceMs = nowMs - minuteMs + slackMs;
        const recent = (evictions.get(workload) ?? []).filter((atMs) => atMs > sinceMs);
        evictions.set(workload, [...recent, nowMs]);
        if (calmMs < sinceMs && recent.length + 1 > Math.max(1, Math.floor(all / 4)))
          broken(`${recent.length + 1} of ${all} pods of ${workload} are evicted within a minute`);
      },
    };

    /** Whether it has wanted the same for a minute. */
    function isOld({ metadata, spec }: VerticalPodAutoscaler): boolean {
      const versions = world.truth.versions(verticalsOf, `${metadata.namespace}/${metadata.name}`);
      const change = versions.findLast(
        ({ object }) => object === undefined || !sameJson((object as VerticalPodAutoscaler).spec, spec),
      );
      return (change?.atMs ?? 0) < world.nowMs() - minuteMs;
    }
  },
};
