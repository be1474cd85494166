/** The table of rbac.v1. Made by tools/make-tables.ts from facts of Kubernetes 1.36 (Apache-2.0); do not edit. Grammar: ../table-text.ts. */
export const table = `
AggregationRule
  clusterRoleSelectors 1 []meta.v1.LabelSelector list=atomic

ClusterRole kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  rules 2 []PolicyRule list=atomic
  aggregationRule 3 AggregationRule

ClusterRoleBinding kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  subjects 2 []Subject list=atomic
  roleRef! 3 RoleRef default={}

ClusterRoleBindingList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []ClusterRoleBinding

ClusterRoleList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []ClusterRole

PolicyRule
  verbs! 1 []string list=atomic
  apiGroups 2 []string list=atomic
  resources 3 []string list=atomic
  resourceNames 4 []string list=atomic
  nonResourceURLs 5 []string list=atomic

Role kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  rules 2 []PolicyRule list=atomic

RoleBinding kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  subjects 2 []Subject list=atomic
  roleRef! 3 RoleRef default={}

RoleBindingList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []RoleBinding

RoleList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []Role

RoleRef map=atomic
  apiGroup 1 string default=""
  kind! 2 string default=""
  name! 3 string default=""

Subject map=atomic
  kind! 1 string default=""
  apiGroup 2 string
  name! 3 string default=""
  namespace 4 string
`;
