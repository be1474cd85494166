import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { test } from 'node:test';
import { summaryOf } from '../statistics.ts';
import { establishedIn } from './agent-statistics.ts';

test('establishedIn() counts what stands in a network namespace', async (t) => {
  assert.equal(establishedIn(''), undefined);
  assert.equal(establishedIn('Tcp: RtoMin CurrEstab\n'), undefined);
  assert.equal(establishedIn('Ip: Forwarding\nIp: 1\nTcp: RtoMin CurrEstab InSegs\nTcp: 200 17 9\n'), 17);
  const read = (): number => establishedIn(readFileSync('/proc/self/net/snmp', 'utf8')) ?? Number.NaN;
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const sockets = Array.from({ length: 200 }, () => connect(address.port, '127.0.0.1'));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
  assert.ok(read() >= 200, 'both ends of a connection to oneself count');
});

test('summaryOf() adds up the connections of a node and means its answers', () => {
  const pod = (name: string, traffic?: { connections?: number; responseMs?: number }) => ({
    namespace: 'd',
    name,
    uid: name,
    startTime: undefined,
    atMs: 0,
    containers: [],
    ...(traffic === undefined ? {} : { traffic }),
  });
  const summary = (pods: readonly ReturnType<typeof pod>[]) =>
    summaryOf({ nodeName: 'n', node: undefined, pods }) as { node: object };
  assert.deepEqual(summary([pod('a')]).node, { nodeName: 'n', traffic: {} });
  const busy = [
    pod('a', { connections: 3, responseMs: 4 }),
    pod('b', { connections: 4 }),
    pod('c', { responseMs: 8 }),
  ];
  assert.deepEqual(summary(busy).node, { nodeName: 'n', traffic: { connections: 7, responseMs: 6 } });
});
