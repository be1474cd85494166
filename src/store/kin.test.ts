import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SimulatedClock } from '../lib/index.ts';
import { createMemoryStore } from './io/memory-store.ts';
import { Kin, kinBytesMax, shared } from './kin.ts';

const parsed = (value: unknown): Record<string, unknown> => JSON.parse(JSON.stringify(value));

test('shared() is the known value where both say the same, in whatever order', () => {
  const cases: readonly (readonly [value: unknown, known: unknown, isSame: boolean])[] = [
    [{ a: [1, { b: 'x' }] }, { a: [1, { b: 'x' }] }, true],
    [{ a: 1, b: 2 }, { b: 2, a: 1 }, true],
    [{ a: 1 }, { a: 1, b: 2 }, false],
    [{ a: 1, b: 2 }, { a: 1 }, false],
    [[1, 2], [1], false],
    [[1], [1, 2], false],
    [{}, [], false],
    [[], {}, false],
    [{ a: null }, { a: {} }, false],
    [{ a: {} }, { a: null }, false],
    [{ a: 1 }, undefined, false],
    [{ a: '1' }, { a: 1 }, false],
    [{ toString: 1 }, {}, false],
    [{}, { a: undefined }, false],
  ];
  for (const [value, known, isSame] of cases) {
    const text = JSON.stringify(value);
    const result = shared(value, known);
    assert.equal(result === known, isSame, `${text} and ${JSON.stringify(known)}`);
    assert.equal(JSON.stringify(result, order), JSON.stringify(JSON.parse(text), order));
  }
});

/** Keys in order: as `JSON.stringify` wants it. */
const order = (_: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort())
    : value;

test('shared() puts in what is the same, and leaves what differs', () => {
  const known = { spec: { containers: [{ image: 'a' }], node: 'one' }, labels: { app: 'web' } };
  const value = parsed({ spec: { containers: [{ image: 'a' }], node: 'two' }, labels: { app: 'web' } });
  const result = shared(value, known) as typeof known;
  assert.equal(result, value);
  assert.equal(result.labels, known.labels);
  assert.equal(result.spec.containers, known.spec.containers);
  assert.equal(result.spec.node, 'two');
  assert.equal(known.spec.node, 'one');
});

test('shared() is not led to prototypes', () => {
  const value = JSON.parse('{"__proto__":{"a":1},"constructor":{"b":1}}');
  const result = shared(value, JSON.parse('{"__proto__":{"a":1},"constructor":{"b":1}}'));
  assert.equal(JSON.stringify(result), '{"__proto__":{"a":1},"constructor":{"b":1}}');
  assert.equal(Object.getPrototypeOf(result), Object.prototype);
  assert.deepEqual(shared({}, Object.create({ a: 1 })), {});
});

test('like() shares among names that differ after the last dash, and not in large objects', () => {
  const kin = new Kin();
  const pod = (node: string): Record<string, unknown> => ({ spec: { image: 'a' }, node });
  const one = kin.like('pods/x/web-1', pod('n1'), 100) as { spec: object };
  const two = kin.like('pods/x/web-2', pod('n2'), 100) as { spec: object };
  const other = kin.like('pods/x/db-1', pod('n2'), 100) as { spec: object };
  const large = kin.like('pods/x/web-3', pod('n3'), kinBytesMax + 1) as { spec: object };
  assert.equal(one.spec, two.spec);
  assert.notEqual(one.spec, other.spec);
  assert.notEqual(one.spec, large.spec);
  assert.equal(kin.like('pods/x/web-9', 'text', 10), 'text');
});

test('a store gives what was written, though versions share it', async () => {
  const store = createMemoryStore({ clock: new SimulatedClock() });
  const write = async (key: string, object: object): Promise<void> => {
    const text = JSON.stringify(object);
    await store.transact([
      {
        kind: 'put',
        key,
        encode: () => Buffer.from(text),
        decoded: (_, kin) => shared(JSON.parse(text), kin),
      },
    ]);
  };
  const stop = store.watch('pods/', store.revision(), {
    onEvents: (changes) => {
      for (const { current } of changes) current.object();
    },
    onEnd: () => {},
  });
  const spec = { containers: [{ name: 'a', image: 'b' }] };
  await write('pods/x/web-1', { spec, status: 1 });
  await write('pods/x/web-2', { spec, status: 2 });
  await write('pods/x/web-1', { spec, status: 3 });
  const object = (key: string): { spec: object; status: number } =>
    store.get(key)?.object() as { spec: object; status: number };
  assert.deepEqual(object('pods/x/web-1'), { spec, status: 3 });
  assert.deepEqual(object('pods/x/web-2'), { spec, status: 2 });
  assert.equal(object('pods/x/web-1').spec, object('pods/x/web-2').spec);
  stop.cancel();
  await store.close();
});
