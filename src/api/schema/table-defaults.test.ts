import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messageOf } from './messages.ts';
import { applyTableDefaults } from './table-defaults.ts';

const cases: readonly [name: string, message: string, value: object, result: object][] = [
  [
    'a constant',
    'core.v1.ServiceSpec',
    { ports: [{ port: 80 }] },
    { ports: [{ port: 80, protocol: 'TCP' }] },
  ],
  [
    'nothing over what is there',
    'core.v1.ServicePort',
    { port: 80, protocol: 'UDP' },
    { port: 80, protocol: 'UDP' },
  ],
  [
    'sub-objects and their required zeros',
    'apps.v1.ReplicaSet',
    { metadata: {}, spec: { template: { metadata: {}, spec: {} } } },
    { metadata: {}, spec: { template: { metadata: {}, spec: {} } }, status: { replicas: 0 } },
  ],
  ['a required zero', 'core.v1.PodCondition', { type: 'Ready' }, { type: 'Ready', status: '' }],
  ['no zero where none is required', 'core.v1.LocalObjectReference', {}, {}],
  [
    'elements of lists',
    'core.v1.PodSpec',
    { containers: [{ name: 'a' }] },
    { containers: [{ name: 'a', resources: {} }] },
  ],
];

for (const [name, message, value, result] of cases) {
  test(`applyTableDefaults() sets ${name}`, () => {
    for (const round of ['first', 'again']) {
      applyTableDefaults(messageOf(message), value);
      assert.deepEqual(value, result, round);
    }
  });
}

test('applyTableDefaults() shares no default between objects', () => {
  const [a, b]: Record<string, object>[] = [{}, {}];
  applyTableDefaults(messageOf('core.v1.Pod'), a ?? {});
  applyTableDefaults(messageOf('core.v1.Pod'), b ?? {});
  assert.notEqual(a?.['metadata'], b?.['metadata']);
});
