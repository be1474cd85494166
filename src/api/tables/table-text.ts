/**
 * Reads the text of a table: the form in which `tools/make-tables.ts` writes down a group of messages.
 *
 *   Container                                          a message; flags: `kind`, `union`, `map=atomic`
 *     name! 1 string default=""                        name (`!` required), protobuf number (`-` none, `2/19` nested), type
 *     ports 6 []ContainerPort list=map(containerPort,protocol) patch=merge(containerPort)
 *     extra 4 {}[]string                               `[]` list, `{}` map; messages of other tables in full: `meta.v1.ObjectMeta`
 *
 * Attributes: `boxed`, `nullable`, `list=…`, `map=…`, `patch=…`, and last `default=` with JSON up to the end of the line.
 * Scalars begin in lower case, messages of the same table in upper case. Messages are parted by one blank line.
 */
import type { Json } from '../object.ts';
import type { Field, FieldType, Message, ScalarType } from '../schema/message.ts';

/** Where each message stands in the table: its text, unread. */
export function indexTable(table: string): Map<string, string> {
  const index = new Map<string, string>();
  for (const text of table.trim().split('\n\n')) {
    const end = text.search(/[ \n]|$/);
    index.set(text.slice(0, end), text);
  }
  return index;
}

/** Reads one message of the table `group` (`core.v1`). */
export function parseMessage(group: string, text: string): Message {
  const [head = '', ...lines] = text.split('\n');
  const [name = '', ...flags] = head.split(' ');
  const fields = new Map<string, Field>();
  for (const line of lines) {
    const field = parseField(group, line.trimStart());
    fields.set(field.name, field);
  }
  return {
    name: `${group}.${name}`,
    fields,
    isKind: flags.includes('kind'),
    isUnion: flags.includes('union'),
    isAtomic: flags.includes('map=atomic'),
  };
}

function parseField(group: string, line: string): Field {
  const defaultAt = line.indexOf(' default=');
  const [name = '', number = '', type = '', ...attributes] = (
    defaultAt < 0 ? line : line.slice(0, defaultAt)
  ).split(' ');
  const required = name.endsWith('!');
  const path = number === '-' ? [] : number.split('/').map(Number);
  const map = type.startsWith('{}');
  const repeated = type.includes('[]');
  return {
    name: required ? name.slice(0, -1) : name,
    type: parseType(group, type.replace('{}', '').replace('[]', '')),
    repeated,
    map,
    required,
    number: path.at(-1) ?? 0,
    ...(path.length > 1 ? { nestedIn: path.slice(0, -1) } : {}),
    ...(defaultAt < 0 ? {} : { default: JSON.parse(line.slice(defaultAt + ' default='.length)) as Json }),
    ...parseAttributes(attributes),
  };
}

function parseType(group: string, text: string): FieldType {
  const first = text.charCodeAt(0);
  if (first >= 65 && first <= 90) return { kind: 'message', message: `${group}.${text}` };
  if (text.includes('.')) return { kind: 'message', message: text };
  return { kind: 'scalar', scalar: text as ScalarType };
}

type Attributes = Partial<
  Pick<
    Field,
    'boxed' | 'nullable' | 'listType' | 'listMapKeys' | 'atomicMap' | 'patchStrategies' | 'patchMergeKey'
  >
>;

function parseAttributes(attributes: readonly string[]): Attributes {
  if (attributes.length === 0) return {};
  const found: { -readonly [Key in keyof Attributes]: Attributes[Key] } = {};
  for (const attribute of attributes) {
    const [key = '', value = ''] = attribute.split('=');
    const open = value.indexOf('(');
    const word = open < 0 ? value : value.slice(0, open);
    const inside = open < 0 ? undefined : value.slice(open + 1, -1);
    if (key === 'boxed') found.boxed = true;
    else if (key === 'nullable') found.nullable = true;
    else if (key === 'map') found.atomicMap = word === 'atomic';
    else if (key === 'list') {
      found.listType = word as 'atomic' | 'set' | 'map';
      if (inside !== undefined) found.listMapKeys = inside.split(',');
    } else if (key === 'patch') {
      found.patchStrategies = word.split(',') as ('merge' | 'replace' | 'retainKeys')[];
      if (inside !== undefined) found.patchMergeKey = inside;
    }
  }
  return found;
}
