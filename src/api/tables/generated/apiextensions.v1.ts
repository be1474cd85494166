/** The table of apiextensions.v1. Made by tools/make-tables.ts from facts of Kubernetes 1.36 (Apache-2.0); do not edit. Grammar: ../table-text.ts. */
export const table = `
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
`;
