import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FlowSchema, PriorityLevelConfiguration } from '../../api/index.ts';
import { isError, SeededRandom, SimulatedClock } from '../../lib/index.ts';
import type { Attributes } from '../access/rules.ts';
import { anonymous, type Identity, systemIdentity } from '../identity.ts';
import { FlowControl, type Ticket, type Waiting } from './flow-control.ts';
import { handOf } from './shuffle-shard.ts';
import { seatsOfList } from './work-estimate.ts';

const user = (name: string, ...groups: string[]): Identity => ({
  user: name,
  groups: [...groups, 'system:authenticated'],
});
const asked = (over: Partial<Extract<Attributes, { kind: 'resource' }>> = {}): Attributes => ({
  kind: 'resource',
  verb: 'get',
  group: '',
  resource: 'pods',
  subresource: '',
  namespace: 'default',
  name: 'a',
  ...over,
});
const node = user('system:node:n', 'system:nodes');
const account = user('system:serviceaccount:kube-system:x', 'system:serviceaccounts');

test('flowOf() finds the schema that Kubernetes would', () => {
  const control = new FlowControl({ clock: new SimulatedClock() });
  const cases: readonly (readonly [Identity, Attributes, string, string])[] = [
    [systemIdentity, asked(), 'exempt', 'exempt'],
    [anonymous, { kind: 'path', verb: 'get', path: '/livez' }, 'probes', 'exempt'],
    [anonymous, { kind: 'path', verb: 'get', path: '/livez/ping' }, 'global-default', 'global-default'],
    [
      node,
      asked({ resource: 'nodes', subresource: 'status', namespace: '' }),
      'system-node-high',
      'node-high',
    ],
    [node, asked({ group: 'coordination.k8s.io', resource: 'leases' }), 'system-node-high', 'node-high'],
    [node, asked(), 'system-nodes', 'system'],
    [account, asked(), 'kube-system-service-accounts', 'workload-high'],
    [
      account,
      asked({ verb: 'update', group: 'coordination.k8s.io', resource: 'leases' }),
      'system-leader-election',
      'leader-election',
    ],
    [
      account,
      asked({ verb: 'update', resource: 'configmaps' }),
      'workload-leader-election',
      'leader-election',
    ],
    [
      user('system:serviceaccount:a:b', 'system:serviceaccounts'),
      asked(),
      'service-accounts',
      'workload-low',
    ],
    [user('system:kube-scheduler'), asked({ namespace: '' }), 'kube-scheduler', 'workload-high'],
    [user('eve'), asked(), 'global-default', 'global-default'],
    [{ user: 'odd', groups: [] }, asked(), 'catch-all', 'catch-all'],
  ];
  for (const [identity, what, schema, level] of cases) {
    const flow = control.flowOf(identity, what);
    assert.deepEqual([flow.schema.metadata.name, flow.level.name], [schema, level], `${identity.user}`);
  }
});

test('configure() follows precedence, names, and levels that are missing', () => {
  const control = new FlowControl({ clock: new SimulatedClock() });
  const own = (name: string, precedence: number, level: string): FlowSchema => ({
    metadata: { name, uid: `uid of ${name}` },
    spec: {
      priorityLevelConfiguration: { name: level },
      matchingPrecedence: precedence,
      rules: [
        {
          subjects: [{ kind: 'User', user: { name: 'eve' } }],
          resourceRules: [{ verbs: ['list'], apiGroups: [''], resources: ['pods'], namespaces: ['default'] }],
        },
      ],
    },
  });
  const level: PriorityLevelConfiguration = {
    metadata: { name: 'small', uid: 'uid of small' },
    spec: { type: 'Limited', limited: { nominalConcurrencyShares: 1, limitResponse: { type: 'Reject' } } },
  };
  control.configure([own('b', 50, 'small'), own('a', 50, 'small'), own('none', 40, 'missing')], [level]);
  const flow = control.flowOf(user('eve'), asked({ verb: 'list' }));
  assert.equal(flow.schema.metadata.name, 'a');
  assert.deepEqual(flow.headers, [
    'X-Kubernetes-PF-FlowSchema-UID',
    'uid of a',
    'X-Kubernetes-PF-PriorityLevel-UID',
    'uid of small',
  ]);
  assert.equal(control.flowOf(user('eve'), asked()).schema.metadata.name, 'global-default');
  assert.equal(
    control.flowOf(user('eve'), asked({ verb: 'list', namespace: '' })).schema.metadata.name,
    'global-default',
  );
});

/** Small and easy to count: one level of four seats, queues of twenty. */
function smallControl(clock: SimulatedClock, over: object = {}, seats = 4): FlowControl {
  const control = new FlowControl({ clock, seats });
  const everything = {
    resourceRules: [
      { verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true, namespaces: ['*'] },
    ],
  };
  control.configure(
    [
      {
        metadata: { name: 'all' },
        spec: {
          priorityLevelConfiguration: { name: 'all' },
          matchingPrecedence: 100,
          distinguisherMethod: { type: 'ByUser' },
          rules: [{ subjects: [{ kind: 'Group', group: { name: 'system:authenticated' } }], ...everything }],
        },
      },
    ],
    [
      {
        metadata: { name: 'all' },
        spec: {
          type: 'Limited',
          limited: {
            nominalConcurrencyShares: 1000,
            borrowingLimitPercent: 0,
            limitResponse: { type: 'Queue', queuing: { queues: 64, handSize: 4, queueLengthLimit: 20 } },
            ...over,
          },
        },
      },
    ],
  );
  return control;
}

const enter = (control: FlowControl, identity: Identity, seats = 1): Ticket | Waiting =>
  control.enter(control.flowOf(identity, asked()), identity, asked(), seats);

const tick = async (): Promise<void> => {
  for (let i = 0; i < 4; i++) await Promise.resolve();
};

test('enter() lets pass without a promise while seats are free, then lets wait, then refuses', async () => {
  const clock = new SimulatedClock();
  const control = smallControl(clock);
  const eve = user('eve');
  const tickets = [1, 2, 3, 4].map(() => enter(control, eve));
  assert.ok(tickets.every((one) => one.kind === 'ticket'));
  const waiting: Waiting[] = [];
  assert.throws(
    () => {
      for (;;) {
        const one = enter(control, eve);
        assert.ok(one.kind === 'waiting');
        waiting.push(one);
      }
    },
    (error) => isError(error, 'tooManyRequests') && error.details.retryAfterSeconds === 1,
  );
  // Four queues of twenty: a hand.
  assert.equal(waiting.length, 80);
  let served = 0;
  for (const { ticket } of waiting)
    ticket.then(
      () => served++,
      () => {},
    );
  (tickets[0] as Ticket).release();
  (tickets[0] as Ticket).release();
  await tick();
  assert.equal(served, 1);
  waiting[79]?.cancel();
  await clock.advance(15_000);
  await tick();
  assert.equal(served, 1);
  const flow = control.flowOf(eve, asked());
  assert.deepEqual(flow.refused, { 'queue-full': 1, 'concurrency-limit': 0, 'time-out': 78, cancelled: 1 });
  assert.equal(flow.counts.inQueue, 0);
});

test('one client floods: the other waits for a bounded number of requests', async () => {
  const clock = new SimulatedClock();
  const control = smallControl(clock);
  const order: string[] = [];
  const running: Ticket[] = [];
  const ask = (name: string): void => {
    try {
      const got = enter(control, user(name));
      if (got.kind === 'ticket') {
        order.push(name);
        running.push(got);
      } else
        got.ticket.then(
          (ticket) => {
            order.push(name);
            running.push(ticket);
          },
          () => {},
        );
    } catch {
      // Refused: that is the flooder's own affair.
    }
  };
  for (let i = 0; i < 200; i++) ask('flood');
  const gaps: number[] = [];
  for (let round = 0; round < 20; round++) {
    const before = order.length;
    ask('calm');
    for (let steps = 0; !order.slice(before).includes('calm'); steps++) {
      assert.ok(steps < 50, 'is served at all');
      await clock.advance(3);
      running.shift()?.release();
      await tick();
      ask('flood');
    }
    gaps.push(order.length - before);
  }
  // Its own four queues are as good as empty: at most one of each queue of the flooder's hand goes first.
  assert.ok(Math.max(...gaps) <= 6, `waited for ${gaps.join(', ')}`);
});

test('the system passes whatever others do; nodes have seats of their own', () => {
  const control = new FlowControl({ clock: new SimulatedClock() });
  const flooder = user('eve');
  let passed = 0;
  try {
    for (let i = 0; i < 10_000; i++) if (enter(control, flooder).kind === 'ticket') passed++;
  } catch (error) {
    assert.ok(isError(error, 'tooManyRequests'));
  }
  // All that others lend, and no more.
  assert.ok(passed > 100 && passed < 600, `${passed}`);
  for (let i = 0; i < 2000; i++) assert.equal(enter(control, systemIdentity).kind, 'ticket');
  const status = asked({ resource: 'nodes', subresource: 'status', namespace: '' });
  for (let i = 0; i < 70; i++)
    assert.equal(control.enter(control.flowOf(node, status), node, status).kind, 'ticket', `${i}`);
});

test('seats are lent and come back; a borrowing limit holds; seats always add up (seeded)', () => {
  const control = smallControl(new SimulatedClock(), {}, 40);
  const random = new SeededRandom(7);
  const held: { ticket: Ticket; seats: number }[] = [];
  for (let i = 0; i < 2000; i++) {
    if (random.integer(2) === 0) {
      const seats = 1 + random.integer(3);
      try {
        const got = enter(control, user(`u${random.integer(5)}`), seats);
        if (got.kind === 'ticket') held.push({ ticket: got, seats });
        else got.cancel();
      } catch (error) {
        assert.ok(isError(error, 'tooManyRequests'));
      }
    } else held.splice(random.integer(Math.max(1, held.length)), 1)[0]?.ticket.release();
    const level = [...control.levels()].find(({ name }) => name === 'all');
    assert.ok(level !== undefined);
    assert.equal(
      level.account.inUse,
      held.reduce((sum, one) => sum + one.seats, 0),
    );
    assert.ok(level.account.inUse <= level.account.nominal);
    assert.ok(level.account.total.committed <= level.account.total.seats);
  }
  for (const { ticket } of held) ticket.release();
  assert.ok([...control.levels()].every(({ account }) => account.inUse === 0));
});

test('handOf() deals different queues, evenly, the same to the same', () => {
  const counts = new Array<number>(64).fill(0);
  for (let i = 0; i < 1000; i++) {
    const hand = handOf(`flow ${i}`, 64, 6);
    assert.equal(new Set(hand).size, 6);
    assert.deepEqual(hand, handOf(`flow ${i}`, 64, 6));
    for (const card of hand) {
      assert.ok(card >= 0 && card < 64);
      counts[card] = (counts[card] ?? 0) + 1;
    }
  }
  assert.ok(Math.min(...counts) > 60 && Math.max(...counts) < 130, counts.join(' '));
  assert.equal(handOf('x', 2, 6).length, 2);
});

test('seatsOfList() makes big lists wide', () => {
  const cases = [
    [{ objects: 0, bytes: 1000, limit: undefined, seatsMax: 10 }, 1],
    [{ objects: 250, bytes: 1000, limit: undefined, seatsMax: 10 }, 3],
    [{ objects: 100_000, bytes: 1000, limit: undefined, seatsMax: 10 }, 10],
    [{ objects: 100_000, bytes: 1000, limit: 500, seatsMax: 10 }, 5],
    [{ objects: 100_000, bytes: 1000, limit: undefined, seatsMax: 3 }, 3],
  ] as const;
  for (const [estimate, seats] of cases) assert.equal(seatsOfList(estimate), seats);
});
