import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import type { DynamicResourceClaim, Pod } from '../../api/index.ts';
import { podsRef, resourceClaimsRef } from '../objects.ts';
import { createWorld, phaseIs, podOf } from '../pods/test-world.ts';
import { editsOf } from './cdi.ts';
import { readDeviceFiles } from './io/cdi-folders.ts';
import { editsFor, readyClaims } from './pod-claims.ts';

const driver = 'gpu.example.com';
const file = {
  name: '/etc/cdi/gpu.yaml',
  content: parse(`
cdiVersion: "0.6.0"
kind: gpu.example.com/gpu
containerEdits:
  env: [GPU_DRIVER=loaded]
devices:
  - name: gpu-0
    containerEdits:
      env: [GPU=zero]
      deviceNodes: [{ path: /dev/gpu, hostPath: /dev/gpu0, permissions: rw }]
      mounts: [{ hostPath: /usr/lib/gpu, containerPath: /usr/lib/gpu, options: [ro, nosuid] }]
  - name: gpu-1
    containerEdits:
      hooks: [{ hookName: createContainer, path: /bin/x }]
`),
};

test('editsOf() finds a device by its driver and name', () => {
  assert.deepEqual(editsOf(driver, 'gpu-0', [{ name: 'x', content: 'no file of devices' }, file]), {
    environment: [
      ['GPU_DRIVER', 'loaded'],
      ['GPU', 'zero'],
    ],
    nodes: [{ path: '/dev/gpu', hostPath: '/dev/gpu0', permissions: 'rw' }],
    mounts: [{ hostPath: '/usr/lib/gpu', containerPath: '/usr/lib/gpu', readOnly: true }],
  });
  assert.equal(
    editsOf(driver, 'gpu-1', [file]),
    'device "gpu-1" of /etc/cdi/gpu.yaml has hooks, which are not run here',
  );
  assert.match(
    String(editsOf(driver, 'gpu-7', [file])),
    /^device "gpu-7" of driver gpu\.example\.com is in no file/,
  );
  assert.match(
    String(editsOf('fpga.example.com', 'x', [file])),
    /^DRA driver fpga\.example\.com is not registered/,
  );
});

const claim = (status: DynamicResourceClaim['status'], uid = 'c1'): DynamicResourceClaim => ({
  metadata: { name: 'gpus', namespace: 'default', uid },
  spec: {},
  ...(status && { status }),
});
const allocation = {
  devices: {
    results: [
      { request: 'one', driver, pool: 'n1', device: 'gpu-0' },
      { request: 'any/small', driver, pool: 'n1', device: 'gpu-0' },
    ],
  },
};
const held = (uid: string) => ({ allocation, reservedFor: [{ resource: 'pods', name: 'p', uid }] });
const claiming = {
  resourceClaims: [{ name: 'mine', resourceClaimName: 'gpus' }],
  containers: [
    { name: 'c', image: 'host.local/busybox', resources: { claims: [{ name: 'mine', request: 'one' }] } },
  ],
};
const pod = (uid: string): Pod => ({
  ...podOf(claiming),
  metadata: { name: 'p', namespace: 'default', uid },
});

for (const [what, found, wanted] of [
  [
    'is not there',
    undefined,
    /failed to fetch ResourceClaim gpus referenced by pod p: resourceclaims\.resource\.k8s\.io "gpus" not found/,
  ],
  ['has nothing yet', claim({}), /claim default\/gpus is not allocated/],
  ['is another pod’s', claim(held('other')), /pod p \(u\) is not allowed to use ResourceClaim gpus \(c1\)/],
] as const)
  test(`readyClaims() waits for a claim that ${what}`, () => {
    assert.throws(() => readyClaims(pod('u'), () => found, [file]), {
      message: new RegExp(`^Failed to prepare dynamic resources: ${wanted.source}`),
    });
  });

test('readyClaims() gives containers what their requests have brought', () => {
  const ready = readyClaims(pod('u'), () => claim(held('u')), [file]);
  const of = (...claims: readonly { name: string; request?: string }[]) =>
    editsFor({ name: 'c', resources: { claims } }, ready).length;
  assert.deepEqual(
    [
      of(),
      of({ name: 'mine' }),
      of({ name: 'mine', request: 'one' }),
      of({ name: 'mine', request: 'any' }),
      of({ name: 'other' }),
    ],
    [0, 2, 1, 1, 0],
  );
});

test('a pod waits on its node for its claims, says so, and starts with its devices', async () => {
  const world = await createWorld();
  world.client.seed(podsRef, pod('u'));
  const told = (text: RegExp) => (): boolean => world.events.some((one) => text.test(one));
  await world.until(
    'not there',
    told(/^p FailedPrepareDynamicResources: Failed to prepare dynamic resources: failed to fetch/),
  );
  world.client.seed(resourceClaimsRef, claim(held('u')));
  await world.until(
    'no driver',
    told(/FailedPrepareDynamicResources: .*DRA driver gpu\.example\.com is not registered/),
  );
  assert.equal(phaseIs(world, 'Running')(), false);
  world.disk.devices.push(file);
  await world.until('runs', phaseIs(world, 'Running'));
  const [spec] = [...world.host.containers.values()]
    .map((one) => one.spec)
    .filter(({ name }) => name === 'c');
  assert.deepEqual(spec?.devices, [{ path: '/dev/gpu', hostPath: '/dev/gpu0', permissions: 'rw' }]);
  assert.ok(spec?.env.some(([name, value]) => name === 'GPU' && value === 'zero'));
});

test('readDeviceFiles() reads what the machine says of its devices', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'caelum-cdi-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'b.json'), '{}');
  writeFileSync(join(folder, 'a.yaml'), 'kind: x/y');
  writeFileSync(join(folder, 'notes.txt'), '');
  writeFileSync(join(folder, 'broken.json'), '{');
  const files = await readDeviceFiles([join(folder, 'none'), folder]);
  assert.deepEqual(
    files.map(({ name, content }) => [name.slice(folder.length + 1), content]),
    [
      ['a.yaml', { kind: 'x/y' }],
      ['b.json', {}],
    ],
  );
});
