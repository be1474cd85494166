/**
 * Speaking as somebody else (`kubectl --as`): administrators may, nobody else may. Pure.
 * Source: Kubernetes' documentation of authentication, "user impersonation".
 */
import { badRequest } from '../api/index.ts';
import { refusal } from './authorize.ts';
import { type Identity, isMaster } from './identity.ts';

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Whom a request speaks for: `caller`, or who is named in its headers. Throws `forbidden`, `badRequest`. */
export function impersonated(caller: Identity, headers: Headers): Identity {
  const user = textOf(headers['impersonate-user']);
  const groups = textOf(headers['impersonate-group']);
  const uid = textOf(headers['impersonate-uid']);
  if (user === undefined) {
    if (groups !== undefined || uid !== undefined)
      throw badRequest('requested impersonation of groups or a uid without impersonating a user');
    return caller;
  }
  if (!isMaster(caller))
    throw refusal(caller, {
      verb: 'impersonate',
      group: '',
      resource: 'users',
      subresource: '',
      namespace: '',
      name: user,
    });
  const named = groups === undefined ? [] : groups.split(',').map((group) => group.trim());
  return {
    user,
    groups: named.includes('system:unauthenticated') ? named : [...named, 'system:authenticated'],
    ...(uid === undefined ? {} : { uid }),
  };
}

const textOf = (value: string | readonly string[] | undefined): string | undefined =>
  typeof value === 'string' || value === undefined ? value : value.join(',');
