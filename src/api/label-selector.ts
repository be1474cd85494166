/**
 * LabelSelector objects (`matchLabels`, `matchExpressions`) as predicates. Pure; compiled once for each selector object.
 *
 * As Kubernetes: no selector matches nothing, an empty one matches everything; an operator that is not known matches nothing.
 */
import type { LabelSelector } from './types/meta.v1.ts';

export type Labels = Readonly<Record<string, string>>;
export type LabelPredicate = (labels: Labels | undefined) => boolean;

const compiled = new WeakMap<LabelSelector, LabelPredicate>();
const never: LabelPredicate = () => false;

export function labelPredicate(selector: LabelSelector | undefined): LabelPredicate {
  if (selector === undefined || selector === null) return never;
  let predicate = compiled.get(selector);
  if (predicate === undefined) {
    predicate = compile(selector);
    compiled.set(selector, predicate);
  }
  return predicate;
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
    else terms.push(`${key} ${operator.toLowerCase()} (${[...values].sort().join(',')})`);
  }
  return terms.sort().join(',');
}

function compile(selector: LabelSelector): LabelPredicate {
  const pairs = Object.entries(selector.matchLabels ?? {});
  const terms = (selector.matchExpressions ?? []).map(({ key, operator, values = [] }) => {
    const among = new Set(values);
    switch (operator) {
      case 'In':
        return (labels: Labels) => labels[key] !== undefined && among.has(labels[key]);
      case 'NotIn':
        return (labels: Labels) => labels[key] === undefined || !among.has(labels[key]);
      case 'Exists':
        return (labels: Labels) => labels[key] !== undefined;
      case 'DoesNotExist':
        return (labels: Labels) => labels[key] === undefined;
      default:
        return never;
    }
  });
  return (labels = {}) => {
    for (const [key, value] of pairs) if (labels[key] !== value) return false;
    for (const term of terms) if (!term(labels)) return false;
    return true;
  };
}
