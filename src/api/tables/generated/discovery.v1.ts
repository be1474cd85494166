/** The table of discovery.v1. Made by tools/make-tables.ts from facts of Kubernetes 1.36 (Apache-2.0); do not edit. Grammar: ../table-text.ts. */
export const table = `
Endpoint
  addresses! 1 []string list=set
  conditions 2 EndpointConditions default={}
  hostname 3 string nullable
  targetRef 4 core.v1.ObjectReference
  deprecatedTopology 5 {}string
  nodeName 6 string nullable
  zone 7 string nullable
  hints 8 EndpointHints

EndpointConditions
  ready 1 bool nullable
  serving 2 bool nullable
  terminating 3 bool nullable

EndpointHints
  forZones 1 []ForZone list=atomic
  forNodes 2 []ForNode list=atomic

EndpointPort map=atomic
  name 1 string nullable
  protocol 2 string nullable
  port 3 int32 nullable
  appProtocol 4 string nullable

EndpointSlice kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  endpoints 2 []Endpoint list=atomic
  ports 3 []EndpointPort list=atomic
  addressType! 4 string default=""

EndpointSliceList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []EndpointSlice

ForNode
  name! 1 string default=""

ForZone
  name! 1 string default=""
`;
