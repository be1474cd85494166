/**
 * URLs of the API, taken apart. Pure; on the path of every request, so: no patterns, one walk over the text.
 *
 *   /api/VERSION/[watch/][namespaces/NS/]RESOURCE[/NAME[/SUBRESOURCE]]      /apis/GROUP/VERSION/…      everything else: a path
 *
 * Source: Kubernetes API concepts, "resource URIs"; k8s.io/apiserver/pkg/endpoints/request RequestInfo.
 */
import { badRequest } from '../api/index.ts';

export interface ResourceRoute {
  readonly kind: 'resource';
  readonly group: string;
  readonly version: string;
  /** '' when the path names none. */
  readonly namespace: string;
  readonly resource: string;
  /** '' for the collection. */
  readonly name: string;
  readonly subresource: string;
  /** Of `proxy`: what follows it, as it was written (`/`, `/a%20b`); '' for nothing. */
  readonly path?: string;
  /** Asked for as `…/watch/RESOURCE…`: the old way to say `?watch=1`. */
  readonly isWatch?: true;
}

export type Route = ResourceRoute | { readonly kind: 'path'; readonly path: string };

/** A namespace's own parts; anything else below a namespace is a resource in it. */
const namespaceParts = new Set(['status', 'finalize']);

/** `path` is without its query. Throws `badRequest` for text that no URL may hold. */
export function parseRoute(path: string): Route {
  const proxy = path.indexOf('/proxy');
  if (proxy > 0 && path.startsWith('/api/')) {
    const route = parseProxy(path);
    if (route !== undefined) return route;
  }
  const parts = path.split('/');
  // A slash at the end changes nothing; empty parts elsewhere are no resource.
  if (parts.length > 3 && parts[parts.length - 1] === '') parts.pop();
  const isCore = parts[1] === 'api';
  if (!isCore && parts[1] !== 'apis') return { kind: 'path', path };
  const first = isCore ? 3 : 4;
  if (parts.length <= first) return { kind: 'path', path };
  const isWatch = parts[first] === 'watch' && parts.length > first + 1;
  if (isWatch) parts.splice(first, 1);
  if (path.includes('%')) for (let i = 2; i < parts.length; i++) parts[i] = decoded(parts[i] as string);
  let at = first;
  let namespace = '';
  if (
    parts[at] === 'namespaces' &&
    parts.length > at + 2 &&
    !(parts.length === at + 3 && namespaceParts.has(parts[at + 2] as string))
  ) {
    namespace = parts[at + 1] as string;
    at += 2;
  }
  const resource = parts[at] as string;
  const name = parts[at + 1] ?? '';
  const subresource = parts[at + 2] ?? '';
  if (resource === '' || parts.length > at + 3 || (parts.length > at + 1 && name === ''))
    return { kind: 'path', path };
  const group = isCore ? '' : (parts[2] as string);
  const version = parts[first - 1] as string;
  const route: ResourceRoute = { kind: 'resource', group, version, namespace, resource, name, subresource };
  return isWatch ? { ...route, isWatch } : route;
}

/** `…/nodes|pods|services/NAME/proxy[/PATH]`, whose path is the other server's affair. */
function parseProxy(path: string): ResourceRoute | undefined {
  const match =
    /^\/api\/([^/]+)(?:\/namespaces\/([^/]+))?\/(nodes|pods|services)\/([^/]+)\/proxy(\/.*)?$/.exec(path);
  if (match === null) return undefined;
  const [, version = '', namespace = '', resource = '', name = '', rest = ''] = match;
  if ((namespace === '') !== (resource === 'nodes')) return undefined;
  return {
    kind: 'resource',
    group: '',
    version,
    namespace: decoded(namespace),
    resource,
    name: decoded(name),
    subresource: 'proxy',
    path: rest,
  };
}

function decoded(part: string): string {
  if (!part.includes('%')) return part;
  try {
    return decodeURIComponent(part);
  } catch {
    throw badRequest(`Cannot read path part "${part}": it is not percent-encoded UTF-8`);
  }
}

/** Request parameters. An absent one is undefined, as is an empty one. */
export class Query {
  readonly #parameters: URLSearchParams | undefined;

  constructor(text: string) {
    this.#parameters = text === '' ? undefined : new URLSearchParams(text);
  }

  text(name: string): string | undefined {
    const value = this.#parameters?.get(name);
    return value === null || value === '' ? undefined : value;
  }

  all(name: string): readonly string[] {
    return this.#parameters?.getAll(name) ?? [];
  }

  /** As Go's strconv.ParseBool would; anything it does not know is refused. An empty value counts as true (`?watch`). */
  flag(name: string): boolean | undefined {
    const value = this.#parameters?.get(name);
    if (value === undefined || value === null) return undefined;
    if (['', '1', 't', 'T', 'true', 'TRUE', 'True'].includes(value)) return true;
    if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(value)) return false;
    throw badRequest(`strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`);
  }

  /** A whole number. Where a negative one means nothing, it is passed over by whoever asks. */
  count(name: string): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    if (!/^[+-]?\d{1,15}$/.test(value))
      throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
    return Number(value);
  }

  /** How many a list is to have at most: negative says none, as Kubernetes takes it. */
  limit(): number | undefined {
    const limit = this.count('limit');
    return limit === undefined || limit < 0 ? undefined : limit;
  }
}
