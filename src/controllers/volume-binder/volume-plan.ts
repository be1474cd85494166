/**
 * What becomes of a volume: available, bound, released when its claim has gone, and then kept, deleted or failed, as its policy says. Pure.
 * Source: Kubernetes 1.36, persistentvolume-controller, as behaviour.
 */
import {
  boundByController,
  type PersistentVolume,
  type PersistentVolumeClaim,
  provisionedBy,
  sameVolumeMode,
} from '../../api/index.ts';
import { persistentVolumeClaimsRef, persistentVolumesRef, referenceTo } from '../resources.ts';
import { type Step, statusSteps, type Write } from '../step.ts';
import { boundPhase } from './claim-plan.ts';

export interface ObservedVolume {
  readonly kind: 'volume';
  readonly volume: PersistentVolume;
  /** The very claim that it speaks of; undefined: there is none any more, as the API itself says. */
  readonly claim: PersistentVolumeClaim | undefined;
}

export function planVolume({ volume, claim }: ObservedVolume): readonly Step[] {
  const { claimRef } = volume.spec ?? {};
  if ((claimRef?.uid ?? '') === '') return phase(volume, 'Available');
  if (claim === undefined) return planReleased(volume);
  const named = claim.spec?.volumeName ?? '';
  if (named === volume.metadata.name) return statusSteps(persistentVolumesRef, volume, boundPhase(volume));
  // The claim is about to be bound to it: that is done from there.
  if (named === '') return sameVolumeMode(volume, claim) ? [] : mismatch(volume, claim);
  if (isMade(volume) && volume.spec?.persistentVolumeReclaimPolicy === 'Delete') return planReleased(volume);
  return [unbind(volume)];
}

const isMade = ({ metadata }: PersistentVolume): boolean =>
  metadata.annotations?.[provisionedBy] !== undefined;

function phase(
  volume: PersistentVolume,
  name: string,
  why?: { reason: string; message: string },
): readonly Write[] {
  const { reason: _, message: _other, ...rest } = volume.status ?? {};
  return statusSteps(persistentVolumesRef, volume, { ...rest, phase: name, ...why });
}

function planReleased(volume: PersistentVolume): readonly Step[] {
  const present = volume.status?.phase;
  const released = present === 'Released' || present === 'Failed' ? [] : phase(volume, 'Released');
  return [...released, ...reclaim(volume)];
}

function reclaim(volume: PersistentVolume): readonly Step[] {
  const { persistentVolumeReclaimPolicy: policy = 'Retain' } = volume.spec ?? {};
  switch (policy) {
    case 'Retain':
      return [];
    case 'Delete':
      // Who made it deletes it.
      if (isMade(volume)) return [];
      return fail(
        volume,
        'VolumeFailedDelete',
        `error getting deleter volume plugin for volume "${volume.metadata.name}": no deletable volume plugin matched`,
      );
    case 'Recycle':
      return fail(volume, 'VolumeFailedRecycle', 'No recycler plugin found for the volume!');
    default:
      return fail(volume, 'VolumeUnknownReclaimPolicy', 'Volume has an unrecognized reclaim policy.');
  }
}

function fail(volume: PersistentVolume, reason: string, message: string): readonly Step[] {
  const writes = phase(volume, 'Failed', { reason, message });
  if (writes.length === 0) return [];
  const about = referenceTo(persistentVolumesRef, volume);
  return [...writes, { kind: 'event', event: { about, type: 'Warning', reason, message } }];
}

/** Its claim took another. Whoever reserved it by hand keeps it reserved. */
function unbind({ metadata, spec }: PersistentVolume): Write {
  const { name = '', uid, resourceVersion } = metadata;
  const isOurs = metadata.annotations?.[boundByController] !== undefined;
  const { namespace, name: claimName } = spec?.claimRef ?? {};
  const blank = { apiVersion: null, kind: null, resourceVersion: null, fieldPath: null, uid: null };
  const patch = {
    metadata: { uid, resourceVersion, ...(isOurs ? { annotations: { [boundByController]: null } } : {}) },
    spec: { claimRef: isOurs ? null : { ...blank, namespace, name: claimName } },
  };
  return { kind: 'patch', ref: persistentVolumesRef, namespace: undefined, name, type: 'merge', patch };
}

function mismatch(volume: PersistentVolume, claim: PersistentVolumeClaim): readonly Step[] {
  const tell = (about: ReturnType<typeof referenceTo>, message: string): Step => ({
    kind: 'event',
    event: { about, type: 'Warning', reason: 'VolumeMismatch', message },
  });
  return [
    tell(
      referenceTo(persistentVolumesRef, volume),
      `Cannot bind PersistentVolume to requested PersistentVolumeClaim "${claim.metadata.name}" due to incompatible volumeMode.`,
    ),
    tell(
      referenceTo(persistentVolumeClaimsRef, claim),
      `Cannot bind PersistentVolume "${volume.metadata.name}" to requested PersistentVolumeClaim "${claim.metadata.name}" due to incompatible volumeMode.`,
    ),
  ];
}
