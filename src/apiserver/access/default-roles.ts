/**
 * Roles and bindings that every cloud has, made at start and mended when they lack something. An administrator who wants one of them
 * otherwise annotates it with `rbac.authorization.kubernetes.io/autoupdate: "false"`.
 * Source: Kubernetes' documentation of RBAC, "default roles and role bindings".
 */
import type { ClusterRole, ClusterRoleBinding, PolicyRule } from '../../api/index.ts';
import { autoUpdate, bootstrapping, clusterRole, group, paths, read, rule, write } from './role-parts.ts';
import { systemRoles } from './system-roles.ts';

export { autoUpdate } from './role-parts.ts';

const aggregateTo = (role: string) => ({ [`rbac.authorization.k8s.io/aggregate-to-${role}`]: 'true' });

/** A role whose rules are those of all that carry one of the labels. */
function aggregated(
  name: string,
  from: readonly string[],
  labels: Readonly<Record<string, string>> = {},
): ClusterRole {
  return {
    ...clusterRole(name, [], labels),
    aggregationRule: { clusterRoleSelectors: from.map((role) => ({ matchLabels: aggregateTo(role) })) },
  };
}

const workloads = 'daemonsets deployments replicasets statefulsets';
const adminRules: readonly PolicyRule[] = [
  rule('authorization.k8s.io', 'localsubjectaccessreviews', 'create'),
  rule(group, 'rolebindings roles', `${read} ${write}`),
];
const editRules: readonly PolicyRule[] = [
  rule('core', 'pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy', read),
  rule('core', 'serviceaccounts', 'impersonate'),
  rule('core', 'pods pods/attach pods/exec pods/portforward pods/proxy', write),
  rule('core', 'pods/eviction', 'create'),
  rule(
    'core',
    'configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy',
    write,
  ),
  rule('core', 'serviceaccounts/token', 'create'),
  rule(
    'apps',
    `${workloads} deployments/rollback deployments/scale replicasets/scale statefulsets/scale`,
    write,
  ),
  rule('autoscaling', 'horizontalpodautoscalers', write),
  rule('batch', 'cronjobs jobs', write),
  rule('policy', 'poddisruptionbudgets', write),
  rule('networking.k8s.io', 'ingresses networkpolicies', write),
  rule('coordination.k8s.io', 'leases', `${read} ${write}`),
  rule('resource.k8s.io', 'resourceclaims resourceclaimtemplates', write),
];
const viewRules: readonly PolicyRule[] = [
  rule(
    'core',
    'configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status',
    read,
  ),
  rule(
    'core',
    'bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status namespaces',
    read,
  ),
  rule('discovery.k8s.io', 'endpointslices', read),
  rule(
    'apps',
    `controllerrevisions ${workloads} daemonsets/status deployments/scale deployments/status replicasets/scale replicasets/status statefulsets/scale statefulsets/status`,
    read,
  ),
  rule('autoscaling', 'horizontalpodautoscalers horizontalpodautoscalers/status', read),
  rule('batch', 'cronjobs cronjobs/status jobs jobs/status', read),
  rule('policy', 'poddisruptionbudgets poddisruptionbudgets/status', read),
  rule('networking.k8s.io', 'ingresses ingresses/status networkpolicies', read),
  rule('resource.k8s.io', 'resourceclaims resourceclaims/status resourceclaimtemplates', read),
];
/** Kinds that Kubernetes itself does not have, or not for all yet. */
const groupKinds = 'podgroups workloads';
const ourScaling = 'autoscale.caelum.dev autoscaling.k8s.io';
const ourPolicies = 'elasticitypolicies verticalpodautoscalers';
const discoveryPaths =
  '/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/';

export const defaultClusterRoles: readonly ClusterRole[] = [
  clusterRole('cluster-admin', [rule('*', '*', '*'), paths('*', '*')]),
  clusterRole('system:discovery', [paths(discoveryPaths)]),
  clusterRole('system:public-info-viewer', [paths('/healthz /livez /readyz /version /version/')]),
  clusterRole('system:monitoring', [
    paths('/healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/*'),
  ]),
  clusterRole('system:basic-user', [
    rule('authorization.k8s.io', 'selfsubjectaccessreviews selfsubjectrulesreviews', 'create'),
    rule('authentication.k8s.io', 'selfsubjectreviews', 'create'),
  ]),
  aggregated('admin', ['admin']),
  aggregated('edit', ['edit'], aggregateTo('admin')),
  aggregated('view', ['view'], aggregateTo('edit')),
  clusterRole('system:aggregate-to-admin', adminRules, aggregateTo('admin')),
  clusterRole('system:aggregate-to-edit', editRules, aggregateTo('edit')),
  clusterRole('system:aggregate-to-view', viewRules, aggregateTo('view')),
  clusterRole(
    'system:caelum:aggregate-to-edit',
    [
      rule(ourScaling, ourPolicies, write),
      rule('scheduling.caelum.dev', 'reservations', write),
      rule('scheduling.k8s.io', groupKinds, write),
    ],
    aggregateTo('edit'),
  ),
  clusterRole(
    'system:caelum:aggregate-to-view',
    [
      rule(ourScaling, `${ourPolicies} elasticitypolicies/status elasticityhistories`, read),
      rule(
        'scheduling.caelum.dev',
        'queues queues/status rebalancepolicies rebalancepolicies/status reservations reservations/status',
        read,
      ),
      rule('scheduling.caelum.dev', 'schedulingprofiles schedulingprofiles/status', read),
      rule('scheduling.k8s.io', `${groupKinds} podgroups/status`, read),
    ],
    aggregateTo('view'),
  ),
  // By a name of our own: metrics-server brings `system:aggregated-metrics-reader`, and Helm takes over nothing that is there.
  clusterRole(
    'system:caelum:aggregated-metrics-reader',
    [
      rule('metrics.k8s.io', 'pods nodes', read),
      rule('custom.metrics.k8s.io external.metrics.k8s.io', '*', read),
    ],
    aggregateTo('view'),
  ),
  clusterRole(
    'system:caelum:aggregated-metrics-writer',
    [rule('external.metrics.k8s.io', '*', 'create')],
    aggregateTo('edit'),
  ),
  clusterRole('system:auth-delegator', [
    rule('authentication.k8s.io', 'tokenreviews', 'create'),
    rule('authorization.k8s.io', 'subjectaccessreviews', 'create'),
  ]),
  clusterRole('system:service-account-issuer-discovery', [
    paths(
      '/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/',
    ),
  ]),
  clusterRole('system:heapster', [
    rule('core', 'events namespaces nodes pods', read),
    rule('apps', 'deployments', read),
  ]),
  clusterRole('system:node-proxier', [
    rule('core', 'services endpoints nodes', 'get list watch'),
    rule('discovery.k8s.io', 'endpointslices', 'list watch'),
    rule('core events.k8s.io', 'events', 'create patch update'),
  ]),
  ...systemRoles,
];

/** Users are marked: `User/NAME`; all others are groups. */
function bindTo(role: string, ...whom: readonly string[]): ClusterRoleBinding {
  return {
    apiVersion: `${group}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name: role, labels: bootstrapping, annotations: { [autoUpdate]: 'true' } },
    subjects: whom.map((one) =>
      one.startsWith('User/')
        ? { kind: 'User', apiGroup: group, name: one.slice('User/'.length) }
        : { kind: 'Group', apiGroup: group, name: one },
    ),
    roleRef: { apiGroup: group, kind: 'ClusterRole', name: role },
  };
}

export const defaultClusterRoleBindings: readonly ClusterRoleBinding[] = [
  bindTo('cluster-admin', 'system:masters'),
  bindTo('system:discovery', 'system:authenticated'),
  bindTo('system:public-info-viewer', 'system:authenticated', 'system:unauthenticated'),
  bindTo('system:monitoring', 'system:monitoring'),
  bindTo('system:basic-user', 'system:authenticated'),
  bindTo('system:service-account-issuer-discovery', 'system:serviceaccounts'),
  bindTo('system:kube-controller-manager', 'User/system:kube-controller-manager'),
  bindTo('system:kube-scheduler', 'User/system:kube-scheduler'),
  bindTo('system:volume-scheduler', 'User/system:kube-scheduler'),
  bindTo('system:node-proxier', 'User/system:kube-proxy'),
  // Nodes renew their certificates by themselves.
  bindTo('system:certificates.k8s.io:certificatesigningrequests:selfnodeclient', 'system:nodes'),
];
