/**
 * Who owns which fields: kept for objects that users make, and for all that somebody has applied. What our own parts make (pods, events, leases) has no owners
 * until somebody applies upon it: then all that is there belongs to `before-first-apply`, as in Kubernetes.
 */

import type { KubeObject } from '../../api/index.ts';
import { shapeOfMessage, trackUpdate } from '../../api/index.ts';
import { formatTime } from '../../lib/index.ts';
import type { ApiContext, WriteRequest } from '../context.ts';
import type { DraftObject, Resource } from '../resource.ts';
import { type Change, subresourceOf } from './update.ts';

/**
 * The names under which our own parts own what they change of objects with owners: those of Kubernetes' parts, which tools that compare what is with what
 * was wanted are told to leave alone.
 */
const ownName = 'kube-controller-manager';
const agentName = 'kubelet';

export function trackChange(
  context: ApiContext,
  resource: Resource,
  request: WriteRequest,
  change: Change,
  old: KubeObject,
  draft: DraftObject,
): void {
  if (old.metadata.managedFields === undefined) {
    delete draft.metadata.managedFields;
    return;
  }
  const subresource = change.subresource ?? subresourceOf(change.part);
  trackUpdate(
    old,
    draft,
    ownershipOf(context, resource, request.manager ?? nameOf(request), 'Update', subresource),
  );
}

const nameOf = ({ identity }: WriteRequest): string =>
  identity.groups.includes('system:nodes') ? agentName : ownName;

/** The `managedFields` of an object that is about to be made: all that stands in it now is its maker's. */
export function ownedByMaker(
  context: ApiContext,
  resource: Resource,
  request: WriteRequest,
  draft: DraftObject,
): unknown {
  if (request.manager === undefined) return undefined;
  trackUpdate(undefined, draft, ownershipOf(context, resource, request.manager, 'Update', ''));
  return draft.metadata.managedFields;
}

export function ownershipOf(
  context: ApiContext,
  resource: Resource,
  name: string,
  operation: 'Apply' | 'Update',
  subresource: string,
) {
  return {
    manager: { name, operation, apiVersion: resource.apiVersion, subresource },
    shape: shapeOfMessage(resource.message),
    now: formatTime(context.clock.nowMs()),
    hasStatus: resource.kind.hasStatus,
  };
}
