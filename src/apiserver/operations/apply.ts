/**
 * Server-side apply: a configuration laid upon what is there, or made where nothing is.
 *
 *   configuration ─▶ shape checked ─▶ merged with the live object ─▶ conflicts? ─▶ stored as any change, with its owners
 */
import {
  applyConfiguration,
  badRequest,
  type Conflict,
  checkShape,
  conflictMessage,
  duplicateIn,
  invalid,
  type KubeObject,
  managerText,
  pathText,
  shapeOfMessage,
} from '../../api/index.ts';
import { CaelumError, isError } from '../../lib/index.ts';
import type { ApiContext, WriteRequest } from '../context.ts';
import { shapeWarnings } from '../decode.ts';
import type { DraftObject, Resource } from '../resource.ts';
import { createObject } from './create.ts';
import { ownershipOf } from './owners.ts';
import type { Patched } from './patch.ts';
import { type AdmittedAs, changeObject, type Part, subresourceOf } from './update.ts';

export interface ApplyRequest {
  readonly name: string;
  readonly part: Part;
  readonly configuration: unknown;
  readonly force: boolean;
  /** It is applied through a subresource that shows the object otherwise, as this one: nothing is made then. */
  readonly shown?: AdmittedAs;
}

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';
/** Source: k8s.io/apimachinery/pkg/api/validation, TotalAnnotationSizeLimitB. */
const annotationsSizeMax = 256 * 1024;
const triesMax = 8;

export async function applyObject(
  context: ApiContext,
  resource: Resource,
  request: WriteRequest,
  apply: ApplyRequest,
): Promise<Patched> {
  const { manager } = request;
  if (manager === undefined || manager === '')
    throw invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [
      {
        reason: 'FieldValueRequired',
        field: 'fieldManager',
        message: 'Required value: is required for apply patch',
      },
    ]);
  const configuration = checked(resource, apply);
  const expected = { apiVersion: resource.apiVersion, kind: resource.kind.kind, message: resource.message };
  checkDeclared(resource, request, apply.name, configuration);
  const warnings = shapeWarnings(configuration, expected, request.fieldValidation);
  const ownership = {
    ...ownershipOf(
      context,
      resource,
      manager,
      'Apply',
      apply.shown?.subresource ?? subresourceOf(apply.part),
    ),
    force: apply.force,
  };
  const resourceVersion = configuration.metadata.resourceVersion;
  for (let tries = 1; ; tries++) {
    try {
      const answer = await changeObject(context, resource, request, {
        name: apply.name,
        part: apply.part,
        isApplied: true,
        ...(apply.shown === undefined
          ? {}
          : { subresource: apply.shown.subresource, admission: apply.shown }),
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
        make: (old) => merged(old, configuration, ownership, manager),
      });
      return { answer, warnings };
    } catch (error) {
      if (!isError(error, 'notFound') || apply.part !== 'main' || apply.shown !== undefined) throw error;
      if (configuration.metadata.uid !== undefined)
        throw new CaelumError(
          'conflict',
          `uid mismatch: the provided object specified uid ${configuration.metadata.uid}, and no existing object was found`,
        );
    }
    try {
      const draft = merged(undefined, configuration, ownership, manager);
      const { managedFields } = draft.metadata;
      const answer = await createObject(context, resource, request, draft, managedFields);
      return { answer, warnings };
    } catch (error) {
      // Somebody was quicker: applied upon theirs.
      if (!isError(error, 'alreadyExists') || tries >= triesMax) throw error;
    }
  }
}

/** What the schema does not know cannot be owned. */
function checkDeclared(
  resource: Resource,
  { namespace }: WriteRequest,
  name: string,
  configuration: DraftObject,
): void {
  const { unknown } = checkShape(resource.message, configuration);
  if (unknown.length === 0) return;
  const lines = unknown.map((path) => `.${path}: field not declared in schema`);
  const problem = lines.length === 1 ? (lines[0] ?? '') : `errors:\n  ${lines.join('\n  ')}`;
  throw badRequest(
    `failed to create typed patch object (${namespace}/${name}; ${resource.apiVersion}, Kind=${resource.kind.kind}): ${problem}`,
  );
}

function checked(resource: Resource, { configuration, name }: ApplyRequest): DraftObject {
  if (typeof configuration !== 'object' || configuration === null || Array.isArray(configuration))
    throw badRequest('error decoding YAML: the body is not an object');
  const object = structuredClone(configuration) as DraftObject;
  const { apiVersion, kind } = object;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string')
    throw badRequest('invalid object type: /, Kind=');
  if (apiVersion !== resource.apiVersion || kind !== resource.kind.kind)
    throw badRequest(
      `the API version in the data (${apiVersion}, Kind=${kind}) does not match the expected API version (${resource.apiVersion}, Kind=${resource.kind.kind})`,
    );
  object.metadata ??= {};
  if (typeof object.metadata !== 'object' || Array.isArray(object.metadata))
    throw badRequest('error decoding YAML: metadata is not an object');
  if (object.metadata.managedFields !== undefined && object.metadata.managedFields !== null)
    throw badRequest('metadata.managedFields must be nil');
  object.metadata.name ??= name;
  if (typeof object.metadata.name !== 'string')
    throw badRequest('error decoding YAML: metadata.name is not a text');
  if (object.metadata.name !== name)
    throw badRequest(
      `the name of the object (${object.metadata.name}) does not match the name on the URL (${name})`,
    );
  const double = duplicateIn(object, shapeOfMessage(resource.message));
  if (double !== undefined)
    throw badRequest(
      `failed to create typed patch object (${name}; ${apiVersion}, Kind=${kind}): ${pathText(double.slice(0, -1))}: duplicate entries for key ${pathText(double.slice(-1))}`,
    );
  return object;
}

function merged(
  live: KubeObject | undefined,
  configuration: DraftObject,
  ownership: ReturnType<typeof ownershipOf> & { readonly force: boolean },
  manager: string,
): DraftObject {
  const lastApplied = manager === 'kubectl' ? lastAppliedOf(live, configuration) : undefined;
  const applied = applyConfiguration(live, configuration, {
    ...ownership,
    ...(lastApplied === undefined ? {} : { lastApplied }),
  });
  if (applied.kind === 'conflicts') throw applyConflict(applied.conflicts);
  const object = structuredClone(applied.object) as DraftObject;
  if (manager === 'kubectl') keepLastApplied(object, configuration);
  return object;
}

/** kubectl takes over what it once applied from the client's side. What cannot be read counts as nothing. */
function lastAppliedOf(live: KubeObject | undefined, { apiVersion }: DraftObject): unknown {
  const text = live?.metadata.annotations?.[lastApplied];
  if (text === undefined) return undefined;
  try {
    const object = JSON.parse(text) as { readonly apiVersion?: unknown } | null;
    return object?.apiVersion === apiVersion ? object : undefined;
  } catch {
    return undefined;
  }
}

/** Who applies from the client's side again finds what was applied last, from whichever side. */
function keepLastApplied(object: DraftObject, configuration: DraftObject): void {
  const annotations = object.metadata.annotations as Record<string, string> | undefined;
  if (annotations?.[lastApplied] === undefined) return;
  const { [lastApplied]: _, ...others } = configuration.metadata.annotations ?? {};
  const metadata: Record<string, unknown> = { ...configuration.metadata, annotations: others };
  if (configuration.metadata.annotations === undefined) delete metadata['annotations'];
  annotations[lastApplied] = `${JSON.stringify(sorted({ ...configuration, metadata }))}\n`;
  const size = Object.entries(annotations).reduce(
    (sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value),
    0,
  );
  if (size > annotationsSizeMax) delete annotations[lastApplied];
}

/** As Go writes maps: keys in order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const fields = value as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.keys(fields)
      .sort()
      .map((key) => [key, sorted(fields[key])]),
  );
}

function applyConflict(conflicts: readonly Conflict[]): CaelumError {
  const causes = conflicts.flatMap(({ manager, fields }) =>
    fields.map((field) => ({
      reason: 'FieldManagerConflict',
      message: `conflict with ${managerText(manager)}`,
      field,
    })),
  );
  return new CaelumError('conflict', conflictMessage(conflicts), { details: { causes } });
}
