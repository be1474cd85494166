/** The table of storage.v1. Made by tools/make-tables.ts from facts of Kubernetes 1.36 (Apache-2.0); do not edit. Grammar: ../table-text.ts. */
export const table = `
CSIDriver kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec! 2 CSIDriverSpec default={}

CSIDriverList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []CSIDriver

CSIDriverSpec
  attachRequired 1 bool nullable
  podInfoOnMount 2 bool nullable
  volumeLifecycleModes 3 []string list=set
  storageCapacity 4 bool nullable
  fsGroupPolicy 5 string nullable
  tokenRequests 6 []TokenRequest list=atomic
  requiresRepublish 7 bool nullable
  seLinuxMount 8 bool nullable
  nodeAllocatableUpdatePeriodSeconds 9 int64 nullable
  serviceAccountTokenInSecrets 10 bool nullable
  preventPodSchedulingIfMissing 11 bool nullable

CSINode kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec! 2 CSINodeSpec default={}

CSINodeDriver
  name! 1 string default=""
  nodeID! 2 string default=""
  topologyKeys 3 []string list=atomic
  allocatable 4 VolumeNodeResources

CSINodeList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []CSINode

CSINodeSpec
  drivers! 1 []CSINodeDriver list=map(name) patch=merge(name)

CSIStorageCapacity kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  nodeTopology 2 meta.v1.LabelSelector
  storageClassName! 3 string default=""
  capacity 4 quantity
  maximumVolumeSize 5 quantity

CSIStorageCapacityList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []CSIStorageCapacity

StorageClass kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  provisioner! 2 string default=""
  parameters 3 {}string
  reclaimPolicy 4 string nullable
  mountOptions 5 []string list=atomic
  allowVolumeExpansion 6 bool nullable
  volumeBindingMode 7 string nullable
  allowedTopologies 8 []core.v1.TopologySelectorTerm list=atomic

StorageClassList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []StorageClass

TokenRequest
  audience! 1 string default=""
  expirationSeconds 2 int64 nullable

VolumeAttachment kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec! 2 VolumeAttachmentSpec default={}
  status 3 VolumeAttachmentStatus default={}

VolumeAttachmentList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []VolumeAttachment

VolumeAttachmentSource
  persistentVolumeName 1 string nullable
  inlineVolumeSpec 2 core.v1.PersistentVolumeSpec

VolumeAttachmentSpec
  attacher! 1 string default=""
  source! 2 VolumeAttachmentSource default={}
  nodeName! 3 string default=""

VolumeAttachmentStatus
  attached! 1 bool default=false
  attachmentMetadata 2 {}string
  attachError 3 VolumeError
  detachError 4 VolumeError

VolumeAttributesClass kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  driverName! 2 string default=""
  parameters 3 {}string

VolumeAttributesClassList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []VolumeAttributesClass

VolumeError
  time 1 time
  message 2 string
  errorCode 3 int32 nullable

VolumeNodeResources
  count 1 int32 nullable
`;
