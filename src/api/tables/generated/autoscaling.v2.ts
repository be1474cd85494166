/** The table of autoscaling.v2. Made by tools/make-tables.ts from facts of Kubernetes 1.36 (Apache-2.0); do not edit. Grammar: ../table-text.ts. */
export const table = `
ContainerResourceMetricSource
  name! 1 string default=""
  target! 2 MetricTarget default={}
  container! 3 string default=""

ContainerResourceMetricStatus
  name! 1 string default=""
  current! 2 MetricValueStatus default={}
  container! 3 string default=""

CrossVersionObjectReference
  kind! 1 string default=""
  name! 2 string default=""
  apiVersion 3 string

ExternalMetricSource
  metric! 1 MetricIdentifier default={}
  target! 2 MetricTarget default={}

ExternalMetricStatus
  metric! 1 MetricIdentifier default={}
  current! 2 MetricValueStatus default={}

HPAScalingPolicy
  type! 1 string default=""
  value! 2 int32 default=0
  periodSeconds! 3 int32 default=0

HPAScalingRules
  selectPolicy 1 string nullable
  policies 2 []HPAScalingPolicy list=atomic
  stabilizationWindowSeconds 3 int32 nullable
  tolerance 4 quantity

HorizontalPodAutoscaler kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec! 2 HorizontalPodAutoscalerSpec default={}
  status 3 HorizontalPodAutoscalerStatus default={}

HorizontalPodAutoscalerBehavior
  scaleUp 1 HPAScalingRules
  scaleDown 2 HPAScalingRules

HorizontalPodAutoscalerCondition
  type! 1 string default=""
  status! 2 string default=""
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
  metrics 4 []MetricSpec list=atomic
  behavior 5 HorizontalPodAutoscalerBehavior

HorizontalPodAutoscalerStatus
  observedGeneration 1 int64 nullable
  lastScaleTime 2 time
  currentReplicas 3 int32
  desiredReplicas! 4 int32 default=0
  currentMetrics 5 []MetricStatus list=atomic
  conditions 6 []HorizontalPodAutoscalerCondition list=map(type) patch=merge(type)

MetricIdentifier
  name! 1 string default=""
  selector 2 meta.v1.LabelSelector

MetricSpec
  type! 1 string default=""
  object 2 ObjectMetricSource
  pods 3 PodsMetricSource
  resource 4 ResourceMetricSource
  external 5 ExternalMetricSource
  containerResource 7 ContainerResourceMetricSource

MetricStatus
  type! 1 string default=""
  object 2 ObjectMetricStatus
  pods 3 PodsMetricStatus
  resource 4 ResourceMetricStatus
  external 5 ExternalMetricStatus
  containerResource 7 ContainerResourceMetricStatus

MetricTarget
  type! 1 string default=""
  value 2 quantity
  averageValue 3 quantity
  averageUtilization 4 int32 nullable

MetricValueStatus
  value 1 quantity
  averageValue 2 quantity
  averageUtilization 3 int32 nullable

ObjectMetricSource
  describedObject! 1 CrossVersionObjectReference default={}
  target! 2 MetricTarget default={}
  metric! 3 MetricIdentifier default={}

ObjectMetricStatus
  metric! 1 MetricIdentifier default={}
  current! 2 MetricValueStatus default={}
  describedObject! 3 CrossVersionObjectReference default={}

PodsMetricSource
  metric! 1 MetricIdentifier default={}
  target! 2 MetricTarget default={}

PodsMetricStatus
  metric! 1 MetricIdentifier default={}
  current! 2 MetricValueStatus default={}

ResourceMetricSource
  name! 1 string default=""
  target! 2 MetricTarget default={}

ResourceMetricStatus
  name! 1 string default=""
  current! 2 MetricValueStatus default={}
`;
