import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { FlowSchema, PriorityLevelConfiguration } from '../../api/index.ts';
import { SeededRandom, SimulatedClock, silentLog } from '../../lib/index.ts';
import { createMemoryStore } from '../../store/index.ts';
import { createApi } from '../index.ts';
import { autoUpdateSpec } from './default-configuration.ts';
import { flowGroup, keepFlows } from './keeper.ts';

const ref = (resource: string) => ({ group: flowGroup, version: 'v1', resource, namespaced: false });
const schemas = ref('flowschemas');
const levels = ref('prioritylevelconfigurations');

async function start(t: TestContext) {
  const clock = new SimulatedClock();
  const store = createMemoryStore({ clock });
  const random = new SeededRandom(1);
  const api = createApi({ store, clock, random, log: silentLog, serviceCidr: '10.131.0.0/24' });
  const client = api.client();
  const keeper = keepFlows(api.context, client);
  t.after(() => {
    keeper.stop();
    return store.close();
  });
  const settled = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) {
      await clock.advance(100);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await settled();
  return { client, clock, settled };
}

test('keepFlows() makes the default objects, and tells that no schema dangles', async (t) => {
  const { client } = await start(t);
  const { items } = await client.list<FlowSchema>(schemas);
  assert.deepEqual(
    items
      .map(({ metadata, spec }) => [spec?.matchingPrecedence ?? 0, metadata.name ?? ''] as const)
      .sort((a, b) => a[0] - b[0] || (a[1] < b[1] ? -1 : 1))
      .map(([precedence, name]) => `${name} ${precedence}`),
    [
      'exempt 1',
      'probes 2',
      'system-leader-election 100',
      'endpoint-controller 150',
      'workload-leader-election 200',
      'system-node-high 400',
      'system-nodes 500',
      'kube-controller-manager 800',
      'kube-scheduler 800',
      'kube-system-service-accounts 900',
      'service-accounts 9000',
      'global-default 9900',
      'catch-all 10000',
    ],
  );
  for (const { metadata, status } of items)
    assert.deepEqual(
      status?.conditions?.map(({ type, status: said, reason }) => [type, said, reason]),
      [['Dangling', 'False', 'Found']],
      metadata.name ?? '',
    );
  assert.equal((await client.list(levels)).items.length, 8);
});

test('keepFlows() brings back what was deleted, and mends what is its own alone', async (t) => {
  const { client, settled } = await start(t);
  await client.delete(schemas, undefined, 'catch-all');
  await client.delete(levels, undefined, 'system');
  const change = async (annotation: string | null, seats: number): Promise<number | undefined> => {
    const patch = {
      metadata: { annotations: { [autoUpdateSpec]: annotation } },
      spec: { limited: { nominalConcurrencyShares: seats } },
    };
    await client.patch(levels, undefined, 'workload-low', 'merge', patch);
    await settled();
    const found = await client.get<PriorityLevelConfiguration>(levels, undefined, 'workload-low');
    return found.spec?.limited?.nominalConcurrencyShares;
  };
  assert.equal(await change('true', 7), 100, 'its own is mended');
  assert.equal(await change('false', 8), 8, "an administrator's stays");
  await settled();
  assert.equal((await client.list(schemas)).items.length, 13);
  assert.equal((await client.list(levels)).items.length, 8);
});

test('keepFlows() says which schema refers to a level that is not there', async (t) => {
  const { client, settled } = await start(t);
  await client.create<FlowSchema>(schemas, {
    metadata: { name: 'lost' },
    spec: {
      priorityLevelConfiguration: { name: 'nowhere' },
      rules: [
        {
          subjects: [{ kind: 'User', user: { name: 'eve' } }],
          nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
        },
      ],
    },
  });
  await settled();
  const found = await client.get<FlowSchema>(schemas, undefined, 'lost');
  assert.deepEqual(
    found.status?.conditions?.map(({ status, reason, message }) => [status, reason, message]),
    [
      [
        'True',
        'NotFound',
        'This FlowSchema references the PriorityLevelConfiguration object named "nowhere" but there is no such object',
      ],
    ],
  );
});
