/**
 * Applies the defaults that the tables hold: constants (`protocol: TCP`), sub-objects that are always there (`status: {}`,
 * `resources: {}`), and zero values of required fields, which clients in typed languages count on.
 *
 * Idempotent; never replaces what is there. Defaults that depend on other fields are the kinds' own affair.
 */
import type { Json } from '../object.ts';
import type { Field, Message } from './message.ts';
import { messageOf } from './messages.ts';

type JsonObject = Record<string, unknown>;

interface Plan {
  readonly defaults: readonly { readonly field: Field; readonly value: Json }[];
  /** Fields below which there is something to default. */
  readonly descents: readonly { readonly field: Field; readonly message: Message }[];
}

const plans = new WeakMap<Message, Plan>();
const reaches = new WeakMap<Message, boolean>();

export function applyTableDefaults(message: Message, draft: object): void {
  apply(planOf(message), draft as JsonObject);
}

function planOf(message: Message): Plan {
  let plan = plans.get(message);
  if (plan === undefined) {
    plan = {
      defaults: [...message.fields.values()].flatMap((field) => {
        const value = defaultOf(field);
        return value === undefined ? [] : [{ field, value }];
      }),
      descents: message.isUnion ? [] : descentsOf(message),
    };
    plans.set(message, plan);
  }
  return plan;
}

function descentsOf(message: Message): Plan['descents'] {
  return [...message.fields.values()].flatMap((field) => {
    if (field.type.kind !== 'message') return [];
    const target = messageOf(field.type.message);
    return hasDefaults(target) ? [{ field, message: target }] : [];
  });
}

/** Zero values ('' 0 false) are written out only for required fields; elsewhere absence says the same. */
function defaultOf(field: Field): Json | undefined {
  const value = field.default;
  if (value === undefined || value === null) return undefined;
  const isZero = value === '' || value === 0 || value === false;
  return isZero && !field.required ? undefined : value;
}

/** Whether any message that can be reached from this one has a default. */
function hasDefaults(message: Message): boolean {
  const known = reaches.get(message);
  if (known !== undefined) return known;
  const seen = new Set([message]);
  let found = false;
  for (const at of seen) {
    for (const field of at.fields.values()) {
      if (defaultOf(field) !== undefined) found = true;
      if (field.type.kind === 'message') seen.add(messageOf(field.type.message));
    }
    if (found) break;
  }
  reaches.set(message, found);
  return found;
}

function apply(plan: Plan, object: JsonObject): void {
  for (const { field, value } of plan.defaults) {
    if (object[field.name] === undefined) object[field.name] = typeof value === 'object' ? {} : value;
  }
  for (const { field, message } of plan.descents) {
    const value = object[field.name];
    if (typeof value !== 'object' || value === null) continue;
    const next = planOf(message);
    if (field.repeated && Array.isArray(value)) {
      for (const item of value) if (isObject(item)) apply(next, item);
    } else if (field.map) {
      for (const item of Object.values(value)) if (isObject(item)) apply(next, item);
    } else if (isObject(value)) {
      apply(next, value);
    }
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
