/** A pod's /etc/hosts, /etc/resolv.conf and host name. Pure. */
import type { Pod } from '../../api/index.ts';

export interface DnsSettings {
  /** Addresses of the cloud's DNS; none: pods use the node's. */
  readonly servers: readonly string[];
  readonly domain: string;
}

const hostNameMax = 63;
/** What the kernel takes as a host name. */
const fullNameMax = 64;

/** `spec.hostname`, or the pod's name, cut to what Linux allows; the node's own with the host's network. */
export function hostNameOf(pod: Pod, nodeHostName: string): string {
  if (pod.spec?.hostnameOverride) return pod.spec.hostnameOverride;
  if (pod.spec?.hostNetwork) return nodeHostName;
  const name = pod.spec?.hostname || (pod.metadata.name ?? '');
  const short = name.slice(0, hostNameMax).replace(/[-.]+$/, '');
  if (pod.spec?.setHostnameAsFQDN) return fullHostName(pod, short, 'cluster.local') ?? short;
  return short;
}

/** Why a pod cannot have the host name that it asks for; undefined: it can. */
export function hostNameProblem(pod: Pod, hostName: string): string | undefined {
  if (pod.spec?.setHostnameAsFQDN !== true || hostName.length <= fullNameMax) return undefined;
  return `failed to construct FQDN from pod hostname and cluster domain, FQDN ${hostName} is too long (${fullNameMax} characters is the max, ${hostName.length} characters requested)`;
}

function fullHostName(pod: Pod, hostName: string, domain: string): string | undefined {
  const { subdomain } = pod.spec ?? {};
  if (!subdomain) return undefined;
  return `${hostName}.${subdomain}.${pod.metadata.namespace}.svc.${domain}`;
}

export function hostsFile(
  pod: Pod,
  hostName: string,
  addresses: readonly string[],
  domain: string,
  hostsOfNode: string,
): string {
  const lines: string[] = [];
  if (pod.spec?.hostNetwork)
    lines.push('# Kubernetes-managed hosts file (host network).', hostsOfNode.trimEnd());
  else {
    lines.push(
      '# Kubernetes-managed hosts file.',
      '127.0.0.1\tlocalhost',
      '::1\tlocalhost ip6-localhost ip6-loopback',
      'fe00::0\tip6-localnet',
      'fe00::0\tip6-mcastprefix',
      'fe00::1\tip6-allnodes',
      'fe00::2\tip6-allrouters',
    );
    const full = fullHostName(pod, hostName, domain);
    for (const address of addresses)
      lines.push(`${address}\t${full === undefined ? hostName : `${full}\t${hostName}`}`);
  }
  const aliases = pod.spec?.hostAliases ?? [];
  if (aliases.length > 0) {
    lines.push('', '# Entries added by HostAliases.');
    for (const alias of aliases) lines.push(`${alias.ip}\t${(alias.hostnames ?? []).join('\t')}`);
  }
  return `${lines.join('\n')}\n`;
}

const searchesMax = 32;
const serversMax = 3;

export function resolvFile(pod: Pod, dns: DnsSettings, resolvOfNode: string): string {
  const policy = pod.spec?.dnsPolicy ?? 'ClusterFirst';
  const inCluster =
    dns.servers.length > 0 &&
    (policy === 'ClusterFirstWithHostNet' || (policy === 'ClusterFirst' && !pod.spec?.hostNetwork));
  const node = parseResolv(resolvOfNode);
  const { namespace } = pod.metadata;
  const base =
    policy === 'None'
      ? { servers: [] as string[], searches: [] as string[], options: [] as string[] }
      : inCluster
        ? {
            servers: [...dns.servers],
            searches: [`${namespace}.svc.${dns.domain}`, `svc.${dns.domain}`, dns.domain, ...node.searches],
            options: ['ndots:5'],
          }
        : node;
  const config = pod.spec?.dnsConfig;
  const options = new Map<string, string>();
  for (const option of base.options) options.set(option.split(':')[0] ?? '', option);
  for (const { name = '', value } of config?.options ?? [])
    options.set(name, value === undefined || value === '' ? name : `${name}:${value}`);
  const servers = [...new Set([...base.servers, ...(config?.nameservers ?? [])])].slice(0, serversMax);
  const searches = [...new Set([...base.searches, ...(config?.searches ?? [])])].slice(0, searchesMax);
  const lines: string[] = [];
  if (searches.length > 0) lines.push(`search ${searches.join(' ')}`);
  for (const server of servers) lines.push(`nameserver ${server}`);
  if (options.size > 0) lines.push(`options ${[...options.values()].join(' ')}`);
  return `${lines.join('\n')}\n`;
}

function parseResolv(text: string): { servers: string[]; searches: string[]; options: string[] } {
  const servers: string[] = [];
  let searches: string[] = [];
  let options: string[] = [];
  for (const line of text.split('\n')) {
    const [word, ...rest] = line.trim().split(/\s+/);
    if (word === 'nameserver' && rest[0] !== undefined) servers.push(rest[0]);
    else if (word === 'search') searches = rest.filter((item) => item !== '.');
    else if (word === 'options') options = rest;
  }
  return { servers, searches, options };
}
