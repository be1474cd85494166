/** Counters into figures, and what agents may say: tables. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readSummary } from './summary.ts';
import { nodeUse, useBetween } from './usage.ts';

const at = (second: number): string => new Date(second * 1000).toISOString();
const counters = (second: number, cpuSeconds: unknown, startedSecond = 0, memory: unknown = 1024) => ({
  startTime: at(startedSecond),
  cpu: {
    time: at(second),
    usageCoreNanoSeconds: typeof cpuSeconds === 'number' ? cpuSeconds * 1e9 : cpuSeconds,
  },
  memory: { time: at(second), workingSetBytes: memory },
});
const pod = (uid: string, ...containers: readonly object[]) => ({
  podRef: { namespace: 'n', name: uid, uid },
  containers: containers.map((one, index) => ({ name: `c${index}`, ...one })),
});
const readAt = (second: number, node: object | undefined, ...pods: readonly unknown[]) =>
  readSummary({ node: { nodeName: 'a', ...node }, pods }, second * 1000);

test('useBetween() is the rate of CPU between two readings, and nothing where they do not belong together', () => {
  const one = (second: number, cpuSeconds: number, started = 1) => ({
    atMs: second * 1000,
    startedAtMs: started * 1000,
    cpuNanoseconds: cpuSeconds * 1e9,
    memoryBytes: 7,
  });
  const cases: readonly (readonly [
    string,
    ReturnType<typeof one> | undefined,
    ReturnType<typeof one>,
    number?,
  ])[] = [
    ['half a core', one(100, 50), one(115, 57.5), 500_000_000],
    ['idle', one(100, 50), one(115, 50), 0],
    ['the counter went back', one(100, 50), one(115, 49)],
    ['at the same moment', one(100, 50), one(100, 51)],
    ['the clock went back', one(100, 50), one(90, 51)],
    ['started anew, and too young', one(100, 50), one(115, 5, 107)],
    ['started anew, 12 s ago', one(100, 50), one(115, 6, 103), 500_000_000],
    ['new, 12 s ago', undefined, one(115, 6, 103), 500_000_000],
    ['new to us, but old', undefined, one(1000, 6, 3)],
  ];
  for (const [what, before, last, expected] of cases)
    assert.equal(useBetween(before, last)?.cpuNanocores, expected, what);
});

test('nodeUse() tells of whole pods only', () => {
  const before = readAt(
    100,
    counters(100, 10),
    pod('whole', counters(100, 1), counters(100, 2)),
    pod('half', counters(100, 1)),
  );
  const last = readAt(
    110,
    counters(110, 20),
    pod('whole', counters(110, 2, 0, 5), counters(111, 2.5, 0, 6)),
    pod('half', counters(110, 2), counters(110, 0.1, 109)),
    pod('late', counters(110, 5)),
  );
  const { node, pods } = nodeUse(before, last);
  const use = { atMs: 110_000, windowMs: 10_000, cpuNanocores: 1e9, memoryBytes: 1024 };
  assert.deepEqual(node, { ...use, traffic: {} });
  assert.deepEqual([...pods.keys()], ['whole']);
  const whole = pods.get('whole');
  assert.deepEqual([whole?.atMs, whole?.windowMs], [110_000, 10_000]);
  assert.deepEqual(
    [...(whole?.containers ?? [])].map(([name, one]) => [name, one.cpuNanocores, one.memoryBytes]),
    [
      ['c0', 100_000_000, 5],
      ['c1', 45_454_545, 6],
    ],
  );
  const first = nodeUse(undefined, last);
  assert.deepEqual([first.node, first.pods.size], [undefined, 0]);
});

test('nodeUse() tells nothing where the clock of the node was set between the readings', () => {
  // A day ahead what was used in ten seconds would be next to nothing, and somebody would be scaled down for it.
  for (const [shownSeconds, isTold] of [
    [10, true],
    [12, true],
    [7, true],
    [86_400, false],
    [70, false],
    [16, false],
    [2, false],
    [-3600, false],
    [0, false],
  ] as const) {
    const before = readAt(100, undefined, pod('a', counters(5000, 40)), pod('b', counters(5000, 40)));
    const then = 5000 + shownSeconds;
    const last = readAt(
      110,
      undefined,
      pod('a', counters(then, 50)),
      pod('b', counters(then, 45)),
      // It began in the meantime, by a clock that went on too fast.
      pod('new', counters(then, 1, then - 20)),
    );
    assert.equal(nodeUse(before, last).pods.has('a'), isTold, `${shownSeconds} s`);
    assert.equal(nodeUse(before, last).pods.size > 0, isTold, `${shownSeconds} s`);
  }
  const silent = readAt(100, undefined);
  assert.equal(nodeUse(silent, readAt(110, undefined, pod('new', counters(90, 12, 70)))).pods.size, 1);
});

test('readSummary() passes over what is no figure', () => {
  for (const document of [
    undefined,
    null,
    7,
    'text',
    [],
    { node: 7, pods: 'x' },
    { pods: [null, 7, { podRef: 7 }] },
  ])
    assert.deepEqual(readSummary(document, 5), {
      atMs: 5,
      clockMs: undefined,
      node: undefined,
      traffic: {},
      pods: new Map(),
    });
  const wrong = [
    counters(1, -1),
    counters(1, Number.NaN),
    counters(1, '5'),
    counters(1, 1, 0, -5),
    counters(1, 1, 0, 'much'),
    { ...counters(1, 1), cpu: { time: 'yesterday', usageCoreNanoSeconds: 1 } },
    {},
  ];
  for (const one of wrong) assert.equal(readAt(0, one, pod('a', one)).pods.size, 0, JSON.stringify(one));
  assert.equal(readAt(0, undefined, pod('', counters(1, 1))).pods.size, 0);
});
