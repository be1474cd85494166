/** StorageObjectInUseProtection: claims and volumes stay, while they are used, until a controller has seen that nobody does. Pure. */
import {
  claimProtection,
  type Draft,
  type PersistentVolume,
  type PersistentVolumeClaim,
  volumeProtection,
} from '../../api/index.ts';
import type { AdmissionStep } from './chain.ts';

const finalizers: Readonly<Record<string, string>> = {
  persistentvolumeclaims: claimProtection,
  persistentvolumes: volumeProtection,
};

export const storageProtection: AdmissionStep = {
  name: 'StorageObjectInUseProtection',
  concerns: ({ groupResource }, subresource, operation) =>
    finalizers[groupResource] !== undefined && subresource === '' && operation === 'CREATE',
  handles: () => true,
  mutate({ object, resource }) {
    const { metadata } = object as unknown as Draft<PersistentVolume | PersistentVolumeClaim>;
    const finalizer = finalizers[resource.groupResource] ?? '';
    const present = metadata.finalizers ?? [];
    if (!present.includes(finalizer)) metadata.finalizers = [...present, finalizer];
  },
};
