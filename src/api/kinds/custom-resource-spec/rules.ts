/**
 * The rules of a schema (`x-kubernetes-validations`), compiled: what they say, whether they compare with what was before, and what they may cost.
 *
 * Source: Kubernetes' documentation of custom resources (validation rules); k8s.io/apiextensions-apiserver schema/cel, as behaviour.
 */
import * as cel from '../../cel/index.ts';
import type { JSONSchemaProps, ValidationRule } from '../../types/apiextensions.v1.ts';
import { forbiddenField, type Problems, wrong } from '../../validation/problems.ts';

export interface CompiledRule {
  readonly rule: ValidationRule;
  readonly program: cel.Program | undefined;
  /** Why there is none. */
  readonly problem: string | undefined;
  readonly message: cel.Program | undefined;
  readonly messageProblem: string | undefined;
  readonly usesOldSelf: boolean;
  /** Where problems are told of, below the place of the rule: `spec.replicas`; '' for the place itself. */
  readonly path: string;
  readonly pathProblem: string | undefined;
}

/** `isRoot`: the schema is that of the whole object. */
export function compileRules(schema: JSONSchemaProps, isRoot: boolean): readonly CompiledRule[] {
  const rules = schema['x-kubernetes-validations'] ?? [];
  if (rules.length === 0) return [];
  const self = cel.typeOfSchema(schema, { isRoot });
  return rules.map((rule) => compileRule(rule, schema, self));
}

function compileRule(rule: ValidationRule, schema: JSONSchemaProps, self: cel.CelType): CompiledRule {
  const variables = { self, oldSelf: rule.optionalOldSelf === true ? cel.optionalOf(self) : self };
  const { program, text } = cel.compile(rule.rule ?? '', { variables, result: cel.bool });
  const says = rule.messageExpression ?? '';
  const message = says.trim() === '' ? undefined : cel.compile(says, { variables, result: cel.string });
  const path = pathIn(schema, rule.fieldPath ?? '');
  const isWrongType = text?.startsWith('must evaluate') === true;
  return {
    rule,
    program,
    problem: isWrongType ? 'cel expression must evaluate to a bool' : text,
    message: message?.program,
    messageProblem:
      message?.text === undefined
        ? undefined
        : message.text.startsWith('must evaluate')
          ? 'messageExpression must evaluate to a string'
          : `messageExpression ${message.text}`,
    usesOldSelf: program?.uses.has('oldSelf') === true || message?.program?.uses.has('oldSelf') === true,
    ...('why' in path ? { path: '', pathProblem: path.why } : { path: path.text, pathProblem: undefined }),
  };
}

/** `.spec.map['a b']` as problems spell it: `spec.map[a b]`. */
function pathIn(schema: JSONSchemaProps, path: string): { readonly text: string } | { readonly why: string } {
  // Of one that is blank or broken something has been said already.
  if (path.trim() === '' || /[\n\r]/.test(path)) return { text: '' };
  let place: JSONSchemaProps | undefined = schema;
  let text = '';
  for (let at = 0; at < path.length; ) {
    const found: RegExpExecArray | null = /^(?:\.([^.[\]]+)|\['((?:\\.|[^'\\])*)'\])/.exec(path.slice(at));
    if (found === null) return { why: `expected [ or . but got: ${path.slice(at)}` };
    at += found[0].length;
    const name = found[1] ?? (found[2] ?? '').replaceAll(/\\(.)/g, '$1');
    const property: JSONSchemaProps | undefined = place?.properties?.[name];
    const additional: JSONSchemaProps['additionalProperties'] = place?.additionalProperties;
    if (property !== undefined) text += text === '' ? name : `.${name}`;
    else if (place?.properties === undefined && typeof additional === 'object') text += `[${name}]`;
    else return { why: 'does not refer to a valid field' };
    place = property ?? (additional as JSONSchemaProps);
  }
  return { text };
}

/** Where rules stand: how often they may be run for one object, and what keeps them from comparing. */
export interface RulePlace {
  readonly isRoot: boolean;
  readonly times: number;
  /** The schema within which nobody can say what was what before. */
  readonly uncorrelated: string | undefined;
}

/** What all rules of a schema cost together, and which cost most. */
export class RuleCosts {
  total = 0;
  #dearest: { readonly field: string; readonly cost: number }[] = [];

  add(field: string, cost: number): void {
    this.total += cost;
    this.#dearest.push({ field, cost });
    this.#dearest.sort((a, b) => b.cost - a.cost);
    this.#dearest = this.#dearest.slice(0, 4);
  }

  check(problems: Problems, field: string): void {
    if (this.total <= cel.schemaCostMax) return;
    for (const dear of this.#dearest)
      problems.push(
        forbiddenField(
          dear.field,
          'contributed to estimated rule & messageExpression cost total exceeding cost limit for entire OpenAPIv3 schema',
        ),
      );
    const what =
      'x-kubernetes-validations estimated rule & messageExpression cost total for entire OpenAPIv3 schema';
    problems.push(forbiddenField(field, costWhy(what, this.total, cel.schemaCostMax)));
  }
}

function costWhy(what: string, cost: number, limit: number): string {
  const times = cost / limit;
  const factor =
    times > 100 ? 'more than 100x' : times < 1.5 ? `${times.toFixed(6)}x` : `${times.toFixed(1)}x`;
  return `${what} exceeds budget by factor of ${factor} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`;
}

/** Compiles the rules of one place of a definition, and tells what is wrong with them. */
export function validateRules(
  problems: Problems,
  field: string,
  schema: JSONSchemaProps,
  { isRoot, times, uncorrelated }: RulePlace,
  costs: RuleCosts,
): void {
  const cost = (at: string, what: string, program: cel.Program | undefined): void => {
    if (program === undefined) return;
    const all = program.costMax * times;
    if (all > cel.ruleCostMax) problems.push(forbiddenField(at, costWhy(what, all, cel.ruleCostMax)));
    costs.add(at, all);
  };
  compileRules(schema, isRoot).forEach((compiled, index) => {
    const { rule } = compiled;
    if ((rule.rule ?? '').trim() === '') return;
    const at = `${field}.x-kubernetes-validations[${index}]`;
    cost(`${at}.rule`, 'estimated rule cost', compiled.program);
    if (compiled.problem !== undefined) problems.push(wrong(`${at}.rule`, rule.rule, compiled.problem));
    if (compiled.messageProblem !== undefined)
      problems.push(wrong(`${at}.messageExpression`, rule.messageExpression, compiled.messageProblem));
    cost(`${at}.messageExpression`, 'estimated messageExpression cost', compiled.message);
    if (compiled.pathProblem !== undefined)
      problems.push(
        wrong(`${at}.fieldPath`, rule.fieldPath, `fieldPath must be a valid path: ${compiled.pathProblem}`),
      );
    if (compiled.usesOldSelf && uncorrelated !== undefined)
      problems.push(
        wrong(
          `${at}.rule`,
          rule.rule,
          `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelated}`,
        ),
      );
    else if (!compiled.usesOldSelf && rule.optionalOldSelf !== undefined && compiled.program !== undefined)
      problems.push(
        wrong(`${at}.optionalOldSelf`, rule.optionalOldSelf, 'may not be set if oldSelf is not used in rule'),
      );
  });
}
