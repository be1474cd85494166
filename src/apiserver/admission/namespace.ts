/** Namespaces: objects live only in namespaces that are there, and nothing new comes into one that is going. Pure. */
import { forbidden, type Namespace, notFound } from '../../api/index.ts';
import { CaelumError } from '../../lib/index.ts';
import type { ApiContext } from '../context.ts';
import type { Resource } from '../resource.ts';

/** These cannot be deleted. */
const kept = new Set(['default', 'kube-system', 'kube-public']);

export function admitIntoNamespace(
  context: ApiContext,
  resource: Resource,
  namespace: string,
  name: string,
): void {
  if (!resource.kind.namespaced) return;
  const namespaces = context.resources.core('namespaces');
  const stored = context.store.latest(namespaces.key('', namespace));
  if (stored === undefined) throw notFound(namespaces.ref, namespace);
  const { metadata, status } = stored.object() as Namespace;
  if (metadata.deletionTimestamp === undefined && status?.phase !== 'Terminating') return;
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
  const error = forbidden(resource.ref, name, why);
  throw new CaelumError('forbidden', error.message, {
    details: {
      ...error.details,
      causes: [
        {
          reason: 'NamespaceTerminating',
          message: `namespace ${namespace} is being terminated`,
          field: 'metadata.namespace',
        },
      ],
    },
  });
}

export function admitNamespaceDeletion(context: ApiContext, name: string): void {
  if (kept.has(name))
    throw forbidden(context.resources.core('namespaces').ref, name, 'this namespace may not be deleted');
}
