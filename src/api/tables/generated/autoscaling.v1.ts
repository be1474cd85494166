/** The table of autoscaling.v1. Made by tools/make-tables.ts from facts of Kubernetes 1.36 (Apache-2.0); do not edit. Grammar: ../table-text.ts. */
export const table = `
ContainerResourceMetricSource
  name 1 string
  targetAverageUtilization 2 int32 nullable
  targetAverageValue 3 quantity
  container 5 string

ContainerResourceMetricStatus
  name 1 string
  currentAverageUtilization 2 int32 nullable
  currentAverageValue 3 quantity
  container 4 string

CrossVersionObjectReference map=atomic
  kind! 1 string default=""
  name! 2 string default=""
  apiVersion 3 string

ExternalMetricSource
  metricName 1 string
  metricSelector 2 meta.v1.LabelSelector
  targetValue 3 quantity
  targetAverageValue 4 quantity

ExternalMetricStatus
  metricName 1 string
  metricSelector 2 meta.v1.LabelSelector
  currentValue 3 quantity
  currentAverageValue 4 quantity

HorizontalPodAutoscaler kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec! 2 HorizontalPodAutoscalerSpec default={}
  status 3 HorizontalPodAutoscalerStatus default={}

HorizontalPodAutoscalerCondition
  type 1 string
  status 2 string
  lastTransitionTime 3 time
  reason 4 string
  message 5 string

HorizontalPodAutoscalerList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []HorizontalPodAutoscaler

HorizontalPodAutoscalerSpec
  scaleTargetRef! 1 CrossVersionObjectReference default={}
  minReplicas 2 int32 nullable
  maxReplicas! 3 int32 default=0
  targetCPUUtilizationPercentage 4 int32 nullable

HorizontalPodAutoscalerStatus
  observedGeneration 1 int64 nullable
  lastScaleTime 2 time
  currentReplicas! 3 int32 default=0
  desiredReplicas! 4 int32 default=0
  currentCPUUtilizationPercentage 5 int32 nullable

MetricSpec
  type 1 string
  object 2 ObjectMetricSource
  pods 3 PodsMetricSource
  resource 4 ResourceMetricSource
  external 5 ExternalMetricSource
  containerResource 7 ContainerResourceMetricSource

MetricStatus
  type 1 string
  object 2 ObjectMetricStatus
  pods 3 PodsMetricStatus
  resource 4 ResourceMetricStatus
  external 5 ExternalMetricStatus
  containerResource 7 ContainerResourceMetricStatus

ObjectMetricSource
  target 1 CrossVersionObjectReference
  metricName 2 string
  targetValue 3 quantity
  selector 4 meta.v1.LabelSelector
  averageValue 5 quantity

ObjectMetricStatus
  target 1 CrossVersionObjectReference
  metricName 2 string
  currentValue 3 quantity
  selector 4 meta.v1.LabelSelector
  averageValue 5 quantity

PodsMetricSource
  metricName 1 string
  targetAverageValue 2 quantity
  selector 3 meta.v1.LabelSelector

PodsMetricStatus
  metricName 1 string
  currentAverageValue 2 quantity
  selector 3 meta.v1.LabelSelector

ResourceMetricSource
  name 1 string
  targetAverageUtilization 2 int32 nullable
  targetAverageValue 3 quantity

ResourceMetricStatus
  name 1 string
  currentAverageUtilization 2 int32 nullable
  currentAverageValue 3 quantity

Scale kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec 2 ScaleSpec default={}
  status 3 ScaleStatus default={}

ScaleSpec
  replicas 1 int32 default=0

ScaleStatus
  replicas! 1 int32 default=0
  selector 2 string
`;
