/**
 * Bindings of admission policies: where a policy holds, with which parameters, and what comes of it.
 * Source: Kubernetes 1.36, pkg/apis/admissionregistration, as behaviour.
 */
import { labelSelectorText } from '../label-selector.ts';
import type { Draft } from '../object.ts';
import type {
  MutatingAdmissionPolicyBinding,
  ParamRef,
  ValidatingAdmissionPolicyBinding,
} from '../types/admissionregistration.v1.ts';
import { subdomainName } from '../validation/names.ts';
import { duplicate, notSupported, type Problems, required, wrong } from '../validation/problems.ts';
import {
  applyMatchDefaults,
  validateMatch,
  validateMutableOperations,
  validateParamRef,
} from './admission-spec/policies.ts';
import { ageColumn, column, nameColumn } from './cells.ts';
import { defineKind } from './define.ts';

type Binding = MutatingAdmissionPolicyBinding | ValidatingAdmissionPolicyBinding;

const actions = ['Audit', 'Deny', 'Warn'];

function paramCell(ref: ParamRef | undefined): string {
  const { name = '', namespace = '', selector } = ref ?? {};
  if (name !== '') return `${namespace || '*'}/${name}`;
  return selector === undefined ? '<unset>' : labelSelectorText(selector);
}

const of = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  categories: ['api-extensions'],
  namespaced: false,
  hasGeneration: true,
  columns: [
    nameColumn,
    column<Binding>('PolicyName', 'The policy.', ({ spec }) => spec?.policyName ?? ''),
    column<Binding>('ParamRef', 'Its parameters.', ({ spec }) => paramCell(spec?.paramRef)),
    ageColumn,
  ],
  applyDefaults({ spec }: Draft<Binding>): void {
    applyMatchDefaults(spec?.matchResources);
  },
} as const;

export const validatingAdmissionPolicyBinding = defineKind<ValidatingAdmissionPolicyBinding>({
  ...of,
  kind: 'ValidatingAdmissionPolicyBinding',
  resource: 'validatingadmissionpolicybindings',
  message: 'admissionregistration.v1.ValidatingAdmissionPolicyBinding',
  description:
    'ValidatingAdmissionPolicyBinding says where a validating policy holds, and what breaking it leads to.',
  validate(object) {
    const problems: Problems = [];
    validateBinding(problems, object);
    // Kubernetes spells the field so.
    validateMatch(problems, 'spec.matchResouces', object.spec?.matchResources);
    validateActions(problems, 'spec.validationActions', object.spec?.validationActions ?? []);
    return problems;
  },
});

export const mutatingAdmissionPolicyBinding = defineKind<MutatingAdmissionPolicyBinding>({
  ...of,
  kind: 'MutatingAdmissionPolicyBinding',
  resource: 'mutatingadmissionpolicybindings',
  message: 'admissionregistration.v1.MutatingAdmissionPolicyBinding',
  description:
    'MutatingAdmissionPolicyBinding says where a mutating policy holds, and with which parameters.',
  validate(object) {
    const problems: Problems = [];
    validateBinding(problems, object);
    const match = object.spec?.matchResources;
    validateMatch(problems, 'spec.matchResources', match);
    validateMutableOperations(problems, 'spec.matchResources', match);
    return problems;
  },
});

function validateBinding(problems: Problems, { spec }: Binding): void {
  const { policyName = '', paramRef } = spec ?? {};
  if (policyName === '') problems.push(required('spec.policyName'));
  else for (const why of subdomainName(policyName)) problems.push(wrong('spec.policyName', policyName, why));
  validateParamRef(problems, 'spec.paramRef', paramRef);
}

function validateActions(problems: Problems, field: string, list: readonly string[]): void {
  list.forEach((action, index) => {
    const at = `${field}[${index}]`;
    if (!actions.includes(action)) problems.push(notSupported(at, action, actions));
    if (list.indexOf(action) < index) problems.push(duplicate(at, action));
  });
  if (list.includes('Deny') && list.includes('Warn'))
    problems.push(
      wrong(
        field,
        list,
        'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
      ),
    );
  if (list.length === 0) problems.push(required(field, 'at least one validation action is required'));
}
