/** The resources that the agent reads and writes, by their addresses in the API. */
import type { ResourceRef } from '../client/index.ts';

const core = (resource: string, namespaced = true): ResourceRef => ({
  group: '',
  version: 'v1',
  resource,
  namespaced,
});

export const podsRef = core('pods');
export const nodesRef = core('nodes', false);
export const configMapsRef = core('configmaps');
export const secretsRef = core('secrets');
export const servicesRef = core('services');
export const serviceAccountsRef = core('serviceaccounts');
export const namespacesRef = core('namespaces', false);
export const eventsRef = core('events');
export const persistentVolumesRef = core('persistentvolumes', false);
export const persistentVolumeClaimsRef = core('persistentvolumeclaims');
export const resourceClaimsRef: ResourceRef = {
  group: 'resource.k8s.io',
  version: 'v1',
  resource: 'resourceclaims',
  namespaced: true,
};
export const leasesRef: ResourceRef = {
  group: 'coordination.k8s.io',
  version: 'v1',
  resource: 'leases',
  namespaced: true,
};

export const runtimeClassesRef: ResourceRef = {
  group: 'node.k8s.io',
  version: 'v1',
  resource: 'runtimeclasses',
  namespaced: false,
};

/** Where node leases live. */
export const nodeLeaseNamespace = 'kube-node-lease';
/** The Kubernetes version whose behaviour we show, and our mark on it. */
export const kubeletVersion = 'v1.36.0+caelum';
