/**
 * How a message lies on the wire, read once from its table: fields by number, with the wire messages that JSON flattens as
 * branches of their own. Decoder and encoder walk the same plan.
 */
import type { Field, Message, ScalarType } from '../message.ts';
import { messageOf } from '../messages.ts';

export type Form = 'one' | 'list' | 'boxedList' | 'map' | 'mapOfLists';

export interface Leaf {
  readonly kind: 'field';
  readonly number: number;
  readonly field: Field;
  readonly form: Form;
  readonly scalar: ScalarType | undefined;
  /** Zero is written as absence in JSON. */
  readonly omitZero: boolean;
}

/** A wire message that JSON flattens into the one around it. */
export interface Branch {
  readonly kind: 'branch';
  readonly number: number;
  readonly plan: WirePlan;
}

export interface WirePlan {
  readonly message: Message;
  /** By field number, ascending. */
  readonly nodes: ReadonlyMap<number, Leaf | Branch>;
  /** The same, last first: the order of writing. */
  readonly reversed: readonly (Leaf | Branch)[];
}

const plans = new WeakMap<Message, WirePlan>();

export function wirePlan(message: Message): WirePlan {
  let plan = plans.get(message);
  if (plan === undefined) {
    const fields = [...message.fields.values()].filter((field) => field.number > 0);
    plan = build(message, fields, 0);
    plans.set(message, plan);
  }
  return plan;
}

export function targetPlan(leaf: Leaf): WirePlan {
  return wirePlan(messageOf(leaf.field.type.kind === 'message' ? leaf.field.type.message : ''));
}

function build(message: Message, fields: readonly Field[], level: number): WirePlan {
  const nodes: (Leaf | Branch)[] = [];
  const nested = new Map<number, Field[]>();
  for (const field of fields) {
    const branch = field.nestedIn?.[level];
    if (branch === undefined) nodes.push(leafOf(field));
    else nested.set(branch, [...(nested.get(branch) ?? []), field]);
  }
  for (const [number, inner] of nested) {
    nodes.push({ kind: 'branch', number, plan: build(message, inner, level + 1) });
  }
  nodes.sort((a, b) => a.number - b.number);
  return {
    message,
    nodes: new Map(nodes.map((node) => [node.number, node])),
    reversed: nodes.toReversed(),
  };
}

function leafOf(field: Field): Leaf {
  const one = field.boxed === true ? 'boxedList' : field.repeated ? 'list' : 'one';
  return {
    kind: 'field',
    number: field.number,
    field,
    form: field.map ? (field.repeated ? 'mapOfLists' : 'map') : one,
    scalar: field.type.kind === 'scalar' ? field.type.scalar : undefined,
    omitZero: !field.required && field.nullable !== true,
  };
}
