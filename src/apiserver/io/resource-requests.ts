/**
 * Requests for resources: from HTTP's method, path, parameters and body to one operation, and back.
 */
import { badRequest, findDuplicateFields, messageOf } from '../../api/index.ts';
import type { DeleteOptions, PatchType } from '../../client/index.ts';
import { CaelumError } from '../../lib/index.ts';
import { type Decision, refusal } from '../access/access.ts';
import type { Attributes, Selectors } from '../access/rules.ts';
import type { AuditTrail } from '../audit/trail.ts';
import type { ApiContext } from '../context.ts';
import { checkBasis, checkForms } from '../custom/requests.ts';
import { type Body, decodeBody, type FieldValidation, parseBody, yamlDuplicates } from '../decode.ts';
import type { Identity } from '../identity.ts';
import { negotiate } from '../media.ts';
import type { Answer } from '../operations/answer.ts';
import { createObject } from '../operations/create.ts';
import { deleteObject } from '../operations/delete.ts';
import { checkListOptions } from '../operations/list-options.ts';
import { applyPatch, patchObject } from '../operations/patch.ts';
import { getObject, type ListRequest, listObjects } from '../operations/read.ts';
import { applyScale, changeScale, scaleColumns, scaleOf } from '../operations/scale.ts';
import { changeSubresource, createAtSubresource, partOf } from '../operations/subresources.ts';
import { changeObject } from '../operations/update.ts';
import type { DraftObject, Resource } from '../resource.ts';
import type { Query, ResourceRoute } from '../router.ts';
import { streamed } from './agent-proxy.ts';
import { addWarning, sendAnswer, sendList, sendValue, viewOf } from './answers.ts';
import { auditOf } from './audited.ts';
import { readBody } from './body.ts';
import {
  badOption,
  checkDryRun,
  type Exchange,
  includeObjectOf,
  noSuchPath,
  notAllowed,
  wantedOf,
  writeRequest,
} from './exchange.ts';
import { servePosted } from './posted-requests.ts';
import { serveWatch } from './watch-response.ts';

const patchTypes: Readonly<Record<string, PatchType>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
};

const subresourceMessages: Readonly<
  Record<string, readonly [apiVersion: string, kind: string, message: string]>
> = {
  binding: ['v1', 'Binding', 'core.v1.Binding'],
  eviction: ['policy/v1', 'Eviction', 'policy.v1.Eviction'],
  token: ['authentication.k8s.io/v1', 'TokenRequest', 'authentication.v1.TokenRequest'],
  scale: ['autoscaling/v1', 'Scale', 'autoscaling.v1.Scale'],
};

/** The verb of a request, as access rules speak of it. */
export function verbOf(method: string, route: ResourceRoute, query: Query): string {
  const isProxy = route.subresource === 'proxy';
  if (route.isWatch && method !== 'GET') throw notAllowed();
  switch (method) {
    case 'GET':
    case 'HEAD':
      if (route.isWatch) return 'watch';
      if (!isProxy && query.flag('watch') === true) return 'watch';
      return route.name === '' ? 'list' : 'get';
    case 'POST':
      return 'create';
    case 'PUT':
    case 'PATCH':
      if (route.name === '') throw notAllowed();
      return method === 'PUT' ? 'update' : 'patch';
    case 'DELETE':
      return route.name === '' ? 'deletecollection' : 'delete';
    case 'OPTIONS':
      if (isProxy) return 'options';
      throw notAllowed();
    default:
      throw notAllowed();
  }
}

/** Throws, or rejects, `forbidden`. A promise only where others than ourselves have to be asked. */
export function checkAccess(
  { access }: ApiContext,
  identity: Identity,
  asked: Attributes,
  audit?: AuditTrail,
): Promise<void> | undefined {
  const decision = access.ask(identity, asked);
  if (decision instanceof Promise)
    return decision.then((said) => {
      if (audit !== undefined) noteDecision(audit, said);
      if (!said.allowed) throw refusal(identity, asked, said.because);
    });
  if (audit !== undefined) noteDecision(audit, decision);
  if (!decision.allowed) throw refusal(identity, asked, decision.because);
  return undefined;
}

function noteDecision(audit: AuditTrail, { allowed, because }: Decision): void {
  audit.annotate('authorization.k8s.io/decision', allowed ? 'allow' : 'forbid');
  audit.annotate('authorization.k8s.io/reason', because);
}

/** A list or watch of a single object asks for that object: rules that name it allow it. */
function nameSelectedBy(query: Query): string {
  const [, name = ''] = /^metadata\.name==?([^,!=]+)$/.exec(query.text('fieldSelector') ?? '') ?? [];
  return name;
}

const narrowed: readonly string[] = ['list', 'watch', 'deletecollection'];

function selectorsOf(verb: string, query: Query): { readonly selectors?: Selectors } | undefined {
  if (!narrowed.includes(verb)) return undefined;
  const field = query.text('fieldSelector');
  const label = query.text('labelSelector');
  if (field === undefined && label === undefined) return undefined;
  return {
    selectors: { ...(field === undefined ? {} : { field }), ...(label === undefined ? {} : { label }) },
  };
}

/** Serves one request that names a resource. Throws what the caller sends as Status. */
export async function serveResource(exchange: Exchange): Promise<void> {
  const { context, route, query, identity, http } = exchange;
  const verb = verbOf(http.method ?? '', route, query);
  // A namespace's own path speaks of the namespace, whatever it is called.
  const { group, resource: name, subresource, namespace } = route;
  const pending = checkAccess(
    context,
    identity,
    {
      kind: 'resource',
      verb,
      group,
      version: route.version,
      resource: name,
      subresource,
      namespace,
      name: route.name === '' ? nameSelectedBy(query) : route.name,
      ...selectorsOf(verb, query),
    },
    auditOf(http),
  );
  if (pending !== undefined) await pending;
  if (exchange.others?.serves(group, route.version) === true)
    return exchange.others.serve(group, route.version, identity, http, exchange.response);
  const resource = context.resources.find(group, route.version, name);
  if (resource === undefined) {
    const computed = context.computed.find(group, route.version);
    if (computed === undefined) return servePosted(exchange);
    const { serveComputed } = await import('./computed-requests.ts');
    return serveComputed(exchange, computed, verb, wantedOf(exchange));
  }
  if (resource.kind.deprecation !== undefined) addWarning(exchange.response, resource.kind.deprecation);
  if (resource.kind.custom !== undefined)
    checkForms(verb, subresource, http.headers.accept, http.headers['content-type']);
  if (subresource !== '' && !resource.kind.subresources.some((one) => one.name === subresource))
    throw noSuchPath();
  if (streamed.includes(subresource) && (verb === 'get' || verb === 'create'))
    throw badRequest('Upgrade request required');
  if (!resource.kind.namespaced && namespace !== '') throw noSuchPath();
  if (resource.kind.namespaced && namespace === '' && !['list', 'watch', 'deletecollection'].includes(verb))
    throw route.name === '' ? notAllowed() : noSuchPath();
  if (subresource === '' && !resource.kind.verbs.includes(verb as (typeof resource.kind.verbs)[number]))
    throw notAllowed();
  switch (verb) {
    case 'get':
      return serveGet(exchange, resource);
    case 'list':
      return serveListing(exchange, resource);
    case 'watch':
      return serveWatching(exchange, resource);
    case 'create':
      return serveCreate(exchange, resource);
    case 'update':
      return serveUpdate(exchange, resource);
    case 'patch':
      return servePatch(exchange, resource);
    case 'delete':
      return serveDelete(exchange, resource);
    default:
      return serveDeleteCollection(exchange, resource);
  }
}

async function serveGet(exchange: Exchange, resource: Resource): Promise<void> {
  const { context, route, query, response } = exchange;
  const wanted = wantedOf(exchange);
  const stored = await getObject(
    context,
    resource,
    route.namespace,
    route.name,
    query.text('resourceVersion'),
  );
  if (route.subresource === 'scale') {
    const scale = scaleOf(resource.kind, resource.objectOf(stored));
    return sendValue(response, 200, viewOf({ columns: scaleColumns }, scale, wanted), wanted);
  }
  if (route.subresource !== '' && partOf(resource, route.subresource) === undefined) throw notAllowed();
  return sendAnswer(response, resource, { kind: 'stored', resource, stored, created: false }, wanted);
}

function listRequest(route: ResourceRoute, query: Query): ListRequest {
  const labelSelector = query.text('labelSelector');
  const named = route.name === '' ? undefined : `metadata.name=${route.name}`;
  const fieldSelector = [query.text('fieldSelector'), named].filter((one) => one !== undefined).join(',');
  const limit = query.limit();
  const token = query.text('continue');
  const resourceVersion = query.text('resourceVersion');
  const resourceVersionMatch = query.text('resourceVersionMatch');
  return {
    namespace: route.namespace,
    ...(labelSelector === undefined ? {} : { labelSelector }),
    ...(fieldSelector === '' ? {} : { fieldSelector }),
    ...(limit === undefined ? {} : { limit }),
    ...(token === undefined ? {} : { continue: token }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    ...(resourceVersionMatch === undefined ? {} : { resourceVersionMatch }),
  };
}

async function serveListing(exchange: Exchange, resource: Resource): Promise<void> {
  const { context, route, query, response } = exchange;
  const wanted = wantedOf(exchange);
  const request = listRequest(route, query);
  checkListOptions({ ...request, sendInitialEvents: query.flag('sendInitialEvents') });
  const answer = await listObjects(context, resource, request);
  await sendList(response, answer, wanted);
}

function serveWatching(
  { context, route, query, http, response }: Exchange,
  resource: Resource,
): Promise<void> {
  const form = negotiate(http.headers.accept);
  const sendInitialEvents = query.flag('sendInitialEvents');
  if (form.format === 'yaml')
    throw new CaelumError(
      'notAcceptable',
      'only the following media types are accepted: application/json, application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch',
    );
  const request = listRequest(route, query);
  return serveWatch(context, resource, http, response, {
    request: { ...request, bookmarks: query.flag('allowWatchBookmarks') ?? false, sendInitialEvents },
    form,
    timeoutSeconds: query.count('timeoutSeconds'),
    includeObject: includeObjectOf(query),
  });
}

const expectedOf = (resource: Resource) => ({
  apiVersion: resource.apiVersion,
  kind: resource.kind.kind,
  message: resource.message,
});

async function serveCreate(exchange: Exchange, resource: Resource): Promise<void> {
  const { context, route, http, response } = exchange;
  const request = writeRequest(exchange);
  const wanted = wantedOf(exchange);
  const body = await readBody(http);
  if (route.subresource !== '') {
    const [apiVersion, kind, message] = subresourceMessages[route.subresource] ?? [];
    if (apiVersion === undefined || kind === undefined || message === undefined) throw notAllowed();
    const { object } = decodeBody(
      body,
      { apiVersion, kind, message: messageOf(message) },
      request.fieldValidation,
    );
    const answer = await createAtSubresource(
      context,
      resource,
      request,
      route.name,
      route.subresource,
      object,
    );
    return sendAnswer(response, undefined, answer, wanted);
  }
  if (route.name !== '') throw notAllowed();
  const { object, warnings } = decodeBody(body, expectedOf(resource), request.fieldValidation);
  const answer = await createObject(context, resource, request, object);
  return sendAnswer(response, resource, answer, wanted, warnings);
}

async function serveUpdate(exchange: Exchange, resource: Resource): Promise<void> {
  const { context, route, http, response } = exchange;
  const request = writeRequest(exchange);
  const wanted = wantedOf(exchange);
  const body = await readBody(http);
  const part = partOf(resource, route.subresource);
  if (part === undefined) {
    const [apiVersion, kind, message] = subresourceMessages[route.subresource] ?? [
      resource.apiVersion,
      resource.kind.kind,
      resource.kind.message,
    ];
    const { object } = decodeBody(
      body,
      { apiVersion, kind, message: messageOf(message) },
      request.fieldValidation,
    );
    if (route.subresource === 'scale') checkName(object, route.name);
    const answer = await changeSubresource(context, resource, request, route.name, route.subresource, () =>
      structuredClone(object),
    );
    return sendAnswer(response, undefined, answer, wanted);
  }
  const { object, warnings } = decodeBody(body, expectedOf(resource), request.fieldValidation);
  checkName(object, route.name);
  const { resourceVersion } = object.metadata ?? {};
  checkBasis(resource, route.name, resourceVersion);
  const answer = await changeObject(context, resource, request, {
    name: route.name,
    part,
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    make: () => structuredClone(object),
  });
  return sendAnswer(response, resource, answer, wanted, warnings);
}

function checkName(object: DraftObject, name: string): void {
  const said = object.metadata?.name ?? '';
  if (said === '') throw badRequest('name must be provided');
  if (said !== name)
    throw badRequest(`the name of the object (${said}) does not match the name on the URL (${name})`);
}

const scaleMessage = { message: messageOf('autoscaling.v1.Scale') };

async function servePatch(exchange: Exchange, resource: Resource): Promise<void> {
  const { context, route, http, response } = exchange;
  const request = writeRequest(exchange);
  const wanted = wantedOf(exchange);
  const body = await readBody(http);
  const type = patchTypes[body.mediaType];
  if (type === undefined)
    throw new CaelumError(
      'unsupportedMediaType',
      `the body of the request was in an unknown format - accepted media types include: ${Object.keys(patchTypes).join(', ')}`,
    );
  const patch = parsePatch(body, request.fieldValidation);
  const force = exchange.query.flag('force');
  if (force !== undefined && type !== 'apply')
    throw badOption('PATCH', 'force', {
      reason: 'FieldValueForbidden',
      message: 'Forbidden: may not be specified for non-apply patch',
    });
  const said = exchange.query.text('fieldManager');
  const by = type === 'apply' ? { ...request, manager: said } : request;
  if (route.subresource === 'scale') {
    const answer =
      type === 'apply'
        ? await applyScale(context, resource, by, route.name, patch, force ?? false)
        : await changeScale(
            context,
            resource,
            request,
            route.name,
            (scale) => applyPatch(type, scale, patch, scaleMessage) as typeof scale,
          );
    return sendAnswer(response, undefined, answer, wanted);
  }
  const part = partOf(resource, route.subresource);
  if (part === undefined) throw notAllowed();
  const { answer, warnings } = await patchObject(context, resource, by, {
    name: route.name,
    part,
    type,
    patch,
    force: force ?? false,
  });
  return sendAnswer(response, resource, answer, wanted, warnings);
}

function parsePatch(body: Body, validation: FieldValidation): unknown {
  const patch = parseBody(body);
  if (validation === 'Strict' && body.mediaType.endsWith('json')) {
    const [duplicate] = findDuplicateFields(body.bytes.toString('utf8'));
    if (duplicate !== undefined)
      throw badRequest(`strict decoding error: duplicate field ${JSON.stringify(duplicate)}`);
  }
  const lines = validation === 'Strict' ? yamlDuplicates(body) : [];
  if (lines.length > 0)
    throw badRequest(
      `error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  ${lines.join('\n  ')}`,
    );
  return patch;
}

/** From the body (DeleteOptions) where there is one, and from the parameters. */
async function deleteOptions({ http, query }: Exchange): Promise<DeleteOptions> {
  const body = await readBody(http);
  const given = body.bytes.length === 0 ? {} : (parseBody(body) as { [key: string]: unknown; kind?: string });
  if (typeof given !== 'object' || given === null) throw badRequest('the body of a delete is DeleteOptions');
  const options = given as {
    propagationPolicy?: string;
    orphanDependents?: boolean;
    gracePeriodSeconds?: number;
    preconditions?: { uid?: string; resourceVersion?: string };
    dryRun?: readonly string[];
  };
  const policy = query.text('propagationPolicy') ?? options.propagationPolicy;
  const orphan = query.flag('orphanDependents') ?? options.orphanDependents;
  if (policy !== undefined && orphan !== undefined)
    throw badOption('DELETE', 'propagationPolicy', {
      reason: 'FieldValueInvalid',
      message: `Invalid value: ${JSON.stringify(policy)}: orphanDependents and deletionPropagation cannot be both set`,
    });
  if (policy !== undefined && !['Orphan', 'Background', 'Foreground'].includes(policy))
    throw badOption('DELETE', 'propagationPolicy', {
      reason: 'FieldValueNotSupported',
      message: `Unsupported value: ${JSON.stringify(policy)}: supported values: "Foreground", "Background", "Orphan", "nil"`,
    });
  checkDryRun('DELETE', options.dryRun ?? []);
  const grace = query.count('gracePeriodSeconds') ?? options.gracePeriodSeconds;
  const propagationPolicy = (policy ??
    (orphan === undefined
      ? undefined
      : orphan
        ? 'Orphan'
        : 'Background')) as DeleteOptions['propagationPolicy'];
  return {
    ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
    ...(grace === undefined || grace === null ? {} : { gracePeriodSeconds: grace }),
    ...(options.preconditions === undefined ? {} : { preconditions: options.preconditions }),
    dryRun: query.all('dryRun').length > 0 || (options.dryRun?.length ?? 0) > 0,
  };
}

async function serveDelete(exchange: Exchange, resource: Resource): Promise<void> {
  const { context, route, response } = exchange;
  if (route.subresource !== '') throw notAllowed();
  const wanted = wantedOf(exchange);
  const options = await deleteOptions(exchange);
  const request = { ...writeRequest(exchange), dryRun: options.dryRun ?? false };
  const answer = await deleteObject(context, resource, request, route.name, options);
  return sendAnswer(response, resource, answer, wanted);
}

async function serveDeleteCollection(exchange: Exchange, resource: Resource): Promise<void> {
  const { context, route, query, response } = exchange;
  const options = await deleteOptions(exchange);
  const request = { ...writeRequest(exchange), dryRun: options.dryRun ?? false };
  const listing = await listObjects(context, resource, listRequest(route, query));
  const gone = async (namespace: string, name: string): Promise<Answer | undefined> => {
    try {
      return await deleteObject(context, resource, { ...request, namespace }, name, options);
    } catch (error) {
      if (error instanceof CaelumError && error.code === 'notFound') return undefined;
      throw error;
    }
  };
  await Promise.all(
    listing.items.map((stored) => {
      const { namespace = '', name = '' } = resource.objectOf(stored).metadata;
      return gone(namespace, name);
    }),
  );
  await sendList(response, listing, wantedOf(exchange));
}
