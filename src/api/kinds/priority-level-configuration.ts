/**
 * Priority levels: how many requests to the API are served at once, and how the others wait.
 * Source: Kubernetes 1.36, pkg/apis/flowcontrol, as behaviour.
 */
import { sameJson } from '../../lib/index.ts';
import type { Draft } from '../object.ts';
import type {
  ExemptPriorityLevelConfiguration,
  LimitedPriorityLevelConfiguration,
  LimitResponse,
  PriorityLevelConfiguration,
  PriorityLevelConfigurationSpec,
  QueuingConfiguration,
} from '../types/flowcontrol.v1.ts';
import { betweenWhy } from '../validation/addresses.ts';
import {
  duplicate,
  forbiddenField,
  notSupported,
  type Problems,
  required,
  wrong,
} from '../validation/problems.ts';
import { ageColumn, column, nameColumn } from './cells.ts';
import { defineKind, statusSubresource } from './define.ts';

const types = ['Exempt', 'Limited'];
const responses = ['Queue', 'Reject'];
const queuesMax = 10_000_000;
/** Of the hash that deals a flow its queues. */
const hashBits = 60;
const sharesDefault = 30;
const sharesWhy = 'must be a non-negative integer';

/** Where all end up that nobody else takes. */
const catchAll: PriorityLevelConfigurationSpec = {
  type: 'Limited',
  limited: { nominalConcurrencyShares: 5, limitResponse: { type: 'Reject' }, lendablePercent: 0 },
};

type Configuration = PriorityLevelConfiguration;

const queuingCell =
  (name: keyof QueuingConfiguration) =>
  ({ spec }: Configuration): string =>
    String(spec?.limited?.limitResponse?.queuing?.[name] ?? '<none>');

export const priorityLevelConfiguration = defineKind<Configuration>({
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  kind: 'PriorityLevelConfiguration',
  resource: 'prioritylevelconfigurations',
  message: 'flowcontrol.v1.PriorityLevelConfiguration',
  description:
    'PriorityLevelConfiguration says how many requests of one importance are served at once, and how others wait.',
  namespaced: false,
  subresources: [statusSubresource],
  hasStatus: true,
  hasGeneration: true,
  columns: [
    nameColumn,
    column<Configuration>('Type', 'Whether it has a limit.', ({ spec }) => spec?.type ?? ''),
    column<Configuration>('NominalConcurrencyShares', 'Its part of all that is served at once.', ({ spec }) =>
      String(spec?.limited?.nominalConcurrencyShares ?? '<none>'),
    ),
    column<Configuration>('Queues', 'How many queues it has.', queuingCell('queues')),
    column<Configuration>('HandSize', 'How many of them a flow may use.', queuingCell('handSize')),
    column<Configuration>('QueueLengthLimit', 'How long each may be.', queuingCell('queueLengthLimit')),
    ageColumn,
  ],
  applyDefaults({ metadata, spec }) {
    if (spec === undefined) return;
    if (metadata.name === 'exempt') spec.exempt ??= {};
    if (spec.exempt !== undefined) {
      spec.exempt.nominalConcurrencyShares ??= 0;
      spec.exempt.lendablePercent ??= 0;
    }
    if (spec.limited !== undefined) applyLimitedDefaults(spec.limited);
  },
  prepareCreate(object) {
    object.status = {};
  },
  validate({ metadata, spec, status }) {
    const problems: Problems = [];
    const name = metadata.name ?? '';
    if (spec !== undefined) validateSpec(problems, name, spec);
    if (name === 'catch-all' && !sameJson(spec, catchAll))
      problems.push(wrong('spec', spec, `spec of '${name}' must equal the fixed value`));
    validateFlowConditions(problems, status?.conditions);
    return problems;
  },
  validateStatusUpdate({ status }) {
    const problems: Problems = [];
    validateFlowConditions(problems, status?.conditions);
    return problems;
  },
});

function applyLimitedDefaults(limited: Draft<LimitedPriorityLevelConfiguration>): void {
  limited.nominalConcurrencyShares ??= sharesDefault;
  limited.lendablePercent ??= 0;
  const queuing = limited.limitResponse?.queuing;
  if (queuing === undefined) return;
  queuing.handSize ||= 8;
  queuing.queues ||= 64;
  queuing.queueLengthLimit ||= 50;
}

function validateSpec(
  problems: Problems,
  name: string,
  { type, limited, exempt }: PriorityLevelConfigurationSpec,
): void {
  if ((name === 'exempt') !== (type === 'Exempt'))
    problems.push(wrong('spec.type', type, "type must be 'Exempt' if and only if `name` is 'exempt'"));
  if (type === 'Exempt') {
    if (limited !== undefined)
      problems.push(forbiddenField('spec.limited', 'must be nil if the type is not Limited'));
    if (exempt === undefined) problems.push(required('spec.exempt', 'must not be empty when type is Exempt'));
    else validateShares(problems, 'spec.exempt', exempt);
  } else if (type === 'Limited') {
    if (exempt !== undefined)
      problems.push(forbiddenField('spec.exempt', 'must be nil if the type is Limited'));
    if (limited === undefined)
      problems.push(required('spec.limited', 'must not be empty when type is Limited'));
    else validateLimited(problems, 'spec.limited', limited);
  } else problems.push(notSupported('spec.type', type, types));
}

function validateShares(
  problems: Problems,
  field: string,
  { nominalConcurrencyShares: shares = 0, lendablePercent: lent = 0 }: ExemptPriorityLevelConfiguration,
): void {
  if (shares < 0) problems.push(wrong(`${field}.nominalConcurrencyShares`, shares, sharesWhy));
  if (lent < 0 || lent > 100) problems.push(wrong(`${field}.lendablePercent`, lent, betweenWhy(0, 100)));
}

function validateLimited(
  problems: Problems,
  field: string,
  limited: LimitedPriorityLevelConfiguration,
): void {
  const { limitResponse, borrowingLimitPercent: borrowed = 0 } = limited;
  validateShares(problems, field, limited);
  validateResponse(problems, `${field}.limitResponse`, limitResponse ?? { type: '' });
  if (borrowed < 0)
    problems.push(
      wrong(`${field}.borrowingLimitPercent`, borrowed, 'if specified, must be a non-negative integer'),
    );
}

function validateResponse(problems: Problems, field: string, { type, queuing }: LimitResponse): void {
  const at = `${field}.queuing`;
  if (type === 'Reject') {
    if (queuing !== undefined)
      problems.push(forbiddenField(at, 'must be nil if limited.limitResponse.type is not Limited'));
  } else if (type === 'Queue') {
    if (queuing === undefined)
      problems.push(required(at, 'must not be empty if limited.limitResponse.type is Limited'));
    else validateQueuing(problems, at, queuing);
  } else problems.push(notSupported(`${field}.type`, type, responses));
}

function validateQueuing(
  problems: Problems,
  field: string,
  { queues = 0, handSize: hand = 0, queueLengthLimit: length = 0 }: QueuingConfiguration,
): void {
  if (length <= 0) problems.push(wrong(`${field}.queueLengthLimit`, length, 'must be positive'));
  if (queues <= 0) problems.push(wrong(`${field}.queues`, queues, 'must be positive'));
  else if (queues > queuesMax)
    problems.push(wrong(`${field}.queues`, queues, `must not be greater than ${queuesMax}`));
  const at = `${field}.handSize`;
  if (hand <= 0) problems.push(wrong(at, hand, 'must be positive'));
  else if (hand > queues) problems.push(wrong(at, hand, `should not be greater than queues (${queues})`));
  else if (Math.ceil(Math.log2(queues) * hand) > hashBits)
    problems.push(
      wrong(
        at,
        hand,
        `required entropy bits of deckSize ${queues} and handSize ${hand} should not be greater than ${hashBits}`,
      ),
    );
}

/** Conditions of flow schemas and priority levels: each type once. */
export function validateFlowConditions(
  problems: Problems,
  conditions: readonly { readonly type?: string }[] | undefined,
): void {
  const seen = new Set<string>();
  conditions?.forEach(({ type = '' }, index) => {
    const at = `status.conditions[${index}].type`;
    if (seen.has(type)) problems.push(duplicate(at, type));
    seen.add(type);
    if (type === '') problems.push(required(at, 'must not be empty'));
  });
}
