/** The table of scheduling.v1. Made by tools/make-tables.ts from facts of Kubernetes 1.36 (Apache-2.0); do not edit. Grammar: ../table-text.ts. */
export const table = `
PriorityClass kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  value 2 int32 default=0
  globalDefault 3 bool
  description 4 string
  preemptionPolicy 5 string nullable

PriorityClassList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []PriorityClass
`;
