/**
 * What becomes of a certificate signing request: approved where the one who asks may have it unseen, signed or refused once it is approved, and cleaned away when
 * it is old. Pure: what a signature is, and who may what, is observed.
 */
import type { CertificateSigningRequest } from '../../api/index.ts';
import { requestsRef } from '../resources.ts';
import type { PlanContext } from '../step.ts';
import { deletion, type Step } from '../step.ts';

type Request = CertificateSigningRequest;
type Condition = NonNullable<NonNullable<Request['status']>['conditions']>[number];

export interface Observed {
  readonly request: Request;
  /** Why it may be approved without anybody's looking at it. */
  readonly approval: string | undefined;
  /** What the signer has made of it; undefined: nothing yet, or it is not ours to sign. */
  readonly outcome:
    | { readonly kind: 'signed'; readonly pem: string }
    | { readonly kind: 'refused'; readonly why: string }
    | undefined;
  /** When the certificate that is there runs out. */
  readonly certificateEndMs: number | undefined;
}

const hourMs = 3_600_000;
const keptMs = { decided: hourMs, pending: 24 * hourMs } as const;

export const conditionOf = ({ status }: Request, type: string): Condition | undefined =>
  status?.conditions?.find((one) => one.type === type && one.status === 'True');

export const isPending = (request: Request): boolean =>
  conditionOf(request, 'Approved') === undefined && conditionOf(request, 'Denied') === undefined;

/** Approved, and nothing has come of it yet. */
export const isUnsigned = (request: Request): boolean =>
  conditionOf(request, 'Approved') !== undefined &&
  conditionOf(request, 'Denied') === undefined &&
  conditionOf(request, 'Failed') === undefined &&
  (request.status?.certificate ?? '') === '';

export function plan(observed: Observed, { nowMs }: PlanContext): readonly Step[] {
  const { request, approval, outcome } = observed;
  if (request.metadata.deletionTimestamp !== undefined) return [];
  const endMs = keptUntilMs(observed);
  if (endMs <= nowMs) return [deletion(requestsRef, request)];
  const again: Step = { kind: 'again', afterMs: endMs - nowMs };
  if (isPending(request) && approval !== undefined)
    return [
      withConditions(request, 'approval', {
        type: 'Approved',
        status: 'True',
        reason: 'AutoApproved',
        message: approval,
      }),
    ];
  if (!isUnsigned(request) || outcome === undefined) return [again];
  if (outcome.kind === 'refused')
    return [
      withConditions(request, 'status', {
        type: 'Failed',
        status: 'True',
        reason: 'SignerValidationFailure',
        message: outcome.why,
      }),
      again,
    ];
  const certificate = Buffer.from(outcome.pem).toString('base64');
  return [
    {
      kind: 'update',
      ref: requestsRef,
      object: { ...request, status: { ...request.status, certificate } } as Request,
      subresource: 'status',
    },
  ];
}

function withConditions(request: Request, subresource: string, condition: Condition): Step {
  const conditions = [...(request.status?.conditions ?? []), condition];
  const object = { ...request, status: { ...request.status, conditions } } as Request;
  return { kind: 'update', ref: requestsRef, object, subresource };
}

/** An hour after all has been said, a day after nobody has said anything, and no longer than its certificate is good. */
function keptUntilMs({ request, certificateEndMs }: Observed): number {
  const said = ['Denied', 'Failed', ...((request.status?.certificate ?? '') === '' ? [] : ['Approved'])];
  const times = said.flatMap((type) => {
    const condition = conditionOf(request, type);
    return condition === undefined
      ? []
      : [timeOf(condition.lastUpdateTime ?? condition.lastTransitionTime, request) + keptMs.decided];
  });
  if (isPending(request)) times.push(timeOf(undefined, request) + keptMs.pending);
  if (certificateEndMs !== undefined) times.push(certificateEndMs);
  // Approved, for a signer that is not here: as long as one that nobody has looked at.
  if (times.length === 0) times.push(timeOf(undefined, request) + keptMs.pending);
  return Math.min(...times);
}

const timeOf = (text: string | undefined, { metadata }: Request): number =>
  Date.parse(text ?? metadata.creationTimestamp ?? '') || 0;
