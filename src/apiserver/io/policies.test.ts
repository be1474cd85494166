/** Admission policies over the real API: rules deny, warn and are noted; mutations change; types are checked; conditions narrow. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { startTestServer, type TestServer } from './test-server.ts';

const admission = '/apis/admissionregistration.k8s.io/v1';
type Json = Readonly<Record<string, unknown>>;

const configMaps = {
  apiGroups: [''],
  apiVersions: ['v1'],
  operations: ['CREATE', 'UPDATE'],
  resources: ['configmaps'],
};
const deployments = {
  apiGroups: ['apps'],
  apiVersions: ['v1'],
  operations: ['*'],
  resources: ['deployments'],
};

interface Place extends TestServer {
  create(path: string, body: Json): Promise<Awaited<ReturnType<TestServer['call']>>>;
  /** A policy and its binding, both called that. */
  policy(kind: 'Validating' | 'Mutating', name: string, spec: Json, binding?: Json): Promise<void>;
  configMap(name: string, more?: Json): Promise<Awaited<ReturnType<TestServer['call']>>>;
}

async function start(t: TestContext): Promise<Place> {
  const server = await startTestServer(t);
  const create = (path: string, body: Json) => server.call('POST', path, { body });
  return {
    ...server,
    create,
    async policy(kind, name, spec, binding = {}) {
      const resource = `${kind.toLowerCase()}admissionpolicies`;
      const made = await create(`${admission}/${resource}`, {
        metadata: { name },
        spec: { matchConstraints: { resourceRules: [configMaps] }, ...spec },
      });
      assert.equal(made.status, 201, made.text);
      const bound = await create(`${admission}/${resource.replace(/ies$/, 'ybindings')}`, {
        metadata: { name },
        spec: {
          policyName: name,
          ...(kind === 'Validating' ? { validationActions: ['Deny'] } : {}),
          ...binding,
        },
      });
      assert.equal(bound.status, 201, bound.text);
    },
    configMap: (name, more = {}) =>
      create('/api/v1/namespaces/default/configmaps', {
        metadata: { name, ...((more['metadata'] as Json) ?? {}) },
        data: more['data'] ?? {},
      }),
  };
}

const deployment = (name: string, replicas: number): Json => ({
  metadata: { name },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
  },
});

// conformance: [sig-api-machinery] ValidatingAdmissionPolicy [Privileged:ClusterAdmin] should validate against a Deployment
// conformance: [sig-api-machinery] ValidatingAdmissionPolicy [Privileged:ClusterAdmin] should allow expressions to refer variables.
test('a validating policy denies what breaks a rule, in Kubernetes’ words', async (t) => {
  const { policy, create, call } = await start(t);
  await policy('Validating', 'few', {
    matchConstraints: { resourceRules: [deployments] },
    variables: [
      { name: 'max', expression: '3' },
      { name: 'wanted', expression: 'has(object.spec.replicas) ? object.spec.replicas : variables.max' },
    ],
    validations: [
      {
        expression: 'variables.wanted <= variables.max',
        messageExpression: "'at most ' + string(variables.max)",
      },
      { expression: "!object.metadata.name.startsWith('bad')", reason: 'Forbidden' },
    ],
  });
  const path = '/apis/apps/v1/namespaces/default/deployments';
  assert.equal((await create(path, deployment('a', 3))).status, 201);
  const denied = await create(path, deployment('b', 4));
  const message = "ValidatingAdmissionPolicy 'few' with binding 'few' denied request: at most 3";
  assert.deepEqual(denied.body, {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `deployments.apps "b" is forbidden: ${message}`,
    reason: 'Invalid',
    details: { name: 'b', group: 'apps', kind: 'deployments', causes: [{ message }] },
    code: 422,
  });
  const bad = await create(path, deployment('bad', 1));
  assert.equal(bad.status, 403);
  assert.match(
    bad.body.message,
    /denied request: failed expression: !object.metadata.name.startsWith\('bad'\)$/,
  );
  const scaled = await call('PATCH', `${path}/a`, {
    headers: { 'content-type': 'application/merge-patch+json' },
    body: { spec: { replicas: 9 } },
  });
  assert.equal(scaled.status, 422);
  assert.equal((await call('DELETE', `${path}/a`)).status, 422, 'DELETE is seen too, without an object');
});

test('a validating policy warns, and its failures count as its failurePolicy says', async (t) => {
  const { policy, configMap } = await start(t);
  await policy(
    'Validating',
    'warns',
    { validations: [{ expression: "'owner' in object.metadata.?labels.orValue({})", message: 'no owner' }] },
    { validationActions: ['Warn', 'Audit'] },
  );
  const warned = await configMap('a');
  assert.equal(warned.status, 201);
  assert.match(
    String(warned.headers['warning']),
    /Validation failed for ValidatingAdmissionPolicy 'warns' with binding 'warns': no owner/,
  );
  assert.equal(
    (await configMap('b', { metadata: { labels: { owner: 'me' } } })).headers['warning'],
    undefined,
  );
  await policy('Validating', 'ignores', {
    failurePolicy: 'Ignore',
    validations: [{ expression: 'object.spec.nope' + ' == 1' }],
  });
  assert.equal((await configMap('c')).status, 201);
  await policy('Validating', 'fails', { validations: [{ expression: 'object.spec.nope == 1' }] });
  const failed = await configMap('d');
  assert.match(
    failed.body.message,
    /'fails' with binding 'fails' denied request: expression 'object.spec.nope == 1' resulted in error: no such key: spec$/,
  );
});

test('conditions, exclusions, names and selectors narrow what a policy is about', async (t) => {
  const { policy, configMap, create } = await start(t);
  await policy('Validating', 'no', {
    matchConstraints: {
      resourceRules: [configMaps],
      excludeResourceRules: [{ ...configMaps, resourceNames: ['free'] }],
      objectSelector: { matchExpressions: [{ key: 'free', operator: 'DoesNotExist' }] },
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'default' } },
    },
    matchConditions: [
      { name: 'data', expression: "!('free' in object.?data.orValue({}))" },
      { name: 'who', expression: "request.userInfo.username != 'nobody' && request.operation == 'CREATE'" },
    ],
    validations: [{ expression: 'false' }],
  });
  assert.equal((await configMap('a')).status, 422);
  assert.equal((await configMap('free')).status, 201);
  assert.equal((await configMap('b', { metadata: { labels: { free: '' } } })).status, 201);
  assert.equal((await configMap('c', { data: { free: '' } })).status, 201);
  const elsewhere = await create('/api/v1/namespaces/kube-system/configmaps', { metadata: { name: 'a' } });
  assert.equal(elsewhere.status, 201);
});

test('parameters come by name and by selector, and may be missing where that is allowed', async (t) => {
  const { policy, configMap, create } = await start(t);
  const param = (name: string, max: string, labels: Json) =>
    create('/api/v1/namespaces/kube-system/configmaps', { metadata: { name, labels }, data: { max } });
  await param('limits', '5', { limit: 'yes' });
  await param('tight', '2', { limit: 'yes' });
  const spec = {
    paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
    matchConstraints: {
      resourceRules: [configMaps],
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'default' } },
    },
    validations: [
      {
        expression: 'object.data.size.size() <= int(params.data.max)',
        messageExpression: "'more than ' + params.data.max",
      },
    ],
  };
  await policy('Validating', 'named', spec, {
    paramRef: { name: 'limits', namespace: 'kube-system', parameterNotFoundAction: 'Deny' },
  });
  assert.equal((await configMap('a', { data: { size: 'xxxxx' } })).status, 201);
  assert.match(
    (await configMap('b', { data: { size: 'xxxxxx' } })).body.message,
    /denied request: more than 5$/,
  );
  await policy('Validating', 'selected', spec, {
    paramRef: {
      selector: { matchLabels: { limit: 'yes' } },
      namespace: 'kube-system',
      parameterNotFoundAction: 'Deny',
    },
  });
  assert.match((await configMap('c', { data: { size: 'xxx' } })).body.message, /'selected' .* more than 2$/);
  await policy('Validating', 'absent', spec, {
    paramRef: { name: 'nope', parameterNotFoundAction: 'Allow' },
  });
  assert.equal((await configMap('d', { data: { size: 'x' } })).status, 201);
  await policy('Validating', 'missing', spec, {
    paramRef: { name: 'nope', parameterNotFoundAction: 'Deny' },
  });
  assert.match(
    (await configMap('e', { data: { size: 'x' } })).body.message,
    /'missing' denied request: failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction$/,
  );
  await policy(
    'Validating',
    'a-kind',
    { ...spec, paramKind: { apiVersion: 'example.com/v1', kind: 'Nope' } },
    {
      paramRef: { name: 'nope', parameterNotFoundAction: 'Deny' },
    },
  );
  assert.match(
    (await configMap('f', { data: { size: 'x' } })).body.message,
    /ValidatingAdmissionPolicy 'a-kind' denied request: failed to configure policy: failed to find resource referenced by paramKind: 'example.com\/v1, Kind=Nope'$/,
  );
});

test('expressions ask who may do what, and look at the namespace', async (t) => {
  const { policy, configMap } = await start(t);
  await policy('Validating', 'asks', {
    validations: [
      { expression: "authorizer.group('').resource('pods').namespace('default').check('create').allowed()" },
      { expression: "authorizer.requestResource.check('create').allowed()" },
      {
        expression:
          "!authorizer.serviceAccount('default', 'default').path('/metrics').check('get').allowed()",
      },
      {
        expression: "namespaceObject.metadata.name == 'default' && namespaceObject.status.phase == 'Active'",
      },
      {
        expression:
          'oldObject == null && request.resource.resource == "configmaps" && !has(request.subResource)',
      },
    ],
  });
  const made = await configMap('a');
  assert.equal(made.status, 201, made.text);
});

test('a policy whose expressions do not compile is refused', async (t) => {
  const { create } = await start(t);
  const refused = async (kind: string, spec: Json): Promise<string> => {
    const { status, body } = await create(`${admission}/${kind}`, {
      metadata: { name: 'p' },
      spec: { matchConstraints: { resourceRules: [configMaps] }, ...spec },
    });
    assert.equal(status, 422);
    return body.message;
  };
  assert.equal(
    await refused('validatingadmissionpolicies', {
      validations: [{ expression: 'object.foo +' }, { expression: 'params.x' }],
    }),
    `ValidatingAdmissionPolicy.admissionregistration.k8s.io "p" is invalid: [spec.validations[0].expression: Invalid value: "object.foo +": compilation failed: ERROR: <input>:1:13: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}\n | object.foo +\n | ............^, spec.validations[1].expression: Invalid value: "params.x": compilation failed: ERROR: <input>:1:1: undeclared reference to 'params' (in container '')\n | params.x\n | ^]`,
  );
  assert.match(
    await refused('validatingadmissionpolicies', { validations: [{ expression: '1 + 1' }] }),
    /must evaluate to bool$/,
  );
  assert.match(
    await refused('validatingadmissionpolicies', {
      validations: [{ expression: 'true', messageExpression: 'string(authorizer)' }],
    }),
    /undeclared reference to 'authorizer'/,
  );
  assert.match(
    await refused('mutatingadmissionpolicies', {
      reinvocationPolicy: 'Never',
      mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression: '{"a": 1}' } }],
    }),
    /spec.mutations\[0\].applyConfiguration.expression: Invalid value: .* must evaluate to Object$/,
  );
});

test('the status of a policy tells which types its expressions mistake', async (t) => {
  const { create, call } = await start(t);
  const path = `${admission}/validatingadmissionpolicies`;
  await create(path, {
    metadata: { name: 'p' },
    spec: {
      matchConstraints: { resourceRules: [deployments] },
      validations: [
        { expression: 'object.spec.replicas > 1' },
        { expression: "object.spec.replicas > '1'", messageExpression: "object.spec.nope + ''" },
      ],
    },
  });
  const status = async () => (await call('GET', `${path}/p`)).body.status;
  let found = await status();
  for (let round = 0; round < 200 && found?.observedGeneration === undefined; round++) found = await status();
  assert.deepEqual(found, {
    observedGeneration: 1,
    typeChecking: {
      expressionWarnings: [
        {
          fieldRef: 'spec.validations[1].expression',
          warning:
            "apps/v1, Kind=Deployment: ERROR: <input>:1:22: found no matching overload for '_>_' applied to '(int, string)'\n | object.spec.replicas > '1'\n | .....................^\n",
        },
        {
          fieldRef: 'spec.validations[1].messageExpression',
          warning:
            "apps/v1, Kind=Deployment: ERROR: <input>:1:12: undefined field 'nope'\n | object.spec.nope + ''\n | ...........^\n",
        },
      ],
    },
  });
});

test('types of custom resources are checked by their definition', async (t) => {
  const { create, call } = await start(t);
  const replicas = {
    type: 'object',
    properties: { spec: { type: 'object', properties: { replicas: { type: 'integer' } } } },
  };
  const defined = await create('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    metadata: { name: 'things.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'things', kind: 'Thing' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: replicas } }],
    },
  });
  assert.equal(defined.status, 201, defined.text);
  const things = '/apis/example.com/v1/namespaces/default/things';
  for (let round = 0; round < 200 && (await call('GET', things)).status !== 200; round++);
  const path = `${admission}/validatingadmissionpolicies`;
  await create(path, {
    metadata: { name: 'p' },
    spec: {
      matchConstraints: {
        resourceRules: [
          { apiGroups: ['example.com'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['things'] },
        ],
      },
      validations: [
        { expression: 'object.spec.replicas > 1' },
        { expression: 'object.spec.nope == object.metadata.labels' },
      ],
    },
  });
  const status = async () => (await call('GET', `${path}/p`)).body.status;
  let found = await status();
  for (let round = 0; round < 200 && found?.observedGeneration === undefined; round++) found = await status();
  const warnings = found.typeChecking.expressionWarnings as { fieldRef: string; warning: string }[];
  assert.deepEqual(
    warnings.map(({ fieldRef, warning }) => `${fieldRef} ${warning.split('\n')[0]}`),
    [
      "spec.validations[1].expression example.com/v1, Kind=Thing: ERROR: <input>:1:12: undefined field 'nope'",
    ],
  );
});

// conformance: [sig-api-machinery] MutatingAdmissionPolicy [Privileged:ClusterAdmin] should mutate a Deployment
// conformance, partly (a label instead of an annotation): [sig-api-machinery] MutatingAdmissionPolicy [Privileged:ClusterAdmin] should mutate a Deployment with annotations
test('a mutating policy lays configurations over the object, by keys of lists, and patches it', async (t) => {
  const { policy, create, configMap, call } = await start(t);
  await policy('Mutating', 'sidecar', {
    matchConstraints: { resourceRules: [{ ...deployments, operations: ['CREATE'] }] },
    reinvocationPolicy: 'Never',
    mutations: [
      {
        patchType: 'ApplyConfiguration',
        applyConfiguration: {
          expression:
            'Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{containers: [Object.spec.template.spec.containers{name: "side", image: "s:" + string(object.spec.replicas)}]}}}}',
        },
      },
      {
        patchType: 'JSONPatch',
        jsonPatch: {
          expression:
            '[JSONPatch{op: "add", path: "/metadata/labels", value: {}}, JSONPatch{op: "add", path: "/metadata/labels/" + jsonpatch.escapeKey("a/b"), value: "x"}]',
        },
      },
    ],
  });
  const made = await create('/apis/apps/v1/namespaces/default/deployments', deployment('a', 2));
  assert.equal(made.status, 201, made.text);
  const containers = made.body.spec.template.spec.containers as {
    name: string;
    image: string;
    imagePullPolicy: string;
  }[];
  assert.deepEqual(
    containers.map(({ name, image }) => `${name}=${image}`),
    ['c=i', 'side=s:2'],
  );
  assert.ok(
    containers.every(({ imagePullPolicy }) => imagePullPolicy !== undefined),
    'defaults are given again',
  );
  assert.deepEqual(made.body.metadata.labels, { 'a/b': 'x' });

  await policy('Mutating', 'atomic', {
    matchConstraints: { resourceRules: [{ ...deployments, operations: ['UPDATE'] }] },
    reinvocationPolicy: 'Never',
    mutations: [
      {
        patchType: 'ApplyConfiguration',
        applyConfiguration: {
          expression: 'Object{spec: Object.spec{selector: Object.spec.selector{matchLabels: {"a": "b"}}}}',
        },
      },
    ],
  });
  const atomic = await call('PATCH', '/apis/apps/v1/namespaces/default/deployments/a', {
    headers: { 'content-type': 'application/merge-patch+json' },
    body: { spec: { replicas: 1 } },
  });
  assert.match(atomic.body.message, /may not mutate atomic arrays, maps or structs: \.spec\.selector$/);

  await policy('Mutating', 'breaks', {
    reinvocationPolicy: 'Never',
    mutations: [
      { patchType: 'JSONPatch', jsonPatch: { expression: '[JSONPatch{op: "remove", path: "/nope/nope"}]' } },
    ],
  });
  const broken = await configMap('x');
  assert.equal(broken.status, 403);
  assert.equal(broken.body.reason, 'Invalid');
  assert.match(broken.body.message, /^policy 'breaks' with binding 'breaks' denied request: /);
  assert.deepEqual(broken.body.details.causes, [{ message: broken.body.message }]);
  await policy('Mutating', 'unknown', {
    matchConstraints: { resourceRules: [configMaps], objectSelector: { matchLabels: { un: 'known' } } },
    reinvocationPolicy: 'Never',
    mutations: [
      { patchType: 'ApplyConfiguration', applyConfiguration: { expression: 'Object{spex: {"a": 1}}' } },
    ],
  });
  const unknown = await configMap('y', { metadata: { labels: { un: 'known' } } });
  assert.match(unknown.body.details.causes[1].message, /typed object: \.spex: field not declared in schema$/);
});

test('a mutating policy is run again after another has changed the object, where it wishes', async (t) => {
  const { policy, configMap } = await start(t);
  const label = (name: string, expression: string) => ({
    patchType: 'ApplyConfiguration',
    applyConfiguration: {
      expression: `Object{metadata: Object.metadata{labels: {"${name}": ${expression}}}}`,
    },
  });
  const count = 'string(object.metadata.?labels.orValue({}).size())';
  await policy('Mutating', 'a-again', { reinvocationPolicy: 'IfNeeded', mutations: [label('again', count)] });
  await policy('Mutating', 'b-once', { reinvocationPolicy: 'Never', mutations: [label('once', count)] });
  const made = await configMap('a');
  assert.deepEqual(made.body.metadata.labels, { again: '2', once: '1' });
});
