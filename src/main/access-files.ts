/**
 * Files that say whose word counts beside our own: other issuers of tokens, authenticating proxies, webhooks. Named to `caelum up`, read when the control plane
 * starts. They may hold credentials, so it is their names that are kept, not what is in them.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  type Authorizers,
  createJwtJudge,
  type Post,
  readAuthenticationConfig,
  readAuthorizationConfig,
  type ServeOptions,
  tokenIssuer,
  tokenWebhook,
  type WebhookConnection,
} from '../apiserver/index.ts';
import { readKubeconfig } from '../client/index.ts';
import { CaelumError, type Clock, type Log } from '../lib/index.ts';

export interface AccessFiles {
  /** AuthenticationConfiguration. */
  readonly authentication?: string;
  /** AuthorizationConfiguration. */
  readonly authorization?: string;
  /** A kubeconfig. */
  readonly tokenWebhook?: string;
  /** PEM: authorities of authenticating proxies. */
  readonly requestHeaderCa?: string;
  /** Common names of such proxies; none: any. */
  readonly requestHeaderNames?: readonly string[];
}

export interface OutsideAccess extends Pick<ServeOptions, 'tokenJudges' | 'anonymous'> {
  readonly authorizers?: Authorizers;
  readonly proxyCa?: string;
  readonly proxyNames?: readonly string[];
}

/** Throws `invalid` naming the file. */
export async function readAccessFiles(
  files: AccessFiles,
  { post, clock, log }: { readonly post: Post; readonly clock: Clock; readonly log: Log },
): Promise<OutsideAccess> {
  const authentication =
    files.authentication === undefined
      ? undefined
      : await within(files.authentication, async (text) =>
          readAuthenticationConfig(await yaml(text), tokenIssuer),
        );
  const authorizers =
    files.authorization === undefined
      ? undefined
      : await within(files.authorization, async (text) =>
          readAuthorizationConfig(await yaml(text), { connect: connectionOf, post, clock, log }),
        );
  const judges = (authentication?.issuers ?? []).map((one) => createJwtJudge(one, clock));
  if (files.tokenWebhook !== undefined) {
    const connection = await within(files.tokenWebhook, async () => connectionOf(files.tokenWebhook ?? ''));
    const hash = (text: string): string => createHash('sha256').update(text).digest('base64');
    judges.push(tokenWebhook(connection, post, clock, hash));
  }
  const proxyCa =
    files.requestHeaderCa === undefined
      ? undefined
      : await within(files.requestHeaderCa, async (text) => {
          if (!text.includes('-----BEGIN CERTIFICATE-----')) throw new Error('it holds no certificate');
          return text;
        });
  return {
    ...(judges.length === 0 ? {} : { tokenJudges: judges }),
    ...(authentication?.anonymous === undefined ? {} : { anonymous: authentication.anonymous }),
    ...(authorizers === undefined ? {} : { authorizers }),
    ...(proxyCa === undefined ? {} : { proxyCa, proxyNames: files.requestHeaderNames ?? [] }),
  };
}

async function within<T>(file: string, read: (text: string) => Promise<T>): Promise<T> {
  try {
    return await read(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new CaelumError('invalid', `Cannot use "${file}"`, { cause });
  }
}

async function yaml(text: string): Promise<unknown> {
  const { parse } = await import('yaml');
  return parse(text) as unknown;
}

function connectionOf(file: string): WebhookConnection {
  const { server, ca, cert, key, token } = readKubeconfig(readFileSync(file, 'utf8'), {
    folder: dirname(file),
  });
  return {
    server: String(server),
    ...(ca === undefined ? {} : { ca: String(ca) }),
    ...(cert === undefined || key === undefined ? {} : { client: { cert: String(cert), key: String(key) } }),
    ...(token === undefined ? {} : { token: typeof token === 'function' ? token : () => token }),
  };
}
