/**
 * Webhook configurations: who is asked before something is stored. Mutating ones may change it, validating ones may refuse it.
 * Source: Kubernetes 1.36, pkg/apis/admissionregistration, as behaviour.
 */
import { sameJson } from '../../lib/index.ts';
import type { FieldProblem } from '../kind.ts';
import type { Draft } from '../object.ts';
import type {
  MutatingWebhook,
  MutatingWebhookConfiguration,
  ValidatingWebhookConfiguration,
} from '../types/admissionregistration.v1.ts';
import { domainProblems } from '../validation/domains.ts';
import { validateLabelSelector } from '../validation/label-selectors.ts';
import { dns1035Name } from '../validation/names.ts';
import { duplicate, notSupported, type Problems, required, wrong } from '../validation/problems.ts';
import { applyWebhookClientDefaults, validateWebhookClient } from '../validation/webhook-client.ts';
import { validateWebhookConditions } from './admission-spec/expressions.ts';
import {
  failurePolicies,
  matchPolicies,
  reinvocationPolicies,
  validateMatchConditions,
} from './admission-spec/policies.ts';
import { applyRuleDefaults, validateRules } from './admission-spec/rules.ts';
import { ageColumn, column, nameColumn } from './cells.ts';
import { defineKind } from './define.ts';

type Configuration = MutatingWebhookConfiguration | ValidatingWebhookConfiguration;

const sideEffects = ['None', 'NoneOnDryRun'];
const reviewVersions = ['v1', 'v1beta1'];
const timeoutSecondsDefault = 10;
const timeoutSecondsMax = 30;

const of = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  categories: ['api-extensions'],
  namespaced: false,
  hasGeneration: true,
  columns: [
    nameColumn,
    column<Configuration>(
      'Webhooks',
      'How many it names.',
      ({ webhooks }) => webhooks?.length ?? 0,
      'integer',
    ),
    ageColumn,
  ],
  prepareUpdate(object: Draft<Configuration>, old: Configuration): void {
    // It has no spec: its webhooks are what counts.
    const isSame = sameJson(object.webhooks ?? [], old.webhooks ?? []);
    object.metadata.generation = (old.metadata.generation ?? 0) + (isSame ? 0 : 1);
  },
  validate({ webhooks = [] }: Configuration): readonly FieldProblem[] {
    const problems: Problems = [];
    const names = new Set<string>();
    webhooks.forEach((webhook, index) => {
      const at = `webhooks[${index}]`;
      validateWebhook(problems, at, webhook);
      validateVersions(problems, `${at}.admissionReviewVersions`, webhook.admissionReviewVersions ?? []);
      if (names.has(webhook.name)) problems.push(duplicate(`${at}.name`, webhook.name));
      if (webhook.name !== '') names.add(webhook.name);
    });
    return problems;
  },
} as const;

export const mutatingWebhookConfiguration = defineKind<MutatingWebhookConfiguration>({
  ...of,
  kind: 'MutatingWebhookConfiguration',
  resource: 'mutatingwebhookconfigurations',
  message: 'admissionregistration.v1.MutatingWebhookConfiguration',
  description: 'MutatingWebhookConfiguration names webhooks that may change objects before they are stored.',
  applyDefaults({ webhooks }) {
    for (const webhook of webhooks ?? []) {
      applyWebhookDefaults(webhook);
      webhook.reinvocationPolicy ??= 'Never';
    }
  },
});

export const validatingWebhookConfiguration = defineKind<ValidatingWebhookConfiguration>({
  ...of,
  kind: 'ValidatingWebhookConfiguration',
  resource: 'validatingwebhookconfigurations',
  message: 'admissionregistration.v1.ValidatingWebhookConfiguration',
  description:
    'ValidatingWebhookConfiguration names webhooks that may refuse objects before they are stored.',
  applyDefaults({ webhooks }) {
    for (const webhook of webhooks ?? []) applyWebhookDefaults(webhook);
  },
});

function applyWebhookDefaults(webhook: Draft<MutatingWebhook>): void {
  webhook.failurePolicy ??= 'Fail';
  webhook.matchPolicy ??= 'Equivalent';
  webhook.namespaceSelector ??= {};
  webhook.objectSelector ??= {};
  webhook.timeoutSeconds ??= timeoutSecondsDefault;
  applyRuleDefaults(webhook.rules);
  applyWebhookClientDefaults(webhook.clientConfig);
}

function validateWebhook(problems: Problems, field: string, webhook: MutatingWebhook): void {
  problems.push(...domainProblems(`${field}.name`, webhook.name ?? '', 3));
  validateRules(problems, `${field}.rules`, webhook.rules);
  const { timeoutSeconds: seconds = timeoutSecondsDefault } = webhook;
  for (const [name, words] of [
    ['failurePolicy', failurePolicies],
    ['matchPolicy', matchPolicies],
  ] as const) {
    const word = webhook[name];
    if (word !== undefined && !words.includes(word))
      problems.push(notSupported(`${field}.${name}`, word, words));
  }
  if (webhook.sideEffects === undefined)
    problems.push(required(`${field}.sideEffects`, `must specify one of ${sideEffects.join(', ')}`));
  else if (!sideEffects.includes(webhook.sideEffects))
    problems.push(notSupported(`${field}.sideEffects`, webhook.sideEffects, sideEffects));
  if (seconds < 1 || seconds > timeoutSecondsMax)
    problems.push(
      wrong(`${field}.timeoutSeconds`, seconds, 'the timeout value must be between 1 and 30 seconds'),
    );
  validateLabelSelector(problems, `${field}.namespaceSelector`, webhook.namespaceSelector);
  validateLabelSelector(problems, `${field}.objectSelector`, webhook.objectSelector);
  const again = webhook.reinvocationPolicy;
  if (again !== undefined && !reinvocationPolicies.includes(again))
    problems.push(notSupported(`${field}.reinvocationPolicy`, again, reinvocationPolicies));
  validateWebhookClient(problems, `${field}.clientConfig`, webhook.clientConfig ?? {});
  validateMatchConditions(problems, `${field}.matchConditions`, webhook.matchConditions);
  validateWebhookConditions(problems, `${field}.matchConditions`, webhook.matchConditions);
}

/** At least one that this server speaks. */
export function validateVersions(problems: Problems, field: string, versions: readonly string[]): void {
  const known = reviewVersions.join(', ');
  if (versions.length === 0) {
    problems.push(required(field, `must specify one of ${known}`));
    return;
  }
  versions.forEach((version, index) => {
    const at = `${field}[${index}]`;
    if (versions.indexOf(version) < index) problems.push(wrong(at, version, 'duplicate version'));
    else for (const why of dns1035Name(version)) problems.push(wrong(at, version, why));
  });
  if (!versions.some((version) => reviewVersions.includes(version)))
    problems.push(wrong(field, versions, `must include at least one of ${known}`));
}
