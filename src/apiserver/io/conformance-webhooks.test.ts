/** Admission webhooks as Kubernetes' conformance suite goes through them, one entry of its ledger after another, on one server. */
import assert from 'node:assert/strict';
import { createServer } from 'node:https';
import { test } from 'node:test';
import { define, definitionsPath } from '../custom/test-definition.ts';
import { openLines, startTestServer } from './test-server.ts';
import {
  answer,
  at,
  type Behaviour,
  configMap,
  configMaps,
  everything,
  patching,
  register,
  startHooks,
} from './test-webhooks.ts';

const merge = { 'content-type': 'application/merge-patch+json' };
const json = { 'content-type': 'application/json-patch+json' };
const configurations = (kind: 'Mutating' | 'Validating'): string =>
  `/apis/admissionregistration.k8s.io/v1/${kind.toLowerCase()}webhookconfigurations`;

/** Refuses what is called bad, or holds something bad. */
const denyBad: Behaviour = (review) => {
  const { object, oldObject } = review.request;
  const { metadata = {}, data = {} } = object ?? oldObject ?? {};
  const isBad = String(metadata.name).startsWith('bad') || data.bad !== undefined;
  return answer(review, isBad ? { allowed: false, status: { message: 'it is bad' } } : { allowed: true });
};
const waiting: Behaviour = () => undefined;
const addWhere =
  (has: string, adds: string): Behaviour =>
  (review) =>
    review.request.object.data?.[has] === undefined
      ? answer(review, { allowed: true })
      : patching([{ op: 'add', path: `/data/${adds}`, value: 'yes' }])(review);

test('webhooks, as conformance asks', async (t) => {
  const server = await startTestServer(t);
  const { call } = server;
  const hooks = await startHooks(t, {
    deny: denyBad,
    'deny-all': (review) => answer(review, { allowed: false, status: { message: 'nothing at all' } }),
    hang: waiting,
    first: addWhere('start', 'stage-1'),
    second: addWhere('stage-1', 'stage-2'),
    mark: patching([{ op: 'add', path: '/metadata/annotations', value: { marked: 'yes' } }]),
    fill: patching([
      { op: 'add', path: '/data/known', value: 'yes' },
      { op: 'add', path: '/data/unknown', value: 'yes' },
    ]),
    init: patching([
      { op: 'add', path: '/spec/initContainers', value: [{ name: 'i', image: 'i', resources: {} }] },
    ]),
  });
  let count = 0;
  const made = (metadata: object = {}, data?: object) =>
    call('POST', configMaps, {
      body: { ...configMap(`map-${count++}`, metadata), ...(data === undefined ? {} : { data }) },
    });
  const isMarked = async (): Promise<boolean> =>
    (await made()).body.metadata.annotations?.['marked'] === 'yes';
  const isDenied = async (): Promise<boolean> => (await made({}, { bad: '1' })).status >= 400;
  const patched = async (path: string, body: unknown, headers = merge) => {
    const found = await call('PATCH', path, { body, headers });
    assert.equal(found.status, 200, found.text);
    return found.body;
  };
  const removed = (kind: 'Mutating' | 'Validating', name: string) =>
    call('DELETE', `${configurations(kind)}/${name}`);

  // conformance: [sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should include webhook resources in discovery documents
  await t.test('webhook configurations are in discovery', async () => {
    const { body: groups } = await call('GET', '/apis');
    const group = groups.groups.find((one: { name: string }) => one.name === 'admissionregistration.k8s.io');
    assert.deepEqual(group.versions, [{ groupVersion: 'admissionregistration.k8s.io/v1', version: 'v1' }]);
    const { body: list } = await call('GET', '/apis/admissionregistration.k8s.io/v1');
    const names = list.resources.map(({ name }: { name: string }) => name);
    for (const name of ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'])
      assert.ok(names.includes(name), name);
  });

  // conformance: [sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] listing mutating webhooks should work
  // conformance: [sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] listing validating webhooks should work
  await t.test('configurations are listed and deleted by label', async () => {
    for (const kind of ['Mutating', 'Validating'] as const) {
      const path = kind === 'Mutating' ? 'mark' : 'deny';
      const works = kind === 'Mutating' ? isMarked : isDenied;
      for (let n = 0; n < 10; n++) {
        await register(server, kind, `many-${n}`, [{ ...at(hooks, path), name: `${path}-${n}.example.com` }]);
        await patched(`${configurations(kind)}/many-${n}`, { metadata: { labels: { many: 'yes' } } });
      }
      const { body } = await call('GET', `${configurations(kind)}?labelSelector=many=yes`);
      assert.equal(body.items.length, 10);
      assert.equal(await works(), true);
      await call('DELETE', `${configurations(kind)}?labelSelector=many=yes`);
      assert.equal((await call('GET', configurations(kind))).body.items.length, 0);
      assert.equal(await works(), false);
    }
  });

  // conformance: [sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] patching/updating a mutating webhook should work
  // conformance: [sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] patching/updating a validating webhook should work
  await t.test('a configuration that is updated or patched holds at once', async () => {
    for (const kind of ['Mutating', 'Validating'] as const) {
      const works = kind === 'Mutating' ? isMarked : isDenied;
      const one = `${configurations(kind)}/changing`;
      await register(server, kind, 'changing', [at(hooks, kind === 'Mutating' ? 'mark' : 'deny')]);
      assert.equal(await works(), true);
      const { body } = await call('GET', one);
      body.webhooks[0].rules[0].operations = ['UPDATE'];
      assert.equal((await call('PUT', one, { body })).status, 200);
      assert.equal(await works(), false);
      await patched(
        one,
        [{ op: 'replace', path: '/webhooks/0/rules/0/operations', value: ['CREATE'] }],
        json,
      );
      assert.equal(await works(), true);
      await removed(kind, 'changing');
    }
  });

  // conformance: [sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should be able to create and update mutating webhook configurations with match conditions
  // conformance: [sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should be able to create and update validating webhook configurations with match conditions
  // conformance: [sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should reject mutating webhook configurations with invalid match conditions
  // conformance: [sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should reject validating webhook configurations with invalid match conditions
  await t.test('match conditions are kept, and must compile', async () => {
    for (const kind of ['Mutating', 'Validating'] as const) {
      const condition = (name: string, expression: string) => ({ name, expression });
      const first = [condition('a', "object.metadata.name != 'x'")];
      await register(server, kind, 'conditions', [{ ...at(hooks, 'mark'), matchConditions: first }]);
      const one = `${configurations(kind)}/conditions`;
      const { body } = await call('GET', one);
      assert.deepEqual(body.webhooks[0].matchConditions, first);
      const second = [...first, condition('b', 'request.operation == "CREATE"')];
      body.webhooks[0].matchConditions = second;
      await call('PUT', one, { body });
      const after = (await call('GET', one)).body;
      assert.deepEqual(after.webhooks[0].matchConditions, second);
      after.webhooks[0].matchConditions = [condition('c', '... [] bad expression')];
      after.metadata = { name: 'invalid' };
      const refused = await call('POST', configurations(kind), { body: after });
      assert.equal(refused.status, 422);
      assert.match(refused.body.message, /compilation failed/);
      await removed(kind, 'conditions');
    }
  });

  // conformance: [sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should mutate everything except 'skip-me' configmaps
  await t.test('match conditions leave out what they name', async () => {
    const matchConditions = [{ name: 'skip', expression: "object.metadata.name != 'skip-me'" }];
    await register(server, 'Mutating', 'skip', [{ ...at(hooks, 'mark'), matchConditions }]);
    const skipped = await call('POST', configMaps, { body: configMap('skip-me') });
    assert.equal(skipped.body.metadata.annotations, undefined);
    assert.equal(await isMarked(), true);
    await removed('Mutating', 'skip');
  });

  // conformance: [sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should be able to deny pod and configmap creation
  await t.test(
    'pods and config maps are refused: made, updated, patched, and by who hangs; not where nobody is asked',
    async () => {
      const rules = [{ ...everything, operations: ['CREATE', 'UPDATE'], resources: ['pods', 'configmaps'] }];
      const namespaceSelector = { matchExpressions: [{ key: 'skip', operator: 'NotIn', values: ['yes'] }] };
      const objectSelector = { matchLabels: { slow: 'yes' } };
      await register(server, 'Validating', 'deny', [
        { ...at(hooks, 'deny'), rules, namespaceSelector },
        { ...at(hooks, 'hang'), rules, namespaceSelector, objectSelector, timeoutSeconds: 1 },
      ]);
      const pod = (metadata: object) => ({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata,
        spec: { containers: [{ name: 'c', image: 'i' }] },
      });
      const pods = '/api/v1/namespaces/default/pods';
      const bad = await call('POST', pods, { body: pod({ name: 'bad-pod' }) });
      assert.match(bad.body.message, /admission webhook "deny\.example\.com" denied the request: it is bad/);
      const slow = await call('POST', pods, { body: pod({ name: 'slow', labels: { slow: 'yes' } }) });
      assert.match(slow.body.message, /deadline/);
      assert.equal((await call('GET', `${pods}/slow`)).status, 404);
      assert.equal(await isDenied(), true);
      await call('POST', configMaps, { body: configMap('good') });
      const put = await call('PUT', `${configMaps}/good`, {
        body: { ...configMap('good'), data: { bad: 'x' } },
      });
      const patch = await call('PATCH', `${configMaps}/good`, {
        body: { data: { bad: 'x' } },
        headers: merge,
      });
      for (const { body } of [put, patch]) assert.match(body.message, /denied the request: it is bad/);
      const namespace = {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: 'skipped', labels: { skip: 'yes' } },
      };
      await call('POST', '/api/v1/namespaces', { body: namespace });
      const let_ = await call('POST', '/api/v1/namespaces/skipped/configmaps', {
        body: { ...configMap('bad'), data: { bad: 'x' } },
      });
      assert.equal(let_.status, 201, let_.text);
      await removed('Validating', 'deny');
    },
  );

  // conformance: [sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should be able to deny custom resource creation, update and deletion
  // conformance: [sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should mutate custom resource
  // conformance: [sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should mutate custom resource with pruning
  // conformance: [sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should mutate custom resource with different stored version
  await t.test(
    'custom resources are changed and refused, pruned, and stored in another version',
    async () => {
      const text = { type: 'string' };
      const data = { type: 'object', properties: { known: text, bad: text, more: text } };
      const version = (name: string, storage: boolean) => ({
        name,
        served: true,
        storage,
        schema: { openAPIV3Schema: { type: 'object', properties: { data } } },
      });
      const widgets = await define(server, { versions: [version('v1', true), version('v2', false)] });
      const rules = [
        { operations: ['*'], apiGroups: ['example.com'], apiVersions: ['*'], resources: ['widgets'] },
      ];
      const widget = (name: string, more: object = {}) => ({
        apiVersion: 'example.com/v1',
        kind: 'Widget',
        metadata: { name },
        data: more,
      });
      const operations = ['CREATE', 'UPDATE'];
      await register(server, 'Mutating', 'fill', [
        { ...at(hooks, 'fill'), rules: [{ ...rules[0], operations }] },
      ]);
      const one = await call('POST', widgets, { body: widget('one') });
      assert.deepEqual(one.body.data, { known: 'yes' }, one.text);
      const stored = await call('PATCH', `${definitionsPath}/widgets.example.com`, {
        headers: json,
        body: [
          { op: 'replace', path: '/spec/versions/0/storage', value: false },
          { op: 'replace', path: '/spec/versions/1/storage', value: true },
        ],
      });
      assert.equal(stored.status, 200, stored.text);
      const changed = await patched(`${widgets}/one`, { data: { more: 'x' } });
      assert.deepEqual([changed.apiVersion, changed.data], ['example.com/v1', { known: 'yes', more: 'x' }]);
      await removed('Mutating', 'fill');
      await register(server, 'Validating', 'deny', [{ ...at(hooks, 'deny-all'), rules }]);
      const answers = [
        await call('POST', widgets, { body: widget('two') }),
        await call('PATCH', `${widgets}/one`, { body: { data: { bad: 'x' } }, headers: merge }),
        await call('DELETE', `${widgets}/one`),
      ];
      for (const { body } of answers) assert.match(body.message, /denied the request: nothing at all/);
      await removed('Validating', 'deny');
      assert.equal((await call('DELETE', `${widgets}/one`)).status, 200);
    },
  );

  // conformance: [sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should deny crd creation
  await t.test('definitions of custom resources are refused', async () => {
    const rules = [
      {
        operations: ['CREATE'],
        apiGroups: ['apiextensions.k8s.io'],
        apiVersions: ['*'],
        resources: ['customresourcedefinitions'],
      },
    ];
    await register(server, 'Validating', 'definitions', [{ ...at(hooks, 'deny-all'), rules }]);
    await assert.rejects(
      define(server, { plural: 'others', kind: 'Other' }),
      /denied the request: nothing at all/,
    );
    await removed('Validating', 'definitions');
  });

  // conformance: [sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should honor timeout
  await t.test('time-outs are kept, and ignored where the policy says so', async () => {
    const late = createServer(
      { cert: server.pki.apiserver.cert, key: server.pki.apiserver.key },
      (request, response) => {
        let text = '';
        request.on('data', (part: Buffer) => {
          text += part.toString();
        });
        request.on('end', () =>
          setTimeout(() => {
            response.writeHead(200, { 'content-type': 'application/json' });
            response.end(JSON.stringify(answer(JSON.parse(text), { allowed: true })));
          }, 1500),
        );
      },
    );
    await new Promise<void>((resolve) => late.listen(0, '127.0.0.1', resolve));
    t.after(() => {
      late.closeAllConnections();
      late.close();
    });
    const address = late.address();
    assert.ok(typeof address === 'object' && address !== null);
    const clientConfig = { url: `https://127.0.0.1:${address.port}/`, caBundle: btoa(server.pki.ca.cert) };
    const cases = [
      ['short', 1, 'Fail', 500],
      ['overlooked', 1, 'Ignore', 201],
      ['long', 10, 'Fail', 201],
      ['unsaid', undefined, 'Fail', 201],
    ] as const;
    for (const [name, timeoutSeconds, failurePolicy] of cases)
      await register(server, 'Validating', name, [
        {
          name: `${name}.example.com`,
          clientConfig,
          failurePolicy,
          objectSelector: { matchLabels: { time: name } },
          ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
        },
      ]);
    await Promise.all(
      cases.map(async ([name, , , status]) => {
        const said = await made({ labels: { time: name } });
        assert.equal(said.status, status, `${name}: ${said.text}`);
        if (status === 500) assert.match(said.body.message, /deadline exceeded/);
      }),
    );
    for (const [name] of cases) await removed('Validating', name);
  });

  // conformance: [sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should mutate configmap
  await t.test('one webhook sees what the other has added', async () => {
    await register(server, 'Mutating', 'stages', [at(hooks, 'first'), at(hooks, 'second')]);
    const { body } = await made({}, { start: 'yes' });
    assert.deepEqual(body.data, { start: 'yes', 'stage-1': 'yes', 'stage-2': 'yes' });
    await removed('Mutating', 'stages');
  });

  // conformance: [sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should mutate pod and apply defaults after mutation
  await t.test('what a webhook adds is given defaults', async () => {
    const rules = [{ ...everything, operations: ['CREATE'], resources: ['pods'] }];
    await register(server, 'Mutating', 'init', [{ ...at(hooks, 'init'), rules }]);
    const { body } = await call('POST', '/api/v1/namespaces/default/pods', {
      body: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'filled' },
        spec: { containers: [{ name: 'c', image: 'i' }] },
      },
    });
    const [init] = body.spec.initContainers;
    assert.deepEqual([init.name, init.terminationMessagePolicy], ['i', 'File']);
    await removed('Mutating', 'init');
  });

  // conformance: [sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should not be able to mutate or prevent deletion of webhook configuration objects
  await t.test('configurations themselves are neither changed nor kept', async () => {
    const rules = [
      {
        operations: ['*'],
        apiGroups: ['admissionregistration.k8s.io'],
        apiVersions: ['*'],
        resources: ['*'],
      },
    ];
    await register(server, 'Validating', 'keeper', [{ ...at(hooks, 'deny-all'), rules }]);
    await register(server, 'Mutating', 'marker', [{ ...at(hooks, 'mark'), rules }]);
    for (const kind of ['Mutating', 'Validating'] as const) {
      await register(server, kind, 'free', [at(hooks, 'mark')]);
      const { body } = await call('GET', `${configurations(kind)}/free`);
      assert.equal(body.metadata.annotations, undefined);
      assert.equal((await removed(kind, 'free')).status, 200);
    }
    assert.equal((await removed('Validating', 'keeper')).status, 200);
    assert.equal((await removed('Mutating', 'marker')).status, 200);
  });

  // conformance: [sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should unconditionally reject operations on fail closed webhook
  await t.test('a webhook that cannot be called refuses all', async () => {
    const clientConfig = { url: at(hooks, 'mark').clientConfig.url };
    const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': 'default' } };
    await register(server, 'Validating', 'closed', [
      { name: 'closed.example.com', clientConfig, failurePolicy: 'Fail', namespaceSelector },
    ]);
    const refused = await made();
    assert.equal(refused.status, 500);
    assert.match(refused.body.message, /failed calling webhook "closed\.example\.com"/);
    await removed('Validating', 'closed');
    assert.equal((await made()).status, 201);
  });

  // conformance: [sig-api-machinery] CustomResourceDefinition Watch [Privileged:ClusterAdmin] CustomResourceDefinition Watch watch on custom resource definition objects
  await t.test('custom resources are watched as they come, change and go', async () => {
    const widgets = await define(server, { plural: 'gadgets', kind: 'Gadget' });
    const lines = await openLines({ ...server.connection(), path: `${widgets}?watch=1` });
    const body = { apiVersion: 'example.com/v1', kind: 'Gadget', metadata: { name: 'a' } };
    await call('POST', widgets, { body });
    await patched(`${widgets}/a`, { metadata: { labels: { a: 'b' } } });
    await call('DELETE', `${widgets}/a`);
    for (const type of ['ADDED', 'MODIFIED', 'DELETED'])
      assert.equal(((await lines.next()) as { type: string }).type, type);
    lines.close();
  });
});
