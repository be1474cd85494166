/** Who serves is the last to go. */
import type { KubeObject, Pod, ReplicaSet } from '../../../api/index.ts';
import type { Checked, Property } from '../../property.ts';
import {
  beside,
  controlledBy,
  controllerOf,
  isActive,
  isGoing,
  isNamespaceGoing,
  isReady,
  undisturbedMs,
} from '../facts.ts';

interface Suspect {
  readonly atMs: number;
  readonly name: string;
  readonly spared: readonly string[];
}

/** Long enough for all that was decided together to be carried out. */
const waitMs = 3000;

/** Who has lost a node has heard of all else. */
const knownMs = (world: Checked): number => (undisturbedMs(world) > 100_000 ? world.nowMs() - 5000 : 0);

const isServing = (pod: KubeObject | undefined): boolean =>
  pod !== undefined && isReady(pod as Pod) && Boolean((pod as Pod).spec?.nodeName);

/** Its node, its owner or its namespace want it gone: then it does not matter how it fares. */
function isDoomed(world: Checked, pod: Pod, set: ReplicaSet | undefined): boolean {
  const node = world.truth.objects('nodes').get(pod.spec?.nodeName ?? '');
  const taints =
    (node as { spec?: { taints?: readonly { effect: string }[] } } | undefined)?.spec?.taints ?? [];
  return (
    set === undefined ||
    isGoing(set) ||
    isNamespaceGoing(world, pod) ||
    taints.some(({ effect }) => effect === 'NoExecute')
  );
}

export const unreadyFirst: Property = {
  name: 'workload/unready-first',
  source: 'Kubernetes: ReplicaSet, order of scaling down; mission T3',
  statement:
    'While nothing but a node is lost, a ReplicaSet that has too many pods gives up none that is ready while it keeps one that is not.',
  check(world, broken) {
    const { truth } = world;
    let suspects: Suspect[] = [];
    const suspectOf = (pod: Pod, name: string, atMs: number): Suspect | undefined => {
      const known = knownMs(world);
      const owner = controllerOf(pod);
      if (known <= 0 || owner?.kind !== 'ReplicaSet') return undefined;
      const set = truth.objects<ReplicaSet>('replicasets.apps').get(beside(pod, owner.name));
      if (isDoomed(world, pod, set) || set === undefined) return undefined;
      const hasFailed = truth.heldSince(
        'pods',
        name,
        known,
        (one) => one !== undefined && !isGoing(one) && !isServing(one),
      );
      if (hasFailed) return undefined;
      const spared = [...controlledBy(set, truth.objects<Pod>('pods').values())]
        .filter(isActive)
        .map((one) => beside(one, one.metadata.name ?? ''))
        .filter((one) => !truth.heldSince('pods', one, known, (was) => was === undefined || isServing(was)));
      return spared.length === 0 ? undefined : { atMs, name, spared };
    };
    return {
      onWrite({ by, verb, resource, name }) {
        if (by !== 'controllers' || verb !== 'delete' || resource !== 'pods') return;
        const pod = truth.versions('pods', name).findLast(({ object }) => object !== undefined)?.object;
        const suspect = pod === undefined ? undefined : suspectOf(pod as Pod, name, world.nowMs());
        if (suspect !== undefined) suspects.push(suspect);
      },
      onSecond() {
        const nowMs = world.nowMs();
        const due = suspects.filter(({ atMs }) => nowMs - atMs >= waitMs);
        suspects = suspects.filter(({ atMs }) => nowMs - atMs < waitMs);
        if (knownMs(world) <= 0) return;
        for (const { name, spared } of due)
          for (const other of spared) {
            const pod = truth.objects<Pod>('pods').get(other);
            if (pod !== undefined && isActive(pod))
              broken(`${name}, which was ready, was given up before ${other}, which was not`);
          }
      },
    };
  },
};
