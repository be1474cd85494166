/** Service accounts: who a pod is. */
import type { ServiceAccount } from '../types/core.v1.ts';
import { defineKind } from './define.ts';

export const serviceAccount = defineKind<ServiceAccount>({
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  resource: 'serviceaccounts',
  message: 'core.v1.ServiceAccount',
  description: 'ServiceAccount is the identity of what runs in a pod.',
  returnsDeleted: true,
  shortNames: ['sa'],
  subresources: [
    {
      name: 'token',
      verbs: ['create'],
      kind: { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' },
    },
  ],
});
