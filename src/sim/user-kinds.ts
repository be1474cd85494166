/** Users of the kinds beside Deployments: StatefulSets, DaemonSets, Jobs, CronJobs, budgets and autoscalers. */
import {
  cronJobs,
  daemonSets,
  horizontalPodAutoscalers,
  jobs,
  type KubeObject,
  type Pod,
  type PodTemplateSpec,
  persistentVolumeClaims,
  podDisruptionBudgets,
  pods,
  statefulSets,
} from '../api/index.ts';
import { isError } from '../lib/index.ts';
import type { BatchPlan, OtherAction } from './plan.ts';
import { carryOutDevices } from './user-devices.ts';
import type { World } from './world.ts';

const home = 'default';

const small = { requests: { cpu: '10m', memory: '8Mi' } };

const serving = (labels: Readonly<Record<string, string>>): PodTemplateSpec => ({
  metadata: { labels },
  spec: { containers: [{ name: 'main', image: 'image:0', resources: small }] },
});

/** A real agent goes by the command, a hollow one by the annotations. */
const ending = (
  { exitAfterMs, exitCode }: Pick<BatchPlan, 'exitAfterMs' | 'exitCode'>,
  labels: Readonly<Record<string, string>> = {},
): PodTemplateSpec => ({
  metadata: {
    labels,
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
        command: ['exit-after', String(exitAfterMs), String(exitCode)],
        resources: small,
      },
    ],
  },
});

const object = (apiVersion: string, kind: string, name: string, spec: object): KubeObject =>
  ({ apiVersion, kind, metadata: { name, namespace: home }, spec }) as KubeObject;

const image = (number: number): object => ({
  template: { spec: { containers: [{ name: 'main', image: `image:${number}` }] } },
});

export async function carryOutOther(world: World, action: OtherAction): Promise<void> {
  switch (action.kind) {
    case 'deploySet':
    case 'scaleSet':
    case 'rollSet':
    case 'dropSet':
    case 'growClaim':
      return withSet(world, action);
    case 'daemon':
    case 'rollDaemon':
    case 'dropDaemon':
      return withDaemon(world, action);
    case 'batch':
    case 'suspendBatch':
    case 'dropBatch':
      return withBatch(world, action);
    case 'cron':
    case 'dropCron':
      return withCron(world, action);
    case 'budget':
    case 'dropBudget':
    case 'evict':
      return withBudget(world, action);
    case 'autoscale':
    case 'dropAutoscale':
      return withAutoscaler(world, action);
    default:
      return carryOutDevices(world, action);
  }
}

const claimTemplate = {
  metadata: { name: 'data' },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
};

type Of<Kind extends OtherAction['kind']> = OtherAction & { readonly kind: Kind };

async function withSet(
  { user }: World,
  action: Of<'deploySet' | 'scaleSet' | 'rollSet' | 'dropSet' | 'growClaim'>,
): Promise<void> {
  const name = `set-${action.number}`;
  const labels = { set: name };
  switch (action.kind) {
    case 'deploySet': {
      const { replicas, isParallel, start, claims } = action.set;
      await user.create(
        statefulSets,
        object('apps/v1', 'StatefulSet', name, {
          replicas,
          serviceName: name,
          selector: { matchLabels: labels },
          podManagementPolicy: isParallel ? 'Parallel' : 'OrderedReady',
          revisionHistoryLimit: 2,
          ...(start === 0 ? {} : { ordinals: { start } }),
          template: serving(labels),
          ...(claims === undefined
            ? {}
            : { volumeClaimTemplates: [claimTemplate], persistentVolumeClaimRetentionPolicy: claims }),
        }),
      );
      return;
    }
    case 'growClaim':
      await user.patch(persistentVolumeClaims, home, `data-${name}-0`, 'merge', {
        spec: { resources: { requests: { storage: `${action.gibibytes}Gi` } } },
      });
      return;
    case 'scaleSet':
      await user.patch(statefulSets, home, name, 'merge', { spec: { replicas: action.replicas } });
      return;
    case 'rollSet': {
      const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { partition: action.partition } };
      await user.patch(statefulSets, home, name, 'strategic', {
        spec: { ...image(action.image), updateStrategy },
      });
      return;
    }
    default:
      await user.delete(statefulSets, home, name, { propagationPolicy: action.propagation });
  }
}

async function withDaemon(
  { user }: World,
  action: Of<'daemon' | 'rollDaemon' | 'dropDaemon'>,
): Promise<void> {
  const name = `daemon-${action.number}`;
  const labels = { daemon: name };
  if (action.kind === 'daemon') {
    const updateStrategy = { type: 'RollingUpdate', rollingUpdate: action.daemon };
    await user.create(
      daemonSets,
      object('apps/v1', 'DaemonSet', name, {
        selector: { matchLabels: labels },
        updateStrategy,
        revisionHistoryLimit: 2,
        template: serving(labels),
      }),
    );
  } else if (action.kind === 'rollDaemon')
    await user.patch(daemonSets, home, name, 'strategic', { spec: image(action.image) });
  else await user.delete(daemonSets, home, name, { propagationPolicy: action.propagation });
}

async function withBatch({ user }: World, action: Of<'batch' | 'suspendBatch' | 'dropBatch'>): Promise<void> {
  const name = `batch-${action.number}`;
  if (action.kind === 'batch') {
    const { completions, parallelism, isIndexed, backoffLimit } = action.batch;
    await user.create(
      jobs,
      object('batch/v1', 'Job', name, {
        completions,
        parallelism,
        completionMode: isIndexed ? 'Indexed' : 'NonIndexed',
        backoffLimit,
        template: ending(action.batch),
      }),
    );
  } else if (action.kind === 'suspendBatch')
    await user.patch(jobs, home, name, 'merge', { spec: { suspend: action.on } });
  else await user.delete(jobs, home, name, { propagationPolicy: action.propagation });
}

async function withCron({ user }: World, action: Of<'cron' | 'dropCron'>): Promise<void> {
  const name = `cron-${action.number}`;
  if (action.kind === 'dropCron') {
    await user.delete(cronJobs, home, name, { propagationPolicy: 'Background' });
    return;
  }
  const { concurrency, exitAfterMs } = action.cron;
  await user.create(
    cronJobs,
    object('batch/v1', 'CronJob', name, {
      schedule: '* * * * *',
      concurrencyPolicy: concurrency,
      successfulJobsHistoryLimit: 2,
      failedJobsHistoryLimit: 1,
      jobTemplate: { spec: { backoffLimit: 1, template: ending({ exitAfterMs, exitCode: 0 }) } },
    }),
  );
}

async function withBudget(world: World, action: Of<'budget' | 'dropBudget' | 'evict'>): Promise<void> {
  const { user } = world;
  switch (action.kind) {
    case 'budget': {
      const app = `app-${action.app}`;
      const { minAvailable } = action;
      await user.create(
        podDisruptionBudgets,
        object('policy/v1', 'PodDisruptionBudget', app, { minAvailable, selector: { matchLabels: { app } } }),
      );
      return;
    }
    case 'dropBudget':
      await user.delete(podDisruptionBudgets, home, `app-${action.app}`);
      return;
    default:
      await evict(world, action.pick);
  }
}

/** Some pod, as `kubectl drain` would: refused is refused. */
async function evict({ user, truth }: World, pick: number): Promise<void> {
  const all = [...truth.objects<Pod>('pods').values()].filter(({ metadata }) => metadata.namespace === home);
  const name = all[pick % Math.max(1, all.length)]?.metadata.name;
  if (name === undefined) return;
  const eviction = object('policy/v1', 'Eviction', name, {});
  const { spec: _spec, ...body } = eviction as KubeObject & { spec: unknown };
  try {
    await user.createSubresource(pods, home, name, 'eviction', body);
  } catch (error) {
    if (!isError(error, 'tooManyRequests')) throw error;
  }
}

async function withAutoscaler({ user }: World, action: Of<'autoscale' | 'dropAutoscale'>): Promise<void> {
  const name = `app-${action.app}`;
  if (action.kind === 'dropAutoscale') {
    await user.delete(horizontalPodAutoscalers, home, name);
    return;
  }
  await user.create(
    horizontalPodAutoscalers,
    object('autoscaling/v2', 'HorizontalPodAutoscaler', name, {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      minReplicas: action.min,
      maxReplicas: action.max,
    }),
  );
}
