import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConfigMap, Namespace } from '../../api/index.ts';
import { configMapsRef } from '../resources.ts';
import { plan as planAccount } from '../service-account/plan.ts';
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

test('namespace plan() deletes what is there, says what remains, and looks again', () => {
  const observed = { namespace: going, contents: [{ resource: configMapsRef, objects: [held, free] }] };
  const [together, again] = plan(observed);
  const [status] = conclude(observed, context, undefined);
  assert.ok(together?.kind === 'together');
  assert.deepEqual(
    together.writes.map((write) => (write.kind === 'delete' ? write.name : '')),
    ['d'],
    'what is being deleted is not deleted twice',
  );
  assert.match(JSON.stringify(status), /configmaps\. has 2 resource instances/);
  assert.match(JSON.stringify(status), /x\/hold in 1 resource instances/);
  assert.equal(again?.kind, 'again');
});

test('namespace plan() finalizes an empty namespace, keeping what others hold', () => {
  const [step] = plan({ namespace: going, contents: [] });
  assert.ok(step?.kind === 'update' && step.subresource === 'finalize');
  assert.deepEqual((step.object as Namespace).spec?.finalizers, ['other/one']);
  assert.deepEqual(plan({ namespace: { ...going, spec: { finalizers: ['other/one'] } }, contents: [] }), []);
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
