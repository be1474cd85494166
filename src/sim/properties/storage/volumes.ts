/** Storage: what pods have written is there as long as somebody claims it, and goes when nobody does. */
import type { KubeObject, PersistentVolume, PersistentVolumeClaim, Pod } from '../../../api/index.ts';
import type { Checked, Property } from '../../property.ts';
import { isGoing, isTerminal } from '../facts.ts';

const volumes = 'persistentvolumes';
const claims = 'persistentvolumeclaims';
const bound = 'pv.kubernetes.io/bind-completed';
const made = 'local.caelum.dev/made';
const home = 'local.caelum.dev/node';

const nodeOf = ({ metadata }: KubeObject): string => metadata.labels?.[home] ?? '';
const handleOf = ({ spec }: PersistentVolume): string => spec?.csi?.volumeHandle ?? '';

/** The very claim that a volume speaks of, while it is there. */
function claimOf({ truth }: Checked, { spec }: PersistentVolume): PersistentVolumeClaim | undefined {
  const { namespace, name, uid } = spec?.claimRef ?? {};
  const found = truth.objects<PersistentVolumeClaim>(claims).get(`${namespace}/${name}`);
  return found?.metadata.uid === uid ? found : undefined;
}

/** Names of the claims that a pod uses. */
const claimsOf = ({ metadata, spec }: Pod): readonly string[] =>
  (spec?.volumes ?? []).flatMap(({ persistentVolumeClaim: claim }) =>
    claim === undefined ? [] : [`${metadata.namespace}/${claim.claimName}`],
  );

/** The nodes that a pod can go to by its claims; undefined: any. */
export function pinnedTo({ truth }: Checked, pod: Pod): string | undefined {
  for (const name of claimsOf(pod)) {
    const claim = truth.objects<PersistentVolumeClaim>(claims).get(name);
    const chosen = claim?.metadata.annotations?.['volume.kubernetes.io/selected-node'];
    const volume = truth.objects<PersistentVolume>(volumes).get(claim?.spec?.volumeName ?? '');
    if (volume !== undefined) return nodeOf(volume);
    if (chosen !== undefined) return chosen;
  }
  return undefined;
}

export const volumesKept: Property = {
  name: 'storage/volumes-kept',
  source: 'Kubernetes: persistent volumes, storage object in use protection; mission: no data lost',
  statement:
    'A volume and its folder are there as long as the claim that it is bound to; no claim goes while a pod on a node uses it; a volume is of one claim.',
  check(world, broken) {
    const { truth } = world;
    return {
      onEvent({ kind, resource, name, object, previous }) {
        if (resource === volumes && kind === 'delete') {
          const claim = claimOf(world, (previous ?? object) as PersistentVolume);
          if (claim?.spec?.volumeName === name)
            broken(`${name} was deleted, and ${claim.metadata.name} is bound to it`);
        }
        if (resource !== claims) return;
        if (kind === 'delete') {
          for (const pod of truth.objects<Pod>('pods').values())
            if (pod.spec?.nodeName && !isGoing(pod) && claimsOf(pod).includes(name))
              broken(`${name} was deleted, and ${pod.metadata.name} on ${pod.spec.nodeName} uses it`);
          return;
        }
        const claim = object as PersistentVolumeClaim;
        if (claim.metadata.annotations?.[bound] === undefined || previous?.metadata.annotations?.[bound])
          return;
        const volume = truth.objects<PersistentVolume>(volumes).get(claim.spec?.volumeName ?? '');
        if (volume?.spec?.claimRef?.uid !== claim.metadata.uid)
          broken(`${name} was bound to ${claim.spec?.volumeName}, which is not its own`);
      },
      onSecond() {
        for (const machine of world.machines()) {
          if (!machine.isReal) continue;
          for (const [name, volume] of truth.objects<PersistentVolume>(volumes)) {
            if (nodeOf(volume) !== machine.name || volume.metadata.annotations?.[made] === undefined)
              continue;
            if (claimOf(world, volume) !== undefined && !machine.disk.folders.has(handleOf(volume)))
              broken(`the folder of ${name} has gone from ${machine.name}, and its claim is there`);
          }
        }
      },
    };
  },
};

export const volumesSettled: Property = {
  name: 'storage/volumes-settled',
  source: 'Kubernetes: persistent volumes; mission C3 (convergence)',
  statement:
    'When faults and users have stopped, soon every claim of a pod on a node is bound, every bound claim has its one volume of the size that it asks for, what was released and is not to be retained is gone, and no folder is left of what is gone.',
  check(world) {
    const { truth } = world;
    return {
      goal() {
        const all = truth.objects<PersistentVolume>(volumes);
        const there = truth.objects<PersistentVolumeClaim>(claims);
        for (const [podName, pod] of truth.objects<Pod>('pods')) {
          if (!pod.spec?.nodeName || isTerminal(pod) || isGoing(pod)) continue;
          for (const name of claimsOf(pod))
            if (there.get(name)?.status?.phase !== 'Bound') return `${name} of ${podName} is not bound`;
        }
        for (const [name, { metadata, spec, status }] of there) {
          const own = [...all.values()].filter((one) => one.spec?.claimRef?.uid === metadata.uid);
          if (own.length > 1) return `${name} has ${own.length} volumes`;
          if (own[0]?.metadata.name !== spec?.volumeName)
            return `${name} names ${spec?.volumeName}, and is named by ${own[0]?.metadata.name}`;
          const asked = spec?.resources?.requests?.['storage'];
          if (status?.phase === 'Bound' && status.capacity?.['storage'] !== asked)
            return `${name} has ${status.capacity?.['storage']} and asks for ${asked}`;
        }
        for (const [name, volume] of all) {
          const hasClaim = claimOf(world, volume) !== undefined;
          const phase = hasClaim ? 'Bound' : 'Released';
          if (volume.status?.phase !== phase) return `${name} is ${volume.status?.phase}, not ${phase}`;
          const isKept = volume.spec?.persistentVolumeReclaimPolicy !== 'Delete';
          if (!hasClaim && !isKept && world.isUp(nodeOf(volume)))
            return `${name} is released, and still there`;
        }
        for (const machine of world.machines())
          for (const handle of machine.disk.folders)
            if (
              ![...all.values()].some(
                (volume) => handleOf(volume) === handle && nodeOf(volume) === machine.name,
              )
            )
              return `a folder ${handle} is left on ${machine.name}`;
        return undefined;
      },
    };
  },
};
