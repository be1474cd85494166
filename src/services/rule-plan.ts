/**
 * From rules to what nft is told: the whole table, or only what changed. Pure.
 *
 * Both are one transaction: the kernel has the old rules or the new ones, never something between. What is no longer referred to is
 * deleted by a second transaction (`cleanup`), which may fail: some kernels let go of a chain only after the first is done.
 */
import { masqueradeMark, type RuleSet } from './virtual-ips.ts';

export interface RulePlan {
  /** Empty: nothing changed. */
  readonly apply: string;
  readonly cleanup: string;
  /** UDP flows that lead to endpoints that are gone: arguments of conntrack(8). */
  readonly forget: readonly (readonly string[])[];
}

const refuse = 'goto refuse';

/** Replaces the table, whatever it held, atomically. */
export function wholeTable(
  table: string,
  rules: RuleSet,
  options: { readonly guardsLocalhost: boolean },
): string {
  const lines = [
    `add table ip ${table}`,
    `delete table ip ${table}`,
    `table ip ${table} {`,
    skeleton(options),
    '}',
  ];
  for (const [name, seconds] of rules.affinities) lines.push(addSet(table, name, seconds));
  for (const chain of rules.chains.keys()) lines.push(`add chain ip ${table} ${chain}`);
  for (const [chain, body] of rules.chains)
    for (const rule of body) lines.push(`add rule ip ${table} ${chain} ${rule}`);
  for (const { name, elements } of maps(rules)) lines.push(...addElements(table, name, elements));
  return `${lines.join('\n')}\n`;
}

function skeleton(options: { readonly guardsLocalhost: boolean }): string {
  const text = `
  map virtual { type ipv4_addr . inet_proto . inet_service : verdict; }
  map node-ports { type inet_proto . inet_service : verdict; }
  map refused-virtual { type ipv4_addr . inet_proto . inet_service : verdict; }
  map refused-node-ports { type inet_proto . inet_service : verdict; }
  set hairpin { type ipv4_addr . ipv4_addr; }
  chain services {
    ip daddr . meta l4proto . th dport vmap @virtual
    fib daddr type local meta l4proto . th dport vmap @node-ports
  }
  chain refuse {
    meta l4proto tcp reject with tcp reset
    reject
  }
  chain refusals {
    ip daddr . meta l4proto . th dport vmap @refused-virtual
    fib daddr type local meta l4proto . th dport vmap @refused-node-ports
  }
  chain prerouting { type nat hook prerouting priority dstnat; policy accept; jump services; }
  chain output { type nat hook output priority -100; policy accept; jump services; }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    meta mark & ${masqueradeMark} == ${masqueradeMark} meta mark set meta mark ^ ${masqueradeMark} masquerade
    ct status dnat ip saddr . ip daddr @hairpin masquerade
  }
  chain filter-input { type filter hook input priority filter - 5; policy accept; ct state new jump refusals; }
  chain filter-forward { type filter hook forward priority filter - 5; policy accept; ct state new jump refusals; }
  chain filter-output { type filter hook output priority filter - 5; policy accept; ct state new jump refusals; }`;
  // A bridge that may route 127.0.0.1 (for node ports) must not let pods reach what listens there: CVE-2020-8558.
  const guard = `
  chain guard { type filter hook prerouting priority raw; policy accept; iif != "lo" ip daddr 127.0.0.0/8 drop; }`;
  return options.guardsLocalhost ? text + guard : text;
}

/** What leads from `old`, which the kernel has, to `next`. */
export function diffRules(table: string, old: RuleSet, next: RuleSet): RulePlan {
  const apply: string[] = [];
  const cleanup: string[] = [];
  for (const [name, seconds] of next.affinities)
    if (old.affinities.get(name) === undefined) apply.push(addSet(table, name, seconds));
    else if (old.affinities.get(name) !== seconds) apply.push(...changedSet(table, name, seconds));
  const bodies: string[] = [];
  for (const [chain, body] of next.chains) {
    const before = old.chains.get(chain);
    if (before === body || (before !== undefined && sameLines(before, body))) continue;
    apply.push(before === undefined ? `add chain ip ${table} ${chain}` : `flush chain ip ${table} ${chain}`);
    for (const rule of body) bodies.push(`add rule ip ${table} ${chain} ${rule}`);
  }
  // Rules after all chains: they refer to each other.
  apply.push(...bodies);
  const newMaps = maps(next);
  for (const [at, { name, elements: before }] of maps(old).entries()) {
    const after = newMaps[at]?.elements ?? new Map<string, string>();
    const gone = [...before].filter(([key, value]) => after.get(key) !== value).map(([key]) => key);
    const come = new Map([...after].filter(([key, value]) => before.get(key) !== value));
    // nft reads a whole set before it deletes from it; an address too many in `hairpin` does no harm, so that can wait.
    if (name === 'hairpin')
      for (const key of gone) cleanup.push(`delete element ip ${table} hairpin { ${key} }`);
    else if (gone.length > 0) apply.push(`delete element ip ${table} ${name} { ${gone.join(', ')} }`);
    apply.push(...addElements(table, name, come));
  }
  const goneChains = [...old.chains.keys()].filter((chain) => !next.chains.has(chain));
  for (const chain of goneChains) apply.push(`flush chain ip ${table} ${chain}`);
  for (const chain of goneChains) cleanup.push(`delete chain ip ${table} ${chain}`);
  for (const name of old.affinities.keys())
    if (!next.affinities.has(name)) cleanup.push(`delete set ip ${table} ${name}`);
  return { apply: joined(apply), cleanup: joined(cleanup), forget: forgotten(old, next) };
}

const joined = (lines: readonly string[]): string => (lines.length === 0 ? '' : `${lines.join('\n')}\n`);

const sameLines = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((line, at) => line === b[at]);

/** The same maps in the same order for any rules. */
function maps(rules: RuleSet): { readonly name: string; readonly elements: ReadonlyMap<string, string> }[] {
  const verdicts = (chains: ReadonlyMap<string, string>): Map<string, string> =>
    new Map([...chains].map(([key, chain]) => [key, `goto ${chain}`]));
  const refusals = (keys: ReadonlySet<string>): Map<string, string> =>
    new Map([...keys].map((key) => [key, refuse]));
  return [
    { name: 'virtual', elements: verdicts(rules.virtual) },
    { name: 'node-ports', elements: verdicts(rules.nodePorts) },
    { name: 'refused-virtual', elements: refusals(rules.refusedVirtual) },
    { name: 'refused-node-ports', elements: refusals(rules.refusedNodePorts) },
    {
      name: 'hairpin',
      elements: new Map([...rules.hairpin].map((address) => [`${address} . ${address}`, ''])),
    },
  ];
}

function addElements(table: string, name: string, elements: ReadonlyMap<string, string>): string[] {
  if (elements.size === 0) return [];
  const text = [...elements].map(([key, value]) => (value === '' ? key : `${key} : ${value}`)).join(', ');
  return [`add element ip ${table} ${name} { ${text} }`];
}

function addSet(table: string, name: string, seconds: number): string {
  return `add set ip ${table} ${name} { type ipv4_addr; size 65535; flags dynamic,timeout; timeout ${seconds}s; }`;
}

/** A set's timeout cannot be changed: elements that are there keep theirs, later ones get the new one with each update. */
function changedSet(table: string, name: string, seconds: number): string[] {
  return [`flush set ip ${table} ${name}`, addSet(table, name, seconds)];
}

function forgotten(old: RuleSet, next: RuleSet): string[][] {
  const calls: string[][] = [];
  for (const [service, before] of old.udp) {
    const after = next.udp.get(service) ?? [];
    const [address = '', port = ''] = service.split(' ');
    const flow = ['-D', '-p', 'udp', '--orig-dst', address, '--orig-port-dst', port];
    // Flows from the time without endpoints lead nowhere: they would keep their clients there.
    if (before.length === 0 && after.length > 0) calls.push(flow);
    for (const endpoint of before)
      if (!after.includes(endpoint)) calls.push([...flow, '--reply-src', endpoint.split(' ')[0] ?? '']);
  }
  return calls;
}
