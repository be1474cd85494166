/**
 * Service accounts' tokens: JWTs signed with ES256, made and read here, with nothing but the platform's own cryptography.
 *
 *   claims ─▶ header.payload ─▶ ECDSA P-256 ─▶ token        token ─▶ signature, issuer, times ─▶ claims (remembered by the token's hash)
 *
 * What a token says is true only while its account and pod are there: whoever takes it must look (`authentication.ts`).
 * Source: RFC 7515, RFC 7519; Kubernetes' projected service account tokens.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  randomUUID,
  sign,
  verify,
} from 'node:crypto';
import type { TokenClaims } from '../context.ts';

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

/** `privateKeyPem`: an EC P-256 key. */
export function createTokenIssuer(
  privateKeyPem: string,
  nowMs: () => number,
): (claims: TokenClaims) => Promise<string> {
  const key = createPrivateKey(privateKeyPem);
  const header = encoded({ alg: 'ES256', kid: keyIdOf(createPublicKey(key)) });
  return async ({ namespace, serviceAccount, pod, audiences, expiresAtMs }) => {
    const nowSeconds = Math.floor(nowMs() / 1000);
    const payload: Payload = {
      aud: audiences,
      exp: Math.floor(expiresAtMs / 1000),
      iat: nowSeconds,
      nbf: nowSeconds,
      iss: tokenIssuer,
      jti: randomUUID(),
      sub: `system:serviceaccount:${namespace}:${serviceAccount.name}`,
      'kubernetes.io': { namespace, serviceaccount: serviceAccount, ...(pod === undefined ? {} : { pod }) },
    };
    const text = `${header}.${encoded(payload)}`;
    const signature = sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' });
    return `${text}.${signature.toString('base64url')}`;
  };
}

/** The reader answers undefined for what is not one of ours, damaged, or not valid now. */
export function createTokenReader(
  publicKeyPem: string,
  nowMs: () => number,
): (token: string) => TokenClaims | undefined {
  const key = createPublicKey(publicKeyPem);
  const remembered = new Map<string, { readonly claims: TokenClaims; readonly notBeforeMs: number }>();
  return (token) => {
    const hash = createHash('sha256').update(token).digest('base64');
    let known = remembered.get(hash);
    if (known === undefined) {
      const payload = readToken(token, key);
      if (payload === undefined) return undefined;
      known = { claims: claimsOf(payload), notBeforeMs: payload.nbf * 1000 };
      if (remembered.size >= rememberedMax) remembered.clear();
      remembered.set(hash, known);
    }
    const now = nowMs();
    return known.claims.expiresAtMs > now && known.notBeforeMs <= now + leewayMs ? known.claims : undefined;
  };
}

function claimsOf(payload: Payload): TokenClaims {
  const { namespace, serviceaccount, pod } = payload['kubernetes.io'];
  return {
    namespace,
    serviceAccount: { name: serviceaccount.name, uid: serviceaccount.uid },
    audiences: payload.aud,
    expiresAtMs: payload.exp * 1000,
    ...(pod === undefined ? {} : { pod: { name: pod.name, uid: pod.uid } }),
  };
}

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function keyIdOf(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('base64url');
}

function readToken(token: string, key: KeyObject): Payload | undefined {
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
      { key, dsaEncoding: 'ieee-p1363' },
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
