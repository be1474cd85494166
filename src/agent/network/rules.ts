/**
 * The nftables table of the pod network, as text for `nft -f`. Pure: one table of our own, replaced whole in one transaction.
 *
 *   prerouting, output: host ports to pods        postrouting: masquerade of what leaves the pods' range, and of a pod that reaches itself
 *
 * A pod that reaches itself through a virtual IP would get packets from its own address, and drop them: such pairs are masqueraded too.
 */
import type { HostPort } from './network.ts';
import { formatAddress, type Range } from './range.ts';

export interface RuleInput {
  readonly table: string;
  readonly bridgeName: string;
  readonly range: Range;
  /** Ranges that pods reach under their own address, besides their own: the pods of other nodes. */
  readonly direct: readonly string[];
  readonly ports: readonly { readonly address: string; readonly port: HostPort }[];
}

/** Up to this many addresses, all pairs of a pod with itself are loaded at once; beyond, only those that are given. */
export const pairsMax = 4096;

export function tableText(input: RuleInput, addresses: readonly string[]): string {
  const { table, bridgeName, range } = input;
  const own = range.size <= pairsMax ? allAddresses(range) : addresses;
  const any = input.ports.filter(({ port }) => isAny(port.hostIp));
  const one = input.ports.filter(({ port }) => !isAny(port.hostIp));
  const direct = [range.cidr, ...input.direct].join(', ');
  const toPods = `
    dnat ip to ip daddr . meta l4proto . th dport map @ports_of_address
    fib daddr type local dnat ip to meta l4proto . th dport map @ports`;
  return `table ip ${table}
delete table ip ${table}
table ip ${table} {
  set itself {
    type ipv4_addr . ipv4_addr
    ${elements(own.map((address) => `${address} . ${address}`))}
  }
  map ports {
    type inet_proto . inet_service : ipv4_addr . inet_service
    ${elements(any.map(({ address, port }) => `${from(port)} : ${address} . ${port.containerPort}`))}
  }
  map ports_of_address {
    type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service
    ${elements(one.map(({ address, port }) => `${port.hostIp} . ${from(port)} : ${address} . ${port.containerPort}`))}
  }
  chain loopback {
    type filter hook prerouting priority raw; policy accept;
    iifname "${bridgeName}" ip daddr 127.0.0.0/8 drop
  }
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;${toPods}
  }
  chain output {
    type nat hook output priority -100; policy accept;${toPods}
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${range.cidr} ip daddr != { ${direct} } ip daddr != 224.0.0.0/4 masquerade
    ip saddr 127.0.0.0/8 oifname "${bridgeName}" masquerade
    ip saddr . ip daddr @itself masquerade
  }
}
`;
}

function from(port: HostPort): string {
  return `${port.protocol.toLowerCase()} . ${port.hostPort}`;
}

function isAny(hostIp: string): boolean {
  return hostIp === '' || hostIp === '0.0.0.0' || hostIp === '::';
}

function elements(list: readonly string[]): string {
  return list.length === 0 ? '' : `elements = { ${list.join(', ')} }`;
}

function allAddresses(range: Range): string[] {
  const first = range.numberOf(range.gateway) + 1;
  return Array.from({ length: range.size }, (_, index) => formatAddress(first + index));
}
