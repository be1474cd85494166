import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VerticalPodAutoscaler } from './kinds/vertical-autoscaler-spec/types.ts';
import {
  boostDurationMs,
  boostEnd,
  startupBoostAnnotation,
  startupBoosts,
  withoutBoosts,
} from './startup-boost.ts';
import type { Pod, PodSpec } from './types/core.v1.ts';

const autoscaler = (spec: object, target?: Readonly<Record<string, string>>) =>
  ({
    metadata: { name: 'web' },
    spec: { targetRef: { kind: 'Deployment', name: 'web' }, ...spec },
    status:
      target === undefined
        ? {}
        : { recommendation: { containerRecommendations: [{ containerName: 'c', target }] } },
  }) as VerticalPodAutoscaler;

const specOf = (requests: object, limits: object = {}): PodSpec =>
  ({ containers: [{ name: 'c', resources: { requests, limits } }] }) as unknown as PodSpec;

const factor = (times: number, more: object = {}) => ({ cpu: { type: 'Factor', factor: times, ...more } });
const quantity = (amount: string) => ({ cpu: { type: 'Quantity', quantity: amount } });
const policy = (more: object) => ({
  resourcePolicy: { containerPolicies: [{ containerName: 'c', ...more }] },
});

const cases: readonly (readonly [string, object, PodSpec, object | undefined])[] = [
  [
    'a factor',
    { startupBoost: factor(3) },
    specOf({ cpu: '100m' }),
    { requests: { cpu: '300m' }, limits: {} },
  ],
  [
    'a quantity, the limit in proportion, memory as it is',
    { startupBoost: quantity('300m') },
    specOf({ cpu: '100m', memory: '1Gi' }, { cpu: '200m', memory: '1Gi' }),
    { requests: { cpu: '400m', memory: '1Gi' }, limits: { cpu: '800m', memory: '1Gi' } },
  ],
  [
    'only requests: just below the limit',
    { startupBoost: factor(10), ...policy({ controlledValues: 'RequestsOnly' }) },
    specOf({ cpu: '100m' }, { cpu: '200m' }),
    { requests: { cpu: '199m' }, limits: { cpu: '200m' } },
  ],
  [
    'only requests of a pod whose request is its limit: its class must stay',
    { startupBoost: factor(10), ...policy({ controlledValues: 'RequestsOnly' }) },
    specOf({ cpu: '200m' }, { cpu: '200m' }),
    undefined,
  ],
  [
    'the policy of a container goes before that of all, and before its own bounds',
    {
      startupBoost: factor(10),
      ...policy({ startupBoost: factor(2), maxAllowed: { cpu: '100m' }, mode: 'Off' }),
    },
    specOf({ cpu: '100m' }),
    { requests: { cpu: '200m' }, limits: {} },
  ],
  ['no request', { startupBoost: factor(10) }, specOf({ memory: '1Gi' }), undefined],
  ['a factor of one', { startupBoost: factor(1) }, specOf({ cpu: '100m' }), undefined],
  ['none', {}, specOf({ cpu: '100m' }), undefined],
];

for (const [what, spec, pod, expected] of cases)
  test(`startupBoosts() gives a start more CPU: ${what}`, () => {
    const found = startupBoosts(autoscaler(spec), pod, pod);
    assert.deepEqual(found?.changes[0]?.resources, expected);
  });

/** The pod as admission leaves it: asked, recommended, boosted. */
function made(master: VerticalPodAutoscaler, asked: PodSpec, recommended = asked): Pod {
  const found = startupBoosts(master, recommended, asked);
  assert.ok(found !== undefined);
  const containers = recommended.containers.map((container, index) => ({
    ...container,
    resources: found.changes.find((one) => one.index === index)?.resources ?? container.resources,
  }));
  return {
    metadata: { name: 'p', annotations: { [startupBoostAnnotation]: JSON.stringify(found.boosts) } },
    spec: { ...recommended, containers },
  } as Pod;
}

test('boostEnd() gives back what the pod came with where nothing is recommended, or mode is Off', () => {
  const asked = specOf({ cpu: '100m' }, { cpu: '1' });
  for (const spec of [
    { startupBoost: factor(4) },
    { startupBoost: factor(4), updatePolicy: { updateMode: 'Off' } },
  ]) {
    const pod = made(autoscaler(spec), asked);
    assert.deepEqual(pod.spec?.containers[0]?.resources, { requests: { cpu: '400m' }, limits: { cpu: '4' } });
    const target = spec.updatePolicy === undefined ? undefined : { cpu: '700m' };
    const [change] = boostEnd(autoscaler(spec, target), pod);
    assert.deepEqual(change?.resources, { requests: { cpu: '100m' }, limits: { cpu: '1' } });
  }
});

test('boostEnd() gives what is recommended by then, though it is more than the boost', () => {
  const spec = { startupBoost: factor(2) };
  const pod = made(
    autoscaler(spec),
    specOf({ cpu: '100m' }, { cpu: '200m' }),
    specOf({ cpu: '150m' }, { cpu: '300m' }),
  );
  assert.deepEqual(pod.spec?.containers[0]?.resources, {
    requests: { cpu: '300m' },
    limits: { cpu: '600m' },
  });
  const [change] = boostEnd(autoscaler(spec, { cpu: '500m' }), pod);
  assert.deepEqual(change?.resources, { requests: { cpu: '500m' }, limits: { cpu: '1' } });
  const off = boostEnd(autoscaler({ ...spec, updatePolicy: { updateMode: 'Off' } }, { cpu: '500m' }), pod);
  assert.deepEqual(off[0]?.resources, { requests: { cpu: '100m' }, limits: { cpu: '200m' } });
});

test('withoutBoosts() is for pods that request what they were boosted to; nonsense is no boost', () => {
  const pod = made(autoscaler({ startupBoost: factor(4) }), specOf({ cpu: '100m' }));
  assert.deepEqual(withoutBoosts(pod)?.spec?.containers[0]?.resources?.requests, { cpu: '100m' });
  const resized = { ...pod, spec: specOf({ cpu: '100m' }) } as Pod;
  assert.equal(withoutBoosts(resized), undefined);
  assert.deepEqual(boostEnd(autoscaler({ startupBoost: factor(4) }), resized), []);
  for (const text of ['', 'null', '{}', '{"by":1}', '{"by":"a","containers":{"c":{"boosted":"400m"}}}'])
    assert.equal(
      withoutBoosts({
        ...pod,
        metadata: { ...pod.metadata, annotations: { [startupBoostAnnotation]: text } },
      }),
      undefined,
      text,
    );
});

test('boostDurationMs() is that of the container that takes longest', () => {
  const pod = { metadata: {}, spec: { containers: [{ name: 'c' }, { name: 'd' }] } } as unknown as Pod;
  const spec = { startupBoost: factor(2, { durationSeconds: 5 }) };
  assert.equal(boostDurationMs(autoscaler(spec), pod), 5000);
  const both = { ...spec, ...policy({ startupBoost: factor(2, { durationSeconds: 9 }) }) };
  assert.equal(boostDurationMs(autoscaler(both), pod), 9000);
  assert.equal(boostDurationMs(autoscaler({}), pod), 0);
});
