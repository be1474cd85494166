import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  DynamicResourceClaim,
  Event,
  KubeObject,
  Pod,
  PodResourceClaim,
  ResourceClaimTemplate,
} from '../../api/index.ts';
import { isError } from '../../lib/index.ts';
import { eventsRef, podsRef, resourceClaimsRef, resourceClaimTemplatesRef } from '../resources.ts';
import { type Cloud, cloud } from '../test-cloud.ts';

type Claim = DynamicResourceClaim;

const devices = { requests: [{ name: 'one', exactly: { deviceClassName: 'gpu' } }] };
const template = (name: string): ResourceClaimTemplate => ({
  apiVersion: 'resource.k8s.io/v1',
  kind: 'ResourceClaimTemplate',
  metadata: { name, namespace: 'default' },
  spec: { metadata: { labels: { team: 'a' }, annotations: { note: 'b' } }, spec: { devices } },
});
const aPod = (name: string, ...resourceClaims: readonly PodResourceClaim[]): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default' },
  spec: { containers: [{ name: 'c', image: 'i' }], resourceClaims },
});
const gpu = { name: 'gpu', resourceClaimTemplateName: 'gpus' } as const;
const claimsOf = (one: Cloud): Promise<readonly Claim[]> => one.list<Claim>(resourceClaimsRef, 'default');
const podOf = (one: Cloud, name: string): Promise<Pod> => one.client.get<Pod>(podsRef, 'default', name);

/** As a scheduler does. */
async function allocate(one: Cloud, claim: Claim, ...pods: readonly Pod[]): Promise<void> {
  const { namespace, name = '' } = claim.metadata;
  await one.client.patch(resourceClaimsRef, namespace, name, 'merge', {
    metadata: { finalizers: ['resource.kubernetes.io/delete-protection'] },
  });
  await one.client.patch(
    resourceClaimsRef,
    namespace,
    name,
    'merge',
    {
      status: {
        allocation: { devices: { results: [{ request: 'one', driver: 'd', pool: 'p', device: 'x' }] } },
        reservedFor: pods.map(({ metadata }) => ({
          resource: 'pods',
          name: metadata.name,
          uid: metadata.uid,
        })),
      },
    },
    { subresource: 'status' },
  );
}

test('a pod gets a claim from its template, knows its name, and takes it along when it is over', async (t) => {
  const one = await cloud(t, 1);
  await one.client.create(resourceClaimTemplatesRef, template('gpus'));
  // Nobody places it, or speaks of that.
  const gated = { ...aPod('p', gpu).spec, schedulingGates: [{ name: 'example.com/wait' }] } as Pod['spec'];
  await one.client.create(podsRef, { ...aPod('p', gpu), spec: gated } as Pod);
  await one.until('told', async () => (await podOf(one, 'p')).status?.resourceClaimStatuses !== undefined);
  const [claim, ...others] = await claimsOf(one);
  assert.equal(others.length, 0);
  const pod = await podOf(one, 'p');
  assert.deepEqual(pod.status?.resourceClaimStatuses, [
    { name: 'gpu', resourceClaimName: claim?.metadata.name },
  ]);
  assert.match(claim?.metadata.name ?? '', /^p-gpu-.{5}$/);
  assert.deepEqual(claim?.metadata.labels, { team: 'a' });
  assert.deepEqual(claim?.metadata.annotations, {
    note: 'b',
    'resource.kubernetes.io/pod-claim-name': 'gpu',
  });
  assert.deepEqual(
    claim?.metadata.ownerReferences?.map(({ kind, name, uid, controller, blockOwnerDeletion }) => [
      kind,
      name,
      uid,
      controller,
      blockOwnerDeletion,
    ]),
    [['Pod', 'p', pod.metadata.uid, true, true]],
  );
  await one.run(5000);
  const before = one.revision();
  await one.run(600_000);
  assert.equal(one.revision(), before, 'quiet at rest');
  await allocate(one, claim as Claim, pod);
  await one.run(5000);
  assert.equal((await claimsOf(one))[0]?.status?.reservedFor?.length, 1);
  await one.client.patch(
    podsRef,
    'default',
    'p',
    'merge',
    { status: { phase: 'Succeeded' } },
    { subresource: 'status' },
  );
  await one.until('given back and gone', async () => (await claimsOf(one)).length === 0);
  assert.equal((await podOf(one, 'p')).status?.phase, 'Succeeded');
});

test('a claim without a template says so, and is made when there is one; a claim that is lost is made anew', async (t) => {
  const one = await cloud(t, 2);
  await one.client.create(podsRef, aPod('p', gpu));
  await one.run(5000);
  const told = (await one.list<Event>(eventsRef, 'default')).filter(
    ({ reason }) => reason === 'FailedResourceClaimCreation',
  );
  assert.equal(
    told[0]?.message,
    'PodResourceClaim gpu: resource claim template "gpus": resourceclaimtemplate.resource.k8s.io "gpus" not found',
  );
  await one.client.create(resourceClaimTemplatesRef, template('gpus'));
  await one.until('made', async () => (await claimsOf(one)).length === 1);
  // Of another entry, or of another pod: none of ours.
  await one.client.create(podsRef, aPod('q', gpu, { name: 'second', resourceClaimTemplateName: 'gpus' }));
  await one.until('three', async () => (await claimsOf(one)).length === 3);
  await one.run(2000);
  assert.equal((await claimsOf(one)).length, 3);
});

test('a claim that pods share is held while one of them may run, and stays when none does', async (t) => {
  const one = await cloud(t, 3);
  await one.client.create(resourceClaimsRef, {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceClaim',
    metadata: { name: 'shared', namespace: 'default' },
    spec: { devices },
  } as KubeObject);
  const shared = { name: 'gpu', resourceClaimName: 'shared' };
  const pods = await Promise.all(
    ['p', 'q'].map((name) => one.client.create<Pod>(podsRef, aPod(name, shared))),
  );
  const [claim] = await claimsOf(one);
  await allocate(one, claim as Claim, ...pods);
  await one.run(2000);
  const holders = async (): Promise<string> =>
    ((await claimsOf(one))[0]?.status?.reservedFor ?? []).map(({ name }) => name).join();
  assert.equal(await holders(), 'p,q');
  await one.client.delete(podsRef, 'default', 'p');
  await one.until('one lets go', async () => (await holders()) === 'q');
  assert.ok((await claimsOf(one))[0]?.status?.allocation !== undefined);
  await one.client.delete(podsRef, 'default', 'q');
  await one.until('given back', async () => (await claimsOf(one))[0]?.status?.allocation === undefined);
  await one.run(2000);
  assert.deepEqual((await claimsOf(one))[0]?.metadata.finalizers ?? [], []);
});

test('a claim that is being deleted goes when nobody holds it', async (t) => {
  const one = await cloud(t, 4);
  await one.client.create(resourceClaimTemplatesRef, template('gpus'));
  const pod = await one.client.create<Pod>(podsRef, aPod('p', gpu));
  await one.until('made', async () => (await claimsOf(one)).length === 1);
  const [claim] = await claimsOf(one);
  await allocate(one, claim as Claim, pod);
  await one.client.delete(resourceClaimsRef, 'default', claim?.metadata.name ?? '');
  await one.run(5000);
  assert.equal((await claimsOf(one)).length, 1, 'held');
  await one.client.delete(podsRef, 'default', 'p');
  await one.until('gone', async () => (await claimsOf(one)).length === 0);
});

test('a pod whose node somebody else has chosen holds what is allocated and free', async (t) => {
  const one = await cloud(t, 5);
  await one.client.create(resourceClaimTemplatesRef, template('gpus'));
  const pod = aPod('p', gpu);
  await one.client.create(podsRef, { ...pod, spec: { ...pod.spec, nodeName: 'somewhere' } } as Pod);
  await one.until('made', async () => (await claimsOf(one)).length === 1);
  const [claim] = await claimsOf(one);
  await allocate(one, claim as Claim);
  await one.until('held', async () => (await claimsOf(one))[0]?.status?.reservedFor?.[0]?.name === 'p');
});

for (const [what, claims, used, message] of [
  [
    'both',
    [{ name: 'a', resourceClaimName: 'x', resourceClaimTemplateName: 'y' }],
    [],
    /at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified/,
  ],
  ['neither', [{ name: 'a' }], [], /must specify one of: `resourceClaimName`, `resourceClaimTemplateName`/],
  [
    'the same name twice',
    [
      { name: 'a', resourceClaimName: 'x' },
      { name: 'a', resourceClaimName: 'y' },
    ],
    [],
    /spec\.resourceClaims\[1\]\.name: Duplicate value: "a"/,
  ],
  [
    'one that a container uses and nobody claims',
    [{ name: 'a', resourceClaimName: 'x' }],
    [{ name: 'b' }],
    /spec\.containers\[0\]\.resources\.claims\[0\]\.name: Not found: "b"/,
  ],
] as const)
  test(`a pod whose claims name ${what} is refused`, async (t) => {
    const one = await cloud(t, 6);
    const pod = aPod('p', ...claims);
    const spec = { ...pod.spec, containers: [{ name: 'c', image: 'i', resources: { claims: used } }] };
    await assert.rejects(
      one.client.create(podsRef, { ...pod, spec } as Pod),
      (error) => isError(error, 'invalid') && message.test(error.message),
    );
  });
