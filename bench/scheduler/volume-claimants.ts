/** Clouds with storage and pods with claims of volumes, for measuring the placement engine. */
import type { PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from '../../src/api/index.ts';
import type { WaitingPod } from '../../src/scheduler/plan.ts';
import type { Snapshot } from '../../src/scheduler/snapshot.ts';
import { cloud } from './workloads.ts';

/**
 * `made`: volumes are made where the pods go. `limited`: by a driver that allows so many on a node. `zonal`, `local`: bound already, of a zone, or on a node.
 * `standing`: one of those that stand ready on the nodes is taken.
 */
export type VolumeClaimants = 'made' | 'limited' | 'zonal' | 'local' | 'standing';

const zone = 'topology.kubernetes.io/zone';
const hostname = 'kubernetes.io/hostname';
const driver = 'disk.example.com';
const className = 'later';

const storageClass = (provisioner: string): StorageClass =>
  ({
    metadata: { name: className },
    provisioner,
    volumeBindingMode: 'WaitForFirstConsumer',
  }) as StorageClass;

const affinity = (key: string, value: string): object => ({
  nodeAffinity: {
    required: { nodeSelectorTerms: [{ matchExpressions: [{ key, operator: 'In', values: [value] }] }] },
  },
});

function volume(name: string, spec: object): PersistentVolume {
  return {
    metadata: { name, uid: name },
    spec: {
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '1Gi' },
      storageClassName: className,
      ...spec,
    },
    status: { phase: 'Available' },
  } as PersistentVolume;
}

export interface Storage {
  readonly snapshot: Snapshot;
  readonly waiting: readonly WaitingPod[];
}

/** StatefulSets of 500, each pod with a claim of its own. */
export function storageCloud(kind: VolumeClaimants, nodes: number, count: number): Storage {
  const snapshot = cloud(nodes);
  const book = snapshot.volumes;
  book.setClass(storageClass(kind === 'standing' ? 'kubernetes.io/no-provisioner' : driver));
  if (kind === 'limited')
    for (let index = 0; index < nodes; index++)
      book.limits.setNode({
        metadata: { name: `n-${index}` },
        spec: { drivers: [{ name: driver, nodeID: `n-${index}`, allocatable: { count: 24 } }] },
      });
  if (kind === 'standing')
    for (let at = 0; at < count + nodes; at++)
      book.setVolume(volume(`free-${at}`, affinity(hostname, `n-${at % nodes}`)));
  const waiting = Array.from({ length: count }, (_, at): WaitingPod => {
    const app = `${kind}-${Math.floor(at / 500)}`;
    const name = `${app}-${at}`;
    const claimName = `data-${name}`;
    const isBound = kind === 'zonal' || kind === 'local';
    if (isBound) {
      const place = kind === 'zonal' ? affinity(zone, `z-${at % 10}`) : affinity(hostname, `n-${at % nodes}`);
      const claimRef = { namespace: 'default', name: claimName, uid: claimName };
      book.setVolume(volume(`pv-${at}`, { ...place, claimRef }));
    }
    book.setClaim({
      metadata: {
        name: claimName,
        namespace: 'default',
        uid: claimName,
        resourceVersion: '1',
        ...(isBound && { annotations: { 'pv.kubernetes.io/bind-completed': 'yes' } }),
      },
      spec: {
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: '1Gi' } },
        storageClassName: className,
        ...(isBound && { volumeName: `pv-${at}` }),
      },
      status: { phase: isBound ? 'Bound' : 'Pending' },
    } as PersistentVolumeClaim);
    return { key: `default/${name}`, pod: podOf(app, name, claimName) };
  });
  return { snapshot, waiting };
}

function podOf(app: string, name: string, claimName: string): Pod {
  return {
    metadata: {
      name,
      namespace: 'default',
      uid: name,
      labels: { app },
      creationTimestamp: '2026-01-01T00:00:00Z',
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'StatefulSet', name: app, uid: app, controller: true },
      ],
    },
    spec: {
      containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '50m', memory: '64Mi' } } }],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }],
    },
    status: { phase: 'Pending' },
  } as unknown as Pod;
}
