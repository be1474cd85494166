/**
 * Every verb on every built-in kind, over HTTPS: what the tests of Kubernetes' conformance suite that are named "should support … API operations" and
 * "should run through the lifecycle of …" ask, of each kind that is stored.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { allSamples, objectOf, pathOf, type Sample, type Tree } from './test-kinds.ts';
import { type Answer, openLines, startTestServer, type TestServer } from './test-server.ts';

interface Meta {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly creationTimestamp: string;
  readonly deletionTimestamp?: string;
  readonly finalizers?: readonly string[];
  readonly labels?: Tree;
  readonly annotations?: { readonly [key: string]: string };
  readonly managedFields?: readonly { readonly manager: string; readonly subresource?: string }[];
}

/** One kind on one server, with its paths. */
interface Walk {
  readonly server: TestServer;
  readonly sample: Sample;
  readonly collection: string;
  readonly everywhere: string;
  readonly label: string;
  readonly name: (n: number) => string;
  /** Calls, must be answered with this code, answers what was said. */
  ok(
    code: number,
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer>;
}

const titleOf = ({ kind }: Sample): string =>
  `${kind.resource}.${kind.version}${kind.group === '' ? '' : `.${kind.group}`}`;

function walkOf(server: TestServer, sample: Sample): Walk {
  const ok: Walk['ok'] = async (code, method, path, body, headers = {}) => {
    const answer = await server.call(method, path, { headers, ...(body === undefined ? {} : { body }) });
    assert.equal(answer.status, code, `${method} ${path}: ${answer.text}`);
    return answer;
  };
  const label = `walk=${titleOf(sample)}`.slice(0, 63).replace(/\W+$/, '');
  const name = sample.name ?? ((n: number): string => `sample-${sample.kind.version}-${n}`);
  return {
    server,
    sample,
    label,
    name,
    collection: pathOf(sample, 'default'),
    everywhere: pathOf(sample),
    ok,
  };
}

const metadataOf = (walk: Walk, name: string): Tree => {
  const [key = '', value] = walk.label.split('=');
  return { name, labels: { [key]: value } };
};

const draft = (walk: Walk, n: number): Tree => objectOf(walk.sample, n, metadataOf(walk, walk.name(n)));

async function discovered({ ok, sample: { kind } }: Walk): Promise<void> {
  const groupVersion = kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
  if (kind.group !== '') {
    const { body: groups } = await ok(200, 'GET', '/apis');
    const group = groups.groups.find((one: { name: string }) => one.name === kind.group);
    assert.ok(group.versions.some((one: Tree) => one['groupVersion'] === groupVersion));
    const { body: own } = await ok(200, 'GET', `/apis/${kind.group}`);
    assert.deepEqual([own.kind, own.versions], ['APIGroup', group.versions]);
  }
  const { body: list } = await ok(200, 'GET', kind.group === '' ? '/api/v1' : `/apis/${groupVersion}`);
  const names = list.resources.map((one: Tree) => one['name']);
  for (const name of [kind.resource, ...kind.subresources.map((sub) => `${kind.resource}/${sub.name}`)])
    assert.ok(names.includes(name), `${name} in ${groupVersion}`);
}

async function createdAndRead(walk: Walk): Promise<Meta> {
  const { ok, collection, everywhere, sample, label } = walk;
  const { kind } = sample;
  const one = `${collection}/${walk.name(1)}`;
  await ok(201, 'POST', `${collection}?dryRun=All`, draft(walk, 1));
  await ok(404, 'GET', one);
  const { body: made } = await ok(201, 'POST', collection, draft(walk, 1));
  const metadata = made.metadata as Meta;
  assert.equal(made.kind, kind.kind);
  assert.match(metadata.uid, /^[0-9a-f-]{36}$/);
  assert.match(metadata.resourceVersion, /^\d+$/);
  assert.match(metadata.creationTimestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.equal(metadata.managedFields?.length, 1);
  const again = await ok(409, 'POST', collection, draft(walk, 1));
  assert.equal(again.body.reason, 'AlreadyExists');
  if (sample.name === undefined) {
    const { name: _, ...nameless } = metadataOf(walk, '');
    const generated = await ok(
      201,
      'POST',
      `${collection}?dryRun=All`,
      objectOf(sample, 2, { ...nameless, generateName: 'made-' }),
    );
    assert.match(generated.body.metadata.name, /^made-[a-z0-9]{5}$/);
  }
  const { body: read } = await ok(200, 'GET', one);
  // Policies and definitions are judged meanwhile: their status is on its way.
  assert.deepEqual([read.metadata.uid, read.spec], [metadata.uid, made.spec]);
  for (const path of [collection, everywhere]) {
    const { body: list } = await ok(200, 'GET', `${path}?labelSelector=${label}`);
    assert.deepEqual(
      [list.kind, list.items.length, list.items[0]?.metadata.uid],
      [`${kind.kind}List`, 1, metadata.uid],
    );
    const { body: none } = await ok(200, 'GET', `${path}?labelSelector=walk=other`);
    assert.equal(none.items.length, 0);
  }
  const { body: byName } = await ok(200, 'GET', `${collection}?fieldSelector=metadata.name=${walk.name(1)}`);
  assert.equal(byName.items.length, 1);
  return metadata;
}

const as = (kind: string): Record<string, string> => ({
  accept: `application/json;as=${kind};v=v1;g=meta.k8s.io,application/json`,
});

async function readInAllForms(walk: Walk, uid: string): Promise<void> {
  const {
    ok,
    collection,
    sample: { kind },
  } = walk;
  const one = `${collection}/${walk.name(1)}`;
  const list = `${collection}?labelSelector=${walk.label}`;
  for (const path of [one, list]) {
    const { body: table } = await ok(200, 'GET', path, undefined, as('Table'));
    assert.deepEqual([table.kind, table.rows.length], ['Table', 1]);
    // Of events the time comes first.
    if (kind.kind !== 'Event') assert.equal(table.rows[0].cells[0], walk.name(1));
    assert.equal(table.rows[0].object.kind, 'PartialObjectMetadata');
    assert.deepEqual(table.rows[0].cells.length, table.columnDefinitions.length);
  }
  const { body: bare } = await ok(200, 'GET', one, undefined, as('PartialObjectMetadata'));
  assert.deepEqual(
    [bare.kind, bare.apiVersion, bare.metadata.uid, bare.spec],
    ['PartialObjectMetadata', 'meta.k8s.io/v1', uid, undefined],
  );
  const { body: bareList } = await ok(200, 'GET', list, undefined, as('PartialObjectMetadataList'));
  assert.deepEqual([bareList.kind, bareList.items.length], ['PartialObjectMetadataList', 1]);
  const protobuf = await ok(200, 'GET', one, undefined, { accept: 'application/vnd.kubernetes.protobuf' });
  assert.equal(protobuf.bytes.subarray(0, 4).toString('latin1'), 'k8s\0');
  const yaml = await ok(200, 'GET', one, undefined, { accept: 'application/yaml' });
  assert.match(yaml.text, new RegExp(`^kind: ${kind.kind}$`, 'm'));
}

async function written(walk: Walk): Promise<void> {
  const { ok, collection, sample } = walk;
  const one = `${collection}/${walk.name(1)}`;
  const { body: before } = await ok(200, 'GET', one);
  const put = { ...before, metadata: { ...before.metadata, annotations: { put: 'yes' } } };
  const { body: updated } = await ok(200, 'PUT', one, put);
  assert.equal(updated.metadata.annotations.put, 'yes');
  assert.notEqual(updated.metadata.resourceVersion, before.metadata.resourceVersion);
  const stale = await ok(409, 'PUT', one, {
    ...put,
    metadata: { ...put.metadata, annotations: { put: 'again' } },
  });
  assert.equal(stale.body.reason, 'Conflict');
  const patch = (type: string, body: unknown, query = '') =>
    ok(200, 'PATCH', `${one}${query}`, body, { 'content-type': `application/${type}` });
  const annotate = (key: string): Tree => ({ metadata: { annotations: { [key]: 'yes' } } });
  await patch('merge-patch+json', annotate('merge'));
  await patch('strategic-merge-patch+json', annotate('strategic'));
  await patch('json-patch+json', [{ op: 'add', path: '/metadata/annotations/json', value: 'yes' }]);
  await patch('merge-patch+json', annotate('dry'), '?dryRun=All');
  const { body: full } = await ok(200, 'GET', one);
  const { apiVersion, kind } = full;
  const applied = await patch(
    'apply-patch+yaml',
    { apiVersion, kind, metadata: { name: walk.name(1), annotations: { apply: 'yes' } } },
    '?fieldManager=walker',
  );
  assert.deepEqual(
    Object.keys(applied.body.metadata.annotations)
      .filter((key) => !key.includes('.'))
      .sort(),
    ['apply', 'json', 'merge', 'put', 'strategic'],
  );
  assert.ok(
    applied.body.metadata.managedFields.some(
      (entry: Tree) => entry['manager'] === 'walker' && entry['operation'] === 'Apply',
    ),
  );
  if (sample.change === undefined) return;
  const changed = await patch('merge-patch+json', sample.change);
  const { generation } = full.metadata;
  if (generation !== undefined && 'spec' in sample.change)
    assert.ok(changed.body.metadata.generation > generation, 'a new generation');
}

async function statusWritten(walk: Walk): Promise<void> {
  const { ok, collection, sample } = walk;
  if (!sample.kind.subresources.some((sub) => sub.name === 'status')) return;
  const path = `${collection}/${walk.name(1)}/status`;
  const { body: before } = await ok(200, 'GET', path);
  if (sample.status !== undefined) {
    const { body: patched } = await ok(
      200,
      'PATCH',
      path,
      { metadata: { annotations: { patchedstatus: 'true' } }, status: sample.status },
      { 'content-type': 'application/merge-patch+json' },
    );
    for (const [key, value] of Object.entries(sample.status))
      if (typeof value !== 'object') assert.equal(patched.status[key], value, key);
      else assert.ok(patched.status[key] !== undefined || (Array.isArray(value) && value.length === 0), key);
    assert.equal(patched.metadata.generation, before.metadata.generation, 'a status is no new generation');
    assert.deepEqual(patched.spec, before.spec);
  }
  const { body: current } = await ok(200, 'GET', path);
  const { body: put } = await ok(200, 'PUT', path, {
    ...current,
    metadata: { ...current.metadata, labels: current.metadata.labels },
  });
  assert.deepEqual(put.status, current.status);
  const { body: main } = await ok(
    200,
    'PATCH',
    `${collection}/${walk.name(1)}`,
    { status: null },
    { 'content-type': 'application/merge-patch+json' },
  );
  assert.deepEqual(main.status, current.status, 'the status is written through its own path alone');
}

/** Deletes it, or asks for it and lets go of what holds it: a finalizer that a controller would take away. */
async function gone({ ok, server, sample: { kind } }: Walk, one: string): Promise<void> {
  const left = await server.call('GET', one);
  if (left.status === 404) return;
  const { metadata, spec } = left.body as { readonly metadata: Meta; readonly spec?: Tree };
  assert.notEqual(metadata.deletionTimestamp, undefined, one);
  if (kind.kind === 'Namespace')
    await ok(200, 'PUT', `${one}/finalize`, { ...left.body, spec: { ...spec, finalizers: [] } });
  else
    await ok(
      200,
      'PATCH',
      one,
      { metadata: { finalizers: null } },
      { 'content-type': 'application/merge-patch+json' },
    );
}

async function deleted(walk: Walk): Promise<void> {
  const {
    ok,
    collection,
    label,
    sample: { kind },
  } = walk;
  const one = `${collection}/${walk.name(1)}`;
  await ok(200, 'DELETE', `${one}?dryRun=All`);
  await ok(200, 'GET', one);
  await ok(200, 'DELETE', `${one}?propagationPolicy=Background`);
  await gone(walk, one);
  await ok(404, 'GET', one);
  assert.equal((await ok(404, 'DELETE', one)).body.reason, 'NotFound');
  if (!kind.verbs.includes('deletecollection')) return;
  await ok(201, 'POST', collection, draft(walk, 2));
  await ok(201, 'POST', collection, draft(walk, 3));
  const other = objectOf(walk.sample, 4, { name: walk.name(4), labels: { walk: 'stays' } });
  await ok(201, 'POST', collection, other);
  await ok(200, 'DELETE', `${collection}?labelSelector=${label}&propagationPolicy=Background`);
  for (const n of [2, 3]) await gone(walk, `${collection}/${walk.name(n)}`);
  const { body: rest } = await ok(200, 'GET', `${collection}?labelSelector=${label}`);
  assert.equal(rest.items.length, 0);
  await ok(200, 'GET', `${collection}/${walk.name(4)}`);
  await ok(200, 'DELETE', `${collection}/${walk.name(4)}?propagationPolicy=Background`);
  await gone(walk, `${collection}/${walk.name(4)}`);
}

/** All that happened, in order: made, changed, taken away. */
async function watched(walk: Walk, run: () => Promise<void>): Promise<void> {
  const { server, everywhere, label, name } = walk;
  const path = `${everywhere}?watch=true&labelSelector=${label}`;
  const watch = await openLines({ ...server.connection(), method: 'GET', path });
  assert.equal(watch.status, 200);
  try {
    await run();
    const seen = new Map<string, string[]>();
    for (let events = 0; events < 100; events++) {
      const event = (await watch.next()) as {
        readonly type: string;
        readonly object: { readonly metadata: Meta };
      };
      const of = event.object.metadata.name;
      seen.set(of, [...(seen.get(of) ?? []), event.type]);
      const ends = walk.sample.kind.verbs.includes('deletecollection') ? name(3) : name(1);
      if (event.type === 'DELETED' && of === ends) break;
    }
    const first = seen.get(name(1)) ?? [];
    assert.equal(first[0], 'ADDED');
    assert.equal(first.at(-1), 'DELETED');
    assert.ok(first.length > 2 && first.slice(1, -1).every((type) => type === 'MODIFIED'), first.join(' '));
    assert.equal(seen.has(name(4)), false);
  } finally {
    watch.close();
  }
}

async function goThrough(server: TestServer, sample: Sample): Promise<void> {
  const walk = walkOf(server, sample);
  await discovered(walk);
  await watched(walk, async () => {
    const { uid } = await createdAndRead(walk);
    await readInAllForms(walk, uid);
    await written(walk);
    await statusWritten(walk);
    await deleted(walk);
  });
}

// conformance: [sig-api-machinery] API priority and fairness should support FlowSchema API operations
// conformance: [sig-api-machinery] API priority and fairness should support PriorityLevelConfiguration API operations
// conformance: [sig-api-machinery] MutatingAdmissionPolicy [Privileged:ClusterAdmin] should support MutatingAdmissionPolicy API operations
// conformance: [sig-api-machinery] MutatingAdmissionPolicy [Privileged:ClusterAdmin] should support MutatingAdmissionPolicyBinding API operations
// conformance: [sig-api-machinery] ValidatingAdmissionPolicy [Privileged:ClusterAdmin] should support ValidatingAdmissionPolicy API operations
// conformance: [sig-api-machinery] ValidatingAdmissionPolicy [Privileged:ClusterAdmin] should support ValidatingAdmissionPolicyBinding API operations
// conformance: [sig-apps] CronJob should support CronJob API operations
// conformance: [sig-apps] Daemon set [Serial] should list and delete a collection of DaemonSets
// conformance: [sig-apps] DisruptionController Listing PodDisruptionBudgets for all namespaces should list and delete a collection of PodDisruptionBudgets
// conformance: [sig-apps] DisruptionController should update/patch PodDisruptionBudget status
// conformance: [sig-apps] ReplicaSet should list and delete a collection of ReplicaSets
// conformance: [sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] should list, patch and delete a collection of StatefulSets
// conformance: [sig-instrumentation] Events API should delete a collection of events
// conformance: [sig-instrumentation] Events API should ensure that an event can be fetched, patched, deleted, and listed
// conformance: [sig-instrumentation] Events should delete a collection of events
// conformance: [sig-instrumentation] Events should manage the lifecycle of an event
// conformance: [sig-network] EndpointSlice should support creating EndpointSlice API operations
// conformance: [sig-network] Endpoints should test the lifecycle of an Endpoint
// conformance: [sig-network] Ingress API should support creating Ingress API operations
// conformance: [sig-network] IngressClass API should support creating IngressClass API operations
// conformance: [sig-network] ServiceCIDR and IPAddress API should support IPAddress API operations
// conformance: [sig-network] ServiceCIDR and IPAddress API should support ServiceCIDR API operations
// conformance: [sig-network] Services should complete a service status lifecycle
// conformance: [sig-network] Services should delete a collection of services
// conformance: [sig-network] Services should find a service from listing all namespaces
// conformance: [sig-node] ConfigMap should run through a ConfigMap lifecycle
// conformance: [sig-node] Lease lease API should be available
// conformance: [sig-node] PodTemplates should delete a collection of pod templates
// conformance: [sig-node] PodTemplates should replace a pod template
// conformance: [sig-node] PodTemplates should run the lifecycle of PodTemplates
// conformance: [sig-node] RuntimeClass should support RuntimeClasses API operations
// conformance: [sig-node] Secrets should patch a secret
// conformance: [sig-node] [DRA] CRUD Tests resource.k8s.io/v1 DeviceClass
// conformance: [sig-node] [DRA] CRUD Tests resource.k8s.io/v1 ResourceClaim
// conformance: [sig-node] [DRA] CRUD Tests resource.k8s.io/v1 ResourceClaimTemplate
// conformance: [sig-node] [DRA] CRUD Tests resource.k8s.io/v1 ResourceSlice
// conformance: [sig-storage] CSIInlineVolumes should run through the lifecycle of a CSIDriver
// conformance: [sig-storage] CSINodes CSI Conformance should run through the lifecycle of a csinode
// conformance: [sig-storage] CSIStorageCapacity should support CSIStorageCapacities API operations
// conformance: [sig-storage] PersistentVolumes CSI Conformance should apply changes to a pv/pvc status
// conformance: [sig-storage] PersistentVolumes CSI Conformance should run through the lifecycle of a PV and a PVC
// conformance: [sig-storage] StorageClasses CSI Conformance should run through the lifecycle of a StorageClass
// conformance: [sig-storage] VolumeAttachment Conformance should apply changes to a volumeattachment status
// conformance: [sig-storage] VolumeAttachment Conformance should run through the lifecycle of a VolumeAttachment
// conformance: [sig-storage] VolumeAttributesClass [FeatureGate:VolumeAttributesClass] should run through the lifecycle of a VolumeAttributesClass
// conformance: [sig-node] [DRA] CRUD Tests resource.k8s.io/v1 DeviceClass
// conformance: [sig-node] [DRA] CRUD Tests resource.k8s.io/v1 ResourceClaim
// conformance: [sig-node] [DRA] CRUD Tests resource.k8s.io/v1 ResourceClaimTemplate
// conformance: [sig-node] [DRA] CRUD Tests resource.k8s.io/v1 ResourceSlice
// conformance, partly (without its pods): [sig-apps] Daemon set [Serial] should verify changes to a daemon set status
// conformance, partly (without its pods): [sig-apps] Job should apply changes to a job status
// conformance, partly (without its pods): [sig-apps] ReplicationController should test the lifecycle of a ReplicationController
// conformance, partly (without its pods): [sig-apps] ControllerRevision [Serial] should manage the lifecycle of a ControllerRevision
// conformance, partly (without its pods): [sig-apps] Job should manage the lifecycle of a job
// conformance, partly (without its pods): [sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] should validate Statefulset Status endpoints
// conformance, partly (without its pods): [sig-apps] ReplicaSet should validate Replicaset Status endpoints
// conformance, partly (without its pods): [sig-apps] Deployment should validate Deployment Status endpoints
// conformance, partly (without an agent): [sig-node] Node Lifecycle should run through the lifecycle of a node
test('every verb on every kind', async (t: TestContext) => {
  const server = await startTestServer(t);
  for (const sample of allSamples())
    await t.test(`${titleOf(sample)} supports all API operations`, () => goThrough(server, sample));
});
