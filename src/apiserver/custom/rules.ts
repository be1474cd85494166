/**
 * The rules of a schema, run over documents: compiled once a version, only where there are some.
 *
 *   schema ─▶ a tree of the places with rules below ─▶ for each value there: self, oldSelf where it can be told which that was ─▶ findings
 *
 * All rules of one request share a budget; what runs out of it is told, and nothing more is run.
 * Ratcheting: a value that was there before and has not changed is not held to rules about itself alone.
 * Source: Kubernetes' documentation of custom resources (validation rules); k8s.io/apiextensions-apiserver schema/cel, as behaviour.
 */
import { type CompiledRule, cel, compileRules, type JSONSchemaProps, structural } from '../../api/index.ts';
import { sameJson } from '../../lib/index.ts';
import type { CustomVersion, RuleCheck } from './custom-version.ts';

interface Node {
  readonly type: string;
  readonly rules: readonly CompiledRule[];
  readonly allOf: readonly Node[];
  readonly properties: ReadonlyMap<string, Node>;
  readonly additional: Node | undefined;
  readonly items: Node | undefined;
  /** Elements are told apart by these; undefined: nobody knows which was which. */
  readonly keys: readonly string[] | undefined;
  readonly isAtomic: boolean;
}

/** undefined: the schema has no rules. */
export function rulesOf(version: CustomVersion): RuleCheck | undefined {
  const schema = version.definition.schema?.openAPIV3Schema;
  const root = schema === undefined ? undefined : nodeOf(schema, schema, true);
  if (root === undefined) return undefined;
  return (object, old, findings) => {
    const near = old === undefined ? undefined : new Correlation(object, old);
    new Walk(findings).visit(root, object, old, near);
  };
}

/** `rules` says what to run, `schema` of which type things are: within allOf they are two. */
function nodeOf(rules: JSONSchemaProps, schema: JSONSchemaProps, isRoot: boolean): Node | undefined {
  const own = compileRules(
    { ...schema, 'x-kubernetes-validations': rules['x-kubernetes-validations'] ?? [] },
    isRoot,
  );
  const properties = new Map<string, Node>();
  for (const [name, property] of Object.entries(rules.properties ?? {})) {
    const known = schema.properties?.[name];
    const node = known === undefined ? undefined : nodeOf(property, known, false);
    if (node !== undefined) properties.set(name, node);
  }
  const below = (part: unknown, known: unknown): Node | undefined =>
    structural.isObject(part) && structural.isObject(known) ? nodeOf(part, known, false) : undefined;
  const items = below(rules.items, schema.items);
  const additional = below(rules.additionalProperties, schema.additionalProperties);
  const allOf = (rules.allOf ?? []).flatMap((one) => nodeOf(one, schema, isRoot) ?? []);
  if (own.length + properties.size + allOf.length === 0 && items === undefined && additional === undefined)
    return undefined;
  const isMap = schema['x-kubernetes-list-type'] === 'map';
  return {
    type: schema.type ?? '',
    rules: own,
    allOf,
    properties,
    additional,
    items,
    keys: isMap ? schema['x-kubernetes-list-map-keys'] : undefined,
    isAtomic: schema['x-kubernetes-map-type'] === 'atomic',
  };
}

/** A value and what it was before. */
class Correlation {
  readonly #now: unknown;
  readonly #before: unknown;
  #isSame: boolean | undefined;

  constructor(now: unknown, before: unknown) {
    this.#now = now;
    this.#before = before;
  }

  get isSame(): boolean {
    this.#isSame ??= sameJson(this.#now, this.#before);
    return this.#isSame;
  }
}

class Walk {
  readonly #findings: structural.Findings;
  #budget: number = cel.requestCostMax;
  #isOver = false;

  constructor(findings: structural.Findings) {
    this.#findings = findings;
  }

  /** `near`: the nearest place, from here upwards, of which it can be told what it was. */
  visit(node: Node, value: unknown, old: unknown, near: Correlation | undefined): void {
    if (value === null || value === undefined || this.#isOver) return;
    for (const rule of node.rules) {
      this.#run(node, rule, value, old, near);
      if (this.#isOver) return;
    }
    for (const one of node.allOf) this.visit(one, value, old, near);
    if (Array.isArray(value)) this.#visitList(node, value, old, near);
    else if (structural.isObject(value)) this.#visitObject(node, value, old, near);
  }

  #visitList(node: Node, list: readonly unknown[], old: unknown, near: Correlation | undefined): void {
    const { items, keys } = node;
    if (items === undefined) return;
    const before = keys !== undefined && Array.isArray(old) ? structural.elementsByKey(old, keys) : undefined;
    list.forEach((item, index) => {
      this.#findings.enter(index);
      this.#below(items, item, before?.get(structural.keyOf(item, keys)), near);
      this.#findings.leave();
    });
  }

  #visitObject(node: Node, object: structural.JsonObject, old: unknown, near: Correlation | undefined): void {
    const { properties, additional } = node;
    if (properties.size === 0 && additional === undefined) return;
    const before = structural.isObject(old) && !node.isAtomic ? old : undefined;
    for (const field in object) {
      const property = properties.get(field);
      const below = property ?? additional;
      if (below === undefined) continue;
      if (property === undefined) this.#findings.enterKey(field);
      else this.#findings.enter(field);
      this.#below(below, object[field], before?.[field], near);
      this.#findings.leave();
    }
  }

  #below(node: Node, value: unknown, old: unknown, near: Correlation | undefined): void {
    this.visit(node, value, old, old === undefined || old === null ? near : new Correlation(value, old));
  }

  #run(
    node: Node,
    compiled: CompiledRule,
    value: unknown,
    old: unknown,
    near: Correlation | undefined,
  ): void {
    const { rule, program, usesOldSelf } = compiled;
    const text = (rule.message ?? '').trim() || (rule.rule ?? '').trim();
    if (program === undefined) {
      this.#tell(node, compiled, `rule compile error: ${compiled.problem}`, true);
      return;
    }
    const isOptional = rule.optionalOldSelf === true;
    if (usesOldSelf && (old === undefined || old === null) && !isOptional) return;
    const bindings = bindingsOf(value, old, usesOldSelf, isOptional);
    const outcome = program.evaluate(bindings, { costLimit: cel.callCostMax });
    if (!this.#spend(node, outcome.cost)) return;
    if (outcome.error !== undefined) {
      this.#tellError(node, outcome.error, outcome.isOverLimit === true, text);
      return;
    }
    if (outcome.value === true) return;
    if (!usesOldSelf && near?.isSame === true) return;
    const said = this.#messageOf(node, compiled, bindings);
    if (said === undefined) return;
    const standard = (rule.message ?? '') === '' ? `failed rule: ${text}` : text;
    this.#tell(node, compiled, said === '' ? standard : said);
  }

  /** '' where the expression gives nothing that can be told; undefined: the budget ended. */
  #messageOf(node: Node, { message, rule }: CompiledRule, bindings: Bindings): string | undefined {
    if (message === undefined) return '';
    const { value, error, isOverLimit, cost } = message.evaluate(bindings, { costLimit: cel.callCostMax });
    if (isOverLimit === true) {
      const why = `no further validation rules will be run due to call cost exceeds limit for messageExpression: ${JSON.stringify(rule.messageExpression)}`;
      this.#end(node, why);
      return undefined;
    }
    if (cost > this.#budget) {
      this.#end(
        node,
        'messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run',
      );
      return undefined;
    }
    this.#budget -= cost;
    if (error !== undefined || typeof value !== 'string') return '';
    const text = value.trim();
    return text.length > messageLengthMax || text.includes('\n') ? '' : text;
  }

  #spend(node: Node, cost: number): boolean {
    if (cost > this.#budget) {
      this.#end(
        node,
        'validation failed due to running out of cost budget, no further validation rules will be run',
      );
      return false;
    }
    this.#budget -= cost;
    return true;
  }

  #end(node: Node, why: string): void {
    this.#isOver = true;
    this.#findings.invalid(node.type, why);
  }

  #tellError(node: Node, error: string, isOverLimit: boolean, text: string): void {
    if (isOverLimit)
      this.#end(
        node,
        `'${error}': no further validation rules will be run due to call cost exceeds limit for rule: ${text}`,
      );
    else if (error.startsWith('no such overload'))
      this.#findings.invalid(
        node.type,
        `'${error}': call arguments did not match a supported operator, function or macro signature for rule: ${text}`,
      );
    else this.#findings.invalid(node.type, `${error} evaluating rule: ${text}`);
  }

  #tell(node: Node, { rule, path }: CompiledRule, why: string, isOwn = false): void {
    const findings = this.#findings;
    const here = findings.path;
    const field = path === '' ? findings.field : here === '' ? path : `${here}.${path}`;
    const value = JSON.stringify(node.type);
    const [reason, text] = isOwn ? told('FieldValueInvalid') : told(rule.reason);
    findings.add(reason, text, field);

    function told(reason: string | undefined): readonly [reason: string, text: string] {
      switch (reason) {
        case 'FieldValueForbidden':
          return [reason, `Forbidden: ${why}`];
        case 'FieldValueRequired':
          return [reason, `Required value: ${why}`];
        case 'FieldValueDuplicate':
          return [reason, `Duplicate value: ${value}`];
        default:
          return ['FieldValueInvalid', `Invalid value: ${value}: ${why}`];
      }
    }
  }
}

const messageLengthMax = 5 * 1024;

type Bindings = Readonly<Record<string, unknown>>;

function bindingsOf(self: unknown, old: unknown, usesOldSelf: boolean, isOptional: boolean): Bindings {
  if (!usesOldSelf) return { self };
  if (!isOptional) return { self, oldSelf: old };
  return { self, oldSelf: old === undefined || old === null ? cel.none : cel.some(old) };
}
