/** No faster, and no sooner back, than was asked for. */
import type { HPAScalingRules } from '../../../api/index.ts';
import type { Checked, Property } from '../../property.ts';
import { boundsOf, type Change, changeOf, type Scaler, ScalerChanges, scalerNow } from './scalers.ts';

/** Between a decision and its change, and by how much periods of a controller are longer or shorter. */
const slackMs = 5000;
const keptMs = 400_000;
/** Of looks, and of figures. */
const periodMs = 15_000;
const plainWindowSeconds = 300;

/** What was changed of late, by workload. */
class Changes {
  readonly #by = new Map<string, Change[]>();

  add(change: Change): readonly Change[] {
    const all = (this.#by.get(change.workload) ?? []).filter(({ atMs }) => atMs > change.atMs - keptMs);
    this.#by.set(change.workload, [...all, change]);
    return all;
  }
}

const isIntoBounds = (scaler: Scaler, { was, is }: Change): boolean => {
  const [min, max] = boundsOf(scaler);
  return (was < min && is === min) || (was > max && is === max);
};

/** For so long nothing was wrong, and nobody said otherwise. */
function undisturbedMs(world: Checked, changes: ScalerChanges, workload: string): number {
  const calmMs = world.calmSinceMs();
  if (calmMs === undefined || world.knownToAllMs() === 0) return 0;
  return world.nowMs() - Math.max(calmMs, changes.lastMs(workload)) - slackMs;
}

export const windowsKept: Property = {
  name: 'scaling/windows-kept',
  source: 'Kubernetes: HPAScalingRules.stabilizationWindowSeconds; ElasticityPolicy: stabilization, cooldown',
  statement:
    'Where nothing is wrong, an autoscaler takes back what it has changed only when the window of that direction is over; between two changes of a policy is its cooldown, and between any two new figures.',
  check(world, broken) {
    const changes = new Changes();
    const scalers = new ScalerChanges();
    return {
      onEvent(event) {
        scalers.onEvent(event);
        const change = changeOf(event);
        if (change === undefined) return;
        const before = changes.add(change);
        const scaler = scalerNow(world, change.workload);
        if (scaler === undefined || isIntoBounds(scaler, change)) return;
        const { workload, atMs, was, is } = change;
        const calmMs = undisturbedMs(world, scalers, workload);
        const isDown = is < was;
        const windowMs = windowMsOf(scaler, isDown) - slackMs;
        const against = before.find(
          (one) =>
            one.atMs > atMs - Math.min(windowMs, calmMs) &&
            one.is > one.was === isDown &&
            (isDown ? one.is > is : one.is < is),
        );
        if (against !== undefined)
          broken(
            `${workload} went from ${was} to ${is}, ${Math.round((atMs - against.atMs) / 1000)} s after it had gone to ${against.is}`,
          );
        const cooldown = scaler.by === 'policy' ? (scaler.object.spec.cooldown ?? '0') : '0';
        const restMs = Math.max(Number.parseInt(cooldown, 10) * 1000, periodMs) - slackMs;
        const last = before.at(-1);
        if (last === undefined || isIntoBounds(scaler, last)) return;
        if (atMs - last.atMs < Math.min(restMs, calmMs))
          broken(`${workload} was changed twice within ${Math.round((atMs - last.atMs) / 1000)} s`);
      },
    };
  },
};

function windowMsOf(scaler: Scaler, isDown: boolean): number {
  if (scaler.by === 'policy') {
    const { stabilization = '0s' } = scaler.object.spec.constraints;
    return isDown ? Number.parseInt(stabilization, 10) * 1000 : 0;
  }
  const { behavior } = scaler.object.spec;
  const seconds = isDown
    ? (behavior?.scaleDown?.stabilizationWindowSeconds ?? plainWindowSeconds)
    : (behavior?.scaleUp?.stabilizationWindowSeconds ?? 0);
  return seconds * 1000;
}

export const ratesKept: Property = {
  name: 'scaling/rates-kept',
  source: 'Kubernetes: HPAScalingRules.policies; ElasticityPolicy: maxStep',
  statement:
    'Where nothing is wrong, no more is added or taken within the period of a policy than that policy lets, and no more in one step than a policy of elasticity lets.',
  check(world, broken) {
    const changes = new Changes();
    const scalers = new ScalerChanges();
    return {
      onEvent(event) {
        scalers.onEvent(event);
        const change = changeOf(event);
        if (change === undefined) return;
        const before = changes.add(change);
        const scaler = scalerNow(world, change.workload);
        if (scaler === undefined || isIntoBounds(scaler, change)) return;
        const calmMs = undisturbedMs(world, scalers, change.workload);
        const far = furthest(scaler, change, before, calmMs);
        if (far === undefined) return;
        const { workload, was, is } = change;
        if (is > was ? is > Math.max(was, far) : is < Math.min(was, far))
          broken(`${workload} went from ${was} to ${is}, and was let go to ${far}`);
      },
    };
  },
};

/** undefined: what was so long enough ago cannot be told, or nothing is said. */
function furthest(
  scaler: Scaler,
  { was, is, atMs }: Change,
  before: readonly Change[],
  calmMs: number,
): number | undefined {
  const isUp = is > was;
  if (scaler.by === 'policy') {
    const step = scaler.object.spec.constraints.maxStep;
    return typeof step === 'number' ? (isUp ? was + step : was - step) : undefined;
  }
  const { behavior } = scaler.object.spec;
  if (behavior === undefined) return isUp ? Math.max(2 * was, 4) : undefined;
  const rules = (isUp ? behavior.scaleUp : behavior.scaleDown) ?? {};
  const { policies = [], selectPolicy = 'Max' } = rules as HPAScalingRules;
  if (policies.some(({ periodSeconds }) => periodSeconds * 1000 + slackMs > calmMs)) return undefined;
  const ends = policies.map(({ type, value, periodSeconds }) => {
    const start = startOf(was, before, atMs - periodSeconds * 1000, isUp);
    if (type === 'Pods') return isUp ? start + value : start - value;
    const share = start * (1 + ((isUp ? 1 : -1) * value) / 100);
    return isUp ? Math.ceil(share) : Math.trunc(share);
  });
  const isMost = selectPolicy === 'Max';
  return isMost === isUp ? Math.max(...ends) : Math.min(...ends);
}

/** The number at the beginning of a period, give or take: whichever lets more. */
function startOf(was: number, before: readonly Change[], fromMs: number, isUp: boolean): number {
  const around = before.filter(({ atMs }) => atMs >= fromMs - slackMs && atMs <= fromMs + slackMs);
  const first = before.find(({ atMs }) => atMs > fromMs + slackMs)?.was ?? was;
  const values = [first, ...around.flatMap((one) => [one.was, one.is])];
  return isUp ? Math.max(...values) : Math.min(...values);
}

/** Figures are of the last round, and speak of the time since the one before. */
const lateMs = 30_000;

function patienceMs(scaler: Scaler): number {
  const windowMs = windowMsOf(scaler, true);
  if (scaler.by === 'autoscaler') return windowMs;
  return Math.max(windowMs, Number.parseInt(scaler.object.spec.cooldown ?? '0', 10) * 1000);
}

/** So often a number may turn while the load is what it was: once too far, and back. */
const turnsMax = 1;
const steadyMs = 60_000;

export const noFlapping: Property = {
  name: 'scaling/no-flapping',
  source: 'mission C3 (no oscillation)',
  statement:
    'While nothing is wrong and the load stays what it is, and where what was wanted is kept in mind for as long as figures are late (half a minute), a number that an autoscaler has made greater and smaller again is not made greater once more, nor the other way round.',
  check(world, broken) {
    const scalers = new ScalerChanges();
    const turns = new Map<
      string,
      { readonly isUp: boolean; readonly count: number; readonly atMs: number }
    >();
    let brokenMs = 0;
    return {
      onSecond() {
        if (world.calmSinceMs() === undefined || world.knownToAllMs() === 0) brokenMs = world.nowMs();
        if (
          world.plan.faults.some((one) => one.atMs <= world.nowMs() && one.atMs + one.forMs >= world.nowMs())
        )
          brokenMs = world.nowMs();
      },
      onEvent(event) {
        scalers.onEvent(event);
        const change = changeOf(event);
        if (change === undefined) return;
        const { workload, atMs, was, is } = change;
        const scaler = scalerNow(world, workload);
        if (scaler === undefined || patienceMs(scaler) < lateMs) return;
        const sinceMs = Math.max(brokenMs, world.loads()?.changedMs ?? 0, scalers.lastMs(workload));
        const isUp = is > was;
        const last = turns.get(workload);
        const isTurn = last !== undefined && last.isUp !== isUp && last.atMs > sinceMs + steadyMs;
        const count =
          (last !== undefined && last.atMs > sinceMs + steadyMs ? last.count : 0) + (isTurn ? 1 : 0);
        turns.set(workload, { isUp, count, atMs });
        if (count > turnsMax) broken(`${workload} went from ${was} to ${is}, as it had before`);
      },
    };
  },
};
