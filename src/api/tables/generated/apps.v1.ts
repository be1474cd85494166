/** The table of apps.v1. Made by tools/make-tables.ts from facts of Kubernetes 1.36 (Apache-2.0); do not edit. Grammar: ../table-text.ts. */
export const table = `
ControllerRevision kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  data 2 json
  revision! 3 int64 default=0

ControllerRevisionList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []ControllerRevision

DaemonSet kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec 2 DaemonSetSpec default={}
  status 3 DaemonSetStatus default={}

DaemonSetCondition
  type! 1 string default=""
  status! 2 string default=""
  lastTransitionTime 3 time
  reason 4 string
  message 5 string

DaemonSetList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []DaemonSet

DaemonSetSpec
  selector! 1 meta.v1.LabelSelector
  template! 2 core.v1.PodTemplateSpec default={}
  updateStrategy 3 DaemonSetUpdateStrategy default={}
  minReadySeconds 4 int32
  revisionHistoryLimit 6 int32 nullable

DaemonSetStatus
  currentNumberScheduled! 1 int32 default=0
  numberMisscheduled! 2 int32 default=0
  desiredNumberScheduled! 3 int32 default=0
  numberReady! 4 int32 default=0
  observedGeneration 5 int64
  updatedNumberScheduled 6 int32
  numberAvailable 7 int32
  numberUnavailable 8 int32
  collisionCount 9 int32 nullable
  conditions 10 []DaemonSetCondition list=map(type) patch=merge(type)

DaemonSetUpdateStrategy
  type 1 string
  rollingUpdate 2 RollingUpdateDaemonSet

Deployment kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec 2 DeploymentSpec default={}
  status 3 DeploymentStatus default={}

DeploymentCondition
  type! 1 string default=""
  status! 2 string default=""
  reason 4 string
  message 5 string
  lastUpdateTime 6 time
  lastTransitionTime 7 time

DeploymentList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []Deployment

DeploymentSpec
  replicas 1 int32 nullable
  selector! 2 meta.v1.LabelSelector
  template! 3 core.v1.PodTemplateSpec default={}
  strategy 4 DeploymentStrategy patch=retainKeys default={}
  minReadySeconds 5 int32
  revisionHistoryLimit 6 int32 nullable
  paused 7 bool
  progressDeadlineSeconds 9 int32 nullable

DeploymentStatus
  observedGeneration 1 int64
  replicas 2 int32
  updatedReplicas 3 int32
  availableReplicas 4 int32
  unavailableReplicas 5 int32
  conditions 6 []DeploymentCondition list=map(type) patch=merge(type)
  readyReplicas 7 int32
  collisionCount 8 int32 nullable
  terminatingReplicas 9 int32 nullable

DeploymentStrategy
  type 1 string
  rollingUpdate 2 RollingUpdateDeployment

ReplicaSet kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec 2 ReplicaSetSpec default={}
  status 3 ReplicaSetStatus default={}

ReplicaSetCondition
  type! 1 string default=""
  status! 2 string default=""
  lastTransitionTime 3 time
  reason 4 string
  message 5 string

ReplicaSetList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []ReplicaSet

ReplicaSetSpec
  replicas 1 int32 nullable
  selector! 2 meta.v1.LabelSelector
  template 3 core.v1.PodTemplateSpec default={}
  minReadySeconds 4 int32

ReplicaSetStatus
  replicas! 1 int32 default=0
  fullyLabeledReplicas 2 int32
  observedGeneration 3 int64
  readyReplicas 4 int32
  availableReplicas 5 int32
  conditions 6 []ReplicaSetCondition list=map(type) patch=merge(type)
  terminatingReplicas 7 int32 nullable

RollingUpdateDaemonSet
  maxUnavailable 1 intOrString
  maxSurge 2 intOrString

RollingUpdateDeployment
  maxUnavailable 1 intOrString
  maxSurge 2 intOrString

RollingUpdateStatefulSetStrategy
  partition 1 int32 nullable
  maxUnavailable 2 intOrString

StatefulSet kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec 2 StatefulSetSpec default={}
  status 3 StatefulSetStatus default={}

StatefulSetCondition
  type! 1 string default=""
  status! 2 string default=""
  lastTransitionTime 3 time
  reason 4 string
  message 5 string

StatefulSetList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []StatefulSet

StatefulSetOrdinals
  start 1 int32 default=0

StatefulSetPersistentVolumeClaimRetentionPolicy
  whenDeleted 1 string
  whenScaled 2 string

StatefulSetSpec
  replicas 1 int32 nullable
  selector! 2 meta.v1.LabelSelector
  template! 3 core.v1.PodTemplateSpec default={}
  volumeClaimTemplates 4 []core.v1.PersistentVolumeClaim list=atomic
  serviceName 5 string default=""
  podManagementPolicy 6 string
  updateStrategy 7 StatefulSetUpdateStrategy default={}
  revisionHistoryLimit 8 int32 nullable
  minReadySeconds 9 int32
  persistentVolumeClaimRetentionPolicy 10 StatefulSetPersistentVolumeClaimRetentionPolicy
  ordinals 11 StatefulSetOrdinals

StatefulSetStatus
  observedGeneration 1 int64
  replicas! 2 int32 default=0
  readyReplicas 3 int32
  currentReplicas 4 int32
  updatedReplicas 5 int32
  currentRevision 6 string
  updateRevision 7 string
  collisionCount 9 int32 nullable
  conditions 10 []StatefulSetCondition list=map(type) patch=merge(type)
  availableReplicas 11 int32 default=0

StatefulSetUpdateStrategy
  type 1 string
  rollingUpdate 2 RollingUpdateStatefulSetStrategy
`;
