/** What custom resources do on the real API, part by part: Kubernetes' own conformance tests of them say what is expected. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CustomObjectsApi, KubeConfig } from '@kubernetes/client-node';
import { silentLog } from '../../lib/index.ts';
import { realClock } from '../../lib/io/real-clock.ts';
import { realRandom } from '../../lib/io/real-random.ts';
import { kubeconfigText } from '../../main/kubeconfig.ts';
import { createApi } from '../index.ts';
import { openLines, startTestServer } from '../io/test-server.ts';
import { define, definitionsPath, until } from './test-definition.ts';

const merge = { 'content-type': 'application/merge-patch+json' };
const json = { 'content-type': 'application/json-patch+json' };
const apply = { 'content-type': 'application/apply-patch+yaml' };
const name = 'widgets.example.com';
const schemaPath = '/spec/versions/0/schema/openAPIV3Schema';

const widget = (metadata: object, more: object = {}) => ({
  apiVersion: 'example.com/v1',
  kind: 'Widget',
  metadata,
  ...more,
});

// conformance: [sig-api-machinery] CustomResourceDefinition resources [Privileged:ClusterAdmin] custom resource defaulting for requests and from storage works
test('defaults come with requests and from the store; what was written stays', async (t) => {
  const server = await startTestServer(t);
  const { call } = server;
  const text = { type: 'string' };
  const widgets = await define(server, { schema: { type: 'object', properties: { a: text, b: text } } });
  await call('POST', widgets, { body: widget({ name: 'one' }) });
  const change = async (field: string, value: unknown): Promise<void> => {
    const body = [
      {
        op: value === undefined ? 'remove' : 'add',
        path: `${schemaPath}/properties/${field}/default`,
        value,
      },
    ];
    const answer = await call('PATCH', `${definitionsPath}/${name}`, { headers: json, body });
    assert.equal(answer.status, 200, answer.text);
  };
  await change('a', 'A');
  assert.equal((await call('GET', `${widgets}/one`)).body.a, 'A');
  assert.equal((await call('GET', widgets)).body.items[0].a, 'A');
  assert.equal((await call('POST', widgets, { body: widget({ name: 'two' }) })).body.a, 'A');
  await change('a', undefined);
  await change('b', 'B');
  assert.deepEqual(
    (await call('GET', widgets)).body.items.map(({ a, b }: { a: string; b: string }) => [a, b]),
    [
      [undefined, 'B'],
      ['A', 'B'],
    ],
    'the one that was written with a default keeps it',
  );
});

test('the status is written apart where it is a subresource, and does not raise the generation', async (t) => {
  const server = await startTestServer(t);
  const { call } = server;
  const widgets = await define(server, {
    version: {
      subresources: {
        status: {},
        scale: {
          specReplicasPath: '.spec.replicas',
          statusReplicasPath: '.status.replicas',
          labelSelectorPath: '.status.selector',
        },
      },
    },
  });
  const made = await call('POST', widgets, {
    body: widget({ name: 'a' }, { spec: { replicas: 1 }, status: { replicas: 9 } }),
  });
  assert.equal(made.body.status, undefined);
  const main = await call('PATCH', `${widgets}/a`, {
    headers: merge,
    body: { spec: { replicas: 2 }, status: { replicas: 9 } },
  });
  assert.deepEqual([main.body.metadata.generation, main.body.status], [2, undefined]);
  const status = await call('PATCH', `${widgets}/a/status`, {
    headers: merge,
    body: { spec: { replicas: 5 }, status: { replicas: 2, selector: 'x=y' } },
  });
  assert.deepEqual(
    [status.body.metadata.generation, status.body.spec.replicas, status.body.status.replicas],
    [2, 2, 2],
  );
  const scale = await call('GET', `${widgets}/a/scale`);
  assert.deepEqual(
    [scale.body.kind, scale.body.spec, scale.body.status],
    ['Scale', { replicas: 2 }, { replicas: 2, selector: 'x=y' }],
  );
  const scaled = await call('PUT', `${widgets}/a/scale`, { body: { ...scale.body, spec: { replicas: 7 } } });
  assert.equal(scaled.body.spec.replicas, 7, scaled.text);
  const after = (await call('GET', `${widgets}/a`)).body;
  assert.deepEqual([after.spec.replicas, after.metadata.generation, after.status.replicas], [7, 3, 2]);
  const negative = await call('PATCH', `${widgets}/a`, { headers: merge, body: { spec: { replicas: -1 } } });
  assert.match(negative.body.message, /spec.replicas: Invalid value: -1: should be a non-negative integer/);
});

test('without a status subresource the status is a field like others', async (t) => {
  const server = await startTestServer(t);
  const { call } = server;
  const widgets = await define(server);
  const made = await call('POST', widgets, { body: widget({ name: 'a' }, { status: { x: 1 } }) });
  assert.equal(made.body.status.x, 1);
  const changed = await call('PATCH', `${widgets}/a`, { headers: merge, body: { status: { x: 2 } } });
  assert.deepEqual([changed.body.status.x, changed.body.metadata.generation], [2, 2]);
  assert.equal((await call('GET', `${widgets}/a/status`)).status, 404);
});

test('unknown fields are refused, warned of, or overlooked, and never stored', async (t) => {
  const server = await startTestServer(t);
  const { call } = server;
  const widgets = await define(server, {
    spec: {
      type: 'object',
      properties: {
        list: { type: 'array', items: { type: 'object', properties: { a: { type: 'string' } } } },
      },
    },
  });
  const body = widget({ name: 'a', colour: 'x' }, { spec: { list: [{ a: '1', b: 2 }] }, odd: 1 });
  const strict = await call('POST', `${widgets}?fieldValidation=Strict`, { body });
  assert.equal(strict.status, 400);
  assert.equal(
    strict.body.message,
    'Widget in version "v1" cannot be handled as a Widget: strict decoding error: unknown field "metadata.colour", unknown field "spec.list[0].b", unknown field "odd"',
  );
  const warned = await call('POST', `${widgets}?fieldValidation=Warn`, { body });
  assert.equal(warned.status, 201);
  assert.match(String(warned.headers['warning']), /unknown field \\"spec.list\[0\].b\\"/);
  assert.deepEqual([warned.body.spec, warned.body.odd], [{ list: [{ a: '1' }] }, undefined]);
  const twice = await call('POST', `${widgets}?fieldValidation=Strict`, {
    headers: { 'content-type': 'application/json' },
    body: '{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"b"},"spec":{"list":[],"list":[]}}',
  });
  assert.match(twice.body.message, /duplicate field "spec.list"/);
  const patched = await call('PATCH', `${widgets}/a?fieldValidation=Strict`, {
    headers: merge,
    body: { spec: { other: 1 } },
  });
  assert.match(patched.body.message, /unknown field "spec.other"/);
  const applied = await call('PATCH', `${widgets}/c?fieldValidation=Strict&fieldManager=m`, {
    headers: apply,
    body: widget({ name: 'c' }, { spec: { other: 1 } }),
  });
  assert.equal(
    applied.body.message,
    'failed to create typed patch object (default/c; example.com/v1, Kind=Widget): .spec.other: field not declared in schema',
  );
  const yaml =
    '\napiVersion: example.com/v1\nkind: Widget\nmetadata:\n  name: d\nspec:\n  list: []\n  list: []\n';
  const doubled = await call('PATCH', `${widgets}/d?fieldValidation=Strict&fieldManager=m`, {
    headers: apply,
    body: yaml,
  });
  assert.match(doubled.body.message, /line 8: key "list" already set in map/);
  const posted = await call('POST', `${widgets}?fieldValidation=Strict`, {
    headers: { 'content-type': 'application/yaml' },
    body: yaml,
  });
  assert.match(
    posted.body.message,
    /strict decoding error: yaml: unmarshal errors:\n {2}line 8: key "list" already set in map/,
  );
});

test('bare names of finalizers are warned of, once', async (t) => {
  const server = await startTestServer(t);
  const { call } = server;
  const widgets = await define(server);
  const made = await call('POST', widgets, {
    body: widget({ name: 'a', finalizers: ['bare-name', 'example.com/whole'] }),
  });
  assert.equal(made.status, 201, made.text);
  assert.equal(
    made.headers['warning'],
    '299 - "metadata.finalizers: \\"bare-name\\": prefer a domain-qualified finalizer name including a path (/) to avoid accidental conflicts with other finalizer writers"',
  );
  const changed = await call('PATCH', `${widgets}/a`, { headers: merge, body: { spec: { x: 1 } } });
  assert.equal(changed.headers['warning'], undefined);
});

test('applied lists are merged by the keys of the schema', async (t) => {
  const server = await startTestServer(t);
  const { call } = server;
  const item = {
    type: 'object',
    required: ['port'],
    properties: {
      port: { type: 'integer' },
      protocol: { type: 'string', default: 'TCP' },
      name: { type: 'string' },
    },
  };
  const widgets = await define(server, {
    spec: {
      type: 'object',
      properties: {
        ports: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['port', 'protocol'],
          items: item,
        },
        tags: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
        whole: {
          type: 'object',
          'x-kubernetes-map-type': 'atomic',
          additionalProperties: { type: 'string' },
        },
      },
    },
  });
  const put = (manager: string, spec: object, force = false) =>
    call('PATCH', `${widgets}/a?fieldManager=${manager}${force ? '&force=true' : ''}`, {
      headers: apply,
      body: widget({ name: 'a' }, { spec }),
    });
  await put('one', { ports: [{ port: 80, name: 'web' }], tags: ['x'], whole: { a: '1' } });
  const both = await put('two', { ports: [{ port: 443 }], tags: ['y'] });
  assert.equal(both.status, 200, both.text);
  assert.deepEqual(both.body.spec.ports, [
    { port: 80, protocol: 'TCP', name: 'web' },
    { port: 443, protocol: 'TCP' },
  ]);
  assert.deepEqual(both.body.spec.tags, ['x', 'y']);
  const fields = JSON.stringify(both.body.metadata.managedFields);
  assert.ok(fields.includes('k:{\\"port\\":443,\\"protocol\\":\\"TCP\\"}'), fields);
  const conflict = await put('two', { ports: [{ port: 80, name: 'other' }], whole: { b: '2' } });
  assert.equal(conflict.status, 409);
  assert.match(
    conflict.body.message,
    /Apply failed with 2 conflicts: conflicts with "one":\n- .spec.ports\[port=80,protocol="TCP"\].name\n- .spec.whole/,
  );
  const gone = await put('one', {});
  assert.deepEqual(gone.body.spec, { ports: [{ port: 443, protocol: 'TCP' }], tags: ['y'] });
});

test('columns, selectable fields, tables and metadata alone', async (t) => {
  const server = await startTestServer(t);
  const { call } = server;
  const column = (label: string, type: string, jsonPath: string) => ({ name: label, type, jsonPath });
  const widgets = await define(server, {
    spec: {
      type: 'object',
      properties: {
        color: { type: 'string' },
        n: { type: 'integer' },
        hosts: { type: 'array', items: { type: 'string' } },
        at: { type: 'string' },
      },
    },
    version: {
      selectableFields: [{ jsonPath: '.spec.color' }],
      additionalPrinterColumns: [
        column('Color', 'string', '.spec.color'),
        column('N', 'integer', '.spec.n'),
        column('Hosts', 'string', '.spec.hosts'),
        column('First', 'string', '.spec.hosts[*]'),
        column('At', 'date', '.spec.at'),
        column('Ready', 'string', '.status.conditions[?(@.type=="Ready")].status'),
      ],
    },
  });
  const at = new Date(Date.now() - 3_600_000 * 5).toISOString();
  await call('POST', widgets, {
    body: widget(
      { name: 'a' },
      {
        spec: { color: 'red', n: 1, hosts: ['x', 'y'], at },
        status: {
          conditions: [
            { type: 'Other', status: 'no' },
            { type: 'Ready', status: 'True' },
          ],
        },
      },
    ),
  });
  await call('POST', widgets, { body: widget({ name: 'b' }, { spec: { color: 'blue' } }) });
  const table = await call('GET', widgets, {
    headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
  });
  assert.deepEqual(table.body.rows[0].cells, ['a', 'red', 1, '["x","y"]', 'x', '5h', 'True']);
  assert.deepEqual(table.body.rows[1].cells, ['b', 'blue', null, null, null, null, null]);
  const red = await call('GET', `${widgets}?fieldSelector=spec.color%3Dred`);
  assert.deepEqual(
    red.body.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name),
    ['a'],
  );
  assert.equal(
    (await call('GET', `${widgets}?fieldSelector=spec.n%3D1`)).body.message,
    'field label not supported: spec.n',
  );
  const metadata = await call('GET', `${widgets}/a`, {
    headers: { accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io' },
  });
  assert.deepEqual([metadata.body.kind, metadata.body.spec], ['PartialObjectMetadata', undefined]);
  const yaml = await call('GET', `${widgets}/a`, { headers: { accept: 'application/yaml' } });
  assert.match(yaml.text, /color: red/);
  const written = await call('POST', widgets, {
    headers: { 'content-type': 'application/yaml' },
    body: 'apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: green}\nspec: {color: green}\n',
  });
  assert.equal(written.body.spec.color, 'green');
  const lines = await openLines({
    ...server.connection(),
    path: `${widgets}?watch=1&fieldSelector=spec.color%3Dred`,
    headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
  });
  assert.equal(((await lines.next()) as { object: { kind: string } }).object.kind, 'Table');
  await call('PATCH', `${widgets}/a`, { headers: merge, body: { spec: { color: 'blue' } } });
  assert.equal(((await lines.next()) as { type: string }).type, 'DELETED');
  lines.close();
});

test('groups of custom resources come after those of Kubernetes: of two names these are meant', async (t) => {
  const server = await startTestServer(t);
  await define(server, { group: 'aaa.example.com', plural: 'ingresses', kind: 'Ingress' });
  const { groups } = (await server.call('GET', '/apis')).body as { groups: { name: string }[] };
  const names = groups.map((group) => group.name);
  assert.deepEqual(names.slice(0, 3), ['apiregistration.k8s.io', 'apps', 'events.k8s.io']);
  assert.equal(names.at(-1), 'aaa.example.com');
});

test('dry runs keep nothing, protobuf bodies are refused, names of the schema are kept', async (t) => {
  const server = await startTestServer(t);
  const { call } = server;
  const widgets = await define(server, {
    schema: {
      type: 'object',
      properties: { metadata: { type: 'object', properties: { name: { type: 'string', maxLength: 5 } } } },
    },
  });
  assert.equal((await call('POST', `${widgets}?dryRun=All`, { body: widget({ name: 'a' }) })).status, 201);
  assert.equal((await call('GET', `${widgets}/a`)).status, 404);
  const protobuf = await call('POST', widgets, {
    headers: { 'content-type': 'application/vnd.kubernetes.protobuf' },
    body: Buffer.from('k8s\0'),
  });
  assert.equal(protobuf.status, 415);
  const long = await call('POST', widgets, { body: widget({ name: 'longer' }) });
  assert.match(long.body.message, /metadata.name: Too long: may not be more than 5 bytes/);
  const bad = await call('POST', widgets, { body: widget({ name: 'A' }) });
  assert.match(
    bad.body.message,
    /Widget.example.com "A" is invalid: metadata.name: Invalid value: "A": a lowercase RFC 1123 subdomain/,
  );
  const wrong = await call('POST', widgets, { body: widget({ name: 'b', labels: 'x' }) });
  assert.equal(wrong.status, 400);
});

// conformance: [sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] removes definition from spec when one version gets changed to not be served
// conformance: [sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] updates the published spec when one version gets renamed
test('OpenAPI follows the definitions, version by version', async (t) => {
  const server = await startTestServer(t);
  const { call } = server;
  const version = (of: string, served: boolean, storage: boolean) => ({
    name: of,
    served,
    storage,
    schema: {
      openAPIV3Schema: {
        type: 'object',
        properties: {
          spec: {
            type: 'object',
            properties: { a: { type: 'string' }, either: { 'x-kubernetes-int-or-string': true } },
          },
        },
      },
    },
  });
  const entry = async (of: string) =>
    (await call('GET', '/openapi/v3')).body.paths[`apis/example.com/${of}`]?.serverRelativeURL as
      | string
      | undefined;
  assert.equal(await entry('v1'), undefined);
  const core = (await call('GET', '/openapi/v3')).body.paths['api/v1'].serverRelativeURL;
  await define(server, { versions: [version('v1', true, true), version('v2', true, false)] });
  const url = await entry('v1');
  const document = await call('GET', url ?? '');
  assert.equal(document.headers['etag'], `"${url?.split('hash=')[1]}"`);
  const schema = document.body.components.schemas['com.example.v1.Widget'];
  assert.deepEqual(schema['x-kubernetes-group-version-kind'], [
    { group: 'example.com', version: 'v1', kind: 'Widget' },
  ]);
  assert.equal(schema.properties.spec.properties.a.type, 'string');
  assert.ok('com.example.v1.WidgetList' in document.body.components.schemas);
  const v2 = (await call('GET', '/openapi/v2')).body;
  assert.equal(v2.definitions['com.example.v1.Widget'].properties.spec.properties.a.type, 'string');
  const [unserved] = [
    [
      { op: 'replace', path: '/spec/versions/1/served', value: false },
      { op: 'add', path: `${schemaPath}/properties/more`, value: { type: 'string' } },
    ],
  ];
  await call('PATCH', `${definitionsPath}/${name}`, { headers: json, body: unserved });
  assert.equal(await entry('v2'), undefined);
  assert.notEqual(await entry('v1'), url, 'another schema, another hash');
  assert.equal(
    (await call('GET', url ?? '', { headers: { 'if-none-match': document.headers['etag'] as string } }))
      .status,
    200,
  );
  assert.equal((await call('GET', '/openapi/v3')).body.paths['api/v1'].serverRelativeURL, core);
  await call('PATCH', `${definitionsPath}/${name}`, {
    headers: json,
    body: [{ op: 'replace', path: '/spec/versions/1', value: version('v3', true, false) }],
  });
  assert.notEqual(await entry('v3'), undefined);
  assert.equal((await call('GET', '/openapi/v2')).body.definitions['com.example.v2.Widget'], undefined);
});

// conformance: [sig-api-machinery] CustomResourceDefinition resources [Privileged:ClusterAdmin] Simple CustomResourceDefinition getting/updating/patching custom resource definition status sub-resource works
// conformance: [sig-api-machinery] CustomResourceDefinition resources [Privileged:ClusterAdmin] Simple CustomResourceDefinition listing custom resource definition objects works
test('definitions have a status of their own, are watched, and are deleted by label', async (t) => {
  const server = await startTestServer(t);
  const { call } = server;
  const lines = await openLines({ ...server.connection(), path: `${definitionsPath}?watch=1` });
  await define(server);
  assert.equal(((await lines.next()) as { type: string }).type, 'ADDED');
  assert.equal(((await lines.next()) as { type: string }).type, 'MODIFIED');
  const condition = { type: 'Extra', status: 'True', reason: 'Test', message: 'm' };
  const found = (await call('GET', `${definitionsPath}/${name}/status`)).body;
  const updated = await call('PUT', `${definitionsPath}/${name}/status`, {
    body: { ...found, status: { ...found.status, conditions: [...found.status.conditions, condition] } },
  });
  assert.equal(updated.status, 200, updated.text);
  assert.equal(updated.body.status.conditions.at(-1).type, 'Extra');
  await call('PATCH', `${definitionsPath}/${name}`, {
    headers: merge,
    body: { metadata: { labels: { l: 'x' } } },
  });
  const kept = (await call('GET', `${definitionsPath}/${name}`)).body.status.conditions;
  assert.equal(kept.at(-1).type, 'Extra', 'what others say stays');
  await call('DELETE', `${definitionsPath}?labelSelector=l%3Dx`);
  await until(async () => (await call('GET', `${definitionsPath}/${name}`)).status === 404);
  lines.close();
});

test('createApi() serves what is defined in its store from the first moment', async (t) => {
  const server = await startTestServer(t);
  await define(server);
  const again = createApi({
    store: server.store,
    clock: realClock,
    random: realRandom,
    log: silentLog,
    serviceCidr: '10.131.0.0/24',
  });
  const ref = { group: 'example.com', version: 'v1', resource: 'widgets', namespaced: true };
  assert.deepEqual((await again.client().list(ref)).items, []);
});

test('the JavaScript client works with custom objects', async (t) => {
  const server = await startTestServer(t);
  await define(server);
  const config = new KubeConfig();
  config.loadFromString(kubeconfigText(server.server.url, server.pki));
  const api = config.makeApiClient(CustomObjectsApi);
  const where = { group: 'example.com', version: 'v1', namespace: 'default', plural: 'widgets' };
  await api.createNamespacedCustomObject({ ...where, body: widget({ name: 'a' }, { spec: { size: 1 } }) });
  const found = (await api.getNamespacedCustomObject({ ...where, name: 'a' })) as ReturnType<
    typeof widget
  > & { spec: { size: number } };
  await api.replaceNamespacedCustomObject({ ...where, name: 'a', body: { ...found, spec: { size: 2 } } });
  const list = (await api.listNamespacedCustomObject(where)) as { items: { spec: { size: number } }[] };
  assert.deepEqual(
    list.items.map(({ spec }) => spec.size),
    [2],
  );
  await api.deleteNamespacedCustomObject({ ...where, name: 'a' });
});
