/**
 * Tenants who share one node of their own, from draws of their own: queues with what they are guaranteed, and pods that come and go and are more than there is room
 * for. The node is theirs by a taint, so that nobody else's pods are in the way of what they are guaranteed.
 */
import type { Random } from '../lib/index.ts';
import type { NodePlan, TenantAction } from './plan.ts';

type Timed = TenantAction & { readonly atMs: number };

const chance = (random: Random, of: number): boolean => random.float() < of;

export function tenantActions(
  random: Random,
  activeMs: number,
  nodes: readonly NodePlan[],
): readonly Timed[] {
  return nodes.length < 3 || !chance(random, 0.4) ? [] : tenants(random, activeMs, nodes);
}

export function tenants(random: Random, activeMs: number, nodes: readonly NodePlan[]): readonly Timed[] {
  const node = nodes.length - 1;
  const whole = (nodes[node]?.cpuCount ?? 4) * 1000;
  const guaranteedMilli: number[] = [];
  let left = whole;
  for (let tenant = 2 + random.integer(2); tenant > 0; tenant--) {
    const its = Math.floor((left * random.float()) / 500) * 500;
    left -= its;
    guaranteedMilli.push(its);
  }
  const actions: Timed[] = [{ kind: 'tenants', node, guaranteedMilli, atMs: 1500 + random.integer(2000) }];
  let number = 0;
  for (let atMs = 4000; atMs < activeMs && actions.length < 30; ) {
    const tenant = random.integer(guaranteedMilli.length);
    if (chance(random, 0.3) && number > 0)
      actions.push({ kind: 'dropTenantPods', number: random.integer(number), atMs });
    else
      actions.push({
        kind: 'tenantPods',
        tenant,
        number: number++,
        pods: 1 + random.integer(6),
        cpuMilli: 250 * (1 + random.integer(8)),
        atMs,
      });
    atMs += 1 + Math.floor(-Math.log(1 - random.float()) * 12_000);
  }
  // What they are guaranteed may become another thing.
  if (chance(random, 0.3))
    actions.push({
      kind: 'tenants',
      node,
      guaranteedMilli: [...guaranteedMilli].reverse(),
      atMs: random.integer(activeMs),
    });
  return [...actions.map((action) => together(random, action)), ...limits(random, activeMs, guaranteedMilli)];
}

/** Some come as gangs. From draws of their own. */
function together(random: Random, action: Timed): Timed {
  if (action.kind !== 'tenantPods' || action.pods < 2) return action;
  const own = random.stream(`gang ${action.number}`);
  return chance(own, 0.2) ? { ...action, gang: 2 + own.integer(action.pods - 1) } : action;
}

function limits(random: Random, activeMs: number, guaranteedMilli: readonly number[]): readonly Timed[] {
  const own = random.stream('limits');
  if (!chance(own, 0.6)) return [];
  return Array.from({ length: 1 + own.integer(4) }, (): Timed => {
    const tenant = own.integer(guaranteedMilli.length);
    const least = guaranteedMilli[tenant] ?? 0;
    return {
      kind: 'limitTenant',
      tenant,
      maxMilli: chance(own, 0.7) ? least + 250 * own.integer(12) : 0,
      mayBorrow: chance(own, 0.7),
      atMs: 3500 + own.integer(activeMs - 4000),
    };
  });
}
