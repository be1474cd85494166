import assert from 'node:assert/strict';
import { test } from 'node:test';
import { created, kindOf, lines, type Tree, updateRefusals } from './test-submission.ts';

const pods = kindOf('pods');
const pod = (spec: Tree = {}): Tree => ({
  metadata: { name: 'web' },
  spec: { containers: [{ name: 'c', image: 'nginx:1' }], ...spec },
});

const notThese =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';
const gate = { schedulingGates: [{ name: 'example.com/a' }, { name: 'example.com/b' }] };
const toleration = { key: 'a', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 };

const cases: readonly (readonly [string, Tree, Tree, readonly string[]])[] = [
  ['nothing', pod(), pod(), []],
  ['an image', pod(), pod({ containers: [{ name: 'c', image: 'nginx:2' }] }), []],
  [
    'no image',
    pod(),
    pod({ containers: [{ name: 'c', image: '', imagePullPolicy: 'IfNotPresent' }] }),
    ['spec.containers[0].image: Required value', 'spec.containers[0].image: Required value'],
  ],
  [
    'a command',
    pod(),
    pod({ containers: [{ name: 'c', image: 'nginx:1', command: ['x'] }] }),
    [`spec: Forbidden: ${notThese}\n\tcontainers[0].command: nil → ["x"]`],
  ],
  [
    'the node',
    pod({ nodeName: 'a' }),
    pod({ nodeName: 'b' }),
    [`spec: Forbidden: ${notThese}\n\tnodeName: "a" → "b"`],
  ],
  [
    'one container more',
    pod(),
    pod({
      containers: [
        { name: 'c', image: 'nginx:1' },
        { name: 'd', image: 'x' },
      ],
    }),
    ['spec.containers: Forbidden: pod updates may not add or remove containers'],
  ],
  ['a deadline', pod(), pod({ activeDeadlineSeconds: 5 }), []],
  [
    'a later deadline',
    pod({ activeDeadlineSeconds: 5 }),
    pod({ activeDeadlineSeconds: 6 }),
    ['spec.activeDeadlineSeconds: Invalid value: 6: must be less than or equal to previous value'],
  ],
  [
    'no deadline',
    pod({ activeDeadlineSeconds: 5 }),
    pod(),
    ['spec.activeDeadlineSeconds: Invalid value: null: must not update from a positive integer to nil value'],
  ],
  ['one toleration more', pod(), pod({ tolerations: [toleration] }), []],
  [
    'less patience',
    pod({ tolerations: [toleration] }),
    pod({ tolerations: [{ ...toleration, tolerationSeconds: 1 }] }),
    [],
  ],
  [
    'one toleration less',
    pod({ tolerations: [toleration] }),
    pod(),
    ['spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds'],
  ],
  ['a gate less', pod(gate), pod({ schedulingGates: [{ name: 'example.com/b' }] }), []],
  [
    'another gate',
    pod(gate),
    pod({ schedulingGates: [{ name: 'example.com/c' }] }),
    [
      "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'example.com/c'",
    ],
  ],
  ['a node selector while gated', pod(gate), pod({ ...gate, nodeSelector: { a: 'b' } }), []],
  [
    'a node selector while not gated',
    pod(),
    pod({ nodeSelector: { a: 'b' } }),
    [`spec: Forbidden: ${notThese}\n\tnodeSelector: nil → {"a":"b"}`],
  ],
];

for (const [name, old, object, expected] of cases)
  test(`updating a pod: ${name}`, () => assert.deepEqual(updateRefusals(pods, old, object), expected));

const ended = { terminated: { exitCode: 1 } };
const running = { running: {} };
const withStatus = (restartPolicy: string, state: Tree, more: Tree = {}) => {
  const object = created(pods, pod({ restartPolicy }));
  object['status'] = {
    ...(object['status'] as Tree),
    containerStatuses: [{ name: 'c', ready: false, restartCount: 0, image: '', imageID: '', state }],
    ...more,
  };
  return object;
};

for (const [policy, from, to, refused] of [
  ['Always', ended, running, false],
  ['OnFailure', ended, running, false],
  ['OnFailure', { terminated: { exitCode: 0 } }, running, true],
  ['Never', ended, running, true],
  ['Never', running, ended, false],
] as const) {
  test(`a container of a pod that restarts ${policy} may${refused ? ' not' : ''} go from ${JSON.stringify(from)} to ${JSON.stringify(to)}`, () => {
    assert.deepEqual(
      lines(pods.validateStatusUpdate(withStatus(policy, to), withStatus(policy, from))),
      refused
        ? ['status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state']
        : [],
    );
  });
}

test('the quality of service stays, and addresses are addresses', () => {
  assert.deepEqual(
    lines(
      pods.validateStatusUpdate(
        withStatus('Always', running, { qosClass: 'Guaranteed', podIPs: [{ ip: 'x' }] }),
        withStatus('Always', running),
      ),
    ),
    [
      'status.qosClass: Invalid value: "Guaranteed": field is immutable',
      'status.podIPs[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    ],
  );
});
