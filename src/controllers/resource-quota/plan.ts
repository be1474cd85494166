/** What a quota's status says: the limits as they are asked for, and how much of each is used. Pure. */
import {
  addUsage,
  contribution,
  isOverdue,
  type KubeObject,
  nothingUsed,
  type Pod,
  type ResourceQuota,
} from '../../api/index.ts';
import { sameJson } from '../../lib/index.ts';
import { resourceQuotasRef } from '../resources.ts';
import type { PlanContext, Step } from '../step.ts';

export interface Observed {
  readonly quota: ResourceQuota;
  /** Of its namespace, by what they are: `pods`, `deployments.apps`. */
  readonly objects: ReadonlyMap<string, Iterable<KubeObject>>;
}

export function plan({ quota, objects }: Observed, { nowMs }: PlanContext): readonly Step[] {
  const { namespace, name = '', uid } = quota.metadata;
  const hard = quota.spec?.hard ?? {};
  const used = nothingUsed(quota);
  let nextMs: number | undefined;
  for (const [groupResource, list] of objects)
    for (const object of list) {
      if (groupResource === 'pods') {
        if (isOverdue(object as Pod, nowMs)) continue;
        const endMs = endOf(object);
        if (endMs !== undefined && (nextMs === undefined || endMs < nextMs)) nextMs = endMs;
      }
      addUsage(used, contribution(quota, groupResource, object) ?? {});
    }
  const again: readonly Step[] =
    nextMs === undefined ? [] : [{ kind: 'again', afterMs: Math.max(0, nextMs - nowMs) + 1000 }];
  const { status = {} } = quota;
  const changes = {
    ...(sameJson(status.hard ?? {}, hard) ? {} : { hard: changed(status.hard, hard) }),
    ...(sameJson(status.used ?? {}, used) ? {} : { used: changed(status.used, used) }),
  };
  if (Object.keys(changes).length === 0) return again;
  return [
    {
      kind: 'patch',
      ref: resourceQuotasRef,
      namespace,
      name,
      type: 'merge',
      patch: { metadata: { uid }, status: changes },
      subresource: 'status',
      accept: ['notFound'],
    },
    ...again,
  ];
}

/** When a pod that is going counts no more, whether or not it is gone. */
function endOf({ metadata }: KubeObject): number | undefined {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = metadata;
  return deletionTimestamp === undefined
    ? undefined
    : Date.parse(deletionTimestamp) + deletionGracePeriodSeconds * 1000;
}

/** As a merge patch: what is limited no longer goes. */
function changed(
  before: Readonly<Record<string, string>> = {},
  after: Readonly<Record<string, string>>,
): Readonly<Record<string, string | null>> {
  const gone = Object.keys(before).filter((name) => !(name in after));
  return { ...Object.fromEntries(gone.map((name) => [name, null])), ...after };
}
