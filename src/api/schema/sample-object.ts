/**
 * An object with every field of its message set, for kinds of which nobody publishes one. For tests. Pure: the same message, the same object.
 *
 * Texts are nonsense but well-formed for their type; numbers are odd enough to be seen when they move. A message within itself
 * (JSONSchemaProps) is filled once and then left out where that is allowed.
 */
import type { Field, Message, ScalarType } from './message.ts';
import { messageOf } from './messages.ts';

export function sampleObject(message: Message, apiVersion: string, kind: string): Record<string, unknown> {
  return { ...messageSample(message, []), apiVersion, kind };
}

function messageSample(message: Message, within: readonly string[]): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  const path = [...within, message.name];
  for (const [name, field] of message.fields) {
    const value = fieldSample(field, path);
    if (value !== undefined) object[name] = value;
  }
  return object;
}

function fieldSample(field: Field, path: readonly string[]): unknown {
  const one = oneSample(field, path);
  if (one === undefined) return undefined;
  const listed = field.repeated ? [one] : one;
  return field.map ? { key: listed } : listed;
}

function oneSample(field: Field, path: readonly string[]): unknown {
  if (field.type.kind === 'scalar')
    return field.enum?.[0] ?? scalars[field.type.scalar](field.name, field.number);
  const { message: name } = field.type;
  if (path.includes(name)) return undefined;
  const message = messageOf(name);
  // One of its fields, as itself: the first that can be had without going round.
  if (message.isUnion)
    return [...message.fields.values()].map((inner) => fieldSample(inner, [...path, name])).find(Boolean);
  return messageSample(message, path);
}

const scalars: Record<ScalarType, (name: string, number: number) => unknown> = {
  string: (name) => `${name}Value`,
  int32: (_, number) => -(number + 1),
  int64: (_, number) => number + 2 ** 40,
  double: (_, number) => number + 0.5,
  bool: () => true,
  bytes: () => Buffer.from([0, 255, 7]).toString('base64'),
  quantity: (_, number) => `${number + 1}500m`,
  intOrString: (name) => `${name}Value`,
  time: (_, number) => new Date(Date.UTC(2026, 0, 1, 1, 1, number)).toISOString().replace('.000Z', 'Z'),
  microTime: (_, number) => `2026-01-01T01:01:${String(number % 60).padStart(2, '0')}.000001Z`,
  json: () => ({ nested: [1, 'two', null] }),
  duration: (_, number) => `${number + 1}s`,
};
