/** What Kubernetes' conformance suite asks of the API server alone, entry by entry of its ledger, beyond what `api-operations.test.ts` asks of every kind. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { define, definitionsPath } from '../custom/test-definition.ts';
import { configMap, deployment, here } from './test-objects.ts';
import { openLines, startTestServer, type TestServer } from './test-server.ts';

const merge = { 'content-type': 'application/merge-patch+json' };
const json = { 'content-type': 'application/json-patch+json' };
const apply = { 'content-type': 'application/apply-patch+yaml' };

interface Event {
  readonly type: string;
  readonly object: {
    readonly metadata: { readonly name: string; readonly resourceVersion: string; readonly labels?: object };
  };
}

async function follow({ connection }: TestServer, path: string) {
  const lines = await openLines({ ...connection(), path });
  assert.equal(lines.status, 200, path);
  const next = async (): Promise<Event> => (await lines.next()) as Event;
  return { next, close: lines.close, told: async () => (await next()).type };
}

const names = (body: { items: readonly { metadata: { name: string } }[] }): readonly string[] =>
  body.items.map(({ metadata }) => metadata.name);

// conformance: [sig-api-machinery] Servers with support for API chunking should return chunks of results for list calls
// conformance: [sig-api-machinery] Servers with support for API chunking should support continue listing from the last key if the original version has been compacted away, though the list is inconsistent [Slow]
test('long lists come in chunks, and go on after compaction', async (t) => {
  const { call, store } = await startTestServer(t);
  const path = `${here}/podtemplates`;
  const template = { spec: { containers: [{ name: 'c', image: 'i' }] } };
  const count = 60;
  for (let n = 0; n < count; n++) {
    const name = `template-${String(n).padStart(4, '0')}`;
    await call('POST', path, {
      body: { apiVersion: 'v1', kind: 'PodTemplate', metadata: { name }, template },
    });
  }
  const page = (limit: number, token: string) =>
    call('GET', `${path}?limit=${limit}&continue=${encodeURIComponent(token)}`);
  const limit = 17;
  let [token, seen, revision] = ['', 0, ''];
  do {
    const { body } = await page(limit, token);
    const { metadata } = body;
    assert.ok(body.items.length <= limit);
    for (const name of names(body)) assert.equal(name, `template-${String(seen++).padStart(4, '0')}`);
    if (seen < count) assert.equal(metadata.remainingItemCount, count - seen);
    if (revision === '') revision = metadata.resourceVersion;
    assert.equal(metadata.resourceVersion, revision);
    token = metadata.continue ?? '';
  } while (token !== '');
  assert.equal(seen, count);
  assert.equal((await call('GET', path)).body.items.length, count);

  const first = await page(limit, '');
  await call('POST', `${here}/configmaps`, { body: configMap('between') });
  store.compact(store.revision());
  const expired = await page(limit, first.body.metadata.continue);
  assert.deepEqual([expired.status, expired.body.reason], [410, 'Expired']);
  const goesOn = await page(limit, expired.body.metadata.continue);
  assert.equal(goesOn.body.items.length, limit);
  assert.notEqual(goesOn.body.metadata.resourceVersion, first.body.metadata.resourceVersion);
  assert.equal(goesOn.body.metadata.remainingItemCount, count - 2 * limit);
  let [rest, found] = [goesOn.body.metadata.continue as string, 2 * limit];
  while (rest !== '') {
    const { body } = await page(limit, rest);
    assert.equal(body.metadata.resourceVersion, goesOn.body.metadata.resourceVersion);
    found += body.items.length;
    rest = body.metadata.continue ?? '';
  }
  assert.equal(found, count);
});

// conformance: [sig-api-machinery] Servers with support for Table transformation should return a 406 for a backend which does not implement metadata
test('what is no object of the store has no Table', async (t) => {
  const { call } = await startTestServer(t);
  const answer = await call('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
    headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: { namespace: 'default', resource: 'pods', verb: 'list' } },
    },
  });
  assert.deepEqual([answer.status, answer.body.reason], [406, 'NotAcceptable'], answer.text);
});

test('watchers, as conformance asks', async (t) => {
  const server = await startTestServer(t);
  const { call } = server;
  const path = `${here}/configmaps`;
  const change = (name: string, body: object) => call('PATCH', `${path}/${name}`, { body, headers: merge });

  // conformance: [sig-api-machinery] Watchers should observe add, update, and delete watch notifications on configmaps
  await t.test('watchers see what has their label, and no more', async () => {
    const at = (selector: string) =>
      follow(server, `${path}?watch=1&labelSelector=${encodeURIComponent(selector)}`);
    const [a, b, both] = [await at('w=A'), await at('w=B'), await at('w in (A,B)')];
    await call('POST', path, { body: configMap('a', {}, { labels: { w: 'A' } }) });
    await change('a', { data: { n: '1' } });
    await change('a', { data: { n: '2' } });
    await call('DELETE', `${path}/a`);
    await call('POST', path, { body: configMap('b', {}, { labels: { w: 'B' } }) });
    await call('DELETE', `${path}/b`);
    const list = async (watch: typeof a, count: number): Promise<readonly string[]> => {
      const seen: string[] = [];
      for (let n = 0; n < count; n++) {
        const { type, object } = await watch.next();
        seen.push(`${type} ${object.metadata.name}`);
      }
      return seen;
    };
    const ofA = ['ADDED a', 'MODIFIED a', 'MODIFIED a', 'DELETED a'];
    const ofB = ['ADDED b', 'DELETED b'];
    assert.deepEqual(await list(a, 4), ofA);
    assert.deepEqual(await list(b, 2), ofB);
    assert.deepEqual(await list(both, 6), [...ofA, ...ofB]);
    for (const watch of [a, b, both]) watch.close();
  });

  // conformance: [sig-api-machinery] Watchers should be able to start watching from a specific resource version
  // conformance: [sig-api-machinery] Watchers should be able to restart watching from the last resource version observed by the previous watch
  await t.test('a watch begins where it is told to', async () => {
    const made = await call('POST', path, { body: configMap('from', {}, { labels: { from: 'yes' } }) });
    const first = await change('from', { data: { n: '1' } });
    await change('from', { data: { n: '2' } });
    const at = (revision: string) =>
      follow(server, `${path}?watch=1&labelSelector=from%3Dyes&resourceVersion=${revision}`);
    const late = await at(first.body.metadata.resourceVersion);
    const event = await late.next();
    assert.deepEqual(
      [event.type, (event.object as unknown as { data: object }).data],
      ['MODIFIED', { n: '2' }],
    );
    late.close();
    await change('from', { data: { n: '3' } });
    await call('DELETE', `${path}/from`);
    const again = await at(event.object.metadata.resourceVersion);
    assert.deepEqual([await again.told(), await again.told()], ['MODIFIED', 'DELETED']);
    again.close();
    const all = await at(made.body.metadata.resourceVersion);
    for (const type of ['MODIFIED', 'MODIFIED', 'MODIFIED', 'DELETED']) assert.equal(await all.told(), type);
    all.close();
  });

  // conformance: [sig-api-machinery] Watchers should observe an object deletion if it stops meeting the requirements of the selector
  await t.test('what leaves the selection is deleted for the watcher, and comes back', async () => {
    const watch = await follow(server, `${path}?watch=1&labelSelector=in%3Dyes`);
    await call('POST', path, { body: configMap('moving', {}, { labels: { in: 'yes' } }) });
    await change('moving', { metadata: { labels: { in: 'no' } } });
    await change('moving', { data: { unseen: 'x' } });
    await change('moving', { metadata: { labels: { in: 'yes' } } });
    await change('moving', { data: { seen: 'x' } });
    await call('DELETE', `${path}/moving`);
    for (const type of ['ADDED', 'DELETED', 'ADDED', 'MODIFIED', 'DELETED'])
      assert.equal(await watch.told(), type);
    watch.close();
  });

  // conformance: [sig-api-machinery] Watchers should receive events on concurrent watches in same order
  await t.test('watches begun at each event see all that follows in the same order', async () => {
    const selected = `${path}?watch=1&labelSelector=order%3Dyes`;
    const from = server.store.revision();
    const main = await follow(server, `${selected}&resourceVersion=${from}`);
    const count = 20;
    const writing = (async () => {
      for (let n = 0; n < count; n++) {
        const name = `order-${n % 5}`;
        if (n < 5) await call('POST', path, { body: configMap(name, {}, { labels: { order: 'yes' } }) });
        else await change(name, { data: { n: String(n) } });
      }
    })();
    const revisions: string[] = [];
    const others: Awaited<ReturnType<typeof follow>>[] = [];
    for (let n = 0; n < count; n++) {
      const { object } = await main.next();
      revisions.push(object.metadata.resourceVersion);
      if (n % 3 === 0)
        others.push(await follow(server, `${selected}&resourceVersion=${object.metadata.resourceVersion}`));
    }
    await writing;
    for (const [index, other] of others.entries())
      for (const revision of revisions.slice(index * 3 + 1))
        assert.equal((await other.next()).object.metadata.resourceVersion, revision);
    for (const watch of [main, ...others]) watch.close();
  });
});

test('discovery, as conformance asks', async (t) => {
  const server = await startTestServer(t);
  const { call } = server;
  const aggregated = (v: string): string =>
    `application/json;g=apidiscovery.k8s.io;v=${v};as=APIGroupDiscoveryList`;
  interface Group {
    readonly metadata: { readonly name?: string };
    readonly versions: readonly {
      readonly version: string;
      readonly resources: readonly { readonly resource: string }[];
    }[];
  }
  const has = (items: readonly Group[], group: string, version: string, resource: string): boolean =>
    items.some(
      ({ metadata, versions }) =>
        (metadata.name ?? '') === group &&
        versions.some(
          (one) => one.version === version && one.resources.some((each) => each.resource === resource),
        ),
    );
  const builtIn = [
    ['', 'pods'],
    ['', 'services'],
    ['apps', 'deployments'],
    ['batch', 'jobs'],
    ['networking.k8s.io', 'ingresses'],
    ['rbac.authorization.k8s.io', 'roles'],
    ['apiextensions.k8s.io', 'customresourcedefinitions'],
    ['storage.k8s.io', 'storageclasses'],
  ] as const;

  // conformance: [sig-api-machinery] AggregatedDiscovery should support aggregated discovery interface
  // conformance: [sig-api-machinery] AggregatedDiscovery should support raw aggregated discovery endpoint Accept headers
  await t.test('all is told in two documents, in the form that is asked for', async () => {
    for (const version of ['v2', 'v2beta1']) {
      const headers = { accept: `${aggregated(version)},application/json` };
      const [api, apis] = [await call('GET', '/api', { headers }), await call('GET', '/apis', { headers })];
      for (const { body, headers: said } of [api, apis]) {
        assert.equal(said['content-type'], aggregated(version));
        assert.deepEqual(
          [body.kind, body.apiVersion],
          ['APIGroupDiscoveryList', `apidiscovery.k8s.io/${version}`],
        );
      }
      for (const [group, resource] of builtIn)
        assert.ok(has(group === '' ? api.body.items : apis.body.items, group, 'v1', resource), resource);
    }
    const preferred = await call('GET', '/apis', {
      headers: { accept: [aggregated('v2'), aggregated('v2beta1'), 'application/json'].join() },
    });
    assert.equal(preferred.body.apiVersion, 'apidiscovery.k8s.io/v2');
    const plain = await call('GET', '/apis', { headers: { accept: 'application/json' } });
    assert.equal(plain.body.kind, 'APIGroupList');
  });

  // conformance: [sig-api-machinery] AggregatedDiscovery should support aggregated discovery interface for CRDs
  // conformance: [sig-api-machinery] AggregatedDiscovery should support raw aggregated discovery request for CRDs
  await t.test('custom resources are in it', async () => {
    await define(server, { plural: 'finds', kind: 'Find' });
    const { body } = await call('GET', '/apis', { headers: { accept: aggregated('v2') } });
    assert.ok(has(body.items, 'example.com', 'v1', 'finds'));
    assert.equal((await call('DELETE', `${definitionsPath}/finds.example.com`)).status, 200);
  });

  // conformance: [sig-api-machinery] Discovery should validate PreferredVersion for each APIGroup
  // conformance: [sig-api-machinery] Discovery should locate the groupVersion and a resource within each APIGroup
  // conformance: [sig-api-machinery] CustomResourceDefinition resources [Privileged:ClusterAdmin] should include custom resource definition resources in discovery documents
  await t.test('each group prefers one of its versions, and lists its resources', async () => {
    const { body } = await call('GET', '/apis');
    assert.ok(body.groups.length > 15);
    for (const group of body.groups) {
      const { body: own } = await call('GET', `/apis/${group.name}`);
      assert.deepEqual(
        [own.kind, own.name, own.preferredVersion],
        ['APIGroup', group.name, group.preferredVersion],
      );
      assert.ok(
        own.versions.some((one: object) => JSON.stringify(one) === JSON.stringify(own.preferredVersion)),
      );
      for (const { groupVersion } of own.versions) {
        const { body: list } = await call('GET', `/apis/${groupVersion}`);
        assert.deepEqual([list.kind, list.groupVersion], ['APIResourceList', groupVersion]);
        assert.ok(list.resources.length > 0);
      }
    }
    const { body: extensions } = await call('GET', '/apis/apiextensions.k8s.io/v1');
    assert.ok(
      extensions.resources.some(({ name }: { name: string }) => name === 'customresourcedefinitions'),
    );
  });

  // conformance: [sig-api-machinery] server version should find the server version
  await t.test('the version is of whole numbers', async () => {
    const { body } = await call('GET', '/version');
    assert.match(`${body.major} ${body.minor}`, /^\d+ \d+$/);
  });
});

test('field validation, as conformance asks', async (t) => {
  const server = await startTestServer(t);
  const { call } = server;
  const deployments = '/apis/apps/v1/namespaces/default/deployments';
  const strict = 'fieldValidation=Strict';

  // conformance: [sig-api-machinery] FieldValidation should detect unknown and duplicate fields of a typed object
  // conformance: [sig-api-machinery] FieldValidation should detect unknown metadata fields of a typed object
  await t.test('unknown and doubled fields of a Deployment are refused', async () => {
    const text = JSON.stringify(deployment('d')).replace(
      '"replicas":1',
      '"replicas":1,"unknown":"x","replicas":2',
    );
    const refused = await call('POST', `${deployments}?${strict}`, { body: text });
    assert.equal(refused.status, 400);
    assert.match(refused.body.message, /strict decoding error: .*unknown field "spec\.unknown"/);
    assert.match(refused.body.message, /duplicate field "spec\.replicas"/);
    const meta = JSON.stringify(deployment('d')).replace('"name":"d"', '"name":"d","unknownMeta":"x"');
    assert.match(
      (await call('POST', `${deployments}?${strict}`, { body: meta })).body.message,
      /strict decoding error: unknown field "metadata\.unknownMeta"/,
    );
    const applied = await call('PATCH', `${deployments}/d?fieldManager=m&${strict}`, {
      body: meta,
      headers: apply,
    });
    assert.match(applied.body.message, /\.metadata\.unknownMeta: field not declared in schema/);
  });

  const preserve = { 'x-kubernetes-preserve-unknown-fields': true };
  const thing = (name: string, more: object) => ({
    apiVersion: 'example.com/v1',
    kind: 'Widget',
    metadata: { name },
    ...more,
  });
  const put = (path: string, name: string, body: unknown) =>
    call('PATCH', `${path}/${name}?fieldManager=m&${strict}`, { body, headers: apply });

  // conformance: [sig-api-machinery] FieldValidation should create/apply a CR with unknown fields for CRD with no validation schema
  await t.test('what has no schema takes any field', async () => {
    const path = await define(server, { schema: { type: 'object', ...preserve } });
    assert.equal((await call('POST', `${path}?${strict}`, { body: thing('a', { any: 1 }) })).status, 201);
    assert.equal((await put(path, 'b', thing('b', { spec: { foo: 'x' } }))).status, 201);
    await call('DELETE', `${definitionsPath}/widgets.example.com`);
  });

  const text = { type: 'string' };
  const spec = { type: 'object', properties: { foo: text, cronSpec: text } };
  const embedded = { type: 'object', 'x-kubernetes-embedded-resource': true, ...preserve };
  const gadget = (metadata: string, more: string): string =>
    `{"apiVersion":"example.com/v1","kind":"Gadget","metadata":${metadata},${more}}`;

  // conformance: [sig-api-machinery] FieldValidation should create/apply a valid CR for CRD with validation schema
  // conformance: [sig-api-machinery] FieldValidation should create/apply an invalid CR with extra properties for CRD with validation schema
  // conformance: [sig-api-machinery] FieldValidation should detect duplicates in a CR when preserving unknown fields
  // conformance: [sig-api-machinery] FieldValidation should detect unknown metadata fields in both the root and embedded object of a CR
  await t.test('what has a schema takes what it names, once', async () => {
    const schema = {
      type: 'object',
      properties: { spec: { ...spec, ...preserve }, template: embedded, strict: spec },
    };
    const path = await define(server, { plural: 'gadgets', kind: 'Gadget', schema });
    const fine = gadget('{"name":"a"}', '"strict":{"foo":"x"}');
    assert.equal((await call('POST', `${path}?${strict}`, { body: fine })).status, 201);
    assert.equal((await put(path, 'a2', fine.replace('"a"', '"a2"'))).status, 201);
    const extra = gadget('{"name":"b"}', '"strict":{"foo":"x","other":1}');
    assert.match(
      (await call('POST', `${path}?${strict}`, { body: extra })).body.message,
      /unknown field "strict\.other"/,
    );
    assert.match((await put(path, 'b', extra)).body.message, /field not declared in schema/);
    const twice = gadget('{"name":"c"}', '"spec":{"foo":"x","foo":"y"}');
    assert.match(
      (await call('POST', `${path}?${strict}`, { body: twice })).body.message,
      /duplicate field "spec\.foo"/,
    );
    const unknown = gadget(
      '{"name":"d","unknownMeta":1}',
      '"template":{"apiVersion":"v1","kind":"X","metadata":{"name":"e","unknownSub":1}}',
    );
    const { message } = (await call('POST', `${path}?${strict}`, { body: unknown })).body;
    assert.match(message, /unknown field "metadata\.unknownMeta"/);
    assert.match(message, /unknown field "template\.metadata\.unknownSub"/);
  });
});

test('definitions of custom resources, as conformance asks', async (t) => {
  const server = await startTestServer(t);
  const { call } = server;

  // conformance: [sig-api-machinery] CustomResourceDefinition resources [Privileged:ClusterAdmin] Simple CustomResourceDefinition creating/deleting custom resource definition objects works
  // conformance: [sig-api-machinery] CustomResourceDefinition resources [Privileged:ClusterAdmin] Simple CustomResourceDefinition listing custom resource definition objects works
  await t.test('definitions are listed and deleted by label', async () => {
    for (let n = 0; n < 10; n++) {
      await define(server, { plural: `many${n}s`, kind: `Many${n}`, group: 'many.example.com' });
      await call('PATCH', `${definitionsPath}/many${n}s.many.example.com`, {
        body: { metadata: { labels: { many: 'yes' } } },
        headers: merge,
      });
    }
    await define(server, { plural: 'stays', kind: 'Stay' });
    const selected = `${definitionsPath}?labelSelector=many%3Dyes`;
    assert.equal((await call('GET', selected)).body.items.length, 10);
    assert.equal((await call('DELETE', selected)).status, 200);
    for (let tries = 0; (await call('GET', selected)).body.items.length > 0; tries++) {
      assert.ok(tries < 3000, 'definitions are gone');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.deepEqual(names((await call('GET', definitionsPath)).body), ['stays.example.com']);
  });

  // conformance: [sig-api-machinery] CustomResourceDefinition resources [Privileged:ClusterAdmin] Simple CustomResourceDefinition getting/updating/patching custom resource definition status sub-resource works
  await t.test('their status is read, updated and patched', async () => {
    const path = `${definitionsPath}/stays.example.com`;
    const { body } = await call('GET', `${path}/status`);
    const condition = { type: 'StatusUpdate', status: 'True', reason: 'E2E', message: 'Set from a test' };
    body.status.conditions.push(condition);
    assert.equal((await call('PUT', `${path}/status`, { body })).status, 200);
    const patched = await call('PATCH', `${path}/status`, {
      headers: json,
      body: [{ op: 'add', path: '/status/conditions/-', value: { ...condition, type: 'StatusPatched' } }],
    });
    assert.equal(patched.status, 200, patched.text);
    const types = (await call('GET', path)).body.status.conditions.map(({ type }: { type: string }) => type);
    assert.ok(types.includes('StatusUpdate') && types.includes('StatusPatched'), types.join());
  });

  // conformance: [sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] works for multiple CRDs of different groups
  // conformance: [sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] works for multiple CRDs of same group and version but different kinds
  // conformance: [sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] works for multiple CRDs of same group but different versions
  await t.test('OpenAPI has them all: of several groups, versions and kinds', async () => {
    const schema = { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object' } } } };
    const version = (name: string, storage: boolean) => ({ name, served: true, storage, schema });
    await define(server, {
      plural: 'foos',
      kind: 'Foo',
      group: 'first.example.com',
      versions: [version('v1', true), version('v4', false)],
    });
    await define(server, { plural: 'waldos', kind: 'Waldo', group: 'first.example.com' });
    await define(server, { plural: 'bars', kind: 'Bar', group: 'second.example.com' });
    const { definitions } = (await call('GET', '/openapi/v2')).body;
    const { paths } = (await call('GET', '/openapi/v3')).body;
    for (const [group, v, kind] of [
      ['first', 'v1', 'Foo'],
      ['first', 'v4', 'Foo'],
      ['first', 'v1', 'Waldo'],
      ['second', 'v1', 'Bar'],
    ]) {
      const name = `com.example.${group}.${v}.${kind}`;
      assert.ok(definitions[name] !== undefined, name);
      const { serverRelativeURL } = paths[`apis/${group}.example.com/${v}`];
      assert.ok((await call('GET', serverRelativeURL)).body.components.schemas[name] !== undefined, name);
    }
  });
});
