/**
 * Whom a webhook's configuration means, and asking it: a URL, or a Service of this cluster, whose ready endpoints are called directly. Pure: `post` does the rest.
 *
 *   clientConfig ─▶ addresses, name on the certificate ─▶ post ─▶ JSON
 *
 * Failures are CaelumErrors worded as Kubernetes' clients word them (`Post "https://…": context deadline exceeded`): callers put in front who was called.
 */
import type { EndpointSlice, KubeObject, Service } from '../api/index.ts';
import { CaelumError, isError, type Random } from '../lib/index.ts';
import type { Store } from '../store/index.ts';
import type { Resources } from './resource.ts';

/** The clientConfig of webhook configurations, conversions and aggregated services. */
export interface WebhookTarget {
  readonly url?: string;
  readonly service?: {
    readonly namespace?: string;
    readonly name?: string;
    readonly path?: string;
    readonly port?: number;
  };
  /** PEM in base64, as it is stored; without it the system's authorities count. */
  readonly caBundle?: string;
}

export interface WebhookRequest {
  readonly target: WebhookTarget;
  readonly body: object;
  readonly timeoutMs: number;
  /** Whether the URL tells the time-out (`?timeout=10s`), as admission's does. */
  readonly tellsTimeout?: boolean;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** One POST, where to is settled. */
export interface Posting {
  /** As errors show it. */
  readonly url: string;
  /** Tried in turn while nobody listens. */
  readonly addresses: readonly Address[];
  /** With its parameters. */
  readonly path: string;
  /** On the certificate. */
  readonly serverName: string;
  /** PEM. */
  readonly ca: string | undefined;
  readonly body: string;
  readonly timeoutMs: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** PEM; who we are. */
  readonly client?: { readonly cert: string; readonly key: string };
}

/** Answers the body, parsed. Throws `timeout`, `unavailable`. */
export type Post = (posting: Posting) => Promise<unknown>;
export type CallWebhook = (request: WebhookRequest) => Promise<unknown>;

interface Context {
  readonly store: Store;
  readonly resources: Resources;
  readonly random: Random;
}

/** Where nothing can be called (the simulator). */
export const callsNobody: CallWebhook = async () => {
  throw new CaelumError('unavailable', 'webhooks are not called here');
};

export function webhookCaller(context: Context, post: Post): CallWebhook {
  const random = context.random.stream('webhooks');
  return async ({ target, body, timeoutMs, tellsTimeout = false }) => {
    const query = tellsTimeout ? `timeout=${timeoutMs / 1000}s` : '';
    const where =
      target.service === undefined ? atUrl(target.url ?? '') : atService(context, random, target.service);
    const { path } = where;
    const full = query === '' ? path : `${path}${path.includes('?') ? '&' : '?'}${query}`;
    const url = `${where.origin}${full}`;
    return post({
      url,
      addresses: addressesAt(where, url),
      path: full,
      serverName: where.serverName,
      ca: target.caBundle === undefined || target.caBundle === '' ? undefined : atob(target.caBundle),
      body: JSON.stringify(body),
      timeoutMs,
    });
  };
}

interface Where {
  readonly origin: string;
  readonly path: string;
  /** Throws `unavailable`. */
  addresses(): readonly Address[];
  readonly serverName: string;
}

/** That a service has nobody is told as a failed call, as a Go client that dials it tells it. */
function addressesAt(where: Where, url: string): readonly Address[] {
  try {
    return where.addresses();
  } catch (error) {
    if (!isError(error, 'unavailable')) throw error;
    throw new CaelumError('unavailable', `Post ${JSON.stringify(url)}: ${error.message}`, { cause: error });
  }
}

function atUrl(text: string): Where {
  const url = URL.parse(text);
  if (url === null || url.protocol !== 'https:')
    throw new CaelumError('unavailable', `cannot call ${JSON.stringify(text)}: it is no https URL`);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return {
    origin: `https://${url.host}`,
    path:
      url.pathname === '/' && !text.endsWith('/') ? `${url.search}` || '/' : `${url.pathname}${url.search}`,
    addresses: () => [{ host, port: url.port === '' ? 443 : Number(url.port) }],
    serverName: host,
  };
}

function atService(context: Context, random: Random, asked: NonNullable<WebhookTarget['service']>): Where {
  const { namespace = '', name = '', path = '', port = 443 } = asked;
  const serverName = `${name}.${namespace}.svc`;
  return {
    origin: `https://${serverName}:${port}`,
    path: path === '' ? '/' : path.startsWith('/') ? path : `/${path}`,
    addresses: () => addressesOf(context, random, namespace, name, port),
    serverName,
  };
}

/** Of the ready endpoints, in an order by chance. Throws `unavailable`. */
export function addressesOf(
  { store, resources }: Context,
  random: Random,
  namespace: string,
  name: string,
  port: number,
): readonly Address[] {
  const fail = (why: string): CaelumError => new CaelumError('unavailable', why);
  const read = <T extends KubeObject>(key: string): T | undefined =>
    store.latest(key)?.object() as T | undefined;
  const service = read<Service>(resources.core('services').key(namespace, name));
  if (service === undefined) throw fail(`service ${JSON.stringify(name)} not found`);
  if (service.spec?.type === 'ExternalName') return [{ host: service.spec.externalName ?? '', port }];
  const asked = service.spec?.ports?.find((one) => one.port === port);
  if (asked === undefined) throw fail(`no service port ${port} found for service ${JSON.stringify(name)}`);
  const slices = resources.find('discovery.k8s.io', 'v1', 'endpointslices');
  const found: Address[] = [];
  for (const stored of slices === undefined ? [] : store.list(slices.prefixOf(namespace)).items) {
    const { metadata, endpoints, ports } = stored.object() as EndpointSlice;
    if (metadata.labels?.['kubernetes.io/service-name'] !== name) continue;
    const at = ports?.find((one) => (one.name ?? '') === (asked.name ?? ''))?.port;
    if (at === undefined) continue;
    for (const { addresses, conditions } of endpoints ?? [])
      if (conditions?.ready !== false) for (const host of addresses) found.push({ host, port: at });
  }
  if (found.length === 0) throw fail(`no endpoints available for service ${JSON.stringify(name)}`);
  const first = random.integer(found.length);
  return [...found.slice(first), ...found.slice(0, first)].slice(0, triesMax);
}

/** Endpoints of one service that are tried. */
const triesMax = 3;
