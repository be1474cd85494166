/** The steps of admission, in Kubernetes' order. Source: the recommended plugin order of kube-apiserver. */
import type { AdmissionContext, AdmissionStep } from './chain.ts';
import { namespaceLifecycle } from './namespace.ts';
import { podDefaults } from './pod.ts';

export function admissionSteps(context: AdmissionContext): readonly AdmissionStep[] {
  return [
    namespaceLifecycle(context),
    podDefaults(context),
    // MutatingAdmissionPolicy, MutatingAdmissionWebhook
    // ValidatingAdmissionPolicy, ValidatingAdmissionWebhook
    // ResourceQuota
  ];
}
