import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../api/index.ts';
import { generatePlan } from './generate.ts';
import { historyPage } from './html.ts';
import { guarded } from './io/environment.ts';
import { changeText, differences, planText } from './moment-text.ts';
import type { Property } from './property.ts';
import { resultText } from './result-text.ts';
import { type Moment, run } from './run.ts';
import { timelineOf } from './timeline.ts';

/** Throws when tags do not match or a text holds what must be written otherwise. Answers how often each element is there. */
function elementsOf(page: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  const open: string[] = [];
  const at = page.indexOf('>') + 1;
  for (const match of page
    .slice(at)
    .matchAll(/<(\/?)([a-zA-Z][\w]*)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>|[<]/g)) {
    const [whole, closes, name, , isEmpty] = match;
    if (name === undefined)
      throw new Error(
        `a stray "<" at ${match.index}: ${page.slice(at + match.index, at + match.index + 60)}`,
      );
    if (closes === '/') {
      const last = open.pop();
      if (last !== name) throw new Error(`${whole} closes <${last}>`);
    } else {
      counts.set(name, (counts.get(name) ?? 0) + 1);
      if (isEmpty !== '/') open.push(name);
    }
  }
  if (open.length > 0) throw new Error(`never closed: ${open.join(', ')}`);
  const stray = /&(?!(amp|lt|gt|quot);)/.exec(page);
  if (stray !== null) throw new Error(`a stray "&": ${page.slice(stray.index, stray.index + 40)}`);
  return counts;
}

const late: Property = {
  name: 'test/never-late',
  source: 'this test',
  statement: 'No pod is written after 20 s <ever> & "ever".',
  check: (_, broken) => ({
    onEvent({ atMs, resource, name }) {
      if (atMs > 20_000 && resource === 'pods') broken(`pod "${name}" <late> & written`);
    },
  }),
};

async function history(properties: readonly Property[]) {
  const moments: Moment[] = [];
  const plan = generatePlan(9, { activeMs: 30_000 });
  const kill = { kind: 'kill', process: 'controllers', afterSends: 0, atMs: 8000, forMs: 3000 } as const;
  const result = await run(
    { ...plan, faults: [kill] },
    { ...guarded, properties, onMoment: (moment) => void moments.push(moment) },
  );
  return { result, moments, properties };
}

test('historyPage() is well-formed, loads nothing, and holds the violation', async () => {
  const told = await history([late]);
  const page = historyPage({ ...told, command: 'npm run sim -- 9' });
  const counts = elementsOf(page);
  assert.ok((counts.get('rect') ?? 0) > 30);
  assert.ok((counts.get('path') ?? 0) > 3);
  assert.equal(/\b(src|href)="|@import|url\(/.exec(page), null);
  for (const part of [
    'Broken: test/never-late',
    '&quot; &lt;late&gt; &amp; written</p>',
    'class="violation"',
    'No pod is written after 20 s &lt;ever&gt;',
  ])
    assert.ok(page.includes(part), `the page holds ${part}`);
});

test('historyPage() of a history in which all held says so', async () => {
  const told = await history([]);
  const page = historyPage({ ...told, command: 'npm run sim -- 9' });
  elementsOf(page);
  assert.ok(page.includes('All 0 properties held'));
  assert.ok(!page.includes('class="violation"'));
});

test('timelineOf() has a lane for each process, node, deployment and kind of fault', async () => {
  const { result, moments } = await history([]);
  const timeline = timelineOf(moments, result.simulatedMs);
  const { nodes } = result.plan;
  assert.equal(timeline.processes.length, 4 + 2 * nodes.length);
  assert.deepEqual(
    timeline.processes.slice(0, 5).map(({ name }) => name),
    ['api', 'controllers', 'scheduler', 'witness', 'node-0'],
  );
  const controllers = timeline.processes.find(({ name }) => name === 'controllers');
  assert.deepEqual(
    controllers?.spans.map(({ state, fromMs, toMs }) => [state, fromMs < toMs]),
    [
      ['up', true],
      ['down', true],
      ['up', true],
    ],
  );
  assert.deepEqual(controllers?.spans[1]?.fromMs, 8000);
  assert.equal(timeline.nodes.length, nodes.length);
  assert.deepEqual(
    timeline.faults.map(({ name, spans }) => [name, spans.map(({ fromMs, toMs }) => [fromMs, toMs])]),
    [['kill', [[8000, 11_000]]]],
  );
  assert.deepEqual(
    timeline.phases.map(({ state }) => state),
    ['active', 'recover', 'rest'],
  );
  assert.ok(timeline.deployments.length > 0);
  for (const { wanted, ready } of timeline.deployments) assert.equal(wanted.at(-1)?.[1], ready.at(-1)?.[1]);
});

test('resultText() tells the property, its source, the moments before it and the hash', async () => {
  const told = await history([late]);
  const text = resultText({ ...told, cpuMs: 100 });
  assert.match(text, /BROKEN test\/never-late\n {2}No pod is written.*\[this test\]/);
  assert.match(text, new RegExp(told.result.hash));
  assert.match(text, /faults {5}kill 1/);
  assert.match(text, /Before it .*\n( .*r\d+ .*\n| .*(user|fault): .*\n){30}/);
});

test('differences() names items of lists and leaves out what says nothing', () => {
  const before = {
    metadata: { resourceVersion: '1', labels: { app: 'a' } },
    status: { conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: 'x' }] },
  };
  const after = {
    metadata: { resourceVersion: '2', labels: { app: 'b' } },
    status: {
      phase: 'Running',
      conditions: [
        { type: 'Initialized', status: 'True' },
        { type: 'Ready', status: 'True', lastTransitionTime: 'y' },
      ],
    },
  };
  assert.deepEqual(differences(before, after), [
    'metadata.labels.app: a → b',
    'status.conditions.Ready: False → True',
    'status.conditions.Initialized: True',
    'status.phase: Running',
  ]);
  assert.deepEqual(differences(before, before), []);
});

test('changeText() and planText() are one line each', () => {
  const object = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'a',
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: 'u' }],
    },
  } as KubeObject;
  const event = {
    kind: 'put',
    resource: 'pods',
    name: 'default/a',
    object,
    previous: undefined,
    isFound: false,
  } as const;
  assert.equal(changeText({ ...event, revision: 7, atMs: 0 }), 'r7 pods default/a: new, of ReplicaSet r');
  assert.equal(
    changeText({ ...event, kind: 'delete', previous: object, revision: 8, atMs: 0 }),
    'r8 pods default/a: gone',
  );
  assert.equal(
    planText('{"atMs":5,"forMs":1500,"kind":"cut","process":"node-1","way":"in"}'),
    'cut for=1.5s process=node-1 way=in',
  );
});
