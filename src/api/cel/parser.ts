/**
 * Reads an expression into its tree. Macros (`has`, `all`, `map`, `cel.bind`, …) become nodes of their own on the way (`macros.ts`).
 * Never throws for any source: the first syntax error ends it, told in the words of the reference implementation.
 * Source: the grammar of cel-spec, doc/langdef.md; positions as cel-go gives them (a call is at its parenthesis, a field at its dot).
 */
import { type Token, tokensOf } from './lexer.ts';
import { expandMacro } from './macros.ts';
import { type Entry, type FieldEntry, type Flaw, type Literal, type Node, qualifiedName } from './syntax.ts';

const sourceMax = 100_000;
const depthMax = 250;
const operand =
  "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";
const keywords = new Set(['true', 'false', 'null', 'in']);
const reserved = new Set(
  'as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);
const relations = new Set(['<', '<=', '>', '>=', '==', '!=', 'in']);

/** Ends the reading; caught in `parse`. */
class Refusal {
  readonly flaw: Flaw;
  constructor(flaw: Flaw) {
    this.flaw = flaw;
  }
}

export function parse(source: string): { readonly node: Node } | { readonly flaws: readonly Flaw[] } {
  if (source.length > sourceMax && Array.from(source).length > sourceMax)
    return {
      flaws: [
        {
          at: 0,
          message: `expression code point size exceeds limit: size: ${Array.from(source).length}, limit ${sourceMax}`,
        },
      ],
    };
  const { tokens, flaws } = tokensOf(source);
  const reader = new Reader(tokens);
  try {
    const node = reader.whole();
    return flaws.length > 0 ? { flaws } : { node };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { flaws: [...flaws, error.flaw].sort((a, b) => a.at - b.at) };
  }
}

class Reader {
  private readonly tokens: readonly Token[];
  private index = 0;
  private depth = 0;

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens;
  }

  whole(): Node {
    const node = this.expression();
    const rest = this.peek();
    if (rest.kind !== 'end')
      this.refuse(rest, `Syntax error: mismatched input '${rest.text}' expecting <EOF>`);
    return node;
  }

  private peek(): Token {
    return (this.tokens[this.index] ?? this.tokens.at(-1)) as Token;
  }

  private next(): Token {
    const token = this.peek();
    this.index++;
    return token;
  }

  private refuse(token: { at: number }, message: string): never {
    throw new Refusal({ at: token.at, message });
  }

  private is(text: string): boolean {
    const token = this.peek();
    return token.text === text && (token.kind === 'mark' || (text === 'in' && token.kind === 'name'));
  }

  private skip(text: string): boolean {
    const found = this.is(text);
    if (found) this.index++;
    return found;
  }

  private expect(text: string): Token {
    const token = this.peek();
    if (!this.is(text))
      this.refuse(
        token,
        token.kind === 'end'
          ? `Syntax error: missing '${text}' at '<EOF>'`
          : `Syntax error: mismatched input '${token.text}' expecting '${text}'`,
      );
    this.index++;
    return token;
  }

  private expression(): Node {
    if (++this.depth > depthMax) this.refuse(this.peek(), `expression recursion limit exceeded: ${depthMax}`);
    let node = this.either();
    const sign = this.peek();
    if (this.skip('?')) {
      const yes = this.either();
      this.expect(':');
      const no = this.expression();
      node = { kind: 'choice', at: sign.at, condition: node, yes, no };
    }
    this.depth--;
    return node;
  }

  private either(): Node {
    let left = this.both();
    for (let sign = this.peek(); this.skip('||'); sign = this.peek())
      left = { kind: 'or', at: sign.at, left, right: this.both() };
    return left;
  }

  private both(): Node {
    let left = this.relation();
    for (let sign = this.peek(); this.skip('&&'); sign = this.peek())
      left = { kind: 'and', at: sign.at, left, right: this.relation() };
    return left;
  }

  private relation(): Node {
    let left = this.sum();
    for (;;) {
      const sign = this.peek();
      if (!(sign.kind === 'mark' || sign.kind === 'name') || !relations.has(sign.text)) return left;
      this.index++;
      const name = sign.text === 'in' ? '@in' : `_${sign.text}_`;
      left = { kind: 'call', at: sign.at, name, target: undefined, args: [left, this.sum()] };
    }
  }

  private sum(): Node {
    let left = this.product();
    for (let sign = this.peek(); this.skip('+') || this.skip('-'); sign = this.peek())
      left = {
        kind: 'call',
        at: sign.at,
        name: `_${sign.text}_`,
        target: undefined,
        args: [left, this.product()],
      };
    return left;
  }

  private product(): Node {
    let left = this.unary();
    for (let sign = this.peek(); this.skip('*') || this.skip('/') || this.skip('%'); sign = this.peek())
      left = {
        kind: 'call',
        at: sign.at,
        name: `_${sign.text}_`,
        target: undefined,
        args: [left, this.unary()],
      };
    return left;
  }

  private unary(): Node {
    const sign = this.peek();
    if (sign.kind !== 'mark' || (sign.text !== '!' && sign.text !== '-')) return this.member(this.primary());
    let count = 0;
    while (this.skip(sign.text)) count++;
    const token = this.peek();
    if (sign.text === '-' && token.kind === 'literal') {
      const { literal } = token;
      if (literal.type === 'int' || literal.type === 'double') {
        this.index++;
        const negated: Literal =
          literal.type === 'double'
            ? { type: 'double', value: -literal.value }
            : { type: 'int', value: -literal.value };
        count--;
        const node = this.member({ kind: 'literal', at: sign.at, literal: negated });
        return count % 2 === 0 ? node : negation(sign.at, '-_', node);
      }
    }
    const node = this.member(this.primary());
    return count % 2 === 0 ? node : negation(sign.at, sign.text === '!' ? '!_' : '-_', node);
  }

  private member(node: Node): Node {
    for (;;) {
      const sign = this.peek();
      if (this.skip('[')) {
        const isOptional = this.skip('?');
        const index = this.expression();
        this.expect(']');
        node = { kind: 'index', at: sign.at, of: node, index, isOptional };
      } else if (this.skip('.')) {
        const isOptional = this.skip('?');
        const name = this.next();
        if (!(name.kind === 'name' && !keywords.has(name.text)) && name.kind !== 'quoted')
          this.refuse(name, `Syntax error: no viable alternative at input '.${name.text}'`);
        const open = this.peek();
        if (!isOptional && name.kind === 'name' && this.skip('(')) {
          const args = this.list(')');
          node = this.call(open.at, name.text, node, args);
        } else {
          node = { kind: 'select', at: sign.at, of: node, field: name.text, isOptional, isTest: false };
        }
      } else if (sign.kind === 'mark' && sign.text === '{') {
        const name = qualifiedName(node);
        if (name === undefined) return node;
        this.index++;
        node = { kind: 'object', at: sign.at, name, entries: this.fields() };
      } else return node;
    }
  }

  private call(at: number, name: string, target: Node | undefined, args: readonly Node[]): Node {
    const made = expandMacro(at, name, target, args);
    if (made === undefined) return { kind: 'call', at, name, target, args };
    if ('message' in made) return this.refuse(made, made.message);
    return made;
  }

  /** Expressions up to the closing sign. */
  private list(end: string): Node[] {
    const items: Node[] = [];
    if (this.skip(end)) return items;
    do items.push(this.expression());
    while (this.skip(','));
    this.expect(end);
    return items;
  }

  private primary(): Node {
    const token = this.next();
    if (token.kind === 'literal') return { kind: 'literal', at: token.at, literal: token.literal };
    if (token.kind === 'name') return this.named(token.at, token.text);
    if (token.kind === 'mark')
      switch (token.text) {
        case '(': {
          const node = this.expression();
          this.expect(')');
          return node;
        }
        case '[':
          return { kind: 'list', at: token.at, items: this.items() };
        case '{':
          return { kind: 'map', at: token.at, entries: this.entries() };
        case '.': {
          const name = this.next();
          if (name.kind === 'name') return this.named(name.at, name.text);
          this.refuse(name, `Syntax error: mismatched input '${name.text}' expecting IDENTIFIER`);
        }
      }
    return this.refuse(token, `Syntax error: mismatched input '${token.text}' expecting ${operand}`);
  }

  private named(at: number, name: string): Node {
    if (name === 'true' || name === 'false')
      return { kind: 'literal', at, literal: { type: 'bool', value: name === 'true' } };
    if (name === 'null') return { kind: 'literal', at, literal: { type: 'null' } };
    if (name === 'in') this.refuse({ at }, `Syntax error: mismatched input 'in' expecting ${operand}`);
    if (reserved.has(name)) this.refuse({ at }, `reserved identifier: ${name}`);
    const open = this.peek();
    if (this.skip('(')) return this.call(open.at, name, undefined, this.list(')'));
    return { kind: 'name', at, name };
  }

  private items(): { value: Node; isOptional: boolean }[] {
    const items: { value: Node; isOptional: boolean }[] = [];
    while (!this.skip(']')) {
      const isOptional = this.skip('?');
      items.push({ isOptional, value: this.expression() });
      if (!this.skip(',')) {
        this.expect(']');
        break;
      }
    }
    return items;
  }

  private entries(): Entry[] {
    const entries: Entry[] = [];
    while (!this.skip('}')) {
      const isOptional = this.skip('?');
      const key = this.expression();
      const { at } = this.expect(':');
      entries.push({ isOptional, at, key, value: this.expression() });
      if (!this.skip(',')) {
        this.expect('}');
        break;
      }
    }
    return entries;
  }

  private fields(): FieldEntry[] {
    const entries: FieldEntry[] = [];
    while (!this.skip('}')) {
      const isOptional = this.skip('?');
      const name = this.next();
      if (name.kind !== 'quoted' && (name.kind !== 'name' || keywords.has(name.text)))
        this.refuse(name, `Syntax error: mismatched input '${name.text}' expecting {'}', ',', IDENTIFIER}`);
      const { at } = this.expect(':');
      entries.push({ isOptional, at, name: name.text, value: this.expression() });
      if (!this.skip(',')) {
        this.expect('}');
        break;
      }
    }
    return entries;
  }
}

const negation = (at: number, name: string, node: Node): Node => ({
  kind: 'call',
  at,
  name,
  target: undefined,
  args: [node],
});
