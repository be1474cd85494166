/**
 * What has to be done so that a pod has what it was granted, while it runs. Pure.
 *
 *   granted amounts ─┐
 *   actual amounts  ─┴▶ resizeWork ──▶ the pod's limits, containers to change in place, containers to restart
 *
 * The order of the changes is the operation's (`resize-operations.ts`): what grows, grows from the outside in.
 */
import { type Container, compareQuantities, type ResourceRequirements } from '../../api/index.ts';
import type { Limits } from '../runtime/index.ts';
import type { Observed, Resizing } from './observed.ts';
import { containerLimits, podLimits } from './resources.ts';
import type { ContainerView, PodView } from './view.ts';

export interface ResizeWork {
  /** undefined: the pod's limits are as they should be. */
  readonly pod: Limits | undefined;
  readonly containers: readonly Resizing[];
  readonly restarts: readonly ContainerView[];
}

type Amount = 'cpu' | 'memory';

function amountDiffers(
  name: Amount,
  a: ResourceRequirements | undefined,
  b: ResourceRequirements | undefined,
): boolean {
  return (['requests', 'limits'] as const).some((part) => {
    const [one, other] = [a?.[part]?.[name], b?.[part]?.[name]];
    if (one === undefined || other === undefined) return one !== other;
    return one !== other && compareQuantities(one, other) !== 0;
  });
}

/** Which of its amounts a running container has otherwise than granted. */
function differing(item: ContainerView): readonly Amount[] {
  const actual = item.current?.limits?.resources;
  // It was started by somebody who kept no account: as granted, for all we know.
  if (actual === undefined) return [];
  return (['cpu', 'memory'] as const).filter((name) => amountDiffers(name, actual, item.container.resources));
}

const restartsFor = ({ resizePolicy }: Container, name: Amount): boolean =>
  resizePolicy?.find(({ resourceName }) => resourceName === name)?.restartPolicy === 'RestartContainer';

export const sameLimits = (a: Limits, b: Limits): boolean =>
  a.cpuShares === b.cpuShares &&
  a.cpuQuotaMicros === b.cpuQuotaMicros &&
  a.memoryLimitBytes === b.memoryLimitBytes;

/** undefined: all is as granted. */
export function resizeWork(observed: Observed, view: PodView): ResizeWork | undefined {
  const containers: Resizing[] = [];
  const restarts: ContainerView[] = [];
  for (const item of view.containers) {
    const { current, container } = item;
    if (item.role === 'init' || current?.state !== 'running' || current.limits === undefined) continue;
    const differ = differing(item);
    const wanted = containerLimits(container, view.pod.spec?.resources);
    if (differ.length === 0 && sameLimits(current.limits, wanted)) continue;
    const { id, limits } = current;
    if (differ.some((name) => restartsFor(container, name))) restarts.push(item);
    else {
      const to = { ...wanted, resources: container.resources ?? {} };
      containers.push({ name: container.name, id, from: limits, to });
    }
  }
  const wanted = podLimits(view.pod);
  const { sandbox, sandboxLimits } = observed;
  const differs = sandbox && sandboxLimits !== undefined && !sameLimits(sandboxLimits, wanted);
  if (!differs && containers.length === 0 && restarts.length === 0) return undefined;
  return { pod: differs ? wanted : undefined, containers, restarts };
}

/** A container that was stopped to be resized, and has not been started again yet. */
export const awaitsRestart = (observed: Observed, item: ContainerView): boolean =>
  item.current !== undefined && observed.allocation?.restarts?.[item.container.name] === item.current.id;

/** Whether a resize that was begun is carried out. */
export const isResized = (observed: Observed, view: PodView, work: ResizeWork | undefined): boolean =>
  work === undefined &&
  !view.containers.some((item) => awaitsRestart(observed, item)) &&
  !observed.busy.has('resize');

/** The limits while both the old and the new ones have to be possible. */
export function largerLimits(a: Limits, b: Limits): Limits {
  const larger = (one: number | undefined, other: number | undefined): number | undefined =>
    one === undefined || other === undefined ? undefined : Math.max(one, other);
  return {
    cpuShares: Math.max(a.cpuShares, b.cpuShares),
    cpuQuotaMicros: larger(a.cpuQuotaMicros, b.cpuQuotaMicros),
    memoryLimitBytes: larger(a.memoryLimitBytes, b.memoryLimitBytes),
  };
}

const unlimited = Number.POSITIVE_INFINITY;

/** Does it get a lower limit of memory than it has? */
export const losesMemory = (from: Limits, to: Limits): boolean =>
  (to.memoryLimitBytes ?? unlimited) < (from.memoryLimitBytes ?? unlimited);
