/**
 * Service accounts' tokens: JWTs signed with ES256, made and read here, with nothing but the platform's own cryptography.
 *
 *   claims ─▶ header.payload ─▶ ECDSA P-256 ─▶ token        token ─▶ signature, issuer, times ─▶ claims (remembered by the token's hash)
 *
 * What a token says is true only while its account and pod are there: whoever takes it must look (`authentication.ts`).
 * Source: RFC 7515, RFC 7519; Kubernetes' projected service account tokens.
 */
import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import type { Clock } from '../../lib/index.ts';
import type { TokenClaims } from '../context.ts';

export interface ServiceAccountKeys {
  /** PEM. Absent: tokens are read, not made. */
  readonly privateKey?: string;
  readonly publicKey: string;
}

export interface ServiceAccountTokens {
  issue(claims: TokenClaims): Promise<string>;
  /** undefined: not one of ours, damaged, or not valid now. */
  read(token: string): TokenClaims | undefined;
}

export const tokenIssuer = 'https://kubernetes.default.svc.cluster.local';

interface Payload {
  readonly aud: readonly string[];
  readonly exp: number;
  readonly iat: number;
  readonly nbf: number;
  readonly iss: string;
  readonly jti: string;
  readonly sub: string;
  readonly 'kubernetes.io': {
    readonly namespace: string;
    readonly serviceaccount: { readonly name: string; readonly uid: string };
    readonly pod?: { readonly name: string; readonly uid: string };
  };
}

const rememberedMax = 10_000;
/** Clocks of machines differ a little. */
const leewayMs = 10_000;

export function createServiceAccountTokens(options: {
  readonly keys: ServiceAccountKeys;
  readonly clock: Clock;
  readonly uuid: () => string;
}): ServiceAccountTokens {
  const { clock, keys } = options;
  const publicKey = createPublicKey(keys.publicKey);
  const privateKey = keys.privateKey === undefined ? undefined : createPrivateKey(keys.privateKey);
  const keyId = createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64url');
  const header = encoded({ alg: 'ES256', kid: keyId });
  const remembered = new Map<string, { readonly claims: TokenClaims; readonly notBeforeMs: number }>();

  const valid = (known: { readonly claims: TokenClaims; readonly notBeforeMs: number }) => {
    const nowMs = clock.nowMs();
    return known.claims.expiresAtMs > nowMs && known.notBeforeMs <= nowMs + leewayMs
      ? known.claims
      : undefined;
  };
  return {
    issue: async (claims) => {
      if (privateKey === undefined) throw new Error('assertion failed: tokens are issued where the key is');
      const nowSeconds = Math.floor(clock.nowMs() / 1000);
      const { namespace, serviceAccount, pod } = claims;
      const payload: Payload = {
        aud: claims.audiences,
        exp: Math.floor(claims.expiresAtMs / 1000),
        iat: nowSeconds,
        nbf: nowSeconds,
        iss: tokenIssuer,
        jti: options.uuid(),
        sub: `system:serviceaccount:${namespace}:${serviceAccount.name}`,
        'kubernetes.io': {
          namespace,
          serviceaccount: serviceAccount,
          ...(pod === undefined ? {} : { pod }),
        },
      };
      const text = `${header}.${encoded(payload)}`;
      const signature = sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' });
      return `${text}.${signature.toString('base64url')}`;
    },
    read: (token) => {
      const hash = createHash('sha256').update(token).digest('base64');
      const known = remembered.get(hash);
      if (known !== undefined) return valid(known);
      const payload = readToken(token, publicKey);
      if (payload === undefined) return undefined;
      const { namespace, serviceaccount, pod } = payload['kubernetes.io'];
      const claims: TokenClaims = {
        namespace,
        serviceAccount: { name: serviceaccount.name, uid: serviceaccount.uid },
        audiences: payload.aud,
        expiresAtMs: payload.exp * 1000,
        ...(pod === undefined ? {} : { pod: { name: pod.name, uid: pod.uid } }),
      };
      const entry = { claims, notBeforeMs: payload.nbf * 1000 };
      if (remembered.size >= rememberedMax) remembered.clear();
      remembered.set(hash, entry);
      return valid(entry);
    },
  };
}

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function readToken(token: string, publicKey: ReturnType<typeof createPublicKey>): Payload | undefined {
  const parts = token.split('.');
  const [header, payload, signature] = parts;
  if (parts.length !== 3 || header === undefined || payload === undefined || signature === undefined)
    return undefined;
  try {
    const { alg } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { alg?: unknown };
    if (alg !== 'ES256') return undefined;
    const genuine = verify(
      'sha256',
      Buffer.from(`${header}.${payload}`),
      { key: publicKey, dsaEncoding: 'ieee-p1363' },
      Buffer.from(signature, 'base64url'),
    );
    if (!genuine) return undefined;
    // Only now is its text worth reading: we wrote it.
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Payload;
    return claims.iss === tokenIssuer ? claims : undefined;
  } catch {
    return undefined;
  }
}
