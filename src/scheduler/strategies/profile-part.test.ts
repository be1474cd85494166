import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Event, Node, Pod, SchedulingProfile, SchedulingProfileSpec } from '../../api/index.ts';
import { createFakeClient, createInformers } from '../../client/index.ts';
import { SeededRandom, SimulatedClock, silentLog } from '../../lib/index.ts';
import { startScheduler } from '../bind-loop.ts';
import type { ProfileSources } from './profile-part.ts';

const ref = (resource: string, group = '', namespaced = true) => ({
  group,
  version: 'v1',
  resource,
  namespaced,
});
const podsRef = ref('pods');
const nodesRef = ref('nodes', '', false);
const profilesRef = ref('schedulingprofiles', 'scheduling.caelum.dev', false);
const eventsRef = ref('events');

function desk(t: TestContext, sources: ProfileSources = {}) {
  const clock = new SimulatedClock();
  const random = new SeededRandom(1);
  const client = createFakeClient({ clock });
  const informers = createInformers({ client, clock, random, log: silentLog });
  const scheduler = startScheduler({ client, informers, clock, random, log: silentLog, sources });
  t.after(() => {
    scheduler.stop();
    informers.stop();
  });
  const run = async (ms = 3000): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 50) await clock.advance(50);
  };
  const node = (name: string, annotations: Record<string, string> = {}): void =>
    client.seed<Node>(nodesRef, {
      metadata: { name, annotations, labels: { 'kubernetes.io/hostname': name } },
      status: { allocatable: { cpu: '8', memory: '64Gi', pods: '110' } },
    });
  const profile = (name: string, spec: SchedulingProfileSpec, generation = 1): void =>
    client.seed<SchedulingProfile>(profilesRef, {
      metadata: { name, uid: name, generation, creationTimestamp: `2026-01-0${name.length}T00:00:00Z` },
      spec: { schedulerName: 'default-scheduler', ...spec },
    });
  const pod = (name: string, more: Partial<NonNullable<Pod['spec']>> = {}): void =>
    client.seed<Pod>(podsRef, {
      metadata: { name, namespace: 'd', uid: name },
      spec: {
        containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '1', memory: '1Gi' } } }],
        ...more,
      },
      status: { phase: 'Pending' },
    });
  const nodeOf = (name: string): string => client.peek<Pod>(podsRef, `d/${name}`)?.spec?.nodeName ?? '';
  const condition = (name: string, type: string) =>
    client.peek<SchedulingProfile>(profilesRef, name)?.status?.conditions?.find((one) => one.type === type);
  const events = (): string[] =>
    client
      .objects<Event>(eventsRef)
      .map(({ involvedObject, reason, message }) =>
        [involvedObject?.kind, involvedObject?.name, reason, message].join(' '),
      );
  return { clock, client, run, node, profile, pod, nodeOf, condition, events };
}

test('a profile is heeded at once, and so is its change and its end', async (t) => {
  const { client, run, node, profile, pod, nodeOf, condition } = desk(t);
  for (const name of ['a', 'b', 'c']) node(name);
  profile('p', { strategy: 'BinPack' });
  await run();
  for (const name of ['x1', 'x2', 'x3']) pod(name);
  await run();
  assert.deepEqual(['x1', 'x2', 'x3'].map(nodeOf), ['a', 'a', 'a']);
  assert.equal(condition('p', 'Ready')?.status, 'True');
  profile('p', { strategy: 'RoundRobin' }, 2);
  await run();
  for (const name of ['y1', 'y2', 'y3']) pod(name);
  await run();
  // Whoever has pods has had turns.
  assert.deepEqual(['y1', 'y2', 'y3'].map(nodeOf), ['b', 'c', 'a']);
  client.remove(profilesRef, 'p');
  await run();
  for (const name of ['z1', 'z2']) pod(name);
  await run();
  assert.deepEqual(['z1', 'z2'].map(nodeOf), ['b', 'c']);
});

test('pods of another scheduler name wait until a profile answers to it', async (t) => {
  const { run, node, profile, pod, nodeOf } = desk(t);
  node('a');
  pod('x', { schedulerName: 'batch' });
  await run();
  assert.equal(nodeOf('x'), '');
  profile('p', { schedulerName: 'batch', strategy: 'BinPack' });
  await run();
  assert.equal(nodeOf('x'), 'a');
});

test('of two profiles for one name the older is heeded, and the other says so', async (t) => {
  const { client, run, node, profile, condition } = desk(t);
  node('a');
  profile('p', { strategy: 'BinPack' });
  profile('pp', { strategy: 'Spread' });
  await run();
  assert.equal(condition('p', 'Ready')?.status, 'True');
  assert.equal(condition('pp', 'Ready')?.reason, 'Shadowed');
  client.remove(profilesRef, 'p');
  await run();
  assert.equal(condition('pp', 'Ready')?.status, 'True');
});

test('a custom score that fails keeps no pod waiting, and is told by a condition and by Events', async (t) => {
  const { run, node, profile, pod, nodeOf, condition, events } = desk(t, {
    scores: {
      broken: () => {
        throw new Error('no idea');
      },
    },
  });
  node('a');
  node('b');
  profile('p', { strategy: 'Custom', custom: { expression: 'double(node.labels["gpus"])' } });
  await run();
  pod('x');
  await run();
  assert.notEqual(nodeOf('x'), '');
  assert.equal(condition('p', 'CustomScoreWorking')?.status, 'False');
  assert.match(condition('p', 'CustomScoreWorking')?.message ?? '', /no such key: gpus/);
  const told = events().filter((one) => one.includes('CustomScoreFailed'));
  assert.match(
    told.join('\n'),
    /Pod x CustomScoreFailed SchedulingProfile "p": custom score: .*placed by the rest/,
  );
  assert.match(told.join('\n'), /SchedulingProfile p CustomScoreFailed custom score/);
  // Another expression is another matter.
  profile('p', { strategy: 'Custom', custom: { expression: '1.0' } }, 2);
  await run();
  assert.equal(condition('p', 'CustomScoreWorking')?.status, 'True');
  profile('p', { strategy: 'Custom', custom: { function: 'broken' } }, 3);
  await run();
  pod('y');
  await run();
  assert.notEqual(nodeOf('y'), '');
  assert.match(condition('p', 'CustomScoreWorking')?.message ?? '', /no idea/);
  await run(200_000);
  assert.equal(condition('p', 'CustomScoreWorking')?.status, 'True');
});

test('LeastLoaded goes by usage where it is measured, LeastConnections by annotations; without either by what is asked for', async (t) => {
  let isMeasured = true;
  const { run, node, profile, pod, nodeOf } = desk(t, {
    nodeUsage: async () => {
      if (!isMeasured) throw new Error('no metrics');
      return new Map([
        ['a', { cpuMilli: 7000, memoryBytes: 1 }],
        ['b', { cpuMilli: 100, memoryBytes: 1 }],
      ]);
    },
  });
  node('a', { 'scheduling.caelum.dev/connections': '3' });
  node('b', { 'scheduling.caelum.dev/connections': '900' });
  profile('p', { strategy: 'LeastLoaded' });
  await run();
  for (const name of ['x1', 'x2', 'x3']) pod(name);
  await run();
  assert.deepEqual(['x1', 'x2', 'x3'].map(nodeOf), ['b', 'b', 'b']);
  isMeasured = false;
  await run(20_000);
  pod('y');
  await run();
  assert.equal(nodeOf('y'), 'a');
  profile('p', { strategy: 'LeastConnections' }, 2);
  await run(20_000);
  pod('z');
  await run();
  assert.equal(nodeOf('z'), 'a');
});

test('LeastConnections goes by what is measured where no annotation says otherwise; a pod that asks for it is enough', async (t) => {
  const { client, run, node, nodeOf } = desk(t, {
    nodeUsage: async () =>
      new Map([
        ['a', { cpuMilli: 1, memoryBytes: 1, connections: 900 }],
        ['b', { cpuMilli: 1, memoryBytes: 1, connections: 3 }],
        ['c', { cpuMilli: 1, memoryBytes: 1, connections: 0 }],
      ]),
  });
  for (const name of ['a', 'b']) node(name);
  node('c', { 'scheduling.caelum.dev/connections': '50' });
  const asking = (name: string): void =>
    client.seed<Pod>(podsRef, {
      metadata: {
        name,
        namespace: 'd',
        uid: name,
        annotations: { 'scheduling.caelum.dev/strategy': 'LeastConnections' },
      },
      spec: { containers: [{ name: 'c', image: 'i' }] },
      status: { phase: 'Pending' },
    });
  asking('first');
  await run();
  assert.notEqual(nodeOf('first'), '', 'it does not wait for figures');
  await run(1000);
  asking('second');
  await run();
  assert.equal(nodeOf('second'), 'b');
});

test('a pod that asks for a strategy that it cannot have is placed, and told', async (t) => {
  const { client, run, node, nodeOf, events } = desk(t);
  node('a');
  client.seed<Pod>(podsRef, {
    metadata: {
      name: 'x',
      namespace: 'd',
      uid: 'x',
      annotations: { 'scheduling.caelum.dev/strategy': 'fastest' },
    },
    spec: { containers: [{ name: 'c', image: 'i' }] },
    status: { phase: 'Pending' },
  });
  await run();
  assert.equal(nodeOf('x'), 'a');
  assert.match(
    events().join('\n'),
    /Pod x StrategyNotHeeded there is no strategy "fastest": those that there are: BinPack, /,
  );
});
