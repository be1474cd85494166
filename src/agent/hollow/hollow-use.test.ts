/** What hollow pods seem to use, and what the machine does: tables. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../../api/index.ts';
import { machineUsageOf } from '../node/io/machine-usage.ts';
import { resourceMetricsOf } from '../server/statistics.ts';
import { cpuAnnotation, HollowMeter, hollowUse, memoryAnnotation } from './hollow-use.ts';

const podWith = (
  annotations: Readonly<Record<string, string>>,
  names: readonly string[] = ['web', 'log'],
): Pod => ({
  metadata: { name: 'p', namespace: 'n', uid: 'u', annotations },
  spec: {
    containers: names.map((name) => ({ name, resources: { requests: { cpu: '500m', memory: '64Mi' } } })),
  },
  status: { phase: 'Running', startTime: '2026-01-01T00:00:00Z' },
});

test('hollowUse() is what annotations say, or a part of what is requested', () => {
  const cases: readonly (readonly [string, string, readonly number[]])[] = [
    ['300m', '', [150, 150]],
    ['web=300m, log=1', '', [300, 1000]],
    ['web=300m', '', [300, 50]],
    ['much', '', [50, 50]],
    ['-1', '', [0, 0]],
  ];
  for (const [text, , expected] of cases)
    assert.deepEqual(
      hollowUse(podWith({ [cpuAnnotation]: text })).map(({ cpuMilli }) => cpuMilli),
      expected,
      text,
    );
  assert.deepEqual(
    hollowUse(podWith({ [memoryAnnotation]: 'web=1Mi' })).map(({ memoryBytes }) => memoryBytes),
    [2 ** 20, 32 * 2 ** 20],
  );
});

test('HollowMeter counts what is used at the time, never back', () => {
  const meter = new HollowMeter();
  const startMs = Date.parse('2026-01-01T00:00:00Z');
  const cpuAt = (seconds: number, cpu: string) => {
    const { pods, node } = meter.read(
      'a',
      [podWith({ [cpuAnnotation]: cpu }, ['web'])],
      startMs + seconds * 1000,
    );
    return [pods[0]?.containers[0]?.cpuNanoseconds ?? -1, node?.cpuNanoseconds ?? -1];
  };
  assert.deepEqual(cpuAt(10, '100m'), [1e9, 0]);
  assert.deepEqual(cpuAt(20, '2'), [21e9, 20.5e9]);
  assert.deepEqual(cpuAt(15, '2'), [21e9, 20.5e9]);
  assert.equal(meter.read('a', [], startMs + 30_000).pods.length, 0);
});

test('machineUsageOf() reads /proc', () => {
  const stat = 'cpu  100 20 30 4000 50 6 7 8 90 0\ncpu0 1 2 3\nbtime 1700000000\n';
  const memory = 'MemTotal:  1000 kB\nMemFree: 10 kB\nMemAvailable: 400 kB\n';
  assert.deepEqual(machineUsageOf(stat, memory), {
    cpuNanoseconds: 171 * 10_000_000,
    memoryTotalBytes: 1_024_000,
    memoryWorkingSetBytes: 614_400,
    startedAtMs: 1_700_000_000_000,
  });
  assert.equal(machineUsageOf('', memory), undefined);
  assert.equal(machineUsageOf(stat, ''), undefined);
});

test('resourceMetricsOf() tells the same as text, with the kubelet’s names', () => {
  const meter = new HollowMeter();
  const nowMs = Date.parse('2026-01-01T00:00:10Z');
  const lines = resourceMetricsOf(meter.read('a', [podWith({ [cpuAnnotation]: '100m' }, ['web'])], nowMs))
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  assert.deepEqual(lines, [
    `container_cpu_usage_seconds_total{container="web",namespace="n",pod="p"} 1 ${nowMs}`,
    `container_memory_working_set_bytes{container="web",namespace="n",pod="p"} 33554432 ${nowMs}`,
    `container_start_time_seconds{container="web",namespace="n",pod="p"} ${nowMs / 1000 - 10}`,
    `node_cpu_usage_seconds_total 0 ${nowMs}`,
    `node_memory_working_set_bytes 301989888 ${nowMs}`,
    `pod_cpu_usage_seconds_total{namespace="n",pod="p"} 1 ${nowMs}`,
    `pod_memory_working_set_bytes{namespace="n",pod="p"} 33554432 ${nowMs}`,
    'resource_scrape_error 0',
  ]);
});
