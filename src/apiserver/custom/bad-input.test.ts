/** Definitions and custom resources that mean harm, or are only odd: every answer is a Status, and the server goes on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestServer } from '../io/test-server.ts';
import { aDefinition, define, definitionsPath } from './test-definition.ts';

const nested = (depth: number): string => `${'[{"a":'.repeat(depth)}1${'}]'.repeat(depth)}`;
const json = { 'content-type': 'application/json' };

test('custom resources that are deep, wide or odd are answered with a Status', async (t) => {
  const server = await startTestServer(t);
  const { call } = server;
  const widgets = await define(server, {
    spec: {
      type: 'object',
      'x-kubernetes-preserve-unknown-fields': true,
      properties: {
        text: { type: 'string', pattern: '^(a+)+$' },
        many: { type: 'object', additionalProperties: { type: 'integer' } },
        set: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
      },
    },
  });
  const body = (name: string, spec: string): string =>
    `{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"${name}"},"spec":${spec}}`;
  const wide = `{"many":{${Array.from({ length: 20_000 }, (_, index) => `"k${index}":"x"`).join(',')}}}`;
  const cases: readonly (readonly [what: string, text: string, codes: readonly number[]])[] = [
    ['deep', body('deep', `{"x":${nested(400)}}`), [201]],
    ['too deep', body('too-deep', `{"x":${nested(40_000)}}`), [400]],
    ['a pattern that would take for ever', body('slow', `{"text":"${'a'.repeat(40)}!"}`), [422]],
    ['thousands of problems', body('wide', wide), [422]],
    [
      'a large set',
      body('set', `{"set":[${Array.from({ length: 50_000 }, (_, index) => `"${index}"`).join(',')}]}`),
      [201],
    ],
    [
      'names of the language',
      body('proto', '{"many":{"__proto__":1,"constructor":2},"__proto__":{"x":1}}'),
      [201],
    ],
    ['no object', '[]', [400]],
    ['a spec that is none', body('none', '"x"'), [422]],
    ['metadata that is none', '{"apiVersion":"example.com/v1","kind":"Widget","metadata":[]}', [400]],
    ['another kind', '{"apiVersion":"example.com/v1","kind":"Gadget","metadata":{"name":"a"}}', [400]],
    ['another version', '{"apiVersion":"example.com/v9","kind":"Widget","metadata":{"name":"a"}}', [400]],
  ];
  for (const [what, text, codes] of cases) {
    const answer = await call('POST', widgets, { headers: json, body: text });
    assert.ok(codes.includes(answer.status), `${what}: ${answer.status} ${answer.text.slice(0, 300)}`);
    if (answer.status !== 201) assert.equal(answer.body.kind, 'Status', what);
  }
  const proto = (await call('GET', `${widgets}/proto`)).text;
  assert.ok(proto.includes('"__proto__":1') && proto.includes('"__proto__":{"x":1}'), proto);
  assert.equal((await call('GET', widgets)).status, 200);
});

test('definitions that are deep, large or contradict themselves are answered with a Status', async (t) => {
  const server = await startTestServer(t);
  const { call } = server;
  const deep = (depth: number): object =>
    depth === 0 ? { type: 'string' } : { type: 'object', properties: { a: deep(depth - 1) } };
  const rule = `${'('.repeat(20_000)}true${')'.repeat(20_000)}`;
  const cases: readonly (readonly [what: string, spec: object, codes: readonly number[]])[] = [
    ['deep', deep(100), [201]],
    ['too deep', deep(2000), [400, 413, 422]],
    ['a rule that is deep', { type: 'object', 'x-kubernetes-validations': [{ rule }] }, [422]],
    [
      'a pattern that is none',
      { type: 'object', properties: { a: { type: 'string', pattern: '(' } } },
      [422],
    ],
    ['looking ahead', { type: 'object', properties: { a: { type: 'string', pattern: '(?=a)' } } }, [422]],
    ['types that are none', { type: 'object', properties: { a: { type: 'text' } } }, [422]],
    ['a schema that is none', { type: 'object', properties: { a: 'string' } }, [400]],
  ];
  for (const [index, [what, spec, codes]] of cases.entries()) {
    const definition = aDefinition({ plural: `w${index}s`, kind: `W${index}`, spec });
    const answer = await call('POST', definitionsPath, { body: definition });
    assert.ok(codes.includes(answer.status), `${what}: ${answer.status} ${answer.text.slice(0, 300)}`);
    if (answer.status !== 201) assert.equal(answer.body.kind, 'Status', what);
  }
  assert.equal((await call('GET', '/openapi/v3')).status, 200);
  assert.equal((await call('GET', '/openapi/v2')).status, 200);
});
