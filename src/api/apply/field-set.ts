/**
 * Sets of paths into an object: who owns what. A tree of path elements in the notation of FieldsV1:
 *
 *   f:NAME        a field of an object            k:{"name":"web"}   an element of a list with keys
 *   v:VALUE       an element of a set             i:INDEX            an element of a plain list
 *
 * Source: Kubernetes' FieldsV1 and sigs.k8s.io/structured-merge-diff (fieldpath). Immutable from outside: operations make new sets.
 */

export class FieldSet {
  /** The path that leads here is in the set itself, not only paths below it. */
  readonly isMember: boolean;
  readonly children: ReadonlyMap<string, FieldSet>;

  constructor(isMember: boolean, children: ReadonlyMap<string, FieldSet>) {
    this.isMember = isMember;
    this.children = children;
  }

  get isEmpty(): boolean {
    return !this.isMember && this.children.size === 0;
  }

  at(element: string): FieldSet {
    return this.children.get(element) ?? noFields;
  }

  union(other: FieldSet): FieldSet {
    if (other.isEmpty || other === this) return this;
    if (this.isEmpty) return other;
    const children = new Map(this.children);
    for (const [element, theirs] of other.children) {
      const ours = children.get(element);
      children.set(element, ours === undefined ? theirs : ours.union(theirs));
    }
    return new FieldSet(this.isMember || other.isMember, children);
  }

  intersection(other: FieldSet): FieldSet {
    const children = new Map<string, FieldSet>();
    for (const [element, ours] of this.children) {
      const theirs = other.children.get(element);
      const both = theirs === undefined ? noFields : ours.intersection(theirs);
      if (!both.isEmpty) children.set(element, both);
    }
    return made(this.isMember && other.isMember, children);
  }

  /** Paths of this set that are not in the other. */
  without(other: FieldSet): FieldSet {
    if (other.isEmpty) return this;
    const children = new Map<string, FieldSet>();
    for (const [element, ours] of this.children) {
      const theirs = other.children.get(element);
      const rest = theirs === undefined ? ours : ours.without(theirs);
      if (!rest.isEmpty) children.set(element, rest);
    }
    return made(this.isMember && !other.isMember, children);
  }

  /** Paths of this set that neither are in the other nor lie below a path of it. */
  outside(other: FieldSet): FieldSet {
    if (other.isEmpty) return this;
    if (other.isMember) return noFields;
    const children = new Map<string, FieldSet>();
    for (const [element, ours] of this.children) {
      const theirs = other.children.get(element);
      const rest = theirs === undefined ? ours : ours.outside(theirs);
      if (!rest.isEmpty) children.set(element, rest);
    }
    return made(this.isMember, children);
  }

  equals(other: FieldSet): boolean {
    if (this.isMember !== other.isMember || this.children.size !== other.children.size) return false;
    for (const [element, ours] of this.children) {
      const theirs = other.children.get(element);
      if (theirs === undefined || !ours.equals(theirs)) return false;
    }
    return true;
  }

  /** Every path in the set, each as its elements. */
  *paths(before: readonly string[] = []): Iterable<readonly string[]> {
    if (this.isMember) yield before;
    for (const [element, below] of this.children) yield* below.paths([...before, element]);
  }

  toJson(): Readonly<Record<string, unknown>> {
    const json: Record<string, unknown> = {};
    if (this.isMember && this.children.size > 0) json['.'] = {};
    for (const element of [...this.children.keys()].sort()) json[element] = this.at(element).toJson();
    return json;
  }
}

export const noFields = new FieldSet(false, new Map());
export const leaf = new FieldSet(true, new Map());

export function made(isMember: boolean, children: ReadonlyMap<string, FieldSet>): FieldSet {
  if (children.size === 0) return isMember ? leaf : noFields;
  return new FieldSet(isMember, children);
}

/** Reads FieldsV1. Throws a TypeError where it is none. */
export function fieldSetOf(json: unknown): FieldSet {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new TypeError('FieldsV1 is an object');
  const children = new Map<string, FieldSet>();
  let isMember = false;
  const entries = Object.entries(json);
  for (const [element, below] of entries) {
    if (element === '.') isMember = true;
    else if (/^[fkvi]:/s.test(element)) children.set(element, asElement(fieldSetOf(below), below));
    else throw new TypeError(`FieldsV1 has no path element "${element}"`);
  }
  return made(isMember, children);
}

/** `{}` stands for the path itself. */
function asElement(set: FieldSet, json: unknown): FieldSet {
  return Object.keys(json as object).length === 0 ? leaf : set;
}

/** As people read it: `.spec.containers[name="web"].image`. */
export function pathText(path: readonly string[]): string {
  return path
    .map((element) => {
      const rest = element.slice(2);
      switch (element[0]) {
        case 'f':
          return `.${rest}`;
        case 'k': {
          const keys = JSON.parse(rest) as Readonly<Record<string, unknown>>;
          return `[${Object.entries(keys)
            .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
            .join(',')}]`;
        }
        case 'v':
          return `[=${rest}]`;
        default:
          return `[${rest}]`;
      }
    })
    .join('');
}
