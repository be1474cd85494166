/**
 * Queues: tenants in a tree, each with a weight, a guarantee and a limit; the scheduler shares out the cloud among them (scheduler/fairness).
 * A kind of our own, there without a definition. What concerns several queues (parents, sums of guarantees) is told in conditions.
 */
import { compareQuantities, quantityMilli } from '../quantity.ts';
import { validateConditions } from '../validation/conditions.ts';
import { validateLabelSelector } from '../validation/label-selectors.ts';
import { labelName, subdomainName } from '../validation/names.ts';
import {
  duplicate,
  notNegative,
  oneOf,
  type Problems,
  required,
  tooMany,
  wrong,
} from '../validation/problems.ts';
import { validateAmount, validateContainerResourceName } from '../validation/resources.ts';
import { ageColumn, column, nameColumn, orNone, wideColumn } from './cells.ts';
import { defineKind, statusSubresource } from './define.ts';
import type { Queue, QueueAmounts, QueueSpec } from './queue-spec/types.ts';

const reclaimPolicies = ['Any', 'LowerPriority', 'Never'];
const podSelections = ['All', 'ByLabel'];
const weightMax = 1_000_000;
const namespacesMax = 1000;

export const queue = defineKind<Queue>({
  group: 'scheduling.caelum.dev',
  version: 'v1',
  kind: 'Queue',
  resource: 'queues',
  message: 'dev.caelum.scheduling.v1.Queue',
  description:
    'Queue is a tenant of the cloud: its share, what it is guaranteed, and what it may never have more of.',
  namespaced: false,
  subresources: [statusSubresource],
  hasStatus: true,
  hasGeneration: true,
  columns: [
    nameColumn,
    column<Queue>('Parent', 'The queue that it is a part of.', ({ spec }) => orNone(spec?.parent)),
    column<Queue>('Weight', 'Its part, beside its siblings.', ({ spec }) => spec?.weight ?? 1, 'integer'),
    column<Queue>('Share', 'The largest part that it has of a resource of the cloud.', ({ status }) =>
      shareCell(status),
    ),
    column<Queue>('Fair', 'What that part would be if all were shared fairly.', ({ status }) =>
      percent(status?.fairShare),
    ),
    column<Queue>('Pods', 'How many of its pods have a place.', ({ status }) => status?.pods ?? 0, 'integer'),
    column<Queue>(
      'Pending',
      'How many of its pods wait for one.',
      ({ status }) => status?.pendingPods ?? 0,
      'integer',
    ),
    column<Queue>(
      'Ready',
      'Whether it is as it says.',
      ({ status }) => status?.conditions?.find(({ type }) => type === 'Ready')?.status ?? 'Unknown',
    ),
    wideColumn<Queue>('Used', 'What its pods have.', ({ status }) => amountsCell(status?.used)),
    wideColumn<Queue>('Min', 'What it is guaranteed.', ({ spec }) => amountsCell(spec?.min)),
    wideColumn<Queue>('Max', 'What it may never have more of.', ({ spec }) => amountsCell(spec?.max)),
    wideColumn<Queue>('Borrowed', 'What it has beyond its guarantee.', ({ status }) =>
      amountsCell(status?.borrowed),
    ),
    ageColumn,
  ],
  applyDefaults({ spec }) {
    if (spec === undefined) return;
    spec.weight ??= 1;
    spec.mayBorrow ??= true;
    spec.mayLend ??= true;
    spec.reclaimPolicy ??= 'Any';
    spec.podSelection ??= 'All';
  },
  prepareCreate(object) {
    object.status = {};
  },
  validate({ metadata, spec = {} }) {
    const problems: Problems = [];
    validateSpec(problems, metadata.name ?? '', spec);
    return problems;
  },
  validateStatusUpdate({ status = {} }) {
    const problems: Problems = [];
    validateConditions(problems, 'status.conditions', status.conditions ?? []);
    for (const name of ['pods', 'pendingPods'] as const)
      notNegative(problems, `status.${name}`, status[name]);
    return problems;
  },
});

function validateSpec(problems: Problems, name: string, spec: QueueSpec): void {
  const { parent = '', weight = 1, min = {}, max = {}, namespaces = [] } = spec;
  if (parent !== '') {
    for (const why of subdomainName(parent)) problems.push(wrong('spec.parent', parent, why));
    if (parent === name) problems.push(wrong('spec.parent', parent, 'a queue may not be its own parent'));
  }
  if (weight < 1) problems.push(wrong('spec.weight', weight, 'must be greater than or equal to 1'));
  if (weight > weightMax)
    problems.push(wrong('spec.weight', weight, `must be less than or equal to ${weightMax}`));
  validateAmounts(problems, 'spec.min', min);
  validateAmounts(problems, 'spec.max', max);
  for (const resource in min) {
    const [least = '0', most] = [min[resource], max[resource]];
    if (most !== undefined && compareQuantities(least, most) > 0)
      problems.push(
        wrong(`spec.min[${resource}]`, least, `must be less than or equal to the max of ${most}`),
      );
  }
  if (spec.mayBorrow === false && Object.keys(min).length === 0)
    problems.push(required('spec.min', 'a queue that may not borrow has what it is guaranteed'));
  oneOf(problems, 'spec.reclaimPolicy', spec.reclaimPolicy, reclaimPolicies);
  oneOf(problems, 'spec.podSelection', spec.podSelection, podSelections);
  if (namespaces.length > namespacesMax)
    problems.push(tooMany('spec.namespaces', namespaces.length, namespacesMax));
  const seen = new Set<string>();
  namespaces.forEach((one, index) => {
    const at = `spec.namespaces[${index}]`;
    for (const why of labelName(one)) problems.push(wrong(at, one, why));
    if (seen.has(one)) problems.push(duplicate(at, one));
    seen.add(one);
  });
  if (spec.namespaceSelector !== undefined)
    validateLabelSelector(problems, 'spec.namespaceSelector', spec.namespaceSelector);
}

function validateAmounts(problems: Problems, field: string, amounts: QueueAmounts): void {
  for (const name in amounts) {
    const at = `${field}[${name}]`;
    if (name !== 'pods') validateContainerResourceName(problems, at, name);
    validateAmount(problems, at, name, amounts[name] ?? '0');
  }
}

function percent(share: string | undefined): string {
  const milli = quantityMilli(share);
  return milli === undefined ? '<unknown>' : `${milli / 10}%`;
}

const shareCell = (status: Queue['status']): string =>
  status?.dominantResource === undefined
    ? percent(status?.dominantShare)
    : `${percent(status.dominantShare)} ${status.dominantResource}`;

const amountsCell = (amounts: QueueAmounts | undefined): string =>
  orNone(
    Object.entries(amounts ?? {})
      .map(([name, amount]) => `${name}: ${amount}`)
      .join(', '),
  );
