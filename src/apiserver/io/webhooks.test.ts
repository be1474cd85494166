/** Admission webhooks, asked over HTTPS: they change, refuse, warn, hang, lie and are down. */
import assert from 'node:assert/strict';
import { request as httpsRequest } from 'node:https';
import { test } from 'node:test';
import { startTestServer } from './test-server.ts';
import {
  allow,
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

test('mutating webhooks change what is written, one after the other, and see what those before have done', async (t) => {
  const server = await startTestServer(t);
  const hooks = await startHooks(t, {
    second: ({ apiVersion, request }) =>
      answer(
        { apiVersion, request },
        {
          allowed: true,
          patchType: 'JSONPatch',
          patch: btoa(
            JSON.stringify([{ op: 'add', path: '/data/second', value: request.object.data.first }]),
          ),
          warnings: ['second was here', 'second was here'],
        },
      ),
    first: patching([{ op: 'add', path: '/data', value: { first: 'yes' } }]),
  });
  await register(server, 'Mutating', 'b', [at(hooks, 'second')]);
  await register(server, 'Mutating', 'a', [at(hooks, 'first')]);
  const made = await server.call('POST', configMaps, { body: configMap('one') });
  assert.equal(made.status, 201, made.text);
  assert.deepEqual(made.body.data, { first: 'yes', second: 'yes' });
  assert.equal(made.headers['warning'], '299 - "second was here"');
  const dry = await server.call('POST', `${configMaps}?dryRun=All`, { body: configMap('dry') });
  assert.deepEqual(dry.body.data, { first: 'yes', second: 'yes' });
  assert.equal(hooks.asked.at(-1)?.review.request.dryRun, true);
  const request = hooks.asked[0]?.review.request;
  assert.deepEqual(
    { ...request, uid: '', object: undefined },
    {
      uid: '',
      kind: { group: '', version: 'v1', kind: 'ConfigMap' },
      resource: { group: '', version: 'v1', resource: 'configmaps' },
      requestKind: { group: '', version: 'v1', kind: 'ConfigMap' },
      requestResource: { group: '', version: 'v1', resource: 'configmaps' },
      name: 'one',
      namespace: 'default',
      operation: 'CREATE',
      userInfo: request.userInfo,
      object: undefined,
      oldObject: null,
      dryRun: false,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
    },
  );
  assert.equal(request.object.kind, 'ConfigMap');
});

test('updates, patches, applies and deletions are asked about as what they are', async (t) => {
  const server = await startTestServer(t);
  const hooks = await startHooks(t, {
    allow,
    label: patching([{ op: 'add', path: '/metadata/labels', value: { a: 'b' } }]),
  });
  await register(server, 'Validating', 'v', [at(hooks, 'allow')]);
  await register(server, 'Mutating', 'm', [
    { ...at(hooks, 'label'), rules: [{ ...everything, operations: ['UPDATE'] }] },
  ]);
  await server.call('POST', configMaps, { body: configMap('one') });
  await server.call('PUT', `${configMaps}/one`, { body: { ...configMap('one'), data: { a: '1' } } });
  const patched = await server.call('PATCH', `${configMaps}/one`, {
    body: { data: { a: '2' } },
    headers: { 'content-type': 'application/merge-patch+json' },
  });
  assert.deepEqual(patched.body.metadata.labels, { a: 'b' });
  const applied = await server.call('PATCH', `${configMaps}/two?fieldManager=me`, {
    body: configMap('two'),
    headers: { 'content-type': 'application/apply-patch+yaml' },
  });
  assert.equal(applied.status, 201, applied.text);
  await server.call('DELETE', `${configMaps}/one`);
  await server.call('DELETE', configMaps);
  const seen = hooks.asked
    .filter(({ path }) => path === 'allow')
    .map(
      ({ review: { request } }) =>
        `${request.operation} ${request.name} ${request.object?.data?.a ?? '-'} ${request.oldObject?.data?.a ?? '-'}`,
    );
  assert.deepEqual(seen.slice(0, 5), [
    'CREATE one - -',
    'UPDATE one 1 -',
    'UPDATE one 2 1',
    'CREATE two - -',
    'DELETE one - 2',
  ]);
  assert.ok(seen.includes('DELETE two - -'), seen.join());
});

test('a refusal carries the words, the number and the reason of who refuses', async (t) => {
  const server = await startTestServer(t);
  const hooks = await startHooks(t, {
    silent: (review) => answer(review, { allowed: false }),
    worded: (review) =>
      answer(review, {
        allowed: false,
        status: { code: 403, message: 'not here', reason: 'Forbidden' },
        warnings: ['mind'],
      }),
  });
  await register(server, 'Validating', 'silent', [
    { ...at(hooks, 'silent'), objectSelector: { matchLabels: { by: 'silent' } } },
  ]);
  await register(server, 'Validating', 'worded', [
    { ...at(hooks, 'worded'), objectSelector: { matchLabels: { by: 'worded' } } },
  ]);
  const silent = await server.call('POST', configMaps, {
    body: configMap('a', { labels: { by: 'silent' } }),
  });
  assert.equal(silent.status, 400);
  assert.equal(
    silent.body.message,
    'admission webhook "silent.example.com" denied the request without explanation',
  );
  const worded = await server.call('POST', configMaps, {
    body: configMap('a', { labels: { by: 'worded' } }),
  });
  assert.equal(worded.status, 403);
  assert.deepEqual(
    { ...worded.body, metadata: undefined },
    {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: undefined,
      status: 'Failure',
      message: 'admission webhook "worded.example.com" denied the request: not here',
      reason: 'Forbidden',
      code: 403,
    },
  );
  assert.equal(worded.headers['warning'], '299 - "mind"');
  assert.equal((await server.call('POST', configMaps, { body: configMap('a') })).status, 201);
});

test('a webhook that hangs, lies or is down fails the request, or is passed over', async (t) => {
  const server = await startTestServer(t);
  const hooks = await startHooks(t, {
    hang: () => undefined,
    text: () => 'hello',
    'wrong-uid': (review) => ({ ...answer(review, {}), response: { uid: 'x', allowed: true } }),
    'wrong-kind': () => ({ kind: 'Pod', apiVersion: 'v1', response: { allowed: true } }),
    empty: (review) => ({ kind: 'AdmissionReview', apiVersion: review.apiVersion }),
    'no-type': (review) => answer(review, { allowed: true, patch: btoa('[]') }),
    'bad-patch': patching([{ op: 'remove', path: '/data/none' }]),
  });
  const cases: readonly (readonly [name: string, words: RegExp, more?: object])[] = [
    [
      'hang',
      /failed to call webhook: Post "https:\/\/127\.0\.0\.1:\d+\/hang\?timeout=1s": context deadline exceeded$/,
      { timeoutSeconds: 1 },
    ],
    ['text', /couldn't get version\/kind; json parse error/],
    ['wrong-uid', /received invalid webhook response: expected response\.uid="[-0-9a-f]+", got "x"$/],
    [
      'wrong-kind',
      /expected webhook response of admission\.k8s\.io\/v1, Kind=AdmissionReview, got v1, Kind=Pod$/,
    ],
    ['empty', /webhook response was absent$/],
    ['no-type', /webhook returned response\.patch but not response\.patchType$/],
    ['bad-patch', /failed calling webhook "bad-patch\.example\.com": /],
    ['missing', /failed to call webhook: the server could not find the requested resource$/],
    [
      'stranger',
      /x509: certificate signed by unknown authority$/,
      { clientConfig: { url: `${hooks.url}/text` } },
    ],
    [
      'down',
      /Post "https:\/\/127\.0\.0\.1:1\/\?timeout=10s": dial tcp 127\.0\.0\.1:1: connect: connection refused$/,
      { clientConfig: { url: 'https://127.0.0.1:1/' } },
    ],
    [
      'service',
      /Post|service "none" not found$/,
      { clientConfig: { service: { namespace: 'default', name: 'none' } } },
    ],
  ];
  for (const [name, , more] of cases) {
    const hook = { ...at(hooks, name), ...more };
    await register(server, 'Mutating', name, [{ ...hook, objectSelector: { matchLabels: { fail: name } } }]);
    await register(server, 'Mutating', `${name}-ignored`, [
      { ...hook, objectSelector: { matchLabels: { ignore: name } }, failurePolicy: 'Ignore' },
    ]);
  }
  await Promise.all(
    cases.map(async ([name, words]) => {
      const failed = await server.call('POST', configMaps, {
        body: configMap(name, { labels: { fail: name } }),
      });
      assert.equal(failed.status, 500, `${name}: ${failed.text}`);
      assert.equal(failed.body.reason, 'InternalError');
      assert.match(failed.body.message, words);
      assert.match(
        failed.body.message,
        new RegExp(`^Internal error occurred: failed calling webhook "${name}\\.example\\.com": `),
      );
      const passed = await server.call('POST', configMaps, {
        body: configMap(name, { labels: { ignore: name } }),
      });
      assert.equal(passed.status, 201, `${name}: ${passed.text}`);
    }),
  );
});

test('who has seen an object before another hook changed it is asked once more, where it wishes to be', async (t) => {
  const server = await startTestServer(t);
  const hooks = await startHooks(t, {
    wishes: allow,
    indifferent: allow,
    sidecar: ({ apiVersion, request }) =>
      answer(
        { apiVersion, request },
        request.object.spec.containers.length > 1
          ? { allowed: true }
          : {
              allowed: true,
              patchType: 'JSONPatch',
              patch: btoa(
                JSON.stringify([
                  { op: 'add', path: '/spec/containers/-', value: { name: 'sidecar', image: 'x' } },
                ]),
              ),
            },
      ),
  });
  const pods = { rules: [{ ...everything, operations: ['CREATE'], resources: ['pods'] }] };
  await register(server, 'Mutating', 'a', [
    { ...at(hooks, 'wishes'), ...pods, reinvocationPolicy: 'IfNeeded' },
    { ...at(hooks, 'indifferent'), ...pods },
    { ...at(hooks, 'sidecar'), ...pods, reinvocationPolicy: 'IfNeeded' },
  ]);
  const made = await server.call('POST', '/api/v1/namespaces/default/pods', {
    body: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p' },
      spec: { containers: [{ name: 'c', image: 'x' }] },
    },
  });
  assert.equal(made.status, 201, made.text);
  assert.deepEqual(
    hooks.asked.map(({ path }) => path),
    // The last one too: the container it added was given its token afterwards.
    ['wishes', 'indifferent', 'sidecar', 'wishes', 'sidecar'],
  );
  // What came late has what all get: defaults, and the account's token.
  const [, sidecar] = made.body.spec.containers;
  assert.equal(sidecar.terminationMessagePath, '/dev/termination-log');
  assert.equal(sidecar.volumeMounts[0].mountPath, '/var/run/secrets/kubernetes.io/serviceaccount');
  assert.equal(made.body.spec.volumes.length, 1);
});

test('rules choose by scope, subresource and namespace; configurations are never asked about', async (t) => {
  const server = await startTestServer(t);
  const deny: Behaviour = (review) => answer(review, { allowed: false });
  const hooks = await startHooks(t, { scale: deny, cluster: deny, all: deny, labelled: deny });
  const rule = (resources: readonly string[], more: object = {}) => ({
    rules: [{ operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources, ...more }],
  });
  await register(server, 'Validating', 'z', [
    { ...at(hooks, 'scale'), ...rule(['deployments/scale']) },
    { ...at(hooks, 'cluster'), ...rule(['*'], { scope: 'Cluster', apiGroups: ['scheduling.k8s.io'] }) },
    { ...at(hooks, 'all'), ...rule(['*/*'], { apiGroups: ['admissionregistration.k8s.io'] }) },
    { ...at(hooks, 'labelled'), ...rule(['secrets']), namespaceSelector: { matchLabels: { strict: 'yes' } } },
  ]);
  const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'x' }] } };
  const deployments = '/apis/apps/v1/namespaces/default/deployments';
  const made = await server.call('POST', deployments, {
    body: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'd' },
      spec: { selector: { matchLabels: { a: 'b' } }, template },
    },
  });
  assert.equal(made.status, 201, made.text);
  const scaled = await server.call('PATCH', `${deployments}/d/scale`, {
    body: { spec: { replicas: 2 } },
    headers: { 'content-type': 'application/merge-patch+json' },
  });
  assert.equal(scaled.status, 400, scaled.text);
  const request = hooks.asked.at(-1)?.review.request;
  assert.equal(request.subResource, 'scale');
  assert.deepEqual(request.kind, { group: 'autoscaling', version: 'v1', kind: 'Scale' });
  assert.deepEqual([request.object.spec.replicas, request.oldObject.spec.replicas], [2, 1]);
  const priority = await server.call('POST', '/apis/scheduling.k8s.io/v1/priorityclasses', {
    body: { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name: 'p' }, value: 1 },
  });
  assert.equal(priority.status, 400);
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' } };
  assert.equal(
    (await server.call('POST', '/api/v1/namespaces/default/secrets', { body: secret })).status,
    201,
  );
  await server.call('PATCH', '/api/v1/namespaces/default', {
    body: { metadata: { labels: { strict: 'yes' } } },
    headers: { 'content-type': 'application/merge-patch+json' },
  });
  assert.equal((await server.call('DELETE', '/api/v1/namespaces/default/secrets/s')).status, 400);
  const gone = await server.call(
    'DELETE',
    '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/z',
  );
  assert.equal(gone.status, 200);
});

test('an object is shown in the version that the rules name, and changed back (matchPolicy Equivalent)', async (t) => {
  const server = await startTestServer(t);
  const hooks = await startHooks(t, {
    v1: patching([{ op: 'replace', path: '/spec/targetCPUUtilizationPercentage', value: 33 }]),
  });
  const rule = {
    operations: ['CREATE'],
    apiGroups: ['autoscaling'],
    apiVersions: ['v1'],
    resources: ['horizontalpodautoscalers'],
  };
  await register(server, 'Mutating', 'hpa', [{ ...at(hooks, 'v1'), rules: [rule] }]);
  const made = await server.call('POST', '/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers', {
    body: {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'h' },
      spec: {
        maxReplicas: 3,
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' },
        metrics: [
          {
            type: 'Resource',
            resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } },
          },
        ],
      },
    },
  });
  assert.equal(made.status, 201, made.text);
  assert.equal(made.body.spec.metrics[0].resource.target.averageUtilization, 33);
  const request = hooks.asked[0]?.review.request;
  assert.equal(request.kind.version, 'v1');
  assert.equal(request.requestKind.version, 'v2');
});

// conformance: [sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should be able to deny attaching pod
test('streams into a pod are asked about as what they are, and refused before anybody is called', async (t) => {
  const server = await startTestServer(t);
  const hooks = await startHooks(t, {
    attach: (review) => answer(review, { allowed: false, status: { message: 'no attaching' } }),
  });
  const rule = { operations: ['CONNECT'], apiGroups: ['*'], apiVersions: ['*'], resources: ['pods/attach'] };
  await register(server, 'Validating', 'v', [{ ...at(hooks, 'attach'), rules: [rule] }]);
  await server.call('POST', '/api/v1/namespaces/default/pods', {
    body: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p' },
      spec: { containers: [{ name: 'c', image: 'x' }] },
    },
  });
  const text = await new Promise<string>((resolve, reject) => {
    const asked = httpsRequest({
      ...server.connection(),
      path: '/api/v1/namespaces/default/pods/p/attach?container=c&stdin=true&tty=true',
      headers: { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Protocol': 'v5.channel.k8s.io' },
    });
    asked.once('response', (response) => {
      let body = '';
      response.on('data', (part: Buffer) => {
        body += part.toString();
      });
      response.once('end', () => resolve(`${response.statusCode} ${body}`));
    });
    asked.once('error', reject);
    asked.end();
  });
  assert.match(text, /^400 .*admission webhook \\"attach\.example\.com\\" denied the request: no attaching/);
  const request = hooks.asked[0]?.review.request;
  assert.deepEqual(
    [request.operation, request.subResource, request.name, request.kind.kind, request.object],
    [
      'CONNECT',
      'attach',
      'p',
      'PodAttachOptions',
      { kind: 'PodAttachOptions', apiVersion: 'v1', stdin: true, tty: true, container: 'c' },
    ],
  );
});

test('custom resources are changed and refused like all others, and pruned after they were changed', async (t) => {
  const server = await startTestServer(t);
  const hooks = await startHooks(t, {
    fill: patching([
      { op: 'add', path: '/data/known', value: 'yes' },
      { op: 'add', path: '/data/unknown', value: 'yes' },
    ]),
    refuse: (review) => answer(review, { allowed: review.request.object?.data?.bad === undefined }),
  });
  const group = 'stable.example.com';
  const text = { type: 'string' };
  const data = { type: 'object', properties: { known: text, bad: text } };
  const definition = await server.call('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    body: {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `things.${group}` },
      spec: {
        group,
        scope: 'Namespaced',
        names: { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: 'object', properties: { data } } },
          },
        ],
      },
    },
  });
  assert.equal(definition.status, 201, definition.text);
  const rules = [{ operations: ['*'], apiGroups: [group], apiVersions: ['*'], resources: ['*'] }];
  await register(server, 'Mutating', 'm', [
    { ...at(hooks, 'fill'), rules: [{ ...rules[0], operations: ['CREATE'] }] },
  ]);
  await register(server, 'Validating', 'v', [{ ...at(hooks, 'refuse'), rules }]);
  const things = `/apis/${group}/v1/namespaces/default/things`;
  const thing = (name: string, more: object = {}) => ({
    apiVersion: `${group}/v1`,
    kind: 'Thing',
    metadata: { name },
    data: more,
  });
  let made = await server.call('POST', things, { body: thing('a') });
  for (let tries = 0; made.status === 404 && tries < 200; tries++) {
    await new Promise((resolve) => setImmediate(resolve));
    made = await server.call('POST', things, { body: thing('a') });
  }
  assert.equal(made.status, 201, made.text);
  assert.deepEqual(made.body.data, { known: 'yes' });
  const refused = await server.call('PATCH', `${things}/a`, {
    body: { data: { bad: 'x' } },
    headers: { 'content-type': 'application/merge-patch+json' },
  });
  assert.match(refused.body.message, /denied the request/);
});

test('a deletion cannot be changed, nor can an object become another kind', async (t) => {
  const server = await startTestServer(t);
  const hooks = await startHooks(t, {
    patch: patching([{ op: 'add', path: '/data', value: {} }]),
    kind: patching([{ op: 'replace', path: '/kind', value: 'Secret' }]),
  });
  const rules = (operation: string) => ({ rules: [{ ...everything, operations: [operation] }] });
  await server.call('POST', configMaps, { body: configMap('a') });
  await register(server, 'Mutating', 'm', [
    { ...at(hooks, 'patch'), ...rules('DELETE') },
    { ...at(hooks, 'kind'), ...rules('CREATE') },
  ]);
  const gone = await server.call('DELETE', `${configMaps}/a`);
  assert.match(
    gone.body.message,
    /admission webhook "patch\.example\.com" attempted to modify the object, which is not supported for this operation$/,
  );
  const made = await server.call('POST', configMaps, { body: configMap('b') });
  assert.equal(made.status, 500);
  assert.match(made.body.message, /made a v1, Kind=Secret of a v1, Kind=ConfigMap$/);
});
