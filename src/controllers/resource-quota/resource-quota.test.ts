/** Resource quotas: the status says what is used, follows what comes and goes, and is left alone otherwise. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builtinKinds, type Pod, type ResourceQuota } from '../../api/index.ts';
import { podsRef, resourceQuotasRef, servicesRef } from '../resources.ts';
import { createTestCluster } from '../test-cluster.ts';
import { resourceQuotaController } from './controller.ts';
import { plan } from './plan.ts';

const pod = (name: string, more: object = {}): Pod =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: {
      containers: [{ name: 'c', image: 'x', resources: { requests: { cpu: '250m', memory: '64Mi' } } }],
    },
    ...more,
  }) as Pod;

const quota = (hard: Readonly<Record<string, string>>, more: object = {}): ResourceQuota => ({
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name: 'q', namespace: 'default' },
  spec: { hard, ...more },
});

test('resourceQuotaController() counts, follows changes, and rests', async () => {
  const cluster = createTestCluster();
  const { client } = cluster;
  cluster.agent.startMs = () => undefined;
  await client.create(podsRef, pod('a'));
  await client.create(
    resourceQuotasRef,
    quota({ pods: '5', 'requests.cpu': '2', services: '1', 'count/secrets': '3' }),
  );
  cluster.start((informers) => resourceQuotaController(informers, builtinKinds));
  const status = () => client.objects<ResourceQuota>(resourceQuotasRef)[0]?.status;
  const used = (wanted: Readonly<Record<string, string>>) => () =>
    JSON.stringify(Object.entries(status()?.used ?? {}).sort()) ===
    JSON.stringify(Object.entries(wanted).sort());
  await cluster.until(
    'the first count',
    used({ pods: '1', 'requests.cpu': '250m', services: '0', 'count/secrets': '0' }),
  );
  assert.deepEqual(status()?.hard, { pods: '5', 'requests.cpu': '2', services: '1', 'count/secrets': '3' });
  await client.create(podsRef, pod('b'));
  await client.create(servicesRef, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 's', namespace: 'default' },
  });
  await cluster.until(
    'what came',
    used({ pods: '2', 'requests.cpu': '500m', services: '1', 'count/secrets': '0' }),
  );
  await client.patch(
    podsRef,
    'default',
    'b',
    'merge',
    { status: { phase: 'Succeeded' } },
    { subresource: 'status' },
  );
  await cluster.until(
    'what ended',
    used({ pods: '1', 'requests.cpu': '250m', services: '1', 'count/secrets': '0' }),
  );
  await client.patch(resourceQuotasRef, 'default', 'q', 'merge', {
    spec: { hard: { services: null, pods: '7' } },
  });
  await cluster.until('other limits', used({ pods: '1', 'requests.cpu': '250m', 'count/secrets': '0' }));
  assert.deepEqual(status()?.hard, { pods: '7', 'requests.cpu': '2', 'count/secrets': '3' });
  await cluster.run(1000);
  cluster.writes();
  await cluster.run(60_000);
  assert.equal(cluster.writes(), 0);
  cluster.stop();
});

test('plan() counts only what is in the scopes, and no pod whose time is over', () => {
  const now = Date.parse('2026-01-01T00:01:00Z');
  const going = (at: string): Pod =>
    pod('going', {
      metadata: {
        name: 'going',
        namespace: 'default',
        deletionTimestamp: at,
        deletionGracePeriodSeconds: 30,
      },
    });
  const bare = pod('bare', { spec: { containers: [{ name: 'c', image: 'x' }] } });
  const high = pod('high', { spec: { ...pod('x').spec, priorityClassName: 'high' } });
  const until = pod('until', { spec: { ...pod('x').spec, activeDeadlineSeconds: 5 } });
  const used = (more: object, pods: readonly Pod[]) => {
    const steps = plan(
      { quota: quota({ pods: '9' }, more), objects: new Map([['pods', pods]]) },
      { nowMs: now },
    );
    const [first] = steps;
    return first?.kind === 'patch'
      ? (first.patch as { status: ResourceQuota['status'] }).status?.used?.['pods']
      : steps;
  };
  const all = [pod('a'), bare, high, until];
  assert.equal(used({}, all), '4');
  assert.equal(used({ scopes: ['BestEffort'] }, all), '1');
  assert.equal(used({ scopes: ['NotBestEffort'] }, all), '3');
  assert.equal(used({ scopes: ['Terminating'] }, all), '1');
  assert.equal(used({ scopes: ['NotTerminating', 'NotBestEffort'] }, all), '2');
  const byClass = (operator: string, values?: readonly string[]) => ({
    scopeSelector: {
      matchExpressions: [{ scopeName: 'PriorityClass', operator, ...(values ? { values } : {}) }],
    },
  });
  assert.equal(used(byClass('In', ['high']), all), '1');
  assert.equal(used(byClass('Exists'), all), '1');
  assert.equal(used(byClass('NotIn', ['high']), all), '3');
  assert.equal(used({}, [going('2026-01-01T00:00:00Z')]), '0');
  assert.equal(used({}, [going('2026-01-01T00:00:45Z')]), '1');
});
