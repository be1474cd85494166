/** The table of discovery.v1. Made by tools/make-tables.ts from facts of Kubernetes 1.36 (Apache-2.0); do not edit. Grammar: ../table-text.ts. */
export const table = `
Endpoint
  addresses! 1 []string list=set
  conditions 2 EndpointConditions default={}
  hostname 3 string
  targetRef 4 core.v1.ObjectReference
  deprecatedTopology 5 {}string
  nodeName 6 string
  zone 7 string
  hints 8 EndpointHints

EndpointConditions
  ready 1 bool
  serving 2 bool
  terminating 3 bool

EndpointHints
  forZones 1 []ForZone list=atomic
  forNodes 2 []ForNode list=atomic

EndpointPort map=atomic
  name 1 string
  protocol 2 string
  port 3 int32
  appProtocol 4 string

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
