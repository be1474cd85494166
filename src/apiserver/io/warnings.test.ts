/** What an answer warns of, beside its content. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestServer } from './test-server.ts';

test('who uses Endpoints is told what to use in their place, whatever is asked; who uses slices is not', async (t) => {
  const { call } = await startTestServer(t);
  const warned = '299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"';
  const path = '/api/v1/namespaces/default/endpoints';
  const body = { apiVersion: 'v1', kind: 'Endpoints', metadata: { name: 'a' } };
  for (const [method, at, more] of [
    ['POST', path, { body }],
    ['GET', path, {}],
    ['GET', `${path}/a`, {}],
    ['DELETE', `${path}/a`, {}],
  ] as const) {
    const { status, headers } = await call(method, at, more);
    assert.ok(status < 300, `${method} ${status}`);
    assert.equal(headers['warning'], warned, `${method} ${at}`);
  }
  const { headers } = await call('GET', '/apis/discovery.k8s.io/v1/endpointslices');
  assert.equal(headers['warning'], undefined);
});
