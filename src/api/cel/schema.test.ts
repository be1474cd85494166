import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JSONSchemaProps } from '../types/apiextensions.v1.ts';
import { compile } from './compile.ts';
import { escapeName, typeOfMessage, typeOfSchema } from './schema.ts';
import { outcome } from './test-expressions.ts';
import { bool } from './type.ts';

const schema: JSONSchemaProps = {
  type: 'object',
  properties: {
    'a.b-c/d': { type: 'integer' },
    namespace: { type: 'string' },
    a__b: { type: 'boolean' },
    at: { type: 'string', format: 'date-time' },
    span: { type: 'string', format: 'duration' },
    raw: { type: 'string', format: 'byte' },
    ratio: { type: 'number' },
    ratios: { type: 'array', items: { type: 'number' } },
    port: { 'x-kubernetes-int-or-string': true },
    any: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    labels: { type: 'object', additionalProperties: { type: 'string' } },
    set: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
    map: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['k'],
      items: { type: 'object', properties: { k: { type: 'string' }, v: { type: 'integer' } } },
    },
    template: { type: 'object', 'x-kubernetes-embedded-resource': true },
  },
};
const self = {
  metadata: { name: 'a', labels: {} },
  'a.b-c/d': 1,
  namespace: 'n',
  a__b: true,
  at: '2024-01-01T00:00:00Z',
  span: '90s',
  raw: 'aGk=',
  ratio: 2,
  ratios: [1, 2.5],
  port: '80%',
  any: { x: [1] },
  labels: { l: 'v' },
  set: ['a', 'b'],
  map: [
    { k: 'x', v: 1 },
    { k: 'y', v: 2 },
  ],
  template: { kind: 'Pod', metadata: { name: 't' } },
};

test('typeOfSchema() types every field, under its escaped name', () => {
  const variables = { self: typeOfSchema(schema, { isRoot: true }) };
  for (const [source, wanted] of [
    ['self.a__dot__b__dash__c__slash__d', '1'],
    ['self.`a.b-c/d`', '1'],
    ['self.__namespace__', '"n"'],
    ['self.a__underscores__b', 'true'],
    ['self.at.getFullYear()', '2024'],
    ['self.span > duration("1m")', 'true'],
    ['self.raw == b"hi"', 'true'],
    ['self.ratio / 4.0', '0.5'],
    ['self.ratios.sum()', '3.5'],
    ['type(self.port) == int ? self.port > 0 : self.port.endsWith("%")', 'true'],
    ['self.any.x[0]', '1'],
    ['self.labels["l"] + self.labels.l', '"vv"'],
    ['self.set == ["b", "a"]', 'true'],
    ['self.set + ["b", "c"]', '["a","b","c"]'],
    [
      'self.map == [{"k": "y", "v": 2}, {"k": "x", "v": 1}]',
      "ERROR: <input>:1:10: found no matching overload for '_==_' applied to '(list(selfType.map.@idx), list(map(string, string)))'",
    ],
    ['self.template.metadata.name + self.metadata.name', '"ta"'],
    ['self.metadata.labels', "ERROR: <input>:1:14: undefined field 'labels'"],
    ['has(self.nope)', "ERROR: <input>:1:9: undefined field 'nope'"],
    [
      'self.namespace + 1',
      "ERROR: <input>:1:16: found no matching overload for '_+_' applied to '(string, int)'",
    ],
  ] as const)
    assert.equal(outcome(source, { variables }, { self }), wanted, source);
  const both = { self: typeOfSchema(schema), oldSelf: typeOfSchema(schema) };
  const reversed = { ...self, map: [...self.map].reverse() };
  assert.equal(outcome('self.map == oldSelf.map', { variables: both }, { self, oldSelf: reversed }), 'true');
  assert.equal(
    outcome(
      '(self.map + oldSelf.map).map(x, x.v)',
      { variables: both },
      {
        self,
        oldSelf: {
          map: [
            { k: 'y', v: 5 },
            { k: 'z', v: 6 },
          ],
        },
      },
    ),
    '[1,5,6]',
  );
});

test('costMax follows the bounds of the schema', () => {
  const list = (maxItems: number | undefined): JSONSchemaProps => ({
    type: 'array',
    ...(maxItems === undefined ? {} : { maxItems }),
    items: {
      type: 'array',
      ...(maxItems === undefined ? {} : { maxItems }),
      items: { type: 'string', maxLength: 10 },
    },
  });
  const costMax = (source: string, maxItems?: number) =>
    compile(source, { variables: { self: typeOfSchema(list(maxItems)) }, result: bool }).program?.costMax ??
    0;
  const nested = 'self.all(x, x.all(y, y.size() > 2))';
  assert.ok(costMax(nested) > 10_000_000, 'without bounds');
  assert.ok(costMax(nested, 100) < 10_000_000, 'with bounds');
  assert.ok(costMax(nested, 10) < costMax(nested, 100));
});

test('escapeName() spells what is no name', () => {
  assert.deepEqual(['a-b', 'a.b', 'a/b', 'a__b', 'in', 'namespace', 'ok', '1a', 'a b'].map(escapeName), [
    'a__dash__b',
    'a__dot__b',
    'a__slash__b',
    'a__underscores__b',
    '__in__',
    '__namespace__',
    'ok',
    undefined,
    undefined,
  ]);
});

test('typeOfMessage() types built-in kinds', () => {
  const variables = { object: typeOfMessage('apps.v1.Deployment') ?? assert.fail() };
  const object = {
    metadata: { name: 'a', labels: { x: 'y' } },
    spec: { replicas: 3, template: { spec: { containers: [{ name: 'c', image: 'i' }] } } },
  };
  for (const [source, wanted] of [
    ['object.spec.replicas > 2 && object.metadata.labels.x == "y"', 'true'],
    ['object.spec.template.spec.containers.all(c, c.image.size() > 0)', 'true'],
    ['object.spec.replikas', "ERROR: <input>:1:12: undefined field 'replikas'"],
    [
      'object.spec.replicas == "3"',
      "ERROR: <input>:1:22: found no matching overload for '_==_' applied to '(int, string)'",
    ],
    ['object.kind', 'error: no such key: kind'],
  ] as const)
    assert.equal(outcome(source, { variables }, { object }), wanted, source);
});

test('rules as people write them compile, and bounded schemas keep them below the limit of cost', () => {
  const texts: JSONSchemaProps = { type: 'array', maxItems: 100, items: { type: 'string', maxLength: 64 } };
  const of: JSONSchemaProps = {
    type: 'object',
    properties: {
      names: texts,
      details: { type: 'object', additionalProperties: { type: 'string' } },
      env: {
        type: 'array',
        maxItems: 20,
        items: {
          type: 'object',
          properties: { name: { type: 'string' }, value: { type: 'string', maxLength: 256 } },
        },
      },
      created: { type: 'string', format: 'date-time' },
      ttl: { type: 'string', format: 'duration' },
      version: { type: 'string', maxLength: 20 },
      limit: { type: 'string', maxLength: 20 },
      a: { type: 'string' },
      b: { type: 'string' },
    },
  };
  const self = typeOfSchema(of, { isRoot: true });
  for (const source of [
    'size(self.names) == size(self.details) && self.names.all(n, n in self.details)',
    "self.env.filter(e, e.name == 'MODE').all(e, e.value.matches('^[a-zA-Z]*$'))",
    'self.created + self.ttl > self.created && self.ttl.getMinutes() < 60',
    "self.version.matches(r'^\\d+\\.\\d+$') && self.version.split('.').map(p, int(p))[0] >= 1",
    "!has(self.limit) || quantity(self.limit).isLessThan(quantity('1Gi'))",
    '[has(self.a), has(self.b)].exists_one(x, x)',
    'self.names.all(x, self.names.exists_one(y, y == x))',
    "self.metadata.name.startsWith('x-') && self == oldSelf",
  ]) {
    const { program, text } = compile(source, { variables: { self, oldSelf: self }, result: bool });
    assert.ok(program !== undefined, `${source}: ${text}`);
    assert.ok(program.costMax < 10_000_000, `${source}: ${program.costMax}`);
  }
});
