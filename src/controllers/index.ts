/** The door of `controllers`: what keeps objects as they are wanted. One line a controller. */
import type { KindRegistry, Pod } from '../api/index.ts';
import { LabelIndex } from '../client/index.ts';
import { bootstrapTokenController } from './bootstrap-token/controller.ts';
import { type CertificatesOptions, certificatesController } from './certificates/controller.ts';
import { clusterRoleController } from './cluster-role/controller.ts';
import { cronJobController } from './cron-job/controller.ts';
import { daemonSetController } from './daemon-set/controller.ts';
import { deploymentController } from './deployment/controller.ts';
import { deviceTaintsController } from './device-taints/controller.ts';
import { disruptionController } from './disruption/controller.ts';
import { staleTargetController } from './disruption/stale-targets.ts';
import { elasticityController } from './elasticity/controller.ts';
import { type ElasticityDecision, ElasticityLog } from './elasticity/decisions.ts';
import { endpointsController } from './endpoints/controller.ts';
import { endpointSliceController } from './endpointslice/controller.ts';
import { endpointSliceMirroringController } from './endpointslice-mirroring/controller.ts';
import { garbageController } from './garbage/controller.ts';
import { ipAddressController } from './ip-address/controller.ts';
import { jobController } from './job/controller.ts';
import { strayPodController } from './job/stray-pods.ts';
import { jobGangController } from './job-gang/controller.ts';
import { leaseController } from './lease/controller.ts';
import { namespaceController } from './namespace/controller.ts';
import { nodeController } from './node/controller.ts';
import { podAutoscalerController } from './pod-autoscaler/controller.ts';
import { DecisionLog, type DecisionRecord } from './pod-autoscaler/decisions.ts';
import { createMetricsSource, type MetricsApis } from './pod-autoscaler/metrics-source.ts';
import { podGarbageController } from './pod-garbage/controller.ts';
import { replicaSetController } from './replicaset/controller.ts';
import { replicationControllerController } from './replication-controller/controller.ts';
import { resourceClaimController } from './resource-claim/controller.ts';
import { resourceQuotaController } from './resource-quota/controller.ts';
import { podsRef } from './resources.ts';
import { serviceAccountController } from './service-account/controller.ts';
import { type TokenIssuer, tokenSecretController } from './service-account/token-secret-controller.ts';
import { serviceCidrController } from './service-cidr/controller.ts';
import { type RunningController, type ShellOptions, startController } from './shell.ts';
import { statefulSetController } from './stateful-set/controller.ts';
import { startStorageControllers } from './storage-controllers.ts';
import { ttlAfterFinishedController } from './ttl-after-finished/controller.ts';
import { verticalAutoscalerController } from './vertical-autoscaler/controller.ts';
import { volumeAttachmentController } from './volume-attachment/controller.ts';

export type { ElasticityDecision } from './elasticity/decisions.ts';
export type { DecisionRecord } from './pod-autoscaler/decisions.ts';
export type { MetricsApis, MetricsQuestion, OwnUse } from './pod-autoscaler/metrics-source.ts';
export {
  deploymentController,
  endpointSliceController,
  endpointsController,
  garbageController,
  replicaSetController,
  startController,
};

export interface ControllersOptions extends ShellOptions {
  readonly registry: KindRegistry;
  /** PEM of the authority that signs the API server's certificate; published in every namespace. */
  readonly rootCaPem: string;
  /** Where autoscalers read figures; without it there are none. */
  readonly metrics?: MetricsApis;
  /** Fills Secrets of service accounts; without it they stay empty. */
  readonly issueSecretToken?: TokenIssuer;
  /** Approves and signs certificate requests; without it nobody does. */
  readonly certificates?: CertificatesOptions;
}

export interface Controllers {
  /** Keys waiting or being worked, all controllers together: 0 at rest. */
  readonly busy: number;
  /** Why an autoscaler (`namespace/name`) did what it did; the oldest first. undefined: nothing is known of it. */
  explainAutoscaler(key: string): readonly DecisionRecord[] | undefined;
  /** The same of an elasticity policy. */
  explainElasticity(key: string): readonly ElasticityDecision[] | undefined;
  stop(): void;
}

export function startControllers(options: ControllersOptions): Controllers {
  const { client, informers, clock, registry, rootCaPem } = options;
  const decisions = new DecisionLog();
  const elasticity = new ElasticityLog();
  const podIndex = new LabelIndex(informers.informer<Pod>(podsRef));
  const metrics = createMetricsSource({
    registry,
    apis: options.metrics,
    podsOf: (namespace, selector) => podIndex.select(namespace, selector),
  });
  const running: readonly RunningController[] = [
    startController(deploymentController(informers), options),
    startController(replicaSetController(informers), options),
    startController(replicationControllerController(informers), options),
    startController(statefulSetController(informers), options),
    startController(daemonSetController(informers, clock), options),
    startController(jobController(informers, clock), options),
    startController(jobGangController(informers), options),
    startController(strayPodController(informers, client), options),
    startController(ttlAfterFinishedController(informers, clock), options),
    startController(cronJobController(informers, client, clock), options),
    startController(endpointsController(informers), options),
    startController(endpointSliceController(informers), options),
    startController(endpointSliceMirroringController(informers), options),
    startController(serviceCidrController(informers), options),
    startController(ipAddressController(informers, client), options),
    startController(garbageController(informers, client, registry), options),
    startController(nodeController(informers, clock), options),
    startController(podGarbageController({ informers, client, clock }), options),
    startController(volumeAttachmentController(informers), options),
    startController(leaseController(informers, client), options),
    startController(namespaceController(informers, client, registry), options),
    startController(serviceAccountController(informers, rootCaPem), options),
    startController(clusterRoleController(informers), options),
    startController(resourceQuotaController(informers, registry), options),
    startController(resourceClaimController(informers, client), options),
    startController(deviceTaintsController(informers), options),
    startController(bootstrapTokenController(informers), options),
    startController(disruptionController(informers, client, registry), options),
    startController(staleTargetController(informers), options),
    ...startStorageControllers(options),
    startController(
      podAutoscalerController({
        client,
        informers,
        registry,
        clock,
        metrics,
        podIndex,
        onDecision: (key, decision, observed) => decisions.note(key, decision, observed),
      }),
      options,
    ),
    startController(
      elasticityController({
        client,
        informers,
        registry,
        clock,
        metrics,
        podIndex,
        onDecision: (key, decision, observed) => elasticity.note(key, decision, observed),
      }),
      options,
    ),
    startController(
      verticalAutoscalerController({
        client,
        informers,
        registry,
        clock,
        apis: options.metrics,
        podIndex,
      }),
      options,
    ),
    ...(options.issueSecretToken === undefined
      ? []
      : [
          startController(
            tokenSecretController(informers, client, rootCaPem, options.issueSecretToken),
            options,
          ),
        ]),
    ...(options.certificates === undefined
      ? []
      : [startController(certificatesController(informers, clock, options.certificates), options)]),
  ];
  return {
    get busy() {
      return running.reduce((sum, one) => sum + one.busy, 0);
    },
    explainAutoscaler: (key) => decisions.of(key),
    explainElasticity: (key) => elasticity.of(key),
    stop: () => {
      for (const one of running) one.stop();
    },
  };
}
