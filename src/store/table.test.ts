import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../lib/index.ts';
import { Table } from './table.ts';
import { Version } from './version.ts';

const version = (key: string, revision = 1): Version => new Version(key, revision, Buffer.from('{}'), 1);
const all = Number.POSITIVE_INFINITY;

test('a table stays ordered through 60,000 random inserts, updates and deletes', () => {
  const random = new SeededRandom('table');
  const table = new Table();
  const model = new Map<string, Version>();
  for (let step = 0; step < 60_000; step++) {
    const key = `t/${random.integer(9)}/${random.integer(4000)}`;
    // Grows first, then shrinks to almost nothing.
    if (random.float() < (step < 30_000 ? 0.2 : 0.8)) {
      assert.equal(table.delete(key), model.get(key));
      model.delete(key);
    } else {
      const next = version(key, step);
      assert.equal(table.set(next), model.get(key));
      model.set(key, next);
    }
    if (step % 5000 !== 0) continue;
    const prefix = ['t/', 't/3/', 't/3/1', 't/9/', 'u/'][random.integer(5)] as string;
    const after = `t/${random.integer(9)}/2`;
    const expected = [...model.keys()].filter((name) => name.startsWith(prefix) && name > after).sort();
    const page = table.page(prefix, after, 100);
    assert.deepEqual(
      page.items.map((item) => item.key),
      expected.slice(0, 100),
    );
    assert.equal(page.remaining, Math.max(0, expected.length - 100));
  }
  assert.equal(table.size, model.size);
  assert.deepEqual(
    table.page('t/', undefined, all).items.map((item) => item.key),
    [...model.keys()].sort(),
  );
});

test('inserts stay cheap at 300,000 keys', () => {
  const random = new SeededRandom('many');
  const table = new Table();
  const insert = (count: number): number => {
    const { user } = process.cpuUsage();
    for (let done = 0; done < count; done++) table.set(version(`t/${random.integer(2 ** 30)}`));
    return process.cpuUsage().user - user;
  };
  insert(30_000);
  const few = insert(30_000);
  insert(210_000);
  const many = insert(30_000);
  // Were each insert a walk over all keys, the last ones would cost seven times as much as the first, and each thousands of times as much.
  assert.ok(many < 20 * few + 1_000_000, `${few} µs among few, ${many} µs among many`);
});
