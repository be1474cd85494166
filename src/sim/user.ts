/**
 * Users of a world: each action is some requests, over the same network as everybody's. What fails, fails: a user tries once or three times, and
 * what became of it is not known. Errors that a well-meant request may get are no matter; others are a property's affair.
 */
import {
  configMaps,
  type Deployment,
  deployments,
  type KubeObject,
  type Node,
  namespaces,
  nodes,
  type Pod,
  pods,
  type ResourceQuota,
  replicaSets,
  resourceQuotas,
  type Service,
  secrets,
  services,
} from '../api/index.ts';
import { isError } from '../lib/index.ts';
import { type Action, nodeName, type WorkloadPlan } from './plan.ts';
import { carryOutGroups } from './user-groups.ts';
import { carryOutOther } from './user-kinds.ts';
import { carryOutPlacement } from './user-placement.ts';
import { carryOutScaling } from './user-scaling.ts';
import { carryOutTenants } from './user-tenants.ts';
import { carryOutWishes } from './user-wishes.ts';
import type { World } from './world.ts';

const taintKey = 'sim.caelum.dev/out';
const home = 'default';
const strangerUid = '00000000-0000-4000-8000-000000000000';

const lastTriesMax = 20;
const lastPauseMs = 2000;

/** Carries out one action. Resolves when the user has his answer, or has given up. */
export async function act(world: World, action: Action): Promise<void> {
  // What must be so in the end is insisted on.
  const isLast = action.atMs >= world.plan.activeMs;
  for (let tries = 0; tries < (isLast ? lastTriesMax : 3); tries++) {
    if (isLast && tries >= 3) await world.clock.sleep(lastPauseMs);
    try {
      await carryOut(world, action);
      return;
    } catch (error) {
      if (!isError(error)) throw error;
      world.count(`user: ${error.code}`);
      if (error.code === 'internal')
        throw new Error(`${action.kind}: the API server answered with an internal error: ${error.message}`);
      if (!isError(error, 'timeout', 'unavailable', 'conflict', 'storageFull')) return;
    }
  }
}

const appName = (app: number): string => `app-${app}`;

async function carryOut(world: World, action: Action): Promise<void> {
  const api = world.user;
  switch (action.kind) {
    case 'deploy':
      await api.create(deployments, deploymentOf(home, appName(action.app), action.workload));
      return;
    case 'scale':
      await api.patch(deployments, home, appName(action.app), 'merge', {
        spec: { replicas: action.replicas },
      });
      return;
    case 'roll':
      await api.patch(deployments, home, appName(action.app), 'strategic', {
        spec: { template: { spec: { containers: [{ name: 'main', image: `image:${action.image}` }] } } },
      });
      return;
    case 'pause':
      await api.patch(deployments, home, appName(action.app), 'merge', { spec: { paused: action.paused } });
      return;
    case 'undeploy':
      await api.delete(deployments, home, appName(action.app), { propagationPolicy: action.propagation });
      return;
    case 'serve':
      await api.create(services, serviceOf(appName(action.app)));
      return;
    case 'unserve':
      await api.delete(services, home, appName(action.app));
      return;
    case 'job':
      await makeJob(world, action);
      return;
    case 'deletePod': {
      const pod = pick(world, action.pick);
      const options = action.force === true ? { gracePeriodSeconds: 0 } : {};
      if (pod !== undefined) await api.delete(pods, pod.metadata.namespace, pod.metadata.name ?? '', options);
      return;
    }
    case 'relabelPod': {
      const pod = pick(world, action.pick);
      const patch = { metadata: { labels: { app: 'nobody' } } };
      if (pod !== undefined)
        await api.patch(pods, pod.metadata.namespace, pod.metadata.name ?? '', 'merge', patch);
      return;
    }
    case 'cordon':
      await api.patch(nodes, undefined, nodeName(action.node), 'merge', {
        spec: { unschedulable: action.on ? true : null },
      });
      return;
    case 'taint':
      await taint(world, action);
      return;
    case 'namespace':
      await makeNamespace(world, action.number, action.apps);
      return;
    case 'dropNamespace':
      await api.delete(namespaces, undefined, `space-${action.number}`);
      return;
    case 'nonsense':
      await nonsense(world, action.pick);
      return;
    case 'fill':
    case 'unfill':
    case 'openGates':
    case 'dropNode':
      return carryOutPlacement(world, action);
    case 'tenants':
    case 'tenantPods':
    case 'dropTenantPods':
    case 'limitTenant':
      return carryOutTenants(world, action);
    case 'gang':
    case 'dropGang':
    case 'reserve':
    case 'unreserve':
    case 'guests':
    case 'dropGuests':
      return carryOutGroups(world, action);
    case 'gpus':
    case 'gpuPods':
    case 'dropGpuPods':
    case 'profile':
    case 'dropProfile':
    case 'wishes':
    case 'dropWishes':
    case 'rebalance':
      return carryOutWishes(world, action);
    case 'burden':
    case 'scaler':
    case 'dropScaler':
    case 'load':
      return carryOutScaling(world, action);
    default:
      await carryOutOther(world, action);
  }
}

/** Some pod of those that are there, by the truth: users look at what they have. */
function pick(world: World, number: number): Pod | undefined {
  const all = [...world.truth.objects<Pod>('pods').values()];
  return all[number % Math.max(1, all.length)];
}

async function taint(world: World, action: Action & { kind: 'taint' }): Promise<void> {
  const node = await world.user.get<Node>(nodes, undefined, nodeName(action.node));
  const others = (node.spec?.taints ?? []).filter(
    ({ key, effect }) => key !== taintKey || effect !== action.effect,
  );
  const taints = action.on ? [...others, { key: taintKey, effect: action.effect }] : others;
  const { resourceVersion } = node.metadata;
  await world.user.patch(nodes, undefined, nodeName(action.node), 'merge', {
    metadata: { resourceVersion },
    spec: { taints },
  });
}

async function makeNamespace(world: World, number: number, apps: number): Promise<void> {
  const name = `space-${number}`;
  await world.user.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  const small: WorkloadPlan = {
    replicas: 2,
    cpuMilli: 20,
    memoryMiB: 16,
    maxSurge: 1,
    maxUnavailable: 0,
    strategy: 'RollingUpdate',
    placement: 'anywhere',
  };
  await world.user.create<ResourceQuota>(resourceQuotas, {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'small', namespace: name },
    spec: { hard: { pods: String(12 + apps * small.replicas), secrets: '2' } },
  });
  // More at once than there may be.
  const made = [0, 1, 2, 3].map((secret) =>
    world.user.create(secrets, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: `secret-${secret}`, namespace: name },
    }),
  );
  for (const outcome of await Promise.allSettled(made))
    if (outcome.status === 'rejected' && !isError(outcome.reason, 'forbidden')) throw outcome.reason;
  for (let app = 0; app < apps; app++)
    await world.user.create(deployments, deploymentOf(name, appName(app), small));
}

/** What must be refused, and change nothing. */
async function nonsense(world: World, number: number): Promise<void> {
  const api = world.user;
  const bad: (() => Promise<unknown>)[] = [
    () =>
      api.create(pods, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'Bad_Name', namespace: home } }),
    () =>
      api.create(deployments, {
        ...deploymentOf(home, 'bad', {
          replicas: -1,
          cpuMilli: 1,
          memoryMiB: 1,
          maxSurge: 0,
          maxUnavailable: 0,
          strategy: 'RollingUpdate',
          placement: 'anywhere',
        }),
      }),
    () => api.patch(replicaSets, home, 'none', 'json', [{ op: 'nothing', path: '/' }]),
    () => api.get(pods, home, 'there-is-none'),
    () => bindElsewhere(world, number),
    () => api.delete(namespaces, undefined, 'space-0', { preconditions: { uid: strangerUid } }),
    () => api.delete(services, home, appName(0), { preconditions: { uid: strangerUid } }),
    () => api.delete(services, home, appName(0), { preconditions: { resourceVersion: '1' } }),
    () =>
      api.patch(services, home, appName(0), 'merge', {
        metadata: { uid: strangerUid, labels: { meant: 'another' } },
      }),
    () =>
      api.update(deployments, {
        ...deploymentOf(home, appName(0), {
          replicas: 1,
          cpuMilli: 1,
          memoryMiB: 1,
          maxSurge: 1,
          maxUnavailable: 1,
          strategy: 'RollingUpdate',
          placement: 'anywhere',
        }),
        metadata: { name: appName(0), namespace: home, resourceVersion: '1' },
      } as Deployment),
  ];
  try {
    await (bad[number % bad.length] as () => Promise<unknown>)();
  } catch (error) {
    if (!isError(error)) throw error;
    return;
  }
  throw new Error(`nonsense ${number % bad.length} was accepted`);
}

/** A pod that has a node does not get another. */
async function bindElsewhere(world: World, number: number): Promise<unknown> {
  const bound = [...world.truth.objects<Pod>('pods').values()].filter(({ spec }) => spec?.nodeName);
  const pod = bound[number % Math.max(1, bound.length)];
  const { namespace = home, name = 'there-is-none' } = pod?.metadata ?? {};
  const other = world.plan.nodes.findIndex((_, index) => nodeName(index) !== pod?.spec?.nodeName);
  return world.user.createSubresource(pods, namespace, name, 'binding', {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { name, namespace },
    target: { apiVersion: 'v1', kind: 'Node', name: nodeName(Math.max(0, other)) },
  } as KubeObject);
}

function deploymentOf(namespace: string, name: string, workload: WorkloadPlan): Deployment {
  const labels = { app: name };
  const selector = { matchLabels: labels };
  const { placement, strategy, maxSurge, maxUnavailable } = workload;
  const spreading = (topologyKey: string) => ({
    topologySpreadConstraints: [
      { maxSkew: 1, topologyKey, whenUnsatisfiable: 'ScheduleAnyway', labelSelector: selector },
    ],
  });
  const apart = {
    affinity: {
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          { labelSelector: selector, topologyKey: 'kubernetes.io/hostname' },
        ],
      },
    },
  };
  const where =
    placement === 'apart'
      ? apart
      : placement === 'spread'
        ? spreading('kubernetes.io/hostname')
        : placement === 'zone'
          ? spreading('topology.kubernetes.io/zone')
          : {};
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: {
      replicas: workload.replicas,
      revisionHistoryLimit: 2,
      selector,
      strategy:
        strategy === 'Recreate'
          ? { type: strategy }
          : { type: strategy, rollingUpdate: { maxSurge, maxUnavailable } },
      template: {
        metadata: { labels },
        spec: {
          ...where,
          containers: [
            {
              name: 'main',
              image: 'image:0',
              resources: {
                requests: { cpu: `${workload.cpuMilli}m`, memory: `${workload.memoryMiB}Mi` },
              },
            },
          ],
        },
      },
    },
  } as Deployment;
}

function serviceOf(name: string): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: home },
    spec: { selector: { app: name }, ports: [{ name: 'http', port: 80, targetPort: 8080, protocol: 'TCP' }] },
  };
}

/** Half of them belong to a ConfigMap that was made a moment before: an owner that not everybody has heard of. */
async function makeJob(
  world: World,
  { number, exitAfterMs, exitCode }: Action & { kind: 'job' },
): Promise<void> {
  const { user } = world;
  const pod = jobPod(number, exitAfterMs, exitCode);
  if (number % 2 === 0) {
    await user.create(pods, pod);
    return;
  }
  const name = `job-${number}-${exitAfterMs}`;
  const { uid = '' } = (
    await user.create<KubeObject>(configMaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace: home },
    })
  ).metadata;
  const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name, uid }];
  await user.create(pods, { ...pod, metadata: { ...pod.metadata, ownerReferences } });
}

function jobPod(number: number, exitAfterMs: number, exitCode: number): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `job-${number}`,
      namespace: home,
      annotations: {
        'hollow.caelum.dev/exit-after-ms': String(exitAfterMs),
        'hollow.caelum.dev/exit-code': String(exitCode),
      },
    },
    spec: {
      restartPolicy: 'Never',
      containers: [
        {
          name: 'main',
          image: 'image:0',
          // A real agent goes by the command, a hollow one by the annotations.
          command: ['exit-after', String(exitAfterMs), String(exitCode)],
          resources: { requests: { cpu: '10m', memory: '8Mi' } },
        },
      ],
    },
  } as KubeObject;
}
