/**
 * JSON Patch (RFC 6902). Operations apply one after the other to a private copy; the first that does not apply refuses the
 * whole patch, with status 422 in the words that API servers use.
 */
import { CaelumError } from '../../lib/index.ts';
import { copyOf, isObject, isSame, type JsonObject, own, put } from './json.ts';

const operationsMax = 10_000;
/** Of everything that `copy` copies: a few operations could double a document without end. */
const copiedBytesMax = 3 * 1024 * 1024;

interface Operation {
  readonly op: string;
  readonly path: string;
  readonly from: string;
  readonly value: unknown;
  readonly hasValue: boolean;
}

/** Where a pointer leads: a key in an object, or an index in a list. */
type Place =
  | { readonly kind: 'root' }
  | { readonly kind: 'key'; readonly holder: JsonObject; readonly key: string }
  | { readonly kind: 'index'; readonly holder: unknown[]; readonly key: string };

export function jsonPatch(original: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) {
    const type = isObject(patch) ? 'object' : typeof patch;
    throw new CaelumError(
      'badRequest',
      `error decoding patch: json: cannot unmarshal ${type} into Go value of type jsonpatch.Patch`,
    );
  }
  if (patch.length > operationsMax) {
    throw new CaelumError(
      'tooLarge',
      `The allowed maximum operations in a JSON patch is ${operationsMax}, got ${patch.length}`,
    );
  }
  let document = copyOf(original);
  const copies = { bytes: 0 };
  for (const item of patch) document = applyOperation(document, readOperation(item), copies);
  return document;
}

function readOperation(item: unknown): Operation {
  if (!isObject(item)) throw refused('invalid JSON patch operation: it is not an object');
  const op = own(item, 'op');
  const path = own(item, 'path');
  const from = own(item, 'from');
  if (typeof op !== 'string')
    throw refused(`Unexpected kind: ${op === undefined ? 'unknown' : JSON.stringify(op)}`);
  if (typeof path !== 'string') throw refused(`${op} operation failed to decode path: missing value`);
  if ((op === 'move' || op === 'copy') && typeof from !== 'string') {
    throw refused(`${op} operation failed to decode from: missing value`);
  }
  const hasValue = Object.hasOwn(item, 'value');
  if ((op === 'add' || op === 'replace' || op === 'test') && !hasValue) {
    throw refused(`error in ${op} for path: '${path}': missing value`);
  }
  return { op, path, from: typeof from === 'string' ? from : '', value: item['value'], hasValue };
}

function applyOperation(
  document: unknown,
  { op, path, from, value }: Operation,
  copies: { bytes: number },
): unknown {
  switch (op) {
    case 'add':
      return add(document, path, copyOf(value), 'add');
    case 'remove':
      return remove(document, path, 'remove');
    case 'replace':
      return replace(document, path, copyOf(value));
    case 'move': {
      if (path.startsWith(`${from}/`))
        throw refused(`move operation does not apply: ${path} is inside ${from}`);
      const moved = read(document, from, 'move operation does not apply: doc is missing from path');
      return add(
        path === from ? document : remove(document, from, 'move'),
        path,
        moved,
        'move',
        path === from,
      );
    }
    case 'copy': {
      const source = read(document, from, 'copy operation does not apply: doc is missing from path');
      copies.bytes += JSON.stringify(source).length;
      if (copies.bytes > copiedBytesMax)
        throw refused(
          `Unable to complete the copy, the accumulated size increase of copy is ${copies.bytes}, exceeding the limit ${copiedBytesMax}`,
        );
      return add(document, path, copyOf(source), 'copy');
    }
    case 'test': {
      const found = read(document, path, 'error in test for path');
      if (!isSame(found, value)) throw refused(`testing value ${path} failed: test failed`);
      return document;
    }
    default:
      throw refused(`Unexpected kind: ${op}`);
  }
}

function add(document: unknown, path: string, value: unknown, op: string, isSamePlace = false): unknown {
  if (isSamePlace) return document;
  const place = locate(document, path);
  if (place === undefined)
    throw refused(`${op} operation does not apply: doc is missing path: "${path}": missing value`);
  if (place.kind === 'root') return value;
  if (place.kind === 'key') put(place.holder, place.key, value);
  else if (place.key === '-') place.holder.push(value);
  else
    place.holder.splice(
      indexOf(place.key, place.holder.length + 1, `error in ${op} for path: '${path}'`),
      0,
      value,
    );
  return document;
}

function remove(document: unknown, path: string, op: string): unknown {
  const place = locate(document, path);
  if (place === undefined)
    throw refused(`${op} operation does not apply: doc is missing path: "${path}": missing value`);
  if (place.kind === 'root') return null;
  if (place.kind === 'index') {
    place.holder.splice(indexOf(place.key, place.holder.length, `error in ${op} for path: '${path}'`), 1);
  } else {
    if (!Object.hasOwn(place.holder, place.key)) {
      throw refused(
        `error in ${op} for path: '${path}': Unable to remove nonexistent key: ${place.key}: missing value`,
      );
    }
    delete place.holder[place.key];
  }
  return document;
}

function replace(document: unknown, path: string, value: unknown): unknown {
  const place = locate(document, path);
  if (place === undefined)
    throw refused(`replace operation does not apply: doc is missing path: ${path}: missing value`);
  if (place.kind === 'root') return value;
  if (place.kind === 'index') {
    place.holder[indexOf(place.key, place.holder.length, `error in replace for path: '${path}'`)] = value;
  } else {
    if (!Object.hasOwn(place.holder, place.key)) {
      throw refused(`replace operation does not apply: doc is missing key: ${path}: missing value`);
    }
    put(place.holder, place.key, value);
  }
  return document;
}

function read(document: unknown, path: string, complaint: string): unknown {
  const place = locate(document, path);
  if (place === undefined) throw refused(`${complaint}: ${path}: missing value`);
  if (place.kind === 'root') return document;
  if (place.kind === 'index') return place.holder[indexOf(place.key, place.holder.length, complaint)];
  if (!Object.hasOwn(place.holder, place.key)) throw refused(`${complaint}: ${path}: missing value`);
  return place.holder[place.key];
}

/** The place that a pointer (RFC 6901) names; its parent must exist. */
function locate(document: unknown, path: string): Place | undefined {
  if (path === '') return { kind: 'root' };
  if (!path.startsWith('/')) throw refused(`invalid path "${path}": it must be empty or begin with /`);
  const parts = path.slice(1).split('/').map(unescapePart);
  const last = parts.pop() ?? '';
  let at = document;
  for (const part of parts) {
    if (Array.isArray(at)) at = /^(0|[1-9]\d*)$/.test(part) ? at[Number(part)] : undefined;
    else if (isObject(at)) at = own(at, part);
    else return undefined;
  }
  if (Array.isArray(at)) return { kind: 'index', holder: at, key: last };
  return isObject(at) ? { kind: 'key', holder: at, key: last } : undefined;
}

const unescapePart = (part: string): string => part.replaceAll('~1', '/').replaceAll('~0', '~');

function indexOf(key: string, below: number, complaint: string): number {
  const index = /^(0|[1-9]\d*)$/.test(key) ? Number(key) : Number.NaN;
  if (index >= 0 && index < below) return index;
  throw refused(`${complaint}: Unable to access invalid index: ${key}: invalid index referenced`);
}

/** 422 as API servers send it: a general message, what went wrong among the causes. */
function refused(why: string): CaelumError {
  return new CaelumError('invalid', 'the server rejected our request due to an error in our request', {
    details: { causes: [{ reason: 'UnexpectedServerResponse', message: why, field: '' }] },
  });
}
