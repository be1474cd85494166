/** How many replicas figures ask for, and what of it is granted: tables. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HorizontalPodAutoscalerSpec, Pod } from '../../api/index.ts';
import { grant, type History } from './limits.ts';
import { byAverage, byShare, byUtilization, byValue, type Fleet, type Proposal } from './replicas.ts';

const nowMs = Date.parse('2026-06-01T12:00:00Z');
const ago = (seconds: number): string => new Date(nowMs - seconds * 1000).toISOString();

type Shape = 'ready' | 'unready' | 'pending' | 'going' | 'failed' | 'young' | 'missing';

function podOf(name: string, shape: Shape): Pod {
  const isReady = shape !== 'unready' && shape !== 'pending';
  const started = shape === 'young' || shape === 'unready' ? 60 : 3600;
  return {
    metadata: { name, ...(shape === 'going' ? { deletionTimestamp: ago(1) } : {}) },
    spec: { containers: [{ name: 'c', resources: { requests: { cpu: '1', memory: '1k' } } }] },
    status: {
      phase: shape === 'pending' ? 'Pending' : shape === 'failed' ? 'Failed' : 'Running',
      startTime: ago(started),
      conditions: [
        { type: 'Ready', status: isReady ? 'True' : 'False', lastTransitionTime: ago(started - 5) },
      ],
    },
  };
}

/** `[shape, milli]` a pod; a figure of a young pod is older than its readiness. */
type Row = readonly [shape: Shape, milli: number];

function fleetOf(rows: readonly Row[], more: Partial<Fleet> = {}) {
  const pods = rows.map(([shape], index) => podOf(`p${index}`, shape));
  const samples = new Map(
    rows.flatMap(([shape, milli], index) =>
      shape === 'missing' || shape === 'pending'
        ? []
        : [
            [
              `p${index}`,
              { milli, atMs: shape === 'young' ? nowMs - 40_000 : nowMs, windowMs: 30_000 },
            ] as const,
          ],
    ),
  );
  const tolerances = { up: 0.1, down: 0.1 };
  const fleet: Fleet = {
    namespace: 'default',
    pods,
    specReplicas: rows.length,
    statusReplicas: rows.length,
    tolerances,
    nowMs,
    ...more,
  };
  return { fleet, samples };
}

const shapes = (count: number, shape: Shape, milli: number): Row[] => Array(count).fill([shape, milli]);

test('byUtilization() counts, guesses and never turns', () => {
  const cases: readonly (readonly [string, readonly Row[], number, number | string, Partial<Fleet>?])[] = [
    [
      'up',
      [
        ['ready', 300],
        ['ready', 500],
        ['ready', 700],
      ],
      30,
      5,
    ],
    [
      'down',
      [
        ['ready', 100],
        ['ready', 300],
        ['ready', 500],
        ['ready', 250],
        ['ready', 250],
      ],
      50,
      3,
    ],
    [
      'within the tolerance',
      [
        ['ready', 1010],
        ['ready', 1030],
        ['ready', 1020],
      ],
      100,
      3,
    ],
    [
      'its own tolerance',
      [
        ['ready', 1010],
        ['ready', 1030],
        ['ready', 1020],
      ],
      100,
      4,
      { tolerances: { up: 0.01, down: 0.1 } },
    ],
    [
      'unready pods use nothing on the way up',
      [
        ['unready', 300],
        ['ready', 500],
        ['ready', 700],
      ],
      30,
      4,
    ],
    [
      'pending ones too',
      [
        ['ready', 500],
        ['ready', 700],
        ['pending', 0],
      ],
      30,
      4,
    ],
    [
      'young figures do not count',
      [
        ['young', 900],
        ['ready', 500],
        ['ready', 700],
      ],
      30,
      4,
    ],
    ['unready pods are nothing on the way down', [...shapes(3, 'ready', 200), ['unready', 900]], 50, 2],
    [
      'missing ones use nothing on the way up',
      [
        ['ready', 900],
        ['missing', 0],
        ['missing', 0],
      ],
      50,
      3,
    ],
    ['and all on the way down', [...shapes(3, 'ready', 100), ['missing', 0]], 50, 3],
    [
      'which may stop it',
      [
        ['ready', 200],
        ['missing', 0],
        ['missing', 0],
      ],
      50,
      3,
    ],
    [
      'those that go or failed are not there',
      [
        ['ready', 800],
        ['going', 900],
        ['failed', 0],
      ],
      40,
      2,
    ],
    ['no pods', [], 50, 'no pods returned by selector while calculating replica count'],
    [
      'none with figures',
      [['missing', 0]],
      50,
      'did not receive metrics for targeted pods (pods might be unready)',
    ],
  ];
  for (const [name, rows, target, expected, more] of cases) {
    const { fleet, samples } = fleetOf(rows, more);
    const answer = byUtilization(fleet, samples, 'cpu', undefined, target);
    assert.equal('error' in answer ? answer.error : answer.replicas, expected, name);
  }
  const { fleet, samples } = fleetOf([['ready', 1]]);
  assert.deepEqual(byUtilization(fleet, samples, 'gpu', undefined, 50), {
    error: 'missing request for gpu in container c of Pod p0',
  });
  // Readiness says something of CPU only.
  const memory = fleetOf([
    ['unready', 900_000],
    ['ready', 900_000],
  ]);
  assert.equal(
    (byUtilization(memory.fleet, memory.samples, 'memory', undefined, 45) as Proposal).replicas,
    4,
  );
});

test('byAverage(), byValue() and byShare() count', () => {
  const { fleet, samples } = fleetOf([
    ['ready', 20_000],
    ['ready', 10_000],
    ['ready', 30_000],
  ]);
  assert.deepEqual(byAverage(fleet, samples, '', 15_000), { replicas: 4, milli: 20_000 });
  assert.deepEqual(byValue(fleet, 20_000, 15_000), { replicas: 4, milli: 20_000 });
  assert.deepEqual(byValue(fleet, 14_500, 15_000), { replicas: 3, milli: 14_500 });
  assert.deepEqual(byShare(fleet, 60_000, 10_000), { replicas: 6, milli: 20_000 });
  assert.deepEqual(byShare(fleet, 31_000, 10_000), { replicas: 3, milli: 10_334 });
  const empty = fleetOf([]).fleet;
  assert.equal((byValue(empty, 30_000, 10_000) as Proposal).replicas, 3);
  assert.equal((byValue(empty, 0, 10_000) as Proposal).replicas, 0);
  assert.equal(byShare(empty, 25_000, 10_000).replicas, 3);
  assert.equal(byShare(empty, 0, 10_000).replicas, 0);
});

const policies = (...list: readonly (readonly [string, number, number])[]) =>
  list.map(([type, value, periodSeconds]) => ({ type, value, periodSeconds }));
const specOf = (behavior?: HorizontalPodAutoscalerSpec['behavior']): HorizontalPodAutoscalerSpec => ({
  scaleTargetRef: { kind: 'Deployment', name: 'web' },
  maxReplicas: 100,
  ...(behavior === undefined ? {} : { behavior }),
});
const past = (seconds: number, replicas: number) => ({ atMs: nowMs - seconds * 1000, replicas });
const changed = (seconds: number, change: number) => ({ atMs: nowMs - seconds * 1000, change });

test('grant() keeps to windows, rates and bounds', () => {
  const none: History = { recommendations: [], changes: [] };
  const upBoth = { scaleUp: { policies: policies(['Pods', 4, 15], ['Percent', 100, 15]) } };
  const down = (more: object = {}) => ({
    scaleDown: {
      stabilizationWindowSeconds: 0,
      policies: policies(['Percent', 20, 60], ['Pods', 5, 60]),
      ...more,
    },
  });
  const cases: readonly (readonly [
    string,
    HorizontalPodAutoscalerSpec['behavior'],
    History,
    readonly [current: number, desired: number, minReplicas?: number],
    readonly [replicas: number, able: string, limit: string],
  ])[] = [
    ['plain, up at most to the double', undefined, none, [5, 50], [10, 'ReadyForNewScale', 'ScaleUpLimit']],
    ['plain, or to four', undefined, none, [1, 50], [4, 'ReadyForNewScale', 'ScaleUpLimit']],
    ['plain, to the maximum', undefined, none, [60, 200], [100, 'ReadyForNewScale', 'TooManyReplicas']],
    ['plain, to the minimum', undefined, none, [5, 1, 3], [3, 'ReadyForNewScale', 'TooFewReplicas']],
    [
      'plain, down waits',
      undefined,
      { ...none, recommendations: [past(200, 8), past(400, 9)] },
      [9, 2],
      [8, 'ScaleDownStabilized', 'DesiredWithinRange'],
    ],
    ['the most of both policies', upBoth, none, [10, 50], [20, 'ReadyForNewScale', 'ScaleUpLimit']],
    ['of a few too', upBoth, none, [2, 50], [6, 'ReadyForNewScale', 'ScaleUpLimit']],
    [
      'the least of both',
      { scaleUp: { ...upBoth.scaleUp, selectPolicy: 'Min' } },
      none,
      [10, 50],
      [14, 'ReadyForNewScale', 'ScaleUpLimit'],
    ],
    [
      'what was changed in the period counts',
      upBoth,
      { ...none, changes: [changed(10, 5), changed(20, 7)] },
      [10, 50],
      [10, 'ReadyForNewScale', 'ScaleUpLimit'],
    ],
    [
      'disabled',
      { scaleUp: { ...upBoth.scaleUp, selectPolicy: 'Disabled' } },
      none,
      [10, 50],
      [10, 'ReadyForNewScale', 'ScaleUpLimit'],
    ],
    [
      'up waits where it shall',
      { scaleUp: { ...upBoth.scaleUp, stabilizationWindowSeconds: 60 } },
      { ...none, recommendations: [past(30, 11)] },
      [10, 15],
      [11, 'ScaleUpStabilized', 'DesiredWithinRange'],
    ],
    ['down by the most', down(), none, [50, 1], [40, 'ReadyForNewScale', 'ScaleDownLimit']],
    [
      'down by the least',
      down({ selectPolicy: 'Min' }),
      none,
      [50, 1],
      [45, 'ReadyForNewScale', 'ScaleDownLimit'],
    ],
    [
      'what went in the period counts',
      down(),
      { ...none, changes: [changed(30, -10)] },
      [40, 1],
      [40, 'ReadyForNewScale', 'ScaleDownLimit'],
    ],
    [
      'down waits five minutes by itself',
      { scaleDown: { policies: policies(['Percent', 100, 15]) } },
      { ...none, recommendations: [past(299, 7), past(301, 9)] },
      [9, 2],
      [7, 'ScaleDownStabilized', 'DesiredWithinRange'],
    ],
    ['nothing to do', upBoth, none, [10, 10], [10, 'ReadyForNewScale', 'DesiredWithinRange']],
  ];
  for (const [name, behavior, history, [current, desired, minReplicas = 1], expected] of cases) {
    const granted = grant(specOf(behavior), history, { current, desired, minReplicas, nowMs });
    assert.deepEqual([granted.replicas, granted.able.reason, granted.limit.reason], expected, name);
    assert.equal(granted.isLimited, granted.limit.reason !== 'DesiredWithinRange', name);
  }
});
