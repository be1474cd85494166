import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareVersions } from './version-order.ts';

test('compareVersions() puts the released first, then beta, alpha, and other names', () => {
  // The example of Kubernetes' documentation.
  const ordered = [
    'v10',
    'v2',
    'v1',
    'v11beta2',
    'v10beta3',
    'v3beta1',
    'v12alpha1',
    'v11alpha2',
    'foo1',
    'foo10',
  ];
  assert.deepEqual([...ordered].reverse().sort(compareVersions), ordered);
});
