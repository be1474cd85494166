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
