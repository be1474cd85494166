/**
 * DefaultStorageClass, DefaultIngressClass: who names no class gets the default one, the newest should there be several. PersistentVolumeClaimResize: only
 * claims that can grow may. Pure.
 */
import {
  compareQuantities,
  type Draft,
  type Ingress,
  type IngressClass,
  type KubeObject,
  type PersistentVolumeClaim,
  type StorageClass,
} from '../../api/index.ts';
import type { AdmissionContext, AdmissionStep } from './chain.ts';
import { Following } from './following.ts';
import { refused } from './refusal.ts';

export function defaultStorageClass(context: AdmissionContext): AdmissionStep {
  const resource = context.resources.find('storage.k8s.io', 'v1', 'storageclasses');
  const classes = new Following<StorageClass>(context, resource);
  return {
    name: 'DefaultStorageClass',
    concerns: ({ groupResource }, subresource, operation) =>
      groupResource === 'persistentvolumeclaims' && subresource === '' && operation === 'CREATE',
    handles: ({ object }) => {
      const { metadata, spec } = object as unknown as PersistentVolumeClaim;
      return (
        spec?.storageClassName === undefined &&
        metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] === undefined
      );
    },
    mutate({ object }) {
      const name = newestMarked(
        classes,
        'storageclass.kubernetes.io/is-default-class',
        'storageclass.beta.kubernetes.io/is-default-class',
      );
      const { spec } = object as unknown as Draft<PersistentVolumeClaim>;
      if (name !== undefined && spec !== undefined) spec.storageClassName = name;
    },
  };
}

export function defaultIngressClass(context: AdmissionContext): AdmissionStep {
  const resource = context.resources.find('networking.k8s.io', 'v1', 'ingressclasses');
  const classes = new Following<IngressClass>(context, resource);
  return {
    name: 'DefaultIngressClass',
    concerns: ({ groupResource }, subresource, operation) =>
      groupResource === 'ingresses.networking.k8s.io' && subresource === '' && operation === 'CREATE',
    handles: ({ object }) => {
      const { metadata, spec } = object as unknown as Ingress;
      return (
        spec?.ingressClassName === undefined &&
        metadata.annotations?.['kubernetes.io/ingress.class'] === undefined
      );
    },
    mutate({ object }) {
      const name = newestMarked(classes, 'ingressclass.kubernetes.io/is-default-class');
      const ingress = object as unknown as Draft<Ingress>;
      if (name !== undefined) ingress.spec = { ...ingress.spec, ingressClassName: name };
    },
  };
}

/** The newest; of those of one moment the first by name. */
function newestMarked<T extends KubeObject>(
  classes: Following<T>,
  ...annotations: readonly string[]
): string | undefined {
  let best: KubeObject['metadata'] | undefined;
  for (const { metadata } of classes.in('').values()) {
    if (!annotations.some((one) => metadata.annotations?.[one] === 'true')) continue;
    const [at = '', bestAt = ''] = [metadata.creationTimestamp, best?.creationTimestamp];
    if (best === undefined || at > bestAt || (at === bestAt && (metadata.name ?? '') < (best.name ?? '')))
      best = metadata;
  }
  return best?.name;
}

export function persistentVolumeClaimResize(context: AdmissionContext): AdmissionStep {
  const resource = context.resources.find('storage.k8s.io', 'v1', 'storageclasses');
  return {
    name: 'PersistentVolumeClaimResize',
    concerns: ({ groupResource }, subresource, operation) =>
      groupResource === 'persistentvolumeclaims' && subresource === '' && operation === 'UPDATE',
    handles: ({ object, oldObject }) => {
      const asked = (object as unknown as PersistentVolumeClaim).spec?.resources?.requests?.['storage'];
      const before = (oldObject as PersistentVolumeClaim).spec?.resources?.requests?.['storage'];
      return asked !== undefined && before !== undefined && compareQuantities(asked, before) > 0;
    },
    validate(admission) {
      const { spec, status } = admission.oldObject as PersistentVolumeClaim;
      if (status?.phase !== 'Bound')
        throw refused(admission, 'Only bound persistent volume claims can be expanded');
      const name = spec?.storageClassName ?? '';
      const stored =
        name === '' || resource === undefined ? undefined : context.store.latest(resource.key('', name));
      if ((stored?.object() as StorageClass | undefined)?.allowVolumeExpansion !== true)
        throw refused(
          admission,
          'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
        );
    },
  };
}
