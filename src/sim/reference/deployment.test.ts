import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Deployment, jsonMergePatch, type KubeObject, type ReplicaSet } from '../../api/index.ts';
import { fencepostsOf, hashLabel, isSameTemplate } from '../../controllers/deployment/facts.ts';
import { type Observed, plan } from '../../controllers/deployment/plan.ts';
import type { Step as ControllerStep, Write } from '../../controllers/step.ts';
import { fenceposts, nextSizes, type Rollout, type Sized, type Sizes } from './deployment.ts';
import { type Choices, forEachCase } from './test-cases.ts';

const desiredAnnotation = 'deployment.kubernetes.io/desired-replicas';
const maxAnnotation = 'deployment.kubernetes.io/max-replicas';

const template = (version: number) => ({
  metadata: { labels: { app: 'web' } },
  spec: { containers: [{ name: 'c', image: `web:${version}` }] },
});

/** Pods of a ReplicaSet: how many there are, how many are available, how many are ending. */
interface Pods {
  running: number;
  available: number;
  ending: number;
}

/** A Deployment, its ReplicaSets and their pods, without anything else. */
class World {
  deployment: Deployment;
  readonly sets = new Map<string, ReplicaSet>();
  readonly pods = new Map<string, Pods>();
  #made = 0;

  constructor(choices: Choices) {
    const type = choices.chance(0.15) ? 'Recreate' : 'RollingUpdate';
    const some = () => choices.one([0, 1, 2, 5, '0%', '10%', '25%', '50%', '100%', '150%'] as const);
    this.deployment = {
      metadata: { name: 'web', namespace: 'shop', uid: 'd', generation: 1 },
      spec: {
        replicas: choices.between(0, 12),
        selector: { matchLabels: { app: 'web' } },
        template: template(1),
        strategy: {
          type,
          ...(type === 'Recreate' ? {} : { rollingUpdate: { maxSurge: some(), maxUnavailable: some() } }),
        },
      },
    };
  }

  get observed(): Observed {
    return {
      deployment: this.deployment,
      replicaSets: [...this.sets.values()],
      findReplicaSet: (name) => this.sets.get(name),
      hasPods: (owners) => owners.some(({ metadata }) => this.#hasPods(metadata.name ?? '')),
    };
  }

  get rollout(): Rollout {
    const { spec, status } = this.deployment;
    const { rollingUpdate = {}, type } = spec?.strategy ?? {};
    const { maxSurge = '25%', maxUnavailable = '25%' } = rollingUpdate;
    const replicas = spec?.replicas ?? 1;
    const isRecreate = type === 'Recreate';
    return {
      replicas,
      ...(isRecreate ? { maxSurge: 0, maxUnavailable: 0 } : fenceposts(maxSurge, maxUnavailable, replicas)),
      isRecreate,
      isPaused: spec?.paused === true,
      reported: status?.replicas ?? 0,
    };
  }

  /** The oldest first, as they were made. */
  get family(): readonly Sized[] {
    return [...this.sets.values()].map(({ metadata, spec, status }) => {
      const number = (name: string): number | undefined =>
        metadata.annotations?.[name] === undefined ? undefined : Number(metadata.annotations[name]);
      const replicas = spec?.replicas ?? 1;
      return {
        name: metadata.name ?? '',
        isNew: isSameTemplate(spec?.template, this.deployment.spec?.template),
        replicas,
        available: Math.min(replicas, status?.availableReplicas ?? 0),
        desired: number(desiredAnnotation),
        max: number(maxAnnotation),
        hasPods: this.#hasPods(metadata.name ?? ''),
      };
    });
  }

  #hasPods(name: string): boolean {
    const { running = 0, ending = 0 } = this.pods.get(name) ?? {};
    return running + ending > 0;
  }

  change(spec: Partial<Deployment['spec']>): void {
    const { deployment } = this;
    this.deployment = {
      ...deployment,
      spec: { ...deployment.spec, ...spec } as NonNullable<Deployment['spec']>,
    };
  }

  carryOut(steps: readonly ControllerStep[]): void {
    for (const step of steps)
      if (step.kind === 'together') for (const write of step.writes) this.#write(write);
      else if (step.kind !== 'event' && step.kind !== 'again') this.#write(step);
  }

  #write(write: Write): void {
    if (write.kind === 'create') {
      const object = write.object as ReplicaSet;
      const name = object.metadata.name ?? '';
      const creationTimestamp = new Date(Date.UTC(2026, 0, 1) + this.#made++ * 1000).toISOString();
      this.sets.set(name, { ...object, metadata: { ...object.metadata, uid: name, creationTimestamp } });
      this.pods.set(name, { running: 0, available: 0, ending: 0 });
    } else if (write.kind === 'delete') this.sets.delete(write.name);
    else if (write.kind === 'patch') {
      const patched = (object: KubeObject): KubeObject => jsonMergePatch(object, write.patch) as KubeObject;
      const replicaSet = this.sets.get(write.name);
      if (write.ref.resource === 'deployments') this.deployment = patched(this.deployment) as Deployment;
      else if (replicaSet !== undefined) this.sets.set(write.name, patched(replicaSet) as ReplicaSet);
    }
  }

  /** What the ReplicaSet controller and nodes do meanwhile; each does as much as chance has it. `eager`: all there is to do. */
  live(choices: Choices, eager: boolean): void {
    const part = (of: number): number => (eager ? of : choices.between(0, of));
    let reported = 0;
    for (const [name, replicaSet] of this.sets) {
      const pods = this.pods.get(name) as Pods;
      const wanted = replicaSet.spec?.replicas ?? 1;
      pods.ending -= part(pods.ending);
      if (pods.running < wanted) pods.running += part(wanted - pods.running);
      const surplus = part(Math.max(0, pods.running - wanted));
      pods.running -= surplus;
      pods.ending += surplus;
      pods.available = Math.min(pods.available, pods.running);
      pods.available += part(pods.running - pods.available);
      if (!eager && choices.chance(0.15)) pods.available -= choices.between(0, pods.available);
      if (eager || choices.chance(0.7)) {
        const { running, available } = pods;
        this.sets.set(name, { ...replicaSet, status: { replicas: running, availableReplicas: available } });
      }
      reported += this.sets.get(name)?.status?.replicas ?? 0;
    }
    this.deployment = { ...this.deployment, status: { replicas: reported } };
  }
}

/** The sizes after a plan, for comparison: those of all sets, and of the one that has just been made under the name `new`. */
function sizesOf(world: World, before: readonly Sized[]): Sizes {
  const known = new Set(before.map(({ name }) => name));
  return new Map(world.family.map(({ name, replicas }) => [known.has(name) ? name : 'new', replicas]));
}

const sum = (sets: readonly Sized[], of: (one: Sized) => number): number =>
  sets.reduce((all, one) => all + of(one), 0);

/** What Kubernetes promises of a rolling update, whatever the reference says. */
function checkPromises(rollout: Rollout, before: readonly Sized[], after: readonly Sized[]): void {
  const { replicas, maxSurge, maxUnavailable, isRecreate } = rollout;
  const sizes = [sum(before, (one) => one.replicas), sum(after, (one) => one.replicas)] as const;
  if (sizes[1] > sizes[0])
    assert.ok(sizes[1] <= replicas + maxSurge, `${sizes[1]} pods, ${replicas} + ${maxSurge} allowed`);
  if (isRecreate) return;
  // Every set may give up first what is not available: the rest is what still serves.
  const left = sum(after, ({ name, replicas: size }) =>
    Math.min(size, before.find((one) => one.name === name)?.available ?? 0),
  );
  const had = sum(before, (one) => one.available);
  const isOver = before.every(({ desired, replicas: size }) => size === 0 || desired === replicas);
  if (left < had && isOver && !rollout.isPaused)
    assert.ok(
      left >= replicas - maxUnavailable,
      `${left} of ${replicas} available, ${maxUnavailable} may be missing`,
    );
}

function compare(world: World): void {
  const { rollout, family } = world;
  const steps = plan(world.observed, { nowMs: 0 });
  const expected = new Map(family.map(({ name, replicas }) => [name, replicas]));
  for (const [name, size] of nextSizes(rollout, family)) expected.set(name, size);
  const told = `${JSON.stringify(rollout)} ${JSON.stringify(family)} ${JSON.stringify(steps)}`;
  world.carryOut(steps);
  const left = world.family;
  // History that was cut has no pods: its size is nothing.
  for (const { name, replicas } of family)
    if (replicas === 0 && !left.some((one) => one.name === name)) expected.delete(name);
  assert.deepEqual([...sizesOf(world, family)].sort(), [...expected].sort(), `sizes of ${told}`);
  checkPromises(rollout, family, left);
}

test('Deployment plan() sizes ReplicaSets as the reference, step by step, and gets where it shall', (t) => {
  forEachCase(t, 600, (choices) => {
    const world = new World(choices);
    const lags = choices.chance(0.5);
    let version = 1;
    for (let step = 0; step < 40; step++) {
      if (choices.chance(0.08))
        world.change({ template: template(choices.chance(0.3) ? choices.between(1, version) : ++version) });
      if (choices.chance(0.08)) world.change({ replicas: choices.between(0, 12) });
      if (choices.chance(0.04)) world.change({ paused: choices.chance(0.3) });
      compare(world);
      if (choices.chance(0.7)) world.live(choices, !lags);
    }
    world.change({ paused: false });
    for (let step = 0; step < 60; step++) {
      compare(world);
      world.live(choices, true);
    }
    const { replicas } = world.rollout;
    for (const { isNew, name, replicas: size } of world.family)
      assert.equal(size, isNew ? replicas : 0, `${name} in the end`);
    assert.ok(world.family.some(({ isNew }) => isNew));
    assert.deepEqual(plan(world.observed, { nowMs: 0 }), [], 'quiet at rest');
  });
});

test('fencepostsOf() rounds as the reference', (t) => {
  forEachCase(t, 3000, (choices) => {
    const some = () => choices.one([choices.between(0, 20), `${choices.between(0, 150)}%`]);
    const [maxSurge, maxUnavailable, replicas] = [some(), some(), choices.between(0, 200)];
    const deployment: Deployment = {
      metadata: {},
      spec: {
        replicas,
        selector: {},
        template: { metadata: { labels: { [hashLabel]: 'x' } } },
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } },
      },
    };
    assert.deepEqual(fencepostsOf(deployment), fenceposts(maxSurge, maxUnavailable, replicas));
  });
});
