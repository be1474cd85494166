/**
 * What a JWT of somebody else's issuer says about who bears it: claims checked and mapped as an AuthenticationConfiguration says. Pure.
 *
 *   claims ─▶ rules about claims ─▶ user name, groups, uid, extras ─▶ rules about the user ─▶ Identity
 *
 * Source: Kubernetes 1.36, AuthenticationConfiguration (apiserver.config.k8s.io/v1), as behaviour.
 */
import { cel } from '../../api/index.ts';
import { CaelumError } from '../../lib/index.ts';
import type { Identity } from '../identity.ts';

export type Claims = Readonly<Record<string, unknown>>;

interface Mapping {
  readonly claim?: string;
  readonly prefix?: string;
  readonly expression?: string;
}

export interface JwtSettings {
  readonly issuer?: {
    readonly url?: string;
    readonly discoveryURL?: string;
    /** PEM. */
    readonly certificateAuthority?: string;
    readonly audiences?: readonly string[];
    readonly audienceMatchPolicy?: string;
  };
  readonly claimValidationRules?: readonly {
    readonly claim?: string;
    readonly requiredValue?: string;
    readonly expression?: string;
    readonly message?: string;
  }[];
  readonly claimMappings?: {
    readonly username?: Mapping;
    readonly groups?: Mapping;
    readonly uid?: Mapping;
    readonly extra?: readonly { readonly key?: string; readonly valueExpression?: string }[];
  };
  readonly userValidationRules?: readonly { readonly expression?: string; readonly message?: string }[];
}

/** Throws `unauthorized` with what is wrong. */
export type ClaimReader = (claims: Claims) => Identity;

export type Problem = (field: string, why: string) => void;

const refuse = (why: string): CaelumError => new CaelumError('unauthorized', `oidc: ${why}`);

/** Problems are told; the reader is worth something only when there are none. */
export function compileClaims(settings: JwtSettings, at: string, problem: Problem): ClaimReader {
  const { claimMappings: mappings = {}, claimValidationRules = [], userValidationRules = [] } = settings;
  const rules = claimValidationRules.map((rule, index) =>
    claimRule(rule, `${at}.claimValidationRules[${index}]`, problem),
  );
  const mapped = `${at}.claimMappings`;
  const username = usernameOf(mappings.username ?? {}, settings, `${mapped}.username`, problem);
  const groups = mappingOf(mappings.groups ?? {}, `${mapped}.groups`, problem);
  const uid = mappingOf(mappings.uid ?? {}, `${mapped}.uid`, problem, false);
  const extra = (mappings.extra ?? []).map((one, index) =>
    extraOf(one, `${mapped}.extra[${index}]`, problem),
  );
  extra.forEach(({ key }, index) => {
    if (extra.findIndex((other) => other.key === key) < index)
      problem(`${mapped}.extra[${index}].key`, `Duplicate value: "${key}"`);
  });
  const checks = userValidationRules.map(({ expression = '', message = '' }, index) => ({
    ...expressionOf(
      expression,
      { user: cel.dyn },
      `${at}.userValidationRules[${index}].expression`,
      problem,
      cel.bool,
    ),
    message,
    expression,
  }));
  return (claims) => {
    for (const rule of rules) rule(claims);
    const user = textOf(username(claims), 'username');
    if (user === '') throw refuse('username claim is empty');
    const id = uid === undefined ? '' : textOf(uid(claims), 'uid');
    const identity: Identity = {
      user,
      groups: groups === undefined ? [] : textsOf(groups(claims), 'groups'),
      ...(id === '' ? {} : { uid: id }),
      ...extrasFrom(extra, claims),
    };
    const shown = { username: identity.user, uid: id, groups: identity.groups, extra: identity.extra ?? {} };
    for (const { evaluate, message, expression } of checks)
      if (evaluate({ user: shown }) !== true)
        throw refuse(
          `error evaluating user info validation rule: validation expression '${expression}' failed: ${message}`,
        );
    return { ...identity, groups: [...identity.groups, 'system:authenticated'] };
  };
}

type Evaluate = (bindings: Readonly<Record<string, unknown>>) => unknown;

function expressionOf(
  source: string,
  variables: Readonly<Record<string, cel.CelType>>,
  field: string,
  problem: Problem,
  result?: cel.CelType | readonly cel.CelType[],
): { readonly evaluate: Evaluate } {
  if (source.trim() === '') {
    problem(field, 'Required value: expression is required');
    return { evaluate: () => undefined };
  }
  const { program, text } = cel.compile(source, { variables, ...(result === undefined ? {} : { result }) });
  if (program === undefined) {
    problem(field, `Invalid value: ${JSON.stringify(source)}: ${text}`);
    return { evaluate: () => undefined };
  }
  return {
    evaluate: (bindings) => {
      const { value, error } = program.evaluate(bindings, { costLimit: cel.callCostMax });
      if (error !== undefined) throw refuse(`expression '${source}' resulted in error: ${error}`);
      return cel.toJson(value);
    },
  };
}

/** A rule without a result type gives what it gives. */
const anything = [
  cel.dyn,
  cel.string,
  cel.bool,
  cel.listOf(cel.string),
  cel.listOf(cel.dyn),
  cel.nullType,
] as const;

function claimRule(
  rule: NonNullable<JwtSettings['claimValidationRules']>[number],
  field: string,
  problem: Problem,
): (claims: Claims) => void {
  const { claim = '', requiredValue = '', expression = '', message = '' } = rule;
  if ((claim === '') === (expression === '')) {
    problem(field, 'Required value: exactly one of claim or expression is required');
    return () => {};
  }
  if (expression !== '') {
    const { evaluate } = expressionOf(
      expression,
      { claims: cel.dyn },
      `${field}.expression`,
      problem,
      cel.bool,
    );
    return (claims) => {
      if (evaluate({ claims }) !== true)
        throw refuse(
          `error evaluating claim validation expression: validation expression '${expression}' failed: ${message}`,
        );
    };
  }
  return (claims) => {
    if (!Object.hasOwn(claims, claim)) throw refuse(`required claim ${claim} not present in ID token`);
    if (claims[claim] !== requiredValue)
      throw refuse(
        `required claim ${claim} value does not match. Got = ${JSON.stringify(claims[claim])}, want = ${requiredValue}`,
      );
  };
}

function mappingOf(
  mapping: Mapping,
  field: string,
  problem: Problem,
  hasPrefix = true,
): ((claims: Claims) => unknown) | undefined {
  const { claim = '', prefix, expression = '' } = mapping;
  if (claim === '' && expression === '') {
    if (prefix !== undefined) problem(`${field}.prefix`, 'Invalid value: prefix can be set only with claim');
    return undefined;
  }
  if (claim !== '' && expression !== '')
    problem(field, 'Invalid value: claim and expression are mutually exclusive');
  if (expression !== '') {
    const { evaluate } = expressionOf(
      expression,
      { claims: cel.dyn },
      `${field}.expression`,
      problem,
      anything,
    );
    return (claims) => evaluate({ claims });
  }
  if (hasPrefix && prefix === undefined)
    problem(
      `${field}.prefix`,
      'Required value: prefix is required when claim is set. It can be set to an empty string to disable prefixing',
    );
  const before = prefix ?? '';
  return (claims) => {
    const value = Object.hasOwn(claims, claim) ? claims[claim] : undefined;
    if (typeof value === 'string') return value === '' ? '' : `${before}${value}`;
    if (Array.isArray(value)) return value.map((one) => (typeof one === 'string' ? `${before}${one}` : one));
    return value;
  };
}

function usernameOf(
  mapping: Mapping,
  settings: JwtSettings,
  field: string,
  problem: Problem,
): (claims: Claims) => unknown {
  const read = mappingOf(mapping, field, problem);
  if (read === undefined) {
    problem(field, 'Required value: claim or expression is required');
    return () => '';
  }
  const { expression = '', claim = '' } = mapping;
  // Who may choose an address at the issuer may not thereby become somebody else.
  const isVerified = [
    expression,
    ...(settings.claimValidationRules ?? []).map((rule) => rule.expression ?? ''),
    ...(settings.claimMappings?.extra ?? []).map((one) => one.valueExpression ?? ''),
  ].some((text) => /\bclaims\.\??email_verified\b/.test(text));
  if (/\bclaims\.\??email\b/.test(expression) && !isVerified)
    problem(
      field,
      'Invalid value: claims.email_verified must be used in claimMappings.username.expression or claimMappings.extra[*].valueExpression or claimValidationRules[*].expression when claims.email is used in claimMappings.username.expression',
    );
  return (claims) => {
    if (claim !== '' && !Object.hasOwn(claims, claim))
      throw refuse(`parse username claims ${JSON.stringify(claim)}: claim not present`);
    if (claim === 'email' && Object.hasOwn(claims, 'email_verified') && claims['email_verified'] !== true)
      throw refuse('email not verified');
    return read(claims);
  };
}

interface Extra {
  readonly key: string;
  readonly evaluate: Evaluate;
}

function extraOf(
  { key = '', valueExpression = '' }: { readonly key?: string; readonly valueExpression?: string },
  field: string,
  problem: Problem,
): Extra {
  if (!/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?\/.+$/.test(key) || key !== key.toLowerCase())
    problem(
      `${field}.key`,
      `Invalid value: ${JSON.stringify(key)}: must be a lower-case domain-prefixed path (such as "acme.io/foo")`,
    );
  if (/^([a-z0-9.-]+\.)?(kubernetes|k8s)\.io\//.test(key))
    problem(
      `${field}.key`,
      `Invalid value: ${JSON.stringify(key)}: k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use`,
    );
  return {
    key,
    ...expressionOf(valueExpression, { claims: cel.dyn }, `${field}.valueExpression`, problem, anything),
  };
}

function extrasFrom(
  extra: readonly Extra[],
  claims: Claims,
): { readonly extra?: Readonly<Record<string, readonly string[]>> } {
  const found = extra
    .map(({ key, evaluate }): [string, readonly string[]] => [key, textsOf(evaluate({ claims }), key)])
    .filter(([, values]) => values.length > 0);
  return found.length === 0 ? {} : { extra: Object.fromEntries(found) };
}

function textOf(value: unknown, what: string): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') throw refuse(`${what} is not a string`);
  return value;
}

/** One text, or several; empty ones count for nothing. */
function textsOf(value: unknown, what: string): readonly string[] {
  if (value === undefined || value === null || value === '') return [];
  if (typeof value === 'string') return [value];
  if (!Array.isArray(value) || !value.every((one) => typeof one === 'string'))
    throw refuse(`${what} is neither a string nor a list of strings`);
  return (value as readonly string[]).filter((one) => one !== '');
}
