/** The table of meta.v1. Made by tools/make-tables.ts from facts of Kubernetes 1.36 (Apache-2.0); do not edit. Grammar: ../table-text.ts. */
export const table = `
APIGroup kind
  apiVersion - string
  kind - string
  name! 1 string default=""
  versions! 2 []GroupVersionForDiscovery list=atomic
  preferredVersion 3 GroupVersionForDiscovery default={}
  serverAddressByClientCIDRs 4 []ServerAddressByClientCIDR list=atomic

APIGroupList kind
  apiVersion - string
  kind - string
  groups! 1 []APIGroup list=atomic

APIResource
  name! 1 string default=""
  namespaced! 2 bool default=false
  kind! 3 string default=""
  verbs! 4 []string boxed
  shortNames 5 []string list=atomic
  singularName! 6 string default=""
  categories 7 []string list=atomic
  group 8 string
  version 9 string
  storageVersionHash 10 string

APIResourceList kind
  apiVersion - string
  kind - string
  groupVersion! 1 string default=""
  resources! 2 []APIResource list=atomic

APIVersions kind
  apiVersion - string
  kind - string
  versions! 1 []string list=atomic
  serverAddressByClientCIDRs! 2 []ServerAddressByClientCIDR list=atomic

ApplyOptions kind
  apiVersion - string
  kind - string
  dryRun 1 []string
  force 2 bool nullable
  fieldManager 3 string

Condition
  type! 1 string default=""
  status! 2 string default=""
  observedGeneration 3 int64
  lastTransitionTime! 4 time
  reason! 5 string default=""
  message! 6 string default=""

CreateOptions kind
  apiVersion - string
  kind - string
  dryRun 1 []string
  fieldManager 3 string
  fieldValidation 4 string

DeleteOptions kind
  apiVersion - string
  kind - string
  gracePeriodSeconds 1 int64 nullable
  preconditions 2 Preconditions
  orphanDependents 3 bool nullable
  propagationPolicy 4 string nullable
  dryRun 5 []string list=atomic
  ignoreStoreReadErrorWithClusterBreakingPotential 6 bool nullable

FieldSelectorRequirement
  key! 1 string default=""
  operator! 2 string default=""
  values 3 []string list=atomic

GetOptions kind
  apiVersion - string
  kind - string
  resourceVersion 1 string

GroupKind
  group 1 string
  kind 2 string

GroupResource
  group! 1 string default=""
  resource! 2 string default=""

GroupVersion
  group 1 string
  version 2 string

GroupVersionForDiscovery
  groupVersion! 1 string default=""
  version! 2 string default=""

GroupVersionKind
  group 1 string
  version 2 string
  kind 3 string

GroupVersionResource
  group 1 string
  version 2 string
  resource 3 string

LabelSelector map=atomic
  matchLabels 1 {}string
  matchExpressions 2 []LabelSelectorRequirement list=atomic

LabelSelectorRequirement
  key! 1 string default=""
  operator! 2 string default=""
  values 3 []string list=atomic

List kind
  apiVersion - string
  kind - string
  metadata 1 ListMeta
  items 2 []json

ListMeta
  selfLink 1 string
  resourceVersion 2 string
  continue 3 string
  remainingItemCount 4 int64 nullable
  shardInfo 5 ShardInfo

ListOptions kind
  apiVersion - string
  kind - string
  labelSelector 1 string
  fieldSelector 2 string
  watch 3 bool
  resourceVersion 4 string
  timeoutSeconds 5 int64 nullable
  limit 7 int64
  continue 8 string
  allowWatchBookmarks 9 bool
  resourceVersionMatch 10 string
  sendInitialEvents 11 bool nullable
  shardSelector 15 string

ManagedFieldsEntry
  manager 1 string
  operation 2 string
  apiVersion 3 string
  time 4 time
  fieldsType 6 string
  fieldsV1 7 json
  subresource 8 string

ObjectMeta
  name 1 string
  generateName 2 string
  namespace 3 string
  selfLink 4 string
  uid 5 string
  resourceVersion 6 string
  generation 7 int64
  creationTimestamp 8 time
  deletionTimestamp 9 time
  deletionGracePeriodSeconds 10 int64 nullable
  labels 11 {}string
  annotations 12 {}string
  ownerReferences 13 []OwnerReference list=map(uid) patch=merge(uid)
  finalizers 14 []string list=set patch=merge
  managedFields 17 []ManagedFieldsEntry list=atomic

OwnerReference map=atomic
  kind! 1 string default=""
  name! 3 string default=""
  uid! 4 string default=""
  apiVersion! 5 string default=""
  controller 6 bool nullable
  blockOwnerDeletion 7 bool nullable

PartialObjectMetadata kind
  apiVersion - string
  kind - string
  metadata 1 ObjectMeta

PartialObjectMetadataList kind
  apiVersion - string
  kind - string
  metadata 1 ListMeta
  items 2 []PartialObjectMetadata

Patch

PatchOptions kind
  apiVersion - string
  kind - string
  dryRun 1 []string
  force 2 bool nullable
  fieldManager 3 string
  fieldValidation 4 string

Preconditions
  uid 1 string nullable
  resourceVersion 2 string nullable

RootPaths
  paths 1 []string

ServerAddressByClientCIDR
  clientCIDR! 1 string default=""
  serverAddress! 2 string default=""

ShardInfo
  selector! 1 string default=""

Status kind
  apiVersion - string
  kind - string
  metadata 1 ListMeta default={}
  status 2 string
  message 3 string
  reason 4 string
  details 5 StatusDetails
  code 6 int32

StatusCause
  reason 1 string
  message 2 string
  field 3 string

StatusDetails
  name 1 string
  group 2 string
  kind 3 string
  causes 4 []StatusCause list=atomic
  retryAfterSeconds 5 int32
  uid 6 string

TableOptions kind
  apiVersion - string
  kind - string
  includeObject 1 string

UpdateOptions kind
  apiVersion - string
  kind - string
  dryRun 1 []string
  fieldManager 2 string
  fieldValidation 3 string

WatchEvent kind
  type! 1 string default=""
  object! 2 json
`;
