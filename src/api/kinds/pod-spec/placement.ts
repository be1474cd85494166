/**
 * What a pod may say about where it runs: affinities, tolerations, spread.
 * Source: Kubernetes 1.36, pkg/apis/core/validation, as behaviour.
 */
import type {
  Affinity,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinityTerm,
  PodSpec,
  WeightedPodAffinityTerm,
} from '../../types/core.v1.ts';
import {
  validateLabelKey,
  validateLabelSelector,
  validateRequirement,
} from '../../validation/label-selectors.ts';
import { labelName, labelValue, subdomainName } from '../../validation/names.ts';
import { duplicate, notSupported, oneOf, type Problems, required, wrong } from '../../validation/problems.ts';

const now = 'requiredDuringSchedulingIgnoredDuringExecution';
const wish = 'preferredDuringSchedulingIgnoredDuringExecution';
export const taintEffects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

export function validateAffinity(problems: Problems, field: string, affinity: Affinity): void {
  const { nodeAffinity, podAffinity, podAntiAffinity } = affinity;
  if (nodeAffinity !== undefined) {
    const at = `${field}.nodeAffinity`;
    if (nodeAffinity[now] !== undefined) {
      validateNodeSelector(problems, `${at}.${now}`, nodeAffinity[now]);
    }
    nodeAffinity[wish]?.forEach(({ weight, preference }, index) => {
      validateWeight(problems, `${at}.${wish}[${index}].weight`, weight);
      validateNodeTerm(problems, `${at}.${wish}[${index}].preference`, preference ?? {});
    });
  }
  for (const [name, terms] of [
    ['podAffinity', podAffinity],
    ['podAntiAffinity', podAntiAffinity],
  ] as const) {
    if (terms === undefined) continue;
    terms[now]?.forEach((term, index) => {
      validatePodTerm(problems, `${field}.${name}.${now}[${index}]`, term);
    });
    terms[wish]?.forEach((term, index) => {
      validateWeightedTerm(problems, `${field}.${name}.${wish}[${index}]`, term);
    });
  }
}

export function validateNodeSelector(
  problems: Problems,
  field: string,
  { nodeSelectorTerms: terms = [] }: NodeSelector,
): void {
  if (terms.length === 0)
    problems.push(required(`${field}.nodeSelectorTerms`, 'must have at least one node selector term'));
  terms.forEach((term, index) => {
    validateNodeTerm(problems, `${field}.nodeSelectorTerms[${index}]`, term);
  });
}

function validateWeight(problems: Problems, field: string, weight: number): void {
  if (!(weight >= 1 && weight <= 100)) problems.push(wrong(field, weight ?? 0, 'must be in the range 1-100'));
}

function validateWeightedTerm(problems: Problems, field: string, term: WeightedPodAffinityTerm): void {
  validateWeight(problems, `${field}.weight`, term.weight);
  validatePodTerm(problems, `${field}.podAffinityTerm`, term.podAffinityTerm ?? { topologyKey: '' });
}

function validatePodTerm(problems: Problems, field: string, term: PodAffinityTerm): void {
  validateLabelSelector(problems, `${field}.labelSelector`, term.labelSelector);
  validateLabelSelector(problems, `${field}.namespaceSelector`, term.namespaceSelector);
  for (const namespace of term.namespaces ?? [])
    for (const why of labelName(namespace)) problems.push(wrong(`${field}.namespace`, namespace, why));
  const { topologyKey = '' } = term;
  if (topologyKey === '') problems.push(required(`${field}.topologyKey`, 'can not be empty'));
  validateLabelKey(problems, `${field}.topologyKey`, topologyKey);
}

function validateNodeTerm(problems: Problems, field: string, term: NodeSelectorTerm): void {
  term.matchExpressions?.forEach((requirement, index) => {
    validateRequirement(problems, `${field}.matchExpressions[${index}]`, requirement, true);
  });
  term.matchFields?.forEach((requirement, index) => {
    validateFieldRequirement(problems, `${field}.matchFields[${index}]`, requirement);
  });
}

function validateFieldRequirement(
  problems: Problems,
  field: string,
  { key, operator, values = [] }: NodeSelectorRequirement,
): void {
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length !== 1)
      problems.push(
        required(
          `${field}.values`,
          "must be only one value when `operator` is 'In' or 'NotIn' for node field selector",
        ),
      );
  } else problems.push(wrong(`${field}.operator`, operator, 'not a valid selector operator'));
  if (key !== 'metadata.name') problems.push(wrong(`${field}.key`, key, 'not a valid field selector key'));
  else
    values.forEach((value, index) => {
      for (const why of subdomainName(value)) problems.push(wrong(`${field}.values[${index}]`, value, why));
    });
}

export function validateTolerations(
  problems: Problems,
  field: string,
  tolerations: NonNullable<PodSpec['tolerations']>,
): void {
  tolerations.forEach((toleration, index) => {
    const { key = '', operator = '', value = '', effect = '', tolerationSeconds } = toleration;
    const at = `${field}[${index}]`;
    if (key !== '') validateLabelKey(problems, `${at}.key`, key);
    else if (operator !== 'Exists')
      problems.push(
        wrong(
          `${at}.operator`,
          operator,
          'operator must be Exists when `key` is empty, which means "match all values and all keys"',
        ),
      );
    if (tolerationSeconds !== undefined && effect !== 'NoExecute')
      problems.push(
        wrong(`${at}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"),
      );
    if (operator === '' || operator === 'Equal') {
      const reasons = labelValue(value);
      if (reasons.length > 0) problems.push(wrong(`${at}.operator`, value, reasons.join(';')));
    } else if (operator === 'Exists') {
      if (value !== '')
        problems.push(wrong(`${at}.operator`, toleration, "value must be empty when `operator` is 'Exists'"));
    } else problems.push(notSupported(`${at}.operator`, operator, ['Equal', 'Exists']));
    oneOf(problems, `${at}.effect`, effect, taintEffects);
  });
}

const unsatisfiable = ['DoNotSchedule', 'ScheduleAnyway'];
const inclusion = ['Honor', 'Ignore'];

export function validateSpread(
  problems: Problems,
  field: string,
  constraints: NonNullable<PodSpec['topologySpreadConstraints']>,
): void {
  const seen = new Set<string>();
  constraints.forEach((constraint, index) => {
    const { maxSkew, topologyKey, whenUnsatisfiable, minDomains } = constraint;
    const at = `${field}[${index}]`;
    if (!(maxSkew > 0)) problems.push(wrong(`${at}.maxSkew`, maxSkew, 'must be greater than zero'));
    if (topologyKey === '') problems.push(required(`${at}.topologyKey`, 'can not be empty'));
    else validateLabelKey(problems, `${at}.topologyKey`, topologyKey);
    if (!unsatisfiable.includes(whenUnsatisfiable))
      problems.push(notSupported(`${at}.whenUnsatisfiable`, whenUnsatisfiable, unsatisfiable));
    const pair = `{${topologyKey}, ${whenUnsatisfiable}}`;
    if (seen.has(pair)) problems.push(duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, pair));
    seen.add(pair);
    if (minDomains !== undefined) {
      if (minDomains <= 0) problems.push(wrong(`${at}.minDomains`, minDomains, 'must be greater than zero'));
      if (whenUnsatisfiable !== 'DoNotSchedule')
        problems.push(
          wrong(
            `${at}.minDomains`,
            minDomains,
            `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`,
          ),
        );
    }
    oneOf(problems, `${at}.nodeAffinityPolicy`, constraint.nodeAffinityPolicy, inclusion);
    oneOf(problems, `${at}.nodeTaintsPolicy`, constraint.nodeTaintsPolicy, inclusion);
    validateLabelSelector(problems, `${at}.labelSelector`, constraint.labelSelector);
  });
}
