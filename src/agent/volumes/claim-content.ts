/**
 * What a pod's claim is on this node: the folder of its volume, a path of the node, or why it is neither (yet). Pure.
 * Source: the kubelet's volume manager, as behaviour and words.
 */
import {
  claimsOf,
  foreignClaim,
  isBounded,
  localHandle,
  localMade,
  localNodeLabel,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Pod,
  type PodClaim,
  quantityValue,
  type Volume,
} from '../../api/index.ts';
import { CaelumError } from '../../lib/index.ts';
import type { VolumeContent } from './volume-content.ts';

export interface ClaimSources {
  /** In the pod's namespace. */
  claim(name: string): PersistentVolumeClaim | undefined;
  persistentVolume(name: string): PersistentVolume | undefined;
  readonly nodeName: string;
}

export const usesClaim = (volume: Volume): boolean =>
  volume.persistentVolumeClaim !== undefined || volume.ephemeral !== undefined;

/** The claims that a pod names, and the volumes that these are bound to as far as is known: what has to be watched for it. */
export function claimReferencesOf(
  pod: Pod,
  findClaim: ClaimSources['claim'],
): { readonly kind: 'claim' | 'persistentVolume'; readonly name: string }[] {
  const references: { kind: 'claim' | 'persistentVolume'; name: string }[] = [];
  for (const { name } of claimsOf(pod)) {
    references.push({ kind: 'claim', name });
    const bound = findClaim(name)?.spec?.volumeName;
    if (bound) references.push({ kind: 'persistentVolume', name: bound });
  }
  return references;
}

/** Throws `invalid` in whole sentences, as they are told. */
export function claimContent(pod: Pod, volume: Volume, sources: ClaimSources): VolumeContent {
  const used = claimsOf(pod).find((one) => one.volume === volume.name) as PodClaim;
  const unready = (why: string): CaelumError =>
    new CaelumError(
      'invalid',
      `Unable to attach or mount volumes: unmounted volumes=[${volume.name}], unattached volumes=[], failed to process volumes=[${volume.name}]: error processing PVC ${pod.metadata.namespace}/${used.name}: ${why}`,
    );
  const claim = sources.claim(used.name);
  if (claim === undefined)
    throw unready(`failed to fetch PVC from API server: persistentvolumeclaims "${used.name}" not found`);
  const foreign = used.isEphemeral ? foreignClaim(pod, claim) : undefined;
  if (foreign !== undefined) throw unready(foreign);
  if (claim.metadata.deletionTimestamp !== undefined && !hasStarted(pod))
    throw unready('PVC is being deleted');
  const boundTo = claim.spec?.volumeName ?? '';
  if (claim.status?.phase !== 'Bound' || boundTo === '') throw unready('PVC is not bound');
  const persistent = sources.persistentVolume(boundTo);
  if (persistent === undefined)
    throw unready(`failed to fetch PV ${boundTo} from API server: persistentvolumes "${boundTo}" not found`);
  if (persistent.spec?.claimRef?.uid !== claim.metadata.uid)
    throw unready(`PV ${boundTo} spec.claimRef is not bound to the PVC`);
  checkMode(pod, volume.name, persistent, unready);
  return contentOfVolume(persistent, used.readOnly, sources.nodeName);
}

/** A pod that runs already keeps what it has: its containers may be started again. */
function hasStarted({ status }: Pod): boolean {
  const all = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  return all.some(({ containerID }) => (containerID ?? '') !== '');
}

function checkMode(
  pod: Pod,
  name: string,
  { spec }: PersistentVolume,
  unready: (why: string) => CaelumError,
): void {
  const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  const isBlock = spec?.volumeMode === 'Block';
  const isDevice = containers.some(({ volumeDevices }) => volumeDevices?.some((one) => one.name === name));
  const isMounted = containers.some(({ volumeMounts }) => volumeMounts?.some((one) => one.name === name));
  if (isBlock && isMounted)
    throw unready(`volume ${name} has volumeMode Block, but is specified in volumeMounts`);
  if (!isBlock && isDevice)
    throw unready(`volume ${name} has volumeMode Filesystem, but is specified in volumeDevices`);
  if (isBlock) throw unready('block volumes are not supported by this node');
}

function contentOfVolume(persistent: PersistentVolume, isReadOnly: boolean, nodeName: string): VolumeContent {
  const { spec, metadata } = persistent;
  const { name = '', uid = '' } = metadata;
  const fail = (why: string): CaelumError =>
    new CaelumError('invalid', `MountVolume.SetUp failed for volume "${name}" : ${why}`);
  const handle = localHandle(persistent);
  if (handle !== undefined) {
    // The scheduler sees to that, but a pod may name its node itself.
    const home = metadata.labels?.[localNodeLabel] ?? nodeName;
    if (home !== nodeName) throw fail(`its folder is on node "${home}", not on node "${nodeName}"`);
    const readOnly = isReadOnly || spec?.csi?.readOnly === true;
    const isMade = metadata.annotations?.[localMade] !== undefined;
    const content = { kind: 'volume', handle, isMade, volumeName: name, volumeUid: uid, readOnly } as const;
    const sizeBytes = isBounded(persistent) ? quantityValue(spec?.capacity?.['storage'] ?? '') : undefined;
    return sizeBytes === undefined ? content : { ...content, sizeBytes };
  }
  if (spec?.local !== undefined)
    return { kind: 'local', path: spec.local.path, volumeName: name, readOnly: isReadOnly };
  if (spec?.hostPath !== undefined) {
    const { path, type = '' } = spec.hostPath;
    return { kind: 'hostPath', path, type, readOnly: isReadOnly };
  }
  if (spec?.csi !== undefined)
    throw fail(
      `kubernetes.io/csi: mounter.SetUpAt failed to get CSI client: driver name ${spec.csi.driver} not found in the list of registered CSI drivers`,
    );
  const type = Object.keys(spec ?? {}).find(
    (key) => typeof spec?.[key as 'nfs'] === 'object' && isSource(key),
  );
  throw fail(`volumes of type ${type ?? 'unknown'} are not supported by this node`);
}

const isSource = (key: string): boolean =>
  !['capacity', 'accessModes', 'claimRef', 'mountOptions', 'nodeAffinity'].includes(key);
