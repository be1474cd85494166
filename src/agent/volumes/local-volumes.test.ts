import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { PersistentVolume } from '../../api/index.ts';
import { createFakeClient, createInformers, type EventDraft } from '../../client/index.ts';
import { CaelumError, SeededRandom, SimulatedClock, silentLog } from '../../lib/index.ts';
import { persistentVolumesRef } from '../objects.ts';
import { LocalVolumes } from './local-volumes.ts';

const finalizer = 'external-provisioner.volume.kubernetes.io/finalizer';

const volume = (name: string, phase: string, spec: object = {}, metadata: object = {}): PersistentVolume =>
  ({
    metadata: {
      name,
      labels: { 'local.caelum.dev/node': 'here' },
      annotations: { 'pv.kubernetes.io/provisioned-by': 'caelum.dev/local' },
      finalizers: [finalizer],
      ...metadata,
    },
    spec: {
      csi: { driver: 'local.caelum.dev', volumeHandle: `handle-${name}` },
      persistentVolumeReclaimPolicy: 'Delete',
      ...spec,
    },
    status: { phase },
  }) as PersistentVolume;

function start(t: TestContext, erase: (handle: string) => Promise<void>) {
  const clock = new SimulatedClock();
  const random = new SeededRandom(1);
  const client = createFakeClient({ clock, random });
  const informers = createInformers({ client, clock, random, log: silentLog });
  const events: EventDraft[] = [];
  const begin = () =>
    new LocalVolumes({
      client,
      informers,
      clock,
      random,
      log: silentLog,
      events: { record: (event) => events.push(event) },
      nodeName: 'here',
      isOurs: (name) => name === 'here',
      erase,
    });
  const volumes = begin();
  t.after(() => {
    volumes.stop();
    informers.stop();
  });
  const names = () =>
    client.objects<PersistentVolume>(persistentVolumesRef).map(({ metadata }) => metadata.name);
  return { client, clock, events, names };
}

test('LocalVolumes erases what is released, of this node, ours, and to be deleted, and nothing else', async (t) => {
  const erased: string[] = [];
  const { client, clock, names } = start(t, async (handle) => {
    erased.push(handle);
  });
  client.seed(
    persistentVolumesRef,
    volume('released', 'Released'),
    volume('bound', 'Bound'),
    volume('available', 'Available'),
    volume('failed', 'Failed'),
    volume('kept', 'Released', { persistentVolumeReclaimPolicy: 'Retain' }),
    volume('far', 'Released', {}, { labels: { 'local.caelum.dev/node': 'far' } }),
    volume('foreign', 'Released', { csi: { driver: 'x', volumeHandle: 'y' } }),
    volume('by-hand', 'Released', {}, { annotations: {} }),
  );
  await clock.advance(5000);
  assert.deepEqual(erased, ['handle-released']);
  assert.deepEqual(names(), ['available', 'bound', 'by-hand', 'failed', 'far', 'foreign', 'kept']);
});

test('LocalVolumes asks anew before it erases: a volume that was taken again stays', async (t) => {
  const erased: string[] = [];
  const { client, clock, names } = start(t, async (handle) => {
    erased.push(handle);
  });
  const get = client.get.bind(client);
  client.get = async (...call) =>
    ({ ...((await get(...call)) as object), status: { phase: 'Bound' } }) as never;
  client.seed(persistentVolumesRef, volume('v', 'Released'));
  await clock.advance(5000);
  assert.deepEqual([erased, names()], [[], ['v']]);
});

test('LocalVolumes tries again while a pod has the volume, and says so; the object stays until the folder has gone', async (t) => {
  let failures = 3;
  const { client, clock, events, names } = start(t, async (handle) => {
    if (failures-- > 0)
      throw new CaelumError('unavailable', `Cannot erase volume "${handle}": pod x still has it`);
  });
  client.seed(persistentVolumesRef, volume('v', 'Released'));
  await clock.advance(300);
  assert.deepEqual(names(), ['v']);
  assert.deepEqual(client.peek<PersistentVolume>(persistentVolumesRef, 'v')?.metadata.finalizers, [
    finalizer,
  ]);
  assert.equal(events[0]?.reason, 'VolumeFailedDelete');
  assert.match(events[0]?.message ?? '', /pod x still has it/);
  await clock.advance(20_000);
  assert.deepEqual(names(), []);
});

test('LocalVolumes finishes whatever it had come to when it was killed', async (t) => {
  const erased: string[] = [];
  const { client, clock, names } = start(t, async (handle) => {
    erased.push(handle);
  });
  const deletionTimestamp = '2026-01-01T00:00:00Z';
  client.seed(
    persistentVolumesRef,
    // Erased, and let go of; not deleted yet.
    volume('let-go', 'Released', {}, { finalizers: [] }),
    // Deleted by somebody before it was erased.
    volume('deleted', 'Released', {}, { deletionTimestamp }),
    // Somebody else holds it still: nothing more to do.
    volume('held', 'Released', {}, { finalizers: ['other.example/one'], deletionTimestamp }),
  );
  await clock.advance(5000);
  assert.deepEqual(names(), ['held']);
  const before = client.requests.length;
  await clock.advance(600_000);
  const writes = client.requests.slice(before).filter(({ verb }) => !['get', 'list', 'watch'].includes(verb));
  assert.deepEqual(writes, []);
  assert.deepEqual([...erased].sort(), ['handle-deleted', 'handle-held', 'handle-let-go']);
});
