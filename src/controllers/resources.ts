/** The resources that controllers read and write, by their addresses in the API, and how to refer to their objects. */
import { apiVersionOf, type Kind, type KubeObject, type ObjectReference } from '../api/index.ts';
import type { ResourceRef } from '../client/index.ts';

/** A resource and the kind it serves. */
export interface Resource extends ResourceRef {
  readonly kind: string;
}

const resource = (group: string, name: string, kind: string, namespaced = true): Resource => ({
  group,
  version: 'v1',
  resource: name,
  kind,
  namespaced,
});

export const podsRef = resource('', 'pods', 'Pod');
export const nodesRef = resource('', 'nodes', 'Node', false);
export const servicesRef = resource('', 'services', 'Service');
export const endpointsRef = resource('', 'endpoints', 'Endpoints');
export const namespacesRef = resource('', 'namespaces', 'Namespace', false);
export const eventsRef = resource('', 'events', 'Event');
export const configMapsRef = resource('', 'configmaps', 'ConfigMap');
export const resourceQuotasRef = resource('', 'resourcequotas', 'ResourceQuota');
export const serviceAccountsRef = resource('', 'serviceaccounts', 'ServiceAccount');
export const secretsRef = resource('', 'secrets', 'Secret');
export const requestsRef = resource(
  'certificates.k8s.io',
  'certificatesigningrequests',
  'CertificateSigningRequest',
  false,
);
export const deploymentsRef = resource('apps', 'deployments', 'Deployment');
export const replicaSetsRef = resource('apps', 'replicasets', 'ReplicaSet');
export const persistentVolumeClaimsRef = resource('', 'persistentvolumeclaims', 'PersistentVolumeClaim');
export const persistentVolumesRef = resource('', 'persistentvolumes', 'PersistentVolume', false);
export const storageClassesRef = resource('storage.k8s.io', 'storageclasses', 'StorageClass', false);
export const statefulSetsRef = resource('apps', 'statefulsets', 'StatefulSet');
export const daemonSetsRef = resource('apps', 'daemonsets', 'DaemonSet');
export const controllerRevisionsRef = resource('apps', 'controllerrevisions', 'ControllerRevision');
export const replicationControllersRef = resource('', 'replicationcontrollers', 'ReplicationController');
export const jobsRef = resource('batch', 'jobs', 'Job');
export const cronJobsRef = resource('batch', 'cronjobs', 'CronJob');
export const podDisruptionBudgetsRef = resource('policy', 'poddisruptionbudgets', 'PodDisruptionBudget');
export const horizontalPodAutoscalersRef: Resource = {
  ...resource('autoscaling', 'horizontalpodautoscalers', 'HorizontalPodAutoscaler'),
  version: 'v2',
};
export const endpointSlicesRef = resource('discovery.k8s.io', 'endpointslices', 'EndpointSlice');
export const clusterRolesRef = resource('rbac.authorization.k8s.io', 'clusterroles', 'ClusterRole', false);
export const volumeAttachmentsRef = resource(
  'storage.k8s.io',
  'volumeattachments',
  'VolumeAttachment',
  false,
);
export const serviceCidrsRef = resource('networking.k8s.io', 'servicecidrs', 'ServiceCIDR', false);
export const ipAddressesRef = resource('networking.k8s.io', 'ipaddresses', 'IPAddress', false);
export const apiServicesRef = resource('apiregistration.k8s.io', 'apiservices', 'APIService', false);
export const resourceClaimsRef = resource('resource.k8s.io', 'resourceclaims', 'ResourceClaim');
export const resourceSlicesRef = resource('resource.k8s.io', 'resourceslices', 'ResourceSlice', false);
export const deviceTaintRulesRef: Resource = {
  ...resource('resource.k8s.io', 'devicetaintrules', 'DeviceTaintRule', false),
  version: 'v1beta2',
};
export const resourceClaimTemplatesRef = resource(
  'resource.k8s.io',
  'resourceclaimtemplates',
  'ResourceClaimTemplate',
);
export const workloadsRef: Resource = {
  ...resource('scheduling.k8s.io', 'workloads', 'Workload'),
  version: 'v1alpha2',
};
export const podGroupsRef: Resource = {
  ...resource('scheduling.k8s.io', 'podgroups', 'PodGroup'),
  version: 'v1alpha2',
};
export const leasesRef = resource('coordination.k8s.io', 'leases', 'Lease');

export function resourceOf(kind: Kind): Resource {
  const { group, version, resource: name, namespaced } = kind;
  return { group, version, resource: name, kind: kind.kind, namespaced };
}

/** What an event or a targetRef says about an object. */
export function referenceTo(of: Resource, object: KubeObject): ObjectReference {
  const { namespace, name, uid, resourceVersion } = object.metadata;
  return {
    apiVersion: apiVersionOf(of.group, of.version),
    kind: of.kind,
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
}
