/**
 * Label selectors as predicates: selector objects (`matchLabels`, `matchExpressions`), and terms that were read from a text
 * (`selector.ts`). Pure; compiled once for each selector object: predicates are on the path of every watch event.
 *
 * As Kubernetes: no selector matches nothing, an empty one matches everything; an operator that is not known matches nothing.
 * `NotIn` and `!=` match where the label is absent.
 */
import type { LabelSelector } from './types/meta.v1.ts';

export type Labels = Readonly<Record<string, string>>;
export type LabelPredicate = (labels: Labels | undefined) => boolean;

export interface LabelTerm {
  readonly key: string;
  /** `In`, `NotIn`, `Exists`, `DoesNotExist`, `Gt`, `Lt`. */
  readonly operator: string;
  readonly values?: readonly string[];
}

const compiled = new WeakMap<LabelSelector, LabelPredicate>();
const never: LabelPredicate = () => false;
const none: Labels = {};

export function labelPredicate(selector: LabelSelector | undefined): LabelPredicate {
  if (selector === undefined || selector === null) return never;
  let predicate = compiled.get(selector);
  if (predicate === undefined) {
    const pairs = Object.entries(selector.matchLabels ?? {});
    predicate = compileTerms([
      ...pairs.map(([key, value]) => ({ key, operator: 'In', values: [value] })),
      ...(selector.matchExpressions ?? []),
    ]);
    compiled.set(selector, predicate);
  }
  return predicate;
}

/** All terms hold. */
export function compileTerms(terms: readonly LabelTerm[]): LabelPredicate {
  const tests = terms.map(compileTerm);
  const [first] = tests;
  if (first === undefined) return () => true;
  if (tests.length === 1) return (labels) => first(labels ?? none);
  return (labels = none) => {
    for (const test of tests) if (!test(labels)) return false;
    return true;
  };
}

/** What a label is compared with is always a text: what every object inherits (`constructor`) is none. */
function compileTerm({ key, operator, values = [] }: LabelTerm): (labels: Labels) => boolean {
  const [only = ''] = values;
  const among = new Set(values);
  const bound = integerOf(only);
  switch (operator) {
    case 'In':
      return values.length === 1
        ? (labels) => labels[key] === only
        : (labels) => typeof labels[key] === 'string' && among.has(labels[key]);
    case 'NotIn':
      return values.length === 1
        ? (labels) => labels[key] !== only
        : (labels) => typeof labels[key] !== 'string' || !among.has(labels[key]);
    case 'Exists':
      return (labels) => typeof labels[key] === 'string';
    case 'DoesNotExist':
      return (labels) => typeof labels[key] !== 'string';
    case 'Gt':
      return (labels) => isGreater(integerOf(labels[key]), bound);
    case 'Lt':
      return (labels) => isGreater(bound, integerOf(labels[key]));
    default:
      return never;
  }
}

/** What Kubernetes compares: decimal, 64 bits, and exact beyond what a number holds. */
function integerOf(text: unknown): bigint | undefined {
  if (typeof text !== 'string' || !/^[+-]?\d+$/.test(text)) return undefined;
  const value = BigInt(text.replace('+', ''));
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

function isGreater(a: bigint | undefined, b: bigint | undefined): boolean {
  return a !== undefined && b !== undefined && a > b;
}

/** Every pair of `wanted` is among `labels`: a Service's selector, a nodeSelector. */
export function hasLabels(labels: Labels | undefined, wanted: Labels): boolean {
  for (const key in wanted) if (labels?.[key] !== wanted[key]) return false;
  return true;
}

/** As a label selector's text, for lists: `app=web,tier in (a,b)`. */
export function labelSelectorText(selector: LabelSelector): string {
  const terms = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    if (operator === 'Exists') terms.push(key);
    else if (operator === 'DoesNotExist') terms.push(`!${key}`);
    // `in ()` would be read as a mistake, not as the one value that is empty.
    else if (values.length === 1 && values[0] === '') terms.push(`${key}${operator === 'In' ? '=' : '!='}`);
    else terms.push(`${key} ${operator.toLowerCase()} (${[...values].sort().join(',')})`);
  }
  return terms.sort().join(',');
}
