/**
 * DeviceAdminAccess: devices that others have may be asked for only where the namespace says so. In Kubernetes this is part of how claims are validated. Pure.
 * Source: Kubernetes 1.36, dynamic resource allocation, admin access.
 */
import {
  type DynamicResourceClaim,
  invalid,
  type Namespace,
  type ResourceClaimTemplate,
} from '../../api/index.ts';
import type { AdmissionContext, AdmissionStep } from './chain.ts';
import { nameFor } from './refusal.ts';

const label = 'resource.kubernetes.io/admin-access';
const why = `admin access to devices requires the \`${label}: true\` label on the containing namespace`;
/** Where their requests are. */
const places: Readonly<Record<string, string>> = {
  'resourceclaims.resource.k8s.io': 'spec.devices.requests',
  'resourceclaimtemplates.resource.k8s.io': 'spec.spec.devices.requests',
};

export function deviceAdminAccess({ store, resources }: AdmissionContext): AdmissionStep {
  const namespaces = resources.core('namespaces');
  return {
    name: 'DeviceAdminAccess',
    concerns: ({ groupResource }, subresource, operation) =>
      places[groupResource] !== undefined && subresource === '' && operation === 'CREATE',
    handles: () => true,
    validate(admission) {
      const { object, resource, namespace } = admission;
      const spec = (object as unknown as DynamicResourceClaim | ResourceClaimTemplate).spec;
      const { devices } = 'spec' in spec ? spec.spec : (spec as DynamicResourceClaim['spec']);
      const asking = (devices?.requests ?? []).flatMap(({ exactly }, at) =>
        exactly?.adminAccess === true ? [at] : [],
      );
      if (asking.length === 0) return;
      const home = store.latest(namespaces.key('', namespace))?.object() as Namespace | undefined;
      if (home?.metadata.labels?.[label] === 'true') return;
      throw invalid(
        resource.kind,
        nameFor(admission),
        asking.map((at) => ({
          reason: 'FieldValueForbidden',
          message: `Forbidden: ${why}`,
          field: `${places[resource.groupResource]}[${at}].exactly.adminAccess`,
        })),
      );
    },
  };
}
