import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SimulatedClock } from '../../lib/index.ts';
import type { Posting } from '../webhook.ts';
import { tokenWebhook } from './token-webhook.ts';

test('tokenWebhook() believes what a webhook says, for two minutes, and keeps no token', async () => {
  const clock = new SimulatedClock();
  const posted: Posting[] = [];
  let status: object = { authenticated: true, user: { username: 'ann', groups: ['devs'] } };
  const judge = tokenWebhook(
    { server: 'https://hook.example.com/t?x=1', token: () => 'ours' },
    async (posting) => {
      posted.push(posting);
      return { status };
    },
    clock,
    (text) => `hash of ${text.length}`,
  );
  const found = await judge('secret', ['us']);
  assert.deepEqual(found, {
    identity: { user: 'ann', groups: ['devs', 'system:authenticated'] },
    audiences: ['us'],
  });
  const [first] = posted;
  assert.deepEqual(
    [first?.path, first?.serverName, first?.headers],
    ['/t?x=1', 'hook.example.com', { Authorization: 'Bearer ours' }],
  );
  assert.equal(JSON.parse(first?.body ?? '').spec.token, 'secret');
  await judge('secret', ['us']);
  assert.equal(posted.length, 1);
  await clock.advance(120_001);
  status = { authenticated: true, user: { username: 'ann' }, audiences: ['them'] };
  assert.equal(await judge('secret', ['us']), undefined);
  assert.equal(posted.length, 2);
  status = { authenticated: false };
  assert.equal(await judge('other', ['us']), undefined);
  status = { authenticated: false, error: 'revoked' };
  await assert.rejects(Promise.resolve(judge('other', ['us'])), /revoked/);
});
