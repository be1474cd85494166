import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event } from '../api/index.ts';
import { SeededRandom, SimulatedClock, silentLog } from '../lib/index.ts';
import { createEventRecorder, eventsRef } from './event-recorder.ts';
import { createFakeClient } from './fake-client.ts';

function desk() {
  const clock = new SimulatedClock();
  const client = createFakeClient({ clock });
  const recorder = createEventRecorder({
    client,
    clock,
    random: new SeededRandom(1),
    log: silentLog,
    component: 'replicaset-controller',
  });
  const about = { apiVersion: 'apps/v1', kind: 'ReplicaSet', namespace: 'shop', name: 'web-1', uid: 'u1' };
  const record = async (message: string, reason = 'SuccessfulCreate'): Promise<void> => {
    recorder.record({ about, type: 'Normal', reason, message });
    await clock.advance(1000);
  };
  const events = (): readonly Event[] => client.objects<Event>(eventsRef);
  return { clock, client, recorder, about, record, events };
}

test('record() writes an event as Kubernetes has it', async () => {
  const { record, events, about } = desk();
  await record('Created pod: web-1-a');
  const [event] = events();
  assert.equal(event?.metadata.namespace, 'shop');
  assert.match(event?.metadata.name ?? '', /^web-1\.[0-9a-f]{16}$/);
  assert.deepEqual(event?.involvedObject, about);
  assert.deepEqual(event?.source, { component: 'replicaset-controller' });
  assert.equal(event?.count, 1);
  assert.equal(event?.firstTimestamp, '2026-01-01T00:00:00Z');
});

test('record() raises the count of the same event', async () => {
  const { record, events } = desk();
  for (let i = 0; i < 3; i++) await record('Back-off');
  assert.equal(events().length, 1);
  assert.equal(events()[0]?.count, 3);
  assert.equal(events()[0]?.lastTimestamp, '2026-01-01T00:00:02Z');
});

test('record() counts what comes before the first is written', async () => {
  const { recorder, about, clock, client, events } = desk();
  for (let i = 0; i < 5; i++) recorder.record({ about, type: 'Normal', reason: 'Again', message: 'same' });
  await clock.advance(1000);
  assert.equal(events()[0]?.count, 5);
  assert.equal(client.requests.length, 1);
});

test('record() writes anew what has expired', async () => {
  const { record, events, client } = desk();
  await record('Back-off');
  client.remove(eventsRef, `shop/${events()[0]?.metadata.name}`);
  await record('Back-off');
  assert.equal(events()[0]?.count, 2);
});

test('record() combines a flood of similar events and cuts it at last', async () => {
  const { record, events, clock } = desk();
  for (let i = 0; i < 40; i++) await record(`Created pod: web-1-${i}`);
  assert.equal(events().length, 11);
  const combined = events().find((event) => event.message?.startsWith('(combined from similar events)'));
  assert.equal(combined?.count, 15, 'the object has had its 25');
  await clock.advance(300_000);
  await record('Created pod: web-1-later');
  const again = events().find((event) => event.message?.endsWith('later'));
  assert.equal(again?.count, 16);
});

test('record() gives up where the namespace is going, and retries what may pass', async () => {
  const { record, events, client, clock } = desk();
  let failures = 1;
  client.intercept = () => (failures-- > 0 ? new Error('lost') : undefined);
  await record('one');
  await clock.advance(10_000);
  assert.equal(events().length, 1);
});
