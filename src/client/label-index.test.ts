/** Label selectors by an index, beside going through all: whatever comes, changes and goes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../api/index.ts';
import { parseLabelSelector, pods as podsRef } from '../api/index.ts';
import { SeededRandom, SimulatedClock, silentLog } from '../lib/index.ts';
import { createFakeClient } from './fake-client.ts';
import { createInformers } from './informer.ts';
import { LabelIndex } from './label-index.ts';

const selectors = [
  '',
  'app=a',
  'app=b,tier=x',
  'tier in (x)',
  'tier in (x,y)',
  'app!=a',
  'app',
  '!tier',
  'app=',
  'app=a,app=b',
  'new=1',
];

test('LabelIndex.select() finds what going through all would', async () => {
  const seed = Number(process.env['CAELUM_SEED'] ?? 5);
  const random = new SeededRandom(seed);
  const clock = new SimulatedClock();
  const client = createFakeClient({ clock, random });
  const informers = createInformers({ client, clock, random, log: silentLog });
  const informer = informers.informer<Pod>(podsRef);
  await clock.advance(10);
  const index = new LabelIndex(informer);
  const label = (): Record<string, string> => ({
    ...(random.integer(4) > 0 ? { app: ['a', 'b', ''][random.integer(3)] ?? '' } : {}),
    ...(random.integer(2) > 0 ? { tier: ['x', 'y'][random.integer(2)] ?? '' } : {}),
    ...(random.integer(9) === 0 ? { new: '1' } : {}),
  });
  for (let round = 0; round < 60; round++) {
    const [name, namespace] = [`p${random.integer(20)}`, `n${random.integer(2)}`];
    if (random.integer(4) === 0) client.remove(podsRef, `${namespace}/${name}`);
    else client.seed(podsRef, { metadata: { name, namespace, labels: label() } } as Pod);
    await clock.advance(5);
    for (const selector of selectors) {
      // Some are first asked for late.
      if (selector === 'new=1' && round < 30) continue;
      const matches = parseLabelSelector(selector) ?? (() => true);
      const expected = [...informer.list()].filter(
        ({ metadata }) => metadata.namespace === namespace && matches(metadata.labels),
      );
      const found = index.select(namespace, selector);
      const names = (pods: readonly Pod[]) =>
        pods.map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`).sort();
      assert.deepEqual(names(found), names(expected), `seed ${seed}, round ${round}: ${selector}`);
    }
  }
  assert.throws(() => index.select('n0', 'a=,=b'), { code: 'badRequest' });
  index.stop();
  informers.stop();
});
