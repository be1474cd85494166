/** Nodes that are kept free for moves are given back, whatever the API server does meanwhile. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Node, nodes as nodesRef } from '../../api/index.ts';
import { createFakeClient } from '../../client/index.ts';
import { CaelumError, SimulatedClock, silentLog } from '../../lib/index.ts';
import { applyMoves } from './apply.ts';
import { holdTaint } from './trial.ts';

test('applyMoves() gives nodes back though the API server is away for a minute', async () => {
  const clock = new SimulatedClock();
  const client = createFakeClient({ clock });
  client.seed<Node>(nodesRef, { metadata: { name: 'a' } });
  const taints = (): readonly string[] =>
    (client.peek<Node>(nodesRef, 'a')?.spec?.taints ?? []).map(({ key }) => key);
  const phase = { strategy: 'Defragment', cordon: [], hold: ['a'], moves: [] };
  const applying = applyMoves({ client, clock, log: silentLog }, { phases: [phase], stays: [] });
  for (let ms = 0; taints().length === 0 && ms < 5000; ms += 10) await clock.advance(10);
  assert.deepEqual(taints(), [holdTaint.key]);
  client.intercept = () => new CaelumError('unavailable', 'it is away');
  await clock.advance(60_000);
  assert.deepEqual(taints(), [holdTaint.key]);
  client.intercept = undefined;
  await clock.advance(15_000);
  assert.deepEqual(taints(), []);
  await applying;
});
