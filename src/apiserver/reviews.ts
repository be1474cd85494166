/** Questions about who one is and what one may do: posted, answered, never stored. Pure. */
import {
  badRequest,
  type Draft,
  type SelfSubjectAccessReview,
  type SelfSubjectRulesReview,
  type SubjectAccessReview,
  type TokenReview,
  type UserInfo,
} from '../api/index.ts';
import { isError } from '../lib/index.ts';
import type { Access } from './access/access.ts';
import type { Selectors } from './access/rules.ts';
import type { Identity } from './identity.ts';

type SelfSubjectAccessReviewSpec = SelfSubjectAccessReview['spec'];
type Body = Readonly<Record<string, unknown>>;

interface Bearer {
  readonly identity: Identity;
  readonly audiences: readonly string[];
}

/** Whose a token is. `identify` answers undefined for what nobody knows, or what is not for these audiences. */
export async function answerTokenReview(
  apiVersion: string,
  body: Body,
  identify: (token: string, audiences: readonly string[]) => Bearer | undefined | Promise<Bearer | undefined>,
): Promise<object> {
  const { token = '', audiences = [] } = (body['spec'] ?? {}) as Draft<NonNullable<TokenReview['spec']>>;
  if (token === '') throw badRequest('token is required for TokenReview in authentication');
  let bearer: Bearer | undefined;
  let error: string | undefined;
  try {
    bearer = await identify(token, audiences);
  } catch (thrown) {
    error = isError(thrown) ? thrown.message : 'the token could not be checked';
  }
  return {
    kind: 'TokenReview',
    apiVersion,
    metadata: { creationTimestamp: null },
    spec: body['spec'],
    status:
      bearer === undefined
        ? { user: {}, error: error ?? 'invalid bearer token' }
        : { authenticated: true, user: userInfo(bearer.identity), audiences: bearer.audiences },
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
): object | Promise<object> {
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

async function accessReview(
  access: Access,
  kind: string,
  apiVersion: string,
  subject: Identity,
  body: Body,
): Promise<object> {
  const spec = (body['spec'] ?? {}) as Draft<SelfSubjectAccessReviewSpec>;
  const { resourceAttributes: asked, nonResourceAttributes: path } = spec;
  if ((asked === undefined) === (path === undefined))
    throw badRequest(
      'spec: Invalid value: exactly one of nonResourceAttributes or resourceAttributes must be specified',
    );
  const decision = await access.ask(
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
          ...(asked.version === undefined ? {} : { version: asked.version }),
          ...reviewedSelectors(asked),
        },
  );
  return {
    kind,
    apiVersion,
    metadata: { creationTimestamp: null },
    spec: body['spec'],
    status: {
      allowed: decision.allowed,
      ...(decision.denied === true ? { denied: true } : {}),
      ...(decision.because === '' ? {} : { reason: decision.because }),
    },
  };
}

/** Selectors are given whole or in parts, never both. Source: KEP-4601. */
function reviewedSelectors({
  fieldSelector,
  labelSelector,
}: NonNullable<SelfSubjectAccessReviewSpec['resourceAttributes']>): { readonly selectors?: Selectors } {
  const check = (
    field: string,
    selector: { rawSelector?: string; requirements?: readonly unknown[] } | undefined,
  ) => {
    if (selector?.rawSelector && (selector.requirements?.length ?? 0) > 0)
      throw badRequest(
        `spec.resourceAttributes.${field}.rawSelector: Invalid value: ${JSON.stringify(selector.rawSelector)}: may not specified at the same time as requirements`,
      );
  };
  check('fieldSelector', fieldSelector);
  check('labelSelector', labelSelector);
  const field =
    fieldSelector === undefined
      ? undefined
      : selectorText(fieldSelector.rawSelector, fieldSelector.requirements);
  const label =
    labelSelector === undefined
      ? undefined
      : selectorText(labelSelector.rawSelector, labelSelector.requirements);
  if (field === undefined && label === undefined) return {};
  return {
    selectors: { ...(field === undefined ? {} : { field }), ...(label === undefined ? {} : { label }) },
  };
}

interface Requirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

function selectorText(
  raw: string | undefined,
  requirements: readonly Requirement[] = [],
): string | undefined {
  if (raw) return raw;
  const parts = requirements.map(({ key, operator, values = [] }) => {
    switch (operator) {
      case 'In':
        return values.length === 1 ? `${key}=${values[0]}` : `${key} in (${values.join(',')})`;
      case 'NotIn':
        return values.length === 1 ? `${key}!=${values[0]}` : `${key} notin (${values.join(',')})`;
      case 'Exists':
        return key;
      default:
        return `!${key}`;
    }
  });
  return parts.length === 0 ? undefined : parts.join(',');
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
