/**
 * Scheduling profiles: by which strategy pods are placed, by the name of their scheduler, the type of their workload, or as they ask (scheduler/strategies).
 * A kind of our own, there without a definition. A change is heeded from the next plan on.
 */
import { validateConditions } from '../validation/conditions.ts';
import type { Problems } from '../validation/problems.ts';
import { ageColumn, column, nameColumn, orNone, wideColumn } from './cells.ts';
import { defineKind, statusSubresource } from './define.ts';
import type { SchedulingProfile } from './scheduling-profile-spec/types.ts';
import { validateProfileSpec } from './scheduling-profile-spec/validate.ts';

export const defaultSchedulerName = 'default-scheduler';

export const schedulingProfile = defineKind<SchedulingProfile>({
  group: 'scheduling.caelum.dev',
  version: 'v1',
  kind: 'SchedulingProfile',
  resource: 'schedulingprofiles',
  message: 'dev.caelum.scheduling.v1.SchedulingProfile',
  description:
    'SchedulingProfile says by which strategy pods are placed: those of a scheduler name, of a type of workload, or those that ask for one.',
  namespaced: false,
  subresources: [statusSubresource],
  hasStatus: true,
  hasGeneration: true,
  columns: [
    nameColumn,
    column<SchedulingProfile>('Scheduler', 'Whose pods it is for.', ({ spec }) =>
      orNone(spec?.schedulerName),
    ),
    column<SchedulingProfile>('Strategy', 'How they are placed.', ({ spec }) => spec?.strategy ?? 'Default'),
    column<SchedulingProfile>(
      'Ready',
      'Whether it is heeded as it says.',
      ({ status }) => status?.conditions?.find(({ type }) => type === 'Ready')?.status ?? 'Unknown',
    ),
    wideColumn<SchedulingProfile>('Workloads', 'Strategies by the type of workload.', ({ spec }) =>
      orNone((spec?.workloads ?? []).map(({ type, strategy }) => `${type}: ${strategy}`).join(', ')),
    ),
    wideColumn<SchedulingProfile>('Message', 'What is wrong with it.', ({ status }) =>
      orNone(status?.conditions?.find(({ status: is }) => is === 'False')?.message),
    ),
    ageColumn,
  ],
  applyDefaults({ spec }) {
    if (spec === undefined) return;
    spec.schedulerName ??= defaultSchedulerName;
    spec.strategy ??= 'Default';
    spec.allowPodStrategy ??= true;
    spec.strategyWeight ??= 10;
    if (spec.scoringStrategy !== undefined) {
      spec.scoringStrategy.type ??= 'LeastAllocated';
      spec.scoringStrategy.resources ??= [{ name: 'cpu' }, { name: 'memory' }];
      for (const one of spec.scoringStrategy.resources) one.weight ??= 1;
    }
  },
  prepareCreate(object) {
    object.status = {};
  },
  validate({ spec = {} }) {
    const problems: Problems = [];
    validateProfileSpec(problems, spec);
    return problems;
  },
  validateStatusUpdate({ status = {} }) {
    const problems: Problems = [];
    validateConditions(problems, 'status.conditions', status.conditions ?? []);
    return problems;
  },
});
