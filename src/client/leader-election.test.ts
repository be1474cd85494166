import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { KubeObject } from '../api/index.ts';
import { CaelumError, SeededRandom, SimulatedClock, silentLog } from '../lib/index.ts';
import type { Client } from './client.ts';
import { createFakeClient, type FakeRequest } from './fake-client.ts';
import { createInformers } from './informer.ts';
import { type LeaderElection, leasesRef, startLeaderElection } from './leader-election.ts';

interface Stand {
  readonly election: LeaderElection;
  readonly clock: SimulatedClock;
  readonly story: string[];
  /** Its requests fail. */
  isCut: boolean;
  kill(): void;
}

/** Programs with clocks of their own before one API. */
function hall(t: TestContext) {
  const world = new SimulatedClock();
  const client = createFakeClient({ clock: world });
  const stands: Stand[] = [];
  const stand = (identity: string, lease?: { leaseMs: number }): Stand => {
    const clock = new SimulatedClock(world.nowMs() + 3_600_000 * stands.length);
    const random = new SeededRandom(stands.length);
    const story: string[] = [];
    const wrapped: Client = new Proxy(client, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (...given: unknown[]) => {
          if (own.isCut && name !== 'watch')
            return Promise.reject(new CaelumError('unavailable', 'the connection broke'));
          return value.apply(target, given) as unknown;
        };
      },
    });
    const informers = createInformers({ client: wrapped, clock, random, log: silentLog });
    const own: Stand = {
      clock,
      story,
      isCut: false,
      kill: () => {
        own.isCut = true;
        informers.stop();
        stands.splice(stands.indexOf(own), 1);
      },
      election: undefined as never,
    };
    const election = startLeaderElection({
      client: wrapped,
      informers,
      clock,
      random,
      log: silentLog,
      namespace: 'kube-system',
      name: 'kube-scheduler',
      identity,
      ...lease,
      onElected: (term) => story.push(`elected ${term.split('/')[1]}`),
      onDeposed: () => story.push('deposed'),
    });
    (own as { election: LeaderElection }).election = election;
    stands.push(own);
    t.after(() => {
      informers.stop();
      void election.stop();
    });
    return own;
  };
  const run = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 100) {
      await world.advance(100);
      for (const one of [...stands]) await one.clock.advance(100);
      const leaders = stands.filter(({ election }) => election.isLeader);
      assert.ok(leaders.length <= 1, `${leaders.length} lead at once`);
    }
  };
  const lease = (): KubeObject & { spec: Record<string, unknown> } =>
    client.peek(leasesRef, 'kube-system/kube-scheduler') as never;
  return { client, stand, run, lease };
}

test('startLeaderElection() leads at once where nobody else does, and renews', async (t) => {
  const { stand, run, lease, client } = hall(t);
  const a = stand('a');
  await run(100);
  assert.equal(a.election.isLeader, true);
  const { holderIdentity, leaseDurationSeconds, leaseTransitions, renewTime } = lease().spec;
  assert.deepEqual([holderIdentity, leaseDurationSeconds, leaseTransitions], ['a', 15, 0]);
  await run(10_000);
  assert.notEqual(lease().spec['renewTime'], renewTime);
  assert.deepEqual(a.story, ['elected 0']);
  const writes = client.requests.filter(({ verb }: FakeRequest) => verb === 'update').length;
  assert.ok(writes >= 4 && writes <= 6, `${writes} renewals in ten seconds`);
});

test('startLeaderElection() has who stands by take over when the lease has not been renewed for its duration', async (t) => {
  const { stand, run } = hall(t);
  const a = stand('a');
  await run(1000);
  const b = stand('b');
  await run(30_000);
  assert.deepEqual([a.election.isLeader, b.election.isLeader, b.election.leader], [true, false, 'a']);
  a.kill();
  await run(12_900);
  assert.equal(b.election.isLeader, false, 'the lease is not over');
  await run(2200);
  assert.equal(b.election.isLeader, true, 'it took over within the duration of the lease');
  assert.deepEqual(b.story, ['elected 1']);
});

test('startLeaderElection() steps down before anybody takes over, when it cannot renew', async (t) => {
  const { stand, run } = hall(t);
  const a = stand('a');
  await run(1000);
  const b = stand('b');
  await run(5000);
  a.isCut = true;
  await run(10_100);
  assert.deepEqual([a.election.isLeader, b.election.isLeader], [false, false]);
  assert.deepEqual(a.story, ['elected 0', 'deposed']);
  await run(5500);
  assert.equal(b.election.isLeader, true);
  a.isCut = false;
  await run(10_000);
  assert.deepEqual([a.election.isLeader, b.election.isLeader], [false, true]);
});

test('startLeaderElection() gives the lease back when it is stopped', async (t) => {
  const { stand, run } = hall(t);
  const a = stand('a');
  await run(500);
  const b = stand('b');
  await run(500);
  await a.election.stop();
  await run(300);
  assert.equal(b.election.isLeader, true);
});

test('startLeaderElection() takes up its own lease again at once, in a new term', async (t) => {
  const { stand, run } = hall(t);
  stand('a').kill();
  const first = stand('a');
  await run(500);
  first.kill();
  const again = stand('a');
  await run(200);
  assert.equal(again.election.isLeader, true);
  assert.notDeepEqual(again.story, first.story);
});

test('startLeaderElection() measures by no clock that jumps', async (t) => {
  const { stand, run } = hall(t);
  const a = stand('a');
  await run(500);
  const b = stand('b');
  for (const jumpMs of [86_400_000, -172_800_000, 30_000, -30_000]) {
    a.clock.jump(jumpMs);
    await run(8000);
    b.clock.jump(-jumpMs);
    await run(8000);
  }
  assert.deepEqual([a.story, b.story], [['elected 0'], []]);
});

test('startLeaderElection() goes on when its answer was lost, when somebody labels its lease, and when it is deleted', async (t) => {
  const { stand, run, client, lease } = hall(t);
  const a = stand('a');
  await run(500);
  const update = client.update.bind(client);
  let isLost = true;
  client.update = async (...call) => {
    const answer = await update(...call);
    if (!isLost) return answer;
    isLost = false;
    throw new CaelumError('timeout', 'no answer');
  };
  await run(9000);
  assert.deepEqual(a.story, ['elected 0']);
  await client.patch(leasesRef, 'kube-system', 'kube-scheduler', 'merge', {
    metadata: { labels: { seen: 'yes' } },
  });
  await run(9000);
  assert.deepEqual(a.story, ['elected 0']);
  client.remove(leasesRef, 'kube-system/kube-scheduler');
  await run(9000);
  assert.equal(a.election.isLeader, true);
  assert.equal(lease().spec['holderIdentity'], 'a');
});

test('startLeaderElection() is deposed by whoever takes its lease', async (t) => {
  const { stand, run, client } = hall(t);
  const a = stand('a');
  await run(500);
  await client.patch(leasesRef, 'kube-system', 'kube-scheduler', 'merge', {
    spec: { holderIdentity: 'z', leaseTransitions: 7 },
  });
  await run(3000);
  assert.equal(a.election.isLeader, false);
  assert.deepEqual(a.story, ['elected 0', 'deposed']);
  await run(15_000);
  assert.equal(a.story.at(-1), 'elected 8', 'z does not renew');
});
