/**
 * The paths under which a kind is served, with their operations: which action each is, on which kind, and which parameters it
 * takes. Free of dialect: `v3.ts` and `v2.ts` write them down. kubectl looks for `dryRun` and `fieldValidation` here.
 */
import type { ServedKind, Subresource, Verb } from '../kind.ts';
import type { GroupVersionKind } from '../object.ts';
import { messageOfKind } from '../schema/messages.ts';

export type Method = 'get' | 'put' | 'post' | 'patch' | 'delete' | 'head' | 'options';

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly type: 'string' | 'integer' | 'boolean';
  readonly description: string;
}

export interface Operation {
  readonly method: Method;
  readonly id: string;
  /** `get`, `list`, `post`, `put`, `patch`, `delete`, `deletecollection`, `connect`. */
  readonly action: string;
  readonly kind: GroupVersionKind;
  readonly parameters: readonly Parameter[];
  readonly body: 'none' | 'object' | 'patch' | 'deleteOptions';
  readonly result: 'object' | 'list' | 'status' | 'log' | 'stream';
  /** Which answers are good ones. */
  readonly codes: readonly string[];
}

export interface Path {
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly operations: readonly Operation[];
  /** The kind that its operations carry. */
  readonly kind: GroupVersionKind;
  /** `apps_v1`, `rbacAuthorization_v1`. */
  readonly tag: string;
}

const query = (name: string, type: Parameter['type'], description: string): Parameter => ({
  name,
  in: 'query',
  type,
  description,
});
const inPath = (name: string, description: string): Parameter => ({
  name,
  in: 'path',
  type: 'string',
  description,
});

const dryRun = query('dryRun', 'string', 'All: check and answer, but keep nothing.');
const fieldManager = query('fieldManager', 'string', 'Who makes this change.');
const fieldValidation = query(
  'fieldValidation',
  'string',
  'What to do about unknown and duplicate fields: Ignore, Warn or Strict.',
);
const force = query('force', 'boolean', 'Apply only: take over fields that others manage.');
const pretty = query('pretty', 'string', 'Indent the answer.');
const writing = [dryRun, fieldManager, fieldValidation];
const deleting = [
  dryRun,
  query('gracePeriodSeconds', 'integer', 'How long the object may take to end.'),
  query('orphanDependents', 'boolean', 'Leave dependents alone.'),
  query('propagationPolicy', 'string', 'What becomes of dependents: Orphan, Background or Foreground.'),
];
const selecting = [
  query('continue', 'string', 'Where the last page ended.'),
  query('fieldSelector', 'string', 'Only objects with these fields.'),
  query('labelSelector', 'string', 'Only objects with these labels.'),
  query('limit', 'integer', 'At most this many objects.'),
  query('resourceVersion', 'string', 'Of which revision.'),
  query('resourceVersionMatch', 'string', 'How the revision is meant.'),
  query('sendInitialEvents', 'boolean', 'Watch only: begin with what is there.'),
  query('timeoutSeconds', 'integer', 'End the call after this time.'),
];
const watching = [
  query('allowWatchBookmarks', 'boolean', 'Watch only: send bookmarks.'),
  query(
    'watch',
    'boolean',
    'Watch for changes to the described resources: one event a line, until the call ends.',
  ),
];
const listing = [...watching, ...selecting];

const upper = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

/** `CoreV1`, `AppsV1`, `RbacAuthorizationV1`, as in operation ids. */
export function groupVersionName(group: string, version: string): string {
  const words = group === '' ? ['core'] : group.replace(/\.k8s\.io$/, '').split('.');
  return words.map(upper).join('') + upper(version);
}

/** `core_v1`, `rbacAuthorization_v1`: under which a path is found in generated clients. */
export function tagOf(group: string, version: string): string {
  const name = groupVersionName(group, '');
  return `${name.slice(0, 1).toLowerCase()}${name.slice(1)}_${version}`;
}

/** `/api/v1`, `/apis/apps/v1`. */
export function rootPath(group: string, version: string): string {
  return group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
}

export function pathsOf(kind: ServedKind): readonly Path[] {
  const root = rootPath(kind.group, kind.version);
  const gvk = { group: kind.group, version: kind.version, kind: kind.kind };
  const scope = kind.namespaced ? `${root}/namespaces/{namespace}` : root;
  const namespace = kind.namespaced ? [inPath('namespace', 'The namespace.')] : [];
  const name = inPath('name', `The name of the ${kind.kind}.`);
  const tag = tagOf(kind.group, kind.version);
  const plain = { parameters: [...namespace, pretty], kind: gvk, tag };
  const item = { ...plain, parameters: [name, ...namespace, pretty] };
  const paths: Path[] = [
    { ...plain, path: `${scope}/${kind.resource}`, operations: collectionOperations(kind, gvk) },
    { ...item, path: `${scope}/${kind.resource}/{name}`, operations: itemOperations(kind, gvk) },
    ...kind.subresources.flatMap((sub) => {
      const path = `${scope}/${kind.resource}/{name}/${sub.name}`;
      const at = { ...item, path, kind: sub.kind ?? gvk };
      if (streams.has(sub.name)) return streamPaths(kind, sub, { ...at, parameters: [name, ...namespace] });
      return [{ ...at, operations: subresourceOperations(kind, sub, sub.kind ?? gvk) }];
    }),
  ];
  if (kind.namespaced && kind.verbs.includes('list')) {
    paths.push({
      ...plain,
      path: `${root}/${kind.resource}`,
      parameters: [pretty],
      operations: [listOperation(kind, gvk, 'ForAllNamespaces')],
    });
  }
  return paths.filter(({ operations }) => operations.length > 0).map(shared);
}

/** What all operations of a path take is said once, of the path. */
function shared(path: Path): Path {
  const [first, ...others] = path.operations;
  const all = (first?.parameters ?? []).filter((one) =>
    others.every(({ parameters }) => parameters.includes(one)),
  );
  return {
    ...path,
    parameters: [...path.parameters, ...all],
    operations: path.operations.map((operation) => ({
      ...operation,
      parameters: operation.parameters.filter((one) => !all.includes(one)),
    })),
  };
}

const idOf = (kind: ServedKind, verb: string, suffix: string, infix = ''): string => {
  const scope = kind.namespaced && suffix !== 'ForAllNamespaces' ? 'Namespaced' : '';
  return `${verb}${groupVersionName(kind.group, kind.version)}${infix}${scope}${kind.kind}${suffix}`;
};

function listOperation(kind: ServedKind, gvk: GroupVersionKind, suffix: string): Operation {
  return {
    method: 'get',
    id: idOf(kind, 'list', suffix),
    action: 'list',
    kind: gvk,
    parameters: listing,
    body: 'none',
    result: 'list',
    codes: ['200'],
  };
}

function collectionOperations(kind: ServedKind, gvk: GroupVersionKind): Operation[] {
  const operations: Operation[] = [];
  if (kind.verbs.includes('list')) operations.push(listOperation(kind, gvk, ''));
  if (kind.verbs.includes('create'))
    operations.push(objectOperation('post', 'create', idOf(kind, 'create', ''), gvk));
  if (kind.verbs.includes('deletecollection')) {
    operations.push({
      method: 'delete',
      id: idOf(kind, 'delete', '', 'Collection'),
      action: 'deletecollection',
      kind: gvk,
      parameters: [...deleting, ...selecting],
      body: 'deleteOptions',
      result: 'status',
      codes: ['200'],
    });
  }
  return operations;
}

type Writing = Pick<Operation, 'action' | 'parameters' | 'body' | 'codes'>;

const byVerb: Readonly<Partial<Record<Verb, Writing>>> = {
  get: { action: 'get', parameters: [], body: 'none', codes: ['200'] },
  create: { action: 'post', parameters: writing, body: 'object', codes: ['200', '201', '202'] },
  update: { action: 'put', parameters: writing, body: 'object', codes: ['200', '201'] },
  patch: { action: 'patch', parameters: [...writing, force], body: 'patch', codes: ['200', '201'] },
  delete: { action: 'delete', parameters: deleting, body: 'deleteOptions', codes: ['200', '202'] },
};

function objectOperation(
  method: Method,
  verb: Verb,
  id: string,
  kind: GroupVersionKind,
  result: Operation['result'] = 'object',
): Operation {
  const { action, parameters, body, codes } = byVerb[verb] as Writing;
  return { method, id, action, kind, parameters, body, result, codes };
}

function itemOperations(kind: ServedKind, gvk: GroupVersionKind): Operation[] {
  const operations = partOperations(kind, gvk, kind.verbs, '');
  if (kind.verbs.includes('delete')) {
    const result = kind.returnsDeleted === true ? 'object' : 'status';
    operations.push(objectOperation('delete', 'delete', idOf(kind, 'delete', ''), gvk, result));
  }
  return operations;
}

function subresourceOperations(kind: ServedKind, sub: Subresource, gvk: GroupVersionKind): Operation[] {
  const operations = partOperations(kind, gvk, sub.verbs, upper(sub.name));
  if (sub.verbs.includes('create'))
    operations.push(objectOperation('post', 'create', idOf(kind, 'create', upper(sub.name)), gvk));
  if (sub.name !== 'log') return operations;
  const parameters = parametersOf({ group: '', version: 'v1', kind: 'PodLogOptions' });
  return operations.map((operation) => ({ ...operation, parameters, result: 'log' }));
}

function partOperations(
  kind: ServedKind,
  gvk: GroupVersionKind,
  verbs: readonly Verb[],
  suffix: string,
): Operation[] {
  const operations: Operation[] = [];
  const add = (method: Method, verb: Verb, word: string): void => {
    if (verbs.includes(verb)) operations.push(objectOperation(method, verb, idOf(kind, word, suffix), gvk));
  };
  add('get', 'get', 'read');
  add('put', 'update', 'replace');
  add('patch', 'patch', 'patch');
  return operations;
}

const streams = new Set(['exec', 'attach', 'portforward', 'proxy']);
const methodsOf: Readonly<Partial<Record<Verb, Method>>> = {
  get: 'get',
  create: 'post',
  update: 'put',
  patch: 'patch',
  delete: 'delete',
};

/** Connections: whatever the method, what comes is passed on. A proxy takes a path too. */
function streamPaths(kind: ServedKind, sub: Subresource, path: Omit<Path, 'operations'>): readonly Path[] {
  const isProxy = sub.name === 'proxy';
  const methods = sub.verbs.flatMap((verb) => methodsOf[verb] ?? []);
  const parameters = parametersOf(path.kind);
  const operations = (suffix: string): Operation[] =>
    (isProxy ? [...methods, 'head' as const, 'options' as const] : methods).map((method) => {
      const scope = kind.namespaced ? 'Namespaced' : '';
      const of = `${groupVersionName(kind.group, kind.version)}${upper(method)}${scope}${kind.kind}`;
      return {
        method,
        id: `connect${of}${upper(sub.name)}${suffix}`,
        action: 'connect',
        kind: path.kind,
        parameters,
        body: 'none',
        result: 'stream',
        codes: ['200'],
      };
    });
  const plain = { ...path, operations: operations('') };
  if (!isProxy) return [plain];
  const further = inPath('path', 'The path there.');
  return [
    plain,
    {
      ...path,
      path: `${path.path}/{path}`,
      parameters: [...path.parameters, further],
      operations: operations('WithPath'),
    },
  ];
}

/** The fields of a kind of options, as parameters of a query. */
function parametersOf(options: GroupVersionKind): readonly Parameter[] {
  const fields = messageOfKind(options)?.fields.values() ?? [];
  return [...fields].flatMap(({ name, type }) => {
    const scalar = type.kind === 'scalar' ? scalarParameters[type.scalar] : undefined;
    if (scalar === undefined || name === 'kind' || name === 'apiVersion') return [];
    return [query(name, scalar, `${name}, as in ${options.kind}.`)];
  });
}

const scalarParameters: Readonly<Record<string, Parameter['type'] | undefined>> = {
  string: 'string',
  bool: 'boolean',
  int32: 'integer',
  int64: 'integer',
};
