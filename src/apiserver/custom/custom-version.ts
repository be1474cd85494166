/**
 * One version of a definition: what its schema does to documents. Everything is made when first needed, and kept.
 */
import {
  type CustomResourceDefinitionVersion,
  type FieldProblem,
  type KubeObject,
  structural,
} from '../../api/index.ts';

/** Rules in an expression language, beside the schema. */
export type RuleCheck = (
  object: KubeObject,
  old: KubeObject | undefined,
  findings: structural.Findings,
) => void;

/** Because of these the rules are not asked: they count on the types. */
const blocking = new Set([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
]);
const unchecked: FieldProblem = {
  reason: 'FieldValueInvalid',
  field: '<nil>',
  message:
    'Invalid value: "null": some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
};

interface Compiled {
  readonly check: structural.Check;
  readonly lists: structural.ListCheck | undefined;
  readonly embedded: structural.ListCheck | undefined;
  readonly rules: RuleCheck | undefined;
}

export class CustomVersion {
  readonly definition: CustomResourceDefinitionVersion;
  readonly #compileRules: (version: CustomVersion) => RuleCheck | undefined;
  #place: structural.Place | undefined;
  #compiled: Compiled | undefined;

  constructor(
    definition: CustomResourceDefinitionVersion,
    compileRules: (version: CustomVersion) => RuleCheck | undefined,
  ) {
    this.definition = definition;
    this.#compileRules = compileRules;
  }

  get name(): string {
    return this.definition.name;
  }

  get hasStatus(): boolean {
    return this.definition.subresources?.status !== undefined;
  }

  get place(): structural.Place {
    this.#place ??= structural.structureOf(this.definition.schema?.openAPIV3Schema);
    return this.#place;
  }

  /** Only what the schema knows; the same object where that is all. */
  pruned<T>(object: T, unknown?: string[]): T {
    return structural.pruned(object, this.place, unknown);
  }

  /** In full form; the same object where it is that already. */
  defaulted<T>(object: T): T {
    return structural.defaulted(structural.withoutNulls(object, this.place), this.place);
  }

  problemsOf(object: KubeObject, old: KubeObject | undefined): readonly FieldProblem[] {
    const { check, lists, embedded, rules } = this.#checks();
    const findings = new structural.Findings();
    check(object, old, findings);
    this.#checkScale(object, findings);
    embedded?.(object, findings);
    if (lists !== undefined && (old === undefined || isClean(lists, old))) lists(object, findings);
    if (rules !== undefined) {
      if (findings.problems.some(({ reason }) => blocking.has(reason))) findings.problems.push(unchecked);
      else rules(object, old, findings);
    }
    return findings.problems;
  }

  #checks(): Compiled {
    this.#compiled ??= {
      check: structural.compileSchema(this.definition.schema?.openAPIV3Schema ?? {}),
      lists: structural.compileListTypes(this.place),
      embedded: structural.embeddedCheck(this.place),
      rules: this.#compileRules(this),
    };
    return this.#compiled;
  }

  #checkScale(object: KubeObject, findings: structural.Findings): void {
    const { scale } = this.definition.subresources ?? {};
    if (scale === undefined) return;
    for (const path of [scale.specReplicasPath, scale.statusReplicasPath]) {
      const value = valueAt(object, stepsOf(path));
      if (typeof value !== 'number') continue;
      const field = path.slice(1);
      if (value < 0)
        findings.add('FieldValueInvalid', `Invalid value: ${value}: should be a non-negative integer`, field);
      else if (value > 2 ** 31 - 1)
        findings.add(
          'FieldValueInvalid',
          `Invalid value: ${value}: should be less than or equal to ${2 ** 31 - 1}`,
          field,
        );
    }
  }
}

function isClean(lists: structural.ListCheck, object: KubeObject): boolean {
  const findings = new structural.Findings();
  lists(object, findings);
  return findings.problems.length === 0;
}

/** `.spec.replicas` → spec, replicas. */
export const stepsOf = (path: string): readonly string[] => path.split('.').filter((step) => step !== '');

export function valueAt(object: unknown, steps: readonly string[]): unknown {
  return steps.reduce<unknown>(
    (value, step) => (value as structural.JsonObject | null | undefined)?.[step],
    object,
  );
}
