/**
 * Whom a request to `nodes|pods|services/NAME/proxy` means: `NAME`, `NAME:PORT`, `SCHEME:NAME:PORT`. Pure.
 * Source: Kubernetes' registries of nodes, pods and services (ResourceLocation), as behaviour.
 */
import { badRequest, type Node, notFound, type Pod, type Service } from '../api/index.ts';
import { CaelumError, type Random } from '../lib/index.ts';
import type { Store } from '../store/index.ts';
import type { Resources } from './resource.ts';
import type { ResourceRoute } from './router.ts';
import { type Address, addressesOf } from './webhook.ts';

export interface ProxyTarget {
  readonly scheme: 'http' | 'https';
  /** Tried in turn while nobody listens. */
  readonly addresses: readonly Address[];
  /** The node's agent: it wants our certificate, and has one of its own. */
  readonly isAgent: boolean;
}

interface Context {
  readonly store: Store;
  readonly resources: Resources;
  readonly random: Random;
}

/** Throws `badRequest`, `notFound`, `unavailable`. */
export function proxyTarget(context: Context, route: ResourceRoute): ProxyTarget {
  switch (route.resource) {
    case 'nodes':
      return nodeTarget(context, route.name);
    case 'pods':
      return podTarget(context, route);
    default:
      return serviceTarget(context, route);
  }
}

interface Named {
  readonly scheme: '' | 'http' | 'https';
  readonly name: string;
  readonly port: string;
}

/** undefined: it is none. */
export function splitProxyName(text: string): Named | undefined {
  const parts = text.split(':');
  if (parts.length > 3) return undefined;
  const [scheme, name, port] =
    parts.length === 3 ? (parts as [string, string, string]) : ['', parts[0] ?? '', parts[1] ?? ''];
  if ((scheme !== '' && scheme !== 'http' && scheme !== 'https') || name === '') return undefined;
  return { scheme, name, port };
}

function named(kind: string, text: string): Named {
  const split = splitProxyName(text);
  if (split === undefined) throw badRequest(`invalid ${kind} request ${JSON.stringify(text)}`);
  return split;
}

function numberOf(port: string): number {
  const number = /^\d{1,5}$/.test(port) ? Number(port) : 0;
  if (number < 1 || number > 65_535)
    throw badRequest(`invalid port ${JSON.stringify(port)}: it is no number from 1 to 65535`);
  return number;
}

/** What leads to the machine itself, or nowhere. */
export function checkProxyable(address: string): void {
  const lower = address.toLowerCase();
  const isRefused =
    lower === '' ||
    lower === '0.0.0.0' ||
    lower === '::' ||
    lower === '::1' ||
    /^(127\.|169\.254\.|224\.0\.0\.|fe[89ab][0-9a-f]:|ff0[12]:|::ffff:127\.)/.test(lower);
  if (isRefused) throw badRequest('address not allowed');
}

function nodeTarget({ store, resources }: Context, text: string): ProxyTarget {
  const { scheme, name, port } = named('node', text);
  const nodes = resources.core('nodes');
  const node = store.latest(nodes.key('', name))?.object() as Node | undefined;
  if (node === undefined) throw notFound(nodes.ref, name);
  const { addresses = [], daemonEndpoints } = node.status ?? {};
  const host =
    addresses.find(({ type }) => type === 'InternalIP')?.address ??
    addresses.find(({ type }) => type === 'Hostname')?.address;
  const agentPort = daemonEndpoints?.kubeletEndpoint?.Port;
  if (host === undefined)
    throw new CaelumError('unavailable', `Cannot reach node "${name}": it has not told its address yet`);
  if (agentPort !== undefined && (port === '' || port === String(agentPort)))
    return { scheme: 'https', addresses: [{ host, port: agentPort }], isAgent: true };
  checkProxyable(host);
  return {
    scheme: scheme === '' ? 'http' : scheme,
    addresses: [{ host, port: numberOf(port) }],
    isAgent: false,
  };
}

function podTarget({ store, resources }: Context, { namespace, name: text }: ResourceRoute): ProxyTarget {
  const { scheme, name, port } = named('pod', text);
  const pods = resources.core('pods');
  const pod = store.latest(pods.key(namespace, name))?.object() as Pod | undefined;
  if (pod === undefined) throw notFound(pods.ref, name);
  const host = pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP ?? '';
  checkProxyable(host);
  const first = pod.spec?.containers.find(({ ports }) => (ports?.length ?? 0) > 0)?.ports?.[0];
  const usual = first?.containerPort ?? (scheme === 'https' ? 443 : 80);
  return {
    scheme: scheme === '' ? 'http' : scheme,
    addresses: [{ host, port: port === '' ? usual : numberOf(port) }],
    isAgent: false,
  };
}

function serviceTarget(context: Context, { namespace, name: text }: ResourceRoute): ProxyTarget {
  const { scheme, name, port } = named('service', text);
  const { store, resources, random } = context;
  const services = resources.core('services');
  const service = store.latest(services.key(namespace, name))?.object() as Service | undefined;
  if (service === undefined) throw notFound(services.ref, name);
  const ports = service.spec?.ports ?? [];
  const wanted = /^\d+$/.test(port)
    ? ports.find((one) => one.port === Number(port))
    : ports.find((one) => (one.name ?? '') === port);
  if (wanted === undefined)
    throw new CaelumError(
      'unavailable',
      /^\d+$/.test(port)
        ? `no service port ${port} found for service ${JSON.stringify(name)}`
        : `no endpoints available for service ${JSON.stringify(text)}`,
    );
  const addresses = addressesOf(context, random, namespace, name, wanted.port);
  for (const { host } of addresses) checkProxyable(host);
  return { scheme: scheme === '' ? 'http' : scheme, addresses, isAgent: false };
}
