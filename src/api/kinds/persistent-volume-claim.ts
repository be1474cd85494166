/**
 * Claims: what a pod wants of storage. A controller binds each to a volume.
 * Source: Kubernetes 1.36, pkg/apis/core, as behaviour.
 */
import { sameJson } from '../../lib/index.ts';
import type { Draft } from '../object.ts';
import { compareQuantities } from '../quantity.ts';
import type {
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
  PersistentVolumeClaimStatus,
} from '../types/core.v1.ts';
import { qualifiedName } from '../validation/names.ts';
import { forbiddenField, immutableWhy, notSupported, type Problems, wrong } from '../validation/problems.ts';
import { validateAmounts, validateResourceName } from '../validation/resources.ts';
import { ageColumn, column, nameColumn, wideColumn } from './cells.ts';
import { defineKind, statusSubresource } from './define.ts';
import { changedFields } from './field-changes.ts';
import {
  accessModesCell,
  applyClaimDefaults,
  settleDataSources,
  storageClassAnnotation,
  validateClaimSpec,
} from './persistent-volume-claim-spec.ts';

const unset = '<unset>';

const resizeStatuses = [
  'ControllerResizeInProgress',
  'ControllerResizeInfeasible',
  'NodeResizePending',
  'NodeResizeInProgress',
  'NodeResizeInfeasible',
].sort();

export const persistentVolumeClaim = defineKind<PersistentVolumeClaim>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolumeClaim',
  resource: 'persistentvolumeclaims',
  message: 'core.v1.PersistentVolumeClaim',
  description: 'PersistentVolumeClaim asks for storage and is bound to a volume that gives it.',
  returnsDeleted: true,
  shortNames: ['pvc'],
  subresources: [statusSubresource],
  hasStatus: true,
  columns: [
    nameColumn,
    column<PersistentVolumeClaim>('Status', 'Whether it is bound.', ({ metadata, status }) =>
      metadata.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating',
    ),
    column<PersistentVolumeClaim>('Volume', 'What it is bound to.', ({ spec }) => spec?.volumeName ?? ''),
    column<PersistentVolumeClaim>('Capacity', 'How much the volume holds.', ({ spec, status }) =>
      spec?.volumeName ? (status?.capacity?.['storage'] ?? '0') : '',
    ),
    column<PersistentVolumeClaim>('Access Modes', 'How the volume may be mounted.', ({ spec, status }) =>
      spec?.volumeName ? accessModesCell(status?.accessModes) : '',
    ),
    column<PersistentVolumeClaim>(
      'StorageClass',
      'The class of storage.',
      ({ metadata, spec }) => metadata.annotations?.[storageClassAnnotation] ?? spec?.storageClassName ?? '',
    ),
    column<PersistentVolumeClaim>(
      'VolumeAttributesClass',
      'The class of attributes of the volume.',
      ({ spec }) => spec?.volumeAttributesClassName ?? unset,
    ),
    ageColumn,
    wideColumn<PersistentVolumeClaim>(
      'VolumeMode',
      'Whether it is a file system or a device.',
      ({ spec }) => spec?.volumeMode ?? unset,
    ),
  ],
  applyDefaults: applyClaimDefaults,
  prepareCreate(object) {
    object.status = { phase: 'Pending' };
    if (object.spec !== undefined) settleDataSources(object.spec);
  },
  prepareUpdate({ spec }) {
    if (spec !== undefined) settleDataSources(spec);
  },
  validate({ spec }) {
    const problems: Problems = [];
    validateClaimSpec(problems, 'spec', spec ?? {});
    return problems;
  },
  validateUpdate(object, old) {
    const problems: Problems = [];
    validateSameSpec(problems, object, old);
    validateSize(problems, object, old);
    if (object.spec?.volumeMode !== old.spec?.volumeMode)
      problems.push(wrong('volumeMode', object.spec?.volumeMode, immutableWhy));
    const [name, before] = [object.spec?.volumeAttributesClassName, old.spec?.volumeAttributesClassName];
    if (before !== undefined && before !== name) {
      if (name === undefined)
        problems.push(
          forbiddenField('spec.volumeAttributesClassName', 'update from non-nil value to nil is forbidden'),
        );
      else if (name === '' && before !== '')
        problems.push(
          forbiddenField(
            'spec.volumeAttributesClassName',
            'update from non-nil value to an empty string is forbidden',
          ),
        );
    }
    return problems;
  },
  validateStatusUpdate({ status = {} }) {
    const problems: Problems = [];
    validateStatus(problems, status);
    return problems;
  },
});

/** What may change is put back: once what it is bound to; its class while it has none; when bound, its size and class of attributes. */
function validateSameSpec(
  problems: Problems,
  object: PersistentVolumeClaim,
  { spec: old = {}, metadata: oldMeta }: PersistentVolumeClaim,
): void {
  const spec: Draft<PersistentVolumeClaimSpec> = { ...(object.spec as Draft<PersistentVolumeClaimSpec>) };
  const keep = (name: keyof PersistentVolumeClaimSpec): void => {
    if (old[name] === undefined) delete spec[name];
    else Object.assign(spec, { [name]: old[name] });
  };
  if (!old.volumeName) keep('volumeName');
  const [className, oldClassName] = [
    object.metadata.annotations?.[storageClassAnnotation],
    oldMeta.annotations?.[storageClassAnnotation],
  ];
  const movesToField = old.storageClassName === undefined && oldClassName === spec.storageClassName;
  const givenLater = old.storageClassName === undefined && oldClassName === undefined;
  if (movesToField || givenLater) keep('storageClassName');
  else if ((className ?? '') !== (oldClassName ?? ''))
    problems.push(wrong(`metadata.annotations[${storageClassAnnotation}]`, className ?? '', immutableWhy));
  if (object.status?.phase === 'Bound') {
    if (spec.resources?.requests !== undefined) {
      const before = old.resources?.requests?.['storage'];
      spec.resources = { ...spec.resources, requests: { ...spec.resources.requests } };
      if (before !== undefined) Object.assign(spec.resources.requests ?? {}, { storage: before });
    }
    if (spec.volumeAttributesClassName !== undefined) keep('volumeAttributesClassName');
  }
  if (sameJson(spec, old)) return;
  const lines = changedFields(spec, old).map((line) => `\t${line}`);
  problems.push(
    forbiddenField(
      'spec',
      `spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n${lines.join('\n')}`,
    ),
  );
}

/** It grows; it shrinks at most to what could not be grown. */
function validateSize(problems: Problems, object: PersistentVolumeClaim, old: PersistentVolumeClaim): void {
  const size = object.spec?.resources?.requests?.['storage'] ?? '0';
  const before = old.spec?.resources?.requests?.['storage'] ?? '0';
  const actual = old.status?.capacity?.['storage'] ?? '0';
  if (compareQuantities(size, before) < 0 && compareQuantities(size, actual) <= 0)
    problems.push(
      forbiddenField('spec.resources.requests.storage', 'field can not be less than status.capacity'),
    );
}

function validateStatus(problems: Problems, status: PersistentVolumeClaimStatus): void {
  const at = 'status.capacity';
  for (const [name, amount] of Object.entries(status.capacity ?? {}))
    if (amount.startsWith('-'))
      problems.push(wrong(`${at}[${name}]`, amount, 'must be a valid resource quantity'));
  for (const [name, state] of Object.entries(status.allocatedResourceStatuses ?? {})) {
    const field = `status.allocatedResourceStatuses[${name}]`;
    for (const why of qualifiedName(name)) problems.push(wrong(field, name, why));
    if (!resizeStatuses.includes(state)) problems.push(notSupported(field, state, resizeStatuses));
  }
  validateAmounts(problems, 'status.allocatedResources', status.allocatedResources ?? {}, (_, field, name) =>
    validateResourceName(problems, field, name),
  );
}
