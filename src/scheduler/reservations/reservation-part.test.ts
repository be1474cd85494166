import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodes as nodesRef, pods as podsRef, reservations as reservationsRef } from '../../api/index.ts';
import { createInformers } from '../../client/index.ts';
import { CaelumError, SeededRandom, silentLog } from '../../lib/index.ts';
import { startScheduler } from '../bind-loop.ts';
import { desk } from '../gangs/test-desk.ts';
import { heldByAnnotation, reservationAnnotation } from './reserved.ts';

const named = (name: string) => ({ annotations: { [reservationAnnotation]: name } });

test('startReservations() holds places, and nobody else gets their room', async (t) => {
  const { run, addNode, addPod, addReservation, stands, nodesOf } = desk(t);
  addNode('a', '2');
  addNode('b', '2');
  addReservation('r');
  await run(500);
  assert.equal(stands('r'), 'Held 2/0: all 2 places are held [a:1() b:1()]');
  for (const name of ['x', 'y', 'z']) addPod(name);
  await run(500);
  assert.equal(
    nodesOf()
      .split(' ')
      .filter((one) => one.endsWith('=')).length,
    1,
  );
});

test('startReservations() gives its room to pods that name it or that it selects, and takes it back', async (t) => {
  const { client, run, addNode, addPod, addReservation, pod, stands, nodesOf } = desk(t);
  addNode('a', '2');
  addReservation('r', { selector: { matchLabels: { app: 'x' } } });
  await run(500);
  addPod('chosen', {}, { labels: { app: 'x' } });
  addPod('naming', {}, named('r'));
  addPod('other');
  await run(500);
  assert.equal(nodesOf(), 'chosen=a naming=a other=');
  assert.equal(stands('r'), 'Held 2/2: all 2 places are held [a:2(chosen,naming)]');
  assert.notEqual(pod('naming').metadata.annotations?.[heldByAnnotation], undefined);
  await client.delete(podsRef, 'n', 'naming', { gracePeriodSeconds: 0 });
  await run(2000);
  assert.equal(nodesOf(), 'chosen=a other=');
  assert.equal(stands('r'), 'Held 2/1: all 2 places are held [a:2(chosen)]');
});

test('startReservations() tells once of a reservation that has no end any more', async (t) => {
  const { client, run, addNode, addReservation, stands } = desk(t);
  addNode('a', '4');
  addReservation('r', { ttl: '10m' });
  await run(500);
  await client.patch(reservationsRef, 'n', 'r', 'merge', { spec: { ttl: null } });
  await run(500);
  assert.equal(stands('r'), 'Held 2/0: all 2 places are held [a:2()]');
  let asked = 0;
  client.intercept = ({ verb }) => {
    if (verb === 'patch') asked++;
    return undefined;
  };
  await run(5000);
  assert.equal(asked, 0);
});

test('startReservations() has pods that name a full reservation wait for it, and lets others go elsewhere', async (t) => {
  const { client, run, addNode, addPod, addReservation, why, nodesOf } = desk(t);
  addNode('a', '4');
  addReservation('r', { count: 1, selector: { matchLabels: { app: 'x' } } });
  await run(500);
  for (const name of ['p', 'q']) addPod(name, {}, named('r'));
  addPod('s', {}, { labels: { app: 'x' } });
  await run(500);
  assert.equal(nodesOf(), 'p=a q= s=a');
  assert.equal(why('q'), 'all 1 places of Reservation "r" are used');
  await client.delete(podsRef, 'n', 'p', { gracePeriodSeconds: 0 });
  await run(15_000);
  assert.equal(nodesOf(), 'q=a s=a');
});

test('startReservations() refuses with the reason, and holds when there is room', async (t) => {
  const { run, addNode, addReservation, stands, events } = desk(t);
  addNode('a', '1');
  addReservation('r', { count: 3 });
  await run(500);
  assert.equal(
    stands('r'),
    'Pending 0/0: 0/1 nodes are available: 1 Insufficient cpu. only 1 of 3 places of Reservation "r" fit. []',
  );
  assert.match(events().join('\n'), /ReservationPending: 0\/1 nodes are available/);
  addNode('b', '2');
  await run(15_000);
  assert.equal(stands('r'), 'Held 3/0: all 3 places are held [a:1() b:2()]');
});

test('startReservations() refuses for good what is to fail, and says so to pods that name it', async (t) => {
  const { run, addNode, addPod, addReservation, reservation, stands, why } = desk(t);
  addNode('a', '1');
  addReservation('r', {
    whenRefused: 'Fail',
    template: { requests: { cpu: '1' }, nodeSelector: { gpu: 'yes' } },
  });
  await run(500);
  assert.match(stands('r'), /^Refused 0\/0: .*didn't match Pod's node affinity/);
  assert.equal(reservation('r').status?.conditions?.[0]?.reason, 'ConstraintsForbid');
  addPod('p', {}, named('r'));
  addPod('q', {}, named('none'));
  await run(500);
  assert.equal(why('p'), 'Reservation "r" was refused');
  assert.equal(why('q'), 'waiting for Reservation "none" to be created');
});

test('startReservations() holds as many places as fit where that will do', async (t) => {
  const { run, addNode, addReservation, stands } = desk(t);
  addNode('a', '2');
  addReservation('r', { count: 5, mode: 'Partial' });
  await run(500);
  assert.match(stands('r'), /^Partial 2\/0: 0\/1 nodes are available: 1 Insufficient cpu\. \[a:2\(\)\]$/);
});

test('startReservations() lets go when its time is over or it is deleted', async (t) => {
  const { client, run, addNode, addPod, addReservation, stands, nodesOf } = desk(t);
  addNode('a', '2');
  addReservation('r', { count: 1, ttl: '10s' });
  addReservation('s', { count: 1 });
  await run(500);
  addPod('p', {}, named('r'));
  addPod('x');
  addPod('y');
  await run(500);
  assert.equal(nodesOf(), 'p=a x= y=');
  await run(12_000);
  assert.match(stands('r'), /^Expired 0\/0: it held until .* \[\]$/);
  assert.equal(nodesOf(), 'p=a x= y=');
  await client.delete(reservationsRef, 'n', 's');
  await run(15_000);
  assert.match(nodesOf(), /^p=a (x=a y=|x= y=a)$/);
});

test('startReservations() moves what it holds when a node vanishes or is cordoned', async (t) => {
  const { client, run, addNode, addReservation, stands } = desk(t);
  addNode('a', '2');
  addReservation('r');
  await run(500);
  addNode('b', '1');
  await client.delete(nodesRef, undefined, 'a');
  await run(15_000);
  assert.match(stands('r'), /^Partial 1\/0: .*Insufficient cpu.*\[b:1\(\)\]$/);
  addNode('c', '4');
  await run(15_000);
  assert.equal(stands('r'), 'Held 2/0: all 2 places are held [b:1() c:1()]');
  await client.patch(nodesRef, undefined, 'b', 'merge', { spec: { unschedulable: true } });
  await run(15_000);
  assert.equal(stands('r'), 'Held 2/0: all 2 places are held [c:2()]');
});

test('startReservations() follows its count', async (t) => {
  const { client, run, addNode, addReservation, stands } = desk(t);
  addNode('a', '3');
  addReservation('r', { count: 1 });
  await run(500);
  await client.patch(reservationsRef, 'n', 'r', 'merge', { spec: { count: 3 } });
  await run(500);
  assert.equal(stands('r'), 'Held 3/0: all 3 places are held [a:3()]');
  await client.patch(reservationsRef, 'n', 'r', 'merge', { spec: { count: 2 } });
  await run(500);
  assert.equal(stands('r'), 'Held 2/0: all 2 places are held [a:2()]');
});

test('startReservations() keeps the place of a pod whose binding fails', async (t) => {
  const { client, run, addNode, addPod, addReservation, nodesOf } = desk(t);
  addNode('a', '1');
  addReservation('r', { count: 1 });
  await run(500);
  let failures = 1;
  client.intercept = ({ verb, name, subresource }) =>
    verb === 'create' && subresource === 'binding' && name === 'p' && failures-- > 0
      ? new CaelumError('conflict', 'another wrote it')
      : undefined;
  addPod('p', {}, named('r'));
  await run(200);
  addPod('thief');
  await run(5000);
  assert.equal(nodesOf(), 'p=a thief=');
});

test('startReservations() knows after a restart what is held and used', async (t) => {
  const { clock, client, scheduler, run, addNode, addPod, addReservation, stands, nodesOf } = desk(t);
  addNode('a', '3');
  addReservation('r');
  await run(500);
  addPod('p', {}, named('r'));
  await run(500);
  const before = stands('r');
  assert.equal(before, 'Held 2/1: all 2 places are held [a:2(p)]');
  scheduler.stop();
  for (const name of ['x', 'y']) addPod(name);
  const random = new SeededRandom(2);
  const informers = createInformers({ client, clock, random, log: silentLog });
  const next = startScheduler({ client, informers, clock, random, log: silentLog });
  t.after(() => {
    next.stop();
    informers.stop();
  });
  await run(1000);
  assert.equal(stands('r'), before);
  assert.match(nodesOf(), /^p=a (x=a y=|x= y=a)$/);
});

test('startReservations() serves a gang', async (t) => {
  const { run, addNode, addGroup, addPod, addReservation, stands, nodesOf } = desk(t);
  addNode('a', '1');
  addNode('b', '1');
  addReservation('r');
  addGroup('g', 2);
  await run(500);
  for (const name of ['x-0', 'x-1']) addPod(name, { schedulingGroup: { podGroupName: 'g' } }, named('r'));
  await run(1000);
  assert.match(nodesOf(), /^x-0=[ab] x-1=[ab]$/);
  assert.match(stands('r'), /^Held 2\/2/);
});
