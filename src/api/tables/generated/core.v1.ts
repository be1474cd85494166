/** The table of core.v1. Made by tools/make-tables.ts from facts of Kubernetes 1.36 (Apache-2.0); do not edit. Grammar: ../table-text.ts. */
export const table = `
AWSElasticBlockStoreVolumeSource
  volumeID! 1 string default=""
  fsType 2 string
  partition 3 int32
  readOnly 4 bool

Affinity
  nodeAffinity 1 NodeAffinity
  podAffinity 2 PodAffinity
  podAntiAffinity 3 PodAntiAffinity

AppArmorProfile
  type! 1 string default=""
  localhostProfile 2 string nullable

AttachedVolume
  name! 1 string default=""
  devicePath! 2 string default=""

AvoidPods
  preferAvoidPods 1 []PreferAvoidPodsEntry

AzureDiskVolumeSource
  diskName! 1 string default=""
  diskURI! 2 string default=""
  cachingMode 3 string nullable default="ReadWrite"
  fsType 4 string nullable default="ext4"
  readOnly 5 bool nullable default=false
  kind 6 string nullable default="Shared"

AzureFilePersistentVolumeSource
  secretName! 1 string default=""
  shareName! 2 string default=""
  readOnly 3 bool
  secretNamespace 4 string nullable

AzureFileVolumeSource
  secretName! 1 string default=""
  shareName! 2 string default=""
  readOnly 3 bool

Binding kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  target! 2 ObjectReference default={}

CSIPersistentVolumeSource
  driver! 1 string default=""
  volumeHandle! 2 string default=""
  readOnly 3 bool
  fsType 4 string
  volumeAttributes 5 {}string
  controllerPublishSecretRef 6 SecretReference
  nodeStageSecretRef 7 SecretReference
  nodePublishSecretRef 8 SecretReference
  controllerExpandSecretRef 9 SecretReference
  nodeExpandSecretRef 10 SecretReference

CSIVolumeSource
  driver! 1 string default=""
  readOnly 2 bool nullable
  fsType 3 string nullable
  volumeAttributes 4 {}string
  nodePublishSecretRef 5 LocalObjectReference

Capabilities
  add 1 []string list=atomic
  drop 2 []string list=atomic

CephFSPersistentVolumeSource
  monitors! 1 []string list=atomic
  path 2 string
  user 3 string
  secretFile 4 string
  secretRef 5 SecretReference
  readOnly 6 bool

CephFSVolumeSource
  monitors! 1 []string list=atomic
  path 2 string
  user 3 string
  secretFile 4 string
  secretRef 5 LocalObjectReference
  readOnly 6 bool

CinderPersistentVolumeSource
  volumeID! 1 string default=""
  fsType 2 string
  readOnly 3 bool
  secretRef 4 SecretReference

CinderVolumeSource
  volumeID! 1 string default=""
  fsType 2 string
  readOnly 3 bool
  secretRef 4 LocalObjectReference

ClientIPConfig
  timeoutSeconds 1 int32 nullable

ClusterTrustBundleProjection
  name 1 string nullable
  signerName 2 string nullable
  labelSelector 3 meta.v1.LabelSelector
  path! 4 string default=""
  optional 5 bool nullable

ComponentCondition
  type! 1 string default=""
  status! 2 string default=""
  message 3 string
  error 4 string

ComponentStatus kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  conditions 2 []ComponentCondition list=map(type) patch=merge(type)

ComponentStatusList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []ComponentStatus

ConfigMap kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  data 2 {}string
  binaryData 3 {}bytes
  immutable 4 bool nullable

ConfigMapEnvSource
  name 1/1 string default=""
  optional 2 bool nullable

ConfigMapKeySelector map=atomic
  name 1/1 string default=""
  key! 2 string default=""
  optional 3 bool nullable

ConfigMapList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []ConfigMap

ConfigMapNodeConfigSource
  namespace! 1 string default=""
  name! 2 string default=""
  uid 3 string
  resourceVersion 4 string
  kubeletConfigKey! 5 string default=""

ConfigMapProjection
  name 1/1 string default=""
  items 2 []KeyToPath list=atomic
  optional 4 bool nullable

ConfigMapVolumeSource
  name 1/1 string default=""
  items 2 []KeyToPath list=atomic
  defaultMode 3 int32 nullable
  optional 4 bool nullable

Container
  name! 1 string default=""
  image 2 string
  command 3 []string list=atomic
  args 4 []string list=atomic
  workingDir 5 string
  ports 6 []ContainerPort list=map(containerPort,protocol) patch=merge(containerPort)
  env 7 []EnvVar list=map(name) patch=merge(name)
  resources 8 ResourceRequirements default={}
  volumeMounts 9 []VolumeMount list=map(mountPath) patch=merge(mountPath)
  livenessProbe 10 Probe
  readinessProbe 11 Probe
  lifecycle 12 Lifecycle
  terminationMessagePath 13 string
  imagePullPolicy 14 string
  securityContext 15 SecurityContext
  stdin 16 bool
  stdinOnce 17 bool
  tty 18 bool
  envFrom 19 []EnvFromSource list=atomic
  terminationMessagePolicy 20 string
  volumeDevices 21 []VolumeDevice list=map(devicePath) patch=merge(devicePath)
  startupProbe 22 Probe
  resizePolicy 23 []ContainerResizePolicy list=atomic
  restartPolicy 24 string nullable
  restartPolicyRules 25 []ContainerRestartRule list=atomic

ContainerExtendedResourceRequest
  containerName! 1 string default=""
  resourceName! 2 string default=""
  requestName! 3 string default=""

ContainerImage
  names 1 []string list=atomic
  sizeBytes 2 int64

ContainerPort
  name 1 string
  hostPort 2 int32
  containerPort! 3 int32 default=0
  protocol 4 string default="TCP"
  hostIP 5 string

ContainerResizePolicy
  resourceName! 1 string default=""
  restartPolicy! 2 string default=""

ContainerRestartRule
  action! 1 string
  exitCodes 2 ContainerRestartRuleOnExitCodes

ContainerRestartRuleOnExitCodes
  operator! 1 string
  values 2 []int32 list=set

ContainerState
  waiting 1 ContainerStateWaiting
  running 2 ContainerStateRunning
  terminated 3 ContainerStateTerminated

ContainerStateRunning
  startedAt 1 time

ContainerStateTerminated
  exitCode! 1 int32 default=0
  signal 2 int32
  reason 3 string
  message 4 string
  startedAt 5 time
  finishedAt 6 time
  containerID 7 string

ContainerStateWaiting
  reason 1 string
  message 2 string

ContainerStatus
  name! 1 string default=""
  state 2 ContainerState default={}
  lastState 3 ContainerState default={}
  ready! 4 bool default=false
  restartCount! 5 int32 default=0
  image! 6 string default=""
  imageID! 7 string default=""
  containerID 8 string
  started 9 bool nullable
  allocatedResources 10 {}quantity
  resources 11 ResourceRequirements
  volumeMounts 12 []VolumeMountStatus list=map(mountPath) patch=merge(mountPath)
  user 13 ContainerUser
  allocatedResourcesStatus 14 []ResourceStatus list=map(name) patch=merge(name)
  stopSignal 15 string

ContainerUser
  linux 1 LinuxContainerUser

DaemonEndpoint
  Port! 1 int32 default=0

DownwardAPIProjection
  items 1 []DownwardAPIVolumeFile list=atomic

DownwardAPIVolumeFile
  path! 1 string default=""
  fieldRef 2 ObjectFieldSelector
  resourceFieldRef 3 ResourceFieldSelector
  mode 4 int32 nullable

DownwardAPIVolumeSource
  items 1 []DownwardAPIVolumeFile list=atomic
  defaultMode 2 int32 nullable

EmptyDirVolumeSource
  medium 1 string
  sizeLimit 2 quantity

EndpointAddress map=atomic
  ip! 1 string default=""
  targetRef 2 ObjectReference
  hostname 3 string
  nodeName 4 string nullable

EndpointPort map=atomic
  name 1 string
  port! 2 int32 default=0
  protocol 3 string
  appProtocol 4 string nullable

EndpointSubset
  addresses 1 []EndpointAddress list=atomic
  notReadyAddresses 2 []EndpointAddress list=atomic
  ports 3 []EndpointPort list=atomic

Endpoints kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  subsets 2 []EndpointSubset list=atomic

EndpointsList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []Endpoints

EnvFromSource
  prefix 1 string
  configMapRef 2 ConfigMapEnvSource
  secretRef 3 SecretEnvSource

EnvVar
  name! 1 string default=""
  value 2 string
  valueFrom 3 EnvVarSource

EnvVarSource
  fieldRef 1 ObjectFieldSelector
  resourceFieldRef 2 ResourceFieldSelector
  configMapKeyRef 3 ConfigMapKeySelector
  secretKeyRef 4 SecretKeySelector
  fileKeyRef 5 FileKeySelector

EphemeralContainer
  name! 1/1 string default=""
  image 1/2 string
  command 1/3 []string list=atomic
  args 1/4 []string list=atomic
  workingDir 1/5 string
  ports 1/6 []ContainerPort list=map(containerPort,protocol) patch=merge(containerPort)
  env 1/7 []EnvVar list=map(name) patch=merge(name)
  resources 1/8 ResourceRequirements default={}
  volumeMounts 1/9 []VolumeMount list=map(mountPath) patch=merge(mountPath)
  livenessProbe 1/10 Probe
  readinessProbe 1/11 Probe
  lifecycle 1/12 Lifecycle
  terminationMessagePath 1/13 string
  imagePullPolicy 1/14 string
  securityContext 1/15 SecurityContext
  stdin 1/16 bool
  stdinOnce 1/17 bool
  tty 1/18 bool
  envFrom 1/19 []EnvFromSource list=atomic
  terminationMessagePolicy 1/20 string
  volumeDevices 1/21 []VolumeDevice list=map(devicePath) patch=merge(devicePath)
  startupProbe 1/22 Probe
  resizePolicy 1/23 []ContainerResizePolicy list=atomic
  restartPolicy 1/24 string nullable
  restartPolicyRules 1/25 []ContainerRestartRule list=atomic
  targetContainerName 2 string

EphemeralVolumeSource
  volumeClaimTemplate 1 PersistentVolumeClaimTemplate

Event kind
  apiVersion - string
  kind - string
  metadata! 1 meta.v1.ObjectMeta default={}
  involvedObject! 2 ObjectReference default={}
  reason 3 string
  message 4 string
  source 5 EventSource default={}
  firstTimestamp 6 time
  lastTimestamp 7 time
  count 8 int32
  type 9 string
  eventTime 10 microTime
  series 11 EventSeries
  action 12 string
  related 13 ObjectReference
  reportingComponent 14 string default=""
  reportingInstance 15 string default=""

EventList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []Event

EventSeries
  count 1 int32
  lastObservedTime 2 microTime

EventSource
  component 1 string
  host 2 string

ExecAction
  command 1 []string list=atomic

FCVolumeSource
  targetWWNs 1 []string list=atomic
  lun 2 int32 nullable
  fsType 3 string
  readOnly 4 bool
  wwids 5 []string list=atomic

FileKeySelector map=atomic
  volumeName! 1 string default=""
  path! 2 string default=""
  key! 3 string default=""
  optional 4 bool nullable default=false

FlexPersistentVolumeSource
  driver! 1 string default=""
  fsType 2 string
  secretRef 3 SecretReference
  readOnly 4 bool
  options 5 {}string

FlexVolumeSource
  driver! 1 string default=""
  fsType 2 string
  secretRef 3 LocalObjectReference
  readOnly 4 bool
  options 5 {}string

FlockerVolumeSource
  datasetName 1 string
  datasetUUID 2 string

GCEPersistentDiskVolumeSource
  pdName! 1 string default=""
  fsType 2 string
  partition 3 int32
  readOnly 4 bool

GRPCAction
  port! 1 int32 default=0
  service 2 string nullable default=""

GitRepoVolumeSource
  repository! 1 string default=""
  revision 2 string
  directory 3 string

GlusterfsPersistentVolumeSource
  endpoints! 1 string default=""
  path! 2 string default=""
  readOnly 3 bool
  endpointsNamespace 4 string nullable

GlusterfsVolumeSource
  endpoints! 1 string default=""
  path! 2 string default=""
  readOnly 3 bool

HTTPGetAction
  path 1 string
  port! 2 intOrString
  host 3 string
  scheme 4 string
  httpHeaders 5 []HTTPHeader list=atomic

HTTPHeader
  name! 1 string default=""
  value! 2 string default=""

HostAlias
  ip! 1 string default=""
  hostnames 2 []string list=atomic

HostIP
  ip! 1 string default=""

HostPathVolumeSource
  path! 1 string default=""
  type 2 string nullable

ISCSIPersistentVolumeSource
  targetPortal! 1 string default=""
  iqn! 2 string default=""
  lun! 3 int32 default=0
  iscsiInterface 4 string default="default"
  fsType 5 string
  readOnly 6 bool
  portals 7 []string list=atomic
  chapAuthDiscovery 8 bool
  secretRef 10 SecretReference
  chapAuthSession 11 bool
  initiatorName 12 string nullable

ISCSIVolumeSource
  targetPortal! 1 string default=""
  iqn! 2 string default=""
  lun! 3 int32 default=0
  iscsiInterface 4 string default="default"
  fsType 5 string
  readOnly 6 bool
  portals 7 []string list=atomic
  chapAuthDiscovery 8 bool
  secretRef 10 LocalObjectReference
  chapAuthSession 11 bool
  initiatorName 12 string nullable

ImageVolumeSource
  reference 1 string
  pullPolicy 2 string

ImageVolumeStatus
  imageRef! 1 string

KeyToPath
  key! 1 string default=""
  path! 2 string default=""
  mode 3 int32 nullable

Lifecycle
  postStart 1 LifecycleHandler
  preStop 2 LifecycleHandler
  stopSignal 3 string

LifecycleHandler
  exec 1 ExecAction
  httpGet 2 HTTPGetAction
  tcpSocket 3 TCPSocketAction
  sleep 4 SleepAction

LimitRange kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec 2 LimitRangeSpec default={}

LimitRangeItem
  type! 1 string default=""
  max 2 {}quantity
  min 3 {}quantity
  default 4 {}quantity
  defaultRequest 5 {}quantity
  maxLimitRequestRatio 6 {}quantity

LimitRangeList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []LimitRange

LimitRangeSpec
  limits! 1 []LimitRangeItem list=atomic

LinuxContainerUser
  uid! 1 int64 default=0
  gid! 2 int64 default=0
  supplementalGroups 3 []int64 list=atomic

List
  metadata 1 meta.v1.ListMeta
  items 2 []json

LoadBalancerIngress
  ip 1 string
  hostname 2 string
  ipMode 3 string nullable
  ports 4 []PortStatus list=atomic

LoadBalancerStatus
  ingress 1 []LoadBalancerIngress list=atomic

LocalObjectReference map=atomic
  name 1 string default=""

LocalVolumeSource
  path! 1 string default=""
  fsType 2 string nullable

ModifyVolumeStatus
  targetVolumeAttributesClassName 1 string
  status! 2 string default=""

NFSVolumeSource
  server! 1 string default=""
  path! 2 string default=""
  readOnly 3 bool

Namespace kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec 2 NamespaceSpec default={}
  status 3 NamespaceStatus default={}

NamespaceCondition
  type! 1 string default=""
  status! 2 string default=""
  lastTransitionTime 4 time
  reason 5 string
  message 6 string

NamespaceList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []Namespace

NamespaceSpec
  finalizers 1 []string list=atomic

NamespaceStatus
  phase 1 string
  conditions 2 []NamespaceCondition list=map(type) patch=merge(type)

Node kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec 2 NodeSpec default={}
  status 3 NodeStatus default={}

NodeAddress
  type! 1 string default=""
  address! 2 string default=""

NodeAffinity
  requiredDuringSchedulingIgnoredDuringExecution 1 NodeSelector
  preferredDuringSchedulingIgnoredDuringExecution 2 []PreferredSchedulingTerm list=atomic

NodeAllocatableResourceClaimStatus
  resourceClaimName! 1 string default=""
  containers 2 []string list=set
  resources! 3 {}quantity

NodeCondition
  type! 1 string default=""
  status! 2 string default=""
  lastHeartbeatTime 3 time
  lastTransitionTime 4 time
  reason 5 string
  message 6 string

NodeConfigSource
  configMap 2 ConfigMapNodeConfigSource

NodeConfigStatus
  assigned 1 NodeConfigSource
  active 2 NodeConfigSource
  lastKnownGood 3 NodeConfigSource
  error 4 string

NodeDaemonEndpoints
  kubeletEndpoint 1 DaemonEndpoint default={}

NodeFeatures
  supplementalGroupsPolicy 1 bool nullable

NodeList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []Node

NodeProxyOptions kind
  apiVersion - string
  kind - string
  path 1 string

NodeRuntimeHandler
  name 1 string default=""
  features 2 NodeRuntimeHandlerFeatures

NodeRuntimeHandlerFeatures
  recursiveReadOnlyMounts 1 bool nullable
  userNamespaces 2 bool nullable

NodeSelector map=atomic
  nodeSelectorTerms! 1 []NodeSelectorTerm list=atomic

NodeSelectorRequirement
  key! 1 string default=""
  operator! 2 string default=""
  values 3 []string list=atomic

NodeSelectorTerm map=atomic
  matchExpressions 1 []NodeSelectorRequirement list=atomic
  matchFields 2 []NodeSelectorRequirement list=atomic

NodeSpec
  podCIDR 1 string
  externalID 2 string
  providerID 3 string
  unschedulable 4 bool
  taints 5 []Taint list=atomic
  configSource 6 NodeConfigSource
  podCIDRs 7 []string list=set patch=merge

NodeStatus
  capacity 1 {}quantity
  allocatable 2 {}quantity
  phase 3 string
  conditions 4 []NodeCondition list=map(type) patch=merge(type)
  addresses 5 []NodeAddress list=map(type) patch=merge(type)
  daemonEndpoints 6 NodeDaemonEndpoints default={}
  nodeInfo 7 NodeSystemInfo default={}
  images 8 []ContainerImage list=atomic
  volumesInUse 9 []string list=atomic
  volumesAttached 10 []AttachedVolume list=atomic
  config 11 NodeConfigStatus
  runtimeHandlers 12 []NodeRuntimeHandler list=atomic
  features 13 NodeFeatures
  declaredFeatures 14 []string list=atomic

NodeSwapStatus
  capacity 1 int64 nullable

NodeSystemInfo
  machineID! 1 string default=""
  systemUUID! 2 string default=""
  bootID! 3 string default=""
  kernelVersion! 4 string default=""
  osImage! 5 string default=""
  containerRuntimeVersion! 6 string default=""
  kubeletVersion! 7 string default=""
  kubeProxyVersion! 8 string default=""
  operatingSystem! 9 string default=""
  architecture! 10 string default=""
  swap 11 NodeSwapStatus

ObjectFieldSelector map=atomic
  apiVersion 1 string
  fieldPath! 2 string default=""

ObjectReference map=atomic
  kind 1 string
  namespace 2 string
  name 3 string
  uid 4 string
  apiVersion 5 string
  resourceVersion 6 string
  fieldPath 7 string

PersistentVolume kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec 2 PersistentVolumeSpec default={}
  status 3 PersistentVolumeStatus default={}

PersistentVolumeClaim kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec 2 PersistentVolumeClaimSpec default={}
  status 3 PersistentVolumeClaimStatus default={}

PersistentVolumeClaimCondition
  type! 1 string default=""
  status! 2 string default=""
  lastProbeTime 3 time
  lastTransitionTime 4 time
  reason 5 string
  message 6 string

PersistentVolumeClaimList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []PersistentVolumeClaim

PersistentVolumeClaimSpec
  accessModes 1 []string list=atomic
  resources 2 VolumeResourceRequirements default={}
  volumeName 3 string
  selector 4 meta.v1.LabelSelector
  storageClassName 5 string nullable
  volumeMode 6 string nullable
  dataSource 7 TypedLocalObjectReference
  dataSourceRef 8 TypedObjectReference
  volumeAttributesClassName 9 string nullable

PersistentVolumeClaimStatus
  phase 1 string
  accessModes 2 []string list=atomic
  capacity 3 {}quantity
  conditions 4 []PersistentVolumeClaimCondition list=map(type) patch=merge(type)
  allocatedResources 5 {}quantity
  allocatedResourceStatuses 7 {}string map=granular
  currentVolumeAttributesClassName 8 string nullable
  modifyVolumeStatus 9 ModifyVolumeStatus

PersistentVolumeClaimTemplate
  metadata 1 meta.v1.ObjectMeta default={}
  spec! 2 PersistentVolumeClaimSpec default={}

PersistentVolumeClaimVolumeSource
  claimName! 1 string default=""
  readOnly 2 bool

PersistentVolumeList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []PersistentVolume

PersistentVolumeSpec
  capacity 1 {}quantity
  gcePersistentDisk 2/1 GCEPersistentDiskVolumeSource
  awsElasticBlockStore 2/2 AWSElasticBlockStoreVolumeSource
  hostPath 2/3 HostPathVolumeSource
  glusterfs 2/4 GlusterfsPersistentVolumeSource
  nfs 2/5 NFSVolumeSource
  rbd 2/6 RBDPersistentVolumeSource
  iscsi 2/7 ISCSIPersistentVolumeSource
  cinder 2/8 CinderPersistentVolumeSource
  cephfs 2/9 CephFSPersistentVolumeSource
  fc 2/10 FCVolumeSource
  flocker 2/11 FlockerVolumeSource
  flexVolume 2/12 FlexPersistentVolumeSource
  azureFile 2/13 AzureFilePersistentVolumeSource
  vsphereVolume 2/14 VsphereVirtualDiskVolumeSource
  quobyte 2/15 QuobyteVolumeSource
  azureDisk 2/16 AzureDiskVolumeSource
  photonPersistentDisk 2/17 PhotonPersistentDiskVolumeSource
  portworxVolume 2/18 PortworxVolumeSource
  scaleIO 2/19 ScaleIOPersistentVolumeSource
  local 2/20 LocalVolumeSource
  storageos 2/21 StorageOSPersistentVolumeSource
  csi 2/22 CSIPersistentVolumeSource
  accessModes 3 []string list=atomic
  claimRef 4 ObjectReference map=granular
  persistentVolumeReclaimPolicy 5 string
  storageClassName 6 string
  mountOptions 7 []string list=atomic
  volumeMode 8 string nullable
  nodeAffinity 9 VolumeNodeAffinity
  volumeAttributesClassName 10 string nullable

PersistentVolumeStatus
  phase 1 string
  message 2 string
  reason 3 string
  lastPhaseTransitionTime 4 time

PhotonPersistentDiskVolumeSource
  pdID! 1 string default=""
  fsType 2 string

Pod kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec 2 PodSpec default={}
  status 3 PodStatus default={}

PodAffinity
  requiredDuringSchedulingIgnoredDuringExecution 1 []PodAffinityTerm list=atomic
  preferredDuringSchedulingIgnoredDuringExecution 2 []WeightedPodAffinityTerm list=atomic

PodAffinityTerm
  labelSelector 1 meta.v1.LabelSelector
  namespaces 2 []string list=atomic
  topologyKey! 3 string default=""
  namespaceSelector 4 meta.v1.LabelSelector
  matchLabelKeys 5 []string list=atomic
  mismatchLabelKeys 6 []string list=atomic

PodAntiAffinity
  requiredDuringSchedulingIgnoredDuringExecution 1 []PodAffinityTerm list=atomic
  preferredDuringSchedulingIgnoredDuringExecution 2 []WeightedPodAffinityTerm list=atomic

PodAttachOptions kind
  apiVersion - string
  kind - string
  stdin 1 bool
  stdout 2 bool
  stderr 3 bool
  tty 4 bool
  container 5 string

PodCertificateProjection
  signerName! 1 string
  keyType! 2 string
  maxExpirationSeconds 3 int32 nullable
  credentialBundlePath 4 string
  keyPath 5 string
  certificateChainPath 6 string
  userAnnotations 7 {}string

PodCondition
  type! 1 string default=""
  status! 2 string default=""
  lastProbeTime 3 time
  lastTransitionTime 4 time
  reason 5 string
  message 6 string
  observedGeneration 7 int64

PodDNSConfig
  nameservers 1 []string list=atomic
  searches 2 []string list=atomic
  options 3 []PodDNSConfigOption list=atomic

PodDNSConfigOption
  name 1 string
  value 2 string nullable

PodExecOptions kind
  apiVersion - string
  kind - string
  stdin 1 bool
  stdout 2 bool
  stderr 3 bool
  tty 4 bool
  container 5 string
  command 6 []string

PodExtendedResourceClaimStatus
  requestMappings! 1 []ContainerExtendedResourceRequest list=atomic
  resourceClaimName! 2 string default=""

PodIP
  ip! 1 string default=""

PodList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []Pod

PodLogOptions kind
  apiVersion - string
  kind - string
  container 1 string
  follow 2 bool
  previous 3 bool
  sinceSeconds 4 int64 nullable
  sinceTime 5 time
  timestamps 6 bool
  tailLines 7 int64 nullable
  limitBytes 8 int64 nullable
  insecureSkipTLSVerifyBackend 9 bool
  stream 10 string nullable

PodOS
  name! 1 string default=""

PodPortForwardOptions kind
  apiVersion - string
  kind - string
  ports 1 []int32

PodProxyOptions kind
  apiVersion - string
  kind - string
  path 1 string

PodReadinessGate
  conditionType! 1 string default=""

PodResourceClaim
  name! 1 string default=""
  resourceClaimName 3 string nullable
  resourceClaimTemplateName 4 string nullable

PodResourceClaimStatus
  name! 1 string default=""
  resourceClaimName 2 string nullable

PodSchedulingGate
  name! 1 string default=""

PodSchedulingGroup
  podGroupName 1 string

PodSecurityContext
  seLinuxOptions 1 SELinuxOptions
  runAsUser 2 int64 nullable
  runAsNonRoot 3 bool nullable
  supplementalGroups 4 []int64 list=atomic
  fsGroup 5 int64 nullable
  runAsGroup 6 int64 nullable
  sysctls 7 []Sysctl list=atomic
  windowsOptions 8 WindowsSecurityContextOptions
  fsGroupChangePolicy 9 string nullable
  seccompProfile 10 SeccompProfile
  appArmorProfile 11 AppArmorProfile
  supplementalGroupsPolicy 12 string nullable
  seLinuxChangePolicy 13 string nullable

PodSignature
  podController 1 meta.v1.OwnerReference

PodSpec
  volumes 1 []Volume list=map(name) patch=merge,retainKeys(name)
  containers! 2 []Container list=map(name) patch=merge(name)
  restartPolicy 3 string
  terminationGracePeriodSeconds 4 int64 nullable
  activeDeadlineSeconds 5 int64 nullable
  dnsPolicy 6 string
  nodeSelector 7 {}string map=atomic
  serviceAccountName 8 string
  serviceAccount 9 string
  nodeName 10 string
  hostNetwork 11 bool
  hostPID 12 bool
  hostIPC 13 bool
  securityContext 14 PodSecurityContext
  imagePullSecrets 15 []LocalObjectReference list=map(name) patch=merge(name)
  hostname 16 string
  subdomain 17 string
  affinity 18 Affinity
  schedulerName 19 string
  initContainers 20 []Container list=map(name) patch=merge(name)
  automountServiceAccountToken 21 bool nullable
  tolerations 22 []Toleration list=atomic
  hostAliases 23 []HostAlias list=map(ip) patch=merge(ip)
  priorityClassName 24 string
  priority 25 int32 nullable
  dnsConfig 26 PodDNSConfig
  shareProcessNamespace 27 bool nullable
  readinessGates 28 []PodReadinessGate list=atomic
  runtimeClassName 29 string nullable
  enableServiceLinks 30 bool nullable
  preemptionPolicy 31 string nullable
  overhead 32 {}quantity
  topologySpreadConstraints 33 []TopologySpreadConstraint list=map(topologyKey,whenUnsatisfiable) patch=merge(topologyKey)
  ephemeralContainers 34 []EphemeralContainer list=map(name) patch=merge(name)
  setHostnameAsFQDN 35 bool nullable
  os 36 PodOS
  hostUsers 37 bool nullable
  schedulingGates 38 []PodSchedulingGate list=map(name) patch=merge(name)
  resourceClaims 39 []PodResourceClaim list=map(name) patch=merge,retainKeys(name)
  resources 40 ResourceRequirements
  hostnameOverride 41 string nullable
  schedulingGroup 43 PodSchedulingGroup

PodStatus
  phase 1 string
  conditions 2 []PodCondition list=map(type) patch=merge(type)
  message 3 string
  reason 4 string
  hostIP 5 string
  podIP 6 string
  startTime 7 time
  containerStatuses 8 []ContainerStatus list=atomic
  qosClass 9 string
  initContainerStatuses 10 []ContainerStatus list=atomic
  nominatedNodeName 11 string
  podIPs 12 []PodIP list=map(ip) patch=merge(ip)
  ephemeralContainerStatuses 13 []ContainerStatus list=atomic
  resize 14 string
  resourceClaimStatuses 15 []PodResourceClaimStatus list=map(name) patch=merge,retainKeys(name)
  hostIPs 16 []HostIP list=atomic patch=merge(ip)
  observedGeneration 17 int64
  extendedResourceClaimStatus 18 PodExtendedResourceClaimStatus
  allocatedResources 19 {}quantity
  resources 20 ResourceRequirements
  nodeAllocatableResourceClaimStatuses 21 []NodeAllocatableResourceClaimStatus list=atomic

PodStatusResult kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta
  status 2 PodStatus

PodTemplate kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  template 2 PodTemplateSpec default={}

PodTemplateList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []PodTemplate

PodTemplateSpec
  metadata 1 meta.v1.ObjectMeta default={}
  spec 2 PodSpec default={}

PortStatus
  port! 1 int32 default=0
  protocol! 2 string default=""
  error 3 string nullable

PortworxVolumeSource
  volumeID! 1 string default=""
  fsType 2 string
  readOnly 3 bool

Preconditions
  uid 1 string

PreferAvoidPodsEntry
  podSignature 1 PodSignature
  evictionTime 2 time
  reason 3 string
  message 4 string

PreferredSchedulingTerm
  weight! 1 int32 default=0
  preference! 2 NodeSelectorTerm default={}

Probe
  exec 1/1 ExecAction
  httpGet 1/2 HTTPGetAction
  tcpSocket 1/3 TCPSocketAction
  grpc 1/4 GRPCAction
  initialDelaySeconds 2 int32
  timeoutSeconds 3 int32
  periodSeconds 4 int32
  successThreshold 5 int32
  failureThreshold 6 int32
  terminationGracePeriodSeconds 7 int64 nullable

ProjectedVolumeSource
  sources 1 []VolumeProjection list=atomic
  defaultMode 2 int32 nullable

QuobyteVolumeSource
  registry! 1 string default=""
  volume! 2 string default=""
  readOnly 3 bool
  user 4 string
  group 5 string
  tenant 6 string

RBDPersistentVolumeSource
  monitors! 1 []string list=atomic
  image! 2 string default=""
  fsType 3 string
  pool 4 string default="rbd"
  user 5 string default="admin"
  keyring 6 string default="/etc/ceph/keyring"
  secretRef 7 SecretReference
  readOnly 8 bool

RBDVolumeSource
  monitors! 1 []string list=atomic
  image! 2 string default=""
  fsType 3 string
  pool 4 string default="rbd"
  user 5 string default="admin"
  keyring 6 string default="/etc/ceph/keyring"
  secretRef 7 LocalObjectReference
  readOnly 8 bool

RangeAllocation kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta
  range 2 string
  data 3 bytes

ReplicationController kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec 2 ReplicationControllerSpec default={}
  status 3 ReplicationControllerStatus default={}

ReplicationControllerCondition
  type! 1 string default=""
  status! 2 string default=""
  lastTransitionTime 3 time
  reason 4 string
  message 5 string

ReplicationControllerList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []ReplicationController

ReplicationControllerSpec
  replicas 1 int32 nullable default=1
  selector 2 {}string map=atomic
  template 3 PodTemplateSpec
  minReadySeconds 4 int32 default=0

ReplicationControllerStatus
  replicas! 1 int32 default=0
  fullyLabeledReplicas 2 int32
  observedGeneration 3 int64
  readyReplicas 4 int32
  availableReplicas 5 int32
  conditions 6 []ReplicationControllerCondition list=map(type) patch=merge(type)

ResourceClaim
  name! 1 string default=""
  request 2 string

ResourceFieldSelector map=atomic
  containerName 1 string
  resource! 2 string default=""
  divisor 3 quantity

ResourceHealth
  resourceID! 1 string default=""
  health 2 string
  message 6 string

ResourceQuota kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec 2 ResourceQuotaSpec default={}
  status 3 ResourceQuotaStatus default={}

ResourceQuotaList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []ResourceQuota

ResourceQuotaSpec
  hard 1 {}quantity
  scopes 2 []string list=atomic
  scopeSelector 3 ScopeSelector

ResourceQuotaStatus
  hard 1 {}quantity
  used 2 {}quantity

ResourceRequirements
  limits 1 {}quantity
  requests 2 {}quantity
  claims 3 []ResourceClaim list=map(name)

ResourceStatus
  name! 1 string default=""
  resources 2 []ResourceHealth list=map(resourceID)

SELinuxOptions
  user 1 string
  role 2 string
  type 3 string
  level 4 string

ScaleIOPersistentVolumeSource
  gateway! 1 string default=""
  system! 2 string default=""
  secretRef! 3 SecretReference
  sslEnabled 4 bool
  protectionDomain 5 string
  storagePool 6 string
  storageMode 7 string default="ThinProvisioned"
  volumeName 8 string
  fsType 9 string default="xfs"
  readOnly 10 bool

ScaleIOVolumeSource
  gateway! 1 string default=""
  system! 2 string default=""
  secretRef! 3 LocalObjectReference
  sslEnabled 4 bool
  protectionDomain 5 string
  storagePool 6 string
  storageMode 7 string default="ThinProvisioned"
  volumeName 8 string
  fsType 9 string default="xfs"
  readOnly 10 bool

ScopeSelector map=atomic
  matchExpressions 1 []ScopedResourceSelectorRequirement list=atomic

ScopedResourceSelectorRequirement
  scopeName! 1 string default=""
  operator! 2 string default=""
  values 3 []string list=atomic

SeccompProfile
  type! 1 string default=""
  localhostProfile 2 string nullable

Secret kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  data 2 {}bytes
  type 3 string
  stringData 4 {}string
  immutable 5 bool nullable

SecretEnvSource
  name 1/1 string default=""
  optional 2 bool nullable

SecretKeySelector map=atomic
  name 1/1 string default=""
  key! 2 string default=""
  optional 3 bool nullable

SecretList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []Secret

SecretProjection
  name 1/1 string default=""
  items 2 []KeyToPath list=atomic
  optional 4 bool nullable

SecretReference map=atomic
  name 1 string
  namespace 2 string

SecretVolumeSource
  secretName 1 string
  items 2 []KeyToPath list=atomic
  defaultMode 3 int32 nullable
  optional 4 bool nullable

SecurityContext
  capabilities 1 Capabilities
  privileged 2 bool nullable
  seLinuxOptions 3 SELinuxOptions
  runAsUser 4 int64 nullable
  runAsNonRoot 5 bool nullable
  readOnlyRootFilesystem 6 bool nullable
  allowPrivilegeEscalation 7 bool nullable
  runAsGroup 8 int64 nullable
  procMount 9 string nullable
  windowsOptions 10 WindowsSecurityContextOptions
  seccompProfile 11 SeccompProfile
  appArmorProfile 12 AppArmorProfile

SerializedReference kind
  apiVersion - string
  kind - string
  reference 1 ObjectReference

Service kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec 2 ServiceSpec default={}
  status 3 ServiceStatus default={}

ServiceAccount kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  secrets 2 []ObjectReference list=map(name) patch=merge(name)
  imagePullSecrets 3 []LocalObjectReference list=atomic
  automountServiceAccountToken 4 bool nullable

ServiceAccountList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []ServiceAccount

ServiceAccountTokenProjection
  audience 1 string
  expirationSeconds 2 int64 nullable
  path! 3 string default=""

ServiceList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []Service

ServicePort
  name 1 string
  protocol 2 string default="TCP"
  port! 3 int32 default=0
  targetPort 4 intOrString
  nodePort 5 int32
  appProtocol 6 string nullable

ServiceProxyOptions kind
  apiVersion - string
  kind - string
  path 1 string

ServiceSpec
  ports 1 []ServicePort list=map(port,protocol) patch=merge(port)
  selector 2 {}string map=atomic
  clusterIP 3 string
  type 4 string
  externalIPs 5 []string list=atomic
  sessionAffinity 7 string
  loadBalancerIP 8 string
  loadBalancerSourceRanges 9 []string list=atomic
  externalName 10 string
  externalTrafficPolicy 11 string
  healthCheckNodePort 12 int32
  publishNotReadyAddresses 13 bool
  sessionAffinityConfig 14 SessionAffinityConfig
  ipFamilyPolicy 17 string nullable
  clusterIPs 18 []string list=atomic
  ipFamilies 19 []string list=atomic
  allocateLoadBalancerNodePorts 20 bool nullable
  loadBalancerClass 21 string nullable
  internalTrafficPolicy 22 string nullable
  trafficDistribution 23 string nullable

ServiceStatus
  loadBalancer 1 LoadBalancerStatus default={}
  conditions 2 []meta.v1.Condition list=map(type) patch=merge(type)

SessionAffinityConfig
  clientIP 1 ClientIPConfig

SleepAction
  seconds! 1 int64 default=0

StorageOSPersistentVolumeSource
  volumeName 1 string
  volumeNamespace 2 string
  fsType 3 string
  readOnly 4 bool
  secretRef 5 ObjectReference

StorageOSVolumeSource
  volumeName 1 string
  volumeNamespace 2 string
  fsType 3 string
  readOnly 4 bool
  secretRef 5 LocalObjectReference

Sysctl
  name! 1 string default=""
  value! 2 string default=""

TCPSocketAction
  port! 1 intOrString
  host 2 string

Taint
  key! 1 string default=""
  value 2 string
  effect! 3 string default=""
  timeAdded 4 time

Toleration
  key 1 string
  operator 2 string
  value 3 string
  effect 4 string
  tolerationSeconds 5 int64 nullable

TopologySelectorLabelRequirement
  key! 1 string default=""
  values! 2 []string list=atomic

TopologySelectorTerm map=atomic
  matchLabelExpressions 1 []TopologySelectorLabelRequirement list=atomic

TopologySpreadConstraint
  maxSkew! 1 int32 default=0
  topologyKey! 2 string default=""
  whenUnsatisfiable! 3 string default=""
  labelSelector 4 meta.v1.LabelSelector
  minDomains 5 int32 nullable
  nodeAffinityPolicy 6 string nullable
  nodeTaintsPolicy 7 string nullable
  matchLabelKeys 8 []string list=atomic

TypedLocalObjectReference map=atomic
  apiGroup 1 string nullable
  kind! 2 string default=""
  name! 3 string default=""

TypedObjectReference
  apiGroup 1 string nullable
  kind! 2 string default=""
  name! 3 string default=""
  namespace 4 string nullable

Volume
  name! 1 string default=""
  hostPath 2/1 HostPathVolumeSource
  emptyDir 2/2 EmptyDirVolumeSource
  gcePersistentDisk 2/3 GCEPersistentDiskVolumeSource
  awsElasticBlockStore 2/4 AWSElasticBlockStoreVolumeSource
  gitRepo 2/5 GitRepoVolumeSource
  secret 2/6 SecretVolumeSource
  nfs 2/7 NFSVolumeSource
  iscsi 2/8 ISCSIVolumeSource
  glusterfs 2/9 GlusterfsVolumeSource
  persistentVolumeClaim 2/10 PersistentVolumeClaimVolumeSource
  rbd 2/11 RBDVolumeSource
  flexVolume 2/12 FlexVolumeSource
  cinder 2/13 CinderVolumeSource
  cephfs 2/14 CephFSVolumeSource
  flocker 2/15 FlockerVolumeSource
  downwardAPI 2/16 DownwardAPIVolumeSource
  fc 2/17 FCVolumeSource
  azureFile 2/18 AzureFileVolumeSource
  configMap 2/19 ConfigMapVolumeSource
  vsphereVolume 2/20 VsphereVirtualDiskVolumeSource
  quobyte 2/21 QuobyteVolumeSource
  azureDisk 2/22 AzureDiskVolumeSource
  photonPersistentDisk 2/23 PhotonPersistentDiskVolumeSource
  portworxVolume 2/24 PortworxVolumeSource
  scaleIO 2/25 ScaleIOVolumeSource
  projected 2/26 ProjectedVolumeSource
  storageos 2/27 StorageOSVolumeSource
  csi 2/28 CSIVolumeSource
  ephemeral 2/29 EphemeralVolumeSource
  image 2/30 ImageVolumeSource

VolumeDevice
  name! 1 string default=""
  devicePath! 2 string default=""

VolumeMount
  name! 1 string default=""
  readOnly 2 bool
  mountPath! 3 string default=""
  subPath 4 string
  mountPropagation 5 string nullable
  subPathExpr 6 string
  recursiveReadOnly 7 string nullable

VolumeMountStatus
  name! 1 string default=""
  mountPath! 2 string default=""
  readOnly 3 bool
  recursiveReadOnly 4 string nullable
  volumeStatus 5 VolumeStatus

VolumeNodeAffinity
  required 1 NodeSelector

VolumeProjection
  secret 1 SecretProjection
  downwardAPI 2 DownwardAPIProjection
  configMap 3 ConfigMapProjection
  serviceAccountToken 4 ServiceAccountTokenProjection
  clusterTrustBundle 5 ClusterTrustBundleProjection
  podCertificate 6 PodCertificateProjection

VolumeResourceRequirements
  limits 1 {}quantity
  requests 2 {}quantity

VolumeStatus
  image 1 ImageVolumeStatus

VsphereVirtualDiskVolumeSource
  volumePath! 1 string default=""
  fsType 2 string
  storagePolicyName 3 string
  storagePolicyID 4 string

WeightedPodAffinityTerm
  weight! 1 int32 default=0
  podAffinityTerm! 2 PodAffinityTerm default={}

WindowsSecurityContextOptions
  gmsaCredentialSpecName 1 string nullable
  gmsaCredentialSpec 2 string nullable
  runAsUserName 3 string nullable
  hostProcess 4 bool nullable
`;
