/**
 * Claims of devices, and templates that claims of pods are made from. A claim never asks for something else than at first.
 * Source: Kubernetes 1.36, pkg/apis/resource, as behaviour.
 */
import { sameJson } from '../../lib/index.ts';
import type { ResourceClaim, ResourceClaimTemplate } from '../types/resource.v1.ts';
import { validateAnnotations, validateLabels } from '../validation/object-meta.ts';
import { immutableWhy, type Problems, wrong } from '../validation/problems.ts';
import { ageColumn, column, nameColumn } from './cells.ts';
import { defineKind, statusSubresource } from './define.ts';
import { applyClaimDefaults, validateClaim } from './device-spec/claim.ts';
import { validateClaimStatus } from './device-spec/status.ts';

function stateCell({ metadata, status }: ResourceClaim): string {
  const isGoing = metadata.deletionTimestamp !== undefined;
  const states = isGoing ? ['deleted'] : [];
  if (status?.allocation === undefined) return isGoing ? 'deleted' : 'pending';
  states.push('allocated');
  if ((status.reservedFor?.length ?? 0) > 0) states.push('reserved');
  return states.join(',');
}

export const resourceClaim = defineKind<ResourceClaim>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceClaim',
  resource: 'resourceclaims',
  message: 'resource.v1.ResourceClaim',
  description: 'ResourceClaim asks for devices, and says which ones it got and who has them.',
  returnsDeleted: true,
  subresources: [statusSubresource],
  hasStatus: true,
  columns: [nameColumn, column<ResourceClaim>('State', 'How far it has come.', stateCell), ageColumn],
  applyDefaults({ spec }) {
    applyClaimDefaults(spec?.devices);
  },
  prepareCreate(object) {
    object.status = {};
  },
  validateCreate({ spec }) {
    const problems: Problems = [];
    validateClaim(problems, 'spec.devices', spec?.devices);
    return problems;
  },
  validateUpdate({ spec }, old) {
    return sameJson(spec, old.spec) ? [] : [wrong('spec', spec, immutableWhy)];
  },
  validateStatusUpdate(object, old) {
    const problems: Problems = [];
    validateClaimStatus(problems, object, old);
    return problems;
  },
});

export const resourceClaimTemplate = defineKind<ResourceClaimTemplate>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceClaimTemplate',
  resource: 'resourceclaimtemplates',
  message: 'resource.v1.ResourceClaimTemplate',
  description: 'ResourceClaimTemplate is what claims of pods are made from.',
  returnsDeleted: true,
  applyDefaults({ spec }) {
    applyClaimDefaults(spec?.spec?.devices);
  },
  validateCreate({ spec }) {
    const problems: Problems = [];
    const { labels = {}, annotations = {} } = spec?.metadata ?? {};
    validateLabels(problems, 'spec.metadata.labels', labels);
    validateAnnotations(problems, 'spec.metadata.annotations', annotations);
    validateClaim(problems, 'spec.spec.devices', spec?.spec?.devices);
    return problems;
  },
  validateUpdate({ spec }, old) {
    return sameJson(spec, old.spec) ? [] : [wrong('spec', spec, immutableWhy)];
  },
});
