/**
 * Validating admission policies: rules that objects must keep, as expressions.
 * Source: Kubernetes 1.36, pkg/apis/admissionregistration, as behaviour.
 */
import type {
  AuditAnnotation,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicySpec,
  Validation,
} from '../types/admissionregistration.v1.ts';
import { validateConditions } from '../validation/conditions.ts';
import { validateLabelKey } from '../validation/label-selectors.ts';
import { duplicate, notSupported, type Problems, required, wrong } from '../validation/problems.ts';
import { validateExpressions } from './admission-spec/expressions.ts';
import {
  applyMatchDefaults,
  failurePolicies,
  validateConstraints,
  validateExpression,
  validateMatchConditions,
  validateParamKind,
  validateVariables,
  validateWord,
} from './admission-spec/policies.ts';
import { ageColumn, column, nameColumn } from './cells.ts';
import { defineKind, statusSubresource } from './define.ts';

const reasons = ['Forbidden', 'Invalid', 'RequestEntityTooLarge'];
const annotationsMax = 20;
const annotationBytesMax = 5 * 1024;

export const validatingAdmissionPolicy = defineKind<ValidatingAdmissionPolicy>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingAdmissionPolicy',
  resource: 'validatingadmissionpolicies',
  message: 'admissionregistration.v1.ValidatingAdmissionPolicy',
  description: 'ValidatingAdmissionPolicy holds rules, as expressions, that objects must keep to be stored.',
  categories: ['api-extensions'],
  namespaced: false,
  subresources: [statusSubresource],
  hasStatus: true,
  hasGeneration: true,
  columns: [
    nameColumn,
    column<ValidatingAdmissionPolicy>(
      'Validations',
      'How many rules it has.',
      ({ spec }) => spec?.validations?.length ?? 0,
      'integer',
    ),
    column<ValidatingAdmissionPolicy>('ParamKind', 'What its parameters are.', ({ spec }) =>
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
  prepareCreate(object) {
    object.status = {};
  },
  validate({ metadata, spec = {} }) {
    const problems: Problems = [];
    validateWord(problems, 'spec.failurePolicy', spec.failurePolicy, failurePolicies);
    if (spec.paramKind !== undefined) validateParamKind(problems, 'spec.paramKind', spec.paramKind);
    validateConstraints(problems, 'spec.matchConstraints', spec.matchConstraints);
    validateMatchConditions(problems, 'spec.matchConditions', spec.matchConditions);
    validateVariables(problems, 'spec.variables', spec.variables);
    validateRules(problems, metadata.name ?? '', spec);
    validateExpressions(problems, spec);
    return problems;
  },
  validateStatusUpdate({ status }) {
    const problems: Problems = [];
    status?.typeChecking?.expressionWarnings?.forEach(({ warning = '', fieldRef = '' }, index) => {
      const at = `status.typeChecking.expressionWarnings[${index}]`;
      if (warning === '') problems.push(required(`${at}.warning`));
      if (fieldRef.trim() === '') problems.push(required(`${at}.fieldRef`));
    });
    validateConditions(problems, 'status.conditions', status?.conditions);
    return problems;
  },
});

function validateRules(
  problems: Problems,
  policy: string,
  { validations = [], auditAnnotations = [] }: ValidatingAdmissionPolicySpec,
): void {
  if (validations.length === 0 && auditAnnotations.length === 0) {
    const why = 'validations or auditAnnotations must contain at least one item';
    problems.push(required('spec.validations', why), required('spec.auditAnnotations', why));
    return;
  }
  validations.forEach((validation, index) => {
    validateValidation(problems, `spec.validations[${index}]`, validation);
  });
  const field = 'spec.auditAnnotations';
  if (auditAnnotations.length > annotationsMax)
    problems.push(
      wrong(field, auditAnnotations, `must not have more than ${annotationsMax} auditAnnotations`),
    );
  const keys = new Set<string>();
  auditAnnotations.forEach((annotation, index) => {
    const at = `${field}[${index}]`;
    validateAnnotation(problems, at, policy, annotation);
    if (keys.has(annotation.key)) problems.push(duplicate(`${at}.key`, annotation.key));
    keys.add(annotation.key);
  });
}

function validateValidation(
  problems: Problems,
  field: string,
  { expression, message = '', messageExpression = '', reason }: Validation,
): void {
  validateExpression(problems, `${field}.expression`, expression);
  if (messageExpression !== '' && messageExpression.trim() === '')
    problems.push(wrong(`${field}.messageExpression`, messageExpression, 'must be non-empty if specified'));
  if (message !== '' && message.trim() === '')
    problems.push(wrong(`${field}.message`, message, 'message must be non-empty if specified'));
  else if (/[\n\r]/.test(message.trim()))
    problems.push(wrong(`${field}.message`, message, 'message must not contain line breaks'));
  if (reason !== undefined && !reasons.includes(reason))
    problems.push(notSupported(`${field}.reason`, reason, reasons));
}

function validateAnnotation(
  problems: Problems,
  field: string,
  policy: string,
  { key = '', valueExpression = '' }: AuditAnnotation,
): void {
  if (policy === '') problems.push(wrong(`${field}.key`, key, 'requires metadata.name be non-empty'));
  else validateLabelKey(problems, `${field}.key`, `${policy}/${key}`);
  const expression = valueExpression.trim();
  const at = `${field}.valueExpression`;
  if (expression === '') problems.push(required(at, 'valueExpression is not specified'));
  else if (Buffer.byteLength(expression) > annotationBytesMax)
    problems.push(required(at, `must not exceed ${annotationBytesMax} bytes in length`));
}
