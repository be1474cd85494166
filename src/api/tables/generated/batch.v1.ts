/** The table of batch.v1. Made by tools/make-tables.ts from facts of Kubernetes 1.36 (Apache-2.0); do not edit. Grammar: ../table-text.ts. */
export const table = `
CronJob kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec! 2 CronJobSpec default={}
  status 3 CronJobStatus default={}

CronJobList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []CronJob

CronJobSpec
  schedule! 1 string default=""
  startingDeadlineSeconds 2 int64 nullable
  concurrencyPolicy 3 string
  suspend 4 bool nullable
  jobTemplate! 5 JobTemplateSpec default={}
  successfulJobsHistoryLimit 6 int32 nullable
  failedJobsHistoryLimit 7 int32 nullable
  timeZone 8 string nullable

CronJobStatus
  active 1 []core.v1.ObjectReference list=atomic
  lastScheduleTime 4 time
  lastSuccessfulTime 5 time

Job kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec 2 JobSpec default={}
  status 3 JobStatus default={}

JobCondition
  type! 1 string default=""
  status! 2 string default=""
  lastProbeTime 3 time
  lastTransitionTime 4 time
  reason 5 string
  message 6 string

JobList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []Job

JobSpec
  parallelism 1 int32 nullable
  completions 2 int32 nullable
  activeDeadlineSeconds 3 int64 nullable
  selector 4 meta.v1.LabelSelector
  manualSelector 5 bool nullable
  template! 6 core.v1.PodTemplateSpec default={}
  backoffLimit 7 int32 nullable
  ttlSecondsAfterFinished 8 int32 nullable
  completionMode 9 string nullable
  suspend 10 bool nullable
  podFailurePolicy 11 PodFailurePolicy
  backoffLimitPerIndex 12 int32 nullable
  maxFailedIndexes 13 int32 nullable
  podReplacementPolicy 14 string nullable
  managedBy 15 string nullable
  successPolicy 16 SuccessPolicy

JobStatus
  conditions 1 []JobCondition list=atomic patch=merge(type)
  startTime 2 time
  completionTime 3 time
  active 4 int32
  succeeded 5 int32
  failed 6 int32
  completedIndexes 7 string
  uncountedTerminatedPods 8 UncountedTerminatedPods
  ready 9 int32 nullable
  failedIndexes 10 string nullable
  terminating 11 int32 nullable

JobTemplateSpec
  metadata 1 meta.v1.ObjectMeta default={}
  spec 2 JobSpec default={}

PodFailurePolicy
  rules! 1 []PodFailurePolicyRule list=atomic

PodFailurePolicyOnExitCodesRequirement
  containerName 1 string nullable
  operator! 2 string default=""
  values! 3 []int32 list=set

PodFailurePolicyOnPodConditionsPattern
  type! 1 string default=""
  status 2 string default=""

PodFailurePolicyRule
  action! 1 string default=""
  onExitCodes 2 PodFailurePolicyOnExitCodesRequirement
  onPodConditions 3 []PodFailurePolicyOnPodConditionsPattern list=atomic

SuccessPolicy
  rules! 1 []SuccessPolicyRule list=atomic

SuccessPolicyRule
  succeededIndexes 1 string nullable
  succeededCount 2 int32 nullable

UncountedTerminatedPods
  succeeded 1 []string list=set
  failed 2 []string list=set
`;
