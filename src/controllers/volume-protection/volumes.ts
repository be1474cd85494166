/**
 * Keeps volumes while claims are bound to them.
 * Source: Kubernetes 1.36, pv-protection-controller, as behaviour.
 */
import { type PersistentVolume, volumeProtection } from '../../api/index.ts';
import type { Informers } from '../../client/index.ts';
import { persistentVolumesRef } from '../resources.ts';
import { type Controller, watch } from '../shell.ts';
import type { Step } from '../step.ts';
import { finalizersPatch } from './finalizers.ts';

export function volumeProtectionController(informers: Informers): Controller<PersistentVolume> {
  const volumes = informers.informer<PersistentVolume>(persistentVolumesRef);
  return {
    name: 'pv-protection-controller',
    watches: [
      watch<PersistentVolume>(informers, persistentVolumesRef, ({ kind, key }) =>
        kind === 'deleted' ? [] : [key],
      ),
    ],
    observe: (key) => volumes.get(key),
    plan,
  };
}

export function plan(volume: PersistentVolume): readonly Step[] {
  const { finalizers = [], deletionTimestamp } = volume.metadata;
  const has = finalizers.includes(volumeProtection);
  if (deletionTimestamp === undefined)
    return has ? [] : [finalizersPatch(persistentVolumesRef, volume, [...finalizers, volumeProtection])];
  if (!has || volume.status?.phase === 'Bound') return [];
  const rest = finalizers.filter((one) => one !== volumeProtection);
  return [finalizersPatch(persistentVolumesRef, volume, rest)];
}
