import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CaelumError, isError, SimulatedClock } from '../../lib/index.ts';
import { imageStoreContract } from './contract.ts';
import { createFakeImageStore } from './fake-image-store.ts';

imageStoreContract('fake', async () => ({ store: createFakeImageStore(), close: async () => {} }));

test('createFakeImageStore() takes its time, and fails when told', async () => {
  const clock = new SimulatedClock();
  const store = createFakeImageStore({ clock, pullDelayMs: 1000 });
  store.offer('nginx:1.27', { command: ['nginx'] });
  let isDone = false;
  const pulled = store.pull('nginx:1.27').then((image) => {
    isDone = true;
    return image;
  });
  await clock.advance(999);
  assert.equal(isDone, false);
  await clock.advance(1);
  assert.deepEqual((await pulled).config.command, ['nginx']);
  store.failures.set('docker.io/library/nginx:1.27', new CaelumError('unauthorized', 'no'));
  const failed = store.pull('nginx:1.27').catch((error: unknown) => error);
  await clock.advance(1000);
  assert.ok(isError(await failed, 'unauthorized'));
});
