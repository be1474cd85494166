/** Users of gangs and of reservations. */
import { type KubeObject, type Pod, podGroups, pods, replicaSets, reservations } from '../api/index.ts';
import { isError } from '../lib/index.ts';
import type { GroupAction } from './plan.ts';
import { levelOf, orThere } from './user-placement.ts';
import type { World } from './world.ts';

const home = 'default';
const prefix = 'scheduling.caelum.dev/';
/** Pods of a user's, by what they came with. */
const batchLabel = 'came-with';

type Of<Kind extends GroupAction['kind']> = GroupAction & { readonly kind: Kind };

export async function carryOutGroups(world: World, action: GroupAction): Promise<void> {
  switch (action.kind) {
    case 'gang':
      return gather(world, action);
    case 'dropGang':
      return dropGang(world, action);
    case 'reserve':
      return reserve(world, action);
    case 'unreserve':
      await world.user.delete(reservations, home, heldName(action.number));
      return;
    case 'guests':
      return invite(world, action);
    default:
      for (const pod of podsOf(world, `guest-${action.number}`))
        await world.user.delete(pods, home, pod.metadata.name ?? '');
  }
}

const heldName = (number: number): string => `held-${number}`;

export const podsOf = (world: World, batch: string): readonly Pod[] =>
  [...world.truth.objects<Pod>('pods').values()].filter(
    ({ metadata }) => metadata.labels?.[batchLabel] === batch && metadata.namespace === home,
  );

export const smallPod = (
  name: string,
  batch: string,
  cpuMilli: number,
  more: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly spec?: object;
  } = {},
): KubeObject =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: home,
      labels: { [batchLabel]: batch, ...more.labels },
      annotations: more.annotations ?? {},
    },
    spec: {
      ...more.spec,
      containers: [
        {
          name: 'main',
          image: 'image:0',
          resources: { requests: { cpu: `${cpuMilli}m`, memory: '16Mi' } },
        },
      ],
    },
  }) as KubeObject;

async function gather({ user }: World, action: Of<'gang'>): Promise<void> {
  const name = `gang-${action.number}`;
  const { minCount, isTogether, goesTogether, cpuMilli } = action;
  const zone = 'topology.kubernetes.io/zone';
  if (action.by === 'group')
    await orThere(
      user.create(podGroups, {
        apiVersion: 'scheduling.k8s.io/v1alpha2',
        kind: 'PodGroup',
        metadata: { name, namespace: home },
        spec: {
          schedulingPolicy: { gang: { minCount } },
          ...(isTogether ? { schedulingConstraints: { topology: [{ key: zone }] } } : {}),
          ...(goesTogether ? { disruptionMode: 'PodGroup' } : {}),
        },
      } as KubeObject),
    );
  const { metadata, spec } = smallPod(name, name, cpuMilli, {
    ...(action.by === 'group'
      ? {}
      : {
          labels: { [`${prefix}pod-group`]: name },
          annotations: {
            [`${prefix}pod-group-min-count`]: String(minCount),
            ...(isTogether ? { [`${prefix}pod-group-topology`]: zone } : {}),
          },
        }),
    spec: {
      ...(action.by === 'group' ? { schedulingGroup: { podGroupName: name } } : {}),
      ...(action.isLow ? { priorityClassName: await levelOf(user, 'low', true) } : {}),
    },
  }) as Pod;
  if (!action.isOwned) {
    for (let i = 0; i < action.pods; i++)
      await orThere(
        user.create(pods, {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { ...metadata, name: `${name}-${i}` },
          spec,
        } as KubeObject),
      );
    return;
  }
  const { labels, annotations } = metadata;
  await orThere(
    user.create(replicaSets, {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: { name, namespace: home },
      spec: {
        replicas: 0,
        selector: { matchLabels: { [batchLabel]: name } },
        template: { metadata: { labels, annotations }, spec },
      },
    } as KubeObject),
  );
  await user.patch(replicaSets, home, name, 'merge', { spec: { replicas: action.pods } });
}

async function dropGang(world: World, { number, what }: Of<'dropGang'>): Promise<void> {
  const { user } = world;
  const name = `gang-${number}`;
  const ignored = async (gone: Promise<unknown>): Promise<void> => {
    await gone.catch((error: unknown) => {
      if (!isError(error, 'notFound')) throw error;
    });
  };
  if (what !== 'some') await ignored(user.delete(podGroups, home, name));
  if (what === 'group') return;
  if (what === 'all')
    await ignored(user.delete(replicaSets, home, name, { propagationPolicy: 'Background' }));
  const members = podsOf(world, name);
  for (const { metadata } of what === 'all' ? members : members.slice(0, Math.ceil(members.length / 2)))
    await ignored(user.delete(pods, home, metadata.name ?? ''));
}

async function reserve({ user }: World, action: Of<'reserve'>): Promise<void> {
  const name = heldName(action.number);
  const spec = {
    count: action.count,
    template: { requests: { cpu: `${action.cpuMilli}m`, memory: '16Mi' } },
    mode: action.isPartial ? 'Partial' : 'AllOrNone',
    whenRefused: action.mayFail ? 'Fail' : 'Wait',
    selector: { matchLabels: { guests: name } },
    ...(action.ttlMs === 0 ? {} : { ttl: `${action.ttlMs}ms` }),
  };
  try {
    await user.create(reservations, {
      apiVersion: 'scheduling.caelum.dev/v1',
      kind: 'Reservation',
      metadata: { name, namespace: home },
      spec,
    } as KubeObject);
  } catch (error) {
    if (!isError(error, 'alreadyExists')) throw error;
    // How many, and until when, may be changed.
    await user.patch(reservations, home, name, 'merge', {
      spec: { count: action.count, ttl: action.ttlMs === 0 ? null : `${action.ttlMs}ms` },
    });
  }
}

async function invite({ user }: World, action: Of<'guests'>): Promise<void> {
  const batch = `guest-${action.number}`;
  const name = heldName(action.reservation);
  for (let i = 0; i < action.pods; i++)
    await orThere(
      user.create(
        pods,
        smallPod(
          `${batch}-${i}`,
          batch,
          action.cpuMilli,
          action.isNamed ? { annotations: { [`${prefix}reservation`]: name } } : { labels: { guests: name } },
        ),
      ),
    );
}
