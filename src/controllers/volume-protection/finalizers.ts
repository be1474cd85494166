/** Changes what keeps an object, if it is still the version that was seen. Pure. */
import type { KubeObject } from '../../api/index.ts';
import type { Resource } from '../resources.ts';
import type { Write } from '../step.ts';

export function finalizersPatch(ref: Resource, object: KubeObject, finalizers: readonly string[]): Write {
  const { namespace, name = '', uid, resourceVersion } = object.metadata;
  const metadata = { uid, resourceVersion, finalizers: finalizers.length === 0 ? null : finalizers };
  return { kind: 'patch', ref, namespace, name, type: 'merge', patch: { metadata }, accept: ['notFound'] };
}
