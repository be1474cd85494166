import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Draft, KubeObject } from '../object.ts';
import { draftOf } from '../object.ts';
import { created, kindOf, lines, nowMs, type Tree, withDefaults } from './test-submission.ts';

const pods = kindOf('pods');
const container = (more: Tree = {}): Tree => ({ name: 'c', image: 'x:1', ...more });
const pod = (spec: Tree = {}, annotations: Tree = {}): Tree => ({
  metadata: { name: 'web', annotations },
  spec: { containers: [container()], ...spec },
});

/** What a write to a subresource would be refused for, and what it would leave. */
function write(subresource: string, old: Tree, wanted: Tree, status: Tree = {}) {
  const part = pods.subresources.find(({ name }) => name === subresource)?.part;
  assert.ok(part !== undefined);
  const before = created(pods, old);
  Object.assign(before['status'] as Tree, status);
  const after = draftOf(before) as Draft<KubeObject> & Tree;
  part.take(after as never, withDefaults(pods, wanted) as never, { nowMs });
  pods.applyDefaults(after);
  const problems = [...pods.validate(after), ...part.validateUpdate(after as never, before as never)];
  return { after, problems: lines(problems) };
}

const debug = (more: Tree = {}): Tree => ({ name: 'debug', image: 'busybox:1', ...more });
const withDebug = (...ephemeralContainers: Tree[]): Tree => pod({ ephemeralContainers });
const first = 'spec.ephemeralContainers[0]';
const cannot = 'Forbidden: cannot be set for an Ephemeral Container';

for (const [name, old, wanted, expected] of [
  ['one is put in', pod(), withDebug(debug({ targetContainerName: 'c', stdin: true, tty: true })), []],
  [
    'nothing of a normal container may be said',
    pod(),
    withDebug(
      debug({
        ports: [{ containerPort: 80 }],
        resources: { limits: { cpu: '1' } },
        lifecycle: { preStop: { exec: { command: ['x'] } } },
        restartPolicy: 'Always',
      }),
    ),
    [
      `${first}.ports: ${cannot}`,
      `${first}.resources: ${cannot}`,
      `${first}.lifecycle: ${cannot}`,
      `${first}.restartPolicy: ${cannot}`,
    ],
  ],
  [
    'names are taken, targets are there',
    pod(),
    withDebug(debug({ name: 'c', targetContainerName: 'd' })),
    [`${first}.name: Duplicate value: "c"`, `${first}.targetContainerName: Not found: "d"`],
  ],
  [
    'only whole volumes',
    pod({ volumes: [{ name: 'v', emptyDir: {} }] }),
    withDebug(debug({ volumeMounts: [{ name: 'v', mountPath: '/v', subPath: 'a' }] })),
    [`${first}.volumeMounts[0].subPath: ${cannot}`],
  ],
  [
    'not into static pods',
    pod({}, { 'kubernetes.io/config.mirror': 'x' }),
    withDebug(debug()),
    [': Forbidden: static pods do not support ephemeral containers'],
  ],
] as const)
  test(`ephemeral containers: ${name}`, () => {
    assert.deepEqual(write('ephemeralcontainers', old, wanted).problems, expected);
  });

test('ephemeral containers never change or go', () => {
  const part = pods.subresources.find(({ name }) => name === 'ephemeralcontainers')?.part;
  const before = withDefaults(pods, withDebug(debug()));
  const told = (wanted: Tree) =>
    lines(part?.validateUpdate(withDefaults(pods, wanted) as never, before as never) ?? []);
  const field = 'spec.ephemeralContainers: Forbidden: existing ephemeral containers "debug"';
  assert.deepEqual(told(withDebug(debug(), debug({ name: 'more' }))), []);
  assert.deepEqual(told(pod()), [`${field} may not be removed\n`]);
  assert.deepEqual(told(withDebug(debug({ image: 'busybox:2' }))), [
    `${field} may not be changed\n\timage: "busybox:1" → "busybox:2"`,
  ]);
});

test('through its part for ephemeral containers nothing else of a pod changes', () => {
  const { after } = write('ephemeralcontainers', pod(), {
    ...withDebug(debug()),
    metadata: { name: 'web', labels: { a: 'b' } },
  });
  assert.equal(after.metadata.labels, undefined);
  assert.deepEqual(
    ((after['spec'] as Tree)['ephemeralContainers'] as Tree[]).map(({ name }) => name),
    ['debug'],
  );
});

const sized = (requests: Tree, limits?: Tree): Tree => ({
  resources: { requests, ...(limits === undefined ? {} : { limits }) },
});
const podOf = (...containers: Tree[]): Tree => pod({ containers });
const half = container(sized({ cpu: '500m' }));
const fixed = container(sized({ cpu: '1', memory: '1Gi' }, { cpu: '1', memory: '1Gi' }));
const init = (more: Tree): Tree =>
  pod({ containers: [half], initContainers: [container({ name: 'i', ...more })] });
const running = { containerStatuses: [{ name: 'c', state: { running: {} } }] };

for (const [name, old, wanted, status, expected] of [
  ['more', podOf(half), podOf(container(sized({ cpu: '1' }))), {}, []],
  [
    'more of what is fixed',
    podOf(fixed),
    podOf(container(sized({ cpu: '2', memory: '1Gi' }, { cpu: '2', memory: '1Gi' }))),
    {},
    [],
  ],
  [
    'less memory',
    podOf(fixed),
    podOf(container(sized({ cpu: '1', memory: '1Mi' }, { cpu: '1', memory: '1Mi' }))),
    {},
    [],
  ],
  [
    'another quality',
    podOf(fixed),
    podOf(container(sized({ cpu: '1', memory: '1Gi' }, { cpu: '2', memory: '1Gi' }))),
    {},
    ['spec: Invalid value: "Guaranteed": Pod QOS Class may not change as a result of resizing'],
  ],
  [
    'nothing asked for',
    podOf(half),
    podOf(container()),
    {},
    [
      'spec: Invalid value: "Burstable": Pod QOS Class may not change as a result of resizing',
      'spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed',
    ],
  ],
  [
    'another disk',
    podOf(half),
    podOf(container(sized({ cpu: '500m', 'ephemeral-storage': '1Gi' }))),
    {},
    ['spec: Forbidden: only cpu and memory resources are mutable'],
  ],
  [
    'another policy',
    podOf(half),
    podOf({ ...half, resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'NotRequired' }] }),
    {},
    ['spec: Forbidden: only cpu and memory resources are mutable'],
  ],
  ['another image is not taken', podOf(half), podOf({ ...half, image: 'x:2' }), {}, []],
  [
    'another order',
    podOf(half, { ...half, name: 'd' }),
    podOf({ ...half, name: 'd' }, half),
    {},
    [
      'spec.containers[0].name: Forbidden: containers may not be renamed or reordered on resize',
      'spec.containers[1].name: Forbidden: containers may not be renamed or reordered on resize',
    ],
  ],
  [
    'more containers',
    podOf(half),
    podOf(half, { ...half, name: 'd' }),
    {},
    ['spec.containers: Forbidden: containers may not be added or removed on resize'],
  ],
  [
    'a node that cannot',
    podOf(half),
    podOf(container(sized({ cpu: '1' }))),
    running,
    ['spec: Forbidden: Pod running on node without support for resize'],
  ],
  [
    'a static pod',
    pod({ containers: [half] }, { 'kubernetes.io/config.mirror': 'x' }),
    podOf(half),
    {},
    [': Forbidden: static pods cannot be resized'],
  ],
  [
    'one that ends before',
    init(sized({ cpu: '1' })),
    init(sized({ cpu: '2' })),
    {},
    ['spec: Forbidden: resources for non-sidecar init containers are immutable'],
  ],
  [
    'one that stays',
    init({ restartPolicy: 'Always', ...sized({ cpu: '1' }) }),
    init({ restartPolicy: 'Always', ...sized({ cpu: '2' }) }),
    {},
    [],
  ],
  [
    'more than the limit',
    podOf(fixed),
    podOf(container(sized({ cpu: '2', memory: '1Gi' }, { cpu: '1', memory: '1Gi' }))),
    {},
    [
      'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
      'spec: Invalid value: "Guaranteed": Pod QOS Class may not change as a result of resizing',
    ],
  ],
] as readonly (readonly [string, Tree, Tree, Tree, readonly string[]])[])
  test(`resizing a pod: ${name}`, () =>
    assert.deepEqual(write('resize', old, wanted, status).problems, expected));
