/** What is wanted is what is written in the end, whoever else writes and however late requests arrive. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod, PodStatus } from '../../api/index.ts';
import { createFakeClient } from '../../client/index.ts';
import { CaelumError, SeededRandom, SimulatedClock, silentLog } from '../../lib/index.ts';
import { podsRef } from '../objects.ts';
import { StatusWriter } from './status-writer.ts';

const statusOf = (phase: string, ready: boolean): PodStatus => ({
  phase,
  conditions: [
    {
      type: 'Ready',
      status: ready ? 'True' : 'False',
      lastTransitionTime: '2026-01-01T00:00:00Z',
      ...(ready ? {} : { reason: 'ContainersNotReady', message: 'containers with unready status: [c]' }),
    },
  ],
});

async function desk() {
  const clock = new SimulatedClock();
  const client = createFakeClient({ clock });
  const found: Pod[] = [];
  const writer = new StatusWriter({
    client,
    clock,
    random: new SeededRandom(1),
    log: silentLog,
    onWritten: () => {},
    onConflict: (pod) => {
      found.push(pod);
      // As the worker does: what has failed stays so.
      if (pod.status?.phase === 'Failed') writer.write(pod, statusOf('Failed', false));
    },
  });
  await client.create(podsRef, {
    metadata: { name: 'p', namespace: 'default' },
    spec: { containers: [{ name: 'c', image: 'i' }] },
  });
  const pod = (): Pod => client.peek<Pod>(podsRef, 'default/p') as Pod;
  const ready = () => pod().status?.conditions?.find(({ type }) => type === 'Ready');
  const overwrite = (status: PodStatus): Promise<Pod> =>
    client.patch<Pod>(podsRef, 'default', 'p', 'strategic', { status }, { subresource: 'status' });
  return { clock, client, writer, found, pod, ready, overwrite };
}

// Found by simulation (seeds 2, 44): the node controller says "not ready" of the pods of a silent node, and nobody else says otherwise.
test('write() writes again what somebody has overwritten, though the same is wanted', async () => {
  const { clock, writer, pod, ready, overwrite } = await desk();
  writer.write(pod(), statusOf('Running', true));
  await clock.advance(1000);
  await overwrite(statusOf('Running', false));
  writer.write(pod(), statusOf('Running', true));
  await clock.advance(2000);
  assert.equal(ready()?.status, 'True');
});

// Found by simulation (seed 3): the controllers missed a lease, and both wrote as fast as they could.
test('write() writes it again less and less often, however the time of transition reads', async () => {
  const { clock, client, writer, pod, overwrite } = await desk();
  writer.write(pod(), statusOf('Running', true));
  await clock.advance(1000);
  let writes = 0;
  client.intercept = ({ verb }) => {
    if (verb === 'patch') writes++;
    return undefined;
  };
  let written = pod();
  for (let second = 0; second < 60; second++) {
    if (pod().status?.conditions?.[0]?.status === 'True') {
      await overwrite(statusOf('Running', false));
      writes--;
      written = pod();
    }
    const wanted = statusOf('Running', true);
    const at = `2026-01-01T00:00:${String(second).padStart(2, '0')}Z`;
    writer.write(written, {
      ...wanted,
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: at }],
    });
    await clock.advance(1000);
  }
  assert.ok(writes >= 5 && writes <= 12, `${writes} times in a minute`);
});

test('write() notices it also when it was told while it wrote', async () => {
  const { clock, client, writer, pod, ready, overwrite } = await desk();
  writer.write(pod(), statusOf('Running', true));
  await clock.advance(1000);
  const before = pod();
  client.intercept = ({ verb }) => {
    if (verb !== 'patch') return undefined;
    client.intercept = undefined;
    // Told before the answer.
    void overwrite(statusOf('Running', false)).then((newer) =>
      writer.write(newer, statusOf('Running', true)),
    );
    return undefined;
  };
  writer.write(before, { ...statusOf('Running', true), qosClass: 'Burstable' });
  await clock.advance(5000);
  assert.equal(ready()?.status, 'True');
});

test('write() takes away reasons that no longer hold', async () => {
  const { clock, writer, pod, ready } = await desk();
  writer.write(pod(), statusOf('Running', false));
  await clock.advance(1000);
  assert.equal(ready()?.reason, 'ContainersNotReady');
  writer.write(pod(), statusOf('Running', true));
  await clock.advance(1000);
  assert.deepEqual([ready()?.status, ready()?.reason, ready()?.message], ['True', undefined, undefined]);
});

// Found by simulation (seed 54): a request given up after 30 s arrived after its successor, and a pod that had failed ran again.
test('write() is for the revision that it knew: what was overtaken is thought over', async () => {
  const { clock, writer, found, pod, overwrite } = await desk();
  const old = pod();
  await overwrite(statusOf('Failed', false));
  writer.write(old, statusOf('Running', true));
  await clock.advance(5000);
  assert.equal(found[0]?.status?.phase, 'Failed');
  assert.equal(pod().status?.phase, 'Failed');
});

test('write() goes on after the API server was away, and gives up on a pod of another uid', async () => {
  const { clock, client, writer, pod } = await desk();
  client.intercept = () => new CaelumError('unavailable', 'away');
  writer.write(pod(), statusOf('Running', true));
  await clock.advance(5000);
  client.intercept = undefined;
  await clock.advance(15_000);
  assert.equal(pod().status?.phase, 'Running');
  const other = { ...pod(), metadata: { ...pod().metadata, uid: 'another', resourceVersion: '1' } };
  const last = await desk();
  last.writer.write(other, statusOf('Failed', false));
  await last.clock.advance(5000);
  assert.notEqual(last.pod().status?.phase, 'Failed');
  assert.equal(last.client.requests.filter(({ verb }) => verb === 'patch').length, 1);
});
