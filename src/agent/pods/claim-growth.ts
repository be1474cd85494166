/**
 * A claim whose volume has grown on this node says so: the file systems of volumes that are held to their size are grown by the node that has them, when they are
 * mounted and whenever their volume's object changes. Source: the kubelet's NodeExpandVolume, as behaviour and words.
 */
import {
  claimsOf,
  compareQuantities,
  type PersistentVolumeClaim,
  type Pod,
  quantityValue,
} from '../../api/index.ts';
import { isError } from '../../lib/index.ts';
import { persistentVolumeClaimsRef } from '../objects.ts';
import type { VolumeContent } from '../volumes/volume-content.ts';
import { referenceTo } from './parts.ts';
import type { PodWorker } from './pod-worker.ts';

/** What cannot grow now may do so when there is more room, or when a pod has ended. */
const againMs = 300_000;

/** After its volumes have been set up. Answers when to set them up again, where one could not grow. */
export async function tellGrown(
  worker: PodWorker,
  pod: Pod,
  contents: ReadonlyMap<string, VolumeContent>,
): Promise<number | undefined> {
  const { parts } = worker;
  let isStuck = false;
  for (const { name, volume } of claimsOf(pod)) {
    const content = contents.get(volume);
    if (content?.kind !== 'volume' || content.sizeBytes === undefined) continue;
    const size = await parts.disk.volumeSize(content.handle);
    if (size?.problem !== undefined) {
      isStuck = true;
      const message = `NodeExpandVolume.NodeExpandVolume failed for volume "${content.volumeName}" : ${size.problem}`;
      const about = referenceTo(pod);
      parts.events.record({ about, type: 'Warning', reason: 'VolumeResizeFailed', message });
    } else if (size?.sizeBytes === content.sizeBytes) await tellOne(worker, pod, name, content);
  }
  return isStuck ? parts.clock.nowMs() + againMs : undefined;
}

async function tellOne(
  { parts }: PodWorker,
  pod: Pod,
  name: string,
  { volumeName, sizeBytes }: VolumeContent & { kind: 'volume' },
): Promise<void> {
  const { namespace = '' } = pod.metadata;
  const claim = parts.objects.claim(namespace, name);
  const storage = parts.objects.persistentVolume(namespace, volumeName)?.spec?.capacity?.['storage'] ?? '';
  // Where it has been raised once more meanwhile we are here again soon.
  if (claim === undefined || quantityValue(storage) !== sizeBytes) return;
  if (compareQuantities(claim.status?.capacity?.['storage'] ?? '0', storage) >= 0) return;
  try {
    const options = { subresource: 'status' };
    await parts.client.patch(
      persistentVolumeClaimsRef,
      namespace,
      name,
      'merge',
      grown(claim, storage),
      options,
    );
  } catch (error) {
    // Gone; or it has changed, which we hear of.
    if (isError(error, 'notFound', 'conflict')) return;
    throw error;
  }
  const message = `MountVolume.NodeExpandVolume succeeded for volume "${volumeName}" ${parts.nodeName}`;
  const reason = 'FileSystemResizeSuccessful';
  parts.events.record({ about: referenceTo(pod), type: 'Normal', reason, message });
}

function grown({ metadata, status }: PersistentVolumeClaim, storage: string): object {
  const { uid, resourceVersion } = metadata;
  const rest = (status?.conditions ?? []).filter(
    ({ type }) => type !== 'FileSystemResizePending' && type !== 'Resizing',
  );
  return {
    metadata: { uid, resourceVersion },
    status: {
      capacity: { storage },
      allocatedResources: { storage },
      allocatedResourceStatuses: null,
      conditions: rest.length === 0 ? null : rest,
    },
  };
}
