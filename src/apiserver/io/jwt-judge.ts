/**
 * Tokens of other issuers (OpenID Connect): their keys fetched, kept and fetched anew, signatures checked.
 *
 *   token ─▶ whose? ─▶ discovery ─▶ keys ─▶ signature, audience, times ─▶ claims ─▶ who        (remembered for a moment)
 *
 * Invariants: a token that names no issuer of ours costs no request; keys are asked for at most every ten seconds, however many tokens come.
 */
import { createHash } from 'node:crypto';
import { get } from 'node:https';
import type { JSONWebKeySet } from 'jose';
import { CaelumError, type Clock } from '../../lib/index.ts';
import type { JwtIssuer } from '../outside/authentication-config.ts';
import type { TokenBearer, TokenJudge } from './authenticator.ts';
import { tokenIssuer } from './service-account-tokens.ts';

const rememberedMs = 10_000;
const rememberedMax = 10_000;
const keysOldMs = 3_600_000;
const askAgainMs = 10_000;
const documentBytesMax = 1024 * 1024;
const documentMsMax = 10_000;
const algorithms = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512'];

interface Keys {
  readonly set: JSONWebKeySet;
  readonly atMs: number;
}

export function createJwtJudge(issuer: JwtIssuer, clock: Clock): TokenJudge {
  const keys = new IssuerKeys(issuer, clock);
  const remembered = new Map<string, { readonly bearer: TokenBearer; readonly untilMs: number }>();
  const judge = async (token: string, hash: string): Promise<TokenBearer> => {
    const claims = await verified(token, issuer, keys, clock);
    const bearer = { identity: issuer.read(claims), audiences: [tokenIssuer] };
    const untilMs = Math.min(clock.nowMs() + rememberedMs, Number(claims['exp']) * 1000);
    if (remembered.size >= rememberedMax) remembered.clear();
    remembered.set(hash, { bearer, untilMs });
    return bearer;
  };
  return (token, audiences) => {
    // These tokens are for this API alone, whatever their own audiences are called.
    if (issuerIn(token) !== issuer.url || !audiences.includes(tokenIssuer)) return undefined;
    const hash = createHash('sha256').update(token).digest('base64');
    const known = remembered.get(hash);
    if (known !== undefined && known.untilMs > clock.nowMs()) return known.bearer;
    return judge(token, hash);
  };
}

/** What it claims, unverified; undefined: it is no JWT. */
function issuerIn(token: string): unknown {
  const parts = token.split('.');
  if (parts.length !== 3) return undefined;
  try {
    return (JSON.parse(Buffer.from(parts[1] ?? '', 'base64url').toString()) as { iss?: unknown } | null)?.iss;
  } catch {
    return undefined;
  }
}

const refused = (why: string, cause?: unknown): CaelumError =>
  new CaelumError('unauthorized', `oidc: ${why}`, { cause });

async function verified(
  token: string,
  issuer: JwtIssuer,
  keys: IssuerKeys,
  clock: Clock,
): Promise<Readonly<Record<string, unknown>>> {
  const { createLocalJWKSet, errors, jwtVerify } = await import('jose');
  const options = {
    issuer: issuer.url,
    audience: [...issuer.audiences],
    algorithms,
    requiredClaims: ['exp'],
    currentDate: new Date(clock.nowMs()),
  };
  const check = async (found: Keys) =>
    (await jwtVerify(token, createLocalJWKSet(found.set), options)).payload;
  let found = await keys.current();
  try {
    return await check(found);
  } catch (error) {
    const isUnknown =
      error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWSSignatureVerificationFailed;
    if (!isUnknown) throw refused('verify token: it is not valid', error);
  }
  // The issuer may have changed its keys.
  const before = found;
  found = await keys.newer(before);
  if (found === before) throw refused('verify token: failed to verify signature');
  return check(found).catch((error: unknown) => {
    throw refused('verify token: it is not valid', error);
  });
}

class IssuerKeys {
  readonly #issuer: JwtIssuer;
  readonly #clock: Clock;
  #keys: Keys | undefined;
  #asking: Promise<Keys> | undefined;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #failure: unknown;

  constructor(issuer: JwtIssuer, clock: Clock) {
    this.#issuer = issuer;
    this.#clock = clock;
  }

  /** Old ones are good until newer ones have come. */
  async current(): Promise<Keys> {
    const known = this.#keys;
    if (known === undefined) return this.#ask();
    if (this.#clock.monotonicMs() - known.atMs > keysOldMs) this.#ask().catch(() => {});
    return known;
  }

  /** The same where it is too early to ask again, or asking fails. */
  async newer(than: Keys): Promise<Keys> {
    if (this.#keys !== undefined && this.#keys !== than) return this.#keys;
    return this.#ask().catch(() => than);
  }

  #ask(): Promise<Keys> {
    if (this.#asking !== undefined) return this.#asking;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#askedAtMs < askAgainMs)
      return this.#keys === undefined
        ? Promise.reject(refused('authenticator not initialized', this.#failure))
        : Promise.resolve(this.#keys);
    this.#askedAtMs = nowMs;
    this.#asking = this.#fetch().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #fetch(): Promise<Keys> {
    const { discoveryUrl, url, ca } = this.#issuer;
    try {
      const told = (await fetchJson(discoveryUrl, ca)) as { issuer?: unknown; jwks_uri?: unknown };
      if (told.issuer !== url)
        throw new Error(`issuer of ${discoveryUrl} is another: ${String(told.issuer)}`);
      const set = (await fetchJson(String(told.jwks_uri), ca)) as JSONWebKeySet;
      if (!Array.isArray(set.keys)) throw new Error(`no keys at ${String(told.jwks_uri)}`);
      this.#keys = { set, atMs: this.#clock.monotonicMs() };
      return this.#keys;
    } catch (error) {
      this.#failure = error;
      throw refused('authenticator not initialized', error);
    }
  }
}

function fetchJson(url: string, ca: string | undefined): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const request = get(
      url,
      {
        agent: false,
        headers: { Accept: 'application/json' },
        signal: AbortSignal.timeout(documentMsMax),
        ...(ca === undefined ? {} : { ca }),
      },
      (answer) => {
        const parts: Buffer[] = [];
        let length = 0;
        answer.on('data', (part: Buffer) => {
          length += part.length;
          if (length > documentBytesMax) request.destroy(new Error(`the document at ${url} is too long`));
          else parts.push(part);
        });
        answer.on('error', reject);
        answer.on('end', () => {
          if (answer.statusCode !== 200) {
            reject(new Error(`${url} answers ${answer.statusCode}`));
            return;
          }
          try {
            resolve(JSON.parse(Buffer.concat(parts, length).toString('utf8')));
          } catch (error) {
            reject(error);
          }
        });
      },
    );
    request.on('error', reject);
  });
}
