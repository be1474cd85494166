/**
 * Ingress classes: which controller serves ingresses that name the class.
 * Source: Kubernetes 1.36, pkg/apis/networking, as behaviour.
 */
import type { IngressClass, IngressClassParametersReference } from '../types/networking.v1.ts';
import { domainPrefixedPathProblems } from '../validation/domains.ts';
import { labelName } from '../validation/names.ts';
import {
  forbiddenField,
  immutableWhy,
  notSupported,
  type Problems,
  required,
  tooLong,
  wrong,
} from '../validation/problems.ts';
import { validateTypedReference } from '../validation/references.ts';
import { ageColumn, column, nameColumn, none } from './cells.ts';
import { defineKind } from './define.ts';

const controllerBytesMax = 250;
const scopes = ['Cluster', 'Namespace'];

function parametersCell({ spec }: IngressClass): string {
  const parameters = spec?.parameters;
  if (parameters === undefined) return none;
  const { kind, apiGroup, name } = parameters;
  return apiGroup === undefined ? `${kind}/${name}` : `${kind}.${apiGroup}/${name}`;
}

export const ingressClass = defineKind<IngressClass>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IngressClass',
  resource: 'ingressclasses',
  message: 'networking.v1.IngressClass',
  description: 'IngressClass says which controller serves the ingresses that name it.',
  namespaced: false,
  hasGeneration: true,
  columns: [
    nameColumn,
    column<IngressClass>('Controller', 'Who serves it.', ({ spec }) => spec?.controller ?? ''),
    column<IngressClass>('Parameters', 'Where its settings are.', parametersCell),
    ageColumn,
  ],
  applyDefaults({ spec }) {
    if (spec?.parameters !== undefined) spec.parameters.scope ??= 'Cluster';
  },
  validate({ spec }) {
    const problems: Problems = [];
    const field = 'spec.controller';
    const { controller = '', parameters } = spec ?? {};
    if (controller === '') problems.push(required(field));
    else {
      if (Buffer.byteLength(controller) > controllerBytesMax)
        problems.push(tooLong(field, controllerBytesMax));
      problems.push(...domainPrefixedPathProblems(field, controller));
    }
    if (parameters !== undefined) validateParameters(problems, 'spec.parameters', parameters);
    return problems;
  },
  validateUpdate({ spec }, old) {
    const controller = spec?.controller ?? '';
    return controller === (old.spec?.controller ?? '')
      ? []
      : [wrong('spec.controller', controller, immutableWhy)];
  },
});

function validateParameters(
  problems: Problems,
  field: string,
  parameters: IngressClassParametersReference,
): void {
  validateTypedReference(problems, field, parameters);
  const { scope, namespace } = parameters;
  const at = `${field}.namespace`;
  if (scope === undefined) problems.push(required(`${field}.scope`));
  else if (!scopes.includes(scope)) problems.push(notSupported(`${field}.scope`, scope, scopes));
  else if (scope === 'Cluster') {
    if (namespace !== undefined) problems.push(forbiddenField(at, "`parameters.scope` is set to 'Cluster'"));
  } else if (namespace === undefined) problems.push(required(at, "`parameters.scope` is set to 'Namespace'"));
  else for (const why of labelName(namespace)) problems.push(wrong(at, namespace, why));
}
