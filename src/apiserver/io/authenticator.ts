/**
 * Who a request comes from, asked in Kubernetes' order: the front proxy's headers, the certificate, the bearer token; else nobody known.
 *
 *   socket ─▶ certificate of the front proxy? its headers ─▶ certificate of ours? its subject
 *   token  ─▶ static ─▶ bootstrap ─▶ service account ─▶ judges (OIDC, webhook), which may have to ask
 *
 * Invariants: only a certificate that our authority signed names anybody; a token that nobody knows is refused, never taken for none;
 * whoever shows a certificate or a token of ours is known without a promise.
 */
import { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import type { KubeObject } from '../../api/index.ts';
import type { Client } from '../../client/index.ts';
import { CaelumError, formatTime } from '../../lib/index.ts';
import {
  bearerToken,
  commonNameOf,
  identityOfBootstrapToken,
  identityOfCertificate,
  identityOfProxy,
  identityOfToken,
  isBootstrapToken,
  type Lookup,
  sameSecret,
  webSocketToken,
} from '../authentication.ts';
import type { ApiContext } from '../context.ts';
import { anonymous, type Identity, systemIdentity } from '../identity.ts';
import { createLocalClient } from '../local-client.ts';
import { createTokenReader, tokenIssuer } from './service-account-tokens.ts';

/** Whom a token speaks for, and for which of the audiences that were asked. */
export interface TokenBearer {
  readonly identity: Identity;
  readonly audiences: readonly string[];
}

/** Somebody who knows other tokens than ours. undefined: not known here, the next is asked. Throws when the token is known to be bad. */
export type TokenJudge = (
  token: string,
  audiences: readonly string[],
) => TokenBearer | undefined | Promise<TokenBearer | undefined>;

export interface FrontProxy {
  /** PEM of one or more authorities. */
  readonly ca: string;
  /** Common names; none: any that the authority signed. */
  readonly allowedNames: readonly string[];
}

export interface AuthenticatorOptions {
  readonly context: ApiContext;
  /** PEM: who signs clients' certificates. */
  readonly clientCa: string;
  readonly frontProxy?: FrontProxy;
  /** PEM. Without it service accounts' tokens are not known. */
  readonly serviceAccountPublicKey?: string | readonly string[];
  readonly staticTokens?: readonly { readonly token: string; readonly identity: Identity }[];
  readonly judges?: readonly TokenJudge[];
  /** Where those who are not known may go; default: wherever roles let them. */
  readonly anonymous?: AnonymousAccess;
}

export interface AnonymousAccess {
  readonly enabled: boolean;
  /** Only to these paths; none: to all. */
  readonly paths: readonly string[];
}

const lastUsedLabel = 'kubernetes.io/legacy-token-last-used';
const secretsRef = { group: '', version: 'v1', resource: 'secrets', namespaced: true };
const proxied = Symbol('what the front proxy says counts');

export class Authenticator {
  readonly #options: AuthenticatorOptions;
  readonly #readToken: ReturnType<typeof createTokenReader> | undefined;
  readonly #lookup: Lookup;
  /** A connection's certificate never changes: it is read once. */
  readonly #bySocket = new WeakMap<object, Identity | typeof proxied>();
  /** Secrets whose use is being written. */
  readonly #noting = new Set<string>();
  #client: Client | undefined;

  constructor(options: AuthenticatorOptions) {
    const { context, serviceAccountPublicKey } = options;
    this.#options = options;
    this.#readToken =
      serviceAccountPublicKey === undefined
        ? undefined
        : createTokenReader(serviceAccountPublicKey, () => context.clock.nowMs());
    this.#lookup = (resource, namespace, name) =>
      context.store.get(context.resources.core(resource).key(namespace, name))?.object() as
        | KubeObject
        | undefined;
  }

  /** Throws `unauthorized`. */
  identify(request: IncomingMessage): Identity | Promise<Identity> {
    const { socket, headers } = request;
    let known = this.#bySocket.get(socket);
    if (known === undefined) {
      known = this.#certified(socket as TLSSocket);
      this.#bySocket.set(socket, known);
    }
    if (known === proxied) {
      const identity = identityOfProxy(headers, request.rawHeaders);
      if (identity !== undefined) return identity;
    } else if (known !== anonymous) return known;
    const { authorization } = headers;
    if (authorization !== undefined) return this.#bearer(bearerToken(authorization));
    const token = webSocketToken(headers['sec-websocket-protocol']);
    if (token !== undefined) return this.#bearer(token);
    return this.#nobody(request.url ?? '/');
  }

  /** Whose a token is that is meant for one of `audiences`; none: for us. */
  readonly identifyToken = (
    token: string,
    audiences: readonly string[],
  ): TokenBearer | undefined | Promise<TokenBearer | undefined> => {
    const wanted = audiences.length === 0 ? [tokenIssuer] : audiences;
    const fixed = this.#options.staticTokens?.find((one) => sameSecret(one.token, token));
    if (fixed !== undefined) return forUs(fixed.identity, wanted);
    const nowMs = this.#options.context.clock.nowMs();
    if (isBootstrapToken(token)) {
      const identity = identityOfBootstrapToken(token, this.#lookup, nowMs);
      return identity === undefined ? undefined : forUs(identity, wanted);
    }
    const claims = this.#readToken?.(token);
    if (claims !== undefined) {
      const common = wanted.filter((one) => claims.audiences.includes(one));
      if (common.length === 0) return undefined;
      const identity = identityOfToken(claims, this.#lookup, token, nowMs);
      if (identity === undefined) return undefined;
      if (claims.keptIn !== undefined) this.#noteUse(claims.namespace, claims.keptIn, nowMs);
      return { identity, audiences: common };
    }
    const { judges = [] } = this.#options;
    return judges.length === 0 ? undefined : judged(judges, token, wanted);
  };

  /** A token without an end says on which day it was last used, so that those that nobody uses can be found. Never rejects. */
  #noteUse(namespace: string, name: string, nowMs: number): void {
    const day = formatTime(nowMs).slice(0, 10);
    const secret = this.#lookup('secrets', namespace, name);
    const key = `${namespace}/${name}`;
    if (secret?.metadata.labels?.[lastUsedLabel] === day || this.#noting.has(key)) return;
    this.#noting.add(key);
    this.#client ??= createLocalClient(this.#options.context, systemIdentity);
    const patch = { metadata: { uid: secret?.metadata.uid, labels: { [lastUsedLabel]: day } } };
    this.#client
      .patch(secretsRef, namespace, name, 'merge', patch)
      .catch((error: unknown) =>
        this.#options.context.log.debug('cannot note the use of a token', { key, error }),
      )
      .finally(() => this.#noting.delete(key));
  }

  #certified(socket: TLSSocket): Identity | typeof proxied {
    // Only a certificate that one of our authorities has signed counts.
    if (!socket.authorized) return anonymous;
    const { frontProxy } = this.#options;
    const certificate = socket.getPeerCertificate(frontProxy !== undefined);
    if (frontProxy !== undefined) {
      const shown = certificate as DetailedPeerCertificate;
      if (isIssuedBy(shown, frontProxy.ca)) {
        const name = commonNameOf(certificate.subject) ?? '';
        const { allowedNames } = frontProxy;
        return allowedNames.length === 0 || allowedNames.includes(name) ? proxied : anonymous;
      }
      // The front proxy's authority names nobody, whatever way its certificate came.
      if (!isIssuedBy(shown, this.#options.clientCa)) return anonymous;
    }
    return identityOfCertificate(certificate.subject, certificate.fingerprint256) ?? anonymous;
  }

  #bearer(token: string | undefined): Identity | Promise<Identity> {
    if (token === undefined) throw unauthorized();
    const bearer = this.identifyToken(token, [tokenIssuer]);
    if (bearer instanceof Promise)
      return bearer.then(
        (found) => identityOf(found),
        (cause: unknown) => {
          throw unauthorized(cause);
        },
      );
    return identityOf(bearer);
  }

  #nobody(url: string): Identity {
    const { enabled, paths } = this.#options.anonymous ?? everywhere;
    if (!enabled) throw unauthorized();
    if (paths.length > 0) {
      const mark = url.indexOf('?');
      if (!paths.includes(mark < 0 ? url : url.slice(0, mark))) throw unauthorized();
    }
    return anonymous;
  }
}

const everywhere: AnonymousAccess = { enabled: true, paths: [] };
const unauthorized = (cause?: unknown): CaelumError =>
  new CaelumError('unauthorized', 'Unauthorized', { cause });

function identityOf(bearer: TokenBearer | undefined): Identity {
  if (bearer === undefined) throw unauthorized();
  return bearer.identity;
}

/** What knows no audiences speaks for this API alone. */
function forUs(identity: Identity, wanted: readonly string[]): TokenBearer | undefined {
  return wanted.includes(tokenIssuer) ? { identity, audiences: [tokenIssuer] } : undefined;
}

async function judged(
  judges: readonly TokenJudge[],
  token: string,
  audiences: readonly string[],
): Promise<TokenBearer | undefined> {
  let failure: unknown;
  for (const judge of judges) {
    try {
      const found = await judge(token, audiences);
      if (found !== undefined) return found;
    } catch (error) {
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
  return undefined;
}

/**
 * Has one of these authorities signed a certificate that was found genuine? A resumed session shows no chain: then the authority must have signed it itself.
 */
function isIssuedBy(certificate: DetailedPeerCertificate, ca: string): boolean {
  const authorities = authoritiesOf(ca);
  const leaf = new X509Certificate(certificate.raw);
  if (authorities.some((one) => leaf.checkIssued(one) && leaf.verify(one.publicKey))) return true;
  let at = certificate;
  for (let depth = 0; depth < 8; depth++) {
    const issuer = at.issuerCertificate;
    if (issuer === undefined || issuer === at || issuer.fingerprint256 === at.fingerprint256) break;
    at = issuer;
  }
  return authorities.some((one) => one.fingerprint256 === at.fingerprint256);
}

const authorityCache = new Map<string, readonly X509Certificate[]>();

function authoritiesOf(pem: string): readonly X509Certificate[] {
  let known = authorityCache.get(pem);
  if (known === undefined) {
    known = (pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map(
      (one) => new X509Certificate(one),
    );
    authorityCache.set(pem, known);
  }
  return known;
}
