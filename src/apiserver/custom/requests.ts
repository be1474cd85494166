/**
 * What clients may not ask of custom resources: forms that only kinds with tables have.
 * Source: Kubernetes' documentation of API concepts; the API server's wording.
 */
import { invalid, protobufMediaType } from '../../api/index.ts';
import { CaelumError } from '../../lib/index.ts';
import { mediaTypeOf, negotiate } from '../media.ts';
import type { Resource } from '../resource.ts';

const strategic = 'application/strategic-merge-patch+json';
const patches = 'application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml';
const bodies = 'application/json, application/yaml';

/** Throws `notAcceptable`, `unsupportedMediaType`. */
export function checkForms(
  verb: string,
  subresource: string,
  accept: string | undefined,
  contentType: string | undefined,
): void {
  // A Scale is a kind with a table.
  if (subresource === 'scale') return;
  const form = negotiate(accept);
  if (verb !== 'watch' && form.format === 'protobuf' && form.view === 'object')
    throw new CaelumError(
      'notAcceptable',
      `only the following media types are accepted: ${bodies}, application/json;as=Table;g=meta.k8s.io;v=v1, application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1`,
    );
  const mediaType = mediaTypeOf(contentType);
  if (verb === 'patch' ? mediaType === strategic : isWrite(verb) && mediaType === protobufMediaType)
    throw new CaelumError(
      'unsupportedMediaType',
      `the body of the request was in an unknown format - accepted media types include: ${verb === 'patch' ? patches : bodies}`,
    );
}

const isWrite = (verb: string): boolean => verb === 'create' || verb === 'update';

/** Of built-in kinds: those that are not replaced blindly, as custom resources are not. Source: AllowUnconditionalUpdate of each kind's strategy. */
const neverBlindly = new Set([
  'mutatingadmissionpolicies.admissionregistration.k8s.io',
  'mutatingadmissionpolicybindings.admissionregistration.k8s.io',
  'mutatingwebhookconfigurations.admissionregistration.k8s.io',
  'validatingadmissionpolicies.admissionregistration.k8s.io',
  'validatingadmissionpolicybindings.admissionregistration.k8s.io',
  'validatingwebhookconfigurations.admissionregistration.k8s.io',
  'customresourcedefinitions.apiextensions.k8s.io',
  'apiservices.apiregistration.k8s.io',
  'leases.coordination.k8s.io',
  'runtimeclasses.node.k8s.io',
  'poddisruptionbudgets.policy',
  'csidrivers.storage.k8s.io',
  'csinodes.storage.k8s.io',
  'csistoragecapacities.storage.k8s.io',
  'volumeattachments.storage.k8s.io',
]);

/** Whoever replaces an object of such a kind says which state of it. Throws `invalid`. */
export function checkBasis(
  { kind, groupResource }: Resource,
  name: string,
  resourceVersion: string | undefined,
): void {
  if (resourceVersion !== undefined && resourceVersion !== '' && resourceVersion !== '0') return;
  if (kind.custom === undefined && !neverBlindly.has(groupResource)) return;
  throw invalid(kind, name, [
    {
      reason: 'FieldValueInvalid',
      field: 'metadata.resourceVersion',
      message: 'Invalid value: 0x0: must be specified for an update',
    },
  ]);
}
