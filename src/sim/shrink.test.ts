import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generatePlan } from './generate.ts';
import type { Action, Fault, SimPlan } from './plan.ts';
import { shrink } from './shrink.ts';

const isRoll = (action: Action): boolean => action.kind === 'roll' && action.app === 0;
const isKill = (fault: Fault): boolean => fault.kind === 'kill' && fault.process === 'controllers';

const base = generatePlan(22);
const culprits: SimPlan = {
  ...base,
  actions: [...base.actions, { kind: 'roll', app: 0, image: 3, atMs: 30_000 } as const].sort(
    (a, b) => a.atMs - b.atMs,
  ),
  faults: [
    ...base.faults,
    { kind: 'kill', process: 'controllers', afterSends: 7, atMs: 31_000, forMs: 90_000 },
  ],
};

test('shrink() leaves the one action and the one fault that it takes', async () => {
  const { plan, runs } = await shrink(
    culprits,
    async ({ actions, faults }) => actions.some(isRoll) && faults.some(isKill),
  );
  assert.equal(plan.actions.length, 1);
  assert.ok(isRoll(plan.actions[0] as Action));
  assert.deepEqual(
    plan.faults.map(({ kind, forMs }) => [kind, forMs]),
    [['kill', 200]],
  );
  assert.equal(plan.nodes.length, 1);
  assert.ok(plan.activeMs < culprits.activeMs);
  assert.ok(runs <= 200);
});

test('shrink() runs no more than it may, and answers a plan that fails', async () => {
  let count = 0;
  const fails = async ({ actions }: SimPlan): Promise<boolean> => {
    count++;
    return actions.filter(({ kind }) => kind === 'scale').length >= 2;
  };
  const { plan, runs } = await shrink(culprits, fails, { runsMax: 9 });
  assert.equal(runs, 9);
  assert.equal(count, 9);
  assert.ok(await fails(plan));
});

test('shrink() answers the plan itself when nothing can go', async () => {
  const { plan } = await shrink(culprits, async () => false);
  assert.deepEqual(plan, culprits);
});

test('shrink() makes only fair plans: what is closed is opened in the end, faults end in time, names are of nodes that are there', async () => {
  const unfair: string[] = [];
  const fails = async (plan: SimPlan): Promise<boolean> => {
    const { actions, faults, activeMs, nodes } = plan;
    for (const action of actions) {
      if ((action.kind !== 'cordon' && action.kind !== 'taint') || !action.on) continue;
      const isOpened = actions.some(
        (other) =>
          other.kind === action.kind && other.node === action.node && !other.on && other.atMs === activeMs,
      );
      if (!isOpened) unfair.push(`${action.kind} ${action.node} stays`);
    }
    for (const { atMs, forMs } of faults)
      if (atMs + forMs > activeMs) unfair.push('a fault outlasts the time');
    for (const one of [...actions, ...faults]) {
      const index =
        'node' in one ? one.node : 'process' in one ? Number(/\d+$/.exec(one.process)?.[0] ?? 0) : 0;
      if (index >= nodes.length) unfair.push(`${one.kind} of node ${index} of ${nodes.length}`);
    }
    return actions.some(({ kind }) => kind === 'cordon' || kind === 'taint') && faults.length > 2;
  };
  for (const seed of [4, 9, 22, 28, 33]) await shrink(generatePlan(seed), fails);
  assert.deepEqual(unfair, []);
});
