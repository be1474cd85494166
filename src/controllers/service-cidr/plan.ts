/**
 * The life of a ServiceCIDR: it is held as long as virtual IPs are from it and from no other. Pure.
 *
 *   there ──▶ finalizer, Ready            being deleted, in use ──▶ not Ready, and why
 *                                         being deleted, unused ──▶ a while for whoever gives addresses to have heard of it ──▶ let go
 */
import type { Condition, ServiceCIDR } from '../../api/index.ts';
import { formatTime } from '../../lib/index.ts';
import { serviceCidrsRef } from '../resources.ts';
import { type PlanContext, type Step, statusSteps, type Write } from '../step.ts';
import { holds, rangeOfAddress, rangesOf } from './ranges.ts';

export interface Observed {
  readonly cidr: ServiceCIDR;
  /** All of them. */
  readonly cidrs: readonly ServiceCIDR[];
  /** Virtual IPs that are in use; looked at only while the range is being deleted. */
  readonly addresses: readonly string[];
}

export const finalizer = 'networking.k8s.io/service-cidr-finalizer';
export const graceMs = 10_000;

export function plan(observed: Observed, { nowMs }: PlanContext): readonly Step[] {
  const { cidr } = observed;
  const { deletionTimestamp, finalizers = [] } = cidr.metadata;
  if (deletionTimestamp === undefined) {
    const held = finalizers.includes(finalizer) ? [] : [finalizersPatch(cidr, [...finalizers, finalizer])];
    return [...held, ...ready(cidr, true, '', 'Kubernetes Service CIDR is ready', nowMs)];
  }
  if (!finalizers.includes(finalizer)) return [];
  if (isNeeded(observed)) {
    const why =
      'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR';
    return ready(cidr, false, 'Terminating', why, nowMs);
  }
  const leftMs = Date.parse(deletionTimestamp) + graceMs - nowMs;
  if (leftMs > 0) return [{ kind: 'again', afterMs: leftMs }];
  return [
    finalizersPatch(
      cidr,
      finalizers.filter((one) => one !== finalizer),
    ),
  ];
}

/** Some address would be in no range any more. */
function isNeeded({ cidr, cidrs, addresses }: Observed): boolean {
  const others = cidrs.filter(({ metadata }) => metadata.uid !== cidr.metadata.uid);
  if (rangesOf(cidr).every((range) => others.some((other) => holds(other, range)))) return false;
  return addresses.some((address) => {
    const range = rangeOfAddress(address);
    return range !== undefined && holds(cidr, range) && !others.some((other) => holds(other, range));
  });
}

function ready(
  cidr: ServiceCIDR,
  isReady: boolean,
  reason: string,
  message: string,
  nowMs: number,
): readonly Write[] {
  const conditions = cidr.status?.conditions ?? [];
  const present = conditions.find(({ type }) => type === 'Ready');
  const status = isReady ? 'True' : 'False';
  const wanted: Condition = {
    type: 'Ready',
    status,
    lastTransitionTime: present?.status === status ? present.lastTransitionTime : formatTime(nowMs),
    reason,
    message,
  };
  const others = conditions.filter(({ type }) => type !== 'Ready');
  return statusSteps(serviceCidrsRef, cidr, { ...cidr.status, conditions: [...others, wanted] });
}

/** Based on the version that was seen. */
function finalizersPatch({ metadata }: ServiceCIDR, finalizers: readonly string[]): Write {
  const { name = '', uid, resourceVersion } = metadata;
  const patch = {
    metadata: { uid, resourceVersion, finalizers: finalizers.length === 0 ? null : finalizers },
  };
  return {
    kind: 'patch',
    ref: serviceCidrsRef,
    namespace: undefined,
    name,
    type: 'merge',
    patch,
    accept: ['notFound'],
  };
}
