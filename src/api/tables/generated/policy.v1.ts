/** The table of policy.v1. Made by tools/make-tables.ts from facts of Kubernetes 1.36 (Apache-2.0); do not edit. Grammar: ../table-text.ts. */
export const table = `
Eviction kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  deleteOptions 2 meta.v1.DeleteOptions

PodDisruptionBudget kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec 2 PodDisruptionBudgetSpec default={}
  status 3 PodDisruptionBudgetStatus default={}

PodDisruptionBudgetList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []PodDisruptionBudget

PodDisruptionBudgetSpec
  minAvailable 1 intOrString
  selector 2 meta.v1.LabelSelector patch=replace
  maxUnavailable 3 intOrString
  unhealthyPodEvictionPolicy 4 string nullable

PodDisruptionBudgetStatus
  observedGeneration 1 int64
  disruptedPods 2 {}time
  disruptionsAllowed 3 int32 default=0
  currentHealthy 4 int32 default=0
  desiredHealthy 5 int32 default=0
  expectedPods 6 int32 default=0
  conditions 7 []meta.v1.Condition list=map(type) patch=merge(type)
`;
