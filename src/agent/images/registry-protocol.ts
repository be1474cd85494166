/**
 * What is said between us and a registry, beside the bytes: endpoints, challenges, errors. Pure.
 * Source: OCI distribution-spec; distribution.github.io/distribution/spec/auth/token; RFC 9110, section 11.
 */
import { CaelumError } from '../../lib/index.ts';

/** One place that answers for a registry. */
export interface Endpoint {
  /** `https://registry-1.docker.io`. No slash at the end. */
  readonly url: string;
  /** PEM of certificates to trust, beside the system's. */
  readonly ca: string | undefined;
  /** Its certificate is not checked. */
  readonly insecure: boolean;
  /** Not the registry itself: another server that holds copies. */
  readonly isMirror: boolean;
}

/**
 * `registries.json`: registry → where else to ask (first), whom to trust.
 * `{"docker.io": {"endpoints": ["https://mirror.lan"], "ca": "/etc/mirror.pem"}, "lab:5000": {"insecure": true}}`
 */
export type RegistrySettings = Readonly<
  Record<
    string,
    {
      readonly endpoints?: readonly string[];
      /** Path of a PEM file. */
      readonly ca?: string;
      /** Plain HTTP where no endpoint says otherwise, and no check of certificates. */
      readonly insecure?: boolean;
    }
  >
>;

/** Throws `badRequest`. */
export function parseRegistrySettings(text: string): RegistrySettings {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new CaelumError('badRequest', 'Cannot read registries.json: not JSON', { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new CaelumError('badRequest', 'Cannot read registries.json: no object');
  for (const [registry, one] of Object.entries(value as Record<string, Record<string, unknown>>)) {
    const endpoints = one['endpoints'] ?? [];
    const isRight =
      Array.isArray(endpoints) &&
      endpoints.every((url) => typeof url === 'string' && /^https?:\/\/[^/]+/.test(url)) &&
      ['string', 'undefined'].includes(typeof one['ca']) &&
      ['boolean', 'undefined'].includes(typeof one['insecure']);
    if (!isRight)
      throw new CaelumError('badRequest', `Cannot read registries.json: "${registry}" is not understood`);
  }
  return value as RegistrySettings;
}

/** Where to ask for images of `registry`, in order. A registry on this machine may speak plain HTTP, as Docker has it. */
export function endpointsOf(
  registry: string,
  settings: RegistrySettings,
  readCa: (path: string) => string,
): readonly Endpoint[] {
  const one = settings[registry];
  const insecure = one?.insecure ?? false;
  const ca = one?.ca === undefined ? undefined : readCa(one.ca);
  const host = registry === 'docker.io' ? 'registry-1.docker.io' : registry;
  const isLocal = /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/.test(registry);
  const own = isLocal
    ? [`http://${host}`, `https://${host}`]
    : insecure
      ? [`https://${host}`, `http://${host}`]
      : [`https://${host}`];
  const given = (one?.endpoints ?? []).map((url) => url.replace(/\/+$/, ''));
  return [...given, ...own.filter((url) => !given.includes(url))].map((url) => ({
    url,
    ca,
    insecure: insecure || isLocal,
    isMirror: new URL(url).host !== host,
  }));
}

export type Challenge =
  | { readonly kind: 'basic' }
  | {
      readonly kind: 'bearer';
      readonly realm: string;
      readonly service: string | undefined;
      readonly scope: string | undefined;
    };

/** `WWW-Authenticate: Bearer realm="…",service="…",scope="…"`. */
export function parseChallenge(header: string): Challenge | undefined {
  const scheme = /^\s*(\w+)/.exec(header)?.[1]?.toLowerCase();
  if (scheme === 'basic') return { kind: 'basic' };
  if (scheme !== 'bearer') return undefined;
  const fields = new Map<string, string>();
  for (const match of header.matchAll(/(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g))
    fields.set((match[1] as string).toLowerCase(), (match[2] ?? match[3] ?? '').replace(/\\(.)/g, '$1'));
  const realm = fields.get('realm');
  if (realm === undefined || !/^https?:\/\//.test(realm)) return undefined;
  return { kind: 'bearer', realm, service: fields.get('service'), scope: fields.get('scope') };
}

/** The error that a registry's answer stands for. */
export function refusalOf(what: string, status: number, body: string): CaelumError {
  let said = '';
  let code = '';
  try {
    const { errors } = JSON.parse(body) as { errors?: { code?: string; message?: string }[] };
    said = errors?.[0]?.message ?? '';
    code = errors?.[0]?.code ?? '';
  } catch {
    // Not every registry explains itself in JSON.
  }
  const why = said || code || `the registry answered ${status}`;
  if (status === 401 || status === 403 || code === 'UNAUTHORIZED' || code === 'DENIED')
    return new CaelumError('unauthorized', `Cannot ${what}: ${why}`);
  if (status === 404) return new CaelumError('notFound', `Cannot ${what}: ${why}`);
  if (status === 429) return new CaelumError('tooManyRequests', `Cannot ${what}: ${why}`);
  if (status >= 500) return new CaelumError('unavailable', `Cannot ${what}: ${why}`);
  return new CaelumError('badRequest', `Cannot ${what}: ${why}`);
}

/** `bytes 100-199/200` → 100. */
export function rangeStart(contentRange: string | undefined): number | undefined {
  const start = /^bytes (\d+)-/.exec(contentRange ?? '')?.[1];
  return start === undefined ? undefined : Number(start);
}

/** Whether credentials for `a` may go to `b`: same scheme, host and port. */
export function sameOrigin(a: string, b: string): boolean {
  return new URL(a).origin === new URL(b).origin;
}
