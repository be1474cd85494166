import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Container, Pod } from '../../api/index.ts';
import { SimulatedClock } from '../../lib/index.ts';
import { Prober } from './prober.ts';

test('responseMs() is how long probes over the network take lately', async () => {
  const clock = new SimulatedClock();
  let takesMs = 40;
  const prober = new Prober({
    clock,
    runner: {
      run: async () => {
        await clock.sleep(takesMs);
        return { ok: true, output: '' };
      },
    },
    onChange() {},
    onFailure() {},
    onWarning() {},
  });
  const container: Container = {
    name: 'web',
    readinessProbe: { httpGet: { port: 80 }, periodSeconds: 1 },
    livenessProbe: { exec: { command: ['true'] }, periodSeconds: 1 },
  };
  const pod: Pod = { metadata: { name: 'web', uid: 'u' }, spec: { containers: [container] } };
  const running = { container, id: 'c', startedAtMs: clock.nowMs(), wasReady: false, wasStarted: false };
  prober.sync(pod, '10.0.0.1', [running], false);
  assert.equal(prober.responseMs('u'), undefined);
  await clock.advance(3000);
  assert.equal(prober.responseMs('u'), 40);
  takesMs = 400;
  await clock.advance(1500);
  const soon = prober.responseMs('u') ?? 0;
  assert.ok(soon > 40 && soon < 400, `${soon}`);
  await clock.advance(30_000);
  assert.ok(Math.abs((prober.responseMs('u') ?? 0) - 400) < 1);
  prober.stop();
  assert.equal(prober.responseMs('u'), undefined);
});
