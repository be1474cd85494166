/** The table of metrics.v1beta1. Made by tools/make-tables.ts from facts of Kubernetes 1.36 (Apache-2.0); do not edit. Grammar: ../table-text.ts. */
export const table = `
ContainerMetrics
  name 1 string
  usage 2 {}quantity

NodeMetrics
  metadata 1 meta.v1.ObjectMeta
  timestamp 2 time
  window 3 duration
  usage 4 {}quantity

NodeMetricsList
  metadata 1 meta.v1.ListMeta
  items 2 []NodeMetrics

PodMetrics
  metadata 1 meta.v1.ObjectMeta
  timestamp 2 time
  window 3 duration
  containers 4 []ContainerMetrics

PodMetricsList
  metadata 1 meta.v1.ListMeta
  items 2 []PodMetrics
`;
