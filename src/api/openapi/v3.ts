/**
 * OpenAPI v3: one document for each group-version, and the index that leads to them.
 *
 *   kinds of the registry ─▶ paths ─┐
 *   their messages ─▶ schemas ──────┴▶ document ─▶ hash ─▶ index (`serverRelativeURL` with the hash: cacheable for ever)
 *
 * Documents are made when asked for; keep them, they do not change while the kinds do not.
 */
import type { ServedKind } from '../kind.ts';
import type { GroupVersionKind } from '../object.ts';
import { messageOfKind } from '../schema/messages.ts';
import {
  groupVersionName,
  type Operation,
  type Parameter,
  type Path,
  pathsOf,
  rootPath,
  tagOf,
} from './paths.ts';
import { type Document, refTo, SchemaCollector } from './schemas.ts';

const patchTypes = [
  'application/apply-patch+yaml',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
];
const objectTypes = ['application/json', 'application/vnd.kubernetes.protobuf', 'application/yaml'];
const watchTypes = ['application/json;stream=watch', 'application/vnd.kubernetes.protobuf;stream=watch'];
/** Custom resources have no tables: no protobuf, and no merging by them. Clients look here for what they may send. */
const customPatchTypes = patchTypes.filter((type) => !type.includes('strategic'));
const customTypes = objectTypes.filter((type) => !type.includes('protobuf'));
const patchName = 'io.k8s.apimachinery.pkg.apis.meta.v1.Patch';
const info = { title: 'Kubernetes', version: 'unversioned' };
/** Each group and version has its own name for them. */
const optionKinds = ['meta.v1.DeleteOptions', 'meta.v1.WatchEvent'];

/** The document of one group-version; `kinds` are those of the registry, others are passed over. */
export function openApiV3(
  of: { readonly group: string; readonly version: string },
  kinds: readonly ServedKind[],
): Document {
  const collector = new SchemaCollector('v3');
  const paths: Record<string, Document> = {};
  const root = rootPath(of.group, of.version);
  paths[`${root}/`] = resourceListPath(collector, of);
  const served = kinds.filter((kind) => kind.group === of.group && kind.version === of.version);
  if (served.some(({ verbs }) => verbs.includes('patch')))
    collector.addSchema(patchName, { description: 'A change, in one of the patch formats.', type: 'object' });
  for (const message of served.some(({ verbs }) => verbs.includes('delete')) ? optionKinds : [])
    collector.addMachinery(message, of);
  for (const kind of served) {
    const gvk = { group: kind.group, version: kind.version, kind: kind.kind };
    const names =
      kind.custom === undefined
        ? collector.addRoot({
            message: kind.message,
            kind: gvk,
            description: kind.description,
            isListed: kind.verbs.includes('list'),
          })
        : collector.addCustom(kind, kind.custom);
    for (const path of pathsOf(kind)) {
      const name = sameKind(path.kind, gvk)
        ? names.name
        : path.operations.some(({ result }) => result === 'object')
          ? schemaOfKind(collector, path.kind)
          : undefined;
      paths[path.path] = pathItem(collector, path, name, names.listName, kind.custom !== undefined);
    }
  }
  return {
    openapi: '3.0.0',
    info,
    paths: Object.fromEntries(Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1))),
    components: {
      schemas: collector.finish(),
      securitySchemes: {
        BearerToken: {
          description: 'Bearer token.',
          in: 'header',
          name: 'authorization',
          type: 'apiKey',
        },
      },
    },
  };
}

/** The index of `/openapi/v3`: for each path (`api/v1`, `apis/apps/v1`) where its document is, by its hash. */
export function openApiV3Index(
  documents: readonly { readonly group: string; readonly version: string; readonly hash: string }[],
): Document {
  const entries = documents.map(({ group, version, hash }): [string, Document] => {
    const path = rootPath(group, version).slice(1);
    return [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` }];
  });
  return { paths: Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1))) };
}

function sameKind(a: GroupVersionKind, b: GroupVersionKind): boolean {
  return a.group === b.group && a.version === b.version && a.kind === b.kind;
}

/** The schema of a subresource's own kind, where a table has it. */
function schemaOfKind(collector: SchemaCollector, gvk: GroupVersionKind): string | undefined {
  const message = messageOfKind(gvk);
  return message === undefined ? undefined : collector.add(message.name);
}

function resourceListPath(
  collector: SchemaCollector,
  of: { readonly group: string; readonly version: string },
): Document {
  return {
    get: {
      description: 'The resources of this group and version.',
      operationId: `get${groupVersionName(of.group, of.version)}APIResources`,
      responses: content(objectTypes, refTo(collector.add('meta.v1.APIResourceList'), 'v3')),
      tags: [tagOf(of.group, of.version)],
    },
  };
}

function pathItem(
  collector: SchemaCollector,
  path: Path,
  schemaName: string | undefined,
  listName: string,
  isCustom: boolean,
): Document {
  const operations = path.operations.map((operation) => [
    operation.method,
    { ...operationObject(collector, operation, schemaName, listName, isCustom), tags: [path.tag] },
  ]);
  return { ...Object.fromEntries(operations), parameters: path.parameters.map(parameterObject) };
}

function parameterObject(parameter: Parameter): Document {
  return {
    description: parameter.description,
    in: parameter.in,
    name: parameter.name,
    ...(parameter.in === 'path' ? { required: true } : {}),
    schema: { type: parameter.type, uniqueItems: true },
  };
}

function operationObject(
  collector: SchemaCollector,
  operation: Operation,
  schemaName: string | undefined,
  listName: string,
  isCustom: boolean,
): Document {
  const schema = schemaName === undefined ? { type: 'object' } : refTo(schemaName, 'v3');
  const body = bodyOf(collector, operation, schema, isCustom);
  const result =
    operation.result === 'list'
      ? refTo(listName, 'v3')
      : operation.result === 'status'
        ? refTo(collector.add('meta.v1.Status'), 'v3')
        : schema;
  return {
    operationId: operation.id,
    ...(operation.parameters.length === 0 ? {} : { parameters: operation.parameters.map(parameterObject) }),
    ...(body === undefined ? {} : { requestBody: body }),
    responses: responsesOf(operation, result, isCustom),
    'x-kubernetes-action': operation.action,
    'x-kubernetes-group-version-kind': operation.kind,
  };
}

function bodyOf(
  collector: SchemaCollector,
  operation: Operation,
  schema: Document,
  isCustom: boolean,
): Document | undefined {
  switch (operation.body) {
    case 'none':
      return undefined;
    case 'object':
      return { content: { '*/*': { schema } }, required: true };
    case 'deleteOptions':
      return { content: { '*/*': { schema: refTo(collector.add('meta.v1.DeleteOptions'), 'v3') } } };
    case 'patch':
      return {
        content: Object.fromEntries(
          (isCustom ? customPatchTypes : patchTypes).map((type) => [
            type,
            { schema: refTo(patchName, 'v3') },
          ]),
        ),
        required: true,
      };
  }
}

function responsesOf({ result, codes }: Operation, schema: Document, isCustom: boolean): Document {
  if (result === 'stream') return content(['*/*'], { type: 'string' });
  if (result === 'log') return content([...objectTypes, 'text/plain'], { type: 'string' });
  if (isCustom) return content(customTypes, schema, codes);
  return content(result === 'list' ? [...objectTypes, ...watchTypes] : objectTypes, schema, codes);
}

const words: Readonly<Record<string, string>> = { '200': 'OK', '201': 'Created', '202': 'Accepted' };

function content(types: readonly string[], schema: Document, codes: readonly string[] = ['200']): Document {
  const said = Object.fromEntries(types.map((type) => [type, { schema }]));
  return {
    ...Object.fromEntries(codes.map((code) => [code, { description: words[code], content: said }])),
    '401': { description: 'Unauthorized' },
  };
}
