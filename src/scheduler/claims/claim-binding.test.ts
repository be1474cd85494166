import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type {
  DeviceClass,
  DeviceTaintRule,
  DynamicResourceClaim,
  Event,
  Node,
  Pod,
  ResourceSlice,
} from '../../api/index.ts';
import { createFakeClient, createInformers } from '../../client/index.ts';
import { CaelumError, SeededRandom, SimulatedClock, silentLog } from '../../lib/index.ts';
import { type Scheduler, startScheduler } from '../bind-loop.ts';

type Claim = DynamicResourceClaim;

const core = (resource: string, namespaced: boolean) => ({ group: '', version: 'v1', resource, namespaced });
const dra = (resource: string, namespaced: boolean) => ({
  group: 'resource.k8s.io',
  version: 'v1',
  resource,
  namespaced,
});
const podsRef = core('pods', true);
const nodesRef = core('nodes', false);
const eventsRef = core('events', true);
const claimsRef = dra('resourceclaims', true);
const slicesRef = dra('resourceslices', false);
const classesRef = dra('deviceclasses', false);
const rulesRef = { ...dra('devicetaintrules', false), version: 'v1beta2' };
const driver = 'gpu.example.com';

function desk(t: TestContext) {
  const clock = new SimulatedClock();
  const random = new SeededRandom(1);
  const client = createFakeClient({ clock });
  let running: { stop(): void } | undefined;
  const start = (): Scheduler => {
    const informers = createInformers({ client, clock, random, log: silentLog });
    const scheduler = startScheduler({ client, informers, clock, random, log: silentLog });
    running = {
      stop() {
        scheduler.stop();
        informers.stop();
      },
    };
    return scheduler;
  };
  const stop = (): void => running?.stop();
  t.after(stop);
  const run = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 50) await clock.advance(50);
  };
  client.seed<DeviceClass>(classesRef, {
    metadata: { name: 'gpu' },
    spec: { selectors: [{ cel: { expression: `device.driver == "${driver}"` } }] },
  });
  const addNode = (name: string, devices: number, more: Partial<ResourceSlice['spec']> = {}): void => {
    client.seed<Node>(nodesRef, {
      metadata: { name },
      status: { allocatable: { cpu: '4', memory: '8Gi', pods: '110' } },
    });
    const pool = { name, generation: 1, resourceSliceCount: 1 };
    const list = Array.from({ length: devices }, (_, at) => ({ name: `gpu-${at}` }));
    client.seed<ResourceSlice>(slicesRef, {
      metadata: { name: `${name}-gpus` },
      spec: { driver, pool, nodeName: name, devices: list, ...more },
    });
  };
  const addClaim = (name: string, count = 1, metadata: object = {}, deviceClassName = 'gpu'): void =>
    client.seed<Claim>(claimsRef, {
      metadata: { name, namespace: 'default', uid: `uid-of-${name}`, ...metadata },
      spec: {
        devices: {
          requests: [{ name: 'r', exactly: { deviceClassName, allocationMode: 'ExactCount', count } }],
        },
      },
    });
  const addPod = (name: string, claim: string, more: Partial<Pod['spec']> = {}): void =>
    client.seed<Pod>(podsRef, {
      metadata: { name, namespace: 'default', uid: `uid-of-${name}` },
      spec: {
        containers: [{ name: 'c', image: 'i' }],
        resourceClaims: [{ name: 'gpus', resourceClaimName: claim }],
        ...more,
      },
      status: { phase: 'Pending' },
    });
  const pod = (name: string): Pod => client.peek<Pod>(podsRef, `default/${name}`) as Pod;
  const claim = (name: string): Claim => client.peek<Claim>(claimsRef, `default/${name}`) as Claim;
  /** `node/device: holders`. */
  const told = (name: string): string => {
    const { allocation, reservedFor = [] } = claim(name).status ?? {};
    const devices = (allocation?.devices?.results ?? []).map((one) => `${one.pool}/${one.device}`);
    return `${devices.join(',')}: ${reservedFor.map((one) => one.name).join(',')}`;
  };
  const whyNot = (name: string): string => pod(name).status?.conditions?.[0]?.message ?? '';
  return { client, clock, start, stop, run, addNode, addClaim, addPod, pod, claim, told, whyNot };
}

test('startScheduler() gives a claim its devices and the pod the claim, before the pod has its node', async (t) => {
  const { client, start, run, addNode, addClaim, addPod, pod, claim, told } = desk(t);
  addNode('a', 1);
  addNode('b', 2);
  addClaim('c', 2);
  addPod('p', 'c');
  let atBinding = '';
  client.intercept = ({ subresource }) => {
    if (subresource === 'binding') atBinding = told('c');
    return undefined;
  };
  start();
  await run(1000);
  assert.equal(pod('p').spec?.nodeName, 'b');
  assert.equal(atBinding, 'b/gpu-0,b/gpu-1: p');
  assert.deepEqual(claim('c').metadata.finalizers, ['resource.kubernetes.io/delete-protection']);
  const { allocation } = claim('c').status ?? {};
  assert.deepEqual(allocation?.nodeSelector, {
    nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['b'] }] }],
  });
  assert.ok(allocation?.allocationTimestamp !== undefined);
});

test('startScheduler() follows devices from the first pod on that claims some', async (t) => {
  const { client, start, run, addNode, addClaim, addPod, pod } = desk(t);
  addNode('a', 1);
  client.seed<Pod>(podsRef, {
    metadata: { name: 'plain', namespace: 'default' },
    spec: { containers: [{ name: 'c', image: 'i' }] },
  });
  start();
  await run(1000);
  assert.equal(pod('plain').spec?.nodeName, 'a');
  const asked = (): number =>
    client.requests.filter((one) => JSON.stringify(one).includes('resourceslices')).length;
  assert.equal(asked(), 0);
  addClaim('c');
  addPod('p', 'c');
  await run(1000);
  assert.equal(pod('p').spec?.nodeName, 'a');
});

test('startScheduler() waits while devices are taken, and goes on when one is given back', async (t) => {
  const { client, start, run, addNode, addClaim, addPod, pod, told, whyNot } = desk(t);
  addNode('a', 1);
  addNode('b', 0);
  for (const name of ['x', 'y']) {
    addClaim(name);
    addPod(name, name);
  }
  start();
  await run(2000);
  assert.equal(pod('x').spec?.nodeName, 'a');
  assert.equal(pod('y').spec?.nodeName, undefined);
  assert.equal(
    whyNot('y'),
    '0/2 nodes are available: 2 cannot allocate all claims. preemption: 0/2 nodes are available: 1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling.',
  );
  client.remove(podsRef, 'default/x');
  // As the controller of claims does.
  await client.patch(
    claimsRef,
    'default',
    'x',
    'merge',
    { status: { allocation: null, reservedFor: null } },
    { subresource: 'status' },
  );
  await run(12_000);
  assert.equal(pod('y').spec?.nodeName, 'a');
  assert.equal(told('y'), 'a/gpu-0: y');
});

test('startScheduler() gives no device that a rule taints, until it does so no more', async (t) => {
  const { client, start, run, addNode, addClaim, addPod, pod, whyNot } = desk(t);
  addNode('a', 1);
  addClaim('c');
  client.seed<DeviceTaintRule>(rulesRef, {
    metadata: { name: 'r', generation: 1 },
    spec: { deviceSelector: { pool: 'a' }, taint: { key: 'k', effect: 'NoSchedule' } },
  });
  addPod('p', 'c');
  start();
  await run(2000);
  assert.equal(pod('p').spec?.nodeName, undefined);
  assert.match(whyNot('p'), /1 cannot allocate all claims/);
  await client.delete(rulesRef, undefined, 'r');
  await run(3000);
  assert.equal(pod('p').spec?.nodeName, 'a');
});

test('startScheduler() sends pods that share a claim to its devices', async (t) => {
  const { start, run, addNode, addClaim, addPod, pod, told } = desk(t);
  addNode('a', 1);
  addNode('b', 1);
  addClaim('shared');
  for (const name of ['p', 'q', 'r']) addPod(name, 'shared');
  start();
  await run(3000);
  const [node] = told('shared').split('/');
  for (const name of ['p', 'q', 'r']) assert.equal(pod(name).spec?.nodeName, node, name);
  assert.equal(told('shared').split(': ')[1]?.split(',').sort().join(), 'p,q,r');
});

for (const [what, prepare, message] of [
  ['a claim that is not there', () => {}, 'resourceclaim "c" not found'],
  [
    'a class that is not there',
    ({ addClaim }) => addClaim('c', 1, {}, 'tpu'),
    'request r: device class tpu does not exist',
  ],
  [
    'a claim that is being deleted',
    ({ addClaim }) => addClaim('c', 1, { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['a/b'] }),
    'resourceclaim "c" is being deleted',
  ],
] satisfies readonly (readonly [string, (one: ReturnType<typeof desk>) => void, string])[])
  test(`startScheduler() says of ${what} that it waits for it`, async (t) => {
    const one = desk(t);
    one.addNode('a', 1);
    prepare(one);
    one.addPod('p', 'c');
    one.start();
    await one.run(2000);
    assert.match(one.whyNot('p'), new RegExp(`^0/1 nodes are available: ${message}\\.`));
    const events = one.client
      .objects<Event>(eventsRef)
      .map(({ reason, message: text }) => `${reason}: ${text}`);
    assert.match(events[0] ?? '', new RegExp(`^FailedScheduling: 0/1 nodes are available: ${message}\\.`));
  });

test('startScheduler() waits for the claim that is made for a pod', async (t) => {
  const { client, start, run, addNode, addClaim, addPod, pod, whyNot } = desk(t);
  addNode('a', 1);
  addPod('p', '', { resourceClaims: [{ name: 'gpus', resourceClaimTemplateName: 'tpl' }] });
  start();
  await run(2000);
  assert.match(whyNot('p'), /: pod "default\/p": ResourceClaim not created yet\./);
  const told = (name: string) =>
    client.patch(
      podsRef,
      'default',
      'p',
      'merge',
      { status: { resourceClaimStatuses: [{ name: 'gpus', resourceClaimName: name }] } },
      { subresource: 'status' },
    );
  addClaim('foreign');
  await told('foreign');
  await run(12_000);
  assert.match(
    whyNot('p'),
    /: ResourceClaim default\/foreign was not created for pod default\/p \(pod is not owner\)\./,
  );
  addClaim('own', 1, {
    ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'uid-of-p', controller: true }],
  });
  await told('own');
  await run(12_000);
  assert.equal(pod('p').spec?.nodeName, 'a');
});

test('startScheduler() finds out what has become of writes whose answers were lost', async (t) => {
  for (const lost of [1, 2, 3])
    for (const isDone of [true, false]) {
      const { client, start, run, stop, addNode, addClaim, addPod, pod, told } = desk(t);
      addNode('a', 1);
      for (const name of ['x', 'y']) {
        addClaim(name);
        addPod(name, name);
      }
      let calls = 0;
      const patch = client.patch.bind(client);
      client.patch = async (...call) => {
        const isMeant = call[0].resource === 'resourceclaims' && ++calls === lost;
        if (isMeant && !isDone) throw new CaelumError('unavailable', 'nobody answers');
        const answer = await patch(...call);
        if (isMeant) throw new CaelumError('timeout', 'no answer');
        return answer as never;
      };
      start();
      await run(15_000);
      const placed = ['x', 'y'].filter((name) => pod(name).spec?.nodeName === 'a');
      const allocated = ['x', 'y'].filter((name) => told(name) !== ': ');
      assert.equal(placed.length, 1, `write ${lost}, ${isDone ? 'done' : 'not done'}`);
      assert.deepEqual(allocated, placed, `write ${lost}, ${isDone ? 'done' : 'not done'}`);
      stop();
    }
});

test('startScheduler() gives claims back where the pod cannot be bound', async (t) => {
  const { client, start, run, addNode, addClaim, addPod, pod, told, claim } = desk(t);
  addNode('a', 1);
  addClaim('c');
  addPod('p', 'c');
  let isRefusing = true;
  client.intercept = ({ subresource }) =>
    subresource === 'binding' && isRefusing ? new CaelumError('conflict', 'not now') : undefined;
  start();
  await run(500);
  assert.equal(told('c'), ': ');
  assert.deepEqual(claim('c').metadata.finalizers ?? [], []);
  isRefusing = false;
  await run(20_000);
  assert.equal(pod('p').spec?.nodeName, 'a');
  assert.equal(told('c'), 'a/gpu-0: p');
});

test('startScheduler() goes on where another one was cut off, also when the node has gone since', async (t) => {
  for (const isThere of [true, false]) {
    const { client, start, stop, run, addNode, addClaim, addPod, pod, told } = desk(t);
    addNode('a', 1);
    addClaim('c');
    addPod('p', 'c');
    client.intercept = ({ subresource }) =>
      subresource === 'binding' ? new CaelumError('unavailable', 'nobody answers') : undefined;
    start();
    await run(500);
    assert.equal(told('c'), 'a/gpu-0: p');
    stop();
    client.intercept = () => undefined;
    addNode('b', 1);
    if (!isThere) {
      client.remove(nodesRef, 'a');
      client.remove(slicesRef, 'a-gpus');
    }
    start();
    await run(20_000);
    assert.equal(pod('p').spec?.nodeName, isThere ? 'a' : 'b');
    assert.equal(told('c'), isThere ? 'a/gpu-0: p' : 'b/gpu-0: p');
    stop();
  }
});

test('startScheduler() binds a pod when its devices say that they are ready, and looks for others where they fail', async (t) => {
  const { client, start, run, addNode, addClaim, addPod, pod, told } = desk(t);
  const conditions = {
    bindingConditions: ['example.com/Attached'],
    bindingFailureConditions: ['example.com/Failed'],
  };
  addNode('a', 0, { devices: [{ name: 'far', ...conditions }] });
  addClaim('c');
  addPod('p', 'c');
  start();
  await run(2000);
  assert.equal(told('c'), 'a/far: p');
  assert.equal(pod('p').spec?.nodeName, undefined);
  const say = (type: string) =>
    client.patch(
      claimsRef,
      'default',
      'c',
      'merge',
      {
        status: {
          devices: [
            {
              driver,
              pool: 'a',
              device: 'far',
              conditions: [
                {
                  type,
                  status: 'True',
                  reason: 'x',
                  message: '',
                  lastTransitionTime: '2026-01-01T00:00:00Z',
                },
              ],
            },
          ],
        },
      },
      { subresource: 'status' },
    );
  await say('example.com/Failed');
  await run(100);
  assert.equal(told('c'), ': ');
  const events = client.objects<Event>(eventsRef).map(({ message }) => message);
  assert.deepEqual(events, [
    'running PreBind plugin "DynamicResources": claim default/c binding failed: device gpu.example.com/a/far: example.com/Failed',
  ]);
  await run(5000);
  assert.equal(told('c'), 'a/far: p');
  await say('example.com/Attached');
  await run(500);
  assert.equal(pod('p').spec?.nodeName, 'a');
});

test('startScheduler() gives no device twice, however many pods ask at once', async (t) => {
  const { start, run, addNode, addClaim, addPod, pod, told } = desk(t);
  for (const name of ['a', 'b', 'c']) addNode(name, 4);
  const names = Array.from({ length: 20 }, (_, at) => `p${at}`);
  for (const [at, name] of names.entries()) {
    addClaim(name, 1 + (at % 2));
    addPod(name, name);
  }
  start();
  await run(5000);
  const devices = names.flatMap((name) =>
    (told(name).split(': ')[0] ?? '').split(',').filter((one) => one !== ''),
  );
  assert.equal(new Set(devices).size, devices.length);
  assert.equal(devices.length, 12);
  for (const name of names) assert.equal(told(name) !== ': ', pod(name).spec?.nodeName !== undefined, name);
});

function extended({ client }: ReturnType<typeof desk>, resource = 'example.com/gpu') {
  client.seed<DeviceClass>(classesRef, {
    metadata: { name: 'fast', creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: {
      selectors: [{ cel: { expression: `device.driver == "${driver}"` } }],
      extendedResourceName: 'example.com/gpu',
    },
  });
  let seconds = 10;
  const ask = (name: string, amounts: readonly string[]): void =>
    client.seed<Pod>(podsRef, {
      metadata: {
        name,
        namespace: 'default',
        uid: `uid-of-${name}`,
        creationTimestamp: `2026-01-01T00:00:${seconds++}Z`,
      },
      spec: {
        containers: amounts.map((amount, at) => ({
          name: `c${at}`,
          image: 'i',
          resources:
            amount === '0' ? {} : { requests: { [resource]: amount }, limits: { [resource]: amount } },
        })),
      },
      status: { phase: 'Pending' },
    });
  const claimOf = (name: string): Claim | undefined =>
    client.peek<Claim>(claimsRef, `default/${name}-extended-resources-uidof${name}`);
  /** `request=node/device … holder`. */
  const given = (name: string): string => {
    const { metadata, status } = claimOf(name) ?? {};
    if (metadata?.annotations?.['resource.kubernetes.io/extended-resource-claim'] !== 'true') return '';
    const devices = (status?.allocation?.devices?.results ?? []).map(
      (one) => `${one.request}=${one.pool}/${one.device}`,
    );
    return [...devices, ...(status?.reservedFor ?? []).map((one) => one.name)].join(' ');
  };
  return { ask, given };
}

for (const resource of ['example.com/gpu', 'deviceclass.resource.kubernetes.io/fast'])
  test(`startScheduler() gives devices of a class to pods that ask for ${resource}`, async (t) => {
    const own = desk(t);
    const { start, run, addNode, pod, whyNot } = own;
    addNode('a', 1);
    addNode('b', 3);
    const { ask, given } = extended(own, resource);
    ask('p', ['1', '0', '2']);
    ask('q', ['1']);
    ask('late', ['1']);
    start();
    await run(3000);
    assert.equal(pod('p').spec?.nodeName, 'b');
    assert.equal(
      given('p'),
      'container-0-request-0=b/gpu-0 container-2-request-0=b/gpu-1 container-2-request-0=b/gpu-2 p',
    );
    assert.deepEqual(pod('p').status?.extendedResourceClaimStatus?.requestMappings, [
      { containerName: 'c0', resourceName: resource, requestName: 'container-0-request-0' },
      { containerName: 'c2', resourceName: resource, requestName: 'container-2-request-0' },
    ]);
    const [bound, waits] = pod('q').spec?.nodeName === 'a' ? ['q', 'late'] : ['late', 'q'];
    assert.equal(pod(bound).spec?.nodeName, 'a');
    assert.equal(given(waits), '');
    assert.match(whyNot(waits), /2 cannot allocate all claims/);
  });

test('startScheduler() leaves extended resources to nodes that have them, and takes back what could not be bound', async (t) => {
  const own = desk(t);
  const { client, start, run, addNode, pod } = own;
  const { ask, given } = extended(own);
  addNode('a', 1);
  client.seed<Node>(nodesRef, {
    metadata: { name: 'plugin' },
    status: { allocatable: { cpu: '4', memory: '8Gi', pods: '110', 'example.com/gpu': '1' } },
  });
  ask('p', ['1']);
  ask('q', ['1']);
  let refusals = 1;
  client.intercept = ({ subresource, name }) => {
    if (subresource !== 'binding' || refusals === 0 || given(name ?? '') === '') return undefined;
    refusals--;
    return new CaelumError('conflict', 'not now');
  };
  start();
  await run(1000);
  client.intercept = undefined;
  await run(15_000);
  assert.equal(refusals, 0);
  assert.deepEqual([pod('p').spec?.nodeName, pod('q').spec?.nodeName].sort(), ['a', 'plugin']);
  const [byClaim, byPlugin] = pod('p').spec?.nodeName === 'a' ? ['p', 'q'] : ['q', 'p'];
  assert.match(given(byClaim), /^container-0-request-0=a\/gpu-0/);
  assert.equal(given(byPlugin), '');
  assert.equal(pod(byPlugin).status?.extendedResourceClaimStatus ?? undefined, undefined);
});
