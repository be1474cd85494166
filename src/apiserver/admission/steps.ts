/** The steps of admission, in Kubernetes' order. Source: the recommended plugin order of kube-apiserver. */
import { deviceAdminAccess } from './admin-access.ts';
import { certificateApproval, certificateSigning, certificateSubjectRestriction } from './certificates.ts';
import type { AdmissionContext, AdmissionStep } from './chain.ts';
import { defaultIngressClass, defaultStorageClass, persistentVolumeClaimResize } from './default-class.ts';
import { limitRanger } from './limit-ranger.ts';
import { namespaceLifecycle } from './namespace.ts';
import { nodeRestriction } from './node-restriction.ts';
import { alwaysPullImages, denyServiceExternalIps } from './optional.ts';
import { ownerPermission } from './owner-permission.ts';
import { type AdmissionPlugins, isOn } from './plugin-names.ts';
import { podSecurity } from './pod-security/step.ts';
import { matchConditions } from './policies/conditions.ts';
import { mutatingPolicies } from './policies/mutating.ts';
import { validatingPolicies } from './policies/validating.ts';
import { priority } from './priority.ts';
import { resourceQuota } from './quota/step.ts';
import { runtimeClass } from './runtime-class.ts';
import { serviceAccount } from './service-account.ts';
import { storageProtection } from './storage-protection.ts';
import {
  defaultTolerationSeconds,
  extendedResourceToleration,
  taintNodesByCondition,
} from './tolerations.ts';
import { verticalAutoscaler } from './vertical-autoscaler.ts';
import { admissionWebhooks } from './webhooks/step.ts';

export function admissionSteps(
  context: AdmissionContext,
  plugins: AdmissionPlugins = { enable: [], disable: [] },
): readonly AdmissionStep[] {
  return allSteps(context).filter(({ name }) => isOn(name, plugins));
}

function allSteps(context: AdmissionContext): readonly AdmissionStep[] {
  const webhooks = admissionWebhooks(context, matchConditions(context));
  return [
    namespaceLifecycle(context),
    limitRanger(context),
    serviceAccount(context),
    nodeRestriction(context),
    taintNodesByCondition,
    alwaysPullImages,
    podSecurity(context),
    priority(context),
    defaultTolerationSeconds,
    extendedResourceToleration,
    defaultStorageClass(context),
    storageProtection,
    ownerPermission(context),
    persistentVolumeClaimResize(context),
    runtimeClass(context),
    certificateApproval(context),
    certificateSigning(context),
    certificateSubjectRestriction(),
    defaultIngressClass(context),
    deviceAdminAccess(context),
    denyServiceExternalIps,
    mutatingPolicies(context),
    verticalAutoscaler(context),
    webhooks.mutating,
    validatingPolicies(context),
    webhooks.validating,
    resourceQuota(context),
  ];
}
