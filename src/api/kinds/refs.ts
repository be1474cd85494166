/** How each built-in resource is named in the API: what a client is given to say which one it means. */

const ref = (group: string, version: string, resource: string, namespaced: boolean) =>
  ({ group, version, resource, namespaced }) as const;

export const namespaces = ref('', 'v1', 'namespaces', false);
export const nodes = ref('', 'v1', 'nodes', false);
export const pods = ref('', 'v1', 'pods', true);
export const services = ref('', 'v1', 'services', true);
export const endpoints = ref('', 'v1', 'endpoints', true);
export const endpointSlices = ref('discovery.k8s.io', 'v1', 'endpointslices', true);
export const configMaps = ref('', 'v1', 'configmaps', true);
export const secrets = ref('', 'v1', 'secrets', true);
export const serviceAccounts = ref('', 'v1', 'serviceaccounts', true);
export const events = ref('', 'v1', 'events', true);
export const leases = ref('coordination.k8s.io', 'v1', 'leases', true);
export const deployments = ref('apps', 'v1', 'deployments', true);
export const replicaSets = ref('apps', 'v1', 'replicasets', true);
export const statefulSets = ref('apps', 'v1', 'statefulsets', true);
export const daemonSets = ref('apps', 'v1', 'daemonsets', true);
export const controllerRevisions = ref('apps', 'v1', 'controllerrevisions', true);
export const jobs = ref('batch', 'v1', 'jobs', true);
export const cronJobs = ref('batch', 'v1', 'cronjobs', true);
export const elasticityPolicies = ref('autoscale.caelum.dev', 'v1', 'elasticitypolicies', true);
export const rebalancePolicies = ref('scheduling.caelum.dev', 'v1', 'rebalancepolicies', false);
export const queues = ref('scheduling.caelum.dev', 'v1', 'queues', false);
export const schedulingProfiles = ref('scheduling.caelum.dev', 'v1', 'schedulingprofiles', false);
export const verticalPodAutoscalers = ref('autoscaling.k8s.io', 'v1', 'verticalpodautoscalers', true);
export const horizontalPodAutoscalers = ref('autoscaling', 'v2', 'horizontalpodautoscalers', true);
export const podDisruptionBudgets = ref('policy', 'v1', 'poddisruptionbudgets', true);
export const replicationControllers = ref('', 'v1', 'replicationcontrollers', true);
export const podTemplates = ref('', 'v1', 'podtemplates', true);
export const persistentVolumes = ref('', 'v1', 'persistentvolumes', false);
export const persistentVolumeClaims = ref('', 'v1', 'persistentvolumeclaims', true);
export const resourceQuotas = ref('', 'v1', 'resourcequotas', true);
export const limitRanges = ref('', 'v1', 'limitranges', true);
export const podGroups = ref('scheduling.k8s.io', 'v1alpha2', 'podgroups', true);
export const reservations = ref('scheduling.caelum.dev', 'v1', 'reservations', true);
export const priorityClasses = ref('scheduling.k8s.io', 'v1', 'priorityclasses', false);
export const certificateSigningRequests = ref(
  'certificates.k8s.io',
  'v1',
  'certificatesigningrequests',
  false,
);
export const roles = ref('rbac.authorization.k8s.io', 'v1', 'roles', true);
export const roleBindings = ref('rbac.authorization.k8s.io', 'v1', 'rolebindings', true);
export const clusterRoles = ref('rbac.authorization.k8s.io', 'v1', 'clusterroles', false);
export const clusterRoleBindings = ref('rbac.authorization.k8s.io', 'v1', 'clusterrolebindings', false);
export const customResourceDefinitions = ref(
  'apiextensions.k8s.io',
  'v1',
  'customresourcedefinitions',
  false,
);
export const networkPolicies = ref('networking.k8s.io', 'v1', 'networkpolicies', true);
export const ingresses = ref('networking.k8s.io', 'v1', 'ingresses', true);
export const storageClasses = ref('storage.k8s.io', 'v1', 'storageclasses', false);
