/**
 * The door of `api`: the kinds, their types and tables, and what reads them (checking, defaulting, merging, OpenAPI, protobuf).
 *
 * Types whose names collide carry their group in front: `EventsV1Event` is events.k8s.io's Event, `Event` is core's.
 */

export {
  type Applied,
  applyConfiguration,
  type Conflict,
  conflictMessage,
  type Manager,
  managerText,
  type Ownership,
  sameOwners,
  trackUpdate,
} from './apply/field-owners.ts';
export { pathText } from './apply/field-set.ts';
export { compare as compareStructures, duplicateIn, overlay } from './apply/merge.ts';
export { type Shape as OwnershipShape, shapeOfMessage } from './apply/shape.ts';
export * as cel from './cel/index.ts';
export * from './computed.ts';
export {
  disruptionAllowedType,
  disruptionConditions,
  syncFailedReason,
  withCondition,
} from './disruption.ts';
export * from './errors.ts';
export {
  annotatedGpuMilli,
  gpuCountKey,
  gpuCountMax,
  gpuMilliKey,
  gpuNumber,
  wholeMilli,
} from './gpu-share.ts';
export type * from './kind.ts';
export {
  type CompiledPart,
  type CompiledPolicy,
  type CompiledValidation,
  compileCondition,
  compilePolicy,
  expressionsOf,
  type KnownTypes,
  type PolicySpec,
} from './kinds/admission-spec/expressions.ts';
export { ageColumn, ageOf, humanDuration, nameColumn } from './kinds/cells.ts';
export { type CompiledRule, compileRules } from './kinds/custom-resource-spec/rules.ts';
export { defineKind, scaleSubresource, statusSubresource } from './kinds/define.ts';
export { compileDeviceSelector, type DeviceSelection } from './kinds/device-spec/selector.ts';
export type * from './kinds/elasticity-spec/types.ts';
export { gangAnnotation, gangTopologyAnnotation } from './kinds/job-spec/gang.ts';
export { isFinished as isFinishedJob } from './kinds/job-spec/status.ts';
export { qualityOfService } from './kinds/pod-spec/quality-of-service.ts';
export { systemPriorityClasses, userPriorityMax } from './kinds/priority-class.ts';
export type * from './kinds/queue-spec/types.ts';
export type * from './kinds/rebalance-spec/types.ts';
export * from './kinds/refs.ts';
export * from './kinds/reservation-spec/names.ts';
export type * from './kinds/reservation-spec/types.ts';
export * from './kinds/scheduling-profile-spec/custom-score.ts';
export type * from './kinds/scheduling-profile-spec/types.ts';
export { type StrategyName, strategyNames, workloadTypes } from './kinds/scheduling-profile-spec/validate.ts';
export {
  isTermOf,
  readSchedulingTerm,
  type SchedulingTerm,
  schedulingTermKey,
} from './kinds/scheduling-term.ts';
export type * from './kinds/vertical-autoscaler-spec/types.ts';
export {
  compileTerms,
  hasLabels,
  type LabelPredicate,
  type Labels,
  type LabelTerm,
  labelPredicate,
  labelSelectorText,
} from './label-selector.ts';
export { jsonMergePatch } from './merge/json-merge-patch.ts';
export { jsonPatch } from './merge/json-patch.ts';
export { sharingStrategicMergePatch, strategicMergePatch } from './merge/strategic-merge-patch.ts';
export { namedNodes, selectsNode, termHolds, tolerates } from './node-selection.ts';
export * from './object.ts';
export { contentHash } from './openapi/content-hash.ts';
export { openApiV2 } from './openapi/v2.ts';
export {
  openApiV2Protobuf,
  openApiV2ProtobufAccepted,
  openApiV2ProtobufMediaType,
} from './openapi/v2-protobuf.ts';
export { openApiV3, openApiV3Index } from './openapi/v3.ts';
export { type Amounts, podLimits, podRequests, specInUse } from './pod-amounts.ts';
export { postedKinds } from './posted-kinds.ts';
export {
  addQuantities,
  compareQuantities,
  nanoText,
  quantityMilli,
  quantityNano,
  quantityValue,
  subtractQuantities,
} from './quantity.ts';
export { addUsage, contribution, nothingUsed, takeUsage } from './quota/scope.ts';
export { canGrow, countedKinds, deviceUsage, isOverdue, placeCredit, unsaid } from './quota/usage.ts';
export { builtinKinds, createRegistry } from './registry.ts';
export { cannotBeHandled, checkShape, type Shape } from './schema/check-shape.ts';
export type * from './schema/message.ts';
export {
  findMessage,
  kindOfMessage,
  messageNameOf,
  messageNames,
  messageOf,
  messageOfKind,
  openApiName,
  tableOf,
} from './schema/messages.ts';
export { decodeProtobuf, encodeProtobuf, protobufMediaType } from './schema/protobuf/envelope.ts';
export { canonicalQuantity } from './schema/quantity-text.ts';
export { durationNanoseconds, durationText } from './schema/scalars.ts';
export { findDuplicateFields, strictDecodingError, strictDecodingWarnings } from './schema/strict.ts';
export { applyTableDefaults } from './schema/table-defaults.ts';
export {
  type FieldTerm,
  fieldPredicate,
  parseFieldTerms,
  parseLabelSelector,
  parseLabelTerms,
} from './selector.ts';
export * from './startup-boost.ts';
export * from './storage/claims.ts';
export {
  allowsAccess,
  askedStorage,
  findVolume,
  type MatchOptions,
  misfit,
  type NodePlace,
  reaches,
  sameVolumeMode,
} from './storage/volume-match.ts';
export * as structural from './structural/index.ts';
export {
  type IncludeObject,
  renderTable,
  type Table,
  type TableColumn,
  type TableRow,
  type TableView,
} from './table.ts';
export type {
  MatchCondition,
  MatchResources,
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  MutatingWebhook,
  MutatingWebhookConfiguration,
  Mutation,
  NamedRuleWithOperations,
  ParamKind,
  ParamRef,
  RuleWithOperations,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  ValidatingWebhook,
  ValidatingWebhookConfiguration,
  Variable,
  WebhookClientConfig as AdmissionWebhookClientConfig,
} from './types/admissionregistration.v1.ts';
export type {
  APIGroupDiscovery,
  APIGroupDiscoveryList,
  APIResourceDiscovery,
  APISubresourceDiscovery,
  APIVersionDiscovery,
} from './types/apidiscovery.v2.ts';
export type {
  ConversionReview,
  CustomResourceColumnDefinition,
  CustomResourceConversion,
  CustomResourceDefinition,
  CustomResourceDefinitionCondition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionSpec,
  CustomResourceDefinitionStatus,
  CustomResourceDefinitionVersion,
  CustomResourceSubresources,
  JSONSchemaProps,
  ValidationRule,
} from './types/apiextensions.v1.ts';
export type {
  APIService,
  APIServiceCondition,
  APIServiceSpec,
  APIServiceStatus,
} from './types/apiregistration.v1.ts';
export type * from './types/apps.v1.ts';
export type {
  BoundObjectReference,
  TokenRequest,
  TokenRequestSpec,
  TokenRequestStatus,
  TokenReview,
  UserInfo,
} from './types/authentication.v1.ts';
export type {
  NonResourceAttributes,
  ResourceAttributes,
  SelfSubjectAccessReview,
  SelfSubjectRulesReview,
  SubjectAccessReview,
} from './types/authorization.v1.ts';
export type {
  Scale as AutoscalingV1Scale,
  ScaleSpec as AutoscalingV1ScaleSpec,
  ScaleStatus as AutoscalingV1ScaleStatus,
} from './types/autoscaling.v1.ts';
export type * from './types/autoscaling.v2.ts';
export type * from './types/batch.v1.ts';
export type * from './types/certificates.v1.ts';
export type * from './types/coordination.v1.ts';
export type * from './types/core.v1.ts';
export type {
  Endpoint,
  EndpointConditions,
  EndpointHints,
  EndpointPort as DiscoveryEndpointPort,
  EndpointSlice,
  EndpointSliceList,
  ForNode,
  ForZone,
} from './types/discovery.v1.ts';
export type {
  Event as EventsV1Event,
  EventList as EventsV1EventList,
  EventSeries as EventsV1EventSeries,
} from './types/events.v1.ts';
export type {
  FlowSchema,
  FlowSchemaSpec,
  LimitedPriorityLevelConfiguration,
  PolicyRulesWithSubjects,
  PriorityLevelConfiguration,
  PriorityLevelConfigurationSpec,
  QueuingConfiguration,
  Subject as FlowSubject,
} from './types/flowcontrol.v1.ts';
export type {
  APIGroup,
  APIGroupList,
  APIResource,
  APIResourceList,
  APIVersions,
  Condition,
  CreateOptions,
  DeleteOptions,
  GetOptions,
  GroupVersionForDiscovery,
  LabelSelector,
  LabelSelectorRequirement,
  ListMeta,
  ListOptions,
  ManagedFieldsEntry,
  ObjectMeta,
  OwnerReference,
  PartialObjectMetadata,
  PartialObjectMetadataList,
  PatchOptions,
  Preconditions as MetaPreconditions,
  ServerAddressByClientCIDR,
  Status,
  StatusCause,
  StatusDetails,
  TableOptions,
  UpdateOptions,
  WatchEvent,
} from './types/meta.v1.ts';
export type { ContainerMetrics, NodeMetrics, PodMetrics } from './types/metrics.v1beta1.ts';
export type * from './types/networking.v1.ts';
export type * from './types/node.v1.ts';
export type {
  Eviction,
  PodDisruptionBudget,
  PodDisruptionBudgetSpec,
  PodDisruptionBudgetStatus,
} from './types/policy.v1.ts';
export type * from './types/rbac.v1.ts';
export type {
  Device,
  DeviceClass,
  DeviceRequest,
  ResourceClaim as DynamicResourceClaim,
  ResourceClaimStatus as DynamicResourceClaimStatus,
  ResourceClaimTemplate,
  ResourceSlice,
} from './types/resource.v1.ts';
export type { DeviceTaintRule } from './types/resource.v1beta2.ts';
export type * from './types/scheduling.v1.ts';
export type { PodGroup, Workload } from './types/scheduling.v1alpha2.ts';
export type {
  CSIDriver,
  CSINode,
  CSIStorageCapacity,
  StorageClass,
  VolumeAttachment,
  VolumeAttachmentSpec,
  VolumeAttachmentStatus,
  VolumeAttributesClass,
} from './types/storage.v1.ts';
export { type AddressRange, addressNumber, addressRange, isWithin } from './validation/addresses.ts';
export { finalizerWarnings, validateObjectMeta, validateObjectMetaUpdate } from './validation/object-meta.ts';
export * from './vertical-recommendation.ts';
export { writeWarnings } from './warnings/warnings.ts';
