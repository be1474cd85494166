/**
 * Reservations: so many places of one kind, held for the pods that may use them until it is deleted or expires. A kind of our own, there without a definition.
 */
import { sameJson } from '../../lib/index.ts';
import { durationNanoseconds } from '../schema/scalars.ts';
import { validateConditions } from '../validation/conditions.ts';
import { validateLabelSelector } from '../validation/label-selectors.ts';
import { validateLabels } from '../validation/object-meta.ts';
import {
  forbiddenField,
  immutableWhy,
  notNegative,
  oneOf,
  type Problems,
  required,
  wrong,
} from '../validation/problems.ts';
import { validateAmounts } from '../validation/resources.ts';
import { ageColumn, column, nameColumn, wideColumn } from './cells.ts';
import { defineKind, statusSubresource } from './define.ts';
import { validateAffinity, validateSpread, validateTolerations } from './pod-spec/placement.ts';
import type { Reservation, ReservationSpec, ReservationTemplate } from './reservation-spec/types.ts';

const modes = ['AllOrNone', 'Partial'];
const refusals = ['Fail', 'Wait'];
/** Each place is an entry of the scheduler's; more than this is better held by several reservations. */
const countMax = 10_000;

export const reservation = defineKind<Reservation>({
  group: 'scheduling.caelum.dev',
  version: 'v1',
  kind: 'Reservation',
  resource: 'reservations',
  message: 'dev.caelum.scheduling.v1.Reservation',
  description:
    'Reservation holds so many places of one kind for the pods that may use them, until it is deleted or expires.',
  shortNames: ['resv'],
  subresources: [statusSubresource],
  hasStatus: true,
  hasGeneration: true,
  columns: [
    nameColumn,
    column<Reservation>('Count', 'How many places are wanted.', ({ spec }) => spec?.count ?? 0, 'integer'),
    column<Reservation>('Held', 'How many there are.', ({ status }) => status?.allocated ?? 0, 'integer'),
    column<Reservation>('Used', 'How many have a pod.', ({ status }) => status?.used ?? 0, 'integer'),
    column<Reservation>('Status', 'How it stands.', ({ status }) => status?.phase ?? 'Pending'),
    wideColumn<Reservation>('Nodes', 'On how many nodes.', ({ status }) =>
      String(status?.places?.length ?? 0),
    ),
    wideColumn<Reservation>(
      'Expires',
      'Until when it holds.',
      ({ status }) => status?.expireTime ?? '<none>',
    ),
    wideColumn<Reservation>(
      'Message',
      'Why it stands so.',
      ({ status }) => status?.conditions?.find(({ type }) => type === 'Held')?.message ?? '',
    ),
    ageColumn,
  ],
  applyDefaults({ spec }) {
    if (spec === undefined) return;
    spec.mode ??= 'AllOrNone';
    spec.whenRefused ??= 'Wait';
  },
  prepareCreate(object) {
    object.status = {};
  },
  validate({ spec }) {
    const problems: Problems = [];
    validateSpec(problems, spec ?? ({} as ReservationSpec));
    return problems;
  },
  validateUpdate({ spec }, old) {
    return sameJson(spec?.template, old.spec?.template)
      ? []
      : [wrong('spec.template', spec?.template, immutableWhy)];
  },
  validateStatusUpdate({ status }) {
    const problems: Problems = [];
    notNegative(problems, 'status.allocated', status?.allocated);
    notNegative(problems, 'status.used', status?.used);
    validateConditions(problems, 'status.conditions', status?.conditions);
    return problems;
  },
});

function validateSpec(problems: Problems, spec: ReservationSpec): void {
  const { count = 0, template, mode, whenRefused, selector, ttl, expireTime } = spec;
  if (count < 1 || count > countMax)
    problems.push(wrong('spec.count', count, `must be between 1 and ${countMax}, inclusive`));
  validateTemplate(problems, template ?? { requests: {} });
  oneOf(problems, 'spec.mode', mode, modes);
  oneOf(problems, 'spec.whenRefused', whenRefused, refusals);
  if (selector !== undefined) {
    validateLabelSelector(problems, 'spec.selector', selector);
    if (Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions?.length ?? 0) === 0)
      problems.push(
        wrong('spec.selector', selector, 'must not be empty: leave it out for pods that name it'),
      );
  }
  const lasting = ttl === undefined ? undefined : durationNanoseconds(ttl);
  if (ttl !== undefined && (lasting === undefined || lasting <= 0n))
    problems.push(wrong('spec.ttl', ttl, 'must be a duration greater than 0'));
  if (ttl !== undefined && expireTime !== undefined)
    problems.push(forbiddenField('spec.expireTime', 'may not be set together with `ttl`'));
}

function validateTemplate(problems: Problems, template: ReservationTemplate): void {
  const at = 'spec.template';
  const { requests = {}, labels, nodeSelector, affinity, tolerations, topologySpreadConstraints } = template;
  if (Object.keys(requests).length === 0)
    problems.push(required(`${at}.requests`, 'must say what a place holds'));
  validateAmounts(problems, `${at}.requests`, requests);
  if (labels !== undefined) validateLabels(problems, `${at}.labels`, labels);
  if (nodeSelector !== undefined) validateLabels(problems, `${at}.nodeSelector`, nodeSelector);
  if (affinity !== undefined) validateAffinity(problems, `${at}.affinity`, affinity);
  validateTolerations(problems, `${at}.tolerations`, tolerations ?? []);
  validateSpread(problems, `${at}.topologySpreadConstraints`, topologySpreadConstraints ?? []);
}
