/** The table of networking.v1. Made by tools/make-tables.ts from facts of Kubernetes 1.36 (Apache-2.0); do not edit. Grammar: ../table-text.ts. */
export const table = `
HTTPIngressPath
  path 1 string
  backend! 2 IngressBackend default={}
  pathType! 3 string nullable

HTTPIngressRuleValue
  paths! 1 []HTTPIngressPath list=atomic

IPAddress kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec! 2 IPAddressSpec default={}

IPAddressList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []IPAddress

IPAddressSpec
  parentRef! 1 ParentReference

IPBlock
  cidr! 1 string default=""
  except 2 []string list=atomic

Ingress kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec 2 IngressSpec default={}
  status 3 IngressStatus default={}

IngressBackend
  resource 3 core.v1.TypedLocalObjectReference
  service 4 IngressServiceBackend

IngressClass kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec 2 IngressClassSpec default={}

IngressClassList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []IngressClass

IngressClassParametersReference
  apiGroup 1 string nullable
  kind! 2 string default=""
  name! 3 string default=""
  scope 4 string nullable
  namespace 5 string nullable

IngressClassSpec
  controller 1 string
  parameters 2 IngressClassParametersReference

IngressList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []Ingress

IngressLoadBalancerIngress
  ip 1 string
  hostname 2 string
  ports 4 []IngressPortStatus list=atomic

IngressLoadBalancerStatus
  ingress 1 []IngressLoadBalancerIngress list=atomic

IngressPortStatus
  port! 1 int32 default=0
  protocol! 2 string default=""
  error 3 string nullable

IngressRule
  host 1 string
  http 2/1 HTTPIngressRuleValue

IngressServiceBackend
  name! 1 string default=""
  port 2 ServiceBackendPort default={}

IngressSpec
  defaultBackend 1 IngressBackend
  tls 2 []IngressTLS list=atomic
  rules 3 []IngressRule list=atomic
  ingressClassName 4 string nullable

IngressStatus
  loadBalancer 1 IngressLoadBalancerStatus default={}

IngressTLS
  hosts 1 []string list=atomic
  secretName 2 string

NetworkPolicy kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec 2 NetworkPolicySpec default={}

NetworkPolicyEgressRule
  ports 1 []NetworkPolicyPort list=atomic
  to 2 []NetworkPolicyPeer list=atomic

NetworkPolicyIngressRule
  ports 1 []NetworkPolicyPort list=atomic
  from 2 []NetworkPolicyPeer list=atomic

NetworkPolicyList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []NetworkPolicy

NetworkPolicyPeer
  podSelector 1 meta.v1.LabelSelector
  namespaceSelector 2 meta.v1.LabelSelector
  ipBlock 3 IPBlock

NetworkPolicyPort
  protocol 1 string nullable
  port 2 intOrString
  endPort 3 int32 nullable

NetworkPolicySpec
  podSelector 1 meta.v1.LabelSelector default={}
  ingress 2 []NetworkPolicyIngressRule list=atomic
  egress 3 []NetworkPolicyEgressRule list=atomic
  policyTypes 4 []string list=atomic

ParentReference
  group 1 string
  resource! 2 string
  namespace 3 string
  name! 4 string

ServiceBackendPort map=atomic
  name 1 string
  number 2 int32

ServiceCIDR kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec 2 ServiceCIDRSpec default={}
  status 3 ServiceCIDRStatus default={}

ServiceCIDRList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []ServiceCIDR

ServiceCIDRSpec
  cidrs 1 []string list=atomic

ServiceCIDRStatus
  conditions 1 []meta.v1.Condition list=map(type) patch=merge(type)
`;
