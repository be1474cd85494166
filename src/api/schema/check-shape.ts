/**
 * Holds a decoded JSON document against its message, in one pass and in place:
 *
 *   JSON.parse ──▶ checkShape ──▶ the same value, with unknown fields pruned, nulls dropped, quantities, times and base64 in
 *                                 canonical form  +  what was unknown, by path  +  what has the wrong type, in the words of
 *                                 the Go decoder that clients know
 *
 * On the path of every write, so: no allocation while all is well, plans kept per message, paths spelt only when needed.
 * Invariant: when `problems` is empty, the value has the TypeScript type that the message's interface says
 * (required fields may be missing; validation tells).
 */
import type { Draft, KubeObject } from '../object.ts';
import type { Field, ForeignShape, Message, ScalarType } from './message.ts';
import { messageOf } from './messages.ts';
import {
  canonicalBase64,
  canonicalMicroTime,
  canonicalQuantity,
  canonicalTime,
  type Refusal,
} from './scalars.ts';

export interface Shape<T> {
  /** The value that was given, changed in place. */
  readonly value: T;
  /** Paths of fields that the message does not have: `spec.template.spec.containers[0].imagee`. They were pruned. */
  readonly unknown: readonly string[];
  /** `json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32`. Clients expect the first. */
  readonly problems: readonly string[];
}

type Form = 'one' | 'list' | 'map' | 'mapOfLists';

interface Step {
  readonly form: Form;
  readonly scalar: ScalarType | undefined;
  readonly field: Field;
  /** The plan of a message; read when first needed, since messages are recursive. */
  plan: Plan | undefined;
}

interface Plan {
  readonly message: Message;
  readonly steps: ReadonlyMap<string, Step>;
}

type JsonObject = Record<string, unknown>;

/** As deep as a document may nest messages: JSONSchemaProps is recursive. */
const depthMax = 512;
/** Where a schema lets anything pass, nothing else bounds it. */
const foreignDepthMax = 1000;

const plans = new WeakMap<Message, Plan>();

function planOf(message: Message): Plan {
  let plan = plans.get(message);
  if (plan === undefined) {
    const steps = new Map<string, Step>();
    for (const field of message.fields.values()) {
      const form = field.map ? (field.repeated ? 'mapOfLists' : 'map') : field.repeated ? 'list' : 'one';
      const scalar = field.type.kind === 'scalar' ? field.type.scalar : undefined;
      steps.set(field.name, { form, scalar, field, plan: undefined });
    }
    plan = { message, steps };
    plans.set(message, plan);
  }
  return plan;
}

function targetOf(step: Step): Plan {
  if (step.plan === undefined) {
    step.plan = planOf(messageOf(step.field.type.kind === 'message' ? step.field.type.message : ''));
  }
  return step.plan;
}

/**
 * Checks `value`, a document of `message`. A document that is no object is a problem, and returned as it is. Parts that `value` shares with `known`, a
 * document that has been checked, are passed over.
 */
export function checkShape<T = Draft<KubeObject>>(
  message: Message,
  value: unknown,
  known?: unknown,
): Shape<T> {
  const walk = new Walk();
  if (message.foreign !== undefined && isObject(value)) {
    const unknown = foreignPart(walk, message, message.foreign, value);
    return { value: value as T, unknown: [...walk.unknown, ...unknown], problems: walk.problems };
  }
  if (isObject(value)) walk.message(planOf(message), value, isObject(known) ? known : undefined);
  else
    walk.problems.push(`json: cannot unmarshal ${jsonType(value)} into Go value of type ${goType(message)}`);
  return { value: value as T, unknown: walk.unknown, problems: walk.problems };
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  if (Array.isArray(value)) {
    for (const item of value) if (isDeeper(item, levels - 1)) return true;
    return false;
  }
  for (const key in value) if (isDeeper((value as JsonObject)[key], levels - 1)) return true;
  return false;
}

/** The table knows the head of the document, the schema the rest. */
function foreignPart(
  walk: Walk,
  message: Message,
  foreign: ForeignShape,
  document: JsonObject,
): readonly string[] {
  if (isDeeper(document, foreignDepthMax)) {
    walk.problems.push('exceeded max depth');
    return [];
  }
  const head: JsonObject = {};
  for (const name of message.fields.keys()) if (Object.hasOwn(document, name)) head[name] = document[name];
  const names = Object.keys(head);
  walk.message(planOf(message), head);
  for (const name of names)
    if (Object.hasOwn(head, name)) document[name] = head[name];
    else delete document[name];
  return foreign.prune(document);
}

class Walk {
  readonly unknown: string[] = [];
  readonly problems: string[] = [];
  /** The way down: names and list indexes. Only the first `#depth` count. */
  readonly #path: (string | number)[] = [];
  #depth = 0;

  message(plan: Plan, object: JsonObject, known?: JsonObject): void {
    if (plan.message.isUnion) {
      this.#union(plan, object);
      return;
    }
    for (const key in object) {
      if (known !== undefined && isObject(object[key]) && object[key] === known[key]) continue;
      const step = plan.steps.get(key);
      if (step === undefined) {
        this.unknown.push(this.#spell(key));
        delete object[key];
        continue;
      }
      const value = object[key];
      if (value === null) {
        delete object[key];
      } else if (step.scalar === 'string' && step.form === 'one') {
        if (typeof value !== 'string') this.#mismatch(plan, step, value, 'string');
      } else {
        this.#field(plan, step, object, key, value);
      }
    }
  }

  #field(plan: Plan, step: Step, object: JsonObject, key: string, value: unknown): void {
    if (step.form === 'one') {
      this.#item(plan, step, object, key, value);
      return;
    }
    this.#path[this.#depth++] = key;
    if (step.form === 'list') {
      if (Array.isArray(value)) this.#list(plan, step, value);
      else this.#mismatch(plan, step, value, `[]${goItem(step)}`, true);
    } else if (isObject(value)) {
      this.#map(plan, step, value);
    } else {
      this.#mismatch(plan, step, value, `map[string]${step.form === 'map' ? '' : '[]'}${goItem(step)}`, true);
    }
    this.#depth--;
  }

  #list(plan: Plan, step: Step, list: unknown[]): void {
    if (step.scalar === 'string') {
      for (let i = 0; i < list.length; i++) {
        if (typeof list[i] === 'string') continue;
        if (list[i] === null) list[i] = '';
        else this.#mismatch(plan, step, list[i], 'string', true);
      }
      return;
    }
    for (let i = 0; i < list.length; i++) {
      if (list[i] === null) list[i] = zeroOf(step);
      else this.#item(plan, step, list as unknown as JsonObject, i, list[i]);
    }
  }

  #map(plan: Plan, step: Step, map: JsonObject): void {
    for (const key in map) {
      const value = map[key];
      if (step.form === 'mapOfLists') {
        if (value === null) map[key] = [];
        else if (Array.isArray(value)) this.#list(plan, step, value);
        else this.#mismatch(plan, step, value, `[]${goItem(step)}`, true);
      } else if (step.scalar === 'string') {
        if (typeof value === 'string') continue;
        if (value === null) map[key] = '';
        else this.#mismatch(plan, step, value, 'string', true);
      } else if (value === null) {
        map[key] = zeroOf(step);
      } else {
        this.#item(plan, step, map, key, value);
      }
    }
  }

  /** One value that is not null: a message or a scalar. Writes its canonical form where it differs. */
  #item(plan: Plan, step: Step, holder: JsonObject, key: string | number, value: unknown): void {
    if (step.scalar === undefined) {
      const target = targetOf(step);
      if (!isObject(value) && !target.message.isUnion) {
        this.#mismatch(plan, step, value, goType(target.message), this.#inside(step));
        return;
      }
      if (this.#depth >= depthMax) {
        this.problems.push('exceeded max depth');
        return;
      }
      this.#path[this.#depth++] = key;
      this.message(target, value as JsonObject);
      this.#depth--;
      return;
    }
    if (!this.#scalar(step.scalar, holder, key as string, value)) {
      const shown =
        typeof value === 'number' && (step.scalar === 'int32' || step.scalar === 'int64') ? ` ${value}` : '';
      this.#mismatch(plan, step, value, goItem(step), this.#inside(step), shown);
    }
  }

  #scalar(scalar: ScalarType, holder: JsonObject, key: string, value: unknown): boolean {
    switch (scalar) {
      case 'string':
      case 'duration':
        return typeof value === 'string';
      case 'bool':
        return typeof value === 'boolean';
      case 'int32':
        return typeof value === 'number' && (value | 0) === value;
      case 'int64':
        return typeof value === 'number' && Number.isInteger(value) && Math.abs(value) <= 2 ** 63;
      case 'double':
        return typeof value === 'number';
      case 'intOrString':
        return typeof value === 'string' || (typeof value === 'number' && (value | 0) === value);
      case 'json':
        return true;
      case 'quantity':
        if (typeof value !== 'string' && typeof value !== 'number') return false;
        this.#keep(holder, key, value, canonicalQuantity(value));
        return true;
      case 'time':
        if (typeof value !== 'string') return false;
        this.#keep(holder, key, value, canonicalTime(value));
        return true;
      case 'microTime':
        if (typeof value !== 'string') return false;
        this.#keep(holder, key, value, canonicalMicroTime(value));
        return true;
      case 'bytes':
        if (typeof value !== 'string') return false;
        this.#keep(holder, key, value, canonicalBase64(value));
        return true;
    }
  }

  #keep(holder: JsonObject, key: string, value: unknown, canonical: string | Refusal): void {
    if (typeof canonical !== 'string') this.problems.push(canonical.refusal);
    else if (canonical !== value) holder[key] = canonical;
  }

  /** A value that takes the form of one of the union's fields. */
  #union(plan: Plan, value: unknown): void {
    for (const step of plan.steps.values()) {
      if (step.form === 'list' && Array.isArray(value)) {
        this.#list(plan, step, value);
        return;
      }
      if (step.form === 'one' && step.scalar === 'bool' && typeof value === 'boolean') return;
      if (step.form === 'one' && step.scalar === undefined && isObject(value)) {
        this.message(targetOf(step), value);
        return;
      }
    }
    this.problems.push(
      `json: cannot unmarshal ${jsonType(value)} into Go value of type ${goType(plan.message)}`,
    );
  }

  /** Whether the path already ends with the step's own name. */
  #inside(step: Step): boolean {
    return step.form !== 'one';
  }

  #mismatch(plan: Plan, step: Step, value: unknown, type: string, inside = false, shown = ''): void {
    const path = this.#path.slice(0, this.#depth).filter((part) => typeof part === 'string');
    if (!inside) path.push(step.field.name);
    const struct = bareName(plan.message);
    this.problems.push(
      `json: cannot unmarshal ${jsonType(value)}${shown} into Go struct field ${struct}.${path.join('.')} of type ${type}`,
    );
  }

  #spell(key: string): string {
    let text = '';
    for (let i = 0; i < this.#depth; i++) {
      const part = this.#path[i];
      text += typeof part === 'number' ? `[${part}]` : text === '' ? part : `.${part}`;
    }
    return text === '' ? key : `${text}.${key}`;
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function jsonType(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

function zeroOf(step: Step): unknown {
  switch (step.scalar) {
    case undefined:
      return {};
    case 'int32':
    case 'int64':
    case 'double':
    case 'intOrString':
      return 0;
    case 'bool':
      return false;
    case 'quantity':
      return '0';
    case 'json':
    case 'time':
    case 'microTime':
      return null;
    default:
      return '';
  }
}

const bareName = (message: Message): string => message.name.slice(message.name.lastIndexOf('.') + 1);

/** `v1.PodSpec`, as Go prints a type: package and name. */
const goType = (message: Message): string => message.name.slice(message.name.indexOf('.') + 1);

const goScalars: Readonly<Record<ScalarType, string>> = {
  string: 'string',
  int32: 'int32',
  int64: 'int64',
  double: 'float64',
  bool: 'bool',
  bytes: '[]uint8',
  quantity: 'resource.Quantity',
  intOrString: 'intstr.IntOrString',
  time: 'v1.Time',
  microTime: 'v1.MicroTime',
  json: 'runtime.RawExtension',
  duration: 'v1.Duration',
};

function goItem(step: Step): string {
  return step.scalar === undefined ? goType(targetOf(step).message) : goScalars[step.scalar];
}

/** The words of a 400 for a document that does not decode: `Deployment in version "v1" cannot be handled as a Deployment: …`. */
export function cannotBeHandled(kind: string, version: string, why: string): string {
  return `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: ${why}`;
}
