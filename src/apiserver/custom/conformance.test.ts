/** What Kubernetes' conformance suite asks of custom resources, step by step as it asks it: applied with strict validation, published in OpenAPI, discovered. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JSONSchemaProps } from '../../api/index.ts';
import { startTestServer, type TestServer } from '../io/test-server.ts';
import { define, definitionsPath, until } from './test-definition.ts';

const ports: JSONSchemaProps = {
  type: 'array',
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['containerPort', 'protocol'],
  items: {
    type: 'object',
    required: ['containerPort', 'protocol'],
    properties: {
      containerPort: { type: 'integer', format: 'int32' },
      name: { type: 'string' },
      protocol: { type: 'string' },
    },
  },
};
const cron: JSONSchemaProps = { type: 'string', pattern: '^(\\d+|\\*)(/\\d+)?(\\s+(\\d+|\\*)(/\\d+)?){4}$' };
const fields = { foo: { type: 'string' }, cronSpec: cron, ports } as const;

const applied = (spec: string, more = '', meta = ''): string => `
apiVersion: example.com/v1
kind: Widget
metadata:
  name: mytest
${meta}  finalizers:
  - test-finalizer
${more}spec:
${spec}  cronSpec: "* * * * */5"
  ports:
  - name: x
    containerPort: 80
    protocol: TCP
`;

async function apply(server: TestServer, spec: JSONSchemaProps | undefined, body: string) {
  const path = await define(server, { scope: 'Cluster', ...(spec === undefined ? {} : { spec }) });
  return server.call('PATCH', `${path}/mytest?fieldManager=m&fieldValidation=Strict`, {
    headers: { 'content-type': 'application/apply-patch+yaml' },
    body,
  });
}

const open = { 'x-kubernetes-preserve-unknown-fields': true };

// conformance: [sig-api-machinery] FieldValidation should create/apply a valid CR for CRD with validation schema
test('a valid custom resource is applied', async (t) => {
  const server = await startTestServer(t);
  const answer = await apply(server, { type: 'object', properties: fields }, applied('  foo: foo1\n'));
  assert.equal(answer.status, 201, answer.text);
});

// conformance: [sig-api-machinery] FieldValidation should create/apply a CR with unknown fields for CRD with no validation schema
test('unknown fields are applied where there is no schema', async (t) => {
  const server = await startTestServer(t);
  const answer = await apply(server, { type: 'object', ...open }, applied('  unknown: uk1\n'));
  assert.equal(answer.status, 201, answer.text);
});

// conformance: [sig-api-machinery] FieldValidation should create/apply an invalid CR with extra properties for CRD with validation schema
test('unknown fields are not applied where there is a schema', async (t) => {
  const server = await startTestServer(t);
  const body = applied('  foo: foo1\n', 'unknownField: unknown\n');
  const answer = await apply(server, { type: 'object', properties: fields }, body);
  assert.match(answer.text, /\.unknownField: field not declared in schema/);
});

// conformance: [sig-api-machinery] FieldValidation should detect unknown metadata fields in both the root and embedded object of a CR
test('unknown metadata is found at the root and within', async (t) => {
  const server = await startTestServer(t);
  const template: JSONSchemaProps = {
    type: 'object',
    'x-kubernetes-embedded-resource': true,
    properties: {
      metadata: { type: 'object', properties: { name: { type: 'string' } } },
      spec: { type: 'object' },
    },
  };
  const inner =
    '  template:\n    apiversion: foo/v1\n    kind: Sub\n    metadata:\n      unknownSubMeta: unknown\n      name: subobject\n';
  const answer = await apply(
    server,
    { type: 'object', ...open, properties: { ...fields, template } },
    applied(inner, '', '  unknownMeta: unknown\n'),
  );
  assert.match(answer.text, /\.spec\.template\.metadata\.unknownSubMeta: field not declared in schema/);
  assert.match(answer.text, /\.metadata\.unknownMeta: field not declared in schema/);
});

// conformance: [sig-api-machinery] FieldValidation should detect duplicates in a CR when preserving unknown fields
test('fields that stand twice are found where unknown ones are kept', async (t) => {
  const server = await startTestServer(t);
  const body = applied('  unknown: uk1\n  foo: foo1\n  foo: foo2\n');
  const answer = await apply(server, { type: 'object', ...open, properties: fields }, body);
  assert.ok(answer.text.includes('line 11: key \\"foo\\" already set in map'), answer.text);
});

/** As it is published, without what every object has. */
async function published({ call }: TestServer, name: string): Promise<Record<string, unknown> | undefined> {
  const found = (await call('GET', '/openapi/v2')).body.definitions[name] as
    | ({ properties?: Record<string, unknown> } & Record<string, unknown>)
    | undefined;
  if (found === undefined) return undefined;
  for (const field of ['metadata', 'apiVersion', 'kind']) delete found.properties?.[field];
  delete found['x-kubernetes-group-version-kind'];
  return found;
}

const schemaOf = (what: string): JSONSchemaProps => ({
  description: `${what} CRD for Testing`,
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      description: `Specification of ${what}`,
      properties: {
        bars: {
          description: 'List of Bars and their specs.',
          type: 'array',
          items: {
            type: 'object',
            required: ['name'],
            properties: {
              name: { description: 'Name of Bar.', type: 'string' },
              feeling: { type: 'string', enum: ['Great', 'Down'] },
            },
          },
        },
      },
    },
  },
});

// conformance: [sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] works for multiple CRDs of different groups
// conformance: [sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] works for multiple CRDs of same group but different versions
// conformance: [sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] works for multiple CRDs of same group and version but different kinds
test('every definition is published as it is, and taken away with it', async (t) => {
  const server = await startTestServer(t);
  const [foo, waldo] = [schemaOf('Foo'), schemaOf('Waldo')];
  await define(server, { group: 'one.example.com', plural: 'foos', kind: 'Foo', schema: foo });
  await define(server, { group: 'two.example.com', plural: 'waldos', kind: 'Waldo', schema: waldo });
  await define(server, { group: 'one.example.com', plural: 'bars', kind: 'Bar', schema: waldo });
  await define(server, {
    group: 'one.example.com',
    plural: 'later',
    kind: 'Later',
    schema: waldo,
    version: { name: 'v2' },
  });
  assert.deepEqual(await published(server, 'com.example.one.v1.Foo'), foo);
  assert.deepEqual(await published(server, 'com.example.two.v1.Waldo'), waldo);
  assert.deepEqual(await published(server, 'com.example.one.v1.Bar'), waldo);
  assert.deepEqual(await published(server, 'com.example.one.v2.Later'), waldo);
  await server.call('DELETE', `${definitionsPath}/foos.one.example.com`);
  await until(async () => (await published(server, 'com.example.one.v1.Foo')) === undefined);
  assert.deepEqual(await published(server, 'com.example.one.v1.Bar'), waldo);
});

// conformance: [sig-api-machinery] AggregatedDiscovery should support aggregated discovery interface for CRDs
// conformance: [sig-api-machinery] AggregatedDiscovery should support raw aggregated discovery request for CRDs
test('definitions are in the aggregated discovery, in both of its versions', async (t) => {
  const server = await startTestServer(t);
  await define(server, { version: { subresources: { status: {} } } });
  for (const version of ['v2', 'v2beta1']) {
    const accept = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
    const { body } = await server.call('GET', '/apis', { headers: { accept } });
    const group = body.items.find(
      (item: { metadata: { name: string } }) => item.metadata.name === 'example.com',
    );
    const [resource] = group.versions[0].resources;
    assert.deepEqual(
      [
        group.versions[0].version,
        resource.resource,
        resource.scope,
        resource.responseKind,
        resource.subresources[0].subresource,
      ],
      ['v1', 'widgets', 'Namespaced', { group: 'example.com', version: 'v1', kind: 'Widget' }, 'status'],
    );
  }
});

const deployment = (meta: string, spec: string): string => `{
  "apiVersion": "apps/v1", "kind": "Deployment",
  "metadata": { "name": "my-dep", ${meta} "labels": { "app": "nginx" } },
  "spec": { ${spec} "selector": { "matchLabels": { "app": "nginx" } },
    "template": { "metadata": { "labels": { "app": "nginx" } }, "spec": { "containers": [{ "name": "nginx", "image": "nginx:latest" }] } } }
}`;
const strictly = '/apis/apps/v1/namespaces/default/deployments?fieldManager=m&fieldValidation=Strict';

// conformance: [sig-api-machinery] FieldValidation should detect unknown and duplicate fields of a typed object
// conformance: [sig-api-machinery] FieldValidation should detect unknown metadata fields of a typed object
test('unknown fields and fields that stand twice are found in built-in kinds too', async (t) => {
  const { call } = await startTestServer(t);
  const headers = { 'content-type': 'application/json' };
  const twice = deployment('', '"unknownField": "foo", "replicas": 2, "replicas": 3,');
  assert.match(
    (await call('POST', strictly, { headers, body: twice })).body.message,
    /strict decoding error: unknown field "spec.unknownField", duplicate field "spec.replicas"/,
  );
  const meta = deployment('"unknownMeta": "foo",', '');
  assert.match(
    (await call('POST', strictly, { headers, body: meta })).body.message,
    /strict decoding error: unknown field "metadata.unknownMeta"/,
  );
});
