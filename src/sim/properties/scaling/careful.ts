/** Nothing is taken away for want of figures. */
import type { Look } from '../../metering.ts';
import type { Checked, Property } from '../../property.ts';
import { milli, sinceMs, valuesSince } from '../facts.ts';
import {
  boundsOf,
  type Change,
  changeOf,
  hasWrongClocks,
  longReady,
  requestMilliOf,
  type Scaler,
  scalerNow,
} from './scalers.ts';

/** How old a look may be on which a change rests: when nothing is wrong, and when something is. */
const [calmMs, troubledMs] = [9000, 100_000];
/** A pod that has been ready for longer is known to all, and is not young any more. */
const [knownMs, troubledKnownMs] = [75_000, 400_000];
/** The last percent is cut off, and so may the last replica be. */
const slack = 1;

export const nothingTakenBlindly: Property = {
  name: 'scaling/nothing-taken-blindly',
  source: 'issue 5: an autoscaler never scales down on missing data; Kubernetes: HorizontalPodAutoscaler',
  statement:
    'When a number is made smaller, an autoscaler has just been told of at least one of the pods, and the number is no smaller than what those of whom it was told use and what the others would use if they used all that they asked for; a policy has been told of every pod.',
  check(world, broken) {
    return {
      onEvent(event) {
        const change = changeOf(event);
        if (change === undefined || change.is > change.was) return;
        const scaler = scalerNow(world, change.workload);
        if (scaler === undefined || isIntoBounds(world, change, scaler)) return;
        const isCalm = world.knownToAllMs() > 0;
        const fromMs = change.atMs - (isCalm ? calmMs : troubledMs);
        const looks = world.looks(change.workload).filter(({ atMs }) => atMs >= fromMs);
        const whys = looks.map((look) => wrongBy(world, change, scaler, look, isCalm));
        if (whys.includes(undefined)) return;
        const why = whys.at(-1) ?? 'nothing was told of late';
        broken(`${change.workload} went from ${change.was} to ${change.is}: ${why}`);
      },
    };
  },
};

function isIntoBounds(world: Checked, { workload, was, is }: Change, scaler: Scaler): boolean {
  const name = `default/${workload.replace('scaled', 'scaler')}`;
  const bounds = valuesSince(world, scaler.resource, name, (object) =>
    boundsOf({ ...scaler, object } as Scaler),
  );
  // What was asked for of late and is not in the store's memory any more.
  const isForgotten = world.truth.versions(scaler.resource, name).every(({ atMs }) => atMs > sinceMs(world));
  return bounds.some(([, max]) => is === max && was > max) || (isForgotten && bounds.length >= 20);
}

/** undefined: the change can be right by this. */
function wrongBy(
  world: Checked,
  { workload, is, was }: Change,
  scaler: Scaler,
  { atMs, told }: Look,
  isCalm: boolean,
): string | undefined {
  if (told.size === 0) return 'it was told of none of the pods';
  const pods = longReady(world, workload, atMs - (isCalm ? knownMs : troubledKnownMs));
  const silent = pods.filter(({ metadata }) => !told.has(metadata.name ?? ''));
  if (scaler.by === 'policy') {
    if (silent.length > 0) return `it was not told of ${silent[0]?.metadata.name}`;
    const each = milli(scaler.object.spec.capacity?.perReplica);
    const used = pods.reduce((sum, { metadata }) => sum + (told.get(metadata.name ?? '') ?? 0), 0);
    return each > 0 && is < Math.ceil(used / each) - slack
      ? `its pods use ${used}m, of which one carries ${each}m`
      : undefined;
  }
  const perReplica = targetMilli(scaler, pods.map(requestMilliOf).find((asked) => asked > 0) ?? 0);
  if (perReplica === 0) return undefined;
  const isAged = !hasWrongClocks(world);
  let needed = 0;
  for (const pod of pods) {
    const use = told.get(pod.metadata.name ?? '');
    const most = Math.max(perReplica, isShare(scaler) ? requestMilliOf(pod) : 0);
    needed += use === undefined ? most : isAged ? use : 0;
  }
  const least = Math.min(was, Math.ceil(needed / perReplica) - slack);
  return is < least
    ? `${told.size} pods told of their use, ${silent.length} that have long been ready did not: that is ${Math.round(needed)}m, of which one shall carry ${perReplica}m`
    : undefined;
}

const cpuOf = ({ object }: Scaler & { by: 'autoscaler' }) => {
  const { resource, containerResource } = object.spec.metrics?.[0] ?? {};
  return resource?.target ?? containerResource?.target;
};

const isShare = (scaler: Scaler & { by: 'autoscaler' }): boolean =>
  cpuOf(scaler)?.averageUtilization !== undefined;

/** What one replica shall carry. */
function targetMilli(scaler: Scaler & { by: 'autoscaler' }, requestMilli: number): number {
  const { averageValue, averageUtilization = 0 } = cpuOf(scaler) ?? {};
  return averageValue === undefined ? (requestMilli * averageUtilization) / 100 : milli(averageValue);
}
