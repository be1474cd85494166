/**
 * Reading: one object, or a list consistent at one revision, in pages.
 *
 * A continue token carries the revision and the last key: a page continues the list it belongs to, or says that it is too old (410).
 */
import {
  badRequest,
  expired,
  type FieldTerm,
  fieldPredicate,
  type KubeObject,
  notFound,
  parseFieldTerms,
  parseLabelSelector,
} from '../../api/index.ts';
import { CaelumError, isError } from '../../lib/index.ts';
import type { Listing, Stored } from '../../store/index.ts';
import type { ApiContext } from '../context.ts';
import type { FieldIndex, FieldIndexes } from '../field-index.ts';
import type { Resource } from '../resource.ts';
import { checkListOptions } from './list-options.ts';

export interface ListRequest {
  /** '' for all. */
  readonly namespace: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: string;
}

export interface ListAnswer {
  readonly resource: Resource;
  readonly revision: number;
  readonly items: readonly Stored[];
  readonly continue: string | undefined;
  readonly remaining: number | undefined;
}

/** How long a request for a revision that is not there yet waits for it. */
const futureWaitMs = 3000;

export interface Selection {
  readonly prefix: string;
  /** undefined: everything below the prefix. */
  readonly matches: ((stored: Stored) => boolean) | undefined;
  /** Set when the selection can be one object at most. */
  readonly onlyKey: string | undefined;
  /** The selection is among the objects of one value of an indexed field. */
  readonly indexed: { readonly index: FieldIndex; readonly value: string } | undefined;
}

/** What a label and a field selector leave of a resource. Throws `badRequest`. */
export function selectionOf(
  { indexes }: Pick<ApiContext, 'indexes'>,
  resource: Resource,
  request: Pick<ListRequest, 'namespace' | 'labelSelector' | 'fieldSelector'>,
): Selection {
  const labels = parseLabelSelector(request.labelSelector);
  const terms = parseFieldTerms(request.fieldSelector, resource.kind);
  const name = terms.find((term) => term.path === 'metadata.name' && term.operator === '=')?.value;
  const namespace =
    request.namespace !== ''
      ? request.namespace
      : (terms.find((term) => term.path === 'metadata.namespace' && term.operator === '=')?.value ?? '');
  const fields = fieldPredicate(terms, resource.kind);
  const test =
    labels === undefined
      ? fields
      : fields === undefined
        ? (object: KubeObject) => labels(object.metadata.labels)
        : (object: KubeObject) => labels(object.metadata.labels) && fields(object);
  return {
    prefix: resource.prefixOf(namespace),
    matches: test === undefined ? undefined : (stored) => test(resource.objectOf(stored)),
    onlyKey:
      name !== undefined && (namespace !== '' || !resource.kind.namespaced)
        ? resource.key(namespace, name)
        : undefined,
    indexed: terms.length === 0 ? undefined : indexedBy(indexes, resource, terms),
  };
}

function indexedBy(
  indexes: FieldIndexes,
  resource: Resource,
  terms: readonly FieldTerm[],
): Selection['indexed'] {
  for (const { path, operator, value } of terms) {
    const index = operator === '=' ? indexes.of(resource, path) : undefined;
    if (index !== undefined) return { index, value };
  }
  return undefined;
}

export async function getObject(
  context: ApiContext,
  resource: Resource,
  namespace: string,
  name: string,
  resourceVersion?: string,
): Promise<Stored> {
  if (resourceVersion !== undefined && resourceVersion !== '')
    await waitForRevision(context, revisionOf(resourceVersion));
  const stored = context.store.get(resource.key(namespace, name));
  if (stored === undefined) throw notFound(resource.ref, name);
  if (resource.prepare !== undefined) await resource.prepare([stored]);
  return stored;
}

export async function listObjects(
  context: ApiContext,
  resource: Resource,
  request: ListRequest,
): Promise<ListAnswer> {
  checkListOptions(request);
  const { matches, prefix, onlyKey, indexed } = selectionOf(context, resource, request);
  const limit = request.limit === undefined || request.limit <= 0 ? undefined : request.limit;
  const token =
    request.continue === undefined || request.continue === '' ? undefined : readToken(request.continue);
  if (
    token !== undefined &&
    request.resourceVersion !== undefined &&
    request.resourceVersion !== '' &&
    request.resourceVersion !== '0'
  )
    throw badRequest('specifying resource version is not allowed when using continue');
  const exact =
    token === undefined
      ? await exactRevision(context, request, limit)
      : token.revision < 0
        ? undefined
        : token.revision;
  if (onlyKey !== undefined && exact === undefined) {
    const stored = context.store.get(onlyKey);
    if (stored !== undefined && resource.prepare !== undefined) await resource.prepare([stored]);
    const items = stored !== undefined && (matches?.(stored) ?? true) ? [stored] : [];
    return { resource, revision: context.store.revision(), items, continue: undefined, remaining: undefined };
  }
  if (indexed !== undefined && exact === undefined && token === undefined) {
    const found = indexed.index.list(indexed.value, prefix);
    const items = matches === undefined ? found : found.filter(matches);
    const page = limit === undefined ? items : items.slice(0, limit);
    const last = page.length < items.length ? page.at(-1)?.key : undefined;
    return pageOf(resource, context.store.revision(), page, last, undefined);
  }
  const read = (after: string | undefined, count: number | undefined): Listing => {
    try {
      return context.store.list(prefix, {
        ...(after === undefined ? {} : { after }),
        ...(count === undefined ? {} : { limit: count }),
        ...(exact === undefined ? {} : { revision: exact }),
      });
    } catch (error) {
      if (isError(error, 'expired')) throw tooOld(token);
      throw error;
    }
  };
  if (matches === undefined || limit === undefined) {
    const listing = read(token?.after, limit);
    if (resource.prepare !== undefined) await resource.prepare(listing.items);
    const items = matches === undefined ? listing.items : listing.items.filter(matches);
    return pageOf(
      resource,
      listing.revision,
      items,
      listing.more ? listing.items.at(-1)?.key : undefined,
      listing.more ? listing.remaining : undefined,
    );
  }
  // A page of a selection: all that follows is looked through until enough match.
  const listing = read(token?.after, undefined);
  if (resource.prepare !== undefined) await resource.prepare(listing.items);
  const items: Stored[] = [];
  for (const stored of listing.items) {
    if (!matches(stored)) continue;
    if (items.length === limit)
      return pageOf(resource, listing.revision, items, items.at(-1)?.key, undefined);
    items.push(stored);
  }
  return pageOf(resource, listing.revision, items, undefined, undefined);
}

function pageOf(
  resource: Resource,
  revision: number,
  items: readonly Stored[],
  last: string | undefined,
  remaining: number | undefined,
): ListAnswer {
  return {
    resource,
    revision,
    items,
    continue: last === undefined ? undefined : writeToken({ revision, after: last }),
    remaining,
  };
}

function tooOld(token: Token | undefined): CaelumError {
  if (token === undefined) return expired('The resourceVersion for the provided list is too old.');
  return new CaelumError(
    'expired',
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
    { details: { continue: writeToken({ revision: -1, after: token.after }) } },
  );
}

/** The revision at which a list must be; undefined: the newest. */
async function exactRevision(
  context: ApiContext,
  request: ListRequest,
  limit: number | undefined,
): Promise<number | undefined> {
  const { resourceVersion, resourceVersionMatch: match } = request;
  if (resourceVersion === undefined || resourceVersion === '') return undefined;
  const revision = revisionOf(resourceVersion);
  await waitForRevision(context, revision);
  // Without a match, Kubernetes reads a limited list at exactly that revision, and an unlimited one at least that new.
  if (match === 'Exact' || ((match === undefined || match === '') && limit !== undefined && revision > 0))
    return revision;
  return undefined;
}

export function revisionOf(resourceVersion: string): number {
  if (!/^\d{1,16}$/.test(resourceVersion))
    throw badRequest(`invalid resource version: ${JSON.stringify(resourceVersion)}`);
  return Number(resourceVersion);
}

export async function waitForRevision(context: ApiContext, revision: number): Promise<void> {
  if (revision <= context.store.revision() || (await context.store.waitFor(revision, futureWaitMs))) return;
  throw new CaelumError(
    'timeout',
    `Timeout: Too large resource version: ${revision}, current: ${context.store.revision()}`,
    {
      details: {
        causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version', field: '' }],
        retryAfterSeconds: 1,
      },
    },
  );
}

interface Token {
  /** Negative: the newest. What was asked for is gone, and the client goes on all the same. */
  readonly revision: number;
  readonly after: string;
}

function writeToken(token: Token): string {
  return Buffer.from(JSON.stringify({ v: 1, rv: token.revision, after: token.after })).toString('base64url');
}

function readToken(text: string): Token {
  try {
    const { v, rv, after } = JSON.parse(Buffer.from(text, 'base64url').toString()) as {
      v: unknown;
      rv: unknown;
      after: unknown;
    };
    if (v === 1 && typeof rv === 'number' && typeof after === 'string') return { revision: rv, after };
  } catch {
    // Falls through to the refusal.
  }
  throw badRequest('continue key is not valid: it was not made by this server');
}
