/** The table of apiregistration.v1. Made by tools/make-tables.ts from facts of Kubernetes 1.36 (Apache-2.0); do not edit. Grammar: ../table-text.ts. */
export const table = `
APIService kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec 2 APIServiceSpec default={}
  status 3 APIServiceStatus default={}

APIServiceCondition
  type! 1 string default=""
  status! 2 string default=""
  lastTransitionTime 3 time
  reason 4 string
  message 5 string

APIServiceList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []APIService

APIServiceSpec
  service 1 ServiceReference
  group 2 string
  version 3 string
  insecureSkipTLSVerify 4 bool
  caBundle 5 bytes list=atomic
  groupPriorityMinimum! 7 int32 default=0
  versionPriority! 8 int32 default=0

APIServiceStatus
  conditions 1 []APIServiceCondition list=map(type) patch=merge(type)

ServiceReference
  namespace 1 string
  name 2 string
  port 3 int32 nullable
`;
