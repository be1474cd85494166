/** Scheduling profiles in a whole cloud: API, validation, scheduler, simulated nodes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Pod,
  pods as podsRef,
  schedulingProfiles as profilesRef,
  type SchedulingProfile,
} from '../api/index.ts';
import { isError } from '../lib/index.ts';
import { Cloud } from './index.ts';

const waitMs = 60_000;

async function until<T>(look: () => Promise<T | undefined>, what: string): Promise<T> {
  const endMs = performance.now() + waitMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > endMs) assert.fail(`not within ${waitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const pod = (name: string, schedulerName?: string): Pod => ({
  metadata: { name, namespace: 'default' },
  spec: {
    containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '10m' } } }],
    ...(schedulerName === undefined ? {} : { schedulerName }),
  },
});

test('SchedulingProfile: strategies, functions and refusals in a whole cloud', async (t) => {
  const cloud = await Cloud.start({
    hollow: 3,
    scores: { second: ({ node }) => (node.name === 'hollow-1' ? 100 : 0) },
  });
  t.after(() => cloud.stop());
  const { client } = cloud;
  const nodeOf = (name: string) =>
    until(async () => {
      const { spec } = await client.get<Pod>(podsRef, 'default', name);
      return spec?.nodeName;
    }, `a node for ${name}`);
  const ready = (name: string) =>
    until(async () => {
      const { status, metadata } = await client.get<SchedulingProfile>(profilesRef, undefined, name);
      const isReady = status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True');
      return isReady === true && status?.observedGeneration === metadata.generation ? true : undefined;
    }, `${name} to be heeded`);

  await assert.rejects(
    client.create<SchedulingProfile>(profilesRef, {
      metadata: { name: 'wrong' },
      spec: { strategy: 'Custom', custom: { expression: 'node.cpus + 1.0' } },
    }),
    (error) => isError(error, 'invalid') && /undefined field 'cpus'/.test(error.message),
  );

  // A scheduler name of its own: pods wait for it.
  await client.create<Pod>(podsRef, pod('early', 'second'));
  await client.create<SchedulingProfile>(profilesRef, {
    metadata: { name: 'second' },
    spec: { schedulerName: 'second', strategy: 'Custom', custom: { function: 'second' } },
  });
  assert.equal(await nodeOf('early'), 'hollow-1');

  const created = await client.create<SchedulingProfile>(profilesRef, {
    metadata: { name: 'usual' },
    spec: { strategy: 'RoundRobin' },
  });
  assert.equal(created.spec?.schedulerName, 'default-scheduler');
  await ready('usual');
  const turns: string[] = [];
  for (let at = 0; at < 9; at++) {
    await client.create<Pod>(podsRef, pod(`turn-${at}`));
    turns.push(await nodeOf(`turn-${at}`));
  }
  // Nodes that had fewer pods than others come first.
  assert.deepEqual(turns.slice(6), turns.slice(3, 6));
  assert.equal(new Set(turns.slice(6)).size, 3);

  await client.patch(profilesRef, undefined, 'usual', 'merge', { spec: { strategy: 'BinPack' } });
  await ready('usual');
  const packed = new Set<string>();
  for (let at = 0; at < 4; at++) {
    await client.create<Pod>(podsRef, pod(`pack-${at}`));
    packed.add(await nodeOf(`pack-${at}`));
  }
  assert.equal(packed.size, 1);
});
