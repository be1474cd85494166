/** Which operation a subresource is. */
import { type AutoscalingV1Scale, badRequest, type Draft, type Namespace } from '../../api/index.ts';
import { CaelumError } from '../../lib/index.ts';
import type { ApiContext, WriteRequest } from '../context.ts';
import type { DraftObject, Resource } from '../resource.ts';
import type { Answer } from './answer.ts';
import { evictPod } from './eviction.ts';
import { bindPod } from './pod-subresources.ts';
import { changeScale } from './scale.ts';
import { requestToken } from './token.ts';
import { changeObject, type Part } from './update.ts';

/** Parts of an object are written like the object; undefined for other subresources. */
export function partOf(resource: Resource, subresource: string): Part | undefined {
  if (subresource === '') return 'main';
  const { part } = resource.kind.subresources.find(({ name }) => name === subresource) ?? {};
  if (part !== undefined) return part;
  return subresource === 'status' && resource.kind.hasStatus ? 'status' : undefined;
}

/** POST to a subresource. */
export function createAtSubresource(
  context: ApiContext,
  resource: Resource,
  request: WriteRequest,
  name: string,
  subresource: string,
  body: DraftObject,
): Promise<Answer> {
  switch (`${resource.groupResource}/${subresource}`) {
    case 'pods/binding':
      return bindPod(context, resource, request, name, body);
    case 'pods/eviction':
      return evictPod(context, resource, request, name, body);
    case 'serviceaccounts/token':
      return requestToken(context, resource, request, name, body);
    default:
      throw new CaelumError(
        'methodNotAllowed',
        'the server does not allow this method on the requested resource',
      );
  }
}

/** PUT to a subresource that is no part of the object. */
export function changeSubresource(
  context: ApiContext,
  resource: Resource,
  request: WriteRequest,
  name: string,
  subresource: string,
  wanted: () => DraftObject,
): Promise<Answer> {
  if (subresource === 'scale' && resource.kind.scale !== undefined)
    return changeScale(context, resource, request, name, () => wanted() as unknown as AutoscalingV1Scale);
  if (subresource === 'finalize' && resource.groupResource === 'namespaces')
    return finalizeNamespace(context, resource, request, name, wanted());
  throw badRequest(`Cannot write subresource "${subresource}" of ${resource.kind.resource}`);
}

/** A namespace lets go of who still holds it: only `spec.finalizers` is taken. */
function finalizeNamespace(
  context: ApiContext,
  namespaces: Resource,
  request: WriteRequest,
  name: string,
  body: DraftObject,
): Promise<Answer> {
  const finalizers = (body as unknown as Namespace).spec?.finalizers ?? [];
  const { resourceVersion } = body.metadata ?? {};
  return changeObject(context, namespaces, request, {
    name,
    part: 'exact',
    admission: { subresource: 'finalize' },
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    make: (_old, copy) => {
      const draft = copy() as unknown as Draft<Namespace>;
      draft.spec = { ...draft.spec, finalizers: [...finalizers] };
      return draft as unknown as DraftObject;
    },
  });
}
