/** What Kubernetes' conformance suite asks of Jobs and CronJobs, on a whole cloud with simulated nodes, over HTTPS. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type CronJob,
  cronJobs,
  type Job,
  type JobSpec,
  jobs,
  type Namespace,
  namespaces,
  type Pod,
  pods,
} from '../api/index.ts';
import type { ResourceRef } from '../client/index.ts';
import { isError } from '../lib/index.ts';
import { TestCloud, until } from './test-cloud.ts';

const cloud = new TestCloud();

/** `exitAfterMs`: undefined for pods that run for ever. */
function aJob(namespace: string, spec: Partial<JobSpec>, exitAfterMs?: number, exitCode = 0): Job {
  const annotations: Record<string, string> = {};
  if (exitAfterMs !== undefined) annotations['hollow.caelum.dev/exit-after-ms'] = String(exitAfterMs);
  annotations['hollow.caelum.dev/exit-code'] = String(exitCode);
  return {
    metadata: { name: 'sums', namespace },
    spec: {
      ...spec,
      template: {
        metadata: { annotations },
        spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] },
      },
    },
  };
}

const jobIn = (namespace: string): Promise<Job | undefined> => cloud.find<Job>(jobs, namespace, 'sums');
const podsIn = async (namespace: string): Promise<readonly Pod[]> =>
  (await cloud.client.list<Pod>(pods, { namespace })).items;
const reasonOf = async (namespace: string, type: string): Promise<string | undefined> =>
  (await jobIn(namespace))?.status?.conditions?.find((one) => one.type === type && one.status === 'True')
    ?.reason;
const is = (namespace: string, type: string) => async (): Promise<boolean> =>
  (await reasonOf(namespace, type)) !== undefined;

describe('jobs', () => {
  test('a job runs to completion', async () => {
    const namespace = await cloud.namespace();
    await cloud.client.create(jobs, aJob(namespace, { completions: 4, parallelism: 2 }, 50));
    await until('it is complete', is(namespace, 'Complete'));
    assert.equal((await jobIn(namespace))?.status?.succeeded, 4);
    for (const { metadata } of await podsIn(namespace)) assert.deepEqual(metadata.finalizers ?? [], []);
  });

  // conformance: [sig-apps] Job should create pods for an Indexed job with completion indexes and specified hostname
  test('an indexed job gives its pods their indexes', async () => {
    const namespace = await cloud.namespace();
    const spec = { completions: 4, parallelism: 2, completionMode: 'Indexed' };
    await cloud.client.create(jobs, aJob(namespace, spec, 50));
    await until('it is complete', is(namespace, 'Complete'));
    assert.equal((await jobIn(namespace))?.status?.completedIndexes, '0-3');
    const made = await podsIn(namespace);
    assert.deepEqual(made.map(({ spec: { hostname } = {} }) => hostname).sort(), [
      'sums-0',
      'sums-1',
      'sums-2',
      'sums-3',
    ]);
  });

  // conformance: [sig-apps] Job should delete a job
  test('a job that is deleted takes its pods with it', async () => {
    const namespace = await cloud.namespace();
    await cloud.client.create(jobs, aJob(namespace, { parallelism: 2, completions: 2 }));
    await until('both run', async () => (await jobIn(namespace))?.status?.ready === 2);
    await cloud.client.delete(jobs, namespace, 'sums', { propagationPolicy: 'Foreground' });
    await until('it is gone', async () => (await jobIn(namespace)) === undefined);
    assert.equal((await podsIn(namespace)).length, 0);
    await cloud.client.create(jobs, aJob(namespace, { parallelism: 2, completions: 2 }));
    await until('both run again', async () => (await jobIn(namespace))?.status?.ready === 2);
    await cloud.client.delete(jobs, namespace, 'sums', { propagationPolicy: 'Background' });
    await until('its pods are gone', async () => (await podsIn(namespace)).length === 0);
  });

  test('a job that fails: policy, pods ended, counted', async () => {
    const namespace = await cloud.namespace();
    const spec = {
      completions: 2,
      parallelism: 2,
      podFailurePolicy: {
        rules: [{ action: 'FailJob', onExitCodes: { operator: 'In', values: [3] } }],
      },
    };
    await cloud.client.create(jobs, aJob(namespace, spec, 100, 3));
    await until('it has failed', is(namespace, 'Failed'));
    assert.equal(await reasonOf(namespace, 'Failed'), 'PodFailurePolicy');
  });

  test('a job whose time is up fails, though its pods are replaced only when they have ended', async () => {
    const namespace = await cloud.namespace();
    const spec = { activeDeadlineSeconds: 1, podReplacementPolicy: 'Failed' };
    await cloud.client.create(jobs, aJob(namespace, spec));
    await until('it has failed', is(namespace, 'Failed'));
    assert.equal(await reasonOf(namespace, 'Failed'), 'DeadlineExceeded');
    const { active, failed, terminating } = (await jobIn(namespace))?.status ?? {};
    assert.deepEqual([active, failed, terminating], [undefined, 1, 0]);
  });

  test('podReplacementPolicy Failed: a pod that is deleted is replaced when it has ended', async () => {
    const namespace = await cloud.namespace();
    await cloud.client.create(jobs, aJob(namespace, { podReplacementPolicy: 'Failed' }));
    await until('it runs', async () => (await jobIn(namespace))?.status?.ready === 1);
    const [pod] = await podsIn(namespace);
    await cloud.client.delete(pods, namespace, pod?.metadata.name ?? '');
    await until('it is counted', async () => (await jobIn(namespace))?.status?.failed === 1);
    await cloud.client.delete(jobs, namespace, 'sums', { propagationPolicy: 'Background' });
  });

  // conformance: [sig-apps] Job should manage the lifecycle of a job
  test('a suspended job: labelled, resumed, run, listed, deleted with the collection', async () => {
    const namespace = await cloud.namespace();
    const job = aJob(namespace, { suspend: true, completions: 2, parallelism: 2 }, 50);
    await cloud.client.create(jobs, { ...job, metadata: { ...job.metadata, labels: { e2e: namespace } } });
    await until('it is suspended', is(namespace, 'Suspended'));
    const labels = { metadata: { labels: { patched: 'yes' } } };
    const patched = await cloud.client.patch<Job>(jobs, namespace, 'sums', 'strategic', labels);
    assert.equal(patched.metadata.labels?.['patched'], 'yes');
    await until('it is resumed', async () => {
      const present = (await jobIn(namespace)) as Job;
      const annotations = { updated: 'yes' };
      const next = { ...present, metadata: { ...present.metadata, annotations } };
      try {
        await cloud.client.update<Job>(jobs, {
          ...next,
          spec: { ...(present.spec as JobSpec), suspend: false },
        });
        return true;
      } catch (error) {
        if (isError(error, 'conflict')) return false;
        throw error;
      }
    });
    await until('it is complete', is(namespace, 'Complete'));
    assert.equal((await jobIn(namespace))?.metadata.annotations?.['updated'], 'yes');
    const { items } = await cloud.client.list<Job>(jobs, { labelSelector: `e2e=${namespace}` });
    assert.equal(items.length, 1);
    await cloud.client.delete(jobs, namespace, 'sums', { propagationPolicy: 'Background' });
    await until('it is gone', async () => (await jobIn(namespace)) === undefined);
  });

  // conformance: [sig-apps] Job should apply changes to a job status
  test("a job's status can be patched and replaced by others, and the controller goes on", async () => {
    const namespace = await cloud.namespace();
    await cloud.client.create(jobs, aJob(namespace, { parallelism: 2, completions: 4 }));
    await until('both run', async () => (await jobIn(namespace))?.status?.ready === 2);
    const condition = {
      type: 'CustomConditionType',
      status: 'True',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    };
    const patch = {
      metadata: { annotations: { patchedstatus: 'true' } },
      status: { conditions: [condition] },
    };
    const to = { subresource: 'status' };
    const patched = await cloud.client.patch<Job>(jobs, namespace, 'sums', 'merge', patch, to);
    assert.equal(patched.metadata.annotations?.['patchedstatus'], 'true');
    assert.ok(patched.status?.conditions?.some(({ type }) => type === 'CustomConditionType'));
    await until('it is replaced', async () => {
      const present = (await jobIn(namespace)) as Job;
      const startTime = new Date(Date.now() - 1000).toISOString().replace(/\.\d+/, '');
      const status = { ...present.status, startTime };
      try {
        await cloud.client.update<Job>(jobs, { ...present, status }, to);
        return true;
      } catch (error) {
        if (isError(error, 'conflict', 'invalid')) return isError(error, 'invalid');
        throw error;
      }
    });
    await cloud.client.patch(jobs, namespace, 'sums', 'merge', { spec: { parallelism: 1 } });
    await until('one runs', async () => (await jobIn(namespace))?.status?.active === 1);
    assert.ok(
      (await jobIn(namespace))?.status?.conditions?.some(({ type }) => type === 'CustomConditionType'),
    );
  });

  test('a job that is over goes with its pods when its time has come', async () => {
    const namespace = await cloud.namespace();
    await cloud.client.create(jobs, aJob(namespace, { ttlSecondsAfterFinished: 0 }, 50));
    await until('it is gone', async () => (await jobIn(namespace)) === undefined);
    await until('its pod is gone', async () => (await podsIn(namespace)).length === 0);
  });

  test('a namespace goes although pods of jobs are held back', async () => {
    const namespace = await cloud.namespace();
    await cloud.client.create(jobs, aJob(namespace, { parallelism: 3, completions: 3 }));
    await until('they run', async () => (await jobIn(namespace))?.status?.ready === 3);
    await cloud.client.delete(namespaces, undefined, namespace);
    const ref: ResourceRef = { group: '', version: 'v1', resource: 'namespaces', namespaced: false };
    await until('it is gone', async () => {
      const { items } = await cloud.client.list<Namespace>(ref);
      return items.every(({ metadata }) => metadata.name !== namespace);
    });
  });
});

describe('cron jobs', () => {
  // conformance: [sig-apps] CronJob should support CronJob API operations
  test('a cron job can be made, read, watched, changed and deleted, its status too', async () => {
    const namespace = await cloud.namespace();
    const { spec } = aJob(namespace, {}, 10);
    const name = 'report';
    const cronJob: CronJob = {
      metadata: { name, namespace, labels: { special: 'label' } },
      spec: { schedule: '* */1 * * ?', concurrencyPolicy: 'Allow', jobTemplate: { spec: spec as JobSpec } },
    };
    const seen: string[] = [];
    const watching = cloud.client.watch<CronJob>(
      cronJobs,
      { namespace, labelSelector: 'special=label', resourceVersion: '0' },
      { onEvent: ({ type }) => seen.push(type), onEnd: () => undefined },
    );
    const created = await cloud.client.create(cronJobs, cronJob);
    assert.equal(created.spec.successfulJobsHistoryLimit, 3);
    assert.equal(
      (await cloud.client.get<CronJob>(cronJobs, namespace, name)).metadata.uid,
      created.metadata.uid,
    );
    assert.equal(
      (await cloud.client.list<CronJob>(cronJobs, { labelSelector: 'special=label' })).items.length,
      1,
    );
    const patched = await cloud.client.patch<CronJob>(cronJobs, namespace, name, 'merge', {
      metadata: { annotations: { patched: 'true' } },
    });
    assert.equal(patched.metadata.annotations?.['patched'], 'true');
    const to = { subresource: 'status' };
    const told = await cloud.client.patch<CronJob>(
      cronJobs,
      namespace,
      name,
      'merge',
      {
        metadata: { annotations: { patchedstatus: 'true' } },
        status: { lastScheduleTime: '2026-01-01T00:00:00Z' },
      },
      to,
    );
    assert.equal(told.status?.lastScheduleTime, '2026-01-01T00:00:00Z');
    assert.equal(told.metadata.annotations?.['patchedstatus'], 'true');
    await until('the status is replaced', async () => {
      const present = await cloud.client.get<CronJob>(cronJobs, namespace, name);
      const status = { ...present.status, lastScheduleTime: '2026-01-01T01:00:00Z' };
      try {
        const updated = await cloud.client.update<CronJob>(cronJobs, { ...present, status }, to);
        return updated.status?.lastScheduleTime === '2026-01-01T01:00:00Z';
      } catch (error) {
        if (isError(error, 'conflict')) return false;
        throw error;
      }
    });
    await until('the watch has told', async () => seen.includes('ADDED') && seen.includes('MODIFIED'));
    await cloud.client.delete(cronJobs, namespace, name);
    await until('the end is told', async () => seen.includes('DELETED'));
    watching.cancel();
  });
});
