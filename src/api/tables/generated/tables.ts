/**
 * The schema tables of Kubernetes' kinds, by group and version. Made by tools/make-tables.ts from facts of Kubernetes 1.36
 * (Apache-2.0); do not edit. Their grammar is told in ../table-text.ts.
 */
export const tables: Readonly<Record<string, string>> = {
  'admission.v1': `
AdmissionRequest
  uid 1 string
  kind 2 meta.v1.GroupVersionKind
  resource 3 meta.v1.GroupVersionResource
  subResource 4 string
  name 5 string
  namespace 6 string
  operation 7 string
  userInfo 8 authentication.v1.UserInfo
  object 9 json
  oldObject 10 json
  dryRun 11 bool nullable
  options 12 json
  requestKind 13 meta.v1.GroupVersionKind
  requestResource 14 meta.v1.GroupVersionResource
  requestSubResource 15 string

AdmissionResponse
  uid 1 string
  allowed 2 bool
  status 3 meta.v1.Status
  patch 4 bytes
  patchType 5 string nullable
  auditAnnotations 6 {}string
  warnings 7 []string

AdmissionReview kind
  apiVersion - string
  kind - string
  request 1 AdmissionRequest
  response 2 AdmissionResponse
`,

  'admissionregistration.v1': `
ApplyConfiguration
  expression 1 string

AuditAnnotation
  key! 1 string default=""
  valueExpression! 2 string default=""

ExpressionWarning
  fieldRef! 2 string default=""
  warning! 3 string default=""

JSONPatch
  expression 1 string

MatchCondition
  name! 1 string default=""
  expression! 2 string default=""

MatchResources map=atomic
  namespaceSelector 1 meta.v1.LabelSelector
  objectSelector 2 meta.v1.LabelSelector
  resourceRules 3 []NamedRuleWithOperations list=atomic
  excludeResourceRules 4 []NamedRuleWithOperations list=atomic
  matchPolicy 7 string

MutatingAdmissionPolicy kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec 2 MutatingAdmissionPolicySpec default={}

MutatingAdmissionPolicyBinding kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec 2 MutatingAdmissionPolicyBindingSpec default={}

MutatingAdmissionPolicyBindingList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []MutatingAdmissionPolicyBinding

MutatingAdmissionPolicyBindingSpec
  policyName 1 string
  paramRef 2 ParamRef
  matchResources 3 MatchResources

MutatingAdmissionPolicyList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []MutatingAdmissionPolicy

MutatingAdmissionPolicySpec
  paramKind 1 ParamKind
  matchConstraints 2 MatchResources
  variables 3 []Variable list=atomic
  mutations 4 []Mutation list=atomic
  failurePolicy 5 string
  matchConditions 6 []MatchCondition list=map(name) patch=merge(name)
  reinvocationPolicy 7 string

MutatingWebhook
  name! 1 string default=""
  clientConfig! 2 WebhookClientConfig default={}
  rules 3 []RuleWithOperations list=atomic
  failurePolicy 4 string
  namespaceSelector 5 meta.v1.LabelSelector
  sideEffects! 6 string
  timeoutSeconds 7 int32 nullable
  admissionReviewVersions! 8 []string list=atomic
  matchPolicy 9 string
  reinvocationPolicy 10 string
  objectSelector 11 meta.v1.LabelSelector
  matchConditions 12 []MatchCondition list=map(name) patch=merge(name)

MutatingWebhookConfiguration kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  webhooks 2 []MutatingWebhook list=map(name) patch=merge(name)

MutatingWebhookConfigurationList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []MutatingWebhookConfiguration

Mutation
  patchType! 2 string default=""
  applyConfiguration 3 ApplyConfiguration
  jsonPatch 4 JSONPatch

NamedRuleWithOperations map=atomic
  resourceNames 1 []string list=atomic
  operations 2/1 []string list=atomic
  apiGroups 2/2/1 []string list=atomic
  apiVersions 2/2/2 []string list=atomic
  resources 2/2/3 []string list=atomic
  scope 2/2/4 string

ParamKind map=atomic
  apiVersion 1 string
  kind 2 string

ParamRef map=atomic
  name 1 string
  namespace 2 string
  selector 3 meta.v1.LabelSelector
  parameterNotFoundAction 4 string

RuleWithOperations
  operations 1 []string list=atomic
  apiGroups 2/1 []string list=atomic
  apiVersions 2/2 []string list=atomic
  resources 2/3 []string list=atomic
  scope 2/4 string

ServiceReference
  namespace! 1 string default=""
  name! 2 string default=""
  path 3 string nullable
  port 4 int32 nullable

TypeChecking
  expressionWarnings 1 []ExpressionWarning list=atomic

ValidatingAdmissionPolicy kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec 2 ValidatingAdmissionPolicySpec default={}
  status 3 ValidatingAdmissionPolicyStatus default={}

ValidatingAdmissionPolicyBinding kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec! 2 ValidatingAdmissionPolicyBindingSpec default={}

ValidatingAdmissionPolicyBindingList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []ValidatingAdmissionPolicyBinding

ValidatingAdmissionPolicyBindingSpec
  policyName! 1 string
  paramRef 2 ParamRef
  matchResources 3 MatchResources
  validationActions! 4 []string list=set

ValidatingAdmissionPolicyList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []ValidatingAdmissionPolicy

ValidatingAdmissionPolicySpec
  paramKind 1 ParamKind
  matchConstraints 2 MatchResources
  validations 3 []Validation list=atomic
  failurePolicy 4 string
  auditAnnotations 5 []AuditAnnotation list=atomic
  matchConditions 6 []MatchCondition list=map(name) patch=merge(name)
  variables 7 []Variable list=map(name) patch=merge(name)

ValidatingAdmissionPolicyStatus
  observedGeneration 1 int64
  typeChecking 2 TypeChecking
  conditions 3 []meta.v1.Condition list=map(type)

ValidatingWebhook
  name! 1 string default=""
  clientConfig! 2 WebhookClientConfig default={}
  rules 3 []RuleWithOperations list=atomic
  failurePolicy 4 string
  namespaceSelector 5 meta.v1.LabelSelector
  sideEffects! 6 string
  timeoutSeconds 7 int32 nullable
  admissionReviewVersions! 8 []string list=atomic
  matchPolicy 9 string
  objectSelector 10 meta.v1.LabelSelector
  matchConditions 11 []MatchCondition list=map(name) patch=merge(name)

ValidatingWebhookConfiguration kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  webhooks 2 []ValidatingWebhook list=map(name) patch=merge(name)

ValidatingWebhookConfigurationList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []ValidatingWebhookConfiguration

Validation
  expression! 1 string default=""
  message 2 string
  reason 3 string nullable
  messageExpression 4 string

Variable map=atomic
  name! 1 string default=""
  expression! 2 string default=""

WebhookClientConfig
  service 1 ServiceReference
  caBundle 2 bytes
  url 3 string nullable
`,

  'apidiscovery.v2': `
APIGroupDiscovery kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta
  versions 2 []APIVersionDiscovery

APIGroupDiscoveryList
  metadata 1 meta.v1.ListMeta
  items 2 []APIGroupDiscovery

APIResourceDiscovery
  resource 1 string
  responseKind 2 meta.v1.GroupVersionKind
  scope 3 string
  singularResource 4 string
  verbs 5 []string
  shortNames 6 []string
  categories 7 []string
  subresources 8 []APISubresourceDiscovery

APISubresourceDiscovery
  subresource 1 string
  responseKind 2 meta.v1.GroupVersionKind
  acceptedTypes 3 []meta.v1.GroupVersionKind
  verbs 4 []string

APIVersionDiscovery
  version 1 string
  resources 2 []APIResourceDiscovery
  freshness 3 string
`,

  'apiextensions.v1': `
ConversionRequest
  uid 1 string
  desiredAPIVersion 2 string
  objects 3 []json

ConversionResponse
  uid 1 string
  convertedObjects 2 []json
  result 3 meta.v1.Status

ConversionReview
  request 1 ConversionRequest
  response 2 ConversionResponse

CustomResourceColumnDefinition
  name! 1 string default=""
  type! 2 string default=""
  format 3 string
  description 4 string
  priority 5 int32
  jsonPath! 6 string default=""

CustomResourceConversion
  strategy! 1 string default=""
  webhook 2 WebhookConversion

CustomResourceDefinition kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec! 2 CustomResourceDefinitionSpec default={}
  status 3 CustomResourceDefinitionStatus default={}

CustomResourceDefinitionCondition
  type! 1 string default=""
  status! 2 string default=""
  lastTransitionTime 3 time
  reason 4 string
  message 5 string
  observedGeneration 6 int64

CustomResourceDefinitionList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []CustomResourceDefinition

CustomResourceDefinitionNames
  plural! 1 string default=""
  singular 2 string
  shortNames 3 []string list=atomic
  kind! 4 string default=""
  listKind 5 string
  categories 6 []string list=atomic

CustomResourceDefinitionSpec
  group! 1 string default=""
  names! 3 CustomResourceDefinitionNames default={}
  scope! 4 string default=""
  versions! 7 []CustomResourceDefinitionVersion list=atomic
  conversion 9 CustomResourceConversion
  preserveUnknownFields 10 bool

CustomResourceDefinitionStatus
  conditions 1 []CustomResourceDefinitionCondition list=map(type)
  acceptedNames 2 CustomResourceDefinitionNames default={}
  storedVersions 3 []string list=atomic
  observedGeneration 4 int64

CustomResourceDefinitionVersion
  name! 1 string default=""
  served! 2 bool default=false
  storage! 3 bool default=false
  schema 4 CustomResourceValidation
  subresources 5 CustomResourceSubresources
  additionalPrinterColumns 6 []CustomResourceColumnDefinition list=atomic
  deprecated 7 bool
  deprecationWarning 8 string nullable
  selectableFields 9 []SelectableField list=atomic

CustomResourceSubresourceScale
  specReplicasPath! 1 string default=""
  statusReplicasPath! 2 string default=""
  labelSelectorPath 3 string

CustomResourceSubresourceStatus

CustomResourceSubresources
  status 1 CustomResourceSubresourceStatus
  scale 2 CustomResourceSubresourceScale

CustomResourceValidation
  openAPIV3Schema 1 JSONSchemaProps

ExternalDocumentation
  description 1 string
  url 2 string

JSONSchemaProps
  id 1 string
  $schema 2 string
  $ref 3 string
  description 4 string
  type 5 string
  format 6 string
  title 7 string
  default 8 json
  maximum 9 double nullable
  exclusiveMaximum 10 bool
  minimum 11 double nullable
  exclusiveMinimum 12 bool
  maxLength 13 int64 nullable
  minLength 14 int64 nullable
  pattern 15 string
  maxItems 16 int64 nullable
  minItems 17 int64 nullable
  uniqueItems 18 bool
  multipleOf 19 double nullable
  enum 20 []json list=atomic
  maxProperties 21 int64 nullable
  minProperties 22 int64 nullable
  required 23 []string list=atomic
  items 24 JSONSchemaPropsOrArray
  allOf 25 []JSONSchemaProps list=atomic
  oneOf 26 []JSONSchemaProps list=atomic
  anyOf 27 []JSONSchemaProps list=atomic
  not 28 JSONSchemaProps
  properties 29 {}JSONSchemaProps
  additionalProperties 30 JSONSchemaPropsOrBool
  patternProperties 31 {}JSONSchemaProps
  dependencies 32 {}JSONSchemaPropsOrStringArray
  additionalItems 33 JSONSchemaPropsOrBool
  definitions 34 {}JSONSchemaProps
  externalDocs 35 ExternalDocumentation
  example 36 json
  nullable 37 bool
  x-kubernetes-preserve-unknown-fields 38 bool nullable
  x-kubernetes-embedded-resource 39 bool
  x-kubernetes-int-or-string 40 bool
  x-kubernetes-list-map-keys 41 []string list=atomic
  x-kubernetes-list-type 42 string nullable
  x-kubernetes-map-type 43 string nullable
  x-kubernetes-validations 44 []ValidationRule list=map(rule) patch=merge(rule)

JSONSchemaPropsOrArray union
  schema 1 JSONSchemaProps
  jSONSchemas 2 []JSONSchemaProps

JSONSchemaPropsOrBool union
  allows 1 bool
  schema 2 JSONSchemaProps

JSONSchemaPropsOrStringArray union
  schema 1 JSONSchemaProps
  property 2 []string

SelectableField
  jsonPath! 1 string default=""

ServiceReference
  namespace! 1 string default=""
  name! 2 string default=""
  path 3 string nullable
  port 4 int32 nullable

ValidationRule
  rule! 1 string default=""
  message 2 string
  messageExpression 3 string
  reason 4 string nullable
  fieldPath 5 string
  optionalOldSelf 6 bool nullable

WebhookClientConfig
  service 1 ServiceReference
  caBundle 2 bytes
  url 3 string nullable

WebhookConversion
  clientConfig 2 WebhookClientConfig
  conversionReviewVersions! 3 []string list=atomic
`,

  'apiregistration.v1': `
APIService kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec 2 APIServiceSpec default={}
  status 3 APIServiceStatus default={}

APIServiceCondition
  type! 1 string default=""
  status! 2 string default=""
  lastTransitionTime 3 time
  reason 4 string
  message 5 string

APIServiceList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []APIService

APIServiceSpec
  service 1 ServiceReference
  group 2 string
  version 3 string
  insecureSkipTLSVerify 4 bool
  caBundle 5 bytes list=atomic
  groupPriorityMinimum! 7 int32 default=0
  versionPriority! 8 int32 default=0

APIServiceStatus
  conditions 1 []APIServiceCondition list=map(type) patch=merge(type)

ServiceReference
  namespace 1 string
  name 2 string
  port 3 int32 nullable
`,

  'apps.v1': `
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
`,

  'authentication.v1': `
BoundObjectReference
  kind 1 string
  apiVersion 2 string
  name 3 string
  uid 4 string

SelfSubjectReview kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  status 2 SelfSubjectReviewStatus default={}

SelfSubjectReviewStatus
  userInfo 1 UserInfo default={}

TokenRequest kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec 2 TokenRequestSpec default={}
  status 3 TokenRequestStatus default={}

TokenRequestSpec
  audiences 1 []string list=atomic
  boundObjectRef 3 BoundObjectReference
  expirationSeconds 4 int64 nullable

TokenRequestStatus
  token 1 string default=""
  expirationTimestamp 2 time

TokenReview kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec! 2 TokenReviewSpec default={}
  status 3 TokenReviewStatus default={}

TokenReviewSpec
  token! 1 string
  audiences 2 []string list=atomic

TokenReviewStatus
  authenticated 1 bool
  user 2 UserInfo default={}
  error 3 string
  audiences 4 []string list=atomic

UserInfo
  username 1 string
  uid 2 string
  groups 3 []string list=atomic
  extra 4 {}[]string
`,

  'authorization.v1': `
FieldSelectorAttributes
  rawSelector 1 string
  requirements 2 []meta.v1.FieldSelectorRequirement list=atomic

LabelSelectorAttributes
  rawSelector 1 string
  requirements 2 []meta.v1.LabelSelectorRequirement list=atomic

LocalSubjectAccessReview kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec! 2 SubjectAccessReviewSpec default={}
  status 3 SubjectAccessReviewStatus default={}

NonResourceAttributes
  path 1 string
  verb 2 string

NonResourceRule
  verbs! 1 []string list=atomic
  nonResourceURLs 2 []string list=atomic

ResourceAttributes
  namespace 1 string
  verb 2 string
  group 3 string
  version 4 string
  resource 5 string
  subresource 6 string
  name 7 string
  fieldSelector 8 FieldSelectorAttributes
  labelSelector 9 LabelSelectorAttributes

ResourceRule
  verbs! 1 []string list=atomic
  apiGroups 2 []string list=atomic
  resources 3 []string list=atomic
  resourceNames 4 []string list=atomic

SelfSubjectAccessReview kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec! 2 SelfSubjectAccessReviewSpec default={}
  status 3 SubjectAccessReviewStatus default={}

SelfSubjectAccessReviewSpec
  resourceAttributes 1 ResourceAttributes
  nonResourceAttributes 2 NonResourceAttributes

SelfSubjectRulesReview kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec! 2 SelfSubjectRulesReviewSpec default={}
  status 3 SubjectRulesReviewStatus default={}

SelfSubjectRulesReviewSpec
  namespace 1 string

SubjectAccessReview kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec! 2 SubjectAccessReviewSpec default={}
  status 3 SubjectAccessReviewStatus default={}

SubjectAccessReviewSpec
  resourceAttributes 1 ResourceAttributes
  nonResourceAttributes 2 NonResourceAttributes
  user 3 string
  groups 4 []string list=atomic
  extra 5 {}[]string
  uid 6 string

SubjectAccessReviewStatus
  allowed! 1 bool default=false
  reason 2 string
  evaluationError 3 string
  denied 4 bool

SubjectRulesReviewStatus
  resourceRules! 1 []ResourceRule list=atomic
  nonResourceRules! 2 []NonResourceRule list=atomic
  incomplete! 3 bool default=false
  evaluationError 4 string
`,

  'autoscaling.v1': `
ContainerResourceMetricSource
  name 1 string
  targetAverageUtilization 2 int32 nullable
  targetAverageValue 3 quantity
  container 5 string

ContainerResourceMetricStatus
  name 1 string
  currentAverageUtilization 2 int32 nullable
  currentAverageValue 3 quantity
  container 4 string

CrossVersionObjectReference map=atomic
  kind! 1 string default=""
  name! 2 string default=""
  apiVersion 3 string

ExternalMetricSource
  metricName 1 string
  metricSelector 2 meta.v1.LabelSelector
  targetValue 3 quantity
  targetAverageValue 4 quantity

ExternalMetricStatus
  metricName 1 string
  metricSelector 2 meta.v1.LabelSelector
  currentValue 3 quantity
  currentAverageValue 4 quantity

HorizontalPodAutoscaler kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec! 2 HorizontalPodAutoscalerSpec default={}
  status 3 HorizontalPodAutoscalerStatus default={}

HorizontalPodAutoscalerCondition
  type 1 string
  status 2 string
  lastTransitionTime 3 time
  reason 4 string
  message 5 string

HorizontalPodAutoscalerList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []HorizontalPodAutoscaler

HorizontalPodAutoscalerSpec
  scaleTargetRef! 1 CrossVersionObjectReference default={}
  minReplicas 2 int32 nullable
  maxReplicas! 3 int32 default=0
  targetCPUUtilizationPercentage 4 int32 nullable

HorizontalPodAutoscalerStatus
  observedGeneration 1 int64 nullable
  lastScaleTime 2 time
  currentReplicas! 3 int32 default=0
  desiredReplicas! 4 int32 default=0
  currentCPUUtilizationPercentage 5 int32 nullable

MetricSpec
  type 1 string
  object 2 ObjectMetricSource
  pods 3 PodsMetricSource
  resource 4 ResourceMetricSource
  external 5 ExternalMetricSource
  containerResource 7 ContainerResourceMetricSource

MetricStatus
  type 1 string
  object 2 ObjectMetricStatus
  pods 3 PodsMetricStatus
  resource 4 ResourceMetricStatus
  external 5 ExternalMetricStatus
  containerResource 7 ContainerResourceMetricStatus

ObjectMetricSource
  target 1 CrossVersionObjectReference
  metricName 2 string
  targetValue 3 quantity
  selector 4 meta.v1.LabelSelector
  averageValue 5 quantity

ObjectMetricStatus
  target 1 CrossVersionObjectReference
  metricName 2 string
  currentValue 3 quantity
  selector 4 meta.v1.LabelSelector
  averageValue 5 quantity

PodsMetricSource
  metricName 1 string
  targetAverageValue 2 quantity
  selector 3 meta.v1.LabelSelector

PodsMetricStatus
  metricName 1 string
  currentAverageValue 2 quantity
  selector 3 meta.v1.LabelSelector

ResourceMetricSource
  name 1 string
  targetAverageUtilization 2 int32 nullable
  targetAverageValue 3 quantity

ResourceMetricStatus
  name 1 string
  currentAverageUtilization 2 int32 nullable
  currentAverageValue 3 quantity

Scale kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec 2 ScaleSpec default={}
  status 3 ScaleStatus default={}

ScaleSpec
  replicas 1 int32 default=0

ScaleStatus
  replicas! 1 int32 default=0
  selector 2 string
`,

  'autoscaling.v2': `
ContainerResourceMetricSource
  name! 1 string default=""
  target! 2 MetricTarget default={}
  container! 3 string default=""

ContainerResourceMetricStatus
  name! 1 string default=""
  current! 2 MetricValueStatus default={}
  container! 3 string default=""

CrossVersionObjectReference
  kind! 1 string default=""
  name! 2 string default=""
  apiVersion 3 string

ExternalMetricSource
  metric! 1 MetricIdentifier default={}
  target! 2 MetricTarget default={}

ExternalMetricStatus
  metric! 1 MetricIdentifier default={}
  current! 2 MetricValueStatus default={}

HPAScalingPolicy
  type! 1 string default=""
  value! 2 int32 default=0
  periodSeconds! 3 int32 default=0

HPAScalingRules
  selectPolicy 1 string nullable
  policies 2 []HPAScalingPolicy list=atomic
  stabilizationWindowSeconds 3 int32 nullable
  tolerance 4 quantity

HorizontalPodAutoscaler kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec! 2 HorizontalPodAutoscalerSpec default={}
  status 3 HorizontalPodAutoscalerStatus default={}

HorizontalPodAutoscalerBehavior
  scaleUp 1 HPAScalingRules
  scaleDown 2 HPAScalingRules

HorizontalPodAutoscalerCondition
  type! 1 string default=""
  status! 2 string default=""
  lastTransitionTime 3 time
  reason 4 string
  message 5 string

HorizontalPodAutoscalerList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []HorizontalPodAutoscaler

HorizontalPodAutoscalerSpec
  scaleTargetRef! 1 CrossVersionObjectReference default={}
  minReplicas 2 int32 nullable
  maxReplicas! 3 int32 default=0
  metrics 4 []MetricSpec list=atomic
  behavior 5 HorizontalPodAutoscalerBehavior

HorizontalPodAutoscalerStatus
  observedGeneration 1 int64 nullable
  lastScaleTime 2 time
  currentReplicas 3 int32
  desiredReplicas! 4 int32 default=0
  currentMetrics 5 []MetricStatus list=atomic
  conditions 6 []HorizontalPodAutoscalerCondition list=map(type) patch=merge(type)

MetricIdentifier
  name! 1 string default=""
  selector 2 meta.v1.LabelSelector

MetricSpec
  type! 1 string default=""
  object 2 ObjectMetricSource
  pods 3 PodsMetricSource
  resource 4 ResourceMetricSource
  external 5 ExternalMetricSource
  containerResource 7 ContainerResourceMetricSource

MetricStatus
  type! 1 string default=""
  object 2 ObjectMetricStatus
  pods 3 PodsMetricStatus
  resource 4 ResourceMetricStatus
  external 5 ExternalMetricStatus
  containerResource 7 ContainerResourceMetricStatus

MetricTarget
  type! 1 string default=""
  value 2 quantity
  averageValue 3 quantity
  averageUtilization 4 int32 nullable

MetricValueStatus
  value 1 quantity
  averageValue 2 quantity
  averageUtilization 3 int32 nullable

ObjectMetricSource
  describedObject! 1 CrossVersionObjectReference default={}
  target! 2 MetricTarget default={}
  metric! 3 MetricIdentifier default={}

ObjectMetricStatus
  metric! 1 MetricIdentifier default={}
  current! 2 MetricValueStatus default={}
  describedObject! 3 CrossVersionObjectReference default={}

PodsMetricSource
  metric! 1 MetricIdentifier default={}
  target! 2 MetricTarget default={}

PodsMetricStatus
  metric! 1 MetricIdentifier default={}
  current! 2 MetricValueStatus default={}

ResourceMetricSource
  name! 1 string default=""
  target! 2 MetricTarget default={}

ResourceMetricStatus
  name! 1 string default=""
  current! 2 MetricValueStatus default={}
`,

  'batch.v1': `
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
`,

  'certificates.v1': `
CertificateSigningRequest kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec! 2 CertificateSigningRequestSpec default={}
  status 3 CertificateSigningRequestStatus default={}

CertificateSigningRequestCondition
  type! 1 string default=""
  reason 2 string
  message 3 string
  lastUpdateTime 4 time
  lastTransitionTime 5 time
  status! 6 string default=""

CertificateSigningRequestList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []CertificateSigningRequest

CertificateSigningRequestSpec
  request! 1 bytes
  username 2 string
  uid 3 string
  groups 4 []string list=atomic
  usages 5 []string list=atomic
  extra 6 {}[]string
  signerName! 7 string default=""
  expirationSeconds 8 int32 nullable

CertificateSigningRequestStatus
  conditions 1 []CertificateSigningRequestCondition list=map(type)
  certificate 2 bytes
`,

  'coordination.v1': `
Lease kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec 2 LeaseSpec default={}

LeaseList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []Lease

LeaseSpec
  holderIdentity 1 string nullable
  leaseDurationSeconds 2 int32 nullable
  acquireTime 3 microTime
  renewTime 4 microTime
  leaseTransitions 5 int32 nullable
  strategy 6 string nullable
  preferredHolder 7 string nullable
`,

  'core.v1': `
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
  podGroupName 1 string nullable

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
`,

  'custom_metrics.v1beta1': `
MetricListOptions
  labelSelector 1 string
  metricLabelSelector 2 string

MetricValue kind
  apiVersion - string
  kind - string
  describedObject 1 core.v1.ObjectReference
  metricName 2 string
  timestamp 3 time
  window 4 int64
  value 5 quantity
  selector 6 meta.v1.LabelSelector

MetricValueList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta
  items 2 []MetricValue
`,

  'custom_metrics.v1beta2': `
MetricIdentifier
  name 1 string
  selector 2 meta.v1.LabelSelector

MetricListOptions
  labelSelector 1 string
  metricLabelSelector 2 string

MetricValue kind
  apiVersion - string
  kind - string
  describedObject 1 core.v1.ObjectReference
  metric 2 MetricIdentifier
  timestamp 3 time
  windowSeconds 4 int64
  value 5 quantity

MetricValueList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta
  items 2 []MetricValue
`,

  'discovery.v1': `
Endpoint
  addresses! 1 []string list=set
  conditions 2 EndpointConditions default={}
  hostname 3 string nullable
  targetRef 4 core.v1.ObjectReference
  deprecatedTopology 5 {}string
  nodeName 6 string nullable
  zone 7 string nullable
  hints 8 EndpointHints

EndpointConditions
  ready 1 bool nullable
  serving 2 bool nullable
  terminating 3 bool nullable

EndpointHints
  forZones 1 []ForZone list=atomic
  forNodes 2 []ForNode list=atomic

EndpointPort map=atomic
  name 1 string nullable
  protocol 2 string nullable
  port 3 int32 nullable
  appProtocol 4 string nullable

EndpointSlice kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  endpoints 2 []Endpoint list=atomic
  ports 3 []EndpointPort list=atomic
  addressType! 4 string default=""

EndpointSliceList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []EndpointSlice

ForNode
  name! 1 string default=""

ForZone
  name! 1 string default=""
`,

  'events.v1': `
Event kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  eventTime! 2 microTime
  series 3 EventSeries
  reportingController 4 string
  reportingInstance 5 string
  action 6 string
  reason 7 string
  regarding 8 core.v1.ObjectReference default={}
  related 9 core.v1.ObjectReference
  note 10 string
  type 11 string
  deprecatedSource 12 core.v1.EventSource default={}
  deprecatedFirstTimestamp 13 time
  deprecatedLastTimestamp 14 time
  deprecatedCount 15 int32

EventList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []Event

EventSeries
  count! 1 int32 default=0
  lastObservedTime! 2 microTime
`,

  'external_metrics.v1beta1': `
ExternalMetricValue kind
  apiVersion - string
  kind - string
  metricName 1 string
  metricLabels 2 {}string
  timestamp 3 time
  window 4 int64
  value 5 quantity

ExternalMetricValueList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta
  items 2 []ExternalMetricValue
`,

  'flowcontrol.v1': `
ExemptPriorityLevelConfiguration
  nominalConcurrencyShares 1 int32 nullable
  lendablePercent 2 int32 nullable

FlowDistinguisherMethod
  type! 1 string default=""

FlowSchema kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec 2 FlowSchemaSpec default={}
  status 3 FlowSchemaStatus default={}

FlowSchemaCondition
  type 1 string
  status 2 string
  lastTransitionTime 3 time
  reason 4 string
  message 5 string

FlowSchemaList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []FlowSchema

FlowSchemaSpec
  priorityLevelConfiguration! 1 PriorityLevelConfigurationReference default={}
  matchingPrecedence 2 int32 default=0
  distinguisherMethod 3 FlowDistinguisherMethod
  rules 4 []PolicyRulesWithSubjects list=atomic

FlowSchemaStatus
  conditions 1 []FlowSchemaCondition list=map(type) patch=merge(type)

GroupSubject
  name! 1 string default=""

LimitResponse
  type! 1 string default=""
  queuing 2 QueuingConfiguration

LimitedPriorityLevelConfiguration
  nominalConcurrencyShares 1 int32 nullable
  limitResponse 2 LimitResponse default={}
  lendablePercent 3 int32 nullable
  borrowingLimitPercent 4 int32 nullable

NonResourcePolicyRule
  verbs! 1 []string list=set
  nonResourceURLs! 6 []string list=set

PolicyRulesWithSubjects
  subjects! 1 []Subject list=atomic
  resourceRules 2 []ResourcePolicyRule list=atomic
  nonResourceRules 3 []NonResourcePolicyRule list=atomic

PriorityLevelConfiguration kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec 2 PriorityLevelConfigurationSpec default={}
  status 3 PriorityLevelConfigurationStatus default={}

PriorityLevelConfigurationCondition
  type 1 string
  status 2 string
  lastTransitionTime 3 time
  reason 4 string
  message 5 string

PriorityLevelConfigurationList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []PriorityLevelConfiguration

PriorityLevelConfigurationReference
  name! 1 string default=""

PriorityLevelConfigurationSpec
  type! 1 string default=""
  limited 2 LimitedPriorityLevelConfiguration
  exempt 3 ExemptPriorityLevelConfiguration

PriorityLevelConfigurationStatus
  conditions 1 []PriorityLevelConfigurationCondition list=map(type) patch=merge(type)

QueuingConfiguration
  queues 1 int32 default=0
  handSize 2 int32 default=0
  queueLengthLimit 3 int32 default=0

ResourcePolicyRule
  verbs! 1 []string list=set
  apiGroups! 2 []string list=set
  resources! 3 []string list=set
  clusterScope 4 bool
  namespaces 5 []string list=set

ServiceAccountSubject
  namespace! 1 string default=""
  name! 2 string default=""

Subject
  kind! 1 string default=""
  user 2 UserSubject
  group 3 GroupSubject
  serviceAccount 4 ServiceAccountSubject

UserSubject
  name! 1 string default=""
`,

  'meta.v1': `
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
`,

  'metrics.v1beta1': `
ContainerMetrics
  name 1 string
  usage 2 {}quantity

NodeMetrics kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta
  timestamp 2 time
  window 3 duration
  usage 4 {}quantity

NodeMetricsList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta
  items 2 []NodeMetrics

PodMetrics kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta
  timestamp 2 time
  window 3 duration
  containers 4 []ContainerMetrics

PodMetricsList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta
  items 2 []PodMetrics
`,

  'networking.v1': `
HTTPIngressPath
  path 1 string
  backend! 2 IngressBackend default={}
  pathType! 3 string nullable

HTTPIngressRuleValue
  paths! 1 []HTTPIngressPath list=atomic

IPAddress kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec! 2 IPAddressSpec default={}

IPAddressList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []IPAddress

IPAddressSpec
  parentRef! 1 ParentReference

IPBlock
  cidr! 1 string default=""
  except 2 []string list=atomic

Ingress kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec 2 IngressSpec default={}
  status 3 IngressStatus default={}

IngressBackend
  resource 3 core.v1.TypedLocalObjectReference
  service 4 IngressServiceBackend

IngressClass kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec 2 IngressClassSpec default={}

IngressClassList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []IngressClass

IngressClassParametersReference
  apiGroup 1 string nullable
  kind! 2 string default=""
  name! 3 string default=""
  scope 4 string nullable
  namespace 5 string nullable

IngressClassSpec
  controller 1 string
  parameters 2 IngressClassParametersReference

IngressList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []Ingress

IngressLoadBalancerIngress
  ip 1 string
  hostname 2 string
  ports 4 []IngressPortStatus list=atomic

IngressLoadBalancerStatus
  ingress 1 []IngressLoadBalancerIngress list=atomic

IngressPortStatus
  port! 1 int32 default=0
  protocol! 2 string default=""
  error 3 string nullable

IngressRule
  host 1 string
  http 2/1 HTTPIngressRuleValue

IngressServiceBackend
  name! 1 string default=""
  port 2 ServiceBackendPort default={}

IngressSpec
  defaultBackend 1 IngressBackend
  tls 2 []IngressTLS list=atomic
  rules 3 []IngressRule list=atomic
  ingressClassName 4 string nullable

IngressStatus
  loadBalancer 1 IngressLoadBalancerStatus default={}

IngressTLS
  hosts 1 []string list=atomic
  secretName 2 string

NetworkPolicy kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec 2 NetworkPolicySpec default={}

NetworkPolicyEgressRule
  ports 1 []NetworkPolicyPort list=atomic
  to 2 []NetworkPolicyPeer list=atomic

NetworkPolicyIngressRule
  ports 1 []NetworkPolicyPort list=atomic
  from 2 []NetworkPolicyPeer list=atomic

NetworkPolicyList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []NetworkPolicy

NetworkPolicyPeer
  podSelector 1 meta.v1.LabelSelector
  namespaceSelector 2 meta.v1.LabelSelector
  ipBlock 3 IPBlock

NetworkPolicyPort
  protocol 1 string nullable
  port 2 intOrString
  endPort 3 int32 nullable

NetworkPolicySpec
  podSelector 1 meta.v1.LabelSelector default={}
  ingress 2 []NetworkPolicyIngressRule list=atomic
  egress 3 []NetworkPolicyEgressRule list=atomic
  policyTypes 4 []string list=atomic

ParentReference
  group 1 string
  resource! 2 string
  namespace 3 string
  name! 4 string

ServiceBackendPort map=atomic
  name 1 string
  number 2 int32

ServiceCIDR kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec 2 ServiceCIDRSpec default={}
  status 3 ServiceCIDRStatus default={}

ServiceCIDRList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []ServiceCIDR

ServiceCIDRSpec
  cidrs 1 []string list=atomic

ServiceCIDRStatus
  conditions 1 []meta.v1.Condition list=map(type) patch=merge(type)
`,

  'node.v1': `
Overhead
  podFixed 1 {}quantity

RuntimeClass kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  handler! 2 string default=""
  overhead 3 Overhead
  scheduling 4 Scheduling

RuntimeClassList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []RuntimeClass

Scheduling
  nodeSelector 1 {}string map=atomic
  tolerations 2 []core.v1.Toleration list=atomic
`,

  'policy.v1': `
Eviction kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  deleteOptions 2 meta.v1.DeleteOptions

PodDisruptionBudget kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec 2 PodDisruptionBudgetSpec default={}
  status 3 PodDisruptionBudgetStatus default={}

PodDisruptionBudgetList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []PodDisruptionBudget

PodDisruptionBudgetSpec
  minAvailable 1 intOrString
  selector 2 meta.v1.LabelSelector patch=replace
  maxUnavailable 3 intOrString
  unhealthyPodEvictionPolicy 4 string nullable

PodDisruptionBudgetStatus
  observedGeneration 1 int64
  disruptedPods 2 {}time
  disruptionsAllowed 3 int32 default=0
  currentHealthy 4 int32 default=0
  desiredHealthy 5 int32 default=0
  expectedPods 6 int32 default=0
  conditions 7 []meta.v1.Condition list=map(type) patch=merge(type)
`,

  'rbac.v1': `
AggregationRule
  clusterRoleSelectors 1 []meta.v1.LabelSelector list=atomic

ClusterRole kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  rules 2 []PolicyRule list=atomic
  aggregationRule 3 AggregationRule

ClusterRoleBinding kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  subjects 2 []Subject list=atomic
  roleRef! 3 RoleRef default={}

ClusterRoleBindingList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []ClusterRoleBinding

ClusterRoleList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []ClusterRole

PolicyRule
  verbs! 1 []string list=atomic
  apiGroups 2 []string list=atomic
  resources 3 []string list=atomic
  resourceNames 4 []string list=atomic
  nonResourceURLs 5 []string list=atomic

Role kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  rules 2 []PolicyRule list=atomic

RoleBinding kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  subjects 2 []Subject list=atomic
  roleRef! 3 RoleRef default={}

RoleBindingList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []RoleBinding

RoleList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []Role

RoleRef map=atomic
  apiGroup 1 string default=""
  kind! 2 string default=""
  name! 3 string default=""

Subject map=atomic
  kind! 1 string default=""
  apiGroup 2 string
  name! 3 string default=""
  namespace 4 string
`,

  'resource.v1': `
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
`,

  'resource.v1beta2': `
DeviceTaint
  key! 1 string default=""
  value 2 string
  effect! 3 string default=""
  timeAdded 4 time

DeviceTaintRule kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec! 2 DeviceTaintRuleSpec default={}
  status 3 DeviceTaintRuleStatus default={}

DeviceTaintRuleList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []DeviceTaintRule

DeviceTaintRuleSpec
  deviceSelector 1 DeviceTaintSelector
  taint! 2 DeviceTaint default={}

DeviceTaintRuleStatus
  conditions 1 []meta.v1.Condition list=map(type) patch=merge(type)

DeviceTaintSelector
  driver 2 string
  pool 3 string
  device 4 string
`,

  'scheduling.v1': `
PriorityClass kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  value 2 int32 default=0
  globalDefault 3 bool
  description 4 string
  preemptionPolicy 5 string nullable

PriorityClassList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []PriorityClass
`,

  'scheduling.v1alpha2': `
BasicSchedulingPolicy

GangSchedulingPolicy
  minCount! 1 int32 default=0

PodGroup kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec! 2 PodGroupSpec default={}
  status 3 PodGroupStatus default={}

PodGroupList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []PodGroup

PodGroupResourceClaim
  name! 1 string default=""
  resourceClaimName 2 string nullable
  resourceClaimTemplateName 3 string nullable

PodGroupResourceClaimStatus
  name! 1 string default=""
  resourceClaimName 2 string nullable

PodGroupSchedulingConstraints
  topology 1 []TopologyConstraint list=atomic

PodGroupSchedulingPolicy
  basic 1 BasicSchedulingPolicy
  gang 2 GangSchedulingPolicy

PodGroupSpec
  podGroupTemplateRef 1 PodGroupTemplateReference
  schedulingPolicy! 2 PodGroupSchedulingPolicy default={}
  schedulingConstraints 3 PodGroupSchedulingConstraints
  resourceClaims 4 []PodGroupResourceClaim list=map(name) patch=merge,retainKeys(name)
  disruptionMode 5 string nullable default="Pod"
  priorityClassName 6 string
  priority 7 int32 nullable

PodGroupStatus
  conditions 1 []meta.v1.Condition list=map(type) patch=merge(type)
  resourceClaimStatuses 2 []PodGroupResourceClaimStatus list=map(name) patch=merge,retainKeys(name)

PodGroupTemplate
  name! 1 string default=""
  schedulingPolicy! 2 PodGroupSchedulingPolicy default={}
  schedulingConstraints 3 PodGroupSchedulingConstraints
  resourceClaims 4 []PodGroupResourceClaim list=map(name) patch=merge,retainKeys(name)
  disruptionMode 5 string nullable
  priorityClassName 6 string
  priority 7 int32 nullable

PodGroupTemplateReference
  workload 1 WorkloadPodGroupTemplateReference

TopologyConstraint
  key! 1 string default=""

TypedLocalObjectReference
  apiGroup 1 string
  kind! 2 string default=""
  name! 3 string default=""

Workload kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  spec! 2 WorkloadSpec default={}

WorkloadList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []Workload

WorkloadPodGroupTemplateReference
  workloadName! 1 string default=""
  podGroupTemplateName! 2 string default=""

WorkloadSpec
  controllerRef 1 TypedLocalObjectReference
  podGroupTemplates! 2 []PodGroupTemplate list=map(name)
`,

  'storage.v1': `
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
`,
};

/** The API group under which each table is served. */
export const servedGroups: Readonly<Record<string, string>> = {
  'admission.v1': 'admission.k8s.io',
  'admissionregistration.v1': 'admissionregistration.k8s.io',
  'apidiscovery.v2': 'apidiscovery.k8s.io',
  'apiextensions.v1': 'apiextensions.k8s.io',
  'apiregistration.v1': 'apiregistration.k8s.io',
  'apps.v1': 'apps',
  'authentication.v1': 'authentication.k8s.io',
  'authorization.v1': 'authorization.k8s.io',
  'autoscaling.v1': 'autoscaling',
  'autoscaling.v2': 'autoscaling',
  'batch.v1': 'batch',
  'certificates.v1': 'certificates.k8s.io',
  'coordination.v1': 'coordination.k8s.io',
  'core.v1': '',
  'custom_metrics.v1beta1': 'custom.metrics.k8s.io',
  'custom_metrics.v1beta2': 'custom.metrics.k8s.io',
  'discovery.v1': 'discovery.k8s.io',
  'events.v1': 'events.k8s.io',
  'external_metrics.v1beta1': 'external.metrics.k8s.io',
  'flowcontrol.v1': 'flowcontrol.apiserver.k8s.io',
  'meta.v1': 'meta.k8s.io',
  'metrics.v1beta1': 'metrics.k8s.io',
  'networking.v1': 'networking.k8s.io',
  'node.v1': 'node.k8s.io',
  'policy.v1': 'policy',
  'rbac.v1': 'rbac.authorization.k8s.io',
  'resource.v1': 'resource.k8s.io',
  'resource.v1beta2': 'resource.k8s.io',
  'scheduling.v1': 'scheduling.k8s.io',
  'scheduling.v1alpha2': 'scheduling.k8s.io',
  'storage.v1': 'storage.k8s.io',
};
