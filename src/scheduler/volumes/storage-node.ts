/** A node as storage sees it, and why it is refused, worded as kube-scheduler words it. */
import type { NodePlace } from '../../api/index.ts';
import { limitRefusal } from '../volume-limits.ts';

export const volumeRefusals = {
  affinity: "node(s) didn't match PersistentVolume's node affinity",
  bind: "node(s) didn't find available persistent volumes to bind",
  gone: 'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)',
  space: 'node(s) did not have enough free storage',
  exclusive: 'node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode',
  zone: 'node(s) had no available volume zone',
  limit: limitRefusal,
} as const;

/** A node as far as storage goes. */
export interface StorageNode extends NodePlace {
  readonly name: string;
  /** Of its disk, as a whole. */
  readonly storageBytes: number;
}
