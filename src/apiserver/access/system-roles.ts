/**
 * Roles of the system's own parts and of those who stand in for them: node agents, schedulers, provisioners, approvers of certificates; and what is granted in
 * kube-system alone. Source: Kubernetes 1.36, rbac bootstrap policy, as facts.
 */
import type { ClusterRole, PolicyRule, Role, RoleBinding } from '../../api/index.ts';
import { autoUpdate, bootstrapping, clusterRole, group, read, rule } from './role-parts.ts';

const csr = 'system:certificates.k8s.io:';
const approver = (name: string, signer: string): ClusterRole =>
  clusterRole(`${csr}${name}-approver`, [
    rule('certificates.k8s.io', 'signers', 'approve', `kubernetes.io/${signer}`),
  ]);
const events: readonly PolicyRule[] = [rule('core events.k8s.io', 'events', 'create patch update')];
const leader = (name: string): readonly PolicyRule[] => [
  rule('coordination.k8s.io', 'leases', 'create'),
  rule('coordination.k8s.io', 'leases', 'get update', name),
];

const nodeRules: readonly PolicyRule[] = [
  rule('authentication.k8s.io', 'tokenreviews', 'create'),
  rule('authorization.k8s.io', 'localsubjectaccessreviews subjectaccessreviews', 'create'),
  rule('core', 'services', read),
  rule('core', 'nodes', 'create get list watch update patch'),
  rule('core', 'nodes/status', 'patch update'),
  rule('core', 'events', 'create patch update'),
  rule('core', 'pods', 'create delete get list watch'),
  rule('core', 'pods/status', 'patch update'),
  rule('core', 'pods/eviction', 'create'),
  rule('core', 'configmaps secrets', read),
  rule('core', 'persistentvolumeclaims persistentvolumes', 'get'),
  rule('core', 'persistentvolumeclaims/status', 'get patch update'),
  rule('core', 'endpoints', 'get'),
  rule('certificates.k8s.io', 'certificatesigningrequests', 'create get list watch'),
  rule('coordination.k8s.io', 'leases', 'create delete get patch update'),
  rule('storage.k8s.io', 'volumeattachments', 'get'),
  rule('core', 'serviceaccounts/token', 'create'),
  rule('core', 'serviceaccounts', 'get'),
  rule('storage.k8s.io', 'csidrivers', read),
  rule('storage.k8s.io', 'csinodes', 'create delete get patch update'),
  rule('node.k8s.io', 'runtimeclasses', read),
  rule('resource.k8s.io', 'resourceclaims', 'get'),
  rule('resource.k8s.io', 'resourceslices', 'create delete deletecollection get list patch update watch'),
];

const schedulerRules: readonly PolicyRule[] = [
  ...events,
  ...leader('kube-scheduler'),
  rule('core', 'nodes', read),
  rule('core', 'pods', 'delete get list watch'),
  rule('core', 'bindings pods/binding', 'create'),
  rule('core', 'pods/status', 'patch update'),
  rule('core', 'replicationcontrollers services namespaces', read),
  rule('apps', 'replicasets statefulsets', read),
  rule('policy', 'poddisruptionbudgets', read),
  rule('core', 'persistentvolumeclaims persistentvolumes', read),
  rule('authentication.k8s.io', 'tokenreviews', 'create'),
  rule('authorization.k8s.io', 'subjectaccessreviews', 'create'),
  rule('storage.k8s.io', 'csinodes csidrivers csistoragecapacities volumeattachments', read),
  rule('resource.k8s.io', 'deviceclasses resourceslices devicetaintrules', read),
  rule('resource.k8s.io', 'resourceclaims', `${read} patch update`),
  rule('resource.k8s.io', 'resourceclaims/status', 'get patch update'),
  rule('core', 'pods/finalizers', 'update'),
];

const controllerManagerRules: readonly PolicyRule[] = [
  ...events,
  ...leader('kube-controller-manager'),
  rule('core', 'secrets serviceaccounts', 'create'),
  rule('core', 'secrets', 'delete'),
  rule('core', 'configmaps namespaces secrets serviceaccounts', 'get'),
  rule('core', 'secrets serviceaccounts', 'update'),
  rule('authentication.k8s.io', 'tokenreviews', 'create'),
  rule('authorization.k8s.io', 'subjectaccessreviews', 'create'),
  rule('*', '*', 'list watch'),
  rule('core', 'serviceaccounts/token', 'create'),
];

export const systemRoles: readonly ClusterRole[] = [
  clusterRole(`${csr}certificatesigningrequests:nodeclient`, [
    rule('certificates.k8s.io', 'certificatesigningrequests/nodeclient', 'create'),
  ]),
  clusterRole(`${csr}certificatesigningrequests:selfnodeclient`, [
    rule('certificates.k8s.io', 'certificatesigningrequests/selfnodeclient', 'create'),
  ]),
  approver('legacy-unknown', 'legacy-unknown'),
  approver('kubelet-serving', 'kubelet-serving'),
  approver('kube-apiserver-client', 'kube-apiserver-client'),
  approver('kube-apiserver-client-kubelet', 'kube-apiserver-client-kubelet'),
  clusterRole('system:node', nodeRules),
  clusterRole('system:node-bootstrapper', [
    rule('certificates.k8s.io', 'certificatesigningrequests', 'create get list watch'),
  ]),
  clusterRole('system:node-problem-detector', [
    rule('core', 'nodes', 'get'),
    rule('core', 'nodes/status', 'patch'),
    ...events,
  ]),
  clusterRole('system:kubelet-api-admin', [
    rule('core', 'nodes', 'get list watch'),
    rule('core', 'nodes', 'proxy'),
    rule(
      'core',
      'nodes/log nodes/metrics nodes/proxy nodes/stats nodes/configz nodes/healthz nodes/pods nodes/checkpoint',
      '*',
    ),
  ]),
  clusterRole('system:kube-scheduler', schedulerRules),
  clusterRole('system:volume-scheduler', [
    rule('core', 'persistentvolumes', `${read} patch update`),
    rule('storage.k8s.io', 'storageclasses', read),
    rule('core', 'persistentvolumeclaims', `${read} patch update`),
  ]),
  clusterRole('system:kube-controller-manager', controllerManagerRules),
  clusterRole('system:kube-dns', [rule('core', 'endpoints services', 'list watch')]),
  clusterRole('system:persistent-volume-provisioner', [
    rule('core', 'persistentvolumes', 'create delete get list watch'),
    rule('core', 'persistentvolumeclaims', `${read} update`),
    rule('storage.k8s.io', 'storageclasses', read),
    rule('core', 'events', 'watch'),
    ...events,
  ]),
];

interface InNamespace {
  readonly role: Role;
  readonly binding?: RoleBinding;
}

function local(
  namespace: string,
  name: string,
  rules: readonly PolicyRule[],
  ...users: readonly string[]
): InNamespace {
  const metadata = { namespace, labels: bootstrapping, annotations: { [autoUpdate]: 'true' } };
  const apiVersion = `${group}/v1`;
  const role: Role = { apiVersion, kind: 'Role', metadata: { ...metadata, name }, rules };
  if (users.length === 0) return { role };
  return {
    role,
    binding: {
      apiVersion,
      kind: 'RoleBinding',
      metadata: { ...metadata, name: name.startsWith('system::') ? name : `system::${name}` },
      subjects: users.map((user) => ({ kind: 'User', apiGroup: group, name: user })),
      roleRef: { apiGroup: group, kind: 'Role', name },
    },
  };
}

/** Granted in one namespace. */
export const localRoles: readonly InNamespace[] = [
  local(
    'kube-system',
    'extension-apiserver-authentication-reader',
    [rule('core', 'configmaps', read, 'extension-apiserver-authentication')],
    'system:kube-controller-manager',
    'system:kube-scheduler',
  ),
  local(
    'kube-system',
    'system::leader-locking-kube-controller-manager',
    [
      rule('core', 'configmaps', 'watch'),
      rule('core', 'configmaps', 'get update', 'kube-controller-manager'),
    ],
    'system:kube-controller-manager',
  ),
  local(
    'kube-system',
    'system::leader-locking-kube-scheduler',
    [rule('core', 'configmaps', 'watch'), rule('core', 'configmaps', 'get update', 'kube-scheduler')],
    'system:kube-scheduler',
  ),
];
