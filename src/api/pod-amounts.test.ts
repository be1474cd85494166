import assert from 'node:assert/strict';
import { test } from 'node:test';
import { podLimits, podRequests, specInUse } from './pod-amounts.ts';
import type { Container, ContainerStatus, Pod, ResourceRequirements } from './types/core.v1.ts';

const amounts = (cpu: string, memory: string): ResourceRequirements => ({
  requests: { cpu, memory },
  limits: { cpu, memory },
});
const said = (allocated: ResourceRequirements, actual = allocated, name = 'c'): ContainerStatus => ({
  name,
  ready: true,
  restartCount: 0,
  image: '',
  imageID: '',
  allocatedResources: allocated.requests ?? {},
  resources: actual,
});
const podOf = (asked: ResourceRequirements, status: Pod['status'], more: readonly Container[] = []): Pod => ({
  metadata: { name: 'p' },
  spec: { containers: [{ name: 'c', resources: { ...asked, claims: [] } }], initContainers: more },
  ...(status === undefined ? {} : { status }),
});
const taken = (pod: Pod) => {
  const spec = specInUse(pod) ?? { containers: [] };
  return [podRequests(spec)['cpu'], podRequests(spec)['memory'], podLimits(spec)['memory']];
};

test('specInUse() is the spec itself when nothing is being resized', () => {
  const asked = amounts('1', '1Gi');
  for (const status of [undefined, {}, { containerStatuses: [] }, { containerStatuses: [said(asked)] }]) {
    const pod = podOf(asked, status);
    assert.equal(specInUse(pod), pod.spec);
  }
  const silent = { ...said(asked), resources: undefined } as unknown as ContainerStatus;
  const old = podOf(asked, { containerStatuses: [silent] });
  assert.equal(specInUse(old), old.spec, 'a node that does not say what containers have');
});

test('specInUse() takes the largest of what is asked for, granted and there', () => {
  const [small, large] = [amounts('1', '1Gi'), amounts('2', '3Gi')];
  assert.deepEqual(taken(podOf(large, { containerStatuses: [said(small)] })), ['2', '3Gi', '3Gi'], 'waits');
  assert.deepEqual(
    taken(podOf(small, { containerStatuses: [said(large)] })),
    ['2', '3Gi', '3Gi'],
    'gives back',
  );
  const half = said(small, amounts('2', '1Gi'));
  assert.deepEqual(
    taken(podOf(small, { containerStatuses: [half] })),
    ['2', '1Gi', '1Gi'],
    'cpu is still there',
  );
});

test('specInUse() leaves out what the node can never give', () => {
  const conditions = [{ type: 'PodResizePending', status: 'True', reason: 'Infeasible' }];
  const status = { conditions, containerStatuses: [said(amounts('1', '1Gi'))] };
  assert.deepEqual(taken(podOf(amounts('99', '1Gi'), status)), ['1', '1Gi', '1Gi']);
  const deferred = [{ type: 'PodResizePending', status: 'True', reason: 'Deferred' }];
  assert.deepEqual(taken(podOf(amounts('9', '1Gi'), { ...status, conditions: deferred })), [
    '9',
    '1Gi',
    '1Gi',
  ]);
});

test('specInUse() looks at sidecars and at the pod as a whole, not at what runs before', () => {
  const sidecar = { name: 's', restartPolicy: 'Always', resources: amounts('1', '1Gi') };
  const first = { name: 'i', resources: amounts('1', '1Gi') };
  const status = {
    containerStatuses: [said(amounts('1', '1Gi'))],
    initContainerStatuses: [
      said(amounts('2', '1Gi'), undefined, 's'),
      said(amounts('9', '9Gi'), undefined, 'i'),
    ],
  };
  assert.equal(taken(podOf(amounts('1', '1Gi'), status, [sidecar, first]))[0], '3');
  const whole = podOf(amounts('1', '1Gi'), {
    ...status,
    resources: amounts('5', '5Gi'),
    allocatedResources: { cpu: '6' },
  });
  const asked = { ...whole, spec: { containers: [], ...whole.spec, resources: amounts('4', '4Gi') } };
  assert.deepEqual(taken(asked), ['6', '5Gi', '5Gi']);
});
