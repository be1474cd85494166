import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { Node, Pod } from '../../api/index.ts';
import { createFakeClient, createInformers } from '../../client/index.ts';
import { SeededRandom, SimulatedClock, silentLog } from '../../lib/index.ts';
import { leasesRef, nodesRef, podsRef } from '../objects.ts';
import { type HollowNodes, type HollowOptions, startHollowNodes } from './hollow-nodes.ts';
import { exitAfterAnnotation } from './hollow-pod.ts';
import { createHollowEndpoint } from './io/hollow-endpoint.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function start(options: Partial<HollowOptions> = {}) {
  const clock = new SimulatedClock();
  const random = new SeededRandom(5);
  const client = createFakeClient({ clock, random });
  const informers = createInformers({ client, clock, log: silentLog, random });
  const whole = { client, informers, clock, random, count: 3, ...options };
  const starting = startHollowNodes(whole);
  await clock.advance(1);
  const nodes: HollowNodes = await starting;
  closers.push(() => {
    void nodes.stop();
    informers.stop();
  });
  return { clock, client, nodes, whole };
}

const podOn = (node: string, name: string, change: Partial<Pod> = {}): Pod => ({
  metadata: { name, namespace: 'default', ...change.metadata },
  spec: { nodeName: node, containers: [{ name: 'c', image: 'x' }], ...change.spec },
});

test('startHollowNodes() registers Ready nodes and renews each lease once an interval', async () => {
  const { clock, client, nodes } = await start();
  assert.deepEqual(nodes.names, ['hollow-0', 'hollow-1', 'hollow-2']);
  const node = client.peek<Node>(nodesRef, 'hollow-1');
  assert.equal(node?.status?.conditions?.find((condition) => condition.type === 'Ready')?.status, 'True');
  assert.equal(node?.status?.allocatable?.['cpu'], '32');
  const before = client.requests.length;
  await clock.advance(10_050);
  const renewals = client.requests.slice(before).filter((request) => request.resource.startsWith('leases'));
  assert.equal(renewals.length, 3);
  assert.equal(client.objects(leasesRef).length, 3);
});

test('hollow pods become Running after the delay, with addresses of their own, in one write each', async () => {
  const { clock, client } = await start({ startDelayMs: 500 });
  for (let index = 0; index < 20; index++)
    await client.create(podsRef, podOn(`hollow-${index % 3}`, `p${index}`));
  await client.create(podsRef, podOn('elsewhere', 'other'));
  await clock.advance(400);
  assert.equal(client.objects<Pod>(podsRef).filter((pod) => pod.status?.phase === 'Running').length, 0);
  await clock.advance(200);
  const running = client.objects<Pod>(podsRef).filter((pod) => pod.status?.phase === 'Running');
  assert.equal(running.length, 20);
  assert.equal(new Set(running.map((pod) => pod.status?.podIP)).size, 20);
  assert.equal(
    client.requests.filter((request) => request.subresource === 'status' && request.resource === 'pods')
      .length,
    20,
  );
});

test('hollow pods that are deleted go, and finished ones finish', async () => {
  const { clock, client } = await start();
  await client.create(podsRef, podOn('hollow-0', 'p'));
  const job = { name: 'job', namespace: 'default', annotations: { [exitAfterAnnotation]: '2000' } };
  await client.create(podsRef, {
    metadata: job,
    spec: { nodeName: 'hollow-1', restartPolicy: 'Never', containers: [{ name: 'c', image: 'x' }] },
  } as Pod);
  await clock.advance(100);
  assert.equal(client.peek<Pod>(podsRef, 'default/p')?.status?.phase, 'Running');
  await client.delete(podsRef, 'default', 'p');
  await clock.advance(100);
  assert.equal(client.peek(podsRef, 'default/p'), undefined);
  await clock.advance(3000);
  assert.equal(client.peek<Pod>(podsRef, 'default/job')?.status?.phase, 'Succeeded');
});

test('hollow pods finish in time when the clock on the wall jumps back', async () => {
  const { clock, client } = await start();
  const job = { name: 'job', namespace: 'default', annotations: { [exitAfterAnnotation]: '2000' } };
  const containers = [{ name: 'c', image: 'x' }];
  await client.create(podsRef, {
    metadata: job,
    spec: { nodeName: 'hollow-1', restartPolicy: 'Never', containers },
  } as Pod);
  await clock.advance(1000);
  clock.jump(-3_600_000);
  const labels = { seen: 'again' };
  await client.patch(podsRef, 'default', 'job', 'merge', { metadata: { labels } });
  await clock.advance(2000);
  assert.equal(client.peek<Pod>(podsRef, 'default/job')?.status?.phase, 'Succeeded');
});

test('startHollowNodes() goes on after a restart, and after the API server was away', async () => {
  const { clock, client, nodes, whole } = await start();
  client.intercept = () => new Error('connection refused');
  client.seed(podsRef, podOn('hollow-0', 'p'));
  await clock.advance(5000);
  client.intercept = undefined;
  await clock.advance(60_000);
  assert.equal(client.peek<Pod>(podsRef, 'default/p')?.status?.phase, 'Running');
  await nodes.stop();
  await client.create(podsRef, podOn('hollow-1', 'q'));
  const again = startHollowNodes(whole);
  await clock.advance(1000);
  closers.push(() => void again.then((started) => started.stop()));
  const [p, q] = ['p', 'q'].map((name) => client.peek<Pod>(podsRef, `default/${name}`)?.status);
  assert.equal(q?.phase, 'Running');
  assert.notEqual(p?.podIP, q?.podIP);
});

test('createHollowEndpoint() answers logs and exec', async () => {
  const { clock, client, nodes } = await start();
  await client.create(podsRef, podOn('hollow-0', 'p'));
  await clock.advance(100);
  const endpoint = createHollowEndpoint(nodes, clock);
  const options = {
    follow: false,
    previous: false,
    timestamps: false,
    tailLines: undefined,
    sinceMs: undefined,
    limitBytes: undefined,
    stream: undefined,
  };
  let text = '';
  for await (const chunk of await endpoint.logs('default', 'p', 'c', options, new AbortController().signal))
    text += Buffer.from(chunk).toString();
  assert.equal(text, 'hollow pod default/p on hollow-0\n');
  const session = await endpoint.openExec('default', 'p', 'c', {
    args: ['ls'],
    terminal: false,
    stdin: false,
  });
  let said = '';
  for await (const chunk of session.stdout) said += String(chunk);
  assert.match(said, /simulated/);
  assert.equal(await session.exited, 0);
  await assert.rejects(
    endpoint.openExec('default', 'nope', 'c', { args: [], terminal: false, stdin: false }),
    /not found/,
  );
});

const resize = (client: Awaited<ReturnType<typeof start>>['client'], name: string, cpu: string) =>
  client.patch(
    podsRef,
    'default',
    name,
    'strategic',
    { spec: { containers: [{ name: 'c', resources: { requests: { cpu } } }] } },
    { subresource: 'resize' },
  );

test('hollow pods are resized at once, wait for room, or can never be', async () => {
  const { clock, client, whole } = await start({ count: 1, cpuCount: 4 });
  const containers = [{ name: 'c', image: 'x', resources: { requests: { cpu: '1500m' } } }];
  for (const name of ['a', 'b'])
    await client.create(podsRef, podOn('hollow-0', name, { spec: { nodeName: 'hollow-0', containers } }));
  await clock.advance(10);
  const pod = (name: string) => client.peek<Pod>(podsRef, `default/${name}`)?.status;
  const pending = (name: string) => pod(name)?.conditions?.find(({ type }) => type === 'PodResizePending');
  const cpuOf = (name: string) => pod(name)?.containerStatuses?.[0]?.allocatedResources?.['cpu'];
  assert.equal(cpuOf('a'), '1500m');
  await resize(client, 'a', '2');
  await clock.advance(10);
  assert.equal(cpuOf('a'), '2');
  assert.equal(pod('a')?.containerStatuses?.[0]?.resources?.requests?.['cpu'], '2');
  assert.equal(pod('a')?.observedGeneration, 2);
  await resize(client, 'a', '3');
  await clock.advance(10);
  assert.equal(pending('a')?.reason, 'Deferred');
  assert.equal(cpuOf('a'), '2');
  await resize(client, 'b', '5');
  await clock.advance(10);
  assert.equal(pending('b')?.reason, 'Infeasible');
  const writes = client.requests.length;
  await clock.advance(5000);
  assert.equal(
    client.requests.slice(writes).filter(({ resource }) => resource === 'pods').length,
    0,
    'silence',
  );
  await resize(client, 'b', '500m');
  await clock.advance(10);
  assert.equal(pending('b'), undefined);
  assert.equal(cpuOf('a'), '3', 'there is room now');
  assert.equal(pending('a'), undefined);
  // Another process goes on where this one stopped.
  await resize(client, 'a', '3800m');
  await clock.advance(10);
  assert.equal(pending('a')?.reason, 'Deferred');
  await client.delete(podsRef, 'default', 'b', { gracePeriodSeconds: 0 });
  const second = startHollowNodes(whole);
  await clock.advance(20);
  closers.push(() => void second.then((nodes) => nodes.stop()));
  assert.equal(cpuOf('a'), '3800m');
});

test('hollow pods run the ephemeral containers that they are given', async () => {
  const { clock, client } = await start({ count: 1 });
  await client.create(podsRef, podOn('hollow-0', 'a'));
  await clock.advance(10);
  for (const name of ['one', 'two']) {
    const spec = { ephemeralContainers: [{ name, image: 'x' }] };
    const options = { subresource: 'ephemeralcontainers' };
    await client.patch(podsRef, 'default', 'a', 'strategic', { spec }, options);
    await clock.advance(10);
  }
  const statuses = client.peek<Pod>(podsRef, 'default/a')?.status?.ephemeralContainerStatuses ?? [];
  assert.deepEqual(statuses.map(({ name }) => name).sort(), ['one', 'two']);
  assert.ok(statuses.every(({ state, ready }) => state?.running !== undefined && !ready));
});
