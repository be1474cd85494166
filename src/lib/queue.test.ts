import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SimulatedClock } from './clock.ts';
import { WorkQueue, type WorkQueueOptions } from './queue.ts';
import { SeededRandom } from './random.ts';

/** A queue whose work ends when told. */
function workbench(options: Partial<WorkQueueOptions<string>> = {}) {
  const clock = new SimulatedClock();
  const started: string[] = [];
  const endings = new Map<string, (error?: Error) => void>();
  const queue = new WorkQueue<string>({
    clock,
    random: new SeededRandom(1),
    work: (key) => {
      started.push(key);
      assert.ok(!endings.has(key), `${key} is worked twice at once`);
      return new Promise((resolve, reject) => {
        endings.set(key, (error) => {
          endings.delete(key);
          if (error === undefined) resolve();
          else reject(error);
        });
      });
    },
    ...options,
  });
  const end = async (key: string, error?: Error): Promise<void> => {
    endings.get(key)?.(error);
    await clock.advance(0);
  };
  return { clock, queue, started, end };
}

test('add() works each key once, in order, at most `workers` at a time', async () => {
  const { clock, queue, started, end } = workbench({ workers: 2 });
  for (const key of ['a', 'b', 'c', 'a', 'b']) queue.add(key);
  assert.deepEqual(started, [], 'nothing starts inside add');
  await clock.advance(0);
  assert.deepEqual(started, ['a', 'b']);
  await end('b');
  assert.deepEqual(started, ['a', 'b', 'c']);
  await end('a');
  await end('c');
  assert.deepEqual(started, ['a', 'b', 'c']);
  assert.equal(queue.size, 0);
});

test('add() of a running key works it once more afterwards, behind those that waited', async () => {
  const { clock, queue, started, end } = workbench();
  queue.add('a');
  await clock.advance(0);
  queue.add('a');
  queue.add('b');
  queue.add('a');
  await end('a');
  await end('b');
  await end('a');
  assert.deepEqual(started, ['a', 'b', 'a']);
});

test('addAfter() keeps the earliest time', async () => {
  const { clock, queue, started, end } = workbench();
  queue.addAfter('a', 500);
  queue.addAfter('a', 100);
  queue.addAfter('a', 300);
  await clock.advance(99);
  assert.deepEqual(started, []);
  await clock.advance(1);
  assert.deepEqual(started, ['a']);
  await end('a');
  await clock.advance(1000);
  assert.deepEqual(started, ['a']);
});

test('retry() waits exponentially longer until forget()', async () => {
  const delays: number[] = [];
  const { clock, queue, started, end } = workbench({
    firstRetryMs: 100,
    retryMsMax: 1000,
    onError: (_key, _error, _failures, retryMs) => delays.push(retryMs),
  });
  queue.add('a');
  await clock.advance(0);
  for (let i = 0; i < 6; i++) {
    await end('a', new Error('no'));
    await clock.advance(1000);
  }
  assert.equal(started.length, 7);
  [100, 200, 400, 800, 1000, 1000].forEach((most, i) => {
    const delay = delays[i] ?? 0;
    assert.ok(
      delay <= most && delay >= most * 0.75,
      `delay ${i} of ${delay} ms is in ${most * 0.75}..${most}`,
    );
  });
  await end('a');
  queue.forget('a');
  assert.ok(queue.retry('a') <= 100);
});

test('retry() of many keys keeps to retriesPerSecond', async () => {
  const { clock, queue, started } = workbench({ workers: 1000, firstRetryMs: 1, retriesPerSecond: 10 });
  for (let i = 0; i < 40; i++) queue.retry(`k${i}`);
  await clock.advance(999);
  assert.ok(started.length <= 22, `${started.length} started in a second`);
  await clock.advance(4000);
  assert.equal(started.length, 40);
});

test('rest() lets what comes meanwhile be one run', async () => {
  const { clock, queue, started, end } = workbench();
  queue.add('a');
  await clock.advance(0);
  queue.rest('a', 100);
  await end('a');
  for (let i = 0; i < 5; i++) {
    queue.add('a');
    await clock.advance(10);
  }
  assert.deepEqual(started, ['a']);
  await clock.advance(60);
  assert.deepEqual(started, ['a', 'a']);
  await end('a');
  assert.equal(queue.size, 0);
});

test('rest() that ends while the key runs does not lose what was added', async () => {
  const { clock, queue, started, end } = workbench();
  queue.add('a');
  await clock.advance(0);
  queue.rest('a', 10);
  queue.add('a');
  await clock.advance(20);
  await end('a');
  assert.deepEqual(started, ['a', 'a']);
});

test('whenIdle() resolves when all is done', async () => {
  const { clock, queue, end } = workbench();
  let idle = false;
  queue.add('a');
  void queue.whenIdle().then(() => {
    idle = true;
  });
  await clock.advance(0);
  assert.equal(idle, false);
  await end('a');
  assert.equal(idle, true);
});

test('stop() starts nothing more', async () => {
  const { clock, queue, started, end } = workbench();
  queue.add('a');
  queue.add('b');
  queue.addAfter('c', 10);
  await clock.advance(0);
  queue.stop();
  await end('a', new Error('late'));
  queue.add('d');
  await clock.advance(100_000);
  assert.deepEqual(started, ['a']);
});

test('a queue works every key after its last add, whatever the order of things (property)', async () => {
  for (let seed = 1; seed <= 30; seed++) {
    const random = new SeededRandom(seed);
    const clock = new SimulatedClock();
    const wanted = new Map<string, number>();
    const seen = new Map<string, number>();
    const running = new Set<string>();
    const queue: WorkQueue<string> = new WorkQueue<string>({
      clock,
      random,
      workers: 1 + random.integer(3),
      work: async (key) => {
        assert.ok(!running.has(key), `seed ${seed}: ${key} runs twice at once`);
        running.add(key);
        const version = wanted.get(key) ?? 0;
        await clock.sleep(random.integer(50));
        running.delete(key);
        if (random.integer(4) === 0) queue.rest(key, random.integer(100));
        if (random.integer(3) === 0) throw new Error('chance');
        seen.set(key, version);
      },
    });
    for (let i = 0; i < 200; i++) {
      const key = `k${random.integer(5)}`;
      wanted.set(key, i);
      if (random.integer(3) === 0) queue.addAfter(key, random.integer(30));
      else queue.add(key);
      await clock.advance(random.integer(20));
    }
    await clock.advance(300_000);
    assert.deepEqual(
      new Map([...seen].sort()),
      new Map([...wanted].sort()),
      `seed ${seed}: every key's last version was worked`,
    );
  }
});
