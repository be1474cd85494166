import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { apiVersionOf, type Draft, draftOf, type KubeObject } from './object.ts';
import { builtinKinds, createRegistry } from './registry.ts';
import { checkShape } from './schema/check-shape.ts';
import { messageOf } from './schema/messages.ts';
import { sampleObject } from './schema/sample-object.ts';
import { applyTableDefaults } from './schema/table-defaults.ts';
import { renderTable, type Table } from './table.ts';

const nowMs = Date.parse('2026-01-02T03:04:05Z');
const fixtures = new URL('../../../shared/data/kubernetes/api-roundtrip/', import.meta.url);

test('byKind() and byResource() find each kind, and nothing else', () => {
  for (const kind of builtinKinds.kinds) {
    assert.equal(builtinKinds.byKind(kind.group, kind.version, kind.kind), kind);
    assert.equal(builtinKinds.byResource(kind.group, kind.version, kind.resource), kind);
  }
  assert.equal(builtinKinds.byKind('', 'v1', 'Deployment'), undefined);
  assert.equal(builtinKinds.byResource('', 'v1', 'pod'), undefined);
  assert.equal(createRegistry([]).byResource('', 'v1', 'pods'), undefined);
});

test('builtinKinds holds what kubectl asks for, under the names that people type', () => {
  const words = (resource: string) => {
    const kind = builtinKinds.kinds.find((one) => one.resource === resource);
    return kind && [kind.kind, kind.singular, kind.namespaced, ...kind.shortNames].join(' ');
  };
  assert.deepEqual(
    ['namespaces', 'nodes', 'pods', 'services', 'endpoints', 'endpointslices', 'configmaps'].map(words),
    [
      'Namespace namespace false ns',
      'Node node false no',
      'Pod pod true po',
      'Service service true svc',
      'Endpoints endpoints true ep',
      'EndpointSlice endpointslice true',
      'ConfigMap configmap true cm',
    ],
  );
  assert.deepEqual(
    ['secrets', 'serviceaccounts', 'events', 'leases', 'deployments', 'replicasets'].map(words),
    [
      'Secret secret true',
      'ServiceAccount serviceaccount true sa',
      'Event event true ev',
      'Lease lease true',
      'Deployment deployment true deploy',
      'ReplicaSet replicaset true rs',
    ],
  );
  const all = builtinKinds.kinds.filter((kind) => kind.categories.includes('all'));
  assert.deepEqual(all.map((kind) => kind.resource).sort(), [
    'cronjobs',
    'daemonsets',
    'deployments',
    'horizontalpodautoscalers',
    'horizontalpodautoscalers',
    'jobs',
    'pods',
    'replicasets',
    'replicationcontrollers',
    'services',
    'statefulsets',
  ]);
});

const cellOf = ({ columnDefinitions, rows }: Table, name: string) =>
  rows[0]?.cells[columnDefinitions.findIndex((column) => column.name === name)];

for (const kind of builtinKinds.kinds) {
  const group = kind.group === '' ? 'core' : kind.group;
  const file = new URL(`${group}.${kind.version}.${kind.kind}.json`, fixtures);
  // What Kubernetes publishes of its kinds; made from the tables for those of others.
  const everyField = (): unknown =>
    existsSync(file)
      ? JSON.parse(readFileSync(file, 'utf8'))
      : sampleObject(messageOf(kind.message), apiVersionOf(kind.group, kind.version), kind.kind);

  test(`${group} ${kind.kind}: an object with every field set passes through`, () => {
    const message = messageOf(kind.message);
    const { value, unknown } = checkShape<Draft<KubeObject>>(message, everyField());
    assert.deepEqual(unknown, []);
    applyTableDefaults(message, value);
    kind.applyDefaults(value);
    const once = draftOf(value);
    applyTableDefaults(message, value);
    kind.applyDefaults(value);
    assert.deepEqual(value, once, 'defaults are idempotent');
    // All its texts are nonsense: problems are welcome, exceptions are not.
    for (const { field, message: text, reason } of kind.validate(value)) {
      assert.match(reason, /^FieldValue/);
      assert.notEqual(field, '');
      assert.match(text, /^[A-Z]/);
    }
    assert.deepEqual(kind.validateUpdate(value, value), []);
    assert.doesNotThrow(() => kind.validateStatusUpdate(value, value));
    const table = renderTable(kind, [value], { nowMs, includeObject: 'None' });
    assert.equal(cellOf(table, 'Name'), value.metadata.name);
    for (const cell of table.rows[0]?.cells ?? []) assert.notEqual(cell, undefined);
    for (const read of Object.values(kind.selectableFields)) assert.equal(typeof read(value), 'string');
    kind.prepareUpdate(value, once, { nowMs });
    kind.prepareCreate(value, { nowMs });
  });

  test(`${group} ${kind.kind}: an object with nothing but a name passes through`, () => {
    const message = messageOf(kind.message);
    const value = { metadata: { name: 'a', namespace: 'b' } } as Draft<KubeObject>;
    applyTableDefaults(message, value);
    kind.applyDefaults(value);
    kind.prepareCreate(value, { nowMs });
    const before = draftOf(value);
    assert.ok(kind.validate(value).every((problem) => problem.field !== ''));
    assert.doesNotThrow(() => kind.validateUpdate(value, before));
    assert.doesNotThrow(() => kind.validateStatusUpdate(value, before));
    const table = renderTable(kind, [value], { nowMs, includeObject: 'None' });
    assert.equal(cellOf(table, 'Name'), 'a');
    for (const cell of table.rows[0]?.cells ?? []) assert.notEqual(cell, undefined);
    for (const read of Object.values(kind.selectableFields)) assert.equal(typeof read(value), 'string');
  });

  test(`${group} ${kind.kind}: validating changes nothing`, () => {
    const value = everyField() as Draft<KubeObject>;
    applyTableDefaults(messageOf(kind.message), value);
    kind.applyDefaults(value);
    const before = draftOf(value);
    kind.validate(value);
    kind.validateUpdate(value, before);
    kind.validateStatusUpdate(value, before);
    assert.deepEqual(value, before);
  });
}
