/**
 * Gangs and reservations in random clouds, held against what is plain to count. CAELUM_SEED replays a run.
 *
 *   all or none; together where they have to be; a gang of alike pods is refused only where it does not fit; nobody loses a place for a gang that gets none;
 *   nodes hold what they can; what is held is held
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node, Pod, PodGroup, Reservation } from '../../api/index.ts';
import { type Random, SeededRandom } from '../../lib/index.ts';
import { plan, type Step, type WaitingPod } from '../plan.ts';
import { priorityOf } from '../preemption.ts';
import { reservationAnnotation } from '../reservations/reserved.ts';
import { Snapshot } from '../snapshot.ts';

const seed = Number(process.env['CAELUM_SEED'] ?? 1);
const cases = 60;
const rounds = 12;
const rackKey = 'rack';

/** Random with words for what is drawn here. */
class Dice {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** In [from, below). */
  integer(from: number, below: number): number {
    return from + this.#random.integer(below - from);
  }

  chance(probability: number): boolean {
    return this.#random.float() < probability;
  }

  pick<T>(list: readonly [T, ...T[]]): T {
    return list[this.#random.integer(list.length)] as T;
  }
}

interface Shape {
  readonly minCount: number;
  readonly isTogether: boolean;
  readonly cpuMilli: number;
  readonly priority: number;
}

class Cloud {
  readonly snapshot = new Snapshot();
  readonly random: Dice;
  readonly waiting = new Map<string, Pod>();
  readonly groups = new Map<string, Shape>();
  #next = 0;

  constructor(random: Dice) {
    this.random = random;
    const nodes = random.integer(2, 7);
    for (let at = 0; at < nodes; at++) this.snapshot.setNode(this.#node(`n${at}`));
    for (let at = random.integer(0, 3); at > 0; at--) this.#reserve();
  }

  #node(name: string): Node {
    const labels = this.random.chance(0.8) ? { [rackKey]: `r${this.random.integer(0, 3)}` } : {};
    const allocatable = { cpu: String(this.random.integer(1, 7)), memory: '64Gi', pods: '110' };
    return { metadata: { name, labels }, status: { allocatable } } as Node;
  }

  /** As many places as there is room for. */
  #reserve(): void {
    const name = `res${this.#next++}`;
    const metadata = { namespace: 'n', name, uid: name, creationTimestamp: '2026-01-01T00:00:00Z' };
    const spec = { count: 2, template: { requests: { cpu: '1' } }, selector: { matchLabels: { res: name } } };
    this.snapshot.holds.open({ metadata, spec } as Reservation);
    for (let at = 0; at < 2; at++)
      for (let row = 0; row < this.snapshot.rows; row++) {
        if ((this.snapshot.cpuFree[row] ?? 0) < 1000) continue;
        const node = this.snapshot.facts(row)?.name ?? '';
        this.snapshot.holds.addPlace(`n/${name}`, `reservation:n/${name}/${at}`, node, this.snapshot);
        break;
      }
  }

  addPod(cpuMilli: number, priority: number, group?: string): void {
    const name = `p${this.#next++}`;
    const isNamed = this.random.chance(0.1);
    const res = `res${this.random.integer(0, 3)}`;
    const pod = {
      metadata: {
        name,
        namespace: 'n',
        uid: name,
        creationTimestamp: '2026-01-01T00:00:00Z',
        ...(this.random.chance(0.2) ? { labels: { res } } : {}),
        ...(isNamed ? { annotations: { [reservationAnnotation]: res } } : {}),
      },
      spec: {
        priority,
        containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: `${cpuMilli}m` } } }],
        ...(group === undefined ? {} : { schedulingGroup: { podGroupName: group } }),
      },
    } as Pod;
    this.waiting.set(`n/${name}`, pod);
    this.snapshot.gangs.setPod(`n/${name}`, pod);
  }

  addGroup(): void {
    const { random } = this;
    const name = `g${this.#next++}`;
    const shape = {
      minCount: random.integer(1, 6),
      isTogether: random.chance(0.4),
      cpuMilli: random.pick([500, 1000, 2000]),
      priority: random.pick([0, 0, 10]),
    };
    this.groups.set(`n/${name}`, shape);
    this.snapshot.gangs.setGroup({
      metadata: { name, namespace: 'n', creationTimestamp: '2026-01-01T00:00:00Z' },
      spec: {
        schedulingPolicy: { gang: { minCount: shape.minCount } },
        ...(shape.isTogether ? { schedulingConstraints: { topology: [{ key: rackKey }] } } : {}),
      },
    } as PodGroup);
    const members = shape.minCount + random.integer(0, 3) - Number(random.chance(0.2));
    for (let at = 0; at < members; at++) this.addPod(shape.cpuMilli, shape.priority, name);
  }

  /** Somebody goes: a victim, or anybody. */
  removeSome(): void {
    for (const key of [...this.snapshot.going.keys()]) this.#remove(key);
    for (let row = 0; row < this.snapshot.rows; row++)
      for (const [key] of [...this.snapshot.placedOn(row)])
        if (key.startsWith('n/') && this.random.chance(0.1)) this.#remove(key);
  }

  #remove(key: string): void {
    this.snapshot.removePod(key);
    this.snapshot.going.delete(key);
    this.snapshot.gangs.removePod(key);
  }

  plan(): readonly Step[] {
    const batch: WaitingPod[] = Array.from(this.waiting, ([key, pod]) => ({ key, pod }));
    const steps = plan(this.snapshot, batch);
    for (const { kind, podKey } of steps) if (kind === 'bind') this.waiting.delete(podKey);
    return steps;
  }

  placedOf(group: string): readonly string[] {
    const members = this.snapshot.gangs.gang(group)?.members.keys() ?? [];
    return [...members].filter((key) => this.snapshot.placed(key) !== undefined);
  }

  rackOf(key: string): string | undefined {
    const row = this.snapshot.placed(key)?.row;
    return row === undefined ? undefined : this.snapshot.facts(row)?.labels[rackKey];
  }

  /** How many more pods of so much would fit, in the rack or anywhere. */
  fitting(cpuMilli: number, rack?: string): number {
    let count = 0;
    for (let row = 0; row < this.snapshot.rows; row++)
      if (rack === undefined || this.snapshot.facts(row)?.labels[rackKey] === rack)
        count += Math.max(0, Math.floor((this.snapshot.cpuFree[row] ?? 0) / cpuMilli));
    return count;
  }
}

function checkNodes({ snapshot }: Cloud): void {
  for (let row = 0; row < snapshot.rows; row++)
    assert.ok((snapshot.cpuFree[row] ?? 0) >= 0, `node ${snapshot.facts(row)?.name} holds too much`);
}

function checkHolds({ snapshot }: Cloud, held: ReadonlyMap<string, number>): void {
  for (const [key, count] of held) {
    const places = [...(snapshot.holds.get(key)?.places.values() ?? [])];
    assert.equal(places.length, count, `places of ${key}`);
    for (const { key: placeKey, user, nodeName } of places) {
      const holder = snapshot.placed(user ?? placeKey);
      assert.equal(snapshot.facts(holder?.row ?? -1)?.name, nodeName, `${placeKey}: ${user ?? 'free'}`);
    }
  }
}

function checkGangs(cloud: Cloud, steps: readonly Step[], before: ReadonlyMap<string, number>): void {
  const { snapshot, groups } = cloud;
  for (const [key, shape] of groups) {
    const placed = cloud.placedOf(key);
    const had = before.get(key) ?? 0;
    assert.ok(
      placed.length === had || placed.length >= shape.minCount,
      `${key}: ${had}, then ${placed.length}`,
    );
    const racks = new Set(placed.map((one) => cloud.rackOf(one)));
    if (shape.isTogether) assert.ok(racks.size <= 1, `${key} is in ${[...racks].join(' ')}`);
    const mine = steps.filter((step) => snapshot.gangs.gangOf(step.podKey)?.key === key);
    const preempting = mine.filter((step) => step.kind === 'wait' && step.preemption?.kind === 'chosen');
    const nominated = mine.filter(({ podKey }) => snapshot.nominations.has(podKey));
    if (preempting.length > 0)
      assert.ok(nominated.length + placed.length >= shape.minCount, `${key} preempts for a part of it`);
    if (placed.length < shape.minCount && nominated.length > 0)
      assert.ok(nominated.length + placed.length >= shape.minCount, `${key} keeps room for a part of it`);
    for (const step of mine)
      if (step.kind === 'wait' && step.preemption?.kind === 'chosen')
        for (const { pod } of step.preemption.victims) assert.ok(priorityOf(pod) < shape.priority);
  }
}

/** The last planned gang was refused with the room that there is now. */
function checkRefusal(cloud: Cloud, key: string): void {
  const { snapshot } = cloud;
  const shape = cloud.groups.get(key) as Shape;
  const members = [...(snapshot.gangs.gang(key)?.members ?? [])];
  const placed = cloud.placedOf(key);
  const need = shape.minCount - placed.length;
  const isPlain = members.every(
    ([, { metadata }]) => (metadata.labels ?? metadata.annotations) === undefined,
  );
  if (need <= 0 || members.length - placed.length < need || !isPlain) return;
  const racks = new Set(
    shape.isTogether
      ? placed.length > 0
        ? placed.map((one) => cloud.rackOf(one))
        : Array.from({ length: snapshot.rows }, (_, row) => snapshot.facts(row)?.labels[rackKey]).filter(
            (rack) => rack !== undefined,
          )
      : [undefined],
  );
  for (const rack of racks)
    assert.ok(cloud.fitting(shape.cpuMilli, rack) < need, `${key} would fit into ${rack ?? 'the cloud'}`);
}

test(`plan() keeps what gangs and reservations are promised (CAELUM_SEED=${seed})`, () => {
  const random = new Dice(new SeededRandom(seed));
  let bound = 0;
  let preempted = 0;
  let used = 0;
  for (let at = 0; at < cases; at++) {
    const cloud = new Cloud(random);
    const { snapshot } = cloud;
    const held = new Map<string, number>();
    for (const key of ['n/res0', 'n/res1', 'n/res2']) {
      const places = snapshot.holds.get(key)?.places.size;
      if (places !== undefined) held.set(key, places);
    }
    for (let round = 0; round < rounds; round++) {
      if (random.chance(0.6)) cloud.addGroup();
      if (random.chance(0.6)) cloud.addPod(random.pick([500, 1000, 3000]), random.pick([0, 5]));
      cloud.removeSome();
      checkHolds(cloud, held);
      const before = new Map([...cloud.groups.keys()].map((key) => [key, cloud.placedOf(key).length]));
      const steps = cloud.plan();
      checkNodes(cloud);
      checkHolds(cloud, held);
      checkGangs(cloud, steps, before);
      if (snapshot.nominations.size === 0) {
        const last = steps.findLast(({ podKey }) => snapshot.gangs.gangOf(podKey) !== undefined);
        const key = last && snapshot.gangs.gangOf(last.podKey)?.key;
        if (last === steps.at(-1) && last?.kind === 'wait' && key !== undefined) checkRefusal(cloud, key);
      }
      bound += steps.filter(({ kind }) => kind === 'bind').length;
      used += steps.filter((step) => step.kind === 'bind' && step.heldBy !== undefined).length;
      preempted += steps.filter((step) => step.kind === 'wait' && step.preemption?.kind === 'chosen').length;
    }
  }
  assert.ok(bound > 200 && preempted > 5 && used > 5, `${bound} bound, ${preempted} preempted, ${used} used`);
});
