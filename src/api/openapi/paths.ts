/**
 * The paths under which a kind is served, with their operations: which action each is, on which kind, and which parameters it
 * takes. Free of dialect: `v3.ts` and `v2.ts` write them down. kubectl looks for `dryRun` and `fieldValidation` here.
 */
import type { Kind, Subresource, Verb } from '../kind.ts';
import type { GroupVersionKind } from '../object.ts';

export type Method = 'get' | 'put' | 'post' | 'patch' | 'delete';

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
  readonly result: 'object' | 'list' | 'status' | 'text';
}

export interface Path {
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly operations: readonly Operation[];
  /** The kind that its operations carry. */
  readonly kind: GroupVersionKind;
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
  query('watch', 'boolean', 'Follow changes.'),
];
const listing = [...watching, ...selecting];

const upper = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

/** `CoreV1`, `AppsV1`, `RbacAuthorizationV1`, as in operation ids. */
function groupVersionName(group: string, version: string): string {
  const words = group === '' ? ['core'] : group.replace(/\.k8s\.io$/, '').split('.');
  return words.map(upper).join('') + upper(version);
}

/** `/api/v1`, `/apis/apps/v1`. */
export function rootPath(group: string, version: string): string {
  return group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
}

export function pathsOf(kind: Kind): readonly Path[] {
  const root = rootPath(kind.group, kind.version);
  const gvk = { group: kind.group, version: kind.version, kind: kind.kind };
  const scope = kind.namespaced ? `${root}/namespaces/{namespace}` : root;
  const namespace = kind.namespaced ? [inPath('namespace', 'The namespace.')] : [];
  const name = inPath('name', `The name of the ${kind.kind}.`);
  const paths: Path[] = [
    {
      path: `${scope}/${kind.resource}`,
      parameters: [...namespace, pretty],
      operations: collectionOperations(kind, gvk),
      kind: gvk,
    },
    {
      path: `${scope}/${kind.resource}/{name}`,
      parameters: [name, ...namespace, pretty],
      operations: itemOperations(kind, gvk, kind.verbs, ''),
      kind: gvk,
    },
    ...kind.subresources.map((sub) => ({
      path: `${scope}/${kind.resource}/{name}/${sub.name}`,
      parameters: [name, ...namespace, pretty],
      operations: itemOperations(kind, sub.kind ?? gvk, sub.verbs, upper(sub.name), sub),
      kind: sub.kind ?? gvk,
    })),
  ];
  if (kind.namespaced && kind.verbs.includes('list')) {
    paths.push({
      path: `${root}/${kind.resource}`,
      parameters: [pretty],
      operations: [listOperation(kind, gvk, 'ForAllNamespaces')],
      kind: gvk,
    });
  }
  return paths.filter(({ operations }) => operations.length > 0);
}

const idOf = (kind: Kind, verb: string, suffix: string): string => {
  const scope = kind.namespaced && suffix !== 'ForAllNamespaces' ? 'Namespaced' : '';
  return `${verb}${groupVersionName(kind.group, kind.version)}${scope}${kind.kind}${suffix}`;
};

function listOperation(kind: Kind, gvk: GroupVersionKind, suffix: string): Operation {
  const id = idOf(kind, 'list', suffix);
  return { method: 'get', id, action: 'list', kind: gvk, parameters: listing, body: 'none', result: 'list' };
}

function collectionOperations(kind: Kind, gvk: GroupVersionKind): Operation[] {
  const operations: Operation[] = [];
  if (kind.verbs.includes('list')) operations.push(listOperation(kind, gvk, ''));
  if (kind.verbs.includes('create')) {
    operations.push({
      method: 'post',
      id: idOf(kind, 'create', ''),
      action: 'post',
      kind: gvk,
      parameters: writing,
      body: 'object',
      result: 'object',
    });
  }
  if (kind.verbs.includes('deletecollection')) {
    operations.push({
      method: 'delete',
      id: idOf(kind, 'deleteCollection', ''),
      action: 'deletecollection',
      kind: gvk,
      parameters: [...deleting, ...selecting],
      body: 'deleteOptions',
      result: 'status',
    });
  }
  return operations;
}

const streams = new Set(['exec', 'attach', 'portforward', 'proxy']);

function itemOperations(
  kind: Kind,
  gvk: GroupVersionKind,
  verbs: readonly Verb[],
  suffix: string,
  sub?: Subresource,
): Operation[] {
  const operations: Operation[] = [];
  const connects = sub !== undefined && streams.has(sub.name);
  const add = (
    method: Method,
    verb: string,
    action: string,
    parameters: readonly Parameter[],
    body: Operation['body'],
    result: Operation['result'] = 'object',
  ): void => {
    operations.push({
      method,
      id: idOf(kind, connects ? `connect${upper(method)}` : verb, suffix),
      action: connects ? 'connect' : action,
      kind: gvk,
      parameters: connects ? [] : parameters,
      body: connects ? 'none' : body,
      result: connects ? 'text' : result,
    });
  };
  if (verbs.includes('get')) add('get', 'read', 'get', [], 'none', sub?.name === 'log' ? 'text' : 'object');
  if (sub !== undefined && verbs.includes('create')) add('post', 'create', 'post', writing, 'object');
  if (verbs.includes('update')) add('put', 'replace', 'put', writing, 'object');
  if (verbs.includes('patch')) add('patch', 'patch', 'patch', [...writing, force], 'patch');
  if (verbs.includes('delete')) add('delete', 'delete', 'delete', deleting, 'deleteOptions', 'status');
  return operations;
}
