import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namespaces } from '../../api/index.ts';
import { objectOf, refTo, saidOf, startApi } from './test-admission.ts';

const claims = refTo('resource.k8s.io', 'resourceclaims');
const templates = refTo('resource.k8s.io', 'resourceclaimtemplates');
const devices = (adminAccess: boolean) => ({
  devices: {
    requests: [
      { name: 'a', exactly: { deviceClassName: 'gpu' } },
      { name: 'b', exactly: { deviceClassName: 'gpu', ...(adminAccess && { adminAccess }) } },
    ],
  },
});
const claim = (name: string, adminAccess: boolean) =>
  objectOf('resource.k8s.io/v1', 'ResourceClaim', name, { spec: devices(adminAccess) });

test('DeviceAdminAccess: devices of others are asked for only where the namespace says so', async (t) => {
  const cloud = await startApi(t);
  const why =
    'Forbidden: admin access to devices requires the `resource.kubernetes.io/admin-access: true` label on the containing namespace';
  assert.equal(
    await saidOf(cloud, claims, claim('c', true)),
    `ResourceClaim.resource.k8s.io "c" is invalid: spec.devices.requests[1].exactly.adminAccess: ${why}`,
  );
  const template = objectOf('resource.k8s.io/v1', 'ResourceClaimTemplate', 't', {
    spec: { spec: devices(true) },
  });
  assert.equal(
    await saidOf(cloud, templates, template),
    `ResourceClaimTemplate.resource.k8s.io "t" is invalid: spec.spec.devices.requests[1].exactly.adminAccess: ${why}`,
  );
  await cloud.client.create(claims, claim('plain', false));
  await cloud.client.patch(namespaces, undefined, 'default', 'merge', {
    metadata: { labels: { 'resource.kubernetes.io/admin-access': 'true' } },
  });
  await cloud.client.create(claims, claim('c', true));
  await cloud.client.create(templates, template);
});
