/**
 * Limits of queues on random clouds, with the whole scheduler: pods and gangs come and go, some in several queues; more important ones take the place of others;
 * those that are told to go take their time. CAELUM_SEED replays one.
 *
 *   what is bound never exceeds a limit of a queue or one above; gangs have as many as they need, or none; nobody waits who would fit;
 *   nobody goes for a pod that then gets no place; at rest nothing is done
 *
 * Reckoned from the objects alone, by sums.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  podDisruptionBudgets as budgetsRef,
  type Event,
  type Node,
  nodes as nodesRef,
  type Pod,
  type PodDisruptionBudget,
  type PodGroup,
  podGroups as podGroupsRef,
  pods as podsRef,
  type Queue,
  type QueueSpec,
  queues as queuesRef,
} from '../../api/index.ts';
import { createFakeClient, createInformers } from '../../client/index.ts';
import { type Random, SeededRandom, SimulatedClock, silentLog } from '../../lib/index.ts';
import { startScheduler } from '../bind-loop.ts';
import { podOf } from './test-tenants.ts';

const given = process.env['CAELUM_SEED'];
const count = Number(process.env['CAELUM_SEEDS'] ?? 10);
/** Those at the end once found something. */
const seeds =
  given === undefined ? [...Array.from({ length: count }, (_, at) => at + 1), 18, 66, 123] : [Number(given)];
const rounds = 25;
const eventsRef = { group: '', version: 'v1', resource: 'events', namespaced: true };
const queueLabel = 'scheduling.caelum.dev/queue';

const cpuOf = ({ spec }: Pod): number => Number(spec?.containers[0]?.resources?.requests?.['cpu'] ?? 0);
const isBound = ({ spec }: Pod): boolean => (spec?.nodeName ?? '') !== '';
const priorityOf = ({ spec }: Pod): number => spec?.priority ?? 0;

class World {
  readonly random: Random;
  readonly clock = new SimulatedClock();
  readonly client = createFakeClient({ clock: this.clock });
  readonly queues = new Map<string, QueueSpec>();
  readonly leaves: string[] = [];
  readonly nodeCpu = new Map<string, number>();
  readonly minCounts = new Map<string, number>();
  readonly stop: () => void;
  /** When those that are told to go will have gone. */
  readonly #ends = new Map<string, number>();
  readonly #isGuaranteed: boolean;
  #number = 0;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    this.#isGuaranteed = seed % 3 === 1;
    const { clock, client } = this;
    const informers = createInformers({ client, clock, random: this.random.stream('i'), log: silentLog });
    const scheduler = startScheduler({
      client,
      informers,
      clock,
      random: this.random.stream('s'),
      log: silentLog,
    });
    this.stop = () => {
      scheduler.stop();
      informers.stop();
    };
    for (let at = 2 + this.random.integer(3); at > 0; at--) this.#node(`n${at}`, 2 + this.random.integer(7));
    this.#addQueues();
  }

  #node(name: string, cpu: number): void {
    this.nodeCpu.set(name, cpu);
    this.client.seed<Node>(nodesRef, {
      metadata: { name },
      status: { allocatable: { cpu: String(cpu), memory: '64Gi', pods: '110' } },
    });
  }

  #addQueues(): void {
    const { random } = this;
    for (let top = 0; top < 2; top++) {
      const below = random.integer(3);
      const most = 5 + random.integer(10);
      const min = this.#isGuaranteed ? { min: { cpu: String(random.integer(Math.min(5, most))) } } : {};
      this.queue(`q${top}`, { max: { cpu: String(most) }, ...min });
      if (below === 0 || random.integer(3) === 0) this.leaves.push(`q${top}`);
      for (let at = 0; at < below; at++) {
        const limit: QueueSpec =
          random.integer(4) === 0
            ? { min: { cpu: String(3 + random.integer(4)) }, mayBorrow: false }
            : random.integer(3) === 0
              ? {}
              : { max: { cpu: String(2 + random.integer(8)) } };
        this.queue(`q${top}-${at}`, { parent: `q${top}`, ...limit });
        this.leaves.push(`q${top}-${at}`);
      }
    }
  }

  queue(name: string, spec: QueueSpec): void {
    this.queues.set(name, spec);
    this.client.seed<Queue>(queuesRef, {
      metadata: { name, uid: name },
      spec: { namespaces: ['n'], podSelection: 'ByLabel', ...spec },
    });
  }

  limitOf(name: string): number {
    const { max, min, mayBorrow } = this.queues.get(name) ?? {};
    const most = Number(max?.['cpu'] ?? Number.POSITIVE_INFINITY);
    return mayBorrow === false ? Math.min(most, Number(min?.['cpu'])) : most;
  }

  pathOf(pod: Pod): string[] {
    const path: string[] = [];
    let name: string | undefined = pod.metadata.labels?.[queueLabel];
    for (; name !== undefined; name = this.queues.get(name)?.parent) path.push(name);
    return path;
  }

  get pods(): readonly Pod[] {
    return this.client.objects<Pod>(podsRef);
  }

  get waiting(): readonly Pod[] {
    return this.pods.filter((pod) => !isBound(pod) && pod.metadata.deletionTimestamp === undefined);
  }

  addPod(cpu: number, priority: number, queueName: string, group?: string): void {
    const name = `p${this.#number++}`;
    const labels = { [queueLabel]: queueName, ...(this.random.integer(3) === 0 ? { app: 'kept' } : {}) };
    const { spec, ...pod } = podOf('n', name, { cpu, priority, created: this.#number, labels });
    const grouped = group === undefined ? {} : { schedulingGroup: { podGroupName: group } };
    const containers = spec?.containers ?? [];
    this.client.seed<Pod>(podsRef, {
      ...pod,
      spec: { ...spec, containers, ...grouped },
      status: { phase: 'Pending' },
    });
  }

  addGang(): void {
    const { random } = this;
    const name = `g${this.#number++}`;
    const minCount = 2 + random.integer(3);
    this.minCounts.set(name, minCount);
    this.client.seed<PodGroup>(podGroupsRef, {
      metadata: { name, namespace: 'n', creationTimestamp: '2026-01-01T00:00:00Z' },
      spec: { schedulingPolicy: { gang: { minCount } } },
    });
    const own = this.pickLeaf();
    const isSpread = random.integer(3) === 0;
    const priority = random.integer(4);
    for (let at = minCount + random.integer(3); at > 0; at--)
      this.addPod(1 + random.integer(2), priority, isSpread ? this.pickLeaf() : own, name);
  }

  pickLeaf(): string {
    return this.leaves[this.random.integer(this.leaves.length)] as string;
  }

  /** A budget for some of the pods, that allows nothing. */
  budget(allowed: number): void {
    this.client.seed<PodDisruptionBudget>(budgetsRef, {
      metadata: { name: 'b', namespace: 'n' },
      spec: { selector: { matchLabels: { app: 'kept' } } },
      status: { disruptionsAllowed: allowed, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 },
    });
  }

  act(): void {
    const { random } = this;
    const kind = random.integer(10);
    if (kind < 4) this.addPod(1 + random.integer(4), random.integer(4), this.pickLeaf());
    else if (kind < 6) this.addGang();
    else if (kind < 9) this.remove(random.integer(5));
    else if (random.integer(2) === 0) this.budget(0);
    else {
      const [name, spec] = [...this.queues][random.integer(this.queues.size)] as [string, QueueSpec];
      // Only upwards: what is there is not put out when a limit is lowered.
      if (spec.max !== undefined)
        this.queue(name, { ...spec, max: { cpu: String(Number(spec.max['cpu']) + random.integer(3)) } });
    }
  }

  remove(count: number): void {
    for (let at = 0; at < count; at++) {
      const all = this.pods;
      const pod = all[this.random.integer(Math.max(1, all.length))];
      if (pod !== undefined) this.client.remove(podsRef, `n/${pod.metadata.name}`);
    }
  }

  async run(ms: number, stepMs = 50): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) {
      await this.clock.advance(stepMs);
      this.checkLimits();
      const nowMs = this.clock.monotonicMs();
      for (const { metadata } of this.pods) {
        if (metadata.deletionTimestamp === undefined) continue;
        const { name = '' } = metadata;
        const endMs = this.#ends.get(name) ?? nowMs + 50 * this.random.integer(60);
        this.#ends.set(name, endMs);
        if (endMs <= nowMs) this.client.remove(podsRef, `n/${name}`);
      }
    }
  }

  usage(): Map<string, number> {
    const used = new Map<string, number>();
    for (const pod of this.pods)
      if (isBound(pod))
        for (const name of this.pathOf(pod)) used.set(name, (used.get(name) ?? 0) + cpuOf(pod));
    return used;
  }

  free(): Map<string, number> {
    const free = new Map(this.nodeCpu);
    for (const pod of this.pods) {
      const node = pod.spec?.nodeName ?? '';
      if (isBound(pod)) free.set(node, (free.get(node) ?? 0) - cpuOf(pod));
    }
    return free;
  }

  checkLimits(): void {
    for (const [name, used] of this.usage())
      assert.ok(used <= this.limitOf(name), `queue ${name} has ${used} of at most ${this.limitOf(name)} cpu`);
  }

  /** Can all of them have a place, one after the other? The small ones last, each where least is left. */
  fit(pods: readonly Pod[]): boolean {
    const [used, free] = [this.usage(), this.free()];
    return [...pods]
      .sort((a, b) => cpuOf(b) - cpuOf(a))
      .every((pod) => {
        const cpu = cpuOf(pod);
        for (const name of this.pathOf(pod)) {
          used.set(name, (used.get(name) ?? 0) + cpu);
          if ((used.get(name) ?? 0) > this.limitOf(name)) return false;
        }
        const [best] = [...free].filter(([, left]) => left >= cpu).sort((a, b) => a[1] - b[1]);
        if (best !== undefined) free.set(best[0], best[1] - cpu);
        return best !== undefined;
      });
  }

  checkGangs(): void {
    for (const [name, minCount] of this.minCounts) {
      const members = this.pods.filter(({ spec }) => spec?.schedulingGroup?.podGroupName === name);
      const waiting = members.filter((pod) => !isBound(pod)).sort((a, b) => cpuOf(a) - cpuOf(b));
      const bound = members.length - waiting.length;
      const need = Math.max(bound > 0 ? 1 : minCount, minCount - bound);
      if (waiting.length < need || waiting.length === 0) continue;
      const wasScheduled = this.client
        .peek<PodGroup>(podGroupsRef, `n/${name}`)
        ?.status?.conditions?.some(({ status }) => status === 'True');
      const next = waiting.slice(0, wasScheduled === true && bound > 0 ? 1 : need);
      assert.ok(!this.fit(next), `gang ${name} waits with ${bound} of ${minCount} and would fit`);
    }
  }

  /** When all has settled. */
  checkWaiting(): void {
    for (const pod of this.waiting) {
      if (pod.spec?.schedulingGroup !== undefined) continue;
      assert.ok(!this.fit([pod]), `${pod.metadata.name} of ${cpuOf(pod)} waits and would fit`);
      // In its own queue, on one node, less important pods would be enough for the limits and for the node.
      for (const [node, free] of this.free()) {
        const below = this.pods.filter(
          (one) =>
            one.spec?.nodeName === node &&
            one.metadata.labels?.[queueLabel] === pod.metadata.labels?.[queueLabel] &&
            priorityOf(one) < priorityOf(pod) &&
            one.metadata.labels?.['app'] === undefined,
        );
        const gain = below.reduce((sum, one) => sum + cpuOf(one), 0);
        const used = this.usage();
        const isWithin = this.pathOf(pod).every(
          (name) => (used.get(name) ?? 0) - gain + cpuOf(pod) <= this.limitOf(name),
        );
        assert.ok(
          !isWithin || free + gain < cpuOf(pod),
          `${pod.metadata.name} could have the place of less important pods on ${node}`,
        );
      }
    }
  }

  /** Each for whom somebody went has a place, or is gone, or went itself. */
  checkVictims(): void {
    const events = this.client.objects<Event>(eventsRef).filter(({ reason }) => reason === 'Preempted');
    for (const { message = '' } of events) {
      const uid = /by pod (\S+)/.exec(message)?.[1];
      const pod = this.pods.find(({ metadata }) => metadata.uid === uid);
      // Of its gang others may have been taken away meanwhile.
      const isAlone = pod?.spec?.schedulingGroup === undefined;
      assert.ok(
        pod === undefined || !isAlone || isBound(pod),
        `somebody went for ${uid}, which has no place`,
      );
    }
  }
}

for (const seed of seeds)
  test(`no limit is ever exceeded, and nobody waits who would fit (CAELUM_SEED=${seed})`, async (t) => {
    const world = new World(seed);
    t.after(world.stop);
    for (let round = 0; round < rounds; round++) {
      for (let at = world.random.integer(4); at > 0; at--) world.act();
      await world.run(50 * world.random.integer(40));
    }
    await world.run(20_000);
    // Whoever waits is looked at again after five minutes at the latest.
    await world.run(330_000, 2000);
    await world.run(20_000);
    world.checkWaiting();
    world.checkGangs();
    world.checkVictims();
  });
