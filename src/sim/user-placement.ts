/** Users who fill nodes with pods that may be put out of their place, hold pods back by gates, and take nodes out of the cloud. */
import { type KubeObject, nodes, type Pod, pods, priorityClasses } from '../api/index.ts';
import { isError } from '../lib/index.ts';
import { nodeName, type PlacementAction } from './plan.ts';
import type { World } from './world.ts';

const home = 'default';
const values = { low: -10, lower: -20 } as const;

export async function carryOutPlacement(world: World, action: PlacementAction): Promise<void> {
  const { user } = world;
  switch (action.kind) {
    case 'fill':
      return fill(world, action);
    case 'unfill':
      for (const pod of fillers(world, action.number)) await user.delete(pods, home, pod.metadata.name ?? '');
      return;
    case 'openGates':
      for (const pod of fillers(world, action.number))
        await user.patch(pods, home, pod.metadata.name ?? '', 'merge', { spec: { schedulingGates: null } });
      return;
    case 'dropNode':
      await user.delete(nodes, undefined, nodeName(action.node));
  }
}

const fillers = (world: World, number: number): readonly Pod[] =>
  [...world.truth.objects<Pod>('pods').values()].filter(
    ({ metadata }) => metadata.labels?.['fills'] === String(number) && metadata.namespace === home,
  );

async function fill(world: World, action: PlacementAction & { kind: 'fill' }): Promise<void> {
  const { number, level, mayPreempt, isGated, cpuMilli, memoryMiB } = action;
  const { user } = world;
  const className = await levelOf(user, level, mayPreempt);
  for (let i = 0; i < action.pods; i++)
    await orThere(
      user.create(pods, {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: `fill-${number}-${i}`, namespace: home, labels: { fills: String(number) } },
        spec: {
          priorityClassName: className,
          ...(isGated ? { schedulingGates: [{ name: 'sim.caelum.dev/not-yet' }] } : {}),
          containers: [
            {
              name: 'main',
              image: 'image:0',
              resources: { requests: { cpu: `${cpuMilli}m`, memory: `${memoryMiB}Mi` } },
            },
          ],
        },
      } as KubeObject),
    );
}

/** The name of the class, which is there then. */
export async function levelOf(
  user: World['user'],
  level: keyof typeof values,
  mayPreempt: boolean,
): Promise<string> {
  const name = `${level}-${mayPreempt ? 'preempts' : 'waits'}`;
  await orThere(
    user.create(priorityClasses, {
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: { name },
      value: values[level],
      preemptionPolicy: mayPreempt ? 'PreemptLowerPriority' : 'Never',
    } as KubeObject),
  );
  return name;
}

/** It may have been made before. */
export async function orThere(made: Promise<unknown>): Promise<void> {
  try {
    await made;
  } catch (error) {
    if (!isError(error, 'alreadyExists')) throw error;
  }
}
