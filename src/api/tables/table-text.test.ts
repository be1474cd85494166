import assert from 'node:assert/strict';
import { test } from 'node:test';
import { indexTable, parseMessage } from './table-text.ts';

const table = `
Volume
  name! 1 string default=""
  configMap 2/19 ConfigMapVolumeSource

Pod kind
  apiVersion - string
  metadata 1 meta.v1.ObjectMeta default={}
  extra 7 {}[]string
  verbs 8 []string boxed
  ports 9 []ContainerPort list=map(containerPort,protocol) patch=merge,retainKeys(containerPort)
  selector 10 {}string map=atomic
  count 11 int32 nullable

Or union map=atomic
  text 1 string default="a b"
`;

test('indexTable() finds messages by name', () => {
  assert.deepEqual([...indexTable(table).keys()], ['Volume', 'Pod', 'Or']);
});

test('parseMessage() reads names, numbers, types and attributes', () => {
  const index = indexTable(table);
  const message = (name: string) => parseMessage('x.v1', index.get(name) ?? '');
  const volume = message('Volume');
  assert.equal(volume.name, 'x.v1.Volume');
  assert.equal(volume.isKind, false);
  assert.deepEqual(volume.fields.get('name'), {
    name: 'name',
    type: { kind: 'scalar', scalar: 'string' },
    repeated: false,
    map: false,
    required: true,
    number: 1,
    default: '',
  });
  assert.deepEqual(volume.fields.get('configMap'), {
    name: 'configMap',
    type: { kind: 'message', message: 'x.v1.ConfigMapVolumeSource' },
    repeated: false,
    map: false,
    required: false,
    number: 19,
    nestedIn: [2],
  });
  const pod = message('Pod');
  assert.equal(pod.isKind, true);
  assert.equal(pod.fields.get('apiVersion')?.number, 0);
  assert.deepEqual(pod.fields.get('metadata')?.type, { kind: 'message', message: 'meta.v1.ObjectMeta' });
  assert.deepEqual(pod.fields.get('metadata')?.default, {});
  assert.ok(pod.fields.get('extra')?.map && pod.fields.get('extra')?.repeated);
  assert.equal(pod.fields.get('verbs')?.boxed, true);
  assert.deepEqual(pod.fields.get('ports')?.listMapKeys, ['containerPort', 'protocol']);
  assert.deepEqual(pod.fields.get('ports')?.patchStrategies, ['merge', 'retainKeys']);
  assert.equal(pod.fields.get('ports')?.patchMergeKey, 'containerPort');
  assert.equal(pod.fields.get('selector')?.atomicMap, true);
  assert.equal(pod.fields.get('count')?.nullable, true);
  const or = message('Or');
  assert.ok(or.isUnion && or.isAtomic);
  assert.equal(or.fields.get('text')?.default, 'a b');
});
