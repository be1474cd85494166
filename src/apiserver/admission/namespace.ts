/** Namespaces: objects live only in namespaces that are there, nothing new comes into one that is going, and some are never deleted. Pure. */
import { type Namespace, notFound } from '../../api/index.ts';
import { CaelumError } from '../../lib/index.ts';
import type { Resource } from '../resource.ts';
import type { Admission, AdmissionContext, AdmissionStep } from './chain.ts';
import { refused } from './refusal.ts';

/** These cannot be deleted. */
const kept = new Set(['default', 'kube-system', 'kube-public']);

export function namespaceLifecycle(context: AdmissionContext): AdmissionStep {
  const namespaces = context.resources.core('namespaces');
  return {
    name: 'NamespaceLifecycle',
    concerns: ({ kind, groupResource }, _subresource, operation) =>
      operation === 'CREATE' ? kind.namespaced : operation === 'DELETE' && groupResource === 'namespaces',
    handles: () => true,
    mutate: (admission) =>
      admission.operation === 'DELETE' ? admitDeletion(admission) : admitInto(context, namespaces, admission),
  };
}

function admitDeletion(admission: Admission): void {
  if (kept.has(admission.name)) throw refused(admission, 'this namespace may not be deleted');
}

function admitInto({ store }: AdmissionContext, namespaces: Resource, admission: Admission): void {
  const { namespace } = admission;
  const stored = store.latest(namespaces.key('', namespace));
  if (stored === undefined) throw notFound(namespaces.ref, namespace);
  const { metadata, status } = stored.object() as Namespace;
  if (metadata.deletionTimestamp === undefined && status?.phase !== 'Terminating') return;
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
  const error = refused(admission, why);
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
