/** The built-in provisioner of folders on nodes. Decisions are in `plan.ts`. Keys: `claim/NAMESPACE/NAME`, `volume/NAME`. */
import {
  classOf,
  localHandle,
  localNodeLabel,
  localProvisioner,
  type Node,
  type PersistentVolume,
  type PersistentVolumeClaim,
  provisionedBy,
  type StorageClass,
  storageProvisioner,
} from '../../api/index.ts';
import { type Informers, keyOf } from '../../client/index.ts';
import {
  nodesRef,
  persistentVolumeClaimsRef,
  persistentVolumesRef,
  storageClassesRef,
} from '../resources.ts';
import { type Controller, watch } from '../shell.ts';
import type { Step } from '../step.ts';
import { type Observed, plan, volumeNameOf } from './plan.ts';

const isOurs = (volume: PersistentVolume): boolean =>
  localHandle(volume) !== undefined && volume.metadata.annotations?.[provisionedBy] === localProvisioner;
const isAsked = ({ metadata, spec }: PersistentVolumeClaim): boolean =>
  metadata.annotations?.[storageProvisioner] === localProvisioner && !spec?.volumeName;

export function localVolumeController(informers: Informers): Controller<Observed> {
  const claims = informers.informer<PersistentVolumeClaim>(persistentVolumeClaimsRef);
  const volumes = informers.informer<PersistentVolume>(persistentVolumesRef);
  const classes = informers.informer<StorageClass>(storageClassesRef);
  const nodes = informers.informer<Node>(nodesRef);
  const volumesOn = volumes.index('local-node', (volume) =>
    isOurs(volume) ? [volume.metadata.labels?.[localNodeLabel] ?? ''] : [],
  );
  const asked = claims.index('local-asked', (claim) => (isAsked(claim) ? [classOf(claim)] : []));
  const told = new Map<string, string>();

  function news(observed: Observed, steps: readonly Step[]): readonly Step[] {
    const object = observed.kind === 'claim' ? observed.claim : observed.volume;
    const key = object.metadata.uid ?? '';
    return steps.filter((step) => {
      if (step.kind !== 'event') return true;
      if (told.get(key) === step.event.message) return false;
      told.set(key, step.event.message);
      return true;
    });
  }

  return {
    name: 'local-volume-provisioner',
    workers: 8,
    watches: [
      watch<PersistentVolumeClaim>(informers, persistentVolumeClaimsRef, ({ kind, key, object }) => {
        if (kind === 'deleted') told.delete(object.metadata.uid ?? '');
        return kind !== 'deleted' && isAsked(object) ? [`claim/${key}`] : [];
      }),
      watch<PersistentVolume>(informers, persistentVolumesRef, ({ kind, key, object }) => {
        if (!isOurs(object)) return [];
        if (kind !== 'deleted') return [`volume/${key}`];
        told.delete(object.metadata.uid ?? '');
        // Deleted before it was bound: it is made again.
        const { namespace, name } = object.spec?.claimRef ?? {};
        return name === undefined ? [] : [`claim/${namespace}/${name}`];
      }),
      watch<StorageClass>(informers, storageClassesRef, ({ key }) =>
        asked(key).map((claim) => `claim/${keyOf(claim)}`),
      ),
      watch<Node>(informers, nodesRef, ({ kind, key }) =>
        kind === 'deleted' ? volumesOn(key).map(({ metadata }) => `volume/${metadata.name}`) : [],
      ),
    ],
    observe(key) {
      const name = key.slice(key.indexOf('/') + 1);
      if (key.startsWith('volume/')) {
        const volume = volumes.get(name);
        if (volume === undefined) return undefined;
        return { kind: 'volume', volume, node: nodes.get(volume.metadata.labels?.[localNodeLabel] ?? '') };
      }
      const claim = claims.get(name);
      const storageClass = claim === undefined ? undefined : classes.get(classOf(claim));
      if (claim === undefined || !isAsked(claim) || storageClass?.provisioner !== localProvisioner)
        return undefined;
      return {
        kind: 'claim',
        claim,
        storageClass,
        made: volumes.get(volumeNameOf(claim)),
        findNode: (node) => nodes.get(node),
        nodes: () => nodes.list(),
        volumesOn: (node) => volumesOn(node).length,
      };
    },
    plan: (observed) => news(observed, plan(observed)),
  };
}
