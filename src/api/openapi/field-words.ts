/**
 * What `kubectl explain` says about messages and fields: short, in our own words. A line is `name: words`; a name is a
 * message (`PodSpec`), a field of one message (`Service.type`), or a field wherever it occurs (`image`).
 *
 * What explains itself is left out. Read when an OpenAPI document is made, not before.
 */

import { moreMessageWords } from './words/message-words.ts';
import { systemFieldWords } from './words/system-words.ts';
import { workloadFieldWords } from './words/workload-words.ts';

const messageWords = `
Affinity: Rules about which nodes and which other pods this pod wants near, or far.
Capabilities: Capabilities of the kernel, added to or taken from the container's default set.
ConfigMapEnvSource: Every key of a ConfigMap as an environment variable.
ConfigMapKeySelector: One key of a ConfigMap.
ConfigMapProjection: Files made from the keys of a ConfigMap.
ConfigMapVolumeSource: A volume whose files are the keys of a ConfigMap.
Container: One program of a pod, with its image, command, resources and probes.
ContainerPort: A port that the container listens on. Information; it opens nothing by itself.
ContainerState: Waiting, running or terminated: exactly one is set.
ContainerStateRunning: The container runs.
ContainerStateTerminated: The container ended.
ContainerStateWaiting: The container cannot run yet.
ContainerStatus: What has become of one container.
DaemonSetSpec: One pod on every node that fits.
DeploymentCondition: One aspect of a rollout: available, progressing, or failing to create pods.
DeploymentSpec: How many equal pods there shall be, of what kind, and how to replace them.
DeploymentStatus: How far the rollout is.
DeploymentStrategy: How old pods give way to new ones.
EmptyDirVolumeSource: A directory that lives as long as the pod.
ElasticityAction: What is done when triggers hold.
ElasticityCapacity: Replicas follow the demand: as many as carry it, with a buffer.
ElasticityConstraints: Between which numbers, and how fast, replicas may change.
ElasticityForecast: What is expected of the demand.
ElasticityMetric: Which figure is meant; the field of its type is set.
ElasticityPolicySpec: What is scaled, by which triggers, for which demand, within which bounds.
ElasticityPolicyStatus: What was decided last, and on what.
ElasticityPrediction: How the demand is forecast.
ElasticityRate: The most of all changes within a period.
ElasticityTrigger: Metric, operator, threshold, duration: holds when the metric has been so for so long.
ElasticityTriggerStatus: Whether a trigger holds.
Endpoint: One address behind a Service, with what is known of it.
EndpointAddress: An address, and what stands behind it.
EndpointConditions: Whether this endpoint takes traffic.
EndpointSubset: Addresses that all serve the same ports.
EnvFromSource: Environment variables from all keys of a ConfigMap or Secret.
EnvVar: One environment variable.
EnvVarSource: Where the value of a variable comes from.
EventSource: Which component reported the event.
ExecAction: Runs a command in the container; exit code 0 is success.
GRPCAction: Asks the gRPC health service.
HTTPGetAction: Makes an HTTP GET; a status from 200 to 399 is success.
HTTPHeader: One header of the request.
HostAlias: A line of the pod's hosts file.
HostPathVolumeSource: A file or directory of the node.
KeyToPath: One key, and the file that it becomes.
LabelSelector: Chooses objects by their labels; all conditions must hold. An empty one chooses everything.
LabelSelectorRequirement: One condition: a label's key, an operator and values.
LeaseSpec: Who holds the lease, and since when.
Lifecycle: What to run right after the start and right before the end of a container.
LifecycleHandler: One action: a command, an HTTP request or a pause.
ListMeta: What every list carries: its revision, and where the next page begins.
LoadBalancerStatus: The addresses at which a load balancer serves.
LocalObjectReference: The name of an object in the same namespace.
ManagedFieldsEntry: Which fields a manager has set, and when.
NamespaceSpec: What keeps the namespace from going.
NamespaceStatus: In which phase of its life the namespace is.
NodeAddress: One address of the node, by its type.
NodeCondition: One aspect of the node: ready, short of memory, disk or processes.
NodeSpec: How the node may be used.
NodeStatus: What the node is, has, and runs.
NodeSystemInfo: The software and identity of the machine.
ObjectFieldSelector: One field of the pod itself.
ObjectMeta: Standard object's metadata: name, namespace, labels and the rest that every object has.
ObjectReference: Points to another object.
OwnerReference: Points to an object that owns this one: when it goes, this one goes.
PersistentVolumeClaimVolumeSource: A claimed volume.
PodAffinity: Which pods this one wants to be near.
PodAntiAffinity: Which pods this one wants to keep away from.
PodCondition: One aspect of the pod: scheduled, initialised, ready.
PodDNSConfig: Name resolution, beyond the policy.
PodGroupSchedulingPolicy: How the group is scheduled: one of basic and gang.
PodGroupSpec: How the pods of the group are scheduled, where, and with which priority.
PodGroupStatus: Whether the group has been scheduled, and why not.
PodGroupTemplate: What groups of this part of the workload are made from.
PodReadinessGate: A condition that must be true before the pod counts as ready.
PodSchedulingGroup: The group of pods that this one is scheduled with.
PodSecurityContext: Identity and security of all containers of the pod; a container's own settings win.
PodSpec: What the pod shall be: its containers, volumes and where it may run.
PodStatus: What the pod is: where it runs, its addresses, its containers.
PodTemplateSpec: The pods to make: their labels and their spec.
Probe: How and how often to ask a container about its health.
ProjectedVolumeSource: One volume with files from several sources.
QueueSpec: Where the queue stands, its weight, its guarantee and limit, and which pods are in it.
QueueStatus: What the queue has, what it waits for, and what its fair share would be.
SchedulingProfileSpec: Whose pods it is for, and by which strategy and which weights they are placed.
SchedulingProfileStatus: Whether the profile is heeded as it says, and what is wrong with it.
RebalanceLimits: How much one plan may move.
RebalanceMove: One pod that goes from its node to a better one.
RebalancePolicySpec: What is looked for, when, and what may be moved.
RebalancePolicyStatus: The last plan, and what has been done in all.
RebalanceStay: Why pods stay that a strategy would have moved.
RebalanceStrategy: One thing that is looked for and mended. Those that stand earlier are never undone for those that stand later.
ReplicaSetCondition: One aspect of the set: whether it fails to create pods.
ReservationPlace: What is held on one node.
ReservationSpec: How many places are held, of what kind, for whom and for how long.
ReservationStatus: What is held where, and who uses it.
ReservationTemplate: What one place is: what it holds of its node, and on which nodes it may be.
ReplicaSetSpec: How many equal pods there shall be, and of what kind.
ReplicaSetStatus: How many pods there are.
ResourceFieldSelector: One resource of a container.
ResourceRequirements: What a container is given at least, and may use at most.
RollingUpdateDeployment: How many pods may be missing or in excess while new ones replace old ones.
SecretEnvSource: Every key of a Secret as an environment variable.
SecretKeySelector: One key of a Secret.
SecretVolumeSource: A volume whose files are the keys of a Secret.
SecurityContext: Identity and security of one container.
ServiceAccountTokenProjection: A token of the pod's service account, renewed in time.
ServicePort: One port of the Service, and where its traffic goes.
ServiceSpec: Which pods are behind the Service, at which ports, and who may reach it.
ServiceStatus: What was set up for the Service.
SessionAffinityConfig: How long a client stays with its endpoint.
TCPSocketAction: Opens a connection; success when it opens.
Taint: Keeps pods away from a node, unless they tolerate it.
Toleration: Lets the pod onto nodes with a matching taint.
TopologySpreadConstraint: Spreads pods evenly over zones, nodes or other parts.
Volume: Files that containers of the pod can mount.
VolumeDevice: A block device inside a container.
VerticalPodAutoscalerSpec: Of which workload, how what is recommended is applied, and what it may be.
VolumeMount: Where a volume appears inside a container.
`;

const fieldWords = `
ContainerResourcePolicy.containerName: Of which container; * for all that have no policy of their own.
ContainerResourcePolicy.controlledResources: What is recommended: cpu, memory, or both (the default).
ContainerResourcePolicy.controlledValues: RequestsAndLimits (the default; limits in proportion) or RequestsOnly.
ContainerResourcePolicy.maxAllowed: No more is recommended.
ContainerResourcePolicy.minAllowed: No less is recommended.
ContainerResourcePolicy.mode: Auto (the default) or Off.
ContainerResourcePolicy.oomBumpUpRatio: How many times what it had a container needed that ran out of memory.
ContainerResourcePolicy.oomMinBumpUp: How much more than it had it needed at least.
ElasticityAction.amount: Replicas, or percent of those that there are (50%).
ElasticityAction.type: ScaleOut (or ScaleUp), ScaleIn (or ScaleDown), SetTo.
ElasticityAction.when: Names of the triggers that must all hold.
ElasticityCapacity.buffer: Beyond the demand: a number of replicas, or percent of the demand.
ElasticityCapacity.perReplica: What one replica carries. Or utilization.
ElasticityCapacity.tolerance: How much the demand may grow (10%) before fewer replicas would be too few again; there are no fewer before.
ElasticityCapacity.utilization: What one replica carries, as percent of its request.
ElasticityConstraints.maxRate: The most of all changes within a period.
ElasticityConstraints.maxStep: The most of one change: replicas, or percent of those that there are.
ElasticityConstraints.stabilization: Fewer replicas only when no more were wanted for so long.
ElasticityPolicySpec.cooldown: After a change nothing changes for so long.
ElasticityPolicySpec.mode: Reactive (the default), or Predictive: for the demand that is forecast.
ElasticityPolicySpec.scaleOutCooldown: After a change no replicas are added for so long; without it the cooldown.
ElasticityPrediction.horizon: How far ahead; without it as long as pods take to be ready.
ElasticityPrediction.minHistory: How much must have been seen before it is used; without it a season.
ElasticityPrediction.percentile: In so many of a hundred cases the forecast shall be enough.
ElasticityPrediction.season: After how long the demand goes the same way again; a day unless said otherwise.
ElasticityTrigger.duration: How long it has to hold without a break.
ElasticityTrigger.measure: Utilization (percent of the request), AverageValue (of a pod) or Value (of all).
ElasticityTrigger.operator: > >= < <= == or !=
PodUpdatePolicy.evictionRequirements: Which changes are worth an eviction; all must be met.
PodUpdatePolicy.minReplicas: With fewer pods none is evicted.
PodUpdatePolicy.updateMode: Off, Initial, Recreate, InPlaceOrRecreate or InPlace.
VerticalPodAutoscalerSpec.recommenders: Who recommends; nobody named, or default, is Caelum.
addressType: IPv4, IPv6 or FQDN: all endpoints of the slice are of this type.
addresses: Its addresses.
affinity: Where the pod wants to be.
allocatable: What pods may use of the node.
allowPrivilegeEscalation: Whether a process may gain more privileges than its parent.
annotations: Free remarks for tools and people, as a map of texts; not for choosing objects.
appProtocol: The application protocol of this port, such as http or kubernetes.io/h2c.
args: The arguments; without them the image's own.
automountServiceAccountToken: Whether containers get a token of the service account.
availableReplicas: Pods that have been ready for long enough.
binaryData: Contents that are no UTF-8, in base64.
blockOwnerDeletion: Whether the owner, deleted in the foreground, waits for this object.
capacity: All that there is.
clusterIP: The Service's virtual address; None for a headless Service.
clusterIPs: The virtual addresses, one for each IP family.
command: The program and its first arguments; without it the image's entry point.
conditions: Aspects of the state, each true, false or unknown.
configMap: From a ConfigMap.
configMapKeyRef: From a key of a ConfigMap.
containerID: The container's id in its runtime, with the runtime's name in front.
containerPort: The port, 1 to 65535.
containerStatuses: What has become of each container.
containers: The programs of the pod; at least one.
controller: Whether this owner manages the object. At most one owner does.
count: How often.
creationTimestamp: CreationTimestamp is a timestamp of when the object was made; set by the system.
data: The contents, by key.
defaultMode: File permissions where a file has none of its own; octal in YAML, decimal in JSON.
deletionGracePeriodSeconds: How long the object may take to end.
deletionTimestamp: By when the object will be gone; set when it is deleted.
divisor: In which unit the value is given.
dnsConfig: Name resolution, beyond the policy.
dnsPolicy: How names resolve: ClusterFirst, ClusterFirstWithHostNet, Default or None.
downwardAPI: Fields of the pod itself, as files.
effect: NoSchedule, PreferNoSchedule or NoExecute.
emptyDir: An empty directory that lives as long as the pod.
enableServiceLinks: Whether services appear as environment variables.
endpoints: The addresses behind the Service; at most 1000 in a slice.
env: Environment variables; later ones may use earlier ones as $(NAME).
envFrom: Whole ConfigMaps or Secrets as environment variables.
ephemeralContainers: Containers added to a running pod, for looking into it.
exec: Run a command in the container.
externalIPs: Further addresses at which nodes take traffic for the Service.
externalName: The name that this Service stands for (type ExternalName).
externalTrafficPolicy: Cluster: any endpoint; Local: only endpoints of the node that took the traffic.
failureThreshold: After how many failures in a row the probe counts as failed.
fieldRef: From a field of the pod.
finalizers: Who must agree before the object may go.
finishedAt: When it ended.
firstTimestamp: When it happened first.
fsGroup: The group that owns the volumes.
generateName: The beginning of a name that the system completes.
generation: Counts changes of what is wanted; set by the system.
gracePeriodSeconds: How long the object may take to end.
grpc: Ask the gRPC health service.
holderIdentity: Who holds the lease.
hostAliases: Further lines of the pod's hosts file.
hostIP: The address of the node.
hostIPC: Use the node's IPC namespace.
hostNetwork: Use the node's network.
hostPID: Use the node's process namespace.
hostPath: A file or directory of the node.
hostPort: The same port on the node's address.
hostname: The pod's host name.
httpGet: Make an HTTP request.
httpHeaders: Headers of the request.
image: The image, by name and tag or digest.
imageID: The image that really runs, by its digest.
imagePullPolicy: Always, IfNotPresent or Never. Without a tag, or with latest, it is Always.
imagePullSecrets: Secrets with the credentials of image registries.
immutable: Whether the contents may never change again.
initContainerStatuses: What has become of each init container.
initContainers: Programs that run before the others, one after the other, each to its end.
initialDelaySeconds: How long after the start to begin asking.
internalTrafficPolicy: Cluster: any endpoint; Local: only endpoints of the client's node.
involvedObject: What the event is about.
ipFamilies: IPv4, IPv6 or both, in order.
ipFamilyPolicy: SingleStack, PreferDualStack or RequireDualStack.
items: The objects, or the keys to take.
key: The key.
labels: Names and values by which objects are found and grouped.
lastState: How the container's last run ended.
lastTimestamp: When it happened last.
lastTransitionTime: When this last changed.
leaseDurationSeconds: How long the lease holds without being renewed.
lifecycle: What to run right after the start and right before the end.
limits: At most this much.
livenessProbe: When it fails, the container is restarted.
loadBalancer: The addresses at which a load balancer serves.
managedFields: Which manager set which fields; kept by the system.
matchExpressions: Conditions on labels; all must hold.
matchLabels: Labels with exactly these values; all must match.
maxSurge: How many pods more than wanted, as a number or a percentage.
maxUnavailable: How many pods fewer than wanted, as a number or a percentage.
message: For people: what happened, or why.
minReadySeconds: How long a new pod must be ready before it counts as available.
mode: File permissions, from 0 to 0777 octal.
mountPath: Where it appears inside the container.
mountPropagation: Whether mounts made later are seen: None, HostToContainer or Bidirectional.
name: Its name.
namespace: The namespace; names are unique within one.
nodeInfo: The software and identity of the machine.
nodeName: The node.
nodePort: The port on every node.
nodeSelector: Labels that the node must have.
observedGeneration: The generation that this status speaks of.
operator: How key and values are compared.
optional: Whether it may be missing.
overhead: What the pod itself costs beyond its containers.
ownerReferences: The objects that own this one.
path: The path.
paused: Whether rollouts rest.
periodSeconds: How often to ask.
phase: Where in its life it is.
podCIDR: The addresses for the pods of this node.
podIP: The pod's address.
podIPs: The pod's addresses, one for each IP family.
port: The port.
ports: The ports.
postStart: Right after the start.
preStop: Before the end; the grace period runs meanwhile.
preconditions: What must still be true.
priority: Higher goes first, and may displace lower.
priorityClassName: The class that gives the priority.
privileged: Whether the container may do what root on the node may do.
progressDeadlineSeconds: After how long without progress a rollout counts as failed.
projected: Files from several sources.
propagationPolicy: What becomes of dependents: Orphan, Background or Foreground.
protocol: TCP, UDP or SCTP.
providerID: The machine's id at its provider.
publishNotReadyAddresses: Whether names resolve to pods that are not ready.
qosClass: Guaranteed, Burstable or BestEffort, by the resources asked for.
readOnly: Whether writing is forbidden.
readOnlyRootFilesystem: Whether the container's own files may not be written.
readinessGates: Conditions that must be true before the pod counts as ready.
readinessProbe: While it fails, the pod gets no traffic from Services.
ready: Whether it is ready.
readyReplicas: Pods that are ready.
reason: For programs: why, in one word.
renewTime: When the lease was last renewed.
replicas: How many.
reportingComponent: Who reported it.
requests: At least this much; the node is chosen by it.
resourceFieldRef: From a resource of a container.
resourceVersion: The revision of the object. Send it back to change only what you have seen.
resources: What it is given at least, and may use at most.
restartCount: How often it was restarted.
restartPolicy: Always, OnFailure or Never.
revisionHistoryLimit: How many old revisions to keep for undo.
rollingUpdate: How many pods may be missing or in excess meanwhile.
runAsGroup: The group of the process.
runAsNonRoot: Refuse to start as root.
runAsUser: The user of the process.
runtimeClassName: Which runtime runs the pod.
schedulerName: Which scheduler places the pod.
scheme: HTTP or HTTPS.
searches: Further domains to search.
secret: From a Secret.
secretKeyRef: From a key of a Secret.
secretName: The Secret.
securityContext: Identity and security.
selector: Which objects belong to it, by their labels.
serviceAccountName: The service account as which the pod speaks to the API.
sessionAffinity: ClientIP keeps a client with its endpoint; None does not.
shareProcessNamespace: Whether the pod's containers see each other's processes.
sizeLimit: At most this much.
sources: The sources.
startTime: When the node took it up.
started: Whether the startup probe has succeeded.
startedAt: When it started.
startupProbe: Until it succeeds once, the other probes wait.
state: What it does now.
stdin: Whether to keep an input stream.
stdinOnce: Whether the input ends with the first client that leaves.
strategy: How old pods give way to new ones.
stringData: Contents as plain text; written into data, never read back.
subPath: A path inside the volume to mount, instead of its root.
subdomain: With the host name, gives the pod a name of its own.
successThreshold: After how many successes in a row the probe counts as passed.
suspend: Whether it rests.
taints: Keep pods away that do not tolerate them.
targetPort: The port of the pods, by number or by name.
tcpSocket: Open a connection.
template: The pods to make.
terminationGracePeriodSeconds: How long the programs may take to end before they are killed.
terminationMessagePath: The file whose content becomes the message of the end.
terminationMessagePolicy: File, or FallbackToLogsOnError to use the last log lines.
timeoutSeconds: After how long an answer is too late.
tolerationSeconds: How long a pod stays on a node that becomes tainted.
tolerations: Taints that the pod puts up with.
topologyKey: The node label whose values are the parts to spread over.
topologySpreadConstraints: Spread pods evenly.
tty: Whether to give it a terminal.
type: Its type.
uid: The object's identity, unique for ever; set by the system.
unschedulable: Whether new pods stay away.
updatedReplicas: Pods made from the present template.
value: The value.
valueFrom: Where the value comes from.
values: The values to compare with.
volumeMounts: Where volumes appear inside the container.
volumes: Files that containers can mount.
whenUnsatisfiable: DoNotSchedule, or ScheduleAnyway to prefer only.
workingDir: The directory in which it starts.
Service.spec: Which pods are behind the Service, and who may reach it.
ServiceSpec.type: ClusterIP, NodePort, LoadBalancer or ExternalName.
DeploymentStrategy.type: RollingUpdate or Recreate.
DeploymentSpec.replicas: How many pods; 1 when not given.
QueueSpec.max: What it may never have more of.
QueueSpec.mayBorrow: Whether it may have more than its min; true unless said otherwise.
QueueSpec.mayLend: Whether others may use what it is guaranteed while it does not; true unless said otherwise.
QueueSpec.min: What it is guaranteed, of the resources that are named.
QueueSpec.namespaceSelector: Namespaces whose pods are in it, by their labels; an empty one takes all that no other queue takes.
QueueSpec.namespaces: Namespaces whose pods are in it; before any selector.
QueueSpec.parent: The queue that it is a part of; without one it is a part of the cloud.
QueueSpec.podSelection: All pods of its namespaces, or ByLabel: those whose label scheduling.caelum.dev/queue names it.
QueueSpec.reclaimPolicy: Whose pods give way when it needs its min: Any that borrow, those of LowerPriority, or Never.
QueueSpec.weight: Its part beside its siblings; 1 unless said otherwise.
QueueStatus.borrowed: What it has beyond its min.
QueueStatus.dominantShare: The largest part that it has of a resource of the cloud: 250m is a quarter.
QueueStatus.fairShare: What that part would be if all that is asked for were shared fairly.
QueueStatus.pending: What its waiting pods ask for.
QueueStatus.used: What its pods have.
SchedulingCustomScore.expression: A CEL expression over node, pod and free that gives a number from 0 to 100.
SchedulingCustomScore.function: A function that the program which embeds the cloud has given, by its name; in place of an expression.
SchedulingLocations.labels: Which labels of nodes say where these are, where they are not the usual ones.
SchedulingLocations.preferred: Places that are preferred, with weights.
SchedulingPrice.capacityType: OnDemand, Reserved or Spot; any where it is not given.
SchedulingPrice.hourly: What an hour of such a node costs.
SchedulingProfileSpec.allowPodStrategy: Whether pods may choose by the annotation scheduling.caelum.dev/strategy; true unless said otherwise.
SchedulingProfileSpec.custom: The score of the strategy Custom.
SchedulingProfileSpec.prices: What nodes cost; of several that fit a node the first counts.
SchedulingProfileSpec.schedulerName: The spec.schedulerName of the pods that it is for; default-scheduler unless said otherwise.
SchedulingProfileSpec.scoringStrategy: What is good by what is free on a node, as the arguments of kube-scheduler's NodeResourcesFit.
SchedulingProfileSpec.strategy: How pods are placed: Default, Spread, BinPack, RoundRobin, WeightedRoundRobin, LeastLoaded, LeastConnections, LeastResponseTime, ConsistentHash, IPHash, CostAware, LocationAware, FragmentationAware or Custom.
SchedulingProfileSpec.strategyWeight: How much the strategy counts beside the other aspects; 10 unless said otherwise.
SchedulingProfileSpec.weights: What the aspects count, by the names of kube-scheduler's plugins.
SchedulingProfileSpec.workloads: Other strategies for pods of a type: CPUIntensive, MemoryIntensive, LatencySensitive.
SchedulingScoringStrategy.type: LeastAllocated, MostAllocated or RequestedToCapacityRatio.
GangSchedulingPolicy.minCount: So many pods are placed at once, or none.
PodGroupSchedulingConstraints.topology: All pods go to one domain of this topology: nodes with one value of the label.
PodGroupSchedulingPolicy.basic: Each pod by itself.
PodGroupSchedulingPolicy.gang: So many at once, or none.
PodGroupSpec.disruptionMode: Whether its pods give way to others one by one (Pod) or all at once (PodGroup).
PodGroupSpec.podGroupTemplateRef: The template that it was made from.
PodSchedulingGroup.podGroupName: The PodGroup; it may be made after the pod, which waits for it.
PodSpec.schedulingGroup: The group of pods that this one is scheduled with.
ReservationPlace.count: How many places are held there, used ones among them.
ReservationPlace.pods: The pods that use them.
ReservationSpec.count: How many places are held.
ReservationSpec.expireTime: Until when it holds.
ReservationSpec.mode: AllOrNone, or Partial: as many as there is room for.
ReservationSpec.selector: Pods of the namespace that may use it, besides those that name it by the annotation scheduling.caelum.dev/reservation.
ReservationSpec.ttl: How long it holds, from when it was made.
ReservationSpec.whenRefused: Where there is no room: Wait for it, or Fail for good.
ReservationStatus.allocated: How many places are held.
ReservationStatus.phase: Pending, Held, Partial, Refused or Expired.
ReservationStatus.places: Where they are.
ReservationStatus.used: How many of them have a pod.
ReservationTemplate.labels: As pods with these labels the places count, for affinity and spreading.
ReservationTemplate.requests: What a place holds of its node.
WorkloadSpec.controllerRef: The object that the workload is of.
WorkloadSpec.podGroupTemplates: One for each sort of pods that are scheduled together.
RebalanceLimits.maxPriority: Pods of higher priority stay.
RebalanceLimits.minPodAge: Pods that are younger stay.
RebalanceLimits.moves: How many pods one plan moves at most; 20 unless said otherwise.
RebalanceLimits.movesPerNamespace: How many of one namespace.
RebalanceLimits.movesPerNode: How many from one node.
RebalancePolicySpec.allow: Pods that stay unless they are named here: BarePods, JobPods, LocalStorage, SystemCritical.
RebalancePolicySpec.excludedNamespaces: Pods of these namespaces stay.
RebalancePolicySpec.interval: How often it is planned; or a schedule; without either when somebody asks (caelum rebalance).
RebalancePolicySpec.mode: Propose (the default) says what would be done; Apply does it.
RebalancePolicySpec.namespaces: Only pods of these namespaces are moved.
RebalancePolicySpec.nodeSelector: Only nodes with these labels give pods away.
RebalancePolicySpec.podSelector: Only pods with these labels are moved.
RebalancePolicySpec.schedule: When it is planned, as in a CronJob, in UTC.
RebalancePolicyStatus.done: How many pods have been moved by all plans together.
RebalancePolicyStatus.failed: How many evictions were refused or failed.
RebalancePolicyStatus.moves: The moves of the last plan, at most 50 of them.
RebalanceStrategy.includeSoft: Of SpreadRepair: constraints with ScheduleAnyway too.
RebalanceStrategy.maxLifetime: Of Lifetime: pods that are so old are made anew.
RebalanceStrategy.maxRestarts: Of Restarts: pods whose containers have been restarted so often are made anew.
RebalanceStrategy.nodeNames: Of Drain: nodes that shall go; without it those that are cordoned.
RebalanceStrategy.resources: Of Defragment: the resources of which nodes are freed (all unless said otherwise); of LowUtilization: those looked at.
RebalanceStrategy.targetThresholds: Of LowUtilization: nodes beyond so many percent give pods away.
RebalanceStrategy.thresholds: Of Defragment: nodes used to at most so many percent are emptied; of LowUtilization: nodes below have room.
RebalanceStrategy.type: Drain, NodeTaints, NodeAffinity, AntiAffinity, SpreadRepair, Duplicates, Defragment, LowUtilization, Restarts or Lifetime.
ReplicaSetSpec.replicas: How many pods; 1 when not given.
Container.name: Its name, unique in the pod.
Event.type: Normal or Warning.
Event.reason: Why, in one word.
NodeMetrics.timestamp: The end of the time that the figures speak of.
NodeMetrics.usage: By resource: cores of CPU on average, bytes of memory at the end.
NodeMetrics.window: How long that time was.
PodMetrics.containers: What each container that runs uses.
PodMetrics.timestamp: The end of the time that the figures speak of.
PodMetrics.window: How long that time was.
ContainerMetrics.name: The container.
ContainerMetrics.usage: By resource: cores of CPU on average, bytes of memory at the end.
Secret.type: What the contents are for; Opaque when not given.
`;

const linesOf = (...texts: readonly string[]): readonly (readonly [string, string])[] =>
  texts.flatMap((text) =>
    text
      .trim()
      .split('\n')
      .map((line) => {
        const colon = line.indexOf(': ');
        return [line.slice(0, colon), line.slice(colon + 2)] as const;
      }),
  );

const allMessageWords = () => linesOf(messageWords, moreMessageWords);
const allFieldWords = () => linesOf(fieldWords, workloadFieldWords, systemFieldWords);

let messages: ReadonlyMap<string, string> | undefined;
let fields: ReadonlyMap<string, string> | undefined;

/** What a message is, by its bare name (`PodSpec`). */
export function wordsOfMessage(message: string): string | undefined {
  messages ??= new Map(allMessageWords());
  return messages.get(message);
}

/** What a field of a message is. */
export function wordsOfField(message: string, field: string): string | undefined {
  fields ??= new Map(allFieldWords());
  return fields.get(`${message}.${field}`) ?? fields.get(field);
}

/** The names that there are words for, as they are written: for tests. */
export const allWords = (): { readonly messages: readonly string[]; readonly fields: readonly string[] } => ({
  messages: allMessageWords().map(([name]) => name),
  fields: allFieldWords().map(([name]) => name),
});
