/**
 * What a claim for storage may say, alone and in the templates of a StatefulSet or of an ephemeral volume.
 * Source: Kubernetes 1.36, pkg/apis/core/validation, as behaviour.
 */

import { sameJson } from '../../lib/index.ts';
import type { Draft } from '../object.ts';
import type {
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
  TypedObjectReference,
} from '../types/core.v1.ts';
import { validateLabelSelector } from '../validation/label-selectors.ts';
import { labelName, subdomainName } from '../validation/names.ts';
import { forbiddenField, oneOf, type Problems, required, wrong } from '../validation/problems.ts';
import { validateAmount, validatePositiveAmount } from '../validation/resources.ts';

export const accessModes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];
export const volumeModes = ['Block', 'Filesystem'];
export const storageClassAnnotation = 'volume.beta.kubernetes.io/storage-class';

export function applyClaimDefaults(claim: Draft<PersistentVolumeClaim>): void {
  claim.spec ??= {};
  claim.spec.volumeMode ||= 'Filesystem';
  claim.status ??= {};
  claim.status.phase ||= 'Pending';
}

/** Where the content comes from is said in two ways, an old and a new: who says it in one says it in both. */
export function settleDataSources(spec: Draft<PersistentVolumeClaimSpec>): void {
  const { dataSource, dataSourceRef } = spec;
  if (dataSource !== undefined && dataSourceRef === undefined) spec.dataSourceRef = { ...dataSource };
  else if (dataSource === undefined && dataSourceRef !== undefined && !dataSourceRef.namespace) {
    const { apiGroup, kind, name } = dataSourceRef;
    spec.dataSource = { ...(apiGroup === undefined ? {} : { apiGroup }), kind, name };
  }
}

export function validateClaimSpec(problems: Problems, field: string, spec: PersistentVolumeClaimSpec): void {
  if ((spec.accessModes?.length ?? 0) === 0)
    problems.push(required(`${field}.accessModes`, 'at least 1 access mode is required'));
  validateLabelSelector(problems, `${field}.selector`, spec.selector);
  validateAccessModes(problems, `${field}.accessModes`, spec.accessModes ?? []);
  const storage = spec.resources?.requests?.['storage'];
  const at = `${field}.resources[storage]`;
  if (storage === undefined) problems.push(required(at));
  else {
    validateAmount(problems, at, 'storage', storage);
    validatePositiveAmount(problems, at, storage);
  }
  validateClassName(problems, `${field}.storageClassName`, spec.storageClassName);
  oneOf(problems, `${field}.volumeMode`, spec.volumeMode, volumeModes);
  validateDataSources(problems, field, spec);
  validateClassName(problems, `${field}.volumeAttributesClassName`, spec.volumeAttributesClassName);
}

export function validateAccessModes(problems: Problems, field: string, modes: readonly string[]): void {
  for (const mode of modes) oneOf(problems, field, mode, accessModes, true);
  if (modes.includes('ReadWriteOncePod') && modes.some((mode) => mode !== 'ReadWriteOncePod'))
    problems.push(forbiddenField(field, 'may not use ReadWriteOncePod with other access modes'));
}

export function validateClassName(problems: Problems, field: string, name: string | undefined): void {
  if (name === undefined || name === '') return;
  for (const why of subdomainName(name)) problems.push(wrong(field, name, why));
}

function validateDataSources(problems: Problems, field: string, spec: PersistentVolumeClaimSpec): void {
  const { dataSource, dataSourceRef } = spec;
  if (dataSource !== undefined) validateDataSource(problems, `${field}.dataSource`, dataSource);
  if (dataSourceRef === undefined) return;
  const at = `${field}.dataSourceRef`;
  validateDataSource(problems, at, dataSourceRef);
  const { namespace = '', ...here } = dataSourceRef;
  if (namespace !== '') {
    for (const why of labelName(namespace)) problems.push(wrong(`${at}.namespace`, namespace, why));
    if (dataSource !== undefined)
      problems.push(
        wrong(field, `${field}.dataSource`, 'may not be specified when dataSourceRef.namespace is specified'),
      );
  } else if (dataSource !== undefined && !sameJson(dataSource, here))
    problems.push(wrong(field, `${field}.dataSource`, 'must match dataSourceRef'));
}

function validateDataSource(problems: Problems, field: string, source: TypedObjectReference): void {
  const { name, kind, apiGroup = '' } = source;
  if (name === '') problems.push(required(`${field}.name`));
  if (kind === '') problems.push(required(`${field}.kind`));
  if (apiGroup === '') {
    if (kind !== 'PersistentVolumeClaim')
      problems.push(
        wrong(field, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup"),
      );
  } else for (const why of subdomainName(apiGroup)) problems.push(wrong(`${field}.apiGroup`, apiGroup, why));
}

const shortModes: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
};

/** `RWO,ROX`. */
export function accessModesCell(modes: readonly string[] | undefined): string {
  return Object.entries(shortModes)
    .filter(([mode]) => modes?.includes(mode))
    .map(([, short]) => short)
    .join(',');
}
