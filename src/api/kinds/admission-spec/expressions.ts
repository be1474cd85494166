/**
 * The expressions of admission policies and of webhooks' match conditions, compiled: what they can see, what they must give.
 *
 *   spec ──▶ compilePolicy ──▶ programs, and what is wrong with each expression ──▶ validation (refused), admission (run), type checking (warned of)
 *
 * `object` and `params` are looked at as they come (`dyn`); to check types, they are given types. Each variable has the type of its expression, for those after it.
 * Source: Kubernetes 1.36, k8s.io/apiserver/pkg/admission/plugin/policy and plugin/cel, as behaviour.
 */
import * as cel from '../../cel/index.ts';
import type {
  AuditAnnotation,
  MatchCondition,
  Mutation,
  Validation,
  Variable,
} from '../../types/admissionregistration.v1.ts';
import { type Problems, wrong } from '../../validation/problems.ts';

const { bool, int, listOf, mapOf, objectOf, string, timestamp } = cel;

const group = (name: string, last: string): cel.ObjectType =>
  objectOf(`kubernetes.${name}`, { group: string, version: string, [last]: string });
const gvk = group('GroupVersionKind', 'kind');
const gvr = group('GroupVersionResource', 'resource');

const requestType = objectOf('kubernetes.AdmissionRequest', {
  kind: gvk,
  resource: gvr,
  subResource: string,
  requestKind: gvk,
  requestResource: gvr,
  requestSubResource: string,
  name: string,
  namespace: string,
  operation: string,
  userInfo: objectOf('kubernetes.UserInfo', {
    username: string,
    uid: string,
    groups: listOf(string),
    extra: mapOf(string, listOf(string)),
  }),
  dryRun: bool,
  options: cel.dyn,
});

const namespaceType = objectOf('kubernetes.Namespace', {
  metadata: objectOf('kubernetes.NamespaceMetadata', {
    name: string,
    generateName: string,
    namespace: string,
    labels: mapOf(string, string),
    annotations: mapOf(string, string),
    uid: string,
    UID: string,
    creationTimestamp: timestamp,
    deletionGracePeriodSeconds: int,
    deletionTimestamp: timestamp,
    generation: int,
    resourceVersion: string,
    finalizers: listOf(string),
  }),
  spec: objectOf('kubernetes.NamespaceSpec', { finalizers: listOf(string) }),
  status: objectOf('kubernetes.NamespaceStatus', { phase: string }),
});

const jsonPatchType = objectOf('JSONPatch', { op: string, path: string, from: string, value: cel.dyn }, true);

/** What an apply configuration is written as: `Object{spec: Object.spec{…}}`. Its fields are whatever is named. */
function applyType(name: string): cel.ObjectType {
  return { kind: 'object', name, isMade: true, field: (json) => ({ json, type: cel.dyn }) };
}
const applied = applyType('Object');

function madeObjects(name: string): cel.ObjectType | undefined {
  if (name === 'JSONPatch') return jsonPatchType;
  if (name === 'Object') return applied;
  return name.startsWith('Object.') ? applyType(name) : undefined;
}

/** The types of what is looked at, where they are known. */
export interface KnownTypes {
  readonly object?: cel.CelType;
  readonly params?: cel.CelType;
}

type Variables = Record<string, cel.CelType>;

function policyVariables(hasParams: boolean, { object = cel.dyn, params = cel.dyn }: KnownTypes): Variables {
  return {
    object,
    oldObject: object,
    request: requestType,
    namespaceObject: namespaceType,
    ...(hasParams ? { params } : {}),
    authorizer: cel.authorizerType,
    'authorizer.requestResource': cel.resourceCheckType,
  };
}

/** Match conditions of a webhook. */
export function compileCondition({ expression }: Pick<MatchCondition, 'expression'>): cel.Compiled {
  const { namespaceObject: _, ...variables } = policyVariables(false, {});
  return compiledOnce(`condition ${expression}`, () => cel.compile(expression, { variables, result: bool }));
}

/** The same expression is compiled when it is written, and again when it is run. */
const recent = new Map<string, cel.Compiled>();
const recentMax = 500;

function compiledOnce(key: string, make: () => cel.Compiled): cel.Compiled {
  let compiled = recent.get(key);
  if (compiled === undefined) {
    compiled = make();
    if (recent.size >= recentMax) recent.clear();
    recent.set(key, compiled);
  }
  return compiled;
}

export interface CompiledPart<T> {
  readonly of: T;
  readonly compiled: cel.Compiled;
}

export interface CompiledValidation extends CompiledPart<Validation> {
  readonly message: cel.Compiled | undefined;
}

export interface CompiledPolicy {
  readonly conditions: readonly CompiledPart<MatchCondition>[];
  readonly variables: readonly CompiledPart<Variable>[];
  readonly validations: readonly CompiledValidation[];
  readonly annotations: readonly CompiledPart<AuditAnnotation>[];
  readonly mutations: readonly CompiledPart<Mutation>[];
}

/** What a validating and a mutating policy have in their specs. */
export interface PolicySpec {
  readonly paramKind?: unknown;
  readonly matchConditions?: readonly MatchCondition[];
  readonly variables?: readonly Variable[];
  readonly validations?: readonly Validation[];
  readonly auditAnnotations?: readonly AuditAnnotation[];
  readonly mutations?: readonly Mutation[];
}

export function compilePolicy(spec: PolicySpec, known: KnownTypes = {}): CompiledPolicy {
  const visible = policyVariables(spec.paramKind !== undefined, known);
  const compile = (
    source: string | undefined,
    result: cel.CelType | readonly cel.CelType[],
    variables: Variables,
  ) => cel.compile(source ?? '', { variables, result, objects: madeObjects });
  const conditions = (spec.matchConditions ?? []).map((of) => ({
    of,
    compiled: compile(of.expression, bool, visible),
  }));
  const types: Record<string, cel.CelType> = {};
  const withVariables = (): Variables => ({ ...visible, variables: objectOf('kubernetes.variables', types) });
  const variables = (spec.variables ?? []).map((of) => {
    const compiled = compile(of.expression, cel.dyn, withVariables());
    types[of.name ?? ''] = compiled.program?.type ?? cel.dyn;
    return { of, compiled };
  });
  const all = withVariables();
  const { authorizer: _, 'authorizer.requestResource': __, ...noAuthorizer } = all;
  return {
    conditions,
    variables,
    validations: (spec.validations ?? []).map((of) => ({
      of,
      compiled: compile(of.expression, bool, all),
      message:
        (of.messageExpression ?? '').trim() === ''
          ? undefined
          : compile(of.messageExpression, string, noAuthorizer),
    })),
    annotations: (spec.auditAnnotations ?? []).map((of) => ({
      of,
      compiled: compile(of.valueExpression, [string, cel.nullType], all),
    })),
    mutations: (spec.mutations ?? []).map((of) => ({
      of,
      compiled:
        of.patchType === 'JSONPatch'
          ? compile(of.jsonPatch?.expression, listOf(jsonPatchType), all)
          : compile(of.applyConfiguration?.expression, applied, all),
    })),
  };
}

/** Every expression of a policy, with the field in which it stands. */
export function* expressionsOf(
  policy: CompiledPolicy,
): Iterable<{ field: string; source: string; compiled: cel.Compiled }> {
  const at = (list: string, index: number, name: string): string => `spec.${list}[${index}].${name}`;
  for (const [index, { of, compiled }] of policy.conditions.entries())
    yield { field: at('matchConditions', index, 'expression'), source: of.expression ?? '', compiled };
  for (const [index, { of, compiled }] of policy.variables.entries())
    yield { field: at('variables', index, 'expression'), source: of.expression ?? '', compiled };
  for (const [index, { of, compiled, message }] of policy.validations.entries()) {
    yield { field: at('validations', index, 'expression'), source: of.expression ?? '', compiled };
    if (message !== undefined)
      yield {
        field: at('validations', index, 'messageExpression'),
        source: of.messageExpression ?? '',
        compiled: message,
      };
  }
  for (const [index, { of, compiled }] of policy.annotations.entries())
    yield {
      field: at('auditAnnotations', index, 'valueExpression'),
      source: of.valueExpression ?? '',
      compiled,
    };
  for (const [index, { of, compiled }] of policy.mutations.entries()) {
    const name = of.patchType === 'JSONPatch' ? 'jsonPatch' : 'applyConfiguration';
    yield {
      field: at('mutations', index, `${name}.expression`),
      source: of[name]?.expression ?? '',
      compiled,
    };
  }
}

/** What does not compile. Expressions that are not there have been told of. */
export function validateExpressions(problems: Problems, spec: PolicySpec): void {
  for (const { field, source, compiled } of expressionsOf(compilePolicy(spec)))
    if (source.trim() !== '' && compiled.text !== undefined)
      problems.push(wrong(field, source, compiled.text));
}

/** The same for the conditions of one webhook. */
export function validateWebhookConditions(
  problems: Problems,
  field: string,
  conditions: readonly MatchCondition[] = [],
): void {
  conditions.forEach((condition, index) => {
    if ((condition.expression ?? '').trim() === '') return;
    const { text } = compileCondition(condition);
    if (text !== undefined) problems.push(wrong(`${field}[${index}].expression`, condition.expression, text));
  });
}
