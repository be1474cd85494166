/**
 * Stateful sets: pods with names and volumes of their own, made and ended in order.
 * Source: Kubernetes 1.36, pkg/apis/apps, as behaviour.
 */
import { sameJson } from '../../lib/index.ts';
import type { Draft } from '../object.ts';
import type { StatefulSet, StatefulSetSpec, StatefulSetUpdateStrategy } from '../types/apps.v1.ts';
import type { PodTemplateSpec } from '../types/core.v1.ts';
import { labelName } from '../validation/names.ts';
import {
  forbiddenField,
  notNegative,
  notSupported,
  type Problems,
  required,
  wrong,
} from '../validation/problems.ts';
import { shareNumber, validateAtMostAll, validateShare } from '../validation/shares.ts';
import { ageColumn, column, nameColumn, wideColumn } from './cells.ts';
import { defineKind, replicasScale, scaleSubresource, statusSubresource } from './define.ts';
import { applyClaimDefaults, validateClaimSpec } from './persistent-volume-claim-spec.ts';
import { applyPodSpecDefaults } from './pod-spec/defaults.ts';
import {
  containerNamesCell,
  imagesCell,
  validateCollisions,
  validateCounts,
  validateSelectorAndTemplate,
} from './workload.ts';

const retentions = ['Delete', 'Retain'];

/** Of the spec; all else of it stays as it was made. */
const changeable = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
] as const;

export const statefulSet = defineKind<StatefulSet>({
  group: 'apps',
  version: 'v1',
  kind: 'StatefulSet',
  resource: 'statefulsets',
  message: 'apps.v1.StatefulSet',
  description: 'StatefulSet keeps pods that have lasting names and volumes of their own.',
  shortNames: ['sts'],
  categories: ['all'],
  subresources: [scaleSubresource, statusSubresource],
  hasStatus: true,
  hasGeneration: true,
  scale: replicasScale,
  columns: [
    nameColumn,
    column<StatefulSet>(
      'Ready',
      'How many of its pods are ready, of how many.',
      ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`,
    ),
    ageColumn,
    wideColumn<StatefulSet>('Containers', 'The names of the containers.', ({ spec }) =>
      containerNamesCell(spec?.template),
    ),
    wideColumn<StatefulSet>('Images', 'The images of the containers.', ({ spec }) =>
      imagesCell(spec?.template),
    ),
  ],
  validateName: labelName,
  applyDefaults({ spec }) {
    if (spec !== undefined) applySpecDefaults(spec);
  },
  prepareCreate(object) {
    object.status = { replicas: 0, availableReplicas: 0 };
  },
  validate({ spec }) {
    const problems: Problems = [];
    validateSpec(problems, spec ?? ({} as StatefulSetSpec));
    return problems;
  },
  validateCreate({ spec }) {
    const name = spec?.serviceName ?? '';
    return name === '' ? [] : labelName(name).map((why) => wrong('spec.serviceName', name, why));
  },
  validateUpdate({ spec }, old) {
    const kept = { ...spec, ...Object.fromEntries(changeable.map((name) => [name, old.spec?.[name]])) };
    return sameJson(kept, old.spec ?? {})
      ? []
      : [
          forbiddenField(
            'spec',
            "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
          ),
        ];
  },
  validateStatusUpdate({ status = { replicas: 0 } }, old) {
    const problems: Problems = [];
    const why = 'cannot be greater than status.replicas';
    validateCounts(
      problems,
      status,
      [
        'replicas',
        'readyReplicas',
        'currentReplicas',
        'updatedReplicas',
        'availableReplicas',
        'observedGeneration',
        'collisionCount',
      ],
      [
        { part: 'readyReplicas', whole: 'replicas', why },
        { part: 'currentReplicas', whole: 'replicas', why },
        { part: 'updatedReplicas', whole: 'replicas', why },
        { part: 'availableReplicas', whole: 'replicas', why },
        {
          part: 'availableReplicas',
          whole: 'readyReplicas',
          why: 'cannot be greater than status.readyReplicas',
        },
      ],
    );
    validateCollisions(problems, status, old.status);
    return problems;
  },
});

function applySpecDefaults(spec: Draft<StatefulSetSpec>): void {
  spec.replicas ??= 1;
  spec.podManagementPolicy ||= 'OrderedReady';
  spec.revisionHistoryLimit ??= 10;
  spec.updateStrategy ??= {};
  spec.updateStrategy.type ||= 'RollingUpdate';
  if (spec.updateStrategy.type === 'RollingUpdate') {
    spec.updateStrategy.rollingUpdate ??= {};
    spec.updateStrategy.rollingUpdate.partition ??= 0;
    spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1;
  }
  spec.persistentVolumeClaimRetentionPolicy ??= {};
  spec.persistentVolumeClaimRetentionPolicy.whenDeleted ||= 'Retain';
  spec.persistentVolumeClaimRetentionPolicy.whenScaled ||= 'Retain';
  if (spec.template?.spec !== undefined) applyPodSpecDefaults(spec.template.spec);
  for (const claim of spec.volumeClaimTemplates ?? []) {
    // Named in full, as if each stood alone.
    claim.apiVersion = 'v1';
    claim.kind = 'PersistentVolumeClaim';
    applyClaimDefaults(claim);
  }
}

function validateSpec(problems: Problems, spec: StatefulSetSpec): void {
  const policy = spec.podManagementPolicy ?? '';
  if (policy === '') problems.push(required('spec.podManagementPolicy'));
  else if (policy !== 'OrderedReady' && policy !== 'Parallel')
    problems.push(wrong('spec.podManagementPolicy', policy, "must be 'OrderedReady' or 'Parallel'"));
  validateStrategy(problems, 'spec.updateStrategy', spec.updateStrategy ?? {});
  for (const name of ['whenDeleted', 'whenScaled'] as const) {
    const retention = spec.persistentVolumeClaimRetentionPolicy?.[name];
    if (retention !== undefined && !retentions.includes(retention))
      problems.push(notSupported(`spec.persistentVolumeClaimRetentionPolicy.${name}`, retention, retentions));
  }
  notNegative(problems, 'spec.replicas', spec.replicas);
  notNegative(problems, 'spec.minReadySeconds', spec.minReadySeconds);
  notNegative(problems, 'spec.ordinals.start', spec.ordinals?.start);
  validateSelectorAndTemplate(
    problems,
    { ...spec, template: withClaims(spec) },
    { selectorOf: 'statefulset', templateOf: 'StatefulSet' },
  );
  spec.volumeClaimTemplates?.forEach((claim, index) => {
    validateClaimSpec(problems, `spec.volumeClaimTemplates[${index}].spec`, claim.spec ?? {});
  });
}

/** The template as pods will have it: each claim is a volume that containers may mount, before one of the template's own of that name. */
function withClaims({ template, volumeClaimTemplates = [] }: StatefulSetSpec): PodTemplateSpec {
  const volumes = template?.spec?.volumes ?? [];
  const claimed = volumeClaimTemplates.flatMap(({ metadata }) => {
    const name = metadata?.name ?? '';
    return name === '' || volumes.some((volume) => volume.name === name)
      ? []
      : [{ name, persistentVolumeClaim: { claimName: name } }];
  });
  if (claimed.length === 0 || template?.spec === undefined) return template;
  return { ...template, spec: { ...template.spec, volumes: [...volumes, ...claimed] } };
}

function validateStrategy(problems: Problems, field: string, strategy: StatefulSetUpdateStrategy): void {
  const { type = '', rollingUpdate } = strategy;
  const at = `${field}.rollingUpdate`;
  if (type === '') problems.push(required(field));
  else if (type === 'OnDelete') {
    if (rollingUpdate !== undefined)
      problems.push(wrong(at, rollingUpdate, "only allowed for updateStrategy 'RollingUpdate'"));
  } else if (type !== 'RollingUpdate')
    problems.push(wrong(field, strategy, "must be 'RollingUpdate' or 'OnDelete'"));
  else if (rollingUpdate !== undefined) {
    const { partition, maxUnavailable } = rollingUpdate;
    notNegative(problems, `${at}.partition`, partition);
    if (maxUnavailable === undefined) return;
    validateShare(problems, `${at}.maxUnavailable`, maxUnavailable);
    if (shareNumber(maxUnavailable) === 0)
      problems.push(wrong(`${at}.maxUnavailable`, maxUnavailable, 'cannot be 0'));
    validateAtMostAll(problems, `${at}.maxUnavailable`, maxUnavailable);
  }
}
