import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Job, Pod } from '../../api/index.ts';
import { jobsRef } from '../resources.ts';
import { createTestCluster } from '../test-cluster.ts';
import { jobController } from './controller.ts';
import { indexOf } from './pods.ts';

test('a job of 5,000 indexes makes each pod once, lets each go once, and writes its status seldom', async (t) => {
  const completions = 5000;
  const cluster = createTestCluster();
  t.after(() => cluster.stop());
  const { client, clock, agent, until } = cluster;
  agent.ends = (pod: Pod) => ({ afterMs: 500 + ((indexOf(pod) ?? 0) % 40) * 50, exitCode: 0 });
  cluster.start((informers) => jobController(informers, clock));
  client.seed<Job>(jobsRef, {
    metadata: { name: 'sums', namespace: 'shop' },
    spec: {
      completions,
      parallelism: 1000,
      completionMode: 'Indexed',
      backoffLimit: 6,
      selector: { matchLabels: { job: 'sums' } },
      template: {
        metadata: { labels: { job: 'sums' } },
        spec: { restartPolicy: 'Never', nodeName: 'n1', containers: [{ name: 'c', image: 'one' }] },
      },
    },
  });
  const job = (): Job => client.peek<Job>(jobsRef, 'shop/sums') as Job;
  await until(
    'the end',
    () => job().status?.conditions?.some(({ type }) => type === 'Complete') === true,
    600_000,
  );
  await cluster.run(1000);
  const count = (verb: string, resource: string): number =>
    client.requests.filter((request) => request.verb === verb && request.resource === resource).length;
  assert.equal(job().status?.succeeded, completions);
  assert.equal(job().status?.completedIndexes, '0-4999');
  assert.equal(count('create', 'pods'), completions);
  assert.equal(count('patch', 'pods'), completions);
  assert.ok(count('patch', 'jobs') < completions / 10, `${count('patch', 'jobs')} writes of the status`);
});
