/**
 * Who asks: what a client certificate or a bearer token says, held against what is stored. Pure.
 *
 *   certificate (CN, O) ─┐
 *   service account JWT ─┼─▶ Identity        a credential that is shown but not good is refused, never passed over
 *   static token ────────┘
 */
import type { KubeObject } from '../api/index.ts';
import type { TokenClaims } from './context.ts';
import type { Identity } from './identity.ts';

const authenticated = 'system:authenticated';

/** The subject of a verified client certificate, as node:tls shows it. */
export interface CertificateSubject {
  readonly CN?: string | string[] | undefined;
  readonly O?: string | string[] | undefined;
}

/** undefined: it names nobody. */
export function identityOfCertificate(subject: CertificateSubject): Identity | undefined {
  const user = Array.isArray(subject.CN) ? subject.CN.at(-1) : subject.CN;
  if (user === undefined || user === '') return undefined;
  const groups = subject.O === undefined ? [] : Array.isArray(subject.O) ? subject.O : [subject.O];
  return { user, groups: [...groups, authenticated] };
}

/** Finds a stored object of the core group, as it is now. */
export type Lookup = (resource: string, namespace: string, name: string) => KubeObject | undefined;

/** The service account that a genuine token speaks for; undefined when the account or the pod it is bound to is gone. */
export function identityOfToken(claims: TokenClaims, lookup: Lookup): Identity | undefined {
  const { namespace, serviceAccount, pod } = claims;
  const account = lookup('serviceaccounts', namespace, serviceAccount.name);
  if (account?.metadata.uid !== serviceAccount.uid) return undefined;
  if (pod !== undefined && lookup('pods', namespace, pod.name)?.metadata.uid !== pod.uid) return undefined;
  return {
    user: `system:serviceaccount:${namespace}:${serviceAccount.name}`,
    uid: serviceAccount.uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, authenticated],
    ...(pod === undefined
      ? {}
      : {
          extra: {
            'authentication.kubernetes.io/pod-name': [pod.name],
            'authentication.kubernetes.io/pod-uid': [pod.uid],
          },
        }),
  };
}

/** The token of an Authorization header; undefined when it holds none. */
export function bearerToken(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const match = /^bearer +(\S+) *$/i.exec(header);
  return match?.[1];
}
