/** What nobody owns any more goes; nothing else does. */
import type { KubeObject, Node, Pod, ReplicaSet, Taint } from '../../../api/index.ts';
import { scaledLabel } from '../../load.ts';
import type { Checked, Property } from '../../property.ts';
import {
  beside,
  controlledBy,
  controllerOf,
  isActive,
  isGoing,
  isNamespaceGoing,
  isSchedulers,
  isTerminal,
  isUsers,
  isVictim,
  sinceMs,
  tolerates,
  undisturbedMs,
  valuesSince,
  wanted,
} from '../facts.ts';
import { gangKeyOf } from '../scheduler/room.ts';

function livingUids(world: Checked): Set<string> {
  const uids = new Set<string>();
  for (const resource of world.truth.resources())
    for (const object of world.truth.objects(resource).values()) uids.add(object.metadata.uid ?? '');
  return uids;
}

export const orphansGo: Property = {
  name: 'garbage/orphans-go',
  source: 'Kubernetes: owner references, namespace deletion; mission C3',
  statement:
    'When faults and users have stopped, soon nothing is left whose owners are all gone, nothing in a namespace that is gone, and nothing that is being deleted.',
  check(world) {
    return {
      goal() {
        const uids = livingUids(world);
        const namespaces = world.truth.objects('namespaces');
        for (const resource of world.truth.resources()) {
          for (const [name, object] of world.truth.objects(resource)) {
            const owners = object.metadata.ownerReferences ?? [];
            if (owners.length > 0 && owners.every(({ uid }) => !uids.has(uid)))
              return `${resource}/${name} belongs to ${owners.map((one) => `${one.kind} ${one.name}`).join(', ')}, which is gone`;
            const { namespace } = object.metadata;
            if (
              namespace &&
              !namespaces.has(namespace) &&
              resource !== 'events' &&
              resource !== 'leases.coordination.k8s.io'
            )
              return `${resource}/${name} is in a namespace that is gone`;
            if (isGoing(object)) return `${resource}/${name} is still being deleted`;
          }
        }
        return undefined;
      },
    };
  },
};

/** Whether the taint calls for the pod's end by now: it does not tolerate it, or no longer. */
function mayEvict({ plan, truth, nowMs }: Checked, pod: Pod, nodeName: string, taint: Taint): boolean {
  if (taint.effect !== 'NoExecute') return false;
  const tolerating = (pod.spec?.tolerations ?? []).filter((one) => tolerates([one], taint));
  const seconds = tolerating.flatMap(({ tolerationSeconds = Number.POSITIVE_INFINITY }) => tolerationSeconds);
  if (seconds.length === 0) return true;
  // The controller counts by its own clock.
  if (
    plan.faults.some(
      (one) => one.kind.startsWith('clock') && 'process' in one && one.process === 'controllers',
    )
  )
    return true;
  const bears = (node: KubeObject | undefined): boolean =>
    (node as Node | undefined)?.spec?.taints?.some(
      ({ key, effect, timeAdded }) =>
        key === taint.key && effect === taint.effect && timeAdded === taint.timeAdded,
    ) === true;
  const versions = truth.versions('nodes', nodeName);
  const first = versions.findIndex(({ object }) => bears(object));
  // Older than what is remembered: nobody can say.
  if (first <= 0) return true;
  const sinceMs = versions[first]?.atMs ?? 0;
  return nowMs() - sinceMs >= Math.min(...seconds) * 1000 - 2000;
}

const isOfGang = ({ truth }: Checked, name: string): boolean => {
  const pod = truth.objects<Pod>('pods').get(name);
  return pod !== undefined && gangKeyOf(pod) !== undefined;
};

/** Evicted to come back with other requests: by a vertical autoscaler. Whether it may is asked by the properties of scaling. */
const isForVertical = ({ truth }: Checked, verb: string, name: string): boolean =>
  verb === 'eviction' && truth.objects('pods').get(name)?.metadata.labels?.[scaledLabel] !== undefined;

const ends: ReadonlySet<string> = new Set(['delete', 'eviction']);
/** Ends of pods that are remembered. */
const endedMax = 200;

interface Ended {
  readonly uid: string;
  /** Uid of its controller. */
  readonly owner: string;
  readonly atMs: number;
}

/** Why controllers may have wanted this pod gone. */
function reasonToDelete(
  world: Checked,
  pod: Pod,
  byUser: ReadonlySet<string>,
  byScheduler: ReadonlySet<string>,
  ended: readonly Ended[],
): string | undefined {
  if (isTerminal(pod)) return 'it has ended';
  if (byUser.has(pod.metadata.uid ?? '')) return 'a user asked for it';
  if (isNamespaceGoing(world, pod)) return 'its namespace goes';
  // Whether it had to is asked by the scheduler's properties.
  // A controller whose clock is ahead of the scheduler's takes the mark for one that nothing came of.
  const wasMarked = world.truth.heldSince(
    'pods',
    beside(pod, pod.metadata.name ?? ''),
    world.nowMs() - 5000,
    (one) => isVictim(one as Pod | undefined),
  );
  if (isVictim(pod) || (wasMarked && byScheduler.has(pod.metadata.uid ?? ''))) return 'it makes room';
  // While nothing but nodes is lost, controllers are as well informed as ever.
  const since = undisturbedMs(world) > 60_000 ? world.nowMs() - 5000 : sinceMs(world);
  const { nodeName } = pod.spec ?? {};
  const isBad = (node: KubeObject | undefined): boolean =>
    node === undefined ||
    (node as Node).spec?.taints?.some((taint) => mayEvict(world, pod, nodeName ?? '', taint)) === true;
  if (nodeName && world.truth.heldSince('nodes', nodeName, since, isBad)) return 'its node is bad';
  const owner = controllerOf(pod);
  if (owner === undefined) return undefined;
  const setName = beside(pod, owner.name);
  const isOther = (set: KubeObject | undefined): boolean =>
    set === undefined || set.metadata.uid !== owner.uid || isGoing(set);
  // That its owner was not there before the pod was is no reason.
  const born = world.truth
    .versions('pods', beside(pod, pod.metadata.name ?? ''))
    .find(({ object }) => object?.metadata.uid === pod.metadata.uid);
  const ownerSince = Math.max(since, born?.atMs ?? 0);
  if (world.truth.heldSince('replicasets.apps', setName, ownerSince, isOther)) return 'its owner goes';
  const set = world.truth.objects<ReplicaSet>('replicasets.apps').get(setName);
  if (set === undefined) return 'its owner is gone';
  // `pod` is going already, so it no longer counts.
  const others = [...controlledBy(set, world.truth.objects<Pod>('pods').values())].filter((one) =>
    isActive(one),
  ).length;
  // Pods are watched apart from ReplicaSets: that a user has deleted some may not be known yet where a smaller number is.
  const unheard = ended.filter(
    (one) => one.owner === owner.uid && one.atMs >= since && byUser.has(one.uid),
  ).length;
  const least = Math.min(...valuesSince<ReplicaSet, number>(world, 'replicasets.apps', setName, wanted));
  return others + unheard >= least ? 'there were too many' : undefined;
}

export const nothingElseGoes: Property = {
  name: 'garbage/nothing-else-goes',
  source: 'Kubernetes: garbage collection, ReplicaSet; mission C3 (no harm)',
  statement:
    "A pod that has not ended is deleted only on a user's word, with its namespace, owner or node, to make room for another or to be better off, because its gang gives up, or where its ReplicaSet has too many; a ReplicaSet only with its Deployment, or by its history limit.",
  check(world, broken) {
    const byUser = new Set<string>();
    const byScheduler = new Set<string>();
    const ended: Ended[] = [];
    const suspects: { readonly name: string; readonly uid: string; readonly reason: string | undefined }[] =
      [];
    return {
      // A deletion may be on the disk though its answer was that the disk failed.
      onAsked({ by, verb, resource, name }) {
        // Whether who moves pods may, and which gangs are given up, is asked by the scheduler's properties.
        if (resource !== 'pods' || !ends.has(verb)) return;
        if (isSchedulers(by)) byScheduler.add(world.truth.objects('pods').get(name)?.metadata.uid ?? '');
        const isAsked =
          isUsers(by) || (isSchedulers(by) ? isOfGang(world, name) : isForVertical(world, verb, name));
        if (!isAsked) return;
        byUser.add(world.truth.objects('pods').get(name)?.metadata.uid ?? '');
        for (const { object } of world.truth.versions('pods', name)) byUser.add(object?.metadata.uid ?? '');
      },
      onEvent({ kind, resource, object, previous, name }) {
        if (resource === 'pods') {
          const began = kind === 'put' && isGoing(object) && previous !== undefined && !isGoing(previous);
          const gone = kind === 'delete' && previous !== undefined && !isGoing(previous);
          if (!began && !gone) return;
          const { uid = '' } = object.metadata;
          suspects.push({
            name,
            uid,
            reason: reasonToDelete(world, object as Pod, byUser, byScheduler, ended),
          });
          ended.push({ uid, owner: controllerOf(object)?.uid ?? '', atMs: world.nowMs() });
          if (ended.length > endedMax) ended.shift();
        } else if (resource === 'replicasets.apps' && kind === 'delete') {
          const owner = controllerOf(object);
          if (owner === undefined || isNamespaceGoing(world, object)) return;
          const isOther = (deployment: KubeObject | undefined): boolean =>
            deployment === undefined || deployment.metadata.uid !== owner.uid || isGoing(deployment);
          if (world.truth.heldSince('deployments.apps', beside(object, owner.name), sinceMs(world), isOther))
            return;
          if (wanted(object as ReplicaSet) > 0)
            broken(
              `${name} was deleted while its Deployment lives and it wanted ${wanted(object as ReplicaSet)} pods`,
            );
        }
      },
      onSecond() {
        for (const { name, uid, reason } of suspects.splice(0))
          if (reason === undefined && !byUser.has(uid))
            broken(`pod ${name} was deleted, and nothing called for it`);
      },
    };
  },
};
