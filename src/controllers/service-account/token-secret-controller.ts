/** The controller of service accounts' Secrets. Decisions are in `token-secret-plan.ts`. */
import type { Secret, ServiceAccount } from '../../api/index.ts';
import type { Change, Client, Informers } from '../../client/index.ts';
import { isError } from '../../lib/index.ts';
import { secretsRef, serviceAccountsRef } from '../resources.ts';
import { type Controller, watch } from '../shell.ts';
import { accountNameOf, isSound, type Observed, plan, tokenType } from './token-secret-plan.ts';

/** A token without an end for the account, to be kept in the named Secret. */
export type TokenIssuer = (
  namespace: string,
  account: { readonly name: string; readonly uid: string },
  secret: string,
) => string;

const selection = { fieldSelector: `type=${tokenType}` } as const;

export function tokenSecretController(
  informers: Informers,
  client: Client,
  rootCaPem: string,
  issueToken: TokenIssuer,
): Controller<Observed> {
  const secrets = informers.informer<Secret>(secretsRef, selection);
  const ofAccount = secrets.index('account', (secret) => [
    `${secret.metadata.namespace}/${accountNameOf(secret)}`,
  ]);
  const keyOf = ({ metadata: { namespace, name } }: Secret): string => `${namespace}/${name}`;
  return {
    name: 'tokens-controller',
    workers: 2,
    watches: [
      watch<Secret>(informers, secretsRef, ({ key }) => [key], selection),
      watch<ServiceAccount>(informers, serviceAccountsRef, ({ key }: Change<ServiceAccount>) =>
        ofAccount(key).map(keyOf),
      ),
    ],
    async observe(key) {
      const secret = secrets.get(key);
      if (secret === undefined) return undefined;
      const { namespace = '', name = '' } = secret.metadata;
      // Asked for, not looked up: the copy may be a moment behind, and what is deleted here is gone.
      const account = await client
        .get<ServiceAccount>(serviceAccountsRef, namespace, accountNameOf(secret))
        .catch((error: unknown) => {
          if (isError(error, 'notFound')) return undefined;
          throw error;
        });
      const { name: accountName = '', uid = '' } = account?.metadata ?? {};
      return {
        secret,
        account,
        rootCaPem,
        token:
          account === undefined || isSound(secret, account)
            ? undefined
            : issueToken(namespace, { name: accountName, uid }, name),
      };
    },
    plan,
  };
}
