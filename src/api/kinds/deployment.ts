/** Deployments: replicas of a pod, and the roll-out of their changes. */
import type { Deployment } from '../types/apps.v1.ts';
import { defineKind, scaleSubresource, statusSubresource } from './define.ts';

export const deployment = defineKind<Deployment>({
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  resource: 'deployments',
  message: 'apps.v1.Deployment',
  description: 'Deployment keeps replicas of a pod running and rolls out changes to them.',
  shortNames: ['deploy'],
  categories: ['all'],
  subresources: [scaleSubresource, statusSubresource],
  hasStatus: true,
  hasGeneration: true,
  scale: {
    specReplicas: ['spec', 'replicas'],
    statusReplicas: ['status', 'replicas'],
    selector: ['spec', 'selector'],
  },
  prepareCreate(object) {
    object.status = {};
  },
});
