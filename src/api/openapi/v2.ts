/**
 * OpenAPI v2 (Swagger): one document for all kinds, as JSON or as gnostic's protobuf, which clients before 1.29 ask for
 * (`application/com.github.proto-openapi.spec.v2@v1.0+protobuf`). The document is made as JSON; `openApiV2Protobuf` writes
 * that down in the other form.
 */
import type { ServedKind } from '../kind.ts';
import { messageOfKind, openApiName } from '../schema/messages.ts';
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

const objectTypes = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];
const patchTypes = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
];
/** What custom resources have not. */
const isByTable = (type: string): boolean => type.includes('strategic') || type.includes('protobuf');
const patchName = 'io.k8s.apimachinery.pkg.apis.meta.v1.Patch';

export function openApiV2(kinds: readonly ServedKind[], serverVersion: string): Document {
  const collector = new SchemaCollector('v2');
  collector.add('meta.v1.Status');
  collector.add('meta.v1.DeleteOptions');
  collector.add('meta.v1.WatchEvent');
  collector.addSchema(patchName, {
    description: 'A change, in one of the patch formats.',
    type: 'object',
  });
  const paths: Record<string, Document> = {};
  const resources = refTo(collector.add('meta.v1.APIResourceList'), 'v2');
  for (const kind of kinds) {
    paths[`${rootPath(kind.group, kind.version)}/`] ??= resourceListPath(kind, resources);
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
      const own = path.kind.kind === kind.kind && path.kind.group === kind.group;
      const isWritten = path.operations.some(({ result }) => result === 'object');
      const message = own || !isWritten ? undefined : messageOfKind(path.kind);
      const schema = own ? names.name : message === undefined ? undefined : collector.add(message.name);
      paths[path.path] = pathItem(path, schema, names.listName, kind.custom !== undefined);
    }
  }
  return {
    swagger: '2.0',
    info: { title: 'Kubernetes', version: serverVersion },
    paths: Object.fromEntries(Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1))),
    definitions: collector.finish(),
    securityDefinitions: {
      BearerToken: {
        description: 'Bearer token.',
        type: 'apiKey',
        name: 'authorization',
        in: 'header',
      },
    },
    security: [{ BearerToken: [] }],
  };
}

function resourceListPath({ group, version }: ServedKind, schema: Document): Document {
  return {
    get: {
      consumes: objectTypes,
      produces: objectTypes,
      schemes: ['https'],
      operationId: `get${groupVersionName(group, version)}APIResources`,
      responses: { '200': { description: 'OK', schema }, '401': { description: 'Unauthorized' } },
      tags: [tagOf(group, version)],
    },
  };
}

function pathItem(path: Path, schemaName: string | undefined, listName: string, isCustom: boolean): Document {
  const operations = path.operations.map((operation) => [
    operation.method,
    { ...operationObject(operation, schemaName, listName, isCustom), tags: [path.tag] },
  ]);
  return { ...Object.fromEntries(operations), parameters: path.parameters.map(parameterObject) };
}

function parameterObject(parameter: Parameter): Document {
  return {
    uniqueItems: true,
    type: parameter.type,
    description: parameter.description,
    name: parameter.name,
    in: parameter.in,
    ...(parameter.in === 'path' ? { required: true } : {}),
  };
}

function operationObject(
  operation: Operation,
  schemaName: string | undefined,
  listName: string,
  isCustom: boolean,
): Document {
  const schema = schemaName === undefined ? { type: 'object' } : refTo(schemaName, 'v2');
  const result =
    operation.result === 'list'
      ? refTo(listName, 'v2')
      : operation.result === 'status'
        ? refTo(openApiName('meta.v1.Status'), 'v2')
        : operation.result === 'log' || operation.result === 'stream'
          ? { type: 'string' }
          : schema;
  const body = bodyOf(operation, schema);
  return {
    consumes:
      operation.body === 'patch' ? patchTypes.filter((type) => !isCustom || !isByTable(type)) : ['*/*'],
    produces:
      operation.result === 'stream'
        ? ['*/*']
        : operation.result === 'log'
          ? ['text/plain', ...objectTypes]
          : objectTypes.filter((type) => !isCustom || !isByTable(type)),
    schemes: ['https'],
    operationId: operation.id,
    parameters: [...(body === undefined ? [] : [body]), ...operation.parameters.map(parameterObject)],
    responses: {
      ...Object.fromEntries(
        operation.codes.map((code) => [code, { description: words[code], schema: result }]),
      ),
      '401': { description: 'Unauthorized' },
    },
    'x-kubernetes-action': operation.action,
    'x-kubernetes-group-version-kind': operation.kind,
  };
}

const words: Readonly<Record<string, string>> = { '200': 'OK', '201': 'Created', '202': 'Accepted' };

function bodyOf(operation: Operation, schema: Document): Document | undefined {
  const body = { name: 'body', in: 'body' };
  switch (operation.body) {
    case 'none':
      return undefined;
    case 'object':
      return { ...body, required: true, schema };
    case 'patch':
      return { ...body, required: true, schema: refTo(patchName, 'v2') };
    case 'deleteOptions':
      return { ...body, schema: refTo(openApiName('meta.v1.DeleteOptions'), 'v2') };
  }
}
