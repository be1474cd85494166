/** What a user was promised when he deleted an owner: that its dependents stay, or that they go first. */
import type { KubeObject, OwnerReference } from '../../../api/index.ts';
import type { Checked, Property } from '../../property.ts';
import { isGoing, sinceMs } from '../facts.ts';

const isNamedBy = (uid: string, object: KubeObject, which: (owner: OwnerReference) => boolean): boolean =>
  object.metadata.ownerReferences?.some((owner) => owner.uid === uid && which(owner)) === true;

/** Something that has named this owner at all moments of which the collector may still be thinking. */
function dependentOf(
  { truth, ...rest }: Checked,
  uid: string,
  which: (owner: OwnerReference) => boolean,
): string | undefined {
  const since = sinceMs({ truth, ...rest });
  for (const resource of truth.resources())
    for (const [name, object] of truth.objects(resource)) {
      if (!isNamedBy(uid, object, which)) continue;
      const wasFree = truth.heldSince(
        resource,
        name,
        since,
        (was) => was === undefined || !isNamedBy(uid, was, which),
      );
      if (!wasFree) return `${resource}/${name}`;
    }
  return undefined;
}

function promise(
  name: string,
  finalizer: string,
  statement: string,
  which: (owner: OwnerReference) => boolean,
  say: (owner: string, dependent: string) => string,
): Property {
  return {
    name,
    source: 'Kubernetes: garbage collection, propagation policies',
    statement,
    check(world, broken) {
      const deletions = new Map<string, number>();
      return {
        // Carried out or not: who is told twice to delete may have been told otherwise the second time.
        onAsked({ verb, resource, name }) {
          const id = `${resource}/${name}`;
          if (verb === 'delete') deletions.set(id, (deletions.get(id) ?? 0) + 1);
        },
        onEvent({ kind, resource, name, object, previous }) {
          const id = `${resource}/${name}`;
          if (kind === 'put') {
            if (previous === undefined) deletions.delete(id);
            return;
          }
          if (previous === undefined || !isGoing(previous)) return;
          if (previous.metadata.finalizers?.includes(finalizer) !== true) return;
          if ((deletions.get(id) ?? 0) > 1) return;
          const dependent = dependentOf(world, object.metadata.uid ?? '', which);
          if (dependent !== undefined) broken(say(id, dependent));
        },
      };
    },
  };
}

export const orphansStay = promise(
  'garbage/orphans-stay',
  'orphan',
  'An owner that is deleted with the policy Orphan is removed only when nothing names it any more.',
  () => true,
  (owner, dependent) => `${owner} was to leave orphans, and was removed while ${dependent} still named it`,
);

export const foregroundLast = promise(
  'garbage/foreground-last',
  'foregroundDeletion',
  'An owner that is deleted with the policy Foreground is removed only when no dependent that blocks it is left.',
  ({ blockOwnerDeletion }) => blockOwnerDeletion === true,
  (owner, dependent) => `${owner} was to go last, and was removed before ${dependent}`,
);
