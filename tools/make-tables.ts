/**
 * Writes the schema tables and the TypeScript types of Kubernetes' kinds from its published facts:
 *
 *   OpenAPI v3 documents ─┐
 *   protobuf.json ────────┼─▶ Message rows ─▶ src/api/tables/generated/tables.ts   (one string a group)
 *   fixture names ────────┘                └▶ src/api/types/<group>.<version>.ts              (interfaces)
 *
 * Run: `npm run tables -- DIR`, where DIR holds `openapi/`, `protobuf.json` and `api-roundtrip/`. Only facts are carried over
 * (names, types, numbers, required, list kinds, merge keys, defaults), no descriptions. `make-tables.test.ts` holds the written
 * files against the facts. The grammar of a table is told in `src/api/tables/table-text.ts`.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nullableFields } from './nullable-fields.ts';

interface Schema {
  readonly type?: string;
  readonly format?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
  readonly allOf?: readonly Schema[];
  readonly default?: unknown;
  readonly $ref?: string;
  readonly 'x-kubernetes-group-version-kind'?: readonly { readonly group: string; readonly kind: string }[];
  readonly 'x-kubernetes-map-type'?: string;
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-patch-strategy'?: string;
  readonly 'x-kubernetes-patch-merge-key'?: string;
}

type WireMessage = Readonly<Record<string, readonly [number, string]>>;

interface Row {
  readonly name: string;
  readonly required: boolean;
  /** Protobuf numbers from the outermost inlined message to the field; empty when it is not on the wire. */
  readonly path: readonly number[];
  /** Scalar (lower case) or message name (`core.v1.Pod`). */
  readonly base: string;
  readonly repeated: boolean;
  readonly map: boolean;
  readonly attributes: readonly string[];
}

interface MessageRows {
  readonly name: string;
  readonly flags: readonly string[];
  readonly rows: readonly Row[];
}

/** Served group of each table, where it is not the short name. */
const groupNames: Readonly<Record<string, string>> = {
  core: '',
  admission: 'admission.k8s.io',
  admissionregistration: 'admissionregistration.k8s.io',
  apidiscovery: 'apidiscovery.k8s.io',
  apiextensions: 'apiextensions.k8s.io',
  apiregistration: 'apiregistration.k8s.io',
  authentication: 'authentication.k8s.io',
  authorization: 'authorization.k8s.io',
  certificates: 'certificates.k8s.io',
  coordination: 'coordination.k8s.io',
  custom_metrics: 'custom.metrics.k8s.io',
  discovery: 'discovery.k8s.io',
  events: 'events.k8s.io',
  external_metrics: 'external.metrics.k8s.io',
  flowcontrol: 'flowcontrol.apiserver.k8s.io',
  meta: 'meta.k8s.io',
  metrics: 'metrics.k8s.io',
  networking: 'networking.k8s.io',
  node: 'node.k8s.io',
  rbac: 'rbac.authorization.k8s.io',
  resource: 'resource.k8s.io',
  scheduling: 'scheduling.k8s.io',
  storage: 'storage.k8s.io',
};

const wanted = new Set(
  `core.v1 meta.v1 apps.v1 batch.v1 autoscaling.v1 autoscaling.v2 policy.v1 rbac.v1 networking.v1 discovery.v1 events.v1
   coordination.v1 node.v1 scheduling.v1 scheduling.v1alpha2 storage.v1 admission.v1 admissionregistration.v1 apiextensions.v1 apiregistration.v1
   apidiscovery.v2 authentication.v1 authorization.v1 certificates.v1 flowcontrol.v1 resource.v1 resource.v1beta2 metrics.v1beta1
   custom_metrics.v1beta1 custom_metrics.v1beta2 external_metrics.v1beta1`
    .trim()
    .split(/\s+/),
);

/** Of groups whose other kinds have a later version. */
const only: Readonly<Record<string, RegExp>> = { 'resource.v1beta2': /\.DeviceTaint/ };

/** Messages that are one JSON value: rows name them by scalar. */
const scalars: Readonly<Record<string, string>> = {
  'meta.v1.Time': 'time',
  'meta.v1.MicroTime': 'microTime',
  'meta.v1.Duration': 'duration',
  'meta.v1.FieldsV1': 'json',
  'apiextensions.v1.JSON': 'json',
  RawExtension: 'json',
  Quantity: 'quantity',
  IntOrString: 'intOrString',
};

/** Wire messages that exist only inside others, or only in Go. */
const hidden = new Set([
  'meta.v1.Timestamp',
  'meta.v1.Verbs',
  'meta.v1.TypeMeta',
  'core.v1.EphemeralContainerCommon',
  'core.v1.PersistentVolumeSource',
  'core.v1.ProbeHandler',
  'core.v1.VolumeSource',
  'networking.v1.IngressRuleValue',
  'resource.v1.DeviceConfiguration',
  'admissionregistration.v1.Rule',
]);

const unions = new Set(['JSONSchemaPropsOrArray', 'JSONSchemaPropsOrBool', 'JSONSchemaPropsOrStringArray']);

/** `io.k8s.api.core.v1.Pod`, `k8s.io.api.core.v1.Pod`, `#/…/io.k8s.api.core.v1.Pod` → `core.v1.Pod`. */
function shortName(name: string): string {
  const parts = name.split('.');
  const short = parts.slice(-3).join('.');
  return /\.v\d\w*\./.test(short) ? short : (parts.at(-1) ?? name);
}

export interface Facts {
  readonly schemas: ReadonlyMap<string, Schema>;
  readonly wire: ReadonlyMap<string, WireMessage>;
  /** `Group.version.Kind` of each fixture. */
  readonly kinds: ReadonlySet<string>;
}

export function readFacts(directory: string): Facts {
  const schemas = new Map<string, Schema>();
  for (const file of readdirSync(join(directory, 'openapi')).sort()) {
    const document = JSON.parse(readFileSync(join(directory, 'openapi', file), 'utf8')) as {
      readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> };
    };
    for (const [name, schema] of Object.entries(document.components?.schemas ?? {})) {
      schemas.set(shortName(name), schema);
    }
  }
  const wire = new Map<string, WireMessage>();
  const parsed = JSON.parse(readFileSync(join(directory, 'protobuf.json'), 'utf8')) as Record<
    string,
    WireMessage
  >;
  for (const [name, fields] of Object.entries(parsed)) wire.set(shortName(name), fields);
  const kinds = new Set<string>();
  for (const file of readdirSync(join(directory, 'api-roundtrip'))) {
    if (file.endsWith('.json')) kinds.add(file.slice(0, -'.json'.length));
  }
  return { schemas, wire, kinds };
}

/** Where each JSON field of a message is on the wire: inlined messages are flattened. Keys are the wire's names in lower case. */
interface WireField {
  readonly path: readonly number[];
  readonly type: string;
  readonly name: string;
}

const squash = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '');

function wireFields(facts: Facts, message: string, jsonNames: ReadonlySet<string>): Map<string, WireField> {
  const found = new Map<string, WireField>();
  const scope = message.slice(0, message.lastIndexOf('.') + 1);
  for (const [name, [number, type]] of Object.entries(facts.wire.get(message) ?? {})) {
    const target = resolveWireType(facts, scope, type);
    const inner = jsonNames.has(squash(name)) ? undefined : facts.wire.get(target);
    if (
      inner === undefined ||
      jsonNames.size === 0 ||
      type.startsWith('repeated ') ||
      type.startsWith('map<')
    ) {
      found.set(squash(name), { path: [number], type, name });
      continue;
    }
    for (const [innerName, field] of wireFields(facts, target, jsonNames)) {
      found.set(innerName, { ...field, path: [number, ...field.path] });
    }
  }
  return found;
}

function resolveWireType(facts: Facts, scope: string, type: string): string {
  const bare = type.replace(/^repeated /, '').replace(/^map<string,\.?(.*)>$/, '$1');
  if (bare.includes('.')) return shortName(bare);
  return facts.wire.has(scope + bare) ? scope + bare : bare;
}

const openApiScalars: Readonly<Record<string, string>> = {
  'string/': 'string',
  'string/byte': 'bytes',
  'integer/int32': 'int32',
  'integer/int64': 'int64',
  'number/double': 'double',
  'boolean/': 'bool',
};

function baseOfSchema(schema: Schema): string {
  const ref = schema.$ref ?? schema.allOf?.[0]?.$ref;
  if (ref !== undefined) {
    const name = shortName(ref);
    return scalars[name] ?? name;
  }
  const scalar = openApiScalars[`${schema.type ?? ''}/${schema.format ?? ''}`];
  if (scalar === undefined) throw new Error(`Cannot read schema ${JSON.stringify(schema)}: unknown type`);
  return scalar;
}

function attributesOf(schema: Schema, base: string): string[] {
  const attributes: string[] = [];
  const listType = schema['x-kubernetes-list-type'];
  if (listType !== undefined) {
    const keys = schema['x-kubernetes-list-map-keys'];
    attributes.push(`list=${listType}${keys === undefined ? '' : `(${keys.join(',')})`}`);
  }
  if (schema['x-kubernetes-map-type'] !== undefined)
    attributes.push(`map=${schema['x-kubernetes-map-type']}`);
  const strategy = schema['x-kubernetes-patch-strategy'];
  if (strategy !== undefined) {
    const key = schema['x-kubernetes-patch-merge-key'];
    attributes.push(`patch=${strategy}${key === undefined ? '' : `(${key})`}`);
  }
  // Go's zero struct of a one-value message (Time, Quantity) is no default.
  const isEmptyObject = JSON.stringify(schema.default) === '{}';
  const isMessage = /[A-Z]/.test(base) && base.includes('.');
  if (schema.default !== undefined && (!isEmptyObject || isMessage)) {
    attributes.push(`default=${JSON.stringify(schema.default)}`);
  }
  return attributes;
}

function rowOfSchema(name: string, schema: Schema, required: boolean, wire: WireField | undefined): Row {
  let inner = schema;
  let map = false;
  let repeated = false;
  if (inner.type === 'object' && inner.additionalProperties !== undefined) {
    map = true;
    inner = inner.additionalProperties;
  }
  if (inner.type === 'array' && inner.items !== undefined) {
    repeated = true;
    inner = inner.items;
  }
  const base = baseOfSchema(inner);
  const attributes = attributesOf(schema, base);
  if (repeated && !map && wire !== undefined && !wire.type.startsWith('repeated '))
    attributes.unshift('boxed');
  return { name, required, path: wire?.path ?? [], base, repeated, map, attributes };
}

function rowOfWire(facts: Facts, scope: string, wire: WireField): Row {
  const target = resolveWireType(facts, scope, wire.type);
  const map = wire.type.startsWith('map<');
  const isBox = target.endsWith('.ExtraValue') || target.endsWith('.Verbs');
  const repeated = wire.type.startsWith('repeated ') || isBox;
  const base = isBox ? 'string' : (scalars[target] ?? target);
  const attributes = isBox && !map ? ['boxed'] : [];
  return { name: wire.name, required: false, path: wire.path, base, repeated, map, attributes };
}

function comparePaths(a: Row, b: Row): number {
  for (let i = 0; i < Math.max(a.path.length, b.path.length); i++) {
    const difference = (a.path[i] ?? 0) - (b.path[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.name < b.name ? -1 : 1;
}

const nameRow = (name: string): Row => ({
  name,
  required: false,
  path: [],
  base: 'string',
  repeated: false,
  map: false,
  attributes: [],
});

function isKind(facts: Facts, name: string, schema: Schema | undefined): boolean {
  if ((schema?.['x-kubernetes-group-version-kind']?.length ?? 0) > 0) return true;
  if (schema?.properties?.['kind'] !== undefined && schema.properties['apiVersion'] !== undefined) {
    return name.endsWith('List') || name.startsWith('meta.v1.API');
  }
  if (schema !== undefined) return false;
  const [group = '', version = '', kind = ''] = name.split('.');
  const served = group === 'core' ? 'core' : (groupNames[group] ?? group);
  if (facts.kinds.has(`${served}.${version}.${kind}`)) return true;
  // Their facts are of the wire alone.
  if (/(^|_)metrics$/.test(group)) return /(Node|Pod)Metrics(List)?$|MetricValue(List)?$/.test(kind);
  return group === 'meta' && /(Options|^PartialObjectMetadata|^List)(List)?$/.test(kind);
}

function rowsOf(facts: Facts, name: string): MessageRows {
  const schema = facts.schemas.get(name);
  const scope = name.slice(0, name.lastIndexOf('.') + 1);
  const kind = isKind(facts, name, schema);
  const bare = name.slice(scope.length);
  const flags = [
    ...(kind ? ['kind'] : []),
    ...(unions.has(bare) ? ['union'] : []),
    ...(schema?.['x-kubernetes-map-type'] === undefined ? [] : [`map=${schema['x-kubernetes-map-type']}`]),
  ];
  const properties = Object.entries(schema?.properties ?? {});
  const wire = wireFields(facts, name, new Set(properties.map(([property]) => squash(property))));
  let rows: Row[];
  if (properties.length > 0) {
    rows = properties.map(([property, value]) =>
      rowOfSchema(property, value, schema?.required?.includes(property) ?? false, wire.get(squash(property))),
    );
  } else {
    rows = [...wire.values()].map((field) => rowOfWire(facts, scope, field));
    if (kind) rows.push(...['kind', 'apiVersion'].filter((row) => !wire.has(squash(row))).map(nameRow));
  }
  const nullable = new Set(nullableFields[name] ?? []);
  rows = rows.map((row) =>
    nullable.has(row.name) ? { ...row, attributes: ['nullable', ...row.attributes] } : row,
  );
  return { name, flags, rows: rows.sort(comparePaths) };
}

/** Every message of the wanted groups, by group-version. */
export function collect(facts: Facts): Map<string, MessageRows[]> {
  const groups = new Map<string, MessageRows[]>();
  for (const name of [...new Set([...facts.schemas.keys(), ...facts.wire.keys()])].sort()) {
    const group = name.slice(0, Math.max(0, name.lastIndexOf('.')));
    if (!wanted.has(group) || hidden.has(name) || scalars[name] !== undefined || name.endsWith('.ExtraValue'))
      continue;
    if (only[group]?.test(name) === false) continue;
    const messages = groups.get(group) ?? [];
    messages.push(rowsOf(facts, name));
    groups.set(group, messages);
  }
  return groups;
}

function rowText(row: Row, group: string): string {
  const base = row.base.startsWith(`${group}.`) ? row.base.slice(group.length + 1) : row.base;
  const type = `${row.map ? '{}' : ''}${row.repeated ? '[]' : ''}${base}`;
  const number = row.path.length === 0 ? '-' : row.path.join('/');
  return [`${row.name}${row.required ? '!' : ''}`, number, type, ...row.attributes].join(' ');
}

function tableText(group: string, messages: readonly MessageRows[]): string {
  const texts = messages.map((message) =>
    [
      [message.name.slice(group.length + 1), ...message.flags].join(' '),
      ...message.rows.map((row) => `  ${rowText(row, group)}`),
    ].join('\n'),
  );
  return texts.join('\n\n');
}

/** One file holds them all: each module costs about 0.4 ms at start-up, the text itself next to nothing. */
function tablesFile(groups: ReadonlyMap<string, readonly MessageRows[]>): string {
  const names = [...groups.keys()].sort();
  const tables = names.map((group) => `  '${group}': \`\n${tableText(group, groups.get(group) ?? [])}\n\`,`);
  const served = names.map((group) => {
    const short = group.slice(0, group.indexOf('.'));
    return `  '${group}': '${groupNames[short] ?? short}',`;
  });
  return `/**
 * The schema tables of Kubernetes' kinds, by group and version. Made by tools/make-tables.ts from facts of Kubernetes 1.36
 * (Apache-2.0); do not edit. Their grammar is told in ../table-text.ts.
 */
export const tables: Readonly<Record<string, string>> = {
${tables.join('\n\n')}
};

/** The API group under which each table is served. */
export const servedGroups: Readonly<Record<string, string>> = {
${served.join('\n')}
};
`;
}

const scalarTypes: Readonly<Record<string, string>> = {
  string: 'string',
  bytes: 'string',
  quantity: 'string',
  time: 'string',
  microTime: 'string',
  duration: 'string',
  int32: 'number',
  int64: 'number',
  double: 'number',
  bool: 'boolean',
  intOrString: 'number | string',
  json: 'Json',
};

function typeOf(row: Row): string {
  const scalar = scalarTypes[row.base];
  const base = scalar ?? row.base.slice(row.base.lastIndexOf('.') + 1);
  const item = row.repeated ? `readonly ${base.includes('|') ? `(${base})` : base}[]` : base;
  return row.map ? `{ readonly [key: string]: ${item} }` : item;
}

function interfaceText(message: MessageRows): string {
  const name = message.name.slice(message.name.lastIndexOf('.') + 1);
  if (message.flags.includes('union')) {
    return `export type ${name} = ${message.rows.map(typeOf).join(' | ')};`;
  }
  const kind = message.flags.includes('kind');
  const lines = message.rows.map((row) => {
    const key = /^[A-Za-z_$][\w$]*$/.test(row.name) ? row.name : `'${row.name}'`;
    const required = row.required || (kind && row.name === 'metadata' && row.base === 'meta.v1.ObjectMeta');
    return `  readonly ${key}${required ? '' : '?'}: ${typeOf(row)};`;
  });
  return lines.length === 0
    ? `export type ${name} = object;`
    : `export interface ${name} {\n${lines.join('\n')}\n}`;
}

export function typesFile(group: string, messages: readonly MessageRows[]): string {
  const imports = new Map<string, Set<string>>();
  for (const { base } of messages.flatMap((message) => message.rows)) {
    const dot = base.lastIndexOf('.');
    const from = base === 'json' ? '../object.ts' : dot < 0 ? '' : `./${base.slice(0, dot)}.ts`;
    if (from === '' || from === `./${group}.ts`) continue;
    imports.set(from, (imports.get(from) ?? new Set()).add(base === 'json' ? 'Json' : base.slice(dot + 1)));
  }
  const lines = [...imports.keys()].sort().map((from) => {
    const names = [...(imports.get(from) ?? [])].sort();
    const line = `import type { ${names.join(', ')} } from '${from}';`;
    return line.length <= 110 ? line : `import type {\n  ${names.join(',\n  ')},\n} from '${from}';`;
  });
  const head = `/** The types of ${group}. Made by tools/make-tables.ts from facts of Kubernetes 1.36 (Apache-2.0); do not edit. */`;
  return `${[...lines, head].join('\n')}\n\n${messages.map(interfaceText).join('\n\n')}\n`.replace(
    /^([\s\S]*?)(\/\*\* The types.*\n)/,
    '$2$1',
  );
}

/** All files, by path from the project's root. */
export function makeFiles(facts: Facts): Map<string, string> {
  const files = new Map<string, string>();
  const groups = collect(facts);
  files.set('src/api/tables/generated/tables.ts', tablesFile(groups));
  for (const [group, messages] of groups) files.set(`src/api/types/${group}.ts`, typesFile(group, messages));
  return files;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const directory = process.argv[2];
  if (directory === undefined) {
    console.error('usage: npm run tables -- DIR   (DIR: openapi/, protobuf.json, api-roundtrip/)');
    process.exit(2);
  }
  const root = fileURLToPath(new URL('..', import.meta.url));
  const files = makeFiles(readFacts(directory));
  for (const [path, text] of files) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  console.log(`${files.size} files written`);
}
