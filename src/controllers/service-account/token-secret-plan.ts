/** Secrets of type kubernetes.io/service-account-token: filled with a token, and gone with their account. Pure. */
import type { Secret, ServiceAccount } from '../../api/index.ts';
import { secretsRef } from '../resources.ts';
import { deletion, type Step } from '../step.ts';

export const tokenType = 'kubernetes.io/service-account-token';
const nameAnnotation = 'kubernetes.io/service-account.name';
const uidAnnotation = 'kubernetes.io/service-account.uid';

export interface Observed {
  readonly secret: Secret;
  readonly account: ServiceAccount | undefined;
  readonly rootCaPem: string;
  /** A new one, where one is needed. */
  readonly token: string | undefined;
}

export const accountNameOf = ({ metadata }: Secret): string => metadata.annotations?.[nameAnnotation] ?? '';

/** Holds a token of this very account. */
export function isSound({ metadata, data }: Secret, account: ServiceAccount): boolean {
  return (
    (data?.['token'] ?? '') !== '' && metadata.annotations?.[uidAnnotation] === (account.metadata.uid ?? '')
  );
}

export function plan({ secret, account, rootCaPem, token }: Observed): readonly Step[] {
  const { metadata } = secret;
  if (metadata.deletionTimestamp !== undefined) return [];
  const said = metadata.annotations?.[uidAnnotation];
  const uid = account?.metadata.uid ?? '';
  // An account of the same name made anew is another.
  if (account === undefined || (said !== undefined && said !== '' && said !== uid))
    return [deletion(secretsRef, secret)];
  const encoded = (text: string): string => Buffer.from(text).toString('base64');
  const data = {
    'ca.crt': encoded(rootCaPem),
    namespace: encoded(metadata.namespace ?? ''),
    ...(token === undefined ? {} : { token: encoded(token) }),
  };
  const isFilled = Object.entries(data).every(([key, value]) => secret.data?.[key] === value);
  if (isFilled && said === uid) return [];
  const object: Secret = {
    ...secret,
    metadata: { ...metadata, annotations: { ...metadata.annotations, [uidAnnotation]: uid } },
    data: { ...secret.data, ...data },
  };
  return [{ kind: 'update', ref: secretsRef, object, accept: ['notFound'] }];
}
