import assert from 'node:assert/strict';
import { test } from 'node:test';
import { podsRef } from '../objects.ts';
import { portRejection } from './host-ports.ts';
import { createWorld, phaseIs, podOf } from './test-world.ts';

const withPort = (name: string, hostPort: number, hostIP?: string, protocol?: string) =>
  podOf(
    {
      containers: [
        {
          name: 'c',
          image: 'host.local/busybox',
          ports: [
            {
              containerPort: 80,
              hostPort,
              ...(hostIP !== undefined && { hostIP }),
              ...(protocol !== undefined && { protocol }),
            },
          ],
        },
      ],
    },
    name,
  );

test('portRejection() tells ports that clash from those that do not', () => {
  const taken = [withPort('a', 8080, '10.0.0.1'), withPort('b', 9090)];
  const clashes = (hostPort: number, hostIP?: string, protocol?: string): boolean =>
    portRejection(withPort('p', hostPort, hostIP, protocol), taken) !== undefined;
  assert.equal(clashes(8080, '10.0.0.1'), true);
  assert.equal(clashes(8080), true);
  assert.equal(clashes(8080, '0.0.0.0'), true);
  assert.equal(clashes(8080, '10.0.0.2'), false);
  assert.equal(clashes(8080, '10.0.0.1', 'UDP'), false);
  assert.equal(clashes(9090, '10.0.0.2'), true);
  assert.equal(clashes(81), false);
});

test('a pod that wants the port of another is rejected; when that has gone, the next one runs', async () => {
  const world = await createWorld();
  await world.client.create(podsRef, withPort('first', 8080));
  await world.until('runs', phaseIs(world, 'Running', 'first'));
  await world.client.create(podsRef, withPort('second', 8080));
  await world.until('is rejected', phaseIs(world, 'Failed', 'second'));
  const { reason, message } = world.pod('second')?.status ?? {};
  assert.deepEqual([reason, message], ['NodePorts', 'Pod was rejected: Predicate NodePorts failed']);
  await world.client.delete(podsRef, 'default', 'first');
  await world.until('gone', () => world.pod('first') === undefined);
  await world.client.create(podsRef, withPort('third', 8080));
  await world.until('runs', phaseIs(world, 'Running', 'third'));
});
