/** Questions about who one is and what one may do: posted, answered, never stored. Pure. */
import {
  badRequest,
  type Draft,
  type SelfSubjectRulesReview,
  type SubjectAccessReview,
  type TokenReview,
  type UserInfo,
} from '../api/index.ts';
import type { Access } from './access/access.ts';
import type { Attributes } from './access/rules.ts';
import type { Identity } from './identity.ts';

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

/** The answer to a review of the given kind, asked by `identity`; `namespace` is that of the request's path. */
export function answerReview(
  access: Access,
  kind: string,
  apiVersion: string,
  identity: Identity,
  body: Body,
  namespace = '',
): object {
  switch (kind) {
    case 'SelfSubjectReview':
      return {
        kind,
        apiVersion,
        metadata: { creationTimestamp: null },
        status: { userInfo: userInfo(identity) },
      };
    case 'SelfSubjectAccessReview':
      return accessReview(access, kind, apiVersion, identity, body);
    case 'SubjectAccessReview':
    case 'LocalSubjectAccessReview': {
      const {
        user = '',
        groups = [],
        uid,
        extra,
      } = (body['spec'] ?? {}) as Draft<NonNullable<SubjectAccessReview['spec']>>;
      if (user === '' && groups.length === 0)
        throw badRequest('spec.user: Invalid value: "": at least one of user or group must be specified');
      const attributes = (body['spec'] as { resourceAttributes?: { namespace?: string } }).resourceAttributes;
      if (kind === 'LocalSubjectAccessReview' && (attributes?.namespace ?? '') !== namespace)
        throw badRequest(
          `spec.resourceAttributes.namespace: Invalid value: ${JSON.stringify(attributes?.namespace ?? '')}: must match the namespace of the request`,
        );
      const subject = {
        user,
        groups,
        ...(uid === undefined ? {} : { uid }),
        ...(extra === undefined ? {} : { extra }),
      };
      return accessReview(access, kind, apiVersion, subject as Identity, body);
    }
    case 'SelfSubjectRulesReview':
      return rulesReview(access, kind, apiVersion, identity, body);
    default:
      throw badRequest(`Cannot answer a review of kind "${kind}"`);
  }
}

export function userInfo(identity: Identity): UserInfo {
  return {
    username: identity.user,
    ...(identity.uid === undefined ? {} : { uid: identity.uid }),
    groups: identity.groups,
    ...(identity.extra === undefined ? {} : { extra: identity.extra }),
  };
}

function accessReview(
  access: Access,
  kind: string,
  apiVersion: string,
  subject: Identity,
  body: Body,
): object {
  const spec = (body['spec'] ?? {}) as {
    resourceAttributes?: Partial<Extract<Attributes, { kind: 'resource' }>>;
    nonResourceAttributes?: { path?: string; verb?: string };
  };
  const { resourceAttributes: asked, nonResourceAttributes: path } = spec;
  if ((asked === undefined) === (path === undefined))
    throw badRequest(
      'spec: Invalid value: exactly one of nonResourceAttributes or resourceAttributes must be specified',
    );
  const decision = access.decide(
    subject,
    asked === undefined
      ? { kind: 'path', verb: path?.verb ?? '', path: path?.path ?? '' }
      : {
          kind: 'resource',
          verb: asked.verb ?? '',
          group: asked.group ?? '',
          resource: asked.resource ?? '',
          subresource: asked.subresource ?? '',
          namespace: asked.namespace ?? '',
          name: asked.name ?? '',
        },
  );
  return {
    kind,
    apiVersion,
    metadata: { creationTimestamp: null },
    spec: body['spec'],
    status: { allowed: decision.allowed, ...(decision.because === '' ? {} : { reason: decision.because }) },
  };
}

function rulesReview(
  access: Access,
  kind: string,
  apiVersion: string,
  identity: Identity,
  body: Body,
): object {
  const { namespace = '' } = (body['spec'] ?? {}) as { namespace?: string };
  if (namespace === '') throw badRequest('no namespace on request');
  const rules = access.rulesOf(identity, namespace);
  const status: NonNullable<SelfSubjectRulesReview['status']> = {
    resourceRules: rules
      .filter(({ resources }) => resources !== undefined)
      .map(({ verbs, apiGroups = [], resources = [], resourceNames }) => ({
        verbs,
        apiGroups,
        resources,
        ...(resourceNames === undefined ? {} : { resourceNames }),
      })),
    nonResourceRules: rules
      .filter(({ nonResourceURLs }) => nonResourceURLs !== undefined)
      .map(({ verbs, nonResourceURLs = [] }) => ({ verbs, nonResourceURLs })),
    incomplete: false,
  };
  return { kind, apiVersion, metadata: { creationTimestamp: null }, spec: body['spec'], status };
}
