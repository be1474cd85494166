/**
 * The kernel's table of rules on a simulated machine: takes transactions in the part of nft's language that service rules are written in,
 * all or nothing, refuses what the kernel refuses, and says where a packet would go.
 *
 *   text ──▶ commands ──▶ a copy is changed and checked ──▶ the table
 *
 * Invariant: everything that a rule or an element refers to is there.
 */
import { CaelumError } from '../lib/index.ts';

interface Table {
  readonly chains: Map<string, readonly string[]>;
  /** Maps and sets: elements and their values ('' in sets). */
  readonly sets: Map<string, ReadonlyMap<string, string>>;
}

/** Where a connection to an address and port may lead. */
export type Destination =
  | { readonly kind: 'endpoints'; readonly endpoints: readonly string[] }
  | { readonly kind: 'refused' | 'dropped' | 'unknown' };

function refuse(line: string, why: string): never {
  throw new CaelumError('internal', `Cannot load rules: ${line}: ${why}`);
}

export class RuleTable {
  #table: Table | undefined;
  /** Worked out since the last transaction. */
  readonly #destinations = new Map<string, Destination>();
  #version = 0;

  /** Raised by every transaction. */
  get version(): number {
    return this.#version;
  }

  get isThere(): boolean {
    return this.#table !== undefined;
  }

  /** One transaction. Throws, and changes nothing, when the kernel would refuse it. */
  load(text: string): void {
    const next = new Draft(this.#table);
    for (const line of text.split('\n')) if (line.trim() !== '') next.carryOut(line.trim());
    next.check();
    this.#become(next.table);
  }

  /** The machine was started anew, or somebody flushed the rules. */
  clear(): void {
    this.#become(undefined);
  }

  #become(table: Table | undefined): void {
    this.#table = table;
    this.#destinations.clear();
    this.#version++;
  }

  /** What another table lacks to act as this one, or has too much. Chains that nothing leads to, and addresses too many for hairpins, do nothing. */
  missingFrom(other: RuleTable): string | undefined {
    const [wanted, found] = [this.#table, other.#table];
    if (wanted === undefined || found === undefined)
      return wanted === found ? undefined : 'there is no table';
    for (const [chain, rules] of wanted.chains)
      if (found.chains.get(chain)?.join() !== rules.join())
        return `chain ${chain} is ${found.chains.get(chain)?.join()}, should be ${rules.join()}`;
    for (const [name, elements] of wanted.sets) {
      const those = found.sets.get(name) ?? new Map<string, string>();
      for (const [element, value] of elements)
        if (those.get(element) !== value) return `${name} lacks ${element} ${value}`;
      const extra = [...those.keys()].find((element) => !elements.has(element));
      if (extra !== undefined && name !== 'hairpin') return `${name} has ${extra} too much`;
    }
    return undefined;
  }

  /** Of a new connection to a virtual address: `10.96.0.1`, `tcp`, 80. Endpoints as `address:port`. */
  destinationOf(address: string, protocol: string, port: number): Destination {
    const key = `${address} . ${protocol} . ${port}`;
    const known = this.#destinations.get(key);
    if (known !== undefined) return known;
    const destination = this.#destinationOf(key);
    this.#destinations.set(key, destination);
    return destination;
  }

  #destinationOf(key: string): Destination {
    const table = this.#table;
    if (table?.sets.get('refused-virtual')?.has(key) === true) return { kind: 'refused' };
    const verdict = table?.sets.get('virtual')?.get(key);
    if (table === undefined || verdict === undefined) return { kind: 'unknown' };
    const endpoints = new Set<string>();
    follow(table, verdict.replace('goto ', ''), endpoints, 0);
    return endpoints.size === 0 ? { kind: 'dropped' } : { kind: 'endpoints', endpoints: [...endpoints] };
  }
}

function follow(table: Table, chain: string, found: Set<string>, depth: number): void {
  if (depth > 8) return;
  for (const rule of table.chains.get(chain) ?? []) {
    for (const match of rule.matchAll(/dnat to (\S+:\d+)/g)) found.add(match[1] as string);
    const choice = /dnat ip to numgen random mod (\d+) map \{ (.*) \}/.exec(rule);
    for (const item of choice?.[2]?.split(', ') ?? [])
      found.add(item.split(' : ')[1]?.split(' . ').join(':') ?? '');
    for (const target of referencesOf(rule).chains) follow(table, target, found, depth + 1);
  }
}

interface References {
  readonly chains: readonly string[];
  readonly sets: readonly string[];
}

const knownReferences = new Map<string, References>();
const knownReferencesMax = 20_000;

/** What a rule names. The same lines come again and again, from every node. */
function referencesOf(line: string): References {
  let references = knownReferences.get(line);
  if (references === undefined) {
    references = {
      chains: [...line.matchAll(/(?:goto|jump) ([^\s,;}]+)/g)].map((match) => match[1] as string),
      sets: [...line.matchAll(/@([^\s,;}]+)/g)].map((match) => match[1] as string),
    };
    if (knownReferences.size >= knownReferencesMax) knownReferences.clear();
    knownReferences.set(line, references);
  }
  return references;
}

/** A transaction under way. */
class Draft {
  table: Table | undefined;
  #isInside = false;
  /** The chain whose lines are being read. */
  #chain: string | undefined;

  constructor(before: Table | undefined) {
    this.table = before && { chains: new Map(before.chains), sets: new Map(before.sets) };
  }

  carryOut(line: string): void {
    if (this.#isInside) this.#readInside(line);
    else if (/^table ip \S+ \{$/.test(line)) {
      this.#isInside = true;
      this.table ??= { chains: new Map(), sets: new Map() };
    } else {
      const [verb = '', what = '', , , name = '', ...rest] = line.split(' ');
      this.#command(line, `${verb} ${what}`, name, rest.join(' '));
    }
  }

  #require(line: string): Table {
    return this.table ?? refuse(line, 'no such table');
  }

  #readInside(line: string): void {
    const { chains, sets } = this.#require(line);
    const own = this.#chain;
    if (line === '}') {
      if (own === undefined) this.#isInside = false;
      this.#chain = undefined;
      return;
    }
    if (own !== undefined) {
      chains.set(own, [...(chains.get(own) ?? []), line]);
      return;
    }
    const [what, name = ''] = line.split(' ');
    if (what === 'map' || what === 'set') sets.set(name, new Map());
    else if (what !== 'chain') refuse(line, 'syntax error');
    else if (line.endsWith('}')) chains.set(name, [line.slice(line.indexOf('{') + 1, -1).trim()]);
    else {
      chains.set(name, []);
      this.#chain = name;
    }
  }

  #command(line: string, command: string, name: string, rest: string): void {
    if (command === 'add table') {
      this.table ??= { chains: new Map(), sets: new Map() };
      return;
    }
    const { chains, sets } = this.#require(line);
    const rules = chains.get(name);
    const elements = sets.get(name);
    switch (command) {
      case 'delete table':
        this.table = undefined;
        return;
      case 'add chain':
        if (rules === undefined) chains.set(name, []);
        return;
      case 'flush chain':
        if (rules === undefined) refuse(line, 'no such chain');
        chains.set(name, []);
        return;
      case 'delete chain':
        if (!chains.delete(name)) refuse(line, 'no such chain');
        return;
      case 'add rule':
        chains.set(name, [...(rules ?? refuse(line, 'no such chain')), rest]);
        return;
      case 'add set':
        if (elements === undefined) sets.set(name, new Map());
        return;
      case 'flush set':
        if (elements === undefined) refuse(line, 'no such set');
        sets.set(name, new Map());
        return;
      case 'delete set':
        if (!sets.delete(name)) refuse(line, 'no such set');
        return;
      case 'add element':
        sets.set(name, added(line, elements, rest));
        return;
      case 'delete element':
        sets.set(name, removed(line, elements, rest));
        return;
      default:
        refuse(line, 'syntax error');
    }
  }

  /** What is referred to must be there. */
  check(): void {
    for (const [chain, rules] of this.table?.chains ?? [])
      for (const rule of rules) this.#checkReferences(rule, () => `chain ${chain}: ${rule}`);
    for (const [name, elements] of this.table?.sets ?? [])
      for (const [element, value] of elements)
        if (value !== '') this.#checkReferences(value, () => `${name} ${element} : ${value}`);
  }

  #checkReferences(text: string, line: () => string): void {
    const { chains, sets } = referencesOf(text);
    for (const chain of chains)
      if (this.table?.chains.has(chain) !== true) refuse(line(), `no such chain: ${chain}`);
    for (const set of sets) if (this.table?.sets.has(set) !== true) refuse(line(), `no such set: ${set}`);
  }
}

const listed = (rest: string): string[] => rest.replace(/^\{ | \}$/g, '').split(', ');

function added(
  line: string,
  before: ReadonlyMap<string, string> | undefined,
  rest: string,
): Map<string, string> {
  const after = new Map(before ?? refuse(line, 'no such set'));
  for (const item of listed(rest)) {
    const [key = '', value = ''] = item.split(' : ');
    if ((after.get(key) ?? value) !== value) refuse(line, `file exists: ${key}`);
    after.set(key, value);
  }
  return after;
}

function removed(
  line: string,
  before: ReadonlyMap<string, string> | undefined,
  rest: string,
): Map<string, string> {
  const after = new Map(before ?? refuse(line, 'no such set'));
  for (const key of listed(rest)) if (!after.delete(key)) refuse(line, `no such element: ${key}`);
  return after;
}
