/**
 * What every pod network must do. `network.test.ts` runs it on the fake, `io/bridge-network.test.ts` on real bridges and namespaces.
 */
import assert from 'node:assert/strict';
import type { PodNetwork } from './network.ts';

export interface NetworkHarness {
  /** A network on the same state as the last one of this harness: a restarted agent. The range is 10.251.7.0/28. */
  open(): PodNetwork;
  podUid(): string;
  /** The machine is started anew: namespaces are gone. */
  powerCut(network: PodNetwork): Promise<void>;
}

export interface NetworkCase {
  readonly name: string;
  run(harness: NetworkHarness): Promise<void>;
}

async function withNetwork(
  harness: NetworkHarness,
  act: (network: PodNetwork, podUid: () => string) => Promise<void>,
): Promise<void> {
  const network = harness.open();
  try {
    await network.prepare();
    await act(network, harness.podUid);
  } finally {
    await network.destroy();
  }
}

export const networkContract: readonly NetworkCase[] = [
  {
    name: 'attach() gives each pod an address of its own, the same one when asked again',
    run: (harness) =>
      withNetwork(harness, async (network, podUid) => {
        const uids = [podUid(), podUid(), podUid()];
        const made = await Promise.all(uids.map((uid) => network.attach(uid, [])));
        const addresses = made.map((one) => one.addresses[0] ?? '');
        assert.equal(new Set(addresses).size, 3);
        for (const address of addresses) assert.match(address, /^10\.251\.7\.([2-9]|1[0-4])$/);
        for (const one of made) assert.match(one.namespacePath, /^\/run\/netns\//);
        const again = await Promise.all([
          network.attach(uids[0] ?? '', []),
          network.attach(uids[0] ?? '', []),
        ]);
        assert.deepEqual(again, [made[0], made[0]]);
        assert.equal((await network.list()).length, 3);
      }),
  },
  {
    name: 'detach() frees the address, repeats safely, and a full range says so',
    run: (harness) =>
      withNetwork(harness, async (network, podUid) => {
        const uids = Array.from({ length: 13 }, podUid);
        await Promise.all(uids.map((uid) => network.attach(uid, [])));
        await assert.rejects(network.attach(podUid(), []), { code: 'unavailable' });
        await network.detach(uids[4] ?? '');
        await network.detach(uids[4] ?? '');
        const next = await network.attach(podUid(), []);
        const others = (await network.list()).flatMap((one) => one.addresses);
        assert.equal(new Set(others).size, 13);
        assert.ok(others.includes(next.addresses[0] ?? ''));
      }),
  },
  {
    name: 'a restarted network knows its attachments',
    run: (harness) =>
      withNetwork(harness, async (network, podUid) => {
        const uid = podUid();
        const before = await network.attach(uid, []);
        const restarted = harness.open();
        await restarted.prepare();
        assert.deepEqual(await restarted.list(), [{ ...before, isWhole: true }]);
        assert.deepEqual(await restarted.attach(uid, []), before);
        assert.notDeepEqual((await restarted.attach(podUid(), [])).addresses, before.addresses);
      }),
  },
  {
    name: 'after a power cut an attachment is not whole, keeps its address, and attach() mends it',
    run: (harness) =>
      withNetwork(harness, async (network, podUid) => {
        const [a, b] = await Promise.all([network.attach(podUid(), []), network.attach(podUid(), [])]);
        await harness.powerCut(network);
        const restarted = harness.open();
        await restarted.prepare();
        assert.deepEqual(
          (await restarted.list()).map(({ isWhole }) => isWhole),
          [false, false],
        );
        assert.deepEqual(await restarted.attach(a.podUid, []), a);
        await restarted.detach(b.podUid);
        assert.deepEqual(await restarted.list(), [{ ...a, isWhole: true }]);
      }),
  },
  {
    name: 'connect() to nobody is refused, to an unknown pod notFound',
    run: (harness) =>
      withNetwork(harness, async (network, podUid) => {
        const uid = podUid();
        await network.attach(uid, []);
        await assert.rejects(network.connect(uid, 9), { code: 'unavailable' });
        await assert.rejects(network.connect('nobody', 9), { code: 'notFound' });
      }),
  },
  {
    name: 'destroy() leaves nothing and can be repeated',
    run: (harness) =>
      withNetwork(harness, async (network, podUid) => {
        await network.attach(podUid(), []);
        await network.destroy();
        await network.destroy();
        const again = harness.open();
        await again.prepare();
        assert.deepEqual(await again.list(), []);
      }),
  },
];
