/**
 * The controller of certificate signing requests: approves, signs, cleans. Decisions are in `plan.ts` and `rules.ts`; keys are the authority's.
 */
import type { CertificateSigningRequest } from '../../api/index.ts';
import type { Informers } from '../../client/index.ts';
import { type Clock, isError } from '../../lib/index.ts';
import { requestsRef } from '../resources.ts';
import { type Controller, watch } from '../shell.ts';
import { isPending, isUnsigned, type Observed, plan } from './plan.ts';
import { approvalOf, isOurs, type RequestFacts, refusalOf } from './rules.ts';

type Request = CertificateSigningRequest;

export interface Authority {
  /** Throws `badRequest` for what is no request. */
  read(pem: string): Promise<RequestFacts>;
  sign(
    pem: string,
    terms: { readonly usages: readonly string[]; readonly notBeforeMs: number; readonly notAfterMs: number },
  ): Promise<string>;
}

export interface CertificatesOptions {
  readonly authority: Authority;
  /** Whether the one who asked may create `certificatesigningrequests/SUBRESOURCE`. */
  readonly mayCreate: (request: Request['spec'], subresource: string) => Promise<boolean>;
}

const longestMs = 365 * 86_400_000;
/** Clocks of machines differ. */
const backdatedMs = 300_000;

export function certificatesController(
  informers: Informers,
  clock: Clock,
  options: CertificatesOptions,
): Controller<Observed> {
  const requests = informers.informer<Request>(requestsRef);
  return {
    name: 'certificate-controller',
    workers: 2,
    watches: [watch<Request>(informers, requestsRef, ({ key }) => [key])],
    async observe(name) {
      const request = requests.get(name);
      if (request === undefined) return undefined;
      const nothing = { request, approval: undefined, outcome: undefined, certificateEndMs: endOf(request) };
      const { signerName, usages = [] } = request.spec;
      if (!isOurs(signerName) || !(isPending(request) || isUnsigned(request))) return nothing;
      const facts = await factsOf(request, options.authority);
      if (typeof facts === 'string') {
        const outcome = isUnsigned(request) ? ({ kind: 'refused', why: facts } as const) : undefined;
        return { ...nothing, outcome };
      }
      if (isPending(request)) {
        const approval = approvalOf(signerName, request.spec.username ?? '', facts, usages);
        const may = approval !== undefined && (await options.mayCreate(request.spec, approval.subresource));
        return { ...nothing, approval: may ? approval.message : undefined };
      }
      const why = refusalOf(signerName, facts, usages);
      if (why !== undefined) return { ...nothing, outcome: { kind: 'refused', why } };
      return { ...nothing, outcome: { kind: 'signed', pem: await sign(request, clock, options.authority) } };
    },
    plan,
  };
}

const pemOf = ({ spec }: Request): string => Buffer.from(spec.request, 'base64').toString('latin1');

/** Text: why it cannot be read. */
async function factsOf(request: Request, authority: Authority): Promise<RequestFacts | string> {
  try {
    return await authority.read(pemOf(request));
  } catch (error) {
    if (isError(error, 'badRequest')) return error.message;
    throw error;
  }
}

function sign(request: Request, clock: Clock, authority: Authority): Promise<string> {
  const nowMs = clock.nowMs();
  const { usages = [], expirationSeconds } = request.spec;
  const lastsMs = Math.min(longestMs, expirationSeconds === undefined ? longestMs : expirationSeconds * 1000);
  return authority.sign(pemOf(request), {
    usages,
    notBeforeMs: nowMs - Math.min(backdatedMs, lastsMs / 2),
    notAfterMs: nowMs + lastsMs,
  });
}

/** A certificate is kept for an hour at most: only what is asked to last less runs out before. */
function endOf({ spec, status }: Request): number | undefined {
  const approved = status?.conditions?.find(({ type }) => type === 'Approved');
  if (spec.expirationSeconds === undefined || (status?.certificate ?? '') === '') return undefined;
  const since = Date.parse(approved?.lastUpdateTime ?? '');
  return Number.isNaN(since) ? undefined : since + spec.expirationSeconds * 1000;
}
