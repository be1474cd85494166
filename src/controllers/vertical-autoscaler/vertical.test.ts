/** What vertical autoscalers learn, recommend and do, by tables and by chance: no controller, no API. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod, VerticalPodAutoscaler, VerticalRecommendation } from '../../api/index.ts';
import { formatTime, SeededRandom } from '../../lib/index.ts';
import { DecayingHistogram } from './histogram.ts';
import { Pace } from './pace.ts';
import { recommend } from './recommend.ts';
import { planUpdates, type Update } from './update.ts';
import { ContainerUse } from './use.ts';

const hour = 3_600_000;
const day = 24 * hour;
const start = Date.UTC(2026, 0, 1);
const gigabyte = 2 ** 30;
const bump = { ratio: 1.2, leastBytes: 100 * 2 ** 20 };

test('DecayingHistogram tells percentiles within a twentieth, the older the lighter', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = new SeededRandom(seed);
    const histogram = new DecayingHistogram({ first: 0.01, most: 1000 }, day);
    const samples: { value: number; weight: number }[] = [];
    const end = start + 4 * day;
    for (let atMs = start; atMs < end; atMs += 10 * 60_000) {
      const value = random.float() ** 3 * 20;
      histogram.add(value, 1, atMs);
      samples.push({ value, weight: 2 ** ((atMs - end) / day) });
    }
    samples.sort((a, b) => a.value - b.value);
    const total = samples.reduce((sum, { weight }) => sum + weight, 0);
    for (const share of [0.5, 0.9, 0.95]) {
      let sum = 0;
      const exact =
        samples.find(({ weight }) => {
          sum += weight;
          return sum >= share * total;
        })?.value ?? 0;
      const told = histogram.percentile(share);
      assert.ok(told >= exact - 1e-9 && told <= exact * 1.05 + 0.02, `seed ${seed}: ${told} for ${exact}`);
    }
  }
});

test('DecayingHistogram is kept and comes back; nonsense is nothing', () => {
  const histogram = new DecayingHistogram({ first: 1e7, most: 1e12 }, day);
  for (let i = 0; i < 1000; i++) histogram.add(2e8 + i * 1e6, 1, start + i * 60_000);
  const checkpoint = histogram.checkpoint();
  assert.ok(JSON.stringify(checkpoint).length < 4000);
  const again = new DecayingHistogram({ first: 1e7, most: 1e12 }, day);
  again.load(JSON.parse(JSON.stringify(checkpoint)));
  for (const share of [0.1, 0.5, 0.9]) assert.equal(again.percentile(share), histogram.percentile(share));
  const odd = new DecayingHistogram({ first: 1e7, most: 1e12 }, day);
  odd.load({ referenceTimestamp: 'soon', bucketWeights: { 1: 5 }, totalWeight: 1 });
  odd.load({ referenceTimestamp: formatTime(start), bucketWeights: { 9999: 5 }, totalWeight: 1 });
  odd.load({ referenceTimestamp: formatTime(start), bucketWeights: { 1: 5 }, totalWeight: Number.NaN });
  assert.ok(odd.isEmpty);
  assert.equal(odd.percentile(0.9), 0);
  // Years later, and long before.
  histogram.add(1e9, 1, start + 3000 * day);
  assert.ok(Math.abs(histogram.percentile(0.5) / 1e9 - 1) < 0.06);
});

const autoscaler = (spec: object = {}, recommendations: readonly VerticalRecommendation[] = []) =>
  ({
    metadata: { name: 'web', namespace: 'default' },
    spec: { targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, ...spec },
    status: { recommendation: { containerRecommendations: recommendations } },
  }) as VerticalPodAutoscaler;

function used(days: number, cores: number, bytes: number): ContainerUse {
  const use = new ContainerUse();
  for (let atMs = start; atMs < start + days * day; atMs += 60_000)
    use.add('pod', { atMs, cores, bytes, requestedCores: 1 });
  return use;
}

test('recommend() tells percentiles with a margin, bounds by what is known, within the policy', () => {
  const [one] = recommend(autoscaler(), new Map([['c', used(2, 0.4, gigabyte)]]));
  const milli = (text = ''): number => (text.endsWith('m') ? Number.parseInt(text, 10) : Number(text) * 1000);
  assert.ok(milli(one?.target['cpu']) >= 460 && milli(one?.target['cpu']) <= 490, `${one?.target['cpu']}`);
  assert.ok(milli(one?.lowerBound?.['cpu']) <= milli(one?.target['cpu']));
  assert.ok(milli(one?.upperBound?.['cpu']) > milli(one?.target['cpu']) * 1.3);
  assert.deepEqual(one?.target, one?.uncappedTarget);
  const [young] = recommend(autoscaler(), new Map([['c', used(0.1, 0.4, gigabyte)]]));
  assert.ok(milli(young?.upperBound?.['cpu']) > 4000, `${young?.upperBound?.['cpu']}`);
  const small = recommend(autoscaler(), new Map([['c', used(1, 0.001, 1e6)]]));
  assert.deepEqual(small[0]?.target, { cpu: '25m', memory: '262144k' });
  const policy = {
    resourcePolicy: {
      containerPolicies: [
        { containerName: 'off', mode: 'Off' },
        { containerName: '*', maxAllowed: { cpu: '100m' }, controlledResources: ['cpu'] },
      ],
    },
  };
  const two = recommend(
    autoscaler(policy),
    new Map([
      ['c', used(1, 0.4, gigabyte)],
      ['off', used(1, 0.4, gigabyte)],
      ['new', new ContainerUse()],
    ]),
  );
  assert.deepEqual(
    two.map(({ containerName, target }) => [containerName, target]),
    [['c', { cpu: '100m' }]],
  );
  assert.notEqual(two[0]?.uncappedTarget?.['cpu'], '100m');
});

test('a container that ran out of memory is given more, and a restart does not forget it', () => {
  const use = used(1, 0.1, 0.5 * gigabyte);
  const before = use.memory.percentile(0.9);
  for (let i = 0; i < 5; i++) use.outOfMemory(`pod-${i}`, start + day + i, gigabyte, bump);
  const after = use.memory.percentile(0.9);
  assert.ok(after > before && after >= gigabyte * 1.2, `${before} ${after}`);
  const again = new ContainerUse();
  again.load(JSON.parse(JSON.stringify(use.checkpoint(start + 2 * day))));
  assert.equal(again.samples, use.samples);
  assert.ok(Math.abs(again.memory.percentile(0.9) / after - 1) < 0.06);
  assert.ok(Math.abs(again.confidenceDays - use.confidenceDays) < 0.01);
  assert.equal(use.add('p', { atMs: start, cores: Number.NaN, bytes: 1, requestedCores: 1 }), false);
  assert.equal(use.add('p', { atMs: start, cores: 1, bytes: -1, requestedCores: 1 }), false);
});

const recommended = (cpu: string, lower = '400m', upper = '2'): VerticalRecommendation => ({
  containerName: 'c',
  target: { cpu, memory: '256Mi' },
  lowerBound: { cpu: lower, memory: '256Mi' },
  upperBound: { cpu: upper, memory: '256Mi' },
});

const pod = (name: string, cpu: string, more: object = {}, isReady = true): Pod =>
  ({
    metadata: { name, namespace: 'default', uid: name },
    spec: { containers: [{ name: 'c', resources: { requests: { cpu, memory: '256Mi' } } }] },
    status: {
      phase: 'Running',
      startTime: formatTime(start),
      conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }, ...conditionsOf(more)],
      ...more,
    },
  }) as Pod;
const conditionsOf = (more: { conditions?: readonly object[] }): readonly object[] => more.conditions ?? [];

const options = (replicas: number, nowMs = start + hour) => ({
  nowMs,
  replicas,
  isRefused: () => false,
  evictionsLeft: 100,
});
const words = (updates: readonly Update[]): string =>
  updates.map(({ kind, pod: { metadata } }) => `${kind} ${metadata.name}`).join(', ');
const mode = (updateMode: string, more: object = {}) => ({ updatePolicy: { updateMode, ...more } });

test('planUpdates() does what the mode says with pods that are off', () => {
  const pods = ['a', 'b', 'c', 'd'].map((name) => pod(name, '100m'));
  const plan = (updateMode: string, of = pods, more: object = {}, at = start + hour) =>
    words(planUpdates(autoscaler(mode(updateMode, more), [recommended('500m')]), of, options(of.length, at)));
  assert.equal(plan('Off'), '');
  assert.equal(plan('Initial'), '');
  assert.equal(plan('Recreate'), 'evict a');
  assert.equal(plan('Auto'), 'evict a');
  assert.equal(plan('InPlace'), 'resize a, resize b, resize c, resize d');
  assert.equal(plan('InPlaceOrRecreate'), 'resize a, resize b, resize c, resize d');
  // Looked at again within a minute of an eviction, for whatever reason.
  const resting = { ...options(pods.length), isResting: true };
  for (const [updateMode, done] of [
    ['Recreate', ''],
    ['InPlace', 'resize a, resize b, resize c, resize d'],
  ] as const)
    assert.equal(
      words(planUpdates(autoscaler(mode(updateMode), [recommended('500m')]), pods, resting)),
      done,
    );
  // One pod is not evicted: its workload would be away; in place it is served.
  assert.equal(plan('Recreate', [pod('a', '100m')]), '');
  assert.equal(plan('Recreate', [pod('a', '100m')], { minReplicas: 1 }), 'evict a');
  assert.equal(plan('InPlaceOrRecreate', [pod('a', '100m')]), 'resize a');
  // Within the bounds it is let be until it is old.
  const near = [pod('a', '450m'), pod('b', '450m'), pod('c', '450m'), pod('d', '450m')];
  assert.equal(plan('Recreate', near), '');
  assert.equal(plan('Recreate', near, {}, start + 13 * hour), 'evict a');
  const tooMuch = pods.map(({ metadata }) => pod(metadata.name ?? '', '9'));
  const onlyUp = {
    evictionRequirements: [{ resources: ['cpu'], changeRequirement: 'TargetHigherThanRequests' }],
  };
  assert.equal(plan('Recreate', tooMuch, onlyUp), '');
  assert.equal(plan('Recreate', pods, onlyUp), 'evict a');
});

test('planUpdates() evicts what cannot be resized in place, where the mode has it', () => {
  const condition = (type: string, reason: string, agoMs: number) => ({
    conditions: [
      { type: 'Ready', status: 'True' },
      { type, status: 'True', reason, lastTransitionTime: formatTime(start + hour - agoMs) },
    ],
  });
  // Its spec is as asked, so nothing is off there.
  const plan = (updateMode: string, more: object) =>
    words(
      planUpdates(
        autoscaler(mode(updateMode), [recommended('500m')]),
        [pod('a', '500m', more), pod('b', '500m')],
        options(2),
      ),
    );
  const infeasible = condition('PodResizePending', 'Infeasible', 1000);
  assert.equal(plan('InPlaceOrRecreate', infeasible), 'evict a');
  assert.equal(plan('InPlace', infeasible), '');
  assert.equal(plan('InPlaceOrRecreate', condition('PodResizePending', 'Deferred', 60_000)), '');
  assert.equal(plan('InPlaceOrRecreate', condition('PodResizePending', 'Deferred', 600_000)), 'evict a');
  assert.equal(plan('InPlaceOrRecreate', condition('PodResizeInProgress', '', 600_000)), '');
  assert.equal(plan('InPlaceOrRecreate', condition('PodResizeInProgress', 'Error', 1000)), 'evict a');
  const refused = planUpdates(
    autoscaler(mode('InPlaceOrRecreate'), [recommended('500m')]),
    [pod('a', '100m'), pod('b', '500m')],
    { ...options(2), isRefused: ({ metadata }) => metadata.name === 'a' },
  );
  assert.equal(words(refused), 'evict a');
});

test('planUpdates() makes no storm of evictions, whatever is off and however pods fare', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = new SeededRandom(seed);
    const replicas = 1 + random.integer(40);
    const least = 1 + random.integer(3);
    const isInPlace = random.integer(3) === 0;
    const subject = autoscaler(mode(isInPlace ? 'InPlaceOrRecreate' : 'Recreate', { minReplicas: least }), [
      recommended('500m'),
    ]);
    const pace = new Pace(30, 60_000);
    /** Ready from a look on; undefined: gone. */
    let pods = Array.from({ length: replicas }, (_, i) => ({ name: `p${i}`, cpu: '100m', readyAt: 0 }));
    let made = replicas;
    const evictedAt: number[] = [];
    for (let look = 0; look < 120; look++) {
      const nowMs = start + look * 60_000;
      // Somebody else disturbs them too.
      if (random.integer(6) === 0)
        for (const one of pods) if (random.integer(3) === 0) one.readyAt = look + 2;
      const shown = pods.map(({ name, cpu, readyAt }) => pod(name, cpu, {}, readyAt <= look));
      const ready = shown.filter(({ status }) => status?.conditions?.[0]?.status === 'True').length;
      const updates = planUpdates(subject, shown, {
        nowMs,
        replicas,
        isRefused: () => random.integer(2) === 0,
        evictionsLeft: pace.left(nowMs),
      });
      const evicted = new Set(
        updates.filter(({ kind }) => kind === 'evict').map(({ pod: { metadata } }) => metadata.name),
      );
      pace.take(nowMs, evicted.size);
      for (const _ of evicted) evictedAt.push(nowMs);
      const why = `seed ${seed}, look ${look}: ${evicted.size} of ${replicas}, ${ready} ready`;
      assert.ok(evicted.size <= Math.max(1, Math.floor(replicas / 4)), why);
      if (evicted.size > 0) {
        assert.ok(replicas - ready + evicted.size <= Math.max(1, Math.floor(replicas / 2)), why);
        assert.ok(replicas >= least, why);
      }
      for (const { kind, pod: one } of updates)
        if (kind === 'resize') for (const two of pods) if (two.name === one.metadata.name) two.cpu = '500m';
      pods = pods.map((one) =>
        evicted.has(one.name)
          ? { name: `p${made++}`, cpu: '500m', readyAt: look + 1 + random.integer(4) }
          : one,
      );
    }
    for (const atMs of evictedAt)
      assert.ok(evictedAt.filter((one) => one > atMs - 60_000 && one <= atMs).length <= 30, `seed ${seed}`);
    if (replicas >= least && replicas > 1)
      assert.ok(
        pods.filter(({ cpu }) => cpu === '500m').length > pods.length / 2,
        `seed ${seed}: most came to be right`,
      );
  }
});
