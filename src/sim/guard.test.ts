import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { generatePlan } from './generate.ts';
import { guarded } from './io/environment.ts';
import { installGuard } from './io/guard.ts';
import type { Property } from './property.ts';
import { run } from './run.ts';

const leaks: readonly (readonly [string, () => unknown])[] = [
  ['Date.now()', () => Date.now()],
  ['new Date()', () => new Date()],
  ['Date()', () => Date()],
  ['Math.random()', () => Math.random()],
  ['performance.now()', () => performance.now()],
  ['setTimeout()', () => setTimeout(() => {}, 0)],
  ['setInterval()', () => setInterval(() => {}, 1000)],
  ['setImmediate()', () => setImmediate(() => {})],
  ['setTimeout()', () => sleep(1)],
  ['fetch()', () => fetch('http://127.0.0.1:1/')],
  ['crypto.randomUUID()', () => crypto.randomUUID()],
  ['crypto.randomUUID()', () => randomUUID()],
  ['crypto.getRandomValues()', () => crypto.getRandomValues(new Uint8Array(1))],
  ['process.hrtime()', () => process.hrtime()],
  ['process.hrtime.bigint()', () => process.hrtime.bigint()],
  ['AbortSignal.timeout()', () => AbortSignal.timeout(1000)],
];

test('installGuard() lets nothing real in, tells each leak with its place, and gives everything back', () => {
  const before = [
    Date,
    Date.now,
    Math.random,
    setTimeout,
    fetch,
    crypto.randomUUID,
    process.hrtime,
    randomUUID,
  ];
  const told: string[] = [];
  const missed: string[] = [];
  const release = installGuard((property, message) => void told.push(`${property} ${message}`));
  try {
    for (const [name, leak] of leaks) {
      try {
        leak();
        missed.push(name);
      } catch (error) {
        if (!String(error).includes(name)) missed.push(`${name}: ${String(error)}`);
      }
    }
  } finally {
    release();
  }
  assert.deepEqual(missed, []);
  assert.equal(told.length, leaks.length);
  assert.match(
    told[0] ?? '',
    /^process\/no-reality Date\.now\(\) was used.*\(at src\/sim\/guard\.test\.ts:\d+\)$/,
  );
  const after = [
    Date,
    Date.now,
    Math.random,
    setTimeout,
    fetch,
    crypto.randomUUID,
    process.hrtime,
    randomUUID,
  ];
  assert.deepEqual(
    after.map((one, at) => one === before[at]),
    before.map(() => true),
  );
  assert.ok(performance.now() > 0);
  assert.ok(process.hrtime.bigint() > 0n);
});

test('installGuard() leaves what is pure alone: dates of a given time, microtasks', async () => {
  const release = installGuard(() => assert.fail('nothing leaks'));
  try {
    const date = new Date(86_400_000);
    assert.equal(date.toISOString(), '1970-01-02T00:00:00.000Z');
    assert.ok(date instanceof Date);
    assert.equal(Date.parse('1970-01-02T00:00:00Z'), 86_400_000);
    assert.equal(Date.UTC(1970, 0, 2), 86_400_000);
    await new Promise<void>((resolve) => queueMicrotask(resolve));
  } finally {
    release();
  }
});

test('run() reports a leak as a broken property, also where the error is caught', async () => {
  const leaking: Property = {
    name: 'test/leaks',
    source: 'this test',
    statement: 'It looks at the clock on the wall.',
    check: () => ({
      onSecond() {
        try {
          Date.now();
        } catch {
          // As code would that retries whatever fails.
        }
      },
    }),
  };
  const { violation } = await run(generatePlan(8, { activeMs: 5000 }), { ...guarded, properties: [leaking] });
  assert.equal(violation?.property, 'process/no-reality');
  assert.equal(violation.atMs, 1000);
});

test('run() reports what would end the process: an error in a timer', async () => {
  const throwing: Property = {
    name: 'test/throws',
    source: 'this test',
    statement: 'It throws.',
    check: () => ({
      onSecond() {
        throw new Error('thrown on purpose');
      },
    }),
  };
  const { violation } = await run(generatePlan(8, { activeMs: 5000 }), {
    ...guarded,
    properties: [throwing],
  });
  assert.equal(violation?.property, 'process/no-crash');
  assert.match(violation.message, /thrown on purpose \(at src\/sim\/guard\.test\.ts:\d+\)/);
});

test('run() reports what would end the process: a rejection that nobody handles', async () => {
  // In a thread of its own: this one's rejections belong to the test runner.
  const source = `
    import { parentPort } from 'node:worker_threads';
    const { run } = await import('${new URL('./run.ts', import.meta.url).href}');
    const { generatePlan } = await import('${new URL('./generate.ts', import.meta.url).href}');
    const { guarded } = await import('${new URL('./io/environment.ts', import.meta.url).href}');
    const rejecting = { name: 'test/rejects', source: '', statement: '', check: () => ({
      onSecond() { void Promise.reject(new Error('rejected on purpose')); } }) };
    const { violation } = await run(generatePlan(8, { activeMs: 5000 }), { ...guarded, properties: [rejecting] });
    parentPort.postMessage(violation);
  `;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`));
  try {
    const violation = await new Promise<{ property: string; message: string; atMs: number }>(
      (resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
      },
    );
    assert.equal(violation.property, 'process/no-crash');
    assert.match(violation.message, /nobody handled: rejected on purpose/);
    assert.equal(violation.atMs, 1000);
  } finally {
    await worker.terminate();
  }
});
