/**
 * Device classes: which devices a claim gets that names the class, and how they are set up.
 * Source: Kubernetes 1.36, pkg/apis/resource, as behaviour.
 */
import type { DeviceClass } from '../types/resource.v1.ts';
import { qualifiedName } from '../validation/names.ts';
import { type Problems, wrong } from '../validation/problems.ts';
import { defineKind } from './define.ts';
import { claimListMax, validateSelectors } from './device-spec/claim.ts';
import { validateConfiguration, validateSet } from './device-spec/names.ts';

/** Of a domain that is not Kubernetes' own. */
const isExtendedResource = (name: string): boolean =>
  name.includes('/') &&
  !name.includes('kubernetes.io/') &&
  !name.startsWith('requests.') &&
  qualifiedName(`requests.${name}`).length === 0;

export const deviceClass = defineKind<DeviceClass>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'DeviceClass',
  resource: 'deviceclasses',
  message: 'resource.v1.DeviceClass',
  description: 'DeviceClass says which devices claims get that name it, and how they are set up.',
  returnsDeleted: true,
  namespaced: false,
  hasGeneration: true,
  validate({ spec }) {
    const problems: Problems = [];
    validateSelectors(problems, 'spec.selectors', spec?.selectors);
    validateSet(problems, 'spec.config', spec?.config, claimListMax, undefined, (at, { opaque }) => {
      validateConfiguration(problems, at, opaque);
    });
    const name = spec?.extendedResourceName;
    if (name !== undefined && !isExtendedResource(name))
      problems.push(wrong('spec.extendedResourceName', name, 'must be a valid extended resource name'));
    return problems;
  },
});
