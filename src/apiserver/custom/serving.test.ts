/** Custom resources on the real API: served with their definition, every verb, gone with it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestServer } from '../io/test-server.ts';
import { aDefinition, conditionIn, define, definitionsPath, until } from './test-definition.ts';

// conformance: [sig-api-machinery] CustomResourceDefinition resources [Privileged:ClusterAdmin] Simple CustomResourceDefinition creating/deleting custom resource definition objects works
// conformance: [sig-api-machinery] CustomResourceDefinition resources [Privileged:ClusterAdmin] should include custom resource definition resources in discovery documents
test('definitions are established and served at once, in discovery and in every verb', async (t) => {
  const server = await startTestServer(t);
  const { call } = server;
  const widgets = await define(server, { names: { shortNames: ['wd'], categories: ['all'] } });
  const definition = (await call('GET', `${definitionsPath}/widgets.example.com`)).body;
  assert.equal(conditionIn(definition, 'NamesAccepted')?.reason, 'NoConflicts');
  assert.equal(conditionIn(definition, 'Established')?.message, 'the initial names have been accepted');
  assert.deepEqual(definition.status.acceptedNames, {
    plural: 'widgets',
    singular: 'widget',
    kind: 'Widget',
    listKind: 'WidgetList',
    shortNames: ['wd'],
    categories: ['all'],
  });
  assert.deepEqual(definition.status.storedVersions, ['v1']);
  const list = (await call('GET', '/apis/example.com/v1')).body;
  assert.equal(list.resources[0].name, 'widgets');
  assert.deepEqual(list.resources[0].shortNames, ['wd']);
  const groups = (
    await call('GET', '/apis', {
      headers: { accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' },
    })
  ).body;
  assert.ok(
    groups.items.some((item: { metadata: { name: string } }) => item.metadata.name === 'example.com'),
  );

  const body = {
    apiVersion: 'example.com/v1',
    kind: 'Widget',
    metadata: { name: 'a', labels: { x: '1' } },
    spec: { size: 1 },
  };
  const made = await call('POST', widgets, { body });
  assert.equal(made.status, 201, made.text);
  assert.equal(made.body.metadata.generation, 1);
  assert.equal(
    (await call('POST', widgets, { body })).body.message,
    'widgets.example.com "a" already exists',
  );
  assert.equal((await call('GET', `${widgets}/a`)).body.spec.size, 1);
  assert.equal((await call('GET', widgets)).body.kind, 'WidgetList');
  const table = await call('GET', widgets, {
    headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
  });
  assert.deepEqual(
    table.body.columnDefinitions.map(({ name }: { name: string }) => name),
    ['Name', 'Age'],
  );
  const patched = await call('PATCH', `${widgets}/a`, {
    headers: { 'content-type': 'application/merge-patch+json' },
    body: { spec: { size: 2 } },
  });
  assert.equal(patched.body.metadata.generation, 2);
  const relabelled = await call('PATCH', `${widgets}/a`, {
    headers: { 'content-type': 'application/merge-patch+json' },
    body: { metadata: { labels: { x: '2' } } },
  });
  assert.equal(relabelled.body.metadata.generation, 2);
  const strategic = await call('PATCH', `${widgets}/a`, {
    headers: { 'content-type': 'application/strategic-merge-patch+json' },
    body: {},
  });
  assert.equal(strategic.status, 415);
  const applied = await call('PATCH', `${widgets}/b?fieldManager=me`, {
    headers: { 'content-type': 'application/apply-patch+yaml' },
    body: { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'b' }, spec: { size: 3 } },
  });
  assert.equal(applied.status, 201, applied.text);
  assert.equal(applied.body.metadata.managedFields[0].manager, 'me');
  const { resourceVersion: _, ...unversioned } = patched.body.metadata;
  const put = await call('PUT', `${widgets}/a`, { body: { ...patched.body, metadata: unversioned } });
  assert.equal(put.status, 422);
  assert.match(
    put.body.message,
    /metadata.resourceVersion: Invalid value: 0x0: must be specified for an update/,
  );
  const protobuf = await call('GET', `${widgets}/a`, {
    headers: { accept: 'application/vnd.kubernetes.protobuf' },
  });
  assert.equal(protobuf.status, 406);
  const either = await call('GET', `${widgets}/a`, {
    headers: { accept: 'application/vnd.kubernetes.protobuf, application/json' },
  });
  assert.equal(either.body.kind, 'Widget');
  assert.equal((await call('DELETE', `${widgets}/a`)).body.status, 'Success');
  assert.equal((await call('DELETE', widgets)).status, 200);
  assert.equal((await call('GET', widgets)).body.items.length, 0);
});

test('a definition that is deleted takes its objects along, and waits for their finalizers', async (t) => {
  const server = await startTestServer(t);
  const { call } = server;
  const widgets = await define(server);
  const body = {
    apiVersion: 'example.com/v1',
    kind: 'Widget',
    metadata: { name: 'held', finalizers: ['example.com/hold'] },
  };
  assert.equal((await call('POST', widgets, { body })).status, 201);
  assert.equal((await call('POST', widgets, { body: { ...body, metadata: { name: 'free' } } })).status, 201);
  const deleted = await call('DELETE', `${definitionsPath}/widgets.example.com`);
  assert.deepEqual(deleted.body.metadata.finalizers, ['customresourcecleanup.apiextensions.k8s.io']);
  await until(async () => (await call('GET', widgets)).body.items.length === 1);
  const held = (await call('GET', `${widgets}/held`)).body;
  assert.notEqual(held.metadata.deletionTimestamp, undefined);
  const refused = await call('POST', widgets, { body: { ...body, metadata: { name: 'late' } } });
  assert.equal(refused.status, 405);
  assert.equal(refused.body.message, 'create not allowed while custom resource definition is terminating');
  const waiting = (await call('GET', `${definitionsPath}/widgets.example.com`)).body;
  assert.equal(conditionIn(waiting, 'Terminating')?.reason, 'InstanceDeletionInProgress');
  await call('PATCH', `${widgets}/held`, {
    headers: { 'content-type': 'application/merge-patch+json' },
    body: { metadata: { finalizers: null } },
  });
  await until(async () => (await call('GET', `${definitionsPath}/widgets.example.com`)).status === 404);
  assert.equal((await call('GET', widgets)).status, 404);
  assert.equal((await call('GET', '/apis/example.com')).status, 404);
  // Defined again, nothing of old is there.
  assert.equal((await call('GET', await define(server))).body.items.length, 0);
});

test('names that are taken are not accepted, until they are free', async (t) => {
  const server = await startTestServer(t);
  const { call } = server;
  await define(server);
  const other = aDefinition({ plural: 'gadgets', kind: 'Widget' });
  await call('POST', definitionsPath, { body: other });
  const path = `${definitionsPath}/gadgets.example.com`;
  await until(async () => conditionIn((await call('GET', path)).body, 'NamesAccepted') !== undefined);
  const refused = (await call('GET', path)).body;
  assert.equal(conditionIn(refused, 'NamesAccepted')?.reason, 'ListKindConflict');
  assert.equal(conditionIn(refused, 'Established')?.reason, 'NotAccepted');
  assert.equal((await call('GET', '/apis/example.com/v1/gadgets')).status, 404);
  await call('DELETE', `${definitionsPath}/widgets.example.com`);
  await until(async () => conditionIn((await call('GET', path)).body, 'Established')?.status === 'True');
  assert.equal((await call('GET', '/apis/example.com/v1/gadgets')).status, 200);
});
