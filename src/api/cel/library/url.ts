/** Kubernetes' URLs. Accepts what Go's `url.ParseRequestURI` does: an absolute URI, or an absolute path. */
import { type Definition, through } from '../function.ts';
import { Fault, Opaque } from '../value.ts';

interface Parts {
  readonly scheme: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;
}
type Url = Opaque<Parts>;

const shape =
  /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/(?:[^/?#@]*@)?((?:\[[^\]/?#]*\])?[^/?#]*))?([^?]*)(?:\?(.*))?$/s;

function parse(text: string): Parts | string {
  const refusal = (why: string): string =>
    `URL parse error during conversion from string: parse ${JSON.stringify(text)}: ${why}`;
  if (text === '') return refusal('empty url');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  if (/[\x00-\x1f\x7f]/.test(text)) return refusal('net/url: invalid control character in URL');
  const [, scheme = '', host = '', path = '', query = ''] = shape.exec(text) ?? [];
  if (scheme === '' && !text.startsWith('/')) return refusal('invalid URI for request');
  if (scheme !== '' && host === '' && !path.startsWith('/') && !text.includes('://'))
    return refusal('invalid URI for request');
  const bad = /%(?![0-9a-fA-F]{2}).{0,2}/s.exec(host + path)?.[0];
  if (bad !== undefined) return refusal(`invalid URL escape ${JSON.stringify(bad)}`);
  if (/[ <>"{}\\^`|]/.test(host)) return refusal('invalid character in host name');
  const port = /:([^:\]]*)$/.exec(host)?.[1];
  if (port !== undefined && !/^\d*$/.test(port)) return refusal(`invalid port ":${port}" after host`);
  return { scheme: scheme.toLowerCase(), host, path, query };
}

function urlOf(text: string): Url {
  const parts = parse(text);
  if (typeof parts === 'string') throw new Fault(parts);
  return new Opaque('kubernetes.URL', parts, JSON.stringify(parts));
}

function unescaped(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

function queryOf({ value }: Url): Map<string, string[]> {
  const query = new Map<string, string[]>();
  for (const pair of value.query.split('&')) {
    if (pair === '' || pair.includes(';')) continue;
    const at = pair.indexOf('=');
    const key = unescaped(at < 0 ? pair : pair.slice(0, at));
    const item = unescaped(at < 0 ? '' : pair.slice(at + 1));
    if (key === undefined || item === undefined) continue;
    query.set(key, [...(query.get(key) ?? []), item]);
  }
  return query;
}

/** What stands raw in a path that is not allowed there is escaped. */
const escapedPath = (path: string): string =>
  path.replace(/[^A-Za-z0-9\-_.~$&+,/:;=@%!'()*]/gu, (sign) => encodeURIComponent(sign.toWellFormed()));

const first = { cost: through };

export const urlFunctions: readonly Definition[] = [
  ['url(string): url', urlOf, first],
  ['isURL(string): bool', (text: string) => typeof parse(text) !== 'string', first],
  ['url . getScheme(): string', ({ value }: Url) => value.scheme],
  ['url . getHost(): string', ({ value }: Url) => value.host],
  [
    'url . getHostname(): string',
    ({ value }: Url) => value.host.replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1'),
  ],
  ['url . getPort(): string', ({ value }: Url) => /:(\d+)$/.exec(value.host)?.[1] ?? ''],
  ['url . getEscapedPath(): string', ({ value }: Url) => escapedPath(value.path)],
  ['url . getQuery(): map(string, list(string))', queryOf],
];
