/** An object of one version of a resource as another version shows it. What came through a subresource in a kind of its own stays what it is. */
import type { KubeObject } from '../../../api/index.ts';
import { draftOf } from '../../../api/index.ts';
import type { DraftObject, Resource } from '../../resource.ts';

export async function convertDraft(from: Resource, to: Resource, object: DraftObject): Promise<DraftObject> {
  if (from === to || object.kind !== from.kind.kind) return object;
  const stored = (await from.toStored(draftOf(object) as DraftObject)) as KubeObject;
  const { storedAs, custom } = to.kind;
  if (storedAs !== undefined) return draftOf(storedAs.fromStored(stored)) as DraftObject;
  if (custom === undefined) return draftOf(stored) as DraftObject;
  const shown = custom.fromStored(stored) ?? (await custom.convert?.([stored], 'fromStored'))?.[0];
  return draftOf(shown ?? stored) as DraftObject;
}
