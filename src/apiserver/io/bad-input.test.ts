import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMap, deployment, here } from './test-objects.ts';
import { startTestServer } from './test-server.ts';

interface BadInput {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly type?: string;
  readonly accept?: string;
  readonly status: number;
  readonly reason: string;
  readonly message: RegExp;
}

const badInputs: readonly BadInput[] = [
  {
    name: 'malformed JSON',
    method: 'POST',
    path: `${here}/configmaps`,
    body: '{"kind":',
    status: 400,
    reason: 'BadRequest',
    message: /json parse error/,
  },
  {
    name: 'malformed YAML',
    method: 'POST',
    path: `${here}/configmaps`,
    body: 'a: [1',
    type: 'application/yaml',
    status: 400,
    reason: 'BadRequest',
    message: /error converting YAML to JSON/,
  },
  {
    name: 'malformed protobuf',
    method: 'POST',
    path: `${here}/configmaps`,
    body: 'nonsense',
    type: 'application/vnd.kubernetes.protobuf',
    status: 400,
    reason: 'BadRequest',
    message: /does not appear to be a protobuf message/,
  },
  {
    name: 'an empty body',
    method: 'POST',
    path: `${here}/configmaps`,
    body: '',
    status: 400,
    reason: 'BadRequest',
    message: /./,
  },
  {
    name: 'a body that is no object',
    method: 'POST',
    path: `${here}/configmaps`,
    body: '[]',
    status: 400,
    reason: 'BadRequest',
    message: /cannot unmarshal array/,
  },
  {
    name: 'an unknown content type',
    method: 'POST',
    path: `${here}/configmaps`,
    body: 'x',
    type: 'text/plain',
    status: 415,
    reason: 'UnsupportedMediaType',
    message: /the body of the request was in an unknown format - accepted media types include/,
  },
  {
    name: 'an unknown patch type',
    method: 'PATCH',
    path: `${here}/services/kubernetes`,
    body: '{}',
    type: 'application/json',
    status: 415,
    reason: 'UnsupportedMediaType',
    message: /accepted media types include: application\/json-patch\+json/,
  },
  {
    name: 'a form that cannot be made',
    method: 'GET',
    path: `${here}/services/kubernetes`,
    accept: 'image/png',
    status: 406,
    reason: 'NotAcceptable',
    message: /only the following media types are accepted/,
  },
  {
    name: 'a wrong kind',
    method: 'POST',
    path: `${here}/configmaps`,
    body: { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'x' } },
    status: 400,
    reason: 'BadRequest',
    message: /Secret in version "v1" cannot be handled as a ConfigMap/,
  },
  {
    name: 'a wrong version',
    method: 'POST',
    path: '/apis/apps/v1/namespaces/default/deployments',
    body: { ...deployment('x'), apiVersion: 'apps/v1beta1' },
    status: 400,
    reason: 'BadRequest',
    message:
      /the API version in the data \(apps\/v1beta1\) does not match the expected API version \(apps\/v1\)/,
  },
  {
    name: 'a wrong type',
    method: 'POST',
    path: '/apis/apps/v1/namespaces/default/deployments',
    body: { ...deployment('x'), spec: { replicas: 'two' } },
    status: 400,
    reason: 'BadRequest',
    message: /cannot unmarshal string into Go struct field DeploymentSpec\.spec\.replicas of type int32/,
  },
  {
    name: 'an unknown field, strictly',
    method: 'POST',
    path: `${here}/configmaps?fieldValidation=Strict`,
    body: { ...configMap('x'), colour: 'red' },
    status: 400,
    reason: 'BadRequest',
    message: /strict decoding error: unknown field "colour"/,
  },
  {
    name: 'a duplicate field, strictly',
    method: 'POST',
    path: `${here}/configmaps?fieldValidation=Strict`,
    body: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"data":{"a":"1","a":"2"}}',
    status: 400,
    reason: 'BadRequest',
    message: /duplicate field "data\.a"/,
  },
  {
    name: 'a field validation that is none',
    method: 'POST',
    path: `${here}/configmaps?fieldValidation=Maybe`,
    body: configMap('x'),
    status: 422,
    reason: 'Invalid',
    message: /fieldValidation: Unsupported value: "Maybe"/,
  },
  {
    name: 'a dry run that is none',
    method: 'POST',
    path: `${here}/configmaps?dryRun=Some`,
    body: configMap('x'),
    status: 422,
    reason: 'Invalid',
    message: /dryRun: Unsupported value: \["Some"\]: supported values: "All"/,
  },
  {
    name: 'a bad name',
    method: 'POST',
    path: `${here}/configmaps`,
    body: configMap('Not_A_Name'),
    status: 422,
    reason: 'Invalid',
    message:
      /ConfigMap "Not_A_Name" is invalid: metadata\.name: Invalid value: "Not_A_Name": a lowercase RFC 1123 subdomain/,
  },
  {
    name: 'no name',
    method: 'POST',
    path: `${here}/configmaps`,
    body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: {} },
    status: 422,
    reason: 'Invalid',
    message: /name or generateName is required/,
  },
  {
    name: 'a bad label',
    method: 'POST',
    path: `${here}/configmaps`,
    body: configMap('x', {}, { labels: { 'a b': 'c' } }),
    status: 422,
    reason: 'Invalid',
    message: /metadata\.labels: Invalid value: "a b"/,
  },
  {
    name: 'a resourceVersion on create',
    method: 'POST',
    path: `${here}/configmaps`,
    body: configMap('x', {}, { resourceVersion: '7' }),
    status: 400,
    reason: 'BadRequest',
    message: /resourceVersion should not be set on objects to be created/,
  },
  {
    name: 'another namespace in the body',
    method: 'POST',
    path: `${here}/configmaps`,
    body: configMap('x', {}, { namespace: 'kube-system' }),
    status: 400,
    reason: 'BadRequest',
    message: /the namespace of the provided object does not match the namespace sent on the request/,
  },
  {
    name: 'a namespace that is not there',
    method: 'POST',
    path: '/api/v1/namespaces/nowhere/configmaps',
    body: configMap('x'),
    status: 404,
    reason: 'NotFound',
    message: /^namespaces "nowhere" not found$/,
  },
  {
    name: 'another name in the body',
    method: 'PUT',
    path: `${here}/services/kubernetes`,
    body: { apiVersion: 'v1', kind: 'Service', metadata: { name: 'other' }, spec: { ports: [{ port: 1 }] } },
    status: 400,
    reason: 'BadRequest',
    message: /^the name of the object \(other\) does not match the name on the URL \(kubernetes\)$/,
  },
  {
    name: 'a method that no collection takes',
    method: 'PUT',
    path: `${here}/configmaps`,
    body: configMap('x'),
    status: 405,
    reason: 'MethodNotAllowed',
    message: /^the server does not allow this method on the requested resource$/,
  },
  {
    name: 'creation outside of a namespace',
    method: 'POST',
    path: '/api/v1/configmaps',
    body: configMap('x'),
    status: 405,
    reason: 'MethodNotAllowed',
    message: /^the server does not allow this method on the requested resource$/,
  },
  {
    name: 'a resource that is not served',
    method: 'GET',
    path: '/api/v1/namespaces/default/unicorns',
    status: 404,
    reason: 'NotFound',
    message: /^the server could not find the requested resource$/,
  },
  {
    name: 'a path that is not served',
    method: 'GET',
    path: '/nowhere',
    status: 404,
    reason: 'NotFound',
    message: /^the server could not find the requested resource$/,
  },
  {
    name: 'a subresource that is not served',
    method: 'GET',
    path: `${here}/configmaps/a/status`,
    status: 404,
    reason: 'NotFound',
    message: /^the server could not find the requested resource$/,
  },
  {
    name: 'a cluster-wide resource in a namespace',
    method: 'GET',
    path: `${here}/nodes`,
    status: 404,
    reason: 'NotFound',
    message: /^the server could not find the requested resource$/,
  },
  {
    name: 'a label selector that is none',
    method: 'GET',
    path: `${here}/pods?labelSelector=${encodeURIComponent('a in (b')}`,
    status: 400,
    reason: 'BadRequest',
    message: /unable to parse requirement/,
  },
  {
    name: 'a field that cannot be selected by',
    method: 'GET',
    path: `${here}/pods?fieldSelector=spec.colour%3Dred`,
    status: 400,
    reason: 'BadRequest',
    message: /field label not supported: spec\.colour/,
  },
  {
    name: 'a continue token of somebody else',
    method: 'GET',
    path: `${here}/pods?limit=1&continue=abc`,
    status: 400,
    reason: 'BadRequest',
    message: /continue key is not valid/,
  },
  {
    name: 'a resourceVersion that is no number',
    method: 'GET',
    path: `${here}/pods?resourceVersion=x`,
    status: 400,
    reason: 'BadRequest',
    message: /^invalid resource version: "x"|resourceVersion: Invalid value/,
  },
  {
    name: 'a deletion of what may not go',
    method: 'DELETE',
    path: '/api/v1/namespaces/default',
    status: 403,
    reason: 'Forbidden',
    message: /^namespaces "default" is forbidden: this namespace may not be deleted$/,
  },
  {
    name: 'a propagation policy that is none',
    method: 'DELETE',
    path: `${here}/services/kubernetes?propagationPolicy=Sideways`,
    status: 422,
    reason: 'Invalid',
    message: /propagationPolicy: Unsupported value|Invalid value: "Sideways"/,
  },
  {
    name: 'broken percent-encoding',
    method: 'GET',
    path: '/api/v1/nodes/%zz',
    status: 400,
    reason: 'BadRequest',
    message: /percent-encoded/,
  },
];

test('serveApi() answers bad input with the Status that Kubernetes gives', async (t) => {
  const { call } = await startTestServer(t);
  for (const { name, method, path, body, type, accept, status, reason, message } of badInputs) {
    await t.test(name, async () => {
      const answer = await call(method, path, {
        body,
        headers: {
          ...(type === undefined ? {} : { 'content-type': type }),
          ...(accept === undefined ? {} : { accept }),
        },
      });
      assert.equal(answer.status, status, answer.text);
      assert.equal(answer.body.kind, 'Status');
      assert.equal(answer.body.code, status);
      assert.equal(answer.body.reason, reason);
      assert.match(answer.body.message, message);
    });
  }
});
