/** Fields of nodes, storage, networks, devices, access and definitions: `field: words` or `Message.field: words`, by the alphabet. */
export const systemFieldWords = `
$ref: Not supported.
$schema: Not supported.
acceptedNames: The names under which it is served.
accessModes: ReadWriteOnce, ReadOnlyMany, ReadWriteMany or ReadWriteOncePod.
acquireTime: Since when the holder has it.
add: Capabilities more.
additionalItems: What further items have to be like.
additionalPrinterColumns: Columns of kubectl get.
additionalProperties: What fields have to be like that are not named.
address: The address.
adminAccess: Devices though others have them, to look after them.
admissionReviewVersions: Which versions of AdmissionReview the server reads.
allNodes: They can be reached from every node.
allocatedResources: What was promised to it.
allocatedResourcesStatus: Whether the devices are well.
allocatedResourceStatuses: How far the change of its size is.
allocateLoadBalancerNodePorts: Whether a load balancer's ports get node ports.
allocation: What was given.
allocationMode: ExactCount (the default) or All.
allocationMultiplier: How many times as much.
allocationTimestamp: When it was given.
allOf: All of these must hold.
allowedTopologies: In which places volumes may be made.
allowMultipleAllocations: Whether several requests may share it.
allows: Whether anything may be there.
allowVolumeExpansion: Whether its volumes can grow.
anyOf: One of these must hold.
apiGroup: The API group.
apiGroups: The API groups; * for all, the empty text for the core.
apiVersion: The version of the schema that the object follows, as group/version.
apiVersions: The versions of the API; * for all.
appArmorProfile: Which AppArmor profile confines the processes.
applyConfiguration: An expression that makes a configuration to be applied.
architecture: The kind of its processors.
assigned: Not used any more.
attached: Whether it is attached.
AttachedVolume.devicePath: The device, as the node knows it.
attacher: Which driver attaches it.
attachError: Why it could not be attached.
attachmentMetadata: What the driver wants to know when it is mounted.
attachRequired: Whether volumes have to be attached before they can be mounted.
attributes: What it is like.
auditAnnotations: Remarks for the audit log.
awsElasticBlockStore: A disk of AWS. Not supported.
azureDisk: A disk of Azure. Not supported.
azureFile: A share of Azure. Not supported.
backend: Where its requests go.
bindingConditions: What must become true of the device before the pod is bound.
bindingFailureConditions: What must not.
bindsToNode: Whether it is used from one node only.
bool: True or false.
bools: True or false, several.
bootID: Changes at every start of the machine.
borrowingLimitPercent: How much it may borrow from others, in percent of its own.
caBundle: By whom the server's certificate is, as PEM.
cachingMode: None, ReadOnly or ReadWrite.
capabilities: Capabilities of the kernel, more or fewer.
capacityKey: Which capacity of the device.
CapacityRequestPolicyRange.max: The most.
CapacityRequestPolicyRange.min: The least.
categories: Groups such as all in which kubectl finds it.
cel: An expression that a device must fulfil.
cephfs: A CephFS. Not supported.
certificate: The certificate, as PEM.
certificateChainPath: The file with the certificates.
CertificateSigningRequestSpec.expirationSeconds: For how long the certificate is wished to hold.
CertificateSigningRequestSpec.extra: What else is known of who asks; set by the system.
CertificateSigningRequestSpec.groups: The groups of who asks; set by the system.
CertificateSigningRequestSpec.request: The request, as PKCS #10 in PEM.
CertificateSigningRequestSpec.signerName: Who shall sign.
chapAuthDiscovery: Whether discovery is authenticated.
chapAuthSession: Whether sessions are authenticated.
cidr: The range of addresses.
cidrs: The ranges of addresses, one for each IP family.
cinder: A disk of OpenStack. Not supported.
claimName: Which claim.
claimRef: The claim that has it.
claims: Claims of the pod that the container uses.
clientConfig: Where the server is.
clientIP: By the client's address.
clusterRoleSelectors: From which roles.
clusterScope: Whether resources without a namespace are meant too.
clusterTrustBundle: Certificates of a trust bundle.
ClusterTrustBundleProjection.signerName: All bundles of this signer.
component: Which part of the system.
conditionType: The condition.
config: Settings for the driver.
configMapRef: All keys of a ConfigMap.
configSource: Not used any more.
consumedCapacity: How much of its capacity was given.
consumesCounters: What it takes of what devices share.
containerName: Which container.
containerRuntimeVersion: Which runtime it has.
controllerExpandSecretRef: The driver's Secret for growing it.
controllerPublishSecretRef: The driver's Secret for attaching it.
ControllerRevision.revision: The number of the revision.
conversion: How objects are turned from one version into another.
conversionReviewVersions: Which versions of ConversionReview the server reads.
counters: How much of each.
counterSet: Of which set.
credentialBundlePath: The file with key and certificates.
csi: A volume of a storage driver.
currentVolumeAttributesClassName: Which class its attributes are of.
CustomResourceColumnDefinition.format: How the value is shown (date-time: as an age).
CustomResourceDefinitionSpec.names: How the kind and its resource are called.
CustomResourceDefinitionSpec.versions: The versions of the kind.
daemonEndpoints: Where the node's agent listens.
datasetName: The name of the dataset.
datasetUUID: The id of the dataset.
dataSource: What it is filled with: a snapshot or another claim.
dataSourceRef: What it is filled with.
declaredFeatures: What the node can.
defaultBackend: Where requests go that no rule is about.
defaultRequest: The request where none is said.
definitions: Schemas, by name.
dependencies: What must be there where something is.
deprecated: Whether those who use it are warned.
deprecatedCount: How often.
deprecatedFirstTimestamp: When first.
deprecatedLastTimestamp: When last.
deprecatedSource: Who noticed.
deprecatedTopology: Where it is; see zone and nodeName.
deprecationWarning: What those are told who use it.
description: What it is, for people.
detachError: Why it could not be detached.
device: Which device of the pool.
DeviceAllocationConfiguration.source: From the class or from the claim.
DeviceAttribute.versions: Semantic versions.
DeviceClaim.constraints: What the devices must have in common.
deviceClassName: Of which class.
DeviceRequestAllocationResult.request: For which request.
devices: Which devices.
deviceSelector: Which devices.
directory: Into which directory.
diskName: The name of the disk.
diskURI: Where the disk is.
distinctAttribute: The attribute must differ between them.
distinguisherMethod: Who is who: ByUser or ByNamespace.
driver: Which driver.
driverName: Which driver.
drivers: The drivers.
drop: Capabilities fewer; ALL for all.
egress: Whom the pods may speak to.
EndpointConditions.serving: Whether it answers, though perhaps it is on its way out.
EndpointConditions.terminating: Whether it is on its way out.
endpointsNamespace: The namespace of the endpoints.
endPort: The last port in a row.
enum: The values that may be there.
ephemeral: A claim that is made for the pod and ends with it.
ephemeralContainerStatuses: What has become of each container that was added.
error: What went wrong.
errorCode: The driver's code for it.
Event.source: Who noticed.
eventTime: When it was noticed first.
exactly: So many devices of a class.
example: An example.
except: Without these.
excludeResourceRules: Without these.
exclusiveMaximum: Less than the maximum.
exclusiveMinimum: More than the minimum.
exempt: Its requests never wait.
exitCode: What the program said at its end; 0 is success.
exitCodes: At which exit codes.
expression: An expression in CEL.
expressionWarnings: What is wrong with expressions.
extendedResourceClaimStatus: The claim that was made for extended resources.
extendedResourceName: Pods that ask for this extended resource get devices of the class.
externalDocs: Where to read more.
externalID: Not used any more.
failurePolicy: Fail or Ignore, where it cannot be asked.
fc: A Fibre Channel disk. Not supported.
fieldsType: The form of the fields: FieldsV1.
fieldsV1: Which fields.
fileKeyRef: From a variable in a file.
firstAvailable: The first of these that can be had.
flexVolume: Not used any more.
flocker: Not used any more.
forNodes: For which nodes.
forZones: For which zones.
fsGroupChangePolicy: When owners of the files are changed: Always or OnRootMismatch.
fsGroupPolicy: Whether owners of the files are changed: ReadWriteOnceWithFSType, File or None.
fsType: The file system, such as ext4.
gateway: The address of the gateway.
gcePersistentDisk: A disk of Google Cloud. Not supported.
gid: The group's id.
gitRepo: Not used any more.
GitRepoVolumeSource.revision: Which commit.
glusterfs: Not used any more.
gmsaCredentialSpec: For Windows.
gmsaCredentialSpecName: For Windows.
group: The API group.
groupPriorityMinimum: The higher, the sooner the group is looked in.
handler: How the node's runtime calls it.
handSize: How many queues one user's requests are dealt to.
hardwareAddress: Its hardware address.
health: Healthy, Unhealthy or Unknown.
healthCheckNodePort: Where load balancers ask whether a node has pods.
hints: For whom it is meant.
host: The host.
hostIPs: The node's addresses.
hostnameOverride: The pod's host name, whatever its name is.
hostnames: Names of the address.
hostProcess: For Windows.
hosts: For which hosts.
hostUsers: false: the pod's users are others than the node's.
http: Paths, and where their requests go.
id: The schema's id.
imageRef: Which image it is.
images: Images that are on the node.
ingressClassName: Of which class.
IngressClassSpec.controller: Who serves these Ingresses.
IngressLoadBalancerStatus.ingress: Its addresses.
initiatorName: The name of who connects.
inlineVolumeSpec: A volume without an object of its own.
insecureSkipTLSVerify: Whether the server's certificate is not looked at. Don't.
int: A whole number.
interfaceName: How it is called in the pod.
ints: Whole numbers.
ip: The address.
ipBlock: A range of addresses.
ipMode: VIP or Proxy.
ips: Its addresses.
iqn: The target's name.
iscsi: An iSCSI disk. Not supported.
iscsiInterface: Through which interface.
jsonPatch: An expression that makes a JSON patch.
jsonPath: Where the value stands.
JSONSchemaProps.default: What it is where nothing is said.
JSONSchemaProps.format: The form of a text or number, such as date-time.
JSONSchemaProps.pattern: A regular expression that texts must match.
JSONSchemaProps.required: Fields that must be there.
jSONSchemas: A schema for each.
kernelVersion: Which kernel it runs.
keyPath: The file with the key.
keyring: The file with the keys.
keyType: Which kind of key.
kind: What kind of object it is.
kubeletConfigKey: Not used any more.
kubeletEndpoint: The port of the node's agent.
kubeletVersion: Which version its agent is.
kubeProxyVersion: Not used any more.
labelSelectorPath: Where the selector of the pods stands.
lastHeartbeatTime: When it was told last.
lastKnownGood: Not used any more.
lastObservedTime: When it was noticed last.
lastPhaseTransitionTime: When its phase changed last.
lastProbeTime: When it was looked at last.
lastUpdateTime: When it was told last.
leaseTransitions: How often the holder changed.
lendablePercent: How much of its own others may borrow, in percent.
Lifecycle.stopSignal: The signal that ends the container.
limited: Its requests wait where there are too many.
LimitedPriorityLevelConfiguration.limitResponse: What becomes of requests that cannot be served at once.
linux: On Linux.
listKind: How a list of them is called; the kind and List unless said otherwise.
loadBalancerClass: Which load balancer.
loadBalancerIP: Not used any more.
loadBalancerSourceRanges: From which addresses it can be reached.
LoadBalancerStatus.ingress: Its addresses.
local: A directory or disk of one node.
localhostProfile: A profile of the node, by its file.
lun: The number of the unit.
machineID: The machine's id.
ManagedFieldsEntry.time: When it last changed them.
manager: Who.
matchAttribute: The attribute must be the same for all.
matchConditions: Expressions that must all be true, or it is not asked.
matchConstraints: Which requests are meant.
matchingPrecedence: The lower comes first.
matchLabelExpressions: Labels that must fit.
matchPolicy: Exact, or Equivalent: other versions of the same resource too.
matchResources: Which requests are meant, of those of the policy.
maxExpirationSeconds: For how long it holds at most.
maximum: The most.
maximumVolumeSize: The largest volume.
maxItems: The most items.
maxLength: The most characters.
maxProperties: The most fields.
medium: Memory: in memory; without it on the node's disk.
messageExpression: An expression that makes the message.
metadata: Name, namespace, labels and all else that every object has.
minimum: The least.
minItems: The fewest items.
minLength: The fewest characters.
minProperties: The fewest fields.
modifyVolumeStatus: How far the change of its attributes is.
monitors: Where the monitors are.
mountOptions: Options of the mount.
multipleOf: A multiple of this.
Mutation.patchType: ApplyConfiguration or JSONPatch.
mutations: What is changed.
names: The names of the image.
nameservers: Whom to ask for names.
namespaces: In which namespaces.
namespaceSelector: In which namespaces, by labels.
networkData: The network device, as it is in the pod.
NetworkPolicyEgressRule.to: Whom; nobody named: all.
NetworkPolicyIngressRule.from: Who may; nobody named: all.
NetworkPolicySpec.ingress: Who may speak to the pods.
nfs: A directory of an NFS server. Not supported.
nodeAllocatableResourceClaimStatuses: What claims take of the node's own resources.
nodeAllocatableResourceMappings: What it takes of the node's own resources.
nodeAllocatableUpdatePeriodSeconds: How often the node's limits are looked at.
NodeConfigStatus.active: Not used any more.
nodeExpandSecretRef: The driver's Secret for growing it on the node.
nodeID: How the driver calls the node.
nodePublishSecretRef: The driver's Secret for mounting it.
NodeRuntimeHandler.features: What it can.
nodeStageSecretRef: The driver's Secret for preparing it.
NodeStatus.features: What the node's runtime can.
nodeTopology: From which nodes.
nominalConcurrencyShares: Its share of what can be served at a time.
nominatedNodeName: The node where place is being made for it.
nonResourceRules: Verbs and paths that are no resources.
nonResourceURLs: Paths that are no resources; * at the end for all below.
not: This must not hold.
note: What happened, for people.
notReadyAddresses: Addresses that do not answer yet.
nullable: Whether it may be null.
number: The number of the port.
ObjectFieldSelector.fieldPath: Which field, such as metadata.name.
ObjectReference.fieldPath: Which part of it.
objectSelector: Which objects, by labels.
oneOf: Just one of these must hold.
opaque: What only the driver reads.
openAPIV3Schema: What objects have to be like.
operatingSystem: Its operating system.
operation: Apply or Update.
operations: CREATE, UPDATE, DELETE, CONNECT or *.
optionalOldSelf: Whether it is asked too where there was nothing before.
options: Options.
os: For which operating system the pod is.
osImage: Which system it runs.
parameterNotFoundAction: Allow or Deny, where there are no parameters.
parameters: Settings.
paramKind: Of which kind the parameters are.
paramRef: Which objects are the parameters.
parentRef: Whose it is.
partition: Which partition; 0: the whole disk.
paths: Paths, and where their requests go.
pathType: Exact, Prefix or ImplementationSpecific.
patternProperties: Fields by patterns of their names.
pdID: The id of the disk.
pdName: The name of the disk.
perDeviceNodeSelection: Each device says from which nodes it can be reached.
persistentVolumeClaim: Storage that a claim has.
persistentVolumeName: Which volume.
persistentVolumeReclaimPolicy: What becomes of it after its claim: Retain or Delete.
PersistentVolumeSpec.nodeAffinity: From which nodes it can be reached.
photonPersistentDisk: Not used any more.
plural: How the resource is called in paths.
podCertificate: A certificate of the pod's own.
PodCertificateProjection.signerName: Who signs it.
podCIDRs: The ranges of addresses of its pods.
podInfoOnMount: Whether the driver is told of the pod.
podSelector: Which pods, by labels; empty: all.
policyName: Which policy.
policyTypes: Ingress, Egress, or both.
pool: Which pool.
Port: The number of the port.
portals: Further addresses of the target.
portworxVolume: A volume of Portworx. Not supported.
preferredHolder: Who shall have it next.
prefix: Before each name.
preserveUnknownFields: Whether fields are kept that no schema names. Must be false.
preventPodSchedulingIfMissing: Whether pods wait for a node that has the driver.
priorityLevelConfiguration: To which level its requests go.
procMount: Default or Unmasked: what of /proc can be seen.
properties: The fields.
property: Names.
protectionDomain: The protection domain.
provisioner: Who makes its volumes.
pullPolicy: Always, IfNotPresent or Never.
queueLengthLimit: How many may wait in one queue.
queues: How many queues.
queuing: How requests wait.
quobyte: Not used any more.
rbd: A Ceph block device. Not supported.
reclaimPolicy: What becomes of volumes after their claim: Delete (the default) or Retain.
recursiveReadOnly: Disabled, IfPossible or Enabled: whether mounts below are read-only too.
recursiveReadOnlyMounts: Whether mounts below can be read-only too.
reference: Which image.
regarding: What it is about.
registry: Where the registries are.
reinvocationPolicy: Never or IfNeeded: whether it is asked again when others changed the object after it.
related: What else it is about.
reportingController: Who noticed.
reportingInstance: Which one of them.
repository: Which repository.
requestMappings: Which container asked for which.
requestName: For which request.
requestPolicy: Which amounts may be asked for.
requiresRepublish: Whether the driver is asked again and again.
reservedFor: Who uses it.
resize: Not used any more: see the conditions.
resizePolicy: Whether the container is restarted when its resources change.
resource: Which resource.
resourceClaimName: Which claim.
resourceClaims: Claims of devices.
resourceClaimStatuses: The claims that were made.
resourceClaimTemplateName: From which template one is made for each.
resourceID: Which device.
resourceName: Which resource.
resourceNames: Only objects of these names; none: all.
ResourcePool.name: Which pool.
resourceRules: Which resources.
resourceSliceCount: How many slices the pool has.
restartPolicyRules: What is done at which exit codes.
results: The devices.
role: The SELinux role.
roleRef: The role that is given.
rule: An expression that must be true.
rules: What is allowed, or meant.
runAsUserName: For Windows.
running: Since when it runs.
runtimeHandlers: The ways to run containers.
scale: Where the replicas stand.
scaleIO: Not used any more.
scheduling: Where its pods can run.
schema: What objects have to be like.
scope: Namespaced or Cluster; of a rule: *, Namespaced or Cluster.
seccompProfile: Which seccomp profile filters the system calls.
seconds: For how long.
secretFile: The file with the secret.
secretNamespace: The namespace of the Secret.
secretRef: A Secret.
secrets: Secrets of the account.
selectableFields: Fields by which objects can be chosen.
selectors: What a device must be like: all of these.
selfLink: Not used any more.
seLinuxChangePolicy: MountOption or Recursive: how volumes get their label.
seLinuxMount: Whether volumes can be mounted with a label.
seLinuxOptions: The SELinux label.
SELinuxOptions.level: The SELinux level.
series: How often it happened again.
served: Whether this version is served.
server: The server.
service: A Service.
serviceAccount: Which service account.
serviceAccountToken: A token of the pod's service account.
serviceAccountTokenInSecrets: Whether tokens are told as secrets.
ServiceAccountTokenProjection.audience: For whom the token is.
ServiceAccountTokenProjection.expirationSeconds: For how long it holds; it is renewed before.
sessionAffinityConfig: How clients stay with the same pod.
setHostnameAsFQDN: Whether the pod's host name is its full name.
sharedCounters: What its devices share.
shareID: Which share of the device.
shareName: The name of the share.
shortNames: Short names for people.
sideEffects: None or NoneOnDryRun: whether asking it changes anything elsewhere.
signal: The signal that ended it.
signerName: Who signs.
singular: How one is called.
sizeBytes: Its size.
sleep: To wait.
spec: What is wished for.
specReplicasPath: Where the replicas that are wished for stand.
sslEnabled: Whether by TLS.
status: What there is; of a condition: True, False or Unknown.
statusReplicasPath: Where the replicas that there are stand.
step: In steps of this.
stopSignal: The signal that ends it.
storage: Whether objects are stored in this version. Just one is.
storageCapacity: Whether it matters how much the driver has left where.
storageClassName: Which class; without it the default one, empty for none.
storageMode: ThickProvisioned or ThinProvisioned.
storageos: Not used any more.
storagePolicyID: Which policy.
storagePolicyName: Which policy.
storagePool: Which pool.
storedVersions: Versions in which objects may be stored still.
string: A text.
strings: Texts.
Subject.kind: User, Group or ServiceAccount.
subjects: Who.
subPathExpr: A path within the volume, with variables as $(NAME).
subresource: Through which subresource.
subresources: Which subresources it has.
subsets: Addresses, with their ports.
supplementalGroups: Further groups of the processes.
supplementalGroupsPolicy: Merge or Strict: whether groups of the image count too.
swap: Its swap space.
sysctls: Parameters of the kernel.
system: The system's name.
systemUUID: The machine's id, as its firmware tells it.
taint: How they are tainted.
targetContainerName: Whose processes it sees.
targetPortal: Where the target is.
targetRef: Which object it is.
targetVolumeAttributesClassName: Which class its attributes shall be of.
targetWWNs: The targets' names.
tenant: The tenant.
terminated: How it ended.
timeAdded: Since when.
title: A title.
tls: Hosts, and their certificates.
TokenRequest.audience: For whom the token is.
TokenRequest.expirationSeconds: For how long it holds.
tokenRequests: Tokens that the driver needs.
topologyKeys: Labels that tell where the node is, for the driver.
trafficDistribution: PreferSameZone or PreferSameNode: whom clients are led to.
typeChecking: What the expressions' types say.
uniqueItems: Not supported.
url: Where it is.
usages: What it is for: digital signature, key encipherment, client auth, server auth …
user: The user.
userAnnotations: Remarks for who signs.
username: The name of who asks; set by the system.
userNamespaces: Whether pods can have users of their own.
validationActions: Deny, Warn, Audit.
ValidationRule.fieldPath: Of which field is said that it is wrong.
validations: Expressions that must be true.
validRange: From, to, and in which steps.
validValues: These.
valueExpression: An expression that makes the value.
variables: Expressions with names.
verbs: Verbs: get, list, watch, create, update, patch, delete …; * for all.
version: The version.
versionPriority: The higher, the sooner the version is preferred.
versions: The versions.
volume: Which volume.
VolumeAttachmentSpec.source: Which volume.
volumeAttributes: Settings for the driver.
volumeAttributesClassName: Of which class its attributes are.
volumeBindingMode: Immediate, or WaitForFirstConsumer: when a pod is placed that wants it.
volumeClaimTemplate: The claim to be made.
VolumeDevice.devicePath: Where the container finds it.
volumeDevices: Raw devices in the container.
VolumeError.time: When.
volumeHandle: How the driver calls it.
volumeID: Which disk.
volumeLifecycleModes: Persistent, Ephemeral.
volumeMode: Filesystem (the default) or Block.
volumeName: Which volume.
volumeNamespace: In which namespace.
VolumeNodeAffinity.required: What a node must be like.
volumePath: Where it is.
volumesAttached: Volumes that are attached.
volumesInUse: Volumes that are mounted.
volumeStatus: What became of it.
vsphereVolume: A disk of vSphere. Not supported.
waiting: Why it does not run yet.
warning: What is wrong.
webhook: A server that does it.
webhooks: The servers that are asked.
weight: How much it counts.
windowsOptions: For Windows.
wwids: The disks' ids.
x-kubernetes-embedded-resource: Whether it is an object of its own.
x-kubernetes-int-or-string: Whether it is a number or a text.
x-kubernetes-list-map-keys: The fields that tell items apart.
x-kubernetes-list-type: atomic, set or map: how lists are merged.
x-kubernetes-map-type: atomic or granular: how maps are merged.
x-kubernetes-preserve-unknown-fields: Whether fields are kept that no schema names.
x-kubernetes-validations: Expressions that must be true.
zone: The zone.
`;
