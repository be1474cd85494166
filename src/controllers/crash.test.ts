/**
 * Controllers are stopped after any one of their writes, with copies that are late, and begin anew: each gets where it was going, breaks no promise on the way,
 * leaves nothing behind, and is quiet then.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  ControllerRevision,
  CronJob,
  DaemonSet,
  Deployment,
  DynamicResourceClaim,
  EndpointSlice,
  Endpoints,
  Job,
  KubeObject,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  ReplicaSet,
  StatefulSet,
} from '../api/index.ts';
import { builtinKinds } from '../api/index.ts';
import { SeededRandom } from '../lib/index.ts';
import { cronJobController } from './cron-job/controller.ts';
import { daemonSetController } from './daemon-set/controller.ts';
import { targetOf } from './daemon-set/placement.ts';
import { deploymentController } from './deployment/controller.ts';
import { disruptionController } from './disruption/controller.ts';
import { endpointsController } from './endpoints/controller.ts';
import { endpointSliceController } from './endpointslice/controller.ts';
import { endpointSliceMirroringController } from './endpointslice-mirroring/controller.ts';
import { isActive, isReady } from './pod-state.ts';
import { replicaSetController } from './replicaset/controller.ts';
import { resourceClaimController } from './resource-claim/controller.ts';
import {
  controllerRevisionsRef,
  cronJobsRef,
  daemonSetsRef,
  deploymentsRef,
  endpointSlicesRef,
  endpointsRef,
  jobsRef,
  nodesRef,
  persistentVolumeClaimsRef,
  podDisruptionBudgetsRef,
  podsRef,
  replicaSetsRef,
  resourceClaimsRef,
  resourceClaimTemplatesRef,
  servicesRef,
  statefulSetsRef,
} from './resources.ts';
import type { RunningController } from './shell.ts';
import { statefulSetController } from './stateful-set/controller.ts';
import { createTestCluster, type TestCluster } from './test-cluster.ts';

interface Story {
  readonly what: string;
  /** Those that are stopped and begin anew, all at once. */
  start(cluster: TestCluster): readonly RunningController[];
  /** What users do, one after the other; each is done when the one before has come to its end. */
  readonly chapters: readonly {
    begin(cluster: TestCluster): Promise<unknown> | undefined;
    isDone(cluster: TestCluster): boolean;
  }[];
  /** How often it is told, where that is dear. Default 15. */
  readonly tellings?: number;
  /** Holds at any moment; answers what is wrong. */
  promise?(cluster: TestCluster): string | undefined;
}

const isRead = (verb: string): boolean => verb === 'get' || verb === 'list' || verb === 'watch';

/** Answers how many writes there were. `stops`: after which of them everything stops. */
async function tell(story: Story, stops: ReadonlySet<number>, seed: number): Promise<number> {
  const random = new SeededRandom(seed);
  const cluster = createTestCluster(seed, () => Math.floor(random.float() * 150));
  const { clock, client } = cluster;
  let running: readonly RunningController[] = [];
  let writes = 0;
  let isOurs = false;
  const start = (): void => {
    running = story.start(cluster);
  };
  client.intercept = ({ verb, resource }) => {
    if (isRead(verb) || resource === 'events' || isOurs) return undefined;
    if (stops.has(++writes) && running.length > 0) {
      for (const one of running) one.stop();
      running = [];
      // By then the copies are as new as those of a program that has begun anew.
      clock.after(200, start);
    }
    return undefined;
  };
  const check = (): void => {
    const wrong = story.promise?.(cluster);
    assert.equal(wrong, undefined, `stopped after ${[...stops].slice(0, 5).join()}: ${wrong}`);
  };
  start();
  try {
    for (const [at, chapter] of story.chapters.entries()) {
      isOurs = true;
      const beginning = chapter.begin(cluster);
      isOurs = false;
      await beginning;
      await cluster.until(
        `chapter ${at} of "${story.what}", stopped after ${[...stops].slice(0, 5).join()}`,
        () => {
          check();
          return running.length > 0 && chapter.isDone(cluster);
        },
        600_000,
      );
    }
    await cluster.run(5000);
    check();
    for (const chapter of story.chapters.slice(-1)) assert.ok(chapter.isDone(cluster), 'it stays so');
    cluster.writes();
    await cluster.run(30_000);
    assert.equal(cluster.writes(), 0, `stopped after ${[...stops].slice(0, 5).join()}: quiet at the end`);
  } finally {
    cluster.stop();
  }
  return writes;
}

const place = { name: 'web', namespace: 'shop' };
const labels = { app: 'web' };
const selector = { matchLabels: labels };
const template = (image: string) => ({
  metadata: { labels },
  spec: { containers: [{ name: 'c', image }] },
});
const active = (cluster: TestCluster): readonly Pod[] => cluster.pods().filter(isActive);
/** As many pods as that, and no others, of that image where one is named. */
const isUp = (cluster: TestCluster, count: number, image?: string): boolean =>
  cluster.pods().length === count &&
  cluster
    .pods()
    .every((one) => isReady(one) && isActive(one) && (image === undefined || imageOf(one) === image));
const imageOf = (pod: Pod): string | undefined => pod.spec?.containers[0]?.image;
const patch = (cluster: TestCluster, ref: typeof podsRef, body: object): Promise<unknown> =>
  cluster.client.patch(ref, 'shop', 'web', 'merge', body);

const replicaSet: Story = {
  what: 'a ReplicaSet is made, shrinks and grows',
  start: (cluster) => [cluster.start((informers) => replicaSetController(informers))],
  chapters: [
    {
      begin: ({ client }) =>
        void client.seed(replicaSetsRef, {
          metadata: place,
          spec: { replicas: 4, selector, template: template('one') },
        } as KubeObject),
      isDone: (cluster) => isUp(cluster, 4),
    },
    {
      begin: (cluster) => patch(cluster, replicaSetsRef, { spec: { replicas: 1 } }),
      isDone: (cluster) => isUp(cluster, 1),
    },
    {
      begin: (cluster) => patch(cluster, replicaSetsRef, { spec: { replicas: 5 } }),
      isDone: (cluster) =>
        isUp(cluster, 5) &&
        cluster.client.peek<ReplicaSet>(replicaSetsRef, 'shop/web')?.status?.availableReplicas === 5,
    },
  ],
  promise: (cluster) => (active(cluster).length > 5 ? `${active(cluster).length} pods` : undefined),
};

const isRolledOut = (cluster: TestCluster, image: string): boolean => {
  const { status, metadata } = cluster.client.peek<Deployment>(deploymentsRef, 'shop/web') as Deployment;
  return (
    isUp(cluster, 4, image) &&
    status?.availableReplicas === 4 &&
    status.updatedReplicas === 4 &&
    status.replicas === 4 &&
    status.observedGeneration === metadata.generation &&
    status.conditions?.find(({ type }) => type === 'Progressing')?.reason === 'NewReplicaSetAvailable'
  );
};
const deployment: Story = {
  what: 'a Deployment rolls out, and back',
  start: (cluster) => [
    cluster.start((informers) => deploymentController(informers)),
    cluster.start((informers) => replicaSetController(informers)),
  ],
  chapters: [
    {
      begin: ({ client }) =>
        void client.seed(deploymentsRef, {
          metadata: { ...place, generation: 1 },
          spec: {
            replicas: 4,
            selector,
            template: template('one'),
            progressDeadlineSeconds: 600,
            strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } },
          },
        } as KubeObject),
      isDone: (cluster) => isRolledOut(cluster, 'one'),
    },
    ...['two', 'one'].map((image) => ({
      begin: (cluster: TestCluster) =>
        patch(cluster, deploymentsRef, { spec: { template: template(image) } }),
      isDone: (cluster: TestCluster) => isRolledOut(cluster, image),
    })),
  ],
  promise(cluster) {
    const sets = cluster.replicaSets();
    const made = sets.length > 0 && sets.some(({ status }) => (status?.readyReplicas ?? 0) > 2);
    if (active(cluster).length > 5) return `${active(cluster).length} pods`;
    if (sets.length > 2) return `${sets.length} ReplicaSets`;
    const up = active(cluster).filter(isReady).length;
    const revision = cluster.deployment()?.metadata.annotations?.['deployment.kubernetes.io/revision'];
    return made && Number(revision) > 1 && up < 3 ? `only ${up} are up` : undefined;
  },
};

const statefulSet: Story = {
  what: 'a StatefulSet with claims is made, updated and shrinks',
  start: (cluster) => [cluster.start((informers) => statefulSetController(informers))],
  chapters: [
    {
      begin: ({ client }) =>
        void client.seed(statefulSetsRef, {
          metadata: { ...place, generation: 1 },
          spec: {
            replicas: 3,
            serviceName: 'web',
            selector,
            template: template('one'),
            updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
            persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Delete' },
            volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'] } }],
          },
        } as KubeObject),
      isDone: (cluster) => isUp(cluster, 3, 'one'),
    },
    {
      begin: (cluster) => patch(cluster, statefulSetsRef, { spec: { template: template('two') } }),
      isDone: (cluster) => isUp(cluster, 3, 'two'),
    },
    {
      begin: (cluster) => patch(cluster, statefulSetsRef, { spec: { replicas: 1 } }),
      isDone(cluster) {
        const { status } = cluster.client.peek<StatefulSet>(statefulSetsRef, 'shop/web') as StatefulSet;
        return (
          isUp(cluster, 1) && status?.currentRevision === status?.updateRevision && status?.replicas === 1
        );
      },
    },
  ],
  promise({ client }) {
    const revisions = client.objects<ControllerRevision>(controllerRevisionsRef).length;
    const claims = client.objects<PersistentVolumeClaim>(persistentVolumeClaimsRef).length;
    if (revisions > 2) return `${revisions} revisions`;
    return claims > 3 ? `${claims} claims` : undefined;
  },
};

const daemonSet: Story = {
  what: 'a DaemonSet follows its nodes and its template',
  start: (cluster) => [cluster.start((informers) => daemonSetController(informers, cluster.clock))],
  chapters: [
    {
      begin({ client }) {
        for (const name of ['a', 'b', 'c']) client.seed(nodesRef, { metadata: { name } });
        client.seed(daemonSetsRef, {
          metadata: { ...place, generation: 1 },
          spec: {
            selector,
            template: template('one'),
            updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
          },
        } as KubeObject);
        return undefined;
      },
      isDone: (cluster) => isUp(cluster, 3, 'one'),
    },
    {
      begin: (cluster) => patch(cluster, daemonSetsRef, { spec: { template: template('two') } }),
      isDone: (cluster) => isUp(cluster, 3, 'two'),
    },
    {
      begin: (cluster) => cluster.client.delete(nodesRef, undefined, 'b'),
      isDone(cluster) {
        const { status } = cluster.client.peek<DaemonSet>(daemonSetsRef, 'shop/web') as DaemonSet;
        return (
          isUp(cluster, 2) && status?.desiredNumberScheduled === 2 && status.updatedNumberScheduled === 2
        );
      },
    },
  ],
  promise(cluster) {
    const nodes = active(cluster).map(targetOf);
    const revisions = cluster.client.objects<ControllerRevision>(controllerRevisionsRef).length;
    if (revisions > 2) return `${revisions} revisions`;
    return new Set(nodes).size < nodes.length ? `two pods on a node: ${nodes.join()}` : undefined;
  },
};

const cronJob: Story = {
  what: 'a CronJob makes a job a minute, once, and keeps the last two',
  tellings: 4,
  start: (cluster) => [
    cluster.start((informers) => cronJobController(informers, cluster.client, cluster.clock)),
  ],
  chapters: [
    {
      begin({ client, clock }) {
        client.seed(cronJobsRef, {
          metadata: { ...place, creationTimestamp: new Date(clock.nowMs()).toISOString() },
          spec: {
            schedule: '* * * * *',
            concurrencyPolicy: 'Replace',
            successfulJobsHistoryLimit: 2,
            jobTemplate: { spec: { template: template('one') } },
          },
        } as KubeObject);
        // Jobs end after twenty seconds, unless they are replaced.
        const end = (): void => {
          for (const job of client.objects<Job>(jobsRef))
            if (
              job.metadata.deletionTimestamp === undefined &&
              job.status?.conditions === undefined &&
              clock.nowMs() - Date.parse(job.metadata.creationTimestamp ?? '') > 20_000
            )
              client.seed(jobsRef, {
                ...job,
                status: { conditions: [{ type: 'Complete', status: 'True' }] },
              } as KubeObject);
          clock.after(5000, end);
        };
        end();
        return undefined;
      },
      isDone: ({ client }) => client.objects<Job>(jobsRef).length === 2,
    },
    {
      begin: ({ clock }) => clock.advance(120_000) as Promise<void>,
      isDone({ client, clock }) {
        const { status } = client.peek<CronJob>(cronJobsRef, 'shop/web') as CronJob;
        return (
          clock.nowMs() % 60_000 > 30_000 &&
          client.objects<Job>(jobsRef).length <= 2 &&
          (status?.active ?? []).length === 0
        );
      },
    },
    {
      begin: (cluster) => patch(cluster, cronJobsRef, { spec: { suspend: true } }),
      isDone: ({ clock }) => clock.nowMs() > 0,
    },
  ],
  promise({ client }) {
    const times = client
      .objects<Job>(jobsRef)
      .map(({ metadata }) => metadata.annotations?.['batch.kubernetes.io/cronjob-scheduled-timestamp']);
    return new Set(times).size < times.length ? `two jobs of one time: ${times.join()}` : undefined;
  },
};

const pod = (name: string, isPodReady: boolean, more: Partial<Pod['spec']> = {}): KubeObject =>
  ({
    metadata: { name, namespace: 'shop', labels },
    spec: { containers: [{ name: 'c', image: 'i' }], ...more },
    status: {
      phase: 'Running',
      podIP: `10.0.0.${name.slice(1)}`,
      conditions: [{ type: 'Ready', status: isPodReady ? 'True' : 'False' }],
    },
  }) as KubeObject;

/** What all slices of the Service say: ready addresses. */
const told = ({ client }: TestCluster): string =>
  client
    .objects<EndpointSlice>(endpointSlicesRef)
    .filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === 'web')
    .flatMap(({ endpoints = [] }) => endpoints)
    .filter(({ conditions }) => conditions?.ready)
    .map(({ addresses }) => addresses[0]?.split('.')[3])
    .sort()
    .join();
const endpoints: Story = {
  what: 'slices and Endpoints follow pods, ports and families',
  start(cluster) {
    // The agent of the test would end these pods.
    cluster.agent.startMs = () => undefined;
    return [
      cluster.start((informers) => endpointSliceController(informers)),
      cluster.start((informers) => endpointSliceMirroringController(informers)),
      cluster.start((informers) => endpointsController(informers)),
    ];
  },
  chapters: [
    {
      begin({ client }) {
        client.seed(servicesRef, {
          metadata: place,
          spec: { selector: labels, ports: [{ port: 80 }] },
        } as KubeObject);
        client.seed(podsRef, ...[1, 2, 3].map((at) => pod(`p${at}`, at !== 3)));
        return undefined;
      },
      isDone: (cluster) => told(cluster) === '1,2',
    },
    {
      begin({ client }) {
        client.seed(podsRef, pod('p3', true), pod('p4', true));
        client.remove(podsRef, 'shop/p1');
        return undefined;
      },
      isDone: (cluster) => told(cluster) === '2,3,4',
    },
    {
      begin: (cluster) => patch(cluster, servicesRef, { spec: { ports: [{ port: 81, name: 'other' }] } }),
      isDone: ({ client }) =>
        client.objects<EndpointSlice>(endpointSlicesRef).every(({ ports }) => ports?.[0]?.port === 81) &&
        client.peek<Endpoints>(endpointsRef, 'shop/web')?.subsets?.[0]?.ports?.[0]?.port === 81,
    },
    {
      // Somebody keeps its endpoints by hand from now on: they are mirrored.
      begin: (cluster) => patch(cluster, servicesRef, { spec: { selector: null } }),
      isDone: ({ client }) =>
        client
          .objects<EndpointSlice>(endpointSlicesRef)
          .some(({ metadata }) =>
            metadata.labels?.['endpointslice.kubernetes.io/managed-by']?.startsWith('endpointslicemirroring'),
          ),
    },
  ],
};

const budget: Story = {
  what: 'a budget counts its pods',
  start(cluster) {
    cluster.agent.startMs = () => undefined;
    return [cluster.start((informers) => disruptionController(informers, cluster.client, builtinKinds))];
  },
  chapters: [
    {
      begin({ client }) {
        client.seed(podDisruptionBudgetsRef, {
          metadata: { ...place, generation: 1 },
          spec: { selector, minAvailable: 2 },
        } as KubeObject);
        client.seed(podsRef, ...[1, 2, 3].map((at) => pod(`p${at}`, true)));
        return undefined;
      },
      isDone: ({ client }) =>
        client.peek<PodDisruptionBudget>(podDisruptionBudgetsRef, 'shop/web')?.status?.disruptionsAllowed ===
        1,
    },
    {
      begin: ({ client }) => void client.seed(podsRef, pod('p3', false)),
      isDone: ({ client }) =>
        client.peek<PodDisruptionBudget>(podDisruptionBudgetsRef, 'shop/web')?.status?.disruptionsAllowed ===
        0,
    },
  ],
};

const claims: Story = {
  what: 'a pod has one claim for each of its entries',
  start(cluster) {
    cluster.agent.startMs = () => undefined;
    return [cluster.start((informers) => resourceClaimController(informers, cluster.client))];
  },
  chapters: [
    {
      begin({ client }) {
        client.seed(resourceClaimTemplatesRef, {
          metadata: { name: 'gpus', namespace: 'shop' },
          spec: { spec: {} },
        } as KubeObject);
        const entries = ['a', 'b', 'c'].map((name) => ({ name, resourceClaimTemplateName: 'gpus' }));
        client.seed(podsRef, pod('p1', false, { resourceClaims: entries }));
        return undefined;
      },
      isDone: ({ client }) =>
        client.peek<Pod>(podsRef, 'shop/p1')?.status?.resourceClaimStatuses?.length === 3,
    },
  ],
  promise({ client }) {
    const made = client.objects<DynamicResourceClaim>(resourceClaimsRef).length;
    return made > 3 ? `${made} claims` : undefined;
  },
};

for (const [seed, story] of [
  replicaSet,
  deployment,
  statefulSet,
  daemonSet,
  cronJob,
  endpoints,
  budget,
  claims,
].entries()) {
  test(`${story.what}, after whichever write its controllers stop`, async () => {
    const writes = await tell(story, new Set(), seed);
    assert.ok(writes > 1, `${writes} writes`);
    // Some of them; all where asked for.
    const step = process.env['CAELUM_ALL'] === undefined ? Math.ceil(writes / (story.tellings ?? 15)) : 1;
    for (let at = 1 + (seed % step); at <= writes; at += step) await tell(story, new Set([at]), seed);
  });

  test(`${story.what}, also when they stop after every third write`, async () => {
    const stops = new Set(Array.from({ length: 200 }, (_, at) => at * 3));
    for (let again = 0; again < 2; again++) await tell(story, stops, 10 * seed + again);
  });
}
