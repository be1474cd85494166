/**
 * Label and field selectors, as far as the fake client needs them: the API server has its own, with validation.
 *
 * Labels: `a=b`, `a==b`, `a!=b`, `a in (x, y)`, `a notin (x)`, `a`, `!a`. Fields: `path=value`, `path!=value`.
 */
import type { KubeObject } from '../api/index.ts';
import { CaelumError } from '../lib/index.ts';

type Labels = Readonly<Record<string, string>>;

/** A predicate over labels. Throws `badRequest` when the text is no selector. */
export function labelMatcher(selector: string | undefined): (labels: Labels | undefined) => boolean {
  if (selector === undefined || selector.trim() === '') return () => true;
  const terms = selector.split(/,(?![^(]*\))/).map(labelTerm);
  return (labels = {}) => terms.every((term) => term(labels));
}

function labelTerm(text: string): (labels: Labels) => boolean {
  const set = /^\s*(\S+)\s+(in|notin)\s*\(([^)]*)\)\s*$/.exec(text);
  if (set !== null) {
    const [, key = '', operator, list = ''] = set;
    const values = new Set(list.split(',').map((value) => value.trim()));
    if (operator === 'in') return (labels) => labels[key] !== undefined && values.has(labels[key]);
    return (labels) => labels[key] === undefined || !values.has(labels[key]);
  }
  const equality = /^\s*([^\s!=]+)\s*(==|=|!=)\s*([^\s!=]*)\s*$/.exec(text);
  if (equality !== null) {
    const [, key = '', operator, value] = equality;
    return operator === '!=' ? (labels) => labels[key] !== value : (labels) => labels[key] === value;
  }
  const presence = /^\s*(!?)\s*([^\s!=]+)\s*$/.exec(text);
  if (presence === null)
    throw new CaelumError('badRequest', `Cannot read label selector "${text}": not a requirement`);
  const [, not, key = ''] = presence;
  return not === '!' ? (labels) => labels[key] === undefined : (labels) => labels[key] !== undefined;
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
