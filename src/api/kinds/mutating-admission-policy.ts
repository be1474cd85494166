/**
 * Mutating admission policies: changes to objects before they are stored, as expressions.
 * Source: Kubernetes 1.36, pkg/apis/admissionregistration, as behaviour.
 */
import type { MutatingAdmissionPolicy, Mutation } from '../types/admissionregistration.v1.ts';
import { notSupported, type Problems, required, wrong } from '../validation/problems.ts';
import { validateExpressions } from './admission-spec/expressions.ts';
import {
  applyMatchDefaults,
  failurePolicies,
  reinvocationPolicies,
  validateConstraints,
  validateMatchConditions,
  validateMutableOperations,
  validateParamKind,
  validateVariables,
  validateWord,
} from './admission-spec/policies.ts';
import { ageColumn, column, nameColumn } from './cells.ts';
import { defineKind } from './define.ts';

const patchTypes = ['ApplyConfiguration', 'JSONPatch'];
const patchFields = { ApplyConfiguration: 'applyConfiguration', JSONPatch: 'jsonPatch' } as const;

export const mutatingAdmissionPolicy = defineKind<MutatingAdmissionPolicy>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingAdmissionPolicy',
  resource: 'mutatingadmissionpolicies',
  message: 'admissionregistration.v1.MutatingAdmissionPolicy',
  description:
    'MutatingAdmissionPolicy holds changes, as expressions, that are made to objects before they are stored.',
  categories: ['api-extensions'],
  namespaced: false,
  hasGeneration: true,
  columns: [
    nameColumn,
    column<MutatingAdmissionPolicy>(
      'Mutations',
      'How many changes it makes.',
      ({ spec }) => spec?.mutations?.length ?? 0,
      'integer',
    ),
    column<MutatingAdmissionPolicy>('ParamKind', 'What its parameters are.', ({ spec }) =>
      spec?.paramKind === undefined
        ? '<unset>'
        : `${spec.paramKind.apiVersion ?? ''}/${spec.paramKind.kind ?? ''}`,
    ),
    ageColumn,
  ],
  applyDefaults({ spec }) {
    if (spec === undefined) return;
    spec.failurePolicy ??= 'Fail';
    applyMatchDefaults(spec.matchConstraints);
  },
  validate({ spec = {} }) {
    const problems: Problems = [];
    validateWord(problems, 'spec.failurePolicy', spec.failurePolicy, failurePolicies);
    if (spec.paramKind !== undefined) validateParamKind(problems, 'spec.paramKind', spec.paramKind);
    validateConstraints(problems, 'spec.matchConstraints', spec.matchConstraints);
    validateMutableOperations(problems, 'spec.matchConstraints', spec.matchConstraints);
    validateMatchConditions(problems, 'spec.matchConditions', spec.matchConditions);
    validateVariables(problems, 'spec.variables', spec.variables);
    const mutations = spec.mutations ?? [];
    if (mutations.length === 0)
      problems.push(required('spec.mutations', 'mutations must contain at least one item'));
    mutations.forEach((mutation, index) => {
      validateMutation(problems, `spec.mutations[${index}]`, mutation);
    });
    validateWord(
      problems,
      'spec.reinvocationPolicy',
      spec.reinvocationPolicy || undefined,
      reinvocationPolicies,
    );
    validateExpressions(problems, spec);
    return problems;
  },
});

/** The patch is of the type that it says, and of no other. */
function validateMutation(problems: Problems, field: string, mutation: Mutation): void {
  const type = mutation.patchType ?? '';
  if (type === '') problems.push(required(`${field}.patchType`));
  else if (type !== 'ApplyConfiguration' && type !== 'JSONPatch')
    problems.push(notSupported(`${field}.patchType`, type, patchTypes));
  else {
    const other = patchFields[type === 'JSONPatch' ? 'ApplyConfiguration' : 'JSONPatch'];
    const name = patchFields[type];
    const patch = mutation[name];
    if (patch === undefined)
      problems.push(required(`${field}.${name}`, `must be specified when patchType is ${type}`));
    else if ((patch.expression ?? '').trim() === '') problems.push(required(`${field}.${name}.expression`));
    if (mutation[other] !== undefined)
      problems.push(
        wrong(`${field}.${other}`, `{${other}}`, `must not be specified when patchType is ${type}`),
      );
  }
}
