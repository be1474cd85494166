import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builtinKinds } from './registry.ts';
import { renderTable } from './table.ts';

const configMaps = builtinKinds.byResource('', 'v1', 'configmaps');
assert.ok(configMaps);
const nowMs = Date.parse('2026-01-02T00:00:00Z');
const object = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', namespace: 'default', creationTimestamp: '2026-01-01T00:00:00Z' },
  data: { x: 'y' },
};

test('renderTable() answers what kubectl prints', () => {
  const table = renderTable(configMaps, [object], { nowMs, includeObject: 'Metadata', resourceVersion: '7' });
  assert.deepEqual(table, {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { resourceVersion: '7' },
    columnDefinitions: [
      {
        name: 'Name',
        type: 'string',
        format: 'name',
        description: configMaps.columns[0]?.description,
        priority: 0,
      },
      {
        name: 'Data',
        type: 'string',
        format: '',
        description: configMaps.columns[1]?.description,
        priority: 0,
      },
      {
        name: 'Age',
        type: 'string',
        format: '',
        description: configMaps.columns[2]?.description,
        priority: 0,
      },
    ],
    rows: [
      {
        cells: ['a', 1, '24h'],
        object: {
          kind: 'PartialObjectMetadata',
          apiVersion: 'meta.k8s.io/v1',
          metadata: object.metadata,
        },
      },
    ],
  });
});

test('renderTable() holds as much of each object as is asked for', () => {
  const rowOf = (includeObject: 'Object' | 'None') =>
    renderTable(configMaps, [object], { nowMs, includeObject }).rows[0];
  assert.equal(rowOf('Object')?.object, object);
  assert.deepEqual(rowOf('None'), { cells: ['a', 1, '24h'] });
});

test('renderTable() of a page says how to go on', () => {
  const view = { nowMs, includeObject: 'None', resourceVersion: '7' } as const;
  assert.deepEqual(renderTable(configMaps, [], { ...view, continue: 'x', remainingItemCount: 3 }).metadata, {
    resourceVersion: '7',
    continue: 'x',
    remainingItemCount: 3,
  });
  assert.deepEqual(renderTable(configMaps, [], { ...view, continue: '' }).metadata, { resourceVersion: '7' });
});
