/**
 * Random schemas and documents: validation agrees with a plain reading of the schema, pruning and defaulting come to rest at once, what has not changed
 * passes, and nothing that is given is changed. `CAELUM_SEED=N` replays.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JSONSchemaProps, Json, KubeObject } from '../../api/index.ts';
import { type Random, SeededRandom } from '../../lib/index.ts';
import { CustomVersion } from './custom-version.ts';
import { compilePath } from './json-path.ts';

const seed = Number(process.env['CAELUM_SEED'] ?? Math.floor(Math.random() * 1e9));
const names = ['a', 'b', 'c', 'd', '__proto__', 'constructor'];

const chance = (random: Random, share: number): boolean => random.float() < share;
function oneOf<T>(random: Random, list: readonly T[]): T {
  return list[random.integer(list.length)] as T;
}

function randomSchema(random: Random, depth: number): JSONSchemaProps {
  const more: Record<string, unknown> = {};
  if (chance(random, 0.2)) more['nullable'] = true;
  const kind = depth <= 0 ? random.integer(4) : random.integer(7);
  switch (kind) {
    case 0:
      if (chance(random, 0.3)) more['enum'] = ['x', 'yy', ''];
      if (chance(random, 0.3)) more['maxLength'] = random.integer(3);
      if (chance(random, 0.3)) more['minLength'] = random.integer(3);
      if (chance(random, 0.2)) more['pattern'] = '^[xy]*$';
      if (chance(random, 0.3)) more['default'] = oneOf(random, ['x', 'yy']);
      return { type: 'string', ...more };
    case 1:
      if (chance(random, 0.3)) more['minimum'] = random.integer(4);
      if (chance(random, 0.3)) more['maximum'] = random.integer(4);
      if (chance(random, 0.2)) more['exclusiveMinimum'] = true;
      if (chance(random, 0.2)) more['multipleOf'] = 2;
      return { type: chance(random, 0.5) ? 'integer' : 'number', ...more };
    case 2:
      return { type: 'boolean', ...more };
    case 3:
      return { 'x-kubernetes-int-or-string': true, ...more };
    case 4:
      if (chance(random, 0.3)) more['maxItems'] = random.integer(3);
      if (chance(random, 0.3)) more['minItems'] = random.integer(3);
      return { type: 'array', items: randomSchema(random, depth - 1), ...more };
    case 5:
      if (chance(random, 0.3)) more['maxProperties'] = random.integer(3);
      return { type: 'object', additionalProperties: randomSchema(random, depth - 1), ...more };
    default:
      return randomObjectSchema(random, depth, more);
  }
}

function randomObjectSchema(random: Random, depth: number, more: Record<string, unknown>): JSONSchemaProps {
  const properties: [string, JSONSchemaProps][] = names
    .filter(() => chance(random, 0.5))
    .map((name) => [name, randomSchema(random, depth - 1)]);
  if (chance(random, 0.4)) more['required'] = names.filter(() => chance(random, 0.3));
  if (chance(random, 0.3)) more['x-kubernetes-preserve-unknown-fields'] = true;
  for (const junctor of ['anyOf', 'oneOf', 'allOf'])
    if (chance(random, 0.2))
      more[junctor] = [{ required: [oneOf(random, names)] }, { required: [oneOf(random, names)] }];
  if (chance(random, 0.1)) more['not'] = { required: [oneOf(random, names)] };
  return { type: 'object', properties: Object.fromEntries(properties), ...more };
}

function randomValue(random: Random, depth: number): Json {
  switch (depth <= 0 ? random.integer(6) : random.integer(8)) {
    case 0:
      return null;
    case 1:
      return oneOf(random, ['', 'x', 'yy', 'zzz', '😀']);
    case 2:
      return random.integer(6);
    case 3:
      return oneOf(random, [0.5, -1, 2, 1e21]);
    case 4:
      return chance(random, 0.5);
    case 5:
      return {};
    case 6:
      return Array.from({ length: random.integer(4) }, () => randomValue(random, depth - 1));
    default: {
      const entries = names
        .filter(() => chance(random, 0.5))
        .map((name) => [name, randomValue(random, depth - 1)] as const);
      return Object.fromEntries(entries);
    }
  }
}

/** Mostly what the schema asks for. */
function fittingValue(random: Random, schema: JSONSchemaProps, depth: number): Json {
  if (chance(random, 0.08)) return randomValue(random, depth);
  switch (schema.type) {
    case 'string':
      return oneOf(random, ['x', 'yy', 'xy']);
    case 'integer':
    case 'number':
      return random.integer(5);
    case 'boolean':
      return true;
    case 'array':
      return Array.from({ length: random.integer(3) }, () =>
        fittingValue(random, schema.items as JSONSchemaProps, depth - 1),
      );
    case 'object': {
      const entries = names
        .filter(() => chance(random, 0.7))
        .map((name): readonly [string, Json] => {
          const own = Object.hasOwn(schema.properties ?? {}, name) ? schema.properties?.[name] : undefined;
          const more = schema.additionalProperties;
          const below = own ?? (typeof more === 'object' ? more : undefined);
          return [name, below === undefined ? 1 : fittingValue(random, below, depth - 1)];
        });
      return Object.fromEntries(entries);
    }
    default:
      return oneOf(random, [1, 'x']);
  }
}

type Value = Json | undefined;

/** A plain reading of what the keywords say. */
function isValid(schema: JSONSchemaProps, value: Value): boolean {
  const types =
    schema['x-kubernetes-int-or-string'] === true
      ? ['integer', 'string']
      : schema.type === undefined
        ? []
        : [schema.type];
  if (value === null) return schema.nullable === true || types.length === 0;
  const type = Array.isArray(value) ? 'array' : Number.isInteger(value) ? 'integer' : typeof value;
  if (types.length > 0 && !types.includes(type) && !(type === 'integer' && types.includes('number')))
    return false;
  if (schema.enum !== undefined && !schema.enum.includes(value as never)) return false;
  if (typeof value === 'string') {
    const { length } = [...value];
    if (length > (schema.maxLength ?? Number.POSITIVE_INFINITY) || length < (schema.minLength ?? 0))
      return false;
    if (schema.pattern !== undefined && !new RegExp(schema.pattern, 'u').test(value)) return false;
  }
  if (typeof value === 'number') {
    const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = schema;
    if (value < minimum || value > maximum || (schema.exclusiveMinimum === true && value === minimum))
      return false;
    if (schema.multipleOf !== undefined && !Number.isInteger(value / schema.multipleOf)) return false;
  }
  if (Array.isArray(value)) {
    if (value.length > (schema.maxItems ?? Number.POSITIVE_INFINITY) || value.length < (schema.minItems ?? 0))
      return false;
    if (!value.every((item) => isValid(schema.items as JSONSchemaProps, item as Json))) return false;
  }
  if (type === 'object' && !isValidObject(schema, value as Readonly<Record<string, Json>>)) return false;
  const { anyOf = [], oneOf: alternatives = [], allOf = [], not } = schema;
  const matches = (list: readonly JSONSchemaProps[]): number =>
    list.filter((one) => isValid(one, value)).length;
  return (
    (anyOf.length === 0 || matches(anyOf) > 0) &&
    (alternatives.length === 0 || matches(alternatives) === 1) &&
    matches(allOf) === allOf.length &&
    (not === undefined || !isValid(not, value))
  );
}

function isValidObject(schema: JSONSchemaProps, object: Readonly<Record<string, Json>>): boolean {
  const fields = Object.keys(object);
  if (fields.length > (schema.maxProperties ?? Number.POSITIVE_INFINITY)) return false;
  if (!(schema.required ?? []).every((name) => Object.hasOwn(object, name))) return false;
  return fields.every((field) => {
    const own = Object.hasOwn(schema.properties ?? {}, field) ? schema.properties?.[field] : undefined;
    const more = schema.additionalProperties;
    const below = own ?? (typeof more === 'object' ? more : undefined);
    return below === undefined || isValid(below, object[field]);
  });
}

test(`CustomVersion: random schemas and documents, seed ${seed}`, () => {
  const random = new SeededRandom(seed);
  let [right, wrong] = [0, 0];
  for (let round = 0; round < 400; round++) {
    const spec = randomSchema(random, 3);
    const schema: JSONSchemaProps = { type: 'object', properties: { spec } };
    const version = new CustomVersion(
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: JSON.parse(JSON.stringify(schema)) },
      },
      () => undefined,
    );
    for (let number = 0; number < 8; number++) {
      const value = chance(random, 0.15) ? randomValue(random, 4) : fittingValue(random, spec, 4);
      const text = JSON.stringify({ metadata: {}, spec: value });
      const given = JSON.parse(text) as KubeObject & { readonly spec: Json };
      const what = `seed ${seed}, round ${round}: ${JSON.stringify(spec)} of ${text}`;
      const problems = version.problemsOf(given, undefined);
      assert.equal(problems.length === 0, isValid(spec, given.spec), `${what}: ${JSON.stringify(problems)}`);
      if (problems.length === 0) right++;
      else wrong++;
      assert.deepEqual(
        version.problemsOf(given, JSON.parse(text)),
        [],
        `${what}: what has not changed passes`,
      );
      const unknown: string[] = [];
      const kept = version.pruned(given, unknown);
      const again: string[] = [];
      assert.equal(version.pruned(kept, again), kept, `${what}: pruned twice`);
      assert.deepEqual(again, [], what);
      assert.equal(unknown.length === 0, kept === given, what);
      const filled = version.defaulted(kept);
      assert.equal(version.defaulted(filled), filled, `${what}: filled in twice`);
      assert.equal(JSON.stringify(given), text, `${what}: what is given is not changed`);
    }
  }
  assert.ok(right > 200 && wrong > 200, `both kinds are met: ${right} right, ${wrong} wrong`);
});

test(`compilePath() reads any path or says that it cannot, seed ${seed}`, () => {
  const random = new SeededRandom(seed).stream('paths');
  const parts = [
    '.a',
    '..',
    "['a.b']",
    '[0]',
    '[-1]',
    '[*]',
    '[0:2]',
    '[?(@.a=="x")]',
    '[?(@.a',
    '[',
    ']',
    '\\',
    '"',
    '.metadata.name',
    '[?(@.b>1)].c',
    ')',
    '💥',
  ];
  for (let round = 0; round < 2000; round++) {
    const path = Array.from({ length: 1 + random.integer(5) }, () => oneOf(random, parts)).join('');
    try {
      compilePath(path)(randomValue(random, 4));
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'usage', `seed ${seed}: ${path}: ${String(error)}`);
    }
  }
});
