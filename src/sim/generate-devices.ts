/** What drivers of devices and users of these do, from draws of their own: a plan without them is the plan that it would be if these were not. */
import type { Random } from '../lib/index.ts';
import type { DeviceAction } from './plan.ts';

type Timed = DeviceAction & { readonly atMs: number };

const chance = (random: Random, of: number): boolean => random.float() < of;

export function deviceActions(random: Random, activeMs: number, nodeCount: number): readonly Timed[] {
  if (!chance(random, 0.3)) return [];
  const at = (): number => random.integer(activeMs);
  const apps = 1 + random.integer(3);
  const actions: Timed[] = [];
  for (let node = 0; node < nodeCount; node++)
    actions.push({ kind: 'devices', node, count: random.integer(4), atMs: random.integer(10_000) });
  for (let app = 0; app < apps; app++)
    actions.push({
      kind: 'claimers',
      number: app,
      replicas: 1 + random.integer(4),
      devices: 1 + random.integer(2),
      isShared: chance(random, 0.3),
      atMs: random.integer(20_000),
    });
  for (let more = random.integer(12); more > 0; more--) {
    const what = random.integer(4);
    if (what === 0)
      // A driver finds devices, or loses some that may be somebody's.
      actions.push({
        kind: 'devices',
        node: random.integer(nodeCount),
        count: random.integer(4),
        atMs: at(),
      });
    else if (what === 1) actions.push({ kind: 'dropClaimers', number: random.integer(apps), atMs: at() });
    else
      actions.push({
        kind: 'scaleClaimers',
        number: random.integer(apps),
        replicas: random.integer(5),
        atMs: at(),
      });
  }
  return actions;
}
