/**
 * Label and field selectors, as far as the fake client needs them: fields may be any, whereas the API server knows which a kind can be selected by.
 *
 * Labels: as the API server reads them. Fields: `path=value`, `path!=value`.
 */
import { type KubeObject, type LabelPredicate, parseLabelSelector } from '../api/index.ts';
import { CaelumError } from '../lib/index.ts';

/** A predicate over labels. Throws `badRequest` when the text is no selector. */
export function labelMatcher(selector: string | undefined): LabelPredicate {
  return parseLabelSelector(selector) ?? (() => true);
}

/** A predicate over any field by its path; a missing value is ''. */
export function fieldMatcher(selector: string | undefined): (object: KubeObject) => boolean {
  if (selector === undefined || selector.trim() === '') return () => true;
  const terms = selector.split(',').map((text) => {
    const [, path = '', operator, value = ''] = /^\s*([^!=\s]+)\s*(==|=|!=)\s*(.*?)\s*$/.exec(text) ?? [];
    if (operator === undefined)
      throw new CaelumError('badRequest', `Cannot read field selector "${text}": not a requirement`);
    const steps = path.split('.');
    return (object: KubeObject) => {
      let at: unknown = object;
      for (const step of steps) at = (at as Record<string, unknown> | undefined)?.[step];
      return (String(at ?? '') === value) === (operator !== '!=');
    };
  });
  return (object) => terms.every((term) => term(object));
}
