/**
 * Finds messages by name or by kind. Each is read from its table when first asked for, and kept.
 *
 * Invariant: a message that a table names can be found; asking for one that no table holds is a programmer's error.
 */
import { assert } from '../../lib/index.ts';
import type { GroupVersionKind } from '../object.ts';
import { servedGroups, tables } from '../tables/generated/tables.ts';
import { ownServedGroups, ownTables } from '../tables/own-tables.ts';
import { indexTable, parseMessage } from '../tables/table-text.ts';
import type { Message } from './message.ts';

const messages = new Map<string, Message>();
const indexes = new Map<string, Map<string, string>>();

function tableIndex(table: string): Map<string, string> | undefined {
  let index = indexes.get(table);
  if (index === undefined) {
    const text = Object.hasOwn(tables, table)
      ? tables[table]
      : Object.hasOwn(ownTables, table)
        ? ownTables[table]
        : undefined;
    if (text === undefined) return undefined;
    index = indexTable(text);
    indexes.set(table, index);
  }
  return index;
}

/** The message, or undefined when no table holds it. */
export function findMessage(name: string): Message | undefined {
  const known = messages.get(name);
  if (known !== undefined) return known;
  const dot = name.lastIndexOf('.');
  const table = name.slice(0, Math.max(0, dot));
  const text = tableIndex(table)?.get(name.slice(dot + 1));
  if (text === undefined) return undefined;
  const message = parseMessage(table, text);
  messages.set(name, message);
  return message;
}

/** The message of that name, e.g. `core.v1.Pod`. It must exist. */
export function messageOf(name: string): Message {
  const message = messages.get(name) ?? findMessage(name);
  assert(message !== undefined, `no message "${name}" in any table`);
  return message;
}

/** The names of all messages of a table (`core.v1`), sorted. */
export function messageNames(table: string): readonly string[] {
  return [...(tableIndex(table)?.keys() ?? [])].map((name) => `${table}.${name}`);
}

let tablesByServed: Map<string, string> | undefined;

/** The table of a group as it is served: `rbac.authorization.k8s.io`, `v1` → `rbac.v1`; the core group is ''. */
export function tableOf(group: string, version: string): string | undefined {
  tablesByServed ??= new Map(
    [...Object.entries(servedGroups), ...Object.entries(ownServedGroups)].map(([table, served]) => {
      return [`${served}/${table.slice(table.lastIndexOf('.') + 1)}`, table];
    }),
  );
  return tablesByServed.get(`${group}/${version}`);
}

/** The message of a kind. Kinds of the machinery (Status, DeleteOptions, …) are known in every group. */
export function messageOfKind(of: GroupVersionKind): Message | undefined {
  const table = tableOf(of.group, of.version);
  const own = table === undefined ? undefined : findMessage(`${table}.${of.kind}`);
  if (own?.isKind) return own;
  const machinery = findMessage(`meta.v1.${of.kind}`);
  return machinery?.isKind ? machinery : undefined;
}

/** The kind of a message that has one: `core.v1.Pod` → '', `v1`, `Pod`. */
export function kindOfMessage(message: Message): GroupVersionKind | undefined {
  if (!message.isKind) return undefined;
  const own = ownTableOf(message.name);
  if (own !== undefined) {
    const [, , version = '', kind = ''] = /^(.*)\.([^.]*)\.([^.]*)$/.exec(message.name) ?? [];
    return { group: ownServedGroups[own] ?? '', version, kind };
  }
  const [table, version, kind] = splitName(message.name);
  return { group: servedGroups[`${table}.${version}`] ?? table, version, kind };
}

/** The table of our own that holds it. */
function ownTableOf(name: string): string | undefined {
  const table = name.slice(0, Math.max(0, name.lastIndexOf('.')));
  return Object.hasOwn(ownTables, table) ? table : undefined;
}

function splitName(name: string): [group: string, version: string, kind: string] {
  const [group = '', version = '', ...kind] = name.split('.');
  return [group, version, kind.join('.')];
}

const packages: Readonly<Record<string, string>> = {
  meta: 'io.k8s.apimachinery.pkg.apis.meta',
  apiextensions: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions',
  apiregistration: 'io.k8s.kube-aggregator.pkg.apis.apiregistration',
  metrics: 'io.k8s.metrics.pkg.apis.metrics',
};

/** `core.v1.Pod` → `io.k8s.api.core.v1.Pod`. Names that hold no known table (kinds of our own) are turned around as they are. */
export function openApiName(name: string): string {
  const [group, version, kind] = splitName(name);
  if (!Object.hasOwn(servedGroups, `${group}.${version}`)) return name;
  return `${packages[group] ?? `io.k8s.api.${group}`}.${version}.${kind}`;
}

/** The inverse: `io.k8s.api.core.v1.Pod` → `core.v1.Pod`. */
export function messageNameOf(openApi: string): string {
  if (ownTableOf(openApi) !== undefined) return openApi;
  return openApi.startsWith('io.k8s.') ? openApi.split('.').slice(-3).join('.') : openApi;
}
