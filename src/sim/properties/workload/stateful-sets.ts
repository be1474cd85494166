/** StatefulSets: one after the other, and in the end all of them. */
import type { KubeObject, Node, Pod, StatefulSet } from '../../../api/index.ts';
import type { Checked, Property } from '../../property.ts';
import {
  beside,
  controlledBy,
  controllerOf,
  isActive,
  isGoing,
  isReady,
  isUsers,
  sinceMs,
} from '../facts.ts';

const resource = 'statefulsets.apps';
const wanted = ({ spec }: StatefulSet): number => spec?.replicas ?? 1;
const firstOf = ({ spec }: StatefulSet): number => spec?.ordinals?.start ?? 0;
const isOrdered = ({ spec }: StatefulSet): boolean => spec?.podManagementPolicy !== 'Parallel';
const ordinalOf = (name: string): number => Number(name.slice(name.lastIndexOf('-') + 1));

/** The set of a pod, where it is there and the pod is its own. */
function setOf({ truth }: Checked, pod: KubeObject): readonly [string, StatefulSet] | undefined {
  const owner = controllerOf(pod);
  if (owner?.kind !== 'StatefulSet') return undefined;
  const name = beside(pod, owner.name);
  const set = truth.objects<StatefulSet>(resource).get(name);
  return set?.metadata.uid === owner.uid ? [name, set] : undefined;
}

const isServing = (pod: KubeObject | undefined): boolean =>
  pod !== undefined && isReady(pod as Pod) && isActive(pod as Pod);

const isOnBadNode = (world: Checked, { spec }: Pod): boolean =>
  world.truth.heldSince(
    'nodes',
    spec?.nodeName ?? '',
    sinceMs(world),
    (node) =>
      node === undefined ||
      (node as Node).spec?.taints?.some(({ effect }) => effect === 'NoExecute') === true,
  );

export const setsInOrder: Property = {
  name: 'workload/sets-in-order',
  source: 'Kubernetes: StatefulSet, ordered pod management',
  statement:
    'A pod of an ordered StatefulSet is made when each before it has been there and ready, and given up for a smaller number when each after it has gone.',
  check(world, broken) {
    const { truth } = world;
    const byUser = new Set<string>();
    const suspects: { readonly uid: string; readonly message: string }[] = [];
    return {
      onAsked({ by, verb, resource: of, name }) {
        if (!isUsers(by) || (verb !== 'delete' && verb !== 'eviction') || of !== 'pods') return;
        for (const { object } of truth.versions('pods', name)) byUser.add(object?.metadata.uid ?? '');
      },
      onSecond() {
        for (const { uid, message } of suspects.splice(0)) if (!byUser.has(uid)) broken(message);
      },
      onEvent({ kind, resource: of, object, previous }) {
        if (of !== 'pods') return;
        const found = setOf(world, object);
        if (found === undefined || !isOrdered(found[1])) return;
        const [name, set] = found;
        const since = sinceMs(world);
        const own = (ordinal: number): string => beside(object, `${set.metadata.name}-${ordinal}`);
        const ordinal = ordinalOf(object.metadata.name ?? '');
        if (kind === 'put' && previous === undefined) {
          for (let before = firstOf(set); before < ordinal; before++)
            if (!truth.heldSince('pods', own(before), since, isServing))
              broken(`${name} has a pod ${ordinal}, and its pod ${before} was not ready`);
          return;
        }
        const begins = previous !== undefined && !isGoing(previous) && (kind === 'delete' || isGoing(object));
        if (!begins || isGoing(set) || !isServing(previous)) return;
        // A new pod that is ready goes only where there are too many, or where others want it gone.
        const { uid = '', labels } = object.metadata;
        const isNew = labels?.['controller-revision-hash'] === set.status?.updateRevision;
        if (!isNew || byUser.has(uid) || isOnBadNode(world, previous as Pod)) return;
        for (const pod of controlledBy(set, truth.objects<Pod>('pods').values())) {
          const after = ordinalOf(pod.metadata.name ?? '');
          const isWanted = after >= firstOf(set) && after < firstOf(set) + wanted(set);
          if (after <= ordinal || isWanted || isGoing(pod)) continue;
          const wasThere = truth.heldSince(
            'pods',
            own(after),
            since,
            (one) => one === undefined || isGoing(one),
          );
          if (!wasThere)
            suspects.push({ uid, message: `${name} gave up its pod ${ordinal} before its pod ${after}` });
        }
      },
    };
  },
};

export const setsReached: Property = {
  name: 'workload/sets-reached',
  source: 'Kubernetes: StatefulSet; mission C3 (convergence)',
  statement:
    'When faults and users have stopped, every StatefulSet soon has exactly its ordinals, all ready, those from its partition on of the newest revision, and says so, as far as there is room.',
  check({ truth }) {
    return {
      goal() {
        for (const [name, set] of truth.objects<StatefulSet>(resource)) {
          if (isGoing(set)) return `${name} is still being deleted`;
          const { status, metadata, spec } = set;
          if (status?.observedGeneration !== metadata.generation)
            return `${name}: its status is of an older generation`;
          const pods = [...controlledBy(set, truth.objects<Pod>('pods').values())].filter(isActive);
          if ((status?.replicas ?? 0) !== pods.length)
            return `${name}: its status says ${status?.replicas ?? 0} pods, there are ${pods.length}`;
          if (pods.some((pod) => !pod.spec?.nodeName)) continue;
          const ordinals = pods.map((pod) => ordinalOf(pod.metadata.name ?? '')).sort((a, b) => a - b);
          const expected = Array.from({ length: wanted(set) }, (_, index) => firstOf(set) + index);
          if (ordinals.join() !== expected.join())
            return `${name} has the ordinals ${ordinals.join()}, and should have ${expected.join()}`;
          const unready = pods.filter((pod) => !isReady(pod));
          if (unready.length > 0) return `${name}: ${unready[0]?.metadata.name} is not ready`;
          if ((status?.readyReplicas ?? 0) !== pods.length)
            return `${name}: its status says ${status?.readyReplicas ?? 0} ready, ${pods.length} are`;
          // Counted from the first ordinal, whatever that is.
          const partition = firstOf(set) + (spec?.updateStrategy?.rollingUpdate?.partition ?? 0);
          const old = pods.find(
            (pod) =>
              ordinalOf(pod.metadata.name ?? '') >= partition &&
              pod.metadata.labels?.['controller-revision-hash'] !== status?.updateRevision,
          );
          if (old !== undefined) return `${name}: ${old.metadata.name} is of an old revision`;
        }
        return undefined;
      },
    };
  },
};
