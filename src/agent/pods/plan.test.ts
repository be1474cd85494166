import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Container, Pod } from '../../api/index.ts';
import { formatTime, type Random, SeededRandom } from '../../lib/index.ts';
import { backoffUntil, formatDuration, nextBackoff } from './backoff.ts';
import { type ContainerMemory, keyOfStep, type Observed, type RuntimeStatus, type Step } from './observed.ts';
import { planPod } from './plan.ts';

const nowMs = Date.UTC(2026, 0, 1);
const uid = 'aaaa-bbbb';

function observe(change: Partial<Observed> = {}, spec: Partial<NonNullable<Pod['spec']>> = {}): Observed {
  const pod: Pod = {
    metadata: { name: 'p', namespace: 'ns', uid, generation: 1 },
    spec: { nodeName: 'n', restartPolicy: 'Always', containers: [{ name: 'c', image: 'i' }], ...spec },
  };
  return {
    nowMs,
    uid,
    pod,
    seenAtMs: nowMs,
    goneAtMs: undefined,
    nodeAddress: '192.0.2.1',
    runtimeName: 'crun',
    containers: [],
    attached: false,
    networkPresent: false,
    addresses: [],
    sandbox: false,
    sandboxPresent: false,
    volumesReady: false,
    volumesPresent: false,
    roots: new Set(),
    memory: new Map(),
    faults: new Map(),
    probes: new Map(),
    terminationMessages: new Map(),
    busy: new Map(),
    deleted: false,
    ...change,
  };
}

const set = {
  attached: true,
  networkPresent: true,
  addresses: ['10.0.0.2'],
  sandbox: true,
  sandboxPresent: true,
  volumesReady: true,
  volumesPresent: true,
};

function container(state: RuntimeStatus['state'], change: Partial<RuntimeStatus> = {}): RuntimeStatus {
  const ended = state === 'exited';
  return {
    id: 'f'.repeat(64),
    podUid: uid,
    name: 'c',
    attempt: 0,
    state,
    pid: ended ? undefined : 1,
    startedAtMs: nowMs - 1000,
    finishedAtMs: ended ? nowMs - 10 : undefined,
    exitCode: ended ? 0 : undefined,
    reason: ended ? 'Completed' : undefined,
    message: undefined,
    ...change,
  };
}

const image = { attempt: 0, image: { id: 'sha256:1', digests: [] } } as unknown as NonNullable<
  ContainerMemory['image']
>;
const kinds = (observed: Observed): string[] => planPod(observed).steps.map((step) => step.kind);

test('planPod() begins network, volumes and image at once', () => {
  assert.deepEqual(kinds(observe()).sort(), ['attachNetwork', 'ensureImage', 'setUpVolumes']);
});

test('planPod() starts a container only when image, root, sandbox and volumes are there', () => {
  const memory = new Map([['c', { image }]]);
  assert.deepEqual(kinds(observe({ ...set, memory })), ['mountRoot']);
  const whole = new Map([['c', { image, root: { attempt: 0, rootPath: '/r' } }]]);
  assert.deepEqual(kinds(observe({ ...set, memory: whole })), ['startContainer']);
  assert.deepEqual(kinds(observe({ ...set, memory: whole, volumesReady: false })), ['setUpVolumes']);
  assert.deepEqual(kinds(observe({ ...set, memory: whole, busy: new Map([['container/c', {}]]) })), []);
});

const policies = [
  { policy: 'Always', exitCode: 0, again: true },
  { policy: 'Always', exitCode: 1, again: true },
  { policy: 'OnFailure', exitCode: 0, again: false },
  { policy: 'OnFailure', exitCode: 1, again: true },
  { policy: 'Never', exitCode: 0, again: false },
  { policy: 'Never', exitCode: 1, again: false },
];
for (const { policy, exitCode, again } of policies)
  test(`planPod() after exit ${exitCode} with ${policy}: ${again ? 'runs it again' : 'ends the pod'}`, () => {
    const exited = container('exited', { exitCode });
    const plan = planPod(observe({ ...set, containers: [exited] }, { restartPolicy: policy }));
    assert.equal(
      plan.steps.some((step) => step.kind === 'ensureImage'),
      again,
    );
    const phase = again ? 'Running' : exitCode === 0 ? 'Succeeded' : 'Failed';
    assert.equal(plan.status?.phase, phase);
  });

test('planPod() unmounts the roots of attempts that are over, also of those that never ran', () => {
  const roots = new Set(['c/0', 'c/1', 'c/2']);
  const unmounted = (change: Partial<Observed>): string[] =>
    planPod(observe({ ...set, roots, ...change })).steps.flatMap((step) =>
      step.kind === 'unmountRoot' ? [step.root] : [],
    );
  assert.deepEqual(unmounted({ containers: [container('running', { attempt: 2 })] }), ['c/0', 'c/1']);
  const refused = container('exited', { attempt: 1, id: '', exitCode: 128 });
  assert.deepEqual(unmounted({ containers: [refused] }), ['c/0', 'c/1'], 'c/2 is about to be started');
  assert.deepEqual(unmounted({ containers: [refused], busy: new Map([['container/c', {}]]) }), []);
});

test('planPod() waits out the back-off and says so', () => {
  const memory = new Map([['c', { backoff: { delayMs: 20_000, atMs: nowMs - 1000 } }]]);
  const plan = planPod(
    observe({ ...set, memory, containers: [container('exited', { exitCode: 1, attempt: 2 })] }),
  );
  assert.deepEqual(plan.steps, []);
  assert.equal(plan.wakeAtMs, nowMs - 10 + 20_000);
  const [status] = plan.status?.containerStatuses ?? [];
  assert.deepEqual(status?.state?.waiting, {
    reason: 'CrashLoopBackOff',
    message: `back-off 20s restarting failed container=c pod=p_ns(${uid})`,
  });
  assert.equal(status?.restartCount, 2);
});

test('planPod() counts attempts of which only logs are left', () => {
  const memory = new Map<string, ContainerMemory>([
    ['c', { lastLogged: 3, image: { ...image, attempt: 4 } }],
  ]);
  const plan = planPod(observe({ ...set, memory }));
  const steps = plan.steps.filter((step) => 'attempt' in step);
  assert.ok(steps.length > 0);
  for (const step of steps) assert.equal((step as { attempt: number }).attempt, 4);
});

test('planPod() shows what only the API object remembers of a container', () => {
  const observed = observe(set, { restartPolicy: 'Never' });
  const reported = {
    name: 'c',
    ready: true,
    restartCount: 1,
    image: 'i',
    imageID: 'sha256:1',
    containerID: 'crun://abc',
    state: { running: { startedAt: formatTime(nowMs) } },
  };
  const pod = { ...observed.pod, status: { phase: 'Running', containerStatuses: [reported] } } as Pod;
  const plan = planPod({ ...observed, pod });
  assert.equal(plan.status?.containerStatuses?.[0]?.state?.terminated?.reason, 'ContainerStatusUnknown');
  assert.equal(plan.status?.phase, 'Failed');
});

test('planPod() stops main containers before sidecars, and asks again when it must be faster', () => {
  const inits: Container[] = [{ name: 'side', image: 'i', restartPolicy: 'Always' }];
  const containers = [container('running'), container('running', { name: 'side', id: 'e'.repeat(64) })];
  const base = observe({ ...set, containers }, { initContainers: inits });
  const metadata = {
    ...base.pod?.metadata,
    deletionTimestamp: formatTime(nowMs + 30_000),
    deletionGracePeriodSeconds: 30,
  };
  const dying = { ...base, pod: { ...base.pod, metadata } as Pod };
  const steps = planPod(dying).steps;
  assert.deepEqual(
    steps.map((step) => 'container' in step && step.container),
    ['c'],
  );
  assert.equal((steps[0] as Extract<Step, { kind: 'stopContainer' }>).deadlineMs, nowMs + 30_000);
  const busy = new Map([['stop/c', { deadlineMs: nowMs + 30_000 }]]);
  assert.deepEqual(planPod({ ...dying, busy }).steps, []);
  const faster = { ...metadata, deletionTimestamp: formatTime(nowMs + 5_000) };
  assert.equal(
    planPod({ ...dying, busy, pod: { ...dying.pod, metadata: faster } }).steps[0]?.kind,
    'stopContainer',
  );
});

test('nextBackoff() doubles from 10 s to 5 min and forgives after ten good minutes', () => {
  let backoff = nextBackoff(undefined, 0);
  const delays = [backoff.delayMs];
  for (let i = 0; i < 6; i++) {
    backoff = nextBackoff(backoff, backoff.atMs + 1000);
    delays.push(backoff.delayMs);
  }
  assert.deepEqual(delays.map(formatDuration), ['10s', '20s', '40s', '1m20s', '2m40s', '5m0s', '5m0s']);
  assert.equal(backoffUntil(backoff, backoff.atMs + 600_001), undefined);
  assert.equal(nextBackoff(backoff, backoff.atMs + 600_001).delayMs, 10_000);
});

// ── properties ──

const pick = <T>(random: Random, ...of: readonly T[]): T => of[random.integer(of.length)] as T;
const maybe = (random: Random): boolean => random.integer(2) === 0;

/** Any state that a pod may be found in, also such as never should be. */
function anyObserved(random: Random): Observed {
  const names = ['a', 'b', 'i', 's'];
  const probe = { httpGet: { port: 80 } };
  const make = (name: string): Container => ({
    name,
    image: 'x',
    ...(maybe(random) ? { livenessProbe: probe, readinessProbe: probe } : {}),
    ...(random.integer(4) === 0 ? { startupProbe: probe } : {}),
    ...(random.integer(4) === 0 ? { lifecycle: { postStart: { exec: { command: ['x'] } } } } : {}),
  });
  const containers: RuntimeStatus[] = [];
  for (const name of names)
    for (
      let attempt = random.integer(3),
        state = pick(random, 'none', 'created', 'running', 'exited'),
        first = true;
      attempt >= 0 && state !== 'none';
      attempt--
    ) {
      const is = first ? (state as RuntimeStatus['state']) : 'exited';
      containers.push(
        container(is, {
          name,
          attempt,
          id: `${name}${attempt}`,
          exitCode: is === 'exited' ? random.integer(3) : undefined,
        }),
      );
      first = false;
      state = 'exited';
    }
  const memory = new Map<string, ContainerMemory>();
  for (const name of names) {
    const attempt = random.integer(3);
    memory.set(name, {
      ...(maybe(random) ? { image: { ...image, attempt } } : {}),
      ...(maybe(random) ? { root: { attempt, rootPath: '/r' } } : {}),
      ...(maybe(random) ? { backoff: { delayMs: 10_000, atMs: nowMs - random.integer(30_000) } } : {}),
    });
  }
  const busy = new Map<string, { deadlineMs?: number }>();
  for (const key of [
    'network',
    'sandbox',
    'volumes',
    ...names.flatMap((name) => [`image/${name}`, `container/${name}`, `stop/${name}`]),
  ])
    if (random.integer(8) === 0)
      busy.set(key, key.startsWith('stop/') ? { deadlineMs: nowMs + random.integer(30_000) } : {});
  const results = ['unknown', 'success', 'failure'] as const;
  const probes = new Map(
    containers.map((item) => [
      item.id,
      {
        startup: pick(random, ...results),
        readiness: pick(random, ...results),
        liveness: pick(random, ...results),
      },
    ]),
  );
  const base = observe(
    {
      containers,
      memory,
      busy,
      probes,
      attached: maybe(random),
      networkPresent: maybe(random),
      sandbox: maybe(random),
      sandboxPresent: maybe(random),
      volumesReady: maybe(random),
      volumesPresent: maybe(random),
      roots: new Set(names.filter(() => maybe(random)).map((name) => `${name}/${random.integer(3)}`)),
    },
    {
      restartPolicy: pick(random, 'Always', 'OnFailure', 'Never'),
      initContainers: [make('i'), { ...make('s'), restartPolicy: 'Always' }],
      containers: [make('a'), make('b')],
      ...(random.integer(5) === 0 ? { activeDeadlineSeconds: 0 } : {}),
    },
  );
  if (random.integer(5) === 0) return { ...base, pod: undefined, goneAtMs: nowMs };
  if (random.integer(3) > 0) return base;
  const metadata = {
    ...base.pod?.metadata,
    deletionTimestamp: formatTime(nowMs),
    deletionGracePeriodSeconds: pick(random, 0, 30),
  };
  return { ...base, pod: { ...base.pod, metadata } as Pod };
}

test('planPod() keeps its promises in any state', () => {
  const seed = process.env['CAELUM_TEST_SEED'] ?? '1';
  for (let round = 0; round < 4000; round++) {
    const where = `CAELUM_TEST_SEED=${seed} round ${round}`;
    const observed = anyObserved(new SeededRandom(`${seed}/${round}`));
    const plan = planPod(observed);
    assert.deepEqual(
      planPod(structuredClone(observed)),
      plan,
      `${where}: the same input gives the same plan`,
    );
    const keys = plan.steps.map(keyOfStep);
    assert.equal(new Set(keys).size, keys.length, `${where}: one step a key`);
    const over =
      observed.pod === undefined ||
      observed.pod.metadata.deletionTimestamp !== undefined ||
      observed.pod.spec?.activeDeadlineSeconds === 0;
    for (const step of plan.steps) {
      const starts = [
        'startContainer',
        'mountRoot',
        'ensureImage',
        'attachNetwork',
        'createSandbox',
        'setUpVolumes',
        'runPostStart',
      ];
      if (over)
        assert.ok(!starts.includes(step.kind), `${where}: what ends starts nothing, not ${step.kind}`);
      if (step.kind !== 'stopContainer')
        assert.ok(!observed.busy.has(keyOfStep(step)), `${where}: ${keyOfStep(step)} is under way`);
      if (step.kind === 'startContainer') {
        const own = observed.containers.filter((item) => item.name === step.container);
        assert.ok(
          own.every((item) => item.state === 'exited'),
          `${where}: no two attempts at once`,
        );
        assert.ok(
          own.every((item) => item.attempt < step.attempt),
          `${where}: attempts go up`,
        );
        assert.ok(!observed.busy.has(`stop/${step.container}`), `${where}: not while it is stopped`);
      }
      if (step.kind === 'removeContainer' && observed.pod !== undefined) {
        const newest = Math.max(
          ...observed.containers.filter((item) => item.name === step.container).map((item) => item.attempt),
        );
        assert.ok(step.attempt < newest, `${where}: the newest attempt stays`);
      }
      if (step.kind === 'deletePod')
        assert.ok(
          observed.containers.every((item) => item.state === 'exited'),
          `${where}: deleted only when nothing runs`,
        );
    }
    const phase = plan.status?.phase;
    if (phase === 'Succeeded')
      assert.ok(
        observed.containers.every((item) => item.state === 'exited' || over),
        where,
      );
  }
});
