/** The controller that lets claims grow. Decisions are in `plan.ts`. */
import {
  askedStorage,
  classOf,
  compareQuantities,
  isFullyBound,
  localNodeLabel,
  type Node,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type StorageClass,
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
import { type Observed, plan } from './plan.ts';

/** It asks for another size than it has, or something is said of its growing. */
function isOpen(claim: PersistentVolumeClaim): boolean {
  if (!isFullyBound(claim) || claim.status?.phase !== 'Bound') return false;
  const { capacity, conditions = [], allocatedResourceStatuses } = claim.status;
  return (
    conditions.length > 0 ||
    allocatedResourceStatuses !== undefined ||
    compareQuantities(askedStorage(claim), capacity?.['storage'] ?? '0') > 0
  );
}

export function volumeExpanderController(informers: Informers): Controller<Observed> {
  const claims = informers.informer<PersistentVolumeClaim>(persistentVolumeClaimsRef);
  const volumes = informers.informer<PersistentVolume>(persistentVolumesRef);
  const classes = informers.informer<StorageClass>(storageClassesRef);
  const nodes = informers.informer<Node>(nodesRef);
  const openOf = claims.index('growing', (claim) => (isOpen(claim) ? [classOf(claim)] : []));
  /** What was told of a claim (by uid) last. */
  const told = new Map<string, string>();

  function news({ claim }: Observed, steps: readonly Step[]): readonly Step[] {
    const writes = steps.some(({ kind }) => kind !== 'event');
    const uid = claim.metadata.uid ?? '';
    return steps.filter((step) => {
      if (step.kind !== 'event' || writes) return true;
      const text = `${askedStorage(claim)} ${step.event.message}`;
      if (told.get(uid) === text) return false;
      told.set(uid, text);
      return true;
    });
  }

  return {
    name: 'volume_expand',
    watches: [
      watch<PersistentVolumeClaim>(informers, persistentVolumeClaimsRef, ({ kind, key, object }) => {
        if (kind === 'deleted') told.delete(object.metadata.uid ?? '');
        return kind !== 'deleted' && isOpen(object) ? [key] : [];
      }),
      watch<PersistentVolume>(informers, persistentVolumesRef, ({ object }) => {
        const { namespace, name } = object.spec?.claimRef ?? {};
        const claim = claims.get(`${namespace}/${name}`);
        return claim !== undefined && isOpen(claim) ? [keyOf(claim)] : [];
      }),
      watch<StorageClass>(informers, storageClassesRef, ({ key }) => openOf(key).map(keyOf)),
    ],
    observe(key) {
      const claim = claims.get(key);
      if (claim === undefined || !isOpen(claim)) return undefined;
      const volume = volumes.get(claim.spec?.volumeName ?? '');
      if (volume === undefined || classes.get(classOf(claim))?.allowVolumeExpansion !== true)
        return undefined;
      return { claim, volume, node: nodes.get(volume.metadata.labels?.[localNodeLabel] ?? '') };
    },
    plan: (observed, context) => news(observed, plan(observed, context)),
  };
}
