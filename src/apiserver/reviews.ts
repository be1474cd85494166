/** Questions about who one is and what one may do: posted, answered, never stored. Pure. */
import {
  badRequest,
  type Draft,
  invalid,
  type SelfSubjectAccessReview,
  type SelfSubjectRulesReview,
  type SubjectAccessReview,
  type TokenReview,
  type UserInfo,
} from '../api/index.ts';
import { type ErrorCause, isError } from '../lib/index.ts';
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
    case 'SelfSubjectAccessReview': {
      const problems = reviewProblems((body['spec'] ?? {}) as ReviewedSpec);
      if (problems.length > 0) throw invalid({ group: authorizationGroup, kind }, '', problems);
      return accessReview(access, kind, apiVersion, identity, body);
    }
    case 'SubjectAccessReview':
    case 'LocalSubjectAccessReview': {
      const {
        user = '',
        groups = [],
        uid,
        extra,
      } = (body['spec'] ?? {}) as Draft<NonNullable<SubjectAccessReview['spec']>>;
      const spec = (body['spec'] ?? {}) as ReviewedSpec;
      const said = ((body['metadata'] ?? {}) as { namespace?: string }).namespace ?? '';
      if (kind === 'LocalSubjectAccessReview' && said !== '' && said !== namespace)
        throw badRequest(`spec.resourceAttributes.namespace must match namespace: ${namespace}`);
      const problems = reviewProblems(spec);
      if (user === '' && groups.length === 0)
        problems.push(wrong('spec.user', '""', 'at least one of user or group must be specified'));
      if (kind === 'LocalSubjectAccessReview') problems.push(...localProblems(spec, namespace));
      if (problems.length > 0) throw invalid({ group: authorizationGroup, kind }, '', problems);
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

type ReviewedSpec = Draft<SelfSubjectAccessReviewSpec>;

const authorizationGroup = 'authorization.k8s.io';

const wrong = (field: string, value: string, why: string): ErrorCause => ({
  reason: 'FieldValueInvalid',
  field,
  message: `Invalid value: ${value}: ${why}`,
});

/** Worded as Kubernetes words it (pkg/apis/authorization/validation). */
function reviewProblems({
  resourceAttributes: asked,
  nonResourceAttributes: path,
}: ReviewedSpec): ErrorCause[] {
  const problems: ErrorCause[] = [];
  if (asked !== undefined && path !== undefined)
    problems.push(
      wrong(
        'spec.nonResourceAttributes',
        JSON.stringify(path),
        'cannot be specified in combination with resourceAttributes',
      ),
    );
  if (asked === undefined && path === undefined)
    problems.push(
      wrong(
        'spec.resourceAttributes',
        'null',
        'exactly one of nonResourceAttributes or resourceAttributes must be specified',
      ),
    );
  // Selectors are given whole or in parts, never both. Source: KEP-4601.
  for (const name of ['fieldSelector', 'labelSelector'] as const) {
    const { rawSelector = '', requirements = [] } = asked?.[name] ?? {};
    if (rawSelector !== '' && requirements.length > 0)
      problems.push(
        wrong(
          `spec.resourceAttributes.${name}.rawSelector`,
          JSON.stringify(rawSelector),
          'may not specified at the same time as requirements',
        ),
      );
  }
  return problems;
}

function localProblems(
  { resourceAttributes: asked, nonResourceAttributes: path }: ReviewedSpec,
  namespace: string,
): ErrorCause[] {
  const problems: ErrorCause[] = [];
  if (asked !== undefined && (asked.namespace ?? '') !== namespace)
    problems.push(
      wrong(
        'spec.resourceAttributes.namespace',
        JSON.stringify(asked.namespace ?? ''),
        'must match metadata.namespace',
      ),
    );
  if (path !== undefined)
    problems.push(
      wrong('spec.nonResourceAttributes', JSON.stringify(path), 'disallowed on this kind of request'),
    );
  return problems;
}

function reviewedSelectors({
  fieldSelector,
  labelSelector,
}: NonNullable<SelfSubjectAccessReviewSpec['resourceAttributes']>): { readonly selectors?: Selectors } {
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
  const why = access.untold(identity);
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
    incomplete: why !== undefined,
    ...(why === undefined ? {} : { evaluationError: why }),
  };
  return { kind, apiVersion, metadata: { creationTimestamp: null }, spec: body['spec'], status };
}
