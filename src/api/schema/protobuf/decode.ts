/**
 * Protobuf bytes of a message → the JSON object that the API server would write for them.
 *
 * Clients in Go send plain values even when they are zero; JSON leaves those out unless they are required or their zero means
 * something (see `Field.nullable`). Unknown field numbers are skipped, as protobuf has it.
 */
import type { ScalarType } from '../message.ts';
import { durationText } from '../scalars.ts';
import { type Leaf, targetPlan, type WirePlan } from './plan.ts';
import { malformed, type WireReader } from './wire.ts';

type JsonObject = Record<string, unknown>;

/** Reads JSON that is carried as bytes: RawExtension, FieldsV1, JSON. The envelope's decoder is passed in: it may be nested. */
export type RawDecoder = (bytes: Buffer) => unknown;

const depthMax = 200;

export function decodeMessage(plan: WirePlan, reader: WireReader, raw: RawDecoder, depth = 0): unknown {
  if (depth > depthMax) throw malformed('exceeded max depth');
  const object: JsonObject = {};
  readInto(plan, object, reader, raw, depth);
  return plan.message.isUnion ? unionValue(plan, object) : object;
}

function readInto(
  plan: WirePlan,
  object: JsonObject,
  reader: WireReader,
  raw: RawDecoder,
  depth: number,
): void {
  while (!reader.done) {
    const tag = reader.tag();
    const node = plan.nodes.get(tag >>> 3);
    if (node === undefined) {
      reader.skip(tag & 7);
    } else if (node.kind === 'branch') {
      expect(tag, 2);
      readInto(node.plan, object, reader.message(), raw, depth);
    } else {
      readField(node, object, reader, tag & 7, raw, depth);
    }
  }
}

function readField(
  leaf: Leaf,
  object: JsonObject,
  reader: WireReader,
  wireType: number,
  raw: RawDecoder,
  depth: number,
): void {
  const { name } = leaf.field;
  switch (leaf.form) {
    case 'one': {
      const value = readValue(leaf, reader, wireType, raw, depth);
      if (value === null || (leaf.omitZero && isZero(leaf.scalar, value))) return;
      object[name] = value;
      return;
    }
    case 'list': {
      const list = own(object, name, (): unknown[] => []);
      if (wireType === 2 && isVarint(leaf.scalar)) {
        const packed = reader.message();
        while (!packed.done) list.push(readValue(leaf, packed, 0, raw, depth));
      } else {
        list.push(readValue(leaf, reader, wireType, raw, depth));
      }
      return;
    }
    case 'boxedList':
      expect(wireType, 2);
      object[name] = readBox(leaf, reader.message(), raw, depth);
      return;
    case 'map':
    case 'mapOfLists': {
      expect(wireType, 2);
      const map = own(object, name, (): JsonObject => ({}));
      const [key, value] = readEntry(leaf, reader.message(), raw, depth);
      // A plain assignment would set the prototype for the key "__proto__".
      Object.defineProperty(map, key, { value, writable: true, enumerable: true, configurable: true });
    }
  }
}

function own<T>(object: JsonObject, name: string, make: () => T): T {
  const found = object[name];
  if (found !== undefined) return found as T;
  const made = make();
  object[name] = made;
  return made;
}

function readBox(leaf: Leaf, reader: WireReader, raw: RawDecoder, depth: number): unknown[] {
  const items: unknown[] = [];
  while (!reader.done) {
    const tag = reader.tag();
    if (tag >>> 3 === 1) items.push(readValue(leaf, reader, tag & 7, raw, depth));
    else reader.skip(tag & 7);
  }
  return items;
}

function readEntry(leaf: Leaf, reader: WireReader, raw: RawDecoder, depth: number): [string, unknown] {
  let key = '';
  let value: unknown;
  while (!reader.done) {
    const tag = reader.tag();
    if (tag >>> 3 === 1) key = reader.text();
    else if (tag >>> 3 === 2) {
      value =
        leaf.form === 'mapOfLists'
          ? readBox(leaf, reader.message(), raw, depth)
          : readValue(leaf, reader, tag & 7, raw, depth);
    } else reader.skip(tag & 7);
  }
  if (value === undefined) value = leaf.form === 'mapOfLists' ? [] : emptyValue(leaf);
  return [key, value];
}

function readValue(
  leaf: Leaf,
  reader: WireReader,
  wireType: number,
  raw: RawDecoder,
  depth: number,
): unknown {
  const { scalar } = leaf;
  expect(wireType, isVarint(scalar) ? 0 : scalar === 'double' ? 1 : 2);
  switch (scalar) {
    case undefined:
      return decodeMessage(targetPlan(leaf), reader.message(), raw, depth + 1);
    case 'string':
      return reader.text();
    case 'int32':
      return reader.varint() | 0;
    case 'int64':
      return reader.varint();
    case 'bool':
      return reader.varint() !== 0;
    case 'double':
      return reader.double();
    case 'bytes':
      return reader.bytes().toString('base64');
    case 'json':
      return readRaw(reader.message(), raw);
    case 'quantity':
      return readFields(reader.message()).text.get(1) ?? '0';
    case 'time':
    case 'microTime':
      return readTime(reader.message(), scalar);
    case 'intOrString': {
      const { numbers, text } = readFields(reader.message());
      return (numbers.get(1) ?? 0) === 0 ? (numbers.get(2) ?? 0) | 0 : (text.get(3) ?? '');
    }
    case 'duration':
      return durationText(BigInt(readFields(reader.message()).numbers.get(1) ?? 0));
  }
}

/** The fields of a small message of numbers and texts. */
function readFields(reader: WireReader): { numbers: Map<number, number>; text: Map<number, string> } {
  const numbers = new Map<number, number>();
  const text = new Map<number, string>();
  while (!reader.done) {
    const tag = reader.tag();
    if ((tag & 7) === 0) numbers.set(tag >>> 3, reader.varint());
    else if ((tag & 7) === 2) text.set(tag >>> 3, reader.text());
    else reader.skip(tag & 7);
  }
  return { numbers, text };
}

function readRaw(reader: WireReader, raw: RawDecoder): unknown {
  let bytes: Buffer | undefined;
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === 10) bytes = reader.bytes();
    else reader.skip(tag & 7);
  }
  return bytes === undefined || bytes.length === 0 ? null : raw(bytes);
}

/** An empty message is Go's zero time: null in JSON. */
function readTime(reader: WireReader, scalar: 'time' | 'microTime'): string | null {
  if (reader.done) return null;
  const { numbers } = readFields(reader);
  const date = new Date((numbers.get(1) ?? 0) * 1000);
  if (Number.isNaN(date.getTime())) throw malformed('time out of range');
  const seconds = date.toISOString().slice(0, -5);
  if (scalar === 'time') return `${seconds}Z`;
  const micros = Math.floor(((numbers.get(2) ?? 0) | 0) / 1000);
  return `${seconds}.${String(micros).padStart(6, '0')}Z`;
}

/** Of JSONSchemaPropsOr…: the second field where it is there (a list; a schema beside `allows`), else the first. */
function unionValue(plan: WirePlan, object: JsonObject): unknown {
  for (const node of plan.reversed) {
    const value = node.kind === 'field' ? object[node.field.name] : undefined;
    if (value !== undefined) return value;
  }
  return plan.message.name.endsWith('OrBool') ? false : null;
}

function emptyValue(leaf: Leaf): unknown {
  if (leaf.scalar === undefined) return {};
  if (leaf.scalar === 'bool') return false;
  if (leaf.scalar === 'quantity') return '0';
  if (leaf.scalar === 'json' || leaf.scalar === 'time' || leaf.scalar === 'microTime') return null;
  return isVarint(leaf.scalar) || leaf.scalar === 'double' ? 0 : '';
}

/** Messages are never zero: an empty one says something (`emptyDir: {}`). */
function isZero(scalar: ScalarType | undefined, value: unknown): boolean {
  if (scalar === undefined || scalar === 'json') return false;
  return value === '' || value === 0 || value === false ? scalar !== 'intOrString' : false;
}

function isVarint(scalar: ScalarType | undefined): boolean {
  return scalar === 'int32' || scalar === 'int64' || scalar === 'bool';
}

function expect(tag: number, wireType: number): void {
  if ((tag & 7) !== wireType) throw malformed(`wrong wireType = ${tag & 7}`);
}
