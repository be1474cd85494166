/** Service accounts' tokens (TokenRequest): short-lived, for an audience, bound to a pod where one is named. */
import {
  badRequest,
  type Draft,
  invalid,
  notFound,
  type ServiceAccount,
  type TokenRequest,
} from '../../api/index.ts';
import { CaelumError, formatTime } from '../../lib/index.ts';
import type { ApiContext, WriteRequest } from '../context.ts';
import type { DraftObject, Resource } from '../resource.ts';
import { admitAt } from './admitted.ts';
import type { Answer } from './answer.ts';

const shortestSeconds = 600;
const longestSeconds = 2 ** 32;
export const defaultAudience = 'https://kubernetes.default.svc.cluster.local';

export function requestToken(
  context: ApiContext,
  accounts: Resource,
  request: WriteRequest,
  name: string,
  body: DraftObject,
): Promise<Answer> {
  return admitAt(context, { resource: accounts, request, name, subresource: 'token' }, body, (admitted) =>
    issue(context, accounts, request, name, admitted),
  );
}

async function issue(
  context: ApiContext,
  accounts: Resource,
  request: WriteRequest,
  name: string,
  body: DraftObject,
): Promise<Answer> {
  if (context.issueToken === undefined)
    throw new CaelumError('unavailable', 'Cannot issue tokens: this server has no signing key');
  const stored = context.store.latest(accounts.key(request.namespace, name));
  if (stored === undefined) throw notFound(accounts.ref, name);
  const account = stored.object() as ServiceAccount;
  const draft = body as unknown as Draft<TokenRequest>;
  const spec = draft.spec ?? { audiences: [] };
  const seconds = spec.expirationSeconds ?? 3600;
  const problem = (reason: string, field: string, message: string) =>
    invalid({ group: 'authentication.k8s.io', kind: 'TokenRequest' }, '', [{ reason, field, message }]);
  if (seconds < shortestSeconds)
    throw problem(
      'FieldValueInvalid',
      'spec.expirationSeconds',
      `Invalid value: ${seconds}: may not specify a duration less than 10 minutes`,
    );
  if (seconds > longestSeconds)
    throw problem(
      'FieldValueInvalid',
      'spec.expirationSeconds',
      `Invalid value: ${seconds}: may not specify a duration larger than 2^32 seconds`,
    );
  const pod = boundPod(context, request, account, spec);
  const audiences =
    spec.audiences === undefined || spec.audiences.length === 0 ? [defaultAudience] : spec.audiences;
  const expiresAtMs = context.clock.nowMs() + seconds * 1000;
  const token = await context.issueToken({
    namespace: request.namespace,
    serviceAccount: { name, uid: account.metadata.uid ?? '' },
    audiences,
    expiresAtMs,
    ...(pod === undefined ? {} : { pod }),
  });
  return {
    kind: 'object',
    created: true,
    object: {
      kind: 'TokenRequest',
      apiVersion: 'authentication.k8s.io/v1',
      metadata: { name, namespace: request.namespace, creationTimestamp: formatTime(context.clock.nowMs()) },
      spec: { ...spec, audiences, expirationSeconds: seconds },
      status: { token, expirationTimestamp: formatTime(expiresAtMs) },
    } as TokenRequest,
  };
}

function boundPod(
  context: ApiContext,
  request: WriteRequest,
  account: ServiceAccount,
  spec: NonNullable<Draft<TokenRequest>['spec']>,
) {
  const bound = spec.boundObjectRef;
  if (bound === undefined) return undefined;
  if (bound.kind !== 'Pod')
    throw badRequest(
      `cannot bind token for serviceaccount "${account.metadata.name}" to object kind "${bound.kind ?? ''}": only Pod is served`,
    );
  const pods = context.resources.core('pods');
  const stored = context.store.latest(pods.key(request.namespace, bound.name ?? ''));
  const pod = stored?.object() as
    | { metadata: { uid?: string }; spec?: { serviceAccountName?: string } }
    | undefined;
  if (pod === undefined) throw notFound(pods.ref, bound.name ?? '');
  if (bound.uid !== undefined && bound.uid !== '' && bound.uid !== pod.metadata.uid)
    throw new CaelumError(
      'conflict',
      `the UID in the bound object reference (${bound.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  if (pod.spec?.serviceAccountName !== account.metadata.name)
    throw badRequest(
      `cannot bind token for serviceaccount "${account.metadata.name}" to pod running with different serviceaccount name.`,
    );
  return { name: bound.name ?? '', uid: pod.metadata.uid ?? '' };
}
