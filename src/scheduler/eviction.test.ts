import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Event, Node, Pod } from '../api/index.ts';
import { createFakeClient, createInformers } from '../client/index.ts';
import { CaelumError, SeededRandom, SimulatedClock, silentLog } from '../lib/index.ts';
import { type Scheduler, startScheduler } from './bind-loop.ts';

const podsRef = { group: '', version: 'v1', resource: 'pods', namespaced: true };
const nodesRef = { group: '', version: 'v1', resource: 'nodes', namespaced: false };
const eventsRef = { group: '', version: 'v1', resource: 'events', namespaced: true };

/** A node that is full of one victim, and a scheduler that may be started anew. */
function desk(t: TestContext) {
  const clock = new SimulatedClock();
  const random = new SeededRandom(1);
  const client = createFakeClient({ clock });
  let stop = (): void => {};
  const start = (): Scheduler => {
    const informers = createInformers({ client, clock, random, log: silentLog });
    const scheduler = startScheduler({ client, informers, clock, random, log: silentLog });
    stop = () => {
      scheduler.stop();
      informers.stop();
    };
    return scheduler;
  };
  t.after(() => stop());
  const run = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 50) {
      await clock.advance(50);
      // The node's agent ends what is to end.
      for (const { metadata } of client.objects<Pod>(podsRef))
        if (metadata.deletionTimestamp !== undefined && passed % 500 === 0)
          client.remove(podsRef, `default/${metadata.name}`);
    }
  };
  const addPod = (name: string, priority: number, nodeName?: string): void =>
    client.seed<Pod>(podsRef, {
      metadata: { name, namespace: 'default', uid: `uid-${name}` },
      spec: {
        priority,
        containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '1' } } }],
        ...(nodeName === undefined ? {} : { nodeName }),
      },
      status: { phase: 'Pending' },
    });
  client.seed<Node>(nodesRef, {
    metadata: { name: 'a' },
    status: { allocatable: { cpu: '1', memory: '8Gi', pods: '110' } },
  });
  addPod('victim', 0, 'a');
  const pod = (name: string): Pod | undefined => client.peek<Pod>(podsRef, `default/${name}`);
  const told = (reason: string): readonly string[] =>
    client
      .objects<Event>(eventsRef)
      .filter((one) => one.reason === reason)
      .map(({ type, message }) => `${type}: ${message}`);
  return { client, start, stop: () => stop(), run, addPod, pod, told };
}

test('startScheduler() marks a victim before it deletes it, tells of it, and explains', async (t) => {
  const { client, start, run, addPod, pod, told } = desk(t);
  const scheduler = start();
  addPod('high', 9);
  await run(3000);
  assert.equal(pod('victim'), undefined);
  assert.equal(pod('high')?.spec?.nodeName, 'a');
  assert.deepEqual(told('Preempted'), ['Normal: Preempted by pod uid-high on node a']);
  const done = client.requests
    .filter(({ name, verb }) => name === 'victim' && verb !== 'get')
    .map(({ verb }) => verb);
  assert.deepEqual(done, ['patch', 'delete']);
  const explanation = scheduler.explain('default/high');
  assert.deepEqual(explanation?.preempted, {
    node: 'a',
    victims: ['default/victim'],
    budgetViolations: 0,
    candidates: 1,
  });
});

for (const broken of ['patch', 'delete'] as const)
  test(`startScheduler() tries again when the ${broken} of a victim has failed`, async (t) => {
    const { client, start, run, addPod, pod } = desk(t);
    let failures = 2;
    client.intercept = ({ verb, name }) =>
      verb === broken && name === 'victim' && failures-- > 0
        ? new CaelumError('unavailable', 'the connection broke')
        : undefined;
    start();
    addPod('high', 9);
    await run(20_000);
    assert.ok(failures < 0, 'it has failed twice');
    assert.equal(pod('high')?.spec?.nodeName, 'a');
  });

for (const last of ['high', 'patch', 'delete'] as const)
  test(`startScheduler() goes on where another has been cut off: ${last} was never done`, async (t) => {
    const { client, start, stop, run, addPod, pod } = desk(t);
    client.intercept = ({ verb, name, subresource }) =>
      (last === 'high' && name === 'high' && subresource === 'status') ||
      (name === 'victim' && (verb === 'delete' || verb === last))
        ? new CaelumError('unavailable', 'the connection broke')
        : undefined;
    start();
    addPod('high', 9);
    await run(500);
    stop();
    assert.notEqual(pod('victim'), undefined);
    assert.equal(pod('high')?.status?.nominatedNodeName, last === 'high' ? undefined : 'a');
    client.intercept = undefined;
    start();
    // Neither does it lose its place to one of less priority.
    addPod('middle', 5);
    await run(5000);
    assert.equal(pod('victim'), undefined);
    assert.equal(pod('high')?.spec?.nodeName, 'a');
    assert.equal(pod('middle')?.spec?.nodeName, undefined);
  });

test('startScheduler() gives up a nomination when there is room elsewhere, and when its node has gone', async (t) => {
  const { client, start, run, addPod, pod } = desk(t);
  client.intercept = ({ verb, name }) =>
    verb === 'delete' && name === 'victim' ? new CaelumError('unavailable', 'not now') : undefined;
  start();
  addPod('high', 9);
  await run(500);
  assert.equal(pod('high')?.status?.nominatedNodeName, 'a');
  client.remove(nodesRef, 'a');
  client.seed<Node>(nodesRef, {
    metadata: { name: 'small' },
    status: { allocatable: { cpu: '500m', memory: '8Gi', pods: '110' } },
  });
  await run(15_000);
  assert.equal(pod('high')?.status?.nominatedNodeName ?? undefined, undefined);
  client.seed<Node>(nodesRef, {
    metadata: { name: 'b' },
    status: { allocatable: { cpu: '1', memory: '8Gi', pods: '110' } },
  });
  await run(3000);
  assert.equal(pod('high')?.spec?.nodeName, 'b');
});
