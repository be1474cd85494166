/**
 * OwnerReferencesPermissionEnforcement: whoever changes an object's owners must be allowed to delete it, and whoever makes it hold back its owner's deletion must
 * be allowed to set the owner's finalizers.
 * Source: Kubernetes 1.36, plugin/pkg/admission/gc, as behaviour.
 */
import type { OwnerReference } from '../../api/index.ts';
import { sameJson } from '../../lib/index.ts';
import type { Decision } from '../access/access.ts';
import type { Attributes } from '../access/rules.ts';
import { isMaster } from '../identity.ts';
import type { Admission, AdmissionContext, AdmissionStep } from './chain.ts';
import { refused } from './refusal.ts';

export function ownerPermission(context: AdmissionContext): AdmissionStep {
  return {
    name: 'OwnerReferencesPermissionEnforcement',
    concerns: ({ groupResource }, subresource, operation) =>
      (operation === 'CREATE' || operation === 'UPDATE') &&
      // Of what comes through a subresource of another kind nothing has owners.
      !(groupResource === 'pods' && subresource === 'status'),
    handles: ({ object, oldObject, identity, operation }) =>
      !isMaster(identity) &&
      (object?.metadata?.ownerReferences !== undefined ||
        (operation === 'UPDATE' && oldObject?.metadata?.ownerReferences !== undefined)) &&
      !sameJson(object?.metadata?.ownerReferences ?? [], oldObject?.metadata?.ownerReferences ?? []),
    validate: (admission) => check(context, admission),
  };
}

async function check(context: AdmissionContext, admission: Admission): Promise<void> {
  const { resource, namespace, name, operation, object, oldObject } = admission;
  if (operation === 'UPDATE') {
    const { group, version, resource: plural } = resource.kind;
    const decision = await ask(context, admission, {
      kind: 'resource',
      verb: 'delete',
      group,
      version,
      resource: plural,
      subresource: '',
      namespace,
      name,
    });
    if (!decision.allowed)
      throw refused(
        admission,
        `cannot set an ownerRef on a resource you can't delete: ${decision.because}, <nil>`,
      );
  }
  const before = blocking(oldObject?.metadata.ownerReferences);
  for (const [uid, owner] of blocking(object?.metadata.ownerReferences))
    if (!before.has(uid)) await checkOwner(context, admission, owner);
}

const blocking = (references: readonly OwnerReference[] | undefined): ReadonlyMap<string, OwnerReference> =>
  new Map((references ?? []).filter((one) => one.blockOwnerDeletion === true).map((one) => [one.uid, one]));

async function checkOwner(
  context: AdmissionContext,
  admission: Admission,
  owner: OwnerReference,
): Promise<void> {
  const slash = owner.apiVersion.indexOf('/');
  const group = slash < 0 ? '' : owner.apiVersion.slice(0, slash);
  const version = owner.apiVersion.slice(slash + 1);
  const kind = context.registry.byKind(group, version, owner.kind);
  if (kind === undefined)
    throw refused(
      admission,
      `cannot set blockOwnerDeletion in this case because cannot find RESTMapping for APIVersion ${owner.apiVersion} Kind ${owner.kind}: no matches for kind "${owner.kind}" in version "${owner.apiVersion}"`,
    );
  const decision = await ask(context, admission, {
    kind: 'resource',
    verb: 'update',
    group,
    version,
    resource: kind.resource,
    subresource: 'finalizers',
    namespace: kind.namespaced ? admission.namespace : '',
    name: owner.name,
  });
  if (!decision.allowed)
    throw refused(
      admission,
      `cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: ${decision.because}, <nil>`,
    );
}

async function ask(
  { access }: AdmissionContext,
  { identity }: Admission,
  asked: Attributes,
): Promise<Decision> {
  return access.ask(identity, asked);
}
