/** Every kind that is built in, and the look-up of kinds by name. A kind is one file in `kinds/` and one line here. */
import type { Kind, KindRegistry } from './kind.ts';
import {
  mutatingAdmissionPolicyBinding,
  validatingAdmissionPolicyBinding,
} from './kinds/admission-policy-binding.ts';
import { apiService } from './kinds/api-service.ts';
import { certificateSigningRequest } from './kinds/certificate-signing-request.ts';
import { configMap } from './kinds/config-map.ts';
import { controllerRevision } from './kinds/controller-revision.ts';
import { cronJob } from './kinds/cron-job.ts';
import { csiDriver } from './kinds/csi-driver.ts';
import { csiNode } from './kinds/csi-node.ts';
import { csiStorageCapacity } from './kinds/csi-storage-capacity.ts';
import { customResourceDefinition } from './kinds/custom-resource-definition.ts';
import { daemonSet } from './kinds/daemon-set.ts';
import { deployment } from './kinds/deployment.ts';
import { deviceClass } from './kinds/device-class.ts';
import { deviceTaintRule } from './kinds/device-taint-rule.ts';
import { elasticityHistory, elasticityPolicy } from './kinds/elasticity-policy.ts';
import { endpointSlice } from './kinds/endpoint-slice.ts';
import { endpointsKind } from './kinds/endpoints.ts';
import { event } from './kinds/event.ts';
import { eventsV1Event } from './kinds/events-v1-event.ts';
import { flowSchema } from './kinds/flow-schema.ts';
import { horizontalPodAutoscaler } from './kinds/horizontal-pod-autoscaler.ts';
import { horizontalPodAutoscalerV1 } from './kinds/horizontal-pod-autoscaler-v1.ts';
import { ingress } from './kinds/ingress.ts';
import { ingressClass } from './kinds/ingress-class.ts';
import { ipAddress } from './kinds/ip-address.ts';
import { job } from './kinds/job.ts';
import { lease } from './kinds/lease.ts';
import { limitRange } from './kinds/limit-range.ts';
import { mutatingAdmissionPolicy } from './kinds/mutating-admission-policy.ts';
import { namespace } from './kinds/namespace.ts';
import { networkPolicy } from './kinds/network-policy.ts';
import { node } from './kinds/node.ts';
import { persistentVolume } from './kinds/persistent-volume.ts';
import { persistentVolumeClaim } from './kinds/persistent-volume-claim.ts';
import { pod } from './kinds/pod.ts';
import { podDisruptionBudget } from './kinds/pod-disruption-budget.ts';
import { podGroup, workload } from './kinds/pod-group.ts';
import { podTemplate } from './kinds/pod-template.ts';
import { priorityClass } from './kinds/priority-class.ts';
import { priorityLevelConfiguration } from './kinds/priority-level-configuration.ts';
import { queue } from './kinds/queue.ts';
import { rebalancePolicy } from './kinds/rebalance-policy.ts';
import { replicaSet } from './kinds/replica-set.ts';
import { replicationController } from './kinds/replication-controller.ts';
import { reservation } from './kinds/reservation.ts';
import { resourceClaim, resourceClaimTemplate } from './kinds/resource-claim.ts';
import { resourceQuota } from './kinds/resource-quota.ts';
import { resourceSlice } from './kinds/resource-slice.ts';
import { clusterRole, role } from './kinds/role.ts';
import { clusterRoleBinding, roleBinding } from './kinds/role-binding.ts';
import { runtimeClass } from './kinds/runtime-class.ts';
import { schedulingProfile } from './kinds/scheduling-profile.ts';
import { secret } from './kinds/secret.ts';
import { service } from './kinds/service.ts';
import { serviceAccount } from './kinds/service-account.ts';
import { serviceCidr } from './kinds/service-cidr.ts';
import { statefulSet } from './kinds/stateful-set.ts';
import { storageClass } from './kinds/storage-class.ts';
import { validatingAdmissionPolicy } from './kinds/validating-admission-policy.ts';
import { verticalPodAutoscaler, verticalPodAutoscalerCheckpoint } from './kinds/vertical-pod-autoscaler.ts';
import { volumeAttachment } from './kinds/volume-attachment.ts';
import { volumeAttributesClass } from './kinds/volume-attributes-class.ts';
import {
  mutatingWebhookConfiguration,
  validatingWebhookConfiguration,
} from './kinds/webhook-configuration.ts';

export function createRegistry(kinds: readonly Kind[]): KindRegistry {
  const kindsByName = new Map(kinds.map((kind) => [`${kind.group}/${kind.version}/${kind.kind}`, kind]));
  const kindsByResource = new Map(
    kinds.map((kind) => [`${kind.group}/${kind.version}/${kind.resource}`, kind]),
  );
  return {
    kinds,
    byKind: (group, version, kind) => kindsByName.get(`${group}/${version}/${kind}`),
    byResource: (group, version, resource) => kindsByResource.get(`${group}/${version}/${resource}`),
  };
}

export const builtinKinds: KindRegistry = createRegistry([
  namespace,
  node,
  pod,
  service,
  endpointsKind,
  configMap,
  secret,
  serviceAccount,
  event,
  eventsV1Event,
  lease,
  deployment,
  replicaSet,
  endpointSlice,
  controllerRevision,
  cronJob,
  daemonSet,
  job,
  limitRange,
  persistentVolume,
  persistentVolumeClaim,
  podDisruptionBudget,
  podTemplate,
  replicationController,
  resourceQuota,
  statefulSet,
  role,
  clusterRole,
  roleBinding,
  clusterRoleBinding,
  ingress,
  ingressClass,
  networkPolicy,
  ipAddress,
  serviceCidr,
  storageClass,
  volumeAttributesClass,
  volumeAttachment,
  csiDriver,
  csiNode,
  csiStorageCapacity,
  // The version that is preferred comes first.
  horizontalPodAutoscaler,
  horizontalPodAutoscalerV1,
  mutatingWebhookConfiguration,
  validatingWebhookConfiguration,
  validatingAdmissionPolicy,
  mutatingAdmissionPolicy,
  validatingAdmissionPolicyBinding,
  mutatingAdmissionPolicyBinding,
  priorityClass,
  podGroup,
  workload,
  runtimeClass,
  apiService,
  certificateSigningRequest,
  flowSchema,
  priorityLevelConfiguration,
  customResourceDefinition,
  resourceClaim,
  resourceClaimTemplate,
  deviceClass,
  resourceSlice,
  deviceTaintRule,
  elasticityPolicy,
  elasticityHistory,
  queue,
  schedulingProfile,
  rebalancePolicy,
  reservation,
  verticalPodAutoscaler,
  verticalPodAutoscalerCheckpoint,
]);
