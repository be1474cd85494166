/** Users who have GPUs and want some, who say how their pods are placed, and who have pods moved. */
import { type KubeObject, nodes, pods, rebalancePolicies, schedulingProfiles } from '../api/index.ts';
import type { ResourceRef } from '../client/index.ts';
import { isError } from '../lib/index.ts';
import { nodeName, type WishAction } from './plan.ts';
import { podsOf, smallPod } from './user-groups.ts';
import { orThere } from './user-placement.ts';
import type { World } from './world.ts';

const home = 'default';
const prefix = 'scheduling.caelum.dev/';
export const profileScheduler = (number: number): string => `wishes-${number}`;

type Of<Kind extends WishAction['kind']> = WishAction & { readonly kind: Kind };

export async function carryOutWishes(world: World, action: WishAction): Promise<void> {
  const { user } = world;
  switch (action.kind) {
    case 'gpus':
      await user.patch(nodes, undefined, nodeName(action.node), 'merge', {
        metadata: {
          labels: {
            [`${prefix}gpu-count`]: action.count === 0 ? null : String(action.count),
            [`${prefix}gpu-model`]: action.count === 0 ? null : action.model,
          },
        },
      });
      return;
    case 'gpuPods':
      return askGpus(world, action);
    case 'profile':
      return sayHow(world, action);
    case 'dropProfile':
      await user.delete(schedulingProfiles, undefined, `profile-${action.number}`);
      return;
    case 'wishes':
      return wish(world, action);
    case 'rebalance':
      return rebalance(world, action);
    default: {
      const batch = `${action.kind === 'dropGpuPods' ? 'gpu' : 'wish'}-${action.number}`;
      for (const { metadata } of podsOf(world, batch)) await user.delete(pods, home, metadata.name ?? '');
    }
  }
}

async function askGpus({ user }: World, action: Of<'gpuPods'>): Promise<void> {
  const batch = `gpu-${action.number}`;
  const annotations = {
    [`${prefix}gpu-milli`]: String(action.milli),
    ...(action.count === 1 ? {} : { [`${prefix}gpu-count`]: String(action.count) }),
    ...(action.models.length === 0 ? {} : { [`${prefix}gpu-models`]: action.models.join('|') }),
  };
  for (let i = 0; i < action.pods; i++)
    await orThere(user.create(pods, smallPod(`${batch}-${i}`, batch, 20, { annotations })));
}

async function wish({ user }: World, action: Of<'wishes'>): Promise<void> {
  const batch = `wish-${action.number}`;
  const spec = { schedulerName: profileScheduler(action.profile) };
  for (let i = 0; i < action.pods; i++)
    await orThere(user.create(pods, smallPod(`${batch}-${i}`, batch, action.cpuMilli, { spec })));
}

async function sayHow({ user }: World, action: Of<'profile'>): Promise<void> {
  const name = `profile-${action.number}`;
  const isOwn = action.strategy === 'Wished' || action.strategy === 'Failing';
  const node = nodeName(action.node);
  const expression =
    action.strategy === 'Wished'
      ? `node.name == "${node}" ? 100.0 : 0.0`
      : `int(node.labels["there-is-no-such-label"]) > 0 ? 100.0 : 0.0`;
  const own = {
    strategy: isOwn ? 'Custom' : action.strategy,
    custom: isOwn ? { expression } : null,
    prices: action.strategy === 'CostAware' ? [{ hourly: '0.5' }] : null,
    locations: action.strategy === 'LocationAware' ? { preferred: [{ zone: 'zone-0' }] } : null,
    // Nothing else counts beside it.
    strategyWeight: isOwn ? 100 : 10,
  };
  await makeOrChange(user, schedulingProfiles, 'SchedulingProfile', name, {
    schedulerName: profileScheduler(action.number),
    ...own,
  });
}

async function rebalance({ user }: World, action: Of<'rebalance'>): Promise<void> {
  const spec = {
    mode: action.mode,
    interval: `${action.intervalMs / 1000}s`,
    strategies: action.strategies.map((type) => ({
      type,
      ...(type === 'Defragment' ? { thresholds: { cpu: 40 } } : {}),
      ...(type === 'LowUtilization' ? { thresholds: { cpu: 30 }, targetThresholds: { cpu: 60 } } : {}),
    })),
    limits: { moves: action.moves, movesPerNode: action.movesPerNode },
    excludedNamespaces: ['kube-system'],
  };
  await makeOrChange(user, rebalancePolicies, 'RebalancePolicy', 'tidy', spec);
}

async function makeOrChange(
  user: World['user'],
  ref: ResourceRef,
  kind: string,
  name: string,
  spec: Readonly<Record<string, unknown>>,
): Promise<void> {
  const said = Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== null));
  try {
    await user.create(ref, {
      apiVersion: 'scheduling.caelum.dev/v1',
      kind,
      metadata: { name },
      spec: said,
    } as KubeObject);
  } catch (error) {
    if (!isError(error, 'alreadyExists')) throw error;
    await user.patch(ref, undefined, name, 'merge', { spec });
  }
}
