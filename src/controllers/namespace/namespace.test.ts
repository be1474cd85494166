import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConfigMap, KubeObject, Namespace } from '../../api/index.ts';
import { apiServicesRef, configMapsRef, namespacesRef, secretsRef } from '../resources.ts';
import { plan as planAccount } from '../service-account/plan.ts';
import { cloud } from '../test-cloud.ts';
import { conclude, plan } from './plan.ts';

const context = { nowMs: Date.UTC(2026, 0, 1) };
const going: Namespace = {
  metadata: { name: 'team', uid: 'n', deletionTimestamp: '2026-01-01T00:00:00Z' },
  spec: { finalizers: ['kubernetes', 'other/one'] },
  status: { phase: 'Terminating' },
};
const held: ConfigMap = {
  metadata: {
    name: 'c',
    namespace: 'team',
    uid: 'c',
    finalizers: ['x/hold'],
    deletionTimestamp: '2026-01-01T00:00:00Z',
  },
};
const free: ConfigMap = { metadata: { name: 'd', namespace: 'team', uid: 'd' } };

const observe = (objects: readonly ConfigMap[], unknown: readonly string[] = []) => ({
  namespace: going,
  contents: [{ resource: configMapsRef, objects }],
  unknown,
});

test('namespace plan() deletes what is there, says what will stay, and looks again at once', () => {
  const [together, again] = plan(observe([held, free]), context);
  const [status] = conclude(observe([held, free]), context, undefined);
  assert.ok(together?.kind === 'together');
  assert.deepEqual(
    together.writes.map((write) => (write.kind === 'delete' ? write.name : '')),
    ['d'],
    'what is being deleted is not deleted twice',
  );
  assert.match(JSON.stringify(status), /configmaps\. has 1 resource instances/);
  assert.match(JSON.stringify(status), /x\/hold in 1 resource instances/);
  assert.ok(again?.kind === 'again' && again.afterMs < 100);
  assert.deepEqual(conclude(observe([free]), context, undefined), [], 'it goes at once: nothing to tell');
});

test('namespace plan() looks ever more seldom at what does not go', () => {
  const waits = [0, 5, 30, 3600].map((seconds) => {
    const [again] = plan(observe([held]), { nowMs: context.nowMs + seconds * 1000 });
    return again?.kind === 'again' ? again.afterMs : undefined;
  });
  assert.deepEqual(waits, [1000, 1000, 3000, 15_000]);
});

test('namespace plan() finalizes an empty namespace, keeping what others hold', () => {
  const [step] = plan(observe([]), context);
  assert.ok(step?.kind === 'update' && step.subresource === 'finalize');
  assert.deepEqual((step.object as Namespace).spec?.finalizers, ['other/one']);
  const left = { ...observe([]), namespace: { ...going, spec: { finalizers: ['other/one'] } } };
  assert.deepEqual(plan(left, context), []);
  const [status] = conclude(left, context, undefined);
  assert.match(JSON.stringify(status), /All content successfully removed/);
});

test('a namespace stays while something in it is held, or another server does not say what it has; its conditions say so', async (t) => {
  const one = await cloud(t, 1);
  const conditions = async (): Promise<readonly string[]> => {
    const { status } = await one.client.get<Namespace>(namespacesRef, undefined, 'team');
    return (status?.conditions ?? []).map(
      ({ type, status: is, reason, message }) => `${type} ${is} ${reason}: ${message}`,
    );
  };
  await one.client.create(namespacesRef, { metadata: { name: 'team' } });
  await one.client.create(configMapsRef, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'held', namespace: 'team', finalizers: ['example.com/hold'] },
  });
  await one.client.create(configMapsRef, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'free', namespace: 'team' },
  });
  await one.client.create(apiServicesRef, {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: 'v1.example.com' },
    spec: {
      group: 'example.com',
      version: 'v1',
      groupPriorityMinimum: 100,
      versionPriority: 100,
      service: { namespace: 'default', name: 'away' },
      insecureSkipTLSVerify: true,
    },
  } as KubeObject);
  await one.run(2000);
  await one.client.delete(namespacesRef, undefined, 'team');
  await one.run(3000);
  assert.deepEqual(await conditions(), [
    'NamespaceDeletionDiscoveryFailure True DiscoveryFailed: Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs: example.com/v1: stale GroupVersion discovery: example.com/v1',
    'NamespaceDeletionGroupVersionParsingFailure False ParsedGroupVersions: All legacy kube types successfully parsed',
    'NamespaceDeletionContentFailure False ContentDeleted: All content successfully deleted, may be waiting on finalization',
    'NamespaceContentRemaining True SomeResourcesRemain: Some resources are remaining: configmaps. has 1 resource instances',
    'NamespaceFinalizersRemaining True SomeFinalizersRemain: Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances',
  ]);
  assert.equal(await one.isGone(configMapsRef, 'team', 'free'), true);
  const before = one.revision();
  await one.run(600_000);
  assert.equal(one.revision(), before, 'it waits in silence');
  await one.client.patch(configMapsRef, 'team', 'held', 'merge', { metadata: { finalizers: null } });
  await one.run(20_000);
  assert.match((await conditions())[0] ?? '', /DiscoveryFailed/);
  assert.match((await conditions())[3] ?? '', /ContentRemoved: All content successfully removed$/);
  await one.client.delete(apiServicesRef, undefined, 'v1.example.com');
  await one.until('gone', () => one.isGone(namespacesRef, undefined, 'team'), 20_000);
});

test('a namespace of 10,000 objects goes in a few looks, with few other writes', async (t) => {
  const one = await cloud(t, 2);
  await one.client.create(namespacesRef, { metadata: { name: 'big' } });
  const count = 10_000;
  for (let at = 0; at < count; at++)
    await one.client.create(at % 2 === 0 ? configMapsRef : secretsRef, {
      apiVersion: 'v1',
      kind: at % 2 === 0 ? 'ConfigMap' : 'Secret',
      metadata: { name: `o${at}`, namespace: 'big' },
    });
  await one.run(2000);
  const before = one.revision();
  const startMs = one.clock.monotonicMs();
  await one.client.delete(namespacesRef, undefined, 'big');
  await one.until('gone', () => one.isGone(namespacesRef, undefined, 'big'), 10_000);
  assert.ok(one.clock.monotonicMs() - startMs < 3000, 'no waiting between parts');
  assert.ok(one.revision() - before < count + 20, `${one.revision() - before} writes`);
});

test('service account plan() makes what is missing, mends what differs, and rests', () => {
  const namespace: Namespace = { metadata: { name: 'team' } };
  const made = planAccount({ namespace, account: undefined, rootCa: undefined, rootCaPem: 'PEM' });
  assert.deepEqual(
    made.map((step) => (step.kind === 'create' ? step.object.metadata.name : step.kind)),
    ['default', 'kube-root-ca.crt'],
  );
  const account = { metadata: { name: 'default', namespace: 'team' } };
  const [mended] = planAccount({
    namespace,
    account,
    rootCa: { metadata: {}, data: { 'ca.crt': 'OLD' } },
    rootCaPem: 'PEM',
  });
  assert.equal(mended?.kind, 'update');
  assert.deepEqual(
    planAccount({
      namespace,
      account,
      rootCa: { metadata: {}, data: { 'ca.crt': 'PEM' } },
      rootCaPem: 'PEM',
    }),
    [],
  );
  assert.deepEqual(
    planAccount({ namespace: going, account: undefined, rootCa: undefined, rootCaPem: 'PEM' }),
    [],
    'nothing new in one that is going',
  );
});
