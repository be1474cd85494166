/**
 * A draft as it is stored and served: bytes with type information and metadata first and the revision inside, and the object that parsing these would
 * give, so that nobody in this process has to parse what was just written here.
 *
 * Invariant: from the moment it is encoded, a draft belongs to the store and is read by others. Whoever made it changes it no more.
 */
import type { KubeObject } from '../../api/index.ts';
import { CaelumError, flat } from '../../lib/index.ts';
import type { DraftObject } from '../resource.ts';

export interface Encoding {
  readonly encode: (revision: number) => Buffer;
  /** undefined: the draft is no plain JSON, parse the bytes. */
  readonly decoded: (revision: number, kin?: unknown) => unknown;
}

/** `old`: a stored object that the draft may share parts with. Without one the store knows something that is likely to be alike. */
export function encodingOf(draft: DraftObject, old?: KubeObject): Encoding {
  const { kind, apiVersion, metadata, ...rest } = draft;
  const object = { kind, apiVersion, metadata, ...rest };
  return {
    encode(revision) {
      metadata.resourceVersion = String(revision);
      return limited(bytesOf(JSON.stringify(object)));
    },
    decoded(revision, kin) {
      metadata.resourceVersion = String(revision);
      textLength = 0;
      const plain = asParsed(object, old ?? kin);
      if (textLength > objectBytesMax) throw tooLarge();
      return plain === notPlain ? undefined : plain;
    },
  };
}

/** In memory of its own: what is kept for long must not keep the rest of a pool. */
function bytesOf(text: string): Buffer {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  bytes.write(text);
  return bytes;
}

/** As etcd limits what it is sent: larger objects make everybody slow who watches them. */
export const objectBytesMax = 1.5 * 1024 * 1024;

/** Of the texts in what was looked at last: roughly its size, where no bytes are made. */
let textLength = 0;

const tooLarge = (): CaelumError =>
  new CaelumError('tooLarge', `Request entity too large: the object is larger than ${objectBytesMax} bytes`);

function limited(bytes: Buffer): Buffer {
  if (bytes.length > objectBytesMax) throw tooLarge();
  return bytes;
}

const notPlain = Symbol('not plain JSON');

/**
 * What `JSON.parse(JSON.stringify(value))` would give: the value itself where that is the same, and `known` where that says the same. `known` is plain. Of
 * a value that says something else, the parts that `known` has as well are replaced by those.
 */
function asParsed(value: unknown, known: unknown): unknown {
  if (value === known) return value;
  switch (typeof value) {
    case 'string':
      textLength += value.length;
      return flat(value);
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) ? value : notPlain;
    case 'object':
      break;
    default:
      return notPlain;
  }
  if (value === null) return value;
  const before = typeof known === 'object' && known !== null ? known : undefined;
  if (Array.isArray(value)) return listAsParsed(value, Array.isArray(before) ? before : undefined);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return notPlain;
  return objectAsParsed(
    value as Record<string, unknown>,
    Array.isArray(before) ? undefined : (before as Readonly<Record<string, unknown>> | undefined),
  );
}

function listAsParsed(list: unknown[], before: readonly unknown[] | undefined): unknown {
  let isKnown = before !== undefined && before.length === list.length;
  let changed: unknown[] | undefined;
  for (let at = 0; at < list.length; at++) {
    const value = list[at];
    const other = before?.[at];
    const item = value === undefined ? notPlain : asParsed(value, other);
    if (item === notPlain) return notPlain;
    if (item !== other) isKnown = false;
    if (item === value) continue;
    if (item === other) list[at] = item;
    else {
      changed ??= [...list];
      changed[at] = item;
    }
  }
  return isKnown ? before : (changed ?? list);
}

function objectAsParsed(
  object: Record<string, unknown>,
  before: Readonly<Record<string, unknown>> | undefined,
): unknown {
  let isKnown = before !== undefined;
  let isSame = true;
  let count = 0;
  for (const key in object) {
    if (key === '__proto__') return notPlain;
    count++;
    const value = object[key];
    if (value === undefined) {
      isSame = false;
      continue;
    }
    const other = before?.[key];
    const parsed = asParsed(value, other);
    if (parsed === notPlain) return notPlain;
    if (parsed !== other) isKnown = false;
    // Of equal texts as well: the older one is in one piece, and held anyway.
    if (parsed === other && (parsed !== value || typeof parsed === 'string')) object[key] = other;
    else if (parsed !== value) isSame = false;
  }
  if (isSame) return isKnown && before !== undefined && keyCount(before) === count ? before : object;
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(object))
    if (object[key] !== undefined) copy[key] = asParsed(object[key], before?.[key]);
  return copy;
}

function keyCount(object: object): number {
  let count = 0;
  for (const _ in object) count++;
  return count;
}
