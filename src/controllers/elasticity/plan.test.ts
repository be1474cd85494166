/** Elasticity decided by tables and by chance: what triggers say of ranges, what is granted, and that nothing flaps. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ElasticityAction, ElasticityPolicySpec } from '../../api/index.ts';
import { SeededRandom } from '../../lib/index.ts';
import { forgotten, grant, type Past } from './limits.ts';
import type { Measured } from './measure.ts';
import { durationMs, evaluateTriggers, type Held } from './triggers.ts';
import { combine, needOf, portion, replicasFor, wishByActions } from './wishes.ts';

const metric = { type: 'External', external: { metric: { name: 'q' } } };
const trigger = (operator: string, threshold: string, duration = '0s', name = 't') => ({
  name,
  metric,
  operator,
  threshold,
  duration,
});
const known = (milli: number) => ({ kind: 'known', milli }) as const;
const partly = (milli: number) => ({ kind: 'partly', milli, silent: 2 }) as const;
const missing: Measured = { kind: 'missing', why: 'none' };

const comparisons: readonly (readonly [operator: string, value: Measured, holds: boolean])[] = [
  ['>', known(5001), true],
  ['>', known(5000), false],
  ['>=', known(5000), true],
  ['<', known(4999), true],
  ['<', known(5000), false],
  ['<=', known(5000), true],
  ['==', known(5000), true],
  ['==', known(5001), false],
  ['!=', known(5001), true],
  ['!=', known(5000), false],
  ['>', partly(5001), true],
  ['>', partly(4000), false],
  ['>=', partly(5000), true],
  ['<', partly(1), false],
  ['<=', partly(1), false],
  ['==', partly(5000), false],
  ['!=', partly(5001), true],
  ['!=', partly(4000), false],
  ['>', missing, false],
  ['<', missing, false],
  ['!=', missing, false],
  ['~', known(1), false],
];

test('evaluateTriggers() holds only what every possible value makes hold', () => {
  for (const [operator, value, holds] of comparisons) {
    const { states } = evaluateTriggers([trigger(operator, '5')], [value], new Map(), 0);
    assert.equal(states[0]?.isMet, holds, `${JSON.stringify(value)} ${operator} 5`);
  }
});

test('evaluateTriggers() begins the duration anew after a moment that cannot be told', () => {
  let held: Held = new Map();
  const firing = (value: Measured, atMs: number): boolean | undefined => {
    const now = evaluateTriggers([trigger('<', '5', '1m')], [value], held, atMs);
    held = now.held;
    return now.states[0]?.isFiring;
  };
  assert.equal(firing(known(1), 0), false);
  assert.equal(firing(known(1), 59_999), false);
  assert.equal(firing(known(1), 60_000), true);
  assert.equal(firing(missing, 75_000), false);
  assert.equal(firing(known(1), 90_000), false);
  assert.equal(firing(known(1), 149_999), false);
  assert.equal(firing(known(1), 150_000), true);
});

test('replicasFor() is demand and buffer', () => {
  assert.equal(replicasFor(1000, 100, '10%'), 11);
  assert.equal(replicasFor(1001, 100, '10%'), 12);
  assert.equal(replicasFor(1001, 100, 2), 13);
  assert.equal(replicasFor(0, 100, '50%'), 0);
  assert.equal(replicasFor(0, 100, 1), 1);
  assert.equal(replicasFor(1100, 100, undefined), 11);
  assert.equal(portion('50%', 3), 2);
  assert.equal(portion('1%', 3), 1);
});

test('wishByActions() adds the most, or takes the least', () => {
  const actions: readonly ElasticityAction[] = [
    { type: 'ScaleOut', amount: 1, when: ['a'] },
    { type: 'ScaleUp', amount: '100%', when: ['a', 'b'] },
    { type: 'ScaleIn', amount: 2, when: ['c'] },
    { type: 'ScaleDown', amount: 1, when: ['d'] },
    { type: 'SetTo', amount: 3, when: ['e'] },
  ];
  const wish = (...firing: string[]) =>
    wishByActions(
      actions,
      firing.map((name) => ({
        name,
        milli: 1,
        isMet: true,
        heldMs: 1,
        isFiring: true,
        missing: undefined,
      })),
      6,
    )?.replicas;
  assert.equal(wish(), undefined);
  assert.equal(wish('a'), 7);
  assert.equal(wish('b'), undefined);
  assert.equal(wish('a', 'b'), 12);
  assert.equal(wish('c'), 4);
  assert.equal(wish('c', 'd'), 5);
  assert.equal(wish('e'), 3);
  assert.equal(wish('a', 'c'), 7);
});

test('combine() never goes below what the demand needs, nor down on what is not known', () => {
  const capacity = { metric, perReplica: '1', buffer: 0, tolerance: '10%' };
  const need = (demand: Exclude<Measured, { kind: 'missing' }>) => needOf(capacity, demand, 1000, 'demand');
  const down = { replicas: 1, because: 'trigger' };
  assert.equal(combine(5, undefined, undefined).replicas, 5);
  assert.equal(combine(5, undefined, down).replicas, 1);
  assert.equal(combine(5, 'unknown', down).replicas, 5);
  assert.equal(combine(5, 'unknown', { replicas: 7, because: '' }).replicas, 7);
  assert.equal(combine(5, need(known(3000)), down).replicas, 4, 'with the tolerance');
  assert.equal(combine(5, need(known(4600)), undefined).replicas, 5);
  assert.equal(combine(5, need(partly(1000)), down).replicas, 5);
  assert.equal(combine(5, need(partly(9000)), down).replicas, 9);
});

/** Whatever the wishes are: the bound on changes that `limits.ts` states. */
test('grant() does not flap, whatever is wished for', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = new SeededRandom(seed);
    const cooldownMs = [0, 30_000, 60_000, 300_000][random.integer(4)] ?? 0;
    const outMs = random.integer(2) === 0 ? cooldownMs : Math.min(cooldownMs, 15_000);
    const rate = random.integer(3) === 0 ? { replicas: 1 + random.integer(8), period: '5m' } : undefined;
    const spec: ElasticityPolicySpec = {
      scaleTargetRef: { kind: 'Deployment', name: 'web' },
      cooldown: `${cooldownMs / 1000}s`,
      scaleOutCooldown: `${outMs / 1000}s`,
      constraints: {
        minReplicas: 1,
        maxReplicas: 40,
        stabilization: `${random.integer(3) * 60}s`,
        ...(random.integer(2) === 0 ? {} : { maxStep: random.integer(2) === 0 ? '20%' : 3 }),
        ...(rate === undefined ? {} : { maxRate: rate }),
      },
    };
    let past: Past = { wishes: [], changes: [], lastChangeMs: undefined };
    let current = 1 + random.integer(20);
    const changes: { atMs: number; by: number }[] = [];
    for (let atMs = 0; atMs < 7_200_000; atMs += 15_000) {
      // The worst: from one end to the other at each look.
      const replicas = random.integer(4) === 0 ? random.integer(60) : atMs % 30_000 === 0 ? 40 : 0;
      past = forgotten(past, spec, atMs);
      const { replicas: granted } = grant(spec, current, { replicas, because: '' }, past, atMs);
      assert.ok(granted >= 1 && granted <= 40, `seed ${seed}: ${granted} out of bounds`);
      past = { ...past, wishes: [...past.wishes, { atMs, replicas }] };
      const by = granted - current;
      if (by === 0) continue;
      const step = spec.constraints.maxStep;
      if (step !== undefined)
        assert.ok(Math.abs(by) <= portion(step, current), `seed ${seed}: a step of ${by} of ${current}`);
      changes.push({ atMs, by });
      past = { ...past, changes: [...past.changes, { atMs, by }], lastChangeMs: atMs };
      current = granted;
    }
    changes.forEach(({ atMs, by }, index) => {
      const before = changes[index - 1];
      if (before !== undefined)
        assert.ok(atMs - before.atMs >= (by > 0 ? outMs : cooldownMs), `seed ${seed}: too soon at ${atMs}`);
      const inPeriod = changes
        .slice(0, index + 1)
        .filter((one) => one.atMs > atMs - 300_000)
        .reduce((sum, one) => sum + Math.abs(one.by), 0);
      if (rate !== undefined) assert.ok(inPeriod <= rate.replicas, `seed ${seed}: ${inPeriod} within 5m`);
    });
    if (cooldownMs === 0) continue;
    const downs = changes.filter(({ by }) => by < 0).length;
    const turns = changes.filter(({ by }, index) => by > 0 !== (changes[index - 1]?.by ?? by) > 0).length;
    const most = 7_200_000 / cooldownMs + 1;
    assert.ok(downs <= most, `seed ${seed}: ${downs} changes down`);
    assert.ok(turns <= 2 * most + 1, `seed ${seed}: ${turns} turns`);
  }
});

test('durationMs() reads durations', () => {
  assert.equal(durationMs('1m30s'), 90_000);
  assert.equal(durationMs(undefined), 0);
});
