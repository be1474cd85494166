/**
 * Gangs and reservations in a world in which answers are lost, pods and nodes vanish and the scheduler is cut off: what is so when all is quiet again.
 * CAELUM_SEED replays a run.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Node,
  nodes as nodesRef,
  type Pod,
  type PodGroup,
  podGroups as podGroupsRef,
  pods as podsRef,
  quantityMilli,
  type Reservation,
  reservations as reservationsRef,
} from '../../api/index.ts';
import { createFakeClient, createInformers, type FakeClient } from '../../client/index.ts';
import { CaelumError, SeededRandom, SimulatedClock, silentLog } from '../../lib/index.ts';
import { startScheduler } from '../bind-loop.ts';
import { heldByAnnotation, reservationAnnotation } from '../reservations/reserved.ts';

const seed = Number(process.env['CAELUM_SEED'] ?? 1);
const worlds = 6;
const groupNames = ['g0', 'g1', 'g2'];
const nodeNames = ['a', 'b', 'c', 'd'];
const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: 'r', controller: true };

class World {
  readonly clock = new SimulatedClock();
  readonly random: SeededRandom;
  readonly client: FakeClient;
  #running: { stop(): void } = { stop() {} };
  #next = 0;

  constructor(random: SeededRandom) {
    this.random = random;
    this.client = createFakeClient({ clock: this.clock });
    for (const name of nodeNames) this.#addNode(name);
    for (const name of groupNames)
      this.client.seed<PodGroup>(podGroupsRef, {
        metadata: { name, namespace: 'n' },
        spec: { schedulingPolicy: { gang: { minCount: 2 + random.integer(4) } } },
      });
    for (const [name, mode] of [
      ['r0', 'AllOrNone'],
      ['r1', 'Partial'],
    ] as const)
      this.client.seed<Reservation>(reservationsRef, {
        metadata: { name, namespace: 'n' },
        spec: { count: 3, mode, whenRefused: 'Wait', template: { requests: { cpu: '1' } } },
      });
    this.restart();
  }

  #addNode(name: string): void {
    this.client.seed<Node>(nodesRef, {
      metadata: { name },
      status: { allocatable: { cpu: '4', memory: '64Gi', pods: '110' } },
    });
  }

  restart(): void {
    this.#running.stop();
    const { client, clock } = this;
    const random = new SeededRandom(this.random.integer(1000));
    const informers = createInformers({ client, clock, random, log: silentLog });
    const scheduler = startScheduler({ client, informers, clock, random, log: silentLog });
    this.#running = {
      stop() {
        scheduler.stop();
        informers.stop();
      },
    };
  }

  stop(): void {
    this.#running.stop();
  }

  pods(): readonly Pod[] {
    return this.client.objects<Pod>(podsRef);
  }

  /** As controllers do: what is gone is made anew; pods of nodes that are gone go. */
  mend(): void {
    const there = new Set(this.client.objects<Node>(nodesRef).map(({ metadata }) => metadata.name));
    for (const { metadata, spec } of this.pods()) {
      const isLost = spec?.nodeName !== undefined && spec.nodeName !== '' && !there.has(spec.nodeName);
      if (isLost || metadata.deletionTimestamp !== undefined)
        this.client.remove(podsRef, `n/${metadata.name}`);
    }
    const count = (test: (pod: Pod) => boolean): number => this.pods().filter(test).length;
    for (const name of groupNames)
      while (count(({ spec }) => spec?.schedulingGroup?.podGroupName === name) < 5)
        this.#addPod({ schedulingGroup: { podGroupName: name } }, {});
    for (const name of ['r0', 'r1'])
      while (count(({ metadata }) => metadata.annotations?.[reservationAnnotation] === name) < 2)
        this.#addPod({}, { [reservationAnnotation]: name });
  }

  #addPod(spec: Partial<NonNullable<Pod['spec']>>, annotations: Readonly<Record<string, string>>): void {
    const containers = [{ name: 'c', image: 'i', resources: { requests: { cpu: '1' } } }];
    const name = `p${this.#next++}`;
    this.client.seed<Pod>(podsRef, {
      metadata: { name, namespace: 'n', annotations, ownerReferences: [owner] },
      spec: { containers, ...spec },
      status: { phase: 'Pending' },
    });
  }

  disturb(): void {
    const { random, client } = this;
    const bad = random.float() < 0.5 ? 0.3 : 0;
    client.intercept = ({ verb }) =>
      verb !== 'list' && verb !== 'watch' && random.float() < bad
        ? new CaelumError(random.float() < 0.5 ? 'conflict' : 'unavailable', 'it was not to be')
        : undefined;
    const pods = this.pods();
    const victim = pods[random.integer(Math.max(1, pods.length))];
    if (victim !== undefined && random.float() < 0.5) client.remove(podsRef, `n/${victim.metadata.name}`);
    const name = nodeNames[random.integer(nodeNames.length)] ?? '';
    if (client.peek(nodesRef, name) === undefined) this.#addNode(name);
    else if (random.float() < 0.3) client.remove(nodesRef, name);
    if (random.float() < 0.3) this.restart();
  }

  calm(): void {
    this.client.intercept = undefined;
    for (const name of nodeNames) if (this.client.peek(nodesRef, name) === undefined) this.#addNode(name);
  }

  async run(ms: number, stepMs: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) {
      await this.clock.advance(stepMs);
      this.mend();
    }
  }
}

const cpuOf = ({ spec }: Pod): number =>
  quantityMilli(spec?.containers[0]?.resources?.requests?.['cpu']) ?? 0;

function checkQuiet({ client }: World): number {
  const pods = client.objects<Pod>(podsRef);
  const reservations = client.objects<Reservation>(reservationsRef);
  const taken = new Map<string, number>();
  const take = (node: string, cpuMilli: number): void => {
    taken.set(node, (taken.get(node) ?? 0) + cpuMilli);
  };
  for (const pod of pods) if (pod.spec?.nodeName) take(pod.spec.nodeName, cpuOf(pod));
  for (const { metadata, spec, status } of reservations) {
    for (const { node, count, pods: users = [] } of status?.places ?? []) {
      take(node, 1000 * (count - users.length));
      for (const name of users) {
        const pod = client.peek<Pod>(podsRef, `n/${name}`);
        assert.equal(pod?.spec?.nodeName, node, `${name} has a place of ${metadata.name} on ${node}`);
        assert.equal(pod?.metadata.annotations?.[heldByAnnotation], metadata.uid);
      }
    }
    const { allocated = 0, used } = status ?? {};
    const users = pods.filter((pod) => pod.metadata.annotations?.[heldByAnnotation] === metadata.uid);
    assert.equal(used, users.length, `${metadata.name} is used by ${users.map((one) => one.metadata.name)}`);
    if (spec.mode === 'AllOrNone' && used === 0) assert.ok(allocated === 0 || allocated <= spec.count);
  }
  for (const [node, cpuMilli] of taken) assert.ok(cpuMilli <= 4000, `${node} holds ${cpuMilli}m`);
  let whole = 0;
  for (const group of client.objects<PodGroup>(podGroupsRef)) {
    const { name } = group.metadata;
    const members = pods.filter(({ spec }) => spec?.schedulingGroup?.podGroupName === name);
    const bound = members.filter(({ spec }) => (spec?.nodeName ?? '') !== '').length;
    const minCount = group.spec.schedulingPolicy.gang?.minCount ?? 0;
    const wasScheduled = group.status?.conditions?.[0]?.status === 'True';
    assert.ok(
      bound === 0 || bound >= minCount || wasScheduled,
      `${bound} of ${minCount} of ${name} are bound`,
    );
    if (bound >= minCount) {
      whole++;
      assert.ok(wasScheduled, `${name} does not say that it was scheduled`);
    }
  }
  return whole;
}

test(`gangs and reservations are as they should when all is quiet (CAELUM_SEED=${seed})`, async () => {
  const random = new SeededRandom(seed);
  let whole = 0;
  for (let at = 0; at < worlds; at++) {
    const world = new World(random);
    try {
      for (let round = 0; round < 12; round++) {
        world.disturb();
        await world.run(2000, 200);
      }
      world.calm();
      await world.run(450_000, 5000);
      whole += checkQuiet(world);
    } finally {
      world.stop();
    }
  }
  assert.ok(whole > worlds / 2, `${whole} gangs were whole`);
});
