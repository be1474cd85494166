/** Where nothing is to be done, nothing is done. */
import type { KubeObject, Node, Pod, Reservation, VerticalPodAutoscaler } from '../../../api/index.ts';
import { sameJson } from '../../../lib/index.ts';
import type { Checked, Property } from '../../property.ts';

/** Told long after: that a disruption was announced which never came, after two minutes; why a pod waits, in other words, after five. */
const late = new Set(['PodScheduled', 'DisruptionTarget']);

function isOnlyLate(object: Pod, previous: Pod): boolean {
  const rest = ({ spec, status }: Pod): unknown => ({
    spec,
    status: { ...status, conditions: status?.conditions?.filter(({ type }) => !late.has(type)) },
  });
  return !sameJson(object.status, previous.status) && sameJson(rest(object), rest(previous));
}

/** Objects that tell of what they did at times, and how they remember it. */
const tellers: Readonly<Record<string, ReadonlySet<string>>> = {
  'rebalancepolicies.scheduling.caelum.dev': new Set(['lastPlanTime', 'nextPlanTime', 'conditions']),
  // A score that failed is held to work when it has not failed for two minutes.
  'schedulingprofiles.scheduling.caelum.dev': new Set(['conditions']),
};

/**
 * What autoscalers tell of figures, which become known after the numbers are right, and of windows that end after that. What they decide rests: the numbers
 * themselves are not written, and neither is when they were last.
 */
const numbers = ['currentReplicas', 'desiredReplicas', 'conditions'];
const figures: Readonly<Record<string, ReadonlySet<string>>> = {
  'horizontalpodautoscalers.autoscaling': new Set([...numbers, 'currentMetrics']),
  'elasticitypolicies.autoscale.caelum.dev': new Set([...numbers, 'demand', 'triggers', 'forecast']),
};

/** The longer the use of pods is known the surer a vertical autoscaler is, and brings them up to date. */
function isOfVertical({ truth }: Checked, resource: string, object: KubeObject): boolean {
  if (/^verticalpodautoscalers?(checkpoints)?\./.test(resource)) return true;
  const verticals = truth.objects<VerticalPodAutoscaler>('verticalpodautoscalers.autoscaling.k8s.io');
  return [...verticals.values()].some(({ spec }) => object.metadata.name?.startsWith(spec.targetRef.name));
}

function isToldLate(resource: string, object: KubeObject, previous: KubeObject | undefined): boolean {
  const late = tellers[resource] ?? figures[resource];
  if (late === undefined || previous === undefined) return false;
  const rest = (one: KubeObject): unknown => {
    const { spec, status = {} } = one as { spec?: unknown; status?: object };
    return [spec, Object.fromEntries(Object.entries(status).filter(([key]) => !late.has(key)))];
  };
  return sameJson(rest(object), rest(previous));
}

/** The time of a reservation is not over yet. */
const hasEnds = ({ truth }: Checked): boolean =>
  [...truth.objects<Reservation>('reservations.scheduling.caelum.dev').values()].some(
    ({ spec, status }) => spec.ttl !== undefined && status?.phase !== 'Expired',
  );

export const nothingWritten: Property = {
  name: 'rest/nothing-written',
  source: 'style of the house: a plan of a reached goal is empty; mission C3 (no oscillation)',
  statement:
    'When every goal is reached and nobody asks for anything, nothing is written but leases and heartbeats of nodes.',
  check(world, broken) {
    let restMs: number | undefined;
    let endsLater = false;
    return {
      onRest() {
        restMs = world.nowMs();
        endsLater = hasEnds(world);
      },
      onEvent({ kind, resource, object, previous, name, atMs }) {
        // A goal is reached a moment before its last writer rests.
        if (restMs === undefined || atMs - restMs < 15_000) return;
        // A user's last word was overtaken by an earlier one: where a clock strikes there is no rest.
        if (world.truth.objects('cronjobs.batch').size > 0) return;
        // What is held until then is somebody's afterwards.
        if (endsLater) return;
        if (resource === 'leases.coordination.k8s.io') return;
        if (resource.startsWith('events')) return;
        if (isToldLate(resource, object, previous)) return;
        if (world.loads() !== undefined && isOfVertical(world, resource, object)) return;
        if (
          resource === 'nodes' &&
          previous !== undefined &&
          sameJson((object as Node).spec ?? {}, (previous as Node).spec ?? {})
        )
          return;
        if (resource === 'pods' && kind === 'put' && previous !== undefined && isOnlyLate(object, previous))
          return;
        if (resource === 'pods' && kind === 'put' && previous !== undefined) {
          const changed = Object.entries(object).filter(
            ([key, value]) =>
              key !== 'metadata' && !sameJson(value, (previous as unknown as Record<string, unknown>)[key]),
          );
          broken(
            `pods/${name} was written at rest: ${changed.map(([key]) => key).join(', ') || 'nothing changed'}`,
          );
          return;
        }
        broken(`${resource}/${name} was written at rest (${kind})`);
      },
    };
  },
};
