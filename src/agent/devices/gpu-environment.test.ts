import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../../api/index.ts';
import { environmentOf } from '../pods/environment.ts';
import { gpuVariables } from './gpu-environment.ts';

const prefix = 'scheduling.caelum.dev/';

function podOf(annotations: Readonly<Record<string, string>>, requests: object, env: object[] = []): Pod {
  return {
    metadata: {
      name: 'p',
      annotations: Object.fromEntries(Object.entries(annotations).map(([k, v]) => [prefix + k, v])),
    },
    spec: { containers: [{ name: 'c', image: 'i', resources: { requests }, env }] },
  } as unknown as Pod;
}

test('gpuVariables() names the GPUs of shares and counts by annotation, and of the resource that says the same', () => {
  const cases: readonly (readonly [Pod, string | undefined])[] = [
    [podOf({ 'gpu-milli': '300', 'gpu-devices': '2' }, {}), '2'],
    [podOf({ 'gpu-count': '2', 'gpu-devices': '0,1' }, {}), '0,1'],
    [podOf({ 'gpu-devices': '3' }, { [`${prefix}gpu-milli`]: '500' }), '3'],
    // A device plugin's: its own to set up.
    [podOf({ 'gpu-count': '1', 'gpu-devices': '3' }, { 'nvidia.com/gpu': '1' }), undefined],
    [podOf({ 'gpu-milli': '300' }, {}), undefined],
    [podOf({ 'gpu-devices': '1' }, {}), undefined],
    [podOf({ 'gpu-milli': '300', 'gpu-devices': 'all' }, {}), undefined],
  ];
  for (const [pod, devices] of cases) {
    const told = new Map(gpuVariables(pod));
    assert.equal(told.get('CUDA_VISIBLE_DEVICES'), devices, JSON.stringify(pod));
    assert.equal(told.get('NVIDIA_VISIBLE_DEVICES'), devices, JSON.stringify(pod));
  }
});

test('environmentOf() has them, and what the container says of itself before them', () => {
  const sources = {
    configMap: () => undefined,
    secret: () => undefined,
    services: [],
    nodeName: 'n',
    nodeAddress: '10.0.0.1',
    podAddresses: [],
    allocatable: { cpuMilli: 1000, memoryBytes: 1 },
  };
  const pod = podOf({ 'gpu-milli': '300', 'gpu-devices': '2' }, {}, [
    { name: 'NVIDIA_VISIBLE_DEVICES', value: 'none' },
    { name: 'MINE', value: 'gpu $(CUDA_VISIBLE_DEVICES)' },
  ]);
  const [container] = pod.spec?.containers ?? [];
  assert.ok(container !== undefined);
  const environment = environmentOf(pod, container, sources);
  assert.equal(environment.get('NVIDIA_VISIBLE_DEVICES'), 'none');
  assert.equal(environment.get('CUDA_VISIBLE_DEVICES'), '2');
  assert.equal(environment.get('MINE'), 'gpu 2');
});
