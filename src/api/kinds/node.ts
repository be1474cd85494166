/** Nodes. A node writes its own status when it registers, so creating one keeps it. */
import type { Node } from '../types/core.v1.ts';
import { defineKind, statusSubresource } from './define.ts';

export const node = defineKind<Node>({
  group: '',
  version: 'v1',
  kind: 'Node',
  resource: 'nodes',
  message: 'core.v1.Node',
  description: 'Node is a machine that runs pods.',
  shortNames: ['no'],
  namespaced: false,
  subresources: [statusSubresource],
  hasStatus: true,
  selectableFields: { 'spec.unschedulable': ({ spec }) => String(spec?.unschedulable ?? false) },
  prepareCreate(object) {
    object.spec ??= {};
  },
  prepareUpdate(object) {
    object.spec ??= {};
  },
});
