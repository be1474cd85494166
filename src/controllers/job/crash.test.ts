/** A job's controller is stopped after any one of its writes, with copies that are late: each pod is counted all the same, and once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Job, Pod } from '../../api/index.ts';
import { SeededRandom } from '../../lib/index.ts';
import { jobsRef, podsRef } from '../resources.ts';
import type { RunningController } from '../shell.ts';
import { createTestCluster } from '../test-cluster.ts';
import { jobController } from './controller.ts';
import { indexOf } from './pods.ts';

const isRead = (verb: string): boolean => verb === 'get' || verb === 'list' || verb === 'watch';

/** Returns how many writes there were. `stops`: after which of them the controller stops and another one begins. */
async function run(spec: Partial<Job['spec']>, stops: ReadonlySet<number>, seed: number): Promise<number> {
  const random = new SeededRandom(seed);
  const cluster = createTestCluster(seed, () => Math.floor(random.float() * 150));
  const { clock, client, agent, until } = cluster;
  const failed = new Set<string>();
  // Every third pod fails.
  let begun = 0;
  agent.ends = (pod) => {
    const exitCode = begun++ % 3 === 0 ? 1 : 0;
    if (exitCode !== 0) failed.add(pod.metadata.uid ?? '');
    return { afterMs: 100 + (begun % 4) * 50, exitCode };
  };
  let writes = 0;
  let controller: RunningController | undefined;
  const start = (): void => {
    controller = cluster.start((informers) => jobController(informers, clock));
  };
  client.intercept = ({ verb, resource }) => {
    if (isRead(verb) || resource === 'events') return undefined;
    if (stops.has(++writes) && controller !== undefined) {
      controller.stop();
      controller = undefined;
      // By then the copies are as new as those of a program that has begun anew.
      clock.after(200, start);
    }
    return undefined;
  };
  const template = {
    metadata: { labels: { job: 'sums' } },
    spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'one' }] },
  };
  client.seed<Job>(jobsRef, {
    metadata: { name: 'sums', namespace: 'shop' },
    spec: { parallelism: 2, backoffLimit: 99, selector: { matchLabels: { job: 'sums' } }, template, ...spec },
  });
  start();
  const job = (): Job => client.peek<Job>(jobsRef, 'shop/sums') as Job;
  try {
    await until(
      'the end',
      () => job().status?.conditions?.some(({ type }) => type === 'Complete') === true,
      900_000,
    );
    const { status } = job();
    const pods = client.objects<Pod>(podsRef);
    const succeeded = pods.filter((pod) => pod.status?.phase === 'Succeeded');
    assert.equal(status?.succeeded, spec?.completions);
    assert.equal(succeeded.length, spec?.completions);
    assert.equal(status?.failed ?? 0, failed.size);
    assert.deepEqual(status?.uncountedTerminatedPods, {});
    assert.ok(pods.every(({ metadata }) => (metadata.finalizers ?? []).length === 0));
    if (spec?.completionMode === 'Indexed')
      assert.equal(new Set(succeeded.map(indexOf)).size, spec.completions);
  } finally {
    cluster.stop();
  }
  return writes;
}

const kinds = [
  ['', { completions: 4 }],
  ['indexed ', { completions: 4, completionMode: 'Indexed' }],
  [
    'indexed, with limits of its own for each index, ',
    { completions: 4, completionMode: 'Indexed', backoffLimitPerIndex: 9 },
  ],
] as const;

for (const [seed, [what, spec]] of kinds.entries()) {
  test(`${what === '' ? 'a' : 'an'} ${what}job counts each pod once, after whichever write its controller stops`, async () => {
    const writes = await run(spec, new Set(), seed);
    assert.ok(writes > 10, `${writes} writes`);
    for (let at = 1; at <= writes; at++) await run(spec, new Set([at]), seed);
  });

  test(`${what === '' ? 'a' : 'an'} ${what}job counts each pod once when its controller stops after every third write`, async () => {
    const stops = new Set(Array.from({ length: 200 }, (_, at) => at * 3));
    for (let again = 0; again < 5; again++) await run(spec, stops, 10 * seed + again);
  });
}
