/** Patches: JSON Patch, merge patch, strategic merge patch, each upon the newest state, again when another write came between. */
import {
  badRequest,
  type Draft,
  jsonMergePatch,
  jsonPatch,
  type KubeObject,
  sharingStrategicMergePatch,
  strategicMergePatch,
} from '../../api/index.ts';
import type { PatchType } from '../../client/index.ts';
import { CaelumError } from '../../lib/index.ts';
import type { ApiContext, WriteRequest } from '../context.ts';
import { shapeWarnings } from '../decode.ts';
import type { DraftObject, Resource } from '../resource.ts';
import type { Answer } from './answer.ts';
import { applyObject } from './apply.ts';
import { patchRefusal } from './patch-refusal.ts';
import { changeObject, type Part } from './update.ts';

export interface PatchRequest {
  readonly name: string;
  readonly part: Part;
  readonly type: PatchType;
  readonly patch: unknown;
  /** Of an apply: take over what others own. */
  readonly force?: boolean;
}

export interface Patched {
  readonly answer: Answer;
  readonly warnings: readonly string[];
}

export async function patchObject(
  context: ApiContext,
  resource: Resource,
  request: WriteRequest,
  { name, part, type, patch, force = false }: PatchRequest,
): Promise<Patched> {
  if (type === 'apply')
    return applyObject(context, resource, request, { name, part, configuration: patch, force });
  let warnings: readonly string[] = [];
  const expected = { apiVersion: resource.apiVersion, kind: resource.kind.kind, message: resource.message };
  const resourceVersion = type === 'json' ? versionByOperations(patch) : versionOf(patch);
  const answer = await changeObject(context, resource, request, {
    name,
    part,
    ...(typeof resourceVersion === 'string' ? { resourceVersion } : {}),
    make: (old) => {
      const shares = part === 'status' && type === 'strategic' && resource.kind.statusIsApart === true;
      const draft = shares
        ? sharingStrategicMergePatch<unknown>(resource.message, old, patch)
        : applyPatch(type, old, patch, resource);
      if (typeof draft !== 'object' || draft === null || Array.isArray(draft))
        throw badRequest('the patch leaves no object');
      warnings = shapeWarnings(
        draft as DraftObject,
        expected,
        request.fieldValidation,
        [],
        shares ? old : undefined,
        patchRefusal(type, patch, draft),
      );
      // A patch may leave nothing; what is missing is then said.
      (draft as DraftObject).metadata ??= {};
      return draft as DraftObject;
    },
  });
  return { answer, warnings };
}

const versionOf = (patch: unknown): unknown =>
  (patch as { metadata?: { resourceVersion?: unknown } } | null)?.metadata?.resourceVersion;

/** What a list of operations makes of the version: it must be the current one then. */
function versionByOperations(patch: unknown): unknown {
  if (!Array.isArray(patch)) return undefined;
  const last = (
    patch as readonly ({ readonly op?: unknown; readonly path?: unknown; readonly value?: unknown } | null)[]
  ).findLast(
    (one) => one?.path === '/metadata/resourceVersion' && (one.op === 'add' || one.op === 'replace'),
  );
  return last?.value;
}

export function applyPatch(
  type: PatchType,
  old: KubeObject,
  patch: unknown,
  resource: Pick<Resource, 'message'>,
): unknown {
  switch (type) {
    case 'json':
      return jsonPatch(old, patch);
    case 'merge':
      return jsonMergePatch(old, patch);
    case 'strategic':
      return strategicMergePatch(resource.message, old, patch) as Draft<KubeObject>;
    default:
      throw new CaelumError('unsupportedMediaType', 'this subresource cannot be applied');
  }
}
