/**
 * Who owns whom, over every kind: from the informers' changes. Holds what the collector has to know of an object, not the object.
 *
 * Invariant: `dependentsOf(uid)` are exactly the objects whose latest shown state names that owner, whether the owner is known or not.
 */
import type { KubeObject, OwnerReference } from '../../api/index.ts';
import type { Change } from '../../client/index.ts';
import type { Resource } from '../resources.ts';

export interface GraphNode {
  readonly uid: string;
  readonly resource: Resource;
  readonly object: KubeObject;
}

export const foregroundFinalizer = 'foregroundDeletion';
export const orphanFinalizer = 'orphan';

const noOwners: readonly OwnerReference[] = [];
export const ownersOf = (object: KubeObject): readonly OwnerReference[] =>
  object.metadata.ownerReferences ?? noOwners;

export function isEnding(object: KubeObject, finalizer: string): boolean {
  const { deletionTimestamp, finalizers } = object.metadata;
  return deletionTimestamp !== undefined && finalizers?.includes(finalizer) === true;
}

export class OwnershipGraph {
  readonly #nodes = new Map<string, GraphNode>();
  readonly #dependents = new Map<string, Set<string>>();

  get(uid: string): GraphNode | undefined {
    return this.#nodes.get(uid);
  }

  dependentsOf(uid: string): readonly GraphNode[] {
    const nodes: GraphNode[] = [];
    for (const dependent of this.#dependents.get(uid) ?? []) {
      const node = this.#nodes.get(dependent);
      if (node !== undefined) nodes.push(node);
    }
    return nodes;
  }

  hasDependents(uid: string): boolean {
    return this.#dependents.has(uid);
  }

  /** Takes a change in and says which objects, by uid, have to be looked at. */
  apply(resource: Resource, change: Change<KubeObject>): readonly string[] {
    const { uid } = change.object.metadata;
    if (uid === undefined) return [];
    const before = this.#nodes.get(uid);
    if (change.kind === 'deleted') return this.#remove(uid, before);
    this.#nodes.set(uid, { uid, resource, object: change.object });
    const owners = ownersOf(change.object);
    const oldOwners = before === undefined ? noOwners : ownersOf(before.object);
    const concerned: string[] = [];
    if (owners !== oldOwners && !isSameOwners(owners, oldOwners)) {
      for (const owner of oldOwners) this.#unlink(owner.uid, uid);
      for (const owner of owners) this.#link(owner.uid, uid);
      if (owners.length > 0) concerned.push(uid);
      // Owners that wait for their dependents may have lost the last.
      for (const owner of oldOwners) if (this.#isWaiting(owner.uid)) concerned.push(owner.uid);
    } else if (before === undefined && owners.length > 0) concerned.push(uid);
    const ends = isEnding(change.object, foregroundFinalizer) || isEnding(change.object, orphanFinalizer);
    if (ends) concerned.push(uid);
    return concerned;
  }

  #remove(uid: string, before: GraphNode | undefined): readonly string[] {
    if (before === undefined) return [];
    this.#nodes.delete(uid);
    const owners = ownersOf(before.object);
    for (const owner of owners) this.#unlink(owner.uid, uid);
    const waiting = owners.map((owner) => owner.uid).filter((owner) => this.#isWaiting(owner));
    return [...(this.#dependents.get(uid) ?? []), ...waiting];
  }

  #isWaiting(uid: string): boolean {
    const node = this.#nodes.get(uid);
    return node !== undefined && isEnding(node.object, foregroundFinalizer);
  }

  #link(owner: string, dependent: string): void {
    const dependents = this.#dependents.get(owner);
    if (dependents === undefined) this.#dependents.set(owner, new Set([dependent]));
    else dependents.add(dependent);
  }

  #unlink(owner: string, dependent: string): void {
    const dependents = this.#dependents.get(owner);
    dependents?.delete(dependent);
    if (dependents?.size === 0) this.#dependents.delete(owner);
  }
}

function isSameOwners(a: readonly OwnerReference[], b: readonly OwnerReference[]): boolean {
  if (a.length !== b.length) return false;
  return a.every((owner, index) => {
    const other = b[index];
    return owner.uid === other?.uid && owner.blockOwnerDeletion === other.blockOwnerDeletion;
  });
}
