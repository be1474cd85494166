/** Users whose Deployments are under a load, and what they have scale them. The load itself is no request: it comes from outside. */
import {
  deployments,
  elasticityPolicies,
  horizontalPodAutoscalers,
  type KubeObject,
  verticalPodAutoscalers,
} from '../api/index.ts';
import type { ResourceRef } from '../client/index.ts';
import { isError } from '../lib/index.ts';
import { requestMiB, scaledLabel } from './load.ts';
import type { RulesPlan, ScalerPlan, ScalingAction } from './plan.ts';
import type { World } from './world.ts';

const home = 'default';
export const scaledName = (number: number): string => `scaled-${number}`;
export const scalerName = (number: number): string => `scaler-${number}`;

export async function carryOutScaling(world: World, action: ScalingAction): Promise<void> {
  switch (action.kind) {
    case 'load':
      world.loads?.set(scaledName(action.number), action.milli);
      return;
    case 'burden':
      await world.user.create(deployments, deployment(action));
      return;
    case 'scaler':
      return scale(world, action.number, action.scaler);
    default:
      await world.user.delete(kinds[action.by].ref, home, scalerName(action.number));
  }
}

const kinds = {
  autoscaler: {
    ref: horizontalPodAutoscalers,
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
  },
  policy: { ref: elasticityPolicies, apiVersion: 'autoscale.caelum.dev/v1', kind: 'ElasticityPolicy' },
  vertical: {
    ref: verticalPodAutoscalers,
    apiVersion: 'autoscaling.k8s.io/v1',
    kind: 'VerticalPodAutoscaler',
  },
} as const satisfies Readonly<
  Record<ScalerPlan['by'], { ref: ResourceRef; apiVersion: string; kind: string }>
>;

function deployment({ number, replicas, cpuMilli }: ScalingAction & { kind: 'burden' }): KubeObject {
  const labels = { [scaledLabel]: scaledName(number) };
  const requests = { cpu: `${cpuMilli}m`, memory: `${requestMiB}Mi` };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: scaledName(number), namespace: home },
    spec: {
      replicas,
      revisionHistoryLimit: 2,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: 'main', image: 'image:0', resources: { requests } }] },
      },
    },
  } as KubeObject;
}

async function scale({ user }: World, number: number, scaler: ScalerPlan): Promise<void> {
  const { ref, apiVersion, kind } = kinds[scaler.by];
  const name = scalerName(number);
  const spec = { ...specOf(scaler), ...targetOf(scaler, number) };
  try {
    await user.create(ref, { apiVersion, kind, metadata: { name, namespace: home }, spec } as KubeObject);
  } catch (error) {
    if (!isError(error, 'alreadyExists')) throw error;
    await user.patch(ref, home, name, 'merge', { spec });
  }
}

const targetOf = ({ by }: ScalerPlan, number: number): object => ({
  [by === 'vertical' ? 'targetRef' : 'scaleTargetRef']: {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    name: scaledName(number),
  },
});

function specOf(scaler: ScalerPlan): object {
  switch (scaler.by) {
    case 'autoscaler':
      return autoscaler(scaler);
    case 'policy':
      return policy(scaler);
    default:
      return {
        updatePolicy: { updateMode: scaler.mode, minReplicas: 2 },
        resourcePolicy: {
          containerPolicies: [
            {
              containerName: '*',
              controlledResources: ['cpu'],
              minAllowed: { cpu: '10m' },
              maxAllowed: { cpu: `${scaler.maxMilli}m` },
            },
          ],
        },
      };
  }
}

function autoscaler(scaler: ScalerPlan & { by: 'autoscaler' }): object {
  const share = { type: 'Utilization', averageUtilization: scaler.percent };
  const cpu =
    scaler.of === 'container'
      ? { type: 'ContainerResource', containerResource: { name: 'cpu', container: 'main', target: share } }
      : {
          type: 'Resource',
          resource: {
            name: 'cpu',
            target:
              scaler.of === 'pod'
                ? share
                : { type: 'AverageValue', averageValue: `${(scaler.requestMilli * scaler.percent) / 100}m` },
          },
        };
  const memory = {
    type: 'Resource',
    resource: { name: 'memory', target: { type: 'Utilization', averageUtilization: scaler.memoryPercent } },
  };
  const { up, down } = scaler;
  return {
    minReplicas: scaler.min,
    maxReplicas: scaler.max,
    metrics: scaler.memoryPercent === undefined ? [cpu] : [cpu, memory],
    ...(up === undefined || down === undefined
      ? {}
      : { behavior: { scaleUp: rules(up), scaleDown: rules(down) } }),
  };
}

const rules = ({ windowSeconds, select, policies }: RulesPlan): object => ({
  stabilizationWindowSeconds: windowSeconds,
  selectPolicy: select,
  policies,
});

function policy(scaler: ScalerPlan & { by: 'policy' }): object {
  const metric = { type: 'Resource', resource: { name: 'cpu' } };
  const { perReplicaMilli, bufferPercent, tolerancePercent, maxStep } = scaler;
  const trigger = (name: string, operator: string, threshold: string, duration: string): object => ({
    name,
    metric,
    measure: 'Utilization',
    operator,
    threshold,
    duration,
  });
  return {
    mode: 'Reactive',
    constraints: {
      minReplicas: scaler.min,
      maxReplicas: scaler.max,
      stabilization: `${scaler.stabilizationSeconds}s`,
      ...(maxStep === undefined ? {} : { maxStep }),
    },
    cooldown: `${scaler.cooldownSeconds}s`,
    ...(perReplicaMilli === undefined
      ? {
          triggers: [
            trigger('busy', '>', String(busyPercent), '15s'),
            trigger('idle', '<', String(idlePercent), '15s'),
          ],
          actions: [
            { type: 'ScaleOut', amount: 1, when: ['busy'] },
            { type: 'ScaleIn', amount: 1, when: ['idle'] },
          ],
        }
      : {
          capacity: {
            metric,
            perReplica: `${perReplicaMilli}m`,
            buffer: `${bufferPercent}%`,
            tolerance: `${tolerancePercent}%`,
          },
        }),
  };
}

/** Of the triggers: so far apart that one pod more or less does not lead from one to the other. */
export const [busyPercent, idlePercent] = [80, 30];
