/** The ledger against one that counts everything anew, while nodes and pods come, go and change. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../../api/index.ts';
import { SeededRandom } from '../../lib/index.ts';
import { type GpuAsk, gpuDevicesKey } from './gpu-ask.ts';
import { GpuLedger } from './gpu-ledger.ts';

const seed = process.env['CAELUM_SEED'] ?? '1';
const whole = (count: number): GpuAsk => ({ count, milli: 1000, models: [], resource: '' });
const share = (milli: number, models: readonly string[] = []): GpuAsk => ({
  count: 1,
  milli,
  models,
  resource: '',
});
const pod = (name: string, devices?: string): Pod => ({
  metadata: {
    name,
    namespace: 'default',
    ...(devices === undefined ? {} : { annotations: { [gpuDevicesKey]: devices } }),
  },
  spec: { nodeName: 'n', containers: [{ name: 'c', image: 'i' }] },
});

function ledgerOf(count: number, model = 'T4'): GpuLedger {
  const ledger = new GpuLedger();
  ledger.setNode(
    0,
    { 'scheduling.caelum.dev/gpu-count': String(count), 'scheduling.caelum.dev/gpu-model': model },
    {},
  );
  return ledger;
}

const freeOf = (ledger: GpuLedger): readonly number[] => [...(ledger.pool(0)?.free ?? [])];

test('GpuLedger gives a share from one GPU, and whole ones that are empty', () => {
  const ledger = ledgerOf(3);
  ledger.place(0, 'a', pod('a', '1'), 'n', share(460));
  assert.deepEqual(freeOf(ledger), [1000, 540, 1000]);
  assert.deepEqual(ledger.choose(0, share(500)), [1], 'where the least is left over');
  assert.deepEqual(ledger.choose(0, whole(2)), [0, 2]);
  assert.equal(ledger.fits(0, whole(3)), false);
  assert.equal(ledger.fits(0, share(541)), true);
  ledger.place(0, 'b', pod('b', '0,2'), 'n', whole(2));
  assert.equal(ledger.fits(0, share(541)), false, '540 and nothing are no 541');
  ledger.remove(0, 'a');
  assert.equal(ledger.fits(0, whole(1)), true);
});

test('GpuLedger reckons a pod of which nobody says which GPU it has on the emptiest, and makes way for those that say', () => {
  const ledger = ledgerOf(2);
  ledger.place(0, 'unnamed', pod('unnamed'), 'n', whole(1));
  assert.deepEqual(freeOf(ledger), [0, 1000]);
  ledger.place(0, 'named', pod('named', '0'), 'n', share(300));
  assert.deepEqual(freeOf(ledger), [700, 0]);
  ledger.remove(0, 'named');
  ledger.remove(0, 'unnamed');
  assert.deepEqual(freeOf(ledger), [1000, 1000]);
});

test('GpuLedger remembers what a plan gave until the pod says it', () => {
  const ledger = ledgerOf(2);
  const asking = pod('a');
  assert.deepEqual(ledger.give(0, share(200), asking, 'n', [1]), [1]);
  ledger.place(0, 'a', asking, 'n', share(200));
  assert.deepEqual(freeOf(ledger), [1000, 800]);
  ledger.place(0, 'a', pod('a', '1'), 'n', share(200));
  assert.deepEqual(freeOf(ledger), [1000, 800], 'once');
  ledger.remove(0, 'a');
  ledger.place(0, 'a', asking, 'other', share(200));
  assert.deepEqual(freeOf(ledger), [800, 1000], 'what it was given on another node does not count here');
});

test('GpuLedger says why a node is refused, and what the largest free share is', () => {
  const ledger = ledgerOf(2, 'T4');
  const name = (): string => 'n';
  assert.equal(ledger.refusal(1, share(1)), 'node(s) had no GPUs');
  assert.equal(ledger.refusal(0, share(1, ['A10', 'P100'])), 'node(s) had no GPUs of model A10|P100');
  assert.equal(ledger.note(share(1, ['A10']), name), undefined);
  ledger.place(0, 'a', pod('a', '0'), 'n', share(900));
  ledger.place(0, 'b', pod('b', '1'), 'n', share(700));
  assert.equal(ledger.refusal(0, share(300)), undefined);
  assert.equal(ledger.refusal(0, share(301)), 'node(s) had no GPU with 301 thousandths free');
  assert.equal(ledger.refusal(0, whole(1)), 'node(s) had fewer than 1 whole GPU(s) free');
  assert.equal(ledger.refusal(0, { ...whole(1), resource: 'nvidia.com/gpu' }), 'Insufficient nvidia.com/gpu');
  assert.equal(
    ledger.note(share(301), name),
    'The largest free share of a GPU is 300 thousandths, on node n.',
  );
  assert.equal(ledger.note(whole(2), name), 'At most 0 of the 2 GPUs are free on one node, n.');
});

test('GpuLedger keeps what pods have when a node changes its number of GPUs, or says late that it has any', () => {
  const ledger = new GpuLedger();
  ledger.place(0, 'early', pod('early', '1'), 'n', share(250));
  assert.equal(ledger.fits(0, share(1)), false);
  const labels = (count: number): Record<string, string> => ({
    'scheduling.caelum.dev/gpu-count': String(count),
  });
  ledger.setNode(0, labels(2), {});
  assert.deepEqual(freeOf(ledger), [1000, 750]);
  ledger.setNode(0, labels(1), {});
  assert.deepEqual(freeOf(ledger), [1000]);
  ledger.setNode(0, labels(3), {});
  assert.deepEqual(freeOf(ledger), [1000, 750, 1000]);
  ledger.removeNode(0);
  assert.equal(ledger.podCount, 0);
  assert.deepEqual([...ledger.kinds], []);
});

test('GpuLedger counts as one that counts everything anew', () => {
  const random = new SeededRandom(`gpu-ledger ${seed}`);
  for (let round = 0; round < 60; round++) {
    const ledger = ledgerOf(1 + random.integer(4));
    const held = new Map<string, { readonly pod: Pod; readonly ask: GpuAsk }>();
    for (let step = 0; step < 60; step++) {
      const key = `p-${random.integer(12)}`;
      if (random.float() < 0.4) {
        ledger.remove(0, key);
        held.delete(key);
      } else {
        ledger.remove(0, key);
        held.delete(key);
        const ask =
          random.float() < 0.3 ? whole(1 + random.integer(2)) : share(50 * (1 + random.integer(20)));
        if (!ledger.fits(0, ask)) continue;
        const devices = ledger.choose(0, ask);
        const one = pod(key, devices.join(','));
        ledger.place(0, key, one, 'n', ask);
        held.set(key, { pod: one, ask });
      }
      const free = freeOf(ledger).map(() => 1000);
      for (const { pod: one, ask } of held.values())
        for (const at of (one.metadata.annotations?.[gpuDevicesKey] ?? '').split(',').map(Number))
          free[at] = (free[at] ?? 0) - ask.milli;
      const told = `CAELUM_SEED=${seed}, round ${round}, step ${step}`;
      assert.deepEqual(freeOf(ledger), free, told);
      assert.ok(
        free.every((one) => one >= 0),
        `never more than there is: ${told}`,
      );
      assert.equal(ledger.pool(0)?.largest, Math.max(...free), told);
      assert.equal(ledger.pool(0)?.whole, free.filter((one) => one === 1000).length, told);
      assert.equal(ledger.podCount, held.size, told);
      const weights = [...ledger.kinds].reduce((sum, { weight }) => sum + weight, 0);
      assert.equal(weights, held.size, told);
    }
  }
});
