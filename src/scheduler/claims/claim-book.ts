/**
 * What claims of devices say about where a pod can go. Pure; kept current by single changes; asked only for pods that have such claims.
 *
 *   pod's claims ──▶ allocated: the nodes of their devices │ not allocated: a node whose free devices will do │ else the pod waits
 *        chosen node ──▶ decision: which devices each claim gets ──▶ assumed until it shows, or is given up
 *
 * Source: kube-scheduler's DynamicResources, as behaviour.
 */
import type { DynamicResourceClaim, Pod } from '../../api/index.ts';

export const claimRefusals = {
  /** Of a claim that is allocated: its devices are elsewhere. */
  elsewhere: 'resourceclaim not available on the node',
  none: 'cannot allocate all claims',
  tooLong: 'timed out trying to allocate devices',
} as const;

type Allocation = NonNullable<NonNullable<DynamicResourceClaim['status']>['allocation']>;

/** What has to be written for a pod to have its devices on a node. */
export interface ClaimDecision {
  readonly nodeName: string;
  /** All claims of the pod that are not held by it already; with an allocation where they have none yet. */
  readonly claims: readonly { readonly claim: DynamicResourceClaim; readonly allocation?: Allocation }[];
}

/** A node as far as devices go. */
export interface ClaimNode {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, string>>;
}

export interface ClaimAsk {
  /** Why no node will do, whichever it is. */
  readonly unresolved: string | undefined;
  refusals(node: ClaimNode): readonly string[];
  /** undefined: nothing has to be written. The node was not refused. */
  decide(node: ClaimNode): ClaimDecision | undefined;
}

export class DeviceClaimBook {
  ask(_pod: Pod): ClaimAsk {
    return { unresolved: undefined, refusals: () => [], decide: () => undefined };
  }

  /** From now on others reckon with it. Idempotent. */
  assume(_podKey: string, _decision: ClaimDecision): void {}

  /** It shows now, or it was given up. Idempotent. */
  release(_podKey: string): void {}
}
