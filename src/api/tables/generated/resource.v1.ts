/** The table of resource.v1. Made by tools/make-tables.ts from facts of Kubernetes 1.36 (Apache-2.0); do not edit. Grammar: ../table-text.ts. */
export const table = `
AllocatedDeviceStatus
  driver! 1 string default=""
  pool! 2 string default=""
  device! 3 string default=""
  conditions 4 []meta.v1.Condition list=map(type)
  data 5 json
  networkData 6 NetworkDeviceData
  shareID 7 string nullable

AllocationResult
  devices 1 DeviceAllocationResult default={}
  nodeSelector 3 core.v1.NodeSelector
  allocationTimestamp 5 time

CELDeviceSelector
  expression! 1 string default=""

CapacityRequestPolicy
  default 1 quantity
  validValues 3 []quantity list=atomic
  validRange 4 CapacityRequestPolicyRange

CapacityRequestPolicyRange
  min! 1 quantity
  max 2 quantity
  step 3 quantity

CapacityRequirements
  requests 1 {}quantity

Counter
  value! 1 quantity

CounterSet
  name! 1 string default=""
  counters! 2 {}Counter

Device
  name! 1 string default=""
  attributes 2 {}DeviceAttribute
  capacity 3 {}DeviceCapacity
  consumesCounters 4 []DeviceCounterConsumption list=atomic
  nodeName 5 string nullable
  nodeSelector 6 core.v1.NodeSelector
  allNodes 7 bool nullable
  taints 8 []DeviceTaint list=atomic
  bindsToNode 9 bool nullable
  bindingConditions 10 []string list=atomic
  bindingFailureConditions 11 []string list=atomic
  allowMultipleAllocations 12 bool nullable
  nodeAllocatableResourceMappings 13 {}NodeAllocatableResourceMapping

DeviceAllocationConfiguration
  source! 1 string default=""
  requests 2 []string list=atomic
  opaque 3/1 OpaqueDeviceConfiguration

DeviceAllocationResult
  results 1 []DeviceRequestAllocationResult list=atomic
  config 2 []DeviceAllocationConfiguration list=atomic

DeviceAttribute
  int 2 int64 nullable
  bool 3 bool nullable
  string 4 string nullable
  version 5 string nullable
  ints 6 []int64 list=atomic
  bools 7 []bool list=atomic
  strings 8 []string list=atomic
  versions 9 []string list=atomic

DeviceCapacity
  value! 1 quantity
  requestPolicy 2 CapacityRequestPolicy

DeviceClaim
  requests 1 []DeviceRequest list=atomic
  constraints 2 []DeviceConstraint list=atomic
  config 3 []DeviceClaimConfiguration list=atomic

DeviceClaimConfiguration
  requests 1 []string list=atomic
  opaque 2/1 OpaqueDeviceConfiguration

DeviceClass kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec! 2 DeviceClassSpec default={}

DeviceClassConfiguration
  opaque 1/1 OpaqueDeviceConfiguration

DeviceClassList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []DeviceClass

DeviceClassSpec
  selectors 1 []DeviceSelector list=atomic
  config 2 []DeviceClassConfiguration list=atomic
  extendedResourceName 4 string nullable

DeviceConstraint
  requests 1 []string list=atomic
  matchAttribute 2 string nullable
  distinctAttribute 3 string nullable

DeviceCounterConsumption
  counterSet! 1 string default=""
  counters! 2 {}Counter

DeviceRequest
  name! 1 string default=""
  exactly 2 ExactDeviceRequest
  firstAvailable 3 []DeviceSubRequest list=atomic

DeviceRequestAllocationResult
  request! 1 string default=""
  driver! 2 string default=""
  pool! 3 string default=""
  device! 4 string default=""
  adminAccess 5 bool nullable
  tolerations 6 []DeviceToleration list=atomic
  bindingConditions 7 []string list=atomic
  bindingFailureConditions 8 []string list=atomic
  shareID 9 string nullable
  consumedCapacity 10 {}quantity

DeviceSelector
  cel 1 CELDeviceSelector

DeviceSubRequest
  name! 1 string default=""
  deviceClassName! 2 string default=""
  selectors 3 []DeviceSelector list=atomic
  allocationMode 4 string
  count 5 int64
  tolerations 6 []DeviceToleration list=atomic
  capacity 7 CapacityRequirements

DeviceTaint
  key! 1 string default=""
  value 2 string
  effect! 3 string default=""
  timeAdded 4 time

DeviceToleration
  key 1 string
  operator 2 string default="Equal"
  value 3 string
  effect 4 string
  tolerationSeconds 5 int64 nullable

ExactDeviceRequest
  deviceClassName! 1 string default=""
  selectors 2 []DeviceSelector list=atomic
  allocationMode 3 string
  count 4 int64
  adminAccess 5 bool nullable
  tolerations 6 []DeviceToleration list=atomic
  capacity 7 CapacityRequirements

NetworkDeviceData
  interfaceName 1 string
  ips 2 []string list=atomic
  hardwareAddress 3 string

NodeAllocatableResourceMapping
  capacityKey 1 string
  allocationMultiplier 2 quantity

OpaqueDeviceConfiguration
  driver! 1 string default=""
  parameters! 2 json

ResourceClaim kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec! 2 ResourceClaimSpec default={}
  status 3 ResourceClaimStatus default={}

ResourceClaimConsumerReference
  apiGroup 1 string
  resource! 3 string default=""
  name! 4 string default=""
  uid! 5 string default=""

ResourceClaimList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []ResourceClaim

ResourceClaimSpec
  devices 1 DeviceClaim default={}

ResourceClaimStatus
  allocation 1 AllocationResult
  reservedFor 2 []ResourceClaimConsumerReference list=map(uid) patch=merge(uid)
  devices 4 []AllocatedDeviceStatus list=map(driver,device,pool,shareID)

ResourceClaimTemplate kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec! 2 ResourceClaimTemplateSpec default={}

ResourceClaimTemplateList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []ResourceClaimTemplate

ResourceClaimTemplateSpec
  metadata 1 meta.v1.ObjectMeta default={}
  spec! 2 ResourceClaimSpec default={}

ResourcePool
  name! 1 string default=""
  generation! 2 int64 default=0
  resourceSliceCount! 3 int64 default=0

ResourceSlice kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec! 2 ResourceSliceSpec default={}

ResourceSliceList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []ResourceSlice

ResourceSliceSpec
  driver! 1 string default=""
  pool! 2 ResourcePool default={}
  nodeName 3 string nullable
  nodeSelector 4 core.v1.NodeSelector
  allNodes 5 bool nullable
  devices 6 []Device list=atomic
  perDeviceNodeSelection 7 bool nullable
  sharedCounters 8 []CounterSet list=atomic
`;
