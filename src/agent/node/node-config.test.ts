import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseNodeConfig } from './node-config.ts';

test('parseNodeConfig() has the defaults of the kubelet', () => {
  const config = parseNodeConfig();
  assert.deepEqual(
    config.thresholds.map(({ signal, value, isHard }) => [signal, value, isHard]),
    [
      ['memory.available', { amount: 100 * 2 ** 20 }, true],
      ['nodefs.available', { part: 0.1 }, true],
      ['nodefs.inodesFree', { part: 0.05 }, true],
      ['imagefs.available', { part: 0.15 }, true],
      ['imagefs.inodesFree', { part: 0.05 }, true],
    ],
  );
  const { pressureTransitionMs, imageHighPercent, imageLowPercent, podsMax, podPidsLimit } = config;
  assert.deepEqual(
    [pressureTransitionMs, imageHighPercent, imageLowPercent, podsMax, podPidsLimit],
    [300_000, 85, 80, 110, undefined],
  );
});

test('parseNodeConfig() reads thresholds, graces and least reclaims', () => {
  const { thresholds } = parseNodeConfig({
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    evictionHard: { 'memory.available': '5%', 'nodefs.available': '0%' },
    evictionSoft: { 'memory.available': '1Gi' },
    evictionSoftGracePeriod: { 'memory.available': '1m30s' },
    evictionMinimumReclaim: { 'memory.available': '200Mi' },
  });
  const minReclaim = { amount: 200 * 2 ** 20 };
  assert.deepEqual(thresholds, [
    { signal: 'memory.available', value: { part: 0.05 }, graceMs: 0, isHard: true, minReclaim },
    { signal: 'memory.available', value: { amount: 2 ** 30 }, graceMs: 90_000, isHard: false, minReclaim },
  ]);
});

for (const [given, words] of [
  [[], /no KubeletConfiguration/],
  [{ kind: 'Pod' }, /Cannot use a Pod/],
  [{ apiVersion: 'v1' }, /apiVersion "v1"/],
  [{ cpuManagerPolicy: 'static', x: 1 }, /field "cpuManagerPolicy", "x"/],
  [
    { evictionHard: { 'memory.free': '1' } },
    /evictionHard "memory.free": known signals are memory.available/,
  ],
  [{ evictionHard: { 'memory.available': 'much' } }, /"much" is neither a quantity nor a percentage/],
  [{ evictionHard: { 'memory.available': '101%' } }, /101% is more than all of it/],
  [{ evictionHard: 'x' }, /map of texts/],
  [{ evictionSoft: { 'memory.available': '1Gi' } }, /its evictionSoftGracePeriod is missing/],
  [{ evictionSoftGracePeriod: { x: '1s' } }, /evictionSoftGracePeriod "x"/],
  [{ evictionPressureTransitionPeriod: '5 minutes' }, /duration, like 1m30s/],
  [{ imageGCHighThresholdPercent: 101 }, /integer from 0 to 100/],
  [{ imageGCHighThresholdPercent: 70 }, /has to be below/],
  [{ maxPods: '5' }, /maxPods "5"/],
  [{ allowedUnsafeSysctls: [1] }, /list of texts/],
  [{ containerLogMaxSize: '10 MB' }, /quantity, like 10Mi/],
  [{ seccompDefault: 'yes' }, /true or false/],
  [{ staticPodPath: 5 }, /has to be a text/],
] as const)
  test(`parseNodeConfig() refuses ${JSON.stringify(given)}`, () => {
    assert.throws(() => parseNodeConfig(given), { code: 'badRequest', message: words });
  });
