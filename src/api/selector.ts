/**
 * Selectors as clients write them: text in, a predicate out. Pure; the predicates are on the path of every watch event.
 *
 *   labels: a=b, a==b, a!=b, a in (x,y), a notin (x), a, !a      fields: metadata.name=x, spec.nodeName!=y
 *
 * Source: k8s.io/apimachinery/pkg/labels, pkg/fields.
 */
import { badRequest } from './errors.ts';
import type { Kind } from './kind.ts';
import type { LabelPredicate, Labels } from './label-selector.ts';
import type { KubeObject } from './object.ts';

export interface FieldTerm {
  readonly path: string;
  readonly operator: '=' | '!=';
  readonly value: string;
}

const keyPattern = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const valuePattern = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

/** undefined for "everything". Throws `badRequest`. */
export function parseLabelSelector(text: string | undefined): LabelPredicate | undefined {
  if (text === undefined || text.trim() === '') return undefined;
  const terms = splitTerms(text).map(labelTerm);
  if (terms.length === 1) return terms[0];
  return (labels) => terms.every((term) => term(labels));
}

/** At commas, but not inside parentheses. */
function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '(') depth++;
    else if (character === ')') depth--;
    else if (character === ',' && depth === 0) {
      terms.push(text.slice(start, at));
      start = at + 1;
    }
  }
  terms.push(text.slice(start));
  if (depth !== 0) throw unparsable(`found '${text}', expected: ')'`);
  return terms.map((term) => term.trim());
}

function labelTerm(text: string): LabelPredicate {
  const set = /^(\S+)\s+(in|notin)\s*\((.*)\)$/.exec(text);
  if (set !== null) {
    const key = validKey(set[1] as string);
    const values = new Set((set[3] as string).split(',').map((value) => validValue(value.trim())));
    return set[2] === 'in'
      ? (labels) => has(labels, key) && values.has(labels?.[key] as string)
      : (labels) => !has(labels, key) || !values.has(labels?.[key] as string);
  }
  const equality = /^([^\s=!]+)\s*(==|=|!=)\s*(.*)$/.exec(text);
  if (equality !== null) {
    const key = validKey(equality[1] as string);
    const value = validValue(equality[3] as string);
    return equality[2] === '!=' ? (labels) => labels?.[key] !== value : (labels) => labels?.[key] === value;
  }
  if (text.startsWith('!')) {
    const key = validKey(text.slice(1).trim());
    return (labels) => !has(labels, key);
  }
  const key = validKey(text);
  return (labels) => has(labels, key);
}

const has = (labels: Labels | undefined, key: string): boolean =>
  labels !== undefined && Object.hasOwn(labels, key);

function unparsable(why: string) {
  return badRequest(`unable to parse requirement: ${why}`);
}

function validKey(key: string): string {
  if (key === '') throw unparsable(`found '', expected: !, identifier, or 'end of string'`);
  if (!keyPattern.test(key))
    throw unparsable(
      `<nil>: Invalid value: "${key}": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
    );
  return key;
}

function validValue(value: string): string {
  if (!valuePattern.test(value))
    throw unparsable(
      `values[0][]: Invalid value: "${value}": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`,
    );
  return value;
}

/** The terms of a field selector. Throws `badRequest` for what is no selector, and for fields that the kind cannot be selected by. */
export function parseFieldTerms(text: string | undefined, kind: Kind): readonly FieldTerm[] {
  if (text === undefined || text.trim() === '') return [];
  return text.split(/(?<!\\),/).map((part) => {
    const match = /^\s*([^=!\s]+)\s*(==|=|!=)(.*)$/.exec(part);
    if (match === null) throw badRequest(`invalid selector: '${part}'; can't understand '${part}'`);
    const path = match[1] as string;
    if (
      path !== 'metadata.name' &&
      path !== 'metadata.namespace' &&
      kind.selectableFields[path] === undefined
    )
      throw badRequest(`field label not supported: ${path}`);
    const value = (match[3] as string).replaceAll(/\\([\\,=])/g, '$1');
    return { path, operator: match[2] === '!=' ? '!=' : '=', value };
  });
}

/** undefined for "everything". */
export function fieldPredicate(
  terms: readonly FieldTerm[],
  kind: Kind,
): ((object: KubeObject) => boolean) | undefined {
  if (terms.length === 0) return undefined;
  const tests = terms.map(({ path, operator, value }) => {
    const read = readerOf(path, kind);
    return operator === '='
      ? (object: KubeObject) => read(object) === value
      : (object: KubeObject) => read(object) !== value;
  });
  const [first] = tests;
  return tests.length === 1 ? first : (object) => tests.every((test) => test(object));
}

function readerOf(path: string, kind: Kind): (object: KubeObject) => string {
  if (path === 'metadata.name') return (object) => object.metadata.name ?? '';
  if (path === 'metadata.namespace') return (object) => object.metadata.namespace ?? '';
  return kind.selectableFields[path] ?? (() => '');
}
