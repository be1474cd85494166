/** Services: one name and one address in front of many pods. Addresses and node ports are assigned by the API server. */
import type { Service } from '../types/core.v1.ts';
import { dns1035Name } from '../validation/names.ts';
import { defineKind, statusSubresource } from './define.ts';

export const service = defineKind<Service>({
  group: '',
  version: 'v1',
  kind: 'Service',
  resource: 'services',
  message: 'core.v1.Service',
  description: 'Service is a lasting name and address for a changing set of pods.',
  shortNames: ['svc'],
  categories: ['all'],
  subresources: [statusSubresource],
  hasStatus: true,
  selectableFields: {
    'spec.clusterIP': ({ spec }) => spec?.clusterIP ?? '',
    'spec.type': ({ spec }) => spec?.type ?? '',
  },
  validateName: dns1035Name,
  prepareCreate(object) {
    object.status = { loadBalancer: {} };
  },
});
