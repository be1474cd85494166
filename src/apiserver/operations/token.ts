/**
 * Service accounts' tokens (TokenRequest): short-lived, for an audience, bound to a pod, secret or node where one is named.
 * Source: Kubernetes 1.36, registry/core/serviceaccount, as behaviour.
 */
import {
  badRequest,
  type Draft,
  invalid,
  type KubeObject,
  notFound,
  type Pod,
  type ServiceAccount,
  type TokenRequest,
} from '../../api/index.ts';
import { CaelumError, type ErrorCause, formatTime } from '../../lib/index.ts';
import type { ApiContext, NamedUid, TokenClaims, WriteRequest } from '../context.ts';
import type { DraftObject, Resource } from '../resource.ts';
import { admitAt } from './admitted.ts';
import type { Answer } from './answer.ts';

const shortestSeconds = 600;
const longestSeconds = 2 ** 32;
/** What the token volumes of pods ask for. Such a token really lasts a year, as long as its pod is there: programs that read it but once go on. */
const extendedFrom = 3607;
const extendedSeconds = 365 * 86_400;
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
  const problems = problemsOf(draft, request.namespace, name, seconds);
  const said = draft.metadata?.name ?? '';
  if (problems.length > 0)
    throw invalid({ group: 'authentication.k8s.io', kind: 'TokenRequest' }, said, problems);
  const isForUs = spec.audiences === undefined || spec.audiences.length === 0;
  const audiences = isForUs ? [defaultAudience] : (spec.audiences ?? []);
  const bound = boundTo(context, request, account, spec);
  const nowMs = context.clock.nowMs();
  const isExtended =
    bound.pod !== undefined &&
    seconds === extendedFrom &&
    audiences.every((audience) => audience === defaultAudience);
  const dueMs = nowMs + seconds * 1000;
  const token = request.dryRun
    ? ''
    : await context.issueToken({
        namespace: request.namespace,
        serviceAccount: { name, uid: account.metadata.uid ?? '' },
        audiences,
        expiresAtMs: isExtended ? nowMs + extendedSeconds * 1000 : dueMs,
        ...(isExtended ? { warnAfterMs: dueMs } : {}),
        ...bound,
      });
  return {
    kind: 'object',
    created: true,
    object: {
      kind: 'TokenRequest',
      apiVersion: 'authentication.k8s.io/v1',
      metadata: { name, namespace: request.namespace, creationTimestamp: formatTime(nowMs) },
      spec: { ...spec, audiences, expirationSeconds: seconds },
      status: { token, expirationTimestamp: formatTime(dueMs) },
    } as TokenRequest,
  };
}

function problemsOf(
  { metadata }: Draft<TokenRequest>,
  namespace: string,
  name: string,
  seconds: number,
): readonly ErrorCause[] {
  const problems: ErrorCause[] = [];
  const wrong = (field: string, value: unknown, why: string): void => {
    const message = `Invalid value: ${JSON.stringify(value)}: ${why}`;
    problems.push({ reason: 'FieldValueInvalid', field, message });
  };
  const said = metadata?.name ?? '';
  if (said !== '' && said !== name)
    wrong('metadata.name', said, 'must match the service account name if specified');
  const where = metadata?.namespace ?? '';
  if (where !== '' && where !== namespace)
    wrong('metadata.namespace', where, 'must match the service account namespace if specified');
  const field = 'spec.expirationSeconds';
  if (seconds < shortestSeconds) wrong(field, seconds, 'may not specify a duration less than 10 minutes');
  if (seconds > longestSeconds) wrong(field, seconds, 'may not specify a duration larger than 2^32 seconds');
  return problems;
}

/** What the token shall be worthless without. */
function boundTo(
  context: ApiContext,
  request: WriteRequest,
  account: ServiceAccount,
  spec: NonNullable<Draft<TokenRequest>['spec']>,
): Pick<TokenClaims, 'pod' | 'secret' | 'node'> {
  const ref = spec.boundObjectRef;
  if (ref === undefined) return {};
  const { apiVersion = '', kind = '', name = '', uid = '' } = ref;
  const found = (resource: string, namespace: string): KubeObject => {
    const of = context.resources.core(resource);
    const object = context.store.latest(of.key(namespace, name))?.object() as KubeObject | undefined;
    if (object === undefined) throw notFound(of.ref, name);
    if (uid !== '' && uid !== object.metadata.uid)
      throw new CaelumError(
        'conflict',
        `Operation cannot be fulfilled on ${kind} "${name}": the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
        { details: { kind, name } },
      );
    return object;
  };
  switch (`${apiVersion === '' ? 'v1' : apiVersion}/${kind}`) {
    case 'v1/Pod': {
      const pod = found('pods', request.namespace) as Pod;
      if (pod.spec?.serviceAccountName !== account.metadata.name)
        throw badRequest(
          `cannot bind token for serviceaccount "${account.metadata.name}" to pod running with different serviceaccount name.`,
        );
      return { pod: namedUid(pod), ...nodeOf(context, pod) };
    }
    case 'v1/Secret':
      return { secret: namedUid(found('secrets', request.namespace)) };
    case 'v1/Node':
      return { node: namedUid(found('nodes', '')) };
    default:
      throw badRequest(
        `cannot bind token to object of type ${apiVersion.includes('/') ? apiVersion : `/${apiVersion}`}, Kind=${kind}`,
      );
  }
}

const namedUid = ({ metadata: { name = '', uid = '' } }: KubeObject): NamedUid => ({ name, uid });

/** Where the pod runs, for whoever reads the token. */
function nodeOf({ resources, store }: ApiContext, { spec }: Pod): Pick<TokenClaims, 'node'> {
  const { nodeName: name = '' } = spec ?? {};
  if (name === '') return {};
  const node = store.latest(resources.core('nodes').key('', name))?.object() as KubeObject | undefined;
  const uid = node?.metadata.uid;
  return { node: { name, ...(uid === undefined ? {} : { uid }) } };
}
