/**
 * Daemon sets: one pod on each node that fits.
 * Source: Kubernetes 1.36, pkg/apis/apps, as behaviour.
 */
import { sameJson } from '../../lib/index.ts';
import type { Draft } from '../object.ts';
import type { DaemonSet, DaemonSetSpec, DaemonSetStatus, DaemonSetUpdateStrategy } from '../types/apps.v1.ts';
import { notNegative, notSupported, type Problems, required, wrong } from '../validation/problems.ts';
import { shareNumber, validateAtMostAll, validateShare } from '../validation/shares.ts';
import { ageColumn, column, labelsCell, nameColumn } from './cells.ts';
import { defineKind, statusSubresource } from './define.ts';
import { applyPodSpecDefaults } from './pod-spec/defaults.ts';
import {
  templateColumns,
  validateCollisions,
  validateCounts,
  validateSameSelector,
  validateSelectorAndTemplate,
} from './workload.ts';

/** How often the template was changed: an older form of the API counted it, and older tools read it. */
const templateGeneration = 'deprecated.daemonset.template.generation';

const emptyStatus: DaemonSetStatus = {
  currentNumberScheduled: 0,
  numberMisscheduled: 0,
  desiredNumberScheduled: 0,
  numberReady: 0,
};

type CountName = 'currentNumberScheduled' | 'desiredNumberScheduled' | 'numberReady' | 'numberMisscheduled';

const countColumn = (name: string, description: string, count: CountName) =>
  column<DaemonSet>(name, description, ({ status }) => status?.[count] ?? 0, 'integer');

export const daemonSet = defineKind<DaemonSet>({
  group: 'apps',
  version: 'v1',
  kind: 'DaemonSet',
  resource: 'daemonsets',
  message: 'apps.v1.DaemonSet',
  description: 'DaemonSet keeps one pod on each node that fits.',
  shortNames: ['ds'],
  categories: ['all'],
  subresources: [statusSubresource],
  hasStatus: true,
  hasGeneration: true,
  columns: [
    nameColumn,
    countColumn('Desired', 'How many nodes shall have its pod.', 'desiredNumberScheduled'),
    countColumn('Current', 'How many nodes that shall have its pod have it.', 'currentNumberScheduled'),
    countColumn('Ready', 'How many of its pods are ready.', 'numberReady'),
    column<DaemonSet>(
      'Up-to-date',
      'How many of its pods have the template of now.',
      ({ status }) => status?.updatedNumberScheduled ?? 0,
      'integer',
    ),
    column<DaemonSet>(
      'Available',
      'How many of its pods have been ready for long enough.',
      ({ status }) => status?.numberAvailable ?? 0,
      'integer',
    ),
    column<DaemonSet>('Node Selector', 'Which nodes fit.', ({ spec }) =>
      labelsCell(spec?.template?.spec?.nodeSelector),
    ),
    ageColumn,
    ...templateColumns,
  ],
  applyDefaults({ spec }) {
    if (spec !== undefined) applySpecDefaults(spec);
  },
  prepareCreate(object) {
    object.status = { ...(emptyStatus as Draft<DaemonSetStatus>) };
    setTemplateGeneration(object, 1);
  },
  prepareUpdate(object, old) {
    const before = Number(old.metadata.annotations?.[templateGeneration] ?? 1);
    const isSame = sameJson(object.spec?.template, old.spec?.template);
    setTemplateGeneration(object, isSame ? before : before + 1);
  },
  validate({ spec }) {
    const problems: Problems = [];
    validateSpec(problems, spec ?? ({} as DaemonSetSpec));
    return problems;
  },
  validateUpdate(object, old) {
    const problems: Problems = [];
    validateSameSelector(problems, object, old);
    return problems;
  },
  validateStatusUpdate({ status = emptyStatus }, old) {
    const problems: Problems = [];
    validateCounts(
      problems,
      status,
      [
        'currentNumberScheduled',
        'numberMisscheduled',
        'desiredNumberScheduled',
        'numberReady',
        'observedGeneration',
        'updatedNumberScheduled',
        'numberAvailable',
        'numberUnavailable',
        'collisionCount',
      ],
      [],
    );
    validateCollisions(problems, status, old.status);
    return problems;
  },
});

function setTemplateGeneration({ metadata }: Draft<DaemonSet>, generation: number): void {
  metadata.annotations ??= {};
  metadata.annotations[templateGeneration] = String(generation);
}

function applySpecDefaults(spec: Draft<DaemonSetSpec>): void {
  spec.updateStrategy ??= {};
  spec.updateStrategy.type ||= 'RollingUpdate';
  if (spec.updateStrategy.type === 'RollingUpdate') {
    spec.updateStrategy.rollingUpdate ??= {};
    spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1;
    spec.updateStrategy.rollingUpdate.maxSurge ??= 0;
  }
  spec.revisionHistoryLimit ??= 10;
  if (spec.template?.spec !== undefined) applyPodSpecDefaults(spec.template.spec);
}

function validateSpec(problems: Problems, spec: DaemonSetSpec): void {
  validateSelectorAndTemplate(problems, spec, { selectorOf: 'daemonset', templateOf: 'DaemonSet' });
  notNegative(problems, 'spec.minReadySeconds', spec.minReadySeconds);
  validateStrategy(problems, 'spec.updateStrategy', spec.updateStrategy ?? {});
  notNegative(problems, 'spec.revisionHistoryLimit', spec.revisionHistoryLimit);
}

function validateStrategy(problems: Problems, field: string, strategy: DaemonSetUpdateStrategy): void {
  const { type, rollingUpdate } = strategy;
  if (type === 'OnDelete') return;
  if (type !== 'RollingUpdate') {
    problems.push(notSupported(field, strategy, ['RollingUpdate', 'OnDelete']));
    return;
  }
  const at = `${field}.rollingUpdate`;
  if (rollingUpdate === undefined) {
    problems.push(required(at));
    return;
  }
  const { maxUnavailable = 0, maxSurge = 0 } = rollingUpdate;
  for (const [name, share] of [
    ['maxUnavailable', maxUnavailable],
    ['maxSurge', maxSurge],
  ] as const) {
    validateShare(problems, `${at}.${name}`, share);
    validateAtMostAll(problems, `${at}.${name}`, share);
  }
  const [unavailable, surge] = [shareNumber(maxUnavailable), shareNumber(maxSurge)];
  if (unavailable !== 0 && surge !== 0)
    problems.push(wrong(`${at}.maxSurge`, maxSurge, 'may not be set when maxUnavailable is non-zero'));
  else if (unavailable === 0 && surge === 0)
    problems.push(required(`${at}.maxUnavailable`, 'cannot be 0 when maxSurge is 0'));
}
