/**
 * The schema tables of kinds that Kubernetes itself does not have, in the grammar of `table-text.ts`: written by hand, by group and version.
 *
 * - `dev.caelum.autoscale.v1` (autoscale.caelum.dev): elasticity policies, and what they remember.
 * - `dev.caelum.scheduling.v1` (scheduling.caelum.dev): queues, rebalance policies, reservations.
 * - `io.k8s.autoscaling.v1` (autoscaling.k8s.io): vertical autoscalers, as the Kubernetes autoscaler project defines them.
 *
 * A table is called as its kinds are in OpenAPI: the group turned around.
 */
export const ownTables: Readonly<Record<string, string>> = {
  'dev.caelum.autoscale.v1': `
ElasticityAction
  type! 1 string
  amount! 2 intOrString
  when! 3 []string list=atomic

ElasticityCapacity
  metric! 1 ElasticityMetric
  perReplica 2 quantity
  utilization 3 int32 nullable
  buffer 4 intOrString
  tolerance 5 intOrString

ElasticityConstraints
  minReplicas 1 int32 nullable
  maxReplicas! 2 int32
  maxStep 3 intOrString
  maxRate 4 ElasticityRate
  stabilization 5 duration

ElasticityContainerResource
  name! 1 string
  container! 2 string

ElasticityForecast
  time 1 time
  horizon 2 duration
  demand 3 quantity
  errorPercent 4 int32 nullable
  steadyErrorPercent 5 int32 nullable
  history 6 duration

ElasticityHistory kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec 2 ElasticityHistorySpec
  status 3 ElasticityHistoryStatus

ElasticityHistorySpec
  policyName! 1 string
  demand 2 string

ElasticityHistoryStatus
  version 1 string
  lastUpdateTime 2 time
  seasonSeconds 3 int32
  firstStep 4 int64
  lastStep 5 int64
  steps 6 int64
  level 7 double
  spread 8 double
  profile 9 []double list=atomic
  seen 10 []int32 list=atomic
  methods 11 []ElasticityMethod list=map(name) patch=merge(name)
  regression 12 ElasticityRegression

ElasticityMethod
  name! 1 string
  error 2 double
  weight 3 double
  ratios 4 {}double
  recent 5 double

ElasticityMetric
  type! 1 string
  resource 2 ElasticityResource
  containerResource 3 ElasticityContainerResource
  pods 4 ElasticityPodsMetric
  object 5 ElasticityObjectMetric
  external 6 ElasticityPodsMetric

ElasticityObjectMetric
  describedObject! 1 autoscaling.v2.CrossVersionObjectReference
  metric! 2 autoscaling.v2.MetricIdentifier

ElasticityPodsMetric
  metric! 1 autoscaling.v2.MetricIdentifier

ElasticityPolicy kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec! 2 ElasticityPolicySpec default={}
  status 3 ElasticityPolicyStatus default={}

ElasticityPolicySpec
  scaleTargetRef! 1 autoscaling.v2.CrossVersionObjectReference
  mode 2 string
  triggers 3 []ElasticityTrigger list=map(name) patch=merge(name)
  actions 4 []ElasticityAction list=atomic
  capacity 5 ElasticityCapacity
  prediction 6 ElasticityPrediction
  constraints! 7 ElasticityConstraints
  cooldown 8 duration
  scaleOutCooldown 9 duration

ElasticityPolicyStatus
  observedGeneration 1 int64 nullable
  lastScaleTime 2 time
  currentReplicas 3 int32
  desiredReplicas 4 int32
  demand 5 quantity
  triggers 6 []ElasticityTriggerStatus list=map(name) patch=merge(name)
  forecast 7 ElasticityForecast
  conditions 8 []meta.v1.Condition list=map(type) patch=merge(type)

ElasticityPrediction
  horizon 1 duration
  percentile 2 int32 nullable
  season 3 duration
  minHistory 4 duration

ElasticityRate
  replicas! 1 int32
  period! 2 duration

ElasticityRegression
  weights 1 []double list=atomic
  spread 2 []double list=atomic
  usual 3 double

ElasticityResource
  name! 1 string

ElasticityTrigger
  name! 1 string
  metric! 2 ElasticityMetric
  measure 3 string
  operator! 4 string
  threshold! 5 quantity
  duration 6 duration

ElasticityTriggerStatus
  name! 1 string
  value 2 quantity
  holds 3 bool
  since 4 time
`,

  'dev.caelum.scheduling.v1': `
Queue kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec 2 QueueSpec default={}
  status 3 QueueStatus default={}

QueueSpec
  parent 1 string
  weight 2 int32 nullable
  min 3 {}quantity
  max 4 {}quantity
  mayBorrow 5 bool nullable
  mayLend 6 bool nullable
  reclaimPolicy 7 string
  podSelection 8 string
  namespaces 9 []string list=set
  namespaceSelector 10 meta.v1.LabelSelector

QueueStatus
  observedGeneration 1 int64 nullable
  used 2 {}quantity
  pending 3 {}quantity
  borrowed 4 {}quantity
  pods 5 int32
  pendingPods 6 int32
  dominantResource 7 string
  dominantShare 8 quantity
  fairShare 9 quantity
  conditions 10 []meta.v1.Condition list=map(type) patch=merge(type)

RebalanceLimits
  moves 1 int32 nullable
  movesPerNode 2 int32 nullable
  movesPerNamespace 3 int32 nullable
  maxPriority 4 int32 nullable
  minPodAge 5 duration

RebalanceMove
  pod! 1 string
  from! 2 string
  to 3 string
  strategy! 4 string
  reason 5 string

RebalancePolicy kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec! 2 RebalancePolicySpec default={}
  status 3 RebalancePolicyStatus default={}

RebalancePolicySpec
  mode 1 string
  schedule 2 string
  interval 3 duration
  suspend 4 bool nullable
  strategies! 5 []RebalanceStrategy list=map(type) patch=merge(type)
  limits 6 RebalanceLimits
  allow 7 []string list=set
  namespaces 8 []string list=set
  excludedNamespaces 9 []string list=set
  podSelector 10 meta.v1.LabelSelector
  nodeSelector 11 meta.v1.LabelSelector

RebalancePolicyStatus
  observedGeneration 1 int64 nullable
  lastPlanTime 2 time
  lastMoveTime 3 time
  nextPlanTime 4 time
  planned 5 int32
  moves 6 []RebalanceMove list=atomic
  stays 7 []RebalanceStay list=atomic
  done 8 int64
  failed 9 int64
  conditions 10 []meta.v1.Condition list=map(type) patch=merge(type)

RebalanceStay
  reason! 1 string
  count! 2 int32

RebalanceStrategy
  type! 1 string
  nodeNames 2 []string list=set
  resources 3 []string list=set
  thresholds 4 {}int32
  targetThresholds 5 {}int32
  includeSoft 6 bool nullable
  maxRestarts 7 int32 nullable
  maxLifetime 8 duration

Reservation kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec! 2 ReservationSpec default={}
  status 3 ReservationStatus default={}

ReservationPlace
  node! 1 string
  count! 2 int32
  pods 3 []string list=atomic

ReservationSpec
  count! 1 int32
  template! 2 ReservationTemplate default={}
  mode 3 string
  whenRefused 4 string
  selector 5 meta.v1.LabelSelector
  ttl 6 duration
  expireTime 7 time

ReservationStatus
  observedGeneration 1 int64 nullable
  phase 2 string
  allocated 3 int32
  used 4 int32
  expireTime 5 time
  places 6 []ReservationPlace list=map(node) patch=merge(node)
  conditions 7 []meta.v1.Condition list=map(type) patch=merge(type)

ReservationTemplate
  requests! 1 {}quantity
  labels 2 {}string
  nodeSelector 3 {}string
  affinity 4 core.v1.Affinity
  tolerations 5 []core.v1.Toleration list=atomic
  topologySpreadConstraints 6 []core.v1.TopologySpreadConstraint list=atomic

SchedulingCapacityRatio
  shape 1 []SchedulingShapePoint list=atomic

SchedulingCustomScore
  expression 1 string
  function 2 string

SchedulingLocationLabels
  region 1 string
  zone 2 string
  datacenter 3 string
  rack 4 string

SchedulingLocations
  preferred 1 []SchedulingPreferredLocation list=atomic
  labels 2 SchedulingLocationLabels

SchedulingPreferredLocation
  region 1 string
  zone 2 string
  datacenter 3 string
  rack 4 string
  weight 5 int32 nullable

SchedulingPrice
  capacityType 1 string
  instanceType 2 string
  zone 3 string
  nodeLabels 4 {}string
  hourly! 5 quantity

SchedulingProfile kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec 2 SchedulingProfileSpec default={}
  status 3 SchedulingProfileStatus default={}

SchedulingProfileSpec
  schedulerName 1 string
  strategy 2 string
  workloads 3 []SchedulingWorkloadStrategy list=map(type) patch=merge(type)
  allowPodStrategy 4 bool nullable
  strategyWeight 5 int32 nullable
  weights 6 {}int32
  scoringStrategy 7 SchedulingScoringStrategy
  custom 8 SchedulingCustomScore
  prices 9 []SchedulingPrice list=atomic
  locations 10 SchedulingLocations

SchedulingProfileStatus
  observedGeneration 1 int64 nullable
  conditions 2 []meta.v1.Condition list=map(type) patch=merge(type)

SchedulingScoredResource
  name! 1 string
  weight 2 int64 nullable

SchedulingScoringStrategy
  type 1 string
  resources 2 []SchedulingScoredResource list=map(name) patch=merge(name)
  requestedToCapacityRatio 3 SchedulingCapacityRatio

SchedulingShapePoint
  utilization! 1 int32
  score! 2 int32

SchedulingWorkloadStrategy
  type! 1 string
  strategy! 2 string
`,

  'io.k8s.autoscaling.v1': `
ContainerResourcePolicy
  containerName 1 string
  mode 2 string nullable
  minAllowed 3 {}quantity
  maxAllowed 4 {}quantity
  controlledResources 5 []string nullable patch=merge
  controlledValues 6 string nullable
  oomBumpUpRatio 7 quantity
  oomMinBumpUp 8 quantity
  startupBoost 9 StartupBoost

EvictionRequirement
  resources! 1 []string
  changeRequirement! 2 string

GenericStartupBoost
  type! 1 string
  factor 2 int32 nullable
  quantity 3 quantity
  durationSeconds 4 int32 nullable

HistogramCheckpoint
  referenceTimestamp 1 time
  bucketWeights 2 {}int64
  totalWeight 3 double

PodResourcePolicy
  containerPolicies 1 []ContainerResourcePolicy patch=merge(containerName)

PodUpdatePolicy
  updateMode 1 string nullable
  minReplicas 2 int32 nullable
  evictionRequirements 3 []EvictionRequirement

RecommendedContainerResources
  containerName 1 string
  target! 2 {}quantity
  lowerBound 3 {}quantity
  upperBound 4 {}quantity
  uncappedTarget 5 {}quantity

RecommendedPodResources
  containerRecommendations 1 []RecommendedContainerResources

StartupBoost
  cpu 1 GenericStartupBoost

VerticalPodAutoscaler kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec! 2 VerticalPodAutoscalerSpec default={}
  status 3 VerticalPodAutoscalerStatus default={}

VerticalPodAutoscalerCheckpoint kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec 2 VerticalPodAutoscalerCheckpointSpec
  status 3 VerticalPodAutoscalerCheckpointStatus

VerticalPodAutoscalerCheckpointSpec
  vpaObjectName 1 string
  containerName 2 string

VerticalPodAutoscalerCheckpointStatus
  lastUpdateTime 1 time
  version 2 string
  cpuHistogram 3 HistogramCheckpoint
  memoryHistogram 4 HistogramCheckpoint
  firstSampleStart 5 time
  lastSampleStart 6 time
  totalSamplesCount 7 int64

VerticalPodAutoscalerCondition
  type! 1 string
  status! 2 string
  lastTransitionTime 3 time
  reason 4 string
  message 5 string

VerticalPodAutoscalerRecommenderSelector
  name! 1 string

VerticalPodAutoscalerSpec
  targetRef! 1 autoscaling.v1.CrossVersionObjectReference
  updatePolicy 2 PodUpdatePolicy
  resourcePolicy 3 PodResourcePolicy
  recommenders 4 []VerticalPodAutoscalerRecommenderSelector
  startupBoost 5 StartupBoost

VerticalPodAutoscalerStatus
  recommendation 1 RecommendedPodResources
  conditions 2 []VerticalPodAutoscalerCondition patch=merge(type)
`,
};

/** The API group under which each is served. */
export const ownServedGroups: Readonly<Record<string, string>> = {
  'dev.caelum.autoscale.v1': 'autoscale.caelum.dev',
  'dev.caelum.scheduling.v1': 'scheduling.caelum.dev',
  'io.k8s.autoscaling.v1': 'autoscaling.k8s.io',
};
