/**
 * Messages → OpenAPI schemas, in the dialect of version 3 or of version 2 (Swagger). Both come from the same tables.
 * Descriptions are our own (`field-words.ts`) and short: what a field is called mostly says what it is.
 */

import type { CustomKind, ServedKind } from '../kind.ts';
import type { GroupVersionKind } from '../object.ts';
import type { Field, Message, ScalarType } from '../schema/message.ts';
import { kindOfMessage, messageNameOf, messageOf, openApiName } from '../schema/messages.ts';
import { wordsOfField, wordsOfMessage } from './field-words.ts';

export type Document = Readonly<Record<string, unknown>>;

export type Dialect = 'v2' | 'v3';

/** What is known of a kind beyond its message. */
export interface Root {
  readonly message: string;
  readonly kind: GroupVersionKind;
  readonly description: string;
  /** Whether there are lists of it; reviews are only posted. */
  readonly isListed: boolean;
}

/** Published as bare references, which leaves no room for a description. */
const undescribed: ReadonlySet<string> = new Set([
  ...['additionalItems', 'additionalProperties', 'example', 'externalDocs', 'items', 'not'].map(
    (field) => `apiextensions.v1.JSONSchemaProps.${field}`,
  ),
  'networking.v1.IngressRule.http',
]);

/** Fields of which one is meant, as a field beside them says: what is published, which no table of ours needs. */
const unions: Readonly<Record<string, Document>> = {
  'core.v1.AppArmorProfile': union('type', 'localhostProfile'),
  'core.v1.PodSchedulingGroup': union(undefined, 'podGroupName'),
  'core.v1.SeccompProfile': union('type', 'localhostProfile'),
  'flowcontrol.v1.LimitResponse': union('type', 'queuing'),
  'flowcontrol.v1.PriorityLevelConfigurationSpec': union('type', 'exempt', 'limited'),
  'flowcontrol.v1.Subject': union('kind', 'group', 'serviceAccount', 'user'),
  'scheduling.v1alpha2.PodGroupSchedulingPolicy': union(undefined, 'basic', 'gang'),
  'scheduling.v1alpha2.PodGroupTemplateReference': union(undefined, 'workload'),
};

function union(discriminator: string | undefined, ...fields: readonly string[]): Document {
  return {
    ...(discriminator === undefined ? {} : { discriminator }),
    'fields-to-discriminateBy': Object.fromEntries(
      fields.map((field) => [field, field.slice(0, 1).toUpperCase() + field.slice(1)]),
    ),
  };
}

const valueNames = {
  quantity: 'io.k8s.apimachinery.pkg.api.resource.Quantity',
  intOrString: 'io.k8s.apimachinery.pkg.util.intstr.IntOrString',
  time: 'io.k8s.apimachinery.pkg.apis.meta.v1.Time',
  microTime: 'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime',
  duration: 'io.k8s.apimachinery.pkg.apis.meta.v1.Duration',
  raw: 'io.k8s.apimachinery.pkg.runtime.RawExtension',
  fields: 'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1',
  json: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON',
} as const;

type ValueName = keyof typeof valueNames;

const plain: Readonly<Partial<Record<ScalarType, Document>>> = {
  string: { type: 'string' },
  int32: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
  double: { type: 'number', format: 'double' },
  bool: { type: 'boolean' },
  bytes: { type: 'string', format: 'byte' },
};

function valueSchema(name: ValueName, dialect: Dialect): Document {
  switch (name) {
    case 'quantity':
      return dialect === 'v3'
        ? { description: 'An amount, such as 500m or 1Gi.', oneOf: [{ type: 'string' }, { type: 'number' }] }
        : { description: 'An amount, such as 500m or 1Gi.', type: 'string' };
    case 'intOrString':
      return dialect === 'v3'
        ? {
            description: 'A number or a text.',
            format: 'int-or-string',
            oneOf: [{ type: 'integer' }, { type: 'string' }],
          }
        : { description: 'A number or a text.', format: 'int-or-string', type: 'string' };
    case 'time':
      return { description: 'A time in RFC 3339, in seconds.', format: 'date-time', type: 'string' };
    case 'microTime':
      return { description: 'A time in RFC 3339, in microseconds.', format: 'date-time', type: 'string' };
    case 'duration':
      return { description: 'A span of time, such as 1m30s.', type: 'string' };
    case 'raw':
      return { description: 'Any object.', type: 'object' };
    case 'fields':
      return { description: 'A set of fields, as a trie.', type: 'object' };
    case 'json':
      return { description: 'Any JSON value.' };
  }
}

/** Which of the named values a scalar field is; undefined for those that need no name. */
function valueName(message: Message, field: Field): ValueName | undefined {
  const scalar = field.type.kind === 'scalar' ? field.type.scalar : undefined;
  if (scalar === 'json') {
    if (field.name === 'fieldsV1') return 'fields';
    return message.name.startsWith('apiextensions.v1.JSONSchemaProps') ? 'json' : 'raw';
  }
  return scalar !== undefined && scalar in valueNames ? (scalar as ValueName) : undefined;
}

const prefixes: Readonly<Record<Dialect, string>> = { v2: '#/definitions/', v3: '#/components/schemas/' };

export function refTo(name: string, dialect: Dialect): Document {
  return { $ref: prefixes[dialect] + name };
}

/** Collects the schemas that its roots reach. */
export class SchemaCollector {
  readonly #dialect: Dialect;
  readonly #schemas = new Map<string, Document>();
  readonly #kinds = new Map<string, GroupVersionKind[]>();
  readonly #descriptions = new Map<string, string>();

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
  }

  /** A kind that brings its schema along. */
  addCustom(kind: ServedKind, custom: CustomKind): { readonly name: string; readonly listName: string } {
    const { name, listName, listKind } = custom.openApi;
    const { group, version } = kind;
    this.#kinds.set(name, [{ group, version, kind: kind.kind }]);
    this.#kinds.set(listName, [{ group, version, kind: listKind }]);
    const metadata = refTo(this.add('meta.v1.ObjectMeta'), this.#dialect);
    this.#schemas.set(
      name,
      custom.openApi.schema(
        this.#dialect,
        this.#dialect === 'v3' ? { description: metadataText, allOf: [metadata] } : metadata,
      ),
    );
    this.#descriptions.set(listName, `${listKind} is a list of ${kind.kind}`);
    this.#schemas.set(listName, this.#listSchema(name));
    this.add('meta.v1.ListMeta');
    return { name, listName };
  }

  /** Adds a kind and, where it has none of its own, a list of it. Returns their schema names. */
  addRoot(root: Root): { readonly name: string; readonly listName: string } {
    const name = openApiName(root.message);
    const listName = `${name}List`;
    if (!this.#kinds.has(name)) this.#kinds.set(name, [root.kind]);
    this.#descriptions.set(name, root.description);
    this.#add(name);
    if (!root.isListed) return { name, listName };
    const listKind = { ...root.kind, kind: `${root.kind.kind}List` };
    this.#kinds.set(listName, [...(this.#kinds.get(listName) ?? []), listKind]);
    this.#descriptions.set(listName, `A list of ${root.kind.kind} objects.`);
    if (!this.#schemas.has(listName)) {
      const items = `List of ${pluralOf(root.kind.kind)}, the list of returned objects.`;
      this.#schemas.set(listName, this.#listSchema(name, items));
      this.add('meta.v1.ListMeta');
    }
    return { name, listName };
  }

  /** Adds a message and all that it reaches. Returns its schema name. */
  add(message: string): string {
    const name = openApiName(message);
    this.#add(name);
    return name;
  }

  /** Adds a kind of the API machinery, under the name that a group and version have for it too. */
  addMachinery(message: string, of: { readonly group: string; readonly version: string }): void {
    const name = this.add(message);
    const [own] = this.#kinds.get(name) ?? [];
    if (own !== undefined && (own.group !== of.group || own.version !== of.version))
      this.#kinds.set(name, [own, { ...of, kind: own.kind }]);
  }

  /** A schema that stands by itself. */
  addSchema(name: string, schema: Document): void {
    this.#schemas.set(name, schema);
  }

  /** Everything collected, sorted by name. */
  finish(): Document {
    const names = [...this.#schemas.keys()].sort();
    return Object.fromEntries(
      names.map((name) => {
        const kinds = this.#kinds.get(name);
        const description = this.#descriptions.get(name);
        return [
          name,
          {
            ...(description === undefined ? {} : { description }),
            ...this.#schemas.get(name),
            ...(kinds === undefined ? {} : { 'x-kubernetes-group-version-kind': kinds }),
          },
        ];
      }),
    );
  }

  #add(name: string): void {
    if (this.#schemas.has(name)) return;
    const message = messageOf(messageNameOf(name));
    this.#schemas.set(name, {});
    const kind = kindOfMessage(message);
    if (kind !== undefined && !this.#kinds.has(name))
      this.#kinds.set(name, [kind.group === 'meta.k8s.io' ? { ...kind, group: '' } : kind]);
    this.#schemas.set(name, this.#messageSchema(message));
  }

  #messageSchema(message: Message): Document {
    if (message.isUnion) {
      for (const field of message.fields.values()) this.#fieldSchema(message, field);
      return {};
    }
    const properties: Record<string, Document> = {};
    for (const name of [...message.fields.keys()].sort()) {
      const field = message.fields.get(name);
      if (field !== undefined) properties[name] = this.#fieldSchema(message, field);
    }
    const required = [...message.fields.values()].filter((field) => field.required).map(({ name }) => name);
    const description = wordsOfMessage(bareName(message));
    return {
      ...(description === undefined || message.isKind ? {} : { description }),
      ...(message.fields.size === 0 ? {} : { properties }),
      ...(required.length === 0 ? {} : { required }),
      type: 'object',
      ...(message.isAtomic ? { 'x-kubernetes-map-type': 'atomic' } : {}),
      ...(message.name in unions ? { 'x-kubernetes-unions': [unions[message.name]] } : {}),
    };
  }

  #fieldSchema(message: Message, field: Field): Document {
    const item = this.#itemSchema(message, field);
    const list: Document = { items: item, type: 'array' };
    const shape = field.map
      ? { additionalProperties: field.repeated ? list : item, type: 'object' }
      : field.repeated
        ? list
        : this.#single(item);
    const isBare = undescribed.has(`${message.name}.${field.name}`);
    if (isBare) return item;
    const description = describe(message, field);
    return {
      ...(description === undefined ? {} : { description }),
      ...shape,
      ...(field.default === undefined || this.#dialect === 'v2' ? {} : { default: field.default }),
      ...(field.enum === undefined ? {} : { enum: field.enum }),
      ...extensionsOf(field),
    };
  }

  /** Version 3 wraps a reference that has siblings; version 2 lets them stand beside it, and has no defaults. */
  #single(item: Document): Document {
    if (!('$ref' in item) || this.#dialect === 'v2') return item;
    return { allOf: [item] };
  }

  #itemSchema(message: Message, field: Field): Document {
    if (field.type.kind === 'message') {
      return refTo(this.add(field.type.message), this.#dialect);
    }
    const value = valueName(message, field);
    if (value === undefined) return plain[field.type.scalar] ?? {};
    const name = valueNames[value];
    if (!this.#schemas.has(name)) this.#schemas.set(name, valueSchema(value, this.#dialect));
    return refTo(name, this.#dialect);
  }

  #listSchema(itemName: string, description?: string): Document {
    const items = { items: refTo(itemName, this.#dialect), type: 'array' };
    return {
      properties: {
        apiVersion: { description: apiVersionText, type: 'string' },
        items: description === undefined ? items : { description, ...items },
        kind: { description: kindText, type: 'string' },
        metadata: this.#dialect === 'v3' ? { allOf: [this.#listMeta()], default: {} } : this.#listMeta(),
      },
      required: ['items'],
      type: 'object',
    };
  }

  #listMeta(): Document {
    return refTo(openApiName('meta.v1.ListMeta'), this.#dialect);
  }
}

/** `services`, `ingresses`, `network policies`: as people say it. */
function pluralOf(kind: string): string {
  const words = kind.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
  if (/[^aeiou]y$/.test(words)) return `${words.slice(0, -1)}ies`;
  return /s$/.test(words) ? (/ss$/.test(words) ? `${words}es` : words) : `${words}s`;
}

// Kubernetes' own tests look for how these begin.
const apiVersionText = 'APIVersion defines the group and version of this form of the object.';
const metadataText =
  "Standard object's metadata: name, namespace, labels and the rest that every object has.";
const kindText = 'What kind of object this is.';

function describe(message: Message, field: Field): string | undefined {
  if (field.name === 'apiVersion' && message.isKind) return apiVersionText;
  if (field.name === 'kind' && message.isKind) return kindText;
  if (field.name === 'metadata') return metadataText;
  if (field.name === 'spec') return 'What is wanted.';
  if (field.name === 'status' && message.isKind) return 'What is; written by the system.';
  return wordsOfField(bareName(message), field.name);
}

const bareName = (message: Message): string => message.name.slice(message.name.lastIndexOf('.') + 1);

function extensionsOf(field: Field): Document {
  return {
    ...(field.listMapKeys === undefined ? {} : { 'x-kubernetes-list-map-keys': field.listMapKeys }),
    ...(field.listType === undefined ? {} : { 'x-kubernetes-list-type': field.listType }),
    ...(field.atomicMap === undefined
      ? {}
      : { 'x-kubernetes-map-type': field.atomicMap ? 'atomic' : 'granular' }),
    ...(field.patchMergeKey === undefined ? {} : { 'x-kubernetes-patch-merge-key': field.patchMergeKey }),
    ...(field.patchStrategies === undefined
      ? {}
      : { 'x-kubernetes-patch-strategy': field.patchStrategies.join(',') }),
  };
}
