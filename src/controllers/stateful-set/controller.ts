/** The StatefulSet controller: pods that keep their names and their claims. Decisions are in `plan.ts`. */
import type { ControllerRevision, PersistentVolumeClaim, Pod, StatefulSet } from '../../api/index.ts';
import { type Change, type Informers, keyOf } from '../../client/index.ts';
import { sameJson } from '../../lib/index.ts';
import { Family } from '../ownership.ts';
import { controllerRevisionsRef, persistentVolumeClaimsRef, podsRef, statefulSetsRef } from '../resources.ts';
import { type Controller, watch } from '../shell.ts';
import { setNameOf } from './identity.ts';
import { conclude, type Observed, plan } from './plan.ts';

export function statefulSetController(informers: Informers): Controller<Observed> {
  const podFamily = new Family<StatefulSet, Pod>(informers, statefulSetsRef, podsRef);
  const revisionFamily = new Family<StatefulSet, ControllerRevision>(
    informers,
    statefulSetsRef,
    controllerRevisionsRef,
  );
  const sets = informers.informer<StatefulSet>(statefulSetsRef);
  const pods = informers.informer<Pod>(podsRef);
  const claims = informers.informer<PersistentVolumeClaim>(persistentVolumeClaimsRef);
  const revisions = informers.informer<ControllerRevision>(controllerRevisionsRef);

  /** A name that was somebody else's is free again. */
  const heirsOf = ({ metadata }: Pod): readonly string[] => {
    const setName = setNameOf(metadata.name);
    const key = `${metadata.namespace}/${setName}`;
    return setName === undefined || sets.get(key) === undefined ? [] : [key];
  };

  /** The sets whose pods could have a claim of that name. It comes and goes rarely: how it fares meanwhile is not their affair. */
  const usersOf = (change: Change<PersistentVolumeClaim>): readonly string[] => {
    const { namespace, name = '', ownerReferences, deletionTimestamp } = change.object.metadata;
    if (
      change.kind === 'updated' &&
      change.previous.metadata.deletionTimestamp === deletionTimestamp &&
      sameJson(change.previous.metadata.ownerReferences, ownerReferences)
    )
      return [];
    const end = /^(.+)-\d+$/.exec(name)?.[1];
    if (end === undefined) return [];
    const keys: string[] = [];
    for (let at = end.indexOf('-'); at >= 0; at = end.indexOf('-', at + 1)) {
      const key = `${namespace}/${end.slice(at + 1)}`;
      if (sets.get(key) !== undefined) keys.push(key);
    }
    return keys;
  };

  return {
    name: 'statefulset-controller',
    workers: 8,
    watches: [
      watch<StatefulSet>(informers, statefulSetsRef, (change) => [keyOf(change.object)]),
      watch<Pod>(informers, podsRef, (change) =>
        change.kind === 'deleted' ? heirsOf(change.object) : podFamily.ownersOf(change),
      ),
      watch<ControllerRevision>(informers, controllerRevisionsRef, (change) =>
        revisionFamily.ownersOf(change),
      ),
      watch<PersistentVolumeClaim>(informers, persistentVolumeClaimsRef, usersOf),
    ],
    observe(key) {
      const set = sets.get(key);
      if (set === undefined) return undefined;
      const { namespace } = set.metadata;
      return {
        set,
        pods: podFamily.candidatesOf(set),
        revisions: revisionFamily.candidatesOf(set),
        findPod: (name) => pods.get(`${namespace}/${name}`),
        findClaim: (name) => claims.get(`${namespace}/${name}`),
        findRevision: (name) => revisions.get(`${namespace}/${name}`),
      };
    },
    plan,
    conclude,
  };
}
