/** The names of the steps, as Kubernetes has them, and which of them are on. Pure. */
import { CaelumError } from '../../lib/index.ts';

export interface AdmissionPlugins {
  readonly enable: readonly string[];
  readonly disable: readonly string[];
}

/** In the order in which they are asked. */
export const pluginNames: readonly string[] = [
  'NamespaceLifecycle',
  'LimitRanger',
  'ServiceAccount',
  'NodeRestriction',
  'TaintNodesByCondition',
  'AlwaysPullImages',
  'PodSecurity',
  'Priority',
  'DefaultTolerationSeconds',
  'ExtendedResourceToleration',
  'DefaultStorageClass',
  'StorageObjectInUseProtection',
  'OwnerReferencesPermissionEnforcement',
  'PersistentVolumeClaimResize',
  'RuntimeClass',
  'CertificateApproval',
  'CertificateSigning',
  'CertificateSubjectRestriction',
  'DefaultIngressClass',
  'DeviceAdminAccess',
  'DenyServiceExternalIPs',
  'MutatingAdmissionPolicy',
  'VerticalPodAutoscaler',
  'MutatingAdmissionWebhook',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionWebhook',
  'ResourceQuota',
];

/** Off unless they are enabled. */
const optional: readonly string[] = [
  'AlwaysPullImages',
  'DenyServiceExternalIPs',
  'ExtendedResourceToleration',
];

export const isOn = (name: string, { enable, disable }: AdmissionPlugins): boolean =>
  enable.includes(name) || !(disable.includes(name) || optional.includes(name));

/** Throws `usage` where one is named that there is not. */
export function checkAdmissionPlugins({ enable, disable }: AdmissionPlugins): void {
  for (const name of [...enable, ...disable])
    if (!pluginNames.includes(name))
      throw new CaelumError(
        'usage',
        `Cannot find admission plugin "${name}": there are ${pluginNames.join(', ')}`,
      );
}
