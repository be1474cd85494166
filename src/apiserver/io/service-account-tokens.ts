/**
 * Service accounts' tokens: JWTs signed by one key and read by several, so that keys can be changed without a break.
 *
 *   claims ─▶ header.payload ─▶ signature ─▶ token        token ─▶ algorithm, key, signature, issuer, times ─▶ claims (remembered by the token's hash)
 *
 * What a token says is true only while its account and what it is bound to are there: whoever takes it must look (`authentication.ts`).
 * Tokens kept in Secrets have another issuer and no end.
 * Source: RFC 7515, RFC 7517, RFC 7519; Kubernetes' projected service account tokens.
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
import type { NamedUid, TokenClaims } from '../context.ts';

export const tokenIssuer = 'https://kubernetes.default.svc.cluster.local';
const secretTokenIssuer = 'kubernetes/serviceaccount';

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
    readonly serviceaccount: NamedUid;
    readonly pod?: NamedUid;
    readonly secret?: NamedUid;
    readonly node?: { readonly name: string; readonly uid?: string };
    readonly warnafter?: number;
  };
}

const secretClaim = (name: string): string => `kubernetes.io/serviceaccount/${name}`;

const rememberedMax = 10_000;
/** Clocks of machines differ a little. */
const leewayMs = 10_000;
/** Longer ones are not looked at: the largest of ours has about a thousand. */
const tokenLengthMax = 16 * 1024;

/** `privateKeyPem`: an EC or RSA key. */
export function createTokenIssuer(
  privateKeyPem: string,
  nowMs: () => number,
): (claims: TokenClaims) => Promise<string> {
  const signed = createSigner(privateKeyPem);
  return async (claims) => {
    const { namespace, serviceAccount, pod, secret, node, warnAfterMs, audiences, expiresAtMs } = claims;
    const nowSeconds = Math.floor(nowMs() / 1000);
    const payload: Payload = {
      aud: audiences,
      exp: Math.floor(expiresAtMs / 1000),
      iat: nowSeconds,
      nbf: nowSeconds,
      iss: tokenIssuer,
      jti: randomUUID(),
      sub: `system:serviceaccount:${namespace}:${serviceAccount.name}`,
      'kubernetes.io': {
        namespace,
        serviceaccount: serviceAccount,
        ...(pod === undefined ? {} : { pod }),
        ...(secret === undefined ? {} : { secret }),
        ...(node === undefined ? {} : { node }),
        ...(warnAfterMs === undefined ? {} : { warnafter: Math.floor(warnAfterMs / 1000) }),
      },
    };
    return signed(payload);
  };
}

/** For Secrets of type kubernetes.io/service-account-token. */
export function createSecretTokenIssuer(
  privateKeyPem: string,
): (namespace: string, account: NamedUid, secret: string) => string {
  const signed = createSigner(privateKeyPem);
  return (namespace, account, secret) =>
    signed({
      iss: secretTokenIssuer,
      [secretClaim('namespace')]: namespace,
      [secretClaim('secret.name')]: secret,
      [secretClaim('service-account.name')]: account.name,
      [secretClaim('service-account.uid')]: account.uid,
      sub: `system:serviceaccount:${namespace}:${account.name}`,
    });
}

function createSigner(privateKeyPem: string): (payload: object) => string {
  const key = createPrivateKey(privateKeyPem);
  const publicKey = createPublicKey(key);
  const { alg, hash } = algorithmOf(publicKey);
  const header = encoded({ alg, kid: keyIdOf(publicKey) });
  return (payload) => {
    const text = `${header}.${encoded(payload)}`;
    const signature = sign(hash, Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' });
    return `${text}.${signature.toString('base64url')}`;
  };
}

interface VerifyKey {
  readonly id: string;
  readonly alg: string;
  readonly hash: string;
  readonly key: KeyObject;
}

/** The reader answers undefined for what is not one of ours, damaged, or not valid now. */
export function createTokenReader(
  publicKeyPems: string | readonly string[],
  nowMs: () => number,
): (token: string) => TokenClaims | undefined {
  const keys = verifyKeys(publicKeyPems);
  const remembered = new Map<string, { readonly claims: TokenClaims; readonly notBeforeMs: number }>();
  return (token) => {
    if (token.length > tokenLengthMax) return undefined;
    const hash = createHash('sha256').update(token).digest('base64');
    let known = remembered.get(hash);
    if (known === undefined) {
      known = readToken(token, keys);
      if (known === undefined) return undefined;
      if (remembered.size >= rememberedMax) remembered.clear();
      remembered.set(hash, known);
    }
    const now = nowMs();
    return known.claims.expiresAtMs > now && known.notBeforeMs <= now + leewayMs ? known.claims : undefined;
  };
}

const verifyKeys = (pems: string | readonly string[]): readonly VerifyKey[] =>
  (typeof pems === 'string' ? [pems] : pems).map((pem) => {
    const key = createPublicKey(pem);
    return { id: keyIdOf(key), key, ...algorithmOf(key) };
  });

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function keyIdOf(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('base64url');
}

function algorithmOf(key: KeyObject): { readonly alg: string; readonly hash: string } {
  if (key.asymmetricKeyType === 'rsa') return { alg: 'RS256', hash: 'sha256' };
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (curve === 'secp384r1') return { alg: 'ES384', hash: 'sha384' };
  if (curve === 'secp521r1') return { alg: 'ES512', hash: 'sha512' };
  return { alg: 'ES256', hash: 'sha256' };
}

function readToken(
  token: string,
  keys: readonly VerifyKey[],
): { readonly claims: TokenClaims; readonly notBeforeMs: number } | undefined {
  const parts = token.split('.');
  const [header, payload, signature] = parts;
  if (parts.length !== 3 || header === undefined || payload === undefined || signature === undefined)
    return undefined;
  try {
    const { alg, kid } = JSON.parse(Buffer.from(header, 'base64url').toString()) as {
      alg?: unknown;
      kid?: unknown;
    };
    // The key decides the algorithm, never the token.
    const genuine = keys.some(
      (one) =>
        one.alg === alg &&
        (kid === undefined || kid === one.id) &&
        verify(
          one.hash,
          Buffer.from(`${header}.${payload}`),
          { key: one.key, dsaEncoding: 'ieee-p1363' },
          Buffer.from(signature, 'base64url'),
        ),
    );
    if (!genuine) return undefined;
    // Only now is its text worth reading: we wrote it.
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Payload;
    if (claims.iss === tokenIssuer) return { claims: claimsOf(claims), notBeforeMs: claims.nbf * 1000 };
    if (claims.iss === secretTokenIssuer) {
      const kept = claimsOfSecret(claims as unknown as Readonly<Record<string, string>>);
      return { claims: kept, notBeforeMs: 0 };
    }
    return undefined;
  } catch {
    return undefined;
  }
}

function claimsOf(payload: Payload): TokenClaims {
  const { namespace, serviceaccount, pod, secret, node, warnafter } = payload['kubernetes.io'];
  return {
    namespace,
    serviceAccount: { name: serviceaccount.name, uid: serviceaccount.uid },
    audiences: payload.aud,
    expiresAtMs: payload.exp * 1000,
    credentialId: `JTI=${payload.jti}`,
    ...(pod === undefined ? {} : { pod: { name: pod.name, uid: pod.uid } }),
    ...(secret === undefined ? {} : { secret: { name: secret.name, uid: secret.uid } }),
    ...(node === undefined ? {} : { node }),
    ...(warnafter === undefined ? {} : { warnAfterMs: warnafter * 1000 }),
  };
}

function claimsOfSecret(payload: Readonly<Record<string, string>>): TokenClaims {
  const claim = (name: string): string => String(payload[secretClaim(name)] ?? '');
  return {
    namespace: claim('namespace'),
    serviceAccount: { name: claim('service-account.name'), uid: claim('service-account.uid') },
    // They are for this API and for nobody else.
    audiences: [tokenIssuer],
    expiresAtMs: Number.POSITIVE_INFINITY,
    keptIn: claim('secret.name'),
  };
}

/** The keys by which others may check tokens (RFC 7517). */
export function jsonWebKeys(publicKeyPems: string | readonly string[]): object {
  const keys = verifyKeys(publicKeyPems).map(({ id, alg, key }) => ({
    use: 'sig',
    ...key.export({ format: 'jwk' }),
    kid: id,
    alg,
  }));
  return { keys };
}

/** OpenID Connect Discovery 1.0, as far as tokens of workloads need it. */
export function openIdConfiguration(publicKeyPems: string | readonly string[]): object {
  return {
    issuer: tokenIssuer,
    jwks_uri: `${tokenIssuer}/openid/v1/jwks`,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [...new Set(verifyKeys(publicKeyPems).map(({ alg }) => alg))],
  };
}
