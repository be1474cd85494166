/** Replication controllers: replica sets as they were at first, with a plain map of labels for a selector. */
import { hasLabels } from '../label-selector.ts';
import type { ReplicationController, ReplicationControllerSpec } from '../types/core.v1.ts';
import { notNegative, type Problems, required, wrong } from '../validation/problems.ts';
import { ageColumn, column, labelsCell, nameColumn, wideColumn } from './cells.ts';
import { defineKind, replicasScale, scaleSubresource, statusSubresource } from './define.ts';
import { applyPodSpecDefaults } from './pod-spec/defaults.ts';
import { validateLastingTemplate } from './pod-spec/validate.ts';
import { containerNamesCell, imagesCell, validateCounts } from './workload.ts';

export const replicationController = defineKind<ReplicationController>({
  group: '',
  version: 'v1',
  kind: 'ReplicationController',
  resource: 'replicationcontrollers',
  message: 'core.v1.ReplicationController',
  description:
    'ReplicationController keeps a number of pods of one template running. ReplicaSet supersedes it.',
  shortNames: ['rc'],
  categories: ['all'],
  subresources: [scaleSubresource, statusSubresource],
  hasStatus: true,
  hasGeneration: true,
  orphansByDefault: true,
  scale: replicasScale,
  columns: [
    nameColumn,
    column<ReplicationController>(
      'Desired',
      'How many pods there shall be.',
      ({ spec }) => spec?.replicas ?? 0,
      'integer',
    ),
    column<ReplicationController>(
      'Current',
      'How many pods there are.',
      ({ status }) => status?.replicas ?? 0,
      'integer',
    ),
    column<ReplicationController>(
      'Ready',
      'How many of its pods are ready.',
      ({ status }) => status?.readyReplicas ?? 0,
      'integer',
    ),
    ageColumn,
    wideColumn<ReplicationController>('Containers', 'The names of the containers.', ({ spec }) =>
      containerNamesCell(spec?.template),
    ),
    wideColumn<ReplicationController>('Images', 'The images of the containers.', ({ spec }) =>
      imagesCell(spec?.template),
    ),
    wideColumn<ReplicationController>('Selector', 'Which pods belong to it.', ({ spec }) =>
      labelsCell(spec?.selector),
    ),
  ],
  selectableFields: { 'status.replicas': ({ status }) => String(status?.replicas ?? 0) },
  applyDefaults(object) {
    const { spec, metadata } = object;
    if (spec === undefined) return;
    spec.replicas ??= 1;
    // Who says nothing of its own labels means those of the pods.
    const labels = spec.template?.metadata?.labels ?? {};
    if (Object.keys(labels).length > 0) {
      if (Object.keys(spec.selector ?? {}).length === 0) spec.selector = { ...labels };
      if (Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = { ...labels };
    }
    if (spec.template?.spec !== undefined) applyPodSpecDefaults(spec.template.spec);
  },
  prepareCreate(object) {
    object.status = { replicas: 0 };
  },
  validate({ spec }) {
    const problems: Problems = [];
    validateSpec(problems, spec ?? {});
    return problems;
  },
  validateStatusUpdate({ status = { replicas: 0 } }) {
    const problems: Problems = [];
    const why = 'cannot be greater than status.replicas';
    validateCounts(
      problems,
      status,
      ['replicas', 'fullyLabeledReplicas', 'readyReplicas', 'availableReplicas', 'observedGeneration'],
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

function validateSpec(problems: Problems, spec: ReplicationControllerSpec): void {
  const { selector = {}, template } = spec;
  notNegative(problems, 'spec.minReadySeconds', spec.minReadySeconds);
  if (Object.keys(selector).length === 0) problems.push(required('spec.selector'));
  notNegative(problems, 'spec.replicas', spec.replicas);
  if (template === undefined) {
    problems.push(required('spec.template'));
    return;
  }
  const labels = template.metadata?.labels;
  if (!hasLabels(labels, selector))
    problems.push(
      wrong('spec.template.metadata.labels', labels ?? null, '`selector` does not match template `labels`'),
    );
  validateLastingTemplate(problems, 'spec.template', template, 'ReplicationController');
}
