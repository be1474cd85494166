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
  const resourceVersion = (patch as { metadata?: { resourceVersion?: string } } | null)?.metadata
    ?.resourceVersion;
  const answer = await changeObject(context, resource, request, {
    name,
    part,
    ...(typeof resourceVersion === 'string' && type !== 'json' ? { resourceVersion } : {}),
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
      );
      // A patch may leave nothing; what is missing is then said.
      (draft as DraftObject).metadata ??= {};
      return draft as DraftObject;
    },
  });
  return { answer, warnings };
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
