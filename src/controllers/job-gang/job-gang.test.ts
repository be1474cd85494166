import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { Event, Job, JobSpec, Pod, PodGroup, Workload } from '../../api/index.ts';
import { eventsRef } from '../../client/event-recorder.ts';
import { jobController } from '../job/controller.ts';
import { jobsRef, podGroupsRef, podsRef, workloadsRef } from '../resources.ts';
import { createTestCluster, type TestCluster } from '../test-cluster.ts';
import { jobGangController } from './controller.ts';
import { gangOf } from './gang.ts';

let cluster: TestCluster | undefined;
afterEach(() => cluster?.stop());

const asked = { 'scheduling.caelum.dev/gang': 'true' };

function aJob(spec: Partial<JobSpec> = {}, annotations: Record<string, string> = asked): Job {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'training', namespace: 'n', annotations },
    spec: {
      parallelism: 3,
      completions: 3,
      backoffLimit: 6,
      completionMode: 'Indexed',
      selector: { matchLabels: { job: 'training' } },
      template: {
        metadata: { labels: { job: 'training' } },
        spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'one' }] },
      },
      ...spec,
    },
  };
}

function setUp(job: Job): TestCluster {
  cluster = createTestCluster(1);
  const { clock, client } = cluster;
  cluster.start((informers) => jobController(informers, clock));
  cluster.start((informers) => jobGangController(informers));
  client.seed(jobsRef, job);
  return cluster;
}

const all = <T>(resource: typeof podsRef): readonly T[] => cluster?.client.objects(resource) as readonly T[];
const groups = () => all<PodGroup>(podGroupsRef);
const workloads = () => all<Workload>(workloadsRef);
const change = (edit: (job: Job) => Job): void => {
  const job = cluster?.client.peek<Job>(jobsRef, 'n/training') as Job;
  cluster?.client.seed(jobsRef, edit(job));
};
const minCounts = () => groups().map(({ spec }) => spec.schedulingPolicy.gang?.minCount);

test('a Job that asks for it has a Workload and a PodGroup of its size, which its pods name', async () => {
  const { until, run, writes } = setUp(
    aJob({}, { ...asked, 'scheduling.caelum.dev/pod-group-topology': 'rack' }),
  );
  await until('the group', () => groups().length === 1 && all<Pod>(podsRef).length === 3);
  const [group] = groups();
  const [workload] = workloads();
  const job = cluster?.client.peek<Job>(jobsRef, 'n/training');
  assert.ok(group !== undefined && workload !== undefined && job !== undefined);
  const { name } = workload.metadata;
  assert.match(name ?? '', /^training-[a-z0-9]+$/);
  const policy = {
    schedulingPolicy: { gang: { minCount: 3 } },
    schedulingConstraints: { topology: [{ key: 'rack' }] },
  };
  assert.deepEqual(workload.spec, {
    controllerRef: { apiGroup: 'batch', kind: 'Job', name: 'training' },
    podGroupTemplates: [{ name: 'training-pgt-0', ...policy }],
  });
  assert.deepEqual(group.spec, {
    podGroupTemplateRef: { workload: { workloadName: name, podGroupTemplateName: 'training-pgt-0' } },
    ...policy,
  });
  assert.deepEqual(
    group.metadata.ownerReferences?.map(({ kind, uid, controller }) => [kind, uid, controller]),
    [
      ['Job', job.metadata.uid, true],
      ['Workload', workload.metadata.uid, undefined],
    ],
  );
  for (const { spec } of all<Pod>(podsRef)) assert.deepEqual(spec?.schedulingGroup, { podGroupName: name });
  const reasons = all<Event>(eventsRef as typeof podsRef).map(
    ({ reason, message }) => `${reason}: ${message}`,
  );
  assert.ok(reasons.includes(`WorkloadCreated: Created Workload ${name} for Job training`), String(reasons));
  await run(3000);
  writes();
  await run(5000);
  assert.equal(writes(), 0, 'at rest nothing is written');
});

test('a Job that does not ask for it, or whose pods name a group, has none', async () => {
  const { run } = setUp(aJob({}, {}));
  await run(2000);
  assert.deepEqual([groups().length, workloads().length, all<Pod>(podsRef).length], [0, 0, 3]);
  for (const { spec } of all<Pod>(podsRef)) assert.equal(spec?.schedulingGroup, undefined);
  const own = aJob();
  const spec = { ...own.spec?.template?.spec, containers: [], schedulingGroup: { podGroupName: 'mine' } };
  assert.equal(gangOf({ ...own, spec: { ...own.spec, template: { spec } } as JobSpec }), undefined);
});

test('gangOf() needs no more than there will be pods', () => {
  const size = (spec: Partial<JobSpec>): number | undefined => gangOf(aJob(spec))?.minCount;
  assert.equal(size({ parallelism: 4, completions: 2 }), 2);
  assert.equal(size({ parallelism: 4, completions: 9 }), 4);
  assert.equal(size({ parallelism: 0, completions: 3 }), 1);
  const { completions: _, ...open } = aJob().spec as JobSpec;
  assert.equal(gangOf({ ...aJob(), spec: open })?.minCount, 3);
});

test('what somebody deletes is made again; what is suspended holds nothing, and comes again', async () => {
  const { client, until } = setUp(aJob());
  await until('the group', () => groups().length === 1);
  const [first] = groups();
  client.remove(podGroupsRef, `n/${first?.metadata.name}`);
  await until(
    'the group again',
    () => groups().length === 1 && groups()[0]?.metadata.uid !== first?.metadata.uid,
  );
  change((job) => ({ ...job, spec: { ...job.spec, suspend: true } as JobSpec }));
  await until('nothing', () => groups().length + workloads().length + all<Pod>(podsRef).length === 0);
  change((job) => ({ ...job, spec: { ...job.spec, suspend: false } as JobSpec }));
  await until('all', () => groups().length + workloads().length === 2 && all<Pod>(podsRef).length === 3);
  assert.equal(groups()[0]?.metadata.name, first?.metadata.name);
});

test('another parallelism makes another group, unless pods that run would have to wait for more', async () => {
  const { client, until, run } = setUp(aJob({ completionMode: 'NonIndexed', completions: 9 }));
  await until('three', () => minCounts()[0] === 3);
  const scale = (parallelism: number): void =>
    change((job) => ({ ...job, spec: { ...job.spec, parallelism } as JobSpec }));
  scale(5);
  await until('five', () => minCounts()[0] === 5);
  const [group] = groups();
  const condition = {
    type: 'PodGroupScheduled',
    status: 'True',
    reason: 'Scheduled',
    message: '',
    lastTransitionTime: '',
  };
  client.seed<PodGroup>(podGroupsRef, { ...(group as PodGroup), status: { conditions: [condition] } });
  scale(7);
  await run(2000);
  assert.deepEqual(minCounts(), [5]);
  scale(2);
  await until('two', () => minCounts()[0] === 2);
});
