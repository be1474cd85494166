/** When agents are asked: while somebody wants to know, and never otherwise. In simulated time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node } from '../api/index.ts';
import { nodes as nodesRef } from '../api/index.ts';
import { createFakeClient, createInformers } from '../client/index.ts';
import { SeededRandom, SimulatedClock, silentLog } from '../lib/index.ts';
import { Gatherer, type ReadNode } from './gatherer.ts';

async function start(names: readonly string[], read?: ReadNode) {
  const clock = new SimulatedClock();
  const random = new SeededRandom(3);
  const client = createFakeClient({ clock, random });
  for (const name of names) client.seed(nodesRef, { metadata: { name } });
  const informers = createInformers({ client, clock, random, log: silentLog });
  const nodes = informers.informer<Node>(nodesRef);
  const asked: string[] = [];
  const gatherer = new Gatherer({
    clock,
    random,
    log: silentLog,
    nodes,
    read: async (node, signal) => {
      asked.push(node.metadata.name ?? '');
      if (read !== undefined) return read(node, signal);
      const nowMs = clock.nowMs();
      const time = new Date(nowMs).toISOString();
      return {
        node: {
          startTime: '2025-01-01T00:00:00Z',
          cpu: { time, usageCoreNanoSeconds: 0 },
          memory: { time, workingSetBytes: 1 },
        },
      };
    },
  });
  await clock.advance(10);
  assert.equal(nodes.size, names.length);
  const pass = async (seconds: number): Promise<void> => {
    for (let passed = 0; passed < seconds; passed += 1) await clock.advance(1000);
  };
  return { clock, client, gatherer, asked, pass, informers };
}

/** Whether it has resolved. */
function watched(promise: Promise<void> | undefined): { readonly isDone: () => boolean } {
  let done = promise === undefined;
  void promise?.then(() => {
    done = true;
  });
  return { isDone: () => done };
}

test('nobody asks: nobody is asked; the first who asks waits for a second, then it goes on for two minutes', async () => {
  const { gatherer, asked, pass, clock } = await start(['a', 'b']);
  await pass(60);
  assert.deepEqual(asked, []);
  const first = watched(gatherer.prepare());
  await clock.advance(500);
  assert.deepEqual([first.isDone(), asked.length], [false, 2]);
  await clock.advance(600);
  assert.deepEqual([first.isDone(), asked.length], [true, 4]);
  assert.equal(gatherer.node('a')?.windowMs, 1000);
  await clock.advance(16_000);
  assert.equal(gatherer.prepare(), undefined);
  assert.equal(asked.length, 6);
  await pass(300);
  const atRest = asked.length;
  assert.ok(atRest > 16 && atRest < 26, `${atRest} questions`);
  assert.equal(gatherer.node('a'), undefined);
  await pass(300);
  assert.equal(asked.length, atRest);
  const again = watched(gatherer.prepare());
  await pass(2);
  assert.ok(again.isDone() && gatherer.node('b') !== undefined);
  gatherer.stop();
});

test('a node that does not answer keeps nobody waiting for long, and its last figures are told for 40 s', async () => {
  let isDeaf = false;
  const { gatherer, pass, clock, asked } = await start(['a', 'b'], (node, signal) => {
    const time = new Date(clock.nowMs()).toISOString();
    const cpu = { time, usageCoreNanoSeconds: 0 };
    if (node.metadata.name === 'b' && isDeaf)
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      });
    return Promise.resolve({
      node: { startTime: '2025-01-01T00:00:00Z', cpu, memory: { workingSetBytes: 1 } },
    });
  });
  void gatherer.prepare();
  await pass(3);
  isDeaf = true;
  for (let passed = 0; passed < 30; passed += 5) {
    assert.equal(gatherer.prepare(), undefined);
    await pass(5);
  }
  assert.ok(gatherer.node('a') !== undefined && gatherer.node('b') !== undefined);
  await pass(20);
  assert.ok(gatherer.node('a') !== undefined);
  assert.equal(gatherer.node('b'), undefined);
  assert.ok(asked.length < 20);
  await pass(300);
  const late = watched(gatherer.prepare());
  await pass(3);
  assert.equal(late.isDone(), false);
  await pass(2);
  assert.equal(late.isDone(), true);
  gatherer.stop();
});

test('nodes that are lost are not asked; of those that are gone nothing is told', async () => {
  const { gatherer, pass, client, asked } = await start(['a', 'b', 'c']);
  const conditions = [{ type: 'Ready', status: 'Unknown' }];
  await client.patch(
    nodesRef,
    undefined,
    'b',
    'merge',
    { status: { conditions } },
    { subresource: 'status' },
  );
  void gatherer.prepare();
  await pass(3);
  assert.deepEqual([...new Set(asked)].sort(), ['a', 'c']);
  client.remove(nodesRef, 'c');
  await pass(20);
  assert.ok(gatherer.node('a') !== undefined);
  assert.equal(gatherer.node('c'), undefined);
  gatherer.stop();
});

test('a thousand nodes are asked a few at a time', async () => {
  let atOnce = 0;
  let most = 0;
  const names = Array.from({ length: 1000 }, (_, index) => `n${index}`);
  const { gatherer, pass, clock, asked } = await start(names, async () => {
    most = Math.max(most, ++atOnce);
    await clock.sleep(5);
    atOnce--;
    return {};
  });
  void gatherer.prepare();
  for (let turn = 0; turn < 400; turn++) await clock.advance(5);
  await pass(1);
  assert.equal(most, 16);
  assert.ok(asked.length >= 1000);
  gatherer.stop();
});
