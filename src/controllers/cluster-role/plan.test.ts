import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClusterRole, PolicyRule } from '../../api/index.ts';
import { plan } from './plan.ts';

const rule = (resource: string): PolicyRule => ({ verbs: ['get'], apiGroups: [''], resources: [resource] });
const part = (name: string, to: string, ...rules: PolicyRule[]): ClusterRole => ({
  metadata: { name, labels: { [`to-${to}`]: 'true' } },
  rules,
});
const whole = (rules: readonly PolicyRule[]): ClusterRole => ({
  metadata: { name: 'view', uid: 'u' },
  rules,
  aggregationRule: { clusterRoleSelectors: [{ matchLabels: { 'to-view': 'true' } }] },
});
const parts = [
  part('b', 'view', rule('services'), rule('pods')),
  part('a', 'view', rule('pods')),
  part('c', 'edit', rule('secrets')),
];

test('plan() puts together the rules of all roles that are asked for, each once, in the order of names', () => {
  const [step] = plan({ role: whole([]), others: parts });
  assert.equal(step?.kind, 'patch');
  assert.deepEqual(step?.kind === 'patch' && (step.patch as { rules: unknown }).rules, [
    rule('pods'),
    rule('services'),
  ]);
});

test('plan() of a role that is as it should be is empty, and so is that of one that asks for none', () => {
  assert.deepEqual(plan({ role: whole([rule('pods'), rule('services')]), others: parts }), []);
  const { aggregationRule: _none, ...plain } = whole([rule('nodes')]);
  assert.deepEqual(plan({ role: plain, others: parts }), []);
});
