/** What was to be left behind lives on. */

import type { Property } from '../../property.ts';
import { controllerOf, isGoing } from '../facts.ts';

export const orphansKept: Property = {
  name: 'garbage/orphans-kept',
  source: 'Kubernetes: garbage collection, propagation policy Orphan',
  statement:
    'What an owner had when it was deleted with the policy Orphan is not deleted in its name when it is gone.',
  check({ truth }, broken) {
    /** Uids of dependents, by uid of the owner that has left them. */
    const left = new Map<string, Set<string>>();
    /** Uids of owners that were deleted so, by resource and name. */
    const leaving = new Map<string, Set<string>>();
    return {
      onWrite({ by, verb, resource, name }) {
        // Who deletes again says again what shall become of the dependents: the last word counts. By the time we hear of it a successor may be there.
        const uids = leaving.get(`${resource}/${name}`);
        if (by !== 'user' || verb !== 'delete' || uids === undefined) return;
        const present = truth.objects(resource).get(name)?.metadata;
        for (const uid of uids)
          if (present?.uid !== uid || present.finalizers?.includes('orphan') !== true) left.delete(uid);
      },
      onEvent({ kind, resource, name, object, previous }) {
        const { uid = '', finalizers } = object.metadata;
        if (kind === 'put' && isGoing(object) && previous !== undefined && !isGoing(previous)) {
          if (finalizers?.includes('orphan') === true) {
            const dependents = new Set<string>();
            for (const other of truth.resources())
              for (const { metadata } of truth.objects(other).values())
                if (metadata.ownerReferences?.some((owner) => owner.uid === uid) === true)
                  dependents.add(metadata.uid ?? '');
            left.set(uid, dependents);
            const uids = leaving.get(`${resource}/${name}`);
            if (uids === undefined) leaving.set(`${resource}/${name}`, new Set([uid]));
            else uids.add(uid);
          }
        }
        const begins = previous !== undefined && !isGoing(previous) && (kind === 'delete' || isGoing(object));
        const owner = begins ? controllerOf(object)?.uid : undefined;
        if (owner === undefined || left.get(owner)?.has(uid) !== true) return;
        for (const other of truth.resources())
          for (const { metadata } of truth.objects(other).values()) if (metadata.uid === owner) return;
        broken(`${resource}/${name} was to be left behind by its owner, and is deleted with it`);
      },
    };
  },
};
