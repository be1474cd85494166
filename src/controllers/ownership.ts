/**
 * Who controls whom: controller references, adoption of what matches and has no controller, release of what no longer matches. Pure.
 *
 * Invariant: an object has at most one controller; adopting and releasing carry the resourceVersion that they decided on.
 */
import {
  apiVersionOf,
  type KubeObject,
  type LabelSelector,
  labelPredicate,
  type OwnerReference,
} from '../api/index.ts';
import { type Change, type Informer, type Informers, keyOf } from '../client/index.ts';
import type { Resource } from './resources.ts';
import type { Adopter, Write } from './step.ts';

const noOwners: readonly OwnerReference[] = [];

export function controllerOf(object: KubeObject): OwnerReference | undefined {
  for (const owner of object.metadata.ownerReferences ?? noOwners)
    if (owner.controller === true) return owner;
  return undefined;
}

export function isControlledBy(object: KubeObject, owner: KubeObject): boolean {
  return controllerOf(object)?.uid === owner.metadata.uid;
}

export function controllerReference(of: Resource, owner: KubeObject): OwnerReference {
  return {
    apiVersion: apiVersionOf(of.group, of.version),
    kind: of.kind,
    name: owner.metadata.name ?? '',
    uid: owner.metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  };
}

type Labels = KubeObject['metadata']['labels'];

interface Owner extends KubeObject {
  readonly spec?: { readonly selector?: LabelSelector };
}

export interface Claim<Child> {
  /** Controlled already and matching. */
  readonly owned: readonly Child[];
  /** What changes that: adoptions and releases. When there are any, the rest of a plan waits for them. */
  readonly writes: readonly Write[];
}

/**
 * Of `children` (controlled by `owner`, or by nobody): which are the owner's, and which shall become or cease to be. `isMember`: what has to hold
 * of a child beside its labels.
 */
export function claim<Child extends KubeObject>(
  owner: Owner,
  ownerResource: Resource,
  childResource: Resource,
  children: readonly Child[],
  isMember: (child: Child) => boolean = () => true,
): Claim<Child> {
  const matches = labelPredicate(owner.spec?.selector);
  const owned: Child[] = [];
  const writes: Write[] = [];
  // Children of one owner share what they have in common (`kin.ts`): looked at once.
  let references: readonly OwnerReference[] | undefined;
  let controller: OwnerReference | undefined;
  let labels: Labels;
  let isMatch = matches(labels);
  for (const child of children) {
    const { metadata } = child;
    if (metadata.ownerReferences !== references) {
      references = metadata.ownerReferences;
      controller = controllerOf(child);
    }
    if (metadata.labels !== labels) {
      labels = metadata.labels;
      isMatch = matches(labels);
    }
    const fits = isMatch && isMember(child);
    if (controller?.uid === owner.metadata.uid) {
      if (fits) owned.push(child);
      else if (owner.metadata.deletionTimestamp === undefined)
        writes.push(
          ownersPatch(childResource, child, (owners) =>
            owners.filter((reference) => reference.uid !== owner.metadata.uid),
          ),
        );
    } else if (
      controller === undefined &&
      fits &&
      child.metadata.deletionTimestamp === undefined &&
      owner.metadata.deletionTimestamp === undefined
    )
      writes.push({
        ...ownersPatch(childResource, child, (owners) => [
          ...owners.filter((reference) => reference.uid !== owner.metadata.uid),
          controllerReference(ownerResource, owner),
        ]),
        adopter: adopterOf(ownerResource, owner),
      });
  }
  return { owned, writes };
}

/**
 * As Kubernetes' RecheckDeletionTimestamp. Found by simulation: pods that were left behind by a deletion with `Orphan` were adopted again by a
 * controller that had not heard of it, and so deleted with their owner.
 */
export function adopterOf(ref: Resource, { metadata }: KubeObject): Adopter {
  const { namespace, name = '', uid = '' } = metadata;
  return { ref, namespace, name, uid };
}

/** Changes an object's owner references, if it is still the version that was seen. */
export function ownersPatch(
  ref: Resource,
  object: KubeObject,
  change: (owners: readonly OwnerReference[]) => readonly OwnerReference[],
): Extract<Write, { kind: 'patch' }> {
  const { namespace, name = '', uid, resourceVersion } = object.metadata;
  const owners = change(object.metadata.ownerReferences ?? []);
  const metadata = { uid, resourceVersion, ownerReferences: owners.length === 0 ? null : owners };
  return { kind: 'patch', ref, namespace, name, type: 'merge', patch: { metadata }, accept: ['notFound'] };
}

const selectorInSpec = (owner: KubeObject): LabelSelector | undefined => (owner as Owner).spec?.selector;

/** Finds children by their owner, and owners by a child's change, through indices kept by the informers. */
export class Family<O extends KubeObject, Child extends KubeObject> {
  readonly #owners: Informer<O>;
  readonly #ownerResource: Resource;
  readonly #ownersIn: (namespace: string) => readonly O[];
  readonly #childrenOf: (ownerUid: string) => readonly Child[];
  readonly #orphansIn: (namespace: string) => readonly Child[];

  readonly #selectorOf: (owner: O) => LabelSelector | undefined;

  constructor(
    informers: Informers,
    ownerResource: Resource,
    childResource: Resource,
    selectorOf: (owner: O) => LabelSelector | undefined = selectorInSpec,
  ) {
    this.#ownerResource = ownerResource;
    this.#selectorOf = selectorOf;
    this.#owners = informers.informer<O>(ownerResource);
    const children = informers.informer<Child>(childResource);
    this.#ownersIn = this.#owners.index('namespace', (owner) => [owner.metadata.namespace ?? '']);
    this.#childrenOf = children.index('controller', (child) => {
      const uid = controllerOf(child)?.uid;
      return uid === undefined ? [] : [uid];
    });
    this.#orphansIn = children.index('orphans', (child) =>
      controllerOf(child) === undefined ? [child.metadata.namespace ?? ''] : [],
    );
  }

  /** Those it controls. */
  childrenOf(owner: KubeObject): readonly Child[] {
    return this.#childrenOf(owner.metadata.uid ?? '');
  }

  /** Those it controls, and those of its namespace that nobody controls and it might adopt. */
  candidatesOf(owner: O): readonly Child[] {
    const orphans = this.#orphansIn(owner.metadata.namespace ?? '');
    const own = this.childrenOf(owner);
    if (orphans.length === 0) return own;
    const matches = labelPredicate(this.#selectorOf(owner));
    const fitting = orphans.filter((child) => matches(child.metadata.labels));
    return fitting.length === 0 ? own : [...own, ...fitting];
  }

  /** Keys of the owners that a child's change concerns. */
  ownersOf(change: Change<Child>): Iterable<string> {
    const controller = controllerOf(change.object);
    // Nearly always: controlled, and by the same as before.
    if (
      controller !== undefined &&
      (change.kind !== 'updated' || controllerOf(change.previous)?.uid === controller.uid)
    ) {
      const key = this.#ownerKey(controller, change.object);
      return key === undefined ? [] : [key];
    }
    const keys = new Set<string>();
    this.#collect(change.object, keys);
    if (change.kind === 'updated') this.#collect(change.previous, keys);
    return keys;
  }

  #ownerKey({ kind, name, uid }: OwnerReference, child: Child): string | undefined {
    if (kind !== this.#ownerResource.kind) return undefined;
    const key = `${child.metadata.namespace ?? ''}/${name}`;
    return this.#owners.get(key)?.metadata.uid === uid ? key : undefined;
  }

  #collect(child: Child, keys: Set<string>): void {
    const controller = controllerOf(child);
    const { namespace = '' } = child.metadata;
    if (controller !== undefined) {
      const key = this.#ownerKey(controller, child);
      if (key !== undefined) keys.add(key);
      return;
    }
    for (const owner of this.#ownersIn(namespace))
      if (labelPredicate(this.#selectorOf(owner))(child.metadata.labels)) keys.add(keyOf(owner));
  }
}
