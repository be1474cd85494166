/**
 * A JSON object → the protobuf bytes of its message, fields in ascending order, map entries sorted by key: the same object
 * always gives the same bytes. The value must have the shape of its message (`checkShape`); what does not fit is left out.
 */
import { assert } from '../../../lib/index.ts';
import { durationNanoseconds } from '../scalars.ts';
import { type Leaf, targetPlan, type WirePlan } from './plan.ts';
import type { WireWriter } from './wire.ts';

type JsonObject = Record<string, unknown>;

/** Writes the fields of `value`, last first; the caller writes tag and length. */
export function encodeMessage(plan: WirePlan, value: unknown, writer: WireWriter): void {
  writeFields(plan, plan.message.isUnion ? unionObject(plan, value) : (value as JsonObject), writer);
}

function writeFields(plan: WirePlan, object: JsonObject, writer: WireWriter): void {
  for (const node of plan.reversed) {
    if (node.kind === 'branch') {
      const before = writer.size;
      writeFields(node.plan, object, writer);
      // Go writes these even when they are empty; readers do not mind either way.
      close(writer, before, node.number);
      continue;
    }
    const value = object[node.field.name];
    if (value !== undefined && value !== null) writeField(node, value, writer);
  }
}

function close(writer: WireWriter, before: number, number: number): void {
  writer.varint(writer.size - before);
  writer.tag(number, 2);
}

function writeField(leaf: Leaf, value: unknown, writer: WireWriter): void {
  switch (leaf.form) {
    case 'one':
      writeValue(leaf, leaf.number, value, writer);
      return;
    case 'list':
      if (Array.isArray(value)) writeItems(leaf, leaf.number, value, writer);
      return;
    case 'boxedList': {
      const before = writer.size;
      if (Array.isArray(value)) writeItems(leaf, 1, value, writer);
      close(writer, before, leaf.number);
      return;
    }
    case 'map':
    case 'mapOfLists':
      writeMap(leaf, value as JsonObject, writer);
  }
}

function writeItems(leaf: Leaf, number: number, items: readonly unknown[], writer: WireWriter): void {
  for (let i = items.length - 1; i >= 0; i--) writeValue(leaf, number, items[i], writer);
}

function writeMap(leaf: Leaf, map: JsonObject, writer: WireWriter): void {
  for (const key of Object.keys(map).sort().reverse()) {
    const entry = writer.size;
    const value = map[key];
    if (leaf.form === 'mapOfLists') {
      const before = writer.size;
      if (Array.isArray(value)) writeItems(leaf, 1, value, writer);
      close(writer, before, 2);
    } else {
      writeValue(leaf, 2, value, writer);
    }
    writer.text(key);
    writer.tag(1, 2);
    close(writer, entry, leaf.number);
  }
}

function writeValue(leaf: Leaf, number: number, value: unknown, writer: WireWriter): void {
  switch (leaf.scalar) {
    case 'string':
      writer.text(String(value));
      writer.tag(number, 2);
      return;
    case 'int32':
    case 'int64':
      writer.varint(Number(value));
      writer.tag(number, 0);
      return;
    case 'bool':
      writer.varint(value === true ? 1 : 0);
      writer.tag(number, 0);
      return;
    case 'double':
      writer.double(Number(value));
      writer.tag(number, 1);
      return;
    case 'bytes':
      writer.bytes(Buffer.from(String(value), 'base64'));
      writer.tag(number, 2);
      return;
    default: {
      const before = writer.size;
      writeInner(leaf, value, writer);
      close(writer, before, number);
    }
  }
}

/** The content of a value that is a message on the wire. */
function writeInner(leaf: Leaf, value: unknown, writer: WireWriter): void {
  switch (leaf.scalar) {
    case undefined:
      if (value !== null) encodeMessage(targetPlan(leaf), value, writer);
      return;
    case 'json':
      if (value === null) return;
      writer.bytes(Buffer.from(JSON.stringify(value)));
      writer.tag(1, 2);
      return;
    case 'quantity':
      writer.text(String(value));
      writer.tag(1, 2);
      return;
    case 'time':
    case 'microTime':
      writeTime(value, writer);
      return;
    case 'intOrString':
      writer.text(typeof value === 'string' ? value : '');
      writer.tag(3, 2);
      writer.varint(typeof value === 'number' ? value : 0);
      writer.tag(2, 0);
      writer.varint(typeof value === 'string' ? 1 : 0);
      writer.tag(1, 0);
      return;
    case 'duration':
      writer.varint(Number(durationNanoseconds(String(value)) ?? 0n));
      writer.tag(1, 0);
      return;
    default:
      assert(false, `${leaf.scalar} is no message`);
  }
}

function writeTime(value: unknown, writer: WireWriter): void {
  if (typeof value !== 'string') return;
  const fraction = /\.(\d+)/.exec(value)?.[1] ?? '';
  writer.varint(Number(fraction.slice(0, 9).padEnd(9, '0')));
  writer.tag(2, 0);
  writer.varint(Math.floor(Date.parse(value) / 1000));
  writer.tag(1, 0);
}

/** The union's field that takes the value's form. */
function unionObject(plan: WirePlan, value: unknown): JsonObject {
  const object: JsonObject = {};
  for (const node of plan.nodes.values()) {
    if (node.kind === 'branch') continue;
    const { name } = node.field;
    if (node.form === 'list' ? Array.isArray(value) : node.scalar === 'bool' && typeof value === 'boolean') {
      object[name] = value;
    } else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      if (node.scalar === 'bool') object[name] = true;
      else if (node.form === 'one') object[name] = value;
    }
  }
  return object;
}
