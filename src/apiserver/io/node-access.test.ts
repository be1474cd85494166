/** What a node's agent may read and write, by its certificate, over HTTPS. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { startTestServer, type TestServer } from './test-server.ts';

const pods = '/api/v1/namespaces/default/pods';
const merge = { 'content-type': 'application/merge-patch+json' };

const pod = (name: string, nodeName: string, more: object = {}): object => ({
  metadata: { name },
  spec: { nodeName, containers: [{ name: 'c', image: 'i' }], ...more },
});

async function start(t: TestContext): Promise<TestServer> {
  const server = await startTestServer(t);
  const { call } = server;
  await call('POST', '/api/v1/namespaces/default/serviceaccounts', {
    body: { metadata: { name: 'default' } },
  });
  for (const name of ['node-1', 'node-2'])
    assert.equal((await call('POST', '/api/v1/nodes', { body: { metadata: { name } } })).status, 201);
  const volumes = [
    { name: 's', secret: { secretName: 'mine' } },
    { name: 'd', persistentVolumeClaim: { claimName: 'disk' } },
  ];
  for (const body of [pod('own', 'node-1', { volumes }), pod('other', 'node-2')])
    assert.equal((await call('POST', pods, { body })).status, 201);
  for (const name of ['mine', 'theirs', 'storage'])
    await call('POST', '/api/v1/namespaces/default/secrets', { body: { metadata: { name } } });
  const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
  await call('POST', '/api/v1/namespaces/default/persistentvolumeclaims', {
    body: { metadata: { name: 'disk' }, spec: { ...spec, volumeName: 'volume' } },
  });
  const csi = {
    driver: 'd',
    volumeHandle: 'h',
    nodeStageSecretRef: { name: 'storage', namespace: 'default' },
  };
  for (const name of ['volume', 'foreign'])
    await call('POST', '/api/v1/persistentvolumes', {
      body: {
        metadata: { name },
        spec: { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, csi },
      },
    });
  for (const nodeName of ['node-1', 'node-2'])
    await call('POST', '/apis/storage.k8s.io/v1/volumeattachments', {
      body: {
        metadata: { name: `to-${nodeName}` },
        spec: { attacher: 'd', nodeName, source: { persistentVolumeName: 'volume' } },
      },
    });
  return server;
}

test('a node reads what its own pods lead to, and nothing else', async (t) => {
  const { call } = await start(t);
  const here = '/api/v1/namespaces/default';
  const cases: readonly (readonly [string, number])[] = [
    [`${here}/secrets/mine`, 200],
    [`${here}/secrets/theirs`, 403],
    // By way of the claim and its volume.
    [`${here}/secrets/storage`, 200],
    [`${here}/secrets`, 403],
    [`${here}/secrets?fieldSelector=metadata.name%3Dmine`, 200],
    [`${here}/persistentvolumeclaims/disk`, 200],
    ['/api/v1/persistentvolumes/volume', 200],
    ['/api/v1/persistentvolumes/foreign', 403],
    ['/apis/storage.k8s.io/v1/volumeattachments/to-node-1', 200],
    ['/apis/storage.k8s.io/v1/volumeattachments/to-node-2', 403],
    [`${pods}/own`, 200],
    [`${pods}/other`, 403],
    [`${pods}/none`, 404],
    ['/api/v1/pods', 403],
    ['/api/v1/pods?fieldSelector=spec.nodeName%3Dnode-1', 200],
    ['/api/v1/pods?fieldSelector=spec.nodeName%3Dnode-2', 403],
    ['/api/v1/nodes/node-1', 200],
    ['/api/v1/nodes/node-2', 403],
    ['/api/v1/nodes', 403],
    ['/api/v1/nodes?fieldSelector=metadata.name%3Dnode-1', 200],
    ['/api/v1/services', 200],
    ['/apis/rbac.authorization.k8s.io/v1/clusterroles', 403],
  ];
  for (const [path, code] of cases)
    assert.equal((await call('GET', path, { as: 'node' })).status, code, path);
});

test('a node changes itself and its pods, within what is its own to say', async (t) => {
  const { call } = await start(t);
  const patch = async (path: string, body: object): Promise<string> => {
    const answer = await call('PATCH', path, { as: 'node', headers: merge, body });
    return answer.status < 300 ? 'ok' : answer.body.message;
  };
  const node = '/api/v1/nodes/node-1';
  assert.equal(await patch(node, { metadata: { labels: { 'kubernetes.io/os': 'linux', mine: 'x' } } }), 'ok');
  assert.match(
    await patch('/api/v1/nodes/node-2', { metadata: { labels: { a: 'b' } } }),
    /cannot patch resource "nodes"/,
  );
  assert.match(
    await patch(node, { metadata: { labels: { 'node-restriction.kubernetes.io/tier': 'gold' } } }),
    /is not allowed to modify labels: node-restriction\.kubernetes\.io\/tier/,
  );
  assert.match(
    await patch(node, { metadata: { labels: { 'node-role.kubernetes.io/control-plane': '' } } }),
    /is not allowed to modify labels/,
  );
  assert.match(
    await patch(node, { spec: { taints: [{ key: 'a', effect: 'NoSchedule' }] } }),
    /node "node-1" is not allowed to modify taints/,
  );
  assert.equal(await patch(`${pods}/own/status`, { status: { phase: 'Running' } }), 'ok');
  assert.match(
    await patch(`${pods}/other/status`, { status: { phase: 'Failed' } }),
    /node "node-1" can only update pod status for pods with spec\.nodeName set to itself/,
  );
  assert.match((await call('DELETE', `${pods}/other`, { as: 'node' })).body.message, /can only delete pods/);
  assert.match(
    (await call('POST', pods, { as: 'node', body: pod('made', 'node-1') })).body.message,
    /can only create mirror pods/,
  );
  const lease = (name: string, namespace: string) =>
    call('POST', `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`, {
      as: 'node',
      body: { metadata: { name } },
    });
  assert.equal((await lease('node-1', 'kube-node-lease')).status, 201);
  assert.match((await lease('node-2', 'kube-node-lease')).body.message, /same name as the requesting node/);
  assert.equal((await lease('node-1', 'default')).status, 403);
});

test('a node gets tokens of its own pods only, bound to them', async (t) => {
  const { call } = await start(t);
  const { body } = await call('GET', `${pods}/own`);
  const uid = body.metadata.uid as string;
  const other = (await call('GET', `${pods}/other`)).body.metadata.uid as string;
  const ask = async (boundObjectRef: object | undefined, audiences: string[] = []): Promise<string> => {
    const answer = await call('POST', '/api/v1/namespaces/default/serviceaccounts/default/token', {
      as: 'node',
      body: { spec: { audiences, ...(boundObjectRef === undefined ? {} : { boundObjectRef }) } },
    });
    return answer.status === 201 ? 'ok' : answer.body.message;
  };
  const ref = { apiVersion: 'v1', kind: 'Pod' };
  assert.equal(await ask({ ...ref, name: 'own', uid }), 'ok');
  assert.match(await ask(undefined), /node requested token not bound to a pod/);
  assert.match(await ask({ ...ref, name: 'own' }), /with a pod binding without a uid/);
  assert.match(await ask({ ...ref, name: 'own', uid: 'x' }), /does not match the UID in record/);
  assert.match(await ask({ ...ref, name: 'other', uid: other }), /scheduled on a different node/);
  assert.match(
    await ask({ ...ref, name: 'own', uid }, ['vault']),
    /audience "vault" not found in pod spec volume/,
  );
});

test('a node says of its own volumes that they were made and erased, and no more', async (t) => {
  const { call } = await start(t);
  const volumes = '/api/v1/persistentvolumes';
  const label = 'local.caelum.dev/node';
  const finalizer = 'external-provisioner.volume.kubernetes.io/finalizer';
  for (const node of ['node-1', 'node-2'])
    await call('POST', volumes, {
      body: {
        metadata: { name: `of-${node}`, labels: { [label]: node }, finalizers: [finalizer] },
        spec: {
          accessModes: ['ReadWriteOnce'],
          capacity: { storage: '1Gi' },
          csi: { driver: 'local.caelum.dev', volumeHandle: 'pvc-x' },
          persistentVolumeReclaimPolicy: 'Delete',
        },
      },
    });
  // A label alone makes no volume a node's.
  await call('PATCH', `${volumes}/foreign`, {
    headers: merge,
    body: { metadata: { labels: { [label]: 'node-1' } } },
  });
  const list = async (selector: string): Promise<number> =>
    (await call('GET', `${volumes}?labelSelector=${encodeURIComponent(selector)}`, { as: 'node' })).status;
  assert.equal(await list(`${label}=node-1`), 200);
  for (const selector of [
    '',
    label,
    `${label}=node-2`,
    `${label} in (node-1,node-2)`,
    `a notin (b,${label}=node-1,c)`,
  ])
    assert.equal(await list(selector), 403, selector);
  const patch = async (name: string, body: object): Promise<string> => {
    const answer = await call('PATCH', `${volumes}/${name}`, { as: 'node', headers: merge, body });
    return answer.status < 300 ? 'ok' : answer.body.message;
  };
  const made = { metadata: { annotations: { 'local.caelum.dev/made': 'true' } } };
  assert.equal(await patch('of-node-1', made), 'ok');
  assert.match(await patch('of-node-2', made), /cannot patch resource "persistentvolumes"/);
  assert.match(await patch('foreign', made), /cannot patch resource "persistentvolumes"/);
  for (const body of [
    { spec: { claimRef: { namespace: 'default', name: 'disk' } } },
    { spec: { capacity: { storage: '9Gi' } } },
    { metadata: { labels: { [label]: 'node-2' } } },
    { metadata: { annotations: { 'pv.kubernetes.io/provisioned-by': 'x' } } },
    { metadata: { finalizers: null } },
  ])
    assert.match(
      await patch('of-node-1', body),
      /is not allowed to update more of a volume/,
      JSON.stringify(body),
    );
  const remove = async (name: string) => call('DELETE', `${volumes}/${name}`, { as: 'node' });
  assert.match((await remove('of-node-1')).body.message, /may only delete volumes that are released/);
  await call('PATCH', `${volumes}/of-node-1/status`, {
    headers: merge,
    body: { status: { phase: 'Released' } },
  });
  const now = await call('GET', `${volumes}/of-node-1`, { as: 'node' });
  const rest = (now.body.metadata.finalizers as string[]).filter((one) => one !== finalizer);
  assert.equal(await patch('of-node-1', { metadata: { finalizers: rest } }), 'ok');
  assert.equal((await remove('of-node-1')).status, 200);
  assert.equal((await remove('of-node-2')).status, 403);
  assert.equal((await call('GET', `${volumes}/none`, { as: 'node' })).status, 404);
});
