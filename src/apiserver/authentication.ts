/**
 * Who asks: what a client certificate, a bearer token or a proxy's headers say, held against what is stored. Pure.
 *
 *   certificate (CN, O) ──┐
 *   service account JWT ──┤
 *   bootstrap token ──────┼─▶ Identity        a credential that is shown but not good is refused, never passed over
 *   proxy's headers ──────┤
 *   static token ─────────┘
 */
import type { KubeObject, Secret } from '../api/index.ts';
import type { NamedUid, TokenClaims } from './context.ts';
import type { Identity } from './identity.ts';

export const authenticated = 'system:authenticated';
const extraKey = (name: string): string => `authentication.kubernetes.io/${name}`;

/** The subject of a verified client certificate, as node:tls shows it. */
export interface CertificateSubject {
  readonly CN?: string | string[] | undefined;
  readonly O?: string | string[] | undefined;
}

/** undefined: it names nobody. `fingerprint`: SHA-256 in hexadecimal. */
export function identityOfCertificate(
  subject: CertificateSubject,
  fingerprint?: string,
): Identity | undefined {
  const user = commonNameOf(subject);
  if (user === undefined || user === '') return undefined;
  const groups = subject.O === undefined ? [] : Array.isArray(subject.O) ? subject.O : [subject.O];
  const credential = fingerprint?.replaceAll(':', '').toLowerCase();
  return {
    user,
    groups: [...groups, authenticated],
    ...(credential === undefined
      ? {}
      : { extra: { [extraKey('credential-id')]: [`X509SHA256=${credential}`] } }),
  };
}

export const commonNameOf = ({ CN }: CertificateSubject): string | undefined =>
  Array.isArray(CN) ? CN.at(-1) : CN;

/** Finds a stored object of the core group, as it is now. */
export type Lookup = (resource: string, namespace: string, name: string) => KubeObject | undefined;

/** Somebody has said that a token without an end shall no longer count. */
const invalidSinceLabel = 'kubernetes.io/legacy-token-invalid-since';

/** What is being deleted for longer than this speaks for nobody. */
const deletionLeewayMs = 60_000;

/** The service account that a genuine token speaks for; undefined when the account or what the token is bound to is gone. */
export function identityOfToken(
  claims: TokenClaims,
  lookup: Lookup,
  token: string,
  nowMs: number,
): Identity | undefined {
  const { namespace, serviceAccount, pod, secret, node, credentialId, keptIn } = claims;
  const isThere = (object: KubeObject | undefined, { uid }: NamedUid): boolean => {
    if (object === undefined || object.metadata.uid !== uid) return false;
    const { deletionTimestamp } = object.metadata;
    return deletionTimestamp === undefined || Date.parse(deletionTimestamp) >= nowMs - deletionLeewayMs;
  };
  if (!isThere(lookup('serviceaccounts', namespace, serviceAccount.name), serviceAccount)) return undefined;
  if (pod !== undefined && !isThere(lookup('pods', namespace, pod.name), pod)) return undefined;
  if (secret !== undefined && !isThere(lookup('secrets', namespace, secret.name), secret)) return undefined;
  // A pod's node is told, not checked: the pod is there.
  if (node !== undefined && pod === undefined && lookup('nodes', '', node.name)?.metadata.uid !== node.uid)
    return undefined;
  if (keptIn !== undefined) {
    const holder = lookup('secrets', namespace, keptIn) as Secret | undefined;
    const held = Buffer.from(holder?.data?.['token'] ?? '', 'base64').toString();
    if (holder === undefined || holder.metadata.deletionTimestamp !== undefined || !sameSecret(held, token))
      return undefined;
    if (holder.metadata.labels?.[invalidSinceLabel] !== undefined) return undefined;
  }
  const extra: Record<string, readonly string[]> = {};
  const tell = (name: string, value: string | undefined): void => {
    if (value !== undefined) extra[extraKey(name)] = [value];
  };
  tell('credential-id', credentialId);
  tell('pod-name', pod?.name);
  tell('pod-uid', pod?.uid);
  tell('node-name', node?.name);
  tell('node-uid', node?.uid);
  return {
    user: `system:serviceaccount:${namespace}:${serviceAccount.name}`,
    uid: serviceAccount.uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, authenticated],
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}

const bootstrapToken = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const bootstrapGroup = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;

export function isBootstrapToken(token: string): boolean {
  return bootstrapToken.test(token);
}

/** Whom a bootstrap token speaks for: a new node that wants its first certificate. Source: Kubernetes, "authenticating with bootstrap tokens". */
export function identityOfBootstrapToken(token: string, lookup: Lookup, nowMs: number): Identity | undefined {
  const [, id, text] = bootstrapToken.exec(token) ?? [];
  if (id === undefined || text === undefined) return undefined;
  const secret = lookup('secrets', 'kube-system', `bootstrap-token-${id}`) as Secret | undefined;
  if (secret === undefined || secret.metadata.deletionTimestamp !== undefined) return undefined;
  if (secret.type !== 'bootstrap.kubernetes.io/token') return undefined;
  const field = (name: string): string => Buffer.from(secret.data?.[name] ?? '', 'base64').toString();
  if (!sameSecret(field('token-secret'), text) || field('token-id') !== id) return undefined;
  if (field('usage-bootstrap-authentication') !== 'true') return undefined;
  const expiration = field('expiration');
  if (expiration !== '' && !(Date.parse(expiration) > nowMs)) return undefined;
  const more = field('auth-extra-groups')
    .split(',')
    .filter((group) => group !== '');
  if (!more.every((group) => bootstrapGroup.test(group))) return undefined;
  return {
    user: `system:bootstrap:${id}`,
    groups: ['system:bootstrappers', ...[...new Set(more)].sort(), authenticated],
  };
}

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Which headers an authenticating proxy writes; lower case. */
export const proxyHeaders = {
  user: 'x-remote-user',
  uid: 'x-remote-uid',
  group: 'x-remote-group',
  extraPrefix: 'x-remote-extra-',
} as const;

/** Whom a proxy that we trust says it speaks for; undefined: it says nothing. */
export function identityOfProxy(headers: Headers, rawHeaders: readonly string[]): Identity | undefined {
  const user = utf8(oneOf(headers[proxyHeaders.user])).trim();
  if (user === '') return undefined;
  const uid = utf8(oneOf(headers[proxyHeaders.uid]));
  const groups: string[] = [];
  const extra = new Map<string, string[]>();
  // Raw: a group's name may hold a comma, and Node joins headers by commas.
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase();
    const value = utf8(rawHeaders[at + 1] ?? '');
    if (name === proxyHeaders.group) groups.push(value);
    else if (name.startsWith(proxyHeaders.extraPrefix)) {
      const key = unescaped(name.slice(proxyHeaders.extraPrefix.length));
      extra.set(key, [...(extra.get(key) ?? []), value]);
    }
  }
  const isKnown = user !== 'system:anonymous' && !groups.includes('system:unauthenticated');
  return {
    user,
    groups: [...new Set([...groups, ...(isKnown ? [authenticated] : [])])],
    ...(uid === '' ? {} : { uid }),
    ...(extra.size === 0 ? {} : { extra: Object.fromEntries(extra) }),
  };
}

const oneOf = (value: string | readonly string[] | undefined): string =>
  typeof value === 'string' ? value : (value?.[0] ?? '');

/** Header values are bytes; as text they are UTF-8. */
const utf8 = (text: string): string => Buffer.from(text, 'latin1').toString('utf8');

function unescaped(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}

/** The token of an Authorization header; undefined when it holds none. */
export function bearerToken(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const match = /^bearer +(\S+) *$/i.exec(header);
  return match?.[1];
}

const webSocketBearer = 'base64url.bearer.authorization.k8s.io.';

/** Browsers cannot set Authorization on a WebSocket: the token comes as a protocol, among others. */
export function webSocketToken(protocols: string | undefined): string | undefined {
  const found = protocols
    ?.split(',')
    .map((one) => one.trim())
    .find((one) => one.startsWith(webSocketBearer));
  const token =
    found === undefined ? '' : Buffer.from(found.slice(webSocketBearer.length), 'base64url').toString();
  return token === '' ? undefined : token;
}

/** The protocols without the token, which is nobody else's business. */
export const withoutToken = (protocols: string): string =>
  protocols
    .split(',')
    .map((one) => one.trim())
    .filter((one) => !one.startsWith(webSocketBearer))
    .join(', ');

/** Takes as long whatever differs. */
export function sameSecret(a: string, b: string): boolean {
  if (a.length !== b.length || a === '') return false;
  let difference = 0;
  for (let at = 0; at < a.length; at++) difference |= a.charCodeAt(at) ^ b.charCodeAt(at);
  return difference === 0;
}
