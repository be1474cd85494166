/** The table of node.v1. Made by tools/make-tables.ts from facts of Kubernetes 1.36 (Apache-2.0); do not edit. Grammar: ../table-text.ts. */
export const table = `
Overhead
  podFixed 1 {}quantity

RuntimeClass kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  handler! 2 string default=""
  overhead 3 Overhead
  scheduling 4 Scheduling

RuntimeClassList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []RuntimeClass

Scheduling
  nodeSelector 1 {}string map=atomic
  tolerations 2 []core.v1.Toleration list=atomic
`;
