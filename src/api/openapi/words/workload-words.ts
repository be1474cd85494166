/** Fields of workloads, their autoscalers, budgets, quotas and placement: `field: words` or `Message.field: words`, by the alphabet. */
export const workloadFieldWords = `
action: What is done.
actions: What is done when triggers hold.
activeDeadlineSeconds: After so many seconds it is ended, and has failed.
aggregationRule: Gathers the rules from other roles.
averageUtilization: In percent of what the pods request, in the mean.
averageValue: Of one pod, in the mean.
backoffLimit: How many pods may fail before the Job has failed; 6 unless said otherwise.
backoffLimitPerIndex: How many pods of one index may fail before the index has failed.
behavior: How fast, and how soon, replicas may change.
bucketWeights: How much weight each bucket has.
CapacityRequestPolicy.default: The amount where none is asked for.
changeRequirement: TargetHigherThanRequests or TargetLowerThanRequests.
collisionCount: How often a name was taken; makes the next one differ.
completedIndexes: The indexes that have succeeded, as in 1,3-5.
completionMode: NonIndexed (any pods), or Indexed: each index of 0 to completions - 1 must succeed once.
completions: How many pods shall succeed.
completionTime: When the Job succeeded.
concurrencyPolicy: Allow, Forbid (a run is left out while one is going on) or Replace.
container: Which container of each pod.
containerPolicies: What may be recommended for which container; * stands for all others.
containerRecommendations: What each container should request.
containerResource: What one container of each pod uses of a resource.
cpu: More CPU.
cpuHistogram: What it used of CPUs.
CronJobStatus.active: The Jobs that run.
current: What it is.
currentCPUUtilizationPercentage: What pods use of CPUs, in percent of what they request.
currentHealthy: How many of the pods are healthy.
currentMetrics: What the metrics were.
currentNumberScheduled: How many nodes have a pod and shall have it.
currentReplicas: How many pods there are; of a StatefulSet: of its current revision.
currentRevision: The revision of pods that are not replaced yet.
DaemonSetSpec.updateStrategy: How old pods give way to new ones.
datacenter: The data centre.
describedObject: Of which object it is a metric.
desiredHealthy: How many pods have to be healthy.
desiredNumberScheduled: How many nodes shall have a pod.
desiredReplicas: How many there shall be.
disruptedPods: Pods that were evicted and are not seen going yet, since when.
disruptionMode: Whether pods of the group may be put out one by one, or all at once.
disruptionsAllowed: How many may go now.
dominantResource: The resource of which it has the largest share.
durationSeconds: For so long after the pod is Ready.
ElasticityForecast.demand: The demand that is expected.
ElasticityForecast.time: For when it is.
ElasticityHistorySpec.demand: What is measured.
ElasticityHistoryStatus.level: The demand of late, without the season.
ElasticityHistoryStatus.spread: How far demands lie apart, by the time within a season.
ElasticityHistoryStatus.version: In which form it is kept.
ElasticityPolicySpec.constraints: Between which numbers, and how fast, replicas may change.
ElasticityPolicyStatus.demand: The demand by which was decided.
ElasticityRegression.spread: How far from it demands lay.
errorPercent: By how much forecasts were wrong lately, in percent.
expectedPods: How many pods the budget counts.
expireTime: When places that nobody took are given up.
external: A metric of something outside the cluster.
factor: With Factor: how many times as much.
failedIndexes: The indexes that have failed for good.
failedJobsHistoryLimit: How many failed Jobs are kept; 1 unless said otherwise.
firstSampleStart: When the first sample was taken.
firstStep: The first step that is kept.
forecast: What is expected of the demand.
fullyLabeledReplicas: Pods that have all labels of the template.
GenericStartupBoost.quantity: With Quantity: how much more.
globalDefault: Whether pods that name no class get this one. One class at most.
hard: The most of each.
history: For how long the demand has been watched.
holds: Whether it holds.
horizon: How far ahead.
instanceType: The label's value of the nodes that cost this.
JobStatus.active: Pods that run or will.
JobStatus.failed: Pods that have failed.
JobStatus.succeeded: Pods that have succeeded.
JobStatus.terminating: Pods that are being deleted.
jobTemplate: What the Jobs are like.
labelSelector: Which pods are meant, by labels.
lastMoveTime: When the last pod was moved.
lastPlanTime: When was planned last.
lastSampleStart: When the last sample was taken.
lastScaleTime: When replicas were changed last.
lastScheduleTime: When a Job was made last.
lastStep: The last step that is kept.
lastSuccessfulTime: When a Job succeeded last.
LimitRangeItem.default: The limit where none is said.
LimitRangeItem.max: The most.
LimitRangeItem.min: The least.
locations: Where pods are wanted.
lowerBound: With less a pod is brought up to date.
managedBy: Who cares for the Job; only kubernetes.io/job-controller is this cloud.
manualSelector: The selector is your own: be sure that it is nobody else's.
matchFields: Requirements on fields of the node (metadata.name).
matchLabelKeys: Only pods that are equal to this one in these labels count.
maxFailedIndexes: With more failed indexes the Job has failed.
maxLimitRequestRatio: How many times its request a limit may be at most.
maxReplicas: No more than so many.
maxSkew: By how many pods places may differ.
memoryHistogram: Peaks of memory.
methods: How well each way of looking ahead has done.
metric: Which metric.
metrics: By which metrics; the one that wants most decides. Without any: 80 % of the CPU that is requested.
minAvailable: So many, or such a share, must stay.
minDomains: Places that must be there at least.
minReplicas: No fewer than so many; 1 unless said otherwise.
mismatchLabelKeys: Only pods that differ from this one in these labels count.
nextPlanTime: When is planned next.
node: The node.
nodeAffinity: Which nodes the pod wants.
nodeAffinityPolicy: Honor (the default) or Ignore: whether only nodes count that the pod's affinity allows.
nodeLabels: Of which nodes.
nodeSelectorTerms: Terms, of which one must hold.
nodeTaintsPolicy: Honor or Ignore (the default): whether nodes count whose taints the pod does not tolerate.
numberAvailable: How many nodes have a pod that has been ready for long enough.
numberMisscheduled: How many nodes have a pod and shall have none.
numberReady: How many nodes have a pod that is ready.
numberUnavailable: How many nodes lack a pod that is available.
object: A metric of one object.
onExitCodes: When a container ended so.
onPodConditions: When the pod has such a condition.
ordinals: From where the pods are numbered.
parallelism: How many pods run at a time at most.
pendingPods: How many of its pods wait.
period: For how long.
persistentVolumeClaimRetentionPolicy: What becomes of claims when pods go.
planned: What is to be moved.
pod: The pod.
podAffinity: Near which pods it wants to be.
podAffinityTerm: The pods, and within what their nearness counts.
podAntiAffinity: Near which pods it does not want to be.
podFailurePolicy: What the failure of a pod means for the Job.
podFixed: What every pod of the class needs beyond its containers.
podGroupTemplateName: Which of its templates.
podManagementPolicy: OrderedReady (one after the other) or Parallel.
podReplacementPolicy: When a pod is replaced: TerminatingOrFailed, or Failed: when it has ended.
pods: A metric of every pod.
policies: At most so much in so many seconds; selectPolicy says which of them counts.
prediction: How the demand is forecast.
preemptionPolicy: PreemptLowerPriority (the default), or Never: nobody is put out for it.
preference: What the node should be like.
preferredDuringSchedulingIgnoredDuringExecution: What is better: of what is possible, the most points.
profile: Demands by the time within a season.
rack: The rack.
ratios: How much more came than was forecast.
RebalanceMove.from: The node where it is.
RebalanceMove.to: The node where it would fit better.
recent: How wrong it was lately.
recommendation: What pods should request.
referenceTimestamp: From when weights are counted.
region: The region.
regression: What a regression has learned.
requestedToCapacityRatio: Points by how full a node is.
requiredDuringSchedulingIgnoredDuringExecution: What must be so, or the pod is not placed.
ResourceClaim.request: Only the devices of this request of the claim; without it all.
resourcePolicy: What may be recommended for which container.
RollingUpdateStatefulSetStrategy.partition: Only pods of this number and above are replaced.
scaleDown: How replicas become fewer. Unless said otherwise not before 300 s of wanting fewer.
scaleTargetRef: What is scaled.
scaleUp: How replicas become more. Unless said otherwise at once, to twice as many or 4 more in 15 s.
schedule: When, in the five fields of cron or as @daily.
schedulingConstraints: Where the pods of the group must be.
schedulingGates: While there is one the pod is not placed.
schedulingPolicy: Whether the pods of the group are placed together.
SchedulingShapePoint.utilization: How full the node is, in percent.
scopeName: The scope.
scopes: Only pods of these scopes are counted.
scopeSelector: Only pods of these scopes are counted.
score: How many points.
seasonSeconds: How long a season is.
seen: What was seen last.
selectPolicy: Max (the default), Min, or Disabled: not in this direction.
serviceName: The headless Service under which its pods have their names.
shape: Points by how full a node is.
since: Since when.
stabilizationWindowSeconds: What was wished for in so many last seconds is heeded: the least change of it.
start: The first number; 0 unless said otherwise.
startingDeadlineSeconds: A run that is later than this is left out.
startupBoost: More CPU for a start.
StatefulSetSpec.updateStrategy: How old pods give way to new ones.
StatefulSetSpec.volumeClaimTemplates: The claims that each pod gets, for itself and for its successors.
stays: What is not moved, and why.
steadyErrorPercent: By how much it would have been wrong to expect no change, in percent.
steps: How many steps are kept.
strategies: What is looked for.
succeededCount: So many of the indexes must have succeeded.
succeededIndexes: These indexes must have succeeded, as in 1,3-5.
successfulJobsHistoryLimit: How many Jobs that succeeded are kept; 3 unless said otherwise.
successPolicy: When the Job has succeeded, before all of its pods have.
target: What it shall be, or what is recommended.
targetCPUUtilizationPercentage: How much of what pods request of CPUs they shall use; 80 unless said otherwise.
terminatingReplicas: Pods that are on their way out.
threshold: The value with which it is compared.
timeZone: The time zone of the schedule, as in Europe/Berlin; without it that of the machine.
tolerance: By how much a metric may be off before anything is changed, as a share; 0.1 unless said otherwise.
totalSamplesCount: How many samples there were.
totalWeight: The weight of all.
triggers: What is watched.
ttlSecondsAfterFinished: So many seconds after its end the Job is deleted.
unavailableReplicas: How many pods are lacking yet.
uncappedTarget: What would be recommended without bounds.
uncountedTerminatedPods: Pods that have ended and are not in the numbers yet.
UncountedTerminatedPods.failed: The uids of pods that have failed.
UncountedTerminatedPods.succeeded: The uids of pods that have succeeded.
unhealthyPodEvictionPolicy: IfHealthyBudget (the default), or AlwaysAllow: whether pods that are not healthy may always be evicted.
updatedNumberScheduled: How many nodes have a pod of the newest template.
updatePolicy: How pods get what is recommended.
updateRevision: The revision that pods shall have.
upperBound: With more a pod is brought up to date.
used: How much there is of each.
usual: What is usual.
vpaObjectName: Of which vertical autoscaler.
weights: What was learned.
whenDeleted: When the StatefulSet is deleted: Retain (the default) or Delete.
whenScaled: When there are fewer pods: Retain (the default) or Delete.
workload: The Workload, and which of its templates.
workloadName: Which Workload.
`;
