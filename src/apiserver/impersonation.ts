/**
 * Speaking as somebody else (`kubectl --as`): whoever may impersonate that user, each of the groups, the uid and each extra. Pure.
 * Source: Kubernetes' documentation of authentication, "user impersonation".
 */
import { badRequest } from '../api/index.ts';
import { type Decision, refusal } from './access/access.ts';
import type { Attributes } from './access/rules.ts';
import type { Identity } from './identity.ts';

/** Each with its values, one for each time that it was sent: a comma is part of a name. */
type Headers = Readonly<Record<string, readonly string[] | undefined>>;

const extraPrefix = 'impersonate-extra-';
const accountPrefix = 'system:serviceaccount:';

/** Whom a request speaks for: `caller`, or who is named in its headers. Throws `forbidden`, `badRequest`. A promise only where `ask` answers one. */
export function impersonated(
  caller: Identity,
  headers: Headers,
  ask: (asked: Attributes) => Decision | Promise<Decision>,
): Identity | Promise<Identity> {
  if (!speaksForAnother(headers)) return caller;
  const user = textOf(headers['impersonate-user']);
  const groups = namesOf(headers['impersonate-group']);
  const uid = textOf(headers['impersonate-uid']);
  const extra = extraOf(headers);
  if (user === undefined) {
    if (groups !== undefined || uid !== undefined || extra !== undefined)
      throw badRequest('requested impersonation of groups, a uid or extras without impersonating a user');
    return caller;
  }
  const checks: Attributes[] = [];
  const check = (group: string, resource: string, name: string, more: object = {}): void => {
    const asked = {
      kind: 'resource',
      verb: 'impersonate',
      group,
      resource,
      subresource: '',
      namespace: '',
      name,
      ...more,
    } as const;
    checks.push(asked);
  };
  const [namespace = '', account = ''] = user.startsWith(accountPrefix)
    ? user.slice(accountPrefix.length).split(':')
    : [];
  if (account !== '') check('', 'serviceaccounts', account, { namespace });
  else check('', 'users', user);
  for (const group of groups ?? []) check('', 'groups', group);
  if (uid !== undefined) check('authentication.k8s.io', 'uids', uid);
  for (const [key, values] of Object.entries(extra ?? {}))
    for (const value of values) check('authentication.k8s.io', 'userextras', value, { subresource: key });
  const identity: Identity = {
    user,
    groups: allGroups(
      user,
      groups ?? (account === '' ? [] : ['system:serviceaccounts', `system:serviceaccounts:${namespace}`]),
    ),
    ...(uid === undefined ? {} : { uid }),
    ...(extra === undefined ? {} : { extra }),
  };
  return whenAllowed(caller, checks, ask, identity);
}

/** On the path of every request: no list is made. */
function speaksForAnother(headers: Headers): boolean {
  for (const name in headers) if (name.startsWith('impersonate-')) return true;
  return false;
}

function whenAllowed(
  caller: Identity,
  checks: readonly Attributes[],
  ask: (asked: Attributes) => Decision | Promise<Decision>,
  identity: Identity,
): Identity | Promise<Identity> {
  for (const [index, asked] of checks.entries()) {
    const decision = ask(asked);
    if (decision instanceof Promise)
      return decision.then((said) => {
        if (!said.allowed) throw refusal(caller, asked, said.because);
        return whenAllowed(caller, checks.slice(index + 1), ask, identity);
      });
    if (!decision.allowed) throw refusal(caller, asked, decision.because);
  }
  return identity;
}

/** Everybody is known, except who says that he is not. */
function allGroups(user: string, groups: readonly string[]): readonly string[] {
  if (user === 'system:anonymous' || groups.includes('system:unauthenticated'))
    return [...new Set([...groups, 'system:unauthenticated'])];
  return [...new Set([...groups, 'system:authenticated'])];
}

function extraOf(headers: Headers): Readonly<Record<string, readonly string[]>> | undefined {
  const extra: Record<string, readonly string[]> = {};
  for (const [header, value] of Object.entries(headers)) {
    if (!header.startsWith(extraPrefix)) continue;
    extra[keyOf(header.slice(extraPrefix.length))] = namesOf(value) ?? [];
  }
  return Object.keys(extra).length === 0 ? undefined : extra;
}

function keyOf(text: string): string {
  try {
    return decodeURIComponent(text).toLowerCase();
  } catch {
    throw badRequest(`Cannot read header "${extraPrefix}${text}": it is not percent-encoded UTF-8`);
  }
}

const textOf = (values: readonly string[] | undefined): string | undefined => values?.[0];

const namesOf = (values: readonly string[] | undefined): readonly string[] | undefined =>
  values?.filter((one) => one !== '');
