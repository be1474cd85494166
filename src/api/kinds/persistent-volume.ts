/**
 * Volumes: pieces of storage that outlive pods, bound to claims.
 * Source: Kubernetes 1.36, pkg/apis/core, as behaviour.
 */
import { formatTime, sameJson } from '../../lib/index.ts';
import type { Draft } from '../object.ts';
import type {
  CSIPersistentVolumeSource,
  PersistentVolume,
  PersistentVolumeSpec,
  SecretReference,
} from '../types/core.v1.ts';
import { validateDriverName } from '../validation/domains.ts';
import {
  forbiddenField,
  immutableWhy,
  notSupported,
  oneOf,
  type Problems,
  required,
  wrong,
} from '../validation/problems.ts';
import { validatePositiveAmount } from '../validation/resources.ts';
import { ageColumn, column, nameColumn, wideColumn } from './cells.ts';
import { defineKind, statusSubresource } from './define.ts';
import { changedFields } from './field-changes.ts';
import {
  accessModesCell,
  storageClassAnnotation,
  validateAccessModes,
  validateClassName,
  volumeModes,
} from './persistent-volume-claim-spec.ts';
import { validateNoBacksteps } from './pod-spec/paths.ts';
import { validateNodeSelector } from './pod-spec/placement.ts';

const unset = '<unset>';
const reclaimPolicies = ['Delete', 'Recycle', 'Retain'];

/** All fields of the spec that are not the volume's source. */
const beside = new Set([
  'capacity',
  'accessModes',
  'claimRef',
  'persistentVolumeReclaimPolicy',
  'storageClassName',
  'mountOptions',
  'volumeMode',
  'nodeAffinity',
  'volumeAttributesClassName',
]);

export const persistentVolume = defineKind<PersistentVolume>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolume',
  resource: 'persistentvolumes',
  message: 'core.v1.PersistentVolume',
  description: 'PersistentVolume is a piece of storage that outlives the pods that use it.',
  returnsDeleted: true,
  shortNames: ['pv'],
  namespaced: false,
  subresources: [statusSubresource],
  hasStatus: true,
  columns: [
    nameColumn,
    column<PersistentVolume>(
      'Capacity',
      'How much it holds.',
      ({ spec }) => spec?.capacity?.['storage'] ?? '0',
    ),
    column<PersistentVolume>('Access Modes', 'How it may be mounted.', ({ spec }) =>
      accessModesCell(spec?.accessModes),
    ),
    column<PersistentVolume>(
      'Reclaim Policy',
      'What becomes of it when its claim goes.',
      ({ spec }) => spec?.persistentVolumeReclaimPolicy ?? '',
    ),
    column<PersistentVolume>('Status', 'Whether it is bound.', ({ metadata, status }) =>
      metadata.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating',
    ),
    column<PersistentVolume>('Claim', 'What it is bound to.', ({ spec }) =>
      spec?.claimRef === undefined ? '' : `${spec.claimRef.namespace ?? ''}/${spec.claimRef.name ?? ''}`,
    ),
    column<PersistentVolume>(
      'StorageClass',
      'The class of storage.',
      ({ metadata, spec }) => metadata.annotations?.[storageClassAnnotation] ?? spec?.storageClassName ?? '',
    ),
    column<PersistentVolume>(
      'VolumeAttributesClass',
      'The class of its attributes.',
      ({ spec }) => spec?.volumeAttributesClassName ?? unset,
    ),
    column<PersistentVolume>('Reason', 'Why it is as it is.', ({ status }) => status?.reason ?? ''),
    ageColumn,
    wideColumn<PersistentVolume>(
      'VolumeMode',
      'Whether it is a file system or a device.',
      ({ spec }) => spec?.volumeMode ?? unset,
    ),
  ],
  applyDefaults(object) {
    object.spec ??= {};
    object.spec.persistentVolumeReclaimPolicy ||= 'Retain';
    object.spec.volumeMode ||= 'Filesystem';
    if (object.spec.hostPath !== undefined) object.spec.hostPath.type ??= '';
    object.status ??= {};
    object.status.phase ||= 'Pending';
  },
  prepareCreate(object, { nowMs }) {
    object.status = { phase: 'Pending', lastPhaseTransitionTime: formatTime(nowMs) };
  },
  prepareStatusUpdate(object, old, { nowMs }) {
    const { status } = object;
    if (status === undefined || status.phase === old.status?.phase) return;
    const { lastPhaseTransitionTime: time } = status;
    if (time === undefined || time === old.status?.lastPhaseTransitionTime)
      status.lastPhaseTransitionTime = formatTime(nowMs);
  },
  validate({ spec }) {
    const problems: Problems = [];
    validateSpec(problems, spec ?? {});
    return problems;
  },
  validateUpdate(object, old) {
    const problems: Problems = [];
    validateUpdate(problems, object.spec ?? {}, old.spec ?? {});
    return problems;
  },
});

function sourceOf(spec: PersistentVolumeSpec): Draft<PersistentVolumeSpec> {
  return Object.fromEntries(Object.entries(spec).filter(([name]) => !beside.has(name)));
}

function validateSpec(problems: Problems, spec: PersistentVolumeSpec): void {
  const { capacity = {}, accessModes = [], nodeAffinity, hostPath, local } = spec;
  if (accessModes.length === 0) problems.push(required('spec.accessModes'));
  validateAccessModes(problems, 'spec.accessModes', accessModes);
  const names = Object.keys(capacity);
  if (names.length === 0) problems.push(required('spec.capacity'));
  if (capacity['storage'] === undefined || names.length > 1)
    problems.push(notSupported('spec.capacity', capacity, ['storage']));
  for (const name of names) {
    const amount = capacity[name] ?? '0';
    if (amount.startsWith('-'))
      problems.push(wrong(`spec.capacity[${name}]`, amount, 'must be a valid resource quantity'));
    validatePositiveAmount(problems, `spec.capacity[${name}]`, amount);
  }
  oneOf(problems, 'spec.persistentVolumeReclaimPolicy', spec.persistentVolumeReclaimPolicy, reclaimPolicies);
  if (nodeAffinity !== undefined) {
    if (nodeAffinity.required === undefined)
      problems.push(required('spec.nodeAffinity.required', 'must specify required node constraints'));
    else validateNodeSelector(problems, 'spec.nodeAffinity.required', nodeAffinity.required);
  }
  validateSource(problems, spec);
  if (hostPath !== undefined && isRoot(hostPath.path) && spec.persistentVolumeReclaimPolicy === 'Recycle')
    problems.push(
      forbiddenField(
        'spec.persistentVolumeReclaimPolicy',
        "may not be 'recycle' for a hostPath mount of '/'",
      ),
    );
  if (local !== undefined && nodeAffinity?.required === undefined)
    problems.push(required('spec.nodeAffinity', 'Local volume requires node affinity'));
  validateClassName(problems, 'spec.storageClassName', spec.storageClassName);
  oneOf(problems, 'spec.volumeMode', spec.volumeMode, volumeModes);
  validateAttributesClass(problems, spec);
}

const isRoot = (path: string): boolean => /^\/+(\.\/*)*$/.test(path);

function validateAttributesClass(problems: Problems, spec: PersistentVolumeSpec): void {
  const { volumeAttributesClassName: name } = spec;
  if (name === undefined) return;
  const at = 'spec.volumeAttributesClassName';
  if (name === '') problems.push(required(at, 'an empty string is disallowed'));
  else validateClassName(problems, at, name);
  if (spec.csi === undefined)
    problems.push(required('spec.csi', 'has to be specified when using volumeAttributesClassName'));
}

/** Exactly one. Those of storage systems that nobody here provides are let through: whoever shall mount them tells. */
function validateSource(problems: Problems, spec: PersistentVolumeSpec): void {
  const names = Object.entries(sourceOf(spec)).flatMap(([name, value]) =>
    value === undefined ? [] : [name],
  );
  if (names.length === 0) problems.push(required('spec', 'must specify a volume type'));
  for (const name of names.slice(1))
    problems.push(forbiddenField(`spec.${name}`, 'may not specify more than 1 volume type'));
  const { hostPath, nfs, local, csi } = spec;
  if (hostPath !== undefined) {
    if (hostPath.path === '') problems.push(required('spec.hostPath.path'));
    else validateNoBacksteps(problems, 'spec.hostPath.path', hostPath.path);
  }
  if (nfs !== undefined) {
    if (nfs.server === '') problems.push(required('spec.nfs.server'));
    if (nfs.path === '') problems.push(required('spec.nfs.path'));
    else if (!nfs.path.startsWith('/'))
      problems.push(wrong('spec.nfs.path', nfs.path, 'must be an absolute path'));
  }
  if (local !== undefined) {
    if (local.path === '') problems.push(required('spec.local.path'));
    else validateNoBacksteps(problems, 'spec.local.path', local.path);
  }
  if (csi !== undefined) validateDriver(problems, 'spec.csi', csi);
}

function validateDriver(problems: Problems, field: string, source: CSIPersistentVolumeSource): void {
  const { driver, volumeHandle } = source;
  validateDriverName(problems, `${field}.driver`, driver);
  if (volumeHandle === '') problems.push(required(`${field}.volumeHandle`));
  for (const name of [
    'controllerPublishSecretRef',
    'nodeStageSecretRef',
    'nodePublishSecretRef',
    'controllerExpandSecretRef',
    'nodeExpandSecretRef',
  ] as const)
    if (source[name] !== undefined) validateSecretReference(problems, `${field}.${name}`, source[name]);
}

function validateSecretReference(
  problems: Problems,
  field: string,
  { name = '', namespace = '' }: SecretReference,
): void {
  if (name === '') problems.push(required(`${field}.name`));
  if (namespace === '') problems.push(required(`${field}.namespace`));
}

function validateUpdate(problems: Problems, spec: PersistentVolumeSpec, old: PersistentVolumeSpec): void {
  const [source, before] = [sourceOf(spec), sourceOf(old)];
  // Secrets for growing it may be named later.
  for (const name of ['controllerExpandSecretRef', 'nodeExpandSecretRef'] as const)
    if (source.csi !== undefined && before.csi !== undefined && before.csi[name] === undefined) {
      source.csi = { ...source.csi };
      delete source.csi[name];
    }
  if (!sameJson(source, before)) {
    const lines = changedFields(source, before).map((line) => `\t${line}`);
    problems.push(
      forbiddenField(
        'spec.persistentvolumesource',
        `spec.persistentvolumesource is immutable after creation\n${lines.join('\n')}`,
      ),
    );
  }
  if (spec.volumeMode !== old.volumeMode) problems.push(wrong('volumeMode', spec.volumeMode, immutableWhy));
  if (old.nodeAffinity !== undefined && !sameJson(spec.nodeAffinity, old.nodeAffinity))
    problems.push(wrong('nodeAffinity', spec.nodeAffinity ?? null, immutableWhy));
  if (old.volumeAttributesClassName !== undefined && spec.volumeAttributesClassName === undefined)
    problems.push(
      forbiddenField('spec.volumeAttributesClassName', 'update from non-nil value to nil is forbidden'),
    );
}
