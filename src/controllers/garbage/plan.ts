/**
 * What becomes of an object when its owners go, and of its dependents when it goes. Pure. As Kubernetes' garbage collector:
 *
 *   all owners absent ──▶ deleted, as its own finalizers ask, else in the background
 *   some owners left ──▶ the references to the others are taken off
 *   ending with `orphan` ──▶ dependents are let go, then the finalizer
 *   ending with `foregroundDeletion` ──▶ dependents are deleted first; the finalizer goes when no blocking one is left
 *   waited for, while a dependent of its own waits ──▶ it may be a circle: it holds back its owners no longer
 */
import type { OwnerReference } from '../../api/index.ts';
import { ownersPatch } from '../ownership.ts';
import { referenceTo } from '../resources.ts';
import type { Step, Write } from '../step.ts';
import { foregroundFinalizer, type GraphNode, isEnding, orphanFinalizer, ownersOf } from './graph.ts';

/**
 * Whether an owner is there, gone, or going and waiting for its dependents. `elsewhere`: only in another namespace, so that it counts as gone;
 * `unresolvable`: in a namespace, while the dependent is in none: nobody can say, it counts as there.
 */
export type OwnerState = 'solid' | 'absent' | 'waiting' | 'elsewhere' | 'unresolvable';

export interface Observed {
  readonly node: GraphNode;
  /** In the order of its owner references. */
  readonly owners: readonly { readonly reference: OwnerReference; readonly state: OwnerState }[];
  readonly dependents: readonly GraphNode[];
}

export function plan({ node, owners, dependents }: Observed): readonly Step[] {
  const { object } = node;
  if (isEnding(object, orphanFinalizer)) return orphanSteps(node, dependents);
  if (isEnding(object, foregroundFinalizer)) return foregroundSteps(node, dependents);
  if (object.metadata.deletionTimestamp !== undefined || owners.length === 0) return [];
  const told = owners
    .filter(({ state }) => state === 'elsewhere' || state === 'unresolvable')
    .map(({ reference }) => invalidNamespace(node, reference));
  return [...told, ...dependentSteps({ node, owners, dependents })];
}

function invalidNamespace({ resource, object }: GraphNode, owner: OwnerReference): Step {
  const { apiVersion, kind, name, uid } = owner;
  const { namespace = '' } = object.metadata;
  const text = `[${apiVersion}/${kind}, namespace: ${namespace}, name: ${name}, uid: ${uid}]`;
  const message = `ownerRef ${text} does not exist in namespace "${namespace}"`;
  const about = referenceTo(resource, object);
  return { kind: 'event', event: { about, type: 'Warning', reason: 'OwnerRefInvalidNamespace', message } };
}

/** Of an object that is not going itself. */
function dependentSteps({ node, owners, dependents }: Observed): readonly Step[] {
  const { object } = node;
  const isThere = ({ state }: Observed['owners'][number]): boolean =>
    state === 'solid' || state === 'unresolvable';
  const gone = owners.filter((owner) => !isThere(owner)).map(({ reference }) => reference.uid);
  if (gone.length === 0) return [];
  if (gone.length < owners.length)
    return [
      ownersPatch(node.resource, object, (references) => references.filter(({ uid }) => !gone.includes(uid))),
    ];
  const isAwaited = owners.some(({ state }) => state === 'waiting');
  const isCircle = isAwaited && dependents.some(({ object: one }) => isEnding(one, foregroundFinalizer));
  if (isCircle && ownersOf(object).some(({ blockOwnerDeletion }) => blockOwnerDeletion === true))
    return [
      ownersPatch(node.resource, object, (references) =>
        references.map((reference) => ({ ...reference, blockOwnerDeletion: false })),
      ),
    ];
  return [deletionOf(node, isAwaited && dependents.length > 0)];
}

function deletionOf(node: GraphNode, inForeground: boolean): Write {
  const { namespace, name = '', uid = '', resourceVersion, finalizers = [] } = node.object.metadata;
  const propagationPolicy = finalizers.includes(orphanFinalizer)
    ? 'Orphan'
    : inForeground || finalizers.includes(foregroundFinalizer)
      ? 'Foreground'
      : 'Background';
  return {
    kind: 'delete',
    ref: node.resource,
    namespace,
    name,
    uid,
    // Somebody may be adopting it just now: then it is looked at again.
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    options: { propagationPolicy },
  };
}

function orphanSteps(node: GraphNode, dependents: readonly GraphNode[]): readonly Step[] {
  if (dependents.length === 0) return [withoutFinalizer(node, orphanFinalizer)];
  // Adopted by nobody: what they were, they stay.
  const writes = dependents.map((dependent) =>
    ownersPatch(dependent.resource, dependent.object, (references) =>
      references.filter(({ uid }) => uid !== node.uid),
    ),
  );
  return [{ kind: 'together', writes }, withoutFinalizer(node, orphanFinalizer)];
}

/** Whether an owner that goes last has to wait for it. */
export const blocks = ({ object }: GraphNode, ownerUid: string): boolean =>
  ownersOf(object).some(({ uid, blockOwnerDeletion }) => uid === ownerUid && blockOwnerDeletion === true);

function foregroundSteps(node: GraphNode, dependents: readonly GraphNode[]): readonly Step[] {
  // The others are looked at by themselves when the owner is gone.
  return dependents.some((one) => blocks(one, node.uid)) ? [] : [withoutFinalizer(node, foregroundFinalizer)];
}

function withoutFinalizer(node: GraphNode, finalizer: string): Write {
  const { namespace, name = '', uid, resourceVersion, finalizers = [] } = node.object.metadata;
  const left = finalizers.filter((one) => one !== finalizer);
  const metadata = { uid, resourceVersion, finalizers: left.length === 0 ? null : left };
  const target = { ref: node.resource, namespace, name };
  return { kind: 'patch', ...target, type: 'merge', patch: { metadata }, accept: ['notFound'] };
}
