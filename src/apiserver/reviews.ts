/** Questions about who one is and what one may do: posted, answered, never stored. Pure. */
import {
  badRequest,
  type Draft,
  type SelfSubjectRulesReview,
  type SubjectAccessReview,
  type TokenReview,
} from '../api/index.ts';
import { type Attributes, authorize } from './authorize.ts';
import { type Identity, isMaster } from './identity.ts';

type Body = Readonly<Record<string, unknown>>;

/** Whose a token is. `identify` answers undefined for what is no token of ours, or not for these audiences. */
export function answerTokenReview(
  apiVersion: string,
  body: Body,
  identify: (token: string, audiences: readonly string[]) => Identity | undefined,
): object {
  const { token = '', audiences = [] } = (body['spec'] ?? {}) as Draft<NonNullable<TokenReview['spec']>>;
  if (token === '') throw badRequest('token is required for TokenReview in authentication');
  const identity = identify(token, audiences);
  return {
    kind: 'TokenReview',
    apiVersion,
    metadata: { creationTimestamp: null },
    spec: body['spec'],
    status:
      identity === undefined
        ? { user: {}, error: 'the token is not known' }
        : {
            authenticated: true,
            user: userInfo(identity),
            ...(audiences.length === 0 ? {} : { audiences }),
          },
  };
}

/** The answer to a review of the given kind, asked by `identity`. */
export function answerReview(kind: string, apiVersion: string, identity: Identity, body: Body): object {
  switch (kind) {
    case 'SelfSubjectReview':
      return {
        kind,
        apiVersion,
        metadata: { creationTimestamp: null },
        status: { userInfo: userInfo(identity) },
      };
    case 'SelfSubjectAccessReview':
      return accessReview(kind, apiVersion, identity, body);
    case 'SubjectAccessReview': {
      const { user = '', groups = [] } = (body['spec'] ?? {}) as Draft<
        NonNullable<SubjectAccessReview['spec']>
      >;
      return accessReview(kind, apiVersion, { user, groups }, body);
    }
    case 'SelfSubjectRulesReview':
      return rulesReview(kind, apiVersion, identity, body);
    default:
      throw badRequest(`Cannot answer a review of kind "${kind}"`);
  }
}

export function userInfo(identity: Identity): object {
  return {
    username: identity.user,
    ...(identity.uid === undefined ? {} : { uid: identity.uid }),
    groups: identity.groups,
    ...(identity.extra === undefined ? {} : { extra: identity.extra }),
  };
}

function accessReview(kind: string, apiVersion: string, subject: Identity, body: Body): object {
  const spec = (body['spec'] ?? {}) as {
    resourceAttributes?: Partial<Attributes>;
    nonResourceAttributes?: { path?: string; verb?: string };
  };
  const asked = spec.resourceAttributes;
  if (asked === undefined && spec.nonResourceAttributes === undefined)
    throw badRequest('exactly one of nonResourceAttributes or resourceAttributes must be specified');
  const decision =
    asked === undefined
      ? {
          allowed: isMaster(subject) || spec.nonResourceAttributes?.verb === 'get',
          because: 'paths that are no resources may be read',
        }
      : authorize(subject, {
          verb: asked.verb ?? '',
          group: asked.group ?? '',
          resource: asked.resource ?? '',
          subresource: asked.subresource ?? '',
          namespace: asked.namespace ?? '',
          name: asked.name ?? '',
        });
  return {
    kind,
    apiVersion,
    metadata: { creationTimestamp: null },
    spec: body['spec'],
    status: { allowed: decision.allowed, reason: decision.because },
  };
}

function rulesReview(kind: string, apiVersion: string, identity: Identity, body: Body): object {
  const status: NonNullable<SelfSubjectRulesReview['status']> = isMaster(identity)
    ? {
        resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
        nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
        incomplete: false,
      }
    : {
        resourceRules: [
          {
            verbs: ['create'],
            apiGroups: ['authorization.k8s.io'],
            resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
          },
          { verbs: ['create'], apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'] },
        ],
        nonResourceRules: [
          {
            verbs: ['get'],
            nonResourceURLs: [
              '/api',
              '/api/*',
              '/apis',
              '/apis/*',
              '/healthz',
              '/livez',
              '/openapi/*',
              '/readyz',
              '/version',
            ],
          },
        ],
        incomplete: false,
      };
  return { kind, apiVersion, metadata: { creationTimestamp: null }, spec: body['spec'], status };
}
