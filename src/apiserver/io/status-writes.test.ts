/** What a write of a status changes beside the status, as conformance has it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestServer } from './test-server.ts';

const merge = { 'content-type': 'application/merge-patch+json' };

test('a write of a status may also change labels and annotations, and nothing else', async (t) => {
  const { call } = await startTestServer(t);
  const ingresses = '/apis/networking.k8s.io/v1/namespaces/default/ingresses';
  const spec = { defaultBackend: { service: { name: 's', port: { number: 80 } } } };
  await call('POST', ingresses, { body: { metadata: { name: 'i', labels: { a: 'b' } }, spec } });
  const patched = await call('PATCH', `${ingresses}/i/status`, {
    headers: merge,
    body: {
      metadata: { annotations: { patchedstatus: 'true' }, generateName: 'x' },
      spec: { ingressClassName: 'other' },
      status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } },
    },
  });
  assert.equal(patched.status, 200, patched.text);
  assert.deepEqual(patched.body.metadata.annotations, { patchedstatus: 'true' });
  assert.deepEqual(patched.body.metadata.labels, { a: 'b' });
  assert.deepEqual(patched.body.spec, spec);
  assert.equal(patched.body.status.loadBalancer.ingress[0].ip, '192.0.2.1');
  const wrong = await call('PATCH', `${ingresses}/i/status`, {
    headers: merge,
    body: { metadata: { labels: { 'not a label': 'x' } } },
  });
  assert.equal(wrong.status, 422);
  const pods = '/api/v1/namespaces/default/pods';
  await call('POST', '/api/v1/namespaces/default/serviceaccounts', {
    body: { metadata: { name: 'default' } },
  });
  await call('POST', pods, {
    body: { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i' }] } },
  });
  const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: 'u' };
  const pod = await call('PATCH', `${pods}/p/status`, {
    headers: merge,
    body: { metadata: { annotations: { a: 'b' }, ownerReferences: [owner] }, status: { phase: 'Running' } },
  });
  assert.equal(pod.body.metadata.annotations.a, 'b');
  assert.equal(pod.body.metadata.ownerReferences, undefined);
  assert.equal(pod.body.status.phase, 'Running');
});
