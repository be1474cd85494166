/**
 * How an object is owned, part by part: as a whole, field by field, element by element. Read from a kind's message, or from the schema of a
 * custom resource; what follows (`merge.ts`, `field-owners.ts`) knows only this.
 */
import type { Json } from '../object.ts';
import type { Field, Message } from '../schema/message.ts';
import { messageOf } from '../schema/messages.ts';

export type Shape =
  /** Scalars, and what is replaced as a whole. */
  | { readonly kind: 'whole' }
  /** Each field has a shape of its own. */
  | { readonly kind: 'object'; readonly shapeOf: (field: string) => Shape }
  | { readonly kind: 'set' }
  | {
      readonly kind: 'list';
      readonly keys: readonly string[];
      /** Of a key that an element does not say. */
      readonly defaults: Readonly<Record<string, Json>>;
      readonly element: Shape;
    };

export const whole: Shape = { kind: 'whole' };

const shapes = new WeakMap<Message, Shape>();

export function shapeOfMessage(message: Message): Shape {
  if (message.foreign !== undefined) return message.foreign.ownership;
  let shape = shapes.get(message);
  if (shape === undefined) {
    shape = message.isAtomic || message.isUnion ? whole : { kind: 'object', shapeOf: fieldShapes(message) };
    shapes.set(message, shape);
  }
  return shape;
}

function fieldShapes(message: Message): (field: string) => Shape {
  const known = new Map<string, Shape>();
  return (name) => {
    let shape = known.get(name);
    if (shape === undefined) {
      const field = message.fields.get(name);
      shape = field === undefined ? whole : shapeOfField(field);
      known.set(name, shape);
    }
    return shape;
  };
}

function shapeOfField(field: Field): Shape {
  const value = field.type.kind === 'message' ? shapeOfMessage(messageOf(field.type.message)) : whole;
  if (field.map) {
    if (field.atomicMap === true) return whole;
    const each = field.repeated ? whole : value;
    return { kind: 'object', shapeOf: () => each };
  }
  if (field.repeated) return shapeOfList(field, value);
  return field.atomicMap === true ? whole : value;
}

function shapeOfList(field: Field, element: Shape): Shape {
  if (field.listType === 'set') return { kind: 'set' };
  if (field.listType !== 'map' || field.listMapKeys === undefined) return whole;
  const defaults: Record<string, Json> = {};
  if (field.type.kind === 'message') {
    const { fields } = messageOf(field.type.message);
    for (const key of field.listMapKeys) {
      const value = fields.get(key)?.default;
      if (value !== undefined) defaults[key] = value;
    }
  }
  return { kind: 'list', keys: field.listMapKeys, defaults, element };
}
