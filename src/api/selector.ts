/**
 * Selectors as clients write them: text in, a predicate out. Pure; the predicates are on the path of every watch event.
 *
 *   labels: a=b, a==b, a!=b, a in (x,y), a notin (x), a, !a, a>1, a<1      fields: metadata.name=x, spec.nodeName!=y
 *
 * What is accepted and what is said of the rest is as in k8s.io/apimachinery/pkg/labels and pkg/fields.
 */
import type { CaelumError } from '../lib/index.ts';
import { badRequest } from './errors.ts';
import type { Kind } from './kind.ts';
import { compileTerms, type LabelPredicate, type LabelTerm } from './label-selector.ts';
import type { KubeObject } from './object.ts';
import { labelValue, qualifiedName } from './validation/names.ts';

/** undefined for "everything". Throws `badRequest`. */
export function parseLabelSelector(text: string | undefined): LabelPredicate | undefined {
  if (text === undefined || text === '') return undefined;
  const terms = parseLabelTerms(text);
  return terms.length === 0 ? undefined : compileTerms(terms);
}

type Token =
  | { readonly kind: 'word'; readonly text: string }
  | { readonly kind: 'symbol'; readonly text: string }
  | { readonly kind: 'end'; readonly text: '' };

const end: Token = { kind: 'end', text: '' };

/** Words, and the symbols `= == != ! ( ) , < >`. */
function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  for (const [, symbol, word] of text.matchAll(/\s*(?:(==|!=|[=!(),<>])|([^\s=!(),<>]+))/g))
    tokens.push(symbol === undefined ? { kind: 'word', text: word ?? '' } : { kind: 'symbol', text: symbol });
  return tokens;
}

/** The terms of a label selector. Throws `badRequest`. */
export function parseLabelTerms(text: string): readonly LabelTerm[] {
  return new LabelParser(tokensOf(text)).parse();
}

const comparisons: Readonly<Record<string, string>> = {
  in: 'In',
  notin: 'NotIn',
  '=': 'In',
  '==': 'In',
  '!=': 'NotIn',
  '>': 'Gt',
  '<': 'Lt',
};

class LabelParser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get #next(): Token {
    return this.#tokens[this.#at] ?? end;
  }

  #consume(): Token {
    const token = this.#next;
    this.#at++;
    return token;
  }

  #isNext(symbol: string): boolean {
    return this.#next.kind === 'symbol' && this.#next.text === symbol;
  }

  get #startsTerm(): boolean {
    return this.#next.kind === 'word' || this.#isNext('!');
  }

  parse(): LabelTerm[] {
    const terms: LabelTerm[] = [];
    if (this.#next.kind === 'end') return terms;
    if (!this.#startsTerm) throw found(this.#next, "!, identifier, or 'end of string'");
    for (;;) {
      terms.push(this.#term());
      const token = this.#consume();
      if (token.kind === 'end') return terms;
      if (token.text !== ',' || token.kind !== 'symbol') throw found(token, "',' or 'end of string'");
      if (!this.#startsTerm) throw found(this.#next, "identifier after ','");
    }
  }

  #term(): LabelTerm {
    const absent = this.#isNext('!');
    if (absent) this.#consume();
    const word = this.#consume();
    if (word.kind !== 'word') throw unparsable(`found '${word.text}', expected: identifier`);
    const key = word.text;
    const reasons = qualifiedName(key);
    if (reasons.length > 0) throw unparsable(`<nil>: Invalid value: ${quote(key)}: ${reasons.join('; ')}`);
    if (absent) return { key, operator: 'DoesNotExist' };
    if (this.#next.kind === 'end' || this.#isNext(',')) return { key, operator: 'Exists' };
    const symbol = this.#consume();
    const operator = Object.hasOwn(comparisons, symbol.text) ? comparisons[symbol.text] : undefined;
    if (operator === undefined)
      throw unparsable(`found '${symbol.text}', expected: in, notin, =, ==, !=, gt, lt`);
    const values = symbol.kind === 'word' ? this.#values() : [this.#exactValue()];
    checkValues(key, operator, values);
    return { key, operator, values };
  }

  #exactValue(): string {
    if (this.#next.kind === 'end' || this.#isNext(',')) return '';
    const token = this.#consume();
    if (token.kind !== 'word') throw unparsable(`found '${token.text}', expected: identifier`);
    return token.text;
  }

  /** `(a,b)`, sorted; `(,a)` holds the empty value too. */
  #values(): readonly string[] {
    const open = this.#consume();
    if (open.kind !== 'symbol' || open.text !== '(') throw unparsable(`found '${open.text}' expected: '('`);
    const values = new Set<string>();
    if (this.#isNext(')')) {
      this.#consume();
      return [];
    }
    if (this.#next.kind !== 'word' && !this.#isNext(','))
      throw unparsable(`found '${this.#next.text}', expected: ',', ')' or identifier`);
    for (;;) {
      if (this.#next.kind === 'word') values.add(this.#consume().text);
      else if (this.#isNext(',') || this.#isNext(')')) values.add('');
      else throw unparsable(`found '${this.#next.text}', expected: ',', or identifier`);
      const token = this.#consume();
      if (token.kind === 'symbol' && token.text === ')') return [...values].sort();
      if (token.kind !== 'symbol' || token.text !== ',')
        throw unparsable(`found '${token.text}', expected: ',' or ')'`);
    }
  }
}

function checkValues(key: string, operator: string, values: readonly string[]): void {
  if (values.length === 0)
    throw unparsable("values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty");
  if ((operator === 'Gt' || operator === 'Lt') && !/^[+-]?\d+$/.test(values[0] ?? ''))
    throw unparsable(
      `values[0]: Invalid value: ${quote(values[0] ?? '')}: for 'Gt', 'Lt' operators, the value must be an integer`,
    );
  values.forEach((value, index) => {
    const reasons = labelValue(value);
    if (reasons.length > 0)
      throw unparsable(`values[${index}][${key}]: Invalid value: ${quote(value)}: ${reasons.join('; ')}`);
  });
}

const quote = (text: string): string => JSON.stringify(text);
const found = (token: Token, expected: string): CaelumError =>
  badRequest(`found '${token.text}', expected: ${expected}`);
const unparsable = (why: string): CaelumError => badRequest(`unable to parse requirement: ${why}`);

export interface FieldTerm {
  readonly path: string;
  readonly operator: '=' | '!=';
  readonly value: string;
}

/** What fields can be selected by depends on no more of a kind. */
type Selectable = Pick<Kind, 'selectableFields' | 'namespaced'>;

/** The terms of a field selector. Throws `badRequest` for what is no selector, and for fields that the kind cannot be selected by. */
export function parseFieldTerms(text: string | undefined, kind: Selectable): readonly FieldTerm[] {
  if (text === undefined || text === '') return [];
  return splitFieldTerms(text).map((part) => {
    const match = /^([^=!]*)(!=|==|=)(.*)$/s.exec(part);
    if (match === null) throw badRequest(`invalid selector: '${text}'; can't understand '${part}'`);
    const [, path = '', operator, value = ''] = match;
    if (!isSelectable(path, kind)) throw badRequest(unknownField(path, kind));
    return { path, operator: operator === '!=' ? '!=' : '=', value: unescaped(value) };
  });
}

/** At commas that no backslash stands before. Empty parts say nothing. */
function splitFieldTerms(text: string): string[] {
  const parts: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === ',') {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  parts.push(text.slice(start));
  return parts.filter((part) => part !== '');
}

function unescaped(value: string): string {
  if (!/[\\=]/.test(value)) return value;
  let text = '';
  for (let at = 0; at < value.length; at++) {
    const character = value[at] ?? '';
    if (character === '\\') {
      const next = value[++at] ?? '';
      if (next === '' || !'\\,='.includes(next))
        throw badRequest(`invalid field selector: invalid escape sequence: ${character}${next}`);
      text += next;
    } else if (character === '=')
      throw badRequest(`invalid field selector: invalid field value: unescaped character in '${value}'`);
    else text += character;
  }
  return text;
}

const isSelectable = (path: string, kind: Selectable): boolean =>
  path === 'metadata.name' ||
  (path === 'metadata.namespace' && kind.namespaced) ||
  Object.hasOwn(kind.selectableFields, path);

function unknownField(path: string, kind: Selectable): string {
  return Object.keys(kind.selectableFields).length > 0
    ? `field label not supported: ${path}`
    : `${quote(path)} is not a known field selector: only "metadata.name", "metadata.namespace"`;
}

/** undefined for "everything". */
export function fieldPredicate(
  terms: readonly FieldTerm[],
  kind: Pick<Kind, 'selectableFields'>,
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

function readerOf(path: string, kind: Pick<Kind, 'selectableFields'>): (object: KubeObject) => string {
  if (path === 'metadata.name') return (object) => object.metadata.name ?? '';
  if (path === 'metadata.namespace') return (object) => object.metadata.namespace ?? '';
  return kind.selectableFields[path] ?? (() => '');
}
