/** What messages are, beside those of pods and services (`field-words.ts`): `Message: words`, by the alphabet. */
export const moreMessageWords = `
AggregationRule: Rules are gathered from other roles, chosen by labels.
AllocatedDeviceStatus: What a driver tells of a device that was given to a claim.
AllocationResult: What a claim was given.
APIServiceCondition: One aspect of the APIService.
APIServiceSpec: Which group and version another server serves, and where it is.
APIServiceStatus: Whether the server answers.
AppArmorProfile: Which AppArmor profile confines the process.
ApplyConfiguration: A change as a server-side apply that an expression makes.
AttachedVolume: A volume that is attached to the node.
AuditAnnotation: A remark for the audit log, made by an expression.
AWSElasticBlockStoreVolumeSource: A volume of a kind that is not supported.
AzureDiskVolumeSource: A volume of a kind that is not supported.
AzureFilePersistentVolumeSource: A volume of a kind that is not supported.
AzureFileVolumeSource: A volume of a kind that is not supported.
BasicSchedulingPolicy: The pods of the group are placed one by one.
CapacityRequestPolicy: Which amounts of a capacity may be asked for.
CapacityRequestPolicyRange: From, to, and in which steps.
CapacityRequirements: How much of each capacity of a device is asked for.
CELDeviceSelector: An expression that chooses devices.
CephFSPersistentVolumeSource: A volume of a kind that is not supported.
CephFSVolumeSource: A volume of a kind that is not supported.
CertificateSigningRequestCondition: Approved, Denied or Failed, and why.
CertificateSigningRequestSpec: What is to be signed, by whom, and who asks.
CertificateSigningRequestStatus: Whether it was approved, and the certificate.
CinderPersistentVolumeSource: A volume of a kind that is not supported.
CinderVolumeSource: A volume of a kind that is not supported.
ClientIPConfig: How long a client stays with the same pod.
ClusterTrustBundleProjection: Certificates of a trust bundle as a file.
Condition: One aspect of the state: true, false or unknown, since when, and why.
ConfigMapNodeConfigSource: Not used any more.
ContainerExtendedResourceRequest: Which extended resource of a container was asked for by which request of the claim.
ContainerImage: An image that is on the node.
ContainerResizePolicy: Whether the container is restarted when this resource changes.
ContainerResourceMetricSource: What one container of each pod uses of a resource.
ContainerResourceMetricStatus: What one container of each pod used of a resource.
ContainerResourcePolicy: What may be recommended for a container.
ContainerRestartRule: What is done when the container ends so.
ContainerRestartRuleOnExitCodes: Which exit codes are meant.
ContainerUser: As whom the first process of the container runs.
Counter: An amount that devices share.
CounterSet: Amounts that devices share.
CronJobSpec: When Jobs are made, and which.
CronJobStatus: The Jobs that run, and when the last were made.
CrossVersionObjectReference: Which object is meant, in which version of its kind.
CSIDriverSpec: What a storage driver can and needs.
CSINodeDriver: A storage driver on this node.
CSINodeSpec: The storage drivers of a node.
CSIPersistentVolumeSource: A volume of a storage driver.
CSIVolumeSource: A volume that a storage driver makes for this pod alone.
CustomResourceColumnDefinition: A column of kubectl get.
CustomResourceConversion: How objects are turned from one version into another.
CustomResourceDefinitionCondition: One aspect of the definition: names accepted, established, without problems.
CustomResourceDefinitionNames: How the kind and its resource are called.
CustomResourceDefinitionSpec: A kind of your own: names, scope, versions.
CustomResourceDefinitionStatus: Whether the kind is served, and under which names.
CustomResourceDefinitionVersion: One version of the kind.
CustomResourceSubresources: Which subresources the kind has.
CustomResourceSubresourceScale: Where the replicas stand, for kubectl scale and autoscalers.
CustomResourceSubresourceStatus: The status is written by itself.
CustomResourceValidation: What objects have to be like.
DaemonEndpoint: A port of the node's agent.
DaemonSetCondition: One aspect of the DaemonSet.
DaemonSetStatus: How many nodes shall have a pod, and how many have.
DaemonSetUpdateStrategy: How old pods give way to new ones.
Device: One device, with what it is and has.
DeviceAllocationConfiguration: What a driver is to do with a device, from the class or the claim.
DeviceAllocationResult: The devices that were given.
DeviceAttribute: One value: of one of its types.
DeviceCapacity: How much there is, and which amounts may be asked for.
DeviceClaim: Which devices are asked for, and what they must have in common.
DeviceClaimConfiguration: What a driver is to do with the devices of some requests.
DeviceClassConfiguration: What a driver is to do with every device of the class.
DeviceClassSpec: Which devices belong to the class.
DeviceConstraint: What the devices of some requests must have in common.
DeviceCounterConsumption: What a device takes of what devices share.
DeviceRequest: One or more devices of one kind.
DeviceRequestAllocationResult: A device that was given for a request.
DeviceSelector: What a device must be like.
DeviceSubRequest: One of several things that would do.
DeviceTaint: Why a device is not to be used without leave.
DeviceTaintRuleSpec: Which devices are tainted, and how.
DeviceTaintRuleStatus: What the rule has done.
DeviceTaintSelector: Which devices are meant; without any, all.
DeviceToleration: Which taint of devices does not matter.
DownwardAPIProjection: Fields of the pod as files.
DownwardAPIVolumeFile: A field of the pod as a file.
DownwardAPIVolumeSource: A volume whose files are fields of the pod.
ElasticityContainerResource: A resource of one container.
ElasticityHistorySpec: Whose history it is.
ElasticityHistoryStatus: What has been learned of the demand.
ElasticityMethod: How well one way of looking ahead has done.
ElasticityObjectMetric: A metric of one object.
ElasticityPodsMetric: A metric of every pod.
ElasticityRegression: What a regression has learned.
ElasticityResource: A resource of pods.
EndpointHints: For whom the endpoint is meant.
EndpointPort: A port behind which pods answer.
EphemeralContainer: A container that is added to a running pod to look into it.
EphemeralVolumeSource: A claim that is made for the pod and ends with it.
EventSeries: The same thing happening again and again.
EvictionRequirement: What a change must do to be worth an eviction.
ExactDeviceRequest: So many devices of a class.
ExemptPriorityLevelConfiguration: Requests that never wait.
ExpressionWarning: What is wrong with an expression.
ExternalDocumentation: Where to read more.
ExternalMetricSource: A metric of something outside the cluster.
ExternalMetricStatus: What a metric of something outside the cluster was.
FCVolumeSource: A volume of a kind that is not supported.
FileKeySelector: A variable in a file of a volume.
FlexPersistentVolumeSource: A volume of a kind that is not supported.
FlexVolumeSource: A volume of a kind that is not supported.
FlockerVolumeSource: A volume of a kind that is not supported.
FlowDistinguisherMethod: How requests of one schema are told apart.
FlowSchemaCondition: One aspect of the FlowSchema.
FlowSchemaSpec: Which requests go to which priority level.
FlowSchemaStatus: Whether its priority level is there.
ForNode: A node.
ForZone: A zone.
GangSchedulingPolicy: The pods of the group are placed together or not at all.
GCEPersistentDiskVolumeSource: A volume of a kind that is not supported.
GenericStartupBoost: How much more, and for how long.
GitRepoVolumeSource: A volume of a kind that is not supported.
GlusterfsPersistentVolumeSource: A volume of a kind that is not supported.
GlusterfsVolumeSource: A volume of a kind that is not supported.
GroupSubject: A group of users.
HistogramCheckpoint: A histogram, to be gone on with.
HorizontalPodAutoscalerBehavior: How fast, and how soon, replicas may change.
HorizontalPodAutoscalerCondition: One aspect of the autoscaler: able to scale, scaling by a metric, held by a bound.
HorizontalPodAutoscalerSpec: What is scaled, between which bounds, by which metrics.
HorizontalPodAutoscalerStatus: Replicas, metrics, and why they are so.
HostIP: An address of the node.
HPAScalingPolicy: At most so much in so many seconds.
HPAScalingRules: How fast, and how soon, replicas may change in one direction.
HTTPIngressPath: A path, and where its requests go.
HTTPIngressRuleValue: Paths, and where their requests go.
ImageVolumeSource: An image's files as a volume.
ImageVolumeStatus: Which image the volume was made of.
IngressBackend: Where requests go.
IngressClassParametersReference: Further settings of the class.
IngressClassSpec: Who serves Ingresses of this class.
IngressLoadBalancerIngress: An address at which the Ingress can be reached.
IngressLoadBalancerStatus: The addresses at which the Ingress can be reached.
IngressPortStatus: A port of the load balancer.
IngressRule: Requests for a host, and where they go.
IngressServiceBackend: A Service and its port.
IngressSpec: Which requests from outside go to which Services.
IngressStatus: The addresses at which it can be reached.
IngressTLS: Hosts, and the Secret with their certificate.
IPAddressSpec: Whose address it is.
IPBlock: A range of addresses, without some.
ISCSIPersistentVolumeSource: A volume of a kind that is not supported.
ISCSIVolumeSource: A volume of a kind that is not supported.
JobCondition: One aspect of the Job: complete, failed, suspended.
JobSpec: How many pods shall succeed, how many at a time, and what becomes of those that fail.
JobStatus: How many pods run, have succeeded and have failed.
JobTemplateSpec: What the Jobs are like that are made of it.
JSONPatch: A change as a JSON patch that an expression makes.
JSONSchemaProps: A JSON schema, as OpenAPI 3 has it.
JSONSchemaPropsOrArray: A schema, or several.
JSONSchemaPropsOrBool: A schema, or whether anything may be there.
JSONSchemaPropsOrStringArray: A schema, or names.
LimitedPriorityLevelConfiguration: How many requests are served at a time.
LimitRangeItem: Bounds and defaults of one type.
LimitRangeSpec: Bounds and defaults of what is made in the namespace.
LimitResponse: What becomes of requests that cannot be served at once.
LinuxContainerUser: The ids under which the process runs.
LoadBalancerIngress: An address of the load balancer.
LocalVolumeSource: A directory or disk of one node.
MatchCondition: An expression that must be true.
MatchResources: Which requests are meant.
MetricIdentifier: A metric, and which of its series.
MetricSpec: A metric, and what it shall be.
MetricStatus: What a metric is now.
MetricTarget: What a metric shall be.
MetricValueStatus: What a metric is.
ModifyVolumeStatus: How far the change of the volume's attributes is.
MutatingAdmissionPolicyBindingSpec: For whom a policy holds, with which parameters.
MutatingAdmissionPolicySpec: What is changed of which requests.
MutatingWebhook: A server that may change objects before they are stored.
Mutation: One change.
NamedRuleWithOperations: Operations, resources and names of objects.
NamespaceCondition: One aspect of the namespace, mostly why it is not gone yet.
NetworkDeviceData: A network device, as it is in the pod.
NetworkPolicyEgressRule: Whom the pods may speak to, at which ports.
NetworkPolicyIngressRule: Who may speak to the pods, at which ports.
NetworkPolicyPeer: Pods, or a range of addresses.
NetworkPolicyPort: A port, or some in a row.
NetworkPolicySpec: Who may speak with some pods. What no rule allows is forbidden.
NFSVolumeSource: A volume of a kind that is not supported.
NodeAffinity: Rules about which nodes the pod wants.
NodeAllocatableResourceClaimStatus: What a claim takes of the node's own resources.
NodeAllocatableResourceMapping: What a device takes of the node's own resources.
NodeConfigSource: Not used any more.
NodeConfigStatus: Not used any more.
NodeDaemonEndpoints: Where the node's agent listens.
NodeFeatures: What the node's runtime can.
NodeRuntimeHandler: A way to run containers on the node.
NodeRuntimeHandlerFeatures: What this way to run containers can.
NodeSelector: Terms, of which one must hold.
NodeSelectorRequirement: What a label, or a field, of the node must be.
NodeSelectorTerm: Requirements that must all hold.
NodeSwapStatus: The node's swap space.
NonResourcePolicyRule: Verbs and paths that are no resources.
ObjectMetricSource: A metric of one object.
ObjectMetricStatus: What a metric of one object was.
OpaqueDeviceConfiguration: Settings that only the driver reads.
Overhead: What a pod needs beyond its containers.
ParamKind: Of which kind the parameters are.
ParamRef: Which objects are the parameters.
ParentReference: Whose address it is.
PersistentVolumeClaimCondition: One aspect of the claim, mostly of a change of its size.
PersistentVolumeClaimSpec: What storage is asked for.
PersistentVolumeClaimStatus: What storage there is.
PersistentVolumeClaimTemplate: A claim, to be made.
PersistentVolumeSpec: A piece of storage: where it is, how large, who has it.
PersistentVolumeStatus: Whether it is free, bound, released or failed.
PhotonPersistentDiskVolumeSource: A volume of a kind that is not supported.
PodAffinityTerm: Some pods, and within what their nearness counts.
PodCertificateProjection: A certificate of the pod's own as a file, renewed in time.
PodDisruptionBudgetSpec: How many of some pods may be away by intention at a time.
PodDisruptionBudgetStatus: How many pods are there, and how many may go now.
PodDNSConfigOption: An option of the resolver.
PodExtendedResourceClaimStatus: The claim that was made for the pod's extended resources.
PodFailurePolicy: What the failure of a pod means for its Job.
PodFailurePolicyOnExitCodesRequirement: Which exit codes of which container.
PodFailurePolicyOnPodConditionsPattern: A condition of the pod.
PodFailurePolicyRule: What is done when a pod fails so.
PodGroupResourceClaim: A claim that the pods of the group share.
PodGroupResourceClaimStatus: The claim that was made for the group.
PodGroupSchedulingConstraints: Where the pods of the group must be.
PodGroupTemplateReference: Which template the group was made of.
PodIP: An address of the pod.
PodOS: For which operating system the pod is.
PodResourceClaim: A claim of devices that containers of the pod use.
PodResourceClaimStatus: The claim that was made for the pod.
PodResourcePolicy: What may be recommended for which container.
PodSchedulingGate: While the pod has it, it is not placed.
PodsMetricSource: A metric of every pod.
PodsMetricStatus: What a metric of the pods was, in the mean.
PodUpdatePolicy: How pods get what is recommended.
PolicyRule: Verbs that are allowed on resources, or on paths.
PolicyRulesWithSubjects: Who, and what they ask for.
PortStatus: A port of the load balancer.
PortworxVolumeSource: A volume of a kind that is not supported.
PreferredSchedulingTerm: A preference for nodes, and its weight.
PriorityLevelConfigurationCondition: One aspect of the level.
PriorityLevelConfigurationReference: A priority level.
PriorityLevelConfigurationSpec: How many requests of this level are served at a time.
PriorityLevelConfigurationStatus: What became of the level.
QueuingConfiguration: Queues in which requests wait, so that nobody takes all.
QuobyteVolumeSource: A volume of a kind that is not supported.
RBDPersistentVolumeSource: A volume of a kind that is not supported.
RBDVolumeSource: A volume of a kind that is not supported.
RecommendedContainerResources: What one container should request.
RecommendedPodResources: What the containers of a pod should request.
ReplicationControllerCondition: One aspect of the ReplicationController.
ReplicationControllerSpec: How many equal pods there shall be.
ReplicationControllerStatus: How many pods there are.
ResourceClaim: A claim of the pod that the container uses.
ResourceClaimConsumerReference: Who uses the claim.
ResourceClaimSpec: Which devices are asked for.
ResourceClaimStatus: What was given, and to whom.
ResourceClaimTemplateSpec: A claim, to be made for each pod.
ResourceHealth: Whether a device is well.
ResourceMetricSource: What pods use of a resource.
ResourceMetricStatus: What pods used of a resource, in the mean.
ResourcePolicyRule: Verbs, and on which resources.
ResourcePool: Devices that belong together, in one or more slices.
ResourceQuotaSpec: How much there may be in a namespace.
ResourceQuotaStatus: How much there may be, and is.
ResourceSliceSpec: Devices of a driver, and from where they can be reached.
ResourceStatus: Whether the devices of a resource are well.
RoleRef: The role that is given.
RollingUpdateDaemonSet: How many pods may be away, or too many, meanwhile.
RollingUpdateStatefulSetStrategy: Which pods are replaced, and how many at a time.
RuleWithOperations: Operations and resources.
ScaleIOPersistentVolumeSource: A volume of a kind that is not supported.
ScaleIOVolumeSource: A volume of a kind that is not supported.
Scheduling: Where pods of the class can run.
SchedulingCapacityRatio: Points by how full a node is.
SchedulingCustomScore: Points by an expression or a function of your own.
SchedulingLocationLabels: Which labels of nodes tell where they are.
SchedulingLocations: Where pods are wanted.
SchedulingPreferredLocation: A place, and how much it is wanted.
SchedulingPrice: What an hour of some nodes costs.
SchedulingScoredResource: A resource, and how much it counts.
SchedulingScoringStrategy: By what nodes get their points.
SchedulingShapePoint: How many points so full a node gets.
SchedulingWorkloadStrategy: The strategy for one type of workload.
ScopedResourceSelectorRequirement: What a scope must be.
ScopeSelector: Which pods the quota counts.
SeccompProfile: Which seccomp profile filters the process's system calls.
SecretProjection: Keys of a Secret as files.
SecretReference: A Secret, and its namespace.
SelectableField: A field by which objects can be chosen.
SELinuxOptions: The process's SELinux label.
ServiceAccountSubject: A service account.
ServiceBackendPort: A port, by name or number.
ServiceCIDRSpec: The ranges of addresses for Services.
ServiceCIDRStatus: Whether the ranges can be used.
ServiceReference: A Service that serves this.
SleepAction: To wait.
StartupBoost: More for a start than afterwards.
StatefulSetCondition: One aspect of the StatefulSet.
StatefulSetOrdinals: From where the pods are numbered.
StatefulSetPersistentVolumeClaimRetentionPolicy: What becomes of claims when pods go.
StatefulSetSpec: Numbered pods, each with a name and storage of its own.
StatefulSetStatus: How many pods there are, and of which revision.
StatefulSetUpdateStrategy: How old pods give way to new ones.
StorageOSPersistentVolumeSource: A volume of a kind that is not supported.
StorageOSVolumeSource: A volume of a kind that is not supported.
Subject: Who is meant: a user, a group or a service account.
SuccessPolicy: When a Job has succeeded, before all of its pods have.
SuccessPolicyRule: Which indexes, or how many, are enough.
Sysctl: A parameter of the kernel, for this pod.
TokenRequest: A token for the driver.
TopologyConstraint: All pods of the group within one place.
TopologySelectorLabelRequirement: A label, and which values it may have.
TopologySelectorTerm: Labels that must all fit.
TypeChecking: What the expressions' types say.
TypedLocalObjectReference: An object of the same namespace.
TypedObjectReference: An object, perhaps of another namespace.
UncountedTerminatedPods: Pods that have ended and are not in the numbers yet.
UserSubject: A user.
ValidatingAdmissionPolicyBindingSpec: For whom a policy holds, with which parameters.
ValidatingAdmissionPolicySpec: What requests have to be like.
ValidatingAdmissionPolicyStatus: Whether the policy's expressions make sense.
ValidatingWebhook: A server that may refuse requests.
Validation: An expression that must be true, and what is said otherwise.
ValidationRule: An expression that must be true, and what is said otherwise.
Variable: An expression with a name, for other expressions.
VerticalPodAutoscalerCheckpointSpec: Whose use it is.
VerticalPodAutoscalerCheckpointStatus: What is remembered of it.
VerticalPodAutoscalerCondition: One aspect of the autoscaler.
VerticalPodAutoscalerRecommenderSelector: Who recommends.
VerticalPodAutoscalerStatus: What is recommended, and why not.
VolumeAttachmentSource: Which volume.
VolumeAttachmentSpec: Which volume is to be attached to which node, by whom.
VolumeAttachmentStatus: Whether it is attached.
VolumeError: What went wrong, and when.
VolumeMountStatus: How a volume is mounted.
VolumeNodeAffinity: From which nodes the volume can be reached.
VolumeNodeResources: How many volumes a node can have.
VolumeProjection: One source of a volume with several.
VolumeResourceRequirements: How much storage is asked for.
VolumeStatus: What became of a volume.
VsphereVirtualDiskVolumeSource: A volume of a kind that is not supported.
WebhookClientConfig: Where the server is, and by whom its certificate is.
WebhookConversion: A server that converts objects.
WeightedPodAffinityTerm: A preference for the nearness of pods, and its weight.
WindowsSecurityContextOptions: For Windows.
WorkloadPodGroupTemplateReference: A template of a Workload.
WorkloadSpec: The groups of pods that make up a workload.
`;
