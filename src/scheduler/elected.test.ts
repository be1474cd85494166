import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Node, Pod } from '../api/index.ts';
import { type Client, createFakeClient, createInformers } from '../client/index.ts';
import { CaelumError, SeededRandom, SimulatedClock, silentLog } from '../lib/index.ts';
import { startElectedScheduler } from './elected.ts';

const podsRef = { group: '', version: 'v1', resource: 'pods', namespaced: true };
const nodesRef = { group: '', version: 'v1', resource: 'nodes', namespaced: false };

function desk(t: TestContext) {
  const clock = new SimulatedClock();
  const client = createFakeClient({ clock });
  const bindings: { readonly by: string; readonly pod: string; readonly term: string }[] = [];
  const start = (identity: string) => {
    const random = new SeededRandom(bindings.length);
    const state = { isCut: false };
    const own: Client = new Proxy(client, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (...given: unknown[]) => {
          if (state.isCut && name !== 'watch')
            return Promise.reject(new CaelumError('unavailable', 'the connection broke'));
          if (name === 'createSubresource') {
            const { annotations } = (given[4] as Pod).metadata;
            const term = annotations?.['scheduling.caelum.dev/term'] ?? '';
            bindings.push({ by: identity, pod: String(given[2]), term });
          }
          return value.apply(target, given) as unknown;
        };
      },
    });
    const informers = createInformers({ client: own, clock, random, log: silentLog });
    const options = { client: own, informers, clock, random, log: silentLog };
    const scheduler = startElectedScheduler({ ...options, identity, ownCopies: true });
    t.after(async () => {
      informers.stop();
      await scheduler.stop();
    });
    return { scheduler, state };
  };
  const run = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 50) await clock.advance(50);
  };
  const addPod = (name: string): void =>
    client.seed<Pod>(podsRef, {
      metadata: { name, namespace: 'default' },
      spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '1' } } }] },
      status: { phase: 'Pending' },
    });
  const nodeOf = (name: string): string | undefined =>
    client.peek<Pod>(podsRef, `default/${name}`)?.spec?.nodeName;
  client.seed<Node>(nodesRef, {
    metadata: { name: 'a' },
    status: { allocatable: { cpu: '8', memory: '8Gi', pods: '110' } },
  });
  return { client, start, run, addPod, nodeOf, bindings };
}

test('startElectedScheduler() has one of two bind, in the name of its term, and the other take over within the lease', async (t) => {
  const { start, run, addPod, nodeOf, bindings } = desk(t);
  const a = start('a');
  await run(500);
  const b = start('b');
  await run(500);
  addPod('first');
  await run(500);
  assert.equal(nodeOf('first'), 'a');
  assert.deepEqual([a.scheduler.isLeader, b.scheduler.isLeader], [true, false]);
  a.state.isCut = true;
  await run(1000);
  addPod('second');
  await run(12_000);
  assert.equal(nodeOf('second'), undefined);
  assert.equal(b.scheduler.explain('default/second'), undefined);
  await run(4000);
  assert.equal(nodeOf('second'), 'a');
  assert.equal(b.scheduler.explain('default/second')?.decision, 'bound');
  assert.deepEqual(
    [...new Set(bindings.filter(({ pod }) => pod === 'second').map(({ by }) => by))].at(-1),
    'b',
  );
  a.state.isCut = false;
  addPod('third');
  await run(5000);
  assert.equal(nodeOf('third'), 'a');
  const terms = bindings.map(({ by, pod, term }) => `${pod} by ${by} in ${term.replace(/^.*\//, '')}`);
  assert.deepEqual(
    terms.filter((one) => !one.startsWith('second by a')),
    ['first by a in 0', 'second by b in 1', 'third by b in 1'],
  );
  assert.ok(bindings.every(({ term }) => /^kube-system\/kube-scheduler\/[^/]+\/\d+$/.test(term)));
});

test('startElectedScheduler() lets the other take over at once when it stops', async (t) => {
  const { start, run, addPod, nodeOf } = desk(t);
  const a = start('a');
  await run(500);
  start('b');
  await run(500);
  await a.scheduler.stop();
  addPod('first');
  await run(1000);
  assert.equal(nodeOf('first'), 'a');
});
