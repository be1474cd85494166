/** Replica sets: a number of pods of one template. */
import type { ReplicaSet } from '../types/apps.v1.ts';
import { notNegative, type Problems } from '../validation/problems.ts';
import { ageColumn, column, nameColumn } from './cells.ts';
import { defineKind, replicasScale, scaleSubresource, statusSubresource } from './define.ts';
import { applyPodSpecDefaults } from './pod-spec/defaults.ts';
import {
  templateColumns,
  validateCounts,
  validateSameSelector,
  validateSelectorAndTemplate,
} from './workload.ts';

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
  statusIsApart: true,
  hasGeneration: true,
  scale: replicasScale,
  columns: [
    nameColumn,
    column<ReplicaSet>(
      'Desired',
      'How many pods there shall be.',
      ({ spec }) => spec?.replicas ?? 0,
      'integer',
    ),
    column<ReplicaSet>(
      'Current',
      'How many pods there are.',
      ({ status }) => status?.replicas ?? 0,
      'integer',
    ),
    column<ReplicaSet>(
      'Ready',
      'How many of its pods are ready.',
      ({ status }) => status?.readyReplicas ?? 0,
      'integer',
    ),
    ageColumn,
    ...templateColumns,
  ],
  selectableFields: { 'status.replicas': ({ status }) => String(status?.replicas ?? 0) },
  applyDefaults({ spec }) {
    if (spec === undefined) return;
    spec.replicas ??= 1;
    if (spec.template?.spec !== undefined) applyPodSpecDefaults(spec.template.spec);
  },
  prepareCreate(object) {
    object.status = { replicas: 0 };
  },
  validate({ spec }) {
    const problems: Problems = [];
    notNegative(problems, 'spec.replicas', spec?.replicas);
    notNegative(problems, 'spec.minReadySeconds', spec?.minReadySeconds);
    validateSelectorAndTemplate(problems, spec ?? {});
    return problems;
  },
  validateUpdate(object, old) {
    const problems: Problems = [];
    validateSameSelector(problems, object, old);
    return problems;
  },
  validateStatusUpdate({ status = { replicas: 0 } }) {
    const problems: Problems = [];
    const why = 'cannot be greater than status.replicas';
    validateCounts(
      problems,
      status,
      [
        'replicas',
        'fullyLabeledReplicas',
        'readyReplicas',
        'availableReplicas',
        'terminatingReplicas',
        'observedGeneration',
      ],
      [
        { part: 'fullyLabeledReplicas', whole: 'replicas', why },
        { part: 'readyReplicas', whole: 'replicas', why },
        { part: 'availableReplicas', whole: 'replicas', why },
        { part: 'availableReplicas', whole: 'readyReplicas', why: 'cannot be greater than readyReplicas' },
      ],
    );
    return problems;
  },
});
