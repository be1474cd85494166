/** Replica sets: a number of pods of one template. */
import type { ReplicaSet } from '../types/apps.v1.ts';
import { defineKind, scaleSubresource, statusSubresource } from './define.ts';

export const replicaSet = defineKind<ReplicaSet>({
  group: 'apps',
  version: 'v1',
  kind: 'ReplicaSet',
  resource: 'replicasets',
  message: 'apps.v1.ReplicaSet',
  description: 'ReplicaSet keeps a number of pods of one template running.',
  shortNames: ['rs'],
  categories: ['all'],
  subresources: [scaleSubresource, statusSubresource],
  hasStatus: true,
  hasGeneration: true,
  scale: {
    specReplicas: ['spec', 'replicas'],
    statusReplicas: ['status', 'replicas'],
    selector: ['spec', 'selector'],
  },
  selectableFields: { 'status.replicas': ({ status }) => String(status?.replicas ?? 0) },
  prepareCreate(object) {
    object.status = { replicas: 0 };
  },
});
