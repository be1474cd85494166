import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isError } from '../../lib/index.ts';
import { messageOf } from '../schema/messages.ts';
import { strategicMergePatch } from './strategic-merge-patch.ts';

type Outcome = { readonly value: unknown } | { readonly why: RegExp };
type Case = readonly [name: string, message: string, original: unknown, patch: unknown, outcome: Outcome];

const nginx = { name: 'nginx', image: 'nginx:1' };
const log = { name: 'log', image: 'log:1' };
const pod = (...containers: unknown[]): unknown => ({ containers });

const cases: readonly Case[] = [
  [
    'merges objects',
    'apps.v1.Deployment',
    { spec: { replicas: 1, paused: true } },
    { spec: { replicas: 2 } },
    { value: { spec: { replicas: 2, paused: true } } },
  ],
  [
    'deletes with null',
    'apps.v1.Deployment',
    { spec: { replicas: 1, paused: true } },
    { spec: { paused: null, x: null } },
    { value: { spec: { replicas: 1 } } },
  ],
  [
    'merges maps key by key',
    'meta.v1.ObjectMeta',
    { labels: { a: '1', b: '2' } },
    { labels: { b: null, c: '3' } },
    { value: { labels: { a: '1', c: '3' } } },
  ],
  [
    'drops nulls of what it adds',
    'core.v1.Pod',
    {},
    { metadata: { labels: { a: null, b: '1' } } },
    { value: { metadata: { labels: { b: '1' } } } },
  ],
  [
    'merges a list by its key',
    'core.v1.PodSpec',
    pod(nginx, log),
    pod({ name: 'log', image: 'log:2' }),
    { value: pod(nginx, { name: 'log', image: 'log:2' }) },
  ],
  ['adds an element', 'core.v1.PodSpec', pod(nginx), pod(log), { value: pod(log, nginx) }],
  [
    'keeps an element that the patch does not name',
    'core.v1.PodSpec',
    pod(nginx, log),
    pod({ name: 'nginx', image: 'nginx:2' }),
    { value: pod({ name: 'nginx', image: 'nginx:2' }, log) },
  ],
  [
    'replaces a list without strategy',
    'core.v1.Container',
    { command: ['a', 'b'] },
    { command: ['c'] },
    { value: { command: ['c'] } },
  ],
  [
    'deletes an element by $patch',
    'core.v1.PodSpec',
    pod(nginx, log),
    pod({ name: 'log', $patch: 'delete' }),
    { value: pod(nginx) },
  ],
  [
    'replaces a list by $patch',
    'core.v1.PodSpec',
    pod(nginx, log),
    pod({ name: 'x', image: 'x:1' }, { $patch: 'replace' }),
    { value: pod({ name: 'x', image: 'x:1' }) },
  ],
  [
    'replaces an object by $patch',
    'core.v1.PodSpec',
    { securityContext: { runAsUser: 1, fsGroup: 2 } },
    { securityContext: { fsGroup: 3, $patch: 'replace' } },
    { value: { securityContext: { fsGroup: 3 } } },
  ],
  [
    'empties an object by $patch',
    'core.v1.PodSpec',
    { securityContext: { runAsUser: 1 } },
    { securityContext: { $patch: 'delete' } },
    { value: { securityContext: {} } },
  ],
  [
    'takes $patch: merge for nothing said',
    'core.v1.PodSpec',
    { securityContext: { runAsUser: 1 } },
    { securityContext: { fsGroup: 3, $patch: 'merge' } },
    { value: { securityContext: { runAsUser: 1, fsGroup: 3 } } },
  ],
  [
    'merges primitives as a set',
    'meta.v1.ObjectMeta',
    { finalizers: ['a', 'b'] },
    { finalizers: ['b', 'c'] },
    { value: { finalizers: ['a', 'b', 'c'] } },
  ],
  [
    'deletes primitives',
    'meta.v1.ObjectMeta',
    { finalizers: ['a', 'b', 'c'] },
    { '$deleteFromPrimitiveList/finalizers': ['b', 'x'] },
    { value: { finalizers: ['a', 'c'] } },
  ],
  [
    'deletes primitives where there are none',
    'meta.v1.ObjectMeta',
    {},
    { '$deleteFromPrimitiveList/finalizers': ['b'] },
    { value: {} },
  ],
  [
    'deletes primitives and adds others in order',
    'meta.v1.ObjectMeta',
    { finalizers: ['a', 'b'] },
    {
      '$deleteFromPrimitiveList/finalizers': ['a'],
      '$setElementOrder/finalizers': ['c', 'b'],
      finalizers: ['c'],
    },
    { value: { finalizers: ['c', 'b'] } },
  ],
  [
    'orders elements by $setElementOrder',
    'core.v1.PodSpec',
    pod(nginx, log),
    {
      '$setElementOrder/containers': [{ name: 'log' }, { name: 'nginx' }],
      containers: [{ name: 'log', image: 'log:2' }],
    },
    { value: pod({ name: 'log', image: 'log:2' }, nginx) },
  ],
  [
    'orders without a change',
    'core.v1.PodSpec',
    pod(nginx, log),
    { '$setElementOrder/containers': [{ name: 'log' }, { name: 'nginx' }] },
    { value: pod(log, nginx) },
  ],
  [
    "keeps the server's own elements in their place",
    'core.v1.PodSpec',
    pod({ name: 'a' }, { name: 'mesh' }, { name: 'b' }),
    {
      '$setElementOrder/containers': [{ name: 'a' }, { name: 'b' }, { name: 'c' }],
      containers: [{ name: 'c' }],
    },
    { value: pod({ name: 'a' }, { name: 'mesh' }, { name: 'b' }, { name: 'c' }) },
  ],
  [
    'clears other keys by $retainKeys',
    'apps.v1.DeploymentSpec',
    { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } },
    { strategy: { $retainKeys: ['type'], type: 'Recreate' } },
    { value: { strategy: { type: 'Recreate' } } },
  ],
  [
    "swaps a volume's source by $retainKeys",
    'core.v1.PodSpec',
    { volumes: [{ name: 'v', emptyDir: {} }] },
    { volumes: [{ name: 'v', $retainKeys: ['name', 'hostPath'], hostPath: { path: '/x' } }] },
    { value: { volumes: [{ name: 'v', hostPath: { path: '/x' } }] } },
  ],
  [
    'merges by the first merge key only',
    'core.v1.Container',
    { ports: [{ containerPort: 80, name: 'a' }, { containerPort: 81 }] },
    { ports: [{ containerPort: 80, name: 'b' }] },
    { value: { ports: [{ containerPort: 80, name: 'b' }, { containerPort: 81 }] } },
  ],
  [
    'merges env inside containers',
    'core.v1.PodSpec',
    pod({
      name: 'a',
      env: [
        { name: 'X', value: '1' },
        { name: 'Y', value: '2' },
      ],
    }),
    pod({ name: 'a', env: [{ name: 'Y', value: null, valueFrom: { fieldRef: { fieldPath: 'p' } } }] }),
    {
      value: pod({
        name: 'a',
        env: [
          { name: 'X', value: '1' },
          { name: 'Y', valueFrom: { fieldRef: { fieldPath: 'p' } } },
        ],
      }),
    },
  ],
  [
    "leaves a list alone when the patch's is empty",
    'core.v1.PodSpec',
    pod(nginx),
    { containers: [] },
    { value: pod(nginx) },
  ],
  [
    'leaves no directive in what it adds',
    'core.v1.Pod',
    {},
    {
      spec: {
        $retainKeys: ['containers'],
        '$setElementOrder/containers': [{ name: 'a' }],
        containers: [
          { name: 'a', $patch: 'merge' },
          { name: 'b', $patch: 'delete' },
        ],
      },
    },
    { value: { spec: { containers: [{ name: 'a' }] } } },
  ],
  [
    'refuses an element without its key',
    'core.v1.PodSpec',
    pod(nginx),
    pod({ image: 'x' }),
    { why: /does not contain declared merge key: name/ },
  ],
  [
    'refuses an unknown directive',
    'core.v1.PodSpec',
    { securityContext: {} },
    { securityContext: { $patch: 'shred' } },
    { why: /^unknown patch type: shred$/ },
  ],
  [
    'refuses $retainKeys that miss a key',
    'apps.v1.DeploymentSpec',
    { strategy: {} },
    { strategy: { $retainKeys: ['type'], rollingUpdate: {} } },
    { why: /^invalid patch format of retainKeys$/ },
  ],
  [
    'refuses an order that misses an element',
    'core.v1.PodSpec',
    pod(nginx),
    { '$setElementOrder/containers': [{ name: 'nginx' }], containers: [log] },
    { why: /doesn't match \$setElementOrder list/ },
  ],
];

for (const [name, message, original, patch, outcome] of cases) {
  test(`strategicMergePatch() ${name}`, () => {
    const before = structuredClone({ original, patch });
    if ('value' in outcome) {
      assert.deepEqual(strategicMergePatch(messageOf(message), original, patch), outcome.value);
    } else {
      assert.throws(
        () => strategicMergePatch(messageOf(message), original, patch),
        (error) => isError(error, 'badRequest') && outcome.why.test(error.message),
      );
    }
    assert.deepEqual({ original, patch }, before, 'neither original nor patch is touched');
  });
}
